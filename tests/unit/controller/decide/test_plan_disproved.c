/* tests/unit/controller/decide/test_plan_disproved.c - what the primary's last word, or a receiver
 * that runs again, takes away from a proof; and from a primary that lost what it had answered. */
#include "tests/unit/controller/decide/case_view.h"

#include "controller/decide/plan_private.h"

/* `since`: what the primary says it executed once its fence was sent, or NULL. */
static enum certificate_kind certify_drained(const char *engine, const char *last, const char *held,
                                             const char *since)
{
    struct case_view c;
    char lines[400];
    struct plan_run run = {0};
    struct stay_error err = {0};
    struct plan_params params = {.node = NO_NODE, .detected_mono_us = STAY_NEVER};
    (void)snprintf(lines, sizeof lines,
                   "engine %s\nnode db1 zone a\nnode db2 zone b\n"
                   "record primary db1 mode lossless stands ackers db2\n"
                   "fact db1 executed %s\nfact db2 executed %s received %s\nrefused db1\n",
                   engine, last, held, held);
    case_load(&c, lines);
    if (plan_start(&run, PLAN_FAILOVER, &params, &c.view, CASE_NOW, CASE_WALL, &err) != STAY_OK)
        fail_msg("start: %s", err.text);
    run.candidate = 1;
    run.f = run.r = run.collected = run.lost_first = run.acking = 2;
    run.acks_flowed = true;
    run.rows[plan_row_of(PLAN_FAILOVER, STEP_FREEZE)].begun_mono_us = CASE_NOW;
    gtid_set_copy(&run.executed[1], &c.view.nodes[1].facts.executed);
    if (since != NULL) {
        struct row_run *fence = &run.rows[plan_row_of(PLAN_FAILOVER, STEP_FENCE)];
        fence->touched = fence->failed = 1; /* not done: an unknown one may have told clients OK */
        fence->begun_mono_us = c.view.nodes[0].facts_begun_mono_us;
        gtid_set_clear(&c.view.nodes[0].facts.executed);
        case_gtids(&c, since, &c.view.nodes[0].facts.executed);
        c.view.nodes[0].facts.connections = 0;
    }
    plan_certify(&run, &c.view, CASE_NOW);
    enum certificate_kind kind = run.certificate.kind;
    plan_run_clear(&run);
    case_clear(&c);
    return kind;
}

/* Seen in the simulator: both threads stopped and started by hand between two looks, the primary
 * killed; its own last word was the only one that told. Case views have 20 sessions. */
static void what_the_primary_had_answered_and_no_acker_holds_disproves_lossless(void **state)
{
    (void)state;
#define UUID "3e11fa47-71ca-11e1-9e33-c80aa9429562"
    assert_int_equal(certify_drained("mariadb", "0-1-120", "0-1-100", NULL), CERT_LOSSLESS);
    assert_int_equal(certify_drained("mariadb", "0-1-121", "0-1-100", NULL), CERT_UNKNOWN);
    assert_int_equal(certify_drained("mysql", UUID ":1-100", UUID ":1-100", NULL), CERT_LOSSLESS);
    assert_int_equal(certify_drained("mysql", UUID ":1-101", UUID ":1-100", NULL), CERT_UNKNOWN);
}

/* What was waiting when the fence killed its clients ends in the primary's set, and nobody was told
 * so: it proves nothing. What the primary had executed before still does. */
static void what_the_fence_let_end_disproves_nothing(void **state)
{
    (void)state;
    assert_int_equal(certify_drained("mysql", UUID ":1-100", UUID ":1-100", UUID ":1-112"),
                     CERT_LOSSLESS);
    assert_int_equal(certify_drained("mysql", UUID ":1-101", UUID ":1-100", UUID ":1-112"),
                     CERT_UNKNOWN);
    assert_int_equal(certify_drained("mariadb", "0-1-120", "0-1-100", "0-1-120"), CERT_LOSSLESS);
    assert_int_equal(certify_drained("mariadb", "0-1-121", "0-1-100", "0-1-121"), CERT_UNKNOWN);
}

/* One that was frozen and receives from the old primary again, by a question asked since. */
static void a_receiver_that_was_started_again_is_frozen_no_more(void **state)
{
    (void)state;
    struct case_view c;
    struct plan_run run = {.kind = PLAN_FAILOVER, .a = 2, .f = 2, .r = 2, .collected = 2};
    STAY_AUTO(stay_free_charp)
    char *text = stay_strdup("node db1 zone a\nnode db2 zone b\nrecord primary db1 mode bounded\n"
                             "fact db1 executed 0-1-100\nfact db2 executed 0-1-90\n");
    case_load(&c, text);
    c.view.nodes[1].facts.ss_replica_enabled = TRI_YES;
    run.begun_mono_us = CASE_NOW - STAY_SECOND;
    run.freeze_mono_us[1] = c.view.nodes[1].facts_begun_mono_us;
    plan_note_able(&run, &c.view);
    assert_int_equal(run.f, 2);
    run.freeze_mono_us[1] -= STAY_MS;
    plan_note_able(&run, &c.view);
    assert_int_equal(run.f | run.r | run.collected, 0);
    assert_int_equal(run.able, 2);
    case_clear(&c);
}

/* A MariaDB primary truncates its tail in a restart: more of it than its sessions could wait for
 * was answered, and where no server holds it a human looks before it is opened. */
static void a_primary_that_lost_what_it_had_answered_is_not_opened(void **state)
{
    (void)state;
    struct case_view c;
    struct plan_run run = {0};
    struct stay_error err = {0};
    struct plan_params params = {.node = NO_NODE, .automatic = true};
    STAY_AUTO(stay_free_charp)
    char *text = stay_strdup("node db1 zone a\nnode db2 zone b\n"
                             "record primary db1 mode lossless stands ackers db2\n"
                             "fact db1 executed 0-1-121\nfact db2 executed 0-1-100\n");
    case_load(&c, text);
    struct server_facts now = {.read_only = TRI_YES, .uptime_s = 1};
    case_gtids(&c, "0-1-100", &now.executed);
    struct observation obs = {.kind = OBS_REACH,
                              .node = 0,
                              .groups = FACTS_STATUS,
                              .facts = &now,
                              .begun_mono_us = CASE_NOW,
                              .taken_mono_us = CASE_NOW + STAY_MS};
    obs.reach.outcome = OUT_OK;
    obs.reach.layer = LAYER_QUERY;
    cluster_observe(&c.view, &obs);
    assert_true(c.view.nodes[0].lost_answered);
    c.view.nodes[1].facts_begun_mono_us = CASE_NOW + 2 * STAY_MS;
    assert_int_equal(plan_start(&run, PLAN_MAKE_WRITABLE, &params, &c.view, CASE_NOW + 3 * STAY_MS,
                                CASE_WALL, &err),
                     STAY_EREFUSED);
    assert_non_null(strstr(err.text, "told are safe"));
    now.read_only = TRI_NO;
    obs.begun_mono_us = obs.taken_mono_us = CASE_NOW + 4 * STAY_MS;
    cluster_observe(&c.view, &obs);
    assert_false(c.view.nodes[0].lost_answered);
    server_facts_clear(&now);
    case_clear(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_primary_had_answered_and_no_acker_holds_disproves_lossless),
        cmocka_unit_test(what_the_fence_let_end_disproves_nothing),
        cmocka_unit_test(a_receiver_that_was_started_again_is_frozen_no_more),
        cmocka_unit_test(a_primary_that_lost_what_it_had_answered_is_not_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
