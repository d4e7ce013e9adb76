/* tests/unit/controller/decide/test_durability_barrier.c - lossless_since is set by the barrier
 * only: a set captured under semi-sync, held by enough ackers. */
#include "durability_world.h"

#include "controller/decide/durability_private.h"

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

/* What it received it may lose with its connection: received without a receiver passes nothing. */
static void what_lies_in_a_stopped_receivers_log_passes_no_barrier(void **state)
{
    (void)state;
    unset();
    (void)turn();
    world_write(&w, 10);
    w.now += MS(496);
    see(&w, 0);
    w.now += MS(2);
    (void)turn();
    assert_true(w.view.barrier_captured);
    w.now += MS(2);
    for (uint32_t i = 1; i < 3; i++) {
        gtid_set_copy(&w.facts[i].received, &w.facts[0].executed);
        w.facts[i].receiver = RECEIVER_CONNECTING; /* the primary counts them still */
        see(&w, i);
    }
    w.now += MS(2);
    (void)turn();
    assert_false(stands());
    assert_true(w.view.barrier_captured);
}

static void a_restart_under_the_barrier_arms_it_anew(void **state)
{
    (void)state;
    unset();
    (void)turn();
    w.view.nodes[0].restarted_mono_us = w.view.barrier_mono_us + 1; /* its counters are 0 again */
    assert_false(durability_barrier_step(&w.view, 6));
    assert_int_equal(w.view.barrier_mono_us, STAY_NEVER);
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

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(the_barrier_needs_three_looks),
        T(no_barrier_passes_before_an_acker_holds_it),
        T(received_counts_only_while_the_receiver_runs),
        T(counters_that_move_under_the_barrier_arm_it_anew),
        T(what_lies_in_a_stopped_receivers_log_passes_no_barrier),
        T(a_restart_under_the_barrier_arms_it_anew),
        cmocka_unit_test_setup_teardown(two_acks_need_two_holders, setup_mysql, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
