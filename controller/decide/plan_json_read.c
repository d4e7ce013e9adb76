/* controller/decide/plan_json_read.c - a run from the JSON of plan_json.c: a journal that another
 * process left. Anything missing, unknown or out of range refuses the whole of it. */
#include "base/json.h"
#include "controller/decide/plan_json_private.h"
#include "controller/decide/plan_private.h"

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
    TRY(read_node(obj, "from", config, &params->donor, err));
    TRY(stay_json_get_int_in(obj, "rule", 0, UINT16_MAX, &rule, err));
    params->rule_id = (uint16_t)rule;
    TRY(stay_json_get_bool(obj, "automatic", &params->automatic, err));
    TRY(stay_json_get_bool(obj, "accept_loss", &params->accept_loss, err));
    TRY(stay_json_get_copy(obj, "reason", params->reason, sizeof params->reason, err));
    TRY(stay_json_get_copy(obj, "actor", params->actor, sizeof params->actor, err));
    TRY(stay_json_get_int_or(obj, "evacuation_wall_us", 0, &params->evacuation_wall_us, err));
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
    TRY(read_node(obj, "donor", config, &run->donor, err));
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
    TRY(read_gtids(obj, "last_word", config, &run->last_word, err));
    int64_t sessions = 0; /* a run stored by an older version has neither */
    TRY(stay_json_get_int_or(obj, "last_sessions", 0, &sessions, err));
    run->last_sessions = (uint64_t)sessions;
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
