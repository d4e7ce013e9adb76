/* The table of HTTP routes, finding one, and the answers of /api/v1. */
#include "controller/serve/api_evacuation.h"
#include "controller/serve/http.h"
#include "controller/serve/api.h"
#include <stdarg.h>

#define PLANS_MAX 100

static void get_clusters(struct http_request *q)
{
    http_answer_json(q, 200, api_status(q->control, NULL));
}

static void get_cluster(struct http_request *q)
{
    struct control_cluster c;
    if (http_cluster(q, &c))
        http_answer_json(q, 200, api_cluster(&c));
}

static void get_topology(struct http_request *q)
{
    struct control_cluster c;
    if (http_cluster(q, &c))
        http_answer_json(q, 200, api_topology(&c));
}

/* Control may answer within the call or later; only later has a connection to wake. */
static void plans_read(void *ctx, enum stay_rc rc, const json_t *data, const struct stay_error *err)
{
    struct http_request *q = ctx;
    const char *cluster =
        json_string_value(json_object_get(json_object_get(data, "summary"), "cluster"));
    if (rc == STAY_ENOTFOUND || rc == STAY_EINVALID)
        http_problem(q, 404, "no such plan", "%s", err == NULL ? q->part[1] : err->text);
    else if (rc != STAY_OK)
        http_problem(q, 503, "the store did not answer", "%s",
                     err == NULL ? stay_rc_text(rc) : err->text);
    else if (q->part[1][0] != '\0' && cluster != NULL && strcmp(cluster, q->part[0]) != 0)
        http_problem(q, 404, "no such plan", "plan %s is not of cluster %s", q->part[1],
                     q->part[0]);
    else if (json_is_array(data))
        http_answer_json(q, 200, json_pack("{s:O}", "plans", data));
    else
        http_answer_json(q, 200, api_document(q->control, data));
    q->is_pending = false;
    if (q->later != NULL)
        q->later(q);
}

static void get_plans(struct http_request *q)
{
    struct control_cluster c;
    if (!http_cluster(q, &c))
        return;
    q->is_pending = true;
    q->control->history(q->control->ctx, q->part[0], NULL, PLANS_MAX, plans_read, q);
}

static void get_plan(struct http_request *q)
{
    struct control_cluster c;
    if (!http_cluster(q, &c))
        return;
    q->is_pending = true;
    q->control->history(q->control->ctx, q->part[0], q->part[1], 1, plans_read, q);
}

static void get_evacuations(struct http_request *q)
{
    json_t *out = json_object();
    stay_json_set(out, "evacuations", api_evacuations(q->control));
    http_answer_json(q, 200, out);
}

/* Order: first match wins. */
static const struct http_route routes[] = {
    {"GET", "/health/live", NULL, http_live, "200 while the process serves"},
    {"GET", "/health/ready", NULL, http_ready,
     "200 once every cluster was seen and the store works"},
    {"GET", "/health/leader", NULL, http_leader, "200 on the controller that acts"},
    {"GET", "/health/{c}/primary", "node=N", http_primary,
     "200 when N (or, without node, any server) is the writable primary"},
    {"GET", "/health/{c}/replica", "node=N&lag=5s", http_replica,
     "200 when N (or any) replicates, and lags at most `lag`"},
    {"GET", "/health/{c}/read-only", "node=N&lag=5s", http_read_only,
     "200 when N (or any) may serve reads: the primary, or a replica as above"},
    {"GET", "/health/{c}/sync", "node=N", http_sync,
     "200 while lossless stands; with node: while N acknowledges"},
    {"GET", "/metrics", NULL, http_metrics, "Prometheus text format"},
    {"GET", "/api/v1/clusters", NULL, get_clusters,
     "every cluster: roles, mode, verdict, exposure"},
    {"GET", "/api/v1/clusters/{c}", NULL, get_cluster, "one cluster"},
    {"GET", "/api/v1/evacuations", NULL, get_evacuations,
     "zones that are being emptied: since when, by whom, primaries left"},
    {"GET", "/api/v1/clusters/{c}/topology", NULL, get_topology, "servers and who follows whom"},
    {"GET", "/api/v1/clusters/{c}/plans", NULL, get_plans, "what was done, newest first"},
    {"GET", "/api/v1/clusters/{c}/plans/{id}", NULL, get_plan,
     "one plan: steps, durations, proof, certificate"},
};

const struct http_route *http_routes(size_t *ret_count)
{
    *ret_count = STAY_COUNT(routes);
    return routes;
}

void http_answer_json(struct http_request *request, unsigned status, json_t *json)
{
    STAY_AUTO(stay_free_charp) char *text = stay_json_dump_compact(json);
    request->answer.status = status;
    request->answer.type = "application/json";
    request->answer.body.max = STAY_JSON_TEXT_MAX;
    str_add(&request->answer.body, text);
    str_add_char(&request->answer.body, '\n');
    json_decref(json);
}

void http_problem(struct http_request *request, unsigned status, const char *title, const char *fmt,
                  ...)
{
    char detail[600];
    va_list args;
    va_start(args, fmt);
    vsnprintf(detail, sizeof detail, fmt, args);
    va_end(args);
    json_t *json = json_object();
    stay_json_set_string(json, "type", "about:blank");
    stay_json_set_string(json, "title", title);
    stay_json_set_int(json, "status", status);
    stay_json_set_string(json, "detail", detail);
    http_answer_json(request, status, json);
    request->answer.type = "application/problem+json";
}

bool http_cluster(struct http_request *request, struct control_cluster *ret)
{
    if (request->control->cluster_named(request->control->ctx, request->part[0], ret))
        return true;
    http_problem(request, 404, "no such cluster", "there is no cluster \"%s\"", request->part[0]);
    return false;
}

/* Segment by segment; {x} takes one that is not empty and fits. */
static bool matches(const char *pattern, const char *path, char part[2][HTTP_PART_MAX])
{
    unsigned parts = 0;
    while (*pattern == '/' && *path == '/') {
        size_t np = strcspn(++pattern, "/"), n = strcspn(++path, "/");
        if (*pattern == '{') {
            if (n == 0 || n >= HTTP_PART_MAX || parts == 2)
                return false;
            memcpy(part[parts], path, n);
            part[parts++][n] = '\0';
        } else if (np != n || strncmp(pattern, path, n) != 0) {
            return false;
        }
        pattern += np;
        path += n;
    }
    return *pattern == '\0' && *path == '\0';
}

void http_dispatch(struct http_request *request)
{
    bool known = false;
    bool head = strcmp(request->method, "HEAD") == 0;
    for (size_t i = 0; i < STAY_COUNT(routes); i++) {
        if (!matches(routes[i].pattern, request->path, request->part))
            continue;
        known = true;
        if (strcmp(routes[i].method, head ? "GET" : request->method) == 0) {
            routes[i].handle(request);
            return;
        }
    }
    if (known) {
        http_problem(request, 405, "method not allowed",
                     "only GET: actions need a login, which is not built yet; use the mainstay "
                     "command on this host");
        request->answer.allow = "GET, HEAD";
    } else {
        http_problem(request, 404, "no such page",
                     "there is nothing at %.200s; mainstay-api(7) lists "
                     "what there is",
                     request->path);
    }
}
