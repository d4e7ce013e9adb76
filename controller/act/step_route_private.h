/* controller/act/step_route_private.h - what the files of step_route share: a cluster's routes with
 * their standing intent, and the steps of plans under way on them.
 *
 * Layer: act, step_route.c and step_route_exchange.c only. Loop thread only. */
#ifndef CONTROLLER_ACT_STEP_ROUTE_PRIVATE_H
#define CONTROLLER_ACT_STEP_ROUTE_PRIVATE_H
#include "base/name_table.h"
#include "base/str.h"
#include "controller/act/step_route.h"

struct timer;

enum route_intent_kind { INTENT_LEAVE = 0, INTENT_CLOSED, INTENT_OPEN };

struct route_intent {
    enum route_intent_kind kind;
    uint32_t primary;
    uint32_t readers; /* 0: not known, the read backend is left alone */
};

struct route_proxy {
    bool is_busy, is_unreachable;
    int64_t watch_mono_us; /* when it is looked at next */
};

struct route_cluster {
    struct name_link link;
    struct route_set *set; /* NULL: forgotten; freed with the last exchange */
    unsigned exchanges, jobs;
    unsigned generation;                     /* of the configuration */
    const struct settings_cluster *settings; /* borrowed; not to be read once set is NULL */
    struct route_proxy proxies[SETTINGS_ROUTES_MAX][SETTINGS_PROXIES_MAX];
    struct route_intent intent;
    uint64_t epoch_high;
    uint64_t corrections, failures;
};

struct route_set {
    struct loop *loop;
    struct timer *timer;
    struct name_table clusters;
};

/* One step of a plan. */
struct route_job {
    struct route_cluster *cluster;
    struct timer *timer; /* for an answer without any exchange */
    uint64_t token;
    route_done_fn done;
    void *arg;
    unsigned pending, good;
    struct str bad; /* what went wrong where */
};

/* Asks one proxy to hold `want` (copied), or only looks; the answer is noted in the job (NULL: the
 * watch asks) and in the proxy. The last answer of a job ends it. */
void route_ask(struct route_cluster *c, struct route_job *job, uint32_t route, uint32_t proxy,
               const struct route_intent *want, bool is_look);
/* Calls back with what the job found, and frees it. */
void route_end_job(struct route_job *job);
/* Frees a forgotten cluster with its last exchange and job. */
void route_release(struct route_cluster *c);

#endif
