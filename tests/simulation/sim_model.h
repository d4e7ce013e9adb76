/* tests/simulation/sim_model.h - what the world is made of: events, transactions, servers, clients,
 * proxies.
 *
 * Layer: tests. See sim.h. */
#ifndef TESTS_SIMULATION_SIM_MODEL_H
#define TESTS_SIMULATION_SIM_MODEL_H
#include "tests/simulation/sim_kinds.h"

struct sim_event {
    int64_t at;
    uint32_t order; /* equal times run in the order they were scheduled */
    uint16_t kind;
    uint16_t a, b, c;
    uint32_t gen, arg;
};

enum tx_kind { TX_CLIENT = 0, TX_CANARY, TX_ERRANT, TX_SCHEMA };
struct sim_tx {
    uint8_t origin, kind, acked_by;
    bool acked, lost;     /* lost: accounted to an earlier failover's declared loss */
    bool promised;        /* acknowledged while lossless was recorded of that server */
    bool by_hand;         /* errant, or written on a server that its own configuration opened */
    bool again;           /* under a number that its server had lost in a restart */
    bool weak;            /* committed without the acks a lossless mode needs */
    bool excused;         /* ... by a change behind our back, in no status answer that the
                             controller had of that server while the loss was still to come */
    uint16_t life;        /* of the process that committed it */
    uint16_t client;
    uint32_t seq;         /* number in the GTID */
    uint32_t epoch;       /* canary: epoch it carries */
    int64_t begun, flushed, acked_at, weak_since;
};

struct sim_waiter {
    uint32_t at;       /* index in the log */
    uint16_t tx;
    uint16_t client;   /* UINT16_MAX: canary, applier or a client that is gone */
    uint32_t op;       /* the client's operation, or effect / canary token */
    bool killed, applier, canary;
};

struct sim_dump { /* source's side of one replica's connection */
    bool open, semisync, pump_pending, ack_stalled;
    uint32_t gen, pos, sent_to, acked, ack_pos;
};

struct sim_server {
    uint32_t index;
    bool up, starting, frozen, silent; /* silent: host gone, packets vanish */
    bool restart_wanted;
    bool stopped_clean; /* its last process ended in order: nothing to recover from */
    uint32_t life; /* rises with each process */
    int64_t boot_at;
    bool read_only, super_ro, offline, disk_stall, too_many, denied;
    bool st_read_only, st_skip, st_ss_source, st_relay_recovery, st_role_replica, st_ss_replica;
    /* binary log and engine */
    uint16_t log[SIM_TX];
    uint32_t log_n;
    uint64_t have[SIM_TX_WORDS], done[SIM_TX_WORDS];
    uint32_t max_have[SIM_SERVERS], max_done[SIM_SERVERS], domain_seq, last_origin;
    uint32_t rest_seq[SIM_SERVERS], told_seq; /* what the controller read of it, cut off from its */
    int64_t rest_at;                          /* source, since when; the primary's of it, read so
                                                 before the primary's present process began */
    uint32_t told_life;                       /* that controller's */
    uint64_t old_commits;                     /* of the process before */
    uint32_t began_origin, began_seq;         /* the newest GTID when its newest binary log began */
    uint32_t canary_epoch;
    int64_t canary_wall;
    /* relay log and what is claimed of it */
    uint16_t relay[SIM_TX];
    uint32_t relay_head, relay_n;
    uint16_t kept[SIM_TX]; /* MariaDB: what a restart found in the relay log, of use by position */
    uint32_t kept_n;
    bool left_by_human; /* --accept-loss went on without a proof about it; not closed since */
    bool relay_meets; /* its relay log holds one that it executed: not thrown away since */
    bool left_alone; /* since its start nobody started, stopped or changed its replication */
    uint32_t claim_first[SIM_SERVERS], claim_last[SIM_SERVERS], claim_origin;
    /* receiver and applier */
    bool configured, receiver_on, connected, ss_active, applier_on, apply_pending, apply_waits;
    bool by_position; /* its next connection acknowledges all before its position as it begins */
    bool receiver_new; /* started, and not connected since */
    bool cannot_reach; /* its last attempt to connect failed; kept when it is stopped */
    uint32_t source, conn_gen, receiver_errno, applier_errno;
    uint64_t heartbeats;
    int64_t last_rx, stuck_until;
    uint32_t apply_us;
    bool operator_started; /* by hand, while we had it frozen */
    int64_t operator_started_at;
    bool frozen_by_us, opened_by_start, cloned, attached_by_us;
    int64_t attached_at; /* our ATTACH changed its source then; it may connect much later */
    int64_t delay_s; /* an operator's delay, as the lag shows it */
    /* semi-sync */
    bool ss_source, ss_status, ss_replica;
    uint64_t ss_timeout_ms;
    uint32_t ss_wait_count;
    uint64_t yes_tx, no_tx, no_times, commits;
    int64_t weak_at; /* when semi-sync last became weaker than lossless; STAY_NEVER: strong */
    bool weak_by_us, ss_toggle_back;
    int64_t alive_at;   /* its process ran and was not frozen then (the last such moment) */
    int64_t mute_at;    /* it could not answer the controller then (the last such moment) */
    int64_t answers_at; /* it could answer the controller then (the last such moment) */
    int64_t unseen_at; /* the controller could not watch it then (the last such moment) */
    int64_t seen_open_at; /* seen_at when the step that opens it was begun last */
    int64_t seen_at;   /* the last status answer that the controller has of it was given then */
    int64_t cloned_at; /* it had another server's id then (the last such moment) */
    int64_t told_at;   /* the last answer with its id that the controller has was given then */
    int64_t hand_at;   /* an operator changed its replica role, or started its receiver, then */
    int64_t held_up_at; /* a plan ran then that had begun before it could be known and closed */
    int64_t unable_at; /* ... or could watch it and was not allowed to act */
    uint32_t excused_n; /* transactions of this process that are excused; 0: none to look for */
    int64_t weak_toggled_at; /* somebody toggled semi-sync and left it on; STAY_NEVER */
    int64_t slow_stop_us; /* kill-connection delay when its source does not answer */
    struct sim_dump dump[SIM_SERVERS];
    struct sim_waiter waiters[SIM_WAITERS];
    uint32_t waiter_n;
    struct sim_waiter stuck[SIM_STUCK]; /* commits that hang in its disk */
    uint32_t stuck_n;
    bool closes; /* an attempt of ours to set read_only waits without a time limit */
    uint64_t epoch_seen; /* highest epoch of an effect it executed */
    uint32_t lost_seq;   /* highest number that a restart of it has truncated; 0: none */
    int64_t errant_at;   /* first errant write on it, STAY_NEVER */
    int64_t killed_at;
    uint64_t copy_epoch; /* of the reseed that last copied to it; 0: none */
    int64_t copy_until;
    uint32_t copy_life; /* the process that began the copy */
    bool disk_low;
    bool drifts; /* somebody set sync_binlog = 0 on it */
    bool is_copied;
};

struct sim_client {
    uint32_t host, proxy; /* proxy SIM_NONE: direct */
    uint32_t server, life; /* session, SIM_NONE: none */
    uint32_t op;
    bool busy;
    int64_t begun, last_ok;
    uint32_t try_next;
    uint32_t ok, fail, unknown, refusals;
};

struct sim_proxy {
    bool up, reachable;
    uint64_t epoch, old_epoch;
    uint32_t target, old_target; /* SIM_NONE: closed */
};

#endif
