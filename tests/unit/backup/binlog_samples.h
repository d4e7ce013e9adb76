/* tests/unit/backup/binlog_samples.h - real binary logs (MariaDB 10.11.19, MySQL 9.7.4; the fuzz
 * target's corpus: events without checksums) walked and told as text. */
#ifndef TESTS_UNIT_BACKUP_BINLOG_SAMPLES_H
#define TESTS_UNIT_BACKUP_BINLOG_SAMPLES_H
#include "backup/binlog_value.h"
#include "backup/binlog_walk.h"
#include "base/io/file.h"

#ifdef MAINSTAY_GOLDEN_DIR /* unit tests; the fuzz target is given its samples */
static inline char *sample(const char *name, size_t *ret_length)
{
    char *bytes = NULL;
    struct stay_error err = {0};
    STAY_AUTO(stay_free_charp)
    char *path = stay_sprintf("%s/../fuzz/corpus/binlog/%s", MAINSTAY_GOLDEN_DIR, name);
    if (file_read(path, 1 << 20, &bytes, ret_length, &err) != STAY_OK)
        fprintf(stderr, "%s\n", err.text);
    must(bytes != NULL);
    return bytes;
}
#endif

static inline void tell_image(struct str *out, const struct binlog_rows *rows,
                              const struct binlog_table *table, unsigned which,
                              const struct binlog_image *image)
{
    struct binlog_cell *cells = stay_calloc(table->column_count, sizeof *cells);
    must(binlog_image_cells(rows, table, which, image, cells));
    for (uint32_t i = 0; i < table->column_count; i++) {
        const char *name = table->columns[i].name;
        str_addf(out, " %s=", name == NULL ? "?" : name);
        if (cells[i].is_null)
            str_add(out, "NULL");
        else
            (void)binlog_value_text(&table->columns[i], NULL, cells[i].value, cells[i].length, out);
    }
    str_add_char(out, '\n');
    free(cells);
}

static inline enum stay_rc tell_rows(void *ctx, const struct binlog_table *table,
                                     struct binlog_rows *rows, struct stay_error *err)
{
    struct binlog_image before, after;
    bool more = true;
    enum stay_rc rc = STAY_OK;
    while (rc == STAY_OK && more) {
        rc = binlog_rows_next(rows, table, &more, &before, &after, err);
        if (rc != STAY_OK || !more)
            break;
        str_addf(ctx, "%d %s.%s\n", (int)rows->kind, table->schema, table->name);
        if (before.bytes != NULL) {
            str_add(ctx, "  -");
            tell_image(ctx, rows, table, 0, &before);
        }
        if (after.bytes != NULL) {
            str_add(ctx, "  +");
            tell_image(ctx, rows, table, 1, &after);
        }
    }
    return rc;
}

static inline enum stay_rc tell_obstacle(void *ctx, const char *what, struct stay_error *err)
{
    (void)err;
    str_addf(ctx, "! %s\n", what);
    return STAY_OK;
}

static inline void tell_gtid(struct str *out, const struct binlog_event *event)
{
    struct binlog_gtid g;
    struct stay_error err = {0};
    if (binlog_gtid_parse(event, &g, &err) != STAY_OK) {
        str_addf(out, "? %s\n", err.text);
        return;
    }
    STAY_AUTO(gtid_set_drop) struct gtid_set one = {0};
    gtid_set_add_range(&one, g.flavor, &g.range);
    STAY_AUTO(stay_free_charp) char *text = gtid_set_format(&one);
    str_addf(out, "gtid %s\n", text);
}

/* All events of `bytes`; an error ends the text. */
static inline void tell_events(struct str *out, const void *bytes, size_t length)
{
    struct binlog_walk walk = {.ctx = out, .on_rows = tell_rows, .on_obstacle = tell_obstacle};
    struct stay_error err = {0};
    enum stay_rc rc = STAY_OK;
    for (size_t at = 0; at < length && rc == STAY_OK;) {
        struct binlog_event event;
        rc = binlog_inner_parse((const uint8_t *)bytes + at, length - at, &event, &err);
        if (rc != STAY_OK)
            break;
        at += event.length;
        if (binlog_is_gtid(&event)) {
            walk_begin(&walk);
            tell_gtid(out, &event);
        } else if (event.type == BINLOG_GTID_LIST || event.type == BINLOG_PREVIOUS_GTIDS) {
            STAY_AUTO(gtid_set_drop) struct gtid_set set = {0};
            rc = binlog_state_parse(&event, &set, &err);
            STAY_AUTO(stay_free_charp) char *text = gtid_set_format(&set);
            str_addf(out, "before it %s\n", text);
        } else if (event.type != BINLOG_CHECKPOINT && event.type != BINLOG_ROTATE) {
            rc = walk_event(&walk, &event, &err);
        }
    }
    if (rc != STAY_OK)
        str_addf(out, "error %s\n", err.text);
    walk_clear(&walk);
}

#endif
