/* The controller's eyes: status probes with begin and end times, held sessions whose end is news at
 * once, the write canary. Pace follows what decide asks for. */
#include "tests/simulation/sim.h"

#define DEADLINE_US (1 * STAY_SECOND)
#define SLOW_EVERY_US (10 * STAY_SECOND)
#define CANARY_EVERY_US (1 * STAY_SECOND)

void probe_start(struct sim *s)
{
    struct sim_controller *c = &s->controller;
    for (uint32_t n = 0; n < s->setup.servers; n++) {
        struct sim_probe *p = &c->probes[n];
        p->flying = p->held = false;
        p->next_slow = s->now;
        p->gen++;
        p->next_at = s->now + 1 + (int64_t)n;
        sim_at(s, p->next_at, EV_PROBE, n, 0, p->gen, c->life);
    }
    c->canary_gen++;
    c->canary_flying = false;
    sim_at(s, s->now + 300 * STAY_MS, EV_CANARY, 0, 0, c->canary_gen, c->life);
}

static int64_t pace(const struct sim *s)
{
    return s->controller.decision->suspicion ? s->config.suspicion_interval_us
                                             : s->config.probe_interval_us;
}

static void observed(struct sim *s, const struct observation *obs)
{
    struct sim_controller *c = &s->controller;
    cluster_observe(c->view, obs);
    if (s->trace && obs->reach.outcome != OUT_OK)
        sim_trace(s, "  seen: db%u kind %d %s %s", obs->node + 1, (int)obs->kind,
                  obs_layer_text(obs->reach.layer), obs_outcome_text(obs->reach.outcome));
    controller_turn(s);
}

/* Ends the probe in flight at `at` with layer and outcome. */
static void end_probe(struct sim *s, uint32_t n, enum obs_layer layer, enum obs_outcome outcome,
                      int native, int64_t at)
{
    struct sim_probe *p = &s->controller.probes[n];
    p->obs.reach.layer = layer;
    p->obs.reach.outcome = outcome;
    p->obs.reach.native = native;
    sim_at(s, at, EV_PROBE_ANSWER, n, 0, p->gen, s->controller.life);
}

static void on_probe(struct sim *s, uint32_t n)
{
    struct sim_probe *p = &s->controller.probes[n];
    const struct sim_server *v = &s->server[n];
    if (p->flying)
        return;
    p->flying = true;
    p->gen++;
    p->begun = s->now;
    p->obs = (struct observation){.kind = OBS_REACH, .node = n, .begun_mono_us = s->now};
    if (!net_ok(s, SIM_HOST_CONTROLLER, n) || v->silent) {
        end_probe(s, n, p->held ? LAYER_QUERY : LAYER_CONNECT, OUT_TIMEOUT, 2013,
                  s->now + DEADLINE_US);
        return;
    }
    sim_at(s, s->now + net_delay(s, SIM_HOST_CONTROLLER, n), EV_PROBE_ARRIVE, n, 0, p->gen,
           s->controller.life);
}

static void on_arrive(struct sim *s, uint32_t n)
{
    struct sim_probe *p = &s->controller.probes[n];
    const struct sim_server *v = &s->server[n];
    int64_t back = s->now + net_delay(s, n, SIM_HOST_CONTROLLER);
    bool held = p->held && p->held_life == v->life;
    if (!net_ok(s, n, SIM_HOST_CONTROLLER) || v->silent) {
        end_probe(s, n, held ? LAYER_QUERY : LAYER_CONNECT, OUT_TIMEOUT, 2013,
                  p->begun + DEADLINE_US);
    } else if (!v->up) {
        end_probe(s, n, LAYER_CONNECT, OUT_REFUSED, 2003, back);
    } else if (v->frozen) {
        end_probe(s, n, held ? LAYER_QUERY : LAYER_GREETING, OUT_TIMEOUT, 2013,
                  p->begun + DEADLINE_US);
    } else if (v->denied) {
        end_probe(s, n, LAYER_LOGIN, OUT_DENIED, 1045, back);
    } else if (v->too_many && !held) {
        end_probe(s, n, LAYER_GREETING, OUT_TOO_MANY, 1040, back);
    } else {
        p->obs.groups = FACTS_STATUS;
        if (s->now >= p->next_slow) {
            p->obs.groups |= FACTS_SLOW | FACTS_START | FACTS_HOST;
            p->next_slow = s->now + SLOW_EVERY_US;
        }
        if (p->held_life != v->life)
            p->next_slow = s->now + 1; /* a new process: asked for the rest next */
        facts_read(s, v, &p->facts, p->obs.groups);
        p->obs.facts = &p->facts;
        p->read_at = s->now;
        p->held = true;
        p->held_life = v->life;
        end_probe(s, n, LAYER_QUERY, OUT_OK, 0, back);
    }
}

static void on_answer(struct sim *s, uint32_t n)
{
    struct sim_controller *c = &s->controller;
    struct sim_probe *p = &c->probes[n];
    p->flying = false;
    p->obs.taken_mono_us = s->now;
    if (p->obs.reach.outcome != OUT_OK && p->obs.reach.outcome != OUT_DENIED)
        p->held = false;
    if (p->obs.reach.outcome == OUT_OK)
        check_seen(s, n, p->held_life, p->read_at);
    if (p->obs.reach.outcome == OUT_OK && (p->obs.groups & FACTS_SLOW))
        s->server[n].told_at = p->read_at;
    observed(s, &p->obs);
    if (!controller_runs(s))
        return;
    int64_t next = p->begun + pace(s);
    p->next_at = next > s->now ? next : s->now + STAY_MS;
    sim_at(s, p->next_at, EV_PROBE, n, 0, ++p->gen, c->life);
}

void probe_session_lost(struct sim *s, uint32_t server)
{
    struct sim_controller *c = &s->controller;
    if (!c->up || !c->probes[server].held || !net_both(s, server, SIM_HOST_CONTROLLER))
        return;
    c->probes[server].held = false;
    sim_at(s, s->now + net_delay(s, server, SIM_HOST_CONTROLLER), EV_SESSION_END, server, 0,
           c->life, 0);
}

static void on_session_end(struct sim *s, uint32_t n)
{
    struct observation obs = {
        .kind = OBS_SESSION_END,
        .node = n,
        .begun_mono_us = s->now,
        .taken_mono_us = s->now,
        .reach = {.layer = LAYER_QUERY, .outcome = OUT_RESET, .native = 2013}};
    observed(s, &obs);
}

static void canary_end(struct sim *s, uint32_t node, enum obs_outcome outcome)
{
    struct sim_controller *c = &s->controller;
    c->canary_flying = false;
    struct observation obs = {.kind = OBS_CANARY,
                              .node = node,
                              .begun_mono_us = c->canary_begun,
                              .taken_mono_us = s->now,
                              .reach = {.layer = LAYER_WRITE, .outcome = outcome}};
    observed(s, &obs);
}

static bool canary_row_locked(const struct sim_server *v)
{
    for (uint32_t i = 0; i < v->waiter_n; i++)
        if (v->waiters[i].canary)
            return true;
    return false;
}

static void on_canary(struct sim *s)
{
    struct sim_controller *c = &s->controller;
    uint32_t n = c->view->primary;
    uint32_t gen = ++c->canary_gen;
    sim_at(s, s->now + CANARY_EVERY_US, EV_CANARY, 0, 0, gen, c->life);
    if (n == NO_NODE || !c->view->record.adopted)
        return;
    struct sim_server *v = &s->server[n];
    c->canary_begun = s->now;
    c->canary_flying = true;
    int64_t back = s->now + net_delay(s, n, SIM_HOST_CONTROLLER);
    if (!net_both(s, SIM_HOST_CONTROLLER, n) || !server_alive(v) || server_write_blocked(v) ||
        canary_row_locked(v)) {
        bool refused = net_both(s, SIM_HOST_CONTROLLER, n) && !v->up && !v->silent;
        sim_at(s, refused ? back : s->now + CANARY_EVERY_US - 1, EV_CANARY_ANSWER, n,
               refused ? OUT_REFUSED : OUT_TIMEOUT, gen, 0);
        return;
    }
    if (v->read_only || v->denied) {
        sim_at(s, back, EV_CANARY_ANSWER, n, v->denied ? OUT_DENIED : OUT_READ_ONLY, gen, 0);
        return;
    }
    uint32_t tx = tx_new(s, n, TX_CANARY, UINT16_MAX, s->now);
    if (tx == SIM_NONE)
        return;
    s->tx[tx].epoch = (uint32_t)c->view->record.epoch;
    struct sim_waiter who = {.client = UINT16_MAX, .canary = true, .op = gen};
    if (server_flush(s, v, tx, &who))
        sim_at(s, back, EV_CANARY_ANSWER, n, OUT_OK, gen, 0);
    else
        sim_at(s, s->now + CANARY_EVERY_US - 1, EV_CANARY_ANSWER, n, OUT_TIMEOUT, gen, 0);
}

bool probe_event(struct sim *s, const struct sim_event *e)
{
    struct sim_controller *c = &s->controller;
    if (e->kind < EV_PROBE || e->kind > EV_CANARY_ANSWER)
        return false;
    bool live = controller_runs(s) &&
                (e->kind == EV_SESSION_END ? e->gen == c->life
                                           : e->kind == EV_CANARY_ANSWER || e->arg == c->life);
    if (!live)
        return true;
    switch (e->kind) {
    case EV_PROBE:
        if (e->gen == c->probes[e->a].gen)
            on_probe(s, e->a);
        break;
    case EV_PROBE_ARRIVE:
        if (e->gen == c->probes[e->a].gen)
            on_arrive(s, e->a);
        break;
    case EV_PROBE_ANSWER:
        if (e->gen == c->probes[e->a].gen)
            on_answer(s, e->a);
        break;
    case EV_SESSION_END: on_session_end(s, e->a); break;
    case EV_CANARY:
        if (e->gen == c->canary_gen)
            on_canary(s);
        break;
    case EV_CANARY_ANSWER:
        if (e->gen == c->canary_gen && c->canary_flying)
            canary_end(s, e->a, (enum obs_outcome)e->b);
        break;
    }
    return true;
}
