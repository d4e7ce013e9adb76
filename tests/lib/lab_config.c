/* What the lab writes for others to read: mainstay.conf for the controller, haproxy.cfg for the
 * proxies of the data zones; and the proxies themselves. */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/lab_private.h"

static void write_nodes(const struct lab *lab, FILE *out)
{
    bool first = true;
    for (size_t i = 0; i < lab->hosts_count; i++) {
        const struct lab_host *h = &lab->hosts[i];
        if (h->kind != LAB_HOST_SERVER)
            continue;
        fprintf(out, "%s{ name = \"%s\"; address = \"%s:3306\"; zone = \"%s\"; promote = \"%s\"; }",
                first ? "" : ",\n              ", h->name, h->address, h->zone, h->promote);
        first = false;
    }
}

static void write_account(const struct lab *lab, FILE *out, const char *name)
{
    fprintf(out, "      %s = { user = \"mainstay_%s\"; password = { file = \"%s\"; }; };\n", name,
            name, lab_path(lab, "secrets/%s", name).s);
}

/* The lab's hosts are this one, so a shell here is a shell there. */
static void write_reseed(const struct lab *lab, FILE *out)
{
    char script[PATH_MAX] = "";
    STAY_AUTO(stay_free_charp)
    char *program =
        stay_sprintf("%s --name %s --dir %s", lab_program("mainstay-lab").s, lab->name, lab->dir);
    if (realpath(lab_source("deploy/reseed/mainstay-reseed-mariadb").s, script) == NULL)
        return; /* an installed lab without its sources: no reseed */
    if (lab->engine == LAB_MYSQL) {
        fprintf(out, "    reseed = { start = [ \"/bin/sh\", \"-c\", \"%s start %%n\" ]; };\n",
                program);
        return;
    }
    fprintf(
        out,
        "    reseed = { command = [ \"%s\", \"--plan\", \"%%i\", \"--name\", \"%%n\",\n"
        "      \"--donor\", \"/bin/sh -c\", \"--recipient\", \"/bin/sh -c\",\n"
        "      \"--datadir\", \"%s/data/%%n\", \"--donor-datadir\", \"%s/data/%%N\",\n"
        "      \"--stop\", \"%s stop %%n\", \"--start\", \"%s start %%n\",\n"
        "      \"--donor-options\", \"--user=root --socket=%s/data/%%N.sock\",\n"
        "      \"--client\", \"--user=root --socket=%s/data/%%n.sock\", \"--lock-dir\", \"%s\" ]; "
        "};\n",
        script, lab->dir, lab->dir, program, program, lab->dir, lab->dir, lab->dir);
}

static void write_cluster(const struct lab *lab, FILE *out)
{
    static const char *const accounts[] = {"monitor", "canary", "operate", "replicate", "backup"};
    fprintf(out, "clusters = (\n  { name = \"shop\";  engine = \"%s\";\n    nodes = ( ",
            lab->engine == LAB_MYSQL ? "mysql" : "mariadb");
    write_nodes(lab, out);
    fprintf(out, " );\n    accounts = {\n");
    for (size_t i = 0; i < STAY_COUNT(accounts); i++)
        write_account(lab, out, accounts[i]);
    fprintf(out,
            "    };\n    tls = { ca = \"%s\"; required = true; };\n"
            "    durability = { mode = \"lossless\"; acks = 1; without_acker = \"%s\"; };\n"
            "    failover = { mode = \"automatic\"; accept = \"lossless\"; grace = \"0s\"; "
            "cooldown = \"0s\"; };\n"
            "    routes = ( { type = \"haproxy\"; sockets = [ \"%s:9999\", \"%s:9999\" ]; "
            "write = \"shop_rw\"; read = \"shop_ro\"; client = \"%s:3306\"; } );\n",
            lab_path(lab, "tls/ca.pem").s, lab->without_acker, lab_address(lab, "proxy-a"),
            lab_address(lab, "proxy-b"), lab_address(lab, "proxy-a"));
    write_reseed(lab, out);
    fprintf(out, "  }\n);\n");
}

bool lab_config_write(struct lab *lab)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    must(out != NULL);
    fprintf(out,
            "/* Written by `mainstay lab up`. */\ncontroller = {\n  name = \"ctl\";  "
            "zone = \"witness\";\n  state = \"sqlite:%s\";\n  socket = \"%s\";\n"
            "  listen = ( { address = \"%s\"; } );\n"
            "  runbook = \"%s\";\n  recorder = \"%s\";\n"
            "  failovers_per_hour = 0; /* 0: no limit, this is a laboratory */\n};\n",
            lab_path(lab, "state/state.db").s, lab_path(lab, "mainstay.sock").s, lab->listen,
            lab_path(lab, "state/runbook.txt").s, lab_path(lab, "state/recorder").s);
    write_cluster(lab, out);
    fclose(out);
    (void)mkdir(lab_path(lab, "state").s, 0700);
    bool ok = lab_write_file(lab, lab_path(lab, "mainstay.conf").s, text, 0644);
    free(text);
    return ok;
}

bool lab_edit_config(struct lab *lab, const char *from, const char *to)
{
    struct lab_path path = lab_path(lab, "mainstay.conf");
    STAY_AUTO(stay_free_charp) char *text = lab_read_file(path.s);
    char *at = text == NULL ? NULL : strstr(text, from);
    if (at == NULL)
        return lab_fail(lab, "'%s' does not occur in %s", from, path.s);
    *at = '\0';
    STAY_AUTO(stay_free_charp) char *longer = stay_sprintf("%s%s%s", text, to, at + strlen(from));
    return lab_write_file(lab, path.s, longer, 0644);
}

static void write_backend(const struct lab *lab, FILE *out, const char *name, const char *address,
                          int port, bool write)
{
    fprintf(out, "listen %s\n    bind %s:%d\n    balance %s\n", name, address, port,
            write ? "first" : "roundrobin");
    for (size_t i = 0; i < lab->hosts_count; i++) {
        const struct lab_host *h = &lab->hosts[i];
        bool closed = write ? h->server_id != 1 : h->server_id == 1;
        if (h->kind == LAB_HOST_SERVER)
            fprintf(out, "    server %s %s:3306%s\n", h->name, h->address,
                    closed ? " disabled" : "");
    }
}

/* No health checks and db1 open at start: routing stays as the controller left it (fail-static),
 * and a proxy that restarts comes back with what this file says, for the controller to correct. */
static bool proxy_config_write(struct lab *lab, const struct lab_host *proxy)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    must(out != NULL);
    fprintf(out,
            "global\n    nbthread 1\n    maxconn 2000\n    stats socket ipv4@%s:9999 level admin\n"
            "    stats timeout 30s\ndefaults\n    mode tcp\n    retries 0\n"
            "    timeout connect 1s\n    timeout client 1h\n    timeout server 1h\n"
            "    timeout queue 100ms\n",
            proxy->address);
    write_backend(lab, out, "shop_rw", proxy->address, 3306, true);
    write_backend(lab, out, "shop_ro", proxy->address, 3307, false);
    fclose(out);
    bool ok = lab_write_file(lab, lab_path(lab, "%s.cfg", proxy->name).s, text, 0644);
    free(text);
    return ok;
}

static int runtime_connect(struct lab *lab, const struct lab_host *proxy)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9999)};
    struct timeval wait = {.tv_sec = 2};
    must(inet_pton(AF_INET, proxy->address, &to.sin_addr) == 1);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    if (connect(fd, (const struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    (void)lab_fail(lab, "%s runtime API: %s", proxy->name, strerror(errno));
    close(fd);
    return -1;
}

static const struct lab_host *proxy_of(struct lab *lab, const char *zone)
{
    char name[16];
    lab_format(name, sizeof name, "proxy-%s", zone);
    const struct lab_host *proxy = lab_host_of(lab, name);
    if (proxy == NULL)
        (void)lab_fail(lab, "there is no proxy in zone '%s', only in a and b", zone);
    return proxy;
}

/* Asked inside the proxy's own namespace, so that it answers through every cut. */
bool lab_proxy_command(struct lab *lab, const char *zone, const char *command, char **ret_text)
{
    const struct lab_host *proxy = proxy_of(lab, zone);
    int old = proxy == NULL ? -1 : lab_enter(lab, proxy->name);
    if (old < 0)
        return false;
    int fd = runtime_connect(lab, proxy);
    lab_leave(old);
    if (fd < 0)
        return false;
    STAY_AUTO(stay_free_charp) char *line = stay_sprintf("%s\n", command);
    char *text = stay_calloc(1, 65536);
    size_t used = 0;
    ssize_t n = send(fd, line, strlen(line), MSG_NOSIGNAL);
    while (n > 0 && used < 65535) {
        n = recv(fd, text + used, 65535 - used, 0);
        used += n > 0 ? (size_t)n : 0;
    }
    close(fd);
    if (ret_text != NULL)
        *ret_text = text;
    else
        free(text);
    return n == 0 ? true : lab_fail(lab, "%s did not answer '%s'", proxy->name, command);
}

bool lab_proxy_start(struct lab *lab, const struct lab_host *proxy)
{
    struct lab_path ns = lab_namespace(lab, proxy->name);
    struct lab_daemon what = {.name = proxy->name, .ns = ns.s};
    struct lab_argv argv = {.n = 0};
    lab_arg(&argv, "haproxy");
    lab_arg(&argv, "-db");
    lab_arg(&argv, "-f");
    lab_arg(&argv, "%s", lab_path(lab, "%s.cfg", proxy->name).s);
    bool ok = proxy_config_write(lab, proxy) && lab_spawn(lab, &what, argv.v);
    lab_argv_clear(&argv);
    int64_t due = lab_now_us() + 5 * STAY_SECOND;
    while (ok && !lab_proxy_command(lab, proxy->zone, "show info", NULL)) {
        if (lab_now_us() > due || lab_pid(lab, proxy->name) == 0)
            return lab_fail(lab, "%s does not come up; see %s", proxy->name,
                            lab_path(lab, "log/%s.log", proxy->name).s);
        lab_sleep_ms(5);
    }
    return ok;
}

bool lab_proxy_kill(struct lab *lab, const char *zone)
{
    const struct lab_host *proxy = proxy_of(lab, zone);
    return proxy != NULL && lab_signal(lab, proxy->name, SIGKILL) &&
           lab_wait_gone(lab, proxy->name, 5000);
}

bool lab_proxy_restart(struct lab *lab, const char *zone)
{
    const struct lab_host *proxy = proxy_of(lab, zone);
    if (proxy == NULL)
        return false;
    if (lab_pid(lab, proxy->name) != 0 && !lab_proxy_kill(lab, zone))
        return false;
    return lab_proxy_start(lab, proxy);
}
