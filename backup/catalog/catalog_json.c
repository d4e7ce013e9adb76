/* backup/catalog/catalog_json.c - a catalog as JSON. */
#include "backup/catalog/catalog.h"

static json_t *run_json(const struct catalog_lineage *l, const struct chain_run *run)
{
    json_t *json = json_object();
    const struct segment_about *first = l->chain[run->first].about;
    const struct segment_about *last = l->chain[run->last].about;
    uint64_t segments = 0, transactions = 0;
    int64_t from = 0, to = 0;
    for (size_t i = run->first; i <= run->last; i++) {
        const struct segment_about *a = l->chain[i].about;
        if (l->chain[i].is_stray)
            continue;
        segments++;
        transactions += a->transactions;
        if (from == 0)
            from = a->first_commit_us;
        if (a->last_commit_us > to)
            to = a->last_commit_us;
    }
    stay_json_set_int(json, "segments", (int64_t)segments);
    stay_json_set_int(json, "transactions", (int64_t)transactions);
    stay_json_set_int(json, "from_wall_us", from);
    stay_json_set_int(json, "to_wall_us", to);
    stay_json_set_int(json, "first_seq", (int64_t)first->seq);
    stay_json_set_int(json, "last_seq", (int64_t)last->seq);
    stay_json_set_string(json, "before", first->before);
    stay_json_set_string(json, "after", last->after);
    stay_json_set_string(json, "seam",
                         run->seam == SEAM_FOLLOWS ? NULL : chain_seam_text(run->seam));
    return json;
}

static json_t *snapshot_json(const struct catalog_snapshot *s)
{
    json_t *json = json_object();
    stay_json_set_string(json, "id", s->id);
    stay_json_set_string(json, "position", s->position);
    stay_json_set_int(json, "started_wall_us", s->started_wall_us);
    stay_json_set_int(json, "consistent_wall_us", s->consistent_wall_us);
    stay_json_set_int(json, "objects", (int64_t)s->objects);
    stay_json_set_int(json, "bytes", (int64_t)s->bytes);
    return json;
}

static json_t *gap_json(const struct catalog_gap *g)
{
    json_t *json = json_object();
    stay_json_set_string(json, "id", g->id);
    stay_json_set_string(json, "after", g->after);
    stay_json_set_string(json, "before", g->before);
    stay_json_set_bool(json, "healed", g->is_healed);
    return json;
}

static json_t *lineage_json(const struct catalog_lineage *l)
{
    json_t *json = json_object(), *runs = json_array(), *gaps = json_array(),
           *snapshots = json_array();
    uint64_t strays = 0;
    for (size_t i = 0; i < l->segment_count; i++)
        strays += l->chain[i].is_stray;
    for (size_t i = 0; i < l->run_count; i++)
        stay_json_append(runs, run_json(l, &l->runs[i]));
    for (size_t i = 0; i < l->snapshot_count; i++)
        stay_json_append(snapshots, snapshot_json(&l->snapshots[i]));
    for (size_t i = 0; i < l->gap_count; i++)
        if (l->gaps[i].heals[0] == '\0')
            stay_json_append(gaps, gap_json(&l->gaps[i]));
    stay_json_set_string(json, "id", l->id);
    stay_json_set_string(json, "engine", l->engine[0] == '\0' ? NULL : l->engine);
    stay_json_set_string(json, "parent", l->parent[0] == '\0' ? NULL : l->parent);
    stay_json_set_bool(json, "closed", l->is_closed);
    stay_json_set_string(json, "closed_at", l->closed_at);
    stay_json_set_int(json, "stray_segments", (int64_t)strays);
    stay_json_set(json, "log", runs);
    stay_json_set(json, "gaps", gaps);
    stay_json_set(json, "snapshots", snapshots);
    return json;
}

json_t *catalog_json(const struct catalog *catalog)
{
    json_t *json = json_object(), *lineages = json_array();
    for (size_t i = 0; i < catalog->lineage_count; i++)
        stay_json_append(lineages, lineage_json(&catalog->lineages[i]));
    stay_json_set_string(json, "cluster", catalog->cluster);
    stay_json_set_int(json, "left_out", (int64_t)catalog->unreadable);
    stay_json_set(json, "lineages", lineages);
    return json;
}
