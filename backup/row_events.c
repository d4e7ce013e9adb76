/* WRITE becomes DELETE and the other way round, UPDATE changes its images' places; events and the
 * rows in them are taken from the end. */
#include "backup/row_events.h"

#define FLAG_STATEMENT_ENDS  1
#define FLAG_NO_FOREIGN_KEYS 2
#define FLAG_COMPLETE_ROWS   8

struct noted {
    uint8_t *table; /* its event */
    size_t table_length;
    uint8_t *rows; /* bytes of the rows alone */
    size_t rows_length;
    uint64_t table_id;
    enum rows_kind kind;
    bool is_2;
    uint16_t flags;
    uint32_t column_count;
};

struct row_log {
    struct noted *v;
    size_t count, room;
};

struct row_log *row_log_new(void)
{
    return stay_calloc(1, sizeof(struct row_log));
}

void row_log_free(struct row_log *log)
{
    if (log == NULL)
        return;
    for (size_t i = 0; i < log->count; i++) {
        free(log->v[i].table);
        free(log->v[i].rows);
    }
    free(log->v);
    free(log);
}

static uint8_t *copy_of(const uint8_t *bytes, size_t length)
{
    uint8_t *copy = stay_malloc(length + 1);
    memcpy(copy, bytes, length);
    return copy;
}

enum stay_rc row_log_note(void *ctx, const struct binlog_table *table, struct binlog_rows *rows,
                          struct stay_error *err)
{
    struct row_log *log = ctx;
    if (!rows->is_full)
        return stay_error(err, STAY_EREFUSED, "rows of %s.%s hold not all columns", table->schema,
                          table->name);
    if (log->count == log->room) {
        log->room = log->room * 2 + 16;
        log->v = stay_realloc(log->v, log->room, sizeof *log->v);
    }
    log->v[log->count++] = (struct noted){.table = copy_of(table->raw, table->raw_length),
                                          .table_length = table->raw_length,
                                          .rows = copy_of(rows->rest.at, rows->rest.left),
                                          .rows_length = rows->rest.left,
                                          .table_id = table->id,
                                          .kind = rows->kind,
                                          .is_2 = rows->is_2,
                                          .flags = rows->flags,
                                          .column_count = rows->column_count};
    return STAY_OK;
}

/* --- writing ------------------------------------------------------------------------------------
 */

struct bytes {
    uint8_t *v;
    size_t length, room;
};

static void add(struct bytes *b, const void *from, size_t length)
{
    if (b->length + length > b->room) {
        b->room = (b->length + length) * 2 + 256;
        b->v = stay_realloc(b->v, b->room, 1);
    }
    memcpy(b->v + b->length, from, length);
    b->length += length;
}

static void add_uint(struct bytes *b, uint64_t value, unsigned bytes)
{
    uint8_t raw[8];
    for (unsigned i = 0; i < bytes; i++)
        raw[i] = (uint8_t)(value >> (8 * i));
    add(b, raw, bytes);
}

static void add_lenenc(struct bytes *b, uint64_t value)
{
    if (value < 251) {
        add_uint(b, value, 1);
    } else {
        add_uint(b, 252, 1);
        add_uint(b, value, 2); /* columns: at most 4096 */
    }
}

/* An event from `at` on: its header's place is there already. */
static void seal(struct bytes *b, size_t at, uint8_t type, const struct row_events *how)
{
    if (how->has_checksum)
        add_uint(b, 0, BINLOG_CHECKSUM);
    uint32_t length = (uint32_t)(b->length - at);
    struct bytes header = {0};
    add_uint(&header, how->time_s, 4);
    add_uint(&header, type, 1);
    add_uint(&header, how->server_id, 4);
    add_uint(&header, length, 4);
    add_uint(&header, 0, 4);
    add_uint(&header, 0, 2);
    memcpy(b->v + at, header.v, BINLOG_HEADER);
    free(header.v);
    if (!how->has_checksum)
        return;
    uint32_t sum = binlog_crc32(b->v + at, length - BINLOG_CHECKSUM);
    for (unsigned i = 0; i < BINLOG_CHECKSUM; i++)
        b->v[at + length - BINLOG_CHECKSUM + i] = (uint8_t)(sum >> (8 * i));
}

static enum rows_kind turned(enum rows_kind kind, bool is_inverse)
{
    if (!is_inverse || kind == ROWS_UPDATE)
        return kind;
    return kind == ROWS_WRITE ? ROWS_DELETE : ROWS_WRITE;
}

static uint8_t type_of(enum rows_kind kind, bool is_2)
{
    if (kind == ROWS_WRITE)
        return is_2 ? BINLOG_WRITE_ROWS : BINLOG_WRITE_ROWS_1;
    if (kind == ROWS_UPDATE)
        return is_2 ? BINLOG_UPDATE_ROWS : BINLOG_UPDATE_ROWS_1;
    return is_2 ? BINLOG_DELETE_ROWS : BINLOG_DELETE_ROWS_1;
}

static void add_all_columns(struct bytes *b, uint32_t count)
{
    for (uint32_t i = 0; i < (count + 7) / 8; i++) {
        uint32_t left = count - i * 8;
        add_uint(b, left >= 8 ? 0xff : (1u << left) - 1, 1);
    }
}

/* Begins both events; rows are added after it. */
static size_t begin_events(struct bytes *b, const struct noted *n, bool is_inverse,
                           const struct row_events *how)
{
    enum rows_kind kind = turned(n->kind, is_inverse);
    unsigned flags = n->flags & ~0xfu; /* the four below */
    flags |= FLAG_STATEMENT_ENDS | FLAG_COMPLETE_ROWS |
             (is_inverse ? FLAG_NO_FOREIGN_KEYS : n->flags & FLAG_NO_FOREIGN_KEYS);
    b->length = 0;
    add(b, n->table, n->table_length);
    seal(b, 0, BINLOG_TABLE_MAP, how);
    size_t at = b->length;
    add(b, (const uint8_t[BINLOG_HEADER]){0}, BINLOG_HEADER);
    add_uint(b, n->table_id, 6);
    add_uint(b, flags, 2);
    if (n->is_2)
        add_uint(b, 2, 2);
    add_lenenc(b, n->column_count);
    add_all_columns(b, n->column_count);
    if (kind == ROWS_UPDATE)
        add_all_columns(b, n->column_count);
    return at;
}

struct row {
    struct binlog_image before, after;
};

struct parsed {
    struct binlog_table table;
    struct row *rows;
    size_t count;
};

static enum stay_rc parse_noted(const struct noted *n, struct parsed *p, struct stay_error *err)
{
    struct binlog_event event;
    struct binlog_rows rows = {.kind = n->kind,
                               .is_2 = n->is_2,
                               .table_id = n->table_id,
                               .column_count = n->column_count,
                               .rest = byte_cursor_of(n->rows, n->rows_length)};
    struct bytes all = {0};
    size_t room = 0;
    bool more = true;
    struct bytes table = {0};
    add(&table, n->table, n->table_length); /* its header may count a checksum that is not there */
    for (unsigned i = 0; i < 4; i++)
        table.v[9 + i] = (uint8_t)(n->table_length >> (8 * i));
    add_all_columns(&all, n->column_count);
    rows.columns[0] = rows.columns[1] = all.v;
    enum stay_rc rc = binlog_inner_parse(table.v, table.length, &event, err);
    if (rc == STAY_OK)
        rc = binlog_table_parse(&event, &p->table, err);
    while (rc == STAY_OK && more) {
        if (p->count == room) {
            room = room * 2 + 16;
            p->rows = stay_realloc(p->rows, room, sizeof *p->rows);
        }
        rc = binlog_rows_next(&rows, &p->table, &more, &p->rows[p->count].before,
                              &p->rows[p->count].after, err);
        p->count += rc == STAY_OK && more;
    }
    free(all.v);
    free(table.v);
    p->table.raw = NULL;
    return rc;
}

static void add_row(struct bytes *b, const struct row *row, bool is_inverse)
{
    const struct binlog_image *first = is_inverse ? &row->after : &row->before;
    const struct binlog_image *second = is_inverse ? &row->before : &row->after;
    if (first->bytes != NULL)
        add(b, first->bytes, first->length);
    if (second->bytes != NULL)
        add(b, second->bytes, second->length);
}

static enum stay_rc emit_noted(const struct noted *n, bool is_inverse, const struct row_events *how,
                               struct bytes *b, struct stay_error *err)
{
    struct parsed p = {0};
    enum stay_rc rc = parse_noted(n, &p, err);
    uint8_t type = type_of(turned(n->kind, is_inverse), n->is_2);
    for (size_t i = 0; rc == STAY_OK && i < p.count;) {
        size_t at = begin_events(b, n, is_inverse, how), begun = b->length;
        size_t last = how->rows_max == 0 || p.count - i < how->rows_max ? p.count
                                                                          : i + how->rows_max;
        while (i < last && b->length - begun < ROW_EVENTS_PIECE) {
            add_row(b, &p.rows[is_inverse ? p.count - 1 - i : i], is_inverse);
            i++;
        }
        seal(b, at, type, how);
        rc = how->emit(how->arg, &p.table, b->v, b->length, err);
    }
    binlog_table_clear(&p.table);
    free(p.rows);
    return rc;
}

enum stay_rc row_log_emit(const struct row_log *log, bool is_inverse, const struct row_events *how,
                          struct stay_error *err)
{
    struct bytes b = {0};
    enum stay_rc rc = STAY_OK;
    for (size_t i = 0; rc == STAY_OK && i < log->count; i++)
        rc = emit_noted(&log->v[is_inverse ? log->count - 1 - i : i], is_inverse, how, &b, err);
    free(b.v);
    return rc;
}
