-- Accounts of mainstay on MariaDB 10.11 and later, each with the least it needs. Run once as root on
-- the primary (replicas receive it through the binary log). Before that, replace
--   @HOSTS@                where mainstay and the replicas connect from, e.g. 10.% or %
--   @MONITOR_PASSWORD@ @CANARY_PASSWORD@ @OPERATE_PASSWORD@ @REPLICATE_PASSWORD@ @BACKUP_PASSWORD@
-- Applications must hold none of: SUPER, BINLOG ADMIN, READ_ONLY ADMIN, REPLICATION SLAVE.

-- The schema stands here because MariaDB refuses a grant on a table that does not exist (1146).
CREATE DATABASE IF NOT EXISTS mainstay;
CREATE TABLE IF NOT EXISTS mainstay.heartbeat (
  id TINYINT UNSIGNED NOT NULL PRIMARY KEY,
  cluster VARCHAR(64) NOT NULL DEFAULT '',
  epoch BIGINT UNSIGNED NOT NULL DEFAULT 0,
  server_id INT UNSIGNED NOT NULL DEFAULT 0,
  beat BIGINT UNSIGNED NOT NULL DEFAULT 0,
  written_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6)
) ENGINE=InnoDB;

-- monitor: reads state and changes nothing. SHOW SLAVE HOSTS would need REPLICATION MASTER ADMIN, so
-- who replicates is read from the process list; events of others are invisible to it.
CREATE USER IF NOT EXISTS mainstay_monitor@'@HOSTS@' IDENTIFIED BY '@MONITOR_PASSWORD@';
GRANT PROCESS, SLAVE MONITOR, BINLOG MONITOR ON *.* TO mainstay_monitor@'@HOSTS@';
GRANT SELECT ON mainstay.* TO mainstay_monitor@'@HOSTS@';

-- canary: writes one row each second; holds nothing that passes read_only.
CREATE USER IF NOT EXISTS mainstay_canary@'@HOSTS@' IDENTIFIED BY '@CANARY_PASSWORD@';
GRANT SELECT, INSERT, UPDATE ON mainstay.heartbeat TO mainstay_canary@'@HOSTS@';

-- operate: changes roles. What each is for (proven on 10.11.19 by `mainstay lab prove-grants`, with
-- each taken away in turn):
--   REPLICATION SLAVE ADMIN   START/STOP SLAVE, CHANGE MASTER, RESET SLAVE (with RELOAD), gtid_slave_pos,
--                             slave_net_timeout, rpl_semi_sync_slave_*
--   REPLICATION MASTER ADMIN  rpl_semi_sync_master_*
--   READ_ONLY ADMIN           SET GLOBAL read_only; gtid_slave_pos on a read-only server
--   BINLOG ADMIN              sql_log_bin, sync_binlog       BINLOG MONITOR  SHOW BINARY LOGS
--   BINLOG REPLAY             gtid_seq_no: a restarted primary never gives a lost number again
--   CONNECTION ADMIN          KILL, a place beyond max_connections       PROCESS  whom to kill
--   RELOAD                    FLUSH BINARY LOGS, RESET SLAVE ALL, RESET MASTER
--   SLAVE MONITOR             SHOW ALL SLAVES STATUS
-- Not in it: innodb_flush_log_at_trx_commit and event_scheduler need SUPER; they stay the operator's.
CREATE USER IF NOT EXISTS mainstay_operate@'@HOSTS@' IDENTIFIED BY '@OPERATE_PASSWORD@';
GRANT REPLICATION SLAVE ADMIN, REPLICATION MASTER ADMIN, BINLOG ADMIN, BINLOG REPLAY,
  READ_ONLY ADMIN, CONNECTION ADMIN, RELOAD, PROCESS, SLAVE MONITOR, BINLOG MONITOR
  ON *.* TO mainstay_operate@'@HOSTS@';
GRANT SELECT, CREATE ON mainstay.* TO mainstay_operate@'@HOSTS@';

-- replicate: replicas and the archiver; nobody else may hold REPLICATION SLAVE.
CREATE USER IF NOT EXISTS mainstay_replicate@'@HOSTS@' IDENTIFIED BY '@REPLICATE_PASSWORD@';
GRANT REPLICATION SLAVE ON *.* TO mainstay_replicate@'@HOSTS@';

-- backup: consistent snapshots. Backups are not built yet: leave it out until they are, if you like.
CREATE USER IF NOT EXISTS mainstay_backup@'@HOSTS@' IDENTIFIED BY '@BACKUP_PASSWORD@';
GRANT SELECT, RELOAD, LOCK TABLES, SHOW VIEW, TRIGGER, EVENT, PROCESS, BINLOG MONITOR
  ON *.* TO mainstay_backup@'@HOSTS@';
