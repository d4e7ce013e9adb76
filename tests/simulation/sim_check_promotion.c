/* S8 and what a promotion may lose: is it proved that the old primary cannot acknowledge, and does
 * the new one hold all that its certificate says. */
#include "tests/simulation/sim.h"

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
    int64_t verified = run->rows[verify].begun_mono_us;
    if (p->operator_started && verified != STAY_NEVER && p->operator_started_at > verified)
        return true;
    bool is_outside = !(run->a >> p->index & 1);
    bool is_back = p->unseen_at > p->seen_at && s->now - p->unseen_at <= DETECT_US;
    if (is_outside && (!check_watches(s, p->index) || is_back) && !meet)
        return true;
    bool counts = is_outside || strcmp(s->zone[p->index], s->zone[old->index]) == 0;
    return counts && p->hand_at > p->seen_at && p->hand_at > old->seen_at - 2 * STAY_SECOND;
}

/* S8 in truth, for a failover: F0 says that fewer than k could still acknowledge for the old
 * primary, F1 that it is closed; only its own configuration opens it again. */
void check_proof(struct sim *s, const struct plan_run *run)
{
    const struct certificate *cert = &run->certificate;
    if (!plan_replaces(run->kind) && run->kind != PLAN_SWITCHOVER)
        return;
    if (cert->proof == PROOF_NONE && run->mode == MODE_LOSSLESS && !run->params.accept_loss)
        sim_violate(s, INV_S8, "promotion without a recorded proof");
    if (run->old_primary >= s->setup.servers)
        return;
    struct sim_server *old = &s->server[run->old_primary];
    if (run->fenced && old->up && !old->read_only && !old->opened_by_start &&
        run->candidate != run->old_primary)
        sim_violate(s, INV_S8, "db%u is fenced by the record and writable", old->index + 1);
    if (cert->proof != PROOF_F0_REVOCATION || !plan_replaces(run->kind) || run->fenced)
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

/* Whom policy lets be promoted, and with what certificate; a human who accepts loss overrides the
 * certificate alone. */
static void check_policy(struct sim *s, const struct sim_server *v, const struct plan_run *run)
{
    const struct cluster_config *c = &s->config;
    const struct certificate *cert = &run->certificate;
    if (c->nodes[v->index].promote == PROMOTE_NEVER)
        sim_violate(s, INV_S6, "db%u is never to be promoted, and was", v->index + 1);
    if (s->store.record.quarantine[v->index] != QUARANTINE_NONE)
        sim_violate(s, INV_S7, "db%u was set aside and is promoted", v->index + 1);
    bool within = cert->kind == CERT_BOUNDED && c->accept == ACCEPT_BOUNDED &&
                  cert->lost_bytes_max <= c->loss_bytes_max &&
                  cert->lost_time_max_us <= c->loss_time_max_us;
    if (cert->kind != CERT_LOSSLESS && !within && !run->params.accept_loss)
        sim_violate(s, INV_S3, "promoted with %s, %.1f s: policy accepts %s, %.1f s",
                    certificate_kind_text(cert->kind), (double)cert->lost_time_max_us / 1e6,
                    c->accept == ACCEPT_BOUNDED ? "BOUNDED" : "LOSSLESS",
                    (double)c->loss_time_max_us / 1e6);
}

/* After a total outage: nothing acknowledged stays behind on a server that was read and counted. */
static void check_best(struct sim *s, const struct sim_server *v, const struct plan_run *run)
{
    uint32_t counted = run->collected & (run->r | 1u << run->old_primary);
    for (uint32_t n = 0; n < s->setup.servers && run->params.node == NO_NODE; n++)
        for (uint32_t i = 0; i < s->tx_n && (counted >> n & 1); i++)
            if (s->tx[i].acked && !s->tx[i].lost && !s->tx[i].again &&
                bit_get(s->server[n].have, i) && !bit_get(v->have, i) &&
                (check_is_told(s, v, &s->server[n], i) ||
                 !check_has_foreign_twin(s, v, i))) { /* by hand under its number: no set shows it,
                                                         nor where its log began */
                sim_violate(s, INV_S2, "db%u:%u is acknowledged, on db%u, and not on db%u",
                            s->tx[i].origin + 1, s->tx[i].seq, n + 1, v->index + 1);
                return;
            }
    s->stats->recovered_lossless += run->certificate.kind == CERT_LOSSLESS;
}

static void promoted(struct sim *s, struct sim_server *v, const struct plan_run *run, bool swaps)
{
    const struct certificate *cert = swaps ? &run->certificate : &s->named;
    uint32_t first = 0;
    uint32_t lost = check_lost(s, v, run->fenced, false, &first);
    bool moved = v->index != s->line || run->kind == PLAN_RECOVER;
    bool stands = s->store.record.mode == MODE_LOSSLESS; /* what the record promises by now */
    bool lossless = moved
                        ? cert->kind == CERT_LOSSLESS && (swaps || stands)
                        : s->store.record.mode == MODE_LOSSLESS && s->store.record.lossless_stands;
    if (lost > 0 && lossless)
        sim_violate(s, INV_S2, "%u acknowledged writes are not on db%u, first db%u:%u", lost,
                    v->index + 1, s->tx[first].origin + 1, s->tx[first].seq);
    if (!moved)
        return;
    if (swaps)
        check_policy(s, v, run);
    if (swaps)
        check_evacuated(s, run, v->index);
    s->stats->failovers += run->kind == PLAN_FAILOVER;
    s->stats->lossless += cert->kind == CERT_LOSSLESS;
    s->stats->bounded += cert->kind == CERT_BOUNDED;
    s->server[s->line].left_by_human = swaps ? run->params.accept_loss : s->named_overridden;
    s->line = v->index;
    v->left_by_human = false;
    s->named_node = SIM_NONE;
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

/* A plan past its promotion that could not finish has named the server; another one opens it. */
void check_promoted(struct sim *s, struct sim_server *v, const struct plan_run *run)
{
    if (run->kind == PLAN_RECOVER && run->old_primary < s->setup.servers)
        check_best(s, v, run);
    promoted(s, v, run, plan_replaces(run->kind) || run->kind == PLAN_SWITCHOVER);
}

/* Or its own configuration does: from the moment both are true the record calls the primary what
 * takes writes. The certificate is that of the plan which named it. */
void check_named(struct sim *s)
{
    struct sim_server *v = s->named_node < s->setup.servers ? &s->server[s->named_node] : NULL;
    if (v && v->index != s->line && v->opened_by_start && v->up && !v->read_only && !v->offline)
        promoted(s, v, s->store.run, false);
}
