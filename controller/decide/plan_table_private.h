/* controller/decide/plan_table_private.h - how the files of the plan table write their rows: short
 * words for limits and flags, and the tables that stand in a file of their own.
 *
 * Pure. Layer: decide, plan_table*.c only. */
#ifndef CONTROLLER_DECIDE_PLAN_TABLE_PRIVATE_H
#define CONTROLLER_DECIDE_PLAN_TABLE_PRIVATE_H
#include "controller/decide/plan_kinds.h"

#define MS(n)  ((n)*STAY_MS)
#define SEC(n) ((n)*STAY_SECOND)
#define HOUR   (3600 * STAY_SECOND)
#define BEST   ROW_BEST_EFFORT
#define WITH   ROW_WITH_NEXT
#define SKIP   ROW_SKIP_IF_DONE
#define LIGHT  ROW_NO_SAVE

/* One of several rows that a macro names together. */
#define ROW(step, target, flags, limit, undo, why)                                                 \
    {                                                                                              \
        step, target, flags, limit, undo, why                                                      \
    }

struct plan_table {
    const struct plan_row *rows;
    size_t count;
};
#define TABLE(rows)                                                                                \
    {                                                                                              \
        rows, STAY_COUNT(rows)                                                                     \
    }

extern const struct plan_table plan_failover_table, plan_recover_table, plan_switchover_table;

#endif
