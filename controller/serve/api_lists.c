/* What is wrong, over one cluster or all: problems, the verdict with the facts behind it,
 * conformance. */
#include "base/units.h"
#include "controller/serve/api_evacuation.h"
#include "controller/serve/api_private.h"

#define CHECKS_MAX 128

/* 100 is a healthy primary, 200 a healthy replica. */
static bool is_problem(const struct verdict *v)
{
    return v->rule_id != 100 && v->rule_id != 200;
}

static const char *severity(const struct verdict *v)
{
    switch (v->action) {
    case ACT_FAILOVER:
    case ACT_ASK:
    case ACT_FENCE_STALE:
    case ACT_MAKE_WRITABLE:
        return "critical";
    case ACT_NONE:
        return "note";
    case ACT_ALERT:
    case ACT_HOLD:
    case ACT_RELIEVE:
    case ACT_REPAIR_ACKERS:
    case ACT_REJOIN:
    case ACT_REPOINT:
    case ACT_START_REPLICATION:
    case ACT_QUARANTINE:
    case ACT_MODE_RESTORE:
    case ACT_MODE_DEGRADE:
    case ACT_END_STREAM:
    case ACT_COUNT:
        break;
    }
    return "warning";
}

static void add_problem(json_t *list, const struct control_cluster *c, const struct verdict *v,
                        const char *detail)
{
    json_t *row = api_verdict_json(v, c->config);
    stay_json_set_string(row, "cluster", c->config->name);
    stay_json_set_string(row, "severity", severity(v));
    stay_json_set_string(row, "detail", detail);
    if (strcmp(severity(v), "critical") == 0)
        json_array_insert_new(list, 0, row);
    else
        stay_json_append(list, row);
}

/* What the server itself says to it: the set it holds alone, the refusal with the account's name,
 * the replication error. NULL when it says nothing; caller frees. */
static char *node_detail(const struct control_cluster *c, uint32_t node)
{
    const struct node_view *n = &c->view->nodes[node];
    const char *text =
        n->facts.receiver_error[0] != '\0' ? n->facts.receiver_error : n->facts.applier_error;
    if (n->reach.outcome != OUT_NONE && n->reach.outcome != OUT_OK && n->reach.text[0] != '\0')
        text = n->reach.text;
    STAY_AUTO(stay_free_charp) char *extra = api_extra(c, node);
    if (extra != NULL)
        return stay_sprintf("it alone holds %s", extra);
    return text[0] == '\0' ? NULL : stay_strdup(text);
}

static char *primary_detail(const struct control_cluster *c)
{
    STAY_AUTO(stay_free_charp)
    char *said = c->view->primary == NO_NODE ? NULL : node_detail(c, c->view->primary);
    const char *text = c->decision->text;
    if (said == NULL)
        return text[0] == '\0' ? NULL : stay_strdup(text);
    return stay_sprintf("%s%s%s", text, text[0] == '\0' ? "" : ": ", said);
}

static bool is_zone_listed(const json_t *list, const char *zone)
{
    size_t i;
    json_t *row;
    json_array_foreach(list, i, row)
    {
        const char *listed = json_string_value(json_object_get(row, "zone"));
        if (listed != NULL && strcmp(listed, zone) == 0)
            return true;
    }
    return false;
}

/* Once, whatever the number of its clusters. */
static void add_zone(json_t *list, const struct control_cluster *c, const struct zone_census *zone)
{
    struct verdict v = verdict_zone_down();
    if (!zone_census_is_down(zone) || is_zone_listed(list, zone->name))
        return;
    STAY_AUTO(stay_free_charp)
    char *detail = stay_sprintf("zone %s: none of %u servers of %u clusters answers%s", zone->name,
                                zone->servers, zone->clusters,
                                zone->sending > 0 ? "; servers elsewhere receive from it" : "");
    json_t *row = api_verdict_json(&v, c->config);
    stay_json_set_string(row, "cluster", c->config->name);
    stay_json_set_string(row, "zone", zone->name);
    stay_json_set_string(row, "severity", "critical");
    stay_json_set_string(row, "detail", detail);
    json_array_insert_new(list, 0, row);
}

/* Ordered for a time, and not possible in its window: until a human releases or orders anew. */
static void add_missed(json_t *list, const struct control_cluster *c)
{
    char due[40];
    json_t *row = json_object();
    units_format_wall(due, sizeof due, c->view->record.switch_missed_wall_us);
    STAY_AUTO(stay_free_charp)
    char *detail = stay_sprintf("it was due at %s, ordered by %s; not done late: `mainstay "
                                "switchover %s --at TIME` anew, or `mainstay release %s`",
                                due, c->view->record.switch_by, c->config->name, c->config->name);
    stay_json_set_int(row, "rule", 0);
    stay_json_set_string(row, "name", "scheduled switchover missed");
    stay_json_set_string(row, "why",
                         "what stood against it did not end in its window of 10 minutes");
    stay_json_set_string(row, "node", NULL);
    stay_json_set_string(row, "action", verdict_action_text(ACT_ALERT));
    stay_json_set_string(row, "cluster", c->config->name);
    stay_json_set_string(row, "severity", "warning");
    stay_json_set_string(row, "detail", detail);
    stay_json_append(list, row);
}

static void problems_of(json_t *list, const struct control_cluster *c)
{
    struct verdict v = c->decision->verdict;
    STAY_AUTO(stay_free_charp) char *detail = primary_detail(c);
    if (v.name != NULL && is_problem(&v))
        add_problem(list, c, &v, detail);
    if (c->view->record.switch_missed_wall_us != 0)
        add_missed(list, c);
    for (uint32_t i = 0; c->census != NULL && i < c->census->zone_count; i++)
        add_zone(list, c, &c->census->zones[i]);
    for (uint32_t i = 0; i < c->config->node_count; i++) {
        /* Without a recorded primary the one that takes writes is not a replica gone wrong. */
        bool acts = c->view->primary == NO_NODE && strcmp(api_role(c, i), "primary") == 0;
        STAY_AUTO(stay_free_charp) char *said = node_detail(c, i);
        if (!acts && api_node_verdict(c, i, &v) && is_problem(&v))
            add_problem(list, c, &v, said);
    }
    if (!c->view->record.adopted)
        return;
    const struct rehearsal *rehearsed = api_rehearsed_primary(c);
    for (int o = 0; o < OBJECTIVE_COUNT && rehearsed != NULL; o++) {
        char why[REHEARSAL_BLOCK_MAX];
        v = verdict_objective((enum verdict_objective)o);
        if (!c->running && !c->decision->suspicion &&
            rehearsal_misses(c->config, rehearsed, (enum verdict_objective)o, why))
            add_problem(list, c, &v, why);
    }
    struct conformance rows[CHECKS_MAX];
    size_t n = verdict_conformance(c->view, c->now_mono_us, rows, CHECKS_MAX);
    for (size_t i = 0; i < n && i < CHECKS_MAX; i++)
        add_problem(list, c, &rows[i].verdict, rows[i].detail);
}

/* Calls fn for the cluster, or all; false when there is none of that name. */
static bool each_cluster(const struct control *control, const char *cluster,
                         void (*fn)(json_t *list, const struct control_cluster *c), json_t *list)
{
    struct control_cluster c;
    bool found = cluster == NULL;
    for (size_t i = 0; i < control->cluster_count(control->ctx); i++) {
        if (!control->cluster_at(control->ctx, i, &c) ||
            (cluster != NULL && strcmp(cluster, c.config->name) != 0))
            continue;
        found = true;
        fn(list, &c);
    }
    return found;
}

static json_t *list_of(const struct control *control, const char *cluster, const char *key,
                       void (*fn)(json_t *list, const struct control_cluster *c))
{
    json_t *out = json_object(), *list = json_array();
    bool found = each_cluster(control, cluster, fn, list);
    stay_json_set(out, key, list);
    if (found)
        return out;
    json_decref(out);
    return NULL;
}

/* Once a zone, and with the clusters that are left there. */
static void add_evacuation(json_t *list, const struct control *control,
                           const struct evacuation *order)
{
    size_t left = api_evacuation_left(control, order->zone);
    struct verdict v = verdict_zone_evacuated(left == 0);
    char since[40];
    units_format_wall(since, sizeof since, order->since_wall_us);
    STAY_AUTO(stay_free_charp)
    char *detail = stay_sprintf("zone %s, since %s by %s%s%s: %zu primar%s there", order->zone,
                                since, order->by, order->reason[0] == '\0' ? "" : ": ",
                                order->reason, left, left == 1 ? "y" : "ies");
    json_t *row = json_object();
    stay_json_set_int(row, "rule", v.rule_id);
    stay_json_set_string(row, "name", v.name);
    stay_json_set_string(row, "why", v.why);
    stay_json_set_string(row, "action", verdict_action_text(v.action));
    stay_json_set_string(row, "zone", order->zone);
    stay_json_set_string(row, "cluster", "zone");
    stay_json_set_string(row, "node", order->zone);
    stay_json_set_string(row, "severity", severity(&v));
    stay_json_set_string(row, "detail", detail);
    stay_json_append(list, row);
}

json_t *api_problems(const struct control *control, const char *cluster)
{
    const struct evacuation *orders = NULL;
    size_t count = control->evacuations == NULL ? 0 : control->evacuations(control->ctx, &orders);
    json_t *out = list_of(control, cluster, "problems", problems_of);
    for (size_t i = 0; i < count && out != NULL; i++)
        add_evacuation(json_object_get(out, "problems"), control, &orders[i]);
    return out;
}

static const char *fix_of_unread(const struct node_view *n, bool is_up, char *text, size_t size)
{
    const char *grant = strstr(n->reach.text, "GRANT ");
    if (is_up)
        return "ask again in a moment";
    if (n->reach.outcome != OUT_DENIED)
        return "start it, or mend its address";
    if (grant == NULL)
        return "mend the monitor account (deploy/grants) or its password file";
    (void)snprintf(text, size, "on the primary, as root: %s;", grant);
    return text;
}

/* A server nobody could ask has no wrong settings: said, so that silence is not taken for good. */
static void add_unread(json_t *list, const struct control_cluster *c, uint32_t node)
{
    const struct node_view *n = &c->view->nodes[node];
    bool is_up = api_node_is_up(c, node);
    if (is_up && (n->groups_known & FACTS_SLOW) != 0)
        return;
    char mend[224];
    json_t *row = json_object();
    stay_json_set_string(row, "cluster", c->config->name);
    stay_json_set_string(row, "node", c->config->nodes[node].name);
    stay_json_set_int(row, "rule", 0);
    stay_json_set_string(row, "name", "not asked");
    stay_json_set_string(row, "why",
                         is_up ? "its settings were not read yet"
                               : "what it was set to last may not be so now");
    stay_json_set_string(row, "detail",
                         is_up                      ? "asked within 10 s"
                         : n->reach.text[0] != '\0' ? n->reach.text
                                                    : "no answer");
    stay_json_set_string(row, "fix", fix_of_unread(n, is_up, mend, sizeof mend));
    stay_json_append(list, row);
}

static void checks_of(json_t *list, const struct control_cluster *c)
{
    for (uint32_t i = 0; i < c->config->node_count; i++)
        add_unread(list, c, i);
    struct conformance rows[CHECKS_MAX];
    size_t n = verdict_conformance(c->view, c->now_mono_us, rows, CHECKS_MAX);
    for (size_t i = 0; i < n && i < CHECKS_MAX; i++) {
        json_t *row = api_verdict_json(&rows[i].verdict, c->config);
        stay_json_set_string(row, "cluster", c->config->name);
        stay_json_set_string(row, "detail", rows[i].detail);
        stay_json_set_string(row, "fix", rows[i].fix);
        stay_json_set_bool(row, "live", rows[i].variable[0] != '\0');
        stay_json_set_string(row, "line", rows[i].line[0] == '\0' ? NULL : rows[i].line);
        stay_json_append(list, row);
    }
}

/* What `check --fix` would set on each server while it runs. */
static void live_of(json_t *list, const struct control_cluster *c)
{
    char settings[PLAN_SETTINGS_MAX];
    for (uint32_t i = 0; i < c->config->node_count; i++) {
        if (verdict_conformance_live(c->view, i, settings, sizeof settings) == 0)
            continue;
        json_t *row = json_object();
        stay_json_set_string(row, "cluster", c->config->name);
        stay_json_set_string(row, "node", c->config->nodes[i].name);
        stay_json_set_string(row, "settings", settings);
        stay_json_append(list, row);
    }
}

static void blind_of(json_t *list, const struct control_cluster *c)
{
    size_t count;
    const char *const *lines = verdict_conformance_blind(c->config, &count);
    for (size_t i = 0; i < count; i++) {
        json_t *row = json_object();
        stay_json_set_string(row, "cluster", c->config->name);
        stay_json_set_string(row, "line", lines[i]);
        stay_json_append(list, row);
    }
}

json_t *api_check(const struct control *control, const char *cluster)
{
    json_t *out = list_of(control, cluster, "checks", checks_of);
    json_t *blind = json_array(), *live = json_array();
    (void)each_cluster(control, cluster, blind_of, blind);
    (void)each_cluster(control, cluster, live_of, live);
    if (out != NULL) {
        stay_json_set(out, "not_readable", blind);
        stay_json_set(out, "live", live);
    } else {
        json_decref(blind);
        json_decref(live);
    }
    return out;
}

json_t *api_verdict(const struct control_cluster *c)
{
    json_t *out = json_object(), *facts = json_object(), *nodes = json_array();
    struct primary_facts f;
    verdict_primary_facts(c->view, c->now_mono_us, &f);
#define X(name, what) api_set_tri(facts, #name, f.name);
    PRIMARY_FACTS(X)
#undef X
    for (uint32_t i = 0; i < c->config->node_count; i++) {
        struct verdict v;
        if (api_node_verdict(c, i, &v)) {
            json_t *row = api_verdict_json(&v, c->config);
            stay_json_set_string(row, "node", c->config->nodes[i].name);
            stay_json_append(nodes, row);
        }
    }
    stay_json_set_string(out, "cluster", c->config->name);
    stay_json_set(out, "verdict", api_verdict_json(&c->decision->verdict, c->config));
    stay_json_set(out, "facts", facts);
    stay_json_set(out, "nodes", nodes);
    stay_json_set_string(out, "want",
                         c->decision->want == PLAN_NONE ? NULL : plan_kind_text(c->decision->want));
    stay_json_set(out, "refused_by",
                  api_guards(c->decision->want == PLAN_NONE ? 0 : c->decision->vetoes));
    stay_json_set_string(out, "text", c->decision->text);
    return out;
}
