/* controller/decide/plan_targets.c - which nodes a row touches: none, where this run does not need
 * it. */
#include "controller/decide/plan_private.h"

/* F0 needs every member of A asked, even one whose last probes failed: it may be well again. */
static uint32_t freeze_targets(const struct plan_run *run, const struct cluster_view *view,
                               int64_t now_mono_us)
{
    uint32_t nodes = plan_nodes_answering(view, now_mono_us) | run->f;
    return nodes & ~mask_of(run->old_primary) & ~plan_gone(run);
}

static uint32_t ackers_to_attach(const struct plan_run *run, const struct cluster_view *view,
                                 int64_t now_mono_us)
{
    if (!run->aims_lossless || run->degrade)
        return 0;
    if (plan_replaces(run->kind))
        return candidate_ackers(view, run, run->candidate);
    return plan_acker_nodes(view, run->candidate, now_mono_us) & ~mask_of(run->candidate);
}

/* Everybody else who may follow: never one that holds what the new primary lacks, never a member of
 * A that has not drained. */
static uint32_t rest_targets(const struct plan_run *run, const struct cluster_view *view,
                             int64_t now_mono_us)
{
    uint32_t rest = 0;
    uint32_t skip = mask_of(run->candidate) | run->struck;
    /* else their appliers are started now, or looked at once more */
    if (run->kind != PLAN_SWITCHOVER && view->config->engine != ENGINE_MYSQL)
        skip |= run->attached;
    uint32_t answering = plan_nodes_answering(view, now_mono_us);
    for (uint32_t node = 0; run->candidate != NO_NODE && node < view->config->node_count; node++) {
        if (skip & NODE_BIT(node))
            continue;
        bool known = run->collected & NODE_BIT(node);
        bool contained =
            known && gtid_set_contains(&run->executed[run->candidate], &run->executed[node]);
        if (run->kind == PLAN_SWITCHOVER) /* all followed the old primary, which is contained */
            contained = (answering & NODE_BIT(node)) != 0 &&
                        view->record.quarantine[node] == QUARANTINE_NONE &&
                        view->nodes[node].errant != TRI_YES &&
                        plan_holds_regiven(view, node) != TRI_YES;
        else if ((node == run->old_primary && !plan_kind_has(run->kind, TRAIT_OLD_MAY_LEAD)) ||
                 (node != run->old_primary && ((run->a & ~run->r) & NODE_BIT(node))) ||
                 (view->record.twins & NODE_BIT(node)) ||
                 plan_holds_regiven(view, node) == TRI_YES)
            contained = false;
        if (contained || (known && MUTANT(view, DIVERGED_ATTACHED)))
            rest |= NODE_BIT(node);
    }
    return rest;
}

static uint32_t drain_targets(const struct plan_run *run, const struct cluster_view *view)
{
    if (MUTANT(view, DRAIN_SKIPPED))
        return 0;
    return run->f & ~run->r & ~plan_gone(run) & ~plan_hollow_nodes(view);
}

static bool node_is_shut(const struct cluster_view *view, uint32_t node)
{
    const struct server_facts *facts = &view->nodes[node].facts;
    return (view->nodes[node].groups_known & FACTS_STATUS) && facts->read_only == TRI_YES &&
           facts->ss_source_enabled == TRI_NO;
}

/* The primary was read after the role was on, and nobody waits: nothing is left to acknowledge. */
static bool is_answered(const struct plan_run *run, const struct cluster_view *view)
{
    int64_t on_us = run->rows[plan_row_of(run->kind, STEP_REPLICA_ROLE)].ended_mono_us;
    const struct node_view *primary = &view->nodes[run->candidate];
    return on_us != STAY_NEVER && primary->facts_begun_mono_us > on_us &&
           primary->facts.ss_waiters == 0;
}

/* Rows that only some runs need; true: not this one. */
static bool is_needless(const struct plan_run *run, const struct cluster_view *view, uint32_t row,
                        enum step_kind step)
{
    switch (step) {
    case STEP_SOURCE_ON:
        return !run->aims_lossless || run->degrade;
    case STEP_WAIT_ACKERS:
        return !run->aims_lossless || run->degrade ||
               (plan_replaces(run->kind) && run->attached == 0);
    case STEP_SOURCE_OFF:
        if (plan_replaces(run->kind))
            return !run->degrade || node_is_shut(view, run->candidate);
        return run->kind == PLAN_SWITCHOVER && /* MySQL: the ATTACH after the pause does it */
               (!run->aims_lossless || view->config->engine == ENGINE_MYSQL);
    case STEP_STORE_MODE:
        return plan_replaces(run->kind) && !run->degrade;
    case STEP_REPLICA_ROLE:
        if (run->kind == PLAN_QUARANTINE)
            return !run->diverged || !plan_may_stop_acking(view, run->params.node);
        return !run->aims_lossless;
    case STEP_BARRIER:
        return !run->aims_lossless || MUTANT(view, BARRIER_SKIPPED);
    case STEP_COLLECT:
        if (run->kind == PLAN_RESEED) /* the one before the barrier */
            return !run->aims_lossless && (plan_row_at(run, row)->flags & ROW_SKIP_IF_DONE);
        return run->kind == PLAN_ADOPT && !run->aims_lossless;
    case STEP_CANARY: /* blocked on purpose: no acker and without_acker = "block" */
        return plan_replaces(run->kind) && run->aims_lossless && !run->degrade &&
               mask_count(run->attached) < view->config->acks;
    case STEP_QUARANTINE:
        return run->kind != PLAN_FENCE && run->kind != PLAN_RESEED && !run->diverged;
    case STEP_CATCH_UP:
        return run->kind == PLAN_REJOIN && run->diverged;
    case STEP_ACKNOWLEDGE:
        return is_answered(run, view);
    case STEP_VERIFY_FREEZE:
        return MUTANT(view, WRITABLE_BEFORE_VERIFY);
    case STEP_ROUTE_CLOSE:
        return run->kind == PLAN_FENCE && run->params.node != run->old_primary;
    case STEP_NONE:
    case STEP_CHECK:
    case STEP_INTENT:
    case STEP_HOOK_PRE:
    case STEP_FENCE:
    case STEP_FREEZE:
    case STEP_DRAIN:
    case STEP_CHOOSE:
    case STEP_TOP_UP:
    case STEP_CERTIFY:
    case STEP_DETACH:
    case STEP_ATTACH:
    case STEP_WRITABLE:
    case STEP_ROUTE_OPEN:
    case STEP_CANARY_ROUTE:
    case STEP_COMMIT:
    case STEP_HOOK_POST:
    case STEP_QUIESCE:
    case STEP_THAW:
    case STEP_UNFENCE:
    case STEP_COMPARE:
    case STEP_SET_TIMEOUTS:
    case STEP_CREATE_SCHEMA:
    case STEP_SET_VARIABLES:
    case STEP_END_STREAM:
    case STEP_START_APPLIER:
    case STEP_COPY:
    case STEP_COPY_STOP:
    case STEP_ADMIT:
    case STEP_REWIND:
    case STEP_REPLAY:
    case STEP_KIND_COUNT:
        break;
    }
    return false;
}

static uint32_t top_up_targets(const struct plan_run *run, const struct cluster_view *view)
{
    return candidate_top_up_peer(view, run, run->candidate) == NO_NODE ? 0
                                                                       : mask_of(run->candidate);
}

static uint32_t frozen_targets(const struct plan_run *run, const struct cluster_view *view,
                               enum step_kind step)
{
    if (step == STEP_DRAIN)
        return drain_targets(run, view);
    if (step == STEP_REPLAY)
        return run->f & ~plan_gone(run) & ~plan_hollow_nodes(view);
    if (step == STEP_COLLECT)
        return run->f & ~run->collected & ~plan_gone(run) & ~plan_hollow_nodes(view);
    return run->f & ~plan_gone(run); /* VERIFY_FREEZE */
}

/* Of a reseed's rows on its node: the server is read and stopped before the copy, and may be down
 * or hollow already. */
static bool is_reseed_past(const struct plan_run *run, const struct cluster_view *view,
                           uint32_t row, int64_t now_mono_us)
{
    uint32_t node = run->params.node;
    bool before = run->kind == PLAN_RESEED && row < plan_row_of(run->kind, STEP_COPY);
    return before && ((plan_hollow_nodes(view) & mask_of(node)) ||
                      !plan_node_answers(view, node, PLAN_ANSWERS_US, now_mono_us));
}

static uint32_t node_targets(const struct plan_run *run, const struct cluster_view *view,
                             uint32_t row, int64_t now_mono_us)
{
    enum step_kind step = plan_row_at(run, row)->step;
    if (is_reseed_past(run, view, row, now_mono_us))
        return 0;
    if (step == STEP_FENCE && plan_kind_has(run->kind, TRAIT_TAKES_BACK) &&
        node_is_shut(view, run->params.node))
        return 0;
    if (step == STEP_ATTACH && run->diverged && !MUTANT(view, DIVERGED_ATTACHED))
        return 0;
    return mask_of(run->params.node);
}

static uint32_t receiver_targets(const struct plan_run *run, const struct cluster_view *view,
                                 enum step_kind step, int64_t now_mono_us)
{
    if (step == STEP_FREEZE)
        return freeze_targets(run, view, now_mono_us);
    uint32_t nodes = plan_nodes_answering(view, now_mono_us) & ~mask_of(run->candidate);
    for (uint32_t node = 0; node < view->config->node_count; node++)
        if (view->record.quarantine[node] != QUARANTINE_NONE ||
            cluster_source_of(view, node) != run->candidate)
            nodes &= ~NODE_BIT(node);
    return nodes;
}

/* It answered within the last second, and nothing since says otherwise. */
static bool old_primary_answers(const struct plan_run *run, const struct cluster_view *view,
                                int64_t now_mono_us)
{
    return plan_node_answers(view, run->old_primary, PLAN_FENCE_FRESH_US, now_mono_us) &&
           view->nodes[run->old_primary].refused_first_mono_us == STAY_NEVER;
}

uint32_t plan_targets(const struct plan_run *run, const struct cluster_view *view, uint32_t row,
                      int64_t now_mono_us)
{
    const struct plan_row *what = plan_row_at(run, row);
    if (is_needless(run, view, row, what->step))
        return 0;
    if (step_kind_class(what->step) != CLASS_NODE)
        return 1;
    switch (what->target) {
    case TARGET_OLD_PRIMARY:
        if (what->step == STEP_FENCE && run->candidate == run->old_primary)
            return 0; /* RECOVER chose it: closed until its turn comes */
        if (what->step == STEP_FENCE && (run->fenced || MUTANT(view, FENCE_SKIPPED) ||
                                         !old_primary_answers(run, view, now_mono_us)))
            return 0;
        return mask_of(run->old_primary);
    case TARGET_CANDIDATE:
        if (what->step == STEP_TOP_UP)
            return top_up_targets(run, view);
        /* The coming ackers must not be changed before they hold it. Before the pause the candidate
         * alone counts: a replica that lags on purpose must not forbid every switchover. */
        if (what->step == STEP_CATCH_UP && run->fenced)
            return mask_of(run->candidate) |
                   (ackers_to_attach(run, view, now_mono_us) & ~mask_of(run->old_primary));
        return mask_of(run->candidate);
    case TARGET_RECEIVERS:
        return receiver_targets(run, view, what->step, now_mono_us);
    case TARGET_FROZEN:
        return frozen_targets(run, view, what->step);
    case TARGET_ACKERS:
        if (what->step == STEP_BARRIER)
            return receiver_targets(run, view, what->step, now_mono_us) &
                   plan_acker_nodes(view, run->candidate, now_mono_us) &
                   ~(run->kind == PLAN_RESEED ? mask_of(run->params.node) : 0);
        if (run->kind == PLAN_SWITCHOVER)
            return ackers_to_attach(run, view, now_mono_us) &
                   (run->collected | mask_of(run->old_primary));
        return ackers_to_attach(run, view, now_mono_us);
    case TARGET_REST:
        return rest_targets(run, view, now_mono_us);
    case TARGET_NONE: /* of no row that asks a server */
    case TARGET_NODE:
        return node_targets(run, view, row, now_mono_us);
    }
    return 0;
}
