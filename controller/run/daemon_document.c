/* A plan run as the stored document: summary, run, timeline. Times of detection and of the clients'
 * outage are known only here, beside the view. */
#include "base/base.h"
#include "base/json.h"
#include "controller/run/daemon_private.h"

const char *daemon_node_name(const struct daemon_cluster *c, uint32_t node)
{
    return node < c->settings->config.node_count ? c->settings->config.nodes[node].name : NULL;
}

static bool run_is_over(const struct plan_run *run)
{
    return run->state == RUN_SUCCEEDED || run->state == RUN_UNDONE || run->state == RUN_ASKS;
}

struct rule_search {
    uint16_t id;
    const char *name, *why;
};

static void match_rule(void *ctx, uint16_t id, enum verdict_subject subject, const char *name,
                       const char *why, enum verdict_action action)
{
    (void)subject;
    (void)action;
    struct rule_search *search = ctx;
    if (search->id == id && !search->name) {
        search->name = name;
        search->why = why;
    }
}

static int64_t wall_of(const struct plan_run *run, int64_t mono_us)
{
    return run->begun_wall_us + (mono_us - run->begun_mono_us);
}

const struct run_times daemon_no_times = {.suspected_us = STAY_NEVER,
                                          .verdict_us = STAY_NEVER,
                                          .intent_us = STAY_NEVER,
                                          .proven_us = STAY_NEVER,
                                          .writable_us = STAY_NEVER,
                                          .canary_us = STAY_NEVER,
                                          .route_us = STAY_NEVER,
                                          .closed_us = STAY_NEVER,
                                          .last_write_us = STAY_NEVER};

static int64_t span(int64_t from, int64_t to)
{
    return from == STAY_NEVER || to == STAY_NEVER || to < from ? -1 : to - from;
}

bool daemon_times_are_of(const struct daemon_cluster *c, const struct plan_run *run)
{
    return strcmp(c->times.plan_id, run->id) == 0;
}

static int64_t route_opened(const struct run_times *t)
{
    return t->canary_us == STAY_NEVER ? STAY_NEVER : t->route_us;
}

int64_t daemon_run_outage_us(const struct daemon_cluster *c, const struct plan_run *run)
{
    if (!daemon_times_are_of(c, run))
        return -1;
    return span(c->times.closed_us, route_opened(&c->times));
}

json_t *daemon_run_summary(const struct daemon_cluster *c, const struct plan_run *run)
{
    json_t *s = json_object();
    int64_t ended = 0;
    if (run_is_over(run)) {
        int64_t mono =
            run->ended_mono_us > 0 ? run->ended_mono_us : loop_now_mono_us(&c->daemon->loop);
        ended = wall_of(run, mono);
    }
    stay_json_set_string(s, "id", run->id);
    stay_json_set_string(s, "cluster", c->settings->config.name);
    stay_json_set_string(s, "kind", plan_kind_text(run->kind));
    stay_json_set_string(s, "state", plan_state_text(run->state));
    stay_json_set_bool(s, "automatic", run->params.automatic);
    stay_json_set_int(s, "rule", run->params.rule_id);
    stay_json_set_string(s, "actor", run->params.actor);
    stay_json_set_string(s, "reason", run->params.reason);
    stay_json_set_int(s, "epoch", (int64_t)run->epoch);
    stay_json_set_string(s, "old_primary", daemon_node_name(c, run->old_primary));
    stay_json_set_string(s, "candidate", daemon_node_name(c, run->candidate));
    stay_json_set_string(s, "node", daemon_node_name(c, run->params.node));
    stay_json_set_int(s, "begun_wall_us", run->begun_wall_us);
    stay_json_set_int(s, "ended_wall_us", ended);
    stay_json_set_int(s, "duration_us", ended ? ended - run->begun_wall_us : -1);
    stay_json_set_string(s, "certificate", certificate_kind_text(run->certificate.kind));
    stay_json_set_string(s, "proof", proof_kind_text(run->certificate.proof));
    stay_json_set_int(s, "outage_us", daemon_run_outage_us(c, run));
    stay_json_set_string(s, "text", run->text);
    return s;
}

static json_t *rows_of(const struct daemon_cluster *c, const struct plan_run *run, int64_t zero_us)
{
    size_t count = 0;
    const struct plan_row *rows = plan_rows(run->kind, &count);
    json_t *list = json_array();
    for (size_t i = 0; i < count && i < PLAN_ROWS_MAX; i++) {
        const struct row_run *r = &run->rows[i];
        if (r->state == ROW_PENDING)
            continue;
        json_t *row = json_object();
        json_t *nodes = json_array();
        for (uint32_t n = 0; n < c->settings->config.node_count; n++)
            if (r->targets & (UINT32_C(1) << n))
                stay_json_append(nodes, stay_json_string(daemon_node_name(c, n)));
        bool has_begun = r->begun_mono_us > 0, has_ended = has_begun && r->ended_mono_us > 0;
        stay_json_set_int(row, "row", (int64_t)i);
        stay_json_set_string(row, "step", step_kind_text(rows[i].step));
        stay_json_set_string(row, "why", rows[i].why);
        stay_json_set_string(row, "state", row_state_text(r->state));
        stay_json_set(row, "nodes", nodes);
        stay_json_set_int(row, "at_us", has_begun ? r->begun_mono_us - zero_us : -1);
        stay_json_set_int(row, "duration_us", has_ended ? r->ended_mono_us - r->begun_mono_us : -1);
        stay_json_set_string(row, "text", r->text);
        stay_json_append(list, row);
    }
    return list;
}

static void set_wall(json_t *obj, const char *key, const struct plan_run *run, int64_t mono_us)
{
    if (mono_us == STAY_NEVER)
        stay_json_set(obj, key, json_null());
    else
        stay_json_set_int(obj, key, wall_of(run, mono_us));
}

/* Offsets (at_us, ..._us) count from the first suspicion, or from the plan's begin without one. */
static json_t *timeline_of(const struct daemon_cluster *c, const struct plan_run *run)
{
    json_t *t = json_object();
    struct rule_search search = {.id = run->params.rule_id};
    verdict_visit(match_rule, &search);
    struct run_times times = daemon_no_times;
    if (daemon_times_are_of(c, run))
        times = c->times;
    int64_t zero = times.suspected_us != STAY_NEVER ? times.suspected_us : run->begun_mono_us;
    stay_json_set_int(t, "rule", run->params.rule_id);
    stay_json_set_string(t, "rule_name", search.name);
    stay_json_set_string(t, "rule_why", search.why);
    set_wall(t, "last_write_wall_us", run, times.last_write_us);
    set_wall(t, "suspected_wall_us", run, times.suspected_us);
    set_wall(t, "verdict_wall_us", run, times.verdict_us);
    set_wall(t, "intent_wall_us", run, times.intent_us);
    set_wall(t, "writable_wall_us", run, times.writable_us);
    set_wall(t, "canary_wall_us", run, times.canary_us);
    set_wall(t, "route_open_wall_us", run, times.route_us);
    stay_json_set_int(t, "detection_us", span(times.suspected_us, times.verdict_us));
    stay_json_set_int(t, "intent_us", span(times.verdict_us, times.intent_us));
    stay_json_set_int(t, "proof_us", span(times.intent_us, times.proven_us));
    stay_json_set_int(t, "promotion_us", span(times.proven_us, times.writable_us));
    stay_json_set_int(t, "outage_us", daemon_run_outage_us(c, run));
    /* by the canary, which writes once a second: no client waited longer than this for the path */
    stay_json_set_int(t, "outage_at_most_us", span(times.last_write_us, route_opened(&times)));
    stay_json_set_string(t, "proof", proof_kind_text(run->certificate.proof));
    stay_json_set_string(t, "certificate", certificate_kind_text(run->certificate.kind));
    stay_json_set_string(t, "certificate_reason", run->certificate.reason);
    bool foretold = c->prediction != NULL && daemon_times_are_of(c, run);
    stay_json_set(t, "predicted", foretold ? json_incref(c->prediction) : json_null());
    stay_json_set(t, "rows", rows_of(c, run, zero));
    return t;
}

json_t *daemon_run_document(const struct daemon_cluster *c, const struct plan_run *run)
{
    json_t *doc = json_object();
    stay_json_set(doc, "summary", daemon_run_summary(c, run));
    stay_json_set(doc, "run", plan_run_to_json(run, &c->settings->config));
    stay_json_set(doc, "timeline", timeline_of(c, run));
    return doc;
}
