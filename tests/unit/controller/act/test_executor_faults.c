/* tests/unit/controller/act/test_executor_faults.c - what the executor keeps when the world
 * misbehaves: late and repeated answers, answers in any order, a second leader, a store that fails,
 * deadlines, the validity of SQL, a stored run read back. */
#include "tests/unit/controller/act/exec_world.h"

#define PAIR                                                                                       \
    "node db1 zone a\nnode db2 zone b\n"                                                           \
    "record primary db1 mode lossless stands ackers db2\n"                                         \
    "fact db1 executed 0-1-100\nfact db2 executed 0-1-100 received 0-1-100\n"
#define MANY                                                                                       \
    "node db1 zone a\nnode db2 zone b\nnode db3 zone c\nnode db4 zone a\n"                         \
    "record primary db1 mode lossless stands ackers db2,db3\n"                                     \
    "fact db1 executed 0-1-100\nfact db2 executed 0-1-99 received 0-1-100\n"                       \
    "fact db3 executed 0-1-90 received 0-1-98\nfact db4 executed 0-1-97\n"

static void answers_in_any_order_give_the_same_end(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, MANY "refused db1\n");
    w.last_first = true;
    world_start(&w, PLAN_FAILOVER);
    world_run(&w);
    assert_int_equal(world_run_of(&w)->state, RUN_SUCCEEDED);
    assert_string_equal(w.stored.primary, "db2");
    assert_int_equal(w.stored.ackers, 4 | 8);
    world_close(&w);
}

static void a_late_or_repeated_answer_changes_nothing(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, PAIR "refused db1\n");
    world_start(&w, PLAN_FAILOVER);
    world_until(&w, STEP_DETACH);
    uint64_t token = w.queue[0].token;
    assert_true(world_step(&w));
    struct effect_result late = {.outcome = OUTCOME_NOT_DONE};
    executor_effect_done(w.x, token, &late, w.now);  /* again */
    executor_effect_done(w.x, 1, &late, w.now);      /* of an earlier row */
    executor_effect_done(w.x, 999999, &late, w.now); /* never given out */
    executor_saved(w.x, 999999, STAY_ECONFLICT, 0, w.now);
    world_run(&w);
    assert_int_equal(world_run_of(&w)->state, RUN_SUCCEEDED);
    world_close(&w);
}

static void an_effect_that_never_answers_is_unknown_at_the_deadline(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, PAIR "refused db1\n");
    world_start(&w, PLAN_FAILOVER);
    world_until(&w, STEP_ROUTE_CLOSE);
    uint64_t token = w.queue[0].token;
    memmove(&w.queue[0], &w.queue[1], --w.count * sizeof w.queue[0]); /* swallowed */
    int64_t before = w.now;
    world_run(&w);
    assert_int_equal(world_run_of(&w)->state, RUN_SUCCEEDED); /* best effort: noted, never blocks */
    uint32_t row = plan_row_of(PLAN_FAILOVER, STEP_ROUTE_CLOSE);
    assert_int_equal(world_run_of(&w)->rows[row].state, ROW_FAILED);
    assert_int_equal(world_run_of(&w)->rows[row].unknown, 1);
    assert_true(world_run_of(&w)->rows[row].ended_mono_us - before >= 700 * STAY_MS);
    (void)token;
    world_close(&w);
}

static void another_leader_stops_the_run_where_it_is(void **state)
{
    (void)state;
    for (uint32_t at = 1; at <= 8; at++) {
        struct world w;
        world_open(&w, PAIR "refused db1\n");
        w.conflict_at = at;
        world_start(&w, PLAN_FAILOVER);
        world_run(&w);
        assert_int_equal(world_run_of(&w)->state, RUN_ASKS);
        assert_non_null(strstr(world_run_of(&w)->text, "changed by somebody else"));
        assert_int_equal(w.count, 0); /* nothing more was started */
        assert_int_equal(w.saves, at);
        assert_int_equal(w.stored.epoch, at == 1 ? 12 : 13);
        world_close(&w);
    }
}

/* Every save is refused for so long; effects are done. */
static void store_refuses_for(struct world *w, int64_t us)
{
    int64_t end_us = w->now + us;
    for (int i = 0; i < 2000 && w->now < end_us && executor_is_busy(w->x); i++) {
        if (w->count > 0 && w->queue[0].is_save) {
            uint64_t token = w->queue[0].token;
            free(w->queue[0].journal);
            memmove(&w->queue[0], &w->queue[1], --w->count * sizeof w->queue[0]);
            executor_saved(w->x, token, STAY_ESYSTEM, 0, w->now);
            continue;
        }
        if (world_step(w))
            continue;
        world_wake(w);
    }
}

/* A store that refuses for minutes leaves nothing half done once it answers: undone then. */
static void a_store_that_was_gone_lets_the_plan_be_undone_when_it_is_back(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, PAIR);
    world_start(&w, PLAN_SWITCHOVER);
    world_until(&w, STEP_QUIESCE);
    store_refuses_for(&w, 3 * 60 * STAY_SECOND);
    assert_true(executor_is_busy(w.x)); /* nobody else may start a plan meanwhile */
    assert_non_null(strstr(world_run_of(&w)->text, "waits for it"));
    assert_true(!w.servers[0].writable && w.route == NO_NODE);
    world_run(&w);
    assert_int_equal(world_run_of(&w)->state, RUN_UNDONE);
    assert_non_null(strstr(world_run_of(&w)->text, "store did not take the journal"));
    assert_true(w.servers[0].writable && w.route == 0);
    assert_string_equal(w.stored.plan_id, "");
    world_close(&w);
}

static void a_store_that_was_gone_past_no_return_lets_the_plan_finish(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, PAIR);
    world_start(&w, PLAN_SWITCHOVER);
    world_until(&w, STEP_CANARY);
    store_refuses_for(&w, 3 * 60 * STAY_SECOND);
    assert_true(executor_is_busy(w.x));
    world_run(&w);
    assert_int_equal(world_run_of(&w)->state, RUN_SUCCEEDED);
    assert_string_equal(world_run_of(&w)->text, "");
    assert_string_equal(w.stored.primary, "db2");
    world_close(&w);
}

static void sql_that_changes_is_valid_for_half_a_second_after_its_save(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, PAIR "refused db1\n");
    w.answer_cost_us = 3000;
    world_start(&w, PLAN_FAILOVER);
    int64_t save_began = 0;
    while (executor_is_busy(w.x)) {
        if (w.queue[0].is_save)
            save_began = w.now;
        const struct effect *e = &w.queue[0].effect;
        if (!w.queue[0].is_save && e->step == STEP_WRITABLE)
            assert_int_equal(e->valid_until_mono_us, save_began + 500 * STAY_MS);
        if (!w.queue[0].is_save && e->step == STEP_DRAIN)
            assert_int_equal(e->valid_until_mono_us, INT64_MAX);
        assert_true(world_step(&w));
    }
    assert_int_equal(world_run_of(&w)->state, RUN_SUCCEEDED);
    world_close(&w);
}

static void a_slow_drain_is_asked_again_as_long_as_the_applier_runs(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, PAIR "fact db2 executed 0-1-50 received 0-1-100\nrefused db1\n");
    world_start(&w, PLAN_FAILOVER);
    int slices = 0;
    for (; slices < 4; slices++) {
        world_until(&w, STEP_DRAIN);
        struct server_facts facts;
        uint64_t token = w.queue[0].token;
        gtid_set_clear(&w.queue[0].want);
        w.count = 0;
        world_facts(&w, 1, &facts);
        w.now += 5 * STAY_SECOND;
        struct effect_result slow = {
            .outcome = OUTCOME_NOT_DONE, .groups_read = true, .facts = &facts};
        executor_effect_done(w.x, token, &slow, w.now);
        server_facts_clear(&facts);
        assert_true(executor_is_busy(w.x));
        w.now += STAY_SECOND;
        world_probe(&w);
        executor_tick(w.x, w.now, w.now);
    }
    world_run(&w);
    assert_int_equal(world_run_of(&w)->state, RUN_SUCCEEDED);
    assert_int_equal(world_run_of(&w)->certificate.kind, CERT_LOSSLESS);
    world_close(&w);
}

static void a_stored_run_reads_back_equal(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, MANY "refused db1\n");
    world_start(&w, PLAN_FAILOVER);
    world_until(&w, STEP_ATTACH);
    for (int cut = 0; cut < 2; cut++) {
        struct plan_run back = {0};
        struct stay_error err = {0};
        STAY_AUTO(stay_json_drop) json_t *once = plan_run_to_json(world_run_of(&w), &w.c.config);
        assert_int_equal(plan_run_from_json(once, &w.c.config, &back, &err), STAY_OK);
        STAY_AUTO(stay_json_drop) json_t *twice = plan_run_to_json(&back, &w.c.config);
        assert_true(json_equal(once, twice));
        plan_run_clear(&back);
        world_run(&w);
    }
    world_close(&w);
}

/* Each key of a stored run is needed, and none may have another type. */
static void a_damaged_stored_run_is_refused_key_by_key(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, MANY "refused db1\n");
    world_start(&w, PLAN_FAILOVER);
    world_until(&w, STEP_ATTACH);
    STAY_AUTO(stay_json_drop) json_t *good = plan_run_to_json(world_run_of(&w), &w.c.config);
    const char *key;
    json_t *value;
    struct plan_run back = {0};
    json_object_foreach(good, key, value)
    {
        struct stay_error err = {0};
        STAY_AUTO(stay_json_drop) json_t *bad = json_deep_copy(good);
        json_object_set_new(bad, key, json_real(1.5));
        if (plan_run_from_json(bad, &w.c.config, &back, &err) == STAY_OK)
            fail_msg("accepted a number as %s", key);
        assert_non_null(strstr(err.text, "stored plan"));
    }
    STAY_AUTO(stay_json_drop) json_t *short_rows = json_deep_copy(good);
    assert_int_equal(json_array_remove(json_object_get(short_rows, "rows"), 0), 0);
    assert_int_not_equal(plan_run_from_json(short_rows, &w.c.config, &back, NULL), STAY_OK);
    STAY_AUTO(stay_json_drop) json_t *other_step = json_deep_copy(good);
    json_object_set_new(json_array_get(json_object_get(other_step, "rows"), 3), "step",
                        json_string("canary"));
    assert_int_not_equal(plan_run_from_json(other_step, &w.c.config, &back, NULL), STAY_OK);
    STAY_AUTO(stay_json_drop) json_t *stranger = json_deep_copy(good);
    json_object_set_new(stranger, "candidate", json_string("db9"));
    assert_int_not_equal(plan_run_from_json(stranger, &w.c.config, &back, NULL), STAY_OK);
    STAY_AUTO(stay_json_drop) json_t *kind = json_deep_copy(good);
    json_object_set_new(kind, "kind", json_string("flyover"));
    assert_int_not_equal(plan_run_from_json(kind, &w.c.config, &back, NULL), STAY_OK);
    struct stay_error err = {0};
    struct executor *x = w.x;
    w.x = NULL;
    executor_free(x);
    for (size_t i = 0; i < w.count; i++)
        gtid_set_clear(&w.queue[i].want);
    w.count = 0;
    world_restart(&w);
    assert_int_not_equal(executor_resume(w.x, "{\"format\":1}", w.now, w.now, &err), STAY_OK);
    assert_int_not_equal(executor_resume(w.x, "{", w.now, w.now, &err), STAY_OK);
    assert_false(executor_is_busy(w.x));
    world_close(&w);
}

static void a_record_reads_back_equal(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, MANY);
    struct cluster_record record = w.stored, back = {0};
    struct stay_error err = {0};
    record.paused = record.adopted = true;
    record.cooldown_until_wall_us = 77;
    record.quarantine[2] = QUARANTINE_STALE_PRIMARY;
    (void)stay_copy(record.plan_id, sizeof record.plan_id, "shop-8");
    STAY_AUTO(stay_json_drop) json_t *json = cluster_record_to_json(&record, &w.c.config);
    assert_int_equal(cluster_record_from_json(json, &w.c.config, &back, &err), STAY_OK);
    back.version = record.version;
    STAY_AUTO(stay_json_drop) json_t *again = cluster_record_to_json(&back, &w.c.config);
    assert_true(json_equal(json, again));
    json_object_set_new(json_object_get(json, "quarantine"), "db3", json_string("odd"));
    assert_int_equal(cluster_record_from_json(json, &w.c.config, &back, &err), STAY_EINVALID);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_in_any_order_give_the_same_end),
        cmocka_unit_test(a_late_or_repeated_answer_changes_nothing),
        cmocka_unit_test(an_effect_that_never_answers_is_unknown_at_the_deadline),
        cmocka_unit_test(another_leader_stops_the_run_where_it_is),
        cmocka_unit_test(a_store_that_was_gone_lets_the_plan_be_undone_when_it_is_back),
        cmocka_unit_test(a_store_that_was_gone_past_no_return_lets_the_plan_finish),
        cmocka_unit_test(sql_that_changes_is_valid_for_half_a_second_after_its_save),
        cmocka_unit_test(a_slow_drain_is_asked_again_as_long_as_the_applier_runs),
        cmocka_unit_test(a_stored_run_reads_back_equal),
        cmocka_unit_test(a_damaged_stored_run_is_refused_key_by_key),
        cmocka_unit_test(a_record_reads_back_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
