/* backup/repository/object_store.h - where objects are kept, whatever keeps them: a directory, an
 * S3 prefix.
 *
 * Layer: repository. Blocking; one store per thread. An object is created whole, durable, once and
 * for ever: it is there under its name with all its bytes, or it is not there. No call changes one.
 * Names are permitted ones (object_name.h): others are refused before the store sees them, and told
 * as strange when the store has them. Errors are faults of repo_fault.h. The suite that every kind
 * of store passes is tests/unit/backup/repository/object_store_suite.h. */
#ifndef BACKUP_REPOSITORY_OBJECT_STORE_H
#define BACKUP_REPOSITORY_OBJECT_STORE_H
#include "backup/repository/aead.h"
#include "backup/repository/object_name.h"
#include "base/error.h"
#include "base/str.h"

struct object_store;
struct object_upload;

enum object_store_flags {
    OBJECT_STORE_CREATE = 1, /* a directory that is not there is made */
};

/* What was stored. */
struct object_sum {
    uint64_t size;
    uint8_t sha256[SHA256_BYTES];
};

/* Found by a list; valid during the call. `strange` tells why it is none of ours (its name is then
 * escaped), NULL: it is an object. */
struct object_found {
    const char *name;
    uint64_t size;
    const char *strange;
};
/* Anything but STAY_OK ends the list, which returns it. */
typedef enum stay_rc (*object_found_fn)(void *arg, const struct object_found *found,
                                        struct stay_error *err);

/* "file:///path" or "/path"; s3://... is not built yet. The caller closes *ret_store. */
enum stay_rc object_store_open(const char *url, unsigned flags, struct object_store **ret_store,
                               struct stay_error *err) STAY_MUST_USE;
void object_store_close(struct object_store *store); /* takes NULL */
void object_store_drop(struct object_store **store); /* for STAY_AUTO */
const char *object_store_url(const struct object_store *store);

/* Begins to write `name`; `expected` bytes (0: not known) must have room: FULL. Nothing is seen of
 * it before object_upload_finish. *ret_upload is ended by finish or abort. */
enum stay_rc object_upload_begin(struct object_store *store, const char *name, uint64_t expected,
                                 struct object_upload **ret_upload,
                                 struct stay_error *err) STAY_MUST_USE;
/* After a failure only abort is left. */
enum stay_rc object_upload_write(struct object_upload *upload, const void *bytes, size_t length,
                                 struct stay_error *err) STAY_MUST_USE;
/* Of what was written so far. */
void object_upload_sum(const struct object_upload *upload, struct object_sum *ret_sum);
/* Durable under its name, and the upload is ended, whatever is returned. The very same bytes there
 * already are a success (a retry), others ALREADY_EXISTS. ret_sum may be NULL. */
enum stay_rc object_upload_finish(struct object_upload *upload, struct object_sum *ret_sum,
                                  struct stay_error *err) STAY_MUST_USE;
void object_upload_abort(struct object_upload *upload); /* takes NULL */
/* Begin, write, finish. */
enum stay_rc object_put(struct object_store *store, const char *name, const void *bytes,
                        size_t length, struct stay_error *err) STAY_MUST_USE;

/* Up to `length` bytes from `offset`; fewer only at the object's end. MISSING when it is not there.
 */
enum stay_rc object_read(struct object_store *store, const char *name, uint64_t offset, void *dst,
                         size_t length, size_t *ret_length, struct stay_error *err) STAY_MUST_USE;
enum stay_rc object_size(struct object_store *store, const char *name, uint64_t *ret_size,
                         struct stay_error *err) STAY_MUST_USE;
/* The whole object appended to `out`; CORRUPT when it is longer than `max`. */
enum stay_rc object_read_all(struct object_store *store, const char *name, size_t max,
                             struct str *out, struct stay_error *err) STAY_MUST_USE;
/* What begins with `prefix` ("" or ending with '/'), by name ascending; what is being written is
 * not listed. Strange entries are told, not entered. */
enum stay_rc object_list(struct object_store *store, const char *prefix, object_found_fn found,
                         void *arg, struct stay_error *err) STAY_MUST_USE;
/* Gone, durably; not being there is no error. */
enum stay_rc object_delete(struct object_store *store, const char *name,
                           struct stay_error *err) STAY_MUST_USE;
/* Removes what writers that died have left unfinished, whatever its age; those alive keep theirs.
 */
enum stay_rc object_store_sweep(struct object_store *store, struct stay_error *err) STAY_MUST_USE;

#endif
