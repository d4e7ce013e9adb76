/* tests/unit/controller/decide/test_cluster.c - folding observations: order, blanks, restarts,
 * errant comparisons, suspicion; reloads keep what was learned by name; who acknowledges, who
 * receives. */
#include "view_fixture.h"

static struct world w;

static int setup(void **state)
{
    (void)state;
    world_init(&w, ENGINE_MARIADB);
    healthy(&w, 2);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    world_clear(&w);
    return 0;
}

static struct node_view *db(uint32_t n)
{
    return &w.view.nodes[n - 1];
}

/* --- folding ---------------------------------------------------------------------------------- */

static struct observation query(uint32_t node, int64_t begun, int64_t taken, unsigned groups)
{
    return (struct observation){.kind = OBS_REACH,
                                .node = node,
                                .begun_mono_us = begun,
                                .taken_mono_us = taken,
                                .reach = {.layer = LAYER_QUERY, .outcome = OUT_OK},
                                .groups = groups,
                                .facts = &w.facts[node]};
}

static void an_older_question_never_overwrites_a_newer_answer(void **state)
{
    (void)state;
    w.facts[1].lag_s = 1;
    struct observation newer = query(1, w.now + MS(10), w.now + MS(20), FACTS_STATUS);
    cluster_observe(&w.view, &newer);
    w.facts[1].lag_s = 99;
    struct observation older = query(1, w.now + MS(5), w.now + MS(30), FACTS_STATUS);
    cluster_observe(&w.view, &older);
    assert_int_equal(db(2)->facts.lag_s, 1);
    struct observation overlapping = query(1, w.now + MS(15), w.now + MS(40), FACTS_STATUS);
    cluster_observe(&w.view, &overlapping);
    assert_int_equal(db(2)->facts.lag_s, 99);
}

static void an_attempt_without_facts_erases_nothing(void **state)
{
    (void)state;
    char before[64];
    (void)stay_copy(before, sizeof before, db(1)->facts.version);
    lose(&w, 0, LAYER_CONNECT, OUT_REFUSED, MS(0));
    struct observation o = query(0, w.now, w.now + 1, 0);
    cluster_observe(&w.view, &o);
    o.groups = FACTS_STATUS;
    o.facts = NULL;
    cluster_observe(&w.view, &o);
    assert_string_equal(db(1)->facts.version, before);
    assert_int_equal(db(1)->facts.server_id, 1);
}

static void groups_are_taken_one_by_one(void **state)
{
    (void)state;
    int64_t status = db(2)->facts_mono_us;
    (void)stay_copy(w.facts[1].version, FACT_TEXT_MAX, "10.11.9-MariaDB");
    w.facts[1].lag_s = 7;
    w.facts[1].start_read_only = TRI_NO;
    struct observation o = query(1, w.now + MS(5), w.now + MS(6), FACTS_SLOW);
    cluster_observe(&w.view, &o);
    assert_string_equal(db(2)->facts.version, "10.11.9-MariaDB");
    assert_int_equal(db(2)->slow_mono_us, w.now + MS(6));
    assert_int_equal(db(2)->facts_mono_us, status);
    assert_int_equal(db(2)->facts.lag_s, 0);
    assert_int_equal(db(2)->facts.start_read_only, TRI_YES);
    o.groups = FACTS_START;
    cluster_observe(&w.view, &o);
    assert_int_equal(db(2)->facts.start_read_only, TRI_NO);
}

static void foreign_and_empty_observations_are_ignored(void **state)
{
    (void)state;
    struct observation o = query(0, w.now, w.now, FACTS_STATUS);
    o.node = 3;
    cluster_observe(&w.view, &o);
    o.node = 0;
    o.kind = OBS_NONE;
    o.facts = &w.facts[1];
    cluster_observe(&w.view, &o);
    assert_int_equal(db(1)->facts.server_id, 1);
}

static void refusals_in_any_order_make_one_run(void **state)
{
    (void)state;
    w.now += MS(100);
    lose(&w, 1, LAYER_CONNECT, OUT_REFUSED, MS(0));
    w.now -= MS(50);
    lose(&w, 1, LAYER_CONNECT, OUT_REFUSED, MS(0));
    assert_int_equal(db(2)->refused_first_mono_us, w.now);
    assert_int_equal(db(2)->refused_last_mono_us, w.now + MS(50));
    assert_int_equal(db(2)->reach_mono_us, w.now + MS(50));
    w.now += MS(200);
    struct observation late = query(1, w.now - MS(300), w.now - MS(260), FACTS_STATUS);
    late.reach.outcome = OUT_DENIED; /* taken before the first refusal: it ends no run */
    cluster_observe(&w.view, &late);
    assert_int_not_equal(db(2)->refused_first_mono_us, STAY_NEVER);
}

static void silence_begins_with_the_first_attempt_that_was_not_answered(void **state)
{
    (void)state;
    w.now += MS(1500);
    lose(&w, 1, LAYER_CONNECT, OUT_TIMEOUT, MS(1000));
    lose(&w, 1, LAYER_GREETING, OUT_RESET, MS(1200));
    lose(&w, 1, LAYER_CONNECT, OUT_TIMEOUT, MS(100));
    assert_int_equal(db(2)->silent_since_mono_us, w.now - MS(1200));
    lose(&w, 1, LAYER_LOGIN, OUT_TIMEOUT, MS(10)); /* it greeted in this attempt */
    assert_int_equal(db(2)->silent_since_mono_us, STAY_NEVER);
}

static void what_counts_as_an_answer(void **state)
{
    (void)state;
    static const struct {
        enum obs_layer layer;
        enum obs_outcome outcome;
        bool is_answer;
    } rows[] = {
        {LAYER_CONNECT, OUT_OK, false},       {LAYER_GREETING, OUT_OK, true},
        {LAYER_WRITE, OUT_OK, true},          {LAYER_COUNT, OUT_OK, false},
        {LAYER_LOGIN, OUT_DENIED, true},      {LAYER_LOGIN, OUT_TOO_MANY, true},
        {LAYER_WRITE, OUT_READ_ONLY, true},   {LAYER_GREETING, OUT_BAD_REPLY, true},
        {LAYER_RESOLVE, OUT_BAD_REPLY, false}, {LAYER_COUNT, OUT_BAD_REPLY, false},
        {LAYER_LOGIN, OUT_TIMEOUT, true},     {LAYER_QUERY, OUT_TIMEOUT, false},
        {LAYER_CONNECT, OUT_REFUSED, false},  {LAYER_GREETING, OUT_RESET, false},
        {LAYER_NONE, OUT_NONE, false},        {LAYER_NONE, OUT_COUNT, false},
    };
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        struct reach reach = {.layer = rows[i].layer, .outcome = rows[i].outcome};
        if (cluster_reach_is_answer(&reach) != rows[i].is_answer)
            fail_msg("%s %s", obs_layer_text(rows[i].layer), obs_outcome_text(rows[i].outcome));
    }
}

static void a_restart_is_seen_though_uptime_grew(void **state)
{
    (void)state;
    struct observation o = query(1, w.now + SEC(100), w.now + SEC(100), FACTS_STATUS);
    w.facts[1].uptime_s = db(2)->facts.uptime_s + 90; /* 10 s of the 100 are missing */
    w.facts[1].ss_replica_on = TRI_NO;
    cluster_observe(&w.view, &o);
    assert_int_equal(db(2)->restarted_mono_us, w.now + SEC(100));
    assert_int_equal(db(2)->groups_known, FACTS_STATUS);
    assert_string_equal(db(2)->facts.version, "10.11.6-MariaDB"); /* learned in good times */
}

static void the_highest_received_set_survives_a_lower_one(void **state)
{
    (void)state;
    world_write(&w, 50);
    world_replicate(&w, 1);
    see(&w, 1);
    set_parse(&w.facts[1].received, ENGINE_MARIADB, "0-1-20");
    w.now += MS(10);
    int64_t advanced = db(2)->advanced_mono_us;
    see(&w, 1);
    assert_int_equal(db(2)->received_high.v[0].last, 150);
    assert_int_equal(db(2)->facts.received.v[0].last, 20);
    assert_int_equal(db(2)->advanced_mono_us, advanced); /* a set that shrank did not advance */
}

static void errant_is_told_by_a_primary_read_that_began_later(void **state)
{
    (void)state;
    assert_int_equal(db(2)->errant, TRI_NO);
    world_write(&w, 10);
    world_replicate(&w, 1);
    w.now += MS(10);
    see(&w, 1); /* ahead of the primary's last word: says nothing yet */
    assert_int_equal(db(2)->errant, TRI_NO);
    set_parse(&w.facts[1].executed, ENGINE_MARIADB, "0-1-110,0-2-3");
    w.now += MS(10);
    see(&w, 1);
    w.now += MS(10);
    see(&w, 0);
    assert_int_equal(db(2)->errant, TRI_YES);
    assert_int_equal(db(3)->errant, TRI_NO);
    struct cluster_record record = w.view.record;
    record.epoch++; /* a plan's intent: still the same primary */
    cluster_set_record(&w.view, &record);
    assert_int_equal(db(2)->errant, TRI_YES);
    (void)stay_copy(record.primary, sizeof record.primary, "db3");
    cluster_set_record(&w.view, &record);
    assert_int_equal(db(2)->errant, TRI_UNKNOWN); /* of another primary */
}

static void answers_that_always_cross_are_compared_all_the_same(void **state)
{
    (void)state;
    set_parse(&w.facts[1].executed, ENGINE_MARIADB, "0-1-100,0-2-1");
    for (int i = 0; i < 3; i++) { /* both asked at one instant, the replica answers first */
        w.now += MS(500);
        see(&w, 1);
        see(&w, 0);
        world_write(&w, 5);
    }
    assert_int_equal(db(2)->errant, TRI_YES);
    assert_false(db(2)->holds_lost);
    world_replicate(&w, 1);
    set_parse(&w.facts[0].executed, ENGINE_MARIADB, "0-1-90"); /* truncated by its restart */
    for (int i = 0; i < 3; i++) {
        w.now += MS(500);
        see(&w, 1);
        see(&w, 0);
    }
    assert_int_equal(db(2)->errant, TRI_NO);
    assert_true(db(2)->holds_lost);
}

static void beside_a_dead_primary_foreign_transactions_are_errant_at_once(void **state)
{
    (void)state;
    w.now += MS(500);
    lose(&w, 0, LAYER_CONNECT, OUT_REFUSED, MS(0));
    world_write(&w, 20); /* written after its last word, received by db3 */
    world_replicate(&w, 2);
    set_parse(&w.facts[1].executed, ENGINE_MARIADB, "0-1-100,0-2-1");
    see(&w, 1);
    see(&w, 2);
    assert_int_equal(db(2)->errant, TRI_YES);
    assert_int_not_equal(db(3)->errant, TRI_YES);
    assert_false(db(3)->holds_lost);
    db(2)->errant = TRI_UNKNOWN;
    db(1)->facts.read_only = TRI_YES; /* its last word was that of a replica: it may know less */
    see(&w, 1);
    assert_int_equal(db(2)->errant, TRI_UNKNOWN);
}

static void canary_runs(void **state)
{
    (void)state;
    struct observation o = {.kind = OBS_CANARY, .node = 0, .begun_mono_us = w.now,
                            .taken_mono_us = w.now + MS(1),
                            .reach = {.layer = LAYER_WRITE, .outcome = OUT_OK}};
    cluster_observe(&w.view, &o);
    assert_int_equal(db(1)->canary_ok_mono_us, w.now + MS(1));
    o.reach.outcome = OUT_READ_ONLY;
    o.begun_mono_us = w.now + MS(1000);
    cluster_observe(&w.view, &o);
    o.reach.outcome = OUT_DENIED;
    cluster_observe(&w.view, &o);
    assert_int_equal(db(1)->canary_fail_mono_us, STAY_NEVER);
    static const enum obs_outcome failures[] = {OUT_TIMEOUT, OUT_RESET, OUT_BAD_REPLY};
    for (size_t i = 0; i < STAY_COUNT(failures); i++) {
        db(1)->canary_fail_mono_us = STAY_NEVER;
        o.reach.outcome = failures[i];
        cluster_observe(&w.view, &o);
        assert_int_equal(db(1)->canary_fail_mono_us, w.now + MS(1000));
    }
    o.begun_mono_us = w.now + MS(2000);
    cluster_observe(&w.view, &o);
    assert_int_equal(db(1)->canary_fail_mono_us, w.now + MS(1000)); /* the first of the run */
    o.reach.outcome = OUT_OK;
    o.taken_mono_us = w.now + MS(900); /* an OK from before the run does not end it */
    cluster_observe(&w.view, &o);
    assert_int_equal(db(1)->canary_fail_mono_us, w.now + MS(1000));
    o.taken_mono_us = w.now + MS(2100);
    cluster_observe(&w.view, &o);
    assert_int_equal(db(1)->canary_fail_mono_us, STAY_NEVER);
    o.reach.outcome = OUT_TIMEOUT;
    o.begun_mono_us = w.now + MS(2000); /* begun before that OK ended */
    cluster_observe(&w.view, &o);
    assert_int_equal(db(1)->canary_fail_mono_us, STAY_NEVER);
}

/* --- suspicion -------------------------------------------------------------------------------- */

static bool suspects(void)
{
    return w.view.suspicion_since_mono_us != STAY_NEVER;
}

static void suspicion_opens_at_once(void **state)
{
    (void)state;
    static const struct {
        enum obs_layer layer;
        enum obs_outcome outcome;
        bool opens;
    } rows[] = {{LAYER_CONNECT, OUT_REFUSED, true},
                {LAYER_CONNECT, OUT_TIMEOUT, true},
                {LAYER_QUERY, OUT_RESET, true},
                {LAYER_RESOLVE, OUT_TIMEOUT, false},
                {LAYER_LOGIN, OUT_DENIED, false}};
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        world_clear(&w);
        (void)setup(NULL);
        w.now += MS(600);
        lose(&w, 1, rows[i].layer, rows[i].outcome, MS(0)); /* a replica: none of its business */
        assert_false(suspects());
        lose(&w, 0, rows[i].layer, rows[i].outcome, MS(0));
        assert_int_equal(suspects(), rows[i].opens);
    }
}

static void the_end_of_a_session_opens_it_unless_a_newer_query_was_answered(void **state)
{
    (void)state;
    session_end(&w, 1);
    assert_false(suspects());
    w.now -= MS(100);
    session_end(&w, 0);
    assert_false(suspects());
    w.now += MS(200);
    session_end(&w, 0);
    assert_true(suspects());
}

static void a_receiver_that_lost_its_source_opens_it(void **state)
{
    (void)state;
    w.facts[1].receiver = RECEIVER_CONNECTING;
    see(&w, 1);
    int64_t since = w.view.suspicion_since_mono_us;
    assert_true(suspects());
    w.now += MS(50);
    see(&w, 1);
    assert_int_equal(w.view.suspicion_since_mono_us, since);
}

static void it_settles_when_the_primary_answers_and_a_replica_receives(void **state)
{
    (void)state;
    session_end(&w, 0);
    w.now += MS(10);
    see(&w, 0);
    assert_true(suspects()); /* the replicas were asked before */
    w.now += MS(10);
    w.facts[1].receiver = RECEIVER_CONNECTING;
    see(&w, 1);
    assert_true(suspects());
    w.now += MS(10);
    see(&w, 2);
    assert_false(suspects());
}

static void it_settles_in_time_when_no_replica_receives(void **state)
{
    (void)state;
    session_end(&w, 0);
    w.facts[1].receiver = w.facts[2].receiver = RECEIVER_STOPPED;
    for (int i = 0; i < 19; i++) {
        w.now += MS(100);
        see(&w, 0);
        see(&w, 1);
        see(&w, 2);
        assert_true(suspects());
    }
    w.now += MS(200);
    (void)judge(&w);
    assert_false(suspects());
}

static void it_stays_while_the_primary_fails(void **state)
{
    (void)state;
    session_end(&w, 0);
    w.now += SEC(3);
    (void)judge(&w);
    assert_true(suspects());
    see(&w, 0);
    w.now += MS(10);
    lose(&w, 0, LAYER_CONNECT, OUT_REFUSED, MS(0));
    (void)judge(&w);
    assert_true(suspects());
    w.now += MS(10);
    see(&w, 0);
    w.now += MS(10);
    lose(&w, 0, LAYER_CONNECT, OUT_TIMEOUT, MS(0));
    (void)judge(&w);
    assert_true(suspects());
    w.view.primary = NO_NODE;
    (void)judge(&w);
    assert_true(suspects());
}

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

static void facts_merge_by_group_and_clear(void **state)
{
    (void)state;
    struct server_facts to = {0};
    w.facts[0].dump_peer_count = DUMP_PEERS_MAX + 5; /* from outside: capped */
    server_facts_merge(&to, &w.facts[0], FACTS_STATUS);
    assert_int_equal(to.dump_peer_count, DUMP_PEERS_MAX);
    assert_int_equal(to.version[0], '\0');
    server_facts_merge(&to, &to, FACTS_STATUS);
    server_facts_merge(&to, &w.facts[0], FACTS_SLOW | FACTS_START);
    assert_string_equal(to.version, w.facts[0].version);
    assert_int_equal(to.executed.v[0].last, 100);
    server_facts_clear(&to);
    assert_true(gtid_set_is_empty(&to.executed));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(an_older_question_never_overwrites_a_newer_answer),
        T(an_attempt_without_facts_erases_nothing),
        T(groups_are_taken_one_by_one),
        T(foreign_and_empty_observations_are_ignored),
        T(refusals_in_any_order_make_one_run),
        T(silence_begins_with_the_first_attempt_that_was_not_answered),
        T(what_counts_as_an_answer),
        T(a_restart_is_seen_though_uptime_grew),
        T(the_highest_received_set_survives_a_lower_one),
        T(errant_is_told_by_a_primary_read_that_began_later),
        T(answers_that_always_cross_are_compared_all_the_same),
        T(beside_a_dead_primary_foreign_transactions_are_errant_at_once),
        T(canary_runs),
        T(suspicion_opens_at_once),
        T(the_end_of_a_session_opens_it_unless_a_newer_query_was_answered),
        T(a_receiver_that_lost_its_source_opens_it),
        T(it_settles_when_the_primary_answers_and_a_replica_receives),
        T(it_settles_in_time_when_no_replica_receives),
        T(it_stays_while_the_primary_fails),
        T(receives),
        T(ackers_are_seen_not_assumed),
        T(servers_on_one_host_are_told_apart_by_port),
        T(names_hosts_and_zones),
        T(a_reload_keeps_facts_and_record_by_name),
        T(a_node_with_a_new_address_is_learned_anew),
        T(a_reload_without_a_primary_keeps_none),
        T(the_record_may_be_the_views_own),
        T(facts_merge_by_group_and_clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
