/* controller/run/daemon_fleet.h - what the clusters mean for one another: limits over all of them,
 * busy zones, zones that are down, who goes first.
 *
 * Layer: run. Loop thread only. */
#ifndef CONTROLLER_RUN_DAEMON_FLEET_H
#define CONTROLLER_RUN_DAEMON_FLEET_H
#include "controller/run/daemon_private.h"

/* What the guards of `asking` need to know of the other clusters, as of now. */
void daemon_fleet(struct daemon *d, const struct daemon_cluster *asking, struct fleet *ret_fleet);
/* Each tick: counts once a second, so that a zone's loss and its end are said. */
void daemon_fleet_look(struct daemon *d);

#endif
