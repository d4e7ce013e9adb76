/* tests/unit/controller/decide/test_cluster.c - who acknowledges, who receives; reloads keep what
 * was learned by name. */
#include "cluster_world.h"

/* --- who is who ------------------------------------------------------------------------------- */

static void receives(void **state)
{
    (void)state;
    assert_int_equal(cluster_node_receives(&w.view, 1, 0, w.now), TRI_YES);
    assert_int_equal(cluster_node_receives(&w.view, 1, 2, w.now), TRI_NO);
    assert_int_equal(cluster_node_receives(&w.view, 1, 0, w.now + SEC(2)), TRI_UNKNOWN);
    static const struct {
        enum receiver_state receiver;
        enum tri receives;
    } rows[] = {{RECEIVER_UNKNOWN, TRI_UNKNOWN}, {RECEIVER_COUNT, TRI_UNKNOWN},
                {RECEIVER_NONE, TRI_NO},         {RECEIVER_STOPPED, TRI_NO},
                {RECEIVER_CONNECTING, TRI_NO},   {RECEIVER_RUNNING, TRI_YES}};
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        db(2)->facts.receiver = rows[i].receiver;
        assert_int_equal(cluster_node_receives(&w.view, 1, 0, w.now), rows[i].receives);
    }
    db(2)->advanced_mono_us = w.now - SEC(60); /* an idle source that beats: silence tells */
    assert_int_equal(cluster_node_receives(&w.view, 1, 0, w.now), TRI_NO);
    db(2)->facts.heartbeat_ms = 0; /* it was told to send none */
    assert_int_equal(cluster_node_receives(&w.view, 1, 0, w.now), TRI_UNKNOWN);
    db(2)->facts.source_port = 3307;
    assert_int_equal(cluster_node_receives(&w.view, 1, 0, w.now), TRI_UNKNOWN);
    assert_int_equal(cluster_source_of(&w.view, 1), NO_NODE);
    db(2)->facts_mono_us = STAY_NEVER;
    assert_int_equal(cluster_node_receives(&w.view, 1, 0, w.now), TRI_UNKNOWN);
}

static void ackers_are_seen_not_assumed(void **state)
{
    (void)state;
    bool strangers = true;
    assert_int_equal(cluster_ackers_now(&w.view, &strangers), 6);
    assert_false(strangers);
    assert_int_equal(cluster_ackers_now(&w.view, NULL), 6);
    db(2)->facts.ss_replica_on = TRI_NO;
    assert_int_equal(cluster_ackers_now(&w.view, NULL), 4);
    assert_int_equal(cluster_ackers_possible(&w.view), 4);
    db(2)->facts.ss_replica_on = TRI_UNKNOWN;
    assert_int_equal(cluster_ackers_now(&w.view, NULL), 4);
    assert_int_equal(cluster_ackers_possible(&w.view), 6);
    db(2)->facts.ss_replica_on = TRI_YES;
    db(2)->facts.receiver = RECEIVER_STOPPED; /* an old dump thread lingers */
    assert_int_equal(cluster_ackers_now(&w.view, NULL), 4);
    assert_int_equal(cluster_ackers_possible(&w.view), 6);
    w.view.record.quarantine[1] = QUARANTINE_RESEED; /* it was detached, its data goes */
    assert_int_equal(cluster_ackers_possible(&w.view), 4);
    db(2)->facts.receiver = RECEIVER_CONNECTING; /* somebody gave it a source again */
    assert_int_equal(cluster_ackers_possible(&w.view), 6);
    w.view.record.quarantine[1] = QUARANTINE_NONE;
    db(2)->facts_mono_us = STAY_NEVER;
    db(2)->facts.ss_replica_on = TRI_NO; /* never read: a zero is no word */
    assert_int_equal(cluster_ackers_possible(&w.view), 6);
    db(1)->facts.ss_source_enabled = TRI_NO;
    assert_int_equal(cluster_ackers_now(&w.view, NULL), 0);
    db(1)->facts.ss_clients = 0;
    assert_int_equal(cluster_ackers_possible(&w.view), 0);
    db(1)->facts_mono_us = STAY_NEVER;
    assert_int_equal(cluster_ackers_now(&w.view, &strangers), 0);
    assert_int_equal(cluster_ackers_possible(&w.view), 0);
    w.view.primary = NO_NODE;
    assert_int_equal(cluster_ackers_now(&w.view, NULL), 0);
    assert_int_equal(cluster_ackers_possible(&w.view), 0);
}

static void servers_on_one_host_are_told_apart_by_port(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        (void)stay_copy(w.config.nodes[i].host, 64, "127.0.0.1");
        w.config.nodes[i].port = (uint16_t)(3301 + i);
        (void)stay_copy(w.facts[i].source_host, FACT_TEXT_MAX, i == 0 ? "" : "127.0.0.1");
        w.facts[i].source_port = i == 0 ? 0 : 3301;
    }
    (void)stay_copy(w.facts[0].dump_peers[0].host, 64, "127.0.0.1");
    (void)stay_copy(w.facts[0].dump_peers[1].host, 64, "127.0.0.1");
    w.now += MS(500);
    see_all(&w);
    bool strangers = false;
    assert_int_equal(cluster_source_of(&w.view, 2), 0);
    assert_int_equal(cluster_ackers_now(&w.view, &strangers), 6);
    assert_false(strangers);
    (void)stay_copy(w.facts[0].dump_peers[2].host, 64, "127.0.0.1");
    w.facts[0].dump_peer_count = 3; /* one thread more than there are other servers */
    w.now += MS(500);
    see_all(&w);
    (void)cluster_ackers_now(&w.view, &strangers);
    assert_true(strangers);
    assert_string_equal(cluster_stranger(&w.view), "127.0.0.1");
}

/* Unless skip_name_resolve is ON a server shows 127.0.0.1 as "localhost". */
static void a_replica_on_the_same_host_may_be_shown_by_name(void **state)
{
    (void)state;
    bool strangers = true;
    (void)stay_copy(w.config.nodes[1].host, 64, "127.0.0.1");
    (void)stay_copy(w.facts[0].dump_peers[0].host, 64, "localhost");
    w.now += MS(500);
    see_all(&w);
    assert_int_equal(cluster_ackers_now(&w.view, &strangers), 6);
    assert_false(strangers);
    assert_null(cluster_stranger(&w.view));
    (void)stay_copy(w.facts[0].dump_peers[0].host, 64, "db2.internal");
    w.now += MS(500);
    see_all(&w);
    assert_int_equal(cluster_ackers_now(&w.view, &strangers), 4);
    assert_true(strangers);
    assert_string_equal(cluster_stranger(&w.view), "db2.internal");
}

static void names_hosts_and_zones(void **state)
{
    (void)state;
    assert_int_equal(cluster_node_by_name(&w.config, "db3"), 2);
    assert_int_equal(cluster_node_by_name(&w.config, "db"), NO_NODE);
    assert_int_equal(cluster_node_by_host(&w.config, "10.0.0.2"), 1);
    assert_int_equal(cluster_node_by_host(&w.config, "10.0.0.9"), NO_NODE);
    assert_false(cluster_same_zone(&w.config, 0, 1));
    assert_true(cluster_same_zone(&w.config, 1, 1));
    w.config.nodes[0].zone[0] = w.config.nodes[1].zone[0] = '\0';
    assert_false(cluster_same_zone(&w.config, 0, 1)); /* unnamed zones are not one zone */
}

/* --- record and reload ------------------------------------------------------------------------ */

static void a_reload_keeps_facts_and_record_by_name(void **state)
{
    (void)state;
    struct cluster_config next = w.config;
    next.node_count = 3;
    next.nodes[0] = w.config.nodes[2];
    next.nodes[1] = w.config.nodes[0];
    next.nodes[2] = w.config.nodes[1];
    w.view.record.quarantine[2] = QUARANTINE_OPERATOR;
    w.view.record.ackers = 4;
    w.view.suspicion_since_mono_us = w.now;
    cluster_reconfigure(&w.view, &next);
    assert_int_equal(w.view.primary, 1);
    assert_int_equal(w.view.nodes[1].facts.server_id, 1);
    assert_int_equal(w.view.nodes[0].facts.server_id, 3);
    assert_int_equal(w.view.record.quarantine[0], QUARANTINE_OPERATOR);
    assert_int_equal(w.view.record.quarantine[2], QUARANTINE_NONE);
    assert_int_equal(w.view.record.ackers, 1);
    assert_true(w.view.record.lossless_stands);
    assert_int_equal(w.view.suspicion_since_mono_us, w.now);
    w.config = next;
    cluster_reconfigure(&w.view, &w.config);
}

static void a_node_with_a_new_address_is_learned_anew(void **state)
{
    (void)state;
    struct cluster_config next = w.config;
    (void)stay_copy(next.nodes[0].host, 64, "10.0.9.1");
    next.nodes[1].port = 3399;
    (void)stay_copy(next.nodes[2].name, NAME_MAX_LEN, "db4");
    w.view.suspicion_since_mono_us = w.now;
    w.view.record.quarantine[1] = QUARANTINE_DIVERGED;
    cluster_reconfigure(&w.view, &next);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(w.view.nodes[i].groups_known, 0);
    assert_int_equal(w.view.nodes[0].refused_first_mono_us, STAY_NEVER);
    assert_int_equal(w.view.suspicion_since_mono_us, STAY_NEVER);
    assert_int_equal(w.view.record.quarantine[1], QUARANTINE_DIVERGED);
    assert_int_equal(w.view.record.ackers, 2);
    assert_false(w.view.record.lossless_stands); /* db3 was an acker: nobody can ask it any more */
    assert_int_equal(w.view.primary, 0);
    cluster_reconfigure(&w.view, &w.config);
}

static void a_reload_without_a_primary_keeps_none(void **state)
{
    (void)state;
    w.view.record.primary[0] = '\0';
    w.view.primary = NO_NODE;
    w.view.record.ackers = 0;
    struct cluster_config next = w.config;
    next.node_count = 2;
    cluster_reconfigure(&w.view, &next);
    assert_int_equal(w.view.primary, NO_NODE);
    assert_true(w.view.record.lossless_stands);
    cluster_reconfigure(&w.view, &w.config);
}

static void the_record_may_be_the_views_own(void **state)
{
    (void)state;
    w.view.suspicion_since_mono_us = w.now;
    cluster_set_record(&w.view, &w.view.record);
    assert_int_equal(w.view.suspicion_since_mono_us, w.now);
    (void)stay_copy(w.view.record.primary, NAME_MAX_LEN, "db2");
    cluster_set_record(&w.view, &w.view.record);
    assert_int_equal(w.view.primary, 1);
    assert_int_equal(w.view.suspicion_since_mono_us, STAY_NEVER);
}

/* Places beyond the inventory are never touched (a controller has thousands of clusters), so they
 * hold anything when a reload begins to use them. */
static void a_reload_may_use_places_that_were_never_touched(void **state)
{
    (void)state;
    struct cluster_config next = w.config, before = w.config;
    struct cluster_view *view = stay_malloc(sizeof *view), *copy = stay_malloc(sizeof *copy);
    memset(view, 0xa5, sizeof *view);
    memset(copy, 0xa5, sizeof *copy);
    before.node_count = 1;
    cluster_init(view, &before);
    cluster_copy(copy, view);
    assert_int_equal(((unsigned char *)&view->nodes[1])[0], 0xa5);
    assert_true(w.config.node_count > 1);
    cluster_reconfigure(view, &next);
    for (uint32_t i = 0; i < next.node_count; i++) {
        assert_int_equal(view->nodes[i].session_end_mono_us, STAY_NEVER);
        assert_int_equal(view->nodes[i].facts.executed.n, 0);
        assert_int_equal(view->nodes[i].errant, TRI_UNKNOWN);
    }
    cluster_clear(view);
    cluster_clear(copy);
    free(view);
    free(copy);
}

/* Its view is whole, as a new one would be: nothing of the servers that went is left. */
static void a_reload_without_servers_leaves_an_empty_view(void **state)
{
    (void)state;
    struct cluster_config none = w.config;
    none.node_count = 0;
    cluster_reconfigure(&w.view, &none);
    assert_int_equal(w.view.primary, NO_NODE);
    for (uint32_t i = 0; i < NODES_MAX; i++) {
        assert_int_equal(w.view.nodes[i].facts_mono_us, STAY_NEVER);
        assert_int_equal(w.view.nodes[i].facts.executed.n, 0);
    }
    cluster_reconfigure(&w.view, &w.config);
    assert_int_equal(w.view.nodes[2].facts_mono_us, STAY_NEVER);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(receives),
        T(ackers_are_seen_not_assumed),
        T(servers_on_one_host_are_told_apart_by_port),
        T(a_replica_on_the_same_host_may_be_shown_by_name),
        T(names_hosts_and_zones),
        T(a_reload_keeps_facts_and_record_by_name),
        T(a_node_with_a_new_address_is_learned_anew),
        T(a_reload_without_a_primary_keeps_none),
        T(the_record_may_be_the_views_own),
        T(a_reload_may_use_places_that_were_never_touched),
        T(a_reload_without_servers_leaves_an_empty_view),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
