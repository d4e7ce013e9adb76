/* tests/unit/base/io/lane_case.h - jobs on lanes that wait for semaphores the test holds, so that
 * nothing depends on speed; deadlines are a few milliseconds.
 *
 * Layer: tests, after cmocka.h. */
#ifndef TESTS_UNIT_BASE_IO_LANE_CASE_H
#define TESTS_UNIT_BASE_IO_LANE_CASE_H
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "base/io/lane.h"
#include "base/io/real_clock.h"
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

static inline enum stay_rc work(struct lane_job *job, void *arg)
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

static inline void done(void *arg, enum stay_rc rc)
{
    struct call *call = arg;
    assert_int_equal(call->released, 0);
    call->done++;
    call->rc = rc;
}

static inline void release(void *arg)
{
    struct call *call = arg;
    assert_int_equal(call->done, 1);
    call->released++;
}

static inline struct lane_pool *pool_of(unsigned lanes, unsigned queue_max, unsigned stuck_max)
{
    return lane_pool_new(
        &loop, &(struct lane_pool_options){
                   .name = "test", .lanes = lanes, .queue_max = queue_max, .stuck_max = stuck_max});
}

static inline enum stay_rc submit(struct lane_pool *pool, uint64_t key, struct call *call,
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

static inline void turn_until(const unsigned *counter, unsigned want)
{
    int64_t limit = real_clock_mono_us() + PATIENCE_US;
    while (*counter < want && real_clock_mono_us() < limit)
        (void)loop_turn(&loop, 50 * STAY_MS);
    assert_int_equal(*counter, want);
}

/* Submits and waits, without turning the loop, until a thread is inside the call: however slow this
 * machine is, the deadline then finds it running. */
static inline void submit_and_begin(struct lane_pool *pool, struct call *call, int64_t deadline_us)
{
    assert_int_equal(submit(pool, 0, call, deadline_us), STAY_OK);
    while (atomic_load(&call->began) == 0)
        (void)sched_yield();
}

static inline struct lane_stats stats_of(struct lane_pool *pool)
{
    struct lane_stats stats;
    lane_pool_stats(pool, &stats);
    return stats;
}

#endif
