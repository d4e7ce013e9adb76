/* controller/decide/plan.c - the life of a run after its start (plan_start.c): the work of PURE
 * rows, resume, release; and the small questions other plan files ask. */
#include "controller/decide/plan_private.h"

#include <stdarg.h>

#define RESTART_SLACK_S 2 /* uptime is in whole seconds on both engines */

void plan_say(char *text, size_t size, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, size, fmt, args);
    va_end(args);
}

const struct plan_row *plan_row_at(const struct plan_run *run, uint32_t row)
{
    size_t count = 0;
    const struct plan_row *rows = plan_rows(run->kind, &count);
    must(row < count);
    return &rows[row];
}

const char *plan_node_name(const struct cluster_view *view, uint32_t node)
{
    return node < view->config->node_count ? view->config->nodes[node].name : "-";
}

bool plan_zones_differ(const struct cluster_view *view, uint32_t a, uint32_t b)
{
    return a < view->config->node_count && b < view->config->node_count &&
           !cluster_same_zone(view->config, a, b);
}

bool plan_node_answers(const struct cluster_view *view, uint32_t node, int64_t within_us,
                       int64_t now_mono_us)
{
    if (node >= view->config->node_count)
        return false;
    int64_t at = view->nodes[node].query_ok_mono_us;
    return at != STAY_NEVER && now_mono_us - at <= within_us;
}

uint32_t plan_nodes_answering(const struct cluster_view *view, int64_t now_mono_us)
{
    uint32_t mask = 0;
    for (uint32_t node = 0; node < view->config->node_count; node++)
        if (plan_node_answers(view, node, PLAN_ANSWERS_US, now_mono_us))
            mask |= NODE_BIT(node);
    return mask;
}

uint32_t plan_acker_nodes(const struct cluster_view *view, uint32_t primary, int64_t now_mono_us)
{
    uint32_t mask = 0;
    uint32_t answering = plan_nodes_answering(view, now_mono_us);
    for (uint32_t node = 0; node < view->config->node_count; node++)
        if ((answering & NODE_BIT(node)) && plan_zones_differ(view, node, primary) &&
            view->record.quarantine[node] == QUARANTINE_NONE)
            mask |= NODE_BIT(node);
    return mask;
}

bool plan_may_stop_acking(const struct cluster_view *view, uint32_t node)
{
    const struct server_facts *facts = &view->nodes[node].facts;
    uint32_t ackers = cluster_ackers_now(view, NULL);
    if (facts->ss_replica_enabled != TRI_YES && facts->ss_replica_on != TRI_YES)
        return false;
    return !(ackers & NODE_BIT(node)) || mask_count(ackers & ~NODE_BIT(node)) >= view->config->acks;
}

uint32_t plan_required(const struct plan_run *run, uint32_t targets)
{
    uint32_t required = targets & run->a;
    return required != 0 ? required : targets;
}

bool plan_has_proof(const struct plan_run *run, const struct cluster_view *view)
{
    if (run->fenced || run->params.accept_loss || MUTANT(view, FENCE_SKIPPED))
        return true;
    if (run->mode != MODE_LOSSLESS)
        return true; /* judged by the certificate's estimate, not by revocation */
    if (MUTANT(view, K_IGNORED))
        return run->f != 0;
    uint32_t loose = mask_count((run->a | run->able) & ~run->f);
    if (MUTANT(view, LESS_FOR_LESS_EQUAL))
        return loose <= run->acks;
    return run->a != 0 && loose < run->acks;
}

/* As seen by this controller, or by one before it that recorded it: then before all it knows. */
int64_t plan_restarted_us(const struct cluster_view *view, uint32_t node)
{
    const struct node_view *seen = &view->nodes[node];
    bool recorded = (view->record.restarted & NODE_BIT(node)) != 0;
    if (seen->restarted_mono_us != STAY_NEVER || !recorded || seen->caught_up_mono_us != STAY_NEVER)
        return seen->restarted_mono_us;
    return 0;
}

bool plan_tells_nothing(const struct cluster_view *view, uint32_t node)
{
    int64_t restarted = plan_restarted_us(view, node);
    int64_t acked_us = view->nodes[view->primary].canary_ok_mono_us;
    return restarted != STAY_NEVER && view->nodes[node].caught_up_mono_us <= restarted &&
           (acked_us == STAY_NEVER || restarted > acked_us - 2 * STAY_SECOND);
}

bool plan_restart_counts(const struct cluster_view *view, uint32_t node,
                         const struct gtid_set *executed)
{
    int64_t restarted = plan_restarted_us(view, node);
    if (restarted == STAY_NEVER || view->primary == NO_NODE)
        return false;
    const struct node_view *primary = &view->nodes[view->primary];
    if (cluster_may_have_lost_tail(view, view->primary) && plan_tells_nothing(view, node))
        return true; /* both restarted: the primary's set is no longer what was acknowledged */
    return primary->facts_begun_mono_us == STAY_NEVER ||
           primary->facts_begun_mono_us <= restarted ||
           !gtid_set_contains(executed, &primary->facts.executed);
}

bool plan_has_restarted(uint64_t uptime_s, uint64_t before_s, int64_t before_mono_us,
                        int64_t now_mono_us)
{
    if (now_mono_us < before_mono_us)
        return true;
    uint64_t passed = (uint64_t)((now_mono_us - before_mono_us) / STAY_SECOND);
    return uptime_s + RESTART_SLACK_S < before_s + passed;
}

bool plan_lost_by(const struct cluster_view *view, uint32_t node, const struct gtid_set *all,
                  const struct gtid_set *held)
{
    STAY_AUTO(gtid_set_drop) struct gtid_set lost = {0};
    gtid_set_copy(&lost, all);
    gtid_set_subtract(&lost, held);
    for (size_t i = 0; i < lost.n; i++)
        if (cluster_range_is_of(view, node, &lost.v[i]))
            return true;
    return false;
}

int64_t plan_born_mono_us(const struct plan_run *run, uint32_t node)
{
    bool known = node == run->old_primary || (run->f & mask_of(node)) ||
                 (run->kind == PLAN_SWITCHOVER && (run->collected & mask_of(node)));
    if (!known)
        return INT64_MAX;
    return run->freeze_mono_us[node] - (int64_t)run->freeze_uptime_s[node] * STAY_SECOND +
           RESTART_SLACK_S * STAY_SECOND;
}

bool plan_primary_restarted(const struct plan_run *run, const struct cluster_view *view)
{
    uint32_t old = run->old_primary;
    if (old == NO_NODE)
        return false;
    const struct node_view *seen = &view->nodes[old];
    return (run->restarted & NODE_BIT(old)) != 0 ||
           ((seen->groups_known & FACTS_STATUS) &&
            plan_has_restarted(seen->facts.uptime_s, run->freeze_uptime_s[old],
                               run->freeze_mono_us[old], seen->facts_mono_us));
}

bool plan_acks_flowed(const struct cluster_view *view, uint32_t primary)
{
    const struct node_view *old = &view->nodes[primary];
    return old->facts_mono_us != STAY_NEVER && old->ss_progress_mono_us != STAY_NEVER &&
           old->facts_mono_us - old->ss_progress_mono_us <= STAY_SECOND;
}

bool plan_is_lost_soon(const struct cluster_view *view, uint32_t primary, int64_t lost_mono_us)
{
    int64_t read_us = view->nodes[primary].facts_mono_us;
    return read_us != STAY_NEVER && lost_mono_us != STAY_NEVER &&
           lost_mono_us > read_us - STAY_SECOND && lost_mono_us - read_us < PLAN_LOST_SOON_US;
}

static bool is_same_source(const struct gtid_range *a, const struct gtid_range *b)
{
    return memcmp(a->source, b->source, sizeof a->source) == 0 && strcmp(a->tag, b->tag) == 0;
}

/* What `node` wrote by hand: of its own making all but the first that an earlier or the present
 * primary was seen to hold, for its numbers go on from there. In several domains (or tags) at once
 * that cannot be told apart: nothing, rather than that an acknowledged one be given up. */
static void find_by_hand(const struct cluster_view *view, uint32_t node,
                         const struct gtid_set *executed, struct gtid_set *ret_set)
{
    bool is_twin = (view->record.twins & NODE_BIT(node)) != 0; /* the same numbers: all of it */
    uint64_t kept = is_twin ? 0 : view->record.written[node];
    const struct gtid_range *first = NULL;
    for (size_t i = 0; i < executed->n; i++) {
        struct gtid_range range = executed->v[i];
        uint64_t length = range.last - range.first + 1;
        if (!cluster_range_is_of(view, node, &range))
            continue;
        first = first == NULL ? &executed->v[i] : first;
        if (!is_twin && !is_same_source(first, &range)) {
            gtid_set_clear(ret_set);
            return;
        }
        range.first += kept < length ? kept : length;
        kept -= kept < length ? kept : length;
        if (range.first <= range.last)
            gtid_set_add_range(ret_set, executed->flavor, &range);
    }
}

void plan_contribution(const struct plan_run *run, const struct cluster_view *view, uint32_t node,
                       struct gtid_set *ret_set)
{
    const struct gtid_set *executed = &run->executed[node];
    gtid_set_copy(ret_set, executed);
    bool is_twin = (view->record.twins & NODE_BIT(node)) != 0;
    if (!is_twin && (run->kind == PLAN_RECOVER || !cluster_wrote_alone(view, node, executed)))
        return; /* after a total outage all that is held counts, as it was chosen by */
    STAY_AUTO(gtid_set_drop) struct gtid_set by_hand = {0};
    find_by_hand(view, node, executed, &by_hand);
    gtid_set_subtract(ret_set, &by_hand);
}

void plan_drained_union(const struct plan_run *run, const struct cluster_view *view,
                        struct gtid_set *ret_set)
{
    for (uint32_t node = 0; node < view->config->node_count; node++) {
        STAY_AUTO(gtid_set_drop) struct gtid_set held = {0};
        if (!(run->r & run->collected & NODE_BIT(node)) ||
            (MUTANT(view, PEERS_NOT_UNITED) && node != run->candidate))
            continue;
        plan_contribution(run, view, node, &held);
        gtid_set_union(ret_set, &held);
    }
}

void plan_run_clear(struct plan_run *run)
{
    gtid_set_clear(&run->fenced_executed);
    gtid_set_clear(&run->last_word);
    gtid_set_clear(&run->extra);
    for (uint32_t node = 0; node < NODES_MAX; node++) {
        gtid_set_clear(&run->executed[node]);
        gtid_set_clear(&run->received_high[node]);
    }
    memset(run, 0, sizeof *run);
}

/* Why not, of each: the one a human may accept is not always the first or the last. */
static void say_refused(const struct plan_run *run, const struct cluster_view *view,
                        const struct candidate_note *notes, size_t count, char *text)
{
    plan_say(text, PLAN_TEXT_MAX, "no server may be promoted%s", count == 0 ? ": no nodes" : "");
    for (size_t i = 0; i < count; i++) {
        size_t used = strlen(text);
        if (run->params.node == NO_NODE || run->params.node == notes[i].node)
            plan_say(text + used, PLAN_TEXT_MAX - used, "%s %s: %s", i == 0 ? ":" : ";",
                     plan_node_name(view, notes[i].node), notes[i].why);
    }
}

static void compute_choose(struct plan_run *run, const struct cluster_view *view, uint32_t row,
                           int64_t now_mono_us)
{
    struct candidate_note notes[NODES_MAX];
    size_t count = 0;
    const struct plan_run *held = run->kind == PLAN_FAILOVER ? run : NULL;
    run->candidate = candidate_choose(view, held, now_mono_us, notes, &count);
    if (run->params.node != NO_NODE) {
        bool may = false;
        for (size_t i = 0; i < count; i++)
            may = may || (notes[i].node == run->params.node && notes[i].eligible);
        run->candidate = may ? run->params.node : NO_NODE;
    }
    char *text = run->rows[row].text;
    if (run->candidate == NO_NODE) {
        say_refused(run, view, notes, count, text);
        return;
    }
    uint32_t ackers = candidate_ackers(view, run, run->candidate);
    run->degrade = plan_replaces(run->kind) && run->aims_lossless &&
                   mask_count(ackers) < view->config->acks &&
                   view->config->without_acker == WITHOUT_ACKER_DEGRADE;
    for (size_t i = 0; i < count; i++)
        if (notes[i].node == run->candidate)
            plan_say(text, PLAN_TEXT_MAX, "%s: %s", plan_node_name(view, run->candidate),
                     notes[i].why);
}

void plan_compute(struct plan_run *run, const struct cluster_view *view, uint32_t row,
                  int64_t now_mono_us)
{
    enum step_kind step = plan_row_at(run, row)->step;
    if (step == STEP_CHOOSE && run->kind == PLAN_RECOVER)
        plan_choose_outage(run, view, row, now_mono_us);
    else if (step == STEP_CHOOSE)
        compute_choose(run, view, row, now_mono_us);
    else if (step == STEP_CERTIFY) {
        plan_certify(run, view, now_mono_us);
        plan_say(run->rows[row].text, PLAN_TEXT_MAX, "%s by %s: %s",
                 certificate_kind_text(run->certificate.kind),
                 proof_kind_text(run->certificate.proof), run->certificate.reason);
    }
}

void plan_begin_row(struct plan_run *run, uint32_t row, uint32_t targets, int64_t now_mono_us)
{
    const struct plan_row *what = plan_row_at(run, row);
    struct row_run *state = &run->rows[row];
    state->state = ROW_RUNNING;
    state->targets = targets;
    state->touched |= targets;
    state->done = state->failed = state->unknown = 0;
    state->begun_mono_us = now_mono_us;
    state->ended_mono_us = STAY_NEVER;
    if (what->step == STEP_DETACH || what->step == STEP_ATTACH || what->step == STEP_TOP_UP)
        run->moved |= targets;
    for (uint32_t node = 0; what->step == STEP_TOP_UP && node < NODES_MAX; node++)
        if (targets & NODE_BIT(node))
            run->stalls[node] = 0; /* its drain's are over */
    if (what->flags & ROW_NO_RETURN)
        run->past_no_return = true;
}

void plan_reset_rows(struct plan_run *run, uint32_t row)
{
    for (; row < PLAN_ROWS_MAX; row++) {
        uint32_t touched = run->rows[row].touched;
        memset(&run->rows[row], 0, sizeof run->rows[row]);
        run->rows[row].touched = touched;
        run->rows[row].begun_mono_us = run->rows[row].ended_mono_us = STAY_NEVER;
    }
}

/* The fence as the process before this one knew it. It may have been undone while the store
 * answered nothing: then the old primary takes writes again, all is well, and it is undone once
 * more; one that cannot be read now may do so too. And it may have gone through without its answer
 * being kept. True: undo. */
static bool is_fence_gone(struct plan_run *run, const struct cluster_view *view)
{
    const struct row_run *fence = &run->rows[plan_row_of(run->kind, STEP_FENCE)];
    if (run->old_primary >= view->config->node_count || MUTANT(view, RESUME_TRUSTS_FENCE))
        return false;
    const struct node_view *old = &view->nodes[run->old_primary];
    bool is_read = (old->groups_known & FACTS_STATUS) != 0;
    if (run->fenced && is_read && old->facts.read_only == TRI_NO) {
        (void)stay_copy(run->text, sizeof run->text,
                        "the old primary takes writes again since it was fenced");
        return true;
    }
    run->fenced = run->fenced && is_read;
    run->fence_unheard = !run->fenced && (fence->touched & ~fence->failed) != 0;
    return false;
}

/* Before the point of no return: a failover whose intent is stored completes, with everything read
 * again; a switchover is undone, its old primary is well; so is a recovery: a human looks again.
 * Plans without such a point start over after their intent: each of their effects is idempotent. */
enum plan_next plan_resume(struct plan_run *run, const struct cluster_view *view,
                           int64_t now_mono_us, uint32_t *ret_row)
{
    uint32_t gone = run->detached & run->struck;
    if (now_mono_us < run->begun_mono_us) /* another clock: what was seen when cannot be compared */
        run->acks_flowed = false;
    *ret_row = run->row;
    plan_note_broken(run, view);
    if (run->state == RUN_UNDOING)
        return NEXT_UNDO;
    if (run->past_no_return) {
        uint32_t writable = plan_row_of(run->kind, STEP_WRITABLE);
        uint32_t verify = plan_row_of(run->kind, STEP_VERIFY_FREEZE);
        bool redo = plan_replaces(run->kind) && run->row == writable &&
                    !MUTANT(view, FREEZE_LOST_AT_RESTART);
        run->maybe_open = run->maybe_open || run->row == writable;
        /* the row before it closes an old primary that came back meanwhile */
        *ret_row = redo ? verify - 1 : run->row;
        return redo ? NEXT_GOTO : NEXT_ROW;
    }
    uint32_t hook = plan_row_of(run->kind, STEP_HOOK_PRE);
    size_t count = 0;
    (void)plan_rows(run->kind, &count);
    if (run->kind == PLAN_SWITCHOVER || run->kind == PLAN_RECOVER) {
        (void)stay_copy(run->text, sizeof run->text,
                        "the controller restarted before the point of no return: undone");
        return NEXT_UNDO;
    }
    if (plan_replaces(run->kind) && run->row > hook) {
        if (is_fence_gone(run, view))
            return NEXT_UNDO;
        if (!MUTANT(view, FREEZE_LOST_AT_RESTART)) {
            run->f &= gone;
            run->r &= gone;
            run->collected &= gone;
        }
        *ret_row = plan_row_of(run->kind, STEP_ROUTE_CLOSE);
        return NEXT_GOTO;
    }
    uint32_t copy = plan_row_of(run->kind, STEP_COPY);
    if (run->kind == PLAN_RESEED && run->row >= copy) { /* what is under way goes on */
        *ret_row = run->row > copy ? copy + 1 : copy;
        return NEXT_GOTO;
    }
    if (!plan_replaces(run->kind))
        *ret_row = plan_row_of(run->kind, STEP_INTENT) + 1;
    return NEXT_GOTO;
}
