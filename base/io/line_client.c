/* base/io/line_client.c - the blocking other end of line_server. */
#include "base/io/line_client.h"
#include "base/io/file.h"
#include "base/io/real_clock.h"
#include "base/str.h"
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CHUNK 16384

struct line_client {
    int fd;
    int64_t deadline_mono_us;
    struct str in;
    size_t taken; /* bytes of `in` that the last line used, its newline included */
    bool is_at_end;
};

static enum stay_rc wait_for(int fd, short events, int64_t deadline_mono_us, struct stay_error *err)
{
    for (;;) {
        struct pollfd p = {.fd = fd, .events = events};
        int64_t left_us = deadline_mono_us - real_clock_mono_us();
        int64_t left_ms = left_us <= 0 ? 0 : (left_us + 999) / 1000;
        int n = poll(&p, 1, left_ms > INT_MAX ? INT_MAX : (int)left_ms);
        if (n > 0)
            return STAY_OK;
        if (n < 0 && errno != EINTR)
            return stay_error_sys(err, errno, "wait for mainstayd");
        if (n == 0 && real_clock_mono_us() >= deadline_mono_us)
            return stay_error(err, STAY_ETIMEDOUT, "mainstayd does not answer in time");
    }
}

static enum stay_rc connect_error(int errnum, const char *path, struct stay_error *err)
{
    if (errnum == ENOENT || errnum == ECONNREFUSED)
        return stay_error(err, STAY_EUNREACHABLE,
                          "nobody listens on '%s': is mainstayd running, with this socket path?",
                          path);
    if (errnum == EACCES || errnum == EPERM)
        return stay_error(err, STAY_EDENIED,
                          "no permission on '%s': run as root or as a member of its group", path);
    return stay_error_sys(err, errnum, "connect to '%s'", path);
}

/* A full listen backlog gives EAGAIN at once for unix sockets: tried again until the deadline. */
static enum stay_rc connect_until(int fd, const char *path, int64_t deadline_mono_us,
                                  struct stay_error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path));
    while (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        if (errno == EISCONN)
            return STAY_OK;
        if (errno != EAGAIN && errno != EINTR)
            return connect_error(errno, path, err);
        if (real_clock_mono_us() >= deadline_mono_us)
            return stay_error(err, STAY_ETIMEDOUT, "connect to '%s': timed out", path);
        (void)poll(NULL, 0, 10);
    }
    return STAY_OK;
}

enum stay_rc line_client_open(const char *path, int64_t deadline_mono_us,
                              struct line_client **ret_client, struct stay_error *err)
{
    if (path[0] == '\0' || strlen(path) >= sizeof((struct sockaddr_un *)0)->sun_path)
        return stay_error(err, STAY_EINVALID, "socket path '%s' is empty or longer than %zu", path,
                          sizeof((struct sockaddr_un *)0)->sun_path - 1);
    STAY_AUTO(fd_drop) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return stay_error_sys(err, errno, "make a socket");
    enum stay_rc rc = connect_until(fd, path, deadline_mono_us, err);
    if (rc != STAY_OK)
        return rc;
    struct line_client *client = stay_calloc(1, sizeof *client);
    client->fd = fd_take(&fd);
    client->deadline_mono_us = deadline_mono_us;
    str_init(&client->in, LINE_CLIENT_LINE_MAX);
    *ret_client = client;
    return STAY_OK;
}

static enum stay_rc send_bytes(struct line_client *client, const char *bytes, size_t length,
                               struct stay_error *err)
{
    while (length > 0) {
        ssize_t n = send(client->fd, bytes, length, MSG_NOSIGNAL);
        if (n >= 0) {
            bytes += n;
            length -= (size_t)n;
        } else if (errno == EAGAIN) {
            enum stay_rc rc = wait_for(client->fd, POLLOUT, client->deadline_mono_us, err);
            if (rc != STAY_OK)
                return rc;
        } else if (errno == EPIPE || errno == ECONNRESET) {
            return stay_error(err, STAY_EUNREACHABLE, "mainstayd hung up");
        } else if (errno != EINTR) {
            return stay_error_sys(err, errno, "send to mainstayd");
        }
    }
    return STAY_OK;
}

enum stay_rc line_client_send(struct line_client *client, const char *text, struct stay_error *err)
{
    enum stay_rc rc = send_bytes(client, text, strlen(text), err);
    return rc != STAY_OK ? rc : send_bytes(client, "\n", 1, err);
}

static enum stay_rc read_more(struct line_client *client, struct stay_error *err)
{
    char chunk[CHUNK];
    enum stay_rc rc = wait_for(client->fd, POLLIN, client->deadline_mono_us, err);
    if (rc != STAY_OK)
        return rc;
    ssize_t n = recv(client->fd, chunk, sizeof chunk, 0);
    if (n == 0) {
        client->is_at_end = true;
    } else if (n > 0) {
        str_add_bytes(&client->in, chunk, (size_t)n);
        if (client->in.is_cut)
            return stay_error(err, STAY_ELIMIT, "mainstayd sent a line longer than %d bytes",
                              LINE_CLIENT_LINE_MAX);
    } else if (errno == ECONNRESET) {
        return stay_error(err, STAY_EUNREACHABLE, "mainstayd hung up");
    } else if (errno != EAGAIN && errno != EINTR) {
        return stay_error_sys(err, errno, "read from mainstayd");
    }
    return STAY_OK;
}

enum stay_rc line_client_read(struct line_client *client, const char **ret_line,
                              struct stay_error *err)
{
    str_consume(&client->in, client->taken);
    client->taken = 0;
    size_t searched = 0;
    for (;;) {
        const char *text = str_text(&client->in);
        char *end = client->in.length == 0
                        ? NULL
                        : memchr(client->in.text + searched, '\n', client->in.length - searched);
        if (end != NULL) {
            *end = '\0';
            client->taken = (size_t)(end - text) + 1;
            *ret_line = text;
            return STAY_OK;
        }
        if (client->is_at_end && client->in.length > 0)
            return stay_error(err, STAY_EUNREACHABLE, "mainstayd hung up in the middle of a line");
        if (client->is_at_end) {
            *ret_line = NULL;
            return STAY_OK;
        }
        searched = client->in.length;
        enum stay_rc rc = read_more(client, err);
        if (rc != STAY_OK)
            return rc;
    }
}

void line_client_set_deadline(struct line_client *client, int64_t deadline_mono_us)
{
    client->deadline_mono_us = deadline_mono_us;
}

void line_client_close(struct line_client *client)
{
    if (client == NULL)
        return;
    fd_drop(&client->fd);
    str_clear(&client->in);
    free(client);
}

void line_client_drop(struct line_client **client)
{
    line_client_close(*client);
    *client = NULL;
}
