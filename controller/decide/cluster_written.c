/* controller/decide/cluster_written.c - what each server wrote itself as far as the primary knows:
 * a replica takes no writes of its own, so this is fixed for an epoch. The record keeps it, for a
 * controller that starts after the primary died cannot ask anybody what was errant. */
#include "controller/decide/cluster.h"

static bool has_identity(const struct cluster_view *view, uint32_t node)
{
    const struct server_facts *facts = &view->nodes[node].facts;
    return view->config->engine == ENGINE_MYSQL ? facts->server_uuid[0] != '\0'
                                                : facts->server_id != 0;
}

static uint64_t written_by(const struct cluster_view *view, uint32_t node,
                           const struct gtid_set *held)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < held->n; i++)
        if (cluster_range_is_of(view, node, &held->v[i]))
            sum += held->v[i].last - held->v[i].first + 1;
    return sum;
}

bool cluster_note_written(const struct cluster_view *view, uint32_t primary,
                          const struct gtid_set *held, struct cluster_record *record)
{
    bool changed = false;
    for (uint32_t node = 0; node < view->config->node_count; node++) {
        uint32_t bit = UINT32_C(1) << node;
        if (node == primary || !has_identity(view, node))
            continue;
        uint64_t sum = written_by(view, node, held);
        if ((record->written_known & bit) && sum <= record->written[node])
            continue;
        record->written_known |= bit;
        record->written[node] = sum;
        changed = true;
    }
    return changed;
}

bool cluster_wrote_alone(const struct cluster_view *view, uint32_t node,
                         const struct gtid_set *held)
{
    return (view->record.written_known & (UINT32_C(1) << node)) != 0 && node != view->primary &&
           has_identity(view, node) && written_by(view, node, held) > view->record.written[node];
}
