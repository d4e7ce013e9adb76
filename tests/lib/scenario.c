/* tests/lib/scenario.c - begin and end of a real-server scenario; see the header. */
#include "tests/lib/scenario.h"

#include <stdarg.h>
#include <time.h>

static struct lab *current; /* the one lab of this process, for the clean-up at exit */

static void take_down(void)
{
    if (current != NULL && getenv("MAINSTAY_KEEP_LAB") == NULL)
        (void)lab_down(current);
}

static void finish(const char *word, const char *fmt, va_list args)
{
    fflush(stdout);
    printf("%s", word);
    vprintf(fmt, args);
    printf("\n");
    fflush(stdout);
}

void scenario_fail(const char *fmt, ...)
{
    va_list args;
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

void scenario_pass(const char *row, const char *injected, const char *happened,
                   const char *invariant)
{
    printf("%s | %s | %s | %s\n", row, injected, happened, invariant);
    fflush(stdout);
    exit(0);
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
    LAB_MUST(lab, lab_load_start(lab, &(struct lab_load_options){.writers = 16}));
    scenario_write_on(800);
}

static int count(const json_t *report, const char *key)
{
    return (int)json_integer_value(json_object_get(report, key));
}

void scenario_check_bounded(struct lab *lab, const char *node, int min_acked, int lost_max)
{
    json_t *r = NULL;
    LAB_MUST(lab, lab_load_stop(lab));
    LAB_MUST(lab, lab_load_check(lab, node, lab_fault_us(lab), 0, &r));
    printf("clients: acked %d, lost %d, unexpected %d, duplicates %d, order %d, overlaps %d, in flight "
           "at the fault %d, outage %.0f ms\n", count(r, "acked"), count(r, "lost"),
           count(r, "unexpected"), count(r, "duplicates"), count(r, "order_violations"),
           count(r, "overlaps"), count(r, "waiting_at_fault"),
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
