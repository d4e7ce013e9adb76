/* One life: draw the set-up, have the world built, run its events, heal, require convergence. */
#include "tests/simulation/sim_crash.h"
#include "tests/simulation/sim_rewind.h"

static uint64_t ours_only(void)
{
    return UINT64_C(1) << FAULT_CONTROLLER_KILL | UINT64_C(1) << FAULT_CONTROLLER_FREEZE |
           UINT64_C(1) << FAULT_STORE_DOWN | UINT64_C(1) << FAULT_STORE_SLOW |
           UINT64_C(1) << FAULT_STORE_UNKNOWN | UINT64_C(1) << FAULT_PROXY_DOWN |
           UINT64_C(1) << FAULT_PROXY_OLD | UINT64_C(1) << FAULT_PROXY_CUT |
           UINT64_C(1) << FAULT_CLOCK_JUMP | UINT64_C(1) << FAULT_CUT_CONTROLLER |
           UINT64_C(1) << FAULT_DENIED | UINT64_C(1) << FAULT_TOO_MANY;
}

/* Steps that few lives come to: what leads to them is drawn with them. */
static void make_step_happen(struct sim *s, enum step_kind step)
{
    struct sim_setup *u = &s->setup;
    bool adopts = step == STEP_SET_TIMEOUTS || step == STEP_CREATE_SCHEMA;
    bool switches = step == STEP_QUIESCE || step == STEP_UNFENCE || step == STEP_CATCH_UP;
    bool degrades = step == STEP_SOURCE_OFF || step == STEP_STORE_MODE || step == STEP_BARRIER;
    u->adopt_first = u->adopt_first || adopts;
    if (u->quiet)
        return;
    if (switches)
        u->faults |= UINT64_C(1) << FAULT_OP_SWITCHOVER;
    else if (degrades)
        u->script_degrade = true;
    else if (step == STEP_REPLAY)
        u->script_outage = true;
    else if (step == STEP_TOP_UP)
        u->script_top_up = true;
    else if (step == STEP_START_APPLIER)
        u->faults |= UINT64_C(1) << FAULT_APPLIER_STOPPED;
    else if (step == STEP_QUARANTINE)
        u->faults |= UINT64_C(1) << FAULT_ERRANT | UINT64_C(1) << FAULT_KILL;
    else if (!adopts)
        u->faults |= UINT64_C(1) << FAULT_KILL;
}

static void draw_faults(struct sim *s)
{
    struct sim_setup *u = &s->setup;
    static const enum sim_fault killers[] = {FAULT_KILL,     FAULT_KILL,     FAULT_SHUTDOWN,
                                             FAULT_FREEZE,   FAULT_CUT_ZONE, FAULT_POWER,
                                             FAULT_CUT_NODE, FAULT_KILL};
    u->plain = !u->mode_bounded && !u->adopt_first && sim_percent(s, 6);
    u->script_shutdown = !u->plain && sim_percent(s, 3);
    if (u->plain || u->script_shutdown)
        return;
    u->quiet = sim_percent(s, 6);
    uint32_t many = 1 + sim_draw(s, 5);
    if (!u->quiet && sim_percent(s, 80))
        u->faults |= UINT64_C(1) << killers[sim_draw(s, STAY_COUNT(killers))];
    for (uint32_t i = 0; i < many; i++)
        u->faults |= UINT64_C(1) << sim_draw(s, FAULT_COUNT);
    if (!u->quiet && sim_percent(s, 25))
        u->faults |= UINT64_C(1) << FAULT_AIMED;
    if (!u->quiet && sim_percent(s, 20))
        u->faults |= UINT64_C(1) << FAULT_CRASH_POINT;
    if (u->quiet)
        u->faults = (u->faults & ours_only()) | UINT64_C(1) << FAULT_CUT_CONTROLLER;
    static const enum step_kind aims[] = {STEP_FREEZE,      STEP_DRAIN,  STEP_DETACH,
                                          STEP_SOURCE_ON,   STEP_ATTACH, STEP_WAIT_ACKERS,
                                          STEP_STORE_MODE,  STEP_CHOOSE, STEP_VERIFY_FREEZE,
                                          STEP_WRITABLE};
    u->aim_step = sim_percent(s, 60) ? aims[sim_draw(s, STAY_COUNT(aims))]
                                     : (enum step_kind)(1 + sim_draw(s, STEP_KIND_COUNT - 1));
    u->aim_what = sim_draw(s, 1000);
    u->crash_step = (enum step_kind)(1 + sim_draw(s, STEP_KIND_COUNT - 1));
    u->crash_side = sim_draw(s, 2);
    u->crash_at = sim_draw(s, 2);
    if (u->faults >> FAULT_CRASH_POINT & 1)
        make_step_happen(s, u->crash_step);
    if (u->faults >> FAULT_AIMED & 1)
        make_step_happen(s, u->aim_step);
    u->lane_ppm = u->faults >> FAULT_LANE_STUCK & 1 ? 100000 : 0;
    u->fail_ppm = u->faults >> FAULT_EFFECT_FAILS & 1 ? 60000 : 0;
}

/* Objectives so tight that a lag of seconds is beyond them, for some lives that run the weaker mode
 * and accept its loss: from a stream of its own. */
static void draw_objectives(struct sim *s)
{
    struct random own;
    random_init(&own, s->setup.seed ^ UINT64_C(0x6f626a656374));
    if (s->setup.mode_bounded && random_below(&own, 100) < 40)
        s->config.loss_time_max_us = STAY_SECOND + (int64_t)random_below(&own, 2 * STAY_SECOND);
}

static void conform_order(struct sim *s, uint32_t node)
{
    struct plan_params p = {.node = node,
                            .donor = NO_NODE,
                            .reason = "simulated operator",
                            .actor = "operator",
                            .detected_mono_us = STAY_NEVER};
    if (!controller_runs(s) || executor_is_busy(s->controller.exec))
        return;
    if (guard_check(s->controller.view, NULL, &s->controller.fleet, PLAN_CONFORM, false, s->now,
                    s->now + s->wall_offset) == 0)
        (void)controller_order(s, PLAN_CONFORM, &p);
}

static void wrong_start_values(struct sim *s)
{
    if (!(s->setup.faults >> FAULT_START_VALUES & 1))
        return;
    s->stats->fault[FAULT_START_VALUES]++;
    for (uint32_t n = 0; n < s->setup.servers; n++) {
        struct sim_server *v = &s->server[n];
        v->st_read_only = sim_percent(s, 50);
        v->st_skip = sim_percent(s, 50);
        v->st_ss_source = sim_percent(s, 20);
        v->st_relay_recovery = sim_percent(s, 50);
        v->st_role_replica = sim_percent(s, 50);
    }
    s->store.record.mode =
        s->store.record.mode == MODE_LOSSLESS ? MODE_BOUNDED : s->store.record.mode;
    s->line_cert = CERT_UNKNOWN; /* a primary that opens itself, truncated, is their operator's */
    s->store.record.lossless_stands = false; /* no honest store claims it on such servers */
}

void sim_handle(struct sim *s, const struct sim_event *e)
{
    s->now = e->at;
    s->stats->events++;
    if (client_event(s, e) || replica_event(s, e) || probe_event(s, e) || effect_event(s, e) ||
        store_event(s, e) || controller_event(s, e) || fault_event(s, e)) {
        if (s->controller.dying)
            controller_kill(s);
        check_event(s);
        return;
    }
    if (rewind_event(s, e) || crash_point_event(s, e))
        return;
    if (e->kind == EV_HEAL) {
        fault_heal(s);
        s->evacuation.since_wall_us = 0;
        for (uint32_t i = 0; i < s->setup.servers; i++)
            s->server[i].disk_low = false;
    }
    else if (e->kind == EV_JUDGE)
        check_end(s);
    else if (e->kind == EV_RESEED)
        copy_order(s);
    else if (e->kind == EV_LOWERED)
        s->config.mode = MODE_BOUNDED;
    else if (e->kind == EV_EVACUATE && !s->healed)
        evacuation_order(s, (uint32_t)e->a);
    else if (e->kind == EV_SCHEDULE && !s->healed)
        schedule_order(s, e->a != 0);
    else if (e->kind == EV_ROLES_OFF)
        roles_off(s);
    else if (e->kind == EV_CONFORM)
        conform_order(s, (uint32_t)e->a);
    else if (e->kind == EV_ADOPT) {
        if (!s->store.record.adopted) {
            fault_order(s, PLAN_ADOPT, false);
            sim_at(s, s->now + 2 * STAY_SECOND, EV_ADOPT, 0, 0, 0, 0);
        }
    } else if (e->kind == EV_OPERATOR && !s->stopped) {
        if (e->a == 0)
            fault_release(s);
        fault_recover(s, e->arg != 0);
        if (e->a == 0 && s->now - s->healed_at < 60 * STAY_SECOND)
            sim_at(s, s->now + 5 * STAY_SECOND, EV_OPERATOR, 0, 0, 0, e->arg + 1);
    }
}

void sim_until(struct sim *s, int64_t at)
{
    struct sim_event e;
    while (!s->stopped && s->event_n > 0 && s->events[0].at <= at && sim_next(s, &e))
        sim_handle(s, &e);
    if (s->now < at)
        s->now = at;
}

enum sim_invariant sim_run(struct sim *s, uint64_t seed)
{
    sim_reset(s, seed);
    struct sim_setup *u = &s->setup;
    u->mode_bounded = sim_percent(s, 15);
    u->adopt_first = sim_percent(s, 8);
    draw_faults(s);
    draw_returner(s);
    fault_draw_script(s);
    if (s->scripts_only && u->script == SCRIPT_NONE)
        return INV_NONE;
    draw_outage(s);
    static const enum sim_layout layouts[] = {LAYOUT_PAIR,    LAYOUT_PAIR, LAYOUT_WITNESS,
                                              LAYOUT_WITNESS, LAYOUT_TWO,  LAYOUT_OWN_ZONE,
                                              LAYOUT_FOUR};
    bool mariadb = sim_percent(s, 50) && !u->script_shutdown;
    u->engine = mariadb ? ENGINE_MARIADB : ENGINE_MYSQL;
    u->layout = layouts[sim_draw(s, STAY_COUNT(layouts))];
    fault_build_script(s);
    sim_build(s, u->engine, u->layout);
    draw_objectives(s);
    wrong_start_values(s);
    s->stats->layout[u->engine][u->layout]++;
    u->fault_until = s->now + sim_span(s, 8 * STAY_SECOND, 20 * STAY_SECOND);
    if (u->script_degrade || u->script_top_up || u->plain || u->script_shutdown ||
        u->script_returner || u->script != SCRIPT_NONE || u->script_outage)
        u->fault_until = s->now + 16 * STAY_SECOND;
    sim_trace(s, "seed %llu: %s, %s, mode %d, k %u, controller in %s%s%s",
              (unsigned long long)seed, engine_text(u->engine), sim_layout_text(u->layout),
              (int)s->config.mode, s->config.acks, s->config.controller_zone,
              u->script ? ", script " : "", u->script ? sim_script_text(u->script) : "");
    client_start(s);
    sim_at(s, s->now, EV_CONTROLLER_START, 0, 0, 0, 0);
    draw_reseed(s);
    draw_conform(s);
    draw_relieve(s);
    draw_roles_off(s);
    draw_parted(s);
    draw_lowered(s);
    draw_evacuation(s);
    draw_schedule(s);
    if (u->adopt_first)
        sim_at(s, s->now + 1500 * STAY_MS, EV_ADOPT, 0, 0, 0, 0);
    fault_plan(s);
    sim_at(s, u->fault_until, EV_HEAL, 0, 0, 0, 0);
    sim_at(s, u->fault_until + 3 * STAY_SECOND, EV_JUDGE, 0, 0, 0, 0);
    sim_until(s, s->now + 600 * STAY_SECOND);
    if (!s->stopped)
        sim_violate(s, INV_MODEL, "the world came to a stop");
    s->stats->scenarios++;
    s->stats->violations[s->violation]++;
    return s->violation;
}
