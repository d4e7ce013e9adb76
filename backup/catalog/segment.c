/* backup/catalog/segment.c - what segments say of themselves, and their beginning. */
#include "backup/catalog/segment.h"
#include "backup/repository/object_reader.h"
#include "backup/repository/repo_fault.h"
#include "base/io/real_clock.h"
#include "base/json.h"

char *segment_about_format(const struct segment_about *a)
{
    STAY_AUTO(stay_json_drop) json_t *json = json_object();
    char hex[2 * SHA256_BYTES + 1];
    hex_format(a->prev, sizeof a->prev, hex);
    stay_json_set_string(json, "lineage", a->lineage);
    stay_json_set_int(json, "epoch", a->epoch);
    stay_json_set_int(json, "seq", (int64_t)a->seq);
    stay_json_set_string(json, "prev", a->has_prev ? hex : NULL);
    stay_json_set_string(json, "before", a->before);
    stay_json_set_string(json, "after", a->after);
    stay_json_set_int(json, "first_commit_us", a->first_commit_us);
    stay_json_set_int(json, "last_commit_us", a->last_commit_us);
    stay_json_set_int(json, "transactions", (int64_t)a->transactions);
    stay_json_set_int(json, "source_id", a->source_id);
    stay_json_set_int(json, "skew_us", a->skew_us);
    stay_json_set_string(json, "tail", a->is_cut ? "cut" : "clean");
    return stay_json_dump_compact(json);
}

void segment_about_clear(struct segment_about *about)
{
    free(about->before);
    free(about->after);
    *about = (struct segment_about){0};
}

static enum stay_rc read_numbers(const json_t *json, struct segment_about *a,
                                 struct stay_error *err)
{
    int64_t epoch = 0, seq = 0, transactions = 0, source = 0;
    enum stay_rc rc = stay_json_get_int_in(json, "epoch", 0, UINT32_MAX, &epoch, err);
    if (rc == STAY_OK)
        rc = stay_json_get_int_in(json, "seq", 1, INT64_MAX, &seq, err);
    if (rc == STAY_OK)
        rc = stay_json_get_int_in(json, "transactions", 0, INT64_MAX, &transactions, err);
    if (rc == STAY_OK)
        rc = stay_json_get_int_in(json, "source_id", 0, UINT32_MAX, &source, err);
    if (rc == STAY_OK)
        rc = stay_json_get_int(json, "first_commit_us", &a->first_commit_us, err);
    if (rc == STAY_OK)
        rc = stay_json_get_int(json, "last_commit_us", &a->last_commit_us, err);
    if (rc == STAY_OK)
        rc = stay_json_get_int(json, "skew_us", &a->skew_us, err);
    a->epoch = (uint32_t)epoch;
    a->seq = (uint64_t)seq;
    a->transactions = (uint64_t)transactions;
    a->source_id = (uint32_t)source;
    return rc;
}

enum stay_rc segment_about_parse(const char *text, struct segment_about *ret_about,
                                 struct stay_error *err)
{
    STAY_AUTO(stay_json_drop) json_t *json = NULL;
    STAY_AUTO(segment_about_clear) struct segment_about a = {0};
    struct stay_error why = {0};
    const char *prev = NULL, *before = NULL, *after = NULL, *tail = NULL;
    enum stay_rc rc = stay_json_parse(text, strlen(text), &json, &why);
    if (rc == STAY_OK)
        rc = stay_json_get_copy(json, "lineage", a.lineage, sizeof a.lineage, &why);
    if (rc == STAY_OK)
        rc = read_numbers(json, &a, &why);
    if (rc == STAY_OK)
        rc = stay_json_get_string_or(json, "prev", NULL, &prev, &why);
    if (rc == STAY_OK)
        rc = stay_json_get_string(json, "before", &before, &why);
    if (rc == STAY_OK)
        rc = stay_json_get_string(json, "after", &after, &why);
    if (rc == STAY_OK)
        rc = stay_json_get_string(json, "tail", &tail, &why);
    a.has_prev = prev != NULL;
    if (rc == STAY_OK && prev != NULL && !hex_parse(prev, a.prev, sizeof a.prev))
        rc = stay_error(&why, STAY_ECORRUPT, "prev is no hash");
    if (rc != STAY_OK)
        return repo_fault(err, REPO_FAULT_CORRUPT, "it says no segment: %s", why.text);
    a.is_cut = strcmp(tail, "cut") == 0;
    a.before = stay_strdup(before);
    a.after = stay_strdup(after);
    *ret_about = a;
    a = (struct segment_about){0};
    return STAY_OK;
}

void segment_name(const char *cluster, const struct segment_about *about, int64_t now_wall_us,
                  char dst[OBJECT_NAME_MAX])
{
    struct object_name name = {.place = PLACE_SEGMENT, .epoch = about->epoch, .seq = about->seq};
    (void)stay_copy(name.cluster, sizeof name.cluster, cluster);
    (void)stay_copy(name.lineage, sizeof name.lineage, about->lineage);
    segment_hour_format(about->first_commit_us > 0 ? about->first_commit_us : now_wall_us,
                        name.hour);
    object_name_format(&name, dst);
}

enum stay_rc segment_begin(struct repository *repo, const char *cluster,
                           const struct segment_about *about,
                           const uint8_t (*domains)[DOMAIN_BYTES], size_t domain_count,
                           struct object_writer **ret_writer, struct stay_error *err)
{
    char name[OBJECT_NAME_MAX];
    STAY_AUTO(stay_free_charp) char *text = segment_about_format(about);
    segment_name(cluster, about, real_clock_wall_us(), name);
    if (strlen(text) > OBJECT_ABOUT_MAX)
        return stay_error(err, STAY_ELIMIT, "'%s': its positions are too long", name);
    const struct object_spec spec = {.name = name,
                                     .kind = OBJECT_SEGMENT,
                                     .about = text,
                                     .frame_max = SEGMENT_FRAME_MAX,
                                     .domain_count = domain_count,
                                     .domains = domains};
    return object_writer_begin(repo, &spec, ret_writer, err);
}

enum stay_rc segment_read_about(struct repository *repo, const char *name,
                                struct segment_about *ret_about, uint8_t ret_hash[SHA256_BYTES],
                                struct stay_error *err)
{
    STAY_AUTO(object_reader_drop) struct object_reader *r = NULL;
    STAY_AUTO(segment_about_clear) struct segment_about a = {0};
    struct object_end end;
    struct object_name parsed = object_name_parse(name);
    enum stay_rc rc = object_reader_open(repo, name, &r, err);
    if (rc == STAY_OK)
        rc = object_read_end(repo, name, &end, err);
    if (rc != STAY_OK)
        return rc;
    rc = segment_about_parse(object_reader_header(r)->about, &a, err);
    if (rc == STAY_OK &&
        (a.seq != parsed.seq || a.epoch != parsed.epoch || strcmp(a.lineage, parsed.lineage) != 0))
        rc = repo_fault(err, REPO_FAULT_FOREIGN, "it says another segment than its name");
    if (rc != STAY_OK)
        return stay_error_prefix(err, rc, "'%s'", name);
    *ret_about = a;
    a = (struct segment_about){0};
    memcpy(ret_hash, end.hash, SHA256_BYTES);
    return STAY_OK;
}
