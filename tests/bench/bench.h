/* tests/bench/bench.h - what every bench needs: percentiles, raw results that append to a file per
 * commit (so that runs may be gathered in several goes), and a table for people, ratio first.
 *
 * Layer: tests. Not pure. */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H
#include <jansson.h>

#include "base/base.h"

struct bench_percentiles {
    double p50, p99, max;
};

/* Sorts values in place; p99 of fewer than 100 values is the maximum. n >= 1. */
struct bench_percentiles bench_percentiles(double *values, size_t n);
/* {"p50":..,"p99":..,"max":..} with one decimal; a new reference. */
json_t *bench_percentiles_json(struct bench_percentiles p);

/* A number of the object; 0 when it is not there. */
double bench_number(const json_t *object, const char *key);

/* What ./bench put in MAINSTAY_COMMIT: short hash of HEAD, "-dirty" appended when sources differ;
 * "unknown" when run without it. */
const char *bench_commit(void);
/* Appends one compact line to `path` (folders are made); false with a message on stderr. */
bool bench_append(const char *path, const json_t *run);
/* Appends the run to tests/bench/results/GROUP-COMMIT.jsonl, says where, and writes it to `json`
 * too (NULL: nowhere); what cannot be written is said on stderr. */
void bench_keep(const char *group, const json_t *run, const char *json);
/* Writes the object to `path` for other programs; NULL: nowhere. */
void bench_write(const char *path, const json_t *object);
/* Every line of `path` that is a JSON object, as an array (empty when there is no file). */
json_t *bench_read(const char *path);
/* 1-minute load average, for the table's last line. */
double bench_load(void);

#endif
