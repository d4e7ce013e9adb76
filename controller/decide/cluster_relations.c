/* controller/decide/cluster_relations.c - who receives from whom and who may acknowledge: what the
 * facts of several nodes say together. */
#include "base/mutant.h"
#include "controller/decide/cluster_written.h"

#define STREAM_ENDS_US (1 * STAY_SECOND) /* one that was closed in order is gone by then */

bool cluster_node_fresh(const struct cluster_view *view, uint32_t node, int64_t now_mono_us)
{
    int64_t answered = view->nodes[node].query_ok_mono_us;
    int64_t bound = view->config->probe_interval_us + view->config->layer_deadline_us;
    return answered != STAY_NEVER && now_mono_us - answered <= bound;
}

void cluster_node_changed(struct cluster_view *view, uint32_t node, int64_t now_mono_us)
{
    if (node < view->config->node_count)
        view->nodes[node].changed_mono_us = now_mono_us;
}

void cluster_node_opens(struct cluster_view *view, uint32_t node, int64_t now_mono_us)
{
    if (node < view->config->node_count)
        view->nodes[node].opened_mono_us = now_mono_us;
}

bool cluster_facts_stand(const struct cluster_view *view, uint32_t node)
{
    return view->nodes[node].facts_begun_mono_us >= view->nodes[node].changed_mono_us;
}

static bool is_source(const struct cluster_config *config, uint32_t node,
                      const struct server_facts *facts)
{
    const struct node_config *n = &config->nodes[node];
    return facts->source_host[0] != '\0' && strcmp(n->host, facts->source_host) == 0 &&
           n->port == facts->source_port;
}

uint32_t cluster_source_of(const struct cluster_view *view, uint32_t node)
{
    for (uint32_t i = 0; i < view->config->node_count; i++) {
        if (is_source(view->config, i, &view->nodes[node].facts))
            return i;
    }
    return NO_NODE;
}

bool cluster_receiver_is_new(const struct server_facts *facts)
{
    return strstr(facts->receiver_error, "rror connecting to") != NULL; /* E or e, by version */
}

/* A receiver thread that runs says nothing alone (the other end may be silent): its position or its
 * heartbeats must move. A busy source sends no heartbeats (their number stays 0), so it is the
 * server that must count them, with a period short enough; else an unmoved position is no evidence.
 */
static enum tri running_receives(const struct cluster_view *view, const struct node_view *node)
{
    if (MUTANT(view, KEEPALIVE_TRUSTED))
        return TRI_YES;
    if (node->facts_begun_mono_us - node->advanced_mono_us < view->config->receiving_us)
        return TRI_YES;
    bool beats = node->facts.beats_shown == TRI_YES && node->facts.heartbeat_ms != 0 &&
                 2 * (int64_t)node->facts.heartbeat_ms * STAY_MS <= view->config->receiving_us;
    return beats ? TRI_NO : TRI_UNKNOWN;
}

enum tri cluster_node_receives(const struct cluster_view *view, uint32_t node, uint32_t source,
                               int64_t now_mono_us)
{
    const struct node_view *n = &view->nodes[node];
    bool is_old = n->facts_mono_us == STAY_NEVER ||
                  now_mono_us - n->facts_mono_us > view->config->receiving_us;
    if (is_old && !(MUTANT(view, STALE_VOTE) && n->facts_mono_us != STAY_NEVER))
        return TRI_UNKNOWN;
    switch (n->facts.receiver) {
    case RECEIVER_UNKNOWN:
    case RECEIVER_COUNT:
        return TRI_UNKNOWN;
    case RECEIVER_NONE:
    case RECEIVER_STOPPED:
    case RECEIVER_CONNECTING:
        return TRI_NO;
    case RECEIVER_RUNNING:
        break;
    }
    if (is_source(view->config, source, &n->facts))
        return running_receives(view, n);
    /* Another node of ours: not from `source`. A name that we do not know may still be `source`. */
    return cluster_source_of(view, node) != NO_NODE ? TRI_NO : TRI_UNKNOWN;
}

/* By its own last word the node is connected to the primary, or it has not said. */
static bool may_be_peer(const struct cluster_view *view, uint32_t node)
{
    const struct server_facts *facts = &view->nodes[node].facts;
    if (view->nodes[node].facts_mono_us == STAY_NEVER)
        return true;
    return is_source(view->config, view->primary, facts) && facts->receiver == RECEIVER_RUNNING;
}

/* A server that resolves names shows a replica on its own host as "localhost". */
static bool is_loopback(const char *host)
{
    return strcmp(host, "localhost") == 0 || strcmp(host, "127.0.0.1") == 0 ||
           strcmp(host, "::1") == 0;
}

static bool same_host(const char *a, const char *b)
{
    return strcmp(a, b) == 0 || (is_loopback(a) && is_loopback(b));
}

/* Nodes among the primary's dump threads. Several nodes may share a host (other ports): each of
 * them that says it replicates from the primary is a peer; more threads than nodes there are
 * strangers. */
static uint32_t dump_peers(const struct cluster_view *view, const char **ret_stranger)
{
    const struct cluster_config *config = view->config;
    const struct server_facts *facts = &view->nodes[view->primary].facts;
    uint32_t peers = 0;
    for (uint32_t p = 0; p < facts->dump_peer_count; p++) {
        const char *host = facts->dump_peers[p].host;
        uint32_t threads = 0, nodes = 0;
        for (uint32_t q = 0; q < facts->dump_peer_count; q++)
            threads += same_host(facts->dump_peers[q].host, host);
        for (uint32_t i = 0; i < config->node_count; i++) {
            if (i == view->primary || !same_host(config->nodes[i].host, host))
                continue;
            nodes++;
            peers |= UINT32_C(1) << i;
        }
        if (threads > nodes)
            *ret_stranger = host;
    }
    return peers;
}

/* A host that several nodes share: nobody knows whose thread it is. */
bool cluster_stream_stands(const struct cluster_view *view, uint32_t node)
{
    const struct cluster_config *config = view->config;
    const struct node_view *n = &view->nodes[node];
    if (config->engine != ENGINE_MARIADB || view->primary == NO_NODE ||
        n->facts.receiver != RECEIVER_CONNECTING || n->receiver_lost_mono_us == STAY_NEVER ||
        !is_source(config, view->primary, &n->facts))
        return false;
    const struct node_view *primary = &view->nodes[view->primary];
    if (primary->facts_mono_us == STAY_NEVER || primary->facts.ss_source_enabled != TRI_YES ||
        primary->facts_begun_mono_us - n->receiver_lost_mono_us < STREAM_ENDS_US ||
        n->facts_begun_mono_us < primary->facts_mono_us) /* it may be of a new connection */
        return false;
    for (uint32_t i = 0; i < config->node_count; i++)
        if (i != node && same_host(config->nodes[i].host, config->nodes[node].host))
            return false;
    bool stands = false;
    for (uint32_t p = 0; p < primary->facts.dump_peer_count; p++)
        stands |= same_host(primary->facts.dump_peers[p].host, config->nodes[node].host);
    return stands;
}

const char *cluster_stranger(const struct cluster_view *view)
{
    const char *stranger = NULL;
    if (view->primary != NO_NODE && view->nodes[view->primary].facts_mono_us != STAY_NEVER)
        (void)dump_peers(view, &stranger);
    return stranger;
}

/* Its answer that it lost the primary overtook the primary's answer to an earlier question: it
 * received until then, so it was connected when the primary was asked. */
static bool was_peer(const struct cluster_view *view, uint32_t node)
{
    const struct node_view *n = &view->nodes[node];
    int64_t asked_us = view->nodes[view->primary].facts_begun_mono_us;
    return n->facts.receiver == RECEIVER_CONNECTING &&
           is_source(view->config, view->primary, &n->facts) &&
           n->receiver_lost_mono_us != STAY_NEVER && n->receiver_lost_mono_us > asked_us &&
           asked_us - n->advanced_mono_us < view->config->receiving_us;
}

static uint32_t ackers_by(const struct cluster_view *view, bool overtaken, bool *ret_strangers)
{
    const char *stranger = NULL;
    uint32_t ackers = 0;
    if (view->primary != NO_NODE && view->nodes[view->primary].facts_mono_us != STAY_NEVER) {
        const struct server_facts *primary = &view->nodes[view->primary].facts;
        uint32_t peers = dump_peers(view, &stranger);
        for (uint32_t i = 0; i < view->config->node_count; i++) {
            bool is_peer = (peers & (UINT32_C(1) << i)) &&
                           (may_be_peer(view, i) || (overtaken && was_peer(view, i)));
            if (!is_peer || view->nodes[i].facts.ss_replica_on != TRI_YES)
                continue;
            if (cluster_same_zone(view->config, i, view->primary) && !MUTANT(view, OWN_ZONE_ACK))
                continue;
            ackers |= UINT32_C(1) << i;
        }
        if (primary->ss_source_enabled != TRI_YES || primary->ss_clients == 0)
            ackers = 0;
    }
    if (ret_strangers != NULL)
        *ret_strangers = stranger != NULL;
    return ackers;
}

uint32_t cluster_ackers_now(const struct cluster_view *view, bool *ret_strangers)
{
    return ackers_by(view, false, ret_strangers);
}

uint32_t cluster_ackers_then(const struct cluster_view *view)
{
    return ackers_by(view, true, NULL);
}

/* A reseed took its source away before its data, and nobody gave it one since: a dump thread that
 * the primary still shows is of before. */
static bool is_hollow_off(const struct cluster_view *view, uint32_t node)
{
    enum receiver_state receiver = view->nodes[node].facts.receiver;
    return view->record.quarantine[node] == QUARANTINE_RESEED && receiver != RECEIVER_RUNNING &&
           receiver != RECEIVER_CONNECTING;
}

uint32_t cluster_ackers_possible(const struct cluster_view *view)
{
    if (view->primary == NO_NODE)
        return 0;
    const struct node_view *primary = &view->nodes[view->primary];
    if (primary->facts_mono_us == STAY_NEVER || primary->facts.ss_clients == 0)
        return 0;
    const char *stranger = NULL;
    uint32_t peers = dump_peers(view, &stranger), said_no = 0;
    for (uint32_t i = 0; i < view->config->node_count; i++) {
        /* Its status is fixed when its receiver connects: one that runs keeps what it said. */
        const struct node_view *n = &view->nodes[i];
        if (n->facts.ss_replica_on == TRI_NO && may_be_peer(view, i) &&
            n->facts_mono_us != STAY_NEVER)
            peers &= ~(UINT32_C(1) << i);
        else if (is_hollow_off(view, i))
            peers &= ~(UINT32_C(1) << i);
        else if (n->ran_acking == TRI_NO && was_peer(view, i))
            said_no |= UINT32_C(1) << i;
    }
    /* One that lost the primary since may have connected anew in between, unless the others are all
     * that the primary counts. */
    uint32_t others = peers & ~said_no;
    if ((uint64_t)__builtin_popcount(others) >= primary->facts.ss_clients)
        peers = others;
    return peers;
}

bool cluster_is_refused(const struct server_facts *facts)
{
    return facts->receiver_errno == RECEIVER_REFUSED ||
           (facts->receiver_errno == RECEIVER_NO_READING &&
            strstr(facts->receiver_error, "error 1236 ") != NULL);
}

bool cluster_stands_empty(const struct server_facts *facts)
{
    return facts->applier != TRI_YES && gtid_set_contains(&facts->executed, &facts->received);
}

bool cluster_may_have_purged(const struct cluster_view *view, const struct server_facts *facts)
{
    bool goes_on = facts->receiver == RECEIVER_RUNNING ||
                   (facts->receiver == RECEIVER_CONNECTING && !cluster_receiver_is_new(facts));
    return view->config->engine != ENGINE_MYSQL && !goes_on && cluster_stands_empty(facts);
}

bool cluster_has_stood(const struct cluster_view *view, uint32_t node)
{
    int64_t stood_us = view->nodes[node].stood_mono_us;
    if (stood_us == STAY_NEVER || view->primary == NO_NODE)
        return stood_us != STAY_NEVER;
    const struct node_view *primary = &view->nodes[view->primary];
    bool acked_since = primary->canary_ok_mono_us != STAY_NEVER &&
                       stood_us <= primary->canary_ok_mono_us - 2 * STAY_SECOND;
    return !acked_since && stood_us > primary->opened_mono_us;
}

bool cluster_may_ask_again(const struct cluster_view *view, uint32_t node)
{
    const struct node_view *n = &view->nodes[node];
    if (view->primary == NO_NODE || !cluster_is_refused(&n->facts) ||
        !(view->nodes[view->primary].groups_known & FACTS_STATUS) ||
        n->asked_again_mono_us != STAY_NEVER)
        return false;
    const struct gtid_set *held = &view->nodes[view->primary].facts.executed;
    return gtid_set_contains(held, &n->facts.executed) &&
           gtid_set_contains(held, &n->received_high); /* unapplied rows: only its relay log may
                                                          have them, and an attach would purge it */
}

bool cluster_may_have_lost_tail(const struct cluster_view *view, uint32_t node)
{
    const struct node_view *n = &view->nodes[node];
    if (view->config->engine == ENGINE_MYSQL || MUTANT(view, TAIL_LOSS_IGNORED))
        return false;
    if (n->restarted_mono_us != STAY_NEVER)
        return n->writable_mono_us < n->restarted_mono_us;
    return node == view->primary && (n->groups_known & FACTS_STATUS) != 0 &&
           n->facts.read_only == TRI_YES && n->writable_mono_us == STAY_NEVER;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* `text` is a uuid in its usual form, dashes anywhere between bytes. */
static bool is_uuid(const uint8_t uuid[16], const char *text)
{
    for (size_t i = 0; i < 16; i++) {
        text += *text == '-';
        int high = hex_digit(text[0]);
        int low = high < 0 ? -1 : hex_digit(text[1]);
        if (low < 0 || uuid[i] != (uint8_t)(high << 4 | low))
            return false;
        text += 2;
    }
    return *text == '\0';
}

bool cluster_range_is_of(const struct cluster_view *view, uint32_t node,
                         const struct gtid_range *range)
{
    const struct server_facts *facts = &view->nodes[node].facts;
    const uint8_t *u = range->source;
    if (view->config->engine == ENGINE_MYSQL)
        return is_uuid(u, facts->server_uuid);
    uint64_t id = (uint64_t)u[4] << 24 | (uint64_t)u[5] << 16 | (uint64_t)u[6] << 8 | u[7];
    return id == facts->server_id;
}

bool cluster_is_cloned(const struct cluster_view *view, uint32_t node)
{
    const struct node_view *n = &view->nodes[node];
    if (cluster_is_primarys_twin(view, node))
        return true;
    for (uint32_t i = 0; i < view->config->node_count; i++) {
        const struct node_view *other = &view->nodes[i];
        if (i == node)
            continue;
        if ((n->groups_known & other->groups_known & FACTS_STATUS) && n->facts.server_id != 0 &&
            n->facts.server_id == other->facts.server_id)
            return true;
        if ((n->groups_known & other->groups_known & FACTS_SLOW) &&
            n->facts.server_uuid[0] != '\0' &&
            strcmp(n->facts.server_uuid, other->facts.server_uuid) == 0)
            return true;
    }
    return false;
}

bool cluster_disk_is_low(const struct cluster_view *view, uint32_t node)
{
    const struct server_facts *facts = &view->nodes[node].facts;
    return facts->disk_total != 0 && facts->disk_free < facts->disk_total / 20;
}

bool cluster_disk_has_room(const struct cluster_view *view, uint32_t node)
{
    const struct server_facts *facts = &view->nodes[node].facts;
    return facts->disk_total != 0 && facts->disk_free >= facts->disk_total / 10;
}
