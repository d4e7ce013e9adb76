/* A cluster as it is shown: what is promised, whether the promise stands, what is wrong, what would
 * happen if the primary died now; and the lists made of many clusters. */
#include "controller/serve/api_evacuation.h"
#include "controller/serve/api_private.h"

json_t *api_node_names(const struct cluster_config *config, uint32_t mask)
{
    json_t *names = json_array();
    for (uint32_t i = 0; i < config->node_count; i++)
        if ((mask >> i & 1) != 0)
            stay_json_append(names, stay_json_string(config->nodes[i].name));
    return names;
}

json_t *api_guards(uint32_t vetoes)
{
    json_t *names = json_array();
    for (unsigned i = 0; i < GUARD_COUNT; i++)
        if ((vetoes >> i & 1) != 0)
            stay_json_append(names, stay_json_string(guard_name((enum guard_id)i)));
    return names;
}

json_t *api_plan(const struct control_cluster *c, enum plan_kind kind,
                 const struct plan_params *params, bool automatic)
{
    json_t *plan = plan_describe(kind, params, c->view, c->now_mono_us, c->now_wall_us);
    uint32_t vetoes = guard_check(c->view, c->running ? c->run : NULL, NULL, kind, automatic,
                                  c->now_mono_us, c->now_wall_us);
    stay_json_set_string(plan, "cluster", c->config->name);
    stay_json_set(plan, "refused_by", api_guards(vetoes));
    return plan;
}

/* The last round in short: each death, whether it would be survived, and what blocks. */
static json_t *rehearsed(const struct control_cluster *c)
{
    json_t *list = json_array();
    for (size_t i = 0; i < c->rehearsal_count; i++) {
        const struct rehearsal *r = &c->rehearsals[i];
        char name[NAME_MAX_LEN + 8];
        json_t *row = json_object();
        rehearsal_name(&r->loss, name);
        stay_json_set_string(row, "lose", name);
        stay_json_set_bool(row, "primary_lost", r->primary_lost);
        stay_json_set_bool(row, "failable", r->is_failable);
        stay_json_set_string(row, "candidate", api_node_name(c->config, r->candidate));
        stay_json_set_string(row, "certificate",
                             r->has_certificate ? certificate_kind_text(r->certificate.kind)
                                                : NULL);
        api_set_time(row, "predicted_us", r->outage_us, -1);
        stay_json_set_string(row, "block", r->block_count == 0 ? NULL : r->blocks[0]);
        stay_json_append(list, row);
    }
    return list;
}

/* The rehearsal: what would happen if the primary died now. `refused` is what blocks it; guards are
 * shown beside it. */
static json_t *exposure(const struct control_cluster *c)
{
    json_t *out = json_object(), *certificate = NULL;
    struct rehearsal *r = stay_calloc(1, sizeof *r);
    bool known = api_rehearse_primary(c, r);
    if (known && r->has_certificate)
        certificate = certificate_to_json(&r->certificate);
    stay_json_set_string(out, "candidate", known ? api_node_name(c->config, r->candidate) : NULL);
    stay_json_set(out, "certificate", certificate == NULL ? json_null() : certificate);
    stay_json_set_string(out, "refused",
                         !known                ? "no primary is known"
                         : r->block_count == 0 ? NULL
                                               : r->blocks[0]);
    stay_json_set(out, "refused_by", api_guards(known && r->want != PLAN_NONE ? r->vetoes : 0));
    api_set_time(out, "predicted_us", known ? r->outage_us : -1, -1);
    stay_json_set_int(out, "measured_plans", known ? r->forecast.plans : 0);
    stay_json_set(out, "losses", rehearsed(c));
    free(r);
    return out;
}

/* Why the wanted plan does not start although no guard holds it; NULL: nothing stands against. */
static char *refusal(const struct control_cluster *c)
{
    if (c->decision->want == PLAN_NONE || c->decision->vetoes != 0 || c->running)
        return NULL;
    STAY_AUTO(stay_json_drop)
    json_t *plan = plan_describe(c->decision->want, &c->decision->params, c->view, c->now_mono_us,
                                 c->now_wall_us);
    const char *refused = json_string_value(json_object_get(plan, "refused"));
    return refused == NULL ? NULL : stay_strdup(refused);
}

static json_t *routes(const struct control_cluster *c)
{
    json_t *out = json_object();
    stay_json_set_int(out, "proxies", c->routes.proxies);
    stay_json_set_int(out, "unreachable", c->routes.unreachable);
    stay_json_set_int(out, "corrections", (int64_t)c->routes.corrections);
    return out;
}

static void set_promise(json_t *obj, const struct control_cluster *c)
{
    const struct cluster_record *r = &c->view->record;
    bool strangers = false;
    uint32_t ackers = cluster_ackers_now(c->view, &strangers);
    stay_json_set_string(obj, "mode", durability_mode_text(r->mode));
    stay_json_set_string(obj, "mode_wanted", durability_mode_text(c->config->mode));
    stay_json_set_bool(obj, "lossless_stands", r->lossless_stands);
    api_set_time(obj, "lossless_since_wall_us", r->lossless_stands ? r->lossless_since_wall_us : 0,
                 0);
    stay_json_set(obj, "ackers", api_node_names(c->config, ackers));
    stay_json_set_bool(obj, "unknown_ackers", strangers);
}

static void set_switches(json_t *obj, const struct control_cluster *c)
{
    const struct cluster_record *r = &c->view->record;
    bool maintenance = r->maintenance_until_wall_us > c->now_wall_us;
    bool cooldown = r->cooldown_until_wall_us > c->now_wall_us;
    stay_json_set_bool(obj, "adopted", r->adopted);
    stay_json_set_bool(obj, "paused", r->paused || c->view->paused_all);
    stay_json_set_bool(obj, "paused_all", c->view->paused_all);
    stay_json_set_bool(obj, "asks", !c->running && decide_is_human_asked(c->view, c->run));
    stay_json_set_string(obj, "asks_about", r->asks[0] == '\0' ? NULL : r->asks);
    api_set_time(obj, "switch_at_wall_us", r->switch_at_wall_us, 0);
    api_set_time(obj, "switch_missed_wall_us", r->switch_missed_wall_us, 0);
    stay_json_set_string(obj, "switch_to", r->switch_to[0] == '\0' ? NULL : r->switch_to);
    stay_json_set_string(obj, "switch_by", r->switch_by[0] == '\0' ? NULL : r->switch_by);
    api_set_time(obj, "maintenance_until_wall_us", maintenance ? r->maintenance_until_wall_us : 0,
                 0);
    api_set_time(obj, "cooldown_until_wall_us", cooldown ? r->cooldown_until_wall_us : 0, 0);
}

json_t *api_cluster(const struct control_cluster *c)
{
    json_t *obj = json_object(), *nodes = json_array();
    stay_json_set_string(obj, "name", c->config->name);
    stay_json_set_string(obj, "engine", engine_text(c->config->engine));
    stay_json_set_string(obj, "primary", api_node_name(c->config, c->view->primary));
    stay_json_set_string(obj, "writable", api_node_name(c->config, api_writable_primary(c)));
    stay_json_set_int(obj, "epoch", (int64_t)c->view->record.epoch);
    set_promise(obj, c);
    set_switches(obj, c);
    stay_json_set(obj, "verdict", api_verdict_json(&c->decision->verdict, c->config));
    stay_json_set_bool(obj, "suspicion", c->decision->suspicion);
    stay_json_set_string(obj, "want",
                         c->decision->want == PLAN_NONE ? NULL : plan_kind_text(c->decision->want));
    stay_json_set(obj, "refused_by",
                  api_guards(c->decision->want == PLAN_NONE ? 0 : c->decision->vetoes));
    STAY_AUTO(stay_free_charp) char *refused = refusal(c);
    stay_json_set_string(obj, "refused", refused);
    stay_json_set_int(obj, "checks",
                      (int64_t)verdict_conformance(c->view, c->now_mono_us, NULL, 0));
    stay_json_set_string(obj, "text", c->decision->text[0] == '\0' ? NULL : c->decision->text);
    stay_json_set(obj, "exposure", exposure(c));
    stay_json_set(obj, "outage", api_outage(c));
    stay_json_set(obj, "routes", routes(c));
    stay_json_set(obj, "plan", c->running ? api_run_brief(c->run) : json_null());
    stay_json_set(obj, "last_plan", c->running ? json_null() : api_run_brief(c->run));
    for (uint32_t i = 0; i < c->config->node_count; i++)
        stay_json_append(nodes, api_node(c, i));
    stay_json_set(obj, "nodes", nodes);
    return obj;
}

json_t *api_status(const struct control *control, const char *cluster)
{
    json_t *out = json_object(), *clusters = json_array(), *self = json_object();
    struct control_cluster c;
    bool found = cluster == NULL;
    for (size_t i = 0; i < control->cluster_count(control->ctx); i++) {
        if (!control->cluster_at(control->ctx, i, &c))
            continue;
        if (cluster != NULL && strcmp(cluster, c.config->name) != 0)
            continue;
        found = true;
        stay_json_append(clusters, api_cluster(&c));
    }
    stay_json_set_string(self, "version", MAINSTAY_VERSION);
    stay_json_set_bool(self, "ready", control->is_ready(control->ctx));
    stay_json_set_string(self, "holds", control->holds(control->ctx));
    stay_json_set_bool(self, "leader", control->is_leader(control->ctx));
    stay_json_set(out, "controller", self);
    stay_json_set(out, "evacuations", api_evacuations(control));
    stay_json_set(out, "clusters", clusters);
    if (found)
        return out;
    json_decref(out);
    return NULL;
}

json_t *api_topology(const struct control_cluster *c)
{
    json_t *out = json_object(), *nodes = json_array(), *edges = json_array();
    for (uint32_t i = 0; i < c->config->node_count; i++) {
        const struct server_facts *f = &c->view->nodes[i].facts;
        uint32_t source =
            f->source_host[0] == '\0' ? NO_NODE : cluster_node_by_host(c->config, f->source_host);
        stay_json_append(nodes, api_node(c, i));
        if (f->source_host[0] == '\0')
            continue;
        json_t *edge = json_object();
        stay_json_set_string(edge, "from",
                             source == NO_NODE ? f->source_host : c->config->nodes[source].name);
        stay_json_set_string(edge, "to", c->config->nodes[i].name);
        api_set_tri(edge, "receiving",
                    source == NO_NODE ? TRI_UNKNOWN
                                      : cluster_node_receives(c->view, i, source, c->now_mono_us));
        api_set_tri(edge, "semi_sync", f->ss_replica_on);
        api_set_time(edge, "lag_us", api_lag_us(c, i), -1);
        stay_json_append(edges, edge);
    }
    stay_json_set_string(out, "name", c->config->name);
    stay_json_set_string(out, "primary", api_node_name(c->config, c->view->primary));
    stay_json_set(out, "nodes", nodes);
    stay_json_set(out, "edges", edges);
    return out;
}
