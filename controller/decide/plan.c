/* controller/decide/plan.c - the life of a run after its start (plan_start.c): the work of PURE
 * rows, what a row's begin does to the run, resume. */
#include "controller/decide/plan_private.h"

#include <stdarg.h>

void plan_say(char *text, size_t size, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, size, fmt, args);
    va_end(args);
}

const struct plan_row *plan_row_at(const struct plan_run *run, uint32_t row)
{
    size_t count = 0;
    const struct plan_row *rows = plan_rows(run->kind, &count);
    must(row < count);
    return &rows[row];
}

uint32_t plan_required(const struct plan_run *run, uint32_t targets)
{
    uint32_t required = targets & run->a;
    return required != 0 ? required : targets;
}

bool plan_has_proof(const struct plan_run *run, const struct cluster_view *view)
{
    if (run->fenced || run->params.accept_loss || MUTANT(view, FENCE_SKIPPED))
        return true;
    if (run->mode != MODE_LOSSLESS)
        return true; /* judged by the certificate's estimate, not by revocation */
    if (MUTANT(view, K_IGNORED))
        return run->f != 0;
    uint32_t loose = mask_count((run->a | run->able) & ~run->f);
    if (MUTANT(view, LESS_FOR_LESS_EQUAL))
        return loose <= run->acks;
    return run->a != 0 && loose < run->acks;
}

void plan_run_clear(struct plan_run *run)
{
    gtid_set_clear(&run->fenced_executed);
    gtid_set_clear(&run->last_word);
    gtid_set_clear(&run->extra);
    for (uint32_t node = 0; node < NODES_MAX; node++) {
        gtid_set_clear(&run->executed[node]);
        gtid_set_clear(&run->received_high[node]);
    }
    memset(run, 0, sizeof *run);
}

/* Why not, of each: the one a human may accept is not always the first or the last. */
static void say_refused(const struct plan_run *run, const struct cluster_view *view,
                        const struct candidate_note *notes, size_t count, char *text)
{
    const char *mark = ":";
    (void)stay_copy(text, PLAN_TEXT_MAX, PLAN_NOBODY);
    for (size_t i = 0; i < count; i++) {
        size_t used = strlen(text);
        if (run->params.node != NO_NODE && run->params.node != notes[i].node)
            continue;
        plan_say(text + used, PLAN_TEXT_MAX - used, "%s %s: %s", mark,
                 plan_node_name(view, notes[i].node), notes[i].why);
        mark = ";";
    }
}

static void compute_choose(struct plan_run *run, const struct cluster_view *view, uint32_t row,
                           int64_t now_mono_us)
{
    struct candidate_note notes[NODES_MAX];
    size_t count = 0;
    const struct plan_run *held = plan_replaces(run->kind) ? run : NULL;
    run->candidate = candidate_choose(view, held, now_mono_us, notes, &count);
    if (run->params.node != NO_NODE) {
        bool may = false;
        for (size_t i = 0; i < count; i++)
            may = may || (notes[i].node == run->params.node && notes[i].eligible);
        run->candidate = may ? run->params.node : NO_NODE;
    }
    char *text = run->rows[row].text;
    if (run->kind == PLAN_SWITCHOVER && candidate_is_evacuated(view, run->candidate))
        run->candidate = NO_NODE; /* the notes name its zone */
    if (run->candidate == NO_NODE) {
        say_refused(run, view, notes, count, text);
        return;
    }
    uint32_t ackers = candidate_ackers(view, run, run->candidate);
    run->degrade = plan_replaces(run->kind) && run->aims_lossless &&
                   mask_count(ackers) < view->config->acks &&
                   view->config->without_acker == WITHOUT_ACKER_DEGRADE;
    for (size_t i = 0; i < count; i++)
        if (notes[i].node == run->candidate)
            plan_say(text, PLAN_TEXT_MAX, "%s: %s", plan_node_name(view, run->candidate),
                     notes[i].why);
}

void plan_compute(struct plan_run *run, const struct cluster_view *view, uint32_t row,
                  int64_t now_mono_us)
{
    enum step_kind step = plan_row_at(run, row)->step;
    if (step == STEP_CHOOSE && plan_kind_has(run->kind, TRAIT_HOLDS_ALL))
        plan_choose_outage(run, view, row, now_mono_us);
    else if (step == STEP_CHOOSE)
        compute_choose(run, view, row, now_mono_us);
    else if (step == STEP_CERTIFY) {
        plan_certify(run, view, now_mono_us);
        plan_say(run->rows[row].text, PLAN_TEXT_MAX, "%s by %s: %s",
                 certificate_kind_text(run->certificate.kind),
                 proof_kind_text(run->certificate.proof), run->certificate.reason);
    }
}

void plan_begin_row(struct plan_run *run, uint32_t row, uint32_t targets, int64_t now_mono_us)
{
    const struct plan_row *what = plan_row_at(run, row);
    struct row_run *state = &run->rows[row];
    state->state = ROW_RUNNING;
    state->targets = targets;
    state->touched |= targets;
    state->done = state->failed = state->unknown = 0;
    state->begun_mono_us = now_mono_us;
    state->ended_mono_us = STAY_NEVER;
    if (what->step == STEP_DETACH || what->step == STEP_ATTACH || what->step == STEP_TOP_UP)
        run->moved |= targets;
    if (what->step == STEP_REPLAY)
        run->replayed |= targets;
    for (uint32_t node = 0; what->step == STEP_TOP_UP && node < NODES_MAX; node++)
        if (targets & NODE_BIT(node))
            run->stalls[node] = 0; /* its drain's are over */
    if (what->flags & ROW_NO_RETURN)
        run->past_no_return = true;
}

void plan_reset_rows(struct plan_run *run, uint32_t row)
{
    for (; row < PLAN_ROWS_MAX; row++) {
        uint32_t touched = run->rows[row].touched;
        memset(&run->rows[row], 0, sizeof run->rows[row]);
        run->rows[row].touched = touched;
        run->rows[row].begun_mono_us = run->rows[row].ended_mono_us = STAY_NEVER;
    }
}

/* The fence as the process before this one knew it. It may have been undone while the store
 * answered nothing: then the old primary takes writes again, all is well, and it is undone once
 * more; one that cannot be read now may do so too. And it may have gone through without its answer
 * being kept. True: undo. */
static bool is_fence_gone(struct plan_run *run, const struct cluster_view *view)
{
    const struct row_run *fence = &run->rows[plan_row_of(run->kind, STEP_FENCE)];
    if (run->old_primary >= view->config->node_count || MUTANT(view, RESUME_TRUSTS_FENCE))
        return false;
    const struct node_view *old = &view->nodes[run->old_primary];
    bool is_read = (old->groups_known & FACTS_STATUS) != 0;
    if (run->fenced && is_read && old->facts.read_only == TRI_NO) {
        (void)stay_copy(run->text, sizeof run->text,
                        "the old primary takes writes again since it was fenced");
        return true;
    }
    run->fenced = run->fenced && is_read;
    run->fence_unheard =
        run->fence_unheard || (!run->fenced && (fence->touched & ~fence->failed) != 0);
    return false;
}

/* Before the point of no return: a failover whose intent is stored completes, with everything read
 * again; a switchover is undone, its old primary is well; so is a recovery: a human looks again.
 * Plans without such a point start over after their intent: each of their effects is idempotent. */
enum plan_next plan_resume(struct plan_run *run, const struct cluster_view *view,
                           int64_t now_mono_us, uint32_t *ret_row)
{
    uint32_t gone = run->detached & run->struck;
    if (now_mono_us < run->begun_mono_us) /* another clock: what was seen when cannot be compared */
        run->acks_flowed = false;
    *ret_row = run->row;
    plan_note_broken(run, view);
    if (run->state == RUN_UNDOING)
        return NEXT_UNDO;
    if (run->past_no_return) {
        uint32_t writable = plan_row_of(run->kind, STEP_WRITABLE);
        uint32_t verify = plan_row_of(run->kind, STEP_VERIFY_FREEZE);
        bool redo = plan_replaces(run->kind) && run->row == writable &&
                    !MUTANT(view, FREEZE_LOST_AT_RESTART);
        run->maybe_open = run->maybe_open || run->row == writable;
        /* the row before it closes an old primary that came back meanwhile */
        *ret_row = redo ? verify - 1 : run->row;
        return redo ? NEXT_GOTO : NEXT_ROW;
    }
    uint32_t hook = plan_row_of(run->kind, STEP_HOOK_PRE);
    size_t count = 0;
    (void)plan_rows(run->kind, &count);
    if (plan_kind_has(run->kind, TRAIT_UNDONE_AT_RESTART)) {
        (void)stay_copy(run->text, sizeof run->text,
                        "the controller restarted before the point of no return: undone");
        run->interrupted = true;
        return NEXT_UNDO;
    }
    if (plan_replaces(run->kind) && run->row > hook) {
        if (is_fence_gone(run, view))
            return NEXT_UNDO;
        if (!MUTANT(view, FREEZE_LOST_AT_RESTART)) {
            run->f &= gone;
            run->r &= gone;
            run->collected &= gone;
        }
        *ret_row = plan_row_of(run->kind, STEP_ROUTE_CLOSE);
        return NEXT_GOTO;
    }
    uint32_t copy = plan_row_of(run->kind, STEP_COPY);
    if (run->kind == PLAN_RESEED && run->row >= copy) { /* what is under way goes on */
        *ret_row = run->row > copy ? copy + 1 : copy;
        return NEXT_GOTO;
    }
    if (!plan_replaces(run->kind))
        *ret_row = plan_row_of(run->kind, STEP_INTENT) + 1;
    return NEXT_GOTO;
}
