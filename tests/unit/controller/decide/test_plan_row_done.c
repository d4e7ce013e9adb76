/* tests/unit/controller/decide/test_plan_row_done.c - whose freeze a failover waits for where
 * nobody is known to acknowledge: those that follow somebody, not a stale primary that hangs. */
#include "tests/unit/controller/decide/case_view.h"

#include "controller/decide/plan_private.h"

#define BOUNDED                                                                                    \
    "node db1 zone a\nnode db2 zone b\nnode db3 zone c\nrecord primary db1 mode bounded\n"         \
    "fact db1 executed 0-1-100\nfact db2 executed 0-1-100\nfact db3 executed 0-1-100\n"

/* The freeze row of `answered` of db2 and db3 after `passed_us`. */
static bool is_done(const char *more, uint32_t answered, int64_t passed_us)
{
    struct case_view c;
    char text[400];
    int64_t recheck_us = 0;
    (void)snprintf(text, sizeof text, BOUNDED "%s", more);
    case_load(&c, text);
    struct plan_run run = {.kind = PLAN_FAILOVER, .mode = MODE_BOUNDED, .acks = 1};
    uint32_t row = plan_row_of(PLAN_FAILOVER, STEP_FREEZE);
    run.rows[row].targets = NODE_BIT(1) | NODE_BIT(2);
    run.rows[row].done = answered;
    run.rows[row].begun_mono_us = CASE_NOW;
    bool done = plan_is_row_done(&run, &c.view, row, CASE_NOW + passed_us, &recheck_us);
    case_clear(&c);
    return done;
}

static void every_follower_is_waited_for(void **state)
{
    (void)state;
    assert_false(is_done("", NODE_BIT(1), PLAN_OTHERS_US));
    assert_true(is_done("", NODE_BIT(1) | NODE_BIT(2), 0));
}

static void a_server_that_follows_nobody_holds_nothing_up(void **state)
{
    (void)state;
    assert_true(is_done("fact db3 source -\n", NODE_BIT(1), PLAN_OTHERS_US));
    assert_false(is_done("fact db3 source -\n", NODE_BIT(1), PLAN_OTHERS_US - 1));
    assert_false(is_done("fact db3 source -\n", NODE_BIT(2), PLAN_OTHERS_US));
}

static void where_nobody_follows_all_are_waited_for(void **state)
{
    (void)state;
    assert_false(is_done("fact db2 source -\nfact db3 source -\n", NODE_BIT(1), PLAN_OTHERS_US));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_follower_is_waited_for),
        cmocka_unit_test(a_server_that_follows_nobody_holds_nothing_up),
        cmocka_unit_test(where_nobody_follows_all_are_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
