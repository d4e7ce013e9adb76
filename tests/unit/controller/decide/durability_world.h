/* tests/unit/controller/decide/durability_world.h - a lossless cluster whose durability watch is
 * turned by hand; header-only, included by one test program each. */
#ifndef TESTS_DURABILITY_WORLD_H
#define TESTS_DURABILITY_WORLD_H
#include "decide_world.h"

static inline int setup_mysql(void **state)
{
    (void)state;
    world_init(&w, ENGINE_MYSQL);
    healthy(&w, 3);
    return 0;
}

/* A turn whose record is stored at once. */
static inline struct decision turn(void)
{
    struct decision d = judge(&w);
    if (d.record_changed)
        cluster_set_record(&w.view, &d.record);
    return d;
}

static inline void next_round(void)
{
    w.now += MS(496);
    see_all(&w);
}

static inline bool stands(void)
{
    return w.view.record.lossless_stands;
}

static inline void unset(void)
{
    struct cluster_record record = w.view.record;
    record.lossless_stands = false;
    record.ackers = 0;
    cluster_set_record(&w.view, &record);
}

#endif
