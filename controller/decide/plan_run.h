/* controller/decide/plan_run.h - one run of a plan: what it was asked for, how far it is, and all
 * that it has learned; and how long and how often its rows are tried.
 *
 * Pure. Layer: decide. Changed only by the functions of plan.h. Owns its sets: zero is empty,
 * plan_run_clear frees. */
#ifndef CONTROLLER_DECIDE_PLAN_RUN_H
#define CONTROLLER_DECIDE_PLAN_RUN_H
#include "controller/decide/certificate.h"
#include "controller/decide/plan_kinds.h"

#define PLAN_EVACUATION_CUTS 2 /* so often a move that our own restart undid is begun again */
#define PLAN_EVACUATION_AGAIN_US (15 * STAY_SECOND) /* so long after one that touched no client */

struct plan_params {
    uint32_t node;    /* switchover --to, rejoin NODE ...; NO_NODE: choose */
    uint32_t donor;   /* RESEED --from; NO_NODE: choose. No other plan reads it */
    uint16_t rule_id; /* verdict that started it, 0 for an operator */
    bool automatic;
    bool accept_loss; /* named human's override; reason must be set */
    char reason[128];
    char actor[64];
    int64_t detected_mono_us; /* when suspicion began, for the timeline; STAY_NEVER */
    int64_t evacuation_wall_us; /* SWITCHOVER: by the evacuation ordered then; 0: by none */
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
/* What relieves a sick primary by moving it is not tried again within the cooldown, nor this. */
#define PLAN_RELIEF_US      (600 * STAY_SECOND)
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
    uint32_t replayed;   /* nodes told to execute their relay log: what they commit is our doing */
    uint32_t lost_first; /* nodes whose connection the source ended, before our freeze */
    uint32_t errant;     /* nodes known when the run began to hold transactions of their own: who
                            takes it up may find nobody to compare them with; or the candidate,
                            written to while it was topped up */
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
    bool interrupted; /* undone because the controller restarted, nothing else; not stored */
    bool fenced;               /* F1 confirmed */
    bool fence_unheard; /* a fence failed that may have killed clients in their commit, or what it
                           did is not known (taken up) */
    bool degrade;       /* no acker to attach: bounded is recorded, writes go on */
    bool diverged;      /* REJOIN, REPOINT, RESEED: the node holds sets unknown to the primary */
    bool aims_lossless; /* the new primary shall run lossless semi-sync */
    /* The primary's, read after semi-sync was on. */
    uint64_t watch_uptime_s, watch_no_tx, watch_no_times;
    struct gtid_set extra; /* what it holds beyond the primary; shown, kept in the journal */
    struct gtid_set fenced_executed;
    /* The old primary's set and sessions as last read before the run began. What is read once its
     * fence was sent tells less: a commit whose client was killed ends there unanswered. */
    struct gtid_set last_word;
    uint64_t last_sessions;
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

/* Frees the sets it holds and makes it empty. */
void plan_run_clear(struct plan_run *run);
const char *plan_state_text(enum plan_state state);
const char *row_state_text(enum row_state state);

#endif
