/* controller/decide/plan_effect.h - what a plan asks of the world, and what the world answers.
 *
 * Pure. Layer: decide. Borrows from the run it was made of (plan_effect in plan.h). */
#ifndef CONTROLLER_DECIDE_PLAN_EFFECT_H
#define CONTROLLER_DECIDE_PLAN_EFFECT_H
#include "controller/decide/cluster.h"
#include "controller/decide/plan_kinds.h"

#define PLAN_SETTINGS_MAX 320 /* text of what one SET_VARIABLES sets */

/* What the world is asked to do. Everything an effect needs; nothing else is read by it.
 *
 * Facts each answer must carry (groups_read): FENCE, QUIESCE, DRAIN, COLLECT, COMPARE, CATCH_UP,
 * TOP_UP: executed (COLLECT also the semi-sync counters and uptime). FREEZE: received, executed,
 * uptime, applier and its error. VERIFY_FREEZE: uptime, receiver, source host and port.
 * ROUTE_CLOSE closes the write backend whole; ROUTE_OPEN leaves exactly `node` writable in it.
 * REWIND has `want`, all that the primary holds.
 * ATTACH has `want` (NULL: unknown): a server whose executed set is not within it holds what the
 * source lacks, and is not attached (NOT_DONE).
 * THAW has `want`: the receiver may start only when executed contains it (the drain ended); without
 * a `peer` on whatever source it has.
 * REPLICA_ROLE, ATTACH: semi_sync tells the role `node` shall have; a node that is set aside
 * (plan QUARANTINE) and whose applier does not run loses its receiver instead: restarted it would
 * throw away what is not executed. HOOK_PRE answers NOT_DONE for a
 * veto. DRAIN may end NOT_DONE with facts while its applier still runs: it is asked again. COPY has
 * `begun_mono_us`: a copy that ended before it is of another plan. It ends NOT_DONE with goes_on
 * after a slice, or when the server is down as it is after a copy: asked again.
 * WRITABLE: NOT_DONE only if it was seen read-only and nothing of ours can still arrive. */
struct effect {
    enum step_kind step;
    uint32_t node; /* subject; ROUTE_CLOSE: old primary; ROUTE_OPEN, hooks: new
                      primary */
    uint32_t peer; /* source for ATTACH/TOP_UP/THAW; donor for COPY; old primary for routes; else
                      NO_NODE */
    uint64_t epoch;
    enum plan_kind plan; /* whose row it is: hooks differ by it */
    uint32_t acks;       /* k, for SOURCE_ON, WAIT_ACKERS */
    bool semi_sync;      /* SOURCE_ON/ATTACH/UNFENCE/REPLICA_ROLE: role this node shall have */
    bool prepares;       /* CATCH_UP before a write pause: what can be done early is done then */
    bool forget_later;   /* DETACH: the SOURCE_ON that follows may forget the source (MySQL) */
    bool receiver_first; /* ATTACH in a write pause: MySQL's applier is left to the next ATTACH */
    bool opens; /* WRITABLE of a change of primary, and the first that may have opened it in
                   its reign: whoever sends it says so to cluster_node_opens */
    bool lossless_roles;         /* start-up role matters: recorded mode is lossless */
    const struct gtid_set *want; /* DRAIN, CATCH_UP, TOP_UP, BARRIER: executed must contain it */
    bool renumber; /* UNFENCE, WRITABLE: MariaDB leaves a gap in its GTIDs before anybody writes: it
                      may have lost its tail, and would give the lost numbers a second time to
                      other transactions; with the gap whoever holds the tail is refused (1236) */
    int64_t born_mono_us; /* UNFENCE, WRITABLE, THAW: NOT_DONE if the server's process started later
                             than this (it restarted: what it holds is not what the plan
                             judged) */
    int64_t begun_mono_us; /* COPY: when its plan began */
    int64_t deadline_mono_us;
    int64_t valid_until_mono_us; /* SQL that changes may be sent only before this: 500 ms after a
                                    store compare, more for steps of many statements */
    char settings[PLAN_SETTINGS_MAX]; /* SET_VARIABLES: "sync_binlog = 1; ..." */
    unsigned flaw; /* enum mutant_id: the simulator's mutant build asks its servers to do this
                      effect wrongly (FREEZE: BOTH_THREADS_STOPPED, SOURCE_ON_BEFORE_DRAIN; FENCE:
                      SEMISYNC_OFF_FIRST); 0 in every other build and ignored by
                      the real effects */
};

enum outcome { OUTCOME_NONE = 0, OUTCOME_DONE, OUTCOME_NOT_DONE, OUTCOME_UNKNOWN };

/* BEFORE_LOST: it had lost its source and tried to reconnect, or was stopped while it did (measured
 * on MySQL 9.7.4: SHOW REPLICA STATUS keeps Last_IO_Errno 2003 or 2013 then, and 0 when a connected
 * one is stopped). BEFORE_UNKNOWN: stopped or without a source when it came. */
enum receiver_before { BEFORE_UNKNOWN = 0, BEFORE_CONNECTED, BEFORE_LOST };

struct effect_result {
    enum outcome outcome;
    bool groups_read;                     /* facts below are valid (STATUS group) */
    const struct server_facts *facts;     /* read after the effect, borrowed; NULL if none */
    enum receiver_before receiver_before; /* FREEZE: how it found the receiver */
    uint32_t strangers;                   /* FENCE: application sessions left */
    bool goes_on;        /* NOT_DONE: a long work is under way (text: how far), ask again */
    bool is_down;        /* and its server cannot be reached, as at the end of a CLONE */
    bool source_was_off; /* FENCE: its semi-sync source role was found off, not by this effect */
    bool ended_sessions; /* FENCE: it ended clients' sessions, found killed ones in a commit that
                            they cannot leave, or let an applier that waits go on; read of a
                            NOT_DONE one */
    bool kept_acked; /* REPLAY: nobody started or changed its replication since its process began,
                        and its relay log is written through to disk: it holds all it had
                        acknowledged */
    char text[240];  /* error or remark for people */
};

#endif
