/* Commits that hang in a MariaDB's disk which takes no write. Measured on 10.11.19 (scenario
 * fact_killed_stuck): their sessions cannot leave; one that was killed there leads a group of
 * commits when the disk works again, waits for no acknowledgement, and the others of that group are
 * answered OK. */
#include "tests/simulation/sim_stall.h"

bool stall_takes(struct sim *s, struct sim_server *v, uint32_t client, uint32_t op)
{
    if (!v->disk_stall || s->setup.engine != ENGINE_MARIADB || v->stuck_n == SIM_STUCK)
        return false;
    v->stuck[v->stuck_n++] = (struct sim_waiter){.client = (uint16_t)client, .op = op};
    return true;
}

uint32_t stall_kill(struct sim_server *v)
{
    uint32_t n = 0;
    for (uint32_t i = 0; v->disk_stall && i < v->stuck_n; i++) {
        n += !v->stuck[i].killed;
        v->stuck[i].killed = true;
    }
    return n;
}

static void goes_on(struct sim *s, struct sim_server *v, struct sim_waiter who, bool is_led)
{
    uint32_t tx = tx_new(s, v->index, TX_CLIENT, who.client, s->now);
    if (tx == SIM_NONE)
        return;
    if (s->client[who.client].op != who.op || who.killed)
        who.client = UINT16_MAX;
    bool waits = !server_flush(s, v, tx, &who);
    if (waits && is_led)
        server_commit_last(s, v);
    else if (!waits && who.client != UINT16_MAX)
        client_reply(s, who.client, who.op, v->index, tx, OUT_OK);
}

void stall_ends(struct sim *s, struct sim_server *v)
{
    bool is_led = false;
    uint32_t n = v->up && !v->frozen ? v->stuck_n : 0;
    v->stuck_n = 0;
    for (uint32_t i = 0; i < n; i++)
        is_led = is_led || v->stuck[i].killed;
    for (uint32_t i = 0; i < n && v->waiter_n < SIM_WAITERS - 2; i++)
        goes_on(s, v, v->stuck[i], is_led);
    v->disk_stall = false;
    sql_close_late(s, v);
}
