/* A controller for the serving side's tests: one cluster "shop", plans the test moves by hand. */
#ifndef TESTS_FAKE_CONTROL_H
#define TESTS_FAKE_CONTROL_H
#include <stdarg.h>
#include <setjmp.h>
#include "base/json.h"
#include "controller/act/executor.h"
#include "controller/serve/control.h"
#include "tests/unit/controller/decide/case_view.h"

struct fake_control {
    struct control control;
    struct case_view c;
    struct decision decision;
    struct plan_run run;
    bool running, is_ready, ends_at_once;
    enum plan_kind started; /* from here: what was asked */
    struct plan_params params;
    enum control_switch switched;
    char switched_cluster[40], actor[64];
    int64_t until_wall_us;
    uint32_t vetoes; /* from here: what is answered */
    enum stay_rc reload_rc;
    bool is_late; /* set_switch and history wait for fake_answer */
    control_done_fn done;
    void *done_ctx;
    json_t *done_data;
    control_event_fn listener;
    void *listener_ctx;
};

static const char fake_lines[] =
    "mode lossless\nnode db1 zone a promote prefer\nnode db2 zone b\n"
    "record primary db1 mode lossless stands ackers db2\nfact db1 executed 0-1-100\n"
    "fact db2 executed 0-1-100 received 0-1-100 canary_lag 2\n";

static void fake_fill(struct fake_control *f, struct control_cluster *ret)
{
    *ret = (struct control_cluster){.config = &f->c.config,
                                    .view = &f->c.view,
                                    .decision = &f->decision,
                                    .run = f->run.state == RUN_IDLE ? NULL : &f->run,
                                    .running = f->running,
                                    .now_mono_us = CASE_NOW,
                                    .now_wall_us = CASE_WALL};
}

static size_t fake_count(void *ctx)
{
    return ctx != NULL;
}

static bool fake_at(void *ctx, size_t index, struct control_cluster *ret)
{
    fake_fill(ctx, ret);
    return index == 0;
}

static bool fake_named(void *ctx, const char *name, struct control_cluster *ret)
{
    fake_fill(ctx, ret);
    return strcmp(name, "shop") == 0;
}

static void fake_note(struct fake_control *f, enum exec_note note, uint32_t row)
{
    control_event_fn fn = f->listener;
    if (fn != NULL && !fn(f->listener_ctx, "shop", (int)note, &f->run, row))
        f->listener = NULL;
}

static void fake_end(struct fake_control *f, enum plan_state state, const char *text)
{
    f->run.state = state;
    f->running = false;
    (void)stay_copy(f->run.text, sizeof f->run.text, text);
    fake_note(f, EXEC_PLAN_ENDED, 0);
}

static enum stay_rc fake_start(void *ctx, const char *cluster, enum plan_kind kind,
                               const struct plan_params *params, uint32_t *ret_vetoes,
                               char ret_plan_id[24], struct stay_error *err)
{
    struct fake_control *f = ctx;
    (void)cluster;
    *ret_vetoes = f->vetoes;
    if (f->vetoes != 0)
        return stay_error(err, STAY_EREFUSED, "refused by the test");
    f->started = kind;
    f->params = *params;
    f->run = (struct plan_run){.id = "shop-8",
                               .kind = kind,
                               .state = RUN_FORWARD,
                               .epoch = 8,
                               .params = *params,
                               .old_primary = 0,
                               .candidate = 1,
                               .begun_mono_us = CASE_NOW,
                               .begun_wall_us = CASE_WALL};
    f->running = true;
    memcpy(ret_plan_id, f->run.id, sizeof f->run.id);
    fake_note(f, EXEC_PLAN_BEGUN, 0);
    if (f->ends_at_once)
        fake_end(f, RUN_UNDONE, "it ended before it began");
    return STAY_OK;
}

static enum stay_rc fake_abort(void *ctx, const char *cluster, struct stay_error *err)
{
    struct fake_control *f = ctx;
    (void)cluster;
    return f->run.past_no_return ? stay_error(err, STAY_EREFUSED, "past the point of no return")
                                 : STAY_OK;
}

static void fake_answer(struct fake_control *f)
{
    control_done_fn done = f->done;
    json_t *data = f->done_data;
    f->done = NULL;
    f->done_data = NULL;
    done(f->done_ctx, STAY_OK, data, NULL); /* may ask again */
    json_decref(data);
}

static void fake_later(struct fake_control *f, control_done_fn done, void *done_ctx, json_t *data)
{
    f->done = done;
    f->done_ctx = done_ctx;
    f->done_data = data;
    if (!f->is_late)
        fake_answer(f);
}

static void fake_switch(void *ctx, const char *cluster, enum control_switch which,
                        int64_t until_wall_us, const char *actor, const char *reason,
                        control_done_fn done, void *done_ctx)
{
    struct fake_control *f = ctx;
    (void)reason;
    f->switched = which;
    f->until_wall_us = until_wall_us;
    (void)stay_copy(f->switched_cluster, sizeof f->switched_cluster,
                    cluster == NULL ? "" : cluster);
    (void)stay_copy(f->actor, sizeof f->actor, actor);
    fake_later(f, done, done_ctx, NULL);
}

static void fake_history(void *ctx, const char *cluster, const char *id, size_t max,
                         control_done_fn done, void *done_ctx)
{
    struct fake_control *f = ctx;
    (void)cluster;
    (void)max;
    if (id != NULL && strcmp(id, "shop-7") != 0) {
        struct stay_error err = {0};
        enum stay_rc rc = stay_error(&err, STAY_ENOTFOUND, "no plan %s", id);
        done(done_ctx, rc, NULL, &err);
    } else if (id != NULL) {
        fake_later(f, done, done_ctx,
                   json_pack("{s:{s:s,s:s}}", "summary", "id", "shop-7", "cluster", "shop"));
    } else {
        fake_later(f, done, done_ctx, json_pack("[{s:s,s:s}]", "id", "shop-7", "kind", "failover"));
    }
}

static void fake_listen(void *ctx, const char *cluster, control_event_fn fn, void *fn_ctx)
{
    struct fake_control *f = ctx;
    (void)cluster;
    f->listener = fn;
    f->listener_ctx = fn_ctx;
}

static void fake_unlisten(void *ctx, void *fn_ctx)
{
    struct fake_control *f = ctx;
    if (f->listener_ctx == fn_ctx)
        f->listener = NULL;
}

static enum stay_rc fake_reload(void *ctx, struct stay_error *err)
{
    struct fake_control *f = ctx;
    return f->reload_rc == STAY_OK ? STAY_OK
                                   : stay_error(err, f->reload_rc, "m.conf:3: something is wrong");
}

static const char *fake_runbook(void *ctx)
{
    return ctx == NULL ? "" : "type this\n";
}

static bool fake_ready(void *ctx)
{
    return ((struct fake_control *)ctx)->is_ready;
}

static const char *fake_holds(void *ctx)
{
    return fake_ready(ctx) ? "" : "the disk is full";
}

static void fake_metrics(void *ctx,
                         void (*emit)(void *ectx, const char *name, const char *labels,
                                      double value),
                         void *ectx)
{
    emit(ectx, "turns_total", "{cluster=\"shop\"}", ctx != NULL ? 42 : 0);
    emit(ectx, "of_no_table", "", 1);
}

static void fake_open(struct fake_control *f)
{
    memset(f, 0, sizeof *f);
    STAY_AUTO(stay_free_charp) char *lines = stay_strdup(fake_lines);
    case_load(&f->c, lines);
    f->decision.verdict = (struct verdict){.rule_id = 100, .name = "healthy", .why = "all is well"};
    f->is_ready = true;
    for (uint32_t i = 0; i < 2; i++)
        f->c.view.nodes[i].reach = (struct reach){.layer = LAYER_QUERY, .outcome = OUT_OK};
    f->c.view.nodes[1].facts.ss_replica_enabled = f->c.view.nodes[1].facts.ss_replica_on = TRI_YES;
    struct server_facts *primary = &f->c.view.nodes[0].facts;
    primary->ss_clients = primary->dump_peer_count = 1;
    (void)stay_copy(primary->dump_peers[0].host, sizeof primary->dump_peers[0].host, "10.0.0.2");
    f->control = (struct control){.ctx = f,
                                  .cluster_count = fake_count,
                                  .cluster_at = fake_at,
                                  .cluster_named = fake_named,
                                  .start_plan = fake_start,
                                  .abort_plan = fake_abort,
                                  .set_switch = fake_switch,
                                  .history = fake_history,
                                  .listen = fake_listen,
                                  .unlisten = fake_unlisten,
                                  .reload = fake_reload,
                                  .runbook = fake_runbook,
                                  .is_ready = fake_ready,
                                  .holds = fake_holds,
                                  .is_leader = fake_ready,
                                  .metrics = fake_metrics};
}

static void fake_close(struct fake_control *f)
{
    case_clear(&f->c);
    json_decref(f->done_data);
}

#endif
