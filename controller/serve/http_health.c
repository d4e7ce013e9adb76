/* Answers for balancers and service managers: 200 or 503, and the reason as JSON. */
#include "base/units.h"
#include "controller/serve/api.h"
#include "controller/serve/http.h"

static void answer(struct http_request *q, bool good, const char *status, json_t *more)
{
    json_t *json = more == NULL ? json_object() : more;
    stay_json_set_string(json, "status", status);
    http_answer_json(q, good ? 200 : 503, json);
}

void http_live(struct http_request *request)
{
    answer(request, true, "live", NULL);
}

void http_ready(struct http_request *request)
{
    bool ready = request->control->is_ready(request->control->ctx);
    answer(request, ready, ready ? "ready" : "not ready", NULL);
}

void http_leader(struct http_request *request)
{
    bool leader = request->control->is_leader(request->control->ctx);
    answer(request, leader, leader ? "leader" : "not leader", NULL);
}

/* The node asked about: NO_NODE when none was named. False: 404 was answered. */
static bool node_asked(struct http_request *q, const struct control_cluster *c, uint32_t *ret_node)
{
    const char *name = q->query(q, "node");
    *ret_node = NO_NODE;
    if (name == NULL)
        return true;
    *ret_node = cluster_node_by_name(c->config, name);
    if (*ret_node != NO_NODE)
        return true;
    http_problem(q, 404, "no such node", "cluster \"%s\" has no node \"%.60s\"", c->config->name,
                 name);
    return false;
}

static bool is_primary(const struct control_cluster *c, uint32_t node)
{
    return api_writable_primary(c) == node;
}

static bool is_replica(const struct control_cluster *c, uint32_t node, int64_t lag_max_us)
{
    const struct server_facts *f = &c->view->nodes[node].facts;
    int64_t lag_us = api_lag_us(c, node);
    return strcmp(api_role(c, node), "replica") == 0 && f->receiver == RECEIVER_RUNNING &&
           f->applier == TRI_YES && (lag_max_us < 0 || (lag_us >= 0 && lag_us <= lag_max_us));
}

static json_t *about(const struct control_cluster *c, uint32_t node)
{
    json_t *json = json_object();
    stay_json_set_string(json, "cluster", c->config->name);
    if (node != NO_NODE) {
        int64_t lag_us = api_lag_us(c, node);
        stay_json_set_string(json, "node", c->config->nodes[node].name);
        stay_json_set_string(json, "role", api_role(c, node));
        stay_json_set(json, "lag_us", lag_us < 0 ? json_null() : json_integer(lag_us));
    }
    return json;
}

void http_primary(struct http_request *request)
{
    struct control_cluster c;
    uint32_t node;
    if (!http_cluster(request, &c) || !node_asked(request, &c, &node))
        return;
    uint32_t primary = api_writable_primary(&c);
    bool good = node == NO_NODE ? primary != NO_NODE : is_primary(&c, node);
    answer(request, good, good ? "primary" : "not primary",
           about(&c, node == NO_NODE ? primary : node));
}

/* For replica and read-only: the named node, or the first that qualifies. */
static void answer_readers(struct http_request *q, bool primary_counts, const char *yes,
                           const char *no)
{
    struct control_cluster c;
    struct stay_error err = {0};
    uint32_t node;
    int64_t lag_max_us = -1;
    const char *lag = q->query(q, "lag");
    if (!http_cluster(q, &c) || !node_asked(q, &c, &node))
        return;
    if (lag != NULL && units_parse_duration(lag, &lag_max_us, &err) != STAY_OK) {
        http_problem(q, 400, "bad lag", "%s", err.text);
        return;
    }
    uint32_t first = node == NO_NODE ? 0 : node;
    uint32_t end = node == NO_NODE ? c.config->node_count : node + 1;
    for (uint32_t i = first; i < end; i++) {
        if (is_replica(&c, i, lag_max_us) || (primary_counts && is_primary(&c, i))) {
            answer(q, true, yes, about(&c, i));
            return;
        }
    }
    answer(q, false, no, about(&c, node));
}

void http_replica(struct http_request *request)
{
    answer_readers(request, false, "replica", "not replica");
}

void http_read_only(struct http_request *request)
{
    answer_readers(request, true, "readable", "not readable");
}

void http_sync(struct http_request *request)
{
    struct control_cluster c;
    uint32_t node;
    bool strangers = false;
    if (!http_cluster(request, &c) || !node_asked(request, &c, &node))
        return;
    uint32_t ackers = cluster_ackers_now(c.view, &strangers);
    bool stands = c.view->record.mode == MODE_LOSSLESS && c.view->record.lossless_stands &&
                  (uint32_t)__builtin_popcount(ackers) >= c.config->acks;
    bool good = stands && (node == NO_NODE || (ackers >> node & 1) != 0);
    json_t *json = about(&c, node);
    stay_json_set_string(json, "mode", durability_mode_text(c.view->record.mode));
    stay_json_set_bool(json, "lossless_stands", stands);
    answer(request, good, good ? "synchronous" : "not synchronous", json);
}
