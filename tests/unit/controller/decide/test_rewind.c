/* tests/unit/controller/decide/test_rewind.c - a rewind's job is looked at while it goes on, begun
 * again where it was killed, given up after some times; it gives way to what the primary needs, and
 * never takes away the acker that clients wait for. */
#include <setjmp.h>
#include <stdarg.h>
#include "base/base.h"
#include <cmocka.h>

#include "tests/unit/controller/decide/case_view.h"

#include "controller/decide/decide.h"
#include "controller/decide/plan_conclude_private.h"

static const char three[] =
    "node db1 zone a\nnode db2 zone b\nnode db3 zone c\n"
    "record primary db1 mode lossless stands ackers db2,db3\nfact db1 executed 0-1-100\n"
    "fact db2 executed 0-1-100\nfact db3 executed 0-1-90,0-3-95\n"
    "fact db2 acks yes\nfact db3 acks yes\n";

static struct case_view c;
static struct plan_run run;

static int setup(void **state)
{
    (void)state;
    case_open(&c, three);
    c.view.record.quarantine[2] = QUARANTINE_DIVERGED;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    plan_run_clear(&run);
    case_clear(&c);
    return 0;
}

static enum stay_rc order(struct stay_error *err)
{
    struct plan_params params = {.node = 2, .detected_mono_us = STAY_NEVER};
    enum stay_rc rc = plan_start(&run, PLAN_REWIND, &params, &c.view, CASE_NOW, CASE_WALL, err);
    return rc == STAY_OK ? plan_check(&run, &c.view, CASE_NOW, err) : rc;
}

static enum plan_next answer(enum outcome outcome, bool goes_on, const char *text)
{
    uint32_t row = plan_row_of(PLAN_REWIND, STEP_REWIND), to = 0;
    struct effect_result result = {.outcome = outcome, .goes_on = goes_on};
    (void)stay_copy(result.text, sizeof result.text, text);
    plan_begin_row(&run, row, 4, CASE_NOW);
    plan_absorb(&run, &c.view, row, 2, &result, CASE_NOW);
    return plan_conclude(&run, &c.view, row, CASE_NOW + STAY_SECOND, &to);
}

static void its_job_is_looked_at_while_it_goes_on(void **state)
{
    (void)state;
    struct stay_error err = {0};
    uint32_t row = plan_row_of(PLAN_REWIND, STEP_REWIND);
    assert_int_equal(order(&err), STAY_OK);
    for (int i = 0; i < 50; i++)
        assert_int_equal(answer(OUTCOME_NOT_DONE, true, "putting rows back: 9 of 10 transactions"),
                         NEXT_LOOK);
    assert_string_equal(run.rows[row].text, "db3: putting rows back: 9 of 10 transactions");
    assert_int_equal(answer(OUTCOME_DONE, false, "10 transactions undone"), NEXT_ROW);
    assert_string_equal(run.text, "10 transactions undone");
}

static void killed_it_is_begun_again_but_not_for_ever(void **state)
{
    (void)state;
    struct stay_error err = {0};
    assert_int_equal(order(&err), STAY_OK);
    assert_int_equal(answer(OUTCOME_UNKNOWN, false, "ended by signal 9"), NEXT_LOOK);
    assert_int_equal(answer(OUTCOME_NOT_DONE, true, "begun"), NEXT_LOOK);
    assert_int_equal(answer(OUTCOME_UNKNOWN, false, "ended by signal 9"), NEXT_LOOK);
    assert_int_equal(answer(OUTCOME_UNKNOWN, false, "ended by signal 9"), NEXT_UNDO);
    assert_non_null(strstr(run.text, "several times"));
}

static void what_cannot_be_rewound_ends_it_at_once(void **state)
{
    (void)state;
    struct stay_error err = {0};
    assert_int_equal(order(&err), STAY_OK);
    assert_int_equal(answer(OUTCOME_NOT_DONE, false, "cannot be rewound, reseed it: DDL"),
                     NEXT_UNDO);
    assert_non_null(strstr(run.text, "reseed it: DDL"));
}

/* Undone in the middle, its job is killed; done, nothing is. */
static void undone_its_job_is_killed(void **state)
{
    (void)state;
    struct stay_error err = {0};
    struct effect effect;
    uint32_t row = plan_row_of(PLAN_REWIND, STEP_REWIND);
    assert_int_equal(order(&err), STAY_OK);
    (void)answer(OUTCOME_NOT_DONE, true, "begun");
    assert_int_equal(plan_undo_targets(&run, &c.view, row, CASE_NOW), 4);
    plan_undo_effect(&run, &c.view, row, 2, &effect);
    assert_int_equal(effect.step, STEP_COPY_STOP);
    assert_int_equal(effect.plan, PLAN_REWIND);
    run.rows[row].state = ROW_DONE;
    assert_int_equal(plan_undo_targets(&run, &c.view, row, CASE_NOW), 0);
}

static void it_gives_way_to_what_the_primary_needs(void **state)
{
    (void)state;
    static const enum plan_kind kinds[] = {PLAN_FAILOVER, PLAN_MAKE_WRITABLE, PLAN_MODE_DEGRADE,
                                           PLAN_REJOIN, PLAN_MODE_RESTORE};
    run.kind = PLAN_REWIND;
    run.state = RUN_FORWARD;
    for (size_t i = 0; i < STAY_COUNT(kinds); i++) {
        struct decision d = {.want = kinds[i], .vetoes = UINT32_C(1) << GUARD_BUSY};
        assert_int_equal(guard_preempts(&d, &run), i < 3);
    }
}

static void the_acker_that_clients_wait_for_is_left_alone(void **state)
{
    (void)state;
    struct stay_error err = {0};
    assert_int_equal(order(&err), STAY_OK); /* db2 acknowledges too */
    plan_run_clear(&run);
    c.view.nodes[1].facts.ss_replica_on = TRI_NO;
    c.view.nodes[1].facts.ss_replica_enabled = TRI_NO;
    assert_int_equal(order(&err), STAY_EREFUSED);
    assert_non_null(strstr(err.text, "lossless needs it"));
    plan_run_clear(&run);
    c.view.nodes[2].facts.ss_replica_on = TRI_NO; /* nor does it: nothing is taken away */
    c.view.nodes[2].facts.ss_replica_enabled = TRI_NO;
    assert_int_equal(order(&err), STAY_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(its_job_is_looked_at_while_it_goes_on, setup, teardown),
        cmocka_unit_test_setup_teardown(killed_it_is_begun_again_but_not_for_ever, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_rewound_ends_it_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(undone_its_job_is_killed, setup, teardown),
        cmocka_unit_test_setup_teardown(it_gives_way_to_what_the_primary_needs, setup, teardown),
        cmocka_unit_test_setup_teardown(the_acker_that_clients_wait_for_is_left_alone, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
