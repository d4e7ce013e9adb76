/* controller/decide/verdict.c - computes what the primary's rules match on, and judges a
 * cluster. */
#include "controller/decide/decide.h"
#include "controller/decide/verdict_private.h"
#include "base/mutant.h"

static enum tri tri_of(bool value)
{
    return value ? TRI_YES : TRI_NO;
}

/* A failure counts while attempts still end: one that nobody repeated is no evidence of now. */
static bool is_tried_lately(const struct cluster_view *view, const struct node_view *node,
                            int64_t now_mono_us)
{
    return node->reach_mono_us != STAY_NEVER &&
           now_mono_us - node->reach_mono_us <=
               view->config->probe_interval_us + view->config->layer_deadline_us;
}

/* Two refusals far enough apart, up to date and unanswered since. */
static bool is_refused(const struct cluster_view *view, uint32_t node, int64_t now_mono_us)
{
    const struct node_view *n = &view->nodes[node];
    return n->refused_first_mono_us != STAY_NEVER &&
           n->refused_last_mono_us - n->refused_first_mono_us >= view->config->refusal_gap_us &&
           is_tried_lately(view, n, now_mono_us);
}

/* Silence past its bound, up to date and unanswered since. */
static bool is_silent(const struct cluster_view *view, uint32_t node, int64_t now_mono_us)
{
    const struct node_view *n = &view->nodes[node];
    return n->silent_since_mono_us != STAY_NEVER &&
           now_mono_us - n->silent_since_mono_us >= view->config->silence_us &&
           is_tried_lately(view, n, now_mono_us);
}

enum tri verdict_node_answers(const struct cluster_view *view, uint32_t node, int64_t now_mono_us)
{
    const struct node_view *n = &view->nodes[node];
    if (is_refused(view, node, now_mono_us) || is_silent(view, node, now_mono_us))
        return TRI_NO;
    bool is_failing = n->refused_first_mono_us != STAY_NEVER ||
                      n->silent_since_mono_us != STAY_NEVER ||
                      n->session_end_mono_us > n->query_ok_mono_us;
    return cluster_node_fresh(view, node, now_mono_us) && !is_failing ? TRI_YES : TRI_UNKNOWN;
}

static bool last_outcome(const struct cluster_view *view, uint32_t node, enum obs_outcome outcome,
                         int64_t now_mono_us)
{
    const struct node_view *n = &view->nodes[node];
    return n->reach.outcome == outcome && is_tried_lately(view, n, now_mono_us);
}

/* Client error numbers that mean "no connection to the source", as a receiver that gave up
 * shows. */
static bool is_connection_error(int64_t error)
{
    return (error >= 2001 && error <= 2006) || error == 2013 || error == 2026 || error == 2055;
}

/* A replica's word that the primary no longer sends: its connection is lost or silent. A
 * receiver that a human stopped, or that replicates from elsewhere, says nothing about the
 * primary. */
static bool is_witness(const struct cluster_view *view, uint32_t node)
{
    const struct server_facts *facts = &view->nodes[node].facts;
    if (cluster_source_of(view, node) != view->primary)
        return false;
    switch (facts->receiver) {
    case RECEIVER_CONNECTING:
    case RECEIVER_RUNNING:
        return true;
    case RECEIVER_STOPPED:
        return is_connection_error(facts->receiver_errno);
    case RECEIVER_UNKNOWN:
    case RECEIVER_NONE:
    case RECEIVER_COUNT:
        break;
    }
    return false;
}

/* What replicas say of the primary. A word asked for before suspicion began is not about it. */
static void judge_replicas(const struct cluster_view *view, int64_t now_mono_us,
                           struct primary_facts *facts)
{
    uint32_t receiving = 0, silent = 0, unclear = 0;
    for (uint32_t i = 0; i < view->config->node_count; i++) {
        const struct node_view *n = &view->nodes[i];
        if (i == view->primary)
            continue;
        bool is_stale = n->facts_begun_mono_us < view->suspicion_since_mono_us ||
                        verdict_node_answers(view, i, now_mono_us) != TRI_YES;
        if (is_stale && !MUTANT(view, STALE_VOTE))
            continue;
        switch (cluster_node_receives(view, i, view->primary, now_mono_us)) {
        case TRI_YES:
            receiving += !MUTANT(view, REPLICAS_NOT_ASKED);
            silent += MUTANT(view, REPLICAS_NOT_ASKED);
            break;
        case TRI_NO:
            silent += is_witness(view, i);
            break;
        case TRI_UNKNOWN:
            unclear++;
            break;
        }
    }
    facts->replicas_receive = receiving > 0 ? TRI_YES : unclear > 0 ? TRI_UNKNOWN : TRI_NO;
    facts->replicas_silent = tri_of(receiving == 0 && unclear == 0 && silent > 0);
}

static enum tri other_writable(const struct cluster_view *view, int64_t now_mono_us)
{
    for (uint32_t i = 0; i < view->config->node_count; i++) {
        const struct server_facts *facts = &view->nodes[i].facts;
        bool is_free = facts->receiver == RECEIVER_NONE || facts->receiver == RECEIVER_STOPPED;
        if (i != view->primary && verdict_node_answers(view, i, now_mono_us) == TRI_YES &&
            cluster_facts_stand(view, i) && facts->read_only == TRI_NO && is_free)
            return TRI_YES;
    }
    return TRI_NO;
}

/* An acker that could make a stronger mode stand: outside the zone, fresh, receiving. */
static bool has_eligible_acker(const struct cluster_view *view, int64_t now_mono_us)
{
    uint32_t eligible = 0;
    for (uint32_t i = 0; i < view->config->node_count; i++) {
        eligible += i != view->primary && !cluster_same_zone(view->config, i, view->primary) &&
                    view->record.quarantine[i] == QUARANTINE_NONE &&
                    view->nodes[i].errant != TRI_YES &&
                    cluster_node_receives(view, i, view->primary, now_mono_us) == TRI_YES;
    }
    return eligible > 0 && eligible >= view->config->acks;
}

/* A replica that answers and may be promoted holds the primary's own transactions that it lost in a
 * restart (reliability-security 0.3). */
static bool has_lost_tail(const struct cluster_view *view, int64_t now_mono_us)
{
    for (uint32_t i = 0; i < view->config->node_count; i++) {
        if (i != view->primary && view->nodes[i].holds_lost &&
            view->record.quarantine[i] == QUARANTINE_NONE &&
            verdict_node_answers(view, i, now_mono_us) == TRI_YES)
            return true;
    }
    return false;
}

/* Facts that are read from the primary itself: only while it answers. */
static void judge_answering(const struct cluster_view *view, int64_t now_mono_us,
                            struct primary_facts *facts)
{
    const struct cluster_config *config = view->config;
    const struct node_view *primary = &view->nodes[view->primary];
    const struct server_facts *now = &primary->facts;
    /* offline_mode: what a fence leaves that reached a frozen MySQL server late */
    bool is_closed = now->read_only == TRI_YES || now->super_read_only == TRI_YES ||
                     now->offline_mode == TRI_YES;
    facts->read_only = !cluster_facts_stand(view, view->primary) ? TRI_UNKNOWN
                       : is_closed                               ? TRI_YES
                                                                 : now->read_only;
    facts->lost_tail = tri_of(facts->read_only == TRI_YES && has_lost_tail(view, now_mono_us));
    facts->restarted =
        tri_of(facts->read_only == TRI_YES && primary->restarted_mono_us != STAY_NEVER &&
               primary->writable_mono_us < primary->restarted_mono_us);
    facts->canary_fails = tri_of(primary->canary_fail_mono_us != STAY_NEVER &&
                                 now_mono_us - primary->canary_fail_mono_us >= config->silence_us);
    bool no_acker = view->no_acker_since_mono_us != STAY_NEVER;
    facts->waiters_stuck = tri_of(now->ss_waiters > 0 && no_acker);
    facts->disk_low = tri_of(cluster_disk_is_low(view, view->primary));
    facts->acker_missing =
        tri_of(no_acker && now_mono_us - view->no_acker_since_mono_us >= config->acker_loss_us);
    facts->mode_above = tri_of(view->record.adopted && view->record.mode > config->mode);
    facts->mode_below =
        tri_of(view->record.mode < config->mode &&
               (config->mode != MODE_LOSSLESS || has_eligible_acker(view, now_mono_us)));
}

/* Every place taken is said by those who are let in (a session held, a reserved place), or by the
 * refusal. Slow answers are answers. */
static bool is_saturated(const struct cluster_view *view, int64_t now_mono_us)
{
    const struct node_view *n = &view->nodes[view->primary];
    bool is_full = n->facts.max_connections > 0 && n->facts.connections >= n->facts.max_connections;
    bool is_slow = n->slow_since_mono_us != STAY_NEVER &&
                   now_mono_us - n->slow_since_mono_us >= view->config->silence_us;
    return last_outcome(view, view->primary, OUT_TOO_MANY, now_mono_us) ||
           (verdict_node_answers(view, view->primary, now_mono_us) == TRI_YES &&
            (is_full || is_slow));
}

void verdict_primary_facts(const struct cluster_view *view, int64_t now_mono_us,
                           struct primary_facts *ret_facts)
{
    *ret_facts = (struct primary_facts){0};
    uint32_t primary = view->primary;
    ret_facts->known = tri_of(primary != NO_NODE);
    if (primary == NO_NODE)
        return;
    const struct reach *reach = &view->nodes[primary].reach;
    ret_facts->answers = verdict_node_answers(view, primary, now_mono_us);
    ret_facts->refused = tri_of(is_refused(view, primary, now_mono_us));
    ret_facts->silent = tri_of(is_silent(view, primary, now_mono_us));
    ret_facts->hung = tri_of(ret_facts->silent == TRI_YES && ret_facts->refused == TRI_NO &&
                             reach->layer > LAYER_CONNECT);
    ret_facts->denied = tri_of(last_outcome(view, primary, OUT_DENIED, now_mono_us));
    ret_facts->too_many = tri_of(last_outcome(view, primary, OUT_TOO_MANY, now_mono_us));
    ret_facts->saturated = tri_of(is_saturated(view, now_mono_us));
    judge_replicas(view, now_mono_us, ret_facts);
    ret_facts->outage = plan_is_outage(view, now_mono_us);
    ret_facts->other_writable = other_writable(view, now_mono_us);
    if (ret_facts->answers == TRI_YES)
        judge_answering(view, now_mono_us, ret_facts);
    else
        ret_facts->waiters_stuck = tri_of(durability_is_blocked(view));
}

/* Attempts on every node ended, and neither an answer nor a refusal came of late: it is us. */
static bool sees_nothing(const struct cluster_view *view, int64_t now_mono_us)
{
    for (uint32_t i = 0; i < view->config->node_count; i++) {
        const struct node_view *n = &view->nodes[i];
        if (!is_silent(view, i, now_mono_us) || n->refused_first_mono_us != STAY_NEVER)
            return false;
    }
    return view->config->node_count > 0;
}

struct verdict verdict_judge(const struct cluster_view *view, int64_t now_mono_us)
{
    bool is_held = !MUTANT(view, HOLD_IGNORED) && view->hold_until_mono_us != STAY_NEVER &&
                   now_mono_us < view->hold_until_mono_us;
    if (view->isolated || !view->store_ok || is_held || sees_nothing(view, now_mono_us)) {
        const struct verdict_row *r = verdict_controller_rule();
        return (struct verdict){r->id, SUBJECT_CONTROLLER, NO_NODE, r->action, r->name, r->why};
    }
    struct primary_facts facts;
    verdict_primary_facts(view, now_mono_us, &facts);
    const struct primary_rule *rule = verdict_match_primary(&facts);
    return (struct verdict){rule->id,     SUBJECT_PRIMARY, view->primary,
                            rule->action, rule->name,      rule->why};
}
