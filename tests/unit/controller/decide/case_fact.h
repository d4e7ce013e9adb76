/* tests/unit/controller/decide/case_fact.h - the lines of a case view that say what a server told
 * of itself: "fact NODE KEY VALUE ...". See case_view.h. */
#ifndef TESTS_CASE_FACT_H
#define TESTS_CASE_FACT_H
#include "tests/unit/controller/decide/case_config.h"

/* The node acknowledges the primary's commits. */
static void case_acks(struct case_view *c, uint32_t node)
{
    struct server_facts *primary = &c->view.nodes[c->view.primary].facts;
    struct server_facts *facts = &c->view.nodes[node].facts;
    struct dump_peer *peer = &primary->dump_peers[primary->dump_peer_count++];
    facts->ss_replica_enabled = facts->ss_replica_on = TRI_YES;
    primary->ss_clients++;
    c->view.nodes[node].acker_seen_mono_us = c->view.nodes[c->view.primary].facts_mono_us;
    (void)stay_copy(peer->host, sizeof peer->host, c->config.nodes[node].host);
}

/* What was seen so many seconds ago. */
static bool case_time(struct node_view *n, const char *key, const char *value)
{
    int64_t at = CASE_NOW - strtol(value, NULL, 10) * STAY_SECOND;
    if (strcmp(key, "restarted") == 0)
        n->restarted_mono_us = at;
    else if (strcmp(key, "stood") == 0)
        n->stood_mono_us = at;
    else if (strcmp(key, "canary_moved") == 0)
        n->canary_moved_mono_us = at;
    else
        return false;
    return true;
}

static void case_fact(struct case_view *c, char **words, int count)
{
    uint32_t node = case_node(c, words[1]);
    struct node_view *n = &c->view.nodes[node];
    for (int i = 2; i + 1 < count; i += 2) {
        const char *key = words[i], *value = words[i + 1];
        enum tri tri = strcmp(value, "yes") == 0 ? TRI_YES : TRI_NO;
        if (strcmp(key, "executed") == 0) {
            case_gtids(c, value, &n->facts.executed);
            gtid_set_union(&n->received_high, &n->facts.executed);
        } else if (strcmp(key, "received") == 0) {
            case_gtids(c, value, &n->facts.received);
            gtid_set_union(&n->received_high, &n->facts.received);
        } else if (strcmp(key, "source") == 0) {
            bool none = strcmp(value, "-") == 0, far = strcmp(value, "elsewhere") == 0;
            n->facts.receiver = none ? RECEIVER_NONE : RECEIVER_RUNNING;
            n->facts.source_port = none ? 0 : 3306;
            (void)stay_copy(n->facts.source_host, sizeof n->facts.source_host,
                            none  ? ""
                            : far ? "192.0.2.1"
                                  : c->config.nodes[case_node(c, value)].host);
        } else if (strcmp(key, "written") == 0) {
            c->view.record.written[node] = strtoull(value, NULL, 10);
            c->view.record.written_known |= UINT32_C(1) << node;
        } else if (strcmp(key, "purged") == 0)
            case_gtids(c, value, &n->facts.purged);
        else if (strcmp(key, "lag") == 0)
            n->facts.lag_s = strtol(value, NULL, 10);
        else if (strcmp(key, "server_id") == 0)
            n->facts.server_id = strtoull(value, NULL, 10);
        else if (strcmp(key, "canary_lag") == 0)
            n->facts.canary_wall_us -= strtol(value, NULL, 10) * STAY_SECOND;
        else if (strcmp(key, "applier_error") == 0)
            n->facts.applier_errno = strtol(value, NULL, 10);
        else if (strcmp(key, "acks") == 0)
            case_acks(c, node);
        else if (strcmp(key, "version") == 0)
            (void)stay_copy(n->facts.version, sizeof n->facts.version, value);
        else if (strcmp(key, "receiver") == 0) /* it is stopped, but keeps its source */
            n->facts.receiver = strcmp(value, "stopped") == 0      ? RECEIVER_STOPPED
                                : strcmp(value, "connecting") == 0 ? RECEIVER_CONNECTING
                                                                   : RECEIVER_RUNNING;
        else if (strcmp(key, "lacks") == 0)
            (void)snprintf(n->facts.missing_grant, sizeof n->facts.missing_grant,
                           "mainstay_operate lacks: GRANT %s ON *.* TO mainstay_operate", value);
        else if (strcmp(key, "filters") == 0)
            n->facts.filters = tri;
        else if (strcmp(key, "log_filters") == 0)
            n->facts.log_filters = tri;
        else if (strcmp(key, "binlog_format") == 0)
            (void)stay_copy(n->facts.binlog_format, sizeof n->facts.binlog_format, value);
        else if (strcmp(key, "disk_total") == 0)
            n->facts.disk_total = strtoull(value, NULL, 10);
        else if (strcmp(key, "disk_free") == 0)
            n->facts.disk_free = strtoull(value, NULL, 10);
        else if (strcmp(key, "log_bin") == 0)
            n->facts.log_bin = tri;
        else if (strcmp(key, "log_updates") == 0)
            n->facts.log_updates = tri;
        else if (strcmp(key, "errant") == 0)
            n->errant = tri;
        else if (strcmp(key, "skipped") == 0)
            n->skipped = tri == TRI_YES;
        else if (strcmp(key, "holds_lost") == 0)
            n->holds_lost = tri == TRI_YES;
        else if (strcmp(key, "lost_answered") == 0)
            n->lost_answered = tri == TRI_YES;
        else if (strcmp(key, "start_read_only") == 0)
            n->facts.start_read_only = tri;
        else if (strcmp(key, "start_ss_source") == 0)
            n->facts.start_ss_source = tri;
        else if (strcmp(key, "start_relay_log_recovery") == 0)
            n->facts.start_relay_log_recovery = tri;
        else if (strcmp(key, "read_only") == 0)
            n->facts.read_only = tri;
        else if (strcmp(key, "applier") == 0)
            n->facts.applier = tri;
        else if (strcmp(key, "durable") == 0) {
            n->facts.sync_binlog = n->facts.flush_log = tri == TRI_YES ? 1 : 0;
            n->groups_known |= FACTS_SLOW;
        } else if (strcmp(key, "role_replica") == 0)
            n->facts.start_role_replica = tri;
        else if (strcmp(key, "skip_replica_start") == 0)
            n->facts.start_skip_replica = tri;
        else if (!case_time(n, key, value))
            fail_msg("case: unknown fact %s", key);
    }
}

#endif
