/* base/machine.h - declared state machines: states and allowed moves in an array, checked moves.
 *
 * Pure. Layer: base. For I/O operations with two or more waits: callbacks store a result and call
 * one tick; the tick is a switch over machine.state. A move that was not declared is a programmer's
 * error and aborts, naming both states. At most 64 states. */
#ifndef BASE_MACHINE_H
#define BASE_MACHINE_H
#include "base/base.h"

#define MACHINE_STATES_MAX 64
#define MACHINE_TO(state)  (UINT64_C(1) << (state)) /* combine with | */

struct machine_state {
    const char *name;
    uint64_t may_go_to; /* MACHINE_TO(A) | MACHINE_TO(B); 0 exactly when is_terminal */
    bool is_terminal;
};

struct machine_kind {
    const char *name;
    const struct machine_state *states; /* indexed by the state enum */
    size_t state_count;
};

struct machine {
    const struct machine_kind *kind;
    unsigned state;
    uint32_t moves; /* made so far; saturates */
    /* Called after each move when set: traces and coverage. */
    void (*on_move)(const struct machine *m, unsigned from, void *user);
    void *user;
};

/* kind is borrowed; on_move and user are NULL: set them afterwards. */
void machine_init(struct machine *m, const struct machine_kind *kind, unsigned first);
bool machine_may_move(const struct machine *m, unsigned to);
/* Aborts when the kind allows no such move. */
void machine_move(struct machine *m, unsigned to);
bool machine_is_done(const struct machine *m);
const char *machine_state_name(const struct machine *m);

/* For unit tests of a declaration: true when every target exists, terminal states have no way out,
 * others have one, every state is reachable from `first`. On false *ret_why names the state. */
bool machine_kind_is_sound(const struct machine_kind *kind, unsigned first, const char **ret_why);

#endif
