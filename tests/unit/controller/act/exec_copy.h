/* tests/unit/controller/act/exec_copy.h - what a reseed's copy does to a server of the executor
 * tests. Part of exec_servers.h. */
#ifndef TESTS_EXEC_COPY_H
#define TESTS_EXEC_COPY_H
#include "tests/unit/controller/act/exec_servers.h"

static inline bool world_copies(const struct effect *e)
{
    return e->step == STEP_COPY || e->step == STEP_COPY_STOP;
}

/* A copy is there when it is looked at again in the name of the same plan. */
static enum outcome world_copy(struct world *w, const struct effect *e)
{
    struct world_server *s = &w->servers[e->node];
    if (e->step == STEP_COPY && s->copy_epoch == e->epoch) {
        gtid_set_copy(&s->executed, &w->servers[e->peer].executed);
        s->copied_from = e->peer;
        return OUTCOME_DONE;
    }
    s->copy_epoch = e->step == STEP_COPY ? e->epoch : 0;
    return e->step == STEP_COPY ? OUTCOME_NOT_DONE : OUTCOME_DONE;
}

#endif
