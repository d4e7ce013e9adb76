/* The servers of every cluster: configured, forgotten, kept warm, and the start of a step on one.
 */
#include "controller/act/effects_job.h"

#include "base/io/lane.h"
#include "base/io/loop.h"
#include "base/io/timer.h"

#define LANES 32

static void on_warm(struct timer *timer, void *arg);

struct effects_node_set *effects_node_new(struct loop *loop)
{
    struct effects_node_set *set = stay_calloc(1, sizeof *set);
    struct lane_pool_options o = {.name = "act", .lanes = LANES, .replace_after_us = 50 * STAY_MS};
    set->loop = loop;
    set->pool = lane_pool_new(loop, &o);
    set->warm = timer_new(loop, on_warm, set);
    timer_unref(set->warm);
    timer_start_repeat(set->warm, loop_now_mono_us(loop), EFFECTS_WARM_US);
    return set;
}

static void free_node(struct effects_node *node)
{
    for (struct effects_job *job = node->first, *next; job != NULL; job = next) {
        next = job->next;
        effects_job_release(job);
    }
    effects_sessions_free(&node->sessions);
    free(node);
}

static void free_entry(struct effects_cluster_entry *entry)
{
    explicit_bzero(entry, sizeof *entry); /* passwords */
    free(entry);
}

void effects_node_free(struct effects_node_set *set, int64_t wait_us)
{
    if (set == NULL)
        return;
    timer_free(set->warm);
    for (struct effects_node *node = set->nodes; node != NULL; node = node->next)
        effects_sessions_abort(&node->sessions);
    set->is_ending = true;
    (void)lane_pool_free(set->pool, wait_us);
    for (struct effects_node *node = set->nodes, *next; node != NULL; node = next) {
        next = node->next;
        free_node(node);
    }
    for (struct effects_cluster_entry *c; (c = name_table_drain(&set->clusters)) != NULL;)
        free_entry(c);
    free(set);
}

static bool is_account(const struct mysql_account *a, const struct mysql_account *b)
{
    return strcmp(a->user, b->user) == 0 && strcmp(a->password, b->password) == 0;
}

static bool is_target(const struct mysql_target *a, const struct mysql_target *b)
{
    return a->engine == b->engine && a->port == b->port && a->tls_required == b->tls_required &&
           a->verify_name == b->verify_name && strcmp(a->host, b->host) == 0 &&
           strcmp(a->ca, b->ca) == 0 && strcmp(a->cert, b->cert) == 0 &&
           strcmp(a->key, b->key) == 0;
}

/* Out of the set, its nodes forgotten for now; NULL: not known. */
static struct effects_cluster_entry *take_out(struct effects_node_set *set, const char *name)
{
    struct effects_cluster_entry *gone = name_table_take(&set->clusters, name);
    if (gone == NULL)
        return NULL;
    for (uint32_t i = 0; i < gone->node_count; i++)
        gone->nodes[i]->is_forgotten = true;
    set->forgotten_count += gone->node_count;
    set->node_count -= gone->node_count;
    set->expected_count -= gone->is_expected ? gone->node_count : 0;
    return gone;
}

static void drop(struct effects_cluster_entry *entry)
{
    if (entry == NULL)
        return;
    for (uint32_t i = 0; i < entry->node_count; i++)
        effects_job_settle(entry->nodes[i]);
    free_entry(entry);
}

void effects_node_forget(struct effects_node_set *set, const char *cluster)
{
    drop(take_out(set, cluster));
}

static bool is_left(const struct effects_node *node, const char *cluster,
                    const struct mysql_target *target)
{
    return node->is_forgotten && node->target.port == target->port &&
           strcmp(node->target.host, target->host) == 0 && strcmp(node->cluster, cluster) == 0;
}

/* The node at this address, with its queue: mostly one that the cluster had before; or a new one.
 */
static struct effects_node *node_of(struct effects_node_set *set,
                                    const struct effects_cluster_entry *before, const char *cluster,
                                    const struct mysql_target *target)
{
    for (uint32_t i = 0; before != NULL && i < before->node_count; i++)
        if (is_left(before->nodes[i], cluster, target))
            return before->nodes[i];
    for (struct effects_node *node = set->forgotten_count > 0 ? set->nodes : NULL; node != NULL;
         node = node->next)
        if (is_left(node, cluster, target))
            return node;
    struct effects_node *node = stay_calloc(1, sizeof *node);
    (void)stay_copy(node->cluster, sizeof node->cluster, cluster);
    node->target = *target;
    node->key = set->keys++;
    node->next = set->nodes;
    set->nodes = node;
    return node;
}

static void target_from(const struct effects_cluster *cluster, const struct node_config *from,
                        struct mysql_target *ret)
{
    *ret = (struct mysql_target){.engine = cluster->config->engine,
                                 .port = from->port,
                                 .tls_required = cluster->tls_required,
                                 .verify_name = cluster->verify_name};
    (void)stay_copy(ret->host, sizeof ret->host, from->host);
    (void)stay_copy(ret->ca, sizeof ret->ca, cluster->ca);
    (void)stay_copy(ret->cert, sizeof ret->cert, cluster->cert);
    (void)stay_copy(ret->key, sizeof ret->key, cluster->key);
}

void effects_node_configure(struct effects_node_set *set, const struct effects_cluster *cluster)
{
    const struct cluster_config *config = cluster->config;
    struct effects_cluster_entry *entry =
        stay_calloc(1, sizeof *entry + config->node_count * sizeof(void *));
    struct effects_cluster_entry *before = take_out(set, config->name);
    bool is_same = before != NULL && is_account(&before->canary, &cluster->canary) &&
                   is_account(&before->operate, &cluster->operate);
    entry->monitor = cluster->monitor;
    entry->canary = cluster->canary;
    entry->operate = cluster->operate;
    entry->replicate = cluster->replicate;
    entry->backup = cluster->backup;
    entry->node_count = config->node_count;
    entry->is_expected = before != NULL && before->is_expected;
    for (uint32_t i = 0; i < config->node_count; i++) {
        struct mysql_target target;
        target_from(cluster, &config->nodes[i], &target);
        struct effects_node *node = node_of(set, before, config->name, &target);
        (void)stay_copy(node->name, sizeof node->name, config->nodes[i].name);
        node->is_changed = node->is_changed || !is_same || !is_target(&node->target, &target);
        node->target = target;
        set->forgotten_count -= node->is_forgotten;
        node->is_forgotten = false;
        effects_job_settle(node);
        entry->nodes[i] = node;
    }
    drop(before);
    name_table_put(&set->clusters, &entry->link, config->name);
    set->node_count += entry->node_count;
    set->expected_count += entry->is_expected ? entry->node_count : 0;
    timer_start_repeat(set->warm, loop_now_mono_us(set->loop), EFFECTS_WARM_US);
}

/* Proved by an answer a while ago, and nothing has ended it since: asking costs two handovers to a
 * lane, for every server there is. */
static bool is_warm_still(const struct effects_node *node, int64_t now_mono_us)
{
    const struct mysql_session *const sessions[] = {node->sessions.operate, node->sessions.canary};
    for (size_t i = 0; i < STAY_COUNT(sessions); i++)
        if (!mysql_session_is_idle_ok(sessions[i]) ||
            now_mono_us - mysql_session_used_mono_us(sessions[i]) > EFFECTS_PROVE_US)
            return false;
    return true;
}

static void warm_cluster(struct effects_node_set *set, struct effects_cluster_entry *c)
{
    for (uint32_t i = 0; i < c->node_count; i++) {
        if (c->nodes[i]->running != NULL || is_warm_still(c->nodes[i], loop_now_mono_us(set->loop)))
            continue;
        struct effects_job *job = stay_calloc(1, sizeof *job);
        job->is_warm = true;
        job->input.target = c->nodes[i]->target;
        job->input.operate = c->operate;
        job->input.canary = c->canary;
        job->input.effect.deadline_mono_us = loop_now_mono_us(set->loop) + STAY_SECOND;
        effects_job_enqueue(set, c->nodes[i], job);
    }
}

static void cool_cluster(struct effects_cluster_entry *c)
{
    for (uint32_t i = 0; i < c->node_count; i++) {
        struct effects_node *node = c->nodes[i];
        bool is_open =
            node->sessions.operate != NULL && (mysql_session_is_open(node->sessions.operate) ||
                                               mysql_session_is_open(node->sessions.canary));
        bool is_shut = node->sessions.shut != NULL && mysql_session_is_open(node->sessions.shut);
        if (!is_open || is_shut || node->running != NULL || node->first != NULL)
            continue; /* is_shut: a fence keeps the door closed by that connection */
        effects_sessions_free(&node->sessions);
        effects_job_settle(node);
    }
}

static bool are_all_warm(const struct effects_node_set *set)
{
    return set->node_count <= EFFECTS_WARM_NODES;
}

static void on_warm(struct timer *timer, void *arg)
{
    struct effects_node_set *set = arg;
    uint32_t warmed = 0;
    bool is_few = are_all_warm(set);
    (void)timer;
    for (struct effects_cluster_entry *c = NULL;
         (c = name_table_each(&set->clusters, c)) != NULL;) {
        if (is_few || (c->is_expected && warmed + c->node_count <= EFFECTS_WARM_NODES)) {
            warmed += c->node_count;
            warm_cluster(set, c);
        } else if (!c->is_expected) { /* a plan of an expected one may be between two steps */
            cool_cluster(c);
        }
    }
}

void effects_node_expect(struct effects_node_set *set, const char *cluster, bool is_expected)
{
    struct effects_cluster_entry *c = name_table_find(&set->clusters, cluster);
    if (c == NULL || c->is_expected == is_expected)
        return;
    c->is_expected = is_expected;
    set->expected_count += is_expected ? c->node_count : -c->node_count;
    if (is_expected && set->expected_count <= EFFECTS_WARM_NODES && !are_all_warm(set))
        warm_cluster(set, c);
}

void effects_node_start(struct effects_node_set *set, const char *cluster, uint64_t token,
                        const struct effect *effect, effects_done_fn done, void *arg)
{
    struct effects_cluster_entry *c = name_table_find(&set->clusters, cluster);
    struct effects_job *job = stay_calloc(1, sizeof *job);
    struct step_input *in = &job->input;
    job->token = token;
    job->done = done;
    job->arg = arg;
    in->effect = *effect;
    in->effect.want = NULL;
    if (c == NULL || effect->node >= c->node_count) {
        job->set = set;
        effects_job_refuse(job, "no such node or cluster");
        return;
    }
    if (effect->want != NULL) {
        gtid_set_copy(&in->want, effect->want);
        in->effect.want = &in->want;
    }
    struct effects_node *node = c->nodes[effect->node];
    (void)stay_copy(in->cluster, sizeof in->cluster, c->link.name);
    (void)stay_copy(in->node, sizeof in->node, node->name);
    in->target = node->target;
    in->has_peer = effect->peer < c->node_count;
    if (in->has_peer)
        in->peer = c->nodes[effect->peer]->target;
    in->operate = c->operate;
    in->canary = c->canary;
    in->replicate = c->replicate;
    in->backup = c->backup;
    (void)stay_copy(in->monitor_user, sizeof in->monitor_user, c->monitor.user);
    effects_job_enqueue(set, node, job);
}
