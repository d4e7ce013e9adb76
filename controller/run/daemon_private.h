/* controller/run/daemon_private.h - the daemon's own structures, shared by the daemon*.c files.
 * Layer: run. Loop thread only.
 *
 * A cluster's turn (daemon_cluster.c) runs when something about it changed: executor, decide, save
 * what the durability watch changed, start the wanted plan, pace, record. Every change of a
 * cluster's record goes through its save queue (daemon_save.c): one at a time, each compared with
 * the version before it. */
#ifndef CONTROLLER_RUN_DAEMON_PRIVATE_H
#define CONTROLLER_RUN_DAEMON_PRIVATE_H
#include "base/io/lane.h"
#include "base/io/loop.h"
#include "base/io/timer.h"
#include "base/log.h"
#include "controller/act/executor.h"
#include "controller/decide/decision.h"
#include "controller/decide/rehearsal.h"
#include "controller/keep/history.h"
#include "controller/keep/recorder.h"
#include "controller/keep/store.h"
#include "controller/run/daemon.h"
#include "controller/settings/settings.h"
#include "controller/serve/control.h"

#define DAEMON_TICK_US (250 * STAY_MS)      /* a quiet cluster is judged this often */
#define DAEMON_SLICE_CLUSTERS 32           /* judged in one turn of the loop when quiet */
#define DAEMON_SLICES_MAX 25
#define DAEMON_FAST_TICK_US (50 * STAY_MS)  /* one under suspicion, or with a plan running */
#define DAEMON_JUMP_HOLD_US (30 * STAY_SECOND)
#define DAEMON_STALL_US (2 * STAY_SECOND)   /* a stall beyond this holds */
#define DAEMON_FIRST_FACTS_US (3 * STAY_SECOND)
#define DAEMON_STORE_CHECK_US (5 * STAY_SECOND)
#define DAEMON_EPOCH_JUMP_MAX 1000000       /* further above the record's no epoch is believed */

struct effects;
struct probe_set;
struct serve;

/* When what happened in the running or last plan; STAY_NEVER until then. Monotonic. */
struct run_times {
    char plan_id[24];
    int64_t suspected_us, verdict_us, intent_us, proven_us, writable_us, canary_us, route_us;
    int64_t closed_us; /* clients' writes could not succeed from here on, as far as we know */
    int64_t last_write_us; /* last commit of the canary on the old primary */
};

struct daemon_save;
struct daemon_errant { /* the job that saves what a server alone holds */
    bool is_running;
    int64_t failed_mono_us; /* STAY_NEVER: not since the last good one */
};
struct daemon_cluster {
    struct daemon *daemon;
    const struct settings_cluster *settings; /* borrowed from daemon->settings */
    struct cluster_view view;
    struct executor *executor;
    uint32_t probe_id;    /* number in the probe set */
    uint64_t birth;       /* unique: an answer for an earlier one of this name is late */
    struct decision decision;
    struct decision_memory before; /* the view's, as the last turn's decide() was given it */
    bool is_decided;      /* decision is valid */
    bool is_dirty;        /* a turn is due: in the daemon's list */
    struct daemon_cluster *next_dirty;
    bool is_loaded;       /* the record was read */
    bool is_ready;        /* every node was asked since start, or had its time to answer */
    bool is_counted_busy; /* a plan may run: set before it starts, cleared when seen to be over */
    bool is_fast;         /* suspicion or a running plan: judged every DAEMON_FAST_TICK_US */
    int64_t started_mono_us;
    char *resume_text;    /* journal of a run the last process left; taken up once ready */
    int64_t resume_epoch; /* of that run */
    uint64_t epoch_refused; /* highest one on a server that was not believed */
    struct timer *wake;   /* the executor's */
    int64_t wake_at_mono_us, evacuation_wall_us; /* its turn to leave a zone; 0: not now */
    struct daemon_save *save_head, **save_tail;
    bool is_saving;
    int64_t save_failed_mono_us;
    struct run_times times;
    /* What was logged and recorded last: only changes are. */
    uint16_t logged_rule;
    uint32_t logged_vetoes;
    enum plan_kind logged_want;
    char logged_text[200];
    int64_t recorded_mono_us, changed_mono_us;
    struct fleet fleet;   /* as of the last turn */
    struct step_times step_times;      /* of its past failovers */
    struct rehearsal *rehearsals;      /* the last round: the primary first, then its zones */
    size_t rehearsal_count;
    int64_t rehearsed_mono_us, rehearsed_wall_us, rehearse_due_mono_us;
    json_t *prediction;   /* of the failover times.plan_id, as rehearsed before it; NULL: none */
    int64_t predicted_outage_us; /* of that one; -1 */
    int64_t prediction_error_us; /* measured less predicted, of the last failover that has both */
    bool has_prediction_error;
    bool is_measure_due;  /* the newest demoted primary may come back: compare its set */
    struct daemon_errant errant[NODES_MAX];
    uint64_t turns, plans_started, plans_succeeded, plans_undone, plans_asking;
    int64_t last_outage_us;
};

struct listener {
    struct listener *next;
    char cluster[NAME_MAX_LEN]; /* empty: all */
    control_event_fn fn;
    void *ctx;
    bool is_gone;
};

struct daemon {
    struct loop loop;
    char *config_path;
    struct settings *settings;
    struct lane_pool *files; /* recorder and runbook */
    struct store *store;
    struct recorder *recorder;
    struct history *history;
    struct probe_set *probes;
    struct effects *effects;
    struct serve *serve;
    struct control control;
    struct daemon_cluster *clusters[SETTINGS_CLUSTERS_MAX];
    size_t cluster_count;
    struct daemon_cluster *first_dirty;
    size_t fast_count, busy_count;  /* clusters with is_fast, with is_counted_busy */
    struct daemon_cluster **by_probe; /* by number in the probe set; NULL: gone */
    uint32_t probe_count;
    uint64_t births;
    uv_prepare_t turn;       /* once per turn of the loop: clusters that are dirty */
    struct timer *tick, *fast_tick, *store_check, *watchdog;
    size_t tick_slice, fast_last; /* fast_last: the cluster a fast tick looked at last */
    bool is_loop_open, is_ready, is_stopping, is_history_loaded;
    bool is_paused;          /* kill switch of the whole controller, stored */
    char paused_by[160];
    uint64_t pause_version;
    bool is_store_ok, is_isolated;
    char store_error[256];   /* why is_store_ok is false */
    int64_t hold_until_mono_us;
    char hold_why[120];
    struct fleet_census *census; /* the last one, NULL: none yet */
    int64_t census_mono_us;
    struct listener *listeners;
    struct daemon_zones *zones; /* that are being emptied (daemon_evacuate.h) */
    char *runbook;           /* as last written */
    bool is_runbook_dirty;
    uint64_t holds, store_errors, reloads, reload_errors;
};

/* daemon.c */
void daemon_mark_dirty(struct daemon_cluster *c);
void daemon_forget_dirty(struct daemon_cluster *c); /* before it is freed */
void daemon_hold(struct daemon *d, int64_t until_mono_us, const char *why);
void daemon_store_result(struct daemon *d, enum stay_rc rc, const struct stay_error *err);
struct daemon_cluster *daemon_cluster_named(struct daemon *d, const char *name); /* or NULL */
struct daemon_cluster *daemon_cluster_born(struct daemon *d, uint64_t birth);    /* or NULL */

/* daemon_cluster.c */
struct daemon_cluster *daemon_cluster_new(struct daemon *d,
                                          const struct settings_cluster *settings);
void daemon_cluster_free(struct daemon_cluster *c);
void daemon_cluster_turn(struct daemon_cluster *c);
/* Every observation of the probes comes in here. */
void daemon_cluster_observe(struct daemon_cluster *c, const struct observation *obs);
/* A plan runs or waits to be resumed. */
bool daemon_cluster_is_busy(const struct daemon_cluster *c);
enum stay_rc daemon_cluster_start_plan(struct daemon_cluster *c, enum plan_kind kind,
                                       const struct plan_params *params, struct stay_error *err);

void daemon_cluster_count_busy(struct daemon_cluster *c, bool is_busy); /* once each way */

/* daemon_resume.c: what an earlier process left. */
void daemon_resume(struct daemon_cluster *c);      /* its plan is taken up, or is no more */
bool daemon_raise_epoch(struct daemon_cluster *c); /* false: the servers have seen no later one */

/* daemon_save.c: the executor's saves, the watch's changes and the operators' switches, in
 * order. */
void daemon_save_executor(struct daemon_cluster *c, uint64_t token, const struct plan_run *run,
                          const struct cluster_record *record, uint64_t expect_version);
void daemon_save_watch(struct daemon_cluster *c, const struct cluster_record *record);
void daemon_save_switch(struct daemon_cluster *c, enum control_switch which, int64_t until_wall_us,
                        const char *actor, const char *reason, control_done_fn done,
                        void *done_ctx);
bool daemon_save_is_idle(const struct daemon_cluster *c);
void daemon_save_drop_all(struct daemon_cluster *c);
void daemon_record_key(const struct daemon_cluster *c, char ret_key[STORE_KEY_MAX + 1]);

/* daemon_load.c: reads the store at start; then clusters are loaded and their journals kept. */
void daemon_load(struct daemon *d);
void daemon_load_cluster(struct daemon_cluster *c);

/* daemon_timeline.c: notes of the executor -> log, timeline, history, listeners, crash points. */
void daemon_note(struct daemon_cluster *c, enum exec_note note, const struct plan_run *run,
                 uint32_t row);
/* Stores the document under `key`; a failure counts as the store's. */
void daemon_put_document(struct daemon *d, const char *key, const json_t *doc);
void daemon_listeners_free(struct daemon *d);

/* daemon_document.c: a run as JSON. New references. */
json_t *daemon_run_document(const struct daemon_cluster *c, const struct plan_run *run);
json_t *daemon_run_summary(const struct daemon_cluster *c, const struct plan_run *run);
/* While the write path was closed: from the first sign (a switchover's own closing) to the end of
 * the row that opened the route, the canary having committed on the new primary before. -1: not
 * known, or not over. */
int64_t daemon_run_outage_us(const struct daemon_cluster *c, const struct plan_run *run);
bool daemon_times_are_of(const struct daemon_cluster *c, const struct plan_run *run);
extern const struct run_times daemon_no_times; /* STAY_NEVER, all of them */
const char *daemon_node_name(const struct daemon_cluster *c, uint32_t node); /* NULL: none */

/* daemon_loss.c: after an old primary came back, what it held that the new one does not goes into
 * the history. */
void daemon_measure_loss(struct daemon_cluster *c);

/* daemon_errant.c: what a server that is set aside alone holds is kept; control.h's inject. */
void daemon_keep_errant(struct daemon_cluster *c);
void daemon_inject(void *ctx, const char *cluster, const struct control_inject *what,
                   control_done_fn done, void *done_ctx);
/* daemon_rehearse.c: each minute, what would happen if the primary, or a zone, died now. */
#define DAEMON_REHEARSE_US (60 * STAY_SECOND)
#define DAEMON_REHEARSE_BLOCKED_US (10 * STAY_SECOND) /* so that a mended one is seen so soon */
/* When it is due and nothing goes on: judges a round, and says in the log what changed. */
void daemon_rehearse(struct daemon_cluster *c);
/* Soon again: a plan ended. */
void daemon_rehearse_soon(struct daemon_cluster *c);
/* A failover begins: what was foretold of it goes with its document; ended: they are compared. */
void daemon_rehearse_begun(struct daemon_cluster *c, const struct plan_run *run);
void daemon_rehearse_ended(struct daemon_cluster *c, const struct plan_run *run);
/* A stored document of a past plan: its steps are measured. */
void daemon_rehearse_learn(struct daemon_cluster *c, const json_t *document);
/* The last round speaks of another configuration: anew, soon. */
void daemon_rehearse_forget(struct daemon_cluster *c);
void daemon_rehearse_clear(struct daemon_cluster *c); /* the cluster goes */
/* daemon_control.c */
void daemon_control_init(struct daemon *d);
/* daemon_metrics.c */
void daemon_metrics(void *ctx, void (*emit)(void *ectx, const char *name, const char *labels,
                                            double value), void *ectx);
/* daemon_reload.c */
enum stay_rc daemon_reload(struct daemon *d, struct stay_error *err);
/* daemon_runbook.c */
void daemon_runbook_refresh(struct daemon *d);
/* daemon_probes.c: the one place that knows the probe set and the effects. */
enum stay_rc daemon_probes_open(struct daemon *d, struct stay_error *err);
void daemon_probes_close(struct daemon *d);
enum stay_rc daemon_probes_add(struct daemon_cluster *c, struct stay_error *err);
void daemon_probes_remove(struct daemon_cluster *c);
void daemon_probes_reconfigure(struct daemon_cluster *c, const struct settings_cluster *settings);
void daemon_probes_pace(struct daemon_cluster *c, bool is_urgent);
void daemon_probes_set_primary(struct daemon_cluster *c); /* canary's node and epoch, from record */
void daemon_probes_routes(struct daemon_cluster *c);      /* what the proxies shall say */
void daemon_probes_start_effect(struct daemon_cluster *c, uint64_t token,
                                const struct effect *effect);

#endif
