/* controller/decide/plan_json_private.h - what the JSON of a run shares with its reading and with
 * the record's.
 *
 * Pure (heap only). Layer: decide, plan_json*.c and plan_describe.c only. */
#ifndef CONTROLLER_DECIDE_PLAN_JSON_PRIVATE_H
#define CONTROLLER_DECIDE_PLAN_JSON_PRIVATE_H
#include "controller/decide/plan.h"

/* In a function that returns enum stay_rc: the first failure ends it. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        enum stay_rc rc_ = (call);                                                                 \
        if (rc_ != STAY_OK)                                                                        \
            return rc_;                                                                            \
    } while (0)

#define PLAN_JSON_FORMAT 1

/* Every mask and flag of a run once, for both directions. */
#define RUN_MASKS(X)                                                                               \
    X(a)                                                                                           \
    X(f)                                                                                           \
    X(r)                                                                                           \
    X(collected)                                                                                   \
    X(slow)                                                                                        \
    X(spare)                                                                                       \
    X(doubted)                                                                                     \
    X(kept)                                                                                        \
    X(restarted) X(attached) X(detached) X(moved) X(replayed) X(lost_first) X(sound) X(froze)      \
        X(errant) X(received) X(able) X(acking) X(struck)
#define RUN_FLAGS(X)                                                                               \
    X(past_no_return)                                                                              \
    X(lossless_stood)                                                                              \
    X(acks_flowed)                                                                                 \
    X(was_open) X(maybe_open) X(fenced) X(fence_unheard) X(degrade) X(diverged) X(aims_lossless)
#define RUN_TIMES(X)  X(begun_mono_us) X(begun_wall_us) X(ended_mono_us)
#define RUN_COUNTS(X) X(epoch) X(acks) X(watch_uptime_s) X(watch_no_tx) X(watch_no_times)

/* Names of the mask's nodes, in the order of the configuration; the caller's reference. */
json_t *plan_mask_to_json(uint32_t mask, const struct cluster_config *config);
/* The array of names at obj[key] as a mask; a name that left the configuration is left out.
 * STAY_EINVALID names the key. */
enum stay_rc plan_mask_from_json(const json_t *obj, const char *key,
                                 const struct cluster_config *config, uint32_t *ret_mask,
                                 struct stay_error *err) STAY_MUST_USE;
/* The text at obj[key] as a mode; STAY_EINVALID names the key. */
enum stay_rc plan_choice_mode(const json_t *obj, const char *key, enum durability_mode *ret,
                              struct stay_error *err) STAY_MUST_USE;

#endif
