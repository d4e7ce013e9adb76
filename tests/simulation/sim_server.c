/* A database server: process life, binary log, engine commit, semi-sync source role. AFTER_SYNC
 * order: flush to the binary log, wait for acks, engine commit, answer. Rules are those measured
 * (calibration.c names each). */
#include "tests/simulation/sim.h"

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

static void engine_commit(struct sim *s, struct sim_server *v, uint32_t tx)
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

static void log_append(struct sim *s, struct sim_server *v, uint32_t tx)
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
    engine_commit(s, v, w.tx);
    answer_waiter(s, v, &w);
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
    log_append(s, v, tx);
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
        engine_commit(s, v, tx);
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
    uint32_t n = 0;
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
static void shutdown_waiters(struct sim *s, struct sim_server *v)
{
    if (s->setup.engine == ENGINE_MYSQL && !has_open_acker(s, v)) {
        if (v->waiter_n > 0)
            sim_trace(s, "db%u answers OK to %u waiters in its shutdown", v->index + 1,
                      v->waiter_n);
        server_release_waiters(s, v, true);
    }
}

static void drop_connections(struct sim *s, struct sim_server *v, bool silent)
{
    for (uint32_t r = 0; r < s->setup.servers; r++) {
        struct sim_dump *d = &v->dump[r];
        struct sim_server *p = &s->server[r];
        if (d->open && !silent && p->connected && p->source == v->index &&
            p->conn_gen == d->gen) {
            if (sim_percent(s, 50) && d->pump_pending)
                sim_at(s, s->now, EV_PUMP, v->index, r, d->gen, 1);
            sim_at(s, s->now + net_delay(s, v->index, r), EV_RECEIVER_EOF, r, v->index,
                   p->conn_gen, 0);
        }
        d->open = false;
    }
    if (v->connected) /* its own receiver is gone: the source sees the end or not at all */
        sim_at(s, s->now + (silent ? 60 * STAY_SECOND : net_delay(s, v->index, v->source)),
               EV_DUMP_END, v->source, v->index, v->conn_gen, 0);
    v->connected = false;
}

void server_kill(struct sim *s, struct sim_server *v, bool orderly, bool silent)
{
    if (!v->up)
        return;
    sim_trace(s, "db%u %s, %u waiters", v->index + 1,
              orderly ? "stops in order" : silent ? "loses power" : "is killed", v->waiter_n);
    s->stats->waiter_at_loss += v->index == s->line && v->waiter_n > 0;
    if (orderly && !v->frozen)
        shutdown_waiters(s, v);
    v->waiter_n = 0;
    v->apply_waits = v->apply_pending = false;
    drop_connections(s, v, silent);
    uint32_t life = v->life++;
    v->stopped_clean = orderly && !v->frozen;
    v->up = v->frozen = false;
    v->silent = silent;
    v->killed_at = s->now;
    for (uint32_t c = 0; c < SIM_CLIENTS; c++)
        if (s->client[c].server == v->index && s->client[c].life == life && !silent)
            client_session_lost(s, c, v->index);
    if (!silent)
        probe_session_lost(s, v->index);
}

static void recount(struct sim *s, struct sim_server *v)
{
    memset(v->max_have, 0, sizeof v->max_have);
    memset(v->max_done, 0, sizeof v->max_done);
    memset(v->have, 0, sizeof v->have);
    memset(v->done, 0, sizeof v->done);
    v->domain_seq = 0;
    v->canary_epoch = 0;
    uint32_t n = v->log_n;
    v->log_n = 0;
    for (uint32_t i = 0; i < n; i++) {
        log_append(s, v, v->log[i]);
        engine_commit(s, v, v->log[i]);
    }
}

/* Crash recovery: MySQL commits the tail of the binary log; MariaDB with init_rpl_role=SLAVE cuts
 * what its engine had not made durable, which may include what was acknowledged. After a stop in
 * order there is none: what waited for its ack is committed and stays (measured on 10.11.19). */
static void recover(struct sim *s, struct sim_server *v)
{
    uint32_t held = v->log_n;
    if (s->setup.engine == ENGINE_MARIADB && v->st_role_replica && !v->stopped_clean) {
        int64_t durable = v->killed_at - sim_span(s, 0, STAY_SECOND);
        uint32_t n = v->log_n;
        while (n > 0 &&
               (!bit_get(v->done, v->log[n - 1]) || s->tx[v->log[n - 1]].flushed > durable)) {
            uint32_t seq = s->tx[v->log[--n]].seq;
            v->lost_seq = seq > v->lost_seq ? seq : v->lost_seq;
        }
        if (n < v->log_n)
            sim_trace(s, "db%u truncates %u transactions", v->index + 1, v->log_n - n);
        v->log_n = n;
    }
    uint32_t cut = held - v->log_n, waits = v->relay_n - v->relay_head;
    if (s->setup.engine == ENGINE_MARIADB && cut + v->kept_n + waits <= SIM_TX) {
        memmove(v->kept + cut, v->kept, v->kept_n * sizeof v->kept[0]); /* of a restart before */
        /* its relay log has those that are cut as well */
        memcpy(v->kept, v->log + v->log_n, cut * sizeof v->kept[0]);
        memcpy(v->kept + cut + v->kept_n, v->relay + v->relay_head, waits * sizeof v->kept[0]);
        v->relay_head = v->relay_n = 0;
        v->kept_n += cut + waits;
    }
    recount(s, v);
}

void server_start(struct sim *s, struct sim_server *v)
{
    if (v->up)
        return;
    v->up = true;
    v->silent = v->frozen = v->disk_stall = v->too_many = false;
    v->boot_at = s->now;
    v->old_commits = v->commits;
    recover(s, v);
    v->began_origin = v->last_origin; /* a start begins a binary log */
    v->began_seq = v->domain_seq;
    check_started(s, v);
    v->read_only = v->st_read_only;
    v->super_ro = s->setup.engine == ENGINE_MYSQL && v->st_read_only;
    v->offline = false;
    v->opened_by_start = !v->read_only;
    if (v->opened_by_start)
        check_opened_itself(s, v);
    v->excused_n = 0;
    v->yes_tx = v->no_tx = v->no_times = v->commits = 0;
    v->ss_replica = v->st_ss_replica;
    v->cannot_reach = v->ss_active = v->connected = v->receiver_on = v->applier_on = false;
    v->frozen_by_us = v->operator_started = false;
    v->receiver_errno = v->applier_errno = 0; /* a new process remembers no error */
    v->ss_timeout_ms = UINT64_C(1000000000);
    v->ss_wait_count = s->config.acks;
    v->weak_at = s->now;
    v->weak_by_us = false;
    server_ss_set(s, v, v->st_ss_source, false);
    v->no_times = 0;
    v->heartbeats = 0;
    uint32_t kept = v->configured && v->st_skip && !v->st_relay_recovery ? v->kept_n : 0;
    if (s->setup.engine == ENGINE_MARIADB || v->st_relay_recovery)
        replica_purge_relay(s, v, false); /* the position is read anew with the first connection */
    v->kept_n = kept;
    v->left_alone = v->configured && v->st_skip && !v->st_relay_recovery;
    sim_trace(s, "db%u starts%s", v->index + 1, v->read_only ? " read-only" : " WRITABLE");
    if (v->configured && !v->st_skip) {
        v->receiver_on = v->applier_on = v->receiver_new = true;
        v->ss_active = v->ss_replica;
        sim_at(s, s->now + 20 * STAY_MS, EV_RECONNECT, v->index, 0, v->life, 0);
        replica_apply_kick(s, v);
    }
}

void server_freeze(struct sim *s, struct sim_server *v)
{
    if (!v->up || v->frozen)
        return;
    sim_trace(s, "db%u freezes, %u waiters", v->index + 1, v->waiter_n);
    v->frozen = true;
}

void server_thaw(struct sim *s, struct sim_server *v)
{
    if (!v->frozen)
        return;
    sim_trace(s, "db%u thaws", v->index + 1);
    v->frozen = false;
    net_healed(s);
    for (uint32_t r = 0; r < s->setup.servers; r++)
        if (s->server[r].dump[v->index].open)
            replica_pump(s, &s->server[r], v->index);
    replica_apply_kick(s, v);
}

bool server_write_blocked(const struct sim_server *v)
{
    return v->disk_stall || v->waiter_n >= SIM_WAITERS - 2;
}
