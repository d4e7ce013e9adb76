/* One hook after another -> done. A hook that fails, cannot be started or is killed at its deadline
 * is recorded; if it may veto, the rest is not run. */
#include "controller/act/hook.h"
#include "base/io/loop.h"
#include "base/io/process.h"
#include "base/io/timer.h"
#include "base/json.h"
#include "base/str.h"

#define OUTPUT_MAX 4096
#define ENV_COUNT  8

struct run {
    struct loop *loop;
    struct settings_cluster cluster;
    struct hook_call call;
    uint32_t next;
    char *input;
    char *env[ENV_COUNT + 1];
    struct str text;
    struct timer *timer; /* for an end without any process */
    bool vetoed;
    hook_fn done;
    void *arg;
};

static void step(struct run *run);

static void end(struct run *run)
{
    run->done(run->arg, run->vetoed, str_text(&run->text));
    for (size_t i = 0; i < ENV_COUNT; i++)
        free(run->env[i]);
    free(run->input);
    str_clear(&run->text);
    timer_free(run->timer);
    free(run);
}

static void record(struct run *run, const struct settings_hook *hook, bool good, const char *what,
                   const char *said)
{
    const char *name = strrchr(hook->argv[0], '/');
    str_addf(&run->text, "%s%s: %s", run->text.length > 0 ? "; " : "",
             name == NULL ? hook->argv[0] : name + 1, what);
    if (said[0] != '\0')
        str_addf(&run->text, " (%.*s)", (int)strcspn(said, "\r\n"), said);
    if (!good && hook->may_veto)
        run->vetoed = true;
}

static void on_exit_of_hook(const struct process_result *result, void *arg)
{
    struct run *run = arg;
    const struct settings_hook *hook = &run->cluster.hooks[run->next];
    char what[80];
    bool good = result->rc == STAY_OK;
    if (good)
        snprintf(what, sizeof what, "done");
    else if (result->rc == STAY_ETIMEDOUT)
        snprintf(what, sizeof what, "killed at its deadline");
    else if (result->term_signal != 0)
        snprintf(what, sizeof what, "ended by signal %d", result->term_signal);
    else
        snprintf(what, sizeof what, "%s %d", hook->may_veto ? "vetoed with status" : "status",
                 result->exit_status);
    record(run, hook, good, what, result->err_out_length > 0 ? result->err_out : result->out);
    run->next++;
    step(run);
}

static void start_one(struct run *run, const struct settings_hook *hook)
{
    const char *argv[SETTINGS_ARGV_MAX + 1] = {0};
    struct stay_error err = {0};
    for (uint32_t i = 0; i < hook->argc; i++)
        argv[i] = hook->argv[i];
    struct process_spec spec = {.argv = argv,
                                .env = (const char *const *)run->env,
                                .cwd = "/",
                                .stdin_text = run->input,
                                .output_max = OUTPUT_MAX,
                                .deadline_mono_us = loop_now_mono_us(run->loop) + hook->deadline_us,
                                .done = on_exit_of_hook,
                                .arg = run};
    if (process_start(run->loop, &spec, NULL, &err) == STAY_OK)
        return;
    record(run, hook, false, err.text, "");
    run->next++;
    step(run);
}

/* The next hook of this moment, or the end. */
static void step(struct run *run)
{
    while (run->next < run->cluster.hook_count && !run->vetoed) {
        const struct settings_hook *hook = &run->cluster.hooks[run->next];
        if (hook->when == (int)run->call.when) {
            start_one(run, hook);
            return;
        }
        run->next++;
    }
    end(run);
}

json_t *hook_node_json(const struct cluster_config *config, uint32_t node)
{
    if (node >= config->node_count)
        return json_null();
    json_t *obj = json_object();
    stay_json_set_string(obj, "name", config->nodes[node].name);
    stay_json_set_string(obj, "host", config->nodes[node].host);
    stay_json_set_int(obj, "port", config->nodes[node].port);
    stay_json_set_string(obj, "zone", config->nodes[node].zone);
    return obj;
}

static const char *node_name(const struct cluster_config *config, uint32_t node)
{
    return node < config->node_count ? config->nodes[node].name : "";
}

static void prepare(struct run *run)
{
    const struct hook_call *call = &run->call;
    const struct cluster_config *config = &run->cluster.config;
    const char *when = settings_hook_when_text(call->when);
    unsigned long long epoch = call->epoch;
    STAY_AUTO(stay_free_charp) char *plan = stay_sprintf("%s-%llu", config->name, epoch);
    STAY_AUTO(stay_json_drop) json_t *json = json_object();
    stay_json_set_string(json, "when", when);
    stay_json_set_string(json, "cluster", config->name);
    stay_json_set_string(json, "plan", plan);
    stay_json_set_int(json, "epoch", (int64_t)call->epoch);
    stay_json_set(json, "old_primary", hook_node_json(config, call->old_primary));
    stay_json_set(json, "new_primary", hook_node_json(config, call->new_primary));
    run->input = stay_json_dump_compact(json);
    size_t n = 0;
    run->env[n++] =
        stay_strdup("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    run->env[n++] = stay_sprintf("MAINSTAY_CLUSTER=%s", config->name);
    run->env[n++] = stay_sprintf("MAINSTAY_PLAN=%s", plan);
    run->env[n++] = stay_sprintf("MAINSTAY_WHEN=%s", when);
    run->env[n++] = stay_sprintf("MAINSTAY_EPOCH=%llu", epoch);
    run->env[n++] = stay_sprintf("MAINSTAY_OLD_PRIMARY=%s", node_name(config, call->old_primary));
    run->env[n++] = stay_sprintf("MAINSTAY_NEW_PRIMARY=%s", node_name(config, call->new_primary));
    run->env[n++] = stay_strdup("LC_ALL=C");
    must(n == ENV_COUNT);
}

static void on_first(struct timer *timer, void *arg)
{
    (void)timer;
    step(arg);
}

bool hook_start(struct loop *loop, const struct hook_call *call, hook_fn done, void *arg)
{
    bool any = false;
    for (uint32_t i = 0; i < call->cluster->hook_count; i++)
        any |= call->cluster->hooks[i].when == (int)call->when;
    if (!any)
        return false;
    struct run *run = stay_calloc(1, sizeof *run);
    run->loop = loop;
    run->cluster = *call->cluster;
    explicit_bzero(run->cluster.accounts, sizeof run->cluster.accounts);
    run->call = *call;
    run->call.cluster = &run->cluster;
    run->done = done;
    run->arg = arg;
    str_init(&run->text, 220);
    prepare(run);
    run->timer = timer_new(loop, on_first, run); /* later, never from inside this call */
    timer_start(run->timer, 0);
    return true;
}
