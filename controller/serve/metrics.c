/* Samples are collected family by family, then printed in the table's order. */
#include "controller/serve/metrics.h"
#include "controller/serve/api_evacuation.h"
#include "controller/serve/api.h"
#include "controller/serve/http.h"

/* Row order is print order. */
static const struct metric_family families[] = {
    {"build_info", "gauge", "Version of this controller, always 1"},
    {"ready", "gauge", "1 once every cluster was seen and the store works"},
    {"leader", "gauge", "1 on the controller that acts"},
    {"paused", "gauge", "1 while the kill switch of the whole controller is on"},
    {"hold", "gauge", "1 while it watches only: clock jump, loop stall, fresh start"},
    {"isolated", "gauge", "1 while this controller sees no server at all"},
    {"store_ok", "gauge", "1 while the store answers"},
    {"cluster_adopted", "gauge", "1 when the cluster is managed, 0 when only observed"},
    {"cluster_paused", "gauge", "1 while the kill switch of this cluster is on"},
    {"cluster_maintenance", "gauge", "1 during maintenance"},
    {"cluster_cooldown", "gauge", "1 while a past failover keeps the next one from starting alone"},
    {"cluster_epoch", "gauge", "Number of the present reign; rises with every intent"},
    {"cluster_verdict", "gauge", "Rule id of the verdict; 100 is healthy"},
    {"cluster_suspicion", "gauge", "1 while the primary is under suspicion"},
    {"cluster_writable", "gauge", "1 while a known primary takes writes"},
    {"cluster_lossless", "gauge", "1 while the lossless promise stands"},
    {"cluster_mode", "gauge", "Durability mode as recorded: 1 on the mode that is in force"},
    {"cluster_ackers", "gauge", "Servers in other zones that acknowledge the primary's commits"},
    {"cluster_failable", "gauge", "1 when nothing would block a failover if the primary died now"},
    {"rehearsal_failable", "gauge", "1 when nothing blocks, should that node or zone die"},
    {"rehearsal_held", "gauge", "1 while a guard (pause, cooldown, confirm ...) would hold it"},
    {"rehearsal_predicted_seconds", "gauge", "Write outage foreseen by the last rehearsal"},
    {"rehearsal_age_seconds", "gauge", "Since the last round of rehearsals"},
    {"rehearsal_error_seconds", "gauge", "Last failover: outage measured less outage foreseen"},
    {"cluster_proxies", "gauge", "Proxies that route this cluster's clients"},
    {"cluster_proxies_unreachable", "gauge", "Those that did not answer when last asked"},
    {"cluster_proxy_corrections_total", "counter", "Proxies brought back to what was decided"},
    {"cluster_plan_running", "gauge", "1 while a plan runs"},
    {"node_up", "gauge", "1 while the server answers status queries"},
    {"node_primary", "gauge", "1 on the primary"},
    {"node_writable", "gauge", "1 on a server that takes writes"},
    {"node_replicating", "gauge", "1 while receiver and applier run"},
    {"node_lag_seconds", "gauge", "Replication lag, by the canary row where there is one"},
    {"node_connections", "gauge", "Threads connected"},
    {"node_semi_sync_clients", "gauge", "Semi-sync replicas connected to this source"},
    {"node_semi_sync_waiters", "gauge", "Sessions waiting for an acknowledgement"},
    {"node_semi_sync_no_total", "counter", "Commits that went on without acknowledgement"},
    {"node_quarantined", "gauge", "1 while the server is kept apart"},
    {"turns_total", "counter", "Judgements made"},
    {"plans_started_total", "counter", "Plans begun by this process"},
    {"plans_succeeded_total", "counter", "Plans that reached their end"},
    {"plans_undone_total", "counter", "Plans that were undone"},
    {"plans_asking_total", "counter", "Plans that stopped for a human"},
    {"last_outage_seconds", "gauge", "Write outage of the last failover or switchover"},
    {"loop_turns_total", "counter", "Turns of the event loop"},
    {"loop_stalls_total", "counter", "Turns that took too long"},
    {"loop_clock_jumps_total", "counter", "Jumps of the wall clock"},
    {"loop_worst_turn_seconds", "gauge", "Longest turn since start"},
    {"holds_total", "counter", "Times the controller held still"},
    {"store_errors_total", "counter", "Failed reads and writes of the store"},
    {"reloads_total", "counter", "Configurations taken"},
    {"reload_errors_total", "counter", "Configurations refused"},
    {"zone_evacuated", "gauge", "1 while the zone is being evacuated"},
    {"zone_evacuated_primaries", "gauge", "Primaries that stand in it still"},
    {"recorder_written_total", "counter", "Decisions recorded"},
    {"recorder_lost_total", "counter", "Decisions that could not be recorded"},
    {"process_cpu_seconds_total", "counter", "CPU time of this process"},
    {"process_max_resident_bytes", "gauge", "Largest resident memory of this process"},
};

struct page {
    struct str samples[STAY_COUNT(families)];
};

const struct metric_family *metric_families(size_t *ret_count)
{
    *ret_count = STAY_COUNT(families);
    return families;
}

static void emit(void *ctx, const char *name, const char *labels, double value)
{
    struct page *page = ctx;
    for (size_t i = 0; i < STAY_COUNT(families); i++)
        if (strcmp(families[i].name, name) == 0)
            str_addf(&page->samples[i], "mainstay_%s%s %.15g\n", name, labels, value);
}

/* Names are [a-z0-9-] (names.h): nothing in a label needs escaping. */
static void emit_node(struct page *page, const struct control_cluster *c, uint32_t node)
{
    const struct node_config *config = &c->config->nodes[node];
    const struct server_facts *f = &c->view->nodes[node].facts;
    bool up = api_node_is_up(c, node);
    int64_t lag_us = api_lag_us(c, node);
    const char *role = api_role(c, node);
    char labels[160];
    snprintf(labels, sizeof labels, "{cluster=\"%s\",node=\"%s\",zone=\"%s\"}", c->config->name,
             config->name, config->zone);
    emit(page, "node_up", labels, up);
    emit(page, "node_primary", labels, c->view->primary == node);
    emit(page, "node_quarantined", labels, strcmp(role, "quarantined") == 0);
    if (!up)
        return;
    emit(page, "node_writable", labels, f->read_only == TRI_NO);
    if (c->view->primary != node) {
        emit(page, "node_replicating", labels,
             f->receiver == RECEIVER_RUNNING && f->applier == TRI_YES);
        if (lag_us >= 0)
            emit(page, "node_lag_seconds", labels, (double)lag_us / 1e6);
    }
    emit(page, "node_connections", labels, (double)f->connections);
    emit(page, "node_semi_sync_clients", labels, (double)f->ss_clients);
    emit(page, "node_semi_sync_waiters", labels, (double)f->ss_waiters);
    emit(page, "node_semi_sync_no_total", labels, (double)f->ss_no_tx);
}

static void emit_mode(struct page *page, const struct control_cluster *c)
{
    static const enum durability_mode modes[] = {MODE_UNSAFE, MODE_BOUNDED, MODE_LOSSLESS};
    for (size_t i = 0; i < STAY_COUNT(modes); i++) {
        char labels[96];
        snprintf(labels, sizeof labels, "{cluster=\"%s\",mode=\"%s\"}", c->config->name,
                 durability_mode_text(modes[i]));
        emit(page, "cluster_mode", labels, c->view->record.mode == modes[i]);
    }
}

/* By the last round; judged now while there was none. */
static bool is_failable(const struct control_cluster *c)
{
    const struct rehearsal *last = api_rehearsed_primary(c);
    if (last != NULL)
        return last->is_failable;
    struct rehearsal *r = stay_calloc(1, sizeof *r);
    bool failable = api_rehearse_primary(c, r) && r->is_failable;
    free(r);
    return failable;
}

static void emit_rehearsals(struct page *page, const struct control_cluster *c,
                            const char *cluster_labels)
{
    for (size_t i = 0; i < c->rehearsal_count; i++) {
        const struct rehearsal *r = &c->rehearsals[i];
        char name[NAME_MAX_LEN + 8], labels[160];
        rehearsal_name(&r->loss, name);
        snprintf(labels, sizeof labels, "{cluster=\"%s\",lose=\"%s\"}", c->config->name, name);
        emit(page, "rehearsal_failable", labels, r->is_failable);
        emit(page, "rehearsal_held", labels, r->primary_lost && r->vetoes != 0);
        if (r->outage_us >= 0)
            emit(page, "rehearsal_predicted_seconds", labels, (double)r->outage_us / 1e6);
    }
    if (c->rehearsal_count > 0)
        emit(page, "rehearsal_age_seconds", cluster_labels,
             (double)(c->now_mono_us - c->rehearsed_mono_us) / 1e6);
    if (c->has_prediction_error)
        emit(page, "rehearsal_error_seconds", cluster_labels,
             (double)c->prediction_error_us / 1e6);
}

static void emit_cluster(struct page *page, const struct control_cluster *c)
{
    const struct cluster_record *r = &c->view->record;
    bool strangers;
    char labels[64];
    snprintf(labels, sizeof labels, "{cluster=\"%s\"}", c->config->name);
    emit(page, "cluster_adopted", labels, r->adopted);
    emit(page, "cluster_paused", labels, r->paused);
    emit(page, "cluster_maintenance", labels, r->maintenance_until_wall_us > c->now_wall_us);
    emit(page, "cluster_cooldown", labels, r->cooldown_until_wall_us > c->now_wall_us);
    emit(page, "cluster_epoch", labels, (double)r->epoch);
    emit(page, "cluster_verdict", labels, c->decision->verdict.rule_id);
    emit(page, "cluster_suspicion", labels, c->decision->suspicion);
    emit(page, "cluster_writable", labels, api_writable_primary(c) != NO_NODE);
    emit(page, "cluster_lossless", labels, r->mode == MODE_LOSSLESS && r->lossless_stands);
    emit_mode(page, c);
    emit(page, "cluster_ackers", labels,
         __builtin_popcount(cluster_ackers_now(c->view, &strangers)));
    emit(page, "cluster_failable", labels, is_failable(c));
    emit_rehearsals(page, c, labels);
    if (c->routes.proxies > 0) {
        emit(page, "cluster_proxies", labels, c->routes.proxies);
        emit(page, "cluster_proxies_unreachable", labels, c->routes.unreachable);
        emit(page, "cluster_proxy_corrections_total", labels, (double)c->routes.corrections);
    }
    emit(page, "cluster_plan_running", labels, c->running);
    for (uint32_t i = 0; i < c->config->node_count; i++)
        emit_node(page, c, i);
}

static void emit_evacuations(struct page *page, const struct control *control)
{
    const struct evacuation *orders = NULL;
    size_t count = control->evacuations == NULL ? 0 : control->evacuations(control->ctx, &orders);
    for (size_t i = 0; i < count; i++) {
        char labels[64];
        snprintf(labels, sizeof labels, "{zone=\"%s\"}", orders[i].zone);
        emit(page, "zone_evacuated", labels, 1);
        emit(page, "zone_evacuated_primaries", labels,
             (double)api_evacuation_left(control, orders[i].zone));
    }
}

/* The whole page. A sample of a name that is not in the table is left out: no help, no series. */
static void metrics_format(const struct control *control, struct str *out)
{
    struct page *page = stay_calloc(1, sizeof *page);
    struct control_cluster c;
    emit(page, "build_info", "{version=\"" MAINSTAY_VERSION "\"}", 1);
    emit(page, "ready", "", control->is_ready(control->ctx));
    emit(page, "leader", "", control->is_leader(control->ctx));
    for (size_t i = 0; i < control->cluster_count(control->ctx); i++)
        if (control->cluster_at(control->ctx, i, &c))
            emit_cluster(page, &c);
    emit_evacuations(page, control);
    if (control->metrics != NULL)
        control->metrics(control->ctx, emit, page);
    for (size_t i = 0; i < STAY_COUNT(families); i++) {
        if (page->samples[i].length > 0)
            str_addf(out, "# HELP mainstay_%s %s\n# TYPE mainstay_%s %s\n%s", families[i].name,
                     families[i].help, families[i].name, families[i].type,
                     str_text(&page->samples[i]));
        str_clear(&page->samples[i]);
    }
    free(page);
}

void http_metrics(struct http_request *request)
{
    request->answer.status = 200;
    request->answer.type = "text/plain; version=0.0.4; charset=utf-8";
    request->answer.body.max = (size_t)64 * 1024 * 1024;
    metrics_format(request->control, &request->answer.body);
}
