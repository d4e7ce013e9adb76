/* Row 34: the primary is cut from its replicas, all of them, and from nobody else. Its commits
 * wait: bounded is recorded before writes go on, nothing fails over, lossless returns.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){.acker = true}, 0);
    scenario_load(lab);
    LAB_MUST(lab, lab_cut(lab, "db1", "db2", false));
    scenario_stays(lab, "db1", 4);
    SCENARIO_CHECK(state_count_plans(lab, "mode degrade") == 0, "degraded though db3 acknowledges");
    LAB_MUST(lab, lab_cut(lab, "db1", "db3", false));
    SCENARIO_CHECK(state_wait_plans(lab, "mode degrade", 1, 30), "no mode degrade within 30 s");
    long before = talk_number(lab, "db1", WORD_ROWS);
    scenario_stays(lab, "db1", 3);
    SCENARIO_CHECK(talk_number(lab, "db1", WORD_ROWS) > before, "writes do not go on");
    json_t *cluster = state_cluster(lab);
    const char *mode = json_string_value(json_object_get(cluster, "mode"));
    SCENARIO_CHECK(mode != NULL && strcmp(mode, "bounded") == 0, "mode is %s", mode);
    json_decref(cluster);
    LAB_MUST(lab, lab_heal(lab, NULL, NULL));
    scenario_ready(lab, 60);
    SCENARIO_CHECK(state_count_plans(lab, "failover") == 0, "something failed over");
    scenario_check(lab, "db1", 200);
    scenario_pass(
        "34", "primary cut from one replica, then from both",
        "one: lossless stands on the other; both: bounded recorded, writes go on; mended: "
        "lossless again; no failover",
        "S9 S2 S14");
}
