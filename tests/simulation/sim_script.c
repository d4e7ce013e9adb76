/* Sequences of faults that lead to what single ones rarely meet: ackers that come back while
 * the primary dies, one that dies again while it is taken back, an orderly shutdown with waiters,
 * a mode that falls and is restored. */
#include "tests/simulation/sim.h"

/* What the barrier is for: the primary dies when lossless is recorded, its ackers lag. */
bool fault_at_restore(const struct sim *s)
{
    return s->setup.script_degrade && (s->setup.faults >> FAULT_AIMED & 1) &&
           (s->setup.aim_step == STEP_STORE_MODE || s->setup.aim_step == STEP_BARRIER);
}

static void place(struct sim *s, enum sim_fault fault, uint32_t x, uint32_t y, int64_t begun,
                  int64_t until)
{
    if (s->fault_n >= STAY_COUNT(s->fault))
        return;
    s->fault[s->fault_n] = (struct sim_fault_run){
        .fault = fault, .x = x, .y = y, .begun = begun, .until = until, .placed = true};
    sim_at(s, begun, EV_FAULT, s->fault_n++, 0, 0, 0);
}

/* One in 12 of the lives that no other sequence is drawn for. */
void fault_draw_script(struct sim *s)
{
    struct random own;
    struct sim_setup *u = &s->setup;
    static const enum step_kind steps[] = {STEP_DRAIN,     STEP_DRAIN,       STEP_CERTIFY,
                                           STEP_DETACH,    STEP_SOURCE_ON,   STEP_ATTACH,
                                           STEP_DETACH,    STEP_WAIT_ACKERS, STEP_VERIFY_FREEZE,
                                           STEP_WRITABLE,  STEP_CANARY,      STEP_COMMIT,
                                           STEP_WRITABLE,  STEP_WRITABLE};
    random_init(&own, u->seed ^ UINT64_C(0x736372697074));
    uint64_t drawn = random_below(&own, 12 * (SCRIPT_COUNT - 1));
    if (u->plain || u->quiet || u->adopt_first || u->mode_bounded || u->script_shutdown ||
        u->script_top_up || u->script_degrade || u->script_returner || drawn + 1 >= SCRIPT_COUNT)
        return;
    u->script = (enum sim_script)(drawn + 1);
    u->script_step = steps[random_below(&own, STAY_COUNT(steps))];
    u->faults = 0;
    /* The weaker mode needs no proof that could stop the second promotion. */
    u->mode_bounded = u->script == SCRIPT_LOST_WORD && random_below(&own, 2) == 0;
    u->lane_ppm = u->fail_ppm = 0;
}

void fault_build_script(struct sim *s)
{
    static const enum engine engines[] = {
#define X(id, engine, layout) engine,
        SIM_SCRIPTS(X)
#undef X
    };
    static const enum sim_layout layouts[] = {
#define X(id, engine, layout) layout,
        SIM_SCRIPTS(X)
#undef X
    };
    struct sim_setup *u = &s->setup;
    u->engine = engines[u->script] == ENGINE_COUNT ? u->engine : engines[u->script];
    u->layout = layouts[u->script] == LAYOUT_COUNT ? u->layout : layouts[u->script];
}

static void lag(struct sim *s, int64_t until)
{
    for (uint32_t n = 1; n < s->setup.servers; n++)
        s->server[n].stuck_until = until;
}

static void cut_from_managers(struct sim *s, int64_t from, int64_t until)
{
    place(s, FAULT_CUT_CONTROLLER, 0, 0, from, until);
    for (uint32_t n = 1; n < s->setup.servers; n++)
        place(s, FAULT_CUT_REPLICA, 0, n, from, until);
}

/* An acker restarts while what it acknowledged is not executed, and cannot fetch it again; the
 * primary dies before anybody else has it, and sometimes the controller that saw it restart. */
static void restart_before(struct sim *s, int64_t t)
{
    int64_t back = t + sim_span(s, 50 * STAY_MS, 500 * STAY_MS);
    int64_t dies = back + sim_span(s, STAY_SECOND, 3500 * STAY_MS);
    place(s, FAULT_STUCK_APPLIER, 1, 0, t - sim_span(s, 0, 600 * STAY_MS), t);
    place(s, FAULT_KILL, 1, 0, t, back);
    sim_at(s, back, EV_START, 1, 0, s->server[1].life + 1, 0);
    place(s, FAULT_CUT_REPLICA, 0, 1, t, s->setup.fault_until);
    place(s, FAULT_KILL, 0, 0, dies, s->setup.fault_until);
    if (sim_percent(s, 50))
        place(s, FAULT_CONTROLLER_KILL, 0, 0, dies - sim_span(s, 0, 200 * STAY_MS), dies);
}

/* A replica that could not reach the primary has left A; both are cut off from what the controller
 * sees when they meet again. */
static void left_acker(struct sim *s, int64_t t)
{
    int64_t cut = t + sim_span(s, 4 * STAY_SECOND, 6 * STAY_SECOND);
    place(s, FAULT_CUT_REPLICA, 0, 2, t, cut + sim_span(s, 2 * STAY_SECOND, 3 * STAY_SECOND));
    place(s, FAULT_CUT_CONTROLLER, 0, 0, cut, s->setup.fault_until);
    place(s, FAULT_CUT_REPLICA, 0, 1, cut, s->setup.fault_until);
    place(s, FAULT_SLOW_LINK, SIM_HOST_CONTROLLER, 2, cut + STAY_SECOND, s->setup.fault_until);
}

/* Semi-sync goes off and on again while no acker is connected, which its status flag does not show;
 * then the primary dies. */
static void toggle(struct sim *s, int64_t t)
{
    int64_t dies = t + sim_span(s, 1500 * STAY_MS, 4 * STAY_SECOND);
    for (uint32_t n = 1; n < s->setup.servers; n++)
        place(s, FAULT_CUT_REPLICA, 0, n, t, dies + STAY_SECOND);
    place(s, FAULT_SS_TOGGLE, 0, 0, t + 100 * STAY_MS,
          t + 100 * STAY_MS + sim_span(s, 50 * STAY_MS, 900 * STAY_MS));
    place(s, FAULT_KILL, 0, 0, dies, s->setup.fault_until);
}

/* What no acker confirmed is on a replica of the primary's own zone, which is away while the
 * primary restarts without it and is opened again. */
static void numbers_again(struct sim *s, int64_t t)
{
    int64_t dies = t + sim_span(s, 1100 * STAY_MS, 1800 * STAY_MS); /* all but it is durable */
    int64_t back = dies + sim_span(s, 10 * STAY_MS, 250 * STAY_MS);
    place(s, FAULT_CUT_REPLICA, 0, 1, t, back);
    place(s, FAULT_CUT_NODE, 2, 0, dies - 5 * STAY_MS,
          back + sim_span(s, STAY_SECOND, 8 * STAY_SECOND));
    place(s, FAULT_KILL, 0, 0, dies, back);
    sim_at(s, back, EV_START, 0, 0, s->server[0].life + 1, 0);
}

/* What was received goes with the relay log: both threads are stopped and started by hand while the
 * primary cannot be reached. */
static void purged(struct sim *s, int64_t t)
{
    uint32_t n = 1 + sim_draw(s, s->setup.servers - 1);
    int64_t cut = t + sim_span(s, 300 * STAY_MS, 900 * STAY_MS);
    int64_t again = cut + sim_span(s, 50 * STAY_MS, 300 * STAY_MS);
    place(s, FAULT_APPLIER_STOPPED, n, 0, t, again + sim_span(s, 10 * STAY_MS, STAY_SECOND));
    place(s, FAULT_CUT_REPLICA, 0, n, cut, s->setup.fault_until);
    place(s, FAULT_REPLICA_STOPPED, n, 0, cut + 10 * STAY_MS, again);
    place(s, FAULT_KILL, 0, 0, again + sim_span(s, 0, STAY_SECOND), s->setup.fault_until);
}

static void script_life(struct sim *s, int64_t t)
{
    switch (s->setup.script) {
    case SCRIPT_NONE:
        break;
    case SCRIPT_RESTART_IN_PLAN:
        lag(s, t + sim_span(s, 0, 4 * STAY_SECOND));
        place(s, FAULT_KILL, 0, 0, t, s->setup.fault_until);
        break;
    case SCRIPT_RESTART_BEFORE: restart_before(s, t); break;
    case SCRIPT_LEFT_ACKER: left_acker(s, t); break;
    case SCRIPT_TOGGLE: toggle(s, t); break;
    case SCRIPT_NUMBERS_AGAIN: numbers_again(s, t); break;
    case SCRIPT_UNFROZEN:
        cut_from_managers(s, t, s->setup.fault_until);
        if (sim_percent(s, 50))
            place(s, FAULT_STORE_SLOW, 0, 0, t, s->setup.fault_until);
        break;
    case SCRIPT_PURGED: purged(s, t); break;
    case SCRIPT_TURN_BACK:
        lag(s, t + sim_span(s, 0, STAY_SECOND));
        if (sim_percent(s, 50))
            place(s, FAULT_OP_SWITCHOVER, 0, 0, t, t);
        else if (sim_percent(s, 50))
            place(s, FAULT_FREEZE, 0, 0, t, t + sim_span(s, 3 * STAY_SECOND, 6 * STAY_SECOND));
        else
            cut_from_managers(s, t, t + sim_span(s, 3 * STAY_SECOND, 6 * STAY_SECOND));
        break;
    case SCRIPT_LOST_WORD:
        s->setup.script_step = STEP_WRITABLE;
        place(s, FAULT_KILL, 0, 0, t, s->setup.fault_until);
        break;
    case SCRIPT_STALL: place(s, FAULT_KILL, 0, 0, t, s->setup.fault_until); break;
    case SCRIPT_STORELESS: place(s, FAULT_OP_FAILOVER, 0, 0, t, t); break;
    case SCRIPT_COUNT:
        break;
    }
}

static void aimed(struct sim *s, enum sim_fault fault, uint32_t x, int64_t in_us, int64_t for_us)
{
    place(s, fault, x, 0, s->now + in_us, s->now + in_us + for_us);
}

static void end_cut(struct sim *s, uint32_t n)
{
    for (uint32_t i = 0; i < s->fault_n; i++)
        if (s->fault[i].fault == FAULT_CUT_REPLICA && s->fault[i].y == n)
            sim_at(s, s->now, EV_FAULT_END, i, 0, 0, 0);
}

void fault_script_row(struct sim *s, const struct plan_run *run, uint32_t row)
{
    struct sim_setup *u = &s->setup;
    size_t count = 0;
    const struct plan_row *rows = plan_rows(run->kind, &count);
    bool swaps = run->kind == PLAN_FAILOVER || run->kind == PLAN_SWITCHOVER;
    if (u->script == SCRIPT_NONE || u->script_done || s->healed || !swaps ||
        rows[row].step != u->script_step)
        return;
    uint32_t n = sim_percent(s, 50) && run->candidate < u->servers
                     ? run->candidate
                     : 1 + sim_draw(s, u->servers - 1);
    int64_t in_us = sim_span(s, 0, 20 * STAY_MS);
    u->script_done = true;
    if (u->script == SCRIPT_RESTART_IN_PLAN) {
        if (u->script_step == STEP_WRITABLE) { /* dead and back while the statement waits */
            u->lane_us = sim_span(s, 100 * STAY_MS, 450 * STAY_MS);
            n = run->candidate;
        }
        aimed(s, FAULT_KILL, n, in_us, STAY_SECOND);
        s->fault[s->fault_n - 1].aimed = true;
    } else if (u->script == SCRIPT_UNFROZEN) { /* what an operator's hand can start reaches it */
        uint32_t other = run->candidate == 2 ? 1 : 2;
        end_cut(s, other);
        aimed(s, FAULT_UNFREEZE, other, in_us, STAY_SECOND);
    } else if (u->script == SCRIPT_TURN_BACK) {
        aimed(s, sim_percent(s, 50) ? FAULT_OP_PAUSE : FAULT_OP_ABORT, 0, in_us, 4 * STAY_SECOND);
    } else if (u->script == SCRIPT_LOST_WORD) { /* opened or not: its answer does not come */
        aimed(s, FAULT_CUT_CONTROLLER, run->candidate, sim_span(s, 0, 2 * STAY_MS),
              9 * STAY_SECOND);
        if (sim_percent(s, 40))
            aimed(s, FAULT_CONTROLLER_KILL, 0, sim_span(s, 0, 4 * STAY_MS), STAY_SECOND);
    } else if (u->script == SCRIPT_STALL) { /* its next save or statement meets a stopped process */
        aimed(s, FAULT_CONTROLLER_FREEZE, 0, sim_span(s, 0, 6 * STAY_MS), 4 * STAY_SECOND);
    } else if (u->script == SCRIPT_STORELESS) { /* taken back without the store, which forgets it */
        aimed(s, FAULT_STORE_DOWN, 0, 0, sim_span(s, 4 * STAY_SECOND, 7 * STAY_SECOND));
        aimed(s, FAULT_CONTROLLER_KILL, 0, sim_span(s, 2 * STAY_SECOND, 6 * STAY_SECOND),
              STAY_SECOND);
    }
}

/* Everything goes down at once. Appliers were slow: the relay log holds what was acknowledged. */
static void outage(struct sim *s, int64_t t)
{
    struct random own;
    random_init(&own, s->setup.outage_seed);
    s->stats->outages++;
    for (uint32_t n = 0; n < s->setup.servers; n++) {
        bool power = random_below(&own, 2) == 0;
        int64_t at = t + (int64_t)random_below(&own, STAY_SECOND);
        if (n > 0 && random_below(&own, 2) == 0)
            s->server[n].apply_us = 400 + (uint32_t)random_below(&own, 60000);
        place(s, power ? FAULT_POWER : FAULT_KILL, n, 0, at, s->setup.fault_until);
    }
    if (random_below(&own, 2) == 0) {
        int64_t at = t + (int64_t)random_below(&own, 2 * STAY_SECOND);
        place(s, FAULT_CONTROLLER_KILL, 0, 0, at, at + STAY_SECOND);
    }
    for (uint32_t i = 0; i < 2; i++) /* a human who does not wait for all of them */
        if (random_below(&own, 2) == 0)
            sim_at(s, t + 3 * STAY_SECOND + (int64_t)random_below(&own, 8 * STAY_SECOND),
                   EV_OPERATOR, 1, 0, 0, i);
}

/* The candidate falls behind another replica, then the primary dies: it must be topped up. Or every
 * replica goes away for longer than an acker may. */
void fault_scripts(struct sim *s)
{
    int64_t t = s->now + sim_span(s, 2 * STAY_SECOND, 4 * STAY_SECOND);
    script_life(s, t);
    if (s->setup.script_top_up) {
        place(s, FAULT_CUT_REPLICA, 0, 1, t, t + 6 * STAY_SECOND);
        place(s, FAULT_KILL, 0, 0, t + sim_span(s, STAY_SECOND, 3 * STAY_SECOND),
              t + 5 * STAY_SECOND);
    }
    if (s->setup.plain) {
        for (uint32_t n = 1; n < s->setup.servers; n++) /* rows are received and not yet executed */
            s->server[n].apply_us = (uint32_t)sim_span(s, 400, 60000);
        place(s, FAULT_KILL, 0, 0, t, s->setup.fault_until);
    }
    if (s->setup.script_shutdown) { /* the ackers leave, then MySQL stops in order with waiters */
        for (uint32_t n = 1; n < s->setup.servers; n++)
            place(s, sim_percent(s, 50) ? FAULT_CUT_REPLICA : FAULT_REPLICA_STOPPED,
                  n, 0, t, t + sim_span(s, 0, 3 * STAY_SECOND));
        place(s, FAULT_SHUTDOWN, 0, 0, t + sim_span(s, 50 * STAY_MS, 900 * STAY_MS),
              s->setup.fault_until);
    }
    if (s->setup.script_returner) {
        /* The old primary is taken back and dies again before it executed its lost tail; it starts
         * its receiver by itself, without the semi-sync replica role: MariaDB's defaults. */
        int64_t again = t + sim_span(s, 2 * STAY_SECOND, 7 * STAY_SECOND);
        s->server[0].st_skip = false;
        place(s, FAULT_KILL, 0, 0, t, again);
        s->server[0].stuck_until = again + 100 * STAY_MS; /* its applier, once it has one */
        place(s, FAULT_KILL, 0, 0, again, s->setup.fault_until);
    }
    if (s->setup.script_outage)
        outage(s, t);
    for (uint32_t n = 1; s->setup.script_degrade && n < s->setup.servers; n++) {
        int64_t back = t + sim_span(s, 6 * STAY_SECOND, 9 * STAY_SECOND);
        place(s, sim_percent(s, 50) ? FAULT_FREEZE : FAULT_CUT_NODE, n, 0, t, back);
        if (fault_at_restore(s)) /* it is connected again long before it has everything */
            place(s, FAULT_SLOW_LINK, 0, n, back - STAY_SECOND, back + 9 * STAY_SECOND);
    }
}
