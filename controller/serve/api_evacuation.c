/* A zone that is being emptied: the plan before it, how far it is, what each cluster's move took.
 */
#include "controller/serve/api_evacuation.h"

#include "controller/serve/api_private.h"

#define PLANS_LOOKED 20 /* of a cluster, newest first, for the move of this order */

/* --- what a move took ------------------------------------------------------------------------ */

struct move_search {
    const char *zone;
    int64_t since_wall_us;
    json_t *found; /* a summary; NULL: none */
};

static bool is_move(const json_t *summary, const struct move_search *search)
{
    const char *kind = json_string_value(json_object_get(summary, "kind"));
    const char *reason = json_string_value(json_object_get(summary, "reason"));
    size_t n = strlen(EVACUATION_REASON), m = strlen(search->zone);
    return kind != NULL && reason != NULL && strcmp(kind, plan_kind_text(PLAN_SWITCHOVER)) == 0 &&
           json_integer_value(json_object_get(summary, "begun_wall_us")) >= search->since_wall_us &&
           strncmp(reason, EVACUATION_REASON, n) == 0 &&
           strncmp(reason + n, search->zone, m) == 0 &&
           (reason[n + m] == '\0' || reason[n + m] == ':');
}

static void search_move(void *ctx, enum stay_rc rc, const json_t *data,
                        const struct stay_error *err)
{
    struct move_search *search = ctx;
    const json_t *list = json_is_object(data) ? json_object_get(data, "plans") : data;
    size_t i;
    json_t *summary;
    (void)rc;
    (void)err;
    json_array_foreach(list, i, summary)
    {
        if (search->found == NULL && is_move(summary, search))
            search->found = json_deep_copy(summary);
    }
}

static void set_move(json_t *row, const struct control *control, const struct control_cluster *c,
                     const struct evacuation *order)
{
    struct move_search search = {order->zone, order->since_wall_us, NULL};
    static const char *const keys[] = {"duration_us", "outage_us"};
    if (order->since_wall_us != 0) /* a list is answered at once */
        control->history(control->ctx, c->config->name, NULL, PLANS_LOOKED, search_move, &search);
    const json_t *s = search.found;
    stay_json_set_string(row, "plan", json_string_value(json_object_get(s, "id")));
    for (size_t i = 0; i < STAY_COUNT(keys); i++) {
        json_int_t us = json_integer_value(json_object_get(s, keys[i]));
        stay_json_set(row, keys[i], s != NULL && us >= 0 ? json_integer(us) : json_null());
    }
    if (s != NULL) {
        stay_json_set_string(row, "from", json_string_value(json_object_get(s, "old_primary")));
        stay_json_set_string(row, "to", json_string_value(json_object_get(s, "candidate")));
    }
    json_decref(search.found);
}

/* --- one cluster ----------------------------------------------------------------------------- */

/* What is true of its promise once the zone is gone; NULL: it stays as it is. */
static const char *warning(const struct control_cluster *c, const struct evacuation *order,
                           const struct evacuation_cluster *now)
{
    uint32_t nodes = evacuation_nodes(c->config, order->zone), to = now->to;
    uint32_t steady = now->steady;
    if (c->config->mode != MODE_LOSSLESS || c->view->record.mode != MODE_LOSSLESS ||
        c->view->primary == NO_NODE)
        return NULL;
    bool stands_there = (nodes & (UINT32_C(1) << c->view->primary)) != 0;
    if (stands_there && to == NO_NODE)
        return NULL;
    if (!stands_there) {
        uint32_t ackers = cluster_ackers_now(c->view, NULL) & ~nodes & ~c->view->evacuated;
        steady = (uint32_t)__builtin_popcount(ackers);
    }
    if (steady >= c->config->acks)
        return NULL;
    return c->config->without_acker == WITHOUT_ACKER_BLOCK
               ? "its only ackers stand in the zone: when they are down, its writes wait"
               : "its only ackers stand in the zone: when they are down, it runs bounded";
}

static json_t *cluster_row(const struct control *control, const struct control_cluster *c,
                           const struct evacuation *order, enum evacuation_state *ret_state)
{
    struct evacuation_cluster now;
    json_t *row = json_object();
    evacuation_judge(c->view, c->run, c->decision, order, c->now_mono_us, c->now_wall_us, &now);
    *ret_state = now.state;
    stay_json_set_string(row, "cluster", c->config->name);
    stay_json_set_string(row, "state", evacuation_state_text(now.state));
    stay_json_set_string(row, "from", api_node_name(c->config, c->view->primary));
    stay_json_set_string(row, "to", api_node_name(c->config, now.to));
    stay_json_set_string(row, "why", now.why[0] == '\0' ? NULL : now.why);
    stay_json_set_string(row, "warning", warning(c, order, &now));
    bool is_tried = now.state == EVACUATION_MOVED || now.state == EVACUATION_MOVING ||
                    now.state == EVACUATION_FAILED;
    if (is_tried)
        set_move(row, control, c, order);
    return row;
}

static const char *phase_of(const unsigned counts[EVACUATION_STATE_COUNT])
{
    if (counts[EVACUATION_MOVING] > 0)
        return "moving";
    if (counts[EVACUATION_FAILED] > 0)
        return "stopped";
    if (counts[EVACUATION_DUE] + counts[EVACUATION_WAITS] > 0)
        return "moving";
    return counts[EVACUATION_HELD] > 0 ? "held" : "done";
}

static void set_order(json_t *out, const struct evacuation *order)
{
    stay_json_set_string(out, "zone", order->zone);
    stay_json_set_bool(out, "stands", order->since_wall_us != 0);
    stay_json_set_string(out, "by", order->by);
    stay_json_set_string(out, "reason", order->reason[0] == '\0' ? NULL : order->reason);
    api_set_time(out, "since_wall_us", order->since_wall_us, 0);
    stay_json_set_int(out, "at_once", order->at_once);
}

json_t *api_evacuation(const struct control *control, const struct evacuation *order)
{
    json_t *out = json_object(), *list = json_array();
    unsigned counts[EVACUATION_STATE_COUNT] = {0};
    struct control_cluster c;
    bool is_inside = false;
    for (size_t i = 0; i < control->cluster_count(control->ctx); i++) {
        enum evacuation_state state;
        if (!control->cluster_at(control->ctx, i, &c) ||
            evacuation_nodes(c.config, order->zone) == 0)
            continue;
        is_inside = is_inside || strcmp(c.config->controller_zone, order->zone) == 0;
        stay_json_append(list, cluster_row(control, &c, order, &state));
        counts[state]++;
    }
    set_order(out, order);
    stay_json_set_string(out, "phase", phase_of(counts));
    stay_json_set_bool(out, "controller_inside", is_inside);
    stay_json_set_int(out, "left", (int64_t)api_evacuation_left(control, order->zone));
    stay_json_set(out, "clusters", list);
    return out;
}

size_t api_evacuation_left(const struct control *control, const char *zone)
{
    struct control_cluster c;
    size_t left = 0;
    for (size_t i = 0; i < control->cluster_count(control->ctx); i++)
        left += control->cluster_at(control->ctx, i, &c) && c.view->primary != NO_NODE &&
                strcmp(c.config->nodes[c.view->primary].zone, zone) == 0;
    return left;
}

json_t *api_evacuations(const struct control *control)
{
    json_t *list = json_array();
    const struct evacuation *orders = NULL;
    size_t count = control->evacuations == NULL ? 0 : control->evacuations(control->ctx, &orders);
    for (size_t i = 0; i < count; i++) {
        json_t *row = json_object();
        set_order(row, &orders[i]);
        stay_json_set_int(row, "left", (int64_t)api_evacuation_left(control, orders[i].zone));
        stay_json_append(list, row);
    }
    return list;
}
