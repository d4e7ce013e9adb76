/* base/random.h - a seeded generator (xoshiro256**): equal seeds give equal sequences everywhere.
 *
 * Pure. Layer: base. Not for secrets; those come from base/io/real_random.h. */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H
#include "base/base.h"

struct random {
    uint64_t state[4];
};

void random_init(struct random *r, uint64_t seed); /* any seed, 0 included */
uint64_t random_u64(struct random *r);
uint64_t random_below(struct random *r, uint64_t bound); /* 0 .. bound-1, unbiased; bound >= 1 */
int64_t random_between(struct random *r, int64_t low, int64_t high); /* both ends included */
/* True with probability parts_per_million / 1,000,000. */
bool random_chance(struct random *r, uint32_t parts_per_million);

#endif
