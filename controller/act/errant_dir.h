/* controller/act/errant_dir.h - where bundles of errant transactions are kept.
 *
 * Layer: act. */
#ifndef CONTROLLER_ACT_ERRANT_DIR_H
#define CONTROLLER_ACT_ERRANT_DIR_H
#include "base/base.h"

/* "errant" beside the state file, then the cluster's folder unless `cluster` is NULL; heap, the
 * caller frees. */
char *errant_dir(const char *state_path, const char *cluster) STAY_MUST_USE;

#endif
