/* controller/decide/plan_check_adopt.c - may a cluster be adopted: does nobody else manage it, and
 * do the servers stand to each other as its configuration says? */
#include "controller/decide/plan_private.h"

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
    if (!run->aims_lossless || count >= view->config->acks)
        return STAY_OK;
    if (idle == NO_NODE) /* semi-sync would be switched on and every commit wait for nobody */
        return stay_error(err, STAY_EREFUSED,
                          "%u servers outside %s's zone replicate from it, and lossless needs %u: "
                          "add one, correct the zones, or set durability.mode to bounded",
                          count, plan_node_name(view, run->old_primary), view->config->acks);
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

enum stay_rc plan_check_adopt(const struct plan_run *run, const struct cluster_view *view,
                              int64_t now_mono_us, struct stay_error *err)
{
    uint32_t writable = 0;
    for (uint32_t node = 0; node < view->config->node_count; node++) {
        if (!plan_node_answers(view, node, PLAN_ANSWERS_US, now_mono_us))
            return stay_error(err, STAY_EREFUSED, "%s does not answer: adopt a whole cluster",
                              plan_node_name(view, node));
        const char *missing = view->nodes[node].facts.missing_grant;
        if (missing[0] != '\0' && strstr(missing, MISSING_ERRANT) == NULL &&
            strstr(missing, MISSING_RANK) == NULL)
            return stay_error(err, STAY_EREFUSED, "%s: %s: see `mainstay check`",
                              plan_node_name(view, node), missing);
        if (cluster_is_cloned(view, node))
            return stay_error(err, STAY_EREFUSED,
                              "another server has %s's server_id or server_uuid: see `mainstay "
                              "check`",
                              plan_node_name(view, node));
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
