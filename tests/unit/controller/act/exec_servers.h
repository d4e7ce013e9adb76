/* tests/unit/controller/act/exec_servers.h - the executor tests' servers and proxy: what each holds
 * and what it does when an effect asks. See exec_world.h. */
#ifndef TESTS_EXEC_SERVERS_H
#define TESTS_EXEC_SERVERS_H
#include "tests/unit/controller/decide/case_view.h"
#include "base/json.h"
#include "base/str.h"
#include "controller/act/executor.h"

#define WORLD_QUEUE 256

struct world_server {
    bool up, writable, receiver_on, ss_source, ss_replica, applier_stuck;
    bool cannot_reach; /* it was stopped while it tried to reconnect: its last error says so */
    uint32_t source;   /* NO_NODE: none */
    struct gtid_set executed, received;
    uint64_t born_s; /* monotonic second of its start */
    uint64_t canary_epoch;
    uint64_t copy_epoch;  /* of the plan that began to copy to it */
    uint32_t copied_from; /* valid once copied */
};

struct world_call {
    bool is_save;
    uint64_t token;
    struct effect effect;
    struct gtid_set want;
    bool has_record;
    struct cluster_record record;
    uint64_t expect;
    char *journal;
};

struct world {
    struct case_view c;
    struct executor *x;
    int64_t now;
    struct world_server servers[NODES_MAX];
    struct world_call queue[WORLD_QUEUE];
    size_t count;
    struct str log; /* one line per effect done and per save */
    struct cluster_record stored;
    char *journal;
    uint32_t route;  /* NO_NODE: closed */
    uint32_t calls;  /* effects and saves done or dropped so far */
    uint32_t die_at; /* the process dies at this call; 0: never */
    bool die_after;  /* after the world did it, before the answer */
    bool is_dead;
    int64_t wake;
    /* Faults: the n-th effect of this kind on this node answers so. */
    enum step_kind fault_step;
    uint32_t fault_node;
    enum outcome fault_outcome;
    uint32_t fault_after; /* this many such effects are well first */
    uint32_t fault_times;
    bool fault_did_it;    /* unknown, but it happened */
    uint32_t conflict_at; /* n-th save meets another leader */
    uint32_t saves;
    uint32_t two_writable; /* times two servers were writable at once */
    int64_t route_closed_at, route_opened_at;
    uint32_t ends;
    bool is_sole;    /* the store is held by the executor's process alone */
    bool last_first; /* answers in reverse order */
    uint32_t answer_cost_us;
};

static void world_watch(struct world *w)
{
    uint32_t writable = 0;
    for (uint32_t node = 0; node < w->c.config.node_count; node++)
        writable += w->servers[node].up && w->servers[node].writable;
    w->two_writable += writable > 1;
}

static void world_facts(const struct world *w, uint32_t node, struct server_facts *facts)
{
    const struct world_server *s = &w->servers[node];
    memset(facts, 0, sizeof *facts);
    gtid_set_copy(&facts->executed, &s->executed);
    gtid_set_copy(&facts->received, &s->received);
    facts->uptime_s = (uint64_t)(w->now / STAY_SECOND) - s->born_s;
    facts->read_only = s->writable ? TRI_NO : TRI_YES;
    facts->applier = TRI_YES;
    facts->ss_source_enabled = facts->ss_source_on = s->ss_source ? TRI_YES : TRI_NO;
    facts->receiver = s->source == NO_NODE       ? RECEIVER_NONE
                      : !s->receiver_on          ? RECEIVER_STOPPED
                      : w->servers[s->source].up ? RECEIVER_RUNNING
                                                 : RECEIVER_CONNECTING;
    if (s->source != NO_NODE) {
        (void)stay_copy(facts->source_host, sizeof facts->source_host,
                        w->c.config.nodes[s->source].host);
        facts->source_port = w->c.config.nodes[s->source].port;
    }
}

static uint32_t world_clients(const struct world *w, uint32_t source)
{
    uint32_t count = 0;
    for (uint32_t node = 0; node < w->c.config.node_count; node++) {
        const struct world_server *s = &w->servers[node];
        count += s->up && s->receiver_on && s->source == source && s->ss_replica;
    }
    return count;
}

static void world_write(struct world_server *s, uint32_t node)
{
    STAY_AUTO(gtid_set_drop) struct gtid_set one = {0};
    char text[40];
    (void)snprintf(text, sizeof text, "0-%u-%llu", node + 1,
                   (unsigned long long)gtid_set_count(&s->executed) + 1);
    assert_int_equal(gtid_set_parse(GTID_MARIADB, text, &one, NULL), STAY_OK);
    gtid_set_union(&s->executed, &one);
}

static void world_attach(struct world *w, uint32_t node, const struct effect *e)
{
    struct world_server *s = &w->servers[node];
    if (!gtid_set_contains(&w->servers[e->peer].executed, &s->executed))
        fail_msg("%s attached to %s although it holds more", w->c.config.nodes[node].name,
                 w->c.config.nodes[e->peer].name);
    s->source = e->peer;
    s->ss_source = s->ss_source && e->receiver_first; /* off before its applier runs */
    s->receiver_on = true;
    s->ss_replica = e->semi_sync;
    gtid_set_copy(&s->executed, &w->servers[e->peer].executed);
    gtid_set_copy(&s->received, &s->executed);
}

/* What the server does; the outcome. */
static enum outcome world_do_node(struct world *w, struct world_call *call)
{
    const struct effect *e = &call->effect;
    struct world_server *s = &w->servers[e->node];
    switch (e->step) {
    case STEP_FENCE:
    case STEP_QUIESCE:
        s->writable = false;
        s->ss_source = s->ss_source && e->step != STEP_FENCE;
        return OUTCOME_DONE;
    case STEP_FREEZE:
        if (s->receiver_on && s->source != NO_NODE)
            s->cannot_reach = !w->servers[s->source].up;
        s->receiver_on = false;
        return OUTCOME_DONE;
    case STEP_DRAIN:
        if (s->applier_stuck)
            return OUTCOME_NOT_DONE;
        gtid_set_union(&s->executed, &s->received);
        return gtid_set_contains(&s->executed, &call->want) ? OUTCOME_DONE : OUTCOME_NOT_DONE;
    case STEP_CATCH_UP:
    case STEP_BARRIER:
        if (s->receiver_on && s->source != NO_NODE && w->servers[s->source].up)
            gtid_set_union(&s->executed, &w->servers[s->source].executed);
        return gtid_set_contains(&s->executed, &call->want) ? OUTCOME_DONE : OUTCOME_UNKNOWN;
    case STEP_TOP_UP:
        gtid_set_union(&s->executed, &w->servers[e->peer].executed);
        return OUTCOME_DONE;
    case STEP_DETACH:
        s->source = NO_NODE;
        s->receiver_on = false;
        return OUTCOME_DONE;
    case STEP_SOURCE_ON:
    case STEP_SOURCE_OFF:
        s->ss_source = e->step == STEP_SOURCE_ON;
        return OUTCOME_DONE;
    case STEP_ATTACH:
        world_attach(w, e->node, e);
        return OUTCOME_DONE;
    case STEP_THAW:
        if (!gtid_set_contains(&s->executed, &call->want))
            return OUTCOME_NOT_DONE;
        s->receiver_on = true;
        return OUTCOME_DONE;
    case STEP_WAIT_ACKERS:
        return world_clients(w, e->node) >= e->acks ? OUTCOME_DONE : OUTCOME_UNKNOWN;
    case STEP_UNFENCE:
    case STEP_WRITABLE:
        s->writable = true;
        s->ss_source = e->step == STEP_UNFENCE ? e->semi_sync : s->ss_source;
        return OUTCOME_DONE;
    case STEP_CANARY:
        if (!s->writable || (s->ss_source && world_clients(w, e->node) < e->acks))
            return OUTCOME_UNKNOWN;
        world_write(s, e->node);
        s->canary_epoch = e->epoch;
        return OUTCOME_DONE;
    case STEP_REPLICA_ROLE:
    case STEP_START_APPLIER: /* neither minds the other's word */
        s->ss_replica = e->step == STEP_REPLICA_ROLE ? e->semi_sync : s->ss_replica;
        s->applier_stuck = s->applier_stuck && e->step != STEP_START_APPLIER;
        return OUTCOME_DONE;
    case STEP_REPLAY:
    case STEP_COLLECT:
    case STEP_COMPARE:
    case STEP_REWIND:
    case STEP_VERIFY_FREEZE:
    case STEP_SET_TIMEOUTS:
    case STEP_SET_VARIABLES: case STEP_ACKNOWLEDGE: case STEP_END_STREAM:
    case STEP_CREATE_SCHEMA:
        return OUTCOME_DONE;
    case STEP_NONE:
    case STEP_CHECK:
    case STEP_INTENT: case STEP_HOOK_PRE: case STEP_ROUTE_CLOSE: case STEP_CHOOSE:
    case STEP_CERTIFY:
    case STEP_STORE_MODE:
    case STEP_ROUTE_OPEN:
    case STEP_CANARY_ROUTE:
    case STEP_COMMIT:
    case STEP_HOOK_POST:
    case STEP_QUARANTINE:
    case STEP_COPY:
    case STEP_COPY_STOP:
    case STEP_ADMIT:
    case STEP_KIND_COUNT:
        break;
    }
    fail_msg("step %s is no effect", step_kind_text(e->step));
    return OUTCOME_NOT_DONE;
}

#include "tests/unit/controller/act/exec_copy.h"

static enum outcome world_do(struct world *w, struct world_call *call)
{
    const struct effect *e = &call->effect;
    if (step_kind_class(e->step) == CLASS_ROUTE) {
        if (e->step == STEP_ROUTE_CLOSE) {
            w->route = NO_NODE;
            w->route_closed_at = w->now;
        }
        if (e->step == STEP_ROUTE_OPEN) {
            w->route = e->node;
            w->route_opened_at = w->now;
        }
        return OUTCOME_DONE;
    }
    if (!w->servers[e->node].up)
        return OUTCOME_UNKNOWN;
    enum outcome outcome = world_copies(e) ? world_copy(w, e) : world_do_node(w, call);
    world_watch(w);
    return outcome;
}

#endif
