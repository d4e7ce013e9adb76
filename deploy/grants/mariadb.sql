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

-- Who else may write to a server that was closed, or acknowledge for one: seen by the monitor without
-- reading mysql.*. Accounts of the host itself are left out. Bits of MariaDB 10.5 and later: SUPER
-- 2^15, READ_ONLY ADMIN 2^33, BINLOG ADMIN 2^36, REPLICATION SLAVE 2^19.
CREATE OR REPLACE SQL SECURITY DEFINER VIEW mainstay.privileged AS
  SELECT User AS user, Host AS host, CONCAT_WS(', ',
      IF(CAST(JSON_VALUE(Priv, '$.access') AS UNSIGNED) & 32768, 'SUPER', NULL),
      IF(CAST(JSON_VALUE(Priv, '$.access') AS UNSIGNED) & 8589934592, 'READ_ONLY ADMIN', NULL),
      IF(CAST(JSON_VALUE(Priv, '$.access') AS UNSIGNED) & 68719476736, 'BINLOG ADMIN', NULL)
    ) AS passes_read_only,
    CAST(JSON_VALUE(Priv, '$.access') AS UNSIGNED) & 524288 <> 0 AS may_replicate
  FROM mysql.global_priv
  WHERE CAST(JSON_VALUE(Priv, '$.access') AS UNSIGNED) & 77309968384 <> 0
    AND Host NOT IN ('localhost', '127.0.0.1', '::1')
    AND NOT (User = 'root' AND Host NOT LIKE '%\%%'); -- of the host itself, by its name

-- Free disk space, "free/total" in KiB of the data's and the binary log's disk. It needs the plugin:
-- `plugin_load_add = disks` in every server's option file; without it the function fails and mainstay
-- says that it does not know. A function, for replicas without the plugin could not replay a view.
CREATE OR REPLACE FUNCTION mainstay.disks() RETURNS VARCHAR(100) SQL SECURITY DEFINER READS SQL DATA
  RETURN (SELECT GROUP_CONCAT(DISTINCT CONCAT(d.Available, '/', d.Total) SEPARATOR ' ')
    FROM information_schema.DISKS d,
      (SELECT @@datadir AS at UNION SELECT CONCAT(IF(@@log_bin_basename LIKE '/%', '', @@datadir),
        COALESCE(@@log_bin_basename, ''))) here
    WHERE here.at LIKE CONCAT(TRIM(TRAILING '/' FROM d.Path), '/%')
      AND NOT EXISTS (SELECT 1 FROM information_schema.DISKS deeper
        WHERE here.at LIKE CONCAT(TRIM(TRAILING '/' FROM deeper.Path), '/%')
          AND LENGTH(deeper.Path) > LENGTH(d.Path)));
GRANT EXECUTE ON FUNCTION mainstay.disks TO mainstay_monitor@'@HOSTS@';

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
--   BINLOG REPLAY             gtid_seq_no: a restarted primary never gives a lost number again; BINLOG:
--                             errant transactions undone on their server, injected on the primary
--   CONNECTION ADMIN          KILL, a place beyond max_connections       PROCESS  whom to kill
--   RELOAD                    FLUSH BINARY LOGS, RESET SLAVE ALL, RESET MASTER
--   SLAVE MONITOR             SHOW ALL SLAVES STATUS
-- Not in it: innodb_flush_log_at_trx_commit and event_scheduler need SUPER; they stay the operator's.
CREATE USER IF NOT EXISTS mainstay_operate@'@HOSTS@' IDENTIFIED BY '@OPERATE_PASSWORD@';
GRANT REPLICATION SLAVE ADMIN, REPLICATION MASTER ADMIN, BINLOG ADMIN, BINLOG REPLAY,
  READ_ONLY ADMIN, CONNECTION ADMIN, RELOAD, PROCESS, SLAVE MONITOR, BINLOG MONITOR
  ON *.* TO mainstay_operate@'@HOSTS@';
GRANT SELECT, CREATE, INSERT, DROP ON mainstay.* TO mainstay_operate@'@HOSTS@';
-- SELECT: the columns of errant rows by name, and whether rows are still as they were before those are
-- injected. Without it they are shown by number, and nothing is injected.
GRANT SELECT ON *.* TO mainstay_operate@'@HOSTS@';

-- replicate: replicas and the archiver; nobody else may hold REPLICATION SLAVE.
CREATE USER IF NOT EXISTS mainstay_replicate@'@HOSTS@' IDENTIFIED BY '@REPLICATE_PASSWORD@';
GRANT REPLICATION SLAVE ON *.* TO mainstay_replicate@'@HOSTS@';

-- backup: consistent snapshots. Backups are not built yet: leave it out until they are, if you like.
CREATE USER IF NOT EXISTS mainstay_backup@'@HOSTS@' IDENTIFIED BY '@BACKUP_PASSWORD@';
GRANT SELECT, RELOAD, LOCK TABLES, SHOW VIEW, TRIGGER, EVENT, PROCESS, BINLOG MONITOR
  ON *.* TO mainstay_backup@'@HOSTS@';
