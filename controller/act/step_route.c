/* Steps and standing intents of routes. A step: commands to every proxy in parallel -> each answer
 * is compared with what was wanted -> the last one ends the step. The watch: every so often each
 * idle proxy's state is read and, when it is not the intent, corrected.
 *
 * Failure paths: no answer (noted, looked at again by the watch), a backend or server the proxy
 * does not have (said), a cluster forgotten or configured anew while we wait (its answer is
 * dropped). */
#include "base/io/loop.h"
#include "base/io/timer.h"
#include "controller/act/step_route_private.h"

#define WATCH_TICK_US (250 * STAY_MS)

void route_release(struct route_cluster *c)
{
    if (c->set == NULL && c->exchanges == 0 && c->jobs == 0)
        free(c);
}

void route_end_job(struct route_job *job)
{
    struct effect_result result = {.outcome = OUTCOME_DONE};
    struct route_cluster *c = job->cluster;
    if (job->good == 0 && job->bad.length > 0)
        result.outcome = OUTCOME_NOT_DONE;
    (void)stay_copy(result.text, sizeof result.text, str_text(&job->bad));
    c->jobs--;
    if (c->set != NULL)
        job->done(job->arg, job->token, &result);
    str_clear(&job->bad);
    timer_free(job->timer);
    free(job);
    route_release(c);
}

static void watch_cluster(struct route_cluster *c, int64_t now)
{
    if (c->intent.kind == INTENT_LEAVE || c->jobs > 0)
        return;
    for (uint32_t r = 0; r < c->settings->route_count; r++)
        for (uint32_t p = 0; p < c->settings->routes[r].socket_count; p++)
            if (!c->proxies[r][p].is_busy && c->proxies[r][p].watch_mono_us <= now)
                route_ask(c, NULL, r, p, &c->intent, true);
}

static void on_tick(struct timer *timer, void *arg)
{
    struct route_set *set = arg;
    (void)timer;
    for (struct route_cluster *c = NULL; (c = name_table_each(&set->clusters, c)) != NULL;)
        watch_cluster(c, loop_now_mono_us(set->loop));
}

struct route_set *route_new(struct loop *loop)
{
    struct route_set *set = stay_calloc(1, sizeof *set);
    set->loop = loop;
    set->timer = timer_new(loop, on_tick, set);
    timer_start_repeat(set->timer, loop_now_mono_us(loop) + WATCH_TICK_US, WATCH_TICK_US);
    timer_unref(set->timer);
    return set;
}

static void forget(struct route_cluster *c)
{
    c->set = NULL;
    route_release(c);
}

void route_free(struct route_set *set)
{
    if (set == NULL)
        return;
    for (struct route_cluster *c; (c = name_table_drain(&set->clusters)) != NULL;)
        forget(c);
    timer_free(set->timer);
    free(set);
}

void route_configure(struct route_set *set, const struct settings_cluster *cluster)
{
    struct route_cluster *c = name_table_find(&set->clusters, cluster->config.name);
    char primary[NAME_MAX_LEN] = "";
    if (c == NULL) {
        c = stay_calloc(1, sizeof *c);
        c->set = set;
        name_table_put(&set->clusters, &c->link, cluster->config.name);
    } else if (c->intent.kind == INTENT_OPEN) {
        (void)stay_copy(primary, sizeof primary, c->settings->config.nodes[c->intent.primary].name);
    }
    c->generation++;
    c->settings = cluster;
    memset(c->proxies, 0, sizeof c->proxies);
    c->intent.readers = 0; /* indexes are of the old inventory */
    if (c->intent.kind == INTENT_OPEN) {
        c->intent.primary = cluster_node_by_name(&cluster->config, primary);
        if (c->intent.primary == NO_NODE)
            c->intent.kind = INTENT_LEAVE;
    }
}

void route_forget(struct route_set *set, const char *cluster)
{
    struct route_cluster *c = name_table_take(&set->clusters, cluster);
    if (c != NULL)
        forget(c);
}

static void on_instant(struct timer *timer, void *arg)
{
    (void)timer;
    route_end_job(arg);
}

static void end_soon(struct route_set *set, struct route_job *job)
{
    job->timer = timer_new(set->loop, on_instant, job);
    timer_start(job->timer, 0);
}

void route_start(struct route_set *set, const char *cluster, uint64_t token,
                 const struct effect *effect, route_done_fn done, void *arg)
{
    struct route_cluster *c = name_table_find(&set->clusters, cluster);
    bool is_open = effect->step == STEP_ROUTE_OPEN;
    struct route_job *job = stay_calloc(1, sizeof *job);
    must(c != NULL);
    *job = (struct route_job){.cluster = c, .token = token, .done = done, .arg = arg};
    str_init(&job->bad, 200);
    c->jobs++;
    if (effect->epoch < c->epoch_high) {
        str_addf(&job->bad, "epoch %llu is over: %llu was carried out",
                 (unsigned long long)effect->epoch, (unsigned long long)c->epoch_high);
        end_soon(set, job);
        return;
    }
    if (is_open && effect->node >= c->settings->config.node_count) {
        str_add(&job->bad, "no server to open for");
        end_soon(set, job);
        return;
    }
    c->epoch_high = effect->epoch;
    c->intent.kind = is_open ? INTENT_OPEN : INTENT_CLOSED;
    c->intent.primary = is_open ? effect->node : NO_NODE;
    c->intent.readers = 0;
    for (uint32_t r = 0; r < c->settings->route_count; r++)
        for (uint32_t p = 0; p < c->settings->routes[r].socket_count; p++)
            route_ask(c, job, r, p, &c->intent, false);
    if (job->pending == 0)
        end_soon(set, job);
}

void route_intend(struct route_set *set, const char *cluster, uint32_t primary, uint64_t epoch,
                  uint32_t readers)
{
    struct route_cluster *c = name_table_find(&set->clusters, cluster);
    struct route_intent fresh = {.kind = primary == NO_NODE ? INTENT_LEAVE : INTENT_OPEN,
                                 .primary = primary,
                                 .readers = readers};
    if (c == NULL || c->jobs > 0 || (primary != NO_NODE && epoch < c->epoch_high))
        return;
    if (fresh.kind == INTENT_OPEN && readers == 0)
        fresh.readers = UINT32_C(1) << primary;
    if (fresh.kind == c->intent.kind && fresh.primary == c->intent.primary &&
        fresh.readers == c->intent.readers)
        return;
    c->intent = fresh;
    if (epoch > c->epoch_high)
        c->epoch_high = epoch;
    for (uint32_t r = 0; r < c->settings->route_count; r++)
        for (uint32_t p = 0; p < c->settings->routes[r].socket_count; p++)
            c->proxies[r][p].watch_mono_us = 0;
}

void route_stats(const struct route_set *set, const char *cluster, struct route_stats *ret_stats)
{
    const struct route_cluster *c = name_table_find(&set->clusters, cluster);
    *ret_stats = (struct route_stats){0};
    if (c == NULL)
        return;
    ret_stats->corrections = c->corrections;
    ret_stats->failures = c->failures;
    for (uint32_t r = 0; r < c->settings->route_count; r++) {
        ret_stats->proxies += c->settings->routes[r].socket_count;
        for (uint32_t p = 0; p < c->settings->routes[r].socket_count; p++)
            ret_stats->unreachable += c->proxies[r][p].is_unreachable;
    }
}
