/* tests/unit/controller/decide/test_plan_targets.c - whom a row touches, what exactly is asked of
 * each, and what an undo gives back to whom. */
#include "tests/unit/controller/decide/plan_world.h"

static uint32_t targets(enum step_kind step)
{
    return plan_targets(&run, &c.view, plan_row_of(run.kind, step), CASE_NOW);
}

static struct effect effect_of(enum step_kind step, uint32_t node)
{
    struct effect effect;
    plan_effect(&run, &c.view, plan_row_of(run.kind, step), node, &effect);
    return effect;
}

/* The row after the one that is recorded: everybody who may follow. */
static uint32_t rest_row(void)
{
    uint32_t row = plan_row_of(run.kind, STEP_CANARY_ROUTE);
    while (plan_row_at(&run, row)->target != TARGET_REST)
        row++;
    return row;
}

static void a_switchover_takes_everybody_along_who_follows_and_is_whole(void **state)
{
    (void)state;
    enum { WHOLE, SILENT, SET_ASIDE, ERRANT };
    for (int what = WHOLE; what <= ERRANT; what++) {
        start(PLAN_SWITCHOVER, 1);
        run.candidate = 1;
        c.view.nodes[2].query_ok_mono_us =
            what == SILENT ? STAY_NEVER : c.view.nodes[1].query_ok_mono_us;
        c.view.record.quarantine[2] = what == SET_ASIDE ? QUARANTINE_DIVERGED : QUARANTINE_NONE;
        c.view.nodes[2].errant = what == ERRANT ? TRI_YES : TRI_NO;
        assert_int_equal(plan_targets(&run, &c.view, rest_row(), CASE_NOW), what == WHOLE ? 5 : 1);
    }
}

/* Degraded, the source role goes off before clients come, unless the server is shut already. */
static void a_degraded_candidates_role_goes_off_unless_it_is_off(void **state)
{
    (void)state;
    enum { NOT_DEGRADED, SHUT, OPEN, HAS_ROLE, UNREAD };
    for (int what = NOT_DEGRADED; what <= UNREAD; what++) {
        struct node_view *next = &c.view.nodes[1];
        fail_over();
        run.degrade = what != NOT_DEGRADED;
        next->facts.read_only = what == OPEN ? TRI_NO : TRI_YES;
        next->facts.ss_source_enabled = what == HAS_ROLE ? TRI_YES : TRI_NO;
        next->groups_known = what == UNREAD ? 0 : FACTS_STATUS | FACTS_SLOW;
        assert_int_equal(targets(STEP_SOURCE_OFF), what >= OPEN ? 2 : 0);
    }
}

static void what_diverged_is_neither_attached_nor_waited_for(void **state)
{
    (void)state;
    start(PLAN_REJOIN, 1);
    assert_int_equal(targets(STEP_ATTACH), 2);
    assert_int_equal(targets(STEP_CATCH_UP), 2);
    run.diverged = true;
    assert_int_equal(targets(STEP_ATTACH), 0);
    assert_int_equal(targets(STEP_CATCH_UP), 0);
    assert_int_equal(targets(STEP_QUARANTINE), 1);
}

/* Before the copy a server may be down or hollow already; after it, it is read in any case. */
static void a_reseed_reads_and_stops_only_who_is_there(void **state)
{
    (void)state;
    enum { THERE, SILENT, HOLLOW };
    c.config.reseed_by_command = true;
    case_acks(&c, 1);
    for (int what = THERE; what <= HOLLOW; what++) {
        start(PLAN_RESEED, 2);
        c.view.nodes[2].query_ok_mono_us =
            what == SILENT ? STAY_NEVER : c.view.nodes[1].query_ok_mono_us;
        c.view.record.quarantine[2] = what == HOLLOW ? QUARANTINE_RESEED : QUARANTINE_NONE;
        assert_int_equal(targets(STEP_COMPARE), what == THERE ? 4 : 0);
        assert_int_equal(targets(STEP_DETACH), what == THERE ? 4 : 0);
        assert_int_equal(targets(STEP_QUARANTINE), 1);
        assert_int_equal(targets(STEP_COPY), 4);
        c.view.nodes[2].query_ok_mono_us = c.view.nodes[1].query_ok_mono_us;
        c.view.record.quarantine[2] = QUARANTINE_NONE;
    }
}

/* What it must hold to be attached: what the new source was read to hold, or else what the old
 * primary held when it was closed. */
static void an_attached_server_is_compared_with_the_best_that_is_known(void **state)
{
    (void)state;
    start(PLAN_SWITCHOVER, 1);
    run.candidate = 1;
    assert_ptr_equal(effect_of(STEP_ATTACH, 2).want, &run.fenced_executed);
    run.collected = 2;
    assert_ptr_equal(effect_of(STEP_ATTACH, 2).want, &run.executed[1]);
    assert_ptr_equal(effect_of(STEP_CATCH_UP, 1).want, &run.executed[0]);
    run.fenced = true;
    assert_ptr_equal(effect_of(STEP_CATCH_UP, 1).want, &run.fenced_executed);
    c.view.record.quarantine[1] = QUARANTINE_DIVERGED;
    start(PLAN_REWIND, 1);
    assert_ptr_equal(effect_of(STEP_REWIND, 1).want, &run.executed[0]);
    assert_int_equal(effect_of(STEP_REWIND, 1).peer, 0);
    assert_ptr_equal(effect_of(STEP_CATCH_UP, 1).want, &run.executed[0]);
}

static void a_top_up_wants_what_its_peer_still_has_to_give(void **state)
{
    (void)state;
    fail_over();
    case_gtids(&c, "0-1-90", &run.executed[1]);
    assert_ptr_equal(effect_of(STEP_TOP_UP, 1).want, &run.executed[2]);
    gtid_set_copy(&run.executed[1], &run.executed[2]);
    assert_null(effect_of(STEP_TOP_UP, 1).want);
    assert_int_equal(effect_of(STEP_TOP_UP, 1).peer, NO_NODE);
}

/* A candidate alone prepares, before the pause; it forgets its source later where SOURCE_ON does.
 */
static void a_switchover_does_early_what_can_be_done_early(void **state)
{
    (void)state;
    start(PLAN_SWITCHOVER, 1);
    run.candidate = 1;
    assert_true(effect_of(STEP_CATCH_UP, 1).prepares);
    assert_false(effect_of(STEP_CATCH_UP, 2).prepares);
    assert_true(effect_of(STEP_DETACH, 1).forget_later);
    run.degrade = true;
    assert_false(effect_of(STEP_DETACH, 1).forget_later);
    run.degrade = false;
    run.aims_lossless = false;
    assert_false(effect_of(STEP_DETACH, 1).forget_later);
    run.fenced = true;
    assert_false(effect_of(STEP_CATCH_UP, 1).prepares);
}

/* Of one that is set aside, in its own zone, or in a cluster of a weaker mode, nobody counts it. */
static void the_acker_role_is_for_those_whose_word_counts(void **state)
{
    (void)state;
    start(PLAN_MODE_RESTORE, NO_NODE);
    assert_true(effect_of(STEP_REPLICA_ROLE, 1).semi_sync);
    (void)stay_copy(c.config.nodes[1].zone, sizeof c.config.nodes[1].zone, "a");
    assert_false(effect_of(STEP_REPLICA_ROLE, 1).semi_sync);
    (void)stay_copy(c.config.nodes[1].zone, sizeof c.config.nodes[1].zone, "b");
    c.config.mode = MODE_BOUNDED;
    assert_false(effect_of(STEP_REPLICA_ROLE, 1).semi_sync);
    c.config.mode = MODE_LOSSLESS;
    start(PLAN_QUARANTINE, 1);
    assert_false(effect_of(STEP_REPLICA_ROLE, 1).semi_sync);
}

/* The primary was read after the role was on, and nobody waits: the rest is needless. */
static void a_repaired_acker_is_done_when_nobody_waits(void **state)
{
    (void)state;
    enum { ANSWERED, NOT_ON, OLDER_WORD, WAITS };
    size_t count = 0;
    for (int what = ANSWERED; what <= WAITS; what++) {
        start(PLAN_REPAIR_ACKER, 1);
        uint32_t row = plan_row_of(run.kind, STEP_REPLICA_ROLE), needless = 0;
        int64_t read_us = c.view.nodes[0].facts_begun_mono_us;
        run.rows[row].ended_mono_us = what == NOT_ON       ? STAY_NEVER
                                      : what == OLDER_WORD ? read_us
                                                           : read_us - 1;
        c.view.nodes[0].facts.ss_waiters = what == WAITS ? 1 : 0;
        (void)plan_rows(run.kind, &count);
        for (uint32_t i = row + 1; i < count; i++)
            needless += plan_targets(&run, &c.view, i, CASE_NOW) == 0;
        assert_int_equal(needless > 0, what == ANSWERED);
    }
    c.view.nodes[0].facts.ss_waiters = 0;
}

static uint32_t undo(enum step_kind step)
{
    uint32_t row = plan_row_of(run.kind, step);
    run.rows[row].touched = 7;
    return plan_undo_targets(&run, &c.view, row, CASE_NOW);
}

/* The old primary is opened again only as the process it was, with all that anybody holds. */
static void only_a_whole_old_primary_is_opened_again(void **state)
{
    (void)state;
    enum { WHOLE, NONE, WAS_CLOSED, RESTARTED, SILENT, UNFENCED, LACKS_RECEIVED, LACKS_EXECUTED };
    for (int what = WHOLE; what <= LACKS_EXECUTED; what++) {
        struct node_view *old = &c.view.nodes[0];
        fail_over();
        old->query_ok_mono_us = what == SILENT ? STAY_NEVER : old->facts_mono_us;
        run.old_primary = what == NONE ? NO_NODE : 0;
        run.was_open = what != WAS_CLOSED;
        run.restarted = what == RESTARTED ? 1 : 0;
        run.fenced = what != UNFENCED;
        if (what == LACKS_RECEIVED || what == UNFENCED)
            case_gtids(&c, "0-1-101", &run.received_high[2]);
        if (what == LACKS_EXECUTED)
            case_gtids(&c, "0-1-101", &run.executed[2]);
        bool opens = what == WHOLE || what == UNFENCED; /* unheard: its process alone counts */
        assert_int_equal(undo(STEP_FENCE) != 0, opens);
    }
}

/* Who was moved is given back a source whose set is known, and never while it takes writes. */
static void who_was_moved_is_attached_to_a_source_that_was_read(void **state)
{
    (void)state;
    enum { READ, FENCED, UNREAD, NO_SOURCE, OPEN };
    for (int what = READ; what <= OPEN; what++) {
        fail_over();
        run.moved = 2;
        run.received = 6;
        run.fenced = what == FENCED;
        c.view.nodes[0].groups_known = what == READ || what == OPEN ? FACTS_STATUS : 0;
        c.view.nodes[1].facts.read_only = what == OPEN ? TRI_NO : TRI_YES;
        c.view.nodes[0].query_ok_mono_us = STAY_NEVER;
        if (what == NO_SOURCE)
            run.old_primary = NO_NODE;
        assert_int_equal(undo(STEP_FREEZE), what == READ || what == FENCED ? 6 : 4);
    }
    c.view.nodes[1].facts.read_only = TRI_YES;
    c.view.nodes[1].groups_known = 0; /* unread itself: no word of it says that it is open */
    fail_over();
    run.moved = 2;
    run.fenced = true;
    assert_int_equal(undo(STEP_FREEZE) & 2, 2);
}

static void rows_without_an_undo_are_left_alone(void **state)
{
    (void)state;
    fail_over();
    assert_int_equal(undo(STEP_DRAIN), 0);
    assert_int_equal(undo(STEP_COMMIT), 0);
    start(PLAN_FENCE, 1);
    assert_int_equal(undo(STEP_FENCE), 0); /* a human closed it */
}

static void an_undone_attachment_wants_what_the_old_primary_was_last_known_to_hold(void **state)
{
    (void)state;
    for (int known = 0; known < 2; known++) {
        struct effect effect;
        fail_over();
        run.moved = 2;
        run.old_primary = known != 0 ? 0 : NO_NODE;
        plan_undo_effect(&run, &c.view, plan_row_of(run.kind, STEP_FREEZE), 1, &effect);
        assert_int_equal(effect.step, STEP_ATTACH);
        if (known != 0) /* it was seen last before it died: db2 received from it since */
            assert_ptr_equal(effect.want, &run.received_high[1]);
        else
            assert_null(effect.want);
    }
    gtid_set_clear(&run.received_high[1]);
    run.old_primary = 0;
    struct effect effect;
    plan_undo_effect(&run, &c.view, plan_row_of(run.kind, STEP_FREEZE), 1, &effect);
    assert_ptr_equal(effect.want, &c.view.nodes[0].facts.executed);
    run.fenced = true;
    plan_undo_effect(&run, &c.view, plan_row_of(run.kind, STEP_FREEZE), 1, &effect);
    assert_ptr_equal(effect.want, &run.fenced_executed);
}

static void long_drains_go_by_slices_and_short_ones_do_not(void **state)
{
    (void)state;
    run.kind = PLAN_FAILOVER;
    assert_int_equal(plan_effect_deadline_us(&run, plan_row_of(run.kind, STEP_DRAIN)),
                     PLAN_DRAIN_SLICE_US);
    assert_int_equal(plan_effect_deadline_us(&run, plan_row_of(run.kind, STEP_TOP_UP)),
                     PLAN_DRAIN_SLICE_US);
    assert_int_equal(plan_effect_deadline_us(&run, plan_row_of(run.kind, STEP_WRITABLE)),
                     3 * STAY_SECOND);
    run.kind = PLAN_RESEED; /* jobs are asked how far they are, again and again */
    assert_int_equal(plan_effect_deadline_us(&run, plan_row_of(run.kind, STEP_COPY)),
                     PLAN_COPY_SLICE_US);
    run.kind = PLAN_REWIND;
    assert_int_equal(plan_effect_deadline_us(&run, plan_row_of(run.kind, STEP_REWIND)),
                     PLAN_COPY_SLICE_US);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_switchover_takes_everybody_along_who_follows_and_is_whole),
        T(a_degraded_candidates_role_goes_off_unless_it_is_off),
        T(what_diverged_is_neither_attached_nor_waited_for),
        T(a_reseed_reads_and_stops_only_who_is_there),
        T(an_attached_server_is_compared_with_the_best_that_is_known),
        T(a_top_up_wants_what_its_peer_still_has_to_give),
        T(a_switchover_does_early_what_can_be_done_early),
        T(the_acker_role_is_for_those_whose_word_counts),
        T(a_repaired_acker_is_done_when_nobody_waits),
        T(only_a_whole_old_primary_is_opened_again),
        T(who_was_moved_is_attached_to_a_source_that_was_read),
        T(rows_without_an_undo_are_left_alone),
        T(an_undone_attachment_wants_what_the_old_primary_was_last_known_to_hold),
        T(long_drains_go_by_slices_and_short_ones_do_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
