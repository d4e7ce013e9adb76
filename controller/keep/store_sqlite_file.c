/* The state file once it is open (store_sqlite_open.c): the handful of statements on it, what each
 * failure of SQLite means for the operator, and its end. */
#include "base/base.h"
#include "base/io/file.h"
#include "base/str.h"
#include "controller/keep/store_sqlite_private.h"

static const char *const statements[STMT_COUNT] = {
    [STMT_BEGIN] = "BEGIN IMMEDIATE",
    [STMT_COMMIT] = "COMMIT",
    [STMT_ROLLBACK] = "ROLLBACK",
    [STMT_VERSION] = "SELECT version FROM item WHERE key = ?1",
    [STMT_PUT] = "INSERT INTO item(key, value, version) VALUES(?1, ?2, ?3) "
                 "ON CONFLICT(key) DO UPDATE SET value = ?2, version = ?3",
    [STMT_DELETE] = "DELETE FROM item WHERE key = ?1",
    [STMT_RANGE] = "SELECT key, value, version FROM item WHERE key >= ?1 AND key < ?2 "
                   "ORDER BY key LIMIT ?3",
    [STMT_REVISION] = "SELECT revision FROM meta WHERE one = 1",
    [STMT_SET_REVISION] = "UPDATE meta SET revision = ?1 WHERE one = 1",
};

static void mark_broken(struct sqlite_file *file, enum stay_rc rc, const struct stay_error *err)
{
    if (file->broken != STAY_OK)
        return;
    file->broken = rc;
    file->broken_error = *err;
}

/* What each class of failure means for the operator, and whether the file may be used again. */
enum stay_rc sqlite_file_error(struct sqlite_file *file, const char *what, struct stay_error *err)
{
    struct stay_error local;
    int code = file->db ? sqlite3_extended_errcode(file->db) : SQLITE_NOMEM;
    const char *text = file->db ? sqlite3_errmsg(file->db) : "out of memory";
    enum stay_rc rc = STAY_EFAILED;
    const char *fix = "";
    switch (code & 0xff) {
    case SQLITE_FULL:
        rc = STAY_ESYSTEM;
        fix = "; free space on its filesystem";
        break;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        rc = STAY_EDENIED;
        fix = "; make it and its folder writable for the user mainstayd runs as";
        break;
    case SQLITE_CANTOPEN:
        rc = STAY_ESYSTEM;
        fix = "; check that the folder exists and belongs to the user mainstayd runs as";
        break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        rc = STAY_EBUSY;
        fix = "; another program has it open (sqlite3?): close that program";
        break;
    case SQLITE_NOTADB:
        rc = STAY_EINVALID;
        fix = ": this is not a mainstay state file; name another file in controller.state, or move "
              "this one away";
        break;
    case SQLITE_CORRUPT:
        rc = STAY_ECORRUPT;
        fix = ": the file is damaged; stop mainstayd, keep a copy, restore the file from a backup, "
              "or move it away and adopt every cluster again";
        break;
    case SQLITE_IOERR:
        rc = STAY_EUNKNOWN;
        fix = "; look at the disk and the kernel log, then restart mainstayd";
        break;
    }
    (void)stay_error_native(&local, rc, STAY_DOMAIN_SQLITE, code, "state file '%s': %s: (%d) %s%s",
                            file->path, what, code, text, fix);
    if (rc == STAY_ECORRUPT || rc == STAY_EUNKNOWN)
        mark_broken(file, rc, &local);
    if (err)
        *err = local;
    return rc;
}

enum stay_rc sqlite_file_prepare(struct sqlite_file *file, struct stay_error *err)
{
    for (size_t i = 0; i < STMT_COUNT; i++)
        if (sqlite3_prepare_v3(file->db, statements[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &file->stmt[i], NULL) != SQLITE_OK)
            return sqlite_file_error(file, "prepare", err);
    return STAY_OK;
}

void sqlite_file_close(struct sqlite_file *file)
{
    for (size_t i = 0; i < STMT_COUNT; i++)
        (void)sqlite3_finalize(file->stmt[i]);
    if (file->db)
        (void)sqlite3_close(file->db);
    fd_drop(&file->lock_fd); /* after the database: the lock ends last */
    free(file->path);
    memset(file, 0, sizeof *file);
    file->lock_fd = -1;
}

/* --- statements ------------------------------------------------------------------------------ */

enum stay_rc sqlite_file_run(struct sqlite_file *file, enum sqlite_stmt_id id, const char *what,
                             struct stay_error *err)
{
    sqlite3_stmt *stmt = file->stmt[id];
    enum stay_rc rc = STAY_OK;
    if (sqlite3_step(stmt) != SQLITE_DONE)
        rc = sqlite_file_error(file, what, err);
    (void)sqlite3_reset(stmt);
    (void)sqlite3_clear_bindings(stmt);
    return rc;
}

enum stay_rc sqlite_file_version(struct sqlite_file *file, const char *key, uint64_t *ret_version,
                                 struct stay_error *err)
{
    sqlite3_stmt *stmt = file->stmt[STMT_VERSION];
    (void)sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
    enum stay_rc rc = STAY_OK;
    int code = sqlite3_step(stmt);
    if (code == SQLITE_ROW)
        *ret_version = (uint64_t)sqlite3_column_int64(stmt, 0);
    else if (code == SQLITE_DONE)
        *ret_version = STORE_ABSENT;
    else
        rc = sqlite_file_error(file, "compare", err);
    (void)sqlite3_reset(stmt);
    (void)sqlite3_clear_bindings(stmt);
    return rc;
}

enum stay_rc sqlite_file_put(struct sqlite_file *file, const char *key, const char *value,
                             uint64_t revision, struct stay_error *err)
{
    enum sqlite_stmt_id id = value ? STMT_PUT : STMT_DELETE;
    sqlite3_stmt *stmt = file->stmt[id];
    (void)sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
    if (value) {
        (void)sqlite3_bind_text(stmt, 2, value, -1, SQLITE_STATIC);
        (void)sqlite3_bind_int64(stmt, 3, (sqlite3_int64)revision);
    }
    return sqlite_file_run(file, id, "put", err);
}

enum stay_rc sqlite_file_revision(struct sqlite_file *file, uint64_t *ret_revision,
                                  struct stay_error *err)
{
    sqlite3_stmt *stmt = file->stmt[STMT_REVISION];
    enum stay_rc rc = STAY_OK;
    if (sqlite3_step(stmt) == SQLITE_ROW)
        *ret_revision = (uint64_t)sqlite3_column_int64(stmt, 0);
    else
        rc = sqlite_file_error(file, "read the revision", err);
    (void)sqlite3_reset(stmt);
    return rc;
}

enum stay_rc sqlite_file_set_revision(struct sqlite_file *file, uint64_t revision,
                                      struct stay_error *err)
{
    (void)sqlite3_bind_int64(file->stmt[STMT_SET_REVISION], 1, (sqlite3_int64)revision);
    return sqlite_file_run(file, STMT_SET_REVISION, "advance the revision", err);
}

enum stay_rc sqlite_file_range(struct sqlite_file *file, const char *prefix, size_t max,
                               struct store_item **ret_items, size_t *ret_count,
                               struct stay_error *err)
{
    /* Keys are [a-z0-9/_.-]: '~' sorts after every one of them. */
    STAY_AUTO(stay_free_charp) char *below = stay_sprintf("%s~", prefix);
    sqlite3_stmt *stmt = file->stmt[STMT_RANGE];
    (void)sqlite3_bind_text(stmt, 1, prefix, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(stmt, 2, below, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(stmt, 3, max > INT32_MAX ? INT32_MAX : (sqlite3_int64)max);
    struct store_item *items = NULL;
    size_t count = 0, capacity = 0;
    int code;
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
        if (count == capacity) {
            capacity = capacity ? capacity * 2 : 8;
            items = stay_realloc(items, capacity, sizeof *items);
        }
        items[count++] = (struct store_item){
            .key = stay_strdup((const char *)sqlite3_column_text(stmt, 0)),
            .value = stay_strdup((const char *)sqlite3_column_text(stmt, 1)),
            .version = (uint64_t)sqlite3_column_int64(stmt, 2),
        };
    }
    enum stay_rc rc = STAY_OK;
    if (code != SQLITE_DONE)
        rc = sqlite_file_error(file, "read", err);
    (void)sqlite3_reset(stmt);
    (void)sqlite3_clear_bindings(stmt);
    if (rc != STAY_OK) {
        store_items_free(items, count);
        return rc;
    }
    *ret_items = items;
    *ret_count = count;
    return STAY_OK;
}

void store_items_free(struct store_item *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free((void *)(uintptr_t)items[i].key);
        free((void *)(uintptr_t)items[i].value);
    }
    free(items);
}
