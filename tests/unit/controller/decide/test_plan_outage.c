/* tests/unit/controller/decide/test_plan_outage.c - which server is started after a total outage,
 * by what each holds and what a human said. */
#include "tests/unit/controller/decide/plan_world.h"

/* All are back and closed, read and drained. */
static uint32_t outage(void)
{
    c.view.nodes[0].facts.read_only = TRI_NO;
    fail_over();
    run.kind = PLAN_RECOVER;
    run.fenced = true;
    run.candidate = NO_NODE;
    run.collected = 7;
    for (uint32_t node = 0; node < 3; node++)
        c.view.nodes[node].facts.read_only = TRI_YES;
    c.view.nodes[0].refused_first_mono_us = STAY_NEVER;
    gtid_set_copy(&run.executed[0], &c.view.nodes[0].facts.executed);
    return plan_row_of(run.kind, STEP_CHOOSE);
}

static void who_holds_all_is_started_or_whom_a_human_names(void **state)
{
    (void)state;
    enum { OLD, OLD_FAILED, NAMED, NAMED_LACKS, NAMED_UNACCEPTED, NOBODY_READ };
    static const uint32_t candidates[] = {0, 1, 2, 2, NO_NODE, NO_NODE};
    for (int what = OLD; what <= NOBODY_READ; what++) {
        uint32_t row = outage();
        run.struck = what == OLD_FAILED ? 1 : 0;
        run.params.node = what >= NAMED && what <= NAMED_UNACCEPTED ? 2 : NO_NODE;
        if (what == NAMED_LACKS || what == NAMED_UNACCEPTED) {
            case_gtids(&c, "0-1-100,0-2-7", &run.executed[1]); /* and nobody holds both */
            case_gtids(&c, "0-1-99,0-3-7", &run.executed[2]);
        }
        run.params.accept_loss = what == NAMED_LACKS;
        if (what == NOBODY_READ)
            run.collected = 0;
        plan_compute(&run, &c.view, row, CASE_NOW);
        assert_int_equal(run.candidate, candidates[what]);
        const char *text = run.rows[row].text;
        if (what == NAMED_LACKS)
            assert_non_null(strstr(text, "by a human's choice"));
        if (what == NAMED_UNACCEPTED)
            assert_non_null(strstr(text, "no server holds all: --to NODE --accept-loss REASON"));
        if (what == NOBODY_READ)
            assert_string_equal(text, "no server could be read that may be the primary");
    }
}

/* Without an acker writes go on in the weaker mode, or wait, as configured. */
static void without_an_acker_it_is_as_configured(void **state)
{
    (void)state;
    for (int blocks = 0; blocks < 2; blocks++) {
        uint32_t row = outage();
        run.r = run.f = 0;
        run.collected = 1;
        c.config.without_acker = blocks != 0 ? WITHOUT_ACKER_BLOCK : WITHOUT_ACKER_DEGRADE;
        plan_compute(&run, &c.view, row, CASE_NOW);
        assert_int_equal(run.candidate, 0);
        assert_int_equal(run.degrade, blocks == 0);
    }
}

/* By its settings: each commit written through, and no log that MariaDB cuts as a replica. */
static void a_restart_costs_nothing_where_every_commit_is_on_disk(void **state)
{
    (void)state;
    enum { KEEPS, NO_SYNC, NO_FLUSH, CUTS, UNKNOWN_ROLE, UNREAD };
    for (int what = KEEPS; what <= UNREAD; what++) {
        struct server_facts *facts = &c.view.nodes[0].facts;
        facts->sync_binlog = what == NO_SYNC ? 0 : 1;
        facts->flush_log = what == NO_FLUSH ? 2 : 1;
        facts->start_role_replica = what == CUTS           ? TRI_YES
                                    : what == UNKNOWN_ROLE ? TRI_UNKNOWN
                                                           : TRI_NO;
        c.view.nodes[0].groups_known = what == UNREAD ? FACTS_STATUS : FACTS_STATUS | FACTS_SLOW;
        assert_int_equal(plan_keeps_all(&c.view, 0), what == KEEPS);
    }
    c.config.engine = ENGINE_MYSQL; /* it cuts none */
    c.view.nodes[0].groups_known = FACTS_STATUS | FACTS_SLOW;
    assert_true(plan_keeps_all(&c.view, 0));
    c.config.engine = ENGINE_MARIADB;
}

static void only_an_adopted_cluster_is_in_an_outage(void **state)
{
    (void)state;
    for (uint32_t node = 0; node < 3; node++) {
        c.view.nodes[node].refused_first_mono_us = CASE_NOW - STAY_SECOND;
        c.view.nodes[node].refused_last_mono_us = CASE_NOW;
    }
    assert_int_equal(plan_is_outage(&c.view, CASE_NOW), TRI_YES);
    c.view.record.adopted = false;
    assert_int_equal(plan_is_outage(&c.view, CASE_NOW), TRI_NO);
    c.view.record.adopted = true;
    c.view.primary = NO_NODE;
    assert_int_equal(plan_is_outage(&c.view, CASE_NOW), TRI_NO);
}

/* Named by a human, it is the one or nobody; a switchover looks again when it begins. */
static void who_is_named_is_promoted_or_nobody(void **state)
{
    (void)state;
    for (int able = 0; able < 2; able++) {
        start(PLAN_SWITCHOVER, 2);
        c.view.nodes[2].facts.applier_errno = able != 0 ? 0 : 1062;
        c.view.nodes[2].facts.applier = able != 0 ? TRI_YES : TRI_NO;
        uint32_t row = plan_row_of(run.kind, STEP_CHOOSE);
        plan_compute(&run, &c.view, row, CASE_NOW);
        assert_int_equal(run.candidate, able != 0 ? 2 : NO_NODE);
        if (able == 0)
            assert_string_equal(run.rows[row].text, "no server may be promoted: db3: its applier "
                                                    "stopped with an error");
        c.view.nodes[2].facts.applier_errno = 0;
    }
}

/* Taken up on a host whose clock began anew: what was seen when cannot be compared. */
static void another_clock_takes_the_flow_of_acks_away(void **state)
{
    (void)state;
    for (int64_t by_us = -1; by_us <= 0; by_us++) {
        uint32_t row = 0;
        fail_over();
        run.acks_flowed = true;
        run.old_primary = by_us < 0 ? NO_NODE : 0;
        run.row = plan_row_of(run.kind, STEP_DRAIN);
        assert_int_equal(plan_resume(&run, &c.view, CASE_NOW + by_us, &row), NEXT_GOTO);
        assert_int_equal(row, plan_row_of(run.kind, STEP_ROUTE_CLOSE));
        assert_int_equal(run.acks_flowed, by_us == 0);
    }
}

/* Detached, it reports nothing received any more: what it executed tells as well. */
static void a_lost_tail_is_found_by_what_was_executed(void **state)
{
    (void)state;
    struct stay_error err = {0};
    struct plan_params params = {.node = NO_NODE, .donor = NO_NODE, .detected_mono_us = STAY_NEVER};
    c.view.nodes[0].facts.read_only = TRI_YES;
    case_gtids(&c, "0-1-105", &c.view.nodes[1].facts.executed);
    case_gtids(&c, "0-1-100", &c.view.nodes[1].received_high);
    assert_int_equal(
        plan_start(&run, PLAN_MAKE_WRITABLE, &params, &c.view, CASE_NOW, CASE_WALL, &err),
        STAY_EREFUSED);
    assert_string_equal(err.text, "db2 holds transactions the primary wrote and lost");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(who_holds_all_is_started_or_whom_a_human_names),
        T(without_an_acker_it_is_as_configured),
        T(a_restart_costs_nothing_where_every_commit_is_on_disk),
        T(only_an_adopted_cluster_is_in_an_outage),
        T(who_is_named_is_promoted_or_nobody),
        T(another_clock_takes_the_flow_of_acks_away),
        T(a_lost_tail_is_found_by_what_was_executed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
