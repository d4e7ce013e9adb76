/* controller/decide/plan_conclude_private.h - what the files of plan_conclude share: the
 * conclusions of single rows, and what they end in.
 *
 * Pure. Layer: decide, plan_conclude*.c only. `row` is an index into the run's rows; a conclusion
 * writes *ret_row only with NEXT_GOTO, and says in run->text why when it is not NEXT_ROW or
 * NEXT_LOOK. */
#ifndef CONTROLLER_DECIDE_PLAN_CONCLUDE_PRIVATE_H
#define CONTROLLER_DECIDE_PLAN_CONCLUDE_PRIVATE_H
#include "controller/decide/plan_private.h"

/* run->text: "STEP what on NODE: the row's text", of the first target that is not done. */
void plan_name_failure(struct plan_run *run, const struct cluster_view *view, uint32_t row,
                       const char *what);
/* NEXT_ASK past the point of no return, else NEXT_UNDO. */
enum plan_next plan_undo_or_ask(const struct plan_run *run);
/* The candidate failed before it could be writable: freeze and read everything again, choose
 * another. Detached for good it stays in F and R: it cannot acknowledge, and its set was read. */
enum plan_next plan_strike(struct plan_run *run, const struct cluster_view *view, uint32_t row,
                           uint32_t *ret_row);
/* Of a row with open targets. Not done is safe to repeat: nothing happened. True, and the open
 * targets are to be tried again, PLAN_REPEATS_MAX times, for what passes (a late lane, a lost
 * session). */
bool plan_should_repeat(struct plan_run *run, uint32_t row);
/* True, and the unknown targets are to be looked at again, PLAN_LOOKS_MAX times. */
bool plan_should_look(struct plan_run *run, uint32_t row);

/* FAILOVER, each after the answers of its row. */
enum plan_next plan_conclude_freeze(struct plan_run *run, const struct cluster_view *view,
                                    uint32_t row, uint32_t *ret_row);
enum plan_next plan_conclude_drain(struct plan_run *run, const struct cluster_view *view,
                                   uint32_t row, int64_t now_mono_us);
enum plan_next plan_conclude_certify(struct plan_run *run, const struct cluster_view *view,
                                     uint32_t *ret_row);
enum plan_next plan_conclude_verify(struct plan_run *run, const struct cluster_view *view,
                                    uint32_t row, int64_t now_mono_us, uint32_t *ret_row);
/* Every plan that opens a server. */
enum plan_next plan_conclude_writable(struct plan_run *run, const struct cluster_view *view,
                                      uint32_t row, uint32_t *ret_row);
/* The old primary came back whole and holds what the candidate lacks: it stays the primary, rather
 * than that any of it be lost to a promise that broke unseen. */
bool plan_returner_holds_more(const struct plan_run *run, uint32_t row);

/* REJOIN, REPOINT, QUARANTINE: the node was read, and the primary after it. The text says what it
 * holds more. */
enum plan_next plan_conclude_compare(struct plan_run *run, const struct cluster_view *view);
/* run->extra holds part of what the primary wrote, or was seen to hold, and lost in a restart. */
bool plan_holds_lost_tail(const struct plan_run *run, const struct cluster_view *view);
/* RESEED, in the order of its rows: what is about to be destroyed is held by others, saved, or
 * dropped by a human; enough others acknowledge; the copy goes on; what came is whole. */
enum plan_next plan_conclude_reseed_old(struct plan_run *run, const struct cluster_view *view);
enum plan_next plan_conclude_reseed_acks(struct plan_run *run, const struct cluster_view *view,
                                         int64_t now_mono_us);
enum plan_next plan_conclude_copy(struct plan_run *run, const struct cluster_view *view,
                                  uint32_t row, int64_t now_mono_us);
enum plan_next plan_conclude_reseed_new(struct plan_run *run, const struct cluster_view *view);
/* REJOIN: the returner is attached; does it follow? */
enum plan_next plan_conclude_rejoin(struct plan_run *run, const struct cluster_view *view,
                                    uint32_t row, int64_t now_mono_us);

#endif
