/* controller/decide/decide_want.c - which plan the verdict, or a replica's verdict, asks for. */
#include "controller/decide/decide_private.h"

#include "controller/decide/cluster_regiven.h"

#define REPEAT_AFTER_US (30 * STAY_SECOND)  /* a repair that failed is not tried again at once */
#define RESEED_AFTER_US (600 * STAY_SECOND) /* nor is a copy that ended early */
#define FENCE_AFTER_US  (2 * STAY_SECOND)   /* clients write to it meanwhile: no long wait */
#define FENCE_HOLDS_US  (1500 * STAY_MS)    /* as a failover waits for its own: longer, it hangs */

/* May automation want it: not failed just now, and seen to be needed by facts asked for after the
 * last run ended. */
static bool is_due(const struct cluster_view *view, const struct plan_run *last,
                   enum plan_kind kind, uint32_t node, int64_t now_mono_us)
{
    int64_t failed =
        node == NO_NODE ? view->repair_failed_mono_us : view->nodes[node].repair_failed_mono_us;
    bool copied = kind == PLAN_RESEED && view->record.quarantine[node] == QUARANTINE_RESEED;
    int64_t wait_us = kind == PLAN_FENCE ? FENCE_AFTER_US
                      : copied           ? RESEED_AFTER_US
                                         : REPEAT_AFTER_US;
    if (failed != STAY_NEVER && now_mono_us - failed < wait_us)
        return false;
    if (node == NO_NODE)
        return true;
    int64_t ended_us = decide_is_over(last) ? last->ended_mono_us : view->plan_ended_mono_us;
    return ended_us == STAY_NEVER || view->nodes[node].facts_begun_mono_us > ended_us;
}

bool decide_want(const struct cluster_view *view, const struct plan_run *last,
                 const struct verdict *verdict, enum plan_kind kind, uint32_t node,
                 int64_t now_mono_us, struct decision *d)
{
    if (kind == PLAN_NONE || !is_due(view, last, kind, node, now_mono_us))
        return false;
    d->want = kind;
    d->params = (struct plan_params){
        .node = node,
        .donor = NO_NODE,
        .rule_id = verdict->rule_id,
        .automatic = true,
        .detected_mono_us = view->suspicion_since_mono_us,
    };
    (void)stay_copy(d->params.reason, sizeof d->params.reason, verdict->name);
    (void)stay_copy(d->params.actor, sizeof d->params.actor, "mainstay");
    return true;
}

bool decide_is_fence_overdue(const struct plan_run *running, int64_t now_mono_us)
{
    int64_t since_us = running->begun_mono_us; /* of another clock: begun long ago */
    return since_us > now_mono_us || now_mono_us - since_us >= FENCE_HOLDS_US;
}

bool decide_want_outcast_closed(const struct cluster_view *view, const struct plan_run *running,
                                int64_t now_mono_us, struct decision *d)
{
    uint32_t under_way =
        decide_is_running(running) && running->kind == PLAN_FENCE ? running->params.node : NO_NODE;
    bool stays = decide_is_open_outcast(view, under_way, now_mono_us);
    if (stays && !decide_is_fence_overdue(running, now_mono_us))
        return decide_want(view, running, &d->verdict, PLAN_FENCE, under_way, now_mono_us, d);
    for (uint32_t i = 0; i < view->config->node_count; i++)
        if (i != under_way && decide_is_open_outcast(view, i, now_mono_us) &&
            decide_want(view, running, &d->verdict, PLAN_FENCE, i, now_mono_us, d))
            return true;
    return stays && decide_want(view, running, &d->verdict, PLAN_FENCE, under_way, now_mono_us, d);
}

/* Degrade only for a primary that answers, and only when the policy says so: a verdict of stuck
 * waiters ends in it too, or the waiters would hide it. A weaker mode may be recorded already: then
 * no policy asks for acks and the primary must not wait for them. Nor does one that a human
 * configured weaker since. */
static bool is_degrade_due(const struct cluster_view *view, int64_t now_mono_us)
{
    if (view->record.mode > view->config->mode)
        return true;
    return (view->config->without_acker == WITHOUT_ACKER_DEGRADE ||
            view->record.mode != MODE_LOSSLESS) &&
           view->no_acker_since_mono_us != STAY_NEVER &&
           now_mono_us - view->no_acker_since_mono_us >= view->config->acker_loss_us;
}

static enum plan_kind plan_of_replica(enum verdict_action action)
{
    switch (action) {
    case ACT_REJOIN:
    case ACT_START_REPLICATION:
        return PLAN_REJOIN; /* compared before it is attached: it may hold more than we know */
    case ACT_REPOINT:
        return PLAN_REPOINT;
    case ACT_FENCE_STALE:
        return PLAN_FENCE;
    case ACT_QUARANTINE:
        return PLAN_QUARANTINE;
    case ACT_END_STREAM:
        return PLAN_END_STREAM;
    case ACT_NONE:
    case ACT_ALERT:
    case ACT_HOLD:
    case ACT_FAILOVER:
    case ACT_RELIEVE:
    case ACT_REPAIR_ACKERS:
    case ACT_MAKE_WRITABLE:
    case ACT_ASK:
    case ACT_MODE_RESTORE:
    case ACT_MODE_DEGRADE:
    case ACT_COUNT:
        break;
    }
    return PLAN_NONE;
}

/* Only what still receives, or may have acknowledged, is drained before its source changes; another
 * one may never drain (its relay log is gone, its old source lacks it). */
static bool must_drain(const struct cluster_view *view, uint32_t node)
{
    return view->nodes[node].facts.receiver == RECEIVER_RUNNING ||
           (view->record.ackers & (UINT32_C(1) << node)) != 0;
}

/* Set aside as the last acker, it went on acknowledging; now the others are enough. */
static bool is_acker_too_many(const struct cluster_view *view, uint32_t node)
{
    uint32_t ackers = cluster_ackers_now(view, NULL), self = UINT32_C(1) << node;
    return view->record.quarantine[node] == QUARANTINE_DIVERGED && (ackers & self) &&
           (uint32_t)__builtin_popcount(ackers & ~self) >= view->config->acks;
}

/* One that clients may write to: whatever else is to be put right can wait. */
static bool want_replica_closed(const struct cluster_view *view, const struct plan_run *last,
                                int64_t now_mono_us, struct decision *d)
{
    for (uint32_t i = 0; i < view->config->node_count; i++) {
        if (i == view->primary || view->nodes[i].facts.read_only != TRI_NO ||
            decide_is_loose(&view->nodes[i].facts))
            continue;
        struct verdict verdict = verdict_judge_replica(view, i, now_mono_us);
        if (verdict.action == ACT_FENCE_STALE &&
            decide_want(view, last, &verdict, PLAN_FENCE, i, now_mono_us, d))
            return true;
    }
    return false;
}

/* The first replica that a plan would put right. */
static void want_replica_repair(const struct cluster_view *view, const struct plan_run *last,
                                int64_t now_mono_us, struct decision *d)
{
    if (want_replica_closed(view, last, now_mono_us, d))
        return;
    for (uint32_t i = 0; i < view->config->node_count; i++) {
        if (i == view->primary || decide_is_loose(&view->nodes[i].facts) ||
            cluster_holds_regiven(view, i, &view->nodes[i].facts.executed,
                                  &view->nodes[view->primary].facts.executed) == TRI_UNKNOWN)
            continue;
        struct verdict verdict = verdict_judge_replica(view, i, now_mono_us);
        enum plan_kind kind = plan_of_replica(verdict.action);
        if (kind == PLAN_REPOINT && !must_drain(view, i))
            kind = PLAN_REJOIN;
        if (verdict.action == ACT_START_REPLICATION &&
            (verdict.rule_id == 217 || view->nodes[i].facts.receiver != RECEIVER_STOPPED))
            kind = PLAN_START_APPLIER; /* its receiver goes on: it may be the only acker */
        if (verdict.rule_id == 208 && is_acker_too_many(view, i))
            kind = PLAN_QUARANTINE;
        if (decide_want(view, last, &verdict, kind, i, now_mono_us, d))
            return;
    }
}

/* The end of the ladder: a server that nothing else brings back gets another's data, where the
 * operator allows that. */
static void want_reseed(const struct cluster_view *view, const struct plan_run *last,
                        int64_t now_mono_us, struct decision *d)
{
    for (uint32_t i = 0; view->config->reseed_automatic && i < view->config->node_count; i++) {
        if (i == view->primary || d->want != PLAN_NONE)
            continue;
        struct verdict verdict = verdict_judge_replica(view, i, now_mono_us);
        bool is_lost = verdict.rule_id == 203 || verdict.rule_id == 208 || verdict.rule_id == 209;
        if (is_lost && plan_may_reseed_alone(view, i, now_mono_us))
            (void)decide_want(view, last, &verdict, PLAN_RESEED, i, now_mono_us, d);
    }
}

/* The plan that the cluster's verdict asks for; false when it asks for none (or not yet). */
static bool want_for_verdict(const struct cluster_view *view, const struct plan_run *last,
                             int64_t now_mono_us, struct decision *d)
{
    const struct verdict *v = &d->verdict;
    uint32_t node = view->primary;
    enum plan_kind kind = PLAN_NONE;
    switch (v->action) {
    case ACT_FAILOVER:
        kind = PLAN_FAILOVER;
        node = NO_NODE;
        break;
    case ACT_MAKE_WRITABLE:
        kind = PLAN_MAKE_WRITABLE;
        if (decide_stale_writable(view, now_mono_us) !=
            NO_NODE) { /* the other one is closed first */
            node = decide_stale_writable(view, now_mono_us);
            if (decide_is_taken_over(view, node)) { /* named, and vetoed by taken-over */
                node = view->primary;
                break;
            }
            kind = PLAN_FENCE;
        } else if (decide_open_follower(view, now_mono_us) != NO_NODE) {
            node = decide_open_follower(view, now_mono_us);
            kind = PLAN_FENCE;
        }
        break;
    case ACT_FENCE_STALE:
        node = decide_stale_writable(view, now_mono_us);
        kind = node != NO_NODE ? PLAN_FENCE : PLAN_NONE;
        break;
    case ACT_REPAIR_ACKERS:
    case ACT_RELIEVE:
    case ACT_MODE_DEGRADE:
        if (is_degrade_due(view, now_mono_us)) {
            kind = PLAN_MODE_DEGRADE;
        } else if (v->action == ACT_REPAIR_ACKERS) {
            node = decide_acker_to_repair(view, last, now_mono_us);
            kind = node == NO_NODE ? PLAN_NONE : PLAN_REPAIR_ACKER;
        }
        break;
    case ACT_MODE_RESTORE:
        kind = PLAN_MODE_RESTORE;
        break;
    case ACT_NONE:
    case ACT_ALERT:
    case ACT_HOLD:
    case ACT_REJOIN:
    case ACT_ASK:
    case ACT_REPOINT:
    case ACT_START_REPLICATION:
    case ACT_QUARANTINE:
    case ACT_END_STREAM:
    case ACT_COUNT:
        break;
    }
    return decide_want(view, last, v, kind, node, now_mono_us, d);
}

/* Is the primary well enough for a replica to be put right? */
static bool may_repair(const struct cluster_view *view, const struct decision *d,
                       int64_t now_mono_us)
{
    return d->verdict.action != ACT_FAILOVER && !d->suspicion &&
           d->verdict.subject == SUBJECT_PRIMARY && view->primary != NO_NODE &&
           verdict_node_answers(view, view->primary, now_mono_us) == TRI_YES &&
           !cluster_may_have_lost_tail(view, view->primary);
}

void decide_want_plan(const struct cluster_view *view, const struct plan_run *last,
                      int64_t now_mono_us, struct decision *d)
{
    bool repairs = may_repair(view, d, now_mono_us);
    if (d->verdict.action == ACT_MODE_RESTORE && repairs)
        want_replica_repair(view, last, now_mono_us, d);
    if (d->want == PLAN_NONE && !want_for_verdict(view, last, now_mono_us, d) && repairs)
        want_replica_repair(view, last, now_mono_us, d);
    if (d->want == PLAN_NONE && d->verdict.action == ACT_RELIEVE && repairs)
        decide_want_relief(view, last, now_mono_us, now_mono_us + view->wall_offset_us, d);
    if (d->want == PLAN_NONE && repairs)
        want_reseed(view, last, now_mono_us, d);
}

void decide_want_instead_of_failover(const struct cluster_view *view, const struct plan_run *last,
                                     int64_t now_mono_us, struct decision *d)
{
    d->want = PLAN_NONE;
    want_replica_repair(view, last, now_mono_us, d);
    if (d->want == PLAN_NONE)
        (void)decide_want(view, last, &d->verdict, PLAN_MAKE_WRITABLE, view->primary, now_mono_us,
                          d);
}
