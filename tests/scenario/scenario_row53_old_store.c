/* Row 53: the controller's state file is put back from a copy that is older than the last failover:
 * it names the old primary and a lower epoch than the servers carry. Nothing is fenced, opened or
 * attached by it: the servers keep serving, and a human is asked.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    char source[24] = "";
    int code = -1;
    LAB_MUST(lab, lab_stop_controller(lab)); /* its log is folded into the file */
    scenario_copy(lab, "state/state.db", "state.old");
    LAB_MUST(lab, lab_start_controller(lab));
    scenario_ready(lab, 30);
    talk_insert(lab, "db1", 20);
    LAB_MUST(lab, lab_kill(lab, "db1"));
    const char *now = scenario_failover(lab, "db1", 30);
    LAB_MUST(lab, lab_start(lab, "db1", NULL));
    (void)scenario_settled(lab, "db1", 40);
    scenario_ready(lab, 40);
    scenario_load(lab);
    LAB_MUST(lab, lab_stop_controller(lab));
    scenario_copy(lab, "state.old", "state/state.db");
    LAB_MUST(lab, lab_start_controller(lab));
    for (int64_t begun = lab_now_us(); talk_ms_since(begun) < 15000; scenario_write_on(200)) {
        STAY_AUTO(stay_free_charp)
        char *from = talk_replica(lab, "db1", "Master_Host", "Source_Host");
        SCENARIO_CHECK(strcmp(lab_writable(lab), now) == 0, "writable: '%s'", lab_writable(lab));
        SCENARIO_CHECK(source[0] == '\0' || strcmp(from, source) == 0, "db1's source is '%s'",
                       from);
        (void)stay_copy(source, sizeof source, from);
    }
    STAY_AUTO(stay_free_charp) char *told = scenario_say(lab, &code, "verdict", "shop", NULL);
    STAY_AUTO(stay_free_charp) char *problems = scenario_say(lab, &code, "problems", "shop", NULL);
    printf("verdict: %s\nproblems: %s\n", told, problems);
    SCENARIO_CHECK(strstr(told, "\"rule\": 100,") == NULL, "it calls this healthy: %s", told);
    scenario_check(lab, now, 500);
    scenario_pass("53", "state file put back from before the last failover",
                  "nothing fenced, opened or attached by it; writes never stop; a human is asked",
                  "S4 S14 S2");
}
