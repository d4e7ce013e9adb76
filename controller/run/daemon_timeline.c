/* What the executor notes becomes for people: the log, the stored document, those who listen. */
#include "base/base.h"
#include "base/json.h"
#include "base/units.h"
#include "controller/run/daemon_crash.h"
#include "controller/run/daemon_private.h"

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
    units_format_duration_short(
        took, sizeof took,
        note == EXEC_ROW_ENDED && r->begun_mono_us > 0 && r->ended_mono_us > r->begun_mono_us
            ? r->ended_mono_us - r->begun_mono_us
            : 0); /* an undone row that never ended has no end */
    struct log_field fields[] = {{"MAINSTAY_CLUSTER", name},
                                 {"MAINSTAY_PLAN", run->id},
                                 {"MAINSTAY_RULE", run->params.rule_id ? rule : NULL},
                                 {"MAINSTAY_NODE", daemon_node_name(c, run->candidate)}};
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
    if (row >= count || !daemon_times_are_of(c, run))
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
    c->times = daemon_no_times;
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

void daemon_put_document(struct daemon *d, const char *key, const json_t *doc)
{
    STAY_AUTO(stay_free_charp) char *text = stay_json_dump_compact(doc);
    d->store->ops->txn(d->store, NULL, 0, &(struct store_put){key, text}, 1, ignore_txn, d);
}

static void end_run(struct daemon_cluster *c, const struct plan_run *run)
{
    daemon_rehearse_ended(c, run); /* before its document is written */
    STAY_AUTO(stay_json_drop) json_t *doc = daemon_run_document(c, run);
    char key[STORE_KEY_MAX + 1];
    if (history_key(c->settings->config.name, run->id, key))
        daemon_put_document(c->daemon, key, doc);
    history_update(c->daemon->history, json_object_get(doc, "summary"));
    c->plans_succeeded += run->state == RUN_SUCCEEDED;
    c->plans_undone += run->state == RUN_UNDONE;
    c->plans_asking += run->state == RUN_ASKS;
    if (plan_kind_has(run->kind, TRAIT_MOVES_PRIMARY))
        c->last_outage_us = daemon_run_outage_us(c, run);
    c->daemon->is_runbook_dirty = true;
    c->is_measure_due = true;
}

static void tell_listeners(struct daemon_cluster *c, enum exec_note note,
                           const struct plan_run *run, uint32_t row)
{
    struct listener **at = &c->daemon->listeners;
    while (*at) {
        struct listener *l = *at;
        bool is_theirs = l->cluster[0] == '\0' || strcmp(l->cluster, c->settings->config.name) == 0;
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
        daemon_rehearse_begun(c, run);
        c->plans_started++;
        STAY_AUTO(stay_json_drop) json_t *summary = daemon_run_summary(c, run);
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
