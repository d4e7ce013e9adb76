/* The dispatcher of effects. */
#include "base/base.h"
#include "base/io/loop.h"
#include "base/io/timer.h"
#include "controller/act/effects.h"

struct effects {
    struct loop *loop;
    struct effects_node_set *nodes;
};

struct effects *effects_new(struct loop *loop)
{
    struct effects *e = stay_calloc(1, sizeof *e);
    e->loop = loop;
    e->nodes = effects_node_new(loop);
    return e;
}

void effects_free(struct effects *e, int64_t wait_us)
{
    if (!e)
        return;
    effects_node_free(e->nodes, wait_us);
    free(e);
}

void effects_configure(struct effects *e, const struct effects_cluster *cluster)
{
    effects_node_configure(e->nodes, cluster);
}

void effects_forget(struct effects *e, const char *cluster)
{
    effects_node_forget(e->nodes, cluster);
}

/* An answer that needs no work, given in the loop's next turn. */
struct instant {
    struct timer *timer;
    uint64_t token;
    effects_done_fn done;
    void *arg;
    struct effect_result result;
};

static void on_instant(struct timer *timer, void *arg)
{
    struct instant *i = arg;
    i->done(i->arg, i->token, &i->result);
    timer_free(timer);
    free(i);
}

static void answer_instantly(struct effects *e, uint64_t token, enum outcome outcome,
                             const char *text, effects_done_fn done, void *arg)
{
    struct instant *i = stay_calloc(1, sizeof *i);
    i->token = token;
    i->done = done;
    i->arg = arg;
    i->result.outcome = outcome;
    (void)stay_copy(i->result.text, sizeof i->result.text, text);
    i->timer = timer_new(e->loop, on_instant, i);
    timer_start(i->timer, loop_now_mono_us(e->loop));
}

void effects_start(struct effects *e, const char *cluster, uint64_t token,
                   const struct effect *effect, effects_done_fn done, void *arg)
{
    switch (step_kind_class(effect->step)) {
    case CLASS_NODE:
        effects_node_start(e->nodes, cluster, token, effect, done, arg);
        break;
    case CLASS_ROUTE:
        answer_instantly(e, token, OUTCOME_DONE, "no route is configured", done, arg);
        break;
    case CLASS_PURE:
    case CLASS_STORE:
        answer_instantly(e, token, OUTCOME_NOT_DONE, "not an effect", done, arg);
        break;
    }
}
