/* controller/decide/verdict_replica.c - computes what a replica's rules match on. */
#include "base/mutant.h"
#include "controller/decide/verdict_private.h"

static enum tri tri_of(bool value)
{
    return value ? TRI_YES : TRI_NO;
}

static bool is_alive_unreadable(const struct node_view *n)
{
    return n->reach_mono_us != STAY_NEVER &&
           (n->reach.outcome == OUT_DENIED || n->reach.outcome == OUT_TOO_MANY);
}

static void judge_replication(const struct cluster_view *view, uint32_t node, int64_t now_mono_us,
                              struct replica_facts *facts)
{
    const struct server_facts *now = &view->nodes[node].facts;
    bool has_source = now->receiver != RECEIVER_NONE && now->receiver != RECEIVER_UNKNOWN;
    bool is_from_primary = cluster_source_of(view, node) == view->primary;
    enum tri receives = view->primary == NO_NODE
                            ? TRI_UNKNOWN
                            : cluster_node_receives(view, node, view->primary, now_mono_us);
    facts->no_source = tri_of(now->receiver == RECEIVER_NONE);
    facts->wrong_source = tri_of(has_source && !is_from_primary && view->primary != NO_NODE);
    facts->purged_away = tri_of(cluster_is_refused(now));
    facts->may_ask_again = tri_of(cluster_may_ask_again(view, node));
    facts->applier_waits = tri_of(now->applier == TRI_YES && now->ss_source_enabled == TRI_YES &&
                                  now->super_read_only == TRI_YES && now->ss_waiters > 0);
    facts->applier_broken = tri_of(now->applier == TRI_NO && now->applier_errno != 0);
    facts->applier_stopped =
        tri_of(has_source && now->applier == TRI_NO && now->applier_errno == 0);
    facts->receiver_stopped = tri_of(now->receiver == RECEIVER_STOPPED);
    facts->receiver_connecting = tri_of(now->receiver == RECEIVER_CONNECTING);
    facts->stream_stands = tri_of(cluster_stream_stands(view, node));
    facts->receiver_silent =
        tri_of(now->receiver == RECEIVER_RUNNING && is_from_primary && receives == TRI_NO);
    facts->disk_low = tri_of(cluster_disk_is_low(view, node));
    facts->lagging = tri_of(now->lag_s > VERDICT_LAG_S);
}

static void replica_facts(const struct cluster_view *view, uint32_t node, int64_t now_mono_us,
                          struct replica_facts *ret_facts)
{
    const struct node_view *n = &view->nodes[node];
    enum quarantine_reason quarantine = (enum quarantine_reason)view->record.quarantine[node];
    *ret_facts = (struct replica_facts){.answers = verdict_node_answers(view, node, now_mono_us)};
    ret_facts->dead = tri_of(ret_facts->answers == TRI_NO);
    ret_facts->denied = tri_of(is_alive_unreadable(n) && ret_facts->answers != TRI_NO);
    if (ret_facts->answers != TRI_YES)
        return;
    ret_facts->cloned = tri_of(cluster_is_cloned(view, node));
    ret_facts->quarantined =
        tri_of(quarantine == QUARANTINE_DIVERGED || quarantine == QUARANTINE_OPERATOR ||
               quarantine == QUARANTINE_RESEED);
    ret_facts->stale_primary = tri_of(quarantine == QUARANTINE_STALE_PRIMARY);
    ret_facts->errant = n->errant;
    ret_facts->skipped = tri_of(n->skipped && !MUTANT(view, ATTACH_WITHOUT_ROLE));
    ret_facts->primary_answers =
        tri_of(view->primary != NO_NODE &&
               verdict_node_answers(view, view->primary, now_mono_us) == TRI_YES);
    ret_facts->writable = n->facts.read_only == TRI_UNKNOWN || !cluster_facts_stand(view, node)
                              ? TRI_UNKNOWN
                              : tri_of(n->facts.read_only == TRI_NO);
    judge_replication(view, node, now_mono_us, ret_facts);
    ret_facts->misconfigured = tri_of(verdict_conformance_node(view, node, NULL, 0) > 0);
}

struct verdict verdict_judge_replica(const struct cluster_view *view, uint32_t node,
                                     int64_t now_mono_us)
{
    struct replica_facts facts;
    replica_facts(view, node, now_mono_us, &facts);
    const struct replica_rule *rule = verdict_match_replica(&facts);
    return (struct verdict){rule->id, SUBJECT_REPLICA, node, rule->action, rule->name, rule->why};
}
