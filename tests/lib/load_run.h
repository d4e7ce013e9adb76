/* tests/lib/load_run.h - writers that behave as real clients do: short timeouts, reconnect with a
 * small back-off over several proxies, a new unique row each time, and a record of every answer.
 *
 * Layer: tests; shares nothing with the controller. Threads: one per writer, inside load_run. */
#ifndef TESTS_LIB_LOAD_RUN_H
#define TESTS_LIB_LOAD_RUN_H
#include <signal.h>

#include "base/base.h"

enum { LOAD_TARGETS_MAX = 4, LOAD_WRITERS_MAX = 512 };

struct load_settings {
    struct {
        char host[64];
        unsigned port;
    } targets[LOAD_TARGETS_MAX];
    size_t targets_count;
    const char *user, *password, *out,
        *until_file; /* until_file: stop when it exists; may be NULL */
    unsigned writers, rate, connect_timeout_s, read_timeout_s; /* rate 0: unlimited */
    unsigned seconds;                                          /* 0: until stopped */
};

/* Runs until the time is over, until_file exists or *stop becomes non-zero. False with a sentence
 * in why[size] when it cannot begin. */
bool load_run(const struct load_settings *settings, const volatile sig_atomic_t *stop, char *why,
              size_t size);

#endif
