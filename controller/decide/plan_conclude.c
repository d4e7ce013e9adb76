/* controller/decide/plan_conclude.c - a row's answers are in: may it end, and where to next? The
 * few rows with rules of their own are listed first; every other row needs all its targets. */
#include "controller/decide/plan_conclude_private.h"

void plan_name_failure(struct plan_run *run, const struct cluster_view *view, uint32_t row,
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

enum plan_next plan_undo_or_ask(const struct plan_run *run)
{
    return run->past_no_return ? NEXT_ASK : NEXT_UNDO;
}

enum plan_next plan_strike(struct plan_run *run, const struct cluster_view *view, uint32_t row,
                           uint32_t *ret_row)
{
    uint32_t bit = mask_of(run->candidate);
    plan_name_failure(run, view, row, "failed");
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

bool plan_should_repeat(struct plan_run *run, uint32_t row)
{
    struct row_run *state = &run->rows[row];
    uint32_t open = state->targets & ~state->done;
    if (state->looks >= PLAN_REPEATS_MAX)
        return false;
    state->failed &= ~open;
    state->unknown |= open;
    state->looks++;
    return true;
}

bool plan_should_look(struct plan_run *run, uint32_t row)
{
    struct row_run *state = &run->rows[row];
    uint32_t open = state->targets & ~state->done & ~state->failed;
    if (open == 0 || state->looks >= PLAN_LOOKS_MAX)
        return false;
    state->unknown |= open;
    state->looks++;
    return true;
}

/* In a failover those that this run attached, by their own word, are needed besides the server's
 * count, which MySQL takes from connections that may have ended. */
static enum plan_next conclude_wait_ackers(struct plan_run *run, const struct cluster_view *view,
                                           uint32_t row)
{
    struct row_run *state = &run->rows[row];
    bool attached = !plan_replaces(run->kind) || mask_count(run->attached) >= view->config->acks;
    if (state->done == state->targets && attached)
        return NEXT_ROW;
    if (plan_replaces(run->kind)) {
        run->degrade = view->config->without_acker == WITHOUT_ACKER_DEGRADE;
        return NEXT_ROW;
    }
    plan_name_failure(run, view, row, "failed");
    return plan_undo_or_ask(run);
}

/* Before the pause: how long the candidate took to execute what the primary held is how long
 * clients would wait. */
static enum plan_next conclude_lag(struct plan_run *run, const struct cluster_view *view,
                                   uint32_t row, int64_t now_mono_us, uint32_t *ret_row)
{
    struct row_run *state = &run->rows[row];
    int64_t lag_us = now_mono_us - state->begun_mono_us;
    if (!(state->done & mask_of(run->candidate))) {
        plan_name_failure(run, view, row, "before the write pause did not end");
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
        enough = plan_replaces(run->kind) || plan_has_ackers(run, view);
    if (enough || (what->flags & ROW_BEST_EFFORT))
        return NEXT_ROW;
    bool in_pause = run->kind == PLAN_SWITCHOVER && !run->past_no_return;
    if (what->step != STEP_HOOK_PRE && !in_pause &&
        ((state->failed & state->targets) ? plan_should_repeat(run, row)
                                          : plan_should_look(run, row)))
        return NEXT_LOOK;
    if (plan_replaces(run->kind) && !run->past_no_return && what->target == TARGET_CANDIDATE)
        return plan_strike(run, view, row, ret_row);
    plan_name_failure(run, view, row, (state->failed & state->targets) ? "failed" : "is unknown");
    return plan_undo_or_ask(run);
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
    if (run->errant & mask_of(run->candidate)) { /* it was none when it was chosen */
        plan_say(run->text, sizeof run->text, "%s was written to by hand since it was read",
                 plan_node_name(view, run->candidate));
        return NEXT_UNDO;
    }
    if (peer == NO_NODE)
        return NEXT_ROW;
    if (open != 0 && is_peer_lost(run, view, peer) && run->rounds < PLAN_ROUNDS_MAX) {
        plan_name_failure(run, view, row, "lost its peer");
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
        return plan_strike(run, view, row, ret_row);
    if (run->rounds >= PLAN_ROUNDS_MAX)
        return NEXT_UNDO;
    run->rounds++;
    *ret_row = row;
    return NEXT_GOTO;
}

/* The primary was read: before the copy, after the node forgot its source, after the copy. */
static enum plan_next conclude_reseed_collect(struct plan_run *run, const struct cluster_view *view,
                                              uint32_t row, int64_t now_mono_us)
{
    if (row > plan_row_of(run->kind, STEP_COPY))
        return plan_conclude_reseed_new(run, view);
    if (row > plan_row_of(run->kind, STEP_DETACH))
        return plan_conclude_reseed_acks(run, view, now_mono_us);
    return plan_conclude_reseed_old(run, view);
}

enum plan_next plan_conclude(struct plan_run *run, const struct cluster_view *view, uint32_t row,
                             int64_t now_mono_us, uint32_t *ret_row)
{
    enum step_kind step = plan_row_at(run, row)->step;
    if (step == STEP_FREEZE && plan_replaces(run->kind))
        return plan_conclude_freeze(run, view, row, ret_row);
    if (step == STEP_DRAIN && plan_replaces(run->kind))
        return plan_conclude_drain(run, view, row, now_mono_us);
    if (step == STEP_DRAIN) /* what it received and cannot execute is compared too */
        return NEXT_ROW;
    if (plan_kind_has(run->kind, TRAIT_NEEDS_PRIMARY) && !run->past_no_return &&
        plan_primary_restarted(run, view)) {
        (void)stay_copy(run->text, sizeof run->text, "the primary restarted while this plan ran");
        return NEXT_UNDO;
    }
    if (step == STEP_CHOOSE && run->candidate == NO_NODE) {
        (void)stay_copy(run->text, sizeof run->text, run->rows[row].text);
        return NEXT_UNDO;
    }
    if (step == STEP_FENCE && !run->past_no_return && plan_returner_holds_more(run, row)) {
        plan_say(run->text, sizeof run->text, "%s came back and holds transactions %s lacks: %s",
                 plan_node_name(view, run->old_primary), plan_node_name(view, run->candidate),
                 plan_kind_has(run->kind, TRAIT_HOLDS_ALL)
                     ? "order it again, with all that is there"
                     : "it stays the primary");
        run->stays = true;
        return NEXT_UNDO;
    }
    if (step == STEP_CATCH_UP && plan_kind_has(run->kind, TRAIT_TAKES_BACK))
        return plan_conclude_rejoin(run, view, row, now_mono_us);
    if (step == STEP_COPY || step == STEP_REWIND)
        return plan_conclude_copy(run, view, row, now_mono_us);
    if (step == STEP_CERTIFY)
        return plan_conclude_certify(run, view, ret_row);
    if (step == STEP_TOP_UP)
        return conclude_top_up(run, view, row, ret_row);
    if (step == STEP_VERIFY_FREEZE)
        return plan_conclude_verify(run, view, row, now_mono_us, ret_row);
    if (step == STEP_WRITABLE)
        return plan_conclude_writable(run, view, row, ret_row);
    if (step == STEP_CATCH_UP && run->kind == PLAN_SWITCHOVER && !run->fenced)
        return conclude_lag(run, view, row, now_mono_us, ret_row);
    if (step == STEP_WAIT_ACKERS && run->kind != PLAN_MAKE_WRITABLE)
        return conclude_wait_ackers(run, view, row);
    if (step == STEP_QUARANTINE && run->kind != PLAN_FENCE && run->kind != PLAN_QUARANTINE &&
        run->kind != PLAN_RESEED)
        return NEXT_ASK; /* the text says what it holds */
    enum plan_next next = conclude_plain(run, view, row, ret_row);
    if (next == NEXT_ROW && step == STEP_COLLECT && run->kind == PLAN_RESEED)
        return conclude_reseed_collect(run, view, row, now_mono_us);
    if (next == NEXT_ROW && step == STEP_COLLECT && plan_kind_has(run->kind, TRAIT_COMPARES))
        next = plan_conclude_compare(run, view);
    if (step == STEP_COLLECT && run->kind == PLAN_REWIND && run->diverged &&
        gtid_set_is_empty(&run->extra))
        return NEXT_UNDO; /* by numbers given twice: nothing tells which rows to put back */
    return next;
}
