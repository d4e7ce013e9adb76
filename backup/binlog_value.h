/* backup/binlog_value.h - one value of a row image as text for people and JSON.
 *
 * Pure (heap only). Layer: backup. What the log does not say (sign, names of ENUM values, character
 * set) comes from the bundle's description of the column, NULL when there is none: then numbers are
 * shown signed, ENUM by number, text that is not UTF-8 as hexadecimal. Times are UTC. */
#ifndef BACKUP_BINLOG_VALUE_H
#define BACKUP_BINLOG_VALUE_H
#include "backup/bundle.h"
#include "base/str.h"

enum value_form {
    VALUE_NUMBER = 0, /* as SQL writes it */
    VALUE_TEXT,       /* UTF-8 */
    VALUE_BYTES,      /* hexadecimal digits */
};

/* Appends the value's text (never quoted) and says what it is. */
enum value_form binlog_value_text(const struct binlog_column *column,
                                  const struct bundle_column *known, const uint8_t *value,
                                  size_t length, struct str *out);
/* MySQL's binary JSON as the server writes it: keys in stored order, ", " and ": ". False: not
 * understood; what was appended is to be thrown away. */
bool binlog_json_text(const uint8_t *value, size_t length, struct str *out);
/* A packed DECIMAL; false: the bytes are not one. */
bool binlog_decimal_text(unsigned precision, unsigned scale, const uint8_t *value, size_t length,
                         struct str *out);
/* Is it valid UTF-8 without control characters but tab and line ends? */
bool binlog_is_utf8(const uint8_t *text, size_t length);

#endif
