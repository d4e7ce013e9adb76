/* backup/repository/key_ring.c - key objects read, listed, added. */
#include "backup/repository/key_ring.h"
#include "backup/repository/key_ring_private.h"
#include "backup/repository/repo_fault.h"
#include "base/io/real_clock.h"
#include "base/io/real_random.h"
#include <inttypes.h>
#include <sys/mman.h>

struct key_ring *key_ring_new(struct object_store *store, const uint8_t repo[REPO_ID_BYTES],
                              const struct master_key *master)
{
    struct key_ring *ring = stay_calloc(1, sizeof *ring);
    (void)mlock(ring, sizeof *ring); /* best effort: a limit may forbid it */
    ring->store = store;
    memcpy(ring->repo, repo, REPO_ID_BYTES);
    ring->master = *master;
    return ring;
}

static void forget(struct key_ring *ring)
{
    for (size_t i = 0; i < ring->count; i++) {
        explicit_bzero(ring->keys[i], sizeof *ring->keys[i]);
        free(ring->keys[i]);
    }
    ring->count = 0;
}

void key_ring_free(struct key_ring *ring)
{
    if (ring == NULL)
        return;
    forget(ring);
    free(ring->keys);
    explicit_bzero(ring, sizeof *ring);
    free(ring);
}

const struct master_key *key_ring_master(const struct key_ring *ring)
{
    return &ring->master;
}

static const uint8_t *keep(struct key_ring *ring, const struct key_record *r)
{
    if (ring->count == ring->room) {
        ring->room = ring->room * 2 + 16;
        ring->keys = stay_realloc(ring->keys, ring->room, sizeof(struct ring_key *));
    }
    struct ring_key *key = stay_calloc(1, sizeof *key);
    (void)mlock(key, sizeof *key);
    memcpy(key->domain, r->domain, DOMAIN_BYTES);
    key->generation = r->generation;
    memcpy(key->bytes, r->key, AEAD_KEY_BYTES);
    ring->keys[ring->count++] = key;
    return key->bytes;
}

void key_object_name(const uint8_t domain[DOMAIN_BYTES], uint32_t generation, const char *master,
                     char dst[OBJECT_NAME_MAX])
{
    struct object_name name = {.place = PLACE_KEY, .generation = generation};
    hex_format(domain, DOMAIN_BYTES, name.domain);
    (void)stay_copy(name.master, sizeof name.master, master);
    object_name_format(&name, dst);
}

void key_folder_name(const uint8_t domain[DOMAIN_BYTES], char dst[64])
{
    char text[OBJECT_ID_TEXT];
    hex_format(domain, DOMAIN_BYTES, text);
    (void)snprintf(dst, 64, "keys/%s/", text);
}

/* Reads an object's record; its name and its text must agree. */
enum stay_rc key_object_load(struct key_ring *ring, const char *object,
                             const struct master_key *master, struct key_record *ret,
                             struct stay_error *err)
{
    STAY_AUTO(str_clear) struct str text = {0};
    STAY_AUTO(key_record_clear) struct key_record r = {0};
    struct object_name name = object_name_parse(object);
    char domain[OBJECT_ID_TEXT];
    enum stay_rc rc = object_read_all(ring->store, object, KEY_RECORD_MAX, &text, err);
    if (rc != STAY_OK)
        return rc;
    rc = key_record_decode(str_text(&text), text.length, master, &r, err);
    if (rc != STAY_OK)
        return stay_error_prefix(err, rc, "'%s'", object);
    hex_format(r.domain, sizeof r.domain, domain);
    if (memcmp(r.repo, ring->repo, REPO_ID_BYTES) != 0)
        return repo_fault(err, REPO_FAULT_FOREIGN, "'%s' is a key of another repository", object);
    if (strcmp(domain, name.domain) != 0 || r.generation != name.generation ||
        strcmp(r.master, name.master) != 0)
        return repo_fault(err, REPO_FAULT_FOREIGN, "'%s' holds another key than its name says",
                          object);
    *ret = r;
    return STAY_OK;
}

/* What lies in a domain's folder. */
struct folder {
    uint32_t highest, wanted;
    bool is_shredded, has_wanted;
    char other_master[17]; /* that seals `wanted`, or the highest */
};

static enum stay_rc see_folder(void *arg, const struct object_found *found, struct stay_error *err)
{
    struct folder *f = arg;
    struct object_name name = object_name_parse(found->name);
    (void)err;
    if (found->strange != NULL)
        return STAY_OK;
    f->is_shredded |= name.place == PLACE_SHREDDED;
    if (name.place != PLACE_KEY)
        return STAY_OK;
    if (name.generation >= f->highest) {
        f->highest = name.generation;
        if (!f->has_wanted)
            (void)stay_copy(f->other_master, sizeof f->other_master, name.master);
    }
    if (name.generation == f->wanted) {
        f->has_wanted = true;
        (void)stay_copy(f->other_master, sizeof f->other_master, name.master);
    }
    return STAY_OK;
}

static enum stay_rc look_in(struct key_ring *ring, const uint8_t domain[DOMAIN_BYTES],
                            struct folder *f, struct stay_error *err)
{
    char prefix[64];
    key_folder_name(domain, prefix);
    return object_list(ring->store, prefix, see_folder, f, err);
}

enum stay_rc key_ring_get(struct key_ring *ring, const uint8_t domain[DOMAIN_BYTES],
                          uint32_t generation, const uint8_t **ret_key, struct stay_error *err)
{
    char name[OBJECT_NAME_MAX], prefix[64];
    STAY_AUTO(key_record_clear) struct key_record r = {0};
    struct folder f = {.wanted = generation};
    struct stay_error why = {0};
    for (size_t i = 0; i < ring->count; i++) {
        if (ring->keys[i]->generation == generation &&
            memcmp(ring->keys[i]->domain, domain, DOMAIN_BYTES) == 0) {
            *ret_key = ring->keys[i]->bytes;
            return STAY_OK;
        }
    }
    key_object_name(domain, generation, ring->master.id, name);
    enum stay_rc rc = key_object_load(ring, name, &ring->master, &r, &why);
    if (rc == STAY_OK) {
        *ret_key = keep(ring, &r);
        return STAY_OK;
    }
    if (repo_fault_of(&why) != REPO_FAULT_MISSING) {
        if (err != NULL)
            *err = why;
        return rc;
    }
    rc = look_in(ring, domain, &f, err);
    if (rc != STAY_OK)
        return rc;
    key_folder_name(domain, prefix);
    if (f.has_wanted)
        return repo_fault(err, REPO_FAULT_WRONG_KEY,
                          "%s is sealed with master key %s, the one given is %s", prefix,
                          f.other_master, ring->master.id);
    return repo_fault(err, REPO_FAULT_KEY_MISSING, "generation %" PRIu32 " in %s is %s", generation,
                      prefix, f.is_shredded ? "destroyed" : "not there");
}

enum stay_rc key_ring_current(struct key_ring *ring, const uint8_t domain[DOMAIN_BYTES],
                              uint32_t *ret_generation, struct stay_error *err)
{
    struct folder f = {0};
    char prefix[64];
    key_folder_name(domain, prefix);
    enum stay_rc rc = look_in(ring, domain, &f, err);
    if (rc == STAY_OK && f.highest == 0)
        rc = repo_fault(err, REPO_FAULT_KEY_MISSING, "there is no key in %s%s", prefix,
                        f.is_shredded ? ": it was destroyed" : "");
    if (rc == STAY_OK)
        *ret_generation = f.highest;
    return rc;
}

enum stay_rc key_object_put(struct key_ring *ring, const struct key_record *r,
                            const struct master_key *master, struct stay_error *err)
{
    char name[OBJECT_NAME_MAX];
    uint8_t nonce[AEAD_NONCE_BYTES];
    real_random_bytes(nonce, sizeof nonce);
    STAY_AUTO(stay_free_charp) char *text = key_record_encode(r, master, nonce);
    key_object_name(r->domain, r->generation, master->id, name);
    return object_put(ring->store, name, text, strlen(text), err);
}

/* A writer that was started with the key of before would make generations that nobody opens. */
static enum stay_rc check_master(struct key_ring *ring, struct stay_error *err)
{
    uint8_t names[DOMAIN_BYTES];
    char name[OBJECT_NAME_MAX];
    uint64_t size;
    struct stay_error why = {0};
    key_domain_fixed(KEY_NAMES, names);
    key_object_name(names, 1, ring->master.id, name);
    enum stay_rc rc = object_size(ring->store, name, &size, &why);
    if (rc != STAY_OK && repo_fault_of(&why) == REPO_FAULT_MISSING)
        return repo_fault(err, REPO_FAULT_WRONG_KEY,
                          "the repository is not sealed with master key %s (any more)",
                          ring->master.id);
    if (rc != STAY_OK && err != NULL)
        *err = why;
    return rc;
}

/* May a generation stand in that domain? Asked before it is written and after: whoever seals the
 * repository anew or destroys the domain marks that first and looks for keys then, so that one of
 * the two sees the other. */
static enum stay_rc may_add(struct key_ring *ring, const struct key_record *record,
                            struct folder *ret_folder, struct stay_error *err)
{
    struct folder f = {0};
    char prefix[64];
    enum stay_rc rc = STAY_OK;
    if (record->purpose != KEY_NAMES && record->purpose != KEY_SIGNING)
        rc = check_master(ring, err);
    if (rc == STAY_OK)
        rc = look_in(ring, record->domain, &f, err);
    if (rc != STAY_OK)
        return rc;
    key_folder_name(record->domain, prefix);
    if (f.is_shredded)
        return stay_error(err, STAY_EREFUSED,
                          "the keys in %s were destroyed: nothing is written for it again", prefix);
    *ret_folder = f;
    return STAY_OK;
}

/* A number that was given once is never given again, even when its object was lost: what is found
 * again later must have its place. Hence seconds, and more than the highest there is. */
static enum stay_rc next_generation(struct key_record *record, uint32_t highest,
                                    struct stay_error *err)
{
    const int64_t since_2020 = record->created_wall_us / STAY_SECOND - INT64_C(1577836800);
    bool is_fixed = record->purpose == KEY_NAMES || record->purpose == KEY_SIGNING;
    if (highest >= UINT32_MAX / 2) /* the year 2088; or an empty file with such a name */
        return repo_fault(err, REPO_FAULT_HOSTILE_NAME,
                          "a key of generation %08" PRIx32 " is there, which nobody gives",
                          highest);
    record->generation = highest + 1;
    if (!is_fixed && since_2020 > (int64_t)highest && since_2020 < UINT32_MAX / 2)
        record->generation = (uint32_t)since_2020;
    return STAY_OK;
}

enum stay_rc key_ring_add(struct key_ring *ring, struct key_record *record, struct stay_error *err)
{
    struct folder f = {0};
    char name[OBJECT_NAME_MAX];
    enum stay_rc rc = may_add(ring, record, &f, err);
    if (rc != STAY_OK)
        return rc;
    memcpy(record->repo, ring->repo, REPO_ID_BYTES);
    record->created_wall_us = real_clock_wall_us();
    rc = next_generation(record, f.highest, err);
    if (rc != STAY_OK)
        return rc;
    real_random_bytes(record->key, sizeof record->key);
    rc = key_object_put(ring, record, &ring->master, err);
    if (rc != STAY_OK)
        return rc;
    rc = may_add(ring, record, &f, err);
    if (rc != STAY_OK) { /* nothing was sealed with it yet */
        key_object_name(record->domain, record->generation, ring->master.id, name);
        (void)!object_delete(ring->store, name, NULL);
    }
    return rc;
}

struct key_listing {
    struct key_ring *ring;
    key_entry_fn found;
    void *arg;
};

static enum stay_rc on_key(void *arg, const struct object_found *found, struct stay_error *err)
{
    struct key_listing *l = arg;
    if (found->strange != NULL)
        return STAY_OK; /* told by the check of the whole repository */
    struct key_entry entry = {.name = object_name_parse(found->name)};
    if (entry.name.place != PLACE_KEY && entry.name.place != PLACE_SHREDDED)
        return STAY_OK;
    if (entry.name.place == PLACE_KEY) {
        bool is_ours = strcmp(entry.name.master, l->ring->master.id) == 0;
        enum stay_rc rc = key_object_load(l->ring, found->name, is_ours ? &l->ring->master : NULL,
                                          &entry.record, &entry.why);
        entry.is_open = rc == STAY_OK && is_ours;
        if (rc == STAY_OK && !is_ours)
            (void)repo_fault(&entry.why, REPO_FAULT_WRONG_KEY,
                             "'%s' is sealed with another master key than %s", found->name,
                             l->ring->master.id);
    }
    enum stay_rc rc = l->found(l->arg, &entry, err);
    key_record_clear(&entry.record);
    return rc;
}

enum stay_rc key_ring_list(struct key_ring *ring, key_entry_fn found, void *arg,
                           struct stay_error *err)
{
    struct key_listing l = {ring, found, arg};
    return object_list(ring->store, "keys/", on_key, &l, err);
}

void key_mark_name(const uint8_t domain[DOMAIN_BYTES], char dst[OBJECT_NAME_MAX])
{
    struct object_name mark = {.place = PLACE_SHREDDED};
    hex_format(domain, DOMAIN_BYTES, mark.domain);
    object_name_format(&mark, dst);
}

bool key_ring_is_shredded(struct key_ring *ring, const uint8_t domain[DOMAIN_BYTES])
{
    char name[OBJECT_NAME_MAX];
    uint64_t size;
    key_mark_name(domain, name);
    return object_size(ring->store, name, &size, NULL) == STAY_OK;
}
