/* backup/repository/sealed_document.c - a clear line, and a sealed one that vouches for it. */
#include "backup/repository/sealed_document.h"
#include "backup/repository/object_reader.h"
#include "backup/repository/object_writer.h"
#include "backup/repository/repo_fault.h"
#include "base/io/real_clock.h"
#include <inttypes.h>
#include <openssl/evp.h>

#define FORMAT  "mainstay-document"
#define VERSION 1

static char *stub_line(const struct repository *repo, const char *name, enum object_place place,
                       json_t *about)
{
    STAY_AUTO(stay_json_drop) json_t *stub = json_object();
    stay_json_set_string(stub, "format", FORMAT);
    stay_json_set_int(stub, "version", VERSION);
    stay_json_set_string(stub, "kind", object_place_text(place));
    stay_json_set_string(stub, "repo", repo->id_text);
    stay_json_set_string(stub, "name", name);
    stay_json_set_int(stub, "written_wall_us", real_clock_wall_us());
    stay_json_set(stub, "about", json_incref(about));
    return stay_json_dump_compact(stub);
}

/* {"stub_sha256":"..."}: the body's own clear text. */
static char *vouch(const char *line, size_t length)
{
    uint8_t sum[SHA256_BYTES];
    char hex[2 * SHA256_BYTES + 1];
    sha256_of(line, length, sum);
    hex_format(sum, sizeof sum, hex);
    return stay_sprintf("{\"stub_sha256\":\"%s\"}", hex);
}

static enum stay_rc seal_body(struct repository *repo, const struct object_name *name,
                              const char *text, const char *line, json_t *body, struct str *out,
                              struct stay_error *err)
{
    uint8_t domains[1][DOMAIN_BYTES];
    STAY_AUTO(stay_free_charp) char *about = vouch(line, strlen(line));
    STAY_AUTO(stay_free_charp) char *plain = stay_json_dump_compact(body);
    if (strlen(plain) > DOCUMENT_JSON_MAX || strlen(line) > DOCUMENT_JSON_MAX)
        return stay_error(err, STAY_ELIMIT, "'%s' would hold a JSON text of more than %u bytes",
                          text, DOCUMENT_JSON_MAX);
    struct object_writer *w = NULL;
    struct object_spec spec = {.name = text,
                               .kind = OBJECT_DOCUMENT,
                               .about = about,
                               .domain_count = 1,
                               .domains = (const uint8_t(*)[DOMAIN_BYTES])domains};
    enum stay_rc rc = repository_domain_ready(repo, name->cluster, NULL, domains[0], err);
    if (rc == STAY_OK)
        rc = object_writer_begin_memory(repo, &spec, out, &w, err);
    if (rc != STAY_OK)
        return rc;
    rc = object_writer_write(w, 0, 0, plain, strlen(plain), err);
    if (rc == STAY_OK)
        return object_writer_finish(w, NULL, err);
    object_writer_abort(w);
    return rc;
}

void document_clear(struct document *document)
{
    json_decref(document->about);
    json_decref(document->body);
    *document = (struct document){0};
}

static enum stay_rc read_stub(struct repository *repo, const char *name, const char *line,
                              size_t length, struct document *ret, struct stay_error *err)
{
    STAY_AUTO(stay_json_drop) json_t *stub = NULL;
    const char *format = NULL, *repo_id = NULL, *own = NULL;
    int64_t version = 0;
    json_t *about = NULL;
    struct stay_error why = {0};
    enum stay_rc rc = stay_json_parse(line, length, &stub, &why);
    if (rc == STAY_OK)
        rc = stay_json_get_string(stub, "format", &format, &why);
    if (rc == STAY_OK)
        rc = stay_json_get_int(stub, "version", &version, &why);
    if (rc == STAY_OK && strcmp(format, FORMAT) == 0 && version > VERSION)
        return repo_fault(err, REPO_FAULT_NEWER, "document of version %" PRId64, version);
    if (rc == STAY_OK)
        rc = stay_json_get_string(stub, "repo", &repo_id, &why);
    if (rc == STAY_OK)
        rc = stay_json_get_string(stub, "name", &own, &why);
    if (rc == STAY_OK)
        rc = stay_json_get_int(stub, "written_wall_us", &ret->written_wall_us, &why);
    if (rc == STAY_OK)
        rc = stay_json_get_object(stub, "about", &about, &why);
    if (rc != STAY_OK || strcmp(format, FORMAT) != 0 || version != VERSION)
        return repo_fault(err, REPO_FAULT_CORRUPT, "its clear line is not what was written: %s",
                          why.text);
    if (strcmp(repo_id, repo->id_text) != 0)
        return repo_fault(err, REPO_FAULT_FOREIGN, "it is of repository %.40s", repo_id);
    if (strcmp(own, name) != 0)
        return repo_fault(err, REPO_FAULT_FOREIGN, "it was written as '%.160s'", own);
    ret->about = json_incref(about);
    return STAY_OK;
}

/* It is of its cluster's domain, which proves who wrote it; any other is forged. */
static enum stay_rc check_domain(struct repository *repo, const char *name,
                                 const struct object_header *header, struct stay_error *err)
{
    uint8_t domain[DOMAIN_BYTES];
    struct object_name parsed = object_name_parse(name);
    enum stay_rc rc = repository_domain(repo, parsed.cluster, NULL, domain, err);
    if (rc != STAY_OK)
        return rc;
    if (header->key_count != 1 || memcmp(header->keys[0].domain, domain, DOMAIN_BYTES) != 0)
        return repo_fault(err, REPO_FAULT_FOREIGN, "'%s' is not sealed for its cluster", name);
    return STAY_OK;
}

static enum stay_rc read_body(struct repository *repo, const char *name, const char *line,
                              size_t length, const struct span *sealed, struct document *ret,
                              struct stay_error *err)
{
    STAY_AUTO(object_reader_drop) struct object_reader *r = NULL;
    STAY_AUTO(str_clear) struct str plain = {0};
    STAY_AUTO(stay_free_charp) char *about = vouch(line, length);
    struct object_frame frame;
    struct stay_error why = {0};
    bool more = true, is_sealed = false;
    str_init(&plain, DOCUMENT_MAX);
    enum stay_rc rc = object_reader_open_memory(repo, name, sealed, &r, err);
    if (rc == STAY_OK && strcmp(object_reader_header(r)->about, about) != 0)
        rc = repo_fault(err, REPO_FAULT_CORRUPT, "'%s': its clear line is not what was written",
                        name);
    if (rc == STAY_OK && repo->ring != NULL)
        rc = check_domain(repo, name, object_reader_header(r), err);
    while (rc == STAY_OK && more) {
        rc = object_reader_next(r, &frame, &more, err);
        if (rc == STAY_OK && frame.is_sealed && repo->ring != NULL)
            rc = repo_fault(err, REPO_FAULT_KEY_MISSING, "'%s': its key was destroyed", name);
        if (rc == STAY_OK && frame.is_sealed)
            is_sealed = true;
        if (rc == STAY_OK)
            str_add_bytes(&plain, frame.plain.bytes, frame.plain.length);
    }
    if (rc != STAY_OK || is_sealed)
        return rc;
    if (plain.is_cut ||
        stay_json_parse(str_text(&plain), plain.length, &ret->body, &why) != STAY_OK)
        return repo_fault(err, REPO_FAULT_CORRUPT, "'%s': its body is no JSON: %s", name, why.text);
    return STAY_OK;
}

/* The two lines. Too little is TRUNCATED. */
static enum stay_rc split(const struct str *whole, size_t *ret_line, const char **ret_base64,
                          size_t *ret_length, struct stay_error *err)
{
    const char *text = str_text(whole);
    const char *end = memchr(text, '\n', whole->length);
    size_t line = end == NULL ? whole->length : (size_t)(end - text);
    if (end == NULL || whole->length < line + 5 || text[whole->length - 1] != '\n' ||
        text[whole->length - 2] != '"')
        return repo_fault(err, REPO_FAULT_TRUNCATED, "it does not end as a document of mainstay");
    *ret_line = line;
    *ret_base64 = end + 2;
    *ret_length = whole->length - line - 4;
    if (end[1] != '"' || *ret_length % 4 != 0)
        return repo_fault(err, REPO_FAULT_CORRUPT, "its body is not what was written");
    return STAY_OK;
}

enum stay_rc document_read(struct repository *repo, const char *name, struct document *ret_document,
                           struct stay_error *err)
{
    STAY_AUTO(str_clear) struct str whole = {0};
    STAY_AUTO(document_clear) struct document d = {0};
    const char *base64 = NULL;
    size_t line = 0, length = 0;
    str_init(&whole, DOCUMENT_MAX);
    enum stay_rc rc = object_read_all(repo->store, name, DOCUMENT_MAX, &whole, err);
    if (rc != STAY_OK)
        return rc;
    rc = split(&whole, &line, &base64, &length, err);
    if (rc == STAY_OK)
        rc = read_stub(repo, name, str_text(&whole), line, &d, err);
    STAY_AUTO(stay_free_charp) char *sealed = stay_malloc(length / 4 * 3 + 1);
    int n = rc != STAY_OK
                ? 0
                : EVP_DecodeBlock((uint8_t *)sealed, (const uint8_t *)base64, (int)length);
    if (rc == STAY_OK && n < 0)
        rc = repo_fault(err, REPO_FAULT_CORRUPT, "its body is not what was written");
    if (rc != STAY_OK)
        return stay_error_prefix(err, rc, "'%s'", name);
    for (size_t i = length; i > 0 && i + 2 > length && base64[i - 1] == '='; i--)
        n--; /* filled up to three bytes */
    const struct span bytes = {sealed, (size_t)n};
    rc = read_body(repo, name, str_text(&whole), line, &bytes, &d, err);
    if (rc != STAY_OK)
        return rc;
    *ret_document = d;
    d = (struct document){0};
    return STAY_OK;
}

/* No two sealings are the same bytes; what they hold may be. */
static bool says_the_same(struct repository *repo, const char *name, const json_t *about,
                          const json_t *body)
{
    STAY_AUTO(document_clear) struct document d = {0};
    return document_read(repo, name, &d, NULL) == STAY_OK && json_equal(d.about, about) == 1 &&
           d.body != NULL && json_equal(d.body, body) == 1;
}

enum stay_rc document_write(struct repository *repo, const struct object_name *name, json_t *about,
                            json_t *body, struct stay_error *err)
{
    char text[OBJECT_NAME_MAX];
    STAY_AUTO(str_clear) struct str sealed = {0};
    STAY_AUTO(str_clear) struct str whole = {0};
    must(name->cluster[0] != '\0');
    object_name_format(name, text);
    STAY_AUTO(stay_free_charp) char *line = stub_line(repo, text, name->place, about);
    str_init(&sealed, DOCUMENT_MAX / 2);
    str_init(&whole, DOCUMENT_MAX);
    enum stay_rc rc = seal_body(repo, name, text, line, body, &sealed, err);
    if (rc != STAY_OK)
        return rc;
    size_t room = (sealed.length + 2) / 3 * 4 + 1;
    STAY_AUTO(stay_free_charp) char *base64 = stay_malloc(room);
    (void)EVP_EncodeBlock((uint8_t *)base64, (const uint8_t *)sealed.text, (int)sealed.length);
    str_addf(&whole, "%s\n\"", line);
    str_add(&whole, base64);
    str_add(&whole, "\"\n");
    if (sealed.is_cut || whole.is_cut)
        return stay_error(err, STAY_ELIMIT, "'%s' is longer than a document may be", text);
    struct stay_error why = {0};
    rc = object_put(repo->store, text, whole.text, whole.length, &why);
    if (rc != STAY_OK && repo_fault_of(&why) == REPO_FAULT_ALREADY_EXISTS &&
        says_the_same(repo, text, about, body))
        return STAY_OK;
    if (rc != STAY_OK && err != NULL)
        *err = why;
    return rc;
}
