/* Row 38: the primary's zone is split from the replica's and from the witness zone where the
 * controller is; both sides and their clients live. F0: the old side acknowledges nothing more.
 * ENGINES: mariadb mysql */
#include "tests/lib/scenario.h"

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    scenario_load(lab);
    LAB_MUST(lab, lab_cut(lab, "a", "b", false) && lab_cut(lab, "a", "witness", false));
    const char *now = scenario_failover_unseen(lab, "db1", 30);
    scenario_story(lab, "failover");
    scenario_write_on(1500);
    LAB_MUST(lab, lab_heal(lab, NULL, NULL));
    (void)scenario_settled(lab, "db1", 40);
    scenario_write_on(500);
    SCENARIO_CHECK(strcmp(lab_writable(lab), now) == 0, "writable: '%s'", lab_writable(lab));
    scenario_check(lab, now, 50);
    scenario_pass("38", "zone a cut from zone b and from the controller, clients reach both",
                  "F0, then promote in zone b; zone a acknowledges nothing; mended, it follows",
                  "S1 S2");
}
