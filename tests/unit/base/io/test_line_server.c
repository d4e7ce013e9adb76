/* tests/unit/base/io/test_line_server.c - the control socket: whole, partial, oversized and rude
 * input, clients that hang up or do not read. */
#include "line_world.h"
#include "base/str.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* A raw, non-blocking connection, for input no proper client sends. */
static int raw_connect(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    (void)stay_copy(address.sun_path, sizeof address.sun_path, path);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void raw_send(int fd, const char *bytes, size_t length)
{
    int64_t limit = real_clock_mono_us() + PATIENCE_US;
    while (length > 0 && real_clock_mono_us() < limit) {
        ssize_t n = send(fd, bytes, length, MSG_NOSIGNAL);
        if (n > 0) {
            bytes += n;
            length -= (size_t)n;
        } else {
            assert_int_equal(errno, EAGAIN);
            (void)loop_turn(&loop, 5 * STAY_MS);
        }
    }
    assert_int_equal(length, 0);
}

/* Everything up to the end of the stream. */
static char *raw_read_all(int fd)
{
    struct str s = {0};
    int64_t limit = real_clock_mono_us() + PATIENCE_US;
    while (real_clock_mono_us() < limit) {
        char chunk[4096];
        ssize_t n = recv(fd, chunk, sizeof chunk, 0);
        if (n == 0)
            return str_take(&s);
        if (n > 0)
            str_add_bytes(&s, chunk, (size_t)n);
        else if (errno == EAGAIN)
            (void)loop_turn(&loop, 5 * STAY_MS);
        else
            fail_msg("recv: %d", errno);
    }
    fail_msg("no end of stream");
    return NULL;
}

static void request_split_into_bytes_is_one_request(void **state)
{
    const char *text = "{\"command\":\"status\"}\n";
    (void)state;
    handler.answers = 3;
    int fd = raw_connect();
    for (size_t i = 0; i < strlen(text); i++) {
        assert_int_equal(handler.requests, 0);
        raw_send(fd, text + i, 1);
        (void)loop_turn(&loop, i % 5 == 0 ? STAY_MS : 0);
    }
    STAY_AUTO(stay_free_charp) char *answer = raw_read_all(fd);
    assert_string_equal(answer, "{\"n\":0}\n{\"n\":1}\n{\"n\":2}\n");
    assert_string_equal(handler.line, "{\"command\":\"status\"}");
    assert_int_equal(handler.length, strlen(text) - 1);
    assert_int_equal(handler.credentials.uid, getuid());
    assert_int_equal(handler.credentials.gid, getgid());
    assert_int_equal(handler.credentials.pid, getpid());
    (void)close(fd);
}

/* printf '..' | socat - UNIX:..: the writing half closes before the answer comes. */
static void half_closed_client_still_gets_its_answer(void **state)
{
    (void)state;
    handler.holds = true;
    int fd = raw_connect();
    raw_send(fd, "x\ny\n", 4); /* a second line is dropped */
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    turn_until(&handler.requests, 1);
    (void)loop_turn(&loop, 20 * STAY_MS);
    assert_int_equal(handler.gone, 0);
    assert_int_equal(line_peer_send(handler.held, "later", NULL), STAY_OK);
    line_peer_end(handler.held);
    STAY_AUTO(stay_free_charp) char *answer = raw_read_all(fd);
    assert_string_equal(answer, "later\n");
    assert_int_equal(handler.requests, 1);
    (void)close(fd);
}

static void hang_up_while_asked_tells_the_handler(void **state)
{
    struct stay_error err;
    (void)state;
    handler.holds = true;
    int fd = raw_connect();
    raw_send(fd, "x\n", 2);
    turn_until(&handler.requests, 1);
    (void)close(fd);
    turn_until(&handler.gone, 1);
    assert_int_equal(line_peer_send(handler.held, "late", &err), STAY_ECANCELED);
    line_peer_end(handler.held);
    (void)loop_turn(&loop, 0);
    assert_int_equal(handler.gone, 1);
}

/* Half closed first, so that only the failing write tells that it is gone. */
static void write_to_a_client_that_left_tells_the_handler(void **state)
{
    (void)state;
    handler.holds = true;
    int fd = raw_connect();
    raw_send(fd, "x\n", 2);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    turn_until(&handler.requests, 1);
    (void)loop_turn(&loop, 20 * STAY_MS);
    (void)close(fd);
    assert_int_equal(line_peer_send(handler.held, "late", NULL), STAY_OK);
    turn_until(&handler.gone, 1);
    line_peer_end(handler.held);
}

static void answers_of_several_clients_do_not_mix(void **state)
{
    int fds[3];
    struct line_peer *held[3];
    (void)state;
    handler.holds = true;
    for (unsigned i = 0; i < 3; i++) {
        fds[i] = raw_connect();
        raw_send(fds[i], "x\n", 2);
        turn_until(&handler.requests, i + 1);
        held[i] = handler.held;
    }
    static const unsigned order[] = {1, 0, 2}; /* the middle of the list first */
    for (unsigned i = 0; i < 3; i++) {
        char want[8], text[8];
        (void)snprintf(text, sizeof text, "%u", order[i]);
        (void)snprintf(want, sizeof want, "%u\n", order[i]);
        assert_int_equal(line_peer_send(held[order[i]], text, NULL), STAY_OK);
        line_peer_end(held[order[i]]);
        STAY_AUTO(stay_free_charp) char *answer = raw_read_all(fds[order[i]]);
        assert_string_equal(answer, want);
        (void)close(fds[order[i]]);
        (void)loop_turn(&loop, STAY_MS);
    }
}

static void hang_up_before_the_request_reaches_nobody(void **state)
{
    (void)state;
    int fd = raw_connect();
    raw_send(fd, "half a line", 11);
    (void)loop_turn(&loop, 5 * STAY_MS);
    (void)close(fd);
    (void)loop_turn(&loop, 20 * STAY_MS);
    (void)loop_turn(&loop, 20 * STAY_MS);
    assert_int_equal(handler.requests + handler.gone, 0);
}

static void oversized_request_is_refused_with_one_line(void **state)
{
    (void)state;
    size_t length = LINE_REQUEST_MAX + 70000;
    char *large = stay_malloc(length);
    memset(large, 'x', length);
    large[length - 1] = '\n';
    int fd = raw_connect();
    raw_send(fd, large, length);
    STAY_AUTO(stay_free_charp) char *answer = raw_read_all(fd);
    assert_string_equal(answer, "{\"error\":\"the request line is longer than 1 MiB\"}\n");
    assert_int_equal(handler.requests, 0);
    (void)close(fd);
    fd = raw_connect(); /* exactly the maximum passes */
    large[LINE_REQUEST_MAX] = '\n';
    raw_send(fd, large, LINE_REQUEST_MAX + 1);
    STAY_AUTO(stay_free_charp) char *good = raw_read_all(fd);
    assert_string_equal(good, "{\"n\":0}\n");
    assert_int_equal(handler.length, LINE_REQUEST_MAX);
    (void)close(fd);
    free(large);
}

static void silent_client_is_refused_in_time(void **state)
{
    (void)state;
    line_server_close(server);
    struct line_server_options options = options_of();
    options.request_us = 30 * STAY_MS;
    assert_int_equal(line_server_open(&loop, &options, &server, NULL), STAY_OK);
    int fd = raw_connect();
    raw_send(fd, "half", 4);
    STAY_AUTO(stay_free_charp) char *answer = raw_read_all(fd);
    assert_string_equal(answer, "{\"error\":\"no request line came in time\"}\n");
    (void)close(fd);
}

static void zero_byte_is_refused(void **state)
{
    (void)state;
    int fd = raw_connect();
    raw_send(fd, "a\0b\n", 4);
    STAY_AUTO(stay_free_charp) char *answer = raw_read_all(fd);
    assert_string_equal(answer, "{\"error\":\"the request line holds a zero byte\"}\n");
    (void)close(fd);
}

static void client_that_does_not_read_is_bounded(void **state)
{
    struct stay_error err = {0};
    (void)state;
    handler.holds = true;
    int fd = raw_connect();
    raw_send(fd, "x\n", 2);
    turn_until(&handler.requests, 1);
    char *large = stay_malloc(STAY_SECOND + 1);
    memset(large, 'x', STAY_SECOND);
    large[STAY_SECOND] = '\0';
    enum stay_rc rc = STAY_OK;
    unsigned sent = 0;
    for (; rc == STAY_OK && sent < 100; sent++)
        rc = line_peer_send(handler.held, large, &err);
    assert_int_equal(rc, STAY_ELIMIT);
    assert_true(sent >= 8 && sent < 20);
    (void)close(fd); /* writes fail now */
    turn_until(&handler.gone, 1);
    line_peer_end(handler.held);
    free(large);
}

static void too_many_clients_are_closed_at_once(void **state)
{
    int fds[3];
    (void)state;
    line_server_close(server);
    server = NULL;
    (void)loop_turn(&loop, 0);
    struct line_server_options options = options_of();
    options.clients_max = 2;
    options.mode = 0600;
    assert_int_equal(line_server_open(&loop, &options, &server, NULL), STAY_OK);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    for (int i = 0; i < 3; i++) {
        fds[i] = raw_connect();
        (void)loop_turn(&loop, 10 * STAY_MS);
    }
    STAY_AUTO(stay_free_charp) char *nothing = raw_read_all(fds[2]);
    assert_string_equal(nothing, "");
    raw_send(fds[0], "x\n", 2);
    STAY_AUTO(stay_free_charp) char *answer = raw_read_all(fds[0]);
    assert_string_equal(answer, "{\"n\":0}\n");
    for (int i = 0; i < 3; i++)
        (void)close(fds[i]);
}

static void live_socket_is_busy_and_a_stale_one_is_replaced(void **state)
{
    struct line_server_options options = options_of();
    struct line_server *other = NULL;
    struct stay_error err = {0};
    (void)state;
    assert_int_equal(line_server_open(&loop, &options, &other, &err), STAY_EBUSY);
    assert_non_null(strstr(err.text, "another mainstayd"));
    (void)loop_turn(&loop, 10 * STAY_MS);

    char stale[110], file[110];
    (void)snprintf(stale, sizeof stale, "%s/stale", dir);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)stay_copy(address.sun_path, sizeof address.sun_path, stale);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    (void)close(fd); /* as after a crash */
    options.path = stale;
    assert_int_equal(line_server_open(&loop, &options, &other, &err), STAY_OK);
    struct stat st;
    assert_int_equal(stat(stale, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0660);
    line_server_close(other);

    (void)snprintf(file, sizeof file, "%s/file", dir);
    (void)close(open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    options.path = file;
    assert_int_equal(line_server_open(&loop, &options, &other, &err), STAY_ECONFLICT);
    assert_int_equal(unlink(file), 0);
    options.path = "/nonexistent/socket";
    assert_int_equal(line_server_open(&loop, &options, &other, &err), STAY_ENOTFOUND);
    options.path = "";
    assert_int_equal(line_server_open(&loop, &options, &other, &err), STAY_EINVALID);
    (void)loop_turn(&loop, 0);
}

static void closing_the_server_tells_handlers_and_waits_for_their_end(void **state)
{
    (void)state;
    handler.holds = true;
    int fd = raw_connect(), silent = raw_connect();
    raw_send(fd, "x\n", 2);
    turn_until(&handler.requests, 1);
    line_server_close(server);
    server = NULL;
    line_server_close(NULL);
    assert_int_equal(handler.gone, 1);
    (void)loop_turn(&loop, 0);
    line_peer_end(handler.held); /* much later is fine */
    (void)close(fd);
    (void)close(silent);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(request_split_into_bytes_is_one_request),
        T(half_closed_client_still_gets_its_answer),
        T(hang_up_while_asked_tells_the_handler),
        T(write_to_a_client_that_left_tells_the_handler),
        T(answers_of_several_clients_do_not_mix),
        T(hang_up_before_the_request_reaches_nobody),
        T(oversized_request_is_refused_with_one_line),
        T(silent_client_is_refused_in_time),
        T(zero_byte_is_refused),
        T(client_that_does_not_read_is_bounded),
        T(too_many_clients_are_closed_at_once),
        T(live_socket_is_busy_and_a_stale_one_is_replaced),
        T(closing_the_server_tells_handlers_and_waits_for_their_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
