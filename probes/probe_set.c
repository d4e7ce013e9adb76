/* A node's life: its pace timer fires -> open, or ask STATUS -> (SLOW, START when due) -> idle
 * until the next beat. The end of a session reports at once and opens again at once. The canary is
 * a second channel per cluster with a beat of its own.
 *
 * Waking up is most of what an idle controller costs, so healthy beats of several clusters fall
 * together: one wake-up asks them all. Within a cluster they stay apart. */
#include <mysql.h>

#include "probes/probe_set.h"

#include "base/io/lane.h"
#include "base/io/loop.h"
#include "base/io/timer.h"
#include "probes/probe_channel.h"
#include "probes/probe_grants.h"

#define CLUSTERS_AT_ONCE 16
#define BESIDE_US (20 * STAY_MS) /* the next so many clusters beat this much later */

struct probed_cluster;

struct probed_node {
    struct probed_cluster *cluster;
    uint32_t index;
    struct mysql_target target;
    struct channel channel;
    struct timer *pace;
    int64_t beat_mono_us;   /* last beat, whatever it could do */
    int64_t phase_us;       /* healthy beats come at multiples of the interval and this */
    bool is_owed;           /* the last beat came while the channel was busy */
    int64_t opened_mono_us; /* of the last connect */
    int64_t slow_due_mono_us, start_due_mono_us, grants_due_mono_us;
    uint64_t uptime_s;
    struct server_facts start; /* START values seen in this server process's life */
    char missing_grant[FACT_TEXT_MAX];
    struct grants_check *grants; /* under way */
};

struct probed_cluster {
    struct probe_set *set;
    uint32_t number;
    struct probe_cluster config;
    struct probed_node *nodes;
    bool is_urged;
    struct channel canary;
    struct timer *canary_pace;
    uint32_t canary_node;
    uint64_t canary_epoch;
};

struct probe_set {
    struct loop *loop;
    struct probe_set_options options;
    struct channel_lanes lanes;
    struct probed_cluster **clusters; /* by number; NULL once removed */
    uint32_t cluster_count;
    uint64_t keys;
    struct probe_set_stats stats;
};

static void on_pace(struct timer *timer, void *arg);
static void on_node(void *arg, const struct channel_event *event);
static void on_canary_pace(struct timer *timer, void *arg);
static void on_canary(void *arg, const struct channel_event *event);

static struct lane_pool *make_pool(struct loop *loop, const char *name, unsigned lanes)
{
    struct lane_pool_options o = {
        .name = name, .lanes = lanes, .queue_max = 4096, .replace_after_us = 200 * STAY_MS};
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
        .work = make_pool(loop, "probe", options->lanes == 0 ? 4 : options->lanes),
        .connect = make_pool(loop, "connect", connect),
        .slow_connect = make_pool(loop, "silent", connect),
        .starved = &set->stats.starved,
        .refused = &set->stats.refused_by_lane,
    };
    return set;
}

static void init_node(struct probed_cluster *cluster, uint32_t index)
{
    struct probe_set *set = cluster->set;
    struct probed_node *node = &cluster->nodes[index];
    const struct probe_cluster *config = &cluster->config;
    node->cluster = cluster;
    node->index = index;
    node->target = (struct mysql_target){.engine = config->engine,
                                         .port = config->nodes[index].port,
                                         .tls_required = config->tls_required,
                                         .verify_name = config->verify_name};
    (void)stay_copy(node->target.host, sizeof node->target.host, config->nodes[index].host);
    (void)stay_copy(node->target.ca, sizeof node->target.ca, config->ca);
    (void)stay_copy(node->target.cert, sizeof node->target.cert, config->cert);
    (void)stay_copy(node->target.key, sizeof node->target.key, config->key);
    node->opened_mono_us = STAY_NEVER;
    node->channel = (struct channel){.loop = set->loop,
                                     .lanes = &set->lanes,
                                     .target = &node->target,
                                     .account = &config->monitor,
                                     .admin = &config->operate,
                                     .key = set->keys++,
                                     .fn = on_node,
                                     .arg = node};
    channel_init(&node->channel);
    node->pace = timer_new(set->loop, on_pace, node);
    int64_t spread = (int64_t)index * config->interval_us / (int64_t)config->node_count / 4;
    node->phase_us = spread + cluster->number / CLUSTERS_AT_ONCE * BESIDE_US;
    timer_start(node->pace, loop_now_mono_us(set->loop) + spread);
}

void probe_set_add(struct probe_set *set, const struct probe_cluster *config, uint32_t *ret_cluster)
{
    struct probed_cluster *cluster = stay_calloc(1, sizeof *cluster);
    must(config->node_count <= PROBE_NODES_MAX);
    cluster->set = set;
    cluster->config = *config;
    cluster->number = set->cluster_count;
    cluster->canary_node = PROBE_NO_NODE;
    cluster->nodes = stay_calloc(config->node_count + 1, sizeof *cluster->nodes);
    set->clusters = stay_realloc(set->clusters, set->cluster_count + 1, sizeof *set->clusters);
    set->clusters[set->cluster_count++] = cluster;
    cluster->canary = (struct channel){.loop = set->loop,
                                       .lanes = &set->lanes,
                                       .account = &cluster->config.canary,
                                       .key = set->keys++,
                                       .fn = on_canary,
                                       .arg = cluster,
                                       .keeps_waiting = true};
    channel_init(&cluster->canary);
    cluster->canary_pace = timer_new(set->loop, on_canary_pace, cluster);
    for (uint32_t i = 0; i < config->node_count; i++)
        init_node(cluster, i);
    *ret_cluster = cluster->number;
}

static void release_cluster(struct probed_cluster *cluster)
{
    for (uint32_t i = 0; i < cluster->config.node_count; i++) {
        struct probed_node *node = &cluster->nodes[i];
        channel_release(&node->channel);
        timer_free(node->pace);
        grants_check_drop(node->grants);
        server_facts_clear(&node->start);
    }
    channel_release(&cluster->canary);
    timer_free(cluster->canary_pace);
    cluster->set->clusters[cluster->number] = NULL;
    free(cluster->nodes);
    free(cluster);
}

static struct probed_cluster *cluster_of(struct probe_set *set, uint32_t number)
{
    return number < set->cluster_count ? set->clusters[number] : NULL;
}

void probe_set_remove(struct probe_set *set, uint32_t number)
{
    struct probed_cluster *cluster = cluster_of(set, number);
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
    free(set->clusters);
    free(set);
}

/* ---- beats */

static int64_t interval_of(const struct probed_cluster *cluster)
{
    return cluster->is_urged ? cluster->config.suspicion_interval_us : cluster->config.interval_us;
}

/* The first beat of this period and phase after `mono_us`: at most one period later. */
static int64_t beat_after(int64_t mono_us, int64_t period_us, int64_t phase_us)
{
    return mono_us + period_us - (mono_us - phase_us % period_us) % period_us;
}

static void arm(struct probed_node *node)
{
    int64_t now = loop_now_mono_us(node->cluster->set->loop);
    int64_t interval_us = interval_of(node->cluster);
    int64_t due = node->cluster->is_urged
                      ? node->beat_mono_us + interval_us
                      : beat_after(node->beat_mono_us, interval_us, node->phase_us);
    timer_start(node->pace, due < now ? now : due);
}

/* One beat: whatever the channel's state allows now. */
static void beat(struct probed_node *node)
{
    const struct probe_cluster *config = &node->cluster->config;
    int64_t now = loop_now_mono_us(node->cluster->set->loop);
    node->is_owed = false;
    switch (node->channel.state) {
    case CHANNEL_CLOSED:
        node->opened_mono_us = now;
        channel_open(&node->channel, config->deadline_us);
        return;
    case CHANNEL_IDLE:
        channel_ask(&node->channel, FACTS_STATUS, NULL, config->deadline_us);
        return;
    case CHANNEL_OPENING:
    case CHANNEL_SENDING:
    case CHANNEL_WAITING:
    case CHANNEL_READING:
        node->is_owed = true; /* its own deadline ends it */
        return;
    }
}

static void on_pace(struct timer *timer, void *arg)
{
    struct probed_node *node = arg;
    (void)timer;
    node->beat_mono_us = loop_now_mono_us(node->cluster->set->loop);
    beat(node);
    arm(node);
}

void probe_set_urge(struct probe_set *set, uint32_t number, bool on)
{
    struct probed_cluster *cluster = cluster_of(set, number);
    if (cluster == NULL || cluster->is_urged == on)
        return;
    cluster->is_urged = on;
    for (uint32_t i = 0; i < cluster->config.node_count; i++) {
        if (on) /* in the next turn, so that a callback may urge */
            timer_start(cluster->nodes[i].pace, loop_now_mono_us(set->loop));
        else
            arm(&cluster->nodes[i]);
    }
}

void probe_set_reread(struct probe_set *set, uint32_t number, uint32_t node)
{
    struct probed_cluster *cluster = cluster_of(set, number);
    if (cluster != NULL && node < cluster->config.node_count)
        cluster->nodes[node].slow_due_mono_us = cluster->nodes[node].start_due_mono_us = 0;
}

/* ---- what the channel saw */

static void report(struct probed_cluster *cluster, const struct channel_event *event,
                   struct observation *obs)
{
    struct probe_set *set = cluster->set;
    obs->begun_mono_us = event->begun_mono_us;
    obs->taken_mono_us = loop_now_mono_us(set->loop);
    obs->reach = event->reach;
    if (obs->kind == OBS_SESSION_END)
        set->stats.session_ends++;
    else if (event->reach.outcome == OUT_OK)
        set->stats.answers++;
    else
        set->stats.failures++;
    set->options.fn(set->options.arg, cluster->number, obs);
}

/* A value set at run time hides its start value: keep what was seen before it was set. */
static void remember_start(struct probed_node *node, struct server_facts *facts)
{
#define X(type, group, name, unit, what) KEEP_##group(type, name)
#define KEEP_STATUS(type, name)
#define KEEP_SLOW(type, name)
#define KEEP_START(type, name)                                                                     \
    if (facts->name == TRI_UNKNOWN)                                                                \
        facts->name = node->start.name;                                                            \
    node->start.name = facts->name;
    SERVER_FACTS(X)
#undef X
}

static void took_grants(void *arg, const char *missing)
{
    struct probed_node *node = arg;
    node->grants = NULL;
    if (missing != NULL && missing[0] == '\0')
        node->grants_due_mono_us += PROBE_GRANTS_WELL_US - PROBE_GRANTS_US;
    if (missing == NULL || strcmp(missing, node->missing_grant) == 0)
        return;
    (void)stay_copy(node->missing_grant, sizeof node->missing_grant, missing);
    node->slow_due_mono_us = 0; /* said with the next facts, not ten seconds later */
}

static void check_grants(struct probed_node *node, int64_t now)
{
    const struct probe_cluster *config = &node->cluster->config;
    if (node->grants != NULL || now < node->grants_due_mono_us)
        return;
    node->grants_due_mono_us = now + PROBE_GRANTS_US;
    struct grants_input in = {
        .target = node->target,
        .accounts = {config->monitor, config->canary, config->operate, config->replicate}};
    node->grants = grants_check_start(node->cluster->set->lanes.connect, node->channel.key, &in,
                                      now + 5 * STAY_SECOND, took_grants, node);
}

/* After a group was read: which one is due next. */
static void ask_more(struct probed_node *node)
{
    const struct probe_cluster *config = &node->cluster->config;
    int64_t now = loop_now_mono_us(node->cluster->set->loop);
    if (node->cluster->is_urged || node->channel.state != CHANNEL_IDLE)
        return;
    if (now >= node->slow_due_mono_us) {
        node->slow_due_mono_us = now + config->slow_interval_us;
        channel_ask(&node->channel, FACTS_SLOW, NULL, config->deadline_us);
    } else if (now >= node->start_due_mono_us) {
        node->start_due_mono_us = now + config->slow_interval_us;
        channel_ask(&node->channel, FACTS_START, NULL, config->deadline_us);
    } else {
        check_grants(node, now);
    }
}

static void on_facts(struct probed_node *node, const struct channel_event *event)
{
    struct server_facts facts = *event->facts; /* sets stay borrowed from the event */
    if (event->group == FACTS_STATUS) {
        if (facts.uptime_s < node->uptime_s) { /* a new process: nothing is known of it */
            node->start = (struct server_facts){0};
            node->slow_due_mono_us = node->start_due_mono_us = 0;
        }
        node->uptime_s = facts.uptime_s;
        node->channel.takes_writes = facts.read_only == TRI_NO;
    }
    if (event->group == FACTS_START)
        remember_start(node, &facts);
    if (event->group == FACTS_SLOW)
        (void)stay_copy(facts.missing_grant, sizeof facts.missing_grant, node->missing_grant);
    struct observation obs = {
        .kind = OBS_REACH, .node = node->index, .groups = event->group, .facts = &facts};
    report(node->cluster, event, &obs);
}

static void on_node(void *arg, const struct channel_event *event)
{
    struct probed_node *node = arg;
    struct probed_cluster *cluster = node->cluster;
    struct probe_set *set = cluster->set;
    uint32_t number = cluster->number;
    int64_t now = loop_now_mono_us(set->loop);
    if (event->opened) {
        beat(node); /* at once: the answer is the report */
        return;
    }
    if (event->facts != NULL) {
        bool is_online = event->group == FACTS_STATUS && event->facts->offline_mode == TRI_NO;
        on_facts(node, event);
        if (cluster_of(set, number) != cluster) /* the callback may have removed it */
            return;
        if (node->channel.is_admin && is_online)
            channel_reset(&node->channel); /* the monitor may log in again, at the next beat */
        else
            ask_more(node);
        return;
    }
    if (event->kind == OBS_SESSION_END &&
        (node->opened_mono_us == STAY_NEVER ||
         now - node->opened_mono_us >= cluster->config.suspicion_interval_us))
        timer_start(node->pace, now); /* connect in the next turn; a server that lets us in and
                                         throws us out again is asked at suspicion pace */
    if (event->kind == OBS_REACH && node->is_owed && node->channel.state == CHANNEL_CLOSED)
        timer_start(node->pace, now); /* the beat that came while it was silent */
    struct channel_event failed = *event;
    if (event->reach.outcome == OUT_DENIED && event->reach.layer == LAYER_QUERY) {
        check_grants(node, now); /* no facts will carry what it finds */
        if (node->missing_grant[0] != '\0')
            (void)stay_copy(failed.reach.text, sizeof failed.reach.text, node->missing_grant);
    }
    struct observation obs = {.kind = event->kind, .node = node->index};
    report(cluster, &failed, &obs);
}

/* ---- canary */

void probe_set_canary(struct probe_set *set, uint32_t number, uint32_t node, uint64_t epoch)
{
    struct probed_cluster *cluster = cluster_of(set, number);
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
    timer_start(timer, beat_after(now, PROBE_CANARY_US,
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
    report(cluster, &written, &obs);
}

void probe_set_stats_get(struct probe_set *set, struct probe_set_stats *ret_stats)
{
    struct lane_pool *const pools[] = {set->lanes.work, set->lanes.connect,
                                       set->lanes.slow_connect};
    *ret_stats = set->stats;
    ret_stats->threads_stuck = 0;
    for (size_t i = 0; i < STAY_COUNT(pools); i++) {
        struct lane_stats lane;
        lane_pool_stats(pools[i], &lane);
        ret_stats->threads_stuck += lane.stuck;
    }
}
