/* tests/bench/probe_stage.c - targets and the measured process; see the header. */
#include "tests/bench/probe_stage.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FORWARDER_PORT = 22000, REAL_PORT = 23000, ADDRESSES_A_NET = 250, READY_S = 180 };

static int some_of(const struct probe_stage *stage)
{
    return stage->servers >= 10 * STAGE_SOME ? STAGE_SOME : stage->servers / 10;
}

/* One of a pair: what goes silent leaves its cluster half seen, as a lost zone does. */
static int group_of(const struct probe_stage *stage, int server)
{
    if (server % 2 == 0 || server / 2 >= some_of(stage))
        return 0;
    return server == 1 ? 1 : 2;
}

int probe_stage_count(const struct probe_stage *stage, unsigned groups)
{
    int count = 0;
    for (int i = 0; i < stage->servers; i++)
        count += (groups >> group_of(stage, i) & 1) != 0;
    return count;
}

static void forwarder_name(int group, char *name, size_t size)
{
    (void)snprintf(name, size, "forwarder%d", group);
}

static bool start_forwarder(struct probe_stage *stage, int group)
{
    STAY_AUTO(stay_free_charp) char *path = lab_crowd_socket(stage->lab);
    char name[16], port[12], reals[12], share[12];
    forwarder_name(group, name, sizeof name);
    (void)snprintf(port, sizeof port, "%d", FORWARDER_PORT + group);
    (void)snprintf(reals, sizeof reals, "%d", stage->reals);
    (void)snprintf(share, sizeof share, "%d", stage->share_ms);
    STAY_AUTO(stay_free_charp) char *certificate = lab_crowd_certificate(stage->lab);
    STAY_AUTO(stay_free_charp) char *key = lab_crowd_key(stage->lab);
    const char *argv[] = {"probe-forwarder", port, path, reals, share, certificate, key, NULL};
    if (!stage->tls)
        argv[5] = NULL;
    return lab_crowd_start(stage->lab, name, argv);
}

void probe_stage_core(bool measured)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    for (long cpu = 1; cpu < sysconf(_SC_NPROCESSORS_ONLN) && cpu < CPU_SETSIZE; cpu++)
        CPU_SET((size_t)cpu, &set);
    if (measured) {
        CPU_ZERO(&set);
        CPU_SET(0, &set);
    }
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        fprintf(stderr, "bench: one core for all: what is measured shares it with its targets\n");
}

void probe_stage_address(const struct probe_stage *stage, int server, char *ret, size_t size)
{
    (void)snprintf(ret, size, "127.100.%d.%d:%d", server / ADDRESSES_A_NET,
                   server % ADDRESSES_A_NET + 1, FORWARDER_PORT + group_of(stage, server));
}

bool probe_stage_up(struct probe_stage *stage)
{
    probe_stage_core(false);
    stage->lab = lab_new(&(struct lab_options){.name = "probes"});
    bool ok = lab_crowd_cut(stage->lab, NULL, 0) && /* one that a killed bench left */
              lab_crowd_up(stage->lab, stage->reals, REAL_PORT);
    for (int g = 0; ok && g < STAGE_GROUPS; g++)
        ok = start_forwarder(stage, g);
    if (!ok)
        fprintf(stderr, "bench: the targets do not come up: %s\n", lab_error(stage->lab));
    return ok;
}

void probe_stage_down(struct probe_stage *stage, json_t **ret_forwarded)
{
    probe_stage_meter_end(stage);
    (void)lab_crowd_cut(stage->lab, NULL, 0);
    json_t *counted = json_array();
    for (int g = 0; g < STAGE_GROUPS; g++) {
        char name[16];
        forwarder_name(g, name, sizeof name);
        if (lab_crowd_signal(stage->lab, name, SIGTERM)) {
            STAY_AUTO(stay_free_charp) char *text = lab_crowd_output(stage->lab, name);
            json_t *line = text == NULL ? NULL : json_loads(text, 0, NULL);
            json_array_append_new(counted, line == NULL ? json_null() : line);
        }
    }
    if (ret_forwarded != NULL)
        *ret_forwarded = json_incref(counted);
    json_decref(counted);
    if (!lab_down(stage->lab))
        fprintf(stderr, "bench: %s\n", lab_error(stage->lab));
    lab_free(stage->lab);
    stage->lab = NULL;
}

static bool write_targets(const struct probe_stage *stage, const char *path)
{
    FILE *file = fopen(path, "w");
    for (int i = 0; file != NULL && i < stage->servers; i++) {
        int group = group_of(stage, i);
        fprintf(file, "127.100.%d.%d %d %d\n", i / ADDRESSES_A_NET, i % ADDRESSES_A_NET + 1,
                FORWARDER_PORT + group, group);
    }
    return file != NULL && fclose(file) == 0;
}

static void run_meter(const struct probe_stage *stage, int interval_ms, const char *targets,
                      const char *ca, const int in[2], const int out[2])
{
    STAY_AUTO(stay_free_charp) char *password = lab_crowd_password(stage->lab, "monitor");
    char self[512], interval[16];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(self, '/');
    must(slash != NULL);
    *slash = '\0';
    STAY_AUTO(stay_free_charp) char *program = stay_sprintf("%s/probe-meter", self);
    probe_stage_core(true);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)dup2(in[0], STDIN_FILENO);
    (void)dup2(out[1], STDOUT_FILENO);
    (void)snprintf(interval, sizeof interval, "%d", interval_ms);
    (void)setenv("PROBE_METER_PASSWORD", password == NULL ? "" : password, 1);
    (void)close_range(3, ~0U, 0);
    (void)execl(program, "probe-meter", targets, "2", interval, ca, (char *)NULL);
    fprintf(stderr, "bench: cannot run %s: %s\n", program, strerror(errno));
    _exit(127);
}

static json_t *read_line(struct probe_stage *stage, int timeout_s)
{
    struct pollfd p = {.fd = fileno(stage->lines), .events = POLLIN};
    char text[8192];
    if (poll(&p, 1, timeout_s * 1000) != 1 || fgets(text, (int)sizeof text, stage->lines) == NULL) {
        fprintf(stderr, "bench: the measured process does not answer\n");
        return NULL;
    }
    return json_loads(text, 0, NULL);
}

bool probe_stage_meter(struct probe_stage *stage, int interval_ms, double *ret_ready_s)
{
    STAY_AUTO(stay_free_charp) char *targets = stay_sprintf("%s/targets", lab_dir(stage->lab));
    STAY_AUTO(stay_free_charp)
    char *ca = stage->tls ? lab_crowd_ca(stage->lab) : stay_strdup("-");
    int in[2], out[2];
    if (!write_targets(stage, targets) || pipe(in) != 0 || pipe(out) != 0)
        return false;
    stage->meter = fork();
    if (stage->meter == 0)
        run_meter(stage, interval_ms, targets, ca, in, out);
    (void)close(in[0]);
    (void)close(out[1]);
    stage->commands = fdopen(in[1], "w");
    stage->lines = fdopen(out[0], "r");
    must(stage->commands != NULL && stage->lines != NULL);
    (void)setvbuf(stage->lines, NULL, _IONBF, 0); /* poll sees what is there */
    json_t *ready = read_line(stage, READY_S);
    bool ok = json_is_number(json_object_get(ready, "ready_s"));
    *ret_ready_s = json_number_value(json_object_get(ready, "ready_s"));
    json_decref(ready);
    return ok;
}

bool probe_stage_window(struct probe_stage *stage, unsigned hurt, const char *name,
                        json_t **ret_line)
{
    fprintf(stage->commands, "window %u %s\n", hurt, name);
    (void)fflush(stage->commands);
    json_t *line = read_line(stage, 30);
    bool ok = line != NULL;
    if (ret_line != NULL)
        *ret_line = json_incref(line);
    json_decref(line);
    return ok;
}

void probe_stage_meter_end(struct probe_stage *stage)
{
    if (stage->meter == 0)
        return;
    (void)fclose(stage->commands);
    (void)fclose(stage->lines);
    (void)kill(stage->meter, SIGKILL);
    (void)waitpid(stage->meter, NULL, 0);
    stage->meter = 0;
}

bool probe_stage_cut(struct probe_stage *stage, unsigned groups)
{
    unsigned ports[STAGE_GROUPS];
    size_t count = 0;
    for (unsigned g = 0; g < STAGE_GROUPS; g++)
        if ((groups >> g) & 1)
            ports[count++] = FORWARDER_PORT + g;
    bool ok = lab_crowd_cut(stage->lab, ports, count);
    if (!ok)
        fprintf(stderr, "bench: %s\n", lab_error(stage->lab));
    return ok;
}
