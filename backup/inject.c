/* Row by row: looked at, then applied by BINLOG, inside one transaction. */
#include <mysql.h>

#include "backup/inject.h"

#include "backup/binlog_statement.h"
#include "backup/image_check.h"
#include "backup/row_events.h"
#include "base/io/real_clock.h"

#define OPEN_US (10 * STAY_SECOND)

struct injecting {
    const struct inject *what;
    struct mysql_session *session;
    struct binlog_statement say;
};

static enum stay_rc refuse_obstacle(void *ctx, const char *what, struct stay_error *err)
{
    (void)ctx;
    return stay_error(err, STAY_ECONFLICT, "%s", what);
}

/* The one row of an emitted event, in the form it is applied. */
static enum stay_rc check_row(struct injecting *in, const struct binlog_table *table,
                              const uint8_t *events, size_t length, struct stay_error *err)
{
    struct binlog_event event;
    struct binlog_rows rows;
    struct binlog_image before, after;
    const struct binlog_format format = {.is_known = true, .has_checksum = in->say.has_checksum};
    bool more = false, same = false;
    enum stay_rc rc = binlog_event_parse(events, length, &format, &event, err);
    if (rc == STAY_OK)
        rc = binlog_event_parse(events + event.length, length - event.length, &format, &event, err);
    if (rc == STAY_OK)
        rc = binlog_rows_parse(&event, &rows, err);
    if (rc == STAY_OK)
        rc = binlog_rows_next(&rows, table, &more, &before, &after, err);
    if (rc != STAY_OK || !more || before.bytes == NULL) /* a new row: the key tells */
        return rc;
    struct binlog_cell *cells = stay_calloc(table->column_count, sizeof *cells);
    if (!binlog_image_cells(&rows, table, 0, &before, cells))
        rc = stay_error(err, STAY_ECORRUPT, "a row of %s.%s", table->schema, table->name);
    if (rc == STAY_OK)
        rc = image_check(in->session, in->say.is_mysql, table,
                         bundle_table_named(in->what->bundle, table->schema, table->name), cells,
                         &same, err);
    free(cells);
    if (rc == STAY_EREFUSED || rc == STAY_EFAILED)
        return stay_error_prefix(err, STAY_ECONFLICT, "%s.%s", table->schema, table->name);
    if (rc == STAY_OK && !same)
        return stay_error(err, STAY_ECONFLICT, "%s.%s: a row is no longer as it was before",
                          table->schema, table->name);
    return rc;
}

static enum stay_rc apply_row(void *arg, const struct binlog_table *table, const uint8_t *events,
                              size_t length, struct stay_error *err)
{
    struct injecting *in = arg;
    enum stay_rc rc = check_row(in, table, events, length, err);
    return rc == STAY_OK ? statement_rows(&in->say, table, events, length, err) : rc;
}

static enum stay_rc apply(struct injecting *in, const struct bundle_transaction *t,
                          struct stay_error *err)
{
    struct row_log *log = row_log_new();
    struct binlog_walk walk = {.ctx = log, .on_rows = row_log_note, .on_obstacle = refuse_obstacle};
    struct row_events how = {.server_id = in->say.server_id,
                             .has_checksum = in->say.has_checksum,
                             .time_s = (uint32_t)(real_clock_wall_us() / STAY_SECOND),
                             .rows_max = 1,
                             .emit = apply_row,
                             .arg = in};
    enum stay_rc rc = bundle_walk(in->what->bundle, t, &walk, err);
    if (rc == STAY_EREFUSED)
        rc = STAY_ECONFLICT;
    if (rc == STAY_OK)
        rc = row_log_emit(log, false, &how, err);
    walk_clear(&walk);
    row_log_free(log);
    return rc;
}

/* All of a trial stand in one transaction, for the later ones may build on the earlier ones. */
static enum stay_rc try_one(struct injecting *in, const struct bundle_transaction *t,
                            struct stay_error *err)
{
    enum stay_rc rc = statement_say(&in->say, "SAVEPOINT before_it", err);
    if (rc != STAY_OK)
        return rc;
    rc = apply(in, t, err);
    if (rc != STAY_ECONFLICT)
        return rc;
    struct stay_error e = {0};
    enum stay_rc back = statement_say(&in->say, "ROLLBACK TO SAVEPOINT before_it", &e);
    return back == STAY_OK ? rc : stay_error(err, back, "%s", e.text);
}

/* One transaction, whole or not at all. */
static enum stay_rc inject_one(struct injecting *in, const struct bundle_transaction *t,
                               struct stay_error *err)
{
    if (in->what->is_trial)
        return try_one(in, t, err);
    enum stay_rc rc = statement_say(&in->say, "START TRANSACTION", err);
    if (rc == STAY_OK)
        rc = apply(in, t, err);
    if (rc == STAY_OK) {
        rc = statement_say(&in->say, "COMMIT", err);
        bool is_lost = rc == STAY_ETIMEDOUT || rc == STAY_EUNKNOWN;
        return is_lost ? stay_error_prefix(err, STAY_EUNKNOWN, "%s", t->gtid) : rc;
    }
    struct stay_error ignored;
    if (mysql_session_is_open(in->session) &&
        statement_say(&in->say, "ROLLBACK", &ignored) != STAY_OK)
        mysql_session_close(in->session); /* which rolls back too */
    return rc;
}

static enum stay_rc prepare(struct injecting *in, struct stay_error *err)
{
    struct reach reach = {0};
    STAY_AUTO(stay_free_charp) char *shut = NULL;
    const struct bundle *b = in->what->bundle;
    mysql_session_set_packet_max(in->session, STATEMENT_PACKET_MAX);
    enum stay_rc rc = mysql_session_open(in->session, &in->what->target, &in->what->operate,
                                         real_clock_mono_us() + OPEN_US, &reach, err);
    if (rc == STAY_OK)
        rc = statement_begin_session(&in->say, in->session, err);
    if (rc == STAY_OK)
        rc = mysql_session_text(in->session, "SELECT @@global.read_only",
                                real_clock_mono_us() + OPEN_US, &shut, err);
    if (rc == STAY_OK && (shut == NULL || strcmp(shut, "0") != 0))
        rc = stay_error(err, STAY_EREFUSED, "the primary takes no writes now");
    if (rc == STAY_OK)
        rc = statement_format(&in->say, b, &b->transactions[0], err);
    return rc;
}

static void note(struct inject_outcome *out, const struct bundle_transaction *t, const char *why)
{
    out->refused++;
    if (out->text[0] == '\0')
        (void)snprintf(out->text, sizeof out->text, "%.60s: %.170s", t->gtid, why);
}

static enum stay_rc inject_all(struct injecting *in, struct inject_outcome *out,
                               struct stay_error *err)
{
    const struct bundle *b = in->what->bundle;
    for (size_t i = 0; i < b->transaction_count; i++) {
        const struct bundle_transaction *t = &b->transactions[i];
        struct stay_error e = {0};
        if (in->what->only != NULL && strcmp(in->what->only, t->gtid) != 0)
            continue;
        STAY_AUTO(stay_free_charp) char *before = bundle_decision(b, t->gtid);
        if (before != NULL && strcmp(before, "injected") == 0) {
            out->passed_over++;
            continue;
        }
        enum stay_rc rc = inject_one(in, t, &e);
        const char *word = rc == STAY_OK ? "injected" : rc == STAY_ECONFLICT ? "conflict" : NULL;
        out->injected += rc == STAY_OK;
        if (rc == STAY_ECONFLICT)
            note(out, t, e.text);
        if (word != NULL && !in->what->is_trial)
            rc = bundle_decide(b, t->gtid, word, NULL, in->what->actor,
                               rc == STAY_OK ? in->what->reason : e.text, &e);
        else if (word != NULL)
            rc = STAY_OK;
        if (rc != STAY_OK)
            return stay_error_prefix(err, rc, "%s: %s", t->gtid, e.text);
    }
    return STAY_OK;
}

enum stay_rc inject_bundle(const struct inject *what, struct inject_outcome *ret_outcome,
                           struct stay_error *err)
{
    struct injecting in = {.what = what, .session = mysql_session_new()};
    enum stay_rc rc = STAY_OK;
    *ret_outcome = (struct inject_outcome){0};
    if (what->bundle->transaction_count == 0)
        rc = stay_error(err, STAY_ENOTFOUND, "the bundle holds no transaction");
    if (rc == STAY_OK && what->only != NULL &&
        bundle_transaction_named(what->bundle, what->only) == what->bundle->transaction_count)
        rc = stay_error(err, STAY_ENOTFOUND, "the bundle holds no transaction %.80s", what->only);
    if (rc == STAY_OK)
        rc = prepare(&in, err);
    if (rc == STAY_OK && what->is_trial)
        rc = statement_say(&in.say, "START TRANSACTION", err);
    if (rc == STAY_OK)
        rc = inject_all(&in, ret_outcome, err);
    mysql_session_free(in.session); /* of a trial: rolled back with it */
    return rc;
}
