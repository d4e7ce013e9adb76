/* Server fact, found by the simulator (seed 37907): commits hang in a disk that takes no write,
 * behind one that waits for its acknowledgement; all are killed, others come, the disk works again.
 * Those who came are answered OK (fact_killed_stuck), unless an attempt to set read_only waits
 * since before the kill: it outlives its client, nobody begins to write meanwhile, and when the
 * killed ones have left the server is read-only. ENGINES: mariadb */
#include "tests/lib/server_talk.h"

enum { STUCK = 5, LATER = 6 };

static const char insert[] = "INSERT INTO shop.ledger (client, seq) VALUES (909, 1)";
static const char closing[] = "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE "
                              "'SET GLOBAL read_only%' AND state LIKE 'Waiting%'";

static void come(struct lab *lab, struct waiter **clients, int n, const char *states,
                 const char *all)
{
    STAY_AUTO(stay_free_charp)
    char *count = stay_sprintf("SELECT COUNT(*) FROM information_schema.processlist WHERE "
                               "user = 'app' AND state LIKE '%s%%'",
                               states);
    for (int i = 0; i < n; i++)
        clients[i] = waiter_start(lab, "db1", "app", insert);
    LAB_MUST(lab, lab_wait_sql(lab, "db1", count, all, 10));
}

static int count_ok(struct waiter **clients, int n)
{
    int ok = 0;
    for (int i = 0; i < n; i++) {
        unsigned code = 0;
        ok += waiter_has_answer(clients[i], 100, &code) && code == 0;
        waiter_end(clients[i]);
    }
    return ok;
}

/* How many of those who came after the kill are answered OK. */
static int run(struct lab *lab, bool shut)
{
    struct waiter *front, *stuck[STUCK], *later[LATER], *closer = NULL;
    come(lab, &front, 1, "Waiting for semi-sync ACK", "1");
    LAB_MUST(lab, lab_freeze_disk(lab, "db1", true));
    come(lab, stuck, STUCK, "Commit", "5");
    if (shut) {
        closer = waiter_start(lab, "db1", "root", "SET GLOBAL read_only = 1");
        LAB_MUST(lab, lab_wait_sql(lab, "db1", closing, "1", 10));
    }
    scenario_kill_sessions(lab, "db1", "app");
    scenario_write_on(3000);
    come(lab, later, LATER, shut ? "Waiting for backup lock" : "Commit", shut ? "6" : "11");
    LAB_MUST(lab, lab_freeze_disk(lab, "db1", false));
    scenario_write_on(2000);
    int told = count_ok(&front, 1) + count_ok(stuck, STUCK), ok = count_ok(later, LATER);
    printf("%s: %d of those who were killed were answered OK, %d of those who came later\n",
           shut ? "read-only waits" : "nothing waits", told, ok);
    if (closer != NULL)
        waiter_end(closer);
    SCENARIO_CHECK(told == 0, "one that was killed was answered OK");
    SCENARIO_CHECK(talk_number(lab, "db2", WORD_ROWS) == 20, "db2 has them");
    return ok;
}

int main(int argc, char **argv)
{
    struct lab *lab =
        scenario_begin(argc, argv, (struct lab_options){.disks = true}, SCENARIO_NO_CONTROLLER);
    talk_insert(lab, "db1", 20); /* its tables are open */
    talk_wait(lab, "db2", WORD_ROWS, "20", 10);
    talk_do(lab, "db2", WORD_STOP_RECEIVER);
    (void)run(lab, false); /* 6 of 6, as a rule */
    scenario_kill_sessions(lab, "db1", "app");
    LAB_MUST(lab, lab_wait_sql(lab, "db1",
                               "SELECT COUNT(*) FROM information_schema.processlist WHERE "
                               "user = 'app'",
                               "0", 10));
    int shut = run(lab, true);
    SCENARIO_CHECK(shut == 0, "%d were answered OK though read-only waited", shut);
    LAB_MUST(lab, lab_wait_sql(lab, "db1", "SELECT @@read_only", "1", 10));
    scenario_pass(
        "fact: killed and shut", "commits hang in a frozen disk behind waiters, all killed",
        "who comes later is answered OK, but not where read-only waits since before", "S2");
}
