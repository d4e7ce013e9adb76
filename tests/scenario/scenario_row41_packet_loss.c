/* Row 41: packets get lost at random, first everywhere, then much on the controller's own paths.
 * TCP delivers late: nothing fails over, writes go on.
 * ENGINES: mariadb mysql */
#include "tests/lib/scenario.h"

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){.acker = true}, 0);
    scenario_load(lab);
    LAB_MUST(lab, lab_lossy(lab, "all", "all", 5)); /* both rules of the pair match: 10 % */
    scenario_stays(lab, "db1", 12);
    LAB_MUST(lab, lab_heal(lab, NULL, NULL));
    scenario_ready(lab, 40);
    LAB_MUST(lab, lab_lossy(lab, "controller", "all", 30));
    scenario_stays(lab, "db1", 10);
    LAB_MUST(lab, lab_heal(lab, NULL, NULL) && lab_lossy(lab, "controller", "db1", 50));
    scenario_stays(lab, "db1", 10);
    LAB_MUST(lab, lab_heal(lab, NULL, NULL));
    scenario_ready(lab, 40);
    SCENARIO_CHECK(strcmp(lab_writable(lab), "db1") == 0, "writable: '%s'", lab_writable(lab));
    scenario_check(lab, "db1", 200);
    scenario_pass("41",
                  "10 % loss everywhere 12 s; 30 % controller-all 10 s; 50 % "
                  "controller-primary 10 s",
                  "no failover", "S14 S2");
}
