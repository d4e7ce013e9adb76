/* controller/act/executor_save.c - saves: what goes into one, and what its answer means. */
#include "controller/act/executor_private.h"

/* The record is built anew from the view for each try, so that a change somebody else stored in
 * between (the kill switch) is kept. */
static void build_record(struct executor *x)
{
    x->save_record = x->view->record;
    x->save_has_record = x->unsaved_rows != 0 || x->after == AFTER_END;
    for (uint32_t row = 0; row < PLAN_ROWS_MAX; row++)
        if (x->unsaved_rows & row_bit(row))
            plan_change_record(&x->run, x->view, row, exec_wall_us(x), &x->save_record);
    if (x->view->lossless_fell_mono_us != STAY_NEVER && x->save_record.lossless_stands) {
        x->save_record.lossless_stands = false; /* seen while this plan ran: no save of its own */
        x->save_record.lossless_since_wall_us = 0;
        x->save_has_record = true;
    }
    if (x->after == AFTER_END)
        plan_end_record(&x->run, x->view, exec_wall_us(x), &x->save_record);
}

void exec_save(struct executor *x, enum exec_after after)
{
    x->after = after;
    if (x->storeless && after == AFTER_UNDO) {
        exec_start_undo(x);
        return;
    }
    x->phase = PHASE_SAVING;
    x->save_token = ++x->last_token;
    x->save_begun_mono_us = x->now_mono_us;
    if (x->first_try_mono_us == STAY_NEVER)
        x->first_try_mono_us = x->now_mono_us;
    if (exec_undo_without_store(x)) /* not yet, as a rule: it asks to be woken */
        return;
    build_record(x);
    x->env.save(x->env.ctx, x->save_token, &x->run, x->save_has_record ? &x->save_record : NULL,
                x->view->record.version);
}

static void stop(struct executor *x, const char *why)
{
    (void)stay_copy(x->run.text, sizeof x->run.text, why);
    x->run.state = RUN_ASKS;
    x->run.ended_mono_us = x->now_mono_us;
    x->pending_count = 0;
    x->phase = PHASE_IDLE;
    exec_note(x, EXEC_PLAN_ENDED, x->run.row);
}

static void retry(struct executor *x)
{
    int64_t wait_us = EXEC_SAVE_RETRY_US << (x->save_tries < 6 ? x->save_tries : 6);
    x->save_tries++;
    x->phase = PHASE_WAITING;
    x->again_mono_us =
        x->now_mono_us + (wait_us < EXEC_SAVE_RETRY_MAX_US ? wait_us : EXEC_SAVE_RETRY_MAX_US);
    exec_wake(x, x->again_mono_us);
}

/* The record moved on, but it still is this plan's: a kill switch, a maintenance, or our own save
 * whose answer was lost. Anything else means another leader or a human: stop. */
static bool is_still_ours(const struct executor *x)
{
    const struct cluster_record *record = &x->view->record;
    bool stored = record->epoch == x->run.epoch && strcmp(record->plan_id, x->run.id) == 0;
    bool begins = x->unsaved_rows & row_bit(plan_row_of(x->run.kind, STEP_INTENT));
    return stored || (begins && record->plan_id[0] == '\0' && record->epoch + 1 == x->run.epoch);
}

/* Nothing was written by any other failure (store.h). */
static bool may_be_stored(enum stay_rc rc)
{
    return rc == STAY_EUNKNOWN || rc == STAY_ETIMEDOUT || rc == STAY_ECANCELED ||
           rc == STAY_ECORRUPT;
}

/* May the run still turn back: neither past its point of no return nor perhaps stored as past it?
 */
static bool may_turn_back(const struct executor *x)
{
    bool begins = x->after == AFTER_ROWS;
    bool was_past = begins ? x->was_past : x->run.past_no_return;
    bool may_be_past = x->run.past_no_return && (x->phase == PHASE_SAVING || x->save_unknown);
    return x->run.state == RUN_FORWARD && (begins || x->after == AFTER_LOOK) && !was_past &&
           !may_be_past;
}

bool exec_undo_without_store(struct executor *x)
{
    uint32_t begun = x->after == AFTER_ROWS ? x->first : x->first + 1;
    if (!x->env.is_sole || x->first_try_mono_us == STAY_NEVER || !may_turn_back(x) ||
        !plan_undo_reopens(&x->run, x->view, begun, x->now_mono_us))
        return false;
    int64_t due_us = x->first_try_mono_us + EXEC_STORE_HOLDS_US;
    if (x->now_mono_us < due_us) {
        exec_wake(x, due_us); /* each time: only the earliest wish is kept */
        return false;
    }
    if (!x->abort_wanted)
        (void)stay_copy(x->run.text, sizeof x->run.text,
                        "the store does not take the journal: undone without it");
    x->run.past_no_return = false;
    x->storeless = true;
    exec_begin_undo(x);
    return true;
}

static void failed(struct executor *x, enum stay_rc rc)
{
    x->save_unknown = x->save_unknown || may_be_stored(rc);
    if (rc == STAY_ECONFLICT) {
        if (x->save_conflicts++ < EXEC_CONFLICTS_MAX && is_still_ours(x)) {
            retry(x);
            return;
        }
        stop(x, "the stored record was changed by somebody else: this plan stopped where it was");
        return;
    }
    if (rc == STAY_ELIMIT) { /* no later try would end better */
        stop(x, "its journal is too big for the store: this plan stopped where it was");
        return;
    }
    if (x->save_tries >= EXEC_SAVE_TRIES_MAX && !x->store_was_gone) {
        x->store_was_gone = true;
        if (x->run.state == RUN_FORWARD)
            (void)stay_copy(x->run.text, sizeof x->run.text,
                            "the store does not take the journal: this plan waits for it");
    }
    retry(x);
    (void)exec_undo_without_store(x);
}

/* STORE rows are done from here on: their change is durable. */
static void end_store_rows(struct executor *x)
{
    uint64_t rows = x->unsaved_rows;
    x->unsaved_rows = 0;
    for (uint32_t row = 0; row < PLAN_ROWS_MAX; row++)
        if (rows & row_bit(row)) {
            x->run.rows[row].ended_mono_us = x->now_mono_us;
            exec_note(x, EXEC_ROW_ENDED, row);
        }
}

/* A reason to turn back came while the save was on the way: its rows do not begin, not even the
 * point of no return. Past it, and for an effect that may have been sent already, the plan goes on.
 */
static bool turns_back_here(struct executor *x)
{
    bool begins = x->after == AFTER_ROWS;
    if (x->run.state != RUN_FORWARD || (!begins && x->after != AFTER_LOOK) ||
        (begins ? x->was_past : x->run.past_no_return) || !exec_turns_back(x))
        return false;
    x->run.past_no_return = false;
    return true;
}

void executor_saved(struct executor *x, uint64_t token, enum stay_rc rc, uint64_t version,
                    int64_t now_mono_us)
{
    if (x->phase != PHASE_SAVING || token != x->save_token)
        return;
    x->now_mono_us = now_mono_us;
    if (rc != STAY_OK) {
        failed(x, rc);
        return;
    }
    x->saved_mono_us = MUTANT(x->view, VALIDITY_FROM_ANSWER) ? now_mono_us : x->save_begun_mono_us;
    x->save_tries = x->save_conflicts = 0;
    x->first_try_mono_us = STAY_NEVER;
    x->save_unknown = x->storeless = false;
    x->must_save = false;
    if (x->save_has_record) {
        x->save_record.version = version;
        cluster_set_record(x->view, &x->save_record);
    }
    end_store_rows(x);
    bool turns_back = turns_back_here(x);
    if (x->store_was_gone && !turns_back && x->run.state == RUN_FORWARD)
        x->run.text[0] = '\0'; /* it waits no longer */
    x->abort_wanted = x->store_was_gone = false;
    if (turns_back) {
        exec_begin_undo(x);
        return;
    }
    switch (x->after) {
    case AFTER_ROWS:
        exec_start_rows(x);
        break;
    case AFTER_LOOK:
        exec_start_look(x);
        break;
    case AFTER_UNDO:
        exec_start_undo(x);
        break;
    case AFTER_END:
        exec_end(x);
        break;
    }
}
