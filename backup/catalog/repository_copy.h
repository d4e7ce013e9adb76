/* backup/catalog/repository_copy.h - a second repository, elsewhere, that holds the same objects.
 *
 * Layer: catalog. Blocking. The copy has the same id and the same keys: whatever reads the first
 * reads it, with the same master key, and `check` looks at it by itself. What is missing there is
 * copied, rows and log before what names them, repo.json last; nothing is overwritten. Keys are
 * followed both ways: those that were destroyed or sealed anew in the first are removed from the
 * copy. Data that was deleted in the first stays. Needs no key. */
#ifndef BACKUP_CATALOG_REPOSITORY_COPY_H
#define BACKUP_CATALOG_REPOSITORY_COPY_H
#include "backup/repository/repository.h"

struct copy_outcome {
    uint64_t objects, bytes; /* copied */
    uint64_t there;          /* were there already */
    uint64_t keys_removed;
    uint64_t refused; /* not what was written, or strange: told, not copied */
};

/* An object that was not copied. */
typedef void (*copy_refused_fn)(void *arg, const char *name, const struct stay_error *why);

/* From an open repository into `url`, made when it is not there. FOREIGN: another repository, or
 * another thing, is there. `told` may be NULL. May be repeated, also after a crash. */
enum stay_rc repository_copy(struct repository *from, const char *url, copy_refused_fn told,
                             void *arg, struct copy_outcome *ret_outcome,
                             struct stay_error *err) STAY_MUST_USE;

#endif
