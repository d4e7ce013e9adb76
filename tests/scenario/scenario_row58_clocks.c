/* Row 58: the controller's wall clock jumps an hour forward, back, ten years forward and back, the
 * primary's an hour forward. Detection knows no wall clock: nothing fails over; actions are held
 * after a jump; then a real death is failed over as ever.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

int main(int argc, char **argv)
{
    static const long jumps[] = {3600, 0, 315360000, 0};
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){.clocks = true}, 0);
    scenario_load(lab);
    for (size_t i = 0; i < STAY_COUNT(jumps); i++) {
        LAB_MUST(lab, lab_clock(lab, "controller", jumps[i]));
        if (i == 0)
            SCENARIO_CHECK(state_wait_rule(lab, 150, 8), "the jump is not seen");
        scenario_stays(lab, "db1", 3);
    }
    LAB_MUST(lab, lab_clock(lab, "db1", 3600));
    scenario_stays(lab, "db1", 3);
    LAB_MUST(lab, lab_clock(lab, "db1", 0));
    scenario_ready(lab, 60); /* the hold after the last jump is over */
    LAB_MUST(lab, lab_kill(lab, "db1"));
    const char *now = scenario_failover(lab, "db1", 40);
    scenario_story(lab, "failover");
    scenario_write_on(500);
    scenario_check(lab, now, 200);
    scenario_pass("58", "controller's clock +1 h, back, +10 y, back; primary's +1 h; then SIGKILL",
                  "held (150) after each jump, no failover; the death is failed over", "S5 S14 S2");
}
