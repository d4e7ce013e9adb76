/* tests/crash/crash_judge.c - what became of a cluster after one point; see the header. */
#include "tests/crash/crash_judge.h"

#include "base/json.h"

json_int_t crash_epoch(struct lab *lab)
{
    STAY_AUTO(stay_json_drop) json_t *cluster = state_cluster(lab);
    return json_integer_value(json_object_get(cluster, "epoch"));
}

/* The summaries of plans later than `epoch`, newest first; a new reference. */
static json_t *plans_since(struct lab *lab, json_int_t epoch)
{
    STAY_AUTO(stay_json_drop) json_t *answer = NULL;
    json_t *list = json_array(), *plan;
    size_t i;
    int code = -1;
    (void)lab_cli(lab, &code, &answer, "history", "shop", "--max", "40", NULL);
    json_array_foreach(state_find(answer, "plans"), i, plan)
    {
        if (json_integer_value(json_object_get(plan, "epoch")) > epoch)
            json_array_append(list, plan);
    }
    return list;
}

const char *crash_word(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

/* The rows that this plan began. */
static uint64_t rows_of(struct lab *lab, const char *id)
{
    STAY_AUTO(stay_json_drop) json_t *told = state_explain(lab, id);
    uint64_t rows = 0;
    size_t i;
    json_t *row;
    json_array_foreach(state_find(told, "rows_run"), i, row)
    {
        const char *state = crash_word(row, "state");
        if (strcmp(state, "skipped") != 0 && strcmp(state, "pending") != 0)
            rows |= UINT64_C(1) << json_integer_value(json_object_get(row, "row"));
    }
    return rows;
}

/* What became of the plans, in the order it happened, the first one's letter, and the rows of
 * those of the stage's kind. */
static void judge_plans(struct crash_run *run, const struct crash_stage *stage, json_int_t epoch,
                        struct crash_end *ret)
{
    STAY_AUTO(stay_json_drop) json_t *plans = plans_since(run->lab, epoch);
    const char *kind = plan_kind_text(stage->kind);
    size_t used = 0;
    *ret = (struct crash_end){.how = '?'};
    for (size_t i = json_array_size(plans); i-- > 0;) {
        const json_t *plan = json_array_get(plans, i);
        const char *state = crash_word(plan, "state");
        if (used < sizeof ret->what)
            used += (size_t)snprintf(ret->what + used, sizeof ret->what - used, "%s%s %s",
                                     used == 0 ? "" : ", ", crash_word(plan, "kind"), state);
        if (strcmp(crash_word(plan, "kind"), kind) != 0)
            continue;
        bool succeeded = strcmp(state, "succeeded") == 0;
        bool asks = !succeeded && strcmp(state, "undone") != 0;
        ret->how = ret->how != '?' ? ret->how : succeeded ? 'S' : asks ? 'A' : 'U';
        ret->rows |= rows_of(run->lab, crash_word(plan, "id"));
        SCENARIO_CHECK(succeeded || crash_word(plan, "text")[0] != '\0', "%s says no reason",
                       crash_word(plan, "id"));
    }
    ret->how = run->asked ? 'A' : ret->how;
}

static void check_copies(struct lab *lab, const char *primary)
{
    STAY_AUTO(stay_json_drop) json_t *cluster = state_cluster(lab);
    STAY_AUTO(stay_free_charp)
    char *sum = scenario_value(lab, primary, "CHECKSUM TABLE shop.ledger");
    size_t i;
    json_t *node;
    json_array_foreach(json_object_get(cluster, "nodes"), i, node)
    {
        talk_come_up(lab, crash_word(node, "name"), primary, 120);
        LAB_MUST(lab, lab_wait_sql(lab, crash_word(node, "name"), "CHECKSUM TABLE shop.ledger", sum,
                                   20));
    }
}

void crash_judge(struct crash_run *run, const struct crash_stage *stage, json_int_t epoch,
                 struct crash_end *ret_end)
{
    struct lab *lab = run->lab;
    scenario_ready(lab, 90);
    judge_plans(run, stage, epoch, ret_end);
    STAY_AUTO(stay_free_charp) char *primary = state_primary(lab);
    scenario_write_on(300);
    const char *open = lab_writable(lab);
    SCENARIO_CHECK(primary != NULL && strcmp(open, primary) == 0, "writable: '%s', recorded: '%s'",
                   open, primary);
    scenario_check(lab, primary, 20);
    check_copies(lab, primary);
    bool gone = run->point != NULL && run->point->fault == POINT_GONE;
    SCENARIO_CHECK(stage->moves || gone || strstr(ret_end->what, "failover succeeded") == NULL,
                   "a failover although every server lived: %s", ret_end->what);
}
