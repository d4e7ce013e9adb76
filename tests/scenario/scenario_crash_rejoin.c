/* Row 48 for a rejoin: an old primary comes back, as it was or with transactions of its own; at
 * each row of the plan that takes it back, before and after, the controller dies, is frozen past
 * its validity, loses its store, or loses the server of that row; see tests/crash.
 * ENGINES: mariadb mysql (scenario_crash_at) */
#include "tests/crash/crash_matrix.h"

/* MariaDB truncates a tail when it restarts, so it writes while it is cut off; MySQL keeps it, and
 * is not failed over while it may live. */
static void diverge(struct crash_run *run)
{
    struct lab *lab = run->lab;
    bool mysql = lab_engine_of(lab) == LAB_MYSQL;
    LAB_MUST(lab, mysql ? lab_kill(lab, run->old) : lab_cut(lab, run->old, "all", false));
    crash_wait_moved(run, 60);
    if (mysql)
        LAB_MUST(lab, lab_cli(lab, NULL, NULL, "pause", "shop", NULL));
    if (mysql)
        LAB_MUST(lab, lab_start(lab, run->old, NULL));
    talk_do(lab, run->old, WORD_SOURCE_OFF);
    talk_do(lab, run->old, WORD_WRITABLE);
    for (int i = 1; i <= 3; i++) {
        char sql[120];
        snprintf(sql, sizeof sql, "INSERT INTO shop.ledger (client, seq) VALUES (7777, %d)", i);
        LAB_MUST(lab, lab_sql(lab, run->old, sql, NULL));
    }
    crash_arm(run);
    if (mysql)
        LAB_MUST(lab, lab_cli(lab, NULL, NULL, "resume", "shop", NULL));
    LAB_MUST(lab, lab_heal(lab, NULL, NULL));
}

static void lead(struct crash_run *run)
{
    if (run->layout->diverged) {
        diverge(run);
        return;
    }
    LAB_MUST(run->lab, lab_kill(run->lab, run->old));
    crash_wait_moved(run, 60);
    scenario_write_on(300);
    crash_arm(run);
    LAB_MUST(run->lab, lab_start(run->lab, run->old, NULL));
}

static void settle(struct crash_run *run)
{
    crash_take_back(run, run->old);
}

int main(int argc, char **argv)
{
    static const struct crash_layout layouts[] = {
        {.name = "pair"},
        {.name = "diverged", .options = {.acker = true}, .diverged = true},
    };
    static const struct crash_stage stage = {.row = "48",
                                             .kind = PLAN_REJOIN,
                                             .layouts = layouts,
                                             .layout_count = STAY_COUNT(layouts),
                                             .moves = true,
                                             .lead = lead,
                                             .settle = settle};
    return crash_matrix(argc, argv, &stage);
}
