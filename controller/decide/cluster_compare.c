/* controller/decide/cluster_compare.c - compares what a server said it holds with what the primary
 * said: who holds more, who has caught up since its restart, up to when each held everything. */
#include "controller/decide/cluster_compare.h"
#include "controller/decide/cluster_written.h"

/* Was this transaction that the node holds, and the primary lacks, the primary's once? */
static bool is_lost(const struct cluster_view *view, const struct node_view *node,
                    const struct gtid_range *range)
{
    return cluster_range_is_of(view, view->primary, range) ||
           cluster_was_held(view, (uint32_t)(node - view->nodes), range,
                            &view->nodes[view->primary].facts.executed);
}

/* Names what the node holds beyond the primary. Written by the primary itself, or held by it
 * before, it was lost in a restart (MariaDB truncates its tail) and the node, right to have it, may
 * be the only one; any other is errant. */
static void name_extra(const struct cluster_view *view, struct node_view *node)
{
    node->errant = TRI_NO;
    node->holds_lost = false;
    node->extra_mono_us = STAY_NEVER;
    for (size_t i = 0; i < node->extra.n; i++) {
        if (is_lost(view, node, &node->extra.v[i]))
            node->holds_lost = true;
        else
            node->errant = TRI_YES;
    }
}

/* Keeps what the node holds beyond the primary's present word: nothing to conclude from yet, for
 * that word may be older than the node's. */
static void keep_extra(const struct cluster_view *view, struct node_view *node)
{
    const struct gtid_set *primary = &view->nodes[view->primary].facts.executed;
    gtid_set_copy(&node->extra, &node->facts.executed);
    gtid_set_subtract(&node->extra, primary);
    node->extra_mono_us = node->facts_mono_us;
}

/* A primary position whose question began after the replica's answer tells whether the replica
 * holds more: one read before it would call each replica of a busy primary errant. Both are
 * asked at the same instants, so what an earlier answer of the replica held is kept until then. */
static void compare_with_primary(struct cluster_view *view)
{
    const struct node_view *primary = &view->nodes[view->primary];
    for (uint32_t i = 0; i < view->config->node_count; i++) {
        struct node_view *n = &view->nodes[i];
        if (i == view->primary || n->facts_mono_us == STAY_NEVER)
            continue;
        cluster_look_skipped(view, i);
        bool is_kept = n->extra_mono_us != STAY_NEVER;
        if (n->facts_mono_us <= primary->facts_begun_mono_us) {
            keep_extra(view, n);
            name_extra(view, n);
            continue;
        }
        if (is_kept && n->extra_mono_us <= primary->facts_begun_mono_us) {
            gtid_set_subtract(&n->extra, &primary->facts.executed);
            name_extra(view, n);
            is_kept = false;
        }
        if (!is_kept)
            keep_extra(view, n);
    }
}

/* A primary that fails will not be read later. Then what neither it nor its last word as a writable
 * server knows is errant at once; its own transactions may have come after that word. */
static void judge_without_primary(const struct cluster_view *view, struct node_view *node)
{
    for (size_t i = 0; i < node->extra.n; i++) {
        if (!is_lost(view, node, &node->extra.v[i]))
            node->errant = TRI_YES;
    }
}

/* Accepted again, or its primary lacks what it holds: a later refusal is another one. */
static void note_refusal(const struct cluster_view *view, struct node_view *node)
{
    if (!cluster_is_refused(&node->facts) ||
        !gtid_set_contains(&view->nodes[view->primary].facts.executed, &node->facts.executed))
        node->asked_again_mono_us = STAY_NEVER;
}

static void note_replica_facts(struct cluster_view *view, struct node_view *node)
{
    note_refusal(view, node);
    cluster_look_skipped(view, (uint32_t)(node - view->nodes));
    const struct node_view *primary = &view->nodes[view->primary];
    bool fails =
        primary->refused_first_mono_us != STAY_NEVER || primary->silent_since_mono_us != STAY_NEVER;
    bool is_waiting = node->extra_mono_us != STAY_NEVER && !fails;
    if (is_waiting || primary->facts_mono_us == STAY_NEVER ||
        gtid_set_contains(&primary->facts.executed, &node->facts.executed))
        return;
    keep_extra(view, node);
    if (fails && primary->facts.read_only == TRI_NO)
        judge_without_primary(view, node);
}

static void note_primary_facts(struct cluster_view *view)
{
    struct node_view *primary = &view->nodes[view->primary];
    compare_with_primary(view);
    uint32_t ackers = cluster_ackers_then(view);
    view->ackers_seen |= cluster_ackers_possible(view);
    for (uint32_t i = 0; i < view->config->node_count; i++) {
        if (ackers & (UINT32_C(1) << i))
            view->nodes[i].acker_seen_mono_us = primary->facts_mono_us;
    }
}

/* What it executed holds a primary's set asked for after its restart: nothing that it acknowledged
 * before can be missing, unless the primary itself may have lost of it. What the process before
 * received beyond that is no debt any more: a tail that the restart truncated, or a data directory
 * that was built anew. Owed for ever, no drain of it would end. */
static void note_caught_up(struct cluster_view *view)
{
    const struct node_view *primary = &view->nodes[view->primary];
    if (primary->facts_mono_us == STAY_NEVER || cluster_may_have_lost_tail(view, view->primary))
        return;
    for (uint32_t i = 0; i < view->config->node_count; i++) {
        struct node_view *n = &view->nodes[i];
        bool is_open = n->restarted_mono_us == STAY_NEVER
                           ? n->caught_up_mono_us == STAY_NEVER
                           : n->caught_up_mono_us <= n->restarted_mono_us;
        if (i == view->primary || !is_open || n->facts_mono_us == STAY_NEVER ||
            primary->facts_begun_mono_us <= n->restarted_mono_us)
            continue;
        if (n->goal_mono_us <= n->restarted_mono_us) { /* under load it never holds the latest */
            gtid_set_copy(&n->goal, &primary->facts.executed);
            n->goal_mono_us = primary->facts_begun_mono_us;
        }
        if (!gtid_set_contains(&n->facts.executed, &n->goal))
            continue;
        cluster_later(&n->caught_up_mono_us, n->goal_mono_us);
        if (n->restarted_mono_us != STAY_NEVER)
            gtid_set_copy(&n->received_high, &n->facts.received);
    }
}

/* Up to when does the node hold everything that the primary had? Told by what was read of both, not
 * by any wall clock. */
static void note_held(struct cluster_view *view, uint32_t node)
{
    const struct node_view *primary = &view->nodes[view->primary];
    bool is_all = node == view->primary;
    if (primary->facts_mono_us == STAY_NEVER || cluster_may_have_lost_tail(view, view->primary))
        return;
    for (uint32_t i = 0; i < view->config->node_count; i++) {
        struct node_view *n = &view->nodes[i];
        if ((is_all || i == node) && i != view->primary && n->facts_mono_us != STAY_NEVER &&
            gtid_set_contains(&n->facts.executed, &primary->facts.executed))
            cluster_later(&n->held_mono_us, primary->facts_begun_mono_us);
    }
}

void cluster_compare(struct cluster_view *view, uint32_t node)
{
    if (view->primary == NO_NODE)
        return;
    if (node == view->primary)
        note_primary_facts(view);
    else
        note_replica_facts(view, &view->nodes[node]);
    note_caught_up(view);
    note_held(view, node);
}
