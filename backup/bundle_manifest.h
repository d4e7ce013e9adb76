/* backup/bundle_manifest.h - a bundle's manifest as JSON, both ways.
 *
 * Pure (heap only). Layer: backup. */
#ifndef BACKUP_BUNDLE_MANIFEST_H
#define BACKUP_BUNDLE_MANIFEST_H
#include "backup/bundle.h"

/* New reference. sha256: of the events file, hexadecimal. */
json_t *bundle_manifest_to_json(const struct bundle *bundle, const char *sha256);
/* Fills an empty bundle; ret_sha256 and *ret_length are what the events file must be. On failure
 * the bundle may be half filled: free it. */
enum stay_rc bundle_manifest_from_json(const json_t *json, struct bundle *bundle,
                                       char ret_sha256[65], uint64_t *ret_length,
                                       struct stay_error *err) STAY_MUST_USE;

#endif
