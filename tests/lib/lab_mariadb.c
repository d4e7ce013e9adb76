/* MariaDB in the lab: the template data folder, the start-up values of lossless mode, and the first
 * replication set-up. Sizes are the smallest the server runs well with. */
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/lab_private.h"

static const char *const small[] = {"--innodb-log-file-size=8M", "--innodb-buffer-pool-size=32M",
                                    "--innodb-data-file-path=ibdata1:4M:autoextend",
                                    "--innodb-temp-data-file-path=ibtmp1:2M:autoextend"};

/* Made once per server version and kept: 1 s for the first lab, nothing for the later ones. */
bool lab_mariadb_template(struct lab *lab, char *template_dir, size_t size)
{
    char *text = NULL;
    struct lab_command how = {.ret_out = &text};
    if (!LAB_RUN(lab, &how, "mariadbd", "--no-defaults", "--version"))
        return false;
    const char *at = strstr(text, "Ver ");
    lab_format(lab->version, sizeof lab->version, "%.*s", (int)strcspn(at + 4, " "), at + 4);
    free(text);
    lab_format(template_dir, size, "%s/.templates/%s", lab_root_dir(), lab->version);
    if (access(template_dir, F_OK) == 0)
        return true;
    struct lab_path part, argument;
    lab_format(part.s, sizeof part.s, "%s.part-%d", template_dir, (int)getpid());
    lab_format(argument.s, sizeof argument.s, "--datadir=%s", part.s);
    if (!LAB_RUN(lab, NULL, "mariadb-install-db", "--no-defaults", "--user=root", argument.s,
                 "--auth-root-authentication-method=normal", "--skip-test-db",
                 "--skip-name-resolve", "--innodb-flush-log-at-trx-commit=0",
                 "--innodb-flush-method=nosync", small[0], small[1], small[2], small[3]))
        return false;
    if (rename(part.s, template_dir) != 0) /* another lab was faster: take its one */
        (void)LAB_RUN(lab, NULL, "rm", "-rf", part.s);
    return true;
}

static void add_memory(struct lab_argv *argv)
{
    static const char *const options[] = {
        "--performance-schema=OFF",        "--key-buffer-size=1M",
        "--aria-pagecache-buffer-size=1M", "--innodb-log-buffer-size=2M",
        "--table-open-cache=64",           "--thread-cache-size=16",
        "--max-connections=400",           "--innodb-buffer-pool-dump-at-shutdown=OFF"};
    for (size_t i = 0; i < STAY_COUNT(small); i++)
        lab_arg(argv, "%s", small[i]);
    for (size_t i = 0; i < STAY_COUNT(options); i++)
        lab_arg(argv, "%s", options[i]);
}

/* 16 appliers keep up with 16 writers; with 4 a replica falls thousands of rows behind here.
 * Only mainstay starts replication and makes writable: a server that restarts comes up read-only,
 * with replication stopped, the semi-sync source off, and its un-acked tail truncated. */
static void add_start_up_values(struct lab_argv *argv)
{
    static const char *const options[] = {"--read-only=ON",
                                          "--skip-slave-start",
                                          "--rpl-semi-sync-master-enabled=OFF",
                                          "--rpl-semi-sync-slave-enabled=ON",
                                          "--rpl-semi-sync-master-wait-point=AFTER_SYNC",
                                          "--rpl-semi-sync-master-timeout=4294967295",
                                          "--relay-log-recovery=OFF",
                                          "--init-rpl-role=SLAVE",
                                          "--slave-net-timeout=4",
                                          "--rpl-semi-sync-slave-kill-conn-timeout=1",
                                          "--log-bin=bin",
                                          "--relay-log=relay",
                                          "--log-slave-updates",
                                          "--gtid-strict-mode=ON",
                                          "--binlog-format=ROW",
                                          "--sync-binlog=1",
                                          "--innodb-flush-log-at-trx-commit=1",
                                          "--slave-parallel-threads=16",
                                          "--plugin-load-add=disks"};
    for (size_t i = 0; i < STAY_COUNT(options); i++)
        lab_arg(argv, "%s", options[i]);
}

void lab_mariadb_args(const struct lab *lab, const struct lab_host *server, struct lab_argv *argv)
{
    lab_arg(argv, "mariadbd");
    lab_arg(argv, "--no-defaults");
    lab_arg(argv, "--user=root");
    lab_place_args(lab, server, argv);
    add_memory(argv);
    add_start_up_values(argv);
}

static bool follow(struct lab *lab, const struct lab_host *server, const char *position)
{
    STAY_AUTO(stay_free_charp) char *password = lab_secret(lab, "replicate");
    STAY_AUTO(stay_free_charp)
    char *change = stay_sprintf(
        "CHANGE MASTER TO MASTER_HOST='%s', MASTER_PORT=3306, MASTER_USER='mainstay_replicate', "
        "MASTER_PASSWORD='%s', MASTER_USE_GTID=slave_pos, MASTER_SSL=1, MASTER_SSL_CA='%s', "
        "MASTER_HEARTBEAT_PERIOD=0.5, MASTER_CONNECT_RETRY=1; START SLAVE",
        lab_address(lab, "db1"), password, lab_path(lab, "tls/ca.pem").s);
    STAY_AUTO(stay_free_charp)
    char *wait = stay_sprintf("SELECT MASTER_GTID_WAIT('%s', 0)", position);
    return lab_sql(lab, server->name, change, NULL) &&
           lab_wait_sql(lab, server->name, wait, "0", 15);
}

const struct lab_replication lab_mariadb_replication = {
    .position = "SELECT @@gtid_binlog_pos",
    .follow = follow,
    .source_on = "SET GLOBAL rpl_semi_sync_master_enabled=ON",
    .clients = "SELECT variable_value FROM information_schema.global_status WHERE "
               "variable_name='Rpl_semi_sync_master_clients'",
    .open = "SET GLOBAL read_only=OFF",
};
