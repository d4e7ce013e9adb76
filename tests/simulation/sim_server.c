/* A database server that runs: binary log, engine commit, semi-sync source role. AFTER_SYNC order:
 * flush to the binary log, wait for acks, engine commit, answer. Rules are those measured
 * (calibration.c names each). */
#include "tests/simulation/sim_stall.h"

bool server_alive(const struct sim_server *v)
{
    return v->up && !v->frozen;
}

uint32_t tx_new(struct sim *s, uint32_t origin, enum tx_kind kind, uint32_t client, int64_t begun)
{
    if (s->tx_n >= SIM_TX)
        return SIM_NONE;
    uint32_t id = s->tx_n++;
    struct sim_server *v = &s->server[origin];
    uint32_t seq = (s->setup.engine == ENGINE_MARIADB ? v->domain_seq : v->max_have[origin]) + 1;
    s->tx[id] = (struct sim_tx){.origin = (uint8_t)origin,
                                .kind = (uint8_t)kind,
                                .by_hand = kind == TX_ERRANT || v->opened_by_start,
                                .again = seq <= v->lost_seq,
                                .client = (uint16_t)client,
                                .seq = seq,
                                .begun = begun,
                                .flushed = s->now};
    return id;
}

void server_engine_commit(struct sim *s, struct sim_server *v, uint32_t tx)
{
    const struct sim_tx *t = &s->tx[tx];
    bit_set(v->done, tx);
    if (t->seq > v->max_done[t->origin])
        v->max_done[t->origin] = t->seq;
    if (t->kind == TX_CANARY) {
        v->canary_epoch = t->epoch;
        v->canary_wall = t->begun + s->wall_offset;
    }
}

void server_log_append(struct sim *s, struct sim_server *v, uint32_t tx)
{
    const struct sim_tx *t = &s->tx[tx];
    v->log[v->log_n++] = (uint16_t)tx;
    bit_set(v->have, tx);
    if (t->seq > v->max_have[t->origin])
        v->max_have[t->origin] = t->seq;
    if (t->seq > v->domain_seq)
        v->domain_seq = t->seq;
    v->last_origin = t->origin;
    v->commits++;
}

/* The k-th highest acknowledged position; only replicas outside the zone when `legit`. */
static uint32_t acked_position(const struct sim *s, const struct sim_server *v, bool legit)
{
    uint32_t best[SIM_SERVERS] = {0}, n = 0;
    for (uint32_t r = 0; r < s->setup.servers; r++) {
        const struct sim_dump *d = &v->dump[r];
        if (!d->open || !d->semisync || (legit && strcmp(s->zone[r], s->zone[v->index]) == 0))
            continue;
        uint32_t i = n++;
        for (; i > 0 && best[i - 1] < d->acked; i--)
            best[i] = best[i - 1];
        best[i] = d->acked;
    }
    uint32_t k = legit ? s->config.acks : v->ss_wait_count;
    return k == 0 ? UINT32_MAX : (k <= n ? best[k - 1] : 0);
}

uint32_t server_able_acks(const struct sim *s, const struct sim_server *v)
{
    uint32_t n = 0;
    for (uint32_t r = 0; r < s->setup.servers; r++) {
        const struct sim_server *p = &s->server[r];
        if (r != v->index && p->up && p->receiver_on && p->configured && p->source == v->index &&
            (p->ss_active || (p->ss_replica && !p->connected)))
            n++;
    }
    return n;
}

static void answer_waiter(struct sim *s, struct sim_server *v, const struct sim_waiter *w)
{
    if (w->applier) {
        v->apply_waits = false;
        replica_apply_kick(s, v);
    } else if (w->canary) {
        if (w->client == UINT16_MAX)
            sim_at(s, s->now + net_delay(s, v->index, SIM_HOST_CONTROLLER), EV_CANARY_ANSWER,
                   v->index, OUT_OK, w->op, 0);
        else
            effect_canary_done(s, w->op);
    } else if (!w->killed && w->client != UINT16_MAX) {
        client_reply(s, w->client, w->op, v->index, w->tx, OUT_OK);
    }
}

static void commit_waiter(struct sim *s, struct sim_server *v, uint32_t i, bool acked)
{
    struct sim_waiter w = v->waiters[i];
    memmove(&v->waiters[i], &v->waiters[i + 1], (v->waiter_n - i - 1) * sizeof w);
    v->waiter_n--;
    if (acked)
        v->yes_tx++;
    if (s->tx[w.tx].origin == v->index && w.at >= acked_position(s, v, true))
        check_commit(s, w.tx, v);
    server_engine_commit(s, v, w.tx);
    answer_waiter(s, v, &w);
    sql_close_late(s, v);
}

void server_commit_last(struct sim *s, struct sim_server *v)
{
    commit_waiter(s, v, v->waiter_n - 1, false);
}

void server_acks(struct sim *s, struct sim_server *v)
{
    if (!v->ss_status)
        return;
    uint32_t position = acked_position(s, v, false);
    for (uint32_t i = 0; i < v->waiter_n;) {
        if (v->waiters[i].at < position)
            commit_waiter(s, v, i, true);
        else
            i++;
    }
}

void server_release_waiters(struct sim *s, struct sim_server *v, bool with_ok)
{
    while (v->waiter_n > 0) {
        if (!with_ok) {
            v->waiters[0].killed = true;
        }
        commit_waiter(s, v, 0, false);
    }
}

bool server_flush(struct sim *s, struct sim_server *v, uint32_t tx, const struct sim_waiter *who)
{
    server_log_append(s, v, tx);
    bool waits = v->ss_source && v->ss_status && v->ss_wait_count > 0;
    if (v->ss_source && !v->ss_status)
        v->no_tx++;
    if (waits) {
        must(v->waiter_n < SIM_WAITERS);
        struct sim_waiter w = *who;
        w.at = v->log_n - 1;
        w.tx = (uint16_t)tx;
        v->waiters[v->waiter_n++] = w;
        if (v->ss_timeout_ms < 1000000)
            sim_at(s, s->now + (int64_t)v->ss_timeout_ms * STAY_MS, EV_SS_TIMEOUT, v->index, 0,
                   v->life, tx);
    } else {
        if (s->tx[tx].origin == v->index)
            check_commit(s, tx, v);
        server_engine_commit(s, v, tx);
    }
    for (uint32_t r = 0; r < s->setup.servers; r++)
        if (v->dump[r].open)
            replica_pump(s, v, r);
    return !waits;
}

void server_ss_weakened(struct sim *s, struct sim_server *v, bool by_us)
{
    bool strong = v->ss_source && v->ss_status && v->ss_timeout_ms >= 1000000 &&
                  v->ss_wait_count >= s->config.acks;
    for (uint32_t r = 0; r < s->setup.servers; r++)
        if (r != v->index && v->dump[r].open && v->dump[r].semisync &&
            strcmp(s->zone[r], s->zone[v->index]) == 0)
            strong = false;
    if (strong) {
        v->weak_at = STAY_NEVER;
        v->weak_by_us = false;
    } else if (v->weak_at == STAY_NEVER) {
        v->weak_at = s->now;
        v->weak_by_us = by_us;
    }
}

void server_ss_set(struct sim *s, struct sim_server *v, bool on, bool by_us)
{
    if (v->ss_source && !on)
        v->no_times++;
    v->ss_source = on;
    v->ss_status = on;
    if (on && by_us)
        v->weak_at = STAY_NEVER; /* what still weakens it (an acker in its zone) is not our doing */
    server_ss_weakened(s, v, by_us && !on);
    if (!on)
        server_release_waiters(s, v, true);
}

static bool has_open_acker(const struct sim *s, const struct sim_server *v)
{
    for (uint32_t r = 0; r < s->setup.servers; r++)
        if (v->dump[r].open && v->dump[r].semisync)
            return true;
    return false;
}

uint32_t server_sessions(const struct sim *s, const struct sim_server *v)
{
    uint32_t n = 0;
    for (uint32_t c = 0; c < SIM_CLIENTS; c++)
        if (s->client[c].server == v->index && s->client[c].life == v->life)
            n++;
    for (uint32_t i = 0; i < v->waiter_n; i++)
        if (v->waiters[i].killed)
            n++;
    return n;
}

static bool acks_flow(const struct sim *s, const struct sim_server *v)
{
    for (uint32_t r = 0; r < s->setup.servers; r++) {
        const struct sim_server *p = &s->server[r];
        if (v->dump[r].open && v->dump[r].semisync && server_alive(p) && p->connected &&
            p->source == v->index && p->conn_gen == v->dump[r].gen && net_both(s, r, v->index))
            return true;
    }
    return false;
}

/* Measured on MariaDB (scenario fact_killed_leader): a killed leader of a commit group lets the
 * others be answered. Our kills spare leaders, but while ackers still acknowledge the groups move
 * under them: now and then one waiter gets its OK. */
static void answer_one_by_mistake(struct sim *s, struct sim_server *v)
{
    uint32_t waiting = 0, last = 0;
    for (uint32_t i = 0; i < v->waiter_n; i++)
        if (!v->waiters[i].applier && !v->waiters[i].killed) {
            waiting++;
            last = i;
        }
    if (s->setup.engine == ENGINE_MARIADB && waiting > 1 && acks_flow(s, v) &&
        sim_percent(s, 30))
        commit_waiter(s, v, last, false);
}

uint32_t server_kill_clients(struct sim *s, struct sim_server *v)
{
    uint32_t n = stall_kill(v);
    answer_one_by_mistake(s, v);
    for (uint32_t i = 0; i < v->waiter_n;) {
        struct sim_waiter *w = &v->waiters[i];
        if (w->applier || w->killed) {
            i++;
            continue;
        }
        w->killed = true;
        n++;
        if (s->setup.engine == ENGINE_MYSQL) {
            i++; /* measured, row 12: stays and waits */
        } else {
            commit_waiter(s, v, i, false); /* a ghost row: committed, never acknowledged */
        }
    }
    for (uint32_t c = 0; c < SIM_CLIENTS; c++)
        if (s->client[c].server == v->index && s->client[c].life == v->life) {
            client_session_lost(s, c, v->index);
            n++;
        }
    return n;
}

/* MySQL answers OK to every waiter when it stops in order without an acker (row 5). */
void server_shutdown_waiters(struct sim *s, struct sim_server *v)
{
    if (s->setup.engine == ENGINE_MYSQL && !has_open_acker(s, v)) {
        if (v->waiter_n > 0)
            sim_trace(s, "db%u answers OK to %u waiters in its shutdown", v->index + 1,
                      v->waiter_n);
        server_release_waiters(s, v, true);
    }
}

bool server_write_blocked(const struct sim_server *v)
{
    return v->disk_stall || v->closes || v->waiter_n >= SIM_WAITERS - 2;
}
