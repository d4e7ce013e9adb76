/* backup/catalog/log_chain.h - do the segments of one lineage follow each other? Where not, is it
 * said so?
 *
 * Pure (heap only). Layer: catalog. Continuity is a property of positions and hashes, never of
 * names or times. Of several segments with one number, written by archivers of different epochs,
 * the one that its successor names is the log; without a successor that of the highest epoch. The
 * others are strays: somebody was slow to notice that his lease was over. */
#ifndef BACKUP_CATALOG_LOG_CHAIN_H
#define BACKUP_CATALOG_LOG_CHAIN_H
#include "backup/catalog/segment.h"

struct chain_segment {
    const struct segment_about *about; /* borrowed */
    uint8_t hash[SHA256_BYTES];        /* in its end */
    bool is_stray;                     /* filled in */
};

/* A hole that was recorded: the log goes on at `before` after it ended at `after`. */
struct chain_gap {
    const char *after, *before; /* borrowed */
    bool is_healed;
};

enum chain_seam {
    SEAM_FOLLOWS = 0, /* nothing between them */
    SEAM_GAP,         /* positions are missing, and a gap object says so */
    SEAM_HOLE,        /* positions are missing, nobody said so */
    SEAM_LOST,        /* segments are missing: their numbers are left out */
    SEAM_CHANGED,     /* it names another predecessor than the one that is there */
    SEAM_COUNT
};

/* A stretch without a seam but FOLLOWS. */
struct chain_run {
    size_t first, last;   /* places in the array, strays between them not counted */
    enum chain_seam seam; /* with the run before; FOLLOWS for the first */
};

/* Sorts `segments` by number, then epoch, marks strays, and gives the runs (heap, caller frees;
 * none for an empty log). The first segment may name a predecessor that has expired. */
size_t log_chain_runs(struct chain_segment *segments, size_t count, const struct chain_gap *gaps,
                      size_t gap_count, struct chain_run **ret_runs);
const char *chain_seam_text(enum chain_seam seam); /* "follows", "a recorded gap" ... */

#endif
