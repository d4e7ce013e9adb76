/* Row 39: the replica's zone is lost. The primary serves on only once bounded is recorded; nothing
 * fails over, not even on request without a candidate; the zone returns and lossless with it.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    int code = 0;
    scenario_load(lab);
    LAB_MUST(lab, lab_cut(lab, "b", "all", false) && lab_kill(lab, "db2"));
    LAB_MUST(lab, lab_proxy_kill(lab, "b"));
    SCENARIO_CHECK(state_wait_plans(lab, "mode degrade", 1, 30), "no mode degrade within 30 s");
    long before = talk_number(lab, "db1", WORD_ROWS);
    scenario_stays(lab, "db1", 4);
    SCENARIO_CHECK(talk_number(lab, "db1", WORD_ROWS) > before, "writes do not go on");
    STAY_AUTO(stay_free_charp) char *told = scenario_say(lab, &code, "switchover", "shop", "--yes");
    SCENARIO_CHECK(code != 0, "a switchover to nobody: %s", told);
    LAB_MUST(lab, lab_heal(lab, NULL, NULL) && lab_start(lab, "db2", NULL));
    LAB_MUST(lab, lab_proxy_restart(lab, "b"));
    scenario_ready(lab, 60);
    SCENARIO_CHECK(strcmp(lab_writable(lab), "db1") == 0, "writable: '%s'", lab_writable(lab));
    scenario_check(lab, "db1", 200);
    scenario_pass("39", "zone b lost: server and proxy killed, network cut, at once",
                  "bounded recorded, then writes go on; no failover; the zone back: lossless again",
                  "S9 S14 S2");
}
