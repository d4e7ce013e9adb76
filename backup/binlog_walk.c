/* One switch over what may stand in a transaction. */
#include "backup/binlog_walk.h"

#include <stdarg.h>

#include "backup/binlog_expand.h"

#define FLAG_IGNORABLE 0x80
#define TEXT_SHOWN     60

void walk_begin(struct binlog_walk *walk)
{
    for (size_t i = 0; i < walk->table_count; i++) {
        binlog_table_clear(&walk->tables[i].table);
        free(walk->tables[i].raw);
    }
    walk->table_count = 0;
}

void walk_clear(struct binlog_walk *walk)
{
    walk_begin(walk);
    free(walk->tables);
    walk->tables = NULL;
}

static enum stay_rc obstacle(struct binlog_walk *walk, struct stay_error *err, const char *fmt, ...)
    STAY_PRINTF(3, 4);
static enum stay_rc obstacle(struct binlog_walk *walk, struct stay_error *err, const char *fmt, ...)
{
    char text[240];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return walk->on_obstacle(walk->ctx, text, err);
}

static enum stay_rc take_table(struct binlog_walk *walk, const struct binlog_event *event,
                               struct stay_error *err)
{
    struct walk_table t = {0};
    enum stay_rc rc = binlog_table_parse(event, &t.table, err);
    if (rc != STAY_OK)
        return rc;
    t.raw = stay_malloc(t.table.raw_length);
    memcpy(t.raw, t.table.raw, t.table.raw_length);
    t.table.raw = t.raw;
    for (size_t i = 0; i < walk->table_count; i++)
        if (walk->tables[i].table.id == t.table.id) {
            binlog_table_clear(&walk->tables[i].table);
            free(walk->tables[i].raw);
            walk->tables[i] = t;
            return STAY_OK;
        }
    if (walk->table_count == WALK_TABLES_MAX) {
        binlog_table_clear(&t.table);
        free(t.raw);
        return stay_error(err, STAY_ELIMIT, "a transaction names more than %d tables",
                          WALK_TABLES_MAX);
    }
    walk->tables = stay_realloc(walk->tables, walk->table_count + 1, sizeof *walk->tables);
    walk->tables[walk->table_count++] = t;
    return STAY_OK;
}

static enum stay_rc take_rows(struct binlog_walk *walk, const struct binlog_event *event,
                              struct stay_error *err)
{
    struct binlog_rows rows;
    enum stay_rc rc = binlog_rows_parse(event, &rows, err);
    if (rc != STAY_OK)
        return rc;
    for (size_t i = 0; i < walk->table_count; i++) {
        const struct binlog_table *table = &walk->tables[i].table;
        if (table->id != rows.table_id)
            continue;
        rc = walk->on_rows(walk->ctx, table, &rows, err);
        if (rc == STAY_OK && !rows.is_full)
            rc = obstacle(walk, err, "rows of %.60s.%.60s without all columns (binlog_row_image)",
                          table->schema, table->name);
        return rc;
    }
    return stay_error(err, STAY_ECORRUPT, "a rows event names a table that was not described");
}

/* "CREATE TABLE ..", one line. */
static void statement_text(const struct binlog_query *q, char text[TEXT_SHOWN + 4])
{
    size_t n = q->text_length < TEXT_SHOWN ? q->text_length : TEXT_SHOWN;
    for (size_t i = 0; i < n; i++)
        text[i] = q->text[i] >= ' ' && q->text[i] < 127 ? q->text[i] : ' ';
    memcpy(text + n, q->text_length > n ? ".." : "", q->text_length > n ? 3 : 1);
}

static enum stay_rc take_query(struct binlog_walk *walk, const struct binlog_event *event,
                               struct stay_error *err)
{
    struct binlog_query q;
    char text[TEXT_SHOWN + 4];
    enum stay_rc rc = binlog_query_parse(event, &q, err);
    if (rc != STAY_OK || binlog_query_is(&q, "BEGIN") || binlog_query_is(&q, "COMMIT"))
        return rc;
    if (q.text_length > 9 && strncasecmp(q.text, "SAVEPOINT", 9) == 0)
        return STAY_OK; /* what was rolled back to it stands in the log in order */
    if (q.text_length > 3 && strncasecmp(q.text, "XA ", 3) == 0)
        return obstacle(walk, err, "a prepared XA transaction");
    statement_text(&q, text);
    return obstacle(walk, err, "a statement, not rows: %s", text);
}

static enum stay_rc take_expanded(struct binlog_walk *walk, const struct binlog_event *event,
                                  struct stay_error *err)
{
    uint8_t *bytes = NULL;
    size_t length = 0;
    struct binlog_event inner;
    enum stay_rc rc = binlog_event_expand(event, BINLOG_EXPANDED_MAX, &bytes, &length, err);
    if (rc == STAY_OK)
        rc = binlog_inner_parse(bytes, length, &inner, err);
    if (rc == STAY_OK)
        rc = walk_event(walk, &inner, err);
    free(bytes);
    return rc;
}

static enum stay_rc take_payload(struct binlog_walk *walk, const struct binlog_event *event,
                                 struct stay_error *err)
{
    uint8_t *bytes = NULL;
    size_t length = 0;
    enum stay_rc rc = binlog_payload_expand(event, BINLOG_EXPANDED_MAX, &bytes, &length, err);
    for (size_t at = 0; rc == STAY_OK && at < length;) {
        struct binlog_event inner;
        rc = binlog_inner_parse(bytes + at, length - at, &inner, err);
        if (rc == STAY_OK && inner.type == BINLOG_PAYLOAD)
            rc = stay_error(err, STAY_ECORRUPT, "a compressed transaction inside another");
        if (rc == STAY_OK)
            rc = walk_event(walk, &inner, err);
        at += rc == STAY_OK ? inner.length : 0;
    }
    free(bytes);
    return rc;
}

static void take_text(struct binlog_walk *walk, const struct binlog_event *event)
{
    size_t skip = event->type == BINLOG_ROWS_QUERY ? 1 : 0; /* its length, cut at 255 */
    if (walk->on_text != NULL && event->body_length >= skip)
        walk->on_text(walk->ctx, (const char *)event->body + skip, event->body_length - skip);
}

enum stay_rc walk_event(struct binlog_walk *walk, const struct binlog_event *event,
                        struct stay_error *err)
{
    char name[24];
    if (binlog_rows_kind(event->type) != ROWS_NONE)
        return take_rows(walk, event, err);
    if (binlog_is_compressed(event->type))
        return take_expanded(walk, event, err);
    switch (event->type) {
    case BINLOG_TABLE_MAP:
        return take_table(walk, event, err);
    case BINLOG_QUERY:
        return take_query(walk, event, err);
    case BINLOG_PAYLOAD:
        return take_payload(walk, event, err);
    case BINLOG_ROWS_QUERY:
    case BINLOG_ANNOTATE:
        take_text(walk, event);
        return STAY_OK;
    case BINLOG_MYSQL_GTID:
    case BINLOG_TAGGED_GTID:
    case BINLOG_MARIADB_GTID:
    case BINLOG_XID:
        return STAY_OK;
    case BINLOG_XA_PREPARE:
        return obstacle(walk, err, "a prepared XA transaction");
    default: /* a byte of a log, not an enum */
        break;
    }
    if (event->flags & FLAG_IGNORABLE)
        return STAY_OK;
    return obstacle(walk, err, "an event of %s", binlog_type_text(event->type, name));
}

enum stay_rc walk_bytes(struct binlog_walk *walk, const struct binlog_format *format,
                        const uint8_t *bytes, size_t length, struct stay_error *err)
{
    for (size_t at = 0; at < length;) {
        struct binlog_event event;
        enum stay_rc rc = binlog_event_parse(bytes + at, length - at, format, &event, err);
        if (rc == STAY_OK)
            rc = walk_event(walk, &event, err);
        if (rc != STAY_OK)
            return rc;
        at += event.length;
    }
    return STAY_OK;
}
