/* tests/unit/controller/decide/test_plan_record.c - what the store keeps of a run that ended early.
 */
#include "tests/unit/controller/decide/case_view.h"

#include "controller/decide/plan_private.h"

#define PAIR                                                                                       \
    "node db1 zone a\nnode db2 zone b\n"                                                           \
    "record primary db1 mode lossless stands ackers db2\n"

/* The old primary answered in the middle of the run, writable and without semi-sync. */
static void an_undone_failover_does_not_leave_a_broken_promise_recorded(void **state)
{
    (void)state;
    for (int broken = 0; broken < 3; broken++) { /* 2: its status alone fell, by a timeout */
        struct case_view c;
        case_open(&c, PAIR);
        struct node_view *old = &c.view.nodes[0];
        struct plan_run run = {.kind = PLAN_FAILOVER,
                               .mode = MODE_LOSSLESS,
                               .lossless_stood = true,
                               .begun_mono_us = CASE_NOW};
        struct row_run *fence = &run.rows[plan_row_of(PLAN_FAILOVER, STEP_FENCE)];
        fence->touched = fence->failed = NODE_BIT(0);
        old->facts_begun_mono_us = old->facts_mono_us = CASE_NOW + STAY_SECOND;
        old->facts.ss_source_enabled = broken == 1 ? TRI_NO : TRI_YES;
        old->facts.ss_source_on = broken ? TRI_NO : TRI_YES;
        plan_note_broken(&run, &c.view);
        run.state = RUN_UNDONE;
        struct cluster_record record = c.view.record;
        plan_end_record(&run, &c.view, CASE_WALL, &record);
        assert_int_equal(record.lossless_stands, !broken);
        assert_int_equal(record.mode, MODE_LOSSLESS);
        case_clear(&c);
    }
}

/* On MariaDB one killed in its commit lets others be answered that no acker holds, and where he
 * cannot leave even after the undo. On MySQL he stays and waits. */
static void an_undone_failover_that_killed_breaks_the_promise(void **state)
{
    (void)state;
    enum { NOT_SENT, FAILED_CLEAN, FAILED_KILLED, UNHEARD, FENCED, SUCCEEDED, ON_MYSQL };
    for (int what = NOT_SENT; what <= ON_MYSQL; what++) {
        struct case_view c;
        case_open(&c, PAIR);
        c.config.engine = what == ON_MYSQL ? ENGINE_MYSQL : ENGINE_MARIADB;
        struct plan_run run = {.kind = PLAN_FAILOVER,
                               .state = what == SUCCEEDED ? RUN_SUCCEEDED : RUN_UNDONE,
                               .mode = MODE_LOSSLESS,
                               .lossless_stood = true,
                               .begun_mono_us = CASE_NOW,
                               .fence_unheard = what == FAILED_KILLED,
                               .fenced = what == FENCED};
        struct row_run *fence = &run.rows[plan_row_of(PLAN_FAILOVER, STEP_FENCE)];
        fence->touched = what == NOT_SENT ? 0 : NODE_BIT(0);
        fence->failed = what == FAILED_CLEAN || what == FAILED_KILLED ? NODE_BIT(0) : 0;
        fence->done = what == FENCED ? NODE_BIT(0) : 0;
        struct cluster_record record = c.view.record;
        record.lossless_since_wall_us = CASE_WALL;
        plan_end_record(&run, &c.view, CASE_WALL, &record);
        bool breaks = what == FAILED_KILLED || what == UNHEARD || what == FENCED;
        assert_int_equal(record.lossless_stands, !breaks);
        assert_int_equal(record.lossless_since_wall_us == 0, breaks);
        case_clear(&c);
    }
}

/* Found by tests/search: undone, the primary was opened with its role on, and the command that had
 * timed out switched it off after that. */
static void a_role_switched_off_without_an_answer_breaks_the_promise(void **state)
{
    (void)state;
    enum { UNHEARD, NOT_SENT, ANSWERED, NOT_BEGUN, SUCCEEDED };
    for (int what = UNHEARD; what <= SUCCEEDED; what++) {
        struct case_view c;
        case_open(&c, PAIR);
        struct plan_run run = {.kind = PLAN_SWITCHOVER,
                               .state = what == SUCCEEDED ? RUN_SUCCEEDED : RUN_UNDONE,
                               .mode = MODE_LOSSLESS,
                               .lossless_stood = true,
                               .candidate = 1};
        struct row_run *off = &run.rows[plan_row_of(PLAN_SWITCHOVER, STEP_SOURCE_OFF)];
        off->touched = what == NOT_BEGUN ? 0 : 1;
        off->failed = what == NOT_SENT ? 1 : 0;
        off->done = what == ANSWERED ? 1 : 0;
        struct cluster_record record = c.view.record;
        plan_end_record(&run, &c.view, CASE_WALL, &record);
        assert_int_equal(record.lossless_stands, what != UNHEARD);
        case_clear(&c);
    }
}

/* Its roles are off as at every start; it was read-only since and acknowledged nothing. */
static void an_old_primary_that_restarted_shut_breaks_nothing(void **state)
{
    (void)state;
    for (int was_open = 0; was_open < 2; was_open++) {
        struct case_view c;
        case_open(&c, PAIR);
        struct node_view *old = &c.view.nodes[0];
        struct plan_run run = {.kind = PLAN_FAILOVER, .lossless_stood = true};
        run.begun_mono_us = CASE_NOW;
        old->restarted_mono_us = old->facts_begun_mono_us = old->facts_mono_us =
            CASE_NOW + STAY_SECOND;
        old->writable_mono_us = was_open ? CASE_NOW + STAY_SECOND : CASE_NOW - STAY_SECOND;
        old->facts.read_only = TRI_YES;
        old->facts.ss_source_enabled = old->facts.ss_source_on = TRI_NO;
        plan_note_broken(&run, &c.view);
        assert_int_equal(run.lossless_stood, !was_open);
        case_clear(&c);
    }
}

/* Seen: it answered while the plan was undone, when no answer of the plan was absorbed any more,
 * and died before the watch was back. */
static void what_is_seen_while_a_failover_is_undone_counts(void **state)
{
    (void)state;
    for (int broken = 0; broken < 2; broken++) {
        struct case_view c;
        case_open(&c, PAIR);
        struct node_view *old = &c.view.nodes[0];
        struct plan_run run = {.kind = PLAN_FAILOVER,
                               .state = RUN_UNDONE,
                               .mode = MODE_LOSSLESS,
                               .lossless_stood = true,
                               .begun_mono_us = CASE_NOW};
        old->facts_begun_mono_us = old->facts_mono_us = CASE_NOW + STAY_SECOND;
        old->facts.ss_source_on = broken ? TRI_NO : TRI_YES;
        struct cluster_record record = c.view.record;
        plan_end_record(&run, &c.view, CASE_WALL, &record);
        assert_int_equal(record.lossless_stands, !broken);
        case_clear(&c);
    }
}

static void an_undone_failover_holds_off_the_next_one(void **state)
{
    (void)state;
    for (int stays = 0; stays < 2; stays++) {
        struct case_view c;
        case_open(&c, PAIR);
        struct plan_run run = {.kind = PLAN_FAILOVER,
                               .state = RUN_UNDONE,
                               .params = {.automatic = true},
                               .stays = stays != 0};
        struct cluster_record record = c.view.record;
        plan_end_record(&run, &c.view, CASE_WALL, &record);
        assert_int_equal(record.cooldown_until_wall_us,
                         CASE_WALL + (stays ? PLAN_STAYS_US : PLAN_RETRY_US));
        case_clear(&c);
    }
}

static void who_settles_a_question_ends_its_hold(void **state)
{
    (void)state;
    for (int asked = 0; asked < 2; asked++) {
        struct case_view c;
        case_open(&c, PAIR);
        struct plan_run run = {.kind = PLAN_MAKE_WRITABLE, .state = RUN_SUCCEEDED};
        struct cluster_record record = c.view.record;
        record.cooldown_until_wall_us = CASE_WALL + 1;
        if (asked)
            (void)snprintf(record.asks, sizeof record.asks, "db2");
        plan_end_record(&run, &c.view, CASE_WALL, &record);
        assert_int_equal(record.cooldown_until_wall_us, asked ? 0 : CASE_WALL + 1);
        assert_string_equal(record.asks, "");
        case_clear(&c);
    }
}

static void a_degrade_records_what_is_configured(void **state)
{
    (void)state;
    static const enum durability_mode modes[] = {MODE_UNSAFE, MODE_BOUNDED, MODE_LOSSLESS};
    for (size_t i = 0; i < STAY_COUNT(modes); i++) {
        struct case_view c;
        case_open(&c, PAIR);
        c.config.mode = modes[i];
        struct plan_run run = {.kind = PLAN_MODE_DEGRADE, .candidate = 0};
        struct cluster_record record = c.view.record;
        plan_change_record(&run, &c.view, plan_row_of(run.kind, STEP_STORE_MODE), CASE_WALL,
                           &record);
        assert_int_equal(record.mode, i == 0 ? MODE_UNSAFE : MODE_BOUNDED);
        assert_false(record.lossless_stands);
        case_clear(&c);
    }
}

/* A move out of a zone that ended before it touched a client, or because the controller restarted,
 * is begun again; one that was touched and undone asks a human, and so does a third restart. */
static void a_move_that_failed_is_not_begun_again(void **state)
{
    (void)state;
    struct case_view c;
    case_open(&c, PAIR);
    struct cluster_record record = c.view.record;
    struct plan_run run = {
        .kind = PLAN_SWITCHOVER, .state = RUN_UNDONE, .params = {.evacuation_wall_us = CASE_WALL}};
    uint32_t close = plan_row_of(PLAN_SWITCHOVER, STEP_ROUTE_CLOSE);
    record.evacuation_cut = 7; /* of another order */
    plan_change_record(&run, &c.view, plan_row_of(PLAN_SWITCHOVER, STEP_INTENT), CASE_WALL,
                       &record);
    assert_int_equal(record.evacuated_wall_us, CASE_WALL);
    assert_int_equal(record.evacuation_cut, 0);
    plan_end_record(&run, &c.view, CASE_WALL, &record);
    assert_int_equal(record.evacuation_again_wall_us, CASE_WALL + PLAN_EVACUATION_AGAIN_US);
    for (int cut = 0; cut <= PLAN_EVACUATION_CUTS; cut++) {
        run.rows[close].touched = NODE_BIT(0);
        run.interrupted = true;
        plan_change_record(&run, &c.view, plan_row_of(PLAN_SWITCHOVER, STEP_INTENT), CASE_WALL,
                           &record);
        assert_int_equal(record.evacuation_again_wall_us, 0);
        plan_end_record(&run, &c.view, CASE_WALL, &record);
        assert_int_equal(record.evacuation_again_wall_us,
                         cut < PLAN_EVACUATION_CUTS ? CASE_WALL : 0);
    }
    record.evacuation_cut = 0;
    run.interrupted = false;
    plan_end_record(&run, &c.view, CASE_WALL, &record);
    assert_int_equal(record.evacuation_again_wall_us, 0);
    run.rows[close].touched = 0;
    record.evacuated_wall_us = CASE_WALL + 1; /* its intent was never stored: not its order */
    plan_end_record(&run, &c.view, CASE_WALL, &record);
    assert_int_equal(record.evacuation_again_wall_us, 0);
    record.evacuated_wall_us = CASE_WALL;
    plan_end_record(&run, &c.view, CASE_WALL, &record);
    assert_int_equal(record.evacuation_again_wall_us, CASE_WALL + PLAN_EVACUATION_AGAIN_US);
    case_clear(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_move_that_failed_is_not_begun_again),
        cmocka_unit_test(a_role_switched_off_without_an_answer_breaks_the_promise),
        cmocka_unit_test(an_undone_failover_that_killed_breaks_the_promise),
        cmocka_unit_test(an_undone_failover_does_not_leave_a_broken_promise_recorded),
        cmocka_unit_test(an_old_primary_that_restarted_shut_breaks_nothing),
        cmocka_unit_test(what_is_seen_while_a_failover_is_undone_counts),
        cmocka_unit_test(an_undone_failover_holds_off_the_next_one),
        cmocka_unit_test(who_settles_a_question_ends_its_hold),
        cmocka_unit_test(a_degrade_records_what_is_configured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
