/* controller/decide/plan_outage.c - after a total outage: may the procedure start, who is missing
 * and what may it hold, and which server is started: one that holds all that any server holds after
 * its drain. Where there is none, nobody but a human chooses. */
#include "controller/decide/plan_private.h"

/* A restart cost it nothing: what it committed is in its binary log, which is on the disk. MariaDB
 * cuts its log at a restart as a replica (init_rpl_role). */
bool plan_keeps_all(const struct cluster_view *view, uint32_t node)
{
    const struct server_facts *facts = &view->nodes[node].facts;
    bool cuts = view->config->engine == ENGINE_MARIADB && facts->start_role_replica != TRI_NO;
    return (view->nodes[node].groups_known & FACTS_SLOW) != 0 && facts->sync_binlog == 1 &&
           facts->flush_log == 1 && !cuts;
}

/* Answers now: one that refuses by now is gone, whatever it said a second ago. */
static uint32_t nodes_there(const struct cluster_view *view, int64_t now_mono_us)
{
    uint32_t mask = plan_nodes_answering(view, now_mono_us);
    for (uint32_t node = 0; node < view->config->node_count; node++)
        if (view->nodes[node].refused_first_mono_us != STAY_NEVER)
            mask &= ~NODE_BIT(node);
    return mask;
}

/* Who may hold something that nobody else does, and does not answer. A primary that answers and
 * kept all leaves nobody else to be waited for. */
static uint32_t missing_nodes(const struct plan_run *run, const struct cluster_view *view,
                              int64_t now_mono_us)
{
    uint32_t answering = nodes_there(view, now_mono_us), missing = 0;
    if ((answering & mask_of(run->old_primary)) && plan_keeps_all(view, run->old_primary))
        return 0;
    for (uint32_t node = 0; node < view->config->node_count; node++)
        if (!(answering & NODE_BIT(node)) && view->record.quarantine[node] == QUARANTINE_NONE)
            missing |= NODE_BIT(node);
    return missing;
}

static enum stay_rc refuse_missing(const struct plan_run *run, const struct cluster_view *view,
                                   uint32_t missing, struct stay_error *err)
{
    uint32_t node =
        (missing & mask_of(run->old_primary)) ? run->old_primary : (uint32_t)__builtin_ctz(missing);
    const char *name = plan_node_name(view, node), *cluster = view->config->name;
    if (node == run->old_primary)
        return stay_error(err, STAY_EREFUSED,
                          "%s, the primary, is still missing: it may live behind a cut, and may "
                          "hold commits that no other server has%s: start it, or `mainstay recover "
                          "%s --accept-loss REASON` goes on without it",
                          name, run->mode == MODE_LOSSLESS ? ", none of them acknowledged" : "",
                          cluster);
    return stay_error(err, STAY_EREFUSED,
                      "%s is still missing: it %s: start it, or `mainstay recover %s --accept-loss "
                      "REASON` goes on without it",
                      name,
                      (run->a & NODE_BIT(node)) != 0
                          ? "acknowledged commits, and may be the only one that holds the last"
                          : "may hold commits that no other server has",
                      cluster);
}

/* One that takes writes, or still receives from the primary, says that this is no total outage. */
static enum stay_rc check_is_out(const struct plan_run *run, const struct cluster_view *view,
                                 int64_t now_mono_us, struct stay_error *err)
{
    uint32_t answering = nodes_there(view, now_mono_us);
    for (uint32_t node = 0; node < view->config->node_count; node++) {
        if (!(answering & NODE_BIT(node)))
            continue;
        if (view->nodes[node].facts.read_only == TRI_NO)
            return stay_error(err, STAY_EREFUSED,
                              "%s accepts writes: this is no total outage; see `mainstay verdict "
                              "%s`",
                              plan_node_name(view, node), view->config->name);
        if (run->old_primary != NO_NODE && node != run->old_primary &&
            !(answering & mask_of(run->old_primary)) &&
            cluster_node_receives(view, node, run->old_primary, now_mono_us) == TRI_YES)
            return stay_error(err, STAY_EREFUSED,
                              "%s still receives from %s: it lives, and our path to it is broken",
                              plan_node_name(view, node), plan_node_name(view, run->old_primary));
    }
    return STAY_OK;
}

/* May it be started at all, whatever it holds? */
static const char *objection(const struct plan_run *run, const struct cluster_view *view,
                             uint32_t node, int64_t now_mono_us)
{
    if (run->struck & NODE_BIT(node))
        return "it failed earlier in this plan";
    if (!(nodes_there(view, now_mono_us) & NODE_BIT(node)))
        return "it does not answer";
    return candidate_objection(view, node, now_mono_us);
}

enum stay_rc plan_check_recover(const struct plan_run *run, const struct cluster_view *view,
                                int64_t now_mono_us, struct stay_error *err)
{
    uint32_t missing = missing_nodes(run, view, now_mono_us), able = 0;
    enum stay_rc rc = check_is_out(run, view, now_mono_us, err);
    if (rc != STAY_OK)
        return rc;
    if (run->params.accept_loss && run->params.reason[0] == '\0')
        return stay_error(err, STAY_EREFUSED, "accepting loss needs a reason");
    for (uint32_t node = 0; node < view->config->node_count; node++)
        if (objection(run, view, node, now_mono_us) == NULL)
            able |= NODE_BIT(node);
    if (run->params.node != NO_NODE && !(able & mask_of(run->params.node)))
        return stay_error(err, STAY_EREFUSED, "%s may not be started as the primary: %s",
                          plan_node_name(view, run->params.node),
                          objection(run, view, run->params.node, now_mono_us));
    if (able == 0)
        return stay_error(err, STAY_EREFUSED, "no server that answers may be the primary: %s: %s",
                          plan_node_name(view, 0), objection(run, view, 0, now_mono_us));
    if (missing != 0 && !run->params.accept_loss)
        return refuse_missing(run, view, missing, err);
    return STAY_OK;
}

uint32_t plan_holders(const struct plan_run *run, const struct cluster_view *view)
{
    uint32_t closed =
        plan_kind_has(run->kind, TRAIT_OLD_MAY_LEAD) && run->fenced ? mask_of(run->old_primary) : 0;
    return (run->r | closed) & run->collected & ~plan_gone(run) & ~plan_hollow_nodes(view);
}

/* What must survive: all that any of them holds. */
static void union_of(const struct plan_run *run, const struct cluster_view *view, uint32_t holders,
                     struct gtid_set *ret_all)
{
    for (uint32_t node = 0; node < view->config->node_count; node++)
        if (holders & NODE_BIT(node))
            gtid_set_union(ret_all, &run->executed[node]);
}

uint32_t plan_whole_peer(const struct plan_run *run, const struct cluster_view *view)
{
    uint32_t holders = plan_holders(run, view);
    STAY_AUTO(gtid_set_drop) struct gtid_set all = {0};
    union_of(run, view, holders, &all);
    for (uint32_t node = 0; node < view->config->node_count; node++)
        if ((holders & NODE_BIT(node)) && gtid_set_contains(&run->executed[node], &all))
            return node;
    return NO_NODE;
}

struct outage_rank {
    bool holds, was_primary;
    int promote;
};

static struct outage_rank rank_of(const struct plan_run *run, const struct cluster_view *view,
                                  const struct gtid_set *all, uint32_t node)
{
    static const int promote[] = {
        [PROMOTE_NEUTRAL] = 1, [PROMOTE_PREFER] = 0, [PROMOTE_AVOID] = 2, [PROMOTE_NEVER] = 3};
    return (struct outage_rank){
        .holds = gtid_set_contains(&run->executed[node], all),
        .was_primary = node == run->old_primary,
        .promote = promote[view->config->nodes[node].promote],
    };
}

/* Who holds all comes before who must be topped up, then the primary of before: nothing moves. */
static bool is_better(const struct outage_rank *a, const struct outage_rank *b)
{
    if (a->holds != b->holds)
        return a->holds;
    if (a->was_primary != b->was_primary)
        return a->was_primary;
    return a->promote < b->promote;
}

/* Each one's difference to all, for the human who chooses. */
static void say_who_holds_what(const struct plan_run *run, const struct cluster_view *view,
                               const struct gtid_set *all, char *text, size_t size)
{
    for (uint32_t node = 0; node < view->config->node_count; node++) {
        STAY_AUTO(gtid_set_drop) struct gtid_set lacks = {0};
        size_t used = strlen(text);
        if (!(plan_holders(run, view) & NODE_BIT(node)))
            continue;
        gtid_set_copy(&lacks, all);
        gtid_set_subtract(&lacks, &run->executed[node]);
        STAY_AUTO(stay_free_charp) char *what = gtid_set_format(&lacks);
        plan_say(text + used, size - used, "; %s lacks %.60s", plan_node_name(view, node),
                 what[0] == '\0' ? "nothing" : what);
    }
}

void plan_choose_outage(struct plan_run *run, const struct cluster_view *view, uint32_t row,
                        int64_t now_mono_us)
{
    STAY_AUTO(gtid_set_drop) struct gtid_set all = {0};
    uint32_t holders = plan_holders(run, view), whole = plan_whole_peer(run, view), best = NO_NODE;
    char *text = run->rows[row].text;
    struct outage_rank best_rank = {0};
    union_of(run, view, holders, &all);
    for (uint32_t node = 0; node < view->config->node_count; node++) {
        bool named = run->params.node == NO_NODE || run->params.node == node;
        if (!(holders & NODE_BIT(node)) || !named ||
            objection(run, view, node, now_mono_us) != NULL)
            continue;
        struct outage_rank rank = rank_of(run, view, &all, node);
        if (best == NO_NODE || is_better(&rank, &best_rank)) {
            best = node;
            best_rank = rank;
        }
    }
    bool forced = run->params.node != NO_NODE && run->params.accept_loss;
    run->candidate = whole != NO_NODE || forced ? best : NO_NODE;
    if (run->candidate == NO_NODE) {
        plan_say(text, PLAN_TEXT_MAX,
                 best == NO_NODE ? "no server could be read that may be the primary"
                                 : "no server holds all: --to NODE --accept-loss REASON chooses");
        say_who_holds_what(run, view, &all, text, PLAN_TEXT_MAX);
        return;
    }
    uint32_t ackers = candidate_ackers(view, run, run->candidate);
    run->degrade = run->aims_lossless && mask_count(ackers) < view->config->acks &&
                   view->config->without_acker == WITHOUT_ACKER_DEGRADE;
    plan_say(text, PLAN_TEXT_MAX, "%s%s", plan_node_name(view, run->candidate),
             best_rank.holds    ? " holds all that any server holds"
             : whole != NO_NODE ? " gets from another server what it lacks"
                                : " by a human's choice");
    say_who_holds_what(run, view, &all, text, PLAN_TEXT_MAX);
}

/* A total outage is asked about, never guessed: by the primary that answers closed and whose
 * ackers cannot tell what it acknowledged last; or by nobody who answers having seen its end. */
enum tri plan_is_outage(const struct cluster_view *view, int64_t now_mono_us)
{
    uint32_t answering = nodes_there(view, now_mono_us), primary = view->primary;
    if (primary == NO_NODE || !view->record.adopted)
        return TRI_NO;
    if (!cluster_facts_stand(view, primary)) /* a switchover takes less time than two probes */
        return TRI_UNKNOWN;
    for (uint32_t node = 0; node < view->config->node_count; node++) {
        const struct node_view *seen = &view->nodes[node];
        bool fails =
            seen->refused_first_mono_us != STAY_NEVER || seen->silent_since_mono_us != STAY_NEVER;
        if (!(answering & NODE_BIT(node)) && !fails)
            return TRI_UNKNOWN; /* nobody knows yet */
        if ((answering & NODE_BIT(node)) && seen->facts.read_only != TRI_YES)
            return TRI_NO;
    }
    if (answering & NODE_BIT(primary))
        return plan_is_tail_known(view, now_mono_us) ? TRI_NO : TRI_YES;
    for (uint32_t node = 0; node < view->config->node_count; node++) {
        const struct server_facts *facts = &view->nodes[node].facts;
        bool stands = facts->receiver == RECEIVER_NONE ||
                      (facts->receiver == RECEIVER_STOPPED && facts->receiver_errno == 0);
        if ((answering & NODE_BIT(node)) && !stands)
            return TRI_NO;
    }
    return TRI_YES;
}
