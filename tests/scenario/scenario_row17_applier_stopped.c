/* Row 17: the only candidate's applier is stopped. While the primary is well it is started again
 * and its receiver, the only acker, never stops. When the primary dies with acknowledged rows
 * unapplied it is started too, drained, and nothing is lost. ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    scenario_load(lab);
    STAY_AUTO(stay_free_charp) char *clients = talk_ask(lab, "db1", WORD_CLIENTS);
    talk_do(lab, "db2", WORD_STOP_APPLIER);
    for (int64_t begun = lab_now_us(); state_count_plans(lab, "start applier") == 0;) {
        SCENARIO_CHECK(talk_ms_since(begun) < 15000, "the applier is not started");
        SCENARIO_CHECK(talk_number(lab, "db1", WORD_CLIENTS) == strtol(clients, NULL, 10),
                       "the only acker was disconnected");
    }
    scenario_story(lab, "start applier");
    SCENARIO_CHECK(state_count_plans(lab, "repoint") == 0, "its source was changed");
    long unapplied = 0; /* the controller starts a stopped applier, soon: be faster */
    for (int64_t begun = lab_now_us(); unapplied <= 0 && talk_ms_since(begun) < 10000;) {
        talk_do(lab, "db2", WORD_STOP_APPLIER);
        scenario_write_on(60);
        unapplied = talk_number(lab, "db1", WORD_ROWS) - talk_number(lab, "db2", WORD_ROWS);
    }
    LAB_MUST(lab, lab_kill(lab, "db1"));
    printf("%ld rows were not applied on db2 when db1 was killed\n", unapplied);
    SCENARIO_CHECK(unapplied > 0, "the run proves nothing");
    const char *now = scenario_failover(lab, "db1", 40);
    scenario_story(lab, "failover");
    scenario_write_on(500);
    scenario_check(lab, now, 50);
    scenario_pass("17", "applier stopped, acknowledged rows unapplied, SIGKILL of the primary",
                  "applier started, drained, promoted", "S2");
}
