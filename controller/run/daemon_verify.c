/* Are a replica's rows the primary's? A job of its own reads both; no plan waits for it. */
#include "base/base.h"
#include "controller/act/effects.h"
#include "controller/act/effects_errant.h"
#include "controller/run/daemon_private.h"
#include "controller/run/daemon_verify.h"

struct verifying {
    control_done_fn done;
    void *done_ctx;
    json_t *word; /* what the job said */
    char cluster[NAME_MAX_LEN], primary[NAME_MAX_LEN], node[NAME_MAX_LEN];
};

static void on_told(void *arg, const json_t *word)
{
    struct verifying *v = arg;
    v->word = json_deep_copy(word);
}

static void on_verified(void *arg, uint64_t token, const struct effect_result *result)
{
    struct verifying *v = arg;
    struct stay_error err = {0};
    struct log_field fields[] = {{"MAINSTAY_CLUSTER", v->cluster}, {"MAINSTAY_NODE", v->node}};
    STAY_AUTO(stay_json_drop) json_t *data = json_is_object(v->word) ? v->word : json_object();
    bool differs = json_integer_value(json_object_get(data, "differences")) > 0;
    (void)token;
    log_write(differs ? LOG_LEVEL_WARNING : LOG_LEVEL_NOTICE, fields, STAY_COUNT(fields),
              "%s: rows of %s compared with %s's: %s", v->cluster, v->node, v->primary,
              result->text);
    stay_json_set_string(data, "text", result->text);
    stay_json_set_string(data, "primary", v->primary);
    stay_json_set_string(data, "node", v->node);
    if (result->outcome == OUTCOME_DONE)
        v->done(v->done_ctx, STAY_OK, data, NULL);
    else
        v->done(v->done_ctx, stay_error(&err, STAY_EUNKNOWN, "nothing is proven: %s", result->text),
                NULL, &err);
    free(v);
}

/* It follows the primary, or it will never come up with it. */
static enum stay_rc may_verify(const struct daemon_cluster *c, uint32_t node,
                               struct stay_error *err)
{
    const struct cluster_view *view = &c->view;
    const char *name = daemon_node_name(c, node);
    if (!c->is_loaded || view->primary == NO_NODE)
        return stay_error(err, STAY_EREFUSED, "no primary is known");
    if (node == view->primary)
        return stay_error(err, STAY_EREFUSED, "%s is the primary: name a replica", name);
    if (view->record.quarantine[node] != QUARANTINE_NONE)
        return stay_error(err, STAY_EREFUSED, "%s is quarantined, it does not follow", name);
    if (!(view->nodes[node].groups_known & FACTS_STATUS) ||
        cluster_source_of(view, node) != view->primary)
        return stay_error(err, STAY_EREFUSED, "%s does not follow %s", name,
                          daemon_node_name(c, view->primary));
    return STAY_OK;
}

void daemon_verify(void *ctx, const char *cluster, uint32_t node, const char *actor,
                   control_done_fn done, void *done_ctx)
{
    static const struct gtid_set nothing = {0};
    struct daemon_cluster *c = daemon_cluster_named(ctx, cluster);
    struct stay_error err = {0};
    enum stay_rc rc = c == NULL ? stay_error(&err, STAY_ENOTFOUND, "no cluster '%s'", cluster)
                                : may_verify(c, node, &err);
    if (rc != STAY_OK) {
        done(done_ctx, rc, NULL, &err);
        return;
    }
    struct verifying *v = stay_calloc(1, sizeof *v);
    *v = (struct verifying){.done = done, .done_ctx = done_ctx};
    (void)stay_copy(v->cluster, sizeof v->cluster, cluster);
    (void)stay_copy(v->primary, sizeof v->primary, daemon_node_name(c, c->view.primary));
    (void)stay_copy(v->node, sizeof v->node, daemon_node_name(c, node));
    struct log_field fields[] = {{"MAINSTAY_CLUSTER", cluster}, {"MAINSTAY_NODE", v->node}};
    log_write(LOG_LEVEL_NOTICE, fields, STAY_COUNT(fields),
              "%s: %s has the rows of %s compared with %s's", cluster, actor, v->node, v->primary);
    struct errant_order order = {.verb = ERRANT_VERIFY, .told = on_told};
    effects_errant_job(c->daemon->effects, cluster, &order, node, c->view.primary,
                       c->view.record.epoch, &nothing, on_verified, v);
}
