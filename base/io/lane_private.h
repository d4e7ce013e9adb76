/* base/io/lane_private.h - what the files of a lane pool share: jobs, workers, queues.
 *
 * lane_worker.c has the threads, lane.c the loop's side: deadlines, answers, the pool's life.
 * One mutex per pool guards what threads share: queues, job states, workers, the two lists. Nobody
 * is woken while it is held, or they would wait for it at once: a thread that has something for the
 * loop writes to a descriptor afterwards. (With libuv's async handles the loop would spin until the
 * sender is back from its write.)
 * Layer: base/io, these files only. */
#ifndef BASE_IO_LANE_PRIVATE_H
#define BASE_IO_LANE_PRIVATE_H
#include "base/io/lane.h"
#include "base/io/loop.h"

#include <pthread.h>
#include <stdatomic.h>

enum job_state { JOB_NONE = 0, JOB_QUEUED, JOB_RUNNING, JOB_RETURNED };

struct lane_job {
    struct lane_pool *pool;
    struct lane *lane;
    struct lane_work work;
    struct timer *deadline;         /* loop only */
    bool is_done;                   /* loop only: done was called */
    struct lane_job *older, *newer; /* loop only: every job of the pool */
    atomic_bool is_expired;
    enum job_state state;       /* mutex, as all below */
    struct lane_worker *worker; /* while running */
    enum stay_rc rc;            /* once returned */
    struct lane_job *next;      /* in the queue or on the finished list */
};

struct lane_worker {
    pthread_t thread;
    struct lane *lane;
    struct lane_job *job; /* mutex, as all below */
    bool is_abandoned;
    struct lane_worker *next_alive, *next_exited;
    void *slot; /* the thread's own */
};

struct job_list {
    struct lane_job *head, *tail;
};

struct lane {
    struct lane_pool *pool;
    unsigned index;
    pthread_cond_t wake;
    struct job_list queue; /* mutex, as all below */
    unsigned waiting;
    struct lane_worker *worker; /* the one that serves the queue; NULL: none */
    bool had_worker;
};

struct lane_pool {
    struct loop *loop;
    struct lane_pool_options options;
    char name[11];
    int signal_fd;           /* readable: finished or exited has something */
    uv_poll_t signal;        /* loop only */
    struct timer *gather;    /* loop only: running while results wait for others */
    struct lane_job *newest; /* loop only */
    pthread_mutex_t mutex;
    pthread_cond_t exit_seen;
    bool is_closing;   /* mutex, as all below */
    bool is_signalled; /* the loop has yet to look: no need to tell it again */
    struct job_list finished;
    struct lane_worker *alive, *exited;
    unsigned alive_count;
    struct lane_stats stats;
    struct lane lanes[];
};

/* The lock over all that a pool's threads and the loop share. */
void lane_lock(struct lane_pool *pool);
void lane_unlock(struct lane_pool *pool);
/* The next five: mutex held. */
void lane_list_push(struct job_list *list, struct lane_job *job);
void lane_list_remove(struct job_list *list, struct lane_job *job); /* it must be in it */
/* A fresh thread for the lane; 0, or the errno of pthread_create. */
int lane_start_worker(struct lane *lane);
/* Lanes with waiting jobs and no worker get one when the cap allows it. */
void lane_revive_all(struct lane_pool *pool);
/* Takes the threads that have ended out of the pool, for lane_join_exited. */
struct lane_worker *lane_take_exited(struct lane_pool *pool);
/* Joins and frees them. Loop thread, mutex not held. */
void lane_join_exited(struct lane_worker *exited);

#endif
