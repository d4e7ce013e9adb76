/* tests/unit/controller/decide/test_decision_limits.c - values that no server and no turn of ours
 * gives: left out of a decision's text, or refused where they are read. */
#include "decide_world.h"

static struct decision_turn turn_of(const struct plan_run *run, const struct fleet *fleet)
{
    return (struct decision_turn){.view = &w.view,
                                  .running = run,
                                  .fleet = fleet,
                                  .now_mono_us = w.now,
                                  .now_wall_us = wall_of(&w)};
}

/* The lines of `section` up to the next one; heap. */
static char *section_of(const char *text, const char *section)
{
    const char *at = strstr(text, section);
    assert_non_null(at);
    const char *end = strstr(at, "\n[");
    return stay_sprintf("%.*s\n", end == NULL ? (int)strlen(at) : (int)(end - at), at);
}

static void a_value_beyond_its_names_is_left_out(void **state)
{
    (void)state;
    struct decision_turn turn = turn_of(NULL, NULL);
    w.view.nodes[1].facts.receiver = RECEIVER_COUNT;
    w.view.record.quarantine[1] = 200;
    STAY_AUTO(stay_free_charp) char *text = decision_input_text(&turn);
    STAY_AUTO(stay_free_charp) char *db2 = section_of(text, "[node db2]\n");
    STAY_AUTO(stay_free_charp) char *db3 = section_of(text, "[node db3]\n");
    assert_null(strstr(db2, "\nreceiver="));
    assert_null(strstr(db2, "\nquarantine="));
    assert_non_null(strstr(db3, "\nreceiver=running\n"));
    struct decision d = {.want = PLAN_NONE, .record_changed = true, .record = w.view.record};
    d.record.quarantine[2] = QUARANTINE_OPERATOR;
    d.verdict = (struct verdict){.name = "", .node = NO_NODE};
    STAY_AUTO(stay_free_charp) char *said = decision_output_text(&turn, &d);
    assert_null(strstr(said, "db2.quarantine="));
    assert_non_null(strstr(said, "db3.quarantine=operator\n"));
}

/* A decision that a human's order made, beside a repair that has to wait for it. */
static void what_a_human_asked_for_and_what_gives_way_is_said(void **state)
{
    (void)state;
    struct plan_run *run = stay_calloc(1, sizeof *run);
    struct decision_turn turn = turn_of(run, NULL);
    struct decision d = {.want = PLAN_FAILOVER, .vetoes = UINT32_C(1) << GUARD_BUSY};
    d.verdict = (struct verdict){.rule_id = 120, .name = "primary dead", .node = 0};
    d.params = (struct plan_params){.node = NO_NODE, .detected_mono_us = STAY_NEVER};
    run->kind = PLAN_REJOIN;
    run->state = RUN_FORWARD;
    run->params.node = 1;
    STAY_AUTO(stay_free_charp) char *text = decision_output_text(&turn, &d);
    assert_non_null(strstr(text, "\nwant_automatic=no\n"));
    assert_non_null(strstr(text, "\nruns_gives_way=yes\n"));
    assert_non_null(strstr(text, "\nasks_human=no\n"));
    (void)stay_copy(w.view.record.asks, sizeof w.view.record.asks, "db2"); /* opened, not stored */
    STAY_AUTO(stay_free_charp) char *asked = decision_output_text(&turn, &d);
    assert_non_null(strstr(asked, "\nasks_human=yes\n"));
    w.view.record.asks[0] = '\0';
    d.params.automatic = true;
    d.vetoes |= UINT32_C(1) << GUARD_PAUSED; /* it would not start then */
    STAY_AUTO(stay_free_charp) char *held = decision_output_text(&turn, &d);
    assert_non_null(strstr(held, "\nwant_automatic=yes\n"));
    assert_non_null(strstr(held, "\nruns_gives_way=no\n"));
    free(run);
}

static enum stay_rc apply(const char *text, struct decision_input *input)
{
    *input = (struct decision_input){.config = &w.config, .view = &w.view, .now_mono_us = w.now};
    return decision_input_apply(text, input, NULL);
}

static void a_time_that_nothing_may_be_added_to_is_refused(void **state)
{
    (void)state;
    struct decision_input input;
    int64_t max = INT64_C(1) << 60;
    STAY_AUTO(stay_free_charp)
    char *at =
        stay_sprintf("[view]\nsuspicion_since_mono_us=now+%lldus\n", (long long)(max - w.now));
    STAY_AUTO(stay_free_charp)
    char *past =
        stay_sprintf("[view]\nsuspicion_since_mono_us=now+%lldus\n", (long long)(max - w.now + 1));
    assert_int_equal(apply(past, &input), STAY_EINVALID);
    assert_int_equal(apply(at, &input), STAY_OK);
    assert_int_equal(w.view.suspicion_since_mono_us, max);
    w.view.suspicion_since_mono_us = STAY_NEVER;
}

static void an_evacuation_is_ordered_at_a_time_there_is(void **state)
{
    (void)state;
    struct decision_input input;
    static const char *const bad[] = {"soon", "1700000000000000x", "0", "-5",
                                      "1152921504606846977"};
    for (size_t i = 0; i < STAY_COUNT(bad); i++) {
        STAY_AUTO(stay_free_charp) char *text = stay_sprintf("[fleet]\nevacuation=%s\n", bad[i]);
        if (apply(text, &input) != STAY_EINVALID)
            fail_msg("taken: %s", bad[i]);
    }
    assert_int_equal(apply("[fleet]\nevacuation=1152921504606846976\nreseeds_full=1\n", &input),
                     STAY_OK);
    assert_int_equal(input.fleet.evacuation_wall_us, INT64_C(1152921504606846976));
    assert_true(input.fleet.reseeds_full);
    assert_int_equal(apply("[fleet]\nreseeds_full=0\n", &input), STAY_EINVALID); /* left out then */
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_value_beyond_its_names_is_left_out),
        T(what_a_human_asked_for_and_what_gives_way_is_said),
        T(a_time_that_nothing_may_be_added_to_is_refused),
        T(an_evacuation_is_ordered_at_a_time_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
