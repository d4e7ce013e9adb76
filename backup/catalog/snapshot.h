/* backup/catalog/snapshot.h - a snapshot's objects, then its manifest: it exists when that exists.
 *
 * Layer: catalog. Blocking; the list of objects belongs to one thread, objects may be written by
 * others, each with a repository of its own. An unfinished snapshot is nothing but objects that no
 * manifest lists. */
#ifndef BACKUP_CATALOG_SNAPSHOT_H
#define BACKUP_CATALOG_SNAPSHOT_H
#include "backup/repository/object_writer.h"

struct snapshot {
    char cluster[33], lineage[LINEAGE_ID_TEXT], id[SNAPSHOT_ID_TEXT];
    int64_t started_wall_us;
    uint32_t next_number; /* of the next object */
    json_t *stored;       /* of the clear line: name, stored_len, stored_sha256 */
    json_t *sealed;       /* of the body: plain lengths and sums, frames, key generations */
};

/* What the clear line of a manifest says: enough to list, count, expire, and see ranges. */
struct snapshot_about {
    const char *method;      /* "logical" */
    const char *consistency; /* "exact", "per-table", "fuzzy" */
    const char *position;    /* as gtid_set_format gives it */
    int64_t consistent_wall_us;
};

/* A new id. The caller clears *ret_snapshot. */
enum stay_rc snapshot_begin(const char *cluster, const char *lineage, struct snapshot *ret_snapshot,
                            struct stay_error *err) STAY_MUST_USE;
void snapshot_clear(struct snapshot *snapshot); /* for STAY_AUTO */
/* The name of object `number` of a domain. */
void snapshot_object_name(const struct snapshot *snapshot, const uint8_t domain[DOMAIN_BYTES],
                          uint32_t number, char dst[OBJECT_NAME_MAX]);
/* Begins an object of one domain; `about` is clear text. After its finish: snapshot_add. */
enum stay_rc snapshot_object_begin(struct repository *repo, const struct snapshot *snapshot,
                                   const uint8_t domain[DOMAIN_BYTES], uint32_t number,
                                   const char *about, struct object_writer **ret_writer,
                                   struct stay_error *err) STAY_MUST_USE;
void snapshot_add(struct snapshot *snapshot, const uint8_t domain[DOMAIN_BYTES], uint32_t number,
                  const struct object_written *written);
/* Looks that every object added is there with its length (MISSING, TRUNCATED), then writes the
 * manifest: the snapshot exists. `body` (sealed, borrowed) gets "objects". */
enum stay_rc snapshot_publish(struct repository *repo, struct snapshot *snapshot,
                              const struct snapshot_about *about, json_t *body,
                              struct stay_error *err) STAY_MUST_USE;

#endif
