/* tests/bench/probe_stage.h - what bench-probes measures against: a crowd of real servers, the
 * forwarders that give each probed address a connection of its own to one of them, and the measured
 * process with a pipe each way.
 *
 * Layer: tests. Not pure; needs root. The measured process has core 0 to itself, everything else
 * runs on the others. Blocking calls; false with a message on stderr. */
#ifndef TESTS_BENCH_PROBE_STAGE_H
#define TESTS_BENCH_PROBE_STAGE_H
#include <jansson.h>
#include <sys/types.h>

#include "tests/lib/lab_crowd.h"

enum { STAGE_GROUPS = 3, STAGE_SOME = 500 };

struct probe_stage {
    struct lab *lab;
    int servers, reals, share_ms;
    bool tls; /* between the measured process and the forwarders */
    pid_t meter;
    FILE *commands, *lines; /* to and from the meter */
};

/* Servers and forwarders. Group 1 is one address, group 2 the rest of the STAGE_SOME (or a tenth)
 * that go silent at once, each in a cluster of its own; group 0 are all others. */
bool probe_stage_up(struct probe_stage *stage);
/* Ends everything. *ret_forwarded: what the forwarders counted, an array; may be NULL. */
void probe_stage_down(struct probe_stage *stage, json_t **ret_forwarded);

/* Starts the measured process and waits until each address has answered; *ret_ready_s. */
bool probe_stage_meter(struct probe_stage *stage, int interval_ms, double *ret_ready_s);
/* Begins a window in which the groups of the mask are held up; *ret_line: what the one before it
 * measured, a new reference, may be NULL. */
bool probe_stage_window(struct probe_stage *stage, unsigned hurt, const char *name,
                        json_t **ret_line);
void probe_stage_meter_end(struct probe_stage *stage);
/* The groups in the mask, and no others, are behind a black hole from now on: nft drops every
 * packet to and from them. */
bool probe_stage_cut(struct probe_stage *stage, unsigned groups);
/* Where server 0 .. servers - 1 is probed: "127.100.0.1:22000". */
void probe_stage_address(const struct probe_stage *stage, int server, char *ret, size_t size);
/* The calling process and all it starts from now on have core 0, or leave it to the measured one.
 */
void probe_stage_core(bool measured);
/* How many addresses the groups in the mask have. */
int probe_stage_count(const struct probe_stage *stage, unsigned groups);

#endif
