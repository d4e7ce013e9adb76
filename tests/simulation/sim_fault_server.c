/* What a fault does to one server: its process, replication, semi-sync, sessions; and how it ends.
 * See sim_fault.c. */
#include "tests/simulation/sim_stall.h"

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

void fault_begin_server(struct sim *s, const struct sim_fault_run *f, struct sim_server *v)
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

void fault_end_server(struct sim *s, const struct sim_fault_run *f, struct sim_server *v)
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
    case FAULT_WRITE_STALL: stall_ends(s, v); break;
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
