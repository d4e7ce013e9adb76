/* controller/act/executor.c - the executor's door: start, resume, abort, answers, ticks.
 *
 * Happy path: executor_start -> save (intent and the first rows that act) -> effects -> answers ->
 * conclude -> ... -> save (plan ended). Failure paths: a save that conflicts stops the run; a save
 * that fails is tried again until the store takes it; an effect that does not answer is unknown at
 * its row's deadline; unknown is looked at again; what cannot go on is undone, or asks once nothing
 * can be undone. */
#include "controller/act/executor_private.h"

#include "base/json.h"

struct executor *executor_new(struct cluster_view *view, const struct exec_env *env)
{
    struct executor *x = stay_calloc(1, sizeof *x);
    x->view = view;
    x->env = *env;
    x->saved_mono_us = STAY_NEVER;
    return x;
}

void executor_free(struct executor *x)
{
    if (x == NULL)
        return;
    plan_run_clear(&x->run);
    free(x);
}

int64_t exec_wall_us(const struct executor *x)
{
    return x->now_mono_us + x->wall_offset_us;
}

void exec_note(struct executor *x, enum exec_note note, uint32_t row)
{
    if (x->env.note != NULL)
        x->env.note(x->env.ctx, note, &x->run, row);
}

void exec_wake(struct executor *x, int64_t mono_us)
{
    if (mono_us != INT64_MAX)
        x->env.wake_at(x->env.ctx, mono_us);
}

static bool is_paused(const struct executor *x)
{
    return (x->view->record.paused || x->view->paused_all) && !MUTANT(x->view, PAUSE_IGNORED);
}

bool exec_turns_back(struct executor *x)
{
    const char *why = NULL;
    if (is_paused(x))
        why = "the kill switch is on: undone";
    else if (x->store_was_gone)
        why = "the store did not take the journal for long: undone when it did";
    if (!x->abort_wanted && why != NULL)
        (void)stay_copy(x->run.text, sizeof x->run.text, why);
    return x->abort_wanted || why != NULL;
}

static void set_clock(struct executor *x, int64_t now_mono_us, int64_t now_wall_us)
{
    x->now_mono_us = now_mono_us;
    x->wall_offset_us = now_wall_us - now_mono_us;
}

static void reset_journey(struct executor *x)
{
    x->pending_count = 0;
    x->open_rows = x->unsaved_rows = 0;
    x->saved_mono_us = STAY_NEVER;
    x->save_tries = x->save_conflicts = x->undo_tries = 0;
    x->must_save = true;
    x->abort_wanted = x->store_was_gone = false;
    x->first_try_mono_us = STAY_NEVER;
    x->save_unknown = x->storeless = false;
    x->has_run = true;
}

enum stay_rc executor_start(struct executor *x, enum plan_kind kind,
                            const struct plan_params *params, int64_t now_mono_us,
                            int64_t now_wall_us, struct stay_error *err)
{
    if (x->phase != PHASE_IDLE)
        return stay_error(err, STAY_EBUSY, "plan %s runs", x->run.id);
    enum stay_rc rc = plan_start(&x->run, kind, params, x->view, now_mono_us, now_wall_us, err);
    if (rc != STAY_OK)
        return rc;
    set_clock(x, now_mono_us, now_wall_us);
    reset_journey(x);
    exec_note(x, EXEC_PLAN_BEGUN, 0);
    exec_forward(x);
    return STAY_OK;
}

/* A journal goes on only while the record names it: after it, others may have moved the primary. */
static enum stay_rc refuse_stale(struct executor *x, struct stay_error *err)
{
    const struct cluster_record *record = &x->view->record;
    if (record->epoch == x->run.epoch && strcmp(record->plan_id, x->run.id) == 0)
        return STAY_OK;
    enum stay_rc rc =
        stay_error(err, STAY_ECONFLICT,
                   "the stored record no longer names plan %s of epoch %llu, it is "
                   "at epoch %llu",
                   x->run.id, (unsigned long long)x->run.epoch, (unsigned long long)record->epoch);
    plan_run_clear(&x->run);
    x->has_run = false;
    return rc;
}

enum stay_rc executor_resume(struct executor *x, const char *journal_text, int64_t now_mono_us,
                             int64_t now_wall_us, struct stay_error *err)
{
    if (x->phase != PHASE_IDLE)
        return stay_error(err, STAY_EBUSY, "plan %s runs", x->run.id);
    STAY_AUTO(stay_json_drop) json_t *json = NULL;
    enum stay_rc rc = stay_json_parse(journal_text, strlen(journal_text), &json, err);
    if (rc == STAY_OK)
        rc = plan_run_from_json(json, x->view->config, &x->run, err);
    if (rc == STAY_OK)
        rc = refuse_stale(x, err);
    if (rc != STAY_OK)
        return rc;
    set_clock(x, now_mono_us, now_wall_us);
    reset_journey(x);
    if (x->run.state != RUN_FORWARD && x->run.state != RUN_UNDOING) {
        exec_finish(x, x->run.state); /* ended, but the record still named it */
        return STAY_OK;
    }
    uint32_t row = x->run.row;
    switch (plan_resume(&x->run, x->view, now_mono_us, &row)) {
    case NEXT_ROW:
    case NEXT_GOTO:
    case NEXT_LOOK:
        plan_reset_rows(&x->run, row);
        x->run.row = row;
        exec_forward(x);
        break;
    case NEXT_UNDO:
        if (x->run.state == RUN_UNDOING)
            exec_undo_next(x);
        else
            exec_begin_undo(x);
        break;
    case NEXT_ASK:
        exec_finish(x, RUN_ASKS);
        break;
    }
    return STAY_OK;
}

enum stay_rc executor_abort(struct executor *x, const char *why, int64_t now_mono_us,
                            struct stay_error *err)
{
    if (x->phase == PHASE_IDLE)
        return stay_error(err, STAY_ENOTFOUND, "no plan runs");
    if (x->run.past_no_return && !MUTANT(x->view, UNDO_PAST_RETURN))
        return stay_error(err, STAY_EREFUSED, "plan %s is past its point of no return", x->run.id);
    x->now_mono_us = now_mono_us;
    if (x->run.state == RUN_UNDOING || x->run.state == RUN_UNDONE || x->abort_wanted)
        return STAY_OK;
    if (x->run.state != RUN_FORWARD)
        return stay_error(err, STAY_EREFUSED, "plan %s has ended", x->run.id);
    (void)stay_copy(x->run.text, sizeof x->run.text, why);
    if (x->phase == PHASE_SAVING || x->phase == PHASE_WAITING) {
        x->abort_wanted = true; /* the save on the way decides first what is durable */
        return STAY_OK;
    }
    exec_begin_undo(x);
    return STAY_OK;
}

void executor_effect_done(struct executor *x, uint64_t token, const struct effect_result *result,
                          int64_t now_mono_us)
{
    size_t at = 0;
    while (at < x->pending_count && x->pending[at].token != token)
        at++;
    if (at == x->pending_count)
        return; /* late: its row was concluded without it */
    x->now_mono_us = now_mono_us;
    struct exec_pending who = x->pending[at];
    x->pending[at] = x->pending[--x->pending_count];
    if (x->run.state == RUN_UNDOING)
        plan_absorb_undo(&x->run, x->view, who.row, who.node, result);
    else
        plan_absorb(&x->run, x->view, who.row, who.node, result, now_mono_us);
    if (x->starting)
        return;
    if (x->phase == PHASE_UNDO)
        exec_try_undone(x);
    else
        exec_try_conclude(x);
}

/* The kill switch came while effects are on the way, or waited for again: clients may be waiting
 * too, with the route closed. */
static bool turn_back_now(struct executor *x)
{
    if ((x->phase != PHASE_ROWS && x->phase != PHASE_LOOK) ||
        (x->run.past_no_return && !MUTANT(x->view, UNDO_PAST_RETURN)) || !exec_turns_back(x))
        return false;
    exec_begin_undo(x);
    return true;
}

void executor_tick(struct executor *x, int64_t now_mono_us, int64_t now_wall_us)
{
    set_clock(x, now_mono_us, now_wall_us);
    bool is_due = x->phase != PHASE_IDLE && now_mono_us >= x->again_mono_us;
    if (x->phase != PHASE_IDLE && x->run.state == RUN_FORWARD)
        plan_note_broken(&x->run, x->view);
    if (turn_back_now(x))
        return;
    switch (x->phase) {
    case PHASE_IDLE:
        break;
    case PHASE_SAVING:
        (void)exec_undo_without_store(x);
        break;
    case PHASE_WAITING:
        if (!exec_undo_without_store(x) && is_due)
            exec_save(x, x->after);
        break;
    case PHASE_ROWS:
        exec_try_conclude(x);
        break;
    case PHASE_LOOK:
        if (is_due)
            exec_save(x, AFTER_LOOK);
        break;
    case PHASE_UNDO:
        exec_try_undone(x);
        break;
    case PHASE_UNDO_AGAIN:
        if (is_due)
            exec_save(x, AFTER_UNDO);
        break;
    }
}

bool executor_is_busy(const struct executor *x)
{
    return x->phase != PHASE_IDLE;
}

const struct plan_run *executor_run(const struct executor *x)
{
    return x->has_run ? &x->run : NULL;
}
