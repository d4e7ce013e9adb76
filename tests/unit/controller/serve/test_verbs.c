/* The unix socket: every request gets exactly one answer with the right exit code, whatever it
 * holds, whenever control answers, and whether or not the client is still there. */
#include "tests/unit/controller/serve/fake_control.h"
#include "base/io/loop.h"
#include "base/str.h"
#include "controller/serve/serve.h"
#include "controller/serve/verbs.h"
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct bench {
    struct loop loop;
    struct fake_control fake;
    struct settings settings;
    struct serve *serve;
    char folder[40];
};

static void bench_open(struct bench *b)
{
    memset(b, 0, sizeof *b);
    assert_int_equal(loop_init(&b->loop, NULL), STAY_OK);
    fake_open(&b->fake);
    snprintf(b->folder, sizeof b->folder, "/tmp/verbs-test-XXXXXX");
    assert_non_null(mkdtemp(b->folder));
    snprintf(b->settings.socket, sizeof b->settings.socket, "%s/s", b->folder);
    struct stay_error err = {0};
    if (serve_start(&b->loop, &b->settings, &b->fake.control, &b->serve, &err) != STAY_OK)
        fail_msg("%s", err.text);
}

static void bench_close(struct bench *b)
{
    serve_stop(b->serve);
    for (int i = 0; i < 20; i++)
        (void)loop_turn(&b->loop, 1000);
    loop_close(&b->loop);
    fake_close(&b->fake);
    rmdir(b->folder);
}

static int ask(struct bench *b, const char *line)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    (void)stay_copy(to.sun_path, sizeof to.sun_path, b->settings.socket);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(write(fd, line, strlen(line)), strlen(line));
    assert_int_equal(write(fd, "\n", 1), 1);
    for (int i = 0; i < 4; i++)
        (void)loop_turn(&b->loop, 1000);
    return fd;
}

/* Reads to the end; the last line is the answer. Heap. */
static char *answer_text(struct bench *b, int fd)
{
    struct str all = {0};
    for (int i = 0; i < 500; i++) {
        char chunk[8192];
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n > 0)
            str_add_bytes(&all, chunk, (size_t)n);
        if (n == 0)
            break;
        (void)loop_turn(&b->loop, 1000);
    }
    close(fd);
    return str_take(&all);
}

static json_t *answer_of(struct bench *b, const char *line)
{
    STAY_AUTO(stay_free_charp) char *text = answer_text(b, ask(b, line));
    size_t length = strlen(text);
    assert_true(length > 0);
    text[length - 1] = '\0';
    const char *last = strrchr(text, '\n');
    json_t *json = json_loads(last == NULL ? text : last + 1, 0, NULL);
    assert_non_null(json);
    return json;
}

static void expect(struct bench *b, const char *line, int exit_code, const char *part)
{
    json_t *json = answer_of(b, line);
    STAY_AUTO(stay_free_charp) char *text = stay_json_dump_compact(json);
    assert_int_equal(json_integer_value(json_object_get(json, "exit")), exit_code);
    assert_int_equal(json_is_true(json_object_get(json, "ok")), exit_code == 0);
    if (strstr(text, part) == NULL)
        fail_msg("%s: '%s' is not in %s", line, part, text);
    json_decref(json);
}

static void every_question_is_answered(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    expect(&b, "{\"verb\":\"status\"}", 0, "\"lossless_stands\":true");
    b.fake.is_ready = false;
    expect(&b, "{\"verb\":\"status\"}", 0, "\"holds\":\"the disk is full\"");
    b.fake.is_ready = true;
    expect(&b, "{\"verb\":\"status\",\"cluster\":\"shop\"}", 0, "\"role\":\"primary\"");
    expect(&b, "{\"verb\":\"topology\"}", 0, "\"from\":\"db1\"");
    expect(&b, "{\"verb\":\"problems\"}", 0, "\"problems\":");
    expect(&b, "{\"verb\":\"verdict\",\"cluster\":\"shop\"}", 0, "\"rule\":100");
    expect(&b, "{\"verb\":\"check\"}", 0, "\"checks\":");
    expect(&b, "{\"verb\":\"which-primary\",\"cluster\":\"shop\"}", 0, "10.0.0.1:3306");
    expect(&b, "{\"verb\":\"history\"}", 0, "shop-7");
    expect(&b, "{\"verb\":\"explain\",\"args\":{\"id\":\"last\"}}", 0, "\"id\":\"shop-7\"");
    expect(&b, "{\"verb\":\"explain\",\"args\":{\"id\":\"shop-7\"}}", 0, "\"id\":\"shop-7\"");
    expect(&b, "{\"verb\":\"runbook\"}", 0, "type this");
    expect(&b, "{\"verb\":\"version\"}", 0, "version");
    expect(&b, "{\"verb\":\"plan\",\"cluster\":\"shop\",\"args\":{\"kind\":\"failover\"}}", 0,
           "\"candidate\":\"db2\"");
    bench_close(&b);
}

static void wrong_requests_are_usage_errors(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    expect(&b, "hello", 2, "not JSON");
    expect(&b, "[]", 2, "a request is");
    expect(&b, "{\"verb\":7}", 2, "a request is");
    expect(&b, "{\"verb\":\"status\",\"cluster\":7}", 2, "a request is");
    expect(&b, "{\"verb\":\"dance\"}", 2, "no verb");
    expect(&b, "{\"verb\":\"status\",\"cluster\":\"shpo\"}", 2, "did you mean");
    expect(&b, "{\"verb\":\"verdict\"}", 2, "needs the name of a cluster");
    expect(&b, "{\"verb\":\"rejoin\",\"cluster\":\"shop\"}", 2, "needs the name of a node");
    expect(&b, "{\"verb\":\"rejoin\",\"cluster\":\"shop\",\"args\":{\"node\":\"db9\"}}", 2,
           "it has: db1, db2");
    expect(&b, "{\"verb\":\"maintenance\",\"cluster\":\"shop\",\"args\":{\"action\":\"start\"}}", 2,
           "1s to 30d");
    expect(&b, "{\"verb\":\"plan\",\"cluster\":\"shop\",\"args\":{\"kind\":\"dance\"}}", 2,
           "a plan is one of");
    expect(&b, "{\"verb\":\"failover\",\"cluster\":\"shop\",\"args\":{\"accept_loss\":\"\"}}", 2,
           "needs a reason");
    expect(&b, "{\"verb\":\"explain\",\"args\":{\"id\":\"shop-9\"}}", 2, "no plan shop-9");
    expect(&b, "{\"verb\":\"abort\",\"cluster\":\"shop\"}", 1, "no plan runs");
    bench_close(&b);
}

static void a_plan_is_started_and_waited_for(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    int fd = ask(&b, "{\"verb\":\"switchover\",\"cluster\":\"shop\",\"args\":{\"to\":\"db2\","
                     "\"wait\":true,\"reason\":\"test\"}}");
    assert_int_equal(b.fake.started, PLAN_SWITCHOVER);
    assert_int_equal(b.fake.params.node, 1);
    assert_string_equal(b.fake.params.reason, "test");
    assert_non_null(strstr(b.fake.params.actor, "(uid "));
    b.fake.run.rows[0].state = ROW_DONE;
    fake_note(&b.fake, EXEC_ROW_ENDED, 0);
    fake_end(&b.fake, RUN_SUCCEEDED, "");
    STAY_AUTO(stay_free_charp) char *text = answer_text(&b, fd);
    assert_non_null(strstr(text, "\"event\":\"plan begun\""));
    assert_non_null(strstr(text, "\"event\":\"step ended\""));
    assert_non_null(strstr(text, "\"exit\":0"));
    assert_null(b.fake.listener);
    bench_close(&b);
}

static void a_failed_plan_tells_which_rule_stopped_it(void **state)
{
    (void)state;
    static const struct {
        enum step_kind step;
        bool past;
        const char *expected;
    } cases[] = {{STEP_CHECK, false, "\"refused_by\":[\"precondition\"]"},
                 {STEP_CERTIFY, false, "\"refused_by\":[\"certificate\"]"},
                 {STEP_HOOK_PRE, false, "\"refused_by\":[\"hook-veto\"]"},
                 {STEP_FREEZE, false, "\"exit\":1"},
                 {STEP_WRITABLE, true, "\"exit\":5"}};
    for (size_t i = 0; i < STAY_COUNT(cases); i++) {
        struct bench b;
        bench_open(&b);
        int fd = ask(&b, "{\"verb\":\"failover\",\"cluster\":\"shop\",\"args\":{\"wait\":true}}");
        b.fake.run.rows[plan_row_of(PLAN_FAILOVER, cases[i].step)].state = ROW_FAILED;
        b.fake.run.past_no_return = cases[i].past;
        fake_end(&b.fake, cases[i].past ? RUN_ASKS : RUN_UNDONE, "because");
        STAY_AUTO(stay_free_charp) char *text = answer_text(&b, fd);
        if (strstr(text, cases[i].expected) == NULL)
            fail_msg("%s: %s", cases[i].expected, text);
        bench_close(&b);
    }
}

static void a_plan_that_ends_within_its_start_is_answered(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    b.fake.ends_at_once = true;
    expect(&b, "{\"verb\":\"failover\",\"cluster\":\"shop\",\"args\":{\"wait\":true}}", 1,
           "it ended before it began");
    bench_close(&b);
}

static void refused_plans_name_the_guards(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    b.fake.vetoes = 1u << GUARD_COOLDOWN;
    expect(&b, "{\"verb\":\"failover\",\"cluster\":\"shop\",\"args\":{\"wait\":true}}", 3,
           "\"refused_by\":[\"cooldown\"]");
    assert_null(b.fake.listener);
    bench_close(&b);
}

static void a_client_that_leaves_ends_nothing_but_its_waiting(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    close(ask(&b, "{\"verb\":\"failover\",\"cluster\":\"shop\",\"args\":{\"wait\":true}}"));
    for (int i = 0; i < 20; i++)
        (void)loop_turn(&b.loop, 1000);
    assert_null(b.fake.listener);
    assert_true(b.fake.running);
    /* And one whose switch is still being stored. */
    b.fake.is_late = true;
    close(ask(&b, "{\"verb\":\"pause\"}"));
    for (int i = 0; i < 20; i++)
        (void)loop_turn(&b.loop, 1000);
    fake_answer(&b.fake);
    bench_close(&b);
}

static void switches_reach_the_store(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    expect(&b, "{\"verb\":\"pause\"}", 0, "data");
    assert_int_equal(b.fake.switched, CONTROL_PAUSE);
    assert_string_equal(b.fake.switched_cluster, "");
    expect(&b, "{\"verb\":\"resume\",\"cluster\":\"shop\"}", 0, "data");
    assert_int_equal(b.fake.switched, CONTROL_RESUME);
    expect(&b,
           "{\"verb\":\"maintenance\",\"cluster\":\"shop\",\"args\":{\"action\":\"start\","
           "\"for_us\":60000000}}",
           0, "data");
    assert_int_equal(b.fake.until_wall_us, CASE_WALL + 60 * STAY_SECOND);
    b.fake.switched = CONTROL_PAUSE;
    expect(&b, "{\"verb\":\"release\",\"cluster\":\"shop\",\"dry_run\":true}", 0, "would");
    assert_int_equal(b.fake.switched, CONTROL_PAUSE);
    bench_close(&b);
}

static void a_refused_reload_says_the_old_one_stays(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    expect(&b, "{\"verb\":\"reload\"}", 0, "file");
    b.fake.reload_rc = STAY_EINVALID;
    expect(&b, "{\"verb\":\"reload\"}", 1, "the old configuration stays in force");
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_question_is_answered),
        cmocka_unit_test(wrong_requests_are_usage_errors),
        cmocka_unit_test(a_plan_is_started_and_waited_for),
        cmocka_unit_test(a_failed_plan_tells_which_rule_stopped_it),
        cmocka_unit_test(a_plan_that_ends_within_its_start_is_answered),
        cmocka_unit_test(refused_plans_name_the_guards),
        cmocka_unit_test(a_client_that_leaves_ends_nothing_but_its_waiting),
        cmocka_unit_test(switches_reach_the_store),
        cmocka_unit_test(a_refused_reload_says_the_old_one_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
