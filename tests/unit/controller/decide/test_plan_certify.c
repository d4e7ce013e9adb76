/* tests/unit/controller/decide/test_plan_certify.c - what a certificate's estimate of time is built
 * on: heartbeat rows while the wall clock can be believed, reads of the primary when it jumped. */
#include "tests/unit/controller/decide/case_view.h"

#include "controller/decide/decide.h"
#include "controller/decide/plan_private.h"

#define BOUNDED                                                                                    \
    "accept bounded\nnode db1 zone a\nnode db2 zone b\nrecord primary db1 mode bounded\n"          \
    "fact db1 executed 0-1-100\nfact db2 executed 0-1-90 received 0-1-90\n"                        \
    "refused db1\n"

/* db2's last row was written `age_s` ago by its stamp. */
static struct certificate certify(struct case_view *c, int64_t age_s)
{
    struct plan_run run = {0};
    struct stay_error err = {0};
    struct plan_params params = {.node = NO_NODE, .detected_mono_us = STAY_NEVER};
    c->view.nodes[1].facts.canary_wall_us = CASE_WALL - age_s * STAY_SECOND;
    c->view.nodes[0].facts.canary_wall_us = c->view.nodes[1].facts.canary_wall_us;
    if (plan_start(&run, PLAN_FAILOVER, &params, &c->view, CASE_NOW, CASE_WALL, &err) != STAY_OK)
        fail_msg("start: %s", err.text);
    run.candidate = 1;
    gtid_set_copy(&run.executed[1], &c->view.nodes[1].facts.executed);
    plan_certify(&run, &c->view, CASE_NOW);
    struct certificate certificate = run.certificate;
    plan_run_clear(&run);
    return certificate;
}

static void a_clock_that_jumped_bounds_no_loss(void **state)
{
    (void)state;
    struct case_view c;
    STAY_AUTO(stay_free_charp) char *text = stay_strdup(BOUNDED);
    case_load(&c, text);
    struct certificate by_rows = certify(&c, 3);
    assert_int_equal(by_rows.kind, CERT_BOUNDED);
    assert_int_equal(by_rows.lost_time_max_us, 3 * STAY_SECOND);
    c.view.clock_jumped_mono_us = CASE_NOW - 7 * STAY_SECOND;
    assert_int_equal(certify(&c, 3).kind, CERT_UNKNOWN); /* seen: "0.006 s", and 13 s were lost */
    c.view.nodes[1].held_mono_us = CASE_NOW - 9 * STAY_SECOND;
    assert_int_equal(certify(&c, 3).lost_time_max_us, 9 * STAY_SECOND);
    case_clear(&c);
}

/* 5 MB in 5,000 s and in 5,000 transactions; then ten missing, then 200,000 in three seconds. */
static void a_burst_after_quiet_hours_is_not_averaged_away(void **state)
{
    (void)state;
    struct case_view c;
    STAY_AUTO(stay_free_charp) char *text = stay_strdup(BOUNDED);
    case_load(&c, text);
    assert_int_equal(certify(&c, 3).lost_bytes_max, 4000); /* no count is known */
    c.view.nodes[0].facts.binlog_commits = 5000;
    assert_in_range(certify(&c, 3).lost_bytes_max, 10 * 1000, 20 * 1000);
    case_gtids(&c, "0-1-200090", &c.view.nodes[0].facts.executed);
    assert_in_range(certify(&c, 3).lost_bytes_max, 200000 * 1000, 400000 * 1000);
    case_clear(&c);
}

/* Set back while no controller ran. */
static void a_row_of_the_future_bounds_no_loss(void **state)
{
    (void)state;
    struct case_view c;
    STAY_AUTO(stay_free_charp) char *text = stay_strdup(BOUNDED);
    case_load(&c, text);
    assert_int_equal(certify(&c, -60).kind, CERT_UNKNOWN);
    case_gtids(&c, "0-1-90", &c.view.nodes[0].facts.executed); /* it holds all of the last read */
    assert_int_equal(certify(&c, -60).lost_time_max_us, 100 * STAY_MS);
    case_clear(&c);
}

static void a_turn_notices_that_the_wall_clock_jumped(void **state)
{
    (void)state;
    struct case_view c;
    struct decision d;
    struct fleet fleet = {0};
    STAY_AUTO(stay_free_charp) char *text = stay_strdup(BOUNDED);
    case_load(&c, text);
    decide(&c.view, NULL, &fleet, CASE_NOW, CASE_WALL, &d);
    decide(&c.view, NULL, &fleet, CASE_NOW + STAY_SECOND, CASE_WALL + STAY_SECOND + 900 * STAY_MS,
           &d);
    assert_true(c.view.clock_jumped_mono_us == STAY_NEVER);
    decide(&c.view, NULL, &fleet, CASE_NOW + 2 * STAY_SECOND, CASE_WALL - 60 * STAY_SECOND, &d);
    assert_int_equal(c.view.clock_jumped_mono_us, CASE_NOW + 2 * STAY_SECOND);
    case_clear(&c);
}

#define UUID1 "11111111-1111-1111-1111-111111111111"

/* A MySQL primary that hung: its replica gave it up in silence while no controller ran, then it
 * answers again, alone, and is shut down in order: it answers whoever waits (found by tests/search:
 * freeze:1 tick tick@5:die tick thaw:1 tick write:1 stop:1 data). */
static void a_primary_that_answers_without_its_acker_may_be_stopped_in_order(void **state)
{
    (void)state;
    struct case_view c;
    struct plan_run run = {0};
    struct plan_params params = {.node = NO_NODE, .detected_mono_us = STAY_NEVER};
    case_open(&c, "engine mysql\nnode db1 zone a\nnode db2 zone b\n"
                  "record primary db1 mode lossless stands ackers db2\n"
                  "fact db1 executed " UUID1 ":1-9\n"
                  "fact db2 executed " UUID1 ":1-9 received " UUID1 ":1-9 acks yes\n"
                  "refused db1\n");
    struct node_view *old = &c.view.nodes[0], *next = &c.view.nodes[1];
    assert_int_equal(plan_start(&run, PLAN_FAILOVER, &params, &c.view, CASE_NOW, CASE_WALL, NULL),
                     STAY_OK);
    run.candidate = 1;
    run.f = run.r = run.lost_first = run.acking = 2;
    run.lossless_stood = run.acks_flowed = true;
    gtid_set_copy(&run.executed[1], &next->facts.executed);
    plan_certify(&run, &c.view, CASE_NOW);
    assert_int_equal(run.certificate.kind, CERT_LOSSLESS);
    old->facts_mono_us = old->ss_progress_mono_us = CASE_NOW + STAY_SECOND; /* it answers */
    next->acker_seen_mono_us = old->facts_mono_us;
    plan_certify(&run, &c.view, CASE_NOW + STAY_SECOND);
    assert_int_equal(run.certificate.kind, CERT_LOSSLESS); /* its acker was still there */
    old->facts_mono_us = old->ss_progress_mono_us = CASE_NOW + 2 * STAY_SECOND;
    plan_certify(&run, &c.view, CASE_NOW + 2 * STAY_SECOND);
    assert_int_equal(run.certificate.kind, CERT_BOUNDED);
    plan_run_clear(&run);
    case_clear(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_that_jumped_bounds_no_loss),
        cmocka_unit_test(a_burst_after_quiet_hours_is_not_averaged_away),
        cmocka_unit_test(a_row_of_the_future_bounds_no_loss),
        cmocka_unit_test(a_turn_notices_that_the_wall_clock_jumped),
        cmocka_unit_test(a_primary_that_answers_without_its_acker_may_be_stopped_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
