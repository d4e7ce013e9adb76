/* Closing a server: fence and quiesce as the statements they are made of. See sim_sql.c. */
#include "tests/simulation/sim_stall.h"

void sql_close_late(struct sim *s, struct sim_server *v)
{
    if (v->closes && v->up && !v->frozen && !v->disk_stall)
        (void)sql_set_read_only(s, v);
}

bool sql_set_read_only(struct sim *s, struct sim_server *v)
{
    if (v->waiter_n > 0 || v->stuck_n > 0)
        return false; /* measured: hangs behind semi-sync waiters, and behind commits that hang */
    v->read_only = true;
    v->super_ro = s->setup.engine == ENGINE_MYSQL;
    v->left_by_human = false;
    v->opened_by_start = false; /* closed by us: whoever opens it from here on answers for it */
    v->closes = false;
    return true;
}

/* Measured on MariaDB 10.11.19: read-only hangs behind a replica's applier, too, which waits for
 * acknowledgements when its source role is on, and cannot be killed. */
static bool only_applier_waits(const struct sim_server *v)
{
    uint32_t n = 0;
    while (n < v->waiter_n && v->waiters[n].applier)
        n++;
    return v->stuck_n == 0 && n > 0 && n == v->waiter_n;
}

static void role_off(struct sim *s, struct sim_effect *x, struct sim_server *v)
{
    x->was_off = x->was_off || (!v->ss_source && !x->switched);
    x->switched = x->switched || v->ss_source;
    server_ss_set(s, v, false, true);
}

/* Who may be unable to leave is killed once read-only waits without a limit (measured, scenario
 * fact_killed_shut): nobody begins to write until it is set. */
static void end_sessions(struct sim *s, struct sim_effect *x, struct sim_server *v)
{
    v->closes = v->closes || (s->setup.engine == ENGINE_MARIADB && v->stuck_n > 0);
    x->ended = server_kill_clients(s, v) > 0 || x->ended;
}

static enum sql_progress fence_mariadb(struct sim *s, struct sim_effect *x, struct sim_server *v)
{
    switch (x->phase) {
    case 0:
        if (x->effect.flaw == MUTANT_SEMISYNC_OFF_FIRST)
            role_off(s, x, v);
        if (v->disk_stall && v->waiter_n == 0) {
            x->read = s->now - x->started > 500 * STAY_MS; /* commits hang, ours at least */
            return x->read ? SQL_FAILED : sql_poll(s, x);
        }
        end_sessions(s, x, v);
        return sql_next_phase(s, x);
    case 1:
        if (v->disk_stall)
            return sql_poll(s, x); /* read-only hangs behind commits that hang */
        if (!sql_set_read_only(s, v)) {
            end_sessions(s, x, v);
            if (!only_applier_waits(v))
                return sql_poll(s, x);
            x->ended = true;
            role_off(s, x, v); /* read-only is pending: no write begins meanwhile */
            if (!sql_set_read_only(s, v))
                return sql_poll(s, x);
        }
        return sql_next_phase(s, x);
    case 2:
        end_sessions(s, x, v);
        role_off(s, x, v);
        return sql_next_phase(s, x);
    default:
        x->read = true;
        return SQL_DONE;
    }
}

static enum sql_progress fence_mysql(struct sim *s, struct sim_effect *x, struct sim_server *v)
{
    switch (x->phase) {
    case 0:
        if (x->effect.flaw == MUTANT_SEMISYNC_OFF_FIRST)
            role_off(s, x, v);
        v->offline = true;
        (void)server_kill_clients(s, v);
        return sql_next_phase(s, x);
    case 1:
        for (uint32_t i = 0; i < v->waiter_n; i++)
            if (!v->waiters[i].killed && !v->waiters[i].applier) {
                (void)server_kill_clients(s, v); /* the canary's session, or one that slipped in */
                return sql_poll(s, x);
            }
        role_off(s, x, v);
        return sql_next_phase(s, x);
    case 2:
        if (!sql_set_read_only(s, v))
            return sql_poll(s, x);
        v->offline = false; /* read-only holds now: the monitor may come in again */
        return sql_next_phase(s, x);
    default:
        x->read = true;
        return SQL_DONE;
    }
}

enum sql_progress sql_fence(struct sim *s, struct sim_effect *x, struct sim_server *v)
{
    return s->setup.engine == ENGINE_MYSQL ? fence_mysql(s, x, v) : fence_mariadb(s, x, v);
}

enum sql_progress sql_quiesce(struct sim *s, struct sim_effect *x, struct sim_server *v)
{
    if (x->phase == 0) {
        if (!sql_set_read_only(s, v)) {
            if (s->now - x->started > 700 * STAY_MS && v->stuck_n == 0)
                (void)server_kill_clients(s, v);
            return sql_poll(s, x);
        }
        return sql_next_phase(s, x);
    }
    (void)server_kill_clients(s, v);
    x->read = true;
    return SQL_DONE;
}
