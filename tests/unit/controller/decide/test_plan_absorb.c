/* tests/unit/controller/decide/test_plan_absorb.c - what one answer changes in a run, and where the
 * row it belongs to leads: for rows whose answers are easy to book wrongly. */
#include "tests/unit/controller/decide/case_view.h"

#include "controller/decide/plan_private.h"

#define PAIR                                                                                       \
    "node db1 zone a\nnode db2 zone b\n"                                                           \
    "record primary db1 mode lossless stands ackers db2\n"                                         \
    "fact db1 executed 0-1-100\nfact db2 executed 0-1-90 received 0-1-100\n"

static void begin(struct case_view *c, struct plan_run *run, const char *text, enum plan_kind kind,
                  uint32_t node)
{
    struct stay_error err = {0};
    STAY_AUTO(stay_free_charp) char *copy = stay_strdup(text);
    struct plan_params params = {.node = node, .detected_mono_us = STAY_NEVER};
    case_load(c, copy);
    memset(run, 0, sizeof *run);
    if (plan_start(run, kind, &params, &c->view, CASE_NOW, CASE_WALL, &err) != STAY_OK)
        fail_msg("start: %s", err.text);
}

static void end(struct case_view *c, struct plan_run *run)
{
    plan_run_clear(run);
    case_clear(c);
}

/* Rows that begin together share run->row, the first of them: an answer is booked on its own. */
static void a_freeze_without_facts_is_unknown_on_its_own_row(void **state)
{
    (void)state;
    struct case_view c;
    struct plan_run run;
    begin(&c, &run, PAIR "refused db1\n", PLAN_FAILOVER, NO_NODE);
    uint32_t close = plan_row_of(PLAN_FAILOVER, STEP_ROUTE_CLOSE);
    uint32_t freeze = plan_row_of(PLAN_FAILOVER, STEP_FREEZE);
    run.row = close;
    plan_begin_row(&run, close, 1, CASE_NOW);
    plan_begin_row(&run, freeze, 2, CASE_NOW);
    run.rows[close].done = 1;
    struct effect_result result = {.outcome = OUTCOME_DONE};
    plan_absorb(&run, &c.view, freeze, 1, &result, CASE_NOW);
    assert_int_equal(run.rows[freeze].done, 0);
    assert_int_equal(run.rows[freeze].unknown, 2);
    assert_int_equal(run.rows[close].done, 1);
    assert_int_equal(run.rows[close].unknown, 0);
    assert_int_equal(run.f, 0);
    end(&c, &run);
}

#define RETURNER                                                                                   \
    "node db1 zone a\nnode db2 zone b\nrecord primary db1 mode bounded\n"                          \
    "fact db1 executed 0-1-100\nfact db2 executed 0-1-90 source -\n"

/* A returner up to the answer of its CATCH_UP; where that leads. */
static enum plan_next catch_up(struct case_view *c, struct plan_run *run,
                               const struct effect_result *result)
{
    uint32_t row = plan_row_of(PLAN_REJOIN, STEP_CATCH_UP), to = row;
    begin(c, run, RETURNER, PLAN_REJOIN, 1);
    c->view.record.quarantine[1] = QUARANTINE_STALE_PRIMARY;
    case_gtids(c, "0-1-100", &run->executed[0]);
    run->collected = 3;
    run->attached = 2;
    run->row = row;
    plan_begin_row(run, row, 2, CASE_NOW);
    plan_absorb(run, &c->view, row, 1, result, CASE_NOW);
    return plan_conclude(run, &c->view, row, CASE_NOW, &to);
}

/* Seen: "succeeded" for a returner whose applier had stopped on an error. */
static void a_rejoin_whose_applier_broke_is_no_success(void **state)
{
    (void)state;
    struct case_view c;
    struct plan_run run;
    struct server_facts facts = {.applier = TRI_NO, .applier_errno = 1062};
    struct effect_result result = {.outcome = OUTCOME_NOT_DONE,
                                   .groups_read = true,
                                   .facts = &facts,
                                   .text = "applier stopped: (1062) Duplicate entry"};
    assert_int_equal(catch_up(&c, &run, &result), NEXT_UNDO);
    assert_string_equal(run.text, "db2 was attached but does not follow: db2: applier stopped: "
                                  "(1062) Duplicate entry");
    struct cluster_record record = c.view.record;
    run.state = RUN_UNDONE;
    plan_end_record(&run, &c.view, CASE_WALL, &record); /* or each retry stopped its receiver */
    assert_int_equal(record.quarantine[1], QUARANTINE_NONE);
    end(&c, &run);
}

static void a_rejoin_of_one_that_is_behind_says_so(void **state)
{
    (void)state;
    struct case_view c;
    struct plan_run run;
    struct server_facts facts = {.applier = TRI_YES, .receiver = RECEIVER_RUNNING};
    struct effect_result result = {
        .outcome = OUTCOME_NOT_DONE, .groups_read = true, .facts = &facts, .text = "not yet"};
    assert_int_equal(gtid_set_parse(GTID_MARIADB, "0-1-93", &facts.executed, NULL), STAY_OK);
    assert_int_equal(catch_up(&c, &run, &result), NEXT_ROW);
    assert_string_equal(run.text, "db2 follows; when last read it still missed 0-1-94..100");
    gtid_set_clear(&facts.executed);
    end(&c, &run);
}

static void a_rejoin_of_one_that_is_gone_again_is_no_success(void **state)
{
    (void)state;
    struct case_view c;
    struct plan_run run;
    uint32_t row = plan_row_of(PLAN_REJOIN, STEP_CATCH_UP), to = row;
    struct effect_result result = {.outcome = OUTCOME_UNKNOWN, .text = "no answer"};
    assert_int_equal(catch_up(&c, &run, &result), NEXT_ROW); /* it still answers the probes */
    c.view.nodes[1].query_ok_mono_us = CASE_NOW - 4 * STAY_SECOND;
    assert_int_equal(plan_conclude(&run, &c.view, row, CASE_NOW, &to), NEXT_UNDO);
    struct cluster_record record = c.view.record;
    run.state = RUN_UNDONE;
    plan_end_record(&run, &c.view, CASE_WALL, &record);
    assert_int_equal(record.quarantine[1], QUARANTINE_STALE_PRIMARY);
    end(&c, &run);
}

/* Seen on MySQL: "4 semi-sync replicas" with 2 attached; a primary that opens so answers nobody. */
static void a_server_that_counts_ackers_who_left_is_not_believed(void **state)
{
    (void)state;
    struct case_view c;
    struct plan_run run;
    uint32_t row = plan_row_of(PLAN_FAILOVER, STEP_WAIT_ACKERS), to = row;
    struct effect_result result = {.outcome = OUTCOME_DONE, .text = "4 semi-sync replicas"};
    begin(&c, &run, PAIR "without_acker degrade\nrefused db1\n", PLAN_FAILOVER, NO_NODE);
    run.candidate = 1;
    plan_begin_row(&run, row, 2, CASE_NOW);
    plan_absorb(&run, &c.view, row, 1, &result, CASE_NOW);
    assert_int_equal(plan_conclude(&run, &c.view, row, CASE_NOW, &to), NEXT_ROW);
    assert_true(run.degrade); /* bounded is recorded and the role switched off first */
    run.degrade = false;
    run.attached = 4;
    assert_int_equal(plan_conclude(&run, &c.view, row, CASE_NOW, &to), NEXT_ROW);
    assert_false(run.degrade);
    end(&c, &run);
}

/* Seen: db2, promoted a moment ago, came back read-only, and the plan went on for 10 s trying to
 * attach a server that was cut off, while the old primary took writes. */
static void what_is_left_of_a_failover_waits_while_the_new_primary_is_read_only(void **state)
{
    (void)state;
    struct case_view c;
    struct plan_run run;
    int64_t recheck_us = 0;
    begin(&c, &run, PAIR "node db3 zone c\nrefused db1\n", PLAN_FAILOVER, NO_NODE);
    uint32_t row = plan_row_of(PLAN_FAILOVER, STEP_CANARY_ROUTE) + 1; /* ATTACH of the rest */
    run.candidate = 1;
    run.past_no_return = true;
    plan_begin_row(&run, row, 4, CASE_NOW);
    struct cluster_record record = c.view.record;
    (void)stay_copy(record.primary, sizeof record.primary, "db2");
    cluster_set_record(&c.view, &record);
    c.view.nodes[1].facts.read_only = c.view.nodes[1].facts.super_read_only = TRI_NO;
    c.view.nodes[1].facts.receiver = RECEIVER_NONE;
    assert_false(plan_is_row_done(&run, &c.view, row, CASE_NOW, &recheck_us));
    c.view.nodes[1].facts.read_only = TRI_YES;
    assert_true(plan_is_row_done(&run, &c.view, row, CASE_NOW, &recheck_us));
    end(&c, &run);
}

/* Seen: every server answered and was whole, none was promoted, not even with --accept-loss. */
static void what_restarted_proves_nothing_and_is_a_humans_choice(void **state)
{
    (void)state;
    for (int accepts = 0; accepts < 2; accepts++) {
        struct case_view c;
        struct plan_run run;
        uint32_t row = plan_row_of(PLAN_FAILOVER, STEP_DRAIN), to = row;
        struct server_facts facts = {.applier = TRI_YES, .uptime_s = 5};
        struct effect_result result = {
            .outcome = OUTCOME_DONE, .groups_read = true, .facts = &facts};
        begin(&c, &run, PAIR "refused db1\n", PLAN_FAILOVER, NO_NODE);
        case_gtids(&c, "0-1-100", &facts.executed);
        case_gtids(&c, "0-1-100", &facts.received);
        run.params.accept_loss = accepts != 0;
        run.f = run.restarted = 2;
        run.row = row;
        plan_begin_row(&run, row, 2, CASE_NOW);
        plan_absorb(&run, &c.view, row, 1, &result, CASE_NOW);
        assert_int_equal(run.r, 0);
        run.r = accepts ? 4 : 0; /* another is drained and whole, but its promote rule is never */
        assert_int_equal(plan_conclude(&run, &c.view, row, CASE_NOW, &to),
                         accepts ? NEXT_ROW : NEXT_UNDO);
        if (accepts) {
            assert_int_equal(run.r, 6);
            assert_int_equal(run.doubted, 2);
            run.r = 2;
            run.candidate = 1;
            row = plan_row_of(PLAN_FAILOVER, STEP_CERTIFY);
            plan_certify(&run, &c.view, CASE_NOW);
            assert_int_equal(run.certificate.kind, CERT_UNKNOWN);
            assert_non_null(strstr(run.certificate.reason, "1 of 1 ackers restarted"));
        } else {
            assert_non_null(strstr(run.text, "restarted lately"));
        }
        server_facts_clear(&facts);
        end(&c, &run);
    }
}

/* It forgot its source for the promotion, restarted with its own start-up values, and takes writes:
 * fenced and compared later, never attached as it is. */
static void an_undo_attaches_no_server_that_takes_writes(void **state)
{
    (void)state;
    struct case_view c;
    struct plan_run run;
    begin(&c, &run, PAIR "refused db1\n", PLAN_FAILOVER, NO_NODE);
    uint32_t freeze = plan_row_of(PLAN_FAILOVER, STEP_FREEZE);
    run.rows[freeze].touched = run.moved = 2;
    assert_int_equal(plan_undo_targets(&run, &c.view, freeze, CASE_NOW), 2);
    c.view.nodes[1].facts.read_only = TRI_NO;
    assert_int_equal(plan_undo_targets(&run, &c.view, freeze, CASE_NOW), 0);
    end(&c, &run);
}

/* One connection that is lost before its drain was asked for ends no failover. */
static void a_drain_that_was_not_asked_for_is_asked_again(void **state)
{
    (void)state;
    struct case_view c;
    struct plan_run run;
    uint32_t row = plan_row_of(PLAN_FAILOVER, STEP_DRAIN), to = row;
    struct effect_result result = {.outcome = OUTCOME_NOT_DONE, .text = "lost connection"};
    begin(&c, &run, PAIR "refused db1\n", PLAN_FAILOVER, NO_NODE);
    run.f = 2;
    run.row = row;
    plan_begin_row(&run, row, 2, CASE_NOW);
    for (int look = 0; look < PLAN_LOOKS_MAX; look++) {
        plan_absorb(&run, &c.view, row, 1, &result, CASE_NOW);
        assert_int_equal(run.rows[row].unknown, 2);
        assert_int_equal(plan_conclude(&run, &c.view, row, CASE_NOW, &to), NEXT_LOOK);
    }
    plan_absorb(&run, &c.view, row, 1, &result, CASE_NOW);
    assert_int_equal(plan_conclude(&run, &c.view, row, CASE_NOW, &to), NEXT_UNDO);
    end(&c, &run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_freeze_without_facts_is_unknown_on_its_own_row),
        cmocka_unit_test(a_rejoin_whose_applier_broke_is_no_success),
        cmocka_unit_test(a_rejoin_of_one_that_is_behind_says_so),
        cmocka_unit_test(a_server_that_counts_ackers_who_left_is_not_believed),
        cmocka_unit_test(a_rejoin_of_one_that_is_gone_again_is_no_success),
        cmocka_unit_test(a_drain_that_was_not_asked_for_is_asked_again),
        cmocka_unit_test(an_undo_attaches_no_server_that_takes_writes),
        cmocka_unit_test(what_is_left_of_a_failover_waits_while_the_new_primary_is_read_only),
        cmocka_unit_test(what_restarted_proves_nothing_and_is_a_humans_choice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
