/* The invariants S1-S9, S14, L3, L5, judged from the clients' own record and the world's truth,
 * never from what the controller believes. Each says precisely what it allows and why. */
#include "tests/simulation/sim.h"

/* How long a change behind our back may go unseen: two probes, their deadline, one save. */
#define DETECT_US (3 * STAY_SECOND)
/* A repair keeps the record to itself until its next save: a drain is the longest row without. */
#define REPAIR_US    (35 * STAY_SECOND)
#define LANE_LATE_US (3 * STAY_SECOND)

/* Over a session it has already; new ones may be refused. */
static bool may_answer(const struct sim *s, uint32_t node)
{
    return net_both(s, SIM_HOST_CONTROLLER, node) && s->server[node].up && !s->server[node].frozen;
}

static bool watches(const struct sim *s, uint32_t node)
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
           kind != PLAN_START_APPLIER;
}

static bool is_swapping(const struct sim *s)
{
    if (!executor_is_running(s))
        return false;
    enum plan_kind kind = executor_run(s->controller.exec)->kind;
    return kind == PLAN_FAILOVER || kind == PLAN_SWITCHOVER;
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
    /* Nobody can tell it from a server that a human took over by hand while the recorded primary
     * does not serve: guard taken-over leaves it to them; and there is one plan at a time. */
    int64_t opened = s->unserved_at > since ? s->unserved_at : since;
    opened = s->swapping_at > opened ? s->swapping_at : opened;
    if (t->by_hand && s->now - opened <= DETECT_US)
        return "its own configuration opened it";
    int64_t late = s->setup.lane_ppm > 0 ? LANE_LATE_US : 0; /* the fault: SQL leaves late */
    if (s->now - since > DETECT_US + late)
        return NULL;
    if (s->line_overridden)
        return "a human accepted it without a proof";
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

/* Such a twin that is not our doing: one of the two was not written to a primary that we opened. */
static bool has_foreign_twin(const struct sim *s, const struct sim_server *v, uint32_t tx)
{
    for (uint32_t i = 0; i < v->log_n; i++) {
        const struct sim_tx *t = &s->tx[v->log[i]];
        if (v->log[i] != tx && t->origin == s->tx[tx].origin && t->seq == s->tx[tx].seq &&
            (t->by_hand || s->tx[tx].by_hand))
            return true;
    }
    return false;
}

/* Acknowledged writes that `v` does not hold; marks them lost. Excused ones do not count, unless
 * that process was read in its fence: then its counters told. skip_weak: leave out what a weaker
 * mode acknowledged, as no promise covers it. */
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
        bool told = fenced && t->life == (uint16_t)s->server[t->origin].life;
        if ((t->excused && !told) || has_foreign_twin(s, v, i))
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

/* May `p` acknowledge for `old` unknown to us? By an operator's hand after our last look: the
 * freeze was verified before, or neither it nor its source was read since, and it is no member of A
 * (those are frozen whatever they said last). And one that left A while nobody could reach it
 * (the certificate lets it), as long as it cannot reach `old`: also when it can be reached again
 * by now and its first answer has not come (thawed a moment ago, a probe still out). */
static bool acks_unknown(const struct sim *s, const struct plan_run *run,
                         const struct sim_server *old, const struct sim_server *p)
{
    uint32_t verify = plan_row_of(PLAN_FAILOVER, STEP_VERIFY_FREEZE);
    bool meet = old->up && net_both(s, old->index, p->index);
    if (p->operator_started && p->operator_started_at > run->rows[verify].begun_mono_us)
        return true;
    bool is_outside = !(run->a >> p->index & 1);
    bool is_back = p->unseen_at > p->seen_at && s->now - p->unseen_at <= DETECT_US;
    if (is_outside && (!watches(s, p->index) || is_back) && !meet)
        return true;
    bool counts = is_outside || strcmp(s->zone[p->index], s->zone[old->index]) == 0;
    return counts && p->hand_at > p->seen_at && p->hand_at > old->seen_at - 2 * STAY_SECOND;
}

/* S8 in truth, for a failover: F0 says that fewer than k could still acknowledge for the old
 * primary, F1 that it is closed; only its own configuration opens it again. */
static void check_proof(struct sim *s, const struct plan_run *run)
{
    const struct certificate *cert = &run->certificate;
    if (run->kind != PLAN_FAILOVER && run->kind != PLAN_SWITCHOVER)
        return;
    if (cert->proof == PROOF_NONE && run->mode == MODE_LOSSLESS && !run->params.accept_loss)
        sim_violate(s, INV_S8, "promotion without a recorded proof");
    if (run->old_primary >= s->setup.servers)
        return;
    struct sim_server *old = &s->server[run->old_primary];
    if (run->fenced && old->up && !old->read_only && !old->opened_by_start)
        sim_violate(s, INV_S8, "db%u is fenced by the record and writable", old->index + 1);
    if (cert->proof != PROOF_F0_REVOCATION || run->kind != PLAN_FAILOVER || run->fenced)
        return; /* fenced after its certificate: F1 was given as well, judged above */
    uint32_t able = 0;
    for (uint32_t r = 0; r < s->setup.servers; r++) {
        const struct sim_server *p = &s->server[r];
        able += r != old->index && p->up && p->receiver_on && p->configured &&
                p->source == old->index && p->ss_active && !acks_unknown(s, run, old, p);
    }
    if (able >= s->config.acks && run->mode == MODE_LOSSLESS)
        sim_violate(s, INV_S8, "%u servers can still acknowledge for db%u, F0 is recorded", able,
                    old->index + 1);
}

/* A plan past its promotion that could not finish has named the server; another one opens it. */
static void promoted(struct sim *s, struct sim_server *v, const struct plan_run *run)
{
    bool swaps = run->kind == PLAN_FAILOVER || run->kind == PLAN_SWITCHOVER;
    const struct certificate *cert = swaps ? &run->certificate : &s->named;
    uint32_t first = 0;
    uint32_t lost = check_lost(s, v, run->fenced, false, &first);
    bool moved = v->index != s->line;
    bool stands = s->store.record.mode == MODE_LOSSLESS; /* what the record promises by now */
    bool lossless = moved
                        ? cert->kind == CERT_LOSSLESS && (swaps || stands)
                        : s->store.record.mode == MODE_LOSSLESS && s->store.record.lossless_stands;
    if (lost > 0 && lossless)
        sim_violate(s, INV_S2, "%u acknowledged writes are not on db%u, first db%u:%u", lost,
                    v->index + 1, s->tx[first].origin + 1, s->tx[first].seq);
    if (!moved)
        return;
    s->stats->failovers += run->kind == PLAN_FAILOVER;
    s->stats->lossless += cert->kind == CERT_LOSSLESS;
    s->stats->bounded += cert->kind == CERT_BOUNDED;
    s->line = v->index;
    s->line_first_ack = STAY_NEVER;
    s->line_at = s->now;
    s->line_epoch = run->epoch;
    s->line_cert = cert->kind;
    s->line_overridden = swaps ? run->params.accept_loss : s->named_overridden;
    s->line_fenced = run->fenced;
    s->line_old = run->old_primary;
    s->line_lost = lost;
    uint64_t max = cert->lost_transactions_max;
    s->loss_declared_max = max > 1000000 ? 1000000 : (uint32_t)max;
    bool later = !swaps && !stands; /* in a weaker mode it may have lost its tail since */
    if (s->line_overridden || lossless || lost == 0 || later)
        return;
    int64_t span = cert->lost_time_max_us;
    if (span > 0) { /* estimated by time: nothing older than that may be lost */
        int64_t certified = run->rows[plan_row_of(run->kind, STEP_CERTIFY)].ended_mono_us;
        int64_t oldest = (certified > 0 ? certified : s->now) - span - STAY_SECOND;
        if (s->tx[first].acked_at < oldest)
            sim_violate(s, INV_S3,
                        "a write acknowledged at %.3f s is lost, the certificate said %.3f s",
                        (double)s->tx[first].acked_at / 1e6, (double)span / 1e6);
        s->loss_declared_max = UINT32_MAX;
    } else if (lost > s->loss_declared_max) {
        sim_violate(s, INV_S3, "%u lost, the certificate said at most %u", lost,
                    s->loss_declared_max);
    }
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
    promoted(s, v, run);
}

/* A write by hand that no comparison can show: after the sets were read, or under a GTID that a
 * truncated primary had given before (MariaDB numbers on from what is left). */
static bool is_hidden(const struct sim *s, const struct sim_server *source, uint32_t tx,
                      int64_t known)
{
    const struct sim_tx *t = &s->tx[tx];
    bool reused = t->seq <= source->max_have[t->origin];
    return (t->kind == TX_ERRANT && (t->flushed > known || reused)) ||
           has_foreign_twin(s, source, tx);
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
        if (!bit_get(p->have, v->log[i]) && !is_hidden(s, p, v->log[i], known)) {
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
    if (record && run && strcmp(record->primary, t->record.primary) != 0)
        s->named = run->certificate, s->named_overridden = run->params.accept_loss;
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
    const struct sim_server *p = &s->server[s->line];
    if (!ours || !watches(s, s->line) || !p->up || p->read_only || p->offline)
        s->unserved_at = s->now;
    if (is_swapping(s))
        s->swapping_at = s->now;
    for (uint32_t n = 0; n < s->setup.servers; n++) {
        bool unseen = !ours || !watches(s, n);
        if (s->server[n].up && !s->server[n].frozen)
            s->server[n].alive_at = s->now;
        if (controller_runs(s) && may_answer(s, n))
            s->server[n].answers_at = s->now;
        if (!controller_runs(s) || !may_answer(s, n) || s->server[n].denied ||
            s->server[n].too_many)
            s->server[n].mute_at = s->now;
        if (unseen)
            s->server[n].unseen_at = s->now;
        if (unseen || holds)
            s->server[n].unable_at = s->now;
    }
}
