/* tests/unit/controller/decide/test_decision_text.c - the decision's text there and back. */
#include "decide_world.h"

static struct decision_turn turn_of(const struct plan_run *run, const struct fleet *fleet)
{
    return (struct decision_turn){.view = &w.view,
                                  .running = run,
                                  .fleet = fleet,
                                  .now_mono_us = w.now,
                                  .now_wall_us = wall_of(&w)};
}

static enum stay_rc apply(const char *text, struct stay_error *err)
{
    struct decision_input input = {.config = &w.config, .view = &w.view, .now_mono_us = w.now};
    return decision_input_apply(text, &input, err);
}

static void the_text_reads_back_to_the_same_decision(void **state)
{
    (void)state;
    w.config.without_acker = WITHOUT_ACKER_BLOCK;
    w.config.nodes[2].promote = PROMOTE_NEVER;
    w.view.record.quarantine[2] = QUARANTINE_OPERATOR;
    w.view.record.cooldown_until_wall_us = WALL0 + 5;
    w.view.hold_until_mono_us = w.now + 7;
    w.view.barrier_leavers = 5;
    w.view.barrier_captured = true;
    gtid_set_copy(&w.view.barrier, &w.facts[0].executed);
    (void)stay_copy(w.facts[1].receiver_error, FACT_TEXT_MAX, "two\nlines = one");
    see(&w, 1);
    w.now += MS(2);
    kill_db1();
    struct plan_run *run = stay_calloc(1, sizeof *run);
    (void)stay_copy(run->id, sizeof run->id, "shop-3");
    run->kind = PLAN_MODE_RESTORE;
    run->state = RUN_ASKS;
    run->row = 2;
    run->past_no_return = run->stays = true;
    run->candidate = 1;
    run->params.node = NO_NODE;
    run->moved = 2;
    run->attached = 6;
    run->begun_mono_us = w.now - SEC(9);
    run->ended_mono_us = w.now - SEC(8);
    struct fleet fleet = {.failovers_last_hour = 2,
                          .failovers_per_hour = 7,
                          .busy_zones = {"a", "zone-b"},
                          .busy_zone_count = 2,
                          .reseeds_full = true,
                          .wanting = 3,
                          .blast_radius = 1,
                          .zone_down = true,
                          .zone_waits = true};
    struct decision_memory before = {0};
    struct decision_turn turn = turn_of(run, &fleet);
    STAY_AUTO(stay_free_charp) char *input = decision_input_text(&turn);
    decision_memory_take(&before, &w.view);
    struct decision d = judge_with(run, &fleet);
    STAY_AUTO(stay_free_charp) char *full = decision_record_text(&turn, &before, &d);
    assert_memory_equal(full, input, strlen(input)); /* as it was given, not as it was left */

    struct replay *replay = NULL;
    struct stay_error err = {0};
    unsigned line = 0;
    if (replay_new(full, strlen(full), &replay, &line, &err) != STAY_OK)
        fail_msg("line %u: %s", line, err.text);
    assert_true(replay->is_same);
    assert_int_equal(replay->input.now_mono_us, w.now);
    assert_int_equal(replay->decision.verdict.rule_id, d.verdict.rule_id);
    assert_string_equal(replay->decision.text, d.text);
    assert_int_equal(replay->view.record.quarantine[2], QUARANTINE_OPERATOR);
    assert_int_equal(replay->view.nodes[0].facts.dump_peer_count, 2);
    assert_int_equal(replay->run.candidate, 1);
    assert_int_equal(replay->run.params.node, NO_NODE);
    assert_int_equal(replay->run.moved, 2);
    assert_true(replay->run.stays);
    assert_int_equal(replay->input.fleet.failovers_last_hour, 2);
    assert_int_equal(replay->input.fleet.failovers_per_hour, 7);
    assert_string_equal(replay->input.fleet.busy_zones[1], "zone-b");
    assert_true(replay->input.fleet.reseeds_full && replay->input.fleet.zone_down &&
                replay->input.fleet.zone_waits);
    assert_int_equal(replay->input.fleet.wanting, 3);
    assert_int_equal(replay->input.fleet.blast_radius, 1);
    replay_free(replay);
    decision_memory_clear(&before);
    free(run);
}

static void a_changed_record_is_in_the_text(void **state)
{
    (void)state;
    w.facts[0].ss_no_tx = 1;
    w.now += MS(400);
    see_all(&w);
    struct decision d = judge_with(NULL, NULL);
    struct decision_turn turn = turn_of(NULL, NULL);
    STAY_AUTO(stay_free_charp) char *text = decision_output_text(&turn, &d);
    assert_non_null(strstr(text, "record_changed=yes\n"));
    assert_non_null(strstr(text, "want=none\n"));
    assert_non_null(strstr(text, "[facts]\nknown=yes\nanswers=yes\n"));
    assert_non_null(strstr(text, "\ndb2.born=16"));
}

static void wrong_lines_are_named(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "mono=1",
        "[now]\nmono=x",
        "[now]\nmono=1x",
        "[now]\nhour=1",
        "[now]\nmono=-1",
        "[now]\nwall=9223372036854775807",
        "[config]\ngrace_us=9223372036854775807us",
        "[config]\ngrace_us=-1us",
        "[nowhere]",
        "[node db1",
        "[config]\nacks=-1",
        "[config]\nacks=4294967296",
        "[config]\nacks=",
        "[config]\nno_such=1",
        "[config]\nengine=oracle",
        "[config]\ngrace_us=5",
        "[config]\ngrace_us=5h",
        "[config]\ngrace_us=x",
        "[config]\ngrace_us=9223372036854775807s",
        "[config]\nname=a name that is far too long for it",
        "[config]\nnonsense",
        "[node db1]\nport=65536",
        "[node db1]\nquarantine=maybe",
        "[node db1]\nno_such=1",
        "[node db1]\nexecuted=nonsense",
        "[node db1]\nserver_id=1x",
        "[node db1]\nlag_s=1x",
        "[node db1]\nfacts_mono_us=yesterday",
        "[node db1]\nfacts_mono_us=now*5s",
        "[node db1]\nfacts_mono_us=now-5",
        "[node db1]\ndump_peers=a-host-name-that-is-longer-than-sixty-three-"
        "characters-in-all-of-its-parts",
        "[node a-name-of-more-than-thirty-two-characters]",
        "[record]\nackers=db9",
        "[record]\nadopted=perhaps",
        "[view]\nprimary=db1",
        "[view]\nbarrier=nonsense",
        "[node db1]\nfacts_mono_us=now-9223372036854775807us\nslow_mono_us=x",
        "[now]\nmono=5\n[node db1]\nfacts_mono_us=now+9223372036854775807us",
        "[run]\nid=shop-1", /* no place to read it into */
        "[fleet]\nfailovers_last_hour=-1",
        "[fleet]\nbusy_zones=1,2,3,4,5,6,7,8,9",
        "[fleet]\nno_such=1",
        "[fleet]\nzone_down=2",
        "[fleet]\nreseeds_full=2",
        "[fleet]\nbusy_zones=a-zone-of-more-than-thirty-two-characters",
        "[config]\ngrace_us=0h",
        "[node db1]\nlag_s=x",
        "[node db1]\nwritten=x",
        "[node db1]\nwritten=1x",
        "[node db1]\nwritten=-1",
        "[node db1]\nborn=x",
        "[node db1]\nborn=1x",
        "[node db1]\nfacts_mono_us=now-4611686018427387904us",
    };
    for (size_t i = 0; i < STAY_COUNT(wrong); i++) {
        struct stay_error err = {0};
        enum stay_rc rc = apply(wrong[i], &err);
        if (rc != STAY_EINVALID)
            fail_msg("taken: %s", wrong[i]);
        assert_non_null(strstr(err.text, "line "));
    }
}

static void odd_but_right_lines_are_taken(void **state)
{
    (void)state;
    const char *text = "# comment\n\n[node db1]\nfacts_mono_us=now\nslow_mono_us=now+2s\n"
                       "canary_ok_mono_us=never\ndump_peers=\n[config]\ngrace_us=0\n"
                       "[record]\nackers=,db1\nprimary=db9\n[decision]\nanything at all\nx=1\n"
                       "[now]\nmono=7\n[view]\nhold_until_mono_us=now+9223372036854775800us\n";
    assert_int_equal(apply(text, NULL), STAY_OK);
    assert_int_equal(w.view.nodes[0].facts_mono_us, w.now);
    assert_int_equal(w.view.nodes[0].slow_mono_us, w.now + SEC(2));
    assert_int_equal(w.view.nodes[0].facts.dump_peer_count, 0);
    assert_int_equal(w.view.record.ackers, 1);
    assert_int_equal(w.view.primary, NO_NODE);
    assert_true(w.view.hold_until_mono_us == INT64_MAX); /* without end */
}

static void bounds_of_the_text_hold(void **state)
{
    (void)state;
    char *text = stay_malloc(DECISION_TEXT_MAX + 2);
    memset(text, 'x', DECISION_TEXT_MAX + 1);
    text[DECISION_TEXT_MAX + 1] = '\0';
    assert_int_equal(apply(text, NULL), STAY_ELIMIT);
    free(text);
    char many[2048] = "[node db1]\ndump_peers=h";
    for (int i = 0; i < DUMP_PEERS_MAX; i++)
        memcpy(many + strlen(many), ",h", 3);
    assert_int_equal(apply(many, NULL), STAY_EINVALID);
    char nodes[4096] = "";
    for (int i = 0; i < NODES_MAX - 2; i++)
        (void)snprintf(nodes + strlen(nodes), 32, "[node n%d]\n", i);
    assert_int_equal(apply(nodes, NULL), STAY_EINVALID);
    assert_int_equal(w.config.node_count, NODES_MAX);
}

/* Turn by turn through an outage: each is the same again, and a changed line is found and named. */
static void every_turn_is_judged_the_same_again(void **state)
{
    (void)state;
    struct fleet fleet = {0};
    struct decision_memory before = {0};
    unsigned changed = 0;
    for (int i = 0; i < 40; i++) {
        if (i == 10)
            w.facts[0].ss_no_tx++; /* lossless_since falls, and rises by a barrier */
        if (i == 25)
            kill_db1();
        else if (i < 25)
            see_all(&w);
        w.now += MS(100);
        struct decision_turn turn = turn_of(NULL, &fleet);
        decision_memory_take(&before, &w.view);
        struct decision d = judge_with(NULL, &fleet);
        STAY_AUTO(stay_free_charp) char *text = decision_record_text(&turn, &before, &d);
        STAY_AUTO(replay_drop) struct replay *replay = NULL;
        unsigned line = 0;
        assert_int_equal(replay_new(text, strlen(text), &replay, &line, NULL), STAY_OK);
        struct replay_difference difference = {.field = ""};
        size_t at = 0;
        if (replay_next_difference(replay, &at, &difference) || !replay->is_same)
            fail_msg("turn %d: %s was '%s', is '%s'", i, difference.field, difference.recorded,
                     difference.judged);
        changed += d.record_changed;
        if (d.record_changed)
            cluster_set_record(&w.view, &d.record);
    }
    assert_in_range(changed, 2, 40);
    decision_memory_clear(&before);
}

static void expect_next(const struct replay *replay, size_t *at, const char *field,
                        const char *recorded, const char *judged)
{
    struct replay_difference found;
    assert_true(replay_next_difference(replay, at, &found));
    assert_string_equal(found.field, field);
    assert_string_equal(found.recorded, recorded);
    assert_string_equal(found.judged, judged);
}

static void a_difference_is_named_field_by_field(void **state)
{
    (void)state;
    struct decision_memory before = {0};
    kill_db1();
    struct decision_turn turn = turn_of(NULL, NULL);
    decision_memory_take(&before, &w.view);
    struct decision d = judge_with(NULL, NULL);
    d.verdict.rule_id = 130;
    d.vetoes = 2;
    w.view.nodes[2].by_hand = true;
    STAY_AUTO(stay_free_charp) char *text = decision_record_text(&turn, &before, &d);
    STAY_AUTO(replay_drop) struct replay *replay = NULL;
    unsigned line = 0;
    char value[80] = "";
    assert_int_equal(replay_new(text, strlen(text), &replay, &line, NULL), STAY_OK);
    assert_false(replay->is_same);
    struct replay_difference found;
    size_t at = 0;
    expect_next(replay, &at, "decision.verdict", "130 primary dead", "120 primary dead");
    expect_next(replay, &at, "decision.vetoes", "paused", "");
    assert_true(replay_next_difference(replay, &at, &found));
    assert_string_equal(found.field, "after.db3.by_hand");
    assert_false(replay_next_difference(replay, &at, &found));
    assert_true(replay_output_field(replay->recorded, "decision.want", value, sizeof value));
    assert_string_equal(value, "failover");
    assert_false(replay_output_field(replay->recorded, "decision.no_such", value, sizeof value));
    decision_memory_clear(&before);
}

/* A recorded turn of the world as it is. */
static char *recorded_turn(void)
{
    struct decision_memory before = {0};
    struct decision_turn turn = turn_of(NULL, NULL);
    decision_memory_take(&before, &w.view);
    struct decision d = judge_with(NULL, NULL);
    char *text = decision_record_text(&turn, &before, &d);
    decision_memory_clear(&before);
    return text;
}

/* `text` with the first `from` exchanged; heap. */
static char *with(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    assert_non_null(at);
    return stay_sprintf("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static struct replay *replay_of(const char *text)
{
    struct replay *replay = NULL;
    struct stay_error err = {0};
    unsigned line = 0;
    if (replay_new(text, strlen(text), &replay, &line, &err) != STAY_OK)
        fail_msg("line %u: %s", line, err.text);
    return replay;
}

/* Written by a version that said more, or less, or by somebody who edits files. */
static void lines_of_one_side_only_are_differences(void **state)
{
    (void)state;
    STAY_AUTO(stay_free_charp) char *text = recorded_turn();
    STAY_AUTO(stay_free_charp) char *less = with(text, "asks_human=no\n", "no such line\n");
    STAY_AUTO(stay_free_charp) char *more = with(less, "want=none\n", "want=\x1b\x7fnone\nnew=1\n");
    STAY_AUTO(replay_drop) struct replay *replay = replay_of(more);
    struct replay_difference found;
    size_t at = 0;
    assert_false(replay->is_same);
    expect_next(replay, &at, "decision.want", "??none", "none"); /* no terminal is painted */
    expect_next(replay, &at, "decision.new", "1", "");
    expect_next(replay, &at, "decision.asks_human", "", "no");
    assert_false(replay_next_difference(replay, &at, &found));
}

/* A record of the outputs alone is that of a cluster nobody knows. */
static void outputs_alone_are_judged_as_of_an_empty_cluster(void **state)
{
    (void)state;
    STAY_AUTO(stay_free_charp) char *text = recorded_turn();
    STAY_AUTO(replay_drop) struct replay *replay = replay_of(strstr(text, "[facts]\n"));
    assert_int_equal(replay->config.node_count, 0);
    assert_false(replay->is_same);
}

static void a_record_cut_in_its_last_line_or_too_long_is_refused(void **state)
{
    (void)state;
    STAY_AUTO(stay_free_charp) char *text = recorded_turn();
    struct replay *replay = NULL;
    struct stay_error err = {0};
    unsigned line = 0;
    assert_int_equal(replay_new(text, strlen(text) - 1, &replay, &line, &err), STAY_EINVALID);
    STAY_AUTO(stay_free_charp) char *pad = stay_malloc(DECISION_TEXT_MAX + 1);
    memset(pad, '\n', DECISION_TEXT_MAX);
    pad[DECISION_TEXT_MAX] = '\0';
    STAY_AUTO(stay_free_charp) char *big = with(text, "[now]\n", pad);
    assert_int_equal(replay_new(big, strlen(big), &replay, &line, &err), STAY_ELIMIT);
    assert_null(replay);
}

static void a_text_without_its_end_is_refused(void **state)
{
    (void)state;
    struct decision_memory before = {0};
    struct decision_turn turn = turn_of(NULL, NULL);
    decision_memory_take(&before, &w.view);
    struct decision d = judge_with(NULL, NULL);
    STAY_AUTO(stay_free_charp) char *text = decision_record_text(&turn, &before, &d);
    const char *after = strstr(text, "[after]\n");
    unsigned lines = 0, line = 0;
    struct stay_error err = {0};
    struct replay *replay = NULL;
    size_t length = (size_t)(after - text);
    for (size_t i = 0; i < length; i++)
        lines += text[i] == '\n';
    assert_int_equal(replay_new(text, length, &replay, &line, &err), STAY_EINVALID);
    assert_int_equal(line, lines + 1);
    assert_int_equal(replay_new("", 0, &replay, &line, &err), STAY_EINVALID);
    memcpy(strstr(text, "acks="), "akks=", 5); /* a field that this version does not know */
    assert_int_equal(replay_new(text, strlen(text), &replay, &line, &err), STAY_EINVALID);
    assert_non_null(strstr(err.text, "'akks'"));
    assert_int_equal(line, 8);
    assert_null(replay);
    decision_memory_clear(&before);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(the_text_reads_back_to_the_same_decision),
        T(a_changed_record_is_in_the_text),
        T(wrong_lines_are_named),
        T(odd_but_right_lines_are_taken),
        T(bounds_of_the_text_hold),
        T(every_turn_is_judged_the_same_again),
        T(a_difference_is_named_field_by_field),
        T(lines_of_one_side_only_are_differences),
        T(outputs_alone_are_judged_as_of_an_empty_cluster),
        T(a_record_cut_in_its_last_line_or_too_long_is_refused),
        T(a_text_without_its_end_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
