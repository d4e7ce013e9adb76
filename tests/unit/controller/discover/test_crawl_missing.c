/* Whom a crawl could not ask, or must not take for a server of the cluster, is named or left out.
 */
#include "tests/unit/controller/discover/crawl_chain.h"

static void who_does_not_answer_is_named_once(void **state)
{
    (void)state;
    struct world w = chain;
    struct crawl *c = stay_calloc(1, sizeof *c);
    w.fakes[1].fails = OUT_DENIED;
    world_crawl(&w, "10.0.0.3", NULL, c); /* its source says no: nothing is known behind it */
    expect(c, "3");
    assert_int_equal(c->how, CRAWL_PRIMARY_OUTSIDE);
    assert_int_equal(c->missing_count, 1);
    assert_int_equal(c->missing[0].why, CRAWL_SOURCE);
    assert_int_equal(c->missing[0].reach.outcome, OUT_DENIED);
    crawl_clear(c);
    world_crawl(&w, "10.0.0.1", NULL, c); /* it streams from the primary, port guessed */
    expect(c, "1* 4<1");
    assert_int_equal(c->missing_count, 1);
    assert_int_equal(c->missing[0].why, CRAWL_GUESS);
    assert_string_equal(c->missing[0].ports, "3306");
    assert_int_equal(c->missing[0].reach.outcome, OUT_DENIED);
    crawl_clear(c);
    world_crawl(&w, "10.0.0.1", "10.0.0.3:3306", c); /* both ways to know it: still once */
    expect(c, "1* 4<1 3");
    assert_int_equal(c->missing_count, 1);
    assert_int_equal(c->missing[0].why, CRAWL_SOURCE);
    crawl_clear(c);
    world_crawl(&w, "10.0.0.2", NULL, c);
    assert_int_equal(c->member_count, 0);
    assert_int_equal(c->how, CRAWL_PRIMARY_NONE);
    crawl_clear(c);
    free(c);
}

/* A server that runs on a replica's host, under a port that is guessed, and has a cluster too. */
static void a_neighbour_that_is_not_linked_is_left_out(void **state)
{
    (void)state;
    struct world w = chain;
    struct crawl *c = stay_calloc(1, sizeof *c);
    for (uint32_t f = 0; f < w.count; f++)
        w.fakes[f].is_hidden = true;
    w.fakes[1].port = 3310;
    w.fakes[2].source_port = 3310;
    w.fakes[w.count++] = (struct fake){.host = "10.0.0.2",
                                       .port = 3306,
                                       .id = 20,
                                       .source_host = "10.0.0.21",
                                       .source_port = 3306};
    w.fakes[w.count++] =
        (struct fake){.host = "10.0.0.21", .port = 3306, .id = 21, .is_open = true};
    w.fakes[w.count++] = (struct fake){.host = "10.0.0.22",
                                       .port = 3306,
                                       .id = 22,
                                       .source_host = "10.0.0.21",
                                       .source_port = 3306};
    world_crawl(&w, "10.0.0.1", NULL, c);
    expect(c, "1* 4<1");
    assert_int_equal(c->missing_count, 1);
    assert_string_equal(c->missing[0].address.host, "10.0.0.2");
    for (uint32_t i = 0; i < c->target_count; i++) /* the other cluster is not walked through */
        assert_string_not_equal(c->targets[i].address.host, "10.0.0.22");
    crawl_clear(c);
    world_crawl(&w, "10.0.0.3", NULL, c); /* 3 tells the port */
    expect(c, "1* 2<1 4<1 3<2");
    assert_int_equal(c->missing_count, 0);
    crawl_clear(c);
    free(c);
}

/* mysqlbinlog and change feeds stream as a replica does. */
static void a_program_that_streams_is_named(void **state)
{
    (void)state;
    struct world w = chain;
    struct crawl *c = stay_calloc(1, sizeof *c);
    (void)stay_copy(w.peers[0], sizeof w.peers[0], "10.0.0.77");
    world_crawl(&w, "10.0.0.4", NULL, c);
    expect(c, "1* 2<1 4<1 3<2");
    assert_int_equal(c->missing_count, 1);
    assert_string_equal(c->missing[0].address.host, "10.0.0.77");
    crawl_clear(c);
    free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_does_not_answer_is_named_once),
        cmocka_unit_test(a_neighbour_that_is_not_linked_is_left_out),
        cmocka_unit_test(a_program_that_streams_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
