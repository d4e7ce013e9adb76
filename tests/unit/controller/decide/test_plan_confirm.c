/* tests/unit/controller/decide/test_plan_confirm.c - what was seen between a failover's certificate
 * and its promotion, or was known when it ended undone, is not forgotten. */
#include "tests/unit/controller/decide/case_view.h"

#include "controller/decide/plan_conclude_private.h"
#include "controller/decide/plan_private.h"

#define PAIR                                                                                       \
    "node db1 zone a\nnode db2 zone b\n"                                                           \
    "record primary db1 mode lossless stands ackers db2\n"                                         \
    "fact db1 executed 0-1-100\nfact db2 executed 0-1-100 received 0-1-100\nrefused db1\n"

/* A failover that was certified LOSSLESS and waits for the store before it opens db2. */
static void certified(struct case_view *c, struct plan_run *run)
{
    struct stay_error err = {0};
    struct plan_params params = {.node = NO_NODE, .detected_mono_us = STAY_NEVER};
    case_open(c, PAIR);
    *run = (struct plan_run){0};
    if (plan_start(run, PLAN_FAILOVER, &params, &c->view, CASE_NOW, CASE_WALL, &err) != STAY_OK)
        fail_msg("start: %s", err.text);
    run->state = RUN_FORWARD;
    run->candidate = 1;
    run->f = run->r = run->collected = run->detached = 2;
    run->rows[plan_row_of(PLAN_FAILOVER, STEP_FREEZE)].begun_mono_us = CASE_NOW;
    gtid_set_copy(&run->executed[1], &c->view.nodes[1].facts.executed);
    gtid_set_copy(&run->received_high[1], &c->view.nodes[1].facts.received);
    plan_certify(run, &c->view, CASE_NOW);
    assert_int_equal(run->certificate.kind, CERT_LOSSLESS);
    run->past_no_return = true;
}

static enum plan_next confirm(struct case_view *c, struct plan_run *run)
{
    uint32_t to = 0;
    return plan_confirm(run, &c->view, plan_row_of(PLAN_FAILOVER, STEP_WRITABLE),
                        CASE_NOW + STAY_SECOND, &to);
}

static void drop(struct case_view *c, struct plan_run *run)
{
    plan_run_clear(run);
    case_clear(c);
}

static void reads(struct case_view *c, uint32_t node, const char *executed)
{
    struct node_view *n = &c->view.nodes[node];
    gtid_set_clear(&n->facts.executed);
    case_gtids(c, executed, &n->facts.executed);
    n->facts_begun_mono_us = n->facts_mono_us = CASE_NOW + STAY_SECOND;
}

/* Found by tests/search: the controller died past the point of no return; while the next one went
 * on, the old primary came back, weakened by hand, after the freeze was verified. */
static void a_run_taken_up_past_its_point_asks_when_its_certificate_fell(void **state)
{
    (void)state;
    enum { AS_BEFORE, WEAKENED, LOSS_ACCEPTED };
    for (int what = AS_BEFORE; what <= LOSS_ACCEPTED; what++) {
        struct case_view c;
        struct plan_run run;
        certified(&c, &run);
        run.maybe_open = true;
        run.params.accept_loss = what == LOSS_ACCEPTED;
        reads(&c, 0, "0-1-100");
        c.view.nodes[0].facts.ss_source_on = what == AS_BEFORE ? TRI_YES : TRI_NO;
        c.view.nodes[0].facts.ss_source_enabled = c.view.nodes[0].facts.ss_source_on;
        plan_note_broken(&run, &c.view);
        assert_int_equal(run.lossless_stood, what == AS_BEFORE);
        assert_int_equal(confirm(&c, &run), what == WEAKENED ? NEXT_ASK : NEXT_ROW);
        assert_true(run.past_no_return);
        drop(&c, &run);
    }
}

/* Seed 300147718: cut off, a server of the primary's own zone acknowledged for it; heard of again
 * while the store was slow, it had executed far more than its ackers hold. */
static void a_primary_that_executed_more_since_stops_the_promotion(void **state)
{
    (void)state;
    struct case_view c;
    struct plan_run run;
    certified(&c, &run);
    assert_int_equal(confirm(&c, &run), NEXT_ROW);
    reads(&c, 0, "0-1-151");
    assert_int_equal(confirm(&c, &run), NEXT_UNDO);
    assert_int_not_equal(run.certificate.kind, CERT_LOSSLESS);
    drop(&c, &run);
}

static void a_candidate_written_to_by_hand_since_is_not_promoted(void **state)
{
    (void)state;
    struct case_view c;
    struct plan_run run;
    certified(&c, &run);
    reads(&c, 1, "0-1-100,0-2-101");
    assert_int_equal(confirm(&c, &run), NEXT_UNDO);
    assert_non_null(strstr(run.text, "by hand"));
    c.view.nodes[1].groups_known = 0; /* not read since it began anew: its set is of before */
    run.text[0] = '\0';
    (void)confirm(&c, &run);
    assert_null(strstr(run.text, "by hand"));
    c.view.nodes[1].groups_known = FACTS_STATUS;
    run.params.accept_loss = true; /* a human goes on whatever it holds */
    assert_int_equal(confirm(&c, &run), NEXT_ROW);
    drop(&c, &run);
}

/* Seed 300155554: its fence killed clients while their commit group was still acknowledged, and the
 * answer was lost. */
static void a_fence_without_an_answer_may_have_let_clients_be_answered(void **state)
{
    (void)state;
    struct case_view c;
    struct plan_run run;
    certified(&c, &run);
    struct row_run *fence = &run.rows[plan_row_of(PLAN_FAILOVER, STEP_FENCE)];
    fence->touched = fence->unknown = 1;
    plan_certify(&run, &c.view, CASE_NOW);
    assert_int_not_equal(run.certificate.kind, CERT_LOSSLESS);
    fence->unknown = 0;
    fence->failed = 1; /* it was not sent */
    plan_certify(&run, &c.view, CASE_NOW);
    assert_int_equal(run.certificate.kind, CERT_LOSSLESS);
    struct server_facts facts = {.read_only = TRI_NO};
    struct effect_result looked = {
        .outcome = OUTCOME_NOT_DONE, .groups_read = true, .facts = &facts};
    uint32_t row = plan_row_of(PLAN_FAILOVER, STEP_FENCE), to = 0;
    plan_absorb(&run, &c.view, row, 0, &looked, CASE_NOW); /* row 9: nobody was killed */
    plan_certify(&run, &c.view, CASE_NOW);
    assert_int_equal(run.certificate.kind, CERT_LOSSLESS);
    looked.ended_sessions = true;
    plan_absorb(&run, &c.view, row, 0, &looked, CASE_NOW);
    plan_certify(&run, &c.view, CASE_NOW);
    assert_int_not_equal(run.certificate.kind, CERT_LOSSLESS);
    run.past_no_return = false;
    run.row = plan_row_of(PLAN_FAILOVER, STEP_CERTIFY);
    (void)plan_resume(&run, &c.view, CASE_NOW, &to); /* who takes it up knows */
    assert_true(run.fence_unheard);
    drop(&c, &run);
}

/* Seed 300584948: an acker's relay log was thrown away. The primary's last word told so, until its
 * restart truncated it. */
static void a_disproof_outlives_the_failover_it_stopped(void **state)
{
    (void)state;
    for (int more = 0; more < 2; more++) {
        struct case_view c;
        struct plan_run run;
        certified(&c, &run);
        if (more)
            reads(&c, 0, "0-1-151");
        run.past_no_return = false;
        run.state = RUN_UNDONE;
        struct cluster_record record = c.view.record;
        plan_end_record(&run, &c.view, CASE_WALL, &record);
        assert_int_equal(record.lossless_stands, !more);
        drop(&c, &run);
    }
}

/* Seed 300492543: taken up before the promotion, the candidate had restarted and truncated its
 * tail; named as the primary, it was opened as one that merely restarted. */
static void a_candidate_that_may_have_lost_its_tail_is_not_named(void **state)
{
    (void)state;
    for (int restarted = 0; restarted < 2; restarted++) {
        struct case_view c;
        struct plan_run run;
        certified(&c, &run);
        if (restarted)
            c.view.nodes[1].restarted_mono_us = CASE_NOW + STAY_SECOND;
        run.state = RUN_ASKS;
        struct cluster_record record = c.view.record;
        plan_end_record(&run, &c.view, CASE_WALL, &record);
        assert_string_equal(record.primary, restarted ? "db1" : "db2");
        assert_string_equal(record.asks, restarted ? "db2" : "");
        drop(&c, &run);
    }
}

/* tests/search, pair: force tick tick tick@0:fail write:1 semisync-off:1. Switched off by hand a
 * moment before the fence, the count of times is what it is after a fence alone. */
static void a_source_role_that_the_fence_found_off_breaks_lossless(void **state)
{
    (void)state;
    for (int how = 0; how < 4; how++) {
        struct case_view c;
        struct plan_run run;
        certified(&c, &run);
        struct node_view *old = &c.view.nodes[0];
        uint32_t fence = plan_row_of(PLAN_FAILOVER, STEP_FENCE);
        struct effect_result found = {.outcome = OUTCOME_DONE,
                                      .groups_read = true,
                                      .facts = &old->facts,
                                      .source_was_off = how > 0};
        run.fenced = how == 2; /* by this run, a moment ago */
        if (how == 3) {        /* its restart left it off, and it was read-only ever since */
            old->restarted_mono_us = CASE_NOW;
            old->facts.read_only = TRI_YES;
        }
        plan_absorb(&run, &c.view, fence, 0, &found, CASE_NOW);
        assert_true(run.fenced);
        assert_int_equal(run.lossless_stood, how != 1);
        drop(&c, &run);
    }
}

/* A switchover's and a failover's, and not the second time: it may have been open since the first.
 */
static void the_first_that_opens_in_a_reign_says_so(void **state)
{
    (void)state;
    static const enum plan_kind kinds[] = {PLAN_FAILOVER, PLAN_SWITCHOVER, PLAN_RECOVER,
                                           PLAN_MAKE_WRITABLE};
    for (size_t i = 0; i < STAY_COUNT(kinds); i++) {
        struct case_view c;
        struct plan_run run;
        struct effect e;
        certified(&c, &run);
        run.kind = kinds[i];
        plan_effect(&run, &c.view, plan_row_of(run.kind, STEP_WRITABLE), 1, &e);
        assert_int_equal(e.opens, kinds[i] != PLAN_MAKE_WRITABLE);
        run.maybe_open = true;
        plan_effect(&run, &c.view, plan_row_of(run.kind, STEP_WRITABLE), 1, &e);
        assert_false(e.opens);
        drop(&c, &run);
    }
}

/* db1 lost 0-1-91..100 of before in a restart and gave the numbers anew; db2 holds the lost ones.
 */
static void give_twice(struct case_view *c, bool is_read)
{
    struct node_view *old = &c->view.nodes[0], *n = &c->view.nodes[1];
    gtid_set_clear(&n->before);
    case_gtids(c, "0-1-100", &n->before);
    gtid_set_clear(&old->facts.log_began);
    case_gtids(c, "0-1-90", &old->facts.log_began);
    old->facts.server_id = 1;
    n->facts.server_id = 2;
    old->groups_known = is_read ? FACTS_STATUS | FACTS_SLOW : FACTS_STATUS;
    c->view.regiven_since_wall_us = c->view.record.primary_since_wall_us;
}

/* Simulator seed 1200029768: a switchover chose it while the store was slow to say that it is set
 * aside, and its undo attached it again. */
static void who_holds_numbers_given_twice_is_not_promoted_before_the_store_says_so(void **state)
{
    (void)state;
    enum { NEVER_LOST, GIVEN_TWICE, NOT_READ };
    for (int what = NEVER_LOST; what <= NOT_READ; what++) {
        struct case_view c;
        struct plan_run run;
        uint32_t to = 0;
        certified(&c, &run);
        if (what != NEVER_LOST)
            give_twice(&c, what == GIVEN_TWICE);
        bool is_twin = what == GIVEN_TWICE;
        assert_int_equal(candidate_objection(&c.view, 1, CASE_NOW) != NULL, is_twin);
        assert_int_equal(plan_acker_nodes(&c.view, 0, CASE_NOW), is_twin ? 0 : 2);
        assert_int_equal(plan_conclude_certify(&run, &c.view, &to), is_twin ? NEXT_UNDO : NEXT_ROW);
        plan_run_clear(&run);
        run = (struct plan_run){.kind = PLAN_SWITCHOVER, .candidate = 1, .fenced = true};
        gtid_set_copy(&run.executed[1], &c.view.nodes[1].facts.executed);
        gtid_set_copy(&run.fenced_executed, &c.view.nodes[1].facts.executed);
        run.certificate.kind =
            CERT_LOSSLESS; /* while it can be asked, what is unread is no proof */
        assert_int_equal(plan_conclude_certify(&run, &c.view, &to),
                         what == NEVER_LOST ? NEXT_ROW : NEXT_UNDO);
        uint32_t detach = plan_row_of(PLAN_SWITCHOVER, STEP_DETACH);
        run.moved = run.rows[detach].touched = 2;
        assert_int_equal(plan_undo_targets(&run, &c.view, detach, CASE_NOW), is_twin ? 0 : 2);
        drop(&c, &run);
    }
}

/* Simulator seed 1210026836: fenced, cut off from us alone, killed, and open again by its own
 * configuration; the failover was certified by the set that the fence had read. */
static void a_fence_does_not_outlive_a_silent_server_that_starts_open(void **state)
{
    (void)state;
    for (int what = 0; what < 8; what++) {
        struct case_view c;
        struct plan_run run;
        certified(&c, &run);
        struct node_view *old = &c.view.nodes[0];
        bool is_heard = (what & 1) != 0, opens = (what & 2) != 0, is_mysql = (what & 4) != 0;
        c.config.engine = is_mysql ? ENGINE_MYSQL : ENGINE_MARIADB;
        run.lossless_stood = false;
        run.a = 0;
        run.fenced = run.was_open = true;
        gtid_set_copy(&run.fenced_executed, &run.executed[1]);
        old->query_ok_mono_us = is_heard ? CASE_NOW : CASE_NOW - 10 * STAY_SECOND;
        old->facts.start_read_only = opens ? TRI_NO : TRI_YES;
        plan_certify(&run, &c.view, CASE_NOW);
        assert_int_equal(run.certificate.kind == CERT_LOSSLESS, is_heard || !opens);
        drop(&c, &run);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_taken_up_past_its_point_asks_when_its_certificate_fell),
        cmocka_unit_test(a_primary_that_executed_more_since_stops_the_promotion),
        cmocka_unit_test(a_candidate_written_to_by_hand_since_is_not_promoted),
        cmocka_unit_test(a_fence_without_an_answer_may_have_let_clients_be_answered),
        cmocka_unit_test(a_disproof_outlives_the_failover_it_stopped),
        cmocka_unit_test(a_candidate_that_may_have_lost_its_tail_is_not_named),
        cmocka_unit_test(a_source_role_that_the_fence_found_off_breaks_lossless),
        cmocka_unit_test(the_first_that_opens_in_a_reign_says_so),
        cmocka_unit_test(a_fence_does_not_outlive_a_silent_server_that_starts_open),
        cmocka_unit_test(who_holds_numbers_given_twice_is_not_promoted_before_the_store_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
