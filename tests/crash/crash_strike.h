/* tests/crash/crash_strike.h - arming a point, and the faults that strike there.
 *
 * Layer: tests. See crash_matrix.h. */
#ifndef TESTS_CRASH_CRASH_STRIKE_H
#define TESTS_CRASH_CRASH_STRIKE_H
#include "tests/crash/crash_matrix.h"

/* Ends the program as skipped when mainstayd was built without crash points. */
void crash_needs_points(void);
/* A lab of this layout, its controller ready for points, the cluster adopted. */
struct lab *crash_begin(int argc, char **argv, const struct crash_layout *layout);
/* Waits for the armed point, strikes and heals. False: it was not reached. */
bool crash_strike(struct crash_run *run);
void crash_disarm(const struct crash_run *run);

#endif
