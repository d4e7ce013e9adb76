/* Row 3, of every server at once (rules 133, 136): all lose power with acknowledged rows in a relay
 * log that nobody executed, the controller too. One comes back: it is asked who is missing. All
 * come back: `recover` executes the relay logs, compares, starts who holds all; nothing is lost.
 * ENGINES: mariadb mysql */
#include "tests/lib/scenario.h"

/* Received and acknowledged by db2, executed by nobody there; then everything is gone. */
static void lose_everything(struct lab *lab)
{
    LAB_MUST(lab, lab_kill_controller(lab));
    for (int i = 1; i <= 2; i++)
        LAB_MUST(lab, lab_sql(lab, i == 1 ? "db1" : "db2", "SET GLOBAL sync_relay_log = 1", NULL));
    LAB_MUST(lab,
             lab_sql(lab, "db2",
                     scenario_pick(lab, "STOP SLAVE SQL_THREAD", "STOP REPLICA SQL_THREAD"), NULL));
    scenario_write_on(1000);
    LAB_MUST(lab, lab_kill(lab, "db1"));
    LAB_MUST(lab, lab_kill(lab, "db2"));
}

/* `recover` until it says something else than that somebody is missing: db1 is about to answer. */
static char *recover(struct lab *lab, int *ret_code)
{
    for (int64_t until_us = lab_now_us() + 20 * STAY_SECOND;;) {
        char *said = scenario_say(lab, ret_code, "recover", "shop", "--yes");
        bool waits = strstr(said, "missing") != NULL || strstr(said, "does not answer") != NULL;
        if (*ret_code == 0 || !waits || lab_now_us() > until_us)
            return said;
        free(said);
    }
}

static bool opened(struct lab *lab, const char *node, int within_s)
{
    for (int64_t begun = lab_now_us(); lab_now_us() - begun < within_s * STAY_SECOND;)
        if (strcmp(lab_writable(lab), node) == 0)
            return true;
    return false;
}

int main(int argc, char **argv)
{
    int code = -1;
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    bool mysql = lab_engine_of(lab) == LAB_MYSQL;
    scenario_load(lab);
    scenario_write_on(11000); /* by 10 s the watch tells one process of the primary from the next */
    lose_everything(lab);
    LAB_MUST(lab, lab_start(lab, "db2", "--sync-relay-log=1"));
    LAB_MUST(lab, lab_start_controller(lab));
    SCENARIO_CHECK(state_wait_rule(lab, 136, 30), "no total outage is seen");
    STAY_AUTO(stay_free_charp) char *alone = scenario_say(lab, &code, "recover", "shop", "--yes");
    printf("db2 alone: exit %d, %s\n", code, alone);
    SCENARIO_CHECK(code == 3 && strstr(alone, "db1, the primary, is still missing") != NULL,
                   "%d: %s", code, alone);
    if (mysql) { /* with both back its primary is opened alone, for it keeps all it committed */
        LAB_MUST(lab, lab_kill(lab, "db2"));
        SCENARIO_CHECK(state_wait_node_rule(lab, "db2", 201, 10), "db2 is not seen to be gone");
    }
    LAB_MUST(lab, lab_start(lab, "db1", "--sync-relay-log=1"));
    STAY_AUTO(stay_free_charp) char *said = recover(lab, &code);
    printf("recover: exit %d, %s\n", code, said);
    scenario_story(lab, "recover");
    if (mysql &&
        strstr(said, "refused by busy") != NULL) { /* 134 was faster: it may, it is whole */
        SCENARIO_CHECK(opened(lab, "db1", 30), "neither recover nor 134 opened db1");
        code = 0;
    } else {
        SCENARIO_CHECK(code == 0 && strstr(said, "LOSSLESS") != NULL, "recover did not start it");
    }
    if (mysql)
        LAB_MUST(lab, lab_start(lab, "db2", NULL));
    scenario_ready(lab, 60);
    scenario_write_on(1000);
    scenario_check(lab, lab_writable(lab), 100);
    scenario_pass("3", "every server and the controller gone at once, a relay log not executed",
                  "asked who is missing, refused to guess; recover: LOSSLESS, nothing lost",
                  "S2 S7 S8");
}
