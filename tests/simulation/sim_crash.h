/* tests/simulation/sim_crash.h - the crash-point matrix: every row of every plan, before and
 * after its effects, times die, freeze, cut store, cut target. The rows are those of plan_table, so
 * a new row without a stage that leads to it fails.
 *
 * Layer: tests. See sim.h. */
#ifndef TESTS_SIMULATION_SIM_CRASH_H
#define TESTS_SIMULATION_SIM_CRASH_H
#include "tests/simulation/sim.h"

/* A life that leads to a plan: begun by `begin` at the first event of the stage, and at each second
 * `tick` after it; `on_row` runs when a row of any plan begins. Any of them may be NULL. */
struct crash_stage {
    const char *name;
    enum plan_kind kind;
    enum engine engine; /* ENGINE_COUNT: both */
    enum sim_layout layout;
    bool adopts;
    bool sets_aside;  /* a server may end set aside that is not without the fault: it holds nothing
                         acknowledged that the primary lacks, a human's order was about it */
    bool any_primary; /* who holds most after all were down is drawn anew by each life */
    void (*begin)(struct sim *s);
    void (*tick)(struct sim *s, uint32_t second);
    void (*on_row)(struct sim *s, const struct plan_run *run, uint32_t row);
};
const struct crash_stage *crash_stages(size_t *ret_count);

/* Runs the matrix and prints it; `only` NULL or one "PLAN/ROW/SIDE/FAULT/ENGINE" point, traced.
 * `mutant` as in struct sim. Returns 0 when every point ended as an uninterrupted run does, or as
 * before its plan. */
int crash_matrix(const char *only, unsigned mutant);

/* Why no life of this engine leads to the row; NULL: one must. */
const char *crash_open(enum plan_kind kind, enum engine engine, uint32_t row);

/* Begins now. */
void crash_fault(struct sim *s, enum sim_fault fault, uint32_t x, int64_t for_us);

/* The world's hooks into the point that is armed; without one they do nothing. */
void crash_point_row(struct sim *s, const struct plan_run *run, uint32_t row, uint32_t side);
void crash_point_effect(struct sim *s, const struct effect *effect); /* done on its server */
void crash_point_late(void); /* a statement past its validity was not sent */
bool crash_point_event(struct sim *s, const struct sim_event *e);

#endif
