/* tests/simulation/sim.h - one seeded world in virtual time: servers, network, clients, proxies,
 * store and one controller that runs the real decide and executor code unchanged.
 *
 * Deterministic: a seed gives one life, event by event. Layer: tests (links decide and executor
 * only). Call order: sim_new, sim_run for each seed (resets everything), sim_free. Behaviour of the
 * servers follows what was measured on MariaDB 10.11 and MySQL 9.7 (calibration.c lists the rows). */
#ifndef TESTS_SIMULATION_SIM_H
#define TESTS_SIMULATION_SIM_H
#include "base/base.h"

#include "base/mutant.h"
#include "base/random.h"
#include "controller/act/executor.h"

#define SIM_SERVERS 4
#define SIM_CLIENTS 5
#define SIM_PROXIES 2
#define SIM_HOSTS 7 /* servers, then controller, then two application hosts with a proxy each */
#define SIM_HOST_CONTROLLER 4
#define SIM_HOST_APP 5
#define SIM_TX 4096
#define SIM_TX_WORDS (SIM_TX / 64)
#define SIM_WAITERS 48
#define SIM_EVENTS 4096
#define SIM_SAVES 16
#define SIM_EFFECTS 64
#define SIM_FAULTS_PER_LIFE 8
#define SIM_NONE UINT32_MAX

/* FAULT(id, name): what can go wrong. Each seed draws which of them exist and how strong. */
#define SIM_FAULTS(X)                                                                              \
    X(KILL, "kill -9 a server")                                                                    \
    X(SHUTDOWN, "orderly shutdown of a server")                                                    \
    X(FREEZE, "freeze a server")                                                                   \
    X(POWER, "power loss: host silent, process gone")                                              \
    X(CUT_ZONE, "cut a zone off")                                                                  \
    X(CUT_NODE, "cut a server off from everyone")                                                  \
    X(CUT_CONTROLLER, "cut a server off from the controller only")                                 \
    X(CUT_REPLICA, "cut a link between two servers")                                               \
    X(CUT_ONE_WAY, "cut a link in one direction")                                                  \
    X(SLOW_LINK, "slow link")                                                                      \
    X(LOSSY_LINK, "lossy link")                                                                    \
    X(SLOW_APPLIER, "slow applier")                                                                \
    X(STUCK_APPLIER, "applier behind a lock")                                                      \
    X(APPLIER_STOPPED, "operator stops an applier")                                                \
    X(APPLIER_BROKEN, "applier error")                                                             \
    X(ERRANT, "write on a replica with privileges")                                                \
    X(SS_TOGGLE, "semi-sync off and on behind our back")                                           \
    X(SS_OFF, "semi-sync off behind our back")                                                     \
    X(SS_TIMEOUT, "finite semi-sync timeout behind our back")                                      \
    X(WAIT_COUNT, "wait count lowered behind our back (MySQL)")                                    \
    X(OWN_ZONE_ACKS, "own-zone replica still acknowledges")                                        \
    X(START_VALUES, "start-up values wrong")                                                       \
    X(READ_ONLY, "operator sets the primary read-only")                                            \
    X(WRITE_STALL, "writes block, reads work")                                                     \
    X(TOO_MANY, "too many connections")                                                            \
    X(DENIED, "our account is refused")                                                            \
    X(CLONED, "two servers with one server id")                                                    \
    X(REPLICA_STOPPED, "operator stops a receiver")                                                \
    X(UNFREEZE, "operator starts a receiver that we froze")                                        \
    X(CONTROLLER_KILL, "controller killed")                                                        \
    X(CRASH_POINT, "controller killed at a save or effect")                                        \
    X(CONTROLLER_FREEZE, "controller frozen")                                                      \
    X(STORE_DOWN, "store unavailable")                                                             \
    X(STORE_SLOW, "store slow")                                                                    \
    X(STORE_UNKNOWN, "store answers unknown")                                                      \
    X(LANE_STUCK, "SQL commands leave late")                                                       \
    X(EFFECT_FAILS, "a SQL command fails once")                                                    \
    X(PROXY_DOWN, "proxy down")                                                                    \
    X(PROXY_OLD, "proxy restarted with old state")                                                 \
    X(PROXY_CUT, "proxy cannot be reached by the controller")                                      \
    X(OP_PAUSE, "operator pauses and resumes")                                                     \
    X(OP_SWITCHOVER, "operator switches over")                                                     \
    X(OP_FAILOVER, "operator fails over accepting loss")                                           \
    X(OP_MAINTENANCE, "maintenance")                                                               \
    X(OP_UNFENCE, "operator unfences the primary")                                                 \
    X(OP_ABORT, "operator aborts the plan")                                                        \
    X(CLOCK_JUMP, "wall clock jump")                                                               \
    X(AIMED, "a fault aimed at a step of the plan")

enum sim_fault {
#define X(id, text) FAULT_##id,
    SIM_FAULTS(X)
#undef X
    FAULT_COUNT
};

#define SIM_INVARIANTS(X)                                                                          \
    X(NONE, "none") X(S1, "S1 single writer") X(S2, "S2 no acknowledged loss")                     \
    X(S3, "S3 loss within the certificate") X(S4, "S4 epochs only rise")                           \
    X(S5, "S5 one plan per cluster") X(S6, "S6 writable after a stored intent")                    \
    X(S7, "S7 no diverged server attached or promoted") X(S8, "S8 proof before promotion")         \
    X(S9, "S9 the store claims no more than the server runs")                                      \
    X(S14, "S14 trouble of ours alone stops no healthy primary")                                   \
    X(L2, "L2 a plain failure is failed over") X(L3, "L3 converges after heal") X(L5, "L5 no plan stuck past its deadline")                   \
    X(MODEL, "the model contradicts itself")
enum sim_invariant {
#define X(id, text) INV_##id,
    SIM_INVARIANTS(X)
#undef X
    INV_COUNT
};

enum sim_layout { LAYOUT_PAIR = 0, LAYOUT_WITNESS, LAYOUT_TWO, LAYOUT_OWN_ZONE, LAYOUT_FOUR,
                  LAYOUT_COUNT };

enum sim_event_kind {
    EV_NONE = 0, EV_CLIENT, EV_WRITE, EV_REPLY, EV_CLIENT_TIMEOUT, EV_PUMP, EV_ACK, EV_HEARTBEAT,
    EV_DUMP_END, EV_RECEIVER_EOF, EV_RECONNECT, EV_APPLY, EV_START, EV_SS_TIMEOUT, EV_PROBE,
    EV_PROBE_ARRIVE, EV_PROBE_ANSWER, EV_SESSION_END, EV_CANARY, EV_CANARY_ANSWER, EV_EFFECT,
    EV_EFFECT_ANSWER, EV_EFFECT_DEADLINE, EV_SAVE, EV_SAVED, EV_TICK, EV_CONTROLLER_START, EV_FAULT,
    EV_FAULT_END, EV_OPERATOR, EV_ADOPT, EV_HEAL, EV_JUDGE, EV_COUNT
};

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
    bool weak;            /* committed without the acks a lossless mode needs */
    bool excused;         /* ... by a change behind our back that nobody could have seen yet */
    uint16_t client;
    uint32_t seq;         /* number in the GTID */
    uint32_t epoch;       /* canary: epoch it carries */
    int64_t begun, flushed, acked_at;
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
    uint32_t life; /* rises with each process */
    int64_t boot_at;
    bool read_only, super_ro, offline, disk_stall, too_many, denied;
    bool st_read_only, st_skip, st_ss_source, st_relay_recovery, st_role_replica, st_ss_replica;
    /* binary log and engine */
    uint16_t log[SIM_TX];
    uint32_t log_n;
    uint64_t have[SIM_TX_WORDS], done[SIM_TX_WORDS];
    uint32_t max_have[SIM_SERVERS], max_done[SIM_SERVERS], domain_seq, last_origin;
    uint32_t canary_epoch;
    int64_t canary_wall;
    /* relay log and what is claimed of it */
    uint16_t relay[SIM_TX];
    uint32_t relay_head, relay_n;
    uint32_t claim_first[SIM_SERVERS], claim_last[SIM_SERVERS], claim_origin;
    /* receiver and applier */
    bool configured, receiver_on, connected, ss_active, applier_on, apply_pending, apply_waits;
    uint32_t source, conn_gen, receiver_errno, applier_errno;
    uint64_t heartbeats;
    int64_t last_rx, stuck_until;
    uint32_t apply_us;
    bool operator_started; /* by hand, while we had it frozen */
    int64_t operator_started_at;
    bool frozen_by_us, opened_by_start, cloned, attached_by_us;
    int64_t delay_s; /* an operator's delay, as the lag shows it */
    /* semi-sync */
    bool ss_source, ss_status, ss_replica;
    uint64_t ss_timeout_ms;
    uint32_t ss_wait_count;
    uint64_t yes_tx, no_tx, no_times;
    int64_t weak_at; /* when semi-sync last became weaker than lossless; STAY_NEVER: strong */
    bool weak_by_us, ss_toggle_back;
    int64_t unseen_at; /* the controller could not watch it then (the last such moment) */
    int64_t weak_toggled_at; /* somebody toggled semi-sync and left it on; STAY_NEVER */
    int64_t slow_stop_us; /* kill-connection delay when its source does not answer */
    struct sim_dump dump[SIM_SERVERS];
    struct sim_waiter waiters[SIM_WAITERS];
    uint32_t waiter_n;
    uint64_t epoch_seen; /* highest epoch of an effect it executed */
    int64_t errant_at;   /* first errant write on it, STAY_NEVER */
    int64_t killed_at;
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

struct sim_save {
    bool used;
    uint64_t token, expect;
    uint32_t life;
    bool has_record, has_run, watch;
    struct cluster_record record;
    struct plan_run *run;
    enum stay_rc rc;
    uint64_t version;
};

struct sim_store {
    bool down;
    int64_t slow_us;
    uint32_t unknown_ppm;
    struct cluster_record record;
    struct plan_run *run; /* journal: last stored run; kind NONE if none yet */
    bool has_run;
    uint64_t epoch_max;
    int64_t saved_at; /* last durable compare of a plan */
    uint64_t switch_from, switch_to; /* versions around the last operators' switches */
    uint32_t switch_life;
};

struct sim_effect {
    bool used, answered, sent, has_want, own; /* own: fetches its own lost transactions */
    uint64_t token;
    uint32_t life;     /* controller's */
    uint32_t gen;
    struct effect effect;
    struct gtid_set want;
    uint32_t phase, server_life, canary_tx;
    int64_t started, phase_at, left_at; /* left_at: the lane sent it; 0 not yet */
    enum outcome outcome;
    bool lost_source, read;
    uint32_t strangers;
    char text[80];
    struct server_facts *facts;
};

struct sim_probe {
    bool flying;
    uint32_t gen, life;
    int64_t begun, next_slow, next_at;
    bool held; /* a session is held to it */
    uint32_t held_life;
    struct observation obs;
    struct server_facts facts;
};

struct sim_controller {
    bool up, frozen, ready, dying; /* dying: killed inside one of its own calls */
    uint32_t life;
    int64_t started_at, frozen_at, tick_at, last_tick, busy_since, canary_begun;
    struct cluster_view *view;
    struct executor *exec;
    struct sim_probe probes[SIM_SERVERS];
    struct fleet fleet;
    struct decision *decision;
    bool save_flying;
    uint32_t canary_gen;
    bool canary_flying;
    uint32_t last_refused; /* virtual seconds of the last refused start, to rate limit */
    int64_t refused_at;
    char refused[160];
    uint16_t refused_rule;
    bool was_busy;
};

/* What one seed drew. */
struct sim_setup {
    uint64_t seed;
    enum engine engine;
    enum sim_layout layout;
    uint32_t servers;
    uint64_t faults; /* mask of enum sim_fault: what exists in this life */
    int64_t fault_until, heal_until;
    uint32_t lane_ppm, fail_ppm;
    bool mode_bounded, adopt_first;
    enum step_kind aim_step;
    uint32_t aim_what;
    bool aim_used;
    uint32_t crash_at, crash_seen;
    uint32_t crash_side;
    enum step_kind crash_step;
    bool plain; /* one kill -9 of a healthy lossless primary and nothing else */
    bool script_shutdown, script_top_up, script_degrade; /* what few lives would come to by chance */
    bool quiet; /* only trouble of ours: a healthy primary must keep serving (S14) */
};

struct sim_fault_run {
    enum sim_fault fault;
    uint32_t x, y;
    bool placed; /* x and y are set already */
    int64_t begun, until;
    bool active;
};

struct sim_stats {
    uint64_t scenarios, events, acked, unknown, failed, failovers, plans, lossless, bounded;
    uint64_t lost_declared, human_ends, converged;
    uint64_t rule[700];
    uint64_t fault[FAULT_COUNT];
    uint64_t plan[PLAN_KIND_COUNT], plan_done[PLAN_KIND_COUNT], plan_undone[PLAN_KIND_COUNT],
        plan_asks[PLAN_KIND_COUNT];
    uint64_t step[STEP_KIND_COUNT];
    uint64_t crash[STEP_KIND_COUNT][2]; /* before, after the effect or save */
    uint64_t layout[ENGINE_COUNT][LAYOUT_COUNT];
    uint64_t guard[GUARD_COUNT];
    uint64_t received_not_executed, waiter_at_loss; /* so that a run proves something */
    uint64_t violations[INV_COUNT];
};

struct sim {
    struct sim_setup setup;
    struct cluster_config config;
    struct random random;
    int64_t now, wall_offset;
    uint32_t order, event_n;
    struct sim_event events[SIM_EVENTS];
    struct sim_tx tx[SIM_TX];
    uint32_t tx_n;
    struct sim_server server[SIM_SERVERS];
    struct sim_client client[SIM_CLIENTS];
    struct sim_proxy proxy[SIM_PROXIES];
    uint8_t block[SIM_HOSTS][SIM_HOSTS];
    uint32_t slow_us[SIM_HOSTS][SIM_HOSTS], loss_ppm[SIM_HOSTS][SIM_HOSTS];
    char zone[SIM_HOSTS][8];
    struct sim_store store;
    struct sim_controller controller;
    struct sim_save save[SIM_SAVES];
    struct sim_effect effect[SIM_EFFECTS];
    uint32_t effect_gen;
    struct sim_fault_run fault[SIM_FAULTS_PER_LIFE * 3];
    uint32_t fault_n;
    bool healed, stopped;
    int64_t healed_at;
    /* checker */
    uint32_t line;          /* server whose log is the surviving line, by writable effects */
    uint64_t line_epoch;
    int64_t line_first_ack, line_at, line_rebased;
    enum certificate_kind line_cert;
    uint32_t loss_declared_max;
    uint32_t line_lost;
    bool line_fenced, line_overridden, line_unproven; /* a human's override; bounded mode without a proof */
    char human[240];
    uint16_t replica_rule[SIM_SERVERS]; /* last traced */
    uint32_t plans; /* begun in this life */
    int64_t human_since; /* a human has been waited for without a break; STAY_NEVER: not */
    int64_t undone_at; /* a failover or switchover was undone or asked, after heal */
    enum sim_invariant violation;
    char violation_text[400];
    uint64_t trace_hash;
    bool trace, calibrates; /* calibrates: clients write once, when told */
    unsigned mutant;
    struct sim_stats *stats;
};

/* sim_event.c: the heap, time, random draws */
void sim_at(struct sim *s, int64_t at, enum sim_event_kind kind, uint32_t a, uint32_t b,
            uint32_t gen, uint32_t arg);
bool sim_next(struct sim *s, struct sim_event *ret_event);
void sim_trace(struct sim *s, const char *fmt, ...) STAY_PRINTF(2, 3);
void sim_violate(struct sim *s, enum sim_invariant inv, const char *fmt, ...) STAY_PRINTF(3, 4);
uint32_t sim_draw(struct sim *s, uint32_t bound);
bool sim_percent(struct sim *s, uint32_t percent);
int64_t sim_span(struct sim *s, int64_t low, int64_t high);
const char *sim_fault_text(enum sim_fault fault);
const char *sim_invariant_text(enum sim_invariant inv);
const char *sim_layout_text(enum sim_layout layout);

/* sim_net.c: links between hosts */
bool net_ok(const struct sim *s, uint32_t from, uint32_t to);
bool net_both(const struct sim *s, uint32_t a, uint32_t b);
int64_t net_delay(struct sim *s, uint32_t from, uint32_t to);
void net_block(struct sim *s, uint32_t from, uint32_t to, int step);
void net_block_zone(struct sim *s, const char *zone, int step);
void net_healed(struct sim *s); /* after any unblock: stalled streams go on */

/* sim_server.c: process, log, semi-sync */
static inline bool bit_get(const uint64_t *bits, uint32_t i)
{
    return (bits[i / 64] >> (i % 64)) & 1;
}
static inline void bit_set(uint64_t *bits, uint32_t i)
{
    bits[i / 64] |= UINT64_C(1) << (i % 64);
}
bool server_alive(const struct sim_server *v); /* runs and is not frozen */
uint32_t tx_new(struct sim *s, uint32_t origin, enum tx_kind kind, uint32_t client, int64_t begun);
/* Flushes tx to the binary log; waits for acks when semi-sync is on. Returns true when committed at
 * once. `op` names who waits. */
bool server_flush(struct sim *s, struct sim_server *v, uint32_t tx, const struct sim_waiter *who);
void server_acks(struct sim *s, struct sim_server *v);
void server_ss_set(struct sim *s, struct sim_server *v, bool on, bool by_us);
void server_ss_weakened(struct sim *s, struct sim_server *v, bool by_us);
void server_kill(struct sim *s, struct sim_server *v, bool orderly, bool silent);
void server_start(struct sim *s, struct sim_server *v);
void server_freeze(struct sim *s, struct sim_server *v);
void server_thaw(struct sim *s, struct sim_server *v);
uint32_t server_kill_clients(struct sim *s, struct sim_server *v);
uint32_t server_sessions(const struct sim *s, const struct sim_server *v);
bool server_write_blocked(const struct sim_server *v);
void server_release_waiters(struct sim *s, struct sim_server *v, bool with_ok);
uint32_t server_able_acks(const struct sim *s, const struct sim_server *v);

/* sim_replica.c: receiver, applier, relay log */
void replica_stop_receiver(struct sim *s, struct sim_server *v);
void replica_start_receiver(struct sim *s, struct sim_server *v);
void replica_start_applier(struct sim *s, struct sim_server *v);
void replica_stop_applier(struct sim *s, struct sim_server *v);
void replica_change(struct sim *s, struct sim_server *v, uint32_t source); /* SIM_NONE: reset all */
void replica_purge_relay(struct sim *s, struct sim_server *v, bool lie);
void replica_pump(struct sim *s, struct sim_server *source, uint32_t rep);
void replica_apply_kick(struct sim *s, struct sim_server *v);
bool replica_event(struct sim *s, const struct sim_event *e);
bool replica_holds_all(const struct sim_server *outer, const struct sim_server *inner);

/* sim_client.c */
void client_start(struct sim *s);
bool client_event(struct sim *s, const struct sim_event *e);
void client_reply(struct sim *s, uint32_t client, uint32_t op, uint32_t server, uint32_t tx,
                  enum obs_outcome outcome);
void client_session_lost(struct sim *s, uint32_t client, uint32_t server);

/* sim_facts.c, sim_probe.c */
void facts_read(const struct sim *s, const struct sim_server *v, struct server_facts *facts,
                unsigned groups);
void facts_set_executed(const struct sim *s, const struct sim_server *v, struct gtid_set *set);
void facts_set_received(const struct sim *s, const struct sim_server *v, struct gtid_set *set);
bool probe_event(struct sim *s, const struct sim_event *e);
void probe_start(struct sim *s);
void probe_session_lost(struct sim *s, uint32_t server);

/* sim_effect.c, sim_sql.c */
void effect_start(void *ctx, uint64_t token, const struct effect *effect);
bool effect_event(struct sim *s, const struct sim_event *e);
void effect_canary_done(struct sim *s, uint32_t slot_gen);
enum sql_progress { SQL_AGAIN = 0, SQL_DONE, SQL_FAILED };
enum sql_progress sql_step(struct sim *s, struct sim_effect *x, struct sim_server *v);
void route_step(struct sim *s, struct sim_effect *x);

/* sim_controller.c, sim_store.c */
void controller_start(struct sim *s);
void controller_kill(struct sim *s);
void controller_freeze(struct sim *s, int64_t for_us);
void controller_turn(struct sim *s);
bool controller_event(struct sim *s, const struct sim_event *e);
bool controller_runs(const struct sim *s);
enum stay_rc controller_order(struct sim *s, enum plan_kind kind, const struct plan_params *params);
void store_save(void *ctx, uint64_t token, const struct plan_run *run,
                const struct cluster_record *record, uint64_t expect);
void store_put_record(struct sim *s, const struct cluster_record *record, uint64_t expect);
bool store_event(struct sim *s, const struct sim_event *e);
void store_operator(struct sim *s, void (*change)(struct sim *s, struct cluster_record *record));
/* An operator's order, guards asked first as the daemon does. */
void fault_order(struct sim *s, enum plan_kind kind, bool accept_loss);
void fault_release(struct sim *s); /* an operator ends pause, maintenance and cooldown */
void run_copy(struct plan_run *dst, const struct plan_run *src);
/* True when the controller dies at this boundary of a step (side 0 before, 1 after). */
bool crash_here(struct sim *s, enum step_kind step, uint32_t side);

/* sim_fault.c */
void fault_plan(struct sim *s);
bool fault_event(struct sim *s, const struct sim_event *e);
void fault_heal(struct sim *s);
void fault_aim(struct sim *s, const struct plan_run *run, uint32_t row);

/* sim_check.c */
void check_ack(struct sim *s, uint32_t tx, uint32_t server);
/* left_at: when the lane sent it; what a frozen server or a cut link kept may come much later. */
void check_writable(struct sim *s, struct sim_server *v, const struct effect *effect, int64_t left_at);
void check_commit(struct sim *s, uint32_t tx, const struct sim_server *v);
void check_attach(struct sim *s, struct sim_server *v, uint32_t source, const char *why);
void check_effect(struct sim *s, const struct effect *effect, struct sim_server *v);
void check_left(struct sim *s, const struct effect *effect); /* a change leaves the controller */
void check_saved(struct sim *s, const struct plan_run *run, const struct cluster_record *record);
void check_event(struct sim *s);
void check_end(struct sim *s);
bool check_converged(struct sim *s, char *why, size_t size);

/* sim_world.c */
struct sim *sim_new(struct sim_stats *stats);
void sim_free(struct sim *s);
/* Lives one seed; returns the invariant it violated, INV_NONE if none. */
enum sim_invariant sim_run(struct sim *s, uint64_t seed);
/* An empty world for calibration and unit tests: `servers` of `engine`, replicas attached to 0. */
void sim_reset(struct sim *s, uint64_t seed);
void sim_build(struct sim *s, enum engine engine, enum sim_layout layout);
void sim_handle(struct sim *s, const struct sim_event *e);
void sim_until(struct sim *s, int64_t at); /* handles every event up to `at` */

#endif
