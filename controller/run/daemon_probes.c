/* The one place that knows the probe set and the effects: settings become their inputs, their
 * answers become observations of a cluster and results for its executor. */
#include "base/base.h"
#include "controller/run/daemon_private.h"
#include "controller/act/effects.h"
#include "controller/act/errant_dir.h"
#include "probes/probe_set.h"

#define PROBES_END_US     (300 * STAY_MS)
#define PROBES_SLOW_US    (10 * STAY_SECOND)
#define REFUSAL_MARGIN_US (2 * STAY_MS)

static void on_observation(void *arg, uint32_t cluster, const struct observation *obs)
{
    struct daemon *d = arg;
    if (cluster < d->probe_count && d->by_probe[cluster] != NULL)
        daemon_cluster_observe(d->by_probe[cluster], obs);
}

/* Numbers are never used again, and there is one a cluster and reload. */
static void add_to_probes(struct daemon_cluster *c, const struct probe_cluster *cluster)
{
    struct daemon *d = c->daemon;
    probe_set_add(d->probes, cluster, &c->probe_id);
    if (c->probe_id >= d->probe_count) {
        d->by_probe = stay_realloc(d->by_probe, c->probe_id + 1, sizeof *d->by_probe);
        while (d->probe_count <= c->probe_id)
            d->by_probe[d->probe_count++] = NULL;
    }
    d->by_probe[c->probe_id] = c;
}

static void remove_from_probes(struct daemon_cluster *c)
{
    probe_set_remove(c->daemon->probes, c->probe_id);
    c->daemon->by_probe[c->probe_id] = NULL;
}

enum stay_rc daemon_probes_open(struct daemon *d, struct stay_error *err)
{
    (void)err;
    struct probe_set_options options = {.fn = on_observation, .arg = d};
    d->probes = probe_set_new(&d->loop, &options);
    d->effects = effects_new(&d->loop);
    STAY_AUTO(stay_free_charp) char *errant = errant_dir(d->settings->state_path, NULL);
    effects_keep_errant(d->effects, errant);
    return STAY_OK;
}

void daemon_probes_close(struct daemon *d)
{
    if (d->probes)
        probe_set_free(d->probes, PROBES_END_US);
    effects_free(d->effects, PROBES_END_US);
    d->probes = NULL;
    d->effects = NULL;
}

static void set_account(struct mysql_account *dst, const struct settings_account *src)
{
    (void)stay_copy(dst->user, sizeof dst->user, src->user);
    (void)stay_copy(dst->password, sizeof dst->password, src->password.text);
}

static void probe_cluster_from(const struct settings_cluster *settings, struct probe_cluster *ret)
{
    const struct cluster_config *config = &settings->config;
    memset(ret, 0, sizeof *ret);
    (void)stay_copy(ret->name, sizeof ret->name, config->name);
    ret->engine = config->engine;
    ret->node_count = config->node_count;
    for (uint32_t n = 0; n < config->node_count; n++) {
        (void)stay_copy(ret->nodes[n].host, sizeof ret->nodes[n].host, config->nodes[n].host);
        ret->nodes[n].port = config->nodes[n].port;
    }
    set_account(&ret->monitor, &settings->accounts[ACCOUNT_MONITOR]);
    set_account(&ret->canary, &settings->accounts[ACCOUNT_CANARY]);
    set_account(&ret->operate, &settings->accounts[ACCOUNT_OPERATE]);
    set_account(&ret->replicate, &settings->accounts[ACCOUNT_REPLICATE]);
    (void)stay_copy(ret->ca, sizeof ret->ca, settings->tls.ca);
    (void)stay_copy(ret->cert, sizeof ret->cert, settings->tls.cert);
    (void)stay_copy(ret->key, sizeof ret->key, settings->tls.key);
    ret->tls_required = settings->tls.required;
    ret->verify_name = settings->tls.verify_name;
    ret->interval_us = config->probe_interval_us;
    /* Two attempts fit exactly into the gap that two refusals must have: the second one counts. */
    int64_t gap_us = config->refusal_gap_us / 2 + REFUSAL_MARGIN_US;
    ret->suspicion_interval_us =
        config->suspicion_interval_us < gap_us ? config->suspicion_interval_us : gap_us;
    ret->deadline_us = config->layer_deadline_us;
    ret->slow_interval_us = PROBES_SLOW_US;
}

enum stay_rc daemon_probes_add(struct daemon_cluster *c, struct stay_error *err)
{
    (void)err;
    struct probe_cluster *cluster = stay_calloc(1, sizeof *cluster);
    probe_cluster_from(c->settings, cluster);
    add_to_probes(c, cluster);
    explicit_bzero(cluster, sizeof *cluster);
    free(cluster);
    effects_configure(c->daemon->effects, c->settings);
    return STAY_OK;
}

void daemon_probes_remove(struct daemon_cluster *c)
{
    remove_from_probes(c);
    effects_forget(c->daemon->effects, c->settings->config.name);
}

/* Before c->settings changes. Watching begins anew: facts held in the view stay. */
void daemon_probes_reconfigure(struct daemon_cluster *c, const struct settings_cluster *settings)
{
    struct probe_cluster *now = stay_calloc(2, sizeof *now);
    probe_cluster_from(c->settings, &now[0]);
    probe_cluster_from(settings, &now[1]);
    if (memcmp(&now[0], &now[1], sizeof *now) != 0) {
        remove_from_probes(c);
        add_to_probes(c, &now[1]);
        probe_set_urge(c->daemon->probes, c->probe_id, c->is_fast);
    }
    explicit_bzero(now, 2 * sizeof *now);
    free(now);
    effects_configure(c->daemon->effects, settings);
}

void daemon_probes_pace(struct daemon_cluster *c, bool is_urgent)
{
    probe_set_urge(c->daemon->probes, c->probe_id, is_urgent);
    effects_expect(c->daemon->effects, c->settings->config.name, is_urgent);
}

/* The canary writes only where the store says the primary is, and only once adopted: before that
 * there is no schema of ours. */
void daemon_probes_set_primary(struct daemon_cluster *c)
{
    const struct cluster_record *record = &c->view.record;
    uint32_t node = record->adopted && c->view.primary != NO_NODE ? c->view.primary : PROBE_NO_NODE;
    probe_set_canary(c->daemon->probes, c->probe_id, node, record->epoch);
}

/* By birth: the cluster may be gone when a late answer comes, or another of its name be there,
 * whose tokens begin anew. */
struct effect_call {
    struct daemon *daemon;
    uint64_t birth;
    uint32_t node; /* NO_NODE: no server's step */
};

static void on_effect_done(void *arg, uint64_t token, const struct effect_result *result)
{
    struct effect_call *call = arg;
    struct daemon_cluster *c = daemon_cluster_born(call->daemon, call->birth);
    if (c) {
        cluster_node_changed(&c->view, call->node, loop_now_mono_us(&call->daemon->loop));
        probe_set_reread(call->daemon->probes, c->probe_id, call->node);
        executor_effect_done(c->executor, token, result, loop_now_mono_us(&call->daemon->loop));
        daemon_mark_dirty(c);
    }
    free(call);
}

void daemon_probes_start_effect(struct daemon_cluster *c, uint64_t token,
                                const struct effect *effect)
{
    struct effect_call *call = stay_calloc(1, sizeof *call);
    call->daemon = c->daemon;
    call->birth = c->birth;
    call->node = step_kind_class(effect->step) == CLASS_NODE ? effect->node : NO_NODE;
    if (effect->opens)
        cluster_node_opens(&c->view, effect->node, loop_now_mono_us(&c->daemon->loop));
    const char *name = c->settings->config.name;
    effects_start(c->daemon->effects, name, token, effect, on_effect_done, call);
}

/* Replicas that may serve reads: they receive and apply. */
static uint32_t readers_of(const struct daemon_cluster *c, int64_t now)
{
    uint32_t readers = 0;
    for (uint32_t i = 0; i < c->settings->config.node_count; i++) {
        const struct server_facts *f = &c->view.nodes[i].facts;
        if (i != c->view.primary && c->view.record.quarantine[i] == QUARANTINE_NONE &&
            cluster_node_fresh(&c->view, i, now) && f->receiver == RECEIVER_RUNNING &&
            cluster_source_of(&c->view, i) == c->view.primary && f->applier == TRI_YES)
            readers |= UINT32_C(1) << i;
    }
    return readers;
}

/* The proxies' standing intent. While a plan runs its steps decide; they stay as they are while
 * nothing may be acted upon, while the primary is not seen to take writes, and where a plan stopped
 * for a human past its point of no return: the store may name the wrong server then. */
void daemon_probes_routes(struct daemon_cluster *c)
{
    const struct cluster_view *view = &c->view;
    bool is_open = decide_is_human_asked(view, executor_run(c->executor));
    int64_t now = loop_now_mono_us(&c->daemon->loop);
    uint32_t primary = view->primary;
    if (daemon_cluster_is_busy(c))
        return;
    bool may = view->record.adopted && !view->record.paused && !view->paused_all &&
               view->store_ok && !view->isolated && view->hold_until_mono_us <= now && !is_open &&
               view->record.maintenance_until_wall_us <= loop_now_wall_us(&c->daemon->loop);
    if (!may || primary == NO_NODE || !cluster_node_fresh(view, primary, now) ||
        view->nodes[primary].facts.read_only != TRI_NO)
        primary = NO_NODE;
    effects_route(c->daemon->effects, c->settings->config.name, primary, view->record.epoch,
                  primary == NO_NODE ? 0 : readers_of(c, now));
}
