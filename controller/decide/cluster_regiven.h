/* controller/decide/cluster_regiven.h - a MariaDB primary that lost its tail in a restart and wrote
 * on gives the lost numbers to other rows: who holds the old ones looks contained and is diverged.
 *
 * Pure. Layer: decide. See cluster.h. Measured on 10.11.19: at every start of a server a new binary
 * log begins, with the position that recovery left (facts.log_began; a later rotation only moves it
 * on, which hides a loss and never makes one up). */
#ifndef CONTROLLER_DECIDE_CLUSTER_REGIVEN_H
#define CONTROLLER_DECIDE_CLUSTER_REGIVEN_H
#include "controller/decide/cluster.h"

/* After STATUS facts of `node` were folded: keeps what a replica held while it received nothing,
 * and, at the first facts of a new process of the primary, what each replica held surely before
 * that process began. restarted: these facts are the first of a process; log_shrank: and it had
 * written more to its log when it was last read, so that no clock set back looks like one. */
void cluster_note_quiet(struct cluster_view *view, uint32_t node, bool restarted, bool log_shrank);
/* Does `held`, a set of `node`, contain transactions that the primary wrote, lost in its restart
 * and has numbered past since (`primary_held`), having received nothing in this life? TRI_UNKNOWN:
 * where its log began is not read yet, so it may. */
enum tri cluster_holds_regiven(const struct cluster_view *view, uint32_t node,
                               const struct gtid_set *held, const struct gtid_set *primary_held);
/* Takes such nodes into *record as diverged. Returns whether it changed. */
bool cluster_watch_regiven(struct cluster_view *view, struct cluster_record *record);
/* Forgets what was kept of all nodes about this life of the primary. */
void cluster_forget_regiven(struct cluster_view *view);

#endif
