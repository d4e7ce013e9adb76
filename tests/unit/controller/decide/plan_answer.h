/* tests/unit/controller/decide/plan_answer.h - how db3 answers the rows of a run; header-only,
 * included by one test program each. */
#ifndef TESTS_PLAN_ANSWER_H
#define TESTS_PLAN_ANSWER_H
#include "tests/unit/controller/decide/plan_world.h"

static struct server_facts facts;

/* db3 answers row `step` well, or not with `outcome`; NULL: nothing was read of it. */
static inline void answer(enum step_kind step, enum outcome outcome,
                          const struct server_facts *read)
{
    struct effect_result result = {
        .outcome = outcome, .groups_read = read != NULL, .facts = read, .kept_acked = true};
    uint32_t row = begun(step, 4, 0);
    plan_absorb(&run, &c.view, row, 2, &result, CASE_NOW);
}

/* As db3 was frozen, drained and read. */
static inline void facts_as_judged(void)
{
    server_facts_clear(&facts);
    facts = (struct server_facts){.uptime_s = 5000, .applier = TRI_YES};
    facts.receiver = RECEIVER_STOPPED;
    case_gtids(&c, "0-1-100", &facts.executed);
    case_gtids(&c, "0-1-100", &facts.received);
}

static inline int end(void **state)
{
    server_facts_clear(&facts);
    return teardown(state);
}

#endif
