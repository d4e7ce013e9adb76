/* A rejoin's attach that ended in the middle: its server follows the new primary already, holds
 * more than the primary did when it was compared, and its receiver stands still. Tried again, it is
 * attached: what it holds came from there.
 * ENGINES: mariadb */
#include "tests/lib/server_talk.h"

/* As the step does it, up to the moment at which its validity passed. */
static void attach_by_hand(struct lab *lab, const char *node, const char *source)
{
    STAY_AUTO(stay_free_charp) char *password = scenario_file(lab, "secrets/replicate");
    password[strcspn(password, "\n")] = '\0';
    STAY_AUTO(stay_free_charp)
    char *change = stay_sprintf(
        "CHANGE MASTER TO MASTER_HOST = '%s', MASTER_PORT = 3306, MASTER_USE_GTID = slave_pos, "
        "MASTER_DEMOTE_TO_SLAVE = 1, MASTER_SSL = 1, MASTER_USER = 'mainstay_replicate', "
        "MASTER_PASSWORD = '%s'; START SLAVE",
        lab_address(lab, source), password);
    STAY_AUTO(stay_free_charp)
    char *before = scenario_value(lab, source, "SELECT @@gtid_current_pos");
    LAB_MUST(lab, lab_sql(lab, node, change, NULL));
    STAY_AUTO(stay_free_charp)
    char *wait = stay_sprintf("SELECT MASTER_GTID_WAIT('%s', 20) = 0", before);
    LAB_MUST(lab, lab_wait_sql(lab, node, wait, "1", 25));
    LAB_MUST(lab, lab_sql(lab, node, "STOP SLAVE IO_THREAD", NULL));
}

int main(int argc, char **argv)
{
    struct lab *lab =
        scenario_begin(argc, argv, (struct lab_options){.acker = true}, SCENARIO_NO_CONTROLLER);
    scenario_crash_at("rejoin:attach:before:stop");
    scenario_start_controller(lab, true);
    scenario_load(lab);
    LAB_MUST(lab, lab_kill(lab, "db1"));
    const char *now = scenario_failover(lab, "db1", 30);
    LAB_MUST(lab, lab_start(lab, "db1", NULL));
    SCENARIO_CHECK(scenario_wait_crash(lab, true, 30), "it never came to the attach");
    int64_t begun = lab_now_us();
    attach_by_hand(lab, "db1", now);
    LAB_MUST(lab, lab_thaw(lab, "controller"));
    printf("half attached within %d ms\n", talk_ms_since(begun));
    SCENARIO_CHECK(strcmp(scenario_settled(lab, "db1", 80), "replica") == 0, "it is set aside");
    scenario_story(lab, "rejoin");
    STAY_AUTO(stay_free_charp) char *id = state_last_plan(lab, "rejoin");
    json_t *told = state_explain(lab, id);
    const char *state = json_string_value(state_find(json_object_get(told, "summary"), "state"));
    SCENARIO_CHECK(state_count_plans(lab, "rejoin") == 1 && state != NULL &&
                       strcmp(state, "succeeded") == 0,
                   "the rejoin was '%s', %d of them", state, state_count_plans(lab, "rejoin"));
    json_decref(told);
    scenario_ready(lab, 40);
    scenario_check(lab, now, 100);
    scenario_pass("-", "the attach of a rejoin ends in the middle, its server followed already",
                  "tried again it is attached: no false divergence", "L2 S2");
}
