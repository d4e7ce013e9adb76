/* The dispatcher of effects. */
#include "base/base.h"
#include "base/name_table.h"
#include "base/io/loop.h"
#include "base/io/timer.h"
#include "controller/act/effects.h"
#include "controller/act/effects_copy.h"
#include "controller/act/effects_errant.h"

#define SAVE_DEADLINE_US   (3600 * STAY_SECOND)
#define VERIFY_DEADLINE_US (24 * INT64_C(3600) * STAY_SECOND)

struct known_cluster {
    struct name_link link;
    const struct settings_cluster *settings; /* borrowed; as configured last */
};

struct effects {
    struct loop *loop;
    struct effects_node_set *nodes;
    struct effects_route_set *routes;
    struct effects_copy_set *copies;
    struct effects_errant_set *errants; /* NULL: not kept */
    struct name_table clusters;
};

struct effects *effects_new(struct loop *loop)
{
    struct effects *e = stay_calloc(1, sizeof *e);
    e->loop = loop;
    e->nodes = effects_node_new(loop);
    e->routes = effects_route_new(loop);
    e->copies = effects_copy_new(loop, e->nodes);
    return e;
}

void effects_keep_errant(struct effects *e, const char *dir)
{
    must(e->errants == NULL);
    e->errants = effects_errant_new(e->loop, dir);
}

static const struct settings_cluster *settings_of(const struct effects *e, const char *name)
{
    const struct known_cluster *c = name_table_find(&e->clusters, name);
    return c == NULL ? NULL : c->settings;
}

static void keep_settings(struct effects *e, const struct settings_cluster *settings)
{
    struct known_cluster *c = name_table_find(&e->clusters, settings->config.name);
    if (c == NULL) {
        c = stay_calloc(1, sizeof *c);
        name_table_put(&e->clusters, &c->link, settings->config.name);
    }
    c->settings = settings;
}

void effects_free(struct effects *e, int64_t wait_us)
{
    if (!e)
        return;
    effects_node_free(e->nodes, wait_us);
    effects_copy_free(e->copies);
    effects_route_free(e->routes, wait_us);
    effects_errant_free(e->errants);
    for (struct known_cluster *c; (c = name_table_drain(&e->clusters)) != NULL;)
        free(c);
    free(e);
}

static void set_account(struct mysql_account *dst, const struct settings_account *src)
{
    (void)stay_copy(dst->user, sizeof dst->user, src->user);
    (void)stay_copy(dst->password, sizeof dst->password, src->password.text);
}

void effects_configure(struct effects *e, const struct settings_cluster *settings)
{
    struct effects_cluster *cluster = stay_calloc(1, sizeof *cluster);
    cluster->config = &settings->config;
    set_account(&cluster->monitor, &settings->accounts[ACCOUNT_MONITOR]);
    set_account(&cluster->canary, &settings->accounts[ACCOUNT_CANARY]);
    set_account(&cluster->operate, &settings->accounts[ACCOUNT_OPERATE]);
    set_account(&cluster->replicate, &settings->accounts[ACCOUNT_REPLICATE]);
    set_account(&cluster->backup, &settings->accounts[ACCOUNT_BACKUP]);
    (void)stay_copy(cluster->ca, sizeof cluster->ca, settings->tls.ca);
    (void)stay_copy(cluster->cert, sizeof cluster->cert, settings->tls.cert);
    (void)stay_copy(cluster->key, sizeof cluster->key, settings->tls.key);
    cluster->tls_required = settings->tls.required;
    cluster->verify_name = settings->tls.verify_name;
    effects_node_configure(e->nodes, cluster);
    effects_route_configure(e->routes, settings);
    effects_copy_configure(e->copies, settings);
    keep_settings(e, settings);
    explicit_bzero(cluster, sizeof *cluster);
    free(cluster);
}

void effects_forget(struct effects *e, const char *cluster)
{
    effects_node_forget(e->nodes, cluster);
    effects_route_forget(e->routes, cluster);
    effects_copy_forget(e->copies, cluster);
    free(name_table_take(&e->clusters, cluster));
}

void effects_route(struct effects *e, const char *cluster, uint32_t primary, uint64_t epoch,
                   uint32_t readers)
{
    effects_route_intend(e->routes, cluster, primary, epoch, readers);
}

void effects_look_at_routes(const struct effects *e, const char *cluster,
                            struct route_stats *ret_stats)
{
    effects_route_stats(e->routes, cluster, ret_stats);
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

static void answer_instantly(struct effects *e, uint64_t token, const struct effect_result *result,
                             effects_done_fn done, void *arg)
{
    struct instant *i = stay_calloc(1, sizeof *i);
    i->token = token;
    i->done = done;
    i->arg = arg;
    i->result = *result;
    i->timer = timer_new(e->loop, on_instant, i);
    timer_start(i->timer, loop_now_mono_us(e->loop));
}

void effects_expect(struct effects *e, const char *cluster, bool is_expected)
{
    effects_node_expect(e->nodes, cluster, is_expected);
}

void effects_start(struct effects *e, const char *cluster, uint64_t token,
                   const struct effect *effect, effects_done_fn done, void *arg)
{
    struct effect_result result = {.outcome = OUTCOME_NOT_DONE, .text = "not an effect"};
    bool is_rewind = effect->step == STEP_COPY_STOP && effect->plan == PLAN_REWIND;
    if (is_rewind && e->errants != NULL) /* then its server is closed again */
        effects_errant_stop(e->errants, cluster, effect->node);
    if ((effect->step == STEP_COPY || effect->step == STEP_COPY_STOP) && !is_rewind) {
        if (effects_copy_start(e->copies, cluster, token, effect, done, arg, &result))
            answer_instantly(e, token, &result, done, arg);
        return;
    }
    const struct settings_cluster *settings = settings_of(e, cluster);
    if (effect->step == STEP_REWIND && settings != NULL && e->errants != NULL) {
        effects_errant_rewind(e->errants, settings, effect, &result);
        answer_instantly(e, token, &result, done, arg);
        return;
    }
    switch (step_kind_class(effect->step)) {
    case CLASS_NODE:
        effects_node_start(e->nodes, cluster, token, effect, done, arg);
        break;
    case CLASS_ROUTE:
        effects_route_start(e->routes, cluster, token, effect, done, arg);
        break;
    case CLASS_PURE:
    case CLASS_STORE:
        answer_instantly(e, token, &result, done, arg);
        break;
    }
}

void effects_errant_job(struct effects *e, const char *cluster, const struct errant_order *order,
                        uint32_t node, uint32_t primary, uint64_t epoch,
                        const struct gtid_set *known, effects_done_fn done, void *arg)
{
    const struct settings_cluster *settings = settings_of(e, cluster);
    int64_t within_us = order->verb == ERRANT_VERIFY ? VERIFY_DEADLINE_US : SAVE_DEADLINE_US;
    struct effect effect = {.step = STEP_REWIND,
                            .node = node,
                            .peer = primary,
                            .epoch = epoch,
                            .want = known,
                            .deadline_mono_us = loop_now_mono_us(e->loop) + within_us};
    if (settings != NULL && e->errants != NULL)
        effects_errant_start(e->errants, settings, 0, &effect, order, done, arg);
    else
        answer_instantly(
            e, 0, &(struct effect_result){.outcome = OUTCOME_NOT_DONE, .text = "no such cluster"},
            done, arg);
}
