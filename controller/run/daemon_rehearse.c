/* Rehearsals: each minute the decision core plays the primary's death and each zone's on a copy of
 * the view. What changed is said in the log; what was foretold of a failover is kept with it. */
#include "base/base.h"
#include "base/json.h"
#include "controller/run/daemon_private.h"

#define FIRST_US                                                                                   \
    (5 * STAY_SECOND) /* after a start or a plan: facts of every group are in by then */

static const char *cluster_name(const struct daemon_cluster *c)
{
    return c->settings->config.name;
}

static const struct rehearsal *find(const struct rehearsal *list, size_t count,
                                    const struct rehearsal_loss *loss)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].loss.is_zone == loss->is_zone && strcmp(list[i].loss.name, loss->name) == 0)
            return &list[i];
    return NULL;
}

/* Said when it changes; the first round says only what is blocked. */
static void log_change(const struct daemon_cluster *c, const struct rehearsal *before,
                       const struct rehearsal *now)
{
    bool was = before ? before->is_failable : true;
    if (was == now->is_failable)
        return;
    char name[NAME_MAX_LEN + 8], rule[8];
    struct verdict verdict = verdict_objective(OBJECTIVE_FAILABLE);
    rehearsal_name(&now->loss, name);
    (void)snprintf(rule, sizeof rule, "%u", verdict.rule_id);
    struct log_field fields[] = {{"MAINSTAY_CLUSTER", cluster_name(c)}, {"MAINSTAY_RULE", rule}};
    if (now->is_failable)
        log_write(LOG_LEVEL_NOTICE, fields, STAY_COUNT(fields),
                  "%s: rehearsed: the loss of %s would be survived again", cluster_name(c), name);
    else
        log_write(LOG_LEVEL_WARNING, fields, STAY_COUNT(fields),
                  "%s: %s (%s): rehearsed: the loss of %s would not be survived%s: %s",
                  cluster_name(c), verdict.name, rule, name, before ? " any more" : "",
                  now->blocks[0]);
}

static bool is_quiet(const struct daemon_cluster *c, int64_t now)
{
    return c->is_ready && c->view.record.adopted && c->view.primary != NO_NODE &&
           !daemon_cluster_is_busy(c) && !c->decision.suspicion && !c->view.isolated &&
           c->view.store_ok && now >= c->view.hold_until_mono_us;
}

void daemon_rehearse_soon(struct daemon_cluster *c)
{
    /* many clusters must not all rehearse in one turn of the loop */
    int64_t spread_us = (int64_t)(c->birth % 16) * DAEMON_TICK_US;
    c->rehearse_due_mono_us = loop_now_mono_us(&c->daemon->loop) + FIRST_US + spread_us;
}

void daemon_rehearse(struct daemon_cluster *c)
{
    int64_t now = loop_now_mono_us(&c->daemon->loop), wall = loop_now_wall_us(&c->daemon->loop);
    if (now < c->rehearse_due_mono_us || !is_quiet(c, now))
        return;
    struct rehearsal_loss losses[NODES_MAX + 1];
    rehearsal_of_node(&c->settings->config, c->view.primary, &losses[0]);
    size_t count = 1 + rehearsal_zones(&c->settings->config, &losses[1]);
    struct rehearsal *list = stay_calloc(count, sizeof *list);
    bool is_all_well = true;
    for (size_t i = 0; i < count; i++) {
        rehearsal_judge(&c->view, executor_run(c->executor), &c->fleet, &losses[i], &c->step_times,
                        now, wall, &list[i]);
        is_all_well = is_all_well && (list[i].is_failable || !list[i].primary_lost);
        log_change(c, find(c->rehearsals, c->rehearsal_count, &losses[i]), &list[i]);
    }
    free(c->rehearsals);
    c->rehearsals = list;
    c->rehearsal_count = count;
    c->rehearsed_mono_us = now;
    c->rehearsed_wall_us = wall;
    c->rehearse_due_mono_us = now + (is_all_well ? DAEMON_REHEARSE_US : DAEMON_REHEARSE_BLOCKED_US);
}

/* Which rehearsal comes nearest: a primary that refuses died as a process does, one that is silent
 * as its zone does. */
static const struct rehearsal *that_happens(const struct daemon_cluster *c,
                                            const struct plan_run *run)
{
    const struct cluster_config *config = &c->settings->config;
    struct rehearsal_loss loss;
    rehearsal_of_node(config, run->old_primary, &loss);
    if (c->view.nodes[run->old_primary].refused_first_mono_us == STAY_NEVER) {
        loss.is_zone = true;
        (void)stay_copy(loss.name, sizeof loss.name, config->nodes[run->old_primary].zone);
    }
    return find(c->rehearsals, c->rehearsal_count, &loss);
}

void daemon_rehearse_begun(struct daemon_cluster *c, const struct plan_run *run)
{
    json_decref(c->prediction);
    c->prediction = NULL;
    c->predicted_outage_us = -1;
    if (run->kind != PLAN_FAILOVER || run->old_primary >= c->settings->config.node_count)
        return;
    const struct rehearsal *r = that_happens(c, run);
    if (!r)
        return;
    char name[NAME_MAX_LEN + 8];
    json_t *p = json_object();
    rehearsal_name(&r->loss, name);
    stay_json_set_string(p, "lose", name);
    stay_json_set_int(p, "rehearsed_wall_us", c->rehearsed_wall_us);
    stay_json_set_int(p, "age_us", run->begun_mono_us - c->rehearsed_mono_us);
    stay_json_set_bool(p, "failable", r->is_failable);
    stay_json_set_string(p, "candidate", daemon_node_name(c, r->candidate));
    stay_json_set_string(p, "certificate",
                         r->has_certificate ? certificate_kind_text(r->certificate.kind) : NULL);
    stay_json_set_string(p, "block", r->block_count == 0 ? NULL : r->blocks[0]);
    stay_json_set_int(p, "plans", r->forecast.plans);
    if (r->outage_us < 0)
        stay_json_set(p, "outage_us", json_null());
    else
        stay_json_set_int(p, "outage_us", r->outage_us);
    if (r->outage_us >= 0)
        stay_json_set_int(p, "closed_us", r->outage_us - r->sign_us);
    c->prediction = p;
    c->predicted_outage_us = r->outage_us < 0 ? -1 : r->outage_us - r->sign_us; /* as the plan's */
}

void daemon_rehearse_ended(struct daemon_cluster *c, const struct plan_run *run)
{
    daemon_rehearse_soon(c);
    (void)step_times_add(&c->step_times, run);
    int64_t outage_us = daemon_run_outage_us(c, run);
    if (run->kind != PLAN_FAILOVER || run->state != RUN_SUCCEEDED || !c->prediction ||
        outage_us < 0 || c->predicted_outage_us < 0)
        return;
    c->prediction_error_us = outage_us - c->predicted_outage_us;
    c->has_prediction_error = true;
    stay_json_set_int(c->prediction, "error_us", c->prediction_error_us);
}

void daemon_rehearse_learn(struct daemon_cluster *c, const json_t *document)
{
    struct plan_run *run = stay_calloc(1, sizeof *run);
    const json_t *json = json_object_get(document, "run");
    if (json && plan_run_from_json(json, &c->settings->config, run, NULL) == STAY_OK)
        (void)step_times_add(&c->step_times, run);
    plan_run_clear(run);
    free(run);
}

static void drop_round(struct daemon_cluster *c)
{
    free(c->rehearsals);
    c->rehearsals = NULL;
    c->rehearsal_count = 0;
}

void daemon_rehearse_forget(struct daemon_cluster *c)
{
    drop_round(c);
    daemon_rehearse_soon(c);
}

void daemon_rehearse_clear(struct daemon_cluster *c)
{
    drop_round(c);
    json_decref(c->prediction);
    c->prediction = NULL;
}
