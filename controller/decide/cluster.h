/* controller/decide/cluster.h - one cluster as decisions see it: configuration, recorded intent,
 * and the latest facts of every node, folded from observations.
 *
 * Pure: no I/O, clock, randomness. Layer: decide (base, probes/observation.h). Time arrives as
 * now_mono_us. Call order: cluster_init, then cluster_set_record, cluster_observe in any order. */
#ifndef CONTROLLER_DECIDE_CLUSTER_H
#define CONTROLLER_DECIDE_CLUSTER_H
#include "controller/decide/cluster_record.h"

#define RECEIVER_REFUSED    1236  /* Last_IO_Errno: the source cannot send from its position */
#define RECEIVER_NO_READING 13114 /* MySQL says this of any fatal error of its source, and which   \
                                   */

struct node_view {
    struct server_facts facts;
    unsigned groups_known;       /* groups read at least once in this server process's life */
    int64_t facts_begun_mono_us; /* when the STATUS facts held now were asked for */
    int64_t facts_mono_us;       /* when they arrived; STAY_NEVER if never */
    int64_t changed_mono_us;     /* when a plan's last effect on it was answered; facts asked for
                                    before it show a server that is no more */
    int64_t opened_mono_us;      /* when a change of primary of ours first sent it what opens it:
                                    in that reign nobody was answered before; STAY_NEVER */
    int64_t slow_mono_us;        /* when the SLOW facts held now were asked for; STAY_NEVER */
    struct reach reach;          /* last attempt */
    int64_t reach_mono_us;
    int64_t watched_mono_us;       /* when this controller first asked it anything */
    int64_t answered_mono_us;      /* last success on any layer beyond connect */
    int64_t query_ok_mono_us;      /* last answered status query */
    int64_t slow_since_mono_us;    /* begin of the present run of status answers that took half the
                                      deadline or longer; STAY_NEVER */
    int64_t refused_first_mono_us; /* first of the unbroken run of refusals, else STAY_NEVER */
    int64_t refused_last_mono_us;
    int64_t closed_mono_us;       /* begin of the last attempt that it refused; STAY_NEVER: none */
    int64_t silent_since_mono_us; /* begin of the first unanswered attempt of the present run */
    int64_t session_end_mono_us;
    int64_t canary_ok_mono_us;    /* last canary commit on this node */
    int64_t canary_fail_mono_us;  /* first of the present run of failed canaries, else STAY_NEVER */
    bool canary_cut;              /* in that run nothing but sessions that were ended */
    int64_t canary_moved_mono_us; /* when mainstay.heartbeat on it was seen to have moved */
    int64_t advanced_mono_us;     /* when its received set or heartbeat count last moved */
    int64_t restarted_mono_us;    /* when uptime was last seen to go back; STAY_NEVER */
    int64_t caught_up_mono_us;    /* when it was last seen to hold a primary's set asked for after
                                     its restart; STAY_NEVER: not by this controller */
    bool birth_judged;            /* its first facts were compared with the record's birth of it */
    int64_t held_mono_us;         /* begin of the last read of the primary whose set it was seen to
                                     hold, in this life of its process; STAY_NEVER */
    struct gtid_set goal;         /* primary's set, asked for at goal_mono_us after the node's */
    int64_t goal_mono_us;         /* restart: executed, the node has caught up; STAY_NEVER: none */
    int64_t receiver_off_mono_us; /* when its receiver was last seen stopped or without a source */
    int64_t stood_mono_us;        /* when it was last read as cluster_may_have_purged says */
    int64_t receiver_lost_mono_us; /* begin of its present run of trying to reconnect to its source;
                                      STAY_NEVER: connected, stopped or without a source */
    enum tri ran_acking;           /* its semi-sync status when its receiver was last seen running,
                                      as long as that was not seen stopped */
    int64_t writable_mono_us;      /* when it was last seen to accept writes; STAY_NEVER */
    int64_t acker_seen_mono_us;    /* last time it was connected and acknowledged the primary */
    int64_t ss_progress_mono_us;   /* as a source: last time no session waited or yes-acks moved */
    int64_t asked_again_mono_us;   /* end of the last plan that attached it after its source refused
                                      it although it holds nothing more; STAY_NEVER: none yet */
    int64_t repair_failed_mono_us; /* end of the last automatic plan for it that did not succeed */
    enum tri errant;               /* holds what the primary neither holds nor wrote, by a primary
                                      read begun later */
    bool lost_answered;            /* its restart lost more than could wait for an acknowledgement
                                      when it was last read: some were answered; until it is open */
    bool holds_lost;         /* by the same read: holds what the primary wrote and lacks now */
    struct gtid_set extra;   /* what it held beyond the primary's last word, until a */
    int64_t extra_mono_us;   /* primary read begun after this decides; STAY_NEVER: none */
    uint64_t alone_own;      /* transactions of its own making when last seen following */
    int64_t alone_mono_us;   /* nobody, all it received executed; STAY_NEVER: not so seen */
    bool idle_life;          /* seen to restart while another was primary, and not seen with
                                a receiver since: whatever it committed was by hand */
    bool by_hand;            /* seen to be written to then; until the store says it diverged */
    bool skipped;            /* a transaction of its own making that the primary holds is
                                missing, and later ones are there */
    int64_t own_due_mono_us; /* it lacked such and might still receive them; STAY_NEVER */
    struct gtid_set quiet;   /* MariaDB: what it had executed when last read while its receiver */
    int64_t quiet_mono_us;   /* did not run; since when it was read so; STAY_NEVER: never */
    struct gtid_set before;  /* that, if it is from before the primary's present process */
    uint64_t saved;          /* gtid_set_digest of what it held beyond the primary when that
                                was kept as a bundle; 0: it is not */
    struct gtid_set received_high; /* highest received set ever seen of it (survives its lies) */
};

struct cluster_view {
    const struct cluster_config *config; /* borrowed */
    struct cluster_record record;
    struct node_view nodes[NODES_MAX];
    uint32_t primary;                /* index of record.primary, NO_NODE if unknown */
    int64_t suspicion_since_mono_us; /* STAY_NEVER: none */
    int64_t no_acker_since_mono_us;  /* STAY_NEVER: primary has an acker, or none expected */
    uint32_t ackers_seen;            /* possible ackers by any facts of this primary, less those
                                        that left A: a plan takes them into A with record.ackers */
    int64_t repair_failed_mono_us;   /* the same for a failover */
    int64_t plan_ended_mono_us;      /* end of the last plan seen; STAY_NEVER */
    int64_t hold_until_mono_us;      /* clock jump or loop stall: act on nothing before this */
    int64_t wall_offset_us;          /* wall less monotonic clock at the last turn; 0: none yet */
    int64_t clock_jumped_mono_us; /* when that was seen to change at once; STAY_NEVER: wall times of
                                     before it cannot be compared with those after it */
    bool paused_all;              /* kill switch of the whole controller */
    uint32_t evacuated;           /* mask: nodes in zones that are being evacuated, set before each
                                     turn: promoted where nobody elsewhere may be, and else not */
    bool store_ok;                /* false: store unavailable, hold */
    bool isolated;                /* this controller sees nothing at all: no vote */
    struct gtid_set barrier;      /* primary's executed set captured for the barrier under way */
    int64_t barrier_mono_us;      /* STAY_NEVER: none under way; else when it was armed */
    bool barrier_captured;        /* barrier holds a set read after it was armed */
    uint32_t barrier_ackers;      /* seen as possible ackers since it was armed */
    uint32_t barrier_leavers;     /* members of A that were gone when it was armed */
    uint64_t barrier_no_tx, barrier_no_times; /* primary's counters when it was armed */
    uint64_t watch_own_base, watch_yes_base;  /* own transactions (0: none yet) and yes-acks */
    uint64_t watch_sessions;       /* most connections the watch saw at a reading since that base */
    int64_t watch_seen_mono_us;    /* primary facts the watch looked at last */
    bool watch_skips;              /* they were read before a number that skips others' */
    uint32_t watch_odd;            /* successive primary facts whose acks do not add up */
    int64_t lossless_fell_mono_us; /* lossless_since was seen broken then and the store does not
                                     say so yet: no plan may build on it; STAY_NEVER */
    int64_t regiven_since_wall_us; /* record.primary_since_wall_us when nodes[].before were kept */
    unsigned mutant; /* seeded bug, simulator's mutant build only; else 0 and unread */
};

/* An empty view of config, which is borrowed and does not change its servers but through
 * cluster_reconfigure. Places of nodes beyond its inventory are not touched (all are, while that is
 * empty). cluster_clear frees the sets it came to hold. */
void cluster_init(struct cluster_view *view, const struct cluster_config *config);
void cluster_clear(struct cluster_view *view);
/* A view of its own with all that `from` knows, to be changed and cleared apart (a rehearsal); the
 * configuration stays borrowed. *ret_view must be empty or cleared. */
void cluster_copy(struct cluster_view *ret_view, const struct cluster_view *from);
/* Takes the stored record (copied); recomputes view->primary. */
void cluster_set_record(struct cluster_view *view, const struct cluster_record *record);
/* A new configuration: facts and record of nodes with the same name and address are kept. */
void cluster_reconfigure(struct cluster_view *view, const struct cluster_config *config);

/* Folds one observation: facts, refusal and silence runs, suspicion, ackers seen, durability watch.
 * Observations may arrive late or out of order: one begun before a newer one's answer never
 * overwrites it. */
void cluster_observe(struct cluster_view *view, const struct observation *obs);

/* Both: or NO_NODE. */
uint32_t cluster_node_by_name(const struct cluster_config *config, const char *name);
uint32_t cluster_node_by_host(const struct cluster_config *config, const char *host);

/* Is the node's receiver receiving from `source` as of now: connected, and its position or
 * heartbeat advanced within config->receiving_us; one that reports its connection lost does not.
 * TRI_UNKNOWN when the node's facts are older than that. */
enum tri cluster_node_receives(const struct cluster_view *view, uint32_t node, uint32_t source,
                               int64_t now_mono_us);
/* Nodes that may acknowledge the primary's commits now, from its dump threads and their semi-sync
 * status, outside its zone. Unknown peers make *ret_strangers true. */
uint32_t cluster_ackers_now(const struct cluster_view *view, bool *ret_strangers);
/* MariaDB, semi-sync source on: the primary still serves a connection that the node lost, seen a
 * second after that at the earliest. Measured on 10.11.19: when the node reconnects, the server
 * waits for that one's socket under the lock of its session list (Ack_receiver::remove_slave), so
 * that no client connects and no status is shown until TCP breaks it: 3 s after a cut of 10 s, 23 s
 * after one of 30 s; killed before, not at all. */
bool cluster_stream_stands(const struct cluster_view *view, uint32_t node);
/* The host, as the primary shows it, of a dump thread that belongs to no node; NULL: none. */
const char *cluster_stranger(const struct cluster_view *view);
/* Those that acknowledged when the primary was last asked: also one whose word that it lost its
 * connection after that came before the primary's answer. */
uint32_t cluster_ackers_then(const struct cluster_view *view);
/* As the first, but every node that might acknowledge for all we know, its own zone included: a
 * peer is left out only when its own fresh word is that it does not. */
uint32_t cluster_ackers_possible(const struct cluster_view *view);
/* Did `node` itself write the transactions of `range` (its server id or uuid)? */
bool cluster_range_is_of(const struct cluster_view *view, uint32_t node,
                         const struct gtid_range *range);
/* Did its source refuse to send from its position? MariaDB 10.11 says 1236, MySQL 9.7 13114 with
 * "Got fatal error 1236 from source" (both measured on purged logs). */
bool cluster_is_refused(const struct server_facts *facts);
/* Its source refused it, yet the primary holds all it ever received: was it not attached by
 * us since? The primary may have lost a tail and got it back, or the refusal is of another time. */
bool cluster_may_ask_again(const struct cluster_view *view, uint32_t node);
/* Has it restarted and not been writable since: a MariaDB server in the replica role truncates
 * then what its engine had not flushed, acknowledged or not, so its set no longer is what it
 * acknowledged. A primary found read-only by a controller that never saw it write counts: it may
 * have restarted before. MySQL keeps its log: false. */
bool cluster_may_have_lost_tail(const struct cluster_view *view, uint32_t node);
/* A receiver that somebody started while its source could not be reached: it has not lost the
 * source, its own side ended the connection. Measured on MySQL 9.7.4: "Error connecting to source"
 * then, "Error reconnecting" once it had been connected. */
bool cluster_receiver_is_new(const struct server_facts *facts);
/* The applier stands, and nothing received is left to execute. */
bool cluster_stands_empty(const struct server_facts *facts);
/* Measured on MariaDB 10.11: a receiver started while the applier stands still throws away what was
 * received and not executed, and what it acknowledged with it. By these facts the applier stands,
 * nothing received is left to execute, and the receiver neither receives nor tries to reconnect by
 * itself to a source it lost: somebody may have started it so, and stopped it again. MySQL: false.
 */
bool cluster_may_have_purged(const struct cluster_view *view, const struct server_facts *facts);
/* A node was seen so (stood_mono_us) since the primary was last seen to have a commit acknowledged,
 * or we opened it (opened_mono_us); where neither was seen, ever. An attach since then ends it only
 * once the primary has a commit acknowledged: it may be down, or have lost what the node threw
 * away. A node that stands and shows received rows has not purged them, or has them again. */
bool cluster_has_stood(const struct cluster_view *view, uint32_t node);
/* Its last status answer is at most a probe interval and a deadline old. */
bool cluster_node_fresh(const struct cluster_view *view, uint32_t node, int64_t now_mono_us);
/* An effect of ours on the node was answered at `now`, or may have acted until then. */
void cluster_node_changed(struct cluster_view *view, uint32_t node, int64_t now_mono_us);
/* An effect is sent to a server: see effect.opens. */
void cluster_node_opens(struct cluster_view *view, uint32_t node, int64_t now_mono_us);
/* Were the facts held asked for after the last effect on the node? A switchover takes less time
 * than the pause between two probes: what they show may be from before it. */
bool cluster_facts_stand(const struct cluster_view *view, uint32_t node);
/* Has another server its server_id or server_uuid? What it holds cannot be told from that one. */
bool cluster_is_cloned(const struct cluster_view *view, uint32_t node);
/* By the server's last word: less than 5 % of its fuller disk is free; at least twice that is (a
 * switchover may go there). False where it is not known. */
bool cluster_disk_is_low(const struct cluster_view *view, uint32_t node);
bool cluster_disk_has_room(const struct cluster_view *view, uint32_t node);
bool cluster_same_zone(const struct cluster_config *config, uint32_t a, uint32_t b);
/* Whom `node` replicates from by its own facts, NO_NODE when nobody of the inventory. */
uint32_t cluster_source_of(const struct cluster_view *view, uint32_t node);
/* Has an attempt's end shown that a server is there (login refused is an answer too)? */
bool cluster_reach_is_answer(const struct reach *reach);
/* Clears suspicion when what raised it is over; cluster_observe does it on each answer. */
void cluster_suspicion_settle(struct cluster_view *view, int64_t now_mono_us);

#endif
