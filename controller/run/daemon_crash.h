/* controller/run/daemon_crash.h - crash points for scenario tests: the daemon dies, or stops,
 * exactly between two journaled moments of a plan.
 *
 * Layer: run. Only in builds with MAINSTAY_CRASH_POINTS; otherwise nothing. The environment says
 * where: MAINSTAY_CRASH_AT="PLAN:ROW:before|after[:stop]", PLAN and ROW as `mainstay plan` prints
 * them with '-' for blanks (ROW may be its number), before: the row begins, after: it ended. Once a
 * process: _exit(137), or SIGSTOP with ":stop". MAINSTAY_CRASH_FILE=PATH: the same text is read
 * from PATH at each row, where there is such a file; reached (not while a plan is undone), it is
 * replaced by PATH.hit, which holds the mask of the row's targets. */
#ifndef CONTROLLER_RUN_DAEMON_CRASH_H
#define CONTROLLER_RUN_DAEMON_CRASH_H
#include "controller/act/executor.h"

#ifdef MAINSTAY_CRASH_POINTS
void daemon_crash_point(enum exec_note note, const struct plan_run *run, uint32_t row);
#else
static inline void daemon_crash_point(enum exec_note note, const struct plan_run *run,
                                      uint32_t row)
{
    (void)note;
    (void)run;
    (void)row;
}
#endif
#endif
