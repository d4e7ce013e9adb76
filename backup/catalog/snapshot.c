/* backup/catalog/snapshot.c - objects of a snapshot, and the manifest last. */
#include "backup/catalog/snapshot.h"
#include "backup/repository/repo_fault.h"
#include "backup/repository/sealed_document.h"
#include "base/io/real_clock.h"
#include "base/io/real_random.h"
#include "base/names.h"
#include <inttypes.h>

#define NUMBER_MAX 999999

enum stay_rc snapshot_begin(const char *cluster, const char *lineage, struct snapshot *ret_snapshot,
                            struct stay_error *err)
{
    struct snapshot s = {.started_wall_us = real_clock_wall_us(), .next_number = 1};
    uint32_t random;
    enum stay_rc rc = names_check_id("cluster name", cluster, err);
    if (rc != STAY_OK)
        return rc;
    must(strlen(lineage) == LINEAGE_ID_TEXT - 1);
    real_random_bytes(&random, sizeof random);
    (void)stay_copy(s.cluster, sizeof s.cluster, cluster);
    (void)stay_copy(s.lineage, sizeof s.lineage, lineage);
    snapshot_id_format(s.started_wall_us, random, s.id);
    s.stored = json_array();
    s.sealed = json_array();
    *ret_snapshot = s;
    return STAY_OK;
}

void snapshot_clear(struct snapshot *snapshot)
{
    json_decref(snapshot->stored);
    json_decref(snapshot->sealed);
    *snapshot = (struct snapshot){0};
}

static struct object_name name_in(const struct snapshot *s, enum object_place place)
{
    struct object_name name = {.place = place};
    (void)stay_copy(name.cluster, sizeof name.cluster, s->cluster);
    (void)stay_copy(name.lineage, sizeof name.lineage, s->lineage);
    (void)stay_copy(name.snapshot, sizeof name.snapshot, s->id);
    return name;
}

void snapshot_object_name(const struct snapshot *snapshot, const uint8_t domain[DOMAIN_BYTES],
                          uint32_t number, char dst[OBJECT_NAME_MAX])
{
    struct object_name name = name_in(snapshot, PLACE_DATA);
    name.number = number;
    hex_format(domain, DOMAIN_BYTES, name.domain);
    object_name_format(&name, dst);
}

enum stay_rc snapshot_object_begin(struct repository *repo, const struct snapshot *snapshot,
                                   const uint8_t domain[DOMAIN_BYTES], uint32_t number,
                                   const char *about, struct object_writer **ret_writer,
                                   struct stay_error *err)
{
    char name[OBJECT_NAME_MAX];
    uint8_t domains[1][DOMAIN_BYTES];
    if (number > NUMBER_MAX)
        return stay_error(err, STAY_ELIMIT, "a snapshot has at most %d objects", NUMBER_MAX);
    memcpy(domains[0], domain, DOMAIN_BYTES);
    snapshot_object_name(snapshot, domain, number, name);
    const struct object_spec spec = {.name = name,
                                     .kind = OBJECT_DATA,
                                     .about = about,
                                     .domain_count = 1,
                                     .domains = (const uint8_t(*)[DOMAIN_BYTES])domains};
    return object_writer_begin(repo, &spec, ret_writer, err);
}

void snapshot_add(struct snapshot *snapshot, const uint8_t domain[DOMAIN_BYTES], uint32_t number,
                  const struct object_written *written)
{
    char name[OBJECT_NAME_MAX], hex[2 * SHA256_BYTES + 1];
    json_t *stored = json_object(), *sealed = json_object();
    snapshot_object_name(snapshot, domain, number, name);
    const char *inner = strstr(name, "/data/") + 1;
    stay_json_set_string(stored, "name", inner);
    stay_json_set_int(stored, "stored_len", (int64_t)written->stored.size);
    hex_format(written->stored.sha256, SHA256_BYTES, hex);
    stay_json_set_string(stored, "stored_sha256", hex);
    stay_json_append(snapshot->stored, stored);
    stay_json_set_string(sealed, "name", inner);
    stay_json_set_int(sealed, "plain_len", (int64_t)written->plain_length);
    hex_format(written->plain_sha256, SHA256_BYTES, hex);
    stay_json_set_string(sealed, "plain_sha256", hex);
    stay_json_set_int(sealed, "frames", written->frames);
    stay_json_set_int(sealed, "key_gen", written->generation);
    stay_json_append(snapshot->sealed, sealed);
}

static enum stay_rc look_at_objects(struct repository *repo, const struct snapshot *s,
                                    struct stay_error *err)
{
    for (size_t i = 0; i < json_array_size(s->stored); i++) {
        const json_t *row = json_array_get(s->stored, i);
        uint64_t want = (uint64_t)json_integer_value(json_object_get(row, "stored_len")), have = 0;
        STAY_AUTO(stay_free_charp)
        char *name = stay_sprintf("c/%s/l/%s/s/%s/%s", s->cluster, s->lineage, s->id,
                                  json_string_value(json_object_get(row, "name")));
        enum stay_rc rc = object_size(repo->store, name, &have, err);
        if (rc != STAY_OK)
            return rc;
        if (have != want)
            return repo_fault(err, REPO_FAULT_TRUNCATED,
                              "'%s' has %" PRIu64 " bytes, %" PRIu64 " were written", name, have,
                              want);
    }
    return STAY_OK;
}

enum stay_rc snapshot_publish(struct repository *repo, struct snapshot *snapshot,
                              const struct snapshot_about *about, json_t *body,
                              struct stay_error *err)
{
    struct object_name name = name_in(snapshot, PLACE_MANIFEST);
    STAY_AUTO(stay_json_drop) json_t *clear = json_object();
    enum stay_rc rc = look_at_objects(repo, snapshot, err);
    if (rc != STAY_OK)
        return rc;
    stay_json_set_string(clear, "id", snapshot->id);
    stay_json_set_string(clear, "lineage", snapshot->lineage);
    stay_json_set_string(clear, "kind", "full");
    stay_json_set_string(clear, "method", about->method);
    stay_json_set_string(clear, "consistency", about->consistency);
    stay_json_set_string(clear, "position", about->position);
    stay_json_set_int(clear, "started_wall_us", snapshot->started_wall_us);
    stay_json_set_int(clear, "consistent_wall_us", about->consistent_wall_us);
    stay_json_set(clear, "objects", json_incref(snapshot->stored));
    stay_json_set(body, "objects", json_incref(snapshot->sealed));
    return document_write(repo, &name, clear, body, err);
}
