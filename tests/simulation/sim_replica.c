/* Receiver of a replica, and the source's dump thread to it. */
#include "tests/simulation/sim.h"

#define NET_TIMEOUT_US (4 * STAY_SECOND)
#define HEARTBEAT_US (500 * STAY_MS)
#define RETRY_US (1 * STAY_SECOND)

static bool in_relay(const struct sim_server *v, uint32_t tx)
{
    for (uint32_t i = v->relay_n; i > v->relay_head; i--)
        if (v->relay[i - 1] == tx)
            return true;
    return false;
}

void replica_pump(struct sim *s, struct sim_server *source, uint32_t rep)
{
    struct sim_dump *d = &source->dump[rep];
    if (d->pump_pending || !server_alive(source) || !net_ok(s, source->index, rep))
        return;
    d->sent_to = source->log_n;
    if (d->sent_to <= d->pos)
        return;
    d->pump_pending = true;
    sim_at(s, s->now + net_delay(s, source->index, rep), EV_PUMP, source->index, rep, d->gen, 0);
}

static void receive(struct sim *s, struct sim_server *v, uint32_t tx)
{
    if (bit_get(v->have, tx) || in_relay(v, tx))
        return;
    const struct sim_tx *t = &s->tx[tx];
    /* Measured on MariaDB 10.11: events with its own server id are skipped in silence, unless
     * strict mode and the semi-sync replica role were on when the receiver started. */
    if (s->setup.engine == ENGINE_MARIADB && t->origin == v->index && !v->ss_active)
        return;
    must(v->relay_n < SIM_TX);
    v->relay[v->relay_n++] = (uint16_t)tx;
    if (v->claim_first[t->origin] == 0)
        v->claim_first[t->origin] = t->seq;
    v->claim_last[t->origin] = t->seq;
    v->claim_origin = t->origin;
}

static void on_pump(struct sim *s, const struct sim_event *e)
{
    struct sim_server *source = &s->server[e->a], *v = &s->server[e->b];
    struct sim_dump *d = &source->dump[e->b];
    if (d->gen != e->gen || (!d->open && e->arg == 0))
        return;
    d->pump_pending = false;
    if (!v->up || !v->connected || v->source != e->a || v->conn_gen != e->gen || v->frozen ||
        (e->arg == 0 && !net_ok(s, e->a, e->b)))
        return; /* goes on when it thaws or heals */
    uint32_t to = d->sent_to < source->log_n ? d->sent_to : source->log_n;
    for (; d->pos < to; d->pos++)
        receive(s, v, source->log[d->pos]);
    v->last_rx = s->now;
    if (d->open && d->semisync && v->ss_active)
        sim_at(s, s->now + net_delay(s, e->b, e->a), EV_ACK, e->a, e->b, d->gen, d->pos);
    replica_apply_kick(s, v);
    if (d->open)
        replica_pump(s, source, e->b);
}

static void on_ack(struct sim *s, const struct sim_event *e)
{
    struct sim_server *source = &s->server[e->a];
    struct sim_dump *d = &source->dump[e->b];
    if (!d->open || d->gen != e->gen)
        return;
    if (!server_alive(source) || !net_ok(s, e->b, e->a)) {
        d->ack_stalled = true;
        d->ack_pos = e->arg > d->ack_pos ? e->arg : d->ack_pos;
        return;
    }
    if (e->arg > d->acked)
        d->acked = e->arg;
    if (source->ss_source && !source->ss_status && d->semisync && d->acked >= source->log_n) {
        source->ss_status = true; /* an acker has caught up: on again by itself */
        server_ss_weakened(s, source, false);
    }
    server_acks(s, source);
}

static void disconnect(struct sim *s, struct sim_server *v, bool told)
{
    if (!v->connected)
        return;
    v->connected = false;
    sim_at(s, s->now + (told ? net_delay(s, v->index, v->source) : 60 * STAY_SECOND), EV_DUMP_END,
           v->source, v->index, v->conn_gen, 0);
}

void replica_stop_receiver(struct sim *s, struct sim_server *v)
{
    disconnect(s, v, net_ok(s, v->index, v->source));
    v->receiver_on = false;
    v->ss_active = false;
}

void replica_start_receiver(struct sim *s, struct sim_server *v)
{
    if (!v->configured || v->receiver_on)
        return;
    v->left_alone = false;
    relay_purge_if_both_stopped(s, v);
    v->receiver_on = v->receiver_new = true;
    v->cannot_reach = false;
    v->receiver_errno = 0;
    v->ss_active = v->ss_replica;
    sim_at(s, s->now + 5 * STAY_MS, EV_RECONNECT, v->index, 0, v->life, 0);
}

void replica_change(struct sim *s, struct sim_server *v, uint32_t source)
{
    replica_stop_receiver(s, v);
    v->applier_on = v->left_alone = false;
    replica_purge_relay(s, v, s->setup.engine == ENGINE_MARIADB && source != SIM_NONE);
    v->cannot_reach = false;
    v->receiver_errno = v->applier_errno = 0;
    v->attached_by_us = v->attached_by_us && source != SIM_NONE;
    v->configured = source != SIM_NONE;
    v->source = source != SIM_NONE ? source : 0;
}

/* May `v` continue from what it holds on `source`? MariaDB: the source must know its last GTID.
 * MySQL: it must not hold more of the source's own GTIDs than the source. */
static bool position_known(const struct sim *s, const struct sim_server *v,
                           const struct sim_server *source)
{
    if (s->setup.engine == ENGINE_MYSQL)
        return v->max_have[source->index] <= source->max_have[source->index];
    uint32_t last = SIM_NONE;
    if (v->relay_n > v->relay_head)
        last = v->relay[v->relay_n - 1];
    else if (v->log_n > 0)
        last = v->log[v->log_n - 1];
    if (last == SIM_NONE)
        return true;
    if (s->tx[last].seq > source->max_have[s->tx[last].origin])
        return false;
    for (uint32_t i = source->log_n; i > 0; i--) /* strict mode: that very number, none around it */
        if (s->tx[source->log[i - 1]].seq <= s->tx[last].seq)
            return s->tx[source->log[i - 1]].seq == s->tx[last].seq &&
                   s->tx[source->log[i - 1]].origin == s->tx[last].origin;
    return false;
}

/* MySQL asks for all it lacks; MariaDB for what follows its last GTID. */
static uint32_t first_wanted(const struct sim *s, const struct sim_server *v,
                             const struct sim_server *source)
{
    uint32_t pos = 0;
    if (s->setup.engine == ENGINE_MYSQL) {
        while (pos < source->log_n &&
               (bit_get(v->have, source->log[pos]) || in_relay(v, source->log[pos])))
            pos++;
        return pos;
    }
    uint32_t last = v->domain_seq;
    if (v->relay_n > v->relay_head && s->tx[v->relay[v->relay_n - 1]].seq > last)
        last = s->tx[v->relay[v->relay_n - 1]].seq;
    while (pos < source->log_n && s->tx[source->log[pos]].seq <= last)
        pos++;
    return pos;
}

static void connect_stream(struct sim *s, struct sim_server *v, struct sim_server *source)
{
    if (v->attached_by_us)
        check_attach(s, v, source->index, "attach");
    v->attached_by_us = false;
    struct sim_dump *d = &source->dump[v->index];
    uint32_t gen = d->gen + 1;
    *d = (struct sim_dump){.open = true, .semisync = v->ss_active, .gen = gen};
    d->pos = first_wanted(s, v, source);
    d->sent_to = d->pos;
    v->connected = true;
    v->receiver_new = false;
    v->conn_gen = gen;
    v->last_rx = s->now;
    v->cannot_reach = false;
    v->receiver_errno = 0;
    if (v->relay_n == v->relay_head && s->setup.engine == ENGINE_MARIADB) {
        memset(v->claim_last, 0, sizeof v->claim_last); /* the lie ends with a new connection */
        v->claim_origin = v->last_origin;
        v->claim_last[v->last_origin] = v->max_have[v->last_origin];
    }
    sim_trace(s, "db%u receives from db%u%s", v->index + 1, source->index + 1,
              d->semisync ? ", acknowledging" : "");
    bool by_position = v->by_position;
    v->by_position = false;
    if (d->semisync && d->pos > 0 && (sim_percent(s, 50) || by_position))
        sim_at(s, s->now + net_delay(s, v->index, source->index), EV_ACK, source->index, v->index,
               gen, d->pos);
    server_ss_weakened(s, source, false);
    sim_at(s, s->now + HEARTBEAT_US, EV_HEARTBEAT, v->index, source->index, gen, 0);
    replica_pump(s, source, v->index);
}

static void on_reconnect(struct sim *s, const struct sim_event *e)
{
    struct sim_server *v = &s->server[e->a];
    if (v->life != e->gen || !v->up || !v->receiver_on || v->connected)
        return;
    struct sim_server *source = &s->server[v->source];
    if (v->frozen || !server_alive(source) || source->index == v->index ||
        !net_both(s, v->index, v->source)) {
        v->cannot_reach = true;
        sim_at(s, s->now + RETRY_US, EV_RECONNECT, e->a, 0, e->gen, 0);
        return;
    }
    if (!position_known(s, v, source)) {
        v->receiver_on = v->ss_active = false;
        v->receiver_errno = 1236;
        sim_trace(s, "db%u: receiver error 1236 from db%u", v->index + 1, source->index + 1);
        return;
    }
    connect_stream(s, v, source);
}

static void on_heartbeat(struct sim *s, const struct sim_event *e)
{
    struct sim_server *v = &s->server[e->a], *source = &s->server[e->b];
    if (!v->up || !v->connected || v->conn_gen != e->gen || v->source != e->b)
        return;
    if (server_alive(source) && net_ok(s, e->b, e->a) && source->dump[e->a].open &&
        source->dump[e->a].gen == e->gen) {
        if (!v->frozen) {
            v->heartbeats++;
            v->last_rx = s->now;
            replica_pump(s, source, e->a);
        }
    } else if (s->now - v->last_rx > NET_TIMEOUT_US && !v->frozen) {
        sim_trace(s, "db%u lost its source in silence", v->index + 1);
        disconnect(s, v, net_ok(s, e->a, e->b));
        sim_at(s, s->now + RETRY_US, EV_RECONNECT, e->a, 0, v->life, 0);
        return;
    }
    sim_at(s, s->now + HEARTBEAT_US, EV_HEARTBEAT, e->a, e->b, e->gen, 0);
}

static void on_receiver_eof(struct sim *s, const struct sim_event *e)
{
    struct sim_server *v = &s->server[e->a];
    if (!v->up || !v->connected || v->conn_gen != e->gen || v->source != e->b ||
        !net_ok(s, e->b, e->a))
        return; /* cut: silence ends it */
    if (v->frozen) {
        sim_at(s, s->now + 100 * STAY_MS, EV_RECEIVER_EOF, e->a, e->b, e->gen, 0);
        return;
    }
    v->connected = false;
    sim_at(s, s->now + RETRY_US, EV_RECONNECT, e->a, 0, v->life, 0);
}

static void on_dump_end(struct sim *s, const struct sim_event *e)
{
    struct sim_dump *d = &s->server[e->a].dump[e->b];
    if (!d->open || d->gen != e->gen)
        return;
    d->open = false;
    server_ss_weakened(s, &s->server[e->a], false);
}

/* KILL, of what is older than 2 s: its next connection would have ended it. */
void replica_end_stream(struct sim *s, struct sim_server *source, uint32_t rep)
{
    struct sim_dump *d = &source->dump[rep];
    const struct sim_server *v = &s->server[rep];
    bool lives = v->connected && v->source == source->index && v->conn_gen == d->gen;
    if (!d->open || lives)
        return;
    d->open = false;
    server_ss_weakened(s, source, false);
}

static void on_ss_timeout(struct sim *s, const struct sim_event *e)
{
    struct sim_server *v = &s->server[e->a];
    if (v->life != e->gen || !v->up || !v->ss_status)
        return;
    for (uint32_t i = 0; i < v->waiter_n; i++)
        if (v->waiters[i].tx == e->arg) {
            v->ss_status = false;
            v->no_times++;
            v->no_tx += v->waiter_n;
            server_ss_weakened(s, v, false);
            server_release_waiters(s, v, true);
            return;
        }
}

bool replica_event(struct sim *s, const struct sim_event *e)
{
    switch (e->kind) {
    case EV_PUMP: on_pump(s, e); return true;
    case EV_ACK: on_ack(s, e); return true;
    case EV_HEARTBEAT: on_heartbeat(s, e); return true;
    case EV_DUMP_END: on_dump_end(s, e); return true;
    case EV_RECEIVER_EOF: on_receiver_eof(s, e); return true;
    case EV_RECONNECT: on_reconnect(s, e); return true;
    case EV_SS_TIMEOUT: on_ss_timeout(s, e); return true;
    case EV_APPLY:
        if (s->server[e->a].life == e->gen && s->server[e->a].up)
            relay_apply(s, &s->server[e->a]);
        return true;
    case EV_START:
        if (s->server[e->a].life == e->gen)
            server_start(s, &s->server[e->a]);
        return true;
    }
    return false;
}

bool replica_holds_all(const struct sim_server *outer, const struct sim_server *inner)
{
    for (uint32_t i = 0; i < SIM_TX_WORDS; i++)
        if (inner->have[i] & ~outer->have[i])
            return false;
    return true;
}
