/* controller/serve/api_evacuation.h - zones that are being emptied, as JSON.
 *
 * Layer: serve. New references. */
#ifndef CONTROLLER_SERVE_API_EVACUATION_H
#define CONTROLLER_SERVE_API_EVACUATION_H
#include "controller/serve/control.h"

/* The order, its phase ("moving", "held", "stopped", "done") and each cluster with a server in the
 * zone: state, from, to, why, what a move took. since_wall_us 0: not ordered, what it would do. */
json_t *api_evacuation(const struct control *control, const struct evacuation *order);
/* Every order that stands, in short: zone, by, reason, since, how many primaries are left. */
json_t *api_evacuations(const struct control *control);
/* Clusters whose primary stands in the zone. */
size_t api_evacuation_left(const struct control *control, const char *zone);

#endif
