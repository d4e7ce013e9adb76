/* tests/unit/controller/decide/test_zone_census.c - a zone is lost with many primaries in it: their
 * failovers go one after another, in the order of the configuration, and too many at once go to a
 * human (reliability-security, scenarios 37 and 64). */
#include "view_fixture.h"

#include "controller/decide/zone_census.h"

#define CLUSTERS 3

struct many {
    struct world w[CLUSTERS];
    struct decision d[CLUSTERS];
    struct fleet_census census;
};

static void begin(struct many *m)
{
    memset(m, 0, sizeof *m);
    for (int i = 0; i < CLUSTERS; i++) {
        world_init(&m->w[i], ENGINE_MARIADB);
        healthy(&m->w[i], 3);
    }
}

static void end(struct many *m)
{
    for (int i = 0; i < CLUSTERS; i++)
        world_clear(&m->w[i]);
}

/* The server in zone a dies; a failover of this cluster is wanted. */
static void lose_zone_a(struct many *m, int i)
{
    struct world *w = &m->w[i];
    w->view.nodes[0].silent_since_mono_us = w->now - SEC(3);
    w->view.nodes[0].reach_mono_us = w->now - MS(10);
    w->view.suspicion_since_mono_us = w->now - SEC(3);
    m->d[i].want = PLAN_FAILOVER;
    m->d[i].verdict.rule_id = 120;
    m->d[i].verdict.action = ACT_FAILOVER;
}

static struct fleet told(struct many *m, int asking)
{
    struct fleet fleet = {0};
    memset(&m->census, 0, sizeof m->census);
    for (int i = 0; i < CLUSTERS; i++)
        zone_census_add(&m->census, (uint32_t)i, &m->w[i].view, &m->d[i], false, m->w[i].now);
    zone_census_tell(&m->census, (uint32_t)asking, &m->w[asking].view, &fleet);
    return fleet;
}

static void a_zone_is_down_when_nobody_in_it_answers(void **state)
{
    (void)state;
    struct many *m = stay_calloc(1, sizeof *m);
    begin(m);
    assert_false(told(m, 0).zone_down);
    lose_zone_a(m, 0);
    lose_zone_a(m, 1);
    assert_false(told(m, 0).zone_down); /* the third cluster's server answers: two dead servers */
    lose_zone_a(m, 2);
    struct fleet fleet = told(m, 0);
    assert_true(fleet.zone_down);
    assert_int_equal(m->census.zones[0].servers, 3);
    assert_int_equal(m->census.zones[0].clusters, 3);
    assert_int_equal(fleet.wanting, 3);
    end(m);
    free(m);
}

static void the_first_of_the_configuration_goes_first(void **state)
{
    (void)state;
    struct many *m = stay_calloc(1, sizeof *m);
    begin(m);
    for (int i = 0; i < CLUSTERS; i++)
        lose_zone_a(m, i);
    assert_false(told(m, 0).zone_waits);
    assert_true(told(m, 1).zone_waits);
    assert_true(told(m, 2).zone_waits);
    m->d[0].vetoes = 1U << GUARD_CONFIRM; /* one that a human starts holds nobody */
    assert_false(told(m, 1).zone_waits);
    assert_true(told(m, 2).zone_waits);
    m->d[0].vetoes = 1U << GUARD_ZONE_LIMIT; /* one that waits for another cluster does */
    assert_true(told(m, 1).zone_waits);
    m->w[0].view.suspicion_since_mono_us = m->w[0].now - SEC(31); /* it does not get going */
    assert_false(told(m, 1).zone_waits);
    m->d[0].want = PLAN_NONE; /* failed over: its primary is elsewhere */
    m->w[0].view.primary = 1;
    m->d[0].vetoes = 0;
    assert_false(told(m, 1).zone_waits);
    end(m);
    free(m);
}

/* Detection is never simultaneous: who may follow in a moment is waited for, but not for long. */
static void fresh_suspicion_holds_those_behind_it_for_a_while(void **state)
{
    (void)state;
    struct many *m = stay_calloc(1, sizeof *m);
    begin(m);
    lose_zone_a(m, 1);
    m->w[0].view.suspicion_since_mono_us = m->w[0].now - MS(300);
    assert_true(told(m, 1).zone_waits);
    m->d[0].verdict.action = ACT_HOLD; /* cut off: a replica still receives from it */
    assert_false(told(m, 1).zone_waits);
    m->d[0].verdict.action = ACT_ALERT;
    m->w[0].view.suspicion_since_mono_us = m->w[0].now - SEC(4);
    assert_false(told(m, 1).zone_waits);
    m->w[0].view.suspicion_since_mono_us = m->w[0].now;
    m->w[0].view.record.paused = true;
    assert_false(told(m, 1).zone_waits);
    end(m);
    free(m);
}

static void one_cluster_alone_waits_for_nobody(void **state)
{
    (void)state;
    struct many *m = stay_calloc(1, sizeof *m);
    begin(m);
    lose_zone_a(m, 2);
    struct fleet fleet = told(m, 2);
    assert_false(fleet.zone_waits);
    assert_false(fleet.zone_down);
    assert_int_equal(fleet.wanting, 1);
    m->w[2].view.primary = NO_NODE;
    assert_false(told(m, 2).zone_down);
    end(m);
    free(m);
}

static struct fleet_census counted(struct world *x, struct decision *last, bool failing_over)
{
    struct fleet_census census = {0};
    zone_census_add(&census, 3, &x->view, last, failing_over, x->now);
    return census;
}

/* Two servers of one zone are one cluster in it; a server without a zone is in none. */
static void servers_are_counted_by_the_zone_they_name(void **state)
{
    (void)state;
    struct world x;
    struct decision last = {.want = PLAN_NONE};
    struct fleet_census *full = stay_calloc(1, sizeof *full);
    world_init(&x, ENGINE_MARIADB);
    healthy(&x, 3);
    (void)stay_copy(x.config.nodes[1].zone, sizeof x.config.nodes[1].zone, "a");
    x.config.nodes[2].zone[0] = '\0';
    *full = counted(&x, &last, false);
    assert_int_equal(full->zone_count, 1);
    assert_int_equal(full->zones[0].servers, 2);
    assert_int_equal(full->zones[0].clusters, 1);
    for (full->zone_count = 0; full->zone_count < ZONE_CENSUS_MAX; full->zone_count++)
        (void)snprintf(full->zones[full->zone_count].name, sizeof full->zones[0].name, "zone %u",
                       full->zone_count);
    zone_census_add(full, 0, &x.view, &last, false, x.now); /* one too many: left out */
    assert_int_equal(full->zone_count, ZONE_CENSUS_MAX);
    free(full);
    world_clear(&x);
}

/* A primary under suspicion holds those behind it only while it might go in a moment itself. */
static void only_a_cluster_that_may_go_holds_others(void **state)
{
    (void)state;
    enum { SUSPECTED, CALM, NOT_ADOPTED, PAUSED, WANTS_ELSE, HOLDS, TOO_LONG, UNDER_WAY };
    for (int what = SUSPECTED; what <= UNDER_WAY; what++) {
        struct world x;
        struct decision last = {.want = what == WANTS_ELSE ? PLAN_FENCE : PLAN_NONE};
        world_init(&x, ENGINE_MARIADB);
        healthy(&x, 3);
        last.verdict.action = what == HOLDS ? ACT_HOLD : ACT_NONE;
        x.view.suspicion_since_mono_us = what == CALM       ? STAY_NEVER
                                         : what == TOO_LONG ? x.now - SEC(3600)
                                                            : x.now - MS(1);
        x.view.record.adopted = what != NOT_ADOPTED;
        x.view.record.paused = what == PAUSED;
        struct fleet_census census = counted(&x, &last, what == UNDER_WAY);
        assert_int_equal(census.zones[0].first == 3, what == SUSPECTED);
        assert_int_equal(census.wanting, what == UNDER_WAY);
        world_clear(&x);
    }
}

static void a_zone_of_one_cluster_is_not_down(void **state)
{
    (void)state;
    struct zone_census zone = {.clusters = 1, .servers = 2, .silent = 2};
    assert_false(zone_census_is_down(&zone));
    zone.clusters = 2;
    assert_true(zone_census_is_down(&zone));
    zone.silent = 1;
    assert_false(zone_census_is_down(&zone));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(servers_are_counted_by_the_zone_they_name),
        cmocka_unit_test(only_a_cluster_that_may_go_holds_others),
        cmocka_unit_test(a_zone_of_one_cluster_is_not_down),
        cmocka_unit_test(a_zone_is_down_when_nobody_in_it_answers),
        cmocka_unit_test(the_first_of_the_configuration_goes_first),
        cmocka_unit_test(fresh_suspicion_holds_those_behind_it_for_a_while),
        cmocka_unit_test(one_cluster_alone_waits_for_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
