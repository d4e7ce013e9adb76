/* controller/decide/cluster_births.h - when the process of each acker began, kept in the record for
 * the next controller: an acker that restarted while nobody looked may have thrown away what it had
 * acknowledged (MariaDB purges the relay log), and no set shows it.
 *
 * Pure. Layer: decide. Source: failover.md section 5 (R), semi-sync rows 3 and 4. */
#ifndef CONTROLLER_DECIDE_CLUSTER_BIRTHS_H
#define CONTROLLER_DECIDE_CLUSTER_BIRTHS_H
#include "controller/decide/cluster.h"

/* Judges the first facts of each member of A in this controller's life by the record, once: the
 * process that is recorded has lost nothing, however young it is; any other one restarted. Records
 * of older versions tell nothing: there the process's age goes on to decide. Needs
 * view->wall_offset_us. */
void cluster_judge_births(struct cluster_view *view);
/* Takes into *record the births of the members of A that lack nothing they acknowledged, by what
 * this controller saw, and forgets those of others. Returns whether *record changed. */
bool cluster_note_births(const struct cluster_view *view, struct cluster_record *record);
/* Takes the birth of `node`, which lacks nothing, into *record, unless it is too young to be told
 * from its successor. Returns whether *record changed. */
bool cluster_note_birth(const struct cluster_view *view, uint32_t node,
                        struct cluster_record *record);

#endif
