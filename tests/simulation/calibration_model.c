/* Runs a calibration script on the model: a quiet world of three servers without a controller. */
#include "tests/simulation/calibration.h"
#include "tests/simulation/sim.h"

/* Answers of the script's clients; the model's own clients stay out of it. */
struct bench {
    struct sim *s;
    uint32_t op[SIM_CLIENTS];
};

static void begin_write(struct bench *b, uint32_t server, uint32_t client)
{
    struct sim *s = b->s;
    struct sim_client *k = &s->client[client];
    k->server = server;
    k->life = s->server[server].life;
    k->busy = true;
    k->begun = s->now;
    k->ok = k->unknown = k->fail = 0;
    sim_at(s, s->now + 100, EV_WRITE, client, server, k->op, k->life);
}

static uint32_t client_state(const struct sim_client *k)
{
    return k->ok > 0 ? 1 : k->unknown > 0 || k->fail > 0 ? 2 : 0;
}

static void restart(struct sim *s, struct sim_server *v)
{
    v->killed_at = s->now + STAY_SECOND; /* the engine had time to make its commits durable */
    server_start(s, v);
}

static void act_values(struct sim_server *v, const struct calibration_line *l)
{
    bool on = l->arg != 0;
    switch ((int)l->step) {
    case CAL_SET_SKIP: v->st_skip = on; break;
    case CAL_SET_ROLE_REPLICA: v->st_role_replica = on; break;
    case CAL_SET_RECOVERY: v->st_relay_recovery = on; break;
    case CAL_SET_START_READ_ONLY: v->st_read_only = on; break;
    case CAL_SS_REPLICA: v->ss_replica = on; break;
    default: break;
    }
}

static void act(struct bench *b, struct sim_server *v, const struct calibration_line *l)
{
    struct sim *s = b->s;
    switch ((int)l->step) {
    case CAL_WRITE: begin_write(b, v->index, l->arg); break;
    case CAL_WAIT_MS: sim_until(s, s->now + l->arg * STAY_MS); break;
    case CAL_STOP_APPLIER: replica_stop_applier(s, v); break;
    case CAL_START_APPLIER: replica_start_applier(s, v); break;
    case CAL_STOP_RECEIVER: replica_stop_receiver(s, v); break;
    case CAL_START_RECEIVER: replica_start_receiver(s, v); break;
    case CAL_STOP_BOTH: replica_stop_receiver(s, v); replica_stop_applier(s, v); break;
    case CAL_START_BOTH: replica_start_receiver(s, v); replica_start_applier(s, v); break;
    case CAL_CHANGE_HEARTBEAT: replica_change(s, v, v->source); break;
    case CAL_KILL9: server_kill(s, v, false, false); break;
    case CAL_SIGTERM: server_kill(s, v, true, false); break;
    case CAL_START: restart(s, v); break;
    case CAL_SS_SOURCE: server_ss_set(s, v, l->arg != 0, false); break;
    case CAL_KILL_SESSION: (void)server_kill_clients(s, v); break;
    case CAL_READ_ONLY:
        v->read_only = v->read_only || v->waiter_n == 0;
        break;
    default: act_values(v, l); break;
    }
}

static uint32_t look(struct bench *b, struct sim_server *v, const struct calibration_line *l)
{
    static struct gtid_set executed, received;
    struct sim *s = b->s;
    uint32_t n = 0;
    switch ((int)l->step) {
    case CAL_CLIENT_IS: return client_state(&s->client[l->arg]);
    case CAL_UNAPPLIED_ARE: return v->relay_n - v->relay_head;
    case CAL_ROWS_ARE: return v->log_n;
    case CAL_ACKERS_ARE:
        for (uint32_t r = 0; r < s->setup.servers; r++)
            n += v->dump[r].open && v->dump[r].semisync;
        return n;
    case CAL_WAITERS_ARE: return v->waiter_n;
    case CAL_CLAIMS_MORE:
        facts_set_executed(s, v, &executed);
        facts_set_received(s, v, &received);
        return !gtid_set_contains(&executed, &received);
    case CAL_IS_READ_ONLY: return v->read_only;
    case CAL_NO_TX_IS: return (uint32_t)v->no_tx;
    case CAL_NO_TIMES_IS: return (uint32_t)v->no_times;
    case CAL_SS_STATUS_IS: return v->ss_status;
    default: return UINT32_MAX;
    }
}

bool calibration_run_model(const struct calibration_script *script, char *ret_text, size_t size)
{
    struct sim_stats *stats = stay_calloc(1, sizeof *stats);
    struct bench b = {.s = sim_new(stats)};
    struct sim *s = b.s;
    bool ok = true;
    sim_reset(s, 1);
    sim_build(s, script->engine, LAYOUT_WITNESS);
    for (uint32_t c = 0; c < SIM_CLIENTS; c++)
        s->client[c] =
            (struct sim_client){.host = SIM_HOST_APP, .proxy = SIM_NONE, .server = SIM_NONE};
    s->calibrates = true;
    sim_until(s, s->now + STAY_SECOND);
    for (const struct calibration_line *l = script->lines; ok && l->step != CAL_END; l++) {
        struct sim_server *v = &s->server[l->server > 0 ? l->server - 1 : 0];
        if (l->step < CAL_CLIENT_IS) {
            act(&b, v, l);
            continue;
        }
        uint32_t is = look(&b, v, l);
        ok = is == l->want;
        if (!ok)
            (void)snprintf(ret_text, size, "line %ld, server %u, %s: want %u, is %u",
                           (long)(l - script->lines) + 1, l->server, calibration_step_what(l->step),
                           l->want, is);
    }
    s->calibrates = false;
    sim_free(s);
    free(stats);
    return ok;
}
