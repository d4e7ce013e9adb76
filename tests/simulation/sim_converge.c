/* When a healed world counts as whole again: one writable primary that the store names, every other
 * server attached to it, clients that write. */
#include "tests/simulation/sim.h"

bool check_is_attached(const struct sim *s, const struct sim_server *v)
{
    return v->configured && v->source == s->line && v->connected && v->applier_on;
}

static bool needs_no_human(const struct sim *s, const struct sim_server *v)
{
    return replica_holds_all(&s->server[s->line], v) && v->applier_errno == 0 &&
           s->store.record.quarantine[v->index] == QUARANTINE_NONE;
}

bool check_converged(struct sim *s, char *why, size_t size)
{
    struct sim_controller *c = &s->controller;
    const struct cluster_record *r = &s->store.record;
    if (!controller_runs(s) || !c->ready || executor_is_busy(c->exec)) {
        (void)snprintf(why, size, "the controller is busy");
        return false;
    }
    for (uint32_t n = 0; n < s->setup.servers; n++) {
        const struct sim_server *v = &s->server[n];
        if (!v->up || v->read_only == (n != s->line)) {
            if (v->up)
                continue;
        }
        (void)snprintf(why, size, "db%u is %s", n + 1,
                       !v->up ? "down" : v->read_only ? "read-only" : "writable");
        return false;
    }
    if (strcmp(r->primary, s->config.nodes[s->line].name) != 0) {
        (void)snprintf(why, size, "the store names '%s', db%u is writable", r->primary,
                       s->line + 1);
        return false;
    }
    bool writes = false;
    for (uint32_t k = 0; k < SIM_CLIENTS; k++)
        writes = writes || (s->client[k].proxy != SIM_NONE && s->client[k].last_ok != STAY_NEVER &&
                            s->client[k].last_ok > s->now - 2 * STAY_SECOND &&
                            s->client[k].last_ok > s->healed_at);
    if (!writes) {
        (void)snprintf(why, size, "no client writes through a proxy");
        return false;
    }
    if (schedule_is_overdue(s)) {
        (void)snprintf(why, size, "a scheduled switchover is due and does not begin");
        return false;
    }
    for (uint32_t n = 0; n < s->setup.servers; n++) {
        if (n == s->line || r->quarantine[n] != QUARANTINE_NONE)
            continue;
        struct verdict v = verdict_judge_replica(c->view, n, s->now);
        if (v.action != ACT_QUARANTINE)
            continue;
        (void)snprintf(why, size, "db%u: %u %s, not set aside yet", n + 1, v.rule_id, v.name);
        return false;
    }
    for (uint32_t n = 0; n < s->setup.servers; n++)
        if (n != s->line && !check_is_attached(s, &s->server[n]) &&
            needs_no_human(s, &s->server[n])) {
            (void)snprintf(why, size, "db%u is healthy and not attached", n + 1);
            return false;
        }
    return true;
}
