/* tests/unit/controller/decide/test_cluster_births.c - an acker that restarted while no controller
 * looked is told by the birth of its process, which the record keeps. */
#include "controller/decide/cluster_births.h"
#include "controller/decide/plan_json_private.h"
#include "controller/decide/plan_private.h"
#include "durability_world.h"

static int64_t born_s(void)
{
    return WALL0 / STAY_SECOND - 5000; /* of every server of the fixture */
}

/* The next controller, `later_s` after the one before it was killed: it knows the record alone. */
static void next_controller(int64_t later_s)
{
    struct cluster_record record = w.view.record;
    w.now += SEC(later_s);
    cluster_clear(&w.view);
    cluster_init(&w.view, &w.config);
    cluster_set_record(&w.view, &record);
    lose(&w, 0, LAYER_CONNECT, OUT_REFUSED, MS(0)); /* the primary is dead by now */
}

static void see_process(uint32_t node, uint64_t uptime_s)
{
    w.facts[node].uptime_s = uptime_s;
    w.facts[node].receiver = RECEIVER_CONNECTING;
    struct observation o = answered(&w, node, w.now, w.now + MS(1), FACTS_ALL);
    cluster_observe(&w.view, &o);
}

static uint64_t uptime_now(void)
{
    return 5000 + (uint64_t)((w.now - T0) / STAY_SECOND);
}

/* The nodes that a failover begun now takes to lack nothing they acknowledged. */
static uint32_t sound_now(void)
{
    struct plan_params params = {.node = NO_NODE, .accept_loss = true, .reason = "test"};
    struct plan_run *run = stay_calloc(1, sizeof *run);
    struct stay_error err = {0};
    w.now += MS(2);
    (void)turn();
    if (plan_start(run, PLAN_FAILOVER, &params, &w.view, w.now, wall_of(&w), &err) != STAY_OK)
        fail_msg("start: %s", err.text);
    uint32_t sound = run->sound;
    plan_run_clear(run);
    free(run);
    return sound;
}

static void births_of_ackers_that_lack_nothing_are_noted(void **state)
{
    (void)state;
    w.view.record.born_known = 0;
    w.view.record.births_kept = false;
    next_round();
    assert_true(turn().record_changed);
    assert_true(w.view.record.births_kept);
    assert_int_equal(w.view.record.born_known, 6);
    assert_in_range(w.view.record.born_wall_s[1] - born_s() + 2, 0, 4);
    next_round();
    assert_false(turn().record_changed); /* once */
    w.view.record.ackers = w.view.ackers_seen = 2;
    w.facts[0].ss_clients = w.facts[0].dump_peer_count = 1;
    next_round();
    (void)turn();
    assert_int_equal(w.view.record.born_known, 2); /* who left A is not spoken for */
}

/* The finding: it restarted, threw its relay log away, and was an hour old when somebody looked. */
static void a_restart_that_nobody_saw_is_told_by_the_birth(void **state)
{
    (void)state;
    next_round();
    (void)turn();
    next_controller(4000);
    see_process(1, 3600);
    see_process(2, uptime_now());
    assert_int_equal(sound_now(), 4);
    assert_true(w.view.nodes[1].restarted_mono_us != STAY_NEVER);
    assert_int_equal(w.view.record.restarted, 2);
    next_controller(100); /* and by the next one: it did not catch up, the primary is dead */
    see_process(1, 3700);
    see_process(2, uptime_now());
    assert_int_equal(sound_now(), 4);
}

/* Every server of a fresh cluster is young: that alone is no restart. */
static void a_young_process_that_is_recorded_lost_nothing(void **state)
{
    (void)state;
    next_round();
    (void)turn();
    next_controller(20);
    w.view.record.born_wall_s[1] = wall_of(&w) / STAY_SECOND - 30;
    see_process(1, 30);
    see_process(2, 30); /* of this one another process is recorded */
    assert_int_equal(sound_now(), 2);
    assert_false(w.view.nodes[1].idle_life);
}

static void clocks_may_differ_by_seconds(void **state)
{
    (void)state;
    static const struct {
        int64_t off_s;
        bool sound;
    } cases[] = {{-6, false}, {-4, true}, {0, true}, {4, true}, {6, false}, {3600, false}};
    next_round();
    (void)turn();
    struct cluster_record record = w.view.record;
    for (size_t i = 0; i < STAY_COUNT(cases); i++) {
        cluster_set_record(&w.view, &record);
        next_controller(100);
        uint64_t uptime_s = (uint64_t)(wall_of(&w) / STAY_SECOND - record.born_wall_s[1]);
        see_process(1, (uint64_t)((int64_t)uptime_s + cases[i].off_s));
        see_process(2, uptime_now());
        assert_int_equal(sound_now(), cases[i].sound ? 6 : 4);
    }
}

/* Simulator seed 771401768: it threw its relay log away under a standing applier, both were mended
 * while no controller looked, and the primary came back without its tail. */
static void who_threw_its_relay_log_away_is_not_spoken_for(void **state)
{
    (void)state;
    w.config.engine = ENGINE_MARIADB;
    next_round();
    (void)turn();
    assert_int_equal(w.view.record.born_known, 6);
    w.facts[1].applier = TRI_NO;
    w.facts[1].receiver = RECEIVER_STOPPED;
    lose(&w, 0, LAYER_CONNECT, OUT_REFUSED, MS(0));
    struct observation o = answered(&w, 1, w.now, w.now + MS(1), FACTS_ALL);
    cluster_observe(&w.view, &o);
    w.now += MS(2);
    assert_true(turn().record_changed);
    assert_int_equal(w.view.record.born_known, 4);
    w.facts[1].applier = TRI_YES;
    next_controller(10);
    see_process(1, uptime_now());
    see_process(2, uptime_now());
    assert_int_equal(sound_now(), 4);
}

static void a_record_of_an_older_version_tells_nothing(void **state)
{
    (void)state;
    w.view.record.born_known = 0;
    w.view.record.births_kept = false;
    next_controller(100);
    see_process(1, 3600);
    see_process(2, 30);
    assert_int_equal(sound_now(), 2); /* young: it may have restarted; the other: as before */
}

/* Its birth was never noted, others' were: it came to A a moment before the controller died. */
static void an_acker_nobody_spoke_for_may_have_restarted(void **state)
{
    (void)state;
    next_round();
    (void)turn();
    w.view.record.born_known = 2;
    next_controller(100);
    see_process(1, uptime_now());
    see_process(2, uptime_now());
    assert_int_equal(sound_now(), 2);
}

/* One that dies and comes back within seconds must not pass for the process that was noted. */
static void a_process_younger_than_the_tolerance_is_not_noted(void **state)
{
    (void)state;
    (void)turn();
    w.view.record.born_known = 0;
    w.now += MS(400);
    see_all(&w);
    w.facts[1].uptime_s = 7;
    w.view.nodes[1].facts.uptime_s = 7;
    (void)turn();
    assert_int_equal(w.view.record.born_known, 4);
    w.view.nodes[1].facts.uptime_s = 8;
    (void)turn();
    assert_int_equal(w.view.record.born_known, 6);
}

static void the_record_is_read_back_with_and_without_births(void **state)
{
    (void)state;
    struct cluster_record back = {0};
    struct stay_error err = {0};
    next_round();
    (void)turn();
    json_t *json = cluster_record_to_json(&w.view.record, &w.config);
    assert_int_equal(cluster_record_from_json(json, &w.config, &back, &err), STAY_OK);
    assert_true(back.births_kept);
    assert_int_equal(back.born_known, 6);
    assert_int_equal(back.born_wall_s[2], w.view.record.born_wall_s[2]);
    json_object_del(json, "born");
    assert_int_equal(cluster_record_from_json(json, &w.config, &back, &err), STAY_OK);
    assert_false(back.births_kept);
    assert_int_equal(back.born_known, 0);
    json_object_set_new(json, "born", json_integer(3));
    assert_int_equal(cluster_record_from_json(json, &w.config, &back, &err), STAY_EINVALID);
    json_decref(json);
    struct decision_turn turn = {.view = &w.view, .now_mono_us = w.now, .now_wall_us = wall_of(&w)};
    char *text = decision_input_text(&turn);
    assert_non_null(strstr(text, "\nbirths_kept=yes\n"));
    assert_non_null(strstr(text, "\nborn=16"));
    free(text);
}

/* The old primary becomes an acker with the record of a switchover: nobody lost anything. */
static void a_switchover_speaks_for_the_old_primary(void **state)
{
    (void)state;
    struct plan_run *run = stay_calloc(1, sizeof *run);
    next_round();
    (void)turn();
    run->kind = PLAN_SWITCHOVER;
    run->fenced = true;
    run->candidate = 1;
    run->attached = 5;
    run->freeze_uptime_s[0] = w.view.nodes[0].facts.uptime_s;
    run->freeze_mono_us[0] = w.view.nodes[0].facts_mono_us;
    struct cluster_record record = w.view.record;
    uint32_t row = plan_row_of(PLAN_SWITCHOVER, STEP_COMMIT);
    plan_change_record(run, &w.view, row, wall_of(&w), &record);
    assert_int_equal(record.born_known & 5, 5);
    record = w.view.record;
    run->restarted = 1;
    plan_change_record(run, &w.view, row, wall_of(&w), &record);
    assert_int_equal(record.born_known & 5, 4);
    free(run);
}

/* Seeds 300087187, 300040793: it died in the first seconds of its life, and its successor's uptime
 * is no lower than its own was. That nobody listened in between, or that the session ended, tells.
 */
static void a_young_process_that_was_seen_to_end_is_told_from_its_successor(void **state)
{
    (void)state;
    for (int how = 0; how < 4; how++) {
        see_process(1, 0);
        w.view.nodes[1].restarted_mono_us = STAY_NEVER;
        w.now += MS(400);
        if (how == 1)
            lose(&w, 1, LAYER_CONNECT, OUT_REFUSED, MS(0));
        if (how >= 2)
            session_end(&w, 1);
        w.now += MS(400);
        see_process(1, how == 3 ? 1 : 0); /* 3: it began before that session ended */
        assert_int_equal(w.view.nodes[1].restarted_mono_us != STAY_NEVER, how == 1 || how == 2);
        w.now += SEC(5);
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(births_of_ackers_that_lack_nothing_are_noted),
        T(a_restart_that_nobody_saw_is_told_by_the_birth),
        T(a_young_process_that_is_recorded_lost_nothing),
        T(clocks_may_differ_by_seconds),
        T(who_threw_its_relay_log_away_is_not_spoken_for),
        T(a_record_of_an_older_version_tells_nothing),
        T(an_acker_nobody_spoke_for_may_have_restarted),
        T(a_process_younger_than_the_tolerance_is_not_noted),
        T(the_record_is_read_back_with_and_without_births),
        T(a_switchover_speaks_for_the_old_primary),
        T(a_young_process_that_was_seen_to_end_is_told_from_its_successor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
