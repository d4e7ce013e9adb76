/* controller/decide/zone_census.h - the servers of all clusters, counted by zone: is a zone down,
 * and which of its clusters goes first? A zone takes many primaries with it; each of them would be
 * failed over for a reason of its own, and all at once.
 *
 * Pure. Layer: decide. Order: zero it, zone_census_add for every cluster, then zone_census_tell for
 * the one that decides. Cheap enough for 5,000 clusters ten times a second, and only asked for
 * while some primary is under suspicion. */
#ifndef CONTROLLER_DECIDE_ZONE_CENSUS_H
#define CONTROLLER_DECIDE_ZONE_CENSUS_H
#include "controller/decide/decide.h"

#define ZONE_CENSUS_MAX 64
#define ZONE_TURN_US    (30 * STAY_SECOND) /* so long one that does not get going holds them */
#define ZONE_SUSPECT_US                                                                            \
    (3 * STAY_SECOND) /* so long a suspicion may hold the clusters behind it                       \
                       */

struct zone_census {
    char name[NAME_MAX_LEN];
    uint32_t clusters, servers, silent; /* silent: refused or without an answer past the bounds */
    uint32_t sending; /* primaries we cannot see and a replica elsewhere receives from */
    uint32_t first; /* lowest `order` of those whose primary stands here and that are to fail over,
                       or are so freshly suspected that they may be; UINT32_MAX: none */
};
struct fleet_census {
    struct zone_census zones[ZONE_CENSUS_MAX]; /* zones after so many are not counted */
    uint32_t zone_count;
    uint32_t wanting; /* clusters whose automatic failover is wanted or runs */
};

/* Adds one cluster. order: its place in the configuration, first to last; `last` is its decision of
 * the last turn, failing_over: an automatic failover of it runs. */
void zone_census_add(struct fleet_census *census, uint32_t order, const struct cluster_view *view,
                     const struct decision *last, bool failing_over, int64_t now_mono_us);
/* What the census means for the cluster of this order: the zone fields of *fleet. */
void zone_census_tell(const struct fleet_census *census, uint32_t order,
                      const struct cluster_view *view, struct fleet *fleet);
/* At least two servers of at least two clusters, and none of them answers. */
bool zone_census_is_down(const struct zone_census *zone);

#endif
