/* tests/crash/crash_points.h - the points of one plan's crash matrix on real servers: every row of
 * its table, before and after, times every fault; what became of each, kept in a file so that the
 * matrix can be gathered in several goes.
 *
 * Layer: tests. Not pure. The rows are those of plan_table: a new row is a new point. */
#ifndef TESTS_CRASH_CRASH_POINTS_H
#define TESTS_CRASH_CRASH_POINTS_H
#include "controller/decide/plan.h"

/* DIE: kill -9 and started again. FREEZE: SIGSTOP past every short validity, then SIGCONT. STORE:
 * it refuses. TARGET: no packet between the controller and the server (or the proxies) of the
 * effect. GONE: none between that server and anybody. */
enum point_fault {
    POINT_DIE = 0,
    POINT_FREEZE,
    POINT_STORE,
    POINT_TARGET,
    POINT_GONE,
    POINT_FAULTS
};

enum point_end { POINT_PENDING = 0, POINT_PASSED, POINT_FAILED, POINT_UNREACHED, POINT_ENDS };

struct crash_point {
    uint32_t row;
    bool after;
    enum point_fault fault;
    enum point_end end;
    uint32_t tries; /* times it was armed and not reached, by this process */
    char how;       /* what became of the plan: S succeeded, U undone, A asked; '?' none */
    char where[16]; /* the layout */
};

struct crash_points {
    enum plan_kind kind;
    char path[400];
    struct crash_point *list;
    size_t count;
    size_t begun; /* index of the point under way by the record; count: none */
};

/* Enumerates, fault by fault, and reads what the file already tells; a point that failed is pending
 * again. `only` (may be NULL) is a pattern on "ROW/before|after/FAULT"; every `step`th is taken.
 * Free with points_clear. */
void points_init(struct crash_points *points, enum plan_kind kind, const char *path,
                 const char *only, size_t step);
void points_clear(struct crash_points *points);
/* "failover/19 make writable/before/die"; static buffer. */
const char *point_name(const struct crash_points *points, const struct crash_point *point);
const char *point_fault_name(enum point_fault fault);

/* Appends to the record; what is one line for people, printed but for an unreached point. */
void points_begin(struct crash_points *points, struct crash_point *point);
void points_end(struct crash_points *points, struct crash_point *point, enum point_end end,
                char how, const char *where, const char *what);
size_t points_left(const struct crash_points *points, enum point_end end);

/* One line per row: what became of each of its points. */
void points_print(const struct crash_points *points);

#endif
