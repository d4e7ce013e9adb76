/* tests/unit/controller/decide/test_decide_guards.c - what gives way to what, what a turn remembers
 * of plans that ended, and what it says when much forbids it. */
#include "decide_world.h"

#include "controller/decide/plan_private.h"

static struct plan_run run;

static int setup_run(void **state)
{
    (void)setup(state);
    run = (struct plan_run){.kind = PLAN_FAILOVER, .state = RUN_FORWARD};
    run.params.node = run.candidate = run.old_primary = NO_NODE;
    run.begun_mono_us = w.now - SEC(5);
    run.ended_mono_us = w.now;
    return 0;
}

static int teardown_run(void **state)
{
    plan_run_clear(&run);
    return teardown(state);
}

static uint32_t check(enum plan_kind kind, bool automatic, const struct fleet *fleet)
{
    return guard_check(&w.view, NULL, fleet, kind, automatic, w.now, wall_of(&w));
}

static void no_more_copies_than_the_limit_run_at_once(void **state)
{
    (void)state;
    struct fleet fleet = {.reseeds_full = true};
    assert_int_equal(check(PLAN_RESEED, true, &fleet), 1u << GUARD_RESEED_LIMIT);
    assert_int_equal(check(PLAN_REJOIN, true, &fleet), 0);
    assert_int_equal(check(PLAN_RESEED, true, NULL), 0);
    fleet.reseeds_full = false;
    assert_int_equal(check(PLAN_RESEED, true, &fleet), 0);
}

static void cooldown_holds_failovers_not_switchovers(void **state)
{
    (void)state;
    struct fleet fleet = {.failovers_last_hour = 3, .failovers_per_hour = 3};
    w.view.record.cooldown_until_wall_us = wall_of(&w) + SEC(60);
    assert_int_equal(check(PLAN_FAILOVER, true, &fleet),
                     1u << GUARD_COOLDOWN | 1u << GUARD_HOURLY_LIMIT);
    assert_int_equal(check(PLAN_SWITCHOVER, true, &fleet), 0);
}

static bool gives_way(enum plan_kind running, enum plan_kind wanted, uint32_t node)
{
    struct decision d = {.want = wanted,
                         .params = {.node = node},
                         .vetoes = 1u << GUARD_BUSY,
                         .verdict = {.rule_id = 121}};
    run.kind = running;
    return guard_preempts(&d, &run);
}

static void a_copy_gives_way_to_what_clients_wait_for(void **state)
{
    (void)state;
    run.params.node = 2;
    assert_true(gives_way(PLAN_RESEED, PLAN_FAILOVER, NO_NODE));
    assert_true(gives_way(PLAN_RESEED, PLAN_MAKE_WRITABLE, NO_NODE));
    assert_true(gives_way(PLAN_RESEED, PLAN_MODE_DEGRADE, NO_NODE));
    assert_false(gives_way(PLAN_RESEED, PLAN_REJOIN, 1));
    assert_false(gives_way(PLAN_REPOINT, PLAN_MAKE_WRITABLE, NO_NODE)); /* it takes seconds */
    assert_true(gives_way(PLAN_REJOIN, PLAN_FENCE, 1));
    assert_false(gives_way(PLAN_REJOIN, PLAN_FENCE, 2)); /* it closes it itself */
    run.row = 99;
    assert_true(gives_way(PLAN_MODE_DEGRADE, PLAN_FENCE, 1));
    assert_false(gives_way(PLAN_MODE_DEGRADE, PLAN_FAILOVER, NO_NODE));
    struct decision held = {.want = PLAN_FAILOVER, .vetoes = 1u << GUARD_BUSY | 1u << GUARD_PAUSED};
    run.kind = PLAN_REJOIN;
    assert_false(guard_preempts(&held, &run)); /* the next would not start */
}

static void a_question_about_the_primary_itself_is_answered(void **state)
{
    (void)state;
    (void)stay_copy(w.view.record.asks, NAME_MAX_LEN, "db2");
    assert_true(decide_is_human_asked(&w.view, NULL));
    (void)stay_copy(w.view.record.asks, NAME_MAX_LEN, "db1"); /* it is the primary by now */
    assert_false(decide_is_human_asked(&w.view, NULL));
    w.view.record.asks[0] = '\0';
    (void)stay_copy(w.view.record.plan_id, sizeof w.view.record.plan_id, "shop-9");
    assert_true(decide_is_human_asked(&w.view, NULL));  /* nobody took it up */
    assert_false(decide_is_human_asked(&w.view, &run)); /* a plan runs, its save is on the way */
}

/* Nobody is sent to decide on a primary while the controller cannot tell how it fares. */
static void a_question_is_named_with_what_is_known_of_the_primary(void **state)
{
    (void)state;
    (void)stay_copy(w.view.record.asks, NAME_MAX_LEN, "db2");
    assert_non_null(strstr(judge_with(NULL, NULL).text, "; a plan asks, a human decides"));
    w.view.store_ok = false;
    struct decision d = judge_with(NULL, NULL);
    assert_int_equal(d.verdict.subject, SUBJECT_CONTROLLER);
    assert_null(strstr(d.text, "a plan asks"));
}

static void nothing_gives_way_where_nothing_runs(void **state)
{
    (void)state;
    struct decision d = {.want = PLAN_FAILOVER, .vetoes = 1u << GUARD_BUSY};
    assert_false(guard_preempts(&d, NULL));
    run.kind = PLAN_REJOIN;
    assert_true(guard_preempts(&d, &run));
    run.state = RUN_UNDOING; /* it is ending already */
    assert_false(guard_preempts(&d, &run));
}

/* What bounds automation does not bound people. */
static void a_human_may_repair_an_acker_as_often_as_they_like(void **state)
{
    (void)state;
    w.view.record.repairs = w.config.acker_repairs_max;
    w.view.record.repairs_since_wall_us = wall_of(&w) - SEC(60);
    assert_int_equal(check(PLAN_REPAIR_ACKER, true, NULL), 1u << GUARD_REPAIR_LIMIT);
    assert_int_equal(check(PLAN_REPAIR_ACKER, false, NULL), 0);
}

/* After an outage of all no candidate is as a failover wants it: the plan judges them by itself. */
static void a_recovery_asks_for_no_candidate_of_a_failover(void **state)
{
    (void)state;
    w.config.nodes[1].promote = w.config.nodes[2].promote = PROMOTE_NEVER;
    assert_int_equal(check(PLAN_FAILOVER, false, NULL), 1u << GUARD_NO_CANDIDATE);
    assert_int_equal(check(PLAN_RECOVER, false, NULL), 0);
}

/* It is attached once for a refusal; what else was done to it by a plan is not by hand. */
static void a_rejoin_of_a_refused_server_answers_that_refusal(void **state)
{
    (void)state;
    struct node_view *n = &w.view.nodes[1];
    run.kind = PLAN_REJOIN;
    run.state = RUN_SUCCEEDED;
    run.params.node = 1;
    (void)judge_with(&run, NULL); /* it was not refused */
    assert_int_equal(n->asked_again_mono_us, STAY_NEVER);
    n->facts.receiver_errno = 1236;
    run.ended_mono_us++;
    (void)judge_with(&run, NULL);
    assert_int_equal(n->asked_again_mono_us, run.ended_mono_us);
    n->asked_again_mono_us = STAY_NEVER;
    run.ended_mono_us++;
    run.params.node = 3; /* taken out of the inventory while it ran */
    w.view.nodes[3].facts.receiver_errno = 1236;
    w.view.nodes[3].asked_again_mono_us = STAY_NEVER;
    (void)judge_with(&run, NULL);
    assert_int_equal(w.view.nodes[3].asked_again_mono_us, STAY_NEVER);
    assert_int_equal(n->asked_again_mono_us, STAY_NEVER);
}

/* As a recording may say: its birth is judged when it is read. */
static void a_process_that_was_never_read_has_no_birth(void **state)
{
    (void)state;
    w.view.record.primary_since_wall_us = wall_of(&w);
    struct node_view *n = &w.view.nodes[1];
    n->idle_life = true;
    n->facts_begun_mono_us = n->facts_mono_us = STAY_NEVER;
    (void)judge_with(NULL, NULL);
    assert_true(n->idle_life);
    n->facts_begun_mono_us = n->facts_mono_us = w.now;
    (void)judge_with(NULL, NULL);
    assert_false(n->idle_life); /* it began 5,000 s ago */
}

static void a_turn_that_everything_forbids_says_what_fits(void **state)
{
    (void)state;
    struct fleet fleet = {.failovers_last_hour = 9,
                          .failovers_per_hour = 3,
                          .busy_zones = {"a"},
                          .busy_zone_count = 1,
                          .zone_waits = true,
                          .blast_radius = 1,
                          .wanting = 2};
    struct cluster_record *r = &w.view.record;
    r->paused = true;
    r->adopted = false;
    r->maintenance_until_wall_us = r->cooldown_until_wall_us = wall_of(&w) + SEC(900);
    w.config.failover = FAILOVER_OBSERVE;
    w.config.grace_us = SEC(900);
    kill_db1();
    struct decision d = judge_with(&run, &fleet);
    assert_int_equal(d.want, PLAN_FAILOVER);
    assert_true(__builtin_popcount(d.vetoes) >= 10);
    assert_non_null(strstr(d.text, "refused by not-adopted; "));
    assert_non_null(strstr(d.text, "; refused by blast-radius"));
    assert_non_null(strstr(d.text, "120 primary dead: db1; wants failover"));
}

static void a_clock_set_forward_is_noticed_as_one_set_back(void **state)
{
    (void)state;
    struct decision d;
    decide(&w.view, NULL, NULL, w.now, wall_of(&w), &d);
    assert_int_equal(w.view.clock_jumped_mono_us, STAY_NEVER);
    decide(&w.view, NULL, NULL, w.now + 1, wall_of(&w) + SEC(3600), &d);
    assert_int_equal(w.view.clock_jumped_mono_us, w.now + 1);
}

static void what_a_rewind_took_is_claimed_no_more(void **state)
{
    (void)state;
    run.kind = PLAN_REWIND;
    run.state = RUN_SUCCEEDED;
    set_parse(&run.extra, ENGINE_MARIADB, "0-2-7");
    set_parse(&w.view.nodes[1].received_high, ENGINE_MARIADB, "0-1-100,0-2-7");
    struct gtid_set kept = {0};
    (void)judge_with(&run, NULL); /* it names no node: nothing is taken from anybody */
    set_parse(&kept, ENGINE_MARIADB, "0-1-100,0-2-7");
    assert_true(gtid_set_equal(&w.view.nodes[1].received_high, &kept));
    run.params.node = 1;
    run.state = RUN_UNDONE; /* it took nothing */
    (void)judge_with(&run, NULL);
    assert_true(gtid_set_equal(&w.view.nodes[1].received_high, &kept));
    run.state = RUN_SUCCEEDED;
    (void)judge_with(&run, NULL);
    set_parse(&kept, ENGINE_MARIADB, "0-1-100");
    assert_true(gtid_set_equal(&w.view.nodes[1].received_high, &kept));
    gtid_set_clear(&kept);
}

static void nothing_is_stored_of_what_is_not_adopted(void **state)
{
    (void)state;
    w.view.record.adopted = false;
    w.view.nodes[1].birth_judged = true;
    w.view.nodes[1].restarted_mono_us = w.now;
    w.view.nodes[1].caught_up_mono_us = STAY_NEVER;
    w.view.record.ackers = 2;
    assert_false(judge_with(NULL, NULL).record_changed);
    w.view.record.adopted = true;
    assert_true(judge_with(NULL, NULL).record_changed); /* one of A that restarted */
}

/* What a fence leaves that reached a frozen MySQL server late. */
static void an_offline_primary_is_closed(void **state)
{
    (void)state;
    w.facts[0].offline_mode = TRI_YES;
    healthy(&w, 2);
    struct primary_facts facts;
    verdict_primary_facts(&w.view, w.now, &facts);
    assert_int_equal(facts.read_only, TRI_YES);
}

/* Any of them means that its receiver has no connection to its source. */
static void every_connection_error_of_a_receiver_is_a_witness(void **state)
{
    (void)state;
    static const int64_t errors[] = {2001, 2003, 2006, 2013, 2026, 2055};
    for (size_t i = 0; i < STAY_COUNT(errors); i++) {
        w.facts[1].receiver = w.facts[2].receiver = RECEIVER_STOPPED;
        w.facts[1].receiver_errno = w.facts[2].receiver_errno = errors[i];
        healthy(&w, 2);
        struct primary_facts facts;
        verdict_primary_facts(&w.view, w.now, &facts);
        assert_int_equal(facts.replicas_silent, TRI_YES);
    }
    w.facts[1].receiver_errno = w.facts[2].receiver_errno = 1236;
    healthy(&w, 2);
    struct primary_facts facts;
    verdict_primary_facts(&w.view, w.now, &facts);
    assert_int_not_equal(facts.replicas_silent, TRI_YES);
}

static void one_set_aside_shows_no_lost_tail(void **state)
{
    (void)state;
    struct primary_facts facts;
    w.facts[0].read_only = w.facts[0].super_read_only = TRI_YES;
    healthy(&w, 1);
    w.view.nodes[1].holds_lost = true;
    verdict_primary_facts(&w.view, w.now, &facts);
    assert_int_equal(facts.lost_tail, TRI_YES);
    w.view.record.quarantine[1] = QUARANTINE_DIVERGED;
    verdict_primary_facts(&w.view, w.now, &facts);
    assert_int_equal(facts.lost_tail, TRI_NO);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup_run, teardown_run)
    const struct CMUnitTest tests[] = {
        T(no_more_copies_than_the_limit_run_at_once),
        T(cooldown_holds_failovers_not_switchovers),
        T(a_copy_gives_way_to_what_clients_wait_for),
        T(a_question_about_the_primary_itself_is_answered),
        T(a_question_is_named_with_what_is_known_of_the_primary),
        T(nothing_gives_way_where_nothing_runs),
        T(a_human_may_repair_an_acker_as_often_as_they_like),
        T(a_recovery_asks_for_no_candidate_of_a_failover),
        T(a_rejoin_of_a_refused_server_answers_that_refusal),
        T(a_process_that_was_never_read_has_no_birth),
        T(a_turn_that_everything_forbids_says_what_fits),
        T(a_clock_set_forward_is_noticed_as_one_set_back),
        T(what_a_rewind_took_is_claimed_no_more),
        T(nothing_is_stored_of_what_is_not_adopted),
        T(an_offline_primary_is_closed),
        T(every_connection_error_of_a_receiver_is_a_witness),
        T(one_set_aside_shows_no_lost_tail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
