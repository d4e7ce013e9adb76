/* Row 14: innodb_flush_log_at_trx_commit = 2 and sync_binlog = 0 on the primary. Each is a problem
 * with the statement that mends it; a crash meanwhile loses nothing, for another zone acknowledged.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

static char *wait_check(struct lab *lab, const char *word, bool there)
{
    char *shown = NULL;
    for (int64_t begun = lab_now_us(); talk_ms_since(begun) < 70000; scenario_write_on(200)) {
        int code = -1;
        free(shown);
        shown = scenario_say(lab, &code, "check", "shop", NULL);
        if ((strstr(shown, word) != NULL) == there)
            return shown;
    }
    scenario_fail("check %s '%s': %s", there ? "does not say" : "still says", word, shown);
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    static const char careless[] =
        "SET GLOBAL innodb_flush_log_at_trx_commit = 2; SET GLOBAL sync_binlog = 0";
    scenario_load(lab);
    LAB_MUST(lab, lab_sql(lab, "db1", careless, NULL));
    STAY_AUTO(stay_free_charp) char *shown = wait_check(lab, "sync_binlog = 1", true);
    SCENARIO_CHECK(strstr(shown, "innodb_flush_log_at_trx_commit = 1") != NULL, "%s", shown);
    LAB_MUST(lab, lab_sql(lab, "db1",
                          scenario_pick(lab,
                                        "SET GLOBAL innodb_flush_log_at_trx_commit = 1; "
                                        "SET GLOBAL sync_binlog = 1",
                                        "SET PERSIST innodb_flush_log_at_trx_commit = 1; "
                                        "SET PERSIST sync_binlog = 1"),
                          NULL));
    free(wait_check(lab, "sync_binlog = 1", false));
    LAB_MUST(lab, lab_sql(lab, "db1", careless, NULL));
    free(wait_check(lab, "sync_binlog = 1", true));
    LAB_MUST(lab, lab_kill(lab, "db1"));
    const char *now = scenario_failover(lab, "db1", 40);
    scenario_write_on(500);
    scenario_check(lab, now, 50);
    scenario_pass("14", "flush_log_at_trx_commit = 2, sync_binlog = 0, mended, again, SIGKILL",
                  "both told with the statement that mends them; mended, gone; nothing lost",
                  "S9 S2");
}
