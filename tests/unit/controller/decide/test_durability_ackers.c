/* tests/unit/controller/decide/test_durability_ackers.c - A: who enters it at once, who leaves it
 * and when; what follows when nobody acknowledges any more. */
#include "durability_world.h"

static void detach_db3(void)
{
    w.facts[0].ss_clients = 1;
    w.facts[0].dump_peer_count = 1;
    w.facts[2].receiver = RECEIVER_CONNECTING;
}

/* db1 and db3 have said so; the watch is armed. */
static void db3_is_seen_detached(void)
{
    detach_db3();
    w.now += MS(496);
    see(&w, 0);
    see(&w, 2);
    w.now += MS(2);
    (void)turn();
}

static void an_acker_that_left_stays_in_a_until_the_others_hold_a_later_set(void **state)
{
    (void)state;
    db3_is_seen_detached();
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
    db3_is_seen_detached();
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

/* A new controller hears from the primary first: whoever is connected may acknowledge, until it
 * says that it does not. It never came into the record, and leaves A all the same. */
static void one_that_was_only_taken_for_an_acker_leaves_a(void **state)
{
    (void)state;
    struct cluster_record record = w.view.record;
    (void)stay_copy(w.config.nodes[2].zone, sizeof w.config.nodes[2].zone, "a");
    w.facts[2].ss_replica_on = TRI_NO;
    w.facts[0].ss_clients = 1; /* two dump threads, one of an acker */
    record.ackers = 2;
    cluster_clear(&w.view);
    cluster_init(&w.view, &w.config);
    cluster_set_record(&w.view, &record);
    w.now += MS(496);
    see(&w, 0);
    assert_int_equal(w.view.ackers_seen, 6);
    see(&w, 1);
    see(&w, 2);
    for (int i = 0; i < 4; i++) {
        w.now += MS(2);
        (void)turn();
        next_round();
    }
    assert_int_equal(w.view.record.ackers, 2);
    assert_int_equal(w.view.ackers_seen, 2);
    assert_true(stands());
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
    assert_int_equal(d.want, PLAN_REPAIR_ACKER); /* and never in the weaker mode */
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

/* The primary was asked at `asked` and died; db3's word that it lost it is `first` or comes later.
 */
static void primary_answers_late(int64_t asked, bool first)
{
    w.now = asked + MS(1);
    w.facts[2].receiver = RECEIVER_CONNECTING;
    if (first)
        see(&w, 2);
    w.now += MS(2);
    w.facts[0].uptime_s = 5000 + (uint64_t)((asked - T0) / STAY_SECOND);
    struct observation o = answered(&w, 0, asked, w.now, FACTS_STATUS);
    cluster_observe(&w.view, &o);
    if (!first)
        see(&w, 2);
    w.now += MS(2);
}

/* Seen: an own-zone replica that never acknowledged entered A so, and MySQL's exception for orderly
 * shutdowns then held for ever: a killed primary was not replaced. */
static void losing_the_primary_first_makes_no_acker_of_one_that_never_was(void **state)
{
    (void)state;
    for (int first = 0; first < 2; first++) {
        w.facts[0].ss_clients = 1;
        w.facts[2].ss_replica_enabled = w.facts[2].ss_replica_on = TRI_NO;
        w.facts[2].receiver = RECEIVER_RUNNING;
        w.view.record.ackers = w.view.ackers_seen = 2;
        w.now += MS(400);
        see_all(&w);
        primary_answers_late(w.now + MS(400), first != 0);
        assert_int_equal(cluster_ackers_possible(&w.view), 2);
        assert_int_equal(w.view.ackers_seen, 2);
        w.facts[0].ss_clients = 2; /* one more than the others: it came back as an acker */
        w.facts[2].receiver = RECEIVER_RUNNING;
        see(&w, 2);
        primary_answers_late(w.now + MS(400), first != 0);
        assert_int_equal(cluster_ackers_possible(&w.view), 6);
    }
}

static void an_acker_whose_loss_overtook_the_primarys_answer_acknowledged(void **state)
{
    (void)state;
    w.now += MS(400);
    see_all(&w);
    primary_answers_late(w.now + MS(400), true);
    assert_int_equal(w.view.nodes[2].acker_seen_mono_us, w.view.nodes[0].facts_mono_us);
    assert_int_equal(cluster_ackers_now(&w.view, NULL), 2);
    primary_answers_late(w.now + SEC(2), true); /* lost long before it was asked */
    assert_true(w.view.nodes[2].acker_seen_mono_us < w.view.nodes[0].facts_mono_us);
}

/* Seed 300004568: attached by a plan after the primary was asked last, it acknowledged; the barrier
 * that was passed a moment later knew nothing of it. */
static void who_was_just_attached_is_in_a_when_lossless_begins_to_stand(void **state)
{
    (void)state;
    detach_db3();
    unset();
    next_round();
    (void)turn(); /* armed */
    next_round();
    struct cluster_record record = w.view.record;
    record.ackers |= 4; /* a plan's intent */
    cluster_set_record(&w.view, &record);
    cluster_node_changed(&w.view, 2, w.now);
    for (int i = 0; i < 3 && !stands(); i++) {
        w.now += MS(2);
        see(&w, 1);
        (void)turn();
    }
    assert_true(stands());
    assert_int_equal(w.view.record.ackers, 6);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(an_acker_that_left_stays_in_a_until_the_others_hold_a_later_set),
        T(an_acker_that_comes_back_in_time_never_left),
        T(the_last_acker_never_leaves_a),
        T(a_new_acker_enters_at_once),
        T(one_that_was_only_taken_for_an_acker_leaves_a),
        T(no_acker_for_five_seconds_degrades_by_policy),
        T(an_idle_primary_without_acker_is_127),
        T(a_connected_acker_that_stopped_acking_counts_as_none),
        T(a_silent_primary_never_degrades),
        T(losing_the_primary_first_makes_no_acker_of_one_that_never_was),
        T(an_acker_whose_loss_overtook_the_primarys_answer_acknowledged),
        T(who_was_just_attached_is_in_a_when_lossless_begins_to_stand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
