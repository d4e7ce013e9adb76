/* A reseed in the model. Worse than MySQL's CLONE: the data is gone at once, what the server claims
 * to have executed stays until its process ends, and a copy nobody looks at never ends. The copy is
 * what the donor's engine has committed; the server restarts with it. */
#include "tests/simulation/sim_rewind.h"

static void hollow_out(struct sim *s, struct sim_server *v)
{
    sim_trace(s, "db%u loses all its data to a copy", v->index + 1);
    rewind_forget(s, v);
    v->log_n = 0;
    memset(v->have, 0, sizeof v->have);
    memset(v->done, 0, sizeof v->done);
    replica_purge_relay(s, v, false);
}

static void take_over_data(struct sim *s, struct sim_server *v, const struct sim_server *donor)
{
    sim_trace(s, "db%u gets the data of db%u and restarts", v->index + 1, donor->index + 1);
    v->log_n = 0;
    for (uint32_t i = 0; i < donor->log_n; i++)
        if (bit_get(donor->done, donor->log[i]))
            v->log[v->log_n++] = donor->log[i];
    v->configured = false;
    memset(v->claim_first, 0, sizeof v->claim_first);
    memset(v->claim_last, 0, sizeof v->claim_last);
    v->lost_seq = 0;
    v->errant_at = STAY_NEVER;
    server_kill(s, v, true, false);
    sim_at(s, s->now + sim_span(s, 100 * STAY_MS, STAY_SECOND), EV_START, v->index, 0, v->life, 0);
}

enum sql_progress sql_copy(struct sim *s, struct sim_effect *x, struct sim_server *v)
{
    const struct sim_server *donor = &s->server[x->effect.peer];
    if (v->copy_epoch != x->effect.epoch) { /* the first look of this plan begins it */
        hollow_out(s, v);
        v->copy_epoch = x->effect.epoch;
        v->copy_until = s->now + sim_span(s, STAY_SECOND, 6 * STAY_SECOND);
        v->copy_life = v->life;
        v->is_copied = false;
    }
    x->read = true;
    if (v->is_copied)
        return SQL_DONE;
    if (v->life != v->copy_life || !server_alive(donor) || !net_both(s, v->index, donor->index))
        return SQL_FAILED;
    x->goes_on = true;
    if (s->now >= v->copy_until) {
        take_over_data(s, v, donor);
        v->is_copied = true;
    }
    return SQL_FAILED;
}

enum sql_progress sql_copy_stop(struct sim *s, struct sim_effect *x, struct sim_server *v)
{
    if (x->effect.plan == PLAN_REWIND) { /* its job, which opened the server for itself */
        v->super_ro = s->setup.engine == ENGINE_MYSQL;
        return SQL_DONE;
    }
    if (!v->is_copied)
        v->copy_life = v->life + 1; /* a later look finds it failed */
    return SQL_DONE;
}

/* An operator reseeds a replica, whatever state it is in; from a stream of its own. */
void copy_order(struct sim *s)
{
    struct random own;
    random_init(&own, s->setup.seed ^ UINT64_C(0x72657365656431) ^ (uint64_t)s->now);
    uint32_t node = (uint32_t)random_below(&own, s->setup.servers);
    struct plan_params p = {.node = node,
                            .donor = NO_NODE,
                            .accept_loss = random_below(&own, 100) < 50,
                            .reason = "simulated operator",
                            .actor = "operator",
                            .detected_mono_us = STAY_NEVER};
    if (!controller_runs(s) || executor_is_busy(s->controller.exec))
        return;
    if (guard_check(s->controller.view, NULL, &s->controller.fleet, PLAN_RESEED, false, s->now,
                    s->now + s->wall_offset) == 0)
        (void)controller_order(s, PLAN_RESEED, &p);
}
