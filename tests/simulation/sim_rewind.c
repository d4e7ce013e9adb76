/* A rewind in the model, as backup/rewind.h does it: a job on the controller's host that dies with
 * the controller and goes on while it is frozen. Rows and a mark in one transaction, then the GTID
 * state emptied, then set; a job that finds the mark begins behind it. */
#include "tests/simulation/sim_rewind.h"
#include "tests/simulation/sim_crash.h"

enum rewind_phase { REWIND_PREPARE = 0, REWIND_UNDO, REWIND_RESET, REWIND_SET };

static void later(struct sim *s, enum rewind_phase phase, int64_t low, int64_t high)
{
    struct sim_rewind *r = &s->rewind;
    sim_at(s, s->now + sim_span(s, low, high), EV_REWIND, (uint16_t)phase, 0, r->gen, 0);
}

static void begin(struct sim *s, const struct sim_effect *x)
{
    struct sim_rewind *r = &s->rewind;
    r->has = r->runs = true;
    r->good = r->lost = false;
    r->gen++;
    r->node = x->effect.node;
    r->life = s->controller.life;
    r->epoch = x->effect.epoch;
    r->effect = x->effect;
    r->effect.want = NULL;
    memset(r->known, 0, sizeof r->known);
    for (uint32_t tx = 0; tx < s->tx_n; tx++)
        if (facts_in_set(s, &x->want, tx))
            bit_set(r->known, tx);
    later(s, REWIND_PREPARE, 50 * STAY_MS, 300 * STAY_MS);
}

enum outcome rewind_look(struct sim *s, struct sim_effect *x)
{
    struct sim_rewind *r = &s->rewind;
    if (r->has && (r->epoch != x->effect.epoch || r->life != s->controller.life))
        r->has = r->runs = false;
    if (!r->has)
        begin(s, x);
    x->goes_on = r->runs;
    if (r->runs)
        return OUTCOME_NOT_DONE;
    r->has = false;
    return r->good ? OUTCOME_DONE : r->lost ? OUTCOME_UNKNOWN : OUTCOME_NOT_DONE;
}

void rewind_stop(struct sim *s, uint32_t node)
{
    if (s->rewind.has && s->rewind.node == node)
        s->rewind.has = s->rewind.runs = false;
}

bool rewind_is_half(const struct sim *s, const struct sim_server *v)
{
    return s->rewind.marked && s->rewind.marked_node == v->index;
}

void rewind_forget(struct sim *s, const struct sim_server *v)
{
    if (rewind_is_half(s, v))
        s->rewind.marked = false;
}

static void end(struct sim *s, struct sim_server *v, bool good)
{
    s->rewind.runs = false;
    s->rewind.good = good;
    if (good)
        v->super_ro = s->setup.engine == ENGINE_MYSQL;
}

static void undo(struct sim *s, struct sim_server *v)
{
    struct sim_rewind *r = &s->rewind;
    r->log_n = 0;
    for (uint32_t i = 0; i < v->log_n; i++)
        if (bit_get(r->known, v->log[i]))
            r->log[r->log_n++] = v->log[i];
    if (r->log_n == v->log_n) { /* nothing to undo */
        end(s, v, true);
        return;
    }
    sim_trace(s, "db%u has the rows of %u transactions put back", v->index + 1,
              v->log_n - r->log_n);
    r->marked = true;
    r->marked_node = v->index;
    crash_point_effect(s, &r->effect); /* the worst moment: rows without their GTIDs */
    later(s, REWIND_RESET, 20 * STAY_MS, 200 * STAY_MS);
}

static void set_log(struct sim *s, struct sim_server *v, bool empty)
{
    struct sim_rewind *r = &s->rewind;
    uint64_t commits = v->commits;
    v->log_n = empty ? 0 : r->log_n;
    memcpy(v->log, r->log, v->log_n * sizeof r->log[0]);
    server_recount(s, v);
    v->commits = commits;
    v->began_origin = v->last_origin; /* a new binary log */
    v->began_seq = v->domain_seq;
}

static void work(struct sim *s, struct sim_server *v, enum rewind_phase phase)
{
    switch (phase) {
    case REWIND_PREPARE:
        s->rewind.server_life = v->life;
        v->super_ro = v->super_ro && s->setup.engine == ENGINE_MARIADB;
        if (!v->read_only)
            end(s, v, false); /* it takes writes */
        else if (rewind_is_half(s, v))
            later(s, REWIND_RESET, 20 * STAY_MS, 200 * STAY_MS);
        else
            later(s, REWIND_UNDO, 200 * STAY_MS, 3 * STAY_SECOND);
        break;
    case REWIND_UNDO:
        undo(s, v);
        break;
    case REWIND_RESET:
        set_log(s, v, true);
        later(s, REWIND_SET, 5 * STAY_MS, 60 * STAY_MS);
        break;
    case REWIND_SET:
        set_log(s, v, false);
        v->errant_at = STAY_NEVER;
        rewind_forget(s, v);
        sim_trace(s, "db%u is rewound", v->index + 1);
        end(s, v, true);
        break;
    }
}

bool rewind_event(struct sim *s, const struct sim_event *e)
{
    struct sim_rewind *r = &s->rewind;
    if (e->kind != EV_REWIND)
        return false;
    if (!r->runs || e->gen != r->gen || !s->controller.up || r->life != s->controller.life)
        return true; /* killed */
    struct sim_server *v = &s->server[r->node];
    bool told = e->a == REWIND_PREPARE || v->life == r->server_life;
    if (!told || !server_alive(v) || v->denied || !net_both(s, SIM_HOST_CONTROLLER, r->node))
        s->rewind.lost = true, end(s, v, false);
    else
        work(s, v, (enum rewind_phase)e->a);
    return true;
}
