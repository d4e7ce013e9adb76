/* tests/unit/controller/decide/cluster_world.h - the healthy cluster that each test of the view's
 * folding begins with; header-only, included by one test program each. */
#ifndef TESTS_CLUSTER_WORLD_H
#define TESTS_CLUSTER_WORLD_H
#include "view_fixture.h"

static struct world w;

static inline int setup(void **state)
{
    (void)state;
    world_init(&w, ENGINE_MARIADB);
    healthy(&w, 2);
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    world_clear(&w);
    return 0;
}

static inline struct node_view *db(uint32_t n)
{
    return &w.view.nodes[n - 1];
}

#endif
