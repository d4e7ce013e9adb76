/* The controller under test and its command, as an operator would run them, and the load. */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/lib/lab_private.h"

static bool socket_answers(const struct lab *lab)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    bool ok = stay_copy(to.sun_path, sizeof to.sun_path, lab_path(lab, "mainstay.sock").s) &&
              connect(fd, (const struct sockaddr *)&to, sizeof to) == 0;
    close(fd);
    return ok;
}

/* Asks /health/ready over plain HTTP. */
static bool is_ready(const struct lab *lab)
{
    char host[64] = "", answer[64] = "";
    unsigned port = 0;
    struct sockaddr_in to = {.sin_family = AF_INET};
    if (sscanf(lab->listen, "%63[^:]:%u", host, &port) != 2 ||
        inet_pton(AF_INET, host, &to.sin_addr) != 1)
        return false;
    to.sin_port = htons((uint16_t)port);
    static const char ask[] = "GET /health/ready HTTP/1.0\r\n\r\n";
    const struct timeval wait = {.tv_sec = 1};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    bool ok = connect(fd, (const struct sockaddr *)&to, sizeof to) == 0 &&
              send(fd, ask, sizeof ask - 1, MSG_NOSIGNAL) > 0 &&
              recv(fd, answer, sizeof answer - 1, 0) > 12 && strncmp(answer + 9, "200", 3) == 0;
    close(fd);
    return ok;
}

/* Its first facts take a moment; a lab whose servers are all down never gets there. */
static void wait_ready(struct lab *lab)
{
    int64_t due = lab_now_us() + 8 * STAY_SECOND;
    while (!is_ready(lab) && lab_now_us() < due && lab_pid(lab, "controller") != 0)
        lab_sleep_ms(20);
}

bool lab_start_controller(struct lab *lab)
{
    struct lab_path program = lab_program("mainstayd");
    if (program.s[0] == '\0')
        return lab_fail(lab, "mainstayd is not built beside this program; set MAINSTAY_BIN");
    if (lab_pid(lab, "controller") != 0)
        return lab_fail(lab, "the controller runs already");
    struct lab_daemon what = {.name = "controller", .faketime = lab->clocks};
    struct lab_argv argv = {.n = 0};
    lab_arg(&argv, "%s", program.s);
    lab_arg(&argv, "--config");
    lab_arg(&argv, "%s", lab_path(lab, "mainstay.conf").s);
    bool ok = lab_spawn(lab, &what, argv.v);
    lab_argv_clear(&argv);
    int64_t due = lab_now_us() + 15 * STAY_SECOND;
    while (ok && !socket_answers(lab)) {
        if (lab_pid(lab, "controller") == 0 || lab_now_us() > due)
            return lab_fail(lab, "mainstayd does not come up; see %s",
                            lab_path(lab, "log/controller.log").s);
        lab_sleep_ms(10);
    }
    if (ok)
        wait_ready(lab);
    return ok;
}

bool lab_stop_controller(struct lab *lab)
{
    return lab_signal(lab, "controller", SIGTERM) && lab_wait_gone(lab, "controller", 15000);
}

bool lab_kill_controller(struct lab *lab)
{
    return lab_signal(lab, "controller", SIGKILL) && lab_wait_gone(lab, "controller", 5000);
}

/* The whole text, or its last line: verbs that wait print one JSON object for each step before. */
static json_t *answer_of(char *text)
{
    json_error_t problem;
    json_t *json = json_loads(text, JSON_DECODE_ANY, &problem);
    size_t length = strlen(text);
    while (length > 0 && text[length - 1] == '\n')
        text[--length] = '\0';
    const char *last = strrchr(text, '\n');
    return json != NULL || last == NULL ? json : json_loads(last + 1, JSON_DECODE_ANY, &problem);
}

static bool run_cli(struct lab *lab, const char *const argv[], int *ret_exit, json_t **ret_json)
{
    char *text = NULL;
    int code = 0;
    struct lab_command how = {.ret_out = &text, .ret_exit = &code};
    if (!lab_run(lab, &how, argv))
        return false;
    if (ret_json != NULL)
        *ret_json = answer_of(text);
    if (ret_exit != NULL)
        *ret_exit = code;
    free(text);
    return ret_exit != NULL || code == 0; /* lab_run kept what it said */
}

bool lab_cli(struct lab *lab, int *ret_exit, json_t **ret_json, ...)
{
    struct lab_path program = lab_program("mainstay"), url;
    if (program.s[0] == '\0')
        return lab_fail(lab, "mainstay is not built beside this program; set MAINSTAY_BIN");
    lab_format(url.s, sizeof url.s, "unix:%s", lab_path(lab, "mainstay.sock").s);
    const char *argv[32] = {program.s, "--json", "--controller", url.s};
    size_t n = 4;
    va_list args;
    va_start(args, ret_json);
    for (const char *a = va_arg(args, const char *); a != NULL && n < STAY_COUNT(argv) - 1;
         a = va_arg(args, const char *))
        argv[n++] = a;
    va_end(args);
    argv[n] = NULL;
    return run_cli(lab, argv, ret_exit, ret_json);
}
