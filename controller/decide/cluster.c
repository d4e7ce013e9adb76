/* controller/decide/cluster.c - a cluster's view: defaults, life, record and reload; who is who. */
#include "controller/decide/cluster_regiven.h"

/* Every set that a node_view owns beside its facts: a copy must own its own. */
static const size_t node_sets[] = {
    offsetof(struct node_view, received_high), offsetof(struct node_view, extra),
    offsetof(struct node_view, goal), offsetof(struct node_view, quiet),
    offsetof(struct node_view, before)};
#define NODE_SET(node, i) ((struct gtid_set *)((char *)(node) + node_sets[i]))
#define NODE_SET_COUNT    (sizeof node_sets / sizeof node_sets[0])

static void node_reset(struct node_view *node)
{
    server_facts_clear(&node->facts);
    for (size_t i = 0; i < NODE_SET_COUNT; i++)
        gtid_set_clear(NODE_SET(node, i));
    *node = (struct node_view){
        .facts_begun_mono_us = STAY_NEVER,
        .facts_mono_us = STAY_NEVER,
        .changed_mono_us = STAY_NEVER,
        .opened_mono_us = STAY_NEVER,
        .slow_mono_us = STAY_NEVER,
        .reach_mono_us = STAY_NEVER,
        .watched_mono_us = STAY_NEVER,
        .answered_mono_us = STAY_NEVER,
        .query_ok_mono_us = STAY_NEVER,
        .slow_since_mono_us = STAY_NEVER,
        .refused_first_mono_us = STAY_NEVER,
        .refused_last_mono_us = STAY_NEVER,
        .closed_mono_us = STAY_NEVER,
        .silent_since_mono_us = STAY_NEVER,
        .session_end_mono_us = STAY_NEVER,
        .canary_ok_mono_us = STAY_NEVER,
        .canary_fail_mono_us = STAY_NEVER,
        .advanced_mono_us = STAY_NEVER,
        .restarted_mono_us = STAY_NEVER,
        .caught_up_mono_us = STAY_NEVER,
        .goal_mono_us = STAY_NEVER,
        .quiet_mono_us = STAY_NEVER,
        .held_mono_us = STAY_NEVER,
        .canary_moved_mono_us = STAY_NEVER,
        .receiver_off_mono_us = STAY_NEVER,
        .stood_mono_us = STAY_NEVER,
        .receiver_lost_mono_us = STAY_NEVER,
        .writable_mono_us = STAY_NEVER,
        .extra_mono_us = STAY_NEVER,
        .alone_mono_us = STAY_NEVER,
        .own_due_mono_us = STAY_NEVER,
        .asked_again_mono_us = STAY_NEVER,
        .acker_seen_mono_us = STAY_NEVER,
        .ss_progress_mono_us = STAY_NEVER,
        .repair_failed_mono_us = STAY_NEVER,
    };
}

/* The places that are kept: the inventory's, or all while there is none yet (a recording is read
 * into such a view). The others are never touched: most clusters have two or three servers, and a
 * controller has thousands of clusters. */
static uint32_t nodes_of(const struct cluster_config *config)
{
    return config->node_count == 0 ? NODES_MAX : config->node_count;
}

/* What was concluded about the present primary: void when another server takes its place. */
static void forget_primary(struct cluster_view *view)
{
    view->suspicion_since_mono_us = STAY_NEVER;
    view->no_acker_since_mono_us = STAY_NEVER;
    gtid_set_clear(&view->barrier);
    view->barrier_mono_us = STAY_NEVER;
    view->barrier_captured = false;
    view->barrier_ackers = 0;
    view->barrier_leavers = 0;
    view->ackers_seen = 0;
    view->watch_own_base = 0;
    view->watch_seen_mono_us = STAY_NEVER;
    view->watch_odd = 0;
    cluster_forget_regiven(view);
    for (uint32_t i = 0; i < nodes_of(view->config); i++) {
        view->nodes[i].errant = TRI_UNKNOWN;
        view->nodes[i].holds_lost = false;
        view->nodes[i].extra_mono_us = view->nodes[i].goal_mono_us = STAY_NEVER;
        view->nodes[i].skipped = false;
        view->nodes[i].asked_again_mono_us = STAY_NEVER;
        view->nodes[i].own_due_mono_us = STAY_NEVER;
        view->nodes[i].acker_seen_mono_us = STAY_NEVER;
        view->nodes[i].held_mono_us = STAY_NEVER;
    }
}

void cluster_init(struct cluster_view *view, const struct cluster_config *config)
{
    const size_t tail = offsetof(struct cluster_view, primary);
    memset(view, 0, offsetof(struct cluster_view, nodes) + nodes_of(config) * sizeof *view->nodes);
    memset((char *)view + tail, 0, sizeof *view - tail);
    view->config = config;
    view->primary = NO_NODE;
    view->store_ok = true;
    for (uint32_t i = 0; i < nodes_of(config); i++)
        node_reset(&view->nodes[i]);
    view->hold_until_mono_us = view->clock_jumped_mono_us = STAY_NEVER;
    view->repair_failed_mono_us = view->plan_ended_mono_us = STAY_NEVER;
    view->lossless_fell_mono_us = STAY_NEVER;
    forget_primary(view);
}

void cluster_clear(struct cluster_view *view)
{
    for (uint32_t i = 0; i < nodes_of(view->config); i++)
        node_reset(&view->nodes[i]);
    gtid_set_clear(&view->barrier);
}

static void node_copy(struct node_view *node, const struct node_view *from)
{
    *node = *from;
    node->facts = (struct server_facts){0};
    server_facts_merge(&node->facts, &from->facts,
                       FACTS_STATUS | FACTS_SLOW | FACTS_START | FACTS_HOST);
    for (size_t i = 0; i < NODE_SET_COUNT; i++) {
        *NODE_SET(node, i) = (struct gtid_set){0};
        gtid_set_copy(NODE_SET(node, i),
                      (const struct gtid_set *)((const char *)from + node_sets[i]));
    }
}

void cluster_copy(struct cluster_view *ret_view, const struct cluster_view *from)
{
    const size_t tail = offsetof(struct cluster_view, primary);
    memcpy(ret_view, from, offsetof(struct cluster_view, nodes));
    memcpy((char *)ret_view + tail, (const char *)from + tail, sizeof *from - tail);
    ret_view->barrier = (struct gtid_set){0};
    gtid_set_copy(&ret_view->barrier, &from->barrier);
    for (uint32_t i = 0; i < nodes_of(from->config); i++)
        node_copy(&ret_view->nodes[i], &from->nodes[i]);
}

/* A plan's intent raises the epoch and leaves the primary: suspicion and what is known of it stay,
 * above all who is errant: the plan must not promote it, and the primary may answer no more. */
void cluster_set_record(struct cluster_view *view, const struct cluster_record *record)
{
    uint32_t primary = cluster_node_by_name(view->config, record->primary);
    bool is_other = primary != view->primary;
    if (record != &view->record)
        view->record = *record;
    view->primary = primary;
    for (uint32_t i = 0; i < view->config->node_count; i++)
        if (view->record.quarantine[i] == QUARANTINE_RESEED) /* detached, its data goes */
            view->ackers_seen &= ~(UINT32_C(1) << i);
    if (!record->lossless_stands)
        view->lossless_fell_mono_us = STAY_NEVER; /* the store says it now */
    if (is_other)
        forget_primary(view);
}

static uint32_t same_node(const struct cluster_config *old, const struct node_config *wanted)
{
    uint32_t i = cluster_node_by_name(old, wanted->name);
    if (i == NO_NODE || old->nodes[i].port != wanted->port ||
        strcmp(old->nodes[i].host, wanted->host) != 0)
        return NO_NODE;
    return i;
}

/* Masks and arrays of the record are by index: they follow the names. A quarantine follows the name
 * alone, so that a new address does not end it. */
static void record_remap(struct cluster_record *record, const struct cluster_config *old,
                         const struct cluster_config *config)
{
    struct cluster_record from = *record;
    record->ackers = record->restarted = record->written_known = record->twins = 0;
    record->born_known = 0;
    memset(record->quarantine, 0, sizeof record->quarantine);
    for (uint32_t i = 0; i < config->node_count; i++) {
        uint32_t j = cluster_node_by_name(old, config->nodes[i].name);
        if (j == NO_NODE)
            continue;
        record->quarantine[i] = from.quarantine[j];
        record->written[i] = from.written[j];
        if (from.written_known & (UINT32_C(1) << j))
            record->written_known |= UINT32_C(1) << i;
        record->born_wall_s[i] = from.born_wall_s[j];
        if (from.born_known & (UINT32_C(1) << j))
            record->born_known |= UINT32_C(1) << i;
        if (from.twins & (UINT32_C(1) << j))
            record->twins |= UINT32_C(1) << i;
        if (from.ackers & (UINT32_C(1) << j))
            record->ackers |= UINT32_C(1) << i;
        if (from.restarted & (UINT32_C(1) << j))
            record->restarted |= UINT32_C(1) << i;
    }
    for (uint32_t j = 0; j < old->node_count; j++) {
        bool is_gone = cluster_node_by_name(config, old->nodes[j].name) == NO_NODE;
        if (is_gone && (from.ackers & (UINT32_C(1) << j)))
            record->lossless_stands = false; /* an acker we can no longer ask */
    }
}

void cluster_reconfigure(struct cluster_view *view, const struct cluster_config *config)
{
    const struct cluster_config *old = view->config;
    struct node_view *kept = stay_calloc(nodes_of(config), sizeof *kept);
    bool primary_moved = view->primary != NO_NODE;
    for (uint32_t i = 0; i < config->node_count; i++) {
        uint32_t j = same_node(old, &config->nodes[i]);
        if (j == NO_NODE) {
            node_reset(&kept[i]);
            continue;
        }
        kept[i] = view->nodes[j];
        view->nodes[j].facts = (struct server_facts){0};
        for (size_t set = 0; set < NODE_SET_COUNT; set++)
            *NODE_SET(&view->nodes[j], set) = (struct gtid_set){0};
        if (j == view->primary)
            primary_moved = false;
    }
    for (uint32_t i = config->node_count; i < nodes_of(config); i++)
        node_reset(&kept[i]);
    for (uint32_t i = 0; i < nodes_of(old); i++)
        node_reset(&view->nodes[i]);
    memcpy(view->nodes, kept, nodes_of(config) * sizeof *kept);
    free(kept);
    record_remap(&view->record, old, config);
    view->config = config;
    view->primary = cluster_node_by_name(config, view->record.primary);
    if (primary_moved)
        forget_primary(view);
    view->barrier_mono_us = STAY_NEVER; /* its masks are by index: arm it anew */
    view->barrier_captured = false;
    view->ackers_seen = 0;
}

uint32_t cluster_node_by_name(const struct cluster_config *config, const char *name)
{
    for (uint32_t i = 0; i < config->node_count; i++) {
        if (strcmp(config->nodes[i].name, name) == 0)
            return i;
    }
    return NO_NODE;
}

uint32_t cluster_node_by_host(const struct cluster_config *config, const char *host)
{
    for (uint32_t i = 0; i < config->node_count; i++) {
        if (strcmp(config->nodes[i].host, host) == 0)
            return i;
    }
    return NO_NODE;
}

bool cluster_same_zone(const struct cluster_config *config, uint32_t a, uint32_t b)
{
    const char *zone = config->nodes[a].zone;
    return zone[0] != '\0' && strcmp(zone, config->nodes[b].zone) == 0;
}

const char *quarantine_text(enum quarantine_reason reason)
{
#define X(id, text) text,
    static const char *const texts[] = {QUARANTINE_REASONS(X)};
#undef X
    return texts[reason];
}
