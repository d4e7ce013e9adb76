/* tests/unit/controller/decide/test_reseed_rows.c - what a reseed reads before it destroys anything
 * and after the copy, and when it gives up. */
#include "tests/unit/controller/decide/plan_world.h"

#include "controller/decide/plan_conclude_private.h"

/* db3 is to be reseeded; it and the primary were read. */
static void reseed(const char *node, const char *primary)
{
    c.config.reseed_by_command = true;
    c.config.reseed_deadline_us = 3600 * STAY_SECOND;
    c.view.nodes[1].facts.ss_replica_on = TRI_YES; /* db2 acknowledges without it */
    case_acks(&c, 1);
    start(PLAN_RESEED, 2);
    run.collected = 5;
    case_gtids(&c, node, &run.executed[2]);
    case_gtids(&c, primary, &run.executed[0]);
}

static void nothing_is_destroyed_that_could_not_be_read(void **state)
{
    (void)state;
    static const struct {
        uint32_t collected;
        bool dropped, hollow;
        enum plan_next next;
    } rows[] = {
        {5, false, false, NEXT_ROW},
        {4, false, false, NEXT_UNDO},
        {1, false, false, NEXT_UNDO},
        {1, true, false, NEXT_ROW},
        {4, true, false, NEXT_UNDO},
        {0, false, true, NEXT_ROW}, /* what it held was judged when its data began to go */
    };
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        reseed("0-1-100", "0-1-100");
        run.collected = rows[i].collected;
        run.params.accept_loss = rows[i].dropped;
        c.view.record.quarantine[2] = rows[i].hollow ? QUARANTINE_RESEED : QUARANTINE_NONE;
        assert_int_equal(plan_conclude_reseed_old(&run, &c.view), rows[i].next);
        if (rows[i].next == NEXT_UNDO)
            assert_string_equal(run.text, "the sets of db3 and the primary could not be read");
    }
}

static void what_nobody_else_holds_is_destroyed_by_a_humans_word_only(void **state)
{
    (void)state;
    enum { UNSAVED, SAVED, DROPPED };
    for (int what = UNSAVED; what <= DROPPED; what++) {
        STAY_AUTO(gtid_set_drop) struct gtid_set extra = {0};
        reseed("0-1-100,0-3-105", "0-1-100");
        case_gtids(&c, "0-3-105", &extra);
        c.view.nodes[2].saved = what == SAVED ? gtid_set_digest(&extra) : 0;
        run.params.accept_loss = what == DROPPED;
        assert_int_equal(plan_conclude_reseed_old(&run, &c.view),
                         what == UNSAVED ? NEXT_UNDO : NEXT_ROW);
        assert_true(run.diverged);
        if (what == UNSAVED)
            assert_non_null(strstr(run.text, "and they are not saved: 0-3-105"));
    }
    reseed("0-1-101", "0-1-100"); /* of the primary's making: it lost it, and no word destroys it */
    run.params.accept_loss = true;
    assert_int_equal(plan_conclude_reseed_old(&run, &c.view), NEXT_UNDO);
    assert_non_null(strstr(run.text, "the primary wrote and lost: fail over to it"));
}

static void the_others_must_be_enough_without_it(void **state)
{
    (void)state;
    for (uint32_t acks = 1; acks <= 2; acks++) {
        reseed("0-1-100", "0-1-100");
        c.config.acks = acks;
        assert_int_equal(plan_conclude_reseed_acks(&run, &c.view, CASE_NOW),
                         acks == 1 ? NEXT_ROW : NEXT_UNDO);
        if (acks == 2)
            assert_string_equal(run.text, "without db3 fewer than 2 ackers are left");
        c.config.acks = 1;
    }
}

static void a_copy_goes_on_until_it_fails_or_takes_too_long(void **state)
{
    (void)state;
    reseed("0-1-100", "0-1-100");
    uint32_t row = begun(STEP_COPY, 4, 0);
    int64_t late = CASE_NOW + c.config.reseed_deadline_us;
    assert_int_equal(plan_conclude_copy(&run, &c.view, row, late - 1), NEXT_LOOK);
    assert_int_equal(run.rows[row].unknown, 4);
    assert_int_equal(plan_conclude_copy(&run, &c.view, row, late), NEXT_UNDO);
    assert_string_equal(run.text, "copy took longer than reseed.deadline on db3");
    run.rows[row].failed = 4;
    assert_int_equal(plan_conclude_copy(&run, &c.view, row, CASE_NOW), NEXT_UNDO);
    assert_string_equal(run.text, "copy failed on db3");
    run.rows[row].done = 4;
    assert_int_equal(plan_conclude_copy(&run, &c.view, row, late), NEXT_ROW);
}

/* The row's own time bounds a rewind: no setting does. */
static void a_rewind_takes_no_longer_than_its_row_may(void **state)
{
    (void)state;
    run = (struct plan_run){.kind = PLAN_REWIND, .params = {.node = 2}};
    uint32_t row = begun(STEP_REWIND, 4, 0);
    int64_t late = CASE_NOW + plan_row_at(&run, row)->deadline_us;
    c.config.reseed_deadline_us = 1;
    assert_int_equal(plan_conclude_copy(&run, &c.view, row, late - 1), NEXT_LOOK);
    assert_int_equal(plan_conclude_copy(&run, &c.view, row, late), NEXT_UNDO);
    assert_string_equal(run.text, "rewind took too long on db3");
}

static void what_came_is_a_whole_copy_or_not_attached(void **state)
{
    (void)state;
    static const struct {
        const char *came, *purged, *text;
        uint32_t collected;
    } rows[] = {
        {"0-1-100", "0-1-50", NULL, 5},
        {"0-1-100", "-", "db3 could not be read", 1},
        {"0-1-100", "-", "db3 could not be read", 4},
        {"-", "-", "db3 has no GTID position after the copy", 5},
        {"0-1-100,0-2-101", "-", "db3 holds transactions the primary lacks after the copy", 5},
        {"0-1-40", "0-1-50",
         "db3 lacks what the primary has purged since the copy began: copy again", 5},
    };
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        reseed(rows[i].came, "0-1-100");
        run.collected = rows[i].collected;
        case_gtids(&c, rows[i].purged, &c.view.nodes[0].facts.purged);
        assert_int_equal(plan_conclude_reseed_new(&run, &c.view),
                         rows[i].text == NULL ? NEXT_ROW : NEXT_UNDO);
        if (rows[i].text != NULL)
            assert_string_equal(run.text, rows[i].text);
        assert_false(run.diverged);
        gtid_set_clear(&c.view.nodes[0].facts.purged);
    }
}

static void who_restarted_unheard_of_gives_no_copy(void **state)
{
    (void)state;
    struct node_view *donor = &c.view.nodes[1];
    c.view.record.mode = MODE_BOUNDED; /* no acker is needed */
    case_acks(&c, 1);
    c.config.reseed_by_command = true;
    for (int i = 0; i < 3; i++) {
        donor->restarted_mono_us = CASE_NOW - 60 * STAY_SECOND;
        donor->caught_up_mono_us = i == 1 ? CASE_NOW - 50 * STAY_SECOND : STAY_NEVER;
        donor->groups_known = i == 2 ? 0 : FACTS_STATUS | FACTS_SLOW;
        assert_int_equal(plan_choose_donor(&c.view, 2, CASE_NOW), i == 1 ? 1 : 0);
    }
    c.view.nodes[0].query_ok_mono_us = STAY_NEVER;
    assert_int_equal(plan_choose_donor(&c.view, 2, CASE_NOW), NO_NODE);
    c.view.primary = NO_NODE; /* then nobody's set is a measure */
    assert_int_equal(plan_choose_donor(&c.view, 2, CASE_NOW), NO_NODE);
}

static void no_server_is_reseeded_while_the_primary_is_in_doubt(void **state)
{
    (void)state;
    enum { WELL, SUSPECTED, NO_DONOR };
    static const char *const texts[] = {
        NULL, "the primary db1 does not take writes: no copy is destroyed meanwhile",
        "no server may give its data to db2"};
    c.config.reseed_by_command = true;
    case_acks(&c, 1);
    case_acks(&c, 2);
    for (int what = WELL; what <= NO_DONOR; what++) {
        struct stay_error err = {0};
        struct plan_params params = {.node = 1, .donor = NO_NODE, .detected_mono_us = STAY_NEVER};
        c.view.suspicion_since_mono_us = what == SUSPECTED ? CASE_NOW : STAY_NEVER;
        /* not read yet, though it answers; the one other is the acker that clients wait for */
        c.view.nodes[0].groups_known = what == NO_DONOR ? 0 : FACTS_STATUS | FACTS_SLOW;
        enum stay_rc rc =
            plan_start(&run, PLAN_RESEED, &params, &c.view, CASE_NOW, CASE_WALL, &err);
        assert_int_equal(rc, what == WELL ? STAY_OK : STAY_EREFUSED);
        if (what != WELL)
            assert_string_equal(err.text, texts[what]);
    }
}

/* Only what is configured, of a node of the cluster, that no human set aside. */
static void automation_reseeds_only_what_is_nobodys_business(void **state)
{
    (void)state;
    enum { MAY, FORBIDDEN, NO_SUCH_NODE, NO_PRIMARY, SET_ASIDE, TWIN };
    c.config.reseed_by_command = true;
    case_acks(&c, 1);
    for (int what = MAY; what <= TWIN; what++) {
        c.config.reseed_automatic = what != FORBIDDEN;
        c.view.primary = what == NO_PRIMARY ? NO_NODE : 0;
        c.view.record.quarantine[2] = what == SET_ASIDE ? QUARANTINE_OPERATOR : QUARANTINE_RESEED;
        c.view.record.twins = what == TWIN ? 4 : 0;
        assert_int_equal(plan_may_reseed_alone(&c.view, what == NO_SUCH_NODE ? 3 : 2, CASE_NOW),
                         what == MAY);
    }
    STAY_AUTO(gtid_set_drop) struct gtid_set nothing = {0};
    assert_true(plan_extra_is_saved(&c.view, 2, &nothing));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(nothing_is_destroyed_that_could_not_be_read),
        T(what_nobody_else_holds_is_destroyed_by_a_humans_word_only),
        T(the_others_must_be_enough_without_it),
        T(a_copy_goes_on_until_it_fails_or_takes_too_long),
        T(a_rewind_takes_no_longer_than_its_row_may),
        T(what_came_is_a_whole_copy_or_not_attached),
        T(who_restarted_unheard_of_gives_no_copy),
        T(no_server_is_reseeded_while_the_primary_is_in_doubt),
        T(automation_reseeds_only_what_is_nobodys_business),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
