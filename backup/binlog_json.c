/* MySQL's binary JSON (sql-common/json_binary.h): offsets inside, so every one is checked. */
#include "backup/binlog_value.h"

#define DEPTH_MAX 100

enum json_type {
    SMALL_OBJECT = 0,
    LARGE_OBJECT = 1,
    SMALL_ARRAY = 2,
    LARGE_ARRAY = 3,
    LITERAL = 4,
    INT16 = 5,
    UINT16 = 6,
    INT32 = 7,
    UINT32 = 8,
    INT64 = 9,
    UINT64 = 10,
    REAL = 11,
    STRING = 12,
    OPAQUE = 15,
};

static bool put(uint8_t type, struct byte_cursor c, unsigned depth, struct str *out);

static void quote(const uint8_t *v, size_t n, struct str *out)
{
    str_add_char(out, '"');
    for (size_t i = 0; i < n; i++) {
        static const char escaped[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
        const char *at = v[i] == 0 ? NULL : strchr(escaped, v[i]);
        if (at != NULL)
            str_addf(out, "\\%c", letters[at - escaped]);
        else if (v[i] < ' ')
            str_addf(out, "\\u%04x", v[i]);
        else
            str_add_char(out, (char)v[i]);
    }
    str_add_char(out, '"');
}

/* Seven bits a byte, the top one says that more follow. */
static uint64_t varlen(struct byte_cursor *c)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        uint64_t byte = cursor_uint(c, 1);
        value |= (byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return value;
    }
    c->is_short = true;
    return 0;
}

static bool is_inline(uint8_t type, bool is_large)
{
    return type == LITERAL || type == INT16 || type == UINT16 ||
           (is_large && (type == INT32 || type == UINT32));
}

/* The value whose entry is at `e`; offsets count from the container's begin. */
static bool put_entry(struct byte_cursor *e, bool is_large, struct byte_cursor whole,
                      unsigned depth, struct str *out)
{
    unsigned width = is_large ? 4 : 2;
    uint8_t type = (uint8_t)cursor_uint(e, 1);
    struct byte_cursor value = *e;
    uint64_t offset = cursor_uint(e, width);
    if (e->is_short)
        return false;
    if (is_inline(type, is_large)) {
        value.left = width;
        return put(type, value, depth + 1, out);
    }
    if (cursor_take(&whole, (size_t)offset) == NULL)
        return false;
    return put(type, whole, depth + 1, out);
}

static bool put_container(uint8_t type, struct byte_cursor c, unsigned depth, struct str *out)
{
    bool is_large = type == LARGE_OBJECT || type == LARGE_ARRAY;
    bool is_object = type == SMALL_OBJECT || type == LARGE_OBJECT;
    unsigned width = is_large ? 4 : 2;
    struct byte_cursor whole = c;
    uint64_t count = cursor_uint(&c, width), size = cursor_uint(&c, width);
    if (c.is_short || size > whole.left || count > size)
        return false;
    whole.left = (size_t)size;
    struct byte_cursor keys = c;
    if (is_object)
        (void)cursor_take(&c, (size_t)count * (width + 2));
    str_add_char(out, is_object ? '{' : '[');
    for (uint64_t i = 0; i < count; i++) {
        str_add(out, i > 0 ? ", " : "");
        if (is_object) {
            struct byte_cursor key = whole;
            uint64_t offset = cursor_uint(&keys, width), length = cursor_uint(&keys, 2);
            (void)cursor_take(&key, (size_t)offset);
            const uint8_t *name = cursor_take(&key, (size_t)length);
            if (keys.is_short || name == NULL)
                return false;
            quote(name, (size_t)length, out);
            str_add(out, ": ");
        }
        if (out->is_cut || !put_entry(&c, is_large, whole, depth, out))
            return false;
    }
    str_add_char(out, is_object ? '}' : ']');
    return true;
}

static void put_time(uint8_t type, uint64_t raw, struct str *out)
{
    int64_t packed = (int64_t)raw;
    uint64_t size = (uint64_t)(packed < 0 ? -packed : packed);
    uint64_t whole = size >> 24, micros = size & 0xffffff;
    unsigned months = (unsigned)(whole >> 22 & 0x1ffff);
    str_add_char(out, '"');
    if (type == COLUMN_TIME)
        str_addf(out, "%s%02u:%02u:%02u.%06u", packed < 0 ? "-" : "",
                 (unsigned)(whole >> 12 & 1023), (unsigned)(whole >> 6 & 63),
                 (unsigned)(whole & 63), (unsigned)micros);
    else
        str_addf(out, "%04u-%02u-%02u", months / 13, months % 13, (unsigned)(whole >> 17 & 31));
    if (type != COLUMN_TIME && type != COLUMN_DATE)
        str_addf(out, " %02u:%02u:%02u.%06u", (unsigned)(whole >> 12 & 31),
                 (unsigned)(whole >> 6 & 63), (unsigned)(whole & 63), (unsigned)micros);
    str_add_char(out, '"');
}

static bool put_opaque(struct byte_cursor c, struct str *out)
{
    uint8_t type = (uint8_t)cursor_uint(&c, 1);
    uint64_t length = varlen(&c);
    const uint8_t *v = cursor_take(&c, (size_t)length);
    if (v == NULL)
        return false;
    if (type == COLUMN_NEWDECIMAL && length > 2)
        return binlog_decimal_text(v[0], v[1], v + 2, (size_t)length - 2, out);
    bool is_time = type == COLUMN_TIME || type == COLUMN_DATE || type == COLUMN_DATETIME ||
                   type == COLUMN_TIMESTAMP;
    if (is_time && length == 8) {
        struct byte_cursor t = byte_cursor_of(v, 8);
        put_time(type, cursor_uint(&t, 8), out);
        return true;
    }
    str_addf(out, "\"type%u:0x", type);
    for (uint64_t i = 0; i < length; i++)
        str_addf(out, "%02x", v[i]);
    str_add_char(out, '"');
    return true;
}

static bool put_real(struct byte_cursor c, struct str *out)
{
    char text[40];
    double value;
    const uint8_t *v = cursor_take(&c, 8);
    if (v == NULL)
        return false;
    memcpy(&value, v, sizeof value);
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    char *e = strchr(text, 'e'); /* the server writes 1e20 and 1.5e-7, C writes 1e+20 and 1.5e-07 */
    if (e != NULL) {
        *e++ = '\0';
        str_addf(out, "%se%s%d", text, *e == '-' ? "-" : "", abs((int)strtol(e, NULL, 10)));
        return true;
    }
    str_add(out, text);
    if (strpbrk(text, ".ni") == NULL)
        str_add(out, ".0");
    return true;
}

static bool put_number(uint8_t type, struct byte_cursor c, struct str *out)
{
    static const unsigned width[] = {2, 2, 4, 4, 8, 8};
    unsigned bytes = width[type - INT16], unused = 64 - 8 * bytes;
    uint64_t value = cursor_uint(&c, bytes);
    if (type == INT16 || type == INT32 || type == INT64)
        str_addf(out, "%lld", (long long)((int64_t)(value << unused) >> unused));
    else
        str_addf(out, "%llu", (unsigned long long)value);
    return !c.is_short;
}

static bool put(uint8_t type, struct byte_cursor c, unsigned depth, struct str *out)
{
    static const char *const literals[] = {"null", "true", "false"};
    if (depth > DEPTH_MAX)
        return false;
    switch (type) {
    case SMALL_OBJECT:
    case LARGE_OBJECT:
    case SMALL_ARRAY:
    case LARGE_ARRAY:
        return put_container(type, c, depth, out);
    case LITERAL: {
        uint64_t which = cursor_uint(&c, 1);
        str_add(out, which < 3 ? literals[which] : "");
        return which < 3 && !c.is_short;
    }
    case INT16:
    case UINT16:
    case INT32:
    case UINT32:
    case INT64:
    case UINT64:
        return put_number(type, c, out);
    case REAL:
        return put_real(c, out);
    case STRING: {
        uint64_t length = varlen(&c);
        const uint8_t *v = cursor_take(&c, (size_t)length);
        if (v != NULL)
            quote(v, (size_t)length, out);
        return v != NULL;
    }
    case OPAQUE:
        return put_opaque(c, out);
    default: /* a byte of a log, not an enum */
        return false;
    }
}

bool binlog_json_text(const uint8_t *value, size_t length, struct str *out)
{
    struct byte_cursor c = byte_cursor_of(value, length);
    if (length == 0) { /* what the server writes for an empty document */
        str_add(out, "null");
        return true;
    }
    uint8_t type = (uint8_t)cursor_uint(&c, 1);
    return put(type, c, 0, out) && !out->is_cut;
}
