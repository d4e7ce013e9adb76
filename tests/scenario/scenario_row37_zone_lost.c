/* Row 37: the primary's zone is lost: server, proxy and network of it in one instant. The other
 * zone's replica takes over; nothing acknowledged is lost; what returns follows or is set aside.
 * ENGINES: mariadb mysql */
#include "tests/lib/scenario.h"

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){.acker = true}, 0);
    scenario_load(lab);
    LAB_MUST(lab, lab_cut(lab, "a", "all", false) && lab_kill(lab, "db1"));
    LAB_MUST(lab, lab_proxy_kill(lab, "a"));
    const char *now = scenario_failover_unseen(lab, "db1", 40);
    scenario_story(lab, "failover");
    SCENARIO_CHECK(strcmp(now, "db2") == 0, "%s was promoted", now);
    scenario_write_on(1500);
    LAB_MUST(lab, lab_heal(lab, NULL, NULL) && lab_start(lab, "db1", NULL));
    LAB_MUST(lab, lab_proxy_restart(lab, "a"));
    (void)scenario_settled(lab, "db1", 40);
    SCENARIO_CHECK(strcmp(lab_writable(lab), now) == 0, "writable: '%s'", lab_writable(lab));
    scenario_check(lab, now, 50);
    scenario_pass("37", "zone a lost: server and proxy killed, network cut, at once",
                  "failover to zone b with proof; the zone returns as replica or is quarantined",
                  "S8 L2 S2");
}
