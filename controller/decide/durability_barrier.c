/* controller/decide/durability_barrier.c - the barrier, in three looks at the primary: one that
 * shows semi-sync whole arms it; the executed set of a later question is captured; k ackers that
 * hold that set pass it. The same walk lets a node that went away leave A. */
#include "controller/decide/durability_private.h"

void durability_barrier_drop(struct cluster_view *view)
{
    view->barrier_mono_us = STAY_NEVER;
    view->barrier_captured = false;
    view->barrier_ackers = 0;
    view->barrier_leavers = 0;
}

void durability_barrier_arm(struct cluster_view *view, uint32_t leavers)
{
    const struct node_view *primary = &view->nodes[view->primary];
    durability_barrier_drop(view);
    view->barrier_mono_us = primary->facts_mono_us;
    view->barrier_no_tx = primary->facts.ss_no_tx;
    view->barrier_no_times = primary->facts.ss_no_times;
    view->barrier_leavers = leavers;
}

/* One of cluster_ackers_now: its receiver runs, so what it received stays with it. executed and
 * received together: after a promotion neither need contain the other. */
static bool holds_barrier(const struct cluster_view *view, uint32_t node)
{
    const struct node_view *n = &view->nodes[node];
    if (gtid_set_contains(&n->facts.executed, &view->barrier))
        return true;
    STAY_AUTO(gtid_set_drop) struct gtid_set held = {0};
    gtid_set_copy(&held, &n->facts.executed);
    gtid_set_union(&held, &n->facts.received);
    return gtid_set_contains(&held, &view->barrier);
}

bool durability_barrier_step(struct cluster_view *view, uint32_t possible)
{
    const struct node_view *primary = &view->nodes[view->primary];
    bool moved = primary->facts.ss_no_tx != view->barrier_no_tx ||
                 primary->facts.ss_no_times != view->barrier_no_times ||
                 primary->restarted_mono_us > view->barrier_mono_us;
    bool came_back = (possible & view->barrier_leavers) != 0;
    if (moved || came_back) {
        durability_barrier_drop(view);
        return false;
    }
    view->barrier_ackers |= possible;
    if (!view->barrier_captured) {
        if (primary->facts_begun_mono_us < view->barrier_mono_us)
            return false; /* read before semi-sync was seen whole */
        gtid_set_copy(&view->barrier, &primary->facts.executed);
        view->barrier_captured = true;
    }
    uint32_t ackers = cluster_ackers_now(view, NULL), holders = 0;
    for (uint32_t i = 0; i < view->config->node_count; i++) {
        if ((ackers & node_bit(i)) && holds_barrier(view, i))
            holders |= node_bit(i);
    }
    return mask_size(holders) >= view->config->acks && holders != 0;
}
