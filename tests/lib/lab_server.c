/* Database servers of a lab: data folders from a template, start, wait, signals, first set-up. */
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/lab_private.h"

void lab_place_args(const struct lab *lab, const struct lab_host *server, struct lab_argv *argv)
{
    lab_arg(argv, "--datadir=%s", lab_path(lab, "data/%s", server->name).s);
    lab_arg(argv, "--socket=%s", lab_path(lab, "data/%s.sock", server->name).s);
    lab_arg(argv, "--pid-file=%s", lab_path(lab, "data/%s.pid", server->name).s);
    /* A server that starts removes every "#sql" file of its tmpdir, another server's as well: in a
     * shared one that crashed MariaDB 10.11.19 while it read information_schema. */
    lab_arg(argv, "--tmpdir=%s", lab_path(lab, "tmp/%s", server->name).s);
    lab_arg(argv, "--port=3306");
    lab_arg(argv, "--bind-address=%s", server->address);
    lab_arg(argv, "--report-host=%s", server->address);
    lab_arg(argv, "--server-id=%d", server->server_id);
    lab_arg(argv, "--skip-name-resolve");
    lab_arg(argv, "--ssl-ca=%s", lab_path(lab, "tls/ca.pem").s);
    lab_arg(argv, "--ssl-cert=%s", lab_path(lab, "tls/%s.pem", server->name).s);
    lab_arg(argv, "--ssl-key=%s", lab_path(lab, "tls/%s.key", server->name).s);
}

static void server_args(const struct lab *lab, const struct lab_host *server, struct lab_argv *argv)
{
    if (lab->engine == LAB_MYSQL)
        lab_mysql_args(lab, server, argv);
    else
        lab_mariadb_args(lab, server, argv);
}

static bool launch(struct lab *lab, const struct lab_host *server, const char *extra)
{
    struct lab_path ns = lab_namespace(lab, server->name);
    struct lab_daemon what = {.name = server->name, .ns = ns.s, .faketime = lab->clocks};
    struct lab_argv argv = {.n = 0};
    struct lab_path tmp = lab_path(lab, "tmp/%s", server->name);
    if (mkdir(tmp.s, 0755) != 0 && errno != EEXIST)
        return lab_fail(lab, "cannot make %s: %s", tmp.s, strerror(errno));
    server_args(lab, server, &argv);
    while (extra != NULL && *extra != '\0') {
        int length = (int)strcspn(extra, " ");
        if (length > 0)
            lab_arg(&argv, "%.*s", length, extra);
        extra += length + (extra[length] == ' ');
    }
    (void)unlink(lab_path(lab, "data/%s.sock", server->name).s);
    (void)unlink(lab_path(lab, "data/%s.sock.lock", server->name).s); /* of a killed mysqld */
    bool ok = lab_spawn(lab, &what, argv.v);
    lab_argv_clear(&argv);
    return ok;
}

static bool server_wait(struct lab *lab, const struct lab_host *server, int timeout_s)
{
    int64_t due = lab_now_us() + timeout_s * STAY_SECOND;
    struct lab_path socket_path = lab_path(lab, "data/%s.sock", server->name);
    for (;;) {
        if (access(socket_path.s, F_OK) == 0 && lab_sql(lab, server->name, "DO 1", NULL))
            return true;
        if (lab_pid(lab, server->name) == 0)
            return lab_fail(lab, "%s ended at start; see %s", server->name,
                            lab_path(lab, "log/%s.log", server->name).s);
        if (lab_now_us() > due)
            return lab_fail(lab, "%s is not up after %d s; see %s", server->name, timeout_s,
                            lab_path(lab, "log/%s.log", server->name).s);
        lab_sleep_ms(10);
    }
}

static bool copy_template(struct lab *lab, const struct lab_host *server, const char *template_dir)
{
    struct lab_path to = lab_path(lab, "data/%s", server->name);
    if (lab->disks && !lab_disk_make(lab, server))
        return false;
    if (mkdir(to.s, 0755) != 0 && errno != EEXIST)
        return lab_fail(lab, "cannot make %s: %s", to.s, strerror(errno));
    struct lab_path from;
    lab_format(from.s, sizeof from.s, "%s/.", template_dir);
    return LAB_RUN(lab, NULL, "cp", "-a", "--sparse=always", "--reflink=auto", from.s, to.s);
}

/* The lab is the operator here: accounts, the application's schema, and db1 as first primary. */
static bool first_content(struct lab *lab)
{
    STAY_AUTO(stay_free_charp) char *grants = lab_grants_text(lab);
    STAY_AUTO(stay_free_charp) char *password = lab_secret(lab, "app");
    if (grants == NULL)
        return false;
    STAY_AUTO(stay_free_charp)
    char *schema = stay_sprintf(
        "CREATE DATABASE shop; CREATE TABLE shop.ledger ("
        "id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, client INT UNSIGNED NOT NULL, "
        "seq BIGINT UNSIGNED NOT NULL, note VARCHAR(64) NOT NULL DEFAULT '', KEY (client, seq)"
        ") ENGINE=InnoDB; CREATE USER app@'%%' IDENTIFIED BY '%s'; "
        "GRANT SELECT, INSERT, UPDATE, DELETE ON shop.* TO app@'%%'",
        password);
    if (lab->engine == LAB_MYSQL && /* MariaDB lets root write a read-only server */
        !lab_sql(lab, "db1", "SET GLOBAL super_read_only=OFF", NULL))
        return false;
    return lab_sql(lab, "db1", grants, NULL) && lab_sql(lab, "db1", schema, NULL);
}

/* db1 already holds accounts and schema: replicas replay them, then lossless mode is switched on
 * (with a replica attached, or the first write would wait for ever), then db1 opens. */
static bool replicate(struct lab *lab, const struct lab_replication *r)
{
    STAY_AUTO(stay_free_charp) char *position = NULL;
    if (!lab_sql(lab, "db1", r->position, &position))
        return false;
    int replicas = 0;
    for (size_t i = 0; i < lab->hosts_count; i++) {
        const struct lab_host *host = &lab->hosts[i];
        if (host->kind != LAB_HOST_SERVER || host->server_id == 1)
            continue;
        replicas++;
        if (!r->follow(lab, host, position))
            return false;
    }
    char clients[12];
    lab_format(clients, sizeof clients, "%d", replicas);
    return lab_sql(lab, "db1", r->source_on, NULL) &&
           lab_wait_sql(lab, "db1", r->clients, clients, 10) && lab_sql(lab, "db1", r->open, NULL);
}

bool lab_servers_up(struct lab *lab)
{
    char template_dir[512];
    bool ok = lab->engine == LAB_MYSQL
                  ? lab_mysql_template(lab, template_dir, sizeof template_dir)
                  : lab_mariadb_template(lab, template_dir, sizeof template_dir);
    for (size_t i = 0; ok && i < lab->hosts_count; i++)
        if (lab->hosts[i].kind == LAB_HOST_SERVER)
            ok = copy_template(lab, &lab->hosts[i], template_dir) &&
                 launch(lab, &lab->hosts[i], NULL);
    for (size_t i = 0; ok && i < lab->hosts_count; i++)
        if (lab->hosts[i].kind == LAB_HOST_SERVER)
            ok = server_wait(lab, &lab->hosts[i], LAB_START_TIMEOUT_S);
    if (!ok || !first_content(lab))
        return false;
    return replicate(lab,
                     lab->engine == LAB_MYSQL ? &lab_mysql_replication : &lab_mariadb_replication);
}

bool lab_start(struct lab *lab, const char *node, const char *extra)
{
    const struct lab_host *server = lab_server_of(lab, node);
    if (server == NULL)
        return false;
    if (lab_pid(lab, node) != 0)
        return lab_fail(lab, "%s runs already (pid %d)", node, (int)lab_pid(lab, node));
    if (lab->disks && !lab_disk_repair(lab, server))
        return false;
    return launch(lab, server, extra) && server_wait(lab, server, LAB_START_TIMEOUT_S);
}

/* The accounts as an operator makes them on an empty server, outside of its log. */
static bool first_accounts(struct lab *lab, const char *node)
{
    STAY_AUTO(stay_free_charp) char *grants = lab_grants_text(lab);
    STAY_AUTO(stay_free_charp)
    char *sql = stay_sprintf("SET sql_log_bin=0; SET GLOBAL super_read_only=OFF; %s\nSET GLOBAL "
                             "super_read_only=ON",
                             grants == NULL ? "" : grants);
    return grants != NULL && lab_start(lab, node, NULL) && lab_sql(lab, node, sql, NULL) &&
           lab_stop(lab, node);
}

bool lab_wipe(struct lab *lab, const char *node)
{
    const struct lab_host *server = lab_server_of(lab, node);
    char template_dir[512];
    if (server == NULL || (lab_is_running(lab, node) && !lab_kill(lab, node)) ||
        !LAB_RUN(lab, NULL, "rm", "-rf", lab_path(lab, "data/%s", node).s))
        return false;
    return lab->engine != LAB_MYSQL ||
           (lab_mysql_template(lab, template_dir, sizeof template_dir) &&
            copy_template(lab, server, template_dir) && first_accounts(lab, node));
}

static bool hurt(struct lab *lab, const char *node, int signo)
{
    if (lab_host_of(lab, node) == NULL && strcmp(node, "controller") != 0)
        return lab_fail(lab, "'%s' is no host of lab '%s'", node, lab->name);
    int64_t now = lab_now_us();
    if (!lab_signal(lab, node, signo))
        return false;
    lab->fault_mono_us = now;
    return lab_save(lab);
}

/* SIGKILL also ends a stopped process. The time is taken before the signal is sent. */
bool lab_kill(struct lab *lab, const char *node)
{
    return hurt(lab, node, SIGKILL) && lab_wait_gone(lab, node, 10000);
}

bool lab_stop(struct lab *lab, const char *node)
{
    return hurt(lab, node, SIGTERM) && lab_wait_gone(lab, node, 30000);
}

bool lab_terminate(struct lab *lab, const char *node)
{
    return hurt(lab, node, SIGTERM);
}

bool lab_hang(struct lab *lab, const char *node)
{
    return hurt(lab, node, SIGSTOP);
}

bool lab_thaw(struct lab *lab, const char *node)
{
    return lab_signal(lab, node, SIGCONT);
}

bool lab_is_running(struct lab *lab, const char *node)
{
    return lab_pid(lab, node) != 0;
}
