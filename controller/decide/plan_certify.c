/* controller/decide/plan_certify.c - gathers what the certificate is computed from out of a run and
 * the view: last known set of the old primary, estimates from the canary, who was frozen and
 * drained. */
#include "controller/decide/decide.h"
#include "controller/decide/plan_private.h"

/* Since the last read of the old primary whose set the candidate holds: by what it executed now, or
 * was seen to hold before. -1: never seen to. No clock but ours is asked. */
static int64_t time_since_held_us(const struct plan_run *run, const struct cluster_view *view,
                                  int64_t now_mono_us)
{
    const struct node_view *old = &view->nodes[run->old_primary];
    int64_t held_us = view->nodes[run->candidate].held_mono_us;
    if (old->facts_begun_mono_us > held_us && !cluster_may_have_lost_tail(view, run->old_primary) &&
        gtid_set_contains(&run->executed[run->candidate], &old->facts.executed))
        held_us = old->facts_begun_mono_us;
    return held_us == STAY_NEVER ? -1 : now_mono_us - held_us;
}

/* Everything older than the canary row the candidate holds is on it; what came after, up to now,
 * may be lost. The old primary's own row bounds nothing once it restarted and lost its tail, so the
 * time since the candidate's row was written counts if it is longer. Rows are stamped by the wall
 * clock: once that jumped, or a row is of the future, they tell nothing. */
static int64_t time_behind_us(const struct plan_run *run, const struct cluster_view *view,
                              int64_t now_mono_us)
{
    if (run->old_primary == NO_NODE)
        return -1;
    const struct node_view *old = &view->nodes[run->old_primary];
    const struct node_view *next = &view->nodes[run->candidate];
    if (old->facts.canary_wall_us == 0 || next->facts.canary_wall_us == 0)
        return -1;
    int64_t now_wall_us = run->begun_wall_us + (now_mono_us - run->begun_mono_us);
    int64_t lag_us = old->facts.canary_wall_us - next->facts.canary_wall_us;
    int64_t behind_us = (lag_us < 0 ? 0 : lag_us) + (now_mono_us - old->facts_mono_us);
    int64_t since_us = now_wall_us - next->facts.canary_wall_us;
    if (view->clock_jumped_mono_us != STAY_NEVER || since_us < 0)
        return time_since_held_us(run, view, now_mono_us);
    return since_us > behind_us ? since_us : behind_us;
}

/* Judged when the plan began, and again when the primary was heard of since: a process that takes
 * the plan up knows nothing of a primary that is dead by then. */
static bool acks_flowed(const struct plan_run *run, const struct cluster_view *view)
{
    if (run->old_primary == NO_NODE || !run->acks_flowed)
        return false;
    const struct node_view *old = &view->nodes[run->old_primary];
    return old->facts_mono_us <= run->begun_mono_us || plan_acks_flowed(view, run->old_primary);
}

/* The same of who was connected to it: a primary that answers since the run began, and shows an
 * acker no more, did not end that connection by dying. It may be shut down in order yet, and answer
 * who waits. */
static uint32_t acking(const struct plan_run *run, const struct cluster_view *view)
{
    uint32_t mask = run->acking;
    if (run->old_primary == NO_NODE)
        return 0;
    int64_t read_us = view->nodes[run->old_primary].facts_mono_us;
    if (read_us <= run->begun_mono_us)
        return mask;
    for (uint32_t node = 0; node < view->config->node_count; node++)
        if (view->nodes[node].acker_seen_mono_us != read_us)
            mask &= ~NODE_BIT(node);
    return mask;
}

/* `behind_us` is known: of a primary that was read. The larger of two estimates: the time behind at
 * the primary's average rate, which a burst after quiet hours exceeds by far; and what was seen to
 * be missing at its average size, going on at that rate since it was last read. */
static uint64_t bytes_behind(const struct plan_run *run, const struct cluster_view *view,
                             int64_t behind_us, int64_t now_mono_us)
{
    if (behind_us <= 0)
        return 0;
    const struct node_view *old = &view->nodes[run->old_primary];
    const struct server_facts *facts = &old->facts;
    uint64_t behind_s = (uint64_t)(behind_us / STAY_SECOND + 1);
    uint64_t by_time = facts->uptime_s == 0 ? facts->binlog_bytes
                                            : facts->binlog_bytes / facts->uptime_s * behind_s;
    if (facts->binlog_commits == 0)
        return by_time;
    STAY_AUTO(gtid_set_drop) struct gtid_set missing = {0};
    gtid_set_copy(&missing, &facts->executed);
    gtid_set_subtract(&missing, &run->executed[run->candidate]);
    uint64_t seen = gtid_set_count(&missing) * (facts->binlog_bytes / facts->binlog_commits + 1);
    uint64_t age_s = (uint64_t)((now_mono_us - old->facts_begun_mono_us) / STAY_SECOND + 1);
    uint64_t by_count = seen + seen / behind_s * age_s;
    return by_time > by_count ? by_time : by_count;
}

/* It restarted and was read-only ever since: its roles and counters begin anew and say nothing of
 * what stood, and it acknowledged nothing after that. */
bool plan_is_shut_since_restart(const struct node_view *old)
{
    return old->facts.read_only == TRI_YES && old->writable_mono_us < old->restarted_mono_us;
}

/* The old primary answered again during this run, before we touched it, and no longer runs what
 * lossless_since was built on: somebody switched semi-sync off while it was out of sight. */
bool plan_is_seen_broken(const struct plan_run *run, const struct cluster_view *view)
{
    if (run->old_primary == NO_NODE || !plan_replaces(run->kind))
        return false;
    const struct node_view *old = &view->nodes[run->old_primary];
    if (plan_kind_has(run->kind, TRAIT_ALL_RESTARTED)) /* and it was shut since */
        return run->old_primary != run->candidate && old->facts.read_only == TRI_NO &&
               old->facts_begun_mono_us > run->begun_mono_us;
    if (run->rows[plan_row_of(run->kind, STEP_FENCE)].touched !=
        0) /* ours closes it before that, or at once */
        return !run->fenced && old->facts_begun_mono_us > run->begun_mono_us &&
               (old->facts.ss_source_enabled == TRI_NO || old->facts.ss_source_on == TRI_NO) &&
               old->facts.read_only == TRI_NO && old->facts.offline_mode != TRI_YES;
    /* asked before it began and answered after is no older news than asked after; what a plan
     * before this one did is none */
    return run->lossless_stood && old->facts_mono_us > run->begun_mono_us &&
           old->facts_begun_mono_us > view->plan_ended_mono_us &&
           !plan_is_shut_since_restart(old) &&
           (durability_acks_stayed_away(view) || old->facts.ss_source_on != TRI_YES ||
            old->facts.ss_no_tx != view->record.watch_no_tx ||
            old->facts.ss_no_times != view->record.watch_no_times);
}

/* The server admits one more for administrators. Those connected when it was last read bound
 * nothing: more may have come. */
static uint64_t sessions_max(const struct node_view *old)
{
    if (old == NULL || old->facts.max_connections == 0)
        return UINT64_MAX;
    return old->facts.max_connections + 1;
}

void plan_note_broken(struct plan_run *run, const struct cluster_view *view)
{
    if (plan_is_seen_broken(run, view))
        run->lossless_stood = false;
}

/* Those outside A that may have acknowledged until their freeze what the candidate lacks: counted
 * with A, as nobody knows whether the old primary took their word. */
static uint32_t able_holding_more(const struct plan_run *run, const struct cluster_view *view)
{
    uint32_t mask = 0;
    for (uint32_t node = 0; node < view->config->node_count; node++)
        if ((run->able & run->f & ~run->r & NODE_BIT(node)) &&
            ((run->restarted & NODE_BIT(node)) ||
             !gtid_set_contains(&run->executed[run->candidate], &run->received_high[node])))
            mask |= NODE_BIT(node);
    return mask;
}

/* The primary's own last word against what the drained ackers hold. MySQL executes nothing that is
 * not acknowledged; on MariaDB the set holds what waits, at most one of each session. A relay log
 * that somebody threw away between two looks shows nowhere else. After a restart the set may hold a
 * tail that was never acknowledged, and after the fence was sent what its killed clients waited
 * for: both ended, and nobody was told (measured, MySQL 9.7.4: row 28). */
bool plan_is_disproved(const struct plan_run *run, const struct cluster_view *view)
{
    if (run->old_primary == NO_NODE || run->candidate == NO_NODE)
        return false;
    const struct node_view *old = &view->nodes[run->old_primary];
    bool reopened = old->writable_mono_us > old->restarted_mono_us;
    bool froze = run->kind == PLAN_FAILOVER && /* a foreseen run did not: read before the primary */
                 run->rows[plan_row_of(run->kind, STEP_FREEZE)].begun_mono_us != STAY_NEVER;
    if (!froze || old->facts_begun_mono_us == STAY_NEVER ||
        (old->restarted_mono_us != STAY_NEVER && !reopened))
        return false;
    const struct row_run *fence = &run->rows[plan_row_of(run->kind, STEP_FENCE)];
    bool sent =
        (fence->touched & mask_of(run->old_primary)) &&
        (fence->begun_mono_us == STAY_NEVER || old->facts_begun_mono_us >= fence->begun_mono_us);
    STAY_AUTO(gtid_set_drop) struct gtid_set missing = {0};
    gtid_set_copy(&missing, sent ? &run->last_word : &old->facts.executed);
    gtid_set_subtract(&missing, &run->executed[run->candidate]);
    uint64_t sessions = sent ? run->last_sessions : old->facts.connections;
    return gtid_set_count(&missing) > (view->config->engine == ENGINE_MYSQL ? 0 : sessions);
}

/* Its own configuration opens it at a restart, and nobody has heard of it since a while: another
 * process of it may have been answering clients after the fence. */
static bool may_have_reopened(const struct cluster_view *view, uint32_t old, int64_t now_mono_us)
{
    return view->nodes[old].facts.start_read_only == TRI_NO &&
           !cluster_node_fresh(view, old, now_mono_us);
}

/* It is the process that was open, or one that a restart cost nothing and that was not opened
 * since. */
static bool is_fenced_whole(const struct plan_run *run, const struct cluster_view *view,
                            int64_t now_mono_us)
{
    uint32_t old = run->old_primary;
    if (run->fenced && may_have_reopened(view, old, now_mono_us))
        return false;
    if (plan_kind_has(run->kind, TRAIT_ALL_RESTARTED))
        return run->fenced && !run->was_open && !(run->restarted & mask_of(old)) &&
               plan_keeps_all(view, old);
    return run->was_open && !(run->restarted & mask_of(old)) &&
           !cluster_may_have_lost_tail(view, old);
}

/* After a total outage nobody may have watched the old primary for a while. What it holds and no
 * acker that proves does, it committed without them: opened by hand perhaps. */
static bool is_old_contained(const struct plan_run *run, const struct cluster_view *view,
                             uint32_t proves)
{
    STAY_AUTO(gtid_set_drop) struct gtid_set held = {0};
    if (!plan_kind_has(run->kind, TRAIT_ALL_RESTARTED) || !run->fenced)
        return true;
    for (uint32_t node = 0; node < view->config->node_count; node++)
        if (proves & run->collected & NODE_BIT(node))
            gtid_set_union(&held, &run->executed[node]);
    return gtid_set_contains(&held, &run->fenced_executed);
}

/* The fence was sent, and what it did is not known, or it failed after it had killed: one killed
 * while ackers still acknowledged, or where it could not leave, lets others be answered. One that
 * failed before it touched anybody leaves all waiting for their acknowledgement. */
bool plan_is_fence_unheard(const struct plan_run *run)
{
    const struct row_run *fence = &run->rows[plan_row_of(run->kind, STEP_FENCE)];
    return run->fence_unheard ||
           (!run->fenced && (fence->touched & ~fence->failed & mask_of(run->old_primary)) != 0);
}

void plan_certify(struct plan_run *run, const struct cluster_view *view, int64_t now_mono_us)
{
    STAY_AUTO(gtid_set_drop) struct gtid_set drained = {0};
    STAY_AUTO(gtid_set_drop) struct gtid_set received = {0};
    const struct node_view *old =
        run->old_primary == NO_NODE ? NULL : &view->nodes[run->old_primary];
    must(run->candidate < view->config->node_count);
    plan_note_broken(run, view);
    plan_note_able(run, view);
    plan_drained_union(run, view, &drained);
    for (uint32_t node = 0; node < NODES_MAX; node++)
        if ((run->a | run->f) & NODE_BIT(node))
            gtid_set_union(&received, &run->received_high[node]);
    uint32_t proves = run->r & ~run->doubted;
    bool purged = false; /* a restart may have purged rows that were received between two looks */
    for (uint32_t node = 0; node < view->config->node_count; node++)
        if (run->a & ~proves & NODE_BIT(node))
            purged = purged || (run->restarted & NODE_BIT(node)) ||
                     plan_restart_counts(view, node, &run->executed[node]);
    int64_t behind_us = time_behind_us(run, view, now_mono_us);
    struct certificate_input in = {
        .engine = view->config->engine,
        .mode = run->mode,
        .lossless_stood = run->lossless_stood && is_old_contained(run, view, proves),
        .acks = (uint32_t)run->acks,
        .a = run->a == 0 ? 0 : run->a | able_holding_more(run, view),
        .able = run->able,
        .f = run->f,
        .r = proves,
        .doubted = run->doubted,
        .fenced = run->fenced,
        .fenced_whole = is_fenced_whole(run, view, now_mono_us),
        .fence_overlapped =
            run->rows[plan_row_of(run->kind, STEP_FENCE)].touched != 0, /* beside the freeze */
        .fence_unheard = plan_is_fence_unheard(run),
        .disproved = plan_is_disproved(run, view),
        .refuses = old != NULL && old->refused_first_mono_us != STAY_NEVER,
        .overridden = run->params.accept_loss,
        .connections_ended_first = (run->a & run->f & ~(run->lost_first & acking(run, view))) == 0,
        .acks_flowed = acks_flowed(run, view),
        .sessions_waiting_max = sessions_max(old),
        .fenced_executed = &run->fenced_executed,
        .last_executed = old != NULL ? &old->facts.executed : NULL,
        .candidate_executed = &run->executed[run->candidate],
        .drained_union = &drained,
        .frozen_received = purged ? NULL : &received,
        .bytes_behind = bytes_behind(run, view, behind_us, now_mono_us),
        .time_behind_us = behind_us,
        .last_facts_age_us = old == NULL || old->facts_begun_mono_us == STAY_NEVER
                                 ? -1
                                 : now_mono_us - old->facts_begun_mono_us,
        .mutant = view->mutant,
    };
    run->certificate = certificate_compute(&in);
}
