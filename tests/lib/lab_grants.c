/* deploy/grants proven on a real server: each account does what mainstay asks of it, and is refused
 * what it must not do. The order of rows matters: the last ones take the lab's replication apart.
 */
#include <errno.h>

#include "tests/lib/lab_private.h"

enum proof { PROOF_NONE = 0, PROOF_MAY, PROOF_DENIED, PROOF_READ_ONLY };

struct grant_row {
    const char *node, *account;
    enum proof proof;
    const char *statement;
};

#define MONITOR   "mainstay_monitor"
#define CANARY    "mainstay_canary"
#define OPERATE   "mainstay_operate"
#define REPLICATE "mainstay_replicate"
#define BACKUP    "mainstay_backup"
#define BEAT                                                                                       \
    "INSERT INTO mainstay.heartbeat (id, epoch) VALUES (1, 1) ON DUPLICATE KEY UPDATE epoch=1"
#define KILL_DUMP                                                                                  \
    "SET @id = (SELECT id FROM information_schema.processlist WHERE user = 'mainstay_replicate' "  \
    "LIMIT 1); KILL @id"
#define ONE_DUMP                                                                                   \
    "SELECT 1 / COUNT(*) > 0 FROM information_schema.processlist "                                 \
    "WHERE command LIKE 'Binlog Dump%' HAVING COUNT(*) > 0"

/* Rows that read the same on both engines. */
static const struct grant_row both[] = {
    {"db1", MONITOR, PROOF_MAY, "SHOW GLOBAL STATUS LIKE 'Rpl_semi%'"},
    {"db1", MONITOR, PROOF_MAY, "SELECT epoch FROM mainstay.heartbeat"},
    {"db1", MONITOR, PROOF_MAY, ONE_DUMP},
    {"db1", MONITOR, PROOF_MAY, "SHOW GRANTS"},
    {"db1", MONITOR, PROOF_MAY, "SHOW BINARY LOGS"},
    {"db1", MONITOR, PROOF_DENIED, BEAT},
    {"db1", MONITOR, PROOF_DENIED, "SET GLOBAL read_only=ON"},
    {"db1", MONITOR, PROOF_DENIED, "SELECT COUNT(*) FROM shop.ledger"},
    {"db1", MONITOR, PROOF_DENIED, KILL_DUMP},
    {"db1", CANARY, PROOF_MAY, BEAT},
    {"db1", CANARY, PROOF_MAY, "SELECT epoch FROM mainstay.heartbeat"},
    {"db1", CANARY, PROOF_DENIED, "DELETE FROM mainstay.heartbeat"},
    {"db1", CANARY, PROOF_DENIED, "CREATE TABLE mainstay.x (i INT)"},
    {"db2", CANARY, PROOF_READ_ONLY, BEAT},
    {"db1", "app", PROOF_MAY, "INSERT INTO shop.ledger (client, seq) VALUES (0, 0)"},
    {"db1", "app", PROOF_DENIED, "SELECT epoch FROM mainstay.heartbeat"},
    {"db1", "app", PROOF_DENIED, "SET GLOBAL read_only=ON"},
    {"db1", "app", PROOF_DENIED, "SET SESSION sql_log_bin=0"},
    {"db2", "app", PROOF_READ_ONLY, "INSERT INTO shop.ledger (client, seq) VALUES (0, 1)"},
    {"db1", REPLICATE, PROOF_DENIED, "SET GLOBAL read_only=ON"},
    {"db1", REPLICATE, PROOF_DENIED, "SELECT epoch FROM mainstay.heartbeat"},
    {"db1", BACKUP, PROOF_MAY, "SELECT COUNT(*) FROM shop.ledger"},
    {"db1", BACKUP, PROOF_MAY, "FLUSH TABLES WITH READ LOCK; UNLOCK TABLES"},
    {"db1", BACKUP, PROOF_MAY, "START TRANSACTION WITH CONSISTENT SNAPSHOT; COMMIT"},
    {"db1", BACKUP, PROOF_DENIED, "DELETE FROM shop.ledger"},
    {"db1", OPERATE, PROOF_MAY, "CREATE DATABASE IF NOT EXISTS mainstay"},
    {"db1", OPERATE, PROOF_MAY, "CREATE TABLE IF NOT EXISTS mainstay.heartbeat (id INT)"},
    {"db1", OPERATE, PROOF_MAY, ONE_DUMP},
    {"db1", OPERATE, PROOF_MAY, KILL_DUMP},
    {"db1", OPERATE, PROOF_MAY, "SET GLOBAL read_only=ON"},
    {"db1", OPERATE, PROOF_MAY, "SET GLOBAL read_only=OFF"},
    {"db1", OPERATE, PROOF_MAY, "FLUSH BINARY LOGS"},
    {"db1", OPERATE, PROOF_MAY, "SHOW BINARY LOGS"},
    {"db1", OPERATE, PROOF_DENIED, "SELECT COUNT(*) FROM shop.ledger"},
    {"db1", OPERATE, PROOF_DENIED, "CREATE USER lab_x@'%'"},
};

static const struct grant_row mariadb[] = {
    {"db2", MONITOR, PROOF_MAY, "SHOW ALL SLAVES STATUS"},
    {"db1", MONITOR, PROOF_DENIED, "SHOW SLAVE HOSTS"}, /* MASTER ADMIN; not needed: processlist */
    {"db1", MONITOR, PROOF_MAY, "SHOW MASTER STATUS"},
    {"db1", MONITOR, PROOF_MAY, "SELECT @@gtid_binlog_state, @@gtid_slave_pos"},
    {"db2", MONITOR, PROOF_DENIED, "STOP SLAVE IO_THREAD"},
    {"db1", OPERATE, PROOF_MAY, "SET GLOBAL rpl_semi_sync_master_enabled=OFF"},
    {"db1", OPERATE, PROOF_MAY, "SET GLOBAL rpl_semi_sync_master_timeout=4294967295"},
    {"db1", OPERATE, PROOF_MAY, "SET GLOBAL rpl_semi_sync_master_wait_point=AFTER_SYNC"},
    {"db1", OPERATE, PROOF_MAY, "SET GLOBAL rpl_semi_sync_master_enabled=ON"},
    {"db2", OPERATE, PROOF_MAY, "SHOW ALL SLAVES STATUS"},
    {"db2", OPERATE, PROOF_MAY, "STOP SLAVE IO_THREAD"},
    {"db2", OPERATE, PROOF_MAY, "START SLAVE IO_THREAD"},
    {"db2", OPERATE, PROOF_MAY, "STOP SLAVE SQL_THREAD"},
    {"db2", OPERATE, PROOF_MAY, "START SLAVE SQL_THREAD"},
    {"db2", OPERATE, PROOF_MAY, "SELECT MASTER_GTID_WAIT('0-1-1', 0)"},
    {"db2", OPERATE, PROOF_MAY, "SET GLOBAL rpl_semi_sync_slave_enabled=ON"},
    {"db2", OPERATE, PROOF_MAY, "SET GLOBAL rpl_semi_sync_slave_kill_conn_timeout=1"},
    {"db2", OPERATE, PROOF_MAY, "SET GLOBAL slave_net_timeout=4"},
    {"db1", OPERATE, PROOF_MAY, "SET SESSION sql_log_bin=0"},
    {"db1", OPERATE, PROOF_MAY, "SET SESSION gtid_seq_no=1000000"},
    {"db2", OPERATE, PROOF_MAY, "STOP SLAVE"},
    {"db2", OPERATE, PROOF_MAY, "CHANGE MASTER TO MASTER_HEARTBEAT_PERIOD=0.5"},
    {"db2", OPERATE, PROOF_MAY, "SET GLOBAL gtid_slave_pos='0-1-1'"},
    {"db2", OPERATE, PROOF_MAY, "SET GLOBAL sync_binlog=1"},
    {"db2", OPERATE, PROOF_DENIED, "SET GLOBAL innodb_flush_log_at_trx_commit=1"},
    {"db2", OPERATE, PROOF_DENIED, "SET GLOBAL event_scheduler=OFF"},
    {"db2", OPERATE, PROOF_MAY, "RESET SLAVE ALL"},
    {"db2", OPERATE, PROOF_MAY, "RESET MASTER"},
};

static const struct grant_row mysql[] = {
    {"db2", MONITOR, PROOF_MAY, "SHOW REPLICA STATUS"},
    {"db1", MONITOR, PROOF_MAY, "SELECT * FROM performance_schema.replication_connection_status"},
    {"db1", MONITOR, PROOF_MAY, "SELECT * FROM performance_schema.replication_group_members"},
    {"db1", MONITOR, PROOF_MAY, "SELECT COUNT(*) FROM performance_schema.variables_info"},
    {"db1", MONITOR, PROOF_MAY, "SELECT COUNT(*) FROM performance_schema.persisted_variables"},
    {"db1", MONITOR, PROOF_MAY, "SHOW BINARY LOG STATUS"},
    {"db2", MONITOR, PROOF_DENIED, "STOP REPLICA IO_THREAD"},
    {"db1", OPERATE, PROOF_MAY, "SET GLOBAL rpl_semi_sync_source_enabled=OFF"},
    {"db1", OPERATE, PROOF_MAY, "SET GLOBAL rpl_semi_sync_source_timeout=4294967295"},
    {"db1", OPERATE, PROOF_MAY, "SET GLOBAL rpl_semi_sync_source_wait_for_replica_count=1"},
    {"db1", OPERATE, PROOF_MAY, "SET GLOBAL rpl_semi_sync_source_wait_point=AFTER_SYNC"},
    {"db1", OPERATE, PROOF_MAY, "SET GLOBAL rpl_semi_sync_source_enabled=ON"},
    {"db1", OPERATE, PROOF_MAY, "SET GLOBAL super_read_only=ON"},
    {"db1", OPERATE, PROOF_MAY, "SET GLOBAL super_read_only=OFF; SET GLOBAL read_only=OFF"},
    {"db1", OPERATE, PROOF_MAY, "SET GLOBAL offline_mode=ON"},
    {"db1", OPERATE, PROOF_MAY, "SET GLOBAL offline_mode=OFF"},
    {"db1", OPERATE, PROOF_MAY, "SET SESSION sql_log_bin=0"},
    {"db2", OPERATE, PROOF_MAY, "SELECT COUNT(*) FROM performance_schema.clone_status"},
    {"db2", OPERATE, PROOF_MAY, "SET GLOBAL clone_valid_donor_list='127.0.0.1:1'"},
    {"db2", MONITOR, PROOF_DENIED, "SET GLOBAL clone_valid_donor_list='127.0.0.1:1'"},
    {"db2", OPERATE, PROOF_MAY, "SHOW REPLICA STATUS"},
    {"db2", OPERATE, PROOF_MAY, "SELECT * FROM performance_schema.replication_connection_status"},
    {"db2", OPERATE, PROOF_MAY, "STOP REPLICA IO_THREAD"},
    {"db2", OPERATE, PROOF_MAY, "START REPLICA IO_THREAD"},
    {"db2", OPERATE, PROOF_MAY, "STOP REPLICA SQL_THREAD"},
    {"db2", OPERATE, PROOF_MAY, "START REPLICA SQL_THREAD"},
    {"db2", OPERATE, PROOF_MAY, "SELECT WAIT_FOR_EXECUTED_GTID_SET(@@gtid_executed, 1)"},
    {"db2", OPERATE, PROOF_MAY, "SET GLOBAL rpl_semi_sync_replica_enabled=ON"},
    {"db2", OPERATE, PROOF_MAY, "SET GLOBAL replica_net_timeout=4"},
    {"db2", OPERATE, PROOF_MAY, "STOP REPLICA"},
    {"db2", OPERATE, PROOF_MAY, "CHANGE REPLICATION SOURCE TO SOURCE_HEARTBEAT_PERIOD=0.5"},
    {"db2", OPERATE, PROOF_MAY, "RESET REPLICA ALL"},
    {"db2", OPERATE, PROOF_MAY, "RESET BINARY LOGS AND GTIDS"},
    {"db2", OPERATE, PROOF_MAY, "SET GLOBAL gtid_purged=''"},
};

static enum proof outcome_of(bool ok, const char *error)
{
    static const int denied[] = {1044, 1045, 1095, 1142, 1143, 1227, 1370, 1410};
    const char *at = strchr(error, '(');
    int number = at == NULL ? 0 : (int)strtol(at + 1, NULL, 10);
    if (ok)
        return PROOF_MAY;
    for (size_t i = 0; i < STAY_COUNT(denied); i++)
        if (number == denied[i])
            return PROOF_DENIED;
    return number == 1290 ? PROOF_READ_ONLY : PROOF_NONE;
}

static size_t prove(struct lab *lab, const struct grant_row *rows, size_t count, FILE *out)
{
    static const char *const words[] = {"fails", "may", "denied", "read-only"};
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        const struct grant_row *row = &rows[i];
        lab->error[0] = '\0';
        bool ok = lab_sql_as(lab, row->node, row->account, row->statement, NULL);
        enum proof seen = outcome_of(ok, lab->error);
        wrong += seen != row->proof;
        fprintf(out, "%-5s %-9s %-19s %s%s%s\n", seen == row->proof ? "ok" : "WRONG", words[seen],
                row->account, row->statement, seen == row->proof ? "" : " -- ",
                seen == row->proof ? ""
                : ok               ? "should be refused"
                                   : lab->error);
    }
    return wrong;
}

bool lab_prove_grants(struct lab *lab, FILE *out)
{
    size_t wrong = prove(lab, both, STAY_COUNT(both), out);
    if (lab->engine == LAB_MYSQL)
        wrong += prove(lab, mysql, STAY_COUNT(mysql), out);
    else
        wrong += prove(lab, mariadb, STAY_COUNT(mariadb), out);
    return wrong == 0 ? true : lab_fail(lab, "%zu grants are not as deploy/grants says", wrong);
}
