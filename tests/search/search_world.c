/* The world of a search: the simulator's, without chance, and the events that the search places in
 * it. A tick runs the simulator's own queue in order; every other event changes the world at once.
 */
#include "tests/search/search.h"

#define SETTLE_US      (40 * STAY_SECOND) /* ages at the root are old ones */
#define DATA_WITHIN_US (20 * STAY_MS)
#define RESTART_US     (300 * STAY_MS) /* a process is not up again sooner */
#define WRITES_MAX     2

struct world *world_new(struct sim_stats *stats, const struct search_options *o)
{
    struct world *w = stay_calloc(1, sizeof *w);
    struct sim *s = w->s = sim_new(stats);
    sim_reset(s, 1);
    s->random = (struct random){{0}};
    s->mutant = o->mutant;
    s->setup.mode_bounded = o->bounded;
    sim_build(s, o->engine, o->layout);
    s->config.cooldown_us = 5 * STAY_SECOND;
    for (uint32_t c = 0; c < SIM_CLIENTS; c++)
        s->client[c] = (struct sim_client){.host = SIM_HOST_APP + c % 2,
                                           .proxy = SIM_NONE,
                                           .server = SIM_NONE,
                                           .last_ok = STAY_NEVER};
    s->calibrates = true;
    sim_at(s, s->now, EV_CONTROLLER_START, 0, 0, 0, 0);
    sim_until(s, s->now + SETTLE_US);
    memory_leave_out(&s->controller.view->nodes[s->setup.servers],
                     (NODES_MAX - s->setup.servers) * sizeof s->controller.view->nodes[0]);
    return w;
}

/* When the next row, acknowledgement or answer under way arrives; STAY_NEVER: none soon. */
static int64_t data_at(const struct sim *s)
{
    int64_t at = INT64_MAX;
    for (uint32_t i = 0; i < s->event_n; i++) {
        uint16_t k = s->events[i].kind;
        if ((k == EV_PUMP || k == EV_ACK || k == EV_APPLY || k == EV_REPLY) && s->events[i].at < at)
            at = s->events[i].at;
    }
    return at <= s->now + DATA_WITHIN_US ? at : STAY_NEVER;
}

static uint32_t free_client(const struct sim *s)
{
    uint32_t busy = 0, free = SIM_NONE;
    for (uint32_t c = 0; c < SIM_CLIENTS; c++)
        if (s->client[c].busy)
            busy++;
        else if (free == SIM_NONE)
            free = c;
    return busy < WRITES_MAX ? free : SIM_NONE;
}

static void write_on(struct sim *s, uint32_t node)
{
    uint32_t c = free_client(s);
    struct sim_client *k = &s->client[c];
    k->server = node;
    k->life = s->server[node].life;
    k->busy = true;
    k->begun = s->now;
    sim_at(s, s->now + 100, EV_WRITE, c, node, k->op, k->life);
    sim_until(s, s->now + 100);
}

static void errant_on(struct sim *s, struct sim_server *v)
{
    uint32_t tx = tx_new(s, v->index, TX_ERRANT, UINT16_MAX, s->now);
    struct sim_waiter who = {.client = UINT16_MAX};
    if (tx == SIM_NONE)
        return;
    (void)server_flush(s, v, tx, &who);
    if (v->errant_at == STAY_NEVER)
        v->errant_at = s->now;
}

static void block_cut(struct world *w, uint32_t n, int step)
{
    struct sim *s = w->s;
    uint32_t peer = w->cut[n].peer;
    switch (w->cut[n].kind) {
    case SEARCH_CUT:
        for (uint32_t h = 0; h < SIM_HOSTS; h++)
            if (h != n) {
                net_block(s, n, h, step);
                net_block(s, h, n, step);
            }
        break;
    case SEARCH_CUT_ACKS:
        net_block(s, n, peer, step);
        break;
    default:
        net_block(s, n, peer, step);
        net_block(s, peer, n, step);
        break;
    }
}

static void begin_cut(struct world *w, uint32_t n, enum search_event_kind kind)
{
    w->cut[n].kind = (uint8_t)kind;
    w->cut[n].peer = (uint8_t)(kind == SEARCH_CUT_CONTROLLER ? SIM_HOST_CONTROLLER : w->s->line);
    block_cut(w, n, 1);
}

static void end_cut(struct world *w, uint32_t n)
{
    block_cut(w, n, -1);
    w->cut[n].kind = 0;
    net_healed(w->s);
}

static void set_paused(struct sim *s, struct cluster_record *r)
{
    (void)s;
    r->paused = true;
}

static void set_resumed(struct sim *s, struct cluster_record *r)
{
    (void)s;
    r->paused = false;
}

static void stop_server(struct world *w, struct sim_server *v, bool orderly)
{
    server_kill(w->s, v, orderly, false);
    w->down_at[v->index] = w->s->now;
}

/* What the engine had flushed in its last second is there again or is not. */
static void start_server(struct world *w, struct sim_server *v, bool loses)
{
    struct sim *s = w->s;
    int64_t at = w->down_at[v->index] + RESTART_US;
    v->killed_at = w->down_at[v->index] + (loses ? -STAY_SECOND : STAY_SECOND);
    w->starts[v->index] = v->life;
    if (at <= s->now)
        server_start(s, v);
    else
        sim_at(s, at, EV_START, v->index, 0, v->life, 0);
}

static void start_receiver(struct sim *s, struct sim_server *v)
{
    if (v->frozen_by_us) {
        v->operator_started = true;
        v->operator_started_at = s->now;
    } else {
        v->hand_at = s->now;
    }
    replica_start_receiver(s, v);
}

static void do_server(struct world *w, const struct search_step *step)
{
    struct sim *s = w->s;
    struct sim_server *v = &s->server[step->node];
    switch ((int)step->kind) {
    case SEARCH_WRITE:
        write_on(s, step->node);
        break;
    case SEARCH_KILL:
        stop_server(w, v, false);
        break;
    case SEARCH_STOP:
        stop_server(w, v, true);
        break;
    case SEARCH_START:
        start_server(w, v, false);
        break;
    case SEARCH_START_SHORT:
        start_server(w, v, true);
        break;
    case SEARCH_FREEZE:
        server_freeze(s, v);
        break;
    case SEARCH_THAW:
        server_thaw(s, v);
        break;
    case SEARCH_CUT:
    case SEARCH_CUT_CONTROLLER:
    case SEARCH_CUT_SOURCE:
    case SEARCH_CUT_ACKS:
        begin_cut(w, step->node, (enum search_event_kind)step->kind);
        break;
    case SEARCH_HEAL:
        end_cut(w, step->node);
        break;
    case SEARCH_LOCK:
        v->stuck_until = INT64_MAX / 2;
        break;
    case SEARCH_UNLOCK:
        v->stuck_until = 0;
        v->apply_pending = false;
        replica_apply_kick(s, v);
        break;
    case SEARCH_RECEIVER_ON:
        start_receiver(s, v);
        break;
    case SEARCH_RECEIVER_OFF:
        replica_stop_receiver(s, v);
        break;
    case SEARCH_ERRANT:
        errant_on(s, v);
        break;
    case SEARCH_OWN_ZONE:
        v->ss_replica = v->st_ss_replica = true;
        v->hand_at = s->now;
        replica_stop_receiver(s, v);
        replica_start_receiver(s, v);
        break;
    case SEARCH_SEMISYNC_OFF:
        server_ss_set(s, v, false, false);
        break;
    default:
        break;
    }
}

static void do_ours(struct sim *s, enum search_event_kind kind)
{
    switch ((int)kind) {
    case SEARCH_DATA:
        sim_until(s, data_at(s));
        break;
    case SEARCH_SWITCHOVER:
        fault_order(s, PLAN_SWITCHOVER, false);
        break;
    case SEARCH_FORCE:
        fault_order(s, PLAN_FAILOVER, true);
        break;
    case SEARCH_PAUSE:
        store_operator(s, set_paused);
        break;
    case SEARCH_RESUME:
        store_operator(s, set_resumed);
        break;
    case SEARCH_STORE_DOWN:
        s->store.down = true;
        break;
    case SEARCH_STORE_UP:
        s->store.down = false;
        if (s->controller.up)
            s->controller.view->store_ok = true;
        break;
    case SEARCH_CONTROLLER_FREEZE:
        controller_freeze(s, 1500 * STAY_MS);
        break;
    default:
        break;
    }
}

static bool may_server(struct world *w, enum search_event_kind kind, uint32_t n)
{
    struct sim *s = w->s;
    const struct sim_server *v = &s->server[n];
    bool primary = n == s->line, replica = !primary && v->configured;
    switch ((int)kind) {
    case SEARCH_WRITE:
        return server_alive(v) && !v->read_only && !v->super_ro && !v->offline &&
               free_client(s) != SIM_NONE && net_both(s, SIM_HOST_APP, n);
    case SEARCH_KILL:
        return v->up;
    case SEARCH_STOP:
        return server_alive(v) && primary;
    case SEARCH_START:
        return !v->up && w->starts[n] != v->life;
    case SEARCH_START_SHORT:
        return !v->up && w->starts[n] != v->life && s->setup.engine == ENGINE_MARIADB &&
               v->st_role_replica && !v->stopped_clean;
    case SEARCH_FREEZE:
        return server_alive(v);
    case SEARCH_THAW:
        return v->up && v->frozen;
    case SEARCH_CUT:
    case SEARCH_CUT_CONTROLLER:
        return w->cut[n].kind == 0;
    case SEARCH_CUT_SOURCE:
    case SEARCH_CUT_ACKS:
        return w->cut[n].kind == 0 && replica;
    case SEARCH_HEAL:
        return w->cut[n].kind != 0;
    case SEARCH_LOCK:
        return v->up && replica && v->stuck_until == 0;
    case SEARCH_UNLOCK:
        return v->stuck_until != 0;
    case SEARCH_RECEIVER_ON:
        return server_alive(v) && v->configured && !v->receiver_on;
    case SEARCH_RECEIVER_OFF:
        return server_alive(v) && v->receiver_on;
    case SEARCH_ERRANT:
        return server_alive(v) && !primary && !v->ss_source;
    case SEARCH_OWN_ZONE:
        return server_alive(v) && replica && v->receiver_on && !v->ss_replica &&
               strcmp(s->zone[n], s->zone[s->line]) == 0;
    case SEARCH_SEMISYNC_OFF:
        return server_alive(v) && primary && v->ss_source;
    default:
        return false;
    }
}

bool world_may(struct world *w, const struct search_step *step)
{
    struct sim *s = w->s;
    bool runs = controller_runs(s), idle = runs && !executor_is_busy(s->controller.exec);
    switch ((int)step->kind) {
    case SEARCH_TICK:
        return true;
    case SEARCH_DATA:
        return data_at(s) != STAY_NEVER;
    case SEARCH_SWITCHOVER:
    case SEARCH_FORCE:
        return idle;
    case SEARCH_PAUSE:
        return runs && !s->store.down && !s->store.record.paused;
    case SEARCH_RESUME:
        return runs && !s->store.down && s->store.record.paused;
    case SEARCH_STORE_DOWN:
        return !s->store.down;
    case SEARCH_STORE_UP:
        return s->store.down;
    case SEARCH_CONTROLLER_FREEZE:
        return runs;
    default:
        return may_server(w, (enum search_event_kind)step->kind, step->node);
    }
}

void world_do(struct world *w, const struct search_step *step, enum boundary *boundaries,
              uint32_t *ret_count)
{
    struct sim *s = w->s;
    if (s->trace) {
        char text[64];
        step_text(step, text, sizeof text);
        sim_trace(s, "EVENT %s", text);
    }
    if (step->kind == SEARCH_TICK) {
        world_tick(w, step, boundaries, ret_count);
        return;
    }
    if (search_event_has_node((enum search_event_kind)step->kind))
        do_server(w, step);
    else
        do_ours(s, (enum search_event_kind)step->kind);
    if (s->controller.dying)
        controller_kill(s);
    check_event(s);
}

static void clients_go_on(struct sim *s)
{
    s->calibrates = false;
    for (uint32_t c = 0; c < 2; c++) {
        struct sim_client *k = &s->client[c];
        k->proxy = c == 0 ? 0 : SIM_NONE;
        k->busy = false;
        k->server = SIM_NONE;
        k->op++;
        sim_at(s, s->now, EV_CLIENT, c, 0, k->op, 0);
    }
}

void world_heal(struct world *w, uint64_t seed)
{
    struct sim *s = w->s;
    random_init(&s->random, seed);
    for (uint32_t n = 0; n < s->setup.servers; n++)
        if (w->cut[n].kind)
            end_cut(w, n);
    if (s->store.down)
        do_ours(s, SEARCH_STORE_UP);
    clients_go_on(s);
    fault_heal(s);
    sim_at(s, s->now + 3 * STAY_SECOND, EV_JUDGE, 0, 0, 0, 0);
    sim_until(s, s->now + 600 * STAY_SECOND);
    if (!s->stopped)
        sim_violate(s, INV_MODEL, "the world came to a stop");
}
