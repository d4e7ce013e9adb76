/* tests/bench/bench.c - percentiles, raw result files and the commit they belong to. */
#include "tests/bench/bench.h"

#include <errno.h>
#include <math.h>
#include <sys/stat.h>

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct bench_percentiles bench_percentiles(double *values, size_t n)
{
    must(n > 0);
    qsort(values, n, sizeof *values, by_value);
    size_t p99 = n < 100 ? n - 1 : (size_t)((double)n * 0.99);
    return (struct bench_percentiles){
        .p50 = values[n / 2], .p99 = values[p99 < n ? p99 : n - 1], .max = values[n - 1]};
}

static json_t *tenth(double value)
{
    return json_real((double)(int64_t)(value * 10 + 0.5) / 10);
}

json_t *bench_percentiles_json(struct bench_percentiles p)
{
    return json_pack("{s:o,s:o,s:o}", "p50", tenth(p.p50), "p99", tenth(p.p99), "max",
                     tenth(p.max));
}

const char *bench_commit(void)
{
    const char *commit = getenv("MAINSTAY_COMMIT");
    return commit != NULL && *commit != '\0' ? commit : "unknown";
}

static void make_folders(const char *path)
{
    char *copy = stay_strdup(path);
    for (char *slash = strchr(copy + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(copy, 0755); /* exists already, or fopen names the trouble */
        *slash = '/';
    }
    free(copy);
}

double bench_number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

bool bench_append(const char *path, const json_t *run)
{
    make_folders(path);
    FILE *file = fopen(path, "a");
    if (file == NULL) {
        fprintf(stderr, "bench: cannot append to %s: %s\n", path, strerror(errno));
        return false;
    }
    char *line = json_dumps(run, JSON_COMPACT | JSON_SORT_KEYS);
    bool ok = line != NULL && fprintf(file, "%s\n", line) > 0;
    free(line);
    return fclose(file) == 0 && ok;
}

void bench_write(const char *path, const json_t *object)
{
    if (path != NULL && json_dump_file(object, path, JSON_INDENT(2)) != 0)
        fprintf(stderr, "bench: cannot write %s\n", path);
}

void bench_keep(const char *group, const json_t *run, const char *json)
{
    char path[256];
    (void)snprintf(path, sizeof path, "tests/bench/results/%s-%s.jsonl", group, bench_commit());
    if (bench_append(path, run))
        printf("  raw runs: %s\n", path);
    bench_write(json, run);
}

json_t *bench_read(const char *path)
{
    json_t *runs = json_array();
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return runs;
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, file) > 0) {
        json_t *run = json_loads(line, 0, NULL);
        if (json_is_object(run))
            json_array_append(runs, run);
        json_decref(run);
    }
    free(line);
    fclose(file);
    return runs;
}

double bench_load(void)
{
    double load = 0;
    return getloadavg(&load, 1) == 1 ? load : -1;
}
