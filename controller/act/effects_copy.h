/* controller/act/effects_copy.h - the COPY step of a reseed: by the operator's command, or on MySQL
 * by CLONE and the operator's start command for a server that nothing supervises.
 *
 * Layer: act, for effects.c. Loop thread only. */
#ifndef CONTROLLER_ACT_EFFECTS_COPY_H
#define CONTROLLER_ACT_EFFECTS_COPY_H
#include "controller/act/effects_node.h"
#include "controller/settings/settings.h"

#define EFFECTS_START_AGAIN_US (15 * STAY_SECOND) /* between two runs of the start command */

struct effects_copy_set;

/* nodes is borrowed and must outlive it. Owned by the caller: effects_copy_free kills its works. */
struct effects_copy_set *effects_copy_new(struct loop *loop,
                                          struct effects_node_set *nodes) STAY_MUST_USE;
void effects_copy_free(struct effects_copy_set *set);
/* Borrowed as by effects_configure. */
void effects_copy_configure(struct effects_copy_set *set, const struct settings_cluster *cluster);
/* Its works under way are killed. */
void effects_copy_forget(struct effects_copy_set *set, const char *cluster);

/* COPY and COPY_STOP. True: *ret_result is the answer, to be given in the loop's next turn; false:
 * done is called, exactly once, later. */
bool effects_copy_start(struct effects_copy_set *set, const char *cluster, uint64_t token,
                        const struct effect *effect, effects_done_fn done, void *arg,
                        struct effect_result *ret_result) STAY_MUST_USE;

#endif
