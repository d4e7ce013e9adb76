/* Row 45: connections are reset or left half-open, around the primary and the replica. Everything
 * connects anew, nothing fails over, and no descriptor of the controller leaks.
 * ENGINES: mariadb mysql */
#include "tests/lib/scenario.h"

int main(int argc, char **argv)
{
    static const char *const paths[][2] = {
        {"controller", "db1"}, {"controller", "db2"}, {"controller", "all"}, {"db1", "db2"}};
    char done[120];
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){.acker = true}, 0);
    scenario_load(lab);
    int before = lab_open_files(lab, "controller");
    for (size_t i = 0; i < STAY_COUNT(paths); i++) {
        LAB_MUST(lab, lab_reset(lab, paths[i][0], paths[i][1]));
        scenario_stays(lab, "db1", 4);
        LAB_MUST(lab, lab_heal(lab, NULL, NULL));
        scenario_ready(lab, 40);
    }
    LAB_MUST(lab, lab_cut(lab, "db2", "controller", false)); /* its restart leaves us half open */
    LAB_MUST(lab, lab_kill(lab, "db2") && lab_start(lab, "db2", NULL));
    scenario_write_on(3000);
    LAB_MUST(lab, lab_heal(lab, NULL, NULL));
    scenario_ready(lab, 60);
    SCENARIO_CHECK(state_count_plans(lab, "failover") == 0, "something failed over");
    int after = -1; /* sessions to other accounts end when idle */
    for (int64_t due = lab_now_us() + 30 * STAY_SECOND; lab_now_us() < due; scenario_write_on(200))
        if ((after = lab_open_files(lab, "controller")) <= before + 3)
            break;
    SCENARIO_CHECK(before > 0 && after <= before + 3, "descriptors: %d, then %d", before, after);
    scenario_check(lab, "db1", 200);
    snprintf(done, sizeof done, "no failover, all connect anew; descriptors %d before, %d after",
             before, after);
    scenario_pass("45", "resets for 4 s on each path, a half-open connection to the replica", done,
                  "L3 S14 S2");
}
