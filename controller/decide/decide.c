/* controller/decide/decide.c - one turn: remember, judge, name the plan that should run and what
 * forbids it. */
#include "controller/decide/decide_private.h"

#include <stdarg.h>

bool decide_is_human_asked(const struct cluster_view *view, const struct plan_run *last)
{
    const struct cluster_record *record = &view->record;
    bool is_last = last != NULL && strcmp(last->id, record->plan_id) == 0;
    if (record->asks[0] != '\0' && strcmp(record->asks, record->primary) != 0)
        return true;
    if (record->plan_id[0] != '\0' && !is_last && !decide_is_running(last))
        return true; /* its journal could not be taken up */
    return is_last && last->state == RUN_ASKS && last->past_no_return && /* and not be stored */
           plan_kind_has(last->kind, TRAIT_MOVES_PRIMARY) && view->primary != last->candidate;
}

static const char *node_name(const struct cluster_view *view, uint32_t node)
{
    return node < view->config->node_count ? view->config->nodes[node].name : view->config->name;
}

/* Cut at the end when it does not fit. */
static void add(struct decision *d, const char *fmt, ...) STAY_PRINTF(2, 3);
static void add(struct decision *d, const char *fmt, ...)
{
    size_t used = strlen(d->text);
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(d->text + used, sizeof d->text - used, fmt, args);
    va_end(args);
}

static void describe(const struct cluster_view *view, bool is_asked, int64_t now_mono_us,
                     struct decision *d)
{
    char note[sizeof d->text];
    if (d->verdict.rule_id == 100 && d->want == PLAN_NONE && !is_asked) {
        (void)stay_copy(d->text, sizeof d->text, "healthy");
        return;
    }
    add(d, "%u %s: %s", d->verdict.rule_id, d->verdict.name, node_name(view, d->verdict.node));
    if (is_asked && d->verdict.subject == SUBJECT_PRIMARY)
        add(d, "; a plan asks, a human decides");
    if (d->want != PLAN_NONE)
        add(d, "; wants %s of %s", plan_kind_text(d->want), node_name(view, d->params.node));
    for (unsigned g = 0; g < GUARD_COUNT; g++)
        if (d->vetoes & (UINT32_C(1) << g))
            add(d, "; refused by %s", guard_name((enum guard_id)g));
    decide_note(view, d->verdict.rule_id, now_mono_us, note, sizeof note);
    add(d, "%s", note);
}

/* Would it start but for the plan that runs? One that is refused holds nobody up. */
static bool may_failover_start(const struct cluster_view *view, const struct plan_params *params,
                               int64_t now_mono_us, int64_t now_wall_us)
{
    struct stay_error err = {0};
    struct plan_run *run = stay_calloc(1, sizeof *run);
    bool may =
        plan_start(run, PLAN_FAILOVER, params, view, now_mono_us, now_wall_us, &err) == STAY_OK;
    plan_run_clear(run);
    free(run);
    return may;
}

/* Does the fence of an outcast that hangs (its writers wait behind a lock, its disk stalls) keep
 * the clients of a primary that is lost waiting too? Then the failover comes first. */
static bool is_failover_held_up(const struct cluster_view *view, const struct plan_run *running,
                                const struct fleet *fleet, const struct verdict *verdict,
                                int64_t now_mono_us, int64_t now_wall_us)
{
    if (verdict->action != ACT_FAILOVER || !decide_is_running(running) ||
        running->kind != PLAN_FENCE || !decide_is_fence_overdue(running, now_mono_us))
        return false;
    struct decision d = {.want = PLAN_NONE};
    bool due = decide_want(view, running, verdict, PLAN_FAILOVER, NO_NODE, now_mono_us, &d);
    uint32_t vetoes =
        guard_check(view, running, fleet, PLAN_FAILOVER, true, now_mono_us, now_wall_us);
    return due && vetoes == UINT32_C(1) << GUARD_BUSY &&
           may_failover_start(view, &d.params, now_mono_us, now_wall_us);
}

void decide(struct cluster_view *view, const struct plan_run *running, const struct fleet *fleet,
            int64_t now_mono_us, int64_t now_wall_us, struct decision *ret_decision)
{
    struct decision *d = ret_decision;
    *d = (struct decision){.want = PLAN_NONE};
    d->record_changed = decide_remember(view, running, now_mono_us, now_wall_us, &d->record);
    d->verdict = verdict_judge(view, now_mono_us);
    d->suspicion = view->suspicion_since_mono_us != STAY_NEVER;
    bool is_asked = decide_is_human_asked(view, running);
    bool closes =
        !is_asked &&
        !is_failover_held_up(view, running, fleet, &d->verdict, now_mono_us, now_wall_us) &&
        decide_want_outcast_closed(view, running, now_mono_us, d);
    if (!closes && !is_asked)
        decide_want_plan(view, running, now_mono_us, d);
    if (!closes && !is_asked)
        decide_want_scheduled(view, now_mono_us, now_wall_us, d);
    if (!closes && !is_asked)
        decide_want_evacuated(view, fleet, now_wall_us, d);
    if (d->want != PLAN_NONE)
        d->vetoes = guard_check(view, running, fleet, d->want, true, now_mono_us, now_wall_us);
    d->vetoes |= decide_relief_vetoes(view, running, fleet, d, now_mono_us, now_wall_us);
    if (d->verdict.rule_id == 135 && (d->vetoes & (UINT32_C(1) << GUARD_NO_CANDIDATE))) {
        decide_want_instead_of_failover(view, running, now_mono_us, d);
        d->vetoes = d->want == PLAN_NONE ? 0
                                         : guard_check(view, running, fleet, d->want, true,
                                                       now_mono_us, now_wall_us);
    }
    if (d->want == PLAN_MAKE_WRITABLE && decide_stale_writable(view, now_mono_us) != NO_NODE)
        d->vetoes |= UINT32_C(1) << GUARD_TAKEN_OVER; /* any other one is closed first */
    describe(view, is_asked, now_mono_us, d);
}
