/* tests/unit/base/io/loop_world.h - a loop of its own for each test; header-only, included by one
 * test program each. */
#ifndef TESTS_LOOP_WORLD_H
#define TESTS_LOOP_WORLD_H
#include "base/io/loop.h"

static struct loop loop;

static inline int setup(void **state)
{
    (void)state;
    return loop_init(&loop, NULL) == STAY_OK ? 0 : -1;
}

static inline int teardown(void **state)
{
    (void)state;
    loop_close(&loop);
    return 0;
}

#endif
