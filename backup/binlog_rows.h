/* backup/binlog_rows.h - rows events as before- and after-images, row by row.
 *
 * Pure. Layer: backup. Images borrow from the event. */
#ifndef BACKUP_BINLOG_ROWS_H
#define BACKUP_BINLOG_ROWS_H
#include "backup/binlog_table.h"

enum rows_kind { ROWS_NONE = 0, ROWS_WRITE, ROWS_UPDATE, ROWS_DELETE };

struct binlog_image {
    const uint8_t *bytes; /* NULL bits, then values; NULL: this row has no such image */
    size_t length;
};

struct binlog_rows {
    enum rows_kind kind;
    bool is_2; /* MySQL's second form */
    uint64_t table_id;
    uint16_t flags;
    uint32_t column_count;
    const uint8_t *columns[2]; /* which are in the image: before (or the only one), after */
    bool is_full;              /* all of them, in both */
    struct byte_cursor rest;   /* rows not taken yet */
};

enum rows_kind binlog_rows_kind(uint8_t type); /* plain ones; ROWS_NONE: no rows event */
enum stay_rc binlog_rows_parse(const struct binlog_event *event, struct binlog_rows *ret_rows,
                               struct stay_error *err) STAY_MUST_USE;
/* The next row; *ret_more false: there was none. before is empty for WRITE, after for DELETE. */
enum stay_rc binlog_rows_next(struct binlog_rows *rows, const struct binlog_table *table,
                              bool *ret_more, struct binlog_image *ret_before,
                              struct binlog_image *ret_after, struct stay_error *err) STAY_MUST_USE;

struct binlog_cell {
    bool is_present, is_null;
    const uint8_t *value; /* without its length */
    size_t length;
};
/* The cells of an image; cells has table->column_count places. `which`: 0 before, 1 after. */
bool binlog_image_cells(const struct binlog_rows *rows, const struct binlog_table *table,
                        unsigned which, const struct binlog_image *image,
                        struct binlog_cell *cells);

#endif
