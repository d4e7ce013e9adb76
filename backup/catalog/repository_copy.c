/* backup/catalog/repository_copy.c - lists both sides, copies what is missing, in an order that
 * never shows a manifest without its objects. */
#include "backup/catalog/repository_copy.h"
#include "backup/repository/repo_fault.h"
#include <inttypes.h>

#define CHUNK 1048576U

struct copying {
    struct repository *from;
    struct object_store *to;
    copy_refused_fn told;
    void *arg;
    struct copy_outcome out;
    int round;
    uint8_t *chunk;
};

/* Keys, then what documents name, then documents; repo.json makes it a repository. */
enum { ROUND_KEYS = 0, ROUND_OBJECTS, ROUND_DOCUMENTS, ROUND_REPO, ROUND_COUNT };

static int round_of(enum object_place place)
{
    switch (place) {
    case PLACE_KEY:
    case PLACE_SHREDDED:
        return ROUND_KEYS;
    case PLACE_DATA:
    case PLACE_SEGMENT:
        return ROUND_OBJECTS;
    case PLACE_CLUSTER:
    case PLACE_LINEAGE:
    case PLACE_CLOSED:
    case PLACE_MANIFEST:
    case PLACE_GAP:
    case PLACE_EVENT:
    case PLACE_HOLD:
        return ROUND_DOCUMENTS;
    case PLACE_REPO:
        return ROUND_REPO;
    case PLACE_UNKNOWN: /* a later version's: it has a copy of its own to make */
    case PLACE_INDEX:
    case PLACE_LEASE:
    case PLACE_TRASH:
    case PLACE_TMP:
    case PLACE_COUNT:
        break;
    }
    return ROUND_COUNT;
}

static void refuse(struct copying *c, const char *name, const struct stay_error *why)
{
    c->out.refused++;
    if (c->told != NULL)
        c->told(c->arg, name, why);
}

/* Objects with an end are compared with the sum in it while they pass. */
static enum stay_rc pass_bytes(struct copying *c, const char *name, uint64_t size, bool has_end,
                               struct object_upload *up, struct stay_error *err)
{
    STAY_AUTO(sha256_drop) struct sha256 *sum = sha256_new();
    uint8_t have[SHA256_BYTES];
    struct object_end end;
    uint8_t tail[OBJECT_END_BYTES] = {0};
    uint64_t body = size > sizeof tail ? size - sizeof tail : 0;
    for (uint64_t at = 0; at < size;) {
        bool in_body = has_end && at < body;
        uint64_t left = (in_body ? body : size) - at;
        size_t n = 0, want = left < CHUNK ? (size_t)left : CHUNK;
        enum stay_rc rc = object_read(c->from->store, name, at, c->chunk, want, &n, err);
        if (rc == STAY_OK && n < want)
            rc = repo_fault(err, REPO_FAULT_TRUNCATED, "'%s' became shorter", name);
        if (rc == STAY_OK)
            rc = object_upload_write(up, c->chunk, n, err);
        if (rc != STAY_OK)
            return rc;
        if (in_body)
            sha256_add(sum, c->chunk, n);
        else if (has_end && n == sizeof tail)
            memcpy(tail, c->chunk, n);
        at += n;
    }
    if (!has_end)
        return STAY_OK;
    enum stay_rc rc = object_end_decode(tail, size, &end, err);
    sha256_read(sum, have);
    if (rc == STAY_OK && memcmp(have, end.hash, sizeof have) != 0)
        rc = repo_fault(err, REPO_FAULT_CORRUPT, "'%s' is not what was written", name);
    return rc;
}

static enum stay_rc copy_one(struct copying *c, const struct object_found *found, bool has_end,
                             struct stay_error *err)
{
    struct object_upload *up = NULL;
    struct stay_error why = {0};
    enum stay_rc rc = object_upload_begin(c->to, found->name, found->size, &up, err);
    if (rc != STAY_OK)
        return rc;
    rc = pass_bytes(c, found->name, found->size, has_end, up, &why);
    if (rc == STAY_OK)
        rc = object_upload_finish(up, NULL, &why);
    else
        object_upload_abort(up);
    enum repo_fault fault = repo_fault_of(&why);
    if (fault == REPO_FAULT_CORRUPT || fault == REPO_FAULT_TRUNCATED ||
        fault == REPO_FAULT_ALREADY_EXISTS) {
        refuse(c, found->name, &why);
        return STAY_OK;
    }
    if (rc != STAY_OK && err != NULL)
        *err = why;
    if (rc == STAY_OK) {
        c->out.objects++;
        c->out.bytes += found->size;
    }
    return rc;
}

static enum stay_rc on_object(void *arg, const struct object_found *found, struct stay_error *err)
{
    struct copying *c = arg;
    struct stay_error why = {0};
    uint64_t size = 0;
    if (found->strange != NULL) {
        if (c->round == ROUND_KEYS) { /* once */
            (void)repo_fault(&why, REPO_FAULT_HOSTILE_NAME, "'%s' is %s", found->name,
                             found->strange);
            refuse(c, found->name, &why);
        }
        return STAY_OK;
    }
    if (round_of(object_name_parse(found->name).place) != c->round)
        return STAY_OK;
    enum stay_rc rc = object_size(c->to, found->name, &size, &why);
    if (rc == STAY_OK && size == found->size) {
        c->out.there++;
        return STAY_OK;
    }
    if (rc == STAY_OK) {
        (void)repo_fault(&why, REPO_FAULT_ALREADY_EXISTS,
                         "'%s' has %" PRIu64 " bytes in the copy, %" PRIu64 " here", found->name,
                         size, found->size);
        refuse(c, found->name, &why);
        return STAY_OK;
    }
    if (repo_fault_of(&why) != REPO_FAULT_MISSING) {
        if (err != NULL)
            *err = why;
        return rc;
    }
    return copy_one(c, found, c->round == ROUND_OBJECTS, err);
}

/* A key of the copy that the first has no more. */
static enum stay_rc on_copied_key(void *arg, const struct object_found *found,
                                  struct stay_error *err)
{
    struct copying *c = arg;
    uint64_t size = 0;
    struct stay_error why = {0};
    if (found->strange != NULL || object_name_parse(found->name).place != PLACE_KEY)
        return STAY_OK;
    enum stay_rc rc = object_size(c->from->store, found->name, &size, &why);
    if (rc == STAY_OK)
        return rc;
    if (repo_fault_of(&why) != REPO_FAULT_MISSING) {
        if (err != NULL)
            *err = why;
        return rc;
    }
    c->out.keys_removed++;
    return object_delete(c->to, found->name, err);
}

static enum stay_rc see_any(void *arg, const struct object_found *found, struct stay_error *err)
{
    (void)err;
    if (((char *)arg)[0] == '\0')
        (void)stay_copy(arg, OBJECT_NAME_MAX, found->name);
    return STAY_OK;
}

/* A copy of ours, finished or not, or nothing at all. */
static enum stay_rc look_at_target(struct copying *c, struct stay_error *err)
{
    STAY_AUTO(str_clear) struct str ours = {0};
    STAY_AUTO(str_clear) struct str theirs = {0};
    char first[OBJECT_NAME_MAX] = "";
    struct stay_error why = {0};
    enum stay_rc rc = object_read_all(c->from->store, "repo.json", REPOSITORY_TEXT_MAX, &ours, err);
    if (rc != STAY_OK)
        return rc;
    rc = object_read_all(c->to, "repo.json", REPOSITORY_TEXT_MAX, &theirs, &why);
    if (rc == STAY_OK)
        return strcmp(str_text(&ours), str_text(&theirs)) == 0
                   ? STAY_OK
                   : repo_fault(err, REPO_FAULT_FOREIGN, "%s is another repository",
                                object_store_url(c->to));
    if (repo_fault_of(&why) != REPO_FAULT_MISSING) {
        if (err != NULL)
            *err = why;
        return rc;
    }
    rc = object_list(c->to, "", see_any, first, err);
    if (rc != STAY_OK || first[0] == '\0')
        return rc;
    /* Begun by a copy that did not come to its end: then what it began with is ours. */
    uint64_t size = 0;
    if (object_size(c->from->store, first, &size, NULL) == STAY_OK)
        return STAY_OK;
    return repo_fault(err, REPO_FAULT_FOREIGN, "%s is not empty and no copy of ours: '%s'",
                      object_store_url(c->to), first);
}

enum stay_rc repository_copy(struct repository *from, const char *url, copy_refused_fn told,
                             void *arg, struct copy_outcome *ret_outcome, struct stay_error *err)
{
    STAY_AUTO(object_store_drop) struct object_store *to = NULL;
    struct copying c = {.from = from, .told = told, .arg = arg};
    enum stay_rc rc = object_store_open(url, OBJECT_STORE_CREATE, &to, err);
    if (rc != STAY_OK)
        return rc;
    c.to = to;
    rc = look_at_target(&c, err);
    if (rc != STAY_OK)
        return rc;
    c.chunk = stay_malloc(CHUNK);
    for (c.round = 0; rc == STAY_OK && c.round < ROUND_COUNT; c.round++) {
        rc = object_list(from->store, "", on_object, &c, err);
        if (rc == STAY_OK && c.round == ROUND_KEYS)
            rc = object_list(to, "keys/", on_copied_key, &c, err);
    }
    free(c.chunk);
    if (rc == STAY_OK)
        *ret_outcome = c.out;
    return rc;
}
