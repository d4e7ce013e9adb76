/* controller/decide/plan_absorb_private.h - what the files of plan_absorb share: the answers of the
 * rows that freeze and drain.
 *
 * Pure. Layer: decide, plan_absorb*.c only. Each takes the answer of `node` to the row into the
 * run; its facts are used only when they were read. The row's mask `done` has the node already; an
 * answer that shows otherwise takes it out again. */
#ifndef CONTROLLER_DECIDE_PLAN_ABSORB_PRIVATE_H
#define CONTROLLER_DECIDE_PLAN_ABSORB_PRIVATE_H
#include "controller/decide/plan_private.h"

/* What an answer read of its server; NULL: nothing. */
static inline const struct server_facts *plan_facts_read(const struct effect_result *result)
{
    return result->groups_read ? result->facts : NULL;
}

/* Out of F, R and what was read: it is to be frozen and asked again. */
void plan_drop_node(struct plan_run *run, uint32_t node);
/* The executed set that was read, copied; nothing when none was. */
void plan_take_executed(struct plan_run *run, uint32_t node, const struct effect_result *result);

void plan_absorb_freeze(struct plan_run *run, const struct cluster_view *view, uint32_t row,
                        uint32_t node, const struct effect_result *result, int64_t now_mono_us);
void plan_absorb_drain(struct plan_run *run, const struct cluster_view *view, uint32_t node,
                       const struct effect_result *result, int64_t now_mono_us);
void plan_absorb_verify(struct plan_run *run, const struct cluster_view *view, uint32_t row,
                        uint32_t node, const struct effect_result *result, int64_t now_mono_us);
/* What its relay log holds is to be executed before it counts as drained. */
void plan_absorb_replay(struct plan_run *run, uint32_t node, const struct effect_result *result);
/* Not drained in its slice: does its applier work on, so that another slice may end it? */
bool plan_absorb_drain_goes_on(struct plan_run *run, uint32_t node,
                               const struct effect_result *result);

#endif
