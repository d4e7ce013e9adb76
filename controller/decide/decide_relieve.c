/* controller/decide/decide_relieve.c - a primary that answers and is sick: what may be done without
 * a failover. Whose acknowledgements are missing, and could be had. */
#include "controller/decide/decide_private.h"

#include "controller/decide/candidate.h"

#define MISSED_US (2 * STAY_SECOND) /* twice the time that acknowledgements take to be missed */

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
    const struct node_view *n = &view->nodes[node];
    return n->facts.ss_replica_on != TRI_YES ||
           (since_us != STAY_NEVER && now_mono_us - since_us >= MISSED_US &&
            n->advanced_mono_us - since_us >= MISSED_US / 2);
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

static bool is_tried(const struct cluster_view *view, uint64_t move, int64_t now_wall_us)
{
    const struct cluster_record *record = &view->record;
    return now_wall_us < record->relief_until_wall_us && (record->relief_tried & move) != 0;
}

/* Whom a switchover may go to, with room on its own disk; the best one first. */
static uint32_t candidate_with_room(const struct cluster_view *view, int64_t now_mono_us)
{
    struct candidate_note notes[NODES_MAX];
    size_t count = 0;
    (void)candidate_choose(view, NULL, now_mono_us, notes, &count); /* its notes: the best first */
    for (size_t i = 0; i < count; i++)
        if (notes[i].eligible && cluster_disk_has_room(view, notes[i].node))
            return notes[i].node;
    return NO_NODE;
}

const char *decide_outranked_by(const struct cluster_view *view)
{
    const char *missing = view->nodes[view->primary].facts.missing_grant;
    return strstr(missing, MISSING_RANK) == NULL ? NULL : strstr(missing, "GRANT ");
}

/* A switchover costs nothing when it cannot be done: it gives the primary back as it was. A
 * failover follows only where that was tried and the primary is the same one and still stalled; it
 * is certified like any other. */
static enum plan_kind relief_of_stalled(const struct cluster_view *view, int64_t now_mono_us,
                                        int64_t now_wall_us)
{
    enum relieve_rule rule = view->config->relieve_stalled;
    int64_t since_us = view->nodes[view->primary].canary_fail_mono_us; /* 122: there is one */
    if (rule == RELIEVE_ALERT || now_mono_us - since_us < view->config->relieve_after_us ||
        decide_outranked_by(view) != NULL)
        return PLAN_NONE;
    if (!is_tried(view, RELIEF_SWITCHED, now_wall_us))
        return PLAN_SWITCHOVER;
    bool fails_over = rule == RELIEVE_FAILOVER && !is_tried(view, RELIEF_FAILED_OVER, now_wall_us);
    return fails_over ? PLAN_FAILOVER : PLAN_NONE;
}

void decide_want_relief(const struct cluster_view *view, const struct plan_run *last,
                        int64_t now_mono_us, int64_t now_wall_us, struct decision *d)
{
    uint32_t node = NO_NODE;
    enum plan_kind kind = PLAN_NONE;
    if (d->verdict.rule_id == 122) {
        kind = relief_of_stalled(view, now_mono_us, now_wall_us);
    } else if (d->verdict.rule_id == 125 && view->config->relieve_disk == RELIEVE_SWITCHOVER &&
               !is_tried(view, RELIEF_SWITCHED, now_wall_us)) {
        node = candidate_with_room(view, now_mono_us);
        kind = node == NO_NODE ? PLAN_NONE : PLAN_SWITCHOVER;
    }
    (void)decide_want(view, last, &d->verdict, kind, node, now_mono_us, d);
}

uint32_t decide_relief_vetoes(const struct cluster_view *view, const struct plan_run *running,
                              const struct fleet *fleet, const struct decision *d,
                              int64_t now_mono_us, int64_t now_wall_us)
{
    bool relieves =
        d->want == PLAN_SWITCHOVER && (d->params.rule_id == 122 || d->params.rule_id == 125);
    return relieves
               ? guard_check(view, running, fleet, PLAN_FAILOVER, true, now_mono_us, now_wall_us)
               : 0;
}
