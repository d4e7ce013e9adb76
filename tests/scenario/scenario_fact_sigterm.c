/* Server fact (semisync-measured 5): an orderly shutdown of a primary whose waiters have no acker
 * answers them OK on MySQL and error 2013 on MariaDB; when acks flow, it loses nothing on either.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

enum { WAITERS = 4 };

static struct waiter *waiters[WAITERS];

static void begin_waiters(struct lab *lab)
{
    for (int i = 0; i < WAITERS; i++)
        waiters[i] = waiter_start(lab, "db1", "app",
                                  "INSERT INTO shop.ledger (client, seq) VALUES (902, 1)");
    LAB_MUST(lab, lab_wait_sql(lab, "db1",
                               "SELECT COUNT(*) FROM information_schema.processlist WHERE "
                               "user = 'app' AND info LIKE 'INSERT%'",
                               "4", 10));
}

static void end_waiters(struct lab *lab, const char *when)
{
    int ok = 0;
    unsigned code = 0;
    LAB_MUST(lab, lab_stop(lab, "db1"));
    for (int i = 0; i < WAITERS; i++) {
        SCENARIO_CHECK(waiter_has_answer(waiters[i], 5000, &code), "no answer from a dead server");
        ok += code == 0;
        waiter_end(waiters[i]);
    }
    printf("blocked, %s: %d of %d waiters were answered OK (last code %u)\n", when, ok, WAITERS,
           code);
    SCENARIO_CHECK(ok == (lab_engine_of(lab) == LAB_MYSQL ? WAITERS : 0), "%d answered OK", ok);
}

/* db1 back as the primary it was, db2 attached to it anew. */
static void restore(struct lab *lab)
{
    LAB_MUST(lab, lab_start(lab, "db1", NULL));
    talk_do(lab, "db1", WORD_SOURCE_ON);
    talk_do(lab, "db2", WORD_STOP_BOTH);
    talk_do(lab, "db2", WORD_START_BOTH);
    talk_wait(lab, "db1", WORD_CLIENTS, "1", 20);
    talk_do(lab, "db1", WORD_WRITABLE);
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, SCENARIO_NO_CONTROLLER);
    LAB_MUST(lab, lab_cut(lab, "db1", "db2", false)); /* the freeze has not happened */
    begin_waiters(lab);
    end_waiters(lab, "before the freeze");
    LAB_MUST(lab, lab_heal(lab, "db1", "db2"));
    restore(lab);
    talk_do(lab, "db2", WORD_STOP_RECEIVER);
    begin_waiters(lab);
    end_waiters(lab, "after the freeze");
    restore(lab);
    scenario_load(lab); /* healthy: whatever a client was told is on the acker */
    LAB_MUST(lab, lab_stop(lab, "db1"));
    talk_do(lab, "db2", WORD_STOP_RECEIVER);
    STAY_AUTO(stay_free_charp)
    char *received = talk_replica(lab, "db2", "Gtid_IO_Pos", "Retrieved_Gtid_Set");
    STAY_AUTO(stay_free_charp)
    char *wait = stay_sprintf("SELECT %s('%s', 10)",
                              scenario_pick(lab, "MASTER_GTID_WAIT", "WAIT_FOR_EXECUTED_GTID_SET"),
                              received);
    LAB_MUST(lab, lab_wait_sql(lab, "db2", wait, "0", 15));
    scenario_check(lab, "db2", 100);
    scenario_pass("fact: SIGTERM", "orderly shutdown: blocked before and after a freeze, healthy",
                  lab_engine_of(lab) == LAB_MYSQL
                      ? "blocked waiters get OK; healthy loses nothing"
                      : "blocked waiters get 2013; healthy loses nothing",
                  "S2");
}
