/* tests/simulation/calibration.h - scripts of steps with the answers measured on real servers: data
 * that the model runs here (calibration_model.c) and a twin runs on mariadbd and mysqld
 * (tests/scenario/scenario_calibration.c).
 *
 * Servers are called 1 (primary), 2 and 3 (replicas, semi-sync, in other zones than 1). Layer:
 * tests. */
#ifndef TESTS_SIMULATION_CALIBRATION_H
#define TESTS_SIMULATION_CALIBRATION_H
#include "probes/observation.h"

/* STEP(id, what it does to `server`; `arg`) */
#define CALIBRATION_STEPS(X)                                                                       \
    X(END, "end of the script")                                                                    \
    X(WRITE, "a client begins an autocommit insert; arg names the client 0-9")                     \
    X(WAIT_MS, "arg milliseconds pass")                                                            \
    X(STOP_APPLIER, "STOP SLAVE SQL_THREAD")                                                       \
    X(START_APPLIER, "START SLAVE SQL_THREAD")                                                     \
    X(STOP_RECEIVER, "STOP SLAVE IO_THREAD")                                                       \
    X(START_RECEIVER, "START SLAVE IO_THREAD")                                                     \
    X(STOP_BOTH, "STOP SLAVE") X(START_BOTH, "START SLAVE")                                        \
    X(CHANGE_HEARTBEAT, "CHANGE MASTER TO the heartbeat only, threads stopped")                    \
    X(KILL9, "kill -9") X(SIGTERM, "orderly shutdown") X(START, "start again")                     \
    X(SET_SKIP, "start-up value skip_slave_start = arg")                                           \
    X(SET_ROLE_REPLICA, "start-up value init_rpl_role=SLAVE = arg")                                \
    X(SET_RECOVERY, "start-up value relay_log_recovery = arg")                                     \
    X(SET_START_READ_ONLY, "start-up value read_only = arg")                                       \
    X(SS_SOURCE, "semi-sync source role = arg") X(SS_REPLICA, "semi-sync replica variable = arg")  \
    X(KILL_SESSION, "KILL the session of client arg")                                              \
    X(READ_ONLY, "SET GLOBAL read_only (MySQL: super_read_only) = 1")                              \
    X(CLIENT_IS, "client arg: want 0 waiting, 1 OK, 2 connection lost")                            \
    X(UNAPPLIED_ARE, "received and not executed: want")                                            \
    X(ROWS_ARE, "rows executed: want") X(ACKERS_ARE, "semi-sync clients: want")                    \
    X(WAITERS_ARE, "sessions waiting for an ack: want")                                            \
    X(CLAIMS_MORE, "received claims more than executed: want 0/1")                                 \
    X(IS_READ_ONLY, "want 0/1") X(NO_TX_IS, "no-ack counter: want")                                \
    X(NO_TIMES_IS, "times switched off: want") X(SS_STATUS_IS, "source status: want 0/1")

enum calibration_step {
#define X(id, what) CAL_##id,
    CALIBRATION_STEPS(X)
#undef X
    CAL_COUNT
};

struct calibration_line {
    enum calibration_step step;
    uint32_t server; /* 1 .. 3 */
    uint32_t arg;
    uint32_t want;
};

#define CALIBRATION_LINES_MAX 24
struct calibration_script {
    const char *row; /* of the measured table, and what it says */
    enum engine engine;
    struct calibration_line lines[CALIBRATION_LINES_MAX]; /* CAL_END last */
};

const struct calibration_script *calibration_scripts(size_t *ret_count);
const char *calibration_step_what(enum calibration_step step);
/* Runs one script on the model; false: `ret_text` says which line answered what. */
bool calibration_run_model(const struct calibration_script *script, char *ret_text, size_t size);

#endif
