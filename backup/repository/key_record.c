/* backup/repository/key_record.c - sealed generations of keys as JSON. */
#include "backup/repository/key_record.h"
#include "backup/repository/repo_fault.h"
#include "base/json.h"
#include <inttypes.h>

#define FORMAT      "mainstay-key"
#define VERSION     1
#define CONTENT_MAX (AEAD_KEY_BYTES + KEY_LABEL_MAX)

static const char *const purposes[KEY_PURPOSE_COUNT] = {"", "names", "signing", "cluster",
                                                        "tenant"};

const char *key_purpose_text(enum key_purpose purpose)
{
    return purposes[purpose];
}

void key_record_clear(struct key_record *record)
{
    explicit_bzero(record, sizeof *record);
}

void key_domain_fixed(enum key_purpose purpose, uint8_t ret_domain[DOMAIN_BYTES])
{
    must(purpose == KEY_NAMES || purpose == KEY_SIGNING);
    memset(ret_domain, 0, DOMAIN_BYTES);
    ret_domain[DOMAIN_BYTES - 1] = purpose == KEY_SIGNING;
}

void key_domain_of(const uint8_t names_key[AEAD_KEY_BYTES], const char *cluster, const char *tenant,
                   uint8_t ret_domain[DOMAIN_BYTES])
{
    uint8_t sum[SHA256_BYTES];
    const char *kind = tenant == NULL ? "mainstay domain/cluster/" : "mainstay domain/tenant/";
    const char *rest = tenant == NULL ? "" : tenant;
    const struct span parts[] = {{kind, strlen(kind)},
                                 {cluster, strlen(cluster)},
                                 {"/", tenant == NULL ? 0 : 1},
                                 {rest, strlen(rest)}};
    hmac_sha256(names_key, parts, STAY_COUNT(parts), sum);
    memcpy(ret_domain, sum, DOMAIN_BYTES);
}

/* What the sealing authenticates besides. */
static void seal_label(const struct key_record *r, char dst[128])
{
    char repo[OBJECT_ID_TEXT], domain[OBJECT_ID_TEXT];
    hex_format(r->repo, sizeof r->repo, repo);
    hex_format(r->domain, sizeof r->domain, domain);
    (void)snprintf(dst, 128, "mainstay key/%s/%s/%08" PRIx32, repo, domain, r->generation);
}

static char *label_json(const struct key_record *r)
{
    STAY_AUTO(stay_json_drop) json_t *label = json_object();
    stay_json_set_string(label, "purpose", purposes[r->purpose]);
    if (r->purpose == KEY_CLUSTER || r->purpose == KEY_TENANT)
        stay_json_set_string(label, "cluster", r->cluster);
    if (r->purpose == KEY_TENANT)
        stay_json_set_string(label, "tenant", r->tenant);
    return stay_json_dump_compact(label);
}

static void set_hex(json_t *obj, const char *key, const void *bytes, size_t length)
{
    STAY_AUTO(stay_free_charp) char *text = stay_malloc(2 * length + 1);
    hex_format(bytes, length, text);
    stay_json_set_string(obj, key, text);
}

char *key_record_encode(const struct key_record *r, const struct master_key *master,
                        const uint8_t nonce[AEAD_NONCE_BYTES])
{
    uint8_t content[CONTENT_MAX + 1], sealed[CONTENT_MAX + AEAD_TAG_BYTES];
    char also_text[128];
    STAY_AUTO(stay_free_charp)
    char *label = r->label[0] == '\0' ? label_json(r) : stay_strdup(r->label);
    STAY_AUTO(stay_json_drop) json_t *json = json_object();
    size_t length = AEAD_KEY_BYTES + strlen(label);
    must(stay_copy((char *)content + AEAD_KEY_BYTES, KEY_LABEL_MAX + 1, label));
    memcpy(content, r->key, AEAD_KEY_BYTES);
    seal_label(r, also_text);
    const struct span also = {also_text, strlen(also_text)};
    aead_seal(master->bytes, nonce, &also, 1, (struct span){content, length}, sealed);
    explicit_bzero(content, sizeof content);
    stay_json_set_string(json, "format", FORMAT);
    stay_json_set_int(json, "version", VERSION);
    set_hex(json, "repo", r->repo, sizeof r->repo);
    set_hex(json, "domain", r->domain, sizeof r->domain);
    stay_json_set_int(json, "generation", r->generation);
    stay_json_set_int(json, "created_wall_us", r->created_wall_us);
    stay_json_set_string(json, "master", master->id);
    set_hex(json, "nonce", nonce, AEAD_NONCE_BYTES);
    set_hex(json, "sealed", sealed, length + AEAD_TAG_BYTES);
    STAY_AUTO(stay_free_charp) char *text = stay_json_dump_compact(json);
    return stay_sprintf("%s\n", text);
}

static enum stay_rc read_label(const char *text, size_t length, struct key_record *r,
                               struct stay_error *err)
{
    STAY_AUTO(stay_json_drop) json_t *label = NULL;
    const char *purpose = NULL;
    enum stay_rc rc = stay_json_parse(text, length, &label, err);
    if (rc == STAY_OK)
        rc = stay_json_get_string(label, "purpose", &purpose, err);
    if (rc == STAY_OK && !stay_copy(r->label, sizeof r->label, text))
        rc = stay_error(err, STAY_ELIMIT, "it is too long");
    for (int i = KEY_NAMES; rc == STAY_OK && i < KEY_PURPOSE_COUNT; i++)
        if (strcmp(purpose, purposes[i]) == 0)
            r->purpose = (enum key_purpose)i;
    if (rc == STAY_OK && r->purpose == KEY_NONE)
        return repo_fault(err, REPO_FAULT_NEWER, "a key for '%s'", purpose);
    if (rc == STAY_OK && (r->purpose == KEY_CLUSTER || r->purpose == KEY_TENANT))
        rc = stay_json_get_copy(label, "cluster", r->cluster, sizeof r->cluster, err);
    if (rc == STAY_OK && r->purpose == KEY_TENANT)
        rc = stay_json_get_copy(label, "tenant", r->tenant, sizeof r->tenant, err);
    return rc;
}

static enum stay_rc open_content(const json_t *json, const struct master_key *master,
                                 struct key_record *r, struct stay_error *err)
{
    uint8_t nonce[AEAD_NONCE_BYTES], sealed[CONTENT_MAX + AEAD_TAG_BYTES];
    uint8_t content[CONTENT_MAX + 1] = {0}; /* ends in 0: the label is a text */
    char also_text[128];
    const char *hex = json_string_value(json_object_get(json, "sealed"));
    size_t length = hex == NULL ? 0 : strlen(hex) / 2;
    struct stay_error why = {0};
    if (strcmp(r->master, master->id) != 0)
        return repo_fault(err, REPO_FAULT_WRONG_KEY,
                          "sealed with master key %s, the one given is %s", r->master, master->id);
    seal_label(r, also_text);
    const struct span also = {also_text, strlen(also_text)};
    bool is_good =
        hex_parse(json_string_value(json_object_get(json, "nonce")), nonce, 12) &&
        length >= AEAD_KEY_BYTES + AEAD_TAG_BYTES && length <= sizeof sealed &&
        hex_parse(hex, sealed, length) &&
        aead_open(master->bytes, nonce, &also, 1, (struct span){sealed, length}, content);
    if (!is_good)
        return repo_fault(err, REPO_FAULT_CORRUPT, "a sealed key is not what was written");
    memcpy(r->key, content, AEAD_KEY_BYTES);
    enum stay_rc rc = read_label((char *)content + AEAD_KEY_BYTES,
                                 length - AEAD_KEY_BYTES - AEAD_TAG_BYTES, r, &why);
    explicit_bzero(content, sizeof content);
    if (rc != STAY_OK && repo_fault_of(&why) == REPO_FAULT_NONE)
        return repo_fault(err, REPO_FAULT_CORRUPT, "label: %s", why.text);
    if (rc != STAY_OK && err != NULL)
        *err = why;
    return rc;
}

static enum stay_rc read_fields(const json_t *json, struct key_record *r, struct stay_error *err)
{
    const char *format = NULL, *repo = NULL, *domain = NULL;
    int64_t version = 0, generation = 0;
    enum stay_rc rc = stay_json_get_string(json, "format", &format, err);
    if (rc == STAY_OK)
        rc = stay_json_get_int(json, "version", &version, err);
    if (rc == STAY_OK && strcmp(format, FORMAT) == 0 && version > VERSION)
        return repo_fault(err, REPO_FAULT_NEWER, "key of version %" PRId64, version);
    if (rc == STAY_OK)
        rc = stay_json_get_string(json, "repo", &repo, err);
    if (rc == STAY_OK)
        rc = stay_json_get_string(json, "domain", &domain, err);
    if (rc == STAY_OK)
        rc = stay_json_get_int_in(json, "generation", 1, UINT32_MAX, &generation, err);
    if (rc == STAY_OK)
        rc = stay_json_get_int(json, "created_wall_us", &r->created_wall_us, err);
    if (rc == STAY_OK)
        rc = stay_json_get_copy(json, "master", r->master, sizeof r->master, err);
    r->generation = (uint32_t)generation;
    if (rc == STAY_OK && (strcmp(format, FORMAT) != 0 || version != VERSION ||
                          !hex_parse(repo, r->repo, sizeof r->repo) ||
                          !hex_parse(domain, r->domain, sizeof r->domain)))
        rc = stay_error(err, STAY_ECORRUPT, "its fields are not what a key has");
    return rc;
}

enum stay_rc key_record_decode(const char *text, size_t length, const struct master_key *master,
                               struct key_record *ret_record, struct stay_error *err)
{
    STAY_AUTO(stay_json_drop) json_t *json = NULL;
    STAY_AUTO(key_record_clear) struct key_record r = {0};
    struct stay_error why = {0};
    enum stay_rc rc = stay_json_parse(text, length, &json, &why);
    if (rc == STAY_OK)
        rc = read_fields(json, &r, &why);
    if (rc != STAY_OK && repo_fault_of(&why) == REPO_FAULT_NONE)
        return repo_fault(err, REPO_FAULT_CORRUPT, "%s", why.text);
    if (rc != STAY_OK) {
        if (err != NULL)
            *err = why;
        return rc;
    }
    if (master != NULL) {
        rc = open_content(json, master, &r, err);
        if (rc != STAY_OK)
            return rc;
    }
    *ret_record = r;
    return STAY_OK;
}
