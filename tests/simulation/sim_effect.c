/* Effects on the model: a lane that sends commands (perhaps late), their way to the server, their
 * answer. The lane's validity check is the real one: a change is not sent after valid_until. What
 * was sent cannot be called back: a frozen server or a cut link may deliver it later. */
#include "tests/simulation/sim_crash.h"
#include "tests/simulation/sim_rewind.h"

#define SEND_LIMIT_US (15 * STAY_SECOND)

static struct sim_effect *slot_new(struct sim *s)
{
    for (uint32_t i = 0; i < SIM_EFFECTS; i++)
        if (!s->effect[i].used) {
            struct sim_effect *x = &s->effect[i];
            struct gtid_set want = x->want;
            struct server_facts *facts = x->facts;
            *x = (struct sim_effect){
                .used = true, .gen = ++s->effect_gen, .want = want, .facts = facts};
            return x;
        }
    must(false);
    return NULL;
}

static uint32_t slot_of(const struct sim *s, const struct sim_effect *x)
{
    return (uint32_t)(x - s->effect);
}

/* Not a statement to the node: to a proxy, or of a job beside the controller. */
static bool is_route(enum step_kind step)
{
    return step_kind_class(step) == CLASS_ROUTE || step == STEP_REWIND;
}

bool effect_changes(enum step_kind step)
{
    switch (step) {
    case STEP_DRAIN:
    case STEP_COLLECT:
    case STEP_WAIT_ACKERS:
    case STEP_VERIFY_FREEZE:
    case STEP_CATCH_UP:
    case STEP_COMPARE:
    case STEP_BARRIER:
    case STEP_CANARY_ROUTE:
    case STEP_HOOK_PRE:
    case STEP_HOOK_POST:
        return false;
    case STEP_NONE: case STEP_CHECK: case STEP_INTENT: case STEP_ROUTE_CLOSE: case STEP_FENCE:
    case STEP_FREEZE: case STEP_CHOOSE: case STEP_TOP_UP: case STEP_CERTIFY: case STEP_DETACH:
    case STEP_SOURCE_ON: case STEP_SOURCE_OFF: case STEP_STORE_MODE: case STEP_ATTACH:
    case STEP_WRITABLE: case STEP_CANARY: case STEP_ROUTE_OPEN: case STEP_COMMIT: case STEP_QUIESCE:
    case STEP_THAW: case STEP_UNFENCE: case STEP_QUARANTINE: case STEP_SET_TIMEOUTS:
    case STEP_CREATE_SCHEMA: case STEP_REPLICA_ROLE: case STEP_START_APPLIER: case STEP_COPY:
    case STEP_COPY_STOP: case STEP_ADMIT: case STEP_REPLAY:
    case STEP_SET_VARIABLES: case STEP_ACKNOWLEDGE: case STEP_END_STREAM:
    case STEP_REWIND:
    case STEP_KIND_COUNT:
        break;
    }
    return true;
}

void effect_start(void *ctx, uint64_t token, const struct effect *effect)
{
    struct sim *s = ctx;
    if (!controller_runs(s) || crash_here(s, effect->step, 0))
        return;
    s->stats->step[effect->step]++;
    if (effect_changes(effect->step))
        check_paused(s, effect);
    if (effect->step == STEP_WRITABLE)
        s->server[effect->node].seen_open_at = s->server[effect->node].seen_at;
    if (effect->opens)
        cluster_node_opens(s->controller.view, effect->node, s->now);
    if (effect->step == STEP_COPY_STOP && effect->plan == PLAN_REWIND)
        rewind_stop(s, effect->node);
    struct sim_effect *x = slot_new(s);
    x->token = token;
    x->life = s->controller.life;
    x->effect = *effect;
    x->started = s->now;
    x->want.n = 0;
    x->has_want = effect->want != NULL;
    if (effect->want)
        gtid_set_copy(&x->want, effect->want);
    x->effect.want = &x->want;
    int64_t delay = sim_span(s, 100, 1000);
    if (random_chance(&s->random, s->setup.lane_ppm)) {
        delay += sim_span(s, 200 * STAY_MS, 3 * STAY_SECOND);
        s->stats->fault[FAULT_LANE_STUCK]++;
    }
    delay += s->setup.lane_us;
    s->setup.lane_us = 0;
    sim_trace(s, "    effect %s%s%u%s", step_kind_text(effect->step),
              effect->node == NO_NODE ? "" : " on db",
              effect->node == NO_NODE ? 0 : effect->node + 1,
              delay > 100 * STAY_MS ? ", leaves late" : "");
    sim_at(s, s->now + delay, EV_EFFECT, slot_of(s, x), 0, x->gen, 0);
    if (effect->deadline_mono_us < s->now + 3600 * STAY_SECOND)
        sim_at(s, effect->deadline_mono_us, EV_EFFECT_DEADLINE, slot_of(s, x), 0, x->gen, 0);
}

/* The server's side is done: the answer travels back. */
static void finish(struct sim *s, struct sim_effect *x, enum outcome outcome, const char *text)
{
    x->outcome = outcome;
    if (text)
        stay_copy(x->text, sizeof x->text, text);
    uint32_t node = x->effect.node;
    if (x->life == s->controller.life && x->sent && x->effect.step != STEP_REWIND)
        crash_point_effect(s, &x->effect);
    if (x->life == s->controller.life && x->sent && crash_here(s, x->effect.step, 1)) {
        x->used = false;
        return;
    }
    if (node != NO_NODE && !is_route(x->effect.step) && x->sent &&
        (!net_ok(s, node, SIM_HOST_CONTROLLER) || s->server[node].silent)) {
        x->phase = UINT32_MAX; /* lost on the way: the deadline says unknown */
        return;
    }
    if (node != NO_NODE && x->read && outcome != OUTCOME_UNKNOWN)
        facts_read(s, &s->server[node], x->facts, FACTS_STATUS);
    int64_t back = node == NO_NODE || is_route(x->effect.step)
                       ? 500
                       : net_delay(s, node, SIM_HOST_CONTROLLER);
    sim_at(s, s->now + back, EV_EFFECT_ANSWER, slot_of(s, x), 0, x->gen, 0);
    x->phase = UINT32_MAX;
}

void effect_canary_done(struct sim *s, uint32_t slot_gen)
{
    for (uint32_t i = 0; i < SIM_EFFECTS; i++) {
        struct sim_effect *x = &s->effect[i];
        if (x->used && x->gen == slot_gen && x->phase != UINT32_MAX)
            finish(s, x, OUTCOME_DONE, NULL);
    }
}

static void again(struct sim *s, struct sim_effect *x, int64_t in_us)
{
    sim_at(s, s->now + in_us, EV_EFFECT, slot_of(s, x), 0, x->gen, 0);
}

/* Reaching the server for this phase; false: not now (handled). */
static bool reaches(struct sim *s, struct sim_effect *x, struct sim_server *v)
{
    bool to = net_ok(s, SIM_HOST_CONTROLLER, v->index) && !v->silent;
    if (to && !v->up) {
        enum outcome o =
            x->sent && effect_changes(x->effect.step) ? OUTCOME_UNKNOWN : OUTCOME_NOT_DONE;
        x->goes_on = x->effect.step == STEP_COPY; /* it restarts when it is done */
        finish(s, x, o, "connection refused");
        return false;
    }
    if (x->sent && x->server_life != v->life) {
        finish(s, x, OUTCOME_UNKNOWN, "the server restarted");
        return false;
    }
    if (to && !v->frozen && !v->denied)
        return true;
    if (v->denied && to && !v->frozen) {
        finish(s, x, OUTCOME_NOT_DONE, "access denied");
        return false;
    }
    /* In a socket: half of them arrive when the server thaws or the link heals. */
    if (x->gen % 2 == 0 && s->now - x->started < SEND_LIMIT_US) {
        if (!x->sent)
            x->server_life = v->life;
        x->sent = true;
        again(s, x, 100 * STAY_MS);
    } else {
        x->phase = UINT32_MAX;
    }
    return false;
}

/* A node has one lane and a queue: what is under way there ends before anything else begins
 * (controller/act/effects_node.h). */
static bool is_queued(const struct sim *s, const struct sim_effect *x)
{
    for (uint32_t i = 0; i < SIM_EFFECTS; i++) {
        const struct sim_effect *y = &s->effect[i];
        if (y->used && y->life == x->life && y->gen < x->gen && !y->answered &&
            y->effect.node == x->effect.node && !is_route(y->effect.step))
            return true;
    }
    return false;
}

static bool too_late(struct sim *s, struct sim_effect *x)
{
    if (x->sent || !effect_changes(x->effect.step) || s->now <= x->effect.valid_until_mono_us)
        return false;
    crash_point_late();
    finish(s, x, OUTCOME_NOT_DONE, "too late: not sent");
    return true;
}

static void on_effect(struct sim *s, struct sim_effect *x)
{
    bool ours = s->controller.up && x->life == s->controller.life;
    if (x->phase == UINT32_MAX || (!ours && !x->sent)) {
        x->used = x->used && ours;
        return;
    }
    if (ours && s->controller.frozen && !x->sent) { /* its lane is frozen too */
        again(s, x, 50 * STAY_MS);
        return;
    }
    if (x->left_at == 0 && x->effect.node != NO_NODE && !is_route(x->effect.step) &&
        is_queued(s, x)) {
        again(s, x, STAY_MS);
        return;
    }
    if (too_late(s, x))
        return;
    if (x->left_at == 0) {
        x->left_at = s->now;
        if (effect_changes(x->effect.step))
            check_left(s, &x->effect);
    }
    if (is_route(x->effect.step)) {
        x->sent = true;
        if (x->effect.step == STEP_REWIND)
            x->outcome = rewind_look(s, x);
        else
            route_step(s, x);
        finish(s, x, x->outcome, NULL);
        return;
    }
    if (x->effect.node >= s->setup.servers) {
        sim_violate(s, INV_MODEL, "effect %s without a node", step_kind_text(x->effect.step));
        return;
    }
    struct sim_server *v = &s->server[x->effect.node];
    if (!reaches(s, x, v))
        return;
    if (random_chance(&s->random, s->setup.fail_ppm) && !s->healed) {
        s->stats->fault[FAULT_EFFECT_FAILS]++;
        finish(s, x, x->sent ? OUTCOME_UNKNOWN : OUTCOME_NOT_DONE, "lost connection");
        return;
    }
    if (!x->sent)
        check_effect(s, &x->effect, v);
    x->sent = true;
    x->server_life = v->life;
    switch (sql_step(s, x, v)) {
    case SQL_DONE: finish(s, x, OUTCOME_DONE, NULL); break;
    case SQL_FAILED: finish(s, x, OUTCOME_NOT_DONE, NULL); break;
    case SQL_AGAIN:
        if (!ours) /* its client is gone: what was asked last has run, nothing more */
            x->used = false;
        else if (x->phase_at > s->now)
            again(s, x, x->phase_at - s->now);
        break;
    }
}

static void deliver(struct sim *s, struct sim_effect *x)
{
    if (s->controller.up && s->controller.frozen && x->life == s->controller.life) {
        sim_at(s, s->now + 50 * STAY_MS, EV_EFFECT_ANSWER, slot_of(s, x), 0, x->gen, 0);
        return;
    }
    x->used = false;
    if (!controller_runs(s) || x->life != s->controller.life)
        return;
    static struct effect_result r;
    r = (struct effect_result){.outcome = x->outcome,
                               .receiver_before = x->before,
                               .strangers = x->strangers,
                               .goes_on = x->goes_on,
                               .kept_acked = x->kept_acked,
                               .source_was_off = x->was_off,
                               .ended_sessions = x->ended};
    if (x->read && x->outcome != OUTCOME_UNKNOWN && x->effect.node != NO_NODE) {
        r.groups_read = true;
        r.facts = x->facts;
    }
    stay_copy(r.text, sizeof r.text, x->text);
    sim_trace(s, "    answer %s on db%u: %s %s", step_kind_text(x->effect.step), x->effect.node + 1,
              x->outcome == OUTCOME_DONE       ? "done"
              : x->outcome == OUTCOME_NOT_DONE ? "not done"
                                               : "unknown",
              x->text);
    if (!is_route(x->effect.step))
        cluster_node_changed(s->controller.view, x->effect.node, s->now);
    executor_effect_done(s->controller.exec, x->token, &r, s->now);
    controller_turn(s);
}

static void on_deadline(struct sim *s, struct sim_effect *x)
{
    if (x->answered)
        return;
    bool waits = !effect_changes(x->effect.step);
    x->outcome = x->sent && !waits ? OUTCOME_UNKNOWN : OUTCOME_NOT_DONE;
    bool reachable = x->effect.node != NO_NODE && !is_route(x->effect.step) && waits && x->sent &&
                     server_alive(&s->server[x->effect.node]) &&
                     net_both(s, x->effect.node, SIM_HOST_CONTROLLER);
    x->read = x->read && reachable;
    if (x->read)
        facts_read(s, &s->server[x->effect.node], x->facts, FACTS_STATUS);
    stay_copy(x->text, sizeof x->text, "deadline");
    x->phase = UINT32_MAX;
    x->answered = true;
    deliver(s, x);
}

bool effect_event(struct sim *s, const struct sim_event *e)
{
    if (e->kind != EV_EFFECT && e->kind != EV_EFFECT_ANSWER && e->kind != EV_EFFECT_DEADLINE)
        return false;
    struct sim_effect *x = &s->effect[e->a];
    if (!x->used || x->gen != e->gen)
        return true;
    if (e->kind == EV_EFFECT)
        on_effect(s, x);
    else if (e->kind == EV_EFFECT_DEADLINE)
        on_deadline(s, x);
    else if (!x->answered || s->controller.frozen)
        x->answered = true, deliver(s, x);
    return true;
}
