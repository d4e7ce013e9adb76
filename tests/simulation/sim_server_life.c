/* The process of a database server: killed, stopped, frozen, started; and what its crash recovery
 * makes of the binary log. Rules are those measured (calibration.c names each). */
#include "tests/simulation/sim_rewind.h"

static void drop_connections(struct sim *s, struct sim_server *v, bool silent)
{
    for (uint32_t r = 0; r < s->setup.servers; r++) {
        struct sim_dump *d = &v->dump[r];
        struct sim_server *p = &s->server[r];
        if (d->open && !silent && p->connected && p->source == v->index &&
            p->conn_gen == d->gen) {
            if (sim_percent(s, 50) && d->pump_pending)
                sim_at(s, s->now, EV_PUMP, v->index, r, d->gen, 1);
            sim_at(s, s->now + net_delay(s, v->index, r), EV_RECEIVER_EOF, r, v->index,
                   p->conn_gen, 0);
        }
        d->open = false;
    }
    if (v->connected) /* its own receiver is gone: the source sees the end or not at all */
        sim_at(s, s->now + (silent ? 60 * STAY_SECOND : net_delay(s, v->index, v->source)),
               EV_DUMP_END, v->source, v->index, v->conn_gen, 0);
    v->connected = false;
}

void server_kill(struct sim *s, struct sim_server *v, bool orderly, bool silent)
{
    if (!v->up)
        return;
    sim_trace(s, "db%u %s, %u waiters", v->index + 1,
              orderly ? "stops in order" : silent ? "loses power" : "is killed", v->waiter_n);
    s->stats->waiter_at_loss += v->index == s->line && v->waiter_n > 0;
    if (orderly && !v->frozen)
        server_shutdown_waiters(s, v);
    v->waiter_n = 0;
    v->apply_waits = v->apply_pending = false;
    drop_connections(s, v, silent);
    uint32_t life = v->life++;
    v->stopped_clean = orderly && !v->frozen;
    v->up = v->frozen = false;
    v->silent = silent;
    v->killed_at = s->now;
    for (uint32_t c = 0; c < SIM_CLIENTS; c++)
        if (s->client[c].server == v->index && s->client[c].life == life && !silent)
            client_session_lost(s, c, v->index);
    if (!silent)
        probe_session_lost(s, v->index);
}

void server_recount(struct sim *s, struct sim_server *v)
{
    memset(v->max_have, 0, sizeof v->max_have);
    memset(v->max_done, 0, sizeof v->max_done);
    memset(v->have, 0, sizeof v->have);
    memset(v->done, 0, sizeof v->done);
    v->domain_seq = 0;
    v->canary_epoch = 0;
    uint32_t n = v->log_n;
    v->log_n = 0;
    for (uint32_t i = 0; i < n; i++) {
        server_log_append(s, v, v->log[i]);
        server_engine_commit(s, v, v->log[i]);
    }
}

/* Crash recovery: MySQL commits the tail of the binary log; MariaDB with init_rpl_role=SLAVE cuts
 * what its engine had not made durable, which may include what was acknowledged. After a stop in
 * order there is none: what waited for its ack is committed and stays (measured on 10.11.19). */
static void recover(struct sim *s, struct sim_server *v)
{
    uint32_t held = v->log_n;
    if (s->setup.engine == ENGINE_MARIADB && v->st_role_replica && !v->stopped_clean) {
        int64_t durable = v->killed_at - sim_span(s, 0, STAY_SECOND);
        uint32_t n = v->log_n;
        while (n > 0 &&
               (!bit_get(v->done, v->log[n - 1]) || s->tx[v->log[n - 1]].flushed > durable)) {
            uint32_t seq = s->tx[v->log[--n]].seq;
            v->lost_seq = seq > v->lost_seq ? seq : v->lost_seq;
        }
        if (n < v->log_n)
            sim_trace(s, "db%u truncates %u transactions", v->index + 1, v->log_n - n);
        v->log_n = n;
    }
    uint32_t cut = held - v->log_n, waits = v->relay_n - v->relay_head;
    if (s->setup.engine == ENGINE_MARIADB && cut + v->kept_n + waits <= SIM_TX) {
        memmove(v->kept + cut, v->kept, v->kept_n * sizeof v->kept[0]); /* of a restart before */
        /* its relay log has those that are cut as well */
        memcpy(v->kept, v->log + v->log_n, cut * sizeof v->kept[0]);
        memcpy(v->kept + cut + v->kept_n, v->relay + v->relay_head, waits * sizeof v->kept[0]);
        v->relay_head = v->relay_n = 0;
        v->kept_n += cut + waits;
    }
    server_recount(s, v);
}

void server_start(struct sim *s, struct sim_server *v)
{
    if (v->up)
        return;
    v->up = true;
    v->silent = v->frozen = v->disk_stall = v->too_many = false;
    v->stuck_n = 0;
    v->closes = false;
    v->boot_at = s->now;
    v->old_commits = v->commits;
    recover(s, v);
    v->began_origin = v->last_origin; /* a start begins a binary log */
    v->began_seq = v->domain_seq;
    check_started(s, v);
    v->read_only = v->st_read_only;
    v->super_ro = s->setup.engine == ENGINE_MYSQL && v->st_read_only;
    v->offline = false;
    v->left_by_human = false;
    v->opened_by_start = !v->read_only;
    if (v->opened_by_start)
        check_opened_itself(s, v);
    v->excused_n = 0;
    v->yes_tx = v->no_tx = v->no_times = v->commits = 0;
    v->ss_replica = v->st_ss_replica;
    v->cannot_reach = v->ss_active = v->connected = v->receiver_on = v->applier_on = false;
    v->frozen_by_us = v->operator_started = false;
    v->receiver_errno = v->applier_errno = 0; /* a new process remembers no error */
    v->ss_timeout_ms = UINT64_C(1000000000);
    v->ss_wait_count = s->config.acks;
    v->weak_at = s->now;
    v->weak_by_us = false;
    server_ss_set(s, v, v->st_ss_source, false);
    v->no_times = 0;
    v->heartbeats = 0;
    bool keeps = v->configured && v->st_skip && !v->st_relay_recovery, meets = v->relay_meets;
    uint32_t kept = keeps ? v->kept_n : 0;
    if (s->setup.engine == ENGINE_MARIADB || v->st_relay_recovery)
        replica_purge_relay(s, v, false); /* the position is read anew with the first connection */
    v->kept_n = kept;
    v->relay_meets = keeps && meets;
    v->left_alone = v->configured && v->st_skip && !v->st_relay_recovery;
    sim_trace(s, "db%u starts%s", v->index + 1, v->read_only ? " read-only" : " WRITABLE");
    if (v->configured && !v->st_skip) {
        v->receiver_on = v->applier_on = v->receiver_new = true;
        v->ss_active = v->ss_replica;
        sim_at(s, s->now + 20 * STAY_MS, EV_RECONNECT, v->index, 0, v->life, 0);
        replica_apply_kick(s, v);
    }
}

void server_freeze(struct sim *s, struct sim_server *v)
{
    if (!v->up || v->frozen)
        return;
    sim_trace(s, "db%u freezes, %u waiters", v->index + 1, v->waiter_n);
    v->frozen = true;
}

void server_thaw(struct sim *s, struct sim_server *v)
{
    if (!v->frozen)
        return;
    sim_trace(s, "db%u thaws", v->index + 1);
    v->frozen = false;
    net_healed(s);
    for (uint32_t r = 0; r < s->setup.servers; r++)
        if (s->server[r].dump[v->index].open)
            replica_pump(s, &s->server[r], v->index);
    replica_apply_kick(s, v);
}
