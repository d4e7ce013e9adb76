/* Bad input: a missing grant, a wrong password and an unreachable server. Each is named by check or
 * status with what mends it; the daemon watches and touches nothing.
 * ENGINES: mariadb mysql */
#include "tests/lib/scenario.h"

static void wait_said(struct lab *lab, const char *verb, const char *word, int timeout_s)
{
    STAY_AUTO(stay_free_charp) char *told = stay_strdup("");
    int code = -1;
    for (int64_t due = lab_now_us() + timeout_s * STAY_SECOND;
         lab_now_us() < due && strstr(told, word) == NULL; scenario_write_on(100)) {
        free(told);
        told = scenario_say(lab, &code, verb, "shop", NULL);
    }
    const char *at = strstr(told, word);
    SCENARIO_CHECK(at != NULL, "'%s' does not name '%s': %s", verb, word, told);
    printf("%s: ...%.200s\n", verb, at - told > 60 ? at - 60 : told);
}

static void set_password(struct lab *lab, const char *word)
{
    STAY_AUTO(stay_free_charp)
    char *alter = stay_sprintf("ALTER USER mainstay_monitor IDENTIFIED BY '%s'", word);
    LAB_MUST(lab, lab_sql(lab, "db1", alter, NULL));
    scenario_kill_sessions(lab, "db1", "mainstay_monitor");
    scenario_kill_sessions(lab, "db2", "mainstay_monitor");
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, SCENARIO_NO_CONTROLLER);
    int code = -1;
    LAB_MUST(lab, lab_sql(lab, "db1",
                          scenario_pick(lab,
                                        "REVOKE REPLICATION SLAVE ADMIN ON *.* FROM "
                                        "mainstay_operate",
                                        "REVOKE REPLICATION_SLAVE_ADMIN ON *.* FROM "
                                        "mainstay_operate"),
                          NULL));
    scenario_start_controller(lab, false);
    wait_said(lab, "check",
              scenario_pick(lab, "GRANT REPLICATION SLAVE ADMIN", "GRANT REPLICATION_SLAVE_ADMIN"),
              20);
    STAY_AUTO(stay_free_charp) char *secret = scenario_file(lab, "secrets/monitor");
    secret[strcspn(secret, "\n")] = '\0';
    set_password(lab, "another one");
    wait_said(lab, "problems", "mainstay_monitor", 20);
    set_password(lab, secret);
    LAB_MUST(lab, lab_kill(lab, "db2"));
    SCENARIO_CHECK(state_wait_node_rule(lab, "db2", 201, 20), "verdict 201 not seen");
    wait_said(lab, "problems", "db2", 5);
    STAY_AUTO(stay_free_charp) char *told = scenario_say(lab, &code, "adopt", "shop", "--yes");
    printf("adopt exits %d: %s %s\n", code, told, lab_error(lab));
    SCENARIO_CHECK(code != 0, "adopted without its replica");
    SCENARIO_CHECK(strcmp(lab_writable(lab), "db1") == 0, "writable: '%s'", lab_writable(lab));
    scenario_pass("bad accounts", "grant missing, password wrong, server unreachable",
                  "each named with what mends it; adopt refused; nothing touched", "S14");
}
