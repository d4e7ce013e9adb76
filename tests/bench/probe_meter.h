/* tests/bench/probe_meter.h - the measured process of bench-probes: a probe set over the targets of
 * a file, and how late what it sees is.
 *
 * Layer: tests. Not pure; one process of its own, so that CPU and memory are the probes'.
 *
 * Targets: one line "ADDRESS PORT GROUP" each; `per_cluster` lines that follow each other are a
 * cluster, partners when they are not all of group 0. As the controller does, a cluster of which a
 * server does not answer is urged until all do.
 *
 * Commands on stdin: "window MASK NAME" ends a window and begins the next, in which somebody holds
 * the groups of the mask up; "end" ends the last. Others are the servers of the other groups. On
 * stdout: {"ready_s":..} once every server has answered, then a line a window. */
#ifndef TESTS_BENCH_PROBE_METER_H
#define TESTS_BENCH_PROBE_METER_H
#include <jansson.h>

#include "probes/probe_set.h"

enum { METER_BUCKETS = 100000, METER_GROUPS = 4 };

/* 0.1 ms a bucket up to 10 s: what is longer counts in the last, the maximum is exact. */
struct meter_series {
    uint32_t buckets[METER_BUCKETS];
    uint64_t count;
    int64_t max_us;
};

struct meter_settings {
    const char *targets; /* file */
    unsigned per_cluster;
    struct probe_cluster model; /* accounts, pace, TLS; nodes are filled in */
};

void meter_series_add(struct meter_series *series, int64_t us);
void meter_series_clear(struct meter_series *series);
/* {"p50":..,"p99":..,"max":..} in milliseconds; JSON null when it is empty. */
json_t *meter_series_json(const struct meter_series *series);

/* Until "end" or the end of stdin. False with a sentence in why. */
bool probe_meter_run(const struct meter_settings *settings, char *why, size_t size);

#endif
