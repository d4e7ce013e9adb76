/* What goes wrong: each seed draws which faults exist, when, where and for how long; fault_heal
 * ends them all. A fault may also be aimed at a step of the running plan. Links fail here, servers
 * in sim_fault_server.c, what is ours in sim_fault_ours.c. */
#include "tests/simulation/sim_stall.h"

static uint32_t pick_server(struct sim *s, uint32_t primary_percent)
{
    if (sim_percent(s, primary_percent))
        return s->line;
    return sim_draw(s, s->setup.servers);
}

uint32_t fault_pick_replica(struct sim *s)
{
    return (s->line + 1 + sim_draw(s, s->setup.servers - 1)) % s->setup.servers;
}

static void cut(struct sim *s, const struct sim_fault_run *f, int step)
{
    uint32_t hosts = SIM_HOSTS;
    switch ((int)f->fault) {
    case FAULT_CUT_ZONE:
        net_block_zone(s, s->zone[f->x], step);
        break;
    case FAULT_CUT_NODE:
        for (uint32_t h = 0; h < hosts; h++)
            if (h != f->x) {
                net_block(s, f->x, h, step);
                net_block(s, h, f->x, step);
            }
        break;
    case FAULT_CUT_CONTROLLER:
        net_block(s, f->x, SIM_HOST_CONTROLLER, step);
        net_block(s, SIM_HOST_CONTROLLER, f->x, step);
        break;
    case FAULT_CUT_REPLICA:
        net_block(s, f->x, f->y, step);
        net_block(s, f->y, f->x, step);
        break;
    default:
        net_block(s, f->x, f->y, step);
        break;
    }
    if (step < 0)
        net_healed(s);
}

static void slow_link(struct sim *s, const struct sim_fault_run *f, bool on)
{
    int64_t least = fault_at_restore(s) ? 400 * STAY_MS : 5 * STAY_MS;
    int64_t most = 4 * least + 380 * STAY_MS;
    bool slows = f->fault == FAULT_SLOW_LINK && on;
    uint32_t us = slows ? (uint32_t)sim_span(s, least, most) : 0;
    uint32_t ppm = f->fault == FAULT_LOSSY_LINK && on ? 200000 : 0;
    s->slow_us[f->x][f->y] = s->slow_us[f->y][f->x] = us;
    s->loss_ppm[f->x][f->y] = s->loss_ppm[f->y][f->x] = ppm;
}

static bool is_cut(enum sim_fault f)
{
    return f >= FAULT_CUT_ZONE && f <= FAULT_CUT_ONE_WAY;
}

static void begin(struct sim *s, struct sim_fault_run *f)
{
    f->active = true;
    s->stats->fault[f->fault]++;
    sim_trace(s, "FAULT %s, host %u%s", sim_fault_text(f->fault), f->x + 1,
              f->x == s->line ? " (primary)" : "");
    if (is_cut(f->fault))
        cut(s, f, 1);
    else if (f->fault == FAULT_SLOW_LINK || f->fault == FAULT_LOSSY_LINK)
        slow_link(s, f, true);
    else if (f->fault >= FAULT_CONTROLLER_KILL)
        fault_begin_ours(s, f);
    else if (server_alive(&s->server[f->x]) || (s->server[f->x].up && f->fault <= FAULT_POWER))
        fault_begin_server(s, f, &s->server[f->x]);
}

static void end(struct sim *s, struct sim_fault_run *f)
{
    if (!f->active)
        return;
    f->active = false;
    sim_trace(s, "ENDS %s", sim_fault_text(f->fault));
    if (is_cut(f->fault))
        cut(s, f, -1);
    else if (f->fault == FAULT_SLOW_LINK || f->fault == FAULT_LOSSY_LINK)
        slow_link(s, f, false);
    else if (f->fault >= FAULT_CONTROLLER_KILL)
        fault_end_ours(s, f);
    else
        fault_end_server(s, f, &s->server[f->x]);
}

static void choose_where(struct sim *s, struct sim_fault_run *f)
{
    uint32_t n = s->setup.servers;
    switch ((int)f->fault) {
    case FAULT_CUT_REPLICA:
    case FAULT_SLOW_LINK:
    case FAULT_LOSSY_LINK:
        f->x = s->line;
        f->y = fault_pick_replica(s);
        break;
    case FAULT_CUT_ONE_WAY:
        f->x = sim_draw(s, SIM_HOSTS);
        f->y = pick_server(s, 50);
        if (f->x == f->y)
            f->x = SIM_HOST_CONTROLLER;
        if (sim_percent(s, 50)) {
            uint32_t x = f->x;
            f->x = f->y;
            f->y = x;
        }
        if ((f->x >= SIM_SERVERS || f->x < n) && (f->y >= SIM_SERVERS || f->y < n))
            break;
        f->x = s->line;
        f->y = SIM_HOST_CONTROLLER;
        break;
    case FAULT_SLOW_APPLIER: case FAULT_STUCK_APPLIER: case FAULT_APPLIER_STOPPED:
    case FAULT_APPLIER_BROKEN: case FAULT_ERRANT: case FAULT_REPLICA_STOPPED:
    case FAULT_CLONED:
        f->x = fault_pick_replica(s);
        break;
    case FAULT_OWN_ZONE_ACKS:
        f->x = s->setup.layout == LAYOUT_OWN_ZONE ? 2 : fault_pick_replica(s);
        break;
    case FAULT_UNFREEZE:
        f->x = fault_pick_replica(s);
        break;
    case FAULT_SS_TOGGLE: case FAULT_SS_OFF: case FAULT_SS_TIMEOUT: case FAULT_WAIT_COUNT:
    case FAULT_READ_ONLY:
        f->x = s->line;
        break;
    default:
        f->x = pick_server(s, 65);
        break;
    }
}

void fault_plan(struct sim *s)
{
    fault_scripts(s);
    for (int id = 0; id < FAULT_COUNT; id++) {
        if (!(s->setup.faults >> id & 1) || id == FAULT_CRASH_POINT || id == FAULT_AIMED ||
            id == FAULT_LANE_STUCK || id == FAULT_EFFECT_FAILS || id == FAULT_START_VALUES)
            continue;
        uint32_t times = 1 + sim_draw(s, 2);
        for (uint32_t i = 0; i < times && s->fault_n < STAY_COUNT(s->fault); i++) {
            struct sim_fault_run *f = &s->fault[s->fault_n];
            *f = (struct sim_fault_run){.fault = (enum sim_fault)id};
            f->begun = sim_span(s, s->now + 2 * STAY_SECOND, s->setup.fault_until - 500 * STAY_MS);
            f->until =
                f->begun + (sim_percent(s, 60) ? sim_span(s, 200 * STAY_MS, 4 * STAY_SECOND)
                                               : sim_span(s, 4 * STAY_SECOND, 15 * STAY_SECOND));
            sim_at(s, f->begun, EV_FAULT, s->fault_n++, 0, 0, 0);
        }
    }
}

void fault_aim(struct sim *s, const struct plan_run *run, uint32_t row)
{
    size_t count = 0;
    const struct plan_row *rows = plan_rows(run->kind, &count);
    struct sim_setup *u = &s->setup;
    if (!(u->faults >> FAULT_AIMED & 1) || u->aim_used || s->healed ||
        rows[row].step != u->aim_step)
        return;
    bool at_restore = fault_at_restore(s);
    if (at_restore && run->kind != PLAN_MODE_RESTORE)
        return;
    u->aim_used = true;
    if (s->fault_n >= STAY_COUNT(s->fault))
        return;
    static const enum sim_fault what[] = {FAULT_KILL,     FAULT_FREEZE,     FAULT_CUT_NODE,
                                          FAULT_UNFREEZE, FAULT_POWER,      FAULT_STORE_DOWN,
                                          FAULT_KILL,     FAULT_CUT_CONTROLLER, FAULT_SHUTDOWN,
                                          FAULT_CONTROLLER_FREEZE, FAULT_OP_PAUSE, FAULT_OP_ABORT};
    struct sim_fault_run *f = &s->fault[s->fault_n];
    *f = (struct sim_fault_run){.fault = what[u->aim_what % STAY_COUNT(what)]};
    f->x = sim_draw(s, u->servers);
    if (f->fault == FAULT_UNFREEZE || sim_percent(s, 40))
        f->x = fault_pick_replica(s);
    if (at_restore) {
        f->fault = FAULT_KILL;
        f->x = s->line;
    }
    f->begun = s->now + sim_span(s, 0, at_restore ? 1500 * STAY_MS : 60 * STAY_MS);
    f->until = f->begun + sim_span(s, 300 * STAY_MS, 8 * STAY_SECOND);
    s->stats->fault[FAULT_AIMED]++;
    f->placed = f->aimed = true;
    sim_at(s, f->begun, EV_FAULT, s->fault_n++, 0, 0, 0);
    struct sim_server *old = &s->server[s->line];
    if (!old->up && sim_percent(s, 50)) /* the old primary comes back in the middle of it */
        sim_at(s, s->now + sim_span(s, 0, 200 * STAY_MS), EV_START, old->index, 0, old->life, 0);
}

bool fault_event(struct sim *s, const struct sim_event *e)
{
    if (e->kind != EV_FAULT && e->kind != EV_FAULT_END)
        return false;
    struct sim_fault_run *f = &s->fault[e->a];
    if (e->kind == EV_FAULT_END) {
        end(s, f);
        return true;
    }
    if (s->healed)
        return true;
    if (!f->placed)
        choose_where(s, f);
    for (uint32_t p = 0; p < SIM_PROXIES && sim_percent(s, 30); p++) {
        s->proxy[p].old_target = s->proxy[p].target; /* what a state file would hold */
        s->proxy[p].old_epoch = s->proxy[p].epoch;
    }
    begin(s, f);
    sim_at(s, f->until, EV_FAULT_END, e->a, 0, 0, 0);
    return true;
}

void fault_heal(struct sim *s)
{
    sim_trace(s, "HEAL");
    s->healed = true;
    s->healed_at = s->now;
    for (uint32_t i = 0; i < s->fault_n; i++)
        end(s, &s->fault[i]);
    s->setup.lane_ppm = s->setup.fail_ppm = 0;
    for (uint32_t n = 0; n < s->setup.servers; n++) {
        struct sim_server *v = &s->server[n];
        v->stuck_until = 0;
        v->apply_us = 400;
        v->too_many = v->denied = v->cloned = false;
        stall_ends(s, v);
        v->delay_s = 0;
        if (v->frozen)
            server_thaw(s, v);
        if (!v->up)
            sim_at(s, s->now + sim_span(s, 0, STAY_SECOND), EV_START, n, 0, v->life, 0);
        replica_apply_kick(s, v);
    }
    if (s->controller.up && s->controller.view->hold_until_mono_us > s->now)
        s->controller.held_until = s->controller.view->hold_until_mono_us = s->now + STAY_SECOND;
    net_healed(s);
    fault_release(s);
    sim_at(s, s->now + 3 * STAY_SECOND, EV_OPERATOR, 0, 0, 0, 0);
}
