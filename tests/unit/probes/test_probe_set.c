/* What a probe says about servers that refuse, keep silent, talk nonsense or hang up, against
 * sockets of our own on loopback. */
#include <mysql.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "probes/probe_set.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io/loop.h"
#include "base/io/real_clock.h"
#include "probes/mysql_outcome.h"
#include "tests/unit/probes/quiet_listener.h"

#define DEADLINE_US (150 * STAY_MS)
#define PACE_US     (400 * STAY_MS)

static int64_t pace_us = PACE_US; /* of watch() */
static bool by_tls;               /* of watch() */

#define SEEN_MAX 64
struct seen {
    uint64_t count;
    struct observation first;
    int64_t first_us, last_begun_us;
    uint32_t clusters[SEEN_MAX];
    int64_t begun_us[SEEN_MAX];
};

static void on_observation(void *arg, uint32_t cluster, const struct observation *obs)
{
    struct seen *seen = arg;
    if (seen->count < SEEN_MAX) {
        seen->clusters[seen->count] = cluster;
        seen->begun_us[seen->count] = obs->begun_mono_us;
    }
    if (seen->count++ == 0) {
        seen->first = *obs;
        seen->first_us = obs->taken_mono_us - obs->begun_mono_us;
    }
    seen->last_begun_us = obs->begun_mono_us;
}

/* A server of few words: each connection gets them and, if hang_up, is closed. */
struct server {
    uv_poll_t poll;
    int listener; /* -1: none */
    const void *words;
    size_t size;
    bool hang_up;
    int served[64], count;
    char (*log)[200]; /* what the first two connections said, NULL: not kept */
};

static void on_connection(uv_poll_t *handle, int status, int events)
{
    struct server *server = handle->data;
    (void)status;
    (void)events;
    int fd = server->count == 64 ? -1 : accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return;
    if (server->size > 0)
        assert_int_equal(write(fd, server->words, server->size), (ssize_t)server->size);
    if (server->hang_up)
        (void)close(fd);
    else
        server->served[server->count++] = fd;
}

/* Runs a probe set against the port until `enough` observations came or 3 s passed. */
static void watch(uint16_t port, struct server *server, uint64_t enough, bool urged,
                  struct seen *seen)
{
    struct loop loop;
    struct probe_set_options o = {
        .fn = on_observation, .arg = seen, .lanes = 1, .connect_lanes = 2};
    struct probe_cluster cluster = {.name = "shop",
                                    .engine = ENGINE_MARIADB,
                                    .node_count = 1,
                                    .monitor = {.user = "m"},
                                    .operate = {.user = "admin"},
                                    .interval_us = pace_us,
                                    .suspicion_interval_us = 20 * STAY_MS,
                                    .deadline_us = DEADLINE_US,
                                    .slow_interval_us = STAY_SECOND};
    uint32_t number;
    *seen = (struct seen){0};
    (void)stay_copy(cluster.nodes[0].host, sizeof cluster.nodes[0].host, "127.0.0.1");
    cluster.nodes[0].port = port;
    cluster.tls_required = by_tls;
    assert_int_equal(loop_init(&loop, NULL), STAY_OK);
    if (server->listener >= 0) {
        server->poll.data = server;
        assert_int_equal(uv_poll_init(&loop.uv, &server->poll, server->listener), 0);
        assert_int_equal(uv_poll_start(&server->poll, UV_READABLE, on_connection), 0);
    }
    struct probe_set *set = probe_set_new(&loop, &o);
    probe_set_add(set, &cluster, &number);
    probe_set_urge(set, number, urged);
    int64_t give_up = real_clock_mono_us() + 3 * STAY_SECOND;
    while (seen->count < enough && real_clock_mono_us() < give_up)
        (void)loop_turn(&loop, 2 * STAY_MS);
    probe_set_free(set, STAY_SECOND);
    if (server->listener >= 0)
        uv_close((uv_handle_t *)&server->poll, NULL);
    while (loop_turn(&loop, STAY_MS) && real_clock_mono_us() < give_up)
        continue;
    loop_close(&loop);
    for (int i = 0; server->log != NULL && i < 2 && i < server->count; i++)
        (void)recv(server->served[i], server->log[i], sizeof server->log[i], MSG_DONTWAIT);
    while (server->count > 0)
        (void)close(server->served[--server->count]);
}

static void a_closed_port_is_refused_and_asked_at_suspicion_pace(void **state)
{
    (void)state;
    struct seen seen;
    uint16_t port;
    (void)close(listen_on(&port));
    int64_t begun = real_clock_mono_us();
    watch(port, &(struct server){.listener = -1}, 5, true, &seen);
    assert_int_equal(seen.first.reach.layer, LAYER_CONNECT);
    assert_int_equal(seen.first.reach.outcome, OUT_REFUSED);
    assert_true(seen.count >= 5);
    assert_true(seen.last_begun_us - begun < 400 * STAY_MS * 4); /* not at the healthy pace */
}

static void a_server_that_accepts_and_keeps_silent_is_a_greeting_timeout(void **state)
{
    (void)state;
    struct seen seen;
    uint16_t port;
    int fd = listen_on(&port);
    watch(port, &(struct server){.listener = fd}, 1, false, &seen);
    (void)close(fd);
    assert_int_equal(seen.first.kind, OBS_REACH);
    assert_int_equal(seen.first.reach.layer, LAYER_GREETING);
    assert_int_equal(seen.first.reach.outcome, OUT_TIMEOUT);
    assert_true(seen.first_us >= DEADLINE_US);
}

static void too_many_connections_is_not_death(void **state)
{
    (void)state;
    static const unsigned char packet[] = "\x17\0\0\0\xff\x10\x04Too many connections";
    struct seen seen;
    uint16_t port;
    int fd = listen_on(&port);
    for (int tls = 0; tls < 2; tls++) {
        by_tls = tls == 1; /* it is said before TLS could begin */
        watch(port, &(struct server){.listener = fd, .words = packet, .size = 27}, 1, false, &seen);
        by_tls = false;
        assert_int_equal(seen.first.reach.outcome, OUT_TOO_MANY);
        assert_int_equal(seen.first.reach.layer, LAYER_GREETING);
        assert_int_equal(seen.first.reach.native, 1040);
    }
    (void)close(fd);
}

static void nonsense_and_hang_ups_are_told_apart_from_silence(void **state)
{
    (void)state;
    static const unsigned char nonsense[] = "\x05\0\0\0HTTP/";
    struct seen seen;
    uint16_t port;
    int fd = listen_on(&port);
    watch(port, &(struct server){.listener = fd, .words = nonsense, .size = 9}, 1, false, &seen);
    assert_int_equal(seen.first.reach.outcome, OUT_BAD_REPLY);
    watch(port, &(struct server){.listener = fd, .hang_up = true}, 1, false, &seen);
    assert_int_equal(seen.first.reach.outcome, OUT_RESET);
    (void)close(fd);
}

/* MySQL in offline_mode tells every login but an administrator's 3032: a fence that a frozen disk
 * cut short leaves it so. Asked as the monitor, then as the operator, and both refused here. */
static void an_offline_server_is_asked_as_administrator(void **state)
{
    (void)state;
    static const unsigned char words[] =
        "\x49\0\0\0\x0a"
        "9.7.4\0\1\0\0\0abcdefgh\0\xff\xf7\xff\2\0\x08\0\x15\0\0\0\0\0\0\0\0\0\0abcdefghijkl\0"
        "mysql_native_password\0"
        "\x1c\0\0\2\xff\xd8\x0b#HY000offline mode is set";
    struct seen seen;
    uint16_t port;
    int fd = listen_on(&port);
    struct server server = {.listener = fd, .words = words, .size = sizeof words - 1};
    char logins[2][200] = {{0}};
    server.log = logins;
    watch(port, &server, 1, false, &seen);
    (void)close(fd);
    assert_int_equal(seen.first.reach.outcome, OUT_DENIED);
    assert_int_equal(seen.first.reach.native, MYSQL_OFFLINE_MODE);
    assert_non_null(memmem(logins[0], sizeof logins[0], "m", 2));
    assert_non_null(memmem(logins[1], sizeof logins[1], "admin", 6));
}

/* The beat that came while it was asked is not lost: silence is asked again at its deadline. */
static void a_silent_server_is_asked_again_when_its_time_is_over(void **state)
{
    (void)state;
    struct seen seen;
    uint16_t port;
    int fd = listen_on(&port);
    pace_us = DEADLINE_US - 10 * STAY_MS; /* without it: after twice that */
    watch(port, &(struct server){.listener = fd}, 3, false, &seen);
    pace_us = PACE_US;
    (void)close(fd);
    for (int i = 1; i < 3; i++) {
        assert_true(seen.begun_us[i] - seen.begun_us[i - 1] >= DEADLINE_US);
        assert_true(seen.begun_us[i] - seen.begun_us[i - 1] < DEADLINE_US + 100 * STAY_MS);
    }
}

static int64_t longest_wait(const struct seen *seen, uint32_t cluster)
{
    int64_t last = 0, longest = 0;
    for (int i = 0; i < 12; i++) {
        if (seen->clusters[i] != cluster)
            continue;
        if (last != 0 && seen->begun_us[i] - last > longest)
            longest = seen->begun_us[i] - last;
        last = seen->begun_us[i];
    }
    return longest;
}

static int64_t nearest_of(const struct seen *seen, int at, uint32_t cluster)
{
    int64_t nearest = INT64_MAX;
    for (int i = 0; i < 12; i++) {
        int64_t apart = llabs(seen->begun_us[i] - seen->begun_us[at]);
        if (seen->clusters[i] == cluster && apart < nearest)
            nearest = apart;
    }
    return nearest;
}

/* Two clusters whose watching began at different moments. */
static void healthy_beats_of_clusters_fall_together(void **state)
{
    (void)state;
    struct loop loop;
    struct seen seen = {0};
    struct probe_set_options o = {.fn = on_observation, .arg = &seen};
    struct probe_cluster cluster = {.name = "shop",
                                    .engine = ENGINE_MARIADB,
                                    .node_count = 1,
                                    .monitor = {.user = "m"},
                                    .interval_us = 200 * STAY_MS,
                                    .suspicion_interval_us = 20 * STAY_MS,
                                    .deadline_us = DEADLINE_US,
                                    .slow_interval_us = STAY_SECOND};
    uint32_t first, second;
    (void)close(listen_on(&cluster.nodes[0].port)); /* refuses: each beat is an observation */
    (void)stay_copy(cluster.nodes[0].host, sizeof cluster.nodes[0].host, "127.0.0.1");
    assert_int_equal(loop_init(&loop, NULL), STAY_OK);
    struct probe_set *set = probe_set_new(&loop, &o);
    probe_set_add(set, &cluster, &first);
    int64_t begun = real_clock_mono_us();
    while (real_clock_mono_us() < begun + 70 * STAY_MS)
        (void)loop_turn(&loop, 2 * STAY_MS);
    probe_set_add(set, &cluster, &second);
    while (seen.count < 12 && real_clock_mono_us() < begun + 4 * STAY_SECOND)
        (void)loop_turn(&loop, 2 * STAY_MS);
    probe_set_free(set, STAY_SECOND);
    while (loop_turn(&loop, STAY_MS))
        continue;
    loop_close(&loop);
    assert_true(seen.count >= 12);
    assert_true(longest_wait(&seen, first) < 300 * STAY_MS); /* never less often than it says */
    assert_true(longest_wait(&seen, second) < 300 * STAY_MS);
    for (int i = 4; i < 10; i++)
        assert_true(nearest_of(&seen, i, seen.clusters[i] == first ? second : first) <
                    50 * STAY_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_closed_port_is_refused_and_asked_at_suspicion_pace),
        cmocka_unit_test(a_server_that_accepts_and_keeps_silent_is_a_greeting_timeout),
        cmocka_unit_test(too_many_connections_is_not_death),
        cmocka_unit_test(nonsense_and_hang_ups_are_told_apart_from_silence),
        cmocka_unit_test(an_offline_server_is_asked_as_administrator),
        cmocka_unit_test(a_silent_server_is_asked_again_when_its_time_is_over),
        cmocka_unit_test(healthy_beats_of_clusters_fall_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
