/* Links between hosts: each direction may be blocked by several faults at once (counted), slow or
 * lossy. A lossy link delays as TCP does, it does not corrupt. */
#include "tests/simulation/sim.h"

bool net_ok(const struct sim *s, uint32_t from, uint32_t to)
{
    if (s->block[from][to] > 0)
        return false;
    if (from < SIM_SERVERS && s->server[from].silent)
        return false;
    return !(to < SIM_SERVERS && s->server[to].silent);
}

bool net_both(const struct sim *s, uint32_t a, uint32_t b)
{
    return net_ok(s, a, b) && net_ok(s, b, a);
}

int64_t net_delay(struct sim *s, uint32_t from, uint32_t to)
{
    uint64_t draw = random_u64(&s->random);
    int64_t delay = 150 + (int64_t)(draw % 700) + s->slow_us[from][to];
    if (s->loss_ppm[from][to] > 0 && (draw >> 32) % 1000000 < s->loss_ppm[from][to])
        delay += 200 * STAY_MS + (int64_t)((draw >> 16) % 200000);
    return delay;
}

void net_block(struct sim *s, uint32_t from, uint32_t to, int step)
{
    s->block[from][to] = (uint8_t)(s->block[from][to] + step);
}

void net_block_zone(struct sim *s, const char *zone, int step)
{
    for (uint32_t i = 0; i < SIM_HOSTS; i++)
        for (uint32_t j = 0; j < SIM_HOSTS; j++)
            if ((strcmp(s->zone[i], zone) == 0) != (strcmp(s->zone[j], zone) == 0))
                net_block(s, i, j, step);
}

void net_healed(struct sim *s)
{
    for (uint32_t i = 0; i < s->setup.servers; i++) {
        struct sim_server *v = &s->server[i];
        for (uint32_t r = 0; r < s->setup.servers; r++) {
            struct sim_dump *d = &v->dump[r];
            if (!d->open)
                continue;
            if (d->ack_stalled && net_ok(s, r, i)) {
                d->ack_stalled = false;
                sim_at(s, s->now + net_delay(s, r, i), EV_ACK, i, r, d->gen, d->ack_pos);
            }
            replica_pump(s, v, r);
        }
    }
}
