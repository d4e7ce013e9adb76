/* controller/serve/http.h - plain HTTP on loopback addresses: libmicrohttpd with its epoll
 * descriptor in the loop, and the table of routes.
 *
 * Layer: serve. Loop thread only. Reads only: no route changes anything (actions need a login,
 * which is not built yet). Limits: HTTP_CONNECTIONS_MAX, HTTP_MEMORY_MAX per connection (longer
 * headers get 431), bodies are refused, idle connections end after HTTP_IDLE_S. */
#ifndef CONTROLLER_SERVE_HTTP_H
#define CONTROLLER_SERVE_HTTP_H
#include "base/error.h"
#include "base/str.h"
#include "controller/serve/control.h"

#define HTTP_CONNECTIONS_MAX 128
#define HTTP_MEMORY_MAX      (16 * 1024)
#define HTTP_IDLE_S          15
#define HTTP_PART_MAX        64 /* longest cluster, node or plan name in a path */

struct loop;
struct http;

/* address: "127.0.0.1:8420" (checked loopback). STAY_EBUSY: taken. */
enum stay_rc http_open(struct loop *loop, const char *address, const struct control *control,
                       struct http **ret_http, struct stay_error *err) STAY_MUST_USE;
void http_close(struct http *http); /* NULL is fine; memory goes in the loop's next turns */
uint16_t http_port(const struct http *http); /* the real one, when opened with port 0 (tests) */

/* One answer. body is JSON or metrics text. */
struct http_answer {
    unsigned status;
    const char *type;  /* static */
    const char *allow; /* 405: the methods that are possible, static; else NULL */
    struct str body;
};

struct http_request;
/* The value of ?key=..., NULL when absent; borrowed for the request. */
typedef const char *(*http_query_fn)(const struct http_request *request, const char *key);
/* Fills the answer later; exactly once. */
typedef void (*http_later_fn)(struct http_request *request);

struct http_request {
    const struct control *control;
    const char *method, *path;
    http_query_fn query;
    void *user;                  /* of query */
    char part[2][HTTP_PART_MAX]; /* what stood at {c} and {id} */
    struct http_answer answer;
    bool is_pending; /* the handler asked control and answers later through `later` */
    http_later_fn later;
};

/* One row of the route table; drives serving, 405, and mainstay-api(7). */
struct http_route {
    const char *method;
    const char *pattern; /* "/health/{c}/primary": {x} matches one path segment */
    const char *query;   /* "node=N&lag=5s" for people, or NULL */
    void (*handle)(struct http_request *request);
    const char *help;
};

/* The table, for dispatch and mainstay-api(7); static. */
const struct http_route *http_routes(size_t *ret_count);
/* Finds the route and answers: 404 and 405 as problem+json. */
void http_dispatch(struct http_request *request);

/* For handlers. */
void http_answer_json(struct http_request *request, unsigned status, json_t *json); /* takes json */
/* application/problem+json (RFC 9457). */
void http_problem(struct http_request *request, unsigned status, const char *title, const char *fmt,
                  ...) STAY_PRINTF(4, 5);
bool http_cluster(struct http_request *request, struct control_cluster *ret); /* or answers 404 */

/* http_health.c */
void http_live(struct http_request *request);
void http_ready(struct http_request *request);
void http_leader(struct http_request *request);
void http_primary(struct http_request *request);
void http_replica(struct http_request *request);
void http_read_only(struct http_request *request);
void http_sync(struct http_request *request);
/* metrics.c */
void http_metrics(struct http_request *request);

#endif
