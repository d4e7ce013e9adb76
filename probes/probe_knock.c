/* A knock's life: connecting, then connected and waiting; whatever comes next is its one call. */
#include "probes/probe_knock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>
#include <uv.h>

#include "base/io/loop.h"

struct knock {
    uv_poll_t poll;
    struct loop *loop;
    knock_fn fn;
    void *arg;
    int fd;
    int64_t begun_mono_us;
    bool is_connected;
};

bool knock_address_parse(struct knock_address *ret, const char *host, uint16_t port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    struct knock_address found = {.size = 0};
    if (inet_pton(AF_INET, host, &v4.sin_addr) == 1) {
        memcpy(&found.at, &v4, sizeof v4);
        found.size = sizeof v4;
    } else if (inet_pton(AF_INET6, host, &v6.sin6_addr) == 1) {
        memcpy(&found.at, &v6, sizeof v6);
        found.size = sizeof v6;
    } else {
        return false;
    }
    *ret = found;
    return true;
}

bool knock_address_of_peer(struct knock_address *ret, int fd)
{
    struct knock_address found = {.size = sizeof found.at};
    if (getpeername(fd, (struct sockaddr *)&found.at, &found.size) != 0)
        return false;
    *ret = found;
    return true;
}

static void on_poll(uv_poll_t *handle, int status, int events)
{
    struct knock *knock = handle->data;
    int failed = 0;
    socklen_t size = sizeof failed;
    (void)getsockopt(knock->fd, SOL_SOCKET, SO_ERROR, &failed, &size);
    if (status == 0 && failed == 0 && !knock->is_connected && (events & UV_READABLE) == 0) {
        knock->is_connected = true;
        (void)uv_poll_start(&knock->poll, UV_READABLE | UV_DISCONNECT, on_poll);
        return;
    }
    (void)uv_poll_stop(&knock->poll);
    knock->fn(knock->arg);
}

struct knock *knock_new(struct loop *loop, const struct knock_address *to, knock_fn fn, void *arg)
{
    int fd = socket(to->at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return NULL;
    struct knock *knock = stay_calloc(1, sizeof *knock);
    *knock = (struct knock){
        .loop = loop, .fn = fn, .arg = arg, .fd = fd, .begun_mono_us = loop_now_mono_us(loop)};
    knock->poll.data = knock;
    if (uv_poll_init(&loop->uv, &knock->poll, fd) != 0) {
        (void)close(fd);
        free(knock);
        return NULL;
    }
    /* A connect that fails at once (no route) is readable at once. */
    (void)connect(fd, (const struct sockaddr *)&to->at, to->size);
    (void)uv_poll_start(&knock->poll, UV_READABLE | UV_WRITABLE | UV_DISCONNECT, on_poll);
    return knock;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void knock_free(struct knock *knock)
{
    if (knock == NULL)
        return;
    uv_close((uv_handle_t *)&knock->poll, on_closed);
    (void)close(knock->fd); /* libuv has forgotten it in uv_close */
}

bool knock_is_connected(const struct knock *knock)
{
    return knock->is_connected;
}

bool knock_has_news(const struct knock *knock)
{
    short open = knock->is_connected ? 0 : POLLOUT;
    struct pollfd fd = {.fd = knock->fd, .events = (short)(POLLIN | POLLRDHUP | open)};
    return poll(&fd, 1, 0) == 1;
}

int64_t knock_begun_mono_us(const struct knock *knock)
{
    return knock->begun_mono_us;
}
