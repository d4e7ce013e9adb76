/* base/io/real_random.c - randomness from the kernel. */
#include "base/io/real_random.h"
#include <errno.h>
#include <sys/random.h>

void real_random_bytes(void *dst, size_t length)
{
    uint8_t *at = dst;
    while (length > 0) {
        ssize_t n = getrandom(at, length, 0);
        if (n < 0 && errno == EINTR)
            continue;
        must(n > 0);
        at += n;
        length -= (size_t)n;
    }
}

uint64_t real_random_seed(void)
{
    uint64_t seed;
    real_random_bytes(&seed, sizeof seed);
    return seed;
}

void real_random_init(struct random *r)
{
    random_init(r, real_random_seed());
}
