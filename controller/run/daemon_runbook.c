/* The runbook: who is primary and what to type by hand, kept current in a file for the day neither
 * store nor daemon answers. Written as a whole when it changed, on the files lane. */
#include "base/base.h"
#include "base/io/file.h"
#include "base/str.h"
#include "base/units.h"
#include "controller/run/daemon_private.h"
#include <errno.h>

#define RUNBOOK_LANE_US (10 * STAY_SECOND)

static void add_sql(struct str *s, const struct cluster_config *config,
                    const struct node_config *node)
{
    bool is_mariadb = config->engine == ENGINE_MARIADB;
    const char *client = is_mariadb ? "mariadb" : "mysql";
    /* -E for rows: MySQL's client of 9.x takes no commands of its own unless asked to. */
    str_addf(s, "    %s -E -h %s -P %u -e \"%s\"\n", client, node->host, node->port,
             is_mariadb ? "STOP SLAVE IO_THREAD; SHOW SLAVE STATUS; SELECT @@gtid_slave_pos;"
                        : "STOP REPLICA IO_THREAD; SHOW REPLICA STATUS;");
    str_addf(s,
             "      (repeat until %s; stop ONLY the receiver\n"
             "       before that: restarting both threads, or CHANGE, destroys what was "
             "received and not applied)\n",
             is_mariadb ? "gtid_slave_pos has reached Gtid_IO_Pos"
                        : "Executed_Gtid_Set contains Retrieved_Gtid_Set");
    str_addf(s, "    %s -h %s -P %u -e \"%s\"\n", client, node->host, node->port,
             is_mariadb ? "STOP SLAVE; RESET SLAVE ALL; SET GLOBAL read_only = 0;"
                        : "STOP REPLICA; RESET REPLICA ALL; SET GLOBAL super_read_only = 0; "
                          "SET GLOBAL read_only = 0;");
}

static void add_routes(struct str *s, const struct settings_cluster *cluster,
                       const struct node_config *node)
{
    for (uint32_t r = 0; r < cluster->route_count; r++) {
        const struct settings_route *route = &cluster->routes[r];
        for (uint32_t i = 0; i < route->socket_count; i++) {
            const char *socket = route->sockets[i];
            str_addf(s, "    echo \"set server %s/%s state ready\" | socat stdio %s:%s\n",
                     route->write, node->name, socket[0] == '/' ? "unix-connect" : "tcp", socket);
        }
    }
}

static void add_cluster(struct str *s, const struct daemon_cluster *c)
{
    const struct cluster_config *config = &c->settings->config;
    const struct cluster_record *record = &c->view.record;
    str_addf(s, "cluster %s (%s)\n", config->name, engine_text(config->engine));
    if (!c->is_loaded) {
        str_addf(s, "  its record was not read yet\n\n");
        return;
    }
    str_addf(s, "  primary: %s, epoch %llu, durability %s%s%s%s\n",
             record->primary[0] ? record->primary : "not known", (unsigned long long)record->epoch,
             durability_mode_text(record->mode), record->lossless_stands ? " (stands)" : "",
             record->adopted ? "" : ", not adopted",
             record->plan_id[0] ? ", a plan was running" : "");
    for (uint32_t n = 0; n < config->node_count; n++) {
        const struct node_config *node = &config->nodes[n];
        str_addf(s, "  %s %s:%u zone %s%s%s\n", node->name, node->host, node->port, node->zone,
                 strcmp(node->name, record->primary) == 0 ? ", primary" : "",
                 record->quarantine[n] ? ", quarantined: do not promote, do not attach" : "");
    }
    for (uint32_t n = 0; n < config->node_count; n++) {
        const struct node_config *node = &config->nodes[n];
        if (strcmp(node->name, record->primary) == 0 || record->quarantine[n] ||
            node->promote == PROMOTE_NEVER)
            continue;
        str_addf(s, "  to make %s the primary by hand, with %s certainly stopped or fenced:\n",
                 node->name, record->primary[0] ? record->primary : "every other server");
        add_sql(s, config, node);
        add_routes(s, c->settings, node);
    }
    str_add_char(s, '\n');
}

struct runbook_job {
    struct daemon *daemon;
    char *path, *text;
    struct stay_error err;
};

static enum stay_rc write_runbook(struct lane_job *job, void *arg)
{
    (void)job;
    struct runbook_job *work = arg;
    return file_write_atomic(work->path, work->text, strlen(work->text), 0644, &work->err);
}

static void runbook_done(void *arg, enum stay_rc rc)
{
    struct runbook_job *work = arg;
    if (rc != STAY_OK && rc != STAY_ECANCELED)
        log_plain(LOG_LEVEL_WARNING, "the runbook was not written: %s%s",
                  rc == STAY_ETIMEDOUT ? "the disk is too slow" : work->err.text,
                  work->err.native == EACCES
                      ? "; controller.runbook must stand in a folder that the user "
                        "mainstayd runs as may write"
                      : "");
}

static void runbook_release(void *arg)
{
    struct runbook_job *work = arg;
    free(work->path);
    free(work->text);
    free(work);
}

void daemon_runbook_refresh(struct daemon *d)
{
    struct str s = {0};
    d->is_runbook_dirty = false;
    str_addf(&s,
             "mainstay runbook of controller %s: what to do when neither it nor its store "
             "answers.\nFirst make sure that no mainstayd runs (it would act too): systemctl "
             "stop mainstayd\nAfter a takeover by hand, before mainstayd starts again: "
             "mv %s %s.old\n(its record still names the old primary and it would go back to "
             "it). It then only watches; once one\nserver is writable and every other one "
             "follows it: mainstay adopt CLUSTER, for each cluster.\n\n",
             d->settings->name, d->settings->state_path, d->settings->state_path);
    if (d->is_paused)
        str_addf(&s, "The kill switch is on, by %s.\n\n", d->paused_by);
    for (size_t i = 0; i < d->cluster_count; i++)
        add_cluster(&s, d->clusters[i]);
    STAY_AUTO(stay_free_charp) char *text = str_take(&s);
    if (d->runbook && strcmp(d->runbook, text) == 0)
        return;
    free(d->runbook);
    d->runbook = stay_strdup(text);
    struct runbook_job *work = stay_calloc(1, sizeof *work);
    work->daemon = d;
    work->path = stay_strdup(d->settings->runbook);
    work->text = stay_strdup(text);
    struct lane_work lane = {.work = write_runbook,
                             .done = runbook_done,
                             .release = runbook_release,
                             .arg = work,
                             .deadline_mono_us = loop_now_mono_us(&d->loop) + RUNBOOK_LANE_US};
    struct stay_error err;
    if (lane_submit(d->files, 0, &lane, &err) != STAY_OK) {
        d->is_runbook_dirty = true;
        runbook_release(work);
    }
}
