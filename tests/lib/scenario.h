/* tests/lib/scenario.h - what every real-server scenario begins and ends with: a lab of its own, a
 * controller, an adopted cluster, clients; and the loss checker's word at the end.
 *
 * Layer: tests. Not pure; needs root. A program is called `scenario_X --engine mariadb|mysql --name
 * LAB`; exit 0 passed, 77 skipped with its reason, 1 failed. The lab is always taken down at exit
 * (kept when MAINSTAY_KEEP_LAB is set). The last line printed is "row | injected | what happened |
 * invariant". */
#ifndef TESTS_LIB_SCENARIO_H
#define TESTS_LIB_SCENARIO_H
#include "tests/lib/cluster_state.h"

enum scenario_flags {
    SCENARIO_NO_CONTROLLER = 1, /* servers only */
    SCENARIO_NO_ADOPT = 2,      /* the controller observes */
};

/* Are all points of a long matrix asked for (MAINSTAY_SCENARIO_LONG), or the few of a short run? */
bool scenario_is_long(void);

/* Parses arguments, brings everything up and waits until the cluster is ready. Exits on failure.
 * The options' engine and name are taken from the arguments. */
struct lab *scenario_begin(int argc, char **argv, struct lab_options options, unsigned flags);
/* Changes the configuration before the controller starts: call between begin(NO_CONTROLLER) and
 * this. */
void scenario_start_controller(struct lab *lab, bool adopt);
/* Before that: the cluster of another lab goes behind this one's in its configuration, under a name
 * of four letters. */
void scenario_take_in(struct lab *lab, struct lab *other, const char *name);

/* Writers through both proxies until scenario_check. */
void scenario_load(struct lab *lab);
/* Waits until clients wrote for `ms` milliseconds more. */
void scenario_write_on(int ms);
/* Fails unless clients' rows on `node` become more within `ms`. */
void scenario_goes_on(struct lab *lab, const char *node, int ms);
/* The controller must refuse to start and say `word`. Prints what it says. */
void scenario_refuses_start(struct lab *lab, const char *what, const char *word);
/* Stops the load; fails unless lost, unexpected, duplicates, order violations and overlaps are 0 on
 * `node` and at least min_acked writes were acknowledged. Prints the figures. */
void scenario_check(struct lab *lab, const char *node, int min_acked);
/* As scenario_check, but up to lost_max acknowledged writes may be missing (bounded mode). */
void scenario_check_bounded(struct lab *lab, const char *node, int min_acked, int lost_max);

/* Name of the new primary after a failover away from `old` (static buffer); exits on timeout. */
const char *scenario_failover(struct lab *lab, const char *old, int timeout_s);
/* As scenario_failover, where the old primary may live behind silence. MySQL answers its waiters OK
 * when it is shut down, so there the failover must refuse to go on alone; an operator's
 * --accept-loss then does it. */
const char *scenario_failover_unseen(struct lab *lab, const char *old, int timeout_s);
/* Either: it fails over, or on MySQL the certificate is BOUNDED and the operator is asked. */
const char *scenario_failover_either(struct lab *lab, const char *old, int timeout_s);
/* Nothing fails over for `seconds`: the primary stays `primary`. Exits when it moved. */
void scenario_stays(struct lab *lab, const char *primary, int seconds);
/* `node` came back: read-only, and a running replica or in quarantine; says which (static). */
const char *scenario_settled(struct lab *lab, const char *node, int timeout_s);
/* Prints the newest plan of this kind: state, rule, proof, certificate, outage, text. */
void scenario_story(struct lab *lab, const char *kind);
/* Waits until ready (lossless again, everybody attached); exits with what is missing. */
void scenario_ready(struct lab *lab, int timeout_s);
/* One value by SQL on a node, through the server's own socket; caller frees; exits on error. */
char *scenario_value(struct lab *lab, const char *node, const char *statement);
/* Engine-neutral spelling: returns mariadb's or mysql's text. */
const char *scenario_pick(struct lab *lab, const char *mariadb, const char *mysql);

/* Crash points ("failover:freeze:after", with ":stop" a SIGSTOP) of the controller that is started
 * next; NULL: none. Skips the scenario when mainstayd was built without them. */
void scenario_crash_at(const char *point);
/* The controller stopped itself (stopped) or died at its point within timeout_s. */
bool scenario_wait_crash(struct lab *lab, bool stopped, int timeout_s);
/* Text of a file in the lab's folder ("log/controller.log"), "" if there is none; caller frees. */
char *scenario_file(struct lab *lab, const char *name);
/* Copies a file of the lab's folder to another name in it; exits the scenario when it cannot. */
void scenario_copy(struct lab *lab, const char *from, const char *to);
/* Runs `mainstay --json VERB...` and returns what it printed as one text; caller frees. */
char *scenario_say(struct lab *lab, int *ret_code, const char *verb, const char *a, const char *b);
/* Ends every session of `user` on `node`, so that it logs in anew. */
void scenario_kill_sessions(struct lab *lab, const char *node, const char *user);

/* It ends well from here on, without a last line of its own: no logs are kept. */
void scenario_over(void);
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
