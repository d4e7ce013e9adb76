/* A plan's run as it is shown: its steps with their durations, proof, certificate, and the event
 * lines of one that is under way. */
#include "controller/act/executor.h"
#include "controller/serve/api_private.h"

static json_t *certificate_json(const struct certificate *cert)
{
    json_t *obj = certificate_to_json(cert);
    if (cert->kind == CERT_BOUNDED) {
        if (cert->lost_transactions_max > INT64_MAX) /* their number is not bounded */
            stay_json_set(obj, "lost_transactions_max", json_null());
        else
            stay_json_set_int(obj, "lost_transactions_max", (int64_t)cert->lost_transactions_max);
        stay_json_set_int(obj, "lost_bytes_max", (int64_t)cert->lost_bytes_max);
        stay_json_set_int(obj, "lost_time_max_us", cert->lost_time_max_us);
    }
    return obj;
}

static json_t *row_json(const struct plan_run *run, const struct cluster_config *config,
                        const struct plan_row *row, uint32_t index)
{
    const struct row_run *r = &run->rows[index];
    json_t *obj = json_object();
    stay_json_set_int(obj, "row", index);
    stay_json_set_string(obj, "step", step_kind_text(row->step));
    stay_json_set_string(obj, "state", row_state_text(r->state));
    stay_json_set_bool(obj, "no_return", (row->flags & ROW_NO_RETURN) != 0);
    stay_json_set_string(obj, "why", row->why);
    stay_json_set_string(obj, "text", r->text[0] == '\0' ? NULL : r->text);
    if (config != NULL) {
        stay_json_set(obj, "targets", api_node_names(config, r->targets));
        stay_json_set(obj, "failed", api_node_names(config, r->failed));
        stay_json_set(obj, "unknown", api_node_names(config, r->unknown));
    }
    bool begun = r->state != ROW_PENDING && r->state != ROW_SKIPPED && r->begun_mono_us > 0;
    bool ended = begun && r->ended_mono_us >= r->begun_mono_us;
    api_set_time(obj, "begun_us", begun ? r->begun_mono_us - run->begun_mono_us : -1, -1);
    api_set_time(obj, "took_us", ended ? r->ended_mono_us - r->begun_mono_us : -1, -1);
    return obj;
}

json_t *api_run_brief(const struct plan_run *run)
{
    if (run == NULL || run->state == RUN_IDLE)
        return json_null();
    size_t count;
    const struct plan_row *rows = plan_rows(run->kind, &count);
    json_t *obj = json_object();
    stay_json_set_string(obj, "id", run->id);
    stay_json_set_string(obj, "kind", plan_kind_text(run->kind));
    stay_json_set_string(obj, "state", plan_state_text(run->state));
    stay_json_set_int(obj, "row", run->row);
    stay_json_set_int(obj, "rows", (int64_t)count);
    stay_json_set_string(obj, "step",
                         run->row < count ? step_kind_text(rows[run->row].step) : NULL);
    bool tells = run->row < count && run->rows[run->row].text[0] != '\0';
    stay_json_set_string(obj, "progress", tells ? run->rows[run->row].text : NULL);
    stay_json_set_bool(obj, "past_no_return", run->past_no_return);
    stay_json_set_bool(obj, "automatic", run->params.automatic);
    stay_json_set_int(obj, "begun_wall_us", run->begun_wall_us);
    stay_json_set_string(obj, "text", run->text[0] == '\0' ? NULL : run->text);
    return obj;
}

json_t *api_run(const struct plan_run *run, const struct cluster_config *config)
{
    json_t *obj = api_run_brief(run);
    if (!json_is_object(obj))
        return obj;
    size_t count;
    const struct plan_row *table = plan_rows(run->kind, &count);
    json_t *rows = json_array();
    for (uint32_t i = 0; i < count && i < PLAN_ROWS_MAX; i++)
        stay_json_append(rows, row_json(run, config, &table[i], i));
    bool ended = run->ended_mono_us >= run->begun_mono_us && run->ended_mono_us > 0;
    stay_json_set_int(obj, "epoch", (int64_t)run->epoch);
    stay_json_set_string(obj, "actor", run->params.actor);
    stay_json_set_string(obj, "reason", run->params.reason[0] == '\0' ? NULL : run->params.reason);
    stay_json_set_int(obj, "rule", run->params.rule_id);
    if (config != NULL) {
        stay_json_set_string(obj, "old_primary", api_node_name(config, run->old_primary));
        stay_json_set_string(obj, "candidate", api_node_name(config, run->candidate));
        stay_json_set(obj, "ackers", api_node_names(config, run->a));
        stay_json_set(obj, "frozen", api_node_names(config, run->f));
        stay_json_set(obj, "drained", api_node_names(config, run->r));
    }
    stay_json_set_bool(obj, "fenced", run->fenced);
    stay_json_set(obj, "certificate", certificate_json(&run->certificate));
    api_set_time(obj, "took_us", ended ? run->ended_mono_us - run->begun_mono_us : -1, -1);
    stay_json_set(obj, "rows_run", rows);
    return obj;
}

json_t *api_event(const char *cluster, int note, const struct plan_run *run, uint32_t row)
{
    static const char *const names[] = {[EXEC_PLAN_BEGUN] = "plan begun",
                                        [EXEC_ROW_BEGUN] = "step begun",
                                        [EXEC_ROW_ENDED] = "step ended",
                                        [EXEC_PLAN_ENDED] = "plan ended"};
    json_t *obj = json_object();
    size_t count;
    const struct plan_row *rows = plan_rows(run->kind, &count);
    must(note >= 0 && (size_t)note < STAY_COUNT(names));
    stay_json_set_string(obj, "event", names[note]);
    stay_json_set_string(obj, "cluster", cluster);
    stay_json_set_string(obj, "plan", run->id);
    stay_json_set_string(obj, "kind", plan_kind_text(run->kind));
    stay_json_set_string(obj, "state", plan_state_text(run->state));
    if ((note == EXEC_ROW_BEGUN || note == EXEC_ROW_ENDED) && row < count) {
        const struct row_run *r = &run->rows[row];
        stay_json_set_int(obj, "row", row);
        stay_json_set_int(obj, "rows", (int64_t)count);
        stay_json_set_string(obj, "step", step_kind_text(rows[row].step));
        stay_json_set_string(obj, "row_state", row_state_text(r->state));
        stay_json_set_string(obj, "text", r->text[0] == '\0' ? NULL : r->text);
        api_set_time(obj, "took_us",
                     note == EXEC_ROW_ENDED && r->ended_mono_us >= r->begun_mono_us
                         ? r->ended_mono_us - r->begun_mono_us
                         : -1,
                     -1);
    } else {
        stay_json_set_string(obj, "text", run->text[0] == '\0' ? NULL : run->text);
    }
    return obj;
}

json_t *api_document(const struct control *control, const json_t *document)
{
    json_t *out = json_deep_copy(document);
    const char *name =
        json_string_value(json_object_get(json_object_get(document, "summary"), "cluster"));
    const json_t *stored = json_object_get(document, "run");
    struct control_cluster c;
    struct plan_run *run = stay_calloc(1, sizeof *run);
    if (name != NULL && stored != NULL && control->cluster_named(control->ctx, name, &c) &&
        plan_run_from_json(stored, c.config, run, NULL) == STAY_OK) {
        stay_json_set(out, "run", api_run(run, c.config));
        plan_run_clear(run);
    }
    free(run);
    return out;
}
