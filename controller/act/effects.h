/* controller/act/effects.h - sends each effect to who can carry it out: NODE steps to the servers'
 * lanes (effects_node.h), ROUTE steps to proxies and hooks (effects_route.h).
 *
 * Layer: act. Loop thread only. Order: effects_new, effects_configure per cluster, effects_start,
 * effects_free. */
#ifndef CONTROLLER_ACT_EFFECTS_H
#define CONTROLLER_ACT_EFFECTS_H
#include "controller/act/effects_node.h"
#include "controller/act/effects_route.h"

struct effects;

/* Makes its threads with their first work. Owned by the caller: effects_free. */
struct effects *effects_new(struct loop *loop) STAY_MUST_USE;
/* Where bundles of errant transactions are kept (errant_dir.h without a cluster); before any
 * configure. */
void effects_keep_errant(struct effects *e, const char *dir);
/* Blocks for at most wait_us; no callbacks afterwards. Takes NULL. */
void effects_free(struct effects *e, int64_t wait_us);
/* Registers a cluster (by its name) or replaces what is known of it. Borrowed until it is
 * configured anew (what was before must still be there, unchanged, during that call) or forgotten:
 * one copy of the settings serves all. */
void effects_configure(struct effects *e, const struct settings_cluster *settings);
void effects_forget(struct effects *e, const char *cluster);
/* As effects_node_expect. */
void effects_expect(struct effects *e, const char *cluster, bool is_expected);
/* done is called exactly once, later, on the loop. */
void effects_start(struct effects *e, const char *cluster, uint64_t token,
                   const struct effect *effect, effects_done_fn done, void *arg);
struct errant_order;
/* A job of effects_errant.h outside any plan: SAVE, which changes nothing on servers, or INJECT,
 * which is a client of the primary. done as in effects_start. */
void effects_errant_job(struct effects *e, const char *cluster, const struct errant_order *order,
                        uint32_t node, uint32_t primary, uint64_t epoch,
                        const struct gtid_set *known, effects_done_fn done, void *arg);
/* The standing intent of the routes while no plan runs, and how they are (step_route.h). */
void effects_route(struct effects *e, const char *cluster, uint32_t primary, uint64_t epoch,
                   uint32_t readers);
void effects_look_at_routes(const struct effects *e, const char *cluster,
                            struct route_stats *ret_stats);

#endif
