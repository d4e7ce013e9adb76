/* Each type's form in a row image; sources: MariaDB Knowledge Base "Rows Event", MySQL manual
 * "Data Type Storage Requirements", seen on 10.11.19 and 9.7.4. */
#include "backup/binlog_value.h"

#define DATETIME_ZERO UINT64_C(0x8000000000)
#define TIME_ZERO_3   INT64_C(0x800000)
#define TIME_ZERO_6   INT64_C(0x800000000000)

static uint64_t le(const uint8_t *v, size_t n)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++)
        value |= (uint64_t)v[i] << (8 * i);
    return value;
}

static uint64_t be(const uint8_t *v, size_t n)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++)
        value = value << 8 | v[i];
    return value;
}

static void integer(struct str *out, const uint8_t *v, size_t n, bool is_unsigned)
{
    uint64_t value = le(v, n);
    if (is_unsigned) {
        str_addf(out, "%llu", (unsigned long long)value);
        return;
    }
    unsigned unused = (unsigned)(64 - 8 * n);
    str_addf(out, "%lld", (long long)((int64_t)(value << unused) >> unused));
}

/* The shortest text that reads back as the same number. */
static void real(struct str *out, double value, int digits_max)
{
    char text[40];
    for (int digits = digits_max - 3; digits <= digits_max; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, value);
        double again = strtod(text, NULL);
        if (digits_max < 10 ? (float)again == (float)value : again == value)
            break;
    }
    str_add(out, text);
}

static void hex(struct str *out, const uint8_t *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        str_addf(out, "%02X", v[i]);
}

static void fraction(struct str *out, uint64_t micros, unsigned digits)
{
    static const unsigned scale[7] = {1000000, 100000, 10000, 1000, 100, 10, 1};
    if (digits > 0 && digits <= 6)
        str_addf(out, ".%0*llu", (int)digits, (unsigned long long)(micros / scale[digits]));
}

/* The stored fraction: ceil(digits/2) bytes of two digits each. */
static uint64_t stored_micros(const uint8_t *v, unsigned digits)
{
    static const unsigned unit[4] = {0, 10000, 100, 1};
    unsigned bytes = (digits + 1) / 2;
    return bytes > 3 ? 0 : be(v, bytes) * unit[bytes];
}

static void timestamp(struct str *out, uint64_t seconds, uint64_t micros, unsigned digits)
{
    struct tm tm;
    time_t at = (time_t)seconds;
    if (seconds == 0 && micros == 0) {
        str_add(out, "0000-00-00 00:00:00");
    } else {
        (void)gmtime_r(&at, &tm);
        str_addf(out, "%04d-%02d-%02d %02d:%02d:%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                 tm.tm_hour, tm.tm_min, tm.tm_sec);
    }
    fraction(out, micros, digits);
}

static void datetime(struct str *out, const uint8_t *v, unsigned digits)
{
    uint64_t packed = be(v, 5);
    packed = packed >= DATETIME_ZERO ? packed - DATETIME_ZERO : 0;
    unsigned months = (unsigned)(packed >> 22 & 0x1ffff);
    str_addf(out, "%04u-%02u-%02u %02u:%02u:%02u", months / 13, months % 13,
             (unsigned)(packed >> 17 & 31), (unsigned)(packed >> 12 & 31),
             (unsigned)(packed >> 6 & 63), (unsigned)(packed & 63));
    fraction(out, stored_micros(v + 5, digits), digits);
}

/* Negative ones are stored as complement, whole and fraction together. */
static void time_of_day(struct str *out, const uint8_t *v, unsigned digits)
{
    int64_t whole, micros;
    if (digits > 4) {
        int64_t packed = (int64_t)be(v, 6) - TIME_ZERO_6;
        uint64_t size = (uint64_t)(packed < 0 ? -packed : packed);
        whole = (int64_t)(size >> 24);
        micros = (int64_t)(size & 0xffffff);
        str_add(out, packed < 0 ? "-" : "");
    } else {
        unsigned bytes = (digits + 1) / 2;
        int64_t packed = ((int64_t)be(v, 3) - TIME_ZERO_3) * (INT64_C(1) << (8 * bytes)) +
                         (int64_t)be(v + 3, bytes);
        uint64_t size = (uint64_t)(packed < 0 ? -packed : packed);
        static const int64_t unit[3] = {0, 10000, 100};
        whole = (int64_t)(size >> (8 * bytes));
        micros = (int64_t)(size & ((UINT64_C(1) << (8 * bytes)) - 1)) * unit[bytes];
        str_add(out, packed < 0 ? "-" : "");
    }
    str_addf(out, "%02u:%02u:%02u", (unsigned)(whole >> 12 & 1023), (unsigned)(whole >> 6 & 63),
             (unsigned)(whole & 63));
    fraction(out, (uint64_t)micros, digits);
}

static void old_time(struct str *out, uint8_t type, const uint8_t *v)
{
    if (type == COLUMN_DATE || type == COLUMN_NEWDATE) {
        unsigned d = (unsigned)le(v, 3);
        str_addf(out, "%04u-%02u-%02u", d >> 9, d >> 5 & 15, d & 31);
    } else if (type == COLUMN_TIME) {
        int32_t t = (int32_t)((uint32_t)le(v, 3) << 8) >> 8;
        unsigned u = (unsigned)(t < 0 ? -t : t);
        str_addf(out, "%s%02u:%02u:%02u", t < 0 ? "-" : "", u / 10000, u / 100 % 100, u % 100);
    } else {
        uint64_t d = le(v, 8);
        str_addf(out, "%04llu-%02llu-%02llu %02llu:%02llu:%02llu",
                 (unsigned long long)(d / UINT64_C(10000000000)),
                 (unsigned long long)(d / 100000000 % 100), (unsigned long long)(d / 1000000 % 100),
                 (unsigned long long)(d / 10000 % 100), (unsigned long long)(d / 100 % 100),
                 (unsigned long long)(d % 100));
    }
}

bool binlog_is_utf8(const uint8_t *s, size_t n)
{
    for (size_t i = 0; i < n;) {
        unsigned more = s[i] < 0x80                   ? 0
                        : s[i] >= 0xc2 && s[i] < 0xe0 ? 1
                        : (s[i] & 0xf0) == 0xe0       ? 2
                        : s[i] >= 0xf0 && s[i] < 0xf5 ? 3
                                                      : 9;
        if (more == 9 || more >= n - i ||
            (s[i] < ' ' && s[i] != '\n' && s[i] != '\t' && s[i] != '\r') || s[i] == 127)
            return false;
        for (unsigned k = 1; k <= more; k++)
            if ((s[i + k] & 0xc0) != 0x80)
                return false;
        bool is_long = (s[i] == 0xe0 && s[i + 1] < 0xa0) || (s[i] == 0xf0 && s[i + 1] < 0x90) ||
                       (s[i] == 0xed && s[i + 1] > 0x9f) || (s[i] == 0xf4 && s[i + 1] > 0x8f);
        if (is_long)
            return false;
        i += 1 + more;
    }
    return true;
}

static enum value_form text(struct str *out, const struct bundle_column *known, const uint8_t *v,
                            size_t n)
{
    bool is_latin =
        known != NULL && known->charset != NULL && strcmp(known->charset, "latin1") == 0;
    bool is_binary = known != NULL && known->charset == NULL;
    if (is_latin) {
        for (size_t i = 0; i < n; i++)
            if (v[i] >= 0x80) {
                const char two[2] = {(char)(0xc0 | v[i] >> 6), (char)(0x80 | (v[i] & 0x3f))};
                str_add_bytes(out, two, 2);
            } else {
                str_add_char(out, (char)v[i]);
            }
        return VALUE_TEXT;
    }
    if (!is_binary && binlog_is_utf8(v, n)) {
        str_add_bytes(out, v, n);
        return VALUE_TEXT;
    }
    hex(out, v, n);
    return VALUE_BYTES;
}

/* The `number`th word, from 1, of "enum('a','b''c')". */
static bool word_of(const char *type, uint64_t number, struct str *out)
{
    const char *at = strchr(type, '(');
    for (uint64_t i = 1; at != NULL && at[1] == '\''; i++) {
        at += 2;
        while (*at != '\0') {
            if (*at == '\'' && at[1] != '\'')
                break;
            if (*at == '\'')
                at++;
            if (i == number)
                str_add_char(out, *at);
            at++;
        }
        if (i == number)
            return true;
        at = *at == '\0' ? NULL : at + 1;
        if (at == NULL || *at != ',')
            return false;
    }
    return false;
}

static enum value_form words(struct str *out, const struct binlog_column *column,
                             const struct bundle_column *known, uint64_t value)
{
    bool is_set = column->type == COLUMN_SET, first = true;
    const char *type = known == NULL ? "" : known->type;
    size_t before = out->length;
    for (unsigned i = 0; is_set && i < 64; i++) {
        if (!(value >> i & 1))
            continue;
        str_add(out, first ? "" : ",");
        first = false;
        if (!word_of(type, i + 1, out))
            goto number;
    }
    if (is_set || value == 0 || word_of(type, value, out))
        return VALUE_TEXT;
number:
    out->length = before;
    if (out->text != NULL)
        out->text[before] = '\0';
    str_addf(out, "%llu", (unsigned long long)value);
    return VALUE_NUMBER;
}

static void floating(struct str *out, uint8_t type, const uint8_t *v)
{
    if (type == COLUMN_FLOAT) {
        float f;
        memcpy(&f, v, sizeof f);
        real(out, (double)f, 9);
    } else {
        double d;
        memcpy(&d, v, sizeof d);
        real(out, d, 17);
    }
}

static enum value_form temporal(struct str *out, const struct binlog_column *column,
                                const uint8_t *v)
{
    switch (column->type) {
    case COLUMN_TIMESTAMP:
        timestamp(out, le(v, 4), 0, 0);
        break;
    case COLUMN_TIMESTAMP2:
        timestamp(out, be(v, 4), stored_micros(v + 4, column->meta), column->meta);
        break;
    case COLUMN_DATETIME2:
        datetime(out, v, column->meta);
        break;
    case COLUMN_TIME2:
        time_of_day(out, v, column->meta);
        break;
    case COLUMN_YEAR:
        str_addf(out, "%04u", v[0] == 0 ? 0u : 1900u + v[0]);
        break;
    default: /* a byte of a log, not an enum */
        old_time(out, column->type, v);
        break;
    }
    return VALUE_TEXT;
}

enum value_form binlog_value_text(const struct binlog_column *column,
                                  const struct bundle_column *known, const uint8_t *v, size_t n,
                                  struct str *out)
{
    bool is_unsigned = known != NULL ? known->is_unsigned : column->is_unsigned;
    switch (column->type) {
    case COLUMN_TINY:
    case COLUMN_SHORT:
    case COLUMN_INT24:
    case COLUMN_LONG:
    case COLUMN_LONGLONG:
        integer(out, v, n, is_unsigned);
        return VALUE_NUMBER;
    case COLUMN_FLOAT:
    case COLUMN_DOUBLE:
        floating(out, column->type, v);
        return VALUE_NUMBER;
    case COLUMN_NEWDECIMAL:
        if (binlog_decimal_text(column->meta >> 8, column->meta & 0xff, v, n, out))
            return VALUE_NUMBER;
        break;
    case COLUMN_BIT:
        str_addf(out, "%llu", (unsigned long long)be(v, n));
        return VALUE_NUMBER;
    case COLUMN_ENUM:
    case COLUMN_SET:
        return words(out, column, known, le(v, n));
    case COLUMN_TIMESTAMP:
    case COLUMN_TIMESTAMP2:
    case COLUMN_DATE:
    case COLUMN_NEWDATE:
    case COLUMN_TIME:
    case COLUMN_TIME2:
    case COLUMN_DATETIME:
    case COLUMN_DATETIME2:
    case COLUMN_YEAR:
        return temporal(out, column, v);
    case COLUMN_JSON: {
        size_t before = out->length;
        if (binlog_json_text(v, n, out))
            return VALUE_TEXT;
        out->length = before;
        if (out->text != NULL)
            out->text[before] = '\0';
        break;
    }
    case COLUMN_STRING:
    case COLUMN_VARCHAR:
    case COLUMN_VAR_STRING:
    case COLUMN_BLOB:
        return text(out, known, v, n);
    default: /* a byte of a log, not an enum */
        break;
    }
    hex(out, v, n);
    return VALUE_BYTES;
}
