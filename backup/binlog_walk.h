/* backup/binlog_walk.h - the events of a transaction in order, compressed ones expanded, rows
 * together with their table: what saving, showing, undoing and injecting have in common.
 *
 * Pure (heap only). Layer: backup. Order: walk_begin at each GTID event, walk_event for every event
 * after it, walk_clear at the end. */
#ifndef BACKUP_BINLOG_WALK_H
#define BACKUP_BINLOG_WALK_H
#include "backup/binlog_rows.h"

#define WALK_TABLES_MAX 4096

struct walk_table {
    struct binlog_table table;
    uint8_t *raw; /* owned copy of its event, table.raw points to it */
};

struct binlog_walk {
    void *ctx;
    /* Rows of one event; rows->rest is at the first. */
    enum stay_rc (*on_rows)(void *ctx, const struct binlog_table *table, struct binlog_rows *rows,
                            struct stay_error *err);
    /* Something that rows do not tell whole: a statement, XA, a partial image, a type not known.
     * `what` is for people. */
    enum stay_rc (*on_obstacle)(void *ctx, const char *what, struct stay_error *err);
    /* The statement's text, as the server wrote it beside rows; not terminated. May be NULL. */
    void (*on_text)(void *ctx, const char *text, size_t length);
    struct walk_table *tables; /* of this transaction */
    size_t table_count;
};

/* Forgets the tables of the transaction before. */
void walk_begin(struct binlog_walk *walk);
/* event is parsed; its GTID event and what ends a transaction are passed over. */
enum stay_rc walk_event(struct binlog_walk *walk, const struct binlog_event *event,
                        struct stay_error *err) STAY_MUST_USE;
void walk_clear(struct binlog_walk *walk);
/* Every event of `bytes`, which are whole events with the format's checksums. */
enum stay_rc walk_bytes(struct binlog_walk *walk, const struct binlog_format *format,
                        const uint8_t *bytes, size_t length, struct stay_error *err) STAY_MUST_USE;

#endif
