/* tests/unit/probes/test_session_recall.c - a command that was given up before it reached its
 * server's machine never does: not after a cut has healed, behind others sent later over a new
 * connection (a source role switched off after the barrier). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "probes/mysql_session_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

static void connect_pair(int *ret_ours, int *ret_peers)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, size), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &size), 0);
    *ret_ours = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(*ret_ours, (struct sockaddr *)&at, size), 0);
    *ret_peers = accept(listener, NULL, NULL);
    assert_true(*ret_peers >= 0);
    (void)close(listener);
}

/* Until nothing more is taken: the peer's window is full, what was sent last waits with us. */
static size_t send_all(int fd)
{
    static const char bytes[4096];
    size_t sent = 0;
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    for (;;) {
        ssize_t n = send(fd, bytes, sizeof bytes, MSG_NOSIGNAL);
        if (n < 0)
            return sent;
        sent += (size_t)n;
    }
}

static size_t read_all(int fd)
{
    static char bytes[65536];
    size_t got = 0;
    for (;;) {
        ssize_t n = read(fd, bytes, sizeof bytes);
        if (n <= 0)
            return got;
        got += (size_t)n;
    }
}

static void what_did_not_arrive_is_recalled(void **state)
{
    (void)state;
    for (int closes = 0; closes < 2; closes++) {
        int ours = -1, peers = -1;
        struct mysql_session *s = mysql_session_new();
        connect_pair(&ours, &peers);
        mysql_session_note_socket(s, ours);
        size_t sent = send_all(ours);
        if (closes)
            mysql_session_close(s);
        else
            mysql_session_abort(s);
        (void)close(ours);
        mysql_session_free(s);
        assert_true(read_all(peers) < sent);
        (void)close(peers);
    }
}

/* All of it is with the peer's machine: the connection ends in order, nothing is lost. */
static void what_has_arrived_is_left(void **state)
{
    (void)state;
    int ours = -1, peers = -1;
    struct mysql_session *s = mysql_session_new();
    connect_pair(&ours, &peers);
    mysql_session_note_socket(s, ours);
    assert_int_equal(send(ours, "SELECT 1", 8, MSG_NOSIGNAL), 8);
    (void)usleep(50000); /* the peer's acknowledgement, over the loopback */
    mysql_session_abort(s);
    (void)close(ours);
    mysql_session_free(s);
    assert_int_equal(read_all(peers), 8);
    (void)close(peers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_did_not_arrive_is_recalled),
        cmocka_unit_test(what_has_arrived_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
