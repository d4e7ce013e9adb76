/* tests/unit/controller/decide/test_golden_verdict.c - runs tests/golden/verdict/NAME.case: a
 * healthy cluster of three, changed line by line as the case says, and the decision it must lead
 * to. With --accept the [expect] sections are written anew from what is decided now: read the
 * difference. */
#include "view_fixture.h"

#include "base/str.h"
#include "controller/decide/cluster_births.h"
#include "controller/decide/cluster_written.h"
#include "controller/decide/verdict_private.h"
#include <dirent.h>

#define CASES_MAX 400

static char case_names[CASES_MAX][80];
static size_t case_count;
static bool is_accepting;
static uint8_t reached[1000]; /* rule ids some case ended in */

static char *read_case(const char *name, char *path, size_t path_size)
{
    (void)snprintf(path, path_size, "%s/verdict/%s", MAINSTAY_GOLDEN_DIR, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char *text = stay_calloc(1, 65536);
    size_t length = fread(text, 1, 65535, file);
    assert_true(length > 0 && length < 65535);
    (void)fclose(file);
    return text;
}

static void add_conformance(struct str *s, const struct world *w)
{
    struct conformance rows[64];
    size_t count = verdict_conformance(&w->view, w->now, rows, STAY_COUNT(rows));
    assert_true(count <= STAY_COUNT(rows));
    for (size_t i = 0; i < count; i++) {
        uint32_t node = rows[i].verdict.node;
        assert_true(rows[i].detail[0] != '\0' && rows[i].fix[0] != '\0');
        reached[rows[i].verdict.rule_id] = 1;
        str_addf(s, "conformance=%u %s: %s\nfix=%s\n", rows[i].verdict.rule_id,
                 w->config.nodes[node].name, rows[i].detail, rows[i].fix);
        if (rows[i].line[0] != '\0')
            str_addf(s, "line=%s\n", rows[i].line);
        if (rows[i].variable[0] != '\0')
            str_addf(s, "live=%s = %s\n", rows[i].variable, rows[i].value);
    }
}

/* Recorded and judged again, it is the same, bit for bit. */
static void check_replay(struct world *w, const struct fleet *fleet, int64_t now_wall_us,
                         struct decision_memory *before, const struct decision *d)
{
    struct decision_turn turn = {.view = &w->view,
                                 .fleet = fleet,
                                 .now_mono_us = w->now,
                                 .now_wall_us = now_wall_us};
    STAY_AUTO(stay_free_charp) char *text = decision_record_text(&turn, before, d);
    STAY_AUTO(replay_drop) struct replay *replay = NULL;
    struct stay_error err = {0};
    unsigned line = 0;
    if (replay_new(text, strlen(text), &replay, &line, &err) != STAY_OK)
        fail_msg("line %u: %s", line, err.text);
    assert_string_equal(replay->judged, replay->recorded);
    decision_memory_clear(before);
}

/* What is decided, in the words of the [expect] section. */
static char *decided(struct world *w, const struct fleet *of_case, int64_t now_wall_us)
{
    struct decision d;
    struct str s = {0};
    struct decision_memory before = {0};
    struct fleet fleet = *of_case;
    decision_memory_take(&before, &w->view);
    decide(&w->view, NULL, &fleet, w->now, now_wall_us, &d);
    check_replay(w, &fleet, now_wall_us, &before, &d);
    reached[d.verdict.rule_id] = 1;
    if (fleet.zone_down) {
        struct verdict zone = verdict_zone_down();
        reached[zone.rule_id] = 1;
        str_addf(&s, "zone=%u %s\n", zone.rule_id, zone.name);
    }
    if (w->view.evacuated != 0) {
        struct verdict zone = verdict_zone_evacuated(false);
        reached[zone.rule_id] = 1;
        str_addf(&s, "zone=%u %s\n", zone.rule_id, zone.name);
    }
    str_addf(&s, "verdict=%u %s\naction=%s\n", d.verdict.rule_id, d.verdict.name,
             verdict_action_text(d.verdict.action));
    for (uint32_t i = 0; i < w->config.node_count; i++) {
        struct verdict v = verdict_judge_replica(&w->view, i, w->now);
        if (i == w->view.primary || (i == 0 && w->view.primary == NO_NODE))
            continue;
        reached[v.rule_id] = 1;
        if (v.rule_id != 200)
            str_addf(&s, "%s=%u %s, %s\n", w->config.nodes[i].name, v.rule_id, v.name,
                     verdict_action_text(v.action));
    }
    if (d.want != PLAN_NONE)
        str_addf(&s, "want=%s %s\n", plan_kind_text(d.want),
                 d.params.node < w->config.node_count ? w->config.nodes[d.params.node].name : "-");
    for (unsigned g = 0; g < GUARD_COUNT; g++) {
        if (d.vetoes & (1U << g))
            str_addf(&s, "veto=%s\n", guard_name((enum guard_id)g));
    }
    if (d.record_changed)
        str_addf(&s, "record=%s\n", d.record.mode != w->view.record.mode ? "mode is bounded"
                                    : d.record.lossless_stands ? "changed, stands"
                                                               : "lossless_since is unset");
    add_conformance(&s, w);
    return str_take(&s);
}

static void write_case(const char *path, const char *text, size_t input, const char *expect)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, input, file), input);
    assert_true(fprintf(file, "[expect]\n%s", expect) > 0);
    assert_int_equal(fclose(file), 0);
}

static void run_case(const char *name)
{
    char path[512];
    STAY_AUTO(stay_free_charp) char *text = read_case(name, path, sizeof path);
    const char *expect = strstr(text, "[expect]\n");
    size_t input_length = expect != NULL ? (size_t)(expect - text) : strlen(text);
    bool is_mysql = strstr(text, "engine=mysql") != NULL;
    struct world w;
    struct stay_error err = {0};
    world_init(&w, is_mysql ? ENGINE_MYSQL : ENGINE_MARIADB);
    healthy(&w, 8);
    struct decision_input input = {.config = &w.config,
                                   .view = &w.view,
                                   .now_mono_us = w.now,
                                   .now_wall_us = wall_of(&w)};
    if (decision_input_apply(text, &input, &err) != STAY_OK)
        fail_msg("%s: %s", name, err.text);
    int64_t wall = input.now_wall_us;
    w.now = input.now_mono_us;
    w.view.wall_offset_us = wall - w.now;
    for (uint32_t i = 0; i < w.config.node_count; i++) /* its births were judged long ago, */
        w.view.nodes[i].birth_judged = true;
    (void)cluster_note_births(&w.view, &w.view.record); /* and noted */
    if (w.view.primary != NO_NODE)
        (void)cluster_note_written(&w.view, w.view.primary,
                                   &w.view.nodes[w.view.primary].facts.executed, &w.view.record);
    STAY_AUTO(stay_free_charp) char *got = decided(&w, &input.fleet, wall);
    if (is_accepting)
        write_case(path, text, input_length, got);
    else if (expect == NULL || strcmp(expect + strlen("[expect]\n"), got) != 0)
        fail_msg("%s: expected\n%s\ndecided\n%s", name, expect ? expect : "(nothing)\n", got);
    world_clear(&w);
}

static void every_case_is_decided_as_recorded(void **state)
{
    (void)state;
    for (size_t i = 0; i < case_count; i++)
        run_case(case_names[i]);
    printf("%zu golden verdict cases\n", case_count);
    assert_true(case_count >= 60);
}

static void note_unreached(void *ctx, uint16_t id, enum verdict_subject subject, const char *name,
                           const char *why, enum verdict_action action)
{
    (void)why;
    (void)action;
    if (reached[id] || subject == SUBJECT_OBJECTIVES) /* a rehearsal's: tests/golden/rehearsal */
        return;
    printf("no golden case ends in %u %s\n", id, name);
    ++*(size_t *)ctx;
}

static void every_row_is_reached_by_a_case(void **state)
{
    (void)state;
    size_t unreached = 0;
    verdict_visit(note_unreached, &unreached);
    assert_int_equal(unreached, 0);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void list_cases(void)
{
    DIR *dir = opendir(MAINSTAY_GOLDEN_DIR "/verdict");
    struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL && case_count < CASES_MAX) {
        size_t length = strlen(entry->d_name);
        if (length > 5 && strcmp(entry->d_name + length - 5, ".case") == 0 &&
            stay_copy(case_names[case_count], sizeof case_names[0], entry->d_name))
            case_count++;
    }
    if (dir != NULL)
        (void)closedir(dir);
    qsort(case_names, case_count, sizeof case_names[0], compare_names);
}

int main(int argc, char **argv)
{
    is_accepting = argc > 1 && strcmp(argv[1], "--accept") == 0;
    list_cases();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_is_decided_as_recorded),
        cmocka_unit_test(every_row_is_reached_by_a_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
