/* tests/unit/controller/decide/test_cluster_regiven.c - a primary that lost its tail in a restart
 * and wrote on gave numbers twice: told by where its binary log began, and never by less. */
#include "cluster_world.h"
#include "controller/decide/cluster_regiven.h"

static void look(uint32_t node, unsigned groups)
{
    struct observation o = answered(&w, node, w.now, w.now + MS(1), groups);
    cluster_observe(&w.view, &o);
}

/* db1 dies having sent 0-1-64 to db2, which is read while it is cut off. */
static void dies(void)
{
    set_parse(&w.facts[0].executed, ENGINE_MARIADB, "0-1-64");
    w.facts[0].binlog_bytes = 64000;
    look(0, FACTS_STATUS | FACTS_SLOW);
    set_parse(&w.facts[1].executed, ENGINE_MARIADB, "0-1-64");
    w.facts[1].receiver = RECEIVER_CONNECTING;
    w.now += MS(500);
    look(1, FACTS_STATUS);
}

/* It comes back `after` with its log begun at `began`, and has written up to `set`. */
static void returns(int64_t after, const char *began, const char *set)
{
    w.now += after;
    w.facts[0].uptime_s = 0;
    w.facts[1].uptime_s += (uint64_t)(after / STAY_SECOND) + 1;
    w.facts[0].binlog_bytes = 900;
    w.facts[0].receiver = RECEIVER_NONE;
    set_parse(&w.facts[0].executed, ENGINE_MARIADB, set);
    set_parse(&w.facts[0].log_began, ENGINE_MARIADB, began);
    look(0, FACTS_STATUS);
}

static enum tri holds_regiven(void)
{
    return cluster_holds_regiven(&w.view, 1, &db(2)->facts.executed, &db(1)->facts.executed);
}

static bool is_set_aside(void)
{
    struct cluster_record record = w.view.record;
    bool changed = cluster_watch_regiven(&w.view, &record);
    assert_int_equal(changed, record.quarantine[1] == QUARANTINE_DIVERGED);
    assert_int_equal(changed, (record.twins & 2) != 0);
    return changed;
}

static void numbers_given_twice_set_the_holder_aside(void **state)
{
    (void)state;
    dies();
    returns(MS(5000), "0-1-60", "0-1-70");
    assert_int_equal(holds_regiven(), TRI_UNKNOWN); /* not attached before the log is read */
    assert_false(is_set_aside());
    look(0, FACTS_SLOW);
    assert_int_equal(holds_regiven(), TRI_YES);
    w.facts[1].receiver = RECEIVER_RUNNING; /* by itself: it stays what it is */
    set_parse(&w.facts[1].executed, ENGINE_MARIADB, "0-1-70");
    look(1, FACTS_STATUS);
    assert_true(is_set_aside());
    assert_true(is_set_aside()); /* until it is stored */
    struct cluster_record record = w.view.record;
    assert_true(cluster_watch_regiven(&w.view, &record));
    w.view.record = record;
    assert_false(cluster_watch_regiven(&w.view, &record));
    w.view.record.quarantine[1] = QUARANTINE_NONE; /* a human built it anew */
    w.view.record.twins = 0;
    assert_false(is_set_aside());
}

/* Attached, it would hold both: nobody is, before the log tells. */
static void nobody_is_attached_before_the_log_tells(void **state)
{
    (void)state;
    for (int lost = 0; lost < 2; lost++) {
        teardown(NULL);
        setup(NULL);
        dies();
        w.facts[1].receiver = RECEIVER_STOPPED;
        returns(MS(5000), lost ? "0-1-60" : "0-1-64", "0-1-70");
        look(1, FACTS_STATUS);
        see(&w, 2);
        struct decision d = judge(&w);
        assert_int_equal(d.want, PLAN_NONE);
        look(0, FACTS_SLOW);
        d = judge(&w);
        assert_int_equal(d.record.quarantine[1], lost ? QUARANTINE_DIVERGED : QUARANTINE_NONE);
        cluster_set_record(&w.view, &d.record);
        assert_int_equal(judge(&w).want, lost ? PLAN_NONE : PLAN_REJOIN);
    }
}

/* Orderly stop, or a crash that lost nothing; a rotation since only moves the begin on. */
static void what_was_not_lost_is_nobodys_fault(void **state)
{
    (void)state;
    static const char *const began[] = {"0-1-64", "0-1-69", "0-2-80", "", "7-1-3"};
    for (size_t i = 0; i < STAY_COUNT(began); i++) {
        teardown(NULL);
        setup(NULL);
        dies();
        returns(MS(5000), began[i], "0-1-70");
        look(0, FACTS_SLOW);
        assert_int_equal(holds_regiven(), TRI_NO);
        assert_false(is_set_aside());
    }
}

/* It lost them and has not numbered past them: the sets show it, and rule 135 may fail over. */
static void what_the_sets_show_is_left_to_them(void **state)
{
    (void)state;
    dies();
    returns(MS(5000), "0-1-60", "0-1-63");
    look(0, FACTS_SLOW);
    assert_false(is_set_aside());
}

/* Read too shortly before the new process: what it held may have come from it. */
static void without_a_reading_from_before_nothing_is_told(void **state)
{
    (void)state;
    dies();
    returns(MS(1500), "0-1-60", "0-1-70");
    look(0, FACTS_SLOW);
    assert_int_equal(holds_regiven(), TRI_NO);
    teardown(NULL);
    setup(NULL);
    dies();
    w.now += MS(100);
    struct observation o = {.kind = OBS_REACH,
                            .node = 0,
                            .begun_mono_us = w.now,
                            .taken_mono_us = w.now,
                            .reach = {.layer = LAYER_CONNECT, .outcome = OUT_REFUSED}};
    cluster_observe(&w.view, &o); /* its port was closed after that reading */
    returns(MS(1400), "0-1-60", "0-1-70");
    look(0, FACTS_SLOW);
    assert_int_equal(holds_regiven(), TRI_YES);
}

/* Something between us and it refused after the new process began: what was read then may have come
 * from that process already. */
static void a_port_closed_by_another_says_nothing_of_the_process(void **state)
{
    (void)state;
    dies();
    w.now += SEC(4);
    w.facts[1].uptime_s += 4;
    set_parse(&w.facts[1].executed, ENGINE_MARIADB, "0-1-65");
    look(1, FACTS_STATUS); /* 3 s after the new process began */
    w.now += MS(500);
    lose(&w, 0, LAYER_CONNECT, OUT_REFUSED, MS(0));
    w.now += MS(500);
    w.facts[0].uptime_s = 4;
    w.facts[0].binlog_bytes = 900;
    set_parse(&w.facts[0].executed, ENGINE_MARIADB, "0-1-70");
    set_parse(&w.facts[0].log_began, ENGINE_MARIADB, "0-1-60");
    look(0, FACTS_STATUS | FACTS_SLOW);
    assert_int_equal(holds_regiven(), TRI_NO);
}

/* Rows of several servers in one domain: the highest of them is where the log began. */
static void the_log_began_where_the_last_of_its_servers_wrote(void **state)
{
    (void)state;
    dies();
    returns(MS(5000), "0-1-65,0-2-40", "0-1-70");
    look(0, FACTS_SLOW);
    assert_int_equal(holds_regiven(), TRI_NO); /* 64 is older: nothing was lost */
}

static void expect_nothing_told(void)
{
    look(0, FACTS_SLOW);
    assert_int_equal(holds_regiven(), TRI_NO);
    assert_false(is_set_aside());
    teardown(NULL);
    setup(NULL);
    dies();
}

/* Each may explain the same facts without numbers given twice. */
static void doubts_tell_nothing(void **state)
{
    (void)state;
    dies();
    w.facts[0].binlog_bytes = 64000;
    w.now += MS(5000);
    w.facts[0].uptime_s = 0; /* a clock set back: the log goes on */
    set_parse(&w.facts[0].log_began, ENGINE_MARIADB, "0-1-60");
    set_parse(&w.facts[0].executed, ENGINE_MARIADB, "0-1-70");
    look(0, FACTS_STATUS);
    expect_nothing_told();

    returns(MS(5000), "0-1-60", "0-1-63");
    w.facts[0].receiver = RECEIVER_STOPPED; /* it may have fetched what it lost */
    look(0, FACTS_STATUS);
    w.facts[0].receiver = RECEIVER_NONE;
    set_parse(&w.facts[0].executed, ENGINE_MARIADB, "0-1-70");
    look(0, FACTS_STATUS);
    expect_nothing_told();

    returns(MS(5000), "0-1-60", "0-1-70");
    w.facts[1].uptime_s = 0; /* may have been built anew */
    look(1, FACTS_STATUS);
    expect_nothing_told();

    returns(MS(5000), "0-1-60", "0-1-70");
    db(2)->facts.server_id = db(1)->facts.server_id; /* a clone: whose numbers are they? */
    expect_nothing_told();

    returns(MS(5000), "0-1-60", "0-1-70");
    uint64_t id = db(1)->facts.server_id;
    db(1)->facts.server_id = 0; /* not said: may be a clone as well */
    expect_nothing_told();
    db(1)->facts.server_id = id;

    returns(MS(5000), "0-1-60", "0-1-70");
    w.view.record.primary_since_wall_us++; /* a plan made it the primary anew */
    expect_nothing_told();
}

static void a_copy_of_the_view_owns_its_sets(void **state)
{
    (void)state;
    struct cluster_view copy;
    dies();
    returns(MS(5000), "0-1-60", "0-1-70");
    look(0, FACTS_SLOW);
    cluster_copy(&copy, &w.view);
    cluster_clear(&copy);
    assert_int_equal(holds_regiven(), TRI_YES);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(numbers_given_twice_set_the_holder_aside),
        T(nobody_is_attached_before_the_log_tells),
        T(what_was_not_lost_is_nobodys_fault),
        T(what_the_sets_show_is_left_to_them),
        T(without_a_reading_from_before_nothing_is_told),
        T(a_port_closed_by_another_says_nothing_of_the_process),
        T(the_log_began_where_the_last_of_its_servers_wrote),
        T(doubts_tell_nothing),
        T(a_copy_of_the_view_owns_its_sets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
