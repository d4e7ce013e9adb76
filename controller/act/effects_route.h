/* controller/act/effects_route.h - the asynchronous face of the ROUTE steps: proxies
 * (step_route.h), the canary through them, hooks (hook.h).
 *
 * Layer: act. Loop thread only. Order: new, configure per cluster, start, free. */
#ifndef CONTROLLER_ACT_EFFECTS_ROUTE_H
#define CONTROLLER_ACT_EFFECTS_ROUTE_H
#include "controller/act/effects_node.h"
#include "controller/act/step_route.h"

struct effects_route_set;

/* Owned by the caller: effects_route_free. */
struct effects_route_set *effects_route_new(struct loop *loop) STAY_MUST_USE;
/* Blocks for at most wait_us; no callbacks afterwards. */
void effects_route_free(struct effects_route_set *set, int64_t wait_us);
/* Registers a cluster or replaces what is known of it; borrowed as by effects_configure. */
void effects_route_configure(struct effects_route_set *set, const struct settings_cluster *cluster);
void effects_route_forget(struct effects_route_set *set, const char *cluster);
/* done is called exactly once, later, on the loop. */
void effects_route_start(struct effects_route_set *set, const char *cluster, uint64_t token,
                         const struct effect *effect, effects_done_fn done, void *arg);
/* As route_intend and route_stats. */
void effects_route_intend(struct effects_route_set *set, const char *cluster, uint32_t primary,
                          uint64_t epoch, uint32_t readers);
void effects_route_stats(const struct effects_route_set *set, const char *cluster,
                         struct route_stats *ret_stats);

#endif
