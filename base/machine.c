/* base/machine.c - checked moves of declared state machines. */
#include "base/machine.h"

void machine_init(struct machine *m, const struct machine_kind *kind, unsigned first)
{
    must(kind->state_count <= MACHINE_STATES_MAX && first < kind->state_count);
    *m = (struct machine){.kind = kind, .state = first};
}

bool machine_may_move(const struct machine *m, unsigned to)
{
    return to < m->kind->state_count && (m->kind->states[m->state].may_go_to & MACHINE_TO(to)) != 0;
}

void machine_move(struct machine *m, unsigned to)
{
    unsigned from = m->state;
    if (!machine_may_move(m, to)) {
        (void)fprintf(stderr, "machine %s: no move from %s to %s\n", m->kind->name,
                      machine_state_name(m),
                      to < m->kind->state_count ? m->kind->states[to].name : "(no such state)");
        abort();
    }
    m->state = to;
    if (m->moves < UINT32_MAX)
        m->moves++;
    if (m->on_move != NULL)
        m->on_move(m, from, m->user);
}

bool machine_is_done(const struct machine *m)
{
    return m->kind->states[m->state].is_terminal;
}

const char *machine_state_name(const struct machine *m)
{
    return m->kind->states[m->state].name;
}

bool machine_kind_is_sound(const struct machine_kind *kind, unsigned first, const char **ret_why)
{
    uint64_t all =
        kind->state_count >= MACHINE_STATES_MAX ? UINT64_MAX : MACHINE_TO(kind->state_count) - 1;
    uint64_t reached = MACHINE_TO(first), before;
    do {
        before = reached;
        for (unsigned i = 0; i < kind->state_count; i++) {
            if ((reached & MACHINE_TO(i)) != 0)
                reached |= kind->states[i].may_go_to;
        }
    } while (reached != before);
    for (unsigned i = 0; i < kind->state_count; i++) {
        const struct machine_state *s = &kind->states[i];
        bool is_sound = (s->may_go_to & ~all) == 0 && (s->may_go_to == 0) == s->is_terminal &&
                        (reached & MACHINE_TO(i)) != 0;
        if (!is_sound) {
            *ret_why = s->name;
            return false;
        }
    }
    return true;
}
