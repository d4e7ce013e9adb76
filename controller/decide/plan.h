/* controller/decide/plan.h - what to do about it: plans as rows of data, and the pure rules that
 * say which nodes a row touches, what an answer means and where to go next.
 *
 * Pure. Layer: decide. The executor (controller/act/executor.h) journals, starts effects and keeps
 * deadlines; everything it must *know* about failover is here. Rows are listed by
 * mainstay-plans(7).
 *
 * Life: plan_start -> [plan_targets -> plan_effect per node -> plan_absorb per answer ->
 * plan_conclude] per row -> plan_finished. A run can be stored (plan_run_to_json) and taken up
 * again by another process at the same row: every effect is idempotent and verified by looking. */
#ifndef CONTROLLER_DECIDE_PLAN_H
#define CONTROLLER_DECIDE_PLAN_H
#include "controller/decide/certificate.h"
#include <jansson.h>

#define PLAN_KINDS(X)                                                                              \
    X(NONE, "none")                                                                                \
    X(FAILOVER, "failover")                                                                        \
    X(SWITCHOVER, "switchover")                                                                    \
    X(REJOIN, "rejoin")                                                                            \
    X(REPOINT, "repoint")                                                                          \
    X(ADOPT, "adopt")                                                                              \
    X(MODE_RESTORE, "mode restore") X(MODE_DEGRADE, "mode degrade")                                \
        X(MAKE_WRITABLE, "make writable") X(FENCE, "fence") X(UNFENCE, "unfence")                  \
            X(QUARANTINE, "quarantine") X(START_APPLIER, "start applier") X(RESEED, "reseed")  \
                X(REWIND, "rewind") X(RECOVER, "recover") X(CONFORM, "conform")

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
      "acknowledged") \
    X(SET_VARIABLES, NODE, "set variables",                                                        \
      "settings that spoil a promise, those that are safe to set while it runs; verified")

enum plan_kind {
#define X(id, text) PLAN_##id,
    PLAN_KINDS(X)
#undef X
        PLAN_KIND_COUNT
};
/* Does it put a server in the place of a primary that is gone, by freeze, drain and proof? */
static inline bool plan_replaces(enum plan_kind kind)
{
    return kind == PLAN_FAILOVER || kind == PLAN_RECOVER;
}
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

enum outcome { OUTCOME_NONE = 0, OUTCOME_DONE, OUTCOME_NOT_DONE, OUTCOME_UNKNOWN };

struct plan_row {
    enum step_kind step;
    enum plan_target target;
    unsigned flags;
    int64_t deadline_us; /* of the row, from its start */
    enum step_kind undo; /* STEP_NONE: nothing to undo */
    const char *why;     /* shown verbatim in plan, page and man page */
};

struct plan_params {
    uint32_t node;    /* switchover --to, rejoin NODE ...; NO_NODE: choose */
    uint32_t donor;   /* RESEED --from; NO_NODE: choose. No other plan reads it */
    uint16_t rule_id; /* verdict that started it, 0 for an operator */
    bool automatic;
    bool accept_loss; /* named human's override; reason must be set */
    char reason[128];
    char actor[64];
    int64_t detected_mono_us; /* when suspicion began, for the timeline; STAY_NEVER */
};

#define PLAN_SETTINGS_MAX 320 /* text of what one SET_VARIABLES sets */

/* What the world is asked to do. Everything an effect needs; nothing else is read by it.
 *
 * Facts each answer must carry (groups_read): FENCE, QUIESCE, DRAIN, COLLECT, COMPARE, CATCH_UP,
 * TOP_UP: executed (COLLECT also the semi-sync counters and uptime). FREEZE: received, executed,
 * uptime, applier and its error. VERIFY_FREEZE: uptime, receiver, source host and port.
 * ROUTE_CLOSE closes the write backend whole; ROUTE_OPEN leaves exactly `node` writable in it.
 * REWIND has `want`, all that the primary holds.
 * ATTACH has `want` (NULL: unknown): a server whose executed set is not within it holds what the
 * source lacks, and is not attached (NOT_DONE).
 * THAW has `want`: the receiver may start only when executed contains it (the drain ended); without
 * a `peer` on whatever source it has.
 * REPLICA_ROLE, ATTACH: semi_sync tells the role `node` shall have; a node that is set aside
 * (plan QUARANTINE) and whose applier does not run loses its receiver instead: restarted it would
 * throw away what is not executed. HOOK_PRE answers NOT_DONE for a
 * veto. DRAIN may end NOT_DONE with facts while its applier still runs: it is asked again. COPY has
 * `begun_mono_us`: a copy that ended before it is of another plan. It ends NOT_DONE with goes_on
 * after a slice, or when the server is down as it is after a copy: asked again.
 * WRITABLE: NOT_DONE only if it was seen read-only and nothing of ours can still arrive. */
struct effect {
    enum step_kind step;
    uint32_t node; /* subject; ROUTE_CLOSE: old primary; ROUTE_OPEN, hooks: new
                      primary */
    uint32_t peer; /* source for ATTACH/TOP_UP/THAW; donor for COPY; old primary for routes; else
                      NO_NODE */
    uint64_t epoch;
    enum plan_kind plan; /* whose row it is: hooks differ by it */
    uint32_t acks;       /* k, for SOURCE_ON, WAIT_ACKERS */
    bool semi_sync;      /* SOURCE_ON/ATTACH/UNFENCE/REPLICA_ROLE: role this node shall have */
    bool prepares;       /* CATCH_UP before a write pause: what can be done early is done then */
    bool forget_later;   /* DETACH: the SOURCE_ON that follows may forget the source (MySQL) */
    bool receiver_first; /* ATTACH in a write pause: MySQL's applier is left to the next ATTACH */
    bool lossless_roles; /* start-up role matters: recorded mode is lossless */
    const struct gtid_set *want; /* DRAIN, CATCH_UP, TOP_UP, BARRIER: executed must contain it */
    bool renumber; /* UNFENCE, WRITABLE: MariaDB leaves a gap in its GTIDs before anybody writes: it
                      may have lost its tail, and would give the lost numbers a second time to
                      other transactions; with the gap whoever holds the tail is refused (1236) */
    int64_t born_mono_us; /* UNFENCE, WRITABLE, THAW: NOT_DONE if the server's process started later
                             than this (it restarted: what it holds is not what the plan
                             judged) */
    int64_t begun_mono_us; /* COPY: when its plan began */
    int64_t deadline_mono_us;
    int64_t valid_until_mono_us; /* SQL that changes may be sent only before this: 500 ms after a
                                    store compare, more for steps of many statements */
    char settings[PLAN_SETTINGS_MAX]; /* SET_VARIABLES: "sync_binlog = 1; ..." */
    unsigned flaw; /* enum mutant_id: the simulator's mutant build asks its servers to do this
                      effect wrongly (FREEZE: BOTH_THREADS_STOPPED, SOURCE_ON_BEFORE_DRAIN; FENCE:
                      SEMISYNC_OFF_FIRST); 0 in every other build and ignored by the real effects */
};

/* BEFORE_LOST: it had lost its source and tried to reconnect, or was stopped while it did (measured
 * on MySQL 9.7.4: SHOW REPLICA STATUS keeps Last_IO_Errno 2003 or 2013 then, and 0 when a connected
 * one is stopped). BEFORE_UNKNOWN: stopped or without a source when it came. */
enum receiver_before { BEFORE_UNKNOWN = 0, BEFORE_CONNECTED, BEFORE_LOST };

struct effect_result {
    enum outcome outcome;
    bool groups_read;                     /* facts below are valid (STATUS group) */
    const struct server_facts *facts;     /* read after the effect, borrowed; NULL if none */
    enum receiver_before receiver_before; /* FREEZE: how it found the receiver */
    uint32_t strangers;                   /* FENCE: application sessions left */
    bool goes_on;   /* NOT_DONE: a long work is under way (text: how far), ask again */
    bool is_down;   /* and its server cannot be reached, as at the end of a CLONE */
    bool kept_acked; /* REPLAY: nobody started or changed its replication since its process began,
                        and its relay log is written through to disk: it holds all it had
                        acknowledged */
    char text[240];                       /* error or remark for people */
};

enum row_state {
    ROW_PENDING = 0,
    ROW_RUNNING,
    ROW_DONE,
    ROW_SKIPPED,
    ROW_FAILED,
    ROW_UNDONE,
    ROW_STATE_COUNT
};

#define PLAN_ROWS_MAX 40
/* A receiver gives up a silent source after replica_net_timeout, 4 s. Seen trying to reconnect this
 * soon after the source's last facts, while it acknowledged, it was the source that ended the
 * connection. */
#define PLAN_LOST_SOON_US (3 * STAY_SECOND)
#define PLAN_LOOKS_MAX    5              /* repeats of an unknown row */
#define PLAN_LOOK_US      (50 * STAY_MS) /* before the first repeat; doubles */
#define PLAN_REPEATS_MAX  2 /* repeats of a row that was not done, where that is safe */
/* One drain effect; repeated while the applier runs. */
#define PLAN_DRAIN_SLICE_US (5 * STAY_SECOND)
/* A top-up goes by the same slices, and gives its candidate up after so many without progress. */
#define PLAN_TOP_UP_STALLS_MAX 3
/* A copy takes hours, and is looked at in slices. */
#define PLAN_COPY_SLICE_US (3 * STAY_SECOND)
/* Slices without progress: what it received is gone, or takes too long. */
#define PLAN_DRAIN_STALLS_MAX 6
#define PLAN_ROUNDS_MAX       4                 /* returns to freeze */
#define PLAN_OTHERS_US        (1 * STAY_SECOND) /* nodes outside A: how long a row waits for them */
#define PLAN_ANSWERS_US       (3 * STAY_SECOND) /* a node that answered within this is asked */
/* An old primary that answered within this is fenced. */
#define PLAN_FENCE_FRESH_US (1 * STAY_SECOND)
#define PLAN_RETRY_US       (30 * STAY_SECOND)
#define PLAN_STAYS_US       (2 * STAY_SECOND)
/* A switchover's candidate catches up before clients are paused: tried until one round takes no
 * longer than SHORT, for as long as LAG_MAX; then it may still take PAUSE, or nothing is touched.
 */
#define PLAN_LAG_MAX_S    10
#define PLAN_LAG_SHORT_US (50 * STAY_MS)
#define PLAN_LAG_PAUSE_US (1 * STAY_SECOND)
#define PLAN_TEXT_MAX     240

enum plan_state {
    RUN_IDLE = 0,
    RUN_FORWARD,
    RUN_UNDOING,
    RUN_SUCCEEDED,
    RUN_UNDONE,
    RUN_ASKS /* a human decides; nothing more happens */,
    RUN_STATE_COUNT
};

struct row_run {
    enum row_state state;
    uint32_t looks;                          /* times NEXT_LOOK was answered */
    uint32_t touched;                        /* targets of every round: what an undo must cover */
    uint32_t targets, done, failed, unknown; /* masks */
    int64_t begun_mono_us, ended_mono_us;
    char text[PLAN_TEXT_MAX];
};

struct plan_run {
    char id[24]; /* "shop-17": cluster and epoch; key of the journal */
    enum plan_kind kind;
    enum plan_state state;
    uint64_t epoch;
    uint32_t row; /* current row in plan_rows(kind) */
    bool past_no_return;
    struct plan_params params;
    uint32_t old_primary, candidate;
    uint32_t donor;      /* RESEED: whose data the node gets; else NO_NODE */
    uint32_t a, f, r;    /* ackers at start, frozen, drained */
    uint32_t collected;  /* nodes whose executed set below was read in this run */
    uint32_t slow;       /* nodes whose drain goes on: the applier ran when last seen */
    uint32_t spare;      /* frozen nodes that executed all they hold by their own last word, counted
                            in r or not: what a human who accepts loss may promote */
    uint32_t doubted;    /* in r for such a human alone: a restart may have cost them what they had
                            acknowledged, so they prove nothing */
    uint32_t kept;       /* RECOVER: nodes whose restart cost them nothing they had acknowledged, by
                            the word of their relay log (REPLAY) */
    uint32_t restarted;  /* nodes seen to restart since their freeze: out of f and r */
    uint32_t attached;   /* nodes attached to the candidate by this run */
    uint32_t detached;   /* nodes that forgot their source in this run, verified: they cannot
                            acknowledge for the old primary even if they die and come back */
    uint32_t moved;      /* nodes whose source was changed in this run: thawing is not enough */
    uint32_t lost_first; /* nodes whose connection the source ended, before our freeze */
    uint32_t errant;     /* nodes known when the run began to hold transactions of their own: who
                            takes it up may find nobody to compare them with */
    uint32_t sound;      /* nodes that had lost nothing by a restart when the run began, known by
                            freeze_uptime_s from then on: also to a process that takes it up */
    uint32_t froze;      /* nodes whose freeze was answered in this run: stopped by us since */
    uint32_t received; /* at start: nodes whose receiver ran. Only these are thawed by an undo: one
                          that stood still is compared before it is attached (a rejoin) */
    uint32_t able;     /* at start or seen since: outside A, reachable, and by its own word it
                          could connect and acknowledge any moment: F0 needs it frozen too */
    uint32_t acking;   /* at start: ackers the primary's last fresh facts showed connected */
    uint32_t struck;   /* candidates that failed in this run */
    uint32_t rounds;   /* times the run went back to freeze */
    uint32_t refusals; /* times the candidate was seen not to be made writable; not stored */
    enum durability_mode mode; /* recorded at start */
    uint64_t acks;             /* k of the old primary: what the proofs count with, whatever the
                                  configuration says by now */
    bool lossless_stood;       /* at start, and not seen broken since */
    bool maybe_open;           /* making the candidate writable once ended unknown: seen read-only
                                  later does not prove that it never was */
    bool acks_flowed;          /* at start: no session waited long in the primary's last facts */
    bool was_open;             /* the old primary was writable at start */
    bool stays;                /* undone because the old primary came back with more; not stored */
    bool fenced;               /* F1 confirmed */
    bool fence_unheard; /* taken up: a fence was sent, whose answer is not known; not stored */
    bool degrade;       /* no acker to attach: bounded is recorded, writes go on */
    bool diverged;      /* REJOIN, REPOINT, RESEED: the node holds sets unknown to the primary */
    bool aims_lossless; /* the new primary shall run lossless semi-sync */
    /* The primary's, read after semi-sync was on. */
    uint64_t watch_uptime_s, watch_no_tx, watch_no_times;
    struct gtid_set extra; /* what it holds beyond the primary; shown, kept in the journal */
    struct gtid_set fenced_executed;
    struct gtid_set executed[NODES_MAX];
    struct gtid_set received_high[NODES_MAX];
    uint64_t left[NODES_MAX];   /* transactions a drain's last slice still missed; not stored */
    uint32_t stalls[NODES_MAX]; /* drain slices in a row without progress; not stored */
    uint64_t freeze_uptime_s[NODES_MAX]; /* at the freeze; old primary, sound: at start */
    int64_t freeze_mono_us[NODES_MAX];
    struct certificate certificate;
    struct row_run rows[PLAN_ROWS_MAX];
    int64_t begun_mono_us, begun_wall_us, ended_mono_us;
    char text[PLAN_TEXT_MAX]; /* outcome for people: why refused, what to do */
};

/* The rows of a kind, in order; static. */
const struct plan_row *plan_rows(enum plan_kind kind, size_t *ret_count);
/* Index of the first row of `kind` with `step`, or the row count. */
uint32_t plan_row_of(enum plan_kind kind, enum step_kind step);
const char *plan_kind_text(enum plan_kind kind);
const char *step_kind_text(enum step_kind step);
const char *step_kind_what(enum step_kind step);
enum step_class step_kind_class(enum step_kind step);

/* Frees the sets it holds and makes it empty. */
void plan_run_clear(struct plan_run *run);

/* YES: every server is gone, or back and closed, and none of those that answer can tell what the
 * primary acknowledged last (rule 136): only a human starts PLAN_RECOVER. */
enum tri plan_is_outage(const struct cluster_view *view, int64_t now_mono_us);
/* Can enough ackers tell what a primary acknowledged that answers, closed, and may have lost a
 * tail? */
bool plan_is_tail_known(const struct cluster_view *view, int64_t now_mono_us);

/* Checks preconditions and fills *run in state RUN_FORWARD at row 0. STAY_EREFUSED names the
 * rule. */
enum stay_rc plan_start(struct plan_run *run, enum plan_kind kind, const struct plan_params *params,
                        const struct cluster_view *view, int64_t now_mono_us, int64_t now_wall_us,
                        struct stay_error *err) STAY_MUST_USE;

/* Takes lossless_since away from a failover whose old primary answered again, before we touched it,
 * and no longer runs what it was built on. Called at every tick, on every answer and when a run is
 * taken up: a later word may hide it, and after our own fence its counters no longer tell. */
void plan_note_broken(struct plan_run *run, const struct cluster_view *view);

/* Nodes row `row` acts on now (0: nothing to do, the row is skipped). ROUTE steps: 0 or 1. */
uint32_t plan_targets(const struct plan_run *run, const struct cluster_view *view, uint32_t row,
                      int64_t now_mono_us);
/* The effect of row `row` on `node`; want and friends borrow from run. */
void plan_effect(const struct plan_run *run, const struct cluster_view *view, uint32_t row,
                 uint32_t node, struct effect *ret_effect);
/* The row begins on `targets` (journaled before any effect): state, touched, point of no return. */
void plan_begin_row(struct plan_run *run, uint32_t row, uint32_t targets, int64_t now_mono_us);
/* The rows from `row` on are taken again: as never begun, but for what they touched. */
void plan_reset_rows(struct plan_run *run, uint32_t row);
/* Takes one answer into the run: F, R, sets, fences. Called once per target. */
void plan_absorb(struct plan_run *run, const struct cluster_view *view, uint32_t row, uint32_t node,
                 const struct effect_result *result, int64_t now_mono_us);
/* A PURE row's work (CHECK, CHOOSE, CERTIFY); writes its text. */
void plan_compute(struct plan_run *run, const struct cluster_view *view, uint32_t row,
                  int64_t now_mono_us);

enum plan_next {
    NEXT_ROW = 0, /* go on */
    NEXT_GOTO,    /* back to row *ret_row (freeze no longer holds, next candidate) */
    NEXT_LOOK,    /* unknown: the row's effects again on its unknown nodes, verified */
    NEXT_UNDO,    /* undo done rows in reverse, then RUN_UNDONE and ask */
    NEXT_ASK
}; /* stop where we are; a human decides */
/* May the row be concluded now: every target answered, or those that matter did and the rest had
 * their time (nodes outside A never hold a freeze or drain up), or waiting cannot help any more. If
 * not, *ret_recheck_mono_us is when to ask again without an answer in between (INT64_MAX: no
 * need). */
bool plan_is_row_done(const struct plan_run *run, const struct cluster_view *view, uint32_t row,
                      int64_t now_mono_us, int64_t *ret_recheck_mono_us);
/* All targets answered or the row's deadline passed (remaining targets count as unknown): where
 * next? Past the point of no return never NEXT_UNDO. run->text says why when not NEXT_ROW. */
enum plan_next plan_conclude(struct plan_run *run, const struct cluster_view *view, uint32_t row,
                             int64_t now_mono_us, uint32_t *ret_row);
/* The save before `row`, a point of no return, has ended and its effects would start: does all that
 * it was saved for still hold, by what was seen meanwhile (a store may be slow)? If not, where to
 * next, and the row has not begun. NEXT_ROW for every other row. */
enum plan_next plan_confirm(struct plan_run *run, const struct cluster_view *view, uint32_t row,
                            int64_t now_mono_us, uint32_t *ret_row);
/* Undo of a row that was begun in any round: nodes, effects, answers (rows[row].unknown holds the
 * nodes whose undo is not done yet). Undo never blocks: what fails is noted. */
uint32_t plan_undo_targets(const struct plan_run *run, const struct cluster_view *view,
                           uint32_t row, int64_t now_mono_us);
/* Would the undo of rows before `end` open a primary again that is well: do clients wait for this
 * run alone? */
bool plan_undo_reopens(const struct plan_run *run, const struct cluster_view *view, uint32_t end,
                       int64_t now_mono_us);
void plan_undo_effect(const struct plan_run *run, const struct cluster_view *view, uint32_t row,
                      uint32_t node, struct effect *ret_effect);
void plan_absorb_undo(struct plan_run *run, const struct cluster_view *view, uint32_t row,
                      uint32_t node, const struct effect_result *result);
/* How long one effect of the row may take; a row may be longer than its effects (drain). */
int64_t plan_effect_deadline_us(const struct plan_run *run, uint32_t row);
int64_t plan_undo_deadline_us(const struct plan_run *run, uint32_t row);
/* How long after a store compare SQL of this step may be sent. */
int64_t plan_step_validity_us(enum step_kind step);
/* STORE rows: what the cluster's record becomes. */
void plan_change_record(const struct plan_run *run, const struct cluster_view *view, uint32_t row,
                        int64_t now_wall_us, struct cluster_record *record);
/* The run ended: the record's plan ends. An automatic failover that was undone holds off
 * PLAN_RETRY_US, one that asks the whole cooldown, so that it is not started again at once; one
 * whose old primary came back and stays PLAN_STAYS_US: its next death is a new one. */
void plan_end_record(const struct plan_run *run, const struct cluster_view *view,
                     int64_t now_wall_us, struct cluster_record *record);
/* Called by a process that took up a stored run: before the point of no return decides whether it
 * goes on or is undone; after it, always on. Frozen nodes are verified before anything else. */
enum plan_next plan_resume(struct plan_run *run, const struct cluster_view *view,
                           int64_t now_mono_us, uint32_t *ret_row);

/* May automation reseed `node` now: configured, nothing that a plan would refuse, and nobody's
 * transactions are lost by it: what it holds more is saved, and it was not set aside by a human or
 * for writes that its sets cannot show. */
bool plan_may_reseed_alone(const struct cluster_view *view, uint32_t node, int64_t now_mono_us);
/* Fills *run (empty, or a run: cleared first) as if it had gone as far as its certificate by now:
 * started, every node that answers frozen, drained and read but those of the mask `lost`, candidate
 * chosen, certificate computed where there is a candidate. Errors as plan_start. */
enum stay_rc plan_foresee(struct plan_run *run, enum plan_kind kind,
                          const struct plan_params *params, const struct cluster_view *view,
                          uint32_t lost, int64_t now_mono_us, int64_t now_wall_us,
                          struct stay_error *err) STAY_MUST_USE;
/* Nodes a foreseen run's row would act on; a drain is waited for although it is foreseen to end. */
uint32_t plan_foresee_targets(const struct plan_run *run, const struct cluster_view *view,
                              uint32_t row, int64_t now_mono_us);

/* The plan as it would run now, for --dry-run and `mainstay plan`: {"kind", "candidate",
 * "donor" (RESEED), "certificate" (as of now, before any drain), "refused" (text or null), "rows":
 * [{"step", "targets": [names], "deadline_ms", "flags", "why"}]}. Changes nothing. Caller owns it.
 */
json_t *plan_describe(enum plan_kind kind, const struct plan_params *params,
                      const struct cluster_view *view, int64_t now_mono_us, int64_t now_wall_us);
/* Every row of every plan, for mainstay-plans(7) and lint. */
typedef void (*plan_visit_fn)(void *ctx, enum plan_kind kind, uint32_t row,
                              const struct plan_row *what);
void plan_visit(plan_visit_fn fn, void *ctx);
const char *plan_state_text(enum plan_state state);
const char *row_state_text(enum row_state state);

/* The journal of a run and the cluster's record, nodes by name, so that they survive a changed
 * configuration. New references. Reading: an error names the field and leaves *ret as it was;
 * *ret_run must be empty or a run, which is cleared. */
json_t *plan_run_to_json(const struct plan_run *run, const struct cluster_config *config);
enum stay_rc plan_run_from_json(const json_t *json, const struct cluster_config *config,
                                struct plan_run *ret_run, struct stay_error *err) STAY_MUST_USE;
json_t *cluster_record_to_json(const struct cluster_record *record,
                               const struct cluster_config *config);
enum stay_rc cluster_record_from_json(const json_t *json, const struct cluster_config *config,
                                      struct cluster_record *ret_record,
                                      struct stay_error *err) STAY_MUST_USE;

#endif
