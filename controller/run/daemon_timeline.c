/* What a plan run becomes for people: the log, the stored document (summary, run, timeline) and
 * those who listen. Times of detection and of the clients' outage are known only here, beside the
 * view. */
#include "base/base.h"
#include "base/json.h"
#include "base/units.h"
#include "controller/run/daemon_crash.h"
#include "controller/run/daemon_private.h"

static const char *node_name(const struct daemon_cluster *c, uint32_t node)
{
    return node < c->settings->config.node_count ? c->settings->config.nodes[node].name : NULL;
}

static bool run_is_over(const struct plan_run *run)
{
    return run->state == RUN_SUCCEEDED || run->state == RUN_UNDONE || run->state == RUN_ASKS;
}

/* --- the document ---------------------------------------------------------------------------- */

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

static const struct run_times no_times = {.suspected_us = STAY_NEVER, .verdict_us = STAY_NEVER,
                                          .intent_us = STAY_NEVER, .proven_us = STAY_NEVER,
                                          .writable_us = STAY_NEVER, .canary_us = STAY_NEVER,
                                          .route_us = STAY_NEVER, .closed_us = STAY_NEVER,
                                          .last_write_us = STAY_NEVER};

static int64_t span(int64_t from, int64_t to)
{
    return from == STAY_NEVER || to == STAY_NEVER || to < from ? -1 : to - from;
}

static bool times_are_of(const struct daemon_cluster *c, const struct plan_run *run)
{
    return strcmp(c->times.plan_id, run->id) == 0;
}

static int64_t route_opened(const struct run_times *t)
{
    return t->canary_us == STAY_NEVER ? STAY_NEVER : t->route_us;
}

/* While the write path was closed: from the first sign (a switchover's own closing) to the end of
 * the row that opened the route, the canary having committed on the new primary before. */
static int64_t outage_of(const struct daemon_cluster *c, const struct plan_run *run)
{
    if (!times_are_of(c, run))
        return -1;
    return span(c->times.closed_us, route_opened(&c->times));
}

static json_t *summary_of(const struct daemon_cluster *c, const struct plan_run *run)
{
    json_t *s = json_object();
    int64_t ended = 0;
    if (run_is_over(run)) {
        int64_t mono = run->ended_mono_us > 0 ? run->ended_mono_us
                                              : loop_now_mono_us(&c->daemon->loop);
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
    stay_json_set_string(s, "old_primary", node_name(c, run->old_primary));
    stay_json_set_string(s, "candidate", node_name(c, run->candidate));
    stay_json_set_string(s, "node", node_name(c, run->params.node));
    stay_json_set_int(s, "begun_wall_us", run->begun_wall_us);
    stay_json_set_int(s, "ended_wall_us", ended);
    stay_json_set_int(s, "duration_us", ended ? ended - run->begun_wall_us : -1);
    stay_json_set_string(s, "certificate", certificate_kind_text(run->certificate.kind));
    stay_json_set_string(s, "proof", proof_kind_text(run->certificate.proof));
    stay_json_set_int(s, "outage_us", outage_of(c, run));
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
                stay_json_append(nodes, stay_json_string(node_name(c, n)));
        bool has_begun = r->begun_mono_us > 0, has_ended = has_begun && r->ended_mono_us > 0;
        stay_json_set_int(row, "row", (int64_t)i);
        stay_json_set_string(row, "step", step_kind_text(rows[i].step));
        stay_json_set_string(row, "why", rows[i].why);
        stay_json_set_string(row, "state", row_state_text(r->state));
        stay_json_set(row, "nodes", nodes);
        stay_json_set_int(row, "at_us", has_begun ? r->begun_mono_us - zero_us : -1);
        stay_json_set_int(row, "duration_us",
                          has_ended ? r->ended_mono_us - r->begun_mono_us : -1);
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
    struct run_times times = no_times;
    if (times_are_of(c, run))
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
    stay_json_set_int(t, "outage_us", outage_of(c, run));
    /* by the canary, which writes once a second: no client waited longer than this for the path */
    stay_json_set_int(t, "outage_at_most_us", span(times.last_write_us, route_opened(&times)));
    stay_json_set_string(t, "proof", proof_kind_text(run->certificate.proof));
    stay_json_set_string(t, "certificate", certificate_kind_text(run->certificate.kind));
    stay_json_set_string(t, "certificate_reason", run->certificate.reason);
    stay_json_set(t, "rows", rows_of(c, run, zero));
    return t;
}

json_t *daemon_run_document(const struct daemon_cluster *c, const struct plan_run *run)
{
    json_t *doc = json_object();
    stay_json_set(doc, "summary", summary_of(c, run));
    stay_json_set(doc, "run", plan_run_to_json(run, &c->settings->config));
    stay_json_set(doc, "timeline", timeline_of(c, run));
    return doc;
}

/* --- notes ----------------------------------------------------------------------------------- */

static void log_note(struct daemon_cluster *c, enum exec_note note, const struct plan_run *run,
                     uint32_t row)
{
    size_t count = 0;
    const struct plan_row *rows = plan_rows(run->kind, &count);
    const char *name = c->settings->config.name;
    const char *step = row < count ? step_kind_text(rows[row].step) : "";
    const struct row_run *r = &run->rows[row < PLAN_ROWS_MAX ? row : 0];
    char rule[8], took[UNITS_TEXT_MAX];
    (void)snprintf(rule, sizeof rule, "%u", run->params.rule_id);
    units_format_duration_short(took, sizeof took,
                                note == EXEC_ROW_ENDED && r->begun_mono_us > 0
                                    ? r->ended_mono_us - r->begun_mono_us
                                    : 0);
    struct log_field fields[] = {{"MAINSTAY_CLUSTER", name},
                                 {"MAINSTAY_PLAN", run->id},
                                 {"MAINSTAY_RULE", run->params.rule_id ? rule : NULL},
                                 {"MAINSTAY_NODE", node_name(c, run->candidate)}};
    size_t n = STAY_COUNT(fields);
    switch (note) {
    case EXEC_PLAN_BEGUN:
        log_write(LOG_LEVEL_NOTICE, fields, n, "%s: plan %s begins: %s (%s%s%s)", name, run->id,
                  plan_kind_text(run->kind), run->params.automatic ? "automatic" : "by ",
                  run->params.automatic ? "" : run->params.actor,
                  run->params.rule_id ? ", by rule" : "");
        break;
    case EXEC_ROW_BEGUN:
        log_write(LOG_LEVEL_DEBUG, fields, n, "%s: %s: %s ...", name, run->id, step);
        break;
    case EXEC_ROW_ENDED:
        log_write(r->state == ROW_FAILED ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO, fields, n,
                  "%s: %s: %s %s in %s%s%s", name, run->id, step, row_state_text(r->state), took,
                  r->text[0] ? ": " : "", r->text);
        break;
    case EXEC_PLAN_ENDED:
        log_write(run->state == RUN_SUCCEEDED ? LOG_LEVEL_NOTICE : LOG_LEVEL_WARNING, fields, n,
                  "%s: plan %s (%s) %s%s%s", name, run->id, plan_kind_text(run->kind),
                  run->state == RUN_ASKS ? "stopped, a human decides" : plan_state_text(run->state),
                  run->text[0] ? ": " : "", run->text);
        break;
    }
}

static void stamp(struct daemon_cluster *c, const struct plan_run *run, uint32_t row)
{
    size_t count = 0;
    const struct plan_row *rows = plan_rows(run->kind, &count);
    if (row >= count || !times_are_of(c, run))
        return;
    int64_t now = loop_now_mono_us(&c->daemon->loop);
    struct run_times *t = &c->times;
    enum step_kind step = rows[row].step;
    bool closes = step == STEP_ROUTE_CLOSE || step == STEP_QUIESCE || step == STEP_FENCE;
    if (closes && t->closed_us == STAY_NEVER)
        t->closed_us = run->rows[row].begun_mono_us;
    if (run->rows[row].state != ROW_DONE)
        return;
    if (step == STEP_INTENT)
        t->intent_us = now;
    else if (step == STEP_CERTIFY)
        t->proven_us = now;
    else if (step == STEP_WRITABLE)
        t->writable_us = now;
    else if (step == STEP_CANARY)
        t->canary_us = now;
    else if (step == STEP_ROUTE_OPEN)
        t->route_us = now;
}

static void begin_times(struct daemon_cluster *c, const struct plan_run *run)
{
    int64_t verdict = c->times.verdict_us; /* set by the turn that wanted it */
    c->times = no_times;
    c->times.suspected_us = run->params.detected_mono_us;
    c->times.verdict_us = verdict;
    if (run->kind == PLAN_FAILOVER)
        c->times.closed_us = run->params.detected_mono_us;
    (void)stay_copy(c->times.plan_id, sizeof c->times.plan_id, run->id);
    if (run->old_primary < c->settings->config.node_count)
        c->times.last_write_us = c->view.nodes[run->old_primary].canary_ok_mono_us;
}

static void ignore_txn(void *ctx, enum stay_rc rc, uint64_t revision, const struct stay_error *err)
{
    (void)revision;
    if (rc != STAY_ECANCELED)
        daemon_store_result(ctx, rc, err);
}

static void put_document(struct daemon *d, const char *key, const json_t *doc)
{
    STAY_AUTO(stay_free_charp) char *text = stay_json_dump_compact(doc);
    d->store->ops->txn(d->store, NULL, 0, &(struct store_put){key, text}, 1, ignore_txn, d);
}

static void end_run(struct daemon_cluster *c, const struct plan_run *run)
{
    STAY_AUTO(stay_json_drop) json_t *doc = daemon_run_document(c, run);
    char key[STORE_KEY_MAX + 1];
    if (history_key(c->settings->config.name, run->id, key))
        put_document(c->daemon, key, doc);
    history_update(c->daemon->history, json_object_get(doc, "summary"));
    c->plans_succeeded += run->state == RUN_SUCCEEDED;
    c->plans_undone += run->state == RUN_UNDONE;
    c->plans_asking += run->state == RUN_ASKS;
    if (run->kind == PLAN_FAILOVER || run->kind == PLAN_SWITCHOVER)
        c->last_outage_us = outage_of(c, run);
    c->daemon->is_runbook_dirty = true;
    c->is_measure_due = true;
}

static void tell_listeners(struct daemon_cluster *c, enum exec_note note,
                           const struct plan_run *run, uint32_t row)
{
    struct listener **at = &c->daemon->listeners;
    while (*at) {
        struct listener *l = *at;
        bool is_theirs = l->cluster[0] == '\0' ||
                         strcmp(l->cluster, c->settings->config.name) == 0;
        if (!l->is_gone && is_theirs && !l->fn(l->ctx, c->settings->config.name, note, run, row))
            l->is_gone = true;
        if (!l->is_gone) {
            at = &l->next;
            continue;
        }
        *at = l->next;
        free(l);
    }
}

void daemon_listeners_free(struct daemon *d)
{
    while (d->listeners) {
        struct listener *l = d->listeners;
        d->listeners = l->next;
        free(l);
    }
}

void daemon_note(struct daemon_cluster *c, enum exec_note note, const struct plan_run *run,
                 uint32_t row)
{
    if (note == EXEC_PLAN_BEGUN) {
        begin_times(c, run);
        c->plans_started++;
        STAY_AUTO(stay_json_drop) json_t *summary = summary_of(c, run);
        history_update(c->daemon->history, summary);
    }
    if (note == EXEC_ROW_ENDED)
        stamp(c, run, row);
    log_note(c, note, run, row);
    if (note == EXEC_PLAN_ENDED)
        end_run(c, run);
    tell_listeners(c, note, run, row);
    daemon_crash_point(note, run, row);
    daemon_mark_dirty(c);
}

/* --- the measured loss ----------------------------------------------------------------------- */

struct measured {
    struct daemon *daemon;
    char key[STORE_KEY_MAX + 1];
    json_t *value;
};

static void on_measured_document(void *ctx, enum stay_rc rc, const struct store_item *items,
                                 size_t count, const struct stay_error *err)
{
    struct measured *m = ctx;
    STAY_AUTO(stay_json_drop) json_t *doc = NULL;
    json_t *summary = NULL;
    (void)err;
    if (rc == STAY_OK && count > 0 &&
        stay_json_parse(items[0].value, strlen(items[0].value), &doc, NULL) == STAY_OK &&
        stay_json_get_object(doc, "summary", &summary, NULL) == STAY_OK) {
        stay_json_set(summary, "measured", json_incref(m->value));
        put_document(m->daemon, m->key, doc);
        history_update(m->daemon->history, summary);
    }
    json_decref(m->value);
    free(m);
}

static json_t *measured_value(struct daemon_cluster *c, uint32_t node)
{
    struct gtid_set extra = {0};
    gtid_set_copy(&extra, &c->view.nodes[node].facts.executed);
    gtid_set_subtract(&extra, &c->view.nodes[c->view.primary].facts.executed);
    uint64_t count = gtid_set_count(&extra);
    STAY_AUTO(stay_free_charp) char *text = gtid_set_format(&extra);
    gtid_set_clear(&extra);
    json_t *value = json_object();
    stay_json_set_string(value, "node", node_name(c, node));
    stay_json_set_int(value, "extra_transactions", (int64_t)count);
    stay_json_set_string(value, "extra_set", text);
    stay_json_set_int(value, "at_wall_us", loop_now_wall_us(&c->daemon->loop));
    struct log_field fields[] = {{"MAINSTAY_CLUSTER", c->settings->config.name},
                                 {"MAINSTAY_NODE", node_name(c, node)}};
    log_write(count ? LOG_LEVEL_WARNING : LOG_LEVEL_NOTICE, fields, STAY_COUNT(fields),
              "%s: %s came back with %llu transactions that %s does not hold%s%s",
              c->settings->config.name, node_name(c, node), (unsigned long long)count,
              c->view.record.primary, count ? ": " : "", text);
    return value;
}

void daemon_measure_loss(struct daemon_cluster *c)
{
    struct cluster_view *view = &c->view;
    int64_t now = loop_now_mono_us(&c->daemon->loop);
    if (!c->is_measure_due || view->primary == NO_NODE || daemon_cluster_is_busy(c))
        return;
    for (uint32_t n = 0; n < c->settings->config.node_count; n++) {
        const json_t *summary = history_last_demotion(c->daemon->history,
                                                      c->settings->config.name,
                                                      c->settings->config.nodes[n].name);
        if (!summary || n == view->primary)
            continue;
        if (json_object_get(summary, "measured")) {
            c->is_measure_due = false;
            return;
        }
        int64_t ended_wall = 0;
        if (!cluster_node_fresh(view, n, now) || !cluster_node_fresh(view, view->primary, now) ||
            stay_json_get_int(summary, "ended_wall_us", &ended_wall, NULL) != STAY_OK ||
            loop_now_wall_us(&c->daemon->loop) - (now - view->nodes[n].facts_begun_mono_us) <
                ended_wall ||
            view->nodes[view->primary].facts_begun_mono_us < view->nodes[n].facts_mono_us)
            return; /* the primary is read last: a replica follows it on */
        struct measured *m = stay_calloc(1, sizeof *m);
        char id[64] = "";
        m->daemon = c->daemon;
        must(stay_json_get_copy(summary, "id", id, sizeof id, NULL) == STAY_OK);
        must(history_key(c->settings->config.name, id, m->key));
        m->value = measured_value(c, n);
        c->is_measure_due = false;
        c->daemon->store->ops->get(c->daemon->store, m->key, 1, on_measured_document, m);
        return;
    }
}
