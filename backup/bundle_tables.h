/* backup/bundle_tables.h - describes a bundle's tables from the server's information_schema: what
 * the log does not tell (names, signs, keys, engine, foreign keys).
 *
 * Layer: backup. Blocking. */
#ifndef BACKUP_BUNDLE_TABLES_H
#define BACKUP_BUNDLE_TABLES_H
#include "backup/bundle.h"
#include "probes/mysql_session.h"

/* Fills engine, columns and cascades of every table; one that is gone, or that the account may not
 * see, is left undescribed. */
enum stay_rc bundle_describe_tables(struct mysql_session *s, struct bundle *bundle,
                                    struct stay_error *err) STAY_MUST_USE;

#endif
