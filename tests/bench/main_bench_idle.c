/* bench-idle: what the controller costs while nothing happens. Real two-server clusters, each with
 * its own proxies, adopted and lossless; one mainstayd watches them all; after a warm-up its CPU
 * and memory are read at the start and at the end of the span. */
#include <string.h>
#include <time.h>

#include "tests/bench/bench.h"
#include "tests/bench/bench_options.h"
#include "tests/bench/process_use.h"
#include "tests/lib/cluster_state.h"

#define BAR_CPU_PERCENT 1.0
#define BAR_RSS_MIB     30.0

enum { CLUSTERS_MAX = 40, READY_S = 120 };

struct options {
    const char *engine, *json;
    int clusters, seconds, warm_s;
};

struct fleet_of_labs {
    struct lab *labs[CLUSTERS_MAX];
    int count;
};

static void nap_s(int seconds)
{
    struct timespec t = {.tv_sec = seconds};
    (void)nanosleep(&t, NULL);
}

static char *config_of(struct lab *lab)
{
    STAY_AUTO(stay_free_charp) char *path = stay_sprintf("%s/mainstay.conf", lab_dir(lab));
    FILE *file = fopen(path, "r");
    char *text = stay_calloc(1, 65536);
    size_t n = file == NULL ? 0 : fread(text, 1, 65535, file);
    text[n] = '\0';
    if (file != NULL)
        fclose(file);
    return text;
}

/* The first lab's configuration with the clusters of all others added: shop, shop1, shop2 .. */
static bool write_config(struct fleet_of_labs *f)
{
    static const char name[] = "{ name = \"shop\"", end[] = "\n);\n";
    STAY_AUTO(stay_free_charp) char *all = config_of(f->labs[0]);
    for (int i = 1; i < f->count; i++) {
        STAY_AUTO(stay_free_charp) char *text = config_of(f->labs[i]);
        char *from = strstr(text, name), *to = strstr(all, end);
        if (from == NULL || to == NULL)
            return false;
        *to = '\0';
        char *longer = stay_sprintf("%s,\n  { name = \"shop%d\"%s", all, i, from + strlen(name));
        free(all);
        all = longer;
    }
    STAY_AUTO(stay_free_charp)
    char *path = stay_sprintf("%s/mainstay.conf", lab_dir(f->labs[0]));
    FILE *file = fopen(path, "w");
    bool ok = file != NULL && fputs(all, file) >= 0;
    return (file == NULL || fclose(file) == 0) && ok;
}

/* NULL when every cluster is healthy in lossless mode, else what one of them lacks. */
static const char *what_is_missing(const json_t *clusters, int count)
{
    size_t index;
    json_t *cluster;
    if ((int)json_array_size(clusters) != count)
        return "not all clusters are told";
    json_array_foreach(clusters, index, cluster)
    {
        if (json_integer_value(json_object_get(json_object_get(cluster, "verdict"), "rule")) != 100)
            return "a verdict is not healthy";
        if (!json_is_true(state_find(cluster, "lossless_stands")))
            return "lossless does not stand";
        if (json_is_object(json_object_get(cluster, "plan")))
            return "a plan runs";
    }
    return NULL;
}

static bool all_ready(struct fleet_of_labs *f, int timeout_s)
{
    const char *missing = NULL;
    for (int64_t due = lab_now_us() + timeout_s * STAY_SECOND; lab_now_us() < due; nap_s(1)) {
        json_t *answer = NULL;
        int code = -1;
        bool ok = lab_cli(f->labs[0], &code, &answer, "status", NULL);
        missing = ok ? what_is_missing(state_find(answer, "clusters"), f->count) : "no answer";
        json_decref(answer);
        if (missing == NULL)
            return true;
    }
    fprintf(stderr, "bench: not idle after %d s: %s\n", timeout_s, missing);
    return false;
}

static bool fleet_up(struct fleet_of_labs *f, const struct options *o)
{
    for (f->count = 0; f->count < o->clusters; f->count++) {
        char name[16];
        (void)snprintf(name, sizeof name, "idle%d", f->count);
        struct lab_options what = {
            .name = name, .engine = strcmp(o->engine, "mysql") == 0 ? LAB_MYSQL : LAB_MARIADB};
        f->labs[f->count] = lab_new(&what);
        if (!lab_up(f->labs[f->count])) {
            fprintf(stderr, "bench: %s: %s\n", name, lab_error(f->labs[f->count]));
            f->count++;
            return false;
        }
    }
    bool ok = write_config(f) && lab_start_controller(f->labs[0]);
    for (int i = 0; ok && i < f->count; i++) {
        char name[16] = "shop";
        int code = -1;
        if (i > 0)
            (void)snprintf(name, sizeof name, "shop%d", i);
        ok = lab_cli(f->labs[0], &code, NULL, "adopt", name, "--yes", "--wait", NULL) && code == 0;
    }
    if (!ok)
        fprintf(stderr, "bench: the clusters do not come up: %s\n", lab_error(f->labs[0]));
    return ok && all_ready(f, READY_S);
}

static void fleet_down(struct fleet_of_labs *f)
{
    for (int i = 0; i < f->count; i++) {
        if (!lab_down(f->labs[i]))
            fprintf(stderr, "bench: %s\n", lab_error(f->labs[i]));
        lab_free(f->labs[i]);
    }
}

static pid_t controller_pid(struct lab *lab)
{
    STAY_AUTO(stay_free_charp) char *path = stay_sprintf("%s/pid/controller", lab_dir(lab));
    FILE *file = fopen(path, "r");
    int pid = 0;
    if (file == NULL || fscanf(file, "%d", &pid) != 1)
        pid = 0;
    if (file != NULL)
        fclose(file);
    return pid;
}

static double hundredth(double value)
{
    return (double)(int64_t)(value * 100 + 0.5) / 100;
}

/* What one span used, as the raw line; the split of the CPU time is the kernel's estimate. */
static json_t *difference(const struct options *o, const struct process_use *a,
                          const struct process_use *b)
{
    double span_us = (double)(b->at_us - a->at_us);
    double cpu = (double)(b->cpu_ns - a->cpu_ns) / span_us / 10;
    double ticks = (double)(b->user_ticks + b->system_ticks - a->user_ticks - a->system_ticks);
    double in_kernel = ticks > 0 ? (double)(b->system_ticks - a->system_ticks) / ticks : 0;
    json_t *threads = json_object(), *value;
    const char *name;
    json_object_foreach(b->by_thread, name, value)
    {
        json_int_t ns =
            json_integer_value(value) - json_integer_value(json_object_get(a->by_thread, name));
        json_object_set_new(threads, name, json_real(hundredth((double)ns / span_us / 10)));
    }
    return json_pack("{s:s,s:s,s:s,s:i,s:i,s:f,s:f,s:f,s:f,s:f,s:I,s:I,s:I,s:o,s:f}", "bench",
                     "idle", "commit", bench_commit(), "engine", o->engine, "clusters", o->clusters,
                     "servers", 2 * o->clusters, "seconds", hundredth(span_us / 1e6), "cpu_percent",
                     hundredth(cpu), "user_percent", hundredth(cpu * (1 - in_kernel)),
                     "system_percent", hundredth(cpu * in_kernel), "switches_per_s",
                     hundredth((double)(b->switches - a->switches) / span_us * 1e6), "rss_kb",
                     (json_int_t)b->rss_kb, "pss_kb", (json_int_t)b->pss_kb, "threads",
                     (json_int_t)b->threads, "by_thread", threads, "load", hundredth(bench_load()));
}

static void report(const json_t *run)
{
    double cpu = bench_number(run, "cpu_percent"), rss = bench_number(run, "rss_kb") / 1024;
    const char *name;
    json_t *value;
    printf("\nidle, %s: %.0f clusters, %.0f servers, %.0f s\n",
           json_string_value(json_object_get(run, "engine")), bench_number(run, "clusters"),
           bench_number(run, "servers"), bench_number(run, "seconds"));
    printf("  ratio to the bar: CPU %.2f (bar %.0f %% of a core), memory %.2f (bar %.0f MiB)\n",
           cpu / BAR_CPU_PERCENT, BAR_CPU_PERCENT, rss / BAR_RSS_MIB, BAR_RSS_MIB);
    printf("  CPU %.2f %% of a core: user %.2f, system %.2f; %.0f switches a second\n", cpu,
           bench_number(run, "user_percent"), bench_number(run, "system_percent"),
           bench_number(run, "switches_per_s"));
    printf("  RSS %.1f MiB, PSS %.1f MiB, %.0f threads; by thread:", rss,
           bench_number(run, "pss_kb") / 1024, bench_number(run, "threads"));
    json_object_foreach(json_object_get(run, "by_thread"), name, value)
        printf(" %s %.2f", name, json_number_value(value));
    printf("\n  load of this machine %.1f\n", bench_number(run, "load"));
}

static bool measure(struct fleet_of_labs *f, const struct options *o)
{
    struct process_use before = {0}, after = {0};
    pid_t pid = controller_pid(f->labs[0]);
    nap_s(o->warm_s);
    bool ok = process_use_read(pid, &before);
    nap_s(ok ? o->seconds : 0);
    ok = ok && process_use_read(pid, &after) && all_ready(f, 1); /* and it was idle all along */
    if (ok) {
        char group[40];
        (void)snprintf(group, sizeof group, "idle-%s", o->engine);
        json_t *run = difference(o, &before, &after);
        report(run);
        bench_keep(group, run, o->json);
        json_decref(run);
    } else {
        fprintf(stderr, "bench: the controller ended or was not idle\n");
    }
    process_use_clear(&before);
    process_use_clear(&after);
    return ok;
}

static void usage(FILE *out)
{
    fprintf(out,
            "usage: bench idle [--engine mariadb|mysql] [--clusters N] [--seconds N]\n"
            "                  [--warm N] [--json FILE]\n"
            "\n"
            "Needs root. One controller watches real two-server clusters in which nothing\n"
            "happens: what it costs in processor and memory.\n"
            "\n"
            "  --engine     mariadb or mysql (mariadb)\n"
            "  --clusters N 1 to %d (10)\n"
            "  --seconds N  measured (60), after --warm N (30) of nothing\n"
            "  --json FILE  writes the figures there\n",
            CLUSTERS_MAX);
}

static bool parse(int argc, char **argv, struct options *o)
{
    *o = (struct options){.engine = "mariadb", .clusters = 10, .seconds = 60, .warm_s = 30};
    const struct bench_option table[] = {
        {.name = "engine", .text = &o->engine},
        {.name = "clusters", .number = &o->clusters, .min = 1, .max = CLUSTERS_MAX},
        {.name = "seconds", .number = &o->seconds, .min = 1, .max = 86400},
        {.name = "warm", .number = &o->warm_s, .min = 0, .max = 86400},
        {.name = "json", .text = &o->json},
    };
    bool ok = bench_options(argc, argv, table, STAY_COUNT(table), usage);
    if (ok && strcmp(o->engine, "mariadb") != 0 && strcmp(o->engine, "mysql") != 0) {
        usage(stderr);
        ok = false;
    }
    return ok;
}

int main(int argc, char **argv)
{
    struct options o;
    if (!parse(argc, argv, &o))
        return 2;
    struct fleet_of_labs f = {.count = 0};
    bool ok = fleet_up(&f, &o) && measure(&f, &o);
    fleet_down(&f);
    return ok ? 0 : 1;
}
