/* controller/decide/durability_acks.c - do acknowledgements come, and is there anybody to give
 * them? The status flag alone lies: counters are compared from one reading to the next. */
#include "controller/decide/durability_private.h"

#define DOMAIN_BYTES 4 /* of a MariaDB source (base/gtid.h) */

/* Transactions in the primary's executed set that it wrote itself. */
static uint64_t own_transactions(const struct cluster_view *view, const struct server_facts *facts)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < facts->executed.n; i++)
        if (cluster_range_is_of(view, view->primary, &facts->executed.v[i]))
            sum += facts->executed.v[i].last - facts->executed.v[i].first + 1;
    return sum;
}

/* Will its next transaction add more than one to that sum? MariaDB numbers a domain's transactions
 * in one row, whoever writes them: the first one of a new primary skips what others wrote since its
 * last. */
static bool skips_numbers(const struct cluster_view *view, const struct server_facts *facts)
{
    const struct gtid_set *set = &facts->executed;
    for (size_t i = 0; view->config->engine != ENGINE_MYSQL && i < set->n; i++) {
        if (!cluster_range_is_of(view, view->primary, &set->v[i]))
            continue;
        for (size_t j = 0; j < set->n; j++) {
            bool same_domain = memcmp(set->v[i].source, set->v[j].source, DOMAIN_BYTES) == 0;
            if (same_domain && set->v[j].last > set->v[i].last)
                return true;
        }
    }
    return false;
}

/* The possible ackers that may count: all but those of the primary's own zone. One there that is
 * known not to acknowledge is not possible at all; one that does, or that nobody can ask, explains
 * no semi-sync client of the primary. */
static uint32_t counted_ackers(const struct cluster_view *view, uint32_t possible)
{
    for (uint32_t i = 0; i < view->config->node_count; i++) {
        if (cluster_same_zone(view->config, i, view->primary) && !MUTANT(view, OWN_ZONE_ACK))
            possible &= ~node_bit(i);
    }
    return mask_size(possible);
}

static void rebase_acks(struct cluster_view *view, const struct server_facts *facts, uint64_t own)
{
    view->watch_own_base = own;
    view->watch_yes_base = facts->ss_yes_tx;
    view->watch_sessions = 0;
}

/* More was committed since the base than was acknowledged and `sessions` can have under way. */
static bool outgrows_acks(const struct cluster_view *view, const struct server_facts *facts,
                          uint64_t own, uint64_t sessions)
{
    uint64_t written = own - view->watch_own_base, acked = facts->ss_yes_tx - view->watch_yes_base;
    return written > acked + facts->ss_waiters + sessions;
}

void durability_watch_acks(struct cluster_view *view, uint32_t possible)
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
    bool skips = skips_numbers(view, facts);
    if (is_first || moves || (view->watch_skips && !skips))
        rebase_acks(view, facts, own);
    view->watch_skips = skips; /* a base of before the skip counts what nobody wrote */
    if (facts->connections > view->watch_sessions)
        view->watch_sessions = facts->connections;
    bool is_slow = outgrows_acks(view, facts, own, facts->connections);
    bool is_odd = is_slow || facts->ss_clients > counted_ackers(view, possible);
    view->watch_odd = is_odd ? view->watch_odd + 1 : 0;
}

bool durability_acks_stayed_away(const struct cluster_view *view)
{
    if (view->primary == NO_NODE || view->watch_own_base == 0)
        return false;
    const struct server_facts *facts = &view->nodes[view->primary].facts;
    uint64_t own = own_transactions(view, facts), sessions = view->watch_sessions;
    if (own < view->watch_own_base || facts->ss_yes_tx < view->watch_yes_base ||
        (view->watch_skips && !skips_numbers(view, facts)) ||
        (view->config->engine == ENGINE_MYSQL && facts->ss_yes_tx > view->watch_yes_base))
        return false;
    if (facts->connections > sessions)
        sessions = facts->connections;
    return outgrows_acks(view, facts, own, 2 * sessions);
}

void durability_watch_acks_anew(struct cluster_view *view)
{
    view->watch_own_base = 0;
    view->watch_seen_mono_us = STAY_NEVER;
    view->watch_odd = 0;
}

/* Sessions wait and nothing moves, as the primary's last facts show. */
static bool is_stuck(const struct node_view *primary)
{
    return primary->facts.ss_waiters > 0 &&
           primary->facts_begun_mono_us - primary->ss_progress_mono_us >= STAY_SECOND;
}

static bool lacks_ackers(const struct cluster_view *view)
{
    uint32_t ackers = mask_size(cluster_ackers_now(view, NULL));
    return ackers < view->config->acks || ackers == 0;
}

void durability_watch_no_acker(struct cluster_view *view, int64_t now_mono_us)
{
    const struct node_view *primary = &view->nodes[view->primary];
    bool stuck = is_stuck(primary), missing = lacks_ackers(view);
    if (!missing && !stuck)
        view->no_acker_since_mono_us = STAY_NEVER;
    else if (view->no_acker_since_mono_us == STAY_NEVER)
        view->no_acker_since_mono_us =
            stuck && !missing ? primary->ss_progress_mono_us : now_mono_us;
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
