/* controller/act/executor_undo.c - backwards: every row that touched something, last first; then
 * the end of a run, whichever it is. */
#include "controller/act/executor_private.h"

void exec_begin_undo(struct executor *x)
{
    size_t count = 0;
    (void)plan_rows(x->run.kind, &count);
    x->pending_count = 0;
    x->open_rows = 0;
    x->run.state = RUN_UNDOING;
    x->run.row = (uint32_t)count - 1;
    x->undo_tries = 0;
    exec_undo_next(x);
}

void exec_undo_next(struct executor *x)
{
    for (;;) {
        uint32_t row = x->run.row;
        uint32_t nodes = plan_undo_targets(&x->run, x->view, row, x->now_mono_us);
        if (x->run.rows[row].touched != 0 && nodes != 0) {
            x->run.rows[row].unknown = nodes;
            x->undo_tries = 0;
            exec_save(x, AFTER_UNDO);
            return;
        }
        if (row == 0)
            break;
        x->run.row--;
    }
    exec_finish(x, RUN_UNDONE);
}

void exec_start_undo(struct executor *x)
{
    uint32_t row = x->run.row;
    uint32_t nodes =
        x->run.rows[row].unknown & plan_undo_targets(&x->run, x->view, row, x->now_mono_us);
    x->phase = PHASE_UNDO;
    x->undo_tries++;
    x->deadline_mono_us[row] = x->now_mono_us + plan_undo_deadline_us(&x->run, row);
    exec_wake(x, x->deadline_mono_us[row]);
    x->starting = true;
    for (uint32_t node = 0; node < NODES_MAX; node++) {
        struct effect effect;
        if (!(nodes & (UINT32_C(1) << node)))
            continue;
        plan_undo_effect(&x->run, x->view, row, node, &effect);
        exec_send(x, row, node, &effect);
    }
    x->starting = false;
    exec_try_undone(x);
}

void exec_try_undone(struct executor *x)
{
    uint32_t row = x->run.row;
    struct row_run *state = &x->run.rows[row];
    if (x->phase != PHASE_UNDO || x->starting)
        return;
    if (x->pending_count != 0 && x->now_mono_us < x->deadline_mono_us[row])
        return;
    exec_forget(x, row);
    if (state->unknown != 0 && x->undo_tries < EXEC_UNDO_TRIES_MAX) {
        x->phase = PHASE_UNDO_AGAIN;
        x->again_mono_us = x->now_mono_us + PLAN_LOOK_US;
        exec_wake(x, x->again_mono_us);
        return;
    }
    state->state = ROW_UNDONE;
    exec_note(x, EXEC_ROW_ENDED, row);
    if (row == 0) {
        exec_finish(x, RUN_UNDONE);
        return;
    }
    x->run.row--;
    exec_undo_next(x);
}

void exec_finish(struct executor *x, enum plan_state state)
{
    x->run.state = state;
    x->run.ended_mono_us = x->now_mono_us;
    x->pending_count = 0;
    x->open_rows = 0;
    exec_save(x, AFTER_END);
}

void exec_end(struct executor *x)
{
    x->phase = PHASE_IDLE;
    exec_note(x, EXEC_PLAN_ENDED, x->run.row);
}
