/* The row is looked for by its primary key, or by every column where there is none, and each column
 * asked for in a form that has one spelling: numbers as numbers, text and bytes as hexadecimal. */
#include <mysql.h>

#include "backup/image_check.h"

#include "base/io/real_clock.h"

#include <openssl/evp.h>

#define ASK_US   (60 * STAY_SECOND)
#define TEXT_MAX (1U << 30)
#define LONG     4096 /* bytes: longer values are compared by their SHA-256 */

enum spelling { SPELL_NUMBER, SPELL_REAL, SPELL_TEXT, SPELL_HEX, SPELL_JSON };

struct checking {
    const struct binlog_table *table;
    const struct bundle_table *known;
    const struct binlog_cell *cells;
    struct str *wanted; /* each column's spelling */
    bool is_same;
};

static enum spelling spelling_of(const struct binlog_column *column)
{
    switch (column->type) {
    case COLUMN_TINY:
    case COLUMN_SHORT:
    case COLUMN_INT24:
    case COLUMN_LONG:
    case COLUMN_LONGLONG:
    case COLUMN_BIT:
    case COLUMN_ENUM:
    case COLUMN_SET:
    case COLUMN_YEAR:
        return SPELL_NUMBER;
    case COLUMN_FLOAT:
    case COLUMN_DOUBLE:
        return SPELL_REAL;
    case COLUMN_STRING:
    case COLUMN_VARCHAR:
    case COLUMN_VAR_STRING:
    case COLUMN_BLOB:
    case COLUMN_GEOMETRY:
    case COLUMN_VECTOR:
        return SPELL_HEX;
    case COLUMN_JSON:
        return SPELL_JSON;
    default: /* bytes of a log, not an enum: times, decimals */
        return SPELL_TEXT;
    }
}

static bool is_long(const struct binlog_column *column, const struct binlog_cell *cell)
{
    return !cell->is_null && cell->length > LONG && spelling_of(column) == SPELL_HEX;
}

static void spell(const struct binlog_column *column, const struct bundle_column *known,
                  const struct binlog_cell *cell, struct str *out)
{
    struct binlog_column plain = *column;
    struct bundle_column nameless = *known;
    if (is_long(column, cell)) {
        uint8_t sum[EVP_MAX_MD_SIZE];
        unsigned n = 0;
        must(EVP_Digest(cell->value, cell->length, sum, &n, EVP_sha256(), NULL) == 1);
        for (unsigned i = 0; i < n; i++)
            str_addf(out, "%02x", sum[i]);
        return;
    }
    if (spelling_of(column) == SPELL_HEX) {
        for (size_t i = 0; i < cell->length; i++)
            str_addf(out, "%02X", cell->value[i]);
        return;
    }
    if (column->type == COLUMN_ENUM || column->type == COLUMN_SET) { /* by number */
        uint64_t value = 0;
        for (size_t i = 0; i < cell->length && i < 8; i++)
            value |= (uint64_t)cell->value[i] << (8 * i);
        str_addf(out, "%llu", (unsigned long long)value);
        return;
    }
    if (column->type == COLUMN_YEAR) { /* 0000 is 0 */
        str_addf(out, "%u", cell->value[0] == 0 ? 0u : 1900u + cell->value[0]);
        return;
    }
    (void)binlog_value_text(&plain, &nameless, cell->value, cell->length, out);
}

static void add_name(struct str *sql, const char *name)
{
    str_add_char(sql, '`');
    for (const char *c = name; *c != '\0'; c++) {
        if (*c == '`')
            str_add_char(sql, '`');
        str_add_char(sql, *c);
    }
    str_add_char(sql, '`');
}

/* Numbers inside have many spellings: the server compares. */
static void add_json(struct str *sql, const char *name, const char *value)
{
    STAY_AUTO(stay_free_charp) char *quoted = mysql_quote(value);
    str_add(sql, "IF(CAST(");
    add_name(sql, name);
    str_addf(sql, " AS CHAR) = %s OR ", quoted);
    add_name(sql, name);
    str_addf(sql, " = CAST(%s AS JSON), 1, 0)", quoted);
}

static void add_form(struct str *sql, const struct binlog_column *column, const char *name,
                     const struct str *wanted, const struct binlog_cell *cell)
{
    static const char *const heads[] = {"(", "(", "CAST(", "HEX("};
    static const char *const tails[] = {" + 0)", " + 0e0)", " AS CHAR)", ")"};
    enum spelling s = spelling_of(column);
    if (s == SPELL_JSON && !cell->is_null) {
        add_json(sql, name, str_text(wanted));
        return;
    }
    if (s == SPELL_JSON)
        s = SPELL_TEXT;
    bool is_plain = column->type != COLUMN_GEOMETRY && column->type != COLUMN_VECTOR;
    if (s == SPELL_HEX && is_plain) { /* a longer one differs in its first bytes or in its sum */
        str_add(sql, is_long(column, cell) ? "SHA2(" : "HEX(LEFT(");
        add_name(sql, name);
        if (is_long(column, cell))
            str_add(sql, ", 256)");
        else
            str_addf(sql, ", %d))", LONG + 1);
        return;
    }
    str_add(sql, heads[s]);
    add_name(sql, name);
    str_add(sql, tails[s]);
}

/* A condition on the plain column where an index can serve it. */
static void add_condition(struct str *sql, const struct checking *k, uint32_t i, bool by_key)
{
    const struct binlog_column *column = &k->table->columns[i];
    const struct bundle_column *known = &k->known->columns[i];
    const char *value = str_text(&k->wanted[i]);
    if (k->cells[i].is_null) {
        add_name(sql, known->name);
        str_add(sql, " IS NULL");
        return;
    }
    enum spelling s = spelling_of(column);
    bool counted =
        column->type == COLUMN_ENUM || column->type == COLUMN_SET || column->type == COLUMN_BIT;
    if (by_key && s == SPELL_NUMBER && !counted) {
        add_name(sql, known->name);
        str_addf(sql, " = %s", value);
    } else if (by_key && s == SPELL_HEX && known->charset != NULL) {
        add_name(sql, known->name);
        str_addf(sql, " = CONVERT(X'%s' USING %s)", value, known->charset);
    } else if (by_key && s == SPELL_HEX) {
        add_name(sql, known->name);
        str_addf(sql, " = X'%s'", value);
    } else if (s == SPELL_REAL) {
        str_add(sql, "TRUE"); /* compared here */
    } else if (s == SPELL_JSON) {
        add_json(sql, known->name, value);
    } else {
        STAY_AUTO(stay_free_charp) char *quoted = mysql_quote(value);
        if (by_key)
            add_name(sql, known->name);
        else
            add_form(sql, column, known->name, &k->wanted[i], &k->cells[i]);
        str_addf(sql, " = %s", quoted);
    }
}

/* BINARY(n) is stored without its zeros at the end, and shown with them. */
static bool equal_hex(const char *want, const char *have, bool is_padded)
{
    size_t n = strlen(want);
    if (strncmp(want, have, n) != 0)
        return false;
    return have[n] == '\0' || (is_padded && strspn(have + n, "0") == strlen(have + n));
}

static bool equal(const struct checking *k, uint32_t i, const char *have)
{
    const struct binlog_column *column = &k->table->columns[i];
    const struct binlog_cell *cell = &k->cells[i];
    if (cell->is_null || have == NULL)
        return cell->is_null && have == NULL;
    const char *want = str_text(&k->wanted[i]);
    switch (spelling_of(column)) {
    case SPELL_REAL: {
        float f;
        double d;
        if (column->type == COLUMN_FLOAT) {
            memcpy(&f, cell->value, sizeof f);
            d = (double)f;
        } else {
            memcpy(&d, cell->value, sizeof d);
        }
        double seen = strtod(have, NULL);
        return !(d < seen) && !(d > seen);
    }
    case SPELL_HEX:
        return equal_hex(want, have,
                         column->type == COLUMN_STRING && k->known->columns[i].charset == NULL);
    case SPELL_JSON:
        return strcmp(have, "1") == 0;
    case SPELL_NUMBER:
    case SPELL_TEXT:
        return strcmp(want, have) == 0;
    }
    return false;
}

static void compare_row(void *arg, const struct mysql_row *row)
{
    struct checking *k = arg;
    bool same = row->columns == k->table->column_count;
    for (uint32_t i = 0; same && i < row->columns; i++)
        same = equal(k, i, row->values[i]);
    k->is_same |= same;
}

static char *question(const struct checking *k, bool is_mysql)
{
    struct str sql = {.max = TEXT_MAX};
    bool has_key = false;
    for (uint32_t i = 0; i < k->known->column_count; i++)
        has_key |= k->known->columns[i].key != 0;
    str_add(&sql, "SELECT ");
    for (uint32_t i = 0; i < k->table->column_count; i++) {
        str_add(&sql, i > 0 ? ", " : "");
        add_form(&sql, &k->table->columns[i], k->known->columns[i].name, &k->wanted[i],
                 &k->cells[i]);
    }
    str_add(&sql, " FROM ");
    add_name(&sql, k->table->schema);
    str_add_char(&sql, '.');
    add_name(&sql, k->table->name);
    str_add(&sql, " WHERE TRUE");
    for (uint32_t i = 0; i < k->table->column_count; i++) {
        if (has_key && k->known->columns[i].key == 0)
            continue;
        str_add(&sql, " AND ");
        add_condition(&sql, k, i, has_key);
    }
    str_add(&sql, is_mysql ? " FOR SHARE" : " LOCK IN SHARE MODE");
    return str_take(&sql);
}

enum stay_rc image_check(struct mysql_session *s, bool is_mysql, const struct binlog_table *table,
                         const struct bundle_table *known, const struct binlog_cell *cells,
                         bool *ret_is_same, struct stay_error *err)
{
    if (known == NULL || known->column_count != table->column_count ||
        table->column_count > MYSQL_SESSION_COLUMNS_MAX)
        return stay_error(err, STAY_EREFUSED, "the columns of %s.%s are not known", table->schema,
                          table->name);
    struct checking k = {.table = table, .known = known, .cells = cells};
    k.wanted = stay_calloc(table->column_count, sizeof *k.wanted);
    for (uint32_t i = 0; i < table->column_count; i++) {
        str_init(&k.wanted[i], TEXT_MAX);
        if (cells[i].is_present && !cells[i].is_null)
            spell(&table->columns[i], &known->columns[i], &cells[i], &k.wanted[i]);
    }
    STAY_AUTO(stay_free_charp) char *sql = question(&k, is_mysql);
    enum stay_rc rc =
        mysql_session_run(s, sql, real_clock_mono_us() + ASK_US, compare_row, &k, err);
    for (uint32_t i = 0; i < table->column_count; i++)
        str_clear(&k.wanted[i]);
    free(k.wanted);
    if (rc == STAY_OK)
        *ret_is_same = k.is_same;
    return rc;
}

bool image_is_comparable(const struct binlog_table *table, const struct bundle_table *known)
{
    if (known == NULL || known->column_count != table->column_count ||
        table->column_count > MYSQL_SESSION_COLUMNS_MAX)
        return false;
    for (uint32_t i = 0; i < table->column_count; i++) {
        const char *type = known->columns[i].type;
        uint8_t stored = table->columns[i].type;
        if (stored == COLUMN_BLOB_COMPRESSED || stored == COLUMN_VARCHAR_COMPRESSED ||
            strncasecmp(type, "uuid", 4) == 0 || strncasecmp(type, "inet", 4) == 0)
            return false;
    }
    return true;
}
