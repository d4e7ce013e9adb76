/* controller/decide/evacuation.h - emptying a zone before its power or network goes: which
 * cluster's primary leaves it next, and what stands against the others.
 *
 * Pure. Layer: decide. An order stands until a human ends it. While it does, no switchover goes
 * into the zone and a failover only where nobody elsewhere may be promoted (candidate.h); each
 * primary there is moved once an order, by an ordinary switchover, in the order of the
 * configuration, `at_once` at a time. The first that began and did not move stops the others: a
 * human gives the order again. One that something forbids is passed over, and goes when that ends.
 * Nothing moves back when it ends. */
#ifndef CONTROLLER_DECIDE_EVACUATION_H
#define CONTROLLER_DECIDE_EVACUATION_H
#include "controller/decide/decide.h"

#define EVACUATIONS_MAX        8 /* zones at a time */
#define EVACUATION_AT_ONCE_MAX 4

#define EVACUATION_REASON "evacuation of zone " /* begins its plans' reason */

struct evacuation {
    char zone[NAME_MAX_LEN];
    char by[64];
    char reason[96];
    int64_t since_wall_us; /* names the order: given again, each cluster may be tried again */
    uint32_t at_once;      /* 1 to EVACUATION_AT_ONCE_MAX */
};

#define EVACUATION_STATES(X)                                                                       \
    X(NONE, "no server there")                                                                     \
    X(ELSEWHERE, "stands elsewhere")                                                               \
    X(MOVED, "moved")                                                                              \
    X(MOVING, "moving")                                                                            \
    X(DUE, "its turn comes")                                                                       \
    X(WAITS, "waits a moment")                                                                     \
    X(HELD, "cannot move")                                                                         \
    X(FAILED, "did not move")
enum evacuation_state {
#define X(id, text) EVACUATION_##id,
    EVACUATION_STATES(X)
#undef X
        EVACUATION_STATE_COUNT
};
const char *evacuation_state_text(enum evacuation_state state);

/* One cluster under one order. */
struct evacuation_cluster {
    enum evacuation_state state;
    uint32_t to;             /* DUE: whom a switchover would choose now; else NO_NODE */
    uint32_t steady;         /* DUE: ackers `to` would have in zones that stay */
    char why[PLAN_TEXT_MAX]; /* WAITS, HELD, FAILED: what stands against it */
};

/* The servers of `zone`: a mask of nodes. */
uint32_t evacuation_nodes(const struct cluster_config *config, const char *zone);
/* The servers in any zone that is being emptied: what view->evacuated is to be. */
uint32_t evacuation_mask(const struct cluster_config *config, const struct evacuation *orders,
                         size_t count);
/* Where the cluster stands under `order`. `last` is its decision of the last turn, `running` its
 * running or last plan (NULL: none). view->evacuated need not name the zone yet: a dry run. */
void evacuation_judge(const struct cluster_view *view, const struct plan_run *running,
                      const struct decision *last, const struct evacuation *order,
                      int64_t now_mono_us, int64_t now_wall_us, struct evacuation_cluster *ret);
/* Who goes now: `states` of all clusters in the order of the configuration. fails_over: an
 * automatic failover runs somewhere, and nothing is moved beside it. */
void evacuation_turns(const enum evacuation_state *states, size_t count, uint32_t at_once,
                      bool fails_over, bool *ret_turns);

#endif
