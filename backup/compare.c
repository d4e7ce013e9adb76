/* Lists -> shapes -> slices; a slice: at once -> behind the position -> cut small -> under locks.
 */
#include <mysql.h>

#include "backup/compare_private.h"

#include "base/io/real_clock.h"

#define SLICE_ROWS  2000
#define SMALL_ROWS  100
#define WHOLE_ROWS  20000 /* a table without a key is locked up to here */
#define DIFFERS_MAX 5     /* of a table */

static void tell(struct comparing *c, const char *slice, enum compare_result result,
                 const char *why)
{
    c->out->differences += result == COMPARE_DIFFERS;
    c->table_differences += result == COMPARE_DIFFERS;
    c->out->unknown += result == COMPARE_UNKNOWN;
    c->what->told(c->what->told_arg, c->name, slice, result, why);
}

/* --- one slice ---------------------------------------------------------------------------------
 */

/* May a proof by locks be had, and is it small enough to be waited for? */
static bool may_lock(struct comparing *c)
{
    const struct compare_table *t = c->table;
    if (strcasecmp(t->engine, "InnoDB") != 0)
        (void)snprintf(c->why, sizeof c->why, "%.40s, and written meanwhile", t->engine);
    else if (t->key_count == 0 && t->rows > WHOLE_ROWS)
        (void)stay_copy(c->why, sizeof c->why, "no primary key, and written meanwhile");
    else
        return true;
    return false;
}

static enum stay_rc compare_range(struct comparing *c, const struct compare_bound *from,
                                  const struct compare_bound *to, unsigned rows,
                                  struct stay_error *err);

/* rows: SLICE_ROWS a first look, after which it is cut small. */
static enum stay_rc compare_slice(struct comparing *c, const struct compare_bound *from,
                                  const struct compare_bound *to, unsigned rows,
                                  struct stay_error *err)
{
    STAY_AUTO(stay_free_charp) char *sql = compare_sum_sql(c->table, from, to);
    int64_t begun = real_clock_mono_us();
    enum equal equal = EQUAL_NO;
    enum stay_rc rc = compare_unlocked(c, sql, &equal, err);
    if (rc != STAY_OK || equal == EQUAL_YES) {
        compare_sleep_us((real_clock_mono_us() - begun) / 2);
        return rc;
    }
    if (rows > SMALL_ROWS && c->table->key_count > 0)
        return compare_range(c, from, to, SMALL_ROWS, err);
    if (may_lock(c)) {
        STAY_AUTO(stay_free_charp)
        char *lock = compare_lock_sql(c->table, from, to, c->is_mysql);
        equal = EQUAL_UNKNOWN;
        for (int i = 0; rc == STAY_OK && equal == EQUAL_UNKNOWN && i < COMPARE_TRIES; i++)
            rc = compare_locked(c, sql, lock, &equal, err);
    } else {
        equal = EQUAL_UNKNOWN;
    }
    if (rc != STAY_OK || equal == EQUAL_YES)
        return rc;
    STAY_AUTO(stay_free_charp) char *slice = compare_slice_text(c->table, from, to);
    tell(c, slice, equal == EQUAL_NO ? COMPARE_DIFFERS : COMPARE_UNKNOWN, c->why);
    return rc;
}

static void keep_bound(void *arg, const struct mysql_row *row)
{
    struct compare_bound *bound = arg;
    for (unsigned i = 0; bound->n == i && i < row->columns && i < COMPARE_KEYS_MAX; i++)
        if (row->values[i] != NULL)
            bound->literals[bound->n++] = stay_strdup(row->values[i]);
}

/* Slice after slice of the source's rows; the replica's that lie between them are in one of them.
 */
static enum stay_rc compare_range(struct comparing *c, const struct compare_bound *from,
                                  const struct compare_bound *to, unsigned rows,
                                  struct stay_error *err)
{
    struct compare_bound at = {0}, next = {0};
    enum stay_rc rc = STAY_OK;
    bool is_last = false;
    compare_bound_copy(&at, from);
    while (rc == STAY_OK && !is_last && c->table_differences < DIFFERS_MAX) {
        STAY_AUTO(stay_free_charp) char *sql = compare_next_sql(c->table, &at, to, rows);
        compare_bound_clear(&next);
        if (sql != NULL)
            rc = mysql_session_run(c->source, sql, real_clock_mono_us() + COMPARE_ASK_US,
                                   keep_bound, &next, err);
        is_last = next.n != c->table->key_count || next.n == 0;
        if (rc == STAY_OK)
            rc = compare_slice(c, &at, is_last ? to : &next, rows, err);
        compare_bound_copy(&at, &next);
    }
    compare_bound_clear(&at);
    compare_bound_clear(&next);
    return rc;
}

/* --- tables ------------------------------------------------------------------------------------
 */

static bool is_changed(const struct stay_error *err)
{
    return err->native == 1146 || err->native == 1054 || err->native == 1412;
}

static enum stay_rc compare_table(struct comparing *c, struct compare_table *table,
                                  struct stay_error *err)
{
    static const struct compare_bound open = {0};
    struct compare_table there = {.schema = stay_strdup(table->schema),
                                  .name = stay_strdup(table->name)};
    struct compare_table *list = stay_calloc(1, sizeof *list);
    enum stay_rc rc = compare_describe(c->source, table, err);
    if (rc == STAY_OK)
        rc = compare_come_up(c, real_clock_mono_us() + COMPARE_BEHIND_US, err);
    if (rc == STAY_OK)
        rc = compare_describe(c->replica, &there, err);
    c->table = table;
    c->table_differences = 0;
    if (rc == STAY_ENOTFOUND) {
        tell(c, "", COMPARE_UNKNOWN, "dropped meanwhile");
        rc = STAY_OK;
    } else if (rc == STAY_OK && strcmp(table->shape, there.shape) != 0) {
        tell(c, "", COMPARE_DIFFERS, "its columns differ");
    } else if (rc == STAY_OK) {
        rc = compare_range(c, &open, &open, SLICE_ROWS, err);
        c->out->tables += rc == STAY_OK;
        if (rc != STAY_OK && is_changed(err)) {
            tell(c, "", COMPARE_UNKNOWN, "changed meanwhile");
            rc = STAY_OK;
        } else if (rc == STAY_ELIMIT) {
            tell(c, "", COMPARE_UNKNOWN, err->text);
            rc = STAY_OK;
        }
    }
    *list = there;
    compare_tables_free(list, 1);
    return rc == STAY_OK ? rc : stay_error_prefix(err, rc, "%s", c->name);
}

static int order(const struct compare_table *a, const struct compare_table *b)
{
    int by = strcmp(a->schema, b->schema);
    return by != 0 ? by : strcmp(a->name, b->name);
}

/* Of two sorted lists: what only one has differs, what both have is compared. */
static enum stay_rc compare_lists(struct comparing *c, struct compare_table *a, size_t na,
                                  const struct compare_table *b, size_t nb, struct stay_error *err)
{
    enum stay_rc rc = STAY_OK;
    for (size_t i = 0, j = 0; rc == STAY_OK && (i < na || j < nb);) {
        int by = i == na ? 1 : j == nb ? -1 : order(&a[i], &b[j]);
        const struct compare_table *named = by <= 0 ? &a[i] : &b[j];
        char why[120];
        free(c->name);
        c->name = stay_sprintf("%s.%s", named->schema, named->name);
        if (by == 0) {
            rc = compare_table(c, &a[i], err);
        } else {
            (void)snprintf(why, sizeof why, "only on %.80s",
                           by < 0 ? c->what->source_name : c->what->replica_name);
            tell(c, "", COMPARE_DIFFERS, why);
        }
        i += by <= 0;
        j += by >= 0;
    }
    return rc;
}

/* Both lists behind one position; a table made or dropped between the two readings: once more. */
static enum stay_rc compare_all(struct comparing *c, struct stay_error *err)
{
    struct compare_table *first = NULL, *there = NULL, *again = NULL;
    size_t n_first = 0, n_there = 0, n_again = 0;
    enum stay_rc rc = STAY_OK;
    bool stands = false;
    for (int i = 0; rc == STAY_OK && !stands && i < COMPARE_TRIES; i++) {
        compare_tables_free(first, n_first);
        compare_tables_free(there, n_there);
        compare_tables_free(again, n_again);
        first = there = again = NULL;
        n_first = n_there = n_again = 0;
        rc = compare_list(c->source, &first, &n_first, err);
        if (rc == STAY_OK)
            rc = compare_come_up(c, real_clock_mono_us() + COMPARE_BEHIND_US, err);
        if (rc == STAY_OK)
            rc = compare_list(c->replica, &there, &n_there, err);
        if (rc == STAY_OK)
            rc = compare_list(c->source, &again, &n_again, err);
        stands = rc == STAY_OK && n_first == n_again;
        for (size_t t = 0; stands && t < n_first; t++)
            stands = order(&first[t], &again[t]) == 0;
    }
    if (rc == STAY_OK && !stands)
        rc = stay_error(err, STAY_EBUSY, "tables are made or dropped all the time");
    if (rc == STAY_OK)
        rc = compare_lists(c, first, n_first, there, n_there, err);
    compare_tables_free(first, n_first);
    compare_tables_free(there, n_there);
    compare_tables_free(again, n_again);
    return rc;
}

static enum stay_rc open_session(struct mysql_session *s, const struct mysql_target *target,
                                 const struct mysql_account *account, struct stay_error *err)
{
    struct reach reach = {0};
    int64_t due = real_clock_mono_us() + COMPARE_OPEN_US;
    enum stay_rc rc = mysql_session_open(s, target, account, due, &reach, err);
    if (rc == STAY_OK) /* gaps are locked too; one statement's transaction ends with it */
        rc = mysql_session_run(s, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", due,
                               NULL, NULL, err);
    if (rc == STAY_OK)
        rc = mysql_session_run(s, "SET SESSION innodb_lock_wait_timeout = 2", due, NULL, NULL, err);
    return rc;
}

enum stay_rc compare_servers(const struct compare *what, struct compare_outcome *ret_outcome,
                             struct stay_error *err)
{
    struct comparing c = {.what = what,
                          .out = ret_outcome,
                          .source = mysql_session_new(),
                          .replica = mysql_session_new(),
                          .is_mysql = what->source.engine == ENGINE_MYSQL};
    *ret_outcome = (struct compare_outcome){0};
    enum stay_rc rc = open_session(c.source, &what->source, &what->operate, err);
    if (rc == STAY_OK)
        rc = open_session(c.replica, &what->replica, &what->operate, err);
    if (rc == STAY_OK)
        rc = compare_all(&c, err);
    mysql_session_free(c.source);
    mysql_session_free(c.replica);
    free(c.name);
    return rc;
}
