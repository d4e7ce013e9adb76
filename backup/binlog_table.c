/* TABLE_MAP: columns, their meta data, and the optional fields after them. */
#include "backup/binlog_table.h"

enum optional_field {
    FIELD_SIGNEDNESS = 1,
    FIELD_DEFAULT_CHARSET = 2,
    FIELD_COLUMN_CHARSET = 3,
    FIELD_COLUMN_NAME = 4,
};

void binlog_table_clear(struct binlog_table *table)
{
    for (uint32_t i = 0; i < table->column_count; i++)
        free(table->columns[i].name);
    free(table->columns);
    *table = (struct binlog_table){0};
}

bool binlog_column_is_numeric(uint8_t type)
{
    return type == COLUMN_TINY || type == COLUMN_SHORT || type == COLUMN_INT24 ||
           type == COLUMN_LONG || type == COLUMN_LONGLONG || type == COLUMN_FLOAT ||
           type == COLUMN_DOUBLE || type == COLUMN_NEWDECIMAL;
}

static bool is_text(uint8_t type)
{
    return type == COLUMN_STRING || type == COLUMN_VAR_STRING || type == COLUMN_VARCHAR ||
           type == COLUMN_BLOB || type == COLUMN_BLOB_COMPRESSED ||
           type == COLUMN_VARCHAR_COMPRESSED;
}

/* How many bytes of meta data the type has, and how they are put. */
static bool read_meta(struct binlog_column *column, struct byte_cursor *c)
{
    switch (column->type) {
    case COLUMN_FLOAT:
    case COLUMN_DOUBLE:
    case COLUMN_BLOB:
    case COLUMN_GEOMETRY:
    case COLUMN_JSON:
    case COLUMN_VECTOR:
    case COLUMN_TIMESTAMP2:
    case COLUMN_DATETIME2:
    case COLUMN_TIME2:
    case COLUMN_BLOB_COMPRESSED:
        column->meta = (uint16_t)cursor_uint(c, 1);
        return true;
    case COLUMN_VARCHAR:
    case COLUMN_VAR_STRING:
    case COLUMN_BIT:
    case COLUMN_VARCHAR_COMPRESSED:
        column->meta = (uint16_t)cursor_uint(c, 2);
        return true;
    case COLUMN_NEWDECIMAL: { /* precision, scale */
        uint16_t precision = (uint16_t)cursor_uint(c, 1);
        column->meta = (uint16_t)(precision << 8 | (uint16_t)cursor_uint(c, 1));
        return true;
    }
    case COLUMN_ENUM:
    case COLUMN_SET:
    case COLUMN_STRING: {
        uint16_t real = (uint16_t)cursor_uint(c, 1), length = (uint16_t)cursor_uint(c, 1);
        if ((real & 0x30) != 0x30) { /* lengths above 255: their upper bits, inverted */
            column->meta = (uint16_t)(length | (((real & 0x30) ^ 0x30) << 4));
            column->type = (uint8_t)(real | 0x30);
        } else {
            column->meta = length;
            column->type = (uint8_t)real;
        }
        return column->type == COLUMN_STRING || column->type == COLUMN_ENUM ||
               column->type == COLUMN_SET;
    }
    case COLUMN_TINY:
    case COLUMN_SHORT:
    case COLUMN_LONG:
    case COLUMN_LONGLONG:
    case COLUMN_INT24:
    case COLUMN_TIMESTAMP:
    case COLUMN_DATE:
    case COLUMN_TIME:
    case COLUMN_DATETIME:
    case COLUMN_YEAR:
    case COLUMN_NEWDATE:
    case COLUMN_NULL:
        return true;
    default: /* bytes of a log, not an enum */
        return false;
    }
}

static void read_signs(struct binlog_table *table, struct byte_cursor v)
{
    uint32_t number = 0;
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (!binlog_column_is_numeric(table->columns[i].type))
            continue;
        if (number / 8 >= v.left)
            return;
        table->columns[i].is_unsigned = v.at[number / 8] >> (7 - number % 8) & 1;
        number++;
    }
    table->has_signs = true;
}

static void read_names(struct binlog_table *table, struct byte_cursor v)
{
    for (uint32_t i = 0; i < table->column_count; i++) {
        uint64_t length = cursor_lenenc(&v);
        const uint8_t *name = length > 1024 ? NULL : cursor_take(&v, (size_t)length);
        if (name == NULL)
            return;
        free(table->columns[i].name);
        table->columns[i].name = stay_calloc(1, (size_t)length + 1);
        memcpy(table->columns[i].name, name, (size_t)length);
    }
    table->has_names = true;
}

/* The most frequent one, then pairs of text column and its own. */
static void read_default_charset(struct binlog_table *table, struct byte_cursor v)
{
    uint32_t usual = (uint32_t)cursor_lenenc(&v);
    for (uint32_t i = 0; !v.is_short && i < table->column_count; i++)
        if (is_text(table->columns[i].type))
            table->columns[i].collation = usual;
    while (!v.is_short && v.left > 0) {
        uint64_t which = cursor_lenenc(&v), own = cursor_lenenc(&v), text = 0;
        for (uint32_t i = 0; !v.is_short && i < table->column_count; i++)
            if (is_text(table->columns[i].type) && text++ == which)
                table->columns[i].collation = (uint32_t)own;
    }
}

static void read_charsets(struct binlog_table *table, struct byte_cursor v)
{
    for (uint32_t i = 0; i < table->column_count; i++)
        if (is_text(table->columns[i].type))
            table->columns[i].collation = (uint32_t)cursor_lenenc(&v);
}

/* Fields nobody knows are left out: what they say is not needed. */
static void read_optional(struct binlog_table *table, struct byte_cursor *c)
{
    while (c->left > 0 && !c->is_short) {
        uint64_t field = cursor_uint(c, 1), length = cursor_lenenc(c);
        const uint8_t *value = length > SIZE_MAX ? NULL : cursor_take(c, (size_t)length);
        if (value == NULL)
            return;
        struct byte_cursor v = byte_cursor_of(value, (size_t)length);
        if (field == FIELD_SIGNEDNESS)
            read_signs(table, v);
        else if (field == FIELD_COLUMN_NAME)
            read_names(table, v);
        else if (field == FIELD_DEFAULT_CHARSET)
            read_default_charset(table, v);
        else if (field == FIELD_COLUMN_CHARSET)
            read_charsets(table, v);
    }
}

static bool read_name(struct byte_cursor *c, char *dst, size_t size)
{
    size_t length = (size_t)cursor_uint(c, 1);
    const uint8_t *name = cursor_take(c, length + 1);
    if (name == NULL || length >= size || memchr(name, '\0', length) != NULL)
        return false;
    memcpy(dst, name, length);
    dst[length] = '\0';
    return length > 0;
}

static bool read_columns(struct binlog_table *t, struct byte_cursor *c)
{
    uint64_t count = cursor_lenenc(c);
    const uint8_t *types =
        count == 0 || count > BINLOG_COLUMNS_MAX ? NULL : cursor_take(c, (size_t)count);
    if (types == NULL)
        return false;
    t->column_count = (uint32_t)count;
    t->columns = stay_calloc(count, sizeof *t->columns);
    uint64_t meta_length = cursor_lenenc(c);
    const uint8_t *meta = meta_length > c->left ? NULL : cursor_take(c, (size_t)meta_length);
    if (meta == NULL)
        return false;
    struct byte_cursor m = byte_cursor_of(meta, (size_t)meta_length);
    for (uint32_t i = 0; i < t->column_count; i++) {
        t->columns[i].type = types[i];
        if (!read_meta(&t->columns[i], &m))
            return false;
    }
    const uint8_t *nulls = cursor_take(c, (t->column_count + 7) / 8);
    for (uint32_t i = 0; nulls != NULL && i < t->column_count; i++)
        t->columns[i].may_be_null = nulls[i / 8] >> (i % 8) & 1;
    return !m.is_short && nulls != NULL;
}

enum stay_rc binlog_table_parse(const struct binlog_event *event, struct binlog_table *ret_table,
                                struct stay_error *err)
{
    struct byte_cursor c = byte_cursor_of(event->body, event->body_length);
    struct binlog_table t = {.raw = event->raw, .raw_length = BINLOG_HEADER + event->body_length};
    t.id = cursor_uint(&c, 6);
    (void)cursor_uint(&c, 2);
    if (event->type != BINLOG_TABLE_MAP || !read_name(&c, t.schema, sizeof t.schema) ||
        !read_name(&c, t.name, sizeof t.name) || !read_columns(&t, &c) || c.is_short) {
        binlog_table_clear(&t);
        return stay_error(err, STAY_ECORRUPT, "a table map event is not understood");
    }
    read_optional(&t, &c);
    *ret_table = t;
    return STAY_OK;
}

static const uint8_t digits_bytes[10] = {0, 1, 1, 2, 2, 3, 3, 4, 4, 4};

size_t binlog_decimal_bytes(unsigned precision, unsigned scale)
{
    if (scale > precision)
        return 0;
    unsigned whole = precision - scale;
    return whole / 9 * 4 + digits_bytes[whole % 9] + scale / 9 * 4 + digits_bytes[scale % 9];
}

/* Length of a value that needs none written, SIZE_MAX for others. */
static size_t fixed_length(const struct binlog_column *column)
{
    size_t fraction = (column->meta + 1u) / 2;
    switch (column->type) {
    case COLUMN_NULL:
        return 0;
    case COLUMN_TINY:
    case COLUMN_YEAR:
        return 1;
    case COLUMN_SHORT:
        return 2;
    case COLUMN_INT24:
    case COLUMN_DATE:
    case COLUMN_TIME:
    case COLUMN_NEWDATE:
        return 3;
    case COLUMN_LONG:
    case COLUMN_FLOAT:
    case COLUMN_TIMESTAMP:
        return 4;
    case COLUMN_LONGLONG:
    case COLUMN_DOUBLE:
    case COLUMN_DATETIME:
        return 8;
    case COLUMN_TIMESTAMP2:
        return column->meta > 6 ? SIZE_MAX : 4 + fraction;
    case COLUMN_DATETIME2:
        return column->meta > 6 ? SIZE_MAX : 5 + fraction;
    case COLUMN_TIME2:
        return column->meta > 6 ? SIZE_MAX : 3 + fraction;
    case COLUMN_NEWDECIMAL: {
        unsigned precision = column->meta >> 8, scale = column->meta & 0xff;
        return precision == 0 || precision > 65 || scale > 38 || scale > precision
                   ? SIZE_MAX
                   : binlog_decimal_bytes(precision, scale);
    }
    case COLUMN_ENUM:
        return column->meta == 1 || column->meta == 2 ? column->meta : SIZE_MAX;
    case COLUMN_SET:
        return column->meta >= 1 && column->meta <= 8 ? column->meta : SIZE_MAX;
    case COLUMN_BIT:
        return (size_t)(column->meta >> 8) + ((column->meta & 0xff) != 0);
    default:
        return SIZE_MAX;
    }
}

/* Bytes of length written before a value of variable length; 0: no such type. */
static unsigned length_bytes(const struct binlog_column *column)
{
    switch (column->type) {
    case COLUMN_VARCHAR:
    case COLUMN_VAR_STRING:
    case COLUMN_STRING:
    case COLUMN_VARCHAR_COMPRESSED:
        return column->meta > 255 ? 2 : 1;
    case COLUMN_BLOB:
    case COLUMN_BLOB_COMPRESSED:
    case COLUMN_GEOMETRY:
    case COLUMN_JSON:
    case COLUMN_VECTOR:
        return column->meta >= 1 && column->meta <= 4 ? column->meta : 0;
    default:
        return 0;
    }
}

bool binlog_value_take(const struct binlog_column *column, struct byte_cursor *c,
                       const uint8_t **ret_value, size_t *ret_length)
{
    size_t length = fixed_length(column);
    if (length == SIZE_MAX) {
        unsigned bytes = length_bytes(column);
        if (bytes == 0)
            return false;
        length = (size_t)cursor_uint(c, bytes);
    }
    *ret_value = cursor_take(c, length);
    *ret_length = length;
    return *ret_value != NULL || (length == 0 && !c->is_short);
}
