/* The controller process: the real view, decide and executor, turned as the daemon turns them. It
 * can be killed at any save or effect, frozen, and comes back with what the store holds. */
#include "base/json.h"
#include "tests/simulation/sim_crash.h"

#define TICK_US (250 * STAY_MS)
#define FAST_TICK_US (50 * STAY_MS)
#define FIRST_FACTS_US (3 * STAY_SECOND)
#define STALL_US (2 * STAY_SECOND)
#define JUMP_HOLD_US (30 * STAY_SECOND)

bool controller_runs(const struct sim *s)
{
    return s->controller.up && !s->controller.frozen && !s->controller.dying;
}

bool crash_here(struct sim *s, enum step_kind step, uint32_t side)
{
    struct sim_setup *u = &s->setup;
    if (!(u->faults & UINT64_C(1) << FAULT_CRASH_POINT) || s->healed || step != u->crash_step ||
        side != u->crash_side || u->crash_seen++ != u->crash_at)
        return false;
    sim_trace(s, "controller dies %s '%s'", side ? "after" : "before", step_kind_text(step));
    s->stats->crash[step][side]++;
    s->stats->fault[FAULT_CRASH_POINT]++;
    s->controller.dying = true;
    return true;
}

static void wake_at(void *ctx, int64_t mono_us)
{
    struct sim *s = ctx;
    if (controller_runs(s) && mono_us < s->now + 3600 * STAY_SECOND)
        sim_at(s, mono_us, EV_TICK, 1, 0, s->controller.life, 0);
}

static void note(void *ctx, enum exec_note what, const struct plan_run *run, uint32_t row)
{
    struct sim *s = ctx;
    if (!controller_runs(s))
        return;
    size_t count = 0;
    const struct plan_row *rows = plan_rows(run->kind, &count);
    switch (what) {
    case EXEC_PLAN_BEGUN:
        sim_trace(s, "PLAN %s %s begins: %s", run->id, plan_kind_text(run->kind), run->text);
        s->stats->plan[run->kind]++;
        s->stats->plans++;
        if (++s->plans > 100)
            sim_violate(s, INV_L5, "plan after plan: this is the %uth", s->plans);
        check_begun(s, run);
        if (s->setup.quiet && run->kind == PLAN_FAILOVER && run->params.automatic)
            sim_violate(s, INV_S14, "failover of a healthy primary, rule %u", run->params.rule_id);
        break;
    case EXEC_ROW_BEGUN:
        if (row < count) {
            sim_trace(s, "  row %u %s", row, step_kind_text(rows[row].step));
            if (step_kind_class(rows[row].step) < CLASS_NODE)
                s->stats->step[rows[row].step]++;
            fault_aim(s, run, row);
            fault_script_row(s, run, row);
            crash_point_row(s, run, row, 0);
        }
        break;
    case EXEC_ROW_ENDED:
        if (row < count)
            crash_point_row(s, run, row, 1);
        if (row < count && s->trace)
            sim_trace(s, "  row %u %s: %s%s%s", row, step_kind_text(rows[row].step),
                      row_state_text(run->rows[row].state), run->rows[row].text[0] ? ", " : "",
                      run->rows[row].text);
        break;
    case EXEC_PLAN_ENDED:
        sim_trace(s, "PLAN %s %s ends: %s, certificate %s, %s", run->id, plan_kind_text(run->kind),
                  plan_state_text(run->state), certificate_kind_text(run->certificate.kind),
                  run->text);
        s->stats->plan_done[run->kind] += run->state == RUN_SUCCEEDED;
        s->stats->plan_undone[run->kind] += run->state == RUN_UNDONE;
        s->stats->plan_asks[run->kind] += run->state == RUN_ASKS;
        s->plan_ended_at = s->now;
        if (s->healed && run->state != RUN_SUCCEEDED)
            s->undone_at = s->now;
        break;
    }
}

static void take_record(struct sim *s)
{
    json_t *json = cluster_record_to_json(&s->store.record, &s->config);
    struct cluster_record record = {0};
    struct stay_error err = {0};
    if (cluster_record_from_json(json, &s->config, &record, &err) != STAY_OK)
        sim_violate(s, INV_MODEL, "stored record cannot be read: %s", err.text);
    record.version = s->store.record.version;
    json_decref(json);
    cluster_set_record(s->controller.view, &record);
}

void controller_start(struct sim *s)
{
    struct sim_controller *c = &s->controller;
    if (c->up)
        return;
    if (s->store.down) { /* it cannot read its store: it waits for it */
        sim_at(s, s->now + 500 * STAY_MS, EV_CONTROLLER_START, 0, 0, 0, 0);
        return;
    }
    c->up = true;
    c->frozen = c->dying = c->ready = c->save_flying = c->was_busy = false;
    c->life++;
    c->started_at = c->last_tick = s->now;
    c->held_until = STAY_NEVER;
    c->refused[0] = '\0';
    cluster_init(c->view, &s->config);
    c->view->store_ok = true;
    c->view->mutant = s->mutant;
    take_record(s);
    struct exec_env env = {.ctx = s,
                           .start_effect = effect_start,
                           .save = store_save,
                           .wake_at = wake_at,
                           .is_sole = true,
                           .note = note};
    c->exec = executor_new(c->view, &env);
    *c->decision = (struct decision){0};
    sim_trace(s, "controller starts");
    probe_start(s);
    sim_at(s, s->now + FAST_TICK_US, EV_TICK, 0, 0, c->life, 0);
}

void controller_kill(struct sim *s)
{
    struct sim_controller *c = &s->controller;
    if (!c->up)
        return;
    sim_trace(s, "controller is gone");
    store_settle(s);
    executor_free(c->exec);
    c->exec = NULL;
    cluster_clear(c->view);
    c->up = c->frozen = c->dying = false;
    c->life++;
    for (uint32_t n = 0; n < s->setup.servers; n++)
        s->server[n].closes = false; /* it ends with the connection it waits on */
    sim_at(s, s->now + sim_span(s, 100 * STAY_MS, 3 * STAY_SECOND), EV_CONTROLLER_START, 0, 0, 0,
           0);
}

void controller_freeze(struct sim *s, int64_t for_us)
{
    struct sim_controller *c = &s->controller;
    if (!controller_runs(s))
        return;
    sim_trace(s, "controller frozen for %.1f s", (double)for_us / 1e6);
    c->frozen = true;
    c->frozen_at = s->now;
    sim_at(s, s->now + for_us, EV_CONTROLLER_START, 1, 0, c->life, 0);
}

/* The daemon's word to decide that what it knows may be old or wrongly dated. */
void controller_hold(struct sim *s)
{
    struct sim_controller *c = &s->controller;
    c->held_since = s->now;
    c->held_until = c->view->hold_until_mono_us = s->now + JUMP_HOLD_US;
}

static void thaw(struct sim *s)
{
    struct sim_controller *c = &s->controller;
    if (!c->up || !c->frozen)
        return;
    sim_trace(s, "controller goes on");
    c->frozen = false;
    if (s->now - c->frozen_at > STALL_US)
        controller_hold(s);
    probe_start(s);
    sim_at(s, s->now + STAY_MS, EV_TICK, 0, 0, c->life, 0);
}

static bool take_up(struct sim *s)
{
    struct sim_controller *c = &s->controller;
    if (!s->store.has_run || s->store.record.plan_id[0] == '\0' ||
        strcmp(s->store.run->id, s->store.record.plan_id) != 0)
        return true;
    json_t *json = plan_run_to_json(s->store.run, &s->config);
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    struct stay_error err = {0};
    sim_trace(s, "takes up %s at row %u", s->store.run->id, s->store.run->row);
    enum stay_rc rc = executor_resume(c->exec, text, s->now, s->now + s->wall_offset, &err);
    free(text);
    if (rc != STAY_OK)
        sim_trace(s, "not resumed: %s", err.text);
    return true;
}

static bool ready(struct sim *s)
{
    struct sim_controller *c = &s->controller;
    if (c->ready)
        return true;
    bool asked = true;
    for (uint32_t n = 0; n < s->setup.servers; n++)
        asked = asked && c->view->nodes[n].reach_mono_us > c->started_at;
    if (!asked && s->now - c->started_at < FIRST_FACTS_US)
        return false;
    c->ready = true;
    return take_up(s);
}

enum stay_rc controller_order(struct sim *s, enum plan_kind kind, const struct plan_params *params)
{
    struct sim_controller *c = &s->controller;
    if (!controller_runs(s) || !ready(s))
        return STAY_EBUSY;
    struct stay_error err = {0};
    c->busy_since = s->now;
    enum stay_rc rc = executor_start(c->exec, kind, params, s->now, s->now + s->wall_offset, &err);
    if (rc != STAY_OK) {
        if (strcmp(c->refused, err.text) != 0)
            sim_trace(s, "%s refused: %s", plan_kind_text(kind), err.text);
        stay_copy(c->refused, sizeof c->refused, err.text);
        c->refused_at = s->now;
    } else {
        c->refused[0] = '\0';
    }
    return rc;
}

static void count_decision(struct sim *s, const struct decision *d)
{
    check_verdict(s, d->verdict.rule_id);
    if (d->verdict.rule_id < STAY_COUNT(s->stats->rule))
        s->stats->rule[d->verdict.rule_id]++;
    if (d->verdict.rule_id != s->controller.refused_rule && s->trace)
        sim_trace(s, "verdict %u %s, want %s, vetoes %x: %s", d->verdict.rule_id, d->verdict.name,
                  plan_kind_text(d->want), d->vetoes, d->text);
    s->controller.refused_rule = d->verdict.rule_id;
    for (uint32_t g = 0; g < GUARD_COUNT; g++)
        if (d->want != PLAN_NONE && (d->vetoes >> g & 1))
            s->stats->guard[g]++;
}

static void count_others(struct sim *s)
{
    const struct cluster_view *view = s->controller.view;
    for (uint32_t n = 0; n < s->setup.servers; n++) {
        if (n == view->primary)
            continue;
        struct verdict v = verdict_judge_replica(view, n, s->now);
        if (v.rule_id < STAY_COUNT(s->stats->rule))
            s->stats->rule[v.rule_id]++;
        if (s->trace && v.rule_id != s->replica_rule[n])
            sim_trace(s, "db%u: %u %s", n + 1, v.rule_id, v.name);
        s->replica_rule[n] = v.rule_id;
    }
}

void controller_turn(struct sim *s)
{
    struct sim_controller *c = &s->controller;
    if (!controller_runs(s) || s->stopped)
        return;
    bool was_suspicious = c->decision->suspicion;
    if (ready(s))
        executor_tick(c->exec, s->now, s->now + s->wall_offset);
    if (!controller_runs(s))
        return;
    bool busy = executor_is_busy(c->exec);
    evacuation_tell(s);
    if (s->replays)
        decision_memory_take(c->before, c->view);
    decide(c->view, executor_run(c->exec), &c->fleet, s->now, s->now + s->wall_offset,
           c->decision);
    const struct decision *d = c->decision;
    if (s->replays)
        check_replay(s, c->before, d);
    count_decision(s, d);
    if (d->suspicion && !was_suspicious)
        for (uint32_t n = 0; n < s->setup.servers; n++)
            if (!c->probes[n].flying)
                sim_at(s, s->now, EV_PROBE, n, 0, ++c->probes[n].gen, c->life);
    if (guard_preempts(d, executor_run(c->exec)) && busy)
        (void)executor_abort(c->exec, "gave way to a failover", s->now, NULL);
    if (!controller_runs(s))
        return;
    busy = executor_is_busy(c->exec);
    if (d->record_changed && !busy && !c->save_flying)
        store_put_record(s, &d->record, c->view->record.version);
    if (d->want != PLAN_NONE && d->vetoes == 0 && !busy && !c->save_flying && ready(s))
        (void)controller_order(s, d->want, &d->params);
    c->was_busy = executor_is_busy(c->exec);
}

/* What keeps routes in line between plans: a proxy that restarted with old state is corrected. */
static void keep_routes(struct sim *s)
{
    const struct cluster_view *view = s->controller.view;
    if (executor_is_busy(s->controller.exec) || !view->record.adopted || view->primary == NO_NODE ||
        view->record.plan_id[0] != '\0' ||
        decide_is_human_asked(view, executor_run(s->controller.exec)))
        return;
    for (uint32_t p = 0; p < SIM_PROXIES; p++) {
        struct sim_proxy *x = &s->proxy[p];
        if (!x->up || !x->reachable || x->epoch > view->record.epoch)
            continue;
        bool stale = x->target != view->primary;
        x->epoch = view->record.epoch;
        x->target = view->primary;
        if (!stale)
            continue;
        for (uint32_t k = 0; k < SIM_CLIENTS; k++)
            if (s->client[k].proxy == p && s->client[k].server != SIM_NONE)
                client_session_lost(s, k, s->client[k].server);
    }
}

static void on_tick(struct sim *s, bool own)
{
    struct sim_controller *c = &s->controller;
    if (own) {
        bool fast = c->decision->suspicion || executor_is_busy(c->exec);
        sim_at(s, s->now + (fast ? FAST_TICK_US : TICK_US), EV_TICK, 0, 0, c->life, 0);
        if (s->now - c->last_tick >= STAY_SECOND) {
            c->last_tick = s->now;
            c->view->store_ok = c->view->store_ok || !s->store.down; /* the daemon's store check */
            keep_routes(s);
            count_others(s);
        }
    }
    controller_turn(s);
}

bool controller_event(struct sim *s, const struct sim_event *e)
{
    struct sim_controller *c = &s->controller;
    switch (e->kind) {
    case EV_TICK:
        if (controller_runs(s) && e->gen == c->life)
            on_tick(s, e->a == 0);
        return true;
    case EV_CONTROLLER_START:
        if (e->a == 1 && e->gen == c->life)
            thaw(s);
        else if (e->a == 0)
            controller_start(s);
        return true;
    }
    return false;
}
