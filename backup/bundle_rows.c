/* Walks a transaction and decodes each row's cells. */
#include "backup/bundle_rows.h"

#define TEXT_MAX (16U * 1024U * 1024U)

struct visiting {
    const struct bundle *bundle;
    const struct bundle_visit *visit;
    bool has_ended;
};

struct row_texts {
    char **names;
    struct str *texts;
    struct bundle_cell *cells;
    struct binlog_cell *raw;
    uint32_t count;
};

const char *rows_kind_text(enum rows_kind kind)
{
    static const char *const texts[] = {"none", "insert", "update", "delete"};
    return texts[kind];
}

/* The description fits only while the table has as many columns as its rows. */
static const struct bundle_table *known_of(const struct bundle *b, const struct binlog_table *table)
{
    const struct bundle_table *known = bundle_table_named(b, table->schema, table->name);
    return known != NULL && known->column_count == table->column_count ? known : NULL;
}

static void make_texts(struct row_texts *t, const struct binlog_table *table,
                       const struct bundle_table *known, size_t max)
{
    t->count = table->column_count;
    t->names = stay_calloc(t->count, sizeof *t->names);
    t->texts = stay_calloc((size_t)t->count * 2, sizeof *t->texts);
    t->cells = stay_calloc((size_t)t->count * 2, sizeof *t->cells);
    t->raw = stay_calloc((size_t)t->count * 2, sizeof *t->raw);
    for (uint32_t i = 0; i < t->count; i++) {
        const char *name = table->columns[i].name != NULL ? table->columns[i].name
                           : known != NULL                ? known->columns[i].name
                                                          : NULL;
        t->names[i] = name != NULL ? stay_strdup(name) : stay_sprintf("@%u", i + 1);
        str_init(&t->texts[i], max);
        str_init(&t->texts[t->count + i], max);
    }
}

static void free_texts(struct row_texts *t)
{
    for (uint32_t i = 0; i < t->count; i++) {
        free(t->names[i]);
        str_clear(&t->texts[i]);
        str_clear(&t->texts[t->count + i]);
    }
    free(t->names);
    free(t->texts);
    free(t->cells);
    free(t->raw);
}

static bool decode(struct row_texts *t, const struct binlog_rows *rows,
                   const struct binlog_table *table, const struct bundle_table *known,
                   unsigned which, const struct binlog_image *image)
{
    struct binlog_cell *raw = t->raw + (size_t)which * t->count;
    if (!binlog_image_cells(rows, table, which, image, raw))
        return false;
    for (uint32_t i = 0; i < t->count; i++) {
        struct str *text = &t->texts[which * t->count + i];
        struct bundle_cell *cell = &t->cells[which * t->count + i];
        str_reset(text);
        *cell = (struct bundle_cell){.is_present = raw[i].is_present, .is_null = raw[i].is_null};
        if (cell->is_present && !cell->is_null)
            cell->form =
                binlog_value_text(&table->columns[i], known == NULL ? NULL : &known->columns[i],
                                  raw[i].value, raw[i].length, text);
        cell->text = str_text(text);
        cell->is_cut = text->is_cut;
    }
    return true;
}

static enum stay_rc give_row(struct visiting *v, struct row_texts *t,
                             const struct binlog_rows *rows, const struct binlog_table *table,
                             const struct binlog_image *before, const struct binlog_image *after,
                             struct stay_error *err)
{
    const struct bundle_table *known = known_of(v->bundle, table);
    bool ok = (before->bytes == NULL || decode(t, rows, table, known, 0, before)) &&
              (after->bytes == NULL || decode(t, rows, table, known, 1, after));
    if (!ok)
        return stay_error(err, STAY_ECORRUPT, "a row of %s.%s is not understood", table->schema,
                          table->name);
    struct bundle_row row = {.table = table,
                             .known = known,
                             .kind = rows->kind,
                             .column_count = t->count,
                             .names = (const char *const *)t->names,
                             .before = before->bytes == NULL ? NULL : t->cells,
                             .after = after->bytes == NULL ? NULL : t->cells + t->count,
                             .raw_before = before->bytes == NULL ? NULL : t->raw,
                             .raw_after = after->bytes == NULL ? NULL : t->raw + t->count};
    enum stay_rc rc = v->visit->on_row(v->visit->arg, &row, err);
    v->has_ended = rc == STAY_ECANCELED;
    return rc;
}

static enum stay_rc on_rows(void *ctx, const struct binlog_table *table, struct binlog_rows *rows,
                            struct stay_error *err)
{
    struct visiting *v = ctx;
    struct binlog_image before, after;
    struct row_texts t = {0};
    bool more = true;
    enum stay_rc rc = STAY_OK;
    make_texts(&t, table, known_of(v->bundle, table),
               v->visit->text_max == 0 ? TEXT_MAX : v->visit->text_max);
    while (rc == STAY_OK && more) {
        rc = binlog_rows_next(rows, table, &more, &before, &after, err);
        if (rc == STAY_OK && more)
            rc = give_row(v, &t, rows, table, &before, &after, err);
    }
    free_texts(&t);
    return rc;
}

static enum stay_rc on_obstacle(void *ctx, const char *what, struct stay_error *err)
{
    struct visiting *v = ctx;
    (void)err;
    if (v->visit->on_obstacle != NULL)
        v->visit->on_obstacle(v->visit->arg, what);
    return STAY_OK;
}

static void on_text(void *ctx, const char *text, size_t length)
{
    struct visiting *v = ctx;
    if (v->visit->on_text != NULL)
        v->visit->on_text(v->visit->arg, text, length);
}

enum stay_rc bundle_visit_rows(const struct bundle *bundle, const struct bundle_transaction *t,
                               const struct bundle_visit *visit, struct stay_error *err)
{
    struct visiting v = {.bundle = bundle, .visit = visit};
    struct binlog_walk walk = {
        .ctx = &v, .on_rows = on_rows, .on_obstacle = on_obstacle, .on_text = on_text};
    enum stay_rc rc = bundle_walk(bundle, t, &walk, err);
    walk_clear(&walk);
    return v.has_ended ? STAY_OK : rc;
}

/* --- JSON
 * ----------------------------------------------------------------------------------------- */

static json_t *cells_json(const struct bundle_row *row, const struct bundle_cell *cells)
{
    if (cells == NULL)
        return json_null();
    json_t *obj = json_object();
    for (uint32_t i = 0; i < row->column_count; i++) {
        const struct bundle_cell *c = &cells[i];
        if (!c->is_present)
            continue;
        STAY_AUTO(stay_free_charp)
        char *bytes = c->form == VALUE_BYTES ? stay_sprintf("0x%s", c->text) : NULL;
        stay_json_set_string(obj, row->names[i],
                             c->is_null      ? NULL
                             : bytes != NULL ? bytes
                                             : c->text);
    }
    return obj;
}

static enum stay_rc row_json(void *arg, const struct bundle_row *row, struct stay_error *err)
{
    json_t *obj = json_object();
    STAY_AUTO(stay_free_charp)
    char *table = stay_sprintf("%s.%s", row->table->schema, row->table->name);
    (void)err;
    stay_json_set_string(obj, "table", table);
    stay_json_set_string(obj, "kind", rows_kind_text(row->kind));
    stay_json_set(obj, "before", cells_json(row, row->before));
    stay_json_set(obj, "after", cells_json(row, row->after));
    stay_json_append(json_object_get(arg, "rows"), obj);
    return STAY_OK;
}

static void text_json(void *arg, const char *text, size_t length)
{
    STAY_AUTO(stay_free_charp) char *copy = stay_calloc(1, length + 1);
    memcpy(copy, text, length);
    stay_json_set_string(arg, "statement", copy);
}

enum stay_rc bundle_transaction_json(const struct bundle *bundle,
                                     const struct bundle_transaction *t, json_t **ret,
                                     struct stay_error *err)
{
    json_t *obj = json_object();
    struct bundle_visit visit = {.on_row = row_json, .on_text = text_json, .arg = obj};
    STAY_AUTO(stay_free_charp) char *decision = bundle_decision(bundle, t->gtid);
    stay_json_set_string(obj, "gtid", t->gtid);
    stay_json_set_int(obj, "wall_us", t->wall_us);
    stay_json_set_string(obj, "tables", t->tables);
    stay_json_set_string(obj, "obstacle", t->obstacle);
    stay_json_set_string(obj, "decision", decision);
    stay_json_set(obj, "rows", json_array());
    enum stay_rc rc = bundle_visit_rows(bundle, t, &visit, err);
    if (rc == STAY_OK)
        *ret = obj;
    else
        json_decref(obj);
    return rc;
}
