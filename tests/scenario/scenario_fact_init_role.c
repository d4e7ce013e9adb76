/* Server fact (reliability-security 0.3): what a killed primary keeps of its un-acknowledged tail.
 * MariaDB truncates it when started with init_rpl_role=SLAVE and keeps it otherwise; in bounded
 * mode that truncation takes acknowledged rows away. MySQL always keeps it.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

static bool has_row(struct lab *lab, int seq)
{
    STAY_AUTO(stay_free_charp)
    char *ask =
        stay_sprintf("SELECT COUNT(*) FROM shop.ledger WHERE client = 904 AND seq = %d", seq);
    STAY_AUTO(stay_free_charp) char *text = scenario_value(lab, "db1", ask);
    return text[0] == '1';
}

/* A commit waits for an acknowledgement, the server is killed and started with `extra`. */
static bool keeps_tail(struct lab *lab, int seq, const char *extra)
{
    STAY_AUTO(stay_free_charp)
    char *insert = stay_sprintf("INSERT INTO shop.ledger (client, seq) VALUES (904, %d)", seq);
    talk_do(lab, "db1", WORD_SOURCE_ON);
    talk_do(lab, "db1", WORD_WRITABLE);
    struct waiter *client = waiter_start(lab, "db1", "app", insert);
    talk_wait(lab, "db1", WORD_WAITERS, "1", 10);
    LAB_MUST(lab, lab_kill(lab, "db1"));
    waiter_end(client);
    LAB_MUST(lab, lab_start(lab, "db1", extra));
    return has_row(lab, seq);
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, SCENARIO_NO_CONTROLLER);
    bool mariadb = lab_engine_of(lab) == LAB_MARIADB;
    LAB_MUST(lab, lab_kill(lab, "db2"));
    bool kept = keeps_tail(lab, 1, mariadb ? "--init-rpl-role=MASTER" : NULL);
    printf("started %s: the un-acknowledged row is %s\n",
           mariadb ? "with init_rpl_role=MASTER" : "again", kept ? "there" : "gone");
    SCENARIO_CHECK(kept, "the tail is no longer kept");
    if (mariadb) {
        STAY_AUTO(stay_free_charp) char *before = talk_ask(lab, "db1", WORD_EXECUTED);
        kept = keeps_tail(lab, 2, "--init-rpl-role=SLAVE");
        STAY_AUTO(stay_free_charp) char *after = talk_ask(lab, "db1", WORD_EXECUTED);
        printf("started with init_rpl_role=SLAVE: %s, position %s -> %s\n", kept ? "there" : "gone",
               before, after);
        SCENARIO_CHECK(!kept && strcmp(before, after) == 0, "the tail is not truncated");
        talk_do(lab, "db1", WORD_WRITABLE); /* no semi-sync: acknowledged at once */
        LAB_MUST(lab, lab_sql(lab, "db1", "INSERT INTO shop.ledger (client, seq) VALUES (904, 3)",
                              NULL));
        LAB_MUST(lab, lab_kill(lab, "db1"));
        LAB_MUST(lab, lab_start(lab, "db1", "--init-rpl-role=SLAVE"));
        printf("bounded mode, init_rpl_role=SLAVE: the acknowledged row is %s\n",
               has_row(lab, 3) ? "there" : "gone");
        SCENARIO_CHECK(!has_row(lab, 3), "the role is harmless in bounded mode now");
    }
    scenario_pass("fact: start-up role", "commit waits, SIGKILL, restart with each role",
                  mariadb ? "MASTER keeps the tail, SLAVE truncates it (acknowledged rows too)"
                          : "the tail is kept",
                  "S2 S7");
}
