/* tests/unit/controller/decide/test_cluster_pace.c - what an answer's time tells: silence that
 * ended, slowness, a process that is new, a heartbeat that moves. */
#include "cluster_world.h"

static void answer(int64_t begun, int64_t taken)
{
    struct observation o = answered(&w, 1, begun, taken, FACTS_ALL);
    cluster_observe(&w.view, &o);
}

static void an_answer_of_before_the_silence_does_not_end_it(void **state)
{
    (void)state;
    db(2)->silent_since_mono_us = w.now;
    answer(w.now - MS(5), w.now - MS(1));
    assert_int_equal(db(2)->silent_since_mono_us, w.now);
    answer(w.now, w.now + MS(1));
    assert_true(db(2)->silent_since_mono_us == STAY_NEVER);
}

static void only_no_answer_is_silence(void **state)
{
    (void)state;
    static const struct {
        enum obs_layer layer;
        enum obs_outcome outcome;
        bool silent;
    } rows[] = {{LAYER_CONNECT, OUT_TIMEOUT, true},
                {LAYER_LOGIN, OUT_RESET, true},
                {LAYER_LOGIN, OUT_BAD_REPLY, false},
                {LAYER_RESOLVE, OUT_TIMEOUT, false}};
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        db(2)->silent_since_mono_us = STAY_NEVER;
        w.now += MS(1);
        lose(&w, 1, rows[i].layer, rows[i].outcome, MS(1));
        assert_int_equal(db(2)->silent_since_mono_us != STAY_NEVER, rows[i].silent);
    }
}

/* From half the deadline on; the first slow one counts until a quick one comes. */
static void slowness_lasts_from_the_first_slow_answer(void **state)
{
    (void)state;
    int64_t slow_us = w.config.layer_deadline_us / 2, first = w.now;
    answer(first, first + slow_us);
    assert_int_equal(db(2)->slow_since_mono_us, first);
    answer(first + slow_us, first + 2 * slow_us);
    assert_int_equal(db(2)->slow_since_mono_us, first);
    answer(first + 2 * slow_us, first + 2 * slow_us + MS(1));
    assert_true(db(2)->slow_since_mono_us == STAY_NEVER);
}

/* A row of the same time in another epoch is another row. */
static void a_heartbeat_moves_by_its_time_or_its_epoch(void **state)
{
    (void)state;
    enum { SAME, TIME, EPOCH };
    for (int what = SAME; what <= EPOCH; what++) {
        db(2)->canary_moved_mono_us = STAY_NEVER;
        w.facts[1].canary_wall_us += what == TIME ? 1 : 0;
        w.facts[1].canary_epoch += what == EPOCH ? 1 : 0;
        w.now += MS(10);
        answer(w.now, w.now + MS(1));
        assert_int_equal(db(2)->canary_moved_mono_us != STAY_NEVER, what != SAME);
    }
}

/* First read by this controller: young at all, or younger than its watch. */
static void a_process_first_read_is_new_if_it_began_under_our_eyes(void **state)
{
    (void)state;
    static const struct {
        uint64_t uptime_s;
        int64_t watched_s; /* ago; 0: never */
        bool is_new;
    } rows[] = {{30, 0, true}, {5000, 0, false}, {5000, 100, false}, {90, 100, true}};
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        struct node_view *n = db(2);
        n->facts_mono_us = n->facts_begun_mono_us = n->restarted_mono_us = STAY_NEVER;
        n->closed_mono_us = n->session_end_mono_us = STAY_NEVER;
        n->groups_known = 0;
        n->watched_mono_us = rows[i].watched_s == 0 ? STAY_NEVER : w.now - SEC(rows[i].watched_s);
        w.facts[1].uptime_s = rows[i].uptime_s;
        answer(w.now, w.now + MS(1));
        assert_int_equal(n->restarted_mono_us != STAY_NEVER, rows[i].is_new);
    }
}

/* Whole seconds: less than before is another process, however little time passed. */
static void an_uptime_that_fell_is_another_process(void **state)
{
    (void)state;
    w.facts[1].uptime_s = db(2)->facts.uptime_s - 1;
    answer(w.now, w.now + MS(1));
    assert_int_not_equal(db(2)->restarted_mono_us, STAY_NEVER);
}

/* Nobody listened after it was read: whoever answers a question asked since then is new. */
static void a_closed_port_tells_a_successor(void **state)
{
    (void)state;
    for (int since = 0; since < 2; since++) {
        w.now += SEC(1);
        db(2)->restarted_mono_us = STAY_NEVER;
        db(2)->closed_mono_us = w.now;
        w.facts[1].uptime_s = db(2)->facts.uptime_s + 1;
        answer(w.now + since, w.now + MS(1)); /* asked before it was closed, or after */
        assert_int_equal(db(2)->restarted_mono_us != STAY_NEVER, since != 0);
    }
}

static void a_node_that_is_none_was_not_changed(void **state)
{
    (void)state;
    cluster_node_changed(&w.view, NO_NODE, w.now);
    cluster_node_changed(&w.view, 1, w.now);
    assert_int_equal(db(2)->changed_mono_us, w.now);
    assert_int_not_equal(db(3)->changed_mono_us, w.now);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(an_answer_of_before_the_silence_does_not_end_it),
        T(only_no_answer_is_silence),
        T(slowness_lasts_from_the_first_slow_answer),
        T(a_heartbeat_moves_by_its_time_or_its_epoch),
        T(a_process_first_read_is_new_if_it_began_under_our_eyes),
        T(an_uptime_that_fell_is_another_process),
        T(a_closed_port_tells_a_successor),
        T(a_node_that_is_none_was_not_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
