/* controller/decide/plan_json.c - a run as JSON and back: the journal's text, `mainstay explain`,
 * the dashboard. Nodes are written by name, so that a journal survives a reordered configuration.
 */
#include "base/json.h"
#include "controller/decide/plan_json_private.h"
#include "controller/decide/plan_private.h"

#define PLAN_JSON_FORMAT 1

json_t *plan_mask_to_json(uint32_t mask, const struct cluster_config *config)
{
    json_t *names = json_array();
    for (uint32_t node = 0; node < config->node_count; node++)
        if (mask & NODE_BIT(node))
            stay_json_append(names, stay_json_string(config->nodes[node].name));
    return names;
}

enum stay_rc plan_mask_from_json(const json_t *obj, const char *key,
                                 const struct cluster_config *config, uint32_t *ret_mask,
                                 struct stay_error *err)
{
    json_t *names = NULL;
    enum stay_rc rc = stay_json_get_array(obj, key, &names, err);
    if (rc != STAY_OK)
        return rc;
    uint32_t mask = 0;
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        if (name == NULL)
            return stay_error(err, STAY_EINVALID, "%s: a node name is not a string", key);
        mask |= mask_of(cluster_node_by_name(config, name)); /* one that left is left out */
    }
    *ret_mask = mask;
    return STAY_OK;
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
    stay_json_set_int(obj, "rule", params->rule_id);
    stay_json_set_bool(obj, "automatic", params->automatic);
    stay_json_set_bool(obj, "accept_loss", params->accept_loss);
    stay_json_set_string(obj, "reason", params->reason);
    stay_json_set_string(obj, "actor", params->actor);
    stay_json_set_int(obj, "detected_mono_us", params->detected_mono_us);
    return obj;
}

static json_t *certificate_to_json(const struct certificate *cert)
{
    json_t *obj = json_object();
    stay_json_set_string(obj, "kind", certificate_kind_text(cert->kind));
    stay_json_set_string(obj, "proof", proof_kind_text(cert->proof));
    stay_json_set_int(obj, "lost_transactions_max", (int64_t)cert->lost_transactions_max);
    stay_json_set_int(obj, "lost_bytes_max", (int64_t)cert->lost_bytes_max);
    stay_json_set_int(obj, "lost_time_max_us", cert->lost_time_max_us);
    stay_json_set_string(obj, "reason", cert->reason);
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

/* Every mask and flag of a run once, for both directions. */
#define RUN_MASKS(X)                                                                               \
    X(a)                                                                                           \
    X(f)                                                                                           \
    X(r)                                                                                           \
    X(collected)                                                                                   \
    X(slow)                                                                                        \
    X(spare) X(doubted) X(restarted) X(attached) X(detached) X(moved) X(lost_first) X(sound)       \
        X(froze) X(received) X(able) X(acking) X(struck)
#define RUN_FLAGS(X)                                                                               \
    X(past_no_return)                                                                              \
    X(lossless_stood)                                                                              \
    X(acks_flowed) X(was_open) X(maybe_open) X(fenced) X(degrade) X(diverged) X(aims_lossless)
#define RUN_TIMES(X)  X(begun_mono_us) X(begun_wall_us) X(ended_mono_us)
#define RUN_COUNTS(X) X(epoch) X(acks) X(watch_uptime_s) X(watch_no_tx) X(watch_no_times)

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
    set_gtids(obj, "extra", &run->extra);
    stay_json_set(obj, "executed", sets_to_json(run->executed, run->collected, config));
    stay_json_set(obj, "received_high", sets_to_json(run->received_high, UINT32_MAX, config));
    stay_json_set(obj, "freezes", freezes_to_json(run, config));
    stay_json_set(obj, "params", params_to_json(&run->params, config));
    stay_json_set(obj, "certificate", certificate_to_json(&run->certificate));
    stay_json_set(obj, "rows", rows_to_json(run, config));
    stay_json_set_string(obj, "text", run->text);
    return obj;
}

/* A text that must be one of a table's: index, or STAY_EINVALID naming the key. */
static enum stay_rc read_choice(const json_t *obj, const char *key, const char *(*text_of)(int),
                                int count, int *ret, struct stay_error *err)
{
    const char *text = NULL;
    enum stay_rc rc = stay_json_get_string(obj, key, &text, err);
    if (rc != STAY_OK)
        return rc;
    for (int i = 0; i < count; i++)
        if (strcmp(text, text_of(i)) == 0) {
            *ret = i;
            return STAY_OK;
        }
    return stay_error(err, STAY_EINVALID, "%s: unknown value \"%s\"", key, text);
}

static const char *kind_at(int i)
{
    return plan_kind_text((enum plan_kind)i);
}
static const char *state_at(int i)
{
    return plan_state_text((enum plan_state)i);
}
static const char *row_state_at(int i)
{
    return row_state_text((enum row_state)i);
}
static const char *cert_at(int i)
{
    return certificate_kind_text((enum certificate_kind)i);
}
static const char *proof_at(int i)
{
    return proof_kind_text((enum proof_kind)i);
}
static const char *mode_at(int i)
{
    return durability_mode_text((enum durability_mode)i);
}

enum stay_rc plan_choice_mode(const json_t *obj, const char *key, enum durability_mode *ret,
                              struct stay_error *err)
{
    int choice = 0;
    TRY(read_choice(obj, key, mode_at, MODE_COUNT, &choice, err));
    *ret = (enum durability_mode)choice;
    return STAY_OK;
}

static enum stay_rc read_node(const json_t *obj, const char *key,
                              const struct cluster_config *config, uint32_t *ret,
                              struct stay_error *err)
{
    const char *name = NULL;
    TRY(stay_json_get_string_or(obj, key, NULL, &name, err));
    *ret = name == NULL ? NO_NODE : cluster_node_by_name(config, name);
    if (name != NULL && *ret == NO_NODE)
        return stay_error(err, STAY_EINVALID, "%s: node \"%s\" is not in the configuration", key,
                          name);
    return STAY_OK;
}

static enum stay_rc read_count(const json_t *obj, const char *key, uint64_t *ret,
                               struct stay_error *err)
{
    int64_t value = 0;
    TRY(stay_json_get_int(obj, key, &value, err));
    *ret = (uint64_t)value;
    return STAY_OK;
}

static enum gtid_flavor flavor_of(const struct cluster_config *config)
{
    return config->engine == ENGINE_MYSQL ? GTID_MYSQL : GTID_MARIADB;
}

static enum stay_rc read_gtids(const json_t *obj, const char *key,
                               const struct cluster_config *config, struct gtid_set *ret,
                               struct stay_error *err)
{
    const char *text = "";
    TRY(stay_json_get_string_or(obj, key, "", &text, err));
    return gtid_set_parse(flavor_of(config), text, ret, err);
}

static enum stay_rc read_sets(const json_t *obj, const char *key,
                              const struct cluster_config *config, struct gtid_set sets[NODES_MAX],
                              struct stay_error *err)
{
    json_t *map = NULL;
    TRY(stay_json_get_object(obj, key, &map, err));
    for (uint32_t node = 0; node < config->node_count; node++)
        TRY(read_gtids(map, config->nodes[node].name, config, &sets[node], err));
    return STAY_OK;
}

static enum stay_rc read_params(const json_t *run, const struct cluster_config *config,
                                struct plan_params *params, struct stay_error *err)
{
    json_t *obj = NULL;
    int64_t rule = 0;
    TRY(stay_json_get_object(run, "params", &obj, err));
    TRY(read_node(obj, "node", config, &params->node, err));
    TRY(stay_json_get_int_in(obj, "rule", 0, UINT16_MAX, &rule, err));
    params->rule_id = (uint16_t)rule;
    TRY(stay_json_get_bool(obj, "automatic", &params->automatic, err));
    TRY(stay_json_get_bool(obj, "accept_loss", &params->accept_loss, err));
    TRY(stay_json_get_copy(obj, "reason", params->reason, sizeof params->reason, err));
    TRY(stay_json_get_copy(obj, "actor", params->actor, sizeof params->actor, err));
    return stay_json_get_int(obj, "detected_mono_us", &params->detected_mono_us, err);
}

static enum stay_rc read_certificate(const json_t *run, struct certificate *cert,
                                     struct stay_error *err)
{
    json_t *obj = NULL;
    int kind = 0, proof = 0;
    TRY(stay_json_get_object(run, "certificate", &obj, err));
    TRY(read_choice(obj, "kind", cert_at, CERT_LOSSLESS + 1, &kind, err));
    TRY(read_choice(obj, "proof", proof_at, PROOF_COUNT, &proof, err));
    cert->kind = (enum certificate_kind)kind;
    cert->proof = (enum proof_kind)proof;
    TRY(read_count(obj, "lost_transactions_max", &cert->lost_transactions_max, err));
    TRY(read_count(obj, "lost_bytes_max", &cert->lost_bytes_max, err));
    TRY(stay_json_get_int(obj, "lost_time_max_us", &cert->lost_time_max_us, err));
    return stay_json_get_copy(obj, "reason", cert->reason, sizeof cert->reason, err);
}

static enum stay_rc read_row(const json_t *obj, const struct cluster_config *config,
                             struct row_run *row, struct stay_error *err)
{
    int state = 0;
    int64_t looks = 0;
    TRY(read_choice(obj, "state", row_state_at, ROW_STATE_COUNT, &state, err));
    row->state = (enum row_state)state;
    TRY(stay_json_get_int_in(obj, "looks", 0, UINT32_MAX, &looks, err));
    row->looks = (uint32_t)looks;
    TRY(plan_mask_from_json(obj, "targets", config, &row->targets, err));
    TRY(plan_mask_from_json(obj, "touched", config, &row->touched, err));
    TRY(plan_mask_from_json(obj, "done", config, &row->done, err));
    TRY(plan_mask_from_json(obj, "failed", config, &row->failed, err));
    TRY(plan_mask_from_json(obj, "unknown", config, &row->unknown, err));
    TRY(stay_json_get_int(obj, "begun_mono_us", &row->begun_mono_us, err));
    TRY(stay_json_get_int(obj, "ended_mono_us", &row->ended_mono_us, err));
    return stay_json_get_copy(obj, "text", row->text, sizeof row->text, err);
}

static enum stay_rc read_rows(const json_t *obj, const struct cluster_config *config,
                              struct plan_run *run, struct stay_error *err)
{
    size_t count = 0;
    const struct plan_row *rows = plan_rows(run->kind, &count);
    json_t *list = NULL;
    TRY(stay_json_get_array(obj, "rows", &list, err));
    if (json_array_size(list) != count)
        return stay_error(err, STAY_EINVALID,
                          "rows: %zu instead of %zu: written by another version",
                          json_array_size(list), count);
    for (size_t i = 0; i < count; i++) {
        const char *step = "";
        TRY(stay_json_get_string(json_array_get(list, i), "step", &step, err));
        if (strcmp(step, step_kind_text(rows[i].step)) != 0)
            return stay_error(err, STAY_EINVALID, "rows: row %zu is \"%s\", not \"%s\"", i, step,
                              step_kind_text(rows[i].step));
        TRY(read_row(json_array_get(list, i), config, &run->rows[i], err));
    }
    return STAY_OK;
}

static enum stay_rc read_freezes(const json_t *obj, const struct cluster_config *config,
                                 struct plan_run *run, struct stay_error *err)
{
    json_t *map = NULL;
    TRY(stay_json_get_object(obj, "freezes", &map, err));
    for (uint32_t node = 0; node < config->node_count; node++) {
        const json_t *one = json_object_get(map, config->nodes[node].name);
        if (one == NULL)
            continue;
        TRY(read_count(one, "uptime_s", &run->freeze_uptime_s[node], err));
        TRY(stay_json_get_int(one, "mono_us", &run->freeze_mono_us[node], err));
    }
    return STAY_OK;
}

static enum stay_rc read_head(const json_t *obj, const struct cluster_config *config,
                              struct plan_run *run, struct stay_error *err)
{
    int kind = 0, state = 0;
    int64_t format = 0, row = 0, rounds = 0;
    TRY(stay_json_get_int_in(obj, "format", PLAN_JSON_FORMAT, PLAN_JSON_FORMAT, &format, err));
    TRY(stay_json_get_copy(obj, "id", run->id, sizeof run->id, err));
    TRY(read_choice(obj, "kind", kind_at, PLAN_KIND_COUNT, &kind, err));
    TRY(read_choice(obj, "state", state_at, RUN_STATE_COUNT, &state, err));
    run->kind = (enum plan_kind)kind;
    run->state = (enum plan_state)state;
    size_t count = 0;
    (void)plan_rows(run->kind, &count);
    TRY(stay_json_get_int_in(obj, "row", 0, (int64_t)count, &row, err));
    TRY(stay_json_get_int_in(obj, "rounds", 0, PLAN_ROUNDS_MAX, &rounds, err));
    run->row = (uint32_t)row;
    run->rounds = (uint32_t)rounds;
    TRY(plan_choice_mode(obj, "mode", &run->mode, err));
    TRY(read_node(obj, "old_primary", config, &run->old_primary, err));
    TRY(read_node(obj, "candidate", config, &run->candidate, err));
    return stay_json_get_copy(obj, "text", run->text, sizeof run->text, err);
}

static enum stay_rc read_body(const json_t *obj, const struct cluster_config *config,
                              struct plan_run *run, struct stay_error *err)
{
#define X(name) TRY(plan_mask_from_json(obj, #name, config, &run->name, err));
    RUN_MASKS(X)
#undef X
#define X(name) TRY(stay_json_get_bool(obj, #name, &run->name, err));
    RUN_FLAGS(X)
#undef X
#define X(name) TRY(stay_json_get_int(obj, #name, &run->name, err));
    RUN_TIMES(X)
#undef X
#define X(name) TRY(read_count(obj, #name, &run->name, err));
    RUN_COUNTS(X)
#undef X
    if (run->acks > NODES_MAX)
        return stay_error(err, STAY_EINVALID, "acks is %llu, more than %d servers",
                          (unsigned long long)run->acks, NODES_MAX);
    TRY(read_gtids(obj, "fenced_executed", config, &run->fenced_executed, err));
    TRY(read_gtids(obj, "extra", config, &run->extra, err));
    TRY(read_sets(obj, "executed", config, run->executed, err));
    TRY(read_sets(obj, "received_high", config, run->received_high, err));
    TRY(read_freezes(obj, config, run, err));
    TRY(read_params(obj, config, &run->params, err));
    TRY(read_certificate(obj, &run->certificate, err));
    return read_rows(obj, config, run, err);
}

enum stay_rc plan_run_from_json(const json_t *json, const struct cluster_config *config,
                                struct plan_run *ret_run, struct stay_error *err)
{
    struct plan_run run = {0};
    enum stay_rc rc = read_head(json, config, &run, err);
    if (rc == STAY_OK)
        rc = read_body(json, config, &run, err);
    if (rc != STAY_OK) {
        plan_run_clear(&run);
        return stay_error_prefix(err, rc, "stored plan");
    }
    plan_run_clear(ret_run);
    *ret_run = run;
    return STAY_OK;
}
