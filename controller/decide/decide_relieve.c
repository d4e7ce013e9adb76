/* controller/decide/decide_relieve.c - a primary that answers and is sick: what may be done without
 * a failover. Whose acknowledgements are missing, and could be had. */
#include "controller/decide/decide_private.h"

/* It receives from the primary, from another zone, and executes what it receives. */
static bool may_acknowledge(const struct cluster_view *view, uint32_t node, int64_t now_mono_us)
{
    const struct node_view *n = &view->nodes[node];
    return node != view->primary && !cluster_same_zone(view->config, node, view->primary) &&
           view->record.quarantine[node] == QUARANTINE_NONE && n->errant != TRI_YES &&
           cluster_facts_stand(view, node) && n->facts.applier == TRI_YES &&
           cluster_node_receives(view, node, view->primary, now_mono_us) == TRI_YES;
}

/* Without the role it acknowledges nothing. With it: it was sent all there is (heartbeats come, and
 * they come only then), and for twice the time that acknowledgements take to be missed they have
 * not. Measured on both engines: what was received before the role was on, or whose acknowledgement
 * was lost with its connection, is never acknowledged over a connection by GTID. */
static bool is_needed(const struct cluster_view *view, uint32_t node, int64_t now_mono_us)
{
    int64_t since_us = view->no_acker_since_mono_us;
    return view->nodes[node].facts.ss_replica_on != TRI_YES ||
           (since_us != STAY_NEVER && now_mono_us - since_us >= 2 * STAY_SECOND);
}

uint32_t decide_acker_to_repair(const struct cluster_view *view, const struct plan_run *last,
                                int64_t now_mono_us)
{
    bool repaired = decide_is_over(last) && last->kind == PLAN_REPAIR_ACKER;
    uint32_t count = view->config->node_count, first = repaired ? last->params.node + 1 : 0;
    if (view->record.mode != MODE_LOSSLESS)
        return NO_NODE;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t node = (first + i) % count;
        if (may_acknowledge(view, node, now_mono_us) && is_needed(view, node, now_mono_us))
            return node;
    }
    return NO_NODE;
}
