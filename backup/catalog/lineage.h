/* backup/catalog/lineage.h - lives of a cluster, and holes in what is known of them.
 *
 * Layer: catalog. Blocking. A lineage is one history of writes: it begins when a cluster is first
 * archived, and anew after each restore that was written to, for the numbers of the abandoned
 * future are given again. It is closed where it was left. A gap is a stretch of a lineage that no
 * segment holds and no server could give any more. Documents, written once: a healed gap is another
 * document that names it. */
#ifndef BACKUP_CATALOG_LINEAGE_H
#define BACKUP_CATALOG_LINEAGE_H
#include "backup/repository/sealed_document.h"

struct lineage_spec {
    const char *cluster;
    const char *engine;     /* "mariadb", "mysql" */
    const char *parent;     /* lineage it came from by a restore; NULL: none */
    const char *parent_cut; /* the position of the parent where it begins; NULL: none */
    json_t *servers;        /* identities seen: sealed; borrowed, may be NULL */
};

struct gap_spec {
    const char *cluster, *lineage;
    const char *after, *before; /* positions around it */
    const char *reason, *detected_by;
    const char *heals; /* ULID of a gap whose transactions were found; NULL: a new gap */
};

/* A new random one; *ret_id is its name. */
enum stay_rc lineage_create(struct repository *repo, const struct lineage_spec *spec,
                            char ret_id[LINEAGE_ID_TEXT], struct stay_error *err) STAY_MUST_USE;
/* Nothing is added to it any more; its last position and why. */
enum stay_rc lineage_close(struct repository *repo, const char *cluster, const char *lineage,
                           const char *position, const char *reason,
                           struct stay_error *err) STAY_MUST_USE;
enum stay_rc gap_record(struct repository *repo, const struct gap_spec *spec,
                        char ret_id[ULID_TEXT], struct stay_error *err) STAY_MUST_USE;

#endif
