/* controller/decide/plan_conclude_repair.c - conclusions of the plans that repair a node: is what
 * it holds contained in the primary, and does it follow? */
#include "controller/decide/plan_conclude_private.h"

/* Part of what the node holds more was the primary's, which lost it in a restart: the node is
 * right, and setting it aside would let the primary be opened without it. */
bool plan_holds_lost_tail(const struct plan_run *run, const struct cluster_view *view)
{
    for (size_t i = 0; i < run->extra.n; i++)
        if (cluster_range_is_of(view, run->candidate, &run->extra.v[i]) ||
            cluster_was_held(view, run->params.node, &run->extra.v[i],
                             &run->executed[run->candidate]))
            return true;
    return false;
}

/* The compared node, with the primary read after it. */
enum plan_next plan_conclude_compare(struct plan_run *run, const struct cluster_view *view)
{
    uint32_t node = run->params.node, primary = run->candidate;
    if (!(run->collected & mask_of(node)) || !(run->collected & mask_of(primary))) {
        plan_say(run->text, sizeof run->text, "the sets of %s and the primary could not be read",
                 plan_node_name(view, node));
        return NEXT_UNDO;
    }
    gtid_set_copy(&run->extra, &run->executed[node]);
    if (run->kind == PLAN_REPOINT)
        gtid_set_union(&run->extra, &run->received_high[node]);
    gtid_set_subtract(&run->extra, &run->executed[primary]);
    if (plan_holds_lost_tail(run, view)) {
        plan_say(run->text, sizeof run->text,
                 "%s holds transactions that the primary wrote and lost: fail over to it",
                 plan_node_name(view, node));
        return NEXT_UNDO;
    }
    run->diverged = !gtid_set_is_empty(&run->extra);
    bool reseeded = run->kind == PLAN_REJOIN && run->params.accept_loss; /* a human's word */
    enum tri regiven =
        cluster_holds_regiven(view, node, &run->executed[node], &run->executed[primary]);
    if (!run->diverged && regiven == TRI_UNKNOWN && !reseeded) {
        plan_say(run->text, sizeof run->text,
                 "where the binary log of %s began at its restart is not read yet",
                 plan_node_name(view, primary));
        return NEXT_UNDO;
    }
    if (!run->diverged && regiven == TRI_YES && !reseeded) {
        run->diverged = true;
        plan_say(run->text, sizeof run->text,
                 "%s holds transactions that %s lost in a restart and whose numbers it passed "
                 "since: reseed it",
                 plan_node_name(view, node), plan_node_name(view, primary));
        return NEXT_ROW;
    }
    bool alone = (view->record.twins & NODE_BIT(node)) != 0 ||
                 cluster_has_written_alone(view, node, &run->executed[node]);
    if (!run->diverged && alone && !reseeded) {
        run->diverged = true;
        plan_say(
            run->text, sizeof run->text,
            "%s was written to by hand while it followed nobody, under numbers the primary has "
            "given too: reseed it",
            plan_node_name(view, node));
        return NEXT_ROW;
    }
    bool seen = run->params.automatic && view->nodes[node].skipped;
    if (!run->diverged &&
        (seen || cluster_skipped_own(view, node, &run->executed[node], &run->executed[primary]))) {
        run->diverged = true;
        plan_say(run->text, sizeof run->text,
                 "%s lacks transactions of its own that %s holds, and has later ones: its receiver "
                 "skipped them; reseed it",
                 plan_node_name(view, node), plan_node_name(view, primary));
        return NEXT_ROW;
    }
    if (!run->diverged)
        return NEXT_ROW;
    char *text = gtid_set_format(&run->extra);
    if (view->config->engine == ENGINE_MYSQL)
        plan_say(run->text, sizeof run->text, "%s holds %llu transactions the primary lacks: %s",
                 plan_node_name(view, node), (unsigned long long)gtid_set_count(&run->extra), text);
    else
        plan_say(run->text, sizeof run->text, "%s holds transactions the primary lacks: %s",
                 plan_node_name(view, node), text);
    free(text);
    return NEXT_ROW;
}

/* The returner is attached. That it is merely behind is no failure, but is said; that its applier
 * broke, or that it is gone again, is one. */
enum plan_next plan_conclude_rejoin(struct plan_run *run, const struct cluster_view *view,
                                    uint32_t row, int64_t now_mono_us)
{
    const struct row_run *state = &run->rows[row];
    uint32_t node = run->params.node;
    const char *name = plan_node_name(view, node);
    if ((state->targets & ~state->done) == 0)
        return NEXT_ROW;
    if ((state->failed & mask_of(node)) ||
        !plan_node_answers(view, node, PLAN_ANSWERS_US, now_mono_us)) {
        plan_say(run->text, sizeof run->text, "%s was attached but does not follow%s%s", name,
                 state->text[0] ? ": " : ": it does not answer", state->text);
        return NEXT_UNDO;
    }
    STAY_AUTO(gtid_set_drop) struct gtid_set missing = {0};
    gtid_set_copy(&missing, &run->executed[run->candidate]);
    gtid_set_subtract(&missing, &run->executed[node]);
    if (missing.flavor == GTID_MARIADB) { /* its numbers are no count: they skip (renumber) */
        char *text = gtid_set_format(&missing);
        plan_say(run->text, sizeof run->text, "%s follows; when last read it still missed %s", name,
                 text);
        free(text);
        return NEXT_ROW;
    }
    plan_say(run->text, sizeof run->text,
             "%s follows; when last read it still missed %llu transactions", name,
             (unsigned long long)gtid_set_count(&missing));
    return NEXT_ROW;
}
