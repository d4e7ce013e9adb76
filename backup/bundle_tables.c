/* Three questions a table. */
#include <mysql.h>

#include "backup/bundle_tables.h"

#include "base/io/real_clock.h"

#define ASK_US (30 * STAY_SECOND)

static void keep_column(void *arg, const struct mysql_row *row)
{
    struct bundle_table *t = arg;
    const char *const *v = row->values;
    if (row->columns < 4 || v[0] == NULL || v[1] == NULL || t->column_count == BINLOG_COLUMNS_MAX)
        return;
    t->columns = stay_realloc(t->columns, t->column_count + 1, sizeof *t->columns);
    t->columns[t->column_count++] =
        (struct bundle_column){.name = stay_strdup(v[0]),
                               .type = stay_strdup(v[1]),
                               .charset = v[2] == NULL ? NULL : stay_strdup(v[2]),
                               .is_unsigned = strstr(v[1], "unsigned") != NULL,
                               .key = v[3] == NULL ? 0 : (unsigned)strtoul(v[3], NULL, 10)};
}

static void keep_text(void *arg, const struct mysql_row *row)
{
    char **text = arg;
    if (*text == NULL && row->columns > 0 && row->values[0] != NULL)
        *text = stay_strdup(row->values[0]);
}

static enum stay_rc describe(struct mysql_session *s, struct bundle_table *t,
                             struct stay_error *err)
{
    STAY_AUTO(stay_free_charp) char *schema = mysql_quote(t->schema);
    STAY_AUTO(stay_free_charp) char *name = mysql_quote(t->name);
    STAY_AUTO(stay_free_charp)
    char *columns =
        stay_sprintf("SELECT c.column_name, c.column_type, c.character_set_name, k.seq_in_index "
                     "FROM information_schema.columns c LEFT JOIN information_schema.statistics k "
                     "ON k.table_schema = c.table_schema AND k.table_name = c.table_name AND "
                     "k.index_name = 'PRIMARY' AND k.column_name = c.column_name "
                     "WHERE c.table_schema = %s AND c.table_name = %s ORDER BY c.ordinal_position",
                     schema, name);
    STAY_AUTO(stay_free_charp)
    char *engine = stay_sprintf("SELECT engine FROM information_schema.tables "
                                "WHERE table_schema = %s AND table_name = %s",
                                schema, name);
    /* MySQL before 9.6 and MariaDB let InnoDB change the children without a word in the log. */
    STAY_AUTO(stay_free_charp)
    char *cascades =
        stay_sprintf("SELECT constraint_name FROM information_schema.referential_constraints "
                     "WHERE unique_constraint_schema = %s AND referenced_table_name = %s AND "
                     "(delete_rule NOT IN ('RESTRICT', 'NO ACTION') OR "
                     "update_rule NOT IN ('RESTRICT', 'NO ACTION'))",
                     schema, name);
    int64_t due = real_clock_mono_us() + ASK_US;
    enum stay_rc rc = mysql_session_run(s, columns, due, keep_column, t, err);
    if (rc == STAY_OK)
        rc = mysql_session_run(s, engine, due, keep_text, &t->engine, err);
    if (rc == STAY_OK)
        rc = mysql_session_run(s, cascades, due, keep_text, &t->cascades, err);
    return rc;
}

enum stay_rc bundle_describe_tables(struct mysql_session *s, struct bundle *b,
                                    struct stay_error *err)
{
    for (size_t i = 0; i < b->table_count; i++) {
        enum stay_rc rc = describe(s, &b->tables[i], err);
        if (rc != STAY_OK)
            return stay_error_prefix(err, rc, "describe %s.%s", b->tables[i].schema,
                                     b->tables[i].name);
    }
    return STAY_OK;
}
