/* tests/unit/base/io/test_line_client.c - the blocking client against the control socket, on a
 * thread of its own, as the command line is a process of its own. */
#include "line_world.h"
#include "base/io/line_client.h"
#include "base/str.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>

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
        T(client_reads_all_lines_to_the_end),
        T(client_gives_up_at_its_deadline),
        T(client_sends_and_sees_a_refusal_of_a_huge_request),
        T(client_names_what_is_wrong_with_the_socket),
        T(client_notices_a_broken_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
