/* What a human needs to know after a total outage (rules 133 and 136): what each server holds as it
 * was last read, which one is recommended, what stands against it, and the one command. */
#include "controller/serve/api_private.h"

/* All that any server that answers executed or received. */
static void union_held(const struct control_cluster *c, struct gtid_set *ret_all)
{
    for (uint32_t i = 0; i < c->config->node_count; i++) {
        if (!cluster_node_fresh(c->view, i, c->now_mono_us))
            continue;
        gtid_set_union(ret_all, &c->view->nodes[i].facts.executed);
        gtid_set_union(ret_all, &c->view->nodes[i].facts.received);
    }
}

static void set_gtids(json_t *obj, const char *key, const struct gtid_set *set)
{
    STAY_AUTO(stay_free_charp) char *text = gtid_set_format(set);
    stay_json_set_string(obj, key, text);
}

static json_t *server(const struct control_cluster *c, uint32_t node, const struct gtid_set *all)
{
    const struct node_view *n = &c->view->nodes[node];
    bool known = (n->groups_known & FACTS_STATUS) != 0;
    json_t *obj = json_object();
    STAY_AUTO(gtid_set_drop) struct gtid_set lacks = {0};
    STAY_AUTO(gtid_set_drop) struct gtid_set waits = {0};
    stay_json_set_string(obj, "name", c->config->nodes[node].name);
    stay_json_set_bool(obj, "answers", cluster_node_fresh(c->view, node, c->now_mono_us));
    stay_json_set_bool(obj, "known", known);
    stay_json_set_bool(obj, "acker", (c->view->record.ackers >> node & 1) != 0);
    gtid_set_copy(&waits, &n->facts.received);
    gtid_set_subtract(&waits, &n->facts.executed);
    gtid_set_copy(&lacks, all);
    gtid_set_subtract(&lacks, &n->facts.executed);
    set_gtids(obj, "executed", &n->facts.executed);
    set_gtids(obj, "received_not_executed", &waits);
    set_gtids(obj, "lacks", &lacks);
    /* MariaDB tells after a restart only when it is read, event by event */
    stay_json_set_bool(obj, "relay_log_unread",
                       known && c->config->engine == ENGINE_MARIADB &&
                           n->facts.receiver == RECEIVER_STOPPED && n->facts.applier != TRI_YES);
    return obj;
}

json_t *api_outage(const struct control_cluster *c)
{
    if (c->decision->verdict.action != ACT_ASK || c->running || !c->view->record.adopted)
        return json_null();
    struct plan_params params = {.node = NO_NODE, .detected_mono_us = STAY_NEVER};
    json_t *obj = json_object(), *servers = json_array();
    STAY_AUTO(gtid_set_drop) struct gtid_set all = {0};
    STAY_AUTO(stay_json_drop) json_t *plan = api_plan(c, PLAN_RECOVER, &params, false);
    stay_json_set_string(obj, "refused", json_string_value(json_object_get(plan, "refused")));
    if (json_is_string(json_object_get(plan, "refused"))) { /* and if a human accepts loss? */
        json_decref(plan);
        params.accept_loss = true;
        (void)stay_copy(params.reason, sizeof params.reason, "as if accepted");
        plan = api_plan(c, PLAN_RECOVER, &params, false);
    }
    stay_json_set_string(obj, "recommended", json_string_value(json_object_get(plan, "candidate")));
    json_t *certificate = json_object_get(plan, "certificate");
    stay_json_set(obj, "certificate",
                  certificate == NULL ? json_null() : json_deep_copy(certificate));
    STAY_AUTO(stay_free_charp) char *command = stay_sprintf("mainstay recover %s", c->config->name);
    stay_json_set_string(obj, "command", command);
    union_held(c, &all);
    for (uint32_t i = 0; i < c->config->node_count; i++)
        stay_json_append(servers, server(c, i, &all));
    stay_json_set(obj, "servers", servers);
    return obj;
}
