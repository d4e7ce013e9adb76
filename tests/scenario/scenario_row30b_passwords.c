/* Row 30b: the monitor's, then the replication account's password is changed under us. "Access
 * denied" is an answer: nothing fails over, and the account is named.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

static void set_password(struct lab *lab, const char *account, const char *word)
{
    STAY_AUTO(stay_free_charp) char *secret = NULL;
    if (word == NULL) {
        STAY_AUTO(stay_free_charp) char *name = stay_sprintf("secrets/%s", account);
        secret = scenario_file(lab, name);
        secret[strcspn(secret, "\n")] = '\0';
    }
    STAY_AUTO(stay_free_charp)
    char *alter = stay_sprintf("ALTER USER mainstay_%s IDENTIFIED BY '%s'", account,
                               word == NULL ? secret : word);
    STAY_AUTO(stay_free_charp) char *user = stay_sprintf("mainstay_%s", account);
    LAB_MUST(lab, lab_sql(lab, "db1", alter, NULL));
    STAY_AUTO(stay_free_charp) char *set = talk_ask(lab, "db1", WORD_EXECUTED);
    talk_wait(lab, "db2", WORD_ROWS, "0", 10);
    scenario_kill_sessions(lab, "db2", user);
    scenario_kill_sessions(lab, "db1", user);
}

static void expect_named(struct lab *lab, const char *account)
{
    int code = -1;
    STAY_AUTO(stay_free_charp) char *shown = NULL;
    for (int64_t due = lab_now_us() + 10 * STAY_SECOND; lab_now_us() < due;
         scenario_write_on(100)) {
        free(shown);
        shown = scenario_say(lab, &code, "problems", "shop", NULL);
        if (strstr(shown, account) != NULL)
            break;
    }
    printf("problems: %s\n", shown);
    SCENARIO_CHECK(shown != NULL && strstr(shown, account) != NULL, "%s is not named", account);
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    set_password(lab, "monitor", "another one");
    SCENARIO_CHECK(state_wait_rule(lab, 126, 15), "verdict 126 not seen");
    expect_named(lab, "mainstay_monitor");
    scenario_stays(lab, "db1", 5);
    set_password(lab, "monitor", NULL);
    scenario_ready(lab, 30);
    set_password(lab, "replicate", "another one");
    SCENARIO_CHECK(state_wait_node_rule(lab, "db2", 214, 15), "replica's verdict 214 not seen");
    expect_named(lab, "mainstay_replicate");
    scenario_stays(lab, "db1", 5);
    SCENARIO_CHECK(state_wait_plans(lab, "mode degrade", 1, 20), "writes wait for ever");
    set_password(lab, "replicate", NULL);
    scenario_ready(lab, 60);
    SCENARIO_CHECK(strcmp(lab_writable(lab), "db1") == 0, "writable: '%s'", lab_writable(lab));
    scenario_pass("30b", "monitor's, then replication account's password changed",
                  "alive; no failover; the account is named; mended, all is well again", "S14");
}
