/* backup/catalog/repository_check.c - one walk over all names, then what they promise of each
 * other. */
#include "backup/catalog/repository_check.h"
#include "backup/catalog/catalog.h"
#include "backup/repository/object_reader.h"
#include "backup/repository/sealed_document.h"
#include <inttypes.h>

struct check {
    struct repository *repo;
    unsigned flags;
    check_finding_fn told;
    void *arg;
    struct check_outcome out;
    char last_cluster[33];
    char last_domain[OBJECT_ID_TEXT];
    /* Of the snapshot whose objects are passed now: they stand before its manifest. */
    size_t sum_count, sum_room;
    struct seen_sum {
        char name[OBJECT_NAME_MAX];
        struct object_sum sum;
        bool is_bad; /* told already */
    } * sums;
};

static void tell(struct check *c, const char *object, const struct stay_error *why)
{
    char shown[OBJECT_NAME_MAX + 16]; /* a permitted name stays as it is */
    enum repo_fault fault = repo_fault_of(why);
    if (object_name_is_permitted(object))
        (void)stay_copy(shown, sizeof shown, object);
    else
        object_name_escape(shown, sizeof shown, object);
    const struct check_finding finding = {.fault =
                                              fault == REPO_FAULT_NONE ? REPO_FAULT_STORE : fault,
                                          .object = shown,
                                          .text = why->text};
    c->out.faults[finding.fault]++;
    c->out.fault_count++;
    if (c->told != NULL)
        c->told(c->arg, &finding);
}

static void remember(struct check *c, const char *name, const struct object_sum *sum, bool is_bad)
{
    if (c->sum_count == c->sum_room) {
        c->sum_room = c->sum_room * 2 + 64;
        c->sums = stay_realloc(c->sums, c->sum_room, sizeof *c->sums);
    }
    struct seen_sum *seen = &c->sums[c->sum_count++];
    (void)stay_copy(seen->name, sizeof seen->name, name);
    seen->sum = *sum;
    seen->is_bad = is_bad;
}

/* They were listed by name, so they stand by name. */
static const struct seen_sum *remembered(const struct check *c, const char *name)
{
    size_t low = 0, high = c->sum_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(c->sums[middle].name, name);
        if (order == 0)
            return &c->sums[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* Rows or log. */
static void check_stored(struct check *c, const struct object_found *found, bool is_row)
{
    struct stay_error why = {0};
    struct object_frame frame;
    bool more = true, is_sealed = false;
    STAY_AUTO(object_reader_drop) struct object_reader *r = NULL;
    enum stay_rc rc = object_reader_open(c->repo, found->name, &r, &why);
    if ((c->flags & CHECK_QUICK) == 0) {
        while (rc == STAY_OK && more) {
            rc = object_reader_next(r, &frame, &more, &why);
            is_sealed |= rc == STAY_OK && frame.is_sealed;
        }
        c->out.read_bytes += rc == STAY_OK ? found->size : 0;
    }
    c->out.unreadable += rc == STAY_OK && is_sealed && c->repo->ring != NULL;
    if (is_row) {
        struct object_sum sum = {.size = found->size};
        if (rc == STAY_OK && (c->flags & CHECK_QUICK) == 0)
            object_reader_stored(r, &sum);
        remember(c, found->name, &sum, rc != STAY_OK);
    }
    if (rc != STAY_OK)
        tell(c, found->name, &why);
}

/* An object of a manifest: there, of the length and the sum it had. */
static void check_listed(struct check *c, const char *folder, const json_t *row)
{
    struct stay_error why = {0};
    const char *name = NULL, *hex = NULL;
    int64_t length = 0;
    char whole[OBJECT_NAME_MAX], stored[2 * SHA256_BYTES + 1];
    enum stay_rc rc = stay_json_get_string(row, "name", &name, &why);
    if (rc == STAY_OK)
        rc = stay_json_get_int(row, "stored_len", &length, &why);
    if (rc == STAY_OK)
        rc = stay_json_get_string(row, "stored_sha256", &hex, &why);
    if (rc != STAY_OK) {
        (void)repo_fault(&why, REPO_FAULT_CORRUPT, "a manifest's list: %s", why.text);
        tell(c, folder, &why);
        return;
    }
    (void)snprintf(whole, sizeof whole, "%s%s", folder, name);
    const struct seen_sum *seen = remembered(c, whole);
    if (seen == NULL) {
        (void)repo_fault(&why, REPO_FAULT_MISSING, "'%s' is not there, its manifest lists it",
                         whole);
        tell(c, whole, &why);
        return;
    }
    hex_format(seen->sum.sha256, sizeof seen->sum.sha256, stored);
    if (seen->is_bad)
        return;
    if (seen->sum.size != (uint64_t)length)
        (void)repo_fault(&why, REPO_FAULT_CORRUPT,
                         "'%s' has %" PRIu64 " bytes, its manifest says %" PRId64, whole,
                         seen->sum.size, length);
    else if ((c->flags & CHECK_QUICK) == 0 && strcmp(stored, hex) != 0)
        (void)repo_fault(&why, REPO_FAULT_CORRUPT, "'%s' is not what its manifest lists", whole);
    if (why.text[0] != '\0')
        tell(c, whole, &why);
}

static void check_document(struct check *c, const struct object_found *found,
                           enum object_place place)
{
    STAY_AUTO(document_clear) struct document d = {0};
    struct stay_error why = {0};
    char folder[OBJECT_NAME_MAX];
    enum stay_rc rc = document_read(c->repo, found->name, &d, &why);
    if (rc != STAY_OK) {
        tell(c, found->name, &why);
        return;
    }
    c->out.read_bytes += found->size;
    if (d.body == NULL && c->repo->ring != NULL)
        c->out.unreadable++;
    if (place != PLACE_MANIFEST)
        return;
    (void)stay_copy(folder, sizeof folder, found->name);
    folder[strlen(folder) - strlen("manifest.json")] = '\0';
    const json_t *objects = json_object_get(d.about, "objects");
    for (size_t i = 0; i < json_array_size(objects); i++)
        check_listed(c, folder, json_array_get(objects, i));
    c->sum_count = 0;
}

static enum stay_rc on_object(void *arg, const struct object_found *found, struct stay_error *err)
{
    struct check *c = arg;
    struct stay_error why = {0};
    (void)err;
    if (found->strange != NULL) {
        (void)repo_fault(&why, REPO_FAULT_HOSTILE_NAME, "'%s' is %s", found->name, found->strange);
        tell(c, found->name, &why);
        return STAY_OK;
    }
    struct object_name name = object_name_parse(found->name);
    c->out.objects++;
    c->out.bytes += found->size;
    if (name.cluster[0] != '\0' && strcmp(name.cluster, c->last_cluster) != 0) {
        (void)stay_copy(c->last_cluster, sizeof c->last_cluster, name.cluster);
        c->out.clusters++;
    }
    switch (name.place) {
    case PLACE_DATA:
    case PLACE_SEGMENT:
        c->out.segments += name.place == PLACE_SEGMENT;
        check_stored(c, found, name.place == PLACE_DATA);
        break;
    case PLACE_MANIFEST:
    case PLACE_CLUSTER:
    case PLACE_LINEAGE:
    case PLACE_CLOSED:
    case PLACE_GAP:
    case PLACE_EVENT:
    case PLACE_HOLD:
        c->out.snapshots += name.place == PLACE_MANIFEST;
        check_document(c, found, name.place);
        break;
    case PLACE_UNKNOWN:
        c->out.unknown++;
        break;
    case PLACE_REPO: /* compared when it was opened */
    case PLACE_KEY:  /* below */
    case PLACE_SHREDDED:
    case PLACE_INDEX:
    case PLACE_LEASE:
    case PLACE_TRASH:
    case PLACE_TMP:
    case PLACE_COUNT:
        break;
    }
    return STAY_OK;
}

static enum stay_rc on_key(void *arg, const struct key_entry *entry, struct stay_error *err)
{
    struct check *c = arg;
    char name[OBJECT_NAME_MAX];
    (void)err;
    object_name_format(&entry->name, name);
    if (entry->name.place != PLACE_KEY) { /* by name it stands behind the keys of its domain */
        if (strcmp(entry->name.domain, c->last_domain) == 0) {
            struct stay_error why = {0};
            (void)repo_fault(&why, REPO_FAULT_STORE,
                             "keys/%s was destroyed and has a key: destroy it again",
                             c->last_domain);
            tell(c, name, &why);
        }
        return STAY_OK;
    }
    c->out.keys++;
    (void)stay_copy(c->last_domain, sizeof c->last_domain, entry->name.domain);
    if (!entry->is_open)
        tell(c, name, &entry->why);
    return STAY_OK;
}

/* Seams that nothing explains. What cannot be read was told where it stands. */
static enum stay_rc check_log(struct check *c, const char *cluster, struct stay_error *err)
{
    STAY_AUTO(catalog_clear) struct catalog catalog = {0};
    enum stay_rc rc = catalog_load(c->repo, cluster, NULL, NULL, &catalog, err);
    for (size_t i = 0; rc == STAY_OK && i < catalog.lineage_count; i++) {
        const struct catalog_lineage *l = &catalog.lineages[i];
        for (size_t j = 1; j < l->run_count; j++) {
            struct stay_error why = {0};
            const struct segment_about *before = l->chain[l->runs[j - 1].last].about;
            const struct segment_about *after = l->chain[l->runs[j].first].about;
            if (l->runs[j].seam == SEAM_GAP)
                continue;
            (void)repo_fault(&why, REPO_FAULT_BROKEN_CHAIN,
                             "lineage %s of %s, between segments %" PRIu64 " and %" PRIu64 ": %s",
                             l->id, cluster, before->seq, after->seq,
                             chain_seam_text(l->runs[j].seam));
            tell(c, cluster, &why);
        }
    }
    return rc;
}

static enum stay_rc check_logs(struct check *c, struct stay_error *err)
{
    char **clusters = NULL;
    size_t count = 0;
    enum stay_rc rc = catalog_clusters(c->repo, &clusters, &count, err);
    for (size_t i = 0; i < count; i++) {
        if (rc == STAY_OK)
            rc = check_log(c, clusters[i], err);
        free(clusters[i]);
    }
    free(clusters);
    return rc;
}

enum stay_rc repository_check(struct repository *repo, unsigned flags, check_finding_fn told,
                              void *arg, struct check_outcome *ret_outcome, struct stay_error *err)
{
    struct check c = {.repo = repo, .flags = flags, .told = told, .arg = arg};
    enum stay_rc rc = STAY_OK;
    if (repo->ring != NULL)
        rc = key_ring_list(repo->ring, on_key, &c, err);
    if (rc == STAY_OK)
        rc = object_list(repo->store, "", on_object, &c, err);
    if (rc == STAY_OK)
        rc = check_logs(&c, err);
    free(c.sums);
    if (rc == STAY_OK)
        *ret_outcome = c.out;
    return rc;
}

enum repo_fault check_outcome_worst(const struct check_outcome *outcome)
{
    for (int i = REPO_FAULT_NONE + 1; i < REPO_FAULT_COUNT; i++)
        if (outcome->faults[i] > 0)
            return (enum repo_fault)i;
    return REPO_FAULT_NONE;
}
