/* tests/unit/controller/decide/test_decide_open.c - servers that take writes beside the primary:
 * who is closed without being asked, who is left to a human, and how long a fence may take. */
#include "decide_world.h"

#include "controller/decide/decide_private.h"

static struct node_view *db(uint32_t n)
{
    return &w.view.nodes[n - 1];
}

static void an_open_follower_is_one_that_answers_and_is_nobodys(void **state)
{
    (void)state;
    enum { FOLLOWS, CLOSED, LOOSE, SET_ASIDE, SILENT };
    for (int what = FOLLOWS; what <= SILENT; what++) {
        db(2)->facts.read_only = what == CLOSED ? TRI_YES : TRI_NO;
        db(2)->facts.receiver = what == LOOSE ? RECEIVER_NONE : RECEIVER_RUNNING;
        w.view.record.quarantine[1] = what == SET_ASIDE ? QUARANTINE_OPERATOR : QUARANTINE_NONE;
        db(2)->silent_since_mono_us = what == SILENT ? w.now - SEC(1) : STAY_NEVER;
        assert_int_equal(decide_open_follower(&w.view, w.now), what == FOLLOWS ? 1 : NO_NODE);
    }
}

static void an_outcast_is_closed_by_the_records_word(void **state)
{
    (void)state;
    enum { STALE, DIVERGED, THEIRS, NOT_ASIDE, CLOSED, PRIMARY, SILENT, LATER_EPOCH, NO_SERVER };
    for (int what = STALE; what <= NO_SERVER; what++) {
        db(2)->facts.read_only = what == CLOSED ? TRI_YES : TRI_NO;
        w.view.record.quarantine[1] = what == DIVERGED    ? QUARANTINE_DIVERGED
                                      : what == THEIRS    ? QUARANTINE_OPERATOR
                                      : what == NOT_ASIDE ? QUARANTINE_NONE
                                                          : QUARANTINE_STALE_PRIMARY;
        w.view.primary = what == PRIMARY ? 1 : 0;
        db(2)->silent_since_mono_us = what == SILENT ? w.now - SEC(1) : STAY_NEVER;
        db(2)->facts.canary_epoch = w.view.record.epoch + (what == LATER_EPOCH ? 1 : 0);
        assert_int_equal(decide_is_open_outcast(&w.view, what == NO_SERVER ? NO_NODE : 1, w.now),
                         what <= DIVERGED);
    }
    w.view.primary = 0;
}

/* It holds what the recorded primary lacks: somebody took over by hand. */
static void a_takeover_by_hand_is_left_to_a_human(void **state)
{
    (void)state;
    set_parse(&db(2)->facts.executed, ENGINE_MARIADB, "0-1-100,0-2-101");
    assert_true(decide_is_taken_over(&w.view, 1));
    w.view.record.quarantine[1] = QUARANTINE_STALE_PRIMARY; /* known, and closed */
    assert_false(decide_is_taken_over(&w.view, 1));
    w.view.record.quarantine[1] = QUARANTINE_NONE;
    set_parse(&db(2)->facts.executed, ENGINE_MARIADB, "0-1-100");
    assert_false(decide_is_taken_over(&w.view, 1));
}

static void a_fence_of_another_clock_was_begun_long_ago(void **state)
{
    (void)state;
    struct plan_run *run = stay_calloc(1, sizeof *run);
    run->begun_mono_us = w.now;
    assert_false(decide_is_fence_overdue(run, w.now));
    assert_true(decide_is_fence_overdue(run, w.now + SEC(60)));
    assert_true(decide_is_fence_overdue(run, w.now - 1));
    free(run);
}

/* A weaker mode is recorded: no policy asks for acks, and the primary must not wait for them. */
static void a_primary_without_ackers_is_released_by_policy_or_by_its_mode(void **state)
{
    (void)state;
    static const struct {
        enum without_acker policy;
        enum durability_mode recorded, configured;
        bool degrades;
    } rows[] = {{WITHOUT_ACKER_DEGRADE, MODE_LOSSLESS, MODE_LOSSLESS, true},
                {WITHOUT_ACKER_BLOCK, MODE_LOSSLESS, MODE_LOSSLESS, false},
                {WITHOUT_ACKER_BLOCK, MODE_BOUNDED, MODE_LOSSLESS, true},
                {WITHOUT_ACKER_BLOCK, MODE_LOSSLESS, MODE_BOUNDED, true}};
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        struct decision d = {
            .verdict = {.subject = SUBJECT_PRIMARY, .action = ACT_RELIEVE, .name = "a test"}};
        w.config.without_acker = rows[i].policy;
        w.view.record.mode = rows[i].recorded;
        w.config.mode = rows[i].configured;
        w.view.no_acker_since_mono_us = w.now - SEC(60);
        decide_want_plan(&w.view, NULL, w.now, &d);
        assert_int_equal(d.want == PLAN_MODE_DEGRADE, rows[i].degrades);
    }
    w.config.mode = MODE_LOSSLESS;
    w.view.record.mode = MODE_BOUNDED;
    w.view.no_acker_since_mono_us = STAY_NEVER;
    struct decision d = {
        .verdict = {.subject = SUBJECT_PRIMARY, .action = ACT_MODE_DEGRADE, .name = "a test"}};
    decide_want_plan(&w.view, NULL, w.now, &d);
    assert_int_not_equal(d.want, PLAN_MODE_DEGRADE);
}

/* A stronger mode comes after what a replica needs, and only beside a primary that answers. */
static void repairs_come_before_a_stronger_mode(void **state)
{
    (void)state;
    enum { WELL, REPLICA_STOPPED, PRIMARY_SILENT };
    static const enum plan_kind kinds[] = {PLAN_MODE_RESTORE, PLAN_REJOIN, PLAN_MODE_RESTORE};
    for (int what = WELL; what <= PRIMARY_SILENT; what++) {
        struct decision d = {
            .verdict = {.subject = SUBJECT_PRIMARY, .action = ACT_MODE_RESTORE, .name = "a test"}};
        db(2)->facts.receiver = what == WELL ? RECEIVER_RUNNING : RECEIVER_NONE;
        db(1)->silent_since_mono_us = what == PRIMARY_SILENT ? w.now - SEC(1) : STAY_NEVER;
        decide_want_plan(&w.view, NULL, w.now, &d);
        assert_int_equal(d.want, kinds[what]);
    }
}

/* Its role off, or on for long without a word: one that receives, applies and is nobody else's. */
static void the_acker_to_repair_is_one_that_could_acknowledge(void **state)
{
    (void)state;
    enum { ROLE_OFF, ROLE_ON, ROLE_ON_FOR_LONG, ERRANT, SET_ASIDE, STANDS, CHANGED, WEAKER };
    for (int what = ROLE_OFF; what <= WEAKER; what++) {
        struct node_view *n = db(2);
        db(3)->facts.applier = TRI_NO; /* never that one */
        w.view.record.mode = what == WEAKER ? MODE_BOUNDED : MODE_LOSSLESS;
        n->facts.ss_replica_on = what == ROLE_ON || what == ROLE_ON_FOR_LONG ? TRI_YES : TRI_NO;
        w.view.no_acker_since_mono_us = what == ROLE_ON            ? w.now - SEC(1)
                                        : what == ROLE_ON_FOR_LONG ? w.now - SEC(2)
                                                                   : STAY_NEVER;
        n->errant = what == ERRANT ? TRI_YES : TRI_NO;
        w.view.record.quarantine[1] = what == SET_ASIDE ? QUARANTINE_OPERATOR : QUARANTINE_NONE;
        n->facts.applier = what == STANDS ? TRI_NO : TRI_YES;
        n->changed_mono_us = what == CHANGED ? w.now : STAY_NEVER;
        bool wanted = what == ROLE_OFF || what == ROLE_ON_FOR_LONG;
        assert_int_equal(decide_acker_to_repair(&w.view, NULL, w.now), wanted ? 1 : NO_NODE);
    }
    w.view.no_acker_since_mono_us = STAY_NEVER;
    db(2)->facts.ss_replica_on = TRI_YES; /* nobody is missed */
    db(2)->changed_mono_us = STAY_NEVER;
    w.view.record.mode = MODE_LOSSLESS;
    assert_int_equal(decide_acker_to_repair(&w.view, NULL, w.now), NO_NODE);
    w.view.no_acker_since_mono_us = w.now - SEC(2); /* missed, yet nothing was sent to it since */
    int64_t advanced = db(2)->advanced_mono_us;
    db(2)->advanced_mono_us = w.now - SEC(2);
    assert_int_equal(decide_acker_to_repair(&w.view, NULL, w.now), NO_NODE);
    db(2)->advanced_mono_us = advanced;
    assert_int_equal(decide_acker_to_repair(&w.view, NULL, w.now), 1);
}

/* One after the other: who was repaired just now, in vain or not, comes last. */
static void ackers_are_repaired_in_turn(void **state)
{
    (void)state;
    struct plan_run *run = stay_calloc(1, sizeof *run);
    run->kind = PLAN_REPAIR_ACKER;
    run->state = RUN_SUCCEEDED;
    run->params.node = 1;
    db(2)->facts.ss_replica_on = db(3)->facts.ss_replica_on = TRI_NO;
    assert_int_equal(decide_acker_to_repair(&w.view, NULL, w.now), 1);
    assert_int_equal(decide_acker_to_repair(&w.view, run, w.now), 2);
    run->params.node = 2;
    assert_int_equal(decide_acker_to_repair(&w.view, run, w.now), 1);
    run->params.node = 1;
    run->kind = PLAN_REJOIN; /* no repair of an acker: nobody's turn is over */
    assert_int_equal(decide_acker_to_repair(&w.view, run, w.now), 1);
    free(run);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(an_open_follower_is_one_that_answers_and_is_nobodys),
        T(an_outcast_is_closed_by_the_records_word),
        T(a_takeover_by_hand_is_left_to_a_human),
        T(a_fence_of_another_clock_was_begun_long_ago),
        T(a_primary_without_ackers_is_released_by_policy_or_by_its_mode),
        T(repairs_come_before_a_stronger_mode),
        T(the_acker_to_repair_is_one_that_could_acknowledge),
        T(ackers_are_repaired_in_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
