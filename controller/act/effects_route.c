/* ROUTE steps to who carries them out. The canary through the route connects as a client would, on
 * a lane, with the canary account. */
#include <mysql.h>

#include "base/base.h"
#include "base/name_table.h"
#include "controller/act/effects_route.h"
#include "base/io/lane.h"
#include "base/io/loop.h"
#include "base/io/real_clock.h"
#include "base/io/timer.h"
#include "controller/act/hook.h"
#include "probes/mysql_query.h"
#include "probes/mysql_session.h"

#define CANARY_US     (1500 * STAY_MS)
#define CANARY_TRY_US (20 * STAY_MS) /* a proxy that has just been opened may refuse once */

struct known {
    struct name_link link;
    const struct settings_cluster *settings; /* borrowed */
};

struct effects_route_set {
    struct loop *loop;
    struct route_set *routes;
    struct lane_pool *lanes;
    struct name_table clusters;
    uint64_t calls;
    struct call *first; /* hooks and canaries under way */
};

/* A step under way. */
struct call {
    struct effects_route_set *set; /* NULL: freed meanwhile */
    struct call *next;
    uint64_t token;
    effects_done_fn done;
    void *arg;
    struct timer *timer;
    struct effect_result result;
    /* Canary, read by the lane. */
    struct mysql_target target;
    struct mysql_account account;
    char cluster[NAME_MAX_LEN];
    uint64_t epoch;
    int64_t due_mono_us;
    enum outcome outcome; /* written by the lane */
    char text[200];
};

static void free_call(struct call *c)
{
    explicit_bzero(&c->account, sizeof c->account);
    timer_free(c->timer);
    free(c);
}

/* Takes it off the list and calls back, unless the set is gone. */
static void finish(struct call *c)
{
    if (c->set == NULL)
        return;
    for (struct call **at = &c->set->first; *at != NULL; at = &(*at)->next) {
        if (*at == c) {
            *at = c->next;
            break;
        }
    }
    c->set = NULL;
    c->done(c->arg, c->token, &c->result);
}

static struct call *new_call(struct effects_route_set *set, uint64_t token, effects_done_fn done,
                             void *arg)
{
    struct call *c = stay_calloc(1, sizeof *c);
    c->set = set;
    c->token = token;
    c->done = done;
    c->arg = arg;
    c->next = set->first;
    set->first = c;
    return c;
}

static void on_instant(struct timer *timer, void *arg)
{
    (void)timer;
    finish(arg);
    free_call(arg);
}

static void answer_soon(struct call *c, enum outcome outcome, const char *text)
{
    c->result.outcome = outcome;
    (void)stay_copy(c->result.text, sizeof c->result.text, text);
    c->timer = timer_new(c->set->loop, on_instant, c);
    timer_start(c->timer, 0);
}

static bool try_canary(struct call *c, struct mysql_session *session)
{
    struct reach reach = {0};
    struct stay_error err = {0};
    enum stay_rc rc =
        mysql_session_open(session, &c->target, &c->account, c->due_mono_us, &reach, &err);
    c->outcome = OUTCOME_NOT_DONE;
    if (rc == STAY_OK) {
        STAY_AUTO(stay_free_charp)
        char *sql = mysql_canary_sql(c->cluster, c->epoch, real_clock_wall_us());
        rc = mysql_session_run(session, sql, c->due_mono_us, NULL, NULL, &err);
        c->outcome = rc == STAY_OK                                 ? OUTCOME_DONE
                     : rc == STAY_ETIMEDOUT || rc == STAY_EUNKNOWN ? OUTCOME_UNKNOWN
                                                                   : OUTCOME_NOT_DONE;
    }
    if (rc != STAY_OK)
        (void)stay_copy(c->text, sizeof c->text, err.text);
    return rc == STAY_OK;
}

/* Until one commit succeeds or the time is over; each commit is the same row, so twice is harmless.
 */
static enum stay_rc canary_work(struct lane_job *job, void *arg)
{
    struct call *c = arg;
    struct mysql_session *session = mysql_session_new();
    const struct timespec pause = {.tv_nsec = CANARY_TRY_US * 1000};
    while (!try_canary(c, session) && !lane_job_expired(job) &&
           real_clock_mono_us() + CANARY_TRY_US < c->due_mono_us)
        (void)nanosleep(&pause, NULL);
    mysql_session_free(session);
    return STAY_OK;
}

static void canary_done(void *arg, enum stay_rc rc)
{
    struct call *c = arg;
    if (rc == STAY_OK) {
        c->result.outcome = c->outcome;
        if (c->outcome != OUTCOME_DONE)
            (void)stay_copy(c->result.text, sizeof c->result.text, c->text);
    } else {
        c->result.outcome = OUTCOME_UNKNOWN;
        (void)stay_copy(c->result.text, sizeof c->result.text,
                        "no commit through the route in time");
    }
    finish(c);
}

static void canary_release(void *arg)
{
    free_call(arg);
}

/* Through a proxy the certificate names the server, not the address: its chain is checked, its name
 * is not. Without a CA the client would read the system's whole bundle first: 60 ms of CPU
 * (seen). */
static bool set_target(struct call *c, const struct settings_cluster *settings)
{
    struct names_address to;
    const struct settings_account *account = &settings->accounts[ACCOUNT_CANARY];
    if (settings->route_count == 0 || settings->routes[0].client[0] == '\0' ||
        account->user[0] == '\0' ||
        names_parse_address(settings->routes[0].client, 0, &to, NULL) != STAY_OK)
        return false;
    c->target.engine = settings->config.engine;
    (void)stay_copy(c->target.host, sizeof c->target.host, to.host);
    c->target.port = to.port;
    (void)stay_copy(c->target.ca, sizeof c->target.ca, settings->tls.ca);
    (void)stay_copy(c->target.cert, sizeof c->target.cert, settings->tls.cert);
    (void)stay_copy(c->target.key, sizeof c->target.key, settings->tls.key);
    c->target.tls_required = settings->tls.required; /* through a proxy: no name to check */
    (void)stay_copy(c->account.user, sizeof c->account.user, account->user);
    (void)stay_copy(c->account.password, sizeof c->account.password, account->password.text);
    return true;
}

static void start_canary(struct effects_route_set *set, const struct known *k, struct call *c,
                         const struct effect *effect)
{
    struct stay_error err = {0};
    int64_t due = loop_now_mono_us(set->loop) + CANARY_US;
    if (!set_target(c, k->settings)) {
        answer_soon(c, OUTCOME_DONE, "no client address is configured");
        return;
    }
    (void)stay_copy(c->cluster, sizeof c->cluster, k->settings->config.name);
    c->epoch = effect->epoch;
    c->due_mono_us = effect->deadline_mono_us < due ? effect->deadline_mono_us : due;
    struct lane_work work = {.work = canary_work,
                             .done = canary_done,
                             .release = canary_release,
                             .arg = c,
                             .deadline_mono_us = c->due_mono_us + 100 * STAY_MS};
    if (lane_submit(set->lanes, set->calls++, &work, &err) != STAY_OK)
        answer_soon(c, OUTCOME_NOT_DONE, err.text);
}

static void on_hooks(void *arg, bool vetoed, const char *text)
{
    struct call *c = arg;
    c->result.outcome = vetoed ? OUTCOME_NOT_DONE : OUTCOME_DONE;
    (void)stay_copy(c->result.text, sizeof c->result.text, text);
    finish(c);
    free_call(c);
}

static void start_hooks(struct effects_route_set *set, const struct known *k, struct call *c,
                        const struct effect *effect)
{
    bool pre = effect->step == STEP_HOOK_PRE, moves = effect->plan == PLAN_SWITCHOVER;
    struct hook_call call = {.cluster = k->settings,
                             .epoch = effect->epoch,
                             .old_primary = effect->peer,
                             .new_primary = effect->node};
    call.when = pre     ? moves ? HOOK_PRE_SWITCHOVER : HOOK_PRE_FAILOVER
                : moves ? HOOK_POST_SWITCHOVER
                        : HOOK_POST_FAILOVER;
    bool is_moment = plan_replaces(effect->plan) || moves;
    if (!is_moment || !hook_start(set->loop, &call, on_hooks, c))
        answer_soon(c, OUTCOME_DONE, "");
}

struct effects_route_set *effects_route_new(struct loop *loop)
{
    struct effects_route_set *set = stay_calloc(1, sizeof *set);
    struct lane_pool_options options = {
        .name = "route", .lanes = 2, .replace_after_us = 2 * STAY_SECOND};
    set->loop = loop;
    set->routes = route_new(loop);
    set->lanes = lane_pool_new(loop, &options);
    return set;
}

void effects_route_free(struct effects_route_set *set, int64_t wait_us)
{
    if (set == NULL)
        return;
    for (struct call *c = set->first; c != NULL; c = c->next)
        c->set = NULL; /* no callbacks any more; each frees itself */
    (void)lane_pool_free(set->lanes, wait_us);
    route_free(set->routes);
    for (struct known *k; (k = name_table_drain(&set->clusters)) != NULL;)
        free(k);
    free(set);
}

void effects_route_configure(struct effects_route_set *set, const struct settings_cluster *cluster)
{
    struct known *k = name_table_find(&set->clusters, cluster->config.name);
    if (k == NULL) {
        k = stay_calloc(1, sizeof *k);
        name_table_put(&set->clusters, &k->link, cluster->config.name);
    }
    route_configure(set->routes, cluster);
    k->settings = cluster;
}

void effects_route_forget(struct effects_route_set *set, const char *cluster)
{
    free(name_table_take(&set->clusters, cluster));
    route_forget(set->routes, cluster);
}

void effects_route_start(struct effects_route_set *set, const char *cluster, uint64_t token,
                         const struct effect *effect, effects_done_fn done, void *arg)
{
    const struct known *k = name_table_find(&set->clusters, cluster);
    bool is_proxy = effect->step == STEP_ROUTE_CLOSE || effect->step == STEP_ROUTE_OPEN;
    if (k != NULL && is_proxy) {
        route_start(set->routes, cluster, token, effect, done, arg);
        return;
    }
    struct call *c = new_call(set, token, done, arg);
    if (k == NULL)
        answer_soon(c, OUTCOME_NOT_DONE, "the cluster is not configured any more");
    else if (effect->step == STEP_CANARY_ROUTE)
        start_canary(set, k, c, effect);
    else
        start_hooks(set, k, c, effect);
}

void effects_route_intend(struct effects_route_set *set, const char *cluster, uint32_t primary,
                          uint64_t epoch, uint32_t readers)
{
    route_intend(set->routes, cluster, primary, epoch, readers);
}

void effects_route_stats(const struct effects_route_set *set, const char *cluster,
                         struct route_stats *ret_stats)
{
    route_stats(set->routes, cluster, ret_stats);
}
