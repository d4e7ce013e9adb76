/* tests/bench/failover_report.h - the table that bench-failover ends with.
 *
 * Layer: tests. Not pure: prints. */
#ifndef TESTS_BENCH_FAILOVER_REPORT_H
#define TESTS_BENCH_FAILOVER_REPORT_H
#include <jansson.h>

enum { FAILOVER_RUNS_MAX = 2000 };

/* What was asked of the bench. */
struct failover_bench {
    const char *engine, *mode, *json; /* json: NULL, or where the figures go too */
    int runs, among;                  /* servers the controller watches besides */
};

/* `runs`: as bench_read gives them, all of this commit, engine and mode. */
void failover_report(const struct failover_bench *o, const json_t *runs);

#endif
