/* controller/decide/decide_private.h - what the files of decide() share.
 *
 * Pure. Layer: decide, these files only. */
#ifndef CONTROLLER_DECIDE_DECIDE_PRIVATE_H
#define CONTROLLER_DECIDE_DECIDE_PRIVATE_H
#include "controller/decide/decide.h"

#include "controller/decide/verdict_private.h"

/* The run has ended, in whichever way / it goes on; false for NULL. */
bool decide_is_over(const struct plan_run *run);
bool decide_is_running(const struct plan_run *run);

/* First part of a turn: what the view shows since the last one goes into the view's memory and into
 * a copy of its record. True: the copy says something new and is to be stored. */
bool decide_remember(struct cluster_view *view, const struct plan_run *running, int64_t now_mono_us,
                     int64_t now_wall_us, struct cluster_record *ret_record);

/* Each names, in d->want and d->params, a plan for automation to start, unless the same failed just
 * now or what asks for it was seen before the last run ended. `node` as in struct plan_params. */
bool decide_want(const struct cluster_view *view, const struct plan_run *last,
                 const struct verdict *verdict, enum plan_kind kind, uint32_t node,
                 int64_t now_mono_us, struct decision *d);
/* The verdict's plan, else a replica's repair. A stronger mode comes last: it may be refused for
 * long (start-up values), and no server is left writable or unattached for that. */
void decide_want_plan(const struct cluster_view *view, const struct plan_run *last,
                      int64_t now_mono_us, struct decision *d);
/* The fence of an open outcast, each in its turn: the one under way, but not for longer than it
 * takes, for another one may be closed at once. */
bool decide_want_outcast_closed(const struct cluster_view *view, const struct plan_run *running,
                                int64_t now_mono_us, struct decision *d);
/* A primary that lost its tail and nobody to promote: a server put right first may be promoted
 * then; failing that the plan that would open it is named, and refuses with the reason for
 * people. */
void decide_want_instead_of_failover(const struct cluster_view *view, const struct plan_run *last,
                                     int64_t now_mono_us, struct decision *d);
/* A server that follows the primary while its commits wait, and could acknowledge if it were
 * repaired: NO_NODE when there is none. `last`: the one repaired just now comes last. */
uint32_t decide_acker_to_repair(const struct cluster_view *view, const struct plan_run *last,
                                int64_t now_mono_us);
/* Names the move of a sick primary that relieve.stalled (122) or relieve.disk (125) allows, once
 * in a cooldown each; it comes after every repair, and under all limits of an automatic
 * failover (the second one). */
void decide_want_relief(const struct cluster_view *view, const struct plan_run *last,
                        int64_t now_mono_us, int64_t now_wall_us, struct decision *d);
uint32_t decide_relief_vetoes(const struct cluster_view *view, const struct plan_run *running,
                              const struct fleet *fleet, const struct decision *d,
                              int64_t now_mono_us, int64_t now_wall_us);
/* A fence that runs, and has had longer than a server that works takes. */
bool decide_is_fence_overdue(const struct plan_run *running, int64_t now_mono_us);

/* The switchover ordered for a time, when that has come and nothing else is wanted; one that was
 * missed is taken out of d->record. */
void decide_want_scheduled(const struct cluster_view *view, int64_t now_mono_us,
                           int64_t now_wall_us, struct decision *d);
/* Is nothing else wanted, and the cluster well enough for a switchover? */
bool decide_may_switch(const struct cluster_view *view, const struct decision *d);
/* The primary leaves a zone that is being evacuated, when it is its turn and nothing else is
 * wanted. */
void decide_want_evacuated(const struct cluster_view *view, const struct fleet *fleet,
                           int64_t now_wall_us, struct decision *d);
bool decide_schedule_is_missed(const struct cluster_view *view, int64_t now_mono_us,
                               int64_t now_wall_us);

/* MySQL: our account may not end the sessions of accounts that outrank it, one of which may hold
 * what the primary's writes wait for: a move would begin and be undone (error 1095). The statement
 * that gives it the right, a part of the view; NULL: it may, or nobody knows. There is a primary.
 */
const char *decide_outranked_by(const struct cluster_view *view);
/* What a human needs beside the primary's verdict, begun by "; ": 122, which grant a relief lacks
 * where a policy wants one; 124, who holds its connections; 125, the PURGE that takes no log from
 * anybody who may need it, or who stands against it. Empty where there is nothing to say. A log
 * that only a restore would need is not known here. */
void decide_note(const struct cluster_view *view, uint16_t rule_id, int64_t now_mono_us, char *text,
                 size_t size);

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
