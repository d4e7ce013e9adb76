/* tests/unit/probes/quiet_listener.h - a server that takes connections up and says nothing.
 *
 * Layer: tests, after cmocka.h. */
#ifndef TESTS_UNIT_PROBES_QUIET_LISTENER_H
#define TESTS_UNIT_PROBES_QUIET_LISTENER_H
#include <arpa/inet.h>
#include <sys/socket.h>

#include "base/base.h"

/* A listening socket of 127.0.0.1, not blocking: its backlog takes connections up, nobody serves
 * them. The caller closes it. */
static inline int listen_on(uint16_t *ret_port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, size), 0);
    assert_int_equal(listen(fd, 512), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    *ret_port = ntohs(at.sin_port);
    return fd;
}

#endif
