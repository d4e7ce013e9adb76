/* Happy path: read what the server holds -> its log files -> from the newest that begins with
 * nothing unknown, the stream to its end -> describe the tables -> publish.
 * Nothing is written that is not whole: an unreadable log is an error, a purged one a bundle that
 * says so. */
#include <mysql.h>

#include "backup/bundle_save.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>

#include "backup/bundle_tables.h"
#include "backup/bundle_write.h"
#include "base/io/file.h"
#include "base/io/real_clock.h"

#define ASK_US     (30 * STAY_SECOND)
#define PACKET_US  (60 * STAY_SECOND) /* between two events */
#define FILES_MAX  100000U
#define LOG_BEGINS 4
#define LOCK_US    (600 * STAY_SECOND)
#define NAMES_MAX  1000U

struct log_files {
    char **names;
    size_t count;
};

static int64_t soon(int64_t us)
{
    return real_clock_mono_us() + us;
}

static void keep_name(void *arg, const struct mysql_row *row)
{
    struct log_files *files = arg;
    if (row->columns == 0 || row->values[0] == NULL || files->count == FILES_MAX)
        return;
    files->names = stay_realloc(files->names, files->count + 1, sizeof *files->names);
    files->names[files->count++] = stay_strdup(row->values[0]);
}

static void free_files(struct log_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        free(files->names[i]);
    free(files->names);
}

enum stay_rc bundle_read_executed(struct mysql_session *s, enum engine engine,
                                  struct gtid_set *ret_set, struct stay_error *err)
{
    STAY_AUTO(stay_free_charp) char *text = NULL;
    const char *sql = engine == ENGINE_MARIADB ? "SELECT @@global.gtid_binlog_state"
                                               : "SELECT @@global.gtid_executed";
    enum stay_rc rc = mysql_session_text(s, sql, soon(ASK_US), &text, err);
    if (rc == STAY_OK)
        rc = gtid_set_parse(engine == ENGINE_MARIADB ? GTID_MARIADB : GTID_MYSQL,
                            text == NULL ? "" : text, ret_set, err);
    return rc;
}

static enum stay_rc open_session(struct mysql_session *s, const struct mysql_target *target,
                                 const struct mysql_account *account, struct stay_error *err)
{
    struct reach reach = {0};
    return mysql_session_open(s, target, account, soon(ASK_US), &reach, err);
}

/* The server's set just before `file`. */
static enum stay_rc state_before(const struct bundle_save *spec, const char *file,
                                 struct gtid_set *ret_set, struct stay_error *err)
{
    struct mysql_session *s = mysql_session_new();
    struct binlog_format format = {0};
    const uint8_t *bytes;
    size_t length;
    bool found = false;
    enum stay_rc rc = open_session(s, &spec->target, &spec->replicate, err);
    if (rc == STAY_OK)
        rc = mysql_session_dump(s, file, LOG_BEGINS, soon(ASK_US), err);
    for (unsigned i = 0; rc == STAY_OK && !found && i < 16; i++) {
        struct binlog_event event;
        rc = mysql_session_packet(s, soon(PACKET_US), &bytes, &length, err);
        if (rc == STAY_OK && i == 0 && length >= BINLOG_HEADER && bytes[4] == BINLOG_ROTATE)
            continue; /* before the format description nobody knows whether it is summed */
        if (rc == STAY_OK)
            rc = binlog_event_parse(bytes, length, &format, &event, err);
        if (rc == STAY_OK && event.type == BINLOG_FORMAT)
            rc = binlog_format_parse(&event, &format, err);
        found = rc == STAY_OK &&
                (event.type == BINLOG_GTID_LIST || event.type == BINLOG_PREVIOUS_GTIDS);
        if (found)
            rc = binlog_state_parse(&event, ret_set, err);
    }
    mysql_session_free(s);
    if (rc == STAY_ENOTFOUND || (rc == STAY_OK && !found))
        rc = stay_error(err, STAY_ECORRUPT, "%s does not say what came before it", file);
    return rc;
}

/* The newest file that begins with nothing the primary lacks; *ret_is_whole false: even the oldest
 * one does not, part is purged. */
static enum stay_rc find_begin(const struct bundle_save *spec, const struct log_files *files,
                               size_t *ret_file, bool *ret_is_whole, struct stay_error *err)
{
    STAY_AUTO(gtid_set_drop) struct gtid_set state = {0};
    for (size_t i = files->count; i > 0; i--) {
        enum stay_rc rc = state_before(spec, files->names[i - 1], &state, err);
        if (rc != STAY_OK)
            return rc;
        *ret_file = i - 1;
        *ret_is_whole = gtid_set_contains(spec->known, &state) || gtid_set_is_empty(&state);
        if (*ret_is_whole)
            return STAY_OK;
    }
    return files->count == 0 ? stay_error(err, STAY_EREFUSED, "it has no binary log") : STAY_OK;
}

static enum stay_rc take_stream(const struct bundle_save *spec, struct mysql_session *s,
                                struct bundle_writer *w, const struct bundle *b,
                                struct stay_error *err)
{
    struct binlog_format format = {0};
    int64_t told = real_clock_mono_us();
    for (;;) {
        const uint8_t *bytes;
        size_t length;
        struct binlog_event event;
        enum stay_rc rc = mysql_session_packet(s, soon(PACKET_US), &bytes, &length, err);
        if (rc == STAY_ENOTFOUND)
            return STAY_OK;
        if (rc == STAY_OK && !format.is_known && length >= BINLOG_HEADER &&
            bytes[4] == BINLOG_ROTATE)
            continue;
        if (rc == STAY_OK)
            rc = binlog_event_parse(bytes, length, &format, &event, err);
        if (rc == STAY_OK && event.type == BINLOG_FORMAT)
            rc = binlog_format_parse(&event, &format, err);
        if (rc == STAY_OK)
            rc = bundle_writer_event(w, &event, &format, err);
        if (rc != STAY_OK)
            return rc;
        if (spec->progress != NULL && real_clock_mono_us() - told > STAY_SECOND) {
            told = real_clock_mono_us();
            spec->progress(spec->progress_arg,
                           &(struct bundle_progress){.phase = "keeping them as a bundle",
                                                     .bytes = bundle_writer_bytes(w),
                                                     .done = b->transaction_count});
        }
    }
}

/* Is all of extra there? MariaDB's numbers have holes: the last of each server must be, and nothing
 * unknown came before the first file. */
static void judge_whole(struct bundle *b, bool is_whole)
{
    struct gtid_set missing = {0}, found = {0};
    gtid_set_copy(&missing, &b->extra);
    for (size_t i = 0; i < b->transaction_count; i++) {
        struct gtid_range range = b->transactions[i].range;
        if (b->flavor == GTID_MARIADB)
            range.first = 1;
        gtid_set_add_range(&found, b->flavor, &range);
    }
    gtid_set_subtract(&missing, &found);
    if (!gtid_set_is_empty(&missing) || (b->flavor == GTID_MARIADB && !is_whole)) {
        STAY_AUTO(stay_free_charp) char *text = gtid_set_format(&missing);
        b->incomplete = stay_sprintf("its binary log no longer holds all of them%s%.400s",
                                     text[0] ? ": missing " : "", text);
    }
    gtid_set_clear(&missing);
    gtid_set_clear(&found);
}

static enum stay_rc save_into(const struct bundle_save *spec, struct mysql_session *ask,
                              struct bundle *b, struct stay_error *err)
{
    struct log_files files = {0};
    struct bundle_writer *w = NULL;
    size_t first = 0;
    bool is_whole = false;
    struct mysql_session *s = mysql_session_new();
    mysql_session_set_packet_max(s, BINLOG_EVENT_MAX);
    enum stay_rc rc =
        mysql_session_run(ask, "SHOW BINARY LOGS", soon(ASK_US), keep_name, &files, err);
    if (rc == STAY_OK)
        rc = find_begin(spec, &files, &first, &is_whole, err);
    if (rc == STAY_OK)
        rc = bundle_writer_begin(spec->dir, b, spec->known, &w, err);
    if (rc == STAY_OK)
        rc = open_session(s, &spec->target, &spec->replicate, err);
    if (rc == STAY_OK)
        rc = mysql_session_dump(s, files.names[first], LOG_BEGINS, soon(ASK_US), err);
    if (rc == STAY_OK)
        rc = take_stream(spec, s, w, b, err);
    if (rc == STAY_OK) {
        bundle_writer_end(w);
        judge_whole(b, is_whole);
        rc = bundle_describe_tables(ask, b, err);
    }
    if (rc == STAY_OK)
        rc = bundle_writer_publish(w, err);
    else
        bundle_writer_drop(w);
    mysql_session_free(s);
    free_files(&files);
    return rc;
}

/* "NODE-DIGEST", then "NODE-DIGEST-2": other transactions under the same numbers. */
static char *nth_path(const struct bundle_save *spec, const char *base, unsigned k)
{
    return k < 2 ? stay_sprintf("%s/%s", spec->dir, base)
                 : stay_sprintf("%s/%s-%u", spec->dir, base, k);
}

/* Its name is the first that is free. */
static void fill_head(const struct bundle_save *spec, struct mysql_session *ask, const char *base,
                      struct bundle *b)
{
    struct stay_error ignored;
    char *version = NULL;
    if (mysql_session_text(ask, "SELECT VERSION()", soon(ASK_US), &version, &ignored) != STAY_OK ||
        version == NULL)
        version = stay_strdup("");
    for (unsigned k = 1;; k++) {
        b->path = nth_path(spec, base, k);
        if (!file_exists(b->path) || k == NAMES_MAX)
            break;
        free(b->path);
    }
    b->name = stay_strdup(strrchr(b->path, '/') + 1);
    b->cluster = stay_strdup(spec->cluster);
    b->node = stay_strdup(spec->node);
    b->primary = stay_strdup(spec->primary);
    b->server_version = version;
    b->epoch = spec->epoch;
    b->taken_wall_us = real_clock_wall_us();
    b->is_suffix = true;
}

/* Are all transactions of `fresh` in `old`, byte for byte, and is old as whole? The same set is no
 * proof: a rewind or a reseed gives the server's numbers anew. */
static bool covers(const struct bundle *old, const struct bundle *fresh)
{
    bool same = fresh->transaction_count > 0 && (old->incomplete == NULL || fresh->incomplete);
    for (size_t i = 0; same && i < fresh->transaction_count; i++) {
        const struct bundle_transaction *t = &fresh->transactions[i];
        size_t at = i < old->transaction_count && strcmp(old->transactions[i].gtid, t->gtid) == 0
                        ? i
                        : bundle_transaction_named(old, t->gtid);
        same = at < old->transaction_count && old->transactions[at].length == t->length &&
               memcmp(old->events + old->transactions[at].offset, fresh->events + t->offset,
                      (size_t)t->length) == 0;
    }
    return same;
}

/* What was just saved may have been kept before, under one of the names before its own. */
static void find_kept_before(const struct bundle_save *spec, const char *base, char **path)
{
    struct bundle *fresh = NULL;
    struct stay_error ignored;
    if (bundle_open(*path, &fresh, &ignored) != STAY_OK)
        return;
    for (unsigned k = 1; k < NAMES_MAX; k++) {
        struct bundle *old = NULL;
        char *before = nth_path(spec, base, k);
        bool is_self = strcmp(before, *path) == 0;
        bool same =
            !is_self && bundle_open(before, &old, &ignored) == STAY_OK && covers(old, fresh);
        bundle_free(old);
        if (same) {
            bundle_remove(*path);
            free(*path);
            *path = before;
            break;
        }
        free(before);
        if (is_self)
            break;
    }
    bundle_free(fresh);
}

/* One job writes bundles of a cluster at a time; its end, however it comes, gives the lock back. */
static enum stay_rc lock_dir(const char *dir, int *ret_fd, struct stay_error *err)
{
    enum stay_rc rc = file_mkdir_p(dir, 0700, err);
    if (rc != STAY_OK)
        return rc;
    int64_t due_us = soon(LOCK_US);
    *ret_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (*ret_fd >= 0 && flock(*ret_fd, LOCK_EX | LOCK_NB) != 0) {
        const struct timespec moment = {.tv_nsec = 200 * 1000 * 1000};
        if (errno != EWOULDBLOCK)
            return stay_error_sys(err, errno, "lock '%s'", dir);
        if (real_clock_mono_us() >= due_us)
            return stay_error(err, STAY_EBUSY, "another job writes bundles to '%s'", dir);
        (void)nanosleep(&moment, NULL);
    }
    return *ret_fd < 0 ? stay_error_sys(err, errno, "open '%s'", dir) : STAY_OK;
}

enum stay_rc bundle_save(const struct bundle_save *spec, char **ret_path, struct stay_error *err)
{
    struct bundle *b = stay_calloc(1, sizeof *b);
    struct mysql_session *ask = mysql_session_new();
    STAY_AUTO(gtid_set_drop) struct gtid_set executed = {0};
    STAY_AUTO(fd_drop) int lock = -1;
    b->flavor = spec->target.engine == ENGINE_MARIADB ? GTID_MARIADB : GTID_MYSQL;
    enum stay_rc rc = open_session(ask, &spec->target, &spec->operate, err);
    if (rc == STAY_OK)
        rc = bundle_read_executed(ask, spec->target.engine, &executed, err);
    if (rc == STAY_OK) {
        gtid_set_copy(&b->extra, &executed);
        gtid_set_subtract(&b->extra, spec->known);
        gtid_set_copy(&b->common, &executed);
        gtid_set_subtract(&b->common, &b->extra);
        if (gtid_set_is_empty(&b->extra))
            rc = stay_error(err, STAY_ENOTFOUND, "%s holds nothing that %s lacks", spec->node,
                            spec->primary);
    }
    if (rc == STAY_OK)
        rc = lock_dir(spec->dir, &lock, err);
    if (rc == STAY_OK) {
        char base[BUNDLE_NAME_MAX];
        bundle_name(spec->node, &b->extra, base);
        fill_head(spec, ask, base, b);
        rc = save_into(spec, ask, b, err);
        if (rc == STAY_OK) {
            *ret_path = stay_strdup(b->path);
            find_kept_before(spec, base, ret_path);
        }
    }
    mysql_session_free(ask);
    bundle_free(b);
    return rc;
}
