/* A tick: the simulator's own queue in order, up to the next change of a server or of the record,
 * and what may befall it at the boundaries of the plan that runs in it. */
#include "tests/search/search.h"

#define TICK_US     (2500 * STAY_MS)
#define DIE_LATE_US (1200 * STAY_MS)
#define LATE_BY_US  (100 * STAY_MS)

/* Commands that change a server; the others read, wait, or write a row of ours. */
static bool changes_server(enum step_kind step)
{
    return step_kind_class(step) == CLASS_NODE && effect_changes(step) && step != STEP_CANARY;
}

static struct sim_effect *live_effect(struct sim *s, const struct sim_event *e)
{
    struct sim_effect *x = &s->effect[e->a];
    bool live = x->used && x->gen == e->gen && controller_runs(s) &&
                x->life == s->controller.life && x->phase != UINT32_MAX && !x->answered;
    return live ? x : NULL;
}

static enum boundary boundary_of(struct sim *s, const struct sim_event *e)
{
    const struct sim_effect *x;
    switch (e->kind) {
    case EV_EFFECT:
        x = live_effect(s, e);
        return x && !x->sent && x->phase == 0 ? BOUNDARY_COMMAND : BOUNDARY_NONE;
    case EV_EFFECT_ANSWER:
        return s->effect[e->a].used && s->effect[e->a].gen == e->gen && controller_runs(s) &&
                       s->effect[e->a].life == s->controller.life && !s->effect[e->a].answered
                   ? BOUNDARY_ANSWER
                   : BOUNDARY_NONE;
    case EV_SAVE:
    case EV_SAVED:
        if (!s->save[e->a].used || s->save[e->a].life != e->gen || !s->save[e->a].has_run ||
            !controller_runs(s) || e->gen != s->controller.life)
            return BOUNDARY_NONE;
        return e->kind == EV_SAVE ? BOUNDARY_SAVE : BOUNDARY_SAVED;
    default:
        return BOUNDARY_NONE;
    }
}

/* Where a tick ends: before a plan's next kind of change of servers, and before a save that changes
 * the record. 0: not here. */
static uint64_t stop_of(struct sim *s, const struct sim_event *e, enum boundary b)
{
    const struct plan_run *run = executor_run(s->controller.exec);
    uint64_t key = 0;
    if (b == BOUNDARY_COMMAND && changes_server(s->effect[e->a].effect.step))
        key = 1 + (uint64_t)s->effect[e->a].effect.step;
    else if (b == BOUNDARY_SAVE && s->save[e->a].has_record)
        key = 1000 + (run ? run->row : 0);
    return key == 0 || !run ? 0 : key + run->epoch * 100000 + (uint64_t)run->state * 10000;
}

/* The command is in the socket of a server that stands still or cannot be reached; it is executed
 * when that is over, whoever has given it up by then. */
static void send_late(struct sim *s, struct sim_effect *x)
{
    for (uint32_t i = 0; i < SIM_EFFECTS; i++) {
        struct sim_effect *g = &s->effect[i];
        if (g->used)
            continue;
        struct gtid_set want = g->want;
        struct server_facts *facts = g->facts;
        *g = *x;
        g->want = want;
        g->facts = facts;
        gtid_set_copy(&g->want, &x->want);
        g->effect.want = &g->want;
        g->gen = s->effect_gen += 2 - s->effect_gen % 2; /* even: the socket keeps it */
        g->life = 0;
        g->sent = true;
        g->left_at = s->now;
        g->server_life = s->server[g->effect.node].life;
        sim_at(s, s->now + LATE_BY_US, EV_EFFECT, i, 0, g->gen, 0);
        x->sent = true;
        x->left_at = s->now;
        x->phase = UINT32_MAX; /* its deadline says what becomes of it */
        return;
    }
    sim_violate(s, INV_MODEL, "no room for a late command");
}

static void handle_next(struct sim *s)
{
    struct sim_event e;
    if (sim_next(s, &e))
        sim_handle(s, &e);
}

/* True: the tick ends with it. */
static bool interrupt(struct sim *s, enum search_interrupt what)
{
    struct sim_event e = s->events[0];
    s->now = e.at;
    sim_trace(s, "INTERRUPT %s", search_interrupt_word(what));
    switch (what) {
    case INTERRUPT_DIE:
        controller_kill(s);
        return true;
    case INTERRUPT_DIE_LATE: {
        struct sim_effect *x = &s->effect[e.a];
        (void)sim_next(s, &e);
        x->sent = true;
        x->left_at = s->now;
        x->server_life = s->server[x->effect.node].life;
        sim_at(s, s->now + DIE_LATE_US, EV_EFFECT, e.a, 0, e.gen, 0);
        controller_kill(s);
        return true;
    }
    case INTERRUPT_STUCK:
        (void)sim_next(s, &e);
        sim_at(s, s->now + plan_step_validity_us(s->effect[e.a].effect.step) + LATE_BY_US,
               EV_EFFECT, e.a, 0, e.gen, 0);
        return false;
    case INTERRUPT_LATE:
        (void)sim_next(s, &e);
        send_late(s, &s->effect[e.a]);
        return false;
    case INTERRUPT_FAIL:
        s->setup.fail_ppm = 1000000;
        handle_next(s);
        s->setup.fail_ppm = 0;
        return false;
    case INTERRUPT_LOST:
        s->effect[e.a].phase = UINT32_MAX;
        (void)sim_next(s, &e);
        return false;
    case INTERRUPT_SAVE_LOST:
        s->store.unknown_ppm = 1000000;
        s->random.state[1] = 1;
        handle_next(s);
        s->random.state[1] = 0;
        s->store.unknown_ppm = 0;
        return false;
    case INTERRUPT_NONE:
    case INTERRUPT_COUNT:
        break;
    }
    return false;
}

/* What may befall a command depends on where it goes. */
static enum boundary shown(const struct sim *s, enum boundary b, const struct sim_effect *x)
{
    if (b != BOUNDARY_COMMAND)
        return b;
    if (!changes_server(x->effect.step))
        return BOUNDARY_OTHER;
    uint32_t n = x->effect.node;
    bool waits = s->server[n].up && (s->server[n].frozen || !net_ok(s, SIM_HOST_CONTROLLER, n));
    return waits ? BOUNDARY_COMMAND_HELD : BOUNDARY_COMMAND;
}

void world_tick(struct world *w, const struct search_step *step, enum boundary *boundaries,
                uint32_t *ret_count)
{
    struct sim *s = w->s;
    int64_t until = s->now + TICK_US;
    uint32_t n = 0;
    if (ret_count)
        *ret_count = 0;
    while (!s->stopped && s->event_n > 0 && s->events[0].at <= until) {
        enum boundary b = boundary_of(s, &s->events[0]);
        uint64_t stop = b != BOUNDARY_NONE ? stop_of(s, &s->events[0], b) : 0;
        if (stop != 0 && stop != w->stopped_at) {
            w->stopped_at = stop;
            return;
        }
        if (b != BOUNDARY_NONE) {
            if (step->interrupt != INTERRUPT_NONE && step->at == n) {
                n++;
                if (interrupt(s, (enum search_interrupt)step->interrupt))
                    return;
                continue;
            }
            if (boundaries && n < BOUNDARIES_MAX) {
                boundaries[n] = shown(s, b, &s->effect[s->events[0].a]);
                *ret_count = n + 1;
            }
            n++;
        }
        handle_next(s);
    }
    if (!s->stopped && s->now < until)
        s->now = until;
}
