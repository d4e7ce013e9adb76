/* controller/decide/plan_check_writable.c - may a primary that was closed be opened again: what it
 * acknowledged and lost in a restart must be nowhere, or known to be nothing. */
#include "controller/decide/plan_private.h"

/* Asked of MariaDB alone, which loses tails. Of `answering`, those that can tell what the primary
 * acknowledged before it restarted: asked since then, not restarted themselves about that time, and
 * with all they received. A primary that keeps its tail needs none. */
static uint32_t ackers_that_tell(const struct cluster_view *view, uint32_t primary,
                                 uint32_t answering)
{
    if (!cluster_may_have_lost_tail(view, primary))
        return answering;
    for (uint32_t node = 0; node < view->config->node_count; node++)
        if (view->nodes[node].facts_begun_mono_us <= view->nodes[primary].restarted_mono_us ||
            plan_tells_nothing(view, node) || cluster_stands_empty(&view->nodes[node].facts) ||
            cluster_has_stood(view, node))
            answering &= ~NODE_BIT(node);
    return answering;
}

/* By what it received, or executed: one that was detached reports nothing received any more. */
static bool holds_lost_of(const struct cluster_view *view, uint32_t primary, uint32_t node)
{
    const struct gtid_set *held = &view->nodes[primary].facts.executed;
    const struct node_view *seen = &view->nodes[node];
    return seen->holds_lost || plan_lost_by(view, primary, &seen->received_high, held) ||
           plan_lost_by(view, primary, &seen->facts.executed, held);
}

/* Who holds what the primary wrote and lost; of several one that only its promote rule keeps from
 * being promoted. */
static uint32_t holder_of_lost(const struct cluster_view *view, uint32_t primary)
{
    uint32_t found = NO_NODE;
    for (uint32_t node = 0; node < view->config->node_count; node++) {
        if (node == primary || !holds_lost_of(view, primary, node))
            continue;
        if (view->record.quarantine[node] == QUARANTINE_NONE && view->nodes[node].errant != TRI_YES)
            return node;
        found = found == NO_NODE ? node : found;
    }
    return found;
}

/* A server that may not be promoted needs a human's word for it. */
static enum stay_rc refuse_lost_tail(const struct cluster_view *view, uint32_t node,
                                     struct stay_error *err)
{
    const char *name = plan_node_name(view, node);
    if (view->record.quarantine[node] != QUARANTINE_NONE || view->nodes[node].errant == TRI_YES)
        return stay_error(err, STAY_EREFUSED,
                          "%s holds transactions the primary wrote and lost, and others of its "
                          "own: choose one of the two by hand; SET GLOBAL read_only = 0 on the "
                          "primary abandons them",
                          name);
    if (view->config->nodes[node].promote != PROMOTE_NEVER)
        return stay_error(err, STAY_EREFUSED, "%s holds transactions the primary wrote and lost",
                          name);
    return stay_error(err, STAY_EREFUSED,
                      "%s holds transactions the primary wrote and lost, and its promote is "
                      "\"never\": set it to \"avoid\" in the configuration, then `mainstay "
                      "reload`: it is promoted, and `mainstay switchover %s` leads back later",
                      name, view->config->name);
}

/* With k ackers unasked, what the primary acknowledged and lost may be on them alone. */
static bool is_tail_known(const struct cluster_view *view, uint32_t primary, uint32_t ackers,
                          uint64_t acks, uint32_t answering)
{
    return ackers == 0 || mask_count(ackers & ~ackers_that_tell(view, primary, answering)) < acks;
}

bool plan_is_tail_known(const struct cluster_view *view, int64_t now_mono_us)
{
    return view->record.mode != MODE_LOSSLESS ||
           is_tail_known(view, view->primary, view->record.ackers | view->ackers_seen,
                         plan_acks_waited_for(view), plan_nodes_answering(view, now_mono_us));
}

static enum stay_rc check_tail_is_known(const struct plan_run *run, const struct cluster_view *view,
                                        uint32_t answering, struct stay_error *err)
{
    if (run->mode == MODE_LOSSLESS &&
        !is_tail_known(view, run->old_primary, run->a, run->acks, answering))
        return stay_error(err, STAY_EREFUSED,
                          "too few ackers can tell what the primary lost: silent, restarted "
                          "themselves, or their appliers stand still; `mainstay recover %s` "
                          "compares all servers and starts one",
                          view->config->name);
    return STAY_OK;
}

/* Nobody that answers holds it, or it would be failed over to: a human looks first. */
static enum stay_rc check_lost_nothing(const struct plan_run *run, const struct cluster_view *view,
                                       struct stay_error *err)
{
    const char *name = plan_node_name(view, run->old_primary);
    if (run->mode != MODE_LOSSLESS || !view->nodes[run->old_primary].lost_answered)
        return STAY_OK;
    return stay_error(err, STAY_EREFUSED,
                      "%s lost transactions in its restart that its clients were told are safe, "
                      "and no server is seen to hold them: look for them; SET GLOBAL read_only = 0 "
                      "on %s abandons them",
                      name, name);
}

/* What an earlier primary wrote and acknowledged, and this one held when it was promoted. Its own
 * lost tail is looked for on the others; of this one the record tells, whoever answers. */
static enum stay_rc check_holds_as_promoted(const struct cluster_view *view, uint32_t primary,
                                            struct stay_error *err)
{
    uint32_t from = cluster_lost_from(view, &view->nodes[primary].facts.executed);
    if (from == NO_NODE)
        return STAY_OK;
    return stay_error(err, STAY_EREFUSED,
                      "%s held transactions that %s wrote when it became the primary, and lost of "
                      "them in a restart: look for them on the other servers; SET GLOBAL read_only "
                      "= 0 on %s abandons them",
                      plan_node_name(view, primary), plan_node_name(view, from),
                      plan_node_name(view, primary));
}

/* All that the node holds beyond the primary was written on it by hand: nobody's loss, whether the
 * primary is opened or not. */
static bool is_only_errant(const struct cluster_view *view, uint32_t node,
                           const struct gtid_set *held)
{
    const struct node_view *seen = &view->nodes[node];
    STAY_AUTO(gtid_set_drop) struct gtid_set extra = {0};
    gtid_set_copy(&extra, &seen->facts.executed);
    gtid_set_union(&extra, &seen->received_high);
    gtid_set_subtract(&extra, held);
    for (size_t i = 0; i < extra.n; i++)
        if (!cluster_range_is_of(view, node, &extra.v[i]))
            return false;
    uint64_t kept = 0; /* of what the node wrote as an earlier primary: it may have lost of that */
    for (size_t i = 0; i < held->n; i++)
        if (cluster_range_is_of(view, node, &held->v[i]))
            kept += held->v[i].last - held->v[i].first + 1;
    return kept >= view->record.written[node] &&
           cluster_wrote_alone(view, node, &seen->facts.executed);
}

/* After a restart the primary may have lost what a replica holds: then a failover is right. */
enum stay_rc plan_check_make_writable(const struct plan_run *run, const struct cluster_view *view,
                                      int64_t now_mono_us, struct stay_error *err)
{
    enum stay_rc rc = plan_check_primary(run, view, now_mono_us, err);
    if (rc != STAY_OK || MUTANT(view, TAIL_NOT_ASKED))
        return rc;
    uint32_t answering = plan_nodes_answering(view, now_mono_us);
    const struct gtid_set *held = &view->nodes[run->old_primary].facts.executed;
    rc = check_tail_is_known(run, view, answering, err);
    if (rc != STAY_OK)
        return rc;
    uint32_t holder = holder_of_lost(view, run->old_primary);
    if (holder != NO_NODE)
        return refuse_lost_tail(view, holder, err);
    rc = check_lost_nothing(run, view, err);
    if (rc != STAY_OK)
        return rc;
    for (uint32_t node = 0; node < view->config->node_count; node++) {
        const struct node_view *seen = &view->nodes[node];
        if (node == run->old_primary || view->record.quarantine[node] != QUARANTINE_NONE)
            continue;
        if (seen->facts.read_only == TRI_NO && (answering & NODE_BIT(node)))
            return stay_error(err, STAY_EREFUSED, "%s is writable already",
                              plan_node_name(view, node));
        if ((!gtid_set_contains(held, &seen->received_high) ||
             !gtid_set_contains(held, &seen->facts.executed)) &&
            !is_only_errant(view, node, held))
            return stay_error(err, STAY_EREFUSED,
                              "%s holds transactions the primary lacks: look at them (`mainstay "
                              "problems %s`), then `mainstay fence %s %s` sets it aside",
                              plan_node_name(view, node), view->config->name, view->config->name,
                              plan_node_name(view, node));
    }
    return check_holds_as_promoted(view, run->old_primary, err);
}

enum stay_rc plan_check_unfence(const struct plan_run *run, const struct cluster_view *view,
                                int64_t now_mono_us, struct stay_error *err)
{
    enum stay_rc rc = plan_check_node(run, view, now_mono_us, err);
    if (rc == STAY_OK && run->params.node != run->old_primary)
        return stay_error(err, STAY_EREFUSED,
                          "%s is not this epoch's primary: use `mainstay rejoin`",
                          plan_node_name(view, run->params.node));
    if (rc == STAY_OK && cluster_may_have_lost_tail(view, run->params.node))
        rc = check_tail_is_known(run, view, plan_nodes_answering(view, now_mono_us), err);
    if (rc == STAY_OK)
        rc = check_lost_nothing(run, view, err);
    if (rc == STAY_OK)
        rc = check_holds_as_promoted(view, run->params.node, err);
    for (uint32_t node = 0; rc == STAY_OK && node < view->config->node_count; node++)
        if (node != run->params.node && holds_lost_of(view, run->params.node, node))
            rc =
                stay_error(err, STAY_EREFUSED, "%s holds transactions %s wrote and lost: fail over",
                           plan_node_name(view, node), plan_node_name(view, run->params.node));
    return rc;
}
