/* base/table.h - text tables for people: aligned columns, cut or wrapped to the terminal.
 *
 * Pure (heap only). Layer: base. ASCII. Call order: init, cells row by row, format, clear. Control
 * characters in cells are printed as '?', so a server's text cannot repaint a terminal. */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H
#include "base/base.h"

#define TABLE_COLUMNS_MAX   16
#define TABLE_WIDTH_DEFAULT 80

enum table_align { TABLE_LEFT = 0, TABLE_RIGHT };
/* When a line is too long: keeps its width; may be cut, and then ends in ".."; goes on below
 * itself, at a blank (last column only). The widest that may gives way first. */
enum table_room { TABLE_KEEP = 0, TABLE_CUT, TABLE_WRAP };

struct table_column {
    const char *title;
    enum table_align align;
    enum table_room room;
};

struct table {
    const struct table_column *columns; /* borrowed */
    size_t column_count;
    char **cells; /* row by row; owned */
    size_t cell_count, capacity;
};

/* columns: 1 to TABLE_COLUMNS_MAX, borrowed until table_clear. */
void table_init(struct table *t, const struct table_column *columns, size_t column_count);
void table_clear(struct table *t); /* for STAY_AUTO */
/* The next cell, left to right; NULL prints "-". */
void table_cell(struct table *t, const char *text);
void table_cellf(struct table *t, const char *fmt, ...) STAY_PRINTF(2, 3);
size_t table_row_count(const struct table *t);
/* How many lines `row` takes, 1 but for a column that wraps. */
size_t table_row_lines(const struct table *t, size_t row, size_t width);
/* Heap text, caller frees: a title line, then rows, each ending in '\n', no trailing blanks.
 * Columns are two blanks apart. width 0: no limit (output is not a terminal). */
char *table_format(const struct table *t, size_t width) STAY_MUST_USE;

#endif
