/* Lists -> shapes -> slices; a slice: at once -> behind the position -> cut small -> under locks.
 */
#include <mysql.h>

#include "backup/compare.h"

#include <time.h>

#include "backup/bundle_save.h"
#include "backup/compare_table.h"
#include "base/io/real_clock.h"

#define OPEN_US     (10 * STAY_SECOND)
#define ASK_US      (600 * STAY_SECOND)
#define BEHIND_US   (60 * STAY_SECOND) /* the replica may be, after a rejoin */
#define LOCKED_US   (2 * STAY_SECOND)  /* writers of a slice may wait */
#define SETTLE_US   STAY_SECOND /* MariaDB's log holds a transaction before its rows are seen */
#define POLL_US     (5 * STAY_MS)
#define SLICE_ROWS  2000
#define SMALL_ROWS  100
#define WHOLE_ROWS  20000 /* a table without a key is locked up to here */
#define TRIES       3
#define DIFFERS_MAX 5 /* of a table */

enum equal { EQUAL_NO = 0, EQUAL_YES, EQUAL_UNKNOWN };

struct comparing {
    const struct compare *what;
    struct compare_outcome *out;
    struct mysql_session *source, *replica;
    bool is_mysql;
    const struct compare_table *table;
    char *name; /* "schema.table" */
    uint64_t table_differences;
    char why[200];
};

struct sum {
    uint64_t rows, summed;
    char sum[72]; /* decimal */
};

static void sleep_us(int64_t us)
{
    struct timespec t = {.tv_sec = us / STAY_SECOND, .tv_nsec = us % STAY_SECOND * 1000};
    while (nanosleep(&t, &t) != 0)
        ;
}

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

static void keep_sum(void *arg, const struct mysql_row *row)
{
    struct sum *sum = arg;
    if (row->columns < 3 || row->values[0] == NULL || row->values[1] == NULL ||
        row->values[2] == NULL)
        return;
    sum->rows = strtoull(row->values[0], NULL, 10);
    sum->summed = strtoull(row->values[1], NULL, 10);
    (void)stay_copy(sum->sum, sizeof sum->sum, row->values[2]);
}

static enum stay_rc read_sum(struct comparing *c, struct mysql_session *s, const char *sql,
                             struct sum *ret, struct stay_error *err)
{
    *ret = (struct sum){0};
    enum stay_rc rc = mysql_session_run(s, sql, real_clock_mono_us() + ASK_US, keep_sum, ret, err);
    if (rc == STAY_OK && (ret->sum[0] == '\0' || ret->summed != ret->rows))
        rc = stay_error(err, STAY_ELIMIT, "a row is larger than max_allowed_packet");
    return rc == STAY_OK
               ? rc
               : stay_error_prefix(err, rc, "%s",
                                   s == c->source ? c->what->source_name : c->what->replica_name);
}

static bool is_same(const struct sum *a, const struct sum *b)
{
    return a->rows == b->rows && strcmp(a->sum, b->sum) == 0;
}

/* Until the replica holds what the source held at the call. STAY_ETIMEDOUT: it did not. */
static enum stay_rc come_up(struct comparing *c, int64_t due_us, struct stay_error *err)
{
    STAY_AUTO(gtid_set_drop) struct gtid_set all = {0};
    enum engine engine = c->what->source.engine;
    enum stay_rc rc = bundle_read_executed(c->source, engine, &all, err);
    while (rc == STAY_OK) {
        STAY_AUTO(gtid_set_drop) struct gtid_set has = {0};
        rc = bundle_read_executed(c->replica, engine, &has, err);
        if (rc != STAY_OK || gtid_set_contains(&has, &all))
            break;
        if (real_clock_mono_us() >= due_us)
            return stay_error(err, STAY_ETIMEDOUT, "%s does not come up with %s",
                              c->what->replica_name, c->what->source_name);
        sleep_us(POLL_US);
    }
    return rc;
}

/* The source before, the replica behind it, the source again: one of the two may be it. */
static enum stay_rc compare_unlocked(struct comparing *c, const char *sql, enum equal *ret_equal,
                                     struct stay_error *err)
{
    struct sum first, there, last;
    *ret_equal = EQUAL_NO;
    enum stay_rc rc = read_sum(c, c->source, sql, &first, err);
    if (rc == STAY_OK)
        rc = read_sum(c, c->replica, sql, &there, err);
    for (int i = 0; rc == STAY_OK && !is_same(&first, &there) && i < TRIES; i++) {
        rc = come_up(c, real_clock_mono_us() + BEHIND_US, err);
        if (rc == STAY_OK)
            rc = read_sum(c, c->replica, sql, &there, err);
        if (rc == STAY_OK)
            rc = read_sum(c, c->source, sql, &last, err);
        if (rc == STAY_OK && !is_same(&first, &there))
            first = last;
    }
    if (rc == STAY_OK && is_same(&first, &there)) {
        *ret_equal = EQUAL_YES;
        c->out->rows += first.rows;
    }
    return rc;
}

/* Nobody changes the source's rows meanwhile, so the replica's settle on them or differ. */
static enum stay_rc compare_held(struct comparing *c, const char *sql, enum equal *ret_equal,
                                 struct stay_error *err)
{
    struct sum first, there;
    int64_t due = real_clock_mono_us() + LOCKED_US, settled = INT64_MAX;
    *ret_equal = EQUAL_UNKNOWN;
    enum stay_rc rc = read_sum(c, c->source, sql, &first, err);
    if (rc == STAY_OK)
        rc = come_up(c, due, err);
    if (rc == STAY_ETIMEDOUT)
        return STAY_OK;
    settled = real_clock_mono_us() + SETTLE_US;
    while (rc == STAY_OK) {
        rc = read_sum(c, c->replica, sql, &there, err);
        if (rc == STAY_OK && is_same(&first, &there)) {
            *ret_equal = EQUAL_YES;
            c->out->rows += first.rows;
            return rc;
        }
        if (real_clock_mono_us() >= settled)
            break;
        sleep_us(POLL_US);
    }
    if (rc == STAY_OK) {
        *ret_equal = EQUAL_NO;
        (void)snprintf(c->why, sizeof c->why, "%llu rows on %s, %llu on %s%s",
                       (unsigned long long)first.rows, c->what->source_name,
                       (unsigned long long)there.rows, c->what->replica_name,
                       first.rows == there.rows ? ", not the same" : "");
    }
    return rc;
}

static enum stay_rc compare_locked(struct comparing *c, const char *sql, const char *lock,
                                   enum equal *ret_equal, struct stay_error *err)
{
    struct stay_error e = {0}, ignored;
    (void)stay_copy(c->why, sizeof c->why, "it is written all the time");
    *ret_equal = EQUAL_UNKNOWN;
    enum stay_rc rc = mysql_session_run(c->source, "START TRANSACTION",
                                        real_clock_mono_us() + OPEN_US, NULL, NULL, err);
    if (rc != STAY_OK)
        return rc;
    rc = mysql_session_run(c->source, lock, real_clock_mono_us() + OPEN_US, NULL, NULL, &e);
    if (rc == STAY_OK)
        rc = compare_held(c, sql, ret_equal, err);
    else if (e.native == 1205 || e.native == 1213) /* somebody's locks; a deadlock */
        rc = STAY_OK;
    else
        rc = stay_error(err, rc, "%s", e.text);
    if (mysql_session_is_open(c->source) &&
        mysql_session_run(c->source, "ROLLBACK", real_clock_mono_us() + OPEN_US, NULL, NULL,
                          &ignored) != STAY_OK)
        mysql_session_close(c->source);
    return rc;
}

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
        sleep_us((real_clock_mono_us() - begun) / 2);
        return rc;
    }
    if (rows > SMALL_ROWS && c->table->key_count > 0)
        return compare_range(c, from, to, SMALL_ROWS, err);
    if (may_lock(c)) {
        STAY_AUTO(stay_free_charp)
        char *lock = compare_lock_sql(c->table, from, to, c->is_mysql);
        equal = EQUAL_UNKNOWN;
        for (int i = 0; rc == STAY_OK && equal == EQUAL_UNKNOWN && i < TRIES; i++)
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
            rc = mysql_session_run(c->source, sql, real_clock_mono_us() + ASK_US, keep_bound, &next,
                                   err);
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
        rc = come_up(c, real_clock_mono_us() + BEHIND_US, err);
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
    for (int i = 0; rc == STAY_OK && !stands && i < TRIES; i++) {
        compare_tables_free(first, n_first);
        compare_tables_free(there, n_there);
        compare_tables_free(again, n_again);
        first = there = again = NULL;
        n_first = n_there = n_again = 0;
        rc = compare_list(c->source, &first, &n_first, err);
        if (rc == STAY_OK)
            rc = come_up(c, real_clock_mono_us() + BEHIND_US, err);
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
    int64_t due = real_clock_mono_us() + OPEN_US;
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
