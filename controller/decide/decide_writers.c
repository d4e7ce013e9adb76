/* controller/decide/decide_writers.c - who accepts writes beside the primary, and whose doing that
 * is: our failover's, a server's own start-up values, or a human's. */
#include "base/mutant.h"
#include "controller/decide/decide_private.h"

/* Accepts writes and replicates from nobody: fenced first (row 131), rejoined after. */
bool decide_is_loose(const struct server_facts *facts)
{
    return facts->read_only == TRI_NO &&
           (facts->receiver == RECEIVER_NONE || facts->receiver == RECEIVER_STOPPED);
}

/* The server that accepts writes beside the primary. Its epoch must not be above the recorded one:
 * without that proof a human is asked. */
uint32_t decide_stale_writable(const struct cluster_view *view, int64_t now_mono_us)
{
    for (uint32_t i = 0; i < view->config->node_count; i++) {
        const struct server_facts *facts = &view->nodes[i].facts;
        if (i != view->primary && decide_is_loose(facts) && !MUTANT(view, STRAY_NOT_FENCED) &&
            verdict_node_answers(view, i, now_mono_us) == TRI_YES &&
            facts->canary_epoch <= view->record.epoch)
            return i;
    }
    return NO_NODE;
}

/* A replica that follows and accepts writes all the same (its own start-up values): nobody took
 * over by hand, and the primary must not be opened beside it. */
uint32_t decide_open_follower(const struct cluster_view *view, int64_t now_mono_us)
{
    for (uint32_t i = 0; i < view->config->node_count; i++) {
        const struct server_facts *facts = &view->nodes[i].facts;
        if (i != view->primary && facts->read_only == TRI_NO && !decide_is_loose(facts) &&
            view->record.quarantine[i] == QUARANTINE_NONE &&
            verdict_node_answers(view, i, now_mono_us) == TRI_YES)
            return i;
    }
    return NO_NODE;
}

/* A primary that an earlier failover of ours replaced, or a server that diverged, and that takes
 * writes again: whoever is primary now and however it fares, what clients write there is doomed. No
 * proof is wanted, the record names it. One that an operator set aside is theirs. */
bool decide_is_open_outcast(const struct cluster_view *view, uint32_t node, int64_t now_mono_us)
{
    if (node >= view->config->node_count || MUTANT(view, STRAY_NOT_FENCED))
        return false;
    uint8_t reason = view->record.quarantine[node];
    return node != view->primary && view->nodes[node].facts.read_only == TRI_NO &&
           (reason == QUARANTINE_STALE_PRIMARY || reason == QUARANTINE_DIVERGED) &&
           verdict_node_answers(view, node, now_mono_us) == TRI_YES &&
           view->nodes[node].facts.canary_epoch <= view->record.epoch;
}

/* A server that was a replica by our record takes writes and holds what the recorded primary lacks:
 * somebody took over by hand while we were not looking (the runbook says how). Closing it and
 * opening the recorded primary would abandon what clients wrote there, so a human decides. */
bool decide_is_taken_over(const struct cluster_view *view, uint32_t node)
{
    return view->record.quarantine[node] == QUARANTINE_NONE &&
           !gtid_set_contains(&view->nodes[view->primary].facts.executed,
                              &view->nodes[node].facts.executed);
}
