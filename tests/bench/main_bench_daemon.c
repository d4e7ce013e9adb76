/* bench-daemon: what a whole controller costs that watches thousands of clusters. The servers and
 * forwarders of bench-probes, a mainstayd on core 0 with a configuration of clusters of two, each
 * server probed once a second; CPU and memory of a span once all have answered. */
#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "tests/bench/bench.h"
#include "tests/bench/bench_options.h"
#include "tests/bench/fleet_config.h"
#include "tests/bench/probe_stage.h"
#include "tests/bench/process_use.h"

#define BAR_CPU_PERCENT 100.0
#define BAR_RSS_MIB     512.0

enum { HTTP_PORT = 8499, READY_S = 240, LOOK_S = 2 };
enum { PAGE_MAX = 32 * 1024 * 1024, PART_CLUSTERS = 500 };

struct options {
    const char *json;
    int clusters, seconds, warm_s, reals;
    bool tls;
};

/* In parts: a file may have 1 MiB. */
static bool write_part(const struct probe_stage *stage, const char *path, int first)
{
    int end =
        first + PART_CLUSTERS < stage->servers / 2 ? first + PART_CLUSTERS : stage->servers / 2;
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return false;
    fleet_config_write(file, stage, first, end);
    if (end < stage->servers / 2)
        fprintf(file, ",\n");
    return fclose(file) == 0;
}

static bool write_config(const struct probe_stage *stage, const char *path)
{
    const char *dir = lab_dir(stage->lab);
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return false;
    fprintf(file,
            "controller = {\n  name = \"ctl\"; zone = \"witness\";\n"
            "  state = \"sqlite:%s/state/state.db\"; socket = \"%s/mainstay.sock\";\n"
            "  listen = ( { address = \"127.0.0.1:%d\"; } );\n"
            "  runbook = \"%s/state/runbook.txt\"; recorder = \"%s/state/recorder\";\n};\n"
            "clusters = (\n",
            dir, dir, HTTP_PORT, dir, dir);
    bool ok = true;
    for (int i = 0; ok && i < stage->servers / 2; i += PART_CLUSTERS) {
        STAY_AUTO(stay_free_charp) char *part = stay_sprintf("%s/part%d.conf", dir, i);
        ok = write_part(stage, part, i);
        fprintf(file, "@include \"%s\"\n", part);
    }
    fprintf(file, ");\n");
    return fclose(file) == 0 && ok;
}

/* How many servers answer by the controller's own metrics; -1: it does not say. */
static int servers_up(void)
{
    static const char request[] = "GET /metrics HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n";
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(HTTP_PORT),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval limit = {.tv_sec = 10};
    STAY_AUTO(str_clear) struct str page = {0};
    char bytes[65536];
    str_init(&page, PAGE_MAX);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), up = -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (connect(fd, (struct sockaddr *)&at, sizeof at) == 0 &&
        send(fd, request, sizeof request - 1, MSG_NOSIGNAL) > 0) {
        for (ssize_t n; (n = recv(fd, bytes, sizeof bytes, 0)) > 0;)
            str_add_bytes(&page, bytes, (size_t)n);
        up = 0;
    }
    (void)close(fd);
    for (const char *at_line = str_text(&page);
         (at_line = strstr(at_line, "\nmainstay_node_up{")) != NULL; at_line++) {
        const char *end = strpbrk(at_line + 1, "}\n");
        up += end != NULL && strncmp(end, "} 1", 3) == 0;
    }
    return up;
}

static bool wait_up(int servers, double *ret_s)
{
    int64_t begun = lab_now_us();
    int up = 0;
    while (up < servers && lab_now_us() - begun < READY_S * STAY_SECOND) {
        (void)sleep(LOOK_S); /* its page of thousands costs the loop that is measured */
        up = servers_up();
    }
    *ret_s = (double)(lab_now_us() - begun) / 1e6;
    if (up < servers)
        fprintf(stderr, "bench: %d of %d servers answer after %d s\n", up, servers, READY_S);
    return up >= servers;
}

static double hundredth(double value)
{
    return (double)(int64_t)(value * 100 + 0.5) / 100;
}

static json_t *difference(const struct options *o, const struct process_use *a,
                          const struct process_use *b, double ready_s)
{
    double span_us = (double)(b->at_us - a->at_us);
    json_t *threads = json_object(), *value;
    const char *name;
    json_object_foreach(b->by_thread, name, value)
    {
        json_int_t ns =
            json_integer_value(value) - json_integer_value(json_object_get(a->by_thread, name));
        json_object_set_new(threads, name, json_real(hundredth((double)ns / span_us / 10)));
    }
    return json_pack(
        "{s:s,s:s,s:b,s:i,s:i,s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:o,s:f}", "bench", "daemon", "commit",
        bench_commit(), "with_tls", o->tls, "clusters", o->clusters, "servers", 2 * o->clusters,
        "seconds", hundredth(span_us / 1e6), "ready_s", hundredth(ready_s), "cpu_percent",
        hundredth((double)(b->cpu_ns - a->cpu_ns) / span_us / 10), "rss_mib",
        hundredth((double)b->rss_kb / 1024), "pss_mib", hundredth((double)b->pss_kb / 1024),
        "kb_a_cluster", hundredth((double)b->rss_kb / o->clusters), "switches_per_s",
        hundredth((double)(b->switches - a->switches) / span_us * 1e6), "by_thread", threads,
        "load", hundredth(bench_load()));
}

static void report(const json_t *run)
{
    const char *name;
    json_t *value;
    printf("\ndaemon: %.0f clusters, %.0f servers each second%s, %.0f s\n",
           bench_number(run, "clusters"), bench_number(run, "servers"),
           json_is_true(json_object_get(run, "with_tls")) ? " by TLS" : "",
           bench_number(run, "seconds"));
    printf("  ratio to the bar: CPU %.2f (bar one core), memory %.2f (bar %.0f MiB)\n",
           bench_number(run, "cpu_percent") / BAR_CPU_PERCENT,
           bench_number(run, "rss_mib") / BAR_RSS_MIB, BAR_RSS_MIB);
    printf("  CPU %.1f %% of a core, RSS %.0f MiB (%.0f kB a cluster), %.0f switches a second;\n"
           "  all answered after %.1f s; by thread:",
           bench_number(run, "cpu_percent"), bench_number(run, "rss_mib"),
           bench_number(run, "kb_a_cluster"), bench_number(run, "switches_per_s"),
           bench_number(run, "ready_s"));
    json_object_foreach(json_object_get(run, "by_thread"), name, value)
        printf(" %s %.1f", name, json_number_value(value));
    printf("\n  load of this machine %.1f\n", bench_number(run, "load"));
}

static pid_t pid_of(const struct lab *lab)
{
    STAY_AUTO(stay_free_charp) char *path = stay_sprintf("%s/pid/mainstayd", lab_dir(lab));
    FILE *file = fopen(path, "r");
    int pid = 0;
    if (file == NULL || fscanf(file, "%d", &pid) != 1)
        pid = 0;
    if (file != NULL)
        (void)fclose(file);
    return pid;
}

static bool measure(struct probe_stage *stage, const struct options *o)
{
    STAY_AUTO(stay_free_charp) char *path = stay_sprintf("%s/mainstay.conf", lab_dir(stage->lab));
    const char *argv[] = {"mainstayd", "--config", path, NULL};
    struct process_use before = {0}, after = {0};
    double ready_s = 0;
    bool ok = write_config(stage, path);
    probe_stage_core(true);
    ok = ok && lab_crowd_start(stage->lab, "mainstayd", argv);
    probe_stage_core(false);
    ok = ok && wait_up(stage->servers, &ready_s);
    (void)sleep(ok ? (unsigned)o->warm_s : 0);
    ok = ok && process_use_read(pid_of(stage->lab), &before);
    (void)sleep(ok ? (unsigned)o->seconds : 0);
    ok = ok && process_use_read(pid_of(stage->lab), &after) && servers_up() == stage->servers;
    if (ok) {
        json_t *run = difference(o, &before, &after, ready_s);
        report(run);
        bench_keep("daemon", run, o->json);
        json_decref(run);
    } else {
        STAY_AUTO(stay_free_charp) char *said = lab_crowd_output(stage->lab, "mainstayd");
        fprintf(stderr, "bench: the controller does not see all servers:\n%s\n",
                said == NULL ? "" : said);
    }
    process_use_clear(&before);
    process_use_clear(&after);
    return ok;
}

static void usage(FILE *out)
{
    fprintf(out,
            "usage: bench daemon [--clusters N] [--seconds N] [--warm N] [--real N] [--no-tls]\n"
            "                    [--json FILE]\n"
            "\n"
            "Needs root. One mainstayd on one core watches N clusters of two servers (2500),\n"
            "each probed once a second: what it costs in processor and memory.\n"
            "\n"
            "  --seconds N  measured (20), after --warm N (65: a round of rehearsals)\n"
            "  --real N     real servers behind the addresses (50), at most %d\n"
            "  --no-tls     connections without TLS\n"
            "  --json FILE  writes the figures there\n",
            LAB_CROWD_MAX);
}

static bool parse(int argc, char **argv, struct options *o)
{
    *o = (struct options){.clusters = 2500, .seconds = 20, .warm_s = 65, .reals = 50, .tls = true};
    const struct bench_option table[] = {
        {.name = "clusters", .number = &o->clusters, .min = 10, .max = 4000},
        {.name = "seconds", .number = &o->seconds, .min = 1, .max = 3600},
        {.name = "warm", .number = &o->warm_s, .min = 0, .max = 3600},
        {.name = "real", .number = &o->reals, .min = 1, .max = LAB_CROWD_MAX},
        {.name = "no-tls", .flag = &o->tls, .sets = false},
        {.name = "json", .text = &o->json},
    };
    return bench_options(argc, argv, table, STAY_COUNT(table), usage);
}

int main(int argc, char **argv)
{
    struct options o;
    if (!parse(argc, argv, &o))
        return 2;
    struct probe_stage stage = {
        .servers = 2 * o.clusters, .reals = o.reals, .share_ms = 200, .tls = o.tls};
    bool ok = probe_stage_up(&stage) && measure(&stage, &o);
    probe_stage_down(&stage, NULL);
    return ok ? 0 : 1;
}
