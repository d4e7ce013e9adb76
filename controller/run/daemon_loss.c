/* The loss as measured: an old primary came back, and what it holds that the new one does not. */
#include "base/base.h"
#include "base/json.h"
#include "controller/run/daemon_private.h"

struct measured {
    struct daemon *daemon;
    char key[STORE_KEY_MAX + 1];
    json_t *value;
};

static void on_measured_document(void *ctx, enum stay_rc rc, const struct store_item *items,
                                 size_t count, const struct stay_error *err)
{
    struct measured *m = ctx;
    STAY_AUTO(stay_json_drop) json_t *doc = NULL;
    json_t *summary = NULL;
    (void)err;
    if (rc == STAY_OK && count > 0 &&
        stay_json_parse(items[0].value, strlen(items[0].value), &doc, NULL) == STAY_OK &&
        stay_json_get_object(doc, "summary", &summary, NULL) == STAY_OK) {
        stay_json_set(summary, "measured", json_incref(m->value));
        daemon_put_document(m->daemon, m->key, doc);
        history_update(m->daemon->history, summary);
    }
    json_decref(m->value);
    free(m);
}

static json_t *measured_value(struct daemon_cluster *c, uint32_t node)
{
    struct gtid_set extra = {0};
    gtid_set_copy(&extra, &c->view.nodes[node].facts.executed);
    gtid_set_subtract(&extra, &c->view.nodes[c->view.primary].facts.executed);
    uint64_t count = gtid_set_count(&extra);
    STAY_AUTO(stay_free_charp) char *text = gtid_set_format(&extra);
    gtid_set_clear(&extra);
    json_t *value = json_object();
    stay_json_set_string(value, "node", daemon_node_name(c, node));
    stay_json_set_int(value, "extra_transactions", (int64_t)count);
    stay_json_set_string(value, "extra_set", text);
    stay_json_set_int(value, "at_wall_us", loop_now_wall_us(&c->daemon->loop));
    struct log_field fields[] = {{"MAINSTAY_CLUSTER", c->settings->config.name},
                                 {"MAINSTAY_NODE", daemon_node_name(c, node)}};
    log_write(count ? LOG_LEVEL_WARNING : LOG_LEVEL_NOTICE, fields, STAY_COUNT(fields),
              "%s: %s came back with %llu transactions that %s does not hold%s%s",
              c->settings->config.name, daemon_node_name(c, node), (unsigned long long)count,
              c->view.record.primary, count ? ": " : "", text);
    return value;
}

void daemon_measure_loss(struct daemon_cluster *c)
{
    struct cluster_view *view = &c->view;
    int64_t now = loop_now_mono_us(&c->daemon->loop);
    if (!c->is_measure_due || view->primary == NO_NODE || daemon_cluster_is_busy(c))
        return;
    bool is_known = !c->daemon->is_history_loaded;
    for (uint32_t n = 0; n < c->settings->config.node_count; n++) {
        const json_t *summary = history_last_demotion(c->daemon->history, c->settings->config.name,
                                                      c->settings->config.nodes[n].name);
        is_known = is_known || summary;
        if (!summary || n == view->primary)
            continue;
        if (json_object_get(summary, "measured")) {
            c->is_measure_due = false;
            return;
        }
        int64_t ended_wall = 0;
        if (!cluster_node_fresh(view, n, now) || !cluster_node_fresh(view, view->primary, now) ||
            stay_json_get_int(summary, "ended_wall_us", &ended_wall, NULL) != STAY_OK ||
            loop_now_wall_us(&c->daemon->loop) - (now - view->nodes[n].facts_begun_mono_us) <
                ended_wall ||
            view->nodes[view->primary].facts_begun_mono_us < view->nodes[n].facts_mono_us)
            return; /* the primary is read last: a replica follows it on */
        struct measured *m = stay_calloc(1, sizeof *m);
        char id[64] = "";
        m->daemon = c->daemon;
        must(stay_json_get_copy(summary, "id", id, sizeof id, NULL) == STAY_OK);
        must(history_key(c->settings->config.name, id, m->key));
        m->value = measured_value(c, n);
        c->is_measure_due = false;
        c->daemon->store->ops->get(c->daemon->store, m->key, 1, on_measured_document, m);
        return;
    }
    c->is_measure_due = is_known; /* no demotion of a server here: nothing until the next one */
}
