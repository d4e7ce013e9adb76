/* Row 21: the only candidate is unfit: it runs with a replication filter, then with an older
 * version than the primary. Each is told and neither is ever promoted, not on request and not when
 * the primary dies. Statement format is told with its fix.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

static void restart(struct lab *lab, const char *option)
{
    LAB_MUST(lab, lab_stop(lab, "db2") && lab_start(lab, "db2", option));
    for (int64_t begun = lab_now_us(); talk_ms_since(begun) < 40000; scenario_write_on(100)) {
        STAY_AUTO(stay_free_charp)
        char *runs = talk_replica(lab, "db2", "Slave_IO_Running", "Replica_IO_Running");
        if (strcmp(runs, "Yes") == 0)
            return scenario_write_on(2000); /* its settings are read anew */
    }
    scenario_fail("db2 does not follow with %s", option);
}

static void expect_told(struct lab *lab, const char *word)
{
    STAY_AUTO(stay_free_charp) char *shown = NULL;
    int code = -1;
    for (int64_t begun = lab_now_us(); talk_ms_since(begun) < 70000; scenario_write_on(200)) {
        free(shown);
        shown = scenario_say(lab, &code, "check", "shop", NULL);
        if (strstr(shown, word) != NULL)
            return;
    }
    scenario_fail("check does not say '%s': %s", word, shown);
}

static void expect_refused(struct lab *lab, const char *option, const char *why)
{
    int code = 0;
    STAY_AUTO(stay_free_charp) char *told = scenario_say(lab, &code, "switchover", "shop", "--yes");
    printf("%s: switchover exits %d: %s\n", option, code, told);
    SCENARIO_CHECK(code != 0, "%s: a switchover to it was done", option);
    SCENARIO_CHECK(strstr(told, why) != NULL, "%s: not said: %s", option, why);
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    bool mysql = lab_engine_of(lab) == LAB_MYSQL;
    talk_insert(lab, "db1", 10);
    restart(lab, "--binlog-format=STATEMENT");
    expect_told(lab, "binlog_format");
    if (!mysql) { /* MySQL's version cannot be feigned */
        restart(lab, "--version=10.6.5-MariaDB-log");
        expect_told(lab, "ersion");
        expect_refused(lab, "older version", "older than the primary");
    }
    restart(lab, "--replicate-ignore-db=elsewhere");
    expect_told(lab, "filter");
    expect_refused(lab, "filter", "replication filter");
    scenario_write_on(4000); /* who was attached in the primary's last seconds does not vouch */
    LAB_MUST(lab, lab_kill(lab, "db1"));
    SCENARIO_CHECK(state_wait_rule(lab, 120, 20), "the death is not seen");
    for (int64_t begun = lab_now_us(); talk_ms_since(begun) < 5000; scenario_write_on(100))
        SCENARIO_CHECK(lab_writable(lab)[0] == '\0', "'%s' was promoted", lab_writable(lab));
    LAB_MUST(lab, lab_start(lab, "db1", NULL));
    for (int64_t begun = lab_now_us(); strcmp(lab_writable(lab), "db1") != 0;)
        SCENARIO_CHECK(talk_ms_since(begun) < 40000, "db1 is not opened: '%s'", lab_writable(lab));
    SCENARIO_CHECK(talk_number(lab, "db1", WORD_ROWS) == 10, "rows are missing");
    scenario_pass("21",
                  mysql ? "candidate with statement format; with a filter; SIGKILL of the primary"
                        : "candidate with statement format; older; with a filter; SIGKILL",
                  "each told, refused on request, never promoted; the primary back is opened whole",
                  "S7 S2");
}
