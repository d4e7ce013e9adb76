/* tests/unit/controller/decide/test_rehearsal.c - what a rehearsal is asked, and what it makes of
 * grace, of measured steps, of servers nobody read, and of a human who is asked. */
#include "tests/unit/controller/decide/case_view.h"

#include "controller/decide/plan_private.h"
#include "controller/decide/rehearsal.h"

static const char three[] = "mode lossless\nnode db1 zone a\nnode db2 zone b\nnode db3 zone c\n"
                            "record primary db1 mode lossless stands ackers db2,db3\n"
                            "fact db1 executed 0-1-100\n"
                            "fact db2 executed 0-1-100 received 0-1-100 acks yes\n"
                            "fact db3 executed 0-1-100 received 0-1-100 acks yes\n";
static struct case_view c;
static struct rehearsal r;

static int setup(void **state)
{
    (void)state;
    case_open(&c, three);
    c.view.record.watch_uptime_base_s = CASE_WALL / STAY_SECOND - 5000;
    for (uint32_t node = 0; node < 3; node++) {
        struct server_facts *facts = &c.view.nodes[node].facts;
        facts->beats_shown = facts->ss_after_sync = TRI_YES;
        facts->heartbeat_ms = 500;
        facts->ss_timeout_ms = UINT64_C(4294967295);
        facts->ss_wait_count = 1;
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    c.config.node_count = 3; /* of which a test may have hidden some */
    case_clear(&c);
    return 0;
}

static void lose(const char *what, const struct step_times *times)
{
    static const struct step_times never;
    struct rehearsal_loss loss;
    assert_int_equal(rehearsal_parse(&c.config, what, &loss, NULL), STAY_OK);
    rehearsal_judge(&c.view, NULL, NULL, &loss, times ? times : &never, CASE_NOW, CASE_WALL, &r);
}

static void every_zone_is_rehearsed_once(void **state)
{
    (void)state;
    struct rehearsal_loss losses[NODES_MAX];
    (void)stay_copy(c.config.nodes[2].zone, NAME_MAX_LEN, "b");
    (void)stay_copy(c.config.controller_zone, NAME_MAX_LEN, "b");
    assert_int_equal(rehearsal_zones(&c.config, losses), 2);
    assert_string_equal(losses[0].name, "a");
    assert_int_equal(losses[0].nodes, 1);
    assert_false(losses[0].controller);
    assert_int_equal(losses[1].nodes, 6);
    assert_true(losses[1].controller);
    (void)stay_copy(c.config.nodes[1].zone, NAME_MAX_LEN, "c");
    (void)stay_copy(c.config.nodes[2].zone, NAME_MAX_LEN, "a"); /* met again after another one */
    assert_int_equal(rehearsal_zones(&c.config, losses), 2);
    assert_int_equal(losses[0].nodes, 5);
    assert_int_equal(losses[1].nodes, 2);
    (void)stay_copy(c.config.nodes[1].zone, NAME_MAX_LEN, "b");
    (void)stay_copy(c.config.nodes[2].zone, NAME_MAX_LEN, "b");
    c.config.nodes[0].zone[0] = '\0'; /* in no zone: none is lost with it */
    assert_int_equal(rehearsal_zones(&c.config, losses), 1);
    assert_int_equal(losses[0].nodes, 6);
}

static void what_is_neither_node_nor_zone_is_refused(void **state)
{
    (void)state;
    struct rehearsal_loss loss;
    const char *const wrong[] = {"db1", "node:", "zone:", ""};
    for (size_t i = 0; i < STAY_COUNT(wrong); i++)
        assert_int_equal(rehearsal_parse(&c.config, wrong[i], &loss, NULL), STAY_EINVALID);
    (void)stay_copy(c.config.controller_zone, NAME_MAX_LEN, "w");
    assert_int_equal(rehearsal_parse(&c.config, "zone:w", &loss, NULL), STAY_OK);
    assert_int_equal(loss.nodes, 0); /* no server is lost, nobody acts */
}

static void grace_is_waited_for(void **state)
{
    (void)state;
    lose("node:db1", NULL);
    int64_t at_once_us = r.detection_us;
    c.config.grace_us = 2 * STAY_SECOND;
    lose("node:db1", NULL);
    assert_true(r.is_failable);
    assert_int_equal(r.want, PLAN_FAILOVER);
    assert_in_range(r.detection_us - at_once_us, 1700 * STAY_MS, 2200 * STAY_MS);
}

static void measured_steps_foretell_the_outage(void **state)
{
    (void)state;
    struct step_times times = {0};
    struct plan_run past = {.kind = PLAN_FAILOVER, .state = RUN_SUCCEEDED, .f = 6, .lost_first = 6};
    const enum step_kind steps[] = {STEP_INTENT, STEP_FREEZE, STEP_WRITABLE, STEP_ROUTE_OPEN};
    for (size_t i = 0; i < STAY_COUNT(steps); i++) {
        struct row_run *row = &past.rows[plan_row_of(PLAN_FAILOVER, steps[i])];
        row->state = ROW_DONE;
        row->begun_mono_us = (int64_t)i * 10 * STAY_MS;
        row->ended_mono_us = row->begun_mono_us + 10 * STAY_MS;
    }
    assert_true(step_times_add(&times, &past));
    lose("node:db1", &times);
    assert_int_equal(r.forecast.steps_us, 40 * STAY_MS);
    assert_int_equal(r.outage_us, r.detection_us + 40 * STAY_MS);
    lose("node:db2", &times); /* nobody waits */
    assert_int_equal(r.outage_us, -1);
    c.config.nodes[1].promote = c.config.nodes[2].promote = PROMOTE_NEVER;
    lose("node:db1", &times); /* writes stand until a human acts: no time to tell */
    assert_int_equal(r.candidate, NO_NODE);
    assert_int_equal(r.outage_us, -1);
    c.config.nodes[1].promote = c.config.nodes[2].promote = PROMOTE_NEUTRAL;
    for (uint32_t node = 1; node < 3; node++) /* found out by the drain: its rows are foreseen */
        c.view.nodes[node].restarted_mono_us = CASE_NOW - 30 * STAY_SECOND;
    case_gtids(&c, "0-1-103", &c.view.nodes[0].facts.executed);
    c.config.mode = c.view.record.mode = MODE_BOUNDED;
    c.config.accept = ACCEPT_BOUNDED;
    past.lost_first = 0;
    assert_true(step_times_add(&times, &past));
    lose("node:db1", &times);
    assert_int_equal(r.candidate, NO_NODE);
    assert_int_equal(r.forecast.steps_us, 30 * STAY_MS); /* nobody is opened */
    assert_true(r.detection_us >= 0);
    assert_int_equal(r.outage_us, -1);
    for (uint32_t node = 1; node < 3; node++)
        c.view.nodes[node].restarted_mono_us = STAY_NEVER;
    c.config.mode = c.view.record.mode = MODE_LOSSLESS;
    c.config.accept = ACCEPT_LOSSLESS;
    (void)stay_copy(c.view.record.asks, NAME_MAX_LEN, "db2");
    lose("node:db1", &times);
    assert_int_equal(r.detection_us, -1);
    assert_int_equal(r.forecast.steps_us, 40 * STAY_MS);
    assert_int_equal(r.outage_us, -1);
}

static void while_a_human_is_asked_no_failover_would_be_wanted(void **state)
{
    (void)state;
    (void)stay_copy(c.view.record.asks, NAME_MAX_LEN, "db2");
    lose("node:db1", NULL);
    assert_false(r.is_failable);
    assert_int_equal(r.want, PLAN_NONE);
    assert_int_equal(r.outage_us, -1);
    assert_non_null(strstr(r.blocks[r.block_count - 1], "no failover would be wanted"));
}

static void an_acker_nobody_read_may_acknowledge_on(void **state)
{
    (void)state;
    struct node_view *db3 = &c.view.nodes[2];
    db3->groups_known = 0;
    db3->facts_mono_us = db3->answered_mono_us = db3->query_ok_mono_us = STAY_NEVER;
    gtid_set_clear(&db3->facts.executed);
    gtid_set_clear(&db3->received_high);
    lose("node:db1", NULL);
    assert_int_equal(r.candidate, NO_NODE);
    assert_false(r.is_failable);
}

static void a_primary_without_another_server_has_nobody(void **state)
{
    (void)state;
    c.config.node_count = 1;
    lose("node:db1", NULL);
    assert_false(r.is_failable);
    assert_int_equal(r.note_count, 0);
    assert_non_null(strstr(r.blocks[0], "no other node"));
}

/* db3 hangs below db2: with db2 it loses its source, the primary loses one acker. */
static void a_replica_of_a_lost_replica_is_not_the_primarys_loss(void **state)
{
    (void)state;
    struct server_facts *primary = &c.view.nodes[0].facts;
    (void)stay_copy(c.view.nodes[2].facts.source_host, FACT_TEXT_MAX, c.config.nodes[1].host);
    primary->dump_peer_count = 1;
    primary->ss_clients = 1;
    (void)stay_copy(primary->dump_peers[0].host, sizeof primary->dump_peers[0].host,
                    c.config.nodes[1].host);
    c.config.without_acker = WITHOUT_ACKER_BLOCK;
    lose("node:db3", NULL);
    assert_int_equal(r.verdict.rule_id, 100);
    lose("node:db2", NULL);
    assert_int_not_equal(r.verdict.rule_id, 100); /* nobody acknowledges */
    assert_false(r.primary_lost);
}

static void a_rehearsal_misses_by_what_was_promised(void **state)
{
    (void)state;
    static const struct {
        enum durability_mode mode;
        enum certificate_kind kind;
        uint64_t bytes;
        int64_t time_us;
        bool misses;
    } rows[] = {
        {MODE_LOSSLESS, CERT_LOSSLESS, 0, 0, false},
        {MODE_LOSSLESS, CERT_BOUNDED, 0, 0, true},
        {MODE_BOUNDED, CERT_UNKNOWN, 0, 0, true},
        {MODE_BOUNDED, CERT_LOSSLESS, 0, 0, false},
        {MODE_BOUNDED, CERT_BOUNDED, 100, STAY_SECOND, false},
        {MODE_BOUNDED, CERT_BOUNDED, 101, STAY_SECOND, true},
        {MODE_BOUNDED, CERT_BOUNDED, 100, STAY_SECOND + 1, true},
        {MODE_UNSAFE, CERT_UNKNOWN, 0, 0, false}, /* it promises nothing */
    };
    c.config.loss_bytes_max = 100;
    c.config.loss_time_max_us = STAY_SECOND;
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        char why[REHEARSAL_BLOCK_MAX];
        struct rehearsal past = {.primary_lost = true, .has_certificate = true};
        c.config.mode = rows[i].mode;
        past.certificate = (struct certificate){.kind = rows[i].kind,
                                                .lost_bytes_max = rows[i].bytes,
                                                .lost_time_max_us = rows[i].time_us};
        assert_int_equal(rehearsal_misses(&c.config, &past, OBJECTIVE_LOSS, why), rows[i].misses);
        assert_int_equal(why[0] != '\0', rows[i].misses);
        assert_false(rehearsal_misses(&c.config, &past, OBJECTIVE_COUNT, why));
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(every_zone_is_rehearsed_once),
        T(a_rehearsal_misses_by_what_was_promised),
        T(what_is_neither_node_nor_zone_is_refused),
        T(grace_is_waited_for),
        T(measured_steps_foretell_the_outage),
        T(while_a_human_is_asked_no_failover_would_be_wanted),
        T(an_acker_nobody_read_may_acknowledge_on),
        T(a_primary_without_another_server_has_nobody),
        T(a_replica_of_a_lost_replica_is_not_the_primarys_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
