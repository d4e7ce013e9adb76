/* Row 24: the candidate cannot be made writable: our account lost that right on it alone. The next
 * candidate is promoted; the refused one stays read-only and nothing is lost.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

static const char take_mariadb[] =
    "SET sql_log_bin=0; REVOKE READ_ONLY ADMIN ON *.* FROM mainstay_operate";
static const char take_mysql[] =
    "SET GLOBAL super_read_only=OFF; SET sql_log_bin=0; "
    "REVOKE SYSTEM_VARIABLES_ADMIN ON *.* FROM mainstay_operate; SET GLOBAL super_read_only=ON";

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){.replicas = 2}, 0);
    scenario_load(lab);
    LAB_MUST(lab, lab_sql(lab, "db2", scenario_pick(lab, take_mariadb, take_mysql), NULL));
    scenario_kill_sessions(lab, "db2", "mainstay_operate");
    LAB_MUST(lab, lab_kill(lab, "db1"));
    const char *now = scenario_failover(lab, "db1", 60);
    scenario_story(lab, "failover");
    SCENARIO_CHECK(strcmp(now, "db4") == 0, "%s was promoted", now);
    STAY_AUTO(stay_free_charp) char *read_only = scenario_value(lab, "db2", "SELECT @@read_only");
    SCENARIO_CHECK(strcmp(read_only, "1") == 0, "db2 is writable as well");
    scenario_write_on(500);
    scenario_check(lab, now, 50);
    scenario_pass("24", "the candidate refuses to become writable",
                  "the next candidate is promoted, nothing lost", "L2 L5 S2");
}
