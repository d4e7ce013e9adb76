/* One question to one proxy: commands, or a look, and what its answer shows.
 *
 * Failure paths: as in step_route.c. */
#include "base/io/loop.h"
#include "controller/act/step_route_private.h"
#include "controller/act/step_route_talk.h"

/* One question to one proxy. */
struct exchange {
    struct route_cluster *cluster;
    struct route_job *job; /* NULL: the watch's */
    unsigned generation;
    uint32_t route, proxy;
    struct route_intent want;
    bool is_look; /* the watch only reads */
};

static uint32_t writers_of(const struct route_intent *want)
{
    return want->kind == INTENT_OPEN ? UINT32_C(1) << want->primary : 0;
}

/* Does the answer show what was wanted; if not, *ret_why says what it shows. */
static bool holds(const struct route_cluster *c, const struct settings_route *route,
                  const struct route_intent *want, const char *answer, char *ret_why, size_t size)
{
    uint32_t ready, known;
    if (!route_read_state(answer, &c->settings->config, route->write, &ready, &known)) {
        snprintf(ret_why, size, "has no backend %s: %.60s", route->write, answer);
        ret_why[strcspn(ret_why, "\n")] = '\0';
        return false;
    }
    if (want->kind == INTENT_OPEN && (known & writers_of(want)) == 0) {
        snprintf(ret_why, size, "backend %s has no server %s", route->write,
                 c->settings->config.nodes[want->primary].name);
        return false;
    }
    if (ready != writers_of(want)) {
        snprintf(ret_why, size, "backend %s did not take the change", route->write);
        return false;
    }
    if (route->read[0] == '\0' || want->readers == 0)
        return true;
    if (!route_read_state(answer, &c->settings->config, route->read, &ready, &known)) {
        snprintf(ret_why, size, "has no backend %s", route->read);
        return false;
    }
    snprintf(ret_why, size, "backend %s did not take the change", route->read);
    return ready == (want->readers & known);
}

static void note_bad(struct route_job *job, const char *socket, const char *text)
{
    str_addf(&job->bad, "%s%s%s%s", job->bad.length > 0 ? "; " : "", socket,
             socket[0] == '\0' ? "" : " ", text);
}

static void answered(struct exchange *x, struct route_proxy *proxy,
                     const struct settings_route *route, const char *answer)
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
        route_ask(c, NULL, x->route, x->proxy, &c->intent, false);
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
        route_ask(c, NULL, x->route, x->proxy, &c->intent, false);
}

static void on_answer(void *arg, enum stay_rc rc, const char *answer, const struct stay_error *err)
{
    struct exchange *x = arg;
    struct route_cluster *c = x->cluster;
    struct route_job *job = x->job;
    if (c->set != NULL && x->generation == c->generation) {
        struct route_proxy *proxy = &c->proxies[x->route][x->proxy];
        const struct settings_route *route = &c->settings->routes[x->route];
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
        route_end_job(job);
    else
        route_release(c);
}

void route_ask(struct route_cluster *c, struct route_job *job, uint32_t route, uint32_t proxy,
               const struct route_intent *want, bool is_look)
{
    const struct settings_route *r = &c->settings->routes[route];
    struct route_proxy *p = &c->proxies[route][proxy];
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
        route_commands(&commands, &c->settings->config, r->write, writers_of(want), true);
        if (reads) {
            str_add_char(&commands, ';');
            route_commands(&commands, &c->settings->config, r->read, want->readers, false);
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
