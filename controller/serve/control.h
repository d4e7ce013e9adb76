/* controller/serve/control.h - what the serving side (unix socket, HTTP) may see of the controller
 * and ask of it. Implemented by the daemon (controller/run/daemon*.c), used by controller/serve.
 *
 * Layer: serve. All calls on the loop thread. Borrowed pointers are valid until the caller returns
 * to the loop.
 *
 * Wire form on the unix socket, one JSON object a line. Request: {"verb":"status","cluster":"shop",
 * "args":{...},"dry_run":false}. Answer: any number of {"event":...} lines, then one of
 * {"ok":true,"exit":0,"data":{...}} or
 * {"ok":false,"exit":3,"error":"...","refused_by":["cooldown"]}. exit: 0 done, 1 failed, 2 usage, 3
 * refused by a safety rule, 5 outcome unknown (4 is the client's own: cannot reach the controller).
 */
#ifndef CONTROLLER_SERVE_CONTROL_H
#define CONTROLLER_SERVE_CONTROL_H
#include "controller/act/step_route.h"
#include "controller/decide/evacuation.h"
#include "controller/decide/rehearsal.h"
#include "controller/decide/zone_census.h"

struct control_cluster {
    const struct cluster_config *config;
    const struct cluster_view *view;
    const struct decision *decision; /* last turn's */
    const struct plan_run *run;      /* running or last, NULL if none */
    bool running;
    struct route_stats routes;           /* proxies 0: none are configured */
    const struct fleet *fleet;           /* what the guards know of the others; NULL: nothing */
    const struct fleet_census *census;   /* of all clusters, by zone; NULL: there is one cluster */
    const struct step_times *step_times; /* of past failovers; NULL: none */
    const struct rehearsal *rehearsals;  /* the last round: the primary first, then the zones */
    size_t rehearsal_count;              /* 0: none yet */
    int64_t rehearsed_mono_us;           /* when */
    int64_t prediction_error_us;         /* measured less predicted, of the last failover */
    bool has_prediction_error;
    int64_t now_mono_us, now_wall_us;
};

/* Exactly once, later or at once. data is owned by the callee's caller for the call only. */
typedef void (*control_done_fn)(void *ctx, enum stay_rc rc, const json_t *data,
                                const struct stay_error *err);
/* Progress of a plan: note as enum exec_note. Return false to stop listening. */
typedef bool (*control_event_fn)(void *ctx, const char *cluster, int note,
                                 const struct plan_run *run, uint32_t row);

enum control_switch {
    CONTROL_PAUSE,
    CONTROL_RESUME,
    CONTROL_MAINTENANCE_START,
    CONTROL_MAINTENANCE_END,
    CONTROL_RELEASE,
    CONTROL_SCHEDULE, /* a switchover at until_wall_us (0: none); reason: its new primary or "" */
};

/* Saved transactions for the primary: a bundle of the cluster's folder. */
struct control_inject {
    const char *bundle;
    const char *only; /* one GTID of it; NULL: all that is open */
    const char *actor, *reason;
    bool is_trial; /* tried, then rolled back */
};

struct control {
    void *ctx;
    size_t (*cluster_count)(void *ctx);
    bool (*cluster_at)(void *ctx, size_t index, struct control_cluster *ret);
    bool (*cluster_named)(void *ctx, const char *name, struct control_cluster *ret);
    /* Guards, then executor_start. *ret_vetoes has the guards that refused (STAY_EREFUSED). */
    enum stay_rc (*start_plan)(void *ctx, const char *cluster, enum plan_kind kind,
                               const struct plan_params *params, uint32_t *ret_vetoes,
                               char ret_plan_id[24], struct stay_error *err);
    enum stay_rc (*abort_plan)(void *ctx, const char *cluster, struct stay_error *err);
    /* cluster NULL: all. until_wall_us for maintenance, else 0. Stored before `done`. */
    void (*set_switch)(void *ctx, const char *cluster, enum control_switch which,
                       int64_t until_wall_us, const char *actor, const char *reason,
                       control_done_fn done, void *done_ctx);
    /* Zones that are being emptied: borrowed, returns how many. evacuate stores an order (its
     * since_wall_us is set here; one that stands and stopped becomes a new one) or, is_end, takes
     * it out. */
    size_t (*evacuations)(void *ctx, const struct evacuation **ret_orders);
    void (*evacuate)(void *ctx, const struct evacuation *order, bool is_end, control_done_fn done,
                     void *done_ctx);
    /* By a job; data: {"text", "primary", "trial", "injected", "refused" (conflicts), "before",
     * "list" of {"gtid", "wall_us", "tables", "inserted", "updated", "deleted", "result", "why"}}.
     */
    void (*inject)(void *ctx, const char *cluster, const struct control_inject *what,
                   control_done_fn done, void *done_ctx);
    /* By a job: are a replica's rows the primary's? data: {"text", "primary", "node", "tables",
     * "rows", "differences", "unknown", "list" of {"table", "slice", "result", "why"}}. */
    void (*verify)(void *ctx, const char *cluster, uint32_t node, const char *actor,
                   control_done_fn done, void *done_ctx);
    /* Ended and running plans, newest first; cluster NULL: all; id NULL: a list without rows. */
    void (*history)(void *ctx, const char *cluster, const char *id, size_t max,
                    control_done_fn done, void *done_ctx);
    void (*listen)(void *ctx, const char *cluster, control_event_fn fn, void *fn_ctx);
    void (*unlisten)(void *ctx, void *fn_ctx);
    /* Re-reads the configuration; the old one stays on any error. */
    enum stay_rc (*reload)(void *ctx, struct stay_error *err);
    const char *(*runbook)(void *ctx);
    bool (*is_ready)(void *ctx); /* first facts of every cluster are in, store works */
    /* Why this controller acts on nothing, for people; "": nothing holds it as a whole. */
    const char *(*holds)(void *ctx);
    bool (*is_leader)(void *ctx);
    /* Counters for /metrics: name without prefix, labels as {k="v"} text or "", value. */
    void (*metrics)(void *ctx,
                    void (*emit)(void *ectx, const char *name, const char *labels, double value),
                    void *ectx);
};
#endif
