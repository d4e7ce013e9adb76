/* controller/decide/plan_conclude_proof.c - conclusions of the rows a failover's proof stands on:
 * can nobody acknowledge for the old primary any more, is what was acknowledged executed, and does
 * all that still hold when the candidate is opened? */
#include "controller/decide/cluster_regiven.h"
#include "controller/decide/plan_conclude_private.h"

/* Somebody who can acknowledge for the old primary came up since the freeze began, and the proof is
 * gone with it: frozen like the others, all is read again. */
static bool must_freeze_more(struct plan_run *run, const struct cluster_view *view,
                             uint32_t *ret_row)
{
    plan_note_able(run, view);
    uint32_t more = run->able & ~run->f;
    if (more == 0 || plan_has_proof(run, view))
        return false;
    plan_say(run->text, sizeof run->text, "%s can acknowledge for the old primary by now",
             plan_node_name(view, (uint32_t)__builtin_ctz(more)));
    if (run->past_no_return || run->rounds >= PLAN_ROUNDS_MAX)
        return false;
    run->rounds++;
    run->attached = 0;
    *ret_row = plan_row_of(run->kind, STEP_FREEZE);
    return true;
}

enum plan_next plan_conclude_freeze(struct plan_run *run, const struct cluster_view *view,
                                    uint32_t row, uint32_t *ret_row)
{
    plan_note_able(run, view);
    if (plan_has_proof(run, view))
        return NEXT_ROW;
    struct row_run *state = &run->rows[row];
    if ((state->targets & (run->a | run->able) & ~state->done) != 0 && plan_should_repeat(run, row))
        return NEXT_LOOK;
    if ((run->able & ~run->f & ~state->targets) != 0 && must_freeze_more(run, view, ret_row))
        return NEXT_GOTO;
    plan_say(run->text, sizeof run->text,
             "no fencing proof: %u of %u ackers could not be frozen, fewer than %u may be; the "
             "old primary could still acknowledge",
             mask_count((run->a | run->able) & ~run->f), mask_count(run->a | run->able),
             (unsigned)run->acks);
    return NEXT_UNDO;
}

enum plan_next plan_conclude_drain(struct plan_run *run, const struct cluster_view *view,
                                   uint32_t row, int64_t now_mono_us)
{
    struct row_run *state = &run->rows[row];
    uint32_t lost = state->unknown & plan_drain_required(run, state);
    bool in_time = now_mono_us - state->begun_mono_us < plan_row_at(run, row)->deadline_us;
    bool needs_it = run->r == 0 || !plan_is_drain_settled(run, state);
    if ((lost & run->slow) != 0 && in_time && needs_it) {
        if ((lost & ~run->slow) != 0 &&
            ++state->looks >= PLAN_LOOKS_MAX) { /* those that do not even answer are given up */
            state->failed |= state->unknown & ~run->slow;
            state->unknown &= run->slow;
        }
        return NEXT_LOOK;
    }
    if (lost != 0 && in_time && needs_it && plan_should_look(run, row))
        return NEXT_LOOK;
    uint32_t spare = run->spare & run->f & run->collected & ~run->r & ~plan_gone(run);
    if (plan_kind_has(run->kind, TRAIT_ALL_RESTARTED)) { /* who lost nothing by it proves */
        spare &= run->rows[plan_row_of(run->kind, STEP_REPLAY)].done;
        run->doubted |= spare & ~run->kept;
        run->r |= spare;
        if (run->fenced) /* else the old primary alone may be left to choose */
            return NEXT_ROW;
    }
    if (run->params.accept_loss) { /* the one in r may be never to be promoted */
        run->doubted |= spare;
        run->r |= spare;
    }
    if (run->r != 0 || MUTANT(view, DRAIN_SKIPPED))
        return NEXT_ROW;
    (void)stay_copy(run->text, sizeof run->text,
                    spare != 0 ? "every server that executed all it holds restarted lately: what "
                                 "it had acknowledged may be gone; --accept-loss promotes it"
                               : "no server could execute all it received");
    return NEXT_UNDO;
}

/* The plan closes the old primary twice: beside the freeze, and once more before it verifies. */
static int64_t fence_ended(const struct plan_run *run)
{
    size_t count = 0;
    const struct plan_row *rows = plan_rows(run->kind, &count);
    int64_t ended_us = STAY_NEVER;
    for (size_t row = 0; row < count; row++)
        if (rows[row].step == STEP_FENCE && run->rows[row].ended_mono_us > ended_us)
            ended_us = run->rows[row].ended_mono_us;
    return ended_us;
}

/* Was the old primary seen to accept writes after it was fenced: restarted by somebody whose
 * configuration opens it, or opened by hand? */
static bool fence_is_lifted(const struct plan_run *run, const struct cluster_view *view)
{
    if (!plan_replaces(run->kind) || !run->fenced || run->old_primary >= view->config->node_count ||
        run->old_primary == run->candidate)
        return false;
    const struct node_view *old = &view->nodes[run->old_primary];
    int64_t ended_us = fence_ended(run);
    return (old->groups_known & FACTS_STATUS) && old->facts.read_only == TRI_NO &&
           ended_us != STAY_NEVER && old->facts_begun_mono_us > ended_us;
}

/* It may have acknowledged alone since: the fence's word and lossless_since no longer tell. Past
 * the point of no return the candidate may take writes already: no other one is chosen then. */
static enum plan_next fence_again(struct plan_run *run, uint32_t *ret_row)
{
    run->fenced = run->lossless_stood = false;
    run->attached = 0;
    (void)stay_copy(run->text, sizeof run->text,
                    "the old primary accepted writes again after it was fenced");
    if (run->past_no_return)
        return NEXT_ASK;
    if (run->rounds >= PLAN_ROUNDS_MAX)
        return NEXT_UNDO;
    run->rounds++;
    *ret_row = plan_row_of(run->kind, STEP_ROUTE_CLOSE);
    return NEXT_GOTO;
}

/* By its numbers the candidate holds all, and of some of them other transactions: those that the
 * primary lost in a restart before this run began, and has passed since the candidate was chosen.
 * While a switchover's primary can still be asked, what was not read yet is no proof. */
static bool is_candidate_a_twin(struct plan_run *run, const struct cluster_view *view)
{
    const struct gtid_set *held = run->old_primary == NO_NODE ? NULL
                                  : run->fenced               ? &run->fenced_executed
                                                : &view->nodes[run->old_primary].facts.executed;
    if (held == NULL || run->params.accept_loss)
        return false;
    enum tri twin =
        cluster_holds_regiven(view, run->candidate, &run->executed[run->candidate], held);
    if (twin == TRI_NO || (twin == TRI_UNKNOWN && run->kind != PLAN_SWITCHOVER))
        return false;
    plan_say(run->text, sizeof run->text,
             twin == TRI_YES ? "%s holds transactions the primary lost in a restart and gave the "
                               "numbers of anew"
                             : "where the binary log of the primary began at its restart is not "
                               "read yet: %s may hold what it lost",
             plan_node_name(view, run->candidate));
    return true;
}

enum plan_next plan_conclude_certify(struct plan_run *run, const struct cluster_view *view,
                                     uint32_t *ret_row)
{
    if (fence_is_lifted(run, view))
        return fence_again(run, ret_row);
    if (must_freeze_more(run, view, ret_row))
        return NEXT_GOTO;
    if (is_candidate_a_twin(run, view))
        return NEXT_UNDO;
    if (certificate_may_proceed(&run->certificate, view->config) || run->params.accept_loss ||
        MUTANT(view, ACCEPT_IGNORED) ||
        (MUTANT(view, OBJECTIVES_IGNORED) && run->certificate.kind == CERT_BOUNDED &&
         view->config->accept == ACCEPT_BOUNDED))
        return NEXT_ROW;
    plan_say(run->text, sizeof run->text, "certificate %s is not accepted: %s",
             certificate_kind_text(run->certificate.kind), run->certificate.reason);
    return NEXT_UNDO;
}

/* The old primary answered between the certificate and the promotion (the run was taken up again,
 * or the lanes were slow) and shows that lossless had broken, or that it executed what no drained
 * acker holds: what was certified no longer holds. */
static bool is_certificate_stale(struct plan_run *run, const struct cluster_view *view,
                                 int64_t now_mono_us)
{
    bool stands = run->lossless_stood && !plan_is_disproved(run, view);
    if (stands || run->certificate.kind != CERT_LOSSLESS || run->params.accept_loss)
        return false;
    plan_certify(run, view, now_mono_us);
    if (certificate_may_proceed(&run->certificate, view->config))
        return false;
    plan_say(run->text, sizeof run->text, "the certificate is %s by now: %s",
             certificate_kind_text(run->certificate.kind), run->certificate.reason);
    return true;
}

/* A human goes on whatever it says; what is recorded, shown and measured against is to be true all
 * the same. Where the old primary was fenced since, its set tells what the candidate lacks. */
static void certify_again(struct plan_run *run, const struct cluster_view *view, uint32_t lost,
                          int64_t now_mono_us)
{
    if (run->params.accept_loss && (!run->lossless_stood || lost != 0))
        plan_certify(run, view, now_mono_us);
}

enum plan_next plan_conclude_verify(struct plan_run *run, const struct cluster_view *view,
                                    uint32_t row, int64_t now_mono_us, uint32_t *ret_row)
{
    struct row_run *state = &run->rows[row];
    if (plan_should_look(run, row))
        return NEXT_LOOK;
    uint32_t lost = state->targets & ~state->done;
    run->f &= ~lost;
    run->r &= ~lost;
    bool needs_freeze = !run->fenced && !run->params.accept_loss;
    bool is_chosen_well =
        (lost & mask_of(run->candidate)) == 0; /* else it is not what was judged */
    if (is_chosen_well && needs_freeze && must_freeze_more(run, view, ret_row))
        return NEXT_GOTO;
    bool holds = (lost & (run->a | run->able)) == 0 && plan_has_proof(run, view);
    if (is_chosen_well && (!needs_freeze || holds)) {
        certify_again(run, view, lost, now_mono_us);
        if (is_certificate_stale(run, view, now_mono_us))
            return plan_undo_or_ask(run);
        return fence_is_lifted(run, view) ? fence_again(run, ret_row) : NEXT_ROW;
    }
    plan_name_failure(run, view, row, "no longer holds");
    if (run->past_no_return)
        return NEXT_ASK;
    if (run->rounds >= PLAN_ROUNDS_MAX)
        return NEXT_UNDO;
    run->rounds++;
    run->attached = 0;
    *ret_row = plan_row_of(run->kind, STEP_FREEZE);
    return NEXT_GOTO;
}

/* Seen not to have happened. The lane may have been late by seconds, in which the old primary came
 * back or a freeze was undone: what the promotion was judged by is looked at again before it is
 * repeated. */
static bool should_verify_again(struct plan_run *run)
{
    return plan_replaces(run->kind) && run->refusals++ < PLAN_REPEATS_MAX;
}

/* The candidate follows nobody and nobody may write to it yet: what it was seen to have executed
 * beyond what this run read of it was written by hand, and would be promoted with it. */
static bool is_written_to(struct plan_run *run, const struct cluster_view *view)
{
    const struct node_view *next = &view->nodes[run->candidate];
    if (!(next->groups_known & FACTS_STATUS) || run->params.accept_loss ||
        !(run->collected & run->detached & mask_of(run->candidate)) ||
        gtid_set_contains(&run->executed[run->candidate], &next->facts.executed))
        return false;
    plan_say(run->text, sizeof run->text, "%s was written to by hand since it was read",
             plan_node_name(view, run->candidate));
    return true;
}

enum plan_next plan_confirm(struct plan_run *run, const struct cluster_view *view, uint32_t row,
                            int64_t now_mono_us, uint32_t *ret_row)
{
    bool needs_freeze = !run->fenced && !run->params.accept_loss;
    if (!plan_replaces(run->kind) || plan_row_at(run, row)->step != STEP_WRITABLE ||
        MUTANT(view, WRITABLE_BEFORE_VERIFY) || MUTANT(view, CONFIRM_SKIPPED))
        return NEXT_ROW;
    if (run->maybe_open) { /* taken up past the point of no return: nobody else is chosen, and
                              nothing that the process before may have opened is closed */
        if (fence_is_lifted(run, view))
            return fence_again(run, ret_row);
        if (needs_freeze)
            (void)must_freeze_more(run, view, ret_row); /* says who; too late to go back for it */
        return (needs_freeze && !plan_has_proof(run, view)) ||
                       is_certificate_stale(run, view, now_mono_us)
                   ? NEXT_ASK
                   : NEXT_ROW;
    }
    run->past_no_return = false; /* nothing of it has begun */
    if (fence_is_lifted(run, view))
        return fence_again(run, ret_row);
    if (needs_freeze && must_freeze_more(run, view, ret_row))
        return NEXT_GOTO;
    if ((needs_freeze && !plan_has_proof(run, view)) || is_written_to(run, view) ||
        is_certificate_stale(run, view, now_mono_us))
        return NEXT_UNDO;
    run->past_no_return = true;
    return NEXT_ROW;
}

enum plan_next plan_conclude_writable(struct plan_run *run, const struct cluster_view *view,
                                      uint32_t row, uint32_t *ret_row)
{
    struct row_run *state = &run->rows[row];
    if (state->done == state->targets)
        return NEXT_ROW;
    run->maybe_open = run->maybe_open || (state->unknown & state->targets) != 0;
    bool never = (state->failed & state->targets) == state->targets && !run->maybe_open;
    if (never && should_verify_again(run)) {
        run->past_no_return = false;
        *ret_row = plan_row_of(run->kind, STEP_VERIFY_FREEZE) - 1; /* the old primary is closed */
        return NEXT_GOTO;
    }
    bool repeats = !plan_replaces(run->kind); /* a failover verified again as often */
    if (never ? repeats && plan_should_repeat(run, row) : plan_should_look(run, row))
        return NEXT_LOOK;
    if (never) {
        run->past_no_return = false;
        if (plan_replaces(run->kind))
            return plan_strike(run, view, row, ret_row);
        plan_name_failure(run, view, row, "failed");
        return NEXT_UNDO;
    }
    plan_name_failure(run, view, row, "is unknown");
    return NEXT_ASK;
}

bool plan_returner_holds_more(const struct plan_run *run, uint32_t row)
{
    if (plan_kind_has(run->kind, TRAIT_HOLDS_ALL)) /* it was missing when a human did without it */
        return row > plan_row_of(run->kind, STEP_CHOOSE) && run->fenced &&
               run->params.node == NO_NODE &&
               !gtid_set_contains(&run->executed[run->candidate], &run->fenced_executed);
    return plan_replaces(run->kind) && row > plan_row_of(run->kind, STEP_FREEZE) && run->fenced &&
           run->was_open && !run->params.accept_loss &&
           !(run->restarted & mask_of(run->old_primary)) &&
           !gtid_set_contains(&run->executed[run->candidate], &run->fenced_executed);
}
