/* tests/unit/controller/decide/test_durability_counters.c - what the watch makes of counters that
 * begin anew, of a status that fell off, and of sessions that wait. */
#include "durability_world.h"

#include "controller/decide/durability_private.h"

static void a_status_that_fell_off_by_itself_breaks_it(void **state)
{
    (void)state;
    w.facts[0].ss_source_on = TRI_NO; /* its timeout passed: enabled, and not waiting */
    next_round();
    assert_true(turn().record_changed);
    assert_false(stands());
    assert_int_equal(w.view.record.mode, MODE_LOSSLESS);
}

/* Two restarts within seconds: the births cannot be told apart, so the first one is not seen. */
static void a_read_only_primary_born_when_the_record_says_keeps_it(void **state)
{
    (void)state;
    w.view.nodes[0].restarted_mono_us = w.now;
    w.view.nodes[0].writable_mono_us = w.now - SEC(1);
    w.facts[0].read_only = w.facts[0].super_read_only = TRI_YES;
    next_round();
    (void)turn();
    assert_true(stands());
    w.facts[0].ss_no_times = 1;
    next_round();
    (void)turn();
    assert_false(stands());
}

static void nothing_stands_anew_while_a_reading_is_odd(void **state)
{
    (void)state;
    unset();
    w.facts[0].ss_clients = 3; /* one more than there are replicas */
    next_round();
    (void)turn();
    assert_int_equal(w.view.barrier_mono_us, STAY_NEVER);
    w.facts[0].ss_clients = 2;
    next_round();
    (void)turn();
    assert_int_not_equal(w.view.barrier_mono_us, STAY_NEVER);
}

static void nothing_stands_anew_while_the_primary_is_shut(void **state)
{
    (void)state;
    unset();
    w.facts[0].read_only = w.facts[0].super_read_only = TRI_YES;
    for (int i = 0; i < 4; i++) {
        next_round();
        (void)turn();
        assert_int_equal(w.view.barrier_mono_us, STAY_NEVER);
    }
    assert_false(stands());
}

static void an_acker_that_leaves_after_another_waits_for_its_own_barrier(void **state)
{
    (void)state;
    w.facts[0].ss_clients = w.facts[0].dump_peer_count = 1;
    w.facts[2].receiver = RECEIVER_CONNECTING;
    next_round();
    (void)turn();
    assert_int_equal(w.view.barrier_leavers, 4);
    int64_t armed = w.view.barrier_mono_us;
    w.facts[0].ss_clients = w.facts[0].dump_peer_count = 0;
    w.facts[1].receiver = RECEIVER_CONNECTING;
    next_round();
    (void)turn();
    assert_int_equal(w.view.barrier_leavers, 6);
    assert_true(w.view.barrier_mono_us > armed);
    assert_int_equal(w.view.record.ackers, 6);
}

/* FLUSH STATUS, or a restart in whose tail the set shrank: a new base, no alarm and no credit. */
static void counters_that_began_anew_are_a_new_base(void **state)
{
    (void)state;
    (void)turn();
    world_write(&w, 500);
    w.facts[0].ss_yes_tx = 0;
    next_round();
    (void)turn();
    assert_int_equal(w.view.watch_odd, 0);
    assert_int_equal(w.view.watch_yes_base, 0);
    assert_int_equal(w.view.watch_own_base, 600);
    set_parse(&w.facts[0].executed, ENGINE_MARIADB, "0-1-90");
    next_round();
    (void)turn();
    assert_int_equal(w.view.watch_odd, 0);
    assert_int_equal(w.view.watch_own_base, 90);
    world_write(&w, 500);
    w.facts[0].ss_yes_tx = 0;
    w.view.watch_yes_base = 9; /* seen before the flush */
    see_all(&w);
    assert_false(durability_acks_stayed_away(&w.view));
    set_parse(&w.facts[0].executed, ENGINE_MARIADB, "0-1-80");
    see_all(&w);
    assert_false(durability_acks_stayed_away(&w.view));
    w.view.primary = NO_NODE;
    assert_false(durability_acks_stayed_away(&w.view));
}

/* Numbers of another domain are nobody's to skip. */
static void another_domain_is_ahead_by_itself(void **state)
{
    (void)state;
    set_parse(&w.facts[0].executed, ENGINE_MARIADB, "0-1-100,1-2-5000");
    durability_watch_acks_anew(&w.view);
    next_round();
    (void)turn();
    assert_false(w.view.watch_skips);
}

/* A MariaDB server that becomes the primary again goes on where the other one ended: its first own
 * number skips what the other wrote, and that is nothing that would have to be acknowledged. */
static void numbers_that_skip_the_former_primarys_are_not_slow(void **state)
{
    (void)state;
    set_parse(&w.facts[0].executed, ENGINE_MARIADB, "0-1-100,0-2-5000");
    durability_watch_acks_anew(&w.view);
    next_round();
    (void)turn(); /* read before it wrote anything */
    assert_true(w.view.watch_skips);
    next_round();
    (void)turn(); /* and still nothing */
    assert_true(w.view.watch_skips);
    assert_false(durability_acks_stayed_away(&w.view));
    set_parse(&w.facts[0].executed, ENGINE_MARIADB, "0-1-5003,0-2-5000");
    w.facts[0].ss_yes_tx += 3;
    see_all(&w);
    assert_false(durability_acks_stayed_away(&w.view));
    for (int i = 0; i < 4; i++) {
        next_round();
        (void)turn();
        assert_int_equal(w.view.watch_odd, 0);
        assert_true(stands());
    }
    set_parse(&w.facts[0].executed, ENGINE_MARIADB, "0-1-9000,0-2-5000");
    next_round();
    (void)turn(); /* now they stay away */
    assert_int_equal(w.view.watch_odd, 1);
}

static void on_mysql_one_more_yes_answers_a_whole_group(void **state)
{
    (void)state;
    (void)turn();
    next_round();
    (void)turn();
    world_write(&w, 5000);
    w.facts[0].ss_yes_tx -= 4999;
    see_all(&w);
    assert_false(durability_acks_stayed_away(&w.view));
    w.facts[0].ss_yes_tx--;
    see_all(&w);
    assert_true(durability_acks_stayed_away(&w.view));
}

static void each_session_that_came_since_may_hold_one_commit(void **state)
{
    (void)state;
    (void)turn();
    next_round();
    (void)turn();
    world_write(&w, 100);
    w.facts[0].ss_yes_tx -= 100;
    see_all(&w);
    assert_true(durability_acks_stayed_away(&w.view));
    w.facts[0].connections = 60;
    see_all(&w);
    assert_false(durability_acks_stayed_away(&w.view));
}

static void who_waits_without_an_acker_lacks_one_from_now_on(void **state)
{
    (void)state;
    w.facts[0].ss_waiters = 3;
    next_round();
    (void)turn();
    w.facts[0].ss_clients = w.facts[0].dump_peer_count = 0;
    w.now += SEC(3);
    see_all(&w);
    (void)turn(); /* stuck for 3 s, but it had an acker when it was last seen */
    assert_int_equal(w.view.no_acker_since_mono_us, w.now);
}

static void a_primary_that_greets_while_acks_flow_is_not_blocked(void **state)
{
    (void)state;
    w.facts[0].ss_waiters = 2;
    next_round();
    lose(&w, 0, LAYER_LOGIN, OUT_TIMEOUT, MS(10));
    assert_false(durability_is_blocked(&w.view));
    w.view.nodes[0].facts.ss_clients = 0; /* its last word: nobody acknowledges */
    assert_true(durability_is_blocked(&w.view));
    w.view.primary = NO_NODE;
    assert_false(durability_is_blocked(&w.view));
}

/* One step of a barrier under way: armed at the last look, captured. */
static void arm(void)
{
    unset();
    (void)turn();
    next_round();
    w.now += MS(2);
}

static void a_toggle_or_a_restart_under_the_barrier_ends_it(void **state)
{
    (void)state;
    arm();
    w.view.nodes[0].facts.ss_no_times++;
    assert_false(durability_barrier_step(&w.view, 6));
    assert_int_equal(w.view.barrier_mono_us, STAY_NEVER);
    arm();
    w.view.nodes[0].facts.ss_no_tx++;
    assert_false(durability_barrier_step(&w.view, 6));
    assert_int_equal(w.view.barrier_mono_us, STAY_NEVER);
    arm();
    w.view.nodes[0].restarted_mono_us = w.now;
    assert_false(durability_barrier_step(&w.view, 6));
    assert_int_equal(w.view.barrier_mono_us, STAY_NEVER);
}

static void a_leaver_that_is_back_ends_its_barrier(void **state)
{
    (void)state;
    arm();
    w.view.barrier_leavers = 4;
    assert_false(durability_barrier_step(&w.view, 6));
    assert_int_equal(w.view.barrier_mono_us, STAY_NEVER);
}

/* The settings refuse 0; a recording may bring it. */
static void asking_for_no_acknowledgement_promises_nothing(void **state)
{
    (void)state;
    w.config.acks = 0;
    w.facts[0].ss_clients = w.facts[0].dump_peer_count = 0;
    w.facts[0].ss_waiters = 1;
    arm();
    assert_false(durability_barrier_step(&w.view, 0));
    (void)turn();
    assert_int_not_equal(w.view.no_acker_since_mono_us, STAY_NEVER);
    lose(&w, 0, LAYER_LOGIN, OUT_TIMEOUT, MS(10));
    assert_true(durability_is_blocked(&w.view));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_status_that_fell_off_by_itself_breaks_it),
        T(a_read_only_primary_born_when_the_record_says_keeps_it),
        T(nothing_stands_anew_while_a_reading_is_odd),
        T(nothing_stands_anew_while_the_primary_is_shut),
        T(an_acker_that_leaves_after_another_waits_for_its_own_barrier),
        T(counters_that_began_anew_are_a_new_base),
        T(another_domain_is_ahead_by_itself),
        T(numbers_that_skip_the_former_primarys_are_not_slow),
        cmocka_unit_test_setup_teardown(on_mysql_one_more_yes_answers_a_whole_group, setup_mysql,
                                        teardown),
        T(each_session_that_came_since_may_hold_one_commit),
        T(who_waits_without_an_acker_lacks_one_from_now_on),
        T(a_primary_that_greets_while_acks_flow_is_not_blocked),
        T(a_toggle_or_a_restart_under_the_barrier_ends_it),
        T(a_leaver_that_is_back_ends_its_barrier),
        T(asking_for_no_acknowledgement_promises_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
