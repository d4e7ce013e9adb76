/* The load and the fault proxy as daemons of the lab, and the loss checker run on what they left.
 */
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/lib/lab_private.h"

bool lab_load_start(struct lab *lab, const struct lab_load_options *o)
{
    struct lab_path program = lab_program("mainstay-load"), ns = lab_namespace(lab, "client");
    if (program.s[0] == '\0')
        return lab_fail(lab, "mainstay-load is not built beside this program");
    if (lab_pid(lab, "load") != 0)
        return lab_fail(lab, "the load runs already");
    static const struct lab_load_options plain = {0};
    o = o == NULL ? &plain : o;
    struct lab_daemon what = {.name = "load", .ns = ns.s};
    struct lab_argv argv = {.n = 0};
    lab_arg(&argv, "%s", program.s);
    lab_arg(&argv, "run");
    lab_arg(&argv, "--target");
    if (o->one_proxy)
        lab_arg(&argv, "%s:3306", lab_address(lab, "proxy-a"));
    else
        lab_arg(&argv, "%s:3306,%s:3306", lab_address(lab, "proxy-a"), lab_address(lab, "proxy-b"));
    lab_arg(&argv, "--user");
    lab_arg(&argv, "app");
    lab_arg(&argv, "--password-file");
    lab_arg(&argv, "%s", lab_path(lab, "secrets/app").s);
    lab_arg(&argv, "--writers");
    lab_arg(&argv, "%d", o->writers > 0 ? o->writers : 16);
    lab_arg(&argv, "--rate");
    lab_arg(&argv, "%d", o->rate);
    lab_arg(&argv, "--read-timeout");
    lab_arg(&argv, "%d", o->read_timeout_s > 0 ? o->read_timeout_s : 5);
    lab_arg(&argv, "--out");
    lab_arg(&argv, "%s", lab_path(lab, "load.log").s);
    bool ok = lab_spawn(lab, &what, argv.v);
    lab_argv_clear(&argv);
    return ok;
}

bool lab_load_stop(struct lab *lab)
{
    return lab_signal(lab, "load", SIGTERM) && lab_wait_gone(lab, "load", 20000);
}

bool lab_load_check(struct lab *lab, const char *node, int64_t fault_mono_us, int plant_loss,
                    json_t **ret_json)
{
    struct lab_path program = lab_program("mainstay-load");
    if (lab_server_of(lab, node) == NULL)
        return false;
    char fault[24], plant[12];
    lab_format(fault, sizeof fault, "%lld", (long long)fault_mono_us);
    lab_format(plant, sizeof plant, "%d", plant_loss);
    char *text = NULL;
    int code = 0;
    struct lab_command how = {.ret_out = &text, .ret_exit = &code};
    if (!LAB_RUN(lab, &how, program.s, "check", "--log", lab_path(lab, "load.log").s, "--socket",
                 lab_path(lab, "data/%s.sock", node).s, "--user", "root", "--fault-at", fault,
                 "--plant-loss", plant))
        return false;
    json_error_t problem;
    *ret_json = json_loads(text, 0, &problem);
    bool ok = *ret_json != NULL;
    if (!ok && code == 0)
        (void)lab_fail(lab, "mainstay-load check prints no JSON: %.600s", text);
    free(text);
    return ok;
}

const char *lab_writable(struct lab *lab)
{
    const char *found = "";
    for (size_t i = 0; i < lab->hosts_count; i++) {
        const struct lab_host *h = &lab->hosts[i];
        STAY_AUTO(stay_free_charp) char *text = NULL;
        if (h->kind != LAB_HOST_SERVER || lab_pid(lab, h->name) == 0 ||
            !lab_sql(lab, h->name, "SELECT @@read_only", &text) || strcmp(text, "0") != 0)
            continue;
        found = found[0] == '\0' ? h->name : "?";
    }
    return found;
}

static int proxy_connect(const struct lab *lab, const char *node)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (stay_copy(to.sun_path, sizeof to.sun_path, lab_path(lab, "fault-%s.sock", node).s) &&
        connect(fd, (const struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    close(fd);
    return -1;
}

bool lab_fault_proxy_tell(struct lab *lab, const char *node, const char *command)
{
    int fd = proxy_connect(lab, node);
    char answer[160] = "";
    STAY_AUTO(stay_free_charp) char *line = stay_sprintf("%s\n", command);
    bool ok = fd >= 0 && send(fd, line, strlen(line), MSG_NOSIGNAL) > 0 &&
              recv(fd, answer, sizeof answer - 1, 0) > 0 && strncmp(answer, "ok", 2) == 0;
    if (fd >= 0)
        close(fd);
    return ok ? true : lab_fail(lab, "fault proxy of %s: '%s': %s", node, command, answer);
}

bool lab_fault_proxy_start(struct lab *lab, const char *node, unsigned *ret_port)
{
    const struct lab_host *server = lab_server_of(lab, node);
    struct lab_path program = lab_program("mainstay-faultproxy");
    if (server == NULL || program.s[0] == '\0')
        return server == NULL ? false : lab_fail(lab, "mainstay-faultproxy is not built");
    char name[32];
    lab_format(name, sizeof name, "fault-%s", node);
    unsigned port = 20000 + (unsigned)lab->octet * 20 + (unsigned)server->server_id;
    struct lab_daemon what = {.name = name};
    struct lab_argv argv = {.n = 0};
    lab_arg(&argv, "%s", program.s);
    lab_arg(&argv, "--listen");
    lab_arg(&argv, "127.0.0.1:%u", port);
    lab_arg(&argv, "--target");
    lab_arg(&argv, "%s:3306", server->address);
    lab_arg(&argv, "--control");
    lab_arg(&argv, "%s", lab_path(lab, "fault-%s.sock", node).s);
    bool ok = lab_spawn(lab, &what, argv.v);
    lab_argv_clear(&argv);
    int64_t due = lab_now_us() + 3 * STAY_SECOND;
    while (ok && !lab_fault_proxy_tell(lab, node, "status")) {
        if (lab_now_us() > due)
            return false;
        lab_sleep_ms(5);
    }
    *ret_port = port;
    return ok;
}
