/* Opening the state file: holding it alone, finding out whether it is ours and whole, and that it
 * can be written. Every error names the file and what to do about it. */
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
#define LOCK_LOOK_US         (20 * STAY_MS)
#define LOCK_WAIT_US         (10 * STAY_SECOND) /* for a holder that has been killed */

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

/* Its holder was killed, and the kernel has not yet closed its files: threads that wait for the
 * disk end late, and the service manager begins the next one at once. */
static bool is_holder_dying(const char *lock_path)
{
    STAY_AUTO(stay_free_charp) char *holder = NULL;
    STAY_AUTO(stay_free_charp) char *stat = NULL;
    if (file_read(lock_path, 512, &holder, NULL, NULL) != STAY_OK)
        return false;
    const char *process = strstr(holder, ", process ");
    long id = process == NULL ? 0 : strtol(process + strlen(", process "), NULL, 10);
    if (id <= 0)
        return false;
    STAY_AUTO(stay_free_charp) char *path = stay_sprintf("/proc/%ld/stat", id);
    if (file_read(path, 4096, &stat, NULL, NULL) != STAY_OK)
        return true;
    const char *state = strrchr(stat, ')');
    return state != NULL && (strncmp(state, ") Z", 3) == 0 || strncmp(state, ") X", 3) == 0);
}

static bool lock_file(int fd, const char *lock_path)
{
    for (int64_t waited_us = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; waited_us += LOCK_LOOK_US) {
        int why = errno;
        if (why != EWOULDBLOCK || waited_us >= LOCK_WAIT_US || !is_holder_dying(lock_path)) {
            errno = why;
            return false;
        }
        (void)usleep(LOCK_LOOK_US);
    }
    return true;
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
    if (!lock_file(fd, lock_path)) {
        if (errno == EWOULDBLOCK)
            return lock_refused(file, lock_path, err);
        return stay_error_sys(err, errno, "lock '%s'", lock_path);
    }
    STAY_AUTO(stay_free_charp)
    char *text = stay_sprintf("%s, process %ld\n", holder, (long)getpid());
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
        return sqlite_file_error(file, what, err);
    return STAY_OK;
}

static enum stay_rc read_number(struct sqlite_file *file, const char *sql, int64_t *ret,
                                struct stay_error *err)
{
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(file->db, sql, -1, &stmt, NULL) != SQLITE_OK)
        return sqlite_file_error(file, "read", err);
    enum stay_rc rc = STAY_OK;
    if (sqlite3_step(stmt) == SQLITE_ROW)
        *ret = sqlite3_column_int64(stmt, 0);
    else
        rc = sqlite_file_error(file, "read", err);
    (void)sqlite3_finalize(stmt);
    return rc;
}

static enum stay_rc check_whole(struct sqlite_file *file, struct stay_error *err)
{
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(file->db, "PRAGMA integrity_check(1)", -1, &stmt, NULL) != SQLITE_OK)
        return sqlite_file_error(file, "integrity check", err);
    enum stay_rc rc = STAY_OK;
    if (sqlite3_step(stmt) != SQLITE_ROW) {
        rc = sqlite_file_error(file, "integrity check", err);
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
        return sqlite_file_error(file, "open", err);
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
        rc = sqlite_file_prepare(file, err);
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
