/* The threads of a lane pool: each runs the jobs of its lane's queue until it is abandoned or the
 * pool closes, puts them on the finished list and signals the loop. */
#include "base/io/lane_private.h"
#include "base/io/real_clock.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

void lane_lock(struct lane_pool *pool)
{
    must(pthread_mutex_lock(&pool->mutex) == 0);
}

void lane_unlock(struct lane_pool *pool)
{
    must(pthread_mutex_unlock(&pool->mutex) == 0);
}

void lane_list_push(struct job_list *list, struct lane_job *job)
{
    job->next = NULL;
    if (list->tail != NULL)
        list->tail->next = job;
    else
        list->head = job;
    list->tail = job;
}

void lane_list_remove(struct job_list *list, struct lane_job *job)
{
    struct lane_job **at = &list->head, *before = NULL;
    while (*at != job) {
        before = *at;
        at = &before->next;
    }
    *at = job->next;
    if (list->tail == job)
        list->tail = before;
    job->next = NULL;
}

/* Mutex held. True: signal_loop is due after unlocking. */
static bool wants_signal(struct lane_pool *pool)
{
    if (pool->is_closing || pool->is_signalled)
        return false;
    pool->is_signalled = true;
    return true;
}

/* Mutex not held. The descriptor is not closed before this thread was joined. */
static void signal_loop(const struct lane_pool *pool)
{
    const uint64_t one = 1;
    must(write(pool->signal_fd, &one, sizeof one) == (ssize_t)sizeof one);
}

/* Mutex held, and released around the call. */
static void run_job(struct lane_worker *worker, struct lane_job *job)
{
    struct lane *lane = worker->lane;
    struct lane_pool *pool = lane->pool;
    lane_list_remove(&lane->queue, job);
    lane->waiting--;
    job->state = JOB_RUNNING;
    job->worker = worker;
    if (job->work.run_us > 0)
        job->work.deadline_mono_us = real_clock_mono_us() + job->work.run_us;
    worker->job = job;
    pool->stats.running++;
    lane_unlock(pool);
    enum stay_rc rc = job->work.work(job, job->work.arg);
    lane_lock(pool);
    worker->job = NULL;
    job->state = JOB_RETURNED;
    job->rc = rc;
    pool->stats.running--;
    if (worker->is_abandoned) {
        pool->stats.stuck--;
        if (lane->worker == NULL && !pool->is_closing) { /* the cap: nobody took over */
            worker->is_abandoned = false;
            lane->worker = worker;
        }
    }
    lane_list_push(&pool->finished, job);
    if (!wants_signal(pool))
        return;
    lane_unlock(pool);
    signal_loop(pool);
    lane_lock(pool);
}

static void *worker_main(void *arg)
{
    struct lane_worker *worker = arg;
    struct lane *lane = worker->lane;
    struct lane_pool *pool = lane->pool;
    if (pool->options.nice > 0) /* of this thread only (Linux); more is always allowed */
        (void)setpriority(PRIO_PROCESS, (id_t)gettid(),
                          getpriority(PRIO_PROCESS, (id_t)gettid()) + pool->options.nice);
    lane_lock(pool);
    while (!pool->is_closing && !worker->is_abandoned) {
        if (lane->queue.head != NULL)
            run_job(worker, lane->queue.head);
        else
            must(pthread_cond_wait(&lane->wake, &pool->mutex) == 0);
    }
    lane_unlock(pool);
    if (worker->slot != NULL && pool->options.slot_drop != NULL)
        pool->options.slot_drop(worker->slot);
    lane_lock(pool);
    worker->next_exited = pool->exited;
    pool->exited = worker;
    pool->alive_count--;
    must(pthread_cond_signal(&pool->exit_seen) == 0);
    bool is_due = wants_signal(pool);
    lane_unlock(pool);
    if (is_due)
        signal_loop(pool);
    return NULL;
}

bool lane_job_expired(const struct lane_job *job)
{
    return atomic_load_explicit(&job->is_expired, memory_order_relaxed);
}

int64_t lane_job_deadline_mono_us(const struct lane_job *job)
{
    return job->work.deadline_mono_us;
}

void **lane_job_slot(struct lane_job *job)
{
    return &job->worker->slot;
}

/* Mutex held. Signals stay with the loop's thread. */
int lane_start_worker(struct lane *lane)
{
    struct lane_pool *pool = lane->pool;
    struct lane_worker *worker = stay_calloc(1, sizeof *worker);
    sigset_t all, before;
    char name[16];
    worker->lane = lane;
    (void)sigfillset(&all);
    must(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    int rc = pthread_create(&worker->thread, NULL, worker_main, worker);
    must(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    if (rc != 0) {
        free(worker);
        return rc;
    }
    (void)snprintf(name, sizeof name, "%.10s-%u", pool->name, lane->index % 1000);
    (void)pthread_setname_np(worker->thread, name); /* a nicety of ps and gdb */
    worker->next_alive = pool->alive;
    pool->alive = worker;
    pool->alive_count++;
    if (lane->had_worker)
        pool->stats.replaced++;
    lane->had_worker = true;
    lane->worker = worker;
    return 0;
}

/* Mutex held. Lanes with waiting jobs and no worker get one when the cap allows it. */
void lane_revive_all(struct lane_pool *pool)
{
    for (unsigned i = 0; i < pool->options.lanes; i++) {
        struct lane *lane = &pool->lanes[i];
        if (lane->queue.head != NULL && lane->worker == NULL &&
            pool->stats.stuck <= pool->options.stuck_max)
            (void)lane_start_worker(lane); /* no thread now: the next submit tries again */
    }
}

/* Mutex held. Takes `worker` out of pool->alive. */
static void forget_worker(struct lane_pool *pool, struct lane_worker *worker)
{
    struct lane_worker **at = &pool->alive;
    while (*at != worker)
        at = &(*at)->next_alive;
    *at = worker->next_alive;
}

struct lane_worker *lane_take_exited(struct lane_pool *pool)
{
    struct lane_worker *exited = pool->exited;
    pool->exited = NULL;
    for (struct lane_worker *w = exited; w != NULL; w = w->next_exited)
        forget_worker(pool, w);
    return exited;
}

void lane_join_exited(struct lane_worker *exited)
{
    while (exited != NULL) {
        struct lane_worker *next = exited->next_exited;
        must(pthread_join(exited->thread, NULL) == 0); /* it is past its last wait */
        free(exited);
        exited = next;
    }
}
