/* controller/decide/decide_remember.c - what a turn takes from the view into the record and keeps
 * for the turns after it: the durability watch, what our own plans did, who wrote what, who
 * restarted. */
#include "controller/decide/decide_private.h"

#include "controller/decide/cluster_births.h"
#include "controller/decide/cluster_regiven.h"
#include "controller/decide/cluster_written.h"

#define CLOCK_JUMP_US  (1 * STAY_SECOND)  /* between two turns; a slewed clock moves by far less */
#define BORN_BEFORE_US (10 * STAY_SECOND) /* clocks drift, an uptime is whole seconds */

bool decide_is_over(const struct plan_run *run)
{
    return run != NULL &&
           (run->state == RUN_SUCCEEDED || run->state == RUN_UNDONE || run->state == RUN_ASKS);
}

bool decide_is_running(const struct plan_run *run)
{
    return run != NULL && (run->state == RUN_FORWARD || run->state == RUN_UNDOING);
}

/* A switchover that waits for its candidate to catch up has touched nothing yet, for seconds. */
static bool touches_now(const struct plan_run *run)
{
    bool waits = run->kind == PLAN_SWITCHOVER && run->state == RUN_FORWARD &&
                 run->row < plan_row_of(PLAN_SWITCHOVER, STEP_ROUTE_CLOSE);
    return plan_kind_has(run->kind, TRAIT_TOUCHES_PRIMARY) && !waits;
}

/* Is what we know of the primary still from before the end of a plan of ours that changed it? */
static bool is_stale_after(const struct cluster_view *view, const struct plan_run *last)
{
    return decide_is_over(last) && plan_kind_has(last->kind, TRAIT_TOUCHES_PRIMARY) &&
           view->primary != NO_NODE &&
           view->nodes[view->primary].facts_begun_mono_us <= last->ended_mono_us;
}

static void note_clock(struct cluster_view *view, int64_t now_mono_us, int64_t now_wall_us)
{
    int64_t offset_us = now_wall_us - now_mono_us, moved_us = offset_us - view->wall_offset_us;
    if (view->wall_offset_us != 0 && (moved_us > CLOCK_JUMP_US || moved_us < -CLOCK_JUMP_US))
        view->clock_jumped_mono_us = now_mono_us;
    view->wall_offset_us = offset_us;
}

/* What it did to a node is not by hand; one attached after a refusal is not attached again for it.
 */
static void note_ended(struct cluster_view *view, const struct plan_run *last)
{
    if (!decide_is_over(last) || last->ended_mono_us <= view->plan_ended_mono_us)
        return;
    view->plan_ended_mono_us = last->ended_mono_us;
    if (last->kind == PLAN_REJOIN && last->params.node < view->config->node_count &&
        cluster_may_ask_again(view, last->params.node))
        view->nodes[last->params.node].asked_again_mono_us = last->ended_mono_us;
    for (uint32_t node = 0; node < view->config->node_count; node++)
        if ((last->moved | last->attached | last->replayed) & (UINT32_C(1) << node))
            view->nodes[node].idle_life = false;
}

/* A process that began well before the plan that made another one the primary was a replica then,
 * or the primary itself: what it committed was its office. It lost no tail since either. */
static void note_born(struct cluster_view *view, int64_t now_mono_us, int64_t now_wall_us)
{
    int64_t since_us = view->record.primary_since_wall_us;
    for (uint32_t node = 0; node < view->config->node_count && since_us != 0; node++) {
        struct node_view *n = &view->nodes[node];
        if (!n->idle_life || n->facts_begun_mono_us == STAY_NEVER)
            continue;
        int64_t read_wall_us = now_wall_us - (now_mono_us - n->facts_begun_mono_us);
        int64_t born_wall_us = read_wall_us - (int64_t)n->facts.uptime_s * STAY_SECOND;
        if (born_wall_us < since_us - BORN_BEFORE_US)
            n->idle_life = false;
    }
}

/* What the primary holds of the others' own making, so that it is known when it has died. */
static bool note_written(const struct cluster_view *view, struct cluster_record *record)
{
    return view->record.adopted && view->primary != NO_NODE &&
           (view->nodes[view->primary].groups_known & FACTS_STATUS) != 0 &&
           cluster_note_written(view, view->primary, &view->nodes[view->primary].facts.executed,
                                record);
}

/* Which ackers restarted and have not caught up since, for a controller that starts after the
 * primary died: it can ask nobody what they lost. */
static bool note_restarted(const struct cluster_view *view, struct cluster_record *record)
{
    uint32_t mask = record->restarted & record->ackers;
    for (uint32_t i = 0; i < view->config->node_count; i++) {
        const struct node_view *n = &view->nodes[i];
        if (n->restarted_mono_us == STAY_NEVER && n->caught_up_mono_us == STAY_NEVER)
            continue; /* as recorded */
        mask &= ~(UINT32_C(1) << i);
        if (n->restarted_mono_us != STAY_NEVER && n->caught_up_mono_us <= n->restarted_mono_us)
            mask |= record->ackers & (UINT32_C(1) << i);
    }
    bool changed = mask != record->restarted;
    record->restarted = mask;
    return changed && record->adopted;
}

/* Under our own plan nothing is concluded, but a new acker enters A at once all the same. */
static bool watch_under_plan(const struct cluster_view *view, int64_t now_mono_us,
                             struct cluster_record *record)
{
    *record = view->record;
    if (view->primary != NO_NODE && record->lossless_stands &&
        cluster_node_fresh(view, view->primary, now_mono_us))
        record->ackers |= cluster_ackers_possible(view);
    return record->ackers != view->record.ackers;
}

/* When the last run failed, and on which node: remembered in the view, for runs come and go. Of
 * those that name no node a failover alone: it waits for no other plan's failure (a human's
 * switchover that met the primary's death), nor for its own when the old primary came back. */
static void note_failed(struct cluster_view *view, const struct plan_run *run)
{
    if (!decide_is_over(run) || run->state == RUN_SUCCEEDED)
        return;
    bool names = run->params.node < view->config->node_count;
    if (!names && (run->kind != PLAN_FAILOVER || run->stays))
        return;
    int64_t *at =
        names ? &view->nodes[run->params.node].repair_failed_mono_us : &view->repair_failed_mono_us;
    if (run->ended_mono_us > *at)
        *at = run->ended_mono_us;
}

/* What a rewind took from its node is not there any more: else the node's received set, kept so
 * that it survives its lies, would claim it for ever, and every later drain wait for it. */
static void note_rewound(struct cluster_view *view, const struct plan_run *run)
{
    if (!decide_is_over(run) || run->kind != PLAN_REWIND || run->state != RUN_SUCCEEDED ||
        run->params.node >= view->config->node_count)
        return;
    struct node_view *n = &view->nodes[run->params.node];
    gtid_set_subtract(&n->received_high, &run->extra);
    gtid_set_subtract(&n->extra, &run->extra);
    gtid_set_subtract(&n->quiet, &run->extra);
    gtid_set_subtract(&n->before, &run->extra);
    n->saved = 0;
}

bool decide_remember(struct cluster_view *view, const struct plan_run *running, int64_t now_mono_us,
                     int64_t now_wall_us, struct cluster_record *ret_record)
{
    note_clock(view, now_mono_us, now_wall_us);
    cluster_judge_births(view);
    cluster_suspicion_settle(view, now_mono_us);
    note_failed(view, running);
    note_rewound(view, running);
    bool ours =
        (decide_is_running(running) && touches_now(running)) || is_stale_after(view, running);
    if (ours) /* our own numbering and switching are no acknowledgements that stay away */
        view->watch_seen_mono_us = STAY_NEVER;
    if (is_stale_after(view, running))
        view->watch_own_base = 0;
    bool changed = ours ? watch_under_plan(view, now_mono_us, ret_record)
                        : durability_watch(view, now_mono_us, now_wall_us, ret_record);
    changed |= note_written(view, ret_record);
    note_ended(view, running);
    note_born(view, now_mono_us, now_wall_us);
    if (view->record.adopted && !decide_is_running(running) && view->record.plan_id[0] == '\0')
        changed |= cluster_watch_alone(view, ret_record) | cluster_watch_regiven(view, ret_record);
    changed |= note_restarted(view, ret_record);
    changed |= cluster_note_births(view, ret_record);
    return changed;
}
