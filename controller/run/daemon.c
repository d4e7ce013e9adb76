/* The daemon's frame: opening in an order that never acts early, the loop's events, ticks, the hold
 * after clock jumps and stalls, the store's health, closing.
 *
 * Opening: settings -> store (exclusive) -> recorder -> clusters and probes -> serving -> the store
 * is read -> records arrive -> every server was asked once -> judgement may act.
 * Closing: nothing waits for servers; a running plan stays journaled and is taken up next time. */
#include "base/base.h"
#include "base/io/file.h"
#include "base/io/notify.h"
#include "controller/keep/store_sqlite.h"
#include "controller/run/daemon_evacuate.h"
#include "controller/run/daemon_fleet.h"
#include "controller/run/daemon_private.h"
#include "controller/serve/serve.h"
#include <signal.h>
#include <unistd.h>

#define FAST_CLUSTERS 128 /* judged in one fast tick */

struct daemon_cluster *daemon_cluster_named(struct daemon *d, const char *name)
{
    for (size_t i = 0; i < d->cluster_count; i++)
        if (strcmp(d->clusters[i]->settings->config.name, name) == 0)
            return d->clusters[i];
    return NULL;
}

struct daemon_cluster *daemon_cluster_born(struct daemon *d, uint64_t birth)
{
    for (size_t i = 0; i < d->cluster_count; i++)
        if (d->clusters[i]->birth == birth)
            return d->clusters[i];
    return NULL;
}

void daemon_mark_dirty(struct daemon_cluster *c)
{
    if (c->is_dirty)
        return;
    c->is_dirty = true;
    c->next_dirty = c->daemon->first_dirty;
    c->daemon->first_dirty = c;
}

void daemon_forget_dirty(struct daemon_cluster *c)
{
    struct daemon_cluster **at = &c->daemon->first_dirty;
    while (*at != NULL && *at != c)
        at = &(*at)->next_dirty;
    if (*at == c)
        *at = c->next_dirty;
}

/* --- hold, store, isolation ------------------------------------------------------------------ */

void daemon_hold(struct daemon *d, int64_t until_mono_us, const char *why)
{
    if (d->hold_until_mono_us >= until_mono_us)
        return;
    d->hold_until_mono_us = until_mono_us;
    d->holds++;
    log_plain(LOG_LEVEL_WARNING, "hold: %s: watching only for %lld s", why,
              (long long)((until_mono_us - loop_now_mono_us(&d->loop)) / STAY_SECOND));
    for (size_t i = 0; i < d->cluster_count; i++)
        daemon_mark_dirty(d->clusters[i]);
}

void daemon_store_result(struct daemon *d, enum stay_rc rc, const struct stay_error *err)
{
    bool is_ok = rc == STAY_OK || rc == STAY_ECONFLICT || rc == STAY_ELIMIT; /* it answered */
    if (rc == STAY_ECANCELED)
        return;
    d->store_errors += !is_ok;
    if (is_ok == d->is_store_ok)
        return;
    d->is_store_ok = is_ok;
    (void)stay_copy(d->store_error, sizeof d->store_error, err ? err->text : stay_rc_text(rc));
    if (is_ok)
        log_plain(LOG_LEVEL_NOTICE, "the store works again");
    else
        log_plain(LOG_LEVEL_ERROR, "the store is unavailable, automation holds: %s",
                  err ? err->text : stay_rc_text(rc));
    for (size_t i = 0; i < d->cluster_count; i++)
        daemon_mark_dirty(d->clusters[i]);
}

static void on_store_checked(void *ctx, enum stay_rc rc, uint64_t revision,
                             const struct stay_error *err)
{
    struct daemon *d = ctx;
    (void)revision;
    daemon_store_result(d, rc, err);
    if (rc == STAY_OK && !d->is_history_loaded && !d->is_stopping)
        daemon_load(d);
}

/* A write now and then: a store that cannot be written must be known before it is needed. */
static void on_store_check(struct timer *timer, void *arg)
{
    (void)timer;
    struct daemon *d = arg;
    struct store_put put = {"controller/alive", "{}"};
    d->store->ops->txn(d->store, NULL, 0, &put, 1, on_store_checked, d);
}

/* A controller that reaches no server of any cluster has lost its own network. A refusal is an
 * answer: the host is there. */
static void look_at_isolation(struct daemon *d)
{
    int64_t now = loop_now_mono_us(&d->loop);
    bool has_asked = false;
    for (size_t i = 0; i < d->cluster_count; i++) {
        const struct daemon_cluster *c = d->clusters[i];
        int64_t since = now - c->settings->config.silence_us;
        for (uint32_t n = 0; n < c->settings->config.node_count; n++) {
            const struct node_view *node = &c->view.nodes[n];
            has_asked = has_asked || node->reach_mono_us != STAY_NEVER;
            if (node->reach_mono_us == STAY_NEVER || node->answered_mono_us >= since ||
                node->refused_last_mono_us >= since || node->silent_since_mono_us == STAY_NEVER ||
                node->silent_since_mono_us > since) {
                if (d->is_isolated)
                    log_plain(LOG_LEVEL_NOTICE, "servers answer again");
                d->is_isolated = false;
                return;
            }
        }
    }
    if (has_asked && !d->is_isolated) {
        d->is_isolated = true;
        log_plain(LOG_LEVEL_WARNING, "no server of any cluster answers on any layer: this "
                                     "controller is isolated, nothing is acted upon");
    }
}

/* --- ticks and events ------------------------------------------------------------------------ */

static void become_ready(struct daemon *d)
{
    if (d->is_ready)
        return;
    for (size_t i = 0; i < d->cluster_count; i++)
        if (!d->clusters[i]->is_ready || !d->clusters[i]->is_loaded)
            return;
    d->is_ready = true;
    log_plain(LOG_LEVEL_NOTICE, "ready: %zu cluster%s", d->cluster_count,
              d->cluster_count == 1 ? "" : "s");
}

/* Every cluster once a DAEMON_TICK_US; thousands of them in slices, so that no turn of the loop
 * judges them all while answers wait. */
static void on_tick(struct timer *timer, void *arg)
{
    struct daemon *d = arg;
    size_t slices = d->cluster_count / DAEMON_SLICE_CLUSTERS + 1;
    if (slices > DAEMON_SLICES_MAX)
        slices = DAEMON_SLICES_MAX;
    timer_start(timer, loop_now_mono_us(&d->loop) + DAEMON_TICK_US / (int64_t)slices);
    look_at_isolation(d);
    for (size_t i = d->tick_slice++ % slices; i < d->cluster_count; i += slices)
        daemon_mark_dirty(d->clusters[i]);
    become_ready(d);
    daemon_fleet_look(d);
    if (d->is_runbook_dirty)
        daemon_runbook_refresh(d);
}

/* Thousands at once take turns: each is judged at every answer anyhow, and all of them each time
 * would take the whole core (measured at the start of 2,500). */
static void on_fast_tick(struct timer *timer, void *arg)
{
    (void)timer;
    struct daemon *d = arg;
    size_t marked = 0;
    for (size_t n = 0; n < d->cluster_count && marked < FAST_CLUSTERS; n++) {
        d->fast_last = (d->fast_last + 1) % d->cluster_count;
        if (!d->clusters[d->fast_last]->is_fast)
            continue;
        daemon_mark_dirty(d->clusters[d->fast_last]);
        marked++;
    }
}

static void on_watchdog(struct timer *timer, void *arg)
{
    (void)timer;
    (void)arg;
    notify_watchdog();
}

/* Before the loop sleeps: whatever this turn brought is judged at once, once. */
static void on_turn(uv_prepare_t *handle)
{
    struct daemon *d = handle->data;
    struct daemon_cluster *c = d->first_dirty, *next;
    d->first_dirty = NULL; /* what a turn marks anew waits for the next one */
    for (; c != NULL; c = next) {
        next = c->next_dirty;
        daemon_cluster_turn(c);
    }
    bool is_any_fast = d->fast_count > 0;
    if (is_any_fast && !timer_is_running(d->fast_tick))
        timer_start_repeat(d->fast_tick, loop_now_mono_us(&d->loop) + DAEMON_FAST_TICK_US,
                           DAEMON_FAST_TICK_US);
    else if (!is_any_fast)
        timer_stop(d->fast_tick);
}

static void on_signal(struct daemon *d, int signo)
{
    struct stay_error err;
    if (signo == SIGHUP) {
        if (daemon_reload(d, &err) != STAY_OK)
            log_plain(LOG_LEVEL_ERROR, "reload: %s: the old configuration stays in force",
                      err.text);
        return;
    }
    log_plain(LOG_LEVEL_NOTICE, "stopping");
    loop_stop(&d->loop);
}

static void on_event(struct loop *loop, const struct loop_event *event, void *user)
{
    struct daemon *d = user;
    char why[96];
    (void)loop;
    switch (event->kind) {
    case LOOP_EVENT_SIGNAL:
        on_signal(d, event->signo);
        break;
    case LOOP_EVENT_STALL:
        (void)snprintf(why, sizeof why, "the loop stood still for %lld ms",
                       (long long)(event->gap_us / STAY_MS));
        if (event->gap_us > DAEMON_STALL_US)
            daemon_hold(d, event->at_mono_us + DAEMON_JUMP_HOLD_US, why);
        else
            log_plain(LOG_LEVEL_WARNING, "%s", why);
        break;
    case LOOP_EVENT_CLOCK_JUMP:
        (void)snprintf(why, sizeof why, "the wall clock jumped by %lld ms",
                       (long long)(event->gap_us / STAY_MS));
        daemon_hold(d, event->at_mono_us + DAEMON_JUMP_HOLD_US, why);
        break;
    case LOOP_EVENT_NONE:
    case LOOP_EVENT_COUNT:
        break;
    }
}

/* --- opening and closing --------------------------------------------------------------------- */

static enum stay_rc open_state(struct daemon *d, struct stay_error *err)
{
    char host[64] = "this host";
    (void)gethostname(host, sizeof host - 1);
    STAY_AUTO(stay_free_charp)
    char *holder = stay_sprintf("mainstayd %s on %s", d->settings->name, host);
    enum stay_rc rc = store_sqlite_open(&d->loop, d->settings->state_path, holder, &d->store, err);
    if (rc != STAY_OK)
        return rc;
    d->is_store_ok = true;
    d->history = history_new(d->store);
    d->files = lane_pool_new(
        &d->loop, &(struct lane_pool_options){
                      .name = "files", .lanes = 1, .replace_after_us = 3600 * STAY_SECOND});
    struct recorder_options options = {.folder = d->settings->recorder, .lane = d->files};
    struct stay_error local;
    if (recorder_open(&options, &d->recorder, &local) != STAY_OK)
        log_plain(LOG_LEVEL_ERROR,
                  "decisions are not recorded: %s; make controller.recorder a folder that the user "
                  "mainstayd runs as may write",
                  local.text);
    return STAY_OK;
}

static enum stay_rc open_clusters(struct daemon *d, struct stay_error *err)
{
    enum stay_rc rc = daemon_probes_open(d, err);
    for (size_t i = 0; rc == STAY_OK && i < d->settings->cluster_count; i++) {
        d->clusters[i] = daemon_cluster_new(d, &d->settings->clusters[i]);
        d->cluster_count++;
        rc = daemon_probes_add(d->clusters[i], err);
    }
    return rc;
}

static void open_timers(struct daemon *d)
{
    int64_t now = loop_now_mono_us(&d->loop);
    d->tick = timer_new(&d->loop, on_tick, d);
    d->fast_tick = timer_new(&d->loop, on_fast_tick, d);
    d->store_check = timer_new(&d->loop, on_store_check, d);
    timer_start(d->tick, now + DAEMON_TICK_US);
    timer_start_repeat(d->store_check, now + DAEMON_STORE_CHECK_US, DAEMON_STORE_CHECK_US);
    int64_t watchdog_us = notify_watchdog_period_us();
    if (watchdog_us > 0) {
        d->watchdog = timer_new(&d->loop, on_watchdog, d);
        timer_start_repeat(d->watchdog, now, watchdog_us / 2);
    }
    must(uv_prepare_init(&d->loop.uv, &d->turn) == 0);
    d->turn.data = d;
    must(uv_prepare_start(&d->turn, on_turn) == 0);
    uv_unref((uv_handle_t *)&d->turn);
}

static enum stay_rc open_loop(struct daemon *d, struct stay_error *err)
{
    enum stay_rc rc = loop_init(&d->loop, err);
    if (rc != STAY_OK)
        return rc;
    d->is_loop_open = true;
    loop_on_event(&d->loop, on_event, d, 0);
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
    for (size_t i = 0; rc == STAY_OK && i < STAY_COUNT(signals); i++)
        rc = loop_watch_signal(&d->loop, signals[i], err);
    return rc;
}

enum stay_rc daemon_open(const char *config_path, struct daemon **ret_daemon,
                         struct stay_error *err)
{
    struct daemon *d = stay_calloc(1, sizeof *d);
    d->zones = stay_calloc(1, sizeof *d->zones);
    d->config_path = stay_strdup(config_path);
    enum stay_rc rc = settings_load(config_path, 0, &d->settings, NULL, err);
    if (rc == STAY_OK)
        rc = open_loop(d, err);
    if (rc == STAY_OK)
        rc = open_state(d, err);
    if (rc == STAY_OK)
        rc = open_clusters(d, err);
    if (rc == STAY_OK) {
        daemon_control_init(d);
        rc = serve_start(&d->loop, d->settings, &d->control, &d->serve, err);
    }
    if (rc != STAY_OK) {
        daemon_close(d);
        return rc;
    }
    open_timers(d);
    daemon_load(d);
    *ret_daemon = d;
    return STAY_OK;
}

void daemon_run(struct daemon *d)
{
    char status[64];
    (void)snprintf(status, sizeof status, "watching %zu cluster%s", d->cluster_count,
                   d->cluster_count == 1 ? "" : "s");
    notify_ready(status);
    loop_run(&d->loop);
    notify_stopping("stopping");
}

static void close_loop(struct daemon *d)
{
    if (!d->is_loop_open)
        return;
    timer_free(d->tick);
    timer_free(d->fast_tick);
    timer_free(d->store_check);
    timer_free(d->watchdog);
    if (d->turn.data)
        uv_close((uv_handle_t *)&d->turn, NULL);
    loop_close(&d->loop);
}

void daemon_close(struct daemon *d)
{
    d->is_stopping = true;
    serve_stop(d->serve);
    if (d->turn.data)
        (void)uv_prepare_stop(&d->turn);
    daemon_probes_close(d); /* no observation and no effect's answer comes after this */
    for (size_t i = 0; i < d->cluster_count; i++)
        daemon_cluster_free(d->clusters[i]);
    d->cluster_count = 0;
    if (d->store)
        d->store->ops->close(d->store);
    if (d->files)
        (void)lane_pool_free(d->files, STAY_SECOND);
    recorder_close(d->recorder);
    history_free(d->history);
    daemon_listeners_free(d);
    close_loop(d);
    settings_free(d->settings);
    free(d->by_probe);
    free(d->runbook);
    free(d->census);
    free(d->zones);
    free(d->config_path);
    free(d);
}
