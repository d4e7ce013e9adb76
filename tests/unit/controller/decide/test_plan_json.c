/* tests/unit/controller/decide/test_plan_json.c - a journal or a record of the store, read back:
 * the same, or refused as a whole when any one of its fields is of another type. */
#include "tests/unit/controller/decide/case_view.h"

#include "base/json.h"
#include "controller/decide/plan_private.h"

static struct case_view c;
static struct plan_run run;

static const char three[] = "node db1 zone a\nnode db2 zone b\nnode db3 zone c\n"
                            "record primary db1 mode lossless stands ackers db2,db3\n"
                            "fact db1 executed 0-1-100\n"
                            "fact db2 executed 0-1-100 received 0-1-100 acks yes\n"
                            "fact db3 executed 0-1-90 received 0-1-100 acks yes\nrefused db1\n";

static int setup(void **state)
{
    (void)state;
    struct plan_params params = {.node = 1,
                                 .donor = NO_NODE,
                                 .rule_id = 120,
                                 .reason = "test",
                                 .actor = "ann",
                                 .detected_mono_us = CASE_NOW};
    case_open(&c, three);
    assert_int_equal(plan_start(&run, PLAN_FAILOVER, &params, &c.view, CASE_NOW, CASE_WALL, NULL),
                     STAY_OK);
    run.donor = 2;
    run.f = run.r = run.collected = 6;
    for (uint32_t node = 0; node < 3; node++) {
        gtid_set_copy(&run.executed[node], &c.view.nodes[node].facts.executed);
        gtid_set_copy(&run.received_high[node], &c.view.nodes[node].facts.executed);
        run.freeze_uptime_s[node] = 5000 + node;
        run.freeze_mono_us[node] = CASE_NOW;
    }
    gtid_set_copy(&run.fenced_executed, &run.executed[0]);
    gtid_set_copy(&run.last_word, &run.executed[0]);
    run.last_sessions = 7;
    gtid_set_copy(&run.extra, &run.executed[0]);
    run.rows[3].targets = run.rows[3].touched = run.rows[3].done = 1;
    run.rows[5].failed = 2;
    run.rows[5].unknown = 4;
    struct cluster_record *r = &c.view.record;
    r->restarted = r->twins = 4;
    r->primary_id = 1;
    r->written_known = r->born_known = 6;
    r->births_kept = true;
    r->written[1] = 7;
    r->born_wall_s[2] = 1700000000;
    r->quarantine[2] = QUARANTINE_DIVERGED;
    r->primary_since_wall_us = CASE_WALL;
    (void)stay_copy(r->asks, sizeof r->asks, "db2");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    plan_run_clear(&run);
    case_clear(&c);
    return 0;
}

typedef bool (*read_fn)(const json_t *json);

static bool reads_run(const json_t *json)
{
    struct plan_run *back = stay_calloc(1, sizeof *back);
    struct stay_error err = {0};
    bool ok = plan_run_from_json(json, &c.config, back, &err) == STAY_OK;
    if (!ok)
        assert_int_equal(back->kind, 0); /* not half read */
    plan_run_clear(back);
    free(back);
    return ok;
}

static bool reads_record(const json_t *json)
{
    struct cluster_record back = {.version = 77};
    struct stay_error err = {0};
    bool ok = cluster_record_from_json(json, &c.config, &back, &err) == STAY_OK;
    if (!ok)
        assert_true(back.version == 77 && back.epoch == 0);
    return ok;
}

static json_t *of_another_type(const json_t *value)
{
    if (json_is_integer(value) || json_is_boolean(value))
        return json_string("x");
    return json_is_string(value) ? json_true() : json_integer(3);
}

/* Replaces each value below `at`, one at a time, and reads the whole. Returns how many. */
static uint32_t spoil_each(const json_t *whole, json_t *at, read_fn reads, const char *above)
{
    uint32_t n = 0;
    char path[300];
    if (json_is_object(at)) {
        for (void *i = json_object_iter(at); i != NULL; i = json_object_iter_next(at, i)) {
            json_t *kept = json_incref(json_object_iter_value(i));
            (void)snprintf(path, sizeof path, "%s.%s", above, json_object_iter_key(i));
            n += 1 + spoil_each(whole, kept, reads, path);
            json_object_iter_set_new(at, i, of_another_type(kept));
            if (reads(whole))
                fail_msg("%s of another type is read", path);
            json_object_iter_set_new(at, i, kept);
        }
    } else if (json_is_array(at)) {
        for (size_t i = 0; i < json_array_size(at); i++) {
            json_t *kept = json_incref(json_array_get(at, i));
            (void)snprintf(path, sizeof path, "%s[%zu]", above, i);
            n += 1 + spoil_each(whole, kept, reads, path);
            (void)json_array_set_new(at, i, of_another_type(kept));
            if (reads(whole))
                fail_msg("%s of another type is read", path);
            (void)json_array_set_new(at, i, kept);
        }
    }
    return n;
}

static void a_journal_with_one_field_of_another_type_is_refused(void **state)
{
    (void)state;
    json_t *json = plan_run_to_json(&run, &c.config);
    assert_true(reads_run(json));
    assert_true(spoil_each(json, json, reads_run, "run") > 200);
    assert_true(reads_run(json));
    json_decref(json);
}

static void a_record_with_one_field_of_another_type_is_refused(void **state)
{
    (void)state;
    json_t *json = cluster_record_to_json(&c.view.record, &c.config);
    assert_true(reads_record(json));
    assert_true(spoil_each(json, json, reads_record, "record") > 20);
    json_decref(json);
}

static void a_journal_of_too_many_acks_is_refused(void **state)
{
    (void)state;
    run.acks = NODES_MAX + 1;
    json_t *json = plan_run_to_json(&run, &c.config);
    assert_false(reads_run(json));
    json_decref(json);
}

/* Of a server the run knows nothing of, no freeze is written. */
static void only_who_was_met_has_a_freeze(void **state)
{
    (void)state;
    run.f = run.r = run.collected = run.sound = run.froze = 2;
    json_t *json = plan_run_to_json(&run, &c.config);
    const json_t *freezes = json_object_get(json, "freezes");
    assert_non_null(json_object_get(freezes, "db1")); /* the old primary */
    assert_non_null(json_object_get(freezes, "db2"));
    assert_null(json_object_get(freezes, "db3"));
    json_decref(json);
}

/* Servers that were added since are in no freeze. */
static void a_journal_of_fewer_servers_is_read(void **state)
{
    (void)state;
    json_t *json = plan_run_to_json(&run, &c.config);
    assert_int_equal(json_object_del(json_object_get(json, "freezes"), "db3"), 0);
    struct plan_run *back = stay_calloc(1, sizeof *back);
    assert_int_equal(plan_run_from_json(json, &c.config, back, NULL), STAY_OK);
    assert_int_equal(back->freeze_uptime_s[1], 5001);
    assert_int_equal(back->freeze_uptime_s[2], 0);
    plan_run_clear(back);
    free(back);
    json_decref(json);
}

static void what_older_versions_did_not_write_may_be_absent(void **state)
{
    (void)state;
    const char *const later[] = {
        "primary_id", "written", "born", "restarted", "twins", "asks", "primary_since_wall_us"};
    for (size_t i = 0; i < STAY_COUNT(later); i++) {
        json_t *json = cluster_record_to_json(&c.view.record, &c.config);
        struct cluster_record back;
        assert_int_equal(json_object_del(json, later[i]), 0);
        assert_int_equal(cluster_record_from_json(json, &c.config, &back, NULL), STAY_OK);
        assert_int_equal(back.ackers, 6);
        assert_int_equal(back.births_kept, strcmp(later[i], "born") != 0);
        assert_int_equal(back.written_known, strcmp(later[i], "written") != 0 ? 6 : 0);
        json_decref(json);
    }
}

/* A switchover for an evacuation, taken up by the next controller, is of the same order still. */
static void an_order_is_kept_in_journal_and_record(void **state)
{
    (void)state;
    run.params.evacuation_wall_us = CASE_WALL;
    json_t *json = plan_run_to_json(&run, &c.config);
    json_t *params = json_object_get(json, "params");
    struct plan_run *back = stay_calloc(1, sizeof *back);
    assert_int_equal(plan_run_from_json(json, &c.config, back, NULL), STAY_OK);
    assert_int_equal(back->params.evacuation_wall_us, CASE_WALL);
    plan_run_clear(back);
    assert_int_equal(json_object_set_new(params, "evacuation_wall_us", json_string("now")), 0);
    assert_int_equal(plan_run_from_json(json, &c.config, back, NULL), STAY_EINVALID);
    run.params.evacuation_wall_us = 0;
    json_decref(json);
    json = plan_run_to_json(&run, &c.config);
    assert_null(json_object_get(json_object_get(json, "params"), "evacuation_wall_us"));
    json_decref(json);
    free(back);

    struct cluster_record *r = &c.view.record, read;
    (void)stay_copy(r->switch_to, sizeof r->switch_to, "db3");
    (void)stay_copy(r->switch_by, sizeof r->switch_by, "ann");
    json = cluster_record_to_json(r, &c.config);
    static const struct {
        int64_t stored;
        uint32_t read;
    } cuts[] = {{3, 3},
                {0, 0},
                {-1, UINT32_MAX}, /* no number of restarts: a human looks */
                {INT64_C(1) << 40, UINT32_MAX}};
    for (size_t i = 0; i < STAY_COUNT(cuts); i++) {
        assert_int_equal(json_object_set_new(json, "evacuation_cut", json_integer(cuts[i].stored)),
                         0);
        assert_int_equal(cluster_record_from_json(json, &c.config, &read, NULL), STAY_OK);
        assert_int_equal(read.evacuation_cut, cuts[i].read);
    }
    assert_string_equal(read.switch_to, "db3");
    assert_string_equal(read.switch_by, "ann");
    assert_int_equal(json_object_del(json, "switch_to"), 0);
    assert_int_equal(cluster_record_from_json(json, &c.config, &read, NULL), STAY_OK);
    assert_string_equal(read.switch_to, "");
    json_decref(json);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_journal_with_one_field_of_another_type_is_refused),
        T(a_record_with_one_field_of_another_type_is_refused),
        T(a_journal_of_too_many_acks_is_refused),
        T(only_who_was_met_has_a_freeze),
        T(a_journal_of_fewer_servers_is_read),
        T(what_older_versions_did_not_write_may_be_absent),
        T(an_order_is_kept_in_journal_and_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
