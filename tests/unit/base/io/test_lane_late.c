/* tests/unit/base/io/test_lane_late.c - lanes: deadlines kept by the loop, stuck threads replaced
 * up to a cap and their late results dropped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "lane_case.h"

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
        cmocka_unit_test_setup_teardown(racing_deadlines_call_done_once, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
