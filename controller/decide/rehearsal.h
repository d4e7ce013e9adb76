/* controller/decide/rehearsal.h - what would happen if a server or a zone died now: a copy of the
 * view is told of the death as a prober would tell it, judged turn by turn by decide(), and the
 * plan it then wants is foreseen. Nothing is judged a second way here.
 *
 * Pure. Layer: decide. A node dies as a killed process does: its sessions end, its port refuses. A
 * zone dies as without power: every server in it is silent. Cost: one decide() turn per suspicion
 * interval until the verdict, measured 0.1 ms for a node, 0.4 ms for a zone of three servers. */
#ifndef CONTROLLER_DECIDE_REHEARSAL_H
#define CONTROLLER_DECIDE_REHEARSAL_H
#include "controller/decide/candidate.h"
#include "controller/decide/decide.h"
#include "controller/decide/step_times.h"

#define REHEARSAL_BLOCKS_MAX 6
#define REHEARSAL_BLOCK_MAX  300

/* What dies. */
struct rehearsal_loss {
    bool is_zone;
    char name[NAME_MAX_LEN]; /* of the node or zone */
    uint32_t nodes;          /* mask */
    bool controller;         /* this controller is in that zone: nobody is left to act */
};

struct rehearsal {
    struct rehearsal_loss loss;
    bool primary_lost;      /* else a failover is not needed */
    bool is_failable;       /* nothing of `blocks` speaks against going on; guards may still hold */
    struct verdict verdict; /* when it ended: as soon as a failover was wanted, or never was */
    enum plan_kind want;    /* then */
    uint32_t vetoes;        /* guards that would hold it then: mask of 1 << guard_id */
    uint32_t candidate;     /* NO_NODE: none, or the primary lives */
    bool has_certificate;   /* there is a candidate */
    struct certificate certificate;
    struct candidate_note notes[NODES_MAX]; /* every other server, best first */
    size_t note_count;
    size_t block_count;
    char blocks[REHEARSAL_BLOCKS_MAX][REHEARSAL_BLOCK_MAX]; /* why it would not go on alone */
    int64_t sign_us;      /* from the death to the first sign of it; -1: none was seen */
    int64_t detection_us; /* from the first sign to the verdict; -1: no failover was wanted */
    struct step_forecast forecast; /* of the plan's rows up to the open route */
    int64_t outage_us; /* death to open route, what clients see; a plan's own outage_us begins with
                          the first sign; -1 not measured */
};

/* "node:db1" or "zone:eu-1a" of this cluster. STAY_EINVALID: neither form; STAY_ENOTFOUND: the
 * cluster has no such node or zone (the controller's own zone counts). */
enum stay_rc rehearsal_parse(const struct cluster_config *config, const char *text,
                             struct rehearsal_loss *ret_loss, struct stay_error *err) STAY_MUST_USE;
/* The death of one node. */
void rehearsal_of_node(const struct cluster_config *config, uint32_t node,
                       struct rehearsal_loss *ret_loss);
/* Every zone of the cluster, in the order of its nodes; returns how many (at most node_count). */
size_t rehearsal_zones(const struct cluster_config *config, struct rehearsal_loss *ret_losses);
/* "node:db1"; dst holds NAME_MAX_LEN + 8. */
void rehearsal_name(const struct rehearsal_loss *loss, char dst[NAME_MAX_LEN + 8]);

/* Judges it. view is not changed. running, fleet: as for decide(). times: of this cluster's past
 * failovers (or of others like it), for the forecast. */
void rehearsal_judge(const struct cluster_view *view, const struct plan_run *running,
                     const struct fleet *fleet, const struct rehearsal_loss *loss,
                     const struct step_times *times, int64_t now_mono_us, int64_t now_wall_us,
                     struct rehearsal *ret_rehearsal);

/* Does the rehearsed death of the primary miss an objective? why says how; "" when it does not.
 * Where nobody would take over the time says nothing. */
bool rehearsal_misses(const struct cluster_config *config, const struct rehearsal *rehearsal,
                      enum verdict_objective objective, char why[REHEARSAL_BLOCK_MAX]);

#endif
