/* The invariants S1-S9, S14, L3, L5, judged from the clients' own record and the world's truth,
 * never from what the controller believes. Each says precisely what it allows and why. */
#include "tests/simulation/sim.h"

/* A repair keeps the record to itself until its next save: a drain is the longest row without. */
#define REPAIR_US    (35 * STAY_SECOND)
#define LANE_LATE_US (3 * STAY_SECOND)
#define TOLD_US      (4 * STAY_SECOND) /* uptime is in whole seconds */

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

/* A commit without the acks of a lossless mode. LOSSLESS says lossless_since
 * stood "up to the last fresh fact before the loss"; so a loss is excused only if somebody else
 * weakened the server and no answer the controller had of that process is younger than that. */
void check_commit(struct sim *s, uint32_t tx, struct sim_server *v)
{
    s->tx[tx].weak = true;
    s->tx[tx].excused = v->weak_at != STAY_NEVER && !v->weak_by_us;
    s->tx[tx].weak_since = v->weak_at;
    s->tx[tx].life = (uint16_t)v->life;
    v->excused_n += s->tx[tx].excused;
}

void check_seen(struct sim *s, uint32_t node, uint32_t life, int64_t read_at)
{
    struct sim_server *v = &s->server[node];
    v->seen_at = read_at;
    if (!v->connected && v->life == life &&
        (v->rest_at <= s->controller.started_at ||
         memcmp(v->rest_seq, v->max_have, sizeof v->rest_seq) != 0)) {
        memcpy(v->rest_seq, v->max_have, sizeof v->rest_seq);
        v->rest_at = s->now;
    }
    for (uint32_t i = s->tx_n; i > 0 && v->excused_n > 0; i--) {
        struct sim_tx *t = &s->tx[i - 1];
        if (!t->excused || t->origin != node || t->life != (uint16_t)life ||
            t->weak_since > read_at)
            continue;
        t->excused = false;
        v->excused_n--;
    }
}

static bool executor_is_running(const struct sim *s)
{
    return s->controller.up && executor_is_busy(s->controller.exec);
}

/* A plan that changes the primary's semi-sync, or who it is: it answers for its own steps, and the
 * watch goes on after it. */
static bool is_primary_changing(const struct sim *s)
{
    if (!executor_is_running(s))
        return false;
    enum plan_kind kind = executor_run(s->controller.exec)->kind;
    return kind != PLAN_REJOIN && kind != PLAN_REPOINT && kind != PLAN_QUARANTINE &&
           kind != PLAN_START_APPLIER && kind != PLAN_RESEED && kind != PLAN_CONFORM;
}

static bool is_swapping(const struct sim *s)
{
    if (!executor_is_running(s))
        return false;
    enum plan_kind kind = executor_run(s->controller.exec)->kind;
    return plan_replaces(kind) || kind == PLAN_SWITCHOVER;
}

/* S9: a client was answered OK without the acks the store claimed at that moment. Allowed only for
 * DETECT_US after a change behind our back, or while the controller could not see the server. */
static void check_honest(struct sim *s, const struct sim_tx *t, uint32_t server)
{
    const struct cluster_record *r = &s->store.record;
    const struct sim_server *v = &s->server[server];
    if (!t->weak || r->mode != MODE_LOSSLESS || !r->lossless_stands ||
        strcmp(r->primary, s->config.nodes[server].name) != 0)
        return;
    if (v->weak_at != STAY_NEVER && v->weak_by_us)
        sim_violate(s, INV_S9, "we weakened db%u at %.3f s, the store still claims lossless",
                    server + 1, (double)v->weak_at / 1e6);
    if (is_primary_changing(s))
        return;
    int64_t since = v->weak_at > v->unseen_at ? v->weak_at : v->unseen_at;
    since = s->plan_ended_at > since ? s->plan_ended_at : since;
    int64_t allowed = executor_is_running(s) ? REPAIR_US : DETECT_US;
    if (v->weak_at != STAY_NEVER && s->now - since > allowed)
        sim_violate(s, INV_S9, "db%u is weaker since %.3f s, the store still claims lossless",
                    server + 1, (double)v->weak_at / 1e6);
}

/* Why a server that is no longer the primary may take writes for a moment; NULL: for no reason.
 * Each ends DETECT_US after automation could see it and was allowed to act: 131 fences it. */
static const char *stray_reason(const struct sim *s, const struct sim_server *v,
                                const struct sim_tx *t)
{
    if (!s->store.record.adopted)
        return "nothing is managed yet";
    int64_t since = v->unable_at > s->line_at ? v->unable_at : s->line_at;
    since = v->boot_at > since ? v->boot_at : since;
    since = s->unmanaged_at > since ? s->unmanaged_at : since;
    /* Nobody can tell it from a server that a human took over by hand while the recorded primary
     * does not serve: guard taken-over leaves it to them; and there is one plan at a time. */
    int64_t opened = s->unserved_at > since ? s->unserved_at : since;
    opened = s->swapping_at > opened ? s->swapping_at : opened;
    if (t->by_hand && s->now - opened <= DETECT_US)
        return "its own configuration opened it";
    int64_t late = s->setup.lane_ppm > 0 ? LANE_LATE_US : 0; /* the fault: SQL leaves late */
    /* Nothing closes it while another failover runs: one plan at a time. */
    int64_t free_at = s->swapping_at > since ? s->swapping_at : since;
    if (s->line_overridden && s->now - free_at <= DETECT_US + late)
        return "a human accepted it without a proof";
    if (s->now - since > DETECT_US + late)
        return NULL;
    for (uint32_t r = 0; r < s->setup.servers; r++) /* what it waits for comes by somebody's hand */
        if (s->server[r].operator_started && s->server[r].source == v->index)
            return "an operator started a receiver that was frozen";
    /* excused: so when it was committed, whatever was switched back before the answer arrived */
    if (t->weak && (t->excused || (v->weak_at != STAY_NEVER && !v->weak_by_us)) &&
        !(s->line_fenced && v->index == s->line_old))
        return "somebody switched its semi-sync off while it could not be seen";
    return NULL;
}

void check_ack(struct sim *s, uint32_t tx, uint32_t server)
{
    struct sim_tx *t = &s->tx[tx];
    t->acked = true;
    t->acked_at = s->now;
    t->acked_by = (uint8_t)server;
    t->promised = s->store.record.mode == MODE_LOSSLESS &&
                  strcmp(s->store.record.primary, s->config.nodes[server].name) == 0;
    check_honest(s, t, server);
    if (server == s->line) {
        if (s->line_first_ack == STAY_NEVER)
            s->line_first_ack = s->now;
        return;
    }
    const char *reason = stray_reason(s, &s->server[server], t);
    if (!reason && s->line_first_ack != STAY_NEVER && t->begun > s->line_first_ack)
        sim_violate(s, INV_S1, "db%u acknowledged a write begun after db%u's first acknowledgement",
                    server + 1, s->line + 1);
    if (bit_get(s->server[s->line].have, tx))
        return;
    t->lost = true;
    s->stats->lost_declared++;
    if (reason)
        return;
    s->line_lost++;
    if (s->line_cert == CERT_LOSSLESS)
        sim_violate(s, INV_S2, "db%u acknowledged client %u's write; db%u does not hold it",
                    server + 1, t->client, s->line + 1);
    else if (!s->line_overridden && s->line_lost > s->loss_declared_max)
        sim_violate(s, INV_S3, "%u lost, the certificate said at most %u", s->line_lost,
                    s->loss_declared_max);
}

/* Another transaction under the same GTID: MariaDB numbers on from what a truncation left, so a
 * server opened by its own configuration, or written to by hand, gives a GTID twice. No set shows
 * it. */
bool check_has_twin(const struct sim *s, const struct sim_server *v, uint32_t tx)
{
    for (uint32_t i = 0; i < v->log_n; i++)
        if (v->log[i] != tx && s->tx[v->log[i]].origin == s->tx[tx].origin &&
            s->tx[v->log[i]].seq == s->tx[tx].seq)
            return true;
    return false;
}

/* Such a twin that is not our doing: one of the two was not written to a primary that we opened.
 * Or its numbers went back, and one that was given before them is higher: a set of MariaDB names
 * the highest of each server only. */
static bool has_foreign_twin(const struct sim *s, const struct sim_server *v, uint32_t tx)
{
    const struct sim_tx *x = &s->tx[tx];
    for (uint32_t i = 0; i < v->log_n; i++) {
        const struct sim_tx *t = &s->tx[v->log[i]];
        bool hides = t->seq == x->seq || (x->again && t->seq > x->seq && t->flushed < x->flushed);
        if (v->log[i] != tx && t->origin == x->origin && hides && (t->by_hand || x->by_hand))
            return true;
    }
    return false;
}

/* Acknowledged by the word of a server whose receiver an operator started after it was verified to
 * be frozen, and of which no answer has come since: nobody can know of it. */
static bool is_by_unseen_hand(const struct sim *s, const struct sim_tx *t)
{
    const struct plan_run *run = s->store.has_run ? s->store.run : NULL;
    if (run == NULL || run->kind != PLAN_FAILOVER)
        return false;
    int64_t verified = run->rows[plan_row_of(PLAN_FAILOVER, STEP_VERIFY_FREEZE)].begun_mono_us;
    for (uint32_t n = 0; n < s->setup.servers && verified != STAY_NEVER; n++) {
        const struct sim_server *p = &s->server[n];
        if (p->operator_started && p->operator_started_at > verified &&
            p->seen_at < p->operator_started_at && t->acked_at > p->operator_started_at)
            return true;
    }
    return false;
}

/* Acknowledged writes that `v` does not hold; marks them lost. Excused ones do not count, unless
 * that process was read in its fence: then its counters told. skip_weak: leave out what a weaker
 * mode acknowledged, as no promise covers it. They did not tell when somebody switched semi-sync
 * off a moment before the fence and left it so: the fence's own switch then changes nothing, and
 * the count of times is what it is after a fence alone (found by tests/search, pair: force tick
 * tick tick@0:fail write:1 semisync-off:1). */
uint32_t check_lost(struct sim *s, const struct sim_server *v, bool fenced, bool skip_weak,
                    uint32_t *ret_first)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->tx_n; i++) {
        struct sim_tx *t = &s->tx[i];
        if (!t->acked || t->lost || bit_get(v->have, i) || (skip_weak && (t->weak || !t->promised)))
            continue;
        t->lost = true;
        s->stats->lost_declared++;
        const struct sim_server *by = &s->server[t->origin];
        bool told = fenced && t->life == (uint16_t)by->life &&
                    by->no_times > s->store.record.watch_no_times + 1;
        if ((t->excused && !told) || has_foreign_twin(s, v, i) || is_by_unseen_hand(s, t))
            continue;
        sim_trace(s, "lost: db%u:%u of client %u, begun %.4f, acknowledged %.4f by db%u%s",
                  t->origin + 1, t->seq, t->client, (double)t->begun / 1e6,
                  (double)t->acked_at / 1e6, t->acked_by + 1,
                  t->weak ? ", committed without its acks" : "");
        if (n++ == 0)
            *ret_first = i;
    }
    return n;
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

/* S7: a write by hand that only `v` holds, known for long enough, is not promoted. One on the
 * server that a stored plan was opening by then, past its point of no return, is none of its own:
 * whether it was open already nobody can tell, so it may be a client's, and it is kept. */
static void check_errant(struct sim *s, const struct sim_server *v, int64_t known)
{
    if (v->index == s->chosen && s->chosen_at < known)
        known = s->chosen_at;
    for (uint32_t i = 0; i < v->log_n && v->errant_at != STAY_NEVER; i++) {
        const struct sim_tx *t = &s->tx[v->log[i]];
        if (t->kind == TX_ERRANT && t->flushed < known &&
            !check_has_twin(s, &s->server[s->line], v->log[i]) &&
            !bit_get(s->server[s->line].have, v->log[i]))
            sim_violate(s, INV_S7, "db%u is promoted with a transaction of its own from %.3f s",
                        v->index + 1, (double)t->flushed / 1e6);
    }
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
    if (effect->step == STEP_UNFENCE && v->index != s->line) {
        sim_violate(s, INV_S6, "db%u unfenced, db%u is the primary", v->index + 1, s->line + 1);
        return;
    }
    check_promoted(s, v, run);
}

/* A server starts: what did the controller read of the others a while before, when they were cut
 * off from it? */
void check_started(struct sim *s, struct sim_server *p)
{
    p->told_seq = 0;
    p->rest_at = 0;
    for (uint32_t i = 0; i < s->setup.servers && p->index == s->line; i++) {
        struct sim_server *v = &s->server[i];
        bool told = v != p && controller_runs(s) && p->seen_at > s->controller.started_at &&
                    v->rest_at > s->controller.started_at && s->now - v->rest_at >= TOLD_US;
        v->told_seq = told ? v->rest_seq[p->index] : 0;
        v->told_life = s->controller.life;
    }
}

/* The primary lost this in its restart, and where its log began then tells so: `v` was read to hold
 * it before that by a controller that runs still and had read the process before. */
bool check_is_told(const struct sim *s, const struct sim_server *source, const struct sim_server *v,
                   uint32_t tx)
{
    const struct sim_tx *t = &s->tx[tx];
    return s->setup.engine == ENGINE_MARIADB && source->index == s->line &&
           t->origin == source->index && t->seq > source->began_seq && t->seq <= v->told_seq &&
           v->told_life == s->controller.life && source->commits < source->old_commits;
}

/* A write by hand that no comparison can show: after the sets were read, or under a GTID that a
 * truncated primary had given before (MariaDB numbers on from what is left). */
static bool is_hidden(const struct sim *s, const struct sim_server *source,
                      const struct sim_server *v, uint32_t tx, int64_t known)
{
    const struct sim_tx *t = &s->tx[tx];
    if (check_is_told(s, source, v, tx))
        return false;
    bool is_again = t->again && t->seq <= source->max_have[t->origin];
    return (t->kind == TX_ERRANT && (t->flushed > known || is_again)) ||
           has_foreign_twin(s, source, tx);
}

/* Written on `v` after we had changed its source, before it could connect: by its own start-up
 * values it was opened, and connected. */
static bool is_of_later_start(const struct sim *s, const struct sim_server *v, uint32_t tx)
{
    const struct sim_tx *t = &s->tx[tx];
    return t->by_hand && t->origin == v->index && v->boot_at > v->attached_at &&
           t->flushed > v->boot_at;
}

void check_attach(struct sim *s, struct sim_server *v, uint32_t source, const char *why)
{
    if (source >= s->setup.servers)
        return;
    const struct sim_server *p = &s->server[source];
    int64_t known = s->store.has_run ? s->store.run->begun_mono_us - DETECT_US : s->now;
    if (v->attached_by_us && v->attached_at < known)
        known = v->attached_at; /* compared then */
    for (uint32_t i = 0; i < v->log_n; i++)
        if (!bit_get(p->have, v->log[i]) && !is_hidden(s, p, v, v->log[i], known) &&
            !is_of_later_start(s, v, v->log[i])) {
            sim_violate(s, INV_S7, "%s of db%u to db%u, which lacks db%u:%u", why, v->index + 1,
                        source + 1, s->tx[v->log[i]].origin + 1, s->tx[v->log[i]].seq);
            return;
        }
}

void check_effect(struct sim *s, const struct effect *effect, struct sim_server *v)
{
    (void)s;
    if (effect->epoch > v->epoch_seen)
        v->epoch_seen = effect->epoch;
}

/* SQL servers refuse nothing: what a late lane would send is only stopped by its validity, which
 * never reaches further than the step's own span after the last compare in the store. */
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
        s->chosen = run->candidate;
        s->chosen_at = s->now;
    }
    if (!run->past_no_return && old && old->past_no_return && strcmp(old->id, run->id) == 0)
        s->chosen = SIM_NONE; /* it turned back: never opened */
}

void check_saved(struct sim *s, const struct plan_run *run, const struct cluster_record *record)
{
    const struct sim_store *t = &s->store;
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
    if (is_swapping(s))
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
    }
}
