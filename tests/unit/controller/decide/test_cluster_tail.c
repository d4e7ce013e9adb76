/* tests/unit/controller/decide/test_cluster_tail.c - who wrote what of what a server holds: numbers
 * given twice, what was written by hand, what a receiver skipped. */
#include "cluster_world.h"

#include "controller/decide/cluster_regiven.h"
#include "controller/decide/decide_private.h"
#include "controller/decide/cluster_written.h"

static void sets(const char *node, const char *primary)
{
    set_parse(&db(2)->facts.executed, ENGINE_MARIADB, node);
    set_parse(&db(1)->facts.executed, ENGINE_MARIADB, primary);
}

/* db2 held 0-1-110 while the primary's present process had sent nothing; its log begins at 100. */
static enum tri regiven(const char *before, const char *held, const char *primary)
{
    set_parse(&db(2)->before, ENGINE_MARIADB, before);
    set_parse(&db(1)->facts.log_began, ENGINE_MARIADB, "0-1-100");
    w.view.regiven_since_wall_us = w.view.record.primary_since_wall_us;
    sets(held, primary);
    return cluster_holds_regiven(&w.view, 1, &db(2)->facts.executed, &db(1)->facts.executed);
}

static void a_number_is_given_twice_where_both_hold_what_the_log_no_longer_shows(void **state)
{
    (void)state;
    static const struct {
        const char *before, *held, *primary;
        enum tri regiven;
    } rows[] = {
        {"0-1-110", "0-1-110", "0-1-120", TRI_YES},
        {"0-1-110", "0-1-105", "0-1-120", TRI_NO}, /* it lost them too */
        {"0-1-110", "0-1-110", "0-1-105", TRI_NO}, /* not given again yet */
        {"0-1-99", "0-1-110", "0-1-120", TRI_NO},  /* of before the log began */
        {"0-3-110", "0-3-110", "0-3-120", TRI_NO}, /* another server's */
        {"1-1-110", "1-1-110", "1-1-120", TRI_NO}, /* a domain the log does not name */
        {"0-1-110", "0-1-110,0-1-90", "0-1-120,0-3-5", TRI_YES},
    };
    for (size_t i = 0; i < STAY_COUNT(rows); i++)
        if (regiven(rows[i].before, rows[i].held, rows[i].primary) != rows[i].regiven)
            fail_msg("row %zu", i);
}

static void numbers_tell_nothing_of_whom_they_cannot_be_compared_with(void **state)
{
    (void)state;
    enum { COMPARED, NO_PRIMARY, ITSELF, OTHER_EPOCH, CLONE, UNREAD_CLONE, OTHER_CLONE, UNREAD };
    static const enum tri answers[] = {TRI_YES, TRI_NO,  TRI_NO,  TRI_NO,
                                       TRI_NO,  TRI_YES, TRI_YES, TRI_UNKNOWN};
    for (int what = COMPARED; what <= UNREAD; what++) {
        assert_int_equal(regiven("0-1-110", "0-1-110", "0-1-120"), TRI_YES);
        w.view.primary = what == NO_PRIMARY ? NO_NODE : what == ITSELF ? 1 : 0;
        w.view.regiven_since_wall_us += what == OTHER_EPOCH ? 1 : 0;
        db(2)->facts.server_id = what == CLONE || what == UNREAD_CLONE ? 1 : 2;
        db(2)->groups_known = what == UNREAD_CLONE ? 0 : FACTS_ALL;
        db(3)->facts.server_id = what == OTHER_CLONE ? 1 : 3; /* seed 400053116 */
        db(1)->groups_known = what == UNREAD ? FACTS_STATUS : FACTS_ALL;
        assert_int_equal(
            cluster_holds_regiven(&w.view, 1, &db(2)->facts.executed, &db(1)->facts.executed),
            answers[what]);
        w.view.primary = 0;
        db(3)->facts.server_id = 3;
        db(2)->facts.server_id = 2;
        db(1)->groups_known = db(2)->groups_known = FACTS_ALL;
    }
}

/* Recorded each turn until it is stored; one that a human set aside stays theirs. */
static void who_holds_numbers_given_twice_is_set_aside(void **state)
{
    (void)state;
    static const struct {
        enum quarantine_reason before, after;
        bool is_twin, changed;
    } rows[] = {{QUARANTINE_NONE, QUARANTINE_DIVERGED, false, true},
                {QUARANTINE_OPERATOR, QUARANTINE_OPERATOR, false, true},
                {QUARANTINE_NONE, QUARANTINE_DIVERGED, true, true},
                {QUARANTINE_DIVERGED, QUARANTINE_DIVERGED, true, false},
                {QUARANTINE_OPERATOR, QUARANTINE_OPERATOR, true, false}};
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        assert_int_equal(regiven("0-1-110", "0-1-110", "0-1-120"), TRI_YES);
        w.view.record.quarantine[1] = (uint8_t)rows[i].before;
        w.view.record.twins = rows[i].is_twin ? 2 : 0;
        struct cluster_record record = w.view.record;
        assert_int_equal(cluster_watch_regiven(&w.view, &record), rows[i].changed);
        assert_int_equal(record.quarantine[1], rows[i].after);
        assert_int_equal(record.twins, rows[i].changed || rows[i].is_twin ? 2 : 0);
    }
    w.view.primary = NO_NODE;
    struct cluster_record record = w.view.record;
    assert_false(cluster_watch_regiven(&w.view, &record));
}

/* db2 restarted and may have lost its tail; it caught up with the primary since. */
static void numbers_are_repeated_only_by_who_may_have_lost_some(void **state)
{
    (void)state;
    enum { CAUGHT_UP, NOT_YET, CLONE, WROTE_LATELY, LOST_OLD, KEPT_ALL };
    for (int what = CAUGHT_UP; what <= KEPT_ALL; what++) {
        db(2)->restarted_mono_us = what == KEPT_ALL ? STAY_NEVER : w.now - SEC(60);
        db(2)->caught_up_mono_us = what == NOT_YET ? STAY_NEVER : w.now - SEC(50);
        db(2)->facts.server_id = what == CLONE ? 3 : 2;
        w.view.record.written[1] = what == LOST_OLD ? 50 : 0;
        sets(what == WROTE_LATELY ? "0-1-20000,0-2-19999" : "0-1-20000,0-2-40", "0-1-20000");
        assert_int_equal(cluster_may_repeat_numbers(&w.view, 1, &db(2)->facts.executed),
                         what != CAUGHT_UP && what != KEPT_ALL);
    }
}

/* In each domain numbers rise: who wrote last has the highest. */
static void what_was_committed_alone_shows_by_the_newest_number(void **state)
{
    (void)state;
    static const struct {
        const char *held;
        bool alone;
    } rows[] = {{"0-1-100,0-2-101", true},       {"0-1-100,0-2-99", false},
                {"0-1-100,1-2-5", true},         {"0-1-100,0-2-99,1-2-5", true},
                {"0-1-100,0-2-99,1-3-9", false}, {"0-1-100", false}};
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        sets(rows[i].held, "0-1-100");
        db(2)->idle_life = true;
        db(2)->facts.binlog_commits = 1;
        assert_int_equal(cluster_has_written_alone(&w.view, 1, &db(2)->facts.executed),
                         rows[i].alone);
    }
    assert_false(cluster_has_written_alone(&w.view, 0, &db(1)->facts.executed));
}

/* Seed 400219565: an old primary that had executed its relay log for a recovery was set aside as
 * written to by hand, and the next recovery opened one that lacked what it held. */
static void what_a_plan_had_it_execute_is_not_by_hand(void **state)
{
    (void)state;
    for (uint32_t replayed = 0; replayed <= 2; replayed += 2) {
        struct cluster_record record;
        struct plan_run run = {.kind = PLAN_RECOVER, .state = RUN_UNDONE, .replayed = replayed};
        run.params.node = NO_NODE;
        run.ended_mono_us = w.now;
        w.view.plan_ended_mono_us = STAY_NEVER;
        sets("0-1-100,0-2-101", "0-1-100");
        db(2)->idle_life = true;
        db(2)->facts.binlog_commits = 1;
        (void)decide_remember(&w.view, &run, w.now, w.now, &record);
        assert_int_equal(cluster_has_written_alone(&w.view, 1, &db(2)->facts.executed),
                         replayed == 0);
    }
}

static void one_that_grew_while_it_followed_nobody_was_written_to(void **state)
{
    (void)state;
    enum { GREW, OUR_PLAN, RESTARTED, SAME };
    for (int what = GREW; what <= SAME; what++) {
        sets(what == SAME ? "0-1-100" : "0-1-100,0-2-101", "0-1-100");
        db(2)->idle_life = false;
        db(2)->alone_mono_us = w.now - SEC(5);
        db(2)->alone_own = 0;
        w.view.plan_ended_mono_us = what == OUR_PLAN ? w.now : STAY_NEVER;
        db(2)->restarted_mono_us = what == RESTARTED ? w.now : STAY_NEVER;
        assert_int_equal(cluster_has_written_alone(&w.view, 1, &db(2)->facts.executed),
                         what == GREW);
    }
    db(2)->restarted_mono_us = STAY_NEVER;
}

/* Later ones of its own are there, or may still come; of several domains the worst counts. */
static void what_a_receiver_skipped_is_missed_though_later_ones_are_there(void **state)
{
    (void)state;
    static const struct {
        const char *node, *primary;
        bool skipped;
    } rows[] = {
        {"0-1-100,0-2-50", "0-1-100,0-2-50", false},
        {"0-1-100,0-2-40", "0-1-100,0-2-50", true},
        {"0-1-45,0-2-40", "0-1-100,0-2-50", false}, /* it may still come */
        {"0-1-100", "0-1-100,0-2-50", false},       /* seeded without: nothing of its own is kept */
        {"0-1-100,1-1-9,1-2-4", "0-1-100,0-2-50,1-1-9,1-2-7", true},
        {"0-1-45,0-2-40,1-1-9,1-2-4", "0-1-100,0-2-50,1-1-9,1-2-7", true},
        {"0-1-100,0-2-40,1-1-3", "0-1-100,0-2-50,1-1-9,1-2-7", true},
    };
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        sets(rows[i].node, rows[i].primary);
        if (cluster_skipped_own(&w.view, 1, &db(2)->facts.executed, &db(1)->facts.executed) !=
            rows[i].skipped)
            fail_msg("row %zu", i);
    }
}

/* Passed over while they were due, they were skipped; and stay so until the store says it. */
static void what_was_due_and_never_came_was_skipped(void **state)
{
    (void)state;
    enum { DUE, NEVER_DUE, DUE_LONG_AGO, KNOWN, STORED, NO_PRIMARY };
    for (int what = DUE; what <= NO_PRIMARY; what++) {
        sets("0-1-100", "0-1-100,0-2-50");
        db(2)->own_due_mono_us = what == DUE            ? db(2)->facts_mono_us - SEC(1)
                                 : what == DUE_LONG_AGO ? db(2)->facts_mono_us - SEC(60)
                                 : what == STORED       ? db(2)->facts_mono_us
                                                        : STAY_NEVER;
        db(2)->skipped = what == KNOWN || what == STORED;
        w.view.record.quarantine[1] = what == STORED ? QUARANTINE_DIVERGED : QUARANTINE_NONE;
        w.view.primary = what == NO_PRIMARY ? NO_NODE : 0;
        cluster_look_skipped(&w.view, 1);
        assert_int_equal(db(2)->skipped, what == DUE || what == KNOWN);
        w.view.primary = 0;
        w.view.record.quarantine[1] = QUARANTINE_NONE;
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_number_is_given_twice_where_both_hold_what_the_log_no_longer_shows),
        T(numbers_tell_nothing_of_whom_they_cannot_be_compared_with),
        T(who_holds_numbers_given_twice_is_set_aside),
        T(numbers_are_repeated_only_by_who_may_have_lost_some),
        T(what_was_committed_alone_shows_by_the_newest_number),
        T(what_a_plan_had_it_execute_is_not_by_hand),
        T(one_that_grew_while_it_followed_nobody_was_written_to),
        T(what_a_receiver_skipped_is_missed_though_later_ones_are_there),
        T(what_was_due_and_never_came_was_skipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
