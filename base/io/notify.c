/* base/io/notify.c - what systemd is told. */
#include "base/io/notify.h"
#include <systemd/sd-daemon.h>

#define STATUS_MAX 512

static void send_state(const char *state, const char *status)
{
    char line[STATUS_MAX];
    (void)stay_copy(line, sizeof line, status == NULL ? "" : status);
    for (char *p = line; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20)
            *p = ' ';
    }
    (void)sd_notifyf(0, "%s%sSTATUS=%s", state, *state != '\0' ? "\n" : "", line);
}

void notify_ready(const char *status)
{
    send_state("READY=1", status);
}

void notify_status(const char *status)
{
    send_state("", status);
}

void notify_watchdog(void)
{
    (void)sd_notify(0, "WATCHDOG=1");
}

void notify_stopping(const char *status)
{
    send_state("STOPPING=1", status);
}

int64_t notify_watchdog_period_us(void)
{
    uint64_t period = 0;
    if (sd_watchdog_enabled(0, &period) <= 0 || period > INT64_MAX)
        return 0;
    return (int64_t)period;
}
