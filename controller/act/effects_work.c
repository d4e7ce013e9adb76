/* A work's way: process_start -> lines of its output, the last one kept -> its end, kept until
 * somebody looks. What was stopped, or ends after its plan, is dropped at its end. */
#include "controller/act/effects_work.h"

#include "base/io/loop.h"
#include "base/io/process.h"
#include "base/json.h"
#include "base/str.h"

#define LINE_MAX_BYTES 4096
#define OUTPUT_MAX     4096

struct work {
    struct work *next;
    struct effects_work_set *set; /* NULL: nobody looks any more */
    char cluster[NAME_MAX_LEN];
    uint32_t node;
    enum step_kind step;
    uint64_t epoch;
    struct process *process; /* NULL: ended */
    bool is_good, is_lost;
    struct str line;
    char text[PLAN_TEXT_MAX];
};

struct effects_work_set {
    struct loop *loop;
    struct work *works;
};

struct effects_work_set *effects_work_new(struct loop *loop)
{
    struct effects_work_set *set = stay_calloc(1, sizeof *set);
    set->loop = loop;
    return set;
}

static void work_free(struct work *work)
{
    str_clear(&work->line);
    free(work);
}

/* Out of the set; a running one is killed and frees itself at its end. */
static void drop(struct effects_work_set *set, struct work *work)
{
    struct work **at = &set->works;
    while (*at != work)
        at = &(*at)->next;
    *at = work->next;
    work->set = NULL;
    if (work->process != NULL)
        process_cancel(work->process);
    else
        work_free(work);
}

void effects_work_free(struct effects_work_set *set)
{
    while (set != NULL && set->works != NULL)
        drop(set, set->works);
    free(set);
}

static struct work *find(const struct effects_work_set *set, const char *cluster, uint32_t node,
                         enum step_kind step)
{
    struct work *work = set->works;
    while (work != NULL &&
           (work->node != node || work->step != step || strcmp(work->cluster, cluster) != 0))
        work = work->next;
    return work;
}

static void say_bytes(struct str *s, int64_t bytes, int64_t total)
{
    str_addf(s, "%s%.1f MB", s->length > 0 ? ", " : "", (double)bytes / 1e6);
    if (total > 0)
        str_addf(s, " of %.1f MB (%d %%)", (double)total / 1e6,
                 (int)(bytes >= total ? 100 : bytes * 100 / total));
}

/* {"phase", "bytes", "total", "text"}; anything else is shown as it is. */
static void take_line(struct work *work, const char *line)
{
    STAY_AUTO(stay_json_drop) json_t *json = NULL;
    STAY_AUTO(str_clear) struct str shown = {.max = sizeof work->text - 1};
    if (stay_json_parse(line, strlen(line), &json, NULL) != STAY_OK || !json_is_object(json)) {
        (void)stay_copy(work->text, sizeof work->text, line);
        return;
    }
    const char *phase = json_string_value(json_object_get(json, "phase"));
    const char *text = json_string_value(json_object_get(json, "text"));
    const json_t *bytes = json_object_get(json, "bytes");
    str_add(&shown, phase == NULL ? "" : phase);
    if (json_is_integer(bytes))
        say_bytes(&shown, json_integer_value(bytes),
                  json_integer_value(json_object_get(json, "total")));
    if (text != NULL)
        str_addf(&shown, "%s%s", shown.length > 0 ? ": " : "", text);
    (void)stay_copy(work->text, sizeof work->text, str_text(&shown));
}

static void on_output(const char *bytes, size_t length, void *arg)
{
    struct work *work = arg;
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] != '\n') {
            str_add_char(&work->line, bytes[i]);
            continue;
        }
        if (work->line.length > 0 && !work->line.is_cut)
            take_line(work, str_text(&work->line));
        str_reset(&work->line);
    }
}

/* Its last words: the last line of its error output that says something. */
static void take_last_words(struct work *work, const char *said)
{
    size_t length = strlen(said);
    while (length > 0 && (said[length - 1] == '\n' || said[length - 1] == '\r'))
        length--;
    size_t from = length;
    while (from > 0 && said[from - 1] != '\n')
        from--;
    if (length > from)
        snprintf(work->text, sizeof work->text, "%.*s", (int)(length - from), said + from);
}

static void on_end(const struct process_result *result, void *arg)
{
    struct work *work = arg;
    work->process = NULL;
    if (work->set == NULL) {
        work_free(work);
        return;
    }
    work->is_good = result->rc == STAY_OK;
    if (work->is_good)
        return;
    take_last_words(work, result->err_out);
    char why[PLAN_TEXT_MAX];
    (void)stay_copy(why, sizeof why, work->text);
    work->is_lost = result->rc != STAY_ETIMEDOUT &&
                    (result->term_signal != 0 || result->exit_status == EFFECTS_WORK_LOST);
    if (result->rc == STAY_ETIMEDOUT)
        snprintf(work->text, sizeof work->text, "killed at its deadline (%.150s)", why);
    else if (result->term_signal != 0)
        snprintf(work->text, sizeof work->text, "ended by signal %d (%.150s)", result->term_signal,
                 why);
    else if (result->exit_status == 1) /* it failed: its words say why */
        (void)stay_copy(work->text, sizeof work->text, why);
    else
        snprintf(work->text, sizeof work->text, "status %d: %.200s", result->exit_status, why);
}

static enum stay_rc begin(struct effects_work_set *set, const struct effects_work_spec *spec,
                          struct stay_error *err)
{
    struct work *work = stay_calloc(1, sizeof *work);
    (void)stay_copy(work->cluster, sizeof work->cluster, spec->cluster);
    work->node = spec->node;
    work->step = spec->step;
    work->epoch = spec->epoch;
    work->set = set;
    str_init(&work->line, LINE_MAX_BYTES);
    (void)stay_copy(work->text, sizeof work->text, "begun");
    struct process_spec process = {.argv = spec->argv,
                                   .cwd = "/",
                                   .stdin_text = spec->stdin_text,
                                   .output_max = OUTPUT_MAX,
                                   .deadline_mono_us = spec->deadline_mono_us,
                                   .done = on_end,
                                   .output = on_output,
                                   .arg = work};
    enum stay_rc rc = process_start(set->loop, &process, &work->process, err);
    if (rc != STAY_OK) {
        work_free(work);
        return rc;
    }
    work->next = set->works;
    set->works = work;
    return STAY_OK;
}

void effects_work_look(struct effects_work_set *set, const struct effects_work_spec *spec,
                       struct effect_result *ret_result)
{
    struct stay_error err = {0};
    struct work *work = find(set, spec->cluster, spec->node, spec->step);
    *ret_result = (struct effect_result){.outcome = OUTCOME_NOT_DONE, .goes_on = true};
    if (work != NULL && work->epoch != spec->epoch) {
        drop(set, work);
        work = NULL;
    }
    if (work == NULL) {
        (void)stay_copy(ret_result->text, sizeof ret_result->text, "begun");
        if (begin(set, spec, &err) == STAY_OK)
            return;
        ret_result->goes_on = false;
        (void)stay_copy(ret_result->text, sizeof ret_result->text, err.text);
        return;
    }
    (void)stay_copy(ret_result->text, sizeof ret_result->text, work->text);
    if (work->process != NULL)
        return;
    ret_result->goes_on = false;
    if (work->is_good)
        ret_result->outcome = OUTCOME_DONE;
    else if (work->is_lost && spec->is_resumable)
        ret_result->outcome = OUTCOME_UNKNOWN;
    drop(set, work);
}

bool effects_work_runs(const struct effects_work_set *set, const char *cluster, uint32_t node,
                       enum step_kind step)
{
    const struct work *work = find(set, cluster, node, step);
    return work != NULL && work->process != NULL;
}

void effects_work_stop(struct effects_work_set *set, const char *cluster, uint32_t node,
                       enum step_kind step)
{
    struct work *work = find(set, cluster, node, step);
    if (work != NULL)
        drop(set, work);
}
