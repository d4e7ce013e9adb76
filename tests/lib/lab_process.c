/* Processes of the lab: commands run to their end inside a namespace, daemons that outlive us, and
 * signals that reach exactly the process we started (pid and start time must both match). */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/lib/lab_private.h"

enum { COMMAND_OUTPUT_MAX = 16 * 1024 * 1024 };

int64_t lab_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * STAY_SECOND + now.tv_nsec / 1000;
}

void lab_sleep_ms(int ms)
{
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}

void lab_arg(struct lab_argv *argv, const char *fmt, ...)
{
    must(argv->n + 1 < LAB_ARGS_MAX);
    va_list args;
    va_start(args, fmt);
    must(vasprintf(&argv->v[argv->n++], fmt, args) >= 0);
    va_end(args);
    argv->v[argv->n] = NULL;
}

void lab_argv_clear(struct lab_argv *argv)
{
    while (argv->n > 0)
        free(argv->v[--argv->n]);
}

/* In a child only: joins the namespace or ends the child. */
static void enter_or_exit(const char *ns)
{
    if (ns == NULL)
        return;
    char path[PATH_MAX];
    lab_format(path, sizeof path, "/run/netns/%s", ns);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || setns(fd, CLONE_NEWNET) != 0) {
        dprintf(STDERR_FILENO, "cannot enter namespace %s: %s", ns, strerror(errno));
        _exit(127);
    }
    close(fd);
}

static void exec_or_exit(const char *const argv[])
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execvp(argv[0], (char *const *)argv);
    dprintf(STDERR_FILENO, "cannot run %s: %s", argv[0], strerror(errno));
    _exit(127);
}

static void child_run(const char *ns, const int in[2], const int out[2], const int err[2],
                      const char *const argv[])
{
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    dup2(err[1], STDERR_FILENO);
    enter_or_exit(ns);
    exec_or_exit(argv);
}

struct stream {
    char *text;
    size_t used;
};

static bool stream_read(struct stream *s, int fd)
{
    s->text = stay_realloc(s->text, s->used + 65536, 1);
    ssize_t n = read(fd, s->text + s->used, 65535);
    if (n > 0 && s->used + (size_t)n < COMMAND_OUTPUT_MAX)
        s->used += (size_t)n;
    s->text[s->used] = '\0';
    return n > 0;
}

static void gather(int out_fd, int err_fd, struct stream *out, struct stream *err)
{
    struct pollfd fds[2] = {{.fd = out_fd, .events = POLLIN}, {.fd = err_fd, .events = POLLIN}};
    while (fds[0].fd >= 0 || fds[1].fd >= 0) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            break;
        if (fds[0].revents != 0 && !stream_read(out, fds[0].fd))
            fds[0].fd = -1;
        if (fds[1].revents != 0 && !stream_read(err, fds[1].fd))
            fds[1].fd = -1;
    }
}

static void send_input(int fd, const char *input)
{
    size_t left = input == NULL ? 0 : strlen(input);
    while (left > 0) {
        ssize_t n = write(fd, input, left);
        if (n <= 0)
            break; /* the command did not want it all; its exit code tells */
        input += n;
        left -= (size_t)n;
    }
    close(fd);
}

bool lab_run(struct lab *lab, const struct lab_command *how, const char *const argv[])
{
    static const struct lab_command plain = {0};
    how = how == NULL ? &plain : how;
    int in[2], out[2], err[2];
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0)
        return lab_fail(lab, "pipe: %s", strerror(errno));
    pid_t pid = fork();
    if (pid < 0)
        return lab_fail(lab, "fork: %s", strerror(errno));
    if (pid == 0)
        child_run(how->ns, in, out, err, argv);
    close(in[0]);
    close(out[1]);
    close(err[1]);
    send_input(in[1], how->input);
    struct stream text = {stay_calloc(1, 1), 0}, complaint = {stay_calloc(1, 1), 0};
    gather(out[0], err[0], &text, &complaint);
    close(out[0]);
    close(err[0]);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    bool ok = code == 0 || (how->ret_exit != NULL && code < 126);
    if (code != 0)
        (void)lab_fail(lab, "%s: exit %d: %.700s%.200s", argv[0], code, complaint.text, text.text);
    if (how->ret_exit != NULL)
        *how->ret_exit = code;
    if (how->ret_out != NULL && ok)
        *how->ret_out = text.text;
    else
        free(text.text);
    free(complaint.text);
    return ok;
}

/* Start time in clock ticks since boot: field 22 of /proc/PID/stat. 0: no such (live) process. */
static unsigned long long start_time(pid_t pid)
{
    char path[64];
    lab_format(path, sizeof path, "/proc/%d/stat", (int)pid);
    char *stat = lab_read_file(path);
    if (stat == NULL)
        return 0;
    char *at = strrchr(stat, ')'); /* the name may hold spaces and brackets */
    char state = at == NULL ? 'X' : at[2];
    unsigned long long started = 0;
    for (int field = 2; at != NULL && field < 22; field++) {
        at = strchr(at + 1, ' ');
    }
    if (at != NULL && state != 'Z' && state != 'X')
        started = strtoull(at + 1, NULL, 10);
    free(stat);
    return started;
}

pid_t lab_pid(const struct lab *lab, const char *name)
{
    char *text = lab_read_file(lab_path(lab, "pid/%s", name).s);
    if (text == NULL)
        return 0;
    char *end = text;
    pid_t pid = (pid_t)strtol(text, &end, 10);
    unsigned long long started = strtoull(end, NULL, 10);
    free(text);
    return pid > 1 && started != 0 && start_time(pid) == started ? pid : 0;
}

bool lab_signal(struct lab *lab, const char *name, int signo)
{
    pid_t pid = lab_pid(lab, name);
    int fd = pid == 0 ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0)
        return lab_fail(lab, "%s does not run", name);
    bool ok = lab_pid(lab, name) == pid; /* still the same process behind the descriptor */
    if (ok)
        ok = syscall(SYS_pidfd_send_signal, fd, signo, NULL, 0) == 0;
    close(fd);
    return ok ? true : lab_fail(lab, "%s cannot be signalled: %s", name, strerror(errno));
}

bool lab_wait_gone(struct lab *lab, const char *name, int timeout_ms)
{
    int64_t due = lab_now_us() + timeout_ms * STAY_MS;
    while (lab_pid(lab, name) != 0) {
        if (lab_now_us() > due)
            return lab_fail(lab, "%s is still there after %d ms", name, timeout_ms);
        lab_sleep_ms(2);
    }
    return true;
}

static void set_faketime(const struct lab *lab, const char *name)
{
    char path[512];
    lab_clock_file(lab, name, path, sizeof path);
    setenv("LD_PRELOAD", "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1", 1);
    setenv("FAKETIME_TIMESTAMP_FILE", path, 1);
    setenv("FAKETIME_CACHE_DURATION", "1", 1);
    setenv("FAKETIME_DONT_FAKE_MONOTONIC", "1", 1);
    setenv("DONT_FAKE_MONOTONIC", "1", 1);
    setenv("FAKETIME_FORCE_MONOTONIC_FIX", "0", 1); /* or mysqld hangs in its timed waits */
    setenv("ASAN_OPTIONS", "verify_asan_link_order=0", 0);
}

/* The daemon itself, two forks away from us: nobody here has to wait for it. */
static void child_spawn(const struct lab *lab, const struct lab_daemon *what, int report,
                        char *const argv[])
{
    setsid();
    pid_t pid = fork();
    if (pid != 0) {
        if (pid > 0 && write(report, &pid, sizeof pid) != (ssize_t)sizeof pid)
            _exit(1);
        _exit(pid > 0 ? 0 : 1);
    }
    int log = open(lab_path(lab, "log/%s.log", what->name).s, O_WRONLY | O_CREAT | O_APPEND, 0644);
    int null = open("/dev/null", O_RDONLY);
    dup2(null, STDIN_FILENO);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    close_range(3, ~0U, 0);
    enter_or_exit(what->ns);
    if (lab->names && !lab_names_enter(lab))
        _exit(127);
    if (what->chdir != NULL && chdir(what->chdir) != 0)
        _exit(127);
    if (what->faketime)
        set_faketime(lab, what->name);
    exec_or_exit((const char *const *)argv);
}

bool lab_spawn(struct lab *lab, const struct lab_daemon *what, char *const argv[])
{
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0)
        return lab_fail(lab, "pipe: %s", strerror(errno));
    pid_t middle = fork();
    if (middle == 0)
        child_spawn(lab, what, report[1], argv);
    close(report[1]);
    pid_t pid = 0;
    bool ok = middle > 0 && read(report[0], &pid, sizeof pid) == (ssize_t)sizeof pid;
    close(report[0]);
    while (middle > 0 && waitpid(middle, NULL, 0) < 0 && errno == EINTR)
        ;
    if (!ok)
        return lab_fail(lab, "cannot start %s", what->name);
    char text[64];
    lab_format(text, sizeof text, "%d %llu\n", (int)pid, start_time(pid));
    return lab_write_file(lab, lab_path(lab, "pid/%s", what->name).s, text, 0644);
}

int lab_enter(const struct lab *lab, const char *host)
{
    int old = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    char path[PATH_MAX];
    lab_format(path, sizeof path, "/run/netns/%s", lab_namespace(lab, host).s);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool ok = old >= 0 && fd >= 0 && setns(fd, CLONE_NEWNET) == 0;
    if (fd >= 0)
        close(fd);
    if (!ok && old >= 0) {
        close(old);
        old = -1;
    }
    return old;
}

void lab_leave(int fd)
{
    must(setns(fd, CLONE_NEWNET) == 0);
    close(fd);
}

struct lab_path lab_program(const char *name)
{
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = '\0';
    const char *here = dirname(self);
    const char *given = getenv("MAINSTAY_BIN");
    struct lab_path tries[3] = {{""}, {""}, {""}}, none = {""};
    lab_format(tries[0].s, sizeof tries[0].s, "%s/%s", given == NULL ? here : given, name);
    lab_format(tries[1].s, sizeof tries[1].s, "%s/%s", here, name);
    lab_format(tries[2].s, sizeof tries[2].s, "%s/../bin/%s", here, name);
    for (size_t i = 0; i < STAY_COUNT(tries); i++)
        if (access(tries[i].s, X_OK) == 0)
            return tries[i];
    return none;
}
