/* tests/search/search.h - exhaustive search in small scope: every order of up to N events on a
 * cluster of two to four servers, judged after each by the simulator's invariants.
 *
 * The world is the simulator's (tests/simulation: calibrated servers, links, store, one controller
 * with the real decide and executor objects), without chance: delays are fixed, what the simulator
 * draws becomes an event that the search places. Breadth first, so the first path to a violation is
 * a shortest one. A state is the whole memory of the world: it lives in one arena that is copied
 * and put back (search_memory.c); states that look the same in canonical form (search_hash.c) are
 * searched on from once.
 *
 * Layer: tests. */
#ifndef TESTS_SEARCH_SEARCH_H
#define TESTS_SEARCH_SEARCH_H
#include "tests/simulation/sim.h"

/* EVENT(id, word, kind, what): N takes a server's number, C none; the words make up a path, as in
 * "write:1 kill:1 tick". */
#define SEARCH_EVENTS(X)                                                                           \
    X(TICK, "tick", C, "time passes: to the next change of a server or the record, or 2.5 s")      \
    X(DATA, "data", C, "the next row, acknowledgement or answer under way arrives")                \
    X(WRITE, "write", N, "a client's write reaches the server's binary log")                       \
    X(KILL, "kill", N, "kill -9")                                                                  \
    X(STOP, "stop", N, "orderly shutdown")                                                         \
    X(START, "start", N, "the process starts again")                                               \
    X(START_SHORT, "start-short", N, "... without what its engine flushed in its last second")     \
    X(FREEZE, "freeze", N, "SIGSTOP")                                                              \
    X(THAW, "thaw", N, "SIGCONT")                                                                  \
    X(CUT, "cut", N, "no host reaches the server or is reached by it")                             \
    X(CUT_CONTROLLER, "cut-controller", N, "only the controller does not reach it")                \
    X(CUT_SOURCE, "cut-source", N, "the link between the replica and the primary is cut")          \
    X(CUT_ACKS, "cut-acks", N, "... only its acknowledgements do not arrive")                      \
    X(HEAL, "heal", N, "the server's cut ends")                                                    \
    X(LOCK, "lock", N, "the replica's applier waits behind a lock")                                \
    X(UNLOCK, "unlock", N, "it goes on")                                                           \
    X(RECEIVER_ON, "receiver-on", N, "an operator starts the receiver")                            \
    X(RECEIVER_OFF, "receiver-off", N, "an operator stops the receiver")                           \
    X(ERRANT, "errant", N, "a privileged account writes on a replica")                             \
    X(OWN_ZONE, "acks-own-zone", N, "a replica in the primary's zone acknowledges")                \
    X(SEMISYNC_OFF, "semisync-off", N, "semi-sync is switched off behind our back")                \
    X(SWITCHOVER, "switchover", C, "an operator orders a switchover")                              \
    X(FORCE, "force", C, "an operator orders a failover and accepts loss")                         \
    X(PAUSE, "pause", C, "the kill switch is turned on")                                           \
    X(RESUME, "resume", C, "... and off")                                                          \
    X(STORE_DOWN, "store-down", C, "the store refuses every save")                                 \
    X(STORE_UP, "store-up", C, "... and takes them again")                                         \
    X(CONTROLLER_FREEZE, "controller-freeze", C, "the controller stands still for 1.5 s")
enum search_event_kind {
#define X(id, word, kind, what) SEARCH_##id,
    SEARCH_EVENTS(X)
#undef X
        SEARCH_EVENT_COUNT
};

/* INTERRUPT(id, word, what): what may befall a tick at a boundary of the plan that runs in it. */
#define SEARCH_INTERRUPTS(X)                                                                       \
    X(NONE, "", "none")                                                                            \
    X(DIE, "die", "the controller dies just before the boundary")                                  \
    X(DIE_LATE, "die-late", "it dies; the command it had sent arrives 1.2 s later")                \
    X(STUCK, "stuck", "the command's lane stands still until its validity is over")                \
    X(LATE, "late", "the command waits in the server's socket and outlives its deadline")          \
    X(FAIL, "fail", "the command fails")                                                           \
    X(LOST, "lost", "the command's answer is lost")                                                \
    X(SAVE_LOST, "save-lost", "the store fails the save and did not take it")
enum search_interrupt {
#define X(id, word, what) INTERRUPT_##id,
    SEARCH_INTERRUPTS(X)
#undef X
        INTERRUPT_COUNT
};

/* Boundaries of a running plan, between two of which a tick can be interrupted. */
enum boundary {
    BOUNDARY_NONE = 0,
    BOUNDARY_COMMAND,      /* a command that changes a server arrives there */
    BOUNDARY_COMMAND_HELD, /* ... which stands still or is cut off */
    BOUNDARY_OTHER,        /* any other command */
    BOUNDARY_ANSWER,
    BOUNDARY_SAVE,
    BOUNDARY_SAVED
};
#define BOUNDARIES_MAX 48

struct search_step {
    uint8_t kind;      /* enum search_event_kind */
    uint8_t node;      /* for N */
    uint8_t interrupt; /* of a tick */
    uint8_t at;        /* boundary it befalls, counted from 0 within the tick */
};

#define PATH_MAX_STEPS 64
struct search_path {
    uint32_t n;
    struct search_step step[PATH_MAX_STEPS];
};

struct search_options {
    enum engine engine;
    enum sim_layout layout;
    bool bounded;
    uint32_t events, writes; /* of one path */
    uint32_t faults;         /* ... its events but ticks, data, writes and repairs */
    uint32_t interrupts;     /* ... its interrupted ticks */
    uint32_t heal_every;     /* every n-th new state is healed; 0: none */
    uint64_t states_max;
    double seconds_max;
    unsigned mutant;
    uint64_t kinds; /* mask of enum search_event_kind that are placed */
};

struct search_counts {
    uint64_t states, transitions, same, healed, converged, asks, stopped_by;
    uint64_t event[SEARCH_EVENT_COUNT], interrupt[INTERRUPT_COUNT];
    uint64_t at_depth[PATH_MAX_STEPS + 1];
    uint32_t depth;
    uint64_t snapshot_bytes;
    bool complete; /* nothing was left out for want of states_max or seconds_max */
};

/* search_memory.c: the arena. Everything allocated between begin and end of the program by this
 * program's own code lives in it, so a copy of it is a copy of the world. */
void memory_begin(void);
/* Not copied: memory that does not change. */
void memory_leave_out(const void *begin, size_t size);
size_t memory_size(void);                        /* bytes of one snapshot as of now */
size_t memory_take(void *snapshot, size_t size); /* returns the bytes; 0: more than size */
void memory_put(const void *snapshot);
void *memory_map(size_t size); /* outside the arena, zeroed, for good */

/* search_world.c. In the arena; zero cut: none. */
struct world {
    struct sim *s;
    struct {
        uint8_t kind, peer;
    } cut[SIM_SERVERS];
    int64_t down_at[SIM_SERVERS]; /* its last process ended then */
    uint32_t starts[SIM_SERVERS]; /* life whose start is under way; 0: none */
    uint64_t stopped_at;          /* the boundary the last tick stopped at */
};
struct world *world_new(struct sim_stats *stats, const struct search_options *o);
/* May it happen, and would it change anything? */
bool world_may(struct world *w, const struct search_step *step);
/* Does it. For a tick: boundaries it came past are in *ret_boundaries (may be NULL). */
void world_do(struct world *w, const struct search_step *step, enum boundary *boundaries,
              uint32_t *ret_count);
/* search_tick.c: the tick alone. */
void world_tick(struct world *w, const struct search_step *step, enum boundary *boundaries,
                uint32_t *ret_count);
/* Ends all faults and lets the cluster come to rest; the invariants say whether it did. */
void world_heal(struct world *w, uint64_t seed);

/* search_hash.c */
uint64_t world_hash(struct world *w);

/* search_path.c: paths as text */
const char *search_event_word(enum search_event_kind kind);
const char *search_interrupt_word(enum search_interrupt interrupt);
bool search_event_has_node(enum search_event_kind kind);
void step_text(const struct search_step *step, char *text, size_t size);
/* "DRAIN_SKIPPED"; MUTANT_COUNT: no such. */
const char *search_mutant_name(unsigned id);
unsigned search_mutant_by_name(const char *name);
bool step_parse(const char *token, struct search_step *ret_step);
void path_print(const struct search_path *path, FILE *out);
bool path_parse(const char *text, struct search_path *ret_path);

/* search_run.c. True: no violation. A violation's path is in *ret_path, its text in `text`;
 * ret_path->n is UINT32_MAX when there is none. */
bool search_run(const struct search_options *o, struct search_counts *counts,
                struct search_path *ret_path, char *text, size_t size);
/* Lives one path, heals at its end when told. Returns the invariant it violated. */
enum sim_invariant search_replay(const struct search_options *o, const struct search_path *path,
                                 bool heals, bool traces, char *text, size_t size);

#endif
