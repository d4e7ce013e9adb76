/* controller/decide/cluster_regiven.c - numbers that a MariaDB primary gave twice: told by where
 * its binary log began at its restart and what a replica held before that. */
#include "controller/decide/cluster_regiven.h"

#include "controller/decide/cluster_written.h"

/* Uptime is a difference of whole seconds, and counts from early in the start. */
#define BIRTH_EARLY_US (2 * STAY_SECOND)
#define BIRTH_LATE_US  STAY_SECOND

void cluster_forget_regiven(struct cluster_view *view)
{
    for (uint32_t i = 0; i < view->config->node_count; i++)
        gtid_set_clear(&view->nodes[i].before);
}

/* Before this instant the primary's present process can have sent nothing: by its uptime, or, more
 * exactly, for its port was closed then, unless something between us and it had refused. */
static int64_t silent_until(const struct node_view *primary)
{
    int64_t born = primary->facts_begun_mono_us - (int64_t)primary->facts.uptime_s * STAY_SECOND;
    int64_t closed = primary->closed_mono_us; /* STAY_NEVER: before all time */
    if (closed > born + BIRTH_LATE_US)
        closed = born + BIRTH_LATE_US;
    return closed > born - BIRTH_EARLY_US ? closed : born - BIRTH_EARLY_US;
}

/* What each replica held before that. */
static void keep_before(struct cluster_view *view)
{
    int64_t until = silent_until(&view->nodes[view->primary]);
    for (uint32_t i = 0; i < view->config->node_count; i++) {
        struct node_view *n = &view->nodes[i];
        if (i != view->primary && n->quiet_mono_us != STAY_NEVER && n->quiet_mono_us <= until)
            gtid_set_copy(&n->before, &n->quiet);
    }
    view->regiven_since_wall_us = view->record.primary_since_wall_us;
}

void cluster_note_quiet(struct cluster_view *view, uint32_t node, bool restarted, bool log_shrank)
{
    struct node_view *n = &view->nodes[node];
    if (view->config->engine == ENGINE_MYSQL)
        return; /* keeps its log */
    if (node == view->primary) {
        if (restarted || n->facts.receiver != RECEIVER_NONE)
            cluster_forget_regiven(view); /* what it lost it may have received again */
        if (restarted && log_shrank && n->facts.receiver == RECEIVER_NONE)
            keep_before(view);
        return;
    }
    if (restarted)
        gtid_set_clear(&n->before); /* may have been built anew */
    if (n->facts.receiver == RECEIVER_RUNNING ||
        (n->quiet_mono_us != STAY_NEVER && gtid_set_equal(&n->quiet, &n->facts.executed)))
        return;
    gtid_set_copy(&n->quiet, &n->facts.executed);
    n->quiet_mono_us = n->facts_mono_us;
}

/* A clone may have written itself what looks like the primary's. What another node held came to it
 * from a primary, whoever has that id as well. */
static bool has_primarys_id(const struct cluster_view *view, uint32_t node)
{
    uint64_t id = view->nodes[view->primary].facts.server_id;
    return id == 0 || ((view->nodes[node].groups_known & FACTS_STATUS) &&
                       view->nodes[node].facts.server_id == id);
}

enum tri cluster_holds_regiven(const struct cluster_view *view, uint32_t node,
                               const struct gtid_set *held, const struct gtid_set *primary_held)
{
    const struct gtid_set *before = &view->nodes[node].before;
    if (view->primary == NO_NODE || node == view->primary || before->n == 0 ||
        view->regiven_since_wall_us != view->record.primary_since_wall_us ||
        has_primarys_id(view, node))
        return TRI_NO;
    const struct node_view *primary = &view->nodes[view->primary];
    if (!(primary->groups_known & FACTS_SLOW))
        return TRI_UNKNOWN;
    for (size_t i = 0; i < before->n; i++) {
        const struct gtid_range *range = &before->v[i];
        uint64_t began = cluster_highest(&primary->facts.log_began, range, false);
        if (cluster_range_is_of(view, view->primary, range) && began != 0 && began < range->last &&
            cluster_highest(held, range, true) >= range->last &&
            cluster_highest(primary_held, range, true) >= range->last)
            return TRI_YES;
    }
    return TRI_NO;
}

bool cluster_watch_regiven(struct cluster_view *view, struct cluster_record *record)
{
    bool changed = false;
    for (uint32_t node = 0; node < view->config->node_count; node++) {
        struct node_view *n = &view->nodes[node];
        uint32_t bit = UINT32_C(1) << node;
        uint8_t reason = view->record.quarantine[node];
        bool is_theirs = reason == QUARANTINE_OPERATOR;
        if ((view->record.twins & bit) && (is_theirs || reason == QUARANTINE_DIVERGED))
            gtid_set_clear(&n->before); /* the store says it now */
        if (view->primary == NO_NODE ||
            cluster_holds_regiven(view, node, &n->facts.executed,
                                  &view->nodes[view->primary].facts.executed) != TRI_YES)
            continue;
        record->quarantine[node] = is_theirs ? reason : QUARANTINE_DIVERGED;
        record->twins |= bit;
        changed = true; /* each turn until it is stored */
    }
    return changed;
}
