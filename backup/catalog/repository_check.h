/* backup/catalog/repository_check.h - is everything there, whole, ours, and readable? Reads
 * only.
 *
 * Layer: catalog. Blocking. Each thing that is wrong is told once, with its fault; what is wrong
 * in one object does not keep the others from being looked at. */
#ifndef BACKUP_CATALOG_REPOSITORY_CHECK_H
#define BACKUP_CATALOG_REPOSITORY_CHECK_H
#include "backup/repository/repo_fault.h"
#include "backup/repository/repository.h"

struct check_finding {
    enum repo_fault fault;
    const char *object; /* its name, escaped when it is hostile */
    const char *text;   /* with the fault's name in front */
};
typedef void (*check_finding_fn)(void *arg, const struct check_finding *finding);

struct check_outcome {
    uint64_t objects, bytes; /* seen, without strange ones */
    uint64_t read_bytes;     /* and compared with what was written */
    uint64_t keys, clusters; /* key generations; clusters with a document or a log */
    uint64_t snapshots, segments;
    uint64_t unknown;    /* permitted names of no place we know */
    uint64_t unreadable; /* whole, but their keys are destroyed */
    uint64_t faults[REPO_FAULT_COUNT];
    uint64_t fault_count;
};

enum check_flags {
    CHECK_QUICK = 1, /* names, sizes, keys and documents; rows and log are not read */
};

/* STAY_OK: everything was looked at, whatever was found. Else the store itself failed. */
enum stay_rc repository_check(struct repository *repo, unsigned flags, check_finding_fn told,
                              void *arg, struct check_outcome *ret_outcome,
                              struct stay_error *err) STAY_MUST_USE;
/* The fault that names the exit code: the first found, in the order of the table. NONE: all good.
 */
enum repo_fault check_outcome_worst(const struct check_outcome *outcome);

#endif
