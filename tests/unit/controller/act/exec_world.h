/* tests/unit/controller/act/exec_world.h - a small world for executor tests: servers that do what
 * effects ask and answer with facts, a store that keeps record and journal, a clock moved by hand.
 *
 * Servers here are honest and simple (no waiters, no lost packets): what is tested is the executor.
 * The simulator has the nasty ones. */
#ifndef TESTS_EXEC_WORLD_H
#define TESTS_EXEC_WORLD_H
#include "tests/unit/controller/decide/case_view.h"
#include "base/json.h"
#include "base/str.h"
#include "controller/act/executor.h"

#define WORLD_QUEUE 256

struct world_server {
    bool up, writable, receiver_on, ss_source, ss_replica, applier_stuck, ever_writable_again;
    uint32_t source; /* NO_NODE: none */
    struct gtid_set executed, received;
    uint64_t born_s; /* monotonic second of its start */
    uint64_t canary_epoch;
};

struct world_call {
    bool is_save;
    uint64_t token;
    struct effect effect;
    struct gtid_set want;
    bool has_record;
    struct cluster_record record;
    uint64_t expect;
    char *journal;
};

struct world {
    struct case_view c;
    struct executor *x;
    int64_t now;
    struct world_server servers[NODES_MAX];
    struct world_call queue[WORLD_QUEUE];
    size_t count;
    struct str log; /* one line per effect done and per save */
    struct cluster_record stored;
    char *journal;
    uint32_t route;  /* NO_NODE: closed */
    uint32_t calls;  /* effects and saves done or dropped so far */
    uint32_t die_at; /* the process dies at this call; 0: never */
    bool die_after;  /* after the world did it, before the answer */
    bool is_dead;
    int64_t wake;
    /* Faults: the n-th effect of this kind on this node answers so. */
    enum step_kind fault_step;
    uint32_t fault_node;
    enum outcome fault_outcome;
    uint32_t fault_times;
    bool fault_did_it;    /* unknown, but it happened */
    uint32_t conflict_at; /* n-th save meets another leader */
    uint32_t saves;
    uint32_t two_writable; /* times two servers were writable at once */
    int64_t route_closed_at, route_opened_at;
    uint32_t ends;
    bool last_first; /* answers in reverse order */
    uint32_t answer_cost_us;
};

static void world_watch(struct world *w)
{
    uint32_t writable = 0;
    for (uint32_t node = 0; node < w->c.config.node_count; node++)
        writable += w->servers[node].up && w->servers[node].writable;
    w->two_writable += writable > 1;
}

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

static void world_facts(const struct world *w, uint32_t node, struct server_facts *facts)
{
    const struct world_server *s = &w->servers[node];
    memset(facts, 0, sizeof *facts);
    gtid_set_copy(&facts->executed, &s->executed);
    gtid_set_copy(&facts->received, &s->received);
    facts->uptime_s = (uint64_t)(w->now / STAY_SECOND) - s->born_s;
    facts->read_only = s->writable ? TRI_NO : TRI_YES;
    facts->applier = TRI_YES;
    facts->ss_source_enabled = facts->ss_source_on = s->ss_source ? TRI_YES : TRI_NO;
    facts->receiver = s->source == NO_NODE       ? RECEIVER_NONE
                      : !s->receiver_on          ? RECEIVER_STOPPED
                      : w->servers[s->source].up ? RECEIVER_RUNNING
                                                 : RECEIVER_CONNECTING;
    if (s->source != NO_NODE) {
        (void)stay_copy(facts->source_host, sizeof facts->source_host,
                        w->c.config.nodes[s->source].host);
        facts->source_port = w->c.config.nodes[s->source].port;
    }
}

static uint32_t world_clients(const struct world *w, uint32_t source)
{
    uint32_t count = 0;
    for (uint32_t node = 0; node < w->c.config.node_count; node++) {
        const struct world_server *s = &w->servers[node];
        count += s->up && s->receiver_on && s->source == source && s->ss_replica;
    }
    return count;
}

static void world_write(struct world_server *s, uint32_t node)
{
    STAY_AUTO(gtid_set_drop) struct gtid_set one = {0};
    char text[40];
    (void)snprintf(text, sizeof text, "0-%u-%llu", node + 1,
                   (unsigned long long)gtid_set_count(&s->executed) + 1);
    assert_int_equal(gtid_set_parse(GTID_MARIADB, text, &one, NULL), STAY_OK);
    gtid_set_union(&s->executed, &one);
}

static void world_attach(struct world *w, uint32_t node, const struct effect *e)
{
    struct world_server *s = &w->servers[node];
    if (!gtid_set_contains(&w->servers[e->peer].executed, &s->executed))
        fail_msg("%s attached to %s although it holds more", w->c.config.nodes[node].name,
                 w->c.config.nodes[e->peer].name);
    s->source = e->peer;
    s->receiver_on = true;
    s->ss_replica = e->semi_sync;
    gtid_set_copy(&s->executed, &w->servers[e->peer].executed);
    gtid_set_copy(&s->received, &s->executed);
}

/* What the server does; the outcome. */
static enum outcome world_do_node(struct world *w, struct world_call *call)
{
    const struct effect *e = &call->effect;
    struct world_server *s = &w->servers[e->node];
    switch (e->step) {
    case STEP_FENCE:
    case STEP_QUIESCE:
        s->writable = false;
        if (e->step == STEP_FENCE)
            s->ss_source = false;
        return OUTCOME_DONE;
    case STEP_FREEZE:
        s->receiver_on = false;
        return OUTCOME_DONE;
    case STEP_DRAIN:
        if (s->applier_stuck)
            return OUTCOME_NOT_DONE;
        gtid_set_union(&s->executed, &s->received);
        return gtid_set_contains(&s->executed, &call->want) ? OUTCOME_DONE : OUTCOME_NOT_DONE;
    case STEP_CATCH_UP:
    case STEP_BARRIER:
        if (s->receiver_on && s->source != NO_NODE && w->servers[s->source].up)
            gtid_set_union(&s->executed, &w->servers[s->source].executed);
        return gtid_set_contains(&s->executed, &call->want) ? OUTCOME_DONE : OUTCOME_UNKNOWN;
    case STEP_TOP_UP:
        gtid_set_union(&s->executed, &w->servers[e->peer].executed);
        return OUTCOME_DONE;
    case STEP_DETACH:
        s->source = NO_NODE;
        s->receiver_on = false;
        return OUTCOME_DONE;
    case STEP_SOURCE_ON:
        s->ss_source = true;
        return OUTCOME_DONE;
    case STEP_SOURCE_OFF:
        s->ss_source = false;
        return OUTCOME_DONE;
    case STEP_ATTACH:
        world_attach(w, e->node, e);
        return OUTCOME_DONE;
    case STEP_THAW:
        if (!gtid_set_contains(&s->executed, &call->want))
            return OUTCOME_NOT_DONE;
        s->receiver_on = true;
        return OUTCOME_DONE;
    case STEP_UNFENCE:
        s->writable = true;
        s->ss_source = e->semi_sync;
        return OUTCOME_DONE;
    case STEP_WAIT_ACKERS:
        return world_clients(w, e->node) >= e->acks ? OUTCOME_DONE : OUTCOME_UNKNOWN;
    case STEP_WRITABLE:
        s->writable = true;
        return OUTCOME_DONE;
    case STEP_CANARY:
        if (!s->writable || (s->ss_source && world_clients(w, e->node) < e->acks))
            return OUTCOME_UNKNOWN;
        world_write(s, e->node);
        s->canary_epoch = e->epoch;
        return OUTCOME_DONE;
    case STEP_REPLICA_ROLE:
        s->ss_replica = e->semi_sync;
        return OUTCOME_DONE;
    case STEP_COLLECT:
    case STEP_COMPARE:
    case STEP_VERIFY_FREEZE:
    case STEP_SET_TIMEOUTS:
    case STEP_CREATE_SCHEMA:
        return OUTCOME_DONE;
    case STEP_NONE:
    case STEP_CHECK:
    case STEP_INTENT:
    case STEP_HOOK_PRE:
    case STEP_ROUTE_CLOSE:
    case STEP_CHOOSE:
    case STEP_CERTIFY:
    case STEP_STORE_MODE:
    case STEP_ROUTE_OPEN:
    case STEP_CANARY_ROUTE:
    case STEP_COMMIT:
    case STEP_HOOK_POST:
    case STEP_QUARANTINE:
    case STEP_KIND_COUNT:
        break;
    }
    fail_msg("step %s is no effect", step_kind_text(e->step));
    return OUTCOME_NOT_DONE;
}

static enum outcome world_do(struct world *w, struct world_call *call)
{
    const struct effect *e = &call->effect;
    if (step_kind_class(e->step) == CLASS_ROUTE) {
        if (e->step == STEP_ROUTE_CLOSE) {
            w->route = NO_NODE;
            w->route_closed_at = w->now;
        }
        if (e->step == STEP_ROUTE_OPEN) {
            w->route = e->node;
            w->route_opened_at = w->now;
        }
        return OUTCOME_DONE;
    }
    if (!w->servers[e->node].up)
        return OUTCOME_UNKNOWN;
    enum outcome outcome = world_do_node(w, call);
    world_watch(w);
    return outcome;
}

static bool world_is_faulty(struct world *w, const struct effect *e)
{
    bool any_node = step_kind_class(e->step) == CLASS_ROUTE;
    if (w->fault_times == 0 || e->step != w->fault_step || (!any_node && e->node != w->fault_node))
        return false;
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

static void world_answer_effect(struct world *w, struct world_call *call)
{
    struct effect_result result = {0};
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
    if (result.outcome != OUTCOME_DONE)
        (void)stay_copy(result.text, sizeof result.text, "as the test wants");
    result.receiver_was_lost = call->effect.step == STEP_FREEZE && is_node && !w->servers[0].up;
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

/* Runs until the plan ended or the process died. */
static void world_run(struct world *w)
{
    for (uint32_t turns = 0; turns < 5000 && !w->is_dead && executor_is_busy(w->x); turns++) {
        if (world_step(w))
            continue;
        assert_true(w->wake != INT64_MAX);
        w->now = w->wake;
        w->wake = INT64_MAX;
        world_probe(w);
        executor_tick(w->x, w->now, w->now + CASE_WALL - CASE_NOW);
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
    struct plan_params params = {.node = node, .detected_mono_us = w->now};
    return executor_start(w->x, kind, &params, w->now, w->now + CASE_WALL - CASE_NOW, err);
}

#endif
