/* A zone is emptied while faults happen: an operator orders it, and takes it back at the latest
 * when the world heals. What the daemon does between turns (daemon_evacuate.c) is done here. */
#include "tests/simulation/sim.h"

/* From a stream of its own: other lives stay as they are. */
void draw_evacuation(struct sim *s)
{
    struct random own;
    struct sim_setup *u = &s->setup;
    random_init(&own, u->seed ^ UINT64_C(0x6576616375617465));
    if (u->plain || u->quiet || u->script != SCRIPT_NONE || random_below(&own, 100) >= 5)
        return;
    int64_t at = s->now + random_between(&own, 1 * STAY_SECOND, 10 * STAY_SECOND);
    sim_at(s, at, EV_EVACUATE, (uint32_t)random_below(&own, u->servers), 0, 0, 0);
    if (random_below(&own, 3) == 0) /* the same again: what failed is tried once more */
        sim_at(s, at + random_between(&own, 1 * STAY_SECOND, 5 * STAY_SECOND), EV_EVACUATE,
               (uint32_t)random_below(&own, u->servers), 0, 0, 0);
}

void evacuation_order(struct sim *s, uint32_t node)
{
    s->evacuation = (struct evacuation){.at_once = 1, .since_wall_us = s->now + s->wall_offset};
    (void)stay_copy(s->evacuation.zone, sizeof s->evacuation.zone, s->zone[node]);
    s->stats->evacuations++;
    sim_trace(s, "zone %s is being evacuated", s->evacuation.zone);
}

void evacuation_tell(struct sim *s)
{
    struct evacuation_cluster told;
    struct sim_controller *c = &s->controller;
    bool stands = s->evacuation.since_wall_us != 0;
    c->view->evacuated = evacuation_mask(&s->config, &s->evacuation, stands);
    c->fleet.evacuation_wall_us = 0;
    if (!stands)
        return;
    evacuation_judge(c->view, executor_run(c->exec), c->decision, &s->evacuation, s->now,
                     s->now + s->wall_offset, &told);
    if (told.state == EVACUATION_DUE)
        c->fleet.evacuation_wall_us = s->evacuation.since_wall_us;
}

void check_evacuated(struct sim *s, const struct plan_run *run, uint32_t node)
{
    bool inside = s->evacuation.since_wall_us != 0 &&
                  strcmp(s->zone[node], s->evacuation.zone) == 0;
    s->stats->evacuated += run->params.evacuation_wall_us != 0;
    if (!inside || run->begun_wall_us <= s->evacuation.since_wall_us)
        return;
    s->stats->evacuated_into += run->kind == PLAN_FAILOVER;
    if (run->kind == PLAN_SWITCHOVER)
        sim_violate(s, INV_S6, "a switchover goes to db%u, in the evacuated zone %s", node + 1,
                    s->evacuation.zone);
}
