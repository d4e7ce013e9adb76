/* controller/decide/step_times.h - how long the rows of past failovers took, and what that
 * foretells of the next one.
 *
 * Pure. Layer: decide. A row's share of a plan is the time by which its end put off the end of all
 * rows before it: rows that run side by side count once, and what the store took between two rows
 * counts with the later one. */
#ifndef CONTROLLER_DECIDE_STEP_TIMES_H
#define CONTROLLER_DECIDE_STEP_TIMES_H
#include "controller/decide/plan.h"

#define STEP_TIMES_KEEP 9 /* newest plans of a kind; odd, so that the median is one of them */

/* Deaths of one kind: a receiver whose source is silent takes longer to stop than one whose source
 * ended the connection (MariaDB 10.11: rpl_semi_sync_slave_kill_conn_timeout, 1 s). */
struct step_samples {
    uint32_t plans; /* kept: the newest, in no order */
    int64_t begun_wall_us[STEP_TIMES_KEEP];
    int64_t share_us[STEP_TIMES_KEEP][PLAN_ROWS_MAX]; /* -1: the row was skipped */
};

struct step_times {
    struct step_samples ended, silent; /* by what the source did to its receivers first */
};

struct step_forecast {
    uint32_t plans;   /* failovers of its kind that it rests on; 0: none was measured */
    int64_t steps_us; /* from the plan's begin to the open route; -1: not measured */
    int64_t drain_us; /* of that: what the candidate's lag adds */
    int64_t wait_us;  /* of that: for lost servers that are asked and do not answer */
    int64_t row_us[PLAN_ROWS_MAX]; /* -1: skipped, after the open route, or not measured */
};

/* Takes a plan that ended: a failover that succeeded, its times of one clock; once, in any order.
 * Others, and those older than all that are kept, are left out. Returns whether it was taken. */
bool step_times_add(struct step_times *times, const struct plan_run *run);
/* Of a run that plan_foresee filled. `silent`: lost servers that do not refuse. */
void step_times_foresee(const struct step_times *times, const struct plan_run *run,
                        const struct cluster_view *view, uint32_t silent, int64_t now_mono_us,
                        struct step_forecast *ret_forecast);

#endif
