/* The stages of the crash-point matrix: for every plan a short life that leads to it, and for the
 * rows that only some runs need what makes them needed. Server 0 is the primary. */
#include "tests/simulation/sim_crash.h"

static void die(struct sim *s, uint32_t n)
{
    server_kill(s, &s->server[n], false, false);
}

static void rise(struct sim *s, uint32_t n)
{
    sim_at(s, s->now, EV_START, n, 0, s->server[n].life, 0);
}

static void order(struct sim *s, enum plan_kind kind, uint32_t node, bool accept_loss)
{
    struct plan_params p = {.node = node,
                            .accept_loss = accept_loss,
                            .reason = "simulated operator",
                            .actor = "operator",
                            .detected_mono_us = STAY_NEVER};
    if (controller_runs(s) && !executor_is_busy(s->controller.exec))
        (void)controller_order(s, kind, &p);
}

static void errant(struct sim *s, uint32_t n)
{
    struct sim_server *v = &s->server[n];
    struct sim_waiter who = {.client = UINT16_MAX};
    uint32_t tx = tx_new(s, n, TX_ERRANT, UINT16_MAX, s->now);
    if (tx == SIM_NONE || !server_alive(v))
        return;
    (void)server_flush(s, v, tx, &who);
    v->errant_at = s->now;
}

static void cut(struct sim *s, uint32_t a, uint32_t b, int step)
{
    net_block(s, a, b, step);
    net_block(s, b, a, step);
    if (step < 0)
        net_healed(s);
}

static bool is_row(const struct plan_run *run, uint32_t row, enum plan_kind kind,
                   enum step_kind step)
{
    size_t count = 0;
    return run->kind == kind && plan_rows(kind, &count)[row].step == step;
}

static void kill_primary(struct sim *s)
{
    die(s, 0);
}
static void back_at_detach(struct sim *s, const struct plan_run *run, uint32_t row)
{
    if (!is_row(run, row, PLAN_FAILOVER, STEP_DETACH) || s->server[0].up)
        return;
    rise(s, 0);
    s->setup.lane_us = 300 * STAY_MS; /* it is seen before its fence's turn comes */
}
static void acker_dies(struct sim *s, const struct plan_run *run, uint32_t row)
{
    if (!is_row(run, row, PLAN_FAILOVER, STEP_WAIT_ACKERS) || !s->server[2].up)
        return;
    die(s, 2);
    s->setup.lane_us = 20 * STAY_MS; /* seen to be gone before it is counted */
}
static void bystander_away(struct sim *s, const struct plan_run *run, uint32_t row)
{
    if (is_row(run, row, PLAN_FAILOVER, STEP_DRAIN)) /* as long as the drain waits for it */
        crash_fault(s, FAULT_CUT_CONTROLLER, 2, STAY_SECOND);
}
static void forced(struct sim *s)
{
    order(s, PLAN_FAILOVER, NO_NODE, true);
}
static void lag_and_kill(struct sim *s)
{
    cut(s, 0, 1, 1);
}
static void lag_and_kill_tick(struct sim *s, uint32_t second)
{
    if (second == 1)
        die(s, 0);
    if (second == 1)
        cut(s, 0, 1, -1);
}
static void swap(struct sim *s)
{
    order(s, PLAN_SWITCHOVER, NO_NODE, false);
}
static void back_later(struct sim *s, uint32_t second)
{
    if (second == 5 && !s->server[0].up)
        rise(s, 0);
}
static void kill_with_role(struct sim *s)
{
    s->server[0].st_ss_source = true;
    die(s, 0);
}
static void stop_primary(struct sim *s)
{
    server_kill(s, &s->server[0], true, false); /* in order: its numbers are not given again */
}
static void errant_at_compare(struct sim *s, const struct plan_run *run, uint32_t row)
{
    if (is_row(run, row, PLAN_REJOIN, STEP_COMPARE) && s->server[0].errant_at == STAY_NEVER)
        errant(s, 0);
}
static void strand_and_kill(struct sim *s)
{
    for (uint32_t n = 1; n < s->setup.servers; n++)
        cut(s, 0, n, 1);
}
static void strand_tick(struct sim *s, uint32_t second)
{
    if (second == 1) {
        die(s, 0);
        for (uint32_t n = 1; n < s->setup.servers; n++)
            cut(s, 0, n, -1);
    }
    back_later(s, second);
}
static void follow_other(struct sim *s)
{
    replica_change(s, &s->server[2], 1);
    replica_start_receiver(s, &s->server[2]);
    replica_start_applier(s, &s->server[2]);
}
static void errant_at_freeze(struct sim *s, const struct plan_run *run, uint32_t row)
{
    if (is_row(run, row, PLAN_REPOINT, STEP_FREEZE))
        errant(s, 2);
}
static void adopt_tick(struct sim *s, uint32_t second)
{
    (void)second;
    if (!s->store.record.adopted)
        order(s, PLAN_ADOPT, NO_NODE, false);
}
static void freeze_acker(struct sim *s)
{
    server_freeze(s, &s->server[1]);
}
static void thaw_acker(struct sim *s, uint32_t second)
{
    if (second == 8)
        server_thaw(s, &s->server[1]);
}
static void close_primary(struct sim *s)
{
    s->server[0].read_only = true;
    s->server[0].super_ro = s->setup.engine == ENGINE_MYSQL;
}
static void fence_primary(struct sim *s)
{
    order(s, PLAN_FENCE, 0, false);
}
static void unfence_tick(struct sim *s, uint32_t second)
{
    if (second == 3)
        order(s, PLAN_UNFENCE, 0, false);
}
static void errant_replica(struct sim *s)
{
    errant(s, 2);
}
static void stop_applier(struct sim *s)
{
    replica_stop_applier(s, &s->server[1]);
}
/* The primary and the replica answer us, not each other. */
static void part_acker(struct sim *s)
{
    net_block(s, 0, 1, 1);
    net_block(s, 1, 0, 1);
}
static void unpart_acker(struct sim *s, uint32_t second)
{
    if (second == 12) {
        net_block(s, 0, 1, -1);
        net_block(s, 1, 0, -1);
        net_healed(s);
    }
}
static void reseed(struct sim *s)
{
    order(s, PLAN_RESEED, 2, false);
}

/* A server holds what the primary lacks and is set aside for it; a human has that undone. What a
 * hand left on it is cleared first. */
static void source_role(struct sim *s, uint32_t n)
{
    if (server_alive(&s->server[n]) && s->server[n].read_only)
        server_ss_set(s, &s->server[n], true, false);
}
static void rewind_when_aside(struct sim *s, uint32_t n, uint32_t second)
{
    if (s->store.record.quarantine[n] == QUARANTINE_NONE || second < 5)
        return;
    if (second == 7)
        source_role(s, n);
    if (second >= 8)
        order(s, PLAN_REWIND, n, false);
}
static void rewind_replica(struct sim *s, uint32_t second)
{
    rewind_when_aside(s, 2, second);
}
static void rewind_returner(struct sim *s, uint32_t second)
{
    strand_tick(s, second);
    rewind_when_aside(s, 0, second);
}

static void drift(struct sim *s)
{
    s->server[0].drifts = true;
    for (int64_t i = 0; i < 3; i++) /* asked again when a controller that was frozen is released */
        sim_at(s, s->now + (30 + 10 * i) * STAY_SECOND, EV_CONFORM, 0, 0, 0, 0);
}
static void conform_tick(struct sim *s, uint32_t second)
{
    if (second > 1 && s->server[0].drifts)
        order(s, PLAN_CONFORM, 0, false);
}

static void kill_all(struct sim *s)
{
    for (uint32_t n = 0; n < s->setup.servers; n++)
        die(s, n);
}
static void recover_tick(struct sim *s, uint32_t second)
{
    for (uint32_t n = 0; n < s->setup.servers && second == 2; n++)
        rise(s, n);
    if (second > 3 && controller_runs(s) && !executor_is_busy(s->controller.exec))
        fault_recover(s, false);
}

/* Not all of them come back, or not soon: a human goes on without the rest. */
static void recover_without(struct sim *s, uint32_t second, uint32_t away)
{
    for (uint32_t n = 0; n < s->setup.servers && second == 2; n++)
        if (!(away >> n & 1))
            rise(s, n);
    for (uint32_t n = 0; n < s->setup.servers && second == 14; n++)
        if ((away >> n & 1) && !s->server[n].up)
            rise(s, n);
    if (second > 3 && controller_runs(s) && !executor_is_busy(s->controller.exec))
        fault_recover(s, true);
}
static void without_primary(struct sim *s, uint32_t second)
{
    recover_without(s, second, 1);
}
static void without_ackers(struct sim *s, uint32_t second)
{
    recover_without(s, second, 1 | 4);
}
/* db2 lacks what the witness holds, who may not be the primary. */
static void behind_all(struct sim *s, uint32_t second)
{
    if (second == 1)
        kill_all(s);
    if (second == 1)
        cut(s, 0, 1, -1);
    recover_without(s, second, 1);
}
static void primary_back_at_detach(struct sim *s, const struct plan_run *run, uint32_t row)
{
    if (!is_row(run, row, PLAN_RECOVER, STEP_DETACH) || s->server[0].up)
        return;
    rise(s, 0);
    s->setup.lane_us = 300 * STAY_MS;
}
static void kill_all_with_roles(struct sim *s)
{
    for (uint32_t n = 0; n < s->setup.servers; n++)
        s->server[n].st_ss_source = true;
    kill_all(s);
}
static void dies_at_drain(struct sim *s, const struct plan_run *run, uint32_t row)
{
    if (is_row(run, row, PLAN_RECOVER, STEP_DRAIN) && s->server[2].life < 3)
        die(s, 2); /* nobody knows what it executed; it is back when it is asked once more */
    if (!is_row(run, row, PLAN_RECOVER, STEP_COLLECT) || s->server[2].up)
        return;
    rise(s, 2);
    s->setup.lane_us = 20 * STAY_MS;
}
static void primary_back_first(struct sim *s, const struct plan_run *run, uint32_t row)
{
    dies_at_drain(s, run, row);
    if (!is_row(run, row, PLAN_RECOVER, STEP_HOOK_PRE) || s->server[0].up)
        return;
    rise(s, 0);
    s->setup.lane_us = 300 * STAY_MS; /* it is seen before its fence's turn comes */
}
static void back_after_drain(struct sim *s, uint32_t second)
{
    recover_tick(s, second);
    if (second == 14 && !s->server[2].up)
        rise(s, 2);
}

#define BOTH ENGINE_COUNT
static const struct crash_stage stages[] = {
    {"primary killed", PLAN_FAILOVER, BOTH, LAYOUT_WITNESS, 0, 0, 0, kill_primary, NULL, NULL},
    {"forced, primary well", PLAN_FAILOVER, BOTH, LAYOUT_WITNESS, 0, true, 0, forced, NULL, NULL},
    {"primary back meanwhile", PLAN_FAILOVER, BOTH, LAYOUT_WITNESS, 0, 0, 0, kill_primary, NULL,
     back_at_detach},
    {"candidate behind", PLAN_FAILOVER, BOTH, LAYOUT_WITNESS, 0, 0, 0, lag_and_kill,
     lag_and_kill_tick, NULL},
    {"last acker dies", PLAN_FAILOVER, BOTH, LAYOUT_WITNESS, 0, 0, 0, kill_primary, NULL,
     acker_dies},
    {"bystander away", PLAN_FAILOVER, BOTH, LAYOUT_OWN_ZONE, 0, 0, 0, kill_primary, NULL,
     bystander_away},
    {"ordered", PLAN_SWITCHOVER, BOTH, LAYOUT_WITNESS, 0, 0, 0, swap, NULL, NULL},
    {"returner", PLAN_REJOIN, BOTH, LAYOUT_WITNESS, 0, 0, 0, kill_primary, back_later, NULL},
    {"returner with source role", PLAN_REJOIN, BOTH, LAYOUT_WITNESS, 0, 0, 0, kill_with_role,
     back_later, NULL},
    {"returner with a tail", PLAN_REJOIN, ENGINE_MYSQL, LAYOUT_WITNESS, 0, 0, 0, strand_and_kill,
     strand_tick, NULL},
    {"returner, errant", PLAN_REJOIN, ENGINE_MARIADB, LAYOUT_WITNESS, 0, 0, 0, stop_primary,
     back_later, errant_at_compare},
    {"wrong source", PLAN_REPOINT, BOTH, LAYOUT_WITNESS, 0, 0, 0, follow_other, NULL, NULL},
    {"wrong source, errant", PLAN_REPOINT, BOTH, LAYOUT_WITNESS, 0, 0, 0, follow_other, NULL,
     errant_at_freeze},
    {"ordered", PLAN_ADOPT, BOTH, LAYOUT_WITNESS, true, 0, 0, NULL, adopt_tick, NULL},
    {"acker frozen", PLAN_MODE_DEGRADE, BOTH, LAYOUT_PAIR, 0, 0, 0, freeze_acker, thaw_acker, NULL},
    {"acker back", PLAN_MODE_RESTORE, BOTH, LAYOUT_PAIR, 0, 0, 0, freeze_acker, thaw_acker, NULL},
    {"closed by hand", PLAN_MAKE_WRITABLE, BOTH, LAYOUT_WITNESS, 0, 0, 0, close_primary, NULL,
     NULL},
    {"ordered", PLAN_FENCE, BOTH, LAYOUT_WITNESS, 0, 0, 0, fence_primary, NULL, NULL},
    {"ordered", PLAN_UNFENCE, BOTH, LAYOUT_WITNESS, 0, 0, 0, fence_primary, unfence_tick, NULL},
    {"errant replica", PLAN_QUARANTINE, BOTH, LAYOUT_WITNESS, 0, 0, 0, errant_replica, NULL, NULL},
    {"applier stopped", PLAN_START_APPLIER, BOTH, LAYOUT_WITNESS, 0, 0, 0, stop_applier, NULL,
     NULL},
    {"acker parted", PLAN_END_STREAM, ENGINE_MARIADB, LAYOUT_WITNESS, 0, 0, 0, part_acker,
     unpart_acker, NULL},
    {"roles off", PLAN_REPAIR_ACKER, BOTH, LAYOUT_WITNESS, 0, 0, 0, roles_off, NULL, NULL},
    {"all killed", PLAN_RECOVER, BOTH, LAYOUT_WITNESS, 0, 0, true, kill_all, recover_tick, NULL},
    {"candidate behind", PLAN_RECOVER, BOTH, LAYOUT_WITNESS, 0, true, true, lag_and_kill,
     behind_all, NULL},
    {"nobody else back", PLAN_RECOVER, BOTH, LAYOUT_WITNESS, 0, true, true, kill_all_with_roles,
     without_ackers, NULL},
    {"primary back meanwhile", PLAN_RECOVER, BOTH, LAYOUT_WITNESS, 0, true, true, kill_all,
     without_primary, primary_back_at_detach},
    {"primary stays away", PLAN_RECOVER, BOTH, LAYOUT_OWN_ZONE, 0, true, true, kill_all,
     without_primary, NULL},
    {"one dies at the drain", PLAN_RECOVER, BOTH, LAYOUT_OWN_ZONE, 0, true, true, kill_all,
     back_after_drain, dies_at_drain},
    {"primary back first", PLAN_RECOVER, ENGINE_MYSQL, LAYOUT_OWN_ZONE, 0, true, true, kill_all,
     without_primary, primary_back_first},
    {"diverged returner", PLAN_REWIND, ENGINE_MYSQL, LAYOUT_WITNESS, 0, 0, 0, strand_and_kill,
     rewind_returner, NULL},
    {"errant replica", PLAN_REWIND, BOTH, LAYOUT_WITNESS, 0, 0, 0, errant_replica, rewind_replica,
     NULL},
    {"weakened by hand", PLAN_CONFORM, BOTH, LAYOUT_WITNESS, 0, 0, 0, drift, conform_tick, NULL},
    {"ordered", PLAN_RESEED, ENGINE_MYSQL, LAYOUT_WITNESS, 0, true, 0, reseed, NULL, NULL},
};

const struct crash_stage *crash_stages(size_t *ret_count)
{
    *ret_count = STAY_COUNT(stages);
    return stages;
}
