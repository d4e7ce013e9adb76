/* controller/decide/decide.c - one turn: watch durability, judge, name the plan that should run and
 * what forbids it. */
#include "controller/decide/decide_private.h"

#include "controller/decide/cluster_births.h"
#include "controller/decide/cluster_written.h"
#include "controller/decide/verdict_private.h"

#define REPEAT_AFTER_US (30 * STAY_SECOND) /* a repair that failed is not tried again at once */
#define FENCE_AFTER_US  (2 * STAY_SECOND)  /* clients write to it meanwhile: no long wait */
#define FENCE_HOLDS_US  (1500 * STAY_MS)   /* as a failover waits for its own: longer, it hangs */
#define CLOCK_JUMP_US   (1 * STAY_SECOND)  /* between two turns; a slewed clock moves by far less */

static bool is_over(const struct plan_run *run)
{
    return run != NULL &&
           (run->state == RUN_SUCCEEDED || run->state == RUN_UNDONE || run->state == RUN_ASKS);
}

static bool is_running(const struct plan_run *run)
{
    return run != NULL && (run->state == RUN_FORWARD || run->state == RUN_UNDOING);
}

/* Plans that change the primary's semi-sync or who it is: what the watch sees then is our doing. */
static bool touches_primary(enum plan_kind kind)
{
    switch (kind) {
    case PLAN_FAILOVER:
    case PLAN_SWITCHOVER:
    case PLAN_ADOPT:
    case PLAN_MODE_RESTORE:
    case PLAN_MODE_DEGRADE:
    case PLAN_MAKE_WRITABLE:
    case PLAN_FENCE:
    case PLAN_UNFENCE:
        return true;
    case PLAN_NONE:
    case PLAN_REJOIN:
    case PLAN_REPOINT:
    case PLAN_QUARANTINE:
    case PLAN_START_APPLIER:
    case PLAN_KIND_COUNT:
        break;
    }
    return false;
}

/* A switchover that waits for its candidate to catch up has touched nothing yet, for seconds. */
static bool touches_now(const struct plan_run *run)
{
    bool waits = run->kind == PLAN_SWITCHOVER && run->state == RUN_FORWARD &&
                 run->row < plan_row_of(PLAN_SWITCHOVER, STEP_ROUTE_CLOSE);
    return touches_primary(run->kind) && !waits;
}

/* Is what we know of the primary still from before the end of a plan of ours that changed it? */
static bool is_stale_after(const struct cluster_view *view, const struct plan_run *last)
{
    return is_over(last) && touches_primary(last->kind) && view->primary != NO_NODE &&
           view->nodes[view->primary].facts_begun_mono_us <= last->ended_mono_us;
}

static void note_clock(struct cluster_view *view, int64_t now_mono_us, int64_t now_wall_us)
{
    int64_t offset_us = now_wall_us - now_mono_us, moved_us = offset_us - view->wall_offset_us;
    if (view->wall_offset_us != 0 && (moved_us > CLOCK_JUMP_US || moved_us < -CLOCK_JUMP_US))
        view->clock_jumped_mono_us = now_mono_us;
    view->wall_offset_us = offset_us;
}

/* What it did to a node is not by hand; one attached after a refusal is not attached again for it.
 */
static void note_ended(struct cluster_view *view, const struct plan_run *last)
{
    if (!is_over(last) || last->ended_mono_us <= view->plan_ended_mono_us)
        return;
    view->plan_ended_mono_us = last->ended_mono_us;
    if (last->kind == PLAN_REJOIN && last->params.node < view->config->node_count &&
        cluster_may_ask_again(view, last->params.node))
        view->nodes[last->params.node].asked_again_mono_us = last->ended_mono_us;
    for (uint32_t node = 0; node < view->config->node_count; node++)
        if ((last->moved | last->attached) & (UINT32_C(1) << node))
            view->nodes[node].idle_life = false;
}

/* A process that began well before the plan that made another one the primary was a replica then,
 * or the primary itself: what it committed was its office. It lost no tail since either. */
#define BORN_BEFORE_US (10 * STAY_SECOND)
static void note_born(struct cluster_view *view, int64_t now_mono_us, int64_t now_wall_us)
{
    int64_t since_us = view->record.primary_since_wall_us;
    for (uint32_t node = 0; node < view->config->node_count && since_us != 0; node++) {
        struct node_view *n = &view->nodes[node];
        if (!n->idle_life || n->facts_begun_mono_us == STAY_NEVER)
            continue;
        int64_t read_wall_us = now_wall_us - (now_mono_us - n->facts_begun_mono_us);
        int64_t born_wall_us = read_wall_us - (int64_t)n->facts.uptime_s * STAY_SECOND;
        if (born_wall_us < since_us - BORN_BEFORE_US)
            n->idle_life = false;
    }
}

/* What the primary holds of the others' own making, so that it is known when it has died. */
static bool note_written(const struct cluster_view *view, struct cluster_record *record)
{
    return view->record.adopted && view->primary != NO_NODE &&
           (view->nodes[view->primary].groups_known & FACTS_STATUS) != 0 &&
           cluster_note_written(view, view->primary, &view->nodes[view->primary].facts.executed,
                                record);
}

/* Which ackers restarted and have not caught up since, for a controller that starts after the
 * primary died: it can ask nobody what they lost. */
static bool note_restarted(const struct cluster_view *view, struct cluster_record *record)
{
    uint32_t mask = record->restarted & record->ackers;
    for (uint32_t i = 0; i < view->config->node_count; i++) {
        const struct node_view *n = &view->nodes[i];
        if (n->restarted_mono_us == STAY_NEVER && n->caught_up_mono_us == STAY_NEVER)
            continue; /* as recorded */
        mask &= ~(UINT32_C(1) << i);
        if (n->restarted_mono_us != STAY_NEVER && n->caught_up_mono_us <= n->restarted_mono_us)
            mask |= record->ackers & (UINT32_C(1) << i);
    }
    bool changed = mask != record->restarted;
    record->restarted = mask;
    return changed && record->adopted;
}

/* Under our own plan nothing is concluded, but a new acker enters A at once all the same. */
static bool watch_under_plan(const struct cluster_view *view, int64_t now_mono_us,
                             struct cluster_record *record)
{
    *record = view->record;
    if (view->primary != NO_NODE && record->lossless_stands &&
        cluster_node_fresh(view, view->primary, now_mono_us))
        record->ackers |= cluster_ackers_possible(view);
    return record->ackers != view->record.ackers;
}

/* When the last run failed, and on which node: remembered in the view, for runs come and go. */
static void note_failed(struct cluster_view *view, const struct plan_run *run)
{
    if (!is_over(run) || run->state == RUN_SUCCEEDED)
        return;
    int64_t *at = run->params.node < view->config->node_count
                      ? &view->nodes[run->params.node].repair_failed_mono_us
                      : &view->repair_failed_mono_us;
    if (run->ended_mono_us > *at)
        *at = run->ended_mono_us;
}

/* May automation want it: not failed just now, and seen to be needed by facts asked for after the
 * last run ended. */
static bool is_due(const struct cluster_view *view, const struct plan_run *last,
                   enum plan_kind kind, uint32_t node, int64_t now_mono_us)
{
    int64_t failed =
        node == NO_NODE ? view->repair_failed_mono_us : view->nodes[node].repair_failed_mono_us;
    int64_t wait_us = kind == PLAN_FENCE ? FENCE_AFTER_US : REPEAT_AFTER_US;
    if (failed != STAY_NEVER && now_mono_us - failed < wait_us)
        return false;
    if (!is_over(last) || kind == PLAN_FAILOVER)
        return true;
    return node == NO_NODE || view->nodes[node].facts_begun_mono_us > last->ended_mono_us;
}

static bool want(const struct cluster_view *view, const struct plan_run *last,
                 const struct verdict *verdict, enum plan_kind kind, uint32_t node,
                 int64_t now_mono_us, struct decision *d)
{
    if (kind == PLAN_NONE || !is_due(view, last, kind, node, now_mono_us))
        return false;
    d->want = kind;
    d->params = (struct plan_params){
        .node = node,
        .rule_id = verdict->rule_id,
        .automatic = true,
        .detected_mono_us = view->suspicion_since_mono_us,
    };
    (void)stay_copy(d->params.reason, sizeof d->params.reason, verdict->name);
    (void)stay_copy(d->params.actor, sizeof d->params.actor, "mainstay");
    return true;
}

/* A fence that runs, and has had longer than a server that works takes. */
static bool is_fence_overdue(const struct plan_run *running, int64_t now_mono_us)
{
    int64_t since_us = running->begun_mono_us; /* of another clock: begun long ago */
    return since_us > now_mono_us || now_mono_us - since_us >= FENCE_HOLDS_US;
}

/* The fence of an open outcast, each in its turn: the one under way, but not for longer than it
 * takes, for another one may be closed at once. */
static bool want_outcast_closed(const struct cluster_view *view, const struct plan_run *running,
                                int64_t now_mono_us, struct decision *d)
{
    uint32_t under_way =
        is_running(running) && running->kind == PLAN_FENCE ? running->params.node : NO_NODE;
    bool stays = decide_is_open_outcast(view, under_way, now_mono_us);
    if (stays && !is_fence_overdue(running, now_mono_us))
        return want(view, running, &d->verdict, PLAN_FENCE, under_way, now_mono_us, d);
    for (uint32_t i = 0; i < view->config->node_count; i++)
        if (i != under_way && decide_is_open_outcast(view, i, now_mono_us) &&
            want(view, running, &d->verdict, PLAN_FENCE, i, now_mono_us, d))
            return true;
    return stays && want(view, running, &d->verdict, PLAN_FENCE, under_way, now_mono_us, d);
}

/* Degrade only for a primary that answers, and only when the policy says so: a verdict of stuck
 * waiters ends in it too, or the waiters would hide it. A weaker mode may be recorded already: then
 * no policy asks for acks and the primary must not wait for them. */
static bool is_degrade_due(const struct cluster_view *view, int64_t now_mono_us)
{
    return (view->config->without_acker == WITHOUT_ACKER_DEGRADE ||
            view->record.mode != MODE_LOSSLESS) &&
           view->no_acker_since_mono_us != STAY_NEVER &&
           now_mono_us - view->no_acker_since_mono_us >= view->config->acker_loss_us;
}

static enum plan_kind plan_of_replica(enum verdict_action action)
{
    switch (action) {
    case ACT_REJOIN:
    case ACT_START_REPLICATION:
        return PLAN_REJOIN; /* compared before it is attached: it may hold more than we know */
    case ACT_REPOINT:
        return PLAN_REPOINT;
    case ACT_FENCE_STALE:
        return PLAN_FENCE;
    case ACT_QUARANTINE:
        return PLAN_QUARANTINE;
    case ACT_NONE:
    case ACT_ALERT:
    case ACT_HOLD:
    case ACT_FAILOVER:
    case ACT_RELIEVE:
    case ACT_REPAIR_ACKERS:
    case ACT_MAKE_WRITABLE:
    case ACT_ASK:
    case ACT_MODE_RESTORE:
    case ACT_MODE_DEGRADE:
    case ACT_COUNT:
        break;
    }
    return PLAN_NONE;
}

/* Only what still receives, or may have acknowledged, is drained before its source changes; another
 * one may never drain (its relay log is gone, its old source lacks it). */
static bool must_drain(const struct cluster_view *view, uint32_t node)
{
    return view->nodes[node].facts.receiver == RECEIVER_RUNNING ||
           (view->record.ackers & (UINT32_C(1) << node)) != 0;
}

/* Set aside as the last acker, it went on acknowledging; now the others are enough. */
static bool is_acker_too_many(const struct cluster_view *view, uint32_t node)
{
    uint32_t ackers = cluster_ackers_now(view, NULL), self = UINT32_C(1) << node;
    return view->record.quarantine[node] == QUARANTINE_DIVERGED && (ackers & self) &&
           (uint32_t)__builtin_popcount(ackers & ~self) >= view->config->acks;
}

/* The first replica that a plan would put right. */
static void want_replica_repair(const struct cluster_view *view, const struct plan_run *last,
                                int64_t now_mono_us, struct decision *d)
{
    for (uint32_t i = 0; i < view->config->node_count; i++) {
        if (i == view->primary || decide_is_loose(&view->nodes[i].facts))
            continue;
        struct verdict verdict = verdict_judge_replica(view, i, now_mono_us);
        enum plan_kind kind = plan_of_replica(verdict.action);
        if (kind == PLAN_REPOINT && !must_drain(view, i))
            kind = PLAN_REJOIN;
        if (verdict.action == ACT_START_REPLICATION &&
            (verdict.rule_id == 217 || view->nodes[i].facts.receiver != RECEIVER_STOPPED))
            kind = PLAN_START_APPLIER; /* its receiver goes on: it may be the only acker */
        if (verdict.rule_id == 208 && is_acker_too_many(view, i))
            kind = PLAN_QUARANTINE;
        if (want(view, last, &verdict, kind, i, now_mono_us, d))
            return;
    }
}

bool decide_is_human_asked(const struct cluster_view *view, const struct plan_run *last)
{
    const struct cluster_record *record = &view->record;
    bool is_last = last != NULL && strcmp(last->id, record->plan_id) == 0;
    if (record->asks[0] != '\0' && strcmp(record->asks, record->primary) != 0)
        return true;
    if (record->plan_id[0] != '\0' && !is_last && !is_running(last))
        return true; /* its journal could not be taken up */
    return is_last && last->state == RUN_ASKS && last->past_no_return && /* and not be stored */
           (last->kind == PLAN_FAILOVER || last->kind == PLAN_SWITCHOVER) &&
           view->primary != last->candidate;
}

/* The plan that the cluster's verdict asks for; false when it asks for none (or not yet). */
static bool want_for_verdict(const struct cluster_view *view, const struct plan_run *last,
                             int64_t now_mono_us, struct decision *d)
{
    const struct verdict *v = &d->verdict;
    uint32_t node = view->primary;
    enum plan_kind kind = PLAN_NONE;
    switch (v->action) {
    case ACT_FAILOVER:
        kind = PLAN_FAILOVER;
        node = NO_NODE;
        break;
    case ACT_MAKE_WRITABLE:
        kind = PLAN_MAKE_WRITABLE;
        if (decide_stale_writable(view, now_mono_us) !=
            NO_NODE) { /* the other one is closed first */
            node = decide_stale_writable(view, now_mono_us);
            if (decide_is_taken_over(view, node)) { /* named, and vetoed by taken-over */
                node = view->primary;
                break;
            }
            kind = PLAN_FENCE;
        } else if (decide_open_follower(view, now_mono_us) != NO_NODE) {
            node = decide_open_follower(view, now_mono_us);
            kind = PLAN_FENCE;
        }
        break;
    case ACT_FENCE_STALE:
        node = decide_stale_writable(view, now_mono_us);
        kind = node != NO_NODE ? PLAN_FENCE : PLAN_NONE;
        break;
    case ACT_REPAIR_ACKERS:
    case ACT_RELIEVE:
    case ACT_MODE_DEGRADE:
        kind = is_degrade_due(view, now_mono_us) ? PLAN_MODE_DEGRADE : PLAN_NONE;
        break;
    case ACT_MODE_RESTORE:
        kind = PLAN_MODE_RESTORE;
        break;
    case ACT_NONE:
    case ACT_ALERT:
    case ACT_HOLD:
    case ACT_REJOIN:
    case ACT_ASK:
    case ACT_REPOINT:
    case ACT_START_REPLICATION:
    case ACT_QUARANTINE:
    case ACT_COUNT:
        break;
    }
    return want(view, last, v, kind, node, now_mono_us, d);
}

/* A primary that lost its tail and nobody to promote: a server put right first may be promoted
 * then; failing that the plan that would open it is named, and refuses with the reason for
 * people. */
static void want_instead_of_failover(const struct cluster_view *view, const struct plan_run *last,
                                     int64_t now_mono_us, struct decision *d)
{
    d->want = PLAN_NONE;
    want_replica_repair(view, last, now_mono_us, d);
    if (d->want == PLAN_NONE)
        (void)want(view, last, &d->verdict, PLAN_MAKE_WRITABLE, view->primary, now_mono_us, d);
}

static const char *node_name(const struct cluster_view *view, uint32_t node)
{
    return node < view->config->node_count ? view->config->nodes[node].name : view->config->name;
}

static void describe(const struct cluster_view *view, bool is_asked, struct decision *d)
{
    if (d->verdict.rule_id == 100 && d->want == PLAN_NONE && !is_asked) {
        (void)stay_copy(d->text, sizeof d->text, "healthy");
        return;
    }
    int n = snprintf(d->text, sizeof d->text, "%u %s: %s", d->verdict.rule_id, d->verdict.name,
                     node_name(view, d->verdict.node));
    size_t used = (size_t)n;
    if (is_asked && d->verdict.subject == SUBJECT_PRIMARY && used < sizeof d->text)
        (void)snprintf(d->text + used, sizeof d->text - used, "; a plan asks, a human decides");
    if (d->want != PLAN_NONE && used < sizeof d->text)
        used += (size_t)snprintf(d->text + used, sizeof d->text - used, "; wants %s of %s",
                                 plan_kind_text(d->want), node_name(view, d->params.node));
    for (unsigned g = 0; g < GUARD_COUNT && used < sizeof d->text; g++) {
        if (d->vetoes & (UINT32_C(1) << g))
            used += (size_t)snprintf(d->text + used, sizeof d->text - used, "; refused by %s",
                                     guard_name((enum guard_id)g));
    }
}

/* The verdict's plan, else a replica's repair. A stronger mode comes last: it may be refused for
 * long (start-up values), and no server is left writable or unattached for that. */
static void want_plan(const struct cluster_view *view, const struct plan_run *last, bool may_repair,
                      int64_t now_mono_us, struct decision *d)
{
    if (d->verdict.action == ACT_MODE_RESTORE && may_repair)
        want_replica_repair(view, last, now_mono_us, d);
    if (d->want == PLAN_NONE && !want_for_verdict(view, last, now_mono_us, d) && may_repair)
        want_replica_repair(view, last, now_mono_us, d);
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
    if (verdict->action != ACT_FAILOVER || !is_running(running) || running->kind != PLAN_FENCE ||
        !is_fence_overdue(running, now_mono_us))
        return false;
    struct decision d = {.want = PLAN_NONE};
    bool due = want(view, running, verdict, PLAN_FAILOVER, NO_NODE, now_mono_us, &d);
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
    note_clock(view, now_mono_us, now_wall_us);
    cluster_judge_births(view);
    cluster_suspicion_settle(view, now_mono_us);
    note_failed(view, running);
    bool ours = (is_running(running) && touches_now(running)) || is_stale_after(view, running);
    if (ours) /* our own numbering and switching are no acknowledgements that stay away */
        view->watch_seen_mono_us = STAY_NEVER;
    d->record_changed = ours ? watch_under_plan(view, now_mono_us, &d->record)
                             : durability_watch(view, now_mono_us, now_wall_us, &d->record);
    d->record_changed |= note_written(view, &d->record);
    note_ended(view, running);
    note_born(view, now_mono_us, now_wall_us);
    if (view->record.adopted && !is_running(running) && view->record.plan_id[0] == '\0')
        d->record_changed |= cluster_watch_alone(view, &d->record);
    d->record_changed |= note_restarted(view, &d->record);
    d->record_changed |= cluster_note_births(view, &d->record);
    d->verdict = verdict_judge(view, now_mono_us);
    d->suspicion = view->suspicion_since_mono_us != STAY_NEVER;
    bool may_repair = d->verdict.action != ACT_FAILOVER && !d->suspicion &&
                      d->verdict.subject == SUBJECT_PRIMARY && view->primary != NO_NODE &&
                      verdict_node_answers(view, view->primary, now_mono_us) == TRI_YES &&
                      !cluster_may_have_lost_tail(view, view->primary);
    bool is_asked = decide_is_human_asked(view, running);
    bool closes =
        !is_asked &&
        !is_failover_held_up(view, running, fleet, &d->verdict, now_mono_us, now_wall_us) &&
        want_outcast_closed(view, running, now_mono_us, d);
    if (!closes && !is_asked)
        want_plan(view, running, may_repair, now_mono_us, d);
    if (d->want != PLAN_NONE)
        d->vetoes = guard_check(view, running, fleet, d->want, true, now_mono_us, now_wall_us);
    uint32_t other = decide_stale_writable(view, now_mono_us);
    if (d->want == PLAN_MAKE_WRITABLE && other != NO_NODE && decide_is_taken_over(view, other))
        d->vetoes |= UINT32_C(1) << GUARD_TAKEN_OVER;
    if (d->verdict.rule_id == 135 && (d->vetoes & (UINT32_C(1) << GUARD_NO_CANDIDATE))) {
        want_instead_of_failover(view, running, now_mono_us, d);
        d->vetoes = d->want == PLAN_NONE ? 0
                                         : guard_check(view, running, fleet, d->want, true,
                                                       now_mono_us, now_wall_us);
    }
    describe(view, is_asked, d);
}
