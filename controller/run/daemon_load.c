/* Reading the store at start: the kill switch, every plan's document, every cluster's record. Until
 * that is done a cluster is watched but not judged. */
#include "base/base.h"
#include "base/json.h"
#include "controller/run/daemon_evacuate.h"

#define LOAD_PLANS_MAX 30000 /* HISTORY_KEEP for every cluster there may be */

/* A journal that was not ended is taken up by its cluster: of several the one of the highest epoch,
 * and only if the record still names it (executor_resume). */
static void keep_journal(struct daemon *d, const struct store_item *item)
{
    STAY_AUTO(stay_json_drop) json_t *doc = NULL;
    json_t *summary = NULL, *run = NULL;
    const char *cluster = NULL;
    int64_t ended = 0, epoch = 0;
    if (stay_json_parse(item->value, strlen(item->value), &doc, NULL) != STAY_OK ||
        stay_json_get_object(doc, "summary", &summary, NULL) != STAY_OK ||
        stay_json_get_object(doc, "run", &run, NULL) != STAY_OK ||
        stay_json_get_string(summary, "cluster", &cluster, NULL) != STAY_OK ||
        stay_json_get_int_or(summary, "ended_wall_us", 0, &ended, NULL) != STAY_OK ||
        stay_json_get_int_or(summary, "epoch", 0, &epoch, NULL) != STAY_OK || ended != 0)
        return;
    struct daemon_cluster *c = daemon_cluster_named(d, cluster);
    if (!c || (c->resume_text && epoch < c->resume_epoch))
        return;
    c->resume_epoch = epoch;
    free(c->resume_text);
    c->resume_text = stay_json_dump_compact(run);
    log_write(LOG_LEVEL_NOTICE, &(struct log_field){"MAINSTAY_CLUSTER", cluster}, 1,
              "%s: a plan was left unfinished (%s), it is taken up once every server was asked",
              cluster, item->key + strlen(HISTORY_PREFIX));
}

static void learn(struct daemon *d, const struct store_item *item)
{
    STAY_AUTO(stay_json_drop) json_t *doc = NULL;
    json_t *summary = NULL;
    const char *cluster = NULL, *kind = NULL;
    if (stay_json_parse(item->value, strlen(item->value), &doc, NULL) != STAY_OK ||
        stay_json_get_object(doc, "summary", &summary, NULL) != STAY_OK ||
        stay_json_get_string(summary, "cluster", &cluster, NULL) != STAY_OK ||
        stay_json_get_string(summary, "kind", &kind, NULL) != STAY_OK ||
        strcmp(kind, plan_kind_text(PLAN_FAILOVER)) != 0)
        return;
    struct daemon_cluster *c = daemon_cluster_named(d, cluster);
    if (c)
        daemon_rehearse_learn(c, doc);
}

static void on_plans(void *ctx, enum stay_rc rc, const struct store_item *items, size_t count,
                     const struct stay_error *err)
{
    struct daemon *d = ctx;
    daemon_store_result(d, rc, err);
    if (rc != STAY_OK)
        return;
    d->is_history_loaded = true;
    for (size_t i = 0; i < count; i++) {
        history_take(d->history, &items[i]);
        learn(d, &items[i]);
        keep_journal(d, &items[i]);
    }
    for (size_t i = 0; i < d->cluster_count; i++)
        daemon_load_cluster(d->clusters[i]);
}

static void on_paused(void *ctx, enum stay_rc rc, const struct store_item *items, size_t count,
                      const struct stay_error *err)
{
    struct daemon *d = ctx;
    daemon_store_result(d, rc, err);
    if (rc != STAY_OK || count == 0)
        return;
    STAY_AUTO(stay_json_drop) json_t *json = NULL;
    d->pause_version = items[0].version;
    d->is_paused = true; /* unreadable: paused is the safe reading */
    (void)stay_copy(d->paused_by, sizeof d->paused_by, "unreadable entry in the store");
    const char *by = "";
    if (stay_json_parse(items[0].value, strlen(items[0].value), &json, NULL) != STAY_OK ||
        stay_json_get_bool(json, "paused", &d->is_paused, NULL) != STAY_OK)
        return;
    if (stay_json_get_string_or(json, "actor", "", &by, NULL) == STAY_OK)
        (void)stay_copy(d->paused_by, sizeof d->paused_by, by);
    if (d->is_paused)
        log_plain(LOG_LEVEL_WARNING,
                  "the kill switch is on (by %s): nothing is acted upon until "
                  "`mainstay resume`",
                  d->paused_by);
}

void daemon_load(struct daemon *d)
{
    d->store->ops->get(d->store, "controller/paused", 1, on_paused, d);
    daemon_evacuate_load(d);
    d->store->ops->get(d->store, HISTORY_PREFIX, LOAD_PLANS_MAX, on_plans, d);
}

/* --- one cluster's record -------------------------------------------------------------------- */

struct load_ctx {
    struct daemon *daemon;
    char name[NAME_MAX_LEN];
};

static void take_record(struct daemon_cluster *c, const struct store_item *item)
{
    struct cluster_record record = {0};
    struct stay_error err;
    STAY_AUTO(stay_json_drop) json_t *json = NULL;
    enum stay_rc rc = STAY_OK;
    if (item) {
        rc = stay_json_parse(item->value, strlen(item->value), &json, &err);
        if (rc == STAY_OK)
            rc = cluster_record_from_json(json, &c->settings->config, &record, &err);
        record.version = item->version;
    }
    struct log_field field = {"MAINSTAY_CLUSTER", c->settings->config.name};
    if (rc != STAY_OK) {
        /* Not judged, not acted upon: a record we cannot read may name another primary. */
        log_write(LOG_LEVEL_ERROR, &field, 1,
                  "%s: its record in the state file cannot be read (%s): nothing is done for this "
                  "cluster; start the mainstayd that wrote it, or restore the state file",
                  field.value, err.text);
        return;
    }
    cluster_set_record(&c->view, &record);
    bool is_first = !c->is_loaded;
    c->is_loaded = true;
    daemon_probes_set_primary(c);
    daemon_mark_dirty(c);
    c->daemon->is_runbook_dirty = true;
    if (is_first)
        log_write(LOG_LEVEL_NOTICE, &field, 1, "%s: %s, primary %s, epoch %llu", field.value,
                  record.adopted ? "adopted" : "only observed until `mainstay adopt`",
                  record.primary[0] ? record.primary : "not known",
                  (unsigned long long)record.epoch);
}

static void on_record(void *ctx, enum stay_rc rc, const struct store_item *items, size_t count,
                      const struct stay_error *err)
{
    struct load_ctx *load = ctx;
    struct daemon *d = load->daemon;
    struct daemon_cluster *c = rc == STAY_ECANCELED ? NULL : daemon_cluster_named(d, load->name);
    free(load);
    if (!c)
        return;
    daemon_store_result(d, rc, err);
    if (rc == STAY_OK)
        take_record(c, count > 0 ? &items[0] : NULL);
}

void daemon_load_cluster(struct daemon_cluster *c)
{
    char key[STORE_KEY_MAX + 1];
    struct load_ctx *load = stay_calloc(1, sizeof *load);
    load->daemon = c->daemon;
    (void)stay_copy(load->name, sizeof load->name, c->settings->config.name);
    daemon_record_key(c, key);
    c->daemon->store->ops->get(c->daemon->store, key, 1, on_record, load);
}
