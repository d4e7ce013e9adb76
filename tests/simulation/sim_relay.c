/* Relay log and applier of a replica. When a relay log is thrown away and what is claimed
 * afterwards follows the measured rows 1-4. */
#include "tests/simulation/sim.h"

void replica_purge_relay(struct sim *s, struct sim_server *v, bool lie)
{
    if (v->relay_n > v->relay_head)
        sim_trace(s, "db%u throws away %u received transactions", v->index + 1,
                  v->relay_n - v->relay_head);
    v->kept_n = 0;
    v->relay_meets = false;
    v->relay_head = v->relay_n = 0;
    if (lie)
        return; /* row 3: the position goes on claiming them */
    memset(v->claim_first, 0, sizeof v->claim_first);
    memset(v->claim_last, 0, sizeof v->claim_last);
}

/* Row 1: on MariaDB the first thread started with both stopped throws the relay log away, and the
 * claim with it: Gtid_IO_Pos is gtid_slave_pos then (measured on 10.11.19). */
void relay_purge_if_both_stopped(struct sim *s, struct sim_server *v)
{
    if (s->setup.engine == ENGINE_MARIADB && !v->receiver_on && !v->applier_on)
        replica_purge_relay(s, v, false);
}

void replica_apply_kick(struct sim *s, struct sim_server *v)
{
    if (v->apply_pending || !v->up || !v->applier_on || v->apply_waits ||
        v->relay_head == v->relay_n)
        return;
    v->apply_pending = true;
    int64_t at = s->now + v->apply_us;
    sim_at(s, at < v->stuck_until ? v->stuck_until : at, EV_APPLY, v->index, 0, v->life, 0);
}

void relay_apply(struct sim *s, struct sim_server *v)
{
    v->apply_pending = false;
    if (!v->applier_on || v->apply_waits || v->relay_head == v->relay_n || v->frozen)
        return;
    if (s->now < v->stuck_until) {
        replica_apply_kick(s, v);
        return;
    }
    uint32_t tx = v->relay[v->relay_head];
    if (!bit_get(v->have, tx)) {
        if (s->setup.engine == ENGINE_MARIADB && s->tx[tx].seq <= v->domain_seq) {
            v->applier_on = false; /* strict mode: out of order */
            v->applier_errno = 1950;
            return;
        }
        if (v->waiter_n >= SIM_WAITERS - 1)
            return;
        struct sim_waiter who = {.client = UINT16_MAX, .applier = true};
        v->apply_waits = !server_flush(s, v, tx, &who);
    }
    v->relay_meets = true;
    v->relay_head++;
    if (v->relay_head == v->relay_n)
        v->relay_head = v->relay_n = 0;
    replica_apply_kick(s, v);
}

void replica_start_applier(struct sim *s, struct sim_server *v)
{
    if (v->applier_on || !v->configured)
        return;
    v->left_alone = false;
    relay_purge_if_both_stopped(s, v);
    v->applier_on = true;
    v->applier_errno = 0;
    replica_apply_kick(s, v);
}

/* MariaDB, row 2 and fact_relay_log: by file and position nothing is thrown away. */
void replica_replay(struct sim *s, struct sim_server *v)
{
    uint32_t n = v->kept_n;
    v->left_alone = false;
    if (!v->configured || v->applier_on)
        return;
    v->kept_n = 0;
    v->relay_head = v->relay_n = 0;
    for (uint32_t i = 0; i < n; i++)
        if (!bit_get(v->have, v->kept[i])) {
            const struct sim_tx *t = &s->tx[v->kept[i]];
            v->relay[v->relay_n++] = v->kept[i];
            if (v->claim_first[t->origin] == 0)
                v->claim_first[t->origin] = t->seq;
            v->claim_last[t->origin] = t->seq;
            v->claim_origin = t->origin;
        }
    sim_trace(s, "db%u executes its relay log, %u transactions", v->index + 1, v->relay_n);
    v->applier_on = v->relay_n > 0;
    v->applier_errno = 0;
    replica_apply_kick(s, v);
}

void replica_stop_applier(struct sim *s, struct sim_server *v)
{
    (void)s;
    v->applier_on = false;
}
