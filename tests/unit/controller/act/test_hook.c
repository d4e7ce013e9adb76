/* Hooks: no shell, JSON in, a veto only where it was declared, and a hook that hangs is killed with
 * everything it started. */
#include <setjmp.h>
#include <stdarg.h>
#include "base/base.h"
#include "base/io/file.h"
#include "base/io/loop.h"
#include "controller/act/hook.h"
#include <cmocka.h>
#include <signal.h>
#include <unistd.h>

struct bench {
    struct loop loop;
    struct settings_cluster settings;
    char folder[40];
    bool is_done, vetoed;
    char text[256];
};

static void on_hooks(void *arg, bool vetoed, const char *text)
{
    struct bench *b = arg;
    assert_false(b->is_done);
    b->is_done = true;
    b->vetoed = vetoed;
    (void)stay_copy(b->text, sizeof b->text, text);
}

static void bench_open(struct bench *b)
{
    memset(b, 0, sizeof *b);
    assert_int_equal(loop_init(&b->loop, NULL), STAY_OK);
    struct cluster_config *config = &b->settings.config;
    (void)stay_copy(config->name, sizeof config->name, "shop");
    config->node_count = 2;
    (void)stay_copy(config->nodes[0].name, sizeof config->nodes[0].name, "db1");
    (void)stay_copy(config->nodes[1].name, sizeof config->nodes[1].name, "db2");
    snprintf(b->folder, sizeof b->folder, "/tmp/hook-test-XXXXXX");
    assert_non_null(mkdtemp(b->folder));
}

static void bench_close(struct bench *b)
{
    char path[80];
    static const char *const names[] = {"hook0", "hook1", "hook2", "out", "pid"};
    for (size_t i = 0; i < STAY_COUNT(names); i++) {
        snprintf(path, sizeof path, "%s/%s", b->folder, names[i]);
        unlink(path);
    }
    rmdir(b->folder);
    for (int i = 0; i < 10; i++)
        (void)loop_turn(&b->loop, 1000);
    loop_close(&b->loop);
}

/* A hook that is a shell script; @ is the folder. */
static void add_hook(struct bench *b, enum settings_hook_when when, const char *script, bool veto,
                     int64_t deadline_us)
{
    struct settings_hook *hook = &b->settings.hooks[b->settings.hook_count];
    STAY_AUTO(stay_free_charp)
    char *text = stay_sprintf("#!/bin/sh\ncd %s\n%s\n", b->folder, script);
    hook->when = (int)when;
    hook->may_veto = veto;
    hook->deadline_us = deadline_us;
    hook->argc = 2;
    snprintf(hook->argv[0], sizeof hook->argv[0], "%s/hook%u", b->folder, b->settings.hook_count);
    (void)stay_copy(hook->argv[1], sizeof hook->argv[1], "a b; $(touch /tmp/never)");
    assert_int_equal(file_write_atomic(hook->argv[0], text, strlen(text), 0700, NULL), STAY_OK);
    b->settings.hook_count++;
}

static bool run(struct bench *b, enum settings_hook_when when)
{
    struct hook_call call = {.cluster = &b->settings,
                             .when = when,
                             .epoch = 7,
                             .old_primary = 0,
                             .new_primary = NO_NODE};
    b->is_done = false;
    if (!hook_start(&b->loop, &call, on_hooks, b))
        return false;
    assert_false(b->is_done);
    for (int i = 0; i < 2000 && !b->is_done; i++)
        (void)loop_turn(&b->loop, 5 * STAY_MS);
    assert_true(b->is_done);
    return true;
}

static void a_hook_gets_json_arguments_and_environment(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    add_hook(&b, HOOK_PRE_FAILOVER,
             "cat > out; echo \"$1|$MAINSTAY_CLUSTER|$MAINSTAY_PLAN|$MAINSTAY_OLD_PRIMARY|"
             "$MAINSTAY_NEW_PRIMARY|$HOME\" >> out; echo all good",
             false, 5 * STAY_SECOND);
    assert_true(run(&b, HOOK_PRE_FAILOVER));
    assert_false(b.vetoed);
    assert_string_equal(b.text, "hook0: done (all good)");
    char path[80];
    snprintf(path, sizeof path, "%s/out", b.folder);
    STAY_AUTO(stay_free_charp) char *out = NULL;
    assert_int_equal(file_read(path, 4096, &out, NULL, NULL), STAY_OK);
    assert_non_null(strstr(out, "\"cluster\":\"shop\""));
    assert_non_null(strstr(out, "\"new_primary\":null"));
    assert_non_null(strstr(out, "a b; $(touch /tmp/never)|shop|shop-7|db1||"));
    assert_false(file_exists("/tmp/never"));
    bench_close(&b);
}

static void a_veto_counts_only_where_declared(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    add_hook(&b, HOOK_PRE_FAILOVER, "exit 3", false, 5 * STAY_SECOND);
    add_hook(&b, HOOK_PRE_FAILOVER, "echo not now >&2; exit 4", true, 5 * STAY_SECOND);
    add_hook(&b, HOOK_PRE_FAILOVER, "echo never reached", false, 5 * STAY_SECOND);
    assert_true(run(&b, HOOK_PRE_FAILOVER));
    assert_true(b.vetoed);
    assert_string_equal(b.text, "hook0: status 3; hook1: vetoed with status 4 (not now)");
    bench_close(&b);
}

static void a_hook_that_hangs_is_killed_with_its_children(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    add_hook(&b, HOOK_PRE_SWITCHOVER, "sleep 60 & echo $! > pid; sleep 60", true, 200 * STAY_MS);
    int64_t begun = loop_now_mono_us(&b.loop);
    assert_true(run(&b, HOOK_PRE_SWITCHOVER));
    assert_true(loop_now_mono_us(&b.loop) - begun < 3 * STAY_SECOND);
    assert_true(b.vetoed);
    assert_string_equal(b.text, "hook0: killed at its deadline");
    char path[80];
    snprintf(path, sizeof path, "%s/pid", b.folder);
    STAY_AUTO(stay_free_charp) char *text = NULL;
    assert_int_equal(file_read(path, 64, &text, NULL, NULL), STAY_OK);
    bool gone = false;
    for (int i = 0; i < 200 && !gone; i++) {
        char stat[64], line[256] = "";
        snprintf(stat, sizeof stat, "/proc/%ld/stat", strtol(text, NULL, 10));
        FILE *in = fopen(stat, "r");
        if (in != NULL) {
            (void)!fgets(line, sizeof line, in);
            fclose(in);
        }
        gone = in == NULL || strstr(line, ") Z ") != NULL; /* nobody reaps orphans in a sandbox */
        (void)loop_turn(&b.loop, 5 * STAY_MS);
    }
    assert_true(gone);
    bench_close(&b);
}

static void a_program_that_cannot_run_is_recorded(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    add_hook(&b, HOOK_POST_FAILOVER, "true", false, STAY_SECOND);
    unlink(b.settings.hooks[0].argv[0]);
    assert_true(run(&b, HOOK_POST_FAILOVER));
    assert_false(b.vetoed);
    assert_memory_equal(b.text, "hook0: ", 7);
    bench_close(&b);
}

static void without_a_hook_nothing_is_started(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    add_hook(&b, HOOK_PRE_FAILOVER, "true", false, STAY_SECOND);
    assert_false(run(&b, HOOK_POST_FAILOVER));
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hook_gets_json_arguments_and_environment),
        cmocka_unit_test(a_veto_counts_only_where_declared),
        cmocka_unit_test(a_hook_that_hangs_is_killed_with_its_children),
        cmocka_unit_test(a_program_that_cannot_run_is_recorded),
        cmocka_unit_test(without_a_hook_nothing_is_started),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
