/* probes/probe_set_private.h - the clusters that are probed, and the node's part of it.
 *
 * probe_set.c has the set, its clusters and their canaries; probe_node.c one node's life. Layer:
 * probes, these files only. Loop thread only. */
#ifndef PROBES_PROBE_SET_PRIVATE_H
#define PROBES_PROBE_SET_PRIVATE_H
#include "probes/probe_channel.h"
#include "probes/probe_grants.h"
#include "probes/probe_set.h"

/* Waking up is most of what an idle controller costs: the healthy beats of so many clusters fall
 * together. Within a cluster they stay apart. */
#define PROBE_CLUSTERS_AT_ONCE 16
/* So many clusters are asked at the pace of suspicion; twice as many at half that pace. */
#define PROBE_URGED_AT_ONCE 128

struct probed_cluster;

struct probed_node {
    struct probed_cluster *cluster;
    uint32_t index;
    struct mysql_target target;
    struct channel channel;
    struct timer *pace;
    int64_t beat_mono_us;   /* last beat, whatever it could do: when it was due */
    int64_t due_mono_us;    /* the next one */
    int64_t phase_us;       /* healthy beats come at multiples of the interval and this */
    bool is_owed;           /* the last beat came while the channel was busy */
    int64_t opened_mono_us; /* of the last connect */
    int64_t slow_due_mono_us, start_due_mono_us, host_due_mono_us, grants_due_mono_us;
    uint64_t uptime_s;
    bool was_reserved;           /* the last connect took a place beyond max_connections */
    struct server_facts start;   /* START values seen in this server process's life */
    struct grants_found found;   /* by the last look that ended */
    struct grants_check *grants; /* under way */
    int64_t grants_begun_mono_us;
};

struct probed_cluster {
    struct probe_set *set;
    uint32_t number;
    struct probed_node *nodes;
    bool is_urged;
    struct channel canary;
    struct timer *canary_pace;
    uint32_t canary_node;
    uint64_t canary_epoch;
    struct probe_cluster config; /* last: allocated as far as its nodes go */
};

struct probe_set {
    struct loop *loop;
    struct probe_set_options options;
    struct channel_lanes lanes;
    struct probed_cluster **clusters; /* by number; NULL once removed */
    uint32_t cluster_count;
    uint64_t keys;
    uint32_t urged_count;
    uint32_t grants_under_way;   /* looks at a server's accounts */
    int64_t grants_next_mono_us; /* the next of them not before */
};

/* Servers of clusters that are asked together share a lane, so that one thread is woken for all
 * answers; those of one cluster do not. */
uint64_t probe_read_key(const struct probed_cluster *cluster, uint32_t index);
/* Node `index` of the cluster, in place: its first beat comes within a quarter of the interval. */
void probe_node_init(struct probed_cluster *cluster, uint32_t index);
void probe_node_release(struct probed_node *node);
/* The next beat: at the pace of the cluster as it is, counted from the last one. */
void probe_node_arm(struct probed_node *node);
/* The first beat of this period and phase after `mono_us`: at most one period later. */
int64_t probe_beat_after(int64_t mono_us, int64_t period_us, int64_t phase_us);

/* NULL: it was removed. */
struct probed_cluster *probe_set_cluster(struct probe_set *set, uint32_t number);
/* Counts what a channel saw and hands it on as `obs`, to which it adds reach and times. The
 * callback may remove the cluster. */
void probe_set_report(struct probed_cluster *cluster, const struct channel_event *event,
                      struct observation *obs);

#endif
