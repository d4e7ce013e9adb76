/* tests/unit/controller/decide/test_cluster_suspicion.c - suspicion: what opens it, what settles it,
 * when it stays. */
#include "cluster_world.h"

static bool suspects(void)
{
    return w.view.suspicion_since_mono_us != STAY_NEVER;
}

static void suspicion_opens_at_once(void **state)
{
    (void)state;
    static const struct {
        enum obs_layer layer;
        enum obs_outcome outcome;
        bool opens;
    } rows[] = {{LAYER_CONNECT, OUT_REFUSED, true},
                {LAYER_CONNECT, OUT_TIMEOUT, true},
                {LAYER_QUERY, OUT_RESET, true},
                {LAYER_RESOLVE, OUT_TIMEOUT, false},
                {LAYER_LOGIN, OUT_DENIED, false}};
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        world_clear(&w);
        (void)setup(NULL);
        w.now += MS(600);
        lose(&w, 1, rows[i].layer, rows[i].outcome, MS(0)); /* a replica: none of its business */
        assert_false(suspects());
        lose(&w, 0, rows[i].layer, rows[i].outcome, MS(0));
        assert_int_equal(suspects(), rows[i].opens);
    }
}

static void the_end_of_a_session_opens_it_unless_a_newer_query_was_answered(void **state)
{
    (void)state;
    session_end(&w, 1);
    assert_false(suspects());
    w.now -= MS(100);
    session_end(&w, 0);
    assert_false(suspects());
    w.now += MS(200);
    session_end(&w, 0);
    assert_true(suspects());
}

static void a_receiver_that_lost_its_source_opens_it(void **state)
{
    (void)state;
    w.facts[1].receiver = RECEIVER_CONNECTING;
    see(&w, 1);
    int64_t since = w.view.suspicion_since_mono_us;
    assert_true(suspects());
    w.now += MS(50);
    see(&w, 1);
    assert_int_equal(w.view.suspicion_since_mono_us, since);
}

static void it_settles_when_the_primary_answers_and_a_replica_receives(void **state)
{
    (void)state;
    session_end(&w, 0);
    w.now += MS(10);
    see(&w, 0);
    assert_true(suspects()); /* the replicas were asked before */
    w.now += MS(10);
    w.facts[1].receiver = RECEIVER_CONNECTING;
    see(&w, 1);
    assert_true(suspects());
    w.now += MS(10);
    see(&w, 2);
    assert_false(suspects());
}

static void it_settles_in_time_when_no_replica_receives(void **state)
{
    (void)state;
    session_end(&w, 0);
    w.facts[1].receiver = w.facts[2].receiver = RECEIVER_STOPPED;
    for (int i = 0; i < 19; i++) {
        w.now += MS(100);
        see(&w, 0);
        see(&w, 1);
        see(&w, 2);
        assert_true(suspects());
    }
    w.now += MS(200);
    (void)judge(&w);
    assert_false(suspects());
}

static void it_stays_while_the_primary_fails(void **state)
{
    (void)state;
    session_end(&w, 0);
    w.now += SEC(3);
    (void)judge(&w);
    assert_true(suspects());
    see(&w, 0);
    w.now += MS(10);
    lose(&w, 0, LAYER_CONNECT, OUT_REFUSED, MS(0));
    (void)judge(&w);
    assert_true(suspects());
    w.now += MS(10);
    see(&w, 0);
    w.now += MS(10);
    lose(&w, 0, LAYER_CONNECT, OUT_TIMEOUT, MS(0));
    (void)judge(&w);
    assert_true(suspects());
    w.view.primary = NO_NODE;
    (void)judge(&w);
    assert_true(suspects());
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(suspicion_opens_at_once),
        T(the_end_of_a_session_opens_it_unless_a_newer_query_was_answered),
        T(a_receiver_that_lost_its_source_opens_it),
        T(it_settles_when_the_primary_answers_and_a_replica_receives),
        T(it_settles_in_time_when_no_replica_receives),
        T(it_stays_while_the_primary_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
