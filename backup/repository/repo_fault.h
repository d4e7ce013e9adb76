/* backup/repository/repo_fault.h - what can be wrong with a repository, each with its name and its
 * exit code: scripts and people tell a wrong key from a flipped byte.
 *
 * Pure. Layer: repository. Carried in struct stay_error: domain STAY_DOMAIN_REPOSITORY, native
 * the fault; repo_fault_of reads it. */
#ifndef BACKUP_REPOSITORY_REPO_FAULT_H
#define BACKUP_REPOSITORY_REPO_FAULT_H
#include "base/error.h"

/* REPO_FAULT_X(ID, exit code, rc, name, what it means). Exit codes are never reused. */
#define REPO_FAULTS(X)                                                                             \
    X(NOT_A_REPOSITORY, 10, STAY_ENOTFOUND, "not-a-repository",                                    \
      "there is no repo.json: nothing was made here, or it is elsewhere")                          \
    X(ALREADY_EXISTS, 11, STAY_ECONFLICT, "already-exists",                                        \
      "something of that name is there and is not the same: nothing was overwritten")              \
    X(WRONG_KEY, 12, STAY_EDENIED, "wrong-key",                                                    \
      "the repository is sealed with another master key than the one given")                       \
    X(KEY_MISSING, 13, STAY_ENOTFOUND, "key-missing",                                              \
      "a generation of a key is not in the repository: destroyed, or lost")                        \
    X(KEY_FILE, 14, STAY_EREFUSED, "key-file",                                                     \
      "the file of the master key cannot be read, is open to others, or holds no key")             \
    X(CORRUPT, 15, STAY_ECORRUPT, "corrupt-object", "an object's bytes are not what was written")  \
    X(TRUNCATED, 16, STAY_ECORRUPT, "truncated-object", "an object ends before its end")           \
    X(MISSING, 17, STAY_ENOTFOUND, "missing-object", "an object that another names is not there")  \
    X(FOREIGN, 18, STAY_EREFUSED, "foreign-repository",                                            \
      "an object belongs to another repository, or to another name")                               \
    X(HOSTILE_NAME, 19, STAY_EREFUSED, "hostile-name",                                             \
      "a name that we never give, or no plain file behind it")                                     \
    X(FULL, 20, STAY_ELIMIT, "store-full", "there is no room; what was being written is gone")     \
    X(NEWER, 21, STAY_EREFUSED, "newer-format", "written by a newer mainstay than this one")       \
    X(STORE, 22, STAY_ESYSTEM, "store-failed", "the store did not do what was asked")              \
    X(BROKEN_CHAIN, 23, STAY_ECORRUPT, "broken-chain",                                             \
      "segments of a log do not follow each other, and no gap object says so")

enum repo_fault {
    REPO_FAULT_NONE = 0,
#define X(id, code, rc, name, what) REPO_FAULT_##id,
    REPO_FAULTS(X)
#undef X
        REPO_FAULT_COUNT
};

/* Fills err (may be NULL) with "NAME: text" and returns the fault's rc. */
enum stay_rc repo_fault(struct stay_error *err, enum repo_fault fault, const char *fmt, ...)
    STAY_PRINTF(3, 4);
/* As repo_fault for a failed call of the system: ": strerror" is added, and ENOSPC, EDQUOT and
 * EFBIG are STORE-FULL whatever `fault` says. */
enum stay_rc repo_fault_sys(struct stay_error *err, enum repo_fault fault, int errnum,
                            const char *fmt, ...) STAY_PRINTF(4, 5);

enum repo_fault repo_fault_of(const struct stay_error *err); /* NONE: another failure */
const char *repo_fault_name(enum repo_fault fault);          /* "wrong-key"; "" for none */
const char *repo_fault_text(enum repo_fault fault);          /* what it means */
int repo_fault_exit(enum repo_fault fault);                  /* 1 for none */

#endif
