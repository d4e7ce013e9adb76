/* The fault proxy carries bytes unchanged in good weather, and each fault is seen by the client. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "tests/lib/fault_proxy.h"

struct world {
    struct fault_proxy_settings settings;
    char control[64];
    int echo, client, server;
    pthread_t thread;
};

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * STAY_SECOND + now.tv_nsec / 1000;
}

static struct sockaddr_in loopback(unsigned port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* A listener on a free port of the loopback. */
static int listen_any(unsigned *ret_port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = loopback(0);
    socklen_t size = sizeof at;
    assert_int_equal(bind(fd, (const struct sockaddr *)&at, size), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    *ret_port = ntohs(at.sin_port);
    return fd;
}

static void *serve(void *arg)
{
    struct world *w = arg;
    char why[256];
    return fault_proxy_run(&w->settings, why, sizeof why) ? NULL : arg;
}

static int connect_control(const struct world *w)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    assert_true(stay_copy(to.sun_path, sizeof to.sun_path, w->control));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    for (int64_t due = now_us() + 5 * STAY_SECOND; now_us() < due;)
        if (connect(fd, (const struct sockaddr *)&to, sizeof to) == 0)
            return fd;
    fail_msg("the control socket does not open");
    return -1;
}

static void command(const struct world *w, const char *line, const char *expected)
{
    int fd = connect_control(w);
    char answer[128] = "";
    assert_true(send(fd, line, strlen(line), 0) == (ssize_t)strlen(line));
    assert_true(recv(fd, answer, sizeof answer - 1, 0) > 0);
    close(fd);
    answer[strcspn(answer, "\n")] = '\0';
    assert_string_equal(answer, expected);
}

static void open_pair(struct world *w)
{
    struct sockaddr_in to = loopback(w->settings.listen_port);
    const struct timeval wait = {.tv_sec = 5};
    w->client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(w->client, (const struct sockaddr *)&to, sizeof to), 0);
    w->server = accept(w->echo, NULL, NULL);
    assert_true(w->server >= 0);
    (void)setsockopt(w->client, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    (void)setsockopt(w->server, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
}

static int begin(void **state)
{
    struct world *w = stay_calloc(1, sizeof *w);
    unsigned port = 0;
    int probe = listen_any(&port); /* a port that is free now */
    close(probe);
    w->echo = listen_any(&w->settings.target_port);
    w->settings.listen_host = w->settings.target_host = "127.0.0.1";
    w->settings.listen_port = port;
    (void)snprintf(w->control, sizeof w->control, "/tmp/test-fault-proxy-%d", (int)getpid());
    w->settings.control_path = w->control;
    assert_int_equal(pthread_create(&w->thread, NULL, serve, w), 0);
    command(w, "heal\n", "ok");
    open_pair(w);
    *state = w;
    return 0;
}

static int end(void **state)
{
    struct world *w = *state;
    void *failed = w;
    command(w, "quit\n", "ok");
    assert_int_equal(pthread_join(w->thread, &failed), 0);
    assert_null(failed);
    close(w->client);
    close(w->server);
    close(w->echo);
    unlink(w->control);
    free(w);
    return 0;
}

static void expect_text(int fd, const char *text)
{
    char got[64] = "";
    size_t used = 0, length = strlen(text);
    while (used < length) {
        ssize_t n = recv(fd, got + used, length - used, 0);
        assert_true(n > 0);
        used += (size_t)n;
    }
    assert_string_equal(got, text);
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void good_weather_carries_both_ways(void **state)
{
    struct world *w = *state;
    say(w->client, "question");
    expect_text(w->server, "question");
    say(w->server, "answer");
    expect_text(w->client, "answer");
}

static void latency_delays_and_slices_keep_order(void **state)
{
    struct world *w = *state;
    command(w, "latency 30\n", "ok");
    command(w, "jitter 5\n", "ok");
    command(w, "slice 2\n", "ok");
    int64_t start_us = now_us();
    say(w->client, "0123456789");
    expect_text(w->server, "0123456789");
    assert_true(now_us() - start_us >= 30 * STAY_MS);
}

static void reset_is_seen_as_reset(void **state)
{
    struct world *w = *state;
    char byte = 0;
    command(w, "reset\n", "ok");
    assert_int_equal(recv(w->client, &byte, 1, 0), -1);
    assert_int_equal(errno, ECONNRESET);
}

static void half_close_ends_one_direction_only(void **state)
{
    struct world *w = *state;
    char byte = 0;
    command(w, "half-close\n", "ok");
    assert_int_equal(recv(w->client, &byte, 1, 0), 0);
    say(w->client, "still here");
    expect_text(w->server, "still here");
}

static void black_hole_swallows_until_it_ends(void **state)
{
    struct world *w = *state;
    char byte = 0;
    command(w, "blackhole on\n", "ok");
    say(w->client, "lost?");
    assert_int_equal(recv(w->server, &byte, 1, MSG_DONTWAIT), -1);
    command(w, "blackhole off\n", "ok");
    expect_text(w->server, "lost?");
}

static void refused_port_refuses_and_opens_again(void **state)
{
    struct world *w = *state;
    struct sockaddr_in to = loopback(w->settings.listen_port);
    command(w, "refuse on\n", "ok");
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), -1);
    assert_int_equal(errno, ECONNREFUSED);
    close(fd);
    command(w, "refuse off\n", "ok");
    command(w, "nonsense\n", "error unknown command");
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        CASE(good_weather_carries_both_ways),
        CASE(latency_delays_and_slices_keep_order),
        CASE(reset_is_seen_as_reset),
        CASE(half_close_ends_one_direction_only),
        CASE(black_hole_swallows_until_it_ends),
        CASE(refused_port_refuses_and_opens_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
