/* The simulator's draws without chance: a generator whose first word is 0 gives the middle of every
 * span, and its second word chooses the low end instead. Seeded as usual it is base/random.c's
 * generator in spirit: the same draws for the same seed, for the time after a heal. Linked in place
 * of base/random.c. */
#include "base/random.h"

void random_init(struct random *r, uint64_t seed)
{
    *r = (struct random){{seed * UINT64_C(0x9e3779b97f4a7c15) | 1, 0, 0, 0}};
}

uint64_t random_u64(struct random *r)
{
    uint64_t z = r->state[0];
    if (z == 0)
        return 0;
    z ^= z << 13;
    z ^= z >> 7;
    z ^= z << 17;
    r->state[0] = z;
    return z * UINT64_C(0x2545f4914f6cdd1d);
}

uint64_t random_below(struct random *r, uint64_t bound)
{
    must(bound >= 1);
    if (r->state[0] != 0)
        return random_u64(r) % bound;
    return r->state[1] != 0 ? 0 : bound / 2;
}

int64_t random_between(struct random *r, int64_t low, int64_t high)
{
    must(low <= high);
    return low + (int64_t)random_below(r, (uint64_t)(high - low) + 1);
}

bool random_chance(struct random *r, uint32_t parts_per_million)
{
    return random_below(r, 1000000) < parts_per_million;
}
