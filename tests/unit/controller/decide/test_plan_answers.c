/* tests/unit/controller/decide/test_plan_answers.c - what each answer of a failover's rows changes:
 * who is frozen, drained, closed, and who restarted meanwhile. */
#include "tests/unit/controller/decide/plan_world.h"

static struct server_facts facts;

/* db3 answers row `step` well, or not with `outcome`; NULL: nothing was read of it. */
static void answer(enum step_kind step, enum outcome outcome, const struct server_facts *read)
{
    struct effect_result result = {
        .outcome = outcome, .groups_read = read != NULL, .facts = read, .kept_acked = true};
    uint32_t row = begun(step, 4, 0);
    plan_absorb(&run, &c.view, row, 2, &result, CASE_NOW);
}

/* As db3 was frozen, drained and read. */
static void facts_as_judged(void)
{
    server_facts_clear(&facts);
    facts = (struct server_facts){.uptime_s = 5000, .applier = TRI_YES};
    facts.receiver = RECEIVER_STOPPED;
    case_gtids(&c, "0-1-100", &facts.executed);
    case_gtids(&c, "0-1-100", &facts.received);
}

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

static int end(void **state)
{
    server_facts_clear(&facts);
    return teardown(state);
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
        T(who_may_have_thrown_its_relay_log_away_proves_nothing),
        T(a_drain_that_was_asked_and_failed_is_not_asked_again),
        T(a_drain_without_progress_ends),
        T(a_drain_is_over_when_all_that_was_ever_received_is_executed),
        T(a_drain_that_did_not_end_proves_nothing),
        T(only_the_old_primarys_fence_may_have_killed_its_clients),
        T(a_relay_log_tells_only_what_it_still_holds),
        T(a_freeze_tells_a_restart_by_whatever_was_read_before),
        T(only_a_source_that_is_known_ends_a_connection_first),
        T(a_freeze_holds_or_its_server_is_judged_anew),
        T(what_came_from_the_candidate_is_no_more_than_was_judged),
        T(an_undo_that_failed_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
