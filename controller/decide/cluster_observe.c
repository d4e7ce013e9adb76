/* controller/decide/cluster_observe.c - folds one observation into the view.
 *
 * Two clocks of an observation matter: what an answer shows is no older than its question
 * (begun), and an attempt that failed says nothing when another one, answered, ended after it
 * began. */
#include "controller/decide/cluster_compare.h"
#include "controller/decide/cluster_regiven.h"

bool cluster_reach_is_answer(const struct reach *reach)
{
    switch (reach->outcome) {
    case OUT_DENIED:
    case OUT_TOO_MANY:
    case OUT_READ_ONLY:
        return true; /* somebody is there to say so */
    case OUT_OK:
        return reach->layer >= LAYER_GREETING && reach->layer < LAYER_COUNT;
    case OUT_BAD_REPLY:
        return reach->layer >= LAYER_TLS && reach->layer < LAYER_COUNT;
    case OUT_TIMEOUT:
        return reach->layer == LAYER_LOGIN; /* its greeting came in the same attempt */
    case OUT_NONE:
    case OUT_REFUSED:
    case OUT_RESET:
    case OUT_COUNT:
        break;
    }
    return false;
}

/* Suspicion is raised by news about the primary, so that everybody is asked at once. */
static void suspect(struct cluster_view *view, int64_t taken)
{
    if (view->suspicion_since_mono_us == STAY_NEVER)
        view->suspicion_since_mono_us = taken;
}

void cluster_suspicion_settle(struct cluster_view *view, int64_t now_mono_us)
{
    int64_t since = view->suspicion_since_mono_us;
    if (since == STAY_NEVER || view->primary == NO_NODE)
        return;
    const struct node_view *primary = &view->nodes[view->primary];
    bool answers = primary->facts_begun_mono_us >= since &&
                   primary->query_ok_mono_us > primary->session_end_mono_us &&
                   primary->refused_first_mono_us == STAY_NEVER &&
                   primary->silent_since_mono_us == STAY_NEVER;
    if (!answers)
        return;
    bool settled = now_mono_us - since >= view->config->silence_us;
    for (uint32_t i = 0; i < view->config->node_count && !settled; i++) {
        settled = i != view->primary && view->nodes[i].facts_begun_mono_us >= since &&
                  cluster_node_receives(view, i, view->primary, now_mono_us) == TRI_YES;
    }
    if (settled)
        view->suspicion_since_mono_us = STAY_NEVER;
}

static void fold_answer(struct node_view *node, const struct observation *obs)
{
    cluster_later(&node->answered_mono_us, obs->taken_mono_us);
    if (obs->taken_mono_us >= node->refused_first_mono_us) {
        node->refused_first_mono_us = STAY_NEVER;
        node->refused_last_mono_us = STAY_NEVER;
    }
    if (obs->taken_mono_us >= node->silent_since_mono_us)
        node->silent_since_mono_us = STAY_NEVER;
}

static void fold_refusal(struct node_view *node, const struct observation *obs)
{
    if (node->refused_first_mono_us == STAY_NEVER ||
        obs->taken_mono_us < node->refused_first_mono_us)
        node->refused_first_mono_us = obs->taken_mono_us;
    cluster_later(&node->refused_last_mono_us, obs->taken_mono_us);
    cluster_later(&node->closed_mono_us, obs->begun_mono_us);
}

/* Failures of name resolution say nothing of the server. Returns false for an attempt that changes
 * nothing because a newer one was answered. */
static bool fold_reach(struct node_view *node, const struct observation *obs)
{
    bool is_answer = cluster_reach_is_answer(&obs->reach);
    if (node->watched_mono_us == STAY_NEVER)
        node->watched_mono_us = obs->begun_mono_us;
    if (!is_answer && obs->begun_mono_us < node->answered_mono_us)
        return false;
    if (obs->taken_mono_us >= node->reach_mono_us) {
        node->reach = obs->reach;
        node->reach_mono_us = obs->taken_mono_us;
    }
    if (is_answer) {
        fold_answer(node, obs);
    } else if (obs->reach.outcome == OUT_REFUSED) {
        fold_refusal(node, obs);
    } else if (obs->reach.layer >= LAYER_CONNECT &&
               (obs->reach.outcome == OUT_TIMEOUT || obs->reach.outcome == OUT_RESET)) {
        if (node->silent_since_mono_us == STAY_NEVER ||
            obs->begun_mono_us < node->silent_since_mono_us)
            node->silent_since_mono_us = obs->begun_mono_us;
    }
    return true;
}

/* A process as young as this, read for the first time, may have begun while nobody looked: between
 * two controllers. */
#define YOUNG_PROCESS_S 60

/* Seen to end since it was last read: nobody listened, or the session that was held was ended and
 * whoever answers began after that. One that dies in its first seconds has the uptime of its
 * successor, so the clock alone does not tell. */
static bool has_ended(const struct node_view *node, const struct observation *obs)
{
    int64_t began_us = obs->begun_mono_us - (int64_t)obs->facts->uptime_s * STAY_SECOND;
    bool refused = node->closed_mono_us > node->facts_mono_us;
    bool ended = node->session_end_mono_us > node->facts_mono_us;
    return (refused && obs->begun_mono_us > node->closed_mono_us) ||
           (ended && began_us > node->session_end_mono_us);
}

/* Did the process start anew between two readings of its uptime? 3 s cover whole-second clocks.
 * Read for the first time: is it younger than this controller's watch, or young at all? */
static bool has_restarted(const struct node_view *node, const struct observation *obs)
{
    if (node->facts_mono_us == STAY_NEVER) {
        int64_t began_us = obs->begun_mono_us - (int64_t)obs->facts->uptime_s * STAY_SECOND;
        return obs->facts->uptime_s < YOUNG_PROCESS_S || began_us > node->watched_mono_us;
    }
    if (has_ended(node, obs))
        return true;
    int64_t elapsed_s = (obs->begun_mono_us - node->facts_mono_us) / STAY_SECOND;
    int64_t expected_s = (int64_t)node->facts.uptime_s + (elapsed_s > 0 ? elapsed_s : 0);
    return (int64_t)obs->facts->uptime_s + 3 < expected_s ||
           obs->facts->uptime_s < node->facts.uptime_s;
}

static void note_progress(struct node_view *node, const struct observation *obs)
{
    const struct server_facts *old = &node->facts, *new = obs->facts;
    bool is_first = !(node->groups_known & FACTS_STATUS);
    if (is_first || new->heartbeats > old->heartbeats ||
        !gtid_set_contains(&old->received, &new->received))
        node->advanced_mono_us = obs->taken_mono_us;
    if (is_first || new->ss_waiters == 0 || new->ss_yes_tx != old->ss_yes_tx)
        node->ss_progress_mono_us = obs->taken_mono_us;
    if (!is_first &&
        (new->canary_wall_us != old->canary_wall_us || new->canary_epoch != old->canary_epoch))
        node->canary_moved_mono_us = obs->taken_mono_us;
}

/* A set read of a MariaDB server holds what waits for its ack too, at most one of each session. */
static bool lost_answered(const struct node_view *node, const struct gtid_set *now)
{
    STAY_AUTO(gtid_set_drop) struct gtid_set lost = {0};
    gtid_set_copy(&lost, &node->facts.executed);
    gtid_set_subtract(&lost, now);
    return (node->groups_known & FACTS_STATUS) != 0 &&
           gtid_set_count(&lost) > node->facts.connections;
}

/* Takes the facts of a newer question than those held; returns whether it did. */
static bool fold_facts(struct node_view *node, const struct observation *obs)
{
    unsigned groups = obs->groups;
    if (obs->facts == NULL || groups == 0 || obs->begun_mono_us < node->facts_begun_mono_us)
        return false;
    if (groups & FACTS_STATUS) {
        if (has_restarted(node, obs)) {
            node->restarted_mono_us = obs->taken_mono_us;
            node->lost_answered = node->lost_answered || lost_answered(node, &obs->facts->executed);
            node->groups_known = 0;
            node->idle_life = true;
            node->own_due_mono_us = STAY_NEVER;
            node->held_mono_us = STAY_NEVER;
            node->ran_acking = TRI_UNKNOWN;
        }
        note_progress(node, obs);
        gtid_set_union(&node->received_high, &obs->facts->received);
        if (obs->facts->read_only == TRI_NO) {
            node->writable_mono_us = obs->taken_mono_us;
            node->lost_answered = false;
        }
        if (obs->facts->receiver == RECEIVER_STOPPED || obs->facts->receiver == RECEIVER_NONE) {
            cluster_later(&node->receiver_off_mono_us, obs->taken_mono_us);
            node->ran_acking = TRI_UNKNOWN;
        } else if (obs->facts->receiver == RECEIVER_RUNNING) {
            node->ran_acking = obs->facts->ss_replica_on;
        }
        if (obs->facts->receiver != RECEIVER_CONNECTING || cluster_receiver_is_new(obs->facts))
            node->receiver_lost_mono_us = STAY_NEVER;
        else if (node->receiver_lost_mono_us == STAY_NEVER)
            node->receiver_lost_mono_us = obs->taken_mono_us;
        node->facts_begun_mono_us = obs->begun_mono_us;
        node->facts_mono_us = obs->taken_mono_us;
        cluster_later(&node->query_ok_mono_us, obs->taken_mono_us);
    }
    if (groups & FACTS_SLOW)
        node->slow_mono_us = obs->begun_mono_us;
    server_facts_merge(&node->facts, obs->facts, groups);
    node->groups_known |= groups;
    return true;
}

static bool receives_by_word(const struct cluster_view *view, uint32_t node)
{
    return view->nodes[node].facts.receiver == RECEIVER_RUNNING && view->primary != NO_NODE &&
           cluster_source_of(view, node) == view->primary;
}

static void note_pace(const struct cluster_view *view, struct node_view *node,
                      const struct observation *obs)
{
    if (obs->taken_mono_us - obs->begun_mono_us < view->config->layer_deadline_us / 2)
        node->slow_since_mono_us = STAY_NEVER;
    else if (node->slow_since_mono_us == STAY_NEVER)
        node->slow_since_mono_us = obs->begun_mono_us;
}

static void observe_reach(struct cluster_view *view, const struct observation *obs)
{
    struct node_view *node = &view->nodes[obs->node];
    bool is_primary = obs->node == view->primary;
    bool received = receives_by_word(view, obs->node);
    uint64_t log_bytes = node->groups_known & FACTS_STATUS ? node->facts.binlog_bytes : 0;
    bool changed = fold_reach(node, obs);
    bool has_facts = fold_facts(node, obs) && (obs->groups & FACTS_STATUS);
    if (is_primary && changed &&
        (node->refused_first_mono_us != STAY_NEVER || node->silent_since_mono_us != STAY_NEVER))
        suspect(view, obs->taken_mono_us);
    enum receiver_state receiver = node->facts.receiver;
    if (is_primary || receiver == RECEIVER_RUNNING || receiver == RECEIVER_CONNECTING)
        node->idle_life = false;
    if (has_facts && cluster_may_have_purged(view, &node->facts))
        node->stood_mono_us = obs->taken_mono_us;
    if (has_facts)
        note_pace(view, node, obs);
    if (has_facts)
        cluster_note_quiet(view, obs->node, node->restarted_mono_us == obs->taken_mono_us,
                           node->facts.binlog_bytes < log_bytes);
    if (has_facts)
        cluster_compare(view, obs->node);
    if (has_facts && !is_primary && received && node->facts.receiver != RECEIVER_RUNNING)
        suspect(view, obs->taken_mono_us);
    if (has_facts)
        cluster_suspicion_settle(view, obs->taken_mono_us);
}

static void observe_session_end(struct cluster_view *view, const struct observation *obs)
{
    struct node_view *node = &view->nodes[obs->node];
    cluster_later(&node->session_end_mono_us, obs->taken_mono_us);
    if (obs->node == view->primary && obs->taken_mono_us >= node->query_ok_mono_us)
        suspect(view, obs->taken_mono_us);
}

/* Denied, read-only: other rows. A session that was ended, and no place for the next one: nobody
 * tried to write. A write that was tried and hangs stays one when places run out behind it. */
static void observe_canary(struct node_view *node, const struct observation *obs)
{
    enum obs_outcome outcome = obs->reach.outcome;
    bool is_cut = outcome == OUT_RESET;
    if (outcome == OUT_OK) {
        cluster_later(&node->canary_ok_mono_us, obs->taken_mono_us);
        if (obs->taken_mono_us >= node->canary_fail_mono_us)
            node->canary_fail_mono_us = STAY_NEVER;
    } else if (outcome == OUT_TOO_MANY && node->canary_cut) {
        node->canary_fail_mono_us = STAY_NEVER;
    } else if (obs->begun_mono_us >= node->canary_ok_mono_us &&
               (outcome == OUT_TIMEOUT || outcome == OUT_BAD_REPLY || is_cut)) {
        bool is_first = node->canary_fail_mono_us == STAY_NEVER;
        if (is_first)
            node->canary_fail_mono_us = obs->begun_mono_us;
        node->canary_cut = is_cut && (is_first || node->canary_cut);
    }
}

void cluster_observe(struct cluster_view *view, const struct observation *obs)
{
    if (obs->node >= view->config->node_count)
        return; /* of a node that a reload took away */
    switch (obs->kind) {
    case OBS_NONE:
        break;
    case OBS_REACH:
        observe_reach(view, obs);
        break;
    case OBS_SESSION_END:
        observe_session_end(view, obs);
        break;
    case OBS_CANARY:
        observe_canary(&view->nodes[obs->node], obs);
        break;
    }
}
