/* tests/unit/controller/decide/test_rehearsal_world.c - what each survivor of a rehearsed death
 * goes on saying: it never tells more than a real one would. */
#include "decide_world.h"

#include "controller/decide/rehearsal_private.h"

static struct rehearsal_world world;

/* One round after `nodes` died, as processes or with their zone. */
static void die(uint32_t nodes, bool is_zone)
{
    static struct rehearsal_loss loss;
    loss = (struct rehearsal_loss){.nodes = nodes, .is_zone = is_zone};
    rehearsal_world_init(&world, &w.view, &loss, w.now);
    rehearsal_world_ask(&world, MS(100));
}

static const struct server_facts *said(uint32_t node)
{
    return &world.view.nodes[node].facts;
}

/* Peers are known by host, acks by role; what nobody showed cannot be taken away. */
static void a_primary_loses_the_dump_thread_and_the_ack_of_who_died(void **state)
{
    (void)state;
    enum { LAST_PEER, FIRST_PEER, NO_PEER, NO_ROLE, NO_CLIENT };
    for (int what = LAST_PEER; what <= NO_CLIENT; what++) {
        struct server_facts *primary = &w.view.nodes[0].facts;
        primary->dump_peer_count = what == NO_PEER ? 0 : 2;
        primary->ss_clients = what == NO_CLIENT ? 0 : 2;
        primary->ss_waiters = 0;
        uint32_t dead = what == FIRST_PEER ? 1 : 2;
        w.view.nodes[dead].facts.ss_replica_on = what == NO_ROLE ? TRI_NO : TRI_YES;
        die(UINT32_C(1) << dead, false);
        assert_int_equal(said(0)->dump_peer_count, what == NO_PEER ? 0 : 1);
        if (what != NO_PEER)
            assert_string_equal(said(0)->dump_peers[0].host, dead == 1 ? "10.0.0.3" : "10.0.0.2");
        assert_int_equal(said(0)->ss_clients, what == NO_ROLE ? 2 : what == NO_CLIENT ? 0 : 1);
        rehearsal_world_clear(&world);
        w.view.nodes[dead].facts.ss_replica_on = TRI_YES;
    }
}

/* The next commit, the canary's at the latest, waits; one that waited already goes on waiting. */
static void commits_wait_where_too_few_are_left_to_acknowledge(void **state)
{
    (void)state;
    enum { ENOUGH, TOO_FEW, ROLE_OFF, WAITED };
    for (int what = ENOUGH; what <= WAITED; what++) {
        struct server_facts *primary = &w.view.nodes[0].facts;
        primary->ss_clients = 2;
        primary->ss_wait_count = what == ENOUGH ? 1 : 2;
        primary->ss_source_on = what == ROLE_OFF ? TRI_NO : TRI_YES;
        primary->ss_waiters = what == WAITED ? 3 : 0;
        die(4, false);
        assert_int_equal(said(0)->ss_waiters, what == WAITED ? 3 : what == TOO_FEW ? 1 : 0);
        rehearsal_world_clear(&world);
    }
}

/* An acker of a promise that stands holds what was acknowledged; any other replica only what it
 * was seen to keep up with, and none that follows somebody else or nobody. */
static void a_replica_holds_the_last_word_only_if_it_was_near(void **state)
{
    (void)state;
    enum { ACKS, FELL, WEAKER, KEEPS_UP, TRAILS, ELSEWHERE, STOPPED };
    for (int what = ACKS; what <= STOPPED; what++) {
        struct node_view *replica = &w.view.nodes[1];
        set_parse(&w.view.nodes[0].facts.executed, ENGINE_MARIADB, "0-1-200");
        w.view.record.lossless_stands = what != FELL && what != KEEPS_UP && what != TRAILS;
        w.view.record.mode = what == WEAKER ? MODE_BOUNDED : MODE_LOSSLESS;
        replica->held_mono_us = what == KEEPS_UP ? w.now - SEC(1)
                                : what == TRAILS ? w.now - SEC(60)
                                                 : STAY_NEVER;
        replica->facts.receiver = what == STOPPED ? RECEIVER_STOPPED : RECEIVER_RUNNING;
        (void)stay_copy(replica->facts.source_host, sizeof replica->facts.source_host,
                        what == ELSEWHERE ? "10.0.0.3" : "10.0.0.1");
        die(1, false);
        bool holds = gtid_set_contains(&said(1)->received, &w.view.nodes[0].facts.executed);
        assert_int_equal(holds, what == ACKS || what == KEEPS_UP);
        rehearsal_world_clear(&world);
    }
}

/* A killed source ends the connection; a silent one is believed until the receiver's own timeout.
 */
static void an_orphan_says_what_its_receiver_knows_by_then(void **state)
{
    (void)state;
    enum { KILLED, SILENT, STOOD, UNREAD };
    for (int what = KILLED; what <= UNREAD; what++) {
        struct node_view *replica = &w.view.nodes[1];
        replica->facts.receiver = what == STOOD ? RECEIVER_STOPPED : RECEIVER_RUNNING;
        replica->groups_known = what == UNREAD ? 0 : FACTS_STATUS;
        int64_t read_us = replica->facts_mono_us;
        die(1, what == SILENT);
        assert_int_equal(said(1)->receiver, what == KILLED  ? RECEIVER_CONNECTING
                                            : what == STOOD ? RECEIVER_STOPPED
                                                            : RECEIVER_RUNNING);
        bool is_told = world.view.nodes[1].facts_mono_us > read_us;
        assert_int_equal(is_told, what != UNREAD); /* nobody knows what it would say */
        rehearsal_world_clear(&world);
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_primary_loses_the_dump_thread_and_the_ack_of_who_died),
        T(commits_wait_where_too_few_are_left_to_acknowledge),
        T(a_replica_holds_the_last_word_only_if_it_was_near),
        T(an_orphan_says_what_its_receiver_knows_by_then),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
