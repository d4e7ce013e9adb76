/* `mainstay replay` and `mainstay explain CLUSTER@TIME` say what stands in a recording: the same or
 * not and where, why nothing was done, and which line of which file cannot be read. */
#include "tests/unit/controller/decide/decide_world.h"

#include "base/io/file.h"
#include "base/str.h"
#include "base/units.h"
#include "controller/keep/recorder_private.h"
#include "controller/run/cli_recording.h"
#include <unistd.h>

static char folder[64], path[96];
static struct str frames;
static unsigned sequence;

static int begin(void **state)
{
    (void)snprintf(folder, sizeof folder, "/tmp/mainstay-replay-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    (void)snprintf(path, sizeof path, "%s/decisions-000001.txt", folder);
    str_init(&frames, 4 * 1024 * 1024);
    sequence = 0;
    return setup(state);
}

static int end(void **state)
{
    str_clear(&frames);
    (void)unlink(path);
    return teardown(state) + rmdir(folder);
}

static void add_frame(unsigned format, const char *text)
{
    char wall[40];
    units_format_wall(wall, sizeof wall, wall_of(&w));
    str_addf(&frames, "== mainstay decision %u %u shop %s %zu %016llx ==\n%s\n", format, ++sequence,
             wall, strlen(text), (unsigned long long)recorder_hash(text, strlen(text)), text);
}

/* One turn, as the daemon records it; then `from` in its text is `to`, of the same length. */
static void turn(const char *from, const char *to)
{
    struct decision_memory before = {0};
    struct fleet fleet = {0};
    struct decision_turn given = {
        .view = &w.view, .fleet = &fleet, .now_mono_us = w.now, .now_wall_us = wall_of(&w)};
    decision_memory_take(&before, &w.view);
    struct decision d = judge_with(NULL, &fleet);
    STAY_AUTO(stay_free_charp) char *text = decision_record_text(&given, &before, &d);
    if (from != NULL)
        memcpy(strstr(text, from), to, strlen(to));
    add_frame(RECORDER_FORMAT, text);
    decision_memory_clear(&before);
}

struct call {
    int exit_code;
    char *out, *err;
};

static void call_drop(struct call *c)
{
    free(c->out);
    free(c->err);
}

static struct call run(size_t cut, const char *verb, const char *what, const char *option)
{
    char *argv[] = {(char *)(uintptr_t) "mainstay",
                    (char *)(uintptr_t)verb,
                    (char *)(uintptr_t)what,
                    (char *)(uintptr_t)option,
                    option != NULL && strcmp(option, "--recording") == 0 ? folder : NULL,
                    NULL};
    size_t out_size = 0, err_size = 0;
    struct call c = {0};
    int argc = 0;
    assert_int_equal(file_write_atomic(path, str_text(&frames), frames.length - cut, 0600, NULL),
                     STAY_OK);
    while (argv[argc] != NULL)
        argc++;
    FILE *out = open_memstream(&c.out, &out_size), *err = open_memstream(&c.err, &err_size);
    c.exit_code = cli_main(argc, argv, out, err);
    fclose(out);
    fclose(err);
    return c;
}

static void has(const char *text, const char *what)
{
    if (strstr(text, what) == NULL)
        fail_msg("no '%s' in:\n%s", what, text);
}

static void what_was_recorded_is_judged_the_same(void **state)
{
    (void)state;
    turn(NULL, NULL);
    w.now += MS(250);
    turn(NULL, NULL);
    kill_db1();
    turn(NULL, NULL);
    STAY_AUTO(call_drop) struct call c = run(0, "replay", folder, NULL);
    assert_int_equal(c.exit_code, CLI_DONE);
    has(c.out, "2023-11-14T22:13:21.504Z  shop     100 healthy       -         -        2  same\n");
    has(c.out, "120 primary dead  failover  -        1  same\n");
    has(c.out, "\n3 decisions in 1 file: all are judged the same now, bit for bit.\n");
    STAY_AUTO(call_drop) struct call torn = run(40, "replay", path, NULL);
    assert_int_equal(torn.exit_code, CLI_DONE);
    has(torn.out, "\n2 decisions in 1 file: all are judged the same now");
    has(torn.out, "1 record is torn and left out (the last at ");
    STAY_AUTO(call_drop) struct call json = run(0, "replay", path, "--json");
    STAY_AUTO(stay_json_drop) json_t *data = NULL;
    assert_int_equal(stay_json_parse(json.out, strlen(json.out), &data, NULL), STAY_OK);
    assert_int_equal(json_integer_value(json_object_get(data, "same")), 3);
    assert_int_equal(json_array_size(json_object_get(data, "decisions")), 3);
}

static void a_difference_is_shown_field_by_field(void **state)
{
    (void)state;
    turn(NULL, NULL);
    kill_db1();
    turn("verdict=120", "verdict=121");
    STAY_AUTO(call_drop) struct call c = run(0, "replay", path, NULL);
    assert_int_equal(c.exit_code, CLI_FAILED);
    has(c.out, "121 primary dead  failover  -        1  DIFFERS\n");
    has(c.out, "  decision.verdict             recorded 121 primary dead\n"
               "                               now      120 primary dead\n");
    has(c.out, "\n2 decisions in 1 file: 1 judged the same now, 1 differently.\n");
    STAY_AUTO(call_drop) struct call json = run(0, "replay", path, "--json");
    assert_int_equal(json.exit_code, CLI_FAILED);
    has(json.out, "\"recorded\": \"121 primary dead\"");
}

static void what_cannot_be_read_is_named_by_line(void **state)
{
    (void)state;
    char text[300];
    turn(NULL, NULL);
    unsigned lines = 0;
    for (const char *c = str_text(&frames); *c != '\0'; c++)
        lines += *c == '\n';
    turn("acks=", "akks="); /* line 8 of its text, as test_decision_text.c knows */
    turn(NULL, NULL);
    STAY_AUTO(call_drop) struct call c = run(0, "replay", path, NULL);
    assert_int_equal(c.exit_code, CLI_USAGE);
    (void)snprintf(text, sizeof text,
                   "mainstay: %s:%u: 'akks' is not a known field and value: %s\n", path,
                   lines + 1 + 8, CLI_RECORDING_FIX_TEXT);
    assert_string_equal(c.err, text);
    has(c.out, "\n2 decisions in 1 file: all are judged the same now");
    frames.text[frames.length - 9] ^= 1; /* a damaged file */
    STAY_AUTO(call_drop) struct call damaged = run(0, "replay", path, NULL);
    assert_int_equal(damaged.exit_code, CLI_USAGE);
    has(damaged.err, "the record was changed");
    STAY_AUTO(call_drop) struct call nothing = run(0, "replay", "/no/such", NULL);
    assert_int_equal(nothing.exit_code, CLI_USAGE);
    has(nothing.err, "there is no '/no/such': name a recorder's file or folder");
}

static void other_formats_are_refused_with_the_reason(void **state)
{
    (void)state;
    add_frame(1, "[now]\nmono=1\n");
    add_frame(1, "[now]\nmono=2\n");
    add_frame(RECORDER_FORMAT + 1, "x");
    STAY_AUTO(call_drop) struct call c = run(0, "replay", path, NULL);
    assert_int_equal(c.exit_code, CLI_USAGE);
    has(c.err, ":1: a record of format 1 (and 1 more): an older mainstay wrote it");
    has(c.err, ":9: a record of format 3: a newer mainstay wrote it");
    STAY_AUTO(call_drop) struct call e = run(0, "explain", "shop@last", "--recording");
    assert_int_equal(e.exit_code, CLI_USAGE);
    has(e.err, "a record of format 3: a newer mainstay wrote it");
}

static void explain_tells_why_nothing_was_done(void **state)
{
    (void)state;
    turn(NULL, NULL);
    w.view.record.cooldown_until_wall_us = wall_of(&w) + SEC(3600);
    kill_db1();
    turn(NULL, NULL); /* at 22:13:21.806 */
    w.now += SEC(40);
    turn(NULL, NULL);
    STAY_AUTO(call_drop)
    struct call c = run(0, "explain", "shop@2023-11-14T22:13:22", "--recording");
    assert_int_equal(c.exit_code, CLI_DONE);
    has(c.out, "  verdict    120 primary dead, about primary db1\n");
    has(c.out, "  wanted     failover\n             not started: the guards named here held it\n");
    has(c.out, "  held by    cooldown\n");
    has(c.out, "connect: refused");
    has(c.out, "Judged again now it is the same, bit for bit.");
    STAY_AUTO(call_drop)
    struct call before = run(0, "explain", "shop@2023-11-14T22:13:21.7", "--recording");
    has(before.out, "  stood      until 2023-11-14T22:13:21.806Z: 120 primary dead\n");
    has(before.out, "nothing was wanted: the rule asks for no action");
    STAY_AUTO(call_drop)
    struct call early = run(0, "explain", "shop@2023-11-14T22:13", "--recording");
    assert_int_equal(early.exit_code, CLI_USAGE);
    has(early.err, "nothing was recorded of shop before 2023-11-14T22:13:21");
    STAY_AUTO(call_drop) struct call other = run(0, "explain", "shed@last", "--recording");
    assert_int_equal(other.exit_code, CLI_USAGE);
    has(other.err, "nothing is recorded of a cluster \"shed\"");
    STAY_AUTO(call_drop) struct call odd = run(0, "explain", "shop@noon", "--recording");
    assert_int_equal(odd.exit_code, CLI_USAGE);
    has(odd.err, "\"noon\" is no time: write shop@2026-02-03T04:05:06");
}

static void times_end_where_their_last_digit_does(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t us; /* after 2023-11-14T22:13:20, WALL0 */
    } times[] = {
        {"2023-11-14T22:13:20.25Z", 259999},
        {"2023-11-14 22:13:20", 999999},
        {"2023-11-14T22:13", -20 * STAY_SECOND},
        {"22:13:20.123456", 123456},
        {"22:13:20.1234567Z", 123456},
        {"10s", 0},
        {"22:14", 40 * STAY_SECOND - 86400 * STAY_SECOND},
    };
    static const char *const wrong[] = {"",      "noon",  "2023-11-14",       "22:13:20x",
                                        "24:00", "22:60", "2023-11-14X22:13", "22:13:20.5ZZ",
                                        "10",    "-1:00", "2023-13-14T22:13", "2023-11-00T22:13"};
    for (size_t i = 0; i < STAY_COUNT(times); i++) {
        int64_t us = 0;
        if (!cli_recording_time(times[i].text, WALL0 + SEC(10), &us) || us - WALL0 != times[i].us)
            fail_msg("%s: %lld", times[i].text, (long long)(us - WALL0));
    }
    for (size_t i = 0; i < STAY_COUNT(wrong); i++) {
        int64_t us = 0;
        if (cli_recording_time(wrong[i], WALL0, &us))
            fail_msg("taken: %s", wrong[i]);
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        T(what_was_recorded_is_judged_the_same),
        T(a_difference_is_shown_field_by_field),
        T(what_cannot_be_read_is_named_by_line),
        T(other_formats_are_refused_with_the_reason),
        T(explain_tells_why_nothing_was_done),
        cmocka_unit_test(times_end_where_their_last_digit_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
