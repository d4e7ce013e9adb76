/* controller/decide/verdict_conformance_server.c - the settings of one server that spoil a promise,
 * whichever role it has. */
#include "controller/decide/verdict_conformance_private.h"

#define VARIABLE_FLUSH_LOG "innodb_flush_log_at_trx_commit"

static void check_log(struct conformance_rows *rows, const struct server_facts *facts)
{
    if (facts->sync_binlog != 1)
        conformance_want_number(rows, ROW_SYNC_BINLOG, "sync_binlog", facts->sync_binlog, 1);
    if (facts->flush_log != 1)
        conformance_want_number(rows, ROW_FLUSH_LOG, VARIABLE_FLUSH_LOG, facts->flush_log, 1);
    if (facts->log_bin == TRI_NO)
        conformance_want_file_line(rows, ROW_LOG_BIN, "log_bin", "OFF", "binlog");
    if (facts->log_updates == TRI_NO)
        conformance_want_file_line(
            rows, ROW_LOG_UPDATES,
            conformance_spelled(rows, "log_slave_updates", "log_replica_updates"), "OFF", "ON");
    if (facts->binlog_format[0] != '\0' && strcmp(facts->binlog_format, "ROW") != 0)
        conformance_want_word(rows, ROW_FORMAT, "binlog_format", facts->binlog_format, "ROW");
    if (facts->row_image[0] != '\0' && strcmp(facts->row_image, "FULL") != 0)
        conformance_want_word(rows, ROW_ROW_IMAGE, "binlog_row_image", facts->row_image, "FULL");
    if (strcmp(facts->log_checksum, "NONE") == 0)
        conformance_want_word(rows, ROW_CHECKSUM, "binlog_checksum", "NONE", "CRC32");
    if (facts->log_filters == TRI_YES) {
        struct conformance *c = conformance_add(rows, ROW_LOG_FILTER);
        conformance_detail(c, "binlog-do-db or binlog-ignore-db is set");
        conformance_fix(c,
                        "remove every binlog-do-db and binlog-ignore-db line, restart it, reseed "
                        "its replicas: never a candidate until then");
    }
    if (facts->gtid_strict == TRI_NO && conformance_is_mysql(rows))
        conformance_want_file_line(rows, ROW_GTID, "gtid_mode", "OFF", "ON");
    else if (facts->gtid_strict == TRI_NO) {
        struct conformance *c = conformance_add(rows, ROW_GTID);
        conformance_detail(c, "gtid_strict_mode is OFF");
        conformance_fix(c, "SET GLOBAL gtid_strict_mode = ON;");
        conformance_line(c, "gtid_strict_mode = ON");
    }
}

static void check_receiver(struct conformance_rows *rows, const struct server_facts *facts)
{
    bool is_replica = facts->receiver != RECEIVER_NONE && facts->receiver != RECEIVER_UNKNOWN;
    if (facts->net_timeout_s > 4)
        conformance_want_number(
            rows, ROW_NET_TIMEOUT,
            conformance_spelled(rows, "slave_net_timeout", "replica_net_timeout"),
            facts->net_timeout_s, 4);
    if (!conformance_is_mysql(rows) && facts->kill_conn_timeout_s > 1)
        conformance_want_number(rows, ROW_KILL_TIMEOUT, "rpl_semi_sync_slave_kill_conn_timeout",
                                facts->kill_conn_timeout_s, 1);
    if (facts->filters == TRI_YES) {
        struct conformance *c = conformance_add(rows, ROW_FILTERS);
        conformance_detail(c, "a replication filter is set");
        conformance_fix(c, "remove every replicate-* line, restart it and reseed it");
    }
    if (!is_replica)
        return;
    bool hidden = conformance_is_mysql(rows) && facts->receiver == RECEIVER_RUNNING &&
                  facts->beats_shown == TRI_NO;
    if (!hidden && (facts->heartbeat_ms == 0 || facts->heartbeat_ms > 500)) {
        struct conformance *c = conformance_add(rows, ROW_HEARTBEAT);
        conformance_detail(c, "heartbeat period is %llu ms",
                           (unsigned long long)facts->heartbeat_ms);
        conformance_fix(
            c, "mainstay adopt sets %s = 0.5 after the replica drained; do not CHANGE it by hand",
            conformance_spelled(rows, "MASTER_HEARTBEAT_PERIOD", "SOURCE_HEARTBEAT_PERIOD"));
    }
    if (facts->by_gtid == TRI_NO) {
        struct conformance *c = conformance_add(rows, ROW_BY_POSITION);
        conformance_detail(c, "it replicates by file and position");
        conformance_fix(
            c, "mainstay adopt sets %s after the replica drained; do not CHANGE it by hand",
            conformance_spelled(rows, "MASTER_USE_GTID = slave_pos", "SOURCE_AUTO_POSITION = 1"));
    }
    if (facts->events_on > 0) {
        struct conformance *c = conformance_add(rows, ROW_EVENTS);
        conformance_detail(c, "%llu events are enabled on a replica",
                           (unsigned long long)facts->events_on);
        conformance_fix(c, "ALTER EVENT ... DISABLE ON %s, for each of information_schema.events",
                        conformance_spelled(rows, "SLAVE", "REPLICA"));
    }
    if (hidden) {
        struct conformance *c = conformance_add(rows, ROW_HIDDEN);
        conformance_detail(c, "no heartbeat count is shown");
        conformance_fix(c, "write the line below into its option file and restart it");
        conformance_line(c, "performance_schema = ON");
    }
}

/* Last of the statements: MySQL installs no plugin while super_read_only is ON. */
static void check_open(struct conformance_rows *rows, const struct server_facts *facts)
{
    bool is_replica = facts->receiver != RECEIVER_NONE && facts->receiver != RECEIVER_UNKNOWN;
    bool is_ajar = conformance_is_mysql(rows) && facts->read_only == TRI_YES &&
                   facts->super_read_only == TRI_NO;
    if (!is_replica || (facts->read_only != TRI_NO && !is_ajar))
        return;
    struct conformance *c = conformance_add(rows, ROW_OPEN_REPLICA);
    if (is_ajar) {
        conformance_detail(c, "super_read_only is OFF: administrators write to it");
        conformance_fix(c, "SET GLOBAL super_read_only = ON;");
        conformance_live(c, "super_read_only", "ON");
        return;
    }
    conformance_detail(c, "read_only is OFF");
    conformance_fix(c, "SET GLOBAL %s = ON;",
                    conformance_is_mysql(rows) ? "super_read_only" : "read_only");
}

static void want_plugin(struct conformance_rows *rows, const char *role, enum tri super_read_only)
{
    bool closed = super_read_only == TRI_YES; /* then INSTALL PLUGIN is refused: error 1290 */
    struct conformance *c = conformance_add(rows, ROW_PLUGIN);
    conformance_detail(c, "plugin semisync_%s is not loaded", role);
    conformance_fix(c, "as root: %sINSTALL PLUGIN rpl_semi_sync_%s SONAME 'semisync_%s.so';%s",
                    closed ? "SET GLOBAL super_read_only = OFF; " : "", role, role,
                    closed ? " SET GLOBAL super_read_only = ON;" : "");
}

/* MariaDB has semi-sync built in; MySQL shows its variables only with the plugins. */
static void check_plugins(struct conformance_rows *rows, const struct server_facts *facts)
{
    if (!conformance_is_mysql(rows))
        return;
    if (facts->ss_source_enabled == TRI_UNKNOWN)
        want_plugin(rows, conformance_spelled(rows, "master", "source"), facts->super_read_only);
    if (facts->ss_replica_enabled == TRI_UNKNOWN)
        want_plugin(rows, conformance_spelled(rows, "slave", "replica"), facts->super_read_only);
}

static void check_lossless(struct conformance_rows *rows, const struct server_facts *facts)
{
    if (rows->view->nodes[rows->node].groups_known & FACTS_STATUS)
        check_plugins(rows, facts);
    if (facts->relay_log_recovery == TRI_YES)
        conformance_want_file_line(rows, ROW_RELAY_RECOVERY, "relay_log_recovery", "ON", "OFF");
}

/* Where the configuration names a host, the server may have to do so too. */
static void check_names(struct conformance_rows *rows, const struct server_facts *facts)
{
    const char *host = rows->view->config->nodes[rows->node].host;
    bool is_address = host[strspn(host, "0123456789.")] == '\0' || strchr(host, ':') != NULL;
    if (facts->skip_name_resolve == TRI_NO && is_address)
        conformance_want_file_line(rows, ROW_HOST_NAMES, "skip_name_resolve", "OFF", "ON");
}

/* Set while it runs, perhaps by `check --fix`, and not in its file. */
static void check_start_values(struct conformance_rows *rows, const struct server_facts *facts)
{
    const struct {
        enum tri value;
        const char *name, *want;
    } values[] = {{facts->start_sync_binlog, "sync_binlog", "1"},
                  {facts->start_flush_log, VARIABLE_FLUSH_LOG, "1"},
                  {facts->start_format_row, "binlog_format", "ROW"},
                  {facts->start_gtid_strict,
                   conformance_is_mysql(rows) ? "gtid_mode" : "gtid_strict_mode", "ON"}};
    for (size_t i = 0; i < STAY_COUNT(values); i++)
        if (values[i].value == TRI_NO)
            conformance_want_file_line(rows, ROW_START_VALUE, values[i].name, "weaker at start",
                                       values[i].want);
}

static void check_start(struct conformance_rows *rows, const struct server_facts *facts,
                        bool is_lossless)
{
    if (facts->start_read_only == TRI_NO)
        conformance_want_file_line(rows, ROW_START_READ_ONLY,
                                   conformance_is_mysql(rows) ? "super_read_only" : "read_only",
                                   "OFF at start", "ON");
    if (facts->start_skip_replica == TRI_NO)
        conformance_want_file_line(
            rows, ROW_START_SKIP,
            conformance_spelled(rows, "skip_slave_start", "skip_replica_start"), "OFF at start",
            "ON");
    if (facts->start_ss_source == TRI_YES)
        conformance_want_file_line(rows, ROW_START_SOURCE,
                                   conformance_spelled(rows, "rpl_semi_sync_master_enabled",
                                                       "rpl_semi_sync_source_enabled"),
                                   "ON at start", "OFF");
    check_start_values(rows, facts);
    if (is_lossless && facts->start_relay_log_recovery == TRI_YES)
        conformance_want_file_line(rows, ROW_START_RECOVERY, "relay_log_recovery", "ON at start",
                                   "OFF");
    if (is_lossless && !conformance_is_mysql(rows) && facts->start_role_replica == TRI_NO)
        conformance_want_file_line(rows, ROW_START_ROLE, "init_rpl_role", "MASTER at start",
                                   "SLAVE");
}

static void check_grants(struct conformance_rows *rows, const struct server_facts *facts)
{
    const char *missing = facts->missing_grant;
    if (missing[0] == '\0')
        return;
    struct conformance *c = conformance_add(rows, ROW_GRANT);
    const char *grant = strstr(missing, "GRANT ");
    const char *engine = conformance_is_mysql(rows) ? "mysql" : "mariadb";
    conformance_detail(c, "%.150s", missing);
    if (grant != NULL && strstr(missing, " lacks") != NULL && strstr(missing, ", first") == NULL)
        conformance_fix(c, "on the primary, as root: %s;", grant);
    else if (grant != NULL)
        conformance_fix(c, "on the primary, as root: %s; the rest as in deploy/grants/%s.sql",
                        grant, engine);
    else if (strstr(missing, MISSING_ROLE) != NULL)
        conformance_fix(c, "on the primary, as root: the statements of deploy/grants/mysql.sql "
                           "about mainstay_ready");
    else
        conformance_fix(
            c, "make the account as deploy/grants/%s.sql does, or mend its password file", engine);
}

static void check_disk(struct conformance_rows *rows, const struct server_facts *facts)
{
    if (!cluster_disk_is_low(rows->view, rows->node))
        return;
    struct conformance *c = conformance_add(rows, ROW_DISK_FULL);
    conformance_detail(c, "%llu MB of %llu MB are free",
                       (unsigned long long)(facts->disk_free / 1000000),
                       (unsigned long long)(facts->disk_total / 1000000));
    conformance_fix(
        c, "%s; then make room: old binary logs that every replica and the archive hold",
        conformance_is_mysql(rows) ? "SHOW BINARY LOGS" : "SHOW BINARY LOGS; SHOW SLAVE HOSTS");
}

void conformance_check_server(struct conformance_rows *rows)
{
    const struct node_view *n = &rows->view->nodes[rows->node];
    bool is_lossless = rows->view->config->mode == MODE_LOSSLESS;
    /* What was asked for before our own last effect shows a receiver that is no more. */
    if ((n->groups_known & FACTS_SLOW) && n->slow_mono_us >= n->changed_mono_us) {
        check_log(rows, &n->facts);
        check_receiver(rows, &n->facts);
        if (is_lossless)
            check_lossless(rows, &n->facts);
        check_open(rows, &n->facts);
        check_names(rows, &n->facts);
    }
    if (n->groups_known & FACTS_SLOW)
        check_grants(rows, &n->facts);
    check_disk(rows, &n->facts);
    if (n->groups_known & FACTS_START)
        check_start(rows, &n->facts, is_lossless);
}
