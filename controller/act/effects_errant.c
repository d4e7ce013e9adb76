/* A job's way: its work as JSON -> process_start -> its last line -> done. */
#include "controller/act/effects_errant.h"

#include "base/io/loop.h"
#include "base/io/process.h"
#include "base/io/timer.h"
#include "base/json.h"
#include "controller/act/effects_work.h"

#include <limits.h>
#include <unistd.h>

#define PROGRAM   "mainstay-errant"
#define REWIND_US (2 * INT64_C(3600) * STAY_SECOND) /* its row ends as early */

struct errant_job {
    struct errant_job *next;
    struct effects_errant_set *set; /* NULL: the set is gone, nobody is told */
    char cluster[NAME_MAX_LEN];
    uint32_t node;
    enum errant_verb verb;
    struct process *process;
    struct timer *timer; /* of an answer that needs no process */
    struct effect_result result;
    uint64_t token;
    effects_done_fn done;
    void (*told)(void *arg, const json_t *word);
    void *arg;
};

struct effects_errant_set {
    struct loop *loop;
    char *dir;
    struct errant_job *jobs;
    struct effects_work_set *works; /* rewinds */
};

struct effects_errant_set *effects_errant_new(struct loop *loop, const char *dir)
{
    struct effects_errant_set *set = stay_calloc(1, sizeof *set);
    set->loop = loop;
    set->dir = stay_strdup(dir);
    set->works = effects_work_new(loop);
    return set;
}

static void unlink_job(struct effects_errant_set *set, struct errant_job *job)
{
    struct errant_job **at = &set->jobs;
    while (*at != job)
        at = &(*at)->next;
    *at = job->next;
}

void effects_errant_free(struct effects_errant_set *set)
{
    if (set == NULL)
        return;
    while (set->jobs != NULL) {
        struct errant_job *job = set->jobs;
        set->jobs = job->next;
        job->set = NULL;
        if (job->process != NULL) {
            process_cancel(job->process); /* its end frees the job */
        } else {
            timer_free(job->timer);
            free(job);
        }
    }
    effects_work_free(set->works);
    free(set->dir);
    free(set);
}

static void end(struct errant_job *job)
{
    if (job->set != NULL) {
        unlink_job(job->set, job);
        job->done(job->arg, job->token, &job->result);
    }
    free(job);
}

static void on_timer(struct timer *timer, void *arg)
{
    timer_free(timer);
    end(arg);
}

static void answer(struct errant_job *job, const char *text)
{
    job->result.outcome = OUTCOME_NOT_DONE;
    (void)stay_copy(job->result.text, sizeof job->result.text, text);
    job->timer = timer_new(job->set->loop, on_timer, job);
    timer_start(job->timer, loop_now_mono_us(job->set->loop));
}

/* The last whole line with an outcome. */
static json_t *last_word(const char *out)
{
    json_t *found = NULL;
    for (const char *line = out; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        json_t *value = NULL;
        struct stay_error ignored;
        if (stay_json_parse(line, length, &value, &ignored) == STAY_OK) {
            if (json_object_get(value, "outcome") != NULL) {
                json_decref(found);
                found = json_incref(value);
            }
            json_decref(value);
        }
        line += length + (line[length] == '\n');
    }
    return found;
}

static void on_end(const struct process_result *result, void *arg)
{
    struct errant_job *job = arg;
    STAY_AUTO(stay_json_drop) json_t *word = last_word(result->out);
    const char *text = json_string_value(json_object_get(word, "text"));
    job->process = NULL;
    if (job->told != NULL && job->set != NULL)
        job->told(job->arg, word);
    job->result.outcome = result->rc == STAY_OK && word != NULL ? OUTCOME_DONE
                          : result->rc == STAY_EFAILED && result->term_signal == 0 &&
                                  result->exit_status != 5 && word != NULL
                              ? OUTCOME_NOT_DONE
                              : OUTCOME_UNKNOWN;
    if (text != NULL)
        (void)stay_copy(job->result.text, sizeof job->result.text, text);
    else
        (void)snprintf(job->result.text, sizeof job->result.text, "%s ended %s: %.150s", PROGRAM,
                       stay_rc_text(result->rc), result->err_out);
    end(job);
}

static void set_account(json_t *obj, const char *key, const struct settings_account *account)
{
    json_t *a = json_object();
    stay_json_set_string(a, "user", account->user);
    stay_json_set_string(a, "password", account->password.text);
    stay_json_set(obj, key, a);
}

/* jansson keeps a text of its own and frees it as it is; its address is only lent as constant. */
static void wipe_account(const json_t *obj, const char *key)
{
    const json_t *password = json_object_get(json_object_get(obj, key), "password");
    union {
        const char *lent;
        void *own;
    } text = {.lent = json_string_value(password)};
    if (text.lent != NULL)
        explicit_bzero(text.own, json_string_length(password));
}

/* In one piece: a text that grows leaves its beginnings behind. */
static char *dump_once(const json_t *job)
{
    size_t size = json_dumpb(job, NULL, 0, JSON_COMPACT);
    char *text = stay_calloc(size + 1, 1);
    must(size > 0 && json_dumpb(job, text, size, JSON_COMPACT) == size);
    return text;
}

static char *input_of(const struct effects_errant_set *set, const struct settings_cluster *cluster,
                      const struct effect *effect, const char *verb,
                      const struct errant_order *order)
{
    const struct cluster_config *config = &cluster->config;
    const struct node_config *node = &config->nodes[effect->node];
    bool has_primary = effect->peer < config->node_count;
    STAY_AUTO(stay_free_charp) char *dir = stay_sprintf("%s/%s", set->dir, config->name);
    STAY_AUTO(stay_free_charp) char *known = gtid_set_format(effect->want);
    STAY_AUTO(stay_json_drop) json_t *job = json_object();
    stay_json_set_string(job, "verb", verb);
    stay_json_set_string(job, "bundle", order->bundle);
    stay_json_set_string(job, "only", order->only);
    stay_json_set_string(job, "actor", order->actor);
    stay_json_set_string(job, "reason", order->reason);
    stay_json_set_bool(job, "trial", order->is_trial);
    stay_json_set_string(job, "dir", dir);
    stay_json_set_string(job, "cluster", config->name);
    stay_json_set_string(job, "node", node->name);
    stay_json_set_string(job, "primary", has_primary ? config->nodes[effect->peer].name : "");
    stay_json_set_int(job, "epoch", (int64_t)effect->epoch);
    stay_json_set_string(job, "known", known);
    stay_json_set_string(job, "engine", config->engine == ENGINE_MYSQL ? "mysql" : "mariadb");
    stay_json_set_string(job, "host", node->host);
    stay_json_set_int(job, "port", node->port);
    if (has_primary) {
        stay_json_set_string(job, "primary_host", config->nodes[effect->peer].host);
        stay_json_set_int(job, "primary_port", config->nodes[effect->peer].port);
    }
    stay_json_set_string(job, "ca", cluster->tls.ca);
    stay_json_set_string(job, "cert", cluster->tls.cert);
    stay_json_set_string(job, "key", cluster->tls.key);
    stay_json_set_bool(job, "tls_required", cluster->tls.required);
    stay_json_set_bool(job, "verify_name", cluster->tls.verify_name);
    set_account(job, "operate", &cluster->accounts[ACCOUNT_OPERATE]);
    set_account(job, "replicate", &cluster->accounts[ACCOUNT_REPLICATE]);
    char *text = dump_once(job);
    wipe_account(job, "operate");
    wipe_account(job, "replicate");
    return text;
}

/* Beside this program, where both are installed; else by PATH. */
static char *program(void)
{
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    char *slash = NULL;
    if (n > 0) {
        self[n] = '\0';
        slash = strrchr(self, '/');
    }
    if (slash != NULL) {
        *slash = '\0';
        char *path = stay_sprintf("%s/%s", self, PROGRAM);
        if (access(path, X_OK) == 0)
            return path;
        free(path);
    }
    return stay_strdup(PROGRAM);
}

/* A comparison only reads: it holds up nothing but another one. */
static bool is_busy(const struct effects_errant_set *set, const struct errant_job *wanted)
{
    bool reads = wanted->verb == ERRANT_VERIFY;
    for (const struct errant_job *job = set->jobs; job != NULL; job = job->next)
        if (job->process != NULL && job->node == wanted->node &&
            (job->verb == ERRANT_VERIFY) == reads && strcmp(job->cluster, wanted->cluster) == 0)
            return true;
    return false;
}

void effects_errant_start(struct effects_errant_set *set, const struct settings_cluster *cluster,
                          uint64_t token, const struct effect *effect,
                          const struct errant_order *order, effects_done_fn done, void *arg)
{
    struct errant_job *job = stay_calloc(1, sizeof *job);
    struct stay_error err = {0};
    job->set = set;
    job->node = effect->node;
    job->verb = order->verb;
    job->token = token;
    job->done = done;
    job->told = order->told;
    job->arg = arg;
    (void)stay_copy(job->cluster, sizeof job->cluster, cluster->config.name);
    bool may = effect->node < cluster->config.node_count && effect->want != NULL;
    bool busy = is_busy(set, job);
    job->next = set->jobs;
    set->jobs = job;
    if (!may || busy) {
        answer(job, busy ? "a job for this server runs already" : "no such node, or nothing known");
        return;
    }
    STAY_AUTO(stay_free_charp) char *path = program();
    static const char *const verbs[] = {"save", "inject", "verify"};
    char *input = input_of(set, cluster, effect, verbs[order->verb], order);
    const char *argv[] = {path, NULL};
    struct process_spec spec = {.argv = argv,
                                .stdin_text = input,
                                .output_max = 1 << 20,
                                .deadline_mono_us = effect->deadline_mono_us,
                                .done = on_end,
                                .arg = job};
    enum stay_rc rc = process_start(set->loop, &spec, &job->process, &err);
    explicit_bzero(input, strlen(input));
    free(input);
    if (rc != STAY_OK)
        answer(job, err.text);
}

void effects_errant_rewind(struct effects_errant_set *set, const struct settings_cluster *cluster,
                           const struct effect *effect, struct effect_result *ret_result)
{
    static const struct errant_order nothing = {0};
    *ret_result = (struct effect_result){.outcome = OUTCOME_NOT_DONE};
    if (effect->node >= cluster->config.node_count || effect->want == NULL) {
        (void)stay_copy(ret_result->text, sizeof ret_result->text,
                        "no such node, or nothing known");
        return;
    }
    STAY_AUTO(stay_free_charp) char *path = program();
    char *input = input_of(set, cluster, effect, "rewind", &nothing);
    const char *argv[] = {path, NULL};
    struct effects_work_spec spec = {.cluster = cluster->config.name,
                                     .node = effect->node,
                                     .step = STEP_REWIND,
                                     .argv = argv,
                                     .stdin_text = input,
                                     .epoch = effect->epoch,
                                     .deadline_mono_us = loop_now_mono_us(set->loop) + REWIND_US,
                                     .is_resumable = true};
    effects_work_look(set->works, &spec, ret_result);
    explicit_bzero(input, strlen(input));
    free(input);
}

void effects_errant_stop(struct effects_errant_set *set, const char *cluster, uint32_t node)
{
    effects_work_stop(set->works, cluster, node, STEP_REWIND);
}
