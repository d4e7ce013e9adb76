/* A new configuration without dropping probes: read and checked whole first; clusters are matched
 * by name. Anything wrong, or a plan running on a cluster whose inventory changes: nothing
 * changes. */
#include "base/base.h"
#include "base/io/notify.h"
#include "controller/run/daemon_private.h"
#include "controller/serve/serve.h"

static bool same_inventory(const struct cluster_config *a, const struct cluster_config *b)
{
    if (a->engine != b->engine || a->node_count != b->node_count)
        return false;
    for (uint32_t n = 0; n < a->node_count; n++)
        if (strcmp(a->nodes[n].name, b->nodes[n].name) != 0 ||
            strcmp(a->nodes[n].host, b->nodes[n].host) != 0 || a->nodes[n].port != b->nodes[n].port)
            return false;
    return true;
}

static enum stay_rc check_plans(const struct daemon *d, const struct settings *after,
                                struct stay_error *err)
{
    for (size_t i = 0; i < d->cluster_count; i++) {
        struct daemon_cluster *c = d->clusters[i];
        const char *name = c->settings->config.name;
        const struct settings_cluster *now = settings_cluster_named(after, name);
        bool is_idle = !daemon_cluster_is_busy(c) && daemon_save_is_idle(c);
        if (now && c->settings->config.engine != now->config.engine)
            return stay_error(err, STAY_EINVALID,
                              "%s: a cluster's engine cannot change: give the "
                              "new one another name",
                              name);
        if (!is_idle && (!now || !same_inventory(&c->settings->config, &now->config)))
            return stay_error(err, STAY_EBUSY,
                              "a plan runs on %s: its servers change when it has ended, reload "
                              "again then",
                              name);
    }
    return STAY_OK;
}

static void remove_gone(struct daemon *d, const struct settings *after)
{
    for (size_t i = 0; i < d->cluster_count;) {
        struct daemon_cluster *c = d->clusters[i];
        if (settings_cluster_named(after, c->settings->config.name)) {
            i++;
            continue;
        }
        log_plain(LOG_LEVEL_NOTICE, "%s: no longer in the configuration, not watched any more",
                  c->settings->config.name);
        daemon_probes_remove(c);
        daemon_cluster_free(c);
        memmove(&d->clusters[i], &d->clusters[i + 1],
                (d->cluster_count - i - 1) * sizeof d->clusters[0]);
        d->cluster_count--;
    }
}

static void take_over(struct daemon *d, const struct settings *after)
{
    for (uint32_t i = 0; i < after->cluster_count; i++) {
        const struct settings_cluster *now = &after->clusters[i];
        struct daemon_cluster *c = daemon_cluster_named(d, now->config.name);
        struct stay_error err;
        if (c) {
            cluster_reconfigure(&c->view, &now->config);
            daemon_probes_reconfigure(c, now);
            daemon_rehearse_forget(c); /* its nodes are by index */
            c->settings = now;
            daemon_mark_dirty(c);
            continue;
        }
        c = daemon_cluster_new(d, now);
        if (daemon_probes_add(c, &err) != STAY_OK) {
            log_plain(LOG_LEVEL_ERROR, "%s: not watched: %s", now->config.name, err.text);
            daemon_cluster_free(c);
            continue;
        }
        d->clusters[d->cluster_count++] = c;
        daemon_load_cluster(c);
    }
}

enum stay_rc daemon_reload(struct daemon *d, struct stay_error *err)
{
    struct settings *after = NULL;
    struct stay_error local;
    char what[256];
    enum stay_rc rc = settings_load(d->config_path, 0, &after, NULL, &local);
    if (rc == STAY_OK)
        rc = check_plans(d, after, &local);
    if (rc != STAY_OK) {
        settings_free(after);
        d->reload_errors++;
        if (err)
            *err = local;
        return rc;
    }
    if (settings_needs_restart(d->settings, after, what, sizeof what))
        log_plain(LOG_LEVEL_WARNING, "reload: these options change only at a restart: %s", what);
    remove_gone(d, after);
    take_over(d, after);
    serve_set_settings(d->serve, after);
    struct settings *before = d->settings;
    d->settings = after;
    settings_free(before);
    d->reloads++;
    d->is_runbook_dirty = true;
    log_plain(LOG_LEVEL_NOTICE, "configuration reloaded: %zu cluster%s", d->cluster_count,
              d->cluster_count == 1 ? "" : "s");
    char status[64];
    (void)snprintf(status, sizeof status, "watching %zu cluster%s", d->cluster_count,
                   d->cluster_count == 1 ? "" : "s");
    notify_status(status);
    return STAY_OK;
}
