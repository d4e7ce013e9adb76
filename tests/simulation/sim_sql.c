/* Each step of a plan as the statements it is made of, run on the model's servers. A phase is one
 * round trip; SQL_AGAIN asks to be called at phase_at, as a client that waits or polls. */
#include "tests/simulation/sim.h"

#define POLL_US (20 * STAY_MS)

enum sql_progress sql_next_phase(struct sim *s, struct sim_effect *x)
{
    x->phase++;
    x->phase_at = s->now + 2 * net_delay(s, SIM_HOST_CONTROLLER, x->effect.node);
    return SQL_AGAIN;
}

enum sql_progress sql_poll(struct sim *s, struct sim_effect *x)
{
    x->phase_at = s->now + POLL_US;
    return SQL_AGAIN;
}

bool sql_executes(const struct sim *s, const struct sim_effect *x, const struct sim_server *v)
{
    static struct gtid_set set;
    facts_set_executed(s, v, &set);
    return gtid_set_contains(&set, &x->want);
}

/* Everything it received is executed, by its own word. */
bool sql_is_drained(const struct sim *s, const struct sim_server *v)
{
    static struct gtid_set executed, received;
    facts_set_executed(s, v, &executed);
    facts_set_received(s, v, &received);
    return gtid_set_contains(&executed, &received);
}

/* A wait for a set; the client keeps polling until its deadline, while its plan still runs. */
static enum sql_progress wait_executed(struct sim *s, struct sim_effect *x, struct sim_server *v)
{
    x->read = true;
    if (sql_executes(s, x, v) && (x->effect.step == STEP_CATCH_UP || sql_is_drained(s, v))) {
        if (x->effect.plan == PLAN_RECOVER && s->setup.engine == ENGINE_MARIADB && !v->receiver_on)
            replica_stop_applier(s, v); /* by GTID again */
        return SQL_DONE;
    }
    if (v->configured && !v->applier_on)
        return SQL_FAILED; /* applier stopped: waiting cannot help */
    if (!s->controller.up || !executor_is_busy(s->controller.exec))
        return SQL_FAILED;
    return sql_poll(s, x);
}

/* One stopped while it tried to reconnect keeps the error that tells so; another error tells that
 * it was started and never connected. */
static enum receiver_before receiver_before(const struct sim_server *v)
{
    if (!v->configured || (!v->connected && v->cannot_reach && v->receiver_new))
        return BEFORE_UNKNOWN;
    if (v->receiver_on)
        return v->connected ? BEFORE_CONNECTED : BEFORE_LOST;
    return v->cannot_reach ? BEFORE_LOST : BEFORE_UNKNOWN;
}

static enum sql_progress freeze(struct sim *s, struct sim_effect *x, struct sim_server *v)
{
    switch (x->phase) {
    case 0:
        x->before = receiver_before(v);
        s->stats->received_not_executed += v->relay_n > v->relay_head;
        if (v->ss_source && v->read_only) /* its applier would wait for acknowledgements */
            server_ss_set(s, v, false, true);
        if (x->effect.flaw == MUTANT_SOURCE_ON_BEFORE_DRAIN)
            server_ss_set(s, v, true, true);
        if (!v->configured || (!v->receiver_on && x->effect.plan == PLAN_RECOVER) ||
            (!v->receiver_on && !v->applier_on && !sql_is_drained(s, v) &&
             s->setup.engine == ENGINE_MARIADB)) {
            x->phase = 1; /* starting its applier now would purge the relay log */
        } else if (x->effect.flaw == MUTANT_BOTH_THREADS_STOPPED) {
            replica_stop_receiver(s, v);
            replica_stop_applier(s, v);
            replica_start_applier(s, v);
        } else if (v->receiver_on || s->setup.engine == ENGINE_MYSQL) {
            replica_start_applier(s, v); /* while the receiver runs */
        }
        return sql_next_phase(s, x);
    case 1:
        if (v->receiver_on && v->connected &&
            (!server_alive(&s->server[v->source]) || !net_both(s, v->index, v->source))) {
            x->phase++;
            x->phase_at = s->now + v->slow_stop_us; /* row 16 */
            return SQL_AGAIN;
        }
        x->phase++;
        /* fall through */
    default:
        if (v->receiver_on)
            replica_stop_receiver(s, v);
        v->frozen_by_us = true;
        v->operator_started = false;
        x->read = true;
        return SQL_DONE;
    }
}

static enum sql_progress canary(struct sim *s, struct sim_effect *x, struct sim_server *v)
{
    if (x->phase == 1)
        return sql_poll(s, x); /* waits for its commit */
    if (v->read_only || v->super_ro || v->offline)
        return SQL_FAILED;
    for (uint32_t i = 0; i < v->waiter_n; i++)
        if (v->waiters[i].canary)
            return sql_poll(s, x); /* the row is locked */
    if (server_write_blocked(v))
        return sql_poll(s, x);
    uint32_t tx = tx_new(s, v->index, x->effect.step == STEP_CREATE_SCHEMA ? TX_SCHEMA : TX_CANARY,
                         UINT16_MAX, s->now);
    if (tx == SIM_NONE)
        return SQL_DONE;
    s->tx[tx].epoch = (uint32_t)x->effect.epoch;
    struct sim_waiter who = {.client = UINT16_MAX - 1, .canary = true, .op = x->gen};
    x->read = true;
    if (server_flush(s, v, tx, &who))
        return SQL_DONE;
    x->phase = 1;
    return sql_poll(s, x);
}

static enum sql_progress wait_ackers(struct sim *s, struct sim_effect *x, struct sim_server *v)
{
    uint32_t n = 0;
    for (uint32_t r = 0; r < s->setup.servers; r++)
        n += v->dump[r].open && v->dump[r].semisync;
    x->read = true;
    return n >= x->effect.acks ? SQL_DONE : sql_poll(s, x);
}

/* Its next transaction is numbered past whatever it may have lost, by a gap that is wider with each
 * tenth of a second, as step_renumber's (numbers of 32 bits: a narrower one). */
static void leave_gap(const struct sim *s, const struct sim_effect *x, struct sim_server *v)
{
    if (x->effect.renumber && s->setup.engine == ENGINE_MARIADB)
        v->domain_seq += 100000 * (uint32_t)(1 + s->now / (100 * STAY_MS) % 1000);
}

static enum sql_progress unfence(struct sim *s, struct sim_effect *x, struct sim_server *v)
{
    if (v->boot_at > x->effect.born_mono_us)
        return SQL_FAILED;
    if (x->phase == 0) {
        if (x->effect.semi_sync) {
            v->ss_timeout_ms = UINT64_C(1000000000);
            v->ss_wait_count = s->config.acks;
            server_ss_set(s, v, true, true);
        }
        return sql_next_phase(s, x);
    }
    check_writable(s, v, &x->effect, x->left_at);
    leave_gap(s, x, v);
    v->read_only = v->super_ro = v->offline = v->closes = false;
    x->read = true;
    return SQL_DONE;
}

static enum sql_progress replica_role(struct sim *s, struct sim_effect *x, struct sim_server *v)
{
    if (x->phase == 0) {
        v->ss_replica = x->effect.semi_sync;
        if (v->receiver_on && v->ss_active != v->ss_replica && v->applier_on) {
            replica_stop_receiver(s, v);
            replica_start_receiver(s, v);
        } else if (x->effect.plan == PLAN_QUARANTINE && v->receiver_on && v->ss_active) {
            replica_stop_receiver(s, v); /* started again it would purge what is not executed */
        }
        return sql_next_phase(s, x);
    }
    x->read = true;
    return SQL_DONE;
}

/* Drained, connected by file and position, which acknowledges all before it, then by GTID again. */
static enum sql_progress acknowledge(struct sim *s, struct sim_effect *x, struct sim_server *v)
{
    x->read = true;
    if (x->phase == 0 && (!v->receiver_on || !v->applier_on || !v->ss_replica))
        return SQL_FAILED;
    if (v->relay_n > v->relay_head)
        return v->applier_on ? sql_poll(s, x) : SQL_FAILED;
    if (x->phase == 0) {
        v->by_position = true;
        replica_stop_receiver(s, v);
        replica_start_receiver(s, v);
        return sql_next_phase(s, x);
    }
    return v->receiver_on && v->ss_active ? SQL_DONE : SQL_FAILED;
}

static enum sql_progress end_stream(struct sim *s, struct sim_effect *x, struct sim_server *v)
{
    x->read = true;
    replica_end_stream(s, v, x->effect.peer);
    return SQL_DONE;
}

static enum sql_progress start_applier(struct sim *s, struct sim_effect *x, struct sim_server *v)
{
    x->read = true;
    if (x->phase > 0)
        return v->applier_on && !v->ss_source ? SQL_DONE : SQL_FAILED;
    if (v->applier_on) {
        if (v->ss_source && v->read_only)
            server_ss_set(s, v, false, true); /* its applier waits for acknowledgements */
        return sql_next_phase(s, x);
    }
    if (!v->receiver_on)
        return SQL_FAILED;
    if (v->ss_source)
        server_ss_set(s, v, false, true); /* its applier would wait for acknowledgements */
    replica_start_applier(s, v);
    return sql_next_phase(s, x);
}

static enum sql_progress replay(struct sim *s, struct sim_effect *x, struct sim_server *v)
{
    x->read = true;
    if (x->phase > 0 || !v->configured)
        return SQL_DONE;
    if (v->receiver_on)
        return SQL_FAILED;
    x->kept_acked = v->left_alone && !v->applier_on &&
                    (v->relay_meets || s->setup.engine == ENGINE_MYSQL);
    if (s->setup.engine == ENGINE_MARIADB)
        replica_replay(s, v);
    else if (!sql_is_drained(s, v))
        replica_start_applier(s, v);
    s->stats->replayed_relay += v->relay_n > v->relay_head;
    return sql_next_phase(s, x);
}

static enum sql_progress make_writable(struct sim *s, struct sim_effect *x, struct sim_server *v)
{
    if (v->boot_at > x->effect.born_mono_us)
        return SQL_FAILED;
    x->read = true;
    check_writable(s, v, &x->effect, x->left_at);
    leave_gap(s, x, v);
    v->read_only = v->super_ro = v->offline = v->closes = false;
    return SQL_DONE;
}

static enum sql_progress source_on(struct sim *s, struct sim_effect *x, struct sim_server *v)
{
    v->ss_timeout_ms = UINT64_C(1000000000);
    v->ss_wait_count = x->effect.acks;
    server_ss_set(s, v, true, true);
    x->read = true;
    return SQL_DONE;
}

/* An acker says itself that it acknowledges: the source may count a connection that ended. */
static enum sql_progress barrier(struct sim *s, struct sim_effect *x, struct sim_server *v)
{
    enum sql_progress p = wait_executed(s, x, v);
    bool acks = !x->has_want || (v->receiver_on && v->connected && v->ss_active);
    return p == SQL_DONE && !acks ? sql_poll(s, x) : p;
}

enum sql_progress sql_step(struct sim *s, struct sim_effect *x, struct sim_server *v)
{
    switch (x->effect.step) {
    case STEP_FENCE: return sql_fence(s, x, v);
    case STEP_FREEZE: return freeze(s, x, v);
    case STEP_DRAIN:
    case STEP_CATCH_UP: return wait_executed(s, x, v);
    case STEP_BARRIER: return barrier(s, x, v);
    case STEP_COLLECT:
    case STEP_COMPARE:
    case STEP_VERIFY_FREEZE: x->read = true; return SQL_DONE;
    case STEP_TOP_UP: return sql_top_up(s, x, v);
    case STEP_DETACH: return sql_detach(s, x, v);
    case STEP_SOURCE_ON: return source_on(s, x, v);
    case STEP_SOURCE_OFF:
        x->read = true;
        if (v->waiter_n > 0 && x->effect.lossless_roles)
            return SQL_FAILED; /* switching off would answer OK */
        server_ss_set(s, v, false, true);
        return SQL_DONE;
    case STEP_ATTACH: return sql_attach(s, x, v);
    case STEP_WAIT_ACKERS: return wait_ackers(s, x, v);
    case STEP_WRITABLE: return make_writable(s, x, v);
    case STEP_CREATE_SCHEMA:
    case STEP_CANARY: return canary(s, x, v);
    case STEP_QUIESCE: return sql_quiesce(s, x, v);
    case STEP_THAW: return sql_thaw(s, x, v);
    case STEP_UNFENCE: return unfence(s, x, v);
    case STEP_SET_TIMEOUTS: return sql_set_timeouts(s, x, v);
    case STEP_REPLICA_ROLE: return replica_role(s, x, v);
    case STEP_START_APPLIER: return start_applier(s, x, v);
    case STEP_SET_VARIABLES:
        x->read = true;
        v->drifts = v->drifts && strstr(x->effect.settings, "sync_binlog = 1") == NULL;
        return SQL_DONE;
    case STEP_ACKNOWLEDGE: return acknowledge(s, x, v);
    case STEP_END_STREAM: return end_stream(s, x, v);
    case STEP_COPY: return sql_copy(s, x, v);
    case STEP_COPY_STOP: return sql_copy_stop(s, x, v);
    case STEP_REWIND: break; /* a job: sim_rewind.c */
    case STEP_REPLAY: return replay(s, x, v);
    case STEP_NONE: case STEP_CHECK: case STEP_INTENT: case STEP_HOOK_PRE: case STEP_ROUTE_CLOSE:
    case STEP_CHOOSE: case STEP_CERTIFY: case STEP_STORE_MODE: case STEP_ROUTE_OPEN:
    case STEP_CANARY_ROUTE: case STEP_COMMIT: case STEP_HOOK_POST: case STEP_QUARANTINE:
    case STEP_ADMIT: case STEP_KIND_COUNT: break;
    }
    sim_violate(s, INV_MODEL, "no such step on a server: %s", step_kind_text(x->effect.step));
    return SQL_FAILED;
}
