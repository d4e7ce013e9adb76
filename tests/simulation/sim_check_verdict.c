/* What the controller concluded, against the world's truth: whose word a failover began by, and for
 * how long a dead primary may be called cut off. */
#include "tests/simulation/sim.h"

#define CUT_OFF_US (4500 * STAY_MS)

/* Stale votes never count. Automation that takes a primary for dead has the
 * word of another server, asked for after suspicion began: an older one is about another time. */
void check_begun(struct sim *s, const struct plan_run *run)
{
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
