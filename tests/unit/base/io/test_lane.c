/* tests/unit/base/io/test_lane.c - lanes: done exactly once, deadlines kept by the loop, stuck
 * threads replaced up to a cap and their late results dropped. Blocking is by semaphores the test
 * holds, so nothing depends on speed; deadlines here are a few milliseconds. */
#include "base/io/lane.h"
#include "base/io/real_clock.h"
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <cmocka.h>
#include "loop_world.h"

#define PATIENCE_US (10 * STAY_SECOND)

struct call {
    sem_t *gate; /* work waits for it; NULL: returns at once */
    enum stay_rc answer;
    unsigned done, released;
    enum stay_rc rc;
    atomic_uint began, worked;
    atomic_bool saw_expired;
    pthread_t thread;
};

static enum stay_rc work(struct lane_job *job, void *arg)
{
    struct call *call = arg;
    atomic_fetch_add(&call->began, 1);
    if (call->gate != NULL) {
        while (sem_wait(call->gate) != 0)
            continue;
    }
    call->thread = pthread_self();
    atomic_store(&call->saw_expired, lane_job_expired(job));
    atomic_fetch_add(&call->worked, 1);
    return call->answer;
}

static void done(void *arg, enum stay_rc rc)
{
    struct call *call = arg;
    assert_int_equal(call->released, 0);
    call->done++;
    call->rc = rc;
}

static void release(void *arg)
{
    struct call *call = arg;
    assert_int_equal(call->done, 1);
    call->released++;
}

static struct lane_pool *pool_of(unsigned lanes, unsigned queue_max, unsigned stuck_max)
{
    return lane_pool_new(
        &loop, &(struct lane_pool_options){
                   .name = "test", .lanes = lanes, .queue_max = queue_max, .stuck_max = stuck_max});
}

static enum stay_rc submit(struct lane_pool *pool, uint64_t key, struct call *call,
                           int64_t deadline_us)
{
    return lane_submit(pool, key,
                       &(struct lane_work){.work = work,
                                           .done = done,
                                           .release = release,
                                           .arg = call,
                                           .deadline_mono_us = real_clock_mono_us() + deadline_us},
                       NULL);
}

static void turn_until(const unsigned *counter, unsigned want)
{
    int64_t limit = real_clock_mono_us() + PATIENCE_US;
    while (*counter < want && real_clock_mono_us() < limit)
        (void)loop_turn(&loop, 50 * STAY_MS);
    assert_int_equal(*counter, want);
}

/* Submits and waits, without turning the loop, until a thread is inside the call: however slow this
 * machine is, the deadline then finds it running. */
static void submit_and_begin(struct lane_pool *pool, struct call *call, int64_t deadline_us)
{
    assert_int_equal(submit(pool, 0, call, deadline_us), STAY_OK);
    while (atomic_load(&call->began) == 0)
        (void)sched_yield();
}

static struct lane_stats stats_of(struct lane_pool *pool)
{
    struct lane_stats stats;
    lane_pool_stats(pool, &stats);
    return stats;
}

static void jobs_of_one_key_run_in_order_on_one_thread(void **state)
{
    struct call calls[50] = {0};
    struct lane_pool *pool = pool_of(3, 0, 0);
    (void)state;
    for (size_t i = 0; i < STAY_COUNT(calls); i++) {
        calls[i].answer = i % 2 == 0 ? STAY_OK : STAY_EFAILED;
        assert_int_equal(submit(pool, 7, &calls[i], PATIENCE_US), STAY_OK);
    }
    for (size_t i = 0; i < STAY_COUNT(calls); i++) {
        turn_until(&calls[i].released, 1);
        assert_int_equal(calls[i].done, 1);
        assert_int_equal(calls[i].rc, calls[i].answer);
        assert_true(pthread_equal(calls[i].thread, calls[0].thread));
        assert_false(atomic_load(&calls[i].saw_expired));
    }
    struct lane_stats stats = stats_of(pool);
    assert_int_equal(stats.submitted, 50);
    assert_int_equal(stats.finished, 50);
    assert_int_equal(stats.waiting + stats.running + stats.stuck + stats.replaced, 0);
    assert_int_equal(lane_pool_free(pool, PATIENCE_US), 0);
}

static void deadline_fires_although_the_thread_never_returns(void **state)
{
    sem_t gate;
    struct call stuck = {.gate = &gate}, next = {0};
    (void)state;
    assert_int_equal(sem_init(&gate, 0, 0), 0);
    struct lane_pool *pool = pool_of(1, 0, 2);
    submit_and_begin(pool, &stuck, 5 * STAY_MS);
    assert_int_equal(submit(pool, 0, &next, PATIENCE_US), STAY_OK); /* behind it */
    turn_until(&stuck.done, 1);
    assert_int_equal(stuck.rc, STAY_ETIMEDOUT);
    assert_int_equal(stuck.released, 0); /* work still holds it */
    turn_until(&next.released, 1);       /* a fresh thread took the queue over */
    assert_int_equal(next.rc, STAY_OK);
    struct lane_stats stats = stats_of(pool);
    assert_int_equal(stats.stuck, 1);
    assert_int_equal(stats.replaced, 1);
    assert_int_equal(stats.timed_out, 1);
    assert_int_equal(sem_post(&gate), 0); /* it comes back, late */
    turn_until(&stuck.released, 1);
    assert_int_equal(stuck.done, 1);
    assert_int_equal(stuck.rc, STAY_ETIMEDOUT); /* what it brought is dropped */
    assert_true(atomic_load(&stuck.saw_expired));
    assert_false(pthread_equal(stuck.thread, next.thread));
    assert_int_equal(stats_of(pool).stuck, 0);
    assert_int_equal(lane_pool_free(pool, PATIENCE_US), 0);
    assert_int_equal(sem_destroy(&gate), 0);
}

static void waiting_job_times_out_without_running(void **state)
{
    sem_t gate;
    struct call first = {.gate = &gate}, waiting = {0}, last = {0};
    (void)state;
    assert_int_equal(sem_init(&gate, 0, 0), 0);
    struct lane_pool *pool = pool_of(1, 0, 0);
    assert_int_equal(submit(pool, 0, &first, PATIENCE_US), STAY_OK);
    assert_int_equal(submit(pool, 0, &waiting, 5 * STAY_MS), STAY_OK);
    assert_int_equal(submit(pool, 0, &last, PATIENCE_US), STAY_OK);
    turn_until(&waiting.released, 1);
    assert_int_equal(waiting.rc, STAY_ETIMEDOUT);
    assert_int_equal(atomic_load(&waiting.worked), 0);
    assert_int_equal(sem_post(&gate), 0);
    turn_until(&last.released, 1);
    assert_int_equal(first.rc, STAY_OK);
    assert_int_equal(last.rc, STAY_OK);
    assert_int_equal(atomic_load(&waiting.worked), 0);
    assert_int_equal(lane_pool_free(pool, PATIENCE_US), 0);
    assert_int_equal(sem_destroy(&gate), 0);
}

/* Beyond the cap the lane waits for its thread, and goes on with it. */
static void stuck_threads_are_replaced_up_to_the_cap(void **state)
{
    sem_t gate;
    struct call stuck[3] = {{.gate = &gate}, {.gate = &gate}, {.gate = &gate}}, after = {0};
    (void)state;
    assert_int_equal(sem_init(&gate, 0, 0), 0);
    struct lane_pool *pool = pool_of(1, 0, 1);
    submit_and_begin(pool, &stuck[0], 5 * STAY_MS);
    turn_until(&stuck[0].done, 1);
    submit_and_begin(pool, &stuck[1], 5 * STAY_MS);
    turn_until(&stuck[1].done, 1);
    assert_int_equal(stats_of(pool).stuck, 2); /* one replaced, one beyond the cap */
    assert_int_equal(submit(pool, 0, &stuck[2], 5 * STAY_MS), STAY_OK);
    turn_until(&stuck[2].released, 1);
    assert_int_equal(atomic_load(&stuck[2].worked), 0); /* no thread was made for it */
    assert_int_equal(submit(pool, 0, &after, PATIENCE_US), STAY_OK);
    assert_int_equal(stats_of(pool).waiting, 1);
    assert_int_equal(sem_post(&gate), 0); /* either of the two returns and serves the lane */
    turn_until(&after.released, 1);
    assert_int_equal(after.rc, STAY_OK);
    assert_int_equal(sem_post(&gate), 0);
    turn_until(&stuck[0].released, 1);
    turn_until(&stuck[1].released, 1);
    assert_int_equal(stats_of(pool).stuck, 0);
    assert_int_equal(lane_pool_free(pool, PATIENCE_US), 0);
    assert_int_equal(sem_destroy(&gate), 0);
}

static void patience_keeps_a_slightly_late_thread(void **state)
{
    sem_t gate;
    struct call late = {.gate = &gate}, next = {0};
    (void)state;
    assert_int_equal(sem_init(&gate, 0, 0), 0);
    struct lane_pool *pool = lane_pool_new(
        &loop, &(struct lane_pool_options){
                   .name = "a-name-too-long", .lanes = 1, .replace_after_us = PATIENCE_US});
    submit_and_begin(pool, &late, 5 * STAY_MS);
    turn_until(&late.done, 1);
    assert_int_equal(stats_of(pool).stuck, 0);
    assert_int_equal(submit(pool, 0, &next, PATIENCE_US), STAY_OK);
    assert_int_equal(sem_post(&gate), 0);
    turn_until(&next.released, 1);
    assert_int_equal(late.released, 1);
    assert_true(pthread_equal(late.thread, next.thread));
    assert_int_equal(stats_of(pool).replaced, 0);
    assert_int_equal(lane_pool_free(pool, PATIENCE_US), 0);
    assert_int_equal(sem_destroy(&gate), 0);
}

static void patience_ends(void **state)
{
    sem_t gate;
    struct call late = {.gate = &gate}, next = {0};
    (void)state;
    assert_int_equal(sem_init(&gate, 0, 0), 0);
    struct lane_pool *pool = lane_pool_new(
        &loop,
        &(struct lane_pool_options){.name = "test", .lanes = 1, .replace_after_us = 10 * STAY_MS});
    submit_and_begin(pool, &late, 5 * STAY_MS);
    assert_int_equal(submit(pool, 0, &next, PATIENCE_US), STAY_OK);
    turn_until(&next.released, 1);
    assert_int_equal(late.done, 1);
    assert_int_equal(stats_of(pool).stuck, 1);
    assert_int_equal(sem_post(&gate), 0);
    turn_until(&late.released, 1);
    assert_int_equal(lane_pool_free(pool, PATIENCE_US), 0);
    assert_int_equal(sem_destroy(&gate), 0);
}

/* The wait for a thread is not the job's: it has its run_us from when one takes it up. */
static void run_time_counts_from_when_a_thread_takes_the_job_up(void **state)
{
    sem_t gate;
    struct call call = {.gate = &gate};
    (void)state;
    assert_int_equal(sem_init(&gate, 0, 0), 0);
    struct lane_pool *pool = pool_of(1, 0, 0);
    struct lane_work job = {
        .work = work, .done = done, .release = release, .arg = &call, .run_us = 60 * STAY_MS};
    int64_t begun = real_clock_mono_us();
    job.deadline_mono_us = begun + 10 * STAY_MS;
    assert_int_equal(lane_submit(pool, 0, &job, NULL), STAY_OK);
    while (atomic_load(&call.began) == 0)
        (void)sched_yield();
    turn_until(&call.done, 1);
    assert_int_equal(call.rc, STAY_ETIMEDOUT);
    assert_true(real_clock_mono_us() - begun >= 60 * STAY_MS);
    assert_int_equal(sem_post(&gate), 0);
    turn_until(&call.released, 1);
    assert_int_equal(lane_pool_free(pool, PATIENCE_US), 0);
    assert_int_equal(sem_destroy(&gate), 0);
}

/* Two on one thread: the second is taken up when the first is over its time, and late itself. Their
 * turn may come within minutes, their run may not last longer than it was given. */
static void run_time_is_kept_however_long_the_turn_may_be_waited_for(void **state)
{
    sem_t gate;
    struct call calls[2] = {{.gate = &gate}, {.gate = &gate}};
    (void)state;
    assert_int_equal(sem_init(&gate, 0, 0), 0);
    struct lane_pool *pool = pool_of(1, 0, 0);
    for (size_t i = 0; i < STAY_COUNT(calls); i++) {
        struct lane_work job = {.work = work,
                                .done = done,
                                .release = release,
                                .arg = &calls[i],
                                .deadline_mono_us = real_clock_mono_us() + 10 * PATIENCE_US,
                                .run_us = 60 * STAY_MS};
        assert_int_equal(lane_submit(pool, 0, &job, NULL), STAY_OK);
    }
    turn_until(&calls[0].done, 1);
    assert_int_equal(atomic_load(&calls[0].worked), 0); /* it is still inside */
    turn_until(&calls[1].done, 1);
    assert_int_equal(calls[0].rc, STAY_ETIMEDOUT);
    assert_int_equal(calls[1].rc, STAY_ETIMEDOUT);
    assert_int_equal(atomic_load(&calls[1].began), 1);
    for (size_t i = 0; i < STAY_COUNT(calls); i++)
        assert_int_equal(sem_post(&gate), 0);
    turn_until(&calls[0].released, 1);
    turn_until(&calls[1].released, 1);
    assert_int_equal(lane_pool_free(pool, PATIENCE_US), 0);
    assert_int_equal(sem_destroy(&gate), 0);
}

/* One is over at once, the other holds its thread: the first is told when the wait for it ends. */
static void results_wait_for_those_under_way_but_not_long(void **state)
{
    sem_t gate;
    struct call slow = {.gate = &gate}, quick = {0};
    struct lane_pool_options options = {.name = "test", .lanes = 2, .gather_us = 60 * STAY_MS};
    (void)state;
    assert_int_equal(sem_init(&gate, 0, 0), 0);
    struct lane_pool *pool = lane_pool_new(&loop, &options);
    assert_int_equal(submit(pool, 0, &slow, PATIENCE_US), STAY_OK);
    while (atomic_load(&slow.began) == 0)
        continue;
    int64_t begun = loop_now_mono_us(&loop);
    assert_int_equal(submit(pool, 1, &quick, PATIENCE_US), STAY_OK);
    turn_until(&quick.done, 1);
    assert_true(real_clock_mono_us() - begun >= 60 * STAY_MS);
    assert_int_equal(slow.done, 0);
    assert_int_equal(sem_post(&gate), 0);
    turn_until(&slow.done, 1); /* nobody else is under way */
    assert_int_equal(lane_pool_free(pool, PATIENCE_US), 0);
    assert_int_equal(sem_destroy(&gate), 0);
}

static void full_queue_is_refused_and_calls_nobody(void **state)
{
    sem_t gate;
    struct call calls[3] = {{.gate = &gate}, {.gate = &gate}, {.gate = &gate}}, refused = {0};
    struct stay_error err = {0};
    (void)state;
    assert_int_equal(sem_init(&gate, 0, 0), 0);
    struct lane_pool *pool = pool_of(1, 2, 0);
    submit_and_begin(pool, &calls[0], PATIENCE_US);
    assert_int_equal(submit(pool, 0, &calls[1], PATIENCE_US), STAY_OK);
    assert_int_equal(submit(pool, 0, &calls[2], PATIENCE_US), STAY_OK);
    struct lane_work one_more = {.work = work, .done = done, .release = release, .arg = &refused};
    assert_int_equal(lane_submit(pool, 0, &one_more, &err), STAY_ELIMIT);
    assert_string_equal(err.text, "lane test-0: 2 jobs are waiting");
    for (int i = 0; i < 3; i++)
        assert_int_equal(sem_post(&gate), 0);
    turn_until(&calls[2].released, 1);
    assert_int_equal(refused.done + refused.released, 0);
    assert_int_equal(stats_of(pool).refused, 1);
    assert_int_equal(lane_pool_free(pool, PATIENCE_US), 0);
    assert_int_equal(sem_destroy(&gate), 0);
}

static atomic_uint slots_dropped;

static void slot_drop(void *slot)
{
    atomic_fetch_add(&slots_dropped, 1);
    free(slot);
}

static enum stay_rc count_in_slot(struct lane_job *job, void *arg)
{
    unsigned **slot = (unsigned **)lane_job_slot(job);
    if (*slot == NULL)
        *slot = stay_calloc(1, sizeof **slot);
    *(unsigned *)arg = ++**slot;
    assert_true(lane_job_deadline_mono_us(job) > 0);
    return STAY_OK;
}

static void count_done(void *arg, enum stay_rc rc)
{
    (void)arg;
    assert_int_equal(rc, STAY_OK);
}

static void slot_belongs_to_the_thread_for_life(void **state)
{
    unsigned seen[4] = {0};
    (void)state;
    struct lane_pool *pool = lane_pool_new(
        &loop, &(struct lane_pool_options){.name = "slot", .lanes = 2, .slot_drop = slot_drop});
    for (unsigned i = 0; i < 4; i++) {
        struct lane_work w = {.work = count_in_slot,
                              .done = count_done,
                              .arg = &seen[i],
                              .deadline_mono_us = real_clock_mono_us() + PATIENCE_US};
        assert_int_equal(lane_submit(pool, i == 3 ? 1 : 0, &w, NULL), STAY_OK);
    }
    while (stats_of(pool).finished < 4)
        (void)loop_turn(&loop, 10 * STAY_MS);
    assert_int_equal(seen[2], 3);
    assert_int_equal(seen[3], 1);
    assert_int_equal(lane_pool_free(pool, PATIENCE_US), 0);
    assert_int_equal(atomic_load(&slots_dropped), 2);
}

static void free_cancels_what_waits_and_delivers_what_returned(void **state)
{
    sem_t gate;
    struct call running = {.gate = &gate}, waiting = {0}, returned = {0}, refused = {0};
    (void)state;
    assert_int_equal(sem_init(&gate, 0, 0), 0);
    struct lane_pool *pool = pool_of(2, 0, 0);
    assert_int_equal(submit(pool, 0, &running, PATIENCE_US), STAY_OK);
    assert_int_equal(submit(pool, 0, &waiting, PATIENCE_US), STAY_OK);
    assert_int_equal(submit(pool, 1, &returned, PATIENCE_US), STAY_OK);
    while (stats_of(pool).running != 1 || atomic_load(&returned.worked) == 0)
        (void)sched_yield();
    assert_int_equal(sem_post(&gate), 0); /* ends within the wait below */
    assert_int_equal(lane_pool_free(pool, PATIENCE_US), 0);
    assert_int_equal(waiting.done, 1);
    assert_int_equal(running.done, 1);
    assert_int_equal(running.released + waiting.released + returned.released, 3);
    assert_int_equal(returned.rc, STAY_OK);
    assert_int_equal(refused.done, 0);
    assert_int_equal(lane_pool_free(NULL, 0), 0);
    assert_int_equal(sem_destroy(&gate), 0);
}

static struct lane_pool *closing_pool;
static enum stay_rc rc_while_closing;

static void submit_again(void *arg, enum stay_rc rc)
{
    done(arg, rc);
    rc_while_closing = submit(closing_pool, 0, arg, PATIENCE_US);
}

/* Static: the thread outlives the test on purpose. */
static sem_t never;
static struct call left_behind = {.gate = &never};

static void thread_that_does_not_return_is_left_behind(void **state)
{
    (void)state;
    assert_int_equal(sem_init(&never, 0, 0), 0);
    closing_pool = pool_of(1, 0, 0);
    struct lane_work w = {.work = work,
                          .done = submit_again,
                          .release = release,
                          .arg = &left_behind,
                          .deadline_mono_us = real_clock_mono_us() + PATIENCE_US};
    assert_int_equal(lane_submit(closing_pool, 0, &w, NULL), STAY_OK);
    while (stats_of(closing_pool).running == 0)
        (void)sched_yield();
    assert_int_equal(lane_pool_free(closing_pool, 5 * STAY_MS), 1);
    assert_int_equal(left_behind.done, 1);
    assert_int_equal(left_behind.rc, STAY_ECANCELED);
    assert_int_equal(rc_while_closing, STAY_ECANCELED);
    assert_int_equal(left_behind.released, 0);
}

/* Many short jobs with deadlines that race with their returns: each is done and released once. */
static void racing_deadlines_call_done_once(void **state)
{
    enum { COUNT = 2000 };
    struct call *calls = stay_calloc(COUNT, sizeof *calls);
    struct lane_pool *pool = pool_of(4, COUNT, 0);
    (void)state;
    for (unsigned i = 0; i < COUNT; i++)
        assert_int_equal(submit(pool, i, &calls[i], (int64_t)(i % 7) * 300), STAY_OK);
    for (unsigned i = 0; i < COUNT; i++) {
        turn_until(&calls[i].released, 1);
        assert_int_equal(calls[i].done, 1);
        assert_true(calls[i].rc == STAY_OK || calls[i].rc == STAY_ETIMEDOUT);
    }
    struct lane_stats stats = stats_of(pool);
    assert_int_equal(stats.finished + stats.timed_out, COUNT);
    assert_int_equal(lane_pool_free(pool, PATIENCE_US), 0);
    free(calls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(jobs_of_one_key_run_in_order_on_one_thread, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(deadline_fires_although_the_thread_never_returns, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(waiting_job_times_out_without_running, setup, teardown),
        cmocka_unit_test_setup_teardown(stuck_threads_are_replaced_up_to_the_cap, setup, teardown),
        cmocka_unit_test_setup_teardown(patience_keeps_a_slightly_late_thread, setup, teardown),
        cmocka_unit_test_setup_teardown(patience_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(run_time_counts_from_when_a_thread_takes_the_job_up, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(run_time_is_kept_however_long_the_turn_may_be_waited_for,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(results_wait_for_those_under_way_but_not_long, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(full_queue_is_refused_and_calls_nobody, setup, teardown),
        cmocka_unit_test_setup_teardown(slot_belongs_to_the_thread_for_life, setup, teardown),
        cmocka_unit_test_setup_teardown(free_cancels_what_waits_and_delivers_what_returned, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(racing_deadlines_call_done_once, setup, teardown),
        cmocka_unit_test_setup_teardown(thread_that_does_not_return_is_left_behind, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
