/* Happy path: save -> one transaction undoes all, with the mark -> GTID state back -> mark away. */
#include <mysql.h>

#include "backup/rewind.h"

#include <stdarg.h>

#include "backup/checked_rows.h"
#include "backup/errant_crash.h"
#include "backup/rewind_mark.h"
#include "base/io/real_clock.h"

#define LOCK_US (7200 * STAY_SECOND) /* an earlier job of ours may still put rows back */

struct rewinding {
    const struct bundle_save *spec;
    struct mysql_session *session;
    struct binlog_statement say;
    bool is_mariadb;
    struct rewind_mark mark;
    int64_t told_mono_us;
};

/* Once a second, and each phase's first. */
static void tell(struct rewinding *r, const char *phase, uint64_t done, uint64_t total)
{
    int64_t now = real_clock_mono_us();
    if (r->spec->progress == NULL || (done > 0 && now - r->told_mono_us < STAY_SECOND))
        return;
    r->told_mono_us = now;
    r->spec->progress(r->spec->progress_arg,
                      &(struct bundle_progress){.phase = phase, .done = done, .total = total});
}

static enum stay_rc say(struct rewinding *r, struct stay_error *err, const char *fmt, ...)
    STAY_PRINTF(3, 4);
static enum stay_rc say(struct rewinding *r, struct stay_error *err, const char *fmt, ...)
{
    char *sql = NULL;
    va_list args;
    va_start(args, fmt);
    must(vasprintf(&sql, fmt, args) >= 0);
    va_end(args);
    enum stay_rc rc = statement_say(&r->say, sql, err);
    free(sql);
    return rc;
}

/* Held by the session until its end, the end of its transaction included. */
static enum stay_rc take_lock(struct rewinding *r, struct stay_error *err)
{
    int64_t due_us = real_clock_mono_us() + LOCK_US;
    do {
        STAY_AUTO(stay_free_charp) char *locked = NULL;
        enum stay_rc rc = mysql_session_text(r->session, "SELECT GET_LOCK('mainstay.rewind', 5)",
                                             real_clock_mono_us() + 60 * STAY_SECOND, &locked, err);
        if (rc != STAY_OK || (locked != NULL && strcmp(locked, "1") == 0))
            return rc;
        tell(r, "waiting for an earlier rewind of it to end", 0, 0);
    } while (real_clock_mono_us() < due_us);
    return stay_error(err, STAY_EBUSY, "another rewind of %s is under way", r->spec->node);
}

/* The session's own writes are not logged; MySQL's super_read_only would forbid them. */
static enum stay_rc prepare(struct rewinding *r, struct stay_error *err)
{
    enum tri read_only = TRI_UNKNOWN;
    enum stay_rc rc =
        statement_open(&r->say, r->session, &r->spec->target, &r->spec->operate, &read_only, err);
    if (rc != STAY_OK)
        return rc;
    if (read_only != TRI_YES)
        return stay_error(err, STAY_EREFUSED, "%s takes writes: it is fenced first", r->spec->node);
    if (!r->is_mariadb) /* what a fence left: the account that reads the log could not log in */
        rc = say(r, err, "SET GLOBAL offline_mode = 0");
    if (rc == STAY_OK)
        rc = take_lock(r, err);
    if (rc == STAY_OK)
        rc = say(r, err, "SET SESSION sql_log_bin = 0");
    if (rc == STAY_OK && !r->is_mariadb)
        rc = say(r, err, "SET GLOBAL super_read_only = 0"); /* read_only stays */
    return rc;
}

/* Each row is compared with what its transaction left. Where the server executed transactions of
 * the primary after those (an errant replica), one that these changed since is a conflict: reseed.
 */
static enum stay_rc undo_rows(struct rewinding *r, const struct bundle *b, bool is_suffix,
                              struct stay_error *err)
{
    enum stay_rc rc = STAY_OK;
    for (size_t i = b->transaction_count; rc == STAY_OK && i > 0; i--) {
        const struct bundle_transaction *t = &b->transactions[i - 1];
        tell(r, "putting rows back", b->transaction_count - i, b->transaction_count);
        if (i == (b->transaction_count + 1) / 2)
            errant_crash_point("undoing");
        rc = checked_transaction(&r->say, b, t, true, is_suffix, err);
        if (rc != STAY_OK)
            rc = stay_error_prefix(err, rc, "undo %s", t->gtid);
    }
    return rc;
}

/* All of them and the mark in one transaction. common: what the server goes back to. */
static enum stay_rc undo_all(struct rewinding *r, const struct bundle *b,
                             const struct gtid_set *common, struct stay_error *err)
{
    STAY_AUTO(stay_free_charp) char *text = gtid_set_format(common);
    STAY_AUTO(stay_free_charp) char *quoted = mysql_quote(text);
    STAY_AUTO(stay_free_charp) char *name = mysql_quote(b->name);
    /* executed behind them since they were saved: what the primary wrote */
    bool is_suffix = b->is_suffix && gtid_set_equal(common, &b->common);
    enum stay_rc rc = statement_format(&r->say, b, &b->transactions[b->transaction_count - 1], err);
    if (rc == STAY_OK)
        rc = say(r, err, "START TRANSACTION");
    if (rc == STAY_OK)
        rc = undo_rows(r, b, is_suffix, err);
    if (rc == STAY_OK)
        rc = say(r, err, "INSERT INTO mainstay.rewind VALUES (1, %s, %s)", name, quoted);
    errant_crash_point("undone");
    if (rc == STAY_OK)
        rc = say(r, err, "COMMIT");
    if (rc != STAY_OK) {
        if (mysql_session_is_open(r->session))
            (void)say(r, NULL, "ROLLBACK");
        return rc;
    }
    errant_crash_point("committed");
    r->mark = (struct rewind_mark){.bundle = stay_strdup(b->name), .common = stay_strdup(text)};
    return STAY_OK;
}

/* MariaDB, 10.11: RESET MASTER empties the binary log and its state (before it a strict server
 * refuses an older gtid_slave_pos, 1947); gtid_slave_pos then says where replication goes on,
 * gtid_binlog_state what the log is taken to have held. MySQL, 9.7: RESET BINARY LOGS AND GTIDS
 * (RESET MASTER before 8.2) empties gtid_executed, gtid_purged fills it. */
static enum stay_rc set_gtids(struct rewinding *r, struct stay_error *err)
{
    STAY_AUTO(gtid_set_drop) struct gtid_set common = {0};
    enum gtid_flavor flavor = r->is_mariadb ? GTID_MARIADB : GTID_MYSQL;
    enum stay_rc rc = gtid_set_parse(flavor, r->mark.common, &common, err);
    if (rc != STAY_OK)
        return rc;
    STAY_AUTO(stay_free_charp) char *text = gtid_set_format(&common);
    STAY_AUTO(stay_free_charp) char *quoted = mysql_quote(text);
    if (!r->is_mariadb) {
        bool is_new = mysql_session_version(r->session) >= 80200;
        rc = say(r, err, "%s", is_new ? "RESET BINARY LOGS AND GTIDS" : "RESET MASTER");
        errant_crash_point("reset");
        return rc == STAY_OK ? say(r, err, "SET GLOBAL gtid_purged = %s", quoted) : rc;
    }
    STAY_AUTO(stay_free_charp) char *position = gtid_set_format_mariadb_pos(&common);
    STAY_AUTO(stay_free_charp) char *slave_pos = mysql_quote(position);
    rc = say(r, err, "RESET MASTER");
    errant_crash_point("reset");
    if (rc == STAY_OK)
        rc = say(r, err, "SET GLOBAL gtid_slave_pos = %s", slave_pos);
    return rc == STAY_OK ? say(r, err, "SET GLOBAL gtid_binlog_state = %s", quoted) : rc;
}

static enum stay_rc check_gtids(struct rewinding *r, struct stay_error *err)
{
    STAY_AUTO(gtid_set_drop) struct gtid_set executed = {0};
    enum stay_rc rc = bundle_read_executed(r->session, r->spec->target.engine, &executed, err);
    if (rc == STAY_OK && !gtid_set_contains(r->spec->known, &executed))
        rc = stay_error(err, STAY_EFAILED, "its GTID state is not within the primary's after all");
    return rc;
}

/* What it holds now without the bundle's; nothing else may be missing from the primary. */
static enum stay_rc read_common(struct rewinding *r, const struct bundle *b,
                                struct gtid_set *ret_common, struct stay_error *err)
{
    STAY_AUTO(gtid_set_drop) struct gtid_set extra = {0};
    enum stay_rc rc = bundle_read_executed(r->session, r->spec->target.engine, ret_common, err);
    if (rc != STAY_OK)
        return rc;
    gtid_set_copy(&extra, ret_common);
    gtid_set_subtract(&extra, r->spec->known);
    gtid_set_subtract(ret_common, &b->extra);
    return gtid_set_equal(&extra, &b->extra)
               ? STAY_OK
               : stay_error(err, STAY_EBUSY, "%s executed transactions meanwhile: try again",
                            r->spec->node);
}

static enum stay_rc save_and_undo(struct rewinding *r, char **ret_text, struct stay_error *err)
{
    STAY_AUTO(stay_free_charp) char *path = NULL;
    STAY_AUTO(gtid_set_drop) struct gtid_set common = {0};
    struct bundle *b = NULL;
    char text[240];
    enum stay_rc rc = bundle_save(r->spec, &path, err);
    errant_crash_point("saved");
    if (rc == STAY_OK)
        rc = bundle_open(path, &b, err);
    if (rc != STAY_OK)
        return rc;
    const char *obstacle = bundle_obstacle(b, text);
    if (obstacle == NULL && b->transaction_count == 0)
        obstacle = "its binary log does not hold them";
    if (obstacle != NULL)
        rc = stay_error(err, STAY_EREFUSED, "cannot be rewound, reseed it: %s", obstacle);
    if (rc == STAY_OK)
        rc = read_common(r, b, &common, err);
    if (rc == STAY_OK)
        rc = undo_all(r, b, &common, err);
    if (rc == STAY_OK) /* said by the human who started the plan; the history has the name */
        rc = bundle_decide(b, "*", "dropped", NULL, "errant reset", NULL, err);
    if (rc == STAY_OK)
        *ret_text =
            stay_sprintf("%zu transactions undone, kept in %s", b->transaction_count, b->name);
    bundle_free(b);
    return rc;
}

/* Killed before it was written down. */
static void note_dropped(struct rewinding *r)
{
    struct bundle *b = NULL;
    struct stay_error ignored;
    STAY_AUTO(stay_free_charp)
    char *path = stay_sprintf("%s/%s", r->spec->dir, r->mark.bundle);
    if (bundle_open(path, &b, &ignored) != STAY_OK)
        return;
    STAY_AUTO(stay_json_drop) json_t *told = bundle_decisions(b);
    bool ok = json_array_size(told) > 0 ||
              bundle_decide(b, "*", "dropped", NULL, "errant reset", NULL, &ignored) == STAY_OK;
    bundle_free(b);
    if (!ok)
        tell(r, "its bundle's decision could not be written", 0, 0);
}

/* A mark of a rewind that ended, and whose server followed on since, is no word about this one. */
static enum stay_rc read_stage(struct rewinding *r, enum rewind_stage *ret_stage,
                               struct stay_error *err)
{
    enum stay_rc rc = rewind_mark_read(r->session, &r->mark, err);
    if (rc == STAY_OK)
        rc = rewind_mark_stage(r->session, r->spec, &r->mark, ret_stage, err);
    if (rc == STAY_OK && *ret_stage == REWIND_OVER) {
        rewind_mark_clear(&r->mark);
        rc = say(r, err, "DROP TABLE mainstay.rewind");
        if (rc == STAY_OK)
            rc = rewind_mark_read(r->session, &r->mark, err);
        *ret_stage = REWIND_FRESH;
    }
    return rc;
}

static enum stay_rc work(struct rewinding *r, char **ret_text, struct stay_error *err)
{
    enum rewind_stage stage = REWIND_FRESH;
    enum stay_rc rc = prepare(r, err);
    errant_crash_point("prepared");
    if (rc == STAY_OK)
        rc = read_stage(r, &stage, err);
    if (rc == STAY_OK && stage == REWIND_FRESH)
        rc = save_and_undo(r, ret_text, err);
    if (rc == STAY_OK && stage == REWIND_UNDONE)
        note_dropped(r);
    if (rc == STAY_OK && stage == REWIND_UNDONE)
        *ret_text = stay_sprintf("taken up again: %s was undone before", r->mark.bundle);
    if (rc != STAY_OK)
        return rc;
    tell(r, "setting its GTID state back", 0, 0);
    rc = set_gtids(r, err);
    errant_crash_point("set");
    return rc == STAY_OK ? check_gtids(r, err) : rc;
}

enum stay_rc rewind_server(const struct bundle_save *spec, char **ret_text, struct stay_error *err)
{
    struct rewinding r = {.spec = spec,
                          .session = mysql_session_new(),
                          .is_mariadb = spec->target.engine == ENGINE_MARIADB};
    char *text = NULL;
    enum stay_rc rc = work(&r, &text, err);
    bool is_empty = rc == STAY_ENOTFOUND; /* nothing to undo: it was rewound, or never diverged */
    bool is_clean = rc == STAY_OK || is_empty || r.mark.bundle == NULL;
    if (mysql_session_is_open(r.session)) {
        if (is_clean)
            errant_crash_point("checked");
        if (is_clean)
            (void)say(&r, NULL, "DROP TABLE IF EXISTS mainstay.rewind");
        if (!r.is_mariadb)
            (void)say(&r, NULL, "SET GLOBAL super_read_only = 1");
    }
    if (is_empty) {
        rc = STAY_OK;
        text = stay_strdup("it holds nothing that the primary lacks");
    }
    if (rc == STAY_OK)
        *ret_text = text;
    else
        free(text);
    rewind_mark_clear(&r.mark);
    mysql_session_free(r.session);
    return rc;
}
