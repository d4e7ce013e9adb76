/* A node's life: its pace timer fires -> open, or ask STATUS -> (SLOW, START when due) -> idle
 * until the next beat. The end of a session reports at once and opens again at once. */
#include "base/io/loop.h"
#include "base/io/timer.h"
#include "probes/probe_set_private.h"

#define HOST_US             (30 * STAY_SECOND) /* what it says of its disks */
#define HOST_UNKNOWN_US     (300 * STAY_SECOND)
#define GRANTS_REST         10
#define GRANTS_REST_MOST_US STAY_SECOND
#define LATE_US             (3 * STAY_MS)  /* a timer's millisecond: no later beat inherits it */
#define BESIDE_US           (20 * STAY_MS) /* the next so many clusters beat this much later */

static void on_pace(struct timer *timer, void *arg);
static void on_node(void *arg, const struct channel_event *event);
static void end_grants(struct probed_node *node);

void probe_node_init(struct probed_cluster *cluster, uint32_t index)
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
                                     .read_key = probe_read_key(cluster, index),
                                     .fn = on_node,
                                     .arg = node};
    channel_init(&node->channel);
    node->pace = timer_new(set->loop, on_pace, node);
    int64_t spread = (int64_t)index * config->interval_us / (int64_t)config->node_count / 4;
    node->phase_us = spread + cluster->number / PROBE_CLUSTERS_AT_ONCE * BESIDE_US;
    timer_start(node->pace, loop_now_mono_us(set->loop) + spread);
}

void probe_node_release(struct probed_node *node)
{
    channel_release(&node->channel);
    timer_free(node->pace);
    if (node->grants != NULL) {
        grants_check_drop(node->grants);
        end_grants(node);
    }
    server_facts_clear(&node->start);
}

/* Suspicion of a crowd (a zone is gone, or we are the slow ones) is looked into at the pace that so
 * many clusters can be asked at, never slower than without any suspicion. */
static int64_t interval_of(const struct probed_cluster *cluster)
{
    const struct probe_cluster *config = &cluster->config;
    int64_t crowd = 1 + cluster->set->urged_count / PROBE_URGED_AT_ONCE;
    int64_t urged_us = crowd * config->suspicion_interval_us;
    return cluster->is_urged && urged_us < config->interval_us ? urged_us : config->interval_us;
}

int64_t probe_beat_after(int64_t mono_us, int64_t period_us, int64_t phase_us)
{
    return mono_us + period_us - (mono_us - phase_us % period_us) % period_us;
}

void probe_node_arm(struct probed_node *node)
{
    int64_t now = loop_now_mono_us(node->cluster->set->loop);
    int64_t interval_us = interval_of(node->cluster);
    int64_t due = node->cluster->is_urged
                      ? node->beat_mono_us + interval_us
                      : probe_beat_after(node->beat_mono_us, interval_us, node->phase_us);
    node->due_mono_us = due < now ? now : due;
    timer_start(node->pace, node->due_mono_us);
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
    int64_t now = loop_now_mono_us(node->cluster->set->loop);
    bool is_in_time = now >= node->due_mono_us && now - node->due_mono_us < LATE_US;
    node->beat_mono_us = is_in_time ? node->due_mono_us : now;
    beat(node);
    probe_node_arm(node);
}

/* A value set at run time hides its start value: keep what was seen before it was set. */
static void remember_start(struct probed_node *node, struct server_facts *facts)
{
#define X(type, group, name, unit, what) KEEP_##group(type, name)
#define KEEP_STATUS(type, name)
#define KEEP_SLOW(type, name)
#define KEEP_HOST(type, name)
#define KEEP_START(type, name)                                                                     \
    if (facts->name == TRI_UNKNOWN)                                                                \
        facts->name = node->start.name;                                                            \
    node->start.name = facts->name;
    SERVER_FACTS(X)
#undef X
}

/* One server's accounts at a time, and as long a pause after each as GRANTS_REST looks like it
 * took: four logins are 12 ms of a core, and thousands of servers want them at the same moment. */
static bool may_look_at_grants(const struct probe_set *set, int64_t now)
{
    return set->grants_under_way == 0 && now >= set->grants_next_mono_us;
}

static void end_grants(struct probed_node *node)
{
    struct probe_set *set = node->cluster->set;
    int64_t now = loop_now_mono_us(set->loop);
    int64_t rest_us = GRANTS_REST * (now - node->grants_begun_mono_us);
    node->grants = NULL;
    set->grants_under_way--;
    set->grants_next_mono_us =
        now + (rest_us < GRANTS_REST_MOST_US ? rest_us : GRANTS_REST_MOST_US);
}

static void took_grants(void *arg, const struct grants_found *found)
{
    struct probed_node *node = arg;
    end_grants(node);
    if (found == NULL)
        return;
    bool is_well = found->missing[0] == '\0' && found->passes_read_only[0] == '\0' &&
                   found->may_replicate[0] == '\0';
    if (is_well)
        node->grants_due_mono_us += PROBE_GRANTS_WELL_US - PROBE_GRANTS_US;
    if (strcmp(found->missing, node->found.missing) != 0 ||
        strcmp(found->passes_read_only, node->found.passes_read_only) != 0 ||
        strcmp(found->may_replicate, node->found.may_replicate) != 0)
        node->slow_due_mono_us = 0; /* said with the next facts, not ten seconds later */
    node->found = *found;
}

static void add_found(const struct grants_found *found, struct server_facts *facts)
{
    (void)stay_copy(facts->missing_grant, sizeof facts->missing_grant, found->missing);
    (void)stay_copy(facts->passes_read_only, sizeof facts->passes_read_only,
                    found->passes_read_only);
    (void)stay_copy(facts->may_replicate, sizeof facts->may_replicate, found->may_replicate);
    facts->powers_shown = found->powers_shown ? TRI_YES : TRI_NO;
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
    node->grants_begun_mono_us = now;
    node->cluster->set->grants_under_way += node->grants != NULL ? 1 : 0;
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
    } else if (config->engine == ENGINE_MARIADB && now >= node->host_due_mono_us) {
        node->host_due_mono_us = now + HOST_UNKNOWN_US;
        channel_ask(&node->channel, FACTS_HOST, NULL, config->deadline_us);
    } else if (may_look_at_grants(node->cluster->set, now)) {
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
    if (event->group == FACTS_HOST && facts.disk_total != 0)
        node->host_due_mono_us = loop_now_mono_us(node->cluster->set->loop) + HOST_US;
    if (event->group == FACTS_START)
        remember_start(node, &facts);
    if (event->group == FACTS_SLOW && facts.extra_port <= UINT16_MAX)
        node->channel.extra_port = (uint16_t)facts.extra_port;
    if (event->group == FACTS_SLOW)
        add_found(&node->found, &facts);
    struct observation obs = {
        .kind = OBS_REACH, .node = node->index, .groups = event->group, .facts = &facts};
    probe_set_report(node->cluster, event, &obs);
}

static void on_node(void *arg, const struct channel_event *event)
{
    struct probed_node *node = arg;
    struct probed_cluster *cluster = node->cluster;
    struct probe_set *set = cluster->set;
    uint32_t number = cluster->number;
    int64_t now = loop_now_mono_us(set->loop);
    if (event->opened) {
        if (node->channel.is_reserved && !node->was_reserved)
            node->slow_due_mono_us = 0; /* its limit may be another one now */
        node->was_reserved = node->channel.is_reserved;
        beat(node); /* at once: the answer is the report */
        return;
    }
    if (event->facts != NULL) {
        /* out of the way of a human who needs the last place */
        bool is_status = event->group == FACTS_STATUS;
        bool is_online = is_status && event->facts->offline_mode == TRI_NO;
        bool is_done = node->channel.is_reserved
                           ? !is_status || now < node->slow_due_mono_us || cluster->is_urged
                           : node->channel.is_admin && is_online;
        on_facts(node, event);
        if (probe_set_cluster(set, number) != cluster) /* the callback may have removed it */
            return;
        if (is_done)
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
        if (node->found.missing[0] != '\0')
            (void)stay_copy(failed.reach.text, sizeof failed.reach.text, node->found.missing);
    }
    struct observation obs = {.kind = event->kind, .node = node->index};
    probe_set_report(cluster, &failed, &obs);
}
