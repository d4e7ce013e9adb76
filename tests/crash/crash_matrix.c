/* tests/crash/crash_matrix.c - which point next, and the way there; see the header.
 *
 * The parent keeps the record and makes a child per lab: whatever ends a child early (a wait that
 * ran out, a loss) is the failure of the point under way, and the next child goes on after it. */
#include "tests/crash/crash_matrix.h"

#include <sys/klog.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "tests/crash/crash_judge.h"
#include "tests/crash/crash_strike.h"

#define EXIT_TIME  76 /* points are left */
#define TRIES_MAX  3
#define SHORT_STEP 37 /* of the points, when not all are asked for */
#define SERVERS    8
#define WRITES_S   300
#define STALL_S    180 /* a wait of a point runs out after at most that */

/* What is known of a primary's plan: which rows it takes when nothing happens. */
struct way {
    bool is_known;
    uint64_t rows;
};

struct gather {
    const struct crash_stage *stage;
    struct crash_points points;
    struct crash_run run;
    struct way ways[SERVERS]; /* of primary db1, db2 ... */
    const char *only;         /* as of points_init */
    size_t step;
    int64_t due_us;
};

static unsigned way_of(const char *node)
{
    unsigned n = (unsigned)strtoul(node + 2, NULL, 10);
    must(n >= 1 && n <= SERVERS);
    return n - 1;
}

/* --- one point ----------------------------------------------------------------------------- */

/* The record tells a server's earlier process from this one once it is 8 s old; a controller that
 * starts while the primary is dead needs it. */
static void grow_old(struct lab *lab)
{
    STAY_AUTO(stay_json_drop) json_t *cluster = state_cluster(lab);
    const char *sql =
        scenario_pick(lab,
                      "SELECT variable_value > 10 FROM information_schema.global_status WHERE "
                      "variable_name = 'uptime'",
                      "SELECT variable_value > 10 FROM performance_schema.global_status WHERE "
                      "variable_name = 'uptime'");
    size_t i;
    json_t *node;
    json_array_foreach(json_object_get(cluster, "nodes"), i, node)
        LAB_MUST(lab, lab_wait_sql(lab, crash_word(node, "name"), sql, "1", 30));
}

static void one_point(struct gather *g, struct crash_point *point)
{
    struct crash_end end;
    struct way *way;
    struct crash_run *run = &g->run;
    run->point = point;
    run->asked = false;
    if (point != NULL)
        points_begin(&g->points, point);
    if (point == NULL || point->fault == POINT_DIE)
        grow_old(run->lab);
    scenario_ready(run->lab, 60);
    scenario_write_on(1000); /* seen, and stored */
    STAY_AUTO(stay_free_charp) char *primary = state_primary(run->lab);
    SCENARIO_CHECK(primary != NULL && stay_copy(run->old, sizeof run->old, primary), "no primary");
    LAB_MUST(run->lab, lab_sql(run->lab, run->old, "TRUNCATE shop.ledger", NULL));
    LAB_MUST(run->lab, lab_load_start(run->lab, &(struct lab_load_options){.rate = WRITES_S}));
    scenario_write_on(600);
    json_int_t epoch = crash_epoch(run->lab);
    g->stage->lead(run);
    bool hit = point != NULL && crash_strike(run);
    crash_disarm(run);
    g->stage->settle(run);
    crash_judge(run, g->stage, epoch, &end);
    if (hit) {
        points_end(&g->points, point, POINT_PASSED, end.how, run->layout->name, end.what);
        return;
    }
    if (point != NULL)
        point->tries++;
    printf("%s from %s: %s\n", point == NULL ? "without a fault" : "not reached", run->old,
           end.what);
    way = &g->ways[way_of(run->old)]; /* a fault may lead to rows that nothing else leads to */
    way->is_known = true;
    way->rows |= end.rows;
}

/* --- which one next ------------------------------------------------------------------------ */

static bool may_be_next(const struct gather *g, const struct crash_point *p, const char *primary)
{
    const struct way *way = &g->ways[way_of(primary)];
    return p->end == POINT_PENDING && p->tries < TRIES_MAX &&
           (!way->is_known || (way->rows >> p->row & 1) != 0);
}

static struct crash_point *next_for(struct gather *g, const char *primary)
{
    for (size_t i = 0; i < g->points.count; i++)
        if (may_be_next(g, &g->points.list[i], primary))
            return &g->points.list[i];
    return NULL;
}

/* A server that leads where this primary does not, made primary in good order. */
static bool move_on(struct gather *g, const char *primary)
{
    STAY_AUTO(stay_json_drop) json_t *cluster = state_cluster(g->run.lab);
    size_t i;
    json_t *node;
    json_array_foreach(json_object_get(cluster, "nodes"), i, node)
    {
        const char *name = crash_word(node, "name");
        int code = -1;
        bool acker = g->run.layout->options.acker && strcmp(name, "db3") == 0;
        if (acker || strcmp(name, primary) == 0 || next_for(g, name) == NULL)
            continue;
        LAB_MUST(g->run.lab, lab_cli(g->run.lab, &code, NULL, "switchover", "shop", "--to", name,
                                     "--yes", NULL));
        SCENARIO_CHECK(code == 0, "switchover to %s exits %d", name, code);
        scenario_ready(g->run.lab, 60);
        return true;
    }
    return false;
}

/* In a child: point after point on one lab. 0: this layout leads to no more of them. */
static int child_run(struct gather *g, int argc, char **argv)
{
    g->run.lab = crash_begin(argc, argv, g->run.layout);
    while (points_left(&g->points, POINT_PENDING) > 0) {
        STAY_AUTO(stay_free_charp) char *primary = state_primary(g->run.lab);
        SCENARIO_CHECK(primary != NULL, "no primary");
        if (lab_now_us() > g->due_us) {
            scenario_over();
            return EXIT_TIME;
        }
        struct crash_point *next = next_for(g, primary);
        if (next == NULL && !move_on(g, primary))
            break;
        if (next != NULL)
            one_point(g, next);
    }
    scenario_over();
    return 0;
}

/* --- the machine ---------------------------------------------------------------------------- */

/* The kernel's own word that its work queues stood still (no write ends then, no server's and no
 * store's) within the last `seconds`: what happened there is nobody's failure. */
static bool machine_stood_still(int seconds)
{
    static const char words[] = "workqueue lockup";
    int size = 1 << 20, last_s = -1;
    char *text = stay_calloc(1, (size_t)size);
    int n = klogctl(3 /* read all */, text, size - 1);
    for (char *at = n > 0 ? strstr(text, words) : NULL; at != NULL; at = strstr(at + 1, words)) {
        char *line = at; /* "<3>[57912.403529] BUG: ..." */
        while (line > text && *line != '\n' && *line != '[')
            line--;
        last_s = *line == '[' ? (int)strtol(line + 1, NULL, 10) : last_s;
    }
    free(text);
    return last_s >= 0 && lab_now_us() / STAY_SECOND - last_s <= seconds;
}

/* --- the parent ---------------------------------------------------------------------------- */

/* Passes the child's words on; the last line is its reason. */
static void follow(int from, char *last, size_t size)
{
    FILE *in = fdopen(from, "re");
    char line[8192];
    while (in != NULL && fgets(line, sizeof line, in) != NULL) {
        fputs(line, stdout);
        fflush(stdout);
        line[strcspn(line, "\n")] = '\0';
        if (line[0] != '\0' && strncmp(line, "status: ", 8) != 0)
            (void)snprintf(last, size, "%.*s", (int)size - 1, line);
    }
    if (in != NULL)
        (void)fclose(in);
}

/* Returns the child's exit code. */
static int run_child(struct gather *g, int argc, char **argv, char *last, size_t size)
{
    int ends[2], status = 0;
    must(pipe(ends) == 0);
    (void)fflush(NULL);
    pid_t pid = fork();
    must(pid >= 0);
    if (pid == 0) {
        (void)dup2(ends[1], STDOUT_FILENO);
        (void)dup2(ends[1], STDERR_FILENO);
        (void)close(ends[0]);
        (void)close(ends[1]);
        exit(child_run(g, argc, argv));
    }
    (void)close(ends[1]);
    follow(ends[0], last, size);
    must(waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static void reload(struct gather *g)
{
    struct crash_points old = g->points;
    points_init(&g->points, g->stage->kind, old.path, g->only, g->step);
    for (size_t i = 0; i < old.count; i++) /* what failed in this go waits for the next */
        if (old.list[i].end == POINT_FAILED)
            g->points.list[i].end = POINT_FAILED;
    points_clear(&old);
}

/* Every layout in turn, a new lab after each failure; EXIT_TIME, 77, or 0. */
static int gather_all(struct gather *g, int argc, char **argv)
{
    size_t layout = 0;
    while (layout < g->stage->layout_count && points_left(&g->points, POINT_PENDING) > 0) {
        char last[400] = "";
        g->run.layout = &g->stage->layouts[layout];
        int code = run_child(g, argc, argv, last, sizeof last);
        reload(g);
        if (code == EXIT_TIME || code == 77)
            return code;
        if (code == 0) {
            layout++;
            continue;
        }
        if (g->points.begun == g->points.count) /* the lab itself */
            return 1;
        if (machine_stood_still(STALL_S)) {
            printf("to be repeated, the machine stood still: %s\n", last);
        } else {
            points_end(&g->points, &g->points.list[g->points.begun], POINT_FAILED, '?',
                       g->run.layout->name, last);
        }
        if (lab_now_us() > g->due_us)
            return EXIT_TIME;
    }
    for (size_t i = 0; i < g->points.count; i++)
        if (g->points.list[i].end == POINT_PENDING)
            points_end(&g->points, &g->points.list[i], POINT_UNREACHED, '?', "-",
                       "no layout leads to this row");
    return 0;
}

static int conclude(struct gather *g, int code)
{
    size_t passed = points_left(&g->points, POINT_PASSED);
    size_t failed = points_left(&g->points, POINT_FAILED);
    size_t pending = points_left(&g->points, POINT_PENDING);
    size_t unreached = points_left(&g->points, POINT_UNREACHED);
    const char *kind = plan_kind_text(g->stage->kind);
    points_print(&g->points);
    printf("%s | every row of a %s, before and after: die, freeze, cut store, cut target | %zu of "
           "%zu points passed, %zu failed, %zu no layout leads to, %zu to do%s | S1 S2 S5 S8\n",
           g->stage->row, kind, passed, g->points.count, failed, unreached, pending,
           code == EXIT_TIME ? ": again with --resume" : "");
    return failed > 0 ? 1 : code == EXIT_TIME && !scenario_is_long() ? 0 : code;
}

int crash_matrix(int argc, char **argv, const struct crash_stage *stage)
{
    const char *path = getenv("MAINSTAY_POINTS"), *seconds = getenv("MAINSTAY_POINTS_S");
    struct gather g = {.stage = stage, .only = getenv("MAINSTAY_POINTS_ONLY"), .step = 1};
    STAY_AUTO(stay_free_charp)
    char *own = stay_sprintf("/tmp/mainstay-points-%d", (int)getpid());
    crash_needs_points();
    if (!scenario_is_long() && g.only == NULL)
        g.step = SHORT_STEP;
    points_init(&g.points, stage->kind, path != NULL ? path : own, g.only, g.step);
    g.run.points = &g.points;
    long s = seconds != NULL ? strtol(seconds, NULL, 10) : scenario_is_long() ? 2000 : 200;
    g.due_us = lab_now_us() + s * STAY_SECOND;
    int code = gather_all(&g, argc, argv);
    code = conclude(&g, code);
    if (path == NULL)
        (void)unlink(own);
    points_clear(&g.points);
    return code;
}
