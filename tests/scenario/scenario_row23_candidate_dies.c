/* Row 23: the candidate dies after it forgot its source and before it is writable. The plan goes
 * back, reads the sets again and takes the next candidate, which holds all that was acknowledged.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

int main(int argc, char **argv)
{
    scenario_crash_at("failover:detach:after:stop");
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){.replicas = 2}, 0);
    scenario_load(lab);
    LAB_MUST(lab, lab_load_stop(lab));
    STAY_AUTO(stay_free_charp) char *rows = talk_ask(lab, "db1", WORD_ROWS);
    talk_wait(lab, "db2", WORD_ROWS, rows, 20);
    talk_wait(lab, "db4", WORD_ROWS, rows, 20);
    LAB_MUST(lab, lab_kill(lab, "db1"));
    SCENARIO_CHECK(scenario_wait_crash(lab, true, 30), "the controller did not reach its point");
    STAY_AUTO(stay_free_charp)
    char *source = talk_replica(lab, "db2", "Master_Host", "Source_Host");
    printf("the controller is stopped after detach; db2's source is '%s'\n", source);
    SCENARIO_CHECK(source[0] == '\0', "db2 was not the candidate");
    LAB_MUST(lab, lab_kill(lab, "db2") && lab_thaw(lab, "controller"));
    const char *now = scenario_failover(lab, "db1", 60);
    scenario_story(lab, "failover");
    SCENARIO_CHECK(strcmp(now, "db4") == 0, "%s was promoted", now);
    SCENARIO_CHECK(talk_number(lab, now, WORD_ROWS) == strtol(rows, NULL, 10), "rows are missing");
    talk_insert(lab, now, 1);
    LAB_MUST(lab, lab_start(lab, "db2", NULL));
    (void)scenario_settled(lab, "db2", 30);
    scenario_pass("23", "candidate killed between detach and writable",
                  "sets read again, the next candidate is promoted, nothing lost", "S5 S2");
}
