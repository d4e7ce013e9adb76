/* backup/catalog/catalog.c - one list of a cluster's names, and what each of them says. */
#include "backup/catalog/catalog.h"
#include "backup/repository/repo_fault.h"
#include "backup/repository/sealed_document.h"
#include "base/names.h"

struct loading {
    struct repository *repo;
    struct catalog *catalog;
    catalog_fault_fn told;
    void *arg;
};

static struct catalog_lineage *lineage_of(struct catalog *c, const char *id)
{
    for (size_t i = 0; i < c->lineage_count; i++)
        if (strcmp(c->lineages[i].id, id) == 0)
            return &c->lineages[i];
    c->lineages = stay_realloc(c->lineages, c->lineage_count + 1, sizeof *c->lineages);
    struct catalog_lineage *l = &c->lineages[c->lineage_count++];
    *l = (struct catalog_lineage){0};
    (void)stay_copy(l->id, sizeof l->id, id);
    return l;
}

static void leave_out(struct loading *l, const char *name, const struct stay_error *why)
{
    l->catalog->unreadable++;
    if (l->told != NULL)
        l->told(l->arg, name, why);
}

/* Room for one more of `size` bytes each; grows by halves. */
static void *grow(void *list, size_t count, size_t size)
{
    bool is_full = (count & (count - 1)) == 0; /* 0, 1, 2, 4, 8 ... */
    return is_full ? stay_realloc(list, count == 0 ? 1 : 2 * count, size) : list;
}

static void take_segment(struct loading *l, const struct object_found *found,
                         const struct object_name *name)
{
    struct catalog_segment s = {.size = found->size};
    struct chain_segment link = {0};
    struct stay_error why = {0};
    (void)stay_copy(s.name, sizeof s.name, found->name);
    if (segment_read_about(l->repo, found->name, &s.about, link.hash, &why) != STAY_OK) {
        leave_out(l, found->name, &why);
        return;
    }
    struct catalog_lineage *to = lineage_of(l->catalog, name->lineage);
    to->segments = grow(to->segments, to->segment_count, sizeof *to->segments);
    to->chain = grow(to->chain, to->segment_count, sizeof *to->chain);
    to->segments[to->segment_count] = s;
    to->chain[to->segment_count++] = link;
}

static char *copy_text(const json_t *obj, const char *key)
{
    const char *text = json_string_value(json_object_get(obj, key));
    return stay_strdup(text == NULL ? "" : text);
}

static void copy_id(const json_t *obj, const char *key, char *dst, size_t size)
{
    const char *text = json_string_value(json_object_get(obj, key));
    (void)stay_copy(dst, size, text == NULL ? "" : text);
}

static void take_snapshot(struct catalog_lineage *to, const char *object, const char *id,
                          const json_t *about)
{
    struct catalog_snapshot s = {.position = copy_text(about, "position")};
    const json_t *objects = json_object_get(about, "objects");
    (void)stay_copy(s.name, sizeof s.name, object);
    (void)stay_copy(s.id, sizeof s.id, id);
    s.started_wall_us = json_integer_value(json_object_get(about, "started_wall_us"));
    s.consistent_wall_us = json_integer_value(json_object_get(about, "consistent_wall_us"));
    s.objects = json_array_size(objects);
    for (size_t i = 0; i < s.objects; i++)
        s.bytes +=
            (uint64_t)json_integer_value(json_object_get(json_array_get(objects, i), "stored_len"));
    to->snapshots = grow(to->snapshots, to->snapshot_count, sizeof *to->snapshots);
    to->snapshots[to->snapshot_count++] = s;
}

static void take_gap(struct catalog_lineage *to, const char *id, const json_t *about)
{
    struct catalog_gap g = {.after = copy_text(about, "after"),
                            .before = copy_text(about, "before")};
    (void)stay_copy(g.id, sizeof g.id, id);
    copy_id(about, "heals", g.heals, sizeof g.heals);
    to->gaps = grow(to->gaps, to->gap_count, sizeof *to->gaps);
    to->gaps[to->gap_count++] = g;
}

static void take_document(struct loading *l, const char *object, const struct object_name *name)
{
    STAY_AUTO(document_clear) struct document d = {0};
    struct stay_error why = {0};
    char lineage[LINEAGE_ID_TEXT];
    if (document_read(l->repo, object, &d, &why) != STAY_OK) {
        leave_out(l, object, &why);
        return;
    }
    (void)stay_copy(lineage, sizeof lineage, name->lineage);
    if (name->place == PLACE_GAP)
        copy_id(d.about, "lineage", lineage, sizeof lineage);
    struct catalog_lineage *to = lineage_of(l->catalog, lineage);
    if (name->place == PLACE_LINEAGE) {
        to->is_opened = true;
        copy_id(d.about, "engine", to->engine, sizeof to->engine);
        copy_id(d.about, "parent", to->parent, sizeof to->parent);
    } else if (name->place == PLACE_CLOSED) {
        to->is_closed = true;
        free(to->closed_at);
        to->closed_at = copy_text(d.about, "position");
    } else if (name->place == PLACE_GAP) {
        take_gap(to, name->id, d.about);
    } else {
        take_snapshot(to, object, name->snapshot, d.about);
    }
}

static enum stay_rc on_object(void *arg, const struct object_found *found, struct stay_error *err)
{
    struct loading *l = arg;
    (void)err;
    if (found->strange != NULL)
        return STAY_OK;
    struct object_name name = object_name_parse(found->name);
    if (name.place == PLACE_SEGMENT)
        take_segment(l, found, &name);
    else if (name.place == PLACE_LINEAGE || name.place == PLACE_CLOSED || name.place == PLACE_GAP ||
             name.place == PLACE_MANIFEST)
        take_document(l, found->name, &name);
    return STAY_OK;
}

static void settle_gaps(struct catalog_lineage *l)
{
    for (size_t i = 0; i < l->gap_count; i++)
        for (size_t j = 0; j < l->gap_count; j++)
            if (strcmp(l->gaps[j].heals, l->gaps[i].id) == 0)
                l->gaps[i].is_healed = true;
}

static void join_log(struct catalog_lineage *l)
{
    struct chain_gap *gaps = stay_calloc(l->gap_count + 1, sizeof *gaps);
    for (size_t i = 0; i < l->gap_count; i++)
        gaps[i] = (struct chain_gap){l->gaps[i].after, l->gaps[i].before,
                                     l->gaps[i].is_healed || l->gaps[i].heals[0] != '\0'};
    for (size_t i = 0; i < l->segment_count; i++)
        l->chain[i].about = &l->segments[i].about;
    l->run_count = log_chain_runs(l->chain, l->segment_count, gaps, l->gap_count, &l->runs);
    free(gaps);
}

enum stay_rc catalog_load(struct repository *repo, const char *cluster, catalog_fault_fn told,
                          void *arg, struct catalog *ret_catalog, struct stay_error *err)
{
    STAY_AUTO(catalog_clear) struct catalog c = {0};
    struct loading l = {.repo = repo, .catalog = &c, .told = told, .arg = arg};
    char prefix[48];
    enum stay_rc rc = names_check_id("cluster name", cluster, err);
    if (rc != STAY_OK)
        return rc;
    (void)stay_copy(c.cluster, sizeof c.cluster, cluster);
    (void)snprintf(prefix, sizeof prefix, "c/%s/", c.cluster);
    rc = object_list(repo->store, prefix, on_object, &l, err);
    if (rc != STAY_OK)
        return rc;
    for (size_t i = 0; i < c.lineage_count; i++) {
        settle_gaps(&c.lineages[i]);
        join_log(&c.lineages[i]);
    }
    *ret_catalog = c;
    c = (struct catalog){0};
    return STAY_OK;
}

void catalog_clear(struct catalog *catalog)
{
    for (size_t i = 0; i < catalog->lineage_count; i++) {
        struct catalog_lineage *l = &catalog->lineages[i];
        for (size_t j = 0; j < l->segment_count; j++)
            segment_about_clear(&l->segments[j].about);
        for (size_t j = 0; j < l->snapshot_count; j++)
            free(l->snapshots[j].position);
        for (size_t j = 0; j < l->gap_count; j++) {
            free(l->gaps[j].after);
            free(l->gaps[j].before);
        }
        free(l->segments);
        free(l->chain);
        free(l->snapshots);
        free(l->gaps);
        free(l->runs);
        free(l->closed_at);
    }
    free(catalog->lineages);
    *catalog = (struct catalog){0};
}

struct cluster_names {
    char **names;
    size_t count;
};

static enum stay_rc on_any(void *arg, const struct object_found *found, struct stay_error *err)
{
    struct cluster_names *n = arg;
    (void)err;
    struct object_name name = object_name_parse(found->strange == NULL ? found->name : "");
    if (name.cluster[0] == '\0' ||
        (n->count > 0 && strcmp(n->names[n->count - 1], name.cluster) == 0))
        return STAY_OK;
    n->names = stay_realloc(n->names, n->count + 1, sizeof *n->names);
    n->names[n->count++] = stay_strdup(name.cluster);
    return STAY_OK;
}

enum stay_rc catalog_clusters(struct repository *repo, char ***ret_names, size_t *ret_count,
                              struct stay_error *err)
{
    struct cluster_names n = {0};
    enum stay_rc rc = object_list(repo->store, "c/", on_any, &n, err);
    if (rc == STAY_OK) {
        *ret_names = n.names;
        *ret_count = n.count;
        return rc;
    }
    for (size_t i = 0; i < n.count; i++)
        free(n.names[i]);
    free(n.names);
    return rc;
}
