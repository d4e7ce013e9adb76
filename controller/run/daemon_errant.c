/* A server that is set aside with transactions the primary lacks: they are saved as a bundle before
 * anybody decides what becomes of them. The job only reads its binary log; no plan waits for it. */
#include "base/base.h"
#include "controller/act/effects.h"
#include "controller/act/effects_errant.h"
#include "controller/run/daemon_private.h"

#define SAVE_RETRY_US (30 * STAY_SECOND)

struct saving {
    struct daemon *daemon;
    uint64_t birth; /* of the cluster: it may be gone when the job ends */
    uint32_t node;
    uint64_t digest;
};

static void on_saved(void *arg, uint64_t token, const struct effect_result *result)
{
    struct saving *s = arg;
    struct daemon_cluster *c = daemon_cluster_born(s->daemon, s->birth);
    (void)token;
    if (c != NULL && s->node < c->settings->config.node_count) {
        struct log_field fields[] = {{"MAINSTAY_CLUSTER", c->settings->config.name},
                                     {"MAINSTAY_NODE", daemon_node_name(c, s->node)}};
        bool ok = result->outcome == OUTCOME_DONE;
        c->errant[s->node].is_running = false;
        c->errant[s->node].failed_mono_us = ok ? STAY_NEVER : loop_now_mono_us(&s->daemon->loop);
        if (ok)
            c->view.nodes[s->node].saved = s->digest;
        log_write(ok ? LOG_LEVEL_NOTICE : LOG_LEVEL_WARNING, fields, STAY_COUNT(fields),
                  "%s: the transactions only %s holds are %s%s%s", c->settings->config.name,
                  daemon_node_name(c, s->node), ok ? "kept" : "not kept yet",
                  result->text[0] ? ": " : "", result->text);
        daemon_mark_dirty(c);
    }
    free(s);
}

/* What the node holds beyond the primary, by a word of the primary's that is younger. */
static bool read_extra(const struct daemon_cluster *c, uint32_t node, struct gtid_set *ret_extra)
{
    const struct cluster_view *view = &c->view;
    if (view->primary == NO_NODE || view->primary == node)
        return false;
    const struct node_view *n = &view->nodes[node], *primary = &view->nodes[view->primary];
    uint8_t reason = view->record.quarantine[node];
    bool set_aside = reason == QUARANTINE_DIVERGED || reason == QUARANTINE_OPERATOR;
    if (!set_aside || !(n->groups_known & FACTS_STATUS) ||
        !(primary->groups_known & FACTS_STATUS) || n->facts_mono_us == STAY_NEVER ||
        primary->facts_begun_mono_us <= n->facts_mono_us)
        return false;
    gtid_set_copy(ret_extra, &n->facts.executed);
    gtid_set_subtract(ret_extra, &primary->facts.executed);
    return !gtid_set_is_empty(ret_extra);
}

static void start_saving(struct daemon_cluster *c, uint32_t node, uint64_t digest)
{
    struct saving *s = stay_calloc(1, sizeof *s);
    const struct cluster_view *view = &c->view;
    s->daemon = c->daemon;
    s->birth = c->birth;
    s->node = node;
    s->digest = digest;
    c->errant[node].is_running = true;
    struct errant_order order = {.verb = ERRANT_SAVE};
    effects_errant_job(c->daemon->effects, c->settings->config.name, &order, node, view->primary,
                       view->record.epoch, &view->nodes[view->primary].facts.executed, on_saved, s);
}

void daemon_keep_errant(struct daemon_cluster *c)
{
    int64_t now = loop_now_mono_us(&c->daemon->loop);
    if (daemon_cluster_is_busy(c) || !c->view.record.adopted)
        return;
    for (uint32_t node = 0; node < c->settings->config.node_count; node++) {
        struct gtid_set extra = {0};
        struct daemon_errant *e = &c->errant[node];
        if (c->view.record.quarantine[node] == QUARANTINE_NONE) /* the same set may be other rows */
            c->view.nodes[node].saved = 0;
        bool due = !e->is_running &&
                   (e->failed_mono_us == STAY_NEVER || now - e->failed_mono_us > SAVE_RETRY_US);
        if (due && read_extra(c, node, &extra)) {
            uint64_t digest = gtid_set_digest(&extra);
            if (c->view.nodes[node].saved != digest) /* the job tells whether it was kept before */
                start_saving(c, node, digest);
        }
        gtid_set_clear(&extra);
    }
}

/* --- giving them to the primary --------------------------------------------------------------- */

struct injecting {
    control_done_fn done;
    void *done_ctx;
    json_t *word; /* what the job said of each transaction */
    char primary[NAME_MAX_LEN];
    bool is_trial;
};

static void on_told(void *arg, const json_t *word)
{
    struct injecting *in = arg;
    in->word = json_deep_copy(word);
}

static void on_injected(void *arg, uint64_t token, const struct effect_result *result)
{
    struct injecting *in = arg;
    struct stay_error err = {0};
    (void)token;
    enum stay_rc rc = result->outcome == OUTCOME_DONE      ? STAY_OK
                      : result->outcome == OUTCOME_UNKNOWN ? STAY_EUNKNOWN
                                                           : STAY_ECONFLICT;
    STAY_AUTO(stay_json_drop) json_t *data = json_is_object(in->word) ? in->word : json_object();
    stay_json_set_string(data, "text", result->text);
    stay_json_set_string(data, "primary", in->primary);
    stay_json_set_bool(data, "trial", in->is_trial);
    if (rc == STAY_OK)
        in->done(in->done_ctx, rc, data, NULL);
    else
        in->done(in->done_ctx, stay_error(&err, rc, "%s", result->text), NULL, &err);
    free(in);
}

/* As a client would write: only to a primary that takes writes, and while nobody changes it. */
static enum stay_rc may_inject(const struct daemon_cluster *c, const char *bundle,
                               struct stay_error *err)
{
    const struct cluster_view *view = &c->view;
    if (!c->is_loaded || !view->record.adopted || view->primary == NO_NODE)
        return stay_error(err, STAY_EREFUSED, "no primary is known");
    if (daemon_cluster_is_busy(c))
        return stay_error(err, STAY_EBUSY, "a plan runs: `mainstay status`");
    if (view->record.paused || c->daemon->is_paused)
        return stay_error(err, STAY_EREFUSED, "paused: `mainstay resume` first");
    if (view->nodes[view->primary].facts.read_only != TRI_NO)
        return stay_error(err, STAY_EREFUSED, "the primary takes no writes now");
    if (bundle == NULL || bundle[0] == '\0' || strchr(bundle, '/') != NULL || bundle[0] == '.')
        return stay_error(err, STAY_EINVALID, "name a bundle: `mainstay errant list`");
    return STAY_OK;
}

void daemon_inject(void *ctx, const char *cluster, const struct control_inject *what,
                   control_done_fn done, void *done_ctx)
{
    static const struct gtid_set nothing = {0};
    struct daemon_cluster *c = daemon_cluster_named(ctx, cluster);
    struct stay_error err = {0};
    enum stay_rc rc = c == NULL ? stay_error(&err, STAY_ENOTFOUND, "no cluster '%s'", cluster)
                                : may_inject(c, what->bundle, &err);
    if (rc != STAY_OK) {
        done(done_ctx, rc, NULL, &err);
        return;
    }
    struct log_field fields[] = {{"MAINSTAY_CLUSTER", cluster},
                                 {"MAINSTAY_NODE", daemon_node_name(c, c->view.primary)}};
    if (!what->is_trial)
        log_write(LOG_LEVEL_NOTICE, fields, STAY_COUNT(fields),
                  "%s: %s of %s is injected into %s by %s%s%s", cluster,
                  what->only == NULL ? "what is open" : what->only, what->bundle,
                  daemon_node_name(c, c->view.primary), what->actor, what->reason[0] ? ": " : "",
                  what->reason);
    struct injecting *in = stay_calloc(1, sizeof *in);
    *in = (struct injecting){.done = done, .done_ctx = done_ctx, .is_trial = what->is_trial};
    (void)stay_copy(in->primary, sizeof in->primary, daemon_node_name(c, c->view.primary));
    struct errant_order order = {.verb = ERRANT_INJECT,
                                 .is_trial = what->is_trial,
                                 .bundle = what->bundle,
                                 .only = what->only,
                                 .actor = what->actor,
                                 .reason = what->reason,
                                 .told = on_told};
    effects_errant_job(c->daemon->effects, cluster, &order, c->view.primary, c->view.primary,
                       c->view.record.epoch, &nothing, on_injected, in);
}
