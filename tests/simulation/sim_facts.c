/* What a status query on a server of the model answers, in the neutral names of SERVER_FACTS. Sets
 * are reported as the engines report them, lies included: MariaDB's Gtid_IO_Pos is one GTID and
 * outlives its relay log, MySQL's gtid_executed leaves out what still waits for its ack. */
#include "tests/simulation/sim_rewind.h"

static void source_bytes(const struct sim *s, uint32_t origin, uint8_t bytes[16])
{
    memset(bytes, 0, 16);
    if (s->setup.engine == ENGINE_MARIADB)
        bytes[7] = (uint8_t)(origin + 1); /* domain 0, then the server id, big endian */
    else
        memset(bytes, (int)(0x11 * (origin + 1)), 16);
}

static void set_range(const struct sim *s, struct gtid_set *set, uint32_t origin, uint64_t first,
                      uint64_t last)
{
    if (last == 0 || first > last)
        return;
    struct gtid_range range = {.first = first, .last = last};
    source_bytes(s, origin, range.source);
    gtid_set_add_range(set, s->setup.engine == ENGINE_MARIADB ? GTID_MARIADB : GTID_MYSQL, &range);
}

void facts_set_executed(const struct sim *s, const struct sim_server *v, struct gtid_set *set)
{
    set->n = 0;
    const uint32_t *max = s->setup.engine == ENGINE_MARIADB ? v->max_have : v->max_done;
    for (uint32_t o = 0; o < s->setup.servers; o++)
        set_range(s, set, o, 1, max[o]);
}

bool facts_in_set(const struct sim *s, const struct gtid_set *set, uint32_t tx)
{
    uint8_t source[16];
    source_bytes(s, s->tx[tx].origin, source);
    for (size_t i = 0; i < set->n; i++)
        if (memcmp(set->v[i].source, source, sizeof source) == 0 &&
            s->tx[tx].seq >= set->v[i].first && s->tx[tx].seq <= set->v[i].last)
            return true;
    return false;
}

void facts_set_received(const struct sim *s, const struct sim_server *v, struct gtid_set *set)
{
    set->n = 0;
    if (!v->configured)
        return;
    if (s->setup.engine == ENGINE_MARIADB) {
        set_range(s, set, v->claim_origin, 1, v->claim_last[v->claim_origin]);
        return;
    }
    for (uint32_t o = 0; o < s->setup.servers; o++)
        if (v->claim_last[o] > 0)
            set_range(s, set, o, v->claim_first[o], v->claim_last[o]);
}

static enum tri tri(bool yes)
{
    return yes ? TRI_YES : TRI_NO;
}

static void status_replica(const struct sim *s, const struct sim_server *v, struct server_facts *f)
{
    facts_set_received(s, v, &f->received);
    f->receiver = !v->configured      ? RECEIVER_NONE
                  : !v->receiver_on   ? RECEIVER_STOPPED
                  : v->connected      ? RECEIVER_RUNNING
                                      : RECEIVER_CONNECTING;
    f->receiver_errno = v->receiver_errno;
    (void)stay_copy(f->receiver_error, sizeof f->receiver_error,
                    v->cannot_reach && v->receiver_new ? "Error connecting to source" : "");
    f->applier = tri(v->applier_on);
    f->applier_errno = v->applier_errno;
    stay_copy(f->source_host, sizeof f->source_host,
              v->configured ? s->config.nodes[v->source].host : "");
    f->source_port = v->configured ? 3306 : 0;
    f->heartbeats = v->heartbeats;
    f->beats_shown = TRI_YES;
    f->lag_s = v->applier_on && v->connected
                   ? (v->relay_n > v->relay_head
                          ? (s->now - s->tx[v->relay[v->relay_head]].begun) / STAY_SECOND +
                                v->delay_s
                          : 0)
                   : -1;
}

static void status_semisync(const struct sim *s, const struct sim_server *v, struct server_facts *f)
{
    f->ss_source_enabled = tri(v->ss_source);
    f->ss_source_on = tri(v->ss_status);
    f->ss_clients = 0;
    f->dump_peer_count = 0;
    for (uint32_t r = 0; r < s->setup.servers; r++) {
        if (!v->dump[r].open)
            continue;
        f->ss_clients += v->dump[r].semisync;
        stay_copy(f->dump_peers[f->dump_peer_count++].host, sizeof f->dump_peers[0].host,
                  s->config.nodes[r].host);
    }
    f->ss_yes_tx = v->yes_tx;
    f->ss_no_tx = v->no_tx;
    f->ss_no_times = v->no_times;
    f->ss_waiters = v->waiter_n;
    f->ss_timeout_ms = v->ss_timeout_ms;
    f->ss_wait_count = v->ss_wait_count;
    f->ss_after_sync = TRI_YES;
    f->ss_replica_enabled = tri(v->ss_replica);
    f->ss_replica_on = tri(v->ss_active && v->receiver_on);
}

static void facts_slow(const struct sim *s, struct server_facts *f, const struct sim_server *v)
{
    stay_copy(f->version, sizeof f->version,
              s->setup.engine == ENGINE_MARIADB ? "10.11.11-MariaDB-log" : "9.7.0");
    f->server_uuid[0] = '\0';
    if (s->setup.engine == ENGINE_MYSQL) {
        memset(f->server_uuid, '1' + (int)(v->cloned ? s->line : v->index), 36);
        f->server_uuid[8] = f->server_uuid[13] = f->server_uuid[18] = f->server_uuid[23] = '-';
        f->server_uuid[36] = '\0';
    }
    f->max_connections = 151;
    f->flush_log = f->sync_relay_log = 1;
    f->sync_binlog = v->drifts ? 0 : 1;
    f->relay_log_recovery = tri(v->st_relay_recovery);
    f->log_bin = f->log_updates = f->gtid_strict = TRI_YES;
    stay_copy(f->binlog_format, sizeof f->binlog_format, "ROW");
    stay_copy(f->row_image, sizeof f->row_image, "FULL");
    f->filters = TRI_NO;
    f->skip_name_resolve = TRI_YES;
    f->net_timeout_s = 4;
    f->heartbeat_ms = 500;
    f->kill_conn_timeout_s = 1;
    f->events_on = 0;
    f->log_began.n = 0;
    if (s->setup.engine == ENGINE_MARIADB) /* BINLOG_GTID_POS: the newest GTID of each domain */
        set_range(s, &f->log_began, v->began_origin, 1, v->began_seq);
    f->missing_grant[0] = '\0';
}

void facts_read(const struct sim *s, const struct sim_server *v, struct server_facts *f,
                unsigned groups)
{
    if (groups & FACTS_STATUS) {
        f->read_only = tri(v->read_only);
        f->super_read_only = tri(s->setup.engine == ENGINE_MYSQL ? v->super_ro : v->read_only);
        f->offline_mode = tri(v->offline);
        f->server_id = v->cloned ? s->line + 1 : v->index + 1;
        f->uptime_s = (uint64_t)((s->now - v->boot_at) / STAY_SECOND);
        facts_set_executed(s, v, &f->executed);
        f->connections = 2 + server_sessions(s, v);
        f->binlog_bytes = v->commits * UINT64_C(300);
        f->binlog_commits = v->commits;
        f->canary_epoch = v->canary_epoch;
        f->canary_wall_us = v->canary_wall;
        status_replica(s, v, f);
        status_semisync(s, v, f);
    }
    if (groups & FACTS_SLOW)
        facts_slow(s, f, v);
    if (groups & FACTS_HOST) {
        f->disk_total = UINT64_C(100000000000);
        f->disk_free = v->disk_low ? f->disk_total / 50 : f->disk_total / 2;
    }
    if (groups & FACTS_START) {
        f->start_read_only = tri(v->st_read_only);
        f->start_skip_replica = tri(v->st_skip);
        f->start_ss_source = tri(v->st_ss_source);
        f->start_relay_log_recovery = tri(v->st_relay_recovery);
        f->start_role_replica =
            s->setup.engine == ENGINE_MARIADB ? tri(v->st_role_replica) : TRI_UNKNOWN;
    }
}
