/* What the serving side sees and asks, as control.h promises. */
#include "base/base.h"
#include "base/json.h"
#include "controller/act/effects.h"
#include "controller/run/daemon_evacuate.h"
#include "controller/run/daemon_fleet.h"
#include "controller/run/daemon_private.h"
#include "controller/run/daemon_verify.h"

static void show(struct daemon_cluster *c, struct control_cluster *ret)
{
    *ret = (struct control_cluster){
        .config = &c->settings->config,
        .view = &c->view,
        .decision = &c->decision,
        .run = executor_run(c->executor),
        .running = executor_is_busy(c->executor),
        .fleet = &c->fleet,
        .census = c->daemon->census,
        .step_times = &c->step_times,
        .rehearsals = c->rehearsals,
        .rehearsal_count = c->rehearsal_count,
        .rehearsed_mono_us = c->rehearsed_mono_us,
        .prediction_error_us = c->prediction_error_us,
        .has_prediction_error = c->has_prediction_error,
        .now_mono_us = loop_now_mono_us(&c->daemon->loop),
        .now_wall_us = loop_now_wall_us(&c->daemon->loop),
    };
    effects_look_at_routes(c->daemon->effects, c->settings->config.name, &ret->routes);
}

static size_t control_count(void *ctx)
{
    return ((struct daemon *)ctx)->cluster_count;
}

static bool control_at(void *ctx, size_t index, struct control_cluster *ret)
{
    struct daemon *d = ctx;
    if (index >= d->cluster_count)
        return false;
    show(d->clusters[index], ret);
    return true;
}

static bool control_named(void *ctx, const char *name, struct control_cluster *ret)
{
    struct daemon_cluster *c = daemon_cluster_named(ctx, name);
    if (!c)
        return false;
    show(c, ret);
    return true;
}

static enum stay_rc no_cluster(const char *name, struct stay_error *err)
{
    return stay_error(err, STAY_ENOTFOUND, "no cluster '%s' in the configuration", name);
}

/* --- plans ----------------------------------------------------------------------------------- */

static enum stay_rc control_start_plan(void *ctx, const char *cluster, enum plan_kind kind,
                                       const struct plan_params *params, uint32_t *ret_vetoes,
                                       char ret_plan_id[24], struct stay_error *err)
{
    struct daemon *d = ctx;
    struct daemon_cluster *c = daemon_cluster_named(d, cluster);
    *ret_vetoes = 0;
    if (!c)
        return no_cluster(cluster, err);
    int64_t mono = loop_now_mono_us(&d->loop), wall = loop_now_wall_us(&d->loop);
    const struct plan_run *running =
        executor_is_busy(c->executor) ? executor_run(c->executor) : NULL;
    struct fleet fleet;
    daemon_fleet(d, c, &fleet);
    uint32_t vetoes = guard_check(&c->view, running, &fleet, kind, false, mono, wall);
    if (vetoes != 0) {
        *ret_vetoes = vetoes;
        for (int g = 0; g < GUARD_COUNT; g++)
            if (vetoes & (UINT32_C(1) << g))
                return stay_error(err, STAY_EREFUSED, "refused by %s: %s",
                                  guard_name((enum guard_id)g), guard_what((enum guard_id)g));
    }
    struct plan_params mine = *params;
    mine.automatic = false;
    enum stay_rc rc = daemon_cluster_start_plan(c, kind, &mine, err);
    if (rc == STAY_OK)
        (void)stay_copy(ret_plan_id, 24, executor_run(c->executor)->id);
    return rc;
}

static enum stay_rc control_abort(void *ctx, const char *cluster, struct stay_error *err)
{
    struct daemon *d = ctx;
    struct daemon_cluster *c = daemon_cluster_named(d, cluster);
    if (!c)
        return no_cluster(cluster, err);
    return executor_abort(c->executor, "aborted by an operator", loop_now_mono_us(&d->loop), err);
}

/* --- switches -------------------------------------------------------------------------------- */

struct all_switch { /* one answer after several clusters' saves, or the global kill switch's */
    struct daemon *daemon;
    size_t waiting;
    enum stay_rc rc;
    struct stay_error err;
    bool is_paused;
    char actor[160];
    control_done_fn done;
    void *done_ctx;
};

static void on_one_switched(void *ctx, enum stay_rc rc, const json_t *data,
                            const struct stay_error *err)
{
    struct all_switch *all = ctx;
    (void)data;
    if (rc != STAY_OK && all->rc == STAY_OK) {
        all->rc = rc;
        if (err)
            all->err = *err;
    }
    if (--all->waiting > 0)
        return;
    all->done(all->done_ctx, all->rc, NULL, all->rc == STAY_OK ? NULL : &all->err);
    free(all);
}

static void on_pause_stored(void *ctx, enum stay_rc rc, uint64_t revision,
                            const struct stay_error *err)
{
    struct all_switch *all = ctx;
    struct daemon *d = all->daemon;
    (void)revision;
    daemon_store_result(d, rc, err);
    if (rc == STAY_OK) {
        d->is_paused = all->is_paused;
        (void)stay_copy(d->paused_by, sizeof d->paused_by, all->actor);
        d->is_runbook_dirty = true;
        log_plain(LOG_LEVEL_WARNING, "the kill switch is %s by %s", d->is_paused ? "on" : "off",
                  all->actor);
        for (size_t i = 0; i < d->cluster_count; i++)
            daemon_mark_dirty(d->clusters[i]);
    }
    struct stay_error told = {0};
    if (rc != STAY_OK && all->is_paused) /* it acts on nothing all the same: say both */
        (void)stay_error(&told, rc,
                         "paused, but only until this controller restarts, for it could not be "
                         "stored: %.300s",
                         err == NULL ? "the store is unavailable" : err->text);
    all->done(all->done_ctx, rc, NULL, told.rc == STAY_OK ? err : &told);
    free(all);
}

/* Pausing takes effect at once; only its answer waits for the store. Resuming waits. */
static void switch_kill(struct daemon *d, struct all_switch *all, bool is_paused, const char *actor,
                        const char *reason)
{
    STAY_AUTO(stay_json_drop) json_t *json = json_object();
    stay_json_set_bool(json, "paused", is_paused);
    stay_json_set_string(json, "actor", actor);
    stay_json_set_string(json, "reason", reason);
    stay_json_set_int(json, "at_wall_us", loop_now_wall_us(&d->loop));
    STAY_AUTO(stay_free_charp) char *text = stay_json_dump_compact(json);
    all->is_paused = is_paused;
    (void)snprintf(all->actor, sizeof all->actor, "%s%s%.80s", actor, reason[0] ? ": " : "",
                   reason);
    if (is_paused)
        d->is_paused = true;
    struct store_put put = {"controller/paused", text};
    d->store->ops->txn(d->store, NULL, 0, &put, 1, on_pause_stored, all);
}

static void control_set_switch(void *ctx, const char *cluster, enum control_switch which,
                               int64_t until_wall_us, const char *actor, const char *reason,
                               control_done_fn done, void *done_ctx)
{
    struct daemon *d = ctx;
    struct stay_error err;
    if (!actor)
        actor = "operator";
    if (!reason)
        reason = "";
    struct daemon_cluster *one = cluster ? daemon_cluster_named(d, cluster) : NULL;
    if (cluster && (!one || !one->is_loaded)) {
        enum stay_rc rc =
            one ? stay_error(&err, STAY_EBUSY, "%s: its record was not read yet", cluster)
                : no_cluster(cluster, &err);
        done(done_ctx, rc, NULL, &err);
        return;
    }
    if (one) {
        daemon_save_switch(one, which, until_wall_us, actor, reason, done, done_ctx);
        return;
    }
    struct all_switch *all = stay_calloc(1, sizeof *all);
    *all = (struct all_switch){.daemon = d, .done = done, .done_ctx = done_ctx, .waiting = 1};
    if (which == CONTROL_PAUSE || which == CONTROL_RESUME) {
        switch_kill(d, all, which == CONTROL_PAUSE, actor, reason);
        return;
    }
    for (size_t i = 0; i < d->cluster_count; i++) {
        if (!d->clusters[i]->is_loaded)
            continue;
        all->waiting++;
        daemon_save_switch(d->clusters[i], which, until_wall_us, actor, reason, on_one_switched,
                           all);
    }
    on_one_switched(all, STAY_OK, NULL, NULL);
}

/* --- history --------------------------------------------------------------------------------- */

struct history_ask {
    char id[64];
    control_done_fn done;
    void *done_ctx;
};

static void on_document(void *ctx, enum stay_rc rc, const struct store_item *items, size_t count,
                        const struct stay_error *err)
{
    struct history_ask *ask = ctx;
    struct stay_error local;
    STAY_AUTO(stay_json_drop) json_t *doc = NULL;
    if (rc == STAY_OK && count == 0) {
        rc = stay_error(&local, STAY_ENOTFOUND, "no plan '%s': `mainstay history` lists them",
                        ask->id);
        err = &local;
    }
    if (rc == STAY_OK) {
        rc = stay_json_parse(items[0].value, strlen(items[0].value), &doc, &local);
        err = rc == STAY_OK ? NULL : &local;
    }
    ask->done(ask->done_ctx, rc, doc, err);
    free(ask);
}

static void control_history(void *ctx, const char *cluster, const char *id, size_t max,
                            control_done_fn done, void *done_ctx)
{
    struct daemon *d = ctx;
    char key[STORE_KEY_MAX + 1];
    struct stay_error err;
    if (!id) {
        STAY_AUTO(stay_json_drop) json_t *list = history_list(d->history, cluster, max);
        done(done_ctx, STAY_OK, list, NULL);
        return;
    }
    const json_t *summary = history_summary(d->history, cluster, id);
    const char *of = NULL;
    if (!summary || stay_json_get_string(summary, "cluster", &of, NULL) != STAY_OK ||
        !history_key(of, id, key)) {
        done(done_ctx,
             stay_error(&err, STAY_ENOTFOUND,
                        "no plan '%s': `mainstay history` lists "
                        "them",
                        id),
             NULL, &err);
        return;
    }
    struct history_ask *ask = stay_calloc(1, sizeof *ask);
    (void)stay_copy(ask->id, sizeof ask->id, id);
    ask->done = done;
    ask->done_ctx = done_ctx;
    d->store->ops->get(d->store, key, 1, on_document, ask);
}

/* --- the rest -------------------------------------------------------------------------------- */

static void control_listen(void *ctx, const char *cluster, control_event_fn fn, void *fn_ctx)
{
    struct daemon *d = ctx;
    struct listener *l = stay_calloc(1, sizeof *l);
    if (cluster)
        (void)stay_copy(l->cluster, sizeof l->cluster, cluster);
    l->fn = fn;
    l->ctx = fn_ctx;
    l->next = d->listeners;
    d->listeners = l;
}

/* Only marked: it may be called from inside a listener. The next note frees it. */
static void control_unlisten(void *ctx, void *fn_ctx)
{
    struct daemon *d = ctx;
    for (struct listener *l = d->listeners; l; l = l->next)
        if (l->ctx == fn_ctx)
            l->is_gone = true;
}

static enum stay_rc control_reload(void *ctx, struct stay_error *err)
{
    return daemon_reload(ctx, err);
}

static const char *control_runbook(void *ctx)
{
    struct daemon *d = ctx;
    if (!d->runbook || d->is_runbook_dirty)
        daemon_runbook_refresh(d);
    return d->runbook;
}

static bool control_is_ready(void *ctx)
{
    const struct daemon *d = ctx;
    return d->is_ready && d->is_store_ok;
}

static const char *control_holds(void *ctx)
{
    struct daemon *d = ctx;
    if (!d->is_store_ok)
        return d->store_error;
    return loop_now_mono_us(&d->loop) < d->hold_until_mono_us ? d->hold_why : "";
}

static bool control_is_leader(void *ctx)
{
    return ((struct daemon *)ctx)->is_store_ok; /* one controller: whoever holds the file */
}

void daemon_control_init(struct daemon *d)
{
    d->control = (struct control){
        .ctx = d,
        .cluster_count = control_count,
        .cluster_at = control_at,
        .cluster_named = control_named,
        .start_plan = control_start_plan,
        .abort_plan = control_abort,
        .set_switch = control_set_switch,
        .inject = daemon_inject,
        .verify = daemon_verify,
        .evacuations = daemon_evacuations,
        .evacuate = daemon_evacuate,
        .history = control_history,
        .listen = control_listen,
        .unlisten = control_unlisten,
        .reload = control_reload,
        .runbook = control_runbook,
        .is_ready = control_is_ready,
        .holds = control_holds,
        .is_leader = control_is_leader,
        .metrics = daemon_metrics,
    };
}
