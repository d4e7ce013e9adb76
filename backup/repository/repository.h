/* backup/repository/repository.h - an open repository: a store, what it says of itself, its keys.
 *
 * Layer: repository. Blocking; one thread each. Nothing depends on a database, a controller or a
 * local state: the store and the master key are all that is needed, and without the key still
 * everything that is listed, counted, summed or deleted. mainstay-repository(5). */
#ifndef BACKUP_REPOSITORY_REPOSITORY_H
#define BACKUP_REPOSITORY_REPOSITORY_H
#include "backup/repository/key_ring.h"
#include "backup/repository/object_format.h"
#include "backup/repository/object_store.h"
#include "base/json.h"

#define REPOSITORY_VERSION  1
#define REPOSITORY_TEXT_MAX 65536 /* bytes of repo.json */

struct repository {
    struct object_store *store; /* owned */
    uint8_t id[REPO_ID_BYTES];
    char id_text[OBJECT_ID_TEXT];
    char zone[33]; /* "" when none was given */
    int64_t created_wall_us;
    uint8_t signing_key[32]; /* public */
    struct key_ring *ring;   /* owned; NULL: opened without the master key */
};

struct repository_spec {
    const char *url;      /* file:///path */
    const char *key_path; /* of the master key; NULL (open only): without it */
    const char *zone;     /* init: or NULL */
};

/* Makes a repository in an empty or new folder: the keys first, repo.json last. ALREADY_EXISTS: one
 * is there, or other things are; what was there is as it was. An init that a crash ended is ended
 * by the next with the same key. *ret_id (may be NULL) has its id. */
enum stay_rc repository_init(const struct repository_spec *spec, char ret_id[OBJECT_ID_TEXT],
                             struct stay_error *err) STAY_MUST_USE;
/* NOT_A_REPOSITORY, NEWER, WRONG_KEY, CORRUPT (repo.json against its own sum, made with the keys).
 * The caller closes *ret_repo. */
enum stay_rc repository_open(const struct repository_spec *spec, struct repository **ret_repo,
                             struct stay_error *err) STAY_MUST_USE;
void repository_close(struct repository *repo); /* takes NULL */
void repository_drop(struct repository **repo); /* for STAY_AUTO */

/* The domain of a cluster (tenant NULL) or of one of its tenants. Needs the key. */
enum stay_rc repository_domain(struct repository *repo, const char *cluster, const char *tenant,
                               uint8_t ret_domain[DOMAIN_BYTES],
                               struct stay_error *err) STAY_MUST_USE;
/* The same, with a first generation of its key when it has none. KEY_MISSING: the cluster has
 * objects already, so it had one. */
enum stay_rc repository_domain_ready(struct repository *repo, const char *cluster,
                                     const char *tenant, uint8_t ret_domain[DOMAIN_BYTES],
                                     struct stay_error *err) STAY_MUST_USE;
/* One more generation: what is written from now on is sealed with it. */
enum stay_rc repository_rotate(struct repository *repo, const char *cluster, const char *tenant,
                               uint32_t *ret_generation, struct stay_error *err) STAY_MUST_USE;
/* Signs text with the repository's key. */
enum stay_rc repository_sign(struct repository *repo, struct span text,
                             uint8_t ret_signature[SIGNATURE_BYTES],
                             struct stay_error *err) STAY_MUST_USE;

#endif
