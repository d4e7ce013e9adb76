/* Server fact, asked by row 9: commits hang in a disk that takes no write. Their sessions are
 * killed and cannot leave; others come; the disk works again, and no acker is there. One that was
 * killed leads the next group of commits and waits for no acknowledgement: the others of its group
 * are answered OK. Killed nobody, all wait. So a fence must not kill who cannot leave.
 * ENGINES: mariadb (on MySQL a killed waiter stays in its wait: fact_killed_leader) */
#include "tests/lib/server_talk.h"

enum { STUCK = 6, LATER = 6 };

static const char insert[] = "INSERT INTO shop.ledger (client, seq) VALUES (908, 1)";

static void come(struct lab *lab, struct waiter **clients, int n, const char *inserts)
{
    for (int i = 0; i < n; i++)
        clients[i] = waiter_start(lab, "db1", "app", insert);
    LAB_MUST(lab, lab_wait_sql(lab, "db1",
                               "SELECT COUNT(*) FROM information_schema.processlist WHERE "
                               "user = 'app' AND state = 'Commit'",
                               inserts, 10));
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

/* How many of those who came later are answered OK. */
static int run(struct lab *lab, bool kills)
{
    struct waiter *stuck[STUCK], *later[LATER];
    LAB_MUST(lab, lab_freeze_disk(lab, "db1", true));
    come(lab, stuck, STUCK, "6");
    if (kills)
        scenario_kill_sessions(lab, "db1", "app");
    come(lab, later, LATER, "12"); /* killed ones are still there */
    LAB_MUST(lab, lab_freeze_disk(lab, "db1", false));
    scenario_write_on(2000);
    int told = count_ok(stuck, STUCK), ok = count_ok(later, LATER);
    printf("%s: %d of those who hung were answered OK, %d of those who came later\n",
           kills ? "killed" : "left alone", told, ok);
    SCENARIO_CHECK(told == 0, "one that hung was answered OK");
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
    int alone = run(lab, false);
    SCENARIO_CHECK(alone == 0, "%d answered OK though nobody was killed", alone);
    scenario_kill_sessions(lab, "db1", "app"); /* they wait for an acknowledgement */
    LAB_MUST(lab, lab_wait_sql(lab, "db1",
                               "SELECT COUNT(*) FROM information_schema.processlist WHERE "
                               "user = 'app'",
                               "0", 10));
    int ok = run(lab, true);
    SCENARIO_CHECK(ok > 0, "nobody was answered OK");
    scenario_pass("fact: killed and stuck", "commits hang in a frozen disk, some are killed",
                  "when it works again, who came later is answered OK without an acker", "S2");
}
