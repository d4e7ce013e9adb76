/* Row 30b: the only acker is cut off and then an account is altered. On MySQL that statement waits
 * for the acknowledgement with the account lock in its hands: logins, SET GLOBAL and most queries
 * hang. The server lives: blocked (123), not hung (121); bounded is recorded, the role switched off
 * through a session that needs neither login nor lock, and the statement is answered.
 * ENGINES: mysql */
#include "tests/lib/server_talk.h"

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    unsigned answer = 1;
    scenario_load(lab);
    LAB_MUST(lab, lab_cut(lab, "db1", "db2", false));
    int64_t begun = lab_now_us();
    struct waiter *human =
        waiter_start(lab, "db1", "root", "ALTER USER mainstay_backup IDENTIFIED BY 'another one'");
    SCENARIO_CHECK(!waiter_has_answer(human, 1000, NULL), "it did not wait for an acker");
    bool has_answer = waiter_has_answer(human, 25000, &answer);
    printf("ALTER USER %s after %d ms, error %u\n", has_answer ? "answered" : "still waits",
           talk_ms_since(begun), answer);
    SCENARIO_CHECK(has_answer && answer == 0, "the statement was not released");
    waiter_end(human);
    SCENARIO_CHECK(state_wait_plans(lab, "mode degrade", 1, 5), "no mode degrade");
    scenario_story(lab, "mode degrade");
    char *log = scenario_file(lab, "log/controller.log");
    SCENARIO_CHECK(strstr(log, "semi-sync blocked (123") != NULL, "never judged blocked");
    SCENARIO_CHECK(strstr(log, "(121") == NULL, "judged hung");
    free(log);
    scenario_goes_on(lab, "db1", 700);
    LAB_MUST(lab, lab_heal(lab, NULL, NULL));
    scenario_ready(lab, 60);
    SCENARIO_CHECK(state_count_plans(lab, "failover") == 0, "something failed over");
    scenario_check(lab, "db1", 50);
    scenario_pass("30b", "acker cut off, then ALTER USER",
                  "123, never 121; bounded recorded, statement released; no failover", "S9 S2");
}
