/* Row 32: the primary is cut from the controller only; clients and replica are fine. A replica that
 * still receives is proof of life: verdict 110, nothing is done, writes go on.
 * ENGINES: mariadb mysql */
#include "tests/lib/scenario.h"

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    scenario_load(lab);
    LAB_MUST(lab, lab_cut(lab, "db1", "controller", false));
    SCENARIO_CHECK(state_wait_rule(lab, 110, 15), "verdict 110 not seen");
    scenario_stays(lab, "db1", 6);
    SCENARIO_CHECK(state_wait_rule(lab, 110, 1), "verdict 110 did not stand");
    LAB_MUST(lab, lab_heal(lab, NULL, NULL));
    scenario_ready(lab, 30);
    scenario_check(lab, "db1", 200);
    scenario_pass("32", "primary cut from the controller only, for 6 s",
                  "verdict 110, no failover, writes never stopped", "S14");
}
