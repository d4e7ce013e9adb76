/* What route steps do in the simulated world: the proxies take the newest epoch's target and close
 * their sessions to any other; hooks mostly succeed. */
#include "tests/simulation/sim.h"

static void close_sessions(struct sim *s, uint32_t proxy, uint32_t but)
{
    for (uint32_t k = 0; k < SIM_CLIENTS; k++)
        if (s->client[k].proxy == proxy && s->client[k].server != SIM_NONE &&
            s->client[k].server != but)
            client_session_lost(s, k, s->client[k].server);
}

static enum outcome route_set(struct sim *s, const struct effect *effect, uint32_t target)
{
    enum outcome outcome = OUTCOME_DONE;
    for (uint32_t p = 0; p < SIM_PROXIES; p++) {
        struct sim_proxy *x = &s->proxy[p];
        if (!x->up || !x->reachable) {
            outcome = OUTCOME_NOT_DONE;
            continue;
        }
        if (effect->epoch < x->epoch) {
            outcome = OUTCOME_NOT_DONE; /* a lower epoch is refused there */
            continue;
        }
        x->epoch = effect->epoch;
        x->target = target;
        close_sessions(s, p, target);
    }
    return outcome;
}

static enum outcome canary_route(struct sim *s, const struct effect *effect)
{
    for (uint32_t p = 0; p < SIM_PROXIES; p++)
        if (s->proxy[p].up && s->proxy[p].target == effect->node &&
            net_both(s, SIM_HOST_APP + p, effect->node) && server_alive(&s->server[effect->node]) &&
            !s->server[effect->node].read_only)
            return OUTCOME_DONE;
    return OUTCOME_NOT_DONE;
}

void route_step(struct sim *s, struct sim_effect *x)
{
    switch (x->effect.step) {
    case STEP_ROUTE_CLOSE: x->outcome = route_set(s, &x->effect, SIM_NONE); return;
    case STEP_ROUTE_OPEN: x->outcome = route_set(s, &x->effect, x->effect.node); return;
    case STEP_CANARY_ROUTE: x->outcome = canary_route(s, &x->effect); return;
    case STEP_HOOK_PRE:
        x->outcome =
            !s->healed && !s->setup.plain && sim_percent(s, 1) ? OUTCOME_NOT_DONE : OUTCOME_DONE;
        return;
    case STEP_HOOK_POST: x->outcome = OUTCOME_DONE; return;
    case STEP_NONE: case STEP_CHECK: case STEP_INTENT: case STEP_FENCE: case STEP_FREEZE:
    case STEP_DRAIN: case STEP_COLLECT: case STEP_CHOOSE: case STEP_TOP_UP: case STEP_CERTIFY:
    case STEP_DETACH: case STEP_SOURCE_ON: case STEP_SOURCE_OFF: case STEP_STORE_MODE:
    case STEP_ATTACH: case STEP_WAIT_ACKERS: case STEP_VERIFY_FREEZE: case STEP_WRITABLE:
    case STEP_CANARY: case STEP_COMMIT: case STEP_QUIESCE: case STEP_CATCH_UP: case STEP_THAW:
    case STEP_UNFENCE: case STEP_COMPARE: case STEP_QUARANTINE: case STEP_SET_TIMEOUTS:
    case STEP_CREATE_SCHEMA: case STEP_BARRIER: case STEP_REPLICA_ROLE: case STEP_START_APPLIER:
    case STEP_SET_VARIABLES: case STEP_ACKNOWLEDGE: case STEP_END_STREAM:
    case STEP_COPY: case STEP_COPY_STOP: case STEP_ADMIT:
    case STEP_REWIND:
    case STEP_REPLAY:
    case STEP_KIND_COUNT: break;
    }
    sim_violate(s, INV_MODEL, "no such route step: %s", step_kind_text(x->effect.step));
}
