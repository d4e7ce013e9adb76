/* controller/decide/plan.h - what to do about it: plans as rows of data, and the pure rules that
 * say which nodes a row touches, what an answer means and where to go next.
 *
 * Pure. Layer: decide. The executor (controller/act/executor.h) journals, starts effects and keeps
 * deadlines; everything it must *know* about failover is here. Rows are listed by
 * mainstay-plans(7).
 *
 * Life: plan_start -> [plan_targets -> plan_effect per node -> plan_absorb per answer ->
 * plan_conclude] per row -> plan_finished. A run can be stored (plan_run_to_json) and taken up
 * again by another process at the same row: every effect is idempotent and verified by looking. */
#ifndef CONTROLLER_DECIDE_PLAN_H
#define CONTROLLER_DECIDE_PLAN_H
#include "controller/decide/plan_effect.h"
#include "controller/decide/plan_run.h"
#include <jansson.h>

/* YES: every server is gone, or back and closed, and none of those that answer can tell what the
 * primary acknowledged last (rule 136): only a human starts PLAN_RECOVER. */
enum tri plan_is_outage(const struct cluster_view *view, int64_t now_mono_us);
/* Can enough ackers tell what a primary acknowledged that answers, closed, and may have lost a
 * tail? A primary is recorded. */
bool plan_is_tail_known(const struct cluster_view *view, int64_t now_mono_us);

/* Checks preconditions and fills *run in state RUN_FORWARD at row 0. STAY_EREFUSED names the
 * rule. */
enum stay_rc plan_start(struct plan_run *run, enum plan_kind kind, const struct plan_params *params,
                        const struct cluster_view *view, int64_t now_mono_us, int64_t now_wall_us,
                        struct stay_error *err) STAY_MUST_USE;

/* Takes lossless_since away from a failover whose old primary answered again, before we touched it,
 * and no longer runs what it was built on. Called at every tick, on every answer and when a run is
 * taken up: a later word may hide it, and after our own fence its counters no longer tell. */
void plan_note_broken(struct plan_run *run, const struct cluster_view *view);

/* Nodes row `row` acts on now (0: nothing to do, the row is skipped). ROUTE steps: 0 or 1. */
uint32_t plan_targets(const struct plan_run *run, const struct cluster_view *view, uint32_t row,
                      int64_t now_mono_us);
/* The effect of row `row` on `node`; want and friends borrow from run. */
void plan_effect(const struct plan_run *run, const struct cluster_view *view, uint32_t row,
                 uint32_t node, struct effect *ret_effect);
/* The row begins on `targets` (journaled before any effect): state, touched, point of no return. */
void plan_begin_row(struct plan_run *run, uint32_t row, uint32_t targets, int64_t now_mono_us);
/* The rows from `row` on are taken again: as never begun, but for what they touched. */
void plan_reset_rows(struct plan_run *run, uint32_t row);
/* Takes one answer into the run: F, R, sets, fences. Called once per target. */
void plan_absorb(struct plan_run *run, const struct cluster_view *view, uint32_t row, uint32_t node,
                 const struct effect_result *result, int64_t now_mono_us);
/* A PURE row's work (CHECK, CHOOSE, CERTIFY); writes its text. */
void plan_compute(struct plan_run *run, const struct cluster_view *view, uint32_t row,
                  int64_t now_mono_us);

enum plan_next {
    NEXT_ROW = 0, /* go on */
    NEXT_GOTO,    /* back to row *ret_row (freeze no longer holds, next candidate) */
    NEXT_LOOK,    /* unknown: the row's effects again on its unknown nodes, verified */
    NEXT_UNDO,    /* undo done rows in reverse, then RUN_UNDONE and ask */
    NEXT_ASK
}; /* stop where we are; a human decides */
/* May the row be concluded now: every target answered, or those that matter did and the rest had
 * their time (nodes outside A never hold a freeze or drain up), or waiting cannot help any more. If
 * not, *ret_recheck_mono_us is when to ask again without an answer in between (INT64_MAX: no
 * need). */
bool plan_is_row_done(const struct plan_run *run, const struct cluster_view *view, uint32_t row,
                      int64_t now_mono_us, int64_t *ret_recheck_mono_us);
/* All targets answered or the row's deadline passed (remaining targets count as unknown): where
 * next? Past the point of no return never NEXT_UNDO. run->text says why when not NEXT_ROW. */
enum plan_next plan_conclude(struct plan_run *run, const struct cluster_view *view, uint32_t row,
                             int64_t now_mono_us, uint32_t *ret_row);
/* The save before `row`, a point of no return, has ended and its effects would start: does all that
 * it was saved for still hold, by what was seen meanwhile (a store may be slow)? If not, where to
 * next, and the row has not begun. A run that was taken up past that point asks, as it would while
 * it verifies. NEXT_ROW for every other row. */
enum plan_next plan_confirm(struct plan_run *run, const struct cluster_view *view, uint32_t row,
                            int64_t now_mono_us, uint32_t *ret_row);
/* Undo of a row that was begun in any round: nodes, effects, answers (rows[row].unknown holds the
 * nodes whose undo is not done yet). Undo never blocks: what fails is noted. */
uint32_t plan_undo_targets(const struct plan_run *run, const struct cluster_view *view,
                           uint32_t row, int64_t now_mono_us);
/* Would the undo of rows before `end` open a primary again that is well: do clients wait for this
 * run alone? */
bool plan_undo_reopens(const struct plan_run *run, const struct cluster_view *view, uint32_t end,
                       int64_t now_mono_us);
void plan_undo_effect(const struct plan_run *run, const struct cluster_view *view, uint32_t row,
                      uint32_t node, struct effect *ret_effect);
void plan_absorb_undo(struct plan_run *run, const struct cluster_view *view, uint32_t row,
                      uint32_t node, const struct effect_result *result);
/* How long one effect of the row may take; a row may be longer than its effects (drain). */
int64_t plan_effect_deadline_us(const struct plan_run *run, uint32_t row);
int64_t plan_undo_deadline_us(const struct plan_run *run, uint32_t row);
/* STORE rows: what the cluster's record becomes. */
void plan_change_record(const struct plan_run *run, const struct cluster_view *view, uint32_t row,
                        int64_t now_wall_us, struct cluster_record *record);
/* The run ended: the record's plan ends. An automatic failover that was undone holds off
 * PLAN_RETRY_US, one that asks the whole cooldown, so that it is not started again at once; one
 * whose old primary came back and stays PLAN_STAYS_US: its next death is a new one. */
void plan_end_record(const struct plan_run *run, const struct cluster_view *view,
                     int64_t now_wall_us, struct cluster_record *record);
/* Called by a process that took up a stored run: before the point of no return decides whether it
 * goes on or is undone; after it, always on. Frozen nodes are verified before anything else. */
enum plan_next plan_resume(struct plan_run *run, const struct cluster_view *view,
                           int64_t now_mono_us, uint32_t *ret_row);

/* May automation reseed `node` now: configured, nothing that a plan would refuse, and nobody's
 * transactions are lost by it: what it holds more is saved, and it was not set aside by a human or
 * for writes that its sets cannot show. */
bool plan_may_reseed_alone(const struct cluster_view *view, uint32_t node, int64_t now_mono_us);
/* Fills *run (empty, or a run: cleared first) as if it had gone as far as its certificate by now:
 * started, every node that answers frozen, drained and read but those of the mask `lost`, candidate
 * chosen, certificate computed where there is a candidate. Errors as plan_start. */
enum stay_rc plan_foresee(struct plan_run *run, enum plan_kind kind,
                          const struct plan_params *params, const struct cluster_view *view,
                          uint32_t lost, int64_t now_mono_us, int64_t now_wall_us,
                          struct stay_error *err) STAY_MUST_USE;
/* Nodes a foreseen run's row would act on; a drain is waited for although it is foreseen to end. */
uint32_t plan_foresee_targets(const struct plan_run *run, const struct cluster_view *view,
                              uint32_t row, int64_t now_mono_us);

/* The plan as it would run now, for --dry-run and `mainstay plan`: {"kind", "candidate",
 * "donor" (RESEED), "certificate" (as of now, before any drain), "refused" (text or null), "rows":
 * [{"step", "targets": [names], "deadline_ms", "flags", "why"}]}. Changes nothing. Caller owns it.
 */
json_t *plan_describe(enum plan_kind kind, const struct plan_params *params,
                      const struct cluster_view *view, int64_t now_mono_us, int64_t now_wall_us);

/* {"kind", "proof", "reason"}: a certificate as people are shown it. A new reference. */
json_t *certificate_to_json(const struct certificate *cert);
/* The journal of a run and the cluster's record, nodes by name, so that they survive a changed
 * configuration. New references. Reading: an error names the field and leaves *ret as it was;
 * *ret_run must be empty or a run, which is cleared. */
json_t *plan_run_to_json(const struct plan_run *run, const struct cluster_config *config);
enum stay_rc plan_run_from_json(const json_t *json, const struct cluster_config *config,
                                struct plan_run *ret_run, struct stay_error *err) STAY_MUST_USE;
json_t *cluster_record_to_json(const struct cluster_record *record,
                               const struct cluster_config *config);
enum stay_rc cluster_record_from_json(const json_t *json, const struct cluster_config *config,
                                      struct cluster_record *ret_record,
                                      struct stay_error *err) STAY_MUST_USE;

#endif
