/* tests/unit/controller/decide/test_verdict.c - which verdict a sequence of observations leads to:
 * crash, silence, hang, cut, and the ways a witness may be wrong. */
#include "view_fixture.h"

static struct world w;

static int setup(void **state)
{
    (void)state;
    world_init(&w, ENGINE_MARIADB);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    world_clear(&w);
    return 0;
}

static void nothing_observed_is_uncertain(void **state)
{
    (void)state;
    assert_int_equal(rule(&w), 190);
}

static void all_well_is_healthy(void **state)
{
    (void)state;
    healthy(&w, 3);
    struct decision d = judge(&w);
    assert_int_equal(d.verdict.rule_id, 100);
    assert_int_equal(d.want, PLAN_NONE);
    assert_false(d.record_changed);
    assert_false(d.suspicion);
}

/* A switchover takes less time than the pause between two probes. */
static void facts_from_before_our_own_change_are_no_second_primary(void **state)
{
    (void)state;
    healthy(&w, 3);
    w.facts[1].read_only = TRI_NO;
    w.facts[1].receiver = RECEIVER_NONE;
    see(&w, 1);
    assert_int_equal(rule(&w), 131);
    w.now += MS(1);
    cluster_node_changed(&w.view, 1, w.now);
    assert_int_equal(rule(&w), 100);
    assert_int_not_equal(verdict_judge_replica(&w.view, 1, w.now).rule_id, 207);
    w.now += MS(1);
    see(&w, 1); /* asked again, it still takes writes */
    assert_int_equal(rule(&w), 131);
}

static void crash_is_dead_after_two_refusals_a_gap_apart(void **state)
{
    (void)state;
    healthy(&w, 3);
    session_end(&w, 0);
    assert_true(judge(&w).suspicion);
    w.now += MS(1);
    lose(&w, 0, LAYER_CONNECT, OUT_REFUSED, MS(0));
    lose_receivers(&w);
    w.now += MS(100);
    lose(&w, 0, LAYER_CONNECT, OUT_REFUSED, MS(0));
    lose_receivers(&w);
    w.now += MS(2);
    assert_int_equal(rule(&w), 190); /* 100 ms are below the gap */
    w.now += MS(50);
    lose(&w, 0, LAYER_CONNECT, OUT_REFUSED, MS(0));
    struct decision d = judge(&w);
    assert_int_equal(d.verdict.rule_id, 120);
    assert_int_equal(d.want, PLAN_FAILOVER);
    assert_int_equal(d.vetoes, 0);
    assert_true(d.params.automatic);
}

static void an_answer_between_refusals_ends_their_run(void **state)
{
    (void)state;
    healthy(&w, 3);
    lose(&w, 0, LAYER_CONNECT, OUT_REFUSED, MS(0));
    w.now += MS(100);
    see(&w, 0);
    w.now += MS(100);
    lose(&w, 0, LAYER_CONNECT, OUT_REFUSED, MS(0));
    lose_receivers(&w);
    w.now += MS(2);
    assert_int_equal(rule(&w), 190);
}

static void replicas_that_receive_make_it_a_cut(void **state)
{
    (void)state;
    healthy(&w, 3);
    for (int i = 0; i < 4; i++) {
        lose(&w, 0, LAYER_CONNECT, OUT_REFUSED, MS(0));
        w.facts[1].heartbeats++;
        see(&w, 1);
        w.now += MS(100);
    }
    struct decision d = judge(&w);
    assert_int_equal(d.verdict.rule_id, 110);
    assert_int_equal(d.verdict.action, ACT_HOLD);
    assert_int_equal(d.want, PLAN_NONE);
}

static void silence_is_dead_after_two_seconds_when_no_replica_advances(void **state)
{
    (void)state;
    healthy(&w, 3);
    w.now += MS(1000);
    silent_rounds(&w, 8, LAYER_CONNECT);
    assert_int_equal(rule(&w), 190); /* 1.8 s of silence */
    silent_rounds(&w, 4, LAYER_CONNECT);
    assert_int_equal(rule(&w), 120);
}

/* MySQL: an ALTER USER that waits for an acknowledgement holds the lock that logins need (seen). */
static void a_greeting_server_with_stuck_commits_is_blocked_not_hung(void **state)
{
    (void)state;
    w.facts[0].dump_peer_count = 0; /* its ackers are gone */
    w.facts[0].ss_waiters = 2;
    healthy(&w, 3);
    lose_receivers(&w);
    w.now += MS(1000);
    silent_rounds(&w, 12, LAYER_TLS);
    struct decision d = judge(&w);
    assert_int_equal(d.verdict.rule_id, 123);
    assert_int_equal(d.want, PLAN_NONE);
    silent_rounds(&w, 1, LAYER_GREETING); /* not even a greeting: SIGSTOP */
    assert_int_equal(rule(&w), 121);
    lose(&w, 0, LAYER_CONNECT, OUT_REFUSED, MS(0));
    w.now += MS(160);
    lose(&w, 0, LAYER_CONNECT, OUT_REFUSED, MS(0));
    w.now += MS(2);
    see(&w, 1);
    see(&w, 2);
    assert_int_equal(rule(&w), 120); /* gone, and those who waited with it */
}

static void a_mysql_with_stuck_commits_is_blocked_even_without_a_greeting(void **state)
{
    (void)state;
    world_clear(&w);
    world_init(&w, ENGINE_MYSQL);
    w.facts[0].dump_peer_count = 0;
    w.facts[0].ss_waiters = 2;
    healthy(&w, 3);
    lose_receivers(&w);
    w.now += MS(1000);
    silent_rounds(&w, 12, LAYER_GREETING);
    assert_int_equal(rule(&w), 123);
    silent_rounds(&w, 1, LAYER_CONNECT);
    assert_int_equal(rule(&w), 120);
}

/* Under load some session waits at any moment, for a millisecond: that is no block. Its ackers lose
 * it only afterwards, because it hangs. */
static void a_busy_mysql_that_hangs_is_hung(void **state)
{
    (void)state;
    world_clear(&w);
    world_init(&w, ENGINE_MYSQL);
    w.facts[0].ss_waiters = 2;
    healthy(&w, 1);
    for (int i = 0; i < 3; i++) {
        w.facts[0].ss_yes_tx += 400; /* they are answered */
        healthy(&w, 1);
    }
    lose_receivers(&w);
    w.now += MS(1000);
    silent_rounds(&w, 12, LAYER_GREETING);
    struct decision d = judge(&w);
    assert_int_equal(d.verdict.rule_id, 121);
    assert_int_equal(d.want, PLAN_FAILOVER);
}

static void a_hung_login_without_stuck_commits_is_hung(void **state)
{
    (void)state;
    healthy(&w, 3);
    w.now += MS(1000);
    silent_rounds(&w, 12, LAYER_TLS);
    assert_int_equal(rule(&w), 121);
}

static void accepting_without_greeting_is_hung(void **state)
{
    (void)state;
    healthy(&w, 3);
    w.now += MS(1000);
    silent_rounds(&w, 12, LAYER_GREETING);
    struct decision d = judge(&w);
    assert_int_equal(d.verdict.rule_id, 121);
    assert_int_equal(d.want, PLAN_FAILOVER);
}

static void silence_with_heartbeats_at_a_replica_is_a_cut(void **state)
{
    (void)state;
    healthy(&w, 3);
    w.now += MS(1000);
    for (int i = 0; i < 14; i++) {
        w.facts[2].heartbeats++;
        silent_rounds(&w, 1, LAYER_CONNECT);
    }
    assert_int_equal(rule(&w), 110);
}

static void a_stale_word_of_a_replica_is_no_witness(void **state)
{
    (void)state;
    healthy(&w, 3);
    lose_receivers(&w); /* asked before anything failed */
    w.now += MS(10);
    see(&w, 0);
    w.view.suspicion_since_mono_us = STAY_NEVER;
    w.now += MS(10);
    for (int i = 0; i < 3; i++) {
        lose(&w, 0, LAYER_CONNECT, OUT_REFUSED, MS(0));
        w.now += MS(100);
    }
    assert_int_equal(rule(&w), 190);
    lose_receivers(&w);
    w.now += MS(2);
    assert_int_equal(rule(&w), 120);
}

static void an_unreachable_replica_is_no_evidence(void **state)
{
    (void)state;
    healthy(&w, 3);
    for (int i = 0; i < 26; i++) {
        w.now += MS(100);
        lose(&w, 0, LAYER_CONNECT, OUT_REFUSED, MS(0));
        lose(&w, 1, LAYER_CONNECT, OUT_TIMEOUT, MS(1000));
        lose(&w, 2, LAYER_CONNECT, OUT_TIMEOUT, MS(1000));
    }
    assert_int_equal(rule(&w), 190);
    w.facts[2].receiver = RECEIVER_CONNECTING;
    see(&w, 2); /* one that answers is enough */
    w.now += MS(2);
    assert_int_equal(rule(&w), 120);
}

static void a_stopped_receiver_alone_is_no_witness(void **state)
{
    (void)state;
    healthy(&w, 3);
    w.facts[1].receiver = w.facts[2].receiver = RECEIVER_STOPPED;
    for (int i = 0; i < 4; i++) {
        w.now += MS(100);
        lose(&w, 0, LAYER_CONNECT, OUT_REFUSED, MS(0));
        see(&w, 1);
        see(&w, 2);
    }
    w.now += MS(2);
    assert_int_equal(rule(&w), 136);
    w.facts[1].receiver_errno = 2003; /* it gave up connecting */
    see(&w, 1);
    w.now += MS(2);
    assert_int_equal(rule(&w), 120);
}

/* A source that is always busy never sends one: their number is 0 until it falls silent. */
static void a_busy_source_that_falls_silent_needs_no_heartbeat_before(void **state)
{
    (void)state;
    healthy(&w, 3);
    w.facts[1].heartbeats = w.facts[2].heartbeats = 0;
    w.now += MS(1000);
    silent_rounds(&w, 16, LAYER_CONNECT);
    assert_int_equal(rule(&w), 120);
}

static void a_long_heartbeat_period_is_no_evidence_of_silence(void **state)
{
    (void)state;
    healthy(&w, 3);
    w.facts[1].heartbeat_ms = w.facts[2].heartbeat_ms = 30000;
    w.now += MS(1000);
    silent_rounds(&w, 16, LAYER_CONNECT);
    assert_int_equal(rule(&w), 190);
}

static void hidden_heartbeats_are_no_evidence_of_silence(void **state)
{
    (void)state;
    healthy(&w, 3);
    w.facts[1].beats_shown = w.facts[2].beats_shown = TRI_NO;
    w.now += MS(1000);
    silent_rounds(&w, 16, LAYER_CONNECT);
    assert_int_equal(rule(&w), 190);
    w.facts[1].receiver = w.facts[2].receiver = RECEIVER_CONNECTING;
    silent_rounds(&w, 1, LAYER_CONNECT);
    assert_int_equal(rule(&w), 120);
}

static void nothing_answers_at_all_is_our_isolation(void **state)
{
    (void)state;
    healthy(&w, 3);
    w.now += MS(1000);
    for (int i = 0; i < 12; i++) {
        w.now += MS(100);
        for (uint32_t n = 0; n < 3; n++)
            lose(&w, n, LAYER_CONNECT, OUT_TIMEOUT, MS(1000));
    }
    struct decision d = judge(&w);
    assert_int_equal(d.verdict.rule_id, 150);
    assert_int_equal(d.want, PLAN_NONE);
}

static void refusals_of_account_and_saturation_are_life(void **state)
{
    (void)state;
    healthy(&w, 3);
    for (int i = 0; i < 40; i++) {
        w.now += MS(100);
        lose(&w, 0, LAYER_LOGIN, OUT_DENIED, MS(1));
        lose_receivers(&w);
    }
    assert_int_equal(rule(&w), 126);
    lose(&w, 0, LAYER_LOGIN, OUT_TOO_MANY, MS(0));
    assert_int_equal(rule(&w), 124);
}

static void a_name_that_does_not_resolve_says_nothing(void **state)
{
    (void)state;
    healthy(&w, 3);
    for (int i = 0; i < 40; i++) {
        w.now += MS(100);
        lose(&w, 0, LAYER_RESOLVE, OUT_TIMEOUT, MS(1000));
        lose_receivers(&w);
    }
    assert_int_equal(rule(&w), 190);
}

static void a_primary_that_returns_before_the_intent_is_healthy(void **state)
{
    (void)state;
    crash_is_dead_after_two_refusals_a_gap_apart(state);
    w.now += MS(10);
    see(&w, 0);
    w.now += MS(2);
    struct decision d = judge(&w);
    assert_int_equal(d.verdict.rule_id, 100);
    assert_int_equal(d.want, PLAN_NONE);
}

static void late_failures_do_not_undo_a_newer_answer(void **state)
{
    (void)state;
    healthy(&w, 3);
    w.now += MS(1000);
    see(&w, 0);
    w.now += MS(50);
    lose(&w, 0, LAYER_CONNECT, OUT_TIMEOUT, MS(1000)); /* begun before that answer */
    assert_int_equal(w.view.suspicion_since_mono_us, STAY_NEVER);
    assert_int_equal(rule(&w), 100);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(nothing_observed_is_uncertain),
        T(all_well_is_healthy),
        T(facts_from_before_our_own_change_are_no_second_primary),
        T(crash_is_dead_after_two_refusals_a_gap_apart),
        T(an_answer_between_refusals_ends_their_run),
        T(replicas_that_receive_make_it_a_cut),
        T(silence_is_dead_after_two_seconds_when_no_replica_advances),
        T(a_greeting_server_with_stuck_commits_is_blocked_not_hung),
        T(a_mysql_with_stuck_commits_is_blocked_even_without_a_greeting),
        T(a_busy_mysql_that_hangs_is_hung),
        T(a_hung_login_without_stuck_commits_is_hung),
        T(accepting_without_greeting_is_hung),
        T(silence_with_heartbeats_at_a_replica_is_a_cut),
        T(a_stale_word_of_a_replica_is_no_witness),
        T(an_unreachable_replica_is_no_evidence),
        T(a_stopped_receiver_alone_is_no_witness),
        T(a_busy_source_that_falls_silent_needs_no_heartbeat_before),
        T(a_long_heartbeat_period_is_no_evidence_of_silence),
        T(hidden_heartbeats_are_no_evidence_of_silence),
        T(nothing_answers_at_all_is_our_isolation),
        T(refusals_of_account_and_saturation_are_life),
        T(a_name_that_does_not_resolve_says_nothing),
        T(a_primary_that_returns_before_the_intent_is_healthy),
        T(late_failures_do_not_undo_a_newer_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
