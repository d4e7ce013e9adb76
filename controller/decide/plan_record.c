/* controller/decide/plan_record.c - what the store keeps after a STORE row, and after a run that
 * ended early: epoch, primary, mode, ackers, quarantine, cooldown. */
#include "controller/decide/cluster_births.h"
#include "controller/decide/plan_private.h"

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void take_back(struct cluster_record *record, uint32_t node)
{
    record->quarantine[node] = QUARANTINE_NONE;
    record->twins &= ~NODE_BIT(node);
}

static void set_primary(struct cluster_record *record, const struct cluster_view *view,
                        uint32_t node)
{
    (void)stay_copy(record->primary, sizeof record->primary, plan_node_name(view, node));
    take_back(record, node);
}

/* The barrier is passed again under the new primary before anything is called lossless. */
static void restart_watch(struct cluster_record *record, uint32_t ackers)
{
    record->lossless_stands = false;
    record->lossless_since_wall_us = 0;
    record->ackers = ackers;
}

/* Drained, or the primary itself until it was quiesced: it lacks nothing that was acknowledged, and
 * the next controller shall know by its birth that it is the same process. */
static void note_births(const struct plan_run *run, const struct cluster_view *view,
                        struct cluster_record *record)
{
    for (uint32_t node = 0; node < view->config->node_count; node++) {
        uint32_t bit = NODE_BIT(node);
        const struct node_view *n = &view->nodes[node];
        bool drained = plan_replaces(run->kind) && (run->r & bit);
        bool handed_over = run->kind == PLAN_SWITCHOVER && node == run->old_primary &&
                           run->fenced && !cluster_may_have_lost_tail(view, node);
        if ((drained || handed_over) && (record->ackers & ~run->restarted & bit) &&
            !plan_has_restarted(n->facts.uptime_s, run->freeze_uptime_s[node],
                                run->freeze_mono_us[node], n->facts_mono_us))
            (void)cluster_note_birth(view, node, record);
    }
}

/* Of 122, stalled, or 125, its disk is full: rules that do not say the primary is lost. */
static bool relieves(const struct plan_run *run)
{
    return run->params.automatic && (run->params.rule_id == 122 || run->params.rule_id == 125) &&
           plan_kind_has(run->kind, TRAIT_MOVES_PRIMARY);
}

static void commit_swap(const struct plan_run *run, const struct cluster_view *view,
                        int64_t now_wall_us, struct cluster_record *record)
{
    set_primary(record, view, run->candidate);
    record->primary_since_wall_us = run->begun_wall_us;
    if (relieves(run)) /* if the next one is sick as well, moving does not help */
        record->relief_tried = RELIEF_SWITCHED | RELIEF_FAILED_OVER;
    uint32_t asked = run->rows[plan_row_of(run->kind, STEP_ATTACH)].touched; /* or late to answer */
    restart_watch(record, run->attached | asked);
    note_births(run, view, record);
    record->written_known = 0;
    record->primary_id = 0;
    if (run->collected & mask_of(run->candidate))
        (void)cluster_note_written(view, run->candidate, &run->executed[run->candidate], record);
    if (run->degrade)
        record->mode = MODE_BOUNDED;
    if (!plan_replaces(run->kind))
        return;
    if (run->old_primary != NO_NODE && run->old_primary != run->candidate)
        record->quarantine[run->old_primary] = QUARANTINE_STALE_PRIMARY;
    for (uint32_t node = 0; node < view->config->node_count; node++)
        if ((run->collected & NODE_BIT(node)) && node != run->candidate &&
            !gtid_set_contains(&run->executed[run->candidate], &run->executed[node]) &&
            (node == run->old_primary || record->quarantine[node] != QUARANTINE_OPERATOR))
            record->quarantine[node] =
                node == run->old_primary ? QUARANTINE_STALE_PRIMARY : QUARANTINE_DIVERGED;
    if (run->params.automatic)
        record->cooldown_until_wall_us = now_wall_us + view->config->cooldown_us;
}

/* What a degrade records: bounded, or what was configured weaker still. */
static enum durability_mode weaker(const struct cluster_view *view)
{
    return view->config->mode < MODE_BOUNDED ? view->config->mode : MODE_BOUNDED;
}

static void commit(const struct plan_run *run, const struct cluster_view *view, int64_t now_wall_us,
                   struct cluster_record *record)
{
    switch (run->kind) {
    case PLAN_FAILOVER:
    case PLAN_RECOVER:
    case PLAN_SWITCHOVER:
        commit_swap(run, view, now_wall_us, record);
        return;
    case PLAN_ADOPT:
        record->adopted = true;
        record->written_known = 0; /* read anew: whatever was written by hand is accepted now */
        set_primary(record, view, run->candidate);
        record->primary_since_wall_us = run->begun_wall_us;
        record->mode = run->aims_lossless ? MODE_LOSSLESS : view->config->mode;
        if (record->mode == MODE_LOSSLESS && !run->aims_lossless)
            record->mode = MODE_BOUNDED;
        restart_watch(record, run->aims_lossless
                                  ? run->rows[plan_row_of(run->kind, STEP_BARRIER)].targets
                                  : 0);
        return;
    case PLAN_MODE_DEGRADE:
        record->mode = weaker(view); /* no change but under the mutant that recorded it late */
        restart_watch(record, 0);
        return;
    case PLAN_MAKE_WRITABLE:
        record->lossless_stands = false; /* the role was off: the barrier is passed again */
        return;
    case PLAN_REJOIN:
    case PLAN_REWIND:
    case PLAN_UNFENCE:
        take_back(record, run->params.node);
        return;
    case PLAN_REPOINT:
    case PLAN_MODE_RESTORE:
    case PLAN_FENCE:
    case PLAN_QUARANTINE:
    case PLAN_START_APPLIER:
    case PLAN_CONFORM:
    case PLAN_REPAIR_ACKER:
    case PLAN_END_STREAM:
    case PLAN_RESEED:
    case PLAN_NONE:
    case PLAN_KIND_COUNT:
        return;
    }
}

static void store_mode(const struct plan_run *run, const struct cluster_view *view,
                       struct cluster_record *record)
{
    if (run->kind == PLAN_MODE_RESTORE) {
        record->mode = MODE_LOSSLESS;
        restart_watch(record, run->rows[plan_row_of(run->kind, STEP_BARRIER)].targets |
                                  cluster_ackers_possible(view));
    } else if (!MUTANT(view, MODE_AFTER_SERVER)) {
        record->mode = weaker(view);
        record->lossless_stands = false;
    }
}

/* The node this plan attaches acknowledges from then on, before the primary is read again: it is in
 * A first, or a primary killed in between would be judged by too few. */
static uint32_t coming_acker(const struct plan_run *run, const struct cluster_view *view)
{
    if (!plan_kind_has(run->kind, TRAIT_ATTACHES) || view->record.mode != MODE_LOSSLESS ||
        !plan_zones_differ(view, run->params.node, run->candidate))
        return 0;
    return mask_of(run->params.node);
}

/* Its data goes. The others were seen to hold all that was acknowledged without it. */
static void set_hollow(struct cluster_record *record, uint32_t node)
{
    record->quarantine[node] = QUARANTINE_RESEED;
    record->ackers &= ~NODE_BIT(node);
    record->restarted &= ~NODE_BIT(node);
    record->born_known &= ~NODE_BIT(node);
}

/* Counted when they begin, whichever way they end: that is what their limits are about. */
static void note_relief(const struct plan_run *run, const struct cluster_view *view,
                        int64_t now_wall_us, struct cluster_record *record)
{
    if (run->kind == PLAN_REPAIR_ACKER && run->params.automatic) {
        if (!cluster_in_hour(record->repairs_since_wall_us, now_wall_us)) {
            record->repairs_since_wall_us = now_wall_us;
            record->repairs = 0;
        }
        record->repairs++;
    } else if (relieves(run)) {
        if (now_wall_us >= record->relief_until_wall_us)
            record->relief_tried = 0;
        record->relief_tried |= plan_replaces(run->kind) ? RELIEF_FAILED_OVER : RELIEF_SWITCHED;
        record->relief_until_wall_us =
            now_wall_us + later(view->config->cooldown_us, PLAN_RELIEF_US);
    }
}

/* Likewise tried: once an order, but for restarts of ours. */
static void begin_evacuation(const struct plan_run *run, struct cluster_record *record)
{
    if (record->evacuated_wall_us != run->params.evacuation_wall_us)
        record->evacuation_cut = 0;
    record->evacuated_wall_us = run->params.evacuation_wall_us;
    record->evacuation_again_wall_us = 0;
}

/* What ended it says nothing against the move: its clients were not touched yet (too far behind, a
 * hook's veto), or this controller restarted. One that keeps restarting in it stops: a human looks.
 */
static void reopen_evacuation(const struct plan_run *run, int64_t now_wall_us,
                              struct cluster_record *record)
{
    if (run->kind != PLAN_SWITCHOVER || run->state != RUN_UNDONE ||
        run->params.evacuation_wall_us == 0 ||
        record->evacuated_wall_us != run->params.evacuation_wall_us)
        return;
    bool touched = false;
    for (uint32_t row = plan_row_of(run->kind, STEP_ROUTE_CLOSE); row < PLAN_ROWS_MAX; row++)
        touched = touched || run->rows[row].touched != 0;
    if (touched && run->interrupted && record->evacuation_cut++ >= PLAN_EVACUATION_CUTS)
        return;
    if (!touched || run->interrupted)
        record->evacuation_again_wall_us =
            now_wall_us + (run->interrupted ? 0 : PLAN_EVACUATION_AGAIN_US);
}

void plan_change_record(const struct plan_run *run, const struct cluster_view *view, uint32_t row,
                        int64_t now_wall_us, struct cluster_record *record)
{
    enum step_kind step = plan_row_at(run, row)->step;
    if (step == STEP_INTENT) {
        record->epoch = run->epoch;
        (void)stay_copy(record->plan_id, sizeof record->plan_id, run->id);
        if (run->kind != PLAN_RESEED) /* its data goes first: STEP_ADMIT */
            record->ackers |= coming_acker(run, view);
        note_relief(run, view, now_wall_us, record);
        /* Whichever way it ends, it was tried. */
        if (run->kind == PLAN_SWITCHOVER && !MUTANT(view, SCHEDULE_KEPT))
            record->switch_at_wall_us = record->switch_missed_wall_us = 0;
        if (run->params.evacuation_wall_us != 0)
            begin_evacuation(run, record);
    } else if (step == STEP_ADMIT) {
        take_back(record, run->params.node);
        record->ackers |= coming_acker(run, view);
    } else if (step == STEP_QUARANTINE && run->kind == PLAN_RESEED) {
        set_hollow(record, run->params.node);
    } else if (step == STEP_STORE_MODE) {
        store_mode(run, view, record);
    } else if (step == STEP_QUARANTINE) {
        if (run->diverged && gtid_set_is_empty(&run->extra))
            record->twins |= NODE_BIT(run->params.node);
        bool fences = run->kind == PLAN_FENCE;
        uint8_t before = record->quarantine[run->params.node];
        if (before == QUARANTINE_RESEED) /* until it is whole again */
            return;
        record->quarantine[run->params.node] = !fences                  ? QUARANTINE_DIVERGED
                                               : !run->params.automatic ? QUARANTINE_OPERATOR
                                               : before != QUARANTINE_NONE
                                                   ? before /* it is closed, not judged anew */
                                                   : QUARANTINE_STALE_PRIMARY;
    } else if (step == STEP_COMMIT) {
        commit(run, view, now_wall_us, record);
    }
}

/* A rejoin that ended after its node was compared and attached: what is wrong with it now is said
 * by its replica rule. Taken up as a stale primary again and again, each attach would stop its
 * receiver. */
static void lift_if_attached(const struct plan_run *run, struct cluster_record *record)
{
    uint32_t node = run->params.node;
    uint32_t row = plan_row_of(PLAN_REJOIN, STEP_CATCH_UP);
    if (run->kind == PLAN_REJOIN && run->state == RUN_UNDONE && node < NODES_MAX &&
        (run->attached & run->rows[row].failed & NODE_BIT(node)) &&
        record->quarantine[node] == QUARANTINE_STALE_PRIMARY)
        record->quarantine[node] = QUARANTINE_NONE;
}

/* A failover that recorded the weaker mode for its candidate and was undone before that one could
 * be written to: the old primary and what its clients were told are as they were. */
static void give_back_mode(const struct plan_run *run, struct cluster_record *record)
{
    uint32_t row = plan_row_of(run->kind, STEP_STORE_MODE);
    if (!plan_replaces(run->kind) || run->state != RUN_UNDONE || run->past_no_return ||
        run->rows[row].touched == 0)
        return;
    record->mode = run->mode;
    record->lossless_stands = run->lossless_stood;
}

/* The primary stays, and was told to switch its semi-sync off without an answer. That command may
 * lie in its socket yet, nothing recalls it, and it falls after the undo has switched it on. */
static bool may_fall_later(const struct plan_run *run)
{
    if (run->kind != PLAN_SWITCHOVER || run->state == RUN_SUCCEEDED)
        return false;
    const struct row_run *off = &run->rows[plan_row_of(PLAN_SWITCHOVER, STEP_SOURCE_OFF)];
    return (off->touched & ~off->done & ~off->failed) != 0;
}

/* The old primary stays, and this run saw it without what lossless_since stands on, or killed its
 * clients: writes may have been acknowledged that no acker holds, and the next failover must not be
 * certified by it. Who was killed and could not leave answers others even later. */
static void forget_broken(const struct plan_run *run, const struct cluster_view *view,
                          struct cluster_record *record)
{
    bool stays = plan_replaces(run->kind) && run->state != RUN_SUCCEEDED;
    bool seen = stays && plan_is_seen_broken(run, view); /* nobody else looks while it is undone */
    seen = seen || (stays && plan_is_disproved(run, view)); /* its restart would hide it */
    seen = seen || (stays && run->kind == PLAN_FAILOVER && view->config->engine == ENGINE_MARIADB &&
                    (run->fenced || plan_is_fence_unheard(run)));
    bool breaks = may_fall_later(run) || (stays && (!run->lossless_stood || seen));
    if (!breaks || !record->lossless_stands)
        return;
    record->lossless_stands = false;
    record->lossless_since_wall_us = 0;
}

/* A change of primary that ended with a question after its candidate may have been opened. */
static bool asks_past_no_return(const struct plan_run *run)
{
    return plan_kind_has(run->kind, TRAIT_MOVES_PRIMARY) && run->state == RUN_ASKS &&
           run->past_no_return && run->candidate != NO_NODE;
}

/* It ended between the stored promotion and the record of it, and the candidate may have been
 * written to: the store names it, whatever became of it, unless its certificate no longer holds, or
 * it restarted and may have lost what it was certified by: nothing opens it then but a human. */
static bool may_have_moved(const struct plan_run *run, const struct cluster_view *view)
{
    if (!asks_past_no_return(run))
        return false;
    bool committed = run->rows[plan_row_of(run->kind, STEP_COMMIT)].state == ROW_DONE;
    bool holds = certificate_may_proceed(&run->certificate, view->config) &&
                 !cluster_may_have_lost_tail(view, run->candidate);
    return !committed && (run->params.accept_loss || holds);
}

/* Does this plan of a human's say who the primary is, or close the server that was asked about? */
static bool settles(const struct plan_run *run, const struct cluster_view *view)
{
    if (run->state != RUN_SUCCEEDED || run->params.automatic)
        return false;
    return plan_kind_has(run->kind, TRAIT_SETTLES) ||
           (plan_kind_has(run->kind, TRAIT_SETTLES_NODE) &&
            strcmp(plan_node_name(view, run->params.node), view->record.asks) == 0);
}

/* The store keeps the question: the next controller remembers none, and would open the old primary
 * beside or after the candidate, or fence the one that clients write to. */
static void keep_question(const struct plan_run *run, const struct cluster_view *view,
                          struct cluster_record *record)
{
    if (asks_past_no_return(run))
        (void)stay_copy(record->asks, sizeof record->asks, plan_node_name(view, run->candidate));
    if (record->asks[0] != '\0' && settles(run, view))
        record->cooldown_until_wall_us = 0; /* somebody looked: as `mainstay release` */
    if (strcmp(record->asks, record->primary) == 0 || settles(run, view))
        record->asks[0] = '\0';
}

void plan_end_record(const struct plan_run *run, const struct cluster_view *view,
                     int64_t now_wall_us, struct cluster_record *record)
{
    record->plan_id[0] = '\0';
    if (may_have_moved(run, view))
        commit_swap(run, view, now_wall_us, record);
    keep_question(run, view, record);
    lift_if_attached(run, record);
    give_back_mode(run, record);
    forget_broken(run, view, record);
    reopen_evacuation(run, now_wall_us, record);
    if (run->state == RUN_SUCCEEDED || !run->params.automatic || run->kind != PLAN_FAILOVER)
        return; /* other plans hold by decide's own memory; a failover must never wait for theirs */
    int64_t hold_us = run->stays ? PLAN_STAYS_US : PLAN_RETRY_US;
    if (run->state == RUN_ASKS)
        hold_us = later(view->config->cooldown_us, PLAN_RETRY_US);
    record->cooldown_until_wall_us = later(record->cooldown_until_wall_us, now_wall_us + hold_us);
}
