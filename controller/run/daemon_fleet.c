/* What the clusters mean for one another: how many failovers ran lately, which zones are busy,
 * which are down, and who goes first. */
#include "base/base.h"
#include "controller/run/daemon_fleet.h"

#define LOOK_US   STAY_SECOND
#define CENSUS_US (100 * STAY_MS) /* one count serves every cluster that asks within this */
#define HOUR_US   (3600 * STAY_SECOND)
#define BLAST_US  (600 * STAY_SECOND) /* a fault that many share shows itself within this */

static bool is_failing_over(const struct daemon_cluster *c)
{
    const struct plan_run *run = executor_run(c->executor);
    return executor_is_busy(c->executor) && run->kind == PLAN_FAILOVER && run->params.automatic;
}

static const struct zone_census *zone_of(const struct fleet_census *census, const char *name)
{
    for (uint32_t i = 0; i < census->zone_count; i++)
        if (strcmp(census->zones[i].name, name) == 0)
            return &census->zones[i];
    return NULL;
}

/* Said once a zone, not once a cluster. */
static void log_zones(const struct fleet_census *before, const struct fleet_census *now)
{
    struct verdict v = verdict_zone_down();
    char rule[8];
    (void)snprintf(rule, sizeof rule, "%u", v.rule_id);
    struct log_field field = {"MAINSTAY_RULE", rule};
    for (uint32_t i = 0; i < now->zone_count; i++) {
        const struct zone_census *zone = &now->zones[i], *old = zone_of(before, zone->name);
        bool is = zone_census_is_down(zone), was = old != NULL && zone_census_is_down(old);
        if (is && !was)
            log_write(LOG_LEVEL_ERROR, &field, 1,
                      "zone %s: %s (%s): none of %u servers of %u clusters answers%s; %s",
                      zone->name, v.name, rule, zone->servers, zone->clusters,
                      zone->sending > 0 ? ", yet servers elsewhere receive from it" : "", v.why);
        if (!is && was)
            log_write(LOG_LEVEL_NOTICE, &field, 1, "zone %s: servers answer again", zone->name);
    }
}

static void take_census(struct daemon *d, int64_t now_mono_us)
{
    struct fleet_census *census = stay_calloc(1, sizeof *census);
    for (size_t i = 0; i < d->cluster_count; i++) {
        const struct daemon_cluster *c = d->clusters[i];
        if (c->is_loaded)
            zone_census_add(census, (uint32_t)i, &c->view, &c->decision, is_failing_over(c),
                            now_mono_us);
    }
    if (d->census != NULL)
        log_zones(d->census, census);
    free(d->census);
    d->census = census;
    d->census_mono_us = now_mono_us;
}

void daemon_fleet_look(struct daemon *d)
{
    int64_t now = loop_now_mono_us(&d->loop);
    if (d->cluster_count >= 2 && (d->census == NULL || now - d->census_mono_us >= LOOK_US))
        take_census(d, now);
}

static void tell_zone(struct daemon *d, const struct daemon_cluster *asking, struct fleet *fleet)
{
    fleet->blast_radius = d->settings->blast_radius;
    if (asking->view.suspicion_since_mono_us == STAY_NEVER || d->cluster_count < 2)
        return;
    int64_t now = loop_now_mono_us(&d->loop);
    if (d->census == NULL || now - d->census_mono_us >= CENSUS_US)
        take_census(d, now);
    for (size_t i = 0; i < d->cluster_count; i++)
        if (d->clusters[i] == asking)
            zone_census_tell(d->census, (uint32_t)i, &asking->view, fleet);
    fleet->wanting += history_clusters_since(d->history, loop_now_wall_us(&d->loop) - BLAST_US,
                                             asking->settings->config.name);
}

/* Other clusters' automatic failovers, as the guards count them. */
void daemon_fleet(struct daemon *d, const struct daemon_cluster *asking, struct fleet *ret_fleet)
{
    memset(ret_fleet, 0, sizeof *ret_fleet);
    ret_fleet->failovers_last_hour =
        history_failovers_since(d->history, loop_now_wall_us(&d->loop) - HOUR_US);
    ret_fleet->failovers_per_hour = d->settings->failovers_per_hour;
    tell_zone(d, asking, ret_fleet);
    ret_fleet->evacuation_wall_us = asking->evacuation_wall_us;
    uint32_t reseeds = 0;
    for (size_t i = 0; d->busy_count > 0 && i < d->cluster_count; i++) {
        const struct daemon_cluster *c = d->clusters[i];
        if (c == asking || !executor_is_busy(c->executor))
            continue;
        const struct plan_run *run = executor_run(c->executor);
        reseeds += run->kind == PLAN_RESEED;
        ret_fleet->reseeds_full = reseeds >= d->settings->reseeds_max;
        if (!is_failing_over(c) || run->old_primary >= c->settings->config.node_count ||
            ret_fleet->busy_zone_count >= STAY_COUNT(ret_fleet->busy_zones))
            continue;
        (void)stay_copy(ret_fleet->busy_zones[ret_fleet->busy_zone_count++], NAME_MAX_LEN,
                        c->settings->config.nodes[run->old_primary].zone);
    }
}
