/* tests/unit/controller/act/test_effects_node.c - one server, one queue: what a configuration does
 * to effects that are under way. The server here accepts connections and never says a word. */
#include <mysql.h>

#include "base/base.h"
#include "base/io/loop.h"
#include "base/io/real_clock.h"
#include "controller/act/effects_node.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

static struct loop loop;
static struct effects_node_set *set;
static struct cluster_config config;
static int server = -1, clients[16];
static size_t client_count, answer_count;

/* Connections that came so far; each is kept open. */
static size_t connections(void)
{
    int fd;
    while (client_count < STAY_COUNT(clients) && (fd = accept(server, NULL, NULL)) >= 0)
        clients[client_count++] = fd;
    return client_count;
}

static int setup(void **state)
{
    (void)state;
    struct stay_error err;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;
    server = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (bind(server, (struct sockaddr *)&at, sizeof at) != 0 || listen(server, 16) != 0 ||
        getsockname(server, (struct sockaddr *)&at, &length) != 0 ||
        loop_init(&loop, &err) != STAY_OK)
        return -1;
    cluster_config_defaults(&config);
    (void)stay_copy(config.name, sizeof config.name, "shop");
    config.node_count = 1;
    (void)stay_copy(config.nodes[0].name, sizeof config.nodes[0].name, "db1");
    (void)stay_copy(config.nodes[0].host, sizeof config.nodes[0].host, "127.0.0.1");
    config.nodes[0].port = ntohs(at.sin_port);
    client_count = answer_count = 0;
    set = effects_node_new(&loop);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < client_count; i++)
        (void)close(clients[i]);
    (void)close(server);
    effects_node_free(set, STAY_SECOND);
    for (int i = 0; i < 5; i++)
        (void)loop_turn(&loop, 0);
    loop_close(&loop);
    return 0;
}

/* Without accounts nothing is opened in good times: every connection is an effect's. */
static void configure(const char *password)
{
    struct effects_cluster cluster = {.config = &config};
    (void)stay_copy(cluster.operate.password, sizeof cluster.operate.password, password);
    effects_node_configure(set, &cluster);
}

static void on_done(void *arg, uint64_t token, const struct effect_result *result)
{
    (void)arg;
    (void)token;
    (void)result;
    answer_count++;
}

static void start(uint64_t token, int64_t within_us)
{
    struct effect effect = {.step = STEP_COLLECT,
                            .peer = NO_NODE,
                            .deadline_mono_us = real_clock_mono_us() + within_us,
                            .valid_until_mono_us = INT64_MAX,
                            .born_mono_us = INT64_MAX};
    effects_node_start(set, "shop", token, &effect, on_done, NULL);
}

static void turn_for(int64_t us)
{
    for (int64_t until = real_clock_mono_us() + us; real_clock_mono_us() < until;)
        (void)loop_turn(&loop, 5 * STAY_MS);
}

static void wait_for_connections(size_t count)
{
    for (int i = 0; i < 1000 && connections() < count; i++)
        turn_for(5 * STAY_MS);
    assert_int_equal(connections(), count);
}

static void wait_for_answers(size_t count)
{
    for (int i = 0; i < 1000 && answer_count < count; i++)
        turn_for(5 * STAY_MS);
    assert_int_equal(answer_count, count);
}

/* A reload replaced the queue: the next effect began while the one before was still under way. */
static void a_reload_leaves_a_server_its_one_queue(void **state)
{
    (void)state;
    configure("one");
    start(1, 600 * STAY_MS);
    wait_for_connections(1);
    configure("two"); /* the same server, a new password */
    start(2, 2 * STAY_SECOND);
    turn_for(200 * STAY_MS);
    assert_int_equal(answer_count, 0);
    assert_int_equal(connections(), 1); /* the second waits */
    wait_for_answers(1);
    wait_for_connections(2);
    wait_for_answers(2);
}

static void a_cluster_that_comes_back_finds_its_queue(void **state)
{
    (void)state;
    configure("one");
    start(1, 600 * STAY_MS);
    wait_for_connections(1);
    effects_node_forget(set, "shop");
    turn_for(20 * STAY_MS);
    start(2, STAY_SECOND); /* nobody knows the cluster: answered at once */
    wait_for_answers(1);
    configure("one");
    start(3, 2 * STAY_SECOND);
    turn_for(200 * STAY_MS);
    assert_int_equal(connections(), 1);
    wait_for_connections(2);
    wait_for_answers(3);
}

/* Nine clusters of as many servers as there may be: too many to be kept ready all. */
static void of_thousands_only_the_suspected_are_kept_ready(void **state)
{
    (void)state;
    for (uint32_t i = 1; i < NODES_MAX; i++)
        config.nodes[i] = config.nodes[0];
    config.node_count = NODES_MAX;
    for (unsigned n = 0; n <= EFFECTS_WARM_NODES / NODES_MAX; n++) {
        struct effects_cluster cluster = {.config = &config, .operate = {.user = "operate"}};
        (void)snprintf(config.name, sizeof config.name, "shop%u", n);
        effects_node_configure(set, &cluster);
    }
    turn_for(300 * STAY_MS);
    assert_int_equal(connections(), 0);
    effects_node_expect(set, "nobody", true);
    effects_node_expect(set, "shop3", true);
    wait_for_connections(STAY_COUNT(clients)); /* more are not counted */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(of_thousands_only_the_suspected_are_kept_ready, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_reload_leaves_a_server_its_one_queue, setup, teardown),
        cmocka_unit_test_setup_teardown(a_cluster_that_comes_back_finds_its_queue, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
