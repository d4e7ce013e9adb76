/* tests/fuzz/fuzz_recording.c - any bytes as a recording, and as the text of one record: no crash;
 * what is read and judged, recorded again, is read and judged the same. */
#include "controller/decide/decision.h"
#include "controller/keep/recording.h"
#include "tests/fuzz/replay.h"

static void check_frames(const char *bytes, size_t size)
{
    struct recorder_frame frame;
    size_t offset = 0, last = 0;
    while (recorder_frame_next(bytes, size, &offset, &frame, NULL) == STAY_OK) {
        must(offset > last && offset <= size && frame.length < size);
        must(frame.text > bytes && frame.text + frame.length < bytes + size);
        last = offset;
    }
}

/* The input sections of `text`, written anew. */
static char *input_again(const char *text)
{
    struct cluster_config *config = stay_calloc(1, sizeof *config);
    struct cluster_view *view = stay_calloc(1, sizeof *view);
    struct plan_run *run = stay_calloc(1, sizeof *run);
    struct decision_input input = {.config = config, .view = view, .run = run};
    cluster_init(view, config);
    run->candidate = run->params.node = NO_NODE;
    run->begun_mono_us = run->ended_mono_us = STAY_NEVER;
    must(decision_input_apply(text, &input, NULL) == STAY_OK);
    struct decision_turn turn = {.view = view,
                                 .running = input.has_run ? run : NULL,
                                 .fleet = input.has_fleet ? &input.fleet : NULL,
                                 .now_mono_us = input.now_mono_us,
                                 .now_wall_us = input.now_wall_us};
    char *again = decision_input_text(&turn);
    cluster_clear(view);
    free(config);
    free(view);
    free(run);
    return again;
}

static void check_text(const char *text, size_t size)
{
    struct replay *first = NULL, *second = NULL;
    struct replay_difference found;
    struct stay_error err;
    unsigned line = 0;
    if (replay_new(text, size, &first, &line, &err) != STAY_OK) {
        must(line >= 1);
        return;
    }
    for (size_t at = 0, n = 0; replay_next_difference(first, &at, &found); n++)
        must(!first->is_same && n < size + 2000);
    char *again = input_again(text);
    char *record = stay_sprintf("%s%s", again, first->judged);
    must(replay_new(record, strlen(record), &second, &line, &err) == STAY_OK);
    must(second->is_same);
    replay_free(first);
    replay_free(second);
    free(again);
    free(record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = stay_malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    check_frames(text, size);
    check_text(text, size);
    /* A piece from the middle: from its first section on, with an output behind it. */
    const char *section = text[0] == '[' ? text : strstr(text, "\n[");
    char *piece = stay_sprintf("%s\n%s", section == NULL ? "" : section,
                               "[facts]\nknown=no\n[decision]\nwant=none\n[after]\n");
    check_text(piece, strlen(piece));
    free(piece);
    free(text);
    return 0;
}
