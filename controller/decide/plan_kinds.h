/* controller/decide/plan_kinds.h - which plans and which steps there are, and what a row of a plan
 * is.
 *
 * Pure. Layer: decide. The rows themselves: plan_table*.c; listed by mainstay-plans(7). */
#ifndef CONTROLLER_DECIDE_PLAN_KINDS_H
#define CONTROLLER_DECIDE_PLAN_KINDS_H
#include "base/base.h"

/* What a kind of plan is, where rows and rules depend on it. */
enum plan_trait {
    TRAIT_MOVES_PRIMARY = 1, /* gives the cluster another primary, which a row chooses */
    TRAIT_REPLACES = 2,      /* one that is gone, by freeze, drain and proof */
    TRAIT_ALL_RESTARTED = 4, /* every server was gone: counters and receivers began anew, and each
                                is judged by what it holds and by what a restart costs it */
    TRAIT_OLD_MAY_LEAD = 8,  /* the old primary is one of those to choose among */
    TRAIT_HOLDS_ALL = 16,    /* chooses who holds all that anyone holds, or whom a human names,
                                as it is */
    TRAIT_UNDONE_AT_RESTART = 32, /* taken up before the point of no return: undone */
    TRAIT_TOUCHES_PRIMARY = 64,   /* changes who the primary is, or its semi-sync: what the watch
                                     sees then is our doing */
    TRAIT_NEEDS_PRIMARY = 128, /* undone when the primary restarts before the point of no return */
    TRAIT_GIVES_WAY = 256, /* ends for a failover, before that point; a job of its own is killed. A
                              switchover's rows notice for themselves */
    TRAIT_KEEPS_LOSSLESS = 512, /* the primary runs lossless after it if that is recorded */
    TRAIT_ATTACHES = 1024,      /* its node acknowledges after it */
    TRAIT_COMPARES = 2048,      /* its node's set with the primary's; what it holds more is told */
    TRAIT_TAKES_BACK = 4096,    /* its node was set aside, and catches up with the primary's set */
    TRAIT_SETTLES = 8192,       /* by a human: says who the primary is */
    TRAIT_SETTLES_NODE = 16384, /* by a human: the question about its node is answered */
    TRAIT_LONG = 32768          /* its work on one server takes up to hours: clients that wait
                                   do not wait for it */
};
#define TRAITS_MOVES                                                                               \
    (TRAIT_MOVES_PRIMARY | TRAIT_TOUCHES_PRIMARY | TRAIT_KEEPS_LOSSLESS | TRAIT_SETTLES)
#define TRAITS_REPLACES (TRAITS_MOVES | TRAIT_REPLACES)
#define TRAITS_REPAIRS  (TRAIT_NEEDS_PRIMARY | TRAIT_GIVES_WAY)

/* X(id, text, traits) */
#define PLAN_KINDS(X)                                                                              \
    X(NONE, "none", 0)                                                                             \
    X(FAILOVER, "failover", TRAITS_REPLACES)                                                       \
    X(SWITCHOVER, "switchover", TRAITS_MOVES | TRAIT_UNDONE_AT_RESTART)                            \
    X(REJOIN, "rejoin",                                                                            \
      TRAITS_REPAIRS | TRAIT_KEEPS_LOSSLESS | TRAIT_ATTACHES | TRAIT_COMPARES | TRAIT_TAKES_BACK | \
          TRAIT_SETTLES_NODE)                                                                      \
    X(REPOINT, "repoint", TRAITS_REPAIRS | TRAIT_KEEPS_LOSSLESS | TRAIT_ATTACHES | TRAIT_COMPARES) \
    X(ADOPT, "adopt", TRAITS_REPAIRS | TRAIT_TOUCHES_PRIMARY | TRAIT_SETTLES)                      \
    X(MODE_RESTORE, "mode restore", TRAITS_REPAIRS | TRAIT_TOUCHES_PRIMARY)                        \
    X(MODE_DEGRADE, "mode degrade", TRAIT_TOUCHES_PRIMARY)                                         \
    X(MAKE_WRITABLE, "make writable",                                                              \
      TRAITS_REPAIRS | TRAIT_TOUCHES_PRIMARY | TRAIT_KEEPS_LOSSLESS | TRAIT_SETTLES)               \
    X(FENCE, "fence", TRAIT_GIVES_WAY | TRAIT_TOUCHES_PRIMARY | TRAIT_SETTLES_NODE)                \
    X(UNFENCE, "unfence",                                                                          \
      TRAITS_REPAIRS | TRAIT_TOUCHES_PRIMARY | TRAIT_KEEPS_LOSSLESS | TRAIT_SETTLES)               \
    X(QUARANTINE, "quarantine", TRAITS_REPAIRS | TRAIT_COMPARES | TRAIT_SETTLES_NODE)              \
    X(START_APPLIER, "start applier", TRAITS_REPAIRS)                                              \
    X(RESEED, "reseed", TRAITS_REPAIRS | TRAIT_KEEPS_LOSSLESS | TRAIT_ATTACHES | TRAIT_LONG)       \
    X(REWIND, "rewind",                                                                            \
      TRAITS_REPAIRS | TRAIT_KEEPS_LOSSLESS | TRAIT_ATTACHES | TRAIT_COMPARES | TRAIT_TAKES_BACK | \
          TRAIT_SETTLES_NODE | TRAIT_LONG)                                                         \
    X(RECOVER, "recover",                                                                          \
      TRAITS_REPLACES | TRAIT_UNDONE_AT_RESTART | TRAIT_ALL_RESTARTED | TRAIT_OLD_MAY_LEAD |       \
          TRAIT_HOLDS_ALL)                                                                         \
    X(CONFORM, "conform", TRAITS_REPAIRS)                                                          \
    X(REPAIR_ACKER, "repair acker", TRAITS_REPAIRS | TRAIT_KEEPS_LOSSLESS | TRAIT_ATTACHES)        \
    X(END_STREAM, "end stream", TRAITS_REPAIRS)

enum step_class { CLASS_PURE, CLASS_STORE, CLASS_NODE, CLASS_ROUTE };

/* STEP(id, class, text, what it does and how it is verified). NODE and ROUTE steps are effects. */
#define STEP_KINDS(X)                                                                              \
    X(NONE, PURE, "none", "")                                                                      \
    X(CHECK, PURE, "check", "preconditions that need no change; a plan that cannot finish stops")  \
    X(INTENT, STORE, "intent", "new epoch and this plan, by compare-and-set")                      \
    X(HOOK_PRE, ROUTE, "hook before", "operator's hook, may veto")                                 \
    X(ROUTE_CLOSE, ROUTE, "close route", "servers to maintenance, sessions ended; proves nothing") \
    X(FENCE, NODE, "fence",                                                                        \
      "MariaDB: kill clients, read-only, semi-sync off. MySQL: offline_mode, no app session "      \
      "left, semi-sync off, super_read_only. Answer: executed set after it")                       \
    X(FREEZE, NODE, "freeze",                                                                      \
      "source role off on a read-only server, applier running, then the receiver only is "         \
      "stopped; "                                                                                  \
      "answer: received set, executed set, uptime")                                                \
    X(DRAIN, NODE, "drain", "wait until executed contains the highest received set ever seen")     \
    X(COLLECT, NODE, "collect", "read the executed set")                                           \
    X(CHOOSE, PURE, "choose", "candidate by what it holds, then policy")                           \
    X(TOP_UP, NODE, "top up", "candidate fetches what it misses from the best drained peer")       \
    X(CERTIFY, PURE, "certify", "survival certificate against the accept policy")                  \
    X(DETACH, NODE, "detach", "stop replication and forget the source; verified: no source")       \
    X(SOURCE_ON, NODE, "source role on", "semi-sync source, AFTER_SYNC, infinite timeout, k acks") \
    X(SOURCE_OFF, NODE, "source role off", "semi-sync source role off; never while clients wait")  \
    X(STORE_MODE, STORE, "record mode", "weaker mode recorded before it is applied")               \
    X(ATTACH, NODE, "attach",                                                                      \
      "replicate from `peer`; replica role on only outside its zone; verified: receiver running")  \
    X(WAIT_ACKERS, NODE, "wait for ackers", "known semi-sync clients >= k")                        \
    X(VERIFY_FREEZE, NODE, "verify freeze", "not restarted, receiver off or from the new primary") \
    X(WRITABLE, NODE, "make writable", "read-only off; verified")                                  \
    X(CANARY, NODE, "canary", "one commit in mainstay.heartbeat with the new epoch")               \
    X(ROUTE_OPEN, ROUTE, "open route", "write backend points at the new primary only")             \
    X(CANARY_ROUTE, ROUTE, "canary through route", "one commit from a client's address")           \
    X(COMMIT, STORE, "record", "primary, mode, ackers, cooldown; the plan ends")                   \
    X(HOOK_POST, ROUTE, "hook after", "operator's hook, cannot veto")                              \
    X(QUIESCE, NODE, "quiesce",                                                                    \
      "old primary read-only, writers waited for and then killed; answer: executed set")           \
    X(CATCH_UP, NODE, "catch up", "wait until executed contains the quiesced primary's set")       \
    X(THAW, NODE, "thaw", "start the receiver again on its old source (undo of freeze)")           \
    X(UNFENCE, NODE, "unfence",                                                                    \
      "semi-sync on as recorded, writable again (undo of fence, quiesce)")                         \
    X(COMPARE, NODE, "compare", "read the returned server's sets")                                 \
    X(QUARANTINE, STORE, "quarantine",                                                             \
      "recorded with the extra set; not attached, not a candidate")                                \
    X(SET_TIMEOUTS, NODE, "set timeouts",                                                          \
      "heartbeat, net timeout, kill-connection timeout; a replica drains first")                   \
    X(CREATE_SCHEMA, NODE, "create schema", "mainstay.heartbeat on the primary")                   \
    X(BARRIER, NODE, "barrier",                                                                    \
      "primary's executed set captured after semi-sync was on; ackers hold it and acknowledge")    \
    X(REPLICA_ROLE, NODE, "replica role",                                                          \
      "semi-sync replica role on outside the primary's zone, off inside; receiver restarted if "   \
      "status differs")                                                                            \
    X(START_APPLIER, NODE, "start applier",                                                        \
      "only while its receiver runs: MariaDB would throw the relay log away; one that runs and "   \
      "waits for an acker: source role off; verified")                                             \
    X(COPY, NODE, "copy",                                                                          \
      "all its data replaced by the donor's (`peer`): MySQL by CLONE, else by the configured "     \
      "command; in slices, begun once and then watched")                                           \
    X(COPY_STOP, NODE, "stop copy", "ends a copy under way (undo of copy); what it holds is lost") \
    X(ADMIT, STORE, "admit", "it counts among the ackers before it may acknowledge")               \
    X(REWIND, NODE, "rewind",                                                                      \
      "saves what the server holds beyond `want` as a bundle, then undoes it by its row images "   \
      "in one transaction and sets its GTID state back; a job, taken up again where it was")       \
    X(REPLAY, NODE, "execute relay log",                                                           \
      "both threads stand still since a restart: what the relay log holds beyond what is "         \
      "executed is read and its execution begun (MariaDB: by file and position, one thread, for "  \
      "a start by GTID would throw it away); answer: received set, and whether it is all it "      \
      "acknowledged")                                                                              \
    X(SET_VARIABLES, NODE, "set variables",                                                        \
      "settings that spoil a promise, those that are safe to set while it runs; verified")         \
    X(ACKNOWLEDGE, NODE, "acknowledge",                                                            \
      "what it received and never acknowledged: drained, connected once by file and position "     \
      "with the replica role on, which acknowledges all before it, then by GTID again; verified")  \
    X(END_STREAM, NODE, "end stream",                                                              \
      "the threads by which the source still serves `peer`'s broken connection are killed")

enum plan_kind {
#define X(id, text, traits) PLAN_##id,
    PLAN_KINDS(X)
#undef X
        PLAN_KIND_COUNT
};
enum step_kind {
#define X(id, class, text, what) STEP_##id,
    STEP_KINDS(X)
#undef X
        STEP_KIND_COUNT
};

enum plan_target {
    TARGET_NONE = 0,
    TARGET_OLD_PRIMARY,
    TARGET_CANDIDATE,
    TARGET_RECEIVERS, /* every node but the old primary that answers (possible ackers and peers) */
    TARGET_FROZEN,    /* F */
    TARGET_ACKERS,    /* nodes attached before writable: drained, outside the candidate's zone */
    TARGET_REST,      /* every other node that may be attached */
    TARGET_NODE,      /* params.node */
};

enum row_flags {
    ROW_BEST_EFFORT = 1,  /* a failure is noted, never blocks */
    ROW_WITH_NEXT = 2,    /* starts together with the next row; both must conclude */
    ROW_NO_RETURN = 4,    /* point of no return: after it the plan only goes forward */
    ROW_SKIP_IF_DONE = 8, /* plan_targets may be empty: the row is skipped */
    ROW_NO_SAVE = 16,     /* reads, waits, computes or writes only our heartbeat row: begins
                             without a save of its own, a resumed run simply does it again */
};

struct plan_row {
    enum step_kind step;
    enum plan_target target;
    unsigned flags;
    int64_t deadline_us; /* of the row, from its start */
    enum step_kind undo; /* STEP_NONE: nothing to undo */
    const char *why;     /* shown verbatim in plan, page and man page */
};

/* The rows of a kind, in order; static. */
const struct plan_row *plan_rows(enum plan_kind kind, size_t *ret_count);
/* Index of the first row of `kind` with `step`, or the row count. */
uint32_t plan_row_of(enum plan_kind kind, enum step_kind step);
const char *plan_kind_text(enum plan_kind kind);
enum plan_kind plan_kind_named(const char *text); /* PLAN_NONE: none of them */
bool plan_kind_has(enum plan_kind kind, enum plan_trait trait);
static inline bool plan_replaces(enum plan_kind kind)
{
    return plan_kind_has(kind, TRAIT_REPLACES);
}
const char *step_kind_text(enum step_kind step);
const char *step_kind_what(enum step_kind step);
enum step_class step_kind_class(enum step_kind step);
/* How long after a store compare SQL of this step may be sent. */
int64_t plan_step_validity_us(enum step_kind step);
/* Every row of every plan, for mainstay-plans(7) and lint. */
typedef void (*plan_visit_fn)(void *ctx, enum plan_kind kind, uint32_t row,
                              const struct plan_row *what);
void plan_visit(plan_visit_fn fn, void *ctx);

#endif
