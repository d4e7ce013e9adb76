/* What a fault does to what is ours: controller, store, proxies, clock; operators and their orders
 * are among them. See sim_fault.c. */
#include "tests/simulation/sim.h"

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
        p.node = fault_pick_replica(s);
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

void fault_begin_ours(struct sim *s, const struct sim_fault_run *f)
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

void fault_end_ours(struct sim *s, const struct sim_fault_run *f)
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
