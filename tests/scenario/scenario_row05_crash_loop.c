/* Row 5: a crash loop: whoever is primary is killed, again and again. As many failovers as the hour
 * allows, then it holds and says why, although a candidate is there; a human's failover goes on.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

static void wait_plans_only(struct lab *lab, int plans, int ms)
{
    for (int64_t begun = lab_now_us(); talk_ms_since(begun) < ms; scenario_write_on(200)) {
        int found = state_count_plans(lab, "failover");
        SCENARIO_CHECK(found == plans, "%d failovers, the limit is %d", found, plans);
        SCENARIO_CHECK(lab_writable(lab)[0] == '\0', "'%s' was opened", lab_writable(lab));
    }
}

int main(int argc, char **argv)
{
    struct lab *lab =
        scenario_begin(argc, argv, (struct lab_options){.replicas = 2}, SCENARIO_NO_CONTROLLER);
    char primary[16] = "db1", old[16];
    int rows = 0, code = -1;
    LAB_MUST(lab, lab_edit_config(lab, "failovers_per_hour = 0", "failovers_per_hour = 2"));
    scenario_start_controller(lab, true);
    for (int i = 0; i < 2; i++) {
        talk_insert(lab, primary, 20);
        rows += 20;
        (void)stay_copy(old, sizeof old, primary);
        LAB_MUST(lab, lab_kill(lab, old));
        (void)stay_copy(primary, sizeof primary, scenario_failover(lab, old, 40));
        printf("%s is killed, %s takes over\n", old, primary);
        LAB_MUST(lab, lab_start(lab, old, NULL));
        (void)scenario_settled(lab, old, 40);
        scenario_ready(lab, 60);
        scenario_write_on(4000); /* its ackers are seen acknowledging: MySQL asks else */
    }
    LAB_MUST(lab, lab_kill(lab, primary));
    SCENARIO_CHECK(state_wait_rule(lab, 120, 20), "the third death is not seen");
    wait_plans_only(lab, 2, 6000);
    STAY_AUTO(stay_free_charp) char *told = scenario_say(lab, &code, "verdict", "shop", NULL);
    SCENARIO_CHECK(strstr(told, "last hour") != NULL || strstr(told, "hourly-limit") != NULL,
                   "the limit is not named: %s", told);
    LAB_MUST(lab, lab_cli(lab, &code, NULL, "failover", "shop", "--yes", "--reason", "seen", NULL));
    SCENARIO_CHECK(code == 0, "a human's failover exits %d: %s", code, lab_error(lab));
    const char *now = scenario_failover(lab, primary, 20);
    SCENARIO_CHECK(talk_number(lab, now, WORD_ROWS) == rows, "%ld rows of %d",
                   talk_number(lab, now, WORD_ROWS), rows);
    scenario_pass("5", "three primaries killed one after the other, failovers_per_hour = 2",
                  "two failovers, then held with the limit named; a human's failover goes on",
                  "S5 L5 S2");
}
