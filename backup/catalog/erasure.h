/* backup/catalog/erasure.h - a tenant's keys destroyed, and a signed certificate of it.
 *
 * Layer: catalog. Blocking. What only that tenant's keys open is noise from then on: its rows in
 * every snapshot of this repository. Its row events in the cluster's log are sealed with the
 * cluster's key and stay readable until those segments expire; the certificate says how new the
 * newest commit in them is, and how many do not tell. A copy of keys/ elsewhere is not reached: it
 * is named as such. */
#ifndef BACKUP_CATALOG_ERASURE_H
#define BACKUP_CATALOG_ERASURE_H
#include "backup/repository/repository.h"

/* Destroys the keys, looks that none is left, signs the certificate and keeps it as an event of the
 * cluster. May be repeated after a failure or a crash: what is gone stays gone. KEY_MISSING: there
 * never were keys of that tenant. The caller owns *ret_certificate (json_decref). */
enum stay_rc erasure_shred(struct repository *repo, const char *cluster, const char *tenant,
                           json_t **ret_certificate, struct stay_error *err) STAY_MUST_USE;
/* Is the signature the repository's, over the certificate as it stands? Needs no secret. */
bool erasure_is_good(const struct repository *repo, json_t *certificate);

#endif
