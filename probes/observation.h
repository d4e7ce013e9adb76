/* probes/observation.h - what was seen of one server, when and by whom: the only input of
 * decisions.
 *
 * Types only (plus copy/clear). Layer: probes, and the one probes header that controller/decide may
 * include. An observation is never averaged; a blank never overwrites what was learned before: each
 * observation says which groups of facts it carries.
 *
 * The fact list is one X-macro, so that recordings, golden cases, JSON and metrics have one
 * spelling. */
#ifndef PROBES_OBSERVATION_H
#define PROBES_OBSERVATION_H
#include "base/gtid.h"

enum engine { ENGINE_NONE = 0, ENGINE_MARIADB, ENGINE_MYSQL, ENGINE_MONGODB, ENGINE_COUNT };
enum tri { TRI_UNKNOWN = 0, TRI_NO, TRI_YES };

/* How far an attempt got: everything before `layer` worked, `layer` ended in `outcome`. */
#define OBS_LAYERS(X)                                                                              \
    X(NONE, "none") X(RESOLVE, "resolve") X(CONNECT, "connect") X(TLS, "tls")                      \
    X(GREETING, "greeting") X(LOGIN, "login") X(QUERY, "query") X(WRITE, "write")
#define OBS_OUTCOMES(X)                                                                            \
    X(NONE, "none") X(OK, "ok") X(REFUSED, "refused") X(TIMEOUT, "timeout") X(RESET, "reset")      \
    X(DENIED, "denied") X(TOO_MANY, "too many connections") X(READ_ONLY, "read only")              \
    X(BAD_REPLY, "bad reply")
#define RECEIVER_STATES(X)                                                                         \
    X(UNKNOWN, "unknown") X(NONE, "none") X(STOPPED, "stopped") X(CONNECTING, "connecting")        \
    X(RUNNING, "running")
#define OBS_ENUM(prefix, id, text) prefix##id,
enum obs_layer {
#define X(id, text) LAYER_##id,
    OBS_LAYERS(X)
#undef X
    LAYER_COUNT
};
enum obs_outcome {
#define X(id, text) OUT_##id,
    OBS_OUTCOMES(X)
#undef X
    OUT_COUNT
};
/* NONE: no source configured. CONNECTING: thread runs, connection lost or not yet made. */
enum receiver_state {
#define X(id, text) RECEIVER_##id,
    RECEIVER_STATES(X)
#undef X
    RECEIVER_COUNT
};

struct reach {
    enum obs_layer layer;
    enum obs_outcome outcome;
    int native;     /* client or server error number, 0 if none */
    char text[160]; /* native message, for people */
};

/* FACT(type, group, name, unit, what): type TRI, U64, I64, TEXT, GTID, RECV. Groups: STATUS every
 * probe, SLOW every 10 s, START at adoption and every 10 s, HOST every 30 s (300 s where nothing is
 * known). Both engines use these neutral names. */
#define SERVER_FACTS(X)                                                                            \
    X(TRI, STATUS, read_only, "", "clients without special privilege cannot write")               \
    X(TRI, STATUS, super_read_only, "", "MySQL: nobody can write; MariaDB: same as read_only")    \
    X(TRI, STATUS, offline_mode, "", "MySQL: only administrators may be connected")               \
    X(U64, STATUS, server_id, "", "server_id")                                                    \
    X(U64, STATUS, uptime_s, "s", "since the server process started")                             \
    X(GTID, STATUS, executed, "", "every transaction in its binary log and applied")              \
    X(GTID, STATUS, received, "", "what its receiver has put in the relay log, as it reports")    \
    X(RECV, STATUS, receiver, "", "receiver (IO) thread")                                         \
    X(I64, STATUS, receiver_errno, "", "last receiver error, 0 none")                             \
    X(TEXT, STATUS, receiver_error, "", "its text")                                               \
    X(TRI, STATUS, applier, "", "applier (SQL) thread runs")                                      \
    X(I64, STATUS, applier_errno, "", "last applier error, 0 none")                               \
    X(TEXT, STATUS, applier_error, "", "its text")                                                \
    X(TEXT, STATUS, source_host, "", "address it replicates from, empty if none")                 \
    X(U64, STATUS, source_port, "", "")                                                           \
    X(TEXT, STATUS, source_log, "", "the source's log that holds what it executed last")           \
    X(U64, STATUS, heartbeats, "", "replication heartbeats received; none come while rows do")    \
    X(TRI, STATUS, beats_shown, "", "the server counts heartbeats; MySQL: performance_schema")    \
    X(I64, STATUS, lag_s, "s", "as the server says, -1 unknown")                                  \
    X(TRI, STATUS, ss_source_enabled, "", "semi-sync source role: variable")                      \
    X(TRI, STATUS, ss_source_on, "", "semi-sync source role: status")                             \
    X(U64, STATUS, ss_clients, "", "semi-sync replicas connected")                                \
    X(U64, STATUS, ss_yes_tx, "", "commits acknowledged by a replica")                            \
    X(U64, STATUS, ss_no_tx, "", "commits that went on without acknowledgement")                  \
    X(U64, STATUS, ss_no_times, "", "times the server switched semi-sync off")                    \
    X(U64, STATUS, ss_waiters, "", "sessions waiting for an acknowledgement now")                 \
    X(U64, STATUS, ss_timeout_ms, "ms", "")                                                       \
    X(U64, STATUS, ss_wait_count, "", "acknowledgements a commit needs; MariaDB: always 1")       \
    X(TRI, STATUS, ss_after_sync, "", "wait point is AFTER_SYNC")                                 \
    X(TRI, STATUS, ss_wait_alone, "", "with no acker connected commits still wait")               \
    X(TRI, STATUS, ss_replica_enabled, "", "semi-sync replica role: variable")                    \
    X(TRI, STATUS, ss_replica_on, "", "semi-sync replica role: status; this is what acks")        \
    X(U64, STATUS, connections, "", "threads connected")                                          \
    X(TEXT, STATUS, holders, "", "who holds most of them; empty where there are few")              \
    X(U64, STATUS, binlog_bytes, "bytes", "written to the binary log since start")                \
    X(U64, STATUS, binlog_commits, "", "transactions written to the binary log since start")          \
    X(U64, STATUS, canary_epoch, "", "epoch in mainstay.heartbeat as this server holds it")       \
    X(I64, STATUS, canary_wall_us, "us", "time in mainstay.heartbeat as this server holds it")    \
    X(TEXT, SLOW, version, "", "")                                                                \
    X(TEXT, SLOW, server_uuid, "", "MySQL server_uuid; MariaDB: empty")                           \
    X(U64, SLOW, max_connections, "", "")                                                         \
    X(U64, SLOW, extra_port, "", "second port, its places beyond max_connections; 0: none")       \
    X(U64, SLOW, sync_binlog, "", "")                                                             \
    X(U64, SLOW, flush_log, "", "innodb_flush_log_at_trx_commit")                                 \
    X(U64, SLOW, sync_relay_log, "", "")                                                          \
    X(TRI, SLOW, relay_log_recovery, "", "")                                                      \
    X(TRI, SLOW, by_gtid, "", "it replicates by GTID, not by file and position")                  \
    X(TRI, SLOW, log_bin, "", "")                                                                 \
    X(TEXT, SLOW, log_file, "", "the binary log it writes")                                        \
    X(TRI, SLOW, log_updates, "", "log_slave_updates / log_replica_updates")                      \
    X(TRI, SLOW, gtid_strict, "", "MariaDB gtid_strict_mode; MySQL gtid_mode=ON")                 \
    X(TEXT, SLOW, binlog_format, "", "")                                                          \
    X(TEXT, SLOW, row_image, "", "")                                                              \
    X(TEXT, SLOW, log_checksum, "", "binlog_checksum")                                            \
    X(TRI, SLOW, filters, "", "a replication filter is set")                                      \
    X(TRI, SLOW, log_filters, "", "its binary log leaves databases out: binlog-do/ignore-db")     \
    X(U64, SLOW, net_timeout_s, "s", "slave_net_timeout / replica_net_timeout")                   \
    X(U64, SLOW, heartbeat_ms, "ms", "replication heartbeat period")                              \
    X(U64, SLOW, kill_conn_timeout_s, "s", "MariaDB rpl_semi_sync_slave_kill_conn_timeout")       \
    X(U64, SLOW, events_on, "", "enabled events in the event scheduler")                          \
    X(GTID, SLOW, purged, "", "no longer in its binary logs; MariaDB: empty")                     \
    X(GTID, SLOW, log_began, "", "MariaDB: position at which its newest binary log began")        \
    X(TRI, SLOW, skip_name_resolve, "", "its process list shows addresses, not host names")       \
    X(TEXT, SLOW, missing_grant, "", "first privilege our accounts lack, empty if none")          \
    X(TRI, SLOW, powers_shown, "", "who may pass read_only can be seen: mainstay.privileged")     \
    X(TEXT, SLOW, passes_read_only, "", "first other account that may, its privileges; not root") \
    X(TEXT, SLOW, may_replicate, "", "first other account with REPLICATION SLAVE")                \
    X(U64, HOST, disk_free, "bytes", "on the fuller of its data and log disks; see disk_total")   \
    X(U64, HOST, disk_total, "bytes", "of that disk; 0: not known (mainstay.disks)")              \
    X(TRI, START, start_read_only, "", "value a restart would bring; unknown if hidden by SET")   \
    X(TRI, START, start_skip_replica, "", "skip_slave_start / skip_replica_start")                \
    X(TRI, START, start_ss_source, "", "semi-sync source role at start")                          \
    X(TRI, START, start_relay_log_recovery, "", "")                                               \
    X(TRI, START, start_sync_binlog, "", "a restart brings sync_binlog = 1")                      \
    X(TRI, START, start_flush_log, "", "... innodb_flush_log_at_trx_commit = 1")                  \
    X(TRI, START, start_format_row, "", "... binlog_format = ROW")                                \
    X(TRI, START, start_gtid_strict, "", "... MariaDB gtid_strict_mode, MySQL gtid_mode = ON")    \
    X(TRI, START, start_role_replica, "", "MariaDB init_rpl_role=SLAVE; MySQL: unknown")

#define FACT_TEXT_MAX 128
#define MISSING_ERRANT ", for errant transactions" /* part of it: only those need it */
/* Part of it: MySQL's CONNECTION_ADMIN ends no session of an account with SYSTEM_USER (1095). */
#define MISSING_RANK ", to end administrators' sessions"
#define MISSING_ROLE  "has no active role" /* part of missing_grant: MySQL, see deploy/grants */
#define FACT_C_TRI enum tri
#define FACT_C_U64 uint64_t
#define FACT_C_I64 int64_t
#define FACT_C_RECV enum receiver_state
#define FACT_C_GTID struct gtid_set
#define FACT_FIELD_TRI(name) enum tri name;
#define FACT_FIELD_U64(name) uint64_t name;
#define FACT_FIELD_I64(name) int64_t name;
#define FACT_FIELD_RECV(name) enum receiver_state name;
#define FACT_FIELD_GTID(name) struct gtid_set name;
#define FACT_FIELD_TEXT(name) char name[FACT_TEXT_MAX];

#define DUMP_PEERS_MAX 32
struct dump_peer { /* one binlog dump thread of a source */
    char host[64]; /* numeric address without port */
};

enum fact_group { FACTS_STATUS = 1, FACTS_SLOW = 2, FACTS_START = 4, FACTS_HOST = 8 };

struct server_facts {
#define X(type, group, name, unit, what) FACT_FIELD_##type(name)
    SERVER_FACTS(X)
#undef X
    uint32_t dump_peer_count; /* group STATUS */
    struct dump_peer dump_peers[DUMP_PEERS_MAX];
};

enum obs_kind {
    OBS_NONE = 0,
    OBS_REACH,       /* an attempt ended at reach.layer/outcome; facts->groups may be present */
    OBS_SESSION_END, /* the held session to the server ended (EOF or reset) */
    OBS_CANARY,      /* the write canary's commit ended at reach */
};

/* One observation. `facts` is borrowed for the call that folds it and NULL when none were read. */
struct observation {
    enum obs_kind kind;
    uint32_t node;         /* index in cluster_config.nodes */
    int64_t begun_mono_us; /* when the attempt was sent: what it shows is no older than this */
    int64_t taken_mono_us; /* when its answer (or failure) was seen */
    struct reach reach;
    unsigned groups; /* enum fact_group mask of what facts carries */
    const struct server_facts *facts;
};

/* Frees the sets and zeroes the rest. */
void server_facts_clear(struct server_facts *facts);
/* Copies the groups in `groups` from src over dst, owning its sets. */
void server_facts_merge(struct server_facts *dst, const struct server_facts *src, unsigned groups);

/* Words of the X-macros above; static, "?" for a value out of range. */
const char *obs_layer_text(enum obs_layer layer);
const char *obs_outcome_text(enum obs_outcome outcome);
const char *receiver_state_text(enum receiver_state state);
const char *engine_text(enum engine engine);

#endif
