/* tests/crash/crash_strike.c - see the header. mainstayd stops itself at the armed point; what
 * happens to it or around it while it stands there is done from here. */
#include "base/json.h"
#include "tests/crash/crash_strike.h"

#include <sys/wait.h>
#include <unistd.h>

#define REACHED_MS 15000
#define FAULT_MS   3000
/* A loop that stood still for 2 s holds automation for 30: most freezes stay below that. */
#define FREEZE_MS 1600

static char *file_of(const struct crash_run *run, const char *suffix)
{
    return stay_sprintf("%s/crash%s", lab_dir(run->lab), suffix);
}

static void write_file(const char *path, const char *text)
{
    FILE *out = fopen(path, "we");
    SCENARIO_CHECK(out != NULL && fputs(text, out) >= 0 && fclose(out) == 0, "%s: %m", path);
}

void crash_needs_points(void)
{
    scenario_crash_at("none:none:before"); /* skips */
    scenario_crash_at(NULL);
}

/* Hooks of the operator's, so that their rows are effects. */
static const char hooks[] =
    "    hooks = ( { when = \"pre_failover\"; command = [ \"/bin/true\" ]; },\n"
    "      { when = \"post_failover\"; command = [ \"/bin/true\" ]; },\n"
    "      { when = \"pre_switchover\"; command = [ \"/bin/true\" ]; },\n"
    "      { when = \"post_switchover\"; command = [ \"/bin/true\" ]; } );\n"
    "    failover = {";

struct lab *crash_begin(int argc, char **argv, const struct crash_layout *layout)
{
    struct crash_run run = {
        .lab = scenario_begin(argc, argv, layout->options, SCENARIO_NO_CONTROLLER)};
    STAY_AUTO(stay_free_charp) char *path = file_of(&run, "");
    LAB_MUST(run.lab, lab_edit_config(run.lab, "    failover = {", hooks));
    setenv("MAINSTAY_CRASH_FILE", path, 1);
    scenario_start_controller(run.lab, true);
    return run.lab;
}

void crash_arm(const struct crash_run *run)
{
    STAY_AUTO(stay_free_charp) char *path = file_of(run, "");
    char text[64], kind[32];
    if (run->point == NULL)
        return;
    (void)stay_copy(kind, sizeof kind, plan_kind_text(run->points->kind));
    for (char *c = kind; *c != '\0'; c++)
        *c = *c == ' ' ? '-' : *c;
    (void)snprintf(text, sizeof text, "%s:%u:%s:stop", kind, (unsigned)run->point->row,
                   run->point->after ? "after" : "before");
    STAY_AUTO(stay_free_charp) char *part = file_of(run, ".part");
    write_file(part, text);
    SCENARIO_CHECK(rename(part, path) == 0, "%s: %m", path);
}

void crash_disarm(const struct crash_run *run)
{
    STAY_AUTO(stay_free_charp) char *path = file_of(run, "");
    STAY_AUTO(stay_free_charp) char *hit = file_of(run, ".hit");
    (void)unlink(path);
    (void)unlink(hit);
}

/* The first server the row touches, or its proxies. */
static void targets_of(const struct crash_run *run, char names[2][16])
{
    size_t count = 0;
    const struct plan_row *row = &plan_rows(run->points->kind, &count)[run->point->row];
    STAY_AUTO(stay_free_charp) char *mask = scenario_file(run->lab, "crash.hit");
    unsigned targets = (unsigned)strtoul(mask, NULL, 10);
    names[0][0] = names[1][0] = '\0';
    if (step_kind_class(row->step) == CLASS_ROUTE) {
        (void)stay_copy(names[0], 16, "proxy-a");
        (void)stay_copy(names[1], 16, "proxy-b");
        return;
    }
    SCENARIO_CHECK(targets != 0, "the point tells no targets");
    (void)snprintf(names[0], 16, "db%d", __builtin_ctz(targets) + 1);
}

static void cut(const struct crash_run *run, const char *from)
{
    char names[2][16];
    targets_of(run, names);
    for (int i = 0; i < 2 && names[i][0] != '\0'; i++)
        LAB_MUST(run->lab, lab_cut(run->lab, names[i], from, false));
    LAB_MUST(run->lab, lab_thaw(run->lab, "controller"));
    scenario_write_on(FAULT_MS);
    LAB_MUST(run->lab, lab_heal(run->lab, NULL, NULL));
}

static void cut_store(const struct crash_run *run)
{
    STAY_AUTO(stay_free_charp) char *path = file_of(run, ".store");
    write_file(path, "");
    LAB_MUST(run->lab, lab_thaw(run->lab, "controller"));
    scenario_write_on(FAULT_MS);
    SCENARIO_CHECK(unlink(path) == 0, "%s: %m", path);
}

static bool is_there(const char *path, int timeout_ms)
{
    for (int64_t begun = lab_now_us(); access(path, F_OK) != 0; scenario_write_on(3))
        if (talk_ms_since(begun) > timeout_ms)
            return false;
    return true;
}

/* Nobody asks the controller meanwhile: stopped, it would not answer. */
static bool is_reached(const struct crash_run *run)
{
    STAY_AUTO(stay_free_charp) char *hit = file_of(run, ".hit");
    STAY_AUTO(stay_free_charp) char *armed = file_of(run, "");
    if (!is_there(hit, REACHED_MS) && unlink(armed) == 0)
        return false;
    SCENARIO_CHECK(is_there(hit, 2000), "the point vanished");
    return scenario_wait_crash(run->lab, true, 5);
}

/* Past the validity of the row's statements, but for those that may be late by many seconds. */
static int freeze_ms(const struct crash_run *run)
{
    size_t count = 0;
    enum step_kind step = plan_rows(run->points->kind, &count)[run->point->row].step;
    int valid_ms = (int)(plan_step_validity_us(step) / STAY_MS);
    return valid_ms < FREEZE_MS || valid_ms > FAULT_MS ? FREEZE_MS : valid_ms + 200;
}

bool crash_strike(struct crash_run *run)
{
    struct lab *lab = run->lab;
    if (!is_reached(run))
        return false;
    switch (run->point->fault) {
    case POINT_DIE:
        LAB_MUST(lab, lab_kill_controller(lab));
        scenario_write_on(500);
        LAB_MUST(lab, lab_start_controller(lab));
        break;
    case POINT_FREEZE:
        scenario_write_on(freeze_ms(run));
        LAB_MUST(lab, lab_thaw(lab, "controller"));
        break;
    case POINT_STORE:
        cut_store(run);
        break;
    case POINT_TARGET:
        cut(run, "controller");
        break;
    case POINT_GONE:
        cut(run, "all");
        break;
    case POINT_FAULTS:
        break;
    }
    return true;
}

/* --- what stages share --------------------------------------------------------------------- */

/* MySQL: a controller that died before the failover was recorded cannot know how the primary ended.
 * It goes on alone as little as one that never saw it: a human who did says so. */
static const char *refused_text(const json_t *cluster)
{
    const json_t *plan = json_object_get(cluster, "last_plan");
    const char *text = json_string_value(json_object_get(plan, "text"));
    bool stands =
        json_integer_value(json_object_get(json_object_get(cluster, "verdict"), "rule")) > 0;
    return stands && text != NULL && strstr(text, "not accepted: MySQL may have answered") != NULL
               ? text
               : NULL;
}

/* A human is asked: a plan's own question, a refused certificate, or a total outage (136), which
 * only he ends. The verb he is told to use; NULL: nobody is asked. */
static const char *asked_verb(const json_t *cluster)
{
    const json_t *verdict = json_object_get(cluster, "verdict");
    if (json_integer_value(json_object_get(verdict, "rule")) == 136)
        return "recover";
    bool asks = json_is_true(json_object_get(cluster, "asks")) || refused_text(cluster) != NULL;
    return asks ? "failover" : NULL;
}

/* An operator does what the controller asks him to. */
static void answer(struct crash_run *run, const json_t *cluster, const char *verb)
{
    const char *about = json_string_value(json_object_get(cluster, "asks_about"));
    const char *why =
        json_string_value(json_object_get(json_object_get(cluster, "verdict"), "why"));
    int code = -1;
    STAY_AUTO(stay_json_drop) json_t *said = NULL;
    run->asked = true;
    const char *refused = refused_text(cluster);
    about = about != NULL ? about : refused != NULL ? refused : why;
    SCENARIO_CHECK(about != NULL && about[0] != '\0', "a human is asked, and not told what");
    printf("asks: %s\n", about);
    (void)lab_cli(run->lab, &code, &said, verb, "shop", "--yes",
                  refused != NULL ? "--accept-loss" : "--reason", "it asked for a human", NULL);
    printf("an operator's %s: exit %d\n", verb, code);
}

void crash_order(struct crash_run *run, const char *verb)
{
    (void)fflush(NULL);
    run->operator= fork();
    SCENARIO_CHECK(run->operator>= 0, "fork: %m");
    if (run->operator== 0) {
        int code = -1;
        (void)lab_cli(run->lab, &code, NULL, verb, "shop", "--yes", NULL);
        _exit(0);
    }
}

void crash_order_end(struct crash_run *run, int timeout_s)
{
    SCENARIO_CHECK(waitpid(run->operator, NULL, 0) == run->operator, "waitpid: %m");
    for (int64_t due = lab_now_us() + timeout_s * STAY_SECOND;; scenario_write_on(100)) {
        STAY_AUTO(stay_json_drop) json_t *cluster = state_cluster(run->lab);
        if (cluster != NULL && !json_is_object(json_object_get(cluster, "plan")))
            return;
        SCENARIO_CHECK(lab_now_us() < due, "a plan runs after %d s", timeout_s);
    }
}

void crash_wait_moved(struct crash_run *run, int timeout_s)
{
    int asking = 0;
    for (int64_t due = lab_now_us() + timeout_s * STAY_SECOND; lab_now_us() < due;) {
        STAY_AUTO(stay_free_charp) char *now = state_wait_moved(run->lab, run->old, 1);
        if (now != NULL)
            return;
        STAY_AUTO(stay_json_drop) json_t *cluster = state_cluster(run->lab);
        const char *verb = asked_verb(cluster);
        asking = verb != NULL ? asking + 1 : 0;
        if (asking == 8) /* some eight seconds */
            answer(run, cluster, verb);
    }
    scenario_fail("no failover away from %s within %d s", run->old, timeout_s);
}

void crash_take_back(struct crash_run *run, const char *node)
{
    struct lab *lab = run->lab;
    if (strcmp(scenario_settled(lab, node, 60), "replica") == 0)
        return;
    for (int64_t due = lab_now_us() + 60 * STAY_SECOND;; scenario_write_on(500)) {
        int code = -1;
        STAY_AUTO(stay_json_drop) json_t *said = NULL;
        LAB_MUST(lab, lab_cli(lab, &code, &said, "errant", "reset", "shop", node, "--yes", NULL));
        if (code == 0)
            return;
        STAY_AUTO(stay_free_charp) char *text = json_dumps(said, JSON_ENCODE_ANY);
        SCENARIO_CHECK(lab_now_us() < due, "errant reset exits %d: %s", code, text);
    }
}
