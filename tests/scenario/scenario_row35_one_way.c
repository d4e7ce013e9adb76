/* Row 35: packets get lost in one direction only, on each path around the primary in turn. The
 * other observers see it alive: nothing fails over, nobody acknowledges twice.
 * ENGINES: mariadb mysql */
#include "tests/lib/scenario.h"

int main(int argc, char **argv)
{
    static const char *const paths[][2] = {{"db1", "db2"},
                                           {"db2", "db1"},
                                           {"db1", "controller"},
                                           {"controller", "db1"},
                                           {"db2", "controller"}};
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){.acker = true}, 0);
    scenario_load(lab);
    for (size_t i = 0; i < STAY_COUNT(paths); i++) {
        LAB_MUST(lab, lab_cut(lab, paths[i][0], paths[i][1], true));
        scenario_stays(lab, "db1", 5);
        LAB_MUST(lab, lab_heal(lab, NULL, NULL));
        scenario_ready(lab, 40);
        printf("%s -> %s lost for 5 s: db1 stays, ready again\n", paths[i][0], paths[i][1]);
    }
    SCENARIO_CHECK(strcmp(lab_writable(lab), "db1") == 0, "writable: '%s'", lab_writable(lab));
    scenario_check(lab, "db1", 500);
    scenario_pass("35",
                  "one direction lost for 5 s: db1->db2, db2->db1, db1->controller, "
                  "controller->db1, db2->controller",
                  "no failover in any, each mends itself", "S1 S5 S2");
}
