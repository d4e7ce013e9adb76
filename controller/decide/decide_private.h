/* controller/decide/decide_private.h - what the files of decide() share.
 *
 * Pure. Layer: decide, these files only. */
#ifndef CONTROLLER_DECIDE_DECIDE_PRIVATE_H
#define CONTROLLER_DECIDE_DECIDE_PRIVATE_H
#include "controller/decide/decide.h"

#include "controller/decide/verdict_private.h"

/* It accepts writes and replicates from nobody. */
bool decide_is_loose(const struct server_facts *facts);
/* The server that accepts writes beside the primary, by an epoch not above the recorded one;
 * NO_NODE: none. */
uint32_t decide_stale_writable(const struct cluster_view *view, int64_t now_mono_us);
/* A replica that follows and accepts writes all the same; NO_NODE: none. */
uint32_t decide_open_follower(const struct cluster_view *view, int64_t now_mono_us);
/* The record set `node` aside as stale or diverged, and it accepts writes. */
bool decide_is_open_outcast(const struct cluster_view *view, uint32_t node, int64_t now_mono_us);
/* `node`, a replica by our record, was opened by a human while we were not looking. */
bool decide_is_taken_over(const struct cluster_view *view, uint32_t node);

#endif
