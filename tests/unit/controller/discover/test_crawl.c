/* A crawl finds every server that replication links to the first one, and asks no more than that
 * needs. */
#include "tests/unit/controller/discover/crawl_chain.h"

static void expect_address(const struct crawl *c, uint32_t member, const char *wanted)
{
    char text[NAMES_ADDRESS_MAX];
    names_format_address(text, sizeof text, &c->members[member]->address);
    assert_string_equal(text, wanted);
}

static void any_server_leads_to_the_same_cluster(void **state)
{
    (void)state;
    static const char *const from[] = {"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"};
    for (int hidden = 0; hidden < 2; hidden++) {
        for (size_t i = 0; i < STAY_COUNT(from); i++) {
            struct world w = chain;
            struct crawl *c = stay_calloc(1, sizeof *c);
            for (uint32_t f = 0; f < w.count; f++)
                w.fakes[f].is_hidden = hidden == 1;
            world_crawl(&w, from[i], NULL, c);
            expect(c, "1* 2<1 4<1 3<2");
            assert_int_equal(c->how, CRAWL_PRIMARY_SURE);
            assert_int_equal(c->missing_count, 0);
            assert_int_equal(w.asked, 4);
            crawl_clear(c);
            free(c);
        }
    }
}

/* Ports of replicas are in the list alone: without it 3306 and the source's own are tried. */
static void ports_come_from_the_list_or_are_guessed_or_named(void **state)
{
    (void)state;
    struct world w = {
        .fakes = {{.host = "127.0.0.1", .port = 3401, .id = 1, .is_open = true},
                  {.host = "127.0.0.1",
                   .port = 3402,
                   .id = 2,
                   .source_host = "127.0.0.1",
                   .source_port = 3401},
                  {.host = "127.0.0.1",
                   .port = 3306,
                   .id = 3,
                   .source_host = "127.0.0.1",
                   .source_port = 3401}},
        .count = 3,
        .loopback_as_localhost = true,
    };
    struct crawl *c = stay_calloc(1, sizeof *c);
    world_crawl(&w, "127.0.0.1:3401", NULL, c);
    expect(c, "1* 3<1 2<1");
    assert_int_equal(c->missing_count, 0);
    crawl_clear(c);
    w.fakes[0].is_hidden = true;
    world_crawl(&w, "127.0.0.1:3401", NULL, c);
    expect(c, "1* 3<1");
    assert_int_equal(c->missing_count, 1);
    assert_int_equal(c->missing[0].why, CRAWL_GUESS);
    assert_string_equal(c->missing[0].address.host, "127.0.0.1");
    assert_int_equal(c->missing[0].by, 0);
    crawl_clear(c);
    world_crawl(&w, "127.0.0.1:3401", "127.0.0.1:3402", c);
    expect(c, "1* 3<1 2<1");
    assert_int_equal(c->missing_count, 0);
    crawl_clear(c);
    free(c);
}

/* Of two servers the operator reaches by name, the addresses their peers use are written. */
static void the_address_is_the_one_its_peers_use(void **state)
{
    (void)state;
    struct world w = chain;
    struct crawl *c = stay_calloc(1, sizeof *c);
    w.fakes[1].name = "db2.example.com";
    w.fakes[3].name = "db4";
    w.fakes[3].report_host = "db4";
    world_crawl(&w, "db2.example.com", NULL, c);
    expect(c, "1* 2<1 4<1 3<2");
    expect_address(c, 1, "10.0.0.2:3306");
    expect_address(c, 2, "10.0.0.4:3306");
    crawl_clear(c);
    w.fakes[0].name = "primary";
    w.fakes[1].source_host = w.fakes[3].source_host = "primary"; /* then by name it is known */
    world_crawl(&w, "10.0.0.1", NULL, c);
    expect(c, "1* 2<1 4<1 3<2");
    expect_address(c, 0, "primary:3306");
    crawl_clear(c);
    free(c);
}

/* report_host that leads nowhere, or to a stranger, misleads nobody. */
static void what_a_server_says_of_itself_may_be_wrong(void **state)
{
    (void)state;
    struct world w = chain;
    struct crawl *c = stay_calloc(1, sizeof *c);
    w.fakes[1].report_host = "inner-name";
    w.fakes[3].report_host = "10.0.0.9";
    w.fakes[w.count++] = (struct fake){.host = "10.0.0.9", .port = 3306, .id = 9, .is_open = true};
    world_crawl(&w, "10.0.0.1", NULL, c);
    expect(c, "1* 2<1 4<1 3<2");
    assert_int_equal(c->missing_count, 0);
    crawl_clear(c);
    w.fakes[1].report_host = "host\nname \"x\""; /* no host at all */
    world_crawl(&w, "10.0.0.1", NULL, c);
    expect(c, "1* 2<1 4<1 3<2");
    crawl_clear(c);
    free(c);
}

static void a_loop_ends_and_the_open_one_is_the_primary(void **state)
{
    (void)state;
    struct world w = chain;
    struct crawl *c = stay_calloc(1, sizeof *c);
    w.fakes[0].source_host = "10.0.0.3";
    w.fakes[0].source_port = 3306;
    world_crawl(&w, "10.0.0.2", NULL, c);
    expect(c, "1*<3 2<1 4<1 3<2");
    assert_int_equal(c->how, CRAWL_PRIMARY_FOLLOWS);
    crawl_clear(c);
    w.fakes[2].is_open = true;
    world_crawl(&w, "10.0.0.2", NULL, c);
    assert_int_equal(c->how, CRAWL_PRIMARY_SEVERAL);
    expect(c, "1?<3 2<1 4<1 3?<2");
    crawl_clear(c);
    w.fakes[0].is_open = w.fakes[2].is_open = false;
    world_crawl(&w, "10.0.0.2", NULL, c);
    assert_int_equal(c->how, CRAWL_PRIMARY_OUTSIDE);
    assert_int_equal(c->primary_count, 0);
    crawl_clear(c);
    free(c);
}

static void a_read_only_top_is_said_to_be_one(void **state)
{
    (void)state;
    struct world w = chain;
    struct crawl *c = stay_calloc(1, sizeof *c);
    w.fakes[0].is_open = false;
    world_crawl(&w, "10.0.0.3", NULL, c);
    expect(c, "1* 2<1 4<1 3<2");
    assert_int_equal(c->how, CRAWL_PRIMARY_READ_ONLY);
    crawl_clear(c);
    w.fakes[2].is_open = true; /* a replica left open does not become the primary beside it */
    w.fakes[0].is_open = true;
    world_crawl(&w, "10.0.0.3", NULL, c);
    expect(c, "1* 2<1 4<1 3<2");
    assert_int_equal(c->how, CRAWL_PRIMARY_SURE);
    crawl_clear(c);
    free(c);
}

/* The stopped replica still says whose it is; its source does not know it. */
static void a_stopped_replica_leads_to_its_source(void **state)
{
    (void)state;
    struct world w = chain;
    struct crawl *c = stay_calloc(1, sizeof *c);
    w.fakes[3].receiver = RECEIVER_STOPPED;
    world_crawl(&w, "10.0.0.4", NULL, c);
    expect(c, "1* 2<1 4<1 3<2");
    crawl_clear(c);
    world_crawl(&w, "10.0.0.1", NULL, c);
    expect(c, "1* 2<1 3<2");
    assert_int_equal(c->missing_count, 0);
    crawl_clear(c);
    free(c);
}

static void ipv6_addresses_are_asked_and_kept(void **state)
{
    (void)state;
    struct world w = {
        .fakes = {{.host = "fd00::1", .port = 3306, .id = 1, .is_open = true},
                  {.host = "fd00::2",
                   .port = 3307,
                   .id = 2,
                   .source_host = "fd00::1",
                   .source_port = 3306}},
        .count = 2,
    };
    struct crawl *c = stay_calloc(1, sizeof *c);
    world_crawl(&w, "[fd00::1]", NULL, c);
    expect(c, "1* 2<1");
    expect_address(c, 1, "[fd00::2]:3307");
    crawl_clear(c);
    free(c);
}

/* The same id twice is a fault of the cluster, not one server with two addresses. */
static void cloned_ids_stay_two_servers(void **state)
{
    (void)state;
    struct world w = chain;
    struct crawl *c = stay_calloc(1, sizeof *c);
    w.fakes[3].id = 2;
    world_crawl(&w, "10.0.0.1", NULL, c);
    expect(c, "1* 2<1 2<1 3<2");
    crawl_clear(c);
    free(c);
}

/* Two addresses of one server are one member though it answered slowly; a clone that began at
 * another time, down to its folder and host name, is another server. */
static void the_same_process_is_one_server(void **state)
{
    (void)state;
    struct world w = chain;
    struct crawl *c = stay_calloc(1, sizeof *c);
    for (int clone = 0; clone < 2; clone++) {
        struct names_address address = {"10.0.0.1", 3306}, other = {"192.168.0.1", 3306};
        struct crawl_answer answer;
        uint32_t target;
        crawl_init(c);
        assert_true(crawl_add(c, &address) && crawl_add(c, &other));
        assert_true(crawl_next(c, &target) && crawl_next(c, &target));
        world_ask(&w, &address, &answer);
        crawl_fold(c, 0, &answer);
        world_ask(&w, &address, &answer);
        answer.begun_wall_s += 5;
        answer.begun_within_s = clone == 1 ? 2 : 4;
        crawl_fold(c, 1, &answer);
        assert_int_equal(c->member_count, clone == 1 ? 2 : 1);
        crawl_clear(c);
    }
    free(c);
}

static void a_crawl_is_bounded(void **state)
{
    (void)state;
    struct world w = {.count = FAKES_MAX};
    struct crawl *c = stay_calloc(1, sizeof *c);
    char hosts[FAKES_MAX][16];
    for (uint32_t i = 0; i < FAKES_MAX; i++) { /* a chain longer than a cluster may be */
        (void)snprintf(hosts[i], sizeof hosts[i], "10.0.1.%u", i);
        w.fakes[i] = (struct fake){.host = hosts[i],
                                   .port = 3306,
                                   .id = i + 1,
                                   .source_host = i == 0 ? NULL : hosts[i - 1],
                                   .source_port = 3306,
                                   .is_open = i == 0};
    }
    world_crawl(&w, "10.0.1.0", NULL, c);
    assert_int_equal(c->member_count, NODES_MAX);
    assert_true(c->is_cut);
    assert_int_equal(c->missing_count, 0);
    assert_int_equal(c->how, CRAWL_PRIMARY_SURE);
    crawl_clear(c);
    free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_server_leads_to_the_same_cluster),
        cmocka_unit_test(ports_come_from_the_list_or_are_guessed_or_named),
        cmocka_unit_test(the_address_is_the_one_its_peers_use),
        cmocka_unit_test(what_a_server_says_of_itself_may_be_wrong),
        cmocka_unit_test(a_loop_ends_and_the_open_one_is_the_primary),
        cmocka_unit_test(a_read_only_top_is_said_to_be_one),
        cmocka_unit_test(a_stopped_replica_leads_to_its_source),
        cmocka_unit_test(ipv6_addresses_are_asked_and_kept),
        cmocka_unit_test(cloned_ids_stay_two_servers),
        cmocka_unit_test(the_same_process_is_one_server),
        cmocka_unit_test(a_crawl_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
