/* backup/catalog/lineage.c - lineages opened and closed, gaps recorded. */
#include "backup/catalog/lineage.h"
#include "base/io/real_clock.h"
#include "base/io/real_random.h"
#include "base/names.h"

enum stay_rc lineage_create(struct repository *repo, const struct lineage_spec *spec,
                            char ret_id[LINEAGE_ID_TEXT], struct stay_error *err)
{
    struct object_name name = {.place = PLACE_LINEAGE};
    uint8_t random[8];
    STAY_AUTO(stay_json_drop) json_t *about = json_object();
    STAY_AUTO(stay_json_drop) json_t *body = json_object();
    enum stay_rc rc = names_check_id("cluster name", spec->cluster, err);
    if (rc != STAY_OK)
        return rc;
    real_random_bytes(random, sizeof random);
    hex_format(random, sizeof random, name.lineage);
    (void)stay_copy(name.cluster, sizeof name.cluster, spec->cluster);
    stay_json_set_string(about, "engine", spec->engine);
    stay_json_set_string(about, "parent", spec->parent);
    stay_json_set_string(about, "parent_cut", spec->parent_cut);
    stay_json_set(body, "servers",
                  spec->servers == NULL ? json_array() : json_incref(spec->servers));
    rc = document_write(repo, &name, about, body, err);
    if (rc == STAY_OK)
        (void)stay_copy(ret_id, LINEAGE_ID_TEXT, name.lineage);
    return rc;
}

enum stay_rc lineage_close(struct repository *repo, const char *cluster, const char *lineage,
                           const char *position, const char *reason, struct stay_error *err)
{
    struct object_name name = {.place = PLACE_CLOSED};
    STAY_AUTO(stay_json_drop) json_t *about = json_object();
    STAY_AUTO(stay_json_drop) json_t *body = json_object();
    (void)stay_copy(name.cluster, sizeof name.cluster, cluster);
    (void)stay_copy(name.lineage, sizeof name.lineage, lineage);
    stay_json_set_string(about, "position", position);
    stay_json_set_string(body, "reason", reason);
    return document_write(repo, &name, about, body, err);
}

enum stay_rc gap_record(struct repository *repo, const struct gap_spec *spec,
                        char ret_id[ULID_TEXT], struct stay_error *err)
{
    struct object_name name = {.place = PLACE_GAP};
    uint8_t random[10];
    STAY_AUTO(stay_json_drop) json_t *about = json_object();
    STAY_AUTO(stay_json_drop) json_t *body = json_object();
    real_random_bytes(random, sizeof random);
    ulid_format(real_clock_wall_us(), random, name.id);
    (void)stay_copy(name.cluster, sizeof name.cluster, spec->cluster);
    stay_json_set_string(about, "lineage", spec->lineage);
    stay_json_set_string(about, "after", spec->after);
    stay_json_set_string(about, "before", spec->before);
    stay_json_set_string(about, "heals", spec->heals);
    stay_json_set_string(body, "reason", spec->reason);
    stay_json_set_string(body, "detected_by", spec->detected_by);
    enum stay_rc rc = document_write(repo, &name, about, body, err);
    if (rc == STAY_OK)
        (void)stay_copy(ret_id, ULID_TEXT, name.id);
    return rc;
}
