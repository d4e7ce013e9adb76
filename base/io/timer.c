/* base/io/timer.c - timers with absolute monotonic deadlines on libuv's relative ones. */
#include "base/io/timer.h"
#include "base/io/loop.h"
#include "base/io/real_clock.h"

struct timer {
    uv_timer_t handle;
    struct loop *loop;
    timer_fn fn;
    void *arg;
    int64_t deadline_mono_us;
    int64_t period_us; /* 0: once */
    bool is_running;
};

static void on_timeout(uv_timer_t *handle);

/* libuv adds the wait to its own stamp of the same clock in whole milliseconds, however old that
 * is: so counted, it fires in the first millisecond that is not before the deadline. */
static void arm(struct timer *timer)
{
    int64_t wait_ms = (timer->deadline_mono_us + 999) / 1000 - (int64_t)uv_now(&timer->loop->uv);
    must(uv_timer_start(&timer->handle, on_timeout, wait_ms <= 0 ? 0 : (uint64_t)wait_ms, 0) == 0);
    timer->is_running = true;
}

static void on_timeout(uv_timer_t *handle)
{
    struct timer *timer = handle->data;
    int64_t now = real_clock_mono_us();
    if (now < timer->deadline_mono_us) { /* never, unless libuv's clock is another one */
        arm(timer);
        return;
    }
    if (timer->loop->now_mono_us < timer->deadline_mono_us)
        timer->loop->is_stale = true; /* stamped before this turn began: not for what is due now */
    timer->is_running = false;
    if (timer->period_us > 0) {
        int64_t missed = (now - timer->deadline_mono_us) / timer->period_us;
        timer->deadline_mono_us += (missed + 1) * timer->period_us;
        arm(timer);
    }
    timer->fn(timer, timer->arg); /* last touch: it may free the timer */
}

struct timer *timer_new(struct loop *loop, timer_fn fn, void *arg)
{
    struct timer *timer = stay_calloc(1, sizeof *timer);
    timer->loop = loop;
    timer->fn = fn;
    timer->arg = arg;
    (void)uv_timer_init(&loop->uv, &timer->handle); /* cannot fail */
    timer->handle.data = timer;
    return timer;
}

void timer_start(struct timer *timer, int64_t deadline_mono_us)
{
    timer->deadline_mono_us = deadline_mono_us;
    timer->period_us = 0;
    arm(timer);
}

void timer_start_repeat(struct timer *timer, int64_t first_mono_us, int64_t period_us)
{
    must(period_us > 0);
    timer->deadline_mono_us = first_mono_us;
    timer->period_us = period_us;
    arm(timer);
}

void timer_stop(struct timer *timer)
{
    (void)uv_timer_stop(&timer->handle);
    timer->is_running = false;
    timer->period_us = 0;
}

bool timer_is_running(const struct timer *timer)
{
    return timer->is_running;
}

void timer_unref(struct timer *timer)
{
    uv_unref((uv_handle_t *)&timer->handle);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void timer_free(struct timer *timer)
{
    if (timer == NULL)
        return;
    timer->is_running = false;
    uv_close((uv_handle_t *)&timer->handle, on_closed);
}
