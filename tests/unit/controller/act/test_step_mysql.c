/* Steps and their asynchronous face where no database answers: each effect is answered exactly once,
 * in time, and nothing that was not sent counts as unknown. What the steps do on real servers is in
 * the scenarios. */
#include <mysql.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "controller/act/effects_node.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io/loop.h"
#include "base/io/real_clock.h"

/* A port whose backlog accepts and nobody serves: what a stopped server looks like. */
static int listen_on(uint16_t *ret_port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, size), 0);
    assert_int_equal(listen(fd, 64), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    *ret_port = ntohs(at.sin_port);
    return fd;
}

struct answers {
    unsigned count;
    uint64_t token;
    enum outcome outcome;
    char text[PLAN_TEXT_MAX];
    int64_t at_us;
};

static void on_done(void *arg, uint64_t token, const struct effect_result *result)
{
    struct answers *a = arg;
    a->count++;
    a->token = token;
    a->outcome = result->outcome;
    a->at_us = real_clock_mono_us();
    (void)stay_copy(a->text, sizeof a->text, result->text);
    assert_false(result->groups_read);
}

/* Runs one effect on node 0 (at `port`) of cluster "shop"; returns how long the answer took. */
static int64_t run_one(uint16_t port, const char *cluster, uint32_t node, int64_t limit_us,
                       struct answers *a)
{
    struct loop loop;
    struct cluster_config *config = stay_calloc(1, sizeof *config);
    *a = (struct answers){0};
    (void)stay_copy(config->name, sizeof config->name, "shop");
    config->engine = ENGINE_MARIADB;
    config->node_count = 1;
    (void)stay_copy(config->nodes[0].host, sizeof config->nodes[0].host, "127.0.0.1");
    config->nodes[0].port = port;
    assert_int_equal(loop_init(&loop, NULL), STAY_OK);
    struct effects_node_set *set = effects_node_new(&loop);
    effects_node_configure(set, &(struct effects_cluster){.config = config,
                                                          .operate = {.user = "o"}});
    int64_t begun = real_clock_mono_us();
    struct effect effect = {.step = STEP_FREEZE, .node = node, .peer = NO_NODE,
                            .deadline_mono_us = begun + limit_us,
                            .valid_until_mono_us = begun + limit_us};
    effects_node_start(set, cluster, 42, &effect, on_done, a);
    assert_int_equal(a->count, 0); /* never from inside start */
    int64_t give_up = begun + 3 * STAY_SECOND;
    while (a->count == 0 && real_clock_mono_us() < give_up)
        (void)loop_turn(&loop, 5 * STAY_MS);
    for (int i = 0; i < 10; i++)
        (void)loop_turn(&loop, STAY_MS);
    effects_node_free(set, STAY_SECOND);
    while (loop_turn(&loop, STAY_MS) && real_clock_mono_us() < give_up)
        continue;
    loop_close(&loop);
    free(config);
    assert_int_equal(a->count, 1);
    assert_int_equal(a->token, 42);
    return a->at_us - begun;
}

static void a_refused_connection_is_not_done(void **state)
{
    (void)state;
    struct answers a;
    uint16_t port;
    (void)close(listen_on(&port));
    (void)run_one(port, "shop", 0, 500 * STAY_MS, &a);
    assert_int_equal(a.outcome, OUTCOME_NOT_DONE);
    assert_non_null(strstr(a.text, "refused"));
}

static void a_silent_server_is_answered_for_at_the_deadline(void **state)
{
    (void)state;
    struct answers a;
    uint16_t port;
    int fd = listen_on(&port);
    int64_t took = run_one(port, "shop", 0, 200 * STAY_MS, &a);
    (void)close(fd);
    assert_true(a.outcome == OUTCOME_NOT_DONE || a.outcome == OUTCOME_UNKNOWN);
    assert_true(took >= 100 * STAY_MS && took < 2 * STAY_SECOND);
}

static void a_node_or_cluster_nobody_knows_is_not_done(void **state)
{
    (void)state;
    struct answers a;
    (void)run_one(1, "shop", 7, 200 * STAY_MS, &a);
    assert_int_equal(a.outcome, OUTCOME_NOT_DONE);
    (void)run_one(1, "other", 0, 200 * STAY_MS, &a);
    assert_int_equal(a.outcome, OUTCOME_NOT_DONE);
}

static void a_step_that_concerns_no_server_is_refused(void **state)
{
    (void)state;
    struct step_sessions sessions = {.operate = mysql_session_new(), .canary = mysql_session_new()};
    struct step_input in = {.effect = {.step = STEP_ROUTE_OPEN}};
    struct step_result result;
    step_mysql_run(&sessions, &in, &result);
    assert_int_equal(result.outcome, OUTCOME_NOT_DONE);
    step_result_clear(&result);
    mysql_session_free(sessions.operate);
    mysql_session_free(sessions.canary);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_connection_is_not_done),
        cmocka_unit_test(a_silent_server_is_answered_for_at_the_deadline),
        cmocka_unit_test(a_node_or_cluster_nobody_knows_is_not_done),
        cmocka_unit_test(a_step_that_concerns_no_server_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
