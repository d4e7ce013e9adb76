/* backup/image_check.h - is a row in the database, byte for byte, as a row image says?
 *
 * Layer: backup. Blocking; reads with a shared lock, so that it stays so until the transaction
 * ends. What cannot be compared exactly counts as different. */
#ifndef BACKUP_IMAGE_CHECK_H
#define BACKUP_IMAGE_CHECK_H
#include "backup/bundle_rows.h"
#include "probes/mysql_session.h"

/* *ret_is_same: a row of the table equals the image. Needs the bundle's description of the table.
 * STAY_EREFUSED: it has none, or not of these columns. */
enum stay_rc image_check(struct mysql_session *s, bool is_mysql, const struct binlog_table *table,
                         const struct bundle_table *known, const struct binlog_cell *cells,
                         bool *ret_is_same, struct stay_error *err) STAY_MUST_USE;

/* Has every column one spelling on both sides? Not MariaDB's compressed ones and those it stores in
 * another form than it shows (UUID, INET). */
bool image_is_comparable(const struct binlog_table *table, const struct bundle_table *known);

#endif
