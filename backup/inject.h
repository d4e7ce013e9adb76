/* backup/inject.h - gives saved transactions to the primary as new transactions of its own.
 *
 * Layer: backup. Blocking. A transaction is given only if every row it changes is still in its
 * before-image, byte for byte, and every row it adds is not there: else nothing of it is, and the
 * conflict is named. Each is one transaction on the primary, logged under a new GTID and
 * acknowledged as every other commit. */
#ifndef BACKUP_INJECT_H
#define BACKUP_INJECT_H
#include "backup/bundle.h"
#include "probes/mysql_session.h"

struct inject {
    const struct bundle *bundle;
    const char *only; /* a GTID; NULL: all that nothing was decided of, in their order */
    const char *actor, *reason;
    struct mysql_target target; /* the primary */
    struct mysql_account operate;
    /* Each transaction as it is settled: "injected", "conflict" (why: what is in the way) or
     * "injected before"; of a trial "injected" says that it would be. May be NULL. */
    void (*told)(void *arg, const struct bundle_transaction *t, const char *result,
                 const char *why);
    void *told_arg;
    bool is_trial; /* checked and applied in one transaction, then rolled back; nothing is decided,
                      but its rows are locked meanwhile */
};

struct inject_outcome {
    uint64_t injected, refused, passed_over;
    char text[240]; /* the first refusal */
};

/* Goes on behind a conflict: later ones may be free of it. STAY_EUNKNOWN: a commit's answer did not
 * come; nothing more is tried. */
enum stay_rc inject_bundle(const struct inject *what, struct inject_outcome *ret_outcome,
                           struct stay_error *err) STAY_MUST_USE;

#endif
