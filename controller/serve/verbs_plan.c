/* The socket's verbs that start plans, wait for them, watch them or end them.
 *
 * Happy path: listen -> start_plan -> events -> the plan ends -> one answer. A client that goes
 * away stops listening; its plan goes on. */
#include "controller/act/executor.h"
#include "controller/settings/suggest.h"
#include "controller/serve/api.h"
#include "controller/serve/verbs.h"

/* A run's exit code; *ret_refused is the safety rule that stopped it, or NULL. */
static int exit_of_run(const struct plan_run *run, const char **ret_refused)
{
    size_t count;
    const struct plan_row *rows = plan_rows(run->kind, &count);
    *ret_refused = NULL;
    if (run->state == RUN_SUCCEEDED)
        return 0;
    if (run->past_no_return)
        return 5;
    for (uint32_t i = 0; i < count && i < PLAN_ROWS_MAX; i++) {
        if (run->rows[i].state != ROW_FAILED)
            continue;
        if (rows[i].step == STEP_CHECK || rows[i].step == STEP_CHOOSE)
            *ret_refused = "precondition";
        else if (rows[i].step == STEP_CERTIFY)
            *ret_refused = "certificate";
        else if (rows[i].step == STEP_HOOK_PRE)
            *ret_refused = "hook-veto";
        if (*ret_refused != NULL)
            return 3;
    }
    return 1;
}

static void answer_ended(struct request *r, json_t *data, int exit_code, const char *refused)
{
    if (exit_code == 0) {
        request_answer(r, data);
        return;
    }
    json_t *names = NULL;
    const char *text = json_string_value(json_object_get(data, "text"));
    if (refused[0] != '\0') {
        names = json_array();
        stay_json_append(names, json_string(refused));
    }
    request_refuse(r, exit_code, names, "plan %s ended %s: %s",
                   json_string_value(json_object_get(data, "id")),
                   json_string_value(json_object_get(data, "state")),
                   text == NULL ? "no reason was recorded" : text);
    json_decref(data);
}

static bool on_event(void *ctx, const char *cluster, int note, const struct plan_run *run,
                     uint32_t row)
{
    struct request *r = ctx;
    struct control_cluster c;
    if (r->is_starting && r->plan_id[0] == '\0')
        (void)stay_copy(r->plan_id, sizeof r->plan_id, run->id);
    if (strcmp(r->plan_id, run->id) != 0)
        return true;
    bool read = request_event(r, api_event(cluster, note, run, row));
    if (note != EXEC_PLAN_ENDED)
        return read || r->is_starting;
    bool known = r->control->cluster_named(r->control->ctx, cluster, &c);
    const char *refused;
    json_t *data = api_run(run, known ? c.config : NULL);
    int exit_code = exit_of_run(run, &refused);
    r->is_listening = false;
    if (r->is_starting) {
        r->ended = data;
        r->ended_exit = exit_code;
        (void)stay_copy(r->ended_refused, sizeof r->ended_refused, refused == NULL ? "" : refused);
    } else {
        answer_ended(r, data, exit_code, refused == NULL ? "" : refused);
    }
    return false;
}

static void start(struct request *r, enum plan_kind kind, struct plan_params *params)
{
    struct control_cluster c;
    struct stay_error err = {0};
    uint32_t vetoes = 0;
    bool wait = json_is_true(json_object_get(r->args, "wait"));
    if (!request_cluster(r, &c))
        return;
    (void)stay_copy(params->actor, sizeof params->actor, r->actor);
    params->detected_mono_us = STAY_NEVER;
    if (r->dry_run) {
        request_answer(r, api_plan(&c, kind, params, false));
        return;
    }
    r->is_starting = true;
    if (wait) {
        r->is_listening = true;
        r->control->listen(r->control->ctx, r->cluster, on_event, r);
    }
    char id[24] = "";
    enum stay_rc rc =
        r->control->start_plan(r->control->ctx, r->cluster, kind, params, &vetoes, id, &err);
    r->is_starting = false;
    if (rc != STAY_OK) {
        request_fail(r, rc, vetoes, &err);
        return;
    }
    (void)stay_copy(r->plan_id, sizeof r->plan_id, id);
    if (r->ended != NULL) {
        json_t *data = r->ended;
        r->ended = NULL;
        answer_ended(r, data, r->ended_exit, r->ended_refused);
    } else if (!wait) {
        json_t *out = json_object();
        stay_json_set_string(out, "plan", id);
        stay_json_set_string(out, "state", "running");
        request_answer(r, out);
    }
}

/* A node by name; answers with exit 2 and returns false when it is not one of the cluster's. */
static bool node_named(struct request *r, const char *name, uint32_t *ret_node)
{
    struct control_cluster c;
    struct suggest near;
    char names[240] = "";
    if (!request_cluster(r, &c))
        return false;
    *ret_node = cluster_node_by_name(c.config, name);
    if (*ret_node != NO_NODE)
        return true;
    suggest_init(&near, name);
    for (uint32_t i = 0; i < c.config->node_count; i++) {
        size_t used = strlen(names);
        suggest_offer(&near, c.config->nodes[i].name);
        snprintf(names + used, sizeof names - used, "%s%s", i > 0 ? ", " : "",
                 c.config->nodes[i].name);
    }
    request_refuse(r, 2, NULL, "cluster %s has no node \"%.60s\"; it has: %s%s%s%s", c.config->name,
                   name, names, near.best == NULL ? "" : " (did you mean \"",
                   near.best == NULL ? "" : near.best, near.best == NULL ? "" : "\"?)");
    return false;
}

static bool choose_target(struct request *r, const char *key, bool needed,
                          struct plan_params *params)
{
    const char *name = request_arg(r, key);
    params->node = NO_NODE;
    if (name != NULL)
        return node_named(r, name, &params->node);
    if (!needed)
        return true;
    request_refuse(r, 2, NULL, "%s needs the name of a node: %s CLUSTER NODE", r->verb, r->verb);
    return false;
}

static bool take_reason(struct request *r, struct plan_params *params)
{
    const char *accept = request_arg(r, "accept_loss"), *reason = request_arg(r, "reason");
    params->accept_loss = accept != NULL;
    if (accept != NULL && accept[0] == '\0') {
        request_refuse(r, 2, NULL, "--accept-loss needs a reason: it is kept with your name");
        return false;
    }
    (void)stay_copy(params->reason, sizeof params->reason,
                    accept != NULL   ? accept
                    : reason != NULL ? reason
                                     : "");
    return true;
}

void verb_switchover(struct request *r)
{
    struct plan_params params = {0};
    const char *at = request_arg(r, "at");
    if (!choose_target(r, "to", false, &params) || !take_reason(r, &params))
        return;
    if (at != NULL && !r->dry_run)
        request_schedule(r, at, request_arg(r, "to"));
    else
        start(r, PLAN_SWITCHOVER, &params);
}

void verb_failover(struct request *r)
{
    struct plan_params params = {0};
    if (choose_target(r, "to", false, &params) && take_reason(r, &params))
        start(r, PLAN_FAILOVER, &params);
}

void verb_recover(struct request *r)
{
    struct plan_params params = {0};
    if (choose_target(r, "to", false, &params) && take_reason(r, &params))
        start(r, PLAN_RECOVER, &params);
}

static void on_node(struct request *r, enum plan_kind kind)
{
    struct plan_params params = {0};
    if (choose_target(r, "node", true, &params) && take_reason(r, &params))
        start(r, kind, &params);
}

/* A word that replaces a check, given with its reason; false: it was given without, and refused. */
static bool take_word(struct request *r, const char *arg, const char *option,
                      struct plan_params *params)
{
    const char *reason = request_arg(r, arg);
    params->accept_loss = reason != NULL;
    if (reason != NULL && reason[0] == '\0') {
        request_refuse(r, 2, NULL, "%s needs a reason: it is kept with your name", option);
        return false;
    }
    if (reason != NULL)
        (void)stay_copy(params->reason, sizeof params->reason, reason);
    return true;
}

void verb_rejoin(struct request *r)
{
    struct plan_params params = {0};
    if (choose_target(r, "node", true, &params) && take_reason(r, &params) &&
        take_word(r, "reseeded", "--reseeded", &params))
        start(r, PLAN_REJOIN, &params);
}

/* --from is a node's name; absent: chosen. */
void verb_reseed(struct request *r)
{
    struct plan_params params = {0};
    const char *from = request_arg(r, "from");
    if (!choose_target(r, "node", true, &params) || !take_reason(r, &params) ||
        !take_word(r, "drop", "--drop", &params))
        return;
    params.donor = NO_NODE;
    if (from == NULL || node_named(r, from, &params.donor))
        start(r, PLAN_RESEED, &params);
}

/* A human's word: what only this server holds is undone there, once it is saved. */
void verb_errant_reset(struct request *r)
{
    struct plan_params params = {0};
    if (!choose_target(r, "node", true, &params) || !take_reason(r, &params))
        return;
    params.accept_loss = true;
    if (params.reason[0] == '\0')
        (void)stay_copy(params.reason, sizeof params.reason, "errant reset");
    start(r, PLAN_REWIND, &params);
}

void verb_conform(struct request *r)
{
    on_node(r, PLAN_CONFORM);
}

void verb_fence(struct request *r)
{
    on_node(r, PLAN_FENCE);
}

void verb_unfence(struct request *r)
{
    on_node(r, PLAN_UNFENCE);
}

void verb_adopt(struct request *r)
{
    struct plan_params params = {.node = NO_NODE};
    if (take_reason(r, &params) && take_word(r, "take_over", "--take-over", &params))
        start(r, PLAN_ADOPT, &params);
}

/* plan CLUSTER failover|switchover|rejoin|reseed|recover: what would happen; starts nothing. */
void verb_plan(struct request *r)
{
    static const struct {
        const char *name;
        enum plan_kind kind;
    } kinds[] = {{"failover", PLAN_FAILOVER},
                 {"switchover", PLAN_SWITCHOVER},
                 {"rejoin", PLAN_REJOIN},
                 {"reseed", PLAN_RESEED},
                 {"recover", PLAN_RECOVER},
                 {"adopt", PLAN_ADOPT}};
    struct plan_params params = {.donor = NO_NODE};
    const char *kind = request_arg(r, "kind");
    for (size_t i = 0; i < STAY_COUNT(kinds) && kind != NULL; i++) {
        if (strcmp(kinds[i].name, kind) != 0)
            continue;
        bool on = kinds[i].kind == PLAN_REJOIN || kinds[i].kind == PLAN_RESEED;
        r->dry_run = true;
        if (choose_target(r, on ? "node" : "to", on, &params))
            start(r, kinds[i].kind, &params);
        return;
    }
    request_refuse(r, 2, NULL,
                   "a plan is one of failover, switchover, rejoin, reseed, recover, adopt");
}

void verb_abort(struct request *r)
{
    struct control_cluster c;
    struct stay_error err = {0};
    if (!request_cluster(r, &c))
        return;
    if (!c.running) {
        request_refuse(r, 1, NULL, "no plan runs on cluster %s", r->cluster);
        return;
    }
    if (r->dry_run) {
        request_answer(r, api_run_brief(c.run));
        return;
    }
    enum stay_rc rc = r->control->abort_plan(r->control->ctx, r->cluster, &err);
    if (rc != STAY_OK)
        request_fail(r, rc, 0, &err);
    else
        request_answer(r, api_run_brief(c.run));
}

static bool on_watched(void *ctx, const char *cluster, int note, const struct plan_run *run,
                       uint32_t row)
{
    struct request *r = ctx;
    bool read = request_event(r, api_event(cluster, note, run, row));
    if (!read)
        r->is_listening = false; /* on_gone ends the request */
    return read;
}

/* Events of every plan, until the client goes. */
void verb_watch(struct request *r)
{
    struct control_cluster c;
    if (r->cluster != NULL && !request_cluster(r, &c))
        return;
    r->is_listening = true;
    r->control->listen(r->control->ctx, r->cluster, on_watched, r);
}
