-- Accounts of mainstay on MySQL 8.0 and later, each with the least it needs. Run once as root on
-- the primary (replicas receive it through the binary log). Before that, replace
--   @HOSTS@                where mainstay and the replicas connect from, e.g. 10.% or %
--   @MONITOR_PASSWORD@ @CANARY_PASSWORD@ @OPERATE_PASSWORD@ @REPLICATE_PASSWORD@ @BACKUP_PASSWORD@
-- Applications must hold none of: SUPER, BINLOG_ADMIN, CONNECTION_ADMIN, SYSTEM_VARIABLES_ADMIN,
-- REPLICATION SLAVE.

-- The schema stands here because a grant on a table needs the table (1146).
CREATE DATABASE IF NOT EXISTS mainstay;
CREATE TABLE IF NOT EXISTS mainstay.heartbeat (
  id TINYINT UNSIGNED NOT NULL PRIMARY KEY,
  cluster VARCHAR(64) NOT NULL DEFAULT '',
  epoch BIGINT UNSIGNED NOT NULL DEFAULT 0,
  server_id INT UNSIGNED NOT NULL DEFAULT 0,
  beat BIGINT UNSIGNED NOT NULL DEFAULT 0,
  written_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6)
) ENGINE=InnoDB;

-- monitor: reads state and changes nothing.
CREATE USER IF NOT EXISTS mainstay_monitor@'@HOSTS@' IDENTIFIED BY '@MONITOR_PASSWORD@';
GRANT PROCESS, REPLICATION CLIENT ON *.* TO mainstay_monitor@'@HOSTS@';
GRANT SELECT ON mainstay.* TO mainstay_monitor@'@HOSTS@';
GRANT SELECT ON performance_schema.* TO mainstay_monitor@'@HOSTS@';

-- Who else may write to a server that was closed, or acknowledge for one: seen by the monitor without
-- reading mysql.*. Accounts of the host itself and locked ones are left out; a role is shown as the
-- account it is.
CREATE OR REPLACE SQL SECURITY DEFINER VIEW mainstay.privileged AS
  SELECT user, host, passes_read_only, may_replicate FROM (
    SELECT u.User AS user, u.Host AS host, CONCAT_WS(', ', IF(u.Super_priv = 'Y', 'SUPER', NULL),
        (SELECT GROUP_CONCAT(g.PRIV SEPARATOR ', ') FROM mysql.global_grants g
          WHERE g.USER = u.User AND g.HOST = u.Host
            AND g.PRIV IN ('BINLOG_ADMIN', 'CONNECTION_ADMIN', 'SYSTEM_VARIABLES_ADMIN'))
      ) AS passes_read_only, u.Repl_slave_priv = 'Y' AS may_replicate
    FROM mysql.user u
    WHERE u.Host NOT IN ('localhost', '127.0.0.1', '::1')
      AND NOT (u.User = 'root' AND u.Host NOT LIKE '%\%%') AND u.account_locked <> 'Y') p
  WHERE passes_read_only <> '' OR may_replicate;

-- canary: writes one row each second; holds nothing that passes super_read_only.
CREATE USER IF NOT EXISTS mainstay_canary@'@HOSTS@' IDENTIFIED BY '@CANARY_PASSWORD@';
GRANT SELECT, INSERT, UPDATE ON mainstay.heartbeat TO mainstay_canary@'@HOSTS@';

-- operate: changes roles. What each is for (proven on 9.7.4 by `mainstay lab prove-grants`, with each
-- taken away in turn; 8.0 and 8.4 not run):
--   REPLICATION_SLAVE_ADMIN     START/STOP REPLICA, CHANGE REPLICATION SOURCE, RESET REPLICA (with RELOAD)
--   SYSTEM_VARIABLES_ADMIN      read_only, super_read_only, rpl_semi_sync_*, gtid_purged, replica_net_timeout
--   CONNECTION_ADMIN            KILL, offline_mode (with SYSTEM_VARIABLES_ADMIN)     PROCESS  whom to kill
--   RELOAD                      FLUSH BINARY LOGS, RESET REPLICA ALL, RESET BINARY LOGS AND GTIDS
--   REPLICATION CLIENT          SHOW REPLICA STATUS, SHOW BINARY LOGS
--   CLONE_ADMIN                 CLONE INSTANCE on a server that is reseeded (leave it out if none ever
--                               shall be); the donor is read by the backup account's BACKUP_ADMIN
--   BINLOG_ADMIN                BINLOG: errant transactions undone on their server, injected on the primary
--   SYSTEM_USER                 at the end of this file: KILL of a session whose account has it too
-- SYSTEM_VARIABLES_ADMIN also lets it set sql_log_bin. Not in it: PERSIST_RO_VARIABLES_ADMIN (start-up
-- values stay the operator's).
CREATE USER IF NOT EXISTS mainstay_operate@'@HOSTS@' IDENTIFIED BY '@OPERATE_PASSWORD@';
GRANT PROCESS, RELOAD, REPLICATION CLIENT ON *.* TO mainstay_operate@'@HOSTS@';
GRANT REPLICATION_SLAVE_ADMIN, SYSTEM_VARIABLES_ADMIN, CONNECTION_ADMIN, CLONE_ADMIN, BINLOG_ADMIN
  ON *.* TO mainstay_operate@'@HOSTS@';
GRANT SELECT, CREATE, INSERT, DROP ON mainstay.* TO mainstay_operate@'@HOSTS@';
-- SELECT: the columns of errant rows by name, and whether rows are still as they were before those are
-- injected. Without it they are shown by number, and nothing is injected.
GRANT SELECT ON *.* TO mainstay_operate@'@HOSTS@';
GRANT SELECT ON performance_schema.* TO mainstay_operate@'@HOSTS@';

-- An account statement (ALTER USER ...) that waits for a semi-sync acknowledgement holds the server's
-- account lock: logins, SET GLOBAL, KILL and every SELECT wait behind it, those of open sessions too
-- (seen on 9.7.4), and no acker can log in again. A session in which a role is active judges its
-- rights without that lock. The role grants nothing.
CREATE ROLE IF NOT EXISTS mainstay_ready;
GRANT mainstay_ready TO mainstay_monitor@'@HOSTS@';
GRANT mainstay_ready TO mainstay_operate@'@HOSTS@';
SET DEFAULT ROLE mainstay_ready TO mainstay_monitor@'@HOSTS@';
SET DEFAULT ROLE mainstay_ready TO mainstay_operate@'@HOSTS@';

-- replicate: replicas and the archiver; nobody else may hold REPLICATION SLAVE.
CREATE USER IF NOT EXISTS mainstay_replicate@'@HOSTS@' IDENTIFIED BY '@REPLICATE_PASSWORD@';
GRANT REPLICATION SLAVE ON *.* TO mainstay_replicate@'@HOSTS@';

-- backup: the donor of a reseed is read with it. Backups are not built yet.
CREATE USER IF NOT EXISTS mainstay_backup@'@HOSTS@' IDENTIFIED BY '@BACKUP_PASSWORD@';
GRANT SELECT, RELOAD, LOCK TABLES, SHOW VIEW, TRIGGER, EVENT, PROCESS, REPLICATION CLIENT
  ON *.* TO mainstay_backup@'@HOSTS@';
GRANT BACKUP_ADMIN ON *.* TO mainstay_backup@'@HOSTS@';

-- CONNECTION_ADMIN ends no session of an account that holds SYSTEM_USER, root's for one (error 1095). A
-- console of root's that holds a lock, or merely stands, would have every switchover undone and the
-- fence of a failover fail; so operate holds it too. It gives no right to change accounts: operate lacks
-- CREATE USER. Last in this file: leave it out where you may not grant it; `mainstay check` then says so,
-- and a primary that stalls (122) is not relieved.
GRANT SYSTEM_USER ON *.* TO mainstay_operate@'@HOSTS@';
