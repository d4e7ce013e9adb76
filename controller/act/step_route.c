/* Steps and standing intents of routes. A step: commands to every proxy in parallel -> each answer
 * is compared with what was wanted -> the last one ends the step. The watch: every so often each
 * idle proxy's state is read and, when it is not the intent, corrected.
 *
 * Failure paths: no answer (noted, looked at again by the watch), a backend or server the proxy
 * does not have (said), a cluster forgotten or configured anew while we wait (its answer is
 * dropped). */
#include "controller/act/step_route.h"
#include "base/io/loop.h"
#include "base/io/timer.h"
#include "base/str.h"
#include "controller/act/step_route_talk.h"

#define WATCH_TICK_US (250 * STAY_MS)

enum intent_kind { INTENT_LEAVE = 0, INTENT_CLOSED, INTENT_OPEN };

struct intent {
    enum intent_kind kind;
    uint32_t primary;
    uint32_t readers; /* 0: not known, the read backend is left alone */
    uint64_t epoch;
};

struct proxy {
    bool is_busy, is_unreachable;
    int64_t watch_mono_us; /* when it is looked at next */
};

struct route_cluster {
    struct route_cluster *next;
    struct route_set *set; /* NULL: forgotten; freed with the last exchange */
    unsigned exchanges, jobs;
    unsigned generation; /* of the configuration */
    struct cluster_config config;
    uint32_t route_count;
    struct settings_route routes[SETTINGS_ROUTES_MAX];
    struct proxy proxies[SETTINGS_ROUTES_MAX][SETTINGS_PROXIES_MAX];
    struct intent intent;
    uint64_t epoch_high;
    uint64_t corrections, failures;
};

struct route_set {
    struct loop *loop;
    struct timer *timer;
    struct route_cluster *clusters;
};

/* One step of a plan. */
struct job {
    struct route_cluster *cluster;
    struct timer *timer; /* for an answer without any exchange */
    uint64_t token;
    route_done_fn done;
    void *arg;
    unsigned pending, good;
    struct str bad; /* what went wrong where */
};

/* One question to one proxy. */
struct exchange {
    struct route_cluster *cluster;
    struct job *job; /* NULL: the watch's */
    unsigned generation;
    uint32_t route, proxy;
    struct intent want;
    bool is_look; /* the watch only reads */
};

static struct route_cluster *find(const struct route_set *set, const char *name)
{
    struct route_cluster *c = set->clusters;
    while (c != NULL && strcmp(c->config.name, name) != 0)
        c = c->next;
    return c;
}

static void release(struct route_cluster *c)
{
    if (c->set == NULL && c->exchanges == 0 && c->jobs == 0)
        free(c);
}

static uint32_t writers_of(const struct intent *want)
{
    return want->kind == INTENT_OPEN ? UINT32_C(1) << want->primary : 0;
}

/* Does the answer show what was wanted; if not, *ret_why says what it shows. */
static bool holds(const struct route_cluster *c, const struct settings_route *route,
                  const struct intent *want, const char *answer, char *ret_why, size_t size)
{
    uint32_t ready, known;
    if (!route_read_state(answer, &c->config, route->write, &ready, &known)) {
        snprintf(ret_why, size, "has no backend %s: %.60s", route->write, answer);
        ret_why[strcspn(ret_why, "\n")] = '\0';
        return false;
    }
    if (want->kind == INTENT_OPEN && (known & writers_of(want)) == 0) {
        snprintf(ret_why, size, "backend %s has no server %s", route->write,
                 c->config.nodes[want->primary].name);
        return false;
    }
    if (ready != writers_of(want)) {
        snprintf(ret_why, size, "backend %s did not take the change", route->write);
        return false;
    }
    if (route->read[0] == '\0' || want->readers == 0)
        return true;
    if (!route_read_state(answer, &c->config, route->read, &ready, &known)) {
        snprintf(ret_why, size, "has no backend %s", route->read);
        return false;
    }
    snprintf(ret_why, size, "backend %s did not take the change", route->read);
    return ready == (want->readers & known);
}

static void end_job(struct job *job)
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
    release(c);
}

static void note_bad(struct job *job, const char *socket, const char *text)
{
    str_addf(&job->bad, "%s%s%s%s", job->bad.length > 0 ? "; " : "", socket,
             socket[0] == '\0' ? "" : " ", text);
}

static void ask(struct route_cluster *c, struct job *job, uint32_t route, uint32_t proxy,
                const struct intent *want, bool is_look);

static void answered(struct exchange *x, struct proxy *proxy, const struct settings_route *route,
                     const char *answer)
{
    struct route_cluster *c = x->cluster;
    char why[160] = "";
    bool good = holds(c, route, &x->want, answer, why, sizeof why);
    proxy->is_unreachable = false;
    if (x->job != NULL) {
        x->job->good += good;
        if (!good)
            note_bad(x->job, route->sockets[x->proxy], why);
    } else if (x->is_look && !good && c->intent.kind != INTENT_LEAVE && c->jobs == 0) {
        ask(c, NULL, x->route, x->proxy, &c->intent, false);
    } else if (!x->is_look && good) {
        c->corrections++;
    }
}

/* A correction that was on its way while a step changed the intent may have come after the step's
 * own commands: what is wanted now is said again. */
static void reassert(struct exchange *x)
{
    struct route_cluster *c = x->cluster;
    bool stale = x->want.kind != c->intent.kind || x->want.primary != c->intent.primary;
    if (c->set != NULL && x->generation == c->generation && x->job == NULL && !x->is_look &&
        stale && c->intent.kind != INTENT_LEAVE)
        ask(c, NULL, x->route, x->proxy, &c->intent, false);
}

static void on_answer(void *arg, enum stay_rc rc, const char *answer, const struct stay_error *err)
{
    struct exchange *x = arg;
    struct route_cluster *c = x->cluster;
    struct job *job = x->job;
    if (c->set != NULL && x->generation == c->generation) {
        struct proxy *proxy = &c->proxies[x->route][x->proxy];
        const struct settings_route *route = &c->routes[x->route];
        proxy->is_busy = false;
        if (rc == STAY_OK) {
            answered(x, proxy, route, answer);
        } else {
            proxy->is_unreachable = true;
            c->failures++;
            if (job != NULL)
                note_bad(job, "", err->text);
        }
    } else if (job != NULL) {
        note_bad(job, "", "the configuration changed meanwhile");
    }
    reassert(x);
    c->exchanges--;
    free(x);
    if (job != NULL && --job->pending == 0)
        end_job(job);
    else
        release(c);
}

static void ask(struct route_cluster *c, struct job *job, uint32_t route, uint32_t proxy,
                const struct intent *want, bool is_look)
{
    const struct settings_route *r = &c->routes[route];
    struct proxy *p = &c->proxies[route][proxy];
    struct exchange *x = stay_calloc(1, sizeof *x);
    STAY_AUTO(str_clear) struct str commands = {0};
    int64_t now = loop_now_mono_us(c->set->loop);
    bool reads = r->read[0] != '\0' && want->readers != 0;
    *x = (struct exchange){.cluster = c,
                           .job = job,
                           .generation = c->generation,
                           .route = route,
                           .proxy = proxy,
                           .want = *want,
                           .is_look = is_look};
    if (is_look) {
        str_addf(&commands, "show servers state %s", r->write);
        if (reads)
            str_addf(&commands, ";show servers state %s", r->read);
    } else {
        route_commands(&commands, &c->config, r->write, writers_of(want), true);
        if (reads) {
            str_add_char(&commands, ';');
            route_commands(&commands, &c->config, r->read, want->readers, false);
        }
    }
    p->is_busy = true;
    p->watch_mono_us = now + r->watch_us;
    c->exchanges++;
    if (job != NULL)
        job->pending++;
    route_talk_start(c->set->loop, r->sockets[proxy], str_text(&commands), now + r->deadline_us,
                     on_answer, x);
}

static void watch_cluster(struct route_cluster *c, int64_t now)
{
    if (c->intent.kind == INTENT_LEAVE || c->jobs > 0)
        return;
    for (uint32_t r = 0; r < c->route_count; r++)
        for (uint32_t p = 0; p < c->routes[r].socket_count; p++)
            if (!c->proxies[r][p].is_busy && c->proxies[r][p].watch_mono_us <= now)
                ask(c, NULL, r, p, &c->intent, true);
}

static void on_tick(struct timer *timer, void *arg)
{
    struct route_set *set = arg;
    (void)timer;
    for (struct route_cluster *c = set->clusters; c != NULL; c = c->next)
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
    release(c);
}

void route_free(struct route_set *set)
{
    if (set == NULL)
        return;
    for (struct route_cluster *c = set->clusters, *next; c != NULL; c = next) {
        next = c->next;
        forget(c);
    }
    timer_free(set->timer);
    free(set);
}

void route_configure(struct route_set *set, const struct settings_cluster *cluster)
{
    struct route_cluster *c = find(set, cluster->config.name);
    char primary[NAME_MAX_LEN] = "";
    if (c == NULL) {
        c = stay_calloc(1, sizeof *c);
        c->set = set;
        c->next = set->clusters;
        set->clusters = c;
    } else if (c->intent.kind == INTENT_OPEN) {
        (void)stay_copy(primary, sizeof primary, c->config.nodes[c->intent.primary].name);
    }
    c->generation++;
    c->config = cluster->config;
    c->route_count = cluster->route_count;
    memcpy(c->routes, cluster->routes, sizeof c->routes);
    memset(c->proxies, 0, sizeof c->proxies);
    c->intent.readers = 0; /* indexes are of the old inventory */
    if (c->intent.kind == INTENT_OPEN) {
        c->intent.primary = cluster_node_by_name(&c->config, primary);
        if (c->intent.primary == NO_NODE)
            c->intent.kind = INTENT_LEAVE;
    }
}

void route_forget(struct route_set *set, const char *cluster)
{
    for (struct route_cluster **at = &set->clusters; *at != NULL; at = &(*at)->next) {
        struct route_cluster *c = *at;
        if (strcmp(c->config.name, cluster) == 0) {
            *at = c->next;
            forget(c);
            return;
        }
    }
}

bool route_is_configured(const struct route_set *set, const char *cluster)
{
    const struct route_cluster *c = find(set, cluster);
    return c != NULL && c->route_count > 0;
}

static void on_instant(struct timer *timer, void *arg)
{
    (void)timer;
    end_job(arg);
}

static void end_soon(struct route_set *set, struct job *job)
{
    job->timer = timer_new(set->loop, on_instant, job);
    timer_start(job->timer, 0);
}

void route_start(struct route_set *set, const char *cluster, uint64_t token,
                 const struct effect *effect, route_done_fn done, void *arg)
{
    struct route_cluster *c = find(set, cluster);
    bool is_open = effect->step == STEP_ROUTE_OPEN;
    struct job *job = stay_calloc(1, sizeof *job);
    must(c != NULL);
    *job = (struct job){.cluster = c, .token = token, .done = done, .arg = arg};
    str_init(&job->bad, 200);
    c->jobs++;
    if (effect->epoch < c->epoch_high) {
        str_addf(&job->bad, "epoch %llu is over: %llu was carried out",
                 (unsigned long long)effect->epoch, (unsigned long long)c->epoch_high);
        end_soon(set, job);
        return;
    }
    if (is_open && effect->node >= c->config.node_count) {
        str_add(&job->bad, "no server to open for");
        end_soon(set, job);
        return;
    }
    c->epoch_high = effect->epoch;
    c->intent.kind = is_open ? INTENT_OPEN : INTENT_CLOSED;
    c->intent.primary = is_open ? effect->node : NO_NODE;
    c->intent.readers = 0;
    c->intent.epoch = effect->epoch;
    for (uint32_t r = 0; r < c->route_count; r++)
        for (uint32_t p = 0; p < c->routes[r].socket_count; p++)
            ask(c, job, r, p, &c->intent, false);
    if (job->pending == 0)
        end_soon(set, job);
}

void route_intend(struct route_set *set, const char *cluster, uint32_t primary, uint64_t epoch,
                  uint32_t readers)
{
    struct route_cluster *c = find(set, cluster);
    struct intent fresh = {.kind = primary == NO_NODE ? INTENT_LEAVE : INTENT_OPEN,
                           .primary = primary,
                           .readers = readers,
                           .epoch = epoch};
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
    for (uint32_t r = 0; r < c->route_count; r++)
        for (uint32_t p = 0; p < c->routes[r].socket_count; p++)
            c->proxies[r][p].watch_mono_us = 0;
}

void route_stats(const struct route_set *set, const char *cluster, struct route_stats *ret_stats)
{
    const struct route_cluster *c = find(set, cluster);
    *ret_stats = (struct route_stats){0};
    if (c == NULL)
        return;
    ret_stats->corrections = c->corrections;
    ret_stats->failures = c->failures;
    for (uint32_t r = 0; r < c->route_count; r++) {
        ret_stats->proxies += c->routes[r].socket_count;
        for (uint32_t p = 0; p < c->routes[r].socket_count; p++)
            ret_stats->unreachable += c->proxies[r][p].is_unreachable;
    }
}
