/* One world: made, emptied for the next life, built as its set-up says, and freed. */
#include "tests/simulation/sim.h"

struct sim *sim_new(struct sim_stats *stats)
{
    struct sim *s = stay_calloc(1, sizeof *s);
    s->stats = stats;
    s->controller.view = stay_calloc(1, sizeof *s->controller.view);
    s->controller.decision = stay_calloc(1, sizeof *s->controller.decision);
    s->controller.before = stay_calloc(1, sizeof *s->controller.before);
    s->store.run = stay_calloc(1, sizeof *s->store.run);
    for (uint32_t i = 0; i < SIM_SAVES; i++)
        s->save[i].run = stay_calloc(1, sizeof *s->save[i].run);
    for (uint32_t i = 0; i < SIM_EFFECTS; i++)
        s->effect[i].facts = stay_calloc(1, sizeof *s->effect[i].facts);
    return s;
}

static void run_drop(struct plan_run *run)
{
    plan_run_clear(run);
    free(run);
}

void sim_free(struct sim *s)
{
    if (s->controller.up) {
        executor_free(s->controller.exec);
        cluster_clear(s->controller.view);
    }
    free(s->controller.view);
    free(s->controller.decision);
    decision_memory_clear(s->controller.before);
    free(s->controller.before);
    run_drop(s->store.run);
    for (uint32_t i = 0; i < SIM_SAVES; i++)
        run_drop(s->save[i].run);
    for (uint32_t i = 0; i < SIM_EFFECTS; i++) {
        server_facts_clear(s->effect[i].facts);
        free(s->effect[i].facts);
        gtid_set_clear(&s->effect[i].want);
    }
    for (uint32_t i = 0; i < SIM_SERVERS; i++)
        server_facts_clear(&s->controller.probes[i].facts);
    free(s);
}

static void reset_servers(struct sim *s)
{
    for (uint32_t n = 0; n < SIM_SERVERS; n++) {
        struct sim_server *v = &s->server[n];
        memset(v, 0, offsetof(struct sim_server, log));
        memset((char *)v + offsetof(struct sim_server, log_n), 0,
               offsetof(struct sim_server, relay) - offsetof(struct sim_server, log_n));
        memset((char *)v + offsetof(struct sim_server, relay_head), 0,
               sizeof *v - offsetof(struct sim_server, relay_head));
        v->index = n;
        v->apply_us = 400;
        v->weak_at = v->errant_at = v->weak_toggled_at = v->unseen_at = v->unable_at =
            v->answers_at = v->alive_at = v->mute_at = v->seen_at = v->hand_at = v->cloned_at =
                v->told_at = STAY_NEVER;
        v->slow_stop_us = STAY_SECOND;
        v->ss_timeout_ms = UINT64_C(1000000000);
        v->ss_wait_count = 1;
    }
}

static void reset_controller(struct sim *s)
{
    struct sim_controller *c = &s->controller;
    if (c->up) {
        executor_free(c->exec);
        cluster_clear(c->view);
    }
    struct cluster_view *view = c->view;
    struct decision *decision = c->decision;
    struct decision_memory *before = c->before;
    struct server_facts facts[SIM_SERVERS];
    for (uint32_t i = 0; i < SIM_SERVERS; i++)
        facts[i] = c->probes[i].facts;
    memset(c, 0, sizeof *c);
    c->view = view;
    c->decision = decision;
    c->before = before;
    for (uint32_t i = 0; i < SIM_SERVERS; i++)
        c->probes[i].facts = facts[i];
}

void sim_reset(struct sim *s, uint64_t seed)
{
    reset_controller(s);
    reset_servers(s);
    for (uint32_t i = 0; i < SIM_SAVES; i++)
        s->save[i].used = false;
    for (uint32_t i = 0; i < SIM_EFFECTS; i++)
        s->effect[i].used = false;
    memset(&s->rewind, 0, offsetof(struct sim_rewind, effect));
    s->store = (struct sim_store){.run = s->store.run};
    memset(s->block, 0, sizeof s->block);
    memset(s->slow_us, 0, sizeof s->slow_us);
    memset(s->loss_ppm, 0, sizeof s->loss_ppm);
    memset(s->client, 0, sizeof s->client);
    memset(s->proxy, 0, sizeof s->proxy);
    memset(&s->setup, 0, sizeof s->setup);
    random_init(&s->random, seed);
    s->setup.seed = seed;
    s->now = 1000 * STAY_SECOND; /* a machine that is up for a while */
    s->wall_offset = INT64_C(1800000000) * STAY_SECOND;
    s->order = s->event_n = s->tx_n = s->fault_n = s->effect_gen = 0;
    s->healed = s->stopped = s->calibrates = false;
    s->undone_at = s->human_since = s->plan_ended_at = s->unserved_at = s->swapping_at = STAY_NEVER;
    s->unmanaged_at = STAY_NEVER;
    s->evacuation.since_wall_us = 0;
    s->plans = 0;
    s->chosen = s->named_node = SIM_NONE;
    s->healed_at = s->line_first_ack = s->line_at = STAY_NEVER;
    s->line = s->line_lost = s->loss_declared_max = 0;
    s->line_epoch = 1;
    s->line_cert = CERT_LOSSLESS;
    s->line_fenced = s->line_overridden = false;
    s->violation = INV_NONE;
    s->violation_text[0] = s->human[0] = '\0';
    s->trace_hash = UINT64_C(14695981039346656037);
}

static const char *const zones[LAYOUT_COUNT][SIM_SERVERS] = {
    [LAYOUT_PAIR] = {"a", "b", "", ""},
    [LAYOUT_WITNESS] = {"a", "b", "w", ""},
    [LAYOUT_TWO] = {"a", "b", "b", ""},
    [LAYOUT_OWN_ZONE] = {"a", "b", "a", ""},
    [LAYOUT_FOUR] = {"a", "b", "b", "w"},
};
static const uint32_t sizes[LAYOUT_COUNT] = {2, 3, 3, 3, 4};

static void build_config(struct sim *s)
{
    struct cluster_config *c = &s->config;
    memset(c, 0, sizeof *c);
    cluster_config_defaults(c);
    stay_copy(c->name, sizeof c->name, "shop");
    c->engine = s->setup.engine;
    c->node_count = s->setup.servers;
    for (uint32_t n = 0; n < s->setup.servers; n++) {
        struct node_config *k = &c->nodes[n];
        (void)snprintf(k->name, sizeof k->name, "db%u", n + 1);
        (void)snprintf(k->host, sizeof k->host, "10.0.0.%u", n + 1);
        k->port = 3306;
        stay_copy(k->zone, sizeof k->zone, s->zone[n]);
        k->promote = strcmp(s->zone[n], "w") == 0 ? PROMOTE_NEVER : PROMOTE_NEUTRAL;
    }
    c->acks = 1;
    c->mode = s->setup.mode_bounded ? MODE_BOUNDED : MODE_LOSSLESS;
    c->accept = s->setup.mode_bounded || sim_percent(s, 25) ? ACCEPT_BOUNDED : ACCEPT_LOSSLESS;
    c->without_acker = sim_percent(s, 70) ? WITHOUT_ACKER_DEGRADE : WITHOUT_ACKER_BLOCK;
    c->cooldown_us = sim_span(s, 2 * STAY_SECOND, 20 * STAY_SECOND);
    if (s->setup.engine == ENGINE_MYSQL && s->setup.layout == LAYOUT_FOUR && sim_percent(s, 50))
        c->acks = 2;
    stay_copy(c->controller_zone, sizeof c->controller_zone, s->zone[SIM_HOST_CONTROLLER]);
}

static void build_zones(struct sim *s, enum sim_layout layout)
{
    for (uint32_t n = 0; n < SIM_SERVERS; n++)
        stay_copy(s->zone[n], sizeof s->zone[n], zones[layout][n]);
    stay_copy(s->zone[SIM_HOST_CONTROLLER], sizeof s->zone[0],
              sim_percent(s, 60) ? "w" : sim_percent(s, 50) ? "a" : "b");
    stay_copy(s->zone[SIM_HOST_APP], sizeof s->zone[0], "a");
    stay_copy(s->zone[SIM_HOST_APP + 1], sizeof s->zone[0], "b");
}

static void build_servers(struct sim *s)
{
    bool lossless = s->config.mode == MODE_LOSSLESS;
    for (uint32_t n = 0; n < s->setup.servers; n++) {
        struct sim_server *v = &s->server[n];
        v->life = 1;
        v->up = true;
        v->boot_at = s->now - 500 * STAY_SECOND;
        v->st_read_only = v->st_skip = true;
        v->st_ss_replica = lossless && strcmp(s->zone[n], s->zone[0]) != 0;
        v->st_role_replica = lossless;
        v->ss_wait_count = s->config.acks;
        if (n == 0) {
            v->ss_source = v->ss_status = lossless;
        } else {
            v->read_only = true;
            v->super_ro = s->setup.engine == ENGINE_MYSQL;
            v->configured = v->receiver_on = v->applier_on = true;
            v->ss_replica = v->ss_active = v->st_ss_replica;
            sim_at(s, s->now, EV_RECONNECT, n, 0, v->life, 0);
        }
        server_ss_weakened(s, v, false);
    }
}

static void build_record(struct sim *s, bool adopted)
{
    struct cluster_record *r = &s->store.record;
    *r = (struct cluster_record){.version = 7, .epoch = adopted ? 1 : 0, .adopted = adopted};
    s->store.epoch_max = r->epoch;
    if (!adopted)
        return;
    stay_copy(r->primary, sizeof r->primary, "db1");
    r->mode = s->config.mode;
    if (s->config.mode != MODE_LOSSLESS)
        return;
    r->lossless_stands = true;
    r->lossless_since_wall_us = s->now + s->wall_offset - 400 * STAY_SECOND;
    for (uint32_t n = 1; n < s->setup.servers; n++)
        if (s->server[n].st_ss_replica)
            r->ackers |= 1u << n;
    r->watch_uptime_base_s = (uint64_t)((s->now + s->wall_offset) / STAY_SECOND - 500);
}

void sim_build(struct sim *s, enum engine engine, enum sim_layout layout)
{
    s->setup.engine = engine;
    s->setup.layout = layout;
    s->setup.servers = sizes[layout];
    build_zones(s, layout);
    build_config(s);
    build_servers(s);
    build_record(s, !s->setup.adopt_first);
    for (uint32_t p = 0; p < SIM_PROXIES; p++)
        s->proxy[p] = (struct sim_proxy){.up = true, .reachable = true, .epoch = 1, .old_epoch = 1};
}
