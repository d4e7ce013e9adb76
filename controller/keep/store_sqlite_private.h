/* controller/keep/store_sqlite_private.h - shared by store_sqlite.c (queue, loop side),
 * store_sqlite_batch.c (the calls of one transaction, lane side), store_sqlite_open.c (the file:
 * locking, checking) and store_sqlite_file.c (its statements). Layer: keep, these files only. */
#ifndef CONTROLLER_KEEP_STORE_SQLITE_PRIVATE_H
#define CONTROLLER_KEEP_STORE_SQLITE_PRIVATE_H
#include "controller/keep/store.h"
#include <sqlite3.h>

enum sqlite_stmt_id {
    STMT_BEGIN = 0,
    STMT_COMMIT,
    STMT_ROLLBACK,
    STMT_VERSION, /* version of one key */
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
/* For the opener. SQLite's last failure in the operator's words: which class it is, what to do; the
 * file is broken from now on where it may not be used again. */
enum stay_rc sqlite_file_error(struct sqlite_file *file, const char *what, struct stay_error *err);
enum stay_rc sqlite_file_prepare(struct sqlite_file *file, struct stay_error *err) STAY_MUST_USE;
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

#define LEASES_MAX 16

struct lane_job;
struct lane_pool;
struct loop;
struct watcher;

enum call_kind { CALL_TXN, CALL_GET, CALL_LEASE };

struct call {
    struct call *next;
    enum call_kind kind;
    struct store_compare *compares; /* keys owned */
    size_t compare_count;
    struct store_put *puts; /* keys and values owned; LEASE: one put, the lease's key and record */
    size_t put_count;
    bool is_too_big; /* TXN: refused, nothing of it is written */
    char *prefix;
    size_t max;
    char *holder;
    int64_t ttl_us, asked_mono_us;
    store_txn_fn txn_fn;
    store_get_fn get_fn;
    void *ctx;
    /* Results, written by the lane, read by the loop after it. */
    enum stay_rc rc;
    struct stay_error err;
    uint64_t revision;
    struct store_item *items;
    size_t item_count;
};

struct lease {
    char key[STORE_KEY_MAX + 1];
    char *holder;
    uint64_t epoch;
    int64_t until_mono_us;
};

struct batch {
    struct store_sqlite *store;
    struct call *first;
    size_t count;
};

struct store_sqlite {
    struct store base;
    struct loop *loop;
    struct lane_pool *lane;
    struct sqlite_file file;         /* the lane's, while a batch runs */
    struct lease leases[LEASES_MAX]; /* likewise */
    size_t lease_count;
    struct call *head, **tail;
    size_t queued;
    bool is_running, is_closing;
    struct watcher *watchers;
};

/* Work of the store's lane; arg is the struct batch. Leaves rc, err and results in each call. */
enum stay_rc store_batch_run(struct lane_job *job, void *arg);

#endif
