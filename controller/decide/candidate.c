/* controller/decide/candidate.c - ranks servers for promotion. One function says why a server may
 * not be promoted, one compares two that may; both return on the first rule that speaks. */
#include "controller/decide/candidate.h"

#include "controller/decide/plan_private.h"

/* "10.11.6-MariaDB" -> 10011; 0 when it does not begin with two numbers. */
static long version_rank(const char *text)
{
    char *end = NULL;
    long major = strtol(text, &end, 10);
    if (end == text || *end != '.')
        return 0;
    const char *minor_text = end + 1;
    long minor = strtol(minor_text, &end, 10);
    return end == minor_text ? 0 : major * 1000 + minor;
}

static bool is_older(const struct cluster_view *view, uint32_t node)
{
    if (view->primary == NO_NODE)
        return false;
    long ours = version_rank(view->nodes[node].facts.version);
    long primarys = version_rank(view->nodes[view->primary].facts.version);
    return ours != 0 && primarys != 0 && ours < primarys;
}

/* Rules that facts and configuration alone decide; NULL: none speaks against it. */
const char *candidate_objection(const struct cluster_view *view, uint32_t node, int64_t now_mono_us)
{
    const struct server_facts *facts = &view->nodes[node].facts;
    if (view->config->nodes[node].promote == PROMOTE_NEVER && !MUTANT(view, PROMOTE_RULE_IGNORED))
        return "promote = \"never\"";
    if (view->record.quarantine[node] != QUARANTINE_NONE && !MUTANT(view, QUARANTINE_IGNORED))
        return "it is quarantined";
    if (!plan_node_answers(view, node, PLAN_ANSWERS_US, now_mono_us))
        return "it does not answer";
    if (facts->filters == TRI_YES)
        return "a replication filter is set on it";
    if (facts->log_bin == TRI_NO)
        return "it writes no binary log";
    if (facts->log_updates == TRI_NO)
        return "its binary log leaves out what it replicates";
    if (facts->log_filters == TRI_YES)
        return "its binary log leaves databases out";
    if (strcmp(facts->binlog_format, "STATEMENT") == 0)
        return "it logs statements, not rows: its replicas may get other rows";
    if (cluster_is_cloned(view, node))
        return "another server has its server_id or server_uuid";
    if (is_older(view, node))
        return "its version is older than the primary's";
    if (facts->applier_errno != 0)
        return "its applier stopped with an error";
    bool primary_known =
        view->primary != NO_NODE && (view->nodes[view->primary].groups_known & FACTS_STATUS) != 0;
    if (facts->read_only == TRI_NO && view->primary != NO_NODE && !primary_known)
        return "it is writable, and what the primary held was never read";
    if (MUTANT(view, ERRANT_PROMOTED))
        return NULL;
    if (view->nodes[node].errant == TRI_YES)
        return "it holds transactions the primary lacks";
    if (plan_holds_regiven(view, node) == TRI_YES) /* the record is late: a store may be slow */
        return "it holds transactions the primary lost in a restart and gave the numbers of anew";
    if (view->nodes[node].skipped)
        return "it skipped transactions of its own that the primary holds";
    if (cluster_wrote_alone(view, node, &facts->executed))
        return "it wrote transactions of its own";
    if (view->primary != NO_NODE && (view->nodes[view->primary].groups_known & FACTS_STATUS) &&
        plan_lost_by(view, node, &facts->executed, &view->nodes[view->primary].facts.executed))
        return "it wrote transactions of its own";
    return NULL;
}

static const char *run_objection(const struct cluster_view *view, const struct plan_run *run,
                                 uint32_t node)
{
    if (run->struck & NODE_BIT(node))
        return "it failed earlier in this plan";
    if ((run->errant & NODE_BIT(node)) && !MUTANT(view, ERRANT_PROMOTED))
        return "it holds transactions the primary lacks";
    if (!(run->f & NODE_BIT(node)))
        return "it could not be frozen";
    if (!(run->r & NODE_BIT(node)) && (run->spare & NODE_BIT(node)))
        return "it restarted lately, what it had acknowledged may be gone: --accept-loss takes it";
    if (!(run->r & NODE_BIT(node)))
        return "it has not executed all it received";
    if (MUTANT(view, ERRANT_PROMOTED))
        return NULL;
    if (cluster_wrote_alone(view, node, &run->executed[node]))
        return "it wrote transactions of its own";
    if (view->primary != NO_NODE && (view->nodes[view->primary].groups_known & FACTS_STATUS) &&
        plan_lost_by(view, node, &run->executed[node], &view->nodes[view->primary].facts.executed))
        return "it wrote transactions of its own";
    return NULL;
}

static const char *objection(const struct cluster_view *view, const struct plan_run *run,
                             uint32_t node, int64_t now_mono_us)
{
    const char *why = run == NULL ? NULL : run_objection(view, run, node);
    return why != NULL ? why : candidate_objection(view, node, now_mono_us);
}

/* What the node holds: executed after the drain, or (rehearsal) executed and received as of now. */
static void held_set(const struct cluster_view *view, const struct plan_run *run, uint32_t node,
                     struct gtid_set *ret_set)
{
    if (run != NULL) {
        gtid_set_copy(ret_set, &run->executed[node]);
        return;
    }
    gtid_set_copy(ret_set, &view->nodes[node].facts.executed);
    gtid_set_union(ret_set, &view->nodes[node].facts.received);
}

struct rank {
    uint32_t node;
    bool detached;   /* chosen before in this run and already without a source */
    int promote;     /* prefer 0, neutral 1, avoid 2 */
    bool holds;      /* the union, without topping up */
    uint32_t steady; /* ackers it would have in zones that stay, at most k counted */
    uint32_t ackers; /* it would have, at most k counted */
    bool is_full;    /* its disk, nearly */
    int64_t lag_s;
    long version;
};

static int promote_rank(enum promote_rule rule)
{
    static const int ranks[] = {
        [PROMOTE_NEUTRAL] = 1, [PROMOTE_PREFER] = 0, [PROMOTE_AVOID] = 2, [PROMOTE_NEVER] = 3};
    return ranks[rule];
}

/* Negative: a before b. In order; the first difference decides, the configured order last. */
static int compare_ranks(const struct rank *a, const struct rank *b)
{
    if (a->detached != b->detached)
        return a->detached ? -1 : 1;
    if (a->promote != b->promote)
        return a->promote - b->promote;
    if (a->holds != b->holds)
        return a->holds ? -1 : 1;
    if (a->steady != b->steady)
        return a->steady > b->steady ? -1 : 1;
    if (a->ackers != b->ackers)
        return a->ackers > b->ackers ? -1 : 1;
    if (a->is_full != b->is_full)
        return a->is_full ? 1 : -1;
    if (a->lag_s != b->lag_s)
        return a->lag_s < b->lag_s ? -1 : 1;
    if (a->version != b->version) /* the lowest: everybody can replicate from it */
        return a->version < b->version ? -1 : 1;
    return 0; /* the sort is stable: configured order */
}

static struct rank rank_node(const struct cluster_view *view, const struct plan_run *run,
                             uint32_t node, const struct gtid_set *all, int64_t now_mono_us)
{
    STAY_AUTO(gtid_set_drop) struct gtid_set held = {0};
    held_set(view, run, node, &held);
    uint32_t ackers = run != NULL ? candidate_ackers(view, run, node)
                                  : plan_acker_nodes(view, node, now_mono_us) &
                                        ~mask_of(view->primary) & ~NODE_BIT(node);
    uint32_t enough = mask_count(ackers), steady = mask_count(ackers & ~view->evacuated);
    return (struct rank){
        .node = node,
        .detached = run != NULL && (run->detached & NODE_BIT(node)),
        .promote = promote_rank(view->config->nodes[node].promote),
        .holds = gtid_set_contains(&held, all),
        .steady = steady < view->config->acks ? steady : view->config->acks,
        .ackers = enough < view->config->acks ? enough : view->config->acks,
        .is_full = cluster_disk_is_low(view, node),
        .lag_s = view->nodes[node].facts.lag_s,
        .version = version_rank(view->nodes[node].facts.version),
    };
}

static void sort_ranks(struct rank *ranks, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct rank moved = ranks[i];
        size_t at = i;
        for (; at > 0 && compare_ranks(&moved, &ranks[at - 1]) < 0; at--)
            ranks[at] = ranks[at - 1];
        ranks[at] = moved;
    }
}

static void write_note(const struct cluster_view *view, const struct rank *rank, bool is_best,
                       struct candidate_note *ret_note)
{
    static const char *const promote[] = {"preferred", "neutral", "avoided", "never"};
    ret_note->node = rank->node;
    ret_note->eligible = true;
    plan_say(ret_note->why, sizeof ret_note->why, "%s%s, %s, %u of %u ackers%s%s%s",
             is_best ? "best: " : "", rank->holds ? "holds all that is known" : "must be topped up",
             promote[rank->promote], rank->ackers, view->config->acks,
             rank->is_full ? ", disk near full" : "", rank->detached ? ", already detached" : "",
             candidate_is_evacuated(view, rank->node) ? ", in an evacuated zone" : "");
}

bool candidate_is_evacuated(const struct cluster_view *view, uint32_t node)
{
    return node < view->config->node_count && !MUTANT(view, EVACUATION_IGNORED) &&
           (view->evacuated & NODE_BIT(node)) != 0;
}

static void refuse(const struct cluster_view *view, uint32_t node, const char *why,
                   struct candidate_note *ret_note)
{
    ret_note->node = node;
    ret_note->eligible = false;
    if (why != NULL)
        (void)stay_copy(ret_note->why, sizeof ret_note->why, why);
    else
        plan_say(ret_note->why, sizeof ret_note->why, "its zone %s is being evacuated",
                 view->config->nodes[node].zone);
}

/* Where somebody elsewhere may be promoted, those in a zone that is being emptied may not. Alone
 * they are taken: writes that stand still now are worse than a zone that goes dark later, and what
 * was acknowledged is proved by the certificate wherever the new primary stands. */
static bool is_anybody_elsewhere(const struct cluster_view *view, const struct plan_run *run,
                                 int64_t now_mono_us)
{
    for (uint32_t node = 0; node < view->config->node_count; node++)
        if (node != view->primary && !candidate_is_evacuated(view, node) &&
            objection(view, run, node, now_mono_us) == NULL)
            return true;
    return false;
}

uint32_t candidate_choose(const struct cluster_view *view, const struct plan_run *run,
                          int64_t now_mono_us, struct candidate_note *ret_notes, size_t *ret_count)
{
    struct rank ranks[NODES_MAX];
    struct candidate_note refused[NODES_MAX];
    size_t rank_count = 0, refused_count = 0;
    STAY_AUTO(gtid_set_drop) struct gtid_set all = {0};
    for (uint32_t node = 0; node < view->config->node_count; node++) {
        STAY_AUTO(gtid_set_drop) struct gtid_set held = {0};
        if (node == view->primary || (run != NULL && !(run->r & NODE_BIT(node))))
            continue;
        if (run != NULL)
            plan_contribution(run, view, node, &held);
        else
            held_set(view, run, node, &held);
        gtid_set_union(&all, &held);
    }
    bool stays = view->evacuated != 0 && is_anybody_elsewhere(view, run, now_mono_us);
    for (uint32_t node = 0; node < view->config->node_count; node++) {
        if (node == view->primary)
            continue;
        const char *why = objection(view, run, node, now_mono_us);
        if (why != NULL || (stays && candidate_is_evacuated(view, node)))
            refuse(view, node, why, &refused[refused_count++]);
        else
            ranks[rank_count++] = rank_node(view, run, node, &all, now_mono_us);
    }
    sort_ranks(ranks, rank_count);
    for (size_t i = 0; i < rank_count; i++)
        write_note(view, &ranks[i], i == 0, &ret_notes[i]);
    memcpy(ret_notes + rank_count, refused, refused_count * sizeof refused[0]);
    *ret_count = rank_count + refused_count;
    return rank_count > 0 ? ranks[0].node : NO_NODE;
}

uint32_t candidate_top_up_peer(const struct cluster_view *view, const struct plan_run *run,
                               uint32_t candidate)
{
    uint32_t best = NO_NODE;
    uint64_t best_gain = 0;
    if (MUTANT(view, PEERS_NOT_UNITED))
        return NO_NODE;
    uint32_t holders = plan_holders(run, view);
    if (plan_kind_has(run->kind, TRAIT_HOLDS_ALL)) /* by a human's choice nothing is mixed */
        holders = mask_of(plan_whole_peer(run, view));
    for (uint32_t node = 0; node < view->config->node_count && candidate < NODES_MAX; node++) {
        if (!(holders & NODE_BIT(node)) || node == candidate)
            continue;
        STAY_AUTO(gtid_set_drop) struct gtid_set missed = {0};
        plan_contribution(run, view, node, &missed);
        gtid_set_subtract(&missed, &run->executed[candidate]);
        uint64_t gain = gtid_set_count(&missed);
        if (gain > best_gain) {
            best = node;
            best_gain = gain;
        }
    }
    return best;
}

uint32_t candidate_ackers(const struct cluster_view *view, const struct plan_run *run,
                          uint32_t candidate)
{
    uint32_t mask = 0;
    if (candidate >= view->config->node_count)
        return 0;
    uint32_t drained = plan_holders(run, view);
    bool whole = plan_kind_has(run->kind, TRAIT_HOLDS_ALL);
    bool fetches = whole && candidate_top_up_peer(view, run, candidate) != NO_NODE;
    for (uint32_t node = 0; node < view->config->node_count; node++) {
        if (!(drained & NODE_BIT(node)) || node == candidate ||
            (node == run->old_primary && !plan_kind_has(run->kind, TRAIT_OLD_MAY_LEAD)))
            continue;
        if (whole && !fetches &&
            !gtid_set_contains(&run->executed[candidate], &run->executed[node]))
            continue; /* by a human's choice: it holds more */
        if (!plan_zones_differ(view, node, candidate) ||
            view->record.quarantine[node] != QUARANTINE_NONE ||
            cluster_wrote_alone(view, node, &run->executed[node]))
            continue;
        /* what it holds the candidate holds, or will after its top-up: both are of R */
        mask |= NODE_BIT(node);
    }
    return mask;
}
