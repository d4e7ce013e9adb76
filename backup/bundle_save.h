/* backup/bundle_save.h - reads what a diverged server holds beyond a known set out of its binary
 * log, and keeps it as a bundle.
 *
 * Layer: backup. Blocking; changes nothing on the server. Memory: one event and the manifest. */
#ifndef BACKUP_BUNDLE_SAVE_H
#define BACKUP_BUNDLE_SAVE_H
#include "backup/bundle.h"
#include "probes/mysql_session.h"

/* phase: what is done now, for people. bytes: read so far; done of total transactions (total 0: not
 * known). */
struct bundle_progress {
    const char *phase;
    uint64_t bytes, done, total;
};
typedef void (*bundle_progress_fn)(void *arg, const struct bundle_progress *progress);

struct bundle_save {
    const char *dir; /* the cluster's folder of bundles; made when missing */
    const char *cluster, *node, *primary;
    uint64_t epoch;
    struct mysql_target target;
    struct mysql_account operate, replicate;
    const struct gtid_set *known; /* what the primary holds */
    bundle_progress_fn progress;  /* or NULL */
    void *progress_arg;
};

/* *ret_path: the bundle's folder, heap, the caller frees. Read anew each time: one that is there
 * already is taken if it holds the same transactions byte for byte; the same GTIDs are no proof,
 * for a rewind or a reseed lets a server give them again. STAY_ENOTFOUND: the server holds nothing
 * more. */
enum stay_rc bundle_save(const struct bundle_save *spec, char **ret_path,
                         struct stay_error *err) STAY_MUST_USE;
/* What the server holds by its own word: MariaDB its binary log's state, MySQL gtid_executed. */
enum stay_rc bundle_read_executed(struct mysql_session *s, enum engine engine,
                                  struct gtid_set *ret_set, struct stay_error *err) STAY_MUST_USE;

#endif
