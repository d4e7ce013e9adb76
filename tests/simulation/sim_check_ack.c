/* What clients were told, S1, S2, S3 and S9: who acknowledged a write, what the store promised
 * then, and which acknowledged writes a promotion leaves behind. See sim_check.c. */
#include "tests/simulation/sim.h"

/* A repair keeps the record to itself until its next save: a drain is the longest row without. */
#define REPAIR_US    (35 * STAY_SECOND)
#define LANE_LATE_US (3 * STAY_SECOND)

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
           kind != PLAN_START_APPLIER && kind != PLAN_RESEED && kind != PLAN_CONFORM &&
           kind != PLAN_REPAIR_ACKER && kind != PLAN_END_STREAM;
}

bool check_is_swapping(const struct sim *s)
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
    opened = v->held_up_at > opened ? v->held_up_at : opened;
    if (t->by_hand && s->now - opened <= DETECT_US)
        return "its own configuration opened it";
    int64_t late = s->setup.lane_ppm > 0 ? LANE_LATE_US : 0; /* the fault: SQL leaves late */
    /* Nothing closes it while another failover runs: one plan at a time. */
    int64_t free_at = s->swapping_at > since ? s->swapping_at : since;
    if ((s->line_overridden || v->left_by_human) && s->now - free_at <= DETECT_US + late)
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
 * that process was read in its fence: then its counters told, and its role as the fence found it.
 * skip_weak: leave out what a weaker mode acknowledged, as no promise covers it. */
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
        bool told = fenced && t->life == (uint16_t)by->life;
        if ((t->excused && !told) || check_has_foreign_twin(s, v, i) || is_by_unseen_hand(s, t))
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
