/* backup/compare_table.h - what is asked of a table so that its rows can be compared with those of
 * another server's: its shape, its slices by primary key, and one sum over all bytes of a slice.
 *
 * Layer: backup. The texts are pure; compare_list and compare_describe ask a server. Sums hold for
 * two servers of one version: each value as the server itself writes it, of its own length, NULL
 * apart from every value, into 64 bits of SHA-256, added up without overflow. */
#ifndef BACKUP_COMPARE_TABLE_H
#define BACKUP_COMPARE_TABLE_H
#include "base/str.h"
#include "probes/mysql_session.h"

#define COMPARE_KEYS_MAX 8

struct compare_column {
    char *name, *data_type;    /* "varchar" */
    char *charset, *collation; /* NULL: none */
};

struct compare_table {
    char *schema, *name, *engine;
    char *shape; /* every column with its type, charset and whether it may be NULL; one text */
    struct compare_column *columns;
    size_t column_count;
    size_t keys[COMPARE_KEYS_MAX]; /* the primary key's columns, in its order */
    size_t key_count;              /* 0: it is compared as one slice */
    uint64_t rows;                 /* the server's own estimate */
};

/* Where a slice begins (not in it) or ends (in it): one literal a key column; n 0: open. */
struct compare_bound {
    char *literals[COMPARE_KEYS_MAX];
    size_t n;
};

/* Base tables of every schema but the servers' own and mainstay's, sorted; heap, the caller frees
 * with compare_tables_free. Only schema, name, engine, rows are filled. */
enum stay_rc compare_list(struct mysql_session *s, struct compare_table **ret_list,
                          size_t *ret_count, struct stay_error *err) STAY_MUST_USE;
/* Fills shape, columns and keys. STAY_ENOTFOUND: it is gone. */
enum stay_rc compare_describe(struct mysql_session *s, struct compare_table *table,
                              struct stay_error *err) STAY_MUST_USE;
void compare_tables_free(struct compare_table *list, size_t count);
void compare_bound_clear(struct compare_bound *bound);
void compare_bound_copy(struct compare_bound *to, const struct compare_bound *from);

/* One row of "rows, rows with a sum, sum": the slice's. Heap, as all texts here. */
char *compare_sum_sql(const struct compare_table *table, const struct compare_bound *from,
                      const struct compare_bound *to) STAY_MUST_USE;
/* Takes shared locks on the slice's rows and gaps, until the transaction ends. */
char *compare_lock_sql(const struct compare_table *table, const struct compare_bound *from,
                       const struct compare_bound *to, bool is_mysql) STAY_MUST_USE;
/* The key of the row `rows` behind `from`, as literals: the next slice's end; no row: none. NULL
 * for a table without keys. */
char *compare_next_sql(const struct compare_table *table, const struct compare_bound *from,
                       const struct compare_bound *to, unsigned rows) STAY_MUST_USE;
/* "id > 20 to 40", for people. */
char *compare_slice_text(const struct compare_table *table, const struct compare_bound *from,
                         const struct compare_bound *to) STAY_MUST_USE;

#endif
