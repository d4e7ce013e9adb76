/* Row 48 for a switchover: at each of its rows, before and after, the controller dies, is frozen
 * past its validity, loses its store, or loses the server of that row; see tests/crash.
 * ENGINES: mariadb mysql (scenario_crash_at) */
#include <sys/wait.h>
#include <unistd.h>

#include "tests/crash/crash_matrix.h"

static pid_t operator;

/* In a process of its own: a controller that stops at its point does not answer. */
static void lead(struct crash_run *run)
{
    crash_arm(run);
    operator= fork();
    SCENARIO_CHECK(operator>= 0, "fork: %m");
    if (operator== 0) {
        int code = -1;
        (void)lab_cli(run->lab, &code, NULL, "switchover", "shop", "--yes", NULL);
        _exit(0);
    }
}

/* Succeeded, undone, or never heard. */
static void settle(struct crash_run *run)
{
    (void)run;
    SCENARIO_CHECK(waitpid(operator, NULL, 0) == operator, "waitpid: %m");
}

int main(int argc, char **argv)
{
    static const struct crash_layout layouts[] = {
        {.name = "ackers", .options = {.acker = true, .replicas = 2}},
    };
    static const struct crash_stage stage = {.row = "48",
                                             .kind = PLAN_SWITCHOVER,
                                             .layouts = layouts,
                                             .layout_count = STAY_COUNT(layouts),
                                             .lead = lead,
                                             .settle = settle};
    return crash_matrix(argc, argv, &stage);
}
