/* Row 48, all of it: at every row of a failover, before and after, the controller dies, is frozen
 * past its validity, loses its store, or loses the server of that row; see tests/crash.
 * ENGINES: mariadb mysql (scenario_crash_at) */
#include "tests/crash/crash_matrix.h"

static void lead(struct crash_run *run)
{
    crash_arm(run);
    LAB_MUST(run->lab, lab_kill(run->lab, run->old));
}

static void settle(struct crash_run *run)
{
    crash_wait_moved(run, 120);
    LAB_MUST(run->lab, lab_start(run->lab, run->old, NULL));
    crash_take_back(run, run->old);
}

int main(int argc, char **argv)
{
    static const struct crash_layout layouts[] = {
        {.name = "ackers", .options = {.acker = true, .replicas = 2}},
        {.name = "pair"}, /* no acker is left: bounded is recorded */
    };
    static const struct crash_stage stage = {.row = "48",
                                             .kind = PLAN_FAILOVER,
                                             .layouts = layouts,
                                             .layout_count = STAY_COUNT(layouts),
                                             .moves = true,
                                             .lead = lead,
                                             .settle = settle};
    return crash_matrix(argc, argv, &stage);
}
