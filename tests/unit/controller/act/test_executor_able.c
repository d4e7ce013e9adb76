/* tests/unit/controller/act/test_executor_able.c - a server outside A that nobody reached when the
 * failover began comes back in the middle of it, and could acknowledge for the old primary: F0
 * needs it frozen as well, and what it took counts. */
#include "tests/unit/controller/act/exec_world.h"

#include "controller/decide/plan_private.h"

#define SILENT_THIRD                                                                               \
    "node db1 zone a\nnode db2 zone b\nnode db3 zone c promote never\n"                            \
    "record primary db1 mode lossless stands ackers db2\n"                                         \
    "fact db1 executed 0-1-100\nfact db2 executed 0-1-100 received 0-1-100\n"                      \
    "fact db3 executed 0-1-100 received 0-1-100\nsilent db3\nrefused db1\n"

/* Runs until the first effect of `step` waits to be done. */
static void run_to(struct world *w, enum step_kind step)
{
    while (w->count == 0 || w->queue[0].is_save || w->queue[0].effect.step != step)
        assert_true(world_step(w));
}

/* Somebody started its receiver, and a probe sees it. */
static void third_comes_up(struct world *w, const char *received)
{
    struct node_view *seen = &w->c.view.nodes[2];
    w->servers[2].up = w->servers[2].receiver_on = true;
    case_gtids(&w->c, received, &w->servers[2].received);
    case_gtids(&w->c, received, &seen->facts.received);
    gtid_set_union(&seen->received_high, &seen->facts.received);
    seen->facts.receiver = RECEIVER_RUNNING;
    seen->facts.ss_replica_enabled = TRI_YES;
    seen->facts_begun_mono_us = seen->facts_mono_us = seen->query_ok_mono_us = w->now;
}

static void it_is_frozen_wherever_the_plan_is_before_the_promotion(void **state)
{
    (void)state;
    static const enum step_kind steps[] = {STEP_FREEZE, STEP_DRAIN, STEP_DETACH,
                                           STEP_VERIFY_FREEZE};
    for (size_t i = 0; i < STAY_COUNT(steps); i++) {
        struct world w;
        struct stay_error err = {0};
        world_open(&w, SILENT_THIRD);
        assert_int_equal(world_plan(&w, PLAN_FAILOVER, NO_NODE, &err), STAY_OK);
        run_to(&w, steps[i]);
        assert_null(strstr(str_text(&w.log), "freeze db3"));
        third_comes_up(&w, "0-1-101"); /* acknowledged to a client of a primary that came back */
        world_run(&w);
        const char *frozen = strstr(str_text(&w.log), "freeze db3");
        const char *opened = strstr(str_text(&w.log), "make writable db2");
        if (frozen == NULL || opened == NULL || opened < frozen ||
            !strstr(frozen, "top up db2 from db3"))
            fail_msg("seen before %s:\n%s", step_kind_text(steps[i]), str_text(&w.log));
        assert_true(gtid_set_contains(&w.servers[1].executed, &w.servers[2].executed));
        assert_int_equal(executor_run(w.x)->certificate.kind, CERT_LOSSLESS);
        assert_int_equal(executor_run(w.x)->state, RUN_SUCCEEDED);
        world_close(&w);
    }
}

/* Runs until the save before the first effect of `step` is on the way. */
static void run_to_save_of(struct world *w, enum step_kind step)
{
    const struct plan_run *run = executor_run(w->x);
    while (w->count != 1 || !w->queue[0].is_save ||
           run->rows[plan_row_of(run->kind, step)].state != ROW_RUNNING)
        assert_true(world_step(w));
}

/* A slow store: the promotion was judged and waits for its save. */
static void it_is_frozen_while_the_promotion_is_being_saved(void **state)
{
    (void)state;
    struct world w;
    struct stay_error err = {0};
    world_open(&w, SILENT_THIRD);
    assert_int_equal(world_plan(&w, PLAN_FAILOVER, NO_NODE, &err), STAY_OK);
    run_to_save_of(&w, STEP_WRITABLE);
    third_comes_up(&w, "0-1-101");
    world_run(&w);
    const char *frozen = strstr(str_text(&w.log), "freeze db3");
    const char *opened = strstr(str_text(&w.log), "make writable db2");
    if (frozen == NULL || opened == NULL || opened < frozen)
        fail_msg("%s", str_text(&w.log));
    assert_true(gtid_set_contains(&w.servers[1].executed, &w.servers[2].executed));
    assert_int_equal(executor_run(w.x)->state, RUN_SUCCEEDED);
    world_close(&w);
}

static void a_fence_lifted_while_the_promotion_is_being_saved_is_set_again(void **state)
{
    (void)state;
    struct world w;
    struct stay_error err = {0};
    world_open(&w, "node db1 zone a\nnode db2 zone b\n"
                   "record primary db1 mode lossless stands ackers db2\n"
                   "fact db1 executed 0-1-100\nfact db2 executed 0-1-100 received 0-1-100\n");
    assert_int_equal(world_plan(&w, PLAN_FAILOVER, NO_NODE, &err), STAY_OK);
    run_to_save_of(&w, STEP_WRITABLE);
    assert_true(executor_run(w.x)->fenced);
    w.servers[0].writable = true; /* by its own configuration, say */
    w.c.view.nodes[0].facts.read_only = TRI_NO;
    w.c.view.nodes[0].facts_begun_mono_us = w.c.view.nodes[0].query_ok_mono_us = w.now;
    world_run(&w);
    assert_int_equal(w.two_writable, 0);
    const char *fenced = strstr(str_text(&w.log), "fence db1");
    assert_non_null(strstr(fenced + 1, "fence db1"));
    world_close(&w);
}

static void what_it_took_and_cannot_execute_is_no_lossless(void **state)
{
    (void)state;
    static const char *const taken[] = {"0-1-100", "0-1-101"};
    for (size_t i = 0; i < STAY_COUNT(taken); i++) {
        struct world w;
        struct stay_error err = {0};
        world_open(&w, SILENT_THIRD);
        assert_int_equal(world_plan(&w, PLAN_FAILOVER, NO_NODE, &err), STAY_OK);
        run_to(&w, STEP_FREEZE);
        third_comes_up(&w, taken[i]);
        w.servers[2].applier_stuck = true;
        world_run(&w);
        enum plan_state expected = i == 0 ? RUN_SUCCEEDED : RUN_UNDONE;
        if (executor_run(w.x)->state != expected)
            fail_msg("taken %s: %s\n%s", taken[i], plan_state_text(executor_run(w.x)->state),
                     str_text(&w.log));
        assert_int_equal(w.servers[1].writable, i == 0);
        world_close(&w);
    }
}

/* Ours ends its connection to the old primary, which may answer waiting sessions when it is stopped
 * in order: on MySQL that is no proof. */
static void on_mysql_revocation_alone_no_longer_tells(void **state)
{
    (void)state;
    char text[] = "engine mysql\nnode db1 zone a\nnode db2 zone b\nnode db3 zone c\n"
                  "record primary db1 mode lossless stands ackers db2\n";
    struct case_view c;
    case_load(&c, text);
    struct plan_run run = {.kind = PLAN_FAILOVER, .a = 2, .acks_flowed = true};
    run.begun_mono_us = CASE_NOW;
    c.view.nodes[2].facts.ss_replica_enabled = TRI_YES;
    plan_note_able(&run, &c.view);
    assert_true(run.able == 0 && run.acks_flowed); /* asked before the run began */
    c.view.nodes[2].facts_begun_mono_us = CASE_NOW + 1;
    plan_note_able(&run, &c.view);
    assert_true(run.able == 4 && !run.acks_flowed);
    case_clear(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_frozen_wherever_the_plan_is_before_the_promotion),
        cmocka_unit_test(it_is_frozen_while_the_promotion_is_being_saved),
        cmocka_unit_test(a_fence_lifted_while_the_promotion_is_being_saved_is_set_again),
        cmocka_unit_test(what_it_took_and_cannot_execute_is_no_lossless),
        cmocka_unit_test(on_mysql_revocation_alone_no_longer_tells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
