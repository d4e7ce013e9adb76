/* backup/repository/object_store_private.h - what a kind of store implements; callers use
 * object_store.h, which checks names, sums, and settles what is there already.
 *
 * Layer: repository. */
#ifndef BACKUP_REPOSITORY_OBJECT_STORE_PRIVATE_H
#define BACKUP_REPOSITORY_OBJECT_STORE_PRIVATE_H
#include "backup/repository/object_store.h"

struct object_store_ops {
    void (*close)(struct object_store *store);
    /* The upload's store, name and sum are filled in by the caller. */
    enum stay_rc (*begin)(struct object_store *store, const char *name, uint64_t expected,
                          struct object_upload **ret_upload, struct stay_error *err);
    enum stay_rc (*write)(struct object_upload *upload, const void *bytes, size_t length,
                          struct stay_error *err);
    /* Creates the object unless one is there (*ret_was_there). abort follows in any case. */
    enum stay_rc (*publish)(struct object_upload *upload, bool *ret_was_there,
                            struct stay_error *err);
    void (*abort)(struct object_upload *upload);
    enum stay_rc (*read)(struct object_store *store, const char *name, uint64_t offset, void *dst,
                         size_t length, size_t *ret_length, struct stay_error *err);
    enum stay_rc (*size)(struct object_store *store, const char *name, uint64_t *ret_size,
                         struct stay_error *err);
    enum stay_rc (*list)(struct object_store *store, const char *prefix, object_found_fn found,
                         void *arg, struct stay_error *err);
    enum stay_rc (*remove)(struct object_store *store, const char *name, struct stay_error *err);
    enum stay_rc (*sweep)(struct object_store *store, struct stay_error *err);
};

/* First member of a kind's own structure. */
struct object_store {
    const struct object_store_ops *ops;
    char *url;
};

struct object_upload {
    struct object_store *store;
    char name[OBJECT_NAME_MAX];
    struct sha256 *sum;
    uint64_t size;
};

/* object_store_dir.c: `path` is absolute. */
enum stay_rc object_store_dir_open(const char *path, unsigned flags,
                                   struct object_store **ret_store,
                                   struct stay_error *err) STAY_MUST_USE;
/* object_store_dir_list.c: what is below an open folder, whose name is `prefix`. */
enum stay_rc object_folder_list(int folder, const char *prefix, object_found_fn found, void *arg,
                                struct stay_error *err) STAY_MUST_USE;
/* The fault of a part of a name that cannot be opened. */
enum stay_rc object_folder_fault(int errnum, const char *name, struct stay_error *err);

#endif
