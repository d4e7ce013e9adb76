/* controller/decide/cluster_births.c - the births of the ackers' processes: noted while somebody
 * looks, compared by whoever looks next. */
#include "controller/decide/cluster_births.h"

#define BIRTH_TOLERANCE_S 5 /* whole seconds of uptime, late answers, clocks of two controllers */
#define BIRTH_SLIDE_S     3 /* a clock that drifts away takes the record along */
/* Its successor begins later than this after it, more than the tolerance. */
#define BIRTH_AGE_MIN_S (BIRTH_TOLERANCE_S + BIRTH_SLIDE_S)

static uint32_t bit(uint32_t node)
{
    return UINT32_C(1) << node;
}

static int64_t born_wall_s(const struct cluster_view *view, uint32_t node)
{
    const struct node_view *n = &view->nodes[node];
    return (n->facts_begun_mono_us + view->wall_offset_us) / STAY_SECOND -
           (int64_t)n->facts.uptime_s;
}

static bool is_read(const struct cluster_view *view, uint32_t node)
{
    return (view->nodes[node].groups_known & FACTS_STATUS) != 0 && view->wall_offset_us != 0;
}

static bool differs(const struct cluster_view *view, uint32_t node,
                    const struct cluster_record *record, int64_t by_s)
{
    int64_t moved_s = born_wall_s(view, node) - record->born_wall_s[node];
    return moved_s >= by_s || moved_s <= -by_s;
}

void cluster_judge_births(struct cluster_view *view)
{
    const struct cluster_record *record = &view->record;
    for (uint32_t node = 0; node < view->config->node_count; node++) {
        struct node_view *n = &view->nodes[node];
        if (n->birth_judged || !is_read(view, node))
            continue;
        n->birth_judged = true;
        if (!record->births_kept || !(record->ackers & bit(node)) || node == view->primary)
            continue;
        bool is_known = (record->born_known & bit(node)) != 0;
        if (is_known && !differs(view, node, record, BIRTH_TOLERANCE_S + 1)) {
            n->restarted_mono_us = STAY_NEVER;
            n->idle_life = false;
        } else if (n->restarted_mono_us == STAY_NEVER) {
            n->restarted_mono_us = n->facts_mono_us;
        }
    }
}

/* Seen in this life to hold what the primary had after its last restart, if there was any. */
static bool lacks_nothing(const struct node_view *n)
{
    return n->caught_up_mono_us != STAY_NEVER &&
           (n->restarted_mono_us == STAY_NEVER || n->caught_up_mono_us > n->restarted_mono_us);
}

bool cluster_note_birth(const struct cluster_view *view, uint32_t node,
                        struct cluster_record *record)
{
    bool is_known = (record->born_known & bit(node)) != 0;
    if (!is_read(view, node) || view->nodes[node].facts.uptime_s < BIRTH_AGE_MIN_S ||
        (is_known && !differs(view, node, record, BIRTH_SLIDE_S)))
        return false;
    record->births_kept = true;
    record->born_known |= bit(node);
    record->born_wall_s[node] = born_wall_s(view, node);
    return true;
}

bool cluster_note_births(const struct cluster_view *view, struct cluster_record *record)
{
    bool changed = (record->born_known & ~record->ackers) != 0;
    if (!record->adopted)
        return false;
    record->born_known &= record->ackers;
    for (uint32_t node = 0; node < view->config->node_count; node++) {
        if (!(record->ackers & bit(node)) || node == view->primary)
            continue;
        if (cluster_has_stood(view, node)) { /* whoever looks next sees nothing of it any more */
            changed |= (record->born_known & bit(node)) != 0;
            record->born_known &= ~bit(node);
        } else if (lacks_nothing(&view->nodes[node])) {
            changed |= cluster_note_birth(view, node, record);
        }
    }
    return changed;
}
