/* tests/unit/controller/decide/test_verdict_tables.c - the rule tables themselves: ids are
 * unique, the last row catches all, no row is shadowed by an earlier one, each has a reason for
 * people. */
#include "view_fixture.h"

#include "controller/decide/verdict_private.h"

struct seen {
    uint8_t ids[1000];
    size_t count;
};

static void note_row(void *ctx, uint16_t id, enum verdict_subject subject, const char *name,
                     const char *why, enum verdict_action action)
{
    struct seen *seen = ctx;
    static const unsigned first[SUBJECT_COUNT] = {100, 132, 150, 401, 501, 140};
    static const unsigned last[SUBJECT_COUNT] = {199, 299, 150, 499, 599, 141};
    assert_true(subject < SUBJECT_COUNT);
    assert_in_range(id, first[subject], last[subject]);
    assert_int_equal(seen->ids[id], 0);
    seen->ids[id] = 1;
    seen->count++;
    assert_true(name[0] != '\0' && why[0] != '\0');
    assert_string_not_equal(verdict_action_text(action), "?");
}

static void ids_are_unique_and_explained(void **state)
{
    (void)state;
    struct seen seen = {0};
    verdict_visit(note_row, &seen);
    assert_in_range(seen.count, 60, 110);
}

static void the_last_rows_catch_all(void **state)
{
    (void)state;
    size_t n = 0;
    const struct primary_rule *p = verdict_primary_rules(&n);
    struct primary_facts none = {0};
    assert_memory_equal(&p[n - 1].when, &none, sizeof none);
    assert_ptr_equal(verdict_match_primary(&none), &p[n - 1]);
    const struct replica_rule *r = verdict_replica_rules(&n);
    struct replica_facts nothing = {0};
    assert_memory_equal(&r[n - 1].when, &nothing, sizeof nothing);
    assert_ptr_equal(verdict_match_replica(&nothing), &r[n - 1]);
}

/* Facts that say exactly what a row asks for, and "unknown" for the rest, must reach that row:
 * were an earlier row to match them, it would match whatever this one does. */
static void no_row_is_shadowed(void **state)
{
    (void)state;
    size_t n = 0;
    const struct primary_rule *p = verdict_primary_rules(&n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(verdict_match_primary(&p[i].when)->id, p[i].id);
    const struct replica_rule *r = verdict_replica_rules(&n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(verdict_match_replica(&r[i].when)->id, r[i].id);
}

static void failover_needs_silence_and_a_witness_in_every_row(void **state)
{
    (void)state;
    size_t n = 0;
    const struct primary_rule *p = verdict_primary_rules(&n);
    for (size_t i = 0; i < n; i++) {
        if (p[i].action != ACT_FAILOVER || p[i].when.lost_tail == TRI_YES)
            continue; /* it answers, read-only: fenced by its own word */
        assert_int_equal(p[i].when.replicas_silent, TRI_YES);
        assert_int_equal(p[i].when.replicas_receive, TRI_NO);
        assert_true(p[i].when.answers == TRI_NO || p[i].when.hung == TRI_YES);
    }
}

static void texts_of_what_is_out_of_range_are_marked(void **state)
{
    (void)state;
    assert_string_equal(verdict_action_text(ACT_COUNT), "?");
    assert_string_equal(guard_name(GUARD_COUNT), "?");
    assert_string_equal(guard_what(GUARD_COUNT), "?");
    assert_string_equal(guard_name(GUARD_COOLDOWN), "cooldown");
    assert_true(strlen(guard_what(GUARD_COOLDOWN)) > 10);
    assert_string_equal(obs_layer_text(LAYER_GREETING), "greeting");
    assert_string_equal(obs_layer_text(LAYER_COUNT), "?");
    assert_string_equal(obs_outcome_text(OUT_TOO_MANY), "too many connections");
    assert_string_equal(receiver_state_text(RECEIVER_CONNECTING), "connecting");
    assert_string_equal(engine_text(ENGINE_MYSQL), "mysql");
}

/* MySQL refuses INSTALL PLUGIN while super_read_only is ON (1290, seen): the fix opens it for that
 * long, and on a replica that is still open the plugin stands before the closing. */
static void plugins_are_installed_while_super_read_only_is_off(void **state)
{
    (void)state;
    struct world w;
    struct conformance rows[8];
    world_init(&w, ENGINE_MYSQL);
    healthy(&w, 3);
    w.view.nodes[1].facts.ss_replica_enabled = TRI_UNKNOWN;
    w.view.nodes[1].facts.super_read_only = TRI_YES;
    assert_int_equal(verdict_conformance_node(&w.view, 1, rows, STAY_COUNT(rows)), 1);
    assert_string_equal(rows[0].fix,
                        "as root: SET GLOBAL super_read_only = OFF; INSTALL PLUGIN "
                        "rpl_semi_sync_replica SONAME 'semisync_replica.so'; SET GLOBAL "
                        "super_read_only = ON;");
    w.view.nodes[1].facts.super_read_only = w.view.nodes[1].facts.read_only = TRI_NO;
    assert_int_equal(verdict_conformance_node(&w.view, 1, rows, STAY_COUNT(rows)), 2);
    assert_string_equal(rows[0].fix, "as root: INSTALL PLUGIN rpl_semi_sync_replica SONAME "
                                     "'semisync_replica.so';");
    assert_string_equal(rows[1].fix, "SET GLOBAL super_read_only = ON;");
    world_clear(&w);
}

/* The row stays while its order does: what is clear asks nobody to act. */
static void a_zone_that_is_clear_asks_for_nothing(void **state)
{
    (void)state;
    struct verdict going = verdict_zone_evacuated(false), clear = verdict_zone_evacuated(true);
    assert_int_equal(going.rule_id, 141);
    assert_int_equal(clear.rule_id, 141);
    assert_int_not_equal(going.action, ACT_NONE);
    assert_int_equal(clear.action, ACT_NONE);
    assert_int_equal(clear.subject, SUBJECT_ZONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_unique_and_explained),
        cmocka_unit_test(the_last_rows_catch_all),
        cmocka_unit_test(no_row_is_shadowed),
        cmocka_unit_test(failover_needs_silence_and_a_witness_in_every_row),
        cmocka_unit_test(plugins_are_installed_while_super_read_only_is_off),
        cmocka_unit_test(a_zone_that_is_clear_asks_for_nothing),
        cmocka_unit_test(texts_of_what_is_out_of_range_are_marked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
