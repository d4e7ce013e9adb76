/* controller/decide/verdict_conformance_private.h - how the files of conformance write their rows:
 * one server's own settings, and what the servers are to one another.
 *
 * Pure. Layer: decide, verdict_conformance*.c only. Names of variables differ by engine and
 * version: MariaDB says master and slave, MySQL from 8.0.26 on source and replica (8.0 manual,
 * "What Is New"). */
#ifndef CONTROLLER_DECIDE_VERDICT_CONFORMANCE_PRIVATE_H
#define CONTROLLER_DECIDE_VERDICT_CONFORMANCE_PRIVATE_H
#include "controller/decide/verdict_private.h"

/* Every row: id of the enum, rule id, name, why. */
#define CONFORMANCE_ROWS(X)                                                                        \
    X(SYNC_BINLOG, 501, "sync_binlog", "a power loss may take commits the log never kept")         \
    X(FLUSH_LOG, 502, "innodb_flush_log_at_trx_commit", "a power loss may take committed rows")    \
    X(RELAY_RECOVERY, 503, "relay_log_recovery",                                                   \
      "a restart throws received rows away before they are applied")                               \
    X(START_READ_ONLY, 504, "start-up read_only", "a restarted old primary would accept writes")   \
    X(START_SKIP, 505, "start-up skip replica start",                                              \
      "a frozen replica that restarts would acknowledge again by itself")                          \
    X(START_SOURCE, 506, "start-up semi-sync source role",                                         \
      "a restarted server would wait for, or count, ackers nobody gave it")                        \
    X(START_RECOVERY, 507, "start-up relay_log_recovery",                                          \
      "the next restart throws received rows away")                                                \
    X(START_ROLE, 508, "start-up init_rpl_role",                                                   \
      "without SLAVE a restart keeps commits that nobody acknowledged")                            \
    X(HEARTBEAT, 509, "replication heartbeat", "a silent primary is told from an idle one late")   \
    X(NET_TIMEOUT, 510, "replica net timeout", "a receiver notices a lost source late")            \
    X(KILL_TIMEOUT, 511, "semi-sync kill connection timeout",                                      \
      "stopping a receiver waits that long for a frozen primary")                                  \
    X(FORMAT, 512, "binlog_format", "statements may give other rows on a replica")                 \
    X(GTID, 513, "GTID mode", "what a server holds cannot be told from its position")              \
    X(LOG_UPDATES, 514, "log replica updates", "a promoted replica could not serve the others")    \
    X(LOG_BIN, 515, "binary log", "it cannot be promoted nor archived")                            \
    X(FILTERS, 516, "replication filter", "it lacks what the filter drops: never a candidate")     \
    X(EVENTS, 517, "events on a replica", "an event writes rows the primary never sees")           \
    X(GRANT, 518, "missing grant", "a plan would stop where the privilege is needed")              \
    X(OWN_ZONE, 519, "acker in the primary's own zone",                                            \
      "its acknowledgement is lost together with the primary's zone")                              \
    X(STRANGERS, 520, "unknown replica", "it may acknowledge and we could not ask it")             \
    X(WAIT_POINT, 521, "semi-sync wait point", "clients see commits nobody acknowledged")          \
    X(TIMEOUT, 522, "semi-sync timeout", "after it commits go on without acknowledgement")         \
    X(WAIT_COUNT, 523, "acknowledgements to wait for",                                             \
      "fewer servers hold a commit than promised")                                                 \
    X(VERSIONS, 524, "versions differ", "an older server cannot follow a newer one")               \
    X(HIDDEN, 525, "heartbeats hidden", "an idle primary cannot be told from a silent one")        \
    X(CLONED_ID, 526, "server_id twice", "replication drops what carries its own id")              \
    X(CLONED_UUID, 527, "server_uuid twice", "both servers' transactions carry one name")          \
    X(SOURCE_OFF, 528, "semi-sync source role off", "commits do not wait for any acknowledgement") \
    X(FEW_ACKERS, 529, "too few possible ackers", "no acknowledgement can come from another zone") \
    X(REPLICA_OFF, 530, "semi-sync replica role off", "it receives and does not acknowledge")      \
    X(PLUGIN, 531, "semi-sync plugin missing",                                                     \
      "without it no commit waits for an acknowledgement")                                         \
    X(BY_POSITION, 532, "not by GTID", "what it received cannot be told, nor what was lost")       \
    X(OPEN_REPLICA, 533, "replica not read-only", "clients may write rows the primary never sees") \
    X(HOST_NAMES, 534, "host names resolved",                                                      \
      "who replicates is known by the address its process list shows, not by a name")              \
    X(ROW_IMAGE, 535, "binlog_row_image",                                                          \
      "what a diverged server wrote can be neither shown nor taken back without whole rows")       \
    X(PASSES_READ_ONLY, 536, "account passes read-only",                                           \
      "read-only is no fence for it: it may write to a server that was closed")                    \
    X(MAY_REPLICATE, 537, "account may replicate",                                                 \
      "who logs in with it may acknowledge commits, and we could not ask it")                      \
    X(START_VALUE, 538, "start-up value", "the next restart brings the weaker value back")         \
    X(CHECKSUM, 539, "binlog_checksum", "a bit that flips in a log is applied, not noticed")       \
    X(WAIT_ALONE, 540, "waits with no acker",                                                      \
      "when the last acker leaves commits go on without acknowledgement")                          \
    X(LOG_FILTER, 541, "binary log filter",                                                        \
      "what the log leaves out is on no replica: acknowledged, and lost with the primary")         \
    X(DISK_FULL, 542, "little disk left",                                                          \
      "a server whose disk is full blocks every commit, or stops replicating")

enum conformance_row {
#define X(id, number, name, why) ROW_##id,
    CONFORMANCE_ROWS(X)
#undef X
        ROW_COUNT
};

/* Where rows go; past `max` they are only counted. Everything borrowed. */
struct conformance_rows {
    const struct cluster_view *view;
    struct conformance *v;
    size_t n, max;
    uint32_t node; /* the server the next row is about, and whose names of variables are used */
};

/* Begins a row about rows->node; NULL when it is only counted. */
struct conformance *conformance_add(struct conformance_rows *rows, enum conformance_row row);
/* Text of a row, cut at the end when it does not fit; nothing for NULL: the value seen; what to do
 * now; what the option file must say. */
void conformance_detail(struct conformance *c, const char *fmt, ...) STAY_PRINTF(2, 3);
void conformance_fix(struct conformance *c, const char *fmt, ...) STAY_PRINTF(2, 3);
void conformance_line(struct conformance *c, const char *fmt, ...) STAY_PRINTF(2, 3);
/* What `check --fix` may set while the server runs; nothing for NULL. */
void conformance_live(struct conformance *c, const char *variable, const char *fmt, ...)
    STAY_PRINTF(3, 4);
/* A whole row: a variable that can be set while the server runs, or one that only its option file
 * can set. */
void conformance_want_number(struct conformance_rows *rows, enum conformance_row row,
                             const char *name, uint64_t seen, uint64_t want);
void conformance_want_file_line(struct conformance_rows *rows, enum conformance_row row,
                                const char *name, const char *seen, const char *want);

void conformance_want_word(struct conformance_rows *rows, enum conformance_row row,
                           const char *name, const char *seen, const char *want);

bool conformance_is_mysql(const struct conformance_rows *rows);
/* Which of the two names of a variable the node's server knows. Static text. */
const char *conformance_spelled(const struct conformance_rows *rows, const char *master_slave,
                                const char *source_replica);
/* "SET PERSIST" or "SET GLOBAL": how the engine keeps a value best. */
const char *conformance_set_keyword(const struct conformance_rows *rows);
const char *conformance_on_off(enum tri value);

/* Rows of rows->node's own settings. */
void conformance_check_server(struct conformance_rows *rows);
/* Rows of what the servers are to one another, about rows->node and every server after it, so that
 * each pair is seen once: an id that two of them carry. */
void conformance_check_identity(struct conformance_rows *rows);
/* Rows of what the primary, rows->node, needs of the others, and of its semi-sync source role. */
void conformance_check_primary(struct conformance_rows *rows);

#endif
