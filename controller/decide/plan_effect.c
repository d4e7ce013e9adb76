/* controller/decide/plan_effect.c - what exactly a row asks of one node: the effect, made of the
 * run and the view alone. */
#include "controller/decide/plan_private.h"
#include "controller/decide/verdict.h"

static void clear_effect(const struct plan_run *run, const struct cluster_view *view,
                         struct effect *effect)
{
    memset(effect, 0, sizeof *effect);
    effect->epoch = run->epoch;
    effect->plan = run->kind;
    effect->acks = view->config->acks;
    effect->peer = NO_NODE;
    effect->lossless_roles = run->mode == MODE_LOSSLESS || run->aims_lossless;
    effect->valid_until_mono_us = INT64_MAX;
    effect->deadline_mono_us = INT64_MAX;
    effect->born_mono_us = INT64_MAX;
}

static unsigned effect_flaw(const struct cluster_view *view, enum step_kind step)
{
    if (step == STEP_FREEZE && MUTANT(view, BOTH_THREADS_STOPPED))
        return MUTANT_BOTH_THREADS_STOPPED;
    if (step == STEP_FREEZE && MUTANT(view, SOURCE_ON_BEFORE_DRAIN))
        return MUTANT_SOURCE_ON_BEFORE_DRAIN;
    if (step == STEP_FENCE && MUTANT(view, SEMISYNC_OFF_FIRST))
        return MUTANT_SEMISYNC_OFF_FIRST;
    return 0;
}

static const struct gtid_set *effect_want(const struct plan_run *run,
                                          const struct cluster_view *view, enum step_kind step,
                                          uint32_t node)
{
    if (step == STEP_DRAIN)
        return &run->received_high[node];
    bool is_read = (run->collected & mask_of(run->candidate)) != 0;
    if (step == STEP_ATTACH && run->kind == PLAN_SWITCHOVER && !is_read)
        return &run->fenced_executed; /* else the new source's set: more than the old one's, where
                                         that one lost its tail in a restart */
    if (step == STEP_ATTACH || step == STEP_REWIND)
        return &run->executed[run->candidate];
    if (step == STEP_BARRIER ||
        (step == STEP_CATCH_UP && plan_kind_has(run->kind, TRAIT_TAKES_BACK)))
        return &run->executed[run->candidate];
    if (step == STEP_CATCH_UP) /* a switchover's first one comes before the write pause */
        return run->fenced ? &run->fenced_executed : &run->executed[run->old_primary];
    if (step == STEP_TOP_UP) { /* the peer holds what is missed; its set is part of the union */
        uint32_t peer = candidate_top_up_peer(view, run, node);
        return peer == NO_NODE ? NULL : &run->executed[peer];
    }
    return NULL;
}

/* Only the process that was judged is opened, and with a gap where it may have lost its tail. A run
 * taken up past its point of no return is not the first to open it. */
static void open_whole(const struct plan_run *run, const struct cluster_view *view, uint32_t node,
                       struct effect *effect)
{
    bool read = (run->collected & mask_of(node)) != 0;
    effect->opens = effect->step == STEP_WRITABLE && !run->maybe_open &&
                    plan_kind_has(run->kind, TRAIT_MOVES_PRIMARY);
    effect->born_mono_us = MUTANT(view, BORN_IGNORED) ? INT64_MAX : plan_born_mono_us(run, node);
    effect->renumber = cluster_may_repeat_numbers(
        view, node, read ? &run->executed[node] : &view->nodes[node].facts.executed);
}

static void follow_effect(const struct plan_run *run, const struct cluster_view *view,
                          const struct plan_row *what, uint32_t node, struct effect *effect)
{
    effect->peer = run->candidate;
    effect->receiver_first = what->target == TARGET_ACKERS;
    /* On even while the source role is off: it harms nothing there, and without it a MariaDB server
     * that lost its own tail would skip it for good (step_mysql_own.c). */
    effect->semi_sync = run->kind != PLAN_QUARANTINE && view->config->mode == MODE_LOSSLESS &&
                        plan_zones_differ(view, node, run->candidate);
}

void plan_effect(const struct plan_run *run, const struct cluster_view *view, uint32_t row,
                 uint32_t node, struct effect *ret_effect)
{
    const struct plan_row *what = plan_row_at(run, row);
    clear_effect(run, view, ret_effect);
    ret_effect->step = what->step;
    ret_effect->node = node;
    ret_effect->want = effect_want(run, view, what->step, node);
    if (what->step == STEP_ATTACH &&
        (MUTANT(view, DIVERGED_ATTACHED) || MUTANT(view, ATTACH_UNCOMPARED)))
        ret_effect->want = NULL;
    ret_effect->flaw = effect_flaw(view, what->step);
    if (what->step == STEP_WRITABLE || what->step == STEP_UNFENCE)
        open_whole(run, view, node, ret_effect);
    if (step_kind_class(what->step) == CLASS_ROUTE) {
        ret_effect->node = what->step == STEP_ROUTE_CLOSE ? run->old_primary : run->candidate;
        ret_effect->peer = run->old_primary;
        return;
    }
    switch (what->step) {
    case STEP_ATTACH:
    case STEP_REPLICA_ROLE:
    case STEP_ACKNOWLEDGE:
        follow_effect(run, view, what, node, ret_effect);
        break;
    case STEP_SET_TIMEOUTS:
    case STEP_REWIND:
    case STEP_VERIFY_FREEZE: /* receiving from it is fine */
        ret_effect->peer = run->candidate;
        break;
    case STEP_CATCH_UP:
        ret_effect->prepares =
            run->kind == PLAN_SWITCHOVER && !run->fenced && node == run->candidate;
        break;
    case STEP_DETACH:
        ret_effect->forget_later =
            run->kind == PLAN_SWITCHOVER && run->aims_lossless && !run->degrade;
        break;
    case STEP_TOP_UP:
        ret_effect->peer = candidate_top_up_peer(view, run, node);
        break;
    case STEP_COPY:
        ret_effect->peer = run->donor;
        ret_effect->begun_mono_us = run->begun_mono_us;
        break;
    case STEP_SOURCE_ON:
    case STEP_WAIT_ACKERS:
        ret_effect->semi_sync = true;
        break;
    case STEP_UNFENCE:
        ret_effect->semi_sync = run->mode == MODE_LOSSLESS;
        break;
    case STEP_FREEZE:
    case STEP_END_STREAM:
        ret_effect->peer = what->step == STEP_FREEZE ? run->old_primary : run->params.node;
        break;
    case STEP_SET_VARIABLES:
        (void)verdict_conformance_live(view, node, ret_effect->settings,
                                       sizeof ret_effect->settings);
        break;
    case STEP_SOURCE_OFF: /* a degraded run has recorded the weaker mode: waiters may go on */
        ret_effect->lossless_roles = run->kind == PLAN_SWITCHOVER;
        break;
    case STEP_NONE:
    case STEP_CHECK:
    case STEP_INTENT:
    case STEP_HOOK_PRE:
    case STEP_ROUTE_CLOSE:
    case STEP_FENCE:
    case STEP_DRAIN:
    case STEP_COLLECT:
    case STEP_CHOOSE:
    case STEP_CERTIFY:
    case STEP_STORE_MODE:
    case STEP_WRITABLE:
    case STEP_CANARY:
    case STEP_ROUTE_OPEN:
    case STEP_CANARY_ROUTE:
    case STEP_COMMIT:
    case STEP_HOOK_POST:
    case STEP_QUIESCE:
    case STEP_THAW:
    case STEP_COMPARE:
    case STEP_QUARANTINE:
    case STEP_CREATE_SCHEMA:
    case STEP_BARRIER:
    case STEP_REPLAY:
    case STEP_START_APPLIER:
    case STEP_COPY_STOP:
    case STEP_ADMIT:
    case STEP_KIND_COUNT:
        break;
    }
}
