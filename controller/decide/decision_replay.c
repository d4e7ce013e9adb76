/* controller/decide/decision_replay.c - a recorded turn judged again: read, decided, and what is
 * said now compared with what was said then. */
#include "controller/decide/decision.h"

static const char *output_of(const char *text)
{
    static const char first[] = "[facts]\n";
    const char *at =
        strncmp(text, first, sizeof first - 1) == 0 ? text : strstr(text, "\n[facts]\n");
    return at == NULL || at == text ? at : at + 1;
}

static unsigned count_lines(const char *text)
{
    unsigned lines = 1;
    for (; *text != '\0'; text++)
        lines += *text == '\n';
    return lines;
}

static void decide_again(struct replay *r)
{
    const struct plan_run *running = r->input.has_run ? &r->run : NULL;
    const struct fleet *fleet = r->input.has_fleet ? &r->input.fleet : NULL;
    decide(&r->view, running, fleet, r->input.now_mono_us, r->input.now_wall_us, &r->decision);
    struct decision_turn turn = {.view = &r->view,
                                 .running = running,
                                 .fleet = fleet,
                                 .now_mono_us = r->input.now_mono_us,
                                 .now_wall_us = r->input.now_wall_us};
    r->judged = decision_output_text(&turn, &r->decision);
}

enum stay_rc replay_new(const char *text, size_t length, struct replay **ret_replay,
                        unsigned *ret_line, struct stay_error *err)
{
    STAY_AUTO(stay_free_charp) char *copy = stay_malloc(length + 1);
    memcpy(copy, text, length);
    copy[length] = '\0';
    const char *output = output_of(copy);
    if (output == NULL || strstr(output, "\n[after]\n") == NULL || copy[length - 1] != '\n') {
        *ret_line = count_lines(copy);
        return stay_error(
            err, STAY_EINVALID,
            "the record ends before what was decided: it was cut when it was written");
    }
    STAY_AUTO(replay_drop) struct replay *r = stay_calloc(1, sizeof *r);
    cluster_init(&r->view, &r->config);
    r->run.candidate = r->run.params.node = r->run.old_primary = NO_NODE;
    r->run.begun_mono_us = r->run.ended_mono_us = STAY_NEVER;
    r->input = (struct decision_input){.config = &r->config, .view = &r->view, .run = &r->run};
    struct stay_error wrong = {0};
    enum stay_rc rc = decision_input_apply(copy, &r->input, &wrong);
    if (rc != STAY_OK) {
        const char *colon = strstr(wrong.text, ": "); /* its line is the caller's to say */
        *ret_line = r->input.line;
        return stay_error(err, rc, "%s", colon == NULL ? wrong.text : colon + 2);
    }
    r->recorded = stay_strdup(output);
    decide_again(r);
    r->is_same = strcmp(r->recorded, r->judged) == 0;
    *ret_replay = r;
    r = NULL;
    return STAY_OK;
}

void replay_free(struct replay *replay)
{
    if (replay == NULL)
        return;
    cluster_clear(&replay->view);
    plan_run_clear(&replay->run);
    free(replay->recorded);
    free(replay->judged);
    free(replay);
}

void replay_drop(struct replay **replay)
{
    replay_free(*replay);
}

/* --- field by field -------------------------------------------------------------------------- */

/* A walk over an output text: "section.name", and in [after] behind "of=db1" "after.db1.name". */
struct walk {
    const char *at;
    char section[24], of[NAME_MAX_LEN];
    char field[80];
    const char *value;
    size_t length;
};

/* For people, too: a recording is a file, and no terminal is repainted by it. */
static void cut_copy(char *dst, size_t size, const char *text, size_t length)
{
    size_t n = length < size - 1 ? length : size - 1;
    for (size_t i = 0; i < n; i++)
        dst[i] = (unsigned char)text[i] < ' ' || text[i] == 0x7f ? '?' : text[i];
    dst[n] = '\0';
}

static bool walk_next(struct walk *w)
{
    while (*w->at != '\0') {
        const char *line = w->at;
        size_t length = strcspn(line, "\n");
        const char *equals = memchr(line, '=', length);
        w->at = line + length + (line[length] == '\n');
        if (line[0] == '[') {
            cut_copy(w->section, sizeof w->section, line + 1, length > 2 ? length - 2 : 0);
            w->of[0] = '\0';
            continue;
        }
        if (equals == NULL)
            continue;
        w->value = equals + 1;
        w->length = length - (size_t)(w->value - line);
        if (strncmp(line, "of=", 3) == 0) {
            cut_copy(w->of, sizeof w->of, w->value, w->length);
            continue;
        }
        (void)snprintf(w->field, sizeof w->field, "%s.%s%s%.*s", w->section, w->of,
                       w->of[0] == '\0' ? "" : ".", (int)(equals - line), line);
        return true;
    }
    return false;
}

static bool find(const char *output, const char *field, struct walk *ret_walk)
{
    *ret_walk = (struct walk){.at = output};
    while (walk_next(ret_walk))
        if (strcmp(ret_walk->field, field) == 0)
            return true;
    return false;
}

bool replay_output_field(const char *output, const char *field, char *dst, size_t size)
{
    struct walk w;
    if (!find(output, field, &w))
        return false;
    cut_copy(dst, size, w.value, w.length);
    return true;
}

static void fill(struct replay_difference *d, const char *field, const struct walk *recorded,
                 const struct walk *judged)
{
    cut_copy(d->field, sizeof d->field, field, strlen(field));
    d->recorded[0] = d->judged[0] = '\0';
    if (recorded != NULL)
        cut_copy(d->recorded, sizeof d->recorded, recorded->value, recorded->length);
    if (judged != NULL)
        cut_copy(d->judged, sizeof d->judged, judged->value, judged->length);
}

/* Lines of the recorded output first, then those that only today's has. */
bool replay_next_difference(const struct replay *replay, size_t *at,
                            struct replay_difference *ret_difference)
{
    struct walk w = {.at = replay->recorded}, other;
    for (size_t i = 0; walk_next(&w); i++) {
        if (i < *at)
            continue;
        bool is_there = find(replay->judged, w.field, &other);
        if (is_there && other.length == w.length && memcmp(other.value, w.value, w.length) == 0)
            continue;
        *at = i + 1;
        fill(ret_difference, w.field, &w, is_there ? &other : NULL);
        return true;
    }
    size_t past = 1000000; /* no output has as many lines */
    w = (struct walk){.at = replay->judged};
    for (size_t i = past; walk_next(&w); i++) {
        if (i < *at || find(replay->recorded, w.field, &other))
            continue;
        *at = i + 1;
        fill(ret_difference, w.field, NULL, &w);
        return true;
    }
    return false;
}
