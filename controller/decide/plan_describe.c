/* controller/decide/plan_describe.c - a plan as it would run now, for --dry-run: the same rows the
 * executor would take, with today's targets and a certificate judged by what is known now. */
#include "base/json.h"
#include "controller/decide/plan_json_private.h"
#include "controller/decide/plan_private.h"

/* A primary that answers now is rehearsed to die as a killed one does: its ackers lose their
 * connections before they are frozen. Of one that is silent only what its ackers show counts. */
static void assume_seen_to_die(struct plan_run *run, const struct cluster_view *view, uint32_t lost,
                               int64_t now_mono_us)
{
    bool answers = !(lost & mask_of(run->old_primary)) && /* else its death is in the view */
                   plan_node_answers(view, run->old_primary, PLAN_ANSWERS_US, now_mono_us);
    for (uint32_t node = 0; node < view->config->node_count; node++)
        if (answers || view->nodes[node].facts.receiver != RECEIVER_RUNNING)
            run->lost_first |= NODE_BIT(node);
}

/* After a total outage the old primary is closed and read too, if it answers; what a restart cost
 * the others is not known before their relay logs are read. */
static void assume_recovered(struct plan_run *run, const struct cluster_view *view,
                             int64_t now_mono_us)
{
    uint32_t old = run->old_primary;
    run->doubted |= run->spare & ~run->r;
    run->r |= run->spare;
    if (!plan_node_answers(view, old, PLAN_ANSWERS_US, now_mono_us))
        return;
    run->fenced = true;
    gtid_set_copy(&run->fenced_executed, &view->nodes[old].facts.executed);
    gtid_set_copy(&run->executed[old], &view->nodes[old].facts.executed);
    run->collected |= NODE_BIT(old);
}

/* As if every node that answers, and is not lost, were frozen, drained and read now. */
static void assume_drained(struct plan_run *run, const struct cluster_view *view, uint32_t lost,
                           int64_t now_mono_us)
{
    uint32_t nodes = plan_nodes_answering(view, now_mono_us) & ~mask_of(run->old_primary) & ~lost;
    for (uint32_t node = 0; node < view->config->node_count; node++) {
        if (!(nodes & NODE_BIT(node)))
            continue;
        const struct server_facts *facts = &view->nodes[node].facts;
        gtid_set_copy(&run->executed[node], &facts->executed);
        gtid_set_union(&run->executed[node], &facts->received);
        gtid_set_copy(&run->received_high[node], &view->nodes[node].received_high);
        run->freeze_mono_us[node] = now_mono_us;
        run->collected |= NODE_BIT(node);
        run->f |= NODE_BIT(node);
        if (facts->applier_errno != 0)
            continue;
        run->spare |= NODE_BIT(node);
        if ((run->sound & NODE_BIT(node)) || !plan_restart_counts(view, node, &run->executed[node]))
            run->r |= NODE_BIT(node);
    }
    assume_seen_to_die(run, view, lost, now_mono_us);
    if (plan_kind_has(run->kind, TRAIT_ALL_RESTARTED))
        assume_recovered(run, view, now_mono_us);
    if (run->kind == PLAN_SWITCHOVER) {
        run->fenced = true;
        gtid_set_copy(&run->fenced_executed, &view->nodes[run->old_primary].facts.executed);
    }
}

static json_t *flags_to_json(unsigned flags)
{
    static const struct {
        unsigned flag;
        const char *text;
    } names[] = {{ROW_BEST_EFFORT, "best effort"},
                 {ROW_WITH_NEXT, "with next"},
                 {ROW_NO_RETURN, "point of no return"},
                 {ROW_SKIP_IF_DONE, "skipped if done"},
                 {ROW_NO_SAVE, "no save"}};
    json_t *list = json_array();
    for (size_t i = 0; i < STAY_COUNT(names); i++)
        if (flags & names[i].flag)
            stay_json_append(list, stay_json_string(names[i].text));
    return list;
}

static json_t *row_to_json(const struct plan_run *run, const struct cluster_view *view,
                           uint32_t row, int64_t now_mono_us)
{
    const struct plan_row *what = plan_row_at(run, row);
    bool nodes = step_kind_class(what->step) == CLASS_NODE;
    uint32_t targets = plan_foresee_targets(run, view, row, now_mono_us);
    json_t *obj = json_object();
    stay_json_set_string(obj, "step", step_kind_text(what->step));
    stay_json_set(obj, "targets", plan_mask_to_json(nodes ? targets : 0, view->config));
    stay_json_set_bool(obj, "skipped", targets == 0);
    stay_json_set_int(obj, "deadline_ms", what->deadline_us / STAY_MS);
    stay_json_set(obj, "flags", flags_to_json(what->flags));
    stay_json_set_string(obj, "why", what->why);
    return obj;
}

uint32_t plan_foresee_targets(const struct plan_run *run, const struct cluster_view *view,
                              uint32_t row, int64_t now_mono_us)
{
    bool is_drain = plan_row_at(run, row)->step == STEP_DRAIN;
    return is_drain ? run->f : plan_targets(run, view, row, now_mono_us);
}

enum stay_rc plan_foresee(struct plan_run *run, enum plan_kind kind,
                          const struct plan_params *params, const struct cluster_view *view,
                          uint32_t lost, int64_t now_mono_us, int64_t now_wall_us,
                          struct stay_error *err)
{
    enum stay_rc rc = plan_start(run, kind, params, view, now_mono_us, now_wall_us, err);
    if (rc != STAY_OK || !plan_kind_has(kind, TRAIT_MOVES_PRIMARY))
        return rc;
    assume_drained(run, view, lost, now_mono_us);
    plan_compute(run, view, plan_row_of(kind, STEP_CHOOSE), now_mono_us);
    if (run->candidate != NO_NODE)
        plan_certify(run, view, now_mono_us);
    return STAY_OK;
}

static json_t *certificate_now(const struct plan_run *run)
{
    if (run->candidate == NO_NODE || !plan_kind_has(run->kind, TRAIT_MOVES_PRIMARY))
        return json_null();
    return certificate_to_json(&run->certificate);
}

json_t *plan_describe(enum plan_kind kind, const struct plan_params *params,
                      const struct cluster_view *view, int64_t now_mono_us, int64_t now_wall_us)
{
    struct plan_run run = {0};
    struct stay_error err = {0};
    json_t *obj = json_object();
    json_t *list = json_array();
    stay_json_set_string(obj, "kind", plan_kind_text(kind));
    if (plan_foresee(&run, kind, params, view, 0, now_mono_us, now_wall_us, &err) != STAY_OK) {
        stay_json_set_string(obj, "refused", err.text);
        stay_json_set_string(obj, "candidate", NULL);
        stay_json_set(obj, "certificate", json_null());
        stay_json_set(obj, "rows", list);
        return obj;
    }
    size_t count = 0;
    (void)plan_rows(kind, &count);
    stay_json_set_string(obj, "refused", NULL);
    stay_json_set_string(obj, "candidate",
                         run.candidate == NO_NODE ? NULL : plan_node_name(view, run.candidate));
    stay_json_set_string(obj, "donor",
                         run.donor == NO_NODE ? NULL : plan_node_name(view, run.donor));
    stay_json_set(obj, "certificate", certificate_now(&run));
    for (uint32_t row = 0; row < count; row++)
        stay_json_append(list, row_to_json(&run, view, row, now_mono_us));
    stay_json_set(obj, "rows", list);
    plan_run_clear(&run);
    return obj;
}
