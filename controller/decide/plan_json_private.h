/* controller/decide/plan_json_private.h - what the record's JSON shares with the run's.
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

json_t *plan_mask_to_json(uint32_t mask, const struct cluster_config *config);
enum stay_rc plan_mask_from_json(const json_t *obj, const char *key,
                                 const struct cluster_config *config, uint32_t *ret_mask,
                                 struct stay_error *err) STAY_MUST_USE;
enum stay_rc plan_choice_mode(const json_t *obj, const char *key, enum durability_mode *ret,
                              struct stay_error *err) STAY_MUST_USE;

#endif
