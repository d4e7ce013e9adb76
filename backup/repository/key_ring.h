/* backup/repository/key_ring.h - the keys of an open repository: read once, kept in locked memory,
 * added, sealed anew, destroyed.
 *
 * Layer: repository. Blocking; one thread. A domain's current generation is its highest;
 * numbers are seconds since 2020, so that none is given twice. The names
 * keys/DOMAIN/GENERATION.MASTER.json hold the id of the master key, so that sealing with another
 * one adds objects and removes the old ones only when all are there: any moment in between opens
 * with one of them, and the old one can end what was begun while it still opens. */
#ifndef BACKUP_REPOSITORY_KEY_RING_H
#define BACKUP_REPOSITORY_KEY_RING_H
#include "backup/repository/key_record.h"
#include "backup/repository/object_store.h"

struct key_ring;

/* What a list of keys tells. */
struct key_entry {
    struct object_name name; /* domain, generation, master */
    bool is_open;            /* record is known: sealed with our master key, and good */
    struct key_record record;
    struct stay_error why; /* not open: why not */
};
typedef enum stay_rc (*key_entry_fn)(void *arg, const struct key_entry *entry,
                                     struct stay_error *err);

/* `store` is borrowed for the ring's life, master copied. Nothing is read yet. */
struct key_ring *key_ring_new(struct object_store *store, const uint8_t repo[REPO_ID_BYTES],
                              const struct master_key *master) STAY_MUST_USE;
void key_ring_free(struct key_ring *ring); /* zeroes; takes NULL */
const struct master_key *key_ring_master(const struct key_ring *ring);

/* *ret_key lives as long as the ring. KEY_MISSING: destroyed or lost; WRONG_KEY: it is there,
 * sealed with another master key; FOREIGN: it is of another repository. */
enum stay_rc key_ring_get(struct key_ring *ring, const uint8_t domain[DOMAIN_BYTES],
                          uint32_t generation, const uint8_t **ret_key,
                          struct stay_error *err) STAY_MUST_USE;
/* The highest generation's number. KEY_MISSING: there is none. */
enum stay_rc key_ring_current(struct key_ring *ring, const uint8_t domain[DOMAIN_BYTES],
                              uint32_t *ret_generation, struct stay_error *err) STAY_MUST_USE;
/* One more generation of record's domain, with its purpose and label; sets generation, key, time.
 * STAY_EREFUSED: the domain was shredded; WRONG_KEY: the repository was sealed anew meanwhile. */
enum stay_rc key_ring_add(struct key_ring *ring, struct key_record *record,
                          struct stay_error *err) STAY_MUST_USE;
/* Every key object, by name. */
enum stay_rc key_ring_list(struct key_ring *ring, key_entry_fn found, void *arg,
                           struct stay_error *err) STAY_MUST_USE;
/* Seals every generation with `master` too, reads each back, then removes what is sealed with the
 * old one, and goes on with the new. May be repeated after a failure or a crash. */
enum stay_rc key_ring_reseal(struct key_ring *ring, const struct master_key *master,
                             uint32_t *ret_count, struct stay_error *err) STAY_MUST_USE;
/* Was the domain destroyed, rather than its keys lost? False also when the store does not answer.
 */
bool key_ring_is_shredded(struct key_ring *ring, const uint8_t domain[DOMAIN_BYTES]);
/* Removes all generations of a domain, whatever master key sealed them, and leaves shredded.json so
 * that none is made again. *ret_count: how many went. */
enum stay_rc key_ring_shred(struct key_ring *ring, const uint8_t domain[DOMAIN_BYTES],
                            uint32_t *ret_count, struct stay_error *err) STAY_MUST_USE;

#endif
