/* controller/decide/decide_schedule.c - switchovers that a human ordered and that begin by
 * themselves. For a time of day: at that time it is judged like one ordered then; within its window
 * it waits for what stands against it, and after it, it is missed: never done late. Out of a zone
 * that is evacuated: when it is the cluster's turn, once an order. */
#include "controller/decide/decide_private.h"
#include "controller/decide/plan_private.h"

bool decide_schedule_is_missed(const struct cluster_view *view, int64_t now_mono_us,
                               int64_t now_wall_us)
{
    bool holds = now_mono_us < view->hold_until_mono_us; /* STAY_NEVER: before all time */
    return view->record.switch_at_wall_us != 0 && !holds && view->store_ok &&
           !MUTANT(view, SCHEDULE_LATE) &&
           now_wall_us - view->record.switch_at_wall_us > SCHEDULE_WINDOW_US;
}

/* Something else comes first, or the cluster is not well. */
bool decide_may_switch(const struct cluster_view *view, const struct decision *d)
{
    return d->want == PLAN_NONE && !d->suspicion && d->verdict.subject == SUBJECT_PRIMARY &&
           view->primary != NO_NODE &&
           (d->verdict.action == ACT_NONE || d->verdict.action == ACT_ALERT);
}

void decide_want_scheduled(const struct cluster_view *view, int64_t now_mono_us,
                           int64_t now_wall_us, struct decision *d)
{
    const struct cluster_record *record = &view->record;
    if (record->switch_at_wall_us == 0 || now_wall_us < record->switch_at_wall_us)
        return;
    if (decide_schedule_is_missed(view, now_mono_us, now_wall_us)) {
        if (!d->record_changed)
            d->record = *record;
        d->record_changed = true;
        d->record.switch_missed_wall_us = record->switch_at_wall_us;
        d->record.switch_at_wall_us = 0;
        return;
    }
    uint32_t to = NO_NODE;
    if (record->switch_to[0] != '\0')
        to = cluster_node_by_name(view->config, record->switch_to);
    bool is_gone = record->switch_to[0] != '\0' && to == NO_NODE; /* never to another one instead */
    if (is_gone || !decide_may_switch(view, d))
        return;
    d->want = PLAN_SWITCHOVER;
    d->params = (struct plan_params){.node = to, .automatic = true, .detected_mono_us = STAY_NEVER};
    (void)stay_copy(d->params.actor, sizeof d->params.actor, record->switch_by);
    (void)stay_copy(d->params.reason, sizeof d->params.reason, "scheduled");
}

void decide_want_evacuated(const struct cluster_view *view, const struct fleet *fleet,
                           int64_t now_wall_us, struct decision *d)
{
    int64_t order = fleet == NULL ? 0 : fleet->evacuation_wall_us;
    int64_t again_us = view->record.evacuation_again_wall_us;
    bool is_new = view->record.evacuated_wall_us != order;
    bool may = is_new || (again_us != 0 && now_wall_us >= again_us);
    if (order == 0 || view->primary == NO_NODE || !(view->evacuated & NODE_BIT(view->primary)) ||
        !may || !decide_may_switch(view, d))
        return;
    d->want = PLAN_SWITCHOVER;
    d->params = (struct plan_params){.node = NO_NODE,
                                     .automatic = true,
                                     .detected_mono_us = STAY_NEVER,
                                     .evacuation_wall_us = order};
}
