/* tests/unit/controller/decide/test_durability.c - lossless_since: it stands while nothing changes
 * and is broken by every change that is not ours. */
#include "durability_world.h"

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
    struct observation o = answered(&w, 0, w.now + MS(100), w.now + MS(101), FACTS_STATUS);
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

/* Its last word is older than its connection: nobody can say that it does not acknowledge, and the
 * acker of the other zone explains one client only. */
static void a_client_that_only_an_own_zone_replica_explains_breaks_it(void **state)
{
    (void)state;
    (void)stay_copy(w.config.nodes[1].zone, sizeof w.config.nodes[1].zone, "a");
    w.facts[1].ss_replica_on = TRI_NO;
    w.facts[1].receiver = RECEIVER_CONNECTING;
    w.facts[0].ss_clients = 1;
    next_round();
    (void)turn();
    assert_true(stands());
    w.facts[0].ss_clients = 2;
    for (int i = 0; i < 3; i++) {
        assert_true(stands());
        next_round();
        (void)turn();
    }
    assert_false(stands());
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

/* Commits that were not acknowledged, with the sessions seen at the watch's reading. */
static bool would_tell(uint64_t unacked)
{
    world_write(&w, 500);
    w.facts[0].ss_yes_tx -= unacked;
    see_all(&w);
    w.facts[0].ss_yes_tx += unacked; /* as if each try were alone */
    bool tells = durability_acks_stayed_away(&w.view);
    see_all(&w);
    return tells;
}

/* What a plan that meets the primary again asks: one reading, so twice the sessions are forgiven.
 */
static void one_reading_tells_a_plan_that_acks_stayed_away(void **state)
{
    (void)state;
    assert_false(durability_acks_stayed_away(&w.view)); /* nothing to compare with yet */
    next_round();
    (void)turn();
    uint64_t under_way = 2 * w.facts[0].connections + w.facts[0].ss_waiters;
    assert_false(would_tell(0));
    assert_false(would_tell(under_way));
    assert_true(would_tell(under_way + 1));
    w.view.watch_own_base = 0; /* a plan that touched it ended in between */
    assert_false(would_tell(under_way + 1));
}

static void a_wait_count_below_k_is_not_whole(void **state)
{
    (void)state;
    w.config.acks = 2;
    next_round();
    broken_by();
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
        T(a_client_that_only_an_own_zone_replica_explains_breaks_it),
        T(more_clients_than_known_ackers_break_it_when_they_stay),
        T(commits_that_outgrow_acks_break_it),
        T(one_reading_tells_a_plan_that_acks_stayed_away),
        cmocka_unit_test_setup_teardown(mysql_counts_groups_only_a_standstill_tells, setup_mysql,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_wait_count_below_k_is_not_whole, setup_mysql, teardown),
        T(bounded_is_not_watched),
        T(a_slow_clock_drift_slides_the_base),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
