/* tests/unit/controller/decide/test_durability.c - lossless_since: set by the barrier only,
 * broken by every change that is not ours, and A: who enters it at once, who leaves it and when. */
#include "view_fixture.h"

static struct world w;

static int setup(void **state)
{
    (void)state;
    world_init(&w, ENGINE_MARIADB);
    healthy(&w, 3);
    return 0;
}

static int setup_mysql(void **state)
{
    (void)state;
    world_init(&w, ENGINE_MYSQL);
    healthy(&w, 3);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    world_clear(&w);
    return 0;
}

/* A turn whose record is stored at once. */
static struct decision turn(void)
{
    struct decision d = judge(&w);
    if (d.record_changed)
        cluster_set_record(&w.view, &d.record);
    return d;
}

static void next_round(void)
{
    w.now += MS(496);
    see_all(&w);
}

static bool stands(void)
{
    return w.view.record.lossless_stands;
}

static void unset(void)
{
    struct cluster_record record = w.view.record;
    record.lossless_stands = false;
    record.ackers = 0;
    cluster_set_record(&w.view, &record);
}

static void it_stands_while_nothing_changes(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        world_write(&w, 50);
        next_round();
        assert_false(turn().record_changed);
    }
    assert_true(stands());
    assert_int_equal(w.view.record.ackers, 6);
}

static void a_restarted_controller_keeps_it(void **state)
{
    (void)state;
    struct cluster_record record = w.view.record;
    cluster_clear(&w.view);
    cluster_init(&w.view, &w.config);
    cluster_set_record(&w.view, &record);
    healthy(&w, 3);
    assert_false(turn().record_changed);
    assert_true(stands());
}

static void broken_by(void)
{
    struct decision d = turn();
    assert_true(d.record_changed);
    assert_false(stands());
}

static void a_restart_of_the_primary_breaks_it(void **state)
{
    (void)state;
    w.now += SEC(20);
    see_all(&w);
    w.view.record.watch_uptime_base_s -= 60;
    broken_by();
}

static void a_restart_that_was_seen_breaks_it(void **state)
{
    (void)state;
    next_round();
    w.now += MS(496);
    see_all(&w);
    struct server_facts *f = &w.facts[0];
    struct observation o = {.kind = OBS_REACH, .node = 0, .begun_mono_us = w.now + MS(100),
                            .taken_mono_us = w.now + MS(101),
                            .reach = {.layer = LAYER_QUERY, .outcome = OUT_OK},
                            .groups = FACTS_STATUS, .facts = f};
    f->uptime_s = 0;
    cluster_observe(&w.view, &o);
    w.now += MS(102);
    assert_int_not_equal(w.view.nodes[0].restarted_mono_us, STAY_NEVER);
    assert_int_equal(w.view.nodes[0].groups_known, FACTS_STATUS);
    broken_by();
}

static void semi_sync_toggled_behind_our_back_breaks_it(void **state)
{
    (void)state;
    w.facts[0].ss_no_times = 1; /* off and on again around an insert: status ON, no-ack 0 */
    next_round();
    broken_by();
}

static void an_unacknowledged_commit_breaks_it(void **state)
{
    (void)state;
    w.facts[0].ss_no_tx = 1;
    next_round();
    broken_by();
}

static void a_finite_timeout_breaks_it_and_is_not_called_lossless(void **state)
{
    (void)state;
    w.facts[0].ss_timeout_ms = 10000;
    next_round();
    broken_by();
    assert_int_equal(w.view.record.mode, MODE_BOUNDED);
}

static void a_source_role_switched_off_is_not_called_lossless(void **state)
{
    (void)state;
    w.facts[0].ss_source_enabled = w.facts[0].ss_source_on = TRI_NO;
    next_round();
    broken_by();
    assert_int_equal(w.view.record.mode, MODE_BOUNDED);
}

static void a_read_only_primary_keeps_the_mode(void **state)
{
    (void)state;
    w.facts[0].ss_source_enabled = w.facts[0].ss_source_on = TRI_NO;
    w.facts[0].read_only = TRI_YES;
    next_round();
    broken_by();
    assert_int_equal(w.view.record.mode, MODE_LOSSLESS);
}

static void a_stranger_among_dump_threads_breaks_it(void **state)
{
    (void)state;
    (void)stay_copy(w.facts[0].dump_peers[2].host, 64, "10.0.0.99");
    w.facts[0].dump_peer_count = 3;
    next_round();
    broken_by();
    next_round();
    (void)turn();
    assert_false(stands());
}

static void an_acker_of_the_own_zone_breaks_it(void **state)
{
    (void)state;
    (void)stay_copy(w.config.nodes[1].zone, sizeof w.config.nodes[1].zone, "a");
    next_round();
    broken_by();
}

static void an_own_zone_replica_that_does_not_ack_is_fine(void **state)
{
    (void)state;
    (void)stay_copy(w.config.nodes[1].zone, sizeof w.config.nodes[1].zone, "a");
    w.facts[1].ss_replica_on = TRI_NO; /* the variable may say what it likes */
    w.facts[0].ss_clients = 1;
    next_round();
    (void)turn();
    assert_true(stands());
}

static void more_clients_than_known_ackers_break_it_when_they_stay(void **state)
{
    (void)state;
    w.facts[0].ss_clients = 3;
    next_round();
    assert_false(turn().record_changed); /* status is not read at one instant */
    assert_false(turn().record_changed); /* the same reading counts once */
    next_round();
    assert_false(turn().record_changed);
    next_round();
    broken_by();
}

static void commits_that_outgrow_acks_break_it(void **state)
{
    (void)state;
    (void)turn();
    world_write(&w, 500);
    w.facts[0].ss_yes_tx -= 100; /* 100 went on without a yes, more than there are sessions */
    for (int i = 0; i < 3; i++) {
        assert_true(stands());
        next_round();
        (void)turn();
    }
    assert_false(stands());
}

static void mysql_counts_groups_only_a_standstill_tells(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        world_write(&w, 500);
        w.facts[0].ss_yes_tx -= 400; /* one yes for a group of commits */
        next_round();
        (void)turn();
    }
    assert_true(stands());
    for (int i = 0; i < 3; i++) {
        world_write(&w, 500);
        w.facts[0].ss_yes_tx -= 500;
        next_round();
        (void)turn();
    }
    assert_false(stands());
}

static void the_barrier_needs_three_looks(void **state)
{
    (void)state;
    unset();
    assert_true(turn().record_changed); /* A: they may acknowledge already */
    assert_int_equal(w.view.record.ackers, 6);
    assert_false(stands());
    world_write(&w, 10);
    w.now += MS(496);
    see(&w, 0);
    w.now += MS(2);
    (void)turn();
    assert_false(stands()); /* captured now; the replicas were read before */
    next_round();
    (void)turn();
    assert_true(stands());
    assert_int_equal(w.view.record.ackers, 6);
    assert_int_equal(w.view.barrier_mono_us, STAY_NEVER);
    assert_int_equal(w.view.record.watch_uptime_base_s, WALL0 / STAY_SECOND - 5000);
}

static void no_barrier_passes_before_an_acker_holds_it(void **state)
{
    (void)state;
    unset();
    for (int i = 0; i < 5; i++) {
        world_write(&w, 10);
        w.now += MS(496);
        see(&w, 1);
        see(&w, 2); /* received stays at 100 */
        w.now += MS(2);
        see(&w, 0);
        w.now += MS(2);
        (void)turn();
        assert_false(stands());
    }
    next_round();
    (void)turn();
    assert_true(stands());
}

static void received_counts_only_while_the_receiver_runs(void **state)
{
    (void)state;
    unset();
    (void)turn();
    world_write(&w, 10);
    w.now += MS(496);
    see(&w, 0);
    w.now += MS(2);
    (void)turn(); /* captured: 110 */
    assert_true(w.view.barrier_captured);
    gtid_set_copy(&w.facts[1].received, &w.facts[0].executed); /* received, not applied */
    see(&w, 1);
    w.now += MS(2);
    (void)turn();
    assert_true(stands());
}

static void counters_that_move_under_the_barrier_arm_it_anew(void **state)
{
    (void)state;
    unset();
    (void)turn();
    int64_t armed = w.view.barrier_mono_us;
    w.facts[0].ss_no_times = 1;
    next_round();
    (void)turn();
    assert_false(stands());
    next_round();
    (void)turn();
    assert_int_not_equal(w.view.barrier_mono_us, armed);
    next_round();
    (void)turn();
    next_round();
    (void)turn();
    assert_true(stands());
    assert_int_equal(w.view.record.watch_no_times, 1);
}

static void two_acks_need_two_holders(void **state)
{
    (void)state;
    w.config.acks = 2;
    w.facts[0].ss_wait_count = 2;
    next_round();
    unset();
    (void)turn();
    world_write(&w, 10);
    w.now += MS(496);
    see(&w, 0);
    w.now += MS(2);
    (void)turn();
    world_replicate(&w, 1);
    see(&w, 1);
    w.now += MS(2);
    (void)turn();
    assert_false(stands());
    world_replicate(&w, 2);
    see(&w, 2);
    w.now += MS(2);
    (void)turn();
    assert_true(stands());
}

static void a_wait_count_below_k_is_not_whole(void **state)
{
    (void)state;
    w.config.acks = 2;
    next_round();
    broken_by();
}

static void detach_db3(void)
{
    w.facts[0].ss_clients = 1;
    w.facts[0].dump_peer_count = 1;
    w.facts[2].receiver = RECEIVER_CONNECTING;
}

static void an_acker_that_left_stays_in_a_until_the_others_hold_a_later_set(void **state)
{
    (void)state;
    detach_db3();
    w.now += MS(496);
    see(&w, 0);
    see(&w, 2);
    w.now += MS(2);
    (void)turn(); /* armed */
    assert_int_equal(w.view.record.ackers, 6);
    world_write(&w, 5);
    w.now += MS(496);
    see(&w, 0);
    w.now += MS(2);
    (void)turn(); /* captured, db2 does not hold it yet */
    assert_int_equal(w.view.record.ackers, 6);
    world_replicate(&w, 1);
    see(&w, 1);
    w.now += MS(2);
    (void)turn();
    assert_int_equal(w.view.record.ackers, 2);
    assert_int_equal(w.view.ackers_seen, 2);
    assert_true(stands());
}

static void an_acker_that_comes_back_in_time_never_left(void **state)
{
    (void)state;
    detach_db3();
    w.now += MS(496);
    see(&w, 0);
    see(&w, 2);
    w.now += MS(2);
    (void)turn();
    w.facts[0].ss_clients = 2;
    w.facts[0].dump_peer_count = 2;
    w.facts[2].receiver = RECEIVER_RUNNING;
    next_round();
    (void)turn();
    next_round();
    (void)turn();
    assert_int_equal(w.view.record.ackers, 6);
    assert_int_equal(w.view.barrier_mono_us, STAY_NEVER);
}

static void the_last_acker_never_leaves_a(void **state)
{
    (void)state;
    w.facts[0].ss_clients = 0;
    w.facts[0].dump_peer_count = 0;
    w.facts[1].receiver = w.facts[2].receiver = RECEIVER_CONNECTING;
    for (int i = 0; i < 8; i++) {
        next_round();
        (void)turn();
    }
    assert_int_equal(w.view.record.ackers, 6);
    assert_true(stands()); /* blocked, not broken */
}

static void a_new_acker_enters_at_once(void **state)
{
    (void)state;
    w.view.record.ackers = 2;
    next_round();
    assert_true(turn().record_changed);
    assert_int_equal(w.view.record.ackers, 6);
}

static void no_acker_for_five_seconds_degrades_by_policy(void **state)
{
    (void)state;
    w.facts[0].ss_clients = 0;
    w.facts[0].ss_waiters = 2;
    struct decision d = {0};
    for (int i = 0; i < 9; i++) {
        next_round();
        d = turn();
        assert_int_not_equal(d.want, PLAN_MODE_DEGRADE);
    }
    assert_int_equal(d.verdict.rule_id, 123);
    for (int i = 0; i < 3; i++) {
        next_round();
        d = turn();
    }
    assert_int_equal(d.verdict.rule_id, 123);
    assert_int_equal(d.want, PLAN_MODE_DEGRADE);
    assert_int_equal(d.params.node, 0);
    w.config.without_acker = WITHOUT_ACKER_BLOCK;
    d = turn();
    assert_int_equal(d.want, PLAN_NONE);
}

static void an_idle_primary_without_acker_is_127(void **state)
{
    (void)state;
    w.facts[0].ss_clients = 0;
    struct decision d = {0};
    for (int i = 0; i < 12; i++) {
        next_round();
        d = turn();
    }
    assert_int_equal(d.verdict.rule_id, 127);
    assert_int_equal(d.want, PLAN_MODE_DEGRADE);
}

static void a_connected_acker_that_stopped_acking_counts_as_none(void **state)
{
    (void)state;
    w.facts[0].ss_waiters = 3; /* and yes-acks stand still: its disk, or a dead host's connection */
    struct decision d = {0};
    for (int i = 0; i < 14; i++) {
        next_round();
        d = turn();
    }
    assert_int_equal(d.verdict.rule_id, 123);
    assert_int_equal(d.want, PLAN_MODE_DEGRADE);
    w.facts[0].ss_waiters = 3;
    world_write(&w, 1); /* acks flow again, though somebody always waits */
    next_round();
    d = turn();
    assert_int_equal(d.verdict.rule_id, 100);
}

static void a_silent_primary_never_degrades(void **state)
{
    (void)state;
    w.facts[0].ss_clients = 0;
    next_round();
    (void)turn();
    assert_int_not_equal(w.view.no_acker_since_mono_us, STAY_NEVER);
    for (int i = 0; i < 80; i++) {
        w.now += MS(100);
        lose(&w, 0, LAYER_GREETING, OUT_TIMEOUT, MS(1000));
        assert_int_not_equal(turn().want, PLAN_MODE_DEGRADE);
    }
    assert_int_equal(w.view.no_acker_since_mono_us, STAY_NEVER);
}

static void bounded_is_not_watched(void **state)
{
    (void)state;
    w.view.record.mode = MODE_BOUNDED;
    w.facts[0].ss_no_tx = 77;
    next_round();
    assert_false(turn().record_changed);
}

static void a_slow_clock_drift_slides_the_base(void **state)
{
    (void)state;
    w.view.record.watch_uptime_base_s -= 4;
    next_round();
    assert_true(turn().record_changed);
    assert_true(stands());
    assert_int_equal(w.view.record.watch_uptime_base_s, WALL0 / STAY_SECOND - 5000);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(it_stands_while_nothing_changes),
        T(a_restarted_controller_keeps_it),
        T(a_restart_of_the_primary_breaks_it),
        T(a_restart_that_was_seen_breaks_it),
        T(semi_sync_toggled_behind_our_back_breaks_it),
        T(an_unacknowledged_commit_breaks_it),
        T(a_finite_timeout_breaks_it_and_is_not_called_lossless),
        T(a_source_role_switched_off_is_not_called_lossless),
        T(a_read_only_primary_keeps_the_mode),
        T(a_stranger_among_dump_threads_breaks_it),
        T(an_acker_of_the_own_zone_breaks_it),
        T(an_own_zone_replica_that_does_not_ack_is_fine),
        T(more_clients_than_known_ackers_break_it_when_they_stay),
        T(commits_that_outgrow_acks_break_it),
        cmocka_unit_test_setup_teardown(mysql_counts_groups_only_a_standstill_tells, setup_mysql,
                                        teardown),
        T(the_barrier_needs_three_looks),
        T(no_barrier_passes_before_an_acker_holds_it),
        T(received_counts_only_while_the_receiver_runs),
        T(counters_that_move_under_the_barrier_arm_it_anew),
        cmocka_unit_test_setup_teardown(two_acks_need_two_holders, setup_mysql, teardown),
        cmocka_unit_test_setup_teardown(a_wait_count_below_k_is_not_whole, setup_mysql, teardown),
        T(an_acker_that_left_stays_in_a_until_the_others_hold_a_later_set),
        T(an_acker_that_comes_back_in_time_never_left),
        T(the_last_acker_never_leaves_a),
        T(a_new_acker_enters_at_once),
        T(no_acker_for_five_seconds_degrades_by_policy),
        T(an_idle_primary_without_acker_is_127),
        T(a_connected_acker_that_stopped_acking_counts_as_none),
        T(a_silent_primary_never_degrades),
        T(bounded_is_not_watched),
        T(a_slow_clock_drift_slides_the_base),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
