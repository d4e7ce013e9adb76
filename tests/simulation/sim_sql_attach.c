/* Joining a server to a source and leaving one: top up, detach, attach, thaw and the connect
 * timeouts as the statements they are made of. See sim_sql.c. */
#include "tests/simulation/sim_rewind.h"

/* What the source holds of this server's own making and it lacks: its tail, truncated at a
 * restart. */
static bool lacks_own(const struct sim *s, const struct sim_effect *x, const struct sim_server *v)
{
    if (s->setup.engine != ENGINE_MARIADB)
        return false;
    for (size_t i = 0; i < x->want.n; i++)
        if (x->want.v[i].source[7] == v->index + 1 && x->want.v[i].last > v->max_have[v->index])
            return true;
    return false;
}

enum sql_progress sql_top_up(struct sim *s, struct sim_effect *x, struct sim_server *v)
{
    switch (x->phase) {
    case 0:
        replica_stop_receiver(s, v);
        if (lacks_own(s, x, v) && s->mutant != MUTANT_ATTACH_WITHOUT_ROLE)
            v->ss_replica = true; /* or its own transactions are skipped */
        replica_change(s, v, x->effect.peer);
        replica_start_receiver(s, v);
        replica_start_applier(s, v);
        return sql_next_phase(s, x);
    case 1:
        if (!sql_executes(s, x, v))
            return v->receiver_errno || v->applier_errno ? SQL_FAILED : sql_poll(s, x);
        return sql_next_phase(s, x);
    default:
        replica_stop_receiver(s, v);
        x->read = true;
        return SQL_DONE;
    }
}

enum sql_progress sql_detach(struct sim *s, struct sim_effect *x, struct sim_server *v)
{
    if (v->apply_waits)
        return sql_poll(s, x); /* row 8: STOP SLAVE hangs behind an applier that waits for acks */
    if (x->phase == 0) {
        replica_change(s, v, SIM_NONE);
        v->frozen_by_us = false;
        return sql_next_phase(s, x);
    }
    x->read = true;
    return SQL_DONE;
}

static bool is_attached(const struct sim_effect *x, const struct sim_server *v)
{
    return v->configured && v->source == x->effect.peer && v->connected && v->applier_on &&
           v->ss_replica == x->effect.semi_sync && v->ss_active == x->effect.semi_sync &&
           !v->ss_source;
}

static bool holds_more(const struct sim *s, const struct sim_effect *x, const struct sim_server *v)
{
    static struct gtid_set executed;
    facts_set_executed(s, v, &executed);
    return x->has_want && !gtid_set_contains(&x->want, &executed);
}

/* What MariaDB throws away of the relay log is held by the coming source. */
static bool received_is_wanted(const struct sim *s, const struct sim_effect *x,
                               const struct sim_server *v)
{
    static struct gtid_set received;
    facts_set_received(s, v, &received);
    return x->has_want && gtid_set_contains(&x->want, &received);
}

/* Receiver off, drained, both threads off. */
static enum sql_progress make_changeable(struct sim *s, struct sim_effect *x, struct sim_server *v)
{
    if (v->receiver_on) {
        replica_start_applier(s, v);
        replica_stop_receiver(s, v);
    }
    if (v->configured && !v->applier_on && v->applier_errno == 0 && !sql_is_drained(s, v) &&
        s->setup.engine == ENGINE_MYSQL)
        replica_start_applier(s, v);
    bool comes_again = !v->applier_on && v->applier_errno == 0 &&
                       s->setup.engine == ENGINE_MARIADB && received_is_wanted(s, x, v);
    if (v->configured && !sql_is_drained(s, v) && !comes_again)
        return v->applier_on ? sql_poll(s, x) : SQL_FAILED;
    if (v->apply_waits)
        return sql_poll(s, x); /* row 8: STOP SLAVE hangs behind an applier that waits for acks */
    return sql_next_phase(s, x);
}

static enum sql_progress attach_change(struct sim *s, struct sim_effect *x, struct sim_server *v)
{
    if (holds_more(s, x, v) || rewind_is_half(s, v))
        return SQL_FAILED;
    v->attached_by_us = true;
    v->attached_at = s->now;
    x->own = lacks_own(s, x, v);
    v->ss_replica = x->effect.semi_sync || x->own;
    if (s->mutant == MUTANT_ATTACH_WITHOUT_ROLE)
        v->ss_replica = false;
    replica_change(s, v, x->effect.peer);
    v->frozen_by_us = false;
    replica_start_receiver(s, v);
    replica_start_applier(s, v);
    return sql_next_phase(s, x);
}

/* The role was on only so that its own transactions are taken back. */
static enum sql_progress attach_role(struct sim *s, struct sim_effect *x, struct sim_server *v)
{
    if (v->ss_replica == x->effect.semi_sync)
        return sql_next_phase(s, x);
    if (v->receiver_errno || v->applier_errno)
        return SQL_FAILED;
    if (x->own && lacks_own(s, x, v) && s->mutant != MUTANT_ATTACH_WITHOUT_ROLE)
        return sql_poll(s, x);
    v->ss_replica = x->effect.semi_sync;
    replica_stop_receiver(s, v);
    replica_start_receiver(s, v);
    return sql_next_phase(s, x);
}

enum sql_progress sql_attach(struct sim *s, struct sim_effect *x, struct sim_server *v)
{
    x->read = true;
    switch (x->phase) {
    case 0:
        if (is_attached(x, v))
            return SQL_DONE;
        if (!v->read_only && !sql_set_read_only(s, v))
            return sql_poll(s, x);
        return sql_next_phase(s, x);
    case 1:
        if (v->ss_source)
            server_ss_set(s, v, false, true); /* role off before START */
        v->offline = false;
        return sql_next_phase(s, x);
    case 2: return make_changeable(s, x, v);
    case 3: return attach_change(s, x, v);
    case 4: return attach_role(s, x, v);
    default:
        if (v->receiver_errno || v->applier_errno || !v->receiver_on)
            return SQL_FAILED;
        if (x->effect.step == STEP_THAW && v->cannot_reach && v->applier_on)
            return SQL_DONE; /* given back to a source that is gone: it tries by itself */
        return is_attached(x, v) ? SQL_DONE : sql_poll(s, x);
    }
}

enum sql_progress sql_thaw(struct sim *s, struct sim_effect *x, struct sim_server *v)
{
    x->read = true;
    if (!v->configured || v->boot_at > x->effect.born_mono_us)
        return SQL_FAILED;
    if (x->phase > 0 || (x->effect.peer != NO_NODE && v->source != x->effect.peer))
        return sql_attach(s, x, v);
    if (!v->applier_on && !sql_is_drained(s, v) && s->setup.engine == ENGINE_MARIADB)
        return SQL_FAILED; /* any start would purge what is not executed */
    replica_start_receiver(s, v);
    replica_start_applier(s, v);
    v->frozen_by_us = false;
    return SQL_DONE;
}

enum sql_progress sql_set_timeouts(struct sim *s, struct sim_effect *x, struct sim_server *v)
{
    if (!v->configured)
        return SQL_DONE;
    switch (x->phase) {
    case 0:
        replica_start_applier(s, v);
        replica_stop_receiver(s, v);
        return sql_next_phase(s, x);
    case 1:
        if (v->relay_n > v->relay_head)
            return v->applier_on ? sql_poll(s, x) : SQL_FAILED;
        replica_change(s, v, v->source);
        replica_start_receiver(s, v);
        replica_start_applier(s, v);
        return sql_next_phase(s, x);
    default:
        x->read = true;
        return v->connected ? SQL_DONE : sql_poll(s, x);
    }
}
