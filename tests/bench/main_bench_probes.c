/* bench-probes: how many servers one core can watch. Every address is probed each second by the
 * real probe code in a process of its own; then one goes silent, 500 at once, all at once: the
 * others' lateness before and during, ratio first. */
#include <string.h>
#include <unistd.h>

#include "tests/bench/bench.h"
#include "tests/bench/bench_options.h"
#include "tests/bench/probe_stage.h"

#define BAR_CPU_PERCENT 100.0
#define BAR_RSS_MIB     512.0

enum { WINDOWS = 7, WARM_S = 5 };

struct options {
    const char *json;
    int servers, seconds, reals, share_ms;
    bool tls;
};

/* groups: who is silent while it lasts. */
static const struct span {
    unsigned groups;
    const char *name; /* of those in which nobody is silent */
} spans[WINDOWS] = {{0, "all well"}, {2, ""}, {0, "it is back"}, {6, ""},
                    {0, "all back"}, {7, ""}, {0, "all back"}};

static double field(const json_t *object, const char *key, const char *inner)
{
    const json_t *value = json_object_get(object, key);
    return json_number_value(inner == NULL ? value : json_object_get(value, inner));
}

static double hundredth(double value)
{
    return (double)(int64_t)(value * 100 + 0.5) / 100;
}

static void name_span(const struct probe_stage *stage, int index, char *name, size_t size)
{
    const struct span *span = &spans[index];
    (void)stay_copy(name, size, span->name);
    if (span->groups != 0)
        (void)snprintf(name, size, "%d silent", probe_stage_count(stage, span->groups));
}

/* One span after the other; each line is what the meter said at its end. */
static bool measure(struct probe_stage *stage, const struct options *o, json_t *lines)
{
    bool ok = probe_stage_window(stage, 0, "warm", NULL);
    (void)sleep(WARM_S);
    for (int i = 0; ok && i <= WINDOWS; i++) {
        json_t *line = NULL;
        char name[32] = "end";
        unsigned now = i < WINDOWS ? spans[i].groups : 0;
        if (i < WINDOWS)
            name_span(stage, i, name, sizeof name);
        ok = probe_stage_window(stage, now, name, &line);
        if (ok && i > 0)
            json_array_append(lines, line);
        json_decref(line);
        if (i == WINDOWS)
            break;
        ok = ok && probe_stage_cut(stage, now);
        (void)sleep(ok ? (unsigned)o->seconds : 0);
    }
    return ok;
}

static json_t *silent_of(const struct probe_stage *stage, const json_t *lines, size_t index)
{
    const json_t *well = json_array_get(lines, 0), *line = json_array_get(lines, index);
    const json_t *after = json_array_get(lines, index + 1);
    double before = field(well, "late_ms", "p99"), during = field(line, "late_ms", "p99");
    json_t *none = json_null();
    json_t *silent = json_pack(
        "{s:i,s:O,s:o,s:O,s:O,s:O,s:O,s:O,s:O}", "servers",
        probe_stage_count(stage, spans[index].groups), "late_ms", json_object_get(line, "late_ms"),
        "ratio", during > 0 ? json_real(hundredth(before / during)) : json_incref(none),
        "cpu_percent", json_object_get(line, "cpu_percent"), "silence_seen_ms",
        json_object_get(line, "silence_seen_ms"), "failed_attempts",
        json_object_get(line, "failed_attempts"), "false_alarms",
        json_object_get(line, "false_alarms"), "back_seen_ms",
        json_object_get(after, "back_seen_ms"), "partner_late_ms",
        json_object_get(line, "partner_late_ms"));
    json_decref(none);
    return silent;
}

static json_t *result(const struct probe_stage *stage, const struct options *o, double ready_s,
                      json_t *lines)
{
    const json_t *well = json_array_get(lines, 0);
    json_t *silent = json_array();
    for (size_t i = 1; i < WINDOWS; i += 2)
        json_array_append_new(silent, silent_of(stage, lines, i));
    return json_pack(
        "{s:s,s:b,s:s,s:i,s:i,s:i,s:i,s:i,s:f,s:O,s:O,s:O,s:O,s:o,s:O,s:f}", "bench", "probes",
        "with_tls", o->tls, "commit", bench_commit(), "runs", 1, "servers", o->servers, "seconds",
        o->seconds, "real_servers", o->reals, "share_ms", o->share_ms, "ready_s",
        hundredth(ready_s), "late_ms", json_object_get(well, "late_ms"), "answer_ms",
        json_object_get(well, "answer_ms"), "cpu_percent", json_object_get(well, "cpu_percent"),
        "rss_mib", json_object_get(json_array_get(lines, WINDOWS - 1), "rss_mib"), "silent", silent,
        "windows", lines, "load", hundredth(bench_load()));
}

static void print_span(const json_t *line, double well_p99)
{
    const json_t *late = json_object_get(line, "late_ms");
    printf("  %-14s", json_string_value(json_object_get(line, "window")));
    if (json_is_object(late))
        printf("%6.2f %7.1f %7.1f %7.1f", well_p99 / field(late, "p99", NULL),
               field(late, "p50", NULL), field(late, "p99", NULL), field(late, "max", NULL));
    else
        printf("%6s %7s %7s %7s", "-", "-", "-", "-");
    printf(" %6.1f %6.0f %8.0f", field(line, "cpu_percent", NULL),
           field(line, "false_alarms", NULL), field(line, "failed_attempts", NULL));
    const char *seen = json_integer_value(json_object_get(line, "silence_seen")) > 0
                           ? "silence_seen_ms"
                           : "back_seen_ms";
    if (json_is_object(json_object_get(line, seen)))
        printf(" %6.0f", field(json_object_get(line, seen), "max", NULL));
    printf("\n");
}

static void report(const json_t *run)
{
    size_t index;
    json_t *line;
    double p99 = field(run, "late_ms", "p99");
    printf("\nprobes: %.0f servers each second on one core%s, clusters of two, %.0f s a row\n",
           field(run, "servers", NULL),
           json_is_true(json_object_get(run, "with_tls")) ? " by TLS" : "",
           field(run, "seconds", NULL));
    printf("  ratio to the bar: CPU %.2f (bar one core), memory %.2f (bar %.0f MiB)\n",
           field(run, "cpu_percent", NULL) / BAR_CPU_PERCENT,
           field(run, "rss_mib", NULL) / BAR_RSS_MIB, BAR_RSS_MIB);
    printf("\n  %-14s%6s %23s %6s %6s %8s %6s\n", "", "ratio", "others' lateness, ms", "CPU",
           "false", "attempts", "seen");
    printf("  %-14s%6s %7s %7s %7s %6s %6s %8s %6s\n", "", "to 1st", "p50", "p99", "max", "%",
           "alarms", "failed", "ms");
    json_array_foreach(json_object_get(run, "windows"), index, line) print_span(line, p99);
    printf(
        "\n  late: facts older than 1 s when the next came; seen: the last server's silence or\n"
        "  return. All answered %.1f s after the start. Targets: %.0f real mariadbd, a login of\n"
        "  their own for each address; an answer is shared for %.0f ms.\n",
        field(run, "ready_s", NULL), field(run, "real_servers", NULL),
        field(run, "share_ms", NULL));
    printf("  memory %.0f MiB", field(run, "rss_mib", NULL));
    printf("; load of this machine %.1f\n", field(run, "load", NULL));
}

static void usage(FILE *out)
{
    fprintf(out,
            "usage: bench probes [--servers N] [--seconds N] [--real N] [--share-ms N] [--no-tls]\n"
            "                    [--json FILE]\n"
            "\n"
            "Needs root. One core probes N addresses each second; then one goes silent, 500 at\n"
            "once, all at once (packets dropped by nft). Targets run on the other cores.\n"
            "\n"
            "  --servers N  addresses that are probed (5000), an even number\n"
            "  --seconds N  of each row of the table (20)\n"
            "  --real N     real servers behind the addresses (50), at most %d\n"
            "  --share-ms N a real server is asked the same thing again after so long (200)\n"
            "  --no-tls     connections without TLS\n"
            "  --json FILE  writes the figures there\n",
            LAB_CROWD_MAX);
}

static bool parse(int argc, char **argv, struct options *o)
{
    *o =
        (struct options){.servers = 5000, .seconds = 20, .reals = 50, .share_ms = 200, .tls = true};
    const struct bench_option table[] = {
        {.name = "servers", .number = &o->servers, .min = 20, .max = 60000},
        {.name = "seconds", .number = &o->seconds, .min = 3, .max = 3600},
        {.name = "real", .number = &o->reals, .min = 1, .max = LAB_CROWD_MAX},
        {.name = "share-ms", .number = &o->share_ms, .min = 0, .max = 60000},
        {.name = "no-tls", .flag = &o->tls, .sets = false},
        {.name = "json", .text = &o->json},
    };
    if (!bench_options(argc, argv, table, STAY_COUNT(table), usage))
        return false;
    o->servers += o->servers % 2;
    return true;
}

int main(int argc, char **argv)
{
    struct options o;
    if (!parse(argc, argv, &o))
        return 2;
    struct probe_stage stage = {
        .servers = o.servers, .reals = o.reals, .share_ms = o.share_ms, .tls = o.tls};
    double ready_s = 0;
    json_t *lines = json_array(), *forwarded = NULL, *run = NULL;
    bool ok = probe_stage_up(&stage) && probe_stage_meter(&stage, 1000, &ready_s) &&
              measure(&stage, &o, lines);
    if (ok) {
        run = result(&stage, &o, ready_s, lines);
        probe_stage_meter_end(&stage);
    }
    probe_stage_down(&stage, &forwarded);
    if (ok) {
        json_object_set(run, "forwarded", forwarded);
        report(run);
        bench_keep("probes", run, o.json);
    }
    json_decref(forwarded);
    json_decref(lines);
    json_decref(run);
    return ok ? 0 : 1;
}
