/* information_schema -> texts. */
#include "backup/compare_table.h"

#include "base/io/real_clock.h"

#define ASK_US (60 * STAY_SECOND)

/* --- what is there -----------------------------------------------------------------------------
 */

struct list {
    struct compare_table *tables;
    size_t count;
};

static const char *text_at(const struct mysql_row *row, unsigned column)
{
    return column < row->columns && row->values[column] != NULL ? row->values[column] : "";
}

static void keep_table(void *arg, const struct mysql_row *row)
{
    struct list *list = arg;
    list->tables = stay_realloc(list->tables, list->count + 1, sizeof *list->tables);
    list->tables[list->count++] =
        (struct compare_table){.schema = stay_strdup(text_at(row, 0)),
                               .name = stay_strdup(text_at(row, 1)),
                               .engine = stay_strdup(text_at(row, 2)),
                               .rows = strtoull(text_at(row, 3), NULL, 10)};
}

enum stay_rc compare_list(struct mysql_session *s, struct compare_table **ret_list,
                          size_t *ret_count, struct stay_error *err)
{
    static const char sql[] =
        "SELECT table_schema, table_name, engine, table_rows FROM information_schema.tables "
        "WHERE table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') AND table_schema NOT IN "
        "('mysql', 'information_schema', 'performance_schema', 'sys', 'mainstay') "
        "ORDER BY CAST(table_schema AS BINARY), CAST(table_name AS BINARY)";
    struct list list = {0};
    enum stay_rc rc =
        mysql_session_run(s, sql, real_clock_mono_us() + ASK_US, keep_table, &list, err);
    if (rc != STAY_OK) {
        compare_tables_free(list.tables, list.count);
        return stay_error_prefix(err, rc, "the list of tables");
    }
    *ret_list = list.tables;
    *ret_count = list.count;
    return STAY_OK;
}

struct describing {
    struct compare_table *table;
    struct str shape;
    bool has_odd_key; /* of a prefix or an expression */
};

static void keep_column(void *arg, const struct mysql_row *row)
{
    struct describing *d = arg;
    struct compare_table *t = d->table;
    const char *charset = text_at(row, 3), *collation = text_at(row, 4);
    t->columns = stay_realloc(t->columns, t->column_count + 1, sizeof *t->columns);
    t->columns[t->column_count++] =
        (struct compare_column){.name = stay_strdup(text_at(row, 0)),
                                .data_type = stay_strdup(text_at(row, 1)),
                                .charset = charset[0] == '\0' ? NULL : stay_strdup(charset),
                                .collation = collation[0] == '\0' ? NULL : stay_strdup(collation)};
    str_addf(&d->shape, "%s`%s` %s%s%s %s", d->shape.length > 0 ? ", " : "", text_at(row, 0),
             text_at(row, 2), collation[0] == '\0' ? "" : " ", collation,
             strcmp(text_at(row, 5), "YES") == 0 ? "NULL" : "NOT NULL");
}

/* Types whose order a literal keeps; any other key is not cut by. */
static bool is_key_type(const struct compare_column *c)
{
    static const char *const types[] = {"tinyint", "smallint", "mediumint", "int",    "bigint",
                                        "decimal", "char",     "varchar",   "binary", "varbinary",
                                        "date",    "datetime", "timestamp", "year",   "uuid"};
    for (size_t i = 0; i < STAY_COUNT(types); i++)
        if (strcasecmp(c->data_type, types[i]) == 0)
            return true;
    return false;
}

static void keep_key(void *arg, const struct mysql_row *row)
{
    struct describing *d = arg;
    struct compare_table *t = d->table;
    size_t at = 0;
    while (at < t->column_count && strcmp(t->columns[at].name, text_at(row, 0)) != 0)
        at++;
    if (at == t->column_count || text_at(row, 1)[0] != '\0' || t->key_count == COMPARE_KEYS_MAX ||
        !is_key_type(&t->columns[at]))
        d->has_odd_key = true;
    else
        t->keys[t->key_count++] = at;
}

enum stay_rc compare_describe(struct mysql_session *s, struct compare_table *table,
                              struct stay_error *err)
{
    struct describing d = {.table = table};
    STAY_AUTO(stay_free_charp) char *schema = mysql_quote(table->schema);
    STAY_AUTO(stay_free_charp) char *name = mysql_quote(table->name);
    STAY_AUTO(stay_free_charp)
    char *columns = stay_sprintf("SELECT column_name, data_type, column_type, character_set_name, "
                                 "collation_name, is_nullable FROM information_schema.columns "
                                 "WHERE table_schema = %s AND table_name = %s "
                                 "ORDER BY ordinal_position",
                                 schema, name);
    STAY_AUTO(stay_free_charp)
    char *keys = stay_sprintf("SELECT column_name, sub_part FROM information_schema.statistics "
                              "WHERE table_schema = %s AND table_name = %s AND "
                              "index_name = 'PRIMARY' ORDER BY seq_in_index",
                              schema, name);
    int64_t due = real_clock_mono_us() + ASK_US;
    enum stay_rc rc = mysql_session_run(s, columns, due, keep_column, &d, err);
    if (rc == STAY_OK)
        rc = mysql_session_run(s, keys, due, keep_key, &d, err);
    if (rc == STAY_OK && table->column_count == 0)
        rc = stay_error(err, STAY_ENOTFOUND, "it is gone");
    if (d.has_odd_key)
        table->key_count = 0;
    table->shape = str_take(&d.shape);
    return rc == STAY_OK ? rc : stay_error_prefix(err, rc, "%s.%s", table->schema, table->name);
}

void compare_tables_free(struct compare_table *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct compare_table *t = &list[i];
        for (size_t c = 0; c < t->column_count; c++) {
            free(t->columns[c].name);
            free(t->columns[c].data_type);
            free(t->columns[c].charset);
            free(t->columns[c].collation);
        }
        free(t->columns);
        free(t->schema);
        free(t->name);
        free(t->engine);
        free(t->shape);
    }
    free(list);
}

void compare_bound_clear(struct compare_bound *bound)
{
    for (size_t i = 0; i < bound->n; i++)
        free(bound->literals[i]);
    *bound = (struct compare_bound){0};
}

void compare_bound_copy(struct compare_bound *to, const struct compare_bound *from)
{
    compare_bound_clear(to);
    for (size_t i = 0; i < from->n; i++)
        to->literals[i] = stay_strdup(from->literals[i]);
    to->n = from->n;
}

/* --- texts -------------------------------------------------------------------------------------
 */

/* `a``b` */
static void add_name(struct str *s, const char *name)
{
    str_add_char(s, '`');
    for (; *name != '\0'; name++) {
        if (*name == '`')
            str_add_char(s, '`');
        str_add_char(s, *name);
    }
    str_add_char(s, '`');
}

static void add_table(struct str *s, const struct compare_table *t)
{
    add_name(s, t->schema);
    str_add_char(s, '.');
    add_name(s, t->name);
    str_add(s, t->key_count > 0 ? " FORCE INDEX (PRIMARY)" : " USE INDEX ()");
}

static bool is_large(const struct compare_column *c)
{
    static const char *const ends[] = {"text", "blob", "json", "vector"};
    size_t n = strlen(c->data_type);
    for (size_t i = 0; i < STAY_COUNT(ends); i++) {
        size_t length = strlen(ends[i]);
        if (n >= length && strcasecmp(c->data_type + n - length, ends[i]) == 0)
            return true;
    }
    static const char *const shapes[] = {
        "geometry",        "point",        "linestring",         "polygon",       "multipoint",
        "multilinestring", "multipolygon", "geometrycollection", "geomcollection"};
    for (size_t i = 0; i < STAY_COUNT(shapes); i++)
        if (strcasecmp(c->data_type, shapes[i]) == 0)
            return true;
    return false;
}

/* "3:abc", a large one by its own sum (a row's text must not pass max_allowed_packet), "-" NULL. */
static void add_value(struct str *s, const struct compare_column *c)
{
    STAY_AUTO(str_clear) struct str name = {0};
    add_name(&name, c->name);
    const char *n = str_text(&name);
    if (is_large(c))
        str_addf(s, "IFNULL(SHA2(%s, 256), '-')", n);
    else if (strcasecmp(c->data_type, "float") == 0) /* its own text is cut to six digits */
        str_addf(s, "IFNULL(CONCAT('f', %s * 1e0, ';'), '-')", n);
    else
        str_addf(s, "IFNULL(CONCAT(LENGTH(%s), ':', CAST(%s AS BINARY)), '-')", n, n);
}

/* (a > x) or (a = x and b > y) ..., its first column alone too, which the range is read by. */
static void add_beyond(struct str *s, const struct compare_table *t, const struct compare_bound *at,
                       bool is_above)
{
    const char *open = is_above ? ">" : "<";
    str_add_char(s, '(');
    add_name(s, t->columns[t->keys[0]].name);
    str_addf(s, " %s= %s AND (", open, at->literals[0]);
    for (size_t i = 0; i < at->n; i++) {
        bool is_last = i + 1 == at->n;
        str_add(s, i > 0 ? " OR (" : "(");
        for (size_t k = 0; k < i; k++) {
            add_name(s, t->columns[t->keys[k]].name);
            str_addf(s, " = %s AND ", at->literals[k]);
        }
        add_name(s, t->columns[t->keys[i]].name);
        str_addf(s, " %s%s %s)", open, is_last && !is_above ? "=" : "", at->literals[i]);
    }
    str_add(s, "))");
}

static void add_where(struct str *s, const struct compare_table *t,
                      const struct compare_bound *from, const struct compare_bound *to)
{
    const char *word = " WHERE ";
    if (from->n > 0) {
        str_add(s, word);
        add_beyond(s, t, from, true);
        word = " AND ";
    }
    if (to->n > 0) {
        str_add(s, word);
        add_beyond(s, t, to, false);
    }
}

char *compare_sum_sql(const struct compare_table *t, const struct compare_bound *from,
                      const struct compare_bound *to)
{
    struct str s = {0};
    str_add(&s, "SELECT COUNT(*), COUNT(h), "
                "IFNULL(SUM(CAST(CONV(LEFT(h, 16), 16, 10) AS UNSIGNED)), 0) FROM "
                "(SELECT SHA2(CONCAT(");
    for (size_t i = 0; i < t->column_count; i++) {
        str_add(&s, i > 0 ? ", " : "");
        add_value(&s, &t->columns[i]);
    }
    str_add(&s, "), 256) AS h FROM ");
    add_table(&s, t);
    add_where(&s, t, from, to);
    str_add(&s, ") AS slice");
    return str_take(&s);
}

char *compare_lock_sql(const struct compare_table *t, const struct compare_bound *from,
                       const struct compare_bound *to, bool is_mysql)
{
    struct str s = {0};
    str_add(&s, "SELECT COUNT(*) FROM ");
    add_table(&s, t);
    add_where(&s, t, from, to);
    str_add(&s, is_mysql ? " FOR SHARE" : " LOCK IN SHARE MODE");
    return str_take(&s);
}

/* The server writes the literal: of a text its bytes, in its own charset and order. */
static void add_literal(struct str *s, const struct compare_column *c)
{
    static const char *const numbers[] = {"tinyint", "smallint", "mediumint", "int",
                                          "bigint",  "decimal",  "year"};
    STAY_AUTO(str_clear) struct str name = {0};
    add_name(&name, c->name);
    for (size_t i = 0; i < STAY_COUNT(numbers); i++)
        if (strcasecmp(c->data_type, numbers[i]) == 0) {
            str_addf(s, "CAST(%s AS CHAR)", str_text(&name));
            return;
        }
    bool is_text = c->charset != NULL && c->collation != NULL;
    if (is_text)
        str_addf(s, "CONCAT('_%s x''', HEX(CAST(%s AS BINARY)), ''' COLLATE %s')", c->charset,
                 str_text(&name), c->collation);
    else if (strstr(c->data_type, "binary") != NULL)
        str_addf(s, "CONCAT('x''', HEX(%s), '''')", str_text(&name));
    else
        str_addf(s, "CONCAT('''', %s, '''')", str_text(&name));
}

char *compare_next_sql(const struct compare_table *t, const struct compare_bound *from,
                       const struct compare_bound *to, unsigned rows)
{
    struct str s = {0};
    if (t->key_count == 0)
        return NULL;
    str_add(&s, "SELECT ");
    for (size_t i = 0; i < t->key_count; i++) {
        str_add(&s, i > 0 ? ", " : "");
        add_literal(&s, &t->columns[t->keys[i]]);
    }
    str_add(&s, " FROM ");
    add_table(&s, t);
    add_where(&s, t, from, to);
    str_add(&s, " ORDER BY ");
    for (size_t i = 0; i < t->key_count; i++) {
        str_add(&s, i > 0 ? ", " : "");
        add_name(&s, t->columns[t->keys[i]].name);
    }
    str_addf(&s, " LIMIT 1 OFFSET %u", rows - 1);
    return str_take(&s);
}

static void add_bound_text(struct str *s, const struct compare_bound *bound)
{
    for (size_t i = 0; i < bound->n; i++)
        str_addf(s, "%s%s", i > 0 ? ", " : "", bound->literals[i]);
}

char *compare_slice_text(const struct compare_table *t, const struct compare_bound *from,
                         const struct compare_bound *to)
{
    struct str s = {0};
    if (t->key_count == 0)
        return stay_strdup("all of it");
    for (size_t i = 0; i < t->key_count; i++)
        str_addf(&s, "%s%s", i > 0 ? ", " : "", t->columns[t->keys[i]].name);
    if (from->n > 0) {
        str_add(&s, " above ");
        add_bound_text(&s, from);
    }
    if (to->n > 0) {
        str_add(&s, " to ");
        add_bound_text(&s, to);
    }
    if (from->n == 0 && to->n == 0)
        str_add(&s, ": all");
    return str_take(&s);
}
