/* Row 20: the primary purged binary logs that a stopped replica still needs. It is told (209) and
 * no candidate; it is never attached over the gap, and the other acker carries the promise on.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

/* Purges everything before the newest log; again until the server no longer holds on to any. */
static void purge_all(struct lab *lab)
{
    LAB_MUST(lab, lab_sql(lab, "db1", "FLUSH BINARY LOGS", NULL));
    talk_insert(lab, "db1", 1);
    for (int64_t begun = lab_now_us();; scenario_write_on(200)) {
        STAY_AUTO(stay_free_charp) char *logs = scenario_value(lab, "db1", "SHOW BINARY LOGS");
        char *last = strrchr(logs, '\n');
        if (last == NULL)
            return;
        SCENARIO_CHECK(talk_ms_since(begun) < 20000, "not purged: %s", logs);
        last++;
        last[strcspn(last, "\t")] = '\0';
        STAY_AUTO(stay_free_charp) char *purge = stay_sprintf("PURGE BINARY LOGS TO '%s'", last);
        LAB_MUST(lab, lab_sql(lab, "db1", purge, NULL));
    }
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){.acker = true}, 0);
    int code = -1;
    LAB_MUST(lab, lab_cli(lab, &code, NULL, "pause", "shop", "--yes", NULL) && code == 0);
    talk_do(lab, "db2", WORD_STOP_BOTH);
    talk_insert(lab, "db1", 30);
    talk_wait(lab, "db3", WORD_ROWS, "30", 10);
    purge_all(lab);
    talk_insert(lab, "db1", 30);
    LAB_MUST(lab, lab_cli(lab, &code, NULL, "resume", "shop", "--yes", NULL) && code == 0);
    SCENARIO_CHECK(state_wait_node_rule(lab, "db2", 209, 40), "replica's verdict 209 not seen");
    STAY_AUTO(stay_free_charp) char *told = scenario_say(lab, &code, "problems", "shop", NULL);
    SCENARIO_CHECK(strstr(told, "209") != NULL, "not among the problems: %s", told);
    STAY_AUTO(stay_free_charp)
    char *refused = scenario_say(lab, &code, "switchover", "shop", "--yes");
    printf("switchover exits %d: %s\n", code, refused);
    SCENARIO_CHECK(code != 0, "a switchover to it was done");
    scenario_stays(lab, "db1", 5);
    long rows = talk_number(lab, "db2", WORD_ROWS);
    SCENARIO_CHECK(rows == 0 || rows == 61, "%ld rows: it was attached over the gap", rows);
    SCENARIO_CHECK(talk_number(lab, "db3", WORD_ROWS) == 61, "db3 does not follow");
    scenario_pass("20", "logs purged on the primary that a stopped replica needs",
                  "told (209), no candidate, never attached over the gap; db3 acknowledges on",
                  "S10 S7");
}
