/* tests/unit/base/io/test_process.c - children: output kept and bounded, input fed, exit codes, and
 * a deadline that kills the whole group, grandchildren included. */
#include "base/io/process.h"
#include "base/io/real_clock.h"
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <unistd.h>
#include <cmocka.h>
#include "loop_world.h"

#define PATIENCE_US (10 * STAY_SECOND)

struct ended {
    unsigned count;
    struct process_result result;
    char out[512], err_out[512];
};

static void on_done(const struct process_result *result, void *arg)
{
    struct ended *e = arg;
    e->count++;
    e->result = *result;
    (void)stay_copy(e->out, sizeof e->out, result->out);
    (void)stay_copy(e->err_out, sizeof e->err_out, result->err_out);
    assert_int_equal(strlen(result->out), result->out_length);
}

static struct ended run(const char *script, const char *input, size_t output_max,
                        int64_t deadline_us)
{
    struct ended e = {0};
    const char *argv[] = {"sh", "-c", script, NULL};
    struct stay_error err = {0};
    struct process_spec spec = {.argv = argv,
                                .stdin_text = input,
                                .output_max = output_max,
                                .deadline_mono_us = real_clock_mono_us() + deadline_us,
                                .done = on_done,
                                .arg = &e};
    if (process_start(&loop, &spec, NULL, &err) != STAY_OK)
        fail_msg("%s", err.text);
    loop_run(&loop);
    assert_int_equal(e.count, 1);
    return e;
}

static void output_and_status_come_back(void **state)
{
    (void)state;
    struct ended e = run("echo out; echo err >&2; exit 0", NULL, 0, PATIENCE_US);
    assert_int_equal(e.result.rc, STAY_OK);
    assert_string_equal(e.out, "out\n");
    assert_string_equal(e.err_out, "err\n");
    assert_true(e.result.duration_us > 0 && e.result.duration_us < PATIENCE_US);
    e = run("exit 7", NULL, 0, PATIENCE_US);
    assert_int_equal(e.result.rc, STAY_EFAILED);
    assert_int_equal(e.result.exit_status, 7);
    e = run("kill -TERM $$", NULL, 0, PATIENCE_US);
    assert_int_equal(e.result.rc, STAY_EFAILED);
    assert_int_equal(e.result.term_signal, SIGTERM);
}

static void input_is_fed_and_ends(void **state)
{
    (void)state;
    struct ended e = run("cat; echo end", "some\ntext\n", 0, PATIENCE_US);
    assert_string_equal(e.out, "some\ntext\nend\n");
    e = run("cat; echo end", NULL, 0, PATIENCE_US); /* no input: at its end at once */
    assert_string_equal(e.out, "end\n");
    char *large = stay_malloc(400001); /* more than a socket holds, to a child that ignores it */
    memset(large, 'x', 400000);
    large[400000] = '\0';
    e = run("exit 0", large, 0, PATIENCE_US);
    assert_int_equal(e.result.rc, STAY_OK);
    e = run("wc -c", large, 0, PATIENCE_US);
    assert_string_equal(e.out, "400000\n");
    free(large);
}

static void output_is_bounded_and_the_child_is_not_blocked(void **state)
{
    (void)state;
    struct ended e =
        run("head -c 300000 /dev/zero | tr '\\0' a; echo b >&2", NULL, 100, PATIENCE_US);
    assert_int_equal(e.result.rc, STAY_OK);
    assert_int_equal(e.result.out_length, 100);
    assert_true(e.result.is_out_cut);
    assert_false(e.result.is_err_out_cut);
    assert_string_equal(e.err_out, "b\n");
}

static void assert_dies(pid_t pid)
{
    int64_t limit = real_clock_mono_us() + PATIENCE_US;
    while (kill(pid, 0) == 0 && real_clock_mono_us() < limit)
        (void)loop_turn(&loop, 5 * STAY_MS);
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(errno, ESRCH);
}

/* A zombie of somebody else still has its pid: the grandchild is asked for through its open pipe.
 */
static void deadline_kills_the_whole_group(void **state)
{
    (void)state;
    struct ended e = run("echo begun; sleep 600 & sleep 600", NULL, 0, 200 * STAY_MS);
    assert_int_equal(e.result.rc, STAY_ETIMEDOUT);
    assert_int_equal(e.result.term_signal, SIGKILL);
    assert_string_equal(e.out, "begun\n");
    /* both ends of output were closed by the kill, else only the drain would have ended it */
    assert_true(e.result.duration_us >= 200 * STAY_MS);
}

static void cancel_is_idempotent_and_ends_in_the_callback(void **state)
{
    struct ended e = {0};
    const char *argv[] = {"sleep", "600", NULL};
    struct process *p = NULL;
    struct process_spec spec = {.argv = argv,
                                .deadline_mono_us = real_clock_mono_us() + PATIENCE_US,
                                .done = on_done,
                                .arg = &e};
    (void)state;
    assert_int_equal(process_start(&loop, &spec, &p, NULL), STAY_OK);
    pid_t pid = process_pid(p);
    assert_int_equal(kill(pid, 0), 0);
    process_cancel(p);
    process_cancel(p);
    assert_int_equal(e.count, 0);
    loop_run(&loop);
    assert_int_equal(e.count, 1);
    assert_int_equal(e.result.rc, STAY_ECANCELED);
    assert_dies(pid);
}

/* `daemon &` in a hook keeps the output open: it may live on, we do not wait for it. */
static void grandchild_with_open_output_does_not_hold_us(void **state)
{
    (void)state;
    struct ended e = run("(sleep 3; true) & echo $!; exit 3", NULL, 0, PATIENCE_US);
    assert_int_equal(e.result.exit_status, 3);
    assert_int_equal(e.result.rc, STAY_EFAILED);
    assert_true(e.result.duration_us < 2 * STAY_SECOND);
    (void)kill((pid_t)strtol(e.out, NULL, 10), SIGKILL);
}

static void environment_and_directory_are_as_asked(void **state)
{
    struct ended e = {0};
    const char *argv[] = {"/bin/sh", "-c", "echo $A $HOME; pwd", NULL};
    const char *env[] = {"A=b", NULL};
    struct process_spec spec = {.argv = argv,
                                .env = env,
                                .cwd = "/",
                                .deadline_mono_us = real_clock_mono_us() + PATIENCE_US,
                                .done = on_done,
                                .arg = &e};
    (void)state;
    assert_int_equal(process_start(&loop, &spec, NULL, NULL), STAY_OK);
    loop_run(&loop);
    assert_string_equal(e.out, "b\n/\n");
}

static void missing_program_is_an_error_at_once(void **state)
{
    struct ended e = {0};
    const char *argv[] = {"/nonexistent/program", NULL}, *dir[] = {"/tmp", NULL};
    struct process_spec spec = {.argv = argv, .done = on_done, .arg = &e};
    struct stay_error err = {0};
    (void)state;
    assert_int_equal(process_start(&loop, &spec, NULL, &err), STAY_ENOTFOUND);
    assert_string_equal(err.text, "run '/nonexistent/program': no such file or directory");
    spec.argv = dir;
    assert_int_equal(process_start(&loop, &spec, NULL, &err), STAY_EDENIED);
    loop_run(&loop);
    assert_int_equal(e.count, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(output_and_status_come_back),
        T(input_is_fed_and_ends),
        T(output_is_bounded_and_the_child_is_not_blocked),
        T(deadline_kills_the_whole_group),
        T(cancel_is_idempotent_and_ends_in_the_callback),
        T(grandchild_with_open_output_does_not_hold_us),
        T(environment_and_directory_are_as_asked),
        T(missing_program_is_an_error_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
