/* controller/decide/plan_start.c - a run begins: what was true before it, noted while it can still
 * be seen: the old primary, its ackers, how many it waited for, which of them are sound. */
#include "controller/decide/decide.h"
#include "controller/decide/plan_absorb_private.h"

static void name_run(struct plan_run *run, const struct cluster_view *view)
{
    char epoch[24];
    plan_say(epoch, sizeof epoch, "%llu", (unsigned long long)run->epoch);
    int room = (int)sizeof run->id - 2 - (int)strlen(epoch);
    plan_say(run->id, sizeof run->id, "%.*s-%s", room > 0 ? room : 0, view->config->name, epoch);
}

static uint32_t find_writable(const struct cluster_view *view)
{
    for (uint32_t node = 0; node < view->config->node_count; node++)
        if ((view->nodes[node].groups_known & FACTS_STATUS) &&
            view->nodes[node].facts.read_only == TRI_NO)
            return node;
    return NO_NODE;
}

/* Does the new or old primary of this plan run lossless semi-sync when it ends? */
static bool aims_lossless(const struct plan_run *run, const struct cluster_view *view)
{
    if (run->kind == PLAN_ADOPT) /* such a cluster is adopted, in the weaker mode */
        for (uint32_t node = 0; node < view->config->node_count; node++)
            if (plan_wrong_start_value(view, node) != NULL)
                return false;
    if (run->kind == PLAN_ADOPT || run->kind == PLAN_MODE_RESTORE)
        return view->config->mode == MODE_LOSSLESS;
    return plan_kind_has(run->kind, TRAIT_KEEPS_LOSSLESS) && run->mode == MODE_LOSSLESS;
}

/* How the old primary was: an undo opens it again only if it still is that process, and was open.
 */
static void note_old_primary(struct plan_run *run, const struct cluster_view *view,
                             int64_t now_mono_us)
{
    if (run->old_primary == NO_NODE)
        return;
    const struct node_view *old = &view->nodes[run->old_primary];
    bool known = (old->groups_known & FACTS_STATUS) != 0;
    run->was_open = known && old->facts.read_only == TRI_NO;
    run->freeze_uptime_s[run->old_primary] = known ? old->facts.uptime_s : 0;
    run->freeze_mono_us[run->old_primary] = known ? old->facts_mono_us : now_mono_us;
    gtid_set_copy(&run->last_word, &old->facts.executed);
    run->last_sessions = old->facts.connections;
}

/* Connected and acknowledging when the primary was last read. One that somebody detached before
 * says nothing by having no connection later. */
static uint32_t ackers_at_last_facts(const struct cluster_view *view)
{
    uint32_t mask = 0;
    if (view->primary == NO_NODE || view->nodes[view->primary].facts_mono_us == STAY_NEVER)
        return 0;
    int64_t read_us = view->nodes[view->primary].facts_mono_us;
    for (uint32_t node = 0; node < view->config->node_count; node++)
        if (view->nodes[node].acker_seen_mono_us == read_us &&
            view->nodes[node].receiver_off_mono_us < read_us)
            mask |= NODE_BIT(node);
    return mask;
}

static uint32_t receivers_at_start(const struct cluster_view *view)
{
    uint32_t mask = 0;
    for (uint32_t node = 0; node < view->config->node_count; node++) {
        enum receiver_state state = view->nodes[node].facts.receiver;
        if ((view->nodes[node].groups_known & FACTS_STATUS) &&
            (state == RECEIVER_RUNNING || state == RECEIVER_CONNECTING))
            mask |= NODE_BIT(node);
    }
    return mask;
}

/* k of the primary that is replaced: what its server was seen to wait for when that is less than
 * the configured count, which may have been raised since (a reload reaches a dead server never). */
uint32_t plan_acks_waited_for(const struct cluster_view *view)
{
    uint32_t acks = view->config->acks;
    if (view->primary == NO_NODE || view->config->engine != ENGINE_MYSQL)
        return acks;
    const struct server_facts *facts = &view->nodes[view->primary].facts;
    bool waits = facts->ss_source_enabled == TRI_YES && facts->ss_wait_count > 0;
    return waits && facts->ss_wait_count < acks ? (uint32_t)facts->ss_wait_count : acks;
}

/* What tells on MySQL whether an orderly shutdown can have answered waiting sessions; noted when
 * the run begins, for whoever ends it may never have seen the old primary. */
static void note_acks(struct plan_run *run, const struct cluster_view *view)
{
    if (run->old_primary == NO_NODE)
        return;
    run->acks_flowed = plan_acks_flowed(view, run->old_primary);
    for (uint32_t node = 0; node < view->config->node_count; node++)
        if (plan_is_lost_soon(view, run->old_primary, view->nodes[node].receiver_lost_mono_us))
            run->lost_first |= NODE_BIT(node);
}

/* A server young when a controller first reads it counts as restarted: the process that takes this
 * run up must not judge so what was known here. Nor must it forget who was written to by hand. */
static void note_sound(struct plan_run *run, const struct cluster_view *view)
{
    for (uint32_t node = 0; node < view->config->node_count; node++) {
        const struct node_view *seen = &view->nodes[node];
        int64_t restarted = plan_restarted_us(view, node);
        bool caught_up = restarted == STAY_NEVER || seen->caught_up_mono_us > restarted;
        if (seen->errant == TRI_YES)
            run->errant |= NODE_BIT(node);
        if (node == run->old_primary || !(seen->groups_known & FACTS_STATUS) || !caught_up)
            continue;
        run->sound |= NODE_BIT(node);
        run->freeze_uptime_s[node] = seen->facts.uptime_s;
        run->freeze_mono_us[node] = seen->facts_mono_us;
    }
}

/* By its last word its receiver runs or tries, from `primary`, and would acknowledge. */
static bool would_ack(const struct cluster_view *view, uint32_t node, uint32_t primary)
{
    const struct server_facts *facts = &view->nodes[node].facts;
    bool tries = facts->receiver == RECEIVER_RUNNING || facts->receiver == RECEIVER_CONNECTING;
    return node != primary && tries && facts->ss_replica_enabled == TRI_YES &&
           cluster_source_of(view, node) == primary;
}

/* It fell silent with the primary, in the primary's zone: they may be cut off together. */
static bool is_cut_off_with(const struct cluster_view *view, uint32_t node, uint32_t primary)
{
    int64_t heard_us = view->nodes[primary].facts_begun_mono_us;
    int64_t last_us = view->nodes[node].facts_mono_us;
    return cluster_same_zone(view->config, node, primary) &&
           (heard_us == STAY_NEVER || last_us > heard_us - PLAN_ANSWERS_US);
}

/* One that left A while its receiver went on retrying, or never was in it. */
static uint32_t able_to_ack(const struct cluster_view *view, int64_t now_mono_us)
{
    uint32_t mask = 0, answering = plan_nodes_answering(view, now_mono_us);
    for (uint32_t node = 0; node < view->config->node_count; node++)
        if (((answering & NODE_BIT(node)) || is_cut_off_with(view, node, view->primary)) &&
            would_ack(view, node, view->primary))
            mask |= NODE_BIT(node);
    return mask;
}

void plan_note_able(struct plan_run *run, const struct cluster_view *view)
{
    if (!plan_replaces(run->kind) || run->old_primary >= view->config->node_count ||
        MUTANT(view, ABLE_IGNORED))
        return;
    for (uint32_t node = 0; node < view->config->node_count; node++) {
        int64_t asked_us = view->nodes[node].facts_begun_mono_us;
        if ((run->f & NODE_BIT(node)) && asked_us > run->freeze_mono_us[node] &&
            would_ack(view, node, run->old_primary)) { /* somebody started it again */
            plan_drop_node(run, node);
            run->able |= NODE_BIT(node);
        }
        bool judged = ((run->a | run->f | run->able) & NODE_BIT(node)) != 0;
        if (judged || asked_us == STAY_NEVER || asked_us <= run->begun_mono_us ||
            !would_ack(view, node, run->old_primary))
            continue;
        run->able |= NODE_BIT(node);
        run->acks_flowed = false; /* MySQL: it is our freeze that ends its connection */
    }
}

static void fill_run(struct plan_run *run, enum plan_kind kind, const struct plan_params *params,
                     const struct cluster_view *view, int64_t now_mono_us, int64_t now_wall_us)
{
    const struct cluster_record *record = &view->record;
    run->kind = kind;
    run->state = RUN_FORWARD;
    run->params = *params;
    run->epoch = record->epoch + (MUTANT(view, EPOCH_REUSED) ? 0 : 1);
    name_run(run, view);
    run->old_primary = view->primary;
    if (kind == PLAN_ADOPT && view->primary == NO_NODE)
        run->old_primary = find_writable(view);
    run->candidate = run->old_primary;
    if (plan_kind_has(kind, TRAIT_MOVES_PRIMARY))
        run->candidate = NO_NODE;
    run->donor = NO_NODE;
    if (kind == PLAN_RESEED)
        run->donor = params->donor != NO_NODE ? params->donor
                                              : plan_choose_donor(view, params->node, now_mono_us);
    run->mode = record->mode;
    run->lossless_stood = record->mode == MODE_LOSSLESS && record->lossless_stands &&
                          view->lossless_fell_mono_us == STAY_NEVER &&
                          (plan_kind_has(kind, TRAIT_ALL_RESTARTED) ||
                           !durability_is_unseen(view, now_mono_us, now_wall_us));
    run->acks = plan_acks_waited_for(view);
    run->a = record->ackers | (record->mode == MODE_LOSSLESS ? view->ackers_seen : 0);
    run->able = view->primary == NO_NODE || MUTANT(view, ABLE_IGNORED)
                    ? 0
                    : able_to_ack(view, now_mono_us) & ~run->a;
    run->acking = ackers_at_last_facts(view);
    note_acks(run, view);
    note_sound(run, view);
    run->received = receivers_at_start(view);
    if (MUTANT(view, DEAD_ACKER_IGNORED))
        run->a &= plan_nodes_answering(view, now_mono_us);
    run->aims_lossless = aims_lossless(run, view);
    run->certificate.kind = CERT_UNKNOWN;
    note_old_primary(run, view, now_mono_us);
    run->begun_mono_us = now_mono_us;
    run->begun_wall_us = now_wall_us;
    run->ended_mono_us = STAY_NEVER;
    for (uint32_t row = 0; row < PLAN_ROWS_MAX; row++)
        run->rows[row].begun_mono_us = run->rows[row].ended_mono_us = STAY_NEVER;
}

enum stay_rc plan_start(struct plan_run *run, enum plan_kind kind, const struct plan_params *params,
                        const struct cluster_view *view, int64_t now_mono_us, int64_t now_wall_us,
                        struct stay_error *err)
{
    struct plan_run fresh = {0};
    fill_run(&fresh, kind, params, view, now_mono_us, now_wall_us);
    enum stay_rc rc = plan_check(&fresh, view, now_mono_us, err);
    if (rc != STAY_OK) {
        plan_run_clear(&fresh);
        return rc;
    }
    plan_run_clear(run);
    *run = fresh;
    return STAY_OK;
}
