/* tests/unit/controller/decide/test_decide.c - the turn as a whole: what is wanted again and
 * when, what a running plan holds back, and guards for people. */
#include "decide_world.h"

static struct plan_run *run_of(enum plan_kind kind, enum plan_state state, uint32_t node)
{
    struct plan_run *run = stay_calloc(1, sizeof *run);
    run->kind = kind;
    run->state = state;
    run->params.node = node;
    run->begun_mono_us = w.now - SEC(5);
    run->ended_mono_us = w.now;
    return run;
}

static void a_failover_that_was_undone_is_not_wanted_again_at_once(void **state)
{
    (void)state;
    kill_db1();
    struct plan_run *run = run_of(PLAN_FAILOVER, RUN_UNDONE, NO_NODE);
    assert_int_equal(judge_with(run, NULL).want, PLAN_NONE);
    int64_t ended = w.now;
    while (w.now - ended < SEC(30)) {
        assert_int_equal(judge_with(run, NULL).want, PLAN_NONE);
        w.now += MS(500);
        lose(&w, 0, LAYER_CONNECT, OUT_REFUSED, MS(0));
        see(&w, 1);
        see(&w, 2);
        w.now += MS(2);
    }
    struct decision d = judge_with(run, NULL);
    assert_int_equal(d.verdict.rule_id, 120);
    assert_int_equal(d.want, PLAN_FAILOVER);
    free(run);
}

/* Seen on servers: db2 was killed as a switchover began, and writes stood for 30 s. */
static void a_failover_waits_for_no_other_plan_that_was_undone(void **state)
{
    (void)state;
    kill_db1();
    struct plan_run *run = run_of(PLAN_SWITCHOVER, RUN_UNDONE, NO_NODE);
    assert_int_equal(judge_with(run, NULL).want, PLAN_FAILOVER);
    free(run);
}

/* It came back, was opened again, and died 5 s later: a new death. */
static void a_primary_that_came_back_and_stayed_may_die_again(void **state)
{
    (void)state;
    kill_db1();
    struct plan_run *run = run_of(PLAN_FAILOVER, RUN_UNDONE, NO_NODE);
    run->stays = true;
    assert_int_equal(judge_with(run, NULL).want, PLAN_FAILOVER);
    free(run);
}

static void a_running_plan_is_a_veto_not_a_blindfold(void **state)
{
    (void)state;
    kill_db1();
    struct plan_run *run = run_of(PLAN_FAILOVER, RUN_FORWARD, NO_NODE);
    struct decision d = judge_with(run, NULL);
    assert_int_equal(d.verdict.rule_id, 120);
    assert_int_equal(d.want, PLAN_FAILOVER);
    assert_int_equal(d.vetoes, 1U << GUARD_BUSY);
    assert_non_null(strstr(d.text, "refused by busy"));
    run->state = RUN_UNDOING;
    assert_int_equal(judge_with(run, NULL).vetoes, 1U << GUARD_BUSY);
    free(run);
}

static void facts_from_before_a_plan_ended_start_no_other(void **state)
{
    (void)state;
    w.facts[1].receiver = RECEIVER_STOPPED;
    see(&w, 1);
    w.now += MS(2);
    struct plan_run *run = run_of(PLAN_SWITCHOVER, RUN_SUCCEEDED, 1);
    assert_int_equal(judge_with(run, NULL).want, PLAN_NONE);
    w.now += MS(100);
    see(&w, 1);
    w.now += MS(2);
    assert_int_equal(judge_with(run, NULL).want, PLAN_NONE); /* suspicion */
    healthy(&w, 1);
    struct decision d = judge_with(run, NULL);
    assert_int_equal(d.want, PLAN_REJOIN);
    assert_int_equal(d.params.node, 1);
    assert_int_equal(d.params.rule_id, 202);
    free(run);
}

static void a_rejoin_that_failed_leaves_the_next_node_its_turn(void **state)
{
    (void)state;
    struct plan_run *run = run_of(PLAN_REJOIN, RUN_ASKS, 1);
    w.now += MS(10);
    w.facts[1].receiver = w.facts[2].receiver = RECEIVER_STOPPED;
    healthy(&w, 5);
    struct decision d = judge_with(run, NULL);
    assert_int_equal(d.want, PLAN_REJOIN);
    assert_int_equal(d.params.node, 2);
    free(run);
}

/* A MySQL whose logins hang behind commits that wait looks hung: its waiters are released first. */
static void a_degrade_past_its_record_does_not_give_way(void **state)
{
    (void)state;
    struct plan_run *run = run_of(PLAN_MODE_DEGRADE, RUN_FORWARD, NO_NODE);
    struct decision d = {
        .want = PLAN_FAILOVER, .vetoes = UINT32_C(1) << GUARD_BUSY, .verdict = {.rule_id = 121}};
    run->row = plan_row_of(PLAN_MODE_DEGRADE, STEP_STORE_MODE);
    assert_true(guard_preempts(&d, run));
    run->row++;
    assert_false(guard_preempts(&d, run));
    d.verdict.rule_id = 120; /* gone: nobody waits there any more */
    assert_true(guard_preempts(&d, run));
    run->kind = PLAN_MODE_RESTORE;
    d.verdict.rule_id = 121;
    assert_true(guard_preempts(&d, run));
    free(run);
}

static void after_a_failover_that_asks_past_no_return_nothing_is_started(void **state)
{
    (void)state;
    struct plan_run *run = run_of(PLAN_FAILOVER, RUN_ASKS, NO_NODE);
    w.facts[1].receiver = RECEIVER_STOPPED;
    healthy(&w, 5);
    assert_int_equal(judge_with(run, NULL).want, PLAN_REJOIN);
    run->past_no_return = true;
    run->candidate = 1;
    assert_int_equal(judge_with(run, NULL).want, PLAN_NONE);
    run->kind = PLAN_SWITCHOVER;
    assert_int_equal(judge_with(run, NULL).want, PLAN_NONE);
    run->candidate = w.view.primary; /* the store names it: no doubt is left */
    assert_int_equal(judge_with(run, NULL).want, PLAN_REJOIN);
    run->kind = PLAN_MAKE_WRITABLE;
    assert_int_equal(judge_with(run, NULL).want, PLAN_REJOIN);
    free(run);
}

/* The controller was down, the primary died, a human made db2 the primary; then the old one returns
 * read-only and the controller with its old record. */
static void a_takeover_by_hand_is_not_undone(void **state)
{
    (void)state;
    w.facts[0].read_only = TRI_YES;
    w.facts[0].super_read_only = TRI_YES;
    w.facts[1].read_only = TRI_NO;
    w.facts[1].super_read_only = TRI_NO;
    w.facts[1].receiver = RECEIVER_NONE;
    struct gtid_set more = {0};
    assert_int_equal(gtid_set_parse(GTID_MARIADB, "0-2-999", &more, NULL), STAY_OK);
    gtid_set_union(&w.facts[1].executed, &more);
    gtid_set_clear(&more);
    for (int turn = 0; turn < 4; turn++) {
        w.now += MS(500);
        for (uint32_t n = 0; n < 3; n++)
            see(&w, n);
        struct decision d = judge_with(NULL, NULL);
        assert_int_not_equal(d.want, PLAN_FENCE);
        assert_true(d.want != PLAN_MAKE_WRITABLE || d.vetoes == 1U << GUARD_TAKEN_OVER);
    }
    struct decision d = judge_with(NULL, NULL);
    assert_int_equal(d.verdict.rule_id, 130);
    assert_int_equal(d.want, PLAN_MAKE_WRITABLE);
    assert_non_null(strstr(d.text, "refused by taken-over"));
    w.view.record.quarantine[1] = QUARANTINE_STALE_PRIMARY; /* but a stale primary is closed */
    assert_int_equal(judge_with(NULL, NULL).want, PLAN_FENCE);
}

static void our_own_plan_breaks_nothing_but_new_ackers_count(void **state)
{
    (void)state;
    w.view.record.ackers = 2;
    w.facts[0].ss_no_times = 5;
    w.now += MS(400);
    see_all(&w);
    static const enum plan_kind ours[] = {PLAN_FAILOVER,     PLAN_SWITCHOVER,   PLAN_ADOPT,
                                          PLAN_MODE_RESTORE, PLAN_MODE_DEGRADE, PLAN_MAKE_WRITABLE,
                                          PLAN_FENCE,        PLAN_UNFENCE};
    for (size_t i = 0; i < STAY_COUNT(ours); i++) {
        struct plan_run *run = run_of(ours[i], RUN_FORWARD, NO_NODE);
        if (ours[i] == PLAN_SWITCHOVER) /* until then it waits, and has touched nothing */
            run->row = plan_row_of(PLAN_SWITCHOVER, STEP_ROUTE_CLOSE);
        struct decision d = judge_with(run, NULL);
        assert_true(d.record_changed);
        assert_true(d.record.lossless_stands);
        assert_int_equal(d.record.ackers, 6);
        free(run);
    }
    static const enum plan_kind others[] = {PLAN_REJOIN, PLAN_REPOINT, PLAN_QUARANTINE,
                                            PLAN_START_APPLIER, PLAN_NONE};
    for (size_t i = 0; i < STAY_COUNT(others); i++) {
        struct plan_run *run = run_of(others[i], RUN_FORWARD, 1);
        assert_false(judge_with(run, NULL).record.lossless_stands);
        free(run);
    }
}

static void watch_under_a_plan_needs_a_primary_that_answers(void **state)
{
    (void)state;
    w.view.record.ackers = w.view.record.born_known = 2;
    struct plan_run *run = run_of(PLAN_FAILOVER, RUN_FORWARD, NO_NODE);
    w.now += SEC(10);
    assert_false(judge_with(run, NULL).record_changed);
    w.view.primary = NO_NODE;
    assert_false(judge_with(run, NULL).record_changed);
    w.view.primary = 0;
    w.view.record.lossless_stands = false;
    assert_false(judge_with(run, NULL).record_changed);
    free(run);
}

static void fleet_limits_hold_automatic_failovers_only(void **state)
{
    (void)state;
    kill_db1();
    struct fleet fleet = {.failovers_last_hour = 3,
                          .failovers_per_hour = 3,
                          .busy_zones = {"x", "a"},
                          .busy_zone_count = 2};
    assert_int_equal(judge_with(NULL, &fleet).vetoes,
                     1U << GUARD_HOURLY_LIMIT | 1U << GUARD_ZONE_LIMIT);
    assert_int_equal(guard_check(&w.view, NULL, &fleet, PLAN_FAILOVER, false, w.now, wall_of(&w)),
                     0);
    fleet.busy_zone_count = 1;
    fleet.failovers_last_hour = 2;
    assert_int_equal(judge_with(NULL, &fleet).vetoes, 0);
    fleet.failovers_per_hour = 2; /* the operator's number, whatever it is */
    assert_int_equal(judge_with(NULL, &fleet).vetoes, 1U << GUARD_HOURLY_LIMIT);
    fleet.failovers_per_hour = 0;
    fleet.failovers_last_hour = 99;
    assert_int_equal(judge_with(NULL, &fleet).vetoes, 0);
    w.view.primary = NO_NODE;
    assert_int_equal(guard_check(&w.view, NULL, &fleet, PLAN_FAILOVER, true, w.now, wall_of(&w)),
                     0);
}

static void people_may_pass_what_holds_automation(void **state)
{
    (void)state;
    struct cluster_record *r = &w.view.record;
    r->maintenance_until_wall_us = r->cooldown_until_wall_us = INT64_MAX;
    w.view.hold_until_mono_us = INT64_MAX;
    w.config.failover = FAILOVER_OBSERVE;
    assert_int_equal(guard_check(&w.view, NULL, NULL, PLAN_SWITCHOVER, false, w.now, wall_of(&w)),
                     0);
    w.view.store_ok = false;
    r->paused = true;
    assert_int_equal(guard_check(&w.view, NULL, NULL, PLAN_SWITCHOVER, false, w.now, wall_of(&w)),
                     1U << GUARD_STORE | 1U << GUARD_PAUSED);
    w.view.store_ok = true;
    r->paused = r->adopted = false;
    w.view.paused_all = true;
    assert_int_equal(guard_check(&w.view, NULL, NULL, PLAN_ADOPT, false, w.now, wall_of(&w)),
                     1U << GUARD_PAUSED);
    w.view.paused_all = false;
    assert_int_equal(guard_check(&w.view, NULL, NULL, PLAN_REJOIN, false, w.now, wall_of(&w)),
                     1U << GUARD_NOT_ADOPTED);
    assert_int_equal(guard_check(&w.view, NULL, NULL, PLAN_REJOIN, true, w.now, wall_of(&w)),
                     1U << GUARD_NOT_ADOPTED | 1U << GUARD_MAINTENANCE | 1U << GUARD_HOLD |
                         1U << GUARD_CONFIRM);
}

static void grace_counts_from_suspicion(void **state)
{
    (void)state;
    w.config.grace_us = SEC(1);
    kill_db1();
    assert_int_equal(judge_with(NULL, NULL).vetoes, 1U << GUARD_GRACE);
    for (int i = 0; i < 8; i++) {
        w.now += MS(100);
        lose(&w, 0, LAYER_CONNECT, OUT_REFUSED, MS(0));
        see(&w, 1);
    }
    w.now += MS(2);
    assert_int_equal(judge_with(NULL, NULL).vetoes, 0);
    assert_int_equal(judge_with(NULL, NULL).want, PLAN_FAILOVER);
}

static void a_turn_takes_microseconds(void **state)
{
    (void)state;
    struct timespec a, b;
    struct decision d;
    struct fleet fleet = {0};
    enum { TURNS = 20000 };
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
    for (int i = 0; i < TURNS; i++)
        decide(&w.view, NULL, &fleet, w.now, wall_of(&w), &d);
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
    double ns = (double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec);
    double us = ns / 1e3 / TURNS;
    printf("decide() on three healthy nodes: %.2f us of processor time\n", us);
    assert_int_equal(d.verdict.rule_id, 100); /* the time is printed, never asserted */
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_failover_that_was_undone_is_not_wanted_again_at_once),
        T(a_failover_waits_for_no_other_plan_that_was_undone),
        T(a_primary_that_came_back_and_stayed_may_die_again),
        T(a_running_plan_is_a_veto_not_a_blindfold),
        T(facts_from_before_a_plan_ended_start_no_other),
        T(a_rejoin_that_failed_leaves_the_next_node_its_turn),
        T(a_degrade_past_its_record_does_not_give_way),
        T(after_a_failover_that_asks_past_no_return_nothing_is_started),
        T(a_takeover_by_hand_is_not_undone),
        T(our_own_plan_breaks_nothing_but_new_ackers_count),
        T(watch_under_a_plan_needs_a_primary_that_answers),
        T(fleet_limits_hold_automatic_failovers_only),
        T(people_may_pass_what_holds_automation),
        T(grace_counts_from_suspicion),
        T(a_turn_takes_microseconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
