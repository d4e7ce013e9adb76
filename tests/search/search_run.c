/* The search itself: breadth first over paths. A state is kept as its parent and one step (12
 * bytes); its memory is made again by living the path from the deepest snapshot that the state
 * before it shares, which in breadth-first order is nearly always its parent's. */
#include "tests/search/search.h"
#include <time.h>

struct node { /* of the tree of states */
    uint32_t parent;
    struct search_step step;
    uint8_t depth, faults, interrupts, writes;
};

struct table { /* open addressing, 0: empty */
    uint64_t *slot, size, used;
};

struct searcher {
    const struct search_options *o;
    struct search_counts *counts;
    struct world *w;
    struct sim_stats stats;
    struct node *nodes;
    uint64_t node_n;
    struct table seen;
    struct search_path loaded;          /* the path whose snapshots are held */
    void *snapshot[PATH_MAX_STEPS + 1]; /* [d]: after d steps of it */
    size_t snapshot_size;
    struct timespec begun;
    struct search_path *ret_path;
    char *text;
    size_t text_size;
};

static double seconds(const struct searcher *x)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - x->begun.tv_sec) + (double)(now.tv_nsec - x->begun.tv_nsec) / 1e9;
}

/* True: it was not there. */
static bool table_add(struct table *t, uint64_t key)
{
    key = key == 0 ? 1 : key;
    uint64_t i = key & (t->size - 1);
    while (t->slot[i] != 0 && t->slot[i] != key)
        i = (i + 1) & (t->size - 1);
    if (t->slot[i] == key)
        return false;
    must(++t->used < t->size - t->size / 8);
    t->slot[i] = key;
    return true;
}

static bool table_has(const struct table *t, uint64_t key)
{
    key = key == 0 ? 1 : key;
    uint64_t i = key & (t->size - 1);
    while (t->slot[i] != 0 && t->slot[i] != key)
        i = (i + 1) & (t->size - 1);
    return t->slot[i] == key;
}

static uint64_t budget_key(uint64_t hash, uint32_t faults, uint32_t interrupts, uint32_t writes)
{
    return hash ^ (UINT64_C(0x9e3779b97f4a7c15) * (1 + faults * 256u + interrupts * 16u + writes));
}

/* Was the state reached before with as few events (breadth first), faults, interrupts and writes?
 */
static bool is_known(const struct searcher *x, uint64_t hash, const struct node *as)
{
    for (uint32_t f = 0; f <= as->faults; f++)
        for (uint32_t i = 0; i <= as->interrupts; i++)
            for (uint32_t n = 0; n <= as->writes; n++)
                if (table_has(&x->seen, budget_key(hash, f, i, n)))
                    return true;
    return false;
}

static void path_of(const struct searcher *x, uint64_t node, struct search_path *ret_path)
{
    ret_path->n = x->nodes[node].depth;
    for (uint32_t d = ret_path->n; d > 0; d--) {
        ret_path->step[d - 1] = x->nodes[node].step;
        node = x->nodes[node].parent;
    }
}

static void take(struct searcher *x, uint32_t depth)
{
    if (!x->snapshot[depth])
        x->snapshot[depth] = memory_map(x->snapshot_size);
    size_t n = memory_take(x->snapshot[depth], x->snapshot_size);
    must(n > 0);
    x->counts->snapshot_bytes = n;
}

/* Makes the state of `node` live and its snapshot held. */
static void load(struct searcher *x, uint64_t node, struct search_path *ret_path)
{
    path_of(x, node, ret_path);
    uint32_t same = 0;
    while (same < ret_path->n && same < x->loaded.n &&
           memcmp(&ret_path->step[same], &x->loaded.step[same], sizeof(struct search_step)) == 0)
        same++;
    memory_put(x->snapshot[same]);
    for (uint32_t d = same; d < ret_path->n; d++) {
        world_do(x->w, &ret_path->step[d], NULL, NULL);
        take(x, d + 1);
    }
    x->loaded = *ret_path;
}

static bool is_free(uint8_t kind)
{
    switch (kind) {
    case SEARCH_TICK:
    case SEARCH_DATA:
    case SEARCH_WRITE:
    case SEARCH_START:
    case SEARCH_THAW:
    case SEARCH_START_SHORT:
    case SEARCH_HEAL:
    case SEARCH_UNLOCK:
    case SEARCH_RESUME:
    case SEARCH_STORE_UP:
        return true;
    default:
        return false;
    }
}

/* False: an invariant does not hold. */
static bool judged(struct searcher *x, uint64_t parent, const struct search_step *step,
                   const char *when)
{
    struct sim *s = x->w->s;
    if (s->violation == INV_NONE)
        return true;
    path_of(x, parent, x->ret_path);
    if (step)
        x->ret_path->step[x->ret_path->n++] = *step;
    (void)snprintf(x->text, x->text_size, "%s%s", s->violation_text, when);
    x->counts->stopped_by = (uint64_t)s->violation;
    return false;
}

static bool heal_checked(struct searcher *x, uint64_t parent, const struct search_step *step,
                         uint64_t hash)
{
    x->counts->healed++;
    uint64_t converged = x->stats.converged, asks = x->stats.human_ends;
    world_heal(x->w, hash);
    x->counts->converged += x->stats.converged - converged;
    x->counts->asks += x->stats.human_ends - asks;
    return judged(x, parent, step, " (after every fault was healed)");
}

/* The live state came about by `step` from `parent`. */
static bool arrived(struct searcher *x, uint64_t parent, const struct search_step *step)
{
    struct search_counts *c = x->counts;
    const struct node *from = &x->nodes[parent];
    c->transitions++;
    c->event[step->kind]++;
    c->interrupt[step->interrupt]++;
    if (!judged(x, parent, step, ""))
        return false;
    uint64_t hash = world_hash(x->w);
    struct node as = {.parent = (uint32_t)parent,
                      .step = *step,
                      .depth = (uint8_t)(from->depth + 1),
                      .faults = (uint8_t)(from->faults + !is_free(step->kind)),
                      .interrupts =
                          (uint8_t)(from->interrupts + (step->interrupt != INTERRUPT_NONE)),
                      .writes = (uint8_t)(from->writes + (step->kind == SEARCH_WRITE))};
    if (is_known(x, hash, &as)) {
        c->same++;
        return true;
    }
    (void)table_add(&x->seen, budget_key(hash, as.faults, as.interrupts, as.writes));
    bool is_new = table_add(&x->seen, hash);
    x->nodes[x->node_n++] = as;
    if (!is_new)
        return true;
    c->states++;
    c->at_depth[from->depth + 1]++;
    c->depth = from->depth + 1u;
    if (x->o->heal_every > 0 && hash % x->o->heal_every == 0)
        return heal_checked(x, parent, step, hash);
    return true;
}

static bool try_step(struct searcher *x, uint64_t node, const struct search_step *step,
                     enum boundary *boundaries, uint32_t *ret_count)
{
    memory_put(x->snapshot[x->nodes[node].depth]);
    world_do(x->w, step, boundaries, ret_count);
    return arrived(x, node, step);
}

static bool befalls(enum search_interrupt interrupt, enum boundary b)
{
    switch (interrupt) {
    case INTERRUPT_DIE:
        return true;
    case INTERRUPT_LATE:
        return b == BOUNDARY_COMMAND_HELD;
    case INTERRUPT_DIE_LATE:
    case INTERRUPT_STUCK:
    case INTERRUPT_FAIL:
        return b == BOUNDARY_COMMAND;
    case INTERRUPT_LOST:
        return b == BOUNDARY_ANSWER;
    case INTERRUPT_SAVE_LOST:
        return b == BOUNDARY_SAVE;
    case INTERRUPT_NONE:
    case INTERRUPT_COUNT:
        break;
    }
    return false;
}

static bool expand_tick(struct searcher *x, uint64_t node)
{
    enum boundary b[BOUNDARIES_MAX];
    uint32_t n = 0;
    struct search_step step = {.kind = SEARCH_TICK};
    if (!try_step(x, node, &step, b, &n))
        return false;
    if (x->nodes[node].interrupts >= x->o->interrupts)
        return true;
    for (uint32_t at = 0; at < n; at++)
        for (uint8_t i = INTERRUPT_NONE + 1; i < INTERRUPT_COUNT; i++) {
            step.at = (uint8_t)at;
            step.interrupt = i;
            if (befalls((enum search_interrupt)i, b[at]) && !try_step(x, node, &step, NULL, NULL))
                return false;
        }
    return true;
}

/* The events other than a tick that may happen in the live state, within the path's budgets. */
static uint32_t list_steps(struct searcher *x, const struct node *node, struct search_step *steps)
{
    uint32_t count = 0;
    for (uint8_t kind = SEARCH_TICK + 1; kind < SEARCH_EVENT_COUNT; kind++) {
        bool has_node = search_event_has_node((enum search_event_kind)kind);
        if (!(x->o->kinds >> kind & 1) || (!is_free(kind) && node->faults >= x->o->faults) ||
            (kind == SEARCH_WRITE && node->writes >= x->o->writes))
            continue;
        for (uint8_t n = 0; n < (has_node ? x->w->s->setup.servers : 1); n++) {
            struct search_step step = {.kind = kind, .node = n};
            if (world_may(x->w, &step))
                steps[count++] = step;
        }
    }
    return count;
}

static bool expand(struct searcher *x, uint64_t node)
{
    struct search_path path;
    struct search_step steps[SEARCH_EVENT_COUNT * SIM_SERVERS];
    load(x, node, &path);
    uint32_t count = list_steps(x, &x->nodes[node], steps);
    if (!expand_tick(x, node))
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (!try_step(x, node, &steps[i], NULL, NULL))
            return false;
    return true;
}

static void begin(struct searcher *x)
{
    uint64_t slots = 1 << 16;
    while (slots < x->o->states_max * 4)
        slots *= 2;
    x->seen = (struct table){.slot = memory_map(slots * sizeof(uint64_t)), .size = slots};
    x->nodes = memory_map((x->o->states_max * 2 + 4096) * sizeof *x->nodes);
    (void)clock_gettime(CLOCK_MONOTONIC, &x->begun);
    x->w = world_new(&x->stats, x->o);
    x->snapshot_size = memory_size() * 2;
    take(x, 0);
    x->node_n = 1;
    uint64_t hash = world_hash(x->w);
    (void)table_add(&x->seen, hash);
    (void)table_add(&x->seen, budget_key(hash, 0, 0, 0));
    x->counts->states = 1;
    x->counts->at_depth[0] = 1;
}

bool search_run(const struct search_options *o, struct search_counts *counts,
                struct search_path *ret_path, char *text, size_t size)
{
    struct searcher *x = memory_map(sizeof *x);
    *x = (struct searcher){
        .o = o, .counts = counts, .ret_path = ret_path, .text = text, .text_size = size};
    begin(x);
    counts->complete = true;
    for (uint64_t node = 0; node < x->node_n; node++) {
        if (x->nodes[node].depth >= o->events)
            break;
        if (counts->states >= o->states_max || x->node_n >= o->states_max * 2 ||
            (node % 64 == 0 && seconds(x) > o->seconds_max)) {
            counts->complete = false;
            break;
        }
        if (!expand(x, node))
            return false;
    }
    return true;
}

enum sim_invariant search_replay(const struct search_options *o, const struct search_path *path,
                                 bool heals, bool traces, char *text, size_t size)
{
    struct sim_stats *stats = memory_map(sizeof *stats);
    struct world *w = world_new(stats, o);
    w->s->trace = traces;
    for (uint32_t i = 0; i < path->n && !w->s->stopped; i++) {
        if (world_may(w, &path->step[i]))
            world_do(w, &path->step[i], NULL, NULL);
        else
            sim_trace(w->s, "EVENT %u cannot happen here", i + 1);
    }
    uint64_t hash = world_hash(w);
    if (heals && !w->s->stopped)
        world_heal(w, hash);
    stay_copy(text, size, w->s->violation_text);
    return w->s->violation;
}
