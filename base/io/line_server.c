/* base/io/line_server.c - a unix socket on the loop: one request line in, answer lines out.
 *
 * A peer: READING until its line is whole -> ASKED, the handler owns the answer -> ENDING, the rest
 * is flushed and our side shut down -> closed. After the request, input is read and dropped, so
 * that a hang-up is seen and closing never resets what the client has not read yet. Bad input goes
 * from READING to ENDING with one error line; a hang-up in READING closes; in ASKED it closes too,
 * tells on_gone, and the struct waits for line_peer_end. */
#include "base/io/line_server.h"
#include "base/io/loop.h"
#include "base/io/timer.h"
#include "base/str.h"
#include <errno.h>
#include <libgen.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CHUNK    16384
#define BACKLOG  64
#define FLUSH_US (10 * STAY_SECOND) /* for a client that does not read the end of its answer */

enum peer_state { PEER_READING = 0, PEER_ASKED, PEER_ENDING };

struct line_peer {
    struct line_server *server; /* NULL once the server is closed */
    struct loop *loop;
    uv_pipe_t pipe;
    uv_shutdown_t shutdown;
    struct timer *timer; /* for the request, later for the flush */
    enum peer_state state;
    bool is_closing, is_closed; /* the connection; is_closed after libuv's callback */
    bool has_hung_up;           /* the client sent its end */
    bool is_shut;               /* our side is flushed and shut down */
    struct str in;
    struct line_credentials credentials;
    void *data;
    struct line_peer *before, *after; /* the server's list */
    char chunk[CHUNK];
};

struct line_server {
    struct loop *loop;
    uv_pipe_t pipe;
    char *path;
    unsigned clients_max, client_count;
    int64_t request_us;
    line_request_fn on_request;
    line_gone_fn on_gone;
    void *user;
    struct line_peer *peers;
};

struct answer {
    uv_write_t write;
    char text[];
};

static void unlink_peer(struct line_peer *peer)
{
    struct line_server *server = peer->server;
    if (server == NULL)
        return;
    if (peer->before != NULL)
        peer->before->after = peer->after;
    else
        server->peers = peer->after;
    if (peer->after != NULL)
        peer->after->before = peer->before;
    server->client_count--;
    peer->server = NULL;
}

static void free_peer_when_over(struct line_peer *peer)
{
    if (!peer->is_closed || peer->state == PEER_ASKED)
        return; /* libuv or the handler still holds it */
    str_clear(&peer->in);
    free(peer);
}

static void on_peer_closed(uv_handle_t *handle)
{
    struct line_peer *peer = handle->data;
    peer->is_closed = true;
    free_peer_when_over(peer);
}

/* Ends the connection now. The struct lives on while the handler holds it. */
static void close_peer(struct line_peer *peer)
{
    if (peer->is_closing)
        return;
    peer->is_closing = true;
    timer_free(peer->timer);
    peer->timer = NULL;
    unlink_peer(peer);
    uv_close((uv_handle_t *)&peer->pipe, on_peer_closed);
}

/* The client is gone before its answer was complete. */
static void lose_peer(struct line_peer *peer)
{
    struct line_server *server = peer->server;
    bool is_told = peer->state == PEER_ASKED && !peer->is_closing && server != NULL;
    close_peer(peer);
    if (is_told && server->on_gone != NULL)
        server->on_gone(peer, server->user);
}

static void on_written(uv_write_t *write, int status)
{
    struct line_peer *peer = write->handle->data;
    free(write->data);
    if (status < 0 && status != UV_ECANCELED)
        lose_peer(peer);
}

enum stay_rc line_peer_send(struct line_peer *peer, const char *text, struct stay_error *err)
{
    size_t length = strlen(text);
    uv_stream_t *stream = (uv_stream_t *)&peer->pipe;
    if (peer->is_closing)
        return stay_error(err, STAY_ECANCELED, "the client is gone");
    if (length >= LINE_ANSWER_MAX ||
        uv_stream_get_write_queue_size(stream) > LINE_ANSWER_MAX - length - 1)
        return stay_error(err, STAY_ELIMIT, "the client does not read: %d bytes are waiting",
                          LINE_ANSWER_MAX);
    struct answer *answer = stay_malloc(sizeof *answer + length + 1);
    memcpy(answer->text, text, length);
    answer->text[length] = '\n';
    answer->write.data = answer;
    uv_buf_t buf = uv_buf_init(answer->text, (unsigned)length + 1);
    int rc = uv_write(&answer->write, stream, &buf, 1, on_written);
    if (rc != 0) {
        free(answer);
        return loop_error(err, rc, "answer the client");
    }
    return STAY_OK;
}

static void on_shut(uv_shutdown_t *shutdown, int status)
{
    struct line_peer *peer = shutdown->handle->data;
    peer->is_shut = true;
    if (status < 0 || peer->has_hung_up)
        close_peer(peer);
}

/* Flush, shut down, then wait for the client to close, so that nothing unread is reset. */
static void begin_end(struct line_peer *peer)
{
    peer->state = PEER_ENDING;
    if (peer->is_closing)
        return;
    timer_start(peer->timer, loop_now_mono_us(peer->loop) + FLUSH_US);
    if (uv_shutdown(&peer->shutdown, (uv_stream_t *)&peer->pipe, on_shut) != 0)
        close_peer(peer);
}

void line_peer_end(struct line_peer *peer)
{
    must(peer->state == PEER_ASKED);
    begin_end(peer);
    free_peer_when_over(peer);
}

struct line_credentials line_peer_credentials(const struct line_peer *peer)
{
    return peer->credentials;
}

void line_peer_set_data(struct line_peer *peer, void *data)
{
    peer->data = data;
}

void *line_peer_data(const struct line_peer *peer)
{
    return peer->data;
}

static void refuse(struct line_peer *peer, const char *why)
{
    char line[160];
    (void)snprintf(line, sizeof line, "{\"error\":\"%s\"}", why);
    str_clear(&peer->in);
    if (line_peer_send(peer, line, NULL) == STAY_OK)
        begin_end(peer);
    else
        close_peer(peer);
}

static void on_peer_timer(struct timer *timer, void *arg)
{
    struct line_peer *peer = arg;
    (void)timer;
    if (peer->state == PEER_READING)
        refuse(peer, "no request line came in time");
    else
        close_peer(peer);
}

static void on_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *buf)
{
    struct line_peer *peer = handle->data;
    (void)hint;
    *buf = uv_buf_init(peer->chunk, sizeof peer->chunk);
}

static void take_bytes(struct line_peer *peer, const char *bytes, size_t length)
{
    if (peer->state != PEER_READING)
        return; /* one request per connection; the rest is dropped */
    const char *end = memchr(bytes, '\n', length);
    str_add_bytes(&peer->in, bytes, end == NULL ? length : (size_t)(end - bytes));
    if (peer->in.is_cut) {
        refuse(peer, "the request line is longer than 1 MiB");
    } else if (end != NULL && strlen(str_text(&peer->in)) != peer->in.length) {
        refuse(peer, "the request line holds a zero byte");
    } else if (end != NULL) {
        STAY_AUTO(stay_free_charp) char *line = NULL;
        size_t line_length = peer->in.length;
        line = str_take(&peer->in);
        timer_stop(peer->timer);
        peer->state = PEER_ASKED;
        peer->server->on_request(peer, line, line_length, peer->server->user);
    }
}

/* The client has sent its last byte. Half closed it still reads (printf .. | socat); wholly closed
 * nobody does. */
static void take_end(struct line_peer *peer)
{
    int fd = -1;
    peer->has_hung_up = true;
    (void)uv_read_stop((uv_stream_t *)&peer->pipe);
    must(uv_fileno((uv_handle_t *)&peer->pipe, &fd) == 0);
    struct pollfd p = {.fd = fd};
    bool is_whole = poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR)) != 0;
    if (peer->state == PEER_READING || peer->is_shut)
        close_peer(peer);
    else if (is_whole)
        lose_peer(peer);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct line_peer *peer = stream->data;
    if (n > 0)
        take_bytes(peer, buf->base, (size_t)n);
    else if (n == UV_EOF)
        take_end(peer);
    else if (n < 0)
        lose_peer(peer);
}

static void read_credentials(struct line_peer *peer)
{
    struct ucred c = {.pid = -1, .uid = (uid_t)-1, .gid = (gid_t)-1};
    socklen_t size = sizeof c;
    int fd = -1;
    must(uv_fileno((uv_handle_t *)&peer->pipe, &fd) == 0);
    must(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &size) == 0);
    peer->credentials = (struct line_credentials){.pid = c.pid, .uid = c.uid, .gid = c.gid};
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct line_server *server = stream->data;
    if (status < 0)
        return; /* out of descriptors: the client sees its own deadline */
    struct line_peer *peer = stay_calloc(1, sizeof *peer);
    peer->loop = server->loop;
    peer->server = server;
    str_init(&peer->in, LINE_REQUEST_MAX);
    (void)uv_pipe_init(&server->loop->uv, &peer->pipe, 0); /* cannot fail */
    peer->pipe.data = peer;
    peer->timer = timer_new(server->loop, on_peer_timer, peer);
    peer->after = server->peers;
    if (peer->after != NULL)
        peer->after->before = peer;
    server->peers = peer;
    server->client_count++;
    if (uv_accept(stream, (uv_stream_t *)&peer->pipe) != 0 ||
        server->client_count > server->clients_max) {
        close_peer(peer);
        return;
    }
    read_credentials(peer);
    timer_start(peer->timer, loop_now_mono_us(server->loop) + server->request_us);
    if (uv_read_start((uv_stream_t *)&peer->pipe, on_alloc, on_read) != 0)
        close_peer(peer);
}

/* A socket file nobody listens on is left over from a crash; one that answers is somebody's. */
static enum stay_rc clear_stale(const char *path, struct stay_error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat st;
    if (lstat(path, &st) != 0)
        return errno == ENOENT ? STAY_OK : stay_error_sys(err, errno, "look at '%s'", path);
    if (!S_ISSOCK(st.st_mode))
        return stay_error(err, STAY_ECONFLICT, "'%s' exists and is not a socket", path);
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return stay_error_sys(err, errno, "make a socket");
    int rc = connect(fd, (const struct sockaddr *)&address, sizeof address);
    int why = errno;
    (void)close(fd);
    if (rc == 0 || why == EAGAIN)
        return stay_error(err, STAY_EBUSY, "'%s' is in use: another mainstayd runs here", path);
    if (why != ECONNREFUSED)
        return stay_error_sys(err, why, "try '%s'", path);
    return unlink(path) == 0 ? STAY_OK : stay_error_sys(err, errno, "remove stale '%s'", path);
}

static void on_server_closed(uv_handle_t *handle)
{
    struct line_server *server = handle->data;
    free(server->path);
    free(server);
}

static bool has_directory(const char *path)
{
    STAY_AUTO(stay_free_charp) char *copy = stay_strdup(path);
    return access(dirname(copy), F_OK) == 0;
}

/* Bound, then restricted, then listening: nobody connects before the mode is right. */
static enum stay_rc listen_on(struct line_server *server, mode_t mode, struct stay_error *err)
{
    int rc = uv_pipe_bind(&server->pipe, server->path);
    if (rc == UV_EACCES && !has_directory(server->path))
        rc = UV_ENOENT; /* libuv says EACCES for both */
    if (rc != 0)
        return loop_error(err, rc, "bind '%s'", server->path);
    if (chmod(server->path, mode) != 0) {
        (void)stay_error_sys(err, errno, "set the mode of '%s'", server->path);
        (void)unlink(server->path);
        return STAY_ESYSTEM;
    }
    rc = uv_listen((uv_stream_t *)&server->pipe, BACKLOG, on_connection);
    return rc == 0 ? STAY_OK : loop_error(err, rc, "listen on '%s'", server->path);
}

enum stay_rc line_server_open(struct loop *loop, const struct line_server_options *options,
                              struct line_server **ret_server, struct stay_error *err)
{
    const char *path = options->path;
    if (path[0] == '\0' || strlen(path) >= sizeof((struct sockaddr_un *)0)->sun_path)
        return stay_error(err, STAY_EINVALID, "socket path '%s' is empty or longer than %zu", path,
                          sizeof((struct sockaddr_un *)0)->sun_path - 1);
    enum stay_rc rc = clear_stale(path, err);
    if (rc != STAY_OK)
        return rc;
    struct line_server *server = stay_calloc(1, sizeof *server);
    server->loop = loop;
    server->path = stay_strdup(path);
    server->clients_max = options->clients_max == 0 ? LINE_CLIENTS_DEFAULT : options->clients_max;
    server->request_us = options->request_us == 0 ? LINE_REQUEST_US : options->request_us;
    server->on_request = options->on_request;
    server->on_gone = options->on_gone;
    server->user = options->user;
    (void)uv_pipe_init(&loop->uv, &server->pipe, 0); /* cannot fail */
    server->pipe.data = server;
    rc = listen_on(server, options->mode == 0 ? 0660 : options->mode, err);
    if (rc != STAY_OK) {
        uv_close((uv_handle_t *)&server->pipe, on_server_closed);
        return rc;
    }
    *ret_server = server;
    return STAY_OK;
}

void line_server_close(struct line_server *server)
{
    if (server == NULL)
        return;
    (void)unlink(server->path); /* libuv unlinks too; a missing file is fine */
    while (server->peers != NULL)
        lose_peer(server->peers);
    uv_close((uv_handle_t *)&server->pipe, on_server_closed);
}
