/* controller/decide/decide.h - one turn of judgement: verdict, guards, the plan that should run,
 * how fast to look again, and the durability watch. The only entry the daemon, the simulator and
 * the replayer call per turn.
 *
 * Pure. Layer: decide. */
#ifndef CONTROLLER_DECIDE_DECIDE_H
#define CONTROLLER_DECIDE_DECIDE_H
#include "controller/decide/plan.h"
#include "controller/decide/verdict.h"

/* Guards: why a wanted plan must not start now. Ids are shown as "refused by ...". */
#define GUARDS(X)                                                                                  \
    X(NOT_ADOPTED, "not-adopted", "the cluster is only observed until `mainstay adopt`")           \
    X(PAUSED, "paused", "the kill switch is on: `mainstay resume`")                                \
    X(MAINTENANCE, "maintenance", "maintenance suppresses action, never detection")                \
    X(HOLD, "hold", "clock jump, loop stall or fresh start: watching before acting")               \
    X(STORE, "store", "the store is unavailable: databases keep serving, automation holds")        \
    X(COOLDOWN, "cooldown", "a failover ended lately: `mainstay release` after a look")            \
    X(BUSY, "busy", "another plan runs on this cluster")                                           \
    X(ZONE_LIMIT, "zone-limit", "an automatic failover already runs in this zone")                 \
    X(HOURLY_LIMIT, "hourly-limit", "controller.failovers_per_hour were done automatically")       \
    X(CONFIRM, "confirm", "failover.mode is confirm or observe: a human starts it")                \
    X(NO_CANDIDATE, "no-candidate", "no server may be promoted")                                   \
    X(GRACE, "grace", "within failover.grace")                                                     \
    X(RESEED_LIMIT, "reseed-limit",                                                                \
      "as many servers as controller.reseeds allows are being reseeded")                           \
    X(ZONE_ORDER, "zone-order",                                                                    \
      "another cluster with a primary in this zone goes first, in the order of the configuration") \
    X(BLAST_RADIUS, "blast-radius",                                                                \
      "more clusters than controller.blast_radius failed over in ten minutes or want to: "         \
      "humans decide")                                                                             \
    X(TAKEN_OVER, "taken-over",                                                                    \
      "another server takes writes and holds more: taken over by hand? see the runbook")           \
    X(REPAIR_LIMIT, "repair-limit",                                                                \
      "ackers were repaired relieve.acker_repairs times in the last hour: a human decides")
enum guard_id {
#define X(id, name, what) GUARD_##id,
    GUARDS(X)
#undef X
        GUARD_COUNT
};
const char *guard_name(enum guard_id guard);
const char *guard_what(enum guard_id guard);

/* What a guard needs to know of the other clusters: kept by the controller. */
struct fleet {
    uint32_t failovers_last_hour; /* automatic ones, over all clusters */
    uint32_t failovers_per_hour;  /* how many may be; 0: no limit */
    char busy_zones[8][NAME_MAX_LEN];
    uint32_t busy_zone_count; /* at most as many as there is room for */
    bool reseeds_full;        /* as many reseeds run as may */
    uint32_t wanting;         /* clusters whose automatic failover is wanted, runs, or ended in the
                                 last ten minutes: a fault that many share is not seen everywhere
                                 in the same moment, and each failover takes less than a second */
    uint32_t blast_radius;    /* more of them hold every automatic failover; 0: no limit */
    bool zone_down;  /* no server of any cluster answers in the zone of this one's primary */
    bool zone_waits; /* a cluster before this one is to fail over from that zone */
    int64_t evacuation_wall_us; /* its primary is to leave its zone now, by the evacuation ordered
                                   then (evacuation.h); 0: not now */
};

struct decision {
    struct verdict verdict;
    enum plan_kind want; /* PLAN_NONE: nothing to start */
    struct plan_params params;
    uint32_t vetoes;              /* mask of 1 << guard_id; want starts only when 0 */
    bool suspicion;               /* ask every node now and each suspicion_interval */
    bool record_changed;          /* the watch changed record (lossless_since, A): store it */
    struct cluster_record record; /* the new record then */
    char text[320];
};

/* A scheduled switchover is begun within so long after its time, or is missed. */
#define SCHEDULE_WINDOW_US (600 * STAY_SECOND)

/* Judges as of now. Changes only the watch fields of view (suspicion, no_acker_since, barrier). */
void decide(struct cluster_view *view, const struct plan_run *running, const struct fleet *fleet,
            int64_t now_mono_us, int64_t now_wall_us, struct decision *ret_decision);

/* Does a plan wait for a human, so that nothing may be started and no route moved: a change of
 * primary that ended with a question past its point of no return (the store may name the wrong
 * server; kept in the record, `asks`), or one whose journal nobody can take up? `last` is the
 * running or last run, NULL: none yet. Ends with a human's plan or `mainstay release`. */
bool decide_is_human_asked(const struct cluster_view *view, const struct plan_run *last);

/* Guards alone, for operator-started plans (those a human may pass are left out by kind). */
uint32_t guard_check(const struct cluster_view *view, const struct plan_run *running,
                     const struct fleet *fleet, enum plan_kind kind, bool automatic,
                     int64_t now_mono_us, int64_t now_wall_us);

/* Must the running plan give way: a failover, or a fence of a server that takes writes beside the
 * primary, is wanted, nothing but that plan forbids it, and what runs is a repair that can be
 * undone. A fence of a set-aside server that hangs gives way as well: to a failover that may start,
 * or to the next such server's fence. The caller aborts it (executor_abort) and starts what is
 * wanted when it has ended. */
bool guard_preempts(const struct decision *decision, const struct plan_run *running);

/* The durability watch: does lossless_since still stand after the latest facts; which nodes are
 * A. Returns true when *record changed and must be stored (weaker before, stronger after it is
 * seen). */
bool durability_watch(struct cluster_view *view, int64_t now_mono_us, int64_t now_wall_us,
                      struct cluster_record *record);
/* The primary restarted and is shut, and this controller saw neither: lossless_since is left as the
 * record has it, and no plan of automation builds on it. */
bool durability_is_unseen(const struct cluster_view *view, int64_t now_mono_us,
                          int64_t now_wall_us);
/* The primary greets (MySQL: accepts) but nothing more is answered, and its last facts showed
 * commits that wait and nobody who acknowledges: on MySQL an account statement that waits so holds
 * the lock that logins, SET GLOBAL and most queries need (seen on 9.7). It may live, and a MySQL
 * whose commits wait is never certified LOSSLESS by its ackers alone; rule 123, not 121. */
bool durability_is_blocked(const struct cluster_view *view);
/* Since the watch's base the primary committed more, by its last facts, than was acknowledged and
 * twice the sessions ever seen of it could have under way: it acknowledged alone, whatever its
 * flags and no-counters say (semi-sync off and on again leaves no mark in them: measured). One
 * reading is enough: for a plan, which may get no second one. */
bool durability_acks_stayed_away(const struct cluster_view *view);
/* "Effectively infinite": 10^9 ms are 11 days, far past any repair; engines take up to 2^32-1. */
#define DURABILITY_TIMEOUT_MS UINT64_C(1000000000)

#endif
