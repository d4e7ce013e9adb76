/* tests/unit/controller/act/test_executor_stopped.c - a human stops a run: the kill switch and an
 * abort undo it before the point of no return, and let it finish after it. */
#include "tests/unit/controller/act/exec_world.h"

#define PAIR                                                                                       \
    "node db1 zone a\nnode db2 zone b\n"                                                           \
    "record primary db1 mode lossless stands ackers db2\n"                                         \
    "fact db1 executed 0-1-100\nfact db2 executed 0-1-100 received 0-1-100\n"

/* A human pauses: the record's version moves under the run, which still owns it. */
static void the_kill_switch_undoes_before_the_point_of_no_return(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, PAIR);
    world_start(&w, PLAN_SWITCHOVER);
    world_until(&w, STEP_QUIESCE);
    w.stored.paused = true;
    w.stored.version++;
    cluster_set_record(&w.c.view, &w.stored);
    world_run(&w);
    assert_int_equal(world_run_of(&w)->state, RUN_UNDONE);
    assert_true(w.servers[0].writable && w.route == 0);
    assert_true(w.stored.paused);
    world_close(&w);
}

static void the_kill_switch_after_the_point_of_no_return_lets_it_finish(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, PAIR);
    world_start(&w, PLAN_SWITCHOVER);
    world_until(&w, STEP_CANARY);
    w.stored.paused = true;
    w.stored.version++;
    cluster_set_record(&w.c.view, &w.stored);
    world_run(&w);
    assert_int_equal(world_run_of(&w)->state, RUN_SUCCEEDED);
    assert_true(w.stored.paused);
    world_close(&w);
}

/* The stored version moves between the save's start and its arrival: saved again on the new record.
 */
static void a_save_that_meets_the_kill_switch_is_saved_again(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, PAIR "refused db1\n");
    world_start(&w, PLAN_FAILOVER);
    world_until(&w, STEP_DRAIN);
    assert_true(world_step(&w)); /* the answer begins the save before detach */
    assert_true(w.count == 1 && w.queue[0].is_save);
    w.stored.maintenance_until_wall_us = 5;
    w.stored.version++;
    cluster_set_record(&w.c.view, &w.stored);
    world_run(&w);
    assert_int_equal(world_run_of(&w)->state, RUN_SUCCEEDED);
    assert_int_equal(w.stored.maintenance_until_wall_us, 5);
    assert_non_null(strstr(str_text(&w.log), "save: conflict\nsave\ndetach"));
    world_close(&w);
}

/* Clients wait, with the route closed, while a replica applies hours of lag: the kill switch does
 * not wait for it. */
static void the_kill_switch_ends_a_long_drain(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, PAIR "fact db2 executed 0-1-50 received 0-1-100\nrefused db1\n");
    world_start(&w, PLAN_FAILOVER);
    world_until(&w, STEP_DRAIN);
    int64_t paused_at = w.now;
    w.stored.paused = true;
    w.stored.version++;
    cluster_set_record(&w.c.view, &w.stored);
    world_probe(&w);
    executor_tick(w.x, w.now, w.now + CASE_WALL - CASE_NOW);
    assert_int_equal(world_run_of(&w)->state, RUN_UNDOING); /* before the drain answered */
    world_run(&w);
    assert_int_equal(world_run_of(&w)->state, RUN_UNDONE);
    assert_non_null(strstr(world_run_of(&w)->text, "kill switch"));
    assert_true(w.now - paused_at < 40 * STAY_SECOND);
    assert_true(w.route == 0 && w.stored.paused);
    world_close(&w);
}

static void abort_undoes_until_the_point_of_no_return(void **state)
{
    (void)state;
    static const enum step_kind steps[] = {STEP_HOOK_PRE,   STEP_QUIESCE,   STEP_CATCH_UP,
                                           STEP_DETACH,     STEP_SOURCE_ON, STEP_ATTACH,
                                           STEP_WAIT_ACKERS};
    for (size_t i = 0; i < STAY_COUNT(steps); i++) {
        struct world w;
        struct stay_error err = {0};
        world_open(&w, PAIR);
        assert_int_equal(executor_abort(w.x, "aborted by a test", w.now, &err), STAY_ENOTFOUND);
        world_start(&w, PLAN_SWITCHOVER);
        for (int n = 0; n < 100 && !world_is_queued(&w, steps[i]); n++)
            assert_true(world_step(&w));
        int64_t asked = w.now;
        assert_int_equal(executor_abort(w.x, "aborted by a test", w.now, &err), STAY_OK);
        assert_int_equal(executor_abort(w.x, "aborted by a test", w.now, &err), STAY_OK);
        world_run(&w);
        assert_int_equal(world_run_of(&w)->state, RUN_UNDONE);
        assert_string_equal(world_run_of(&w)->text, "aborted by a test");
        assert_true(w.servers[0].writable && w.servers[0].source == NO_NODE && w.route == 0);
        assert_true(w.servers[1].source == 0 && w.servers[1].receiver_on);
        assert_true(w.now - asked < 2 * STAY_SECOND);
        world_close(&w);
    }
}

static void abort_while_a_save_is_on_the_way_waits_for_it(void **state)
{
    (void)state;
    struct world w;
    struct stay_error err = {0};
    world_open(&w, PAIR);
    world_start(&w, PLAN_SWITCHOVER);
    assert_int_equal(executor_abort(w.x, "aborted by a test", w.now, &err), STAY_OK);
    world_run(&w);
    assert_int_equal(world_run_of(&w)->state, RUN_UNDONE);
    assert_string_equal(str_text(&w.log), "save record\nsave record\n");
    world_close(&w);
}

static void abort_after_the_point_of_no_return_is_refused(void **state)
{
    (void)state;
    struct world w;
    struct stay_error err = {0};
    world_open(&w, PAIR);
    world_start(&w, PLAN_SWITCHOVER);
    world_until(&w, STEP_WRITABLE);
    assert_int_equal(executor_abort(w.x, "aborted by a test", w.now, &err), STAY_EREFUSED);
    assert_int_equal(world_plan(&w, PLAN_FAILOVER, NO_NODE, &err), STAY_EBUSY);
    assert_int_equal(executor_resume(w.x, "{}", w.now, w.now, &err), STAY_EBUSY);
    world_run(&w);
    assert_int_equal(world_run_of(&w)->state, RUN_SUCCEEDED);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_kill_switch_undoes_before_the_point_of_no_return),
        cmocka_unit_test(the_kill_switch_after_the_point_of_no_return_lets_it_finish),
        cmocka_unit_test(a_save_that_meets_the_kill_switch_is_saved_again),
        cmocka_unit_test(the_kill_switch_ends_a_long_drain),
        cmocka_unit_test(abort_undoes_until_the_point_of_no_return),
        cmocka_unit_test(abort_while_a_save_is_on_the_way_waits_for_it),
        cmocka_unit_test(abort_after_the_point_of_no_return_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
