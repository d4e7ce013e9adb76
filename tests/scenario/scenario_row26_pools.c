/* Row 26: the old primary wakes with client pools still open to it, past the proxies, each about to
 * write. It is closed before it can acknowledge any of them: nobody is told OK.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    struct waiter *pool[16];
    int refused = 0;
    scenario_load(lab);
    for (size_t i = 0; i < STAY_COUNT(pool); i++)
        pool[i] = waiter_start(lab, "db1", "app",
                               "DO SLEEP(3); INSERT INTO shop.ledger (client, seq) VALUES (9999, "
                               "1)");
    LAB_MUST(lab, lab_wait_sql(lab, "db1",
                               "SELECT COUNT(*) FROM information_schema.processlist WHERE "
                               "info LIKE 'DO SLEEP%'",
                               "16", 10));
    LAB_MUST(lab, lab_hang(lab, "db1"));
    const char *now = scenario_failover_unseen(lab, "db1", 30);
    scenario_write_on(4000); /* every SLEEP is over when it wakes */
    LAB_MUST(lab, lab_thaw(lab, "db1"));
    (void)scenario_settled(lab, "db1", 40);
    for (size_t i = 0; i < STAY_COUNT(pool); i++) {
        unsigned code = 0;
        bool has_answer = waiter_has_answer(pool[i], 500, &code);
        SCENARIO_CHECK(!has_answer || code != 0, "the old primary told a client OK");
        refused += has_answer;
        waiter_end(pool[i]);
    }
    printf("16 clients: %d refused, %d without an answer\n", refused, 16 - refused);
    SCENARIO_CHECK(strcmp(lab_writable(lab), now) == 0, "writable: '%s'", lab_writable(lab));
    scenario_write_on(500);
    scenario_check(lab, now, 50);
    scenario_pass("26",
                  "SIGSTOP of the primary, failover, SIGCONT with 16 direct clients about to "
                  "write",
                  "fenced on return, none of them was told OK", "S1 S2");
}
