/* The clusters that are probed, what their channels saw, and each one's canary: a channel beside
 * the nodes' own, with a beat of its own. */
#include <mysql.h>

#include "probes/probe_set_private.h"

#include "base/io/lane.h"
#include "base/io/loop.h"
#include "base/io/socket_set.h"
#include "base/io/timer.h"

static void on_canary_pace(struct timer *timer, void *arg);
static void on_canary(void *arg, const struct channel_event *event);

/* A TLS handshake takes 2 to 4 ms of a core (measured, OpenSSL 3.0): a crowd that comes back at
 * once must not keep the loop from those who are well. */
#define CONNECT_NICE 5

static struct lane_pool *make_pool(struct loop *loop, const char *name, unsigned lanes,
                                   int64_t gather_us, int nice)
{
    struct lane_pool_options o = {.name = name,
                                  .lanes = lanes,
                                  .queue_max = 4096,
                                  .gather_us = gather_us,
                                  .nice = nice,
                                  .replace_after_us = 200 * STAY_MS};
    return lane_pool_new(loop, &o);
}

struct probe_set *probe_set_new(struct loop *loop, const struct probe_set_options *options)
{
    struct probe_set *set = stay_calloc(1, sizeof *set);
    unsigned connect = options->connect_lanes == 0 ? 16 : options->connect_lanes;
    must(mysql_library_init(0, NULL, NULL) == 0);
    set->loop = loop;
    set->options = *options;
    set->lanes = (struct channel_lanes){
        .work = make_pool(loop, "probe", options->lanes == 0 ? 4 : options->lanes, STAY_MS, 0),
        .connect = make_pool(loop, "connect", connect, 0, CONNECT_NICE),
        .slow_connect = make_pool(loop, "silent", connect, 0, CONNECT_NICE),
        .sockets = socket_set_new(loop),
    };
    return set;
}

void probe_set_add(struct probe_set *set, const struct probe_cluster *config, uint32_t *ret_cluster)
{
    size_t size =
        offsetof(struct probe_cluster, nodes) + config->node_count * sizeof *config->nodes;
    struct probed_cluster *cluster = stay_calloc(1, offsetof(struct probed_cluster, config) + size);
    must(config->node_count <= PROBE_NODES_MAX);
    cluster->set = set;
    memcpy(&cluster->config, config, size);
    cluster->number = set->cluster_count;
    cluster->canary_node = PROBE_NO_NODE;
    cluster->nodes =
        stay_calloc(config->node_count > 0 ? config->node_count : 1, sizeof *cluster->nodes);
    set->clusters = stay_realloc(set->clusters, set->cluster_count + 1, sizeof *set->clusters);
    set->clusters[set->cluster_count++] = cluster;
    cluster->canary = (struct channel){.loop = set->loop,
                                       .lanes = &set->lanes,
                                       .account = &cluster->config.canary,
                                       .key = set->keys++,
                                       .read_key = probe_read_key(cluster, config->node_count),
                                       .fn = on_canary,
                                       .arg = cluster,
                                       .keeps_waiting = true};
    channel_init(&cluster->canary);
    cluster->canary_pace = timer_new(set->loop, on_canary_pace, cluster);
    for (uint32_t i = 0; i < config->node_count; i++)
        probe_node_init(cluster, i);
    *ret_cluster = cluster->number;
}

uint64_t probe_read_key(const struct probed_cluster *cluster, uint32_t index)
{
    return index + (uint64_t)3 * (cluster->number / PROBE_CLUSTERS_AT_ONCE);
}

/* While anybody is under suspicion no answer waits for others. */
static void count_urged(struct probe_set *set, bool on)
{
    set->urged_count = on ? set->urged_count + 1 : set->urged_count - 1;
    set->lanes.is_urgent = set->urged_count > 0;
    if (set->lanes.is_urgent)
        socket_set_hurry(set->lanes.sockets);
}

static void release_cluster(struct probed_cluster *cluster)
{
    if (cluster->is_urged)
        count_urged(cluster->set, false);
    for (uint32_t i = 0; i < cluster->config.node_count; i++)
        probe_node_release(&cluster->nodes[i]);
    channel_release(&cluster->canary);
    timer_free(cluster->canary_pace);
    cluster->set->clusters[cluster->number] = NULL;
    free(cluster->nodes);
    explicit_bzero(&cluster->config, offsetof(struct probe_cluster, nodes)); /* passwords */
    free(cluster);
}

struct probed_cluster *probe_set_cluster(struct probe_set *set, uint32_t number)
{
    return number < set->cluster_count ? set->clusters[number] : NULL;
}

void probe_set_remove(struct probe_set *set, uint32_t number)
{
    struct probed_cluster *cluster = probe_set_cluster(set, number);
    if (cluster != NULL)
        release_cluster(cluster);
}

void probe_set_free(struct probe_set *set, int64_t wait_us)
{
    if (set == NULL)
        return;
    for (uint32_t i = 0; i < set->cluster_count; i++)
        probe_set_remove(set, i);
    (void)lane_pool_free(set->lanes.work, wait_us);
    (void)lane_pool_free(set->lanes.connect, wait_us);
    (void)lane_pool_free(set->lanes.slow_connect, wait_us);
    socket_set_free(set->lanes.sockets);
    free(set->clusters);
    free(set);
}

void probe_set_urge(struct probe_set *set, uint32_t number, bool on)
{
    struct probed_cluster *cluster = probe_set_cluster(set, number);
    if (cluster == NULL || cluster->is_urged == on)
        return;
    cluster->is_urged = on;
    count_urged(set, on);
    for (uint32_t i = 0; i < cluster->config.node_count; i++) {
        if (on) /* in the next turn, so that a callback may urge */
            timer_start(cluster->nodes[i].pace, loop_now_mono_us(set->loop));
        else
            probe_node_arm(&cluster->nodes[i]);
    }
}

void probe_set_reread(struct probe_set *set, uint32_t number, uint32_t node)
{
    struct probed_cluster *cluster = probe_set_cluster(set, number);
    if (cluster != NULL && node < cluster->config.node_count)
        cluster->nodes[node].slow_due_mono_us = cluster->nodes[node].start_due_mono_us = 0;
}

void probe_set_report(struct probed_cluster *cluster, const struct channel_event *event,
                      struct observation *obs)
{
    struct probe_set *set = cluster->set;
    obs->begun_mono_us = event->begun_mono_us;
    obs->taken_mono_us = loop_now_mono_us(set->loop);
    obs->reach = event->reach;
    set->options.fn(set->options.arg, cluster->number, obs);
}

/* ---- canary */

void probe_set_canary(struct probe_set *set, uint32_t number, uint32_t node, uint64_t epoch)
{
    struct probed_cluster *cluster = probe_set_cluster(set, number);
    if (cluster == NULL)
        return;
    if (cluster->config.canary.user[0] == '\0' || node >= cluster->config.node_count)
        node = PROBE_NO_NODE;
    cluster->canary_epoch = epoch;
    if (cluster->canary_node == node)
        return;
    channel_reset(&cluster->canary);
    cluster->canary_node = node;
    if (node == PROBE_NO_NODE) {
        timer_stop(cluster->canary_pace);
        return;
    }
    cluster->canary.target = &cluster->nodes[node].target;
    timer_start(cluster->canary_pace, loop_now_mono_us(set->loop));
}

static void write_canary(struct probed_cluster *cluster)
{
    STAY_AUTO(stay_free_charp)
    char *sql = mysql_canary_sql(cluster->config.name, cluster->canary_epoch,
                                 loop_now_wall_us(cluster->set->loop));
    channel_ask(&cluster->canary, 0, sql, cluster->config.deadline_us);
}

static void on_canary_pace(struct timer *timer, void *arg)
{
    struct probed_cluster *cluster = arg;
    int64_t now = loop_now_mono_us(cluster->set->loop);
    timer_start(timer, probe_beat_after(now, PROBE_CANARY_US,
                                        cluster->nodes[cluster->canary_node].phase_us));
    if (cluster->canary.state == CHANNEL_IDLE)
        write_canary(cluster);
    else if (cluster->canary.state == CHANNEL_CLOSED)
        channel_open(&cluster->canary, cluster->config.deadline_us);
}

static void on_canary(void *arg, const struct channel_event *event)
{
    struct probed_cluster *cluster = arg;
    if (event->opened) {
        write_canary(cluster);
        return;
    }
    struct observation obs = {.kind = OBS_CANARY, .node = cluster->canary_node};
    struct channel_event written = *event;
    if (written.reach.layer == LAYER_QUERY)
        written.reach.layer = LAYER_WRITE;
    probe_set_report(cluster, &written, &obs);
}
