/* An operator stops both replication threads of the only acker while acknowledged rows wait in its
 * relay log. MariaDB throws these away at any start, so nothing is started without asking the
 * primary first: it lives and holds them. Then the replica is attached again and has every row.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

/* The controller starts a stopped applier, soon: be faster. */
static long stop_both_undrained(struct lab *lab)
{
    for (int64_t begun = lab_now_us(); talk_ms_since(begun) < 20000; scenario_write_on(700)) {
        talk_do(lab, "db2", WORD_STOP_APPLIER);
        scenario_write_on(60);
        talk_do(lab, "db2", WORD_STOP_BOTH);
        STAY_AUTO(stay_free_charp)
        char *received = talk_replica(lab, "db2", "Gtid_IO_Pos", "Retrieved_Gtid_Set");
        STAY_AUTO(stay_free_charp) char *executed = talk_ask(lab, "db2", WORD_EXECUTED);
        long missing = talk_number(lab, "db1", WORD_ROWS) - talk_number(lab, "db2", WORD_ROWS);
        if (missing > 0 && strcmp(received, executed) != 0)
            return missing;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    scenario_load(lab);
    scenario_write_on(500);
    long missing = stop_both_undrained(lab);
    printf("%ld rows were not applied on db2 when both its threads were stopped\n", missing);
    SCENARIO_CHECK(missing > 0, "the run proves nothing");
    for (int64_t begun = lab_now_us(); state_count_plans(lab, "rejoin") == 0; scenario_write_on(50))
        SCENARIO_CHECK(talk_ms_since(begun) < 40000, "db2 is not attached again");
    scenario_ready(lab, 40);
    scenario_story(lab, "rejoin");
    scenario_write_on(500);
    LAB_MUST(lab, lab_kill(lab, "db1"));
    const char *now = scenario_failover(lab, "db1", 40);
    scenario_write_on(500);
    scenario_check(lab, now, 50);
    scenario_pass("-", "both replication threads stopped by hand, acknowledged rows unapplied",
                  "attached again by mainstay, nothing missing", "S2, L3");
}
