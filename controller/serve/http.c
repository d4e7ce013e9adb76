/* libmicrohttpd on the loop. A daemon's epoll descriptor becomes readable -> MHD_run -> on_access
 * for each whole request -> http_dispatch -> one response.
 *
 * Answers that wait for the store suspend their connection; the store's callback resumes it.
 * Failure paths: a body or too long a request is refused by 413 and 431; closing resumes what is
 * suspended with 503 first, and an answer that comes after that finds its request orphaned. */
#include "controller/serve/http.h"
#include "base/io/loop.h"
#include "base/io/timer.h"
#include "base/names.h"
#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

struct http {
    struct loop *loop;
    const struct control *control;
    struct MHD_Daemon *daemon;
    struct timer *timer;
    uv_poll_t poll;
    uint16_t port;
    struct exchange *suspended;
    bool is_running; /* MHD_run is on the stack */
    bool is_closing;
};

/* One request on its way. */
struct exchange {
    struct http_request request; /* first: handlers get a pointer to it */
    struct http *http;           /* NULL: closed while we waited */
    struct MHD_Connection *connection;
    bool is_suspended, is_begun;
    struct exchange *next; /* in http->suspended */
};

static void run(struct http *http);

static const char *query_of(const struct http_request *request, const char *key)
{
    return MHD_lookup_connection_value(request->user, MHD_GET_ARGUMENT_KIND, key);
}

static enum MHD_Result respond(struct exchange *x)
{
    struct http_answer *a = &x->request.answer;
    struct MHD_Response *response = MHD_create_response_from_buffer(
        a->body.length, (void *)(uintptr_t)str_text(&a->body), MHD_RESPMEM_MUST_COPY);
    must(response != NULL);
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, a->type);
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    (void)MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (a->allow != NULL)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, a->allow);
    enum MHD_Result result = MHD_queue_response(x->connection, a->status, response);
    MHD_destroy_response(response);
    return result;
}

static void unsuspend(struct exchange *x)
{
    for (struct exchange **at = &x->http->suspended; *at != NULL; at = &(*at)->next) {
        if (*at == x) {
            *at = x->next;
            break;
        }
    }
    x->is_suspended = false;
    MHD_resume_connection(x->connection);
}

/* The store answered after on_access had returned. */
static void on_later(struct http_request *request)
{
    struct exchange *x = (struct exchange *)request;
    if (x->http == NULL) { /* closed meanwhile: nobody else holds it */
        str_clear(&x->request.answer.body);
        free(x);
        return;
    }
    if (!x->is_suspended)
        return;
    unsuspend(x);
    if (!x->http->is_running)
        timer_start(x->http->timer, 0);
}

static enum MHD_Result on_access(void *user, struct MHD_Connection *connection, const char *url,
                                 const char *method, const char *version, const char *upload,
                                 size_t *upload_size, void **state)
{
    struct http *http = user;
    struct exchange *x = *state;
    (void)version;
    (void)upload;
    if (x == NULL) {
        x = stay_calloc(1, sizeof *x);
        x->http = http;
        x->connection = connection;
        *state = x;
        return MHD_YES; /* the headers are in; asked again for the body */
    }
    if (*upload_size > 0) {
        *upload_size = 0; /* read and dropped; answered once it is over */
        x->request.answer.status = 413;
        return MHD_YES;
    }
    if (!x->is_begun) {
        x->is_begun = true;
        x->request.control = http->control;
        x->request.method = method;
        x->request.path = url;
        x->request.query = query_of;
        x->request.user = connection;
        bool reads = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
        if (x->request.answer.status == 413 && reads)
            http_problem(&x->request, 413, "no body", "requests with a body are not taken here");
        else
            http_dispatch(&x->request);
        x->request.later = on_later;
    }
    if (x->request.is_pending) {
        x->is_suspended = true;
        x->next = http->suspended;
        http->suspended = x;
        MHD_suspend_connection(connection);
        return MHD_YES;
    }
    return respond(x);
}

static void on_completed(void *user, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    struct exchange *x = *state;
    (void)user;
    (void)connection;
    (void)code;
    *state = NULL;
    if (x == NULL)
        return;
    if (x->request.is_pending) { /* control still owes the callback: it frees */
        x->http = NULL;
        return;
    }
    str_clear(&x->request.answer.body);
    free(x);
}

static void run(struct http *http)
{
    MHD_UNSIGNED_LONG_LONG wait_ms = 0;
    http->is_running = true;
    (void)MHD_run(http->daemon);
    http->is_running = false;
    if (MHD_get_timeout(http->daemon, &wait_ms) == MHD_YES)
        timer_start(http->timer, loop_now_mono_us(http->loop) + (int64_t)wait_ms * STAY_MS);
    else
        timer_stop(http->timer);
}

static void on_timer(struct timer *timer, void *arg)
{
    (void)timer;
    run(arg);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    run(poll->data);
}

/* A listening socket of our own: the error names the address. */
static enum stay_rc listen_on(const char *text, int *ret_fd, struct stay_error *err)
{
    struct names_address address;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    char port[8];
    int one = 1;
    enum stay_rc rc = names_parse_address(text, 0, &address, err);
    if (rc != STAY_OK && strstr(text, ":0") == NULL)
        return rc;
    if (rc != STAY_OK) /* port 0: tests let the kernel choose */
        snprintf(address.host, sizeof address.host, "127.0.0.1");
    snprintf(port, sizeof port, "%u", rc == STAY_OK ? address.port : 0);
    int code = getaddrinfo(address.host, port, &hints, &list);
    if (code != 0)
        return stay_error(err, STAY_EINVALID, "listen on %s: %s", text, gai_strerror(code));
    int fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int problem = fd < 0 ? errno : 0;
    if (fd >= 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (problem == 0 && (bind(fd, list->ai_addr, list->ai_addrlen) != 0 || listen(fd, 128) != 0))
        problem = errno;
    freeaddrinfo(list);
    if (problem == 0) {
        *ret_fd = fd;
        return STAY_OK;
    }
    if (fd >= 0)
        close(fd);
    if (problem == EADDRINUSE)
        return stay_error(err, STAY_EBUSY, "listen on %s: something else listens there", text);
    return stay_error_sys(err, problem, "listen on %s", text);
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage at = {0};
    socklen_t size = sizeof at;
    if (getsockname(fd, (struct sockaddr *)&at, &size) != 0)
        return 0;
    return ntohs(at.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&at)->sin6_port
                                          : ((struct sockaddr_in *)&at)->sin_port);
}

enum stay_rc http_open(struct loop *loop, const char *address, const struct control *control,
                       struct http **ret_http, struct stay_error *err)
{
    int fd = -1;
    enum stay_rc rc = listen_on(address, &fd, err);
    if (rc != STAY_OK)
        return rc;
    struct http *http = stay_calloc(1, sizeof *http);
    http->loop = loop;
    http->control = control;
    http->port = port_of(fd);
    http->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_access, http,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)HTTP_MEMORY_MAX, MHD_OPTION_NOTIFY_COMPLETED, on_completed, http, MHD_OPTION_END);
    if (http->daemon == NULL) {
        close(fd);
        free(http);
        return stay_error_sys(err, errno, "listen on %s: libmicrohttpd", address);
    }
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    must(info != NULL);
    int code = uv_poll_init(&loop->uv, &http->poll, info->epoll_fd);
    must(code == 0);
    http->poll.data = http;
    http->timer = timer_new(loop, on_timer, http);
    code = uv_poll_start(&http->poll, UV_READABLE, on_readable);
    must(code == 0);
    *ret_http = http;
    return STAY_OK;
}

uint16_t http_port(const struct http *http)
{
    return http->port;
}

static void on_closed(uv_handle_t *handle)
{
    struct http *http = handle->data;
    /* Only now: the poll handle watched a descriptor of the daemon. */
    MHD_stop_daemon(http->daemon);
    free(http);
}

void http_close(struct http *http)
{
    if (http == NULL || http->is_closing)
        return;
    http->is_closing = true;
    while (http->suspended != NULL)
        unsuspend(http->suspended);
    timer_free(http->timer);
    uv_close((uv_handle_t *)&http->poll, on_closed);
}
