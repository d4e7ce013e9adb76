/* tests/crash/crash_matrix.h - drives one plan of a real cluster to each of its crash points,
 * strikes there, heals, and judges the end: one writable primary, nothing acknowledged lost, the
 * plan finished or undone or a human asked with the way out, every server complete and attached.
 *
 * Layer: tests. Not pure; needs root and a mainstayd with crash points (preset dev). A lab serves
 * point after point; after a failure, which is recorded, a new one is made. Long: all points, as
 * many as MAINSTAY_POINTS_S seconds allow (exit 76 when some are left: run it again); else a few.
 * MAINSTAY_POINTS: the record's path. MAINSTAY_POINTS_ONLY: a pattern on "ROW/SIDE/FAULT". */
#ifndef TESTS_CRASH_CRASH_MATRIX_H
#define TESTS_CRASH_CRASH_MATRIX_H
#include "controller/decide/plan.h"
#include "tests/crash/crash_points.h"
#include "tests/lib/server_talk.h"

struct crash_layout {
    const char *name;
    struct lab_options options;
    bool diverged; /* REJOIN: the returner holds transactions of its own */
    bool ordered;  /* FAILOVER: an operator's, of a primary that is well */
};

struct crash_run {
    struct lab *lab;
    const struct crash_layout *layout;
    const struct crash_points *points;
    const struct crash_point *point; /* NULL: nothing is armed */
    char old[16];                    /* primary at the begin */
    bool asked;                      /* a human had to go on */
    pid_t operator;                  /* crash_order */
};

struct crash_stage {
    const char *row; /* "48" */
    enum plan_kind kind;
    const struct crash_layout *layouts;
    size_t layout_count;
    bool moves; /* a failover is part of it */
    /* Leads to the plan; calls crash_arm before the step that begins it. */
    void (*lead)(struct crash_run *run);
    /* The fault is over: until the plan's work is done or undone. */
    void (*settle)(struct crash_run *run);
};

void crash_arm(const struct crash_run *run);
/* `mainstay VERB shop --yes` in a process of its own: a controller that stops at its point does not
 * answer. The end waits for that process, and until no plan runs; was it never heard, or undone,
 * the old primary still is one. */
void crash_order(struct crash_run *run, const char *verb);
void crash_order_end(struct crash_run *run, int timeout_s);
/* Until another than run->old is primary; answers for the operator where one is asked. */
void crash_wait_moved(struct crash_run *run, int timeout_s);
/* The old primary comes back; what it holds more is kept and undone by `errant reset`. */
void crash_take_back(struct crash_run *run, const char *node);

int crash_matrix(int argc, char **argv, const struct crash_stage *stage);

#endif
