/* Row 30c: an application account is given a right that passes read-only, then one that lets it
 * replicate. Each is told with the statement that takes it back: read-only is no fence for the
 * first, and an acknowledgement of the second is nobody's we could ask. Taken back, it is gone.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

/* Accounts that are well are looked at each five minutes, and by a controller that starts. */
static void look_again(struct lab *lab)
{
    LAB_MUST(lab, lab_stop_controller(lab) && lab_start_controller(lab));
}

static void wait_check(struct lab *lab, const char *word, bool there)
{
    STAY_AUTO(stay_free_charp) char *shown = NULL;
    for (int64_t begun = lab_now_us(); talk_ms_since(begun) < 70000; scenario_write_on(300)) {
        int code = -1;
        free(shown);
        shown = scenario_say(lab, &code, "check", "shop", NULL);
        if ((strstr(shown, word) != NULL) == there)
            return;
    }
    scenario_fail("check %s '%s': %s", there ? "does not say" : "still says", word, shown);
}

static void give_and_take(struct lab *lab, const char *right, const char *told)
{
    STAY_AUTO(stay_free_charp) char *give = stay_sprintf("GRANT %s ON *.* TO app", right);
    STAY_AUTO(stay_free_charp) char *take = stay_sprintf("REVOKE %s ON *.* FROM app", right);
    LAB_MUST(lab, lab_sql(lab, "db1", give, NULL));
    look_again(lab);
    wait_check(lab, told, true);
    printf("%s: told\n", give);
    LAB_MUST(lab, lab_sql(lab, "db1", take, NULL));
    look_again(lab);
    wait_check(lab, told, false);
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    bool mysql = lab_engine_of(lab) == LAB_MYSQL;
    wait_check(lab, "passes read-only", false);
    give_and_take(lab, mysql ? "CONNECTION_ADMIN" : "READ_ONLY ADMIN", "passes read-only");
    give_and_take(lab, "REPLICATION SLAVE", "may replicate");
    scenario_stays(lab, "db1", 1);
    scenario_ready(lab, 30);
    scenario_pass("30c",
                  mysql ? "an application is granted CONNECTION_ADMIN, REPLICATION SLAVE"
                        : "an application is granted READ_ONLY ADMIN, REPLICATION SLAVE",
                  "told (536, 537) with the REVOKE that mends it; taken back, gone; no failover",
                  "S9");
}
