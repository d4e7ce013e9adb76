/* base/io/lane.h - worker threads for blocking calls, with deadlines that the loop keeps.
 *
 * Layer: base/io. Everything but `work` runs on the loop thread.
 *
 * A lane is one thread and a bounded queue. A job's key picks its lane (key modulo lanes), so one
 * server's jobs run in order and its connection stays on one thread. When a job's deadline passes,
 * done(arg, STAY_ETIMEDOUT) runs on the loop whether or not the thread has returned. A thread that
 * has not returned `replace_after_us` later is stuck: it is counted and, up to stuck_max, replaced
 * by a fresh thread that takes over the queue; beyond stuck_max the lane waits for its thread. What
 * a stuck thread brings back is dropped.
 *
 * After done(STAY_ETIMEDOUT) or done(STAY_ECANCELED) work may still be running: done must then
 * touch nothing that work writes. release is called once neither side needs arg. */
#ifndef BASE_IO_LANE_H
#define BASE_IO_LANE_H
#include "base/error.h"

#define LANE_LANES_MAX     64
#define LANE_QUEUE_DEFAULT 256
#define LANE_STUCK_DEFAULT 16

struct loop;
struct lane_pool;
struct lane_job; /* the running job, as work sees it */

struct lane_pool_options {
    const char *name;   /* thread name, up to 10 characters; borrowed during the call */
    unsigned lanes;     /* 1 .. LANE_LANES_MAX; threads start with their first job */
    unsigned queue_max; /* waiting jobs per lane; 0 means LANE_QUEUE_DEFAULT */
    unsigned stuck_max; /* abandoned threads at one time; 0 means LANE_STUCK_DEFAULT */
    int64_t gather_us;  /* while other jobs are under way, results may wait so long for theirs:
                           one wake-up of the loop; 0: each is told at once */
    int64_t replace_after_us; /* patience after a deadline before a thread counts as stuck; >= 0 */
    int nice; /* added to its threads' niceness: 0 .. 19. A crowd of them leaves the loop its core
               */
    void (*slot_drop)(void *slot); /* on the thread, at its end, for a slot that is not NULL */
};

struct lane_work {
    enum stay_rc (*work)(struct lane_job *job, void *arg); /* on the lane's thread; may block */
    void (*done)(void *arg, enum stay_rc rc); /* on the loop, exactly once; rc is work's, or
                                                 STAY_ETIMEDOUT, or STAY_ECANCELED */
    void (*release)(void *arg);               /* on the loop, once, after done; may be NULL */
    void *arg;
    int64_t deadline_mono_us;
    int64_t run_us; /* > 0: the time it has once a thread takes it up, and not deadline_mono_us,
                       which it then has only to be taken up */
};

struct lane_stats {
    uint64_t submitted, finished, timed_out, canceled, refused, replaced;
    unsigned waiting, running, stuck; /* now */
};

/* options are copied. Owned by the caller: lane_pool_free. */
struct lane_pool *lane_pool_new(struct loop *loop,
                                const struct lane_pool_options *options) STAY_MUST_USE;
/* Queues work (copied) on key's lane. STAY_ELIMIT when the queue is full, STAY_ESYSTEM when no
 * thread can be made; then neither done nor release is called. */
enum stay_rc lane_submit(struct lane_pool *pool, uint64_t key, const struct lane_work *work,
                         struct stay_error *err) STAY_MUST_USE;
void lane_pool_stats(struct lane_pool *pool, struct lane_stats *ret_stats);

/* Ends the pool: jobs get done(STAY_ECANCELED) and, unless still running, release, before this
 * returns; then waits up to wait_us (it blocks: shutdown only) for threads in the middle of a call.
 * Returns how many did not come back; their jobs' args are then leaked on purpose. Not from inside
 * done or release. The memory goes in a later turn of the loop. */
unsigned lane_pool_free(struct lane_pool *pool, int64_t wait_us);

/* For work, on its thread. */
bool lane_job_expired(const struct lane_job *job); /* nobody waits any more: give up early */
int64_t lane_job_deadline_mono_us(const struct lane_job *job);
/* A pointer that belongs to this thread for life (NULL at first), for clients and connections. */
void **lane_job_slot(struct lane_job *job);

#endif
