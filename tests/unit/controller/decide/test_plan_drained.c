/* tests/unit/controller/decide/test_plan_drained.c - who is frozen and who is drained, by what each
 * answer of those rows shows. */
#include "plan_answer.h"

static void a_drain_that_was_asked_and_failed_is_not_asked_again(void **state)
{
    (void)state;
    enum { WAS_READ, NOT_FROZEN, NOT_ASKED, APPLIES, BROKE };
    for (int what = WAS_READ; what <= BROKE; what++) {
        facts_as_judged();
        fail_over();
        facts.applier = what == APPLIES || what == BROKE ? TRI_YES : TRI_NO;
        facts.applier_errno = what == BROKE ? 1062 : 0;
        run.f = what == NOT_FROZEN ? 2 : 6;
        run.left[2] = UINT64_MAX;
        bool is_read = what != NOT_FROZEN && what != NOT_ASKED;
        answer(STEP_DRAIN, OUTCOME_NOT_DONE, is_read ? &facts : NULL);
        bool again = what == NOT_ASKED || what == APPLIES;
        assert_int_equal(run.rows[plan_row_of(run.kind, STEP_DRAIN)].failed, again ? 0 : 4);
        assert_int_equal(run.slow, what == APPLIES ? 4 : 0);
    }
}

/* It applies, and not one transaction came nearer: its relay log is gone, or it takes too long. */
static void a_drain_without_progress_ends(void **state)
{
    (void)state;
    uint32_t row = plan_row_of(PLAN_FAILOVER, STEP_DRAIN);
    facts_as_judged();
    fail_over();
    case_gtids(&c, "0-1-90", &facts.executed);
    run.left[2] = UINT64_MAX;
    for (int slice = 0; slice <= PLAN_DRAIN_STALLS_MAX; slice++) {
        answer(STEP_DRAIN, OUTCOME_NOT_DONE, &facts);
        assert_int_equal(run.rows[row].failed, slice < PLAN_DRAIN_STALLS_MAX ? 0 : 4);
    }
}

static void a_drain_is_over_when_all_that_was_ever_received_is_executed(void **state)
{
    (void)state;
    enum { WHOLE, LACKS_RECEIVED, NOT_FROZEN, UNSOUND, UNSOUND_AND_WHOLE };
    for (int what = WHOLE; what <= UNSOUND_AND_WHOLE; what++) {
        facts_as_judged();
        fail_over();
        run.r = run.spare = 0;
        run.f = what == NOT_FROZEN ? 2 : 6;
        if (what == LACKS_RECEIVED)
            case_gtids(&c, "0-1-101", &run.received_high[2]);
        if (what >=
            UNSOUND) /* restarted after the primary was last read: what it had may be gone */
            run.sound = 2;
        c.view.nodes[2].restarted_mono_us = what == UNSOUND ? CASE_NOW
                                            : what == UNSOUND_AND_WHOLE
                                                ? c.view.nodes[0].facts_begun_mono_us - 1
                                                : STAY_NEVER;
        answer(STEP_DRAIN, OUTCOME_DONE, &facts);
        bool drained = what == WHOLE || what == NOT_FROZEN || what == UNSOUND_AND_WHOLE;
        assert_int_equal(run.r, drained ? 4 : 0);
        assert_int_equal(run.spare, what == NOT_FROZEN ? 0 : 4);
    }
    c.view.nodes[2].restarted_mono_us = STAY_NEVER;
}

/* What a replica received by file and position is in no set: only an end that was seen counts. */
static void a_drain_that_did_not_end_proves_nothing(void **state)
{
    (void)state;
    static const enum outcome outcomes[] = {OUTCOME_DONE, OUTCOME_NOT_DONE, OUTCOME_UNKNOWN};
    for (size_t i = 0; i < STAY_COUNT(outcomes); i++) {
        facts_as_judged();
        fail_over();
        run.r = 0;
        answer(STEP_DRAIN, outcomes[i], &facts);
        assert_int_equal(run.r, outcomes[i] == OUTCOME_DONE ? 4 : 0);
    }
}

/* Its relay log is believed where it kept all it acknowledged and nobody touched it. */
static void a_relay_log_tells_only_what_it_still_holds(void **state)
{
    (void)state;
    for (int whole = 0; whole < 2; whole++) {
        facts_as_judged();
        fail_over();
        run.kind = PLAN_RECOVER;
        case_gtids(&c, whole != 0 ? "0-1-100" : "0-1-120", &run.received_high[2]);
        answer(STEP_REPLAY, OUTCOME_DONE, &facts);
        assert_int_equal(run.kept, whole != 0 ? 4 : 0);
        assert_true(gtid_set_equal(&run.received_high[2], &facts.received)); /* no more to be had */
    }
}

/* Before its first freeze the view tells its process; a server never read has none to compare. */
static void a_freeze_tells_a_restart_by_whatever_was_read_before(void **state)
{
    (void)state;
    enum { SAME, RESTARTED, NEVER_READ, PURGED, AGAIN, PORT_CLOSED };
    for (int what = SAME; what <= PORT_CLOSED; what++) {
        struct node_view *seen = &c.view.nodes[2];
        facts_as_judged();
        fail_over();
        run.f = run.r = run.collected = 0;
        run.sound = run.froze = what == AGAIN ? 4 : 0;
        seen->closed_mono_us = what == PORT_CLOSED ? seen->facts_mono_us + 1 : STAY_NEVER;
        facts.uptime_s = what == RESTARTED || what == NEVER_READ || what == AGAIN ? 1 : 5000;
        seen->groups_known = what == NEVER_READ ? 0 : FACTS_STATUS | FACTS_SLOW;
        case_gtids(&c, what == PURGED ? "0-1-130" : "0-1-100", &seen->received_high);
        answer(STEP_FREEZE, OUTCOME_DONE, &facts);
        assert_int_equal(run.f, 4);
        assert_int_equal(run.restarted, what == SAME || what == NEVER_READ ? 0 : 4);
    }
}

/* Standing still, or receiving from the new primary alone, by the process that was judged. */
static void a_freeze_holds_or_its_server_is_judged_anew(void **state)
{
    (void)state;
    enum {
        STANDS,
        FROM_NEW,
        FROM_OLD,
        OTHER_PORT,
        CONNECTS,
        NO_ACKER,
        NOBODY,
        LOST,
        TOOK_MORE,
        YOUNGER
    };
    for (int what = STANDS; what <= YOUNGER; what++) {
        facts_as_judged();
        fail_over();
        facts.uptime_s = what == YOUNGER ? 1 : 5000;
        bool receives = what > STANDS && what < LOST;
        facts.receiver = what == CONNECTS ? RECEIVER_CONNECTING
                         : receives       ? RECEIVER_RUNNING
                                          : RECEIVER_STOPPED;
        facts.ss_replica_enabled = what == NO_ACKER ? TRI_NO : TRI_YES;
        (void)stay_copy(facts.source_host, sizeof facts.source_host,
                        what == FROM_NEW || what == OTHER_PORT ? "10.0.0.2" : "10.0.0.1");
        facts.source_port = what == OTHER_PORT ? 3307 : 3306;
        if (what == NOBODY) /* a journal that names no candidate: nothing holds */
            run.candidate = NO_NODE;
        if (what == LOST || what == TOOK_MORE)
            case_gtids(&c, what == LOST ? "0-1-99" : "0-1-101", &facts.executed);
        answer(STEP_VERIFY_FREEZE, OUTCOME_DONE, &facts);
        bool holds = what == STANDS || what == FROM_NEW;
        assert_int_equal(run.f, holds ? 6 : 2);
        bool able = !holds && receives && what != NO_ACKER;
        assert_int_equal(run.able, able ? 4 : 0);
        assert_int_equal(run.restarted, what == LOST || what == YOUNGER ? 4 : 0);
    }
}

/* Seeds 400363800, 400369412: somebody started its receiver while the applier stood still, which
 * throws away what it had acknowledged; no set shows what was received between two probes. */
static void who_may_have_thrown_its_relay_log_away_proves_nothing(void **state)
{
    (void)state;
    enum { STOOD, APPLIES, TRIED_AGAIN, OURS, HOLDS_ROWS, ON_MYSQL };
    for (int what = STOOD; what <= ON_MYSQL; what++) {
        facts_as_judged();
        fail_over();
        c.config.engine = what == ON_MYSQL ? ENGINE_MYSQL : ENGINE_MARIADB;
        run.f = run.r = run.collected = run.sound = run.restarted = 0;
        run.froze = what == OURS ? 4 : 0;
        facts.applier = what == APPLIES ? TRI_YES : TRI_NO;
        c.view.nodes[2].groups_known = 0;
        gtid_set_clear(&c.view.nodes[2].received_high);
        if (what == HOLDS_ROWS)
            case_gtids(&c, "0-1-110", &facts.received);
        struct effect_result result = {.outcome = OUTCOME_DONE,
                                       .groups_read = true,
                                       .facts = &facts,
                                       .receiver_before =
                                           what == TRIED_AGAIN ? BEFORE_LOST : BEFORE_UNKNOWN};
        run.freeze_uptime_s[2] = 4000;
        plan_absorb(&run, &c.view, begun(STEP_FREEZE, 4, 0), 2, &result, CASE_NOW);
        assert_int_equal(run.restarted, what == STOOD ? 4 : 0);
        c.config.engine = ENGINE_MARIADB;
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, end)
    const struct CMUnitTest tests[] = {
        T(a_drain_that_was_asked_and_failed_is_not_asked_again),
        T(a_drain_without_progress_ends),
        T(a_drain_is_over_when_all_that_was_ever_received_is_executed),
        T(a_drain_that_did_not_end_proves_nothing),
        T(a_relay_log_tells_only_what_it_still_holds),
        T(a_freeze_tells_a_restart_by_whatever_was_read_before),
        T(a_freeze_holds_or_its_server_is_judged_anew),
        T(who_may_have_thrown_its_relay_log_away_proves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
