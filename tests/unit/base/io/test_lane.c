/* tests/unit/base/io/test_lane.c - lanes: order, bounds, slots, the end; done exactly once.
 * Deadlines: test_lane_late.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "lane_case.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(jobs_of_one_key_run_in_order_on_one_thread, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(results_wait_for_those_under_way_but_not_long, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(full_queue_is_refused_and_calls_nobody, setup, teardown),
        cmocka_unit_test_setup_teardown(slot_belongs_to_the_thread_for_life, setup, teardown),
        cmocka_unit_test_setup_teardown(free_cancels_what_waits_and_delivers_what_returned, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(thread_that_does_not_return_is_left_behind, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
