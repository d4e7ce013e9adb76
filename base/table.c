/* base/table.c - text tables for people: aligned columns, cut or wrapped to the terminal. */
#include "base/table.h"
#include "base/str.h"
#include <stdarg.h>

#define GAP      2 /* blanks between columns */
#define CUT_MIN  4 /* a column that gives way keeps this many characters */
#define WRAP_MIN 24
#define CELL_MAX 4096

void table_init(struct table *t, const struct table_column *columns, size_t column_count)
{
    must(column_count >= 1 && column_count <= TABLE_COLUMNS_MAX);
    for (size_t c = 0; c + 1 < column_count; c++)
        must(columns[c].room != TABLE_WRAP);
    *t = (struct table){.columns = columns, .column_count = column_count};
}

void table_clear(struct table *t)
{
    for (size_t i = 0; i < t->cell_count; i++)
        free(t->cells[i]);
    free(t->cells);
    *t = (struct table){.columns = t->columns, .column_count = t->column_count};
}

static void take_cell(struct table *t, char *text)
{
    if (t->cell_count == t->capacity) {
        t->capacity = t->capacity == 0 ? 4 * t->column_count : t->capacity * 2;
        t->cells = stay_realloc(t->cells, t->capacity, sizeof *t->cells);
    }
    for (char *p = text; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
    }
    t->cells[t->cell_count++] = text;
}

void table_cell(struct table *t, const char *text)
{
    take_cell(t, stay_strdup(text == NULL ? "-" : text));
}

void table_cellf(struct table *t, const char *fmt, ...)
{
    struct str s;
    va_list args;
    str_init(&s, CELL_MAX);
    va_start(args, fmt);
    str_addv(&s, fmt, args);
    va_end(args);
    take_cell(t, str_take(&s));
}

size_t table_row_count(const struct table *t)
{
    must(t->column_count > 0); /* table_init was called */
    return (t->cell_count + t->column_count - 1) / t->column_count;
}

/* The cell, or "" where the last row is not complete. */
static const char *cell_at(const struct table *t, size_t row, size_t column)
{
    size_t at = row * t->column_count + column;
    return at < t->cell_count ? t->cells[at] : "";
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static bool may_give(const struct table_column *column, size_t width)
{
    return (column->room == TABLE_CUT && width > CUT_MIN) ||
           (column->room == TABLE_WRAP && width > WRAP_MIN);
}

/* Widths that hold every cell, then the widest column that may gives way, one at a time. */
static void measure(const struct table *t, size_t width, size_t widths[TABLE_COLUMNS_MAX])
{
    size_t total = (t->column_count - 1) * GAP;
    for (size_t c = 0; c < t->column_count; c++) {
        widths[c] = strlen(t->columns[c].title);
        for (size_t row = 0; row < table_row_count(t); row++)
            widths[c] = larger(widths[c], strlen(cell_at(t, row, c)));
        total += widths[c];
    }
    while (width > 0 && total > width) {
        size_t widest = t->column_count;
        for (size_t c = 0; c < t->column_count; c++) {
            if (may_give(&t->columns[c], widths[c]) &&
                (widest == t->column_count || widths[c] > widths[widest]))
                widest = c;
        }
        if (widest == t->column_count)
            return; /* nothing gives way: the line is longer than the terminal */
        widths[widest]--;
        total--;
    }
}

static void add_cell(struct str *s, const struct table_column *column, const char *text,
                     size_t width)
{
    size_t length = strlen(text);
    if (length > width) {
        str_add_bytes(s, text, width - 2);
        str_add(s, "..");
        return;
    }
    if (column->align == TABLE_RIGHT)
        str_add_repeat(s, ' ', width - length);
    str_add(s, text);
    if (column->align == TABLE_LEFT)
        str_add_repeat(s, ' ', width - length);
}

static void end_line(struct str *s)
{
    while (s->length > 0 && s->text[s->length - 1] == ' ')
        s->text[--s->length] = '\0';
    str_add_char(s, '\n');
}

/* What of `text` goes on one line; *ret_next is where the next line begins. */
static size_t line_length(const char *text, size_t width, const char **ret_next)
{
    size_t length = strlen(text), at = width;
    *ret_next = text + length;
    if (length <= width)
        return length;
    while (at > 0 && text[at] != ' ')
        at--;
    if (at == 0)
        at = width; /* one long word */
    *ret_next = text + at + strspn(text + at, " ");
    return at;
}

size_t table_row_lines(const struct table *t, size_t row, size_t width)
{
    size_t widths[TABLE_COLUMNS_MAX], last = t->column_count - 1, lines = 1;
    measure(t, width, widths);
    if (t->columns[last].room != TABLE_WRAP)
        return 1;
    const char *text = cell_at(t, row, last), *next;
    for (; (void)line_length(text, widths[last], &next), *next != '\0'; text = next)
        lines++;
    return lines;
}

/* The last cell of a row, on as many lines as it needs. */
static void add_wrapped(struct str *s, const char *text, const size_t *widths, size_t last)
{
    size_t indent = last * GAP;
    const char *next = text;
    for (size_t c = 0; c < last; c++)
        indent += widths[c];
    str_add_bytes(s, text, line_length(text, widths[last], &next));
    while (*next != '\0') {
        text = next;
        end_line(s);
        str_add_repeat(s, ' ', indent);
        str_add_bytes(s, text, line_length(text, widths[last], &next));
    }
}

char *table_format(const struct table *t, size_t width)
{
    size_t widths[TABLE_COLUMNS_MAX];
    struct str s;
    str_init(&s, SIZE_MAX / 4);
    measure(t, width, widths);
    for (size_t c = 0; c < t->column_count; c++) {
        str_add_repeat(&s, ' ', c == 0 ? 0 : GAP);
        add_cell(&s, &t->columns[c], t->columns[c].title, widths[c]);
    }
    end_line(&s);
    for (size_t row = 0; row < table_row_count(t); row++) {
        for (size_t c = 0; c < t->column_count; c++) {
            str_add_repeat(&s, ' ', c == 0 ? 0 : GAP);
            if (t->columns[c].room == TABLE_WRAP)
                add_wrapped(&s, cell_at(t, row, c), widths, c);
            else
                add_cell(&s, &t->columns[c], cell_at(t, row, c), widths[c]);
        }
        end_line(&s);
    }
    return str_take(&s);
}
