/* backup/repository/key_record.h - one generation of a domain's key as it lies in the repository:
 * sealed with the master key, as JSON text.
 *
 * Pure (heap only). Layer: repository. A domain is what can be destroyed alone: a cluster, a
 * tenant of a cluster. Two more are the repository's own: NAMES makes the ids of all others, so
 * that nobody guesses a tenant from its id; SIGNING is the seed of the key that signs certificates.
 */
#ifndef BACKUP_REPOSITORY_KEY_RECORD_H
#define BACKUP_REPOSITORY_KEY_RECORD_H
#include "backup/repository/master_key.h"
#include "backup/repository/object_name.h"

#define KEY_RECORD_MAX 16384 /* bytes of its text */
#define KEY_LABEL_MAX  1024  /* bytes of what stands sealed behind a key */
#define KEY_TENANT_MAX 129   /* bytes of a tenant's name, terminator included */

enum key_purpose {
    KEY_NONE = 0,
    KEY_NAMES,
    KEY_SIGNING,
    KEY_CLUSTER,
    KEY_TENANT,
    KEY_PURPOSE_COUNT
};

struct key_record {
    uint8_t repo[REPO_ID_BYTES], domain[DOMAIN_BYTES];
    uint32_t generation;
    int64_t created_wall_us;
    char master[17]; /* id of the master key it is sealed with */
    /* Known once it is open: */
    uint8_t key[AEAD_KEY_BYTES];
    enum key_purpose purpose;
    char cluster[33];
    char tenant[KEY_TENANT_MAX];
    char label[KEY_LABEL_MAX +
               1]; /* JSON of these and what a later version added; "": made of these */
};

/* Its text, sealed with `master` (heap, caller frees). `nonce` is random: master keys seal few. */
char *key_record_encode(const struct key_record *record, const struct master_key *master,
                        const uint8_t nonce[AEAD_NONCE_BYTES]) STAY_MUST_USE;
/* Reads text; with `master` opens it too. Faults: CORRUPT, NEWER (also a
 * purpose we do not know), WRONG_KEY (sealed with another
 * master, by its id). The caller clears *ret_record. */
enum stay_rc key_record_decode(const char *text, size_t length, const struct master_key *master,
                               struct key_record *ret_record, struct stay_error *err) STAY_MUST_USE;
void key_record_clear(struct key_record *record); /* zeroed; for STAY_AUTO */

const char *key_purpose_text(enum key_purpose purpose); /* "cluster" */
/* The domain of NAMES and SIGNING. */
void key_domain_fixed(enum key_purpose purpose, uint8_t ret_domain[DOMAIN_BYTES]);
/* The domain of a cluster (tenant NULL) or of its tenant. */
void key_domain_of(const uint8_t names_key[AEAD_KEY_BYTES], const char *cluster, const char *tenant,
                   uint8_t ret_domain[DOMAIN_BYTES]);

#endif
