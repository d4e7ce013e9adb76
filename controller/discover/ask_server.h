/* controller/discover/ask_server.h - one server asked once for everything a crawl wants to know of
 * it. Reads only.
 *
 * Layer: discover. Blocking, for lane threads. */
#ifndef CONTROLLER_DISCOVER_ASK_SERVER_H
#define CONTROLLER_DISCOVER_ASK_SERVER_H
#include "controller/discover/crawl.h"
#include "probes/mysql_session.h"

/* Who asks. An empty user is not used. MariaDB lists replicas to REPLICATION MASTER ADMIN, MySQL to
 * REPLICATION SLAVE: where monitor is refused that list, the one that has the privilege by
 * deploy/grants asks for it, and for nothing else. */
struct ask_accounts {
    struct mysql_account monitor;
    struct mysql_account operate, replicate;
};

/* Connects, finds out the engine, reads the groups of facts the controller reads, who it is, which
 * replicas it lists, and what the monitor account lacks. ret_answer must be empty;
 * reach.outcome says how it ended: with OUT_OK at least group STATUS is there; what stands behind
 * it may be missing (no privilege, an unknown variable). The caller clears it. target->engine is
 * not looked at. */
void ask_server(const struct mysql_target *target, const struct ask_accounts *accounts,
                int64_t deadline_mono_us, struct crawl_answer *ret_answer);

#endif
