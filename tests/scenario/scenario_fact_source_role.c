/* Server fact (semisync-measured 8, 9): with the source role on, a replica's applier waits for
 * ackers of its own and cannot be stopped; a promoted server without an acker blocks at once.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, SCENARIO_NO_CONTROLLER);
    talk_do(lab, "db2", WORD_SOURCE_ON);
    talk_insert(lab, "db1", 1); /* acknowledged: db2 received it */
    talk_wait(lab, "db2", WORD_WAITERS, "1", 10);
    struct waiter *stop = waiter_start(lab, "db2", "root", talk_word(lab, WORD_STOP_BOTH));
    SCENARIO_CHECK(!waiter_has_answer(stop, 3000, NULL), "replication stopped behind its waiter");
    printf("role on before the drain: the applier waits, its stop hangs\n");
    talk_do(lab, "db2", WORD_SOURCE_OFF);
    SCENARIO_CHECK(waiter_has_answer(stop, 10000, NULL), "role off did not release the applier");
    waiter_end(stop);
    talk_wait(lab, "db2", WORD_ROWS, "1", 10);
    LAB_MUST(lab, lab_kill(lab, "db1"));
    talk_do(lab, "db2", WORD_SOURCE_ON);
    talk_do(lab, "db2", WORD_WRITABLE);
    struct waiter *client =
        waiter_start(lab, "db2", "app", "INSERT INTO shop.ledger (client, seq) VALUES (907, 1)");
    SCENARIO_CHECK(!waiter_has_answer(client, 2000, NULL), "a commit without acker was answered");
    printf("promoted without an acker: the first commit waits\n");
    waiter_end(client);
    scenario_pass("fact: source role", "source role on a replica; promotion without an acker",
                  "applier waits and cannot be stopped; the first commit waits", "S2 L2");
}
