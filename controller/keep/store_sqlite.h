/* controller/keep/store_sqlite.h - the store interface on one SQLite file: WAL, synchronous=FULL,
 * one writer.
 *
 * Layer: keep. Opening blocks (start-up only). Afterwards every call runs on the store's own lane:
 * calls queued while a transaction is being synced share the next sync. A process holds the file
 * alone: a lock beside it ("FILE.lock") names the holder, and SQLite's own exclusive lock backs it.
 *
 * Errors after opening: STAY_EUNKNOWN when a commit's outcome cannot be known (I/O error,
 * deadline); STAY_ESYSTEM when the disk is full or the file became read-only (nothing was written);
 * STAY_ECORRUPT when the file is damaged. After an I/O error or damage the store answers nothing
 * but that error until it is opened again: a failed fsync must not be retried on the same
 * descriptor. */
#ifndef CONTROLLER_KEEP_STORE_SQLITE_H
#define CONTROLLER_KEEP_STORE_SQLITE_H
#include "controller/keep/store.h"

#define STORE_SQLITE_DEADLINE_US (5 * STAY_SECOND) /* of one batch, waiting included */

struct loop;

/* Opens or creates `path` (mode 0600; its folder must exist or can be made). `holder` is shown to
 * whoever finds the file locked. STAY_EBUSY: another process holds it (named). STAY_ECORRUPT:
 * damaged; STAY_EINVALID: not a mainstay state file, or written by a newer mainstay; STAY_EDENIED,
 * STAY_ESYSTEM: cannot be written. Every text names the file and the way out. */
enum stay_rc store_sqlite_open(struct loop *loop, const char *path, const char *holder,
                               struct store **ret_store, struct stay_error *err) STAY_MUST_USE;

/* The same through the interface: store->ops->close answers what is queued with STAY_ECANCELED,
 * waits up to a second for a running transaction and releases the lock. */

#endif
