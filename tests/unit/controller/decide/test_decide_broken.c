/* tests/unit/controller/decide/test_decide_broken.c - what broke while nobody could act: a stale
 * primary takes writes again, lossless was seen broken and the store was away. */
#include "decide_world.h"

static void a_stale_primary_that_takes_writes_is_closed_whatever_its_successor_does(void **state)
{
    (void)state;
    w.view.record.quarantine[1] = QUARANTINE_STALE_PRIMARY;
    w.facts[1].read_only = TRI_NO;
    w.facts[1].receiver = RECEIVER_NONE;
    healthy(&w, 3);
    w.facts[0].read_only = TRI_YES; /* else verdict 131 says the same */
    healthy(&w, 3);
    struct decision d = judge(&w);
    assert_int_not_equal(d.verdict.rule_id, 131);
    assert_int_equal(d.want, PLAN_FENCE);
    assert_int_equal(d.params.node, 1);
    struct plan_run *run = stay_calloc(1, sizeof *run);
    run->kind = PLAN_REPOINT;
    run->state = RUN_FORWARD;
    run->params.node = 2;
    struct fleet fleet = {0};
    decide(&w.view, run, &fleet, w.now, wall_of(&w), &d);
    assert_true(guard_preempts(&d, run));
    free(run);
}

static void no_plan_builds_on_a_lossless_that_was_seen_broken_but_not_stored(void **state)
{
    (void)state;
    struct plan_params params = {.node = NO_NODE, .accept_loss = true, .reason = "test"};
    struct plan_run *run = stay_calloc(1, sizeof *run);
    struct stay_error err;
    healthy(&w, 3);
    assert_int_equal(plan_start(run, PLAN_FAILOVER, &params, &w.view, w.now, 0, &err), STAY_OK);
    assert_true(run->lossless_stood);
    w.facts[0].ss_no_times = 5;
    healthy(&w, 3);
    assert_true(judge(&w).record_changed); /* and the store does not take it */
    assert_int_equal(plan_start(run, PLAN_FAILOVER, &params, &w.view, w.now, 0, &err), STAY_OK);
    assert_false(run->lossless_stood);
    struct cluster_record fallen = w.view.record;
    fallen.lossless_stands = false;
    cluster_set_record(&w.view, &fallen);
    assert_true(w.view.lossless_fell_mono_us == STAY_NEVER);
    plan_run_clear(run);
    free(run);
}

/* Seen: semi-sync was switched off while a switchover waited 2 s for its candidate, the primary
 * answered meanwhile, died, and the store went on to claim lossless. */
static void a_switchover_that_only_waits_does_not_hide_that_lossless_broke(void **state)
{
    (void)state;
    struct plan_run *run = stay_calloc(1, sizeof *run);
    struct fleet fleet = {0};
    struct decision d;
    run->kind = PLAN_SWITCHOVER;
    run->state = RUN_FORWARD;
    w.facts[0].ss_no_times = 5;
    healthy(&w, 3);
    uint32_t catch_up = plan_row_of(PLAN_SWITCHOVER, STEP_CATCH_UP);
    run->row = plan_row_of(PLAN_SWITCHOVER, STEP_ROUTE_CLOSE); /* from here it may be our doing */
    assert_true(catch_up < run->row);
    decide(&w.view, run, &fleet, w.now, wall_of(&w), &d);
    assert_true(w.view.lossless_fell_mono_us == STAY_NEVER);
    run->row = catch_up;
    run->state = RUN_UNDOING; /* it gives back what it took, whatever row it came to */
    decide(&w.view, run, &fleet, w.now, wall_of(&w), &d);
    assert_true(w.view.lossless_fell_mono_us == STAY_NEVER);
    run->state = RUN_FORWARD;
    decide(&w.view, run, &fleet, w.now, wall_of(&w), &d);
    assert_false(d.record.lossless_stands);
    assert_true(w.view.lossless_fell_mono_us != STAY_NEVER); /* the plan's next save carries it */
    free(run);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_stale_primary_that_takes_writes_is_closed_whatever_its_successor_does),
        T(no_plan_builds_on_a_lossless_that_was_seen_broken_but_not_stored),
        T(a_switchover_that_only_waits_does_not_hide_that_lossless_broke),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
