/* base/random.c - xoshiro256** seeded by splitmix64, after Blackman and Vigna's description. */
#include "base/random.h"

static uint64_t rotate(uint64_t v, unsigned by)
{
    return v << by | v >> (64 - by);
}

void random_init(struct random *r, uint64_t seed)
{
    for (size_t i = 0; i < STAY_COUNT(r->state); i++) {
        seed += UINT64_C(0x9e3779b97f4a7c15);
        uint64_t z = seed;
        z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
        r->state[i] = z ^ z >> 31;
    }
}

uint64_t random_u64(struct random *r)
{
    uint64_t *s = r->state;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

uint64_t random_below(struct random *r, uint64_t bound)
{
    must(bound >= 1);
    uint64_t reject = (UINT64_C(0) - bound) % bound; /* 2^64 mod bound */
    uint64_t v;
    do {
        v = random_u64(r);
    } while (v < reject);
    return v % bound;
}

int64_t random_between(struct random *r, int64_t low, int64_t high)
{
    must(low <= high);
    uint64_t span = (uint64_t)high - (uint64_t)low;
    uint64_t v = span == UINT64_MAX ? random_u64(r) : random_below(r, span + 1);
    return (int64_t)((uint64_t)low + v);
}

bool random_chance(struct random *r, uint32_t parts_per_million)
{
    return random_below(r, 1000000) < parts_per_million;
}
