/* controller/decide/guard.c - vetoes: why a plan must not start now, whatever the verdict. */
#include "base/mutant.h"
#include "controller/decide/decide.h"

const char *guard_name(enum guard_id guard)
{
    static const char *const names[] = {
#define X(id, name, what) name,
        GUARDS(X)
#undef X
    };
    return (unsigned)guard < GUARD_COUNT ? names[guard] : "?";
}

const char *guard_what(enum guard_id guard)
{
    static const char *const whats[] = {
#define X(id, name, what) what,
        GUARDS(X)
#undef X
    };
    return (unsigned)guard < GUARD_COUNT ? whats[guard] : "?";
}

static uint32_t bit(enum guard_id guard)
{
    return UINT32_C(1) << guard;
}

static bool is_running(const struct plan_run *run)
{
    return run != NULL && (run->state == RUN_FORWARD || run->state == RUN_UNDOING);
}

/* Somebody that answers, is not set aside and may be primary. */
static bool has_candidate(const struct cluster_view *view, int64_t now_mono_us)
{
    for (uint32_t i = 0; i < view->config->node_count; i++) {
        if (i != view->primary && view->config->nodes[i].promote != PROMOTE_NEVER &&
            view->record.quarantine[i] == QUARANTINE_NONE &&
            cluster_node_fresh(view, i, now_mono_us))
            return true;
    }
    return false;
}

static bool is_zone_busy(const struct cluster_view *view, const struct fleet *fleet)
{
    if (view->primary == NO_NODE)
        return false;
    for (uint32_t i = 0; i < fleet->busy_zone_count; i++) {
        if (strcmp(fleet->busy_zones[i], view->config->nodes[view->primary].zone) == 0)
            return true;
    }
    return false;
}

/* What bounds automatic failovers: the cluster's own cooldown and mode, and the fleet's limits. */
static uint32_t failover_vetoes(const struct cluster_view *view, const struct fleet *fleet,
                                bool automatic, int64_t now_mono_us, int64_t now_wall_us)
{
    uint32_t vetoes = has_candidate(view, now_mono_us) ? 0 : bit(GUARD_NO_CANDIDATE);
    if (!automatic)
        return vetoes;
    if (now_wall_us < view->record.cooldown_until_wall_us && !MUTANT(view, COOLDOWN_IGNORED))
        vetoes |= bit(GUARD_COOLDOWN);
    if (view->config->failover != FAILOVER_AUTOMATIC)
        vetoes |= bit(GUARD_CONFIRM);
    if (view->suspicion_since_mono_us != STAY_NEVER &&
        now_mono_us - view->suspicion_since_mono_us < view->config->grace_us)
        vetoes |= bit(GUARD_GRACE);
    if (fleet != NULL && fleet->failovers_per_hour > 0 &&
        fleet->failovers_last_hour >= fleet->failovers_per_hour)
        vetoes |= bit(GUARD_HOURLY_LIMIT);
    if (fleet != NULL && is_zone_busy(view, fleet))
        vetoes |= bit(GUARD_ZONE_LIMIT);
    if (fleet != NULL && fleet->zone_waits)
        vetoes |= bit(GUARD_ZONE_ORDER);
    if (fleet != NULL && fleet->blast_radius > 0 && fleet->wanting > fleet->blast_radius)
        vetoes |= bit(GUARD_BLAST_RADIUS);
    return vetoes;
}

/* One that is due again after each repair has a cause that repairs do not mend. */
static bool is_repair_limit(const struct cluster_view *view, int64_t now_wall_us)
{
    const struct cluster_record *record = &view->record;
    uint64_t done =
        cluster_in_hour(record->repairs_since_wall_us, now_wall_us) ? record->repairs : 0;
    return done >= view->config->acker_repairs_max;
}

uint32_t guard_check(const struct cluster_view *view, const struct plan_run *running,
                     const struct fleet *fleet, enum plan_kind kind, bool automatic,
                     int64_t now_mono_us, int64_t now_wall_us)
{
    const struct cluster_record *record = &view->record;
    uint32_t vetoes = 0;
    if (!record->adopted && kind != PLAN_ADOPT)
        vetoes |= bit(GUARD_NOT_ADOPTED);
    if (record->paused || view->paused_all)
        vetoes |= bit(GUARD_PAUSED);
    if (automatic && now_wall_us < record->maintenance_until_wall_us)
        vetoes |= bit(GUARD_MAINTENANCE);
    if (automatic && !MUTANT(view, HOLD_IGNORED) && now_mono_us < view->hold_until_mono_us)
        vetoes |= bit(GUARD_HOLD);
    if (automatic && view->config->failover == FAILOVER_OBSERVE)
        vetoes |= bit(GUARD_CONFIRM);
    if (!view->store_ok)
        vetoes |= bit(GUARD_STORE);
    if (is_running(running))
        vetoes |= bit(GUARD_BUSY);
    if (kind == PLAN_RESEED && fleet != NULL && fleet->reseeds_full)
        vetoes |= bit(GUARD_RESEED_LIMIT);
    if (kind == PLAN_REPAIR_ACKER && automatic && is_repair_limit(view, now_wall_us))
        vetoes |= bit(GUARD_REPAIR_LIMIT);
    if (plan_kind_has(kind, TRAIT_MOVES_PRIMARY) && !plan_kind_has(kind, TRAIT_OLD_MAY_LEAD))
        vetoes |= failover_vetoes(view, fleet, automatic && plan_replaces(kind), now_mono_us,
                                  now_wall_us);
    return vetoes;
}

static bool is_past(const struct plan_run *run, enum step_kind step)
{
    return run->row > plan_row_of(run->kind, step);
}

/* A degrade whose weaker mode is recorded must still release those who wait: a server that only
 * seems to hang behind them would be failed over, which that mode forbids. Where the process is
 * gone nobody waits; and one that takes writes beside it is closed first, in milliseconds. */
bool guard_preempts(const struct decision *decision, const struct plan_run *running)
{
    if (running == NULL || running->state != RUN_FORWARD || running->past_no_return ||
        decision->vetoes != bit(GUARD_BUSY))
        return false;
    bool closes = decision->want == PLAN_FENCE &&
                  running->params.node != decision->params.node; /* a rejoin closes it itself */
    bool urgent = plan_kind_has(running->kind, TRAIT_LONG) &&
                  (decision->want == PLAN_MAKE_WRITABLE || decision->want == PLAN_MODE_DEGRADE);
    if (decision->want != PLAN_FAILOVER && !closes && !urgent)
        return false;
    if (running->kind == PLAN_MODE_DEGRADE)
        return closes || decision->verdict.rule_id == 120 || !is_past(running, STEP_STORE_MODE);
    return plan_kind_has(running->kind, TRAIT_GIVES_WAY);
}
