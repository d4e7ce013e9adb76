/* base/clock.h - the clock as an interface: the real one lives in base/io, the fake one in tests.
 *
 * Pure (it only calls what it is given). Layer: base. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H
#include "base/base.h"

struct clock {
    int64_t (*mono_us)(void *user); /* never goes back; starts anywhere */
    int64_t (*wall_us)(void *user); /* since 1970-01-01T00:00:00Z; may jump */
    void *user;
};

static inline int64_t clock_mono_us(const struct clock *c)
{
    return c->mono_us(c->user);
}

static inline int64_t clock_wall_us(const struct clock *c)
{
    return c->wall_us(c->user);
}

#endif
