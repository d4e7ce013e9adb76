/* Row 38, and the old primary's disk hangs behind clients that wait for an acknowledgement (found
 * by the simulator, seed 37907): the fence on its return kills commits that cannot leave. Its
 * attempt to set read_only stays, nobody begins to write, and when the disk works nobody who came
 * after the kill is answered OK (fact_killed_shut). ENGINES: mariadb */
#include "tests/lib/server_talk.h"

enum { STUCK = 5, LATER = 6 };

static const char insert[] = "INSERT INTO shop.ledger (client, seq) VALUES (910, 1)";

static void wait_for(struct lab *lab, const char *what, const char *like, const char *n)
{
    STAY_AUTO(stay_free_charp)
    char *count = stay_sprintf("SELECT COUNT(*) FROM information_schema.processlist WHERE %s LIKE "
                               "'%s%%'",
                               what, like);
    LAB_MUST(lab, lab_wait_sql(lab, "db1", count, n, 30));
}

static int count_ok(struct waiter **clients, int n)
{
    int ok = 0;
    for (int i = 0; i < n; i++) {
        unsigned code = 0;
        ok += waiter_has_answer(clients[i], 500, &code) && code == 0;
        waiter_end(clients[i]);
    }
    return ok;
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){.disks = true}, 0);
    struct waiter *front, *stuck[STUCK], *later[LATER];
    talk_insert(lab, "db1", 20);
    LAB_MUST(lab, lab_cut(lab, "a", "b", false) && lab_cut(lab, "a", "witness", false));
    const char *now = scenario_failover_unseen(lab, "db1", 30);
    front = waiter_start(lab, "db1", "app", insert);
    wait_for(lab, "state", "Waiting for semi-sync ACK", "1");
    LAB_MUST(lab, lab_freeze_disk(lab, "db1", true));
    for (int i = 0; i < STUCK; i++)
        stuck[i] = waiter_start(lab, "db1", "app", insert);
    wait_for(lab, "user = 'app' AND state", "Commit", "5");
    LAB_MUST(lab, lab_heal(lab, NULL, NULL));
    wait_for(lab, "command = 'Killed' AND state", "Commit", "6");
    SCENARIO_CHECK(state_wait_plans(lab, "fence", 1, 30), "no plan \"fence\" in history");
    scenario_story(lab, "fence");
    wait_for(lab, "info",
             "SET STATEMENT max_statement_time = 0, lock_wait_timeout = 31536000 FOR SET GLOBAL",
             "1");
    for (int i = 0; i < LATER; i++)
        later[i] = waiter_start(lab, "db1", "app", insert);
    scenario_write_on(1000); /* they wait for read-only, or the next fence ends them */
    LAB_MUST(lab, lab_freeze_disk(lab, "db1", false));
    scenario_write_on(2000);
    int told = count_ok(&front, 1) + count_ok(stuck, STUCK), ok = count_ok(later, LATER);
    SCENARIO_CHECK(told == 0 && ok == 0, "answered OK: %d of the killed, %d who came later", told,
                   ok);
    LAB_MUST(lab, lab_wait_sql(lab, "db1", "SELECT @@read_only", "1", 10));
    SCENARIO_CHECK(strcmp(lab_writable(lab), now) == 0, "writable: '%s'", lab_writable(lab));
    printf("db1 came back as %s\n", scenario_settled(lab, "db1", 60));
    scenario_pass(
        "38", "zone a cut, the old primary's disk hangs behind waiters, then it is mended",
        "the fence kills who cannot leave, and nobody is told OK who came after", "S1 S2");
}
