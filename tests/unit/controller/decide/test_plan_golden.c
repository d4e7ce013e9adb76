/* tests/unit/controller/decide/test_plan_golden.c - plans as they would run now: rows with today's
 * targets, candidate, certificate, or the reason why the plan does not start. */
#include "tests/unit/controller/decide/case_view.h"
#include "tests/unit/controller/decide/golden_file.h"

#include "base/json.h"
#include "controller/decide/plan.h"

static enum plan_kind kind_named(const char *name)
{
    for (int kind = 0; kind < PLAN_KIND_COUNT; kind++) {
        char text[40];
        (void)stay_copy(text, sizeof text, plan_kind_text((enum plan_kind)kind));
        for (char *at = text; *at != '\0'; at++)
            *at = *at == ' ' ? '-' : *at;
        if (strcmp(text, name) == 0)
            return (enum plan_kind)kind;
    }
    fail_msg("no plan %s", name);
    return PLAN_NONE;
}

static void row_text(const json_t *row, struct str *out)
{
    const json_t *targets = json_object_get(row, "targets");
    if (json_is_true(json_object_get(row, "skipped")))
        return;
    str_addf(out, "%s", json_string_value(json_object_get(row, "step")));
    for (size_t i = 0; i < json_array_size(targets); i++)
        str_addf(out, " %s", json_string_value(json_array_get(targets, i)));
    str_add(out, "\n");
}

static void plan_text(char *facts, struct str *out)
{
    struct case_view c;
    char kind[40] = "", node[40] = "", extra[40] = "", last[40] = "";
    case_load(&c, facts);
    assert_true(sscanf(c.command, "plan %39s %39s %39s %39s", kind, node, extra, last) >= 1);
    struct plan_params params = {.node = NO_NODE, .donor = NO_NODE, .detected_mono_us = STAY_NEVER};
    c.config.reseed_by_command = strcmp(extra, "by-command") == 0 ||
                                 strcmp(extra, "accept-loss") == 0 ||
                                 strncmp(extra, "from-", 5) == 0;
    if (strncmp(extra, "from-", 5) == 0)
        params.donor = case_node(&c, extra + 5);
    if (node[0] != '\0' && strcmp(node, "accept-loss") != 0)
        params.node = case_node(&c, node);
    params.accept_loss = strcmp(node, "accept-loss") == 0 || strcmp(extra, "accept-loss") == 0;
    params.automatic = strcmp(extra, "automatic") == 0;
    if (params.accept_loss && strcmp(extra, "silently") != 0 && strcmp(last, "silently") != 0)
        (void)stay_copy(params.reason, sizeof params.reason, "disk is gone");
    STAY_AUTO(stay_json_drop)
    json_t *plan = plan_describe(kind_named(kind), &params, &c.view, CASE_NOW, CASE_WALL);
    const char *refused = json_string_value(json_object_get(plan, "refused"));
    const json_t *cert = json_object_get(plan, "certificate");
    if (refused != NULL)
        str_addf(out, "refused: %s\n", refused);
    if (json_is_object(cert))
        str_addf(out, "candidate %s, %s by %s\n",
                 json_string_value(json_object_get(plan, "candidate")),
                 json_string_value(json_object_get(cert, "kind")),
                 json_string_value(json_object_get(cert, "proof")));
    const char *donor = json_string_value(json_object_get(plan, "donor"));
    if (donor != NULL)
        str_addf(out, "donor %s\n", donor);
    const json_t *rows = json_object_get(plan, "rows");
    for (size_t i = 0; i < json_array_size(rows); i++)
        row_text(json_array_get(rows, i), out);
    case_clear(&c);
}

static void golden_plans_are_as_recorded(void **state)
{
    (void)state;
    assert_true(golden_run("plan", "plan-", plan_text) >= 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(golden_plans_are_as_recorded)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
