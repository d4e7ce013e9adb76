/* controller/decide/evacuation.c - who leaves a zone next; see the header. */
#include "controller/decide/evacuation.h"

#include "controller/decide/candidate.h"
#include "controller/decide/decide_private.h"
#include "controller/decide/plan_private.h"

const char *evacuation_state_text(enum evacuation_state state)
{
    static const char *const texts[] = {
#define X(id, text) text,
        EVACUATION_STATES(X)
#undef X
    };
    return (unsigned)state < EVACUATION_STATE_COUNT ? texts[state] : "?";
}

uint32_t evacuation_nodes(const struct cluster_config *config, const char *zone)
{
    uint32_t mask = 0;
    for (uint32_t node = 0; node < config->node_count; node++)
        if (strcmp(config->nodes[node].zone, zone) == 0)
            mask |= NODE_BIT(node);
    return mask;
}

uint32_t evacuation_mask(const struct cluster_config *config, const struct evacuation *orders,
                         size_t count)
{
    uint32_t mask = 0;
    for (size_t i = 0; i < count; i++)
        mask |= evacuation_nodes(config, orders[i].zone);
    return mask;
}

/* Guards that end by themselves in a moment; the others are said and end when somebody acts. */
#define PASSING_GUARDS                                                                             \
    (UINT32_C(1) << GUARD_HOLD | UINT32_C(1) << GUARD_STORE | UINT32_C(1) << GUARD_BUSY)

static enum evacuation_state judge_guards(const struct cluster_view *view,
                                          const struct plan_run *running, int64_t now_mono_us,
                                          int64_t now_wall_us, char *why)
{
    uint32_t vetoes =
        guard_check(view, running, NULL, PLAN_SWITCHOVER, true, now_mono_us, now_wall_us);
    uint32_t lasting = vetoes & ~PASSING_GUARDS, first = lasting != 0 ? lasting : vetoes;
    if (first != 0) {
        enum guard_id guard = (enum guard_id)__builtin_ctz(first);
        plan_say(why, PLAN_TEXT_MAX, "%s: %s", guard_name(guard), guard_what(guard));
    }
    return lasting != 0 ? EVACUATION_HELD : vetoes != 0 ? EVACUATION_WAITS : EVACUATION_DUE;
}

/* Is the cluster well enough, and does nothing else come first? */
static enum evacuation_state judge_health(const struct cluster_view *view,
                                          const struct plan_run *running,
                                          const struct decision *last, char *why)
{
    bool is_ours = last->want == PLAN_SWITCHOVER && last->params.evacuation_wall_us != 0;
    if (decide_is_human_asked(view, running)) {
        plan_say(why, PLAN_TEXT_MAX, "a plan asks, a human decides: `mainstay release %s`",
                 view->config->name);
        return EVACUATION_HELD;
    }
    if (is_ours || decide_may_switch(view, last))
        return EVACUATION_DUE;
    if (last->suspicion || last->verdict.subject != SUBJECT_PRIMARY) {
        plan_say(why, PLAN_TEXT_MAX, "%s",
                 last->suspicion ? "its primary is under suspicion" : "the controller holds");
        return EVACUATION_WAITS;
    }
    if (last->want != PLAN_NONE && last->vetoes == 0) {
        plan_say(why, PLAN_TEXT_MAX, "a %s comes first", plan_kind_text(last->want));
        return EVACUATION_WAITS;
    }
    plan_say(why, PLAN_TEXT_MAX, "verdict %u %s", last->verdict.rule_id, last->verdict.name);
    return EVACUATION_HELD;
}

/* What the plan's own checks would say; with the zone's servers out of the choice. */
static enum evacuation_state judge_plan(const struct cluster_view *view, uint32_t nodes,
                                        int64_t now_mono_us, int64_t now_wall_us,
                                        struct evacuation_cluster *ret)
{
    const struct plan_params params = {
        .node = NO_NODE, .automatic = true, .detected_mono_us = STAY_NEVER};
    struct candidate_note notes[NODES_MAX];
    struct stay_error err = {0};
    struct plan_run *run = stay_calloc(1, sizeof *run);
    struct cluster_view *then = stay_calloc(1, sizeof *then);
    size_t count = 0;
    cluster_copy(then, view);
    then->evacuated |= nodes;
    enum stay_rc rc =
        plan_start(run, PLAN_SWITCHOVER, &params, then, now_mono_us, now_wall_us, &err);
    if (rc == STAY_OK) {
        ret->to = candidate_choose(then, NULL, now_mono_us, notes, &count);
        ret->steady = mask_count(plan_acker_nodes(then, ret->to, now_mono_us) & ~then->evacuated &
                                 ~mask_of(ret->to));
    } else {
        (void)stay_copy(ret->why, sizeof ret->why, err.text);
    }
    plan_run_clear(run);
    free(run);
    cluster_clear(then);
    free(then);
    return rc == STAY_OK ? EVACUATION_DUE : EVACUATION_HELD;
}

/* What the last switchover said when it ended, or `else_say`. */
static void say_last(const struct plan_run *running, const char *else_say, char *why)
{
    bool told = running != NULL && running->kind == PLAN_SWITCHOVER && running->text[0] != '\0';
    plan_say(why, PLAN_TEXT_MAX, "%s", told ? running->text : else_say);
}

/* It was begun, and the primary stands there. A plan that is recorded and that nobody runs may be
 * its move, not taken up yet; one that runs is another one, and the move that failed goes on to
 * hold up the others. */
static enum evacuation_state judge_tried(const struct cluster_view *view,
                                         const struct plan_run *running, char *why)
{
    if (view->record.plan_id[0] != '\0' && !decide_is_running(running))
        return EVACUATION_MOVING;
    say_last(running, "its move was begun, and its primary stands there", why);
    return EVACUATION_FAILED;
}

static enum evacuation_state judge_due(const struct cluster_view *view,
                                       const struct plan_run *running, const struct decision *last,
                                       uint32_t nodes, int64_t now_mono_us, int64_t now_wall_us,
                                       struct evacuation_cluster *ret)
{
    if (view->primary == NO_NODE) {
        plan_say(ret->why, sizeof ret->why, "no primary is known");
        return EVACUATION_HELD;
    }
    if (decide_is_running(running) && running->kind == PLAN_SWITCHOVER)
        return EVACUATION_MOVING;
    enum evacuation_state state = judge_guards(view, running, now_mono_us, now_wall_us, ret->why);
    if (state == EVACUATION_DUE)
        state = judge_health(view, running, last, ret->why);
    return state == EVACUATION_DUE ? judge_plan(view, nodes, now_mono_us, now_wall_us, ret) : state;
}

void evacuation_judge(const struct cluster_view *view, const struct plan_run *running,
                      const struct decision *last, const struct evacuation *order,
                      int64_t now_mono_us, int64_t now_wall_us, struct evacuation_cluster *ret)
{
    uint32_t nodes = evacuation_nodes(view->config, order->zone);
    const struct cluster_record *record = &view->record;
    bool is_tried = order->since_wall_us != 0 && record->evacuated_wall_us == order->since_wall_us;
    bool again = is_tried && record->evacuation_again_wall_us != 0;
    *ret = (struct evacuation_cluster){.to = NO_NODE};
    if (nodes == 0)
        ret->state = EVACUATION_NONE;
    else if (is_tried && decide_is_running(running) && running->kind == PLAN_SWITCHOVER)
        ret->state = EVACUATION_MOVING; /* its last rows, the record names the new primary */
    else if (view->primary != NO_NODE && !(nodes & NODE_BIT(view->primary)))
        ret->state = is_tried ? EVACUATION_MOVED : EVACUATION_ELSEWHERE;
    else if (again && now_wall_us < record->evacuation_again_wall_us &&
             !decide_is_running(running)) {
        say_last(running, "its switchover ended before anything was touched; begun again soon",
                 ret->why);
        ret->state = EVACUATION_HELD;
    } else if (is_tried && !again && view->primary != NO_NODE)
        ret->state = judge_tried(view, running, ret->why);
    else
        ret->state = judge_due(view, running, last, nodes, now_mono_us, now_wall_us, ret);
}

void evacuation_turns(const enum evacuation_state *states, size_t count, uint32_t at_once,
                      bool fails_over, bool *ret_turns)
{
    uint32_t going = 0;
    bool stops = fails_over;
    for (size_t i = 0; i < count; i++) {
        going += states[i] == EVACUATION_MOVING;
        stops = stops || states[i] == EVACUATION_FAILED;
    }
    for (size_t i = 0; i < count; i++) {
        ret_turns[i] = !stops && states[i] == EVACUATION_DUE && going < at_once;
        going += ret_turns[i];
    }
}
