/* Row 19: somebody writes on a replica. It is set aside with the extra set shown and stops
 * acknowledging, for another acker is there; when the primary dies it is not promoted although no
 * other candidate exists, and the primary that returns whole is opened again without it.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

/* Recorded as diverged by the plan of rule 206, its extra set told, its role off. */
static void expect_set_aside(struct lab *lab)
{
    STAY_AUTO(stay_free_charp) char *reason = NULL;
    for (int64_t begun = lab_now_us(); talk_ms_since(begun) < 20000; scenario_write_on(50)) {
        free(reason);
        reason = state_quarantine(lab, "db2");
        if (reason != NULL && strcmp(reason, "diverged") == 0)
            break;
    }
    SCENARIO_CHECK(reason != NULL && strcmp(reason, "diverged") == 0, "db2 is recorded as '%s'",
                   reason == NULL ? "" : reason);
    SCENARIO_CHECK(state_wait_plans(lab, "quarantine", 1, 20), "no plan \"quarantine\" in history");
    scenario_story(lab, "quarantine");
    talk_wait(lab, "db2", WORD_REPLICA_STATUS, "OFF", 10);
    int code = -1;
    STAY_AUTO(stay_free_charp) char *shown = scenario_say(lab, &code, "problems", "shop", NULL);
    STAY_AUTO(stay_free_charp)
    char *source =
        scenario_value(lab, "db2", scenario_pick(lab, "SELECT '0-2-'", "SELECT @@server_uuid"));
    SCENARIO_CHECK(strstr(shown, source) != NULL, "the extra set (%s...) is not shown: %s", source,
                   shown);
}

/* Older than 10 s: a process whose begin is nearer to that of the one before it is not told from it
 * by the record, and what it shows of semi-sync spoils lossless. */
static void grow_old(struct lab *lab)
{
    const char *sql =
        scenario_pick(lab,
                      "SELECT variable_value > 10 FROM "
                      "information_schema.global_status WHERE variable_name = 'uptime'",
                      "SELECT variable_value > 10 FROM "
                      "performance_schema.global_status WHERE variable_name = 'uptime'");
    LAB_MUST(lab, lab_wait_sql(lab, "db1", sql, "1", 20));
}

/* The way out that the refusal names, followed word by word. */
static const char *do_what_it_says(struct lab *lab, const char *rows)
{
    int code = -1;
    LAB_MUST(lab, lab_edit_config(lab, "promote = \"never\"", "promote = \"avoid\""));
    LAB_MUST(lab, lab_cli(lab, &code, NULL, "reload", NULL));
    SCENARIO_CHECK(code == 0, "reload exits %d", code);
    const char *now = scenario_failover(lab, "db1", 40);
    SCENARIO_CHECK(strcmp(now, "db3") == 0, "'%s' was promoted", now);
    talk_wait(lab, "db3", WORD_ROWS, rows, 1);
    return "the primary lost its tail, stays closed and says how db3 may take over: done so";
}

/* Dead: nobody is promoted. Back with all its rows: opened. MariaDB may have cut acknowledged rows
 * off that db3 holds, whose promote is "never": then it stays closed, and what to do is said. */
static const char *let_die_and_return(struct lab *lab)
{
    STAY_AUTO(stay_free_charp) char *rows = talk_ask(lab, "db1", WORD_ROWS);
    talk_wait(lab, "db3", WORD_ROWS, rows, 20);
    LAB_MUST(lab, lab_kill(lab, "db1"));
    SCENARIO_CHECK(state_wait_rule(lab, 120, 20), "the death is not seen");
    for (int64_t begun = lab_now_us(); talk_ms_since(begun) < 5000; scenario_write_on(100))
        SCENARIO_CHECK(lab_writable(lab)[0] == '\0', "'%s' was promoted", lab_writable(lab));
    LAB_MUST(lab, lab_start(lab, "db1", NULL));
    for (int64_t begun = lab_now_us(); talk_ms_since(begun) < 40000; scenario_write_on(100)) {
        const char *now = lab_writable(lab);
        STAY_AUTO(stay_free_charp) char *log = scenario_file(lab, "log/controller.log");
        SCENARIO_CHECK(*now == '\0' || strcmp(now, "db1") == 0, "'%s' was promoted", now);
        if (*now != '\0') { /* opened: with every acknowledged row */
            SCENARIO_CHECK(talk_number(lab, "db1", WORD_ROWS) == strtol(rows, NULL, 10),
                           "opened without all acknowledged rows");
            return "the primary was opened again whole";
        }
        if (strstr(log, "set it to \"avoid\" in the configuration") != NULL)
            return do_what_it_says(lab, rows);
    }
    scenario_fail("db1 is back for 40 s, neither opened nor explained");
}

int main(int argc, char **argv)
{
    char done[160];
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){.acker = true}, 0);
    talk_diverge(lab, "db2");
    expect_set_aside(lab);
    grow_old(lab);
    scenario_load(lab);
    LAB_MUST(lab, lab_load_stop(lab)); /* nothing in flight */
    const char *end = let_die_and_return(lab);
    snprintf(done, sizeof done, "quarantine recorded, set shown, never promoted; %s", end);
    scenario_pass("19", "a write on a replica, later SIGKILL and restart of the primary", done,
                  "S7 S2");
}
