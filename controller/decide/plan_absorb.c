/* controller/decide/plan_absorb.c - what one answer changes in a run: who is frozen, drained,
 * fenced, attached, and which sets were read. */
#include "controller/decide/plan_absorb_private.h"

/* What it was given its peers hold. Rows of its own making beyond that were written on it by hand
 * meanwhile, and end the run before anybody follows it. */
static void take_topped_up(struct plan_run *run, const struct cluster_view *view, uint32_t node,
                           const struct effect_result *result)
{
    STAY_AUTO(gtid_set_drop) struct gtid_set extra = {0};
    STAY_AUTO(gtid_set_drop) struct gtid_set own = {0};
    const struct server_facts *facts = plan_facts_read(result);
    if (facts == NULL)
        return;
    gtid_set_copy(&extra, &facts->executed);
    for (uint32_t other = 0; other < view->config->node_count; other++)
        if (run->collected & NODE_BIT(other))
            gtid_set_subtract(&extra, &run->executed[other]);
    for (size_t i = 0; i < extra.n; i++)
        if (cluster_range_is_of(view, node, &extra.v[i]))
            gtid_set_add_range(&own, extra.flavor, &extra.v[i]);
    plan_take_executed(run, node, result);
    gtid_set_subtract(&run->executed[node], &own);
    if (own.n > 0 && !run->params.accept_loss)
        run->errant |= NODE_BIT(node);
}

static void absorb_collect(struct plan_run *run, uint32_t node, const struct effect_result *result)
{
    const struct server_facts *facts = plan_facts_read(result);
    plan_take_executed(run, node, result);
    if (facts == NULL)
        return;
    run->watch_uptime_s = facts->uptime_s;
    run->watch_no_tx = facts->ss_no_tx;
    run->watch_no_times = facts->ss_no_times;
}

static void absorb_fence(struct plan_run *run, const struct cluster_view *view, uint32_t node,
                         const struct effect_result *result, int64_t now_mono_us)
{
    const struct server_facts *facts = plan_facts_read(result);
    if (facts == NULL || node != run->old_primary)
        return;
    /* Off already, and it is no restart that left it so: by a hand out of sight, or by a fence of
     * this run whose answer is not known. The count of times cannot tell the two apart. */
    bool is_found_off =
        result->source_was_off && !run->fenced && !plan_is_shut_since_restart(&view->nodes[node]);
    gtid_set_copy(&run->fenced_executed, &facts->executed);
    run->fenced = true;
    if (plan_has_restarted(facts->uptime_s, run->freeze_uptime_s[node], run->freeze_mono_us[node],
                           now_mono_us))
        run->restarted |= NODE_BIT(node);
    else if (facts->ss_no_times > view->record.watch_no_times + 1 || is_found_off)
        run->lossless_stood = false; /* off once more than our own fence switched it, or before */
    plan_take_executed(run, node, result);
}

/* Without a source now. One that restarted since its freeze may have acknowledged in between, and
 * may have lost what was read of it: out of F and R, and no candidate. */
static void absorb_detach(struct plan_run *run, uint32_t row, uint32_t node,
                          const struct effect_result *result, int64_t now_mono_us)
{
    const struct server_facts *facts = plan_facts_read(result);
    run->detached |= NODE_BIT(node);
    if (facts == NULL)
        return;
    bool judged = (run->f & NODE_BIT(node)) != 0;
    if (!judged && !(run->restarted & NODE_BIT(node)))
        return;
    if (judged &&
        !plan_has_restarted(facts->uptime_s, run->freeze_uptime_s[node], run->freeze_mono_us[node],
                            now_mono_us) &&
        gtid_set_contains(&facts->executed, &run->executed[node]))
        return;
    run->restarted |= NODE_BIT(node);
    run->rows[row].done &= ~NODE_BIT(node);
    run->rows[row].failed |= NODE_BIT(node);
    plan_drop_node(run, node);
}

/* A switchover's candidate is not frozen: its process is known from its catching up. */
static void note_life(struct plan_run *run, uint32_t node, const struct effect_result *result,
                      int64_t now_mono_us)
{
    const struct server_facts *facts = plan_facts_read(result);
    if (run->kind != PLAN_SWITCHOVER || facts == NULL)
        return;
    run->freeze_uptime_s[node] = facts->uptime_s;
    run->freeze_mono_us[node] = now_mono_us;
}

static void absorb_done(struct plan_run *run, const struct cluster_view *view, uint32_t row,
                        uint32_t node, const struct effect_result *result, int64_t now_mono_us)
{
    switch (plan_row_at(run, row)->step) {
    case STEP_FREEZE:
        plan_absorb_freeze(run, view, row, node, result, now_mono_us);
        return;
    case STEP_DRAIN:
        plan_absorb_drain(run, view, node, result, now_mono_us);
        return;
    case STEP_FENCE:
    case STEP_QUIESCE:
        absorb_fence(run, view, node, result, now_mono_us);
        return;
    case STEP_COLLECT:
        absorb_collect(run, node, result);
        return;
    case STEP_TOP_UP:
        take_topped_up(run, view, node, result);
        return;
    case STEP_CATCH_UP:
        plan_take_executed(run, node, result);
        note_life(run, node, result, now_mono_us);
        return;
    case STEP_COMPARE:
        plan_take_executed(run, node, result);
        return;
    case STEP_VERIFY_FREEZE:
        plan_absorb_verify(run, view, row, node, result, now_mono_us);
        return;
    case STEP_DETACH:
        absorb_detach(run, row, node, result, now_mono_us);
        return;
    case STEP_ATTACH:
        run->attached |= NODE_BIT(node);
        return;
    case STEP_REWIND:
        run->diverged = false; /* ATTACH compares once more */
        plan_say(run->text, sizeof run->text, "%.230s", result->text);
        return;
    case STEP_REPLAY:
        plan_absorb_replay(run, node, result);
        return;
    case STEP_NONE:
    case STEP_CHECK:
    case STEP_INTENT:
    case STEP_HOOK_PRE:
    case STEP_ROUTE_CLOSE:
    case STEP_CHOOSE:
    case STEP_CERTIFY:
    case STEP_SOURCE_ON:
    case STEP_SOURCE_OFF:
    case STEP_STORE_MODE:
    case STEP_WAIT_ACKERS:
    case STEP_WRITABLE:
    case STEP_CANARY:
    case STEP_ROUTE_OPEN:
    case STEP_CANARY_ROUTE:
    case STEP_COMMIT:
    case STEP_HOOK_POST:
    case STEP_THAW:
    case STEP_UNFENCE:
    case STEP_QUARANTINE:
    case STEP_SET_TIMEOUTS:
    case STEP_CREATE_SCHEMA:
    case STEP_BARRIER:
    case STEP_REPLICA_ROLE:
    case STEP_START_APPLIER:
    case STEP_SET_VARIABLES:
    case STEP_ACKNOWLEDGE:
    case STEP_END_STREAM:
    case STEP_COPY:
    case STEP_COPY_STOP:
    case STEP_ADMIT:
    case STEP_KIND_COUNT:
        return;
    }
}

/* Its connection was refused or lost before it was asked: nothing was read of a server that this
 * run froze, which may answer the next question. A drain changes nothing, so it is asked again. */
static bool was_not_asked(const struct plan_run *run, uint32_t node,
                          const struct effect_result *result)
{
    return !result->groups_read && (run->f & NODE_BIT(node)) != 0;
}

/* A returner that has not caught up: does it work on? */
static bool catches_up_later(struct plan_run *run, uint32_t node,
                             const struct effect_result *result)
{
    const struct server_facts *facts = plan_facts_read(result);
    if (facts == NULL || facts->applier != TRI_YES || facts->applier_errno != 0)
        return false;
    plan_take_executed(run, node, result);
    run->slow |= NODE_BIT(node);
    return true;
}

/* Not topped up in its slice: has it come nearer? */
static void note_top_up(struct plan_run *run, const struct cluster_view *view, uint32_t node,
                        const struct effect_result *result)
{
    uint64_t before = gtid_set_count(&run->executed[node]);
    take_topped_up(run, view, node, result);
    run->stalls[node] = gtid_set_count(&run->executed[node]) > before ? 0 : run->stalls[node] + 1;
}

void plan_absorb(struct plan_run *run, const struct cluster_view *view, uint32_t row, uint32_t node,
                 const struct effect_result *result, int64_t now_mono_us)
{
    struct row_run *state = &run->rows[row];
    enum step_kind step = plan_row_at(run, row)->step;
    uint32_t bit = NODE_BIT(node);
    plan_note_broken(run, view);
    state->unknown &= ~bit;
    if (result->text[0] != '\0')
        plan_say(state->text, sizeof state->text, "%s%s%s",
                 step_kind_class(step) == CLASS_NODE ? plan_node_name(view, node) : "",
                 step_kind_class(step) == CLASS_NODE ? ": " : "", result->text);
    switch (result->outcome) {
    case OUTCOME_DONE:
        state->done |= bit;
        absorb_done(run, view, row, node, result, now_mono_us);
        return;
    case OUTCOME_NOT_DONE:
        if (result->goes_on) {
            state->unknown |= bit;
            return;
        }
        if (step == STEP_DRAIN &&
            (plan_absorb_drain_goes_on(run, node, result) || was_not_asked(run, node, result))) {
            state->unknown |= bit;
            return;
        }
        if (step == STEP_CATCH_UP && plan_kind_has(run->kind, TRAIT_TAKES_BACK) &&
            catches_up_later(run, node, result)) {
            state->unknown |= bit;
            return;
        }
        state->failed |= bit;
        if (step == STEP_FENCE && result->ended_sessions && node == run->old_primary)
            run->fence_unheard = true; /* one of a commit group may be answered */
        if (step == STEP_TOP_UP)
            note_top_up(run, view, node, result);
        if (step == STEP_FREEZE || step == STEP_VERIFY_FREEZE)
            plan_drop_node(run, node);
        return;
    case OUTCOME_NONE:
    case OUTCOME_UNKNOWN:
        if (step == STEP_FENCE && MUTANT(view, FENCE_UNKNOWN_IS_DONE)) {
            state->done |= bit;
            gtid_set_copy(&run->fenced_executed, &view->nodes[node].facts.executed);
            run->fenced = true;
            return;
        }
        state->unknown |= bit;
        if (step == STEP_TOP_UP)
            note_top_up(run, view, node, result);
        if (step == STEP_REWIND) /* its job ended without a word */
            run->stalls[node]++;
        return;
    }
}

void plan_absorb_undo(struct plan_run *run, const struct cluster_view *view, uint32_t row,
                      uint32_t node, const struct effect_result *result)
{
    enum step_class class = step_kind_class(plan_row_at(run, row)->step);
    if (result->outcome == OUTCOME_DONE) {
        run->rows[row].unknown &= ~NODE_BIT(node);
        return;
    }
    plan_say(run->rows[row].text, sizeof run->rows[row].text, "undo%s%s %s: %s",
             class == CLASS_NODE ? " on " : "",
             class == CLASS_NODE ? plan_node_name(view, node) : "",
             result->outcome == OUTCOME_NOT_DONE ? "failed" : "unknown", result->text);
}
