/* backup/repository/key_ring_change.c - all keys sealed anew; those of a domain destroyed. */
#include "backup/repository/key_ring.h"
#include "backup/repository/key_ring_private.h"
#include "backup/repository/repo_fault.h"
#include <inttypes.h>

struct resealing {
    struct key_ring *ring;
    const struct master_key *master;
    uint32_t count;
    bool removes;
};

/* Written for a domain that was destroyed meanwhile: it goes again. */
static enum stay_rc take_back(struct key_ring *ring, const struct key_record *r,
                              const struct master_key *master, struct stay_error *err)
{
    char name[OBJECT_NAME_MAX];
    if (!key_ring_is_shredded(ring, r->domain))
        return STAY_OK;
    key_object_name(r->domain, r->generation, master->id, name);
    enum stay_rc rc = object_delete(ring->store, name, err);
    return rc != STAY_OK ? rc : stay_error(err, STAY_ECONFLICT, "a domain was destroyed meanwhile");
}

static enum stay_rc reseal_one(void *arg, const struct key_entry *entry, struct stay_error *err)
{
    struct resealing *job = arg;
    char fresh[OBJECT_NAME_MAX], old[OBJECT_NAME_MAX];
    STAY_AUTO(key_record_clear) struct key_record r = {0};
    struct stay_error why = {0};
    if (entry->name.place != PLACE_KEY || strcmp(entry->name.master, job->master->id) == 0)
        return STAY_OK;
    if (!entry->is_open) {
        if (err != NULL)
            *err = entry->why;
        return entry->why.rc;
    }
    key_object_name(entry->record.domain, entry->record.generation, job->master->id, fresh);
    enum stay_rc rc = key_object_load(job->ring, fresh, job->master, &r, &why);
    if (rc != STAY_OK && repo_fault_of(&why) == REPO_FAULT_MISSING && !job->removes) {
        job->count++;
        rc = key_object_put(job->ring, &entry->record, job->master, err);
        if (rc == STAY_OK)
            rc = take_back(job->ring, &entry->record, job->master, err);
        if (rc == STAY_OK)
            rc = key_object_load(job->ring, fresh, job->master, &r, err);
    } else if (rc != STAY_OK && repo_fault_of(&why) == REPO_FAULT_MISSING) {
        return STAY_OK; /* added since the pass before */
    } else if (rc != STAY_OK && err != NULL) {
        *err = why;
    }
    if (rc != STAY_OK)
        return rc;
    if (memcmp(r.key, entry->record.key, AEAD_KEY_BYTES) != 0 ||
        strcmp(r.label, entry->record.label) != 0)
        return repo_fault(err, REPO_FAULT_CORRUPT, "'%s' is not the key that it stands for", fresh);
    if (!job->removes || entry->record.purpose == KEY_NAMES)
        return STAY_OK;
    key_object_name(entry->record.domain, entry->record.generation, entry->name.master, old);
    return object_delete(job->ring->store, old, err);
}

enum stay_rc key_ring_reseal(struct key_ring *ring, const struct master_key *master,
                             uint32_t *ret_count, struct stay_error *err)
{
    struct resealing job = {.ring = ring, .master = master};
    char last[OBJECT_NAME_MAX];
    uint8_t names[DOMAIN_BYTES];
    enum stay_rc rc = STAY_OK;
    if (strcmp(master->id, ring->master.id) == 0)
        return stay_error(err, STAY_EREFUSED, "it is sealed with that master key already");
    key_domain_fixed(KEY_NAMES, names);
    key_object_name(names, 1, ring->master.id, last);
    /* Twice. Between the rounds goes what the repository is opened by: from then on no writer adds
     * with the old key, and the second round takes what one added during the first. Until then it
     * opens with the old key, which repeats this. */
    for (unsigned round = 0; rc == STAY_OK && round < 2; round++) {
        job.removes = false;
        rc = key_ring_list(ring, reseal_one, &job, err);
        job.removes = true;
        if (rc == STAY_OK)
            rc = key_ring_list(ring, reseal_one, &job, err);
        if (rc == STAY_OK)
            rc = object_delete(ring->store, last, err);
    }
    if (rc != STAY_OK)
        return rc;
    ring->master = *master;
    *ret_count = job.count;
    return STAY_OK;
}

struct names {
    char (*list)[OBJECT_NAME_MAX];
    size_t count;
};

static enum stay_rc collect_key(void *arg, const struct object_found *found, struct stay_error *err)
{
    struct names *n = arg;
    (void)err;
    if (found->strange != NULL || object_name_parse(found->name).place != PLACE_KEY)
        return STAY_OK;
    n->list = stay_realloc(n->list, n->count + 1, sizeof *n->list);
    (void)stay_copy(n->list[n->count++], OBJECT_NAME_MAX, found->name);
    return STAY_OK;
}

enum stay_rc key_ring_shred(struct key_ring *ring, const uint8_t domain[DOMAIN_BYTES],
                            uint32_t *ret_count, struct stay_error *err)
{
    char prefix[64], name[OBJECT_NAME_MAX];
    struct names names = {0};
    static const char text[] = "{\"format\":\"mainstay-shredded\",\"version\":1}\n";
    key_mark_name(domain, name);
    key_folder_name(domain, prefix);
    /* The mark first: from here on no generation is added. */
    enum stay_rc rc = object_put(ring->store, name, text, sizeof text - 1, err);
    if (rc == STAY_OK)
        rc = object_list(ring->store, prefix, collect_key, &names, err);
    for (size_t i = 0; rc == STAY_OK && i < names.count; i++)
        rc = object_delete(ring->store, names.list[i], err);
    /* One that died while it sealed a key anew may have left it unnamed. */
    if (rc == STAY_OK)
        rc = object_store_sweep(ring->store, err);
    for (size_t i = ring->count; i-- > 0;) {
        if (memcmp(ring->keys[i]->domain, domain, DOMAIN_BYTES) != 0)
            continue;
        explicit_bzero(ring->keys[i], sizeof *ring->keys[i]);
        free(ring->keys[i]);
        ring->keys[i] = ring->keys[--ring->count];
    }
    if (rc == STAY_OK)
        *ret_count = (uint32_t)names.count;
    free(names.list);
    return rc;
}
