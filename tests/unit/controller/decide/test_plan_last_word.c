/* tests/unit/controller/decide/test_plan_last_word.c - what a failover makes of its old primary's
 * newest word: does the promise still stand, what may be lost, and when need nobody wait longer. */
#include "tests/unit/controller/decide/plan_world.h"

#include "controller/decide/verdict.h"

/* db1 answers in the middle of the run, as it was. */
static struct node_view *answers_again(void)
{
    struct node_view *old = &c.view.nodes[0];
    old->facts.ss_source_enabled = old->facts.ss_source_on = TRI_YES;
    old->facts.read_only = TRI_NO;
    old->facts_begun_mono_us = old->facts_mono_us = CASE_NOW - 100 * STAY_MS;
    fail_over();
    old->facts_begun_mono_us = old->facts_mono_us = CASE_NOW + STAY_SECOND;
    return old;
}

static void counters_that_moved_out_of_sight_break_the_promise(void **state)
{
    (void)state;
    enum {
        AS_IT_WAS,
        OFF,
        NO_TX,
        NO_TIMES,
        OUR_OWN_PLAN,
        SHUT_SINCE_RESTART,
        FELL_BEFORE,
        UNACKED
    };
    static const bool broken[] = {false, true, true, true, false, false, false, true};
    for (int what = AS_IT_WAS; what <= UNACKED; what++) {
        struct node_view *old = answers_again();
        old->facts.ss_source_on =
            what == AS_IT_WAS || what == NO_TX || what == NO_TIMES || what == UNACKED ? TRI_YES
                                                                                      : TRI_NO;
        c.view.watch_own_base = what == UNACKED ? 1 : 0; /* committed since, and not acknowledged */
        old->facts.ss_no_tx = what == NO_TX ? 1 : 0;
        old->facts.ss_no_times = what == NO_TIMES ? 1 : 0;
        c.view.plan_ended_mono_us = what == OUR_OWN_PLAN ? CASE_NOW + 2 * STAY_SECOND : STAY_NEVER;
        old->restarted_mono_us = what == SHUT_SINCE_RESTART ? CASE_NOW : STAY_NEVER;
        old->facts.read_only = what == SHUT_SINCE_RESTART ? TRI_YES : TRI_NO;
        run.lossless_stood = what != FELL_BEFORE;
        assert_int_equal(plan_is_seen_broken(&run, &c.view), broken[what]);
        old->restarted_mono_us = STAY_NEVER;
        old->facts.ss_no_tx = old->facts.ss_no_times = 0;
    }
    c.view.watch_own_base = 0;
    c.view.plan_ended_mono_us = STAY_NEVER;
}

/* Its source role off and open: not by our fence, which closes it before that. */
static void an_open_primary_without_its_role_beside_our_fence_breaks_the_promise(void **state)
{
    (void)state;
    enum { DISABLED, STATUS_OFF, ROLE_ON, CLOSED, OFFLINE, FENCED, OLDER_WORD };
    for (int what = DISABLED; what <= OLDER_WORD; what++) {
        struct node_view *old = answers_again();
        run.rows[plan_row_of(run.kind, STEP_FENCE)].touched = 1;
        run.fenced = what == FENCED;
        old->facts.ss_source_enabled = what == STATUS_OFF || what == ROLE_ON ? TRI_YES : TRI_NO;
        old->facts.ss_source_on = what == ROLE_ON ? TRI_YES : TRI_NO;
        old->facts.read_only = what == CLOSED ? TRI_YES : TRI_NO;
        old->facts.offline_mode = what == OFFLINE ? TRI_YES : TRI_NO;
        if (what == OLDER_WORD)
            old->facts_begun_mono_us = CASE_NOW - STAY_SECOND;
        assert_int_equal(plan_is_seen_broken(&run, &c.view), what <= STATUS_OFF);
        old->facts.offline_mode = TRI_UNKNOWN;
    }
}

static void a_recovery_is_broken_by_an_old_primary_that_opened(void **state)
{
    (void)state;
    enum { OPENED, CLOSED, CHOSEN, OLDER_WORD };
    for (int what = OPENED; what <= OLDER_WORD; what++) {
        struct node_view *old = answers_again();
        run.kind = PLAN_RECOVER;
        run.candidate = what == CHOSEN ? 0 : 1;
        old->facts.read_only = what == CLOSED ? TRI_YES : TRI_NO;
        if (what == OLDER_WORD)
            old->facts_begun_mono_us = CASE_NOW - STAY_SECOND;
        assert_int_equal(plan_is_seen_broken(&run, &c.view), what == OPENED);
    }
}

static enum certificate_kind certify(void)
{
    run.rows[plan_row_of(run.kind, STEP_FREEZE)].begun_mono_us = CASE_NOW;
    plan_certify(&run, &c.view, CASE_NOW);
    return run.certificate.kind;
}

/* db3 stood outside A and received from db1 until its freeze. */
static void who_may_have_acknowledged_more_counts_with_the_ackers(void **state)
{
    (void)state;
    enum { CONTAINED, RECEIVED_MORE, RESTARTED };
    for (int what = CONTAINED; what <= RESTARTED; what++) {
        fail_over();
        run.a = run.r = 2;
        run.able = 4;
        run.f = 6;
        case_gtids(&c, what == RECEIVED_MORE ? "0-1-101" : "0-1-100", &run.received_high[2]);
        run.restarted = what == RESTARTED ? 4 : 0;
        assert_int_equal(certify() == CERT_LOSSLESS, what == CONTAINED);
    }
}

/* 20 sessions wait at most: a set that is ahead by more was answered, unless it is of a restart, or
 * of after our fence, which ended who waited. */
static void the_last_word_of_the_process_that_took_writes_disproves(void **state)
{
    (void)state;
    enum {
        SAME_PROCESS,
        RESTARTED,
        REOPENED,
        FENCE_BEFORE,
        FENCE_AFTER,
        FENCE_TAKEN_UP,
        NO_OLD,
        NO_CANDIDATE
    };
    static const bool disproved[] = {true, false, true, false, true, false, false, false};
    for (int what = SAME_PROCESS; what <= NO_CANDIDATE; what++) {
        struct node_view *old = &c.view.nodes[0];
        struct row_run *fence = &run.rows[plan_row_of(PLAN_FAILOVER, STEP_FENCE)];
        int64_t read_us = old->facts_begun_mono_us;
        fail_over();
        case_gtids(&c, "0-1-121", &old->facts.executed);
        bool restarted = what == RESTARTED || what == REOPENED;
        old->restarted_mono_us = restarted ? read_us - 2 : STAY_NEVER;
        old->writable_mono_us = what == REOPENED ? read_us - 1 : STAY_NEVER;
        fence->touched = what >= FENCE_BEFORE && what <= FENCE_TAKEN_UP ? 1 : 0;
        fence->begun_mono_us = what == FENCE_TAKEN_UP ? STAY_NEVER
                               : what == FENCE_BEFORE ? read_us - 1
                                                      : read_us + 1;
        case_gtids(&c, "0-1-100", &run.last_word);
        run.rows[plan_row_of(run.kind, STEP_FREEZE)].begun_mono_us = CASE_NOW;
        run.old_primary = what == NO_OLD ? NO_NODE : 0;
        run.candidate = what == NO_CANDIDATE ? NO_NODE : 1;
        assert_int_equal(plan_is_disproved(&run, &c.view), disproved[what]);
    }
}

/* After a total outage: closed, never opened since, and its settings keep all it committed. */
static void a_closed_primary_is_whole_only_if_nothing_can_have_cost_it(void **state)
{
    (void)state;
    enum { WHOLE, WAS_OPEN, RESTARTED, NOT_DURABLE, UNFENCED };
    for (int what = WHOLE; what <= UNFENCED; what++) {
        struct server_facts *facts = &c.view.nodes[0].facts;
        fail_over();
        run.kind = PLAN_RECOVER;
        run.fenced = what != UNFENCED;
        run.was_open = what == WAS_OPEN;
        run.restarted = what == RESTARTED ? 1 : 0;
        run.r = 0; /* nobody proves by a drain */
        facts->sync_binlog = facts->flush_log = what == NOT_DURABLE ? 0 : 1;
        facts->start_role_replica = TRI_NO;
        gtid_set_copy(&run.fenced_executed, &run.executed[1]);
        assert_int_equal(certify() == CERT_LOSSLESS, what == WHOLE);
    }
}

/* Rows of the heartbeat that were never read bound nothing; nor does an uptime of nought seconds
 * give a rate. */
static void what_was_never_read_bounds_no_loss(void **state)
{
    (void)state;
    enum { BOTH, NOT_OF_OLD, NOT_OF_NEW, YOUNG };
    c.config.accept = ACCEPT_BOUNDED;
    c.view.record.mode = MODE_BOUNDED;
    int64_t row_us = c.view.nodes[0].facts.canary_wall_us;
    for (int what = BOTH; what <= YOUNG; what++) {
        fail_over();
        c.view.nodes[0].facts.canary_wall_us = what == NOT_OF_OLD ? 0 : row_us;
        c.view.nodes[1].facts.canary_wall_us = what == NOT_OF_NEW ? 0 : row_us;
        c.view.nodes[0].facts.uptime_s = what == YOUNG ? 0 : 5000;
        bool known = what == BOTH || what == YOUNG;
        assert_int_equal(certify(), known ? CERT_BOUNDED : CERT_UNKNOWN);
        if (what == YOUNG)
            assert_int_equal(run.certificate.lost_bytes_max, 5000 * 1000);
    }
}

/* The wall clock jumped: what counts is when the candidate was seen to hold what db1 had. */
static void a_jumped_clock_leaves_the_reads_of_the_primary(void **state)
{
    (void)state;
    enum { HOLDS, LACKS, LOST_TAIL, HELD_LATER };
    int64_t read_us = c.view.nodes[0].facts_begun_mono_us;
    c.config.accept = ACCEPT_BOUNDED;
    c.view.record.mode = MODE_BOUNDED;
    c.view.clock_jumped_mono_us = CASE_NOW - STAY_SECOND;
    for (int what = HOLDS; what <= HELD_LATER; what++) {
        fail_over();
        if (what == LACKS)
            case_gtids(&c, "0-1-99", &run.executed[1]);
        c.view.nodes[0].facts.start_role_replica = TRI_YES;
        c.view.nodes[0].restarted_mono_us = what == LOST_TAIL ? read_us - 1 : STAY_NEVER;
        c.view.nodes[1].held_mono_us = what == HELD_LATER ? read_us + 1 : STAY_NEVER;
        bool known = what == HOLDS || what == HELD_LATER;
        assert_int_equal(certify(), known ? CERT_BOUNDED : CERT_UNKNOWN);
    }
}

static void what_is_left_of_a_failover_waits_for_what_is_urgent(void **state)
{
    (void)state;
    enum { WELL, NOT_RECORDED, LOST_TAIL, OLD_OPEN, CLOSED };
    for (int what = WELL; what <= CLOSED; what++) {
        int64_t recheck = 0;
        fail_over();
        uint32_t row = plan_row_of(run.kind, STEP_CANARY_ROUTE) + 1;
        plan_begin_row(&run, row, 4, CASE_NOW);
        struct cluster_record before = c.view.record, after = before;
        (void)stay_copy(after.primary, sizeof after.primary, what == NOT_RECORDED ? "db1" : "db2");
        after.quarantine[0] = QUARANTINE_STALE_PRIMARY;
        cluster_set_record(&c.view, &after);
        c.view.nodes[1].facts.read_only = what == CLOSED || what == LOST_TAIL ? TRI_YES : TRI_NO;
        c.view.nodes[1].facts.super_read_only = c.view.nodes[1].facts.read_only;
        c.view.nodes[1].facts.receiver = RECEIVER_NONE;
        struct node_view saved = c.view.nodes[1], old = c.view.nodes[0];
        c.view.nodes[2].holds_lost = what == LOST_TAIL; /* it is to take over */
        if (what == OLD_OPEN) {
            c.view.nodes[0].refused_first_mono_us = STAY_NEVER;
            c.view.nodes[0].facts.read_only = TRI_NO;
            c.view.nodes[0].facts_begun_mono_us = c.view.nodes[0].facts_mono_us = CASE_NOW;
            c.view.nodes[0].query_ok_mono_us = c.view.nodes[0].answered_mono_us = CASE_NOW;
        } else
            c.view.nodes[0].facts.read_only = TRI_YES;
        enum verdict_action action = verdict_judge(&c.view, CASE_NOW).action;
        bool urgent =
            action == ACT_FAILOVER || action == ACT_FENCE_STALE || action == ACT_MAKE_WRITABLE;
        if (urgent != (what >= LOST_TAIL))
            fail_msg("%d: rule %u", what, verdict_judge(&c.view, CASE_NOW).rule_id);
        assert_int_equal(plan_is_row_done(&run, &c.view, row, CASE_NOW, &recheck), urgent);
        c.view.nodes[1] = saved;
        c.view.nodes[0] = old;
        cluster_set_record(&c.view, &before);
    }
}

/* db3 is outside A: it holds a drain up only while it could be the first to end it. */
static void a_drain_waits_for_the_others_a_moment(void **state)
{
    (void)state;
    enum { NOBODY_DRAINED, RESTARTED, ONE_DRAINED };
    for (int what = NOBODY_DRAINED; what <= ONE_DRAINED; what++) {
        int64_t recheck = 0;
        fail_over();
        run.a = 2;
        run.r = what == ONE_DRAINED ? 2 : 0;
        run.restarted = what == RESTARTED ? 4 : 0;
        uint32_t row = begun(STEP_DRAIN, 6, what == ONE_DRAINED ? 2 : 0);
        run.rows[row].failed = what == ONE_DRAINED ? 0 : 2;
        run.acks = 2; /* its failure alone settles nothing */
        assert_false(plan_is_row_done(&run, &c.view, row, CASE_NOW, &recheck));
        int64_t late = CASE_NOW + PLAN_OTHERS_US;
        assert_int_equal(plan_is_row_done(&run, &c.view, row, late, &recheck),
                         what != NOBODY_DRAINED);
    }
}

/* Only an unfenced failover under lossless counts on R: nothing else is settled by who is lost. */
static void a_drain_is_settled_only_where_revocation_must_prove(void **state)
{
    (void)state;
    enum { SETTLED, NO_ACKERS, BOUNDED, FENCED, ACCEPTED, RECOVERS, HOPE };
    for (int what = SETTLED; what <= HOPE; what++) {
        fail_over();
        run.a = what == NO_ACKERS ? 0 : 14;
        run.r = 2;
        run.mode = what == BOUNDED ? MODE_BOUNDED : MODE_LOSSLESS;
        run.fenced = what == FENCED;
        run.params.accept_loss = what == ACCEPTED;
        run.kind = what == RECOVERS ? PLAN_RECOVER : PLAN_FAILOVER;
        run.acks = what == HOPE ? 2 : 1;
        struct row_run *row = &run.rows[begun(STEP_DRAIN, 6, 2)];
        assert_int_equal(plan_is_drain_settled(&run, row), what == SETTLED);
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(counters_that_moved_out_of_sight_break_the_promise),
        T(an_open_primary_without_its_role_beside_our_fence_breaks_the_promise),
        T(a_recovery_is_broken_by_an_old_primary_that_opened),
        T(who_may_have_acknowledged_more_counts_with_the_ackers),
        T(the_last_word_of_the_process_that_took_writes_disproves),
        T(a_closed_primary_is_whole_only_if_nothing_can_have_cost_it),
        T(what_was_never_read_bounds_no_loss),
        T(a_jumped_clock_leaves_the_reads_of_the_primary),
        T(what_is_left_of_a_failover_waits_for_what_is_urgent),
        T(a_drain_waits_for_the_others_a_moment),
        T(a_drain_is_settled_only_where_revocation_must_prove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
