/* tests/unit/controller/decide/test_decide_schedule.c - a switchover ordered for a time: begun
 * then, held by what would hold it then, missed after its window, tried once. */
#include "decide_world.h"

#include "controller/decide/decide_private.h"

static void order(int64_t in_us)
{
    w.view.record.switch_at_wall_us = wall_of(&w) + in_us;
    (void)stay_copy(w.view.record.switch_to, sizeof w.view.record.switch_to, "db2");
    (void)stay_copy(w.view.record.switch_by, sizeof w.view.record.switch_by, "ada");
}

static void it_waits_for_its_time(void **state)
{
    (void)state;
    order(MS(500));
    assert_int_equal(judge_with(NULL, NULL).want, PLAN_NONE);
    healthy(&w, 2);
    struct decision d = judge_with(NULL, NULL);
    assert_int_equal(d.want, PLAN_SWITCHOVER);
    assert_int_equal(d.params.node, 1);
    assert_string_equal(d.params.actor, "ada");
    assert_int_equal(d.vetoes, 0);
}

static void what_holds_one_ordered_now_holds_it_too(void **state)
{
    (void)state;
    order(0);
    w.view.record.paused = true;
    assert_int_equal(judge_with(NULL, NULL).vetoes, 1 << GUARD_PAUSED);
    w.view.record.paused = false;
    w.view.record.maintenance_until_wall_us = wall_of(&w) + MS(5000);
    assert_int_equal(judge_with(NULL, NULL).vetoes, 1 << GUARD_MAINTENANCE);
}

static void a_primary_that_dies_comes_first(void **state)
{
    (void)state;
    order(0);
    kill_db1();
    struct decision d = judge_with(NULL, NULL);
    assert_int_equal(d.verdict.rule_id, 120);
    assert_int_equal(d.want, PLAN_FAILOVER);
}

static void after_its_window_it_is_missed(void **state)
{
    (void)state;
    order(-SCHEDULE_WINDOW_US - MS(1));
    struct decision d = judge_with(NULL, NULL);
    assert_int_equal(d.want, PLAN_NONE);
    assert_true(d.record_changed);
    assert_int_equal(d.record.switch_at_wall_us, 0);
    assert_int_equal(d.record.switch_missed_wall_us, w.view.record.switch_at_wall_us);
}

/* Its server left the configuration meanwhile: missed, not done with another one. */
static void a_server_that_is_gone_is_not_replaced_by_another(void **state)
{
    (void)state;
    order(0);
    (void)stay_copy(w.view.record.switch_to, sizeof w.view.record.switch_to, "db9");
    assert_int_equal(judge_with(NULL, NULL).want, PLAN_NONE);
}

/* The clock jumped past its time: nothing is begun, nor called missed, before it is looked at. */
static void a_jump_of_the_clock_holds_it(void **state)
{
    (void)state;
    order(-SCHEDULE_WINDOW_US - MS(1));
    w.view.hold_until_mono_us = w.now + MS(30000);
    struct decision d = judge_with(NULL, NULL);
    assert_int_equal(d.want, PLAN_NONE);
    assert_int_equal(d.record_changed ? d.record.switch_missed_wall_us : 0, 0);
    order(-MS(1));
    assert_int_equal(judge_with(NULL, NULL).want, PLAN_NONE); /* 150: the controller holds */
}

/* However it ends, its intent takes it out of the record. */
static void it_is_tried_once(void **state)
{
    (void)state;
    struct plan_run run = {0};
    struct stay_error err = {0};
    struct plan_params params = {.node = 1, .detected_mono_us = STAY_NEVER};
    order(0);
    assert_int_equal(plan_start(&run, PLAN_SWITCHOVER, &params, &w.view, w.now, wall_of(&w), &err),
                     STAY_OK);
    struct cluster_record record = w.view.record;
    plan_change_record(&run, &w.view, plan_row_of(PLAN_SWITCHOVER, STEP_INTENT), wall_of(&w),
                       &record);
    assert_int_equal(record.switch_at_wall_us, 0);
    plan_run_clear(&run);
}

/* What the turn would begin now, by what else it found. */
static struct decision scheduled(struct decision d)
{
    decide_want_scheduled(&w.view, w.now, wall_of(&w), &d);
    return d;
}

static void what_the_cluster_needs_comes_before_what_was_ordered(void **state)
{
    (void)state;
    static const struct {
        struct decision found;
        bool no_primary;
        enum plan_kind want;
    } rows[] = {
        {{.verdict = {.subject = SUBJECT_PRIMARY, .action = ACT_NONE}}, false, PLAN_SWITCHOVER},
        {{.verdict = {.subject = SUBJECT_PRIMARY, .action = ACT_ALERT}}, false, PLAN_SWITCHOVER},
        {{.verdict = {.subject = SUBJECT_PRIMARY, .action = ACT_HOLD}}, false, PLAN_NONE},
        {{.verdict = {.subject = SUBJECT_REPLICA, .action = ACT_NONE}}, false, PLAN_NONE},
        {{.verdict = {.subject = SUBJECT_PRIMARY}, .suspicion = true}, false, PLAN_NONE},
        {{.verdict = {.subject = SUBJECT_PRIMARY}, .want = PLAN_REJOIN}, false, PLAN_REJOIN},
        {{.verdict = {.subject = SUBJECT_PRIMARY}}, true, PLAN_NONE},
    };
    order(0);
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        w.view.primary = rows[i].no_primary ? NO_NODE : 0;
        assert_int_equal(scheduled(rows[i].found).want, rows[i].want);
    }
}

static void any_server_may_be_the_one_that_was_ordered(void **state)
{
    (void)state;
    order(0);
    w.view.record.switch_to[0] = '\0';
    struct decision d = scheduled((struct decision){.verdict = {.subject = SUBJECT_PRIMARY}});
    assert_int_equal(d.want, PLAN_SWITCHOVER);
    assert_int_equal(d.params.node, NO_NODE);
}

/* A record that changed for another reason is stored with it, not instead of it. */
static void a_missed_order_is_taken_out_of_the_record_that_is_stored(void **state)
{
    (void)state;
    struct decision d = {.record_changed = true};
    order(-SCHEDULE_WINDOW_US - MS(1));
    d.record = w.view.record;
    d.record.restarted = 4;
    d = scheduled(d);
    assert_int_equal(d.record.switch_at_wall_us, 0);
    assert_int_equal(d.record.restarted, 4);
}

static void a_controller_that_stood_still_misses_nothing_yet(void **state)
{
    (void)state;
    order(-SCHEDULE_WINDOW_US - MS(1));
    assert_true(decide_schedule_is_missed(&w.view, w.now, wall_of(&w)));
    w.view.hold_until_mono_us = w.now + MS(1);
    assert_false(decide_schedule_is_missed(&w.view, w.now, wall_of(&w)));
    w.view.hold_until_mono_us = w.now;
    assert_true(decide_schedule_is_missed(&w.view, w.now, wall_of(&w)));
    w.view.store_ok = false; /* it could not be recorded */
    assert_false(decide_schedule_is_missed(&w.view, w.now, wall_of(&w)));
    w.view.store_ok = true;
    w.view.record.switch_at_wall_us = 0;
    assert_false(decide_schedule_is_missed(&w.view, w.now, wall_of(&w)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_the_cluster_needs_comes_before_what_was_ordered, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(any_server_may_be_the_one_that_was_ordered, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_missed_order_is_taken_out_of_the_record_that_is_stored,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_controller_that_stood_still_misses_nothing_yet, setup,
                                        teardown),
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(it_waits_for_its_time),
        T(what_holds_one_ordered_now_holds_it_too),
        T(a_primary_that_dies_comes_first),
        T(after_its_window_it_is_missed),
        T(a_server_that_is_gone_is_not_replaced_by_another),
        T(a_jump_of_the_clock_holds_it),
        T(it_is_tried_once),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
