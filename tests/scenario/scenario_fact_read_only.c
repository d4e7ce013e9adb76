/* Server fact (semisync-measured 12, reliability 0.3): read-only hangs behind a waiter; semi-sync
 * switched off answers it OK, an acknowledged loss; the fence's order does neither.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

static const char insert[] = "INSERT INTO shop.ledger (client, seq) VALUES (906, 1)";

static struct waiter *block(struct lab *lab)
{
    struct waiter *client = waiter_start(lab, "db1", "app", insert);
    talk_wait(lab, "db1", WORD_WAITERS, "1", 10);
    return client;
}

static void kill_clients(struct lab *lab)
{
    STAY_AUTO(stay_free_charp)
    char *id = scenario_value(lab, "db1",
                              "SELECT id FROM information_schema.processlist WHERE user = 'app'");
    STAY_AUTO(stay_free_charp) char *kill_it = stay_sprintf("KILL %s", id);
    LAB_MUST(lab, lab_sql(lab, "db1", kill_it, NULL));
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, SCENARIO_NO_CONTROLLER);
    bool mysql = lab_engine_of(lab) == LAB_MYSQL;
    unsigned code = 0;
    talk_do(lab, "db2", WORD_STOP_RECEIVER);
    struct waiter *client = block(lab);
    struct waiter *fence =
        waiter_start(lab, "db1", "root",
                     mysql ? "SET SESSION lock_wait_timeout=2; SET GLOBAL super_read_only=1"
                           : "SET GLOBAL read_only=1");
    bool answered = waiter_has_answer(fence, mysql ? 6000 : 2500, &code);
    printf("read-only behind a waiter: %s (code %u)\n", answered ? "refused" : "hangs", code);
    SCENARIO_CHECK(mysql ? answered && code == 1205 : !answered, "read-only passed a waiter");
    waiter_end(fence);
    kill_clients(lab);
    if (mysql)
        LAB_MUST(lab, lab_sql(lab, "db1", "SET GLOBAL offline_mode=ON", NULL));
    SCENARIO_CHECK(waiter_has_answer(client, 5000, &code) && code != 0, "the client was told OK");
    waiter_end(client);
    int64_t begun = lab_now_us();
    if (mysql)
        talk_do(lab, "db1", WORD_SOURCE_OFF);
    talk_do(lab, "db1", WORD_READ_ONLY);
    if (!mysql)
        talk_do(lab, "db1", WORD_SOURCE_OFF);
    printf("clients ended first: fenced in %d ms, the client got an error\n", talk_ms_since(begun));
    SCENARIO_CHECK(talk_ms_since(begun) < 3000, "the fence's order no longer works");
    if (mysql)
        LAB_MUST(lab, lab_sql(lab, "db1", "SET GLOBAL offline_mode=OFF", NULL));
    talk_do(lab, "db1", WORD_WRITABLE);
    talk_do(lab, "db1", WORD_SOURCE_ON);
    client = block(lab);
    talk_do(lab, "db1", WORD_SOURCE_OFF);
    SCENARIO_CHECK(waiter_has_answer(client, 5000, &code) && code == 0, "code %u", code);
    waiter_end(client);
    printf("semi-sync off first: the client was told OK, db2 has nothing\n");
    SCENARIO_CHECK(talk_number(lab, "db2", WORD_ROWS) == 0, "db2 has it");
    scenario_pass("fact: read-only behind a waiter", "fence in the right and in the wrong order",
                  "hangs or fails behind a waiter; clients first works; semi-sync off first = loss",
                  "S2");
}
