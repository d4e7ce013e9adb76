/* backup/repository/repository.c - repo.json, made once and checked at each opening. */
#include "backup/repository/repository.h"
#include "backup/repository/repo_fault.h"
#include "base/io/real_clock.h"
#include "base/io/real_random.h"
#include "base/names.h"
#include <inttypes.h>

#define FORMAT "mainstay-repository"

/* The sum over repo.json without it, made with the NAMES key: whoever has no key cannot change the
 * zone, the id or the signing key unseen. */
static char *mac_of(json_t *json, const uint8_t names_key[AEAD_KEY_BYTES])
{
    static const char what[] = "mainstay repo.json/";
    uint8_t sum[SHA256_BYTES];
    char *text = stay_malloc(2 * SHA256_BYTES + 1);
    STAY_AUTO(stay_json_drop) json_t *copy = json_deep_copy(json);
    (void)json_object_del(copy, "mac");
    STAY_AUTO(stay_free_charp) char *canonical = stay_json_dump_compact(copy);
    const struct span parts[] = {{what, sizeof what - 1}, {canonical, strlen(canonical)}};
    hmac_sha256(names_key, parts, STAY_COUNT(parts), sum);
    hex_format(sum, sizeof sum, text);
    return text;
}

static char *format_repo(const struct repository *repo, const uint8_t names_key[AEAD_KEY_BYTES])
{
    STAY_AUTO(stay_json_drop) json_t *json = json_object();
    json_t *features = json_array(), *store = json_object();
    char hex[65];
    stay_json_set_string(json, "format", FORMAT);
    stay_json_set_int(json, "version", REPOSITORY_VERSION);
    stay_json_set_int(json, "min_reader", REPOSITORY_VERSION);
    stay_json_set_string(json, "id", repo->id_text);
    stay_json_set_int(json, "created_wall_us", repo->created_wall_us);
    stay_json_set_string(json, "zone", repo->zone);
    stay_json_append(features, stay_json_string("aes-256-gcm"));
    stay_json_append(features, stay_json_string("zstd"));
    stay_json_set(json, "features", features);
    stay_json_set_string(store, "kind", "directory");
    stay_json_set_bool(store, "creates_only", true);
    stay_json_set(json, "store", store);
    hex_format(repo->signing_key, sizeof repo->signing_key, hex);
    stay_json_set_string(json, "signing_key", hex);
    STAY_AUTO(stay_free_charp) char *mac = mac_of(json, names_key);
    stay_json_set_string(json, "mac", mac);
    STAY_AUTO(stay_free_charp) char *text = stay_json_dump_compact(json);
    return stay_sprintf("%s\n", text);
}

static enum stay_rc parse_repo(const struct str *text, struct repository *repo, json_t **ret_json,
                               struct stay_error *err)
{
    STAY_AUTO(stay_json_drop) json_t *json = NULL;
    const char *format = NULL, *id = NULL, *signing = NULL;
    int64_t min_reader = 0;
    struct stay_error why = {0};
    enum stay_rc rc = stay_json_parse(str_text(text), text->length, &json, &why);
    if (rc == STAY_OK)
        rc = stay_json_get_string(json, "format", &format, &why);
    if (rc == STAY_OK)
        rc = stay_json_get_int(json, "min_reader", &min_reader, &why);
    if (rc == STAY_OK && strcmp(format, FORMAT) == 0 && min_reader > REPOSITORY_VERSION)
        return repo_fault(err, REPO_FAULT_NEWER,
                          "it needs a mainstay that reads version %" PRId64 ", this one reads %d",
                          min_reader, REPOSITORY_VERSION);
    if (rc == STAY_OK)
        rc = stay_json_get_string(json, "id", &id, &why);
    if (rc == STAY_OK)
        rc = stay_json_get_string(json, "signing_key", &signing, &why);
    if (rc == STAY_OK)
        rc = stay_json_get_copy(json, "zone", repo->zone, sizeof repo->zone, &why);
    if (rc == STAY_OK)
        rc = stay_json_get_int(json, "created_wall_us", &repo->created_wall_us, &why);
    if (rc == STAY_OK && (strcmp(format, FORMAT) != 0 || !hex_parse(id, repo->id, REPO_ID_BYTES) ||
                          !hex_parse(signing, repo->signing_key, 32)))
        rc = stay_error(&why, STAY_ECORRUPT, "its fields are not what a repository has");
    if (rc != STAY_OK)
        return repo_fault(err, REPO_FAULT_CORRUPT, "repo.json: %s", why.text);
    (void)stay_copy(repo->id_text, sizeof repo->id_text, id);
    *ret_json = json;
    json = NULL;
    return STAY_OK;
}

static enum stay_rc check_mac(struct repository *repo, json_t *json, struct stay_error *err)
{
    uint8_t domain[DOMAIN_BYTES];
    const uint8_t *names_key = NULL;
    const char *mac = json_string_value(json_object_get(json, "mac"));
    key_domain_fixed(KEY_NAMES, domain);
    enum stay_rc rc = key_ring_get(repo->ring, domain, 1, &names_key, err);
    if (rc != STAY_OK)
        return rc;
    STAY_AUTO(stay_free_charp) char *ours = mac_of(json, names_key);
    if (mac == NULL || strcmp(mac, ours) != 0)
        return repo_fault(err, REPO_FAULT_CORRUPT, "repo.json is not what was written");
    return STAY_OK;
}

enum stay_rc repository_open(const struct repository_spec *spec, struct repository **ret_repo,
                             struct stay_error *err)
{
    STAY_AUTO(repository_drop) struct repository *repo = stay_calloc(1, sizeof *repo);
    STAY_AUTO(str_clear) struct str text = {0};
    STAY_AUTO(stay_json_drop) json_t *json = NULL;
    STAY_AUTO(master_key_clear) struct master_key master = {0};
    struct stay_error why = {0};
    enum stay_rc rc = STAY_OK;
    if (spec->key_path != NULL)
        rc = master_key_load(spec->key_path, &master, err);
    if (rc == STAY_OK)
        rc = object_store_open(spec->url, 0, &repo->store, err);
    if (rc != STAY_OK)
        return rc;
    rc = object_read_all(repo->store, "repo.json", REPOSITORY_TEXT_MAX, &text, &why);
    if (rc != STAY_OK && repo_fault_of(&why) == REPO_FAULT_MISSING)
        return repo_fault(err, REPO_FAULT_NOT_A_REPOSITORY, "%s holds no repo.json",
                          object_store_url(repo->store));
    if (rc != STAY_OK) {
        if (err != NULL)
            *err = why;
        return rc;
    }
    rc = parse_repo(&text, repo, &json, err);
    if (rc == STAY_OK && spec->key_path != NULL) {
        repo->ring = key_ring_new(repo->store, repo->id, &master);
        rc = check_mac(repo, json, err);
    }
    if (rc != STAY_OK)
        return rc;
    *ret_repo = repo;
    repo = NULL;
    return STAY_OK;
}

void repository_close(struct repository *repo)
{
    if (repo == NULL)
        return;
    key_ring_free(repo->ring);
    object_store_close(repo->store);
    free(repo);
}

void repository_drop(struct repository **repo)
{
    repository_close(*repo);
    *repo = NULL;
}

/* What is in the way of an init. */
struct before_init {
    bool has_repo;
    char other[OBJECT_NAME_MAX]; /* something that no unfinished init leaves */
    char key[OBJECT_NAME_MAX];   /* the NAMES key of one */
    char names_folder[64];
};

static enum stay_rc see_before(void *arg, const struct object_found *found, struct stay_error *err)
{
    struct before_init *b = arg;
    struct object_name name = object_name_parse(found->strange == NULL ? found->name : "");
    (void)err;
    if (name.place == PLACE_REPO)
        b->has_repo = true;
    else if (name.place == PLACE_KEY && strspn(name.domain, "0") >= 31) {
        if (strncmp(found->name, b->names_folder, strlen(b->names_folder)) == 0)
            (void)stay_copy(b->key, sizeof b->key, found->name);
    } else if (b->other[0] == '\0')
        (void)stay_copy(b->other, sizeof b->other, found->name);
    return STAY_OK;
}

/* In tmp/ stands what a killed init left, named by 32 digits, and nothing else. */
static enum stay_rc see_unfinished(void *arg, const struct object_found *found,
                                   struct stay_error *err)
{
    struct before_init *b = arg;
    uint8_t bytes[16];
    (void)err;
    bool is_ours = found->strange == NULL && hex_parse(found->name + 4, bytes, sizeof bytes);
    if (!is_ours && b->other[0] == '\0')
        (void)stay_copy(b->other, sizeof b->other, found->name);
    return STAY_OK;
}

/* The id of a repository whose init ended before its end, by the key it left. */
static enum stay_rc resume_init(struct repository *repo, const char *name,
                                const struct master_key *master, struct stay_error *err)
{
    STAY_AUTO(str_clear) struct str text = {0};
    STAY_AUTO(key_record_clear) struct key_record record = {0};
    enum stay_rc rc = object_read_all(repo->store, name, KEY_RECORD_MAX, &text, err);
    if (rc == STAY_OK)
        rc = key_record_decode(str_text(&text), text.length, master, &record, err);
    if (rc != STAY_OK)
        return stay_error_prefix(err, rc, "an unfinished init left '%s'", name);
    memcpy(repo->id, record.repo, REPO_ID_BYTES);
    return STAY_OK;
}

/* The key of a purpose, made unless it is there. */
static enum stay_rc fixed_key(struct repository *repo, enum key_purpose purpose,
                              uint8_t ret_key[AEAD_KEY_BYTES], struct stay_error *err)
{
    STAY_AUTO(key_record_clear) struct key_record record = {.purpose = purpose};
    const uint8_t *key = NULL;
    struct stay_error why = {0};
    key_domain_fixed(purpose, record.domain);
    enum stay_rc rc = key_ring_get(repo->ring, record.domain, 1, &key, &why);
    if (rc != STAY_OK && repo_fault_of(&why) == REPO_FAULT_KEY_MISSING) {
        rc = key_ring_add(repo->ring, &record, err);
        if (rc == STAY_OK)
            rc = key_ring_get(repo->ring, record.domain, 1, &key, err);
    } else if (rc != STAY_OK && err != NULL) {
        *err = why;
    }
    if (rc == STAY_OK)
        memcpy(ret_key, key, AEAD_KEY_BYTES);
    return rc;
}

static enum stay_rc look_before(struct repository *repo, const struct master_key *master,
                                struct stay_error *err)
{
    struct before_init before = {0};
    (void)snprintf(before.names_folder, sizeof before.names_folder, "keys/%032d/", 0);
    enum stay_rc rc = object_list(repo->store, "", see_before, &before, err);
    if (rc == STAY_OK)
        rc = object_list(repo->store, "tmp/", see_unfinished, &before, err);
    if (rc != STAY_OK)
        return rc;
    if (before.has_repo)
        return repo_fault(err, REPO_FAULT_ALREADY_EXISTS, "%s is a repository already",
                          object_store_url(repo->store));
    if (before.other[0] != '\0')
        return repo_fault(err, REPO_FAULT_ALREADY_EXISTS,
                          "%s is not empty: it holds '%s'; nothing was changed",
                          object_store_url(repo->store), before.other);
    real_random_bytes(repo->id, sizeof repo->id);
    return before.key[0] == '\0' ? STAY_OK : resume_init(repo, before.key, master, err);
}

enum stay_rc repository_init(const struct repository_spec *spec, char ret_id[OBJECT_ID_TEXT],
                             struct stay_error *err)
{
    STAY_AUTO(repository_drop) struct repository *repo = stay_calloc(1, sizeof *repo);
    STAY_AUTO(master_key_clear) struct master_key master = {0};
    uint8_t names_key[AEAD_KEY_BYTES], seed[AEAD_KEY_BYTES];
    enum stay_rc rc = master_key_load(spec->key_path, &master, err);
    if (rc == STAY_OK && spec->zone != NULL)
        rc = names_check_id("zone", spec->zone, err);
    if (rc == STAY_OK)
        rc = object_store_open(spec->url, OBJECT_STORE_CREATE, &repo->store, err);
    if (rc == STAY_OK)
        rc = look_before(repo, &master, err);
    if (rc != STAY_OK)
        return rc;
    hex_format(repo->id, sizeof repo->id, repo->id_text);
    (void)stay_copy(repo->zone, sizeof repo->zone, spec->zone == NULL ? "" : spec->zone);
    repo->created_wall_us = real_clock_wall_us();
    repo->ring = key_ring_new(repo->store, repo->id, &master);
    rc = fixed_key(repo, KEY_NAMES, names_key, err);
    if (rc == STAY_OK)
        rc = fixed_key(repo, KEY_SIGNING, seed, err);
    if (rc == STAY_OK) {
        signature_public(seed, repo->signing_key);
        STAY_AUTO(stay_free_charp) char *text = format_repo(repo, names_key);
        rc = object_put(repo->store, "repo.json", text, strlen(text), err);
    }
    explicit_bzero(names_key, sizeof names_key);
    explicit_bzero(seed, sizeof seed);
    if (rc == STAY_OK && ret_id != NULL)
        (void)stay_copy(ret_id, OBJECT_ID_TEXT, repo->id_text);
    return rc;
}

static enum stay_rc needs_key(const struct repository *repo, struct stay_error *err)
{
    return repo->ring != NULL
               ? STAY_OK
               : stay_error(err, STAY_EINVALID, "the master key is needed: --master-key-file FILE");
}

enum stay_rc repository_domain(struct repository *repo, const char *cluster, const char *tenant,
                               uint8_t ret_domain[DOMAIN_BYTES], struct stay_error *err)
{
    uint8_t names[DOMAIN_BYTES];
    const uint8_t *key = NULL;
    enum stay_rc rc = needs_key(repo, err);
    if (rc == STAY_OK)
        rc = names_check_id("cluster name", cluster, err);
    if (rc == STAY_OK && tenant != NULL && (tenant[0] == '\0' || strlen(tenant) >= KEY_TENANT_MAX))
        rc =
            stay_error(err, STAY_EINVALID, "a tenant's name has 1 to %d bytes", KEY_TENANT_MAX - 1);
    key_domain_fixed(KEY_NAMES, names);
    if (rc == STAY_OK)
        rc = key_ring_get(repo->ring, names, 1, &key, err);
    if (rc == STAY_OK)
        key_domain_of(key, cluster, tenant, ret_domain);
    return rc;
}

static enum stay_rc add_generation(struct repository *repo, const char *cluster, const char *tenant,
                                   const uint8_t domain[DOMAIN_BYTES], uint32_t *ret_generation,
                                   struct stay_error *err)
{
    STAY_AUTO(key_record_clear)
    struct key_record record = {.purpose = tenant == NULL ? KEY_CLUSTER : KEY_TENANT};
    memcpy(record.domain, domain, DOMAIN_BYTES);
    (void)stay_copy(record.cluster, sizeof record.cluster, cluster);
    (void)stay_copy(record.tenant, sizeof record.tenant, tenant == NULL ? "" : tenant);
    enum stay_rc rc = key_ring_add(repo->ring, &record, err);
    if (rc == STAY_OK)
        *ret_generation = record.generation;
    return rc;
}

static enum stay_rc on_any(void *arg, const struct object_found *found, struct stay_error *err)
{
    (void)arg;
    return found->strange != NULL ? STAY_OK : stay_error(err, STAY_ECANCELED, "enough");
}

/* A cluster that has objects had a key: a new first one would hide that it was lost. */
static enum stay_rc check_is_new(struct repository *repo, const char *cluster,
                                 struct stay_error *err)
{
    char prefix[48];
    struct stay_error why = {0};
    (void)snprintf(prefix, sizeof prefix, "c/%s/", cluster);
    enum stay_rc rc = object_list(repo->store, prefix, on_any, NULL, &why);
    if (rc == STAY_ECANCELED)
        return repo_fault(err, REPO_FAULT_KEY_MISSING,
                          "cluster %s has objects, its key is not there", cluster);
    if (rc != STAY_OK && err != NULL)
        *err = why;
    return rc;
}

enum stay_rc repository_domain_ready(struct repository *repo, const char *cluster,
                                     const char *tenant, uint8_t ret_domain[DOMAIN_BYTES],
                                     struct stay_error *err)
{
    uint8_t domain[DOMAIN_BYTES];
    uint32_t generation = 0;
    struct stay_error why = {0};
    enum stay_rc rc = repository_domain(repo, cluster, tenant, domain, &why);
    if (rc == STAY_OK)
        rc = key_ring_current(repo->ring, domain, &generation, &why);
    if (rc != STAY_OK && repo_fault_of(&why) == REPO_FAULT_KEY_MISSING) {
        rc = tenant == NULL ? check_is_new(repo, cluster, &why) : STAY_OK;
        if (rc == STAY_OK)
            rc = add_generation(repo, cluster, tenant, domain, &generation, &why);
        if (repo_fault_of(&why) == REPO_FAULT_ALREADY_EXISTS) /* another writer was faster */
            rc = key_ring_current(repo->ring, domain, &generation, &why);
    }
    if (rc == STAY_OK)
        memcpy(ret_domain, domain, DOMAIN_BYTES);
    else if (err != NULL)
        *err = why;
    return rc;
}

enum stay_rc repository_rotate(struct repository *repo, const char *cluster, const char *tenant,
                               uint32_t *ret_generation, struct stay_error *err)
{
    uint8_t domain[DOMAIN_BYTES];
    uint32_t current = 0;
    enum stay_rc rc = repository_domain(repo, cluster, tenant, domain, err);
    if (rc == STAY_OK)
        rc = key_ring_current(repo->ring, domain, &current, err);
    return rc != STAY_OK ? rc : add_generation(repo, cluster, tenant, domain, ret_generation, err);
}

enum stay_rc repository_sign(struct repository *repo, struct span text,
                             uint8_t ret_signature[SIGNATURE_BYTES], struct stay_error *err)
{
    uint8_t domain[DOMAIN_BYTES];
    const uint8_t *seed = NULL;
    enum stay_rc rc = needs_key(repo, err);
    key_domain_fixed(KEY_SIGNING, domain);
    if (rc == STAY_OK)
        rc = key_ring_get(repo->ring, domain, 1, &seed, err);
    if (rc == STAY_OK)
        signature_make(seed, text, ret_signature);
    return rc;
}
