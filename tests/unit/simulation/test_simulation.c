/* The simulator itself: a seed gives one life, the model answers as the real servers did, and the
 * events come in order. */
#include "tests/simulation/calibration.h"
#include "tests/simulation/sim_crash.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void events_come_in_time_and_then_in_order(void **state)
{
    (void)state;
    static struct sim_stats stats;
    struct sim *s = sim_new(&stats);
    struct sim_event e;
    int64_t last = 0;
    uint32_t order = 0;
    sim_reset(s, 3);
    s->event_n = 0;
    for (uint32_t i = 0; i < 500; i++)
        sim_at(s, s->now + sim_span(s, 0, 50), EV_TICK, i, 0, 0, 0);
    while (sim_next(s, &e)) {
        assert_true(e.at > last || (e.at == last && e.order > order));
        last = e.at;
        order = e.order;
    }
    sim_free(s);
}

/* The rows that the crash-point matrix may leave out, by name: no other ever is. */
static void open_rows_are_these(void **state)
{
    (void)state;
    uint32_t open = 0;
    for (int kind = PLAN_NONE + 1; kind < PLAN_KIND_COUNT; kind++)
        for (int engine = ENGINE_MARIADB; engine <= ENGINE_MYSQL; engine++) {
            size_t count = 0;
            const struct plan_row *rows = plan_rows((enum plan_kind)kind, &count);
            for (uint32_t row = 0; row < count; row++) {
                if (crash_open((enum plan_kind)kind, (enum engine)engine, row) == NULL)
                    continue;
                bool mysql = engine == ENGINE_MYSQL;
                open++;
                assert_true(
                    (kind == PLAN_RESEED && !mysql) || (kind == PLAN_END_STREAM && mysql) ||
                    (kind == PLAN_SWITCHOVER && mysql && rows[row].step == STEP_SOURCE_OFF));
            }
        }
    assert_int_equal(open, 15 + 4 + 1);
}

/* Everything that could differ between two lives of one seed. */
static uint64_t life_of(struct sim *s, uint64_t seed)
{
    (void)sim_run(s, seed);
    uint64_t hash = s->order;
    for (uint32_t i = 0; i < s->tx_n; i++)
        hash = hash * 31 + (uint64_t)s->tx[i].acked_at + s->tx[i].origin;
    return hash * 31 + (uint64_t)s->now + s->store.record.epoch;
}

static void a_seed_gives_one_life(void **state)
{
    (void)state;
    static struct sim_stats stats;
    struct sim *s = sim_new(&stats), *other = sim_new(&stats);
    for (uint64_t seed = 1; seed <= 12; seed++) {
        uint64_t first = life_of(s, seed);
        assert_int_equal(life_of(other, seed), first); /* a fresh world */
        (void)sim_run(s, seed + 1000);
        assert_int_equal(life_of(s, seed), first); /* a used one */
    }
    sim_free(s);
    sim_free(other);
}

static void every_turn_recorded_is_judged_the_same_again(void **state)
{
    (void)state;
    static struct sim_stats stats;
    struct sim *s = sim_new(&stats);
    s->replays = true;
    for (uint64_t seed = 1; seed <= 5; seed++)
        if (sim_run(s, seed) == INV_R1)
            fail_msg("seed %llu: %s", (unsigned long long)seed, s->violation_text);
    assert_in_range(stats.replayed, 1000, UINT64_MAX);
    sim_free(s);
}

static void the_model_answers_as_measured(void **state)
{
    (void)state;
    size_t count = 0, failed = 0;
    const struct calibration_script *scripts = calibration_scripts(&count);
    for (size_t i = 0; i < count; i++) {
        char text[200] = "";
        if (calibration_run_model(&scripts[i], text, sizeof text))
            continue;
        print_error("%s: %s\n", scripts[i].row, text);
        failed++;
    }
    assert_int_equal(failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_come_in_time_and_then_in_order),
        cmocka_unit_test(open_rows_are_these),
        cmocka_unit_test(a_seed_gives_one_life),
        cmocka_unit_test(every_turn_recorded_is_judged_the_same_again),
        cmocka_unit_test(the_model_answers_as_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
