/* tests/unit/controller/decide/test_reseed.c - who is reseeded without being asked, what a reseed
 * that runs gives way to, and that a server whose data goes counts nowhere. */
#include <setjmp.h>
#include <stdarg.h>
#include "base/base.h"
#include <cmocka.h>

#include "tests/unit/controller/decide/case_view.h"

#include "controller/decide/decide.h"

static const char four[] =
    "node db1 zone a\nnode db2 zone b\nnode db3 zone c\nnode db4 zone a\n"
    "record primary db1 mode lossless stands ackers db2,db3\nfact db1 executed 0-1-100\n"
    "fact db2 executed 0-1-100\nfact db3 executed 0-1-90\nfact db4 executed 0-1-100\n"
    "fact db2 acks yes\nfact db3 acks yes\n";

static void open_case(struct case_view *c, const char *more)
{
    STAY_AUTO(stay_free_charp) char *text = stay_sprintf("%s%s", four, more);
    case_open(c, text);
    c->config.reseed_automatic = c->config.reseed_by_command = true;
}

static struct decision judge(struct case_view *c)
{
    struct decision d;
    decide(&c->view, NULL, NULL, CASE_NOW, CASE_WALL, &d);
    return d;
}

static void purged_away_ends_in_a_reseed_only_where_it_is_allowed(void **state)
{
    (void)state;
    struct case_view c;
    open_case(&c, "");
    c.view.nodes[2].facts.receiver = RECEIVER_STOPPED;
    c.view.nodes[2].facts.receiver_errno = RECEIVER_REFUSED;
    c.view.nodes[2].asked_again_mono_us = CASE_NOW; /* rule 219 had its turn */
    struct decision d = judge(&c);
    assert_int_equal(d.want, PLAN_RESEED);
    assert_int_equal(d.params.node, 2);
    assert_int_equal(d.params.donor, NO_NODE);
    c.config.reseed_automatic = false;
    assert_int_equal(judge(&c).want, PLAN_NONE);
    case_clear(&c);
}

static void what_a_human_set_aside_is_left_alone(void **state)
{
    (void)state;
    struct case_view c;
    open_case(&c, "");
    static const struct {
        enum quarantine_reason reason;
        bool twin, wanted;
    } rows[] = {{QUARANTINE_OPERATOR, false, false},
                {QUARANTINE_DIVERGED, true, false},
                {QUARANTINE_RESEED, false, true}};
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        c.view.record.quarantine[2] = (uint8_t)rows[i].reason;
        c.view.record.twins = rows[i].twin ? 4 : 0;
        assert_int_equal(judge(&c).want == PLAN_RESEED, rows[i].wanted);
    }
    case_clear(&c);
}

static void unsaved_transactions_are_not_destroyed(void **state)
{
    (void)state;
    struct case_view c;
    open_case(&c, "fact db3 executed 0-1-90,0-3-1\n");
    c.view.record.quarantine[2] = QUARANTINE_DIVERGED;
    assert_int_not_equal(judge(&c).want, PLAN_RESEED);
    STAY_AUTO(gtid_set_drop) struct gtid_set extra = {0};
    gtid_set_copy(&extra, &c.view.nodes[2].facts.executed);
    gtid_set_subtract(&extra, &c.view.nodes[0].facts.executed);
    c.view.nodes[2].saved = gtid_set_digest(&extra);
    assert_true(plan_may_reseed_alone(&c.view, 2, CASE_NOW));
    c.view.nodes[2].saved++; /* another bundle: of what it held before */
    assert_false(plan_may_reseed_alone(&c.view, 2, CASE_NOW));
    case_clear(&c);
}

static void it_gives_way_to_what_the_primary_needs(void **state)
{
    (void)state;
    static const enum plan_kind kinds[] = {PLAN_FAILOVER, PLAN_MAKE_WRITABLE, PLAN_MODE_DEGRADE,
                                           PLAN_REJOIN, PLAN_MODE_RESTORE};
    struct plan_run *run = stay_calloc(1, sizeof *run);
    run->kind = PLAN_RESEED;
    run->state = RUN_FORWARD;
    for (size_t i = 0; i < STAY_COUNT(kinds); i++) {
        struct decision d = {.want = kinds[i], .vetoes = UINT32_C(1) << GUARD_BUSY};
        assert_int_equal(guard_preempts(&d, run), i < 3);
    }
    free(run);
}

static void only_so_many_at_a_time(void **state)
{
    (void)state;
    struct case_view c;
    struct fleet fleet = {.reseeds_full = true};
    open_case(&c, "");
    uint32_t vetoes = guard_check(&c.view, NULL, &fleet, PLAN_RESEED, false, CASE_NOW, CASE_WALL);
    assert_int_equal(vetoes, UINT32_C(1) << GUARD_RESEED_LIMIT);
    assert_int_equal(guard_check(&c.view, NULL, &fleet, PLAN_REJOIN, false, CASE_NOW, CASE_WALL),
                     0);
    case_clear(&c);
}

/* The rejoin that found it diverged failed just now: its turn comes soon; a copy that failed waits.
 */
static void a_copy_that_failed_is_not_repeated_at_once(void **state)
{
    (void)state;
    struct case_view c;
    open_case(&c, "");
    c.view.nodes[2].facts.receiver = RECEIVER_STOPPED;
    c.view.nodes[2].facts.receiver_errno = RECEIVER_REFUSED;
    c.view.nodes[2].asked_again_mono_us = CASE_NOW;
    c.view.nodes[2].repair_failed_mono_us = CASE_NOW - 31 * STAY_SECOND;
    assert_int_equal(judge(&c).want, PLAN_RESEED);
    c.view.record.quarantine[2] = QUARANTINE_RESEED;
    assert_int_equal(judge(&c).want, PLAN_NONE);
    c.view.nodes[2].repair_failed_mono_us = CASE_NOW - 601 * STAY_SECOND;
    assert_int_equal(judge(&c).want, PLAN_RESEED);
    case_clear(&c);
}

/* A dump thread that the primary still shows is of before its source was taken away. */
static void a_hollow_server_is_no_acker(void **state)
{
    (void)state;
    struct case_view c;
    open_case(&c, "");
    assert_int_equal(cluster_ackers_possible(&c.view), 6);
    c.view.ackers_seen = 6;
    struct cluster_record record = c.view.record;
    record.quarantine[2] = QUARANTINE_RESEED;
    cluster_set_record(&c.view, &record);
    assert_int_equal(c.view.ackers_seen, 2);
    c.view.nodes[2].facts.receiver = RECEIVER_NONE;
    assert_int_equal(cluster_ackers_possible(&c.view), 2);
    c.view.nodes[2].facts.receiver = RECEIVER_RUNNING; /* somebody attached it by hand */
    assert_int_equal(cluster_ackers_possible(&c.view), 6);
    case_clear(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(purged_away_ends_in_a_reseed_only_where_it_is_allowed),
        cmocka_unit_test(what_a_human_set_aside_is_left_alone),
        cmocka_unit_test(unsaved_transactions_are_not_destroyed),
        cmocka_unit_test(it_gives_way_to_what_the_primary_needs),
        cmocka_unit_test(only_so_many_at_a_time),
        cmocka_unit_test(a_copy_that_failed_is_not_repeated_at_once),
        cmocka_unit_test(a_hollow_server_is_no_acker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
