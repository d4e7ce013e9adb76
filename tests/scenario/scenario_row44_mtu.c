/* Row 44: a path that loses big packets and passes small ones, first between controller and
 * primary, then between primary and replica. Never a failover; the replica that only heartbeats
 * reach acknowledges nothing: bounded is recorded, lossless returns when the path does.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    scenario_load(lab);
    LAB_MUST(lab, lab_big(lab, "db1", "controller", 576));
    scenario_kill_sessions(lab, "db1", "mainstay_monitor"); /* the TLS handshake is big as well */
    scenario_stays(lab, "db1", 8);
    LAB_MUST(lab, lab_heal(lab, NULL, NULL));
    scenario_ready(lab, 30);
    LAB_MUST(lab, lab_big(lab, "db1", "db2", 300));
    SCENARIO_CHECK(state_wait_plans(lab, "mode degrade", 1, 40), "no mode degrade within 40 s");
    scenario_stays(lab, "db1", 3);
    LAB_MUST(lab, lab_heal(lab, NULL, NULL));
    scenario_ready(lab, 60);
    SCENARIO_CHECK(state_count_plans(lab, "failover") == 0, "something failed over");
    scenario_check(lab, "db1", 200);
    scenario_pass("44", "packets > 576 bytes lost controller-primary, > 300 bytes primary-replica",
                  "no failover; blocked commits: bounded recorded, lossless again when mended",
                  "L1 S9 S2");
}
