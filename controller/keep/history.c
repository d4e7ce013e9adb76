/* Summaries of plan runs in memory, newest first, backed by the documents in the store. */
#include "base/base.h"
#include "base/str.h"
#include "controller/decide/plan_kinds.h"
#include "controller/keep/history.h"

struct entry {
    char id[64];
    char cluster[64];
    int64_t begun_wall_us;
    bool has_ended;
    /* Of the summary, read once: these are asked for in every turn. */
    bool counts;  /* an automatic failover that was not undone */
    bool demoted; /* a plan that moved the primary, and succeeded */
    char old_primary[64];
    json_t *summary;
};

struct history {
    struct store *store;
    struct entry *entries; /* newest first */
    size_t count, capacity;
};

struct history *history_new(struct store *store)
{
    struct history *h = stay_calloc(1, sizeof *h);
    h->store = store;
    return h;
}

void history_free(struct history *h)
{
    if (!h)
        return;
    for (size_t i = 0; i < h->count; i++)
        json_decref(h->entries[i].summary);
    free(h->entries);
    free(h);
}

static bool is_word(const char *text)
{
    size_t length = strlen(text);
    return length > 0 && length <= 60 &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_") == length;
}

bool history_key(const char *cluster, const char *id, char ret_key[STORE_KEY_MAX + 1])
{
    if (!is_word(cluster) || !is_word(id))
        return false;
    (void)snprintf(ret_key, STORE_KEY_MAX + 1, HISTORY_PREFIX "%s/%s", cluster, id);
    return true;
}

static void remove_at(struct history *h, size_t at)
{
    json_decref(h->entries[at].summary);
    memmove(&h->entries[at], &h->entries[at + 1], (h->count - at - 1) * sizeof *h->entries);
    h->count--;
}

static void insert(struct history *h, const struct entry *entry)
{
    if (h->count == h->capacity) {
        h->capacity = h->capacity ? h->capacity * 2 : 32;
        h->entries = stay_realloc(h->entries, h->capacity, sizeof *h->entries);
    }
    size_t at = 0;
    while (at < h->count && h->entries[at].begun_wall_us > entry->begun_wall_us)
        at++;
    memmove(&h->entries[at + 1], &h->entries[at], (h->count - at) * sizeof *h->entries);
    h->entries[at] = *entry;
    h->count++;
}

static void ignore_txn(void *ctx, enum stay_rc rc, uint64_t revision, const struct stay_error *err)
{
    (void)ctx;
    (void)rc; /* a document too many is deleted another time */
    (void)revision;
    (void)err;
}

/* Deletes the oldest of this cluster when there are too many. */
static void prune(struct history *h, const char *cluster)
{
    size_t seen = 0;
    for (size_t i = 0; i < h->count; i++) {
        if (strcmp(h->entries[i].cluster, cluster) != 0 || ++seen <= HISTORY_KEEP)
            continue;
        char key[STORE_KEY_MAX + 1];
        if (history_key(cluster, h->entries[i].id, key))
            h->store->ops->txn(h->store, NULL, 0, &(struct store_put){key, NULL}, 1, ignore_txn,
                               NULL);
        remove_at(h, i--);
    }
}

static bool text_is(const json_t *obj, const char *key, const char *want)
{
    const char *text = NULL;
    return stay_json_get_string(obj, key, &text, NULL) == STAY_OK && strcmp(text, want) == 0;
}

static bool entry_from(const json_t *summary, struct entry *ret_entry)
{
    struct entry e = {0};
    if (stay_json_get_copy(summary, "id", e.id, sizeof e.id, NULL) != STAY_OK ||
        stay_json_get_copy(summary, "cluster", e.cluster, sizeof e.cluster, NULL) != STAY_OK ||
        stay_json_get_int(summary, "begun_wall_us", &e.begun_wall_us, NULL) != STAY_OK)
        return false;
    const char *text = NULL;
    enum plan_kind kind = stay_json_get_string(summary, "kind", &text, NULL) == STAY_OK
                              ? plan_kind_named(text)
                              : PLAN_NONE;
    e.counts = kind == PLAN_FAILOVER && json_is_true(json_object_get(summary, "automatic")) &&
               !text_is(summary, "state", "undone"); /* the primary never changed */
    e.has_ended = json_integer_value(json_object_get(summary, "ended_wall_us")) > 0;
    e.demoted = text_is(summary, "state", "succeeded") && plan_kind_has(kind, TRAIT_MOVES_PRIMARY);
    if (stay_json_get_copy(summary, "old_primary", e.old_primary, sizeof e.old_primary, NULL) !=
        STAY_OK)
        e.old_primary[0] = '\0';
    *ret_entry = e;
    return true;
}

static void put_summary(struct history *h, const json_t *summary)
{
    struct entry e;
    if (!entry_from(summary, &e))
        return;
    e.summary = json_deep_copy(summary);
    for (size_t i = 0; i < h->count; i++)
        if (strcmp(h->entries[i].id, e.id) == 0 && strcmp(h->entries[i].cluster, e.cluster) == 0) {
            remove_at(h, i);
            break;
        }
    insert(h, &e);
}

void history_update(struct history *h, const json_t *summary)
{
    put_summary(h, summary);
    const char *cluster = NULL;
    if (stay_json_get_string(summary, "cluster", &cluster, NULL) == STAY_OK)
        prune(h, cluster);
}

void history_take(struct history *h, const struct store_item *item)
{
    STAY_AUTO(stay_json_drop) json_t *doc = NULL;
    json_t *summary = NULL;
    struct entry e;
    if (stay_json_parse(item->value, strlen(item->value), &doc, NULL) == STAY_OK &&
        stay_json_get_object(doc, "summary", &summary, NULL) == STAY_OK &&
        entry_from(summary, &e)) {
        put_summary(h, summary);
        return;
    }
    STAY_AUTO(stay_json_drop) json_t *unreadable = json_object();
    stay_json_set_string(unreadable, "id", item->key + strlen(HISTORY_PREFIX));
    stay_json_set_string(unreadable, "cluster", "");
    stay_json_set_int(unreadable, "begun_wall_us", 0);
    stay_json_set_string(unreadable, "state", "unreadable");
    put_summary(h, unreadable);
}

json_t *history_list(const struct history *h, const char *cluster, size_t max)
{
    json_t *list = json_array();
    for (size_t i = 0; i < h->count && json_array_size(list) < max; i++)
        if (!cluster || strcmp(h->entries[i].cluster, cluster) == 0)
            stay_json_append(list, json_incref(h->entries[i].summary));
    return list;
}

const json_t *history_summary(const struct history *h, const char *cluster, const char *id)
{
    for (size_t i = 0; i < h->count; i++)
        if (strcmp(h->entries[i].id, id) == 0 &&
            (!cluster || strcmp(h->entries[i].cluster, cluster) == 0))
            return h->entries[i].summary;
    return NULL;
}

unsigned history_failovers_since(const struct history *h, int64_t wall_us)
{
    unsigned count = 0;
    for (size_t i = 0; i < h->count && h->entries[i].begun_wall_us >= wall_us; i++)
        count += h->entries[i].counts;
    return count;
}

/* The newest that counts of each cluster; who has newer ones comes earlier in the list. */
static bool is_newest_that_counts(const struct history *h, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (h->entries[i].counts && strcmp(h->entries[i].cluster, h->entries[at].cluster) == 0)
            return false;
    return true;
}

unsigned history_clusters_since(const struct history *h, int64_t wall_us, const char *but)
{
    unsigned count = 0;
    for (size_t i = 0; i < h->count && h->entries[i].begun_wall_us >= wall_us; i++)
        count += h->entries[i].counts && h->entries[i].has_ended &&
                 strcmp(h->entries[i].cluster, but) != 0 && is_newest_that_counts(h, i);
    return count;
}

const json_t *history_last_demotion(const struct history *h, const char *cluster, const char *node)
{
    for (size_t i = 0; i < h->count; i++) {
        const struct entry *e = &h->entries[i];
        if (e->demoted && strcmp(e->cluster, cluster) == 0)
            return strcmp(e->old_primary, node) == 0 ? e->summary : NULL;
    }
    return NULL;
}
