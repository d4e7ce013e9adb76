/* tests/unit/controller/decide/test_cluster_written.c - who wrote by hand: what a server wrote
 * itself is known from the record when the primary is dead, and seen when it grows alone. */
#include "cluster_world.h"
#include "controller/decide/cluster_written.h"
#include "controller/decide/plan.h"

static void holds(uint32_t node, const char *set)
{
    set_parse(&w.facts[node].executed, ENGINE_MARIADB, set);
}

/* db2 is read-only and follows nobody. */
static void stand_alone(const char *set)
{
    w.facts[1].receiver = RECEIVER_NONE;
    w.facts[1].read_only = w.facts[1].super_read_only = TRI_YES;
    gtid_set_clear(&w.facts[1].received);
    holds(1, set);
}

static void look(void)
{
    w.now += MS(500);
    see(&w, 1);
}

static bool is_set_aside(void)
{
    struct cluster_record record = w.view.record;
    bool changed = cluster_watch_alone(&w.view, &record);
    assert_int_equal(changed, record.quarantine[1] == QUARANTINE_DIVERGED);
    return changed;
}

/* The primary died, the controller started after it: only the record can tell. */
static void the_record_tells_what_a_dead_primary_cannot(void **state)
{
    (void)state;
    holds(1, "0-1-100,0-2-101");
    w.view.nodes[0].facts_mono_us = STAY_NEVER;
    w.view.nodes[0].groups_known = 0;
    w.view.record.written_known = 0;
    assert_false(cluster_wrote_alone(&w.view, 1, &w.facts[1].executed));
    w.view.record.written_known = 2;
    w.view.record.written[1] = 100;
    assert_true(cluster_wrote_alone(&w.view, 1, &w.facts[1].executed));
    w.view.record.written[1] = 101;
    assert_false(cluster_wrote_alone(&w.view, 1, &w.facts[1].executed));
    w.view.record.written[1] = 100;
    w.view.record.primary_id = db(2)->facts.server_id; /* a clone: these are the primary's rows */
    assert_false(cluster_wrote_alone(&w.view, 1, &w.facts[1].executed));
    w.view.record.primary_id = 77;
    assert_true(cluster_wrote_alone(&w.view, 1, &w.facts[1].executed));
    w.view.primary = 1; /* the primary's own writes are its office */
    w.view.record.written[1] = 0;
    assert_false(cluster_wrote_alone(&w.view, 1, &w.facts[1].executed));
    db(2)->facts.server_id = 0;
    w.view.primary = 0;
    assert_false(cluster_wrote_alone(&w.view, 1, &w.facts[1].executed));
}

/* While its twin is alive a clone is seen to be one; after the twin's death only the record tells.
 */
static void a_clone_is_remembered(void **state)
{
    (void)state;
    struct cluster_record record = w.view.record;
    record.written_known = 2;
    db(2)->facts.server_id = db(1)->facts.server_id;
    assert_true(cluster_note_written(&w.view, 0, &db(1)->facts.executed, &record));
    assert_int_equal(record.written_known & 2, 0);
    assert_false(cluster_note_written(&w.view, 0, &db(1)->facts.executed, &record));
}

/* It lost 0-2-60 to 0-2-70 in a restart and was written to: 0-2-60 again, another row. */
static void a_server_that_grows_alone_is_set_aside(void **state)
{
    (void)state;
    stand_alone("0-2-59");
    look();
    assert_false(is_set_aside());
    look();
    assert_false(is_set_aside());
    holds(1, "0-2-60");
    look();
    assert_true(cluster_has_written_alone(&w.view, 1, &w.facts[1].executed));
    assert_true(is_set_aside());
}

/* The store refused it, or the controller was not ready yet: the next turn says it again. */
static void what_was_seen_stands_until_it_is_stored(void **state)
{
    (void)state;
    stand_alone("0-2-59");
    look();
    assert_false(is_set_aside());
    holds(1, "0-2-60");
    look();
    assert_true(is_set_aside());
    assert_true(is_set_aside());
    w.facts[1].receiver = RECEIVER_RUNNING;
    look();
    assert_true(is_set_aside());
    struct cluster_record record = w.view.record;
    assert_true(cluster_watch_alone(&w.view, &record));
    assert_int_equal(record.twins, 2);
    w.view.record = record;
    assert_false(cluster_watch_alone(&w.view, &record));
    w.view.record.quarantine[1] = QUARANTINE_NONE; /* a human took it back */
    w.view.record.twins = 0;
    assert_false(is_set_aside());
}

/* What an operator set aside stays theirs; why it must not be attached as it is, is kept. */
static void one_that_an_operator_set_aside_stays_theirs(void **state)
{
    (void)state;
    w.view.record.quarantine[1] = QUARANTINE_OPERATOR;
    stand_alone("0-2-59");
    look();
    assert_false(is_set_aside());
    holds(1, "0-2-60");
    look();
    struct cluster_record record = w.view.record;
    assert_true(cluster_watch_alone(&w.view, &record));
    assert_int_equal(record.quarantine[1], QUARANTINE_OPERATOR);
    assert_int_equal(record.twins, 2);
    w.view.record = record;
    assert_false(cluster_watch_alone(&w.view, &record));
}

/* Restarted, and written to before the first look: its process has committed. */
/* A former primary under its own name: what it grew by as well is not known of it yet. */
static void what_a_stale_primary_wrote_since_is_named_too(void **state)
{
    (void)state;
    w.view.record.quarantine[1] = QUARANTINE_STALE_PRIMARY;
    w.view.record.twins = 2;
    db(2)->by_hand = true;
    assert_true(is_set_aside());
    assert_true(db(2)->by_hand);
    w.view.record.quarantine[1] = QUARANTINE_DIVERGED; /* stored */
    struct cluster_record record = w.view.record;
    assert_false(cluster_watch_alone(&w.view, &record));
    assert_false(db(2)->by_hand);
}

static void a_new_process_that_committed_alone_is_set_aside(void **state)
{
    (void)state;
    stand_alone("0-2-60");
    for (uint64_t commits = 0; commits < 2; commits++) {
        w.now += MS(500);
        w.facts[1].uptime_s = commits; /* a new process each time */
        w.facts[1].binlog_commits = commits;
        struct observation o = answered(&w, 1, w.now, w.now + MS(1), FACTS_STATUS);
        db(2)->facts.uptime_s = 5000;
        cluster_observe(&w.view, &o);
        assert_int_equal(is_set_aside(), commits > 0);
    }
}

/* A controller that has just started reads db2 for the first time, `age_s` seconds old, with
 * commits in its log, following nobody. */
static void meet_young(uint64_t age_s)
{
    struct cluster_record record = w.view.record;
    cluster_clear(&w.view);
    cluster_init(&w.view, &w.config);
    cluster_set_record(&w.view, &record);
    w.view.store_ok = true;
    w.now += MS(500);
    w.facts[1].uptime_s = age_s;
    w.facts[1].binlog_commits = 9;
    struct observation o = answered(&w, 1, w.now, w.now + MS(1), FACTS_STATUS);
    cluster_observe(&w.view, &o);
}

/* Its receiver ran while no controller looked, and an operator stopped it (seen on real servers: a
 * rejoined server, the controller restarted within 8 s of that, STOP SLAVE between). */
static void a_young_process_that_followed_unseen_is_not_by_hand(void **state)
{
    (void)state;
    stand_alone("0-1-120,0-2-60");
    meet_young(8);
    assert_false(is_set_aside());
    stand_alone("0-2-121,0-1-120"); /* then it was written to */
    meet_young(8);
    assert_true(is_set_aside());
}

/* It was the primary until it was cut off, fenced later; or its replica. */
static void a_process_older_than_its_successors_office_is_not_by_hand(void **state)
{
    (void)state;
    struct decision d;
    stand_alone("0-2-60");
    w.view.record.primary_since_wall_us = wall_of(&w) - SEC(5);
    meet_young(30);
    decide(&w.view, NULL, NULL, w.now, wall_of(&w), &d);
    assert_false(is_set_aside());
    meet_young(8); /* it began after the loss: nobody's office */
    decide(&w.view, NULL, NULL, w.now, wall_of(&w), &d);
    assert_true(is_set_aside());
}

/* db2 is seen to restart; `holds` is what it has executed since. */
static bool may_repeat(const char *set, bool caught_up)
{
    struct node_view *n = db(2);
    holds(1, set);
    n->restarted_mono_us = w.now - SEC(60);
    n->writable_mono_us = STAY_NEVER;
    n->caught_up_mono_us = caught_up ? w.now - SEC(30) : STAY_NEVER;
    return cluster_may_repeat_numbers(&w.view, 1, &w.facts[1].executed);
}

static void only_who_lost_numbers_of_its_own_may_give_them_again(void **state)
{
    (void)state;
    assert_true(may_repeat("0-1-100", false)); /* nobody saw what it lacks */
    assert_false(may_repeat("0-1-100", true));
    assert_true(may_repeat("0-1-100,0-2-60", true)); /* its last writes may have been 0-2-101 */
    assert_false(may_repeat("0-1-30100,0-2-60", true));
    assert_true(may_repeat("0-1-30100,1-2-60", true)); /* in another domain nobody wrote since */
    w.view.record.written[1] = 70;                     /* the primary held more of its making */
    assert_true(may_repeat("0-1-30100,0-2-60", true));
    db(2)->restarted_mono_us = STAY_NEVER;
    assert_false(cluster_may_repeat_numbers(&w.view, 1, &w.facts[1].executed));
    w.config.engine = ENGINE_MYSQL;
    assert_false(may_repeat("0-1-100", false));
}

/* A switchover is undone after a controller's restart; meanwhile the primary had restarted too. */
static void an_undo_that_reopens_such_a_primary_leaves_a_gap(void **state)
{
    (void)state;
    struct plan_run run = {.kind = PLAN_SWITCHOVER, .old_primary = 1, .epoch = 5};
    struct effect e;
    uint32_t row = plan_row_of(PLAN_SWITCHOVER, STEP_QUIESCE);
    assert_true(may_repeat("0-1-100,0-2-60", false));
    plan_undo_effect(&run, &w.view, row, 1, &e);
    assert_int_equal(e.step, STEP_UNFENCE);
    assert_true(e.renumber);
    db(2)->restarted_mono_us = STAY_NEVER; /* the process that this plan closed */
    db(2)->writable_mono_us = w.now - SEC(1);
    plan_undo_effect(&run, &w.view, row, 1, &e);
    assert_false(e.renumber);
}

static void what_it_receives_or_a_plan_does_is_not_by_hand(void **state)
{
    (void)state;
    stand_alone("0-2-59");
    look();
    assert_false(is_set_aside());
    w.facts[1].receiver = RECEIVER_RUNNING; /* its own lost rows come back */
    holds(1, "0-2-65");
    look();
    assert_false(is_set_aside());
    stand_alone("0-2-70");
    look();
    assert_false(is_set_aside());
    holds(1, "0-2-71");
    w.view.plan_ended_mono_us = w.now + MS(1);
    look();
    assert_false(is_set_aside()); /* the first look after a plan */
    holds(1, "0-2-72");
    w.facts[1].read_only = TRI_NO; /* taken over by hand, perhaps */
    look();
    assert_false(is_set_aside());
}

/* Measured on 10.11.19: it had lost 0-2-81 to 0-2-90, its receiver dropped them, and its position
 * went on to 0-1-120. */
static void one_that_skipped_its_own_tail_is_seen(void **state)
{
    (void)state;
    set_parse(&w.facts[0].executed, ENGINE_MARIADB, "0-1-120,0-2-90");
    holds(1, "0-1-70,0-2-80");
    see(&w, 1);
    w.now += MS(2);
    see(&w, 0);
    assert_false(db(2)->skipped); /* they may still come */
    holds(1, "0-1-120,0-2-80");
    look();
    assert_true(db(2)->skipped);
    holds(1, "0-1-120,0-2-90"); /* reseeded */
    look();
    assert_false(db(2)->skipped);
    holds(1, "0-1-120,1-2-85");
    w.facts[0].executed.v[1].source[3] =
        1; /* 1-2-90: another domain, in which nothing came later */
    see(&w, 0);
    look();
    assert_false(db(2)->skipped);
}

/* Nothing of its own making is left: it was seeded from a copy, or it was seen short of them. */
static void a_server_seeded_from_a_copy_is_believed(void **state)
{
    (void)state;
    set_parse(&w.facts[0].executed, ENGINE_MARIADB, "0-1-120,0-2-90");
    see(&w, 0);
    holds(1, "0-1-120");
    look();
    assert_false(db(2)->skipped);
    assert_false(cluster_skipped_own(&w.view, 1, &db(2)->facts.executed, &db(1)->facts.executed));
    holds(1, "0-1-80");
    look();
    assert_false(db(2)->skipped);
    holds(1, "0-1-120");
    look();
    assert_true(db(2)->skipped);
    look();
    assert_true(db(2)->skipped); /* until the store says it, then a human's word counts */
    w.view.record.quarantine[1] = QUARANTINE_DIVERGED;
    look();
    w.view.record.quarantine[1] = QUARANTINE_NONE;
    look();
    assert_false(db(2)->skipped);
    holds(1, "0-1-80");
    look();
    w.now += SEC(11); /* time enough to load a copy */
    holds(1, "0-1-120");
    look();
    assert_false(db(2)->skipped);
}

static void a_clone_or_mysql_skips_nothing(void **state)
{
    (void)state;
    struct gtid_set held = {0}, primary = {0};
    set_parse(&held, ENGINE_MARIADB, "0-1-120,0-2-80");
    set_parse(&primary, ENGINE_MARIADB, "0-1-120,0-2-90");
    assert_true(cluster_skipped_own(&w.view, 1, &held, &primary));
    assert_false(cluster_skipped_own(&w.view, 0, &held, &primary)); /* the primary itself */
    assert_false(
        cluster_skipped_own(&w.view, 2, &held, &primary)); /* another one's: its source's */
    db(2)->facts.server_id = db(3)->facts.server_id;
    assert_false(cluster_skipped_own(&w.view, 1, &held, &primary));
    db(2)->facts.server_id = 2;
    w.config.engine = ENGINE_MYSQL;
    assert_false(cluster_skipped_own(&w.view, 1, &held, &primary));
    gtid_set_clear(&held);
    gtid_set_clear(&primary);
}

/* db1 took over from db3, died within the second, and lost of db3's transactions too; db2 has them.
 */
static void what_an_earlier_primary_wrote_is_lost_too(void **state)
{
    (void)state;
    w.view.record.written[2] = 50; /* of db3's making, when db1 was promoted */
    set_parse(&w.facts[0].executed, ENGINE_MARIADB, "0-3-40");
    holds(1, "0-3-50,0-1-55");
    look();
    w.now += MS(2);
    see(&w, 0);
    assert_int_equal(db(2)->errant, TRI_NO);
    assert_true(db(2)->holds_lost);
    holds(1, "0-3-51"); /* one more than the primary ever had */
    look();
    w.now += MS(2);
    see(&w, 0);
    assert_int_equal(db(2)->errant, TRI_YES);
    holds(1, "0-3-40,0-2-50"); /* its own */
    look();
    w.now += MS(2);
    see(&w, 0);
    assert_int_equal(db(2)->errant, TRI_YES);
    assert_false(db(2)->holds_lost);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(the_record_tells_what_a_dead_primary_cannot),
        T(a_clone_is_remembered),
        T(a_server_that_grows_alone_is_set_aside),
        T(what_was_seen_stands_until_it_is_stored),
        T(one_that_an_operator_set_aside_stays_theirs),
        T(what_a_stale_primary_wrote_since_is_named_too),
        T(a_new_process_that_committed_alone_is_set_aside),
        T(a_young_process_that_followed_unseen_is_not_by_hand),
        T(a_process_older_than_its_successors_office_is_not_by_hand),
        T(only_who_lost_numbers_of_its_own_may_give_them_again),
        T(an_undo_that_reopens_such_a_primary_leaves_a_gap),
        T(what_it_receives_or_a_plan_does_is_not_by_hand),
        T(one_that_skipped_its_own_tail_is_seen),
        T(a_server_seeded_from_a_copy_is_believed),
        T(a_clone_or_mysql_skips_nothing),
        T(what_an_earlier_primary_wrote_is_lost_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
