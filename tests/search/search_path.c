/* Paths as text: "write:1 data kill:1 tick tick@3:die". Servers count from 1, boundaries from 0. */
#include "tests/search/search.h"

static const char *const words[] = {
#define X(id, word, kind, what) word,
    SEARCH_EVENTS(X)
#undef X
};
static const char *const whats[] = {
#define X(id, word, kind, what) what,
    SEARCH_EVENTS(X)
#undef X
};
static const char kinds[][2] = {
#define X(id, word, kind, what) #kind,
    SEARCH_EVENTS(X)
#undef X
};
static const char *const interrupts[] = {
#define X(id, word, what) word,
    SEARCH_INTERRUPTS(X)
#undef X
};
static const char *const interrupt_whats[] = {
#define X(id, word, what) what,
    SEARCH_INTERRUPTS(X)
#undef X
};

const char *search_mutant_name(unsigned id)
{
    static const char *const names[] = {
#define X(id, what) #id,
        MUTANTS(X)
#undef X
    };
    return id < MUTANT_COUNT ? names[id] : "?";
}

unsigned search_mutant_by_name(const char *name)
{
    unsigned id = 0;
    while (id < MUTANT_COUNT && strcmp(name, search_mutant_name(id)) != 0)
        id++;
    return id;
}

const char *search_event_word(enum search_event_kind kind)
{
    return kind < SEARCH_EVENT_COUNT ? words[kind] : "?";
}

const char *search_interrupt_word(enum search_interrupt interrupt)
{
    return interrupt < INTERRUPT_COUNT ? interrupts[interrupt] : "?";
}

bool search_event_has_node(enum search_event_kind kind)
{
    return kinds[kind][0] == 'N';
}

void step_text(const struct search_step *step, char *text, size_t size)
{
    if (kinds[step->kind][0] == 'N')
        (void)snprintf(text, size, "%s:%u", words[step->kind], step->node + 1u);
    else if (step->interrupt != INTERRUPT_NONE)
        (void)snprintf(text, size, "%s@%u:%s", words[step->kind], (unsigned)step->at,
                       interrupts[step->interrupt]);
    else
        (void)snprintf(text, size, "%s", words[step->kind]);
}

void path_print(const struct search_path *path, FILE *out)
{
    char text[64];
    for (uint32_t i = 0; i < path->n; i++) {
        const struct search_step *p = &path->step[i];
        step_text(p, text, sizeof text);
        fprintf(out, "  %2u  %-22s %s%s%s\n", i + 1, text, whats[p->kind],
                p->interrupt ? "; at its boundary " : "",
                p->interrupt ? interrupt_whats[p->interrupt] : "");
    }
    fprintf(out, "  path:");
    for (uint32_t i = 0; i < path->n; i++) {
        step_text(&path->step[i], text, sizeof text);
        fprintf(out, " %s", text);
    }
    fprintf(out, "\n");
}

static bool parse_interrupt(const char *text, struct search_step *step)
{
    char *end;
    step->at = (uint8_t)strtoul(text, &end, 10);
    for (uint8_t i = 1; *end == ':' && i < INTERRUPT_COUNT; i++)
        if (strcmp(end + 1, interrupts[i]) == 0) {
            step->interrupt = i;
            return true;
        }
    return false;
}

bool step_parse(const char *token, struct search_step *ret_step)
{
    size_t n = strcspn(token, ":@");
    struct search_step step = {0};
    while (step.kind < SEARCH_EVENT_COUNT &&
           (strlen(words[step.kind]) != n || strncmp(words[step.kind], token, n) != 0))
        step.kind++;
    if (step.kind == SEARCH_EVENT_COUNT)
        return false;
    if (kinds[step.kind][0] == 'N') {
        long node = token[n] == ':' ? strtol(token + n + 1, NULL, 10) : 0;
        if (node < 1 || node > SIM_SERVERS)
            return false;
        step.node = (uint8_t)(node - 1);
    } else if (token[n] == '@' ? !parse_interrupt(token + n + 1, &step) : token[n] != '\0') {
        return false;
    }
    *ret_step = step;
    return true;
}

bool path_parse(const char *text, struct search_path *ret_path)
{
    char token[64];
    ret_path->n = 0;
    for (;;) {
        text += strspn(text, " ");
        size_t n = strcspn(text, " ");
        if (n == 0)
            return true;
        if (n >= sizeof token || ret_path->n >= PATH_MAX_STEPS)
            return false;
        memcpy(token, text, n);
        token[n] = '\0';
        if (!step_parse(token, &ret_path->step[ret_path->n++]))
            return false;
        text += n;
    }
}
