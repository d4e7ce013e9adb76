/* The invariants S1-S9, S14, L3, L5, judged from the clients' own record and the world's truth,
 * never from what the controller believes. Each says precisely what it allows and why. Here: S4-S6,
 * and when the controller could see and do what. */
#include "tests/simulation/sim.h"

/* Over a session it has already; new ones may be refused. */
static bool may_answer(const struct sim *s, uint32_t node)
{
    return net_both(s, SIM_HOST_CONTROLLER, node) && s->server[node].up && !s->server[node].frozen;
}

bool check_watches(const struct sim *s, uint32_t node)
{
    return controller_runs(s) && !s->store.down && net_both(s, SIM_HOST_CONTROLLER, node) &&
           !s->server[node].denied && !s->server[node].too_many && !s->server[node].frozen;
}

static void check_intent(struct sim *s, const struct sim_server *v, const struct effect *effect)
{
    const struct sim_store *t = &s->store;
    if (!t->has_run || t->run->epoch != effect->epoch || t->record.epoch != effect->epoch)
        sim_violate(s, INV_S6,
                    "db%u made writable in epoch %llu, the store holds epoch %llu, plan %s",
                    v->index + 1, (unsigned long long)effect->epoch,
                    (unsigned long long)t->record.epoch, t->has_run ? t->run->id : "none");
}

void check_writable(struct sim *s, struct sim_server *v, const struct effect *effect,
                    int64_t left_at)
{
    bool current = s->store.has_run && s->store.run->epoch == effect->epoch &&
                   s->store.record.epoch == effect->epoch &&
                   (s->store.run->state == RUN_FORWARD || v->index == s->line);
    if (!current && !v->read_only && !v->super_ro && !v->offline)
        return; /* open all the time: an unfence in a socket, whose plan gave way, opens nothing */
    if (s->now - left_at > STAY_SECOND && !current) { /* kept in a socket: nothing recalls it */
        v->opened_by_start = v->index != s->line;
        return;
    }
    check_intent(s, v, effect);
    const struct plan_run *run = s->store.run;
    if (s->stopped || !s->store.has_run)
        return;
    if (effect->step == STEP_WRITABLE)
        check_proof(s, run);
    if (v->index != s->line && !run->params.accept_loss)
        check_errant(s, v, run->begun_mono_us - DETECT_US);
    if (v->index != s->line && !run->params.accept_loss && effect->step == STEP_WRITABLE)
        check_errant_seen(s, v, run);
    if (effect->step == STEP_UNFENCE && v->index != s->line) {
        sim_violate(s, INV_S6, "db%u unfenced, db%u is the primary", v->index + 1, s->line + 1);
        return;
    }
    check_promoted(s, v, run);
}

void check_effect(struct sim *s, const struct effect *effect, struct sim_server *v)
{
    (void)s;
    if (effect->epoch > v->epoch_seen)
        v->epoch_seen = effect->epoch;
}

/* The undo of a run before its point of no return, while the store answers nothing: this process
 * holds it alone (executor.h, is_sole), so no later epoch can be in it, and the compare that it
 * cannot make could only succeed. Its SQL is as young as any. */
static bool is_undone_without_store(const struct sim *s, const struct effect *effect)
{
    const struct plan_run *run = controller_runs(s) ? executor_run(s->controller.exec) : NULL;
    return run != NULL && run->state == RUN_UNDOING && !run->past_no_return &&
           effect->epoch == run->epoch && s->store.record.epoch == run->epoch &&
           s->now - s->store.saved_at >= STAY_SECOND &&
           s->now <= effect->valid_until_mono_us + STAY_MS &&
           effect->valid_until_mono_us != INT64_MAX;
}

/* SQL servers refuse nothing: what a late lane would send is only stopped by its validity, which
 * never reaches further than the step's own span after the last compare in the store. */
void check_left(struct sim *s, const struct effect *effect)
{
    if (is_undone_without_store(s, effect))
        return;
    if (s->now > s->store.saved_at + plan_step_validity_us(effect->step) + STAY_MS)
        sim_violate(s, INV_S4, "'%s' of epoch %llu leaves %.1f s after the last store compare",
                    step_kind_text(effect->step), (unsigned long long)effect->epoch,
                    (double)(s->now - s->store.saved_at) / 1e6);
}

static void note_chosen(struct sim *s, const struct plan_run *run)
{
    const struct plan_run *old = s->store.has_run ? s->store.run : NULL;
    if (run->past_no_return && run->candidate != s->chosen) {
        uint32_t verify = plan_row_of(run->kind, STEP_VERIFY_FREEZE);
        bool looked = plan_replaces(run->kind) && run->rows[verify].begun_mono_us != STAY_NEVER;
        s->chosen = run->candidate;
        s->chosen_at = looked ? run->rows[verify].begun_mono_us : s->now;
        s->chosen_overridden = run->params.accept_loss;
    }
    if (!run->past_no_return && old && old->past_no_return && strcmp(old->id, run->id) == 0)
        s->chosen = SIM_NONE; /* it turned back: never opened */
}

void check_saved(struct sim *s, const struct plan_run *run, const struct cluster_record *record)
{
    const struct sim_store *t = &s->store;
    if (record)
        check_schedule(s, run, record);
    if (record && record->epoch < t->record.epoch)
        sim_violate(s, INV_S4, "epoch falls from %llu to %llu", (unsigned long long)t->record.epoch,
                    (unsigned long long)record->epoch);
    if (run)
        note_chosen(s, run);
    if (record && run && strcmp(record->primary, t->record.primary) != 0) {
        s->named = run->certificate, s->named_overridden = run->params.accept_loss;
        s->named_node = cluster_node_by_name(&s->config, record->primary);
    }
    if (!run)
        return;
    bool other = t->has_run && strcmp(t->run->id, run->id) != 0;
    bool ended = run->state != RUN_FORWARD && run->state != RUN_UNDOING;
    if (other && (t->run->state == RUN_FORWARD || t->run->state == RUN_UNDOING) && !ended)
        sim_violate(s, INV_S5, "%s is stored while %s runs", run->id, t->run->id);
    if (t->has_run && run->begun_mono_us != t->run->begun_mono_us && run->epoch <= t->run->epoch)
        sim_violate(s, INV_S4, "plan %s takes epoch %llu again", run->id,
                    (unsigned long long)run->epoch);
    if (!other && run->epoch < t->record.epoch && !ended)
        sim_violate(s, INV_S4, "plan %s of epoch %llu goes on in epoch %llu", run->id,
                    (unsigned long long)run->epoch, (unsigned long long)t->record.epoch);
}

/* One plan at a time: one that began before automation could see both this server and the primary
 * (a mode degrade, whose primary lost power under it) ends first. A later one is no reason. */
static bool is_held_up(const struct sim *s, const struct sim_server *v)
{
    if (!controller_runs(s) || !executor_is_busy(s->controller.exec))
        return false;
    int64_t since = v->unable_at > v->boot_at ? v->unable_at : v->boot_at;
    since = s->unserved_at > since ? s->unserved_at : since;
    return executor_run(s->controller.exec)->begun_mono_us <= since;
}

void check_event(struct sim *s)
{
    const struct cluster_record *r = &s->store.record;
    bool ours = controller_runs(s) && !s->store.down;
    bool holds = !ours || r->paused || s->controller.view->hold_until_mono_us > s->now ||
                 r->maintenance_until_wall_us > s->now + s->wall_offset;
    check_named(s);
    if (!r->adopted)
        s->unmanaged_at = s->now;
    const struct sim_server *p = &s->server[s->line];
    if (!ours || !check_watches(s, s->line) || !p->up || p->read_only || p->offline)
        s->unserved_at = s->now;
    if (check_is_swapping(s))
        s->swapping_at = s->now;
    bool runs = controller_runs(s);
    for (uint32_t n = 0; n < s->setup.servers; n++) {
        bool answers = runs && may_answer(s, n); /* after each of millions of events: once */
        bool unseen = !ours || !(s->server[n].up ? answers : check_watches(s, n)) ||
                      s->server[n].denied || s->server[n].too_many;
        if (s->server[n].up && !s->server[n].frozen)
            s->server[n].alive_at = s->now;
        if (answers)
            s->server[n].answers_at = s->now;
        if (!answers || s->server[n].denied || s->server[n].too_many)
            s->server[n].mute_at = s->now;
        if (unseen)
            s->server[n].unseen_at = s->now;
        if (s->server[n].cloned)
            s->server[n].cloned_at = s->now;
        /* Two servers with one id may be one server under two names: left to a human (rule 210). */
        bool twin = s->server[n].cloned_at != STAY_NEVER &&
                    s->server[n].told_at <= s->server[n].cloned_at;
        if (unseen || holds || twin)
            s->server[n].unable_at = s->now;
        if (s->server[n].up && n != s->line && !s->server[n].read_only &&
            is_held_up(s, &s->server[n]))
            s->server[n].held_up_at = s->now;
    }
}
