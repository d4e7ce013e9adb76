/* backup/errant_crash.h - points at which a rewind can be killed, for scenario tests.
 *
 * Layer: backup. Empty unless built with MAINSTAY_CRASH_POINTS. A point is armed by a file of its
 * name in the folder MAINSTAY_ERRANT_CRASH_DIR, which is removed when it is reached: its first
 * letter says who is killed: j the job, c the controller, b both; s: the job is stopped. */
#ifndef BACKUP_ERRANT_CRASH_H
#define BACKUP_ERRANT_CRASH_H

#ifdef MAINSTAY_CRASH_POINTS
void errant_crash_point(const char *name);
#else
#define errant_crash_point(name) ((void)0)
#endif

#endif
