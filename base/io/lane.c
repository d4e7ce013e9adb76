/* The loop's side of a lane pool: jobs in, answers and deadlines out, the pool's life.
 *
 * Happy path: submit queues a job and wakes the lane's worker; the worker runs work, puts the job
 * on the finished list and signals the loop; on_signal delivers done, then release. Deadline while
 * queued: the job leaves the queue, done(ETIMEDOUT), release. Deadline while running:
 * done(ETIMEDOUT) at once; after replace_after_us more the worker is abandoned and a fresh one
 * takes the lane. When the old one returns, its job is released and it ends, or, if the cap left
 * the lane without a worker, goes back to serving it. */
#include "base/io/lane_private.h"
#include "base/io/real_clock.h"
#include "base/io/timer.h"
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Ends a job that is in no list and on no thread. */
static void release_job(struct lane_job *job)
{
    struct lane_pool *pool = job->pool;
    if (job->older != NULL)
        job->older->newer = job->newer;
    if (job->newer != NULL)
        job->newer->older = job->older;
    else
        pool->newest = job->older;
    timer_free(job->deadline);
    if (job->work.release != NULL)
        job->work.release(job->work.arg);
    free(job);
}

static void call_done(struct lane_job *job, enum stay_rc rc, uint64_t *counter)
{
    if (job->is_done)
        return;
    job->is_done = true;
    timer_stop(job->deadline);
    (*counter)++;
    job->work.done(job->work.arg, rc);
}

static void deliver(struct lane_job *job)
{
    call_done(job, job->rc, &job->pool->stats.finished);
    release_job(job);
}

/* What threads have brought so far; more may come meanwhile, and signals again. */
static void take_what_came(struct lane_pool *pool)
{
    lane_lock(pool);
    pool->is_signalled = false;
    struct lane_worker *exited = lane_take_exited(pool);
    struct lane_job *job = pool->finished.head, *next;
    pool->finished = (struct job_list){0};
    lane_revive_all(pool);
    lane_unlock(pool);
    lane_join_exited(exited);
    for (; job != NULL; job = next) {
        next = job->next;
        deliver(job);
    }
}

static bool is_at_work(struct lane_pool *pool)
{
    lane_lock(pool);
    bool is = pool->stats.running > 0;
    for (unsigned i = 0; i < pool->options.lanes && !is; i++)
        is = pool->lanes[i].waiting > 0;
    lane_unlock(pool);
    return is;
}

static void on_signal(uv_poll_t *handle, int status, int events)
{
    struct lane_pool *pool = handle->data;
    uint64_t count;
    (void)status;
    (void)events;
    if (read(pool->signal_fd, &count, sizeof count) <= 0) /* before looking: nothing is missed */
        return;
    if (pool->options.gather_us > 0 &&
        is_at_work(pool)) /* who ends meanwhile has no need to tell */
        timer_start(pool->gather, loop_now_mono_us(pool->loop) + pool->options.gather_us);
    else
        take_what_came(pool);
}

static void on_gathered(struct timer *timer, void *arg)
{
    (void)timer;
    take_what_came(arg);
}

/* The patience with a running job is over. */
static void abandon_worker(struct lane_job *job)
{
    struct lane_pool *pool = job->pool;
    lane_lock(pool);
    if (job->state == JOB_RUNNING && !job->worker->is_abandoned) {
        job->worker->is_abandoned = true;
        job->lane->worker = NULL;
        pool->stats.stuck++;
        lane_revive_all(pool);
    }
    lane_unlock(pool);
}

/* A thread that takes a job up tells nobody: no run of run_us that begins after `now` is over
 * before this, so who looks then, and at the run's own end, is never late for it. */
static int64_t next_look_mono_us(int64_t now, int64_t run_us, int64_t due)
{
    return run_us > 0 && due - now > run_us ? now + run_us : due;
}

static void on_deadline(struct timer *timer, void *arg)
{
    struct lane_job *job = arg;
    struct lane_pool *pool = job->pool;
    if (job->is_done) { /* the second firing, replace_after_us later */
        abandon_worker(job);
        return;
    }
    lane_lock(pool);
    enum job_state state = job->state;
    int64_t due = job->work.deadline_mono_us, now = loop_now_mono_us(pool->loop);
    bool is_early = job->work.run_us > 0 && now < due;
    if (state == JOB_QUEUED && !is_early) {
        lane_list_remove(&job->lane->queue, job);
        job->lane->waiting--;
    }
    lane_unlock(pool);
    if (state == JOB_RETURNED)
        return; /* on the finished list: on_signal delivers what it brought */
    if (is_early) {
        timer_start(timer,
                    state == JOB_RUNNING ? due : next_look_mono_us(now, job->work.run_us, due));
        return;
    }
    atomic_store_explicit(&job->is_expired, true, memory_order_relaxed);
    if (state == JOB_QUEUED) {
        call_done(job, STAY_ETIMEDOUT, &pool->stats.timed_out);
        release_job(job);
        return;
    }
    if (pool->options.replace_after_us > 0)
        timer_start(timer, job->work.deadline_mono_us + pool->options.replace_after_us);
    else
        abandon_worker(job);
    job->is_done = true;
    pool->stats.timed_out++;
    job->work.done(job->work.arg, STAY_ETIMEDOUT);
}

struct lane_pool *lane_pool_new(struct loop *loop, const struct lane_pool_options *options)
{
    must(options->lanes >= 1 && options->lanes <= LANE_LANES_MAX);
    must(options->replace_after_us >= 0);
    struct lane_pool *pool = stay_calloc(1, sizeof *pool + options->lanes * sizeof(struct lane));
    pool->loop = loop;
    pool->options = *options;
    (void)stay_copy(pool->name, sizeof pool->name, options->name);
    pool->options.name = pool->name;
    if (options->queue_max == 0)
        pool->options.queue_max = LANE_QUEUE_DEFAULT;
    if (options->stuck_max == 0)
        pool->options.stuck_max = LANE_STUCK_DEFAULT;
    pthread_condattr_t monotonic;
    must(pthread_condattr_init(&monotonic) == 0);
    must(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    must(pthread_mutex_init(&pool->mutex, NULL) == 0);
    must(pthread_cond_init(&pool->exit_seen, &monotonic) == 0);
    must(pthread_condattr_destroy(&monotonic) == 0);
    for (unsigned i = 0; i < options->lanes; i++) {
        pool->lanes[i].pool = pool;
        pool->lanes[i].index = i;
        must(pthread_cond_init(&pool->lanes[i].wake, NULL) == 0);
    }
    pool->signal_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    must(pool->signal_fd >= 0 && uv_poll_init(&loop->uv, &pool->signal, pool->signal_fd) == 0);
    must(uv_poll_start(&pool->signal, UV_READABLE, on_signal) == 0);
    pool->signal.data = pool;
    pool->gather = timer_new(loop, on_gathered, pool);
    timer_unref(pool->gather);
    uv_unref((uv_handle_t *)&pool->signal); /* an idle pool keeps no loop running */
    return pool;
}

/* Mutex held. Refuses what cannot be queued; makes the lane's first thread. */
static enum stay_rc admit(struct lane *lane, struct stay_error *err)
{
    struct lane_pool *pool = lane->pool;
    if (pool->is_closing)
        return stay_error(err, STAY_ECANCELED, "lane %s: shutting down", pool->name);
    if (lane->waiting >= pool->options.queue_max)
        return stay_error(err, STAY_ELIMIT, "lane %s-%u: %u jobs are waiting", pool->name,
                          lane->index, lane->waiting);
    if (lane->worker == NULL && pool->stats.stuck <= pool->options.stuck_max) {
        int rc = lane_start_worker(lane);
        if (rc != 0)
            return stay_error_sys(err, rc, "lane %s-%u: start a thread", pool->name, lane->index);
    }
    return STAY_OK;
}

enum stay_rc lane_submit(struct lane_pool *pool, uint64_t key, const struct lane_work *work,
                         struct stay_error *err)
{
    struct lane *lane = &pool->lanes[key % pool->options.lanes];
    lane_lock(pool);
    enum stay_rc rc = admit(lane, err);
    if (rc != STAY_OK) {
        pool->stats.refused++;
        lane_unlock(pool);
        return rc;
    }
    struct lane_job *job = stay_calloc(1, sizeof *job);
    *job = (struct lane_job){.pool = pool, .lane = lane, .work = *work, .state = JOB_QUEUED};
    job->deadline = timer_new(pool->loop, on_deadline, job);
    timer_start(job->deadline, next_look_mono_us(loop_now_mono_us(pool->loop), work->run_us,
                                                 work->deadline_mono_us));
    job->older = pool->newest;
    if (job->older != NULL)
        job->older->newer = job;
    pool->newest = job;
    pool->stats.submitted++;
    lane_list_push(&lane->queue, job);
    lane->waiting++;
    lane_unlock(pool);
    must(pthread_cond_signal(&lane->wake) == 0); /* it lives as long as the pool */
    return STAY_OK;
}

void lane_pool_stats(struct lane_pool *pool, struct lane_stats *ret_stats)
{
    lane_lock(pool);
    *ret_stats = pool->stats;
    for (unsigned i = 0; i < pool->options.lanes; i++)
        ret_stats->waiting += pool->lanes[i].waiting;
    lane_unlock(pool);
}

/* --- the end ---------------------------------------------------------------------------------- */

/* Tells threads and jobs; what still runs stays on its thread, the rest is released. */
static void cancel_jobs(struct lane_pool *pool)
{
    lane_lock(pool);
    pool->is_closing = true;
    for (unsigned i = 0; i < pool->options.lanes; i++) {
        pool->lanes[i].queue = (struct job_list){0};
        pool->lanes[i].waiting = 0;
        must(pthread_cond_broadcast(&pool->lanes[i].wake) == 0);
    }
    lane_unlock(pool);
    struct lane_job *older;
    for (struct lane_job *job = pool->newest; job != NULL; job = older) {
        older = job->older;
        atomic_store_explicit(&job->is_expired, true, memory_order_relaxed);
        lane_lock(pool);
        enum job_state state = job->state;
        lane_unlock(pool);
        if (state == JOB_RETURNED)
            continue; /* the finished list delivers it */
        call_done(job, STAY_ECANCELED, &pool->stats.canceled);
        if (state == JOB_QUEUED)
            release_job(job);
    }
}

/* Returns how many are still inside a call. */
static unsigned wait_for_threads(struct lane_pool *pool, int64_t wait_us)
{
    int64_t until = real_clock_mono_us() + (wait_us > 0 ? wait_us : 0);
    struct timespec deadline = {.tv_sec = until / STAY_SECOND,
                                .tv_nsec = until % STAY_SECOND * 1000};
    lane_lock(pool);
    int rc = 0;
    while (pool->alive_count > 0 && rc != ETIMEDOUT) {
        rc = pthread_cond_timedwait(&pool->exit_seen, &pool->mutex, &deadline);
        must(rc == 0 || rc == ETIMEDOUT);
    }
    unsigned left = pool->alive_count;
    lane_unlock(pool);
    return left;
}

static void free_pool(uv_handle_t *handle)
{
    struct lane_pool *pool = handle->data;
    for (unsigned i = 0; i < pool->options.lanes; i++)
        must(pthread_cond_destroy(&pool->lanes[i].wake) == 0);
    must(pthread_cond_destroy(&pool->exit_seen) == 0);
    must(pthread_mutex_destroy(&pool->mutex) == 0);
    (void)close(pool->signal_fd);
    free(pool);
}

/* Threads that did not come back keep the pool and their jobs until the process ends. */
static void leave_behind(struct lane_pool *pool)
{
    lane_lock(pool);
    for (struct lane_worker *w = pool->alive; w != NULL; w = w->next_alive)
        must(pthread_detach(w->thread) == 0);
    lane_unlock(pool);
    for (struct lane_job *job = pool->newest; job != NULL; job = job->older)
        timer_free(job->deadline);
}

unsigned lane_pool_free(struct lane_pool *pool, int64_t wait_us)
{
    if (pool == NULL)
        return 0;
    cancel_jobs(pool);
    unsigned left = wait_for_threads(pool, wait_us);
    take_what_came(pool);
    if (left > 0)
        leave_behind(pool);
    timer_free(pool->gather);
    (void)uv_poll_stop(&pool->signal);
    uv_close((uv_handle_t *)&pool->signal, left == 0 ? free_pool : NULL);
    return left;
}
