/* Routes: every proxy ends at what was decided, one that does not answer holds nobody up, one that
 * comes back with an old state is corrected, and an older decision never wins. */
#include "tests/unit/controller/act/fake_haproxy.h"
#include "controller/act/step_route.h"

struct bench {
    struct loop loop;
    struct fake_haproxy a, b;
    struct settings_cluster settings;
    struct route_set *set;
    enum outcome outcome;
    char text[256];
    unsigned answers;
};

static void on_done(void *arg, uint64_t token, const struct effect_result *result)
{
    struct bench *b = arg;
    assert_int_equal(token, 77);
    b->answers++;
    b->outcome = result->outcome;
    (void)stay_copy(b->text, sizeof b->text, result->text);
}

static void bench_open(struct bench *b)
{
    memset(b, 0, sizeof *b);
    assert_int_equal(loop_init(&b->loop, NULL), STAY_OK);
    fake_haproxy_open(&b->a, &b->loop);
    fake_haproxy_open(&b->b, &b->loop);
    struct cluster_config *config = &b->settings.config;
    (void)stay_copy(config->name, sizeof config->name, "shop");
    config->node_count = 2;
    (void)stay_copy(config->nodes[0].name, sizeof config->nodes[0].name, "db1");
    (void)stay_copy(config->nodes[1].name, sizeof config->nodes[1].name, "db2");
    struct settings_route *r = &b->settings.routes[0];
    b->settings.route_count = 1;
    r->socket_count = 2;
    (void)stay_copy(r->sockets[0], sizeof r->sockets[0], b->a.address);
    (void)stay_copy(r->sockets[1], sizeof r->sockets[1], b->b.address);
    (void)stay_copy(r->write, sizeof r->write, "shop_rw");
    (void)stay_copy(r->read, sizeof r->read, "shop_ro");
    r->deadline_us = 100 * STAY_MS;
    r->watch_us = 50 * STAY_MS;
    b->set = route_new(&b->loop);
    route_configure(b->set, &b->settings);
}

static void turn_for(struct bench *b, int64_t us)
{
    int64_t end = loop_now_mono_us(&b->loop) + us;
    while (loop_now_mono_us(&b->loop) < end)
        (void)loop_turn(&b->loop, 5 * STAY_MS);
}

static void bench_close(struct bench *b)
{
    route_free(b->set);
    fake_haproxy_close(&b->a);
    fake_haproxy_close(&b->b);
    turn_for(b, 150 * STAY_MS);
    loop_close(&b->loop);
}

static void step(struct bench *b, enum step_kind kind, uint32_t node, uint64_t epoch)
{
    struct effect effect = {.step = kind, .node = node, .peer = NO_NODE, .epoch = epoch};
    b->answers = 0;
    route_start(b->set, "shop", 77, &effect, on_done, b);
    assert_int_equal(b->answers, 0);
    for (int i = 0; i < 200 && b->answers == 0; i++)
        (void)loop_turn(&b->loop, 5 * STAY_MS);
    assert_int_equal(b->answers, 1);
}

static void close_then_open_moves_every_proxy(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    step(&b, STEP_ROUTE_CLOSE, 0, 5);
    assert_int_equal(b.outcome, OUTCOME_DONE);
    assert_string_equal(fake_open_servers(&b.a, "shop_rw"), "-");
    assert_string_equal(fake_open_servers(&b.b, "shop_rw"), "-");
    assert_true(b.a.servers[0].kills > 0);
    step(&b, STEP_ROUTE_OPEN, 1, 5);
    assert_int_equal(b.outcome, OUTCOME_DONE);
    assert_string_equal(b.text, "");
    assert_string_equal(fake_open_servers(&b.a, "shop_rw"), "db2");
    assert_string_equal(fake_open_servers(&b.b, "shop_rw"), "db2");
    bench_close(&b);
}

static void one_deaf_proxy_is_noted_and_never_waited_for(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    b.b.is_deaf = true;
    int64_t begun = loop_now_mono_us(&b.loop);
    step(&b, STEP_ROUTE_CLOSE, 0, 5);
    assert_true(loop_now_mono_us(&b.loop) - begun < 400 * STAY_MS);
    assert_int_equal(b.outcome, OUTCOME_DONE);
    assert_non_null(strstr(b.text, b.b.address));
    assert_non_null(strstr(b.text, "no answer in time"));
    struct route_stats stats;
    route_stats(b.set, "shop", &stats);
    assert_int_equal(stats.proxies, 2);
    assert_int_equal(stats.unreachable, 1);
    /* Once it hears again it gets what it missed, without a new step. */
    b.b.is_deaf = false;
    turn_for(&b, 600 * STAY_MS);
    assert_string_equal(fake_open_servers(&b.b, "shop_rw"), "-");
    bench_close(&b);
}

static void no_proxy_at_all_is_not_done(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    b.settings.routes[0].socket_count = 1;
    (void)stay_copy(b.settings.routes[0].sockets[0], SETTINGS_TEXT_MAX, "127.0.0.1:1");
    route_configure(b.set, &b.settings);
    step(&b, STEP_ROUTE_OPEN, 1, 5);
    assert_int_equal(b.outcome, OUTCOME_NOT_DONE);
    assert_non_null(strstr(b.text, "connect"));
    bench_close(&b);
}

static void what_a_proxy_says_is_checked_not_believed(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    b.a.is_frozen = b.b.is_frozen = true;
    step(&b, STEP_ROUTE_OPEN, 1, 5);
    assert_int_equal(b.outcome, OUTCOME_NOT_DONE);
    assert_non_null(strstr(b.text, "did not take the change"));
    bench_close(&b);
}

static void missing_server_and_backend_are_named(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    (void)stay_copy(b.a.servers[1].name, sizeof b.a.servers[1].name, "other");
    (void)stay_copy(b.b.servers[0].backend, sizeof b.b.servers[0].backend, "x");
    (void)stay_copy(b.b.servers[1].backend, sizeof b.b.servers[1].backend, "x");
    step(&b, STEP_ROUTE_OPEN, 1, 5);
    assert_int_equal(b.outcome, OUTCOME_NOT_DONE);
    assert_non_null(strstr(b.text, "backend shop_rw has no server db2"));
    assert_non_null(strstr(b.text, "has no backend shop_rw"));
    bench_close(&b);
}

static void an_older_epoch_is_refused(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    step(&b, STEP_ROUTE_OPEN, 1, 6);
    step(&b, STEP_ROUTE_OPEN, 0, 5);
    assert_int_equal(b.outcome, OUTCOME_NOT_DONE);
    assert_string_equal(b.text, "epoch 5 is over: 6 was carried out");
    assert_string_equal(fake_open_servers(&b.a, "shop_rw"), "db2");
    route_intend(b.set, "shop", 0, 5, 0);
    turn_for(&b, 400 * STAY_MS);
    assert_string_equal(fake_open_servers(&b.a, "shop_rw"), "db2");
    bench_close(&b);
}

static void a_proxy_restarted_with_old_state_is_corrected(void **state)
{
    (void)state;
    struct bench b;
    struct route_stats stats;
    bench_open(&b);
    step(&b, STEP_ROUTE_OPEN, 1, 6);
    route_intend(b.set, "shop", 1, 6, 1u << 0);
    turn_for(&b, 600 * STAY_MS);
    assert_string_equal(fake_open_servers(&b.a, "shop_ro"), "db1");
    b.a.servers[0].maint = false; /* as its file says: db1 writes */
    b.a.servers[1].maint = true;
    turn_for(&b, 600 * STAY_MS);
    assert_string_equal(fake_open_servers(&b.a, "shop_rw"), "db2");
    route_stats(b.set, "shop", &stats);
    assert_true(stats.corrections >= 1);
    bench_close(&b);
}

static void without_an_intent_nothing_is_touched(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    route_intend(b.set, "shop", NO_NODE, 3, 0);
    turn_for(&b, 600 * STAY_MS);
    assert_int_equal(b.a.connections, 0);
    assert_string_equal(fake_open_servers(&b.a, "shop_rw"), "db1");
    bench_close(&b);
}

static void the_primary_serves_reads_when_nobody_else_can(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    route_intend(b.set, "shop", 0, 3, 0);
    turn_for(&b, 600 * STAY_MS);
    assert_string_equal(fake_open_servers(&b.a, "shop_ro"), "db1");
    assert_string_equal(fake_open_servers(&b.a, "shop_rw"), "db1");
    bench_close(&b);
}

static void a_forgotten_cluster_is_not_called_back(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    struct effect effect = {.step = STEP_ROUTE_OPEN, .node = 1, .epoch = 9};
    route_start(b.set, "shop", 77, &effect, on_done, &b);
    route_forget(b.set, "shop");
    turn_for(&b, 200 * STAY_MS);
    assert_int_equal(b.answers, 0);
    bench_close(&b);
}

/* The text of HAProxy 2.6; 4 is "disabled in the configuration, then made ready": it is open. */
static void state_is_read_as_haproxy_writes_it(void **state)
{
    (void)state;
    struct cluster_config config = {.node_count = 2, .nodes = {{.name = "db1"}, {.name = "db2"}}};
    uint32_t ready = 0, known = 0;
    assert_true(route_read_state("\n\n1\n# be_id be_name srv_id srv_name srv_addr srv_op_state "
                                 "srv_admin_state srv_uweight\n"
                                 "2 shop_rw 1 db1 10.1.0.11 0 1 1 1 32 1\n"
                                 "2 shop_rw 2 db2 10.2.0.11 2 4 1 1 32 1\n"
                                 "2 shop_rw 3 other 10.2.0.12 2 0 1 1 32 1\n\n",
                                 &config, "shop_rw", &ready, &known));
    assert_int_equal(ready, 2);
    assert_int_equal(known, 3);
    assert_false(route_read_state("Can't find backend.\n", &config, "shop_rw", &ready, &known));
    assert_false(route_read_state("", &config, "shop_rw", &ready, &known));
    assert_false(route_read_state("2 shop_rw 1", &config, "shop_rw", &ready, &known));
    STAY_AUTO(str_clear) struct str commands = {0};
    route_commands(&commands, &config, "shop_rw", 2, true);
    assert_string_equal(str_text(&commands),
                        "set server shop_rw/db1 state maint;shutdown sessions server shop_rw/db1;"
                        "set server shop_rw/db2 state ready;show servers state shop_rw");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(close_then_open_moves_every_proxy),
        cmocka_unit_test(one_deaf_proxy_is_noted_and_never_waited_for),
        cmocka_unit_test(no_proxy_at_all_is_not_done),
        cmocka_unit_test(what_a_proxy_says_is_checked_not_believed),
        cmocka_unit_test(missing_server_and_backend_are_named),
        cmocka_unit_test(an_older_epoch_is_refused),
        cmocka_unit_test(a_proxy_restarted_with_old_state_is_corrected),
        cmocka_unit_test(without_an_intent_nothing_is_touched),
        cmocka_unit_test(the_primary_serves_reads_when_nobody_else_can),
        cmocka_unit_test(a_forgotten_cluster_is_not_called_back),
        cmocka_unit_test(state_is_read_as_haproxy_writes_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
