/* Kinds of life drawn from random streams of their own, so that every other life stays what it was
 * when one is added. */
#include "tests/simulation/sim.h"

/* The controller dies before or after the first of these steps. */
static void crash_at(struct sim_setup *u, struct random *own, enum step_kind step)
{
    u->faults |= UINT64_C(1) << FAULT_CRASH_POINT;
    u->crash_step = step;
    u->crash_side = (uint32_t)random_below(own, 2);
    u->crash_at = 0;
}

/* From a stream of its own: every other life stays what it was. */
void draw_returner(struct sim *s)
{
    struct random own;
    struct sim_setup *u = &s->setup;
    random_init(&own, u->seed ^ UINT64_C(0x72657475726e));
    u->script_returner = !u->plain && !u->quiet && !u->script_shutdown && !u->script_top_up &&
                         !u->script_degrade && random_below(&own, 100) < 2;
}

void draw_reseed(struct sim *s)
{
    struct random own;
    struct sim_setup *u = &s->setup;
    random_init(&own, u->seed ^ UINT64_C(0x726573656564));
    u->script_reseed = !u->plain && !u->quiet && u->script == SCRIPT_NONE &&
                       random_below(&own, 100) < 4;
    for (int64_t i = 0; u->script_reseed && i < 3; i++)
        sim_at(s, s->now + (4 * i + 1) * STAY_SECOND + random_between(&own, 0, 4 * STAY_SECOND),
               EV_RESEED, 0, 0, 0, 0);
    static const enum step_kind steps[] = {STEP_COPY, STEP_COPY_STOP, STEP_ADMIT};
    if (u->script_reseed && random_below(&own, 3) == 0)
        crash_at(u, &own, steps[random_below(&own, STAY_COUNT(steps))]);
}

/* All servers lose power or are killed within a second, the controller perhaps too; some come back
 * before the rest. From a stream of its own. */
void draw_outage(struct sim *s)
{
    struct random own;
    struct sim_setup *u = &s->setup;
    random_init(&own, u->seed ^ UINT64_C(0x6f7574616765));
    bool may = u->script == SCRIPT_NONE && !u->plain && !u->quiet && !u->script_shutdown &&
               !u->script_top_up && !u->script_degrade && !u->script_returner && !u->adopt_first;
    bool drawn = random_below(&own, 100) < 3;
    u->outage_seed = random_u64(&own);
    if (may && drawn && !u->script_outage && random_below(&own, 100) < 70)
        u->faults = 0; /* nothing else: who may tell what is known then */
    u->script_outage = may && (drawn || u->script_outage);
}

/* Somebody weakens a setting of one server; an operator has it set right, twice. */
void draw_conform(struct sim *s)
{
    struct random own;
    struct sim_setup *u = &s->setup;
    random_init(&own, u->seed ^ UINT64_C(0x636f6e666f726d));
    if (u->plain || u->quiet || random_below(&own, 100) >= 4)
        return;
    uint32_t node = (uint32_t)random_below(&own, u->servers);
    s->server[node].drifts = true;
    s->server[random_below(&own, u->servers)].disk_low = random_below(&own, 100) < 50;
    for (int64_t i = 0; i < 2; i++)
        sim_at(s, s->now + 4 * STAY_SECOND + random_between(&own, 0, 8 * STAY_SECOND), EV_CONFORM,
               node, 0, 0, 0);
    if (random_below(&own, 4) == 0)
        crash_at(u, &own, STEP_SET_VARIABLES);
}

/* The configuration asks for less by a reload; from a stream of its own. */
void draw_lowered(struct sim *s)
{
    struct random own;
    struct sim_setup *u = &s->setup;
    random_init(&own, u->seed ^ UINT64_C(0x6c6f776572));
    if (!u->plain && !u->quiet && u->script == SCRIPT_NONE &&
        s->config.mode == MODE_LOSSLESS && random_below(&own, 100) < 2)
        sim_at(s, s->now + random_between(&own, 1 * STAY_SECOND, 12 * STAY_SECOND), EV_LOWERED, 0,
               0, 0, 0);
}

void roles_off(struct sim *s)
{
    for (uint32_t n = 0; n < s->setup.servers; n++) {
        struct sim_server *v = &s->server[n];
        if (!v->up || v->frozen || !v->read_only || !v->receiver_on)
            continue;
        v->ss_replica = false;
        replica_stop_receiver(s, v);
        replica_start_receiver(s, v);
    }
}

/* Somebody takes the replica role from every replica, which go on receiving: commits wait although
 * everybody follows. From a stream of its own. */
void draw_roles_off(struct sim *s)
{
    struct random own;
    struct sim_setup *u = &s->setup;
    random_init(&own, u->seed ^ UINT64_C(0x726f6c65736f6666));
    if (u->plain || u->quiet || u->script != SCRIPT_NONE || random_below(&own, 100) >= 4)
        return;
    for (int64_t i = 0; i < 2; i++)
        sim_at(s, s->now + random_between(&own, 2 * STAY_SECOND, 14 * STAY_SECOND), EV_ROLES_OFF, 0,
               0, 0, 0);
    if (random_below(&own, 3) == 0)
        crash_at(u, &own, STEP_ACKNOWLEDGE);
}

/* A replica is parted from the primary long enough to notice; the source goes on serving what it
 * lost. From a stream of its own. */
void draw_parted(struct sim *s)
{
    struct random own;
    struct sim_setup *u = &s->setup;
    random_init(&own, u->seed ^ UINT64_C(0x706172746564));
    if (u->plain || u->quiet || u->script != SCRIPT_NONE || u->engine != ENGINE_MARIADB ||
        s->config.mode != MODE_LOSSLESS || s->fault_n >= STAY_COUNT(s->fault) ||
        random_below(&own, 100) >= 4)
        return;
    struct sim_fault_run *f = &s->fault[s->fault_n];
    *f = (struct sim_fault_run){.fault = FAULT_CUT_REPLICA, .placed = true, .x = s->line};
    f->y = (f->x + 1 + (uint32_t)random_below(&own, u->servers - 1)) % u->servers;
    f->begun = s->now + (int64_t)random_between(&own, 2 * STAY_SECOND, 9 * STAY_SECOND);
    f->until = f->begun + (int64_t)random_between(&own, 6 * STAY_SECOND, 12 * STAY_SECOND);
    sim_at(s, f->begun, EV_FAULT, s->fault_n++, 0, 0, 0);
    if (random_below(&own, 3) == 0)
        crash_at(u, &own, STEP_END_STREAM);
}

/* A configuration that relieves a sick primary alone, soon. From a stream of its own. */
void draw_relieve(struct sim *s)
{
    struct random own;
    random_init(&own, s->setup.seed ^ UINT64_C(0x72656c69657665));
    if (s->setup.plain || s->setup.quiet || random_below(&own, 100) >= 20)
        return;
    s->config.relieve_stalled =
        random_below(&own, 2) == 0 ? RELIEVE_SWITCHOVER : RELIEVE_FAILOVER;
    s->config.relieve_after_us = (int64_t)random_between(&own, 2 * STAY_SECOND, 5 * STAY_SECOND);
    s->config.relieve_disk = random_below(&own, 2) == 0 ? RELIEVE_ALERT : RELIEVE_SWITCHOVER;
}
