/* controller/decide/durability_private.h - what the files of the durability watch share. All of it
 * is about the view's primary, which is known, and keeps its memory in the view.
 *
 * Pure. Layer: decide, durability*.c only. `possible`: nodes that may acknowledge
 * (cluster_ackers_possible). */
#ifndef CONTROLLER_DECIDE_DURABILITY_PRIVATE_H
#define CONTROLLER_DECIDE_DURABILITY_PRIVATE_H
#include "base/mutant.h"
#include "controller/decide/decide.h"
#include "controller/decide/verdict_private.h"

static inline uint32_t node_bit(uint32_t node)
{
    return UINT32_C(1) << node;
}

static inline uint32_t mask_size(uint32_t mask)
{
    return (uint32_t)__builtin_popcount(mask);
}

/* No barrier is under way. */
void durability_barrier_drop(struct cluster_view *view);
/* Begins one with the primary's last facts, which show semi-sync whole, for `leavers` to leave A
 * (0: for lossless to stand). */
void durability_barrier_arm(struct cluster_view *view, uint32_t leavers);
/* Moves it on by what is known now; true when it is passed. Dropped, and false, when the primary's
 * counters moved, it restarted, or a leaver came back. */
bool durability_barrier_step(struct cluster_view *view, uint32_t possible);

/* Counts in view->watch_odd the readings of the primary in a row, each once, that do not fit: its
 * acknowledgements do not keep up with its own commits, or a semi-sync client of it has no name in
 * another zone. Each session can be between its commit and its acknowledgement once. MariaDB counts
 * one yes-ack per transaction; MySQL one per group of commits, so there only a standstill tells. */
void durability_watch_acks(struct cluster_view *view, uint32_t possible);
/* Acknowledgements are compared with commits from the next reading on: what was committed while
 * semi-sync was off is never acknowledged, and would look slow for ever. */
void durability_watch_acks_anew(struct cluster_view *view);
/* Since when nobody acknowledges (view->no_acker_since_mono_us): no acker, or sessions wait and
 * nothing moves although one is connected. */
void durability_watch_no_acker(struct cluster_view *view, int64_t now_mono_us);

#endif
