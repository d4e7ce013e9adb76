/* controller/decide/plan_json_record.c - the cluster's stored record as JSON and back. */
#include "base/json.h"
#include "controller/decide/plan_json_private.h"

/* Every plain field of a record once, for both directions. `version` is the store's, not stored. */
#define RECORD_COUNTS(X) X(epoch) X(watch_uptime_base_s) X(watch_no_tx) X(watch_no_times)
#define RECORD_TIMES(X)                                                                            \
    X(lossless_since_wall_us) X(maintenance_until_wall_us) X(cooldown_until_wall_us)
#define RECORD_FLAGS(X) X(adopted) X(lossless_stands) X(paused)

json_t *cluster_record_to_json(const struct cluster_record *record,
                               const struct cluster_config *config)
{
    json_t *obj = json_object();
    stay_json_set_int(obj, "format", 1);
    stay_json_set_string(obj, "primary", record->primary);
    stay_json_set_string(obj, "plan_id", record->plan_id);
    stay_json_set_string(obj, "asks", record->asks);
    stay_json_set_string(obj, "mode", durability_mode_text(record->mode));
    stay_json_set(obj, "ackers", plan_mask_to_json(record->ackers, config));
    stay_json_set(obj, "restarted", plan_mask_to_json(record->restarted, config));
    stay_json_set(obj, "twins", plan_mask_to_json(record->twins, config));
#define X(name) stay_json_set_int(obj, #name, (int64_t)record->name);
    RECORD_COUNTS(X)
    RECORD_TIMES(X)
#undef X
#define X(name) stay_json_set_bool(obj, #name, record->name);
    RECORD_FLAGS(X)
#undef X
    json_t *quarantine = json_object();
    for (uint32_t node = 0; node < config->node_count; node++)
        if (record->quarantine[node] != QUARANTINE_NONE)
            stay_json_set_string(quarantine, config->nodes[node].name,
                                 quarantine_text(record->quarantine[node]));
    stay_json_set(obj, "quarantine", quarantine);
    stay_json_set_int(obj, "primary_since_wall_us", record->primary_since_wall_us);
    stay_json_set_int(obj, "primary_id", (int64_t)record->primary_id);
    stay_json_set_int(obj, "switch_at_wall_us", record->switch_at_wall_us);
    stay_json_set_int(obj, "switch_missed_wall_us", record->switch_missed_wall_us);
    stay_json_set_int(obj, "repairs_since_wall_us", record->repairs_since_wall_us);
    stay_json_set_int(obj, "repairs", (int64_t)record->repairs);
    stay_json_set_int(obj, "relief_until_wall_us", record->relief_until_wall_us);
    stay_json_set_int(obj, "relief_tried", (int64_t)record->relief_tried);
    stay_json_set_string(obj, "switch_to", record->switch_to);
    stay_json_set_string(obj, "switch_by", record->switch_by);
    stay_json_set_int(obj, "evacuated_wall_us", record->evacuated_wall_us);
    stay_json_set_int(obj, "evacuation_cut", record->evacuation_cut);
    stay_json_set_int(obj, "evacuation_again_wall_us", record->evacuation_again_wall_us);
    json_t *written = json_object();
    for (uint32_t node = 0; node < config->node_count; node++)
        if (record->written_known & (UINT32_C(1) << node))
            stay_json_set_int(written, config->nodes[node].name, (int64_t)record->written[node]);
    stay_json_set(obj, "written", written);
    json_t *born = record->births_kept ? json_object() : NULL;
    for (uint32_t node = 0; born != NULL && node < config->node_count; node++)
        if (record->born_known & (UINT32_C(1) << node))
            stay_json_set_int(born, config->nodes[node].name, record->born_wall_s[node]);
    if (born != NULL)
        stay_json_set(obj, "born", born);
    return obj;
}

static enum stay_rc read_quarantine(const json_t *obj, const struct cluster_config *config,
                                    struct cluster_record *record, struct stay_error *err)
{
    json_t *map = NULL;
    TRY(stay_json_get_object(obj, "quarantine", &map, err));
    for (uint32_t node = 0; node < config->node_count; node++) {
        const char *text = "none";
        size_t reason = 0;
        TRY(stay_json_get_string_or(map, config->nodes[node].name, "none", &text, err));
        while (reason < QUARANTINE_COUNT && strcmp(text, quarantine_text(reason)) != 0)
            reason++;
        if (reason == QUARANTINE_COUNT)
            return stay_error(err, STAY_EINVALID, "quarantine: unknown reason \"%s\"", text);
        record->quarantine[node] = (uint8_t)reason;
    }
    return STAY_OK;
}

/* Absent in records of older versions, and for nodes that were never read. */
static enum stay_rc read_written(const json_t *obj, const struct cluster_config *config,
                                 struct cluster_record *record, struct stay_error *err)
{
    json_t *map = NULL;
    if (json_object_get(obj, "written") == NULL)
        return STAY_OK;
    if (json_object_get(obj, "primary_id") != NULL) {
        int64_t id = 0;
        TRY(stay_json_get_int(obj, "primary_id", &id, err));
        record->primary_id = (uint64_t)id;
    }
    TRY(stay_json_get_object(obj, "written", &map, err));
    for (uint32_t node = 0; node < config->node_count; node++) {
        int64_t value = 0;
        if (json_object_get(map, config->nodes[node].name) == NULL)
            continue;
        TRY(stay_json_get_int(map, config->nodes[node].name, &value, err));
        record->written[node] = (uint64_t)value;
        record->written_known |= UINT32_C(1) << node;
    }
    return STAY_OK;
}

/* Absent in records of older versions. */
static enum stay_rc read_births(const json_t *obj, const struct cluster_config *config,
                                struct cluster_record *record, struct stay_error *err)
{
    json_t *map = NULL;
    if (json_object_get(obj, "born") == NULL)
        return STAY_OK;
    TRY(stay_json_get_object(obj, "born", &map, err));
    record->births_kept = true;
    for (uint32_t node = 0; node < config->node_count; node++) {
        if (json_object_get(map, config->nodes[node].name) == NULL)
            continue;
        TRY(stay_json_get_int(map, config->nodes[node].name, &record->born_wall_s[node], err));
        record->born_known |= UINT32_C(1) << node;
    }
    return STAY_OK;
}

/* Absent in records of older versions. */
static enum stay_rc read_schedule(const json_t *obj, struct cluster_record *record,
                                  struct stay_error *err)
{
    TRY(stay_json_get_int_or(obj, "switch_at_wall_us", 0, &record->switch_at_wall_us, err));
    TRY(stay_json_get_int_or(obj, "switch_missed_wall_us", 0, &record->switch_missed_wall_us, err));
    int64_t cut = 0;
    TRY(stay_json_get_int_or(obj, "evacuated_wall_us", 0, &record->evacuated_wall_us, err));
    TRY(stay_json_get_int_or(obj, "evacuation_cut", 0, &cut, err));
    record->evacuation_cut = cut >= 0 && cut < UINT32_MAX ? (uint32_t)cut : UINT32_MAX;
    TRY(stay_json_get_int_or(obj, "evacuation_again_wall_us", 0, &record->evacuation_again_wall_us,
                             err));
    if (json_object_get(obj, "switch_to") == NULL)
        return STAY_OK;
    TRY(stay_json_get_copy(obj, "switch_to", record->switch_to, sizeof record->switch_to, err));
    return stay_json_get_copy(obj, "switch_by", record->switch_by, sizeof record->switch_by, err);
}

/* Absent in records of older versions. */
static enum stay_rc read_relief(const json_t *obj, struct cluster_record *record,
                                struct stay_error *err)
{
    int64_t repairs = 0, tried = 0;
    TRY(stay_json_get_int_or(obj, "repairs_since_wall_us", 0, &record->repairs_since_wall_us, err));
    TRY(stay_json_get_int_or(obj, "repairs", 0, &repairs, err));
    TRY(stay_json_get_int_or(obj, "relief_until_wall_us", 0, &record->relief_until_wall_us, err));
    TRY(stay_json_get_int_or(obj, "relief_tried", 0, &tried, err));
    record->repairs = (uint64_t)repairs;
    record->relief_tried = (uint64_t)tried;
    return STAY_OK;
}

static enum stay_rc read_record(const json_t *obj, const struct cluster_config *config,
                                struct cluster_record *record, struct stay_error *err)
{
    int64_t value = 0;
    TRY(stay_json_get_int_in(obj, "format", 1, 1, &value, err));
    TRY(stay_json_get_copy(obj, "primary", record->primary, sizeof record->primary, err));
    TRY(stay_json_get_copy(obj, "plan_id", record->plan_id, sizeof record->plan_id, err));
    if (json_object_get(obj, "asks") != NULL) /* absent in records of older versions */
        TRY(stay_json_get_copy(obj, "asks", record->asks, sizeof record->asks, err));
    TRY(plan_choice_mode(obj, "mode", &record->mode, err));
    TRY(plan_mask_from_json(obj, "ackers", config, &record->ackers, err));
    if (json_object_get(obj, "restarted") != NULL) /* absent in records of older versions */
        TRY(plan_mask_from_json(obj, "restarted", config, &record->restarted, err));
    TRY(stay_json_get_int_or(obj, "primary_since_wall_us", 0, &record->primary_since_wall_us, err));
    if (json_object_get(obj, "twins") != NULL)
        TRY(plan_mask_from_json(obj, "twins", config, &record->twins, err));
#define X(name)                                                                                    \
    TRY(stay_json_get_int(obj, #name, &value, err));                                               \
    record->name = (uint64_t)value;
    RECORD_COUNTS(X)
#undef X
#define X(name) TRY(stay_json_get_int(obj, #name, &record->name, err));
    RECORD_TIMES(X)
#undef X
#define X(name) TRY(stay_json_get_bool(obj, #name, &record->name, err));
    RECORD_FLAGS(X)
#undef X
    TRY(read_schedule(obj, record, err));
    TRY(read_relief(obj, record, err));
    TRY(read_quarantine(obj, config, record, err));
    TRY(read_written(obj, config, record, err));
    return read_births(obj, config, record, err);
}

enum stay_rc cluster_record_from_json(const json_t *json, const struct cluster_config *config,
                                      struct cluster_record *ret_record, struct stay_error *err)
{
    struct cluster_record record = {0};
    enum stay_rc rc = read_record(json, config, &record, err);
    if (rc != STAY_OK)
        return stay_error_prefix(err, rc, "stored record");
    *ret_record = record;
    return STAY_OK;
}
