/* Verbs that ask: the state of the clusters, what was done, the runbook. They change nothing. */
#include "controller/serve/api.h"
#include "controller/serve/verbs.h"

#define HISTORY_DEFAULT 20
#define HISTORY_MAX     1000

/* Lists over one cluster or all. */
static void answer_list(struct request *r, json_t *data)
{
    if (data == NULL)
        request_refuse_cluster(r);
    else
        request_answer(r, data);
}

void verb_status(struct request *r)
{
    answer_list(r, api_status(r->control, r->cluster));
}

void verb_problems(struct request *r)
{
    answer_list(r, api_problems(r->control, r->cluster));
}

void verb_check(struct request *r)
{
    answer_list(r, api_check(r->control, r->cluster));
}

void verb_topology(struct request *r)
{
    json_t *out = json_object(), *list = json_array();
    struct control_cluster c;
    bool found = r->cluster == NULL;
    for (size_t i = 0; i < r->control->cluster_count(r->control->ctx); i++) {
        if (!r->control->cluster_at(r->control->ctx, i, &c) ||
            (r->cluster != NULL && strcmp(r->cluster, c.config->name) != 0))
            continue;
        found = true;
        stay_json_append(list, api_topology(&c));
    }
    stay_json_set(out, "clusters", list);
    if (found) {
        request_answer(r, out);
        return;
    }
    json_decref(out);
    request_refuse_cluster(r);
}

void verb_verdict(struct request *r)
{
    struct control_cluster c;
    if (request_cluster(r, &c))
        request_answer(r, api_verdict(&c));
}

/* The server's name and address alone, for scripts: `mainstay which-primary shop`. */
void verb_which_primary(struct request *r)
{
    struct control_cluster c;
    if (!request_cluster(r, &c))
        return;
    uint32_t node = api_writable_primary(&c);
    if (node == NO_NODE)
        request_refuse(r, 1, NULL, "cluster %s has no writable primary now", r->cluster);
    else
        request_answer(r, api_node(&c, node));
}

static void listed(void *ctx, enum stay_rc rc, const json_t *data, const struct stay_error *err)
{
    struct request *r = ctx;
    r->is_pending = false;
    if (rc != STAY_OK) {
        request_fail(r, rc, 0, err);
        return;
    }
    if (json_is_object(data)) {
        request_answer(r, json_deep_copy(data));
        return;
    }
    json_t *out = json_object();
    stay_json_set(out, "plans", data == NULL ? json_array() : json_deep_copy(data));
    request_answer(r, out);
}

void verb_history(struct request *r)
{
    struct control_cluster c;
    json_int_t max = json_integer_value(json_object_get(r->args, "max"));
    if (r->cluster != NULL && !request_cluster(r, &c))
        return;
    r->is_pending = true;
    r->control->history(r->control->ctx, r->cluster, NULL,
                        max < 1 || max > HISTORY_MAX ? HISTORY_DEFAULT : (size_t)max, listed, r);
}

static void found(void *ctx, enum stay_rc rc, const json_t *data, const struct stay_error *err)
{
    struct request *r = ctx;
    r->is_pending = false;
    if (rc == STAY_OK)
        request_answer(r, api_document(r->control, data));
    else
        request_fail(r, rc, 0, err);
}

static void found_last(void *ctx, enum stay_rc rc, const json_t *data, const struct stay_error *err)
{
    struct request *r = ctx;
    const json_t *list = json_is_object(data) ? json_object_get(data, "plans") : data;
    const char *id = json_string_value(json_object_get(json_array_get(list, 0), "id"));
    if (rc != STAY_OK) {
        r->is_pending = false;
        request_fail(r, rc, 0, err);
    } else if (id == NULL) {
        r->is_pending = false;
        request_refuse(r, 1, NULL, "nothing was done yet: there is no plan to explain");
    } else {
        char kept[64];
        (void)stay_copy(kept, sizeof kept, id);
        r->control->history(r->control->ctx, r->cluster, kept, 1, found, r);
    }
}

void verb_explain(struct request *r)
{
    const char *id = request_arg(r, "id");
    r->is_pending = true;
    if (id == NULL || strcmp(id, "last") == 0)
        r->control->history(r->control->ctx, r->cluster, NULL, 1, found_last, r);
    else
        r->control->history(r->control->ctx, NULL, id, 1, found, r);
}

/* what-if CLUSTER --lose node:N|zone:Z: judged on a copy of the view; without --lose every death
 * that is rehearsed. Changes nothing. */
void verb_what_if(struct request *r)
{
    struct control_cluster c;
    struct rehearsal_loss loss;
    struct stay_error err = {0};
    const char *lose = request_arg(r, "lose");
    if (!request_cluster(r, &c))
        return;
    if (lose == NULL)
        request_answer(r, api_rehearsals(&c));
    else if (rehearsal_parse(c.config, lose, &loss, &err) != STAY_OK)
        request_refuse(r, 2, NULL, "--lose: %s", err.text);
    else
        request_answer(r, api_what_if(&c, &loss));
}

void verb_runbook(struct request *r)
{
    json_t *out = json_object();
    stay_json_set_string(out, "runbook", r->control->runbook(r->control->ctx));
    request_answer(r, out);
}

void verb_version(struct request *r)
{
    json_t *out = json_object();
    stay_json_set_string(out, "version", MAINSTAY_VERSION);
    request_answer(r, out);
}
