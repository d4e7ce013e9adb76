/* tests/unit/controller/decide/test_decision_text.c - the decision's text there and back. */
#include "decide_world.h"

static char *text_of(const struct decision *d)
{
    return decision_record_text(&w.view, d, w.now, wall_of(&w));
}

static char *there_and_back(const char *text, struct cluster_view *view,
                            struct cluster_config *config, int64_t *now, int64_t *wall)
{
    struct stay_error err = {0};
    cluster_config_defaults(config);
    cluster_init(view, config);
    if (decision_record_apply(text, config, view, now, wall, &err) != STAY_OK)
        fail_msg("%s", err.text);
    return decision_record_text(view, NULL, *now, *wall);
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
    gtid_set_copy(&w.view.barrier, &w.facts[0].executed);
    (void)stay_copy(w.facts[1].receiver_error, FACT_TEXT_MAX, "two\nlines = one");
    see(&w, 1);
    w.now += MS(2);
    kill_db1();
    struct decision d = judge_with(NULL, NULL), again;
    STAY_AUTO(stay_free_charp) char *full = text_of(&d);
    STAY_AUTO(stay_free_charp) char *input = text_of(NULL);
    struct cluster_view view;
    struct cluster_config config;
    int64_t now = 0, wall = 0;
    STAY_AUTO(stay_free_charp) char *copy = there_and_back(full, &view, &config, &now, &wall);
    assert_string_equal(copy, input);
    assert_int_equal(now, w.now);
    decide(&view, NULL, NULL, now, wall, &again);
    assert_int_equal(again.verdict.rule_id, d.verdict.rule_id);
    assert_int_equal(again.want, d.want);
    assert_int_equal(again.vetoes, d.vetoes);
    assert_string_equal(again.text, d.text);
    assert_int_equal(view.record.quarantine[2], QUARANTINE_OPERATOR);
    assert_int_equal(view.nodes[0].facts.dump_peer_count, 2);
    cluster_clear(&view);
}

static void a_changed_record_is_in_the_text(void **state)
{
    (void)state;
    w.facts[0].ss_no_tx = 1;
    w.now += MS(400);
    see_all(&w);
    struct decision d = judge_with(NULL, NULL);
    STAY_AUTO(stay_free_charp) char *text = text_of(&d);
    assert_non_null(strstr(text, "record_changed=yes\n"));
    assert_non_null(strstr(text, "want=none\n"));
    assert_non_null(strstr(text, "[facts]\nknown=yes\nanswers=yes\n"));
}

static void wrong_lines_are_named(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "mono=1",
        "[now]\nmono=x",
        "[now]\nmono=1x",
        "[now]\nhour=1",
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
    };
    for (size_t i = 0; i < STAY_COUNT(wrong); i++) {
        struct stay_error err = {0};
        int64_t now = w.now, wall = 0;
        enum stay_rc rc = decision_record_apply(wrong[i], &w.config, &w.view, &now, &wall, &err);
        if (rc != STAY_EINVALID)
            fail_msg("taken: %s", wrong[i]);
        assert_non_null(strstr(err.text, "line "));
    }
}

static void odd_but_right_lines_are_taken(void **state)
{
    (void)state;
    int64_t now = w.now, wall = 0;
    const char *text = "# comment\n\n[node db1]\nfacts_mono_us=now\nslow_mono_us=now+2s\n"
                       "canary_ok_mono_us=never\ndump_peers=\n[config]\ngrace_us=0\n"
                       "[record]\nackers=,db1\nprimary=db9\n[decision]\nanything at all\nx=1\n";
    assert_int_equal(decision_record_apply(text, &w.config, &w.view, &now, &wall, NULL), STAY_OK);
    assert_int_equal(w.view.nodes[0].facts_mono_us, w.now);
    assert_int_equal(w.view.nodes[0].slow_mono_us, w.now + SEC(2));
    assert_int_equal(w.view.nodes[0].facts.dump_peer_count, 0);
    assert_int_equal(w.view.record.ackers, 1);
    assert_int_equal(w.view.primary, NO_NODE);
}

static void bounds_of_the_text_hold(void **state)
{
    (void)state;
    int64_t now = w.now, wall = 0;
    char *text = stay_malloc(DECISION_TEXT_MAX + 2);
    memset(text, 'x', DECISION_TEXT_MAX + 1);
    text[DECISION_TEXT_MAX + 1] = '\0';
    assert_int_equal(decision_record_apply(text, &w.config, &w.view, &now, &wall, NULL),
                     STAY_ELIMIT);
    free(text);
    char many[2048] = "[node db1]\ndump_peers=h";
    for (int i = 0; i < DUMP_PEERS_MAX; i++)
        memcpy(many + strlen(many), ",h", 3);
    assert_int_equal(decision_record_apply(many, &w.config, &w.view, &now, &wall, NULL),
                     STAY_EINVALID);
    char nodes[4096] = "";
    for (int i = 0; i < NODES_MAX - 2; i++)
        (void)snprintf(nodes + strlen(nodes), 32, "[node n%d]\n", i);
    assert_int_equal(decision_record_apply(nodes, &w.config, &w.view, &now, &wall, NULL),
                     STAY_EINVALID);
    assert_int_equal(w.config.node_count, NODES_MAX);
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
