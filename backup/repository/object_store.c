/* backup/repository/object_store.c - what all kinds of stores have in common. */
#include "backup/repository/object_store.h"
#include "backup/repository/object_store_private.h"
#include "backup/repository/repo_fault.h"
#include <inttypes.h>

#define READ_BYTES 1048576U

enum stay_rc object_store_open(const char *url, unsigned flags, struct object_store **ret_store,
                               struct stay_error *err)
{
    struct object_store *store = NULL;
    const char *path = strncmp(url, "file://", 7) == 0 ? url + 7 : url;
    if (strncmp(url, "s3:", 3) == 0)
        return stay_error(err, STAY_EINVALID, "'%s': a repository in S3 is not built yet", url);
    if (path[0] != '/')
        return stay_error(err, STAY_EINVALID,
                          "'%.200s' is no repository: write file:///path or an absolute path", url);
    enum stay_rc rc = object_store_dir_open(path, flags, &store, err);
    if (rc != STAY_OK)
        return rc;
    store->url = stay_sprintf("file://%s", path);
    *ret_store = store;
    return STAY_OK;
}

void object_store_close(struct object_store *store)
{
    if (store == NULL)
        return;
    free(store->url);
    store->ops->close(store);
}

void object_store_drop(struct object_store **store)
{
    object_store_close(*store);
    *store = NULL;
}

const char *object_store_url(const struct object_store *store)
{
    return store->url;
}

enum stay_rc object_upload_begin(struct object_store *store, const char *name, uint64_t expected,
                                 struct object_upload **ret_upload, struct stay_error *err)
{
    struct object_upload *upload = NULL;
    enum stay_rc rc = object_name_check(name, err);
    if (rc == STAY_OK)
        rc = store->ops->begin(store, name, expected, &upload, err);
    if (rc != STAY_OK)
        return rc;
    upload->store = store;
    (void)stay_copy(upload->name, sizeof upload->name, name);
    upload->sum = sha256_new();
    *ret_upload = upload;
    return STAY_OK;
}

enum stay_rc object_upload_write(struct object_upload *upload, const void *bytes, size_t length,
                                 struct stay_error *err)
{
    if (length == 0)
        return STAY_OK;
    enum stay_rc rc = upload->store->ops->write(upload, bytes, length, err);
    if (rc != STAY_OK)
        return rc;
    sha256_add(upload->sum, bytes, length);
    upload->size += length;
    return STAY_OK;
}

void object_upload_sum(const struct object_upload *upload, struct object_sum *ret_sum)
{
    ret_sum->size = upload->size;
    sha256_read(upload->sum, ret_sum->sha256);
}

static enum stay_rc sum_of(struct object_store *store, const char *name, struct object_sum *ret,
                           struct stay_error *err)
{
    STAY_AUTO(stay_free_charp) char *bytes = stay_malloc(READ_BYTES);
    STAY_AUTO(sha256_drop) struct sha256 *sum = sha256_new();
    uint64_t at = 0;
    for (size_t n = READ_BYTES; n == READ_BYTES; at += n) {
        enum stay_rc rc = object_read(store, name, at, bytes, READ_BYTES, &n, err);
        if (rc != STAY_OK)
            return rc;
        sha256_add(sum, bytes, n);
    }
    ret->size = at;
    sha256_read(sum, ret->sha256);
    return STAY_OK;
}

/* Somebody was faster, or an earlier attempt of ours was not heard of. */
static enum stay_rc settle(struct object_upload *upload, const struct object_sum *ours,
                           struct stay_error *err)
{
    struct object_sum theirs;
    enum stay_rc rc = sum_of(upload->store, upload->name, &theirs, err);
    if (rc != STAY_OK)
        return rc;
    if (theirs.size == ours->size && memcmp(theirs.sha256, ours->sha256, SHA256_BYTES) == 0)
        return STAY_OK;
    return repo_fault(err, REPO_FAULT_ALREADY_EXISTS,
                      "'%s' is there with other contents (%" PRIu64 " bytes, ours %" PRIu64 ")",
                      upload->name, theirs.size, ours->size);
}

enum stay_rc object_upload_finish(struct object_upload *upload, struct object_sum *ret_sum,
                                  struct stay_error *err)
{
    struct object_sum sum;
    bool was_there = false;
    object_upload_sum(upload, &sum);
    enum stay_rc rc = upload->store->ops->publish(upload, &was_there, err);
    if (rc == STAY_OK && was_there)
        rc = settle(upload, &sum, err);
    object_upload_abort(upload);
    if (rc == STAY_OK && ret_sum != NULL)
        *ret_sum = sum;
    return rc;
}

void object_upload_abort(struct object_upload *upload)
{
    if (upload == NULL)
        return;
    sha256_free(upload->sum);
    upload->store->ops->abort(upload);
}

enum stay_rc object_put(struct object_store *store, const char *name, const void *bytes,
                        size_t length, struct stay_error *err)
{
    struct object_upload *upload = NULL;
    enum stay_rc rc = object_upload_begin(store, name, length, &upload, err);
    if (rc != STAY_OK)
        return rc;
    rc = object_upload_write(upload, bytes, length, err);
    if (rc == STAY_OK)
        return object_upload_finish(upload, NULL, err);
    object_upload_abort(upload);
    return rc;
}

enum stay_rc object_read(struct object_store *store, const char *name, uint64_t offset, void *dst,
                         size_t length, size_t *ret_length, struct stay_error *err)
{
    enum stay_rc rc = object_name_check(name, err);
    return rc != STAY_OK ? rc : store->ops->read(store, name, offset, dst, length, ret_length, err);
}

enum stay_rc object_size(struct object_store *store, const char *name, uint64_t *ret_size,
                         struct stay_error *err)
{
    enum stay_rc rc = object_name_check(name, err);
    return rc != STAY_OK ? rc : store->ops->size(store, name, ret_size, err);
}

enum stay_rc object_read_all(struct object_store *store, const char *name, size_t max,
                             struct str *out, struct stay_error *err)
{
    uint64_t size = 0;
    size_t n = 0;
    enum stay_rc rc = object_size(store, name, &size, err);
    if (rc != STAY_OK)
        return rc;
    if (size > max)
        return repo_fault(err, REPO_FAULT_CORRUPT, "'%s' is larger than the %zu bytes it may have",
                          name, max);
    STAY_AUTO(stay_free_charp) char *bytes = stay_malloc((size_t)size + 1);
    rc = object_read(store, name, 0, bytes, (size_t)size, &n, err);
    if (rc == STAY_OK && n < size)
        rc = repo_fault(err, REPO_FAULT_TRUNCATED, "'%s': %zu bytes of %" PRIu64, name, n, size);
    if (rc == STAY_OK)
        str_add_bytes(out, bytes, n);
    return rc;
}

struct listing {
    object_found_fn found;
    void *arg;
};

static enum stay_rc on_found(void *arg, const struct object_found *found, struct stay_error *err)
{
    const struct listing *listing = arg;
    struct object_found told = *found;
    char shown[240];
    if (told.strange == NULL && !object_name_is_permitted(told.name))
        told.strange = "no name that we give";
    if (told.strange != NULL) {
        object_name_escape(shown, sizeof shown, told.name);
        told.name = shown;
    }
    return listing->found(listing->arg, &told, err);
}

enum stay_rc object_list(struct object_store *store, const char *prefix, object_found_fn found,
                         void *arg, struct stay_error *err)
{
    struct listing listing = {found, arg};
    char folder[OBJECT_NAME_MAX];
    size_t n = strlen(prefix);
    if (n > 0) {
        must(prefix[n - 1] == '/' && n < sizeof folder); /* the caller's own text */
        memcpy(folder, prefix, n - 1);
        folder[n - 1] = '\0';
        enum stay_rc rc = object_name_check(folder, err);
        if (rc != STAY_OK)
            return rc;
    }
    return store->ops->list(store, prefix, on_found, &listing, err);
}

enum stay_rc object_delete(struct object_store *store, const char *name, struct stay_error *err)
{
    enum stay_rc rc = object_name_check(name, err);
    return rc != STAY_OK ? rc : store->ops->remove(store, name, err);
}

enum stay_rc object_store_sweep(struct object_store *store, struct stay_error *err)
{
    return store->ops->sweep(store, err);
}
