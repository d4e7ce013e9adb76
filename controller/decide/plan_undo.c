/* controller/decide/plan_undo.c - how a run that may not finish is taken back: receivers and
 * sources as they were, the old primary opened only where it answers and is whole, its route last.
 */
#include "controller/decide/plan_private.h"

/* Opened again only if it was open, answers, is the same process, and holds all that any server
 * ever received: one that restarted may have lost what its clients were told is safe. A fence whose
 * answer was lost left no set to compare with, and perhaps a server that is half closed: there its
 * process alone counts. */
static bool old_primary_is_whole(const struct plan_run *run, const struct cluster_view *view,
                                 int64_t now_mono_us)
{
    uint32_t old = run->old_primary;
    if (MUTANT(view, TRUNCATED_REOPENED))
        return old != NO_NODE && plan_node_answers(view, old, PLAN_ANSWERS_US, now_mono_us);
    if (old == NO_NODE || !run->was_open || plan_primary_restarted(run, view) ||
        !plan_node_answers(view, old, PLAN_ANSWERS_US, now_mono_us))
        return false;
    if (!run->fenced)
        return true;
    const struct node_view *seen = &view->nodes[old];
    STAY_AUTO(gtid_set_drop) struct gtid_set held = {0};
    gtid_set_copy(&held, &seen->facts.executed);
    gtid_set_union(&held, &run->fenced_executed); /* read later than the view's, same process */
    for (uint32_t node = 0; node < view->config->node_count; node++)
        if (node != old && (!gtid_set_contains(&held, &run->received_high[node]) ||
                            !gtid_set_contains(&held, &run->executed[node])))
            return false;
    return true;
}

/* By its last word it takes writes: a candidate that restarted with its own start-up values. It is
 * fenced and compared before anybody attaches it. */
static uint32_t open_nodes(const struct cluster_view *view)
{
    uint32_t mask = 0;
    for (uint32_t node = 0; node < view->config->node_count; node++)
        if ((view->nodes[node].groups_known & FACTS_STATUS) != 0 &&
            view->nodes[node].facts.read_only == TRI_NO)
            mask |= NODE_BIT(node);
    return mask;
}

/* Attached to the old primary they would go on behind the numbers it gave twice: theirs are other
 * transactions. They stay as they are, and are set aside when the store says so. */
static uint32_t twins(const struct cluster_view *view)
{
    uint32_t mask = view->record.twins;
    for (uint32_t node = 0; node < view->config->node_count; node++)
        if (plan_holds_regiven(view, node) == TRI_YES)
            mask |= NODE_BIT(node);
    return mask;
}

/* Those that received when the plan began, and are the same process: started again as it is,
 * another one could silently skip what it lost (MariaDB and its own transactions). A source whose
 * set was never read gets nobody attached to it. Who does not answer is not waited for, a primary
 * may have to be opened: not receiving, it is compared and attached when it does (202). */
static uint32_t freeze_undo_targets(const struct plan_run *run, const struct cluster_view *view,
                                    uint32_t touched, int64_t now_mono_us)
{
    for (uint32_t node = 0; node < view->config->node_count; node++)
        if (!plan_node_answers(view, node, PLAN_OTHERS_US, now_mono_us))
            touched &= ~NODE_BIT(node);
    bool is_read =
        run->fenced || (run->old_primary != NO_NODE &&
                        (view->nodes[run->old_primary].groups_known & FACTS_STATUS) != 0);
    uint32_t as_it_was = touched & ~run->moved & run->received & ~run->restarted;
    return as_it_was | (is_read ? touched & run->moved & ~open_nodes(view) & ~twins(view) : 0);
}

/* Of a row that has an undo. */
static uint32_t undo_targets(const struct plan_run *run, const struct cluster_view *view,
                             uint32_t row, int64_t now_mono_us)
{
    const struct row_run *state = &run->rows[row];
    uint32_t touched = state->touched;
    bool freezes = plan_row_of(run->kind, STEP_FREEZE) < row; /* its undo gives sources back */
    switch (plan_row_at(run, row)->step) {
    case STEP_ROUTE_CLOSE:
        return 1; /* fail-static: the route stays where the store says the primary is */
    case STEP_FENCE:
    case STEP_QUIESCE:
        return old_primary_is_whole(run, view, now_mono_us) ? touched : 0;
    case STEP_FREEZE:
        return freeze_undo_targets(run, view, touched, now_mono_us);
    case STEP_DETACH:
    case STEP_ATTACH:
        return freezes ? 0 : touched & run->moved & ~twins(view);
    case STEP_SOURCE_ON:
    case STEP_ACKNOWLEDGE: /* its receiver may stand still since */
        return touched;
    case STEP_COPY:
    case STEP_REWIND:
        return state->state == ROW_DONE ? 0 : touched;
    case STEP_NONE:
    case STEP_CHECK:
    case STEP_INTENT:
    case STEP_HOOK_PRE:
    case STEP_DRAIN:
    case STEP_COLLECT:
    case STEP_CHOOSE:
    case STEP_TOP_UP:
    case STEP_CERTIFY:
    case STEP_SOURCE_OFF:
    case STEP_STORE_MODE:
    case STEP_WAIT_ACKERS:
    case STEP_VERIFY_FREEZE:
    case STEP_WRITABLE:
    case STEP_CANARY:
    case STEP_ROUTE_OPEN:
    case STEP_CANARY_ROUTE:
    case STEP_COMMIT:
    case STEP_HOOK_POST:
    case STEP_CATCH_UP:
    case STEP_THAW:
    case STEP_UNFENCE:
    case STEP_COMPARE:
    case STEP_QUARANTINE:
    case STEP_SET_TIMEOUTS:
    case STEP_CREATE_SCHEMA:
    case STEP_BARRIER:
    case STEP_REPLICA_ROLE:
    case STEP_START_APPLIER:
    case STEP_SET_VARIABLES:
    case STEP_END_STREAM:
    case STEP_COPY_STOP:
    case STEP_ADMIT:
    case STEP_REPLAY:
    case STEP_KIND_COUNT:
        break;
    }
    return 0;
}

uint32_t plan_undo_targets(const struct plan_run *run, const struct cluster_view *view,
                           uint32_t row, int64_t now_mono_us)
{
    uint32_t targets = undo_targets(run, view, row, now_mono_us);
    return plan_row_at(run, row)->undo == STEP_NONE ? 0 : targets;
}

bool plan_undo_reopens(const struct plan_run *run, const struct cluster_view *view, uint32_t end,
                       int64_t now_mono_us)
{
    for (uint32_t row = 0; row < end; row++)
        if (plan_row_at(run, row)->undo == STEP_UNFENCE && run->rows[row].touched != 0 &&
            plan_undo_targets(run, view, row, now_mono_us) != 0)
            return true;
    return false;
}

/* What the old primary holds, for one that goes back to it. It was seen last before it died: what
 * the node had received by its freeze came from there, and may be later. */
static const struct gtid_set *held_by_old(const struct plan_run *run,
                                          const struct cluster_view *view, uint32_t node)
{
    const struct gtid_set *seen = &view->nodes[run->old_primary].facts.executed;
    const struct gtid_set *received = &run->received_high[node];
    if (run->fenced)
        return &run->fenced_executed;
    return gtid_set_contains(received, seen) ? received : seen;
}

void plan_undo_effect(const struct plan_run *run, const struct cluster_view *view, uint32_t row,
                      uint32_t node, struct effect *ret_effect)
{
    const struct plan_row *what = plan_row_at(run, row);
    bool lossless = run->mode == MODE_LOSSLESS;
    memset(ret_effect, 0, sizeof *ret_effect);
    ret_effect->step = what->undo;
    ret_effect->node = node;
    ret_effect->peer = run->old_primary;
    ret_effect->epoch = run->epoch;
    ret_effect->plan = run->kind;
    ret_effect->acks = view->config->acks;
    ret_effect->lossless_roles = lossless;
    ret_effect->valid_until_mono_us = ret_effect->deadline_mono_us = INT64_MAX;
    ret_effect->born_mono_us = INT64_MAX;
    if (what->undo == STEP_ROUTE_OPEN) {
        ret_effect->node = run->old_primary;
        return;
    }
    if (what->undo == STEP_UNFENCE) {
        ret_effect->born_mono_us = plan_born_mono_us(run, node);
        ret_effect->semi_sync = lossless;
        ret_effect->renumber = cluster_may_repeat_numbers(
            view, node, run->fenced ? &run->fenced_executed : &view->nodes[node].facts.executed);
        return;
    }
    if (what->undo == STEP_ATTACH && node == run->old_primary) {
        ret_effect->step = STEP_DETACH; /* it is a source again; UNFENCE gives it back its role */
        ret_effect->peer = NO_NODE;
        return;
    }
    if (what->undo == STEP_THAW && (run->moved & NODE_BIT(node))) {
        ret_effect->step = STEP_ATTACH;
    } else if (what->undo == STEP_THAW) { /* on the source it had: nothing was compared here */
        ret_effect->peer = NO_NODE;
        ret_effect->want = &run->received_high[node];
        ret_effect->born_mono_us = plan_born_mono_us(run, node);
    }
    if (ret_effect->step == STEP_ATTACH && run->old_primary != NO_NODE)
        ret_effect->want = held_by_old(run, view, node);
    ret_effect->semi_sync = lossless && plan_zones_differ(view, node, run->old_primary);
}

int64_t plan_undo_deadline_us(const struct plan_run *run, uint32_t row)
{
    const struct plan_row *what = plan_row_at(run, row);
    if (what->undo == STEP_THAW) /* it ends its drain first */
        return 30 * STAY_SECOND;
    if (what->undo == STEP_COPY_STOP) /* a failover may wait for it; what goes on is set aside */
        return 300 * STAY_MS;
    return what->undo == STEP_UNFENCE ? 2 * STAY_SECOND : what->deadline_us;
}

int64_t plan_effect_deadline_us(const struct plan_run *run, uint32_t row)
{
    const struct plan_row *what = plan_row_at(run, row);
    bool slices = what->step == STEP_DRAIN || what->step == STEP_TOP_UP; /* of longer rows */
    if (what->step == STEP_COPY || what->step == STEP_REWIND)
        return PLAN_COPY_SLICE_US;
    return slices ? PLAN_DRAIN_SLICE_US : what->deadline_us;
}
