/* Server fact (semisync-measured 12, reliability 0.3): a killed waiter's client gets an error and
 * its row stays on the primary (a ghost). On MySQL the killed session itself stays too.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, SCENARIO_NO_CONTROLLER);
    bool mysql = lab_engine_of(lab) == LAB_MYSQL;
    talk_do(lab, "db2", WORD_STOP_RECEIVER);
    struct waiter *client =
        waiter_start(lab, "db1", "app", "INSERT INTO shop.ledger (client, seq) VALUES (905, 1)");
    talk_wait(lab, "db1", WORD_WAITERS, "1", 10);
    STAY_AUTO(stay_free_charp)
    char *id = scenario_value(lab, "db1",
                              "SELECT id FROM information_schema.processlist WHERE user = 'app'");
    STAY_AUTO(stay_free_charp) char *kill_it = stay_sprintf("KILL %s", id);
    LAB_MUST(lab, lab_sql(lab, "db1", kill_it, NULL));
    unsigned code = 0;
    SCENARIO_CHECK(waiter_has_answer(client, 5000, &code), "the killed client still waits");
    waiter_end(client);
    SCENARIO_CHECK(code != 0, "the killed waiter was answered OK");
    if (!mysql)
        talk_wait(lab, "db1", WORD_WAITERS, "0", 5);
    STAY_AUTO(stay_free_charp) char *waits = talk_ask(lab, "db1", WORD_WAITERS);
    STAY_AUTO(stay_free_charp) char *rows = talk_ask(lab, "db1", WORD_ROWS);
    STAY_AUTO(stay_free_charp) char *there = talk_ask(lab, "db2", WORD_ROWS);
    printf("client got %u; waiters %s; the row: %s on db1, %s on db2\n", code, waits, rows, there);
    SCENARIO_CHECK(strcmp(waits, mysql ? "1" : "0") == 0, "%s sessions wait", waits);
    SCENARIO_CHECK(strcmp(there, "0") == 0, "db2 has it");
    SCENARIO_CHECK(mysql || strcmp(rows, "1") == 0, "MariaDB's ghost row is not readable: %s",
                   rows);
    scenario_pass("fact: killed waiter", "a commit waits, its session is killed",
                  mysql ? "client gets an error, the session stays in its wait"
                        : "client gets an error, the row is committed on the old primary only",
                  "S2 S7");
}
