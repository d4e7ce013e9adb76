/* controller/decide/plan_reseed.c - a server's data is replaced by another's: may it be, whose data
 * does it get, and is what came whole? What is destroyed here nobody brings back, so each rule asks
 * for proof that somebody else holds it. */
#include "controller/decide/plan_conclude_private.h"

#define COPY_LOOKS   6 /* of the executor's doubling pause: it is looked at each 1.6 s */
#define REWIND_TRIES 3 /* its job was killed; each begins where the one before it was */

uint32_t plan_hollow_nodes(const struct cluster_view *view)
{
    uint32_t mask = 0;
    for (uint32_t node = 0; node < view->config->node_count; node++)
        if (view->record.quarantine[node] == QUARANTINE_RESEED)
            mask |= NODE_BIT(node);
    return mask;
}

bool plan_is_acker_needed(const struct cluster_view *view, uint32_t node, uint32_t besides)
{
    uint32_t others = cluster_ackers_now(view, NULL) & ~mask_of(node) & ~mask_of(besides);
    return view->record.mode == MODE_LOSSLESS && mask_count(others) < view->config->acks;
}

/* Its restart may have cost it what it acknowledged, and it was not seen to get it back. */
static bool is_unsound(const struct cluster_view *view, uint32_t node)
{
    int64_t restarted = plan_restarted_us(view, node);
    return restarted != STAY_NEVER && view->nodes[node].caught_up_mono_us <= restarted;
}

/* Why `donor` may not give its data to `node`; NULL: it may. The primary is its own measure. */
static const char *donor_objection(const struct cluster_view *view, uint32_t node, uint32_t donor,
                                   int64_t now_mono_us)
{
    const struct node_view *from = &view->nodes[donor], *primary = &view->nodes[view->primary];
    if (donor == node)
        return "it is the server to be reseeded";
    if (!plan_node_answers(view, donor, PLAN_ANSWERS_US, now_mono_us) ||
        !(from->groups_known & FACTS_STATUS))
        return "it does not answer";
    if (donor == view->primary)
        return NULL;
    if (view->record.quarantine[donor] != QUARANTINE_NONE)
        return "it is quarantined";
    if (from->errant == TRI_YES || from->skipped)
        return "what it holds is not what the primary holds";
    if (is_unsound(view, donor))
        return "it restarted and has not caught up since";
    if (from->facts.receiver != RECEIVER_RUNNING ||
        cluster_source_of(view, donor) != view->primary || from->facts.applier != TRI_YES)
        return "it does not replicate from the primary";
    if (strcmp(from->facts.version, primary->facts.version) != 0)
        return "its version is not the primary's";
    if (!gtid_set_contains(&from->facts.executed, &primary->facts.purged))
        return "it lacks what the primary has purged";
    return NULL;
}

/* Lower is better: who is in nobody's way, then an acker that can be missed, then the primary. The
 * one acker that clients wait for gives no copy. */
static int donor_rank(const struct cluster_view *view, uint32_t node, uint32_t donor)
{
    if (donor == view->primary)
        return 2;
    if (!(cluster_ackers_now(view, NULL) & NODE_BIT(donor)))
        return 0;
    return plan_is_acker_needed(view, node, donor) ? 3 : 1;
}

uint32_t plan_choose_donor(const struct cluster_view *view, uint32_t node, int64_t now_mono_us)
{
    uint32_t best = NO_NODE;
    int best_rank = 3;
    for (uint32_t donor = 0; donor < view->config->node_count; donor++) {
        if (view->primary == NO_NODE || donor_objection(view, node, donor, now_mono_us) != NULL)
            continue;
        int rank = donor_rank(view, node, donor);
        if (rank < best_rank) {
            best = donor;
            best_rank = rank;
        }
    }
    return best;
}

static enum stay_rc check_donor(const struct plan_run *run, const struct cluster_view *view,
                                int64_t now_mono_us, struct stay_error *err)
{
    if (run->donor == NO_NODE)
        return stay_error(err, STAY_EREFUSED, "no server may give its data to %s",
                          plan_node_name(view, run->params.node));
    const char *why = donor_objection(view, run->params.node, run->donor, now_mono_us);
    if (why == NULL)
        return STAY_OK;
    return stay_error(err, STAY_EREFUSED, "%s may not give its data: %s",
                      plan_node_name(view, run->donor), why);
}

/* The primary and the mode: is everything that was acknowledged safe without this server? */
static enum stay_rc check_others(const struct plan_run *run, const struct cluster_view *view,
                                 struct stay_error *err)
{
    uint32_t node = run->params.node;
    const char *name = plan_node_name(view, node), *primary = plan_node_name(view, view->primary);
    const struct node_view *first = &view->nodes[view->primary];
    if (first->facts.read_only != TRI_NO || view->suspicion_since_mono_us != STAY_NEVER)
        return stay_error(err, STAY_EREFUSED,
                          "the primary %s does not take writes: no copy is destroyed meanwhile",
                          primary);
    if (cluster_may_have_lost_tail(view, view->primary))
        return stay_error(err, STAY_EREFUSED, "the primary %s restarted and may lack what %s holds",
                          primary, name);
    if (plan_is_acker_needed(view, node, NO_NODE))
        return stay_error(err, STAY_EREFUSED,
                          "without %s fewer than %u ackers are left: lossless needs it", name,
                          view->config->acks);
    return STAY_OK;
}

/* By what is known now; the plan reads both again before it touches anything. */
static enum stay_rc check_held(const struct plan_run *run, const struct cluster_view *view,
                               int64_t now_mono_us, struct stay_error *err)
{
    uint32_t node = run->params.node;
    const struct node_view *seen = &view->nodes[node];
    const char *name = plan_node_name(view, node);
    bool answers = plan_node_answers(view, node, PLAN_ANSWERS_US, now_mono_us);
    if (answers && seen->facts.read_only != TRI_YES)
        return stay_error(err, STAY_EREFUSED, "%s is not read-only: `mainstay fence` it first",
                          name);
    if (seen->facts.start_read_only ==
        TRI_NO) /* the copy ends with its start: it would take writes */
        return stay_error(
            err, STAY_EREFUSED,
            "%s would start writable: %s in its option file first, see `mainstay "
            "check`",
            name, view->config->engine == ENGINE_MYSQL ? "super_read_only = ON" : "read_only = ON");
    if (seen->holds_lost)
        return stay_error(err, STAY_EREFUSED,
                          "%s holds transactions that the primary wrote and lost: fail over to it",
                          name);
    if (plan_hollow_nodes(view) & NODE_BIT(node))
        return STAY_OK; /* what it held was judged by the plan that began to replace it */
    if (!answers && !view->config->reseed_by_command)
        return stay_error(err, STAY_EREFUSED,
                          "%s does not answer: CLONE needs a running server; start it, empty if "
                          "need be",
                          name);
    if (!answers && !run->params.accept_loss)
        return stay_error(err, STAY_EREFUSED,
                          "%s does not answer, and what it holds cannot be compared: with "
                          "`--drop REASON` it is replaced unread",
                          name);
    return STAY_OK;
}

enum stay_rc plan_check_reseed(const struct plan_run *run, const struct cluster_view *view,
                               int64_t now_mono_us, struct stay_error *err)
{
    uint32_t node = run->params.node;
    enum stay_rc rc = plan_check_primary(run, view, now_mono_us, err);
    if (rc != STAY_OK)
        return rc;
    if (node >= view->config->node_count)
        return stay_error(err, STAY_EREFUSED, "name a node of the cluster");
    if (node == view->primary)
        return stay_error(err, STAY_EREFUSED, "%s is the primary: it is never reseeded",
                          plan_node_name(view, node));
    if (view->config->engine != ENGINE_MYSQL && !view->config->reseed_by_command)
        return stay_error(err, STAY_EREFUSED,
                          "reseed.command is not configured, and this engine has no CLONE");
    if (run->params.accept_loss && run->params.reason[0] == '\0')
        return stay_error(err, STAY_EREFUSED, "that its transactions are dropped needs a reason");
    rc = check_others(run, view, err);
    if (rc == STAY_OK)
        rc = check_held(run, view, now_mono_us, err);
    return rc == STAY_OK ? check_donor(run, view, now_mono_us, err) : rc;
}

bool plan_may_reseed_alone(const struct cluster_view *view, uint32_t node, int64_t now_mono_us)
{
    const struct cluster_record *record = &view->record;
    const struct plan_params params = {
        .node = node, .donor = NO_NODE, .automatic = true, .detected_mono_us = STAY_NEVER};
    if (!view->config->reseed_automatic || node >= view->config->node_count ||
        view->primary == NO_NODE || record->quarantine[node] == QUARANTINE_OPERATOR ||
        (record->twins & NODE_BIT(node)))
        return false;
    STAY_AUTO(gtid_set_drop) struct gtid_set extra = {0};
    gtid_set_copy(&extra, &view->nodes[node].facts.executed);
    gtid_set_subtract(&extra, &view->nodes[view->primary].facts.executed);
    if (record->quarantine[node] == QUARANTINE_DIVERGED && !plan_extra_is_saved(view, node, &extra))
        return false;
    struct plan_run *run = stay_calloc(1, sizeof *run);
    enum stay_rc rc = plan_start(run, PLAN_RESEED, &params, view, now_mono_us, 0, NULL);
    plan_run_clear(run);
    free(run);
    return rc == STAY_OK;
}

/* Before the copy. The node was read, or it is down and a human's word stands for it. */
enum plan_next plan_conclude_reseed_old(struct plan_run *run, const struct cluster_view *view)
{
    uint32_t node = run->params.node;
    const char *name = plan_node_name(view, node);
    bool is_read = (run->collected & mask_of(node)) != 0;
    if (plan_hollow_nodes(view) & mask_of(node))
        return NEXT_ROW;
    if (!(run->collected & mask_of(run->candidate)) || (!is_read && !run->params.accept_loss)) {
        plan_say(run->text, sizeof run->text, "the sets of %s and the primary could not be read",
                 name);
        return NEXT_UNDO;
    }
    gtid_set_copy(&run->extra, &run->executed[node]);
    gtid_set_subtract(&run->extra, &run->executed[run->candidate]);
    run->diverged = !gtid_set_is_empty(&run->extra);
    if (plan_holds_lost_tail(run, view)) {
        plan_say(run->text, sizeof run->text,
                 "%s holds transactions that the primary wrote and lost: fail over to it", name);
        return NEXT_UNDO;
    }
    if (!run->diverged || run->params.accept_loss || plan_extra_is_saved(view, node, &run->extra))
        return NEXT_ROW;
    char *text = gtid_set_format(&run->extra);
    plan_say(run->text, sizeof run->text,
             "%s holds transactions the primary lacks, and they are not saved: %s. "
             "`mainstay errant list`, or --drop REASON",
             name, text);
    free(text);
    return NEXT_UNDO;
}

enum plan_next plan_conclude_reseed_acks(struct plan_run *run, const struct cluster_view *view,
                                         int64_t now_mono_us)
{
    uint32_t barrier = plan_row_of(run->kind, STEP_BARRIER);
    uint32_t ackers = plan_targets(run, view, barrier, now_mono_us);
    if (mask_count(ackers) >= view->config->acks)
        return NEXT_ROW;
    plan_say(run->text, sizeof run->text, "without %s fewer than %u ackers are left",
             plan_node_name(view, run->params.node), view->config->acks);
    return NEXT_UNDO;
}

enum plan_next plan_conclude_copy(struct plan_run *run, const struct cluster_view *view,
                                  uint32_t row, int64_t now_mono_us)
{
    struct row_run *state = &run->rows[row];
    uint32_t open = state->targets & ~state->done;
    if (open == 0)
        return NEXT_ROW;
    if (open & state->failed) {
        plan_name_failure(run, view, row, "failed");
        return NEXT_UNDO;
    }
    bool copies = plan_row_at(run, row)->step == STEP_COPY;
    int64_t deadline_us =
        copies ? view->config->reseed_deadline_us : plan_row_at(run, row)->deadline_us;
    if (now_mono_us - state->begun_mono_us >= deadline_us) {
        plan_name_failure(run, view, row,
                          copies ? "took longer than reseed.deadline" : "took too long");
        return NEXT_UNDO;
    }
    if (!copies && run->stalls[run->params.node] >= REWIND_TRIES) {
        plan_name_failure(run, view, row, "ended without a word several times");
        return NEXT_UNDO;
    }
    state->unknown |= open;
    state->looks = COPY_LOOKS;
    return NEXT_LOOK;
}

/* After it: the set of a copy of the donor, and nothing that the primary lacks. */
enum plan_next plan_conclude_reseed_new(struct plan_run *run, const struct cluster_view *view)
{
    uint32_t node = run->params.node;
    const struct gtid_set *came = &run->executed[node], *all = &run->executed[run->candidate];
    const char *wrong = NULL;
    if (!(run->collected & mask_of(node)) || !(run->collected & mask_of(run->candidate)))
        wrong = "could not be read";
    else if (gtid_set_is_empty(came))
        wrong = "has no GTID position after the copy";
    else if (!gtid_set_contains(all, came))
        wrong = "holds transactions the primary lacks after the copy";
    else if (!gtid_set_contains(came, &view->nodes[view->primary].facts.purged))
        wrong = "lacks what the primary has purged since the copy began: copy again";
    run->diverged = false;
    if (wrong == NULL)
        return NEXT_ROW;
    plan_say(run->text, sizeof run->text, "%s %s", plan_node_name(view, node), wrong);
    return NEXT_UNDO;
}

/* The daemon's word: a bundle of exactly this set stands (daemon_errant.c). */
bool plan_extra_is_saved(const struct cluster_view *view, uint32_t node,
                         const struct gtid_set *extra)
{
    return gtid_set_is_empty(extra) || view->nodes[node].saved == gtid_set_digest(extra);
}
