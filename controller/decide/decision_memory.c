/* controller/decide/decision_memory.c - what decide() changes in a view, copied beside it, so that
 * a turn is recorded with what it was given. */
#include "controller/decide/decision.h"

void decision_memory_take(struct decision_memory *memory, const struct cluster_view *view)
{
#define X(type, name) memory->name = view->name;
    VIEW_MEMORY(X)
#undef X
    for (uint32_t i = 0; i < view->config->node_count; i++) {
#define X(type, name) memory->nodes[i].name = view->nodes[i].name;
        NODE_MEMORY(X)
#undef X
    }
    gtid_set_clear(&memory->barrier);
    if (view->barrier_captured)
        gtid_set_copy(&memory->barrier, &view->barrier);
}

#define SWAP(type, a, b)                                                                           \
    do {                                                                                           \
        type held = (a);                                                                           \
        (a) = (b);                                                                                 \
        (b) = held;                                                                                \
    } while (0)

void decision_memory_swap(struct decision_memory *memory, struct cluster_view *view)
{
#define X(type, name) SWAP(type, memory->name, view->name);
    VIEW_MEMORY(X)
#undef X
    for (uint32_t i = 0; i < view->config->node_count; i++) {
#define X(type, name) SWAP(type, memory->nodes[i].name, view->nodes[i].name);
        NODE_MEMORY(X)
#undef X
    }
    SWAP(struct gtid_set, memory->barrier, view->barrier);
}

void decision_memory_clear(struct decision_memory *memory)
{
    gtid_set_clear(&memory->barrier);
}
