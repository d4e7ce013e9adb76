/* connect -> write the line -> read to the end -> done. Failure paths: no address, no connection,
 * the deadline, a reset; each closes the handle, and done runs from its close callback. */
#include "controller/act/step_route_talk.h"
#include "base/io/loop.h"
#include "base/io/timer.h"
#include "base/names.h"
#include "base/str.h"

struct talk {
    struct loop *loop;
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } to;
    uv_connect_t connect;
    uv_write_t write;
    uv_getaddrinfo_t resolve;
    struct timer *timer;
    char *socket, *commands;
    struct str answer;
    bool has_handle, is_resolving, is_sent, is_ending;
    enum stay_rc rc;
    struct stay_error err;
    route_talk_fn done;
    void *arg;
    char chunk[16384];
};

static void finish(struct talk *t)
{
    t->done(t->arg, t->rc, str_text(&t->answer), t->rc == STAY_OK ? NULL : &t->err);
    str_clear(&t->answer);
    free(t->socket);
    free(t->commands);
    free(t);
}

static void on_closed(uv_handle_t *handle)
{
    finish(handle->data);
}

/* Once: what happened first counts. */
static void end(struct talk *t, enum stay_rc rc, int uv_code, const char *what)
{
    if (t->is_ending)
        return;
    t->is_ending = true;
    t->rc = rc;
    if (rc != STAY_OK)
        (void)stay_error(&t->err, rc, "%s: %s%s%s", t->socket, what, uv_code == 0 ? "" : ": ",
                         uv_code == 0 ? "" : uv_strerror(uv_code));
    timer_free(t->timer);
    if (t->is_resolving)
        (void)uv_cancel((uv_req_t *)&t->resolve); /* its callback still comes and closes */
    else
        uv_close(&t->to.handle, on_closed);
}

static void on_deadline(struct timer *timer, void *arg)
{
    struct talk *t = arg;
    (void)timer;
    end(t, t->is_sent ? STAY_EUNKNOWN : STAY_EUNREACHABLE, 0, "no answer in time");
}

static void on_room(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
    struct talk *t = handle->data;
    (void)wanted;
    *buf = uv_buf_init(t->chunk, sizeof t->chunk);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct talk *t = stream->data;
    if (n > 0)
        str_add_bytes(&t->answer, buf->base, (size_t)n);
    else if (n == UV_EOF && t->answer.length == 0)
        end(t, STAY_EUNKNOWN, 0, "closed without an answer");
    else if (n == UV_EOF && t->answer.is_cut)
        end(t, STAY_EUNKNOWN, 0, "answer is too long");
    else if (n == UV_EOF)
        end(t, STAY_OK, 0, "");
    else if (n < 0)
        end(t, STAY_EUNKNOWN, (int)n, "read");
}

static void on_written(uv_write_t *write, int status)
{
    struct talk *t = write->data;
    if (status < 0)
        end(t, STAY_EUNKNOWN, status, "write");
}

static void on_connected(uv_connect_t *connect, int status)
{
    struct talk *t = connect->data;
    if (t->is_ending)
        return;
    if (status < 0) {
        end(t, STAY_EUNREACHABLE, status, "connect");
        return;
    }
    uv_buf_t buf = uv_buf_init(t->commands, (unsigned)strlen(t->commands));
    t->is_sent = true;
    t->write.data = t;
    int rc = uv_read_start(&t->to.stream, on_room, on_read);
    if (rc == 0)
        rc = uv_write(&t->write, &t->to.stream, &buf, 1, on_written);
    if (rc != 0)
        end(t, STAY_EUNKNOWN, rc, "write");
}

static void connect_to(struct talk *t, const struct sockaddr *address)
{
    int rc = uv_tcp_connect(&t->connect, &t->to.tcp, address, on_connected);
    if (rc != 0)
        end(t, STAY_EUNREACHABLE, rc, "connect");
}

static void on_resolved(uv_getaddrinfo_t *resolve, int status, struct addrinfo *list)
{
    struct talk *t = resolve->data;
    t->is_resolving = false;
    if (t->is_ending)
        uv_close(&t->to.handle, on_closed);
    else if (status != 0)
        end(t, STAY_EUNREACHABLE, status, "resolve");
    else
        connect_to(t, list->ai_addr);
    uv_freeaddrinfo(list);
}

static void begin_tcp(struct talk *t)
{
    struct names_address to;
    struct sockaddr_storage numeric = {0};
    char port[8];
    (void)uv_tcp_init(&t->loop->uv, &t->to.tcp);
    t->to.handle.data = t;
    if (names_parse_address(t->socket, 0, &to, NULL) != STAY_OK) {
        end(t, STAY_EUNREACHABLE, 0, "not an address");
    } else if (uv_ip4_addr(to.host, to.port, (struct sockaddr_in *)&numeric) == 0 ||
               uv_ip6_addr(to.host, to.port, (struct sockaddr_in6 *)&numeric) == 0) {
        connect_to(t, (const struct sockaddr *)&numeric);
    } else {
        struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
        snprintf(port, sizeof port, "%u", to.port);
        t->resolve.data = t;
        t->is_resolving = true;
        int rc = uv_getaddrinfo(&t->loop->uv, &t->resolve, on_resolved, to.host, port, &hints);
        if (rc != 0) {
            t->is_resolving = false;
            end(t, STAY_EUNREACHABLE, rc, "resolve");
        }
    }
}

void route_talk_start(struct loop *loop, const char *socket, const char *commands,
                      int64_t deadline_mono_us, route_talk_fn done, void *arg)
{
    struct talk *t = stay_calloc(1, sizeof *t);
    t->loop = loop;
    t->socket = stay_strdup(socket);
    t->commands = stay_sprintf("%s\n", commands);
    t->done = done;
    t->arg = arg;
    t->connect.data = t;
    str_init(&t->answer, ROUTE_TALK_ANSWER_MAX);
    t->timer = timer_new(loop, on_deadline, t);
    timer_start(t->timer, deadline_mono_us);
    if (socket[0] == '/') {
        (void)uv_pipe_init(&loop->uv, &t->to.pipe, 0);
        t->to.handle.data = t;
        uv_pipe_connect(&t->connect, &t->to.pipe, socket, on_connected);
    } else {
        begin_tcp(t);
    }
}
