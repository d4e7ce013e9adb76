/* Row 59: the controller stands still for 6 s, as a paused machine does, and the primary is hung
 * for part of it. What it knew is old: it holds and watches first, nothing fails over. Then it is
 * paused again and the primary dies meanwhile: failed over only after the hold.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

int main(int argc, char **argv)
{
    char done[120];
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    scenario_load(lab);
    LAB_MUST(lab, lab_hang(lab, "controller") && lab_hang(lab, "db1"));
    scenario_write_on(3000);
    LAB_MUST(lab, lab_thaw(lab, "db1"));
    scenario_write_on(3000);
    LAB_MUST(lab, lab_thaw(lab, "controller"));
    SCENARIO_CHECK(state_wait_rule(lab, 150, 5), "it does not hold after the pause");
    scenario_stays(lab, "db1", 4);
    LAB_MUST(lab, lab_hang(lab, "controller") && lab_kill(lab, "db1"));
    scenario_write_on(3000);
    LAB_MUST(lab, lab_thaw(lab, "controller"));
    int64_t begun = lab_now_us();
    for (; talk_ms_since(begun) < 15000; scenario_write_on(100))
        SCENARIO_CHECK(lab_writable(lab)[0] == '\0', "'%s' was opened in the hold",
                       lab_writable(lab));
    const char *now = scenario_failover_either(lab, "db1", 60);
    int took = talk_ms_since(begun);
    scenario_story(lab, "failover");
    scenario_write_on(500);
    scenario_check(lab, now, 200);
    snprintf(done, sizeof done,
             "held (150), no failover; the death: failed over %d s after the "
             "pause, when the hold was over",
             took / 1000);
    scenario_pass("59",
                  "SIGSTOP of the controller 6 s, primary hung 3 s of it; again 3 s, primary "
                  "killed in it",
                  done, "S4 S14 S2");
}
