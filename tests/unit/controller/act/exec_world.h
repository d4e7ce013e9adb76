/* tests/unit/controller/act/exec_world.h - a small world for executor tests: servers that do what
 * effects ask and answer with facts, a store that keeps record and journal, a clock moved by hand.
 *
 * Servers here are honest and simple (no waiters, no lost packets): what is tested is the executor.
 * The simulator has the nasty ones. */
#ifndef TESTS_EXEC_WORLD_H
#define TESTS_EXEC_WORLD_H
#include "tests/unit/controller/act/exec_answers.h"

static void world_die(struct world *w)
{
    w->is_dead = true;
    for (size_t i = 0; i < w->count; i++) {
        free(w->queue[i].journal);
        gtid_set_clear(&w->queue[i].want);
    }
    w->count = 0;
    executor_free(w->x);
    w->x = NULL;
}

/* One queued call; false when nothing is queued. */
static bool world_step(struct world *w)
{
    if (w->count == 0)
        return false;
    size_t at = w->last_first ? w->count - 1 : 0;
    struct world_call call = w->queue[at];
    memmove(&w->queue[at], &w->queue[at + 1], (w->count - at - 1) * sizeof call);
    w->count--;
    w->calls++;
    w->now += w->answer_cost_us;
    bool dies = w->die_at != 0 && w->calls == w->die_at;
    if (!dies) {
        if (call.is_save)
            world_answer_save(w, &call, true);
        else
            world_answer_effect(w, &call);
    } else {
        w->is_dead = true;
        if (w->die_after && call.is_save)
            world_answer_save(w, &call, false);
        else if (w->die_after)
            world_answer_effect(w, &call);
    }
    free(call.journal);
    gtid_set_clear(&call.want);
    if (dies)
        world_die(w);
    return true;
}

/* Refreshes what a prober would see. */
static void world_probe(struct world *w)
{
    for (uint32_t node = 0; node < w->c.config.node_count; node++) {
        struct node_view *n = &w->c.view.nodes[node];
        struct server_facts facts;
        if (!w->servers[node].up)
            continue;
        world_facts(w, node, &facts);
        server_facts_merge(&n->facts, &facts, 0);
        gtid_set_copy(&n->facts.executed, &facts.executed);
        n->facts.read_only = facts.read_only;
        n->facts.uptime_s = facts.uptime_s;
        (void)stay_copy(n->facts.source_host, sizeof n->facts.source_host, facts.source_host);
        n->facts.source_port = facts.source_port;
        n->facts_mono_us = n->facts_begun_mono_us = n->query_ok_mono_us = w->now;
        server_facts_clear(&facts);
    }
}

/* Time moves on to when the executor asked to be woken. */
static void world_wake(struct world *w)
{
    assert_true(w->wake != INT64_MAX);
    w->now = w->wake;
    w->wake = INT64_MAX;
    world_probe(w);
    executor_tick(w->x, w->now, w->now + CASE_WALL - CASE_NOW);
}

/* Runs until the plan ended or the process died. */
static void world_run(struct world *w)
{
    for (uint32_t turns = 0; turns < 5000 && !w->is_dead && executor_is_busy(w->x); turns++) {
        if (world_step(w))
            continue;
        world_wake(w);
    }
    assert_true(w->is_dead || !executor_is_busy(w->x));
}

static void world_restart(struct world *w)
{
    static const struct exec_env env = {0};
    struct exec_env mine = env;
    mine.ctx = w;
    mine.start_effect = world_start_effect;
    mine.save = world_save;
    mine.wake_at = world_wake_at;
    mine.note = world_note;
    mine.is_sole = w->is_sole;
    w->is_dead = false;
    w->die_at = 0;
    w->wake = INT64_MAX;
    cluster_set_record(&w->c.view, &w->stored);
    w->x = executor_new(&w->c.view, &mine);
}

/* Takes up what the store says runs; false when nothing does. */
static inline bool world_resume(struct world *w)
{
    struct stay_error err = {0};
    world_restart(w);
    w->now += STAY_SECOND;
    world_probe(w);
    if (w->stored.plan_id[0] == '\0')
        return false;
    if (executor_resume(w->x, w->journal, w->now, w->now + CASE_WALL - CASE_NOW, &err) != STAY_OK)
        fail_msg("resume: %s", err.text);
    return true;
}

static void world_open(struct world *w, const char *text)
{
    memset(w, 0, sizeof *w);
    STAY_AUTO(stay_free_charp) char *copy = stay_strdup(text);
    case_load(&w->c, copy);
    w->now = CASE_NOW;
    w->answer_cost_us = 1000;
    w->stored = w->c.view.record;
    w->route = w->c.view.primary;
    for (uint32_t node = 0; node < w->c.config.node_count; node++) {
        const struct server_facts *facts = &w->c.view.nodes[node].facts;
        struct world_server *s = &w->servers[node];
        s->up = w->now - w->c.view.nodes[node].query_ok_mono_us < 30 * STAY_SECOND &&
                w->c.view.nodes[node].refused_first_mono_us == STAY_NEVER;
        s->writable = facts->read_only == TRI_NO;
        s->source = facts->source_host[0] == '\0'
                        ? NO_NODE
                        : cluster_node_by_host(&w->c.config, facts->source_host);
        s->receiver_on = s->source != NO_NODE;
        s->ss_source = facts->ss_source_enabled == TRI_YES;
        s->ss_replica = (w->stored.ackers & (UINT32_C(1) << node)) != 0;
        s->applier_stuck = facts->applier_errno != 0;
        s->born_s = (uint64_t)(w->now / STAY_SECOND) - 900;
        w->c.view.nodes[node].facts.uptime_s = 900;
        gtid_set_copy(&s->executed, &facts->executed);
        gtid_set_copy(&s->received, &facts->received);
    }
    world_restart(w);
}

static void world_close(struct world *w)
{
    if (w->x != NULL)
        world_die(w);
    for (uint32_t node = 0; node < NODES_MAX; node++) {
        gtid_set_clear(&w->servers[node].executed);
        gtid_set_clear(&w->servers[node].received);
    }
    free(w->journal);
    str_clear(&w->log);
    case_clear(&w->c);
}

static enum stay_rc world_plan(struct world *w, enum plan_kind kind, uint32_t node,
                               struct stay_error *err)
{
    struct plan_params params = {.node = node, .donor = NO_NODE, .detected_mono_us = w->now};
    w->c.config.reseed_by_command = true;
    return executor_start(w->x, kind, &params, w->now, w->now + CASE_WALL - CASE_NOW, err);
}

static inline void world_start(struct world *w, enum plan_kind kind)
{
    struct stay_error err = {0};
    if (world_plan(w, kind, NO_NODE, &err) != STAY_OK)
        fail_msg("start: %s", err.text);
}

static inline const struct plan_run *world_run_of(struct world *w)
{
    return executor_run(w->x);
}

/* Steps until the next queued call is this step. */
static inline void world_until(struct world *w, enum step_kind step)
{
    for (int i = 0; i < 200; i++) {
        if (w->count > 0 && !w->queue[0].is_save && w->queue[0].effect.step == step)
            return;
        assert_true(world_step(w));
    }
    fail_msg("never came to %s", step_kind_text(step));
}

static inline bool world_is_queued(const struct world *w, enum step_kind step)
{
    for (size_t i = 0; i < w->count; i++)
        if (!w->queue[i].is_save && w->queue[i].effect.step == step)
            return true;
    return false;
}

#endif
