/* controller/decide/plan_private.h - small questions the plan files share.
 *
 * Pure. Layer: decide, plan*.c and candidate.c only. */
#ifndef CONTROLLER_DECIDE_PLAN_PRIVATE_H
#define CONTROLLER_DECIDE_PLAN_PRIVATE_H
#include "base/mutant.h"
#include "controller/decide/candidate.h"
#include "controller/decide/cluster_regiven.h"
#include "controller/decide/cluster_written.h"

/* A heartbeat this young is written by somebody who runs; the canary writes one each second. */
#define PLAN_OWNER_US (5 * STAY_SECOND)
/* How a choice without a candidate is refused, at the start and by the row. */
#define PLAN_NOBODY    "no server may be promoted"
#define NODE_BIT(node) (UINT32_C(1) << (node))

static inline uint32_t mask_count(uint32_t mask)
{
    return (uint32_t)__builtin_popcount(mask);
}

static inline uint32_t mask_of(uint32_t node)
{
    return node < NODES_MAX ? NODE_BIT(node) : 0;
}

/* Text for people, cut at the end when it does not fit. Arguments must not point into text. */
void plan_say(char *text, size_t size, const char *fmt, ...) STAY_PRINTF(3, 4);
/* Candidates that failed after they forgot their source: they cannot acknowledge any more, so they
 * stay in F and R by what was read of them, and are not asked again. */
static inline uint32_t plan_gone(const struct plan_run *run)
{
    return run->detached & run->struck;
}

/* Nodes whose data is being replaced, or was when a reseed ended early: what they say they executed
 * may be gone, so nothing they say counts. */
uint32_t plan_hollow_nodes(const struct cluster_view *view);
/* Would fewer than durability.acks servers acknowledge without `node` and `besides` (NO_NODE:
 * nobody) while lossless is promised? */
bool plan_is_acker_needed(const struct cluster_view *view, uint32_t node, uint32_t besides);
/* Whose data `node` gets: the best server in nobody's way, the primary where only the acker that
 * clients wait for is left; NO_NODE: nobody may. */
uint32_t plan_choose_donor(const struct cluster_view *view, uint32_t node, int64_t now_mono_us);
/* Are the transactions `extra` of `node` kept where they can be reviewed and replayed? */
bool plan_extra_is_saved(const struct cluster_view *view, uint32_t node,
                         const struct gtid_set *extra);
/* Row `row` of the run's table; static. */
const struct plan_row *plan_row_at(const struct plan_run *run, uint32_t row);
/* Both known, and not in one zone. */
bool plan_zones_differ(const struct cluster_view *view, uint32_t a, uint32_t b);
/* Answered a probe within `within_us`, on any layer beyond connect. */
bool plan_node_answers(const struct cluster_view *view, uint32_t node, int64_t within_us,
                       int64_t now_mono_us);
uint32_t plan_nodes_answering(const struct cluster_view *view, int64_t now_mono_us);
/* Nodes outside the primary's zone, not quarantined nor about to be for numbers given twice, whose
 * acks the mode may count. */
uint32_t plan_acker_nodes(const struct cluster_view *view, uint32_t primary, int64_t now_mono_us);
/* Does the node hold what the primary lost in a restart and gave the numbers of anew, by what was
 * read of both (cluster_holds_regiven)? The record's quarantine says so later: a store is slow. */
enum tri plan_holds_regiven(const struct cluster_view *view, uint32_t node);
/* Does `node`'s semi-sync replica role go on although it is not needed: it does not acknowledge
 * now, or enough others do? Nobody is answered less safely when it goes off. */
bool plan_may_stop_acking(const struct cluster_view *view, uint32_t node);
/* Members of A whose loss of freeze or drain matters; every target when A is empty. */
uint32_t plan_required(const struct plan_run *run, uint32_t targets);
/* Is F0 (fewer than k of A loose) or F1 given as of now? */
bool plan_has_proof(const struct plan_run *run, const struct cluster_view *view);
/* A start-up value of `node` that would undo lossless behind our back at its next
 * restart; NULL: none. */
const char *plan_wrong_start_value(const struct cluster_view *view, uint32_t node);
/* Did `node` restart at or after the primary's last acknowledged canary commit? Then it may have
 * lost what it acknowledged last, and cannot tell what a primary that restarted too has lost. */
bool plan_tells_nothing(const struct cluster_view *view, uint32_t node);
/* Restarted at a time after which it was not seen to hold a primary set captured later. */
bool plan_restart_counts(const struct cluster_view *view, uint32_t node,
                         const struct gtid_set *executed);
/* An uptime lower than an earlier one plus the time since means another server process. A negative
 * time means another monotonic clock (the controller's host restarted): counted as a restart. */
bool plan_has_restarted(uint64_t uptime_s, uint64_t before_s, int64_t before_mono_us,
                        int64_t now_mono_us);
/* Does `all` hold what `node` itself wrote and `held`, its own set, lacks: a tail it lost? */
bool plan_lost_by(const struct cluster_view *view, uint32_t node, const struct gtid_set *all,
                  const struct gtid_set *held);
/* Latest monotonic time at which the process of `node` known to this run can have started;
 * INT64_MAX when none is known. */
int64_t plan_born_mono_us(const struct plan_run *run, uint32_t node);
/* Has this plan's primary restarted since the plan began, as last seen? */
bool plan_primary_restarted(const struct plan_run *run, const struct cluster_view *view);
/* Acknowledgements flowed up to the primary's last facts: no session waited, or the count of
 * yes-acks moved, within a second of them. */
bool plan_acks_flowed(const struct cluster_view *view, uint32_t primary);
/* Is `lost_mono_us` so close to the primary's last facts that no timeout can have ended the
 * connection? */
bool plan_is_lost_soon(const struct cluster_view *view, uint32_t primary, int64_t lost_mono_us);
/* What `node` adds to what must survive: its executed set, without what it wrote by hand (no client
 * of the primary was answered for that). What it wrote as an earlier primary stays. */
void plan_contribution(const struct plan_run *run, const struct cluster_view *view, uint32_t node,
                       struct gtid_set *ret_set);
/* Union of the contributions of R. */
void plan_drained_union(const struct plan_run *run, const struct cluster_view *view,
                        struct gtid_set *ret_set);
/* Preconditions of a kind; STAY_EREFUSED with the rule. */
enum stay_rc plan_check(const struct plan_run *run, const struct cluster_view *view,
                        int64_t now_mono_us, struct stay_error *err);
/* Does the old primary's newest word show that lossless_since broke (plan_note_broken)? */
bool plan_is_seen_broken(const struct plan_run *run, const struct cluster_view *view);
/* Its fence was sent and may have killed clients of the old primary, which is not known closed. */
bool plan_is_fence_unheard(const struct plan_run *run);
/* It restarted and was read-only ever since. */
bool plan_is_shut_since_restart(const struct node_view *old);
/* Has the old primary, by its own last word, executed more than the candidate holds and could wait
 * for an acknowledgement? False where there is no candidate. */
bool plan_is_disproved(const struct plan_run *run, const struct cluster_view *view);
/* Takes into run->able who was asked after the run began and could acknowledge for the old primary:
 * outside A, not frozen, back from where nobody reached it or started by somebody since. */
void plan_note_able(struct plan_run *run, const struct cluster_view *view);
void plan_certify(struct plan_run *run, const struct cluster_view *view, int64_t now_mono_us);
const char *plan_node_name(const struct cluster_view *view, uint32_t node); /* "-" for NO_NODE */

/* More draining would not change what the certificate can say. */
bool plan_is_drain_settled(const struct plan_run *run, const struct row_run *state);
/* Whose drain matters: a member that restarted, or whose received set shrank, cannot be in R. */
uint32_t plan_drain_required(const struct plan_run *run, const struct row_run *state);
/* SWITCHOVER: the new primary has its k ackers, by their own word or by its own for those that have
 * not answered yet. */
bool plan_has_ackers(const struct plan_run *run, const struct cluster_view *view);
/* When `node` is known to have restarted, by this controller or by the record; STAY_NEVER. */
int64_t plan_restarted_us(const struct cluster_view *view, uint32_t node);

/* Preconditions of plan_check by the plan they belong to: STAY_EREFUSED names the rule and what to
 * do. The primary answers; the run's node is known and answers. */
enum stay_rc plan_check_primary(const struct plan_run *run, const struct cluster_view *view,
                                int64_t now_mono_us, struct stay_error *err);
enum stay_rc plan_check_node(const struct plan_run *run, const struct cluster_view *view,
                             int64_t now_mono_us, struct stay_error *err);
enum stay_rc plan_check_adopt(const struct plan_run *run, const struct cluster_view *view,
                              int64_t now_mono_us, struct stay_error *err);
enum stay_rc plan_check_make_writable(const struct plan_run *run, const struct cluster_view *view,
                                      int64_t now_mono_us, struct stay_error *err);
enum stay_rc plan_check_reseed(const struct plan_run *run, const struct cluster_view *view,
                               int64_t now_mono_us, struct stay_error *err);
enum stay_rc plan_check_recover(const struct plan_run *run, const struct cluster_view *view,
                                int64_t now_mono_us, struct stay_error *err);
/* RECOVER: chooses the candidate, or none and says what each holds; writes the row's text. */
void plan_choose_outage(struct plan_run *run, const struct cluster_view *view, uint32_t row,
                        int64_t now_mono_us);
/* Whose set was read and counts: drained ones, and after a total outage the closed primary. One
 * that is set aside counts too: it may hold what the primary lost. */
uint32_t plan_holders(const struct plan_run *run, const struct cluster_view *view);
/* RECOVER: the first that holds all that any of them holds; NO_NODE: none. */
uint32_t plan_whole_peer(const struct plan_run *run, const struct cluster_view *view);
/* A restart cost it none of what it committed, by its settings. */
bool plan_keeps_all(const struct cluster_view *view, uint32_t node);
/* k of the primary that is replaced, as it waited for it. */
uint32_t plan_acks_waited_for(const struct cluster_view *view);
enum stay_rc plan_check_unfence(const struct plan_run *run, const struct cluster_view *view,
                                int64_t now_mono_us, struct stay_error *err);

#endif
