/* backup/catalog/erasure.c - look, destroy, look again, sign, keep. */
#include "backup/catalog/erasure.h"
#include "backup/catalog/segment.h"
#include "backup/repository/repo_fault.h"
#include "backup/repository/sealed_document.h"
#include "base/io/real_clock.h"
#include "base/io/real_random.h"

struct survey {
    struct repository *repo;
    char domain[OBJECT_ID_TEXT];
    uint64_t objects, bytes;
    uint64_t segments, unreadable; /* of the log; those that do not tell what they hold */
    int64_t newest_commit_us;      /* 0: there is no log */
};

static enum stay_rc on_object(void *arg, const struct object_found *found, struct stay_error *err)
{
    struct survey *s = arg;
    STAY_AUTO(segment_about_clear) struct segment_about about = {0};
    uint8_t hash[SHA256_BYTES];
    (void)err;
    if (found->strange != NULL)
        return STAY_OK;
    struct object_name name = object_name_parse(found->name);
    if (name.place == PLACE_DATA && strcmp(name.domain, s->domain) == 0) {
        s->objects++;
        s->bytes += found->size;
    }
    if (name.place != PLACE_SEGMENT)
        return STAY_OK;
    s->segments++;
    if (segment_read_about(s->repo, found->name, &about, hash, NULL) != STAY_OK)
        s->unreadable++;
    else if (about.last_commit_us > s->newest_commit_us)
        s->newest_commit_us = about.last_commit_us;
    return STAY_OK;
}

static char *signed_text(json_t *certificate)
{
    STAY_AUTO(stay_json_drop) json_t *copy = json_deep_copy(certificate);
    (void)json_object_del(copy, "signature");
    return stay_json_dump_compact(copy);
}

static enum stay_rc make_certificate(struct survey *s, const char *cluster, uint32_t destroyed,
                                     json_t **ret, struct stay_error *err)
{
    STAY_AUTO(stay_json_drop) json_t *c = json_object();
    uint8_t signature[SIGNATURE_BYTES];
    char hex[2 * SIGNATURE_BYTES + 1], key[65];
    stay_json_set_string(c, "format", "mainstay-erasure");
    stay_json_set_int(c, "version", 1);
    stay_json_set_string(c, "repo", s->repo->id_text);
    stay_json_set_string(c, "cluster", cluster);
    stay_json_set_string(c, "domain", s->domain);
    stay_json_set_int(c, "destroyed_wall_us", real_clock_wall_us());
    stay_json_set_int(c, "generations", destroyed);
    stay_json_set_int(c, "objects_unreadable", (int64_t)s->objects);
    stay_json_set_int(c, "bytes_unreadable", (int64_t)s->bytes);
    stay_json_set_int(c, "log_segments", (int64_t)s->segments);
    stay_json_set_int(c, "log_segments_unreadable", (int64_t)s->unreadable);
    stay_json_set_int(c, "log_newest_commit_wall_us", s->newest_commit_us);
    hex_format(s->repo->signing_key, 32, key);
    stay_json_set_string(c, "signing_key", key);
    STAY_AUTO(stay_free_charp) char *text = signed_text(c);
    enum stay_rc rc = repository_sign(s->repo, (struct span){text, strlen(text)}, signature, err);
    if (rc != STAY_OK)
        return rc;
    hex_format(signature, sizeof signature, hex);
    stay_json_set_string(c, "signature", hex);
    *ret = c;
    c = NULL;
    return STAY_OK;
}

static enum stay_rc keep_event(struct repository *repo, const char *cluster, const char *tenant,
                               json_t *certificate, struct stay_error *err)
{
    struct object_name name = {.place = PLACE_EVENT};
    uint8_t random[10];
    STAY_AUTO(stay_json_drop) json_t *about = json_object();
    STAY_AUTO(stay_json_drop) json_t *body = json_object();
    real_random_bytes(random, sizeof random);
    ulid_format(real_clock_wall_us(), random, name.id);
    (void)stay_copy(name.cluster, sizeof name.cluster, cluster);
    stay_json_set_string(about, "event", "erase");
    stay_json_set(about, "certificate", json_incref(certificate));
    stay_json_set_string(body, "tenant", tenant);
    return document_write(repo, &name, about, body, err);
}

/* Nothing is certified that was not seen: a list that fails is no proof. */
static enum stay_rc look_again(struct repository *repo, const uint8_t domain[DOMAIN_BYTES],
                               const char *name, struct stay_error *err)
{
    uint32_t generation = 0;
    struct stay_error why = {0};
    enum stay_rc rc = key_ring_current(repo->ring, domain, &generation, &why);
    if (rc != STAY_OK && repo_fault_of(&why) == REPO_FAULT_KEY_MISSING)
        return STAY_OK;
    return repo_fault(err, REPO_FAULT_STORE, "a key of %s is still there, or it is not known: %s",
                      name, why.text);
}

enum stay_rc erasure_shred(struct repository *repo, const char *cluster, const char *tenant,
                           json_t **ret_certificate, struct stay_error *err)
{
    struct survey s = {.repo = repo};
    uint8_t domain[DOMAIN_BYTES], of_cluster[DOMAIN_BYTES];
    uint32_t count = 0, generation = 0;
    char prefix[48];
    STAY_AUTO(stay_json_drop) json_t *certificate = NULL;
    struct stay_error why = {0};
    enum stay_rc rc = repository_domain(repo, cluster, tenant, domain, err);
    if (rc != STAY_OK)
        return rc;
    hex_format(domain, sizeof domain, s.domain);
    rc = key_ring_current(repo->ring, domain, &generation, &why);
    if (rc != STAY_OK && !key_ring_is_shredded(repo->ring, domain)) {
        if (err != NULL)
            *err = why;
        return rc;
    }
    /* First what the certificate is sealed with: what was destroyed without one stays unproven. */
    rc = repository_domain_ready(repo, cluster, NULL, of_cluster, err);
    (void)snprintf(prefix, sizeof prefix, "c/%s/", cluster);
    if (rc == STAY_OK)
        rc = object_list(repo->store, prefix, on_object, &s, err);
    if (rc == STAY_OK)
        rc = key_ring_shred(repo->ring, domain, &count, err);
    if (rc == STAY_OK)
        rc = look_again(repo, domain, s.domain, err);
    if (rc == STAY_OK)
        rc = make_certificate(&s, cluster, count, &certificate, err);
    if (rc == STAY_OK)
        rc = keep_event(repo, cluster, tenant, certificate, err);
    if (rc != STAY_OK)
        return rc;
    *ret_certificate = certificate;
    certificate = NULL;
    return STAY_OK;
}

bool erasure_is_good(const struct repository *repo, json_t *certificate)
{
    uint8_t signature[SIGNATURE_BYTES];
    const char *hex = json_string_value(json_object_get(certificate, "signature"));
    if (!hex_parse(hex, signature, sizeof signature))
        return false;
    STAY_AUTO(stay_free_charp) char *text = signed_text(certificate);
    return signature_is_good(repo->signing_key, (struct span){text, strlen(text)}, signature);
}
