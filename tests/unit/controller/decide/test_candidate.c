/* tests/unit/controller/decide/test_candidate.c - who may be promoted, who is best, who becomes an
 * acker: golden cases (rehearsal), and the rules of a run after its drain. */
#include "tests/unit/controller/decide/case_view.h"
#include "tests/unit/controller/decide/golden_file.h"

#include "controller/decide/candidate.h"
#include "controller/decide/cluster_written.h"
#include "controller/decide/plan_private.h"

static void candidate_text(char *facts, struct str *out)
{
    struct case_view c;
    struct candidate_note notes[NODES_MAX];
    size_t count = 0;
    case_load(&c, facts);
    uint32_t best = candidate_choose(&c.view, NULL, CASE_NOW, notes, &count);
    str_addf(out, "best: %s\n", best == NO_NODE ? "-" : c.config.nodes[best].name);
    for (size_t i = 0; i < count; i++)
        str_addf(out, "%s %s: %s\n", notes[i].eligible ? "may" : "no ",
                 c.config.nodes[notes[i].node].name, notes[i].why);
    case_clear(&c);
}

static void golden_cases_choose_as_recorded(void **state)
{
    (void)state;
    assert_true(golden_run("candidate", "", candidate_text) >= 10);
}

/* Four nodes, the primary refuses; a failover has begun and nobody has drained yet. */
static struct case_view c;
static struct plan_run run;
static struct candidate_note notes[NODES_MAX];
static size_t count;

static const char four[] = "node db1 zone a\nnode db2 zone b\nnode db3 zone c\nnode db4 zone b\n"
                           "record primary db1 mode lossless stands ackers db2,db3,db4\n"
                           "fact db1 executed 0-1-100\nrefused db1\n";

static int setup(void **state)
{
    (void)state;
    case_open(&c, four);
    run = (struct plan_run){.kind = PLAN_FAILOVER, .old_primary = 0};
    count = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    plan_run_clear(&run);
    case_clear(&c);
    return 0;
}

/* The node holds the set, drained. */
static void drained(uint32_t node, const char *set)
{
    run.f |= UINT32_C(1) << node;
    run.r |= UINT32_C(1) << node;
    run.collected |= UINT32_C(1) << node;
    case_gtids(&c, set, &run.executed[node]);
}

static uint32_t choose(void)
{
    return candidate_choose(&c.view, &run, CASE_NOW, notes, &count);
}

static void a_node_that_did_not_drain_is_no_candidate(void **state)
{
    (void)state;
    drained(2, "0-1-90");
    run.f |= 2; /* frozen, not drained */
    assert_int_equal(choose(), 2);
    assert_int_equal(count, 3);
    assert_string_equal(notes[1].why, "it has not executed all it received");
    assert_string_equal(notes[2].why, "it could not be frozen");
    run.struck = 4;
    assert_int_equal(choose(), NO_NODE);
}

static void top_up_comes_from_the_drained_peer_that_gives_most(void **state)
{
    (void)state;
    drained(1, "0-1-90");
    drained(2, "0-1-95");
    drained(3, "0-1-99");
    assert_int_equal(candidate_top_up_peer(&c.view, &run, 1), 3);
    assert_int_equal(candidate_top_up_peer(&c.view, &run, 3), NO_NODE);
    assert_int_equal(candidate_top_up_peer(&c.view, &run, NO_NODE), NO_NODE);
    run.struck = run.detached = 8;
    assert_int_equal(candidate_top_up_peer(&c.view, &run, 1), 2);
}

/* A replica that somebody wrote to: its own rows are nobody's loss, and go nowhere. */
static void what_a_peer_wrote_by_hand_is_not_fetched(void **state)
{
    (void)state;
    c.view.nodes[3].facts.server_id = 4;
    drained(1, "0-1-90");
    drained(3, "0-1-90,0-4-91");
    assert_false(cluster_wrote_alone(&c.view, 3, &run.executed[3])); /* nothing is recorded */
    assert_int_equal(candidate_top_up_peer(&c.view, &run, 1), 3);
    (void)cluster_note_written(&c.view, 0, &run.executed[1], &c.view.record);
    assert_true(cluster_wrote_alone(&c.view, 3, &run.executed[3]));
    assert_int_equal(candidate_top_up_peer(&c.view, &run, 1), NO_NODE);
    (void)cluster_note_written(&c.view, 0, &run.executed[3], &c.view.record); /* a primary had it */
    assert_false(cluster_wrote_alone(&c.view, 3, &run.executed[3]));
    assert_false(cluster_note_written(&c.view, 0, &run.executed[1], &c.view.record));
}

/* It was the primary once and was written to by hand since: only the latter is nobody's loss. */
static void what_a_peer_wrote_as_a_primary_is_fetched(void **state)
{
    (void)state;
    STAY_AUTO(gtid_set_drop) struct gtid_set held = {0};
    STAY_AUTO(gtid_set_drop) struct gtid_set want = {0};
    c.view.nodes[3].facts.server_id = 4;
    drained(1, "0-1-90,0-4-70");
    drained(3, "0-1-90,0-4-80");
    (void)cluster_note_written(&c.view, 0, &run.executed[3], &c.view.record);
    drained(3, "0-1-90,0-4-91");
    assert_true(cluster_wrote_alone(&c.view, 3, &run.executed[3]));
    plan_contribution(&run, &c.view, 3, &held);
    case_gtids(&c, "0-1-90,0-4-80", &want);
    assert_true(gtid_set_equal(&held, &want));
    assert_int_equal(candidate_top_up_peer(&c.view, &run, 1), 3);
    drained(3, "0-1-90,0-4-91,1-4-5"); /* in two domains: nothing is given up */
    plan_contribution(&run, &c.view, 3, &held);
    assert_true(gtid_set_equal(&held, &run.executed[3]));
    c.view.record.twins = 8; /* the same numbers as a primary's: none of it counts */
    plan_contribution(&run, &c.view, 3, &held);
    case_gtids(&c, "0-1-90", &want);
    assert_true(gtid_set_equal(&held, &want));
}

/* A candidate whose drain went slowly is not given up at its first slow slice of a top-up. */
static void a_top_up_counts_its_own_stalls(void **state)
{
    (void)state;
    run.stalls[1] = run.stalls[2] = PLAN_TOP_UP_STALLS_MAX;
    plan_begin_row(&run, plan_row_of(PLAN_FAILOVER, STEP_TOP_UP), 2, CASE_NOW);
    assert_int_equal(run.stalls[1], 0);
    assert_int_equal(run.stalls[2], PLAN_TOP_UP_STALLS_MAX);
}

/* Rehearsed: no run yet, the replica's own facts are all there is. */
static void one_that_wrote_alone_or_skipped_its_own_is_no_candidate(void **state)
{
    (void)state;
    c.view.nodes[1].facts.server_id = 2;
    c.view.nodes[1].skipped = true;
    assert_int_equal(candidate_choose(&c.view, NULL, CASE_NOW, notes, &count), 2);
    assert_string_equal(notes[2].why, "it skipped transactions of its own that the primary holds");
    c.view.nodes[1].skipped = false;
    c.view.record.written_known = 2; /* 0 of them reached a primary */
    case_gtids(&c, "0-1-90,0-2-91", &c.view.nodes[1].facts.executed);
    assert_int_equal(candidate_choose(&c.view, NULL, CASE_NOW, notes, &count), 2);
    assert_string_equal(notes[2].why, "it wrote transactions of its own");
}

static void what_the_run_knows_rules_out_as_well(void **state)
{
    (void)state;
    drained(1, "0-1-99");
    drained(2, "0-1-95");
    run.errant = 2;
    assert_int_equal(choose(), 2);
    assert_string_equal(notes[1].why, "it holds transactions the primary lacks");
    run.errant = 0;
    c.view.nodes[1].facts.server_id = 2;
    c.view.record.written_known = 2;
    drained(1, "0-1-99,0-2-100"); /* found out by the drain */
    assert_int_equal(choose(), 2);
    assert_string_equal(notes[1].why, "it wrote transactions of its own");
    assert_int_equal(candidate_ackers(&c.view, &run, 2), 0);
}

static void ackers_are_contained_drained_and_in_another_zone(void **state)
{
    (void)state;
    drained(0, "0-1-99");
    drained(1, "0-1-99");
    drained(2, "0-1-95");
    drained(3, "0-1-99");
    assert_int_equal(candidate_ackers(&c.view, &run, 1),
                     4); /* db4 shares its zone, db1 was primary */
    assert_int_equal(candidate_ackers(&c.view, &run, 2), 2 | 8); /* it will be topped up */
    c.view.record.quarantine[2] = QUARANTINE_DIVERGED;
    assert_int_equal(candidate_ackers(&c.view, &run, 1), 0);
}

static void a_detached_candidate_is_kept_when_it_is_still_good(void **state)
{
    (void)state;
    run.detached = 8;
    c.config.nodes[1].promote = PROMOTE_PREFER;
    drained(1, "0-1-99");
    drained(3, "0-1-99");
    assert_int_equal(choose(), 3);
    assert_non_null(strstr(notes[0].why, "already detached"));
    c.config.nodes[1].promote = PROMOTE_AVOID;
    run.detached = 2;
    assert_int_equal(choose(), 1);
}

static void a_writable_server_needs_the_primarys_set_to_be_judged(void **state)
{
    (void)state;
    drained(1, "0-1-100");
    c.view.nodes[1].facts.read_only = TRI_NO;
    assert_int_equal(choose(), 1);
    c.view.nodes[0].groups_known = 0;
    assert_int_equal(choose(), NO_NODE);
    assert_non_null(strstr(notes[0].why, "never read"));
    c.view.nodes[1].facts.read_only = TRI_YES;
    assert_int_equal(choose(), 1);
    c.view.primary = NO_NODE;
    c.view.nodes[1].facts.read_only = TRI_NO;
    assert_int_equal(choose(), 1);
}

static void a_node_that_wrote_by_itself_is_found_after_the_drain(void **state)
{
    (void)state;
    c.view.nodes[1].facts.server_id = 2;
    drained(1, "0-1-99,0-2-100");
    assert_int_equal(choose(), NO_NODE);
    assert_string_equal(notes[0].why, "it wrote transactions of its own");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_cases_choose_as_recorded),
        T(a_node_that_did_not_drain_is_no_candidate),
        T(top_up_comes_from_the_drained_peer_that_gives_most),
        T(what_a_peer_wrote_by_hand_is_not_fetched),
        T(what_a_peer_wrote_as_a_primary_is_fetched),
        T(a_top_up_counts_its_own_stalls),
        T(one_that_wrote_alone_or_skipped_its_own_is_no_candidate),
        T(what_the_run_knows_rules_out_as_well),
        T(ackers_are_contained_drained_and_in_another_zone),
        T(a_detached_candidate_is_kept_when_it_is_still_good),
        T(a_writable_server_needs_the_primarys_set_to_be_judged),
        T(a_node_that_wrote_by_itself_is_found_after_the_drain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
