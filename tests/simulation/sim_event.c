/* The event heap, virtual time, draws and the trace of a simulated life. Everything random goes
 * through sim_draw and sim_span, so that a seed decides everything. */
#include "tests/simulation/sim.h"
#include <stdarg.h>

static bool earlier(const struct sim_event *a, const struct sim_event *b)
{
    return a->at < b->at || (a->at == b->at && a->order < b->order);
}

void sim_at(struct sim *s, int64_t at, enum sim_event_kind kind, uint32_t a, uint32_t b,
            uint32_t gen, uint32_t arg)
{
    must(s->event_n < SIM_EVENTS);
    struct sim_event e = {.at = at < s->now ? s->now : at,
                          .order = s->order++,
                          .kind = (uint16_t)kind,
                          .a = (uint16_t)a,
                          .b = (uint16_t)b,
                          .gen = gen,
                          .arg = arg};
    uint32_t i = s->event_n++;
    while (i > 0 && earlier(&e, &s->events[(i - 1) / 2])) {
        s->events[i] = s->events[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    s->events[i] = e;
}

bool sim_next(struct sim *s, struct sim_event *ret_event)
{
    if (s->event_n == 0)
        return false;
    *ret_event = s->events[0];
    struct sim_event last = s->events[--s->event_n];
    uint32_t i = 0;
    for (;;) {
        uint32_t child = 2 * i + 1;
        if (child >= s->event_n)
            break;
        if (child + 1 < s->event_n && earlier(&s->events[child + 1], &s->events[child]))
            child++;
        if (!earlier(&s->events[child], &last))
            break;
        s->events[i] = s->events[child];
        i = child;
    }
    s->events[i] = last;
    return true;
}

static void hash_bytes(struct sim *s, const char *text)
{
    for (; *text; text++)
        s->trace_hash = (s->trace_hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
}

void sim_trace(struct sim *s, const char *fmt, ...)
{
    if (!s->trace)
        return;
    char line[600];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    printf("%9.4f  %s\n", (double)s->now / 1e6, line);
    hash_bytes(s, line);
}

void sim_violate(struct sim *s, enum sim_invariant inv, const char *fmt, ...)
{
    if (s->violation != INV_NONE)
        return;
    s->violation = inv;
    s->stopped = true;
    int n = snprintf(s->violation_text, sizeof s->violation_text, "%s at %.3f s: ",
                     sim_invariant_text(inv), (double)s->now / 1e6);
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(s->violation_text + n, sizeof s->violation_text - (size_t)n, fmt, args);
    va_end(args);
    sim_trace(s, "VIOLATION %s", s->violation_text);
}

uint32_t sim_draw(struct sim *s, uint32_t bound)
{
    return bound <= 1 ? 0 : (uint32_t)random_below(&s->random, bound);
}

bool sim_percent(struct sim *s, uint32_t percent)
{
    return sim_draw(s, 100) < percent;
}

int64_t sim_span(struct sim *s, int64_t low, int64_t high)
{
    return random_between(&s->random, low, high);
}

const char *sim_fault_text(enum sim_fault fault)
{
    static const char *const names[] = {
#define X(id, text) text,
        SIM_FAULTS(X)
#undef X
    };
    return fault < FAULT_COUNT ? names[fault] : "?";
}

const char *sim_invariant_text(enum sim_invariant inv)
{
    static const char *const names[] = {
#define X(id, text) text,
        SIM_INVARIANTS(X)
#undef X
    };
    return inv < INV_COUNT ? names[inv] : "?";
}

const char *sim_script_text(enum sim_script script)
{
    static const char *const texts[] = {
#define X(id, engine, layout) #id,
        SIM_SCRIPTS(X)
#undef X
    };
    return texts[script];
}

const char *sim_layout_text(enum sim_layout layout)
{
    static const char *const names[] = {"1+1", "1+1+witness", "1+2", "1+1+own-zone", "1+2+witness"};
    return layout < LAYOUT_COUNT ? names[layout] : "?";
}
