/* What an earlier process left: its unfinished plan is taken up, and its epochs are not given out a
 * second time, whatever became of the state file. */
#include "base/base.h"
#include "controller/run/daemon_private.h"

/* An epoch is one plan: no copy of the state file is a million plans old. Somebody wrote into the
 * canary's row, and following it would use up the epochs there are. Said once. */
static bool is_epoch_believed(struct daemon_cluster *c, uint32_t node, uint64_t epoch)
{
    if (epoch <= c->view.record.epoch || epoch - c->view.record.epoch <= DAEMON_EPOCH_JUMP_MAX)
        return true;
    if (epoch <= c->epoch_refused)
        return false;
    c->epoch_refused = epoch;
    const char *name = c->settings->config.nodes[node].name;
    struct log_field fields[] = {{"MAINSTAY_CLUSTER", c->settings->config.name},
                                 {"MAINSTAY_NODE", name}};
    log_write(LOG_LEVEL_ERROR, fields, STAY_COUNT(fields),
              "%s: mainstay.heartbeat on %s says epoch %llu, the state file %llu: not believed, "
              "somebody else wrote that row. The canary overwrites it on the primary; see who may "
              "write the schema mainstay",
              c->settings->config.name, name, (unsigned long long)epoch,
              (unsigned long long)c->view.record.epoch);
    return false;
}

/* The highest epoch on the servers: the canary writes it into its row. */
static uint64_t epoch_on_servers(struct daemon_cluster *c)
{
    uint64_t seen = 0;
    for (uint32_t n = 0; n < c->settings->config.node_count; n++) {
        const struct node_view *node = &c->view.nodes[n];
        if ((node->groups_known & FACTS_STATUS) && node->facts.canary_epoch > seen &&
            is_epoch_believed(c, n, node->facts.canary_epoch))
            seen = node->facts.canary_epoch;
    }
    return seen;
}

void daemon_resume(struct daemon_cluster *c)
{
    if (!c->resume_text || !c->is_ready || !c->daemon->is_store_ok || !daemon_save_is_idle(c))
        return;
    struct stay_error err;
    STAY_AUTO(stay_free_charp) char *text = c->resume_text;
    c->resume_text = NULL;
    daemon_cluster_count_busy(c, true);
    enum stay_rc rc = epoch_on_servers(c) > c->view.record.epoch
                          ? stay_error(&err, STAY_ECONFLICT,
                                       "the servers have seen a later epoch than the state "
                                       "file")
                          : executor_resume(c->executor, text, loop_now_mono_us(&c->daemon->loop),
                                            loop_now_wall_us(&c->daemon->loop), &err);
    struct log_field field = {"MAINSTAY_CLUSTER", c->settings->config.name};
    if (rc != STAY_OK)
        log_write(LOG_LEVEL_ERROR, &field, 1,
                  "%s: the unfinished plan cannot be taken up: %s: look at `mainstay history`, set "
                  "things right by hand, then `mainstay release %s`",
                  c->settings->config.name, err.text, c->settings->config.name);
    else
        log_write(LOG_LEVEL_NOTICE, &field, 1, "%s: the unfinished plan is taken up",
                  c->settings->config.name);
}

/* A state file older than the servers (restored, or lost) must not hand out epochs a second time:
 * the canary's row on the servers remembers the highest one used. What else it says is as old: its
 * primary may be today's replica, so nothing is done by it until a human adopts the cluster
 * anew. */
bool daemon_raise_epoch(struct daemon_cluster *c)
{
    uint64_t seen = epoch_on_servers(c);
    if (seen <= c->view.record.epoch)
        return false;
    struct cluster_record record = c->view.record;
    record.epoch = seen;
    record.adopted = record.lossless_stands = false;
    record.lossless_since_wall_us = 0;
    record.ackers = 0;
    record.primary[0] = record.plan_id[0] = '\0';
    log_write(LOG_LEVEL_WARNING, &(struct log_field){"MAINSTAY_CLUSTER", c->settings->config.name},
              1,
              "%s: the servers have seen epoch %llu, the state file only %llu: it is an old copy, "
              "or another mainstayd acts here. Epochs go on above the servers'; the cluster is "
              "only observed until a human looked at the servers and ran `mainstay adopt %s`",
              c->settings->config.name, (unsigned long long)seen,
              (unsigned long long)c->view.record.epoch, c->settings->config.name);
    daemon_save_watch(c, &record);
    return true;
}
