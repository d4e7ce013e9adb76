/* A switchover is ordered for a time, perhaps cancelled or ordered again, while faults happen: it
 * begins once, at its time and not late, to the server that was named; what was cancelled never. */
#include "tests/simulation/sim.h"

/* From a stream of its own: other lives stay as they are. */
void draw_schedule(struct sim *s)
{
    struct random own;
    struct sim_setup *u = &s->setup;
    random_init(&own, u->seed ^ UINT64_C(0x7363686564756c65));
    if (u->plain || u->quiet || u->script != SCRIPT_NONE || random_below(&own, 100) >= 5)
        return;
    s->schedule.delay_us = random_between(&own, 0, 6 * STAY_SECOND);
    bool is_named = random_below(&own, 3) == 0;
    s->schedule.to = is_named ? (uint32_t)random_below(&own, u->servers) : SIM_NONE;
    int64_t at = s->now + random_between(&own, 1 * STAY_SECOND, 10 * STAY_SECOND);
    sim_at(s, at, EV_SCHEDULE, 0, 0, 0, 0);
    uint64_t then = random_below(&own, 4); /* cancelled, again, late by the clock */
    if (then < 2)
        sim_at(s, at + random_between(&own, 0, 7 * STAY_SECOND), EV_SCHEDULE, then == 0, 0, 0, 0);
    if (then == 2)
        u->faults |= UINT64_C(1) << FAULT_CLOCK_JUMP;
}

static void order(struct sim *s, struct cluster_record *r)
{
    const struct sim_schedule *order = &s->schedule;
    if (!r->adopted)
        return;
    r->switch_at_wall_us = s->now + s->wall_offset + order->delay_us;
    r->switch_missed_wall_us = 0;
    const char *to = order->to == SIM_NONE ? "" : s->config.nodes[order->to].name;
    (void)stay_copy(r->switch_to, sizeof r->switch_to, to);
    (void)stay_copy(r->switch_by, sizeof r->switch_by, "operator");
    s->stats->schedules++;
    sim_trace(s, "a switchover%s%s is ordered for %.3f s from now", to[0] == '\0' ? "" : " to ", to,
              (double)order->delay_us / 1e6);
}

static void cancel(struct sim *s, struct cluster_record *r)
{
    s->stats->schedules_cancelled += r->switch_at_wall_us != 0;
    r->switch_at_wall_us = r->switch_missed_wall_us = 0;
    sim_trace(s, "no switchover is ordered any more");
}

void schedule_order(struct sim *s, bool cancels)
{
    store_operator(s, cancels ? cancel : order);
}

static void check_in_time(struct sim *s, const struct plan_run *run, int64_t due_us)
{
    const char *to = s->store.record.switch_to;
    double late_s = (double)(run->begun_wall_us - due_us) / 1e6;
    bool is_to = to[0] == '\0' || (run->params.node != NO_NODE &&
                                   strcmp(to, s->config.nodes[run->params.node].name) == 0);
    s->stats->scheduled++;
    if (due_us == 0)
        sim_violate(s, INV_S6, "%s begins as scheduled, and no order stands", run->id);
    else if (run->begun_wall_us < due_us || run->begun_wall_us > due_us + SCHEDULE_WINDOW_US)
        sim_violate(s, INV_S6, "%s begins %.1f s after the time it was ordered for", run->id,
                    late_s);
    else if (!is_to)
        sim_violate(s, INV_S6, "%s goes to another server than %s, which was ordered", run->id, to);
}

void check_schedule(struct sim *s, const struct plan_run *run, const struct cluster_record *record)
{
    const struct cluster_record *before = &s->store.record;
    int64_t due_us = before->switch_at_wall_us, wall_us = s->now + s->wall_offset;
    bool begins = run != NULL && run->kind == PLAN_SWITCHOVER &&
                  strcmp(record->plan_id, run->id) == 0 && strcmp(before->plan_id, run->id) != 0;
    bool jumped = s->now - s->controller.held_since < 2 * STAY_SECOND;
    if (record->switch_at_wall_us != 0 && record->switch_at_wall_us != due_us)
        sim_violate(s, INV_S6, "a scheduled switchover stands that nobody ordered");
    if (begins && record->switch_at_wall_us != 0)
        sim_violate(s, INV_S6, "%s begins, and the order stands on: it would be done again",
                    run->id);
    if (begins && run->params.automatic && strcmp(run->params.reason, "scheduled") == 0)
        check_in_time(s, run, due_us);
    if (begins || due_us == 0 || record->switch_at_wall_us != 0)
        return;
    s->stats->schedules_missed++;
    if (!jumped && wall_us - due_us <= SCHEDULE_WINDOW_US)
        sim_violate(s, INV_S6, "a scheduled switchover is given up %.1f s after its time",
                    (double)(wall_us - due_us) / 1e6);
    if (record->switch_missed_wall_us != due_us)
        sim_violate(s, INV_S6, "a scheduled switchover is gone and nobody is told");
}

bool schedule_is_overdue(const struct sim *s)
{
    const struct sim_controller *c = &s->controller;
    int64_t due_us = s->store.record.switch_at_wall_us;
    return due_us != 0 && s->now + s->wall_offset >= due_us &&
           c->decision->verdict.rule_id == 100 && !c->decision->suspicion &&
           c->decision->vetoes == 0 && c->refused[0] == '\0';
}
