/* Packed DECIMAL: groups of nine digits in four bytes, what is over in fewer; the first bit is the
 * sign, negative numbers are complemented. */
#include "backup/binlog_value.h"

static const uint8_t group_bytes[10] = {0, 1, 1, 2, 2, 3, 3, 4, 4, 4};

static uint32_t take_group(const uint8_t **at, unsigned bytes)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value = value << 8 | *(*at)++;
    return value;
}

bool binlog_decimal_text(unsigned precision, unsigned scale, const uint8_t *value, size_t length,
                         struct str *out)
{
    uint8_t copy[40];
    if (scale > precision || length == 0 || length > sizeof copy ||
        length != binlog_decimal_bytes(precision, scale))
        return false;
    bool is_negative = !(value[0] & 0x80);
    for (size_t i = 0; i < length; i++)
        copy[i] = is_negative ? (uint8_t)~value[i] : value[i];
    copy[0] ^= 0x80;
    const uint8_t *at = copy;
    char digits[80];
    size_t n = 0;
    unsigned whole = precision - scale;
    if (whole % 9 != 0)
        n += (size_t)snprintf(digits + n, sizeof digits - n, "%0*u", (int)(whole % 9),
                              take_group(&at, group_bytes[whole % 9]) % 1000000000u);
    for (unsigned i = 0; i < whole / 9 && n < 70; i++)
        n += (size_t)snprintf(digits + n, sizeof digits - n, "%09u",
                              take_group(&at, 4) % 1000000000u);
    size_t skip = 0;
    while (skip + 1 < n && digits[skip] == '0')
        skip++;
    str_add(out, is_negative ? "-" : "");
    str_add(out, n == 0 ? "0" : digits + skip);
    if (scale == 0)
        return true;
    str_add_char(out, '.');
    for (unsigned i = 0; i < scale / 9; i++)
        str_addf(out, "%09u", take_group(&at, 4) % 1000000000u);
    if (scale % 9 != 0)
        str_addf(out, "%0*u", (int)(scale % 9),
                 take_group(&at, group_bytes[scale % 9]) % 1000000000u);
    return true;
}
