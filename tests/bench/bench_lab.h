/* tests/bench/bench_lab.h - one layout of the failover bench: a lab with its controller and an
 * adopted cluster.
 *
 * Layer: tests. Not pure; needs root. */
#ifndef TESTS_BENCH_BENCH_LAB_H
#define TESTS_BENCH_BENCH_LAB_H
#include "tests/bench/probe_stage.h"
#include "tests/lib/cluster_state.h"

struct bench_lab {
    struct lab *lab;
    const char *layout; /* "primary+replica" or "primary+replica+acker" */
    const char *replicas[3];
    size_t replica_count;
};

/* Takes a lab up with a controller and an adopted cluster; false with a message on stderr. among:
 * the controller watches these servers too; NULL: none. */
bool bench_lab_up(struct bench_lab *b, enum lab_engine engine, bool acker, const char *accept,
                  const struct probe_stage *among);
/* The controller's open connections for steps of a plan, over all the lab's servers; -1: unknown.
 */
int bench_lab_ready_sessions(struct bench_lab *b);
/* Keeps the lab's logs, the clients' record and the controller's status and history beside its
 * folder, and says where; returns in one line what is known of the failure; caller frees. */
char *bench_lab_keep(struct bench_lab *b);
void bench_lab_down(struct bench_lab *b);
/* What the controller tells of a plan: detection and the outage its last rehearsal foretold, in
 * milliseconds (-1: unknown, not foretold), and the certificate ("LOSSLESS" ..., "" none). */
struct bench_told {
    double detect_ms, predicted_ms;
    char certificate[32];
};
/* Of its newest plan of this kind. */
void bench_lab_explain(struct bench_lab *b, const char *kind, struct bench_told *ret_told);

#endif
