/* controller/act/effects_errant.h - the job process mainstay-errant, started for a server: saves
 * what a diverged one holds as a bundle, rewinds it, or compares its rows with the primary's.
 *
 * Layer: act. Loop thread only. One job a server at a time, and one comparison. Passwords go
 * through standard input. A job ends with its controller (the kernel kills it): it undoes all or
 * nothing, and holds a lock of the server's, for which a second one waits. */
#ifndef CONTROLLER_ACT_EFFECTS_ERRANT_H
#define CONTROLLER_ACT_EFFECTS_ERRANT_H
#include "base/json.h"
#include "controller/act/effects_node.h"
#include "controller/settings/settings.h"

struct effects_errant_set;

/* dir: where bundles are kept (errant_dir.h), copied. Owned by the caller. */
struct effects_errant_set *effects_errant_new(struct loop *loop, const char *dir) STAY_MUST_USE;
/* Ends its jobs; no callbacks afterwards. Takes NULL. */
void effects_errant_free(struct effects_errant_set *set);

enum errant_verb { ERRANT_SAVE = 0, ERRANT_INJECT, ERRANT_VERIFY };

/* INJECT alone reads what follows the verb: a bundle of the cluster's folder, one GTID of it or
 * NULL for all, and whether it is only tried. */
struct errant_order {
    enum errant_verb verb;
    bool is_trial;
    const char *bundle, *only, *actor, *reason;
    /* Just before done: all that the job said last, NULL: nothing; borrowed. May be NULL. */
    void (*told)(void *arg, const json_t *word);
};

/* Starts a job on effect->node: of SAVE effect->want is what the primary effect->peer holds; of
 * INJECT the node is the primary, of VERIFY the replica, effect->peer its source. done is called
 * exactly once, later: DONE with what the job said last, NOT_DONE with why, UNKNOWN. */
void effects_errant_start(struct effects_errant_set *set, const struct settings_cluster *cluster,
                          uint64_t token, const struct effect *effect,
                          const struct errant_order *order, effects_done_fn done, void *arg);

/* A rewind of effect->node to what effect->want, all that the primary effect->peer holds, has of
 * it: begun, or looked at where it is under way (effects_work.h). Killed at any moment it may be
 * begun again. */
void effects_errant_rewind(struct effects_errant_set *set, const struct settings_cluster *cluster,
                           const struct effect *effect, struct effect_result *ret_result);
/* Kills the rewind of a server; none: nothing. */
void effects_errant_stop(struct effects_errant_set *set, const char *cluster, uint32_t node);

#endif
