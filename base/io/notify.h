/* base/io/notify.h - what systemd is told: ready, status, watchdog, stopping. Silent elsewhere.
 *
 * Layer: base/io. Best effort: nothing here can fail the daemon. */
#ifndef BASE_IO_NOTIFY_H
#define BASE_IO_NOTIFY_H
#include "base/base.h"

void notify_ready(const char *status);  /* READY=1 and STATUS= */
void notify_status(const char *status); /* one line; control characters become blanks */
void notify_watchdog(void);             /* call every notify_watchdog_period_us / 2 */
void notify_stopping(const char *status);
int64_t notify_watchdog_period_us(void); /* 0 when no watchdog is asked for */

#endif
