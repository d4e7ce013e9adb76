/* controller/serve/metrics.h - /metrics: every family once, with its help and type, then its
 * samples.
 *
 * Layer: serve. Base units, prefix mainstay_, labels cluster, node, zone, mode, lose, version only:
 * as many series as there are servers, never as many as there are events. */
#ifndef CONTROLLER_SERVE_METRICS_H
#define CONTROLLER_SERVE_METRICS_H
#include "base/str.h"
#include "controller/serve/control.h"

/* One row of the table of families: also listed by mainstay-api(7). */
struct metric_family {
    const char *name; /* without mainstay_ */
    const char *type; /* "gauge" or "counter" */
    const char *help;
};

/* The table; static. */
const struct metric_family *metric_families(size_t *ret_count);

#endif
