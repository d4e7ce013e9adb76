/* tests/unit/base/io/test_line_server.c - the control socket: whole, partial, oversized and rude
 * input, clients that hang up or do not read, and the blocking client against it (on a thread of
 * its own, as the command line is a process of its own). */
#include "base/io/line_client.h"
#include "base/io/line_server.h"
#include "base/io/loop.h"
#include "base/io/real_clock.h"
#include "base/str.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#define PATIENCE_US (20 * STAY_SECOND)

static struct loop loop;
static char dir[64], path[100];
static struct line_server *server;

static struct {
    unsigned requests, gone;
    size_t length;
    char line[64];
    struct line_credentials credentials;
    struct line_peer *held; /* a peer that the handler keeps */
    bool holds;
    unsigned answers;
} handler;

static void on_request(struct line_peer *peer, const char *line, size_t length, void *user)
{
    assert_ptr_equal(user, &handler);
    handler.requests++;
    handler.length = length;
    (void)stay_copy(handler.line, sizeof handler.line, line);
    handler.credentials = line_peer_credentials(peer);
    line_peer_set_data(peer, &handler.answers);
    assert_ptr_equal(line_peer_data(peer), &handler.answers);
    if (handler.holds) {
        handler.held = peer;
        return;
    }
    for (unsigned i = 0; i < handler.answers; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "{\"n\":%u}", i);
        assert_int_equal(line_peer_send(peer, text, NULL), STAY_OK);
    }
    line_peer_end(peer);
}

static void on_gone(struct line_peer *peer, void *user)
{
    (void)user;
    assert_ptr_equal(peer, handler.held);
    handler.gone++;
}

static struct line_server_options options_of(void)
{
    return (struct line_server_options){
        .path = path, .on_request = on_request, .on_gone = on_gone, .user = &handler};
}

static int setup(void **state)
{
    (void)state;
    memset(&handler, 0, sizeof handler);
    handler.answers = 1;
    (void)stay_copy(dir, sizeof dir, "/tmp/line-server-XXXXXX");
    if (mkdtemp(dir) == NULL || loop_init(&loop, NULL) != STAY_OK)
        return -1;
    (void)snprintf(path, sizeof path, "%s/socket", dir);
    struct line_server_options options = options_of();
    return line_server_open(&loop, &options, &server, NULL) == STAY_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    line_server_close(server);
    loop_close(&loop);
    return rmdir(dir); /* the socket file is gone */
}

static void turn_until(const unsigned *counter, unsigned want)
{
    int64_t limit = real_clock_mono_us() + PATIENCE_US;
    while (*counter < want && real_clock_mono_us() < limit)
        (void)loop_turn(&loop, 20 * STAY_MS);
    assert_int_equal(*counter, want);
}

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

/* --- the blocking client, on a thread ----------------------------------------------------------
 */

struct client_call {
    const char *request;
    int64_t deadline_us;
    struct str lines;
    enum stay_rc rc;
    struct stay_error err;
    atomic_uint ended;
};

static enum stay_rc talk(struct client_call *call)
{
    STAY_AUTO(line_client_drop) struct line_client *client = NULL;
    const char *line = NULL;
    int64_t deadline = real_clock_mono_us() + call->deadline_us;
    enum stay_rc rc = line_client_open(path, deadline, &client, &call->err);
    if (rc == STAY_OK) {
        line_client_set_deadline(client, deadline);
        rc = line_client_send(client, call->request, &call->err);
    }
    while (rc == STAY_OK) {
        rc = line_client_read(client, &line, &call->err);
        if (rc == STAY_OK && line == NULL)
            return STAY_OK;
        if (rc == STAY_OK)
            str_addf(&call->lines, "[%.20s %zu]", line, strlen(line));
    }
    return rc;
}

static void *client_main(void *arg)
{
    struct client_call *call = arg;
    call->rc = talk(call);
    atomic_store(&call->ended, 1);
    return NULL;
}

static void run_client(struct client_call *call)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, client_main, call), 0);
    while (atomic_load(&call->ended) == 0)
        (void)loop_turn(&loop, 5 * STAY_MS);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void client_reads_all_lines_to_the_end(void **state)
{
    struct client_call call = {.request = "{}", .deadline_us = PATIENCE_US};
    (void)state;
    handler.answers = 3;
    run_client(&call);
    assert_int_equal(call.rc, STAY_OK);
    assert_string_equal(str_text(&call.lines), "[{\"n\":0} 7][{\"n\":1} 7][{\"n\":2} 7]");
    str_clear(&call.lines);
}

static void client_gives_up_at_its_deadline(void **state)
{
    struct client_call call = {.request = "{}", .deadline_us = 50 * STAY_MS};
    (void)state;
    handler.holds = true;
    run_client(&call);
    assert_int_equal(call.rc, STAY_ETIMEDOUT);
    turn_until(&handler.gone, 1);
    line_peer_end(handler.held);
}

static void client_sends_and_sees_a_refusal_of_a_huge_request(void **state)
{
    struct client_call call = {.deadline_us = PATIENCE_US};
    (void)state;
    char *large = stay_malloc(3 * LINE_REQUEST_MAX + 1);
    memset(large, 'x', 3 * LINE_REQUEST_MAX);
    large[3 * LINE_REQUEST_MAX] = '\0';
    call.request = large;
    run_client(&call);
    if (call.rc != STAY_OK)
        fail_msg("%s", call.err.text);
    assert_non_null(strstr(str_text(&call.lines), "{\"error\""));
    str_clear(&call.lines);
    free(large);
}

static void client_names_what_is_wrong_with_the_socket(void **state)
{
    struct line_client *client = NULL;
    struct stay_error err = {0};
    int64_t soon = real_clock_mono_us() + PATIENCE_US;
    char none[110];
    (void)state;
    (void)snprintf(none, sizeof none, "%s/none", dir);
    assert_int_equal(line_client_open(none, soon, &client, &err), STAY_EUNREACHABLE);
    assert_non_null(strstr(err.text, "is mainstayd running"));
    assert_int_equal(line_client_open("", soon, &client, &err), STAY_EINVALID);
    line_client_close(NULL);
}

/* A server that dies in the middle of a line. */
static void client_notices_a_broken_line(void **state)
{
    const char *line = NULL;
    struct line_client *client = NULL;
    struct stay_error err = {0};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)state;
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s/rude", dir);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 1), 0);
    int64_t soon = real_clock_mono_us() + PATIENCE_US;
    assert_int_equal(line_client_open(address.sun_path, soon, &client, &err), STAY_OK);
    int fd = accept(listener, NULL, NULL);
    assert_int_equal(send(fd, "whole\npart", 10, MSG_NOSIGNAL), 10);
    (void)close(fd);
    assert_int_equal(line_client_read(client, &line, &err), STAY_OK);
    assert_string_equal(line, "whole");
    assert_int_equal(line_client_read(client, &line, &err), STAY_EUNREACHABLE);
    assert_int_equal(line_client_send(client, "x", &err), STAY_EUNREACHABLE);
    line_client_close(client);
    (void)close(listener);
    assert_int_equal(unlink(address.sun_path), 0);
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
        T(client_reads_all_lines_to_the_end),
        T(client_gives_up_at_its_deadline),
        T(client_sends_and_sees_a_refusal_of_a_huge_request),
        T(client_names_what_is_wrong_with_the_socket),
        T(client_notices_a_broken_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
