/* Row 3: the primary's host loses power: its process and its network go in the same instant, so no
 * port refuses. Silence is judged, the replica's word counts, nothing acknowledged is lost.
 * ENGINES: mariadb mysql */
#include "tests/lib/scenario.h"

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    scenario_load(lab);
    LAB_MUST(lab, lab_cut(lab, "db1", "all", false) && lab_kill(lab, "db1"));
    const char *now = scenario_failover_unseen(lab, "db1", 30);
    scenario_story(lab, "failover");
    scenario_write_on(1000);
    LAB_MUST(lab, lab_heal(lab, NULL, NULL) && lab_start(lab, "db1", NULL));
    (void)scenario_settled(lab, "db1", 30);
    scenario_check(lab, now, 50);
    scenario_pass("3", "SIGKILL and network cut of the primary at once",
                  "failover on silence; the host returns as replica or is quarantined", "L2 S2 S8");
}
