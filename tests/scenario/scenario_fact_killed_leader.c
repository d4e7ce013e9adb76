/* Server fact, found by row 38: on MariaDB the leader of a group commit waits for the whole group.
 * Its session killed, the others of the group are answered OK although nobody acknowledged: a fence
 * must end the followers first. On MySQL a killed leader does not leave its wait.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

enum { WAITERS = 10 };

static const char leader[] = "SELECT id FROM information_schema.processlist WHERE user = 'app' AND "
                             "state = 'Waiting for semi-sync ACK from slave' LIMIT 1";
static const char leader_mysql[] =
    "SELECT id FROM information_schema.processlist WHERE user = 'app' AND "
    "state LIKE 'Waiting for semi-sync ACK from replica%' AND command <> 'Killed' LIMIT 1";

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, SCENARIO_NO_CONTROLLER);
    bool mysql = lab_engine_of(lab) == LAB_MYSQL;
    struct waiter *clients[WAITERS];
    talk_do(lab, "db2", WORD_STOP_RECEIVER);
    for (int i = 0; i < WAITERS; i++)
        clients[i] = waiter_start(lab, "db1", "app",
                                  "INSERT INTO shop.ledger (client, seq) VALUES (908, 1)");
    LAB_MUST(lab, lab_wait_sql(lab, "db1",
                               "SELECT COUNT(*) FROM information_schema.processlist WHERE "
                               "user = 'app' AND info LIKE 'INSERT%'",
                               "10", 10));
    int killed = 0, ok = 0, failed = 0;
    for (int64_t begun = lab_now_us(); talk_ms_since(begun) < 2000; scenario_write_on(20)) {
        STAY_AUTO(stay_free_charp)
        char *id = scenario_value(lab, "db1", mysql ? leader_mysql : leader);
        STAY_AUTO(stay_free_charp) char *kill_it = stay_sprintf("KILL %s", id);
        if (id[0] == '\0' || strchr(id, '\n') != NULL || !lab_sql(lab, "db1", kill_it, NULL))
            continue;
        killed++;
    }
    for (int i = 0; i < WAITERS; i++) {
        unsigned code = 0;
        if (waiter_has_answer(clients[i], 100, &code)) {
            ok += code == 0;
            failed += code != 0;
        }
        waiter_end(clients[i]);
    }
    printf("%d leaders killed: %d commits answered OK, %d with an error, %d still wait\n", killed,
           ok, failed, WAITERS - ok - failed);
    SCENARIO_CHECK(killed > 0, "no leader was seen");
    SCENARIO_CHECK(talk_number(lab, "db2", WORD_ROWS) == 0, "db2 has rows");
    SCENARIO_CHECK(mysql ? ok == 0 : ok > 0, "%d answered OK", ok);
    scenario_pass("fact: killed leader", "a group of commits waits, only its leader is killed",
                  mysql ? "nobody is answered OK" : "the followers are answered OK: acked loss",
                  "S2");
}
