/* controller/decide/durability.c - the durability watch: does lossless_since still stand, and
 * which nodes are A, the ackers attached at any time since. It stands from a barrier
 * (durability_barrier.c) until something breaks what that was built on. */
#include "controller/decide/durability_private.h"

#define START_TOLERANCE_S 10 /* uptime is whole seconds, and the two hosts' clocks drift */
#define START_SLIDE_S     3
#define ODD_READINGS_MAX  3 /* status is not read at one instant: look thrice */

static uint64_t started_wall_s(const struct server_facts *facts, int64_t now_wall_us)
{
    int64_t started = now_wall_us / STAY_SECOND - (int64_t)facts->uptime_s;
    return started > 0 ? (uint64_t)started : 0;
}

static uint64_t distance(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

/* Takes the counters of `node` as the watch's base into *record. */
static void rebase(const struct cluster_view *view, uint32_t node, int64_t now_wall_us,
                   struct cluster_record *record)
{
    const struct server_facts *facts = &view->nodes[node].facts;
    record->watch_uptime_base_s = started_wall_s(facts, now_wall_us);
    record->watch_no_tx = facts->ss_no_tx;
    record->watch_no_times = facts->ss_no_times;
}

/* Does the node run what lossless promises, as its last facts show: source role on, AFTER_SYNC,
 * a timeout of at least DURABILITY_TIMEOUT_MS, enough acks to wait for, waiting also with no acker
 * connected; every database in its binary log: an acknowledgement is of what stands there. */
static bool is_source_whole(const struct cluster_view *view, uint32_t node)
{
    const struct server_facts *facts = &view->nodes[node].facts;
    bool counts =
        view->config->engine != ENGINE_MYSQL || facts->ss_wait_count >= view->config->acks;
    return facts->ss_source_enabled == TRI_YES && facts->ss_source_on == TRI_YES &&
           facts->ss_after_sync == TRI_YES &&
           (facts->ss_timeout_ms >= DURABILITY_TIMEOUT_MS || MUTANT(view, TIMEOUT_IGNORED)) &&
           facts->ss_wait_alone != TRI_NO && facts->log_filters != TRI_YES && counts;
}

/* A peer of the primary's own zone acknowledges: lost together with it. */
static bool has_own_zone_acker(const struct cluster_view *view, uint32_t possible)
{
    for (uint32_t i = 0; i < view->config->node_count; i++) {
        if ((possible & node_bit(i)) && cluster_same_zone(view->config, i, view->primary) &&
            view->nodes[i].facts.ss_replica_on == TRI_YES)
            return !MUTANT(view, OWN_ZONE_ACK);
    }
    return false;
}

/* Anything that spoils the promise now; the text of the verdict's conformance rows says which. */
static bool is_spoiled(const struct cluster_view *view, uint32_t possible)
{
    bool strangers = false;
    (void)cluster_ackers_now(view, &strangers);
    return !is_source_whole(view, view->primary) || strangers ||
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

/* The same of a controller that saw neither its restart nor it writable: somebody may have opened
 * it by hand in between. What stood is kept for a human's recovery alone (plan_start.c). */
bool durability_is_unseen(const struct cluster_view *view, int64_t now_mono_us, int64_t now_wall_us)
{
    const struct node_view *primary = &view->nodes[view->primary == NO_NODE ? 0 : view->primary];
    if (view->primary == NO_NODE || (primary->groups_known & FACTS_STATUS) == 0)
        return false;
    int64_t facts_wall_us = now_wall_us - (now_mono_us - primary->facts_mono_us);
    return primary->facts.read_only == TRI_YES && primary->writable_mono_us == STAY_NEVER &&
           primary->restarted_mono_us == STAY_NEVER &&
           distance(started_wall_s(&primary->facts, facts_wall_us),
                    view->record.watch_uptime_base_s) > START_TOLERANCE_S;
}

static void stand(struct cluster_view *view, int64_t now_wall_us, struct cluster_record *record)
{
    record->lossless_stands = true;
    record->lossless_since_wall_us = now_wall_us;
    record->ackers = view->ackers_seen = view->barrier_ackers;
    rebase(view, view->primary, now_wall_us, record);
    durability_barrier_drop(view);
    durability_watch_acks_anew(view);
}

static void fall(struct cluster_view *view, struct cluster_record *record)
{
    if (record->lossless_stands && view->lossless_fell_mono_us == STAY_NEVER)
        view->lossless_fell_mono_us = view->nodes[view->primary].facts_mono_us;
    record->lossless_stands = false;
    record->lossless_since_wall_us = 0;
    durability_barrier_drop(view);
    durability_watch_acks_anew(view);
}

/* While it stands: new ackers enter A at once, one that is gone leaves it through the barrier. */
static void keep_ackers(struct cluster_view *view, uint32_t possible, struct cluster_record *record)
{
    /* Also one that was only taken for possible: a new controller knows the primary's connections
     * before it hears from their servers that they do not acknowledge. */
    uint32_t gone = (record->ackers | view->ackers_seen) & ~possible;
    record->ackers |= possible;
    if (gone == 0) {
        durability_barrier_drop(view);
        return;
    }
    if (view->barrier_mono_us == STAY_NEVER || (gone & ~view->barrier_leavers) != 0) {
        durability_barrier_arm(view, gone);
        return;
    }
    uint32_t leavers = view->barrier_leavers;
    if (durability_barrier_step(view, possible)) {
        record->ackers &= ~leavers;
        view->ackers_seen &= ~leavers;
        durability_barrier_drop(view);
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
        durability_barrier_drop(view);
        return;
    }
    if (view->barrier_mono_us == STAY_NEVER)
        durability_barrier_arm(view, 0);
    view->barrier_ackers |= possible;
    if (MUTANT(view, BARRIER_SKIPPED) || durability_barrier_step(view, possible))
        stand(view, now_wall_us, record);
}

/* The store claims no more than a primary that takes writes really runs. */
static void claim_less(struct cluster_view *view, struct cluster_record *record)
{
    const struct server_facts *facts = &view->nodes[view->primary].facts;
    bool may_write = facts->read_only == TRI_NO && facts->super_read_only != TRI_YES;
    bool runs = facts->ss_source_enabled == TRI_YES && facts->ss_after_sync == TRI_YES &&
                (facts->ss_timeout_ms >= DURABILITY_TIMEOUT_MS || MUTANT(view, TIMEOUT_IGNORED));
    if (!may_write || runs)
        return;
    fall(view, record);
    record->mode = MODE_BOUNDED;
}

/* Members of A that a plan of ours did something to since the primary was asked: attached by it,
 * they may acknowledge by now, and the primary's last answer cannot show them yet. */
static uint32_t just_attached(const struct cluster_view *view, const struct cluster_record *record)
{
    int64_t asked_us = view->nodes[view->primary].facts_begun_mono_us;
    uint32_t mask = 0;
    for (uint32_t i = 0; i < view->config->node_count; i++)
        if (i != view->primary && view->nodes[i].changed_mono_us > asked_us)
            mask |= node_bit(i);
    return mask & record->ackers;
}

/* What else the watch changes, it changes together with lossless_stands. */
static bool is_same(const struct cluster_record *a, const struct cluster_record *b)
{
    return a->mode == b->mode && a->lossless_stands == b->lossless_stands &&
           a->ackers == b->ackers && a->watch_uptime_base_s == b->watch_uptime_base_s;
}

bool durability_watch(struct cluster_view *view, int64_t now_mono_us, int64_t now_wall_us,
                      struct cluster_record *record)
{
    *record = view->record;
    const struct node_view *primary = &view->nodes[view->primary == NO_NODE ? 0 : view->primary];
    bool waits = primary->facts.ss_source_on == TRI_YES; /* whatever the store claims */
    if (!record->adopted || view->primary == NO_NODE || (record->mode != MODE_LOSSLESS && !waits)) {
        view->no_acker_since_mono_us = STAY_NEVER;
        durability_barrier_drop(view);
        durability_watch_acks_anew(view);
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
    durability_watch_no_acker(view, now_mono_us);
    if (record->mode != MODE_LOSSLESS) {
        durability_watch_acks_anew(view);
        return false;
    }
    uint32_t possible = cluster_ackers_possible(view) | just_attached(view, record);
    if (MUTANT(view, DEAD_ACKER_IGNORED)) {
        for (uint32_t i = 0; i < view->config->node_count; i++) {
            if (!cluster_node_fresh(view, i, now_mono_us))
                record->ackers &= ~node_bit(i);
        }
    }
    durability_watch_acks(view, possible);
    if (record->lossless_stands && !durability_is_unseen(view, now_mono_us, now_wall_us))
        watch_standing(view, possible, facts_wall_us, record);
    else if (!record->lossless_stands)
        watch_rising(view, possible, facts_wall_us, record);
    claim_less(view, record);
    return !is_same(record, &view->record);
}
