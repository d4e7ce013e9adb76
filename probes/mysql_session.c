/* A session's connection: its life, its socket, and deadlines kept by a wait hook. */
#include "probes/mysql_session_private.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io/real_clock.h"

/* The hook gets no context, but it runs on the thread that makes the call. */
static _Thread_local struct mysql_session *calling;

struct mysql_session *mysql_session_new(void)
{
    struct mysql_session *s = stay_calloc(1, sizeof *s);
    atomic_store(&s->fd_copy, -1);
    return s;
}

/* What the peer's TCP has not taken yet is not sent again: after a mere close the kernel would go
 * on for a minute or more, and after a cut a command would arrive that was given up long ago, later
 * than those sent over a new connection. */
static void recall(struct mysql_session *s)
{
    const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    int fd = atomic_load(&s->fd_copy), unacknowledged = 0;
    if (fd >= 0 && ioctl(fd, SIOCOUTQ, &unacknowledged) == 0 && unacknowledged > 0)
        (void)connect(fd, &nobody, sizeof nobody);
}

void mysql_session_free(struct mysql_session *s)
{
    if (s == NULL)
        return;
    mysql_session_close(s);
    if (atomic_load(&s->fd_copy) >= 0)
        (void)close(atomic_load(&s->fd_copy));
    free(s);
}

void mysql_session_note_socket(struct mysql_session *s, int fd)
{
    int copy = atomic_load(&s->fd_copy);
    if (s->is_noted)
        return;
    if (copy < 0)
        atomic_store(&s->fd_copy, fcntl(fd, F_DUPFD_CLOEXEC, 0));
    else
        (void)dup3(fd, copy, O_CLOEXEC);
    s->is_noted = atomic_load(&s->fd_copy) >= 0;
}

static int wait_socket(my_socket fd, my_bool is_read, int timeout_ms)
{
    struct mysql_session *s = calling;
    if (s == NULL) { /* never: each call into the client sets it */
        errno = EINVAL;
        return 0;
    }
    mysql_session_note_socket(s, fd);
    if (is_read && atomic_load(&s->layer) == LAYER_CONNECT)
        atomic_store(&s->layer, LAYER_GREETING);
    struct pollfd p = {.fd = fd, .events = is_read ? POLLIN : POLLOUT};
    (void)timeout_ms;
    for (;;) {
        int64_t left_us = s->deadline_mono_us - real_clock_mono_us();
        if (left_us <= 0) {
            s->has_timed_out = true;
            errno = ETIMEDOUT;
            return 0;
        }
        int64_t left_ms = (left_us + 999) / 1000;
        int rc = poll(&p, 1, left_ms > 60000 ? 60000 : (int)left_ms);
        if (rc < 0 && errno != EINTR)
            return -1;
        if (rc > 0)
            break;
    }
    if (atomic_load(&s->layer) == LAYER_CONNECT && (p.revents & (POLLERR | POLLHUP)) != 0) {
        socklen_t length = sizeof s->connect_errno; /* the client's own text shows EINPROGRESS */
        (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &s->connect_errno, &length);
        errno = s->connect_errno;
        return -1;
    }
    if (is_read && atomic_load(&s->layer) == LAYER_GREETING)
        atomic_store(&s->layer, s->is_tls ? LAYER_TLS : LAYER_LOGIN);
    return 1;
}

void mysql_session_hook(struct mysql_session *s)
{
    mysql_optionsv(s->mysql, MARIADB_OPT_IO_WAIT, wait_socket);
}

void mysql_session_begin(struct mysql_session *s, int64_t deadline_mono_us)
{
    calling = s;
    s->deadline_mono_us = deadline_mono_us;
    s->has_timed_out = false;
    s->connect_errno = 0;
}

void mysql_session_end(void)
{
    calling = NULL;
}

void mysql_session_close(struct mysql_session *s)
{
    if (s->is_noted)
        recall(s);
    if (s->mysql != NULL) {
        mysql_session_begin(s, real_clock_mono_us() + 20 * STAY_MS); /* for the farewell packet */
        mysql_close(s->mysql);
        mysql_session_end();
    }
    s->mysql = NULL;
    if (s->is_noted) /* the copy would keep the connection open */
        (void)shutdown(atomic_load(&s->fd_copy), SHUT_RDWR);
    s->is_noted = false;
}

bool mysql_session_is_open(const struct mysql_session *s)
{
    return s->mysql != NULL;
}

bool mysql_session_is_idle_ok(const struct mysql_session *s)
{
    if (s->mysql == NULL)
        return false;
    struct pollfd p = {.fd = atomic_load(&s->fd_copy), .events = POLLIN};
    return poll(&p, 1, 0) == 0;
}

bool mysql_session_sends_at_once(const struct mysql_session *s)
{
    int unacknowledged = -1;
    return s->mysql != NULL && s->is_noted &&
           ioctl(atomic_load(&s->fd_copy), SIOCOUTQ, &unacknowledged) == 0 && unacknowledged == 0;
}

int64_t mysql_session_used_mono_us(const struct mysql_session *s)
{
    return s->used_mono_us;
}

unsigned long mysql_session_version(const struct mysql_session *s)
{
    return s->mysql == NULL ? 0 : mysql_get_server_version(s->mysql);
}

enum obs_layer mysql_session_layer(const struct mysql_session *s)
{
    return (enum obs_layer)atomic_load(&s->layer);
}

void mysql_session_abort(struct mysql_session *s)
{
    int fd = atomic_load(&s->fd_copy);
    recall(s);
    if (fd >= 0)
        (void)shutdown(fd, SHUT_RDWR);
}

int mysql_session_poll_fd(const struct mysql_session *s)
{
    return s->is_noted ? atomic_load(&s->fd_copy) : -1;
}
