/* tests/unit/controller/decide/test_step_times.c - what past failovers took foretells the next one:
 * rows side by side count once, deaths of one kind only, the middle of the newest, and nothing is
 * foretold of what was never measured. */
#include "tests/unit/controller/decide/case_view.h"

#include "controller/decide/rehearsal.h"
#include "controller/decide/plan_private.h"

#define MS(n) ((n)*STAY_MS)

static uint32_t row_of(enum step_kind step)
{
    return plan_row_of(PLAN_FAILOVER, step);
}

static void did(struct plan_run *run, enum step_kind step, int64_t from_ms, int64_t to_ms)
{
    struct row_run *row = &run->rows[row_of(step)];
    row->state = ROW_DONE;
    row->begun_mono_us = run->begun_mono_us + MS(from_ms);
    row->ended_mono_us = run->begun_mono_us + MS(to_ms);
}

/* Route and freeze side by side until 20 and 30, ..., writable `writable_ms` later, open 10 ms
 * after that. Its primary ended its replicas' connections, or was silent. */
static struct plan_run past(int64_t begun_s, int64_t writable_ms, bool silent)
{
    struct plan_run run = {.kind = PLAN_FAILOVER, .state = RUN_SUCCEEDED, .f = NODE_BIT(1)};
    run.begun_wall_us = run.begun_mono_us = begun_s * STAY_SECOND;
    run.lost_first =
        silent ? NODE_BIT(0) : NODE_BIT(0) | NODE_BIT(1); /* its own bit says nothing */
    did(&run, STEP_INTENT, 0, 5);
    did(&run, STEP_ROUTE_CLOSE, 5, 20);
    did(&run, STEP_FREEZE, 5, 30);
    did(&run, STEP_DRAIN, 32, 40);
    did(&run, STEP_WRITABLE, 40, 40 + writable_ms);
    did(&run, STEP_ROUTE_OPEN, 40 + writable_ms, 50 + writable_ms);
    did(&run, STEP_COMMIT, 50 + writable_ms, 9000);
    return run;
}

static const char two_nodes[] = "node db1 zone a\nnode db2 zone b\n"
                                "record primary db1 mode lossless stands ackers db2\n"
                                "fact db1 executed 0-1-100\n"
                                "fact db2 executed 0-1-100 received 0-1-100 acks yes\n";

static struct step_forecast foretold(const struct step_times *times, int64_t lag_s, bool silent)
{
    struct case_view c;
    char text[sizeof two_nodes];
    struct step_forecast forecast;
    struct plan_params params = {.node = NO_NODE, .detected_mono_us = STAY_NEVER};
    memcpy(text, two_nodes, sizeof text);
    case_load(&c, text);
    struct plan_run *run = stay_calloc(1, sizeof *run);
    assert_int_equal(
        plan_foresee(run, PLAN_FAILOVER, &params, &c.view, 0, CASE_NOW, CASE_WALL, NULL), STAY_OK);
    if (silent)
        run->lost_first = 0;
    c.view.nodes[1].facts.lag_s = lag_s;
    step_times_foresee(times, run, &c.view, 0, CASE_NOW, &forecast);
    plan_run_clear(run);
    free(run);
    case_clear(&c);
    return forecast;
}

static void nothing_measured_foretells_nothing(void **state)
{
    (void)state;
    struct step_times times = {0};
    struct step_forecast f = foretold(&times, 0, false);
    assert_int_equal(f.plans, 0);
    assert_int_equal(f.steps_us, -1);
}

static void rows_side_by_side_count_once(void **state)
{
    (void)state;
    struct step_times times = {0};
    struct plan_run run = past(100, 60, false);
    assert_true(step_times_add(&times, &run));
    struct step_forecast f = foretold(&times, 0, false);
    assert_int_equal(f.plans, 1);
    assert_int_equal(f.row_us[row_of(STEP_ROUTE_CLOSE)], MS(15));
    assert_int_equal(f.row_us[row_of(STEP_FREEZE)], MS(10));
    assert_int_equal(f.row_us[row_of(STEP_DRAIN)], MS(10)); /* with what the store took before */
    assert_int_equal(f.steps_us, MS(110));                  /* up to the open route */
    assert_int_equal(f.row_us[row_of(STEP_COMMIT)], -1);
}

static void a_silent_death_is_another_kind(void **state)
{
    (void)state;
    struct step_times times = {0};
    struct plan_run ended = past(100, 60, false), silent = past(200, 1060, true);
    assert_true(step_times_add(&times, &ended));
    assert_int_equal(foretold(&times, 0, true).steps_us, -1);
    assert_true(step_times_add(&times, &silent));
    assert_int_equal(foretold(&times, 0, true).steps_us, MS(1110));
    assert_int_equal(foretold(&times, 0, false).steps_us, MS(110));
}

static void the_middle_of_the_newest_counts(void **state)
{
    (void)state;
    struct step_times times = {0};
    struct plan_run old = past(50, 5000, false);
    for (int i = 0; i < STEP_TIMES_KEEP; i++) {
        struct plan_run run = past(100 + i, i == 3 ? 3000 : 10 * (i + 1), false);
        assert_true(step_times_add(&times, &run));
    }
    assert_false(step_times_add(&times, &old)); /* read from the store in no order */
    /* 10 20 30 50 60 70 80 90 3000: the middle is 60 */
    assert_int_equal(foretold(&times, 0, false).row_us[row_of(STEP_WRITABLE)], MS(60));
    for (int i = 0; i < STEP_TIMES_KEEP; i++) {
        struct plan_run run = past(200 + i, 100, false);
        assert_true(step_times_add(&times, &run));
    }
    assert_int_equal(foretold(&times, 0, false).row_us[row_of(STEP_WRITABLE)], MS(100));
}

static void lag_is_waited_for(void **state)
{
    (void)state;
    struct step_times times = {0};
    struct plan_run run = past(100, 60, false);
    assert_true(step_times_add(&times, &run));
    struct step_forecast f = foretold(&times, 7, false);
    assert_int_equal(f.drain_us, 7 * STAY_SECOND);
    assert_int_equal(f.steps_us, MS(7110));
    assert_int_equal(foretold(&times, 1, false).drain_us, 0);
}

static void other_runs_measure_nothing(void **state)
{
    (void)state;
    struct step_times times = {0};
    struct plan_run undone = past(100, 60, false), moved = undone, clocks = undone, slow = undone;
    undone.state = RUN_UNDONE;
    moved.kind = PLAN_SWITCHOVER;
    clocks.rows[row_of(STEP_DRAIN)].begun_mono_us = MS(1); /* another process's clock */
    did(&slow, STEP_WRITABLE, 40, 7200 * 1000);
    assert_false(step_times_add(&times, &undone));
    assert_false(step_times_add(&times, &moved));
    assert_false(step_times_add(&times, &clocks));
    assert_false(step_times_add(&times, &slow));
    assert_int_equal(times.ended.plans + times.silent.plans, 0);
}

/* A fence that ended, even badly, while the route was still being closed. */
static void a_row_within_another_costs_nothing_more(void **state)
{
    (void)state;
    struct step_times times = {0};
    struct plan_run run = past(100, 60, false);
    did(&run, STEP_FENCE, 5, 12);
    run.rows[row_of(STEP_FENCE)].state = ROW_FAILED;
    assert_true(step_times_add(&times, &run));
    assert_int_equal(times.ended.share_us[0][row_of(STEP_FENCE)], 0);
    assert_int_equal(foretold(&times, 0, false).steps_us, MS(110));
    did(&run, STEP_FREEZE, 30, 5); /* ended by another process's clock */
    assert_false(step_times_add(&times, &run));
}

/* A zone dies: a freeze waits for those of its servers that answered a moment ago. */
static void a_freeze_waits_for_who_died_with_the_zone(void **state)
{
    (void)state;
    struct case_view c;
    struct step_times times = {0};
    struct step_forecast forecast;
    struct plan_params params = {.node = NO_NODE, .detected_mono_us = STAY_NEVER};
    struct plan_run one = past(100, 60, false);
    static struct plan_run run;
    const uint32_t freeze = row_of(STEP_FREEZE);
    assert_true(step_times_add(&times, &one));
    case_open(&c, two_nodes);
    assert_int_equal(
        plan_foresee(&run, PLAN_FAILOVER, &params, &c.view, 0, CASE_NOW, CASE_WALL, NULL), STAY_OK);
    step_times_foresee(&times, &run, &c.view, NODE_BIT(1), CASE_NOW, &forecast);
    assert_int_equal(forecast.row_us[freeze], plan_row_at(&run, freeze)->deadline_us);
    assert_int_equal(forecast.wait_us, forecast.row_us[freeze] - MS(10));
    run.a = 0; /* it never acknowledged: not waited for longer than others */
    step_times_foresee(&times, &run, &c.view, NODE_BIT(1), CASE_NOW, &forecast);
    assert_int_equal(forecast.row_us[freeze], PLAN_OTHERS_US);
    plan_run_clear(&run);
    case_clear(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_measured_foretells_nothing),
        cmocka_unit_test(rows_side_by_side_count_once),
        cmocka_unit_test(a_silent_death_is_another_kind),
        cmocka_unit_test(the_middle_of_the_newest_counts),
        cmocka_unit_test(lag_is_waited_for),
        cmocka_unit_test(other_runs_measure_nothing),
        cmocka_unit_test(a_row_within_another_costs_nothing_more),
        cmocka_unit_test(a_freeze_waits_for_who_died_with_the_zone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
