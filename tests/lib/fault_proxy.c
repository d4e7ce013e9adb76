/* The fault proxy: each connection is two directions, each a queue of chunks with a due time. A
 * direction reads while its queue is short and writes what is due; faults only touch due times,
 * chunk sizes and sockets, so that there is one path for good and bad weather. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "tests/lib/fault_proxy_private.h"

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * STAY_SECOND + now.tv_nsec / 1000;
}

static void direction_clear(struct direction *d)
{
    while (d->first != NULL) {
        struct chunk *next = d->first->next;
        free(d->first);
        d->first = next;
    }
    *d = (struct direction){0};
}

void fault_link_close(struct link *l, bool reset)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    for (int i = 0; i < 2; i++) {
        if (reset && l->fds[i] >= 0)
            (void)setsockopt(l->fds[i], SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        if (l->fds[i] >= 0)
            close(l->fds[i]);
        l->fds[i] = -1;
        direction_clear(&l->out[i]);
    }
}

static struct sockaddr_in address(const char *host, unsigned port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, host, &to.sin_addr) != 1)
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return to;
}

int fault_listen(const struct fault_proxy_settings *s)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;
    struct sockaddr_in at = address(s->listen_host, s->listen_port);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (const struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 128) == 0)
        return fd;
    close(fd);
    return -1;
}

static int listen_control(const char *path)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    (void)unlink(path);
    if (stay_copy(at.sun_path, sizeof at.sun_path, path) &&
        bind(fd, (const struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 8) == 0)
        return fd;
    close(fd);
    return -1;
}

static void accept_link(struct proxy *p)
{
    int client = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct link *l = NULL;
    for (size_t i = 0; client >= 0 && i < LINKS_MAX && l == NULL; i++)
        if (p->links[i].fds[0] < 0)
            l = &p->links[i];
    if (l == NULL) {
        if (client >= 0)
            close(client);
        return;
    }
    p->accepted++;
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;
    struct sockaddr_in to = address(p->settings.target_host, p->settings.target_port);
    l->fds[0] = client;
    l->fds[1] = server;
    (void)setsockopt(client, IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof on);
    (void)setsockopt(server, IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof on);
    if (connect(server, (const struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS)
        fault_link_close(l, true);
}

static void queue_bytes(struct proxy *p, struct direction *d, const char *bytes, size_t length)
{
    while (length > 0) {
        size_t part = p->slice > 0 && p->slice < length ? p->slice : length;
        struct chunk *c = stay_malloc(sizeof *c + part);
        p->chance = p->chance * 6364136223846793005U + 1442695040888963407U;
        int64_t extra =
            p->jitter_us > 0 ? (int64_t)((p->chance >> 33) % (uint64_t)p->jitter_us) : 0;
        int64_t due = now_us() + p->latency_us + extra;
        due = due > d->last_due_us ? due : d->last_due_us + (p->slice > 0 ? STAY_MS : 0);
        *c = (struct chunk){.due_us = due, .length = part};
        memcpy(c->bytes, bytes, part);
        d->last_due_us = due;
        if (d->last != NULL)
            d->last->next = c;
        else
            d->first = c;
        d->last = c;
        d->queued += part;
        bytes += part;
        length -= part;
    }
}

/* False when the connection is broken. */
static bool read_side(struct proxy *p, struct link *l, int from)
{
    char bytes[CHUNK];
    struct direction *d = &l->out[from];
    ssize_t n = recv(l->fds[from], bytes, sizeof bytes, 0);
    if (n > 0)
        queue_bytes(p, d, bytes, (size_t)n);
    if (n == 0)
        d->read_over = true;
    return n >= 0 || errno == EAGAIN || errno == EINTR;
}

static bool write_side(struct link *l, int from)
{
    struct direction *d = &l->out[from];
    while (d->first != NULL && d->first->due_us <= now_us()) {
        struct chunk *c = d->first;
        ssize_t n = d->write_over ? (ssize_t)(c->length - c->sent)
                                  : send(l->fds[1 - from], c->bytes + c->sent, c->length - c->sent,
                                         MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        c->sent += (size_t)n;
        d->queued -= (size_t)n;
        if (c->sent < c->length)
            return true;
        d->first = c->next;
        d->last = d->first == NULL ? NULL : d->last;
        free(c);
    }
    if (d->first == NULL && d->read_over && !d->write_over) {
        (void)shutdown(l->fds[1 - from], SHUT_WR);
        d->write_over = true;
    }
    return true;
}

static bool link_is_over(const struct link *l)
{
    return l->out[0].read_over && l->out[1].read_over && l->out[0].first == NULL &&
           l->out[1].first == NULL;
}

static void accept_control(struct proxy *p)
{
    int fd = accept4(p->control, NULL, NULL, SOCK_CLOEXEC);
    for (size_t i = 0; fd >= 0 && i < CONTROLS_MAX; i++)
        if (p->controls[i] < 0) {
            p->controls[i] = fd;
            return;
        }
    if (fd >= 0)
        close(fd);
}

struct watch {
    struct pollfd fds[2 + CONTROLS_MAX + 2 * LINKS_MAX];
    int64_t next_us; /* earliest due chunk that is not due yet */
};

/* A free place has fd -1, which poll passes over. */
static void prepare(const struct proxy *p, struct watch *w)
{
    struct pollfd *at = w->fds;
    *at++ = (struct pollfd){.fd = p->listener, .events = POLLIN};
    *at++ = (struct pollfd){.fd = p->control, .events = POLLIN};
    for (size_t i = 0; i < CONTROLS_MAX; i++)
        *at++ = (struct pollfd){.fd = p->controls[i], .events = POLLIN};
    w->next_us = INT64_MAX;
    int64_t now = now_us();
    for (size_t i = 0; i < LINKS_MAX; i++) {
        const struct link *l = &p->links[i];
        for (int side = 0; side < 2; side++, at++) {
            const struct direction *in = &l->out[side], *out = &l->out[1 - side];
            *at = (struct pollfd){.fd = p->blackhole ? -1 : l->fds[side]};
            if (at->fd < 0)
                continue;
            if (!in->read_over && in->queued < QUEUE_MAX)
                at->events |= POLLIN;
            if (out->first != NULL && out->first->due_us <= now)
                at->events |= POLLOUT;
            else if (out->first != NULL && out->first->due_us < w->next_us)
                w->next_us = out->first->due_us;
            if (at->events == 0)
                at->fd = -1; /* or a hung-up peer would keep the loop busy */
        }
    }
}

static void serve_links(struct proxy *p, const struct watch *w)
{
    const struct pollfd *at = w->fds + 2 + CONTROLS_MAX;
    for (size_t i = 0; i < LINKS_MAX; i++, at += 2) {
        struct link *l = &p->links[i];
        bool ok = l->fds[0] >= 0;
        for (int side = 0; ok && !p->blackhole && side < 2; side++) {
            bool may_read = (at[side].events & POLLIN) != 0 &&
                            (at[side].revents & (POLLIN | POLLHUP | POLLERR)) != 0;
            ok = !may_read || read_side(p, l, side);
        }
        for (int side = 0; ok && !p->blackhole && side < 2; side++)
            ok = write_side(l, side);
        if (l->fds[0] >= 0 && (!ok || link_is_over(l)))
            fault_link_close(l, !ok);
    }
}

static bool begin(struct proxy *p, char *why, size_t size)
{
    for (size_t i = 0; i < LINKS_MAX; i++)
        p->links[i].fds[0] = p->links[i].fds[1] = -1;
    for (size_t i = 0; i < CONTROLS_MAX; i++)
        p->controls[i] = -1;
    p->listener = fault_listen(&p->settings);
    p->control = listen_control(p->settings.control_path);
    if (p->listener >= 0 && p->control >= 0)
        return true;
    (void)snprintf(why, size, "cannot listen on %s:%u or %s: %s", p->settings.listen_host,
                   p->settings.listen_port, p->settings.control_path, strerror(errno));
    return false;
}

bool fault_proxy_run(const struct fault_proxy_settings *settings, char *why, size_t size)
{
    struct proxy *p = stay_calloc(1, sizeof *p);
    struct watch *w = stay_calloc(1, sizeof *w);
    p->settings = *settings;
    p->chance = 1;
    bool ok = begin(p, why, size);
    while (ok && !p->quit) {
        prepare(p, w);
        int64_t left_us = w->next_us == INT64_MAX ? STAY_SECOND : w->next_us - now_us();
        int wait_ms = left_us <= 0 ? 0 : (int)((left_us + 999) / 1000);
        if (poll(w->fds, STAY_COUNT(w->fds), wait_ms > 1000 ? 1000 : wait_ms) < 0)
            continue;
        serve_links(p, w);
        for (size_t i = 0; i < CONTROLS_MAX; i++)
            if (p->controls[i] >= 0 && w->fds[2 + i].revents != 0)
                fault_serve_control(p, &p->controls[i]);
        if ((w->fds[0].revents & POLLIN) != 0)
            accept_link(p);
        if ((w->fds[1].revents & POLLIN) != 0)
            accept_control(p);
    }
    for (size_t i = 0; ok && i < LINKS_MAX; i++)
        fault_link_close(&p->links[i], false);
    for (size_t i = 0; ok && i < CONTROLS_MAX; i++)
        if (p->controls[i] >= 0)
            close(p->controls[i]);
    if (p->listener >= 0)
        close(p->listener);
    if (p->control >= 0)
        close(p->control);
    free(w);
    free(p);
    return ok;
}
