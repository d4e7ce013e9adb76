/* backup/binlog_table.h - the table that row events speak of, from its TABLE_MAP event, and the
 * length of each value in a row image.
 *
 * Pure (heap only). Layer: backup. Names, signs and character sets come with the event only where
 * the server writes them (binlog_row_metadata); what it left out is filled in by the caller from
 * information_schema, kept in the bundle. */
#ifndef BACKUP_BINLOG_TABLE_H
#define BACKUP_BINLOG_TABLE_H
#include "backup/binlog_event.h"

#define BINLOG_COLUMNS_MAX 4096

/* enum enum_field_types as written into the log. */
enum binlog_column_type {
    COLUMN_DECIMAL_OLD = 0,
    COLUMN_TINY = 1,
    COLUMN_SHORT = 2,
    COLUMN_LONG = 3,
    COLUMN_FLOAT = 4,
    COLUMN_DOUBLE = 5,
    COLUMN_NULL = 6,
    COLUMN_TIMESTAMP = 7,
    COLUMN_LONGLONG = 8,
    COLUMN_INT24 = 9,
    COLUMN_DATE = 10,
    COLUMN_TIME = 11,
    COLUMN_DATETIME = 12,
    COLUMN_YEAR = 13,
    COLUMN_NEWDATE = 14,
    COLUMN_VARCHAR = 15,
    COLUMN_BIT = 16,
    COLUMN_TIMESTAMP2 = 17,
    COLUMN_DATETIME2 = 18,
    COLUMN_TIME2 = 19,
    COLUMN_BLOB_COMPRESSED = 140, /* MariaDB: COMPRESSED attribute */
    COLUMN_VARCHAR_COMPRESSED = 141,
    COLUMN_VECTOR = 242,
    COLUMN_JSON = 245,
    COLUMN_NEWDECIMAL = 246,
    COLUMN_ENUM = 247,
    COLUMN_SET = 248,
    COLUMN_TINY_BLOB = 249,
    COLUMN_MEDIUM_BLOB = 250,
    COLUMN_LONG_BLOB = 251,
    COLUMN_BLOB = 252,
    COLUMN_VAR_STRING = 253,
    COLUMN_STRING = 254,
    COLUMN_GEOMETRY = 255,
};

struct binlog_column {
    uint8_t type;  /* the real one: ENUM and SET are written as STRING and told apart here */
    uint16_t meta; /* STRING: its length in bytes; others as written */
    bool may_be_null;
    bool is_unsigned;   /* of numbers, where known (binlog_table.has_signs) */
    uint32_t collation; /* number; 0: not told */
    char *name;         /* NULL: not told */
};

struct binlog_table {
    uint64_t id;
    char schema[194], name[194]; /* 64 characters of up to 3 bytes */
    uint32_t column_count;
    struct binlog_column *columns; /* owned */
    bool has_signs, has_names;
    const uint8_t *raw; /* the event, borrowed */
    size_t raw_length;  /* without checksum */
};

void binlog_table_clear(struct binlog_table *table); /* for STAY_AUTO */
/* *ret_table must be empty or cleared. */
enum stay_rc binlog_table_parse(const struct binlog_event *event, struct binlog_table *ret_table,
                                struct stay_error *err) STAY_MUST_USE;
/* Does the column's kind of number have a sign at all? */
bool binlog_column_is_numeric(uint8_t type);
/* Takes one value of the column from the row image; borrowed. False: it is cut short, or of a type
 * nobody knows. */
bool binlog_value_take(const struct binlog_column *column, struct byte_cursor *c,
                       const uint8_t **ret_value, size_t *ret_length);
/* Bytes of a packed DECIMAL(precision, scale). */
size_t binlog_decimal_bytes(unsigned precision, unsigned scale);

#endif
