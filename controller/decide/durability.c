/* controller/decide/durability.c - the durability watch: does lossless_since still stand, and
 * which nodes are A, the ackers attached at any time since.
 *
 * The barrier, in three looks at the primary: one that shows semi-sync whole arms it; the
 * executed set of a later question is captured; k ackers that hold that set pass it. The same
 * walk lets a node that went away leave A. The status flag alone lies: counters that must not
 * move are compared instead. */
#include "base/mutant.h"
#include "controller/decide/decide.h"
#include "controller/decide/verdict_private.h"

#define START_TOLERANCE_S 10 /* uptime is whole seconds, and the two hosts' clocks drift */
#define START_SLIDE_S 3
#define ODD_READINGS_MAX 3 /* status is not read at one instant: look thrice */

static uint32_t bit(uint32_t node)
{
    return UINT32_C(1) << node;
}

static uint32_t count(uint32_t mask)
{
    return (uint32_t)__builtin_popcount(mask);
}

static uint64_t started_wall_s(const struct server_facts *facts, int64_t now_wall_us)
{
    int64_t started = now_wall_us / STAY_SECOND - (int64_t)facts->uptime_s;
    return started > 0 ? (uint64_t)started : 0;
}

static uint64_t distance(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

void durability_rebase(const struct cluster_view *view, uint32_t node, int64_t now_wall_us,
                       struct cluster_record *record)
{
    const struct server_facts *facts = &view->nodes[node].facts;
    record->watch_uptime_base_s = started_wall_s(facts, now_wall_us);
    record->watch_no_tx = facts->ss_no_tx;
    record->watch_no_times = facts->ss_no_times;
}

bool durability_source_whole(const struct cluster_view *view, uint32_t node)
{
    const struct server_facts *facts = &view->nodes[node].facts;
    bool counts = view->config->engine != ENGINE_MYSQL ||
                  facts->ss_wait_count >= view->config->acks;
    return facts->ss_source_enabled == TRI_YES && facts->ss_source_on == TRI_YES &&
           facts->ss_after_sync == TRI_YES && facts->ss_timeout_ms >= DURABILITY_TIMEOUT_MS &&
           counts;
}

/* A peer of the primary's own zone acknowledges: lost together with it. */
static bool has_own_zone_acker(const struct cluster_view *view, uint32_t possible)
{
    for (uint32_t i = 0; i < view->config->node_count; i++) {
        if ((possible & bit(i)) && cluster_same_zone(view->config, i, view->primary) &&
            view->nodes[i].facts.ss_replica_on == TRI_YES)
            return !MUTANT(view, OWN_ZONE_ACK);
    }
    return false;
}

/* Transactions in the primary's executed set that it wrote itself. */
static uint64_t own_transactions(const struct cluster_view *view, const struct server_facts *facts)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < facts->executed.n; i++)
        if (cluster_range_is_of(view, view->primary, &facts->executed.v[i]))
            sum += facts->executed.v[i].last - facts->executed.v[i].first + 1;
    return sum;
}

/* The possible ackers that may count: all but those of the primary's own zone. One there that is
 * known not to acknowledge is not possible at all; one that does, or that nobody can ask, explains
 * no semi-sync client of the primary. */
static uint32_t counted_ackers(const struct cluster_view *view, uint32_t possible)
{
    for (uint32_t i = 0; i < view->config->node_count; i++) {
        if (cluster_same_zone(view->config, i, view->primary) && !MUTANT(view, OWN_ZONE_ACK))
            possible &= ~bit(i);
    }
    return count(possible);
}

static void rebase_acks(struct cluster_view *view, const struct server_facts *facts, uint64_t own)
{
    view->watch_own_base = own;
    view->watch_yes_base = facts->ss_yes_tx;
}

/* Do acknowledgements keep up with the primary's own commits, and do all semi-sync clients have a
 * name, in another zone? Each session can be between its commit and its acknowledgement once.
 * MariaDB counts one yes-ack per transaction; MySQL one per group of commits, so there only a
 * standstill tells. */
static void watch_acks(struct cluster_view *view, uint32_t possible)
{
    struct node_view *primary = &view->nodes[view->primary];
    const struct server_facts *facts = &primary->facts;
    if (view->watch_seen_mono_us == primary->facts_mono_us)
        return; /* seen: one reading counts once */
    uint64_t own = own_transactions(view, facts);
    bool is_first = view->watch_seen_mono_us == STAY_NEVER || own < view->watch_own_base ||
                    facts->ss_yes_tx < view->watch_yes_base;
    bool moves = view->config->engine == ENGINE_MYSQL && facts->ss_yes_tx > view->watch_yes_base;
    view->watch_seen_mono_us = primary->facts_mono_us;
    if (is_first || moves)
        rebase_acks(view, facts, own);
    uint64_t written = own - view->watch_own_base, acked = facts->ss_yes_tx - view->watch_yes_base;
    bool is_slow = written > acked + facts->ss_waiters + facts->connections;
    bool is_odd = is_slow || facts->ss_clients > counted_ackers(view, possible);
    view->watch_odd = is_odd ? view->watch_odd + 1 : 0;
}

/* Anything that spoils the promise now; the text of the verdict's conformance rows says which. */
static bool is_spoiled(const struct cluster_view *view, uint32_t possible)
{
    bool strangers = false;
    (void)cluster_ackers_now(view, &strangers);
    return !durability_source_whole(view, view->primary) || strangers ||
           has_own_zone_acker(view, possible) || view->watch_odd >= ODD_READINGS_MAX;
}

/* A change of what the barrier was built on, ours excluded (a plan rebases). */
static bool is_broken(const struct cluster_view *view, const struct cluster_record *record,
                      int64_t now_wall_us)
{
    const struct node_view *primary = &view->nodes[view->primary];
    uint64_t started = started_wall_s(&primary->facts, now_wall_us);
    return distance(started, record->watch_uptime_base_s) > START_TOLERANCE_S ||
           primary->facts.ss_no_tx != record->watch_no_tx ||
           primary->facts.ss_no_times != record->watch_no_times;
}

/* Restarted and read-only ever since: it acknowledged nothing after what stood, and its counters
 * begin anew. What it acknowledged before is still promised; opened again, the barrier is passed
 * anew. */
static bool is_shut_since_restart(const struct cluster_view *view,
                                  const struct cluster_record *record, int64_t now_wall_us)
{
    const struct node_view *primary = &view->nodes[view->primary];
    uint64_t started = started_wall_s(&primary->facts, now_wall_us);
    return primary->facts.read_only == TRI_YES &&
           primary->writable_mono_us < primary->restarted_mono_us &&
           distance(started, record->watch_uptime_base_s) > START_TOLERANCE_S;
}

static void barrier_drop(struct cluster_view *view)
{
    view->barrier_mono_us = STAY_NEVER;
    view->barrier_captured = false;
    view->barrier_ackers = 0;
    view->barrier_leavers = 0;
}

static void barrier_arm(struct cluster_view *view, uint32_t leavers)
{
    const struct node_view *primary = &view->nodes[view->primary];
    barrier_drop(view);
    view->barrier_mono_us = primary->facts_mono_us;
    view->barrier_no_tx = primary->facts.ss_no_tx;
    view->barrier_no_times = primary->facts.ss_no_times;
    view->barrier_leavers = leavers;
}

/* executed and received together: after a promotion neither need contain the other. */
static bool holds_barrier(const struct cluster_view *view, uint32_t node)
{
    const struct node_view *n = &view->nodes[node];
    if (gtid_set_contains(&n->facts.executed, &view->barrier))
        return true;
    if (n->facts.receiver != RECEIVER_RUNNING)
        return false;
    STAY_AUTO(gtid_set_drop) struct gtid_set held = {0};
    gtid_set_copy(&held, &n->facts.executed);
    gtid_set_union(&held, &n->facts.received);
    return gtid_set_contains(&held, &view->barrier);
}

/* Moves the barrier on by what is known now; true when it is passed. */
static bool barrier_step(struct cluster_view *view, uint32_t possible)
{
    const struct node_view *primary = &view->nodes[view->primary];
    bool moved = primary->facts.ss_no_tx != view->barrier_no_tx ||
                 primary->facts.ss_no_times != view->barrier_no_times ||
                 primary->restarted_mono_us > view->barrier_mono_us;
    bool came_back = (possible & view->barrier_leavers) != 0;
    if (moved || came_back) {
        barrier_drop(view);
        return false;
    }
    view->barrier_ackers |= possible;
    if (!view->barrier_captured) {
        if (primary->facts_begun_mono_us < view->barrier_mono_us)
            return false; /* read before semi-sync was seen whole */
        gtid_set_copy(&view->barrier, &primary->facts.executed);
        view->barrier_captured = true;
    }
    uint32_t ackers = cluster_ackers_now(view, NULL), holders = 0;
    for (uint32_t i = 0; i < view->config->node_count; i++) {
        if ((ackers & bit(i)) && holds_barrier(view, i))
            holders |= bit(i);
    }
    return count(holders) >= view->config->acks && holders != 0;
}

/* Acknowledgements are compared with commits from the next reading on: what was committed while
 * semi-sync was off is never acknowledged, and would look slow for ever. */
static void watch_acks_anew(struct cluster_view *view)
{
    view->watch_seen_mono_us = STAY_NEVER;
    view->watch_odd = 0;
}

static void stand(struct cluster_view *view, int64_t now_wall_us, struct cluster_record *record)
{
    record->lossless_stands = true;
    record->lossless_since_wall_us = now_wall_us;
    record->ackers = view->ackers_seen = view->barrier_ackers;
    durability_rebase(view, view->primary, now_wall_us, record);
    barrier_drop(view);
    watch_acks_anew(view);
}

static void fall(struct cluster_view *view, struct cluster_record *record)
{
    if (record->lossless_stands && view->lossless_fell_mono_us == STAY_NEVER)
        view->lossless_fell_mono_us = view->nodes[view->primary].facts_mono_us;
    record->lossless_stands = false;
    record->lossless_since_wall_us = 0;
    barrier_drop(view);
    watch_acks_anew(view);
}

/* While it stands: new ackers enter A at once, one that is gone leaves it through the barrier. */
static void keep_ackers(struct cluster_view *view, uint32_t possible, struct cluster_record *record)
{
    uint32_t gone = record->ackers & ~possible;
    record->ackers |= possible;
    if (gone == 0) {
        barrier_drop(view);
        return;
    }
    if (view->barrier_mono_us == STAY_NEVER || (gone & ~view->barrier_leavers) != 0) {
        barrier_arm(view, gone);
        return;
    }
    uint32_t leavers = view->barrier_leavers;
    if (barrier_step(view, possible)) {
        record->ackers &= ~leavers;
        view->ackers_seen &= ~leavers;
        barrier_drop(view);
    }
}

static void watch_standing(struct cluster_view *view, uint32_t possible, int64_t now_wall_us,
                           struct cluster_record *record)
{
    if (is_shut_since_restart(view, record, now_wall_us))
        return;
    if (is_spoiled(view, possible) || is_broken(view, record, now_wall_us)) {
        fall(view, record);
        return;
    }
    uint64_t started = started_wall_s(&view->nodes[view->primary].facts, now_wall_us);
    if (distance(started, record->watch_uptime_base_s) >= START_SLIDE_S)
        record->watch_uptime_base_s = started;
    keep_ackers(view, possible, record);
}

static void watch_rising(struct cluster_view *view, uint32_t possible, int64_t now_wall_us,
                         struct cluster_record *record)
{
    record->ackers |= possible; /* whoever may acknowledge must be frozen for a proof */
    /* One odd reading is enough here. A primary that is shut acknowledges nothing to stand for, and
     * may have lost what it acknowledged: the barrier is passed when it is open. */
    if (is_spoiled(view, possible) || view->watch_odd > 0 ||
        view->nodes[view->primary].facts.read_only != TRI_NO) {
        barrier_drop(view);
        return;
    }
    if (view->barrier_mono_us == STAY_NEVER)
        barrier_arm(view, 0);
    view->barrier_ackers |= possible;
    if (MUTANT(view, BARRIER_SKIPPED) || barrier_step(view, possible))
        stand(view, now_wall_us, record);
}

/* The store claims no more than a primary that takes writes really runs. */
static void claim_less(struct cluster_view *view, struct cluster_record *record)
{
    const struct server_facts *facts = &view->nodes[view->primary].facts;
    bool may_write = facts->read_only == TRI_NO && facts->super_read_only != TRI_YES;
    bool runs = facts->ss_source_enabled == TRI_YES && facts->ss_after_sync == TRI_YES &&
                facts->ss_timeout_ms >= DURABILITY_TIMEOUT_MS;
    if (!may_write || runs)
        return;
    fall(view, record);
    record->mode = MODE_BOUNDED;
}

/* Sessions wait and nothing moves, as the primary's last facts show. */
static bool is_stuck(const struct node_view *primary)
{
    return primary->facts.ss_waiters > 0 &&
           primary->facts_begun_mono_us - primary->ss_progress_mono_us >= STAY_SECOND;
}

static bool lacks_ackers(const struct cluster_view *view)
{
    uint32_t ackers = count(cluster_ackers_now(view, NULL));
    return ackers < view->config->acks || ackers == 0;
}

/* Nobody acknowledges: no acker, or sessions wait and nothing moves although one is connected. */
static void watch_no_acker(struct cluster_view *view, int64_t now_mono_us)
{
    const struct node_view *primary = &view->nodes[view->primary];
    bool stuck = is_stuck(primary), missing = lacks_ackers(view);
    if (!missing && !stuck)
        view->no_acker_since_mono_us = STAY_NEVER;
    else if (view->no_acker_since_mono_us == STAY_NEVER)
        view->no_acker_since_mono_us = stuck && !missing ? primary->ss_progress_mono_us
                                                         : now_mono_us;
}

/* By its own last word: that its ackers lose it afterwards may only mean that it hangs, and under
 * load some session waits at any moment. */
static bool lacked_ackers(const struct cluster_view *view)
{
    const struct server_facts *facts = &view->nodes[view->primary].facts;
    uint64_t connected =
        facts->ss_clients < facts->dump_peer_count ? facts->ss_clients : facts->dump_peer_count;
    return connected < view->config->acks || connected == 0;
}

/* A process that greets is alive (TLS begins after the greeting): SIGSTOP and a dead host end
 * before that, once the session that was held is given up. MySQL needs its account lock before it
 * greets: there it is enough that it accepts. */
bool durability_is_blocked(const struct cluster_view *view)
{
    if (view->primary == NO_NODE)
        return false;
    const struct node_view *primary = &view->nodes[view->primary];
    enum obs_layer layer = primary->reach.layer;
    bool is_mysql = view->config->engine == ENGINE_MYSQL;
    bool greets = primary->refused_first_mono_us == STAY_NEVER && layer > LAYER_CONNECT &&
                  (layer != LAYER_GREETING || is_mysql);
    return greets && primary->facts.ss_waiters > 0 && (is_stuck(primary) || lacked_ackers(view));
}

static bool is_same(const struct cluster_record *a, const struct cluster_record *b)
{
    return a->mode == b->mode && a->lossless_stands == b->lossless_stands &&
           a->lossless_since_wall_us == b->lossless_since_wall_us && a->ackers == b->ackers &&
           a->watch_uptime_base_s == b->watch_uptime_base_s &&
           a->watch_no_tx == b->watch_no_tx && a->watch_no_times == b->watch_no_times;
}

bool durability_watch(struct cluster_view *view, int64_t now_mono_us, int64_t now_wall_us,
                      struct cluster_record *record)
{
    *record = view->record;
    const struct node_view *primary = &view->nodes[view->primary == NO_NODE ? 0 : view->primary];
    bool waits = primary->facts.ss_source_on == TRI_YES; /* whatever the store claims */
    if (!record->adopted || view->primary == NO_NODE ||
        (record->mode != MODE_LOSSLESS && !waits)) {
        view->no_acker_since_mono_us = STAY_NEVER;
        barrier_drop(view);
        watch_acks_anew(view);
        return false;
    }
    if (record->lossless_stands && view->lossless_fell_mono_us != STAY_NEVER) {
        fall(view, record); /* seen before; the store was away, or a plan was running */
        return true;
    }
    if (verdict_node_answers(view, view->primary, now_mono_us) != TRI_YES) {
        view->no_acker_since_mono_us = STAY_NEVER; /* it is not seen to lack one */
        return false;
    }
    int64_t facts_wall_us = now_wall_us - (now_mono_us - primary->facts_mono_us);
    watch_no_acker(view, now_mono_us);
    if (record->mode != MODE_LOSSLESS) {
        watch_acks_anew(view);
        return false;
    }
    uint32_t possible = cluster_ackers_possible(view);
    if (MUTANT(view, DEAD_ACKER_IGNORED)) {
        for (uint32_t i = 0; i < view->config->node_count; i++) {
            if (!cluster_node_fresh(view, i, now_mono_us))
                record->ackers &= ~bit(i);
        }
    }
    watch_acks(view, possible);
    if (record->lossless_stands)
        watch_standing(view, possible, facts_wall_us, record);
    else
        watch_rising(view, possible, facts_wall_us, record);
    claim_less(view, record);
    return !is_same(record, &view->record);
}
