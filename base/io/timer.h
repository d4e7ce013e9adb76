/* base/io/timer.h - one-shot and repeating timers with absolute monotonic deadlines.
 *
 * Layer: base/io. Loop thread only. A timer never fires before its deadline; libuv rounds to whole
 * milliseconds, so it fires up to about one after. Nor does its callback see a time before it:
 * loop_now_mono_us() is at least the deadline there. */
#ifndef BASE_IO_TIMER_H
#define BASE_IO_TIMER_H
#include "base/base.h"

struct loop;
struct timer;
typedef void (*timer_fn)(struct timer *timer, void *arg);

/* Not running yet. */
struct timer *timer_new(struct loop *loop, timer_fn fn, void *arg) STAY_MUST_USE;
/* Fires once; a running timer is rearmed. A deadline that has passed fires in the next turn. */
void timer_start(struct timer *timer, int64_t deadline_mono_us);
/* Fires at first_mono_us, then every period_us (> 0) from there, without drift; periods missed in a
 * stall are skipped, not made up for. */
void timer_start_repeat(struct timer *timer, int64_t first_mono_us, int64_t period_us);
void timer_stop(struct timer *timer); /* no effect when not running */
bool timer_is_running(const struct timer *timer);
/* A running timer keeps loop_run going unless this was called. */
void timer_unref(struct timer *timer);
/* Stops it; the memory goes in libuv's close callback. Allowed in its own callback. NULL is fine.
 */
void timer_free(struct timer *timer);

#endif
