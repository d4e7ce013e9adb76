/* controller/act/executor_rows.c - forward: which rows run together, their effects, their ends. */
#include "controller/act/executor_private.h"

static bool is_light(const struct plan_row *what)
{
    return (what->flags & ROW_NO_SAVE) != 0;
}

/* Our heartbeat row. */
static bool writes(const struct plan_row *what)
{
    return what->step == STEP_CANARY || what->step == STEP_CANARY_ROUTE;
}

/* Rows that change something are durable before they begin; light rows that write need the last
 * compare to be young. */
static bool row_needs_save(const struct executor *x, uint32_t row)
{
    size_t count = 0;
    const struct plan_row *what = &plan_rows(x->run.kind, &count)[row];
    if ((!is_light(what) && !MUTANT(x->view, JOURNAL_SKIPPED)) || x->must_save)
        return true;
    return writes(what) && (x->saved_mono_us == STAY_NEVER ||
                            x->now_mono_us - x->saved_mono_us > EXEC_VALID_LEFT_US);
}

static void end_row(struct executor *x, uint32_t row, enum row_state state)
{
    x->run.rows[row].state = state;
    x->run.rows[row].ended_mono_us = x->now_mono_us;
    exec_note(x, EXEC_ROW_ENDED, row);
}

static bool is_all_done(const struct executor *x, uint32_t row)
{
    const struct row_run *state = &x->run.rows[row];
    return (state->targets & ~state->done) == 0;
}

static int64_t look_pause_us(const struct row_run *state)
{
    return state->looks == 0 ? PLAN_LOOK_US : PLAN_LOOK_US << (state->looks - 1);
}

/* Where a conclusion leads. Returns true when rows after run.row should be taken now. */
static bool follow(struct executor *x, enum plan_next next, uint32_t row, uint32_t to)
{
    switch (next) {
    case NEXT_ROW:
        return true;
    case NEXT_GOTO:
        end_row(x, row, is_all_done(x, row) ? ROW_DONE : ROW_FAILED);
        plan_reset_rows(&x->run, to);
        x->run.row = to;
        return true;
    case NEXT_LOOK:
        x->first = x->last = row;
        x->phase = PHASE_LOOK;
        x->again_mono_us = x->now_mono_us + look_pause_us(&x->run.rows[row]);
        exec_wake(x, x->again_mono_us);
        return false;
    case NEXT_UNDO:
        end_row(x, row, ROW_FAILED);
        exec_begin_undo(x);
        return false;
    case NEXT_ASK: /* a STORE row is done when the save is */
        if (!(x->unsaved_rows & row_bit(row)))
            end_row(x, row, ROW_FAILED);
        x->run.rows[row].state = x->unsaved_rows & row_bit(row) ? ROW_DONE : ROW_FAILED;
        exec_finish(x, RUN_ASKS);
        return false;
    }
    return false;
}

/* A row without effects: computed, or a record change that goes with the next save. */
static bool take_local_row(struct executor *x, uint32_t row, enum step_class class)
{
    uint32_t to = row;
    plan_begin_row(&x->run, row, 1, x->now_mono_us);
    exec_note(x, EXEC_ROW_BEGUN, row);
    x->run.rows[row].done = 1;
    if (class == CLASS_PURE)
        plan_compute(&x->run, x->view, row, x->now_mono_us);
    else
        x->unsaved_rows |= row_bit(row);
    enum plan_next next = plan_conclude(&x->run, x->view, row, x->now_mono_us, &to);
    if (next != NEXT_ROW)
        return follow(x, next, row, to);
    x->run.rows[row].state = ROW_DONE;
    if (class == CLASS_PURE)
        end_row(x, row, ROW_DONE);
    x->run.row = row + 1;
    return true;
}

/* Rows first..last of a group begin; those with nothing to do are skipped. False: all are. */
static bool begin_group(struct executor *x, const struct plan_row *rows, bool *ret_save)
{
    *ret_save = x->unsaved_rows != 0;
    x->open_rows = 0;
    x->was_past = x->run.past_no_return;
    for (uint32_t row = x->first; row <= x->last; row++) {
        must(step_kind_class(rows[row].step) == CLASS_NODE ||
             step_kind_class(rows[row].step) == CLASS_ROUTE);
        uint32_t targets = plan_targets(&x->run, x->view, row, x->now_mono_us);
        if (targets == 0) {
            x->run.rows[row].state = ROW_SKIPPED;
            continue;
        }
        plan_begin_row(&x->run, row, targets, x->now_mono_us);
        x->open_rows |= row_bit(row);
        *ret_save = *ret_save || row_needs_save(x, row);
    }
    return x->open_rows != 0;
}

void exec_forward(struct executor *x)
{
    size_t count = 0;
    const struct plan_row *rows = plan_rows(x->run.kind, &count);
    for (;;) {
        uint32_t row = x->run.row;
        bool save = false;
        if (row >= count) {
            exec_finish(x, RUN_SUCCEEDED);
            return;
        }
        if (!x->run.past_no_return && exec_turns_back(x)) {
            exec_begin_undo(x);
            return;
        }
        enum step_class class = step_kind_class(rows[row].step);
        if (class == CLASS_PURE || class == CLASS_STORE) {
            if (plan_targets(&x->run, x->view, row, x->now_mono_us) == 0) {
                x->run.rows[row].state = ROW_SKIPPED;
                x->run.row = row + 1;
            } else if (!take_local_row(x, row, class)) {
                return;
            }
            continue;
        }
        x->first = x->last = row;
        while (rows[x->last].flags & ROW_WITH_NEXT)
            x->last++;
        if (!begin_group(x, rows, &save)) {
            x->run.row = x->last + 1;
            continue;
        }
        if (save)
            exec_save(x, AFTER_ROWS);
        else
            exec_start_rows(x);
        return;
    }
}

void exec_send(struct executor *x, uint32_t row, uint32_t node, struct effect *effect)
{
    size_t count = 0;
    const struct plan_row *what = &plan_rows(x->run.kind, &count)[row];
    bool undoing = x->run.state == RUN_UNDOING;
    must(x->pending_count < EXEC_PENDING_MAX);
    effect->deadline_mono_us = x->deadline_mono_us[row] - EXEC_ANSWER_US;
    bool reads = !undoing && is_light(what) && !writes(what);
    int64_t owned_us = x->storeless ? x->now_mono_us : x->saved_mono_us; /* nobody else can act */
    effect->valid_until_mono_us = reads || MUTANT(x->view, LATE_SQL)
                                      ? INT64_MAX
                                      : owned_us + plan_step_validity_us(effect->step);
    uint64_t token = ++x->last_token;
    x->pending[x->pending_count++] = (struct exec_pending){token, row, node};
    x->env.start_effect(x->env.ctx, token, effect);
}

void exec_forget(struct executor *x, uint32_t row)
{
    size_t kept = 0;
    for (size_t i = 0; i < x->pending_count; i++)
        if (x->pending[i].row != row)
            x->pending[kept++] = x->pending[i];
    x->pending_count = kept;
}

static void start_row(struct executor *x, uint32_t row, uint32_t nodes)
{
    x->deadline_mono_us[row] = x->now_mono_us + plan_effect_deadline_us(&x->run, row);
    exec_wake(x, x->deadline_mono_us[row]);
    for (uint32_t node = 0; node < NODES_MAX; node++) {
        struct effect effect;
        if (!(nodes & (UINT32_C(1) << node)))
            continue;
        plan_effect(&x->run, x->view, row, node, &effect);
        exec_send(x, row, node, &effect);
    }
}

/* What was seen while the save was on the way may forbid the promotion it was for. */
static bool is_confirmed(struct executor *x)
{
    uint32_t to = x->first;
    bool is_anew = x->was_past && !x->run.maybe_open;
    enum plan_next next =
        is_anew ? NEXT_ROW : plan_confirm(&x->run, x->view, x->first, x->now_mono_us, &to);
    if (next == NEXT_ROW)
        return true;
    x->open_rows = 0;
    if (follow(x, next, x->first, to))
        exec_forward(x);
    return false;
}

void exec_start_rows(struct executor *x)
{
    if (!is_confirmed(x))
        return;
    x->phase = PHASE_ROWS;
    x->starting = true;
    for (uint32_t row = x->first; row <= x->last; row++)
        if (x->open_rows & row_bit(row)) {
            exec_note(x, EXEC_ROW_BEGUN, row);
            start_row(x, row, x->run.rows[row].targets);
        }
    x->starting = false;
    exec_try_conclude(x);
}

void exec_start_look(struct executor *x)
{
    struct row_run *state = &x->run.rows[x->first];
    uint32_t nodes = state->unknown;
    state->unknown = 0;
    x->phase = PHASE_ROWS;
    x->open_rows = row_bit(x->first);
    x->starting = true;
    start_row(x, x->first, nodes);
    x->starting = false;
    exec_try_conclude(x);
}

/* Every row on the way answered, may end early, or is past its deadline? */
static bool are_rows_done(struct executor *x)
{
    bool all = true;
    for (uint32_t row = x->first; row <= x->last; row++) {
        int64_t recheck_us = INT64_MAX;
        if (!(x->open_rows & row_bit(row)))
            continue;
        if (x->now_mono_us < x->deadline_mono_us[row] &&
            !plan_is_row_done(&x->run, x->view, row, x->now_mono_us, &recheck_us)) {
            exec_wake(x, recheck_us);
            all = false;
        }
    }
    return all;
}

static enum row_state state_at_end(const struct executor *x, uint32_t row)
{
    const struct row_run *state = &x->run.rows[row];
    size_t count = 0;
    bool best = (plan_rows(x->run.kind, &count)[row].flags & ROW_BEST_EFFORT) != 0;
    bool late = x->run.kind == PLAN_SWITCHOVER && !best && state->failed == 0;
    return is_all_done(x, row) || state->done != 0 || late ? ROW_DONE : ROW_FAILED;
}

void exec_try_conclude(struct executor *x)
{
    if (x->phase != PHASE_ROWS || x->starting || !are_rows_done(x))
        return;
    for (uint32_t row = x->first; row <= x->last; row++) {
        uint32_t to = row;
        if (!(x->open_rows & row_bit(row)))
            continue;
        struct row_run *state = &x->run.rows[row];
        exec_forget(x, row);
        state->unknown |= state->targets & ~state->done & ~state->failed;
        x->open_rows &= ~row_bit(row);
        enum plan_next next = plan_conclude(&x->run, x->view, row, x->now_mono_us, &to);
        if (next == NEXT_ROW) {
            end_row(x, row, state_at_end(x, row));
            continue;
        }
        if (follow(x, next, row, to))
            exec_forward(x);
        return;
    }
    x->run.row = x->last + 1;
    exec_forward(x);
}
