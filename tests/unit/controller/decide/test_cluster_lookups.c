/* tests/unit/controller/decide/test_cluster_lookups.c - questions about nodes, peers and writers
 * whose answer hangs on who is asked: the primary itself, nobody, a clone, one never read. */
#include "decide_world.h"

#include "controller/decide/cluster_births.h"
#include "controller/decide/cluster_written.h"

static void masks_of_the_record_follow_their_nodes_names(void **state)
{
    (void)state;
    struct cluster_config next = w.config;
    next.nodes[0] = w.config.nodes[2];
    next.nodes[2] = w.config.nodes[0];
    struct cluster_record *r = &w.view.record;
    r->twins = r->restarted = 4;
    r->written_known = 2 | 4;
    r->written[2] = 7;
    cluster_reconfigure(&w.view, &next);
    assert_int_equal(r->twins, 1);
    assert_int_equal(r->restarted, 1);
    assert_int_equal(r->written_known, 1 | 2);
    assert_int_equal(r->written[0], 7);
    w.config = next;
    cluster_reconfigure(&w.view, &w.config);
}

static void every_name_of_the_own_host_is_the_own_host(void **state)
{
    (void)state;
    static const char *const names[] = {"localhost", "127.0.0.1", "::1"};
    (void)stay_copy(w.config.nodes[1].host, sizeof w.config.nodes[1].host, "127.0.0.1");
    for (size_t i = 0; i < STAY_COUNT(names); i++) {
        bool strangers = true;
        (void)stay_copy(w.facts[0].dump_peers[0].host, 64, names[i]);
        see(&w, 0);
        (void)cluster_ackers_now(&w.view, &strangers);
        assert_false(strangers);
        w.now += MS(2);
    }
}

static void nobody_is_a_stranger_to_a_primary_nobody_read(void **state)
{
    (void)state;
    (void)stay_copy(w.facts[0].dump_peers[0].host, 64, "10.9.9.9");
    see(&w, 0);
    assert_string_equal(cluster_stranger(&w.view), "10.9.9.9");
    w.view.nodes[0].facts_mono_us = STAY_NEVER;
    assert_null(cluster_stranger(&w.view));
    w.view.primary = NO_NODE;
    assert_null(cluster_stranger(&w.view));
}

/* By which of its two looks the old stream is told, and what keeps it untold. */
static void a_stream_that_stands_is_told_of_a_host_with_one_node(void **state)
{
    (void)state;
    struct node_view *primary = &w.view.nodes[0], *n = &w.view.nodes[1];
    w.facts[1].receiver = RECEIVER_CONNECTING;
    see(&w, 1);
    w.now += SEC(10);
    see(&w, 0);
    see(&w, 1);
    w.now += SEC(10);
    see(&w, 0);
    w.now += MS(2);
    see(&w, 1);
    primary->facts.ss_source_enabled = TRI_YES;
    n->facts.source_port = w.config.nodes[0].port;
    assert_true(cluster_stream_stands(&w.view, 1));
    int64_t read_us = primary->facts_mono_us;
    primary->facts_mono_us = STAY_NEVER;
    assert_false(cluster_stream_stands(&w.view, 1));
    primary->facts_mono_us = read_us;
    primary->facts.ss_source_enabled = TRI_NO;
    assert_false(cluster_stream_stands(&w.view, 1));
    primary->facts.ss_source_enabled = TRI_YES;
    struct node_config other = w.config.nodes[2];
    (void)stay_copy(w.config.nodes[2].host, sizeof other.host, w.config.nodes[1].host);
    assert_false(cluster_stream_stands(&w.view, 1)); /* whose thread is it? */
    w.config.nodes[2] = other;
    primary->facts.dump_peer_count = 0;
    assert_false(cluster_stream_stands(&w.view, 1));
    w.view.primary = NO_NODE;
    assert_false(cluster_stream_stands(&w.view, 1));
}

static void who_stood_counts_until_a_commit_is_acknowledged(void **state)
{
    (void)state;
    struct node_view *primary = &w.view.nodes[0], *n = &w.view.nodes[1];
    n->stood_mono_us = STAY_NEVER;
    assert_false(cluster_has_stood(&w.view, 1));
    n->stood_mono_us = w.now;
    primary->canary_ok_mono_us = w.now;
    assert_true(cluster_has_stood(&w.view, 1)); /* about the same time: the canary may be older */
    primary->canary_ok_mono_us = w.now + SEC(3);
    assert_false(cluster_has_stood(&w.view, 1));
    primary->canary_ok_mono_us = STAY_NEVER; /* not seen by this controller */
    assert_true(cluster_has_stood(&w.view, 1));
    cluster_node_changed(&w.view, 1, w.now + MS(1)); /* simulator seed 1200022483: attached anew to
                                                        a primary that was down, it stays bare */
    assert_true(cluster_has_stood(&w.view, 1));
    cluster_node_opens(&w.view, 0, w.now); /* answered nobody before */
    assert_false(cluster_has_stood(&w.view, 1));
    cluster_node_opens(&w.view, 0, w.now - MS(1));
    assert_true(cluster_has_stood(&w.view, 1));
    cluster_node_opens(&w.view, NO_NODE, w.now);
    assert_true(cluster_has_stood(&w.view, 1));
    w.view.primary = NO_NODE;
    assert_true(cluster_has_stood(&w.view, 1));
}

/* Nothing to compare with: neither alone, nor lost, nor skipped. */
static void without_a_primary_nobody_wrote_alone(void **state)
{
    (void)state;
    struct cluster_record record = w.view.record;
    struct gtid_set held = {0};
    set_parse(&held, ENGINE_MARIADB, "0-1-100,0-2-101");
    record.primary_id = 77;
    (void)cluster_note_written(&w.view, NO_NODE, &held, &record);
    assert_int_equal(record.primary_id, 77); /* whoever it was */
    w.view.primary = NO_NODE;
    w.view.nodes[1].skipped = true;
    cluster_look_skipped(&w.view, 1);
    assert_true(w.view.nodes[1].skipped); /* as it was seen */
    gtid_set_clear(&held);
}

static void what_the_primary_writes_is_its_office(void **state)
{
    (void)state;
    struct gtid_set held = {0};
    set_parse(&held, ENGINE_MARIADB, "0-1-200");
    w.view.record.written[0] = 100;
    assert_false(cluster_wrote_alone(&w.view, 0, &held));
    w.view.nodes[0].by_hand = true;
    assert_false(cluster_has_written_alone(&w.view, 0, &held));
    set_parse(&held, ENGINE_MARIADB, "0-1-50");
    assert_int_equal(cluster_lost_from(&w.view, &held), NO_NODE);
    w.view.record.written[1] = 5; /* db2 wrote five as a primary: who lacks them lost some */
    assert_int_equal(cluster_lost_from(&w.view, &held), 1);
    w.view.nodes[2].facts.server_id = 2; /* a clone: nobody knows whose they are */
    assert_int_equal(cluster_lost_from(&w.view, &held), NO_NODE);
    assert_false(cluster_wrote_alone(&w.view, 1, &held));
    gtid_set_clear(&held);
}

/* The record may still count a node in A that has become the primary. */
static void a_primary_in_a_is_judged_by_no_birth(void **state)
{
    (void)state;
    w.view.wall_offset_us = wall_of(&w) - w.now;
    w.view.record.ackers = 7;
    w.view.record.born_known = 7;
    w.view.record.born_wall_s[0] = 5; /* long ago */
    w.view.nodes[0].birth_judged = false;
    w.view.nodes[0].restarted_mono_us = STAY_NEVER;
    cluster_judge_births(&w.view);
    assert_true(w.view.nodes[0].birth_judged);
    assert_int_equal(w.view.nodes[0].restarted_mono_us, STAY_NEVER);
    struct cluster_record record = w.view.record;
    (void)cluster_note_births(&w.view, &record);
    assert_int_equal(record.born_wall_s[0], 5);
}

/* Refused, and the primary has all it asks for: it may be attached again, by what was read. */
static void a_refused_one_is_attached_again_by_the_word_of_a_primary(void **state)
{
    (void)state;
    w.view.nodes[1].facts.receiver_errno = 1236;
    w.view.nodes[1].asked_again_mono_us = STAY_NEVER;
    assert_true(cluster_may_ask_again(&w.view, 1));
    w.view.nodes[0].groups_known = 0;
    assert_false(cluster_may_ask_again(&w.view, 1));
    w.view.nodes[0].groups_known = FACTS_STATUS;
    w.view.nodes[1].asked_again_mono_us = w.now;
    assert_false(cluster_may_ask_again(&w.view, 1)); /* it was, once */
}

static void only_what_was_read_tells_a_clone(void **state)
{
    (void)state;
    assert_false(cluster_is_cloned(&w.view, 1));
    w.view.nodes[2].facts.server_id = w.view.nodes[1].facts.server_id;
    assert_true(cluster_is_cloned(&w.view, 1));
    w.view.nodes[2].groups_known = 0;
    assert_false(cluster_is_cloned(&w.view, 1));
    w.view.nodes[2].groups_known = FACTS_STATUS | FACTS_SLOW;
    w.view.nodes[1].facts.server_id = w.view.nodes[2].facts.server_id = 0;
    assert_false(cluster_is_cloned(&w.view, 1));
}

static void room_is_a_tenth_of_a_disk_that_was_read(void **state)
{
    (void)state;
    struct server_facts *facts = &w.view.nodes[1].facts;
    facts->disk_total = facts->disk_free = 0;
    assert_false(cluster_disk_has_room(&w.view, 1));
    assert_false(cluster_disk_is_low(&w.view, 1));
    facts->disk_total = 1000;
    facts->disk_free = 100;
    assert_true(cluster_disk_has_room(&w.view, 1));
    facts->disk_free = 99;
    assert_false(cluster_disk_has_room(&w.view, 1));
    assert_false(cluster_disk_is_low(&w.view, 1));
    facts->disk_free = 49;
    assert_true(cluster_disk_is_low(&w.view, 1));
}

static void a_uuid_with_a_letter_no_hex_digit_is_nobodys(void **state)
{
    (void)state;
    struct gtid_range range = {.first = 1, .last = 1};
    memset(range.source, 0xab, sizeof range.source);
    static const char *const mine[] = {"abababab-abab-abab-abab-abababababab",
                                       "ABABABAB-ABAB-ABAB-ABAB-ABABABABABAB"};
    static const char *const others[] = {"zbababab-abab-abab-abab-abababababab",
                                         "azababab-abab-abab-abab-abababababab",
                                         "a:ababab-abab-abab-abab-abababababab",
                                         "abababab-abab-abab-abab-ababababababab",
                                         "ab",
                                         ""};
    for (size_t i = 0; i < STAY_COUNT(mine); i++) {
        (void)stay_copy(w.view.nodes[1].facts.server_uuid, FACT_TEXT_MAX, mine[i]);
        assert_true(cluster_range_is_of(&w.view, 1, &range));
    }
    for (size_t i = 0; i < STAY_COUNT(others); i++) {
        (void)stay_copy(w.view.nodes[1].facts.server_uuid, FACT_TEXT_MAX, others[i]);
        assert_false(cluster_range_is_of(&w.view, 1, &range));
    }
}

static int setup_mysql(void **state)
{
    (void)state;
    world_init(&w, ENGINE_MYSQL);
    healthy(&w, 3);
    return 0;
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(masks_of_the_record_follow_their_nodes_names),
        T(every_name_of_the_own_host_is_the_own_host),
        T(nobody_is_a_stranger_to_a_primary_nobody_read),
        T(a_stream_that_stands_is_told_of_a_host_with_one_node),
        T(who_stood_counts_until_a_commit_is_acknowledged),
        T(without_a_primary_nobody_wrote_alone),
        T(what_the_primary_writes_is_its_office),
        T(a_primary_in_a_is_judged_by_no_birth),
        T(a_refused_one_is_attached_again_by_the_word_of_a_primary),
        T(only_what_was_read_tells_a_clone),
        T(room_is_a_tenth_of_a_disk_that_was_read),
        cmocka_unit_test_setup_teardown(a_uuid_with_a_letter_no_hex_digit_is_nobodys, setup_mysql,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
