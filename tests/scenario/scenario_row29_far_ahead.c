/* Row 29: a replica in the primary's own zone is far ahead of the acker in the other zone, whose
 * link is narrow. What the acker holds is what was acknowledged: nothing of it is lost, and the one
 * that is ahead follows, gives its part, or is set aside.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){.replicas = 2}, 0);
    char done[120];
    long ahead = 0;
    scenario_load(lab);
    LAB_MUST(lab, lab_narrow(lab, "db2", 150));
    for (int64_t begun = lab_now_us(); ahead <= 0 && talk_ms_since(begun) < 20000;) {
        scenario_write_on(100);
        ahead = talk_number(lab, "db4", WORD_ROWS) - talk_number(lab, "db2", WORD_ROWS);
    }
    LAB_MUST(lab, lab_kill(lab, "db1") && lab_heal(lab, "db2", NULL));
    const char *now = scenario_failover_either(lab, "db1", 60);
    scenario_story(lab, "failover");
    SCENARIO_CHECK(ahead > 0, "db4 was never ahead: the run proves nothing");
    (void)scenario_settled(lab, strcmp(now, "db4") == 0 ? "db2" : "db4", 60);
    scenario_write_on(500);
    scenario_check(lab, now, 50);
    snprintf(done, sizeof done, "%ld rows ahead; %s is promoted, the other settles, nothing lost",
             ahead, now);
    scenario_pass("29", "acker's link held to 150 kbit/s, own-zone replica ahead, SIGKILL", done,
                  "S2 S7");
}
