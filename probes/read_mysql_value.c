/* Names of both engines, old and new, to facts: one table for variables and status counters, one
 * for the columns of a replica's status, one for what a server would start with. */
#include "probes/read_mysql_private.h"

#include <errno.h>
#include <strings.h>

#define AT(field) offsetof(struct server_facts, field)

/* Variables and status counters; names compare without case. */
static const struct name_row pair_rows[] = {
    {"read_only", VALUE_READ_ONLY, AT(read_only), SEEN_READ_ONLY},
    {"super_read_only", VALUE_TRI, AT(super_read_only), 0},
    {"offline_mode", VALUE_TRI, AT(offline_mode), 0},
    {"server_id", VALUE_U64, AT(server_id), SEEN_SERVER_ID},
    {"Uptime", VALUE_U64, AT(uptime_s), SEEN_UPTIME},
    {"gtid_binlog_state", VALUE_EXECUTED, 0, SEEN_EXECUTED},
    {"gtid_slave_pos", VALUE_APPLIED, 0, 0},
    {"gtid_executed", VALUE_EXECUTED, 0, SEEN_EXECUTED},
    {"rpl_semi_sync_master_enabled", VALUE_TRI, AT(ss_source_enabled), 0},
    {"rpl_semi_sync_source_enabled", VALUE_TRI, AT(ss_source_enabled), 0},
    {"Rpl_semi_sync_master_status", VALUE_TRI, AT(ss_source_on), 0},
    {"Rpl_semi_sync_source_status", VALUE_TRI, AT(ss_source_on), 0},
    {"Rpl_semi_sync_master_clients", VALUE_U64, AT(ss_clients), 0},
    {"Rpl_semi_sync_source_clients", VALUE_U64, AT(ss_clients), 0},
    {"Rpl_semi_sync_master_yes_tx", VALUE_U64, AT(ss_yes_tx), 0},
    {"Rpl_semi_sync_source_yes_tx", VALUE_U64, AT(ss_yes_tx), 0},
    {"Rpl_semi_sync_master_no_tx", VALUE_U64, AT(ss_no_tx), 0},
    {"Rpl_semi_sync_source_no_tx", VALUE_U64, AT(ss_no_tx), 0},
    {"Rpl_semi_sync_master_no_times", VALUE_U64, AT(ss_no_times), 0},
    {"Rpl_semi_sync_source_no_times", VALUE_U64, AT(ss_no_times), 0},
    {"Rpl_semi_sync_master_wait_sessions", VALUE_U64, AT(ss_waiters), 0},
    {"Rpl_semi_sync_source_wait_sessions", VALUE_U64, AT(ss_waiters), 0},
    {"rpl_semi_sync_master_timeout", VALUE_U64, AT(ss_timeout_ms), 0},
    {"rpl_semi_sync_source_timeout", VALUE_U64, AT(ss_timeout_ms), 0},
    {"rpl_semi_sync_master_wait_for_slave_count", VALUE_U64, AT(ss_wait_count), 0},
    {"rpl_semi_sync_source_wait_for_replica_count", VALUE_U64, AT(ss_wait_count), 0},
    {"rpl_semi_sync_master_wait_point", VALUE_AFTER_SYNC, AT(ss_after_sync), 0},
    {"rpl_semi_sync_source_wait_point", VALUE_AFTER_SYNC, AT(ss_after_sync), 0},
    {"rpl_semi_sync_master_wait_no_slave", VALUE_TRI, AT(ss_wait_alone), 0},
    {"rpl_semi_sync_source_wait_no_replica", VALUE_TRI, AT(ss_wait_alone), 0},
    {"rpl_semi_sync_slave_enabled", VALUE_TRI, AT(ss_replica_enabled), 0},
    {"rpl_semi_sync_replica_enabled", VALUE_TRI, AT(ss_replica_enabled), 0},
    {"Rpl_semi_sync_slave_status", VALUE_TRI, AT(ss_replica_on), 0},
    {"Rpl_semi_sync_replica_status", VALUE_TRI, AT(ss_replica_on), 0},
    {"Threads_connected", VALUE_U64, AT(connections), 0},
    {"Binlog_bytes_written", VALUE_U64, AT(binlog_bytes), 0},
    {"Binlog_commits", VALUE_U64, AT(binlog_commits), 0},
    {"received_heartbeats", VALUE_U64, AT(heartbeats), SEEN_BEATS},
    {"version", VALUE_TEXT, AT(version), SEEN_VERSION},
    {"server_uuid", VALUE_TEXT, AT(server_uuid), 0},
    {"max_connections", VALUE_U64, AT(max_connections), 0},
    {"disks", VALUE_DISKS, 0, 0},
    {"extra_port", VALUE_U64, AT(extra_port), 0},
    {"admin_port", VALUE_U64, AT(extra_port), 0},
    {"admin_address", VALUE_ADDRESS, 0, 0},
    {"sync_binlog", VALUE_U64, AT(sync_binlog), 0},
    {"innodb_flush_log_at_trx_commit", VALUE_U64, AT(flush_log), 0},
    {"sync_relay_log", VALUE_U64, AT(sync_relay_log), 0},
    {"relay_log_recovery", VALUE_TRI, AT(relay_log_recovery), 0},
    {"log_bin", VALUE_TRI, AT(log_bin), 0},
    {"log_slave_updates", VALUE_TRI, AT(log_updates), 0},
    {"log_replica_updates", VALUE_TRI, AT(log_updates), 0},
    {"gtid_strict_mode", VALUE_TRI, AT(gtid_strict), 0},
    {"gtid_mode", VALUE_GTID_MODE, AT(gtid_strict), 0},
    {"binlog_format", VALUE_TEXT, AT(binlog_format), 0},
    {"binlog_row_image", VALUE_TEXT, AT(row_image), 0},
    {"binlog_checksum", VALUE_TEXT, AT(log_checksum), 0},
    {"slave_net_timeout", VALUE_U64, AT(net_timeout_s), 0},
    {"replica_net_timeout", VALUE_U64, AT(net_timeout_s), 0},
    {"rpl_semi_sync_slave_kill_conn_timeout", VALUE_U64, AT(kill_conn_timeout_s), 0},
    {"skip_name_resolve", VALUE_TRI, AT(skip_name_resolve), 0},
    {"events_on", VALUE_U64, AT(events_on), 0},
    {"gtid_purged", VALUE_PURGED, 0, 0},
    {"log_began", VALUE_BEGAN, 0, SEEN_BEGAN},
    {"heartbeat_period_s", VALUE_SECONDS_MS, AT(heartbeat_ms), 0},
};

static const struct name_row replica_rows[] = {
    {"Slave_IO_Running", VALUE_RECEIVER, AT(receiver), 0},
    {"Replica_IO_Running", VALUE_RECEIVER, AT(receiver), 0},
    {"Slave_SQL_Running", VALUE_THREAD, AT(applier), 0},
    {"Replica_SQL_Running", VALUE_THREAD, AT(applier), 0},
    {"Last_IO_Errno", VALUE_I64, AT(receiver_errno), 0},
    {"Last_IO_Error", VALUE_TEXT, AT(receiver_error), 0},
    {"Last_SQL_Errno", VALUE_I64, AT(applier_errno), 0},
    {"Last_SQL_Error", VALUE_TEXT, AT(applier_error), 0},
    {"Master_Host", VALUE_TEXT, AT(source_host), 0},
    {"Source_Host", VALUE_TEXT, AT(source_host), 0},
    {"Master_Port", VALUE_U64, AT(source_port), 0},
    {"Source_Port", VALUE_U64, AT(source_port), 0},
    {"Relay_Master_Log_File", VALUE_TEXT, AT(source_log), 0},
    {"Relay_Source_Log_File", VALUE_TEXT, AT(source_log), 0},
    {"Seconds_Behind_Master", VALUE_I64, AT(lag_s), 0},
    {"Seconds_Behind_Source", VALUE_I64, AT(lag_s), 0},
    {"Slave_received_heartbeats", VALUE_U64, AT(heartbeats), SEEN_BEATS},
    {"Slave_heartbeat_period", VALUE_SECONDS_MS, AT(heartbeat_ms), 0},
    {"Using_Gtid", VALUE_READ_ONLY, AT(by_gtid), 0}, /* No, Slave_Pos, Current_Pos */
    {"Auto_Position", VALUE_TRI, AT(by_gtid), 0},
    {"Gtid_IO_Pos", VALUE_RECEIVED, 0, 0},
    {"Retrieved_Gtid_Set", VALUE_RECEIVED, 0, 0},
};

static const struct name_row start_rows[] = {
    {"read_only", VALUE_READ_ONLY, AT(start_read_only), 0},
    {"super_read_only", VALUE_TRI, AT(start_read_only), 0},
    {"skip_slave_start", VALUE_TRI, AT(start_skip_replica), 0},
    {"skip_replica_start", VALUE_TRI, AT(start_skip_replica), 0},
    {"rpl_semi_sync_master_enabled", VALUE_TRI, AT(start_ss_source), 0},
    {"rpl_semi_sync_source_enabled", VALUE_TRI, AT(start_ss_source), 0},
    {"relay_log_recovery", VALUE_TRI, AT(start_relay_log_recovery), 0},
    {"sync_binlog", VALUE_ONE, AT(start_sync_binlog), 0},
    {"innodb_flush_log_at_trx_commit", VALUE_ONE, AT(start_flush_log), 0},
    {"binlog_format", VALUE_IS_ROW, AT(start_format_row), 0},
    {"gtid_strict_mode", VALUE_TRI, AT(start_gtid_strict), 0},
    {"gtid_mode", VALUE_GTID_MODE, AT(start_gtid_strict), 0},
};

static const struct name_row *find(const struct name_row *rows, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (mysql_name_is(name, rows[i].name))
            return &rows[i];
    return NULL;
}

const struct name_row *mysql_pair_row(const char *name)
{
    return find(pair_rows, STAY_COUNT(pair_rows), name);
}

const struct name_row *mysql_replica_row(const char *name)
{
    return find(replica_rows, STAY_COUNT(replica_rows), name);
}

const struct name_row *mysql_start_row(const char *name)
{
    return find(start_rows, STAY_COUNT(start_rows), name);
}

bool mysql_value_i64(const char *value, int64_t *ret)
{
    char *end;
    errno = 0;
    long long v = strtoll(value, &end, 10);
    if (end == value || *end != '\0' || errno != 0)
        return false;
    *ret = v;
    return true;
}

bool mysql_value_u64(const char *value, uint64_t *ret)
{
    char *end;
    errno = 0;
    unsigned long long v = strtoull(value, &end, 10);
    if (end == value || *end != '\0' || errno != 0 || value[0] == '-')
        return false;
    *ret = v;
    return true;
}

static enum tri parse_tri(const char *value)
{
    static const char *const yes[] = {"ON", "1", "YES", "TRUE"}, *const no[] = {"OFF", "0", "NO",
                                                                                "FALSE"};
    for (size_t i = 0; i < STAY_COUNT(yes); i++) {
        if (strcasecmp(value, yes[i]) == 0)
            return TRI_YES;
        if (strcasecmp(value, no[i]) == 0)
            return TRI_NO;
    }
    return TRI_UNKNOWN;
}

static bool parse_receiver(const char *value, enum receiver_state *ret)
{
    static const struct {
        const char *text;
        enum receiver_state state;
    } rows[] = {
        {"Yes", RECEIVER_RUNNING},
        {"No", RECEIVER_STOPPED},
        {"Connecting", RECEIVER_CONNECTING},
        {"Preparing", RECEIVER_CONNECTING},
    };
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        if (strcasecmp(value, rows[i].text) == 0) {
            *ret = rows[i].state;
            return true;
        }
    }
    return false;
}

static bool parse_seconds_ms(const char *value, uint64_t *ret_ms)
{
    char *end;
    double v = strtod(value, &end);
    if (end == value || *end != '\0' || !(v >= 0 && v < 1e9))
        return false;
    *ret_ms = (uint64_t)(v * 1000.0 + 0.5);
    return true;
}

static bool keep_text(char **slot, const char *value)
{
    if (strlen(value) > GTID_TEXT_MAX)
        return false;
    free(*slot);
    *slot = stay_strdup(value);
    return true;
}

bool mysql_value_set(enum engine engine, const char *value, struct gtid_set *ret_set)
{
    return gtid_set_parse(engine == ENGINE_MARIADB ? GTID_MARIADB : GTID_MYSQL, value, ret_set,
                          NULL) == STAY_OK;
}

static bool take_tri(void *at, enum tri value)
{
    *(enum tri *)at = value;
    return value != TRI_UNKNOWN;
}

/* One disk per word; two words where data and binary log stand apart. */
static bool take_disks(struct server_facts *facts, const char *value)
{
    unsigned long long free_kib, total_kib;
    int used = 0;
    for (; sscanf(value, " %llu/%llu%n", &free_kib, &total_kib, &used) == 2; value += used) {
        if (total_kib == 0 || total_kib > UINT64_MAX / 1024 || free_kib > total_kib)
            return false;
        if (facts->disk_total == 0 || (double)free_kib / (double)total_kib <
                                          (double)facts->disk_free / (double)facts->disk_total) {
            facts->disk_free = free_kib * 1024;
            facts->disk_total = total_kib * 1024;
        }
    }
    return value[strspn(value, " ")] == '\0';
}

bool mysql_value_take(struct mysql_reader *r, const struct name_row *row, const char *value)
{
    void *at = (char *)r->facts + row->at;
    switch (row->kind) {
    case VALUE_TRI:
    case VALUE_THREAD:
        return take_tri(at, parse_tri(value));
    case VALUE_READ_ONLY: /* newer MariaDB has more words for on */
        return take_tri(at, value[0] == '\0'             ? TRI_UNKNOWN
                            : parse_tri(value) == TRI_NO ? TRI_NO
                                                         : TRI_YES);
    case VALUE_GTID_MODE:
        return take_tri(at, strcasecmp(value, "ON") == 0 ? TRI_YES : TRI_NO);
    case VALUE_ONE:
        return take_tri(at, strcmp(value, "1") == 0 ? TRI_YES : TRI_NO);
    case VALUE_IS_ROW:
        return take_tri(at, strcasecmp(value, "ROW") == 0 ? TRI_YES : TRI_NO);
    case VALUE_DISKS:
        return take_disks(r->facts, value);
    case VALUE_ADDRESS:
        r->has_admin_address = value[0] != '\0';
        return true;
    case VALUE_AFTER_SYNC:
        return take_tri(at, strcasecmp(value, "AFTER_SYNC") == 0 ? TRI_YES : TRI_NO);
    case VALUE_U64:
        return mysql_value_u64(value, at);
    case VALUE_I64:
        return mysql_value_i64(value, at);
    case VALUE_SECONDS_MS:
        return parse_seconds_ms(value, at);
    case VALUE_TEXT:
        (void)stay_copy(at, FACT_TEXT_MAX, value);
        return true;
    case VALUE_RECEIVER:
        return parse_receiver(value, at);
    case VALUE_EXECUTED:
        return keep_text(&r->executed, value);
    case VALUE_APPLIED:
        return keep_text(&r->applied, value);
    case VALUE_RECEIVED:
        return keep_text(&r->received, value);
    case VALUE_PURGED:
        return mysql_value_set(r->engine, value, &r->facts->purged);
    case VALUE_BEGAN:
        return mysql_value_set(r->engine, value, &r->facts->log_began);
    }
    return false;
}
