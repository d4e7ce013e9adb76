/* controller/decide/plan_row_done.c - may a row be concluded before everybody answered: who must,
 * who may answer later, and when waiting cannot help any more. */
#include "controller/decide/plan_private.h"
#include "controller/decide/verdict.h"

static uint32_t answered(const struct row_run *state)
{
    return state->done | state->failed | state->unknown;
}

/* Waiting longer cannot bring |A \ R| below k any more: an acker failed, or restarted. */
static bool drain_is_hopeless(const struct plan_run *run, const struct row_run *state)
{
    uint32_t pending = state->targets & (~answered(state) | run->slow) & ~run->restarted;
    uint32_t best = run->r | pending;
    return mask_count(run->a & ~best) >= run->acks;
}

/* More draining would not change what the certificate can say. */
bool plan_is_drain_settled(const struct plan_run *run, const struct row_run *state)
{
    return !plan_kind_has(run->kind, TRAIT_ALL_RESTARTED) && run->a != 0 &&
           run->mode == MODE_LOSSLESS && !run->fenced && !run->params.accept_loss &&
           drain_is_hopeless(run, state);
}

/* Whose drain matters: a member that restarted, or whose received set shrank, cannot be in R, and
 * what it lost never comes. */
uint32_t plan_drain_required(const struct plan_run *run, const struct row_run *state)
{
    uint32_t able = state->targets & ~run->restarted;
    if (plan_kind_has(run->kind, TRAIT_ALL_RESTARTED)) /* and each may hold the most */
        return state->targets;
    return able == 0 ? 0 : plan_required(run, able);
}

/* The new primary is recorded; what is left can wait, or is done by later repairs, when the cluster
 * needs its next plan now: the new primary fails too or came back read-only, or the old one takes
 * writes. */
static bool tail_may_wait(const struct plan_run *run, const struct cluster_view *view, uint32_t row,
                          int64_t now_mono_us)
{
    if (!plan_kind_has(run->kind, TRAIT_MOVES_PRIMARY) ||
        row <= plan_row_of(run->kind, STEP_COMMIT) || view->primary != run->candidate ||
        plan_row_at(run, row)->step != STEP_ATTACH)
        return false;
    enum verdict_action action = verdict_judge(view, now_mono_us).action;
    return action == ACT_FAILOVER || action == ACT_FENCE_STALE || action == ACT_MAKE_WRITABLE;
}

/* A switchover's new primary has its ackers: their own word, or the primary's for those that have
 * not answered yet, because their appliers still start. */
bool plan_has_ackers(const struct plan_run *run, const struct cluster_view *view)
{
    const struct row_run *attach = &run->rows[plan_row_of(run->kind, STEP_ATTACH)];
    const struct row_run *seen = &run->rows[plan_row_of(run->kind, STEP_WAIT_ACKERS)];
    uint32_t able = seen->done != 0 ? attach->targets & ~attach->failed : 0;
    return mask_count(run->attached | able) >= view->config->acks;
}

/* Whose freeze is waited for. With no member of A to freeze (a weaker mode): those that follow
 * somebody. A server without a source has no receiver to stop; a stale primary that hangs must not
 * hold up the failover, nor its own fence, which comes after it. */
static uint32_t freeze_required(const struct plan_run *run, const struct cluster_view *view,
                                uint32_t targets)
{
    uint32_t able = targets & run->able, followers = 0;
    for (uint32_t node = 0; node < view->config->node_count; node++)
        if (view->nodes[node].facts.receiver != RECEIVER_NONE)
            followers |= NODE_BIT(node);
    if ((targets & run->a) == 0 && (targets & followers) != 0)
        return (targets & followers) | able;
    return plan_required(run, targets) | able;
}

bool plan_is_row_done(const struct plan_run *run, const struct cluster_view *view, uint32_t row,
                      int64_t now_mono_us, int64_t *ret_recheck_mono_us)
{
    const struct row_run *state = &run->rows[row];
    enum step_kind step = plan_row_at(run, row)->step;
    uint32_t pending = state->targets & ~answered(state);
    *ret_recheck_mono_us = INT64_MAX;
    if (pending == 0 || tail_may_wait(run, view, row, now_mono_us))
        return true;
    if (step == STEP_BARRIER)
        return mask_count(state->done) >= view->config->acks;
    if (run->kind == PLAN_SWITCHOVER && step == STEP_CATCH_UP &&
        !(pending & mask_of(run->candidate)))
        return mask_count(state->done & ~mask_of(run->candidate)) >= view->config->acks;
    if (run->kind == PLAN_SWITCHOVER && step == STEP_ATTACH &&
        plan_row_at(run, row)->target == TARGET_ACKERS) /* the rest comes after the pause */
        return plan_has_ackers(run, view);
    if (!plan_replaces(run->kind))
        return false;
    if (step != STEP_FREEZE && step != STEP_DRAIN)
        return false;
    uint32_t required = step == STEP_DRAIN ? plan_drain_required(run, state)
                                           : freeze_required(run, view, state->targets);
    bool others_only = (pending & required) == 0;
    if (step == STEP_DRAIN && run->r != 0 && plan_is_drain_settled(run, state))
        return true;
    if (!others_only)
        return false;
    if (step == STEP_DRAIN && run->r == 0 && (pending & ~run->restarted) != 0)
        return false;
    *ret_recheck_mono_us = state->begun_mono_us + PLAN_OTHERS_US;
    return now_mono_us >= *ret_recheck_mono_us;
}
