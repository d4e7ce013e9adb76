/* Row 1: the primary is killed and its supervisor restarts it after two seconds. grace = 0: the
 * failover completes, the returner comes back read-only, is compared and follows; never both write.
 * ENGINES: mariadb mysql */
#include "tests/lib/scenario.h"

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    scenario_load(lab);
    LAB_MUST(lab, lab_kill(lab, "db1"));
    const char *now = scenario_failover(lab, "db1", 20);
    scenario_write_on(2000);
    LAB_MUST(lab, lab_start(lab, "db1", NULL));
    STAY_AUTO(stay_free_charp) char *read_only = scenario_value(lab, "db1", "SELECT @@read_only");
    SCENARIO_CHECK(strcmp(read_only, "1") == 0, "db1 came back writable");
    scenario_write_on(1000);
    if (lab_engine_of(lab) == LAB_MARIADB) /* MySQL may keep an un-acknowledged tail: quarantine */
        scenario_ready(lab, 30);
    scenario_check(lab, now, 500);
    scenario_pass("1", "SIGKILL of the primary, restart after 2 s",
                  "failover, the returner is read-only and follows or is quarantined", "S1 S2 S5");
}
