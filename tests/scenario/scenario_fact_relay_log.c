/* Server fact (semisync-measured 1-4): rows that were acknowledged and wait in a relay log are gone
 * on MariaDB when both threads were stopped, after a restart and after any CHANGE; MySQL keeps them
 * in the first two. Stopping the receiver alone and letting the applier finish is safe on both.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

enum { ROWS = 5 };

static bool is_mysql;

/* Rows acknowledged by db2 and not applied there; db2 cannot ask db1 for them again. */
static long leave_unapplied(struct lab *lab)
{
    long before = talk_number(lab, "db2", WORD_ROWS);
    talk_do(lab, "db2", WORD_STOP_APPLIER);
    talk_insert(lab, "db1", ROWS);
    SCENARIO_CHECK(talk_number(lab, "db2", WORD_ROWS) == before, "the applier was not stopped");
    LAB_MUST(lab, lab_cut(lab, "db1", "db2", false));
    return before;
}

static void mend(struct lab *lab)
{
    LAB_MUST(lab, lab_heal(lab, "db1", "db2"));
    talk_do(lab, "db2", WORD_STOP_BOTH);
    talk_do(lab, "db2", WORD_START_BOTH);
    STAY_AUTO(stay_free_charp) char *rows = talk_ask(lab, "db1", WORD_ROWS);
    talk_wait(lab, "db2", WORD_ROWS, rows, 20);
    talk_wait(lab, "db1", WORD_CLIENTS, "1", 10);
}

/* The applier runs again: either it applies the rows, or it has nothing to apply. */
static void expect(struct lab *lab, const char *what, long before, bool is_kept)
{
    bool applied = false;
    for (int64_t begun = lab_now_us(); !applied && talk_ms_since(begun) < (is_kept ? 10000 : 1500);
         scenario_write_on(50))
        applied = talk_number(lab, "db2", WORD_ROWS) == before + ROWS;
    printf("%s: %d acknowledged rows %s\n", what, ROWS, applied ? "applied" : "gone");
    SCENARIO_CHECK(applied == is_kept, "%s: the server does not do what mainstay relies on", what);
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, SCENARIO_NO_CONTROLLER);
    is_mysql = lab_engine_of(lab) == LAB_MYSQL;
    long before = leave_unapplied(lab);
    talk_do(lab, "db2", WORD_STOP_BOTH);
    talk_do(lab, "db2", WORD_START_APPLIER);
    expect(lab, "both threads stopped, applier started", before, is_mysql);
    mend(lab);
    before = leave_unapplied(lab);
    talk_do(lab, "db2", WORD_STOP_BOTH);
    talk_do(lab, "db2", WORD_CHANGE_HEARTBEAT);
    STAY_AUTO(stay_free_charp)
    char *claims = talk_replica(lab, "db2", "Gtid_IO_Pos", "Retrieved_Gtid_Set");
    STAY_AUTO(stay_free_charp) char *has = talk_ask(lab, "db2", WORD_EXECUTED);
    printf("after CHANGE it claims to have received '%s' and has executed '%s'\n", claims, has);
    SCENARIO_CHECK(is_mysql || strcmp(claims, has) != 0, "Gtid_IO_Pos no longer claims lost rows");
    talk_do(lab, "db2", WORD_START_APPLIER);
    expect(lab, "CHANGE of the heartbeat alone", before, false);
    mend(lab);
    before = leave_unapplied(lab);
    LAB_MUST(lab, lab_stop(lab, "db2"));
    LAB_MUST(lab, lab_start(lab, "db2", NULL));
    talk_do(lab, "db2", WORD_START_APPLIER);
    expect(lab, "restart, relay_log_recovery=OFF", before, is_mysql);
    mend(lab);
    before = leave_unapplied(lab);
    talk_do(lab, "db2", WORD_START_APPLIER);
    talk_do(lab, "db2", WORD_STOP_RECEIVER);
    expect(lab, "receiver only stopped, applier running", before, true);
    scenario_pass("fact: relay log",
                  "acknowledged rows unapplied; stop both, CHANGE, restart, drain",
                  is_mysql ? "CHANGE purges; stop, restart and drain keep"
                           : "stop, CHANGE and restart purge; only the drain keeps",
                  "S2");
}
