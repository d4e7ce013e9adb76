/* Row 8 on MySQL, with relieve.stalled = "switchover": a session of root's holds a lock, and our
 * account lacks SYSTEM_USER: it may not end that session (1095), so a move would begin and be
 * undone. 122 names the grant, so does `mainstay check`, nothing begins; a human's switchover is
 * undone and says it too. Given the grant, the same stall is relieved.
 * ENGINES: mysql */
#include "base/json.h"
#include "tests/lib/server_talk.h"

#define GRANT "GRANT SYSTEM_USER ON *.* TO 'mainstay_operate'@"

/* The account as the lab made it, in `sql` instead of %s. */
static void account(struct lab *lab, const char *sql)
{
    STAY_AUTO(stay_free_charp)
    char *name = scenario_value(lab, "db1",
                                "SELECT CONCAT(QUOTE(user), '@', QUOTE(host)) FROM mysql.user "
                                "WHERE user = 'mainstay_operate'");
    STAY_AUTO(stay_free_charp) char *statement = stay_sprintf("%s %s", sql, name);
    LAB_MUST(lab, lab_sql(lab, "db1", statement, NULL));
}

static void expect_said(struct lab *lab, const char *verb, const char *of, const char *word,
                        int within_ms)
{
    STAY_AUTO(stay_free_charp) char *told = NULL;
    for (int64_t begun = lab_now_us(); told == NULL || strstr(told, word) == NULL;) {
        int code = -1;
        SCENARIO_CHECK(talk_ms_since(begun) < within_ms, "%s does not say '%s': %s", verb, word,
                       told);
        free(told);
        told = scenario_say(lab, &code, verb, of, NULL);
    }
    printf("%s: %s\n", verb, strstr(told, word));
}

static int moves(struct lab *lab)
{
    return state_count_plans(lab, "switchover") + state_count_plans(lab, "failover");
}

int main(int argc, char **argv)
{
    struct lab *lab =
        scenario_begin(argc, argv, (struct lab_options){.acker = true}, SCENARIO_NO_CONTROLLER);
    LAB_MUST(lab, lab_edit_config(lab, "durability =",
                                  "relieve = { stalled = \"switchover\"; stalled_after = \"3s\"; "
                                  "};\n    durability ="));
    account(lab, "REVOKE SYSTEM_USER ON *.* FROM");
    scenario_start_controller(lab, true);
    expect_said(lab, "check", "shop", GRANT, 70000);
    LAB_MUST(lab, lab_load_start(lab, &(struct lab_load_options){.writers = 4, .rate = 40}));
    struct waiter *holder =
        waiter_start(lab, "db1", "root", "LOCK TABLES mainstay.heartbeat READ; DO SLEEP(600)");
    SCENARIO_CHECK(state_wait_rule(lab, 122, 30), "verdict 122 not seen");
    expect_said(lab, "verdict", "shop", GRANT, 5000);
    scenario_stays(lab, "db1", 8);
    SCENARIO_CHECK(moves(lab) == 0 && state_wait_rule(lab, 122, 1), "a move was begun");
    int code = -1;
    LAB_MUST(lab, lab_cli(lab, &code, NULL, "switchover", "shop", "--yes", NULL));
    SCENARIO_CHECK(code != 0, "a human's switchover was done");
    expect_said(lab, "explain", "last", GRANT, 5000);
    scenario_story(lab, "switchover");
    account(lab, "GRANT SYSTEM_USER ON *.* TO");
    STAY_AUTO(stay_free_charp) char *now = state_wait_moved(lab, "db1", 120);
    SCENARIO_CHECK(now != NULL, "not relieved with the grant");
    scenario_story(lab, "switchover");
    waiter_end(holder);
    scenario_ready(lab, 60);
    scenario_check(lab, now, 100);
    scenario_pass("8 outranked", "root's session on MySQL holds a lock; operate lacks SYSTEM_USER",
                  "122 and check name the grant, no move is begun; with it: relieved", "S14 S2 S5");
}
