/* tests/unit/controller/decide/test_verdict_replica.c - facts of a replica that only its last
 * answer or the lack of one gives: what is not known is not held against it. */
#include "cluster_world.h"

#include "controller/decide/verdict_private.h"

static uint16_t replica_rule(void)
{
    return verdict_judge_replica(&w.view, 1, w.now).rule_id;
}

static void a_receiver_that_is_not_known_has_no_wrong_source(void **state)
{
    (void)state;
    uint16_t well = replica_rule();
    (void)stay_copy(db(2)->facts.source_host, sizeof db(2)->facts.source_host, "192.0.2.9");
    uint16_t wrong = replica_rule();
    assert_int_not_equal(wrong, well);
    db(2)->facts.receiver = RECEIVER_UNKNOWN;
    assert_int_not_equal(replica_rule(), wrong);
}

/* A server left with the source role on waits for an acker of its own: its applier stands. */
static void an_applier_waits_only_on_a_closed_server_with_waiters(void **state)
{
    (void)state;
    struct server_facts *facts = &db(2)->facts;
    uint16_t well = replica_rule();
    facts->ss_source_enabled = TRI_YES;
    facts->super_read_only = TRI_YES;
    facts->ss_waiters = 1;
    uint16_t waits = replica_rule();
    assert_int_not_equal(waits, well);
    facts->ss_waiters = 0;
    assert_int_not_equal(replica_rule(), waits);
    facts->ss_waiters = 1;
    facts->super_read_only = TRI_NO;
    assert_int_not_equal(replica_rule(), waits);
}

/* Denied is an answer; but one that is gone by now is dead, whatever it refused before. */
static void a_refused_account_is_told_while_the_server_lives(void **state)
{
    (void)state;
    db(2)->reach.outcome = OUT_DENIED;
    db(2)->reach_mono_us = w.now;
    db(2)->query_ok_mono_us = w.now - SEC(9);
    uint16_t denied = replica_rule();
    db(2)->silent_since_mono_us = w.now - SEC(30);
    assert_int_equal(verdict_node_answers(&w.view, 1, w.now), TRI_NO);
    assert_int_not_equal(replica_rule(), denied);
}

static void a_server_whose_state_is_not_known_is_not_called_open(void **state)
{
    (void)state;
    uint16_t well = replica_rule();
    db(2)->facts.read_only = TRI_NO;
    uint16_t open = replica_rule();
    assert_int_not_equal(open, well);
    db(2)->facts.read_only = TRI_UNKNOWN;
    assert_int_not_equal(replica_rule(), open);
    db(2)->facts.read_only = TRI_NO;
    db(2)->changed_mono_us = w.now; /* we asked it to close since it was read */
    assert_int_not_equal(replica_rule(), open);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_receiver_that_is_not_known_has_no_wrong_source),
        T(an_applier_waits_only_on_a_closed_server_with_waiters),
        T(a_refused_account_is_told_while_the_server_lives),
        T(a_server_whose_state_is_not_known_is_not_called_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
