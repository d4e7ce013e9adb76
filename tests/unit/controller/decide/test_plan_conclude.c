/* tests/unit/controller/decide/test_plan_conclude.c - turns of a plan that only several faults at
 * once bring about: a primary that restarts under a repair, a returner that holds more than the
 * candidate, a top-up whose peer restarts, a compared server that is right or cannot be told. */
#include "tests/unit/controller/decide/plan_world.h"

#include "controller/decide/decide.h"
#include "controller/decide/plan_conclude_private.h"

static void a_repair_ends_when_the_primary_restarted_under_it(void **state)
{
    (void)state;
    uint32_t row = 0;
    start(PLAN_REJOIN, 1);
    run.restarted = 1;
    assert_int_equal(conclude(STEP_FENCE, &row), NEXT_UNDO);
    assert_string_equal(run.text, "the primary restarted while this plan ran");
    run.past_no_return = true; /* then it goes on: nothing could be undone */
    assert_int_not_equal(conclude(STEP_FENCE, &row), NEXT_UNDO);
}

/* The second fence of a failover: the old primary came back open after the freeze. */
static void a_returner_that_holds_more_stays_the_primary(void **state)
{
    (void)state;
    uint32_t row = plan_row_of(PLAN_FAILOVER, STEP_VERIFY_FREEZE), to = 0;
    c.view.nodes[0].refused_first_mono_us = CASE_NOW - 300 * STAY_MS;
    c.view.nodes[0].refused_last_mono_us = CASE_NOW;
    start(PLAN_FAILOVER, NO_NODE);
    while (plan_row_at(&run, --row)->step != STEP_FENCE)
        continue;
    run.candidate = 1;
    run.fenced = run.was_open = true;
    run.rows[row].targets = run.rows[row].done = 1;
    case_gtids(&c, "0-1-100", &run.executed[1]);
    case_gtids(&c, "0-1-100", &run.fenced_executed);
    assert_int_equal(plan_conclude(&run, &c.view, row, CASE_NOW, &to), NEXT_ROW);
    case_gtids(&c, "0-1-101", &run.fenced_executed);
    assert_int_equal(plan_conclude(&run, &c.view, row, CASE_NOW, &to), NEXT_UNDO);
    assert_string_equal(run.text,
                        "db1 came back and holds transactions db2 lacks: it stays the primary");
    assert_true(run.stays);
    run.params.accept_loss = true; /* a human said so */
    assert_int_equal(plan_conclude(&run, &c.view, row, CASE_NOW, &to), NEXT_ROW);
}

static void a_top_up_whose_peer_restarted_begins_again_without_it(void **state)
{
    (void)state;
    uint32_t row = plan_row_of(PLAN_FAILOVER, STEP_TOP_UP), to = 0;
    c.view.nodes[0].refused_first_mono_us = CASE_NOW - 300 * STAY_MS;
    c.view.nodes[0].refused_last_mono_us = CASE_NOW;
    start(PLAN_FAILOVER, NO_NODE);
    run.candidate = 1;
    run.f = run.r = run.collected = run.a = 6;
    case_gtids(&c, "0-1-90", &run.executed[1]);
    case_gtids(&c, "0-1-100", &run.executed[2]);
    run.rows[row].targets = run.rows[row].failed = 2;
    run.freeze_mono_us[2] = CASE_NOW - STAY_SECOND;
    run.freeze_uptime_s[2] = 5000;
    c.view.nodes[2].facts.uptime_s = 1; /* a new process: its tail may be gone */
    assert_int_equal(plan_conclude(&run, &c.view, row, CASE_NOW, &to), NEXT_GOTO);
    assert_int_equal(to, plan_row_of(PLAN_FAILOVER, STEP_FREEZE));
    assert_int_equal(run.restarted & 4, 4);
    assert_int_equal((run.f | run.r | run.collected) & 4, 0);
}

static void compare(const char *node, const char *primary)
{
    start(PLAN_REJOIN, 1);
    run.collected = 3;
    case_gtids(&c, node, &run.executed[1]);
    case_gtids(&c, primary, &run.executed[0]);
}

/* What the primary wrote itself and lost in a restart: the compared server is right. */
static void what_the_primary_lost_is_no_divergence(void **state)
{
    (void)state;
    compare("0-1-110", "0-1-100");
    assert_int_equal(plan_conclude_compare(&run, &c.view), NEXT_UNDO);
    assert_non_null(strstr(run.text, "the primary wrote and lost"));
    assert_false(run.diverged);
}

static void sets_that_could_not_be_read_are_not_compared(void **state)
{
    (void)state;
    compare("0-1-100", "0-1-100");
    run.collected = 2;
    assert_int_equal(plan_conclude_compare(&run, &c.view), NEXT_UNDO);
    assert_non_null(strstr(run.text, "could not be read"));
}

/* Its set is contained, and yet rows are missing: only a human may say that it was reseeded. */
static void equal_sets_of_a_server_written_to_by_hand_are_set_aside(void **state)
{
    (void)state;
    compare("0-1-100", "0-1-100");
    assert_int_equal(plan_conclude_compare(&run, &c.view), NEXT_ROW);
    assert_false(run.diverged);
    c.view.record.twins = 2;
    assert_int_equal(plan_conclude_compare(&run, &c.view), NEXT_ROW);
    assert_true(run.diverged);
    assert_non_null(strstr(run.text, "written to by hand"));
    run.params.accept_loss = true;
    assert_int_equal(plan_conclude_compare(&run, &c.view), NEXT_ROW);
    assert_false(run.diverged);
    run.params = (struct plan_params){.node = 1, .automatic = true};
    c.view.record.twins = 0;
    c.view.nodes[1].skipped = true;
    assert_int_equal(plan_conclude_compare(&run, &c.view), NEXT_ROW);
    assert_true(run.diverged);
    assert_non_null(strstr(run.text, "its receiver skipped them"));
}

/* A replica that is open beside a primary that is closed is closed first. */
static void an_open_follower_is_fenced_before_the_primary_opens(void **state)
{
    (void)state;
    struct decision d;
    struct fleet fleet = {0};
    c.view.nodes[0].facts.read_only = c.view.nodes[0].facts.super_read_only = TRI_YES;
    decide(&c.view, NULL, &fleet, CASE_NOW, CASE_WALL, &d);
    assert_int_equal(d.want, PLAN_MAKE_WRITABLE);
    c.view.nodes[2].facts.read_only = c.view.nodes[2].facts.super_read_only = TRI_NO;
    decide(&c.view, NULL, &fleet, CASE_NOW, CASE_WALL, &d);
    assert_int_equal(d.want, PLAN_FENCE);
    assert_int_equal(d.params.node, 2);
}

/* An undo that no store took has opened it again: a later process does not believe the fence. */
static void a_fence_that_is_gone_is_not_believed_later(void **state)
{
    (void)state;
    uint32_t row = 0;
    compare("0-1-100", "0-1-100");
    run.kind = PLAN_FAILOVER;
    run.state = RUN_FORWARD;
    run.old_primary = 0;
    run.row = plan_row_of(PLAN_FAILOVER, STEP_CERTIFY);
    run.fenced = true;
    c.view.nodes[0].facts.read_only = TRI_YES;
    assert_int_equal(plan_resume(&run, &c.view, CASE_NOW, &row), NEXT_GOTO);
    assert_true(run.fenced);
    c.view.nodes[0].facts.read_only = TRI_NO;
    assert_int_equal(plan_resume(&run, &c.view, CASE_NOW, &row), NEXT_UNDO);
    c.view.nodes[0].groups_known = 0;
    run.rows[plan_row_of(PLAN_FAILOVER, STEP_FENCE)].touched = 1;
    assert_int_equal(plan_resume(&run, &c.view, CASE_NOW, &row), NEXT_GOTO);
    assert_false(run.fenced);
    assert_true(run.fence_unheard);
}

/* A process that took it up past the point of no return closed the old primary once more. */
static void no_other_is_chosen_once_the_candidate_may_be_open(void **state)
{
    (void)state;
    uint32_t row = 0, verify = plan_row_of(PLAN_FAILOVER, STEP_VERIFY_FREEZE);
    start(PLAN_FAILOVER, NO_NODE);
    run.candidate = 1;
    run.fenced = run.past_no_return = run.maybe_open = true;
    run.params.accept_loss = true;
    run.rows[plan_row_of(PLAN_FAILOVER, STEP_FENCE)].ended_mono_us = CASE_NOW - 30;
    run.rows[verify].targets = run.rows[verify].done = 6;
    c.view.nodes[0].facts.read_only = TRI_NO;
    c.view.nodes[0].facts_begun_mono_us = CASE_NOW - 20;
    run.rows[verify - 1].ended_mono_us = CASE_NOW - 10; /* read before this one closed it */
    assert_int_equal(conclude(STEP_VERIFY_FREEZE, &row), NEXT_ROW);
    c.view.nodes[0].facts_begun_mono_us = CASE_NOW;
    assert_int_equal(conclude(STEP_VERIFY_FREEZE, &row), NEXT_ASK);
}

/* A returner that caught up may take over, though its last facts are older than the primary's. */
static void who_caught_up_after_its_restart_is_shown_as_candidate(void **state)
{
    (void)state;
    struct plan_params params = {.node = NO_NODE, .detected_mono_us = STAY_NEVER};
    gtid_set_clear(&c.view.nodes[0].facts.executed);
    assert_int_equal(gtid_set_parse(GTID_MARIADB, "0-1-101", &c.view.nodes[0].facts.executed, NULL),
                     STAY_OK);
    for (uint32_t node = 1; node < 3; node++) {
        c.view.nodes[node].restarted_mono_us = CASE_NOW - 60 * STAY_SECOND;
        c.view.nodes[node].caught_up_mono_us = CASE_NOW - 50 * STAY_SECOND;
    }
    json_t *plan = plan_describe(PLAN_FAILOVER, &params, &c.view, CASE_NOW, CASE_WALL);
    assert_non_null(json_string_value(json_object_get(plan, "candidate")));
    json_decref(plan);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_repair_ends_when_the_primary_restarted_under_it),
        T(a_returner_that_holds_more_stays_the_primary),
        T(a_top_up_whose_peer_restarted_begins_again_without_it),
        T(what_the_primary_lost_is_no_divergence),
        T(sets_that_could_not_be_read_are_not_compared),
        T(equal_sets_of_a_server_written_to_by_hand_are_set_aside),
        T(an_open_follower_is_fenced_before_the_primary_opens),
        T(a_fence_that_is_gone_is_not_believed_later),
        T(no_other_is_chosen_once_the_candidate_may_be_open),
        T(who_caught_up_after_its_restart_is_shown_as_candidate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
