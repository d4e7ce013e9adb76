/* controller/decide/plan_absorb.c - what one answer changes in a run: who is frozen, drained,
 * fenced, attached, and which sets were read. */
#include "controller/decide/plan_private.h"

static void drop_node(struct plan_run *run, uint32_t node)
{
    run->f &= ~NODE_BIT(node);
    run->r &= ~NODE_BIT(node);
    run->collected &= ~NODE_BIT(node);
}

static void take_executed(struct plan_run *run, uint32_t node, const struct effect_result *result)
{
    if (result->facts == NULL || !result->groups_read)
        return;
    gtid_set_copy(&run->executed[node], &result->facts->executed);
    run->collected |= NODE_BIT(node);
}

/* Who ended its connection to the old primary? One found stopped tells nothing: by us in an earlier
 * attempt, or by somebody else. */
static void note_lost(struct plan_run *run, const struct cluster_view *view, uint32_t node,
                      enum receiver_before before, int64_t now_mono_us)
{
    bool was_asked = (run->froze & NODE_BIT(node)) != 0;
    run->froze |= NODE_BIT(node);
    switch (before) {
    case BEFORE_LOST:
        if (run->old_primary != NO_NODE && plan_is_lost_soon(view, run->old_primary, now_mono_us))
            run->lost_first |= NODE_BIT(node);
        return; /* later than that it may have given up a silent source: what was known stands */
    case BEFORE_UNKNOWN:
        if (was_asked)
            return;
        break;
    case BEFORE_CONNECTED:
        break;
    }
    run->lost_first &= ~NODE_BIT(node);
}

static void absorb_freeze(struct plan_run *run, const struct cluster_view *view, uint32_t row,
                          uint32_t node, const struct effect_result *result, int64_t now_mono_us)
{
    const struct server_facts *facts = result->facts;
    if (facts == NULL || !result->groups_read) {
        run->rows[row].done &= ~NODE_BIT(node);
        run->rows[row].unknown |= NODE_BIT(node);
        return;
    }
    const struct node_view *seen = &view->nodes[node];
    bool again = ((run->f | run->sound | run->froze) & NODE_BIT(node)) != 0;
    uint64_t before_s = again ? run->freeze_uptime_s[node] : seen->facts.uptime_s;
    int64_t before_us = again ? run->freeze_mono_us[node] : seen->facts_mono_us;
    bool known = again || (seen->groups_known & FACTS_STATUS) != 0;
    bool restarted = known && plan_has_restarted(facts->uptime_s, before_s, before_us, now_mono_us);
    STAY_AUTO(gtid_set_drop) struct gtid_set claims = {0};
    gtid_set_copy(&claims, &facts->received);
    gtid_set_union(&claims, &facts->executed);
    bool shrank = !gtid_set_contains(&claims, &seen->received_high); /* its relay log was purged */
    if ((restarted || shrank) && !MUTANT(view, FREEZE_LOST_AT_RESTART))
        run->restarted |= NODE_BIT(node);
    run->f |= NODE_BIT(node);
    run->r &= ~NODE_BIT(node);
    run->collected &= ~NODE_BIT(node);
    run->freeze_uptime_s[node] = facts->uptime_s;
    run->freeze_mono_us[node] = now_mono_us;
    run->stalls[node] = 0;
    run->left[node] = UINT64_MAX;
    gtid_set_union(&run->received_high[node], &facts->received);
    gtid_set_union(&run->received_high[node], &seen->received_high);
    note_lost(run, view, node, result->receiver_before, now_mono_us);
    if (MUTANT(view, DRAIN_SKIPPED) || MUTANT(view, CERT_FROM_RECEIVED)) {
        take_executed(run, node, result);
        run->r |= NODE_BIT(node);
        if (MUTANT(view, CERT_FROM_RECEIVED))
            gtid_set_copy(&run->executed[node], &run->received_high[node]);
    }
}

/* May a restart have cost it something it acknowledged? One that was sound at the start tells by
 * its uptime. */
static bool lost_by_restart(const struct plan_run *run, const struct cluster_view *view,
                            uint32_t node, const struct server_facts *facts, int64_t now_mono_us)
{
    if (run->restarted & NODE_BIT(node))
        return true;
    if (!(run->sound & NODE_BIT(node)))
        return plan_restart_counts(view, node, &facts->executed);
    return plan_has_restarted(facts->uptime_s, run->freeze_uptime_s[node],
                              run->freeze_mono_us[node], now_mono_us);
}

static void note_spare(struct plan_run *run, uint32_t node, const struct effect_result *result)
{
    run->spare &= ~NODE_BIT(node);
    if (result->facts != NULL && result->groups_read && (run->f & NODE_BIT(node)) &&
        gtid_set_contains(&result->facts->executed, &result->facts->received))
        run->spare |= NODE_BIT(node);
}

static void absorb_drain(struct plan_run *run, const struct cluster_view *view, uint32_t node,
                         const struct effect_result *result, int64_t now_mono_us)
{
    run->slow &= ~NODE_BIT(node);
    note_spare(run, node, result);
    if (result->facts == NULL || !result->groups_read)
        return;
    const struct gtid_set *executed = &result->facts->executed;
    take_executed(run, node, result);
    if (!gtid_set_contains(executed, &run->received_high[node]))
        return;
    if (!lost_by_restart(run, view, node, result->facts, now_mono_us) ||
        MUTANT(view, FREEZE_LOST_AT_RESTART)) {
        run->r |= NODE_BIT(node);
        run->doubted &= ~NODE_BIT(node);
    }
}

static bool follows(const struct cluster_view *view, const struct server_facts *facts,
                    uint32_t source)
{
    if (source >= view->config->node_count)
        return false;
    return facts->source_port == view->config->nodes[source].port &&
           cluster_node_by_host(view->config, facts->source_host) == source;
}

/* More than it was judged by, and not from the candidate (which a resumed run may have opened
 * already): its receiver ran for the old primary again and acknowledged, whoever stopped it since.
 */
static bool took_more(const struct plan_run *run, const struct cluster_view *view, uint32_t node,
                      const struct server_facts *facts)
{
    STAY_AUTO(gtid_set_drop) struct gtid_set more = {0};
    gtid_set_copy(&more, &facts->received);
    gtid_set_union(&more, &facts->executed);
    gtid_set_subtract(&more, &run->received_high[node]);
    gtid_set_subtract(&more, &run->executed[node]);
    if (run->candidate != NO_NODE)
        gtid_set_subtract(&more, &run->executed[run->candidate]);
    for (size_t i = 0; i < more.n; i++)
        if (!cluster_range_is_of(view, run->candidate, &more.v[i]))
            return true;
    return false;
}

static bool is_still_frozen(const struct plan_run *run, const struct cluster_view *view,
                            uint32_t node, const struct server_facts *facts, int64_t now_mono_us)
{
    if (plan_has_restarted(facts->uptime_s, run->freeze_uptime_s[node], run->freeze_mono_us[node],
                           now_mono_us) &&
        !MUTANT(view, FREEZE_LOST_AT_RESTART))
        return false;
    if ((run->collected & NODE_BIT(node)) && took_more(run, view, node, facts))
        return false;
    if (facts->receiver == RECEIVER_NONE || facts->receiver == RECEIVER_STOPPED)
        return true;
    return follows(view, facts, run->candidate);
}

static void absorb_verify(struct plan_run *run, const struct cluster_view *view, uint32_t row,
                          uint32_t node, const struct effect_result *result, int64_t now_mono_us)
{
    const struct server_facts *facts = result->facts;
    if (facts != NULL && result->groups_read &&
        is_still_frozen(run, view, node, facts, now_mono_us))
        return;
    struct row_run *state = &run->rows[row];
    state->done &= ~NODE_BIT(node);
    state->failed |= NODE_BIT(node);
    if (facts != NULL && result->groups_read && facts->ss_replica_enabled != TRI_NO &&
        (facts->receiver == RECEIVER_RUNNING || facts->receiver == RECEIVER_CONNECTING))
        run->able |= NODE_BIT(node); /* in A or not: somebody started its receiver */
    if (facts != NULL && result->groups_read)
        run->restarted |= plan_has_restarted(facts->uptime_s, run->freeze_uptime_s[node],
                                             run->freeze_mono_us[node], now_mono_us)
                              ? NODE_BIT(node)
                              : 0;
    drop_node(run, node);
}

static void absorb_collect(struct plan_run *run, uint32_t node, const struct effect_result *result)
{
    take_executed(run, node, result);
    if (result->facts == NULL)
        return;
    run->watch_uptime_s = result->facts->uptime_s;
    run->watch_no_tx = result->facts->ss_no_tx;
    run->watch_no_times = result->facts->ss_no_times;
}

static void absorb_fence(struct plan_run *run, const struct cluster_view *view, uint32_t node,
                         const struct effect_result *result, int64_t now_mono_us)
{
    if (result->facts == NULL || !result->groups_read || node != run->old_primary)
        return;
    gtid_set_copy(&run->fenced_executed, &result->facts->executed);
    run->fenced = true;
    if (plan_has_restarted(result->facts->uptime_s, run->freeze_uptime_s[node],
                           run->freeze_mono_us[node], now_mono_us))
        run->restarted |= NODE_BIT(node);
    else if (result->facts->ss_no_times > view->record.watch_no_times + 1)
        run->lossless_stood = false; /* off once more than our own fence switched it */
    take_executed(run, node, result);
}

/* Without a source now. One that restarted since its freeze may have acknowledged in between, and
 * may have lost what was read of it: out of F and R, and no candidate. */
static void absorb_detach(struct plan_run *run, uint32_t row, uint32_t node,
                          const struct effect_result *result, int64_t now_mono_us)
{
    run->detached |= NODE_BIT(node);
    if (result->facts == NULL || !result->groups_read)
        return;
    bool judged = (run->f & NODE_BIT(node)) != 0;
    if (!judged && !(run->restarted & NODE_BIT(node)))
        return;
    if (judged &&
        !plan_has_restarted(result->facts->uptime_s, run->freeze_uptime_s[node],
                            run->freeze_mono_us[node], now_mono_us) &&
        gtid_set_contains(&result->facts->executed, &run->executed[node]))
        return;
    run->restarted |= NODE_BIT(node);
    run->rows[row].done &= ~NODE_BIT(node);
    run->rows[row].failed |= NODE_BIT(node);
    drop_node(run, node);
}

/* A switchover's candidate is not frozen: its process is known from its catching up. */
static void note_life(struct plan_run *run, uint32_t node, const struct effect_result *result,
                      int64_t now_mono_us)
{
    if (run->kind != PLAN_SWITCHOVER || result->facts == NULL || !result->groups_read)
        return;
    run->freeze_uptime_s[node] = result->facts->uptime_s;
    run->freeze_mono_us[node] = now_mono_us;
}

static void absorb_done(struct plan_run *run, const struct cluster_view *view, uint32_t row,
                        uint32_t node, const struct effect_result *result, int64_t now_mono_us)
{
    switch (plan_row_at(run, row)->step) {
    case STEP_FREEZE:
        absorb_freeze(run, view, row, node, result, now_mono_us);
        return;
    case STEP_DRAIN:
        absorb_drain(run, view, node, result, now_mono_us);
        return;
    case STEP_FENCE:
    case STEP_QUIESCE:
        absorb_fence(run, view, node, result, now_mono_us);
        return;
    case STEP_COLLECT:
        absorb_collect(run, node, result);
        return;
    case STEP_TOP_UP:
        take_executed(run, node, result);
        return;
    case STEP_CATCH_UP:
        take_executed(run, node, result);
        note_life(run, node, result, now_mono_us);
        return;
    case STEP_COMPARE:
        take_executed(run, node, result);
        return;
    case STEP_VERIFY_FREEZE:
        absorb_verify(run, view, row, node, result, now_mono_us);
        return;
    case STEP_DETACH:
        absorb_detach(run, row, node, result, now_mono_us);
        return;
    case STEP_ATTACH:
        run->attached |= NODE_BIT(node);
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
    case STEP_KIND_COUNT:
        return;
    }
}

/* Not drained in its slice, but its applier works on. */
static bool drain_goes_on(struct plan_run *run, uint32_t node, const struct effect_result *result)
{
    run->slow &= ~NODE_BIT(node);
    note_spare(run, node, result);
    if (result->facts == NULL || !result->groups_read || result->facts->applier != TRI_YES ||
        result->facts->applier_errno != 0)
        return false;
    STAY_AUTO(gtid_set_drop) struct gtid_set missing = {0};
    gtid_set_copy(&missing, &run->received_high[node]);
    gtid_set_subtract(&missing, &result->facts->executed);
    uint64_t left = gtid_set_count(&missing);
    run->stalls[node] = left < run->left[node] ? 0 : run->stalls[node] + 1;
    run->left[node] = left;
    take_executed(run, node, result);
    if (run->stalls[node] >= PLAN_DRAIN_STALLS_MAX)
        return false; /* undone, it may go on by itself, and the plan is tried again */
    run->slow |= NODE_BIT(node);
    return true;
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
    const struct server_facts *facts = result->facts;
    if (facts == NULL || !result->groups_read || facts->applier != TRI_YES ||
        facts->applier_errno != 0)
        return false;
    take_executed(run, node, result);
    run->slow |= NODE_BIT(node);
    return true;
}

/* Not topped up in its slice: has it come nearer? */
static void note_top_up(struct plan_run *run, uint32_t node, const struct effect_result *result)
{
    uint64_t before = gtid_set_count(&run->executed[node]);
    take_executed(run, node, result);
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
        if (step == STEP_DRAIN &&
            (drain_goes_on(run, node, result) || was_not_asked(run, node, result))) {
            state->unknown |= bit;
            return;
        }
        if (step == STEP_CATCH_UP && run->kind == PLAN_REJOIN &&
            catches_up_later(run, node, result)) {
            state->unknown |= bit;
            return;
        }
        state->failed |= bit;
        if (step == STEP_TOP_UP)
            note_top_up(run, node, result);
        if (step == STEP_FREEZE || step == STEP_VERIFY_FREEZE)
            drop_node(run, node);
        return;
    case OUTCOME_NONE:
    case OUTCOME_UNKNOWN:
        state->unknown |= bit;
        if (step == STEP_TOP_UP)
            note_top_up(run, node, result);
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
