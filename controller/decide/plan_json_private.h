/* controller/decide/plan_json_private.h - what the record's JSON shares with the run's.
 *
 * Pure (heap only). Layer: decide, plan_json*.c and plan_describe.c only. */
#ifndef CONTROLLER_DECIDE_PLAN_JSON_PRIVATE_H
#define CONTROLLER_DECIDE_PLAN_JSON_PRIVATE_H
#include "controller/decide/plan.h"

json_t *plan_mask_to_json(uint32_t mask, const struct cluster_config *config);
enum stay_rc plan_mask_from_json(const json_t *obj, const char *key,
                                 const struct cluster_config *config, uint32_t *ret_mask,
                                 struct stay_error *err) STAY_MUST_USE;
const char *plan_mode_text(enum durability_mode mode); /* "lossless" ... */
enum stay_rc plan_choice_mode(const json_t *obj, const char *key, enum durability_mode *ret,
                              struct stay_error *err) STAY_MUST_USE;

#endif
