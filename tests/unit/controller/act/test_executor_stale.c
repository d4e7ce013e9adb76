/* tests/unit/controller/act/test_executor_stale.c - what must not be acted upon: a journal that the
 * stored record no longer names, and a row whose save was on the way when the kill switch came. */
#include "tests/unit/controller/act/exec_world.h"

#define PAIR                                                                                       \
    "node db1 zone a\nnode db2 zone b\nrecord primary db1 mode lossless stands ackers db2\n"       \
    "fact db1 executed 0-1-100\nfact db2 executed 0-1-90 received 0-1-100\n"

static void start(struct world *w, const char *text, enum plan_kind kind)
{
    struct stay_error err = {0};
    world_open(w, text);
    if (world_plan(w, kind, NO_NODE, &err) != STAY_OK)
        fail_msg("start: %s", err.text);
}

/* A failover stopped half way (the store took no more); later plans changed the primary; the process
 * starts anew and finds the old journal. */
static void journal_of_an_older_epoch_is_not_taken_up(void **state)
{
    (void)state;
    struct world w;
    struct stay_error err = {0};
    start(&w, PAIR "refused db1\n", PLAN_FAILOVER);
    w.die_at = 6;
    world_run(&w);
    assert_true(w.is_dead);
    w.stored.epoch += 2;
    w.stored.version += 4;
    (void)stay_copy(w.stored.primary, sizeof w.stored.primary, "db2");
    w.stored.plan_id[0] = '\0';
    assert_false(world_resume(&w)); /* the record names no plan */
    size_t before = strlen(str_text(&w.log));
    assert_int_equal(executor_resume(w.x, w.journal, w.now, w.now + CASE_WALL - CASE_NOW, &err),
                     STAY_ECONFLICT);
    assert_non_null(strstr(err.text, "no longer names"));
    assert_false(executor_is_busy(w.x));
    assert_null(executor_run(w.x));
    assert_int_equal(w.count, 0);
    assert_int_equal(strlen(str_text(&w.log)), before);
    world_close(&w);
}

/* Runs until the save before the first effect of `step` is on the way, then pauses. */
static void pause_before(struct world *w, enum step_kind step)
{
    for (uint32_t turns = 0; turns < 200; turns++) {
        const struct plan_run *run = executor_run(w->x);
        uint32_t row = plan_row_of(run->kind, step);
        if (w->count == 1 && w->queue[0].is_save && run->rows[row].state == ROW_RUNNING) {
            w->c.view.paused_all = true;
            return;
        }
        assert_true(world_step(w));
    }
    fail_msg("never came to %s", step_kind_text(step));
}

static void pause_while_a_row_is_saved_stops_that_row(void **state)
{
    (void)state;
    static const enum step_kind steps[] = {STEP_FREEZE, STEP_DETACH, STEP_WRITABLE};
    static const char *const texts[] = {"freeze", "detach db2", "make writable"};
    for (size_t i = 0; i < STAY_COUNT(steps); i++) {
        struct world w;
        start(&w, PAIR "refused db1\n", PLAN_FAILOVER);
        pause_before(&w, steps[i]);
        world_run(&w);
        if (strstr(str_text(&w.log), texts[i]))
            fail_msg("'%s' was done while paused:\n%s", texts[i], str_text(&w.log));
        assert_int_equal(executor_run(w.x)->state, RUN_UNDONE);
        assert_string_equal(w.stored.primary, "db1");
        assert_false(w.servers[1].writable);
        world_close(&w);
    }
}

/* Unknown, so it is looked at again: not while paused. */
static void pause_while_a_row_is_looked_at_again_stops_it(void **state)
{
    (void)state;
    struct world w;
    start(&w, PAIR "refused db1\n", PLAN_FAILOVER);
    w.fault_step = STEP_DETACH;
    w.fault_node = 1;
    w.fault_outcome = OUTCOME_UNKNOWN;
    w.fault_times = 1;
    while (!strstr(str_text(&w.log), "detach db2: unknown"))
        assert_true(world_step(&w));
    w.c.view.paused_all = true;
    world_run(&w);
    assert_null(strstr(str_text(&w.log), "detach db2\n"));
    assert_int_equal(executor_run(w.x)->state, RUN_UNDONE);
    world_close(&w);
}

/* Somebody started an acker's receiver for the old primary again, and it is off once more (our own
 * ATTACH stops it, too): what it took meanwhile tells, and everything is frozen and read again. */
static void an_acker_that_took_more_since_its_freeze_is_frozen_again(void **state)
{
    (void)state;
    struct world w;
    struct stay_error err = {0};
    world_open(&w, "node db1 zone a\nnode db2 zone b\nnode db3 zone c promote never\n"
                   "record primary db1 mode lossless stands ackers db2,db3\n"
                   "fact db1 executed 0-1-100\nfact db2 executed 0-1-100 received 0-1-100\n"
                   "fact db3 executed 0-1-100 received 0-1-100\nrefused db1\n");
    assert_int_equal(world_plan(&w, PLAN_FAILOVER, NO_NODE, &err), STAY_OK);
    while (w.count == 0 || w.queue[0].is_save || w.queue[0].effect.step != STEP_VERIFY_FREEZE)
        assert_true(world_step(&w));
    assert_null(strstr(strstr(str_text(&w.log), "freeze db3") + 1, "freeze db3"));
    case_gtids(&w.c, "0-1-101", &w.servers[2].executed); /* acknowledged to a client */
    case_gtids(&w.c, "0-1-101", &w.servers[2].received);
    world_run(&w);
    assert_non_null(strstr(strstr(str_text(&w.log), "freeze db3") + 1, "freeze db3"));
    assert_non_null(strstr(str_text(&w.log), "top up db2 from db3"));
    assert_true(gtid_set_contains(&w.servers[1].executed, &w.servers[2].executed));
    assert_int_equal(executor_run(w.x)->state, RUN_SUCCEEDED);
    world_close(&w);
}

/* Seen: the statement that would have opened the candidate waited 2 s in its lane and was not sent;
 * the old primary came back meanwhile, without the semi-sync the certificate was built on. */
static void a_promotion_that_did_not_happen_is_verified_before_it_is_repeated(void **state)
{
    (void)state;
    struct world w;
    struct stay_error err = {0};
    world_open(&w, "node db1 zone a\nnode db2 zone b\n"
                   "record primary db1 mode lossless stands ackers db2\n"
                   "fact db1 executed 0-1-100\nfact db2 executed 0-1-100 received 0-1-100\n"
                   "refused db1\n");
    assert_int_equal(world_plan(&w, PLAN_FAILOVER, NO_NODE, &err), STAY_OK);
    w.fault_step = STEP_WRITABLE;
    w.fault_node = 1;
    w.fault_outcome = OUTCOME_NOT_DONE;
    w.fault_times = 1;
    while (!strstr(str_text(&w.log), "make writable db2: not done"))
        assert_true(world_step(&w));
    case_gtids(&w.c, "0-1-150", &w.c.view.nodes[0].facts.executed);
    w.c.view.nodes[0].facts.ss_no_times = 1;
    w.c.view.nodes[0].facts_begun_mono_us = w.c.view.nodes[0].facts_mono_us = w.now;
    world_run(&w);
    assert_null(strstr(str_text(&w.log), "make writable db2\n"));
    assert_non_null(strstr(executor_run(w.x)->text, "the certificate is UNKNOWN by now"));
    assert_int_equal(executor_run(w.x)->state, RUN_UNDONE);
    assert_false(w.servers[1].writable);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(journal_of_an_older_epoch_is_not_taken_up),
        cmocka_unit_test(pause_while_a_row_is_saved_stops_that_row),
        cmocka_unit_test(pause_while_a_row_is_looked_at_again_stops_it),
        cmocka_unit_test(an_acker_that_took_more_since_its_freeze_is_frozen_again),
        cmocka_unit_test(a_promotion_that_did_not_happen_is_verified_before_it_is_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
