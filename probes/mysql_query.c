/* One packet per group of facts and engine. MariaDB's variables all exist in 10.11, so a SELECT
 * asks for them; MySQL's depend on the plugins loaded, so they are listed by name and may be
 * absent. The heartbeat row comes last: on a server without our schema it fails and the rest
 * stands. */
#include "probes/mysql_query.h"

#define HEARTBEAT_SQL                                                                              \
    "SELECT epoch, CAST(UNIX_TIMESTAMP(written_at) * 1000000 AS SIGNED) "                          \
    "FROM mainstay.heartbeat WHERE id = 1"
/* Not information_schema.PROCESSLIST: its answer is an Aria temporary table, and MariaDB 10.11.19
 * dies of signal 11 in ha_maria::drop_table when a session that runs it inside a multi-statement is
 * cut (reproduced within 800 cuts on 8 sessions; SHOW PROCESSLIST survived all). The same table
 * type is why EVENTS is not asked and SYSTEM_VARIABLES is asked alone. */
#define DUMPS_SQL "SHOW PROCESSLIST"
#define V(name) "@@GLOBAL." #name " AS " #name

static const struct mysql_query mariadb_status = {
    .sql = "SELECT " V(read_only) ", " V(server_id) ", " V(gtid_binlog_state) ", " V(gtid_slave_pos)
           ", " V(rpl_semi_sync_master_enabled) ", " V(rpl_semi_sync_master_timeout) ", "
           V(rpl_semi_sync_master_wait_point) ", " V(rpl_semi_sync_master_wait_no_slave) ", "
           V(rpl_semi_sync_slave_enabled) ";"
           "SHOW ALL SLAVES STATUS;"
           "SHOW GLOBAL STATUS WHERE Variable_name IN ('Uptime', 'Threads_connected', "
           "'Binlog_bytes_written', 'Binlog_commits', 'Rpl_semi_sync_master_status', "
           "'Rpl_semi_sync_master_clients', "
           "'Rpl_semi_sync_master_yes_tx', 'Rpl_semi_sync_master_no_tx', "
           "'Rpl_semi_sync_master_no_times', 'Rpl_semi_sync_master_wait_sessions', "
           "'Rpl_semi_sync_slave_status');" DUMPS_SQL ";" HEARTBEAT_SQL,
    .part_count = 5,
    .required = 4,
    .parts = {PART_VALUES, PART_REPLICA, PART_PAIRS, PART_DUMPS, PART_HEARTBEAT},
};

/* Only the first events of the file are read (0.5 ms). Without a binary log it fails (1381) and the
 * rest stands, so it comes last. GLOBAL_STATUS is
 * a table in memory, unlike those above. */
#define BEGAN_SQL                                                                                  \
    "SELECT BINLOG_GTID_POS((SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS "         \
    "WHERE VARIABLE_NAME = 'BINLOG_SNAPSHOT_FILE'), 4) AS log_began"

static const struct mysql_query mariadb_slow = {
    .sql = "SELECT " V(version) ", " V(max_connections) ", " V(sync_binlog) ", "
           V(innodb_flush_log_at_trx_commit) ", " V(sync_relay_log) ", " V(relay_log_recovery) ", "
           V(log_bin) ", " V(log_slave_updates) ", " V(gtid_strict_mode) ", " V(binlog_format) ", "
           V(binlog_row_image) ", " V(slave_net_timeout) ", " V(skip_name_resolve) ", "
           V(rpl_semi_sync_slave_kill_conn_timeout) ", " V(binlog_checksum) ", " V(extra_port)
           ";SHOW ALL SLAVES STATUS;SHOW MASTER STATUS;" BEGAN_SQL,
    .part_count = 4,
    .required = 2,
    .parts = {PART_VALUES, PART_REPLICA, PART_LOG, PART_VALUES},
};

/* skip_slave_start and init_rpl_role are no system variables in 10.11: they stay unknown. */
static const struct mysql_query mariadb_start = {
    .sql = "SELECT VARIABLE_NAME, GLOBAL_VALUE, GLOBAL_VALUE_ORIGIN "
           "FROM information_schema.SYSTEM_VARIABLES WHERE VARIABLE_NAME IN ('READ_ONLY', "
           "'SKIP_SLAVE_START', 'RPL_SEMI_SYNC_MASTER_ENABLED', 'RELAY_LOG_RECOVERY', "
           "'SYNC_BINLOG', 'INNODB_FLUSH_LOG_AT_TRX_COMMIT', 'BINLOG_FORMAT', 'GTID_STRICT_MODE')",
    .part_count = 1,
    .required = 1,
    .parts = {PART_START},
};

#define MYSQL_VARIABLES_SQL                                                                        \
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('read_only', 'super_read_only', "               \
    "'offline_mode', 'server_id', 'gtid_executed', 'rpl_semi_sync_source_enabled', "               \
    "'rpl_semi_sync_master_enabled', 'rpl_semi_sync_source_timeout', "                             \
    "'rpl_semi_sync_master_timeout', 'rpl_semi_sync_source_wait_point', "                          \
    "'rpl_semi_sync_master_wait_point', 'rpl_semi_sync_source_wait_for_replica_count', "           \
    "'rpl_semi_sync_master_wait_for_slave_count', 'rpl_semi_sync_replica_enabled', "               \
    "'rpl_semi_sync_slave_enabled', 'rpl_semi_sync_source_wait_no_replica', "                      \
    "'rpl_semi_sync_master_wait_no_slave')"
#define MYSQL_STATUS_SQL                                                                           \
    "SHOW GLOBAL STATUS WHERE Variable_name IN ('Uptime', 'Threads_connected', "                   \
    "'Rpl_semi_sync_source_status', 'Rpl_semi_sync_master_status', "                               \
    "'Rpl_semi_sync_source_clients', 'Rpl_semi_sync_master_clients', "                             \
    "'Rpl_semi_sync_source_yes_tx', 'Rpl_semi_sync_master_yes_tx', "                               \
    "'Rpl_semi_sync_source_no_tx', 'Rpl_semi_sync_master_no_tx', "                                 \
    "'Rpl_semi_sync_source_no_times', 'Rpl_semi_sync_master_no_times', "                           \
    "'Rpl_semi_sync_source_wait_sessions', 'Rpl_semi_sync_master_wait_sessions', "                 \
    "'Rpl_semi_sync_replica_status', 'Rpl_semi_sync_slave_status')"
#define MYSQL_BEATS_SQL                                                                            \
    "SELECT 'received_heartbeats', COUNT_RECEIVED_HEARTBEATS "                                     \
    "FROM performance_schema.replication_connection_status WHERE CHANNEL_NAME = ''"
/* MySQL has no Binlog_bytes_written: what its transactions took in the log, compressed or not, and
 * 120 bytes each for what that leaves out (the GTID event: 83 to 95 bytes measured on 9.7). */
#define MYSQL_BYTES_SQL                                                                            \
    " UNION ALL SELECT 'Binlog_bytes_written', "                                                   \
    "COALESCE(SUM(COMPRESSED_BYTES_COUNTER + 120 * TRANSACTION_COUNTER), 0) "                      \
    "FROM performance_schema.binary_log_transaction_compression_stats "                            \
    "WHERE LOG_TYPE = 'BINARY' UNION ALL SELECT 'Binlog_commits', "                                \
    "COALESCE(SUM(TRANSACTION_COUNTER), 0) "                                                       \
    "FROM performance_schema.binary_log_transaction_compression_stats "                            \
    "WHERE LOG_TYPE = 'BINARY'"
#define MYSQL_STATUS(word, bytes)                                                                  \
    {                                                                                              \
        .sql = MYSQL_VARIABLES_SQL ";SHOW " word " STATUS;" MYSQL_STATUS_SQL ";" DUMPS_SQL         \
               ";" MYSQL_BEATS_SQL bytes ";" HEARTBEAT_SQL,                                        \
        .part_count = 6, .required = 4,                                                            \
        .parts = {PART_PAIRS, PART_REPLICA, PART_PAIRS, PART_DUMPS, PART_PAIRS, PART_HEARTBEAT},   \
    }

static const struct mysql_query mysql_status = MYSQL_STATUS("REPLICA", MYSQL_BYTES_SQL);
static const struct mysql_query mysql_status_old = MYSQL_STATUS("SLAVE", "");

/* The name of the log's statement changed with 8.2. */
#define MYSQL_SLOW_SQL(word, log)                                                                  \
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('version', 'server_uuid', "                     \
    "'max_connections', 'sync_binlog', 'innodb_flush_log_at_trx_commit', "                         \
    "'sync_relay_log', 'relay_log_recovery', 'log_bin', 'log_slave_updates', "                     \
    "'log_replica_updates', 'gtid_mode', 'binlog_format', 'binlog_row_image', "                    \
    "'slave_net_timeout', 'replica_net_timeout', 'gtid_purged', "                        \
    "'skip_name_resolve', 'binlog_checksum', 'admin_port', 'admin_address');"                      \
    "SHOW " word " STATUS;SHOW " log " STATUS;"                                                    \
    "SELECT 'heartbeat_period_s', HEARTBEAT_INTERVAL "                                             \
    "FROM performance_schema.replication_connection_configuration "                                \
    "WHERE CHANNEL_NAME = ''"
/* Events: of a replica only. The dictionary's views take the account lock whatever role is active,
 * and behind an ALTER USER that waits for an acknowledgement the session would hang (seen). */
#define MYSQL_SLOW(word, log)                                                                      \
    {                                                                                              \
        .sql_writable = MYSQL_SLOW_SQL(word, log),                                                 \
        .sql = MYSQL_SLOW_SQL(word, log) ";SELECT 'events_on', COUNT(*) "                          \
                                         "FROM information_schema.EVENTS "                         \
                                         "WHERE STATUS = 'ENABLED'",                               \
        .part_count = 5, .required = 2,                                                            \
        .parts = {PART_PAIRS, PART_REPLICA, PART_LOG, PART_PAIRS, PART_PAIRS},                     \
    }

static const struct mysql_query mysql_slow = MYSQL_SLOW("REPLICA", "BINARY LOG");
static const struct mysql_query mysql_slow_80 = MYSQL_SLOW("REPLICA", "MASTER");
static const struct mysql_query mysql_slow_old = MYSQL_SLOW("SLAVE", "MASTER");

static const struct mysql_query mysql_start = {
    .sql = "SELECT i.VARIABLE_NAME, g.VARIABLE_VALUE, i.VARIABLE_SOURCE, p.VARIABLE_VALUE "
           "FROM performance_schema.variables_info i "
           "JOIN performance_schema.global_variables g USING (VARIABLE_NAME) "
           "LEFT JOIN performance_schema.persisted_variables p USING (VARIABLE_NAME) "
           "WHERE i.VARIABLE_NAME IN ('read_only', 'super_read_only', 'skip_replica_start', "
           "'skip_slave_start', 'rpl_semi_sync_source_enabled', 'rpl_semi_sync_master_enabled', "
           "'relay_log_recovery', 'sync_binlog', 'innodb_flush_log_at_trx_commit', "
           "'binlog_format', 'gtid_mode')",
    .part_count = 1,
    .required = 1,
    .parts = {PART_START},
};

/* A function of root's, for DISKS shows itself to FILE only; where it or the plugin is missing it
 * fails, and nothing is known. MySQL has no such table: its disk is known by the host's agent. */
static const struct mysql_query mariadb_host = {
    .sql = "SELECT mainstay.disks() AS disks",
    .part_count = 1,
    .required = 0,
    .parts = {PART_VALUES},
};

const struct mysql_query *mysql_query_for(enum engine engine, unsigned long server_version,
                                          enum fact_group group)
{
    bool is_old = server_version != 0 && server_version < 80022; /* SHOW REPLICA STATUS came then */
    bool is_80 = server_version != 0 && server_version < 80200; /* SHOW BINARY LOG STATUS */
    bool is_maria = engine == ENGINE_MARIADB;
    switch (group) {
    case FACTS_STATUS:
        return is_maria ? &mariadb_status : is_old ? &mysql_status_old : &mysql_status;
    case FACTS_SLOW:
        return is_maria ? &mariadb_slow : is_old ? &mysql_slow_old
                        : is_80  ? &mysql_slow_80
                                 : &mysql_slow;
    case FACTS_START:
        return is_maria ? &mariadb_start : &mysql_start;
    case FACTS_HOST:
        return is_maria ? &mariadb_host : NULL;
    }
    return NULL;
}

char *mysql_canary_sql(const char *cluster, uint64_t epoch, int64_t wall_us)
{
    return stay_sprintf("INSERT INTO mainstay.heartbeat (id, cluster, epoch, server_id, beat, "
                        "written_at) VALUES (1, '%s', %llu, @@GLOBAL.server_id, 1, "
                        "FROM_UNIXTIME(%lld.%06lld)) ON DUPLICATE KEY UPDATE "
                        "cluster = VALUES(cluster), epoch = VALUES(epoch), "
                        "server_id = VALUES(server_id), beat = beat + 1, "
                        "written_at = VALUES(written_at)",
                        cluster, (unsigned long long)epoch, (long long)(wall_us / STAY_SECOND),
                        (long long)(wall_us % STAY_SECOND));
}
