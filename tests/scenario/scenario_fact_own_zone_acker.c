/* Server fact (semisync-measured 11): a receiver goes on acknowledging after the semi-sync replica
 * variable was switched off, until it is restarted; status, not variable, tells the truth.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, SCENARIO_NO_CONTROLLER);
    talk_do(lab, "db2", WORD_REPLICA_OFF);
    long yes = talk_number(lab, "db1", WORD_YES_TX);
    struct waiter *client =
        waiter_start(lab, "db1", "app", "INSERT INTO shop.ledger (client, seq) VALUES (903, 1)");
    unsigned code = 1;
    SCENARIO_CHECK(waiter_has_answer(client, 5000, &code) && code == 0, "not acknowledged: %u",
                   code);
    waiter_end(client);
    yes = talk_number(lab, "db1", WORD_YES_TX) - yes;
    STAY_AUTO(stay_free_charp) char *status = talk_ask(lab, "db2", WORD_REPLICA_STATUS);
    printf("variable OFF: the commit was acknowledged (+%ld), the replica's status says %s\n", yes,
           status);
    SCENARIO_CHECK(yes >= 1 && strcmp(status, "ON") == 0, "the running receiver stopped acking");
    talk_do(lab, "db2", WORD_STOP_RECEIVER);
    talk_do(lab, "db2", WORD_START_RECEIVER);
    talk_wait(lab, "db2", WORD_REPLICA_STATUS, "OFF", 10);
    client =
        waiter_start(lab, "db1", "app", "INSERT INTO shop.ledger (client, seq) VALUES (903, 2)");
    SCENARIO_CHECK(!waiter_has_answer(client, 1500, NULL), "still acknowledged after the restart");
    printf("receiver restarted: status OFF, the commit waits\n");
    waiter_end(client);
    scenario_pass("fact: own-zone receiver", "semi-sync variable off on a running receiver",
                  "it acknowledges until the receiver restarts; status is right", "S1 S2");
}
