/* The store: one record and one journal, changed by compare-and-set. May be slow, away, or answer
 * "unknown" with the write done or not. Saves of one controller go one at a time. */
#include "tests/simulation/sim.h"

void run_copy(struct plan_run *dst, const struct plan_run *src)
{
    struct gtid_set extra = dst->extra, fenced = dst->fenced_executed, word = dst->last_word;
    struct gtid_set executed[NODES_MAX], received[NODES_MAX];
    memcpy(executed, dst->executed, sizeof executed);
    memcpy(received, dst->received_high, sizeof received);
    *dst = *src;
    dst->extra = extra;
    dst->fenced_executed = fenced;
    dst->last_word = word;
    memcpy(dst->executed, executed, sizeof executed);
    memcpy(dst->received_high, received, sizeof received);
    gtid_set_copy(&dst->extra, &src->extra);
    gtid_set_copy(&dst->fenced_executed, &src->fenced_executed);
    gtid_set_copy(&dst->last_word, &src->last_word);
    for (uint32_t i = 0; i < SIM_SERVERS; i++) {
        gtid_set_copy(&dst->executed[i], &src->executed[i]);
        gtid_set_copy(&dst->received_high[i], &src->received_high[i]);
    }
}

static struct sim_save *save_new(struct sim *s)
{
    for (uint32_t i = 0; i < SIM_SAVES; i++)
        if (!s->save[i].used) {
            struct plan_run *run = s->save[i].run;
            s->save[i] = (struct sim_save){.used = true, .run = run, .life = s->controller.life};
            return &s->save[i];
        }
    must(false);
    return NULL;
}

static void send_save(struct sim *s, struct sim_save *v)
{
    int64_t delay = sim_span(s, 300, 3000) + s->store.slow_us;
    sim_at(s, s->now + delay, EV_SAVE, (uint32_t)(v - s->save), 0, v->life, 0);
}

static enum step_kind row_step(const struct plan_run *run)
{
    size_t count = 0;
    const struct plan_row *rows = plan_rows(run->kind, &count);
    return run->row < count ? rows[run->row].step : STEP_NONE;
}

/* Does the controller die at a boundary of this save: the row's own, or a STORE row's in it? */
static bool dies_here(struct sim *s, const struct plan_run *run, uint32_t side)
{
    size_t count = 0;
    const struct plan_row *rows = plan_rows(run->kind, &count);
    for (size_t r = 0; r < count; r++)
        if (step_kind_class(rows[r].step) == CLASS_STORE && run->rows[r].state == ROW_DONE &&
            run->rows[r].ended_mono_us == STAY_NEVER && crash_here(s, rows[r].step, side))
            return true;
    return crash_here(s, row_step(run), side);
}

void store_save(void *ctx, uint64_t token, const struct plan_run *run,
                const struct cluster_record *record, uint64_t expect)
{
    struct sim *s = ctx;
    if (!controller_runs(s) || dies_here(s, run, 0))
        return;
    struct sim_save *v = save_new(s);
    v->token = token;
    v->expect = expect;
    v->has_run = true;
    run_copy(v->run, run);
    if (record) {
        v->has_record = true;
        v->record = *record;
    }
    send_save(s, v);
}

void store_put_record(struct sim *s, const struct cluster_record *record, uint64_t expect)
{
    struct sim_save *v = save_new(s);
    v->watch = v->has_record = true;
    v->record = *record;
    v->expect = expect;
    s->controller.save_flying = true;
    send_save(s, v);
}

static void trace_promise(struct sim *s, const struct sim_save *v)
{
    const struct sim_store *t = &s->store;
    static const char *const modes[] = {"unknown", "unsafe", "bounded", "lossless"};
    if (v->has_record && (v->record.mode != t->record.mode ||
                          v->record.lossless_stands != t->record.lossless_stands ||
                          v->record.ackers != t->record.ackers))
        sim_trace(s, "  store: %s%s, A %x", modes[v->record.mode],
                  v->record.lossless_stands ? " stands" : "", v->record.ackers);
    if (v->has_run && t->has_run && strcmp(v->run->id, t->run->id) == 0 &&
        v->run->lossless_stood != t->run->lossless_stood)
        sim_trace(s, "  store: %s lossless_since %s", v->run->id,
                  v->run->lossless_stood ? "stood" : "did not stand");
}

static void apply(struct sim *s, struct sim_save *v)
{
    struct sim_store *t = &s->store;
    trace_promise(s, v);
    check_saved(s, v->has_run ? v->run : NULL, v->has_record ? &v->record : NULL);
    if (v->has_run) {
        run_copy(t->run, v->run);
        t->has_run = true;
        t->saved_at = s->now;
    }
    if (v->has_record) {
        uint64_t version = t->record.version + 1;
        t->record = v->record;
        t->record.version = version;
        if (t->record.epoch > t->epoch_max)
            t->epoch_max = t->record.epoch;
    }
    v->version = t->record.version;
}

static void on_save(struct sim *s, struct sim_save *v)
{
    struct sim_store *t = &s->store;
    if (t->down) {
        v->rc = sim_percent(s, 50) ? STAY_EUNREACHABLE : STAY_EUNKNOWN;
        sim_at(s, s->now + 500 * STAY_MS, EV_SAVED, (uint32_t)(v - s->save), 0, v->life, 0);
        return;
    }
    bool unknown = random_chance(&s->random, t->unknown_ppm);
    bool lost = unknown && sim_percent(s, 50);
    v->rc = v->expect != t->record.version ? STAY_ECONFLICT : STAY_OK;
    if (v->rc == STAY_OK && !lost)
        apply(s, v);
    if (unknown) /* the daemon reads back what it wrote: a short while later it knows */
        v->rc = lost ? (sim_percent(s, 50) ? STAY_EFAILED : STAY_EUNKNOWN) : v->rc;
    if (v->has_run && v->rc == STAY_OK && v->life == s->controller.life &&
        dies_here(s, v->run, 1)) {
        v->used = false;
        return;
    }
    sim_at(s, s->now + (unknown ? 50 * STAY_MS : 100), EV_SAVED, (uint32_t)(v - s->save), 0,
           v->life, 0);
}

static bool is_saving(const struct sim *s)
{
    for (uint32_t i = 0; i < SIM_SAVES; i++)
        if (s->save[i].used && s->save[i].life == s->controller.life)
            return true;
    return false;
}

static void change_now(struct sim *s, store_change change)
{
    change(s, &s->store.record);
    s->store.record.version++;
    cluster_set_record(s->controller.view, &s->store.record);
}

/* One save at a time, as the daemon does: a switch waits for the one on the way, and goes before
 * the next, which then conflicts and is built anew. */
void store_operator(struct sim *s, store_change change)
{
    struct sim_store *t = &s->store;
    if (t->down || !controller_runs(s))
        return;
    if (!is_saving(s))
        change_now(s, change);
    else if (t->waiting_n < STAY_COUNT(t->waiting))
        t->waiting[t->waiting_n++] = change;
}

static void change_waiting(struct sim *s)
{
    for (uint32_t i = 0; i < s->store.waiting_n && controller_runs(s) && !s->store.down; i++)
        change_now(s, s->store.waiting[i]);
    s->store.waiting_n = 0;
}

static void on_saved(struct sim *s, struct sim_save *v)
{
    struct sim_controller *c = &s->controller;
    if (c->up && c->frozen && v->life == c->life) { /* the answer waits for it */
        sim_at(s, s->now + 50 * STAY_MS, EV_SAVED, (uint32_t)(v - s->save), 0, v->life, 0);
        return;
    }
    v->used = false;
    if (!controller_runs(s) || v->life != c->life)
        return;
    if (v->watch)
        c->save_flying = false;
    c->view->store_ok = v->rc == STAY_OK || v->rc == STAY_ECONFLICT;
    if (v->rc == STAY_OK && v->has_record) {
        struct cluster_record record = v->record;
        record.version = v->version;
        cluster_set_record(c->view, &record);
    }
    if (v->rc == STAY_ECONFLICT)
        cluster_set_record(c->view, &s->store.record);
    if (!v->watch)
        executor_saved(c->exec, v->token, v->rc, v->version, s->now);
    change_waiting(s);
    controller_turn(s);
}

/* The controller is killed: its write on the way was committed or was not, before anybody else can
 * open the file (its lock is held to the end). */
void store_settle(struct sim *s)
{
    s->store.waiting_n = 0; /* an operator's command that nobody answers any more */
    for (uint32_t i = 0; i < SIM_SAVES; i++) {
        struct sim_save *v = &s->save[i];
        if (!v->used || v->life != s->controller.life)
            continue;
        if (v->rc == STAY_OK && v->version == 0 && !s->store.down &&
            v->expect == s->store.record.version && sim_percent(s, 50))
            apply(s, v);
        v->used = false;
    }
}

bool store_event(struct sim *s, const struct sim_event *e)
{
    if (e->kind != EV_SAVE && e->kind != EV_SAVED)
        return false;
    struct sim_save *v = &s->save[e->a];
    if (!v->used || v->life != e->gen)
        return true;
    if (e->kind == EV_SAVE)
        on_save(s, v);
    else
        on_saved(s, v);
    return true;
}

static void release_all(struct sim *s, struct cluster_record *r)
{
    (void)s;
    r->paused = false;
    r->maintenance_until_wall_us = 0;
    r->cooldown_until_wall_us = 0;
}

void fault_release(struct sim *s)
{
    store_operator(s, release_all);
}
