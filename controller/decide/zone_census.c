/* controller/decide/zone_census.c - counts by zone; see the header. */
#include "controller/decide/zone_census.h"

#include "controller/decide/verdict_private.h"

/* Guards that wait for other clusters: a cluster they hold is still one that wants to go. */
#define FLEET_GUARDS                                                                               \
    (UINT32_C(1) << GUARD_ZONE_LIMIT | UINT32_C(1) << GUARD_ZONE_ORDER |                           \
     UINT32_C(1) << GUARD_HOURLY_LIMIT | UINT32_C(1) << GUARD_BLAST_RADIUS)

static struct zone_census *zone_named(struct fleet_census *census, const char *name)
{
    for (uint32_t i = 0; i < census->zone_count; i++)
        if (strcmp(census->zones[i].name, name) == 0)
            return &census->zones[i];
    if (census->zone_count == ZONE_CENSUS_MAX || name[0] == '\0')
        return NULL;
    struct zone_census *zone = &census->zones[census->zone_count++];
    *zone = (struct zone_census){.first = UINT32_MAX};
    (void)stay_copy(zone->name, sizeof zone->name, name);
    return zone;
}

static bool is_first_in_zone(const struct cluster_config *config, uint32_t node)
{
    for (uint32_t i = 0; i < node; i++)
        if (strcmp(config->nodes[i].zone, config->nodes[node].zone) == 0)
            return false;
    return true;
}

/* It goes, or might in a moment. One that a guard of its own holds, or that a replica still
 * receives from, holds nobody else. */
static bool is_to_go(const struct cluster_view *view, const struct decision *last,
                     int64_t now_mono_us)
{
    if (view->suspicion_since_mono_us == STAY_NEVER)
        return false;
    int64_t age_us = now_mono_us - view->suspicion_since_mono_us;
    if (last->want == PLAN_FAILOVER)
        return (last->vetoes & ~FLEET_GUARDS) == 0 && age_us < ZONE_TURN_US;
    return view->record.adopted && !view->record.paused && last->want == PLAN_NONE &&
           last->verdict.action != ACT_HOLD && age_us < ZONE_SUSPECT_US;
}

void zone_census_add(struct fleet_census *census, uint32_t order, const struct cluster_view *view,
                     const struct decision *last, bool failing_over, int64_t now_mono_us)
{
    const struct cluster_config *config = view->config;
    census->wanting += failing_over || last->want == PLAN_FAILOVER;
    for (uint32_t i = 0; i < config->node_count; i++) {
        struct zone_census *zone = zone_named(census, config->nodes[i].zone);
        if (zone == NULL)
            continue;
        zone->clusters += is_first_in_zone(config, i);
        zone->servers++;
        zone->silent += verdict_node_answers(view, i, now_mono_us) == TRI_NO;
        if (i != view->primary)
            continue;
        zone->sending += last->verdict.rule_id == 110;
        if (!failing_over && order < zone->first && is_to_go(view, last, now_mono_us))
            zone->first = order;
    }
}

bool zone_census_is_down(const struct zone_census *zone)
{
    return zone->clusters >= 2 && zone->silent == zone->servers;
}

void zone_census_tell(const struct fleet_census *census, uint32_t order,
                      const struct cluster_view *view, struct fleet *fleet)
{
    fleet->wanting = census->wanting;
    for (uint32_t i = 0; view->primary != NO_NODE && i < census->zone_count; i++) {
        const struct zone_census *zone = &census->zones[i];
        if (strcmp(zone->name, view->config->nodes[view->primary].zone) != 0)
            continue;
        fleet->zone_down = zone_census_is_down(zone);
        fleet->zone_waits = zone->first < order;
    }
}
