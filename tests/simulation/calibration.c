/* The measured rows as scripts of steps. Each answer here was measured on MariaDB 10.11 or MySQL
 * 9.7 (semi-sync AFTER_SYNC, infinite timeout); the model must give the same. */
#include "tests/simulation/calibration.h"

/* clang-format off */
static const struct calibration_script scripts[] = {
    {"1 MariaDB: STOP SLAVE; START SLAVE with rows unapplied purges, they come again from the "
     "source",
     ENGINE_MARIADB, {
        {CAL_STOP_APPLIER, 2, 0, 0}, {CAL_WRITE, 1, 0, 0}, {CAL_WAIT_MS, 0, 50, 0},
        {CAL_CLIENT_IS, 1, 0, 1}, {CAL_UNAPPLIED_ARE, 2, 0, 1}, {CAL_STOP_BOTH, 2, 0, 0},
        {CAL_KILL9, 1, 0, 0}, {CAL_WAIT_MS, 0, 50, 0}, {CAL_START_BOTH, 2, 0, 0},
        {CAL_WAIT_MS, 0, 100, 0}, {CAL_UNAPPLIED_ARE, 2, 0, 0}, {CAL_ROWS_ARE, 2, 0, 0},
        {CAL_CLAIMS_MORE, 2, 0, 0}}},
    {"1 MariaDB: only the SQL thread started with both stopped purges", ENGINE_MARIADB, {
        {CAL_STOP_APPLIER, 2, 0, 0}, {CAL_WRITE, 1, 0, 0}, {CAL_WAIT_MS, 0, 50, 0},
        {CAL_STOP_RECEIVER, 2, 0, 0}, {CAL_START_APPLIER, 2, 0, 0}, {CAL_WAIT_MS, 0, 100, 0},
        {CAL_ROWS_ARE, 2, 0, 0}, {CAL_UNAPPLIED_ARE, 2, 0, 0}, {CAL_CLAIMS_MORE, 2, 0, 0}}},
    {"1 MySQL: the same is kept", ENGINE_MYSQL, {
        {CAL_STOP_APPLIER, 2, 0, 0}, {CAL_WRITE, 1, 0, 0}, {CAL_WAIT_MS, 0, 50, 0},
        {CAL_STOP_RECEIVER, 2, 0, 0}, {CAL_START_APPLIER, 2, 0, 0}, {CAL_WAIT_MS, 0, 100, 0},
        {CAL_ROWS_ARE, 2, 0, 1}}},
    {"2 MariaDB: restart with rows unapplied purges even with skip-slave-start", ENGINE_MARIADB, {
        {CAL_STOP_APPLIER, 2, 0, 0}, {CAL_WRITE, 1, 0, 0}, {CAL_WAIT_MS, 0, 50, 0},
        {CAL_UNAPPLIED_ARE, 2, 0, 1}, {CAL_SET_SKIP, 2, 1, 0}, {CAL_KILL9, 2, 0, 0},
        {CAL_START, 2, 0, 0}, {CAL_START_APPLIER, 2, 0, 0}, {CAL_WAIT_MS, 0, 100, 0},
        {CAL_ROWS_ARE, 2, 0, 0}}},
    {"2 MySQL: restart keeps it with relay_log_recovery=OFF", ENGINE_MYSQL, {
        {CAL_STOP_APPLIER, 2, 0, 0}, {CAL_WRITE, 1, 0, 0}, {CAL_WAIT_MS, 0, 50, 0},
        {CAL_SET_SKIP, 2, 1, 0}, {CAL_KILL9, 2, 0, 0}, {CAL_START, 2, 0, 0},
        {CAL_START_APPLIER, 2, 0, 0}, {CAL_WAIT_MS, 0, 100, 0}, {CAL_ROWS_ARE, 2, 0, 1}}},
    {"2 MySQL: and purges it with relay_log_recovery=ON", ENGINE_MYSQL, {
        {CAL_STOP_APPLIER, 2, 0, 0}, {CAL_WRITE, 1, 0, 0}, {CAL_WAIT_MS, 0, 50, 0},
        {CAL_SET_SKIP, 2, 1, 0}, {CAL_SET_RECOVERY, 2, 1, 0}, {CAL_KILL9, 2, 0, 0},
        {CAL_START, 2, 0, 0}, {CAL_START_APPLIER, 2, 0, 0}, {CAL_WAIT_MS, 0, 100, 0},
        {CAL_ROWS_ARE, 2, 0, 0}}},
    {"3 MariaDB: CHANGE MASTER, heartbeat only, purges and the position goes on claiming it",
     ENGINE_MARIADB, {
        {CAL_STOP_APPLIER, 2, 0, 0}, {CAL_WRITE, 1, 0, 0}, {CAL_WAIT_MS, 0, 50, 0},
        {CAL_STOP_RECEIVER, 2, 0, 0}, {CAL_CHANGE_HEARTBEAT, 2, 0, 0}, {CAL_CLAIMS_MORE, 2, 0, 1},
        {CAL_UNAPPLIED_ARE, 2, 0, 0}}},
    {"3 MySQL: CHANGE with both threads stopped purges", ENGINE_MYSQL, {
        {CAL_STOP_APPLIER, 2, 0, 0}, {CAL_WRITE, 1, 0, 0}, {CAL_WAIT_MS, 0, 50, 0},
        {CAL_STOP_RECEIVER, 2, 0, 0}, {CAL_CHANGE_HEARTBEAT, 2, 0, 0},
        {CAL_UNAPPLIED_ARE, 2, 0, 0}}},
    {"4 receiver stopped with the applier running: everything drains (MariaDB)", ENGINE_MARIADB, {
        {CAL_WRITE, 1, 0, 0}, {CAL_WAIT_MS, 0, 5, 0}, {CAL_STOP_RECEIVER, 2, 0, 0},
        {CAL_WAIT_MS, 0, 100, 0}, {CAL_ROWS_ARE, 2, 0, 1}, {CAL_UNAPPLIED_ARE, 2, 0, 0}}},
    {"4 receiver stopped with the applier running: everything drains (MySQL)", ENGINE_MYSQL, {
        {CAL_WRITE, 1, 0, 0}, {CAL_WAIT_MS, 0, 5, 0}, {CAL_STOP_RECEIVER, 2, 0, 0},
        {CAL_WAIT_MS, 0, 100, 0}, {CAL_ROWS_ARE, 2, 0, 1}, {CAL_UNAPPLIED_ARE, 2, 0, 0}}},
    {"5 MariaDB: SIGTERM of a primary whose waiter has no acker: error 2013", ENGINE_MARIADB, {
        {CAL_STOP_RECEIVER, 2, 0, 0}, {CAL_STOP_RECEIVER, 3, 0, 0}, {CAL_WAIT_MS, 0, 50, 0},
        {CAL_WRITE, 1, 0, 0}, {CAL_WAIT_MS, 0, 50, 0}, {CAL_CLIENT_IS, 1, 0, 0},
        {CAL_SIGTERM, 1, 0, 0}, {CAL_WAIT_MS, 0, 50, 0}, {CAL_CLIENT_IS, 1, 0, 2}}},
    {"5 MariaDB: and its row stays, with init_rpl_role=SLAVE too", ENGINE_MARIADB, {
        {CAL_STOP_RECEIVER, 2, 0, 0}, {CAL_STOP_RECEIVER, 3, 0, 0}, {CAL_WAIT_MS, 0, 50, 0},
        {CAL_WRITE, 1, 0, 0}, {CAL_WAIT_MS, 0, 50, 0}, {CAL_CLIENT_IS, 1, 0, 0},
        {CAL_SET_ROLE_REPLICA, 1, 1, 0}, {CAL_SIGTERM, 1, 0, 0}, {CAL_WAIT_MS, 0, 50, 0},
        {CAL_START, 1, 0, 0}, {CAL_ROWS_ARE, 1, 0, 1}}},
    {"5 MySQL: the same answers OK", ENGINE_MYSQL, {
        {CAL_STOP_RECEIVER, 2, 0, 0}, {CAL_STOP_RECEIVER, 3, 0, 0}, {CAL_WAIT_MS, 0, 50, 0},
        {CAL_WRITE, 1, 0, 0}, {CAL_WAIT_MS, 0, 50, 0}, {CAL_CLIENT_IS, 1, 0, 0},
        {CAL_SIGTERM, 1, 0, 0}, {CAL_WAIT_MS, 0, 50, 0}, {CAL_CLIENT_IS, 1, 0, 1}}},
    {"6 a frozen replica restarted without skip-slave-start acknowledges the waiter (MariaDB)",
     ENGINE_MARIADB, {
        {CAL_STOP_RECEIVER, 2, 0, 0}, {CAL_STOP_RECEIVER, 3, 0, 0}, {CAL_WAIT_MS, 0, 50, 0},
        {CAL_WRITE, 1, 0, 0}, {CAL_WAIT_MS, 0, 50, 0}, {CAL_CLIENT_IS, 1, 0, 0},
        {CAL_SET_SKIP, 2, 0, 0}, {CAL_KILL9, 2, 0, 0}, {CAL_START, 2, 0, 0},
        {CAL_WAIT_MS, 0, 200, 0}, {CAL_CLIENT_IS, 1, 0, 1}}},
    {"6 the same on MySQL", ENGINE_MYSQL, {
        {CAL_STOP_RECEIVER, 2, 0, 0}, {CAL_STOP_RECEIVER, 3, 0, 0}, {CAL_WAIT_MS, 0, 50, 0},
        {CAL_WRITE, 1, 0, 0}, {CAL_WAIT_MS, 0, 50, 0}, {CAL_CLIENT_IS, 1, 0, 0},
        {CAL_SET_SKIP, 2, 0, 0}, {CAL_KILL9, 2, 0, 0}, {CAL_START, 2, 0, 0},
        {CAL_WAIT_MS, 0, 200, 0}, {CAL_CLIENT_IS, 1, 0, 1}}},
    {"7 a primary with semi-sync set at run time comes back writable and acknowledges alone",
     ENGINE_MARIADB, {
        {CAL_SET_START_READ_ONLY, 1, 0, 0}, {CAL_SET_ROLE_REPLICA, 1, 0, 0}, {CAL_KILL9, 1, 0, 0},
        {CAL_START, 1, 0, 0}, {CAL_IS_READ_ONLY, 1, 0, 0}, {CAL_STOP_RECEIVER, 2, 0, 0},
        {CAL_STOP_RECEIVER, 3, 0, 0}, {CAL_WRITE, 1, 0, 0}, {CAL_WAIT_MS, 0, 50, 0},
        {CAL_CLIENT_IS, 1, 0, 1}}},
    {"8 source role on a replica: its applier waits for its own ackers", ENGINE_MARIADB, {
        /* One write: of two, parallel appliers bring both into the binary log, the model one. */
        {CAL_SS_SOURCE, 2, 1, 0}, {CAL_WRITE, 1, 0, 0}, {CAL_WAIT_MS, 0, 100, 0},
        {CAL_WAITERS_ARE, 2, 0, 1}, {CAL_UNAPPLIED_ARE, 2, 0, 0}}},
    {"9 semi-sync on and no acker: the first write blocks", ENGINE_MYSQL, {
        {CAL_STOP_RECEIVER, 2, 0, 0}, {CAL_STOP_RECEIVER, 3, 0, 0}, {CAL_WAIT_MS, 0, 50, 0},
        {CAL_ACKERS_ARE, 1, 0, 0}, {CAL_WRITE, 1, 0, 0}, {CAL_WAIT_MS, 0, 500, 0},
        {CAL_CLIENT_IS, 1, 0, 0}, {CAL_WAITERS_ARE, 1, 0, 1}}},
    {"10 off and on again around an insert: status ON, no-ack counter 0, only the times moved",
     ENGINE_MARIADB, {
        {CAL_SS_SOURCE, 1, 0, 0}, {CAL_WRITE, 1, 0, 0}, {CAL_WAIT_MS, 0, 50, 0},
        {CAL_CLIENT_IS, 1, 0, 1}, {CAL_SS_SOURCE, 1, 1, 0}, {CAL_SS_STATUS_IS, 1, 0, 1},
        {CAL_NO_TX_IS, 1, 0, 0}, {CAL_NO_TIMES_IS, 1, 0, 1}}},
    {"11 replica variable off, receiver not restarted: still acknowledges", ENGINE_MARIADB, {
        {CAL_STOP_RECEIVER, 3, 0, 0}, {CAL_SS_REPLICA, 2, 0, 0}, {CAL_WAIT_MS, 0, 50, 0},
        {CAL_WRITE, 1, 0, 0}, {CAL_WAIT_MS, 0, 50, 0}, {CAL_CLIENT_IS, 1, 0, 1}}},
    {"12 MariaDB: a killed waiter leaves, read-only takes", ENGINE_MARIADB, {
        {CAL_STOP_RECEIVER, 2, 0, 0}, {CAL_STOP_RECEIVER, 3, 0, 0}, {CAL_WAIT_MS, 0, 50, 0},
        {CAL_WRITE, 1, 0, 0}, {CAL_WAIT_MS, 0, 50, 0}, {CAL_READ_ONLY, 1, 0, 0},
        {CAL_IS_READ_ONLY, 1, 0, 0}, {CAL_KILL_SESSION, 1, 0, 0}, {CAL_WAIT_MS, 0, 50, 0},
        {CAL_CLIENT_IS, 1, 0, 2}, {CAL_WAITERS_ARE, 1, 0, 0}, {CAL_READ_ONLY, 1, 0, 0},
        {CAL_IS_READ_ONLY, 1, 0, 1}, {CAL_ROWS_ARE, 1, 0, 1}}},
    {"12 MySQL: a killed waiter stays, super_read_only fails behind it", ENGINE_MYSQL, {
        {CAL_STOP_RECEIVER, 2, 0, 0}, {CAL_STOP_RECEIVER, 3, 0, 0}, {CAL_WAIT_MS, 0, 50, 0},
        {CAL_WRITE, 1, 0, 0}, {CAL_WAIT_MS, 0, 50, 0}, {CAL_KILL_SESSION, 1, 0, 0},
        {CAL_WAIT_MS, 0, 50, 0}, {CAL_CLIENT_IS, 1, 0, 2}, {CAL_WAITERS_ARE, 1, 0, 1},
        {CAL_READ_ONLY, 1, 0, 0}, {CAL_IS_READ_ONLY, 1, 0, 0}}},
    {"0.3 semi-sync switched off releases waiters with OK", ENGINE_MARIADB, {
        {CAL_STOP_RECEIVER, 2, 0, 0}, {CAL_STOP_RECEIVER, 3, 0, 0}, {CAL_WAIT_MS, 0, 50, 0},
        {CAL_WRITE, 1, 0, 0}, {CAL_WAIT_MS, 0, 50, 0}, {CAL_SS_SOURCE, 1, 0, 0},
        {CAL_WAIT_MS, 0, 50, 0}, {CAL_CLIENT_IS, 1, 0, 1}}},
    {"0.3 MariaDB: killed with a waiting commit, plain restart: the row is there", ENGINE_MARIADB, {
        {CAL_STOP_RECEIVER, 2, 0, 0}, {CAL_STOP_RECEIVER, 3, 0, 0}, {CAL_WAIT_MS, 0, 50, 0},
        {CAL_WRITE, 1, 0, 0}, {CAL_WAIT_MS, 0, 50, 0}, {CAL_SET_ROLE_REPLICA, 1, 0, 0},
        {CAL_KILL9, 1, 0, 0}, {CAL_START, 1, 0, 0}, {CAL_ROWS_ARE, 1, 0, 1}}},
    {"0.3 MariaDB: restart with init_rpl_role=SLAVE truncates it", ENGINE_MARIADB, {
        {CAL_STOP_RECEIVER, 2, 0, 0}, {CAL_STOP_RECEIVER, 3, 0, 0}, {CAL_WAIT_MS, 0, 50, 0},
        {CAL_WRITE, 1, 0, 0}, {CAL_WAIT_MS, 0, 50, 0}, {CAL_SET_ROLE_REPLICA, 1, 1, 0},
        {CAL_KILL9, 1, 0, 0}, {CAL_START, 1, 0, 0}, {CAL_ROWS_ARE, 1, 0, 0}}},
    {"0.3 MySQL keeps the tail at restart", ENGINE_MYSQL, {
        {CAL_STOP_RECEIVER, 2, 0, 0}, {CAL_STOP_RECEIVER, 3, 0, 0}, {CAL_WAIT_MS, 0, 50, 0},
        {CAL_WRITE, 1, 0, 0}, {CAL_WAIT_MS, 0, 50, 0}, {CAL_KILL9, 1, 0, 0}, {CAL_START, 1, 0, 0},
        {CAL_ROWS_ARE, 1, 0, 1}}},
};
/* clang-format on */

const struct calibration_script *calibration_scripts(size_t *ret_count)
{
    *ret_count = STAY_COUNT(scripts);
    return scripts;
}

const char *calibration_step_what(enum calibration_step step)
{
    static const char *const texts[] = {
#define X(id, what) what,
        CALIBRATION_STEPS(X)
#undef X
    };
    return step < CAL_COUNT ? texts[step] : "?";
}
