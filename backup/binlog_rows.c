/* Rows events of both forms. */
#include "backup/binlog_rows.h"

enum rows_kind binlog_rows_kind(uint8_t type)
{
    if (type == BINLOG_WRITE_ROWS || type == BINLOG_WRITE_ROWS_1)
        return ROWS_WRITE;
    if (type == BINLOG_UPDATE_ROWS || type == BINLOG_UPDATE_ROWS_1)
        return ROWS_UPDATE;
    if (type == BINLOG_DELETE_ROWS || type == BINLOG_DELETE_ROWS_1)
        return ROWS_DELETE;
    return ROWS_NONE;
}

static bool has(const uint8_t *bits, uint32_t i)
{
    return bits[i / 8] >> (i % 8) & 1;
}

static bool are_all(const uint8_t *bits, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!has(bits, i))
            return false;
    return true;
}

enum stay_rc binlog_rows_parse(const struct binlog_event *event, struct binlog_rows *ret_rows,
                               struct stay_error *err)
{
    struct byte_cursor c = byte_cursor_of(event->body, event->body_length);
    struct binlog_rows r = {.kind = binlog_rows_kind(event->type)};
    r.is_2 = event->type >= BINLOG_WRITE_ROWS;
    r.table_id = cursor_uint(&c, 6);
    r.flags = (uint16_t)cursor_uint(&c, 2);
    if (r.is_2) {
        uint64_t extra = cursor_uint(&c, 2);
        (void)cursor_take(&c, extra < 2 ? SIZE_MAX : (size_t)extra - 2);
    }
    uint64_t count = cursor_lenenc(&c);
    if (r.kind == ROWS_NONE || c.is_short || count == 0 || count > BINLOG_COLUMNS_MAX)
        return stay_error(err, STAY_ECORRUPT, "a rows event is not understood");
    r.column_count = (uint32_t)count;
    size_t bytes = (r.column_count + 7) / 8;
    r.columns[0] = r.columns[1] = cursor_take(&c, bytes);
    if (r.kind == ROWS_UPDATE)
        r.columns[1] = cursor_take(&c, bytes);
    if (c.is_short)
        return stay_error(err, STAY_ECORRUPT, "a rows event is cut short");
    r.is_full = are_all(r.columns[0], r.column_count) && are_all(r.columns[1], r.column_count);
    r.rest = c;
    *ret_rows = r;
    return STAY_OK;
}

/* Walks one image from the cursor; cells may be NULL. */
static bool walk(const struct binlog_rows *rows, const struct binlog_table *table, unsigned which,
                 struct byte_cursor *c, struct binlog_cell *cells)
{
    const uint8_t *present = rows->columns[which];
    uint32_t bits = 0, bit = 0;
    for (uint32_t i = 0; i < rows->column_count; i++)
        bits += has(present, i);
    const uint8_t *nulls = cursor_take(c, (bits + 7) / 8);
    if (nulls == NULL && bits > 0)
        return false;
    for (uint32_t i = 0; i < rows->column_count; i++) {
        struct binlog_cell cell = {.is_present = has(present, i)};
        if (cell.is_present)
            cell.is_null = has(nulls, bit++);
        if (cell.is_present && !cell.is_null &&
            !binlog_value_take(&table->columns[i], c, &cell.value, &cell.length))
            return false;
        if (cells != NULL)
            cells[i] = cell;
    }
    return true;
}

static bool take_image(struct binlog_rows *rows, const struct binlog_table *table, unsigned which,
                       struct binlog_image *ret)
{
    const uint8_t *begin = rows->rest.at;
    if (!walk(rows, table, which, &rows->rest, NULL))
        return false;
    *ret = (struct binlog_image){begin, (size_t)(rows->rest.at - begin)};
    return ret->length > 0;
}

enum stay_rc binlog_rows_next(struct binlog_rows *rows, const struct binlog_table *table,
                              bool *ret_more, struct binlog_image *ret_before,
                              struct binlog_image *ret_after, struct stay_error *err)
{
    struct binlog_image none = {0}, before = none, after = none;
    *ret_more = rows->rest.left > 0;
    if (!*ret_more)
        return STAY_OK;
    if (table->column_count != rows->column_count || table->id != rows->table_id)
        return stay_error(err, STAY_ECORRUPT, "rows of %s.%s do not fit its table map",
                          table->schema, table->name);
    bool ok = true;
    if (rows->kind != ROWS_WRITE)
        ok = take_image(rows, table, 0, &before);
    if (ok && rows->kind != ROWS_DELETE)
        ok = take_image(rows, table, 1, &after);
    if (!ok)
        return stay_error(err, STAY_ECORRUPT,
                          "a row of %s.%s is cut short, or has a column of a type not known",
                          table->schema, table->name);
    *ret_before = before;
    *ret_after = after;
    return STAY_OK;
}

bool binlog_image_cells(const struct binlog_rows *rows, const struct binlog_table *table,
                        unsigned which, const struct binlog_image *image, struct binlog_cell *cells)
{
    struct byte_cursor c = byte_cursor_of(image->bytes, image->length);
    return table->column_count == rows->column_count && walk(rows, table, which, &c, cells);
}
