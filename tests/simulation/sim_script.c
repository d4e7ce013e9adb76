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

/* The candidate falls behind another replica, then the primary dies: it must be topped up. Or every
 * replica goes away for longer than an acker may. */
void fault_scripts(struct sim *s)
{
    int64_t t = s->now + sim_span(s, 2 * STAY_SECOND, 4 * STAY_SECOND);
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
    for (uint32_t n = 1; s->setup.script_degrade && n < s->setup.servers; n++) {
        int64_t back = t + sim_span(s, 6 * STAY_SECOND, 9 * STAY_SECOND);
        place(s, sim_percent(s, 50) ? FAULT_FREEZE : FAULT_CUT_NODE, n, 0, t, back);
        if (fault_at_restore(s)) /* it is connected again long before it has everything */
            place(s, FAULT_SLOW_LINK, 0, n, back - STAY_SECOND, back + 9 * STAY_SECOND);
    }
}
