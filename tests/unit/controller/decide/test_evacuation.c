/* tests/unit/controller/decide/test_evacuation.c - a zone is emptied before its power goes: one
 * cluster after another, each once, what cannot go is named, and the first that fails stops the
 * others (failover.md 6, zone evacuation). */
#include "decide_world.h"

#include "controller/decide/evacuation.h"

static const struct evacuation order = {.zone = "a", .since_wall_us = WALL0, .at_once = 1};
static struct decision last;
static struct evacuation_cluster told;

static enum evacuation_state stands(const struct plan_run *run)
{
    last = judge_with(run, NULL);
    evacuation_judge(&w.view, run, &last, &order, w.now, wall_of(&w), &told);
    return told.state;
}

static void a_well_cluster_is_due_and_says_where_it_goes(void **state)
{
    (void)state;
    assert_int_equal(stands(NULL), EVACUATION_DUE);
    assert_int_equal(told.to, 1);
    assert_int_equal(told.steady, 1); /* db3, in zone c */
    assert_int_equal(evacuation_nodes(&w.config, "a"), 1);
    const struct evacuation two[] = {order, {.zone = "c"}};
    assert_int_equal(evacuation_mask(&w.config, two, 2), 5);
}

static void where_no_server_or_no_primary_stands_nothing_moves(void **state)
{
    (void)state;
    struct evacuation other = order;
    last = judge_with(NULL, NULL);
    (void)stay_copy(other.zone, sizeof other.zone, "d");
    evacuation_judge(&w.view, NULL, &last, &other, w.now, wall_of(&w), &told);
    assert_int_equal(told.state, EVACUATION_NONE);
    (void)stay_copy(other.zone, sizeof other.zone, "b");
    evacuation_judge(&w.view, NULL, &last, &other, w.now, wall_of(&w), &told);
    assert_int_equal(told.state, EVACUATION_ELSEWHERE);
    w.view.record.evacuated_wall_us = WALL0;
    evacuation_judge(&w.view, NULL, &last, &other, w.now, wall_of(&w), &told);
    assert_int_equal(told.state, EVACUATION_MOVED);
    w.view.primary = NO_NODE;
    assert_int_equal(stands(NULL), EVACUATION_HELD);
    assert_string_equal(told.why, "no primary is known");
}

static void what_holds_a_switchover_is_named(void **state)
{
    (void)state;
    w.view.record.paused = true;
    assert_int_equal(stands(NULL), EVACUATION_HELD);
    assert_non_null(strstr(told.why, "paused"));
    w.view.record.paused = false;
    w.view.record.maintenance_until_wall_us = wall_of(&w) + SEC(5);
    assert_int_equal(stands(NULL), EVACUATION_HELD);
    assert_non_null(strstr(told.why, "maintenance"));
    w.view.record.maintenance_until_wall_us = 0;
    w.config.failover = FAILOVER_OBSERVE;
    assert_int_equal(stands(NULL), EVACUATION_HELD);
    w.config.failover = FAILOVER_CONFIRM; /* a human ordered it */
    assert_int_equal(stands(NULL), EVACUATION_DUE);
    (void)stay_copy(w.view.record.asks, sizeof w.view.record.asks, "db2");
    assert_int_equal(stands(NULL), EVACUATION_HELD);
    assert_non_null(strstr(told.why, "release shop"));
}

static void a_cooldown_forbids_failovers_and_no_move(void **state)
{
    (void)state;
    w.view.record.cooldown_until_wall_us = wall_of(&w) + SEC(3000);
    assert_int_equal(stands(NULL), EVACUATION_DUE);
}

static void what_passes_is_waited_for(void **state)
{
    (void)state;
    w.view.hold_until_mono_us = w.now + SEC(1);
    assert_int_equal(stands(NULL), EVACUATION_WAITS);
    w.view.hold_until_mono_us = STAY_NEVER;
    struct plan_run rejoin = {.kind = PLAN_REJOIN, .state = RUN_FORWARD};
    assert_int_equal(stands(&rejoin), EVACUATION_WAITS);
    kill_db1();
    assert_int_equal(stands(NULL), EVACUATION_WAITS);
    assert_string_equal(told.why, "its primary is under suspicion");
}

static void nobody_outside_the_zone_is_said(void **state)
{
    (void)state;
    w.config.nodes[1].promote = w.config.nodes[2].promote = PROMOTE_NEVER;
    assert_int_equal(stands(NULL), EVACUATION_HELD);
    assert_non_null(strstr(told.why, "no-candidate"));
    w.config.nodes[1].promote = PROMOTE_NEUTRAL;
    (void)stay_copy(w.config.nodes[1].zone, sizeof w.config.nodes[1].zone, "a");
    assert_int_equal(stands(NULL), EVACUATION_HELD);
    assert_non_null(strstr(told.why, "outside the evacuated zone a"));
}

static void a_lagging_candidate_is_said(void **state)
{
    (void)state;
    w.view.nodes[1].facts.lag_s = w.view.nodes[2].facts.lag_s = 900;
    assert_int_equal(stands(NULL), EVACUATION_HELD);
    assert_non_null(strstr(told.why, "lags 900 s"));
}

static void each_is_tried_once_an_order(void **state)
{
    (void)state;
    struct plan_run move = {.kind = PLAN_SWITCHOVER, .state = RUN_FORWARD};
    w.view.record.evacuated_wall_us = WALL0;
    (void)stay_copy(w.view.record.plan_id, sizeof w.view.record.plan_id, "shop-8");
    assert_int_equal(stands(&move), EVACUATION_MOVING);
    assert_int_equal(stands(NULL), EVACUATION_MOVING); /* a restart: not taken up yet */
    w.view.record.plan_id[0] = '\0';
    move.state = RUN_UNDONE;
    (void)stay_copy(move.text, sizeof move.text, "writers did not end");
    assert_int_equal(stands(&move), EVACUATION_FAILED);
    assert_string_equal(told.why, "writers did not end");
    struct fleet fleet = {.evacuation_wall_us = WALL0};
    w.view.evacuated = 1;
    assert_int_equal(judge_with(NULL, &fleet).want, PLAN_NONE);
    fleet.evacuation_wall_us = WALL0 + 1; /* given again */
    assert_int_equal(judge_with(NULL, &fleet).want, PLAN_SWITCHOVER);
}

/* Its own last rows run beside a record that names the new primary already. */
static void one_that_ends_its_move_still_moves(void **state)
{
    (void)state;
    struct plan_run move = {.kind = PLAN_SWITCHOVER, .state = RUN_FORWARD};
    w.view.record.evacuated_wall_us = WALL0;
    w.view.primary = 1;
    assert_int_equal(stands(&move), EVACUATION_MOVING);
    move.state = RUN_SUCCEEDED;
    assert_int_equal(stands(&move), EVACUATION_MOVED);
}

static void one_that_touched_nobody_is_begun_again_later(void **state)
{
    (void)state;
    struct fleet fleet = {.evacuation_wall_us = WALL0};
    w.view.evacuated = 1;
    w.view.record.evacuated_wall_us = WALL0;
    w.view.record.evacuation_again_wall_us = wall_of(&w) + SEC(1);
    assert_int_equal(stands(NULL), EVACUATION_HELD);
    assert_int_equal(judge_with(NULL, &fleet).want, PLAN_NONE);
    w.view.record.evacuation_again_wall_us = wall_of(&w);
    assert_int_equal(stands(NULL), EVACUATION_DUE);
    struct decision d = judge_with(NULL, &fleet);
    assert_int_equal(d.want, PLAN_SWITCHOVER);
    assert_int_equal(d.params.evacuation_wall_us, WALL0);
    last = d; /* its own wish does not stand in its way */
    evacuation_judge(&w.view, NULL, &last, &order, w.now, wall_of(&w), &told);
    assert_int_equal(told.state, EVACUATION_DUE);
}

static void turns_go_in_order_and_no_more_at_once(void **state)
{
    (void)state;
    enum evacuation_state s[] = {EVACUATION_MOVED, EVACUATION_HELD, EVACUATION_DUE, EVACUATION_DUE,
                                 EVACUATION_DUE};
    bool turns[5];
    evacuation_turns(s, 5, 1, false, turns);
    assert_true(!turns[0] && !turns[1] && turns[2] && !turns[3] && !turns[4]);
    s[2] = EVACUATION_MOVING;
    evacuation_turns(s, 5, 1, false, turns);
    assert_false(turns[2] || turns[3] || turns[4]);
    evacuation_turns(s, 5, 2, false, turns);
    assert_true(turns[3] && !turns[4]);
    evacuation_turns(s, 5, 2, true, turns); /* a failover runs somewhere */
    assert_false(turns[3] || turns[4]);
    s[0] = EVACUATION_FAILED; /* the first that failed stops all */
    evacuation_turns(s, 5, 2, false, turns);
    assert_false(turns[3] || turns[4]);
    assert_string_equal(evacuation_state_text(EVACUATION_FAILED), "did not move");
    assert_string_equal(evacuation_state_text(EVACUATION_STATE_COUNT), "?");
}

/* After a move that failed its replicas are attached again: the others wait all the same. */
static void a_move_that_failed_stays_one_while_another_plan_runs(void **state)
{
    (void)state;
    struct plan_run rejoin = {.kind = PLAN_REJOIN, .state = RUN_FORWARD};
    w.view.record.evacuated_wall_us = WALL0;
    (void)stay_copy(w.view.record.plan_id, sizeof w.view.record.plan_id, "shop-9");
    (void)stay_copy(rejoin.text, sizeof rejoin.text, "db3 is behind");
    assert_int_equal(stands(&rejoin), EVACUATION_FAILED);
    assert_string_equal(told.why, "its move was begun, and its primary stands there");
    const enum evacuation_state both[] = {told.state, EVACUATION_DUE};
    bool turns[2];
    evacuation_turns(both, 2, 2, false, turns);
    assert_false(turns[1]);
    w.view.record.plan_id[0] = '\0';
    assert_int_equal(stands(NULL), EVACUATION_FAILED); /* nobody remembers why */
    assert_string_equal(told.why, "its move was begun, and its primary stands there");
    struct plan_run silent = {.kind = PLAN_SWITCHOVER, .state = RUN_UNDONE};
    assert_int_equal(stands(&silent), EVACUATION_FAILED);
    assert_string_equal(told.why, "its move was begun, and its primary stands there");
}

/* Ended before it touched a client: said with its own words, and another plan goes first. */
static void what_ended_a_move_is_said_until_it_is_begun_again(void **state)
{
    (void)state;
    struct plan_run move = {.kind = PLAN_SWITCHOVER, .state = RUN_UNDONE};
    w.view.record.evacuated_wall_us = WALL0;
    w.view.record.evacuation_again_wall_us = wall_of(&w) + SEC(1);
    assert_int_equal(stands(&move), EVACUATION_HELD);
    assert_non_null(strstr(told.why, "begun again soon"));
    (void)stay_copy(move.text, sizeof move.text, "a hook vetoed it");
    assert_int_equal(stands(&move), EVACUATION_HELD);
    assert_string_equal(told.why, "a hook vetoed it");
    move.kind = PLAN_REJOIN;
    assert_int_equal(stands(&move), EVACUATION_HELD);
    assert_non_null(strstr(told.why, "begun again soon"));
    move.state = RUN_FORWARD;
    assert_int_equal(stands(&move), EVACUATION_WAITS);
    assert_non_null(strstr(told.why, "busy"));
}

/* By hand, or scheduled: whatever moves it out of there is its move. */
static void a_switchover_of_anybody_moves_it(void **state)
{
    (void)state;
    struct plan_run move = {.kind = PLAN_SWITCHOVER, .state = RUN_FORWARD};
    assert_int_equal(stands(&move), EVACUATION_MOVING);
    struct evacuation plan = order; /* a dry run is no order: nothing was tried under it */
    plan.since_wall_us = 0;
    evacuation_judge(&w.view, NULL, &last, &plan, w.now, wall_of(&w), &told);
    assert_int_equal(told.state, EVACUATION_DUE);
}

/* What comes before a move passes, or somebody has to see to it. */
static void what_comes_first_is_named(void **state)
{
    (void)state;
    static const struct {
        enum plan_kind want;
        uint32_t vetoes;
        enum verdict_subject subject;
        enum evacuation_state state;
        const char *why;
    } rows[] = {
        {PLAN_NONE, 0, SUBJECT_CONTROLLER, EVACUATION_WAITS, "the controller holds"},
        {PLAN_REJOIN, 0, SUBJECT_PRIMARY, EVACUATION_WAITS, "a rejoin comes first"},
        {PLAN_SWITCHOVER, 0, SUBJECT_PRIMARY, EVACUATION_WAITS, "a switchover comes first"},
        {PLAN_REJOIN, 1, SUBJECT_PRIMARY, EVACUATION_HELD, "verdict 123 a test"},
        {PLAN_NONE, 0, SUBJECT_PRIMARY, EVACUATION_HELD, "verdict 123 a test"},
    };
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        last = (struct decision){.want = rows[i].want, .vetoes = rows[i].vetoes};
        last.verdict = (struct verdict){.rule_id = 123, .name = "a test"};
        last.verdict.subject = rows[i].subject;
        last.verdict.action = ACT_REPAIR_ACKERS;
        evacuation_judge(&w.view, NULL, &last, &order, w.now, wall_of(&w), &told);
        assert_int_equal(told.state, rows[i].state);
        assert_string_equal(told.why, rows[i].why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_well_cluster_is_due_and_says_where_it_goes),
        TEST(where_no_server_or_no_primary_stands_nothing_moves),
        TEST(what_holds_a_switchover_is_named),
        TEST(a_cooldown_forbids_failovers_and_no_move),
        TEST(what_passes_is_waited_for),
        TEST(nobody_outside_the_zone_is_said),
        TEST(a_lagging_candidate_is_said),
        TEST(each_is_tried_once_an_order),
        TEST(one_that_ends_its_move_still_moves),
        TEST(one_that_touched_nobody_is_begun_again_later),
        TEST(a_move_that_failed_stays_one_while_another_plan_runs),
        TEST(what_ended_a_move_is_said_until_it_is_begun_again),
        TEST(a_switchover_of_anybody_moves_it),
        TEST(what_comes_first_is_named),
        TEST(turns_go_in_order_and_no_more_at_once),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
