/* controller/decide/cluster_written.h - what each server wrote itself, by hand or before it lost it
 * in a restart: told by its numbers, or by having been watched.
 *
 * Pure. Layer: decide. See cluster.h. */
#ifndef CONTROLLER_DECIDE_CLUSTER_WRITTEN_H
#define CONTROLLER_DECIDE_CLUSTER_WRITTEN_H
#include "controller/decide/cluster.h"

/* Has another node the id that this epoch's primary had when it was last read, by the record: also
 * by a controller before this one? */
bool cluster_is_primarys_twin(const struct cluster_view *view, uint32_t node);
/* Takes into *record how much of each other node's own making `held` has, the set of the record's
 * primary (`primary`): the most ever seen stands until another primary is recorded. Nodes whose
 * server id or uuid was never read are left as they were. Returns whether *record changed. */
bool cluster_note_written(const struct cluster_view *view, uint32_t primary,
                          const struct gtid_set *held, struct cluster_record *record);
/* Does `held`, a set of `node`, contain more of the node's own making than any primary of this
 * epoch was seen to hold, by the record: written by hand? False when nothing is recorded of it. It
 * tells even where the primary was never read: it died before this controller started. */
bool cluster_wrote_alone(const struct cluster_view *view, uint32_t node,
                         const struct gtid_set *held);
/* A node of whose making `held`, a set of this epoch's primary, has less than that primary was seen
 * to hold in this epoch, by the record: it lost them in a restart. NO_NODE: none. */
uint32_t cluster_lost_from(const struct cluster_view *view, const struct gtid_set *held);
/* Was `node`, which follows nobody, written to by hand since it was last looked at: has `held`,
 * read now, more of its own making? A MariaDB server that lost its own tail gives the lost numbers
 * again to such rows, so its set looks contained in the primary's. So it was, too, when its process
 * began while another was primary, never had a receiver, and committed. */
bool cluster_has_written_alone(const struct cluster_view *view, uint32_t node,
                               const struct gtid_set *held);
/* Looks at every read-only node that follows nobody, between plans of ours, and takes those written
 * to by hand into *record as diverged. Returns whether it changed. */
bool cluster_watch_alone(struct cluster_view *view, struct cluster_record *record);
/* `node` holds `range`, which `primary_held`, the primary's set, lacks: did another server write
 * it, and this epoch's primary hold it, by the record? Then a MariaDB primary lost it in a restart
 * (of what an earlier primary wrote it lost the tail too), and the node is right to have it. */
bool cluster_was_held(const struct cluster_view *view, uint32_t node,
                      const struct gtid_range *range, const struct gtid_set *primary_held);
/* The highest number that `held` has in the domain of `range`, of its server alone (`same`) or of
 * any; 0: none. MariaDB. */
uint64_t cluster_highest(const struct gtid_set *held, const struct gtid_range *range, bool same);
/* Lacks `held`, a set of `node`, transactions of the node's own making that `primary_held` has, and
 * holds later ones of the same domain? Measured on MariaDB 10.11: a receiver drops events of its
 * own server id without a word, unless it started with the semi-sync replica role on (and strict
 * mode), and its position goes on: what its restart had truncated never comes back. One that holds
 * nothing of its own making may have been seeded from a copy: it is believed. MySQL: false. */
bool cluster_skipped_own(const struct cluster_view *view, uint32_t node,
                         const struct gtid_set *held, const struct gtid_set *primary_held);
/* The same of a node's newest facts, by the primary's; remembers one seen short of its own
 * transactions, which tells where nothing of its own making is left. */
void cluster_look_skipped(struct cluster_view *view, uint32_t node);
/* May `node`, made writable now, give numbers a second time that it lost with its tail: it may have
 * lost it, and either was not seen to hold a primary's set since, or its own transactions are still
 * among the newest of `held`, what it executed? One that never was a primary, or long ago, cannot:
 * numbers rise within a domain. */
bool cluster_may_repeat_numbers(const struct cluster_view *view, uint32_t node,
                                const struct gtid_set *held);

#endif
