/* controller/act/step_route.h - clients' way to the primary: HAProxy's write and read backends, the
 * canary through the route, and keeping proxies at what was last decided.
 *
 * Layer: act. Loop thread only. All proxies of a cluster are asked in parallel, each within the
 * route's deadline; what they do is read back (`show servers state`), never assumed. Fail-static: a
 * proxy is changed only by a step of a plan or to bring it back to the standing intent, so when
 * every controller is gone it stays as it was. A proxy that cannot be reached is noted, never
 * waited for; when it is back, also with an old state after a restart, route_watch corrects it. A
 * step with a lower epoch than one already carried out is refused. Closing proves nothing. */
#ifndef CONTROLLER_ACT_STEP_ROUTE_H
#define CONTROLLER_ACT_STEP_ROUTE_H
#include "controller/decide/plan.h"
#include "controller/settings/settings.h"

struct loop;
struct route_set;

struct route_stats {
    uint64_t corrections;          /* proxies brought back to the intent by the watch */
    uint64_t failures;             /* exchanges that got no answer */
    unsigned proxies, unreachable; /* now */
};

/* result is borrowed for the call. */
typedef void (*route_done_fn)(void *arg, uint64_t token, const struct effect_result *result);

/* Owned by the caller: route_free. */
struct route_set *route_new(struct loop *loop) STAY_MUST_USE;
/* Exchanges under way end by themselves; their steps are not called back. Takes NULL. */
void route_free(struct route_set *set);
/* Registers a cluster or replaces what is known of it, borrowed as by effects_configure; its
 * standing intent is kept. */
void route_configure(struct route_set *set, const struct settings_cluster *cluster);
void route_forget(struct route_set *set, const char *cluster);

/* ROUTE_CLOSE, ROUTE_OPEN: done exactly once, later. DONE: every proxy that answered was seen to
 * hold it and at least one answered (or there are none); the text names those that did not. */
void route_start(struct route_set *set, const char *cluster, uint64_t token,
                 const struct effect *effect, route_done_fn done, void *arg);

/* The standing intent while no plan runs: `primary` alone takes writes, `readers` (node mask; 0:
 * the primary) serve reads. NO_NODE: leave the proxies as they are (paused, not adopted, no
 * primary). Cheap when nothing changed: call it every turn. */
void route_intend(struct route_set *set, const char *cluster, uint32_t primary, uint64_t epoch,
                  uint32_t readers);

/* All zero for a cluster that is not known. */
void route_stats(const struct route_set *set, const char *cluster, struct route_stats *ret_stats);

/* Pure parts, for tests. Commands that make exactly the nodes of `ready` take connections in
 * `backend`, closing first, and then show its state; `kill` ends the others' sessions. */
struct str;
void route_commands(struct str *out, const struct cluster_config *config, const char *backend,
                    uint32_t ready, bool kill);
/* The nodes that take connections in `backend` by its state; *ret_known those that it has. False:
 * the answer holds no state of it. */
bool route_read_state(const char *answer, const struct cluster_config *config, const char *backend,
                      uint32_t *ret_ready, uint32_t *ret_known);

#endif
