/* tests/unit/controller/decide/test_plan_checks.c - what refuses a plan before it touches anything,
 * where that hangs on one fact among many. */
#include "tests/unit/controller/decide/plan_world.h"

static enum stay_rc check(enum plan_kind kind, struct stay_error *err)
{
    struct plan_params params = {.node = NO_NODE, .donor = NO_NODE, .detected_mono_us = STAY_NEVER};
    *err = (struct stay_error){0};
    return plan_start(&run, kind, &params, &c.view, CASE_NOW, CASE_WALL, err);
}

/* Only those who inject or rewind need it: the rest works without. */
static void a_grant_for_errant_transactions_alone_keeps_nobody_out(void **state)
{
    (void)state;
    static const struct {
        const char *missing;
        bool may;
    } rows[] = {
        {"", true},
        {"mainstay_operate lacks" MISSING_ERRANT ": GRANT X ON *.* TO mainstay_operate", true},
        {"mainstay_operate lacks" MISSING_RANK ": GRANT X ON *.* TO mainstay_operate", true},
        {"mainstay_operate lacks: GRANT RELOAD ON *.* TO mainstay_operate", false}};
    struct stay_error err;
    c.view.record.adopted = false;
    for (uint32_t node = 0; node < 3; node++)
        c.view.nodes[node].facts.canary_wall_us = 0; /* no other controller writes there */
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        struct server_facts *facts = &c.view.nodes[1].facts;
        (void)stay_copy(facts->missing_grant, sizeof facts->missing_grant, rows[i].missing);
        enum stay_rc rc = check(PLAN_ADOPT, &err);
        if ((rc == STAY_OK) != rows[i].may)
            fail_msg("%s: %s", rows[i].missing, err.text);
        if (rc != STAY_OK)
            assert_non_null(strstr(err.text, "lacks: GRANT RELOAD"));
        plan_run_clear(&run);
    }
}

/* One that was never read may take writes too, and is not the first that is seen to. */
static void adopting_finds_the_server_that_is_seen_to_take_writes(void **state)
{
    (void)state;
    struct stay_error err;
    c.view.record.adopted = false;
    c.view.primary = NO_NODE;
    for (uint32_t node = 0; node < 3; node++)
        c.view.nodes[node].facts.canary_wall_us = 0;
    c.view.nodes[0].groups_known = 0;
    c.view.nodes[0].facts.read_only = c.view.nodes[0].facts.super_read_only = TRI_UNKNOWN;
    c.view.nodes[1].facts.read_only = TRI_NO;
    c.view.nodes[1].facts.receiver = RECEIVER_NONE;
    c.view.nodes[1].facts.source_host[0] = '\0';
    (void)stay_copy(c.view.nodes[2].facts.source_host, sizeof c.view.nodes[2].facts.source_host,
                    c.config.nodes[1].host);
    c.view.nodes[2].facts.source_port = c.config.nodes[1].port;
    enum stay_rc rc = check(PLAN_ADOPT, &err);
    if (rc == STAY_OK)
        assert_int_equal(run.old_primary, 1);
    else
        fail_msg("%s", err.text);
    plan_run_clear(&run);
}

/* What it executed is not always what it received: it may have been written to while it stood
 * alone. */
static void what_a_replica_executed_beyond_the_primary_is_looked_at(void **state)
{
    (void)state;
    struct stay_error err;
    struct node_view *n = &c.view.nodes[1];
    c.view.nodes[0].facts.read_only = c.view.nodes[0].facts.super_read_only = TRI_YES;
    assert_int_equal(check(PLAN_MAKE_WRITABLE, &err), STAY_OK);
    plan_run_clear(&run);
    case_gtids(&c, "0-1-100,0-2-101", &n->facts.executed);
    case_gtids(&c, "0-1-100", &n->received_high);
    assert_int_equal(check(PLAN_MAKE_WRITABLE, &err), STAY_EREFUSED);
    assert_non_null(strstr(err.text, "db2 holds transactions the primary lacks"));
}

/* An evacuation was ordered after this switchover began, and nobody elsewhere is left. */
static void a_switchover_ends_at_a_zone_that_is_being_emptied(void **state)
{
    (void)state;
    for (int evacuated = 0; evacuated < 2; evacuated++) {
        start(PLAN_SWITCHOVER, NO_NODE);
        uint32_t row = plan_row_of(PLAN_SWITCHOVER, STEP_CHOOSE);
        c.view.evacuated = evacuated != 0 ? 6 : 0;
        plan_compute(&run, &c.view, row, CASE_NOW);
        assert_int_equal(run.candidate, evacuated != 0 ? NO_NODE : 1);
        assert_int_equal(strstr(run.rows[row].text, "in an evacuated zone") != NULL, evacuated);
    }
    c.view.evacuated = 0;
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_grant_for_errant_transactions_alone_keeps_nobody_out),
        T(adopting_finds_the_server_that_is_seen_to_take_writes),
        T(what_a_replica_executed_beyond_the_primary_is_looked_at),
        T(a_switchover_ends_at_a_zone_that_is_being_emptied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
