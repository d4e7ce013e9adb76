/* tests/unit/controller/decide/test_decide_outcast.c - a server that was set aside takes writes
 * again: its fence comes first, but one that hangs must not keep a dead primary's clients waiting.
 */
#include "decide_world.h"

static int setup_outcast(void **state)
{
    (void)setup(state);
    w.view.record.quarantine[1] = QUARANTINE_STALE_PRIMARY;
    w.facts[1].receiver = RECEIVER_NONE;
    w.facts[1].read_only = w.facts[1].super_read_only = TRI_NO;
    healthy(&w, 5);
    return 0;
}

/* For `ms` db1 refuses; the others answer. */
static void primary_is_dead_for(int ms)
{
    for (int i = 0; i < ms; i += 100) {
        w.now += MS(100);
        lose(&w, 0, LAYER_CONNECT, OUT_REFUSED, MS(0));
        see(&w, 1);
        w.facts[2].receiver = RECEIVER_CONNECTING;
        see(&w, 2);
    }
    w.now += MS(2);
}

static struct plan_run *fence_of(uint32_t node)
{
    struct plan_run *run = stay_calloc(1, sizeof *run);
    run->kind = PLAN_FENCE;
    run->state = RUN_FORWARD;
    run->params.node = node;
    run->row = plan_row_of(PLAN_FENCE, STEP_FENCE);
    run->begun_mono_us = w.now;
    return run;
}

static void an_open_outcast_is_fenced_before_anything_else(void **state)
{
    (void)state;
    primary_is_dead_for(400);
    struct decision d = judge_with(NULL, NULL);
    assert_int_equal(d.verdict.rule_id, 120);
    assert_int_equal(d.want, PLAN_FENCE);
    assert_int_equal(d.params.node, 1);
    assert_int_equal(d.vetoes, 0);
}

static void a_fence_that_hangs_gives_way_to_a_failover(void **state)
{
    (void)state;
    struct plan_run *run = fence_of(1);
    primary_is_dead_for(1000);
    struct decision d = judge_with(run, NULL);
    assert_int_equal(d.verdict.rule_id, 120);
    assert_int_equal(d.want, PLAN_FENCE); /* it has its time */
    assert_false(guard_preempts(&d, run));
    primary_is_dead_for(600);
    d = judge_with(run, NULL);
    assert_int_equal(d.want, PLAN_FAILOVER);
    assert_true(guard_preempts(&d, run));
    run->state = RUN_UNDONE;
    run->ended_mono_us = w.now;
    d = judge_with(run, NULL);
    assert_int_equal(d.want, PLAN_FAILOVER);
    assert_int_equal(d.vetoes, 0);
    free(run);
}

static void a_fence_is_not_given_up_for_a_failover_that_may_not_start(void **state)
{
    (void)state;
    struct plan_run *run = fence_of(1);
    primary_is_dead_for(3000);
    w.view.record.cooldown_until_wall_us = INT64_MAX;
    assert_int_equal(judge_with(run, NULL).want, PLAN_FENCE);
    w.view.record.cooldown_until_wall_us = 0;
    w.view.record.mode = MODE_UNSAFE; /* a guard lets it pass, its own checks refuse it */
    w.view.record.lossless_stands = false;
    struct decision d = judge_with(run, NULL);
    assert_int_equal(d.want, PLAN_FENCE);
    assert_false(guard_preempts(&d, run));
    w.view.record.mode = MODE_LOSSLESS;
    w.view.record.lossless_stands = true;
    w.view.repair_failed_mono_us = w.now - SEC(1); /* it was tried just now, in vain */
    assert_int_equal(judge_with(run, NULL).want, PLAN_FENCE);
    w.view.repair_failed_mono_us = STAY_NEVER;
    assert_int_equal(judge_with(run, NULL).want, PLAN_FAILOVER);
    free(run);
}

/* Beside a primary that is well: it hangs and was tried just now, and nobody else is open. */
static void a_fence_that_hangs_and_failed_just_now_is_not_named_again_at_once(void **state)
{
    (void)state;
    struct plan_run *run = fence_of(1);
    healthy(&w, 4);
    assert_int_equal(judge_with(run, NULL).want, PLAN_FENCE); /* overdue: it goes on all the same */
    w.view.nodes[1].repair_failed_mono_us = w.now - SEC(1);
    assert_int_equal(judge_with(run, NULL).want, PLAN_NONE);
    w.view.nodes[1].repair_failed_mono_us = w.now - SEC(2);
    assert_int_equal(judge_with(run, NULL).want, PLAN_FENCE);
    free(run);
}

static void a_fence_that_hangs_gives_way_to_the_next_outcast(void **state)
{
    (void)state;
    struct plan_run *run = fence_of(1);
    w.view.record.quarantine[2] = QUARANTINE_DIVERGED;
    w.facts[2].receiver = RECEIVER_NONE;
    w.facts[2].read_only = w.facts[2].super_read_only = TRI_NO;
    healthy(&w, 1);
    struct decision d = judge_with(run, NULL);
    assert_int_equal(d.params.node, 1);
    assert_false(guard_preempts(&d, run));
    healthy(&w, 2);
    d = judge_with(run, NULL);
    assert_int_equal(d.want, PLAN_FENCE);
    assert_int_equal(d.params.node, 2);
    assert_true(guard_preempts(&d, run));
    free(run);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup_outcast, teardown)
    const struct CMUnitTest tests[] = {
        T(an_open_outcast_is_fenced_before_anything_else),
        T(a_fence_that_hangs_gives_way_to_a_failover),
        T(a_fence_is_not_given_up_for_a_failover_that_may_not_start),
        T(a_fence_that_hangs_and_failed_just_now_is_not_named_again_at_once),
        T(a_fence_that_hangs_gives_way_to_the_next_outcast),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
