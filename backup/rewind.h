/* backup/rewind.h - takes a diverged server back to what it and the primary both held: its extra
 * transactions are saved, undone by their row images, and its GTID state is set back.
 *
 * Layer: backup. Blocking. The server is set aside, read-only, follows nobody and is fenced: the
 * caller's business; it is looked at again here. Killed at any moment nothing is lost: the inverse
 * of all of them is one transaction, which also writes a mark (table mainstay.rewind, never
 * logged); called again, a mark leads straight on to the GTID state. */
#ifndef BACKUP_REWIND_H
#define BACKUP_REWIND_H
#include "backup/bundle_save.h"

/* *ret_text: what was done, for people; heap, caller frees. STAY_EREFUSED: it cannot be rewound,
 * the text says why (reseed it); nothing was changed. STAY_ECONFLICT: rows are not as the
 * transactions left them (reseed it); nothing was changed. */
enum stay_rc rewind_server(const struct bundle_save *spec, char **ret_text,
                           struct stay_error *err) STAY_MUST_USE;

#endif
