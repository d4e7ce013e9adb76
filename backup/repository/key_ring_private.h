/* backup/repository/key_ring_private.h - what the files of the key ring share: its memory, and
 * objects of keys by name.
 *
 * Layer: repository. */
#ifndef BACKUP_REPOSITORY_KEY_RING_PRIVATE_H
#define BACKUP_REPOSITORY_KEY_RING_PRIVATE_H
#include "backup/repository/key_ring.h"

struct ring_key {
    uint8_t domain[DOMAIN_BYTES];
    uint32_t generation;
    uint8_t bytes[AEAD_KEY_BYTES];
};

struct key_ring {
    struct object_store *store;
    uint8_t repo[REPO_ID_BYTES];
    struct master_key master;
    size_t count, room;
    struct ring_key **keys; /* each its own memory: pointers into it are given out */
};

/* "keys/DOMAIN/GENERATION.MASTER.json", "keys/DOMAIN/shredded.json", "keys/DOMAIN/" */
void key_object_name(const uint8_t domain[DOMAIN_BYTES], uint32_t generation, const char *master,
                     char dst[OBJECT_NAME_MAX]);
void key_mark_name(const uint8_t domain[DOMAIN_BYTES], char dst[OBJECT_NAME_MAX]);
void key_folder_name(const uint8_t domain[DOMAIN_BYTES], char dst[64]);
/* Reads an object's record; its name and its text must agree. `master` NULL: it is not opened. */
enum stay_rc key_object_load(struct key_ring *ring, const char *object,
                             const struct master_key *master, struct key_record *ret,
                             struct stay_error *err) STAY_MUST_USE;
/* Seals and creates it. */
enum stay_rc key_object_put(struct key_ring *ring, const struct key_record *r,
                            const struct master_key *master, struct stay_error *err) STAY_MUST_USE;

#endif
