/* controller/decide/decision.h - a decision as text: everything decide() was given and everything
 * it said, for the recorder, the replayer and the golden cases.
 *
 * Pure. Layer: decide. Sections of name=value lines. Input: [now] [config] [node NAME] [record]
 * [view] [run] [fleet]; output: [facts] [decision] [after]. Monotonic times are written against
 * now, so that people can read the text and another machine can judge it. */
#ifndef CONTROLLER_DECIDE_DECISION_H
#define CONTROLLER_DECIDE_DECISION_H
#include "controller/decide/decide.h"

#define DECISION_TEXT_MAX ((size_t)8 * 1024 * 1024)

/* What decide() changes in a view: its memory from turn to turn. Times and counters only; of the
 * sets it changes the barrier alone, which means something only while it is captured. */
#define VIEW_MEMORY(X)                                                                             \
    X(int64_t, suspicion_since_mono_us)                                                            \
    X(int64_t, no_acker_since_mono_us)                                                             \
    X(uint32_t, ackers_seen)                                                                       \
    X(int64_t, repair_failed_mono_us)                                                              \
    X(int64_t, plan_ended_mono_us)                                                                 \
    X(int64_t, wall_offset_us)                                                                     \
    X(int64_t, clock_jumped_mono_us)                                                               \
    X(int64_t, barrier_mono_us)                                                                    \
    X(bool, barrier_captured)                                                                      \
    X(uint32_t, barrier_ackers)                                                                    \
    X(uint32_t, barrier_leavers)                                                                   \
    X(uint64_t, barrier_no_tx)                                                                     \
    X(uint64_t, barrier_no_times)                                                                  \
    X(uint64_t, watch_own_base)                                                                    \
    X(uint64_t, watch_yes_base)                                                                    \
    X(uint64_t, watch_sessions)                                                                    \
    X(bool, watch_skips)                                                                           \
    X(int64_t, watch_seen_mono_us)                                                                 \
    X(uint32_t, watch_odd)                                                                         \
    X(int64_t, lossless_fell_mono_us)
#define NODE_MEMORY(X)                                                                             \
    X(int64_t, restarted_mono_us)                                                                  \
    X(int64_t, asked_again_mono_us)                                                                \
    X(int64_t, repair_failed_mono_us)                                                              \
    X(int64_t, alone_mono_us)                                                                      \
    X(uint64_t, alone_own)                                                                         \
    X(bool, birth_judged)                                                                          \
    X(bool, idle_life)                                                                             \
    X(bool, by_hand)

/* Zero-initialised is valid; release with decision_memory_clear. */
struct decision_memory {
#define X(type, name) type name;
    VIEW_MEMORY(X)
#undef X
    struct gtid_set barrier;
    struct node_memory {
#define X(type, name) type name;
        NODE_MEMORY(X)
#undef X
    } nodes[NODES_MAX];
};
/* Copies the view's memory, before decide(): a turn that turns out to be worth recording is
 * recorded with what it was given. Cheap: no heap but for a captured barrier. */
void decision_memory_take(struct decision_memory *memory, const struct cluster_view *view);
/* Exchanges it with the view's; twice is as never. */
void decision_memory_swap(struct decision_memory *memory, struct cluster_view *view);
void decision_memory_clear(struct decision_memory *memory);

/* One turn of decide(): what else it was given. All borrowed. */
struct decision_turn {
    struct cluster_view *view;      /* as decide() left it */
    const struct plan_run *running; /* NULL: none yet */
    const struct fleet *fleet;      /* NULL: nothing known */
    int64_t now_mono_us, now_wall_us;
};
/* The input sections, with the view as it is now. Heap, caller frees, as below. */
char *decision_input_text(const struct decision_turn *turn) STAY_MUST_USE;
/* The output sections; the view is the one that decide() left. */
char *decision_output_text(const struct decision_turn *turn,
                           const struct decision *decision) STAY_MUST_USE;
/* Both: what the recorder keeps. `before` was taken before decide(); the view is as it was when
 * this returns. */
char *decision_record_text(const struct decision_turn *turn, struct decision_memory *before,
                           const struct decision *decision) STAY_MUST_USE;

/* Where the input sections are read into; the pointers are borrowed. */
struct decision_input {
    struct cluster_config *config; /* initialised; nodes of unknown name are added */
    struct cluster_view *view;     /* initialised; view->config becomes `config` */
    struct plan_run *run;          /* initialised, of [run]; NULL: such a section is refused */
    bool has_run, has_fleet;       /* set when there is such a section */
    struct fleet fleet;
    int64_t now_mono_us, now_wall_us;
    unsigned line; /* the last line looked at, from 1: the wrong one after an error */
};
/* Reads a text on top of what *input holds; output sections are skipped. Fields not named keep what
 * they hold. STAY_EINVALID names the line; config and view are then half changed and only fit to be
 * cleared. */
enum stay_rc decision_input_apply(const char *text, struct decision_input *input,
                                  struct stay_error *err) STAY_MUST_USE;

/* A recorded turn judged again. */
struct replay {
    struct cluster_config config;
    struct cluster_view view;
    struct plan_run run;
    struct decision_input input;
    struct decision decision; /* as judged now */
    char *recorded;           /* the output sections as they were recorded */
    char *judged;             /* and as they would be recorded now */
    bool is_same;             /* bit for bit */
};
/* Reads the text of one record (need not be terminated), decides, compares. STAY_EINVALID: the text
 * cannot be read, *ret_line is where, from 1; also one without output (cut when it was written).
 * Heap; replay_free. */
enum stay_rc replay_new(const char *text, size_t length, struct replay **ret_replay,
                        unsigned *ret_line, struct stay_error *err) STAY_MUST_USE;
void replay_free(struct replay *replay); /* takes NULL */
void replay_drop(struct replay **replay); /* for STAY_AUTO */

/* A line of the output that is not the same: section and name as "decision.want", values with ""
 * for a line that is not there. Cut when longer. */
struct replay_difference { char field[80], recorded[200], judged[200]; };
/* The next one from *at (0 at first); false: no more. */
bool replay_next_difference(const struct replay *replay, size_t *at,
                            struct replay_difference *ret_difference);
/* Value of `field` ("decision.want") in an output text; false when it is not there. */
bool replay_output_field(const char *output, const char *field, char *dst, size_t size);

#endif
