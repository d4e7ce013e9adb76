/* backup/checked_rows.h - a saved transaction, or its inverse, applied row by row, each looked at
 * before it is changed.
 *
 * Layer: backup. Blocking; inside whatever transaction the session is in. */
#ifndef BACKUP_CHECKED_ROWS_H
#define BACKUP_CHECKED_ROWS_H
#include "backup/binlog_statement.h"

/* STAY_ECONFLICT: a row is not as its image says, cannot be compared, or the transaction is not all
 * rows; the text names the table. Part of it may be applied then: roll back. is_lenient: a row that
 * cannot be compared exactly is applied unlooked at (nobody else wrote since). */
enum stay_rc checked_transaction(struct binlog_statement *say, const struct bundle *bundle,
                                 const struct bundle_transaction *t, bool is_inverse,
                                 bool is_lenient, struct stay_error *err) STAY_MUST_USE;

#endif
