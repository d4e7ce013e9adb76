/* Row 2: the primary is frozen (its kernel still accepts connections) and thawed after the
 * failover: it finds no acker and no route, is fenced and follows, or is set aside; never both
 * acknowledge. ENGINES: mariadb mysql */
#include "tests/lib/scenario.h"

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    scenario_load(lab);
    LAB_MUST(lab, lab_hang(lab, "db1"));
    const char *now = scenario_failover_unseen(lab, "db1", 30);
    scenario_story(lab, "failover");
    scenario_write_on(1500);
    LAB_MUST(lab, lab_thaw(lab, "db1"));
    (void)scenario_settled(lab, "db1", 30);
    scenario_write_on(500);
    scenario_check(lab, now, 50);
    SCENARIO_CHECK(strcmp(lab_writable(lab), now) == 0, "writable: '%s'", lab_writable(lab));
    scenario_pass("2", "SIGSTOP of the primary, SIGCONT after the failover",
                  "failover; thawed, it is fenced and follows or is quarantined", "L1 S1 S2");
}
