/* controller/decide/plan_check.c - preconditions that need no change: a plan that cannot finish
 * does not start. The text of each refusal names the rule and what to do. */
#include "controller/decide/plan_private.h"
#include "controller/decide/verdict.h"

enum stay_rc plan_check_primary(const struct plan_run *run, const struct cluster_view *view,
                                int64_t now_mono_us, struct stay_error *err)
{
    if (run->old_primary == NO_NODE)
        return stay_error(err, STAY_EREFUSED, "no primary is known");
    if (!plan_node_answers(view, run->old_primary, PLAN_ANSWERS_US, now_mono_us))
        return stay_error(err, STAY_EREFUSED, "the primary %s does not answer",
                          plan_node_name(view, run->old_primary));
    return STAY_OK;
}

enum stay_rc plan_check_node(const struct plan_run *run, const struct cluster_view *view,
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
        return stay_error(err, STAY_EREFUSED, PLAN_NOBODY ": %s: %s",
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
    enum stay_rc rc = plan_check_primary(run, view, now_mono_us, err);
    if (rc == STAY_OK)
        rc = check_candidate(run, view, now_mono_us, err);
    if (rc != STAY_OK)
        return rc;
    struct candidate_note notes[NODES_MAX];
    size_t count = 0;
    uint32_t next = run->params.node != NO_NODE
                        ? run->params.node
                        : candidate_choose(view, NULL, now_mono_us, notes, &count);
    if (candidate_is_evacuated(view, next))
        return stay_error(err, STAY_EREFUSED,
                          "nobody may be promoted outside the evacuated zone %s: %s stands there",
                          view->config->nodes[next].zone, plan_node_name(view, next));
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
    enum stay_rc rc = plan_check_primary(run, view, now_mono_us, err);
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
    enum stay_rc rc = plan_check_primary(run, view, now_mono_us, err);
    if (rc == STAY_OK)
        rc = plan_check_node(run, view, now_mono_us, err);
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
    const char *name = plan_node_name(view, run->params.node);
    if (rc == STAY_OK && !run->params.accept_loss &&
        (plan_hollow_nodes(view) & mask_of(run->params.node)))
        return stay_error(err, STAY_EREFUSED,
                          "%s was being reseeded: its set may name what is gone. `mainstay reseed "
                          "%s %s` again",
                          name, view->config->name, name);
    if (rc != STAY_OK || run->params.accept_loss ||
        !(view->record.twins & mask_of(run->params.node)))
        return rc;
    return stay_error(
        err, STAY_EREFUSED,
        "%s was set aside because it was written to by hand while it followed nobody, "
        "under GTIDs that the primary gave too: its set cannot tell. Reseed it from "
        "%s, then `mainstay rejoin %s %s --reseeded REASON`",
        name, plan_node_name(view, run->old_primary), view->config->name, name);
}

/* Data of a server is taken back: a human's word, and only of one that is set aside. */
static enum stay_rc check_rewind(const struct plan_run *run, const struct cluster_view *view,
                                 int64_t now_mono_us, struct stay_error *err)
{
    enum stay_rc rc = check_follower(run, view, now_mono_us, err);
    if (rc != STAY_OK)
        return rc;
    const char *name = plan_node_name(view, run->params.node);
    if (run->params.automatic)
        return stay_error(err, STAY_EREFUSED, "only a human may have transactions undone");
    if (view->record.quarantine[run->params.node] == QUARANTINE_NONE)
        return stay_error(err, STAY_EREFUSED,
                          "%s is not set aside: it holds nothing that is known to be errant", name);
    bool acks = (cluster_ackers_now(view, NULL) & mask_of(run->params.node)) != 0;
    if (acks && plan_is_acker_needed(view, run->params.node, NO_NODE))
        return stay_error(err, STAY_EREFUSED,
                          "without %s fewer than %u ackers are left: lossless needs it until "
                          "another acknowledges",
                          name, view->config->acks);
    if (view->record.twins & mask_of(run->params.node))
        return stay_error(
            err, STAY_EREFUSED,
            "%s wrote under GTIDs that the primary gave too: what is its own cannot be "
            "told. Reseed it",
            name);
    return STAY_OK;
}

static enum stay_rc check_conform(const struct plan_run *run, const struct cluster_view *view,
                                  int64_t now_mono_us, struct stay_error *err)
{
    char settings[PLAN_SETTINGS_MAX];
    enum stay_rc rc = plan_check_node(run, view, now_mono_us, err);
    if (rc != STAY_OK)
        return rc;
    if (verdict_conformance_live(view, run->params.node, settings, sizeof settings) > 0)
        return STAY_OK;
    return stay_error(err, STAY_EREFUSED,
                      "nothing is wrong on %s that is safe to set while it runs: `mainstay check` "
                      "says what to do by hand",
                      plan_node_name(view, run->params.node));
}

static enum stay_rc plan_check_repair_acker(const struct plan_run *run,
                                            const struct cluster_view *view, int64_t now_mono_us,
                                            struct stay_error *err)
{
    enum stay_rc rc = check_follower(run, view, now_mono_us, err);
    if (rc != STAY_OK)
        return rc;
    uint32_t node = run->params.node;
    const char *name = plan_node_name(view, node), *why = NULL;
    if (run->mode != MODE_LOSSLESS)
        why = "nobody acknowledges in the recorded mode";
    else if (!(plan_acker_nodes(view, run->old_primary, now_mono_us) & mask_of(node)))
        why = "it is set aside or in the primary's zone";
    else if (cluster_source_of(view, node) != run->old_primary ||
             view->nodes[node].facts.receiver != RECEIVER_RUNNING)
        why = "it does not receive from the primary: `mainstay rejoin`";
    else if (view->nodes[node].facts.applier != TRI_YES)
        why = "its applier does not run: its receiver is not touched";
    return why == NULL
               ? STAY_OK
               : stay_error(err, STAY_EREFUSED, "%s cannot be made to acknowledge: %s", name, why);
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
    case PLAN_REWIND:
        return check_rewind(run, view, now_mono_us, err);
    case PLAN_REPOINT:
    case PLAN_QUARANTINE:
    case PLAN_START_APPLIER:
    case PLAN_END_STREAM:
        return check_follower(run, view, now_mono_us, err);
    case PLAN_ADOPT:
        return plan_check_adopt(run, view, now_mono_us, err);
    case PLAN_MODE_RESTORE:
        return check_mode_restore(run, view, now_mono_us, err);
    case PLAN_MODE_DEGRADE:
        return plan_check_primary(run, view, now_mono_us, err);
    case PLAN_MAKE_WRITABLE:
        return plan_check_make_writable(run, view, now_mono_us, err);
    case PLAN_CONFORM:
        return check_conform(run, view, now_mono_us, err);
    case PLAN_REPAIR_ACKER:
        return plan_check_repair_acker(run, view, now_mono_us, err);
    case PLAN_FENCE:
        return plan_check_node(run, view, now_mono_us, err);
    case PLAN_RECOVER:
        return plan_check_recover(run, view, now_mono_us, err);
    case PLAN_UNFENCE:
        return plan_check_unfence(run, view, now_mono_us, err);
    case PLAN_RESEED:
        return plan_check_reseed(run, view, now_mono_us, err);
    case PLAN_NONE:
    case PLAN_KIND_COUNT:
        break;
    }
    return stay_error(err, STAY_EREFUSED, "no such plan");
}
