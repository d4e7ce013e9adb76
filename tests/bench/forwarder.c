/* tests/bench/forwarder.c - links, what they relay, and answers that are shared; see the header.
 *
 * A link is a client's connection and its own to the real server. Until the client's first packet
 * with sequence number 0 (a command) it logs in. A question that may be shared is either answered
 * from the real server's memory here, or waits for the answer under way, or goes to the link's own
 * connection, whose answer is then kept. */
#include "tests/bench/forwarder.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"
#include "tests/bench/forwarder_tls.h"
#include "tests/lib/answer_end.h"

#define ADDRESSES_A_NET 250

struct link;
struct end {           /* what epoll hands back */
    struct link *link; /* NULL: the listener */
    int fd;
};

struct answer {
    struct answer *next;
    struct str question, bytes;
    int64_t asked_us;
    bool is_whole;
    struct answer_end scan;
    struct link *asker; /* whose connection brings it; NULL: none does */
    struct link *waiters;
};

struct real {
    struct answer *answers;
};

struct link {
    struct end client, backend;
    struct real *real;
    struct client_tls *tls;                 /* NULL: none, or not yet */
    struct str in;                          /* part of a packet of the client */
    bool logs_in, has_logged_in, is_closed; /* logs_in: the client has spoken */
    struct answer *brings, *waits;
    struct link *next, *previous, *next_closed, *next_waiter;
};

struct forwarder {
    const struct forwarder_settings *settings;
    struct end listener;
    int epoll;
    struct real *reals;
    struct server_tls *tls; /* NULL: clients come without */
    struct link *links, *closed;
    int64_t bucket_us;
    long accepted, accepted_now, accepted_max, logins, logins_max, asked, relayed;
};

static volatile sig_atomic_t is_ended;

static void on_end(int signo)
{
    (void)signo;
    is_ended = 1;
}

static int64_t now_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * STAY_SECOND + t.tv_nsec / 1000;
}

static void watch(struct forwarder *f, struct end *end)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = end};
    (void)epoll_ctl(f->epoll, EPOLL_CTL_ADD, end->fd, &event);
}

static void ask(struct forwarder *f, struct link *link, struct answer *answer);

static struct link *take_waiter(struct answer *answer)
{
    struct link *link = answer->waiters;
    if (link != NULL) {
        answer->waiters = link->next_waiter;
        link->waits = NULL;
    }
    return link;
}

static void leave_waiters(struct link *link)
{
    struct link **at = link->waits == NULL ? NULL : &link->waits->waiters;
    while (at != NULL && *at != link)
        at = &(*at)->next_waiter;
    if (at != NULL)
        *at = link->next_waiter;
}

/* Freed after the batch of events: one may still name it. */
static void close_link(struct forwarder *f, struct link *link)
{
    if (link->is_closed)
        return;
    link->is_closed = true;
    f->logins -= link->logs_in && !link->has_logged_in ? 1 : 0;
    client_tls_free(link->tls);
    link->tls = NULL;
    (void)close(link->client.fd);
    (void)close(link->backend.fd);
    if (link->previous != NULL)
        link->previous->next = link->next;
    else
        f->links = link->next;
    if (link->next != NULL)
        link->next->previous = link->previous;
    link->next_closed = f->closed;
    f->closed = link;
    leave_waiters(link);
    struct answer *answer = link->brings;
    if (answer == NULL)
        return;
    answer->asker = NULL; /* the first who waits for it asks anew */
    struct link *waiter = take_waiter(answer);
    if (waiter != NULL)
        ask(f, waiter, answer);
}

/* Answers are small and the peer reads them: what does not fit ends the connection. */
static void give(struct forwarder *f, struct link *link, int fd, const char *bytes, size_t length)
{
    bool is_hidden = link->tls != NULL && fd == link->client.fd;
    ssize_t n = is_hidden ? client_tls_write(link->tls, bytes, length)
                          : send(fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n != (ssize_t)length)
        close_link(f, link);
}

static void ask(struct forwarder *f, struct link *link, struct answer *answer)
{
    int64_t now = now_us();
    if (answer->asker != NULL) {
        link->waits = answer;
        link->next_waiter = answer->waiters;
        answer->waiters = link;
        return;
    }
    if (answer->is_whole && now - answer->asked_us < f->settings->share_us) {
        give(f, link, link->client.fd, answer->bytes.text, answer->bytes.length);
        return;
    }
    answer->asker = link;
    answer->asked_us = now;
    answer->is_whole = false;
    answer->scan = (struct answer_end){0};
    str_reset(&answer->bytes);
    link->brings = answer;
    f->relayed++;
    give(f, link, link->backend.fd, answer->question.text, answer->question.length);
}

static struct answer *answer_to(struct real *real, const char *packet, size_t length)
{
    struct answer *a = real->answers;
    while (a != NULL &&
           (a->question.length != length || memcmp(a->question.text, packet, length) != 0))
        a = a->next;
    if (a != NULL)
        return a;
    a = stay_calloc(1, sizeof *a);
    str_init(&a->bytes, 8 * STR_MAX_DEFAULT);
    str_add_bytes(&a->question, packet, length);
    a->next = real->answers;
    real->answers = a;
    return a;
}

/* COM_QUERY with a statement that changes nothing. */
static bool is_question(const char *packet, size_t length)
{
    return length > 11 && packet[3] == 0 && packet[4] == 3 &&
           (memcmp(packet + 5, "SELECT", 6) == 0 || memcmp(packet + 5, "SHOW ", 5) == 0);
}

static void take_packet(struct forwarder *f, struct link *link, char *packet, size_t length)
{
    if (link->tls != NULL && packet[3] != 0)
        forwarder_unhide_login((unsigned char *)packet, length);
    if (!link->logs_in) {
        link->logs_in = true;
        if (++f->logins > f->logins_max)
            f->logins_max = f->logins;
    }
    if (!link->has_logged_in && packet[3] == 0) {
        link->has_logged_in = true;
        f->logins--;
    }
    if (link->has_logged_in && is_question(packet, length)) {
        f->asked++;
        ask(f, link, answer_to(link->real, packet, length));
    } else {
        give(f, link, link->backend.fd, packet, length);
    }
}

/* The client's wish for TLS is for us. */
static bool begins_tls(struct forwarder *f, struct link *link, const char *packet, size_t length)
{
    if (f->tls == NULL || link->tls != NULL || !forwarder_wants_tls(packet, length))
        return false;
    link->tls = client_tls_new(f->tls, link->client.fd);
    return true;
}

/* What follows the wish for TLS is OpenSSL's to read. */
static ssize_t receive(const struct forwarder *f, struct link *link, char *buffer, size_t size)
{
    if (link->tls != NULL)
        return client_tls_read(link->tls, buffer, size);
    return recv(link->client.fd, buffer, f->tls != NULL ? FORWARDER_TLS_WISH : size, MSG_DONTWAIT);
}

static void from_client(struct forwarder *f, struct link *link)
{
    static char buffer[65536];
    ssize_t n = receive(f, link, buffer, sizeof buffer);
    if (n <= 0) {
        if (n == 0 || (errno != EAGAIN && errno != EINTR))
            close_link(f, link);
        return;
    }
    str_add_bytes(&link->in, buffer, (size_t)n);
    while (!link->is_closed && link->in.length >= 4) {
        const unsigned char *head = (const unsigned char *)link->in.text;
        size_t length = 4 + (head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16);
        if (link->in.length < length)
            return;
        if (!begins_tls(f, link, link->in.text, length))
            take_packet(f, link, link->in.text, length);
        str_consume(&link->in, length);
    }
}

static void answer_came(struct forwarder *f, struct answer *answer)
{
    answer->asker->brings = NULL;
    answer->asker = NULL;
    answer->is_whole = true;
    for (struct link *link; (link = take_waiter(answer)) != NULL;)
        give(f, link, link->client.fd, answer->bytes.text, answer->bytes.length);
}

static void from_backend(struct forwarder *f, struct link *link)
{
    static char buffer[262144];
    ssize_t n = recv(link->backend.fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (n <= 0) {
        if (n == 0 || (errno != EAGAIN && errno != EINTR))
            close_link(f, link);
        return;
    }
    struct answer *answer = link->brings;
    if (link->tls != NULL && !link->has_logged_in)
        forwarder_hide_login((unsigned char *)buffer, (size_t)n);
    if (answer != NULL) {
        str_add_bytes(&answer->bytes, buffer, (size_t)n);
        if (answer_end_scan(&answer->scan, buffer, (size_t)n))
            answer_came(f, answer);
    }
    give(f, link, link->client.fd, buffer, (size_t)n);
}

/* 127.x.y.z is server number y * 250 + z - 1; they share the real ones in turn. */
static unsigned number_of(int fd)
{
    struct sockaddr_in at = {0};
    socklen_t size = sizeof at;
    (void)getsockname(fd, (struct sockaddr *)&at, &size);
    uint32_t address = ntohl(at.sin_addr.s_addr);
    return ((address >> 8) & 255) * ADDRESSES_A_NET + (address & 255) - 1;
}

static int connect_real(const struct forwarder *f, unsigned index)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)snprintf(at.sun_path, sizeof at.sun_path, f->settings->socket_path, (int)index);
#pragma GCC diagnostic pop
    if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) == 0)
        return fd;
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

static void count_accept(struct forwarder *f)
{
    int64_t bucket = now_us() / (100 * STAY_MS);
    if (bucket != f->bucket_us)
        f->accepted_now = 0;
    f->bucket_us = bucket;
    f->accepted++;
    if (++f->accepted_now > f->accepted_max)
        f->accepted_max = f->accepted_now;
}

static void accept_one(struct forwarder *f)
{
    int fd = accept4(f->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    unsigned index = number_of(fd) % (unsigned)f->settings->servers;
    int real = connect_real(f, index);
    if (real < 0) {
        (void)close(fd);
        return;
    }
    struct link *link = stay_calloc(1, sizeof *link);
    link->client = (struct end){.link = link, .fd = fd};
    link->backend = (struct end){.link = link, .fd = real};
    link->real = &f->reals[index];
    link->next = f->links;
    if (f->links != NULL)
        f->links->previous = link;
    f->links = link;
    count_accept(f);
    watch(f, &link->client);
    watch(f, &link->backend);
}

static void on_event(struct forwarder *f, struct end *end)
{
    if (end->link == NULL)
        accept_one(f);
    else if (end->link->is_closed)
        return;
    else if (end == &end->link->client)
        from_client(f, end->link);
    else
        from_backend(f, end->link);
}

static bool listen_on(struct forwarder *f, char *why, size_t size)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)f->settings->port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 4096) != 0) {
        (void)snprintf(why, size, "cannot listen on port %u: %s", f->settings->port,
                       strerror(errno));
        return false;
    }
    f->listener.fd = fd;
    watch(f, &f->listener);
    return true;
}

static void free_closed(struct forwarder *f)
{
    while (f->closed != NULL) {
        struct link *link = f->closed;
        f->closed = link->next_closed;
        str_clear(&link->in);
        free(link);
    }
}

bool forwarder_run(const struct forwarder_settings *settings, char *why, size_t size)
{
    struct forwarder f = {.settings = settings, .epoll = epoll_create1(EPOLL_CLOEXEC)};
    struct sigaction end = {.sa_handler = on_end};
    (void)sigaction(SIGTERM, &end, NULL);
    f.reals = stay_calloc((size_t)settings->servers, sizeof *f.reals);
    if (settings->certificate != NULL)
        f.tls = server_tls_new(settings->certificate, settings->key, why, size);
    if ((settings->certificate != NULL && f.tls == NULL) || !listen_on(&f, why, size))
        return false;
    while (!is_ended) {
        struct epoll_event events[256];
        int n = epoll_wait(f.epoll, events, STAY_COUNT(events), 1000);
        for (int i = 0; i < n; i++)
            on_event(&f, events[i].data.ptr);
        free_closed(&f);
    }
    printf("{\"accepted\":%ld,\"accepted_max\":%ld,\"logins_max\":%ld,\"asked\":%ld,"
           "\"relayed\":%ld}\n",
           f.accepted, f.accepted_max, f.logins_max, f.asked, f.relayed);
    return true;
}
