/* tests/unit/controller/act/test_executor_asks.c - a failover that stopped with a question past its
 * point of no return: the store keeps the question, so that the next process starts nothing and
 * fences nobody either, until a human decided. */
#include "tests/unit/controller/act/exec_world.h"

#define PAIR                                                                                       \
    "node db1 zone a\nnode db2 zone b\nrecord primary db1 mode lossless stands ackers db2\n"       \
    "fact db1 executed 0-1-100\nfact db2 executed 0-1-100 received 0-1-100\nrefused db1\n"

/* The process dies when db2 was just opened. The old primary comes back meanwhile: somebody had
 * switched its semi-sync off, and it holds what db2 lacks. */
static void open_and_ask(struct world *w)
{
    struct stay_error err = {0};
    world_open(w, PAIR);
    if (world_plan(w, PLAN_FAILOVER, NO_NODE, &err) != STAY_OK)
        fail_msg("start: %s", err.text);
    while (w->count == 0 || w->queue[0].is_save || w->queue[0].effect.step != STEP_WRITABLE)
        assert_true(world_step(w));
    w->die_at = w->calls + 1;
    w->die_after = true;
    world_run(w);
    assert_true(w->is_dead && w->servers[1].writable);
    w->servers[0].up = w->servers[0].writable = true;
    case_gtids(&w->c, "0-1-105", &w->servers[0].executed);
    w->c.view.nodes[0].refused_first_mono_us = STAY_NEVER;
    w->c.view.nodes[0].facts.ss_source_on = TRI_NO;
    assert_true(world_resume(w));
    world_run(w);
    assert_int_equal(executor_run(w->x)->state, RUN_ASKS);
    assert_true(executor_run(w->x)->past_no_return);
}

/* What the controller wants on its own; `run` is its memory. */
static enum plan_kind wants(struct world *w, const struct plan_run *run)
{
    struct decision d;
    struct fleet fleet = {0};
    for (int i = 0; i < 4; i++) {
        w->now += STAY_SECOND;
        world_probe(w);
        w->c.view.nodes[1].facts.receiver = RECEIVER_NONE;
        decide(&w->c.view, run, &fleet, w->now, w->now + CASE_WALL - CASE_NOW, &d);
    }
    return d.want;
}

static void the_next_process_knows_the_question(void **state)
{
    (void)state;
    struct world w;
    open_and_ask(&w);
    assert_string_equal(w.stored.primary, "db1");
    assert_string_equal(w.stored.asks, "db2");
    assert_string_equal(w.stored.plan_id, "");
    assert_int_equal(wants(&w, executor_run(w.x)), PLAN_NONE);
    executor_free(w.x);
    STAY_AUTO(stay_json_drop) json_t *json = cluster_record_to_json(&w.stored, &w.c.config);
    struct stay_error err = {0};
    uint64_t version = w.stored.version;
    assert_int_equal(cluster_record_from_json(json, &w.c.config, &w.stored, &err), STAY_OK);
    w.stored.version = version;
    world_restart(&w);
    assert_null(executor_run(w.x));
    assert_true(decide_is_human_asked(&w.c.view, NULL));
    assert_int_equal(wants(&w, NULL), PLAN_NONE);
    w.c.view.record.asks[0] = '\0'; /* as `mainstay release` does */
    assert_int_not_equal(wants(&w, NULL), PLAN_NONE);
    world_close(&w);
}

static void a_plan_of_a_human_answers_it(void **state)
{
    (void)state;
    static const struct {
        enum plan_kind kind;
        uint32_t node;
        bool automatic, answers;
    } cases[] = {
        {PLAN_FENCE, 1, false, true},         {PLAN_FENCE, 0, false, false},
        {PLAN_UNFENCE, 0, false, true},       {PLAN_REJOIN, 1, false, true},
        {PLAN_MAKE_WRITABLE, 0, false, true}, {PLAN_START_APPLIER, 1, false, false},
        {PLAN_MAKE_WRITABLE, 0, true, false},
    };
    struct world w;
    open_and_ask(&w);
    struct plan_run *run = stay_calloc(1, sizeof *run);
    for (size_t i = 0; i < STAY_COUNT(cases); i++) {
        struct cluster_record record = w.c.view.record;
        run->kind = cases[i].kind;
        run->params.node = cases[i].node;
        run->params.automatic = cases[i].automatic;
        run->state = RUN_UNDONE;
        plan_end_record(run, &w.c.view, 0, &record);
        assert_string_equal(record.asks, "db2");
        run->state = RUN_SUCCEEDED;
        plan_end_record(run, &w.c.view, 0, &record);
        assert_string_equal(record.asks, cases[i].answers ? "" : "db2");
    }
    free(run);
    world_close(&w);
}

/* The journal cannot be read: what its plan did is not known, its record still names it. */
static void a_journal_that_cannot_be_taken_up_is_a_question(void **state)
{
    (void)state;
    struct world w;
    struct stay_error err = {0};
    world_open(&w, PAIR);
    assert_int_equal(world_plan(&w, PLAN_FAILOVER, NO_NODE, &err), STAY_OK);
    while (w.count == 0 || w.queue[0].is_save || w.queue[0].effect.step != STEP_WRITABLE)
        assert_true(world_step(&w));
    w.die_at = w.calls + 1;
    w.die_after = true;
    world_run(&w);
    world_restart(&w);
    assert_int_not_equal(executor_resume(w.x, "{\"format\":1}", w.now, w.now, &err), STAY_OK);
    w.servers[0].up = true;
    w.c.view.nodes[0].refused_first_mono_us = STAY_NEVER;
    assert_int_equal(wants(&w, executor_run(w.x)), PLAN_NONE);
    w.c.view.record.plan_id[0] = '\0'; /* as `mainstay release` does */
    assert_int_not_equal(wants(&w, executor_run(w.x)), PLAN_NONE);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_process_knows_the_question),
        cmocka_unit_test(a_plan_of_a_human_answers_it),
        cmocka_unit_test(a_journal_that_cannot_be_taken_up_is_a_question),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
