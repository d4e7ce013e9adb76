/* controller/decide/cluster_written.c - what each server wrote itself as far as the primary knows:
 * a replica takes no writes of its own, so this is fixed for an epoch. The record keeps it, for a
 * controller that starts after the primary died cannot ask anybody what was errant. */
#include "controller/decide/cluster_written.h"

/* Passed over within this time, they were skipped; nobody seeds a server from a copy as fast. */
#define OWN_DUE_US (10 * STAY_SECOND)

static bool has_same_identity(const struct cluster_view *view, uint32_t a, uint32_t b)
{
    const struct server_facts *x = &view->nodes[a].facts, *y = &view->nodes[b].facts;
    return view->config->engine == ENGINE_MYSQL ? strcmp(x->server_uuid, y->server_uuid) == 0
                                                : x->server_id == y->server_id;
}

/* server_id, or FNV-1a of the uuid; 0: not known. */
static uint64_t identity(const struct cluster_view *view, uint32_t node)
{
    const struct server_facts *facts = &view->nodes[node].facts;
    if (view->config->engine != ENGINE_MYSQL)
        return facts->server_id;
    if (facts->server_uuid[0] == '\0')
        return 0;
    uint64_t hash = UINT64_C(14695981039346656037);
    for (const char *c = facts->server_uuid; *c != '\0'; c++)
        hash = (hash ^ (uint8_t)*c) * UINT64_C(1099511628211);
    return hash & INT64_MAX; /* the store keeps signed numbers */
}

static bool is_identified(const struct cluster_view *view, uint32_t node)
{
    const struct server_facts *facts = &view->nodes[node].facts;
    return view->config->engine == ENGINE_MYSQL ? facts->server_uuid[0] != '\0'
                                                : facts->server_id != 0;
}

static bool is_clone(const struct cluster_view *view, uint32_t node)
{
    for (uint32_t other = 0; other < view->config->node_count; other++)
        if (other != node && is_identified(view, node) && has_same_identity(view, node, other))
            return true;
    return false;
}

bool cluster_is_primarys_twin(const struct cluster_view *view, uint32_t node)
{
    return node != view->primary && is_identified(view, node) &&
           identity(view, node) == view->record.primary_id;
}

/* Known, and of this server alone: with a clone's id the primary's own rows would look like rows
 * that a replica wrote by hand, and would be given up. The record tells of a primary that this
 * controller never read. */
static bool has_identity(const struct cluster_view *view, uint32_t node)
{
    if (cluster_is_primarys_twin(view, node))
        return false;
    return is_identified(view, node) && !is_clone(view, node);
}

static uint64_t written_by(const struct cluster_view *view, uint32_t node,
                           const struct gtid_set *held)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < held->n; i++)
        if (cluster_range_is_of(view, node, &held->v[i]))
            sum += held->v[i].last - held->v[i].first + 1;
    return sum;
}

bool cluster_note_written(const struct cluster_view *view, uint32_t primary,
                          const struct gtid_set *held, struct cluster_record *record)
{
    bool changed = false; /* the id alone is no reason to store: it comes with the first counts */
    uint64_t id = primary == NO_NODE ? 0 : identity(view, primary);
    record->primary_id = id != 0 ? id : record->primary_id;
    for (uint32_t node = 0; node < view->config->node_count; node++) {
        uint32_t bit = UINT32_C(1) << node;
        /* a controller that starts after its twin died could not tell that it is a clone */
        if (is_clone(view, node) && (record->written_known & bit)) {
            record->written_known &= ~bit;
            changed = true;
        }
        if (node == primary || !has_identity(view, node))
            continue;
        uint64_t sum = written_by(view, node, held);
        if ((record->written_known & bit) && sum <= record->written[node])
            continue;
        record->written_known |= bit;
        record->written[node] = sum;
        changed = true;
    }
    return changed;
}

bool cluster_wrote_alone(const struct cluster_view *view, uint32_t node,
                         const struct gtid_set *held)
{
    return (view->record.written_known & (UINT32_C(1) << node)) != 0 && node != view->primary &&
           has_identity(view, node) && written_by(view, node, held) > view->record.written[node];
}

uint32_t cluster_lost_from(const struct cluster_view *view, const struct gtid_set *held)
{
    for (uint32_t node = 0; node < view->config->node_count; node++)
        if ((view->record.written_known & (UINT32_C(1) << node)) != 0 && node != view->primary &&
            has_identity(view, node) && written_by(view, node, held) < view->record.written[node])
            return node;
    return NO_NODE;
}

bool cluster_was_held(const struct cluster_view *view, uint32_t node,
                      const struct gtid_range *range, const struct gtid_set *primary_held)
{
    uint64_t count = range->last - range->first + 1;
    for (uint32_t of = 0; of < view->config->node_count; of++)
        if (of != node && of != view->primary && view->config->engine != ENGINE_MYSQL &&
            (view->record.written_known & (UINT32_C(1) << of)) != 0 && has_identity(view, of) &&
            cluster_range_is_of(view, of, range))
            return written_by(view, of, primary_held) + count <= view->record.written[of];
    return false;
}

/* Read-only, replicates from nobody, and nothing it received is left to execute: it grows by writes
 * with privileges alone. One that takes writes openly may have been made the primary by hand. */
static bool is_alone(const struct cluster_view *view, uint32_t node)
{
    const struct node_view *n = &view->nodes[node];
    enum receiver_state receiver = n->facts.receiver;
    return view->config->engine != ENGINE_MYSQL && node != view->primary &&
           has_identity(view, node) && n->facts.read_only == TRI_YES &&
           (receiver == RECEIVER_NONE || receiver == RECEIVER_STOPPED) &&
           gtid_set_contains(&n->facts.executed, &n->facts.received);
}

/* The first bytes of a MariaDB range's source are its domain. */
static bool is_same_domain(const struct gtid_range *a, const struct gtid_range *b)
{
    return memcmp(a->source, b->source, 4) == 0;
}

/* More than a server can lose at once: what its sessions were committing, or a second's worth where
 * it does not flush each commit. */
#define TAIL_MAX 10000

/* Did the node write one of the last `count` numbers of a domain in `held`? */
static bool wrote_lately(const struct cluster_view *view, uint32_t node,
                         const struct gtid_set *held, uint64_t count)
{
    for (size_t i = 0; i < held->n; i++) {
        uint64_t newest = 0;
        if (!cluster_range_is_of(view, node, &held->v[i]))
            continue;
        for (size_t j = 0; j < held->n; j++)
            if (is_same_domain(&held->v[i], &held->v[j]) && held->v[j].last > newest)
                newest = held->v[j].last;
        if (newest - held->v[i].last < count)
            return true;
    }
    return false;
}

bool cluster_may_repeat_numbers(const struct cluster_view *view, uint32_t node,
                                const struct gtid_set *held)
{
    const struct node_view *n = &view->nodes[node];
    if (!cluster_may_have_lost_tail(view, node))
        return false;
    bool caught_up = node != view->primary && n->caught_up_mono_us > n->restarted_mono_us;
    return !caught_up || !has_identity(view, node) || wrote_lately(view, node, held, TAIL_MAX) ||
           written_by(view, node, held) < view->record.written[node];
}

/* Is the newest transaction of a domain in `held` of the node's own making? Numbers rise within a
 * domain, so who wrote last has the highest. What it replicated ends with the primary's. */
static bool has_newest(const struct cluster_view *view, uint32_t node, const struct gtid_set *held)
{
    for (size_t i = 0; i < held->n; i++) {
        bool is_newest = cluster_range_is_of(view, node, &held->v[i]);
        for (size_t j = 0; j < held->n && is_newest; j++)
            is_newest = j == i || !is_same_domain(&held->v[i], &held->v[j]) ||
                        held->v[j].last < held->v[i].last;
        if (is_newest)
            return true;
    }
    return false;
}

/* Measured on 10.11.19: Binlog_commits is 0 after a restart, whatever recovery did. */
static bool has_committed_idle(const struct cluster_view *view, uint32_t node)
{
    const struct node_view *n = &view->nodes[node];
    return view->config->engine != ENGINE_MYSQL && n->idle_life && n->facts.binlog_commits > 0;
}

/* More of its own making than when it was last seen to follow nobody. */
static bool has_grown_alone(const struct cluster_view *view, uint32_t node,
                            const struct gtid_set *held)
{
    const struct node_view *n = &view->nodes[node];
    return n->alone_mono_us != STAY_NEVER && n->alone_mono_us > view->plan_ended_mono_us &&
           n->alone_mono_us >= n->restarted_mono_us && written_by(view, node, held) > n->alone_own;
}

bool cluster_has_written_alone(const struct cluster_view *view, uint32_t node,
                               const struct gtid_set *held)
{
    const struct node_view *n = &view->nodes[node];
    if (node == view->primary)
        return false;
    /* What it received between two looks, or before the first of a controller that has just
     * started, is not by hand, and its newest transaction is not its own then. */
    return n->by_hand || ((has_committed_idle(view, node) || has_grown_alone(view, node, held)) &&
                          has_newest(view, node, held));
}

/* Looks at the node's newest facts, once. */
static void look_alone(struct cluster_view *view, uint32_t node)
{
    struct node_view *n = &view->nodes[node];
    if (n->facts_begun_mono_us <= view->plan_ended_mono_us || n->facts_mono_us == n->alone_mono_us)
        return; /* what a plan of ours did to it, or seen */
    bool alone = is_alone(view, node);
    n->by_hand = n->by_hand || (alone && cluster_has_written_alone(view, node, &n->facts.executed));
    n->alone_mono_us = alone ? n->facts_mono_us : STAY_NEVER;
    n->alone_own = alone ? written_by(view, node, &n->facts.executed) : 0;
}

bool cluster_watch_alone(struct cluster_view *view, struct cluster_record *record)
{
    bool changed = false;
    for (uint32_t node = 0; node < view->config->node_count; node++) {
        struct node_view *n = &view->nodes[node];
        uint32_t bit = UINT32_C(1) << node;
        uint8_t reason = view->record.quarantine[node];
        bool is_theirs = reason == QUARANTINE_OPERATOR || /* stays so, and is not closed by us */
                         reason == QUARANTINE_RESEED;
        look_alone(view, node);
        if (((view->record.twins & bit) && (is_theirs || reason == QUARANTINE_DIVERGED)) ||
            node == view->primary)
            n->by_hand = false; /* the store says it now */
        if (!n->by_hand)
            continue;
        record->quarantine[node] = is_theirs ? reason : QUARANTINE_DIVERGED;
        record->twins |= bit;
        changed = true; /* each turn until it is stored: a save may be refused, or come too soon */
    }
    return changed;
}

uint64_t cluster_highest(const struct gtid_set *held, const struct gtid_range *range, bool same)
{
    uint64_t last = 0;
    for (size_t i = 0; i < held->n; i++) {
        const struct gtid_range *r = &held->v[i];
        bool fits = same ? memcmp(r->source, range->source, sizeof r->source) == 0
                         : is_same_domain(r, range);
        if (fits && r->last > last)
            last = r->last;
    }
    return last;
}

/* PAST: later numbers are there; AHEAD: they may still come. */
enum own_missing { OWN_COMPLETE = 0, OWN_AHEAD, OWN_PAST, OWN_PAST_NOTHING_KEPT };

static enum own_missing own_missing(const struct cluster_view *view, uint32_t node,
                                    const struct gtid_set *held,
                                    const struct gtid_set *primary_held)
{
    enum own_missing found = OWN_COMPLETE;
    if (view->config->engine == ENGINE_MYSQL || node == view->primary || !has_identity(view, node))
        return found;
    for (size_t i = 0; i < primary_held->n; i++) {
        const struct gtid_range *range = &primary_held->v[i];
        uint64_t own = cluster_highest(held, range, true),
                 last = cluster_highest(held, range, false);
        if (!cluster_range_is_of(view, node, range) || own >= range->last)
            continue;
        enum own_missing is = last <= range->last ? OWN_AHEAD
                              : own > 0           ? OWN_PAST
                                                  : OWN_PAST_NOTHING_KEPT;
        if (found == OWN_COMPLETE || is == OWN_PAST)
            found = is;
    }
    return found;
}

bool cluster_skipped_own(const struct cluster_view *view, uint32_t node,
                         const struct gtid_set *held, const struct gtid_set *primary_held)
{
    return own_missing(view, node, held, primary_held) == OWN_PAST;
}

void cluster_look_skipped(struct cluster_view *view, uint32_t node)
{
    struct node_view *n = &view->nodes[node];
    if (view->primary == NO_NODE ||
        !(n->groups_known & view->nodes[view->primary].groups_known & FACTS_STATUS))
        return;
    enum own_missing is =
        own_missing(view, node, &n->facts.executed, &view->nodes[view->primary].facts.executed);
    if (view->record.quarantine[node] == QUARANTINE_DIVERGED) { /* the store says it now */
        n->own_due_mono_us = STAY_NEVER;
        n->skipped = false;
    }
    if (is == OWN_AHEAD)
        n->own_due_mono_us = n->facts_mono_us;
    bool was_due =
        n->own_due_mono_us != STAY_NEVER && n->facts_mono_us - n->own_due_mono_us <= OWN_DUE_US;
    n->skipped = is == OWN_PAST || (is == OWN_PAST_NOTHING_KEPT && (was_due || n->skipped));
}
