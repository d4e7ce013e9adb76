/* The runs of one commit added up: what clients lost and waited, beside the peer and the rehearsal.
 */
#include "tests/bench/failover_report.h"

#include "tests/bench/bench.h"

enum { PREDICTED_WITHIN_MS = 1000 };

struct peer {
    const char *mode, *name;
    double p50, p99;
};
/* orchestrator with the best settings its documentation allows, measured on a machine of this size
 * (1 primary + 2 replicas, MariaDB 10.11); it is not installed here, so it is not run again. */
static const struct peer peers[] = {
    {"crash", "orchestrator, tuned", 2100, 3100},
    {"hang", "orchestrator, tuned", 8700, 9100},
    {"cut", "orchestrator, tuned", 8700, 9100},
    {"switchover", "orchestrator", 180, 770},
};

struct totals {
    double outage[FAILOVER_RUNS_MAX], detect[FAILOVER_RUNS_MAX], beyond[FAILOVER_RUNS_MAX],
        missed_by[FAILOVER_RUNS_MAX];
    double acked, lost, unexpected, duplicates, overlaps, ready;
    size_t n, failed, in_flight, predicted, near;
};

/* How far the rehearsal's prediction was from what the clients saw; runs of older commits and the
 * first failover of a lab were not foretold. */
static void add_prediction(struct totals *t, const json_t *run)
{
    double predicted = bench_number(run, "predicted_ms");
    if (predicted <= 0)
        return;
    double by = bench_number(run, "outage_ms") - predicted;
    t->missed_by[t->predicted++] = by < 0 ? -by : by;
    t->near += by > -PREDICTED_WITHIN_MS && by < PREDICTED_WITHIN_MS;
}

static void report_prediction(struct totals *t, json_t *json)
{
    if (t->predicted == 0)
        return;
    struct bench_percentiles by = bench_percentiles(t->missed_by, t->predicted);
    json_object_set_new(json, "predicted_runs", json_integer((json_int_t)t->predicted));
    json_object_set_new(json, "predicted_within_1s", json_integer((json_int_t)t->near));
    json_object_set_new(json, "predicted_off_ms", bench_percentiles_json(by));
    printf("  %-22s %8.0f %8.0f %8.0f  within 1 s in %zu of %zu runs\n", "prediction off by, ms",
           by.p50, by.p99, by.max, t->near, t->predicted);
}

static void add_up(const json_t *runs, struct totals *t)
{
    size_t index;
    json_t *run;
    json_array_foreach(runs, index, run)
    {
        if (json_is_true(json_object_get(run, "failed")) || t->n == FAILOVER_RUNS_MAX) {
            t->failed++;
            continue;
        }
        const json_t *check = json_object_get(run, "check");
        t->outage[t->n] = bench_number(run, "outage_ms");
        t->detect[t->n] = bench_number(run, "detect_ms");
        t->beyond[t->n++] = bench_number(run, "beyond_lag_ms");
        t->acked += bench_number(check, "acked");
        t->lost += bench_number(check, "lost");
        t->unexpected += bench_number(check, "unexpected");
        t->duplicates += bench_number(check, "duplicates");
        t->overlaps += bench_number(check, "overlaps");
        t->ready += bench_number(run, "ready_sessions");
        t->in_flight += bench_number(check, "waiting_at_fault") > 0;
        add_prediction(t, run);
    }
}

void failover_report(const struct failover_bench *o, const json_t *runs)
{
    struct totals *t = stay_calloc(1, sizeof *t);
    add_up(runs, t);
    json_t *json = json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:f,s:f,s:f,s:f,s:f}", "bench", "failover",
                             "engine", o->engine, "mode", o->mode, "commit", bench_commit(), "runs",
                             (json_int_t)t->n, "failed_runs", (json_int_t)t->failed, "acked",
                             t->acked, "lost", t->lost, "unexpected", t->unexpected, "duplicates",
                             t->duplicates, "overlaps", t->overlaps);
    printf("\nfailover, %s, %s: %zu runs, %zu failed\n", o->engine, o->mode, t->n, t->failed);
    if (o->among > 0)
        printf("  among %d other servers; connections for the steps, open before the fault: %.0f\n",
               o->among, t->ready);
    if (t->n > 0) {
        const struct peer *peer = NULL;
        for (size_t i = 0; i < STAY_COUNT(peers); i++)
            if (strcmp(peers[i].mode, o->mode) == 0)
                peer = &peers[i];
        struct bench_percentiles out = bench_percentiles(t->outage, t->n);
        struct bench_percentiles det = bench_percentiles(t->detect, t->n);
        json_object_set_new(json, "outage_ms", bench_percentiles_json(out));
        json_object_set_new(json, "detect_ms", bench_percentiles_json(det));
        if (peer != NULL)
            printf("  ratio p50 %.1f, p99 %.1f against %s (p50 %.0f, p99 %.0f ms; measured "
                   "elsewhere, not installed here)\n",
                   peer->p50 / out.p50, peer->p99 / out.p99, peer->name, peer->p50, peer->p99);
        printf("  %-22s %8s %8s %8s\n", "", "p50", "p99", "max");
        printf("  %-22s %8.0f %8.0f %8.0f\n", "client outage, ms", out.p50, out.p99, out.max);
        printf("  %-22s %8.0f %8.0f %8.0f\n", "detection, ms", det.p50, det.p99, det.max);
        report_prediction(t, json);
        if (strcmp(o->mode, "lagged") == 0) {
            struct bench_percentiles beyond = bench_percentiles(t->beyond, t->n);
            json_object_set_new(json, "beyond_lag_ms", bench_percentiles_json(beyond));
            printf("  %-22s %8.0f %8.0f %8.0f\n", "beyond the lag, ms", beyond.p50, beyond.p99,
                   beyond.max);
        }
    }
    printf("  acknowledged %.0f, lost %.0f, unexpected %.0f, duplicates %.0f, overlaps %.0f; a "
           "write in flight at the fault in %zu runs\n  load of this machine %.1f\n",
           t->acked, t->lost, t->unexpected, t->duplicates, t->overlaps, t->in_flight,
           bench_load());
    bench_write(o->json, json);
    json_decref(json);
    free(t);
}
