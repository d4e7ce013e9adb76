/* controller/act/effects_job.h - the queue of one server: jobs that wait, the one that is on a
 * lane, the connections it is lent.
 *
 * Layer: act, for effects_node.c, which knows the servers of every cluster. Loop thread only. One
 * job a server is on a lane at a time; each ends in its done call, exactly once. */
#ifndef CONTROLLER_ACT_EFFECTS_JOB_H
#define CONTROLLER_ACT_EFFECTS_JOB_H
#include <stdatomic.h>

#include "base/name_table.h"
#include "controller/act/effects_node.h"

struct effects_job;

/* Outlives the configuration it came with: a server that is configured anew while something is
 * under way keeps its one queue. */
struct effects_node {
    struct effects_node *next; /* of the set */
    char cluster[NAME_MAX_LEN];
    struct mysql_target target;
    char name[NAME_MAX_LEN];
    uint64_t key;
    struct step_sessions sessions; /* lent to the running job; operate NULL: none any more */
    struct effects_job *running;
    struct effects_job *first, *last; /* waiting */
    bool is_forgotten; /* no job comes until it is configured again; sessions go with the last */
    bool is_changed;   /* its sessions are of another address, account or TLS setting */
};

struct effects_cluster_entry {
    struct name_link link;
    struct mysql_account monitor, canary, operate, replicate, backup;
    bool is_expected; /* a failover of it may come */
    uint32_t node_count;
    struct effects_node *nodes[]; /* node_count of them, the set's */
};

struct effects_node_set {
    struct loop *loop;
    struct lane_pool *pool;
    struct timer *warm;
    struct name_table clusters;
    uint32_t node_count, expected_count; /* servers of all clusters, of those with is_expected */
    struct effects_node *nodes; /* forgotten ones too: jobs point to them; freed with the set */
    uint32_t forgotten_count;
    uint64_t keys;
    bool is_ending;
};

struct effects_job {
    struct effects_node_set *set;
    struct effects_node *node;
    struct step_sessions sessions;
    bool owns_sessions;
    int64_t begun_mono_us;
    bool is_warm;           /* only opens or looks at the connections */
    _Atomic bool at_canary; /* warm: the operate session is well */
    struct effects_job *next;
    struct step_input input;
    struct step_result result;
    uint64_t token;
    effects_done_fn done;
    void *arg;
};

/* mysql_session_abort of all; none opened: nothing. */
void effects_sessions_abort(const struct step_sessions *sessions);
void effects_sessions_free(struct step_sessions *sessions);

/* When no job uses them: sessions that nobody needs, or that lead elsewhere, go. */
void effects_job_settle(struct effects_node *node);

/* Queues the job (heap, taken over) and begins it when the node is free. */
void effects_job_enqueue(struct effects_node_set *set, struct effects_node *node,
                         struct effects_job *job);
/* It could not be begun: answered NOT_DONE in the next turn, so that start never calls back itself.
 * job->set must be set. */
void effects_job_refuse(struct effects_job *job, const char *text);
void effects_job_release(void *arg);

#endif
