/* base/io/real_clock.c - this machine's clocks. */
#include "base/io/real_clock.h"

static int64_t read_us(clockid_t id)
{
    struct timespec t;
    must(clock_gettime(id, &t) == 0);
    return (int64_t)t.tv_sec * STAY_SECOND + t.tv_nsec / 1000;
}

int64_t real_clock_mono_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

int64_t real_clock_wall_us(void)
{
    return read_us(CLOCK_REALTIME);
}

static int64_t mono(void *user)
{
    (void)user;
    return real_clock_mono_us();
}

static int64_t wall(void *user)
{
    (void)user;
    return real_clock_wall_us();
}

const struct clock *real_clock(void)
{
    static const struct clock c = {.mono_us = mono, .wall_us = wall, .user = NULL};
    return &c;
}
