/* base/io/line_server.h - a unix socket on the loop: one request line in, one or more lines out.
 *
 * Layer: base/io. Loop thread only. A connection carries one request: the client sends a line, the
 * server answers with lines and ends it; the end of the stream is the end of the answer.
 * Input: LINE_REQUEST_MAX bytes, within LINE_REQUEST_US of connecting; violations are answered with
 * one line {"error":...} and closed, and never reach the handler.
 *
 * The control API of the daemon rides on this; the client is base/io/line_client.h. */
#ifndef BASE_IO_LINE_SERVER_H
#define BASE_IO_LINE_SERVER_H
#include "base/error.h"
#include <sys/types.h>

#define LINE_REQUEST_MAX     1048576 /* 1 MiB */
#define LINE_ANSWER_MAX      8388608 /* 8 MiB: bytes waiting for one slow reader */
#define LINE_CLIENTS_DEFAULT 64
#define LINE_REQUEST_US      (10 * STAY_SECOND)

struct loop;
struct line_server;
struct line_peer;

struct line_credentials {
    pid_t pid;
    uid_t uid;
    gid_t gid;
};

/* A request has come: `line` is terminated, has no newline, and is borrowed during the call. Answer
 * now or later with line_peer_send; `peer` stays valid until line_peer_end, which must be called
 * exactly once, also after on_gone. */
typedef void (*line_request_fn)(struct line_peer *peer, const char *line, size_t length,
                                void *user);
/* The client hung up before line_peer_end: stop working for it. */
typedef void (*line_gone_fn)(struct line_peer *peer, void *user);

struct line_server_options {
    const char *path;     /* unix socket; a stale one is replaced, a live one is STAY_EBUSY */
    mode_t mode;          /* 0 means 0660 */
    unsigned clients_max; /* more are closed at once; 0 means LINE_CLIENTS_DEFAULT */
    int64_t request_us;   /* for a whole request line to come; 0 means LINE_REQUEST_US */
    line_request_fn on_request;
    line_gone_fn on_gone; /* may be NULL */
    void *user;
};

/* Options are copied; the caller owns the server (line_server_close). STAY_EBUSY: another process
 * answers on the path. STAY_ECONFLICT: something that is no socket lies there. STAY_EINVALID: the
 * path is empty or too long for a socket. Others: it cannot be made. */
enum stay_rc line_server_open(struct loop *loop, const struct line_server_options *options,
                              struct line_server **ret_server,
                              struct stay_error *err) STAY_MUST_USE;
/* Stops listening, removes the socket file, hangs up on everybody. Peers whose requests were not
 * ended get on_gone, now; their line_peer_end may come later. NULL is fine. */
void line_server_close(struct line_server *server);

/* Sends text and a newline (text itself has none). STAY_ECANCELED: the client is gone.
 * STAY_ELIMIT: it does not read and LINE_ANSWER_MAX is waiting. */
enum stay_rc line_peer_send(struct line_peer *peer, const char *text,
                            struct stay_error *err) STAY_MUST_USE;
/* The answer is complete: what is waiting is sent, then the connection ends. */
void line_peer_end(struct line_peer *peer);
struct line_credentials line_peer_credentials(const struct line_peer *peer);
void line_peer_set_data(struct line_peer *peer, void *data); /* the handler's own pointer */
void *line_peer_data(const struct line_peer *peer);

#endif
