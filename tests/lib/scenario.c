/* tests/lib/scenario.c - begin and end of a real-server scenario; see the header. */
#include "tests/lib/scenario.h"

#include <stdarg.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "tests/lib/server_talk.h"

bool scenario_is_long(void)
{
    return getenv("MAINSTAY_SCENARIO_LONG") != NULL;
}

static bool is_over;        /* passed, skipped, or failed with its logs kept */
static struct lab *current; /* the one lab of this process, for the clean-up at exit */

/* The logs of a run that failed outlive its lab. */
static void keep_logs(void)
{
    STAY_AUTO(stay_free_charp) char *from = stay_sprintf("%s/log", lab_dir(current));
    STAY_AUTO(stay_free_charp) char *record = stay_sprintf("%s/load.log", lab_dir(current));
    STAY_AUTO(stay_free_charp) char *kept = stay_sprintf("%s/log/load-record", lab_dir(current));
    STAY_AUTO(stay_free_charp)
    char *to = stay_sprintf("%s.failed-%d", lab_dir(current), (int)getpid());
    STAY_AUTO(stay_free_charp) char *seen = stay_sprintf("%s/state/recorder", lab_dir(current));
    STAY_AUTO(stay_free_charp) char *recorder = stay_sprintf("%s/log/recorder", lab_dir(current));
    (void)rename(record, kept);
    (void)rename(seen, recorder);
    if (rename(from, to) == 0)
        fprintf(stderr, "the servers' and the controller's logs: %s\n", to);
}

/* What the controller thinks, for whoever looks into a failure. */
static void print_controller_view(void)
{
    json_t *cluster = current == NULL ? NULL : state_cluster(current);
    STAY_AUTO(stay_free_charp) char *text = cluster == NULL ? NULL : json_dumps(cluster, 0);
    if (text != NULL)
        printf("status: %s\n", text);
    json_t *history = NULL;
    int code = -1;
    if (cluster != NULL && lab_cli(current, &code, &history, "history", "shop", NULL)) {
        STAY_AUTO(stay_free_charp) char *plans = json_dumps(history, 0);
        printf("history: %s\n", plans == NULL ? "" : plans);
    }
    json_decref(history);
    json_decref(cluster);
    if (current != NULL && getenv("MAINSTAY_KEEP_LAB") == NULL)
        keep_logs();
}

static void take_down(void)
{
    if (current != NULL && !is_over && getenv("MAINSTAY_KEEP_LAB") == NULL)
        keep_logs(); /* LAB_MUST ended the program */
    if (current != NULL && getenv("MAINSTAY_KEEP_LAB") == NULL)
        (void)lab_down(current);
}

static void finish(const char *word, const char *fmt, va_list args)
{
    is_over = true;
    fflush(stdout);
    printf("%s", word);
    vprintf(fmt, args);
    printf("\n");
    fflush(stdout);
}

void scenario_fail(const char *fmt, ...)
{
    va_list args;
    fflush(stdout);
    print_controller_view();
    va_start(args, fmt);
    finish("", fmt, args);
    va_end(args);
    exit(1);
}

void scenario_skip(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    finish("", fmt, args);
    va_end(args);
    exit(77);
}

void scenario_over(void)
{
    is_over = true;
}

/* An operator had to pass --accept-loss: said in the last line, or it would claim too much. */
static bool was_accepted;

void scenario_pass(const char *row, const char *injected, const char *happened,
                   const char *invariant)
{
    is_over = true;
    printf("%s | %s | %s%s | %s\n", row, injected,
           was_accepted ? "NOT ALONE, an operator said --accept-loss: " : "", happened, invariant);
    fflush(stdout);
    exit(0);
}

void scenario_take_in(struct lab *lab, struct lab *other, const char *name)
{
    STAY_AUTO(stay_free_charp) char *text = scenario_file(other, "mainstay.conf");
    char *begin = strstr(text, "  { name = \"shop\""), *end = strstr(text, "\n);");
    SCENARIO_CHECK(begin != NULL && end != NULL, "the lab writes its configuration otherwise now");
    memcpy(strstr(begin, "shop"), name, 4);
    *end = '\0';
    STAY_AUTO(stay_free_charp) char *both = stay_sprintf("clusters = (\n%s,\n", begin);
    LAB_MUST(lab, lab_edit_config(lab, "clusters = (\n", both));
}

void scenario_start_controller(struct lab *lab, bool adopt)
{
    int code = -1;
    json_t *answer = NULL;
    LAB_MUST(lab, lab_start_controller(lab));
    if (!adopt)
        return;
    LAB_MUST(lab, lab_cli(lab, &code, &answer, "adopt", "shop", "--yes", "--wait", NULL));
    if (code != 0) {
        STAY_AUTO(stay_free_charp) char *text = answer == NULL ? NULL : json_dumps(answer, 0);
        scenario_fail("adopt exits %d: %s", code, text == NULL ? "" : text);
    }
    json_decref(answer);
    scenario_ready(lab, 20);
}

struct lab *scenario_begin(int argc, char **argv, struct lab_options options, unsigned flags)
{
    const char *engine = "mariadb";
    options.name = "scenario";
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--engine") == 0)
            engine = argv[i + 1];
        else if (strcmp(argv[i], "--name") == 0)
            options.name = argv[i + 1];
        else
            scenario_fail("usage: %s --engine mariadb|mysql --name LAB", argv[0]);
    }
    options.engine = strcmp(engine, "mysql") == 0 ? LAB_MYSQL : LAB_MARIADB;
    current = lab_new(&options);
    (void)atexit(take_down);
    LAB_MUST(current, lab_up(current));
    if ((flags & SCENARIO_NO_CONTROLLER) == 0)
        scenario_start_controller(current, (flags & SCENARIO_NO_ADOPT) == 0);
    return current;
}

void scenario_write_on(int ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    (void)nanosleep(&t, NULL);
}

void scenario_load(struct lab *lab)
{
    LAB_MUST(lab, lab_load_start(lab, &(struct lab_load_options){.writers = 16, .rate = 800}));
    scenario_write_on(800);
}

static int count(const json_t *report, const char *key)
{
    return (int)json_integer_value(json_object_get(report, key));
}

void scenario_goes_on(struct lab *lab, const char *node, int ms)
{
    long before = talk_number(lab, node, WORD_ROWS);
    scenario_write_on(ms);
    SCENARIO_CHECK(talk_number(lab, node, WORD_ROWS) > before, "writes do not go on");
}

void scenario_refuses_start(struct lab *lab, const char *what, const char *word)
{
    STAY_AUTO(stay_free_charp) char *before = scenario_file(lab, "log/controller.log");
    bool started = lab_start_controller(lab);
    STAY_AUTO(stay_free_charp) char *after = scenario_file(lab, "log/controller.log");
    const char *told = after + (strlen(after) >= strlen(before) ? strlen(before) : 0);
    printf("%s: %s", what, told);
    SCENARIO_CHECK(!started, "%s: it started", what);
    SCENARIO_CHECK(strstr(told, word) != NULL, "%s: '%s' is not said", what, word);
}

void scenario_check_bounded(struct lab *lab, const char *node, int min_acked, int lost_max)
{
    json_t *r = NULL;
    LAB_MUST(lab, lab_load_stop(lab));
    LAB_MUST(lab, lab_load_check(lab, node, lab_fault_us(lab), 0, &r));
    printf("clients: acked %d, lost %d, unexpected %d, duplicates %d, order %d, overlaps %d, in "
           "flight "
           "at the fault %d, outage %.0f ms\n",
           count(r, "acked"), count(r, "lost"), count(r, "unexpected"), count(r, "duplicates"),
           count(r, "order_violations"), count(r, "overlaps"), count(r, "waiting_at_fault"),
           json_number_value(json_object_get(r, "outage_ms")));
    bool clean = count(r, "lost") <= lost_max && count(r, "unexpected") == 0 &&
                 count(r, "duplicates") == 0 && count(r, "order_violations") == 0 &&
                 count(r, "overlaps") == 0;
    int acked = count(r, "acked");
    json_decref(r);
    if (!clean)
        scenario_fail("the loss checker is not content");
    if (acked < min_acked)
        scenario_fail("only %d writes were acknowledged, %d expected", acked, min_acked);
}

void scenario_check(struct lab *lab, const char *node, int min_acked)
{
    scenario_check_bounded(lab, node, min_acked, 0);
}

const char *scenario_failover(struct lab *lab, const char *old, int timeout_s)
{
    static char name[64];
    STAY_AUTO(stay_free_charp) char *now = state_wait_moved(lab, old, timeout_s);
    if (now == NULL)
        scenario_fail("no failover away from %s within %d s", old, timeout_s);
    (void)stay_copy(name, sizeof name, now);
    return name;
}

const char *scenario_failover_unseen(struct lab *lab, const char *old, int timeout_s)
{
    if (lab_engine_of(lab) == LAB_MARIADB)
        return scenario_failover(lab, old, timeout_s);
    if (!state_wait_plans(lab, "failover", 1, timeout_s))
        scenario_fail("no failover was tried within %d s", timeout_s);
    STAY_AUTO(stay_free_charp) char *id = state_last_plan(lab, "failover");
    STAY_AUTO(stay_json_drop) json_t *told = state_explain(lab, id);
    const json_t *summary = json_object_get(told, "summary");
    const char *state = json_string_value(json_object_get(summary, "state"));
    const char *certificate = json_string_value(json_object_get(summary, "certificate"));
    if (state == NULL || strcmp(state, "undone") != 0 || certificate == NULL ||
        strcmp(certificate, "BOUNDED") != 0)
        scenario_fail("unseen MySQL primary: the failover is '%s', its certificate '%s'", state,
                      certificate);
    printf("refused alone: %s\n", json_string_value(json_object_get(summary, "text")));
    int code = -1;
    STAY_AUTO(stay_json_drop) json_t *answer = NULL;
    was_accepted = true;
    LAB_MUST(lab, lab_cli(lab, &code, &answer, "failover", "shop", "--yes", "--accept-loss",
                          "seen to be gone", NULL));
    STAY_AUTO(stay_free_charp) char *text = answer == NULL ? NULL : json_dumps(answer, 0);
    if (code != 0)
        scenario_fail("failover --accept-loss exits %d: %s", code, text == NULL ? "" : text);
    return scenario_failover(lab, old, timeout_s);
}

const char *scenario_failover_either(struct lab *lab, const char *old, int timeout_s)
{
    if (lab_engine_of(lab) == LAB_MARIADB)
        return scenario_failover(lab, old, timeout_s);
    for (int64_t due = lab_now_us() + timeout_s * STAY_SECOND; lab_now_us() < due;) {
        STAY_AUTO(stay_free_charp) char *now = state_wait_moved(lab, old, 1);
        if (now != NULL)
            return scenario_failover(lab, old, 5);
        STAY_AUTO(stay_free_charp) char *id = state_last_plan(lab, "failover");
        STAY_AUTO(stay_json_drop) json_t *told = id == NULL ? NULL : state_explain(lab, id);
        const char *state = json_string_value(state_find(told, "state"));
        if (state != NULL && strcmp(state, "undone") == 0)
            return scenario_failover_unseen(lab, old, 5);
    }
    scenario_fail("neither a failover away from %s nor a question within %d s", old, timeout_s);
}

void scenario_stays(struct lab *lab, const char *primary, int seconds)
{
    for (int64_t due = lab_now_us() + seconds * STAY_SECOND; lab_now_us() < due;
         scenario_write_on(100)) {
        STAY_AUTO(stay_free_charp) char *now = state_primary(lab);
        if (now != NULL && strcmp(now, primary) != 0)
            scenario_fail("the primary moved from %s to %s", primary, now);
    }
    if (state_count_plans(lab, "failover") != 0)
        scenario_fail("a failover was started");
}

static bool has_settled(struct lab *lab, const char *node, char *ret_how, size_t size)
{
    json_t *object = state_node(lab, node);
    const char *role = json_string_value(json_object_get(object, "role"));
    const char *receiver = json_string_value(json_object_get(object, "receiver"));
    bool read_only = json_is_true(json_object_get(object, "read_only"));
    bool replica = role != NULL && strcmp(role, "replica") == 0 && receiver != NULL &&
                   strcmp(receiver, "running") == 0;
    const char *quarantine = json_string_value(json_object_get(object, "quarantine"));
    bool quarantined = quarantine != NULL && strcmp(quarantine, "diverged") == 0; /* for good */
    if (ret_how != NULL)
        (void)stay_copy(ret_how, size, role == NULL ? "unknown" : role);
    json_decref(object);
    return read_only && (replica || quarantined);
}

const char *scenario_settled(struct lab *lab, const char *node, int timeout_s)
{
    static char how[32];
    for (int64_t due = lab_now_us() + timeout_s * STAY_SECOND;; scenario_write_on(50)) {
        if (has_settled(lab, node, how, sizeof how))
            break;
        if (lab_now_us() > due)
            scenario_fail("%s is '%s' after %d s, neither replica nor quarantined", node, how,
                          timeout_s);
    }
    printf("%s came back: %s\n", node, how);

    return how;
}

void scenario_story(struct lab *lab, const char *kind)
{
    STAY_AUTO(stay_free_charp) char *id = state_last_plan(lab, kind);
    json_t *told = id == NULL ? NULL : state_explain(lab, id);
    json_t *summary = json_object_get(told, "summary");
    STAY_AUTO(stay_free_charp) char *text = summary == NULL ? NULL : json_dumps(summary, 0);
    printf("%s: %s\n", kind, text == NULL ? "none" : text);
    json_decref(told);
}

void scenario_ready(struct lab *lab, int timeout_s)
{
    char why[200];
    if (!state_wait_ready(lab, timeout_s, why, sizeof why))
        scenario_fail("not ready within %d s: %s", timeout_s, why);
}

char *scenario_value(struct lab *lab, const char *node, const char *statement)
{
    char *text = NULL;
    LAB_MUST(lab, lab_sql(lab, node, statement, &text));
    return text;
}

const char *scenario_pick(struct lab *lab, const char *mariadb, const char *mysql)
{
    return lab_engine_of(lab) == LAB_MYSQL ? mysql : mariadb;
}

char *scenario_file(struct lab *lab, const char *name)
{
    STAY_AUTO(stay_free_charp) char *path = stay_sprintf("%s/%s", lab_dir(lab), name);
    FILE *in = fopen(path, "re");
    char *text = stay_calloc(1, 1 << 20);
    if (in != NULL) {
        text[fread(text, 1, (1 << 20) - 1, in)] = '\0';
        fclose(in);
    }
    return text;
}

void scenario_copy(struct lab *lab, const char *from, const char *to)
{
    STAY_AUTO(stay_free_charp) char *source = stay_sprintf("%s/%s", lab_dir(lab), from);
    STAY_AUTO(stay_free_charp) char *target = stay_sprintf("%s/%s", lab_dir(lab), to);
    FILE *in = fopen(source, "re"), *out = fopen(target, "we");
    char block[4096];
    SCENARIO_CHECK(in != NULL && out != NULL, "%s to %s", source, target);
    for (size_t n; (n = fread(block, 1, sizeof block, in)) > 0;)
        SCENARIO_CHECK(fwrite(block, 1, n, out) == n, "%s", target);
    fclose(in);
    SCENARIO_CHECK(fclose(out) == 0, "%s", target);
}

char *scenario_say(struct lab *lab, int *ret_code, const char *verb, const char *a, const char *b)
{
    STAY_AUTO(stay_json_drop) json_t *answer = NULL;
    LAB_MUST(lab, lab_cli(lab, ret_code, &answer, verb, a, b, NULL));
    char *text = answer == NULL ? NULL : json_dumps(answer, JSON_ENCODE_ANY);
    return text != NULL ? text : stay_strdup(lab_error(lab));
}

void scenario_kill_sessions(struct lab *lab, const char *node, const char *user)
{
    STAY_AUTO(stay_free_charp)
    char *ask = stay_sprintf("SELECT CONCAT('KILL ', id) FROM information_schema.processlist "
                             "WHERE user = '%s'",
                             user);
    STAY_AUTO(stay_free_charp) char *kills = scenario_value(lab, node, ask);
    char *at = NULL;
    for (char *line = strtok_r(kills, "\n", &at); line != NULL; line = strtok_r(NULL, "\n", &at))
        (void)lab_sql(lab, node, line, NULL); /* it may be gone by now */
}
