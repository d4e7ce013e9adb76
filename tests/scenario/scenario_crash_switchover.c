/* Row 48 for a switchover: at each of its rows, before and after, the controller dies, is frozen
 * past its validity, loses its store, or loses the server of that row; see tests/crash.
 * ENGINES: mariadb mysql (scenario_crash_at) */
#include "tests/crash/crash_matrix.h"

static void lead(struct crash_run *run)
{
    crash_arm(run);
    crash_order(run, "switchover");
}

static void settle(struct crash_run *run)
{
    crash_order_end(run, 90); /* nothing is left to do */
}

int main(int argc, char **argv)
{
    static const struct crash_layout layouts[] = {
        {.name = "acker", .options = {.acker = true}},
        {.name = "own zone", .options = {.acker = true, .replicas = 2}}, /* one is no acker */
    };
    static const struct crash_stage stage = {.row = "48",
                                             .kind = PLAN_SWITCHOVER,
                                             .layouts = layouts,
                                             .layout_count = STAY_COUNT(layouts),
                                             .lead = lead,
                                             .settle = settle};
    return crash_matrix(argc, argv, &stage);
}
