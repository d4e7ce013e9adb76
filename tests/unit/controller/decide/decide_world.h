/* tests/unit/controller/decide/decide_world.h - three healthy MariaDB nodes, judged turn by turn;
 * header-only, included by one test program each. */
#ifndef TESTS_DECIDE_WORLD_H
#define TESTS_DECIDE_WORLD_H
#include "tests/unit/controller/decide/view_fixture.h"

static struct world w;

static inline int setup(void **state)
{
    (void)state;
    world_init(&w, ENGINE_MARIADB);
    healthy(&w, 3);
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    world_clear(&w);
    return 0;
}

/* One turn beside a run (NULL: none) and the other clusters (NULL: none). */
static inline struct decision judge_with(const struct plan_run *run, const struct fleet *fleet)
{
    struct decision d;
    decide(&w.view, run, fleet, w.now, wall_of(&w), &d);
    return d;
}

/* The primary refuses for 300 ms and its replicas lose it. */
static inline void kill_db1(void)
{
    session_end(&w, 0);
    for (int i = 0; i < 3; i++) {
        w.now += MS(100);
        lose(&w, 0, LAYER_CONNECT, OUT_REFUSED, MS(0));
        for (uint32_t n = 1; n < 3; n++) {
            w.facts[n].receiver = RECEIVER_CONNECTING;
            see(&w, n);
        }
    }
    w.now += MS(2);
}

#endif
