/* Row 48, all of it: at every row of a failover, before and after, the controller dies, is frozen
 * past its validity, loses its store, or loses the server of that row; see tests/crash.
 * ENGINES: mariadb mysql (scenario_crash_at) */
#include "tests/crash/crash_matrix.h"

static void lead(struct crash_run *run)
{
    crash_arm(run);
    if (run->layout->ordered)
        crash_order(run, "failover");
    else
        LAB_MUST(run->lab, lab_kill(run->lab, run->old));
}

static void settle(struct crash_run *run)
{
    if (run->layout->ordered) {
        crash_order_end(run, 90);
        STAY_AUTO(stay_free_charp) char *now = state_primary(run->lab);
        if (now != NULL && strcmp(now, run->old) == 0)
            return; /* never heard, or undone */
    } else {
        crash_wait_moved(run, 120);
        LAB_MUST(run->lab, lab_start(run->lab, run->old, NULL));
    }
    crash_take_back(run, run->old);
}

int main(int argc, char **argv)
{
    static const struct crash_layout layouts[] = {
        {.name = "acker", .options = {.acker = true}},
        {.name = "own zone", .options = {.acker = true, .replicas = 2}}, /* one is no acker */
        {.name = "pair"}, /* no acker is left: bounded is recorded */
        {.name = "ordered", .options = {.acker = true}, .ordered = true}, /* it can be fenced */
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
