/* Row 63: the executor is stopped right before it makes the candidate writable, for longer than any
 * of its compares is good for, and the old primary comes back meanwhile. Woken, it looks again
 * before it acts: one writer in the end, whichever, and nothing acknowledged is lost.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

int main(int argc, char **argv)
{
    scenario_crash_at("failover:make-writable:before:stop");
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    scenario_load(lab);
    LAB_MUST(lab, lab_kill(lab, "db1"));
    SCENARIO_CHECK(scenario_wait_crash(lab, true, 30), "the controller did not reach its point");
    SCENARIO_CHECK(lab_writable(lab)[0] == '\0', "'%s' is writable", lab_writable(lab));
    LAB_MUST(lab, lab_start(lab, "db1", NULL));
    for (int64_t begun = lab_now_us(); talk_ms_since(begun) < 6000; scenario_write_on(100))
        SCENARIO_CHECK(lab_writable(lab)[0] == '\0', "'%s' is writable", lab_writable(lab));
    LAB_MUST(lab, lab_thaw(lab, "controller"));
    char now[16] = "";
    for (int64_t begun = lab_now_us(); now[0] != 'd'; scenario_write_on(20)) {
        SCENARIO_CHECK(talk_ms_since(begun) < 60000, "writable: '%s'", lab_writable(lab));
        SCENARIO_CHECK(lab_writable(lab)[0] != '?', "two servers are writable");
        (void)stay_copy(now, sizeof now, lab_writable(lab));
    }
    (void)scenario_settled(lab, strcmp(now, "db1") == 0 ? "db2" : "db1", 60);
    scenario_story(lab, "failover");
    SCENARIO_CHECK(strcmp(lab_writable(lab), now) == 0, "it moved to '%s'", lab_writable(lab));
    scenario_write_on(500);
    scenario_check(lab, now, 50);
    scenario_pass(
        "63", "executor stopped before \"make writable\" for 6 s, the old primary returns",
        "it looks again before it acts; one writer, the other follows or is set aside", "S4 S1 S2");
}
