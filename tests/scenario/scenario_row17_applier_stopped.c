/* Row 17: the only candidate's applier is stopped with acknowledged rows waiting in its relay log
 * when the primary dies. It is started while the receiver still runs, drained, and nothing is lost.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    scenario_load(lab);
    long unapplied = 0; /* the controller starts a stopped applier, soon: be faster */
    for (int64_t begun = lab_now_us(); unapplied <= 0 && talk_ms_since(begun) < 10000;) {
        talk_do(lab, "db2", WORD_STOP_APPLIER);
        scenario_write_on(60);
        unapplied = talk_number(lab, "db1", WORD_ROWS) - talk_number(lab, "db2", WORD_ROWS);
    }
    LAB_MUST(lab, lab_kill(lab, "db1"));
    printf("%ld rows were not applied on db2 when db1 was killed\n", unapplied);
    SCENARIO_CHECK(unapplied > 0, "the run proves nothing");
    const char *now = scenario_failover_either(lab, "db1", 40);
    scenario_story(lab, "failover");
    scenario_write_on(500);
    scenario_check(lab, now, 50);
    scenario_pass("17", "applier stopped, acknowledged rows unapplied, SIGKILL of the primary",
                  "applier started, drained, promoted", "S2");
}
