/* The state file itself: finding out whether it is ours and whole, holding it alone, and the
 * handful of statements on it. Every error names the file and what to do about it. */
#include "base/base.h"
#include "base/io/file.h"
#include "base/str.h"
#include "controller/keep/store_sqlite_private.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define STORE_APPLICATION_ID 0x4d53544e /* "MSTN" */
#define STORE_SCHEMA_VERSION 1

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

static const char schema[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE item(key TEXT PRIMARY KEY, value TEXT NOT NULL, version INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE meta(one INTEGER PRIMARY KEY CHECK(one = 1), revision INTEGER NOT NULL,"
    " opened INTEGER NOT NULL);"
    "INSERT INTO meta(one, revision, opened) VALUES(1, 0, 0);"
    "PRAGMA application_id = 1297306702;"
    "PRAGMA user_version = 1;"
    "COMMIT;";

static void mark_broken(struct sqlite_file *file, enum stay_rc rc, const struct stay_error *err)
{
    if (file->broken != STAY_OK)
        return;
    file->broken = rc;
    file->broken_error = *err;
}

/* What each class of failure means for the operator, and whether the file may be used again. */
static enum stay_rc file_error(struct sqlite_file *file, const char *what, struct stay_error *err)
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

/* --- holding it alone ------------------------------------------------------------------------ */

static enum stay_rc lock_refused(const struct sqlite_file *file, const char *lock_path,
                                 struct stay_error *err)
{
    STAY_AUTO(stay_free_charp) char *holder = NULL;
    if (file_read(lock_path, 512, &holder, NULL, NULL) != STAY_OK || holder[0] == '\0') {
        free(holder);
        holder = stay_strdup("an unnamed process");
    }
    for (char *c = holder; *c; c++)
        if ((unsigned char)*c < ' ')
            *c = '\0';
    return stay_error(err, STAY_EBUSY,
                      "state file '%s' is held by %s: one controller per state file; stop that one "
                      "or name another file in controller.state",
                      file->path, holder);
}

static enum stay_rc lock_take(struct sqlite_file *file, const char *holder, struct stay_error *err)
{
    STAY_AUTO(stay_free_charp) char *lock_path = stay_sprintf("%s.lock", file->path);
    STAY_AUTO(fd_drop) int fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return stay_error_sys(err, errno,
                              "state file '%s': cannot make the lock '%s'; make its folder "
                              "writable for the user mainstayd runs as",
                              file->path, lock_path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            return lock_refused(file, lock_path, err);
        return stay_error_sys(err, errno, "lock '%s'", lock_path);
    }
    STAY_AUTO(stay_free_charp) char *text = stay_sprintf("%s, process %ld\n", holder,
                                                         (long)getpid());
    /* The text only serves the next one's error message: a full disk is found by SQLite below. */
    bool written = ftruncate(fd, 0) == 0 && pwrite(fd, text, strlen(text), 0) > 0;
    if (!written && ftruncate(fd, 0) != 0)
        errno = 0; /* nothing more to try; the lock holds without its text */
    file->lock_fd = fd_take(&fd);
    return STAY_OK;
}

/* --- opening --------------------------------------------------------------------------------- */

static enum stay_rc run_sql(struct sqlite_file *file, const char *what, const char *sql,
                            struct stay_error *err)
{
    if (sqlite3_exec(file->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return file_error(file, what, err);
    return STAY_OK;
}

static enum stay_rc read_number(struct sqlite_file *file, const char *sql, int64_t *ret,
                                struct stay_error *err)
{
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(file->db, sql, -1, &stmt, NULL) != SQLITE_OK)
        return file_error(file, "read", err);
    enum stay_rc rc = STAY_OK;
    if (sqlite3_step(stmt) == SQLITE_ROW)
        *ret = sqlite3_column_int64(stmt, 0);
    else
        rc = file_error(file, "read", err);
    (void)sqlite3_finalize(stmt);
    return rc;
}

static enum stay_rc check_whole(struct sqlite_file *file, struct stay_error *err)
{
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(file->db, "PRAGMA integrity_check(1)", -1, &stmt, NULL) != SQLITE_OK)
        return file_error(file, "integrity check", err);
    enum stay_rc rc = STAY_OK;
    if (sqlite3_step(stmt) != SQLITE_ROW) {
        rc = file_error(file, "integrity check", err);
    } else {
        const char *text = (const char *)sqlite3_column_text(stmt, 0);
        if (!text || strcmp(text, "ok") != 0)
            rc = stay_error(err, STAY_ECORRUPT,
                            "state file '%s' is damaged (%.120s): keep a copy, restore it from a "
                            "backup, or move it away and adopt every cluster again",
                            file->path, text ? text : "no answer");
    }
    (void)sqlite3_finalize(stmt);
    return rc;
}

/* A fresh file gets the schema; ours is checked; anything else is refused untouched. */
static enum stay_rc check_ours(struct sqlite_file *file, struct stay_error *err)
{
    int64_t application = 0, version = 0, tables = 0;
    enum stay_rc rc = read_number(file, "PRAGMA application_id", &application, err);
    if (rc == STAY_OK)
        rc = read_number(file, "PRAGMA user_version", &version, err);
    if (rc == STAY_OK)
        rc = read_number(file, "SELECT count(*) FROM sqlite_master", &tables, err);
    if (rc != STAY_OK)
        return rc;
    if (application == 0 && version == 0 && tables == 0)
        return run_sql(file, "create its tables", schema, err);
    if (application != STORE_APPLICATION_ID)
        return stay_error(err, STAY_EINVALID,
                          "state file '%s' is another program's SQLite database: name another file "
                          "in controller.state",
                          file->path);
    if (version != STORE_SCHEMA_VERSION)
        return stay_error(err, STAY_EINVALID,
                          "state file '%s' has schema version %lld, this mainstayd knows version "
                          "%d: start the mainstayd that wrote it, or a newer one",
                          file->path, (long long)version, STORE_SCHEMA_VERSION);
    return check_whole(file, err);
}

static enum stay_rc prepare_all(struct sqlite_file *file, struct stay_error *err)
{
    for (size_t i = 0; i < STMT_COUNT; i++)
        if (sqlite3_prepare_v3(file->db, statements[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &file->stmt[i], NULL) != SQLITE_OK)
            return file_error(file, "prepare", err);
    return STAY_OK;
}

static enum stay_rc open_db(struct sqlite_file *file, struct stay_error *err)
{
    struct stat st;
    if (stat(file->path, &st) == 0 && !S_ISREG(st.st_mode))
        return stay_error(err, STAY_EINVALID,
                          "state file '%s' is not a regular file: name a file in controller.state",
                          file->path);
    mode_t old_mask = umask(077);
    int code = sqlite3_open_v2(file->path, &file->db,
                               SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                                   SQLITE_OPEN_EXRESCODE,
                               NULL);
    (void)umask(old_mask);
    if (code != SQLITE_OK)
        return file_error(file, "open", err);
    if (sqlite3_db_readonly(file->db, "main") == 1)
        return stay_error(err, STAY_EDENIED,
                          "state file '%s' cannot be written: make it and its folder writable for "
                          "the user mainstayd runs as",
                          file->path);
    enum stay_rc rc = run_sql(file, "open",
                              "PRAGMA locking_mode = EXCLUSIVE;"
                              "PRAGMA cache_size = -512;"
                              "PRAGMA trusted_schema = OFF;",
                              err);
    if (rc == STAY_OK)
        rc = check_ours(file, err);
    if (rc == STAY_OK)
        rc = run_sql(file, "open",
                     "PRAGMA journal_mode = WAL;"
                     "PRAGMA synchronous = FULL;"
                     "PRAGMA wal_autocheckpoint = 256;"
                     "PRAGMA journal_size_limit = 4194304;",
                     err);
    /* A write now tells a full or read-only disk at start, not in the middle of a failover. */
    if (rc == STAY_OK)
        rc = run_sql(file, "first write", "UPDATE meta SET opened = opened + 1", err);
    if (rc == STAY_OK)
        rc = prepare_all(file, err);
    return rc;
}

enum stay_rc sqlite_file_open(struct sqlite_file *file, const char *path, const char *holder,
                              struct stay_error *err)
{
    memset(file, 0, sizeof *file);
    file->lock_fd = -1;
    file->path = stay_strdup(path);
    char *slash = strrchr(file->path, '/');
    enum stay_rc rc = STAY_OK;
    if (slash && slash != file->path) {
        *slash = '\0';
        rc = file_mkdir_p(file->path, 0750, err);
        *slash = '/';
        if (rc != STAY_OK)
            rc = stay_error_prefix(err, rc, "state file '%s'", path);
    }
    if (rc == STAY_OK)
        rc = lock_take(file, holder, err);
    if (rc == STAY_OK)
        rc = open_db(file, err);
    if (rc != STAY_OK)
        sqlite_file_close(file);
    return rc;
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
        rc = file_error(file, what, err);
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
        rc = file_error(file, "compare", err);
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
        rc = file_error(file, "read the revision", err);
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
        rc = file_error(file, "read", err);
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
