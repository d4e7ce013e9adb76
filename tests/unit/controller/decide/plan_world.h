/* tests/unit/controller/decide/plan_world.h - three servers in three zones and a run on them whose
 * state each test sets by hand; header-only, included by one test program each.
 *
 * db1 is the primary, db2 and db3 acknowledge, all hold 0-1-100. */
#ifndef TESTS_PLAN_WORLD_H
#define TESTS_PLAN_WORLD_H
#include "tests/unit/controller/decide/case_view.h"

#include "controller/decide/plan_private.h"

#define THREE                                                                                      \
    "node db1 zone a\nnode db2 zone b\nnode db3 zone c\n"                                          \
    "record primary db1 mode lossless stands ackers db2,db3\n"                                     \
    "fact db1 executed 0-1-100\nfact db2 executed 0-1-100\nfact db3 executed 0-1-100\n"

static struct case_view c;
static struct plan_run run;

static inline int setup(void **state)
{
    (void)state;
    case_open(&c, THREE);
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    plan_run_clear(&run);
    case_clear(&c);
    return 0;
}

static inline void start(enum plan_kind kind, uint32_t node)
{
    struct stay_error err = {0};
    struct plan_params params = {.node = node, .donor = NO_NODE, .detected_mono_us = STAY_NEVER};
    if (plan_start(&run, kind, &params, &c.view, CASE_NOW, CASE_WALL, &err) != STAY_OK)
        fail_msg("start: %s", err.text);
}

/* A failover from a db1 that refuses connections: db2 and db3 are frozen, drained and read, and db2
 * is chosen. */
static inline void fail_over(void)
{
    c.view.nodes[0].refused_first_mono_us = CASE_NOW - 300 * STAY_MS;
    c.view.nodes[0].refused_last_mono_us = CASE_NOW;
    start(PLAN_FAILOVER, NO_NODE);
    run.candidate = 1;
    run.f = run.r = run.collected = 6;
    for (uint32_t node = 1; node < 3; node++) {
        gtid_set_copy(&run.executed[node], &c.view.nodes[node].facts.executed);
        gtid_set_copy(&run.received_high[node], &c.view.nodes[node].facts.executed);
        run.freeze_uptime_s[node] = 5000;
        run.freeze_mono_us[node] = CASE_NOW;
    }
}

/* Row `step` was begun on `targets`, of which `done` answered well. */
static inline uint32_t begun(enum step_kind step, uint32_t targets, uint32_t done)
{
    uint32_t row = plan_row_of(run.kind, step);
    plan_begin_row(&run, row, targets, CASE_NOW);
    run.rows[row].done = done;
    return row;
}

static inline enum plan_next conclude(enum step_kind step, uint32_t *ret_row)
{
    return plan_conclude(&run, &c.view, plan_row_of(run.kind, step), CASE_NOW, ret_row);
}

#endif
