/* Long work by a program: begun once and looked at, its progress told, its end told once, killed
 * when it is stopped, begun anew for another plan. */
#include <setjmp.h>
#include <stdarg.h>
#include "base/base.h"
#include "base/io/loop.h"
#include "controller/act/effects_work.h"
#include <cmocka.h>

struct bench {
    struct loop loop;
    struct effects_work_set *set;
    const char *argv[4];
    struct effects_work_spec spec;
};

static void bench_open(struct bench *b, const char *script)
{
    memset(b, 0, sizeof *b);
    assert_int_equal(loop_init(&b->loop, NULL), STAY_OK);
    b->set = effects_work_new(&b->loop);
    b->argv[0] = "/bin/sh";
    b->argv[1] = "-c";
    b->argv[2] = script;
    b->spec = (struct effects_work_spec){
        .cluster = "shop",
        .node = 1,
        .step = STEP_COPY,
        .argv = b->argv,
        .stdin_text = "{\"action\":\"copy\"}",
        .epoch = 7,
        .deadline_mono_us = loop_now_mono_us(&b->loop) + 10 * STAY_SECOND,
    };
}

static void bench_close(struct bench *b)
{
    effects_work_free(b->set);
    for (int i = 0; i < 20; i++)
        (void)loop_turn(&b->loop, 1000);
    loop_close(&b->loop);
}

static struct effect_result look(struct bench *b)
{
    struct effect_result result;
    effects_work_look(b->set, &b->spec, &result);
    return result;
}

/* Looks until its text is this (NULL: until it does not go on). */
static struct effect_result look_until(struct bench *b, const char *text)
{
    struct effect_result result = look(b);
    int64_t until = loop_now_mono_us(&b->loop) + 5 * STAY_SECOND;
    while (result.goes_on && (text == NULL || strcmp(result.text, text) != 0) &&
           loop_now_mono_us(&b->loop) < until) {
        (void)loop_turn(&b->loop, 5 * STAY_MS);
        result = look(b);
    }
    return result;
}

static void its_progress_and_its_end_are_told(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, "read line; case $line in *copy*) ;; *) exit 9;; esac\n"
                   "echo '{\"phase\":\"receiving\",\"bytes\":5000000,\"total\":20000000}'\n"
                   "sleep 0.3; echo '{\"phase\":\"done\",\"text\":\"position 0-1-9\"}'");
    struct effect_result r = look(&b);
    assert_true(r.goes_on);
    assert_int_equal(r.outcome, OUTCOME_NOT_DONE);
    assert_string_equal(r.text, "begun");
    r = look_until(&b, "receiving, 5.0 MB of 20.0 MB (25 %)");
    assert_true(r.goes_on);
    assert_true(effects_work_runs(b.set, "shop", 1, STEP_COPY));
    r = look_until(&b, NULL);
    assert_int_equal(r.outcome, OUTCOME_DONE);
    assert_string_equal(r.text, "done: position 0-1-9");
    assert_false(effects_work_runs(b.set, "shop", 1, STEP_COPY));
    assert_true(look(&b).goes_on); /* told: asked again it begins again */
    bench_close(&b);
}

static void a_failure_says_why(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, "echo '{\"phase\":\"preparing\"}'; echo no >&2; echo 'disk full' >&2; exit 4");
    struct effect_result r = look_until(&b, NULL);
    assert_int_equal(r.outcome, OUTCOME_NOT_DONE);
    assert_false(r.goes_on);
    assert_string_equal(r.text, "status 4: disk full");
    b.argv[0] = "/nonexistent/program";
    r = look(&b);
    assert_false(r.goes_on);
    assert_non_null(strstr(r.text, "/nonexistent/program"));
    bench_close(&b);
}

static void a_deadline_ends_it(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, "echo '{\"phase\":\"receiving\"}'; sleep 60");
    b.spec.deadline_mono_us = loop_now_mono_us(&b.loop) + 300 * STAY_MS;
    struct effect_result r = look_until(&b, NULL);
    assert_string_equal(r.text, "killed at its deadline (receiving)");
    bench_close(&b);
}

static void stopped_or_of_another_plan_it_is_begun_anew(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, "echo '{\"phase\":\"first\"}'; sleep 60");
    assert_string_equal(look_until(&b, "first").text, "first");
    b.spec.epoch = 8;
    assert_string_equal(look(&b).text, "begun");
    assert_string_equal(look_until(&b, "first").text, "first");
    effects_work_stop(b.set, "shop", 1, STEP_COPY);
    assert_false(effects_work_runs(b.set, "shop", 1, STEP_COPY));
    assert_string_equal(look(&b).text, "begun");
    effects_work_stop(b.set, "shop", 0, STEP_COPY); /* another server's: none */
    assert_true(effects_work_runs(b.set, "shop", 1, STEP_COPY));
    bench_close(&b);
}

/* A rewind's job: whoever killed it, it is begun again; its own word that it failed is final. */
static void one_that_may_be_resumed_is_unknown_where_it_was_killed(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, "echo '{\"phase\":\"putting rows back\"}'; kill -9 $$");
    assert_int_equal(look_until(&b, NULL).outcome, OUTCOME_NOT_DONE);
    b.spec.is_resumable = true;
    struct effect_result r = look_until(&b, NULL);
    assert_int_equal(r.outcome, OUTCOME_UNKNOWN);
    assert_false(r.goes_on);
    assert_string_equal(r.text, "ended by signal 9 (putting rows back)");
    b.argv[2] = "exit 5";
    assert_int_equal(look_until(&b, NULL).outcome, OUTCOME_UNKNOWN);
    b.argv[2] = "echo 'rows are not as they were' >&2; exit 1";
    r = look_until(&b, NULL);
    assert_int_equal(r.outcome, OUTCOME_NOT_DONE);
    assert_string_equal(r.text, "rows are not as they were");
    bench_close(&b);
}

static void what_is_no_json_is_shown_as_it_is(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, "printf 'copying'; printf ' on\\nhalf a line'; sleep 60");
    assert_string_equal(look_until(&b, "copying on").text, "copying on");
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_progress_and_its_end_are_told),
        cmocka_unit_test(a_failure_says_why),
        cmocka_unit_test(a_deadline_ends_it),
        cmocka_unit_test(stopped_or_of_another_plan_it_is_begun_anew),
        cmocka_unit_test(one_that_may_be_resumed_is_unknown_where_it_was_killed),
        cmocka_unit_test(what_is_no_json_is_shown_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
