/* tests/unit/controller/act/test_executor_twins.c - a server that wrote alone under numbers the
 * primary's line has given too: its set looks contained, so only the record keeps it from being
 * attached, whoever asks, until a human says that it was built anew. */
#include "tests/unit/controller/act/exec_world.h"

#define TWIN                                                                                       \
    "node db1 zone a\nnode db2 zone b\nnode db3 zone c\n"                                          \
    "record primary db1 mode lossless stands ackers db2 quarantine db3\n"                          \
    "fact db1 executed 0-1-100,0-3-60\nfact db2 executed 0-1-100,0-3-60\n"                         \
    "fact db3 executed 0-1-50,0-3-58 source -\n"

static void open_twin(struct world *w, const char *text)
{
    world_open(w, text);
    w->c.view.record.twins = w->stored.twins = 4;
}

static enum stay_rc rejoin(struct world *w, const char *reseeded, struct stay_error *err)
{
    struct plan_params params = {.node = 2, .accept_loss = reseeded != NULL};
    (void)stay_copy(params.reason, sizeof params.reason, reseeded == NULL ? "" : reseeded);
    return executor_start(w->x, PLAN_REJOIN, &params, w->now, w->now + CASE_WALL - CASE_NOW, err);
}

static void a_rejoin_is_refused_with_the_reason_and_the_fix(void **state)
{
    (void)state;
    struct world w;
    struct stay_error err = {0};
    open_twin(&w, TWIN);
    assert_int_equal(rejoin(&w, NULL, &err), STAY_EREFUSED);
    assert_non_null(strstr(err.text, "written to by hand while it followed nobody"));
    assert_non_null(strstr(err.text, "Reseed it from db1"));
    assert_non_null(strstr(err.text, "mainstay rejoin shop db3 --reseeded REASON"));
    assert_int_equal(rejoin(&w, "", &err), STAY_EREFUSED);
    w.c.view.record.twins = 0; /* its set alone tells nothing */
    assert_int_equal(rejoin(&w, NULL, &err), STAY_OK);
    world_run(&w);
    assert_int_equal(w.servers[2].source, 0);
    world_close(&w);
}

static void a_server_built_anew_is_attached_and_forgiven(void **state)
{
    (void)state;
    struct world w;
    struct stay_error err = {0};
    open_twin(&w, TWIN);
    assert_int_equal(rejoin(&w, "restored from last night's backup", &err), STAY_OK);
    world_run(&w);
    assert_int_equal(executor_run(w.x)->state, RUN_SUCCEEDED);
    assert_int_equal(w.servers[2].source, 0);
    assert_int_equal(w.stored.twins, 0);
    assert_int_equal(w.stored.quarantine[2], QUARANTINE_NONE);
    world_close(&w);
}

static void a_failover_does_not_attach_it(void **state)
{
    (void)state;
    struct world w;
    struct stay_error err = {0};
    open_twin(&w, TWIN "refused db1\n");
    assert_int_equal(world_plan(&w, PLAN_FAILOVER, NO_NODE, &err), STAY_OK);
    world_run(&w);
    assert_int_equal(executor_run(w.x)->state, RUN_SUCCEEDED);
    assert_string_equal(w.stored.primary, "db2");
    assert_int_equal(w.servers[2].source, NO_NODE);
    assert_int_equal(w.stored.twins, 4);
    world_close(&w);
}

/* What it holds of its own making is nobody's acknowledged write, and tops nobody up. */
static void what_it_wrote_counts_for_nothing(void **state)
{
    (void)state;
    struct world w;
    struct stay_error err = {0};
    open_twin(&w, "node db1 zone a\nnode db2 zone b\nnode db3 zone c\n"
                  "record primary db1 mode lossless stands ackers db2 quarantine db3\n"
                  "fact db1 executed 0-1-100,0-3-60\nfact db2 executed 0-1-100,0-3-55\n"
                  "fact db3 executed 0-1-50,0-3-58 source -\nrefused db1\n");
    assert_int_equal(world_plan(&w, PLAN_FAILOVER, NO_NODE, &err), STAY_OK);
    world_run(&w);
    assert_null(strstr(str_text(&w.log), "top up"));
    world_close(&w);
}

static void the_record_keeps_it(void **state)
{
    (void)state;
    struct world w;
    struct stay_error err = {0};
    struct cluster_record back = {0};
    open_twin(&w, TWIN);
    STAY_AUTO(stay_json_drop) json_t *json = cluster_record_to_json(&w.stored, &w.c.config);
    assert_int_equal(cluster_record_from_json(json, &w.c.config, &back, &err), STAY_OK);
    assert_int_equal(back.twins, 4);
    json_object_del(json, "twins"); /* a record of an older version */
    json_object_del(json, "asks");
    assert_int_equal(cluster_record_from_json(json, &w.c.config, &back, &err), STAY_OK);
    assert_int_equal(back.twins, 0);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rejoin_is_refused_with_the_reason_and_the_fix),
        cmocka_unit_test(a_server_built_anew_is_attached_and_forgiven),
        cmocka_unit_test(a_failover_does_not_attach_it),
        cmocka_unit_test(what_it_wrote_counts_for_nothing),
        cmocka_unit_test(the_record_keeps_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
