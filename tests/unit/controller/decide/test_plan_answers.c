/* tests/unit/controller/decide/test_plan_answers.c - what each answer of a row changes: who is
 * closed, who restarted, who is no candidate any more. */
#include "plan_answer.h"

static void an_answer_without_facts_proves_nothing(void **state)
{
    (void)state;
    fail_over();
    run.f = run.r = run.collected = 2;
    answer(STEP_DRAIN, OUTCOME_DONE, NULL);
    answer(STEP_COLLECT, OUTCOME_DONE, NULL);
    assert_int_equal(run.r, 2);
    assert_int_equal(run.collected, 2);
    answer(STEP_FENCE, OUTCOME_DONE, NULL);
    assert_false(run.fenced);
    run.f = run.r = 6;
    answer(STEP_DETACH, OUTCOME_DONE, NULL); /* forgot its source: verified by the step itself */
    assert_int_equal(run.r, 6);
    assert_int_equal(run.detached, 4);
    answer(STEP_VERIFY_FREEZE, OUTCOME_DONE, NULL);
    assert_int_equal(run.f, 2);
    assert_int_equal(run.restarted, 0);
    run.kind = PLAN_RECOVER;
    run.kept = 6;
    answer(STEP_REPLAY, OUTCOME_DONE, NULL);
    assert_int_equal(run.kept, 2);
}

static void a_switchover_knows_its_candidates_life_by_what_was_read(void **state)
{
    (void)state;
    facts_as_judged();
    facts.uptime_s = 4321;
    start(PLAN_SWITCHOVER, 2);
    answer(STEP_CATCH_UP, OUTCOME_DONE, NULL);
    assert_int_not_equal(run.freeze_uptime_s[2], 4321);
    answer(STEP_CATCH_UP, OUTCOME_DONE, &facts);
    assert_int_equal(run.freeze_uptime_s[2], 4321);
}

/* Once more than our own fence switched it: somebody else did, and commits went without an ack. */
static void semi_sync_that_went_off_before_the_fence_breaks_the_promise(void **state)
{
    (void)state;
    for (uint64_t times = 1; times <= 2; times++) {
        facts_as_judged();
        facts.ss_no_times = times;
        fail_over();
        assert_true(run.lossless_stood);
        struct effect_result result = {
            .outcome = OUTCOME_DONE, .groups_read = true, .facts = &facts};
        uint32_t row = begun(STEP_FENCE, 1, 0);
        plan_absorb(&run, &c.view, row, 0, &result, CASE_NOW);
        assert_true(run.fenced);
        assert_int_equal(run.lossless_stood, times == 1);
    }
}

static void who_restarted_before_it_forgot_its_source_is_out(void **state)
{
    (void)state;
    enum { SAME, YOUNGER, LOST_SOME, KNOWN_TO_HAVE, NEVER_FROZEN };
    for (int what = SAME; what <= NEVER_FROZEN; what++) {
        facts_as_judged();
        fail_over();
        if (what == YOUNGER)
            facts.uptime_s = 1;
        if (what == LOST_SOME) /* too young for whole seconds to tell */
            case_gtids(&c, "0-1-99", &facts.executed);
        if (what == KNOWN_TO_HAVE || what == NEVER_FROZEN)
            run.f = run.r = 2;
        run.restarted = what == KNOWN_TO_HAVE ? 4 : 0;
        answer(STEP_DETACH, OUTCOME_DONE, &facts);
        bool is_out = what == YOUNGER || what == LOST_SOME || what == KNOWN_TO_HAVE;
        assert_int_equal(run.restarted, is_out ? 4 : 0);
        assert_int_equal(run.rows[plan_row_of(run.kind, STEP_DETACH)].failed, is_out ? 4 : 0);
        assert_int_equal(run.r & 4, what == SAME ? 4 : 0);
    }
}

static void a_rewound_server_is_compared_once_more(void **state)
{
    (void)state;
    c.view.record.quarantine[2] = QUARANTINE_DIVERGED;
    start(PLAN_REWIND, 2);
    run.diverged = true;
    struct effect_result result = {.outcome = OUTCOME_DONE, .text = "4 transactions undone"};
    uint32_t row = begun(STEP_REWIND, 4, 0);
    plan_absorb(&run, &c.view, row, 2, &result, CASE_NOW);
    assert_false(run.diverged);
    assert_string_equal(run.text, "4 transactions undone");
}

/* A returner that works on is waited for; one whose applier stands or broke is not. */
static void a_returner_catches_up_later_only_while_it_applies(void **state)
{
    (void)state;
    enum { APPLIES, STANDS, BROKE, UNREAD };
    for (int what = APPLIES; what <= UNREAD; what++) {
        facts_as_judged();
        start(PLAN_REJOIN, 2);
        facts.applier = what == STANDS ? TRI_NO : TRI_YES;
        facts.applier_errno = what == BROKE ? 1062 : 0;
        answer(STEP_CATCH_UP, OUTCOME_NOT_DONE, what == UNREAD ? NULL : &facts);
        const struct row_run *row = &run.rows[plan_row_of(run.kind, STEP_CATCH_UP)];
        assert_int_equal(row->unknown, what == APPLIES ? 4 : 0);
        assert_int_equal(row->failed, what == APPLIES ? 0 : 4);
    }
}

static void a_top_up_stalls_when_a_slice_brings_nothing(void **state)
{
    (void)state;
    fail_over();
    facts_as_judged();
    for (int i = 0; i < 4; i++) {
        case_gtids(&c, i == 3 ? "0-1-110" : "0-1-100", &facts.executed);
        answer(STEP_TOP_UP, i == 1 ? OUTCOME_UNKNOWN : OUTCOME_NOT_DONE, &facts);
        assert_int_equal(run.stalls[2], i == 3 ? 0 : 1); /* a new top-up begins at nought */
        run.stalls[2] = 0;
    }
}

/* Seed 400028835: its peer cannot have given it rows of its own making. They stay unread, whichever
 * slice showed them, and nobody is promoted with them but by a human who accepts loss. */
static void a_candidate_written_to_while_it_is_topped_up_is_not_promoted(void **state)
{
    (void)state;
    static const enum outcome outcomes[] = {OUTCOME_DONE, OUTCOME_NOT_DONE, OUTCOME_UNKNOWN};
    for (size_t i = 0; i < 2 * STAY_COUNT(outcomes); i++) {
        uint32_t to = 0;
        fail_over();
        facts_as_judged();
        run.params.accept_loss = i >= STAY_COUNT(outcomes);
        run.collected = 6;
        run.candidate = 2;
        run.errant = 0;
        case_gtids(&c, "0-1-120", &run.executed[1]);
        case_gtids(&c, "0-1-100", &run.executed[2]);
        case_gtids(&c, "0-1-120,0-3-121", &facts.executed);
        answer(STEP_TOP_UP, outcomes[i % STAY_COUNT(outcomes)], &facts);
        assert_int_equal(run.errant, run.params.accept_loss ? 0 : 4);
        assert_true(gtid_set_equal(&run.executed[2], &run.executed[1]));
        run.state = RUN_FORWARD;
        if (!run.params.accept_loss)
            assert_int_equal(conclude(STEP_TOP_UP, &to), NEXT_UNDO);
    }
}

/* The fence of another server than the primary says nothing of what clients were told. */
static void only_the_old_primarys_fence_may_have_killed_its_clients(void **state)
{
    (void)state;
    for (int own = 0; own < 2; own++) {
        facts_as_judged();
        facts.read_only = TRI_NO;
        start(PLAN_FENCE, own != 0 ? 0 : 2);
        struct effect_result looked = {.outcome = OUTCOME_NOT_DONE,
                                       .ended_sessions = true,
                                       .groups_read = true,
                                       .facts = &facts};
        uint32_t node = own != 0 ? 0 : 2, row = begun(STEP_FENCE, NODE_BIT(node), 0);
        plan_absorb(&run, &c.view, row, node, &looked, CASE_NOW);
        assert_int_equal(run.rows[row].failed, NODE_BIT(node));
        assert_int_equal(run.fence_unheard, own != 0);
    }
}

static void only_a_source_that_is_known_ends_a_connection_first(void **state)
{
    (void)state;
    for (int known = 0; known < 2; known++) {
        facts_as_judged();
        fail_over();
        run.old_primary = known != 0 ? 0 : NO_NODE;
        run.lost_first = 0;
        struct effect_result result = {.outcome = OUTCOME_DONE,
                                       .groups_read = true,
                                       .facts = &facts,
                                       .receiver_before = BEFORE_LOST};
        uint32_t row = begun(STEP_FREEZE, 4, 0);
        plan_absorb(&run, &c.view, row, 2, &result, CASE_NOW);
        assert_int_equal(run.lost_first, known != 0 ? 4 : 0);
    }
}

/* It opened already: what came from the candidate itself is nothing taken from the old primary. */
static void what_came_from_the_candidate_is_no_more_than_was_judged(void **state)
{
    (void)state;
    for (int opened = 0; opened < 2; opened++) {
        facts_as_judged();
        fail_over();
        case_gtids(&c, opened != 0 ? "0-1-100,0-2-101" : "0-1-100,0-3-101", &facts.executed);
        answer(STEP_VERIFY_FREEZE, OUTCOME_DONE, &facts);
        assert_int_equal(run.f, opened != 0 ? 6 : 2);
    }
}

static void an_undo_that_failed_is_said(void **state)
{
    (void)state;
    static const struct {
        enum step_kind step;
        enum outcome outcome;
        const char *text;
    } rows[] = {{STEP_FREEZE, OUTCOME_DONE, ""},
                {STEP_FREEZE, OUTCOME_NOT_DONE, "undo on db3 failed: no answer"},
                {STEP_FREEZE, OUTCOME_UNKNOWN, "undo on db3 unknown: no answer"},
                {STEP_ROUTE_CLOSE, OUTCOME_NOT_DONE, "undo failed: no answer"}};
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        fail_over();
        uint32_t row = begun(rows[i].step, 4, 0);
        run.rows[row].unknown = 4;
        struct effect_result result = {.outcome = rows[i].outcome, .text = "no answer"};
        plan_absorb_undo(&run, &c.view, row, 2, &result);
        assert_string_equal(run.rows[row].text, rows[i].text);
        assert_int_equal(run.rows[row].unknown, rows[i].outcome == OUTCOME_DONE ? 0 : 4);
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, end)
    const struct CMUnitTest tests[] = {
        T(an_answer_without_facts_proves_nothing),
        T(a_switchover_knows_its_candidates_life_by_what_was_read),
        T(semi_sync_that_went_off_before_the_fence_breaks_the_promise),
        T(who_restarted_before_it_forgot_its_source_is_out),
        T(a_rewound_server_is_compared_once_more),
        T(a_returner_catches_up_later_only_while_it_applies),
        T(a_top_up_stalls_when_a_slice_brings_nothing),
        T(a_candidate_written_to_while_it_is_topped_up_is_not_promoted),
        T(only_the_old_primarys_fence_may_have_killed_its_clients),
        T(only_a_source_that_is_known_ends_a_connection_first),
        T(what_came_from_the_candidate_is_no_more_than_was_judged),
        T(an_undo_that_failed_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
