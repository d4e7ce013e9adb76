/* tests/unit/controller/decide/view_fixture.h - a cluster of three servers in three zones and the
 * observations a prober would make of it; header-only, included by one test program each.
 *
 * Nodes: 0 = db1 in zone a (primary), 1 = db2 in zone b, 2 = db3 in zone c. Time starts at T0. */
#ifndef TESTS_VIEW_FIXTURE_H
#define TESTS_VIEW_FIXTURE_H
#include "base/base.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "controller/decide/decision.h"

#define T0     (INT64_C(1000) * STAY_SECOND)
#define WALL0  (INT64_C(1700000000) * STAY_SECOND)
#define MS(n)  ((int64_t)(n)*STAY_MS)
#define SEC(n) ((int64_t)(n)*STAY_SECOND)

struct world {
    struct cluster_config config;
    struct cluster_view view;
    struct server_facts facts[3]; /* what each server would say now */
    int64_t now;
    uint64_t seq; /* transactions of db1 */
};

static inline void set_parse(struct gtid_set *set, enum engine engine, const char *text)
{
    enum gtid_flavor flavor = engine == ENGINE_MYSQL ? GTID_MYSQL : GTID_MARIADB;
    gtid_set_clear(set);
    assert_int_equal(gtid_set_parse(flavor, text, set, NULL), STAY_OK);
}

#define UUID1 "11111111-1111-1111-1111-111111111111"

static inline void world_write(struct world *w, uint64_t count)
{
    char text[80];
    w->seq += count;
    w->facts[0].ss_yes_tx += count;
    if (w->config.engine == ENGINE_MYSQL)
        (void)snprintf(text, sizeof text, UUID1 ":1-%llu", (unsigned long long)w->seq);
    else
        (void)snprintf(text, sizeof text, "0-1-%llu", (unsigned long long)w->seq);
    set_parse(&w->facts[0].executed, w->config.engine, text);
}

static inline void world_replicate(struct world *w, uint32_t node)
{
    gtid_set_copy(&w->facts[node].executed, &w->facts[0].executed);
    gtid_set_copy(&w->facts[node].received, &w->facts[0].executed);
    w->facts[node].heartbeats++;
}

static inline void facts_good(struct world *w, uint32_t node)
{
    struct server_facts *f = &w->facts[node];
    f->server_id = node + 1;
    f->uptime_s = 5000;
    f->applier_errno = 0;
    f->lag_s = node == 0 ? -1 : 0;
    f->read_only = node == 0 ? TRI_NO : TRI_YES;
    f->super_read_only = f->read_only;
    f->sync_binlog = f->flush_log = 1;
    f->log_bin = f->log_updates = f->gtid_strict = TRI_YES;
    f->relay_log_recovery = f->filters = TRI_NO;
    f->heartbeat_ms = 500;
    f->beats_shown = TRI_YES;
    f->net_timeout_s = 4;
    f->kill_conn_timeout_s = 1;
    f->max_connections = 200;
    f->connections = 2;
    f->canary_epoch = 3;
    f->start_read_only = f->start_skip_replica = TRI_YES;
    f->start_ss_source = f->start_relay_log_recovery = TRI_NO;
    f->start_role_replica = TRI_YES;
    (void)stay_copy(f->binlog_format, sizeof f->binlog_format, "ROW");
    (void)stay_copy(f->row_image, sizeof f->row_image, "FULL");
    bool is_mysql = w->config.engine == ENGINE_MYSQL;
    (void)stay_copy(f->version, sizeof f->version, is_mysql ? "9.7.4" : "10.11.6-MariaDB");
    if (is_mysql) {
        (void)stay_copy(f->server_uuid, sizeof f->server_uuid, UUID1);
        memset(f->server_uuid, '1' + (int)node, 8);
    }
    f->receiver = node == 0 ? RECEIVER_NONE : RECEIVER_RUNNING;
    f->applier = node == 0 ? TRI_NO : TRI_YES;
    f->ss_source_enabled = f->ss_source_on = node == 0 ? TRI_YES : TRI_NO;
    f->ss_after_sync = TRI_YES;
    f->ss_timeout_ms = UINT64_C(4294967295);
    f->ss_wait_count = 1;
    f->ss_replica_enabled = f->ss_replica_on = node == 0 ? TRI_NO : TRI_YES;
    if (node == 0) {
        f->ss_clients = 2;
        f->dump_peer_count = 2;
        (void)stay_copy(f->dump_peers[0].host, 64, "10.0.0.2");
        (void)stay_copy(f->dump_peers[1].host, 64, "10.0.0.3");
        return;
    }
    (void)stay_copy(f->source_host, sizeof f->source_host, "10.0.0.1");
    f->source_port = 3306;
    world_replicate(w, node);
}

/* Adopted, lossless recorded and standing, epoch 3; nothing observed yet. */
static inline void world_init(struct world *w, enum engine engine)
{
    memset(w, 0, sizeof *w);
    cluster_config_defaults(&w->config);
    w->config.engine = engine;
    (void)stay_copy(w->config.name, sizeof w->config.name, "shop");
    w->config.node_count = 3;
    for (uint32_t i = 0; i < 3; i++) {
        struct node_config *n = &w->config.nodes[i];
        (void)snprintf(n->name, sizeof n->name, "db%u", i + 1);
        (void)snprintf(n->host, sizeof n->host, "10.0.0.%u", i + 1);
        (void)snprintf(n->zone, sizeof n->zone, "%c", (char)('a' + (int)i));
        n->port = 3306;
    }
    w->now = T0;
    world_write(w, 100);
    for (uint32_t i = 0; i < 3; i++)
        facts_good(w, i);
    cluster_init(&w->view, &w->config);
    struct cluster_record record = {
        .version = 7,
        .epoch = 3,
        .adopted = true,
        .primary = "db1",
        .mode = MODE_LOSSLESS,
        .lossless_stands = true,
        .lossless_since_wall_us = WALL0 - SEC(1000),
        .ackers = 6,
        .watch_uptime_base_s = (uint64_t)(WALL0 / STAY_SECOND) - 5000,
        .written_known = 7, /* nobody but db1 ever wrote */
        .births_kept = true,
        .born_known = 6,
        .born_wall_s = {0, WALL0 / STAY_SECOND - 5000, WALL0 / STAY_SECOND - 5000},
    };
    cluster_set_record(&w->view, &record);
}

static inline void world_clear(struct world *w)
{
    cluster_clear(&w->view);
    for (uint32_t i = 0; i < 3; i++)
        server_facts_clear(&w->facts[i]);
}

static inline int64_t wall_of(const struct world *w)
{
    return WALL0 + (w->now - T0);
}

#define FACTS_ALL (FACTS_STATUS | FACTS_SLOW | FACTS_START | FACTS_HOST)

/* The server answered a question with its facts as they are when this is folded in. */
static inline struct observation answered(struct world *w, uint32_t node, int64_t begun,
                                          int64_t taken, unsigned groups)
{
    return (struct observation){.kind = OBS_REACH,
                                .node = node,
                                .begun_mono_us = begun,
                                .taken_mono_us = taken,
                                .reach = {.layer = LAYER_QUERY, .outcome = OUT_OK},
                                .groups = groups,
                                .facts = &w->facts[node]};
}

/* A status query begun now and answered 1 ms later. */
static inline void see(struct world *w, uint32_t node)
{
    w->facts[node].uptime_s = 5000 + (uint64_t)((w->now - T0) / STAY_SECOND);
    struct observation o = answered(w, node, w->now, w->now + MS(1), FACTS_ALL);
    cluster_observe(&w->view, &o);
}

/* An attempt begun `took` ago ends now without an answer. */
static inline void lose(struct world *w, uint32_t node, enum obs_layer layer,
                        enum obs_outcome outcome, int64_t took)
{
    struct observation o = {.kind = OBS_REACH,
                            .node = node,
                            .begun_mono_us = w->now - took,
                            .taken_mono_us = w->now,
                            .reach = {.layer = layer, .outcome = outcome}};
    cluster_observe(&w->view, &o);
}

static inline void session_end(struct world *w, uint32_t node)
{
    struct observation o = {
        .kind = OBS_SESSION_END, .node = node, .begun_mono_us = w->now, .taken_mono_us = w->now};
    cluster_observe(&w->view, &o);
}

static inline void see_all(struct world *w)
{
    world_replicate(w, 1);
    world_replicate(w, 2);
    for (uint32_t i = 1; i < 3; i++)
        see(w, i);
    w->now += MS(2);
    see(w, 0);
    w->now += MS(2);
}

/* `count` rounds of 500 ms in which all is well. */
static inline void healthy(struct world *w, int count)
{
    for (int i = 0; i < count; i++) {
        see_all(w);
        w->now += MS(496);
    }
    see_all(w);
}

static inline struct decision judge(struct world *w)
{
    struct decision d;
    struct fleet fleet = {0};
    decide(&w->view, NULL, &fleet, w->now, wall_of(w), &d);
    return d;
}

static inline uint16_t rule(struct world *w)
{
    return verdict_judge(&w->view, w->now).rule_id;
}

static inline void lose_receivers(struct world *w)
{
    for (uint32_t i = 1; i < 3; i++) {
        w->facts[i].receiver = RECEIVER_CONNECTING;
        w->facts[i].receiver_errno = 2003;
        see(w, i);
    }
}

/* The primary is silent at this layer while the replicas answer. */
static inline void silent_rounds(struct world *w, int count, enum obs_layer layer)
{
    for (int i = 0; i < count; i++) {
        w->now += MS(100);
        lose(w, 0, layer, OUT_TIMEOUT, MS(1000));
        see(w, 1);
        see(w, 2);
    }
}

#endif
