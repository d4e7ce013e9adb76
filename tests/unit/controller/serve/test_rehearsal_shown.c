/* A death that nobody would take over after is a problem (406) before it happens, and the last
 * round of rehearsals is in the status and the metrics. */
#include "tests/unit/controller/serve/fake_control.h"
#include "base/str.h"
#include "controller/serve/api.h"
#include "controller/serve/http.h"

/* The fake controller, first of all, with a round of rehearsals. */
struct shown {
    struct fake_control fake;
    struct rehearsal rehearsals[3];
    size_t count;
    int64_t prediction_error_us; /* 0: none */
};

static void add_round(const struct shown *s, struct control_cluster *ret)
{
    ret->rehearsals = s->rehearsals;
    ret->rehearsal_count = s->count;
    ret->rehearsed_mono_us = CASE_NOW - 20 * STAY_SECOND;
    ret->prediction_error_us = s->prediction_error_us;
    ret->has_prediction_error = s->prediction_error_us != 0;
}

static bool shown_at(void *ctx, size_t index, struct control_cluster *ret)
{
    bool is_it = fake_at(ctx, index, ret);
    add_round(ctx, ret);
    return is_it;
}

static void shown_open(struct shown *s)
{
    memset(s, 0, sizeof *s);
    fake_open(&s->fake);
    s->fake.control.cluster_at = shown_at;
}

/* The primary's death and each zone's, judged by the core; db2 may not be promoted if `never`. */
static void rehearse(struct shown *s, bool never)
{
    static const struct step_times none;
    struct rehearsal_loss losses[NODES_MAX + 1];
    struct case_view *c = &s->fake.c;
    c->config.nodes[1].promote = never ? PROMOTE_NEVER : PROMOTE_NEUTRAL;
    rehearsal_of_node(&c->config, 0, &losses[0]);
    assert_int_equal(rehearsal_zones(&c->config, &losses[1]), 2);
    for (size_t i = 0; i < 3; i++)
        rehearsal_judge(&c->view, NULL, NULL, &losses[i], &none, CASE_NOW, CASE_WALL,
                        &s->rehearsals[i]);
    s->count = 3;
}

static bool has_problem(struct shown *s, int rule)
{
    STAY_AUTO(stay_json_drop) json_t *out = api_problems(&s->fake.control, "shop");
    const json_t *list = json_object_get(out, "problems");
    bool found = false;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *row = json_array_get(list, i);
        if (json_integer_value(json_object_get(row, "rule")) != rule)
            continue;
        found = true;
        assert_string_equal(json_string_value(json_object_get(row, "severity")), "warning");
        assert_non_null(strstr(json_string_value(json_object_get(row, "detail")), "never"));
    }
    return found;
}

static void a_primary_nobody_could_replace_is_a_problem(void **state)
{
    (void)state;
    struct shown s;
    shown_open(&s);
    assert_false(has_problem(&s, 406)); /* not rehearsed yet */
    rehearse(&s, false);
    assert_true(s.rehearsals[0].is_failable);
    assert_false(has_problem(&s, 406));
    rehearse(&s, true);
    assert_false(s.rehearsals[0].is_failable);
    assert_true(has_problem(&s, 406));
    s.fake.decision.suspicion = true; /* by now it is no rehearsal */
    assert_false(has_problem(&s, 406));
    s.fake.decision.suspicion = false;
    (void)stay_copy(s.rehearsals[0].loss.name, NAME_MAX_LEN, "db2"); /* of an earlier primary */
    assert_false(has_problem(&s, 406));
    fake_close(&s.fake);
}

static void the_last_round_is_in_status_and_metrics(void **state)
{
    (void)state;
    struct shown s;
    shown_open(&s);
    rehearse(&s, false);
    s.rehearsals[0].outage_us = 1500 * STAY_MS;
    s.prediction_error_us = -250 * STAY_MS;
    STAY_AUTO(stay_json_drop) json_t *status = api_status(&s.fake.control, "shop");
    const json_t *shop = json_array_get(json_object_get(status, "clusters"), 0);
    const json_t *losses = json_object_get(json_object_get(shop, "exposure"), "losses");
    assert_int_equal(json_array_size(losses), 3);
    const json_t *first = json_array_get(losses, 0);
    assert_string_equal(json_string_value(json_object_get(first, "lose")), "node:db1");
    assert_int_equal(json_integer_value(json_object_get(first, "predicted_us")), 1500 * STAY_MS);
    assert_true(json_is_null(json_object_get(json_array_get(losses, 1), "predicted_us")));
    struct http_request request = {.control = &s.fake.control};
    http_metrics(&request);
    const char *page = str_text(&request.answer.body);
    static const char *const lines[] = {
        "mainstay_cluster_failable{cluster=\"shop\"} 1\n",
        "mainstay_rehearsal_failable{cluster=\"shop\",lose=\"node:db1\"} 1\n",
        "mainstay_rehearsal_held{cluster=\"shop\",lose=\"node:db1\"} 0\n",
        "mainstay_rehearsal_predicted_seconds{cluster=\"shop\",lose=\"node:db1\"} 1.5\n",
        "mainstay_rehearsal_age_seconds{cluster=\"shop\"} 20\n",
        "mainstay_rehearsal_error_seconds{cluster=\"shop\"} -0.25\n"};
    for (size_t i = 0; i < STAY_COUNT(lines); i++)
        if (strstr(page, lines[i]) == NULL)
            fail_msg("no line %s in\n%s", lines[i], page);
    assert_null(strstr(page, "predicted_seconds{cluster=\"shop\",lose=\"zone:a\"}"));
    str_clear(&request.answer.body);
    fake_close(&s.fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_primary_nobody_could_replace_is_a_problem),
        cmocka_unit_test(the_last_round_is_in_status_and_metrics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
