/* backup/row_events.h - row images as events of our own: the inverse of a transaction, in reverse
 * order, or the transaction again; each a table map and one rows event, for a BINLOG statement.
 *
 * Pure (heap only). Layer: backup. The images are copied byte for byte, so every type comes through
 * as it was; headers are new: the target's server id, no position. */
#ifndef BACKUP_ROW_EVENTS_H
#define BACKUP_ROW_EVENTS_H
#include "backup/binlog_walk.h"

#define ROW_EVENTS_PIECE 262144 /* bytes of rows after which an event is closed */

struct row_events {
    uint32_t server_id;
    bool has_checksum; /* of the format description in force */
    uint32_t time_s;
    size_t rows_max; /* of one event; 0: as many as ROW_EVENTS_PIECE takes */
    /* A table map event followed by a rows event, borrowed for the call. */
    enum stay_rc (*emit)(void *arg, const struct binlog_table *table, const uint8_t *events,
                         size_t length, struct stay_error *err);
    void *arg;
};

/* Rows that were noted of a transaction, in its order. */
struct row_log;
struct row_log *row_log_new(void) STAY_MUST_USE;
void row_log_free(struct row_log *log); /* takes NULL */
/* For binlog_walk.on_rows, with the log as ctx: copies table and rows. */
enum stay_rc row_log_note(void *ctx, const struct binlog_table *table, struct binlog_rows *rows,
                          struct stay_error *err) STAY_MUST_USE;
/* Emits what was noted: as it was, or undone, last row first. Needs full images. */
enum stay_rc row_log_emit(const struct row_log *log, bool is_inverse, const struct row_events *how,
                          struct stay_error *err) STAY_MUST_USE;

#endif
