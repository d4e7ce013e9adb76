/* controller/decide/plan_json.c - a run as JSON: the journal's text and what `mainstay explain`
 * shows. Nodes are written by name, so that a journal survives a reordered configuration. */
#include "base/json.h"
#include "controller/decide/plan_json_private.h"
#include "controller/decide/plan_private.h"

json_t *plan_mask_to_json(uint32_t mask, const struct cluster_config *config)
{
    json_t *names = json_array();
    for (uint32_t node = 0; node < config->node_count; node++)
        if (mask & NODE_BIT(node))
            stay_json_append(names, stay_json_string(config->nodes[node].name));
    return names;
}

static void set_node(json_t *obj, const char *key, uint32_t node,
                     const struct cluster_config *config)
{
    stay_json_set_string(obj, key, node < config->node_count ? config->nodes[node].name : NULL);
}

static void set_gtids(json_t *obj, const char *key, const struct gtid_set *set)
{
    char *text = gtid_set_format(set);
    stay_json_set_string(obj, key, text);
    free(text);
}

static json_t *sets_to_json(const struct gtid_set sets[NODES_MAX], uint32_t mask,
                            const struct cluster_config *config)
{
    json_t *obj = json_object();
    for (uint32_t node = 0; node < config->node_count; node++)
        if ((mask & NODE_BIT(node)) && !gtid_set_is_empty(&sets[node]))
            set_gtids(obj, config->nodes[node].name, &sets[node]);
    return obj;
}

static json_t *params_to_json(const struct plan_params *params, const struct cluster_config *config)
{
    json_t *obj = json_object();
    set_node(obj, "node", params->node, config);
    set_node(obj, "from", params->donor, config);
    stay_json_set_int(obj, "rule", params->rule_id);
    stay_json_set_bool(obj, "automatic", params->automatic);
    stay_json_set_bool(obj, "accept_loss", params->accept_loss);
    stay_json_set_string(obj, "reason", params->reason);
    stay_json_set_string(obj, "actor", params->actor);
    stay_json_set_int(obj, "detected_mono_us", params->detected_mono_us);
    if (params->evacuation_wall_us != 0)
        stay_json_set_int(obj, "evacuation_wall_us", params->evacuation_wall_us);
    return obj;
}

json_t *certificate_to_json(const struct certificate *cert)
{
    json_t *obj = json_object();
    stay_json_set_string(obj, "kind", certificate_kind_text(cert->kind));
    stay_json_set_string(obj, "proof", proof_kind_text(cert->proof));
    stay_json_set_string(obj, "reason", cert->reason);
    return obj;
}

static json_t *certificate_whole(const struct certificate *cert)
{
    json_t *obj = certificate_to_json(cert);
    stay_json_set_int(obj, "lost_transactions_max", (int64_t)cert->lost_transactions_max);
    stay_json_set_int(obj, "lost_bytes_max", (int64_t)cert->lost_bytes_max);
    stay_json_set_int(obj, "lost_time_max_us", cert->lost_time_max_us);
    return obj;
}

static json_t *rows_to_json(const struct plan_run *run, const struct cluster_config *config)
{
    size_t count = 0;
    const struct plan_row *rows = plan_rows(run->kind, &count);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        const struct row_run *state = &run->rows[i];
        json_t *obj = json_object();
        stay_json_set_string(obj, "step", step_kind_text(rows[i].step));
        stay_json_set_string(obj, "state", row_state_text(state->state));
        stay_json_set_int(obj, "looks", state->looks);
        stay_json_set(obj, "targets", plan_mask_to_json(state->targets, config));
        stay_json_set(obj, "touched", plan_mask_to_json(state->touched, config));
        stay_json_set(obj, "done", plan_mask_to_json(state->done, config));
        stay_json_set(obj, "failed", plan_mask_to_json(state->failed, config));
        stay_json_set(obj, "unknown", plan_mask_to_json(state->unknown, config));
        stay_json_set_int(obj, "begun_mono_us", state->begun_mono_us);
        stay_json_set_int(obj, "ended_mono_us", state->ended_mono_us);
        stay_json_set_string(obj, "text", state->text);
        stay_json_append(list, obj);
    }
    return list;
}

static json_t *freezes_to_json(const struct plan_run *run, const struct cluster_config *config)
{
    json_t *obj = json_object();
    for (uint32_t node = 0; node < config->node_count; node++) {
        uint32_t known = run->f | run->collected | run->sound | run->froze;
        if (!((known | mask_of(run->old_primary)) & NODE_BIT(node)))
            continue;
        json_t *one = json_object();
        stay_json_set_int(one, "uptime_s", (int64_t)run->freeze_uptime_s[node]);
        stay_json_set_int(one, "mono_us", run->freeze_mono_us[node]);
        stay_json_set(obj, config->nodes[node].name, one);
    }
    return obj;
}

json_t *plan_run_to_json(const struct plan_run *run, const struct cluster_config *config)
{
    json_t *obj = json_object();
    stay_json_set_int(obj, "format", PLAN_JSON_FORMAT);
    stay_json_set_string(obj, "id", run->id);
    stay_json_set_string(obj, "kind", plan_kind_text(run->kind));
    stay_json_set_string(obj, "state", plan_state_text(run->state));
    stay_json_set_int(obj, "row", run->row);
    stay_json_set_int(obj, "rounds", run->rounds);
    stay_json_set_string(obj, "mode", durability_mode_text(run->mode));
    set_node(obj, "old_primary", run->old_primary, config);
    set_node(obj, "candidate", run->candidate, config);
    set_node(obj, "donor", run->donor, config);
#define X(name) stay_json_set(obj, #name, plan_mask_to_json(run->name, config));
    RUN_MASKS(X)
#undef X
#define X(name) stay_json_set_bool(obj, #name, run->name);
    RUN_FLAGS(X)
#undef X
#define X(name) stay_json_set_int(obj, #name, run->name);
    RUN_TIMES(X)
#undef X
#define X(name) stay_json_set_int(obj, #name, (int64_t)run->name);
    RUN_COUNTS(X)
#undef X
    set_gtids(obj, "fenced_executed", &run->fenced_executed);
    set_gtids(obj, "last_word", &run->last_word);
    stay_json_set_int(obj, "last_sessions", (int64_t)run->last_sessions);
    set_gtids(obj, "extra", &run->extra);
    stay_json_set(obj, "executed", sets_to_json(run->executed, run->collected, config));
    stay_json_set(obj, "received_high", sets_to_json(run->received_high, UINT32_MAX, config));
    stay_json_set(obj, "freezes", freezes_to_json(run, config));
    stay_json_set(obj, "params", params_to_json(&run->params, config));
    stay_json_set(obj, "certificate", certificate_whole(&run->certificate));
    stay_json_set(obj, "rows", rows_to_json(run, config));
    stay_json_set_string(obj, "text", run->text);
    return obj;
}
