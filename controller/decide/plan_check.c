/* controller/decide/plan_check.c - preconditions that need no change: a plan that cannot finish
 * does not start. The text of each refusal names the rule and what to do. */
#include "controller/decide/plan_private.h"

static enum stay_rc check_primary(const struct plan_run *run, const struct cluster_view *view,
                                  int64_t now_mono_us, struct stay_error *err)
{
    if (run->old_primary == NO_NODE)
        return stay_error(err, STAY_EREFUSED, "no primary is known");
    if (!plan_node_answers(view, run->old_primary, PLAN_ANSWERS_US, now_mono_us))
        return stay_error(err, STAY_EREFUSED, "the primary %s does not answer",
                          plan_node_name(view, run->old_primary));
    return STAY_OK;
}

static enum stay_rc check_node(const struct plan_run *run, const struct cluster_view *view,
                               int64_t now_mono_us, struct stay_error *err)
{
    if (run->params.node >= view->config->node_count)
        return stay_error(err, STAY_EREFUSED, "name a node of the cluster");
    if (!plan_node_answers(view, run->params.node, PLAN_ANSWERS_US, now_mono_us))
        return stay_error(err, STAY_EREFUSED, "%s does not answer",
                          plan_node_name(view, run->params.node));
    return STAY_OK;
}

static enum stay_rc check_candidate(const struct plan_run *run, const struct cluster_view *view,
                                    int64_t now_mono_us, struct stay_error *err)
{
    struct candidate_note notes[NODES_MAX];
    size_t count = 0;
    uint32_t best = candidate_choose(view, NULL, now_mono_us, notes, &count);
    for (size_t i = 0; i < count && run->params.node != NO_NODE; i++) {
        if (notes[i].node != run->params.node)
            continue;
        if (!notes[i].eligible)
            return stay_error(err, STAY_EREFUSED, "%s may not be promoted: %s",
                              plan_node_name(view, run->params.node), notes[i].why);
        return STAY_OK;
    }
    if (run->params.node != NO_NODE)
        return stay_error(err, STAY_EREFUSED, "%s is the primary or no node of the cluster",
                          plan_node_name(view, run->params.node));
    if (best == NO_NODE)
        return stay_error(err, STAY_EREFUSED, "no server may be promoted: %s: %s",
                          count > 0 ? plan_node_name(view, notes[count - 1].node) : "-",
                          count > 0 ? notes[count - 1].why : "no other node");
    return STAY_OK;
}

/* What the certificate can be at best when the old primary cannot be fenced; a plan whose
 * certificate policy must refuse does not close the route for nothing. */
static enum stay_rc check_hope(const struct plan_run *run, const struct cluster_view *view,
                               struct stay_error *err)
{
    const char *why = NULL;
    bool refuses = run->old_primary != NO_NODE &&
                   view->nodes[run->old_primary].refused_first_mono_us != STAY_NEVER;
    if (run->mode == MODE_LOSSLESS && !run->lossless_stood)
        why = "lossless did not stand up to the last fresh fact";
    else if (run->mode == MODE_BOUNDED && view->config->accept != ACCEPT_BOUNDED)
        why = "the recorded mode is bounded, and failover.accept is lossless";
    else if (run->mode == MODE_BOUNDED && !refuses)
        why = "the recorded mode is bounded, and the primary is silent, not known to be dead";
    else if (run->mode != MODE_LOSSLESS && run->mode != MODE_BOUNDED)
        why = "the recorded mode promises nothing";
    if (why == NULL)
        return STAY_OK;
    return stay_error(err, STAY_EREFUSED, "%s; a named human may accept loss", why);
}

static enum stay_rc check_failover(const struct plan_run *run, const struct cluster_view *view,
                                   int64_t now_mono_us, struct stay_error *err)
{
    uint32_t dead = run->a & ~plan_nodes_answering(view, now_mono_us);
    bool may_fence = plan_node_answers(view, run->old_primary, PLAN_FENCE_FRESH_US, now_mono_us) &&
                     view->nodes[run->old_primary].refused_first_mono_us == STAY_NEVER;
    if (run->mode == MODE_LOSSLESS && !run->params.accept_loss && !may_fence &&
        !MUTANT(view, FENCE_SKIPPED) && !MUTANT(view, K_IGNORED)) {
        bool revocable = MUTANT(view, LESS_FOR_LESS_EQUAL) ? mask_count(dead) <= run->acks
                                                           : mask_count(dead) < run->acks;
        if (run->a == 0 || !revocable)
            return stay_error(err, STAY_EREFUSED,
                              "no fencing proof is possible: %u of %u ackers do not answer, and "
                              "fewer than %u may; a named human may accept loss",
                              mask_count(dead), mask_count(run->a), (unsigned)run->acks);
    }
    if (!run->params.accept_loss && !may_fence && !MUTANT(view, FENCE_SKIPPED)) {
        enum stay_rc rc = check_hope(run, view, err);
        if (rc != STAY_OK)
            return rc;
    }
    if (run->params.accept_loss && run->params.reason[0] == '\0')
        return stay_error(err, STAY_EREFUSED, "accepting loss needs a reason");
    return check_candidate(run, view, now_mono_us, err);
}

static enum stay_rc check_switchover(const struct plan_run *run, const struct cluster_view *view,
                                     int64_t now_mono_us, struct stay_error *err)
{
    enum stay_rc rc = check_primary(run, view, now_mono_us, err);
    if (rc == STAY_OK)
        rc = check_candidate(run, view, now_mono_us, err);
    if (rc != STAY_OK)
        return rc;
    struct candidate_note notes[NODES_MAX];
    size_t count = 0;
    uint32_t next = run->params.node != NO_NODE
                        ? run->params.node
                        : candidate_choose(view, NULL, now_mono_us, notes, &count);
    if (run->aims_lossless &&
        mask_count(plan_acker_nodes(view, next, now_mono_us) & ~mask_of(next)) < view->config->acks)
        return stay_error(err, STAY_EREFUSED,
                          "%s would have fewer than %u ackers outside its zone: a switchover never "
                          "degrades",
                          plan_node_name(view, next), view->config->acks);
    int64_t lag_s = view->nodes[next].facts.lag_s;
    if (lag_s > PLAN_LAG_MAX_S)
        return stay_error(err, STAY_EREFUSED,
                          "%s lags %lld s: a switchover waits at most %d s for it to catch up",
                          plan_node_name(view, next), (long long)lag_s, PLAN_LAG_MAX_S);
    return STAY_OK;
}

/* The canary's row moves although this controller has not adopted the cluster and so writes none:
 * another one manages it. Seen to move, or written just now by a clock like ours. */
static enum stay_rc check_no_other_owner(const struct plan_run *run,
                                         const struct cluster_view *view, int64_t now_mono_us,
                                         struct stay_error *err)
{
    const struct node_view *seen = &view->nodes[run->old_primary];
    int64_t written_us = run->begun_wall_us - seen->facts.canary_wall_us;
    bool moves = seen->canary_moved_mono_us != STAY_NEVER &&
                 now_mono_us - seen->canary_moved_mono_us < PLAN_OWNER_US;
    bool is_new = seen->facts.canary_wall_us != 0 && written_us > -PLAN_OWNER_US &&
                  written_us < PLAN_OWNER_US;
    if (view->record.adopted || run->params.accept_loss || (!moves && !is_new))
        return STAY_OK;
    return stay_error(err, STAY_EREFUSED,
                      "another controller manages it: mainstay.heartbeat on %s is written (epoch "
                      "%llu). Two must never act on one cluster: stop the other mainstayd, wait 5 "
                      "s and adopt again, or use its state file; `mainstay adopt %s --take-over "
                      "REASON` adopts all the same",
                      plan_node_name(view, run->old_primary),
                      (unsigned long long)seen->facts.canary_epoch, view->config->name);
}

/* Lossless needs ackers outside the primary's zone that replicate from it: said here, not by a row
 * that waits for them in vain. */
static enum stay_rc check_adopted_ackers(const struct plan_run *run,
                                         const struct cluster_view *view, struct stay_error *err)
{
    uint32_t count = 0, idle = NO_NODE;
    bool mysql = view->config->engine == ENGINE_MYSQL;
    for (uint32_t node = 0; node < view->config->node_count; node++) {
        enum receiver_state receiver = view->nodes[node].facts.receiver;
        if (node == run->old_primary || !plan_zones_differ(view, node, run->old_primary))
            continue;
        bool follows = cluster_source_of(view, node) == run->old_primary &&
                       (receiver == RECEIVER_RUNNING || receiver == RECEIVER_CONNECTING);
        count += follows;
        idle = follows ? idle : node;
    }
    if (!run->aims_lossless || count >= view->config->acks || idle == NO_NODE)
        return STAY_OK;
    bool none = view->nodes[idle].facts.receiver == RECEIVER_NONE;
    bool stopped = view->nodes[idle].facts.receiver == RECEIVER_STOPPED &&
                   cluster_source_of(view, idle) == run->old_primary;
    return stay_error(
        err, STAY_EREFUSED,
        "%s %s, and lossless needs %u outside %s's zone that replicate from it: on it "
        "%s%s%s, then adopt",
        plan_node_name(view, idle),
        none      ? "replicates from nobody"
        : stopped ? "has its receiver stopped"
                  : "replicates from another server",
        view->config->acks, plan_node_name(view, run->old_primary),
        stopped ? ""
        : mysql ? "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '"
                : "CHANGE MASTER TO MASTER_HOST = '",
        stopped ? "" : view->config->nodes[run->old_primary].host,
        stopped && mysql ? "START REPLICA"
        : stopped        ? "START SLAVE"
        : mysql          ? "', SOURCE_AUTO_POSITION = 1, ...; START REPLICA"
                         : "', MASTER_USE_GTID = slave_pos, ...; START SLAVE");
}

/* A replica that its own configuration opened, say, while its primary came back read-only: the only
 * writable server, and not the one that clients wrote to. In a ring both have a source. */
static enum stay_rc check_is_no_replica(const struct plan_run *run, const struct cluster_view *view,
                                        struct stay_error *err)
{
    uint32_t source = cluster_source_of(view, run->old_primary);
    bool mysql = view->config->engine == ENGINE_MYSQL;
    if (view->nodes[run->old_primary].facts.receiver == RECEIVER_NONE || source == NO_NODE ||
        view->nodes[source].facts.receiver != RECEIVER_NONE)
        return STAY_OK;
    return stay_error(err, STAY_EREFUSED,
                      "%s is writable and a replica of %s, which replicates from nobody: if %s is "
                      "the primary, on it STOP %s; RESET %s ALL, else make it read-only and %s "
                      "writable",
                      plan_node_name(view, run->old_primary), plan_node_name(view, source),
                      plan_node_name(view, run->old_primary), mysql ? "REPLICA" : "SLAVE",
                      mysql ? "REPLICA" : "SLAVE", plan_node_name(view, source));
}

static enum stay_rc check_adopt(const struct plan_run *run, const struct cluster_view *view,
                                int64_t now_mono_us, struct stay_error *err)
{
    uint32_t writable = 0;
    for (uint32_t node = 0; node < view->config->node_count; node++) {
        if (!plan_node_answers(view, node, PLAN_ANSWERS_US, now_mono_us))
            return stay_error(err, STAY_EREFUSED, "%s does not answer: adopt a whole cluster",
                              plan_node_name(view, node));
        if (view->nodes[node].facts.missing_grant[0] != '\0')
            return stay_error(err, STAY_EREFUSED, "%s: %s: see `mainstay check`",
                              plan_node_name(view, node), view->nodes[node].facts.missing_grant);
        if (view->nodes[node].facts.read_only == TRI_NO)
            writable |= NODE_BIT(node);
    }
    if (mask_count(writable) > 1)
        return stay_error(
            err, STAY_EREFUSED,
            "%u servers are writable: on all but the primary SET GLOBAL %s = ON first",
            mask_count(writable),
            view->config->engine == ENGINE_MYSQL ? "super_read_only" : "read_only");
    if (run->old_primary == NO_NODE)
        return stay_error(err, STAY_EREFUSED, "no server is writable: make the primary writable");
    if (writable != 0 && writable != mask_of(run->old_primary))
        return stay_error(err, STAY_EREFUSED, "the writable server is not the recorded primary %s",
                          plan_node_name(view, run->old_primary));
    for (uint32_t node = 0; node < view->config->node_count; node++)
        if (node != run->old_primary && view->nodes[node].errant == TRI_YES)
            return stay_error(err, STAY_EREFUSED, "%s holds transactions the primary lacks",
                              plan_node_name(view, node));
    enum stay_rc rc = check_is_no_replica(run, view, err);
    if (rc == STAY_OK)
        rc = check_no_other_owner(run, view, now_mono_us, err);
    return rc == STAY_OK ? check_adopted_ackers(run, view, err) : rc;
}

/* Of `answering`, those that can tell what the primary acknowledged before it restarted: asked
 * since then, and not restarted themselves about that time. A primary that keeps its tail needs
 * none. */
static uint32_t ackers_that_tell(const struct cluster_view *view, uint32_t primary,
                                 uint32_t answering)
{
    if (!cluster_may_have_lost_tail(view, primary))
        return answering;
    for (uint32_t node = 0; node < view->config->node_count; node++)
        if (view->nodes[node].facts_begun_mono_us <= view->nodes[primary].restarted_mono_us ||
            plan_tells_nothing(view, node))
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
static enum stay_rc check_tail_is_known(const struct plan_run *run, const struct cluster_view *view,
                                        uint32_t answering, struct stay_error *err)
{
    if (run->mode == MODE_LOSSLESS && run->a != 0 &&
        mask_count(run->a & ~ackers_that_tell(view, run->old_primary, answering)) >= run->acks)
        return stay_error(err, STAY_EREFUSED,
                          "too few ackers can tell what the primary lost: silent, or restarted "
                          "themselves; `mainstay failover %s --accept-loss REASON` goes on "
                          "without them",
                          view->config->name);
    return STAY_OK;
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
static enum stay_rc check_make_writable(const struct plan_run *run, const struct cluster_view *view,
                                        int64_t now_mono_us, struct stay_error *err)
{
    enum stay_rc rc = check_primary(run, view, now_mono_us, err);
    if (rc != STAY_OK)
        return rc;
    uint32_t answering = plan_nodes_answering(view, now_mono_us);
    const struct gtid_set *held = &view->nodes[run->old_primary].facts.executed;
    rc = check_tail_is_known(run, view, answering, err);
    if (rc != STAY_OK)
        return rc;
    uint32_t holder = holder_of_lost(view, run->old_primary);
    if (holder != NO_NODE)
        return refuse_lost_tail(view, holder, err);
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

const char *plan_wrong_start_value(const struct cluster_view *view, uint32_t node)
{
    const struct server_facts *facts = &view->nodes[node].facts;
    bool mysql = view->config->engine == ENGINE_MYSQL;
    return facts->start_read_only == TRI_NO      ? (mysql ? "super_read_only=OFF" : "read_only=OFF")
           : facts->start_skip_replica == TRI_NO ? "skip_slave_start=OFF"
           : facts->start_ss_source == TRI_YES   ? "semi-sync source role ON"
           : facts->start_relay_log_recovery == TRI_YES ? "relay_log_recovery=ON"
                                                        : NULL;
}

static enum stay_rc check_start_values(const struct cluster_view *view, struct stay_error *err)
{
    for (uint32_t node = 0; node < view->config->node_count; node++) {
        const char *wrong = plan_wrong_start_value(view, node);
        if (wrong != NULL)
            return stay_error(err, STAY_EREFUSED,
                              "%s would start with %s: lossless cannot be promised, see `mainstay "
                              "check`",
                              plan_node_name(view, node), wrong);
    }
    return STAY_OK;
}

static enum stay_rc check_mode_restore(const struct plan_run *run, const struct cluster_view *view,
                                       int64_t now_mono_us, struct stay_error *err)
{
    enum stay_rc rc = check_primary(run, view, now_mono_us, err);
    if (rc == STAY_OK)
        rc = check_start_values(view, err);
    if (rc != STAY_OK)
        return rc;
    if (view->config->mode != MODE_LOSSLESS)
        return stay_error(err, STAY_EREFUSED, "durability.mode is not lossless");
    if (mask_count(plan_acker_nodes(view, run->candidate, now_mono_us) & ~mask_of(run->candidate)) <
        view->config->acks)
        return stay_error(err, STAY_EREFUSED, "fewer than %u ackers answer outside %s's zone",
                          view->config->acks, plan_node_name(view, run->candidate));
    return STAY_OK;
}

static enum stay_rc check_follower(const struct plan_run *run, const struct cluster_view *view,
                                   int64_t now_mono_us, struct stay_error *err)
{
    enum stay_rc rc = check_primary(run, view, now_mono_us, err);
    if (rc == STAY_OK)
        rc = check_node(run, view, now_mono_us, err);
    if (rc == STAY_OK && run->params.node == run->old_primary)
        return stay_error(err, STAY_EREFUSED, "%s is the primary",
                          plan_node_name(view, run->params.node));
    return rc;
}

/* Its sets look contained in the primary's, and comparing them again would attach it. */
static enum stay_rc check_rejoin(const struct plan_run *run, const struct cluster_view *view,
                                 int64_t now_mono_us, struct stay_error *err)
{
    enum stay_rc rc = check_follower(run, view, now_mono_us, err);
    if (rc == STAY_OK && run->params.accept_loss && run->params.reason[0] == '\0')
        return stay_error(err, STAY_EREFUSED, "that it was reseeded needs a reason");
    if (rc != STAY_OK || run->params.accept_loss ||
        !(view->record.twins & mask_of(run->params.node)))
        return rc;
    const char *name = plan_node_name(view, run->params.node);
    return stay_error(
        err, STAY_EREFUSED,
        "%s was set aside because it was written to by hand while it followed nobody, "
        "under GTIDs that the primary gave too: its set cannot tell. Reseed it from "
        "%s, then `mainstay rejoin %s %s --reseeded REASON`",
        name, plan_node_name(view, run->old_primary), view->config->name, name);
}

static enum stay_rc check_unfence(const struct plan_run *run, const struct cluster_view *view,
                                  int64_t now_mono_us, struct stay_error *err)
{
    enum stay_rc rc = check_node(run, view, now_mono_us, err);
    if (rc == STAY_OK && run->params.node != run->old_primary)
        return stay_error(err, STAY_EREFUSED,
                          "%s is not this epoch's primary: use `mainstay rejoin`",
                          plan_node_name(view, run->params.node));
    if (rc == STAY_OK && cluster_may_have_lost_tail(view, run->params.node))
        rc = check_tail_is_known(run, view, plan_nodes_answering(view, now_mono_us), err);
    if (rc == STAY_OK)
        rc = check_holds_as_promoted(view, run->params.node, err);
    for (uint32_t node = 0; rc == STAY_OK && node < view->config->node_count; node++)
        if (node != run->params.node && holds_lost_of(view, run->params.node, node))
            rc =
                stay_error(err, STAY_EREFUSED, "%s holds transactions %s wrote and lost: fail over",
                           plan_node_name(view, node), plan_node_name(view, run->params.node));
    return rc;
}

enum stay_rc plan_check(const struct plan_run *run, const struct cluster_view *view,
                        int64_t now_mono_us, struct stay_error *err)
{
    switch (run->kind) {
    case PLAN_FAILOVER:
        return check_failover(run, view, now_mono_us, err);
    case PLAN_SWITCHOVER:
        return check_switchover(run, view, now_mono_us, err);
    case PLAN_REJOIN:
        return check_rejoin(run, view, now_mono_us, err);
    case PLAN_REPOINT:
    case PLAN_QUARANTINE:
    case PLAN_START_APPLIER:
        return check_follower(run, view, now_mono_us, err);
    case PLAN_ADOPT:
        return check_adopt(run, view, now_mono_us, err);
    case PLAN_MODE_RESTORE:
        return check_mode_restore(run, view, now_mono_us, err);
    case PLAN_MODE_DEGRADE:
        return check_primary(run, view, now_mono_us, err);
    case PLAN_MAKE_WRITABLE:
        return check_make_writable(run, view, now_mono_us, err);
    case PLAN_FENCE:
        return check_node(run, view, now_mono_us, err);
    case PLAN_UNFENCE:
        return check_unfence(run, view, now_mono_us, err);
    case PLAN_NONE:
    case PLAN_KIND_COUNT:
        break;
    }
    return stay_error(err, STAY_EREFUSED, "no such plan");
}
