/* backup/repository/master_key.h - the one secret outside of the repository: 256 bits in a file.
 *
 * Layer: repository. The file holds 64 hex digits (`openssl rand -hex 32`), belongs to us or root
 * and is closed to others (0600). Who loses it loses the repository; who has it and the repository
 * has everything. It is named by its id, which says nothing about it. */
#ifndef BACKUP_REPOSITORY_MASTER_KEY_H
#define BACKUP_REPOSITORY_MASTER_KEY_H
#include "backup/repository/aead.h"
#include "base/error.h"

struct master_key {
    uint8_t bytes[AEAD_KEY_BYTES];
    char id[17]; /* 16 hex: half of HMAC-SHA256 of it over "mainstay master key id" */
};

/* KEY_FILE: names the file and how it is mended. */
enum stay_rc master_key_load(const char *path, struct master_key *ret_key,
                             struct stay_error *err) STAY_MUST_USE;
/* A new random one in a new file, 0600, durable. ALREADY_EXISTS: nothing is overwritten. */
enum stay_rc master_key_create(const char *path, struct stay_error *err) STAY_MUST_USE;
/* From its bytes: fills in the id. Pure. */
void master_key_init(struct master_key *key, const uint8_t bytes[AEAD_KEY_BYTES]);
void master_key_clear(struct master_key *key); /* zeroed; for STAY_AUTO */

#endif
