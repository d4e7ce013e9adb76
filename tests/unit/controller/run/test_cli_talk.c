/* The command line against a controller: what it prints and how it ends, for every exit code. The
 * command runs in a child, the serving side with a fake controller here. */
#include "tests/unit/controller/serve/fake_control.h"
#include "base/io/file.h"
#include "base/io/loop.h"
#include "controller/run/cli.h"
#include "controller/serve/serve.h"
#include <sys/wait.h>
#include <unistd.h>

struct bench {
    struct loop loop;
    struct fake_control fake;
    struct settings settings;
    struct serve *serve;
    char folder[40];
    int exit_code;
    char *out, *err;
    enum plan_state ends_as; /* RUN_IDLE: the plan goes on for ever */
};

static void bench_open(struct bench *b)
{
    memset(b, 0, sizeof *b);
    assert_int_equal(loop_init(&b->loop, NULL), STAY_OK);
    fake_open(&b->fake);
    snprintf(b->folder, sizeof b->folder, "/tmp/talk-test-XXXXXX");
    assert_non_null(mkdtemp(b->folder));
    snprintf(b->settings.socket, sizeof b->settings.socket, "%s/s", b->folder);
    assert_int_equal(serve_start(&b->loop, &b->settings, &b->fake.control, &b->serve, NULL),
                     STAY_OK);
}

static void bench_close(struct bench *b)
{
    char path[80];
    serve_stop(b->serve);
    for (int i = 0; i < 20; i++)
        (void)loop_turn(&b->loop, 1000);
    loop_close(&b->loop);
    fake_close(&b->fake);
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", b->folder, i == 0 ? "out" : "err");
        unlink(path);
    }
    rmdir(b->folder);
    free(b->out);
    free(b->err);
}

static _Noreturn void child(struct bench *b, const char *line)
{
    char text[300], *argv[24] = {NULL}, *rest = text, path[80];
    int argc = 0;
    (void)stay_copy(text, sizeof text, line);
    char program[] = "mainstay", option[] = "--socket";
    argv[argc++] = program;
    argv[argc++] = option;
    argv[argc++] = b->settings.socket;
    for (char *word; (word = strsep(&rest, " ")) != NULL && argc < 23;)
        argv[argc++] = word;
    snprintf(path, sizeof path, "%s/out", b->folder);
    FILE *out = fopen(path, "w");
    snprintf(path, sizeof path, "%s/err", b->folder);
    FILE *err = fopen(path, "w");
    int code = cli_main(argc, argv, out, err);
    fclose(out);
    fclose(err);
    _exit(code);
}

static char *read_of(struct bench *b, const char *name)
{
    char path[80], *text = NULL;
    snprintf(path, sizeof path, "%s/%s", b->folder, name);
    if (file_read(path, 1 << 20, &text, NULL, NULL) != STAY_OK)
        return stay_strdup("");
    return text;
}

static void run(struct bench *b, const char *line)
{
    int status = 0;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        child(b, line);
    for (int i = 0; i < 3000 && waitpid(pid, &status, WNOHANG) == 0; i++) {
        (void)loop_turn(&b->loop, 5 * STAY_MS);
        if (b->fake.running && b->ends_as != RUN_IDLE) {
            b->fake.run.rows[0].state = ROW_DONE;
            fake_note(&b->fake, EXEC_ROW_ENDED, 0);
            fake_end(&b->fake, b->ends_as, b->ends_as == RUN_SUCCEEDED ? "" : "it would not");
        }
    }
    assert_true(WIFEXITED(status));
    b->exit_code = WEXITSTATUS(status);
    free(b->out);
    free(b->err);
    b->out = read_of(b, "out");
    b->err = read_of(b, "err");
}

static void expect(struct bench *b, const char *line, int exit_code, const char *out,
                   const char *err)
{
    run(b, line);
    if (b->exit_code != exit_code || strstr(b->out, out) == NULL || strstr(b->err, err) == NULL)
        fail_msg("%s: exit %d\n out: %s\n err: %s", line, b->exit_code, b->out, b->err);
}

static void status_tells_roles_promise_and_exposure(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    expect(&b, "status", 0, "shop  mariadb  primary db1  epoch 7", "");
    assert_non_null(strstr(b.out, "verdict   100 healthy"));
    assert_non_null(strstr(b.out, "lossless, stands since"));
    assert_non_null(strstr(b.out, "acks from db2"));
    assert_non_null(strstr(b.out, "if db1 died now: db2 takes over"));
    assert_non_null(strstr(b.out, "db2   replica  b     up     2.00 s  replica"));
    assert_null(strchr(b.out, '\033'));
    bench_close(&b);
}

static void every_question_is_printed(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    expect(&b, "topology", 0, "db2  replica  10.0.0.2:3306  <- db1  receiver running", "");
    expect(&b, "verdict shop", 0, "replicas_receive", "");
    expect(&b, "which-primary shop", 0, "10.0.0.1:3306\n", "");
    expect(&b, "history", 0, "shop-7", "");
    expect(&b, "explain last", 0, "shop-7", "");
    expect(&b, "plan shop failover", 0, "new primary  db2", "");
    expect(&b, "what-if shop --lose node:db1", 0, "new primary  db2", "");
    assert_non_null(strstr(b.out, "outage       not measured"));
    expect(&b, "what-if shop", 0, "zone:b of shop lost now: the primary is not touched", "");
    expect(&b, "what-if shop --lose db1", 2, "", "write node:NAME or zone:NAME");
    expect(&b, "what-if shop --lose node:db9", 2, "", "has no node \"db9\"");
    expect(&b, "--json status shop", 0, "\"clusters\":[{", "");
    expect(&b, "version", 0, "mainstay ", "");
    bench_close(&b);
}

static void exit_codes_follow_the_outcome(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    b.ends_as = RUN_SUCCEEDED;
    expect(&b, "switchover shop --to db2 --yes", 0, "Plan shop-8 (switchover) succeeded",
           "shop-8   1/");
    b.ends_as = RUN_UNDONE;
    expect(&b, "failover shop --yes", 1, "", "plan shop-8 ended undone: it would not");
    expect(&b, "failover shpo --yes", 2, "", "did you mean \"shop\"?");
    b.fake.vetoes = 1u << GUARD_COOLDOWN;
    expect(&b, "failover shop --yes", 3, "", "refused");
    b.fake.vetoes = 0;
    b.ends_as = RUN_IDLE;
    expect(&b, "failover shop --yes --timeout 200ms", 5, "", "the plan goes on");
    expect(&b, "failover shop --yes --no-wait", 0, "Plan shop-8 has begun", "");
    bench_close(&b);
}

static void json_is_one_answer_on_standard_output(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    b.ends_as = RUN_SUCCEEDED;
    expect(&b, "--json switchover shop --yes", 0, "\"state\":\"succeeded\"", "\"event\":");
    json_t *json = json_loads(b.out, 0, NULL);
    assert_non_null(json);
    json_decref(json);
    b.fake.vetoes = 1u << GUARD_COOLDOWN;
    expect(&b, "--json failover shop --yes", 3, "\"refused_by\":[\"cooldown\"]", "");
    bench_close(&b);
}

static void a_dry_run_changes_nothing(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    expect(&b, "failover shop --dry-run", 0, "nothing was changed", "");
    assert_int_equal(b.fake.started, PLAN_NONE);
    b.fake.switched = CONTROL_RESUME;
    expect(&b, "pause --dry-run", 0, "Would pause. Nothing was changed.", "");
    assert_int_equal(b.fake.switched, CONTROL_RESUME);
    bench_close(&b);
}

static void aliases_do_what_they_are_known_for(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    expect(&b, "disable-global-recoveries", 0, "done", "");
    assert_int_equal(b.fake.switched, CONTROL_PAUSE);
    expect(&b, "enable-global-recoveries", 0, "done", "");
    assert_int_equal(b.fake.switched, CONTROL_RESUME);
    expect(&b, "begin-downtime shop --for 2h", 0, "done", "");
    assert_int_equal(b.fake.switched, CONTROL_MAINTENANCE_START);
    assert_int_equal(b.fake.until_wall_us, CASE_WALL + 7200 * STAY_SECOND);
    expect(&b, "end-downtime shop", 0, "done", "");
    assert_int_equal(b.fake.switched, CONTROL_MAINTENANCE_END);
    expect(&b, "ack-cluster-recoveries shop", 0, "done", "");
    assert_int_equal(b.fake.switched, CONTROL_RELEASE);
    b.ends_as = RUN_SUCCEEDED;
    expect(&b, "graceful-master-takeover shop --yes", 0, "succeeded", "");
    assert_int_equal(b.fake.started, PLAN_SWITCHOVER);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status_tells_roles_promise_and_exposure),
        cmocka_unit_test(every_question_is_printed),
        cmocka_unit_test(exit_codes_follow_the_outcome),
        cmocka_unit_test(json_is_one_answer_on_standard_output),
        cmocka_unit_test(a_dry_run_changes_nothing),
        cmocka_unit_test(aliases_do_what_they_are_known_for),
    };
    if (freopen("/dev/null", "r", stdin) == NULL)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
