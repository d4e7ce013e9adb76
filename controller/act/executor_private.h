/* controller/act/executor_private.h - what the executor's files share: its phases, the effects on
 * the way, the save on the way.
 *
 * Layer: act, executor*.c only. */
#ifndef CONTROLLER_ACT_EXECUTOR_PRIVATE_H
#define CONTROLLER_ACT_EXECUTOR_PRIVATE_H
#include "base/mutant.h"
#include "controller/act/executor.h"

#define EXEC_PENDING_MAX       160 /* effects on the way: at most four rows of NODES_MAX */
#define EXEC_SAVE_TRIES_MAX    20  /* then the store counts as gone: when it is back, undo */
#define EXEC_SAVE_RETRY_US     (50 * STAY_MS) /* doubles up to the next */
#define EXEC_SAVE_RETRY_MAX_US (2 * STAY_SECOND)
#define EXEC_STORE_HOLDS_US    STAY_SECOND /* paused clients do not wait longer for the store */
#define EXEC_CONFLICTS_MAX     5 /* our own record changed under us: saved again */
#define EXEC_UNDO_TRIES_MAX    3
/* An effect ends this long before its row gives it up. */
#define EXEC_ANSWER_US (20 * STAY_MS)
#define EXEC_VALID_LEFT_US                                                                         \
    (250 * STAY_MS) /* a light row that writes saves again when less is left */

enum exec_phase {
    PHASE_IDLE = 0, /* no run, or it ended */
    PHASE_SAVING,   /* a save is on the way */
    PHASE_WAITING,  /* a save failed: again at x->again_mono_us */
    PHASE_ROWS,     /* effects of rows first..last are on the way */
    PHASE_LOOK,     /* unknown: row x->first repeats at x->again_mono_us */
    PHASE_UNDO,     /* undo effects of row run.row are on the way */
    PHASE_UNDO_AGAIN
};

/* What a durable save leads to. */
enum exec_after { AFTER_ROWS = 0, AFTER_LOOK, AFTER_UNDO, AFTER_END };

struct exec_pending {
    uint64_t token;
    uint32_t row, node;
};

struct executor {
    struct cluster_view *view; /* borrowed */
    struct exec_env env;
    struct plan_run run;
    bool has_run;
    enum exec_phase phase;
    int64_t now_mono_us, wall_offset_us; /* wall = mono + offset */

    uint64_t last_token;
    struct exec_pending pending[EXEC_PENDING_MAX];
    size_t pending_count;
    bool starting; /* inside start_effect: answers are taken, conclusions wait */

    uint32_t first, last; /* rows on the way */
    uint64_t open_rows;   /* of those, not concluded: bit per row */
    int64_t deadline_mono_us[PLAN_ROWS_MAX];
    int64_t again_mono_us;
    uint32_t undo_tries;

    enum exec_after after;
    uint64_t save_token;
    int64_t save_begun_mono_us, saved_mono_us; /* of the last durable save: its begin */
    bool save_has_record;
    struct cluster_record save_record;
    uint32_t save_tries, save_conflicts;
    uint64_t unsaved_rows; /* STORE rows whose record change goes with the next save: bit per row */
    bool was_past;         /* run.past_no_return before the rows on the way began */
    bool must_save;        /* ownership not yet compared by this process */
    bool abort_wanted;
    int64_t first_try_mono_us; /* of the save under way; STAY_NEVER: none */
    bool save_unknown;       /* a try of it may have been taken */
    bool storeless;          /* undone while the store refuses: nothing is saved until the end */
    bool store_was_gone; /* what the plan knows is old: it is undone once a save is taken */
};

static inline uint64_t row_bit(uint32_t row)
{
    return UINT64_C(1) << row;
}

/* Wall time now, by the offset of the last turn, in microseconds. */
int64_t exec_wall_us(const struct executor *x);
void exec_note(struct executor *x, enum exec_note note, uint32_t row);
void exec_wake(struct executor *x, int64_t mono_us);
/* Goes on with row run.row: computes, skips, saves or starts until something has to be waited for.
 */
void exec_forward(struct executor *x);
void exec_start_rows(struct executor *x);
void exec_start_look(struct executor *x);
void exec_try_conclude(struct executor *x);
void exec_begin_undo(struct executor *x);
void exec_undo_next(struct executor *x);
void exec_start_undo(struct executor *x);
void exec_try_undone(struct executor *x);
void exec_finish(struct executor *x, enum plan_state state);
void exec_end(struct executor *x); /* after the last save */
void exec_save(struct executor *x, enum exec_after after);
/* Starts one effect and remembers its token. */
void exec_send(struct executor *x, uint32_t row, uint32_t node, struct effect *effect);
void exec_forget(struct executor *x, uint32_t row); /* its late answers will be ignored */
/* Begins the undo of a run that keeps clients waiting while the store refuses. False: it does not,
 * or not yet. */
bool exec_undo_without_store(struct executor *x);
/* Why the run turns back before its next effect, into run.text: an abort, the kill switch, a store
 * that was gone. False: it goes on. */
bool exec_turns_back(struct executor *x);

#endif
