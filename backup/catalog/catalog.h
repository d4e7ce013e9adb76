/* backup/catalog/catalog.h - what a repository holds of a cluster, from its objects alone.
 *
 * Layer: catalog. Blocking. Reads names, clear lines and headers: no key is needed, nothing is
 * believed of a database or of a file beside the repository. An object that cannot be read is left
 * out and told; the check says what is wrong with it. */
#ifndef BACKUP_CATALOG_CATALOG_H
#define BACKUP_CATALOG_CATALOG_H
#include "backup/catalog/log_chain.h"

struct catalog_segment {
    char name[OBJECT_NAME_MAX];
    uint64_t size;
    struct segment_about about;
};

struct catalog_snapshot {
    char name[OBJECT_NAME_MAX]; /* of its manifest */
    char id[SNAPSHOT_ID_TEXT];
    char *position;
    int64_t started_wall_us, consistent_wall_us;
    size_t objects;
    uint64_t bytes; /* stored, by its manifest */
};

struct catalog_gap {
    char id[ULID_TEXT], heals[ULID_TEXT];
    char *after, *before;
    bool is_healed; /* another one heals it */
};

struct catalog_lineage {
    char id[LINEAGE_ID_TEXT], parent[LINEAGE_ID_TEXT];
    char engine[16];
    bool is_opened, is_closed; /* its documents are there */
    char *closed_at;           /* position; NULL */
    size_t segment_count, snapshot_count, gap_count, run_count;
    struct catalog_segment *segments;   /* by the order of `chain` after loading */
    struct chain_segment *chain;        /* by number; about points into segments */
    struct catalog_snapshot *snapshots; /* by time */
    struct catalog_gap *gaps;
    struct chain_run *runs; /* places in chain */
};

struct catalog {
    char cluster[33];
    size_t lineage_count;
    struct catalog_lineage *lineages; /* by id */
    size_t unreadable;                /* objects left out */
};

/* An object that could not be read. */
typedef void (*catalog_fault_fn)(void *arg, const char *name, const struct stay_error *why);

/* `told` may be NULL. The caller clears *ret_catalog. */
enum stay_rc catalog_load(struct repository *repo, const char *cluster, catalog_fault_fn told,
                          void *arg, struct catalog *ret_catalog,
                          struct stay_error *err) STAY_MUST_USE;
void catalog_clear(struct catalog *catalog); /* for STAY_AUTO */
/* The clusters there are, by name: heap array of heap texts, the caller frees both. */
enum stay_rc catalog_clusters(struct repository *repo, char ***ret_names, size_t *ret_count,
                              struct stay_error *err) STAY_MUST_USE;
/* For people and programs: lineages with their runs, gaps and snapshots. New reference. */
json_t *catalog_json(const struct catalog *catalog) STAY_MUST_USE;

#endif
