/* tests/unit/controller/act/exec_answers.h - the executor tests' queue: effects and saves wait,
 * are done by servers and store, with the fault a test asked for, and are answered. See
 * exec_world.h. */
#ifndef TESTS_EXEC_ANSWERS_H
#define TESTS_EXEC_ANSWERS_H
#include "tests/unit/controller/act/exec_servers.h"

static void world_start_effect(void *ctx, uint64_t token, const struct effect *effect)
{
    struct world *w = ctx;
    assert_true(w->count < WORLD_QUEUE);
    struct world_call *call = &w->queue[w->count++];
    memset(call, 0, sizeof *call);
    call->token = token;
    call->effect = *effect;
    if (effect->want != NULL)
        gtid_set_copy(&call->want, effect->want);
    call->effect.want = NULL;
    assert_int_equal(effect->epoch, executor_run(w->x)->epoch);
}

static void world_save(void *ctx, uint64_t token, const struct plan_run *run,
                       const struct cluster_record *record, uint64_t expect)
{
    struct world *w = ctx;
    struct world_call *call = &w->queue[w->count++];
    memset(call, 0, sizeof *call);
    call->is_save = true;
    call->token = token;
    call->has_record = record != NULL;
    if (record != NULL)
        call->record = *record;
    call->expect = expect;
    STAY_AUTO(stay_json_drop) json_t *json = plan_run_to_json(run, &w->c.config);
    call->journal = stay_json_dump_compact(json);
}

static void world_wake_at(void *ctx, int64_t mono_us)
{
    struct world *w = ctx;
    if (mono_us > w->now && mono_us < w->wake)
        w->wake = mono_us;
}

static void world_note(void *ctx, enum exec_note note, const struct plan_run *run, uint32_t row)
{
    struct world *w = ctx;
    (void)run;
    (void)row;
    w->ends += note == EXEC_PLAN_ENDED;
}

static bool world_is_faulty(struct world *w, const struct effect *e)
{
    bool any_node = step_kind_class(e->step) == CLASS_ROUTE;
    if (w->fault_times == 0 || e->step != w->fault_step || (!any_node && e->node != w->fault_node))
        return false;
    if (w->fault_after > 0) {
        w->fault_after--;
        return false;
    }
    w->fault_times--;
    return true;
}

static void world_log(struct world *w, const struct effect *e, enum outcome outcome)
{
    static const char *const outcomes[] = {"none", "done", "not done", "unknown"};
    const struct node_config *nodes = w->c.config.nodes;
    str_addf(&w->log, "%s", step_kind_text(e->step));
    if (e->node < w->c.config.node_count)
        str_addf(&w->log, " %s", nodes[e->node].name);
    if (step_kind_class(e->step) == CLASS_NODE && e->peer < w->c.config.node_count &&
        (e->step == STEP_ATTACH || e->step == STEP_TOP_UP || e->step == STEP_THAW))
        str_addf(&w->log, " from %s%s", nodes[e->peer].name, e->semi_sync ? " acking" : "");
    if (outcome != OUTCOME_DONE)
        str_addf(&w->log, ": %s", outcomes[outcome]);
    str_add(&w->log, "\n");
}

static enum receiver_before world_receiver_before(const struct world *w, const struct effect *e)
{
    bool is_node = step_kind_class(e->step) == CLASS_NODE;
    const struct world_server *s = is_node ? &w->servers[e->node] : NULL;
    if (e->step != STEP_FREEZE || s == NULL || s->source == NO_NODE)
        return BEFORE_UNKNOWN;
    if (!s->receiver_on)
        return s->cannot_reach ? BEFORE_LOST : BEFORE_UNKNOWN;
    return w->servers[s->source].up ? BEFORE_CONNECTED : BEFORE_LOST;
}

static void world_answer_effect(struct world *w, struct world_call *call)
{
    struct effect_result result = {.receiver_before = world_receiver_before(w, &call->effect)};
    struct server_facts facts = {0};
    bool faulty = world_is_faulty(w, &call->effect);
    bool does = !faulty || w->fault_did_it;
    result.outcome = does ? world_do(w, call) : w->fault_outcome;
    if (faulty)
        result.outcome = w->fault_outcome;
    bool is_node = step_kind_class(call->effect.step) == CLASS_NODE;
    if (is_node && w->servers[call->effect.node].up && result.outcome == OUTCOME_DONE) {
        world_facts(w, call->effect.node, &facts);
        result.facts = &facts;
        result.groups_read = true;
    }
    result.goes_on = !faulty && call->effect.step == STEP_COPY && result.outcome != OUTCOME_DONE;
    if (result.outcome != OUTCOME_DONE)
        (void)stay_copy(result.text, sizeof result.text, "as the test wants");
    world_log(w, &call->effect, result.outcome);
    if (!w->is_dead)
        executor_effect_done(w->x, call->token, &result, w->now);
    server_facts_clear(&facts);
}

static void world_answer_save(struct world *w, struct world_call *call, bool answers)
{
    w->saves++;
    enum stay_rc rc = STAY_OK;
    if (w->saves == w->conflict_at) {
        w->stored.version += 10;
        w->stored.epoch += 5;
        cluster_set_record(&w->c.view, &w->stored);
    }
    if (call->expect != w->stored.version)
        rc = STAY_ECONFLICT;
    if (rc == STAY_OK) {
        free(w->journal);
        w->journal = stay_strdup(call->journal);
        if (call->has_record) {
            uint64_t version = w->stored.version + 1;
            w->stored = call->record;
            w->stored.version = version;
        }
    }
    str_addf(&w->log, "save%s%s\n", call->has_record ? " record" : "",
             rc == STAY_OK ? "" : ": conflict");
    if (answers)
        executor_saved(w->x, call->token, rc, w->stored.version, w->now);
}

#endif
