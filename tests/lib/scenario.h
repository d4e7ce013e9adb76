/* tests/lib/scenario.h - what every real-server scenario begins and ends with: a lab of its own, a
 * controller, an adopted cluster, clients; and the loss checker's word at the end.
 *
 * Layer: tests. Not pure; needs root. A program is called `scenario_X --engine mariadb|mysql --name LAB`;
 * exit 0 passed, 77 skipped with its reason, 1 failed. The lab is always taken down at exit (kept when
 * MAINSTAY_KEEP_LAB is set). The last line printed is "row | injected | what happened | invariant". */
#ifndef TESTS_LIB_SCENARIO_H
#define TESTS_LIB_SCENARIO_H
#include "tests/lib/cluster_state.h"

enum scenario_flags {
    SCENARIO_NO_CONTROLLER = 1, /* servers only */
    SCENARIO_NO_ADOPT = 2,      /* the controller observes */
};

/* Parses arguments, brings everything up and waits until the cluster is ready. Exits on failure. The
 * options' engine and name are taken from the arguments. */
struct lab *scenario_begin(int argc, char **argv, struct lab_options options, unsigned flags);
/* Changes the configuration before the controller starts: call between begin(NO_CONTROLLER) and this. */
void scenario_start_controller(struct lab *lab, bool adopt);

/* Writers through both proxies until scenario_check. */
void scenario_load(struct lab *lab);
/* Waits until clients wrote for `ms` milliseconds more. */
void scenario_write_on(int ms);
/* Stops the load; fails unless lost, unexpected, duplicates, order violations and overlaps are 0 on
 * `node` and at least min_acked writes were acknowledged. Prints the figures. */
void scenario_check(struct lab *lab, const char *node, int min_acked);
/* As scenario_check, but up to lost_max acknowledged writes may be missing (bounded mode). */
void scenario_check_bounded(struct lab *lab, const char *node, int min_acked, int lost_max);

/* Name of the new primary after a failover away from `old` (static buffer); exits on timeout. */
const char *scenario_failover(struct lab *lab, const char *old, int timeout_s);
/* Nothing fails over for `seconds`: the primary stays `primary`. Exits when it moved. */
void scenario_stays(struct lab *lab, const char *primary, int seconds);
/* Waits until ready (lossless again, everybody attached); exits with what is missing. */
void scenario_ready(struct lab *lab, int timeout_s);
/* One value by SQL on a node, through the server's own socket; caller frees; exits on error. */
char *scenario_value(struct lab *lab, const char *node, const char *statement);
/* Engine-neutral spelling: returns mariadb's or mysql's text. */
const char *scenario_pick(struct lab *lab, const char *mariadb, const char *mysql);

_Noreturn void scenario_fail(const char *fmt, ...) STAY_PRINTF(1, 2);
_Noreturn void scenario_skip(const char *fmt, ...) STAY_PRINTF(1, 2);
_Noreturn void scenario_pass(const char *row, const char *injected, const char *happened,
                             const char *invariant);
#define SCENARIO_CHECK(expr, ...)                                                                  \
    do {                                                                                           \
        if (!(expr))                                                                               \
            scenario_fail(#expr ": " __VA_ARGS__);                                                 \
    } while (0)

#endif
