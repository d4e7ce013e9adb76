/* Happy path: save -> one transaction undoes all, with the mark -> GTID state back -> mark away. */
#include <mysql.h>

#include "backup/rewind.h"

#include <stdarg.h>

#include "backup/checked_rows.h"
#include "base/io/real_clock.h"

#define OPEN_US (10 * STAY_SECOND)
#define ASK_US  (30 * STAY_SECOND)

struct rewinding {
    const struct bundle_save *spec;
    struct mysql_session *session;
    struct binlog_statement say;
    bool is_mariadb;
    char *mark_bundle, *mark_common; /* NULL: no mark */
};

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

static void keep_mark(void *arg, const struct mysql_row *row)
{
    struct rewinding *r = arg;
    if (row->columns < 2 || row->values[0] == NULL || row->values[1] == NULL ||
        r->mark_bundle != NULL)
        return;
    r->mark_bundle = stay_strdup(row->values[0]);
    r->mark_common = stay_strdup(row->values[1]);
}

/* The session's own writes are not logged; MySQL's super_read_only would forbid them. */
static enum stay_rc prepare(struct rewinding *r, struct stay_error *err)
{
    STAY_AUTO(stay_free_charp) char *shut = NULL;
    struct reach reach = {0};
    mysql_session_set_packet_max(r->session, STATEMENT_PACKET_MAX);
    enum stay_rc rc = mysql_session_open(r->session, &r->spec->target, &r->spec->operate,
                                         real_clock_mono_us() + OPEN_US, &reach, err);
    if (rc == STAY_OK)
        rc = statement_begin_session(&r->say, r->session, err);
    if (rc == STAY_OK)
        rc = mysql_session_text(r->session, "SELECT @@global.read_only",
                                real_clock_mono_us() + ASK_US, &shut, err);
    if (rc != STAY_OK)
        return rc;
    if (shut == NULL || strcmp(shut, "1") != 0)
        return stay_error(err, STAY_EREFUSED, "%s takes writes: it is fenced first", r->spec->node);
    STAY_AUTO(stay_free_charp) char *locked = NULL;
    rc = mysql_session_text(r->session, "SELECT GET_LOCK('mainstay.rewind', 30)",
                            real_clock_mono_us() + 60 * STAY_SECOND, &locked, err);
    if (rc == STAY_OK && (locked == NULL || strcmp(locked, "1") != 0))
        rc = stay_error(err, STAY_EBUSY, "another rewind of %s is under way", r->spec->node);
    if (rc == STAY_OK)
        rc = say(r, err, "SET SESSION sql_log_bin = 0");
    if (rc == STAY_OK && !r->is_mariadb)
        rc = say(r, err, "SET GLOBAL super_read_only = 0"); /* read_only stays */
    return rc;
}

static enum stay_rc read_mark(struct rewinding *r, struct stay_error *err)
{
    enum stay_rc rc =
        say(r, err,
            "CREATE TABLE IF NOT EXISTS mainstay.rewind (id TINYINT UNSIGNED NOT NULL PRIMARY "
            "KEY, bundle VARCHAR(255) NOT NULL, common LONGTEXT NOT NULL) ENGINE=InnoDB");
    if (rc == STAY_OK)
        rc = mysql_session_run(r->session, "SELECT bundle, common FROM mainstay.rewind",
                               real_clock_mono_us() + ASK_US, keep_mark, r, err);
    return rc;
}

/* Each row is compared with what its transaction left. Where the server executed transactions of
 * the primary after those (an errant replica), one that these changed since is a conflict: reseed.
 */
static enum stay_rc undo_all(struct rewinding *r, const struct bundle *b, struct stay_error *err)
{
    STAY_AUTO(stay_free_charp) char *common = gtid_set_format(&b->common);
    STAY_AUTO(stay_free_charp) char *quoted = mysql_quote(common);
    STAY_AUTO(stay_free_charp) char *name = mysql_quote(b->name);
    enum stay_rc rc = statement_format(&r->say, b, &b->transactions[b->transaction_count - 1], err);
    if (rc == STAY_OK)
        rc = say(r, err, "START TRANSACTION");
    for (size_t i = b->transaction_count; rc == STAY_OK && i > 0; i--) {
        const struct bundle_transaction *t = &b->transactions[i - 1];
        rc = checked_transaction(&r->say, b, t, true, b->is_suffix, err);
        if (rc != STAY_OK)
            rc = stay_error_prefix(err, rc, "undo %s", t->gtid);
        if (r->spec->progress != NULL && (b->transaction_count - i) % 1000 == 999)
            r->spec->progress(r->spec->progress_arg, 0, b->transaction_count - i);
    }
    if (rc == STAY_OK)
        rc = say(r, err, "INSERT INTO mainstay.rewind VALUES (1, %s, %s)", name, quoted);
    if (rc == STAY_OK)
        rc = say(r, err, "COMMIT");
    if (rc != STAY_OK) {
        if (mysql_session_is_open(r->session))
            (void)say(r, NULL, "ROLLBACK");
        return rc;
    }
    r->mark_bundle = stay_strdup(b->name);
    r->mark_common = stay_strdup(common);
    return STAY_OK;
}

/* MariaDB, 10.11: RESET MASTER empties the binary log and its state; gtid_binlog_state then says
 * what the log is taken to have held, gtid_slave_pos where replication goes on. MySQL, 9.7: RESET
 * BINARY LOGS AND GTIDS (RESET MASTER before 8.2) empties gtid_executed, gtid_purged fills it. */
static enum stay_rc set_gtids(struct rewinding *r, struct stay_error *err)
{
    STAY_AUTO(gtid_set_drop) struct gtid_set common = {0};
    enum gtid_flavor flavor = r->is_mariadb ? GTID_MARIADB : GTID_MYSQL;
    enum stay_rc rc = gtid_set_parse(flavor, r->mark_common, &common, err);
    if (rc != STAY_OK)
        return rc;
    STAY_AUTO(stay_free_charp) char *text = gtid_set_format(&common);
    STAY_AUTO(stay_free_charp) char *quoted = mysql_quote(text);
    if (!r->is_mariadb) {
        bool is_new = mysql_session_version(r->session) >= 80200;
        rc = say(r, err, "%s", is_new ? "RESET BINARY LOGS AND GTIDS" : "RESET MASTER");
        return rc == STAY_OK ? say(r, err, "SET GLOBAL gtid_purged = %s", quoted) : rc;
    }
    STAY_AUTO(stay_free_charp) char *position = gtid_set_format_mariadb_pos(&common);
    STAY_AUTO(stay_free_charp) char *slave_pos = mysql_quote(position);
    rc = say(r, err, "RESET MASTER");
    if (rc == STAY_OK)
        rc = say(r, err, "SET GLOBAL gtid_binlog_state = %s", quoted);
    return rc == STAY_OK ? say(r, err, "SET GLOBAL gtid_slave_pos = %s", slave_pos) : rc;
}

static enum stay_rc check_gtids(struct rewinding *r, struct stay_error *err)
{
    STAY_AUTO(gtid_set_drop) struct gtid_set executed = {0};
    enum stay_rc rc = bundle_read_executed(r->session, r->spec->target.engine, &executed, err);
    if (rc == STAY_OK && !gtid_set_contains(r->spec->known, &executed))
        rc = stay_error(err, STAY_EFAILED, "its GTID state is not within the primary's after all");
    return rc;
}

static enum stay_rc save_and_undo(struct rewinding *r, char **ret_text, struct stay_error *err)
{
    STAY_AUTO(stay_free_charp) char *path = NULL;
    struct bundle *b = NULL;
    char text[240];
    enum stay_rc rc = bundle_save(r->spec, &path, err);
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
        rc = undo_all(r, b, err);
    if (rc == STAY_OK) /* said by the human who started the plan; the history has the name */
        rc = bundle_decide(b, "*", "dropped", NULL, "errant reset", NULL, err);
    if (rc == STAY_OK)
        *ret_text =
            stay_sprintf("%zu transactions undone, kept in %s", b->transaction_count, b->name);
    bundle_free(b);
    return rc;
}

static enum stay_rc work(struct rewinding *r, char **ret_text, struct stay_error *err)
{
    enum stay_rc rc = prepare(r, err);
    if (rc == STAY_OK)
        rc = read_mark(r, err);
    if (rc == STAY_OK && r->mark_bundle == NULL)
        rc = save_and_undo(r, ret_text, err);
    else if (rc == STAY_OK)
        *ret_text = stay_sprintf("taken up again: %s was undone before", r->mark_bundle);
    if (rc == STAY_OK)
        rc = set_gtids(r, err);
    if (rc == STAY_OK)
        rc = check_gtids(r, err);
    return rc;
}

enum stay_rc rewind_server(const struct bundle_save *spec, char **ret_text, struct stay_error *err)
{
    struct rewinding r = {.spec = spec,
                          .session = mysql_session_new(),
                          .is_mariadb = spec->target.engine == ENGINE_MARIADB};
    char *text = NULL;
    enum stay_rc rc = work(&r, &text, err);
    bool is_empty = rc == STAY_ENOTFOUND; /* nothing to undo: it was rewound, or never diverged */
    bool is_clean = rc == STAY_OK || is_empty || r.mark_bundle == NULL;
    if (mysql_session_is_open(r.session)) {
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
    free(r.mark_bundle);
    free(r.mark_common);
    mysql_session_free(r.session);
    return rc;
}
