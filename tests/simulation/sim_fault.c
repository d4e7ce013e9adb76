/* What goes wrong: each seed draws which faults exist, when and for how long; operators are among
 * them. fault_heal ends them all. A fault may also be aimed at a step of the running plan. */
#include "tests/simulation/sim.h"

static uint32_t pick_server(struct sim *s, uint32_t primary_percent)
{
    if (sim_percent(s, primary_percent))
        return s->line;
    return sim_draw(s, s->setup.servers);
}

static uint32_t pick_replica(struct sim *s)
{
    return (s->line + 1 + sim_draw(s, s->setup.servers - 1)) % s->setup.servers;
}

static void restart_later(struct sim *s, const struct sim_fault_run *f, struct sim_server *v)
{
    if (s->setup.plain)
        return;
    if (f->aimed && sim_percent(s, 70)) {
        sim_at(s, s->now + sim_span(s, 30 * STAY_MS, 900 * STAY_MS), EV_START, v->index, 0, v->life,
               0);
        return;
    }
    if (sim_percent(s, 75)) {
        int64_t in = sim_percent(s, 50) ? sim_span(s, 300 * STAY_MS, 3 * STAY_SECOND)
                                        : sim_span(s, 3 * STAY_SECOND, 12 * STAY_SECOND);
        sim_at(s, s->now + in, EV_START, v->index, 0, v->life, 0);
    }
}

static void errant_write(struct sim *s, struct sim_server *v)
{
    if (!server_alive(v) || v->index == s->line || v->ss_source)
        return;
    uint32_t tx = tx_new(s, v->index, TX_ERRANT, UINT16_MAX, s->now);
    if (tx == SIM_NONE)
        return;
    struct sim_waiter who = {.client = UINT16_MAX};
    (void)server_flush(s, v, tx, &who);
    if (v->errant_at == STAY_NEVER)
        v->errant_at = s->now;
}

static void pause_on(struct sim *s, struct cluster_record *r)
{
    (void)s;
    r->paused = true;
}
static void pause_off(struct sim *s, struct cluster_record *r)
{
    (void)s;
    r->paused = false;
}
static void maintenance_on(struct sim *s, struct cluster_record *r)
{
    r->maintenance_until_wall_us = s->now + s->wall_offset + 4 * STAY_SECOND;
}
void fault_order(struct sim *s, enum plan_kind kind, bool accept)
{
    if (!controller_runs(s) || executor_is_busy(s->controller.exec))
        return;
    struct plan_params p = {.node = NO_NODE,
                            .accept_loss = accept,
                            .reason = "simulated operator",
                            .actor = "operator",
                            .detected_mono_us = STAY_NEVER};
    if (kind == PLAN_SWITCHOVER && sim_percent(s, 50))
        p.node = pick_replica(s);
    if (kind == PLAN_UNFENCE)
        p.node = s->line;
    uint32_t vetoes = guard_check(s->controller.view, NULL, &s->controller.fleet, kind, false,
                                  s->now, s->now + s->wall_offset);
    for (uint32_t g = 0; g < GUARD_COUNT; g++)
        s->stats->guard[g] += vetoes >> g & 1;
    if (vetoes == 0)
        (void)controller_order(s, kind, &p);
}

void fault_recover(struct sim *s, bool accept)
{
    if (controller_runs(s) && s->controller.decision->verdict.rule_id == 136)
        fault_order(s, PLAN_RECOVER, accept);
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

static void begin_server(struct sim *s, const struct sim_fault_run *f, struct sim_server *v)
{
    switch ((int)f->fault) {
    case FAULT_KILL: server_kill(s, v, false, false); restart_later(s, f, v); break;
    case FAULT_SHUTDOWN: server_kill(s, v, true, false); restart_later(s, f, v); break;
    case FAULT_POWER: server_kill(s, v, false, true); restart_later(s, f, v); break;
    case FAULT_FREEZE: server_freeze(s, v); break;
    case FAULT_SLOW_APPLIER: v->apply_us = (uint32_t)sim_span(s, 5000, 80000); break;
    case FAULT_STUCK_APPLIER:
        v->stuck_until = f->until;
        v->delay_s = sim_percent(s, 30) ? 100 : 0;
        break;
    case FAULT_CLONED: v->cloned = v->index != s->line; break;
    case FAULT_APPLIER_STOPPED: replica_stop_applier(s, v); break;
    case FAULT_APPLIER_BROKEN:
        if (v->index != s->line) {
            replica_stop_applier(s, v);
            v->applier_errno = 1062;
        }
        break;
    case FAULT_ERRANT: errant_write(s, v); break;
    case FAULT_SS_TOGGLE:
        if (v->ss_source) {
            server_ss_set(s, v, false, false);
            v->ss_toggle_back = true;
        }
        break;
    case FAULT_SS_OFF:
        if (v->ss_source)
            server_ss_set(s, v, false, false);
        break;
    case FAULT_SS_TIMEOUT: v->ss_timeout_ms = 1000; server_ss_weakened(s, v, false); break;
    case FAULT_WAIT_COUNT: v->ss_wait_count = 1; server_ss_weakened(s, v, false); break;
    case FAULT_OWN_ZONE_ACKS:
        if (v->configured && !v->ss_replica) {
            v->ss_replica = v->st_ss_replica = true;
            v->hand_at = s->now;
            if (v->receiver_on) {
                replica_stop_receiver(s, v);
                replica_start_receiver(s, v);
            }
        }
        break;
    case FAULT_READ_ONLY:
        if (v->waiter_n == 0) {
            v->read_only = true;
            v->super_ro = s->setup.engine == ENGINE_MYSQL;
        }
        break;
    case FAULT_WRITE_STALL: v->disk_stall = true; break;
    case FAULT_TOO_MANY: v->too_many = true; break;
    case FAULT_DENIED: v->denied = true; break;
    case FAULT_REPLICA_STOPPED:
        if (v->receiver_on)
            replica_stop_receiver(s, v);
        break;
    case FAULT_UNFREEZE:
        if (v->frozen_by_us && v->configured && !v->receiver_on) {
            sim_trace(s, "operator starts the receiver of db%u", v->index + 1);
            replica_start_receiver(s, v);
            v->operator_started = true;
            v->operator_started_at = s->now;
        }
        break;
    default: break;
    }
}

static void end_server(struct sim *s, const struct sim_fault_run *f, struct sim_server *v)
{
    switch ((int)f->fault) {
    case FAULT_FREEZE: server_thaw(s, v); break;
    case FAULT_SLOW_APPLIER: v->apply_us = 400; break;
    case FAULT_APPLIER_STOPPED:
    case FAULT_APPLIER_BROKEN:
        if (v->up && v->configured && (v->receiver_on || s->setup.engine == ENGINE_MYSQL))
            replica_start_applier(s, v);
        break;
    case FAULT_SS_TOGGLE:
        if (v->ss_toggle_back && server_alive(v)) {
            v->ss_toggle_back = false;
            server_ss_set(s, v, true, false);
            v->weak_toggled_at = s->now;
        }
        break;
    case FAULT_WRITE_STALL: v->disk_stall = false; break;
    case FAULT_STUCK_APPLIER: v->delay_s = 0; break;
    case FAULT_CLONED: v->cloned = false; break;
    case FAULT_SS_TIMEOUT: /* set back; the status stays off until an acker has caught up */
        v->ss_timeout_ms = UINT64_C(1000000000);
        server_ss_weakened(s, v, false);
        break;
    case FAULT_TOO_MANY: v->too_many = false; break;
    case FAULT_DENIED: v->denied = false; break;
    case FAULT_REPLICA_STOPPED:
        if (v->up && v->configured && !v->frozen_by_us && sim_percent(s, 50)) {
            v->hand_at = v->receiver_on ? v->hand_at : s->now;
            replica_start_receiver(s, v);
        }
        break;
    default: break;
    }
}

static void begin_ours(struct sim *s, const struct sim_fault_run *f)
{
    struct sim_proxy *p = &s->proxy[f->x % SIM_PROXIES];
    switch ((int)f->fault) {
    case FAULT_CONTROLLER_KILL: controller_kill(s); break;
    case FAULT_CONTROLLER_FREEZE: controller_freeze(s, f->until - f->begun); break;
    case FAULT_STORE_DOWN: s->store.down = true; break;
    case FAULT_STORE_SLOW: s->store.slow_us = sim_span(s, 20 * STAY_MS, 900 * STAY_MS); break;
    case FAULT_STORE_UNKNOWN: s->store.unknown_ppm = 300000; break;
    case FAULT_PROXY_DOWN: p->up = false; break;
    case FAULT_PROXY_OLD: p->up = false; break;
    case FAULT_PROXY_CUT: p->reachable = false; break;
    case FAULT_OP_PAUSE: store_operator(s, pause_on); break;
    case FAULT_OP_SWITCHOVER: fault_order(s, PLAN_SWITCHOVER, false); break;
    case FAULT_OP_FAILOVER: fault_order(s, PLAN_FAILOVER, true); break;
    case FAULT_OP_MAINTENANCE: store_operator(s, maintenance_on); break;
    case FAULT_OP_UNFENCE: fault_order(s, PLAN_UNFENCE, false); break;
    case FAULT_OP_ABORT:
        if (controller_runs(s) && executor_is_busy(s->controller.exec))
            (void)executor_abort(s->controller.exec, "aborted by an operator", s->now, NULL);
        break;
    case FAULT_CLOCK_JUMP:
        s->wall_offset += sim_span(s, -3600 * STAY_SECOND, 3600 * STAY_SECOND);
        if (s->controller.up)
            controller_hold(s);
        break;
    default: break;
    }
}

static void end_ours(struct sim *s, const struct sim_fault_run *f)
{
    struct sim_proxy *p = &s->proxy[f->x % SIM_PROXIES];
    switch ((int)f->fault) {
    case FAULT_STORE_DOWN:
        s->store.down = false;
        if (s->controller.up)
            s->controller.view->store_ok = true;
        break;
    case FAULT_STORE_SLOW: s->store.slow_us = 0; break;
    case FAULT_STORE_UNKNOWN: s->store.unknown_ppm = 0; break;
    case FAULT_PROXY_DOWN: p->up = true; break;
    case FAULT_PROXY_OLD: /* the state file it starts from is an old one */
        p->up = true;
        p->target = p->old_target;
        p->epoch = p->old_epoch;
        break;
    case FAULT_PROXY_CUT: p->reachable = true; break;
    case FAULT_OP_PAUSE: store_operator(s, pause_off); break;
    default: break;
    }
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
        begin_ours(s, f);
    else if (server_alive(&s->server[f->x]) || (s->server[f->x].up && f->fault <= FAULT_POWER))
        begin_server(s, f, &s->server[f->x]);
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
        end_ours(s, f);
    else
        end_server(s, f, &s->server[f->x]);
}

static void choose_where(struct sim *s, struct sim_fault_run *f)
{
    uint32_t n = s->setup.servers;
    switch ((int)f->fault) {
    case FAULT_CUT_REPLICA:
    case FAULT_SLOW_LINK:
    case FAULT_LOSSY_LINK:
        f->x = s->line;
        f->y = pick_replica(s);
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
        f->x = pick_replica(s);
        break;
    case FAULT_OWN_ZONE_ACKS:
        f->x = s->setup.layout == LAYOUT_OWN_ZONE ? 2 : pick_replica(s);
        break;
    case FAULT_UNFREEZE:
        f->x = pick_replica(s);
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
        f->x = pick_replica(s);
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
        v->too_many = v->denied = v->disk_stall = v->cloned = false;
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
