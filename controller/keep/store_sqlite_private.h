/* controller/keep/store_sqlite_private.h - shared by store_sqlite.c (queue, loop side) and
 * store_sqlite_file.c (the file: opening, locking, statements). Layer: keep. */
#ifndef CONTROLLER_KEEP_STORE_SQLITE_PRIVATE_H
#define CONTROLLER_KEEP_STORE_SQLITE_PRIVATE_H
#include "controller/keep/store.h"
#include <sqlite3.h>

enum sqlite_stmt_id {
    STMT_BEGIN = 0,
    STMT_COMMIT,
    STMT_ROLLBACK,
    STMT_VERSION,  /* version of one key */
    STMT_PUT,
    STMT_DELETE,
    STMT_RANGE,    /* keys from, below, at most */
    STMT_REVISION, /* read */
    STMT_SET_REVISION,
    STMT_COUNT
};

/* The open file. Used by one thread at a time: the opener, then the store's lane. */
struct sqlite_file {
    char *path;
    int lock_fd;
    sqlite3 *db;
    sqlite3_stmt *stmt[STMT_COUNT];
    enum stay_rc broken; /* STAY_OK, or what every call answers from now on */
    struct stay_error broken_error;
};

enum stay_rc sqlite_file_open(struct sqlite_file *file, const char *path, const char *holder,
                              struct stay_error *err) STAY_MUST_USE;
void sqlite_file_close(struct sqlite_file *file);
/* The error of the last call on file->db, in our words; marks the file broken where it must be. */
enum stay_rc sqlite_file_error(struct sqlite_file *file, const char *what, struct stay_error *err);
/* Runs a statement without rows. */
enum stay_rc sqlite_file_run(struct sqlite_file *file, enum sqlite_stmt_id id, const char *what,
                             struct stay_error *err) STAY_MUST_USE;
enum stay_rc sqlite_file_version(struct sqlite_file *file, const char *key, uint64_t *ret_version,
                                 struct stay_error *err) STAY_MUST_USE;
enum stay_rc sqlite_file_put(struct sqlite_file *file, const char *key, const char *value,
                             uint64_t revision, struct stay_error *err) STAY_MUST_USE;
enum stay_rc sqlite_file_revision(struct sqlite_file *file, uint64_t *ret_revision,
                                  struct stay_error *err) STAY_MUST_USE;
enum stay_rc sqlite_file_set_revision(struct sqlite_file *file, uint64_t revision,
                                      struct stay_error *err) STAY_MUST_USE;
/* Items whose key begins with prefix, in key order; keys and values are heap, owned by the caller
 * (store_items_free). */
enum stay_rc sqlite_file_range(struct sqlite_file *file, const char *prefix, size_t max,
                               struct store_item **ret_items, size_t *ret_count,
                               struct stay_error *err) STAY_MUST_USE;
void store_items_free(struct store_item *items, size_t count);

#endif
