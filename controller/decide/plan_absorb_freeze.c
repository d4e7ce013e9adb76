/* controller/decide/plan_absorb_freeze.c - what the answers of FREEZE, DRAIN and VERIFY_FREEZE
 * change in a run: who is frozen (F), who executed all it received (R), and who is neither any
 * more. */
#include "controller/decide/plan_absorb_private.h"

void plan_drop_node(struct plan_run *run, uint32_t node)
{
    run->f &= ~NODE_BIT(node);
    run->r &= ~NODE_BIT(node);
    run->collected &= ~NODE_BIT(node);
}

void plan_take_executed(struct plan_run *run, uint32_t node, const struct effect_result *result)
{
    const struct server_facts *facts = plan_facts_read(result);
    if (facts == NULL)
        return;
    gtid_set_copy(&run->executed[node], &facts->executed);
    run->collected |= NODE_BIT(node);
}

/* Who ended its connection to the old primary? One found stopped tells nothing: by us in an earlier
 * attempt, or by somebody else. */
static void note_lost(struct plan_run *run, const struct cluster_view *view, uint32_t node,
                      enum receiver_before before, int64_t now_mono_us)
{
    bool was_asked = (run->froze & NODE_BIT(node)) != 0;
    run->froze |= NODE_BIT(node);
    switch (before) {
    case BEFORE_LOST:
        if (run->old_primary != NO_NODE && plan_is_lost_soon(view, run->old_primary, now_mono_us))
            run->lost_first |= NODE_BIT(node);
        return; /* later than that it may have given up a silent source: what was known stands */
    case BEFORE_UNKNOWN:
        if (was_asked)
            return;
        break;
    case BEFORE_CONNECTED:
        break;
    }
    run->lost_first &= ~NODE_BIT(node);
}

void plan_absorb_freeze(struct plan_run *run, const struct cluster_view *view, uint32_t row,
                        uint32_t node, const struct effect_result *result, int64_t now_mono_us)
{
    const struct server_facts *facts = plan_facts_read(result);
    if (facts == NULL) {
        run->rows[row].done &= ~NODE_BIT(node);
        run->rows[row].unknown |= NODE_BIT(node);
        return;
    }
    const struct node_view *seen = &view->nodes[node];
    bool again = ((run->f | run->sound | run->froze) & NODE_BIT(node)) != 0;
    uint64_t before_s = again ? run->freeze_uptime_s[node] : seen->facts.uptime_s;
    int64_t before_us = again ? run->freeze_mono_us[node] : seen->facts_mono_us;
    bool known = again || (seen->groups_known & FACTS_STATUS) != 0;
    bool restarted =
        known && (plan_has_restarted(facts->uptime_s, before_s, before_us, now_mono_us) ||
                  seen->closed_mono_us > before_us); /* nobody listened in between */
    STAY_AUTO(gtid_set_drop) struct gtid_set claims = {0};
    gtid_set_copy(&claims, &facts->received);
    gtid_set_union(&claims, &facts->executed);
    bool shrank = !gtid_set_contains(&claims, &seen->received_high); /* its relay log was purged */
    bool stood = !(run->froze & NODE_BIT(node)) && result->receiver_before == BEFORE_UNKNOWN &&
                 cluster_may_have_purged(view, facts);
    if ((restarted || shrank || stood) && !MUTANT(view, FREEZE_LOST_AT_RESTART))
        run->restarted |= NODE_BIT(node);
    run->f |= NODE_BIT(node);
    run->r &= ~NODE_BIT(node);
    run->collected &= ~NODE_BIT(node);
    run->freeze_uptime_s[node] = facts->uptime_s;
    run->freeze_mono_us[node] = now_mono_us;
    run->stalls[node] = 0;
    run->left[node] = UINT64_MAX;
    gtid_set_union(&run->received_high[node], &facts->received);
    gtid_set_union(&run->received_high[node], &seen->received_high);
    note_lost(run, view, node, result->receiver_before, now_mono_us);
    if (MUTANT(view, DRAIN_SKIPPED) || MUTANT(view, CERT_FROM_RECEIVED) ||
        (MUTANT(view, DRAIN_BY_LAG) && seen->facts.lag_s <= 0)) {
        plan_take_executed(run, node, result);
        run->r |= NODE_BIT(node);
        if (MUTANT(view, CERT_FROM_RECEIVED))
            gtid_set_copy(&run->executed[node], &run->received_high[node]);
    }
}

/* May a restart have cost it something it acknowledged? One that was sound at the start tells by
 * its uptime. */
static bool lost_by_restart(const struct plan_run *run, const struct cluster_view *view,
                            uint32_t node, const struct server_facts *facts, int64_t now_mono_us)
{
    if (run->restarted & NODE_BIT(node))
        return true;
    if (!(run->sound & NODE_BIT(node)))
        return plan_restart_counts(view, node, &facts->executed) &&
               !MUTANT(view, RESTARTED_ACKER_PROVES);
    return plan_has_restarted(facts->uptime_s, run->freeze_uptime_s[node],
                              run->freeze_mono_us[node], now_mono_us);
}

void plan_absorb_replay(struct plan_run *run, uint32_t node, const struct effect_result *result)
{
    const struct server_facts *facts = plan_facts_read(result);
    run->kept &= ~NODE_BIT(node);
    if (facts == NULL)
        return;
    STAY_AUTO(gtid_set_drop) struct gtid_set has = {0};
    gtid_set_copy(&has, &facts->received);
    gtid_set_union(&has, &facts->executed);
    if (result->kept_acked && gtid_set_contains(&has, &run->received_high[node]))
        run->kept |= NODE_BIT(node);
    gtid_set_copy(&run->received_high[node], &facts->received); /* more cannot be had */
}

/* A drain answered: what it read; NULL: nothing. */
static const struct server_facts *begin_drained(struct plan_run *run, uint32_t node,
                                                const struct effect_result *result)
{
    const struct server_facts *facts = plan_facts_read(result);
    run->slow &= ~NODE_BIT(node);
    run->spare &= ~NODE_BIT(node);
    if (facts == NULL)
        return NULL;
    const struct gtid_set *received = plan_kind_has(run->kind, TRAIT_ALL_RESTARTED)
                                          ? &run->received_high[node]
                                          : &facts->received;
    if ((run->f & NODE_BIT(node)) && gtid_set_contains(&facts->executed, received))
        run->spare |= NODE_BIT(node);
    return facts;
}

void plan_absorb_drain(struct plan_run *run, const struct cluster_view *view, uint32_t node,
                       const struct effect_result *result, int64_t now_mono_us)
{
    const struct server_facts *facts = begin_drained(run, node, result);
    if (facts == NULL)
        return;
    plan_take_executed(run, node, result);
    if (!gtid_set_contains(&facts->executed, &run->received_high[node]))
        return;
    if (!lost_by_restart(run, view, node, facts, now_mono_us) ||
        MUTANT(view, FREEZE_LOST_AT_RESTART)) {
        run->r |= NODE_BIT(node);
        run->doubted &= ~NODE_BIT(node);
    }
}

bool plan_absorb_drain_goes_on(struct plan_run *run, uint32_t node,
                               const struct effect_result *result)
{
    const struct server_facts *facts = begin_drained(run, node, result);
    if (facts == NULL || facts->applier != TRI_YES || facts->applier_errno != 0)
        return false;
    STAY_AUTO(gtid_set_drop) struct gtid_set missing = {0};
    gtid_set_copy(&missing, &run->received_high[node]);
    gtid_set_subtract(&missing, &facts->executed);
    uint64_t left = gtid_set_count(&missing);
    run->stalls[node] = left < run->left[node] ? 0 : run->stalls[node] + 1;
    run->left[node] = left;
    plan_take_executed(run, node, result);
    if (run->stalls[node] >= PLAN_DRAIN_STALLS_MAX)
        return false; /* undone, it may go on by itself, and the plan is tried again */
    run->slow |= NODE_BIT(node);
    return true;
}

static bool follows(const struct cluster_view *view, const struct server_facts *facts,
                    uint32_t source)
{
    return facts->source_port == view->config->nodes[source].port &&
           cluster_node_by_host(view->config, facts->source_host) == source;
}

/* More than it was judged by, and not from the candidate (which a resumed run may have opened
 * already): its receiver ran for the old primary again and acknowledged, whoever stopped it since.
 */
static bool took_more(const struct plan_run *run, const struct cluster_view *view, uint32_t node,
                      const struct server_facts *facts)
{
    STAY_AUTO(gtid_set_drop) struct gtid_set more = {0};
    gtid_set_copy(&more, &facts->received);
    gtid_set_union(&more, &facts->executed);
    gtid_set_subtract(&more, &run->received_high[node]);
    gtid_set_subtract(&more, &run->executed[node]);
    gtid_set_subtract(&more, &run->executed[run->candidate]);
    for (size_t i = 0; i < more.n; i++)
        if (!cluster_range_is_of(view, run->candidate, &more.v[i]))
            return true;
    return false;
}

/* Less than it was judged by: a restart truncated it, which the uptime of a young server, in whole
 * seconds, does not always tell. */
static bool lost_some(const struct plan_run *run, uint32_t node, const struct server_facts *facts)
{
    return (run->collected & NODE_BIT(node)) != 0 &&
           !gtid_set_contains(&facts->executed, &run->executed[node]);
}

static bool is_still_frozen(const struct plan_run *run, const struct cluster_view *view,
                            uint32_t node, const struct server_facts *facts, int64_t now_mono_us)
{
    if (run->candidate >= view->config->node_count) /* a journal that names none: judge anew */
        return false;
    if (plan_has_restarted(facts->uptime_s, run->freeze_uptime_s[node], run->freeze_mono_us[node],
                           now_mono_us) &&
        !MUTANT(view, FREEZE_LOST_AT_RESTART))
        return false;
    if (lost_some(run, node, facts) && !MUTANT(view, FREEZE_LOST_AT_RESTART))
        return false;
    if ((run->collected & NODE_BIT(node)) && took_more(run, view, node, facts))
        return false;
    if (facts->receiver == RECEIVER_NONE || facts->receiver == RECEIVER_STOPPED)
        return true;
    return follows(view, facts, run->candidate) || MUTANT(view, VERIFY_IGNORES_RECEIVER);
}

/* Its freeze no longer holds: may it acknowledge by now, and has it restarted? */
static void note_thawed(struct plan_run *run, uint32_t node, const struct server_facts *facts,
                        int64_t now_mono_us)
{
    if (facts->ss_replica_enabled != TRI_NO &&
        (facts->receiver == RECEIVER_RUNNING || facts->receiver == RECEIVER_CONNECTING))
        run->able |= NODE_BIT(node); /* in A or not: somebody started its receiver */
    if (lost_some(run, node, facts) ||
        plan_has_restarted(facts->uptime_s, run->freeze_uptime_s[node], run->freeze_mono_us[node],
                           now_mono_us))
        run->restarted |= NODE_BIT(node);
}

void plan_absorb_verify(struct plan_run *run, const struct cluster_view *view, uint32_t row,
                        uint32_t node, const struct effect_result *result, int64_t now_mono_us)
{
    const struct server_facts *facts = plan_facts_read(result);
    if (facts != NULL && is_still_frozen(run, view, node, facts, now_mono_us))
        return;
    struct row_run *state = &run->rows[row];
    state->done &= ~NODE_BIT(node);
    state->failed |= NODE_BIT(node);
    if (facts != NULL)
        note_thawed(run, node, facts, now_mono_us);
    plan_drop_node(run, node);
}
