/* How a life of the crash-point matrix ended: as the uninterrupted one, as before its plan, or
 * rightly otherwise. */
#include "tests/simulation/sim_crash_end.h"
#include "tests/simulation/sim_rewind.h"

void crash_describe(const struct sim *s, struct final_state *state)
{
    const struct cluster_record *r = &s->store.record;
    size_t used = (size_t)snprintf(state->text, sizeof state->text, "primary %s, mode %d",
                                   r->primary, (int)r->mode);
    for (uint32_t n = 0; n < s->setup.servers && used < sizeof state->text; n++) {
        const struct sim_server *v = &s->server[n];
        const char *role = !v->up                    ? "down"
                           : v->frozen               ? "frozen"
                           : !v->read_only           ? "open"
                           : check_is_attached(s, v) ? "follows"
                           : v->configured           ? "stands"
                                                     : "alone";
        used += (size_t)snprintf(state->text + used, sizeof state->text - used, ", db%u %s%s%s%s",
                                 n + 1, role, r->quarantine[n] ? " set aside" : "",
                                 v->drifts ? " weakened" : "",
                                 rewind_is_half(s, v) ? " half rewound" : "");
    }
    if (used < sizeof state->text && r->plan_id[0] != '\0')
        (void)snprintf(state->text + used, sizeof state->text - used, ", %s unfinished",
                       r->plan_id);
}

bool crash_is_undone(const struct sim *s, enum plan_kind kind, const struct final_state *before,
                     const struct final_state *state)
{
    bool undone = s->store.has_run && s->store.run->kind == kind &&
                  s->store.run->state != RUN_SUCCEEDED;
    bool never = !s->store.has_run || s->store.run->kind != kind;
    return s->violation == INV_NONE && (undone || never) &&
           strcmp(state->text, before->text) == 0;
}

bool crash_is_otherwise(const struct sim *s, const struct crash_stage *stage,
                        const struct final_state *want)
{
    if (!stage->sets_aside && !stage->any_primary)
        return false;
    struct final_state as_if;
    const struct cluster_record *r = &s->store.record;
    size_t used = (size_t)snprintf(as_if.text, sizeof as_if.text, "primary %s, mode %d", r->primary,
                                   (int)r->mode);
    bool moved = strncmp(as_if.text, want->text, used) != 0;
    if (s->violation != INV_NONE || r->plan_id[0] != '\0' || (moved && !stage->any_primary))
        return false;
    for (uint32_t n = 0; n < s->setup.servers; n++) {
        const struct sim_server *v = &s->server[n];
        if (r->quarantine[n] != QUARANTINE_NONE && !stage->sets_aside)
            return false;
        bool follows = r->quarantine[n] == QUARANTINE_NONE &&
                       (v->read_only ? check_is_attached(s, v) : n == s->line);
        if (!follows && r->quarantine[n] == QUARANTINE_NONE)
            return false;
        for (uint32_t i = 0; i < v->log_n; i++)
            if (s->tx[v->log[i]].acked && !bit_get(s->server[s->line].have, v->log[i]))
                return false;
    }
    return true;
}
