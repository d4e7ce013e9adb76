/* base/io/loop.h - the one event loop: time stamped once per turn, signals, stalls and clock jumps
 * as events. Wraps libuv.
 *
 * Layer: base/io. One thread only, unless a function says otherwise.
 *
 * Contract of every asynchronous operation in base/io and above: start returns 0 => the callback
 * runs exactly once, later, on the loop; anything else => never. Cancel is idempotent and still
 * ends in the callback. The caller owns the operation's struct until then. Every operation has an
 * absolute monotonic deadline. Handles are freed only in close callbacks.
 *
 * Call order: loop_init, loop_on_event, loop_watch_signal.., loop_run, close everything else,
 * loop_close. */
#ifndef BASE_IO_LOOP_H
#define BASE_IO_LOOP_H
#include "base/error.h"
#include <uv.h>

#define LOOP_SIGNALS_MAX      8
#define LOOP_STALL_DEFAULT_US (500 * STAY_MS)
#define LOOP_JUMP_US          (2 * STAY_SECOND) /* wall against monotonic clock */
#define LOOP_TICK_US          (250 * STAY_MS)   /* how often a silent loop looks at its clocks */

enum loop_event_kind {
    LOOP_EVENT_NONE = 0,
    LOOP_EVENT_SIGNAL,     /* signo */
    LOOP_EVENT_STALL,      /* gap_us: a turn took, or the process slept, this much too long */
    LOOP_EVENT_CLOCK_JUMP, /* gap_us: wall clock moved by this against the monotonic one, signed */
    LOOP_EVENT_COUNT
};

struct loop_event {
    enum loop_event_kind kind;
    int signo;
    int64_t gap_us;
    int64_t at_mono_us;
};

struct loop;
typedef void (*loop_event_fn)(struct loop *loop, const struct loop_event *event, void *user);

struct loop {
    uv_loop_t uv; /* for modules that make their own handles; uv.data is the struct loop */
    uv_prepare_t prepare;
    uv_check_t check;
    uv_timer_t tick;
    uv_signal_t signals[LOOP_SIGNALS_MAX];
    unsigned signal_count;
    loop_event_fn on_event;
    void *user;
    int64_t stall_us;
    int64_t now_mono_us, now_wall_us;
    bool is_stale; /* the poll has slept since the stamp: the next reader stamps anew */
    int64_t last_prepare_us, last_idle_us, last_tick_us, last_offset_us;
    uint64_t turns, stalls, jumps;
    int64_t worst_turn_us;
};

/* Also ignores SIGPIPE for the process. */
enum stay_rc loop_init(struct loop *loop, struct stay_error *err) STAY_MUST_USE;
/* Events go to fn; stall_us <= 0 means LOOP_STALL_DEFAULT_US. */
void loop_on_event(struct loop *loop, loop_event_fn fn, void *user, int64_t stall_us);
/* From now on signo arrives as an event. */
enum stay_rc loop_watch_signal(struct loop *loop, int signo, struct stay_error *err) STAY_MUST_USE;
/* Until loop_stop or until nothing is left to wait for. */
void loop_run(struct loop *loop);
/* One turn, waiting at most `wait_us`: for tests. True when something is still open. */
bool loop_turn(struct loop *loop, int64_t wait_us);
void loop_stop(struct loop *loop);
/* Closes the loop's own handles and frees it; every other handle must be closed or closing. */
void loop_close(struct loop *loop);

/* This turn's time: every caller in one turn gets the same answer. */
int64_t loop_now_mono_us(struct loop *loop);
int64_t loop_now_wall_us(struct loop *loop);

/* libuv's negative code as ours; *err gets "what: text". */
enum stay_rc loop_error(struct stay_error *err, int uv_code, const char *fmt, ...)
    STAY_PRINTF(3, 4);

#endif
