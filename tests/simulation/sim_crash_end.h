/* tests/simulation/sim_crash_end.h - how a life of the crash-point matrix ended.
 *
 * Layer: tests, the matrix only. See sim_crash.h. */
#ifndef TESTS_SIMULATION_SIM_CRASH_END_H
#define TESTS_SIMULATION_SIM_CRASH_END_H
#include "tests/simulation/sim_crash.h"

struct final_state {
    char text[400];
};

/* What matters in the end, as text. */
void crash_describe(const struct sim *s, struct final_state *state);
/* The plan was undone, or never begun, and `state` is that of `before` it. */
bool crash_is_undone(const struct sim *s, enum plan_kind kind, const struct final_state *before,
                     const struct final_state *state);
/* As the uninterrupted run (`want`), but for who is primary or set aside, where the stage allows
 * that; they hold nothing acknowledged that the primary lacks. */
bool crash_is_otherwise(const struct sim *s, const struct crash_stage *stage,
                        const struct final_state *want);

#endif
