/* controller/discover/discover.h - runs a crawl: every address on a thread of its own, each with a
 * deadline, until nothing is left to ask. Reads only.
 *
 * Layer: discover. Blocks until the end: at most a deadline for each step away from the first
 * server and for each guessed port, all addresses known at one time being asked at once. */
#ifndef CONTROLLER_DISCOVER_DISCOVER_H
#define CONTROLLER_DISCOVER_DISCOVER_H
#include "controller/discover/ask_server.h"

struct discover_input {
    struct mysql_target target; /* host, port and engine are not looked at */
    struct ask_accounts accounts;
    int64_t timeout_us; /* for each server, all questions together */
};

/* crawl: initialised, with the addresses to begin at; settled afterwards. STAY_ESYSTEM, STAY_ELIMIT
 * when no loop or thread can be had; what servers answer is no error. */
enum stay_rc discover_run(struct crawl *crawl, const struct discover_input *input,
                          struct stay_error *err) STAY_MUST_USE;

#endif
