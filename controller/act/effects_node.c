/* Start -> the node's queue -> lane job (step_mysql_run on the node's sessions) -> done on the loop
 * -> the next in the queue. One job per node is on a lane at a time, so a job past its deadline
 * takes its sessions with it, to be freed when its thread is back, and the node gets new ones. */
#include <mysql.h>
#include <stdatomic.h>

#include "controller/act/effects_node.h"

#include "base/io/lane.h"
#include "base/io/loop.h"
#include "base/io/timer.h"

#define LANES 32
#define STEP_MARGIN_US (30 * STAY_MS) /* a step ends this long before its lane gives it up */
#define WARM_PATIENCE_US (50 * STAY_MS)
#define WARM_MARGIN_US (200 * STAY_MS) /* it ends before its lane takes both sessions away */

struct effects_job;

/* Outlives the configuration it came with: a server that is configured anew while something is
 * under way keeps its one queue. */
struct effects_node {
    struct effects_node *next; /* of the set */
    char cluster[NAME_MAX_LEN];
    struct mysql_target target;
    char name[NAME_MAX_LEN];
    uint64_t key;
    struct step_sessions sessions; /* lent to the running job; operate NULL: none any more */
    struct effects_job *running;
    struct effects_job *first, *last; /* waiting */
    bool is_forgotten; /* no job comes until it is configured again; sessions go with the last */
    bool is_changed;   /* its sessions are of another address, account or TLS setting */
};

struct effects_cluster_entry {
    char name[NAME_MAX_LEN];
    struct mysql_account monitor, canary, operate, replicate;
    uint32_t node_count;
    struct effects_node *nodes[NODES_MAX]; /* the set's */
    struct effects_cluster_entry *next;
};

struct effects_node_set {
    struct loop *loop;
    struct lane_pool *pool;
    struct timer *warm;
    struct effects_cluster_entry *clusters;
    struct effects_node *nodes; /* forgotten ones too: jobs point to them; freed with the set */
    uint64_t keys;
    bool is_ending;
};

struct effects_job {
    struct effects_node_set *set;
    struct effects_node *node;
    struct step_sessions sessions;
    bool owns_sessions;
    int64_t begun_mono_us;
    bool is_warm; /* only opens or looks at the connections */
    _Atomic bool at_canary; /* warm: the operate session is well */
    struct effects_job *next;
    struct step_input input;
    struct step_result result;
    uint64_t token;
    effects_done_fn done;
    void *arg;
};

static void on_warm(struct timer *timer, void *arg);

static struct step_sessions new_sessions(void)
{
    return (struct step_sessions){.operate = mysql_session_new(), .canary = mysql_session_new()};
}

static void abort_sessions(const struct step_sessions *sessions)
{
    if (sessions->operate == NULL)
        return;
    mysql_session_abort(sessions->operate);
    mysql_session_abort(sessions->canary);
}

/* Aborted first, so that closing writes to nobody. */
static void free_sessions(struct step_sessions *sessions)
{
    abort_sessions(sessions);
    mysql_session_free(sessions->operate);
    mysql_session_free(sessions->canary);
    *sessions = (struct step_sessions){0};
}

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

static void job_release(void *arg);

static void free_node(struct effects_node *node)
{
    for (struct effects_job *job = node->first, *next; job != NULL; job = next) {
        next = job->next;
        job_release(job);
    }
    free_sessions(&node->sessions);
    free(node);
}

static void free_entry(struct effects_cluster_entry *entry)
{
    explicit_bzero(entry, sizeof *entry);
    free(entry);
}

void effects_node_free(struct effects_node_set *set, int64_t wait_us)
{
    if (set == NULL)
        return;
    timer_free(set->warm);
    for (struct effects_node *node = set->nodes; node != NULL; node = node->next)
        abort_sessions(&node->sessions);
    set->is_ending = true;
    (void)lane_pool_free(set->pool, wait_us);
    for (struct effects_node *node = set->nodes, *next; node != NULL; node = next) {
        next = node->next;
        free_node(node);
    }
    for (struct effects_cluster_entry *c = set->clusters, *next; c != NULL; c = next) {
        next = c->next;
        free_entry(c);
    }
    free(set);
}

static struct effects_cluster_entry *find(struct effects_node_set *set, const char *name)
{
    struct effects_cluster_entry *c = set->clusters;
    while (c != NULL && strcmp(c->name, name) != 0)
        c = c->next;
    return c;
}

static bool is_account(const struct mysql_account *a, const struct mysql_account *b)
{
    return strcmp(a->user, b->user) == 0 && strcmp(a->password, b->password) == 0;
}

static bool is_target(const struct mysql_target *a, const struct mysql_target *b)
{
    return a->engine == b->engine && a->port == b->port && a->tls_required == b->tls_required &&
           a->verify_name == b->verify_name &&
           strcmp(a->host, b->host) == 0 && strcmp(a->ca, b->ca) == 0 &&
           strcmp(a->cert, b->cert) == 0 && strcmp(a->key, b->key) == 0;
}

/* No job uses them now: sessions that nobody needs, or that lead elsewhere, go. */
static void settle_sessions(struct effects_node *node)
{
    if (node->running != NULL || node->first != NULL)
        return;
    if (node->is_forgotten || node->is_changed)
        free_sessions(&node->sessions);
    if (!node->is_forgotten && node->sessions.operate == NULL)
        node->sessions = new_sessions();
    node->is_changed = false;
}

/* Out of the set, its nodes forgotten for now; NULL: not known. */
static struct effects_cluster_entry *take_out(struct effects_node_set *set, const char *name)
{
    for (struct effects_cluster_entry **at = &set->clusters; *at != NULL; at = &(*at)->next) {
        struct effects_cluster_entry *gone = *at;
        if (strcmp(gone->name, name) != 0)
            continue;
        *at = gone->next;
        for (uint32_t i = 0; i < gone->node_count; i++)
            gone->nodes[i]->is_forgotten = true;
        return gone;
    }
    return NULL;
}

static void drop(struct effects_cluster_entry *entry)
{
    if (entry == NULL)
        return;
    for (uint32_t i = 0; i < entry->node_count; i++)
        settle_sessions(entry->nodes[i]);
    free_entry(entry);
}

void effects_node_forget(struct effects_node_set *set, const char *cluster)
{
    drop(take_out(set, cluster));
}

/* The node at this address, with its queue, or a new one. */
static struct effects_node *node_of(struct effects_node_set *set, const char *cluster,
                                    const struct mysql_target *target)
{
    for (struct effects_node *node = set->nodes; node != NULL; node = node->next)
        if (node->is_forgotten && node->target.port == target->port &&
            strcmp(node->target.host, target->host) == 0 && strcmp(node->cluster, cluster) == 0)
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
    struct effects_cluster_entry *entry = stay_calloc(1, sizeof *entry);
    struct effects_cluster_entry *before = take_out(set, config->name);
    bool is_same = before != NULL && is_account(&before->canary, &cluster->canary) &&
                   is_account(&before->operate, &cluster->operate);
    (void)stay_copy(entry->name, sizeof entry->name, config->name);
    entry->monitor = cluster->monitor;
    entry->canary = cluster->canary;
    entry->operate = cluster->operate;
    entry->replicate = cluster->replicate;
    entry->node_count = config->node_count;
    for (uint32_t i = 0; i < config->node_count; i++) {
        struct mysql_target target;
        target_from(cluster, &config->nodes[i], &target);
        struct effects_node *node = node_of(set, config->name, &target);
        (void)stay_copy(node->name, sizeof node->name, config->nodes[i].name);
        node->is_changed = node->is_changed || !is_same || !is_target(&node->target, &target);
        node->target = target;
        node->is_forgotten = false;
        settle_sessions(node);
        entry->nodes[i] = node;
    }
    drop(before);
    entry->next = set->clusters;
    set->clusters = entry;
    timer_start_repeat(set->warm, loop_now_mono_us(set->loop), EFFECTS_WARM_US);
}

/* ---- on lanes */

static enum stay_rc warm(struct mysql_session *s, const struct mysql_target *target,
                         const struct mysql_account *account, int64_t due)
{
    struct reach reach;
    if (account->user[0] == '\0')
        return STAY_OK;
    if (mysql_session_is_idle_ok(s))
        return mysql_session_run(s, "DO 1", due, NULL, NULL, NULL);
    return mysql_session_open(s, target, account, due, &reach, NULL);
}

static enum stay_rc job_work(struct lane_job *lane, void *arg)
{
    struct effects_job *job = arg;
    int64_t due = lane_job_deadline_mono_us(lane);
    if (lane_job_expired(lane))
        return STAY_ETIMEDOUT;
    if (!job->is_warm) {
        step_mysql_run(&job->sessions, &job->input, &job->result);
        return STAY_OK;
    }
    due -= WARM_MARGIN_US;
    enum stay_rc rc = warm(job->sessions.operate, &job->input.target, &job->input.operate, due);
    if (rc != STAY_OK)
        return rc;
    atomic_store(&job->at_canary, true);
    return warm(job->sessions.canary, &job->input.target, &job->input.canary, due);
}

/* ---- on the loop */

static void job_release(void *arg)
{
    struct effects_job *job = arg;
    if (job->owns_sessions)
        free_sessions(&job->sessions);
    step_input_clear(&job->input);
    step_result_clear(&job->result);
    free(job);
}

static void call_done(struct effects_job *job, const struct step_result *r)
{
    struct effect_result result = {.outcome = r->outcome, .groups_read = r->groups_read,
                                   .facts = r->groups_read ? &r->facts : NULL,
                                   .receiver_before = r->receiver_before,
                                   .strangers = r->strangers};
    (void)stay_copy(result.text, sizeof result.text, r->text);
    job->done(job->arg, job->token, &result);
}

static void on_fail(struct timer *timer, void *arg)
{
    struct effects_job *job = arg;
    timer_free(timer);
    call_done(job, &job->result);
    job_release(job);
}

/* It could not be begun: answered in the next turn, so that start never calls back itself. */
static void fail_later(struct effects_job *job, const char *text)
{
    if (job->is_warm) {
        job_release(job);
        return;
    }
    job->result.outcome = OUTCOME_NOT_DONE;
    (void)stay_copy(job->result.text, sizeof job->result.text, text);
    timer_start(timer_new(job->set->loop, on_fail, job), loop_now_mono_us(job->set->loop));
}

static void call_unknown(struct effects_job *job)
{
    struct step_result *unknown = stay_calloc(1, sizeof *unknown); /* job->result may be written */
    unknown->outcome = OUTCOME_UNKNOWN;
    (void)stay_copy(unknown->text, sizeof unknown->text, "no answer before the step's deadline");
    call_done(job, unknown);
    free(unknown);
}

static void run_next(struct effects_node *node);

static void job_done(void *arg, enum stay_rc rc)
{
    struct effects_job *job = arg;
    struct effects_node *node = job->node;
    node->running = NULL;
    if ((rc == STAY_ETIMEDOUT) || rc == STAY_ECANCELED) {
        abort_sessions(&job->sessions); /* the thread may still use them */
        job->owns_sessions = true;
        node->sessions = job->set->is_ending ? (struct step_sessions){0} : new_sessions();
    }
    if (rc == STAY_ECANCELED) /* the set is being freed */
        return;
    if (!job->is_warm && rc == STAY_OK)
        call_done(job, &job->result);
    else if (!job->is_warm)
        call_unknown(job);
    run_next(node);
}

static void submit(struct effects_job *job)
{
    struct stay_error e = {0};
    struct effects_node *node = job->node;
    struct lane_work work = {.work = job_work, .done = job_done, .release = job_release,
                             .arg = job,
                             .deadline_mono_us = job->input.effect.deadline_mono_us};
    if (!job->is_warm)
        job->input.effect.deadline_mono_us -= STEP_MARGIN_US;
    job->sessions = node->sessions;
    job->begun_mono_us = loop_now_mono_us(job->set->loop);
    if (lane_submit(job->set->pool, node->key, &work, &e) == STAY_OK) {
        node->running = job;
        return;
    }
    fail_later(job, e.text);
}

static void run_next(struct effects_node *node)
{
    while (node->running == NULL && node->first != NULL) {
        struct effects_job *job = node->first;
        node->first = job->next;
        if (node->first == NULL)
            node->last = NULL;
        if (loop_now_mono_us(job->set->loop) < job->input.effect.deadline_mono_us) {
            submit(job);
            continue;
        }
        fail_later(job, "not begun before its deadline");
    }
    settle_sessions(node);
}

/* It hangs. A login that does not come through must not cost the session that needs none: a MySQL
 * whose account lock is held answers nobody else. */
static void make_way(struct effects_job *warm)
{
    if (!atomic_load(&warm->at_canary))
        mysql_session_abort(warm->sessions.operate);
    mysql_session_abort(warm->sessions.canary);
}

static void enqueue(struct effects_node_set *set, struct effects_node *node,
                    struct effects_job *job)
{
    job->set = set;
    job->node = node;
    if (node->running != NULL && node->running->is_warm &&
        loop_now_mono_us(set->loop) - node->running->begun_mono_us > WARM_PATIENCE_US)
        make_way(node->running);
    if (node->last != NULL)
        node->last->next = job;
    else
        node->first = job;
    node->last = job;
    run_next(node);
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

static void on_warm(struct timer *timer, void *arg)
{
    struct effects_node_set *set = arg;
    (void)timer;
    for (struct effects_cluster_entry *c = set->clusters; c != NULL; c = c->next)
        for (uint32_t i = 0; i < c->node_count; i++) {
            if (c->nodes[i]->running != NULL ||
                is_warm_still(c->nodes[i], loop_now_mono_us(set->loop)))
                continue;
            struct effects_job *job = stay_calloc(1, sizeof *job);
            job->is_warm = true;
            job->input.target = c->nodes[i]->target;
            job->input.operate = c->operate;
            job->input.canary = c->canary;
            job->input.effect.deadline_mono_us = loop_now_mono_us(set->loop) + STAY_SECOND;
            enqueue(set, c->nodes[i], job);
        }
}

void effects_node_start(struct effects_node_set *set, const char *cluster, uint64_t token,
                        const struct effect *effect, effects_done_fn done, void *arg)
{
    struct effects_cluster_entry *c = find(set, cluster);
    struct effects_job *job = stay_calloc(1, sizeof *job);
    struct step_input *in = &job->input;
    job->token = token;
    job->done = done;
    job->arg = arg;
    in->effect = *effect;
    in->effect.want = NULL;
    if (c == NULL || effect->node >= c->node_count) {
        job->set = set;
        fail_later(job, "no such node or cluster");
        return;
    }
    if (effect->want != NULL) {
        gtid_set_copy(&in->want, effect->want);
        in->effect.want = &in->want;
    }
    struct effects_node *node = c->nodes[effect->node];
    (void)stay_copy(in->cluster, sizeof in->cluster, c->name);
    (void)stay_copy(in->node, sizeof in->node, node->name);
    in->target = node->target;
    in->has_peer = effect->peer < c->node_count;
    if (in->has_peer)
        in->peer = c->nodes[effect->peer]->target;
    in->operate = c->operate;
    in->canary = c->canary;
    in->replicate = c->replicate;
    (void)stay_copy(in->monitor_user, sizeof in->monitor_user, c->monitor.user);
    enqueue(set, node, job);
}
