/* tests/unit/controller/decide/test_plan_proof.c - what a failover's proof stands on is looked at
 * again until the candidate is opened: who could acknowledge, who drained, who is closed. */
#include "tests/unit/controller/decide/plan_world.h"

#include "controller/decide/plan_conclude_private.h"

/* db3 came up after the freeze began and receives from the old primary: db2 alone is frozen. */
static void db3_is_able(void)
{
    fail_over();
    run.a = run.f = run.r = 2;
    run.able = 4;
    run.attached = 2;
}

static void who_can_acknowledge_by_now_is_frozen_first(void **state)
{
    (void)state;
    static const struct {
        bool fenced, past_no_return;
        uint32_t rounds;
        enum plan_next next;
    } rows[] = {
        {false, false, 0, NEXT_GOTO},
        {false, false, PLAN_ROUNDS_MAX, NEXT_UNDO},
        {false, true, 0, NEXT_UNDO}, /* never back to the freeze: the candidate may be open */
        {true, false, 0, NEXT_ROW},  /* the old primary is closed: it asks nobody any more */
    };
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        uint32_t to = 0;
        db3_is_able();
        run.fenced = rows[i].fenced;
        gtid_set_copy(&run.fenced_executed, &run.executed[1]);
        run.past_no_return = rows[i].past_no_return;
        run.rounds = rows[i].rounds;
        plan_compute(&run, &c.view, plan_row_of(run.kind, STEP_CERTIFY), CASE_NOW);
        assert_int_equal(conclude(STEP_CERTIFY, &to), rows[i].next);
        if (rows[i].next == NEXT_GOTO) {
            assert_int_equal(to, plan_row_of(run.kind, STEP_FREEZE));
            assert_string_equal(run.text, "db3 can acknowledge for the old primary by now");
            assert_int_equal(run.rounds, 1);
            assert_int_equal(run.attached, 0);
        }
    }
}

static void who_came_up_during_the_freeze_is_frozen_in_another_round(void **state)
{
    (void)state;
    uint32_t to = 0;
    db3_is_able();
    begun(STEP_FREEZE, 2, 2);
    assert_int_equal(conclude(STEP_FREEZE, &to), NEXT_GOTO);
    assert_int_equal(to, plan_row_of(run.kind, STEP_FREEZE));
    run.rounds = PLAN_ROUNDS_MAX;
    assert_int_equal(conclude(STEP_FREEZE, &to), NEXT_UNDO);
    assert_non_null(strstr(run.text, "no fencing proof: 1 of 2 ackers could not be frozen"));
}

/* db2's applier works on, db3 does not even answer. */
static uint32_t drain(void)
{
    fail_over();
    run.r = 0;
    uint32_t row = begun(STEP_DRAIN, 6, 0);
    run.rows[row].unknown = 6;
    run.slow = 2;
    return row;
}

static void who_drains_is_waited_for_and_who_is_silent_is_given_up(void **state)
{
    (void)state;
    uint32_t row = drain(), to = 0;
    for (int look = 0; look < PLAN_LOOKS_MAX; look++) {
        assert_int_equal(run.rows[row].unknown, 6);
        assert_int_equal(conclude(STEP_DRAIN, &to), NEXT_LOOK);
    }
    assert_int_equal(run.rows[row].unknown, 2);
    assert_int_equal(run.rows[row].failed, 4);
    assert_int_equal(conclude(STEP_DRAIN, &to), NEXT_LOOK); /* hours, if it takes them */
    run.rows[row].begun_mono_us = CASE_NOW - plan_row_at(&run, row)->deadline_us;
    assert_int_equal(conclude(STEP_DRAIN, &to), NEXT_UNDO);
    assert_string_equal(run.text, "no server could execute all it received");
}

static void a_drain_that_proves_nothing_more_is_not_waited_for(void **state)
{
    (void)state;
    for (int slow = 0; slow < 2; slow++) {
        uint32_t row = drain(), to = 0;
        run.a = 14; /* a third acker is gone for good: revocation stays incomplete */
        run.r = 2;
        run.rows[row].done = 2;
        run.rows[row].unknown = 4;
        run.slow = slow != 0 ? 4 : 0;
        assert_int_equal(conclude(STEP_DRAIN, &to), NEXT_ROW);
    }
}

/* After a total outage the old primary alone may be left to choose. */
static void a_recovery_goes_on_with_the_closed_primary_alone(void **state)
{
    (void)state;
    for (int fenced = 0; fenced < 2; fenced++) {
        uint32_t to = 0;
        fail_over();
        run.kind = PLAN_RECOVER;
        run.f = run.r = 0;
        run.fenced = fenced != 0;
        begun(STEP_DRAIN, 6, 0);
        run.rows[plan_row_of(run.kind, STEP_DRAIN)].failed = 6;
        assert_int_equal(conclude(STEP_DRAIN, &to), fenced != 0 ? NEXT_ROW : NEXT_UNDO);
    }
}

/* Fenced at CASE_NOW - 30, and read to be open afterwards. */
static void fence_then_open(void)
{
    fail_over();
    run.fenced = true;
    gtid_set_copy(&run.fenced_executed, &run.executed[1]);
    run.rows[plan_row_of(run.kind, STEP_FENCE)].ended_mono_us = CASE_NOW - 30;
    c.view.nodes[0].facts.read_only = TRI_NO;
    c.view.nodes[0].facts_begun_mono_us = CASE_NOW;
    plan_compute(&run, &c.view, plan_row_of(run.kind, STEP_CERTIFY), CASE_NOW);
}

static void a_fence_that_was_lifted_proves_nothing(void **state)
{
    (void)state;
    uint32_t to = 0;
    fence_then_open();
    assert_int_equal(conclude(STEP_CERTIFY, &to), NEXT_GOTO);
    assert_int_equal(to, plan_row_of(run.kind, STEP_ROUTE_CLOSE));
    assert_false(run.fenced);
    assert_false(run.lossless_stood);
    fence_then_open();
    run.rounds = PLAN_ROUNDS_MAX;
    assert_int_equal(conclude(STEP_CERTIFY, &to), NEXT_UNDO);
}

static void a_fence_stands_while_nothing_newer_says_otherwise(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        uint32_t to = 0;
        fence_then_open();
        struct node_view *old = &c.view.nodes[0];
        if (i == 0)
            old->groups_known = 0; /* restarted, and not read since */
        else if (i == 1)
            old->facts_begun_mono_us = CASE_NOW - 40; /* of before the fence */
        else if (i == 2)
            run.rows[plan_row_of(run.kind, STEP_FENCE)].ended_mono_us = STAY_NEVER;
        else
            run.old_primary = NO_NODE; /* it left the configuration */
        assert_int_equal(conclude(STEP_CERTIFY, &to), NEXT_ROW);
        assert_true(run.fenced);
        old->groups_known = FACTS_STATUS | FACTS_SLOW;
    }
}

static void a_certificate_that_is_not_accepted_needs_a_humans_word(void **state)
{
    (void)state;
    uint32_t to = 0;
    fail_over();
    run.r = 0;
    run.lossless_stood = false;
    plan_compute(&run, &c.view, plan_row_of(run.kind, STEP_CERTIFY), CASE_NOW);
    assert_int_equal(conclude(STEP_CERTIFY, &to), NEXT_UNDO);
    assert_non_null(strstr(run.text, "is not accepted: "));
    run.params.accept_loss = true;
    assert_int_equal(conclude(STEP_CERTIFY, &to), NEXT_ROW);
}

static void a_freeze_that_is_lost_at_the_end_is_taken_again(void **state)
{
    (void)state;
    uint32_t to = 0;
    fail_over();
    uint32_t row = begun(STEP_VERIFY_FREEZE, 6, 2);
    run.rows[row].looks = PLAN_LOOKS_MAX - 1;
    assert_int_equal(conclude(STEP_VERIFY_FREEZE, &to), NEXT_LOOK);
    run.able = 4; /* as the answer of one whose receiver runs again says */
    run.rows[row].failed = 4;
    assert_int_equal(conclude(STEP_VERIFY_FREEZE, &to), NEXT_GOTO);
    assert_int_equal(to, plan_row_of(run.kind, STEP_FREEZE));
    assert_int_equal(run.f, 2);
    run.rounds = PLAN_ROUNDS_MAX;
    assert_int_equal(conclude(STEP_VERIFY_FREEZE, &to), NEXT_UNDO);
    assert_string_equal(run.text, "verify freeze no longer holds on db3");
    run.past_no_return = true;
    assert_int_equal(conclude(STEP_VERIFY_FREEZE, &to), NEXT_ASK);
}

/* A candidate that lost its own freeze is not what was judged, whoever proves what. */
static void a_candidate_that_restarted_is_not_opened(void **state)
{
    (void)state;
    for (int fenced = 0; fenced < 2; fenced++) {
        uint32_t to = 0;
        fail_over();
        run.fenced = fenced != 0;
        run.rows[begun(STEP_VERIFY_FREEZE, 6, 4)].failed = 2;
        assert_int_equal(conclude(STEP_VERIFY_FREEZE, &to), NEXT_GOTO);
        assert_int_equal(to, plan_row_of(run.kind, STEP_FREEZE));
    }
}

/* An acker of A that is not in F any more: too many could acknowledge again. */
static void nothing_is_opened_while_too_few_are_frozen(void **state)
{
    (void)state;
    uint32_t to = 0;
    fail_over();
    run.f = 0;
    begun(STEP_VERIFY_FREEZE, 0, 0);
    assert_int_equal(conclude(STEP_VERIFY_FREEZE, &to), NEXT_GOTO);
    run.params.accept_loss = true;
    assert_int_equal(conclude(STEP_VERIFY_FREEZE, &to), NEXT_ROW);
}

/* A human goes on whatever it says, and what is recorded is true all the same. */
static void what_a_human_accepted_is_certified_anew(void **state)
{
    (void)state;
    enum { STANDS, FELL, LOST_ONE };
    for (int what = STANDS; what <= LOST_ONE; what++) {
        uint32_t to = 0;
        fail_over();
        run.params.accept_loss = true;
        run.certificate = (struct certificate){.kind = CERT_LOSSLESS, .reason = "as it was"};
        run.lossless_stood = what != FELL;
        run.rows[begun(STEP_VERIFY_FREEZE, 6, what == LOST_ONE ? 2 : 6)].failed = 4;
        assert_int_equal(conclude(STEP_VERIFY_FREEZE, &to), NEXT_ROW);
        assert_int_equal(strcmp(run.certificate.reason, "as it was") == 0, what == STANDS);
    }
}

/* Only a LOSSLESS one can be taken back by a promise that broke: a bounded one never built on it.
 */
static void a_bounded_certificate_does_not_go_stale(void **state)
{
    (void)state;
    static const enum certificate_kind kinds[] = {CERT_LOSSLESS, CERT_BOUNDED};
    for (size_t i = 0; i < STAY_COUNT(kinds); i++) {
        uint32_t to = 0;
        fail_over();
        begun(STEP_VERIFY_FREEZE, 6, 6);
        run.certificate = (struct certificate){.kind = kinds[i]};
        run.lossless_stood = false;
        assert_int_equal(conclude(STEP_VERIFY_FREEZE, &to), i == 0 ? NEXT_UNDO : NEXT_ROW);
    }
}

/* The store was slow: all of it is looked at once more before the promotion is sent. */
static void the_promotion_is_confirmed_by_what_was_seen_meanwhile(void **state)
{
    (void)state;
    enum {
        NOTHING,
        PROOF_GONE,
        ABLE,
        BROKEN,
        OPENED,
        OPEN_LIFTED,
        OPEN_UNPROVEN,
        OPEN_ABLE,
        OPEN_FENCED,
        OPEN_ACCEPTED,
        MAYBE_OPEN,
        FENCED,
        ACCEPTED
    };
    static const enum plan_next next[] = {NEXT_ROW, NEXT_UNDO, NEXT_GOTO, NEXT_UNDO, NEXT_GOTO,
                                          NEXT_ASK, NEXT_ASK,  NEXT_ASK,  NEXT_ROW,  NEXT_ROW,
                                          NEXT_ROW, NEXT_ROW,  NEXT_ROW};
    for (int what = NOTHING; what <= ACCEPTED; what++) {
        uint32_t to = 0, row = plan_row_of(PLAN_FAILOVER, STEP_WRITABLE);
        fail_over();
        if (what == OPENED || what == OPEN_LIFTED)
            fence_then_open();
        run.certificate = (struct certificate){.kind = CERT_LOSSLESS};
        run.past_no_return = true;
        if (what == PROOF_GONE || what == OPEN_UNPROVEN || what == OPEN_FENCED || what == FENCED)
            run.f = 0;
        if (what == ABLE || what == OPEN_ABLE) {
            run.a = run.f = 2;
            run.able = 4;
        }
        if (what == BROKEN || what == ACCEPTED || what == OPEN_ACCEPTED)
            run.lossless_stood = false;
        run.params.accept_loss = what == ACCEPTED || what == OPEN_ACCEPTED; /* a human saw it */
        run.maybe_open = what >= OPEN_LIFTED && what <= MAYBE_OPEN;
        run.fenced = run.fenced || what == FENCED || what == OPEN_FENCED;
        assert_int_equal(plan_confirm(&run, &c.view, row, CASE_NOW, &to), next[what]);
        assert_int_equal(run.past_no_return, next[what] == NEXT_ROW || next[what] == NEXT_ASK);
    }
}

static void a_promotion_that_was_refused_is_verified_again_and_then_given_up(void **state)
{
    (void)state;
    uint32_t to = 0;
    fail_over();
    uint32_t row = begun(STEP_WRITABLE, 2, 0);
    for (int i = 0; i < PLAN_REPEATS_MAX; i++) {
        run.rows[row].failed = 2;
        assert_int_equal(conclude(STEP_WRITABLE, &to), NEXT_GOTO);
        assert_int_equal(to, plan_row_of(run.kind, STEP_VERIFY_FREEZE) - 1);
    }
    assert_int_equal(conclude(STEP_WRITABLE, &to), NEXT_GOTO); /* another candidate */
    assert_int_equal(to, plan_row_of(run.kind, STEP_FREEZE));
    assert_int_equal(run.struck, 2);
}

/* It was unknown once: seen read-only later does not prove that it never took a write. */
static void one_that_may_have_been_open_is_never_given_up(void **state)
{
    (void)state;
    uint32_t to = 0;
    fail_over();
    uint32_t row = begun(STEP_WRITABLE, 2, 0);
    run.rows[row].unknown = 2;
    run.rows[row].looks = PLAN_LOOKS_MAX;
    assert_int_equal(conclude(STEP_WRITABLE, &to), NEXT_ASK);
    run.rows[row].unknown = 0;
    run.rows[row].failed = 2;
    assert_int_equal(conclude(STEP_WRITABLE, &to), NEXT_ASK);
    assert_true(run.past_no_return);
    assert_int_equal(run.struck, 0);
}

static void a_returner_is_kept_only_where_it_is_whole_and_nobody_decided_otherwise(void **state)
{
    (void)state;
    enum { HOLDS_MORE, WAS_CLOSED, ACCEPTED, RESTARTED, HOLDS_NO_MORE };
    for (int what = HOLDS_MORE; what <= HOLDS_NO_MORE; what++) {
        fail_over();
        run.fenced = run.was_open = true;
        case_gtids(&c, what == HOLDS_NO_MORE ? "0-1-100" : "0-1-101", &run.fenced_executed);
        run.was_open = what != WAS_CLOSED;
        run.params.accept_loss = what == ACCEPTED;
        run.restarted = what == RESTARTED ? 1 : 0;
        uint32_t row = plan_row_of(run.kind, STEP_VERIFY_FREEZE) - 1;
        assert_int_equal(plan_returner_holds_more(&run, row), what == HOLDS_MORE);
    }
}

/* A human did without it, and then it came: whoever was named is started all the same. */
static void a_recovery_whose_primary_came_late_is_ordered_again(void **state)
{
    (void)state;
    enum { HOLDS_MORE, NOT_FENCED, NAMED, HOLDS_NO_MORE };
    for (int what = HOLDS_MORE; what <= HOLDS_NO_MORE; what++) {
        uint32_t to = 0;
        fail_over();
        run.kind = PLAN_RECOVER;
        run.fenced = what != NOT_FENCED;
        run.params.node = what == NAMED ? 1 : NO_NODE;
        case_gtids(&c, what == HOLDS_NO_MORE ? "0-1-100" : "0-1-101", &run.fenced_executed);
        uint32_t row = plan_row_of(run.kind, STEP_VERIFY_FREEZE) - 1;
        plan_begin_row(&run, row, 1, CASE_NOW);
        run.rows[row].done = 1;
        assert_int_equal(plan_conclude(&run, &c.view, row, CASE_NOW, &to),
                         what == HOLDS_MORE ? NEXT_UNDO : NEXT_ROW);
        if (what == HOLDS_MORE)
            assert_string_equal(run.text, "db1 came back and holds transactions db2 lacks: order "
                                          "it again, with all that is there");
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(who_can_acknowledge_by_now_is_frozen_first),
        T(who_came_up_during_the_freeze_is_frozen_in_another_round),
        T(who_drains_is_waited_for_and_who_is_silent_is_given_up),
        T(a_drain_that_proves_nothing_more_is_not_waited_for),
        T(a_recovery_goes_on_with_the_closed_primary_alone),
        T(a_fence_that_was_lifted_proves_nothing),
        T(a_fence_stands_while_nothing_newer_says_otherwise),
        T(a_certificate_that_is_not_accepted_needs_a_humans_word),
        T(a_freeze_that_is_lost_at_the_end_is_taken_again),
        T(a_candidate_that_restarted_is_not_opened),
        T(nothing_is_opened_while_too_few_are_frozen),
        T(what_a_human_accepted_is_certified_anew),
        T(a_bounded_certificate_does_not_go_stale),
        T(the_promotion_is_confirmed_by_what_was_seen_meanwhile),
        T(a_promotion_that_was_refused_is_verified_again_and_then_given_up),
        T(one_that_may_have_been_open_is_never_given_up),
        T(a_returner_is_kept_only_where_it_is_whole_and_nobody_decided_otherwise),
        T(a_recovery_whose_primary_came_late_is_ordered_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
