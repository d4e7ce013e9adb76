/* backup/binlog_statement.h - events of ours executed on a server by BINLOG statements: what the
 * engines' own tools use to replay a log, and exact for every column type.
 *
 * Layer: backup. Blocking. Needs BINLOG REPLAY (MariaDB) or BINLOG_ADMIN (MySQL: with
 * REPLICATION_APPLIER alone 9.7 asks for rights on every table too). Order: statement_open once,
 * then statement_rows as `emit` of struct row_events. */
#ifndef BACKUP_BINLOG_STATEMENT_H
#define BACKUP_BINLOG_STATEMENT_H
#include "backup/bundle.h"
#include "probes/mysql_session.h"

struct binlog_statement {
    struct mysql_session *session; /* borrowed */
    uint64_t packet_max;           /* of the server: max_allowed_packet */
    uint32_t server_id;
    bool has_checksum; /* by the format description that was told */
    bool is_mysql;
    uint64_t statements;
};

/* Opens the session, for packets as large as a server takes, and reads the server's id, its bounds
 * and whether it is read-only. Errors as mysql_session_open and mysql_session_text. */
enum stay_rc statement_open(struct binlog_statement *b, struct mysql_session *session,
                            const struct mysql_target *target, const struct mysql_account *account,
                            enum tri *ret_read_only, struct stay_error *err) STAY_MUST_USE;
/* Tells the server the format description that the transaction's events stand under: once, before
 * any transaction is begun (MySQL sets gtid_next by it). Our own events need no other one. */
enum stay_rc statement_format(struct binlog_statement *b, const struct bundle *bundle,
                              const struct bundle_transaction *t,
                              struct stay_error *err) STAY_MUST_USE;
/* For struct row_events.emit. STAY_ECONFLICT: a row is not as its image says (errors 1032, 1062,
 * 1451, 1452); names the table. STAY_ELIMIT: a row larger than the server takes. */
enum stay_rc statement_rows(void *arg, const struct binlog_table *table, const uint8_t *events,
                            size_t length, struct stay_error *err) STAY_MUST_USE;
/* One statement with a deadline of its own. */
enum stay_rc statement_say(struct binlog_statement *b, const char *sql,
                           struct stay_error *err) STAY_MUST_USE;

#endif
