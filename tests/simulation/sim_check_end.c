/* The end of a life: healed, it must converge within bounds, or rightly wait for a human; nothing
 * that was promised may be missing then. */
#include "tests/simulation/sim.h"

#define CONVERGE_US (75 * STAY_SECOND)
#define HUMAN_US    (35 * STAY_SECOND) /* longer than automation waits before it tries again */

static void check_stuck(struct sim *s)
{
    struct sim_controller *c = &s->controller;
    if (!controller_runs(s) || !executor_is_busy(c->exec))
        return;
    const struct plan_run *run = executor_run(c->exec);
    size_t count = 0;
    const struct plan_row *rows = plan_rows(run->kind, &count);
    if (run->row >= count || run->state != RUN_FORWARD)
        return;
    const struct row_run *r = &run->rows[run->row];
    int64_t allowed = rows[run->row].deadline_us * (int64_t)(1 + r->looks) + 20 * STAY_SECOND;
    if (r->begun_mono_us > c->started_at && s->now - r->begun_mono_us > allowed && s->healed &&
        s->now - s->healed_at > 20 * STAY_SECOND)
        sim_violate(s, INV_L5, "plan %s is in '%s' since %.3f s", run->id,
                    step_kind_text(rows[run->row].step), (double)r->begun_mono_us / 1e6);
}

/* Why a human is rightly waited for; NULL: nothing excuses it. */
static const char *human_reason(const struct sim *s)
{
    const struct sim_controller *c = &s->controller;
    const struct plan_run *run = s->store.has_run ? s->store.run : NULL;
    if (!controller_runs(s))
        return NULL;
    if (run && run->state == RUN_ASKS)
        return "a plan asks";
    if (c->decision->verdict.action == ACT_ASK)
        return "the verdict asks";
    if (c->refused[0] && s->now - c->refused_at < 2 * STAY_SECOND)
        return "a plan refuses to start";
    if (s->config.without_acker == WITHOUT_ACKER_BLOCK && s->store.record.mode == MODE_LOSSLESS &&
        c->view->no_acker_since_mono_us != STAY_NEVER)
        return "without_acker = block";
    if (s->undone_at != STAY_NEVER && s->undone_at > s->now - 45 * STAY_SECOND)
        return "a plan was undone and asks";
    if (strstr(c->decision->text, "a human decides"))
        return "the verdict asks";
    if (c->decision->vetoes & 1u << GUARD_NO_CANDIDATE)
        return "no server may be promoted";
    if (c->decision->vetoes & 1u << GUARD_TAKEN_OVER)
        return "taken over by hand";
    return NULL;
}

/* The primary came back open, by its own configuration, without what its restart truncated. What a
 * weaker mode acknowledged is lost by that alone, no plan was asked; what was promised is judged by
 * the next one. */
void check_opened_itself(struct sim *s, const struct sim_server *v)
{
    for (uint32_t i = 0; i < s->tx_n && v->index == s->line; i++) {
        struct sim_tx *t = &s->tx[i];
        if (t->acked && !t->promised && !t->lost && !bit_get(v->have, i)) {
            t->lost = true;
            s->stats->lost_declared++;
        }
    }
}

/* Opened by its own start after it had lost its tail, it gave numbers of that tail to other rows:
 * its set looks like that of one who has the tail. */
static bool has_given_again(const struct sim *s, const struct sim_server *v)
{
    for (uint32_t i = 0; i < v->log_n; i++) {
        const struct sim_tx *t = &s->tx[v->log[i]];
        if (t->origin == v->index && t->by_hand && t->again)
            return true;
    }
    return false;
}

/* A replica that executed later transactions and lacks an earlier one of the line is no copy. Left
 * out is what a primary wrote, which its own start had opened, under numbers that it had lost (seed
 * 6759): whoever stands beyond them is not sent them, and no set shows it. So is that server. */
static void check_holes(struct sim *s)
{
    const struct sim_server *p = &s->server[s->line];
    for (uint32_t n = 0; n < s->setup.servers; n++) {
        const struct sim_server *v = &s->server[n];
        bool later = false;
        if (n == s->line || !check_is_attached(s, v) ||
            s->store.record.quarantine[n] != QUARANTINE_NONE || has_given_again(s, v))
            continue;
        for (uint32_t i = p->log_n; i > 0; i--) {
            later = later || bit_get(v->have, p->log[i - 1]);
            const struct sim_tx *t = &s->tx[p->log[i - 1]];
            if (!later || bit_get(v->have, p->log[i - 1]) ||
                (t->by_hand && t->again && !check_is_told(s, p, v, p->log[i - 1])) ||
                check_has_twin(s, v, p->log[i - 1]))
                continue;
            sim_violate(s, INV_S7,
                        "db%u follows db%u without its db%u:%u, though it has later ones", n + 1,
                        s->line + 1, t->origin + 1, t->seq);
            return;
        }
    }
}

static void describe_nodes(struct sim *s)
{
    const struct cluster_view *view = s->controller.view;
    for (uint32_t n = 0; n < s->setup.servers && s->controller.up; n++) {
        const struct sim_server *v = &s->server[n];
        struct verdict r = verdict_judge_replica(view, n, s->now);
        sim_trace(s,
                  "db%u: %s%s%s, receiver %d from db%u error %u, applier %d error %u, relay %u, "
                  "semi-sync %d/%d, %u waiters, quarantine %d, log %u, verdict %u %s",
                  n + 1, v->up ? "up" : "down", v->frozen ? ", frozen" : "",
                  v->read_only ? ", read-only" : "", v->receiver_on + v->connected, v->source + 1,
                  v->receiver_errno, v->applier_on, v->applier_errno, v->relay_n - v->relay_head,
                  v->ss_source, v->ss_active, v->waiter_n, s->store.record.quarantine[n], v->log_n,
                  r.rule_id, r.name);
    }
}

void check_end(struct sim *s)
{
    check_stuck(s);
    if (s->stopped)
        return;
    char why[160] = "";
    if (s->setup.plain && s->line_at == STAY_NEVER)
        sim_violate(s, INV_L2, "a killed primary was not replaced in %.0f s: %s",
                    (double)(s->now - s->healed_at) / 1e6 + 10,
                    s->store.has_run ? s->store.run->text : "no plan");
    if (s->stopped)
        return;
    if (check_converged(s, why, sizeof why)) {
        check_holes(s);
        uint32_t first = 0;
        uint32_t lost = check_lost(s, &s->server[s->line], false, true, &first);
        if (lost > 0 && s->line_cert == CERT_LOSSLESS)
            sim_violate(s, INV_S2, "%u acknowledged writes left db%u later, first db%u:%u", lost,
                        s->line + 1, s->tx[first].origin + 1, s->tx[first].seq);
        s->stats->converged++;
        s->stopped = true;
        return;
    }
    const char *human = human_reason(s);
    if (!human)
        s->human_since = STAY_NEVER;
    else if (s->human_since == STAY_NEVER)
        s->human_since = s->now;
    bool asked_for_long = human && s->now - s->human_since > HUMAN_US;
    if (s->now - s->healed_at < CONVERGE_US && !asked_for_long) {
        sim_at(s, s->now + STAY_SECOND, EV_JUDGE, 0, 0, 0, 0);
        return;
    }
    bool blocked = s->config.without_acker == WITHOUT_ACKER_BLOCK &&
                   strcmp(s->store.record.primary, s->config.nodes[s->line].name) == 0;
    if (s->setup.plain && !blocked) {
        sim_violate(s, INV_L2, "a killed primary is not replaced: %s; %s", why,
                    s->store.has_run ? s->store.run->text : "");
        return;
    }
    if (human) {
        s->stats->human_ends++;
        (void)snprintf(s->human, sizeof s->human, "%.40s; %.70s; %.110s", human, why,
                       s->controller.refused[0] ? s->controller.refused
                       : s->store.has_run       ? s->store.run->text
                                                : "");
        sim_trace(s, "a human is asked: %s; %s; %s", human, why, s->controller.refused);
        s->stopped = true;
        return;
    }
    describe_nodes(s);
    sim_violate(s, INV_L3, "not converged %.0f s after heal: %s; verdict %u, %s", CONVERGE_US / 1e6,
                why, s->controller.up ? s->controller.decision->verdict.rule_id : 0,
                s->controller.up ? s->controller.decision->text : "no controller");
}
