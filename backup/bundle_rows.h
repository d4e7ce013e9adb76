/* backup/bundle_rows.h - the rows of a saved transaction, decoded, one after the other.
 *
 * Layer: backup. Memory: one event and one row's texts. */
#ifndef BACKUP_BUNDLE_ROWS_H
#define BACKUP_BUNDLE_ROWS_H
#include "backup/binlog_value.h"

struct bundle_cell {
    bool is_present, is_null;
    enum value_form form;
    const char *text; /* "" for NULL; cut at text_max */
    bool is_cut;
};

struct bundle_row {
    const struct binlog_table *table;
    const struct bundle_table *known; /* NULL: not described, or no longer of these columns */
    enum rows_kind kind;
    uint32_t column_count;
    const char *const *names;         /* "@3" where nobody knows */
    const struct bundle_cell *before; /* NULL: none */
    const struct bundle_cell *after;
    const struct binlog_cell *raw_before, *raw_after; /* the same, undecoded; NULL: none */
};

struct bundle_visit {
    enum stay_rc (*on_row)(void *arg, const struct bundle_row *row, struct stay_error *err);
    void (*on_obstacle)(void *arg, const char *what);            /* or NULL */
    void (*on_text)(void *arg, const char *text, size_t length); /* the statement, or NULL */
    void *arg;
    size_t text_max; /* of one value; 0: 16 MiB */
};

/* STAY_ECANCELED from on_row ends the visit with STAY_OK. */
enum stay_rc bundle_visit_rows(const struct bundle *bundle, const struct bundle_transaction *t,
                               const struct bundle_visit *visit,
                               struct stay_error *err) STAY_MUST_USE;
/* "insert", "update", "delete". */
const char *rows_kind_text(enum rows_kind kind);
/* {"gtid", "time", "tables", "obstacle", "statement", "rows": [{"table", "kind", "before":
 * {column: text}, "after"}]}; bytes as "0x..", NULL as null. New reference. */
enum stay_rc bundle_transaction_json(const struct bundle *bundle,
                                     const struct bundle_transaction *t, json_t **ret,
                                     struct stay_error *err) STAY_MUST_USE;

#endif
