/* controller/act/effects_node.h - the asynchronous face of the node steps: starts an effect on a
 * lane of its node and calls back on the loop.
 *
 * Layer: act. Loop thread only. Each node has a lane and a connection of the operate account of its
 * own, opened in good times and looked at every EFFECTS_WARM_US, so that a failover finds it ready;
 * it is asked to answer once EFFECTS_PROVE_US passed without an answer. Two connections to each of
 * thousands would be most of the controller's memory: where there are more than EFFECTS_WARM_NODES
 * servers, those of a cluster are opened when suspicion begins (effects_node_expect), so many at
 * most. A step that outlives its
 * deadline is reported UNKNOWN at once; its connection is cut and given up. */
#ifndef CONTROLLER_ACT_EFFECTS_NODE_H
#define CONTROLLER_ACT_EFFECTS_NODE_H
#include "controller/act/step_mysql.h"

#define EFFECTS_WARM_US    (5 * STAY_SECOND)
#define EFFECTS_PROVE_US   (20 * STAY_SECOND)
#define EFFECTS_WARM_NODES 256

struct loop;
struct effects_node_set;

/* Copied. Node i is config->nodes[i]. */
struct effects_cluster {
    const struct cluster_config *config; /* borrowed during the call only */
    struct mysql_account monitor, canary, operate, replicate, backup;
    char ca[256], cert[256], key[256];
    bool tls_required, verify_name;
};

/* result and its facts are borrowed for the call; token is what start was given. */
typedef void (*effects_done_fn)(void *arg, uint64_t token, const struct effect_result *result);

/* Owned by the caller: effects_node_free. */
struct effects_node_set *effects_node_new(struct loop *loop) STAY_MUST_USE;
/* Blocks for at most wait_us; no callbacks afterwards. */
void effects_node_free(struct effects_node_set *set, int64_t wait_us);

/* Registers a cluster (by config->name) or replaces its addresses and accounts. A server that
 * stays, or comes back, keeps its queue: what is under way there ends before anything else begins.
 */
void effects_node_configure(struct effects_node_set *set, const struct effects_cluster *cluster);
void effects_node_forget(struct effects_node_set *set, const char *cluster);

/* A failover of the cluster may come, or (false) none does any more: its connections are made ready
 * at once, or given up in good time. No effect where all are kept ready. */
void effects_node_expect(struct effects_node_set *set, const char *cluster, bool is_expected);

/* Starts `effect` (copied with its set). done is called exactly once, later, on the loop: also when
 * nothing could be started (NOT_DONE with the reason). */
void effects_node_start(struct effects_node_set *set, const char *cluster, uint64_t token,
                        const struct effect *effect, effects_done_fn done, void *arg);

#endif
