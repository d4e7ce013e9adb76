/* The socket's verb `evacuate`: a zone is emptied, looked at, or given back. */
#include "controller/serve/api_evacuation.h"
#include "controller/serve/verbs.h"
#include "controller/settings/suggest.h"

struct evacuate_ask {
    struct request *request;
    struct evacuation order;
};

/* The order that stands for this zone, or NULL. */
static const struct evacuation *standing(const struct request *r, const char *zone)
{
    const struct evacuation *orders = NULL;
    size_t count = r->control->evacuations(r->control->ctx, &orders);
    for (size_t i = 0; i < count; i++)
        if (strcmp(orders[i].zone, zone) == 0)
            return &orders[i];
    return NULL;
}

static void ordered(void *ctx, enum stay_rc rc, const json_t *data, const struct stay_error *err)
{
    struct evacuate_ask *ask = ctx;
    struct request *r = ask->request;
    (void)data;
    r->is_pending = false;
    const struct evacuation *order = standing(r, ask->order.zone);
    if (rc != STAY_OK)
        request_fail(r, rc, 0, err);
    else
        request_answer(r, api_evacuation(r->control, order == NULL ? &ask->order : order));
    free(ask);
}

/* Zones of the configuration: false, and answered, when `zone` is none of them. */
static bool is_zone(struct request *r, const char *zone)
{
    struct control_cluster c;
    struct suggest near;
    char names[300] = "";
    suggest_init(&near, zone);
    for (size_t i = 0; i < r->control->cluster_count(r->control->ctx); i++) {
        if (!r->control->cluster_at(r->control->ctx, i, &c))
            continue;
        for (uint32_t n = 0; n < c.config->node_count; n++) {
            const char *name = c.config->nodes[n].zone;
            size_t used = strlen(names);
            if (strcmp(name, zone) == 0)
                return true;
            suggest_offer(&near, name);
            if (name[0] != '\0' && strstr(names, name) == NULL)
                (void)snprintf(names + used, sizeof names - used, "%s%s", used > 0 ? ", " : "",
                               name);
        }
    }
    request_refuse(r, 2, NULL, "no server stands in a zone \"%.40s\"; there are: %s%s%s%s", zone,
                   names, near.best == NULL ? "" : " (did you mean \"",
                   near.best == NULL ? "" : near.best, near.best == NULL ? "" : "\"?)");
    return false;
}

static bool read_order(struct request *r, struct evacuation *order)
{
    const char *zone = request_arg(r, "zone"), *reason = request_arg(r, "reason");
    const json_t *at_once = json_object_get(r->args, "at_once");
    json_int_t n = at_once == NULL ? 1 : json_integer_value(at_once);
    if (zone != NULL && strncmp(zone, "zone:", 5) == 0)
        zone += 5;
    if (zone == NULL || zone[0] == '\0') {
        request_refuse(r, 2, NULL, "evacuate needs a zone: evacuate zone:NAME");
        return false;
    }
    if (n < 1 || n > EVACUATION_AT_ONCE_MAX) {
        request_refuse(r, 2, NULL, "--at-once is 1 to %d", EVACUATION_AT_ONCE_MAX);
        return false;
    }
    order->at_once = (uint32_t)n;
    (void)stay_copy(order->by, sizeof order->by, r->actor);
    if (reason != NULL && !stay_copy(order->reason, sizeof order->reason, reason)) {
        request_refuse(r, 2, NULL, "--reason: at most %zu characters", sizeof order->reason - 1);
        return false;
    }
    if (!stay_copy(order->zone, sizeof order->zone, zone))
        order->zone[0] = '\0';
    return standing(r, zone) != NULL || is_zone(r, zone);
}

/* action: plan (what it would do), look (how far it is), begin, end. */
void verb_evacuate(struct request *r)
{
    struct evacuation order = {0};
    const char *action = request_arg(r, "action");
    if (!read_order(r, &order))
        return;
    bool is_end = action != NULL && strcmp(action, "end") == 0;
    bool begins = action != NULL && strcmp(action, "begin") == 0;
    if (r->dry_run || (!is_end && !begins)) {
        const struct evacuation *stands = standing(r, order.zone);
        bool looks = action != NULL && strcmp(action, "look") == 0 && stands != NULL;
        request_answer(r, api_evacuation(r->control, looks ? stands : &order));
        return;
    }
    struct evacuate_ask *ask = stay_calloc(1, sizeof *ask);
    *ask = (struct evacuate_ask){r, order};
    r->is_pending = true;
    r->control->evacuate(r->control->ctx, &ask->order, is_end, ordered, ask);
}
