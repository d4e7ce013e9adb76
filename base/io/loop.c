/* base/io/loop.c - the event loop, its stamp of time, and what it notices about itself.
 *
 * A turn of libuv: timers, prepare, poll (which runs I/O callbacks), check, close callbacks. The
 * stamp is taken at check and, because I/O callbacks run before check, by the first reader after a
 * poll. A turn's busy time is the time between two prepares less what libuv says it slept. */
#include "base/io/loop.h"
#include "base/io/real_clock.h"
#include <signal.h>
#include <stdarg.h>

static void raise_event(struct loop *loop, struct loop_event event)
{
    event.at_mono_us = loop_now_mono_us(loop);
    if (loop->on_event != NULL)
        loop->on_event(loop, &event, loop->user);
}

static int64_t clock_offset_us(const struct loop *loop)
{
    return loop->now_wall_us - loop->now_mono_us;
}

static void stamp(struct loop *loop)
{
    loop->now_mono_us = real_clock_mono_us();
    loop->now_wall_us = real_clock_wall_us();
    loop->is_stale = false;
}

static void look_for_jump(struct loop *loop)
{
    int64_t moved = clock_offset_us(loop) - loop->last_offset_us;
    loop->last_offset_us = clock_offset_us(loop);
    if (moved > LOOP_JUMP_US || moved < -LOOP_JUMP_US) {
        loop->jumps++;
        raise_event(loop, (struct loop_event){.kind = LOOP_EVENT_CLOCK_JUMP, .gap_us = moved});
    }
}

static void report_stall(struct loop *loop, int64_t gap_us)
{
    loop->stalls++;
    raise_event(loop, (struct loop_event){.kind = LOOP_EVENT_STALL, .gap_us = gap_us});
}

static void on_prepare(uv_prepare_t *handle)
{
    struct loop *loop = handle->data;
    int64_t now = real_clock_mono_us();
    int64_t idle = (int64_t)(uv_metrics_idle_time(&loop->uv) / 1000);
    int64_t busy = now - loop->last_prepare_us - (idle - loop->last_idle_us);
    loop->last_prepare_us = now;
    loop->last_idle_us = idle;
    loop->turns++;
    if (busy > loop->worst_turn_us)
        loop->worst_turn_us = busy;
    if (busy > loop->stall_us) {
        loop->last_tick_us = now; /* the tick was late for this reason: report it once */
        stamp(loop);
        report_stall(loop, busy);
    }
    uv_update_time(&loop->uv); /* the poll sleeps until the next timer as counted from here */
    loop->is_stale = true; /* the poll comes next */
}

static void on_check(uv_check_t *handle)
{
    stamp(handle->data);
}

/* A process that was stopped or starved inside poll is not "busy"; its ticks are late. */
static void on_tick(uv_timer_t *handle)
{
    struct loop *loop = handle->data;
    stamp(loop);
    int64_t late = loop->now_mono_us - loop->last_tick_us - LOOP_TICK_US;
    loop->last_tick_us = loop->now_mono_us;
    if (late > loop->stall_us)
        report_stall(loop, late);
    look_for_jump(loop);
}

static void begin_watch(struct loop *loop)
{
    stamp(loop);
    loop->last_prepare_us = loop->last_tick_us = loop->now_mono_us;
    loop->last_idle_us = (int64_t)(uv_metrics_idle_time(&loop->uv) / 1000);
    loop->last_offset_us = clock_offset_us(loop);
}

enum stay_rc loop_init(struct loop *loop, struct stay_error *err)
{
    *loop = (struct loop){.stall_us = LOOP_STALL_DEFAULT_US};
    (void)signal(SIGPIPE, SIG_IGN); /* a peer that hangs up is an error code, not our death */
    int rc = uv_loop_init(&loop->uv);
    if (rc != 0)
        return loop_error(err, rc, "make the event loop");
    loop->uv.data = loop;
    must(uv_loop_configure(&loop->uv, UV_METRICS_IDLE_TIME) == 0);
    (void)uv_prepare_init(&loop->uv, &loop->prepare); /* these three inits cannot fail */
    (void)uv_check_init(&loop->uv, &loop->check);
    (void)uv_timer_init(&loop->uv, &loop->tick);
    loop->prepare.data = loop->check.data = loop->tick.data = loop;
    must(uv_prepare_start(&loop->prepare, on_prepare) == 0);
    must(uv_check_start(&loop->check, on_check) == 0);
    must(uv_timer_start(&loop->tick, on_tick, LOOP_TICK_US / 1000, LOOP_TICK_US / 1000) == 0);
    uv_unref((uv_handle_t *)&loop->prepare);
    uv_unref((uv_handle_t *)&loop->check);
    uv_unref((uv_handle_t *)&loop->tick);
    begin_watch(loop);
    return STAY_OK;
}

void loop_on_event(struct loop *loop, loop_event_fn fn, void *user, int64_t stall_us)
{
    loop->on_event = fn;
    loop->user = user;
    loop->stall_us = stall_us > 0 ? stall_us : LOOP_STALL_DEFAULT_US;
}

static void on_signal(uv_signal_t *handle, int signo)
{
    raise_event(handle->data, (struct loop_event){.kind = LOOP_EVENT_SIGNAL, .signo = signo});
}

enum stay_rc loop_watch_signal(struct loop *loop, int signo, struct stay_error *err)
{
    if (loop->signal_count == LOOP_SIGNALS_MAX)
        return stay_error(err, STAY_ELIMIT, "more than %d signals watched", LOOP_SIGNALS_MAX);
    uv_signal_t *handle = &loop->signals[loop->signal_count];
    int rc = uv_signal_init(&loop->uv, handle);
    if (rc != 0)
        return loop_error(err, rc, "watch signal %d", signo);
    loop->signal_count++; /* initialised: loop_close closes it */
    handle->data = loop;
    rc = uv_signal_start(handle, on_signal, signo);
    if (rc != 0)
        return loop_error(err, rc, "watch signal %d", signo);
    uv_unref((uv_handle_t *)handle);
    return STAY_OK;
}

void loop_run(struct loop *loop)
{
    uv_update_time(&loop->uv);
    begin_watch(loop);
    (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
}

static void on_turn_limit(uv_timer_t *handle)
{
    (void)handle; /* its only purpose is to end the poll */
}

bool loop_turn(struct loop *loop, int64_t wait_us)
{
    uv_timer_t limit;
    (void)uv_timer_init(&loop->uv, &limit);
    uv_update_time(&loop->uv);
    begin_watch(loop);
    uint64_t wait_ms = wait_us > 0 ? (uint64_t)wait_us / 1000 : 0;
    must(uv_timer_start(&limit, on_turn_limit, wait_ms, 0) == 0);
    (void)uv_run(&loop->uv, wait_us > 0 ? UV_RUN_ONCE : UV_RUN_NOWAIT);
    uv_close((uv_handle_t *)&limit, NULL);
    (void)uv_run(&loop->uv, UV_RUN_NOWAIT); /* the close ends before `limit` leaves scope */
    return uv_loop_alive(&loop->uv) != 0;
}

void loop_stop(struct loop *loop)
{
    uv_stop(&loop->uv);
}

void loop_close(struct loop *loop)
{
    uv_close((uv_handle_t *)&loop->prepare, NULL);
    uv_close((uv_handle_t *)&loop->check, NULL);
    uv_close((uv_handle_t *)&loop->tick, NULL);
    for (unsigned i = 0; i < loop->signal_count; i++)
        uv_close((uv_handle_t *)&loop->signals[i], NULL);
    (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
    must(uv_loop_close(&loop->uv) == 0); /* somebody's handle is still open */
}

int64_t loop_now_mono_us(struct loop *loop)
{
    if (loop->is_stale)
        stamp(loop);
    return loop->now_mono_us;
}

int64_t loop_now_wall_us(struct loop *loop)
{
    if (loop->is_stale)
        stamp(loop);
    return loop->now_wall_us;
}

static enum stay_rc rc_of(int uv_code)
{
    if (uv_code == UV_ENOENT)
        return STAY_ENOTFOUND;
    if (uv_code == UV_EACCES || uv_code == UV_EPERM)
        return STAY_EDENIED;
    if (uv_code == UV_ECANCELED)
        return STAY_ECANCELED;
    if (uv_code == UV_ETIMEDOUT)
        return STAY_ETIMEDOUT;
    if (uv_code == UV_ECONNREFUSED || uv_code == UV_EHOSTUNREACH || uv_code == UV_ENETUNREACH ||
        uv_code == UV_ECONNRESET || uv_code == UV_EPIPE)
        return STAY_EUNREACHABLE;
    return STAY_ESYSTEM;
}

enum stay_rc loop_error(struct stay_error *err, int uv_code, const char *fmt, ...)
{
    char text[256], reason[128];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return stay_error_native(err, rc_of(uv_code), STAY_DOMAIN_SYSTEM, -uv_code, "%s: %s", text,
                             uv_strerror_r(uv_code, reason, sizeof reason));
}
