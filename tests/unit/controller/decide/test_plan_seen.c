/* tests/unit/controller/decide/test_plan_seen.c - the small questions plans ask of the view and of
 * a run: who answers, who restarted and when that counts, who wrote what by hand. */
#include "tests/unit/controller/decide/plan_world.h"

#include "controller/decide/cluster_written.h"

static void what_is_no_node_is_in_no_zone_and_answers_nothing(void **state)
{
    (void)state;
    assert_true(plan_zones_differ(&c.view, 0, 1));
    assert_false(plan_zones_differ(&c.view, NO_NODE, 1));
    assert_false(plan_zones_differ(&c.view, 0, NO_NODE));
    assert_false(plan_node_answers(&c.view, NO_NODE, PLAN_ANSWERS_US, CASE_NOW));
    assert_string_equal(plan_node_name(&c.view, NO_NODE), "-");
}

static void a_role_that_is_needed_stays(void **state)
{
    (void)state;
    static const struct {
        enum tri enabled, on;
        uint32_t ackers; /* the primary shows */
        bool may_stop;
    } rows[] = {
        {TRI_NO, TRI_NO, 0, false},   /* nothing to stop */
        {TRI_NO, TRI_YES, 0, true},   /* switched off, and on until its receiver restarts */
        {TRI_YES, TRI_NO, 4, true},   /* it does not acknowledge */
        {TRI_YES, TRI_YES, 2, false}, /* clients wait for it alone */
        {TRI_YES, TRI_YES, 6, true},
    };
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        struct server_facts *primary = &c.view.nodes[0].facts;
        primary->dump_peer_count = 0;
        primary->ss_clients = 0;
        for (uint32_t node = 1; node < 3; node++) {
            c.view.nodes[node].facts.ss_replica_on = TRI_NO;
            c.view.nodes[node].acker_seen_mono_us = STAY_NEVER;
            if (rows[i].ackers & NODE_BIT(node))
                case_acks(&c, node);
        }
        c.view.nodes[1].facts.ss_replica_enabled = rows[i].enabled;
        c.view.nodes[1].facts.ss_replica_on = rows[i].on;
        assert_int_equal(plan_may_stop_acking(&c.view, 1), rows[i].may_stop);
    }
}

static void revocation_needs_ackers_and_fewer_than_k_of_them_loose(void **state)
{
    (void)state;
    static const struct {
        uint32_t a, f;
        uint64_t acks;
        bool proof;
    } rows[] = {{6, 6, 1, true}, {6, 4, 1, false}, {6, 4, 2, true}, {0, 6, 1, false}};
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        fail_over();
        run.a = rows[i].a;
        run.f = rows[i].f;
        run.acks = rows[i].acks;
        assert_int_equal(plan_has_proof(&run, &c.view), rows[i].proof);
    }
    run.mode = MODE_BOUNDED; /* judged by the estimate */
    assert_true(plan_has_proof(&run, &c.view));
}

/* Recorded by a controller before this one: older than all that this one knows. */
static void a_recorded_restart_counts_until_one_is_seen(void **state)
{
    (void)state;
    struct node_view *seen = &c.view.nodes[1];
    assert_true(plan_restarted_us(&c.view, 1) == STAY_NEVER);
    c.view.record.restarted = 2;
    assert_int_equal(plan_restarted_us(&c.view, 1), 0);
    seen->restarted_mono_us = CASE_NOW - STAY_SECOND;
    assert_int_equal(plan_restarted_us(&c.view, 1), CASE_NOW - STAY_SECOND);
    seen->restarted_mono_us = STAY_NEVER;
    seen->caught_up_mono_us = CASE_NOW; /* it holds all again */
    assert_true(plan_restarted_us(&c.view, 1) == STAY_NEVER);
}

/* Restarted about the time of the primary's last acknowledged canary, or after it. */
static void who_restarted_after_the_last_answered_commit_tells_nothing(void **state)
{
    (void)state;
    int64_t at = CASE_NOW - 10 * STAY_SECOND;
    const struct {
        int64_t restarted, caught_up, acked;
        bool tells_nothing;
    } rows[] = {
        {STAY_NEVER, STAY_NEVER, STAY_NEVER, false},
        {at, STAY_NEVER, STAY_NEVER, true},
        {at, at + 1, STAY_NEVER, false},
        {at, STAY_NEVER, at + STAY_SECOND, true},
        {at, STAY_NEVER, at + 3 * STAY_SECOND, false},
    };
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        c.view.nodes[1].restarted_mono_us = rows[i].restarted;
        c.view.nodes[1].caught_up_mono_us = rows[i].caught_up;
        c.view.nodes[0].canary_ok_mono_us = rows[i].acked;
        assert_int_equal(plan_tells_nothing(&c.view, 1), rows[i].tells_nothing);
    }
}

static void a_restart_counts_where_nothing_shows_that_it_cost_nothing(void **state)
{
    (void)state;
    enum { HOLDS_ALL, LACKS, PRIMARY_OLDER, BOTH_RESTARTED, PRIMARY_ONLY, NO_PRIMARY, NONE };
    static const bool counts[] = {false, true, true, true, false, false, false};
    for (int what = HOLDS_ALL; what <= NONE; what++) {
        STAY_AUTO(gtid_set_drop) struct gtid_set held = {0};
        struct node_view *primary = &c.view.nodes[0];
        int64_t read_us = primary->facts_begun_mono_us;
        case_gtids(&c, what == LACKS ? "0-1-99" : "0-1-100", &held);
        c.view.nodes[1].restarted_mono_us = what == NONE            ? STAY_NEVER
                                            : what == PRIMARY_OLDER ? CASE_NOW
                                                                    : read_us - STAY_SECOND;
        bool restarted = what == BOTH_RESTARTED || what == PRIMARY_ONLY;
        primary->restarted_mono_us = restarted ? read_us - 1 : STAY_NEVER;
        primary->facts.start_role_replica = restarted ? TRI_YES : TRI_NO;
        c.view.nodes[1].caught_up_mono_us = what == PRIMARY_ONLY ? CASE_NOW : STAY_NEVER;
        c.view.primary = what == NO_PRIMARY ? NO_NODE : 0;
        if (what == BOTH_RESTARTED)
            assert_true(cluster_may_have_lost_tail(&c.view, 0));
        assert_int_equal(plan_restart_counts(&c.view, 1, &held), counts[what]);
    }
}

static void a_process_is_known_by_its_freeze_or_its_catching_up(void **state)
{
    (void)state;
    fail_over();
    run.f = 2;
    assert_true(plan_born_mono_us(&run, 1) < CASE_NOW);
    assert_true(plan_born_mono_us(&run, 0) < CASE_NOW);
    assert_true(plan_born_mono_us(&run, 2) == INT64_MAX); /* collected, and by a failover */
    run.kind = PLAN_SWITCHOVER;
    assert_true(plan_born_mono_us(&run, 2) < CASE_NOW);
    run.collected = 0;
    assert_true(plan_born_mono_us(&run, 2) == INT64_MAX);
}

static void a_primary_that_is_unread_or_none_was_not_seen_to_restart(void **state)
{
    (void)state;
    fail_over();
    assert_false(plan_primary_restarted(&run, &c.view));
    c.view.nodes[0].facts.uptime_s = 1;
    assert_true(plan_primary_restarted(&run, &c.view));
    c.view.nodes[0].groups_known = 0;
    assert_false(plan_primary_restarted(&run, &c.view));
    run.restarted = 1;
    assert_true(plan_primary_restarted(&run, &c.view));
    run.old_primary = NO_NODE;
    assert_false(plan_primary_restarted(&run, &c.view));
}

static void acknowledgements_flow_when_something_moved_lately(void **state)
{
    (void)state;
    struct node_view *primary = &c.view.nodes[0];
    assert_true(plan_acks_flowed(&c.view, 0));
    primary->ss_progress_mono_us = primary->facts_mono_us - STAY_SECOND - 1;
    assert_false(plan_acks_flowed(&c.view, 0));
    primary->ss_progress_mono_us = STAY_NEVER; /* never read */
    assert_false(plan_acks_flowed(&c.view, 0));
}

#define OWN "3e11fa47-71ca-11e1-9e33-c80aa9429562"

/* What db2 wrote beyond the first `kept` is by hand, and nobody's loss; in two domains or under two
 * tags at once that cannot be told apart. */
static void what_was_written_by_hand_need_not_survive(void **state)
{
    (void)state;
    static const struct {
        enum engine engine;
        const char *held, *left;
        uint64_t kept;
        bool twin;
    } rows[] = {
        {ENGINE_MARIADB, "0-1-100", "0-1-100", 0, false},
        {ENGINE_MARIADB, "0-1-100,0-2-5", "0-1-100", 0, false},
        {ENGINE_MARIADB, "0-1-100,0-2-5", "0-1-100,0-2-3", 3, false},
        {ENGINE_MARIADB, "0-1-100,0-2-5", "0-1-100,0-2-5", 5, false},
        {ENGINE_MARIADB, "0-1-100,0-2-5,1-2-9", "0-1-100,0-2-5,1-2-9", 3, false},
        {ENGINE_MARIADB, "0-1-100,0-2-5,1-2-9", "0-1-100", 3, true},
        {ENGINE_MYSQL, OWN ":1-9", OWN ":1-4", 4, false},
        {ENGINE_MYSQL, OWN ":1-4:6-9", OWN ":1-4", 4, false}, /* all of the first is kept */
        {ENGINE_MYSQL, OWN ":1-9:blue:1-3", OWN ":1-9:blue:1-3", 4, false},
    };
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        STAY_AUTO(gtid_set_drop) struct gtid_set left = {0};
        STAY_AUTO(gtid_set_drop) struct gtid_set want = {0};
        fail_over();
        plan_run_clear(&run);
        run.kind = PLAN_FAILOVER;
        c.config.engine = rows[i].engine;
        (void)stay_copy(c.view.nodes[1].facts.server_uuid, sizeof c.view.nodes[1].facts.server_uuid,
                        OWN);
        c.view.record.written_known = 2;
        c.view.record.written[1] = rows[i].kept;
        c.view.record.twins = rows[i].twin ? 2 : 0;
        case_gtids(&c, rows[i].held, &run.executed[1]);
        case_gtids(&c, rows[i].left, &want);
        plan_contribution(&run, &c.view, 1, &left);
        if (!gtid_set_equal(&left, &want)) {
            STAY_AUTO(stay_free_charp) char *text = gtid_set_format(&left);
            fail_msg("row %zu: %s", i, text);
        }
        plan_run_clear(&run);
        c.config.engine = ENGINE_MARIADB;
    }
}

static void count_row(void *ctx, enum plan_kind kind, uint32_t row, const struct plan_row *what)
{
    uint32_t *count = ctx;
    (*count)++;
    assert_true(kind > PLAN_NONE && kind < PLAN_KIND_COUNT);
    assert_true(row < PLAN_ROWS_MAX);
    assert_true(what->why[0] != '\0');
    assert_true(what->deadline_us > 0);
    assert_true(step_kind_class(what->step) != CLASS_NODE || what->target != TARGET_NONE);
    assert_true(plan_step_validity_us(what->step) >= 500 * STAY_MS);
    if (what->step == STEP_DRAIN || what->step == STEP_TOP_UP) /* by slices */
        assert_true(what->deadline_us > PLAN_DRAIN_SLICE_US);
}

static void every_row_of_every_plan_says_why_and_whom(void **state)
{
    (void)state;
    uint32_t count = 0;
    plan_visit(count_row, &count);
    assert_true(count > 100);
    assert_int_equal(plan_kind_named("make writable"), PLAN_MAKE_WRITABLE);
    assert_int_equal(plan_kind_named("none at all"), PLAN_NONE);
    assert_true(plan_step_validity_us(STEP_WRITABLE) == 500 * STAY_MS); /* makes a server open */
    assert_true(plan_step_validity_us(STEP_REWIND) > 3600 * STAY_SECOND);
}

/* How many acknowledgements the old primary waited for: MySQL's own word counts where it is less.
 */
static void a_dead_primarys_k_is_what_it_was_seen_to_wait_for(void **state)
{
    (void)state;
    static const struct {
        enum engine engine;
        enum tri enabled;
        uint64_t waits;
        uint32_t acks;
    } rows[] = {{ENGINE_MARIADB, TRI_YES, 1, 3},
                {ENGINE_MYSQL, TRI_YES, 1, 1},
                {ENGINE_MYSQL, TRI_YES, 5, 3},
                {ENGINE_MYSQL, TRI_NO, 1, 3},
                {ENGINE_MYSQL, TRI_YES, 0, 3}};
    c.config.acks = 3;
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        c.config.engine = rows[i].engine;
        c.view.nodes[0].facts.ss_source_enabled = rows[i].enabled;
        c.view.nodes[0].facts.ss_wait_count = rows[i].waits;
        assert_int_equal(plan_acks_waited_for(&c.view), rows[i].acks);
    }
    c.view.primary = NO_NODE;
    assert_int_equal(plan_acks_waited_for(&c.view), 3);
    c.config.engine = ENGINE_MARIADB;
}

/* Connected at the primary's last word; one whose receiver stood still then had no connection. */
static void who_was_connected_when_the_primary_was_last_read_is_noted(void **state)
{
    (void)state;
    for (int stopped = 0; stopped < 2; stopped++) {
        int64_t read_us = c.view.nodes[0].facts_mono_us;
        c.view.nodes[1].acker_seen_mono_us = read_us;
        c.view.nodes[1].receiver_off_mono_us = stopped != 0 ? read_us : STAY_NEVER;
        fail_over();
        assert_int_equal(run.acking, stopped != 0 ? 0 : 2);
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(what_is_no_node_is_in_no_zone_and_answers_nothing),
        T(a_role_that_is_needed_stays),
        T(revocation_needs_ackers_and_fewer_than_k_of_them_loose),
        T(a_recorded_restart_counts_until_one_is_seen),
        T(who_restarted_after_the_last_answered_commit_tells_nothing),
        T(a_restart_counts_where_nothing_shows_that_it_cost_nothing),
        T(a_process_is_known_by_its_freeze_or_its_catching_up),
        T(a_primary_that_is_unread_or_none_was_not_seen_to_restart),
        T(acknowledgements_flow_when_something_moved_lately),
        T(what_was_written_by_hand_need_not_survive),
        T(a_dead_primarys_k_is_what_it_was_seen_to_wait_for),
        T(who_was_connected_when_the_primary_was_last_read_is_noted),
        T(every_row_of_every_plan_says_why_and_whom),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
