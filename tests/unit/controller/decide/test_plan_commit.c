/* tests/unit/controller/decide/test_plan_commit.c - what the store keeps of a change of primary,
 * whole or cut short, and of a server that is set aside. */
#include "tests/unit/controller/decide/plan_world.h"

static struct cluster_record commit(enum step_kind step)
{
    struct cluster_record record = c.view.record;
    plan_change_record(&run, &c.view, plan_row_of(run.kind, step), CASE_WALL, &record);
    return record;
}

/* What db1 and db3 hold and db2, the new primary, lacks. */
static void whoever_holds_more_than_the_new_primary_is_set_aside(void **state)
{
    (void)state;
    enum { CONTAINED, MORE, MORE_BY_HAND, OLD_CLOSED, NO_OLD, IS_OLD };
    for (int what = CONTAINED; what <= IS_OLD; what++) {
        fail_over();
        run.collected = what == OLD_CLOSED ? 7 : 6;
        case_gtids(&c, what == MORE || what == MORE_BY_HAND ? "0-1-100,0-3-7" : "0-1-100",
                   &run.executed[2]);
        case_gtids(&c, "0-1-105", &run.executed[0]);
        c.view.record.quarantine[2] = what == MORE_BY_HAND ? QUARANTINE_OPERATOR : QUARANTINE_NONE;
        run.old_primary = what == NO_OLD ? NO_NODE : what == IS_OLD ? 1 : 0;
        struct cluster_record record = commit(STEP_COMMIT);
        assert_string_equal(record.primary, "db2");
        assert_int_equal(record.quarantine[2], what == MORE           ? QUARANTINE_DIVERGED
                                               : what == MORE_BY_HAND ? QUARANTINE_OPERATOR
                                                                      : QUARANTINE_NONE);
        assert_int_equal(record.quarantine[1], QUARANTINE_NONE);
        assert_int_equal(record.quarantine[0], what == NO_OLD || what == IS_OLD
                                                   ? QUARANTINE_NONE
                                                   : QUARANTINE_STALE_PRIMARY);
    }
}

/* It lacks nothing that was acknowledged only if no restart can have cost it its tail. */
static void a_primary_that_handed_over_keeps_its_birth_unless_it_restarted(void **state)
{
    (void)state;
    enum { STAYED, RESTARTED, NOT_SEEN_CLOSED };
    for (int what = STAYED; what <= NOT_SEEN_CLOSED; what++) {
        start(PLAN_SWITCHOVER, 1);
        run.candidate = 1;
        run.fenced = what != NOT_SEEN_CLOSED;
        run.attached = 5;
        c.view.wall_offset_us = CASE_WALL - CASE_NOW;
        c.view.nodes[0].restarted_mono_us =
            what == RESTARTED ? CASE_NOW - 60 * STAY_SECOND : STAY_NEVER;
        c.view.nodes[0].facts.start_role_replica = TRI_YES;
        struct cluster_record record = commit(STEP_COMMIT);
        assert_int_equal(record.born_known & 1, what == STAYED ? 1 : 0);
    }
}

static void a_weaker_mode_is_adopted_where_lossless_cannot_be_kept(void **state)
{
    (void)state;
    static const struct {
        enum durability_mode configured;
        bool aims;
        enum durability_mode recorded;
    } rows[] = {{MODE_LOSSLESS, true, MODE_LOSSLESS},
                {MODE_LOSSLESS, false, MODE_BOUNDED},
                {MODE_UNSAFE, false, MODE_UNSAFE}};
    run.kind = PLAN_ADOPT;
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        c.config.mode = rows[i].configured;
        run.aims_lossless = rows[i].aims;
        struct cluster_record record = commit(STEP_COMMIT);
        assert_true(record.adopted);
        assert_int_equal(record.mode, rows[i].recorded);
    }
}

static void a_fence_sets_aside_by_who_ordered_it(void **state)
{
    (void)state;
    static const struct {
        enum plan_kind kind;
        bool automatic;
        enum quarantine_reason before, after;
    } rows[] = {
        {PLAN_FENCE, false, QUARANTINE_NONE, QUARANTINE_OPERATOR},
        {PLAN_FENCE, true, QUARANTINE_NONE, QUARANTINE_STALE_PRIMARY},
        {PLAN_FENCE, true, QUARANTINE_DIVERGED, QUARANTINE_DIVERGED},
        {PLAN_FENCE, false, QUARANTINE_RESEED, QUARANTINE_RESEED},
        {PLAN_REJOIN, true, QUARANTINE_STALE_PRIMARY, QUARANTINE_DIVERGED},
    };
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        c.view.record.quarantine[1] = QUARANTINE_NONE;
        start(rows[i].kind, 1);
        run.params.automatic = rows[i].automatic;
        c.view.record.quarantine[1] = (uint8_t)rows[i].before;
        assert_int_equal(commit(STEP_QUARANTINE).quarantine[1], rows[i].after);
    }
}

/* A row of PURE or NODE class changes nothing in the store. */
static void only_store_rows_change_the_record(void **state)
{
    (void)state;
    fail_over();
    struct cluster_record record = commit(STEP_FREEZE);
    assert_memory_equal(&record, &c.view.record, sizeof record);
}

static struct cluster_record ended(enum plan_state how)
{
    struct cluster_record record = c.view.record;
    run.state = how;
    plan_end_record(&run, &c.view, CASE_WALL, &record);
    return record;
}

static void a_returner_that_was_attached_is_judged_by_its_replica_rule(void **state)
{
    (void)state;
    enum { LIFTED, NOT_ATTACHED, SUCCEEDED, DIVERGED, OTHER_PLAN, NO_NODE_NAMED };
    uint32_t row = plan_row_of(PLAN_REJOIN, STEP_CATCH_UP);
    for (int what = LIFTED; what <= NO_NODE_NAMED; what++) {
        c.view.record.quarantine[1] = QUARANTINE_STALE_PRIMARY;
        start(PLAN_REJOIN, 1);
        run.attached = what == NOT_ATTACHED ? 0 : 2;
        run.rows[row].failed = 2;
        run.kind = what == OTHER_PLAN ? PLAN_REPOINT : PLAN_REJOIN;
        run.params.node = what == NO_NODE_NAMED ? NO_NODE : 1;
        c.view.record.quarantine[1] =
            what == DIVERGED ? QUARANTINE_DIVERGED : QUARANTINE_STALE_PRIMARY;
        struct cluster_record record = ended(what == SUCCEEDED ? RUN_SUCCEEDED : RUN_UNDONE);
        assert_int_equal(record.quarantine[1], what == LIFTED     ? QUARANTINE_NONE
                                               : what == DIVERGED ? QUARANTINE_DIVERGED
                                                                  : QUARANTINE_STALE_PRIMARY);
    }
}

/* A failover that stored the weaker mode for its candidate, and was undone before that one opened.
 */
static void a_mode_that_was_recorded_for_nobody_is_given_back(void **state)
{
    (void)state;
    enum { UNDONE, NOT_STORED, PAST_NO_RETURN, SUCCEEDED };
    for (int what = UNDONE; what <= SUCCEEDED; what++) {
        fail_over();
        run.rows[plan_row_of(run.kind, STEP_STORE_MODE)].touched = what == NOT_STORED ? 0 : 1;
        run.past_no_return = what == PAST_NO_RETURN;
        c.view.record.mode = MODE_BOUNDED;
        struct cluster_record record = ended(what == SUCCEEDED ? RUN_SUCCEEDED : RUN_UNDONE);
        assert_int_equal(record.mode, what == UNDONE ? MODE_LOSSLESS : MODE_BOUNDED);
        c.view.record.mode = MODE_LOSSLESS;
    }
}

/* It ended with a question after db2 may have been opened: the store names db2, if what it was
 * certified by still holds. */
static void a_question_past_the_point_of_no_return_names_the_candidate(void **state)
{
    (void)state;
    enum { CERTIFIED, REFUSED, ACCEPTED, COMMITTED, BEFORE, NO_CANDIDATE };
    for (int what = CERTIFIED; what <= NO_CANDIDATE; what++) {
        fail_over();
        run.past_no_return = what != BEFORE;
        run.candidate = what == NO_CANDIDATE ? NO_NODE : 1;
        run.certificate.kind = what == CERTIFIED ? CERT_LOSSLESS : CERT_UNKNOWN;
        run.params.accept_loss = what == ACCEPTED;
        run.rows[plan_row_of(run.kind, STEP_COMMIT)].state =
            what == COMMITTED ? ROW_DONE : ROW_FAILED;
        struct cluster_record record = ended(RUN_ASKS);
        bool moved = what == CERTIFIED || what == ACCEPTED;
        assert_string_equal(record.primary, moved ? "db2" : "db1");
        bool asks = what == REFUSED || what == COMMITTED; /* of db2, and the store says db1 */
        assert_string_equal(record.asks, asks ? "db2" : "");
    }
}

static void a_failover_that_reads_a_broken_promise_forgets_it(void **state)
{
    (void)state;
    for (int broken = 0; broken < 2; broken++) {
        c.view.record.lossless_stands = true;
        fail_over();
        run.lossless_stood = broken == 0;
        assert_int_equal(ended(RUN_UNDONE).lossless_stands, broken == 0);
        assert_true(ended(RUN_SUCCEEDED).lossless_stands); /* COMMIT began it anew */
        c.view.record.lossless_stands = false;
        assert_false(ended(RUN_UNDONE).lossless_stands);
    }
}

static struct cluster_record begun_by(enum plan_kind kind, uint16_t rule, bool automatic)
{
    struct cluster_record record = c.view.record;
    run.kind = kind;
    run.params.rule_id = rule;
    run.params.automatic = automatic;
    plan_change_record(&run, &c.view, plan_row_of(kind, STEP_INTENT), CASE_WALL, &record);
    return record;
}

/* Counted within the hour, when they begin: a human's are nobody's limit. */
static void repairs_of_ackers_are_counted_by_the_hour(void **state)
{
    (void)state;
    static const struct {
        int64_t since_us;
        uint64_t before, after;
    } rows[] = {{0, 3, 1}, /* none yet: what is left of another hour */
                {CASE_WALL - 60 * STAY_SECOND, 3, 4},
                {CASE_WALL - 3600 * STAY_SECOND, 3, 1},
                {CASE_WALL + 60 * STAY_SECOND, 3, 1}}; /* the clock was set back */
    start(PLAN_REJOIN, 1);
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        c.view.record.repairs_since_wall_us = rows[i].since_us;
        c.view.record.repairs = rows[i].before;
        assert_int_equal(begun_by(PLAN_REPAIR_ACKER, 123, true).repairs, rows[i].after);
        assert_int_equal(begun_by(PLAN_REPAIR_ACKER, 123, false).repairs, rows[i].before);
    }
}

/* What was tried for a saturated or full primary, once each within the cooldown. */
static void what_was_tried_to_relieve_a_primary_is_kept_for_the_cooldown(void **state)
{
    (void)state;
    start(PLAN_SWITCHOVER, 1);
    c.view.record.relief_tried = RELIEF_FAILED_OVER;
    c.view.record.relief_until_wall_us = CASE_WALL + 1;
    assert_int_equal(begun_by(PLAN_SWITCHOVER, 122, true).relief_tried,
                     RELIEF_SWITCHED | RELIEF_FAILED_OVER);
    assert_int_equal(begun_by(PLAN_SWITCHOVER, 125, true).relief_until_wall_us,
                     CASE_WALL + c.config.cooldown_us);
    assert_int_equal(begun_by(PLAN_SWITCHOVER, 122, false).relief_tried, RELIEF_FAILED_OVER);
    assert_int_equal(begun_by(PLAN_SWITCHOVER, 120, true).relief_tried, RELIEF_FAILED_OVER);
    assert_int_equal(begun_by(PLAN_REPOINT, 122, true).relief_tried, RELIEF_FAILED_OVER);
    c.view.record.relief_until_wall_us = CASE_WALL;
    assert_int_equal(begun_by(PLAN_SWITCHOVER, 122, true).relief_tried, RELIEF_SWITCHED);
    assert_int_equal(begun_by(PLAN_FAILOVER, 122, true).relief_tried, RELIEF_FAILED_OVER);
}

/* It is on another server now: if that one is sick as well, moving again helps nobody. */
static void a_relief_that_was_carried_out_is_the_last_of_its_cooldown(void **state)
{
    (void)state;
    static const struct {
        uint16_t rule;
        uint64_t tried;
    } rows[] = {{122, RELIEF_SWITCHED | RELIEF_FAILED_OVER}, {120, RELIEF_SWITCHED}};
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        start(PLAN_SWITCHOVER, 1);
        run.candidate = 1;
        run.params.automatic = true;
        run.params.rule_id = rows[i].rule;
        c.view.record.relief_tried = RELIEF_SWITCHED;
        assert_int_equal(commit(STEP_COMMIT).relief_tried, rows[i].tried);
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(whoever_holds_more_than_the_new_primary_is_set_aside),
        T(a_primary_that_handed_over_keeps_its_birth_unless_it_restarted),
        T(a_weaker_mode_is_adopted_where_lossless_cannot_be_kept),
        T(a_fence_sets_aside_by_who_ordered_it),
        T(only_store_rows_change_the_record),
        T(a_returner_that_was_attached_is_judged_by_its_replica_rule),
        T(a_mode_that_was_recorded_for_nobody_is_given_back),
        T(a_question_past_the_point_of_no_return_names_the_candidate),
        T(a_failover_that_reads_a_broken_promise_forgets_it),
        T(repairs_of_ackers_are_counted_by_the_hour),
        T(what_was_tried_to_relieve_a_primary_is_kept_for_the_cooldown),
        T(a_relief_that_was_carried_out_is_the_last_of_its_cooldown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
