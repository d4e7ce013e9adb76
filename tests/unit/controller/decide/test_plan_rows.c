/* tests/unit/controller/decide/test_plan_rows.c - where rows without rules of their own lead when
 * not all of their targets were done, and what a compared node's sets say. */
#include "tests/unit/controller/decide/plan_world.h"

#include "controller/decide/plan_conclude_private.h"

/* All that were asked did it, and they are too few: nobody is named. */
static void a_barrier_of_too_few_names_nobody(void **state)
{
    (void)state;
    uint32_t to = 0;
    start(PLAN_MODE_RESTORE, NO_NODE);
    c.config.acks = 2;
    begun(STEP_BARRIER, 2, 2);
    run.rows[plan_row_of(run.kind, STEP_BARRIER)].looks = PLAN_LOOKS_MAX;
    assert_int_equal(conclude(STEP_BARRIER, &to), NEXT_UNDO);
    assert_string_equal(run.text, "barrier is unknown on -");
}

static void candidates_are_tried_for_so_many_rounds(void **state)
{
    (void)state;
    for (uint32_t rounds = 0; rounds <= PLAN_ROUNDS_MAX; rounds++) {
        uint32_t to = 0;
        fail_over();
        run.rounds = rounds;
        uint32_t row = begun(STEP_DETACH, 2, 0);
        run.rows[row].failed = 2;
        run.rows[row].looks = PLAN_REPEATS_MAX;
        assert_int_equal(conclude(STEP_DETACH, &to),
                         rounds < PLAN_ROUNDS_MAX ? NEXT_GOTO : NEXT_UNDO);
        assert_int_equal(run.struck, 2);
        assert_int_equal(run.collected, 4);
    }
}

/* A process that took it up: the candidate may be open, so no other is chosen. */
static void no_candidate_is_given_up_past_the_point_of_no_return(void **state)
{
    (void)state;
    uint32_t to = 0;
    fail_over();
    run.past_no_return = true;
    uint32_t row = begun(STEP_DETACH, 2, 0);
    run.rows[row].failed = 2;
    run.rows[row].looks = PLAN_REPEATS_MAX;
    assert_int_equal(conclude(STEP_DETACH, &to), NEXT_ASK);
    assert_int_equal(run.struck, 0);
}

/* Clients wait, so nothing is tried twice; once the new primary is open there is time again. */
static void a_switchover_repeats_nothing_while_clients_wait(void **state)
{
    (void)state;
    for (int past = 0; past < 2; past++) {
        uint32_t to = 0;
        start(PLAN_SWITCHOVER, 1);
        run.candidate = 1;
        enum step_kind step = past ? STEP_COMMIT : STEP_DETACH;
        uint32_t row = begun(step, past ? 1 : 2, 0);
        run.past_no_return = past != 0;
        run.rows[row].failed = run.rows[row].targets;
        assert_int_equal(conclude(step, &to), past ? NEXT_LOOK : NEXT_UNDO);
    }
}

static void rows_are_put_back_once(void **state)
{
    (void)state;
    uint32_t to = 0;
    c.view.record.quarantine[1] = QUARANTINE_DIVERGED;
    start(PLAN_REWIND, 1);
    run.rows[begun(STEP_REWIND, 2, 0)].failed = 2;
    assert_int_equal(conclude(STEP_REWIND, &to), NEXT_UNDO);
    assert_string_equal(run.text, "rewind failed on db2");
}

/* Its extra set is empty: by numbers given twice, or because its receiver skipped its own. */
static void what_no_set_shows_is_not_put_back(void **state)
{
    (void)state;
    static const struct {
        const char *node;
        bool skipped;
        enum plan_next next;
    } rows[] = {{"0-1-100,0-2-101", false, NEXT_ROW},
                {"0-1-100", false, NEXT_ROW},
                {"0-1-100", true, NEXT_UNDO}};
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        uint32_t to = 0;
        c.view.record.quarantine[1] = QUARANTINE_DIVERGED;
        start(PLAN_REWIND, 1);
        run.collected = 3;
        case_gtids(&c, rows[i].node, &run.executed[1]);
        case_gtids(&c, "0-1-100", &run.executed[0]);
        run.params.automatic = c.view.nodes[1].skipped = rows[i].skipped;
        begun(STEP_COLLECT, 1, 1);
        assert_int_equal(conclude(STEP_COLLECT, &to), rows[i].next);
    }
}

/* db2 lacks what db3 drained; where its top-up leads. */
static uint32_t top_up(uint32_t done)
{
    fail_over();
    case_gtids(&c, "0-1-90", &run.executed[1]);
    run.freeze_mono_us[2] = CASE_NOW - STAY_SECOND;
    return begun(STEP_TOP_UP, 2, done);
}

static void a_top_up_ends_by_what_its_peer_has_left_to_give(void **state)
{
    (void)state;
    enum { GOES_ON, STALLED, DONE_AND_MORE, DONE_TOO_OFTEN, NOTHING_LEFT };
    static const enum plan_next next[] = {NEXT_LOOK, NEXT_GOTO, NEXT_GOTO, NEXT_UNDO, NEXT_ROW};
    for (int what = GOES_ON; what <= NOTHING_LEFT; what++) {
        uint32_t to = 0, row = top_up(what >= DONE_AND_MORE ? 2 : 0);
        run.stalls[1] = what == STALLED ? PLAN_TOP_UP_STALLS_MAX : 0;
        run.rounds = what == DONE_TOO_OFTEN ? PLAN_ROUNDS_MAX : 0;
        if (what == NOTHING_LEFT)
            gtid_set_copy(&run.executed[1], &run.executed[2]);
        assert_int_equal(conclude(STEP_TOP_UP, &to), next[what]);
        if (next[what] == NEXT_GOTO)
            assert_int_equal(to, what == STALLED ? plan_row_of(run.kind, STEP_FREEZE) : row);
        assert_int_equal(run.struck, what == STALLED ? 2 : 0);
    }
}

/* Only another process, by a word of after its freeze, has lost its tail. */
static void a_peer_is_given_up_only_when_it_was_seen_to_restart(void **state)
{
    (void)state;
    enum { RESTARTED, SAME_PROCESS, OLDER_WORD, UNREAD, TOO_OFTEN };
    for (int what = RESTARTED; what <= TOO_OFTEN; what++) {
        uint32_t to = 0;
        struct node_view *peer = &c.view.nodes[2];
        top_up(0);
        peer->facts.uptime_s = what == SAME_PROCESS ? 5001 : 1;
        if (what == OLDER_WORD)
            run.freeze_mono_us[2] = peer->facts_begun_mono_us;
        peer->groups_known = what == UNREAD ? 0 : FACTS_STATUS | FACTS_SLOW;
        run.rounds = what == TOO_OFTEN ? PLAN_ROUNDS_MAX : 0;
        assert_int_equal(conclude(STEP_TOP_UP, &to), what == RESTARTED ? NEXT_GOTO : NEXT_LOOK);
        assert_int_equal(run.restarted, what == RESTARTED ? 4 : 0);
    }
}

static enum plan_next compare(const char *node, const char *primary)
{
    start(PLAN_REJOIN, 1);
    run.collected = 3;
    case_gtids(&c, node, &run.executed[1]);
    case_gtids(&c, primary, &run.executed[0]);
    return plan_conclude_compare(&run, &c.view);
}

/* db3 was the primary before, and db1 held 50 of its transactions when it was promoted. */
static void what_an_earlier_primary_wrote_and_the_primary_lost_is_no_divergence(void **state)
{
    (void)state;
    c.view.record.written_known = 4;
    c.view.record.written[2] = 50;
    assert_int_equal(compare("0-1-100,0-3-50", "0-1-100,0-3-45"), NEXT_UNDO);
    assert_non_null(strstr(run.text, "the primary wrote and lost: fail over to it"));
    assert_int_equal(compare("0-1-100,0-3-51", "0-1-100,0-3-50"), NEXT_ROW); /* never held */
    assert_true(run.diverged);
}

/* db2 held up to 0-1-110 while db1's present process had sent nothing; db1's log begins at 100. */
static void numbers_given_twice_are_told_by_where_the_log_began(void **state)
{
    (void)state;
    enum { NOT_READ, GIVEN_TWICE, RESEEDED, MORE_BESIDES, NOT_READ_RESEEDED };
    for (int what = NOT_READ; what <= NOT_READ_RESEEDED; what++) {
        bool is_read = what != NOT_READ && what != NOT_READ_RESEEDED;
        struct node_view *primary = &c.view.nodes[0];
        case_gtids(&c, "0-1-110", &c.view.nodes[1].before);
        case_gtids(&c, "0-1-100", &primary->facts.log_began);
        c.view.regiven_since_wall_us = c.view.record.primary_since_wall_us;
        primary->groups_known = is_read ? FACTS_STATUS | FACTS_SLOW : FACTS_STATUS;
        start(PLAN_REJOIN, 1);
        run.collected = 3;
        case_gtids(&c, what == MORE_BESIDES ? "0-1-110,0-2-111" : "0-1-110", &run.executed[1]);
        case_gtids(&c, "0-1-120", &run.executed[0]);
        run.params.accept_loss = what == RESEEDED || what == NOT_READ_RESEEDED;
        assert_int_equal(plan_conclude_compare(&run, &c.view),
                         what == NOT_READ ? NEXT_UNDO : NEXT_ROW);
        assert_int_equal(run.diverged, what == GIVEN_TWICE || what == MORE_BESIDES);
        if (what == NOT_READ)
            assert_non_null(strstr(run.text, "is not read yet"));
        if (what == GIVEN_TWICE)
            assert_non_null(strstr(run.text, "whose numbers it passed since"));
    }
}

static void what_was_written_by_hand_unseen_is_set_aside(void **state)
{
    (void)state;
    c.view.nodes[1].by_hand = true;
    assert_int_equal(compare("0-1-100", "0-1-100"), NEXT_ROW);
    assert_true(run.diverged);
    assert_non_null(strstr(run.text, "written to by hand"));
    assert_int_equal(compare("0-1-100,0-2-101", "0-1-100"), NEXT_ROW);
    assert_non_null(strstr(run.text, "holds transactions the primary lacks: 0-2-101"));
    run.params.accept_loss = true;
    run.kind = PLAN_REPOINT; /* the word of a human is for a rejoin */
    case_gtids(&c, "0-1-100", &run.executed[1]);
    assert_int_equal(plan_conclude_compare(&run, &c.view), NEXT_ROW);
    assert_true(run.diverged);
}

static void a_returner_that_is_behind_is_told_by_its_engine(void **state)
{
    (void)state;
    static const struct {
        const char *engine, *primary, *node, *text;
    } rows[] = {
        {"mariadb", "0-1-100", "0-1-90", "db2 follows; when last read it still missed 0-1-91..100"},
        {"mysql", "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-100",
         "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-90",
         "db2 follows; when last read it still missed 10 transactions"}};
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        uint32_t to = 0;
        c.config.engine = strcmp(rows[i].engine, "mysql") == 0 ? ENGINE_MYSQL : ENGINE_MARIADB;
        start(PLAN_REJOIN, 1);
        gtid_set_clear(&run.executed[0]);
        gtid_set_clear(&run.executed[1]);
        case_gtids(&c, rows[i].primary, &run.executed[0]);
        case_gtids(&c, rows[i].node, &run.executed[1]);
        begun(STEP_CATCH_UP, 2, 0);
        assert_int_equal(conclude(STEP_CATCH_UP, &to), NEXT_ROW);
        assert_string_equal(run.text, rows[i].text);
    }
}

static void a_rewound_server_that_does_not_answer_does_not_follow(void **state)
{
    (void)state;
    uint32_t to = 0;
    c.view.record.quarantine[1] = QUARANTINE_DIVERGED;
    start(PLAN_REWIND, 1);
    begun(STEP_CATCH_UP, 2, 0);
    c.view.nodes[1].query_ok_mono_us = STAY_NEVER;
    assert_int_equal(conclude(STEP_CATCH_UP, &to), NEXT_UNDO);
    assert_string_equal(run.text, "db2 was attached but does not follow: it does not answer");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_barrier_of_too_few_names_nobody),
        T(candidates_are_tried_for_so_many_rounds),
        T(no_candidate_is_given_up_past_the_point_of_no_return),
        T(a_switchover_repeats_nothing_while_clients_wait),
        T(rows_are_put_back_once),
        T(what_no_set_shows_is_not_put_back),
        T(a_top_up_ends_by_what_its_peer_has_left_to_give),
        T(a_peer_is_given_up_only_when_it_was_seen_to_restart),
        T(what_an_earlier_primary_wrote_and_the_primary_lost_is_no_divergence),
        T(numbers_given_twice_are_told_by_where_the_log_began),
        T(what_was_written_by_hand_unseen_is_set_aside),
        T(a_returner_that_is_behind_is_told_by_its_engine),
        T(a_rewound_server_that_does_not_answer_does_not_follow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
