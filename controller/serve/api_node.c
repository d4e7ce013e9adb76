/* One server as it is shown: role, reachability, lag, semi-sync part, what is wrong with it. */
#include "controller/serve/api_private.h"

#define UP_WITHIN_US (5 * STAY_SECOND)

bool api_node_is_up(const struct control_cluster *c, uint32_t node)
{
    const struct node_view *n = &c->view->nodes[node];
    return n->reach.outcome == OUT_OK && n->query_ok_mono_us != STAY_NEVER &&
           c->now_mono_us - n->query_ok_mono_us < UP_WITHIN_US;
}

/* A cluster that was not adopted has no recorded primary: the one writable server that follows
 * nobody is shown as such. */
static bool acts_as_primary(const struct control_cluster *c, uint32_t node)
{
    const struct server_facts *f = &c->view->nodes[node].facts;
    return c->view->primary == NO_NODE && f->read_only == TRI_NO && f->source_host[0] == '\0';
}

const char *api_role(const struct control_cluster *c, uint32_t node)
{
    const struct node_view *n = &c->view->nodes[node];
    if (c->view->record.quarantine[node] != QUARANTINE_NONE)
        return "quarantined";
    if (!api_node_is_up(c, node))
        return "down";
    if (c->view->primary == node || acts_as_primary(c, node))
        return "primary";
    if (n->facts.receiver != RECEIVER_NONE && n->facts.receiver != RECEIVER_UNKNOWN)
        return "replica";
    return "none";
}

uint32_t api_writable_primary(const struct control_cluster *c)
{
    for (uint32_t i = 0; i < c->config->node_count; i++)
        if (strcmp(api_role(c, i), "primary") == 0 && c->view->nodes[i].facts.read_only == TRI_NO)
            return i;
    return NO_NODE;
}

int64_t api_lag_us(const struct control_cluster *c, uint32_t node)
{
    const struct server_facts *f = &c->view->nodes[node].facts;
    uint32_t primary = c->view->primary;
    if (primary != NO_NODE && primary != node && f->canary_wall_us > 0) {
        int64_t ahead = c->view->nodes[primary].facts.canary_wall_us;
        if (ahead > 0)
            return ahead > f->canary_wall_us ? ahead - f->canary_wall_us : 0;
    }
    return f->lag_s >= 0 ? f->lag_s * STAY_SECOND : -1;
}

static const char *semi_sync_of(const struct server_facts *f)
{
    if (f->ss_source_on == TRI_YES)
        return "source";
    if (f->ss_replica_on == TRI_YES)
        return "replica";
    if (f->ss_source_on == TRI_NO || f->ss_replica_on == TRI_NO)
        return "off";
    return NULL;
}

void api_set_tri(json_t *obj, const char *key, enum tri value)
{
    stay_json_set(obj, key, value == TRI_UNKNOWN ? json_null() : json_boolean(value == TRI_YES));
}

void api_set_time(json_t *obj, const char *key, int64_t value, int64_t unknown)
{
    stay_json_set(obj, key, value == unknown ? json_null() : json_integer(value));
}

const char *api_node_name(const struct cluster_config *config, uint32_t node)
{
    return node < config->node_count ? config->nodes[node].name : NULL;
}

static const char *source_name(const struct control_cluster *c, const struct server_facts *f)
{
    uint32_t i = cluster_node_by_host(c->config, f->source_host);
    if (f->source_host[0] == '\0')
        return NULL;
    return i == NO_NODE ? f->source_host : c->config->nodes[i].name;
}

json_t *api_verdict_json(const struct verdict *v, const struct cluster_config *config)
{
    json_t *obj = json_object();
    stay_json_set_int(obj, "rule", v->rule_id);
    stay_json_set_string(obj, "name", v->name);
    stay_json_set_string(obj, "why", v->why);
    stay_json_set_string(obj, "node", api_node_name(config, v->node));
    stay_json_set_string(obj, "action", verdict_action_text(v->action));
    return obj;
}

/* The cluster's own verdict speaks for the primary; every other node has one of its own. */
bool api_node_verdict(const struct control_cluster *c, uint32_t node, struct verdict *ret)
{
    if (node == c->view->primary)
        return false;
    *ret = verdict_judge_replica(c->view, node, c->now_mono_us);
    return ret->name != NULL;
}

static void set_replication(json_t *obj, const struct control_cluster *c, uint32_t node)
{
    const struct server_facts *f = &c->view->nodes[node].facts;
    int64_t lag_us = api_lag_us(c, node);
    stay_json_set_string(obj, "source", source_name(c, f));
    stay_json_set_string(obj, "receiver", receiver_state_text(f->receiver));
    stay_json_set_string(obj, "receiver_error",
                         f->receiver_error[0] == '\0' ? NULL : f->receiver_error);
    api_set_tri(obj, "applier", f->applier);
    stay_json_set_string(obj, "applier_error",
                         f->applier_error[0] == '\0' ? NULL : f->applier_error);
    api_set_time(obj, "lag_us", node == c->view->primary ? 0 : lag_us, -1);
    stay_json_set_string(obj, "semi_sync", semi_sync_of(f));
}

char *api_extra(const struct control_cluster *c, uint32_t node)
{
    const struct node_view *n = &c->view->nodes[node];
    if (n->errant != TRI_YES || n->extra.n == 0)
        return NULL;
    return gtid_set_format(&n->extra);
}

json_t *api_node(const struct control_cluster *c, uint32_t node)
{
    const struct node_config *config = &c->config->nodes[node];
    const struct node_view *n = &c->view->nodes[node];
    json_t *obj = json_object();
    struct verdict verdict;
    char address[96];
    snprintf(address, sizeof address, strchr(config->host, ':') != NULL ? "[%s]:%u" : "%s:%u",
             config->host, config->port);
    stay_json_set_string(obj, "name", config->name);
    stay_json_set_string(obj, "address", address);
    stay_json_set_string(obj, "zone", config->zone);
    stay_json_set_string(obj, "promote", promote_rule_text(config->promote));
    stay_json_set_string(obj, "role", api_role(c, node));
    stay_json_set_bool(obj, "up", api_node_is_up(c, node));
    stay_json_set_string(obj, "reach",
                         n->reach.outcome == OUT_NONE ? NULL : obs_outcome_text(n->reach.outcome));
    stay_json_set_string(obj, "reach_layer", obs_layer_text(n->reach.layer));
    stay_json_set_string(obj, "reach_text", n->reach.text[0] == '\0' ? NULL : n->reach.text);
    api_set_time(obj, "answered_ago_us",
                 n->answered_mono_us == STAY_NEVER ? -1 : c->now_mono_us - n->answered_mono_us, -1);
    api_set_tri(obj, "read_only", n->facts.read_only);
    set_replication(obj, c, node);
    stay_json_set_string(obj, "version", n->facts.version[0] == '\0' ? NULL : n->facts.version);
    stay_json_set_int(obj, "server_id", (int64_t)n->facts.server_id);
    STAY_AUTO(stay_free_charp) char *executed = gtid_set_format(&n->facts.executed);
    STAY_AUTO(stay_free_charp) char *received = gtid_set_format(&n->facts.received);
    stay_json_set_string(obj, "executed", executed);
    stay_json_set_string(obj, "received", received);
    STAY_AUTO(stay_free_charp) char *extra = api_extra(c, node);
    stay_json_set_string(obj, "extra", extra);
    enum quarantine_reason reason = c->view->record.quarantine[node];
    stay_json_set_string(obj, "quarantine",
                         reason == QUARANTINE_NONE ? NULL : quarantine_text(reason));
    stay_json_set(obj, "verdict",
                  api_node_verdict(c, node, &verdict) ? api_verdict_json(&verdict, c->config)
                                                      : json_null());
    return obj;
}
