/* controller/decide/plan_seen.c - what a plan reads out of what was seen: who answers, may
 * acknowledge or has restarted, and what each server adds to what must survive. */
#include "controller/decide/cluster_regiven.h"
#include "controller/decide/plan_private.h"

#define RESTART_SLACK_S 2 /* uptime is in whole seconds on both engines */

const char *plan_node_name(const struct cluster_view *view, uint32_t node)
{
    return node < view->config->node_count ? view->config->nodes[node].name : "-";
}

bool plan_zones_differ(const struct cluster_view *view, uint32_t a, uint32_t b)
{
    return a < view->config->node_count && b < view->config->node_count &&
           !cluster_same_zone(view->config, a, b);
}

bool plan_node_answers(const struct cluster_view *view, uint32_t node, int64_t within_us,
                       int64_t now_mono_us)
{
    if (node >= view->config->node_count)
        return false;
    int64_t at = view->nodes[node].query_ok_mono_us;
    return at != STAY_NEVER && now_mono_us - at <= within_us;
}

uint32_t plan_nodes_answering(const struct cluster_view *view, int64_t now_mono_us)
{
    uint32_t mask = 0;
    for (uint32_t node = 0; node < view->config->node_count; node++)
        if (plan_node_answers(view, node, PLAN_ANSWERS_US, now_mono_us))
            mask |= NODE_BIT(node);
    return mask;
}

uint32_t plan_acker_nodes(const struct cluster_view *view, uint32_t primary, int64_t now_mono_us)
{
    uint32_t mask = 0;
    uint32_t answering = plan_nodes_answering(view, now_mono_us);
    for (uint32_t node = 0; node < view->config->node_count; node++)
        if ((answering & NODE_BIT(node)) && plan_zones_differ(view, node, primary) &&
            view->record.quarantine[node] == QUARANTINE_NONE &&
            plan_holds_regiven(view, node) != TRI_YES)
            mask |= NODE_BIT(node);
    return mask;
}

bool plan_may_stop_acking(const struct cluster_view *view, uint32_t node)
{
    const struct server_facts *facts = &view->nodes[node].facts;
    uint32_t ackers = cluster_ackers_now(view, NULL);
    if (facts->ss_replica_enabled != TRI_YES && facts->ss_replica_on != TRI_YES)
        return false;
    return !(ackers & NODE_BIT(node)) || mask_count(ackers & ~NODE_BIT(node)) >= view->config->acks;
}

enum tri plan_holds_regiven(const struct cluster_view *view, uint32_t node)
{
    if (view->primary == NO_NODE)
        return TRI_NO;
    return cluster_holds_regiven(view, node, &view->nodes[node].facts.executed,
                                 &view->nodes[view->primary].facts.executed);
}

/* As seen by this controller, or by one before it that recorded it: then before all it knows. */
int64_t plan_restarted_us(const struct cluster_view *view, uint32_t node)
{
    const struct node_view *seen = &view->nodes[node];
    bool recorded = (view->record.restarted & NODE_BIT(node)) != 0;
    bool is_seen = seen->restarted_mono_us != STAY_NEVER || seen->caught_up_mono_us != STAY_NEVER;
    return is_seen || !recorded ? seen->restarted_mono_us : 0;
}

bool plan_tells_nothing(const struct cluster_view *view, uint32_t node)
{
    int64_t restarted = plan_restarted_us(view, node);
    int64_t acked_us = view->nodes[view->primary].canary_ok_mono_us;
    return restarted != STAY_NEVER && view->nodes[node].caught_up_mono_us <= restarted &&
           (acked_us == STAY_NEVER || restarted > acked_us - 2 * STAY_SECOND);
}

bool plan_restart_counts(const struct cluster_view *view, uint32_t node,
                         const struct gtid_set *executed)
{
    int64_t restarted = plan_restarted_us(view, node);
    if (restarted == STAY_NEVER || view->primary == NO_NODE)
        return false;
    const struct node_view *primary = &view->nodes[view->primary];
    if (cluster_may_have_lost_tail(view, view->primary) && plan_tells_nothing(view, node))
        return true; /* both restarted: the primary's set is no longer what was acknowledged */
    return primary->facts_begun_mono_us <= restarted ||
           !gtid_set_contains(executed, &primary->facts.executed);
}

bool plan_has_restarted(uint64_t uptime_s, uint64_t before_s, int64_t before_mono_us,
                        int64_t now_mono_us)
{
    if (now_mono_us < before_mono_us)
        return true;
    uint64_t passed = (uint64_t)((now_mono_us - before_mono_us) / STAY_SECOND);
    return uptime_s + RESTART_SLACK_S < before_s + passed;
}

bool plan_lost_by(const struct cluster_view *view, uint32_t node, const struct gtid_set *all,
                  const struct gtid_set *held)
{
    STAY_AUTO(gtid_set_drop) struct gtid_set lost = {0};
    gtid_set_copy(&lost, all);
    gtid_set_subtract(&lost, held);
    for (size_t i = 0; i < lost.n; i++)
        if (cluster_range_is_of(view, node, &lost.v[i]))
            return true;
    return false;
}

int64_t plan_born_mono_us(const struct plan_run *run, uint32_t node)
{
    bool known = node == run->old_primary || (run->f & mask_of(node)) ||
                 (run->kind == PLAN_SWITCHOVER && (run->collected & mask_of(node)));
    if (!known)
        return INT64_MAX;
    return run->freeze_mono_us[node] - (int64_t)run->freeze_uptime_s[node] * STAY_SECOND +
           RESTART_SLACK_S * STAY_SECOND;
}

bool plan_primary_restarted(const struct plan_run *run, const struct cluster_view *view)
{
    uint32_t old = run->old_primary;
    if (old == NO_NODE)
        return false;
    const struct node_view *seen = &view->nodes[old];
    return (run->restarted & NODE_BIT(old)) != 0 ||
           ((seen->groups_known & FACTS_STATUS) &&
            plan_has_restarted(seen->facts.uptime_s, run->freeze_uptime_s[old],
                               run->freeze_mono_us[old], seen->facts_mono_us));
}

bool plan_acks_flowed(const struct cluster_view *view, uint32_t primary)
{
    const struct node_view *old = &view->nodes[primary];
    return old->ss_progress_mono_us != STAY_NEVER &&
           old->facts_mono_us - old->ss_progress_mono_us <= STAY_SECOND;
}

bool plan_is_lost_soon(const struct cluster_view *view, uint32_t primary, int64_t lost_mono_us)
{
    int64_t read_us = view->nodes[primary].facts_mono_us;
    return read_us != STAY_NEVER && lost_mono_us != STAY_NEVER &&
           lost_mono_us > read_us - STAY_SECOND && lost_mono_us - read_us < PLAN_LOST_SOON_US;
}

static bool is_same_source(const struct gtid_range *a, const struct gtid_range *b)
{
    return memcmp(a->source, b->source, sizeof a->source) == 0 && strcmp(a->tag, b->tag) == 0;
}

/* What `node` wrote by hand: of its own making all but the first that an earlier or the present
 * primary was seen to hold, for its numbers go on from there. In several domains (or tags) at once
 * that cannot be told apart: nothing, rather than that an acknowledged one be given up. */
static void find_by_hand(const struct cluster_view *view, uint32_t node,
                         const struct gtid_set *executed, struct gtid_set *ret_set)
{
    bool is_twin = (view->record.twins & NODE_BIT(node)) != 0; /* the same numbers: all of it */
    uint64_t kept = is_twin ? 0 : view->record.written[node];
    const struct gtid_range *first = NULL;
    for (size_t i = 0; i < executed->n; i++) {
        struct gtid_range range = executed->v[i];
        uint64_t length = range.last - range.first + 1;
        if (!cluster_range_is_of(view, node, &range))
            continue;
        first = first == NULL ? &executed->v[i] : first;
        if (!is_twin && !is_same_source(first, &range)) {
            gtid_set_clear(ret_set);
            return;
        }
        range.first += kept < length ? kept : length;
        kept -= kept < length ? kept : length;
        if (range.first <= range.last)
            gtid_set_add_range(ret_set, executed->flavor, &range);
    }
}

void plan_contribution(const struct plan_run *run, const struct cluster_view *view, uint32_t node,
                       struct gtid_set *ret_set)
{
    const struct gtid_set *executed = &run->executed[node];
    gtid_set_copy(ret_set, executed);
    bool is_twin = (view->record.twins & NODE_BIT(node)) != 0;
    if (!is_twin && (plan_kind_has(run->kind, TRAIT_ALL_RESTARTED) ||
                     !cluster_wrote_alone(view, node, executed)))
        return; /* after a total outage all that is held counts, as it was chosen by */
    STAY_AUTO(gtid_set_drop) struct gtid_set by_hand = {0};
    find_by_hand(view, node, executed, &by_hand);
    gtid_set_subtract(ret_set, &by_hand);
}

void plan_drained_union(const struct plan_run *run, const struct cluster_view *view,
                        struct gtid_set *ret_set)
{
    for (uint32_t node = 0; node < view->config->node_count; node++) {
        STAY_AUTO(gtid_set_drop) struct gtid_set held = {0};
        if (!(run->r & run->collected & NODE_BIT(node)) ||
            (MUTANT(view, PEERS_NOT_UNITED) && node != run->candidate))
            continue;
        plan_contribution(run, view, node, &held);
        gtid_set_union(ret_set, &held);
    }
}
