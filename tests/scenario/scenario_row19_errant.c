/* Row 19: somebody writes on a replica. It is set apart with the extra set shown, and when the
 * primary dies it is not promoted although no other candidate is there.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

static void write_on_replica(struct lab *lab)
{
    bool mysql = lab_engine_of(lab) == LAB_MYSQL; /* MariaDB's root passes read_only */
    if (mysql)
        talk_do(lab, "db2", WORD_WRITABLE);
    LAB_MUST(lab,
             lab_sql(lab, "db2", "INSERT INTO shop.ledger (client, seq) VALUES (9999, 1)", NULL));
    if (mysql)
        talk_do(lab, "db2", WORD_READ_ONLY);
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){.acker = true}, 0);
    write_on_replica(lab);
    SCENARIO_CHECK(state_wait_node_rule(lab, "db2", 206, 20) ||
                       state_wait_node_rule(lab, "db2", 208, 1),
                   "neither verdict 206 nor quarantine");
    int code = -1;
    STAY_AUTO(stay_free_charp) char *shown = scenario_say(lab, &code, "problems", "shop", NULL);
    printf("problems: %s\n", shown);
    STAY_AUTO(stay_free_charp)
    char *source =
        scenario_value(lab, "db2", scenario_pick(lab, "SELECT '0-2-'", "SELECT @@server_uuid"));
    SCENARIO_CHECK(strstr(shown, source) != NULL, "the extra set (%s...) is not shown", source);
    scenario_load(lab);
    LAB_MUST(lab, lab_load_stop(lab)); /* nothing in flight: db1 comes back whole */
    STAY_AUTO(stay_free_charp) char *rows = talk_ask(lab, "db1", WORD_ROWS);
    talk_wait(lab, "db3", WORD_ROWS, rows, 20);
    LAB_MUST(lab, lab_kill(lab, "db1"));
    SCENARIO_CHECK(state_wait_rule(lab, 120, 20), "the death is not seen");
    for (int64_t begun = lab_now_us(); talk_ms_since(begun) < 5000; scenario_write_on(100))
        SCENARIO_CHECK(lab_writable(lab)[0] == '\0', "'%s' was promoted", lab_writable(lab));
    printf("db1 dead for 5 s: neither db2 (errant) nor db3 (promote = never) is promoted\n");
    LAB_MUST(lab, lab_start(lab, "db1", NULL)); /* opened again, or held until somebody looked */
    for (int64_t begun = lab_now_us(); talk_ms_since(begun) < 4000; scenario_write_on(100))
        SCENARIO_CHECK(strcmp(lab_writable(lab), "") == 0 || strcmp(lab_writable(lab), "db1") == 0,
                       "'%s' was promoted", lab_writable(lab));
    printf("db1 back for 4 s: writable is '%s'\n", lab_writable(lab));
    /* MariaDB may have truncated acknowledged rows that db3 holds: then db1 must stay closed. */
    SCENARIO_CHECK(lab_writable(lab)[0] == '\0' ||
                       talk_number(lab, "db1", WORD_ROWS) == strtol(rows, NULL, 10),
                   "opened without all acknowledged rows");
    scenario_pass("19", "a write on a replica, later SIGKILL and restart of the primary",
                  "set apart with its set shown, never promoted", "S7 S2");
}
