/* Row 12: every fsync of the primary answers EIO. The server gives itself up; that is a crash like
 * any other: failover, nothing acknowledged is lost; it returns read-only and is compared first.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    scenario_load(lab);
    LAB_MUST(lab, lab_fail_fsync(lab, "db1"));
    const char *now = scenario_failover_either(lab, "db1", 40);
    scenario_story(lab, "failover");
    SCENARIO_CHECK(!lab_is_running(lab, "db1"), "db1 lives on without a disk");
    scenario_write_on(1000);
    LAB_MUST(lab, lab_start(lab, "db1", NULL));
    const char *how = scenario_settled(lab, "db1", 60);
    scenario_write_on(500);
    scenario_check(lab, now, 50);
    printf("db1 came back as %s\n", how);
    scenario_pass("12", "EIO on each fsync of the primary",
                  "the server ends itself, failover; back, it is compared before it follows",
                  "S7 S2");
}
