/* Server fact (semisync-measured 6): a frozen acker that restarts without skip-slave-start attaches
 * again by itself and acknowledges the old primary's waiter; with skip-slave-start it does not.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, SCENARIO_NO_CONTROLLER);
    talk_do(lab, "db2", WORD_STOP_RECEIVER);
    struct waiter *client =
        waiter_start(lab, "db1", "app", "INSERT INTO shop.ledger (client, seq) VALUES (901, 1)");
    talk_wait(lab, "db1", WORD_WAITERS, "1", 10);
    LAB_MUST(lab, lab_stop(lab, "db2"));
    LAB_MUST(lab, lab_start(lab, "db2", NULL)); /* the lab's servers have skip-slave-start */
    SCENARIO_CHECK(!waiter_has_answer(client, 1500, NULL), "acknowledged by a frozen replica");
    printf("restarted with skip-slave-start: the commit still waits\n");
    LAB_MUST(lab, lab_stop(lab, "db2"));
    LAB_MUST(lab,
             lab_start(lab, "db2",
                       scenario_pick(lab, "--skip-slave-start=0", "--skip-replica-start=OFF")));
    unsigned code = 1;
    SCENARIO_CHECK(waiter_has_answer(client, 15000, &code) && code == 0,
                   "no acknowledgement: code %u", code);
    printf("restarted without it: attached by itself and acknowledged\n");
    waiter_end(client);
    scenario_pass("fact: frozen acker", "receiver stopped, a commit waits, the acker restarts",
                  "without skip-slave-start it acknowledges, with it never", "S1 S2");
}
