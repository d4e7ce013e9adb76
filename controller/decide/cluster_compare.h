/* controller/decide/cluster_compare.h - each server's sets against the primary's, at every answer
 * of either.
 *
 * Pure. Layer: decide, cluster*.c only. See cluster.h. */
#ifndef CONTROLLER_DECIDE_CLUSTER_COMPARE_H
#define CONTROLLER_DECIDE_CLUSTER_COMPARE_H
#include "controller/decide/cluster.h"

/* Moves a time on to when something was seen last; observations may come out of order. */
static inline void cluster_later(int64_t *at, int64_t seen)
{
    if (seen > *at)
        *at = seen;
}

/* After STATUS facts of `node` were folded: takes into the view what each node holds beyond the
 * primary (extra, errant, holds_lost), who has caught up since its restart (caught_up, goal), up to
 * when each held everything the primary had (held), and the ackers seen. Without a primary:
 * nothing.
 */
void cluster_compare(struct cluster_view *view, uint32_t node);

#endif
