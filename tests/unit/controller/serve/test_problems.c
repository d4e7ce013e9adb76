/* What `mainstay problems` lists beside the verdicts of servers: an order that was missed. */
#include "tests/unit/controller/serve/fake_control.h"
#include "controller/serve/api.h"

/* The list's row of that name, or NULL; borrowed from `list`. */
static const json_t *problem_named(const json_t *list, const char *name)
{
    size_t i;
    json_t *row;
    json_array_foreach(list, i, row)
    {
        if (strcmp(json_string_value(json_object_get(row, "name")), name) == 0)
            return row;
    }
    return NULL;
}

static void says(const json_t *row, const char *key, const char *part)
{
    const char *text = json_string_value(json_object_get(row, key));
    if (text == NULL || strstr(text, part) == NULL)
        fail_msg("%s is '%s', without '%s'", key, text, part);
}

static void a_missed_switchover_is_listed_until_it_is_released(void **state)
{
    (void)state;
    struct fake_control f;
    fake_open(&f);
    struct cluster_record *record = &f.c.view.record;
    for (int missed = 0; missed < 2; missed++) {
        record->switch_missed_wall_us = missed ? INT64_C(1790000000) * STAY_SECOND : 0;
        (void)stay_copy(record->switch_by, sizeof record->switch_by, "ann");
        STAY_AUTO(stay_json_drop) json_t *out = api_problems(&f.control, "shop");
        const json_t *list = json_object_get(out, "problems");
        const json_t *row = problem_named(list, "scheduled switchover missed");
        assert_int_equal(row != NULL, missed);
        if (row == NULL)
            continue;
        says(row, "cluster", "shop");
        says(row, "severity", "warning");
        says(row, "detail", "due at 2026-09-21");
        says(row, "detail", "ordered by ann");
        says(row, "detail", "mainstay release shop");
    }
    fake_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missed_switchover_is_listed_until_it_is_released),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
