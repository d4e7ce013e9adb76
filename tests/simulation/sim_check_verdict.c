/* What the controller concluded, against the world's truth: whose word a failover began by, what
 * forbade it, and for how long a dead primary may be called cut off. */
#include "tests/simulation/sim.h"

#define CUT_OFF_US (4500 * STAY_MS)

/* The kill switch stops every plan; maintenance, a hold after a stall or jump and the cooldown of
 * the last automatic failover stop what automation would begin. A human releases each of them in
 * the store. */
static void check_allowed(struct sim *s, const struct plan_run *run)
{
    const struct cluster_record *r = &s->store.record;
    int64_t wall_us = s->now + s->wall_offset;
    const char *what = plan_kind_text(run->kind);
    if (r->paused)
        sim_violate(s, INV_S6, "%s begins while the kill switch is on", what);
    if (!run->params.automatic)
        return;
    if (r->maintenance_until_wall_us > wall_us)
        sim_violate(s, INV_S6, "%s begins by itself in maintenance", what);
    if (s->controller.held_until > s->now)
        sim_violate(s, INV_S6, "%s begins by itself %.1f s after a stall or clock jump", what,
                    (double)(s->now - s->controller.held_since) / 1e6);
    if (run->kind == PLAN_FAILOVER && r->cooldown_until_wall_us > wall_us)
        sim_violate(s, INV_S6, "a failover begins by itself %.1f s before the cooldown ends",
                    (double)(r->cooldown_until_wall_us - wall_us) / 1e6);
}

/* It is re-read at every step: before the point of no return a run turns back, and nothing that
 * changes a server is begun for it. */
void check_paused(struct sim *s, const struct effect *effect)
{
    const struct plan_run *run = executor_run(s->controller.exec);
    if (s->store.record.paused && run != NULL && run->state == RUN_FORWARD && !run->past_no_return)
        sim_violate(s, INV_S6, "'%s' of %s begins while the kill switch is on",
                    step_kind_text(effect->step), run->id);
}

/* Stale votes never count. Automation that takes a primary for dead has the
 * word of another server, asked for after suspicion began: an older one is about another time. */
void check_begun(struct sim *s, const struct plan_run *run)
{
    check_allowed(s, run);
    bool judged = run->kind == PLAN_FAILOVER && run->params.automatic &&
                  (run->params.rule_id == 120 || run->params.rule_id == 121);
    for (uint32_t n = 0; n < s->setup.servers && judged; n++)
        judged = n == run->old_primary ||
                 s->server[n].answers_at < s->controller.view->suspicion_since_mono_us;
    if (judged)
        sim_violate(s, INV_S14, "failover of db%u by rule %u, and nobody else could say a word",
                    run->old_primary + 1, run->params.rule_id);
}

/* A receiver thread that runs is no proof that its source sends: a position or heartbeat older than
 * receiving (1.5 s), told at most 1.5 s ago, and an answer's way. Where every other server could
 * tell it all the time. */
void check_verdict(struct sim *s, uint16_t rule_id)
{
    uint32_t primary = s->controller.view->primary;
    if (rule_id != 110 || primary >= s->setup.servers)
        return;
    for (uint32_t n = 0; n < s->setup.servers; n++)
        if (n != primary && s->server[n].mute_at > s->server[primary].alive_at - STAY_SECOND)
            return;
    int64_t dead_us = s->now - s->server[primary].alive_at;
    if (dead_us > CUT_OFF_US)
        sim_violate(s, INV_L2, "db%u sends nothing for %.1f s and is called cut off", primary + 1,
                    (double)dead_us / 1e6);
}
