/* tests/crash/crash_points.c - the list, its file and its table; see the header. */
#include "tests/crash/crash_points.h"

#include <fnmatch.h>

static const char *const faults[] = {"die", "freeze", "store", "target", "gone"};
static const char *const sides[] = {"before", "after"};
static const char *const ends[] = {"begun", "passed", "FAILED", "unreached"};

const char *point_fault_name(enum point_fault fault)
{
    return faults[fault];
}

static void key_of(const struct crash_point *point, char *buf, size_t size)
{
    (void)snprintf(buf, size, "%u/%s/%s", (unsigned)point->row, sides[point->after],
                   faults[point->fault]);
}

/* A server or proxy is touched by these alone; a hook is a program of this host. */
static bool has_target(const struct plan_row *row)
{
    enum step_class class = step_kind_class(row->step);
    return class == CLASS_NODE ||
           (class == CLASS_ROUTE && row->step != STEP_HOOK_PRE && row->step != STEP_HOOK_POST);
}

/* The widest fault first: what is gathered early shall tell of every row. */
static void enumerate(struct crash_points *points, const char *only, size_t step)
{
    size_t rows = 0, seen = 0;
    const struct plan_row *table = plan_rows(points->kind, &rows);
    points->list = stay_calloc(rows * 2 * POINT_FAULTS, sizeof *points->list);
    for (size_t i = 0; i < rows * 2 * POINT_FAULTS; i++) {
        struct crash_point p = {.row = (uint32_t)(i % (rows * 2) / 2),
                                .after = i % 2 == 1,
                                .fault = (enum point_fault)(i / (rows * 2)),
                                .how = '?'};
        char key[40];
        key_of(&p, key, sizeof key);
        if ((p.fault >= POINT_TARGET && !has_target(&table[p.row])) ||
            (only != NULL && fnmatch(only, key, 0) != 0) || seen++ % step != step / 2)
            continue;
        points->list[points->count++] = p;
    }
    points->begun = points->count;
}

/* "KEY|END|HOW|WHERE|WHAT": the newest line of a point counts. */
static void take_line(struct crash_points *points, char *line)
{
    char *at = NULL;
    const char *key = strtok_r(line, "|", &at), *end = strtok_r(NULL, "|", &at);
    const char *how = strtok_r(NULL, "|", &at), *where = strtok_r(NULL, "|", &at);
    for (size_t i = 0; i < points->count && end != NULL; i++) {
        struct crash_point *p = &points->list[i];
        char own[40];
        key_of(p, own, sizeof own);
        if (strcmp(own, key) != 0)
            continue;
        points->begun = strcmp(end, "begun") == 0 ? i : points->count;
        if (points->begun == i)
            return;
        p->how = how != NULL ? how[0] : '?';
        (void)stay_copy(p->where, sizeof p->where, where != NULL ? where : "");
        for (unsigned e = POINT_PASSED; e < POINT_ENDS; e++)
            if (strcmp(end, ends[e]) == 0)
                p->end = e == POINT_FAILED ? POINT_PENDING : (enum point_end)e;
        return;
    }
}

void points_init(struct crash_points *points, enum plan_kind kind, const char *path,
                 const char *only, size_t step)
{
    *points = (struct crash_points){.kind = kind};
    must(stay_copy(points->path, sizeof points->path, path));
    enumerate(points, only, step);
    FILE *in = fopen(path, "re");
    char line[600];
    while (in != NULL && fgets(line, sizeof line, in) != NULL)
        take_line(points, line);
    if (in != NULL)
        (void)fclose(in);
}

void points_clear(struct crash_points *points)
{
    free(points->list);
    *points = (struct crash_points){0};
}

const char *point_name(const struct crash_points *points, const struct crash_point *point)
{
    static char name[120];
    size_t rows = 0;
    const struct plan_row *table = plan_rows(points->kind, &rows);
    (void)snprintf(name, sizeof name, "%s/%u %s/%s/%s", plan_kind_text(points->kind),
                   (unsigned)point->row, step_kind_text(table[point->row].step),
                   sides[point->after], faults[point->fault]);
    return name;
}

static void append(const struct crash_points *points, const struct crash_point *point,
                   const char *end, const char *where, const char *what)
{
    char key[40];
    key_of(point, key, sizeof key);
    FILE *out = fopen(points->path, "ae");
    must(out != NULL);
    (void)fprintf(out, "%s|%s|%c|%s|%s\n", key, end, point->how, where, what);
    (void)fclose(out);
}

void points_begin(struct crash_points *points, struct crash_point *point)
{
    append(points, point, ends[0], "-", "-");
}

void points_end(struct crash_points *points, struct crash_point *point, enum point_end end,
                char how, const char *where, const char *what)
{
    point->end = end;
    point->how = how;
    (void)stay_copy(point->where, sizeof point->where, where);
    append(points, point, ends[end], where, what);
    if (end != POINT_UNREACHED)
        printf("%s %s: %s\n", ends[end], point_name(points, point), what);
    fflush(stdout);
}

size_t points_left(const struct crash_points *points, enum point_end end)
{
    size_t count = 0;
    for (size_t i = 0; i < points->count; i++)
        count += points->list[i].end == end;
    return count;
}

static char letter_of(const struct crash_points *points, uint32_t row, bool after,
                      enum point_fault fault)
{
    for (size_t i = 0; i < points->count; i++) {
        const struct crash_point *p = &points->list[i];
        if (p->row != row || p->after != after || p->fault != fault)
            continue;
        switch (p->end) {
        case POINT_PENDING:
            return '.';
        case POINT_PASSED:
            return p->how;
        case POINT_FAILED:
            return 'F';
        case POINT_UNREACHED:
            return 'n';
        case POINT_ENDS:
            break;
        }
    }
    return '-';
}

void points_print(const struct crash_points *points)
{
    size_t rows = 0;
    const struct plan_row *table = plan_rows(points->kind, &rows);
    printf(
        "%s: S the plan succeeded, U it was undone (and done anew where it has to be), A a human "
        "was asked,\nF failed, n no layout leads there, . still to do, - has no target\n"
        "%-4s%-24s",
        plan_kind_text(points->kind), "row", "step");
    for (unsigned f = 0; f < POINT_FAULTS; f++)
        printf(" %6s", faults[f]);
    printf("   before, after\n");
    for (uint32_t row = 0; row < rows; row++) {
        printf("%-4u%-24s", (unsigned)row, step_kind_text(table[row].step));
        for (unsigned f = 0; f < POINT_FAULTS; f++)
            printf("    %c %c", letter_of(points, row, false, (enum point_fault)f),
                   letter_of(points, row, true, (enum point_fault)f));
        printf("\n");
    }
    fflush(stdout);
}
