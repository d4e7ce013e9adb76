/* Clients: each writes unique rows, one at a time, and records ok, failed or unknown. Some go
 * through a proxy beside them, some keep a pool straight to a server and look for a writable one
 * themselves when theirs refuses. */
#include "tests/simulation/sim_stall.h"

#define OP_TIMEOUT_US (2500 * STAY_MS)

void client_start(struct sim *s)
{
    for (uint32_t c = 0; c < SIM_CLIENTS; c++) {
        struct sim_client *k = &s->client[c];
        *k = (struct sim_client){.proxy = c < 3 ? c % SIM_PROXIES : SIM_NONE,
                                 .host = SIM_HOST_APP + c % 2,
                                 .server = SIM_NONE,
                                 .last_ok = STAY_NEVER};
        sim_at(s, s->now + sim_span(s, 0, 100 * STAY_MS), EV_CLIENT, c, 0, 0, 0);
    }
}

static void next_write(struct sim *s, uint32_t c, bool soon)
{
    struct sim_client *k = &s->client[c];
    k->busy = false;
    k->op++;
    if (s->calibrates)
        return;
    k->refusals = soon ? k->refusals + 1 : 0;
    int64_t pause = soon
                        ? sim_span(s, 20 * STAY_MS, k->refusals > 8 ? 600 * STAY_MS : 120 * STAY_MS)
                        : sim_span(s, 30 * STAY_MS, 400 * STAY_MS);
    if (s->tx_n > SIM_TX - 600)
        pause += STAY_SECOND;
    sim_at(s, s->now + pause, EV_CLIENT, c, 0, k->op, 0);
}

void client_session_lost(struct sim *s, uint32_t client, uint32_t server)
{
    struct sim_client *k = &s->client[client];
    uint32_t op = k->op;
    k->server = SIM_NONE;
    if (k->busy) /* in order: an answer sent before the end arrives before it */
        sim_at(s, s->now + STAY_MS + 2 * net_delay(s, server, k->host), EV_REPLY, client, OUT_RESET,
               op, 0);
}

/* A session to where this client would write now; SIM_NONE: nowhere. */
static uint32_t find_server(struct sim *s, struct sim_client *k)
{
    if (k->proxy != SIM_NONE) {
        const struct sim_proxy *p = &s->proxy[k->proxy];
        uint32_t to = p->up ? p->target : SIM_NONE;
        if (to == SIM_NONE || !net_both(s, k->host, to))
            return SIM_NONE;
        return to;
    }
    uint32_t to = k->try_next++ % s->setup.servers;
    return net_both(s, k->host, to) ? to : SIM_NONE;
}

static void on_client(struct sim *s, uint32_t c, uint32_t op)
{
    struct sim_client *k = &s->client[c];
    if (op != k->op || k->busy)
        return;
    if (k->server == SIM_NONE) {
        uint32_t to = find_server(s, k);
        if (to == SIM_NONE || !s->server[to].up || s->server[to].offline ||
            s->server[to].too_many) {
            k->fail++;
            next_write(s, c, true);
            return;
        }
        k->server = to;
        k->life = s->server[to].life;
    }
    k->busy = true;
    k->begun = s->now;
    sim_at(s, s->now + OP_TIMEOUT_US, EV_CLIENT_TIMEOUT, c, 0, k->op, 0);
    if (net_ok(s, k->host, k->server))
        sim_at(s, s->now + net_delay(s, k->host, k->server), EV_WRITE, c, k->server, k->op,
               k->life);
}

static void on_write(struct sim *s, const struct sim_event *e)
{
    struct sim_server *v = &s->server[e->b];
    struct sim_client *k = &s->client[e->a];
    if (!v->up || v->life != e->arg || (k->server != e->b && !v->frozen))
        return; /* the session is gone */
    if (v->frozen) { /* the kernel keeps it until the process goes on */
        sim_at(s, s->now + 100 * STAY_MS, EV_WRITE, e->a, e->b, e->gen, e->arg);
        return;
    }
    if (v->read_only || v->super_ro || v->offline) {
        client_reply(s, e->a, e->gen, e->b, 0, OUT_READ_ONLY);
        return;
    }
    if ((!v->closes && stall_takes(s, v, e->a, e->gen)) || server_write_blocked(v))
        return;
    uint32_t tx = tx_new(s, e->b, TX_CLIENT, e->a, k->begun);
    if (tx == SIM_NONE)
        return;
    struct sim_waiter who = {.client = e->a, .op = e->gen};
    if (k->op != e->gen)
        who.client = UINT16_MAX; /* it has given up; the server does not know */
    if (server_flush(s, v, tx, &who))
        client_reply(s, e->a, e->gen, e->b, tx, OUT_OK);
}

void client_reply(struct sim *s, uint32_t client, uint32_t op, uint32_t server, uint32_t tx,
                  enum obs_outcome outcome)
{
    uint32_t host = s->client[client].host;
    if (net_ok(s, server, host))
        sim_at(s, s->now + net_delay(s, server, host), EV_REPLY, client, outcome, op,
               tx | server << 16);
}

static void on_reply(struct sim *s, const struct sim_event *e)
{
    struct sim_client *k = &s->client[e->a];
    if (!k->busy || k->op != e->gen)
        return;
    uint32_t server = e->arg >> 16;
    switch (e->b) {
    case OUT_OK:
        k->ok++;
        k->last_ok = s->now;
        s->stats->acked++;
        check_ack(s, e->arg & 0xffff, server);
        break;
    case OUT_READ_ONLY:
        k->fail++;
        s->stats->failed++;
        k->server = SIM_NONE;
        break;
    default:
        k->unknown++;
        s->stats->unknown++;
        k->server = SIM_NONE;
        break;
    }
    next_write(s, e->a, e->b != OUT_OK);
}

bool client_event(struct sim *s, const struct sim_event *e)
{
    switch (e->kind) {
    case EV_CLIENT: on_client(s, e->a, e->gen); return true;
    case EV_WRITE: on_write(s, e); return true;
    case EV_REPLY: on_reply(s, e); return true;
    case EV_CLIENT_TIMEOUT:
        if (s->client[e->a].busy && s->client[e->a].op == e->gen) {
            s->client[e->a].unknown++;
            s->stats->unknown++;
            s->client[e->a].server = SIM_NONE;
            next_write(s, e->a, true);
        }
        return true;
    }
    return false;
}
