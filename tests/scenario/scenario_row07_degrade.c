/* Row 7, without_acker = "degrade": the replica is cut from the primary, so commits wait. bounded
 * is recorded first, then writes go on; nothing fails over; lossless returns through the barrier.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

static int row_of(const json_t *run, const char *step)
{
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(run, "rows_run"), index, row)
    {
        const char *text = json_string_value(json_object_get(row, "step"));
        if (text != NULL && strcmp(text, step) == 0)
            return (int)index;
    }
    return -1;
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    scenario_load(lab);
    LAB_MUST(lab, lab_cut(lab, "db1", "db2", false));
    SCENARIO_CHECK(state_wait_plans(lab, "mode degrade", 1, 30), "no mode degrade within 30 s");
    STAY_AUTO(stay_free_charp) char *id = state_last_plan(lab, "mode degrade");
    json_t *told = state_explain(lab, id), *cluster = state_cluster(lab);
    int recorded = row_of(json_object_get(told, "run"), "record mode");
    int applied = row_of(json_object_get(told, "run"), "source role off");
    const char *mode = json_string_value(json_object_get(cluster, "mode"));
    printf("mode %s; recorded in row %d, applied in row %d\n", mode, recorded, applied);
    SCENARIO_CHECK(mode != NULL && strcmp(mode, "bounded") == 0, "mode is %s", mode);
    SCENARIO_CHECK(recorded >= 0 && recorded < applied, "applied before it was recorded");
    json_decref(told);
    json_decref(cluster);
    scenario_goes_on(lab, "db1", 700);
    LAB_MUST(lab, lab_heal(lab, NULL, NULL));
    scenario_ready(lab, 40);
    SCENARIO_CHECK(state_count_plans(lab, "failover") == 0, "something failed over");
    scenario_check(lab, "db1", 50);
    scenario_pass("7 degrade", "replica cut from the primary, healed later",
                  "bounded recorded, then writes go on; lossless restored; no failover", "S9 S2");
}
