/* A copy by command: one work of effects_work.h, looked at by each effect. By CLONE: the node step;
 * where it finds the server down, as it is after its copy, the start command runs as a work. */
#include "controller/act/effects_copy.h"

#include "base/io/loop.h"
#include "base/json.h"
#include "base/name_table.h"
#include "base/str.h"
#include "controller/act/effects_work.h"
#include "controller/act/hook.h"

#define START_DEADLINE_US (300 * STAY_SECOND)

struct copy_cluster {
    struct name_link link;
    const struct settings_cluster *settings; /* borrowed */
    int64_t started_mono_us[NODES_MAX];      /* when the start command last began; STAY_NEVER */
};

struct effects_copy_set {
    struct loop *loop;
    struct effects_node_set *nodes;
    struct effects_work_set *works;
    struct name_table clusters;
};

struct effects_copy_set *effects_copy_new(struct loop *loop, struct effects_node_set *nodes)
{
    struct effects_copy_set *set = stay_calloc(1, sizeof *set);
    set->loop = loop;
    set->nodes = nodes;
    set->works = effects_work_new(loop);
    return set;
}

void effects_copy_free(struct effects_copy_set *set)
{
    if (set == NULL)
        return;
    effects_work_free(set->works);
    for (struct copy_cluster *c; (c = name_table_drain(&set->clusters)) != NULL;)
        free(c);
    free(set);
}

void effects_copy_configure(struct effects_copy_set *set, const struct settings_cluster *cluster)
{
    struct copy_cluster *c = name_table_find(&set->clusters, cluster->config.name);
    if (c == NULL) {
        c = stay_calloc(1, sizeof *c);
        name_table_put(&set->clusters, &c->link, cluster->config.name);
        for (uint32_t node = 0; node < NODES_MAX; node++)
            c->started_mono_us[node] = STAY_NEVER;
    }
    c->settings = cluster;
}

void effects_copy_forget(struct effects_copy_set *set, const char *cluster)
{
    struct copy_cluster *gone = name_table_take(&set->clusters, cluster);
    if (gone == NULL)
        return;
    for (uint32_t node = 0; node < NODES_MAX; node++) {
        effects_work_stop(set->works, cluster, node, STEP_COPY);
        effects_work_stop(set->works, cluster, node, STEP_NONE);
    }
    free(gone);
}

static char *input_of(const struct copy_cluster *c, const struct effect *effect, const char *what,
                      int64_t deadline_us)
{
    const struct cluster_config *config = &c->settings->config;
    STAY_AUTO(stay_free_charp)
    char *plan = stay_sprintf("%s-%llu", config->name, (unsigned long long)effect->epoch);
    STAY_AUTO(stay_json_drop) json_t *json = json_object();
    stay_json_set_string(json, "action", what);
    stay_json_set_string(json, "cluster", config->name);
    stay_json_set_string(json, "engine", engine_text(config->engine));
    stay_json_set_string(json, "plan", plan);
    stay_json_set_int(json, "epoch", (int64_t)effect->epoch);
    stay_json_set_int(json, "deadline_s", deadline_us / STAY_SECOND);
    stay_json_set(json, "recipient", hook_node_json(config, effect->node));
    stay_json_set(json, "donor", hook_node_json(config, effect->peer));
    return stay_json_dump_compact(json);
}

/* "%n" of argv: the recipient's name ("%h" host, "%p" port), "%N" "%H" "%P" the donor's, "%i" the
 * plan's id, "%%" a percent sign. */
static char *expand(const struct copy_cluster *c, const struct effect *effect, const char *text)
{
    static const struct node_config nobody;
    const struct cluster_config *config = &c->settings->config;
    const struct node_config *to = &config->nodes[effect->node];
    const struct node_config *from =
        effect->peer < config->node_count ? &config->nodes[effect->peer] : &nobody;
    STAY_AUTO(str_clear) struct str s = {0};
    for (const char *at = text; *at != '\0'; at++) {
        const struct node_config *node = at[0] == '%' && strchr("NHP", at[1]) ? from : to;
        if (at[0] != '%' || at[1] == '\0' || strchr("nhpNHPi%", at[1]) == NULL) {
            str_add_char(&s, *at);
            continue;
        }
        at++;
        if (*at == 'n' || *at == 'N')
            str_add(&s, node->name);
        else if (*at == 'h' || *at == 'H')
            str_add(&s, node->host);
        else if (*at == 'p' || *at == 'P')
            str_addf(&s, "%u", node->port);
        else if (*at == 'i')
            str_addf(&s, "%s-%llu", config->name, (unsigned long long)effect->epoch);
        else
            str_add_char(&s, '%');
    }
    return str_take(&s);
}

static void look(struct effects_copy_set *set, const struct copy_cluster *c,
                 const struct effect *effect, bool starts, struct effect_result *ret_result)
{
    char *argv[SETTINGS_RESEED_MAX + 1] = {0};
    const struct settings_reseed *reseed = &c->settings->reseed;
    uint32_t argc = starts ? reseed->start_argc : reseed->command_argc;
    int64_t deadline_us = starts ? START_DEADLINE_US : c->settings->config.reseed_deadline_us;
    STAY_AUTO(stay_free_charp)
    char *input = input_of(c, effect, starts ? "start" : "copy", deadline_us);
    for (uint32_t i = 0; i < argc; i++)
        argv[i] = expand(c, effect, starts ? reseed->start_argv[i] : reseed->command_argv[i]);
    struct effects_work_spec spec = {.cluster = c->settings->config.name,
                                     .node = effect->node,
                                     .step = starts ? STEP_NONE : STEP_COPY,
                                     .argv = (const char *const *)argv,
                                     .stdin_text = input,
                                     .epoch = effect->epoch,
                                     .deadline_mono_us = loop_now_mono_us(set->loop) + deadline_us};
    effects_work_look(set->works, &spec, ret_result);
    for (uint32_t i = 0; i < argc; i++)
        free(argv[i]);
}

/* By CLONE: the answer of the node step on its way to the executor. */
struct passing {
    struct effects_copy_set *set;
    char cluster[NAME_MAX_LEN];
    struct effect effect;
    effects_done_fn done;
    void *arg;
};

/* Each time it is seen down: begun again after a while, for what starts a server may fail. */
static void start_server(struct effects_copy_set *set, struct copy_cluster *c,
                         const struct effect *effect, struct effect_result *result)
{
    int64_t *at = &c->started_mono_us[effect->node], now = loop_now_mono_us(set->loop);
    struct effect_result work;
    if (c->settings->reseed.start_argc == 0)
        return;
    bool runs = effects_work_runs(set->works, c->settings->config.name, effect->node, STEP_NONE);
    if (!runs && *at != STAY_NEVER && now - *at < EFFECTS_START_AGAIN_US)
        return;
    if (!runs)
        *at = now;
    look(set, c, effect, true, &work);
    snprintf(result->text, sizeof result->text, "it is down after its copy, reseed.start: %.180s",
             work.text);
}

static void on_node(void *arg, uint64_t token, const struct effect_result *answer)
{
    struct passing *p = arg;
    struct effect_result result = *answer;
    struct copy_cluster *c = name_table_find(&p->set->clusters, p->cluster);
    if (c != NULL && result.is_down)
        start_server(p->set, c, &p->effect, &result);
    p->done(p->arg, token, &result);
    free(p);
}

bool effects_copy_start(struct effects_copy_set *set, const char *cluster, uint64_t token,
                        const struct effect *effect, effects_done_fn done, void *arg,
                        struct effect_result *ret_result)
{
    struct copy_cluster *c = name_table_find(&set->clusters, cluster);
    *ret_result = (struct effect_result){.outcome = OUTCOME_NOT_DONE};
    if (c == NULL) {
        (void)stay_copy(ret_result->text, sizeof ret_result->text, "no such cluster");
        return true;
    }
    if (effect->step == STEP_COPY_STOP) {
        effects_work_stop(set->works, cluster, effect->node, STEP_COPY);
        effects_work_stop(set->works, cluster, effect->node, STEP_NONE);
        ret_result->outcome = OUTCOME_DONE;
        if (c->settings->reseed.command_argc > 0)
            return true;
    } else if (c->settings->reseed.command_argc > 0) {
        look(set, c, effect, false, ret_result);
        return true;
    }
    struct passing *p = stay_calloc(1, sizeof *p);
    p->set = set;
    (void)stay_copy(p->cluster, sizeof p->cluster, cluster);
    p->effect = *effect;
    p->effect.want = NULL;
    p->done = done;
    p->arg = arg;
    effects_node_start(set->nodes, cluster, token, effect, on_node, p);
    return false;
}
