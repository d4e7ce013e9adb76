/* controller/decide/rehearsal_world.c - tells a copy of the view of a death, by the observations a
 * prober would make of it: the dead refuse or are silent, the living say what they said, but for
 * what the death changes for them. */
#include "controller/decide/cluster_written.h"
#include "controller/decide/plan_private.h"
#include "controller/decide/rehearsal_private.h"

#define ANSWER_US      STAY_MS /* question to answer; small beside every bound */
#define HELD_LATELY_US (5 * STAY_SECOND)

static bool is_lost(const struct rehearsal_world *world, uint32_t node)
{
    return (world->loss->nodes & NODE_BIT(node)) != 0;
}

void rehearsal_world_init(struct rehearsal_world *world, const struct cluster_view *real,
                          const struct rehearsal_loss *loss, int64_t now_mono_us)
{
    world->real = real;
    world->loss = loss;
    world->death_us = world->now_us = now_mono_us;
    cluster_copy(&world->view, real);
    for (uint32_t node = 0; node < real->config->node_count && !loss->is_zone; node++) {
        struct observation end = {.kind = OBS_SESSION_END,
                                  .node = node,
                                  .begun_mono_us = now_mono_us,
                                  .taken_mono_us = now_mono_us};
        if (is_lost(world, node))
            cluster_observe(&world->view, &end);
    }
}

void rehearsal_world_clear(struct rehearsal_world *world)
{
    cluster_clear(&world->view);
}

/* A refusal comes at once; silence ends with the layer's deadline, and says nothing before. */
static void ask_lost(struct rehearsal_world *world, uint32_t node)
{
    int64_t deadline_us = world->real->config->layer_deadline_us;
    struct observation none = {.kind = OBS_REACH,
                               .node = node,
                               .begun_mono_us = world->now_us,
                               .taken_mono_us = world->now_us + ANSWER_US,
                               .reach = {.layer = LAYER_CONNECT, .outcome = OUT_REFUSED}};
    if (world->loss->is_zone) {
        if (world->now_us - world->death_us < deadline_us)
            return;
        none.begun_mono_us = world->now_us - deadline_us;
        none.taken_mono_us = world->now_us;
        none.reach.outcome = OUT_TIMEOUT;
    }
    cluster_observe(&world->view, &none);
}

/* One dump thread of a server that died; others may live on the same host. */
static void drop_peer(struct server_facts *facts, const char *host)
{
    for (uint32_t i = 0; i < facts->dump_peer_count; i++) {
        if (strcmp(facts->dump_peers[i].host, host) != 0)
            continue;
        facts->dump_peers[i] = facts->dump_peers[--facts->dump_peer_count];
        return;
    }
}

/* The primary lives and loses those of its replicas that died. With no acker left its next commit,
 * the canary's at the latest, waits. */
static void lose_replicas(const struct rehearsal_world *world, struct server_facts *facts)
{
    const struct cluster_view *real = world->real;
    for (uint32_t node = 0; node < real->config->node_count; node++) {
        if (!is_lost(world, node) || cluster_source_of(real, node) != real->primary)
            continue;
        drop_peer(facts, real->config->nodes[node].host);
        if (real->nodes[node].facts.ss_replica_on == TRI_YES && facts->ss_clients > 0)
            facts->ss_clients--;
    }
    if (facts->ss_source_on == TRI_YES && facts->ss_clients < facts->ss_wait_count &&
        facts->ss_waiters == 0)
        facts->ss_waiters = 1;
}

/* Both were read some instants apart: under load the primary's word is ahead of a replica that
 * holds all of it a moment later. Had it died, an acker of a promise that stands would hold what it
 * acknowledged, and any other replica what it was seen to keep up with. One that trails, or that
 * nobody saw hold a late word of the primary, goes on trailing. A guess, for a rehearsal only: the
 * certificate of a real failover rests on what is read then. */
static bool holds_last_word(const struct rehearsal_world *world, uint32_t node)
{
    const struct cluster_view *real = world->real;
    bool stands = real->record.lossless_stands && real->record.mode == MODE_LOSSLESS;
    bool acks = stands && (cluster_ackers_then(real) & NODE_BIT(node)) != 0;
    bool keeps_up = real->nodes[node].held_mono_us != STAY_NEVER &&
                    world->death_us - real->nodes[node].held_mono_us <= HELD_LATELY_US;
    return real->primary != NO_NODE && is_lost(world, real->primary) &&
           cluster_source_of(real, node) == real->primary &&
           real->nodes[node].facts.receiver == RECEIVER_RUNNING && (acks || keeps_up);
}

/* What a survivor says: nothing new comes from a dead source. A killed one ended the connection, a
 * silent one is believed until the receiver's own timeout, seconds after our verdict. */
static void ask_alive(struct rehearsal_world *world, uint32_t node)
{
    const struct cluster_view *real = world->real;
    if (!(real->nodes[node].groups_known & FACTS_STATUS))
        return;
    struct server_facts facts = real->nodes[node].facts; /* its sets stay the real view's */
    STAY_AUTO(gtid_set_drop) struct gtid_set received = {0};
    if (holds_last_word(world, node)) {
        gtid_set_copy(&received, &facts.received);
        gtid_set_union(&received, &real->nodes[real->primary].facts.executed);
        facts.received = received; /* borrowed as long as the observation */
    }
    uint32_t source = cluster_source_of(real, node);
    bool orphan = source != NO_NODE && is_lost(world, source);
    int64_t elapsed_us = world->now_us - real->nodes[node].facts_mono_us;
    facts.uptime_s += (uint64_t)(elapsed_us / STAY_SECOND);
    if (!orphan)
        facts.heartbeats += (uint64_t)(elapsed_us / STAY_MS); /* its source goes on beating */
    if (orphan && !world->loss->is_zone && facts.receiver == RECEIVER_RUNNING) {
        facts.receiver = RECEIVER_CONNECTING;
        facts.receiver_errno = 2003; /* CR_CONN_HOST_ERROR, as both engines show it */
        facts.ss_replica_on = TRI_NO;
    }
    if (node == real->primary && world->loss->nodes != 0)
        lose_replicas(world, &facts);
    struct observation answer = {.kind = OBS_REACH,
                                 .node = node,
                                 .begun_mono_us = world->now_us,
                                 .taken_mono_us = world->now_us + ANSWER_US,
                                 .reach = {.layer = LAYER_QUERY, .outcome = OUT_OK},
                                 .groups = FACTS_STATUS,
                                 .facts = &facts};
    cluster_observe(&world->view, &answer);
}

/* The primary is read last: a replica read before it that holds more would otherwise look errant.
 */
void rehearsal_world_ask(struct rehearsal_world *world, int64_t by_us)
{
    const struct cluster_view *real = world->real;
    for (uint32_t node = 0; node < real->config->node_count; node++) {
        bool alive = plan_node_answers(real, node, PLAN_ANSWERS_US, world->death_us);
        if (is_lost(world, node))
            ask_lost(world, node);
        else if (alive && node != real->primary)
            ask_alive(world, node);
    }
    if (real->primary != NO_NODE && !is_lost(world, real->primary))
        ask_alive(world, real->primary);
    world->now_us += by_us;
}
