/* backup/catalog/segment.h - a piece of a cluster's log: what its header says in clear text, and
 * how one is written.
 *
 * Layer: catalog. segment_about_* are pure. A segment holds whole transactions, but for one that is
 * longer than a segment; it continues where the one before it in its lineage ended, and names it
 * by the hash in its end, so that a missing, changed or exchanged segment is seen without a key. */
#ifndef BACKUP_CATALOG_SEGMENT_H
#define BACKUP_CATALOG_SEGMENT_H
#include "backup/repository/object_writer.h"

#define SEGMENT_FRAME_MAX 262144U /* plain bytes of a frame */

enum segment_frame {
    SEGMENT_EVENTS = 1, /* events of the replication stream, byte for byte, one after the other */
    SEGMENT_TIMES = 2,  /* JSON: when the archiver saw each transaction (MariaDB) */
};

struct segment_about {
    char lineage[LINEAGE_ID_TEXT];
    uint32_t epoch;                          /* of the archiver's lease */
    uint64_t seq;                            /* one more than the one before */
    bool has_prev;                           /* false: the first of its lineage */
    uint8_t prev[SHA256_BYTES];              /* hash in the end of segment seq - 1 */
    char *before, *after;                    /* positions, as gtid_set_format gives them; owned */
    int64_t first_commit_us, last_commit_us; /* wall; 0: no transaction in it */
    uint64_t transactions;
    uint32_t source_id; /* server id that it was read from */
    int64_t skew_us;    /* the source's clock ahead of the archiver's */
    bool is_cut;        /* ends inside a transaction */
};

/* Heap text, caller frees. Pure. */
char *segment_about_format(const struct segment_about *about) STAY_MUST_USE;
/* CORRUPT: not what a segment says. The caller clears *ret_about. Pure. */
enum stay_rc segment_about_parse(const char *text, struct segment_about *ret_about,
                                 struct stay_error *err) STAY_MUST_USE;
void segment_about_clear(struct segment_about *about); /* for STAY_AUTO */

/* The name by what it says; the hour is of first_commit_us, or of `now_wall_us` when it has none.
 */
void segment_name(const char *cluster, const struct segment_about *about, int64_t now_wall_us,
                  char dst[OBJECT_NAME_MAX]);
/* Begins a segment in the domains given (the cluster's first). frames: object_writer_frame. */
enum stay_rc segment_begin(struct repository *repo, const char *cluster,
                           const struct segment_about *about,
                           const uint8_t (*domains)[DOMAIN_BYTES], size_t domain_count,
                           struct object_writer **ret_writer, struct stay_error *err) STAY_MUST_USE;
/* Reads what a stored segment says, and the hash in its end. */
enum stay_rc segment_read_about(struct repository *repo, const char *name,
                                struct segment_about *ret_about, uint8_t ret_hash[SHA256_BYTES],
                                struct stay_error *err) STAY_MUST_USE;

#endif
