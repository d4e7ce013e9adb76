/* MySQL in the lab: a current server fetched by deploy/lab/fetch-mysql into a cache folder and run
 * through its own loader; template, start-up values of lossless mode, first replication set-up. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/lab_private.h"

enum { FETCH_SKIPPED = 3 };

static struct lab_path cache_dir(void)
{
    struct lab_path path;
    const char *given = getenv("MAINSTAY_MYSQL_ROOT"), *home = getenv("HOME");
    if (given != NULL)
        lab_format(path.s, sizeof path.s, "%s", given);
    else
        lab_format(path.s, sizeof path.s, "%s/.cache/mainstay/mysql",
                   home == NULL ? "/root" : home);
    return path;
}

static bool fetch(struct lab *lab)
{
    struct lab_path cache = cache_dir(), script = lab_source("deploy/lab/fetch-mysql"), version;
    int code = 0;
    struct lab_command how = {.ret_exit = &code};
    bool ok = LAB_RUN(lab, &how, script.s, cache.s);
    if (!ok || code != 0)
        return lab_fail(lab, "skipped: MySQL cannot be had here: %s", lab->error);
    lab_format(version.s, sizeof version.s, "%s/version", cache.s);
    STAY_AUTO(stay_free_charp) char *text = lab_read_file(version.s);
    const char *at = text == NULL ? "" : text + strcspn(text, " ");
    at += *at == ' ';
    lab_format(lab->version, sizeof lab->version, "%.*s", (int)strcspn(at, " \n"), at);
    return lab->version[0] != '\0' ? true : lab_fail(lab, "%s tells no version", version.s);
}

/* The loader, the server and what it needs to find its own files. */
static void add_program(struct lab_argv *argv)
{
    struct lab_path cache = cache_dir();
    const char *usr = "root/usr";
    lab_arg(argv, "%s/%s/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", cache.s, usr);
    lab_arg(argv, "--library-path");
    lab_arg(argv, "%s/%s/lib/x86_64-linux-gnu", cache.s, usr);
    lab_arg(argv, "%s/%s/sbin/mysqld", cache.s, usr);
    lab_arg(argv, "--no-defaults");
    lab_arg(argv, "--user=root");
    lab_arg(argv, "--secure-file-priv=");
    lab_arg(argv, "--basedir=%s/%s", cache.s, usr);
    lab_arg(argv, "--lc-messages-dir=%s/%s/share/mysql", cache.s, usr);
    lab_arg(argv, "--character-sets-dir=%s/%s/share/mysql/charsets", cache.s, usr);
    lab_arg(argv, "--plugin-dir=%s/%s/lib/mysql/plugin", cache.s, usr);
}

static void add_memory(struct lab_argv *argv)
{
    static const char *const options[] = {
        "--innodb-buffer-pool-size=64M",
        "--innodb-redo-log-capacity=128M", /* less: pages are written out all the time */
        "--innodb-log-buffer-size=4M",
        "--innodb-use-native-aio=0",
        "--table-open-cache=1000", /* each applier opens the table and its own position */
        "--table-definition-cache=400",
        "--max-connections=400",
        "--mysqlx=OFF",
        "--innodb-doublewrite=OFF",
        "--innodb-buffer-pool-load-at-startup=0",
        "--innodb-buffer-pool-dump-at-shutdown=0",
        "--performance-schema=ON",
        "--performance-schema-instrument=%=OFF",
        "--performance-schema-digests-size=0",
        "--performance-schema-events-statements-history-size=0",
        "--performance-schema-events-statements-history-long-size=0",
        "--performance-schema-events-waits-history-long-size=0",
        "--performance-schema-events-stages-history-long-size=0",
        "--performance-schema-events-transactions-history-long-size=0",
        "--performance-schema-error-size=0"};
    for (size_t i = 0; i < STAY_COUNT(options); i++)
        lab_arg(argv, "%s", options[i]);
}

bool lab_mysql_template(struct lab *lab, char *template_dir, size_t size)
{
    if (!fetch(lab))
        return false;
    lab_format(template_dir, size, "%s/.templates/mysql-%s", lab_root_dir(), lab->version);
    if (access(template_dir, F_OK) == 0)
        return true;
    struct lab_path part;
    lab_format(part.s, sizeof part.s, "%s.part-%d", template_dir, (int)getpid());
    struct lab_argv argv = {.n = 0};
    add_program(&argv);
    add_memory(&argv);
    lab_arg(&argv, "--initialize-insecure");
    lab_arg(&argv, "--innodb-flush-method=nosync");
    lab_arg(&argv, "--innodb-redo-log-capacity=16M"); /* all of it is copied for each server */
    lab_arg(&argv, "--datadir=%s", part.s);
    bool ok = lab_run(lab, NULL, (const char *const *)argv.v);
    lab_argv_clear(&argv);
    if (!ok)
        return false;
    struct lab_path uuid; /* each server makes its own */
    lab_format(uuid.s, sizeof uuid.s, "%s/auto.cnf", part.s);
    if (unlink(uuid.s) != 0)
        return lab_fail(lab, "%s: %s", uuid.s, strerror(errno));
    if (rename(part.s, template_dir) != 0)
        (void)LAB_RUN(lab, NULL, "rm", "-rf", part.s);
    return true;
}

/* 32 appliers for 16 writers: when all are busy, MySQL's coordinator asks again and again without
 * sleeping and takes a core from them (measured on 9.7.4, 2 cores: 4 appliers cost 2.2 ms of
 * processor time a row and fall behind 800 rows/s, 32 cost 1 ms).
 * As for MariaDB: only mainstay starts replication and makes writable. super_read_only is persisted
 * (see prepare), which wins over the command line: --persisted-globals-load=OFF undoes that. */
static void add_start_up_values(struct lab_argv *argv)
{
    static const char *const options[] = {
        "--plugin-load-add=semisync_source.so;semisync_replica.so;mysql_clone.so",
        "--read-only=ON",
        "--super-read-only=ON",
        "--skip-replica-start=ON",
        "--loose-rpl-semi-sync-source-enabled=OFF",
        "--loose-rpl-semi-sync-replica-enabled=ON",
        "--loose-rpl-semi-sync-source-wait-point=AFTER_SYNC",
        "--loose-rpl-semi-sync-source-timeout=4294967295",
        "--relay-log-recovery=OFF",
        "--replica-net-timeout=4",
        "--replica-parallel-workers=32",
        "--log-bin=bin",
        "--relay-log=relay",
        "--log-replica-updates=ON",
        "--gtid-mode=ON",
        "--enforce-gtid-consistency=ON",
        "--binlog-format=ROW",
        "--sync-binlog=1",
        "--innodb-flush-log-at-trx-commit=1"};
    for (size_t i = 0; i < STAY_COUNT(options); i++)
        lab_arg(argv, "%s", options[i]);
}

void lab_mysql_args(const struct lab *lab, const struct lab_host *server, struct lab_argv *argv)
{
    add_program(argv);
    lab_place_args(lab, server, argv);
    add_memory(argv);
    add_start_up_values(argv);
}

static bool follow(struct lab *lab, const struct lab_host *server, const char *position)
{
    STAY_AUTO(stay_free_charp) char *password = lab_secret(lab, "replicate");
    STAY_AUTO(stay_free_charp)
    char *change = stay_sprintf(
        "CHANGE REPLICATION SOURCE TO SOURCE_HOST='%s', SOURCE_PORT=3306, "
        "SOURCE_USER='mainstay_replicate', SOURCE_PASSWORD='%s', SOURCE_AUTO_POSITION=1, "
        "SOURCE_SSL=1, SOURCE_SSL_CA='%s', GET_SOURCE_PUBLIC_KEY=1, SOURCE_HEARTBEAT_PERIOD=0.5, "
        "SOURCE_CONNECT_RETRY=1; SET PERSIST_ONLY super_read_only=ON; START REPLICA",
        lab_address(lab, "db1"), password, lab_path(lab, "tls/ca.pem").s);
    STAY_AUTO(stay_free_charp)
    char *wait = stay_sprintf("SELECT WAIT_FOR_EXECUTED_GTID_SET('%s', 1)", position);
    return lab_sql(lab, server->name, change, NULL) &&
           lab_wait_sql(lab, server->name, wait, "0", 15);
}

const struct lab_replication lab_mysql_replication = {
    .position = "SELECT REPLACE(@@gtid_executed, '\\n', '')",
    .follow = follow,
    .source_on = "SET PERSIST_ONLY super_read_only=ON; "
                 "SET GLOBAL rpl_semi_sync_source_enabled=ON",
    .clients = "SELECT variable_value FROM performance_schema.global_status WHERE "
               "variable_name='Rpl_semi_sync_source_clients'",
    .open = "SET GLOBAL super_read_only=OFF; SET GLOBAL read_only=OFF",
};
