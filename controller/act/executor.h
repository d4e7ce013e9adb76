/* controller/act/executor.h - runs one plan of one cluster: journals each row before and after,
 * starts its effects, keeps deadlines, settles unknown outcomes by looking again, undoes or goes
 * on.
 *
 * No I/O, clock or libuv of its own: the environment is injected, so the daemon (effects.h, store
 * lane) and the simulator (virtual time) run the same object. Layer: act (links decide, base).
 *
 * Row r: save "begun r" with the epoch compared -> start effects on all targets -> absorb answers
 * -> conclude -> save "ended r" (merged with "begun r+1" in one transaction) -> next. A STORE row's
 * record change is that same transaction. No effect that changes a server or route starts before
 * its row is durable. Light rows (ROW_NO_SAVE: computing, reading, waiting, our heartbeat row)
 * begin without a save: a resumed run does them again; what they found is in the next save, so the
 * certificate is stored before the promotion it allows. Rows joined by ROW_WITH_NEXT begin
 * together. Effects of one server may be sent while an earlier one of an aborted row is still under
 * way there: the effects side runs them one after the other per server. Every save compares the
 * cluster's epoch and version: STAY_ECONFLICT means another leader or a human acted; the run stops
 * where it is (RUN_ASKS) and starts nothing more - unless the view by then has a newer record that
 * still names this plan and epoch (a kill switch): saved again. A store that refuses a save is
 * asked again until it takes it: nothing begins meanwhile, the run stays busy, and a run that
 * waited long (EXEC_SAVE_TRIES_MAX) is undone then if it still can be. One that closed a primary
 * that is well is undone after a second without the store (is_sole below), its journal saved when
 * the store answers again: losing the store never demotes a healthy primary (failover.md section
 * 7). A later process finds the run before its point of no return and undoes it once more. Not
 * where a save of that point may have been taken: that process would go on from there, beside the
 * reopened one. The kill switch is read before each row and at every tick: paused -> undo if before
 * the point of no return, whatever is on the way (a drain may take hours), else finish. */
#ifndef CONTROLLER_ACT_EXECUTOR_H
#define CONTROLLER_ACT_EXECUTOR_H
#include "controller/decide/decide.h"

struct executor;

enum exec_note { EXEC_PLAN_BEGUN, EXEC_ROW_BEGUN, EXEC_ROW_ENDED, EXEC_PLAN_ENDED };

struct exec_env {
    void *ctx;
    /* Starts an effect. Exactly one executor_effect_done(token) follows unless the executor's own
     * deadline passed first; a later answer with that token is ignored. `effect` is borrowed for
     * the call only. */
    void (*start_effect)(void *ctx, uint64_t token, const struct effect *effect);
    /* Stores the journal text of run (whole run as JSON text) and, if `record` is not NULL, the
     * cluster's record, in one transaction that compares record version `expect_version`; then
     * calls executor_saved(token, rc, version). Durable when called back with STAY_OK. */
    void (*save)(void *ctx, uint64_t token, const struct plan_run *run,
                 const struct cluster_record *record, uint64_t expect_version);
    /* Asks for executor_tick at this time (the earliest asked counts). */
    void (*wake_at)(void *ctx, int64_t mono_us);
    /* The store is held by this process alone (a locked file): while it refuses saves nobody else
     * can act on the cluster. Then a run that keeps clients waiting does not wait for it. */
    bool is_sole;
    /* For timeline, log, audit and `mainstay watch`. */
    void (*note)(void *ctx, enum exec_note note, const struct plan_run *run, uint32_t row);
};

/* view is borrowed and kept current by the caller; env is copied. */
struct executor *executor_new(struct cluster_view *view, const struct exec_env *env);
void executor_free(struct executor *x); /* takes NULL; no callbacks afterwards */

/* STAY_EBUSY when a plan runs; otherwise as plan_start. */
enum stay_rc executor_start(struct executor *x, enum plan_kind kind,
                            const struct plan_params *params, int64_t now_mono_us,
                            int64_t now_wall_us, struct stay_error *err);
/* Takes up a stored run after a restart (plan_resume decides how it goes on). STAY_ECONFLICT: the
 * view's record names another plan or epoch; nothing is started. */
enum stay_rc executor_resume(struct executor *x, const char *journal_text, int64_t now_mono_us,
                             int64_t now_wall_us, struct stay_error *err);
/* Undo if still possible, STAY_EREFUSED after the point of no return. `why` says in one line who
 * or what aborts it; it becomes the run's text unless the run is being undone already. */
enum stay_rc executor_abort(struct executor *x, const char *why, int64_t now_mono_us,
                            struct stay_error *err);

/* The answer to start_effect(token); result is borrowed for the call. An answer nobody waits for is
 * ignored. May be called from inside start_effect. */
void executor_effect_done(struct executor *x, uint64_t token, const struct effect_result *result,
                          int64_t now_mono_us);
/* The answer to save(token). STAY_OK: durable, `version` is the record's new one (ignored when the
 * save had none). STAY_ECONFLICT and STAY_ELIMIT may stop the plan where it is; after every other
 * code it is saved again. */
void executor_saved(struct executor *x, uint64_t token, enum stay_rc rc, uint64_t version,
                    int64_t now_mono_us);
/* Deadlines; call at wake_at times and whenever the view changed. */
void executor_tick(struct executor *x, int64_t now_mono_us, int64_t now_wall_us);

/* A run is under way, also one that waits for its last save. */
bool executor_is_busy(const struct executor *x);
/* The running or last run; borrowed, changes under the executor's calls. NULL if none yet. */
const struct plan_run *executor_run(const struct executor *x);

#endif
