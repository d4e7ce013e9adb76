/* tests/bench/process_use.h - what another process has used: CPU to the nanosecond, its split, its
 * switches and its memory.
 *
 * Layer: tests. Not pure; reads /proc. */
#ifndef TESTS_BENCH_PROCESS_USE_H
#define TESTS_BENCH_PROCESS_USE_H
#include <jansson.h>
#include <sys/types.h>

#include "base/base.h"

struct process_use {
    int64_t at_us;       /* CLOCK_MONOTONIC of the reading */
    int64_t cpu_ns;      /* all threads, ended ones too: the scheduler's own sum */
    int64_t user_ticks;  /* utime of /proc/PID/stat; with system_ticks only good for the split */
    int64_t system_ticks;
    int64_t switches;    /* times a thread gave the processor up or lost it, living threads */
    int64_t rss_kb, pss_kb;
    int64_t threads;
    json_t *by_thread;   /* nanoseconds by thread name without its number; owned */
};

/* False when the process is gone. */
bool process_use_read(pid_t pid, struct process_use *ret);
void process_use_clear(struct process_use *use);

#endif
