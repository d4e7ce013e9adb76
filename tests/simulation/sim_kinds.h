/* tests/simulation/sim_kinds.h - the simulated world's sizes and kinds: faults, invariants,
 * layouts, events.
 *
 * Layer: tests. See sim.h. */
#ifndef TESTS_SIMULATION_SIM_KINDS_H
#define TESTS_SIMULATION_SIM_KINDS_H
#include "base/base.h"

#define SIM_SERVERS 4
#define SIM_CLIENTS 5
#define SIM_PROXIES 2
#define SIM_HOSTS 7 /* servers, then controller, then two application hosts with a proxy each */
#define SIM_HOST_CONTROLLER 4
#define SIM_HOST_APP 5
#define SIM_WAITERS 48
#define SIM_STUCK   8
#ifndef SIM_TX /* tests/search makes do with less of these four */
#define SIM_TX 4096
#define SIM_EVENTS 4096
#define SIM_SAVES 16
#define SIM_EFFECTS 64
#endif
#define SIM_TX_WORDS (SIM_TX / 64)
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
    X(MODEL, "the model contradicts itself")                                                       \
    X(R1, "R1 a recorded decision is judged the same again")
enum sim_invariant {
#define X(id, text) INV_##id,
    SIM_INVARIANTS(X)
#undef X
    INV_COUNT
};

/* SCRIPT(id, engine, layout): sequences that few lives would come to by chance, one life each, with
 * no other fault. ENGINE_COUNT, LAYOUT_COUNT: as drawn. */
#define SIM_SCRIPTS(X)                                                                             \
    X(NONE, ENGINE_COUNT, LAYOUT_COUNT)                                                            \
    X(RESTART_IN_PLAN, ENGINE_COUNT, LAYOUT_COUNT)                                                 \
    X(RESTART_BEFORE, ENGINE_COUNT, LAYOUT_PAIR)                                                   \
    X(LEFT_ACKER, ENGINE_COUNT, LAYOUT_WITNESS)                                                    \
    X(TOGGLE, ENGINE_COUNT, LAYOUT_COUNT)                                                          \
    X(NUMBERS_AGAIN, ENGINE_MARIADB, LAYOUT_OWN_ZONE)                                              \
    X(UNFROZEN, ENGINE_COUNT, LAYOUT_TWO)                                                          \
    X(PURGED, ENGINE_MARIADB, LAYOUT_COUNT)                                                        \
    X(TURN_BACK, ENGINE_COUNT, LAYOUT_COUNT)                                                       \
    X(LOST_WORD, ENGINE_COUNT, LAYOUT_TWO)                                                         \
    X(STORELESS, ENGINE_COUNT, LAYOUT_COUNT)                                                       \
    X(STALL, ENGINE_COUNT, LAYOUT_COUNT)
enum sim_script {
#define X(id, engine, layout) SCRIPT_##id,
    SIM_SCRIPTS(X)
#undef X
    SCRIPT_COUNT
};

enum sim_layout { LAYOUT_PAIR = 0, LAYOUT_WITNESS, LAYOUT_TWO, LAYOUT_OWN_ZONE, LAYOUT_FOUR,
                  LAYOUT_COUNT };

enum sim_event_kind {
    EV_NONE = 0, EV_CLIENT, EV_WRITE, EV_REPLY, EV_CLIENT_TIMEOUT, EV_PUMP, EV_ACK, EV_HEARTBEAT,
    EV_DUMP_END, EV_RECEIVER_EOF, EV_RECONNECT, EV_APPLY, EV_START, EV_SS_TIMEOUT, EV_PROBE,
    EV_PROBE_ARRIVE, EV_PROBE_ANSWER, EV_SESSION_END, EV_CANARY, EV_CANARY_ANSWER, EV_EFFECT,
    EV_EFFECT_ANSWER, EV_EFFECT_DEADLINE, EV_SAVE, EV_SAVED, EV_TICK, EV_CONTROLLER_START, EV_FAULT,
    EV_FAULT_END, EV_OPERATOR, EV_ADOPT, EV_HEAL, EV_JUDGE, EV_RESEED, EV_CONFORM, EV_LOWERED,
    EV_ROLES_OFF, EV_EVACUATE, EV_SCHEDULE,
    EV_STAGE, EV_REWIND, EV_COUNT
};

#endif
