/* tests/unit/controller/decide/test_decide_note.c - beside 122 stands which grant a relief lacks,
 * beside 124 who holds the connections, beside 125 the PURGE that takes nothing from anybody, or
 * who stands against it. */
#include "decide_world.h"

#include "controller/decide/decide_private.h"

#define KEEPS "executed what stands before: PURGE BINARY LOGS TO "

static struct server_facts *db(uint32_t n)
{
    return &w.view.nodes[n - 1].facts;
}

static void logs(const char *primary, const char *second, const char *third)
{
    (void)stay_copy(db(1)->log_file, FACT_TEXT_MAX, primary);
    (void)stay_copy(db(2)->source_log, FACT_TEXT_MAX, second);
    (void)stay_copy(db(3)->source_log, FACT_TEXT_MAX, third);
}

static void note_has(uint16_t rule, const char *part)
{
    char text[320];
    decide_note(&w.view, rule, w.now, text, sizeof text);
    if ((part[0] == '\0') != (text[0] == '\0') || strstr(text, part) == NULL)
        fail_msg("%u: '%s', not '%s'", rule, text, part);
}

static void a_purge_takes_nothing_that_a_replica_needs(void **state)
{
    (void)state;
    static const struct {
        const char *primary, *second, *third, *says;
    } rows[] = {
        {"db1-bin.000012", "db1-bin.000012", "db1-bin.000009", KEEPS "'db1-bin.000008'"},
        {"db1-bin.000012", "db1-bin.000012", "db1-bin.000012", KEEPS "'db1-bin.000011'"},
        {"db1-bin.000012", "db1-bin.000013", "db1-bin.000013", KEEPS "'db1-bin.000012'"},
        {"a.b.1000000", "a.b.1000000", "a.b.999999", KEEPS "'a.b.999998'"},
        {"db1-bin.000012", "db1-bin.000001", "db1-bin.000012", ""}, /* nothing stands before it */
        {"db1-bin.000012", "db1-bin.000014", "db1-bin.000012", "db2 needs is not known"},
        {"db1-bin.000012", "db1-bin.000012", "", "db3 needs is not known"},
        {"db1-bin.000012", "db1-bin.000012", "db3-bin.000002", "db3 needs is not known"},
        {"db1-bin.000012", "db1-bin.000012", "db1-bin.", "db3 needs is not known"},
        {"db1-bin.000012", "db1-bin.000012", "db1-bin.00001x", "db3 needs is not known"},
        {"", "db1-bin.000012", "db1-bin.000012", "db2 needs is not known"},
        {"db1-bin.000012", "db1-bin-000012", "", "db2 needs is not known"},
        {"db1-bin.000012", "db9-bin.000012", "", "db2 needs is not known"},
        {"12", "12", "12", "db2 needs is not known"},
        {"it's.000012", "it's.000012", "it's.000012", "db2 needs is not known"},
        {"b.0000000000000000012", "b.0000000000000000012", "", "db2 needs is not known"},
    };
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        logs(rows[i].primary, rows[i].second, rows[i].third);
        note_has(125, rows[i].says);
    }
}

static void a_server_that_does_not_follow_forbids_it(void **state)
{
    (void)state;
    logs("db1-bin.000012", "db1-bin.000011", "db1-bin.000011");
    note_has(125, KEEPS "'db1-bin.000010'");
    w.view.record.quarantine[2] = QUARANTINE_DIVERGED; /* a rewound one needs them all the more */
    note_has(125, "db3 needs is not known");
    w.view.record.quarantine[2] = QUARANTINE_NONE;
    db(3)->receiver = RECEIVER_STOPPED;
    note_has(125, "db3 needs is not known");
    db(3)->receiver = RECEIVER_RUNNING;
    note_has(125, KEEPS);
    w.view.nodes[2].changed_mono_us = w.now; /* what it showed was from before */
    note_has(125, "db3 needs is not known");
}

static void a_lone_primary_has_nobody_to_ask(void **state)
{
    (void)state;
    logs("db1-bin.000012", "db1-bin.000011", "db1-bin.000011");
    uint32_t count = w.config.node_count, peers = db(1)->dump_peer_count;
    w.config.node_count = 1;
    note_has(125,
             "10.0.0.3 needs, that is no server of this cluster"); /* somebody streams from it */
    db(1)->dump_peer_count = 0;
    note_has(125, "");
    logs("", "", ""); /* nor does it say which logs it has */
    note_has(125, "");
    w.config.node_count = count;
    db(1)->dump_peer_count = peers;
}

static void holders_are_said_of_a_saturated_primary_only(void **state)
{
    (void)state;
    db(1)->connections = 200;
    note_has(124, "");
    (void)stay_copy(db(1)->holders, FACT_TEXT_MAX, "app@10.0.0.5 190 (idle up to 7 s)");
    note_has(124, "; of 200 connections: app@10.0.0.5 190 (idle up to 7 s)");
    note_has(100, "");
    w.view.primary = NO_NODE;
    note_has(124, "");
}

static void a_relief_that_would_be_undone_names_its_grant(void **state)
{
    (void)state;
    static const char *const lacks =
        "mainstay_operate lacks" MISSING_RANK ": GRANT SYSTEM_USER ON *.* TO 'mainstay_operate'";
    w.config.relieve_stalled = RELIEVE_SWITCHOVER;
    (void)stay_copy(db(1)->missing_grant, FACT_TEXT_MAX, "mainstay_operate lacks: GRANT RELOAD");
    note_has(122, "");
    (void)stay_copy(db(1)->missing_grant, FACT_TEXT_MAX, lacks);
    note_has(122, "(error 1095) may stand in the way: on it, as root: GRANT SYSTEM_USER ON *.* TO "
                  "'mainstay_operate';");
    note_has(100, "");
    w.config.relieve_stalled = RELIEVE_ALERT; /* nothing is done anyway */
    note_has(122, "");
}

static void a_decision_says_it(void **state)
{
    (void)state;
    w.facts[0].connections = w.facts[0].max_connections;
    (void)stay_copy(w.facts[0].holders, FACT_TEXT_MAX, "app@10.0.0.5 190 (idle up to 7 s)");
    see(&w, 0);
    struct decision d = judge_with(NULL, NULL);
    assert_int_equal(d.verdict.rule_id, 124);
    assert_string_equal(d.text, "124 saturated: db1; of 200 connections: app@10.0.0.5 190 (idle up "
                                "to 7 s)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(a_purge_takes_nothing_that_a_replica_needs),
        T(a_server_that_does_not_follow_forbids_it),
        T(a_lone_primary_has_nobody_to_ask),
        T(holders_are_said_of_a_saturated_primary_only),
        T(a_relief_that_would_be_undone_names_its_grant),
        T(a_decision_says_it),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
