/* tests/bench/bench_options.h - one reader for the options of every bench.
 *
 * Layer: tests. Not pure. */
#ifndef TESTS_BENCH_BENCH_OPTIONS_H
#define TESTS_BENCH_BENCH_OPTIONS_H
#include <stdio.h>

#include "base/base.h"

enum { BENCH_OPTIONS_MAX = 12 };

/* Exactly one of number, text and flag is set: where the value goes. */
struct bench_option {
    const char *name;
    int *number; /* from min to max */
    int min, max;
    const char **text;
    bool *flag; /* becomes `sets`; the option takes no value */
    bool sets;
};

/* Reads them all into their places; places of options that are not given stay as they are. False
 * with the usage on stderr: an unknown option, no number, one out of its bounds, or words beside.
 * --help prints the usage on stdout and exits 0. */
bool bench_options(int argc, char **argv, const struct bench_option *table, size_t count,
                   void (*usage)(FILE *out));

#endif
