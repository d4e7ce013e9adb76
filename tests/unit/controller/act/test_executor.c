/* tests/unit/controller/act/test_executor.c - plans run to their ends in the small world: what is
 * done in which order, and what is left when something fails. */
#include "tests/unit/controller/act/exec_world.h"

#define PAIR                                                                                       \
    "node db1 zone a\nnode db2 zone b\n"                                                           \
    "record primary db1 mode lossless stands ackers db2\n"                                         \
    "fact db1 executed 0-1-100\nfact db2 executed 0-1-90 received 0-1-100\n"
#define WITNESS                                                                                    \
    "node db1 zone a\nnode db2 zone b\nnode db3 zone c promote never\n"                            \
    "record primary db1 mode lossless stands ackers db2,db3\n"                                     \
    "fact db1 executed 0-1-100\nfact db2 executed 0-1-90 received 0-1-99\n"                        \
    "fact db3 executed 0-1-95 received 0-1-100\n"

static void start(struct world *w, enum plan_kind kind, uint32_t node)
{
    struct stay_error err = {0};
    if (world_plan(w, kind, node, &err) != STAY_OK)
        fail_msg("start: %s", err.text);
}

static void assert_log(struct world *w, const char *expected)
{
    assert_string_equal(str_text(&w->log), expected);
}

static void failover_of_a_pair_drains_degrades_and_promotes(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, PAIR "refused db1\n");
    start(&w, PLAN_FAILOVER, NO_NODE);
    world_run(&w);
    const struct plan_run *run = executor_run(w.x);
    assert_log(&w, "save record\nhook before\nsave\nclose route db1\nfreeze db2\ndrain db2\nsave\n"
                   "detach db2\nsave record\nverify freeze db2\nsave\nmake writable db2\n"
                   "canary db2\nsave\nopen route db2\nsave record\ncanary through route db2\nsave\n"
                   "hook after db2\nsave record\n");
    assert_int_equal(run->state, RUN_SUCCEEDED);
    assert_int_equal(run->certificate.kind, CERT_LOSSLESS);
    assert_int_equal(w.route, 1);
    assert_string_equal(w.stored.primary, "db2");
    assert_int_equal(w.stored.mode, MODE_BOUNDED);
    assert_int_equal(w.stored.epoch, 8);
    assert_string_equal(w.stored.plan_id, "");
    assert_int_equal(w.stored.quarantine[0], QUARANTINE_STALE_PRIMARY);
    assert_true(w.servers[1].writable && !w.servers[1].ss_source);
    assert_int_equal(w.ends, 1);
    world_close(&w);
}

static void failover_tops_up_and_keeps_lossless_with_a_third_zone(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, WITNESS "refused db1\n");
    start(&w, PLAN_FAILOVER, NO_NODE);
    world_run(&w);
    const struct plan_run *run = executor_run(w.x);
    assert_int_equal(run->state, RUN_SUCCEEDED);
    assert_log(&w, "save record\nhook before\nsave\nclose route db1\nfreeze db2\nfreeze db3\n"
                   "drain db2\ndrain db3\nsave\ntop up db2 from db3\nsave\ndetach db2\nsave\n"
                   "source role on db2\nsave\nattach db3 from db2 acking\nwait for ackers db2\n"
                   "verify freeze db2\nverify freeze db3\nsave\nmake writable db2\ncanary db2\n"
                   "save\nopen route db2\nsave record\ncanary through route db2\nsave\n"
                   "hook after db2\nsave record\n");
    assert_int_equal(w.stored.mode, MODE_LOSSLESS);
    assert_false(w.stored.lossless_stands);
    assert_int_equal(w.stored.ackers, 4);
    assert_int_equal(w.two_writable, 0);
    world_close(&w);
}

static void switchover_swaps_roles_within_few_round_trips(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, PAIR "fact db2 executed 0-1-100\n");
    start(&w, PLAN_SWITCHOVER, NO_NODE);
    world_run(&w);
    assert_log(&w, "save record\nhook before\ncollect db1\ncatch up db2\nsave\nclose route db1\n"
                   "quiesce db1\ncatch up db2\nsave\ndetach db2\nsource role off db1\nsave\n"
                   "source role on db2\nattach db1 from db2 acking\nwait for ackers "
                   "db2\nsave\nmake writable db2\n"
                   "canary db2\nsave\nopen route db2\nsave record\ncanary through route db2\nsave\n"
                   "attach db1 from db2 acking\nsave\nhook after db2\nsave record\n");
    assert_int_equal(executor_run(w.x)->state, RUN_SUCCEEDED);
    assert_int_equal(executor_run(w.x)->certificate.proof, PROOF_F1_CONFIRMED);
    assert_int_equal(w.two_writable, 0);
    assert_string_equal(w.stored.primary, "db2");
    assert_int_equal(w.stored.quarantine[0], QUARANTINE_NONE);
    assert_true(w.servers[0].receiver_on && !w.servers[0].writable);
    world_close(&w);
}

static void switchover_waits_for_a_lagging_candidate_before_the_pause(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, PAIR "fact db2 executed 0-1-100\n");
    w.answer_cost_us = 400 * STAY_MS; /* longer than short, shorter than a pause may be */
    start(&w, PLAN_SWITCHOVER, NO_NODE);
    world_run(&w);
    const struct plan_run *run = executor_run(w.x);
    const char *pause = strstr(str_text(&w.log), "close route");
    const char *rounds = strstr(str_text(&w.log), "collect db1\ncatch up db2\ncollect db1\n");
    assert_non_null(rounds);
    assert_non_null(pause);
    assert_true(rounds < pause);
    uint32_t close = plan_row_of(PLAN_SWITCHOVER, STEP_ROUTE_CLOSE);
    assert_true(run->rows[close].begun_mono_us - run->begun_mono_us >= 10 * STAY_SECOND);
    world_close(&w);
}

static void switchover_of_a_candidate_that_lags_touches_nothing(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, PAIR "fact db2 executed 0-1-100\n");
    w.answer_cost_us = 1200 * STAY_MS;
    start(&w, PLAN_SWITCHOVER, NO_NODE);
    world_run(&w);
    const struct plan_run *run = executor_run(w.x);
    assert_int_equal(run->state, RUN_UNDONE);
    assert_non_null(strstr(run->text, "db2 was 1200 ms behind"));
    assert_null(strstr(str_text(&w.log), "close route"));
    assert_null(strstr(str_text(&w.log), "quiesce"));
    assert_true(w.servers[0].writable);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failover_of_a_pair_drains_degrades_and_promotes),
        cmocka_unit_test(failover_tops_up_and_keeps_lossless_with_a_third_zone),
        cmocka_unit_test(switchover_swaps_roles_within_few_round_trips),
        cmocka_unit_test(switchover_waits_for_a_lagging_candidate_before_the_pause),
        cmocka_unit_test(switchover_of_a_candidate_that_lags_touches_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
