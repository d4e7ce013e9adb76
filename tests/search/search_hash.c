/* The canonical form of a state, hashed: two states of one form are searched on from once. Servers
 * of one zone are equal, so the smallest of the hashes under their exchanges counts. Numbers that
 * only grow (GTIDs, counters, epochs, clocks) are left out: rows count by who holds them, times by
 * how long ago they are in the decision's own scale. So a merge may be wrong where the code depends
 * on what is left out; a violation found is always real, as paths are lived, not hashed. */
#include "tests/search/search.h"

struct form {
    struct world *w;
    const struct sim *s;
    uint8_t to[SIM_SERVERS + 1], from[SIM_SERVERS]; /* canonical number of a server; back */
    uint64_t h;
};

static void put(struct form *f, uint64_t v)
{
    f->h ^= v + UINT64_C(0x9e3779b97f4a7c15) + (f->h << 6) + (f->h >> 2);
    f->h *= UINT64_C(0xff51afd7ed558ccd);
    f->h ^= f->h >> 32;
}

static void put_node(struct form *f, uint32_t node)
{
    put(f, node < f->s->setup.servers ? f->to[node] : 99u);
}

static void put_mask(struct form *f, uint32_t mask)
{
    uint32_t out = 0;
    for (uint32_t n = 0; n < f->s->setup.servers; n++)
        out |= (mask >> n & 1) << f->to[n];
    put(f, out);
}

/* How long ago, in steps that decisions tell apart. */
static void put_age(struct form *f, int64_t at)
{
    static const int64_t steps[] = {0,    1,    150,  500,   1000,  1500, 2000,
                                    3000, 5000, 8000, 12000, 20000, 35000};
    if (at == STAY_NEVER) {
        put(f, 77);
        return;
    }
    int64_t age = f->s->now - at;
    uint64_t i = 0;
    while (i < STAY_COUNT(steps) && age > steps[i] * STAY_MS)
        i++;
    put(f, i);
}

static void put_future(struct form *f, int64_t at)
{
    int64_t left = at - f->s->now;
    put(f, left <= 0                 ? 0
           : left < STAY_SECOND      ? 1
           : left < 3 * STAY_SECOND  ? 2
           : left < 10 * STAY_SECOND ? 3
                                     : 4);
}

static bool relay_has(const struct sim_server *v, uint32_t tx)
{
    for (uint32_t i = v->relay_head; i < v->relay_n; i++)
        if (v->relay[i] == tx)
            return true;
    return false;
}

static uint64_t tx_form(const struct form *f, uint32_t tx)
{
    const struct sim *s = f->s;
    const struct sim_tx *t = &s->tx[tx];
    uint64_t x = 0;
    for (uint32_t c = 0; c < s->setup.servers; c++) {
        const struct sim_server *v = &s->server[f->from[c]];
        x = x << 3 | (uint64_t)bit_get(v->have, tx) << 2 | (uint64_t)bit_get(v->done, tx) << 1 |
            relay_has(v, tx);
    }
    x = x << 3 | f->to[t->origin];
    x = x << 8 | (uint64_t)t->acked << 7 | (uint64_t)t->lost << 6 | (uint64_t)t->promised << 5 |
        (uint64_t)t->by_hand << 4 | (uint64_t)t->weak << 3 | (uint64_t)t->excused << 2 |
        (uint64_t)t->again << 1 | (t->kind == TX_ERRANT);
    return x;
}

/* Rows by who holds them, each combination once, in the order of their first. */
static void put_rows(struct form *f)
{
    uint64_t seen[64];
    uint32_t n = 0;
    for (uint32_t tx = 0; tx < f->s->tx_n; tx++) {
        uint64_t x = tx_form(f, tx);
        uint32_t i = 0;
        while (i < n && seen[i] != x)
            i++;
        if (i < n)
            continue;
        put(f, x);
        if (n < STAY_COUNT(seen))
            seen[n++] = x;
    }
}

static void put_server(struct form *f, uint32_t n)
{
    const struct sim *s = f->s;
    const struct sim_server *v = &s->server[n];
    uint64_t bits = 0;
    const bool flags[] = {v->up,
                          v->frozen,
                          v->silent,
                          v->stopped_clean,
                          v->read_only,
                          v->super_ro,
                          v->offline,
                          v->configured,
                          v->receiver_on,
                          v->connected,
                          v->ss_active,
                          v->applier_on,
                          v->apply_waits,
                          v->receiver_new,
                          v->cannot_reach,
                          v->operator_started,
                          v->frozen_by_us,
                          v->opened_by_start,
                          v->attached_by_us,
                          v->ss_source,
                          v->ss_status,
                          v->ss_replica,
                          v->weak_at != STAY_NEVER,
                          v->weak_by_us,
                          v->stuck_until != 0,
                          v->errant_at != STAY_NEVER,
                          v->lost_seq != 0};
    for (size_t i = 0; i < STAY_COUNT(flags); i++)
        bits = bits << 1 | flags[i];
    put(f, bits);
    put_node(f, v->configured ? v->source : SIM_NONE);
    put(f, v->receiver_errno * 10000 + v->applier_errno);
    put(f, f->w->cut[n].kind + (!v->up && f->w->starts[n] == v->life ? 100u : 0u));
    put_node(f, f->w->cut[n].kind ? f->w->cut[n].peer : SIM_NONE);
    for (uint32_t c = 0; c < s->setup.servers; c++) {
        const struct sim_dump *d = &v->dump[f->from[c]];
        put(f, !d->open ? 0u
                        : 1u | (unsigned)d->semisync << 1 | (unsigned)(d->acked < v->log_n) << 2 |
                              (unsigned)(d->pos < v->log_n) << 3 | (unsigned)d->ack_stalled << 4);
    }
    put(f, v->waiter_n > 3 ? 3 : v->waiter_n);
    for (uint32_t i = 0; i < v->waiter_n; i++)
        put(f, (unsigned)v->waiters[i].killed | (unsigned)v->waiters[i].applier << 1 |
                   (unsigned)v->waiters[i].canary << 2);
}

static void put_facts(struct form *f, const struct node_view *v, uint32_t n)
{
    const struct server_facts *a = &v->facts;
    static struct gtid_set true_set;
    put(f, v->groups_known);
    put(f, (uint64_t)a->read_only | (uint64_t)a->super_read_only << 2 |
               (uint64_t)a->offline_mode << 4 | (uint64_t)a->receiver << 6 |
               (uint64_t)a->applier << 10 | (uint64_t)a->ss_source_enabled << 12 |
               (uint64_t)a->ss_source_on << 14 | (uint64_t)a->ss_replica_enabled << 16 |
               (uint64_t)a->ss_replica_on << 18 | (uint64_t)(a->ss_waiters > 0) << 20 |
               (a->ss_clients & 7) << 21 | (uint64_t)(a->receiver_errno != 0) << 24 |
               (uint64_t)(a->applier_errno != 0) << 25 |
               (uint64_t)(a->canary_epoch == f->s->store.record.epoch) << 26);
    put_node(f, cluster_source_of(f->s->controller.view, n));
    facts_set_executed(f->s, &f->s->server[n], &true_set);
    put(f, gtid_set_contains(&a->executed, &true_set) +
               2u * gtid_set_contains(&true_set, &a->executed));
    for (uint32_t c = 0; c < f->s->setup.servers; c++) {
        const struct node_view *o = &f->s->controller.view->nodes[f->from[c]];
        put(f, gtid_set_contains(&a->executed, &o->facts.executed) +
                   2u * gtid_set_contains(&a->executed, &o->received_high) +
                   4u * gtid_set_contains(&a->executed, &o->goal));
    }
}

static void put_node_view(struct form *f, uint32_t n)
{
    const struct node_view *v = &f->s->controller.view->nodes[n];
    put_facts(f, v, n);
    put(f, (uint64_t)v->reach.layer << 8 | (uint64_t)v->reach.outcome);
    const int64_t times[] = {
        v->facts_mono_us,         v->refused_first_mono_us, v->refused_last_mono_us,
        v->silent_since_mono_us,  v->canary_fail_mono_us,   v->advanced_mono_us,
        v->restarted_mono_us,     v->caught_up_mono_us,     v->receiver_off_mono_us,
        v->receiver_lost_mono_us, v->writable_mono_us,      v->acker_seen_mono_us,
        v->ss_progress_mono_us,   v->asked_again_mono_us,   v->repair_failed_mono_us,
        v->extra_mono_us,         v->alone_mono_us,         v->own_due_mono_us,
        v->goal_mono_us};
    for (size_t i = 0; i < STAY_COUNT(times); i++)
        put_age(f, times[i]);
    put(f, v->birth_judged | v->holds_lost << 1 | v->idle_life << 2 | v->by_hand << 3 |
               v->skipped << 4 | (uint64_t)v->ran_acking << 5 | (uint64_t)v->errant << 8 |
               (uint64_t)(v->facts_begun_mono_us >= v->changed_mono_us) << 12);
}

static void put_record(struct form *f, const struct cluster_record *r)
{
    const struct sim *s = f->s;
    put(f, r->adopted | r->lossless_stands << 1 | r->paused << 2 | (uint64_t)r->mode << 4 |
               (uint64_t)(r->plan_id[0] != '\0') << 8 | (uint64_t)r->births_kept << 9);
    put_node(f, cluster_node_by_name(&s->config, r->primary));
    put_node(f, cluster_node_by_name(&s->config, r->asks));
    put_mask(f, r->ackers);
    put_mask(f, r->restarted);
    put_mask(f, r->twins);
    put_mask(f, r->written_known);
    put_mask(f, r->born_known);
    for (uint32_t c = 0; c < s->setup.servers; c++)
        put(f, r->quarantine[f->from[c]]);
    put_future(f, r->cooldown_until_wall_us == 0 ? 0 : r->cooldown_until_wall_us - s->wall_offset);
}

static void put_run(struct form *f, const struct plan_run *run)
{
    put(f, (uint64_t)run->kind << 24 | (uint64_t)run->state << 16 | run->row << 8 |
               (uint64_t)run->past_no_return << 1 | run->fenced);
    put_node(f, run->candidate);
    put_node(f, run->old_primary);
    put_node(f, run->params.node);
    const uint32_t masks[] = {
        run->a,        run->f,        run->r,     run->collected,  run->slow,   run->restarted,
        run->attached, run->detached, run->moved, run->lost_first, run->errant, run->sound,
        run->froze,    run->received, run->able,  run->acking,     run->struck};
    for (size_t i = 0; i < STAY_COUNT(masks); i++)
        put_mask(f, masks[i]);
    put(f, run->lossless_stood | run->maybe_open << 1 | run->acks_flowed << 2 | run->was_open << 3 |
               run->stays << 4 | run->fence_unheard << 5 | run->degrade << 6 | run->diverged << 7 |
               run->aims_lossless << 8 | (uint64_t)run->certificate.kind << 9 |
               (uint64_t)run->certificate.proof << 12 | (uint64_t)(run->rounds & 7) << 16);
    for (uint32_t r = 0; r < PLAN_ROWS_MAX; r++)
        if (run->rows[r].state != ROW_PENDING)
            put(f, r << 8 | (uint64_t)run->rows[r].state << 4 | (run->rows[r].looks & 7));
}

static void put_under_way(struct form *f)
{
    const struct sim *s = f->s;
    for (uint32_t i = 0; i < SIM_EFFECTS; i++) {
        const struct sim_effect *x = &s->effect[i];
        if (!x->used)
            continue;
        put(f, (uint64_t)x->effect.step << 16 | (x->phase & 0xff) << 8 | x->sent << 2 |
                   (uint64_t)(x->life == s->controller.life) << 1 | x->answered);
        put_node(f, x->effect.node);
        put_node(f, x->effect.peer);
        put(f,
            x->effect.node < s->setup.servers && s->server[x->effect.node].life == x->server_life);
    }
    for (uint32_t i = 0; i < SIM_SAVES; i++)
        if (s->save[i].used)
            put(f, s->save[i].has_record + 2u * s->save[i].has_run + 4u * s->save[i].watch +
                       8u * (s->save[i].version != 0) +
                       16u * (s->save[i].life == s->controller.life));
}

static void put_controller(struct form *f)
{
    const struct sim *s = f->s;
    const struct sim_controller *c = &s->controller;
    put(f, c->up | c->frozen << 1 | c->ready << 2 | c->save_flying << 3);
    if (!c->up)
        return;
    const struct cluster_view *v = c->view;
    for (uint32_t k = 0; k < s->setup.servers; k++)
        put_node_view(f, f->from[k]);
    put_node(f, v->primary);
    put_age(f, v->suspicion_since_mono_us);
    put_age(f, v->no_acker_since_mono_us);
    put_age(f, v->repair_failed_mono_us);
    put_age(f, v->plan_ended_mono_us);
    put_age(f, v->barrier_mono_us);
    put_age(f, v->lossless_fell_mono_us);
    put_future(f, v->hold_until_mono_us);
    put_mask(f, v->ackers_seen);
    put(f, v->store_ok | v->isolated << 1 | v->barrier_captured << 2 | v->watch_odd << 3);
    put(f, v->watch_skips);
    put(f, c->decision->verdict.rule_id);
    bool busy = executor_is_busy(c->exec);
    put(f, busy);
    if (busy)
        put_run(f, executor_run(c->exec));
}

static void put_checker(struct form *f)
{
    const struct sim *s = f->s;
    put_node(f, s->line);
    put_node(f, s->line_old);
    put_node(f, s->named_node);
    put_node(f, s->chosen);
    put(f, (uint64_t)s->line_cert | s->line_fenced << 3 | s->line_overridden << 4 |
               (uint64_t)(s->line_first_ack != STAY_NEVER) << 5 |
               (uint64_t)(s->line_at != STAY_NEVER) << 6);
}

static uint64_t hash_as(struct form *f)
{
    const struct sim *s = f->s;
    f->h = 1;
    for (uint32_t c = 0; c < s->setup.servers; c++)
        put_server(f, f->from[c]);
    put_rows(f);
    put_controller(f);
    put_record(f, &s->store.record);
    put(f, s->store.down);
    if (s->store.has_run && s->store.record.plan_id[0])
        put_run(f, s->store.run);
    put_under_way(f);
    put_checker(f);
    for (uint32_t p = 0; p < SIM_PROXIES; p++)
        put_node(f, s->proxy[p].target);
    return f->h;
}

static bool same_zone(const struct sim *s, uint32_t a, uint32_t b)
{
    return strcmp(s->zone[a], s->zone[b]) == 0;
}

/* The smallest hash over the orders of servers 1 and up that keep zones where they are: server 0's
 * zone is its own wherever there are three of us or fewer. */
uint64_t world_hash(struct world *w)
{
    struct form f = {.w = w, .s = w->s};
    uint32_t n = w->s->setup.servers;
    for (uint32_t i = 0; i <= SIM_SERVERS; i++)
        f.to[i] = (uint8_t)i;
    for (uint32_t i = 0; i < SIM_SERVERS; i++)
        f.from[i] = (uint8_t)i;
    uint64_t best = hash_as(&f);
    for (uint32_t a = 0; a < n; a++)
        for (uint32_t b = a + 1; b < n; b++) {
            if (!same_zone(w->s, a, b))
                continue;
            f.to[a] = f.from[a] = (uint8_t)b;
            f.to[b] = f.from[b] = (uint8_t)a;
            uint64_t h = hash_as(&f);
            best = h < best ? h : best;
            f.to[a] = f.from[a] = (uint8_t)a;
            f.to[b] = f.from[b] = (uint8_t)b;
        }
    return best;
}
