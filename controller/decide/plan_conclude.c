/* controller/decide/plan_conclude.c - a row's answers are in: may it end, and where to next? The
 * few rows with rules of their own are listed first; every other row needs all its targets. */
#include "controller/decide/plan_private.h"
#include "controller/decide/verdict.h"

static void name_failure(struct plan_run *run, const struct cluster_view *view, uint32_t row,
                         const char *what)
{
    const struct row_run *state = &run->rows[row];
    uint32_t bad = state->targets & ~state->done;
    uint32_t node = bad != 0 ? (uint32_t)__builtin_ctz(bad) : NO_NODE;
    bool named = step_kind_class(plan_row_at(run, row)->step) == CLASS_NODE;
    plan_say(run->text, sizeof run->text, "%s %s%s%s%s%s",
             step_kind_text(plan_row_at(run, row)->step), what, named ? " on " : "",
             named ? plan_node_name(view, node) : "", state->text[0] ? ": " : "", state->text);
}

static enum plan_next undo_or_ask(struct plan_run *run)
{
    return run->past_no_return ? NEXT_ASK : NEXT_UNDO;
}

/* The candidate failed before it could be writable: freeze and read everything again, choose
 * another. Detached for good it stays in F and R: it cannot acknowledge, and its set was read. */
static enum plan_next strike(struct plan_run *run, const struct cluster_view *view, uint32_t row,
                             uint32_t *ret_row)
{
    uint32_t bit = mask_of(run->candidate);
    name_failure(run, view, row, "failed");
    run->struck |= bit;
    run->refusals = 0;
    if (!(run->detached & bit)) {
        run->f &= ~bit;
        run->r &= ~bit;
        run->collected &= ~bit;
    }
    if (run->rounds >= PLAN_ROUNDS_MAX)
        return NEXT_UNDO;
    run->rounds++;
    run->past_no_return = false;
    run->attached = 0;
    run->degrade = false;
    *ret_row = plan_row_of(run->kind, STEP_FREEZE);
    return NEXT_GOTO;
}

/* Not done is safe to repeat: nothing happened. Twice, for what passes (a late lane, a lost
 * session). */
static bool should_repeat(struct plan_run *run, uint32_t row)
{
    struct row_run *state = &run->rows[row];
    uint32_t open = state->targets & ~state->done;
    if (open == 0 || state->looks >= PLAN_REPEATS_MAX)
        return false;
    state->failed &= ~open;
    state->unknown |= open;
    state->looks++;
    return true;
}

static bool should_look(struct plan_run *run, uint32_t row)
{
    struct row_run *state = &run->rows[row];
    uint32_t open = state->targets & ~state->done & ~state->failed;
    if (open == 0 || state->looks >= PLAN_LOOKS_MAX)
        return false;
    state->unknown |= open;
    state->looks++;
    return true;
}

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

static enum plan_next conclude_freeze(struct plan_run *run, const struct cluster_view *view,
                                      uint32_t row, uint32_t *ret_row)
{
    plan_note_able(run, view);
    if (plan_has_proof(run, view))
        return NEXT_ROW;
    struct row_run *state = &run->rows[row];
    if ((state->targets & (run->a | run->able) & ~state->done) != 0 && should_repeat(run, row))
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

static enum plan_next conclude_drain(struct plan_run *run, const struct cluster_view *view,
                                     uint32_t row, int64_t now_mono_us)
{
    struct row_run *state = &run->rows[row];
    uint32_t lost = state->unknown & plan_drain_required(run, state);
    bool in_time = now_mono_us - state->begun_mono_us < plan_row_at(run, row)->deadline_us;
    bool needs_it = run->r == 0 || !plan_is_drain_settled(run, state);
    if ((lost & run->slow) != 0 && in_time && needs_it) {
        if ((lost & ~run->slow) != 0 && state->looks < PLAN_LOOKS_MAX)
            state->looks++;
        if (state->looks >= PLAN_LOOKS_MAX) { /* those that do not even answer are given up */
            state->failed |= state->unknown & ~run->slow;
            state->unknown &= run->slow;
        }
        return NEXT_LOOK;
    }
    if (lost != 0 && in_time && needs_it && should_look(run, row))
        return NEXT_LOOK;
    uint32_t spare = run->spare & run->f & run->collected & ~run->r & ~plan_gone(run);
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

/* Was the old primary seen to accept writes after it was fenced: restarted by somebody whose
 * configuration opens it, or opened by hand? */
static bool fence_is_lifted(const struct plan_run *run, const struct cluster_view *view)
{
    if (run->kind != PLAN_FAILOVER || !run->fenced || run->old_primary >= view->config->node_count)
        return false;
    const struct node_view *old = &view->nodes[run->old_primary];
    const struct row_run *fence = &run->rows[plan_row_of(run->kind, STEP_FENCE)];
    return (old->groups_known & FACTS_STATUS) && old->facts.read_only == TRI_NO &&
           fence->ended_mono_us != STAY_NEVER && old->facts_begun_mono_us > fence->ended_mono_us;
}

/* It may have acknowledged alone since: the fence's word and lossless_since no longer tell. */
static enum plan_next fence_again(struct plan_run *run, uint32_t *ret_row)
{
    run->fenced = run->lossless_stood = false;
    run->attached = 0;
    (void)stay_copy(run->text, sizeof run->text,
                    "the old primary accepted writes again after it was fenced");
    if (run->rounds >= PLAN_ROUNDS_MAX)
        return NEXT_UNDO;
    run->rounds++;
    *ret_row = plan_row_of(run->kind, STEP_ROUTE_CLOSE);
    return NEXT_GOTO;
}

static enum plan_next conclude_certify(struct plan_run *run, const struct cluster_view *view,
                                       uint32_t *ret_row)
{
    if (fence_is_lifted(run, view))
        return fence_again(run, ret_row);
    if (must_freeze_more(run, view, ret_row))
        return NEXT_GOTO;
    if (certificate_may_proceed(&run->certificate, view->config) || run->params.accept_loss)
        return NEXT_ROW;
    plan_say(run->text, sizeof run->text, "certificate %s is not accepted: %s",
             certificate_kind_text(run->certificate.kind), run->certificate.reason);
    return NEXT_UNDO;
}

/* The old primary answered between the certificate and the promotion (the run was taken up again,
 * or the lanes were slow) and shows that lossless had broken: what was certified no longer
 * holds. */
static bool is_certificate_stale(struct plan_run *run, const struct cluster_view *view,
                                 int64_t now_mono_us)
{
    if (run->lossless_stood || run->certificate.kind != CERT_LOSSLESS || run->params.accept_loss)
        return false;
    plan_certify(run, view, now_mono_us);
    if (certificate_may_proceed(&run->certificate, view->config))
        return false;
    plan_say(run->text, sizeof run->text, "the certificate is %s by now: %s",
             certificate_kind_text(run->certificate.kind), run->certificate.reason);
    return true;
}

static enum plan_next conclude_verify(struct plan_run *run, const struct cluster_view *view,
                                      uint32_t row, int64_t now_mono_us, uint32_t *ret_row)
{
    struct row_run *state = &run->rows[row];
    if (should_look(run, row))
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
        if (is_certificate_stale(run, view, now_mono_us))
            return undo_or_ask(run);
        return fence_is_lifted(run, view) ? fence_again(run, ret_row) : NEXT_ROW;
    }
    name_failure(run, view, row, "no longer holds");
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
    return run->kind == PLAN_FAILOVER && run->refusals++ < PLAN_REPEATS_MAX;
}

enum plan_next plan_confirm(struct plan_run *run, const struct cluster_view *view, uint32_t row,
                            int64_t now_mono_us, uint32_t *ret_row)
{
    bool needs_freeze = !run->fenced && !run->params.accept_loss;
    if (run->kind != PLAN_FAILOVER || plan_row_at(run, row)->step != STEP_WRITABLE ||
        run->maybe_open || MUTANT(view, WRITABLE_BEFORE_VERIFY))
        return NEXT_ROW;
    run->past_no_return = false; /* nothing of it has begun */
    if (fence_is_lifted(run, view))
        return fence_again(run, ret_row);
    if (needs_freeze && must_freeze_more(run, view, ret_row))
        return NEXT_GOTO;
    if ((needs_freeze && !plan_has_proof(run, view)) ||
        is_certificate_stale(run, view, now_mono_us))
        return NEXT_UNDO;
    run->past_no_return = true;
    return NEXT_ROW;
}

static enum plan_next conclude_writable(struct plan_run *run, const struct cluster_view *view,
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
    bool repeats = run->kind != PLAN_FAILOVER; /* a failover verified again as often */
    if (never ? repeats && should_repeat(run, row) : should_look(run, row))
        return NEXT_LOOK;
    if (never) {
        run->past_no_return = false;
        if (run->kind == PLAN_FAILOVER)
            return strike(run, view, row, ret_row);
        name_failure(run, view, row, "failed");
        return NEXT_UNDO;
    }
    name_failure(run, view, row, "is unknown");
    return NEXT_ASK;
}

/* The old primary came back whole and holds what the candidate lacks: it stays the primary, rather
 * than that any of it be lost to a promise that broke unseen. */
static bool returner_holds_more(const struct plan_run *run, uint32_t row)
{
    return run->kind == PLAN_FAILOVER && row > plan_row_of(run->kind, STEP_FREEZE) && run->fenced &&
           run->was_open && !run->params.accept_loss &&
           !(run->restarted & mask_of(run->old_primary)) &&
           !gtid_set_contains(&run->executed[run->candidate], &run->fenced_executed);
}

/* In a failover those that this run attached, by their own word, are needed besides the server's
 * count, which MySQL takes from connections that may have ended. */
static enum plan_next conclude_wait_ackers(struct plan_run *run, const struct cluster_view *view,
                                           uint32_t row)
{
    struct row_run *state = &run->rows[row];
    bool attached = run->kind != PLAN_FAILOVER || mask_count(run->attached) >= view->config->acks;
    if (state->done == state->targets && attached)
        return NEXT_ROW;
    if (run->kind == PLAN_FAILOVER) {
        run->degrade = view->config->without_acker == WITHOUT_ACKER_DEGRADE;
        return NEXT_ROW;
    }
    name_failure(run, view, row, "failed");
    return undo_or_ask(run);
}

/* Before the pause: how long the candidate took to execute what the primary held is how long
 * clients would wait. */
static enum plan_next conclude_lag(struct plan_run *run, const struct cluster_view *view,
                                   uint32_t row, int64_t now_mono_us, uint32_t *ret_row)
{
    struct row_run *state = &run->rows[row];
    int64_t lag_us = now_mono_us - state->begun_mono_us;
    if (!(state->done & mask_of(run->candidate))) {
        name_failure(run, view, row, "before the write pause did not end");
        return NEXT_UNDO;
    }
    if (lag_us <= PLAN_LAG_SHORT_US)
        return NEXT_ROW;
    plan_say(state->text, sizeof state->text, "%s was %lld ms behind",
             plan_node_name(view, run->candidate), (long long)(lag_us / STAY_MS));
    if (now_mono_us - run->begun_mono_us < PLAN_LAG_MAX_S * STAY_SECOND) {
        *ret_row = plan_row_of(run->kind, STEP_COLLECT);
        return NEXT_GOTO;
    }
    if (lag_us <= PLAN_LAG_PAUSE_US)
        return NEXT_ROW;
    plan_say(run->text, sizeof run->text,
             "%s: clients would wait as long; nothing was touched, try again at a calmer time",
             state->text);
    return NEXT_UNDO;
}

/* All other rows: every target done, else by kind of plan. */
static enum plan_next conclude_plain(struct plan_run *run, const struct cluster_view *view,
                                     uint32_t row, uint32_t *ret_row)
{
    const struct plan_row *what = plan_row_at(run, row);
    struct row_run *state = &run->rows[row];
    bool enough = (state->targets & ~state->done) == 0;
    if (what->step == STEP_BARRIER)
        enough = mask_count(state->done) >= view->config->acks;
    if (what->step == STEP_REPLICA_ROLE && run->kind != PLAN_QUARANTINE)
        enough = mask_count(state->done &
                            plan_acker_nodes(view, run->candidate, state->begun_mono_us)) >=
                 view->config->acks;
    if (what->step == STEP_CATCH_UP && run->kind == PLAN_SWITCHOVER)
        enough = (state->done & mask_of(run->candidate)) != 0;
    if (what->step == STEP_ATTACH && what->target == TARGET_ACKERS)
        enough = run->kind == PLAN_FAILOVER || plan_has_ackers(run, view);
    if (enough || (what->flags & ROW_BEST_EFFORT))
        return NEXT_ROW;
    bool in_pause = run->kind == PLAN_SWITCHOVER && !run->past_no_return;
    if (what->step != STEP_HOOK_PRE && !in_pause &&
        ((state->failed & state->targets) ? should_repeat(run, row) : should_look(run, row)))
        return NEXT_LOOK;
    if (run->kind == PLAN_FAILOVER && !run->past_no_return && what->target == TARGET_CANDIDATE)
        return strike(run, view, row, ret_row);
    name_failure(run, view, row, (state->failed & state->targets) ? "failed" : "is unknown");
    return undo_or_ask(run);
}

/* The peer restarted since it was frozen: what it was to give may be gone with its tail. */
static bool is_peer_lost(const struct plan_run *run, const struct cluster_view *view, uint32_t peer)
{
    const struct node_view *seen = &view->nodes[peer];
    return (seen->groups_known & FACTS_STATUS) != 0 &&
           seen->facts_begun_mono_us > run->freeze_mono_us[peer] &&
           plan_has_restarted(seen->facts.uptime_s, run->freeze_uptime_s[peer],
                              run->freeze_mono_us[peer], seen->facts_mono_us);
}

/* By slices, for as long as they bring something. */
static enum plan_next conclude_top_up(struct plan_run *run, const struct cluster_view *view,
                                      uint32_t row, uint32_t *ret_row)
{
    struct row_run *state = &run->rows[row];
    uint32_t peer = candidate_top_up_peer(view, run, run->candidate);
    uint32_t open = state->targets & ~state->done;
    if (peer == NO_NODE)
        return NEXT_ROW;
    if (open != 0 && is_peer_lost(run, view, peer) && run->rounds < PLAN_ROUNDS_MAX) {
        name_failure(run, view, row, "lost its peer");
        run->restarted |= NODE_BIT(peer);
        run->f &= ~NODE_BIT(peer);
        run->r &= ~NODE_BIT(peer);
        run->collected &= ~NODE_BIT(peer);
        run->rounds++;
        *ret_row = plan_row_of(run->kind, STEP_FREEZE);
        return NEXT_GOTO;
    }
    if (open != 0 && run->stalls[run->candidate] < PLAN_TOP_UP_STALLS_MAX) {
        state->failed &= ~open;
        state->unknown |= open;
        state->looks = 1;
        return NEXT_LOOK;
    }
    if (open != 0)
        return strike(run, view, row, ret_row);
    if (run->rounds >= PLAN_ROUNDS_MAX)
        return NEXT_UNDO;
    run->rounds++;
    *ret_row = row;
    return NEXT_GOTO;
}

enum plan_next plan_conclude(struct plan_run *run, const struct cluster_view *view, uint32_t row,
                             int64_t now_mono_us, uint32_t *ret_row)
{
    enum step_kind step = plan_row_at(run, row)->step;
    if (step == STEP_FREEZE && run->kind == PLAN_FAILOVER)
        return conclude_freeze(run, view, row, ret_row);
    if (step == STEP_DRAIN && run->kind == PLAN_FAILOVER)
        return conclude_drain(run, view, row, now_mono_us);
    if (step == STEP_DRAIN) /* what it received and cannot execute is compared too */
        return NEXT_ROW;
    bool repairs = run->kind != PLAN_FAILOVER && run->kind != PLAN_SWITCHOVER &&
                   run->kind != PLAN_FENCE && run->kind != PLAN_MODE_DEGRADE;
    if (repairs && !run->past_no_return && plan_primary_restarted(run, view)) {
        (void)stay_copy(run->text, sizeof run->text, "the primary restarted while this plan ran");
        return NEXT_UNDO;
    }
    if (step == STEP_CHOOSE && run->candidate == NO_NODE) {
        (void)stay_copy(run->text, sizeof run->text, run->rows[row].text);
        return NEXT_UNDO;
    }
    if (step == STEP_FENCE && !run->past_no_return && returner_holds_more(run, row)) {
        plan_say(run->text, sizeof run->text,
                 "%s came back and holds transactions %s lacks: it stays the primary",
                 plan_node_name(view, run->old_primary), plan_node_name(view, run->candidate));
        return NEXT_UNDO;
    }
    if (step == STEP_CATCH_UP && run->kind == PLAN_REJOIN)
        return plan_conclude_rejoin(run, view, row, now_mono_us);
    if (step == STEP_CERTIFY)
        return conclude_certify(run, view, ret_row);
    if (step == STEP_TOP_UP)
        return conclude_top_up(run, view, row, ret_row);
    if (step == STEP_VERIFY_FREEZE)
        return conclude_verify(run, view, row, now_mono_us, ret_row);
    if (step == STEP_WRITABLE)
        return conclude_writable(run, view, row, ret_row);
    if (step == STEP_CATCH_UP && run->kind == PLAN_SWITCHOVER && !run->fenced)
        return conclude_lag(run, view, row, now_mono_us, ret_row);
    if (step == STEP_WAIT_ACKERS && run->kind != PLAN_MAKE_WRITABLE)
        return conclude_wait_ackers(run, view, row);
    if (step == STEP_QUARANTINE && run->kind != PLAN_FENCE && run->kind != PLAN_QUARANTINE)
        return NEXT_ASK; /* the text says what it holds */
    enum plan_next next = conclude_plain(run, view, row, ret_row);
    if (next == NEXT_ROW && step == STEP_COLLECT &&
        (run->kind == PLAN_REJOIN || run->kind == PLAN_REPOINT || run->kind == PLAN_QUARANTINE))
        return plan_conclude_compare(run, view);
    return next;
}
