/* Events of one row each: read back, compared, sent. */
#include <mysql.h>

#include "backup/checked_rows.h"

#include "backup/image_check.h"
#include "backup/row_events.h"
#include "base/io/real_clock.h"

struct checked {
    struct binlog_statement *say;
    const struct bundle *bundle;
    bool is_lenient;
};

static enum stay_rc refuse_obstacle(void *ctx, const char *what, struct stay_error *err)
{
    (void)ctx;
    return stay_error(err, STAY_ECONFLICT, "%s", what);
}

/* The one row of an emitted event, in the form it is applied. */
static enum stay_rc check_row(struct checked *in, const struct binlog_table *table,
                              const uint8_t *events, size_t length, struct stay_error *err)
{
    struct binlog_event event;
    struct binlog_rows rows;
    struct binlog_image before, after;
    const struct binlog_format format = {.is_known = true, .has_checksum = in->say->has_checksum};
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
    const struct bundle_table *known = bundle_table_named(in->bundle, table->schema, table->name);
    if (in->is_lenient && !image_is_comparable(table, known))
        return STAY_OK;
    struct binlog_cell *cells = stay_calloc(table->column_count, sizeof *cells);
    if (!binlog_image_cells(&rows, table, 0, &before, cells))
        rc = stay_error(err, STAY_ECORRUPT, "a row of %s.%s", table->schema, table->name);
    if (rc == STAY_OK)
        rc = image_check(in->say->session, in->say->is_mysql, table, known, cells, &same, err);
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
    struct checked *in = arg;
    enum stay_rc rc = check_row(in, table, events, length, err);
    return rc == STAY_OK ? statement_rows(in->say, table, events, length, err) : rc;
}

enum stay_rc checked_transaction(struct binlog_statement *say, const struct bundle *bundle,
                                 const struct bundle_transaction *t, bool is_inverse,
                                 bool is_lenient, struct stay_error *err)
{
    struct checked in = {.say = say, .bundle = bundle, .is_lenient = is_lenient};
    struct row_log *log = row_log_new();
    struct binlog_walk walk = {.ctx = log, .on_rows = row_log_note, .on_obstacle = refuse_obstacle};
    struct row_events how = {.server_id = say->server_id,
                             .has_checksum = say->has_checksum,
                             .time_s = (uint32_t)(real_clock_wall_us() / STAY_SECOND),
                             .rows_max = 1,
                             .emit = apply_row,
                             .arg = &in};
    enum stay_rc rc = bundle_walk(bundle, t, &walk, err);
    if (rc == STAY_EREFUSED)
        rc = STAY_ECONFLICT;
    if (rc == STAY_OK)
        rc = row_log_emit(log, is_inverse, &how, err);
    walk_clear(&walk);
    row_log_free(log);
    return rc;
}
