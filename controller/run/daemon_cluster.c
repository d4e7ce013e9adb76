/* One cluster's turn: executor, judgement, then at most one change: store what the durability watch
 * found, take up what an earlier process left, or start the wanted plan. Everything the judgement
 * needs to know of the controller (hold, kill switch, store, isolation) is put into the view
 * here. */
#include "base/base.h"
#include "base/io/sparse.h"
#include "controller/run/daemon_evacuate.h"
#include "controller/run/daemon_fleet.h"
#include "controller/run/daemon_private.h"

#define RECORD_REPEAT_US (5 * STAY_SECOND)  /* decisions that do not say "healthy" */
#define RECORD_URGENT_US (100 * STAY_MS)    /* and those under suspicion or a plan, */
#define RECORD_BURST_US  (30 * STAY_SECOND) /* for this long after one that changed: the ring of */
                                            /* files is to reach back hours, not minutes */
#define RECORD_LANE_US (10 * STAY_SECOND)
#define SAVE_RETRY_US  STAY_SECOND

static int64_t now_mono(const struct daemon_cluster *c)
{
    return loop_now_mono_us(&c->daemon->loop);
}

static int64_t now_wall(const struct daemon_cluster *c)
{
    return loop_now_wall_us(&c->daemon->loop);
}

static const char *name_of(const struct daemon_cluster *c)
{
    return c->settings->config.name;
}

/* --- the executor's environment -------------------------------------------------------------- */

static void env_start_effect(void *ctx, uint64_t token, const struct effect *effect)
{
    daemon_probes_start_effect(ctx, token, effect);
}

static void env_save(void *ctx, uint64_t token, const struct plan_run *run,
                     const struct cluster_record *record, uint64_t expect_version)
{
    daemon_save_executor(ctx, token, run, record, expect_version);
}

static void env_wake_at(void *ctx, int64_t mono_us)
{
    struct daemon_cluster *c = ctx;
    if (timer_is_running(c->wake) && c->wake_at_mono_us <= mono_us)
        return;
    c->wake_at_mono_us = mono_us;
    timer_start(c->wake, mono_us);
}

static void env_note(void *ctx, enum exec_note note, const struct plan_run *run, uint32_t row)
{
    daemon_note(ctx, note, run, row);
}

static void on_wake(struct timer *timer, void *arg)
{
    (void)timer;
    daemon_mark_dirty(arg);
}

/* --- life ------------------------------------------------------------------------------------ */

struct daemon_cluster *daemon_cluster_new(struct daemon *d, const struct settings_cluster *settings)
{
    struct daemon_cluster *c = sparse_new(sizeof *c);
    c->daemon = d;
    c->settings = settings;
    c->birth = ++d->births;
    c->save_tail = &c->save_head;
    c->started_mono_us = loop_now_mono_us(&d->loop);
    c->save_failed_mono_us = STAY_NEVER;
    c->recorded_mono_us = c->changed_mono_us = STAY_NEVER;
    c->last_outage_us = -1;
    c->is_measure_due = true;
    for (uint32_t node = 0; node < NODES_MAX; node++)
        c->errant[node].failed_mono_us = STAY_NEVER;
    c->predicted_outage_us = -1;
    daemon_rehearse_soon(c);
    cluster_init(&c->view, &settings->config);
    c->view.hold_until_mono_us = INT64_MAX;
    c->wake = timer_new(&d->loop, on_wake, c);
    struct exec_env env = {.ctx = c,
                           .start_effect = env_start_effect,
                           .save = env_save,
                           .wake_at = env_wake_at,
                           .is_sole = true, /* SQLite, locked: store_sqlite_open.c */
                           .note = env_note};
    c->executor = executor_new(&c->view, &env);
    return c;
}

/* Before a plan starts: the others' guards look at this cluster from then on. */
void daemon_cluster_count_busy(struct daemon_cluster *c, bool is_busy)
{
    if (c->is_counted_busy == is_busy)
        return;
    c->is_counted_busy = is_busy;
    c->daemon->busy_count += is_busy ? 1 : (size_t)-1;
}

static void set_fast(struct daemon_cluster *c, bool is_fast)
{
    if (c->is_fast == is_fast)
        return;
    c->is_fast = is_fast;
    c->daemon->fast_count += is_fast ? 1 : (size_t)-1;
}

void daemon_cluster_free(struct daemon_cluster *c)
{
    daemon_cluster_count_busy(c, false);
    set_fast(c, false);
    daemon_forget_dirty(c);
    daemon_save_drop_all(c);
    executor_free(c->executor);
    timer_free(c->wake);
    cluster_clear(&c->view);
    decision_memory_clear(&c->before);
    free(c->resume_text);
    daemon_rehearse_clear(c);
    sparse_free(c, sizeof *c);
}

void daemon_cluster_observe(struct daemon_cluster *c, const struct observation *obs)
{
    cluster_observe(&c->view, obs);
    daemon_mark_dirty(c);
}

bool daemon_cluster_is_busy(const struct daemon_cluster *c)
{
    return executor_is_busy(c->executor) || c->resume_text != NULL;
}

/* --- the turn's parts ------------------------------------------------------------------------ */

static bool check_ready(struct daemon_cluster *c)
{
    if (c->is_ready)
        return true;
    bool has_had_time = now_mono(c) - c->started_mono_us > DAEMON_FIRST_FACTS_US;
    for (uint32_t n = 0; n < c->settings->config.node_count && !has_had_time; n++)
        if (c->view.nodes[n].reach_mono_us == STAY_NEVER)
            return false;
    c->is_ready = true;
    return true;
}

static void fill_view(struct daemon_cluster *c)
{
    const struct daemon *d = c->daemon;
    c->view.hold_until_mono_us = check_ready(c) ? d->hold_until_mono_us : INT64_MAX;
    c->view.paused_all = d->is_paused;
    c->view.store_ok = d->is_store_ok;
    c->view.isolated = d->is_isolated;
    c->view.evacuated = evacuation_mask(c->view.config, d->zones->orders, d->zones->count);
}

/* Said once, not for each of thousands; or nobody was asked yet. */
static bool is_all_held(const struct daemon_cluster *c)
{
    return !c->is_ready || c->view.isolated || !c->view.store_ok ||
           now_mono(c) < c->view.hold_until_mono_us;
}

static void log_decision(struct daemon_cluster *c)
{
    const struct decision *now = &c->decision;
    if (executor_is_busy(c->executor))
        return; /* what a plan makes it look like is the plan's story */
    if (now->verdict.rule_id == 150 && is_all_held(c))
        return;
    if (now->verdict.rule_id == c->logged_rule && now->vetoes == c->logged_vetoes &&
        now->want == c->logged_want)
        return;
    char rule[8], guards[160] = "";
    size_t used = 0;
    (void)snprintf(rule, sizeof rule, "%u", now->verdict.rule_id);
    for (int g = 0; g < GUARD_COUNT && used < sizeof guards; g++)
        if (now->want != PLAN_NONE && (now->vetoes & (UINT32_C(1) << g)))
            used += (size_t)snprintf(guards + used, sizeof guards - used, "%s%s",
                                     used ? ", " : "; refused by ", guard_name((enum guard_id)g));
    const char *node = now->verdict.node < c->settings->config.node_count
                           ? c->settings->config.nodes[now->verdict.node].name
                           : NULL;
    struct log_field fields[] = {
        {"MAINSTAY_CLUSTER", name_of(c)}, {"MAINSTAY_RULE", rule}, {"MAINSTAY_NODE", node}};
    bool is_healthy = now->verdict.rule_id == 100;
    if (!is_healthy || c->logged_rule != 0)
        log_write(is_healthy ? LOG_LEVEL_NOTICE : LOG_LEVEL_WARNING, fields, STAY_COUNT(fields),
                  "%s: %s (%s%s%s): %s%s%s%s", name_of(c), now->verdict.name, rule,
                  node ? ", " : "", node ? node : "", now->verdict.why,
                  now->want != PLAN_NONE ? "; wants " : "",
                  now->want != PLAN_NONE ? plan_kind_text(now->want) : "", guards);
    c->logged_rule = now->verdict.rule_id;
    c->logged_vetoes = now->vetoes;
    c->logged_want = now->want;
}

/* Kept when it changed, and again and again while something is wrong. */
static bool is_record_due(struct daemon_cluster *c, bool has_changed)
{
    if (has_changed)
        c->changed_mono_us = now_mono(c);
    if (has_changed || c->recorded_mono_us == STAY_NEVER)
        return true;
    bool is_burst = c->is_fast && now_mono(c) - c->changed_mono_us < RECORD_BURST_US;
    int64_t repeat_us = is_burst ? RECORD_URGENT_US : RECORD_REPEAT_US;
    return c->decision.verdict.rule_id != 100 && now_mono(c) - c->recorded_mono_us >= repeat_us;
}

/* With what decide() was given, to be judged again by `mainstay replay`. */
static void record_decision(struct daemon_cluster *c, const struct fleet *fleet, bool has_changed)
{
    struct daemon *d = c->daemon;
    if (!d->recorder || !is_record_due(c, has_changed))
        return;
    struct decision_turn turn = {.view = &c->view,
                                 .running = executor_run(c->executor),
                                 .fleet = fleet,
                                 .now_mono_us = now_mono(c),
                                 .now_wall_us = now_wall(c)};
    c->recorded_mono_us = now_mono(c);
    recorder_add(d->recorder, name_of(c), now_wall(c),
                 decision_record_text(&turn, &c->before, &c->decision),
                 now_mono(c) + RECORD_LANE_US);
}

enum stay_rc daemon_cluster_start_plan(struct daemon_cluster *c, enum plan_kind kind,
                                       const struct plan_params *params, struct stay_error *err)
{
    if (!c->is_loaded || !c->is_ready)
        return stay_error(err, STAY_EBUSY,
                          "%s: the controller has just started, try again in a "
                          "second",
                          name_of(c));
    if (daemon_cluster_is_busy(c))
        return stay_error(err, STAY_EBUSY, "%s: a plan runs already: `mainstay status %s`",
                          name_of(c), name_of(c));
    c->times.verdict_us = now_mono(c);
    daemon_cluster_count_busy(c, true);
    return executor_start(c->executor, kind, params, now_mono(c), now_wall(c), err);
}

static void start_wanted(struct daemon_cluster *c)
{
    struct stay_error err;
    struct plan_params params = c->decision.params;
    params.automatic = true;
    daemon_evacuate_sign(c->daemon, &params);
    enum stay_rc rc = daemon_cluster_start_plan(c, c->decision.want, &params, &err);
    if (rc == STAY_OK || strcmp(err.text, c->logged_text) == 0)
        return;
    (void)stay_copy(c->logged_text, sizeof c->logged_text, err.text);
    log_write(LOG_LEVEL_WARNING, &(struct log_field){"MAINSTAY_CLUSTER", name_of(c)}, 1,
              "%s: %s does not start: %s", name_of(c), plan_kind_text(c->decision.want), err.text);
}

/* A repair that runs when the primary dies must not hold the failover up. */
static void give_way(struct daemon_cluster *c)
{
    const struct plan_run *run = executor_run(c->executor);
    struct stay_error err;
    char why[PLAN_TEXT_MAX];
    if (!guard_preempts(&c->decision, run))
        return;
    (void)snprintf(why, sizeof why, "gave way to a %s: %u %s", plan_kind_text(c->decision.want),
                   c->decision.verdict.rule_id, c->decision.verdict.name);
    log_write(LOG_LEVEL_WARNING, &(struct log_field){"MAINSTAY_CLUSTER", name_of(c)}, 1,
              "%s: %s gives way to a %s", name_of(c), run->id, plan_kind_text(c->decision.want));
    if (executor_abort(c->executor, why, now_mono(c), &err) != STAY_OK)
        log_write(LOG_LEVEL_WARNING, &(struct log_field){"MAINSTAY_CLUSTER", name_of(c)}, 1,
                  "%s: %s", name_of(c), err.text);
}

static void act(struct daemon_cluster *c)
{
    if (executor_is_busy(c->executor))
        give_way(c);
    bool may_retry = c->save_failed_mono_us == STAY_NEVER ||
                     now_mono(c) - c->save_failed_mono_us > SAVE_RETRY_US;
    if (daemon_cluster_is_busy(c) || !daemon_save_is_idle(c) || !c->is_ready)
        return;
    if (c->daemon->is_store_ok && may_retry && daemon_raise_epoch(c))
        return;
    if (c->decision.record_changed && c->daemon->is_store_ok && may_retry) {
        if (c->decision.record.switch_missed_wall_us != c->view.record.switch_missed_wall_us)
            log_write(LOG_LEVEL_ERROR, &(struct log_field){"MAINSTAY_CLUSTER", name_of(c)}, 1,
                      "%s: the scheduled switchover was not possible in its window: missed",
                      name_of(c));
        daemon_save_watch(c, &c->decision.record);
        return;
    }
    if (c->decision.want != PLAN_NONE && c->decision.vetoes == 0)
        start_wanted(c);
    else
        c->logged_text[0] = '\0';
}

static bool decision_changed(const struct decision *before, const struct decision *now)
{
    return before->verdict.rule_id != now->verdict.rule_id ||
           before->verdict.node != now->verdict.node || before->want != now->want ||
           before->vetoes != now->vetoes || before->suspicion != now->suspicion ||
           now->record_changed;
}

/* Silence ends in a verdict when its bound passes, not at the next answer of another server. */
static void wake_when_silent(struct daemon_cluster *c)
{
    const struct cluster_view *view = &c->view;
    if (view->primary == NO_NODE || view->nodes[view->primary].silent_since_mono_us == STAY_NEVER)
        return;
    int64_t bound = view->nodes[view->primary].silent_since_mono_us + view->config->silence_us;
    if (bound > now_mono(c))
        env_wake_at(c, bound);
}

void daemon_cluster_turn(struct daemon_cluster *c)
{
    c->is_dirty = false;
    if (!c->is_loaded)
        return;
    c->turns++;
    fill_view(c);
    executor_tick(c->executor, now_mono(c), now_wall(c));
    daemon_resume(c);
    (void)daemon_evacuate_turn(c);
    daemon_fleet(c->daemon, c, &c->fleet);
    struct decision before = c->decision;
    decision_memory_take(&c->before, &c->view);
    decide(&c->view, executor_run(c->executor), &c->fleet, now_mono(c), now_wall(c), &c->decision);
    bool has_changed = !c->is_decided || decision_changed(&before, &c->decision);
    c->is_decided = true;
    log_decision(c);
    record_decision(c, &c->fleet, has_changed);
    act(c);
    bool is_urgent = c->decision.suspicion || executor_is_busy(c->executor);
    if (is_urgent != c->is_fast)
        daemon_probes_pace(c, is_urgent);
    set_fast(c, is_urgent);
    daemon_cluster_count_busy(c, executor_is_busy(c->executor));
    wake_when_silent(c);
    daemon_probes_routes(c);
    daemon_measure_loss(c);
    daemon_keep_errant(c);
    daemon_rehearse(c);
}
