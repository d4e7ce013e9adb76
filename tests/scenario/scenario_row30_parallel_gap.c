/* Row 30: a replica that applies in parallel (MySQL: without preserving the order) is killed in the
 * midst of a backlog, then the primary dies while it works off another one. It is drained before it
 * is opened: its executed set has no hole and nothing is lost.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

/* Rows that the candidate received and did not apply, while no plan starts its applier. */
static void pile_up(struct lab *lab)
{
    int code = -1;
    LAB_MUST(lab, lab_cli(lab, &code, NULL, "pause", "shop", "--yes", NULL) && code == 0);
    talk_do(lab, "db2", WORD_STOP_APPLIER);
    scenario_write_on(2000);
    long behind = talk_number(lab, "db1", WORD_ROWS) - talk_number(lab, "db2", WORD_ROWS);
    printf("%ld rows wait on db2\n", behind);
    SCENARIO_CHECK(behind > 50, "no backlog: the run proves nothing");
}

static void resume(struct lab *lab)
{
    int code = -1;
    LAB_MUST(lab, lab_cli(lab, &code, NULL, "resume", "shop", "--yes", NULL) && code == 0);
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    bool mysql = lab_engine_of(lab) == LAB_MYSQL;
    scenario_load(lab);
    pile_up(lab);
    if (mysql)
        LAB_MUST(lab, lab_sql(lab, "db2", "SET GLOBAL replica_preserve_commit_order = OFF", NULL));
    talk_do(lab, "db2", WORD_START_APPLIER);
    scenario_write_on(60);
    LAB_MUST(lab, lab_kill(lab, "db2"));
    resume(lab);
    scenario_write_on(500);
    LAB_MUST(lab, lab_start(lab, "db2", mysql ? "--replica-preserve-commit-order=OFF" : NULL));
    scenario_ready(lab, 60);
    scenario_write_on(10000); /* an acker that restarted counts once it is seen to hold all */
    pile_up(lab);
    LAB_MUST(lab, lab_kill(lab, "db1"));
    resume(lab);
    const char *now = scenario_failover(lab, "db1", 60);
    scenario_story(lab, "failover");
    scenario_write_on(500);
    STAY_AUTO(stay_free_charp) char *set = talk_ask(lab, now, WORD_EXECUTED);
    printf("executed: %s\n", set);
    for (const char *at = set; mysql && (at = strchr(at, ':')) != NULL; at++)
        SCENARIO_CHECK(strcspn(at + 1, ":") > strcspn(at + 1, ",") || strchr(at + 1, ':') == NULL,
                       "a hole: %s", set);
    scenario_check(lab, now, 50);
    scenario_pass("30", "parallel applier killed in a backlog; primary killed over another",
                  "drained first, no hole in the executed set, nothing lost", "S2");
}
