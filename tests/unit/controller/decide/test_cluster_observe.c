/* tests/unit/controller/decide/test_cluster_observe.c - folding observations: order, blanks,
 * restarts, errant comparisons. */
#include "cluster_world.h"

static void an_older_question_never_overwrites_a_newer_answer(void **state)
{
    (void)state;
    w.facts[1].lag_s = 1;
    struct observation newer = answered(&w, 1, w.now + MS(10), w.now + MS(20), FACTS_STATUS);
    cluster_observe(&w.view, &newer);
    w.facts[1].lag_s = 99;
    struct observation older = answered(&w, 1, w.now + MS(5), w.now + MS(30), FACTS_STATUS);
    cluster_observe(&w.view, &older);
    assert_int_equal(db(2)->facts.lag_s, 1);
    struct observation overlapping = answered(&w, 1, w.now + MS(15), w.now + MS(40), FACTS_STATUS);
    cluster_observe(&w.view, &overlapping);
    assert_int_equal(db(2)->facts.lag_s, 99);
}

static void an_attempt_without_facts_erases_nothing(void **state)
{
    (void)state;
    char before[64];
    (void)stay_copy(before, sizeof before, db(1)->facts.version);
    lose(&w, 0, LAYER_CONNECT, OUT_REFUSED, MS(0));
    struct observation o = answered(&w, 0, w.now, w.now + 1, 0);
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
    struct observation o = answered(&w, 1, w.now + MS(5), w.now + MS(6), FACTS_SLOW);
    cluster_observe(&w.view, &o);
    assert_string_equal(db(2)->facts.version, "10.11.9-MariaDB");
    assert_int_equal(db(2)->slow_mono_us, w.now + MS(5));
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
    struct observation o = answered(&w, 0, w.now, w.now, FACTS_STATUS);
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
    struct observation late = answered(&w, 1, w.now - MS(300), w.now - MS(260), FACTS_STATUS);
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
    w.now += MS(20);
    lose(&w, 1, LAYER_CONNECT, OUT_OK, MS(10)); /* connected, and given up by us */
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
        {LAYER_CONNECT, OUT_OK, false},        {LAYER_GREETING, OUT_OK, true},
        {LAYER_WRITE, OUT_OK, true},           {LAYER_COUNT, OUT_OK, false},
        {LAYER_LOGIN, OUT_DENIED, true},       {LAYER_LOGIN, OUT_TOO_MANY, true},
        {LAYER_WRITE, OUT_READ_ONLY, true},    {LAYER_GREETING, OUT_BAD_REPLY, true},
        {LAYER_RESOLVE, OUT_BAD_REPLY, false}, {LAYER_COUNT, OUT_BAD_REPLY, false},
        {LAYER_LOGIN, OUT_TIMEOUT, true},      {LAYER_QUERY, OUT_TIMEOUT, false},
        {LAYER_CONNECT, OUT_REFUSED, false},   {LAYER_GREETING, OUT_RESET, false},
        {LAYER_NONE, OUT_NONE, false},         {LAYER_NONE, OUT_COUNT, false},
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
    struct observation o = answered(&w, 1, w.now + SEC(100), w.now + SEC(100), FACTS_STATUS);
    w.facts[1].uptime_s = db(2)->facts.uptime_s + 90; /* 10 s of the 100 are missing */
    w.facts[1].ss_replica_on = TRI_NO;
    cluster_observe(&w.view, &o);
    assert_int_equal(db(2)->restarted_mono_us, w.now + SEC(100));
    assert_int_equal(db(2)->groups_known, FACTS_STATUS);
    assert_string_equal(db(2)->facts.version, "10.11.6-MariaDB"); /* learned in good times */
}

static void a_heartbeat_that_somebody_writes_is_seen_to_move(void **state)
{
    (void)state;
    see(&w, 0);
    assert_true(db(1)->canary_moved_mono_us == STAY_NEVER); /* a first look shows no movement */
    w.now += MS(500);
    w.facts[0].canary_wall_us += STAY_SECOND;
    see(&w, 0);
    int64_t moved = db(1)->canary_moved_mono_us;
    assert_true(moved != STAY_NEVER && moved >= w.now);
    w.now += MS(500);
    see(&w, 0);
    assert_int_equal(db(1)->canary_moved_mono_us, moved);
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
    struct observation o = {.kind = OBS_CANARY,
                            .node = 0,
                            .begun_mono_us = w.now,
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

/* Its session was ended and there is no place for another: nobody tried to write. */
static void a_canary_that_finds_no_place_is_no_stall(void **state)
{
    (void)state;
    static const struct {
        enum obs_outcome outcomes[3];
        bool fails;
    } rows[] = {{{OUT_RESET, OUT_RESET, OUT_TOO_MANY}, false},
                {{OUT_RESET, OUT_TOO_MANY, OUT_RESET}, true},
                {{OUT_TIMEOUT, OUT_RESET, OUT_TOO_MANY}, true},
                {{OUT_RESET, OUT_BAD_REPLY, OUT_TOO_MANY}, true}};
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        db(1)->canary_fail_mono_us = STAY_NEVER;
        db(1)->canary_cut = false;
        for (int n = 0; n < 3; n++) {
            struct observation o = {
                .kind = OBS_CANARY,
                .node = 0,
                .begun_mono_us = w.now + MS(1000 * n),
                .taken_mono_us = w.now + MS(1000 * n + 1),
                .reach = {.layer = LAYER_WRITE, .outcome = rows[i].outcomes[n]}};
            cluster_observe(&w.view, &o);
        }
        assert_int_equal(db(1)->canary_fail_mono_us != STAY_NEVER, rows[i].fails);
    }
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

/* Up to when the node holds all that the primary had; a restart may have taken of it. */
static void what_a_node_was_seen_to_hold_ends_with_its_process(void **state)
{
    (void)state;
    int64_t asked = w.now + MS(2); /* see_all reads the primary last */
    see_all(&w);
    assert_int_equal(db(2)->held_mono_us, asked);
    world_write(&w, 50);
    w.now += MS(500);
    see(&w, 0);
    assert_int_equal(db(2)->held_mono_us, asked); /* it lacks the 50 */
    w.now += SEC(5);
    w.facts[1].uptime_s = 1;
    struct observation o = answered(&w, 1, w.now, w.now + MS(1), FACTS_STATUS);
    cluster_observe(&w.view, &o);
    assert_int_equal(db(2)->held_mono_us, STAY_NEVER);
}

/* Seen on real servers: one row behind at each look, a replica never held the latest set, so it
 * counted as restarted for as long as clients wrote. */
static void a_replica_catches_up_though_the_primary_is_always_ahead(void **state)
{
    (void)state;
    see_all(&w);
    w.now += SEC(5);
    w.facts[1].uptime_s = 1;
    struct observation o = answered(&w, 1, w.now, w.now + MS(1), FACTS_STATUS);
    cluster_observe(&w.view, &o);
    assert_true(db(2)->caught_up_mono_us <= db(2)->restarted_mono_us);
    for (int i = 0; i < 3; i++) {
        struct gtid_set behind = {0};
        w.now += MS(500);
        w.facts[1].uptime_s = 2;
        gtid_set_copy(&behind, &w.facts[0].executed);
        world_write(&w, 10);
        see(&w, 0);
        gtid_set_copy(&w.facts[1].executed, &behind);
        gtid_set_clear(&behind);
        see(&w, 1);
    }
    assert_true(db(2)->caught_up_mono_us > db(2)->restarted_mono_us);
}

/* Seen on real servers: a former primary was built anew, or its restart truncated what nobody had
 * acknowledged; what it once held stayed owed, and no failover could drain it. */
static void a_restarted_server_that_caught_up_owes_nothing_of_its_life_before(void **state)
{
    (void)state;
    see_all(&w);
    set_parse(&w.facts[1].received, ENGINE_MARIADB, "0-1-100,0-2-105");
    w.now += MS(500);
    see(&w, 1);
    w.now += SEC(5);
    w.facts[1].uptime_s = 1;
    world_replicate(&w, 1);
    struct observation o = answered(&w, 1, w.now, w.now + MS(1), FACTS_STATUS);
    cluster_observe(&w.view, &o);
    assert_int_equal(db(2)->received_high.n, 2);
    w.now += MS(500);
    see(&w, 0);
    assert_true(gtid_set_equal(&db(2)->received_high, &w.facts[0].executed));
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
        T(a_replica_catches_up_though_the_primary_is_always_ahead),
        T(a_restarted_server_that_caught_up_owes_nothing_of_its_life_before),
        T(a_heartbeat_that_somebody_writes_is_seen_to_move),
        T(the_highest_received_set_survives_a_lower_one),
        T(errant_is_told_by_a_primary_read_that_began_later),
        T(answers_that_always_cross_are_compared_all_the_same),
        T(beside_a_dead_primary_foreign_transactions_are_errant_at_once),
        T(canary_runs),
        T(a_canary_that_finds_no_place_is_no_stall),
        T(facts_merge_by_group_and_clear),
        T(what_a_node_was_seen_to_hold_ends_with_its_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
