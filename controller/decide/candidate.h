/* controller/decide/candidate.h - which server shall be primary: first by what it will have
 * executed after the drain, then by policy.
 *
 * Pure. Layer: decide. Order: excluded (never, quarantined, filters, older version, no binary log,
 * applier broken, errant) -> holds or can be given the union of the drained -> promote rule -> zone
 * with another acker -> lag -> version -> configured order. */
#ifndef CONTROLLER_DECIDE_CANDIDATE_H
#define CONTROLLER_DECIDE_CANDIDATE_H
#include "controller/decide/plan.h"

struct candidate_note {
    uint32_t node;
    bool eligible;
    char why[120];
};

/* Ranks nodes best first; ret_notes[node_count] explains each, refused ones last with their reason.
 * `run` may be NULL (rehearsal: judge by received sets as of now). Returns the best or NO_NODE. */
/* A server in a zone that is being evacuated is refused where another may be promoted, else ranked
 * as any; a switchover goes to none of them (its CHECK and CHOOSE rows). */
uint32_t candidate_choose(const struct cluster_view *view, const struct plan_run *run,
                          int64_t now_mono_us, struct candidate_note *ret_notes, size_t *ret_count);
bool candidate_is_evacuated(const struct cluster_view *view, uint32_t node);
/* What facts and configuration alone say against promoting `node`; NULL: nothing. Static. */
const char *candidate_objection(const struct cluster_view *view, uint32_t node,
                                int64_t now_mono_us);
/* The drained peer that holds most of what `candidate` misses of the union, NO_NODE if none. */
uint32_t candidate_top_up_peer(const struct cluster_view *view, const struct plan_run *run,
                               uint32_t candidate);
/* Nodes to attach before writable so that the new primary has ackers: outside its zone, drained or
 * contained, not quarantined. */
uint32_t candidate_ackers(const struct cluster_view *view, const struct plan_run *run,
                          uint32_t candidate);
#endif
