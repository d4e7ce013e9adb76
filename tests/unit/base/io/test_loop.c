/* tests/unit/base/io/test_loop.c - one stamp per turn, signals, stalls and clock jumps as events;
 * timers with absolute deadlines. Time is the machine's, so only lower bounds are exact. */
#include "base/io/real_clock.h"
#include "base/io/real_random.h"
#include "base/io/timer.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "loop_world.h"

#define PATIENCE_US (10 * STAY_SECOND)

struct seen {
    unsigned counts[LOOP_EVENT_COUNT];
    struct loop_event last;
};

static void on_event(struct loop *l, const struct loop_event *event, void *user)
{
    struct seen *seen = user;
    assert_ptr_equal(l, &loop);
    seen->counts[event->kind]++;
    seen->last = *event;
    loop_stop(l);
}

/* As on_event, for a loop in a child. */
static void note_event(struct loop *l, const struct loop_event *event, void *user)
{
    struct seen *seen = user;
    seen->counts[event->kind]++;
    seen->last = *event;
    loop_stop(l);
}

static void busy_for(int64_t us)
{
    int64_t until = real_clock_mono_us() + us;
    while (real_clock_mono_us() < until)
        continue;
}

struct fired {
    unsigned count, stop_at;
    int64_t at_mono_us[16];
    bool frees;
};

static void on_timer(struct timer *timer, void *arg)
{
    struct fired *f = arg;
    f->at_mono_us[f->count++] = real_clock_mono_us();
    if (f->frees)
        timer_free(timer);
    if (f->count == f->stop_at)
        loop_stop(&loop);
}

static void time_stands_still_within_a_turn(void **state)
{
    (void)state;
    (void)loop_turn(&loop, 0);
    int64_t mono = loop_now_mono_us(&loop), wall = loop_now_wall_us(&loop);
    busy_for(3 * STAY_MS);
    assert_int_equal(loop_now_mono_us(&loop), mono);
    assert_int_equal(loop_now_wall_us(&loop), wall);
    (void)loop_turn(&loop, 0);
    assert_true(loop_now_mono_us(&loop) >= mono + 3 * STAY_MS);
    assert_true(loop_now_wall_us(&loop) > INT64_C(1600000000) * STAY_SECOND);
}

static int reader_pipe[2];
static int64_t stamp_in_callback, real_in_callback;

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    stamp_in_callback = loop_now_mono_us(&loop);
    real_in_callback = real_clock_mono_us();
    (void)uv_poll_stop(poll);
    loop_stop(&loop);
}

static void write_later(struct timer *timer, void *arg)
{
    (void)arg;
    timer_free(timer);
    assert_int_equal(write(reader_pipe[1], "x", 1), 1);
}

/* An I/O callback runs before libuv's check phase: its stamp must not be from before the sleep. */
static void stamp_in_an_io_callback_is_fresh(void **state)
{
    uv_poll_t reader;
    (void)state;
    assert_int_equal(pipe(reader_pipe), 0);
    assert_int_equal(uv_poll_init(&loop.uv, &reader, reader_pipe[0]), 0);
    assert_int_equal(uv_poll_start(&reader, UV_READABLE, on_readable), 0);
    struct timer *timer = timer_new(&loop, write_later, NULL);
    timer_start(timer, real_clock_mono_us() + 30 * STAY_MS);
    loop_run(&loop);
    assert_true(real_in_callback - stamp_in_callback < 20 * STAY_MS);
    uv_close((uv_handle_t *)&reader, NULL);
    (void)loop_turn(&loop, 0);
    (void)close(reader_pipe[0]);
    (void)close(reader_pipe[1]);
}

static void signal_arrives_as_an_event(void **state)
{
    struct seen seen = {0};
    (void)state;
    loop_on_event(&loop, on_event, &seen, 0);
    assert_int_equal(loop_watch_signal(&loop, SIGUSR1, NULL), STAY_OK);
    assert_int_equal(kill(getpid(), SIGUSR1), 0);
    int64_t limit = real_clock_mono_us() + PATIENCE_US;
    while (seen.counts[LOOP_EVENT_SIGNAL] == 0 && real_clock_mono_us() < limit)
        (void)loop_turn(&loop, 20 * STAY_MS);
    assert_int_equal(seen.last.signo, SIGUSR1);
    assert_true(seen.last.at_mono_us > 0);
    struct stay_error err = {0};
    assert_int_equal(loop_watch_signal(&loop, SIGKILL, &err), STAY_ESYSTEM);
    assert_string_equal(err.text, "watch signal 9: invalid argument");
    for (int signo = 0; loop.signal_count < LOOP_SIGNALS_MAX; signo++)
        assert_int_equal(loop_watch_signal(&loop, SIGUSR2, NULL), STAY_OK);
    assert_int_equal(loop_watch_signal(&loop, SIGUSR2, NULL), STAY_ELIMIT);
}

static void blocking_callback(struct timer *timer, void *arg)
{
    (void)arg;
    busy_for(60 * STAY_MS);
    timer_free(timer);
}

static void stall_is_reported_once_with_its_length(void **state)
{
    struct seen seen = {0};
    (void)state;
    loop_on_event(&loop, on_event, &seen, 40 * STAY_MS);
    timer_start(timer_new(&loop, blocking_callback, NULL), 0);
    timer_start(timer_new(&loop, blocking_callback, NULL), 0); /* the same turn */
    struct fired f = {.stop_at = 1, .frees = true};
    timer_start(timer_new(&loop, on_timer, &f), real_clock_mono_us() + 400 * STAY_MS);
    while (f.count == 0)
        loop_run(&loop); /* the event stops it, too */
    assert_int_equal(seen.counts[LOOP_EVENT_STALL], 1);
    assert_true(seen.last.gap_us >= 110 * STAY_MS);
    assert_int_equal(loop.stalls, 1);
    assert_true(loop.worst_turn_us >= 110 * STAY_MS);
    assert_int_equal(seen.counts[LOOP_EVENT_CLOCK_JUMP], 0);
}

static void no_stall_while_the_loop_only_sleeps(void **state)
{
    struct seen seen = {0};
    struct fired f = {.stop_at = 1, .frees = true};
    (void)state;
    loop_on_event(&loop, on_event, &seen, 100 * STAY_MS);
    timer_start(timer_new(&loop, on_timer, &f), real_clock_mono_us() + 600 * STAY_MS);
    loop_run(&loop);
    assert_int_equal(f.count, 1);
    assert_int_equal(seen.counts[LOOP_EVENT_STALL], 0);
}

static void move_offset(struct timer *timer, void *arg)
{
    loop.last_offset_us += *(int64_t *)arg;
    timer_free(timer);
}

/* The clocks cannot be set here: the remembered offset is moved instead, back, forth, and too
 * little. */
static void wall_clock_jump_is_an_event(void **state)
{
    static const int64_t shifts[] = {5 * STAY_SECOND, -5 * STAY_SECOND, STAY_SECOND};
    (void)state;
    for (size_t i = 0; i < STAY_COUNT(shifts); i++) {
        struct seen seen = {0};
        struct fired f = {.stop_at = 1, .frees = true};
        int64_t shift = shifts[i];
        loop_on_event(&loop, on_event, &seen, 0);
        timer_start(timer_new(&loop, move_offset, &shift), 0);
        timer_start(timer_new(&loop, on_timer, &f), real_clock_mono_us() + 600 * STAY_MS);
        while (f.count == 0)
            loop_run(&loop);
        assert_int_equal(seen.counts[LOOP_EVENT_CLOCK_JUMP], i < 2);
        if (i < 2) {
            assert_true(llabs(seen.last.gap_us + shift) < 100 * STAY_MS);
            assert_int_equal(seen.last.kind, LOOP_EVENT_CLOCK_JUMP);
        }
    }
}

/* In a child: SIGSTOP while it sleeps in poll, as a frozen virtual machine would. */
static void frozen_process_sees_its_stall(void **state)
{
    int ends[2];
    char byte = 0;
    (void)state;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        static struct loop own;
        struct seen seen = {0};
        struct fired f = {.stop_at = 0};
        if (loop_init(&own, NULL) != STAY_OK)
            _exit(2);
        loop_on_event(&own, note_event, &seen, 300 * STAY_MS);
        timer_start(timer_new(&own, on_timer, &f), real_clock_mono_us() + PATIENCE_US);
        if (write(ends[1], "r", 1) != 1)
            _exit(2);
        loop_run(&own);
        _exit(seen.counts[LOOP_EVENT_STALL] == 1 && seen.last.gap_us > 300 * STAY_MS ? 0 : 1);
    }
    assert_int_equal(read(ends[0], &byte, 1), 1);
    (void)loop_turn(&loop, 50 * STAY_MS); /* let it reach its poll */
    assert_int_equal(kill(pid, SIGSTOP), 0);
    for (int64_t until = real_clock_mono_us() + 900 * STAY_MS; real_clock_mono_us() < until;)
        (void)loop_turn(&loop, 100 * STAY_MS);
    assert_int_equal(kill(pid, SIGCONT), 0);
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

/* Nor does the loop wake in the millisecond before, only to wait again: one turn waits, the next
 * one fires. */
static void timer_never_fires_early(void **state)
{
    (void)state;
    uint64_t turns = loop.turns;
    for (int i = 0; i < 40; i++) {
        struct fired f = {.stop_at = 1, .frees = true};
        int64_t deadline = real_clock_mono_us() + 1500 + i * 137;
        timer_start(timer_new(&loop, on_timer, &f), deadline);
        loop_run(&loop);
        assert_int_equal(f.count, 1);
        assert_true(f.at_mono_us[0] >= deadline);
    }
    assert_true(loop.turns - turns <= 40 * 2 + 8); /* the loop's own tick may fall into it */
}

static int64_t seen_in_timer, due_of_timer;

static void note_time(struct timer *timer, void *arg)
{
    (void)arg;
    seen_in_timer = loop_now_mono_us(&loop);
    timer_free(timer);
    loop_stop(&loop);
}

static void slow_close(uv_handle_t *handle)
{
    (void)handle;
    due_of_timer = real_clock_mono_us() + STAY_MS;
    timer_start(timer_new(&loop, note_time, NULL), due_of_timer);
    busy_for(3 * STAY_MS);
}

static void close_something(struct timer *timer, void *arg)
{
    uv_close(arg, slow_close);
    timer_free(timer);
}

/* Closing comes after the turn was stamped and before the next one's timers: whoever reckons from
 * the time he sees to his next deadline would get the same one again, without end. */
static void timer_sees_no_time_before_its_deadline(void **state)
{
    (void)state;
    uv_idle_t something;
    assert_int_equal(uv_idle_init(&loop.uv, &something), 0);
    timer_start(timer_new(&loop, close_something, &something),
                real_clock_mono_us() + 5 * STAY_MS);
    loop_run(&loop);
    assert_true(seen_in_timer >= due_of_timer);
}

static void repeating_timer_keeps_its_grid_and_skips_what_it_missed(void **state)
{
    struct fired f = {.stop_at = 4};
    (void)state;
    struct timer *timer = timer_new(&loop, on_timer, &f);
    int64_t first = real_clock_mono_us() + 10 * STAY_MS;
    timer_start_repeat(timer, first, 10 * STAY_MS);
    busy_for(35 * STAY_MS); /* misses at least two periods */
    assert_true(timer_is_running(timer));
    loop_run(&loop);
    assert_int_equal(f.count, 4);
    for (unsigned i = 0; i < 4; i++)
        assert_true(f.at_mono_us[i] >= first + (int64_t)(i == 0 ? 0 : i + 2) * 10 * STAY_MS);
    timer_stop(timer);
    timer_stop(timer);
    assert_false(timer_is_running(timer));
    timer_unref(timer);
    timer_free(timer);
    timer_free(NULL);
    (void)loop_turn(&loop, 0);
}

static void libuv_codes_become_ours(void **state)
{
    static const struct {
        int uv;
        enum stay_rc rc;
    } cases[] = {
        {UV_ENOENT, STAY_ENOTFOUND},
        {UV_EACCES, STAY_EDENIED},
        {UV_EPERM, STAY_EDENIED},
        {UV_ECANCELED, STAY_ECANCELED},
        {UV_ETIMEDOUT, STAY_ETIMEDOUT},
        {UV_ECONNREFUSED, STAY_EUNREACHABLE},
        {UV_EHOSTUNREACH, STAY_EUNREACHABLE},
        {UV_ENETUNREACH, STAY_EUNREACHABLE},
        {UV_ECONNRESET, STAY_EUNREACHABLE},
        {UV_EPIPE, STAY_EUNREACHABLE},
        {UV_EMFILE, STAY_ESYSTEM},
    };
    struct stay_error err;
    (void)state;
    for (size_t i = 0; i < STAY_COUNT(cases); i++)
        assert_int_equal(loop_error(NULL, cases[i].uv, "x"), cases[i].rc);
    assert_int_equal(loop_error(&err, UV_EMFILE, "open %s", "it"), STAY_ESYSTEM);
    assert_string_equal(err.text, "open it: too many open files");
    assert_true(err.native > 0 && err.domain == STAY_DOMAIN_SYSTEM);
}

static void real_clock_and_random_answer(void **state)
{
    struct random a, b;
    uint8_t bytes[40] = {0}, none[40] = {0};
    (void)state;
    int64_t mono = clock_mono_us(real_clock());
    assert_true(clock_mono_us(real_clock()) >= mono);
    assert_true(clock_wall_us(real_clock()) > INT64_C(1600000000) * STAY_SECOND);
    real_random_bytes(bytes, sizeof bytes);
    assert_memory_not_equal(bytes, none, sizeof bytes);
    real_random_init(&a);
    real_random_init(&b);
    assert_int_not_equal(random_u64(&a), random_u64(&b));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(time_stands_still_within_a_turn),
        T(stamp_in_an_io_callback_is_fresh),
        T(signal_arrives_as_an_event),
        T(stall_is_reported_once_with_its_length),
        T(no_stall_while_the_loop_only_sleeps),
        T(wall_clock_jump_is_an_event),
        T(frozen_process_sees_its_stall),
        T(timer_never_fires_early),
        T(timer_sees_no_time_before_its_deadline),
        T(repeating_timer_keeps_its_grid_and_skips_what_it_missed),
        T(libuv_codes_become_ours),
        T(real_clock_and_random_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
